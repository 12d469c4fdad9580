"""What came for whom and when, and when it was due: data for who has not reported."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from oversight.errors import OversightError
from oversight.settings import TIME_ZONE
from oversight.standards import standards_fingerprint
from tests.intake.world import World, csv_bytes, population_rows, xlsx_bytes


def row(world: World, code: str, month: str = "2025-06") -> dict[str, Any]:
    found = {
        (r["township_code"], f"{r['month']:%Y-%m}"): r
        for r in world.read("deliveries").iter_rows(named=True)
        if r["dataset"] == "population"
    }
    return found[code, month]


def test_the_filing_day_counts_before_the_day_of_arrival(world: World) -> None:
    rows = [
        ("2025年6月户籍人口", "填表日期：2025年7月3日"),
        ("区划代码", "乡镇名称", "户籍人口"),
        ("360313101", "湘东镇", 20_000),
    ]
    world.put("a.xlsx", xlsx_bytes(rows))
    world.put("b.csv", csv_bytes(population_rows("2025-06", {"360313102": 30_000})))
    world.take_in()
    assert row(world, "360313101")["first_received_on"] == date(2025, 7, 3)
    assert row(world, "360313102")["first_received_on"] == date(2026, 1, 5)
    # A whole history may have been put in at once: what came with the first run cannot be called late.
    assert row(world, "360313101")["is_dated"]
    assert not row(world, "360313102")["is_dated"]


def test_later_versions_and_rejected_rows_are_counted(world: World) -> None:
    world.put("a.csv", csv_bytes(population_rows("2025-06", {"360313101": 20_000, "360313102": "约三万"})))
    world.take_in()
    world.put("更正.csv", csv_bytes(population_rows("2025-06", {"360313101": 20_010})))
    world.take_in(datetime(2026, 2, 1, tzinfo=TIME_ZONE))
    good, bad = row(world, "360313101"), row(world, "360313102")
    assert (good["files_count"], good["rejected_count"]) == (2, 0)
    assert (good["first_received_on"], good["last_received_on"]) == (date(2026, 1, 5), date(2026, 2, 1))
    assert (bad["accepted_count"], bad["rejected_count"], bad["first_received_on"]) == (0, 1, None)


def test_due_dates_are_data(world: World) -> None:
    world.put("a.csv", csv_bytes(population_rows("2024-12", {"360313101": 20_000})))
    world.put("b.csv", csv_bytes(population_rows("2025-02", {"360313101": 20_000})))
    world.take_in()

    def due() -> dict[tuple[str, str], date]:
        return {(d, f"{m:%Y-%m}"): on for d, m, on, *_ in world.read("due_dates").iter_rows()}

    assert due()["population", "2024-12"] == date(2025, 1, 6)
    assert len(due()) == 9
    before = standards_fingerprint(world.folder)
    world.folder.standards.mkdir()
    own = world.folder.standards / "due_dates.csv"
    own.write_text(
        "dataset,months_after,day,effective_from,note\npopulation,0,31,2025-01-01,当月末\n", "utf-8"
    )
    assert standards_fingerprint(world.folder) != before
    world.take_in()
    assert due()["population", "2025-02"] == date(2025, 2, 28)
    assert ("population", "2024-12") not in due()
    assert due()["budget", "2024-12"] == date(2025, 1, 6)
    own.write_text("dataset,months_after,day\npopulation,一,5\n", "utf-8")
    with pytest.raises(OversightError, match="第 2 行"):
        world.take_in()
