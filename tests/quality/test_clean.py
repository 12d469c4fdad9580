"""A world in order: every suite runs, nothing is flagged, every file of the result is there."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from oversight.quality import run_suites
from oversight.quality.expectations import TABLES
from oversight.quality.suites import FLAG_SCHEMA, RESULT_SCHEMA
from tests.quality.conftest import LANDED, MARTS, Judge
from tests.quality.world import World

# Nobody is told how to name a folder.
OUT = "王's 核对 #1"


def test_nothing_is_flagged_in_a_world_in_order(tmp_path: Path) -> None:
    inputs, warehouse = World().write(tmp_path)
    said: list[str] = []
    results = run_suites(inputs, warehouse, tmp_path / OUT, say=said.append)

    months = sorted(f"month_{table}" for table in TABLES)
    assert [r.suite for r in results] == [*LANDED, *MARTS, "agreement", *months]
    flagged = [(r.suite, e.name, e.flagged[:1]) for r in results for e in r.expectations if not e.success]
    assert flagged == []
    assert len(said) == len(results)
    rows = pl.read_parquet(tmp_path / OUT / "suite_results.parquet")
    assert dict(rows.schema) == RESULT_SCHEMA
    assert rows.height == sum(len(r.expectations) for r in results)
    assert rows.get_column("success").all()
    flags = pl.read_parquet(tmp_path / OUT / "suite_flags.parquet")
    assert dict(flags.schema) == FLAG_SCHEMA
    assert flags.is_empty()
    for result in results:
        names = [e.name for e in result.expectations]
        assert len(set(names)) == len(names)
        for e in result.expectations:
            assert all((e.title_zh, e.what_zh, e.why_zh, e.what_to_do_zh)), e.name


@pytest.mark.parametrize("suite", [*LANDED[2:5], *MARTS, "agreement"])
def test_what_is_looked_at_is_counted(suite: str, judge: Judge) -> None:
    if suite != "findings":
        assert max(e.evaluated_count for e in judge(World(), suite).expectations) >= 4
