"""Nothing that says who somebody is gets past reading, and an edition with such a thing is not published."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import polars as pl
import pytest

from oversight.contracts import ALL_DATASETS
from oversight.contracts.contract import Schema, contract, text
from oversight.editions.verify import personal_in
from oversight.personal import KEPT_BACK, has_right_check_digit, is_of_persons, masked
from tests.intake.world import World, csv_bytes, xlsx_bytes

ID, PHONE = "36031319900307123X", "13812345678"


def test_every_column_has_a_class_and_free_text_says_so() -> None:
    for dataset in ALL_DATASETS.values():
        for column in dataset.columns.values():
            assert column.personal in ("none", "free_text"), (dataset.name, column.name)
            may_hold_anything = column.name in ("remark", "indicator_text")
            assert (column.personal == "free_text") == may_hold_anything, (dataset.name, column.name)


@pytest.mark.parametrize("label", ["姓名", "身份证号", "联系电话", "填表人"])
def test_a_column_about_persons_cannot_be_made(label: str) -> None:
    class Staff(Schema):
        who = text(label, "谁。")

    with pytest.raises(ValueError, match="not collected"):
        contract("staff", "人员", Staff, description_zh="人员。", key=("who",))

    class Other(Schema):
        who = text("某列", "谁。", personal="person")

    with pytest.raises(ValueError, match="not collected"):
        contract("staff", "人员", Other, description_zh="人员。", key=("who",))


def test_headings_of_counts_are_not_taken_for_persons() -> None:
    for heading in ("民政经办人员数", "出生人数", "户数", "电话费", "联系人数", "民族乡"):
        assert not is_of_persons(heading), heading


def test_numbers_of_persons_are_masked_and_no_others() -> None:
    assert masked(f"{ID}，{PHONE}") == "〔身份证号已隐去〕，〔手机号已隐去〕"
    for plain in ("360313101", "2025-06-30", "123456789.12", "凭证20250601000000001", "13800.00"):
        assert masked(plain) == plain
    assert has_right_check_digit("11010519491231002X")
    assert not has_right_check_digit("110105194912310021")


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_what_somebody_writes_into_a_report_reaches_no_table(tmp_path: Path, kind: str) -> None:
    """A clerk's own columns and remarks with names and numbers: nothing of them in what tables are made from."""
    rows = [
        ("统计月份", "区划代码", "乡镇名称", "年初预算(元)", "备注", "联系人", "身份证号", "联系电话"),
        ("2025-06", "360313101", "湘东镇", 250000, f"经办人张某 {PHONE} {ID}", "张某某", ID, PHONE),
        ("2025-06", "360313102", "荷尧镇", f"张 {ID}", "", "李某某", ID, PHONE),
    ]
    world = World(tmp_path / "data")
    world.put(f"经费.{kind}", xlsx_bytes(rows) if kind == "xlsx" else csv_bytes(rows))
    world.take_in()
    told = world.read("budget").row(0, named=True)
    others = json.loads(told["other_columns"])
    assert {others[name] for name in ("联系人", "身份证号", "联系电话")} == {KEPT_BACK}
    assert told["remark"] == "经办人张某 〔手机号已隐去〕 〔身份证号已隐去〕"
    assert "〔身份证号已隐去〕" in str(world.rejected(f"经费.{kind}"))
    seen = 0
    for path in world.folder.root.rglob("*.parquet"):
        text = str(pl.read_parquet(path).to_dicts())
        seen += len(text)
        for word in (ID, PHONE, "张某某", "李某某"):
            assert word not in text, (path, word)
    assert seen


def test_an_edition_with_such_a_number_is_found() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table findings as select 'x' as finding_id, ? as message_zh", [f"见{ID}。"]
        )
        connection.execute("create table submissions as select ? as sha256, '报表.xlsx' as file_name", [ID])
        tables = {("main", "findings"): [], ("main", "submissions"): []}
        assert personal_in(connection, "memory", tables) == ["main.findings 的 message_zh 列 1 行"]
