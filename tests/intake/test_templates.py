"""Templates: the county's townships filled in, nothing typed twice, and what is filled in reads back the same."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oversight import cli
from oversight.contracts import DATASETS
from oversight.errors import OversightError
from oversight.intake.reading.prefilled import TICK
from oversight.intake.sending_back import remarks
from oversight.intake.sending_back.checking import check
from oversight.intake.sending_back.templates import (
    FIRST_DATA_ROW,
    County,
    Indicator,
    Last,
    county_of,
    write_template,
)
from oversight.settings import DataFolder
from tests.intake.world import NOW, TOWNSHIPS, World

MONTH = date(2025, 6, 1)
COUNTY = County("360313", "湘东区", tuple(TOWNSHIPS[:3]))
REPORTS = ("population", "budget", "staffing")


def fill(path: Path, dataset: str, values: list[dict[str, Any]]) -> None:
    book = openpyxl.load_workbook(path)
    page = book[DATASETS[dataset].title_zh]
    at = {page.cell(FIRST_DATA_ROW - 1, c).value: c for c in range(1, page.max_column + 1)}
    for r, row in enumerate(values):
        for name, value in row.items():
            cell = page.cell(FIRST_DATA_ROW + r, at[DATASETS[dataset].columns[name].title_zh])
            assert not cell.protection.locked
            cell.value = value
    book.save(path)


def strategy(dataset: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    cells = {
        "count": st.one_of(st.none(), st.integers(0, 400)),
        "money": st.one_of(st.none(), st.integers(10**6, 10**8).map(lambda n: Decimal(n) / 100)),
        "bool": st.sampled_from([None, "是", "否"]),
    }
    row = st.fixed_dictionaries({c.name: cells[c.kind] for c in DATASETS[dataset].measures})
    filled = row.filter(lambda r: any(v is not None for v in r.values()))
    return st.lists(filled, min_size=len(COUNTY.townships), max_size=len(COUNTY.townships))


@pytest.mark.parametrize("dataset", REPORTS)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_filled_template_reads_back_to_the_same_values(
    tmp_path: Path, dataset: str, data: st.DataObject
) -> None:
    values = data.draw(strategy(dataset))
    path = tmp_path / "模板.xlsx"
    write_template(dataset, COUNTY, MONTH, path)
    fill(path, dataset, values)
    (found,) = check([path], None, now=NOW)
    rows = {row["区划代码"]: row for row in found.rows}
    # What is off by a factor is held, as anywhere; what is read is what was typed.
    assert found.counts["rejected"] == 0
    assert found.counts["accepted"] + found.counts["held"] == len(values)
    for (code, name), written in zip(COUNTY.townships, values, strict=True):
        if code not in rows:
            continue
        row = rows[code]
        assert (row["统计月份"], row["乡镇名称"]) == ("2025-06", name)
        for column in DATASETS[dataset].measures:
            value = written[column.name]
            expected = f"{value:.2f}" if isinstance(value, Decimal) else value
            assert row[column.title_zh] == expected


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_dataset_has_a_template_that_is_recognised(tmp_path: Path, dataset: str) -> None:
    path = tmp_path / "模板.xlsx"
    write_template(dataset, COUNTY, MONTH, path, [Indicator("A-13", "民政标识牌悬挂", "township")])
    (found,) = check([path], None, now=NOW)
    assert found.dataset == dataset
    assert "D10" not in {r.error_code for r in found.remarks}


def test_townships_are_those_in_force_in_the_month(world: World) -> None:
    def names(month: int) -> set[str]:
        return {n for _, n in county_of(world.folder, "360313", date(2025, month, 1), now=NOW).townships}

    assert {"白竺乡", "青山乡", "大源乡"} <= names(3)
    assert {"白竺乡", "上源镇", "下源镇"} <= names(6)
    assert not {"青山乡", "白竺镇"} & names(6)
    assert "白竺镇" in names(7)
    with pytest.raises(OversightError, match="没有县"):
        county_of(world.folder, "999999", MONTH, now=NOW)


def test_an_empty_form_of_divisions_comes_before_any_division_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = DataFolder.at(tmp_path / "新县")
    folder.raw.mkdir(parents=True)
    words = ["template", "divisions", "--county", "360313", "--data", str(folder.root)]
    target = folder.raw / "行政区划.xlsx"
    assert cli.main([*words, "--out", str(target)]) == 0
    assert "空的行政区划表" in capsys.readouterr().out
    book = openpyxl.load_workbook(target)
    page = book.worksheets[0]
    assert [page.cell(row, 1).value for row in (4, 5, 6)] == ["360000", "360300", "360313"]
    for row, (code, name, kind) in enumerate(
        [
            ("360000", "江西省", "省"),
            ("360300", "萍乡市", "地级市"),
            ("360313", "湘东区", "区"),
            ("360313101", "湘东镇", "镇"),
        ],
        start=4,
    ):
        for at, value in enumerate((code, name, kind), start=1):
            page.cell(row, at).value = value
    book.save(target)
    (found,) = check([target], None, now=NOW)
    assert (found.dataset, found.counts["accepted"], found.counts["rejected"]) == ("divisions", 4, 0)

    assert cli.main([*words[:3], "3603", *words[4:]]) == 1
    assert "不是县" in capsys.readouterr().err
    assert cli.main(["template", "population", *words[2:]]) == 1
    assert "--month" in capsys.readouterr().err


def test_headers_are_locked_and_cells_validated(tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    write_template("budget", COUNTY, MONTH, path)
    page = openpyxl.load_workbook(path)["民政工作经费"]
    assert page.protection.sheet
    assert page["A3"].protection.locked
    assert page["B4"].protection.locked
    assert page["B4"].data_type == "s"
    rules = {rule.type for rule in page.data_validations.dataValidation}
    assert {"decimal", "list"} <= rules
    with zipfile.ZipFile(path) as archive:
        assert "budget/" in archive.read("docProps/custom.xml").decode()


def test_an_older_version_is_read_with_a_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "模板.xlsx"
    write_template("population", COUNTY, MONTH, path)
    fill(path, "population", [{"population_persons": 300 + i} for i in range(3)])
    monkeypatch.setattr(remarks, "TEMPLATE_VERSION", remarks.TEMPLATE_VERSION + 1)
    (found,) = check([path], None, now=NOW)
    assert found.is_clean
    assert [r.error_code for r in found.remarks] == ["D13"]
    assert f"第 {remarks.TEMPLATE_VERSION} 版" in found.remarks[0].message_zh


def test_the_command_fills_in_what_the_standards_ask(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "指标.xlsx"
    arguments = [
        "--county",
        "360313",
        "--month",
        "2025-06",
        "--data",
        str(world.folder.root),
        "-o",
        str(target),
    ]
    assert cli.main(["template", "能力建设指标", *arguments]) == 0
    assert "湘东区" in capsys.readouterr().out
    page = openpyxl.load_workbook(io.BytesIO(target.read_bytes()))["能力建设指标"]
    codes = {(page.cell(r, 2).value, page.cell(r, 4).value) for r in range(4, page.max_row + 1)}
    assert ("360313101", "A-13") in codes
    assert ("360313", "A-25") in codes
    assert ("360313", "A-13") not in codes


STAFF = {
    "administrative_posts": 2,
    "institution_posts": 5,
    "dedicated_staff_persons": 3,
    "villages_count": 20,
}
BEFORE = [Last(code, None, STAFF) for code, _ in COUNTY.townships]


def prefilled(tmp_path: Path, *cells: tuple[int, str, Any]) -> Any:
    """A staffing template with last month's figures, and these cells typed: (row from 0, title, value)."""
    path = tmp_path / "模板.xlsx"
    write_template("staffing", COUNTY, MONTH, path, last=BEFORE)
    book = openpyxl.load_workbook(path)
    page = book.worksheets[0]
    at = {page.cell(FIRST_DATA_ROW - 1, c).value: c for c in range(1, page.max_column + 1)}
    for row, title, value in cells:
        cell = page.cell(FIRST_DATA_ROW + row, at[title])
        assert not cell.protection.locked
        cell.value = value
    book.save(path)
    (found,) = check([path], None, now=NOW)
    return found


