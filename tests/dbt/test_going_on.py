"""A build that goes on in the last one's file says what a build from nothing says, whatever came between them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.editions.build import build, build_file, built_from, scratch_file
from oversight.editions.changes import _MONTHLY, EVERYTHING, Inputs, read_inputs, since
from oversight.editions.published import facts_and_fingerprint, tables_of
from oversight.settings import DataFolder
from tests.dbt.world import World, document, month, months, rule, seed_rows

TOWNSHIPS = [f"{county}{n}" for county in ("360313", "640324", "130321") for n in (100, 101, 102, 103)]
VILLAGES = [f"{code}{n}" for code in TOWNSHIPS[:3] for n in ("201", "202")]
INSTITUTIONS = [
    m["measure_code"]
    for m in seed_rows("standard_measures")
    if m["standard_id"]
    in {s["standard_id"] for s in seed_rows("standards") if s["subject_level"] == "institution"}
]
MEASURES = sorted({m["measure_code"] for m in seed_rows("standard_measures")} - set(INSTITUTIONS))


def made_up(chance: random.Random) -> World:
    """Three years of three counties, with all that the rules ask, reported with gaps."""
    world = World(built_at=datetime.fromisoformat("2025-11-03T09:00"))
    for county in ("360313", "640324", "130321"):
        world.unit(county, "区")
    for code in TOWNSHIPS:
        world.unit(code)
    for code in VILLAGES:
        world.unit(code, "村")
    for text in months("2023-01", "2025-10"):
        send(world, chance, text)
        for dataset in ("population", "budget", "staffing"):
            due = date(month(text).year + month(text).month // 12, month(text).month % 12 + 1, 20)
            world.due.append({"dataset": dataset, "month": month(text), "due_on": due})
    return world


def send(world: World, chance: random.Random, text: str) -> None:
    """A month's reports, some missing."""
    for code in TOWNSHIPS:
        if chance.random() < 0.9:
            world.report("population", code, text, population_persons=chance.randrange(10_000, 60_000, 5_000))
            world.delivered.append(_delivery(chance, "population", code, text))
        if chance.random() < 0.9:
            world.report(
                "budget", code, text,
                initial_budget_cny=Decimal(chance.randrange(30_000, 120_000, 10_000)),
                disbursed_month_cny=Decimal(chance.randrange(0, 9_000, 1_000)),
                is_listed_separately=chance.random() < 0.8,
            )  # fmt: skip
        if chance.random() < 0.9:
            world.report(
                "staffing", code, text,
                dedicated_staff_persons=chance.randrange(5), administrative_posts=chance.randrange(3),
                villages_count=6, villages_with_assistant_count=chance.randrange(4, 7),
            )  # fmt: skip
        if chance.random() < 0.3:
            world.indicator(code, text, chance.choice(MEASURES), chance.randrange(4))
        if chance.random() < 0.1:
            world.indicator(
                code, text, chance.choice(INSTITUTIONS), chance.randrange(4), name=f"{code}敬老院"
            )
    for code in VILLAGES:
        if chance.random() < 0.2:
            world.indicator(code, text, chance.choice(MEASURES), chance.randrange(2))


