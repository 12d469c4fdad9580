"""Rows are published as the models leave them: in one order, whatever the order in which the reports came."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from oversight.editions.published import DETAIL, MAIN, REPORTED, quoted, tables_of
from tests.dbt.world import World, months

TOWNSHIP = "360313{}"


def _rows(build: Path) -> dict[str, list[tuple[object, ...]]]:
    with duckdb.connect(str(build), read_only=True) as connection:
        return {
            f"{schema}.{table}": connection.execute(
                f"select {', '.join(map(quoted, columns))} from {schema}.{table}"
            ).fetchall()
            for (schema, table), columns in tables_of(
                connection, build.stem, (MAIN, REPORTED, DETAIL)
            ).items()
        }


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    world.unit("360313", "区")
    for number in range(100, 140):
        code = TOWNSHIP.format(number)
        world.unit(code)
        world.report("population", code, months("2024-01", "2024-12"), population_persons=19_000 + number)
        world.report("staffing", code, months("2024-01", "2024-12"), dedicated_staff_persons=number % 4)
        world.report("budget", code, months("2024-03", "2024-12"), initial_budget_cny=60_000 + number)
        world.indicator(code, ["2024-06", "2024-12"], "A-12", number % 3)
    # Reported twice: the later row of the file counts.
    world.report("population", TOWNSHIP.format(100), "2024-05", population_persons=50_000)
    for rows in world.rows.values():
        for number, row in enumerate(rows):
            row["row_number"] = number
    return world


def test_tables_lie_alike_whatever_the_order_of_the_reports(world: World, tmp_path: Path) -> None:
    first = _rows(world.build(tmp_path / "first"))
    for rows in world.rows.values():
        rows.reverse()
    second = _rows(world.build(tmp_path / "second"))

    assert len(first["main.judgements"]) > 1_000
    assert [name for name in first if first[name] != second[name]] == []


def test_of_two_reports_of_a_month_the_later_one_counts(world: World, tmp_path: Path) -> None:
    build = world.build(tmp_path)
    with duckdb.connect(str(build), read_only=True) as connection:
        found = connection.execute(
            "select population_persons, is_current from reported.population "
            "where township_code = '360313100' and month = date '2024-05-01' order by row_number"
        ).fetchall()
        current = connection.execute("select count(*) from reported.population where is_current").fetchone()
    assert found == [(19_100, False), (50_000, True)]
    assert current == (40 * 12,)
