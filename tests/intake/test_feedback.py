"""What the sender is told: `check` without loading, and his own workbook back with what is wrong marked."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oversight import cli
from oversight.errors import OversightError
from oversight.intake.reading.grid import ranges_of
from oversight.intake.sending_back.checking import Checked, check
from oversight.intake.sending_back.marked_workbook import write_returned
from oversight.intake.sending_back.returning import returned_name
from tests.intake.world import NOW, TOWNSHIPS, World, csv_bytes, population_rows, xlsx_bytes

HEADER = ("统计月份", "区划代码", "乡镇名称", "年初预算(元)", "本月拨付(元)")
TWO_MISTAKES: list[Sequence[Any]] = [
    ("湘东区民政工作经费",),
    HEADER,
    ("2025-06", "360313101", "湘东镇", 67_200, 5_600),
    ("2025-06", "360313999", "荷尧镇", 50_400, 4_200),
    ("2025-06", "360313103", "老关镇", "约五万", 4_200),
]


def checked(world: World, name: str, content: bytes, **options: Any) -> Checked:
    path = world.folder.root / name
    path.write_bytes(content)
    (found,) = check([path], options.get("folder", world.folder), now=NOW)
    return found


def test_what_is_checked_is_not_loaded(world: World) -> None:
    world.take_in()
    before = {p: p.read_bytes() for p in world.folder.root.rglob("*") if p.is_file()}
    checked(world, "经费.xlsx", xlsx_bytes(TWO_MISTAKES))
    after = {p: p.read_bytes() for p in world.folder.root.rglob("*") if p.is_file() and p.name != "经费.xlsx"}
    assert after == before


def test_json_has_counts_normalised_rows_and_errors_with_their_cells(world: World) -> None:
    found = checked(world, "经费.xlsx", xlsx_bytes(TWO_MISTAKES)).to_json()
    assert {k: found[k] for k in ("dataset", "rows_read", "accepted", "held", "rejected", "ignored")} == {
        "dataset": "budget",
        "rows_read": 3,
        "accepted": 1,
        "held": 0,
        "rejected": 2,
        "ignored": 0,
    }
    (row,) = found["rows"]
    assert row["统计月份"] == "2025-06"
    assert row["年初预算(元)"] == "67200.00"
    assert row["累计拨付(元)"] is None
    assert (row["sheet"], row["row_number"]) == ("Sheet1", 3)
    assert [(e["error_code"], e["cell"], e["column_title"], e["value"]) for e in found["errors"]] == [
        ("R08", "B4", "区划代码", "360313999"),
        ("R04", "D5", "年初预算(元)", "约五万"),
    ]
    assert found["errors"][0]["message_zh"]
    assert found["errors"][0]["what_to_do_zh"]


def test_the_same_file_loaded_is_judged_the_same(world: World) -> None:
    content = xlsx_bytes(TWO_MISTAKES)
    before = checked(world, "经费.xlsx", content)
    world.put("经费.xlsx", content)
    world.take_in()
    again = checked(world, "经费.xlsx", content)
    assert before.to_json() == again.to_json()
    assert world.submission("经费.xlsx")["rows_rejected"] == before.counts["rejected"]


def test_history_counts_but_only_with_data(world: World) -> None:
    for month in ("01", "02", "03", "04"):
        world.put(f"{month}.csv", csv_bytes(population_rows(f"2025-{month}", {"360313101": 20_000})))
    world.take_in()
    content = csv_bytes(population_rows("2025-05", {"360313101": 2}))
    assert checked(world, "五月.csv", content).counts["held"] == 1
    alone = checked(world, "五月.csv", content, folder=None)
    assert alone.counts["accepted"] == 1
    assert len(alone.notes) == 2


def test_without_data_codes_are_checked_for_their_form_only(world: World) -> None:
    rows = [*population_rows("2025-06", {"360313999": 5, "36031399": 6}), ("2025-06", "", "湘东镇", 7)]
    found = checked(world, "人口.csv", csv_bytes(rows), folder=None)
    assert [(r["区划代码"], r["户籍人口(人)"]) for r in found.rows] == [("360313999", 5), (None, 7)]
    assert found.rows[1]["乡镇名称"] == "湘东镇"
    assert [r.error_code for r in found.remarks] == ["R03"]


def test_files_not_yet_run_count_as_the_units(world: World) -> None:
    # raw/ has the divisions, but no run has been made.
    found = checked(world, "人口.csv", csv_bytes(population_rows("2025-06", {"360313101": 20_000})))
    assert found.is_clean
    assert [n for n in found.notes if "历史" in n] == list(found.notes)


def test_the_command_prints_the_remedy_and_says_by_its_code_whether_all_is_well(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, good = world.folder.root / "经费.xlsx", world.folder.root / "人口.csv"
    bad.write_bytes(xlsx_bytes(TWO_MISTAKES))
    good.write_bytes(csv_bytes(population_rows("2025-06", {"360313101": 20_000})))
    data = ("--data", str(world.folder.root))
    assert cli.main(["check", str(good), *data]) == 0
    capsys.readouterr()
    assert cli.main(["check", str(bad), *data]) == 1
    printed = capsys.readouterr().out
    assert "[R04 数字读不出] 工作表“Sheet1”单元格 D5“年初预算(元)”" in printed
    assert "处理：请填写数字；没有数据请留空，不要填文字说明。" in printed
    assert cli.main(["check", str(bad), str(good), "--format", "json", *data]) == 1
    assert [f["name"] for f in json.loads(capsys.readouterr().out)] == ["经费.xlsx", "人口.csv"]


def test_a_missing_file_or_folder_is_said_in_one_line(world: World) -> None:
    with pytest.raises(OversightError, match="读不到文件"):
        check([world.folder.root / "没有.csv"], None, now=NOW)


# --- the returned workbook ------------------------------------------------------------------------------


def returned(world: World, name: str, content: bytes) -> Path:
    found = checked(world, name, content)
    target = world.folder.root / returned_name(name, found.submission_id)
    write_returned(found.path, name, found.remarks, target)
    return target


@pytest.mark.parametrize("form", ["xlsx", "csv", "gb18030"])
def test_two_mistakes_are_mended_from_the_returned_workbook_alone(world: World, form: str) -> None:
    """As the sender would: read the first sheet, go where its links point, type what it says, send it back."""
    content = (
        xlsx_bytes(TWO_MISTAKES) if form == "xlsx" else csv_bytes(TWO_MISTAKES, form.replace("csv", "utf-8"))
    )
    path = returned(world, "经费.xlsx" if form == "xlsx" else "经费.csv", content)
    book = openpyxl.load_workbook(path)
    page = book.worksheets[0]
    assert page.title == "退回说明"
    listed = [list(row) for row in page.iter_rows(min_row=5)]
    assert len(listed) == 2
    answers = {"360313999": "360313102", "约五万": 50_000}
    for row in listed:
        sheet, reference = row[3].hyperlink.location.rsplit("!", 1)
        cell = book[sheet.strip("'")][reference]
        assert str(cell.value) == row[5].value
        assert cell.comment is not None
        assert row[8].value in cell.comment.text
        assert cell.fill.fill_type == "solid"
        cell.value = answers[row[5].value]
    memory = io.BytesIO()
    book.save(memory)
    found = checked(world, path.name, memory.getvalue())
    assert found.is_clean
    assert [r["年初预算(元)"] for r in found.rows] == ["67200.00", "50400.00", "50000.00"]


def test_the_returned_workbook_lies_where_the_command_was_given(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that opens the file works elsewhere: relative names are the sender's, as a copy of his sheet shows."""
    (tmp_path / "来件").mkdir()
    (tmp_path / "来件" / "经费.xlsx").write_bytes(xlsx_bytes(TWO_MISTAKES))
    monkeypatch.chdir(tmp_path / "来件")
    command = ["check", "经费.xlsx", "--format", "workbook", "--data", str(world.folder.root)]
    assert cli.main([*command, "--out", "../退回"]) == 1
    (path,) = (tmp_path / "退回").iterdir()
    assert openpyxl.load_workbook(path).sheetnames == ["退回说明", "Sheet1"]


