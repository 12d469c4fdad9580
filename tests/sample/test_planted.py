"""A run over the committed sample brings out everything that was planted in it."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

from tests.sample.support import generate


@pytest.fixture(scope="module")
def warehouse(sample_edition):
    with duckdb.connect(str(sample_edition.warehouse), read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("item", generate.planted(), ids=lambda item: f"{item['id']} {item['kind']}")
def test_planted(warehouse, item):
    for expected in item["expect"]:
        key, columns = expected["key"], expected["columns"]
        where = " and ".join(f"{c} = ?" for c in key)
        rows = warehouse.execute(
            f"select {', '.join(columns)} from main.{expected['table']} where {where}", list(key.values())
        ).fetchall()
        assert len(rows) == 1, f"{item['what_zh']}: {len(rows)} rows for {key}"
        told = {c: f"{v:.2f}" if isinstance(v, Decimal) else v for c, v in zip(columns, rows[0], strict=True)}
        assert told == columns, f"{item['what_zh']}；{item['outcome_zh']}"


@pytest.mark.parametrize(
    "item",
    [i for i in generate.planted() if i["disposition"]],
    ids=lambda item: f"{item['id']} {item['disposition']}",
)
def test_disposition(warehouse, item):
    files = warehouse.execute(
        "select submission_id, status from main.submissions where file_name like '%' || ?", [item["file"]]
    ).fetchall()
    assert len(files) == 1, item["file"]
    submission, status = files[0]
    if item["disposition"] in ("refused", "duplicate"):
        assert status == item["disposition"]
        return
    place = [submission, item["row"], item["sheet"]]
    refused = warehouse.execute(
        "select disposition from main.rejected_rows"
        " where submission_id = ? and row_number = ? and sheet is not distinct from ?",
        place,
    ).fetchall()
    assert {d for (d,) in refused} == ({item["disposition"]} if item["disposition"] != "accepted" else set())


def test_the_files_that_nothing_is_wrong_with_are_accepted_whole(warehouse):
    troubled = {i["file"] for i in generate.planted() if i["disposition"] not in (None, "accepted")}
    rows = warehouse.execute(
        "select file_name, status, rows_held, rows_rejected from main.submissions"
    ).fetchall()
    odd = [row for row in rows if row[1] != "accepted" and not any(row[0].endswith(f) for f in troubled)]
    assert not odd
    assert len(rows) == len(generate.sample_files())
