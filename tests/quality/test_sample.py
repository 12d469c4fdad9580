"""The real sample, published: the suites and the warehouse's answers name the same townships."""

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


def test_those_that_fall_short_are_not_said_twice(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Great Expectations finds as many as the build calls short in the month reported, and no flag repeats them."""
    assert rows(warehouse, "select * from quality.suite_flags where kind = 'short'") == set()
    found = rows(
        warehouse,
        "select suite, sum(unexpected_count) from quality.suite_results where kind = 'short' group by all",
    )
    short = {
        (f"month_{table}", count)
        for table in ("judgements", "funding_gap_monthly", "staffing_gap_monthly")
        for ((count,),) in [
            rows(
                warehouse,
                f"select count(*) from main.{table} where status = 'short' "
                "and month = (select max(month) from main.funding_gap_monthly)",
            )
        ]
    }
    assert found == short
    assert all(count for _, count in short)


def test_no_flag_says_that_the_pipeline_is_wrong(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert rows(warehouse, "select * from quality.suite_flags where kind = 'blocking'") == set()