def test_a_prefilled_cell_that_nobody_touched_is_no_report(tmp_path: Path) -> None:
    found = prefilled(tmp_path)
    assert (found.rows, found.counts["accepted"]) == ([], 0)
    (doubt,) = [r for r in found.remarks if r.error_code == "D65"]
    # All cells of the three townships, as one range of each block.
    assert doubt.message_zh.startswith("D4:F6、J4:J6 共 12 格是模板预填的上月数")


def test_a_tick_makes_a_report_of_what_was_filled_in(tmp_path: Path) -> None:
    found = prefilled(tmp_path, (0, TICK, "是"), (2, TICK, "√"))
    assert [(r["区划代码"], r["行政编制数(名)"], r["村(社区)数(个)"]) for r in found.rows] == [
        (COUNTY.townships[0][0], 2, 20),
        (COUNTY.townships[2][0], 2, 20),
    ]
    assert [r["公益性岗位人数(人)"] for r in found.rows] == [None, None]
    (doubt,) = [r for r in found.remarks if r.error_code == "D65"]
    assert "D5:F5、J5" in doubt.message_zh


def test_a_figure_that_was_changed_is_a_report_without_a_tick(tmp_path: Path) -> None:
    found = prefilled(tmp_path, (0, "行政编制数(名)", 4), (1, "行政编制数(名)", 1), (1, TICK, "是"))
    first, second = found.rows
    assert (first["行政编制数(名)"], first["事业编制数(名)"], first["在编在岗专职人数(人)"]) == (
        4,
        None,
        None,
    )
    assert (second["行政编制数(名)"], second["事业编制数(名)"]) == (1, 5)


