"""In the scope of one county no query shows a row of another: ten thousand generated queries against an oracle.

The oracle holds the rows of the county as Python picked them out of the edition, one by one, by the rule written
down here a second time; it shares no SQL with the cut.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from oversight.editions import Edition
from oversight.sandbox import Sandbox, scoped_copy
from oversight.sandbox.pool import Limits

QUERIES = 10_000
THROUGH_THE_SANDBOX = 40
PUBLIC = {"standards", "standard_tiers", "policy_documents", "table_changes", "edition"}
CODES = {
    "townships": "township_code",
    "funding_gap_monthly": "township_code",
    "staffing_gap_monthly": "township_code",
    "judgements": "subject_code",
    "findings": "subject_code",
    "reported.population": "township_code",
    "reported.budget": "township_code",
    "reported.staffing": "township_code",
    "reported.indicators": "subject_code",
    "reported.divisions": "division_code",
    "detail.scorecard": "township_code",
    "quality.suite_flags": "subject_code",
}


@dataclass
class Pair:
    """The county's copy, the oracle, and what both hold."""

    county: str
    copy: Path
    cut: duckdb.DuckDBPyConnection
    oracle: duckdb.DuckDBPyConnection
    columns: dict[str, list[tuple[str, str]]]


@pytest.fixture(scope="module")
def pair(sample_edition: Edition, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    source = duckdb.connect(str(sample_edition.warehouse), read_only=True)
    counties = source.execute(
        "select county_code from townships group by 1 having count(*) > 3 order by count(*), 1"
    ).fetchall()
    county = str(counties[0][0])
    assert len(counties) > 1
    oracle = duckdb.connect()
    columns: dict[str, list[tuple[str, str]]] = {}
    for table in sorted(PUBLIC | set(CODES)):
        schema = table.rpartition(".")[0]
        rows = source.execute(f"select * from {table} order by all").fetchall()
        described = source.execute(f"describe {table}").fetchall()
        names = [row[0] for row in described]
        if table in CODES:
            place = names.index(CODES[table])
            rows = [
                row for row in rows if row[place] is not None and str(row[place])[: len(county)] == county
            ]
        if schema:
            oracle.execute(f"create schema if not exists {schema}")
        oracle.execute(f"create table {table} ({', '.join(f'{row[0]} {row[1]}' for row in described)})")
        if rows:
            frame = pl.DataFrame(
                [[str(v) if v is not None else None for v in row] for row in rows],
                schema=dict.fromkeys(names, pl.String),
                orient="row",
            )
            casts = ", ".join(f"cast({row[0]} as {row[1]})" for row in described)
            oracle.register("given", frame.to_arrow())
            oracle.execute(f"insert into {table} select {casts} from given")
        columns[table] = [(row[0], row[1]) for row in described]
    copy = scoped_copy(sample_edition.warehouse, [county], tmp_path_factory.mktemp("scope"))
    cut = duckdb.connect(str(copy), read_only=True)
    yield Pair(county, copy, cut, oracle, columns)
    for connection in (source, oracle, cut):
        connection.close()


def generated(rng: random.Random, columns: dict[str, list[tuple[str, str]]]) -> str:
    """A query over the tables: plain, aggregated, joined, in a union, in a subquery; with a total order."""
    table = rng.choice(sorted(columns))
    names = [name for name, _ in columns[table]]
    numbers = [name for name, kind in columns[table] if kind.startswith(("DECIMAL", "BIGINT", "INTEGER"))]
    picked = rng.sample(names, min(len(names), rng.randint(1, 4)))
    where = rng.choice(
        [
            "true",
            f"{picked[0]} is not null",
            f"{picked[0]} is null or true",
            f"cast({picked[0]} as varchar) like '%{rng.randint(0, 9)}%'",
            f"1 = 1 or cast({picked[0]} as varchar) <> ''",
        ]
    )
    listed = ", ".join(picked)
    shape = rng.randint(0, 6)
    if shape == 0:
        return f"select {listed} from {table} where {where} order by all limit {rng.randint(1, 200)}"
    if shape == 1 and numbers:
        return f"select {picked[0]}, count(*), sum({rng.choice(numbers)}) from {table} where {where} group by 1 order by all"
    if shape == 2:
        return f"select distinct {listed} from {table} where {where} order by all limit 300"
    if shape == 3:
        code = rng.choice(sorted(CODES))
        return (
            f"select t.township_name, count(*) from townships as t inner join {code} as x "
            f"on t.township_code = x.{CODES[code]} group by 1 order by all"
        )
    if shape == 4:
        return f"select count(*), count(distinct {picked[0]}), min({picked[0]}), max({picked[0]}) from {table} where {where}"
    if shape == 5:
        return (
            f"with a as (select {picked[0]} as v from {table} where {where}) "
            f"select cast(v as varchar) as v from a union select township_code from townships order by all limit 500"
        )
    return (
        f"select {picked[0]} from {table} where {picked[0]} in (select {picked[0]} from {table} where {where}) "
        f"order by all limit {rng.randint(1, 100)}"
    )


def outside(rows: list[tuple[Any, ...]], others: set[str]) -> list[Any]:
    return [value for row in rows for value in row if isinstance(value, str) and value in others]


def test_ten_thousand_queries_equal_the_oracle(pair: Pair) -> None:
    rng = random.Random(7)
    for number in range(QUERIES):
        sql = generated(rng, pair.columns)
        assert pair.cut.execute(sql).fetchall() == pair.oracle.execute(sql).fetchall(), (number, sql)


def test_through_the_sandbox_as_well(pair: Pair, sample_edition: Edition) -> None:
    rng = random.Random(11)
    with duckdb.connect(str(sample_edition.warehouse), read_only=True) as source:
        others = {
            row[0]
            for row in source.execute(
                "select township_code from townships where county_code <> ?", [pair.county]
            ).fetchall()
        }
    with Sandbox(Limits(seconds=10, memory_mb=256)) as sandbox:
        for _ in range(THROUGH_THE_SANDBOX):
            sql = generated(rng, pair.columns)
            answer = sandbox.run("county", pair.copy, sql)
            columns = answer.table.columns
            rows = list(zip(*(column.to_pylist() for column in columns), strict=True))
            assert rows == pair.oracle.execute(sql).fetchall()[: len(rows)], sql
        chinese = sandbox.run("county", pair.copy, "select distinct 区划代码 from 经费缺口_月").table
        codes = set(chinese["区划代码"].to_pylist())
        assert codes
        assert not codes & others


def test_no_table_of_the_copy_names_a_unit_of_another_county(pair: Pair, sample_edition: Edition) -> None:
    """Every text of every table, whatever it is called: columns that point elsewhere by their nature left out."""
    pointing = {"successor_code", "population_township_code", "unit_id", "subject_unit", "reported_code"}
    with duckdb.connect(str(sample_edition.warehouse), read_only=True) as source:
        others = {
            row[0]
            for row in source.execute(
                "select township_code from townships where county_code <> ?", [pair.county]
            ).fetchall()
        }
    for schema, table in pair.cut.execute("select schema_name, table_name from duckdb_tables()").fetchall():
        cursor = pair.cut.execute(f'select * from "{schema}"."{table}"')
        names = [item[0] for item in cursor.description or ()]
        kept = [number for number, name in enumerate(names) if name not in pointing]
        rows = [tuple(row[number] for number in kept) for row in cursor.fetchall()]
        assert not outside(rows, others), (schema, table)


def test_an_unknown_table_is_copied_empty(tmp_path: Path) -> None:
    edition = tmp_path / "e1"
    edition.mkdir()
    with duckdb.connect(str(edition / "warehouse.duckdb")) as connection:
        connection.execute(
            "create table townships as select '360313101' as township_code, '甲' as township_name"
        )
        connection.execute("create table novelty as select 'secret' as text")
    copy = scoped_copy(edition / "warehouse.duckdb", ["360313"], tmp_path / "copies")
    with duckdb.connect(str(copy), read_only=True) as connection:
        assert connection.execute("select count(*) from novelty").fetchall() == [(0,)]
        assert connection.execute("select count(*) from townships").fetchall() == [(1,)]
    nobody = scoped_copy(edition / "warehouse.duckdb", [], tmp_path / "copies")
    with duckdb.connect(str(nobody), read_only=True) as connection:
        assert connection.execute("select count(*) from townships").fetchall() == [(0,)]
    assert (
        scoped_copy(edition / "warehouse.duckdb", [""], tmp_path / "copies") == edition / "warehouse.duckdb"
    )
