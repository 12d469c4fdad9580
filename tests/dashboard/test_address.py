"""The address is the whole view: edition, month, filters, how a table is sorted; old editions open and are compared."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import duckdb
import pytest

from oversight.dashboard.access import EVERYTHING
from oversight.dashboard.elements import plain
from oversight.dashboard.pages import pages
from oversight.dashboard.state import read_state
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Warehouse
from oversight.editions import find_edition
from oversight.editions.publish import point
from oversight.settings import DataFolder
from tests.dashboard.browsing import Visit, needs_chromium, serving, until, visiting

pytestmark = needs_chromium
UNIT = "360313101"


@dataclass
class TwoEditions:
    """A served folder with two editions; in the newer one UNIT was allocated 100 元 more in the last month."""

    base: str
    old: str
    new: str
    month: date


@pytest.fixture(scope="module")
def two(dashboard_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoEditions]:
    """Two editions, served."""
    folder = DataFolder.at(tmp_path_factory.mktemp("two"))
    shutil.copytree(dashboard_folder.marts, folder.marts, symlinks=True)
    old = find_edition(folder)
    new = old.path.parent / f"{old.edition_id}-2"
    shutil.copytree(old.path, new)
    connection = duckdb.connect(str(new / "warehouse.duckdb"))
    connection.execute("update edition set edition_id = ?, built_at = built_at + interval 1 day", [new.name])
    month = connection.execute("select max(month) from funding_gap_monthly").fetchall()[0][0]
    connection.execute(
        "update funding_gap_monthly set allocated_annual_cny = allocated_annual_cny + 100 "
        "where township_code = ? and month = ?",
        [UNIT, month],
    )
    connection.close()
    point(folder, new.name)
    with serving(folder) as running:
        yield TwoEditions(running.base, old.edition_id, new.name, month)


@pytest.fixture
def visit(chromium: Any, two: TwoEditions) -> Iterator[Visit]:
    """A desktop browser on the folder with two editions."""
    with visiting(chromium, two.base) as opened:
        yield opened


def _query(page: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_edition_and_tables_stand_in_the_address() -> None:
    state = read_state("/findings", '?edition=20250610-1&unit=360313&g.findings={"s":[["x","asc"]]}')
    assert state.edition == "20250610-1"
    assert read_state("/findings", "?" + state.query()) == state
    # The edition goes along to other pages; a table's own order stays with its page.
    assert state.href("/funding") == "/funding?edition=20250610-1&unit=360313"
    assert state.href(edition="", unit="").startswith("/findings?g.findings=")
    assert read_state("/", "?edition=../../etc").edition == ""
    assert "不是版本号" in read_state("/", "?edition=../../etc").unread[0]


@pytest.mark.parametrize(
    ("search", "unit", "words"),
    [
        ("?unit=360313101000", "360313101", ""),
        # A code of a province, city or county written with all its noughts is the same code.
        ("?unit=360313000000", "360313", ""),
        ("?unit=360000000", "360000", ""),
        ("?unit=000000000000", "", ""),
        ("?unit=360313101201", "360313101", "是村或社区，以下为所在的乡镇"),
        ("?unit=360313&unit=640324", "640324", "“单位”写了几个，以下用最后一个“640324”"),
        ("?month=2025-08&month=2025-01", "", "“月份”写了几个，以下用最后一个“2025-01”"),
        ("?status=met&status=short", "", "“status”写了几个，以下用最后一个“short”"),
        ("?unit=360313&unit=360313", "360313", ""),
        ("?money=dollars", "", "金额单位“dollars”不是 wan（万元）或 yuan（元），以下为万元"),
    ],
)
def test_what_an_address_says_twice_or_nobody_understands_is_told(search: str, unit: str, words: str) -> None:
    state = read_state("/", search)
    assert state.unit == unit
    assert words in "；".join(state.unread)
    assert bool(words) is bool(state.unread)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/findings?status=bogus", "网址中的“状态”没有“bogus”这一项"),
        ("/funding?rule=NOPE", "网址中的“分档标准”没有“NOPE”这一项"),
        ("/staffing?topic=nope&status=nope", "网址中的“主题”没有“nope”这一项；网址中的“状态”没有"),
        ("/compare?by=nothing", "网址中的“比什么”没有“nothing”这一项"),
        ("/compare?units=360313,640324&metric=nope", "网址中的“走势画什么”没有“nope”这一项"),
        ("/policy?rule=Z-99", "没有编号为 Z-99 的标准"),
        # The choice, as it is drawn, is what can be shown: the address is not changed for it, nor the notice lost.
        (
            "/compare?units=360313,999999,abc,640324",
            "没有区划代码为 999999 的单位，或您无权查看；没有区划代码为 abc",
        ),
    ],
)
def test_a_choice_that_is_not_offered_is_told(visit: Visit, address: str, words: str) -> None:
    page = visit.go(address)
    # A filter that has been drawn tells what it chose within a second.
    page.wait_for_timeout(1500)
    visit.drawn()
    assert words in page.inner_text("#content .notice")


@pytest.mark.parametrize(
    ("state", "is_told"),
    [
        ('{"s":5}', True),
        ('{"c":7}', True),
        ('{"f":"x"}', True),
        ("[1]", True),
        ("rubbish", True),
        ('{"f":{"gone":{"filterType":"text","type":"equals","filter":"x"}}}', True),
        ('{"f":{"adequacy_pct":{"filterType":"number","type":"lessThan","filter":"abc"}}}', True),
        ('{"s":[["gone","asc"]]}', True),
        ('{"s":[["township_name","up"]]}', True),
        (
            '{"f":{"adequacy_pct":{"filterType":"number","type":"lessThan","filter":90}},"s":[["township_name","desc"]]}',
            False,
        ),
    ],
)
def test_what_an_address_says_of_a_table_and_nobody_understands_is_told(
    visit: Visit, state: str, is_told: bool
) -> None:
    page = visit.go(f"/funding?unit=360313&g.townships={quote(state)}")
    until(page, "document.querySelector(\"[data-grid='townships'][data-fitted]\")")
    assert ("认不出的没有照办" in page.inner_text("[data-name='townships'] .grid-foot")) is is_told
    # The table goes on as any other: what is sorted now stands in the address.
    page.locator("[data-name='townships'] .ag-header-cell[col-id='status'] .ag-header-cell-label").click()
    until(page, 'decodeURIComponent(location.search).includes(\'"status","asc"\')')


def test_what_the_pages_link_to_is_offered(visit: Visit) -> None:
    page = visit.go("/policy?rule=A-08")
    assert page.locator("[data-name='rule'] .button-row a").count() == 0
    page = visit.go("/policy?rule=A-06")
    links = [link.get_attribute("href") for link in page.locator("[data-name='rule'] .button-row a").all()]
    assert len(links) >= 2
    for link in links:
        assert visit.go(str(link)).locator("#content .notice").count() == 0


def test_a_link_that_is_copied_holds_edition_and_month(visit: Visit, two: TwoEditions) -> None:
    page = visit.go("/funding?unit=360313")
    until(page, "location.search.includes('month=')")
    assert _query(page) == {"unit": "360313", "month": f"{two.month:%Y-%m}"}
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="复制本页链接").click()
    page.wait_for_selector(".toast")
    copied = urlsplit(page.evaluate("navigator.clipboard.readText()"))
    assert parse_qs(copied.query)["edition"] == [two.new]
    assert parse_qs(copied.query)["month"] == [f"{two.month:%Y-%m}"]


def test_an_old_edition_opens_and_says_so(visit: Visit, two: TwoEditions, tmp_path: Path) -> None:
    page = visit.go(f"/funding?edition={two.old}&unit=360313")
    notice = page.inner_text(".notice-edition")
    assert two.old in notice
    assert "不是当前版本" in notice
    with page.expect_download() as started:
        page.locator("[data-download='townships'][data-format='csv']").click()
    path = tmp_path / "table.csv"
    started.value.save_as(path)
    assert two.old in list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))[-1][0]
    page.get_by_role("link", name="人员与能力").click()
    page.wait_for_url("**/staffing**")
    visit.drawn()
    assert _query(page)["edition"] == two.old
    page.get_by_role("link", name="此后有何变化").click()
    page.wait_for_url("**/editions**")
    # The address changes before anything is drawn: the page before still stands there.
    until(page, "of => document.querySelector('#content').innerText.includes(of)", f"{two.old} → {two.new}")
    told = visit.drawn().inner_text("#content")
    assert "变动 +0.01" in told
    assert "有变动的乡镇" in told


def test_an_edition_that_is_gone_is_told(visit: Visit, two: TwoEditions) -> None:
    page = visit.go("/?edition=20990101-000000")
    assert "没有版本 20990101-000000" in page.inner_text(".notice")
    assert two.new in page.inner_text("#edition-mark")
    page = visit.go("/editions?older=20990101-000000")
    assert "已经清理" in page.inner_text("#content")


def test_the_page_of_editions_leads_to_each(visit: Visit, two: TwoEditions) -> None:
    page = visit.go("/editions")
    page.get_by_role("link", name=two.old, exact=True).click()
    page.wait_for_url(f"**edition={two.old}**")
    visit.drawn()
    assert two.old in page.inner_text(".notice-edition")


_ROWS = """async () => {
    const api = await dash_ag_grid.getApiAsync({name: 'townships', type: 'grid'});
    const rows = [];
    api.forEachNodeAfterFilterAndSort(node => rows.push(node.id));
    return rows;
}"""


def _json(rows: list[str]) -> str:
    return json.dumps(rows, separators=(",", ":"))


def test_sorting_filters_and_columns_outlive_reload_and_unit(visit: Visit) -> None:
    page = visit.go("/funding?unit=360313")
    before = page.evaluate(_ROWS)
    # Of the columns for which there is room, the last is taken away.
    gone = page.evaluate(
        """async () => {
            const api = await dash_ag_grid.getApiAsync({name: 'townships', type: 'grid'});
            const last = api.getAllDisplayedColumns().at(-1).getColId();
            api.applyColumnState({state: [{colId: 'population_persons', sort: 'asc'}]});
            api.setFilterModel({guaranteed_annual_cny: {filterType: 'number', type: 'greaterThan', filter: 5}});
            api.setColumnsVisible([last], false);
            return last;
        }"""
    )
    until(page, f"location.search.includes('{gone}')")
    chosen = page.evaluate(_ROWS)
    assert 0 < len(chosen) <= len(before)
    assert chosen != before
    state = f"""async () => {{
        const api = await dash_ag_grid.getApiAsync({{name: 'townships', type: 'grid'}});
        return [api.getFilterModel(), api.getColumn('{gone}').isVisible()];
    }}"""
    page.reload()
    visit.drawn()
    until(page, f"async chosen => JSON.stringify(await ({_ROWS})()) === chosen", arg=_json(chosen))
    assert page.evaluate(state)[1] is False
    # 5 万元 stays 5 万元 when the page goes over to 元.
    page.get_by_text("元", exact=True).click()
    page.wait_for_url("**money=yuan**")
    visit.drawn()
    until(page, f"async chosen => JSON.stringify(await ({_ROWS})()) === chosen", arg=_json(chosen))
    assert page.evaluate(state)[0]["guaranteed_annual_cny"]["filter"] == 50_000


def test_a_township_explains_the_rule_that_its_address_names(warehouse: Warehouse) -> None:
    def explained(search: str) -> tuple[str, dict[str, str], str]:
        state = read_state("/township", f"?unit=360313102&month=2025-12{search}")
        cards = plain(pages()["/township"].render(View(warehouse, EVERYTHING, state, "light")))
        card = next(card for card in cards if card["props"].get("data-name") == "explained")
        links: dict[str, str] = {}

        def walk(node: Any) -> None:
            if isinstance(node, dict):
                href = str(node["props"].get("href", ""))
                if href.startswith("/township?") and "why=" in href:
                    links[node["props"]["children"].split()[0]] = href
                walk(node["props"].get("children"))
            elif isinstance(node, list):
                for item in node:
                    walk(item)

        walk(card)
        return json.dumps(card, ensure_ascii=False, default=str), links, card["props"].get("data-opened", "")

    told, others, opened = explained("")
    # The funds first; the others are links with their status, and each opens by its own.
    assert "A-10 " in told
    assert not opened
    assert len(others) > 5
    assert "A-10" not in others
    assert others["A-06"] == "/township?unit=360313102&month=2025-12&why=A-06"
    told, others, opened = explained("&why=A-06")
    assert opened == "A-06"
    assert "A-10" in others
    assert "A-06" not in others
    assert "没有对规则 Z-99 的判定" in explained("&why=Z-99")[0]
