"""Nothing that says who somebody is gets past reading, and an edition with such a thing is not published."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import openpyxl
import pytest

from oversight.contracts import ALL_DATASETS
from oversight.contracts.contract import contract, text
from oversight.editions.verify import personal_in
from oversight.personal import KEPT_BACK, has_right_check_digit, is_of_persons, masked
from tests.conftest import run_oversight

ID, PHONE = "36031319900307123X", "13812345678"


def test_every_column_has_a_class_and_free_text_says_so() -> None:
    for dataset in ALL_DATASETS.values():
        for column in dataset.columns.values():
            assert column.personal in ("none", "free_text"), (dataset.name, column.name)
            may_hold_anything = column.name in ("remark", "indicator_text")
            assert (column.personal == "free_text") == may_hold_anything, (dataset.name, column.name)


@pytest.mark.parametrize("label", ["姓名", "身份证号", "联系电话", "填表人"])
def test_a_column_about_persons_cannot_be_made(label: str) -> None:
    import dataframely as dy

    class Staff(dy.Schema):
        who = text(label, "谁。")

    with pytest.raises(ValueError, match="not collected"):
        contract("staff", "人员", Staff, description_zh="人员。", key=("who",))

    class Other(dy.Schema):
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


def test_what_somebody_writes_into_a_report_reaches_no_table(tmp_path: Path) -> None:
    """A clerk's own columns and remarks with names and numbers, through a whole run of one county."""
    from oversight.settings import PROJECT_ROOT

    raw = tmp_path / "raw"
    raw.mkdir()
    for path in (PROJECT_ROOT / "data" / "raw").rglob("*区划*"):
        if path.is_file():
            (raw / path.name).write_bytes(path.read_bytes())
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "经费"
    heads = ("统计月份", "区划代码", "乡镇名称", "年初预算(元)", "备注", "联系人", "身份证号", "联系电话")
    sheet.append(heads)
    sheet.append(("2025-06", "360313101", "湘东镇", 250000, f"经办人张某 {PHONE} {ID}", "张某某", ID, PHONE))
    sheet.append(("2025-06", "360313102", "荷尧镇", f"张 {ID}", "", "李某某", ID, PHONE))
    book.save(raw / "经费.xlsx")
    done = run_oversight("run", "--data", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    warehouse = next((tmp_path / "marts" / "editions").glob("*/warehouse.duckdb"))
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        told = connection.execute("select remark, other_columns from reported.budget").fetchall()
        assert told
        others = json.loads(told[0][1])
        assert {others[name] for name in ("联系人", "身份证号", "联系电话")} == {KEPT_BACK}
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall():
            whole = str(connection.execute(f'select * from "{schema}"."{table}"').fetchall())
            for word in (ID, PHONE, "张某某", "李某某"):
                assert word not in whole, (schema, table, word)
    for path in [*tmp_path.rglob("*.parquet"), *(tmp_path / ".work").rglob("*.log")]:
        assert ID.encode() not in path.read_bytes(), path
    assert ID not in done.stdout + done.stderr


def test_an_edition_with_such_a_number_is_found() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table findings as select 'x' as finding_id, ? as message_zh", [f"见{ID}。"]
        )
        connection.execute("create table submissions as select ? as sha256, '报表.xlsx' as file_name", [ID])
        tables = {("main", "findings"): [], ("main", "submissions"): []}
        assert personal_in(connection, "memory", tables) == ["main.findings 的 message_zh 列 1 行"]