def _delivery(chance: random.Random, dataset: str, code: str, text: str) -> dict[str, object]:
    on = date(month(text).year + month(text).month // 12, month(text).month % 12 + 1, chance.randrange(1, 28))
    counts = {
        "files_count": chance.randrange(1, 3),
        "accepted_count": 1,
        "held_count": 0,
        "rejected_count": 0,
    }
    return {
        "dataset": dataset, "month": month(text), "township_code": code,
        "first_received_on": on, "last_received_on": on, "is_dated": True,
    } | counts  # fmt: skip


# --- what may come between two builds, and from which day on it is to be made anew -------------------------------


def a_month_more(world: World, chance: random.Random) -> None:
    send(world, chance, "2025-11")
    world.built_at = datetime.fromisoformat("2025-12-05T08:00")


def the_first_month_of_a_year(world: World, chance: random.Random) -> None:
    send(world, chance, "2026-01")


def an_old_month_corrected(world: World, _: random.Random) -> None:
    world.report(
        "population", TOWNSHIPS[1], "2024-12",
        population_persons=49_999, submission_id="s2",
    )  # fmt: skip
    # The other file now ranks higher than it did, and says the same.
    for row in (row for rows in world.rows.values() for row in rows):
        row["precedence"] = {"s1": 7, "s2": 9}[row.get("submission_id", "s1")]


def a_figure_held(world: World, chance: random.Random) -> None:
    row = chance.choice([r for r in world.rows["budget"] if r["month"].year == 2024])
    row["row_status"], row["doubts"] = "held", "D01"


def the_clock_alone(world: World, _: random.Random) -> None:
    world.built_at = datetime.fromisoformat("2026-02-01T08:00")


def the_clock_put_back(world: World, _: random.Random) -> None:
    world.built_at = datetime.fromisoformat("2025-11-03T09:00")


def the_last_month_withdrawn(world: World, _: random.Random) -> None:
    last = max(r["month"] for name in world.rows if name != "divisions" for r in world.rows[name])
    for name in ("population", "budget", "staffing", "indicators"):
        world.rows[name] = [r for r in world.rows[name] if r["month"] < last]


def a_second_institution(world: World, _: random.Random) -> None:
    world.indicator(TOWNSHIPS[0], "2026-01", INSTITUTIONS[0], 3, name="另一敬老院")


def a_new_township(world: World, _: random.Random) -> None:
    world.unit("360313104", valid_from=date(2024, 3, 1))


def a_rule_of_ones_own(world: World, _: random.Random) -> None:
    world.own("policy_documents", [document()])
    world.own("standards", [rule("Z-1", formula="floor", unit="人", effective_from="2024-05-01")])
    tier = {
        "standard_id": "Z-1",
        "tier_no": 1,
        "tier_label": "全部",
        "value": 2,
        "unit": "人",
        "quotation": "试",
    }
    world.own("standard_tiers", [tier])
    measure = {"standard_id": "Z-1", "role": "value", "part_no": 1, "measure_code": "dedicated_staff_persons"}
    world.own("standard_measures", [measure])


def nothing(_world: World, _: random.Random) -> None:
    """A run over the same inputs."""


Change = Callable[[World, random.Random], None]
CHANGES: list[tuple[Change, date]] = [
    (a_month_more, date(2025, 1, 1)),
    (the_first_month_of_a_year, date(2025, 1, 1)),
    (nothing, date(2027, 1, 1)),
    (an_old_month_corrected, date(2024, 1, 1)),
    (the_clock_alone, date(2027, 1, 1)),
    (the_clock_put_back, date(2025, 1, 1)),
    (a_figure_held, date(2024, 1, 1)),
]
# A build from nothing costs as much as all that it is compared with. What an earlier change left wrong in the years
# that the next ones leave alone is still wrong at the next comparison; where the next one makes the same years anew and
# nothing would be left to see, it is compared at once.
COMPARED: list[Change] = [the_first_month_of_a_year, an_old_month_corrected, the_clock_alone, a_figure_held]
# What bears on every month; a build after one of these is a build from nothing.
SWEEPING: list[Change] = [a_second_institution, the_last_month_withdrawn, a_new_township, a_rule_of_ones_own]


def test_going_on_says_what_a_build_from_nothing_says(tmp_path: Path) -> None:
    chance = random.Random(4)
    world = made_up(chance)
    going_on, anew = DataFolder(tmp_path / "going on"), DataFolder(tmp_path / "anew")
    world.write(going_on.inputs, going_on)
    build(going_on)

    def goes_on(expected: date, name: str) -> None:
        before = Inputs.read(built_from(going_on))
        world.write(going_on.inputs, going_on)
        build(going_on)
        now = Inputs.read(built_from(going_on))
        assert before is not None
        assert now is not None
        assert since(before, now) == expected, name

    def compared(name: str) -> None:
        world.write(anew.inputs, anew)
        shutil.rmtree(anew.work / "dbt", ignore_errors=True)
        built_from(anew).unlink(missing_ok=True)
        build(anew)
        assert _differing(going_on, anew) == [], name

    for change, expected in CHANGES:
        change(world, chance)
        goes_on(expected, change.__name__)
        if change in COMPARED:
            compared(change.__name__)
    for sweeping in SWEEPING:
        before = read_inputs(going_on.inputs)
        sweeping(world, chance)
        world.write(going_on.inputs, going_on)
        assert since(before, read_inputs(going_on.inputs)) == EVERYTHING, sweeping.__name__
    goes_on(EVERYTHING, "all that bears on every month")
    goes_on(date(2025, 1, 1), "nothing")
    compared("all that bears on every month, and nothing")


def _differing(one: DataFolder, other: DataFolder) -> list[str]:
    first, second = _told(one), _told(other)
    assert len(first) >= 40
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def _told(folder: DataFolder) -> dict[str, str]:
    """What every table says, those between inputs and marts too."""
    found = {}
    for path in (build_file(folder), scratch_file(folder)):
        with duckdb.connect() as connection:
            connection.execute(f"attach '{path}' as made (read_only)")
            connection.execute(f"set file_search_path = '{folder.inputs}'")
            # What is judged anew in one run is all there is of this table.
            tables = tables_of(connection, "made", ("main", "reported", "detail", "intermediate"))
            for (schema, table), columns in tables.items():
                kind = connection.execute(
                    "select count(*) from duckdb_tables() where database_name = 'made' and table_name = ?",
                    [table],
                ).fetchone()
                if kind == (1,):
                    _, found[f"{schema}.{table}"] = facts_and_fingerprint(
                        connection, "made", schema, table, columns
                    )
    return found


def test_a_build_that_did_not_end_is_made_anew(tmp_path: Path) -> None:
    world = World()
    world.unit("360313", "区")
    world.unit("360313100")
    world.report("population", "360313100", "2025-01", population_persons=20_000)
    folder = DataFolder(tmp_path)
    world.write(folder.inputs, folder)
    build(folder)
    assert built_from(folder).is_file()
    with duckdb.connect(str(build_file(folder))) as connection:
        connection.execute("drop table main.funding_gap_monthly")
    with pytest.raises(Exception, match="funding_gap_monthly"):
        build(folder)
    assert not built_from(folder).exists()
    build(folder)
    with duckdb.connect(str(build_file(folder))) as connection:
        assert connection.execute("select count(*) from main.funding_gap_monthly").fetchone() == (1,)


# --- the decision itself ------------------------------------------------------------------------------------------

_YEARS = st.dictionaries(st.sampled_from([str(y) for y in range(2020, 2027)]), st.sampled_from("ab"))
_INPUTS = st.builds(
    Inputs,
    program=st.just("p"),
    timeless=st.just({}),
    years=st.fixed_dictionaries(dict.fromkeys(_MONTHLY, _YEARS)),
    ranked=st.just(["s1"]),
    first_month=st.sampled_from(["", "2021-03-01", "2020-01-01"]),
    last_month=st.just("2026-12-01"),
    first_not_due=st.sampled_from(["", "2022-05-01", "2026-03-01"]),
)


@given(_INPUTS, _INPUTS)
def test_every_year_that_differs_is_made_anew_and_none_before_it(before: Inputs, now: Inputs) -> None:
    first = since(before, now)
    differing = [
        int(year)
        for name in _MONTHLY
        for year in before.years[name].keys() | now.years[name].keys()
        if before.years[name].get(year) != now.years[name].get(year)
    ]
    differing += [int(told.first_not_due[:4]) for told in (before, now) if told.first_not_due]
    assert all(year >= first.year for year in differing)
    if before.first_month != now.first_month:
        differing += [int(told.first_month[:4]) for told in (before, now) if told.first_month]
    if differing:
        assert first == date(min(differing), 1, 1)
    else:
        assert all(int(year) < first.year for years in now.years.values() for year in years)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("program", "q"), ("timeless", {"divisions": "x"}), ("ranked", ["s2", "s1"]), ("last_month", "2025-11-01"),
    ],
)  # fmt: skip
def test_what_bears_on_every_month_makes_everything_anew(column: str, value: object) -> None:
    told = {
        "program": "p", "timeless": {}, "years": {name: {"2025": "a"} for name in _MONTHLY},
        "ranked": ["s1", "s2"], "first_month": "2025-01-01", "last_month": "2025-12-01", "first_not_due": "",
    }  # fmt: skip
    before = Inputs(**told)  # type: ignore[arg-type]
    assert since(before, before) == date(2026, 1, 1)
    assert since(before, Inputs(**(told | {"ranked": ["s1", "s3", "s2"]}))) == date(2026, 1, 1)  # type: ignore[arg-type]
    assert since(before, Inputs(**(told | {column: value}))) == EVERYTHING  # type: ignore[arg-type]
    assert since(None, before) == EVERYTHING


def test_the_years_made_anew_are_those_from_the_day_on_or_all_that_are_told() -> None:
    told = Inputs("p", {}, {}, [], "2023-04-01", "2025-12-01", "")
    assert told.fiscal_years(EVERYTHING) == (2023, 2025)
    assert told.fiscal_years(date(2025, 1, 1)) == (2025, 2025)
    # Of 2022 nobody reports any more: what was built of it goes.
    assert told.fiscal_years(date(2022, 1, 1)) == (2022, 2025)
    # Nothing differs in any month.
    assert told.fiscal_years(date(2026, 1, 1)) == (2026, 2026)
    assert Inputs("p", {}, {}, [], "", "", "").fiscal_years(EVERYTHING) == (1, 1)
