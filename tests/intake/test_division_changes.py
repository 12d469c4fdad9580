"""The Ministry's yearly lists of changed codes, read by the same machinery, feed the history of units."""

from __future__ import annotations

import re

import polars as pl
import pytest

from oversight.settings import PROJECT_ROOT
from tests.intake.world import World, csv_bytes, population_rows, xlsx_bytes

DATA = PROJECT_ROOT.parent / "shared" / "data"
WORKBOOK = DATA / "messy_inputs" / "yescallop_sub-county-diff_2014-2023.xlsx"
EXPECTED = DATA / "divisions" / "subcounty_changes_2014_2023_long.csv"


@pytest.mark.skipif(not WORKBOOK.is_file(), reason="the public workbook lies beside the project, not in it")
def test_a_real_messy_workbook_comes_out_row_for_row(world: World) -> None:
    """Ten sheets, 5,068 merged ranges, headers on rows 2 to 5, a sheet without 省份, footnotes, text for codes."""
    world.put("变更.xlsx", WORKBOOK.read_bytes())
    world.take_in()
    assert world.balanced()
    columns = {
        "year": "change_year",
        "seq": "sequence_no",
        "province_cell": "province_name",
        "old_code9": "old_code",
        "old_name": "old_name",
        "reason": "reason",
        "new_code9": "new_code",
        "new_name": "new_name",
        "approval_doc": "approval_document",
        "sheet_row": "row_number",
    }

    def spaces(name: str) -> pl.Expr:
        return (
            pl.col(name).cast(pl.String).fill_null("").str.replace_all(r"[\s\u00a0]+", " ").str.strip_chars()
        )

    expected = pl.read_csv(EXPECTED, infer_schema=False).select(spaces(n).alias(n) for n in columns)
    found = world.read("division_changes").select(spaces(n).alias(o) for o, n in columns.items())
    assert expected.height == 7_644
    assert found.sort(found.columns).equals(expected.sort(expected.columns))


CHANGES = [
    ("2024年行政区划变更情况",),
    ("序号", "原区划代码", "原名称", "变更原因", "现区划代码", "现名称", "批准文件"),
    (1, "360313290", "甲乡", "撤乡设镇", "360313104", "腊市镇", "文1"),
    (2, "360313291", "乙乡", "撤销乡", "360313105", "下埠镇", "文2"),
    (3, "360313292", "丙乡", "", "360313105", "下埠镇", "文2"),
]


def test_codes_no_longer_in_the_table_are_followed_where_certain(world: World) -> None:
    world.put("变更.xlsx", xlsx_bytes({"2024": CHANGES}))
    world.put(
        "人口.csv", csv_bytes(population_rows("2025-06", {"360313290": 1, "360313291": 2, "360313299": 3}))
    )
    world.take_in()
    assert world.population() == {("360313104", "2025-06"): [1]}
    assert world.read("population")["doubts"].to_list() == ["D01"]
    errors = {r["value"]: (r["error_code"], r["message_zh"]) for r in world.rejected("人口.csv")}
    assert errors["360313291"][0] == "R09"
    assert re.search("2024年.*下埠镇", errors["360313291"][1])
    assert errors["360313299"][0] == "R08"
