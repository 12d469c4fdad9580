"""Who has reported, when, and who has not: every township in force in every month, for each dataset."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from tests.dbt.world import World, month

TOWNSHIP = "36031310{}"


def came(number: int, first: date | None, **counts: Any) -> dict[str, Any]:
    return {
        "dataset": "population",
        "month": month("2025-06"),
        "township_code": TOWNSHIP.format(number),
        "first_received_on": first,
        "last_received_on": first,
        "is_dated": True,
        "files_count": 1 if first else 0,
        "accepted_count": 1 if first else 0,
        "held_count": 0,
        "rejected_count": 0,
    } | counts


@pytest.fixture(scope="module")
def status(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, str], str]:
    world = World()
    world.unit("360313", "区")
    for number in range(7):
        world.unit(TOWNSHIP.format(number))
    world.unit("360313109", valid_to=date(2025, 6, 15))
    for when in ("2025-05", "2025-06", "2025-12"):
        world.report("population", TOWNSHIP.format(0), when, population_persons=20_000)
    world.delivered = [
        came(0, date(2025, 7, 5)),
        came(1, date(2025, 7, 6)),
        came(2, date(2025, 7, 3), files_count=2, accepted_count=2),
        came(3, None, held_count=1),
        came(4, None, rejected_count=1),
        came(6, date(2025, 7, 6), is_dated=False),
    ]
    world.due = [
        {"dataset": "population", "month": month("2025-06"), "due_on": date(2025, 7, 5)},
        # The edition is made on 5 January 2026.
        {"dataset": "population", "month": month("2025-12"), "due_on": date(2026, 1, 5)},
        # Due within its own month, and nobody has reported anything of it.
        {
            "dataset": "staffing",
            "month": month("2026-01"),
            "due_on": date(2026, 1, 4),
            "makes_rows": True,
        },
    ]
    built = world.build(tmp_path_factory.mktemp("status"))
    with duckdb.connect(str(built), read_only=True) as connection:
        rows = connection.execute(
            "select township_code, strftime(month, '%Y-%m'), dataset, status from detail.submission_status"
        ).fetchall()
    assert len(rows) == len({row[:3] for row in rows})
    return {(code, when, dataset): told for code, when, dataset, told in rows}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "on_time"),
        (1, "late"),
        (2, "corrected"),
        (3, "refused"),
        (4, "refused"),
        (5, "missing"),
        (6, "undated"),
    ],
)
def test_what_came_is_told_by_its_day_and_its_fate(
    status: dict[tuple[str, str, str], str], number: int, expected: str
) -> None:
    assert status[TOWNSHIP.format(number), "2025-06", "population"] == expected


def test_nothing_is_missing_before_its_day_or_without_one(status: dict[tuple[str, str, str], str]) -> None:
    assert status[TOWNSHIP.format(5), "2025-12", "population"] == "not_due"
    assert status[TOWNSHIP.format(5), "2025-06", "budget"] == "not_due"


def test_a_silent_month_has_rows_where_the_folder_wants_them(status: dict[tuple[str, str, str], str]) -> None:
    assert status[TOWNSHIP.format(5), "2026-01", "staffing"] == "missing"
    assert status[TOWNSHIP.format(5), "2026-01", "population"] == "not_due"


def test_only_units_in_force_owe_a_report(status: dict[tuple[str, str, str], str]) -> None:
    assert ("360313109", "2025-05", "population") in status
    assert ("360313109", "2025-06", "population") not in status
