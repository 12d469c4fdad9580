"""The suites over the marts and over their agreement: a township that falls short stops nothing, a pipeline that went
wrong does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import polars as pl
import pytest

from oversight.quality.agreement import SUITE
from oversight.standards import load_standards
from tests.quality.conftest import MARTS, Judge
from tests.quality.test_landed import failures
from tests.quality.world import HEBEI, JIANGXI, JILIN, MONTHS, NAMES, NINGXIA, Row, World

DECEMBER, JANUARY, FEBRUARY, MARCH = MONTHS


def troubled() -> World:
    """Every way to fall short, to be silent, and to be exactly at the bound."""
    world = World()
    for month in MONTHS:
        world.row("budget", JIANGXI, month).update(initial_budget_cny=Decimal("67199.99"))
    world.row("budget", JIANGXI, MARCH).update(adjusted_budget_cny=Decimal("67200.00"))
    world.row("budget", NINGXIA, FEBRUARY).update(
        disbursed_cumulative_cny=Decimal("6666.66"), is_listed_separately=False
    )
    world.drop("budget", NINGXIA, DECEMBER)
    world.row("staffing", JIANGXI, JANUARY).update(dedicated_staff_persons=1, villages_with_assistant_count=9)
    world.row("staffing", JIANGXI, FEBRUARY).update(dedicated_staff_persons=None, villages_count=None)
    world.row("staffing", JIANGXI, MARCH).update(dedicated_staff_persons=2)
    world.row("staffing", HEBEI, JANUARY).update(dedicated_staff_persons=1, welfare_posts_persons=0)
    world.row("staffing", HEBEI, FEBRUARY).update(dedicated_staff_persons=5)
    world.drop("staffing", HEBEI, MARCH)
    # Five posts in all, but none where two are asked for: short by its parts, though not by the sum.
    world.row("staffing", JILIN, FEBRUARY).update(administrative_posts=5, institution_posts=0)
    world.row("staffing", JILIN, MARCH).update(administrative_posts=0, institution_posts=None)
    return world


def short(judgements: list[Row], month: dt.date) -> set[tuple[object, ...]]:
    return {
        (r["rule_id"], r["subject_code"], month)
        for r in judgements
        if r["month"] == month and r["status"] == "short"
    }


@pytest.mark.parametrize("suite", [*MARTS, SUITE])
def test_whoever_falls_short_stops_nothing(suite: str, judge: Judge) -> None:
    world = troubled()
    assert sum(r["status"] == "short" for r in world.build()["judgements"]) >= 9
    result = judge(world, suite)
    assert [e.name for e in result.expectations if not e.success] == []


def test_a_share_too_near_to_show_as_missing_is_short_all_the_same(judge: Judge) -> None:
    """59,999 of 60,000: less than all, and 1.0000 with four decimals. It stops no publication."""
    world = World()
    row = next(r for r in world.build()["judgements"] if r["rule_id"] == "C-12" and r["month"] == MARCH)
    row.update(status="short", value_checked=Decimal(1), value_expected=Decimal(1), shortfall=Decimal(0))
    row.update(denominator=Decimal(60_000))
    assert judge(world, "judgements").blocking_failures == ()


Fault = Callable[[dict[str, list[Row]]], object]


def funding(code: str, **values: object) -> Fault:
    def apply(marts: dict[str, list[Row]]) -> None:
        next(
            r for r in marts["funding_gap_monthly"] if r["township_code"] == code and r["month"] == MARCH
        ).update(values)

    return apply


def staffing(code: str, **values: object) -> Fault:
    def apply(marts: dict[str, list[Row]]) -> None:
        next(
            r for r in marts["staffing_gap_monthly"] if r["township_code"] == code and r["month"] == MARCH
        ).update(values)

    return apply


def first(mart: str, **values: object) -> Fault:
    def apply(marts: dict[str, list[Row]]) -> None:
        marts[mart][0].update(values)

    return apply


def judgement(marts: dict[str, list[Row]], rule: str) -> Row:
    return next(r for r in marts["judgements"] if r["rule_id"] == rule)


def judged(rule: str, **values: object) -> Fault:
    return lambda marts: judgement(marts, rule).update(values)


def rolled_up(mart: str, level: str, **values: object) -> Fault:
    return lambda marts: next(r for r in marts[mart] if r["unit_level"] == level).update(values)


def finding(**values: object) -> Fault:
    def apply(marts: dict[str, list[Row]]) -> None:
        marts["findings"].append(
            {
                "finding_id": "A-06/x/2025-01",
                "rule_id": "A-06",
                "subject_code": JIANGXI,
                "opened_month": JANUARY,
                "last_month": FEBRUARY,
                "cleared_month": MARCH,
                "months_open": 2,
                **values,
            }
        )

    return apply


WRONG: list[tuple[str, Fault, set[str]]] = [
    ("funding_gap_monthly", funding(JIANGXI, status="short"), {"funding_status_follows_from_figures"}),
    (
        "funding_gap_monthly",
        funding(JIANGXI, allocated_annual_cny=Decimal("67199.99")),
        {"funding_status_follows_from_figures"},
    ),
    (
        "funding_gap_monthly",
        funding(JIANGXI, allocation_surplus_cny=Decimal("0.01")),
        {"funding_surplus_balances"},
    ),
    (
        "funding_gap_monthly",
        funding(JIANGXI, disbursement_shortfall_ytd_cny=Decimal("0.01")),
        {"funding_disbursement_shortfall_is_exact"},
    ),
    (
        "funding_gap_monthly",
        first("funding_pieces", population_persons=19_999),
        {"funding_guarantee_follows_from_tier"},
    ),
    (
        "funding_gap_monthly",
        funding(NINGXIA, population_persons=30_001),
        {"funding_population_lies_in_tier"},
    ),
    (
        "funding_gap_monthly",
        funding(NINGXIA, guaranteed_ytd_cny=Decimal("40000.01")),
        {"funding_ytd_within_year"},
    ),
    ("funding_gap_monthly", lambda m: m["funding_gap_monthly"].pop(), {"funding_has_every_row_once"}),
    (
        "funding_gap_monthly",
        lambda m: m["funding_gap_monthly"].append(dict(m["funding_gap_monthly"][0])),
        {"funding_has_every_row_once"},
    ),
    (
        "funding_gap_monthly",
        lambda m: m["funding_gap_monthly"].append(
            dict(m["funding_gap_monthly"][-1], township_code="360313198")
        ),
        {"funding_has_no_other_row"},
    ),
    ("staffing_gap_monthly", staffing(JIANGXI, status="short"), {"staffing_status_follows_from_figures"}),
    (
        "staffing_gap_monthly",
        staffing(JIANGXI, shortfall_persons=1),
        {"staffing_shortfall_is_exact", "staffing_status_follows_from_figures"},
    ),
    ("staffing_gap_monthly", staffing(HEBEI, advised_most_persons=2), {"staffing_excess_is_exact"}),
    ("staffing_gap_monthly", lambda m: m["staffing_gap_monthly"].pop(), {"staffing_has_every_row_once"}),
    (
        "staffing_gap_monthly",
        lambda m: m["staffing_gap_monthly"].append(dict(m["staffing_gap_monthly"][-1], standard_id="A-06")),
        {"staffing_has_no_other_row"},
    ),
    ("judgements", first("judgements", status="short"), {"judgement_status_follows_from_figures"}),
    ("judgements", lambda m: m["judgements"].append(dict(m["judgements"][0])), {"judgement_given_once"}),
    (
        "judgements",
        first("judgements", value_checked=Decimal(9)),
        {"judgement_shortfall_follows_from_figures"},
    ),
    # Of what is in order row by row only the other tables tell that it is wrong.
    (SUITE, first("judgements", status="not_reported"), {"roll_up_counts_every_judgement"}),
    (SUITE, lambda m: m["judgements"].remove(m["judgements"][0]), {"roll_up_counts_every_judgement"}),
    (
        SUITE,
        judged("A-06", status="short", value_checked=Decimal(1), shortfall=Decimal(1)),
        {"roll_up_counts_every_judgement", "judgements_agree_with_staffing"},
    ),
    (
        SUITE,
        lambda m: m["judgements"].remove(judgement(m, "A-10")),
        {"roll_up_counts_every_judgement", "judgements_agree_with_funding"},
    ),
    (SUITE, rolled_up("unit_rules_monthly", "city", met_count=7), {"unit_rules_monthly_adds_up"}),
    (SUITE, rolled_up("unit_monthly", "country", short_count=1), {"unit_monthly_adds_up"}),
    (
        SUITE,
        rolled_up("unit_monthly", "county", allocated_of_covered_cny=Decimal("0.01")),
        {"unit_monthly_adds_up", "roll_up_counts_every_township"},
    ),
    (SUITE, funding(HEBEI, population_persons=-1), {"funding_population_was_reported"}),
    (SUITE, funding(HEBEI, population_persons=9_999_999), {"funding_population_was_reported"}),
    (SUITE, funding(JIANGXI, adequacy_pct=Decimal(250)), {"funding_adequacy_follows"}),
    (
        SUITE,
        staffing(JIANGXI, counted_persons=50_000),
        {"staffing_counted_within_reported", "judgements_agree_with_staffing"},
    ),
    ("townships", lambda m: m["townships"].append(dict(m["townships"][0])), {"townships_code_once"}),
    ("townships", first("townships", township_code="36031310"), {"townships_code_has_nine_digits"}),
    ("findings", lambda m: [finding()(m), finding(subject_code=HEBEI)(m)], {"findings_id_once"}),
    ("findings", finding(months_open=3), {"findings_months_fit_dates"}),
    ("findings", finding(cleared_month=FEBRUARY), {"findings_cleared_after_last"}),
]


@pytest.mark.parametrize(
    ("suite", "apply", "expected"), WRONG, ids=[f"{s}-{n}-{min(e)}" for n, (s, _, e) in enumerate(WRONG)]
)
def test_a_wrong_mart_is_the_pipelines_fault(
    suite: str, apply: Fault, expected: set[str], judge: Judge
) -> None:
    world = World()
    apply(world.build())
    result = judge(world, suite)
    assert set(failures(result)) == expected
    assert result.blocking_failures


@pytest.mark.parametrize("dataset", ["population", "budget", "staffing"])
def test_a_figure_that_a_report_has_may_be_as_odd_as_it_likes(dataset: str, judge: Judge) -> None:
    """Beyond what the contract calls plausible: a doubt about a report. Beyond it in the build alone: a fault of ours."""
    world = World()
    figure = {
        "population": "resident_population_persons",
        "budget": "spent_month_cny",
        "staffing": "part_time_persons",
    }
    row = world.row(dataset, JIANGXI)
    row[figure[dataset]] = type(row[figure[dataset]])(99_999_999_999)
    assert judge(world, SUITE).blocking_failures == ()
    world.reported[dataset] = [{**each, figure[dataset]: 88_888_888_888} for each in world.tables[dataset]]
    result = judge(world, SUITE)
    assert {e.name: e.unexpected_count for e in result.blocking_failures} == {
        f"{dataset}_figures_keep_their_bounds": len(NAMES) * len(MONTHS),
        # Counted by county.
        f"{dataset}_as_landed": len({code[:6] for code in NAMES}) * len(MONTHS),
    }


@pytest.mark.parametrize("suite", ["staffing_gap_monthly", "judgements"])
def test_people_known_in_part_leave_it_open_and_stop_nothing(judge: Judge, suite: str) -> None:
    world = World()
    world.row("staffing", HEBEI, JANUARY).update(dedicated_staff_persons=1, welfare_posts_persons=None)
    result = judge(world, suite)
    assert [e.name for e in result.expectations if not e.success] == []


def test_unreported_figures_are_no_shortfall(judge: Judge) -> None:
    """Silence is not_reported in the mart, incomplete in the landed data, and nothing here."""
    world = World()
    for table in ("budget", "staffing"):
        for code in NAMES:
            for month in MONTHS:
                world.drop(table, code, month)
    for suite in ("funding_gap_monthly", "staffing_gap_monthly", "judgements"):
        assert judge(world, suite).success, suite


def test_a_bureaus_own_row_takes_the_place_of_the_seeds(judge: Judge) -> None:
    """A-06 given to the whole country: its rows are owed by every township, and its own title is shown."""
    world = World()
    own = load_standards().standards.filter(pl.col("standard_id") == "A-06")
    world.overlays["standards"] = own.with_columns(
        scope_code=pl.lit("000000"), title_zh=pl.lit("本局自定标准")
    )
    result = judge(world, "staffing_gap_monthly")
    missing = next(e for e in result.expectations if e.name == "staffing_has_every_row_once")
    assert missing.unexpected_count == 3 * len(MONTHS)
