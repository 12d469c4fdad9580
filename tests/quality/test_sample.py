"""The real sample, published: the suites' flags and the warehouse's answers name the same townships."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest


@pytest.fixture(scope="module")
def warehouse(request: pytest.FixtureRequest) -> duckdb.DuckDBPyConnection:
    try:
        edition = request.getfixturevalue("sample_edition")
    except pytest.FixtureLookupError:
        pytest.skip("no sample edition in this checkout")
    return duckdb.connect(str(Path(getattr(edition, "warehouse", edition))), read_only=True)


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> set[tuple[object, ...]]:
    return set(connection.cursor().execute(query).fetchall())


@pytest.mark.parametrize(
    ("table", "rule", "subject"),
    [
        ("judgements", "rule_id", "subject_code"),
        ("funding_gap_monthly", "standard_id", "township_code"),
        ("staffing_gap_monthly", "standard_id", "township_code"),
    ],
)
def test_flags_are_the_rows_that_are_short(
    table: str, rule: str, subject: str, warehouse: duckdb.DuckDBPyConnection
) -> None:
    flagged = rows(
        warehouse,
        "select distinct standard_id, subject_code, month from quality.suite_flags "
        f"where suite = '{table}' and kind = 'short'",
    )
    short = rows(warehouse, f"select {rule}, {subject}, month from main.{table} where status = 'short'")
    assert flagged == short
    assert short


def test_no_flag_says_that_the_pipeline_is_wrong(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert rows(warehouse, "select * from quality.suite_flags where kind = 'blocking'") == set()
