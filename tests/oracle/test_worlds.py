"""Worlds of stories through the whole product, from files to the published edition, held against the oracle.

`OVERSIGHT_SEEDS=7,8,9` tries those seeds instead of the one of every day (`make test-worlds`).
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from oversight.intake import take_in
from oversight.settings import TIME_ZONE, DataFolder
from tests.oracle.compare import differences, read_table
from tests.oracle.figures import Oracle
from tests.oracle.reading import read
from tests.oracle.running import oversight, run
from tests.oracle.stories import world
from tests.oracle.takeovers import world_of_takeovers

SEEDS = [int(seed) for seed in os.environ.get("OVERSIGHT_SEEDS", "1").split(",")]
TRAPS = Path(__file__).parents[3] / "shared" / "cases" / "worlds" / "traps"


def expected(oracle: Oracle) -> dict[str, list[dict[str, Any]]]:
    return {
        "funding_gap_monthly": oracle.funding_gap_monthly(),
        "staffing_gap_monthly": oracle.staffing_gap_monthly(),
        "judgements": oracle.judgements(),
    }


@pytest.mark.skipif(not TRAPS.is_dir(), reason="shared cases absent")
def test_the_oracle_gives_every_cell_of_the_traps() -> None:
    tables = expected(Oracle(read(TRAPS)))
    rows = {(row["township_code"], row["month"]): row for row in tables["funding_gap_monthly"]}
    answers = {(row["subject_code"], row["month"], row["rule_id"]): row for row in tables["judgements"]}
    with (TRAPS / "expected.csv").open(encoding="utf-8-sig", newline="") as handle:
        cells = list(csv.DictReader(handle))
    wrong = []
    for cell in cells:
        code, month, name = cell["township_code"], date.fromisoformat(cell["month"]), cell["column_or_rule"]
        of_a_rule = cell["table"] == "judgements"
        got = answers[code, month, name]["status"] if of_a_rule else _as_text(rows[code, month][name])
        if got != cell["expected"]:
            wrong.append((cell, got))
    assert len(cells) > 100
    assert not wrong, wrong


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{float(value):.2f}" if isinstance(value, Fraction) else str(value)


def check(folder: Path, warehouse: Path, oracle: Oracle | None = None) -> None:
    """The public tables of an edition are what the oracle reads from the same files."""
    problems = []
    oracle = oracle or Oracle(read(folder))
    for table, rows in expected(oracle).items():
        if not rows:
            continue
        found = read_table(warehouse, table, list(rows[0]))
        if table == "judgements":
            asked = {row["rule_id"] for row in rows}
            found = [row for row in found if row["rule_id"] in asked]
        problems.append(differences(table, rows, found, limit=40))
    roll_ups = oracle.unit_monthly()
    found = read_table(warehouse, "detail.unit_monthly", [*roll_ups[0], "unit_level"])
    counties = [{name: row[name] for name in roll_ups[0]} for row in found if row["unit_level"] == "county"]
    problems.append(differences("detail.unit_monthly", roll_ups, counties, limit=40))
    assert not any(problems), "\n".join(filter(None, problems))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], tuple[Path, Oracle]]:
    """A world of a thousand stories by its seed: its folder, and the oracle, which remembers what it worked out."""

    @cache
    def made(seed: int) -> tuple[Path, Oracle]:
        place = tmp_path_factory.mktemp("world")
        world(seed).write(place)
        return place, Oracle(read(place))

    return made


@pytest.mark.parametrize("seed", SEEDS)
def test_a_thousand_stories(told: Callable[[int], tuple[Path, Oracle]], seed: int) -> None:
    place, oracle = told(seed)
    check(place, run(place), oracle)


@pytest.mark.parametrize("seed", SEEDS)
def test_takeovers_upon_takeovers(tmp_path: Path, seed: int) -> None:
    world_of_takeovers(seed, 100 if SEEDS == [1] else 300).write(tmp_path)
    oracle, warehouse = Oracle(read(tmp_path)), run(tmp_path)
    check(tmp_path, warehouse, oracle)
    brought = oracle.brought()
    # Those of whom something is known, and those that told of the month in which they ended, are among them.
    assert len([row for row in brought if row["disbursed_ytd_cny"] is not None]) > 20
    found = read_table(warehouse, "detail.takeovers", list(brought[0]))
    found = [row for row in found if row["since_month"] <= oracle.months[-1]]
    problem = differences("detail.takeovers", brought, found)
    assert not problem, problem


def test_the_order_of_arrival_decides_nothing(tmp_path: Path) -> None:
    """Corrections and the second half first, what they correct and the first half later."""
    made = world(2, 80)

    def comes_first(name: str, row: list[str]) -> bool:
        return "更正" in name or (int(row[1]) + int(row[0][-2:])) % 2 == 0

    made.part("甲", comes_first).write(tmp_path)
    # What came first is only taken in: what a run makes of files that come later is asked by the next test.
    assert take_in(DataFolder.at(tmp_path), now=datetime.now(TIME_ZONE)).new_files
    made.part("乙", lambda name, row: not comes_first(name, row)).write(tmp_path)
    check(tmp_path, run(tmp_path))


def test_what_later_months_leave_standing_is_what_the_oracle_gives(tmp_path: Path) -> None:
    """That it is also what a run from nothing gives, in every table: tests/dagster/test_run.py, tests/dbt/test_going_on.py."""
    made = world(3, 40)
    made.part("甲", lambda _, row: row[0] < "2026").write(tmp_path)
    run(tmp_path)
    # An institution that reports for the first time would make every year anew.
    made.part("乙", lambda name, row: row[0] >= "2026" and name != "能力建设指标").write(tmp_path)
    assert "  2026 年以前各月的输入与上次相同，沿用上次的结果" in oversight("run", "--data", tmp_path)
    check(tmp_path, Path(oversight("path", "--data", tmp_path).strip()))


def test_a_world_has_every_case(told: Callable[[int], tuple[Path, Oracle]]) -> None:
    """What the comparison above rests on: each answer, mark and kind of figure occurs, on both sides of each edge."""
    _, oracle = told(1)
    tables = expected(oracle)
    rows = tables["funding_gap_monthly"]
    seen = Counter((row["status"], row["status_reason"]) for row in rows)
    assert set(seen) == {
        ("met", None),
        ("short", None),
        ("no_standard", None),
        ("not_reported", "missing"),
        ("not_reported", "stale_population"),
        ("not_reported", "too_coarse"),
    }
    for mark in (
        "is_within_precision", "is_tier_uncertain", "includes_predecessors", "population_is_fallback",
        "population_is_stale", "is_on_tier_edge", "disbursed_is_partial", "spent_is_partial",
    ):  # fmt: skip
        assert {True, False} <= {row[mark] for row in rows}, mark
    answers = {(row["rule_id"], row["status"]) for row in tables["judgements"]}
    for rule in ("A-10", "A-10.1", "C-11", "C-11.1", "Y-01", "Y-01.1"):
        assert {(rule, status) for status in ("met", "short", "not_reported")} <= answers
    staff = tables["staffing_gap_monthly"]
    assert {row["status"] for row in staff} == {"met", "short", "over", "not_reported"}
    # People in 万人 on an edge: somebody is not missing only for what was not written.
    known = [row for row in staff if row["status"] == "met" and row["is_tier_uncertain"]]
    assert any(row["counted_persons"] < row["required_min_persons"] for row in known)
    assert any(row["disbursed_ytd_cny"] and row["disbursed_ytd_cny"] < 0 for row in rows)
    assert {1, 10, 100, 1_000} <= {row["allocated_precision_cny"] for row in rows}
    sizes = {row["population_persons"] for row in rows}
    assert {edge + step for edge in (20_000, 30_000, 50_000) for step in (-1, 0, 1)} <= sizes
    assert {len(taken) for taken in oracle.takeovers.values()} >= {1, 2, 3}
