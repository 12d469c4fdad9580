"""Running one suite over a world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from oversight.quality import agreement, engine
from oversight.quality.frames import Landed
from oversight.quality.landed import landed_suites
from oversight.quality.marts import Warehouse, mart_suites
from oversight.quality.rules import Rules
from oversight.quality.suites import SuiteResult
from tests.quality.world import World

LANDED = ("submissions", "divisions", "population", "budget", "staffing", "indicators")
MARTS = ("townships", "funding_gap_monthly", "staffing_gap_monthly", "judgements", "findings")

Judge = Callable[[World, str], SuiteResult]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Run one suite over a world."""

    def run(world: World, suite: str) -> SuiteResult:
        inputs, warehouse = world.write(tmp_path / f"run{len(list(tmp_path.iterdir()))}")
        landed = Landed(inputs)
        if suite == agreement.SUITE:
            return agreement.judge(warehouse, inputs, landed.names, None)
        makers = dict(zip(LANDED, landed_suites(landed), strict=True))
        makers.update(
            zip(MARTS, mart_suites(landed, Warehouse(warehouse), Rules.of_run(inputs)), strict=True)
        )
        return engine.run(makers[suite](), landed.names)

    return run