def test_formatting_formulas_and_their_results_survive(world: World) -> None:
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(memory)
    page, bold = book.add_worksheet("经费"), book.add_format({"bold": True, "num_format": "#,##0.00"})
    for r, row in enumerate(TWO_MISTAKES):
        for c, value in enumerate(row):
            page.write(r, c, value, bold)
    page.write_formula("E3", "=5000+600", bold, 5_600)
    page.set_column(0, 0, 33)
    book.close()
    path = returned(world, "经费.xlsx", memory.getvalue())
    out = openpyxl.load_workbook(path)["经费"]
    assert out["E3"].value == "=5000+600"
    assert out["D3"].font.bold
    assert out.column_dimensions["A"].width == pytest.approx(33, abs=1)
    again = checked(world, "再报.xlsx", path.read_bytes())
    assert again.rows[0]["本月拨付(元)"] == "5600.00"


def test_text_that_begins_like_a_formula_stays_text(world: World) -> None:
    rows = [*TWO_MISTAKES[1:], ("2025-06", "360313104", "腊市镇", '=HYPERLINK("http://x","y")', "+1+1")]
    for name, content in (("a.csv", csv_bytes(rows)), ("a.xlsx", csv_bytes(rows))):
        book = openpyxl.load_workbook(returned(world, name, content))
        kinds = {cell.data_type for page in book for row in page.iter_rows() for cell in row}
        assert "f" not in kinds


