"""Each expectation over landed data with a row that fails it, and with figures missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from oversight.contracts import DATASETS
from oversight.quality.suites import SuiteResult
from tests.quality.conftest import Judge
from tests.quality.world import HEBEI, JIANGXI, MONTHS, NINGXIA, World

DECEMBER, JANUARY, FEBRUARY, MARCH = MONTHS

Change = Callable[[World], None]


def change(table: str, code: str, month: dt.date | None = None, **values: Any) -> Change:
    def apply(world: World) -> None:
        world.row(table, code, month).update(values)

    return apply


def both(*changes: Change) -> Change:
    def apply(world: World) -> None:
        for each in changes:
            each(world)

    return apply


def failures(result: SuiteResult) -> dict[str, list[tuple[str | None, dt.date | None]]]:
    """The failed expectations with the (subject, month) they flag."""
    return {
        name: sorted(group.select("subject_code", "month").iter_rows(), key=str)
        for (name,), group in result.flags.group_by("expectation")
    }


def all_months(world: World, table: str, code: str, column: str, figures: list[Any]) -> None:
    for month, figure in zip(MONTHS, figures, strict=True):
        world.row(table, code, month)[column] = figure


def submissions(**values: Any) -> Change:
    def apply(world: World) -> None:
        world.tables["submissions"][0].update(values)

    return apply


FAULTS: list[tuple[str, Change, dict[str, list[tuple[Any, Any]]]]] = [
    (
        "population",
        change("population", JIANGXI, MARCH, deaths_persons=11),
        {"population_month_end_follows_from_changes": [(JIANGXI, MARCH)]},
    ),
    (
        "population",
        both(
            change("population", JIANGXI, MARCH, population_persons=22_001, moved_in_persons=2_006),
        ),
        {"population_no_sudden_jump": [(JIANGXI, MARCH)]},
    ),
    (
        "population",
        change("population", JIANGXI, JANUARY, households_count=20_001),
        {"population_households_fit": [(JIANGXI, JANUARY)]},
    ),
    (
        "population",
        change("population", JIANGXI, DECEMBER, resident_population_persons=2_000_001),
        {
            "population_resident_population_persons_plausible": [(JIANGXI, DECEMBER)],
            "population_resident_population_persons_unit_right_against_own": [(JIANGXI, DECEMBER)],
        },
    ),
    (
        "population",
        lambda world: all_months(world, "population", JIANGXI, "households_count", [6_000, 6_000, 50, 6_000]),
        {"population_households_count_unit_right_against_own": [(JIANGXI, FEBRUARY)]},
    ),
    (
        "population",
        change("population", JIANGXI, MARCH, population_persons=None, households_count=None),
        {"population_population_persons_reported": [(JIANGXI, MARCH)]},
    ),
    (
        "population",
        change("population", JIANGXI, MARCH, reported_name="豫海镇"),
        {"population_name_agrees_with_code": [(JIANGXI, MARCH)]},
    ),
    (
        "population",
        change("population", JIANGXI, MARCH, township_code="360313199"),
        {
            "population_unit_is_known": [("360313199", MARCH)],
            "population_reported_every_month": [(JIANGXI, MARCH)],
        },
    ),
    (
        "population",
        lambda world: world.drop("population", HEBEI, FEBRUARY),
        {"population_reported_every_month": [(HEBEI, FEBRUARY)]},
    ),
    (
        "budget",
        change(
            "budget", JIANGXI, FEBRUARY, disbursed_cumulative_cny=Decimal("11200.01"), spent_month_cny=None
        ),
        {"budget_disbursed_cumulative_is_sum_of_months": [(JIANGXI, FEBRUARY)]},
    ),
    (
        "budget",
        change("budget", JIANGXI, FEBRUARY, spent_cumulative_cny=Decimal("11199.99")),
        {"budget_spent_cumulative_is_sum_of_months": [(JIANGXI, FEBRUARY)]},
    ),
    (
        "budget",
        both(
            change("budget", JIANGXI, JANUARY, disbursed_month_cny=None),
            change("budget", JIANGXI, MARCH, disbursed_cumulative_cny=Decimal("11199.99")),
            *(change("budget", JIANGXI, m, spent_month_cny=None, spent_cumulative_cny=None) for m in MONTHS),
        ),
        {
            "budget_disbursed_cumulative_never_falls": [(JIANGXI, MARCH)],
        },
    ),
    (
        "budget",
        both(
            *(change("budget", JIANGXI, m, spent_month_cny=None) for m in MONTHS),
            change("budget", JIANGXI, MARCH, spent_cumulative_cny=Decimal("11199.99")),
        ),
        {"budget_spent_cumulative_never_falls": [(JIANGXI, MARCH)]},
    ),
    (
        "budget",
        change("budget", JIANGXI, MARCH, adjusted_budget_cny=Decimal("16799.99")),
        {"budget_disbursed_within_budget": [(JIANGXI, MARCH)]},
    ),
    (
        "budget",
        both(
            *(change("budget", JIANGXI, m, spent_month_cny=None) for m in MONTHS),
            change("budget", JIANGXI, MARCH, spent_cumulative_cny=Decimal("16800.01")),
        ),
        {"budget_spent_within_disbursed": [(JIANGXI, MARCH)]},
    ),
    (
        "budget",
        both(*(change("budget", JIANGXI, m, initial_budget_cny=Decimal("67300")) for m in (FEBRUARY, MARCH))),
        {"budget_initial_stays_within_year": [(JIANGXI, FEBRUARY)]},
    ),
    (
        "budget",
        change("budget", JIANGXI, MARCH, **dict.fromkeys(DATASETS["budget"].any_of)),
        {"budget_anything_reported": [(JIANGXI, MARCH)]},
    ),
    (
        "budget",
        change("budget", JIANGXI, DECEMBER, initial_budget_cny=Decimal("672000000")),
        {
            "budget_initial_budget_cny_plausible": [(JIANGXI, DECEMBER)],
            "budget_initial_budget_cny_unit_right_against_own": [(JIANGXI, DECEMBER)],
            "budget_initial_budget_cny_unit_right_against_peers": [(JIANGXI, DECEMBER)],
        },
    ),
    (
        "staffing",
        change("staffing", JIANGXI, MARCH, villages_with_assistant_count=11),
        {"staffing_assistants_within_villages": [(JIANGXI, MARCH)]},
    ),
    (
        "staffing",
        change("staffing", JIANGXI, MARCH, dedicated_staff_persons=6),
        {"staffing_dedicated_within_posts": [(JIANGXI, MARCH)]},
    ),
    (
        "staffing",
        change("staffing", JIANGXI, MARCH, part_time_persons=-1),
        {"staffing_part_time_persons_plausible": [(JIANGXI, MARCH)]},
    ),
    (
        "staffing",
        change("staffing", JIANGXI, MARCH, dedicated_staff_persons=None),
        {"staffing_dedicated_staff_persons_reported": [(JIANGXI, MARCH)]},
    ),
    (
        "indicators",
        change("indicators", JIANGXI, indicator_text=None, indicator_value=None),
        {"indicators_value_reported": [(JIANGXI, MARCH)]},
    ),
    (
        "indicators",
        change("indicators", JIANGXI, indicator_text="-1", indicator_value=Decimal("-1")),
        {"indicators_value_not_negative": [(JIANGXI, MARCH)]},
    ),
    (
        "divisions",
        change("divisions", JIANGXI, parent_code="640324"),
        {"divisions_code_fits_parent": [(JIANGXI, None)]},
    ),
    (
        "divisions",
        change("divisions", JIANGXI, valid_from=dt.date(2020, 1, 1), valid_to=dt.date(2020, 1, 1)),
        {"divisions_dates_in_order": [(JIANGXI, None)]},
    ),
    (
        "divisions",
        change("divisions", JIANGXI, successor_code=f"{NINGXIA}；360313198"),
        {"divisions_successor_known": [(JIANGXI, None)]},
    ),
    (
        "divisions",
        change("divisions", "360313", division_code="36031"),
        {"divisions_code_well_formed": [("36031", None)]},
    ),
    ("submissions", submissions(rows_rejected=1), {"submissions_no_row_is_lost": [(None, MARCH)]}),
    (
        "submissions",
        submissions(rows_held=None),
        {"submissions_counts_not_missing": [(None, MARCH)]},
    ),
    ("submissions", submissions(status="lost"), {"submissions_status_known": [(None, MARCH)]}),
    ("submissions", submissions(status="refused"), {"submissions_file_was_used": [(None, MARCH)]}),
    (
        "submissions",
        lambda world: world.tables["population"].pop() and None,
        {"submissions_accepted_rows_are_kept": [(None, MARCH)]},
    ),
]


@pytest.mark.parametrize(
    ("suite", "apply", "expected"), FAULTS, ids=["+".join(expected) for _, _, expected in FAULTS]
)
def test_the_fault_is_flagged_and_nothing_else(
    suite: str, apply: Change, expected: dict[str, list[tuple[Any, Any]]], judge: Judge
) -> None:
    world = World()
    apply(world)
    assert failures(judge(world, suite)) == expected


@pytest.mark.parametrize("suite", ["population", "budget", "staffing"])
def test_missing_figures_fail_completeness_alone(suite: str, judge: Judge) -> None:
    """A township that leaves every cell blank violates no identity and no bound."""
    world = World()
    for row in world.tables[suite]:
        if row["township_code"] == JIANGXI:
            row.update(
                {c: None for c in row if c.endswith(("_persons", "_count", "_cny", "_posts", "_separately"))}
            )
    flagged = failures(judge(world, suite))
    assert flagged
    assert all(name.endswith("_reported") for name in flagged)
    assert all(keys == [(JIANGXI, month) for month in MONTHS] for keys in flagged.values())


def test_a_row_without_its_key_is_the_pipelines_fault(judge: Judge) -> None:
    world = World()
    world.row("population", JIANGXI, MARCH)["submission_id"] = None
    result = judge(world, "population")
    assert [e.name for e in result.blocking_failures] == ["population_rows_can_be_traced"]


def test_a_repeated_submission_id_is_the_pipelines_fault(judge: Judge) -> None:
    world = World()
    again = dict(world.tables["submissions"][0], rows_read=0, rows_ignored=0)
    world.tables["submissions"].append(again)
    assert "submissions_id_unique" in [e.name for e in judge(world, "submissions").blocking_failures]


def test_held_rows_are_not_judged(judge: Judge) -> None:
    world = World()
    held = dict(world.row("population", JIANGXI, MARCH), population_persons=200_000_000, row_status="held")
    held["precedence"] = 9
    world.tables["population"].append(held)
    assert judge(world, "population").success


def test_a_correction_is_judged_in_place_of_what_it_corrects(judge: Judge) -> None:
    world = World()
    wrong = world.row("population", JIANGXI, FEBRUARY)
    world.tables["population"].append(dict(wrong, precedence=2))
    wrong["population_persons"] = 3
    assert judge(world, "population").success


@pytest.mark.parametrize(("off_by", "flagged"), [("0.01", True), ("100", False), ("200", True)])
def test_rounded_months_may_miss_their_sum_by_half_a_digit_each(
    off_by: str, flagged: bool, judge: Judge
) -> None:
    """In 万元 with two decimals every figure is a multiple of 100 元; two months and the sum make three of them: 150 元."""
    world = World()
    row = world.row("budget", JIANGXI, FEBRUARY)
    row["disbursed_cumulative_cny"] = Decimal("11200") + Decimal(off_by)
    assert ("budget_disbursed_cumulative_is_sum_of_months" in failures(judge(world, "budget"))) is flagged


@pytest.mark.parametrize("name", ["老关", "湘东区老关镇", " 老 关 镇 ", None, ""])
def test_a_name_written_differently_still_agrees(name: str | None, judge: Judge) -> None:
    world = World()
    world.row("population", JIANGXI, MARCH)["reported_name"] = name
    assert judge(world, "population").success


def test_year_end_identity(judge: Judge) -> None:
    """Twelve months of a year against the December before."""
    world = World()
    template = world.row("population", JIANGXI, DECEMBER)
    for month in range(4, 13):
        world.tables["population"].append(
            dict(template, month=dt.date(2025, month, 1), row_number=900 + month)
        )
    name = "population_year_end_follows_from_changes"
    result = judge(world, "population")
    assert next(e for e in result.expectations if e.name == name).evaluated_count == 1
    assert name not in failures(result)
    world.tables["population"][-1]["population_persons"] = 20_001
    assert failures(judge(world, "population"))[name] == [(JIANGXI, dt.date(2025, 12, 1))]


def test_a_merger_may_move_the_population(judge: Judge) -> None:
    world = World()
    world.row("divisions", HEBEI).update(valid_to=FEBRUARY, successor_code=JIANGXI)
    for month in (FEBRUARY, MARCH):
        world.drop("population", HEBEI, month)
        world.row("population", JIANGXI, month)["population_persons"] = 40_000
    assert judge(world, "population").success


def test_a_flag_says_who_when_what_and_where(judge: Judge) -> None:
    world = World()
    change("staffing", JIANGXI, MARCH, villages_with_assistant_count=11)(world)
    flag = judge(world, "staffing").flags.to_dicts()[0]
    source = world.row("staffing", JIANGXI, MARCH)
    assert flag["message_zh"] == "老关镇（360313105）2025年3月：已配备协理员的村（社区）11 个，多于总数 10 个"
    assert (flag["value"], flag["expected"]) == ("11", "不大于 10")
    assert flag["kind"] == "doubt"
    assert (flag["submission_id"], flag["sheet"], flag["row_number"]) == (
        source["submission_id"],
        "Sheet1",
        source["row_number"],
    )
