"""What the pages say, read in a real browser and compared with the edition."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from pypdf import PdfReader

from oversight import presentation as show
from oversight.dashboard.pages import pages
from oversight.dashboard.warehouse import Warehouse
from oversight.editions import find_edition
from oversight.editions.publish import point
from oversight.metrics import METRICS
from oversight.settings import DataFolder
from tests.dashboard.browsing import DESKTOP, PHONE, Served, Visit, needs_chromium, serving, until, visiting

pytestmark = needs_chromium

TOWN = "360313105"
# Every page there is, and some of them with what only an address can ask for.
ADDRESSES = [
    *pages(),
    "/?unit=360313",
    "/?unit=130000",
    "/funding?unit=640324&money=yuan",
    f"/township?unit={TOWN}",
    "/policy?rule=A-10",
]


def text(page: Any, selector: str) -> str:
    """The text of one element, without blanks at the ends."""
    return str(page.locator(selector).first.inner_text()).strip()


def kpi(page: Any, name: str) -> str:
    """The figure on a card."""
    return text(page, f"[data-name='{name}'] .kpi-value")


def one(sql: duckdb.DuckDBPyConnection, query: str, *values: Any) -> Any:
    """The one value of a query."""
    row = sql.execute(query, list(values)).fetchone()
    assert row is not None
    return row[0]


def grid_cells(page: Any, name: str) -> list[dict[str, str]]:
    """Every row the grid has, as the reader sees it, all columns and pages included."""
    return list(
        page.evaluate(
            """async name => {
                const api = await dash_ag_grid.getApiAsync({name, type: 'grid'});
                const rows = [];
                api.forEachNodeAfterFilterAndSort(node => rows.push(node.data));
                return rows;
            }""",
            name,
        )
    )


def serious(page: Any) -> list[Any]:
    """What axe-core finds that keeps people out."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        (violation["id"], violation["impact"], [node["target"] for node in violation["nodes"]][:4])
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


# Each theme and each width once; `make test-views` reads figures and labels in every combination. On the desktop one comes
# to a page by its place in the navigation, where it has one, else by its address.
@pytest.mark.parametrize(
    ("viewport", "theme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"]
)
def test_every_page_is_drawn_without_an_error(
    chromium: Any, served: Served, viewport: Any, theme: str
) -> None:
    with visiting(chromium, served.base, viewport=viewport, theme=theme) as visit:
        by_navigation = [path for path, item in pages().items() if item.in_navigation]
        if viewport == DESKTOP:
            page = visit.go("/")
            titles = [title.strip() for title in page.locator(".nav-link").all_inner_texts()]
            assert titles == [pages()[path].title for path in by_navigation]
        for address in [*by_navigation, *(path for path in ADDRESSES if path not in by_navigation)]:
            if viewport == DESKTOP and address in by_navigation:
                place = by_navigation.index(address)
                page.locator(".nav-link").nth(place).click()
                until(page, f"document.querySelectorAll('.nav-link')[{place}].classList.contains('is-here')")
                visit.drawn()
            else:
                page = visit.go(address)
            assert page.locator("#content h1").count() == 1, address
            assert "没能显示" not in page.inner_text("#content"), address
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= viewport["width"], f"{address} is wider than the screen"
            found = serious(page)
            assert not found, (address, found)
            # Chinese throughout: no English word but formats, units of the system and codes.
            # Names of editions and of returned workbooks have letters of their own.
            shown = re.sub(
                r"_退回_[a-p]+\.xlsx|\d{8}-\d{6}-[0-9a-f]{8}(-\d+)?", "", page.inner_text("#content")
            )
            # What one writes SQL with is English.
            words = set() if address == "/sql" else set(re.findall(r"[A-Za-z]{3,}", shown))
            assert words <= {
                "Excel",
                "CSV",
                "Word",
                "PDF",
                "report",
                "review",
                "issue",
                "month",
                "provisional",
                "xlsx",
                "csv",
                "xls",
                "raw",
                "oversight",
                "run",
                "corrections",
                "receipts",
                "JPEG",
                "policy",
                "docx",
                "pdf",
                "txt",
                "html",
            }, (
                address,
                words,
            )


