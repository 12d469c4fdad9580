"""From a cell to the screen and the report: five ways of having nothing to report, and whose figure an answer uses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import openpyxl
import pytest
from plotly.utils import PlotlyJSONEncoder

from oversight import cli
from oversight.dashboard import queries
from oversight.dashboard.access import EVERYTHING
from oversight.dashboard.pages.submissions import missing_table
from oversight.dashboard.pages.township import PAGE as TOWNSHIP
from oversight.dashboard.shelf import Shelf
from oversight.dashboard.state import State
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Warehouse
from oversight.editions import open_edition
from oversight.explain import explain
from oversight.reports.config import load
from oversight.reports.content import build
from oversight.reports.document import Paragraph, Report
from oversight.reports.facts import gather
from oversight.settings import DataFolder
from tests.conftest import run_oversight
from tests.intake.world import World, csv_bytes, xlsx_bytes
from tests.reports.conftest import CALENDAR, FIRST

COUNTY, OTHER, MONTH = "360313", "360302", date(2025, 12, 1)
NAMES = {
    "360313101": "零报镇",
    "360313102": "空白镇",
    "360313103": "横线镇",
    "360313104": "填零镇",
    "360313105": "无声镇",
    "360302101": "国库镇",
}
NIL, BLANK, DASH, ZERO, SILENT, PAID = NAMES
HEADER = ("统计月份", "区划代码", "乡镇名称", "年初预算(元)", "本月拨付(元)", "本月支出(元)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A county in which each township has nothing to report in its own way, and one is paid less than it says."""
    world = World(tmp_path_factory.mktemp("cells") / "data", divisions=False)
    divisions = [("区划代码", "名称", "类型", "上级代码"), (COUNTY, "湘东区", "区", "360300")]
    divisions += [(OTHER, "安源区", "区", "360300")]
    divisions += [(code, name, "镇", code[:6]) for code, name in NAMES.items()]
    world.put("行政区划.csv", csv_bytes(divisions))
    people = [("统计月份", "区划代码", "乡镇名称", "户籍人口(人)")]
    people += [(when, code, name, "20000") for when in ("2024-12", "2025-12") for code, name in NAMES.items()]
    world.put("人口.csv", csv_bytes(people))
    rows = [
        HEADER,
        ("2025-12", BLANK, NAMES[BLANK], "67200", "", ""),
        ("2025-12", DASH, NAMES[DASH], "67200", "—", "—"),
        ("2025-12", ZERO, NAMES[ZERO], "67200", "0", "0"),
        *((f"2025-{n:02}", PAID, NAMES[PAID], "67200", "5600", "") for n in range(1, 13)),
    ]
    world.put("经费.csv", csv_bytes(rows))
    world.put(
        f"{NAMES[NIL]}2025年12月民政工作经费零报告.xlsx",
        xlsx_bytes([(f"湘东区{NAMES[NIL]}2025年12月民政工作经费报表",), ("本月无此项内容，零报告",)]),
    )
    # The treasury's list, on the product's own form: 5,000 a month, two vouchers in December.
    target = world.folder.raw / "国库支付.xlsx"
    words = (
        "template",
        "payments",
        "--county",
        COUNTY,
        "--month",
        "2025-12",
        "--data",
        str(world.folder.root),
    )
    assert cli.main([*words, "--out", str(target)]) == 0
    book = openpyxl.load_workbook(target)
    page = book["国库支付明细"]
    titles = {cell.value: cell.column for cell in page[3]}
    page["A1"] = "安源区2025年1—12月国库支付明细"
    paid = [(date(2025, n, 9), 5000, f"2025-{n:02}") for n in range(1, 12)]
    paid += [(date(2025, 12, 9), 3000, "2025-12-1"), (date(2025, 12, 20), 2000, "2025-12-2")]
    for row, (day, amount, voucher) in enumerate(paid, start=4):
        told = {
            "支付日期": day,
            "收款单位代码": PAID,
            "收款单位": NAMES[PAID],
            "金额(元)": amount,
            "凭证号": voucher,
        }
        for title, value in told.items():
            cell = page.cell(row, titles[title])
            assert not cell.protection.locked
            cell.value = value
    book.save(target)
    done = run_oversight("run", "--data", str(world.folder.root))
    assert done.returncode == 0, done.stdout + done.stderr
    return world.folder


@pytest.fixture(scope="module")
def sql(folder: DataFolder) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = open_edition(folder)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def warehouse(folder: DataFolder) -> Warehouse:
    shelf = Shelf(folder)
    edition_id = shelf.current_id()
    assert edition_id is not None
    return shelf.warehouse(edition_id)


