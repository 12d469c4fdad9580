"""Worlds of stories, and the oracle over them and over the shared traps."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.figures import Oracle
from tests.oracle.reading import read
from tests.oracle.stories import world

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


def test_a_world_has_every_case(tmp_path: Path) -> None:
    """What the comparison above rests on: each answer, mark and kind of figure occurs, on both sides of each edge."""
    world(1).write(tmp_path)
    oracle = Oracle(read(tmp_path))
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
    assert {row["status"] for row in tables["staffing_gap_monthly"]} == {
        "met",
        "short",
        "over",
        "not_reported",
    }
    sizes = {row["population_persons"] for row in rows}
    assert {edge + step for edge in (20_000, 30_000, 50_000) for step in (-1, 0, 1)} <= sizes
    assert {len(taken) for taken in oracle.takeovers.values()} >= {1, 2, 3}