def test_a_workbook_returned_twice_bears_only_the_new_marks(world: World) -> None:
    book = openpyxl.load_workbook(returned(world, "经费.xlsx", xlsx_bytes(TWO_MISTAKES)))
    book["Sheet1"]["D5"] = 50_000
    memory = io.BytesIO()
    book.save(memory)
    out = openpyxl.load_workbook(returned(world, "经费2.xlsx", memory.getvalue()))
    assert out.sheetnames == ["退回说明", "Sheet1"]
    assert out["Sheet1"]["D5"].comment is None
    assert out["Sheet1"]["D5"].fill.fill_type is None
    assert out["Sheet1"]["B4"].comment is not None


def test_a_run_returns_what_is_refused_or_doubtful_and_only_once(world: World) -> None:
    world.put("湘东/经费.xlsx", xlsx_bytes(TWO_MISTAKES))
    world.put("照片.xlsx", b"\xff\xd8\xff\xe0")
    world.put("人口.csv", csv_bytes(population_rows("2025-06", {"360313101": 20_000})))
    world.take_in()
    made = {p.name: p.stat().st_mtime_ns for p in world.folder.returned.glob("*.xlsx")}
    assert sorted(n.split("_退回_")[0] for n in made) == ["湘东_经费", "照片"]
    world.take_in()
    assert {p.name: p.stat().st_mtime_ns for p in world.folder.returned.glob("*.xlsx")} == made
    # Mended by the bureau's own doing: the unit was missing from the divisions.
    world.put(
        "新区划.csv",
        csv_bytes([("区划代码", "名称", "类型", "上级代码"), ("360313999", "荷尧镇", "镇", "360313")]),
    )
    world.take_in(datetime(2026, 2, 1))  # noqa: DTZ001
    (rest,) = world.folder.returned.glob("湘东*.xlsx")
    page = openpyxl.load_workbook(rest).worksheets[0]
    assert [row[0].value for row in page.iter_rows(min_row=5, min_col=10)] == ["R04"]


MENDED: list[Sequence[Any]] = [
    *TWO_MISTAKES[:3],
    ("2025-06", "360313102", "荷尧镇", 50_400, 4_200),
    ("2025-06", "360313103", "老关镇", 50_000, 4_200),
]


@pytest.mark.parametrize("name", ["湘东/经费（改好）.xlsx", "重报.csv"])
def test_what_a_later_file_says_rightly_is_asked_for_no_more(world: World, name: str) -> None:
    world.put("湘东/经费.xlsx", xlsx_bytes(TWO_MISTAKES))
    world.take_in()
    assert len(list(world.folder.returned.glob("*.xlsx"))) == 1
    world.put(name, csv_bytes(MENDED) if name.endswith("csv") else xlsx_bytes(MENDED))
    world.take_in(datetime(2026, 2, 1))  # noqa: DTZ001
    assert list(world.folder.returned.glob("*.xlsx")) == []


def test_a_later_file_with_less_in_it_overtakes_nothing(world: World) -> None:
    world.put("湘东/经费.xlsx", xlsx_bytes(TWO_MISTAKES))
    world.take_in()
    made = list(world.folder.returned.glob("*.xlsx"))
    world.put("重报.xlsx", xlsx_bytes(MENDED[:3]))
    world.take_in(datetime(2026, 2, 1))  # noqa: DTZ001
    assert list(world.folder.returned.glob("*.xlsx")) == made