@pytest.fixture(scope="module")
def report(folder: DataFolder, sql: duckdb.DuckDBPyConnection) -> Report:
    wording = load(folder, COUNTY)
    return build(gather(sql, MONTH, COUNTY), wording, FIRST, CALENDAR)


def view(warehouse: Warehouse, unit: str, path: str) -> View:
    return View(warehouse, EVERYTHING, State(path, unit, MONTH), "light")


def five(values: dict[str, Any]) -> list[Any]:
    return [values[code] for code in (NIL, BLANK, DASH, ZERO, SILENT)]


def test_five_ways_of_nothing_stay_five_in_the_tables(sql: duckdb.DuckDBPyConnection) -> None:
    told = dict(
        sql.execute(
            "select township_code, told from detail.submission_status where dataset = 'budget' and month = ?",
            [MONTH],
        ).fetchall()
    )
    assert five(told) == ["nil", "blank", "dash", "figure", "missing"]
    mart = dict(
        sql.execute(
            "select township_code, disbursed_told from funding_gap_monthly where month = ?", [MONTH]
        ).fetchall()
    )
    assert five(mart) == ["nil", "blank", "dash", "figure", "missing"]
    monthly = dict(
        sql.execute(
            "select township_code, budget_told from detail.township_monthly where month = ?", [MONTH]
        ).fetchall()
    )
    assert five(monthly) == five(told)


def test_five_ways_of_nothing_read_differently_on_the_screen(warehouse: Warehouse) -> None:
    table = missing_table(view(warehouse, COUNTY, "/submissions"))
    budget = next(column for column in table.columns if column.title == "民政工作经费")
    shown = {row["township_code"]: budget.shown(row, "wan") for row in table.rows}
    # Staffing was not sent by anyone, so that all stand in the list; who wrote 0 has a figure.
    words = [text.split("，")[-1] for text in five(shown)]
    assert words[0] == "零报告"
    assert words[1:3] == ["数为空白", "数为横线"]
    assert words[4] == "未报送"
    assert words[3] not in {*words[:3], words[4]}
    assert len(set(words)) == 5


def test_a_township_that_sent_nothing_but_its_nil_reads_so_on_its_own_page(warehouse: Warehouse) -> None:
    row = queries.township_months(warehouse, EVERYTHING, [DASH])[-1]
    assert row["budget_told"] == "dash"
    page = TOWNSHIP.render(view(warehouse, NIL, "/township"))
    text = json.dumps(page, cls=PlotlyJSONEncoder, ensure_ascii=False)
    assert "零报告" in text


def test_five_ways_of_nothing_read_differently_in_the_report(report: Report) -> None:
    table = next(ref.table for ref in report.tables if ref.table.key == "annex_reporting")
    code, budget = table.position("code"), table.position("budget")
    shown = {str(row[code]): row[budget] for row in table.rows}
    assert five(shown) == ["零报告", "已报，数为空白", "已报，数为横线", "已报", "未报"]
    text = "\n".join(block.text for block in report.blocks if isinstance(block, Paragraph))
    assert "零报告1个：零报镇。" in text
    assert "已报送而没有填数2个，不按零处理：空白镇（拨付数为空白）、横线镇（拨付数为横线）。" in text


def test_a_finding_names_whose_figure_it_rests_on(sql: duckdb.DuckDBPyConnection) -> None:
    (found,) = sql.execute(
        "select source, value_checked, value_expected, message_zh from findings "
        "where subject_code = ? and rule_id = 'A-10.1'",
        [PAID],
    ).fetchall()
    assert found[:3] == ("treasury", 60000, 67200)
    assert "财政国库的数" in found[3]
    own = sql.execute(
        "select distinct source from findings where subject_code = ? and value_checked is not null "
        "and rule_id <> 'A-10.1'",
        [PAID],
    ).fetchall()
    assert set(own) <= {("township",)}


def test_an_explanation_takes_its_cells_from_the_source_that_was_used(sql: duckdb.DuckDBPyConnection) -> None:
    told = explain(sql, PAID, MONTH, "A-10.1").text()
    cells = [line for line in told.splitlines() if "国库支付.xlsx" in line and "凭证" in line]
    assert len(cells) == 13
    assert "第 15 行" in cells[-2]
    assert "凭证 2025-12-2" in cells[-1]
    assert "累计拨付：" + " + ".join(["5,000.00"] * 11 + ["3,000.00", "2,000.00"]) + " = 60,000.00 元" in told
    assert "累计拨付用财政国库的数，不是乡镇自报的数" in told
