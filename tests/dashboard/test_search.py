"""One search from anywhere: units by name, code, pinyin or former name, clauses, findings, files."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import duckdb
import pypinyin
import pytest
from dash._utils import to_json

from oversight.dashboard import queries
from oversight.dashboard.access import EVERYTHING, Scope
from oversight.dashboard.pages import pages
from oversight.dashboard.spelling import spells
from oversight.dashboard.state import State
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Warehouse
from tests.dashboard.browsing import Visit, needs_chromium, until


@pytest.mark.parametrize(
    ("typed", "name", "is_meant"),
    [
        ("xdz", "湘东镇", True),
        ("xdong", "湘东镇", True),
        ("xiangdongzh", "湘东镇", True),
        ("dongz", "湘东镇", True),
        ("xx", "湘东镇", False),
        # Both readings of a character are meant: 单县 is shàn, 单 alone dān.
        ("shanx", "单县", True),
        ("danx", "单县", True),
        ("nv", "女儿寨乡", True),
    ],
)
def test_a_name_is_spelled(typed: str, name: str, is_meant: bool) -> None:
    assert spells(typed, name) is is_meant


def test_every_name_of_the_sample_is_found_by_its_pinyin_and_initials(warehouse: Warehouse) -> None:
    for unit in queries.named_units(warehouse, EVERYTHING):
        whole = pypinyin.lazy_pinyin(unit.name)
        assert spells("".join(whole), unit.name), unit.name
        assert spells("".join(syllable[0] for syllable in whole), unit.name), unit.name


def test_units_in_reach_are_those_of_the_register(
    warehouse: Warehouse, sql: duckdb.DuckDBPyConnection
) -> None:
    everything = queries.named_units(warehouse, EVERYTHING)
    codes = {unit.code for unit in everything if len(unit.code) == 9}
    assert codes == {row[0] for row in sql.execute("select township_code from townships").fetchall()}
    renamed = sql.execute(
        "select t.township_code, n.township_name from townships t "
        "join townships n on t.successor_code = n.township_code"
    ).fetchall()
    assert renamed
    for code, now in renamed:
        assert next(unit for unit in everything if unit.code == code).now == now
    within = queries.named_units(warehouse, Scope(("360313",)))
    assert {unit.code for unit in within} == {"360000", "360300", "360313"} | {
        code for code in codes if code.startswith("360313")
    }


def _found(warehouse: Warehouse, words: str) -> str:
    state = State("/search", more={"q": words}, month=warehouse.months[-1])
    content = pages()["/search"].render(View(warehouse, EVERYTHING, state, "light"))
    return json.dumps(json.loads(to_json(content)), ensure_ascii=False)


@pytest.mark.parametrize(
    ("words", "section", "said"),
    [
        ("老关", "单位", "老关镇"),
        ("360313103", "单位", "老关镇"),
        ("360313103000", "单位", "老关镇"),
        ("360313000000", "单位", "湘东区"),
        ("lgz", "单位", "老关镇"),
        ("laoguan", "单位", "老关镇"),
        ("湘东 老关", "单位", "老关镇"),
        ("A-10", "政策标准与条文", "A-10 民政所工作经费分档保障"),
        # In the clause, in the clause of a tier alone, in the paper's title.
        ("户籍人口数确定", "政策标准与条文", "二（三）"),
        ("不低于0.22元", "政策标准与条文", "A-10"),
        ("社会救助经办", "政策标准与条文", "秦皇岛市人民政府"),
        ("老关镇 分档", "问题（截至", "老关镇"),
        ("2025年12月", "报送文件", ".xlsx"),
        ("月报", "页面", "/reports"),
    ],
)
def test_each_kind_is_found(warehouse: Warehouse, words: str, section: str, said: str) -> None:
    told = _found(warehouse, words)
    assert section in told
    assert said in told


def test_a_former_name_leads_to_the_unit(warehouse: Warehouse, sql: duckdb.DuckDBPyConnection) -> None:
    for old, now in sql.execute(
        "select t.township_name, n.township_name from townships t join townships n on t.successor_code = n.township_code"
    ).fetchall():
        assert f"现为 {now}" in _found(warehouse, old)


@needs_chromium
def test_from_the_box_in_the_header_to_what_was_found(visit: Visit) -> None:
    page = visit.go("/funding?month=2025-06&unit=360313")
    page.keyboard.press("/")
    page.keyboard.type("xdz")
    page.keyboard.press("Enter")
    # The table that one comes from has a link of the same name.
    until(page, "document.querySelector('#content h1')?.textContent.includes('搜索') ?? false")
    visit.drawn()
    page.get_by_role("link", name="湘东镇", exact=True).first.click()
    page.wait_for_url("**/township**")
    query = parse_qs(urlsplit(page.url).query)
    assert query["unit"] == ["360313101"]
    assert query["month"] == ["2025-06"]
    visit.go("/search?q=协理员")
    found = page.inner_text("#content")
    assert "政策标准与条文" in found
    assert "A-07 每个村（居）配备1名民政协理员" in found
    visit.go("/search?q=模拟数据")
    page.locator("section", has_text="报送文件").get_by_role("link").first.click()
    page.wait_for_url("**/submissions**")
    visit.drawn()
    until(
        page,
        """async () => {
            const api = await dash_ag_grid.getApiAsync({name: 'files', type: 'grid'});
            return api.getDisplayedRowCount() === 1;
        }""",
    )
    visit.go("/search?q=没有这样的词")
    assert "没有找到" in page.inner_text("#content")
