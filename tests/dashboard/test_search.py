"""One search from anywhere: units by name, code, pinyin or former name, clauses, findings, files."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import duckdb
import pypinyin
import pytest

from oversight.dashboard import queries
from oversight.dashboard.access import EVERYTHING, Scope
from oversight.dashboard.spelling import spells
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


@needs_chromium
def test_from_the_box_in_the_header_to_what_was_found(visit: Visit) -> None:
    page = visit.go("/funding?month=2025-06&unit=360313")
    page.keyboard.press("/")
    page.keyboard.type("xdz")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search**")
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
