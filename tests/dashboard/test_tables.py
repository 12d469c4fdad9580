"""Tables, charts and addresses as one works with them: headings in sight, blocks copied, sums, back, the keyboard."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from oversight import presentation as show
from oversight.dashboard import figures
from oversight.dashboard.grids import Column, Table, to_csv, to_xlsx
from oversight.dashboard.warehouse import Warehouse
from tests.dashboard.browsing import PHONE, Served, Visit, fitted, needs_chromium, until, visiting

pytestmark = needs_chromium


def _saved(page: Any, selector: str, path: Path) -> str:
    """Take a file away; returns the name it comes under."""
    with page.expect_download() as started:
        page.locator(selector).click()
    started.value.save_as(path)
    return str(started.value.suggested_filename)


def test_headings_stay_in_sight_while_rows_are_read(visit: Visit) -> None:
    page = visit.go("/findings")
    until(page, "document.querySelectorAll('[data-watched]').length > 0")
    page.evaluate("document.querySelector('[data-name=findings] .ag-row[row-index=\"15\"]').scrollIntoView()")
    until(
        page,
        """() => {
            const top = document.querySelector("[data-name='findings'] .ag-header").getBoundingClientRect().top;
            return 50 <= top && top <= 62;
        }""",
    )


def test_a_block_of_cells_is_copied_as_a_grid_with_names(visit: Visit) -> None:
    page = visit.go("/funding?unit=360313&money=yuan")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    cells = page.locator("[data-name='townships'] .ag-row[row-index='0'] .ag-cell")
    cells.first.scroll_into_view_if_needed()

    def middle(row: int, column: str) -> tuple[float, float]:
        selector = f"[data-name='townships'] .ag-row[row-index='{row}'] .ag-cell[col-id='{column}']"
        box = page.locator(selector).bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    page.mouse.move(*middle(0, "township_name"))
    page.mouse.down()
    page.mouse.move(*middle(1, "guaranteed_annual_cny"), steps=4)
    page.mouse.move(*middle(2, "allocation_shortfall_cny"), steps=4)
    page.mouse.up()
    assert page.locator("[data-name='townships'] .is-picked").count() == 15
    page.keyboard.press("Control+c")
    copied = page.evaluate("navigator.clipboard.readText()")
    rows = list(csv.reader(io.StringIO(copied), delimiter="\t"))
    assert rows[0] == ["乡镇名称", "状态", "应保障（年）（元）", "年度安排（元）", "安排缺口（元）"]
    assert rows[1] == ["老关镇", "不达标", "84,126.24", "65,600.00", "18,526.24"]
    assert [len(row) for row in rows] == [5, 5, 5, 5]


def test_sums_stand_below_what_adds_up(visit: Visit, sql: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    page = visit.go("/funding?unit=360313&money=yuan")
    total = sql.execute(
        "select sum(allocation_shortfall_cny) from funding_gap_monthly where starts_with(township_code, '360313') "
        "and month = (select max(month) from funding_gap_monthly)"
    ).fetchall()[0][0]
    row = "[data-name='townships'] .ag-floating-bottom"
    assert show.money(total, "yuan") in page.inner_text(row)
    name = _saved(page, "[data-download='townships'][data-format='xlsx']", tmp_path / "t.xlsx")
    assert name.startswith("乡镇经费明细_湘东区_2025-12_")
    sheets = [
        openpyxl.load_workbook(tmp_path / "t.xlsx", data_only=stored).active for stored in (False, True)
    ]
    heads = next(row for row in sheets[0].iter_rows() if row[0].value == "乡镇名称")
    column = next(cell.column for cell in heads if str(cell.value).startswith("安排缺口"))
    below = next(row[0].row for row in sheets[0].iter_rows() if row[0].value == "合计")
    assert str(sheets[0].cell(below, column).value).startswith("=SUBTOTAL(109,")
    assert round(Decimal(sheets[1].cell(below, column).value), 2) == total
    # Filtered, the sum of all would be another figure than that of the rows in sight.
    page.evaluate(
        """async () => {
            const api = await dash_ag_grid.getApiAsync({name: 'townships', type: 'grid'});
            api.setFilterModel({status: {filterType: 'text', type: 'equals', filter: '不达标'}});
        }"""
    )
    until(page, f'!document.querySelector("{row}").innerText.trim()')


def test_a_file_says_edition_and_filters_first_and_in_its_name(
    visit: Visit, warehouse: Warehouse, tmp_path: Path
) -> None:
    page = visit.go("/funding?unit=360313&status=short")
    # Once the table has been told what the address says, what is chosen stays.
    until(
        page,
        """async () => {
            const api = await dash_ag_grid.getApiAsync({name: 'townships', type: 'grid'});
            if (location.search.includes('adequacy_pct')) return true;
            // The same filter set again is no change that anybody is told of.
            api.setFilterModel(null);
            api.setFilterModel({adequacy_pct: {filterType: 'number', type: 'lessThan', filter: 90}});
            return false;
        }""",
    )
    name = _saved(page, "[data-download='townships'][data-format='csv']", tmp_path / "t.csv")
    assert "状态=不达标" in name
    assert warehouse.edition_id in name
    rows = list(csv.reader(io.StringIO((tmp_path / "t.csv").read_text("utf-8-sig"))))
    first = " ".join(row[0] for row in rows[:3])
    assert "筛选：状态=不达标，保障率（%）小于90" in first
    assert warehouse.edition_id in first


def test_numbers_of_differing_units_are_numbers_in_a_file() -> None:
    columns = [
        Column("name", "单位"),
        Column("gap", "差", "number", is_of_unit=True, text=lambda *_: "…"),
        Column("at", "时刻"),
    ]
    rows = [
        {"name": "甲", "gap": Decimal("2.6400"), "unit": "元", "at": date(2025, 6, 1)},
        {"name": "乙", "gap": Decimal("3.0000"), "unit": "人", "at": date(2025, 7, 1)},
    ]
    table = Table("t", "表", columns, rows, key=lambda row: str(row["name"]))
    lines = to_csv(table, "wan", ["地区", "来源"]).decode("utf-8-sig").splitlines()
    assert lines[2:5] == [
        "单位,差,计量单位,时刻",
        "甲,0.000264,万元,2025-06-01",
        "乙,3,人,2025-07-01",
    ]
    sheet = openpyxl.load_workbook(io.BytesIO(to_xlsx(table, "yuan", ["表", "地区", "来源"]))).active
    assert [sheet.cell(row, 2).value for row in (5, 6)] == [2.64, 3]
    assert sheet.cell(6, 2).number_format == "#,##0"


def test_what_was_opened_is_in_sight(visit: Visit) -> None:
    page = visit.go("/policy")
    until(page, "document.querySelectorAll('[data-watched]').length > 1")
    page.locator("[data-name='rules'] .ag-row a").nth(3).click()
    page.wait_for_url("**rule=**")
    visit.drawn()
    page.wait_for_selector("[data-opened]")
    until(
        page,
        """() => {
            const top = document.querySelector("[data-opened]").getBoundingClientRect().top;
            return 0 <= top && top < 500;
        }""",
    )


def test_back_leads_to_where_one_was(visit: Visit) -> None:
    page = visit.go("/funding?unit=360313")
    until(page, "document.querySelectorAll('[data-watched]').length > 1")
    link = page.locator("[data-name='townships'] .ag-row a").nth(5)
    link.scroll_into_view_if_needed()
    until(page, "window.scrollY > 600")
    was = page.evaluate("window.scrollY")
    link.click()
    page.wait_for_url("**/township**")
    visit.drawn()
    until(page, "window.scrollY < 50")
    page.go_back()
    page.wait_for_url("**/funding**")
    visit.drawn()
    until(page, f"Math.abs(window.scrollY - {was}) < 40")


def test_a_chart_is_read_and_followed_by_keyboard(visit: Visit) -> None:
    page = visit.go("/?unit=360313")
    until(page, "document.querySelectorAll('.js-plotly-plot .main-svg').length > 1")
    chart = page.locator(".chart").first
    chart.focus()
    page.keyboard.press("ArrowDown")
    until(page, "document.querySelector('#live').textContent.includes('应保障')")
    first = page.inner_text("#live")
    page.keyboard.press("ArrowDown")
    until(page, "text => document.querySelector('#live').textContent !== text", first)
    page.keyboard.press("Enter")
    page.wait_for_url("**/township?**")


def test_a_list_of_units_knows_every_level(visit: Visit, sql: duckdb.DuckDBPyConnection) -> None:
    page = visit.go("/")
    page.get_by_label("下钻至").first.click()
    page.wait_for_selector("[role=option]")
    offered = set(page.locator("[role=option]").all_inner_texts())
    for column in ("province_name", "county_name", "township_name"):
        names = {name for (name,) in sql.execute(f"select distinct {column} from townships").fetchall()}
        assert names <= offered, names - offered


def test_a_long_page_has_contents_that_lead(visit: Visit) -> None:
    page = visit.go("/township?unit=360313105")
    links = page.locator(".contents a")
    assert links.count() >= 8
    for place in range(links.count()):
        name = links.nth(place).get_attribute("href")
        assert name is not None
        assert page.locator(f"[data-name='{name[1:]}']").count() == 1, name
    page.get_by_role("link", name="报送文件").click()
    until(page, "document.querySelector('[data-name=submissions]').getBoundingClientRect().top < innerHeight")


def test_on_a_telephone_the_columns_that_say_most_are_shown(
    chromium: Any, served: Served, tmp_path: Path
) -> None:
    with visiting(chromium, served.base, viewport=PHONE) as visit:
        page = visit.go("/funding?unit=360313")
        page.wait_for_selector(".grid-narrow")
        shown = page.locator("[data-name='townships'] .ag-header-cell-text").all_inner_texts()
        assert shown[:2] == ["乡镇名称", "状态"]
        assert 3 <= len(shown) <= 5
        assert any(name.startswith("安排缺口") for name in shown)
        assert "g.townships" not in page.url
        _saved(page, "[data-download='townships'][data-format='csv']", tmp_path / "t.csv")
        rows = list(csv.reader(io.StringIO((tmp_path / "t.csv").read_text("utf-8-sig"))))
        head = next(row for row in rows if row[0] == "乡镇名称")
        # By the one name that cards, charts and tables of the page have for it.
        assert any(name.startswith("拨付差额") for name in head)
        assert not any("拨付缺口" in name for name in head)


# Tables that hang over the edge of their frame, and cells whose text is cut.
_TABLES = """() => [...document.querySelectorAll('.grid-frame')].flatMap(frame => {
    const seen = frame.querySelector('.ag-center-cols-viewport');
    const wrong = seen && seen.scrollWidth > seen.clientWidth + 1 ? [frame.dataset.grid + ' scrolls sideways'] : [];
    for (const cell of frame.querySelectorAll('.ag-cell'))
        if (cell.scrollWidth > cell.clientWidth + 1) wrong.push(frame.dataset.grid + ' cuts “' + cell.innerText + '”');
    return wrong;
})"""


_WITH_TABLES = (
    "/?unit=360313",
    "/funding?unit=360313",
    "/staffing?unit=360313",
    "/findings?unit=360313",
    "/findings?unit=360313&money=yuan",
    "/submissions?unit=360313",
    "/policy",
    "/township?unit=360313105",
    "/editions",
)


@pytest.mark.parametrize("path", _WITH_TABLES)
def test_no_table_scrolls_sideways_on_a_telephone(chromium: Any, served: Served, path: str) -> None:
    with visiting(chromium, served.base, viewport=PHONE) as visit:
        page = visit.go(path)
        page.wait_for_selector(".ag-cell")
        fitted(page)
        assert not page.evaluate(_TABLES)


@pytest.mark.parametrize("width", [1024, 1440])
def test_no_table_scrolls_sideways_on_a_desk(chromium: Any, served: Served, width: int) -> None:
    with visiting(chromium, served.base, viewport={"width": width, "height": 900}) as visit:
        for path in _WITH_TABLES:
            page = visit.go(path)
            page.wait_for_selector(".ag-cell")
            fitted(page)
            wrong = page.evaluate(_TABLES)
            assert not [told for told in wrong if "sideways" in told], path


def test_one_high_bar_does_not_flatten_the_others() -> None:
    months = [date(2025, number, 1) for number in range(1, 13)]
    values = [3, 4, 2, 272, 5, 3, 4, 2, 3, 5, 4, 3]
    drawn = figures.month_bars(months, [("新增", values, "#000")], "light", ["/"] * 12)
    assert max(drawn["data"][0]["y"]) < 10
    assert drawn["data"][0]["text"][3] == "272 ↑"
    assert "272" in drawn["data"][0]["hovertext"][3]
    even = figures.month_bars(months, [("新增", [30, 40, 25] * 4, "#000")], "light", ["/"] * 12)
    assert even["data"][0]["y"] == [30, 40, 25] * 4


def test_funds_that_do_not_add_up_have_a_sum_each(
    visit: Visit, sql: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    of_each = dict(
        sql.execute(
            "select fund_name, sum(initial_cny) from fund_ledger_monthly where starts_with(township_code, '360313') "
            "and month = '2025-12-01' group by fund_name having count(*) > 1"
        ).fetchall()
    )
    of_all = sql.execute(
        "select sum(initial_cny) from fund_ledger_monthly where starts_with(township_code, '360313') "
        "and month = '2025-12-01'"
    ).fetchall()[0][0]
    assert of_all not in of_each.values()
    page = visit.go("/sources?unit=360313&month=2025-12&money=yuan")
    below = page.inner_text("[data-name='funds'] .ag-floating-bottom")
    assert all(name in below and show.money(value, "yuan") in below for name, value in of_each.items())
    assert show.money(of_all, "yuan") not in below
    _saved(page, "[data-download='funds'][data-format='xlsx']", tmp_path / "t.xlsx")
    formulas, stored = (
        openpyxl.load_workbook(tmp_path / "t.xlsx", data_only=stored).active for stored in (False, True)
    )
    heads = next(row for row in formulas.iter_rows() if row[0].value == "乡镇")
    fund, initial = (
        next(cell.column for cell in heads if str(cell.value).startswith(name))
        for name in ("资金项目", "年初预算")
    )
    rows = [row[0].row for row in formulas.iter_rows() if row[0].value == "合计"]
    assert {
        formulas.cell(row, fund).value: Decimal(str(stored.cell(row, initial).value)) for row in rows
    } == of_each
    assert all(str(formulas.cell(row, initial).value).startswith("=SUMPRODUCT(") for row in rows)