def test_the_returned_workbook_that_comes_back_mended_overtakes_its_file(world: World) -> None:
    # Nothing of the first file counted, so nothing of it is reported again.
    wrong = [*TWO_MISTAKES[:2], *TWO_MISTAKES[3:]]
    world.put("湘东/经费.xlsx", xlsx_bytes(wrong))
    world.take_in()
    (asked,) = world.folder.returned.glob("*.xlsx")
    world.put(f"湘东/{asked.name}", xlsx_bytes(MENDED))
    world.take_in(datetime(2026, 2, 1))  # noqa: DTZ001
    assert list(world.folder.returned.glob("*.xlsx")) == []


def test_a_large_file_comes_back_as_its_first_rows_and_those_marked(world: World) -> None:
    rows = [
        HEADER,
        *(("2025-06", "360313101", f"湘东镇{i}", 1, "") for i in range(1)),
        *(("", "", "", "", "") for _ in range(50_000)),
    ]
    rows.append(("2025-06", "360313999", "荷尧镇", 50_400, 4_200))
    path = returned(world, "大.csv", csv_bytes(rows))
    page = openpyxl.load_workbook(path)["数据"]
    assert page.max_row < 20
    assert page.cell(page.max_row, 2).value == "360313999"
    assert page.cell(page.max_row, 2).comment is not None


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["360313101", "360313102", "360313103", "36031310", "360313999"]),
            st.one_of(
                st.integers(0, 10**6), st.decimals(0, 10**6, places=2), st.text("=+-@12万元约 ", max_size=6)
            ),
        ),
        min_size=1,
        max_size=5,
        unique_by=lambda t: t[0],
    ),
    st.booleans(),
)
def test_a_returned_workbook_reads_back_to_the_same_values(
    world: World, rows: list[tuple[str, Any]], as_csv: bool
) -> None:
    table = [
        HEADER,
        *(("2025-06", code, "", str(value) if as_csv else _cell(value), 1) for code, value in rows),
    ]
    name = "经费.csv" if as_csv else "经费.xlsx"
    content = csv_bytes(table) if as_csv else xlsx_bytes(table)
    before = checked(world, name, content)
    if not before.remarks:
        return
    target = world.folder.root / "退回.xlsx"
    write_returned(before.path, name, before.remarks, target)
    after = checked(world, "再报.xlsx", target.read_bytes())
    drop = {"sheet"}
    assert [{k: v for k, v in r.items() if k not in drop} for r in after.rows] == [
        {k: v for k, v in r.items() if k not in drop} for r in before.rows
    ]
    assert after.counts == before.counts


def _cell(value: Any) -> Any:
    return value if isinstance(value, (int, str)) else float(value)


def test_equal_mistakes_are_one_instruction(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[Any] = [("统计月份", "区划代码", "乡镇名称", "户籍户数", "户籍人口")]
    rows += [("2025-06", code, name, 5_000, f"约{9 + at}千") for at, (code, name) in enumerate(TOWNSHIPS)]
    world.put("6月.xlsx", xlsx_bytes(rows))
    last = len(TOWNSHIPS) + 1
    (found,) = check([world.folder.raw / "6月.xlsx"], world.folder, now=NOW)
    same = [r for r in found.remarks if r.column_title == "户籍人口(人)"]
    assert len(same) == len(TOWNSHIPS)
    (told,) = [t for t in found.to_json()["instructions"] if t["column_title"] == "户籍人口(人)"]
    assert (told["cells"], told["count"]) == (f"E2:E{last}", len(TOWNSHIPS))

    cli.main(["check", str(world.folder.raw / "6月.xlsx"), "--data", str(world.folder.root)])
    lines = [line for line in capsys.readouterr().out.splitlines() if f"E2:E{last}" in line]
    assert [f"（{len(TOWNSHIPS)} 处）" in line for line in lines] == [True]

    world.take_in()
    (returned,) = world.folder.returned.glob("*.xlsx")
    book = openpyxl.load_workbook(returned)
    page = book["退回说明"]
    listed = [
        (page.cell(r, 4).value, page.cell(r, 6).value)
        for r in range(5, page.max_row + 1)
        if page.cell(r, 5).value == "户籍人口(人)"
    ]
    assert listed == [(f"E2:E{last}", "约9千、约10千、约11千、约12千、约13千")]
    # Each cell keeps its own mark.
    assert all(book["Sheet1"][f"E{row}"].comment is not None for row in range(2, last + 1))


def test_equal_mistakes_in_cells_apart_are_named_as_ranges() -> None:
    assert ranges_of([(3, 4), (3, 5), (3, 6), (3, 9), (4, 4), (4, 5), (4, 6)]) == "D4:E6、D9"
    assert ranges_of([]) == ""