def test_one_tick_stands_for_all_indicators_of_a_unit(tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    asked = [Indicator("A-13", "民政标识牌悬挂", "township"), Indicator("A-14", "办公用房间数", "township")]
    last = [
        Last(code, item.code, {"indicator_text": text})
        for code, _ in COUNTY.townships
        for item, text in zip(asked, ("是", "2"), strict=True)
    ]
    write_template("indicators", COUNTY, MONTH, path, asked, last)
    book = openpyxl.load_workbook(path)
    page = book.worksheets[0]
    tick = next(c for c in range(1, page.max_column + 1) if page.cell(3, c).value == TICK)
    page.cell(FIRST_DATA_ROW + 2, tick).value = "是"
    page.cell(FIRST_DATA_ROW + 4, tick - 1).value = "否"
    book.save(path)
    (found,) = check([path], None, now=NOW)
    (_, _), (second, _), (third, _) = COUNTY.townships
    assert [(r["区划代码"], r["指标代码"], r["指标值"]) for r in found.rows] == [
        (second, "A-13", "是"),
        (second, "A-14", "2"),
        (third, "A-13", "否"),
    ]


def test_each_fund_of_a_unit_has_its_row_and_the_month_is_given_by_the_sum(tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    code = COUNTY.townships[0][0]
    last = [
        Last(code, fund, {"initial_budget_cny": Decimal("67200.50"), "is_listed_separately": True})
        for fund in (None, "临时救助")
    ]
    write_template("budget", COUNTY, MONTH, path, last=last)
    page = openpyxl.load_workbook(path).worksheets[0]
    titles = [page.cell(3, c).value for c in range(1, page.max_column + 1)]
    assert not {"本月拨付(元)", "本月支出(元)"} & set(titles)
    rows = [[page.cell(r, c).value for c in range(2, len(titles))] for r in range(4, 8)]
    at = titles.index("年初预算(元)") - 1
    assert [(r[0], r[2], r[at]) for r in rows] == [
        (code, None, 67200.5),
        (code, "临时救助", 67200.5),
        (COUNTY.townships[1][0], None, None),
        (COUNTY.townships[2][0], None, None),
    ]
