"""The suites over the marts: townships that fall short, and a pipeline that went wrong.

The flags must name the same townships as the warehouse's own answers, both ways round."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import polars as pl
import pytest

from oversight.quality.suites import SuiteResult
from oversight.standards import load_standards
from tests.quality.conftest import Judge
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


def short(rows: list[Row], rule: str, subject: str) -> set[tuple[object, ...]]:
    return {(r[subject], r["month"], r[rule]) for r in rows if r["status"] == "short"}


def flagged(result: SuiteResult, *, without: str = "disbursed") -> set[tuple[object, ...]]:
    rows = result.flags.filter((pl.col("kind") == "short") & ~pl.col("expectation").str.starts_with(without))
    return set(rows.select("subject_code", "month", "standard_id").iter_rows())


@pytest.mark.parametrize(
    ("mart", "rule", "subject", "at_least"),
    [
        ("funding_gap_monthly", "standard_id", "township_code", 3),
        ("staffing_gap_monthly", "standard_id", "township_code", 4),
        ("judgements", "rule_id", "subject_code", 9),
    ],
)
def test_flags_are_the_rows_that_are_short(
    mart: str, rule: str, subject: str, at_least: int, judge: Judge
) -> None:
    world = troubled()
    expected = short(world.build()[mart], rule, subject)
    result = judge(world, mart)
    assert flagged(result) == expected
    assert len(expected) >= at_least
    assert result.blocking_failures == ()


def test_flags_of_monthly_marts_are_the_short_judgements(judge: Judge) -> None:
    world = troubled()
    judged = short(world.build()["judgements"], "rule_id", "subject_code")
    by_marts = flagged(judge(world, "funding_gap_monthly")) | flagged(judge(world, "staffing_gap_monthly"))
    assert by_marts == {key for key in judged if key[2] not in ("A-07", "D-09", "C-12")}


def test_behind_within_the_year_is_no_violation(judge: Judge) -> None:
    world = troubled()
    assert any(r["disbursement_shortfall_ytd_cny"] for r in world.build()["funding_gap_monthly"])
    flags = judge(world, "funding_gap_monthly").flags
    assert not flags.get_column("expectation").str.contains("disbursed").any()


def test_a_share_too_near_to_show_as_missing_is_short_all_the_same(judge: Judge) -> None:
    """59,999 of 60,000: less than all, and 1.0000 with four decimals. It stops no publication and is flagged."""
    world = World()
    row = next(r for r in world.build()["judgements"] if r["rule_id"] == "C-12" and r["month"] == MARCH)
    row.update(status="short", value_checked=Decimal(1), value_expected=Decimal(1), shortfall=Decimal(0))
    row.update(denominator=Decimal(60_000))
    result = judge(world, "judgements")
    assert result.blocking_failures == ()
    assert ("640324", MARCH, "C-12") in flagged(result)


def test_a_budget_flag_leads_to_the_latest_report_of_the_year(judge: Judge) -> None:
    world = World()
    for month in MONTHS:
        world.row("budget", JIANGXI, month).update(initial_budget_cny=Decimal("60000.00"))
    world.drop("budget", JIANGXI, MARCH)
    flags = judge(world, "funding_gap_monthly").flags.filter(
        pl.col("expectation") == "allocated_reaches_guaranteed_A-10"
    )
    places = dict(flags.select("month", "row_number").iter_rows())
    assert places[MARCH] == world.row("budget", JIANGXI, FEBRUARY)["row_number"]
    assert places[DECEMBER] == world.row("budget", JIANGXI, DECEMBER)["row_number"]


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
    ("staffing_gap_monthly", staffing(HEBEI, advised_max_persons=2), {"staffing_excess_is_exact"}),
    ("staffing_gap_monthly", lambda m: m["staffing_gap_monthly"].pop(), {"staffing_has_every_row_once"}),
    (
        "staffing_gap_monthly",
        lambda m: m["staffing_gap_monthly"].append(dict(m["staffing_gap_monthly"][-1], standard_id="A-06")),
        {"staffing_has_no_other_row"},
    ),
    ("judgements", first("judgements", status="short"), {"judgement_status_follows_from_figures"}),
    ("judgements", lambda m: m["judgements"].append(dict(m["judgements"][0])), {"judgement_given_once"}),
    ("townships", lambda m: m["townships"].append(dict(m["townships"][0])), {"townships_code_once"}),
    ("townships", first("townships", township_code="36031310"), {"townships_code_has_nine_digits"}),
    ("findings", lambda m: [finding()(m), finding(subject_code=HEBEI)(m)], {"findings_id_once"}),
    ("findings", finding(months_open=3), {"findings_months_fit_dates"}),
    ("findings", finding(cleared_month=FEBRUARY), {"findings_cleared_after_last"}),
]


@pytest.mark.parametrize(("suite", "apply", "expected"), WRONG, ids=[f"{s}-{min(e)}" for s, _, e in WRONG])
def test_a_wrong_mart_is_the_pipelines_fault(
    suite: str, apply: Fault, expected: set[str], judge: Judge
) -> None:
    world = World()
    apply(world.build())
    result = judge(world, suite)
    assert set(failures(result)) == expected
    assert result.blocking_failures


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


def test_a_short_township_is_told_by_the_words_of_the_standard(judge: Judge) -> None:
    result = judge(troubled(), "staffing_gap_monthly")
    a06 = next(e for e in result.expectations if e.name == "counted_reaches_required_A-06")
    assert "每个乡镇必须固定不少于2名在编在岗人员" in a06.why_zh
    assert a06.flagged[0]["message_zh"] == "老关镇（360313105）2025年1月：实有 1 人，应有不少于 2 人，缺 1 人"


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
    assert any(e.title_zh == "A-06 本局自定标准" for e in result.expectations)