# Places without a standard: tests/dashboard/test_matrix.py.
@pytest.mark.parametrize("unit", ["000000", "360313", "640000"])
def test_cards_show_the_roll_ups(
    visit: Visit, sql: duckdb.DuckDBPyConnection, warehouse: Warehouse, unit: str
) -> None:
    """Every card that bears a metric's key shows the roll-up's figure, on every page that has such cards."""
    cursor = sql.execute(
        "select * from detail.unit_monthly where unit_code = ? and month = ?", [unit, warehouse.months[-1]]
    )
    names = [item[0] for item in cursor.description or ()]
    row = dict(zip(names, cursor.fetchall()[0], strict=True))
    seen = set()
    for path in ("/", "/funding", "/submissions"):
        page = visit.go(f"{path}?unit={unit}" if unit != "000000" else path)
        for card in page.locator(".kpi[data-name]").all():
            name = card.get_attribute("data-name")
            if name in METRICS:
                seen.add(name)
                shown = card.locator(".kpi-value").inner_text().strip()
                assert shown == METRICS[name].text(row), (path, name)
                assert card.locator(".kpi-label").inner_text().strip() == METRICS[name].title
    assert len(seen) > 10


def test_where_no_standard_applies_the_page_says_so(visit: Visit) -> None:
    """河北省's townships all reported; that no funding standard covers them is not silence."""
    page = visit.go("/?unit=130000")
    for key in ("guaranteed_of_judged_cny", "allocated_of_judged_cny", "disbursed_of_complete_cny"):
        assert kpi(page, key) == "无适用标准"
    assert "没有适用的经费标准" in page.inner_text("#content")
    assert "未报" not in page.inner_text("[data-name='units'] .ag-body")
    page = visit.go("/?unit=640324")
    assert kpi(page, "staff_shortfall_of_judged_persons") == "无适用标准"
    # Nor are there axes with nothing on them.
    page = visit.go("/funding?unit=130000")
    assert page.locator("#content .js-plotly-plot").count() == 0
    assert page.inner_text("#content").count("没有适用的经费标准") == 3


def test_township_table_equals_sql(
    visit: Visit, sql: duckdb.DuckDBPyConnection, warehouse: Warehouse
) -> None:
    page = visit.go("/funding?unit=360313&money=yuan")
    shown = {row["_id"]: row for row in grid_cells(page, "townships")}
    expected = sql.execute(
        "select township_code, township_name, population_persons, guaranteed_annual_cny, allocated_annual_cny, "
        "allocation_shortfall_cny, disbursed_ytd_cny, adequacy_pct, status from funding_gap_monthly "
        "where month = ? and starts_with(township_code, '360313')",
        [warehouse.months[-1]],
    ).fetchall()
    assert len(shown) == len(expected)
    for code, name, population, guaranteed, allocated, short, paid, rate, status in expected:
        row = shown[code]
        assert row["township_name"] == name
        assert row["population_persons"] == show.count(population)
        assert row["guaranteed_annual_cny"] == show.money(guaranteed, "yuan")
        assert row["allocated_annual_cny"] == show.money(allocated, "yuan")
        assert row["allocation_shortfall_cny"] == show.money(short, "yuan")
        assert row["disbursed_ytd_cny"] == show.money(paid, "yuan")
        # A rate beside 100 is read with as many places as tell it from 100.
        assert row["adequacy_pct"] == show.percent(show.rate(rate, allocated, guaranteed), 2)
        assert row["status"] == show.status_label(status)


