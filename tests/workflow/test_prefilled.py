"""Templates of a county with what was reported last: how much is left to type, and that it is read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from oversight import cli
from oversight.contracts import DATASETS
from oversight.intake.reading.prefilled import TICK
from oversight.settings import DataFolder
from oversight.workflow.templates import MONTHLY

FIRST_ROW = 4
# What may be typed by hand for a township and month, over all its reports.
MOST_CELLS = 12


@pytest.fixture(scope="module")
def forms(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The forms of a county for all months of a quarter, by one command."""
    target = tmp_path_factory.mktemp("forms")
    words = ["template", "--county", "360313", "--month", "2025-10", "--to", "2025-12"]
    assert cli.main([*words, "-o", str(target), "--data", str(sample_folder.root)]) == 0
    names = {
        f"{name}/{month}": target / f"湘东区2025年{month}月{DATASETS[name].title_zh}.xlsx"
        for name in MONTHLY
        for month in (10, 11, 12)
    }
    assert sorted(names.values()) == sorted(target.iterdir())
    return names


def titles_of(page: Any) -> dict[str, int]:
    return {str(page.cell(3, c).value): c for c in range(1, page.max_column + 1) if page.cell(3, c).value}


def blank_cells(page: Any) -> dict[str, list[tuple[int, str]]]:
    """For each unit its blank cells that may be filled in and must be: all but remarks, a merged cell as one."""
    covered = {
        (row, area.min_col)
        for area in page.merged_cells.ranges
        for row in range(area.min_row + 1, area.max_row + 1)
    }
    found: dict[str, list[tuple[int, str]]] = {}
    for row in range(FIRST_ROW, page.max_row + 1):
        code = str(page.cell(row, 2).value or "")
        if not (len(code) == 9 and code.isdigit()):
            continue
        for title, at in titles_of(page).items():
            cell = page.cell(row, at)
            is_open = cell.value is None and not cell.protection.locked and (row, at) not in covered
            if is_open and title not in ("备注", "资金项目"):
                found.setdefault(code, []).append((row, title))
    return found


def test_at_most_twelve_cells_are_left_to_type_for_a_township_and_month(forms: dict[str, Path]) -> None:
    total: dict[str, int] = {}
    for name in MONTHLY:
        for code, cells in blank_cells(openpyxl.load_workbook(forms[f"{name}/12"]).worksheets[0]).items():
            total[code] = total.get(code, 0) + len(cells)
    usual = sorted(total.values())[len(total) // 2]
    assert len(total) >= 10
    assert usual <= MOST_CELLS, total


def test_ticked_and_typed_it_is_read_back_whole(
    forms: dict[str, Path], sample_folder: DataFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    path = tmp_path / "人员.xlsx"
    book = openpyxl.load_workbook(forms["staffing/12"])
    page = book.worksheets[0]
    titles = titles_of(page)
    last = {row: page.cell(row, titles["行政编制数(名)"]).value for row in range(FIRST_ROW, page.max_row + 1)}
    for _, cells in blank_cells(page).items():
        for row, title in cells:
            page.cell(row, titles[title]).value = "是" if title == TICK else 1
    book.save(path)
    capsys.readouterr()
    cli.main(["check", str(path), "--data", str(sample_folder.root), "--format", "json"])
    (told,) = json.loads(capsys.readouterr().out)
    assert "D65" not in {doubt["error_code"] for doubt in told["doubts"]}
    read = {row["row_number"]: row["行政编制数(名)"] for row in told["rows"]}
    assert len(read) >= 10
    assert all(value == (1 if last[row] is None else last[row]) for row, value in read.items())


def test_untouched_nothing_of_it_counts(
    forms: dict[str, Path], sample_folder: DataFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    capsys.readouterr()
    for name in MONTHLY:
        cli.main(["check", str(forms[f"{name}/11"]), "--data", str(sample_folder.root), "--format", "json"])
        (told,) = json.loads(capsys.readouterr().out)
        assert told["rows"] == [], name
        assert "D65" in {doubt["error_code"] for doubt in told["doubts"]}, name