def test_worked_figures_at_the_edges_are_shown(visit: Visit) -> None:
    page = visit.go("/funding?unit=360313&money=yuan")
    near = {(row["township_name"], row["bound"]): row for row in grid_cells(page, "near")}
    assert near["东桥镇", "20,000"]["guaranteed_annual_cny"] == "67,200.00"
    assert near["腊市镇", "20,000"]["guaranteed_annual_cny"] == "52,802.64"
    assert near["荷尧镇", "50,000"]["guaranteed_annual_cny"] == "131,997.36"
    assert near["下埠镇", "50,000"]["guaranteed_annual_cny"] == "108,000.00"
    assert near["东桥镇", "20,000"]["is_on_tier_edge"].startswith("是")


def test_findings_equal_sql(visit: Visit, sql: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> None:
    month = warehouse.months[-1]
    page = visit.go("/findings")
    open_now = one(
        sql,
        "select count(*) from findings where status in ('short', 'not_reported', 'unconfirmed')",
    )
    assert kpi(page, "findings_未了问题") == show.count(open_now)
    new = one(sql, "select count(*) from findings where opened_month = ?", month)
    assert kpi(page, "findings_本月新增") == show.count(new)
    assert f"共 {show.count(open_now)} 条" in page.inner_text("[data-name='findings']")


def test_submissions_equal_sql(visit: Visit, sql: duckdb.DuckDBPyConnection) -> None:
    page = visit.go("/submissions")
    files = one(sql, "select count(*) from submissions")
    assert kpi(page, "files_count") == show.count(files)
    assert len(grid_cells(page, "files")) == min(files, 300)
    rows = one(
        sql,
        "select count(*) from (select distinct submission_id, sheet, row_number from rejected_rows "
        "where disposition = 'rejected')",
    )
    assert kpi(page, "rejected_count") == show.count(rows)


def test_a_township_is_explained_down_to_the_row(visit: Visit, sql: duckdb.DuckDBPyConnection) -> None:
    page = visit.go(f"/township?unit={TOWN}")
    content = page.inner_text("#content")
    file, sheet, row = sql.execute(
        "select s.file_name, r.sheet, r.row_number from reported.budget as r "
        "join submissions as s using (submission_id) where r.township_code = ? and r.is_current "
        "order by r.month desc limit 1",
        [TOWN],
    ).fetchone() or ("", "", 0)
    assert file in content
    assert f"第 {row} 行" in content
    assert str(sheet) in content
    assert "民法典" in content


def test_drill_down_by_list_chart_crumb_and_address(visit: Visit) -> None:
    page = visit.go("/funding?month=2025-06")
    page.get_by_label("下钻至").first.click()
    page.get_by_role("option", name="江西省").click()
    page.wait_for_url("**unit=360000**")
    visit.drawn()
    assert "month=2025-06" in page.url
    assert "江西省" in text(page, "h1")
    for name, unit in (("萍乡市", "360300"), ("湘东区", "360313")):
        page.get_by_label("下钻至").first.click()
        page.get_by_role("option", name=name).click()
        page.wait_for_url(f"**unit={unit}**")
        visit.drawn()
    page.get_by_role("link", name="江西省").click()
    page.wait_for_url("**unit=360000**")
    page.go_back()
    page.wait_for_url("**unit=360313**")
    visit.drawn()
    assert "湘东区" in text(page, "h1")
    # The same address in a fresh page shows the same.
    before = grid_cells(page, "townships")
    page.reload()
    visit.drawn()
    assert grid_cells(page, "townships") == before


def test_a_click_in_a_chart_filters_the_page(visit: Visit) -> None:
    page = visit.go("/funding?unit=360313")
    # Charts are drawn one after another; the one that is clicked must be there with its data.
    plot = "[...document.querySelectorAll('.js-plotly-plot')].find(p => p.data?.[0]?.name === '全年应保障')"
    until(page, f"Boolean({plot}?.emit)")
    page.evaluate(
        f"""() => {{
            const plot = {plot};
            const data = plot.data[0];
            plot.emit('plotly_click', {{points: [{{customdata: data.customdata[3], curveNumber: 0, pointNumber: 3,
                data, x: data.x[3], y: data.y[3]}}], event: {{}}}});
        }}"""
    )
    page.wait_for_url("**month=2024-04**")
    # The address changes before the page does.
    until(page, "document.querySelector('h1')?.innerText.includes('2024年4月')")
    visit.drawn()


def test_a_real_click_on_a_unit_drills_down(visit: Visit) -> None:
    page = visit.go("/?unit=360313")
    point = page.locator(".js-plotly-plot .scatterlayer .trace .points path").last
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    until(page, "document.querySelectorAll('.js-plotly-plot .hoverlayer .hovertext').length > 0")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**/township?**")
    visit.drawn()
    assert "360313" in page.url


def test_money_unit_is_switched_everywhere(
    visit: Visit, sql: duckdb.DuckDBPyConnection, warehouse: Warehouse
) -> None:
    page = visit.go("/")
    page.get_by_text("元", exact=True).last.click()
    page.wait_for_url("**money=yuan**")
    # The address is there first, and for a moment the page as it was.
    until(page, "[...document.querySelectorAll('.kpi-unit')].some(seen => seen.textContent.trim() === '元')")
    visit.drawn()
    total = one(
        sql,
        "select guaranteed_of_judged_cny from detail.unit_monthly where unit_code = '000000' and month = ?",
        warehouse.months[-1],
    )
    assert kpi(page, "guaranteed_of_judged_cny") == show.money(total, "yuan")
    assert "万元" not in page.inner_text("[data-name='units'] .ag-header")


def test_downloads_hold_what_is_shown(
    visit: Visit, sql: duckdb.DuckDBPyConnection, warehouse: Warehouse, tmp_path: Path
) -> None:
    page = visit.go("/funding?unit=360313&money=yuan")
    with page.expect_download() as started:
        page.locator("[data-download='townships'][data-format='xlsx']").click()
    path = tmp_path / "table.xlsx"
    started.value.save_as(path)
    assert started.value.suggested_filename == f"乡镇经费明细_湘东区_2025-12_{warehouse.edition_id}.xlsx"
    sheet = openpyxl.load_workbook(path).active
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    top = next(number for number, row in enumerate(cells) if row[0] == "乡镇名称")
    heads = cells[top]
    name, amount = heads.index("乡镇名称"), heads.index("应保障（年）（元）")
    expected = dict(
        sql.execute(
            "select township_name, guaranteed_annual_cny from funding_gap_monthly "
            "where month = ? and starts_with(township_code, '360313')",
            [warehouse.months[-1]],
        ).fetchall()
    )
    found = {row[name]: row[amount] for row in cells[top + 1 : top + 1 + len(expected)]}
    assert {key: round(value * 100) for key, value in found.items()} == {
        key: int(value * 100) for key, value in expected.items()
    }
    assert str(cells[-1][0]).startswith("来源：")
    assert warehouse.edition_id in str(cells[-1][0])
    assert any("金额单位：元" in str(row[0]) for row in cells[:top])

    with page.expect_download() as started:
        page.locator("[data-download='townships'][data-format='csv']").click()
    path = tmp_path / "table.csv"
    started.value.save_as(path)
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    top = next(number for number, row in enumerate(rows) if row[0] == "乡镇名称")
    index = rows[top].index("应保障（年）（元）")
    assert {row[0]: row[index] for row in rows[top + 1 : -1]} == {
        key: f"{value:f}" for key, value in expected.items()
    }


def test_a_download_follows_filter_and_columns(visit: Visit, tmp_path: Path) -> None:
    page = visit.go("/funding?unit=360313")
    # Of the columns for which there is room, the last.
    gone, title, stays = page.evaluate(
        """async () => {
            const api = await dash_ag_grid.getApiAsync({name: 'townships', type: 'grid'});
            const [before, last] = api.getAllDisplayedColumns().slice(-2);
            api.setFilterModel({status: {filterType: 'text', type: 'equals', filter: '不达标'}});
            api.setColumnsVisible([last.getColId()], false);
            return [last.getColId(), last.getColDef().headerName, before.getColDef().headerName];
        }"""
    )
    # A table filters in its own time, and where others take the machine that may be long.
    until(page, "decodeURIComponent(location.search).includes('不达标')")
    until(page, f"location.search.includes('{gone}')")
    shown = [row["township_name"] for row in grid_cells(page, "townships")]
    assert 0 < len(shown) < 11
    with page.expect_download() as started:
        page.locator("[data-download='townships'][data-format='csv']").click()
    path = tmp_path / "table.csv"
    started.value.save_as(path)
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
    top = next(number for number, row in enumerate(rows) if row[0] == "乡镇名称")
    assert [row[0] for row in rows[top + 1 : -1]] == shown
    heads = {head.partition("(")[0] for head in rows[top]}
    assert stays in heads
    assert title not in heads


def test_columns_can_be_chosen_by_keyboard(visit: Visit) -> None:
    page = visit.go("/funding?unit=360313")
    button = page.locator("[data-columns='townships']")
    button.focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("dialog", name="选择要显示的列")
    box.wait_for()
    box.get_by_label("县级名称").uncheck()
    until(
        page, "!document.querySelector(\"[data-name='townships'] .ag-header\").innerText.includes('县级名称')"
    )
    page.keyboard.press("Escape")
    assert page.locator(".column-menu").count() == 0
    assert button.evaluate("element => element === document.activeElement")


def test_filters_and_sorting_hold_for_all_rows_of_a_long_table(
    visit: Visit, sql: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """More findings than are sent: what is shown, counted and taken away is chosen from all of them."""
    page = visit.go("/findings?status=all")
    total = one(sql, "select count(*) from findings")
    assert total > 300
    assert f"共 {show.count(total)} 条，此处显示前 300 条" in page.inner_text("[data-name='findings']")
    last = one(sql, "select max(opened_month) from findings")
    page.evaluate(
        """async () => {
            const api = await dash_ag_grid.getApiAsync({name: 'findings', type: 'grid'});
            api.applyColumnState({state: [{colId: 'opened_month', sort: 'desc'}]});
        }"""
    )
    until(
        page,
        """async text => {
            const api = await dash_ag_grid.getApiAsync({name: 'findings', type: 'grid'});
            const row = api.getDisplayedRowAtIndex(0);
            return row && row.data.opened_month === text;
        }""",
        arg=show.month(last),
    )
    page.evaluate(
        """async () => {
            const api = await dash_ag_grid.getApiAsync({name: 'findings', type: 'grid'});
            api.setFilterModel({
                subject_name: {filterType: 'text', type: 'contains', filter: '镇'},
                status: {filterType: 'text', type: 'equals', filter: '已整改'},
            });
        }"""
    )
    expected = sql.execute(
        "select finding_id from findings where status = 'cleared' and contains(split_part(message_zh, '：', 1), '镇')"
    ).fetchall()
    until(
        page,
        "text => document.querySelector(\"[data-name='findings'] .grid-count\").innerText.startsWith(text)",
        arg=f"符合筛选的 {show.count(len(expected))} 条",
    )
    shown = {row["_id"] for row in grid_cells(page, "findings")}
    assert shown <= {row[0] for row in expected}
    assert len(shown) == min(len(expected), 300)
    with page.expect_download() as started:
        page.locator("[data-download='findings'][data-format='csv']").click()
    path = tmp_path / "table.csv"
    started.value.save_as(path)
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
    top = next(number for number, row in enumerate(rows) if row[0] == "单位")
    assert len(rows) - top - 2 == len(expected)


def test_keyboard_reaches_content_and_focus_is_kept(visit: Visit) -> None:
    page = visit.go("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    field = page.get_by_label("统计截至").first
    field.click()
    page.get_by_role("option", name="2025年11月").click()
    page.wait_for_url("**month=2025-11**")
    visit.drawn()
    until(page, "document.activeElement.id.includes('month')")


def test_theme_is_switched_and_kept(visit: Visit) -> None:
    page = visit.go("/")
    page.get_by_label("切换深色、浅色").click()
    until(page, "document.documentElement.dataset.theme === 'dark'")
    visit.drawn()
    page.reload()
    visit.drawn()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 22, 31)"


def test_a_page_can_be_printed(visit: Visit) -> None:
    page = visit.go("/?unit=360313")
    page.emulate_media(media="print")
    assert not page.locator(".nav").is_visible()
    assert not page.locator(".filters").is_visible()
    assert page.locator("h1").is_visible()
    data = page.pdf(format="A4")
    assert data.startswith(b"%PDF")
    assert len(data) > 20_000
    box = re.search(rb"/MediaBox ?\[0 0 (\d+)[.\d]* (\d+)", data)
    assert box is not None
    assert (int(box[1]), int(box[2])) in {(594, 841), (595, 842), (595, 841), (594, 842)}


def test_a_table_is_printed_whole_with_its_headings_on_every_sheet(
    visit: Visit, sql: duckdb.DuckDBPyConnection
) -> None:
    page = visit.go("/funding")
    until(page, "document.querySelectorAll('[data-watched]').length > 0")
    until(page, "document.querySelectorAll(\"[data-name='townships'] .ag-row\").length > 0")
    sheets = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    # A reader of PDF gives some characters as the radicals that look like them, but not these.
    assert sum("年度安排" in re.sub(r"\s", "", sheet.extract_text()) for sheet in sheets) > 1
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    printed = page.locator(
        "[data-name='townships'] table.paper tbody tr:not(.sum) td:first-child"
    ).all_inner_texts()
    named = sql.execute(
        "select township_name from funding_gap_monthly where month = (select max(month) from funding_gap_monthly)"
    ).fetchall()
    assert len(named) > 40
    assert sorted(printed) == sorted(name for (name,) in named)
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    # Back on the screen it is the grid again.
    assert page.locator("table.paper").count() == 0


def test_the_choice_of_the_standard_and_everybody_near_an_edge_are_there(
    visit: Visit, sql: duckdb.DuckDBPyConnection, warehouse: Warehouse
) -> None:
    page = visit.go("/funding")
    assert page.get_by_label("分档标准").first.is_visible()
    shown = {row["township_name"] for row in grid_cells(page, "near")}
    expected = sql.execute(
        "select distinct f.township_name from funding_gap_monthly as f inner join standard_tiers as t "
        "on f.standard_id = t.standard_id where f.month = ? "
        "and abs(f.population_persons - t.upper_bound) <= 0.02 * t.upper_bound",
        [warehouse.months[-1]],
    ).fetchall()
    assert shown == {name for (name,) in expected}
    # 2.64 元 short of 52,802.64: the rate must not read as if nothing were missing.
    row = next(row for row in grid_cells(page, "townships") if row["township_name"] == "腊市镇")
    assert row["adequacy_pct"] != "100.00%"


def test_a_card_holds_its_figure(chromium: Any, served: Served) -> None:
    with visiting(chromium, served.base) as visit:
        for address in ("/?money=yuan", "/funding?money=yuan"):
            page = visit.go(address)
            for width in (390, 1024, 1440):
                page.set_viewport_size({"width": width, "height": 900})
                over = page.evaluate(
                    "[...document.querySelectorAll('.kpi')].filter(e => e.scrollWidth > e.clientWidth + 1)"
                    ".map(e => e.innerText)"
                )
                assert not over, (width, address, over)


def test_nothing_found_says_what_to_do(visit: Visit) -> None:
    for address, words in (
        # No standard of funding covers 河北省, so nothing there is short of one.
        ("/findings?severity=low&rule=A-10&unit=130000", "放宽筛选条件"),
        ("/?unit=999999", "没有区划代码为 999999"),
        ("/nowhere", "没有“/nowhere”这个页面"),
        ("/?month=2031-01", "没有2031年1月的数据（现有2024年1月至2025年12月），以下为2025年12月"),
        ("/?month=june", "网址中的月份“june”不是 2025-06 这样的写法，以下为2025年12月"),
        ("/?unit=3603", "网址中的单位“3603”不是 6、9 或 12 位区划代码，以下为全部地区"),
        ("/?month=2024-01", "2024年1月是数据的第一个月，没有上月可比"),
        ("/township?q=没有这个名字", "换一个名称或代码"),
    ):
        page = visit.go(address)
        assert words in page.inner_text("#content"), address


def test_a_new_edition_is_announced_and_never_mixed_in(
    chromium: Any, dashboard_folder: DataFolder, tmp_path: Path
) -> None:
    folder = DataFolder.at(tmp_path)
    shutil.copytree(dashboard_folder.marts, folder.marts, symlinks=True)
    old = find_edition(folder)
    with serving(folder) as running, visiting(chromium, running.base) as visit:
        page = visit.go("/")
        figure = kpi(page, "guaranteed_of_judged_cny")
        new = old.path.parent / f"{old.edition_id}-2"
        shutil.copytree(old.path, new)
        connection = duckdb.connect(str(new / "warehouse.duckdb"))
        connection.execute("update edition set edition_id = ?", [new.name])
        connection.execute(
            "update detail.unit_monthly set guaranteed_of_judged_cny = guaranteed_of_judged_cny + 10000"
        )
        connection.close()
        point(folder, new.name)
        page.evaluate("window.oversightCheckEdition()")
        page.wait_for_selector("#newer:not([hidden])")
        # What the reader does on the open page still speaks of the edition it was opened with.
        page.locator(".nav-link", has_text="经费保障").click()
        page.wait_for_url("**/funding**")
        visit.drawn()
        page.locator(".nav-link", has_text="总览").click()
        visit.drawn()
        until(page, "document.querySelector('h1').innerText.includes('总览')")
        assert kpi(page, "guaranteed_of_judged_cny") == figure
        assert text(page, "#edition-mark .edition-id").endswith(old.edition_id)
        page.get_by_role("button", name="更新到新版本").click()
        until(page, f"document.querySelector('#edition-mark')?.dataset.edition === '{new.name}'")
        visit.drawn()
        assert kpi(page, "guaranteed_of_judged_cny") != figure


def test_before_the_first_edition_the_page_says_what_to_do(chromium: Any, tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    folder.marts.mkdir(parents=True)
    with serving(folder) as running, visiting(chromium, running.base) as visit:
        page = visit.go("/")
        assert "oversight run" in page.inner_text("#content")


def test_pages_and_editions_are_told_over_http(served: Served) -> None:
    answer = json.load(urllib.request.urlopen(served.base + "/edition"))
    assert answer["edition_id"] == find_edition(served.folder).edition_id


def test_findings_and_letters_are_listed_and_what_is_typed_outlives_a_sign_in(visit: Visit) -> None:
    def begin(what: str) -> Any:
        page.locator("#follow-list .follow-open").first.click()
        page.locator("dialog[open] [data-step='remark']").click()
        field = page.locator("dialog[open] textarea")
        field.wait_for()
        assert field.input_value() == what
        return field

    page = visit.go("/follow")
    page.wait_for_selector("#follow-list [data-finding]")
    begin("").fill("已电话核实")
    page.locator("dialog[open] input[type=text]").last.fill("张三")
    page.route("**/follow/act", lambda route: route.fulfill(status=401, body="请先登录。"))
    with page.expect_navigation():
        page.locator("dialog[open] button[type=submit]").click()
    page.unroute("**/follow/act")
    visit.go("/follow")
    page.wait_for_selector("#follow-list [data-finding]")
    begin("已电话核实")
    assert all("401" in line for line in visit.wrong), visit.wrong
    visit.wrong.clear()

    page = visit.go("/letters")
    page.wait_for_selector("#letters-due .note")
    page.wait_for_selector("#letters-list .note")
    assert re.search(r"共 \d+ 件", page.inner_text("#letters-due"))
