"""The oracle against the worked figures of the policy documents, and the laws that hold for any township."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.compare import differences
from tests.oracle.model import POLICY, Division, Model, Report, guarantee, half_up, last_day, tiers_at
from tests.oracle.worlds import world

RULES = {s.standard_id: s for s in POLICY}
DECEMBER = date(2024, 12, 1)


@pytest.mark.parametrize(
    ("rule", "persons", "amount"),
    [
        ("A-10", 20_000, "67200.00"),
        ("A-10", 20_001, "52802.64"),
        ("A-10", 49_999, "131997.36"),
        ("A-10", 50_000, "108000.00"),
        ("C-11", 30_000, "40000.00"),
        ("C-11", 30_001, "70000.00"),
        ("C-11", 49_999, "70000.00"),
        ("C-11", 50_000, "100000.00"),
    ],
)
def test_worked_figures(rule, persons, amount):
    assert guarantee(RULES[rule], persons)[0] == Decimal(amount)


def test_the_jiangxi_cliff():
    at = {n: guarantee(RULES["A-10"], n)[0] for n in (20_000, 25_454, 25_455, 49_999, 61_109, 61_110)}
    assert at[25_454] < at[20_000] <= at[25_455]
    assert at[61_109] < at[49_999] <= at[61_110]


@pytest.mark.parametrize(
    ("rule", "persons", "edge_rule", "amount"),
    [
        ("A-10", 20_000, "half_open", "52800.00"),
        ("A-10", 50_000, "favour_township", "132000.00"),
        ("A-10", 20_000, "favour_township", "67200.00"),
        ("C-11", 30_000, "half_open", "70000.00"),
        ("C-11", 30_000, "favour_township", "70000.00"),
        ("C-11", 50_000, "legal_default", "100000.00"),
    ],
)
def test_edge_rules(rule, persons, edge_rule, amount):
    assert guarantee(replace(RULES[rule], edge_rule=edge_rule), persons)[0] == Decimal(amount)


def test_both_ranges_hold_at_exactly_thirty_thousand():
    assert [tiers_at(RULES["D-08"], n) for n in (29_999, 30_000, 30_001)] == [[0], [0, 1], [1]]


@given(st.integers(1, 10**12), st.integers(1, 12))
def test_half_up(fen, month):
    exact = half_up(Decimal(fen * month).scaleb(-2), 12)
    assert abs(exact * 1200 - fen * month) <= 6
    assert half_up(Decimal(fen * 12).scaleb(-2), 12) == Decimal(fen).scaleb(-2)


def reports(code, dataset, rows):
    return [Report(dataset, month, code, values) for month, values in rows]


def one(kind="镇", code="360313101", **more):
    return [Division(code, "模拟镇", kind, **more)]


def test_the_population_of_the_december_before_decides_else_the_earliest_of_the_year():
    told = reports(
        "360313101",
        "population",
        [
            (date(2024, 3, 1), {"population_persons": 20_001}),
            (date(2024, 11, 1), {"population_persons": 20_000}),
            (DECEMBER, {"population_persons": None}),
            (date(2025, 2, 1), {"population_persons": 1}),
        ],
    )
    rows = {r["month"]: r for r in Model(one(), told).funding_gap_monthly()}
    early, late = rows[DECEMBER], rows[date(2025, 2, 1)]
    assert (early["population_persons"], early["population_month"], early["population_is_fallback"]) == (
        20_001,
        date(2024, 3, 1),
        True,
    )
    assert (late["population_persons"], late["population_month"], late["population_is_fallback"]) == (
        20_000,
        date(2024, 11, 1),
        False,
    )
    assert late["is_on_tier_edge"]
    assert not early["is_on_tier_edge"]
    assert late["guaranteed_ytd_cny"] == Decimal("11200.00")
    assert late["status"] == "not_reported"


def test_money_of_a_year_is_the_latest_told_else_the_sum():
    told = reports("360313101", "population", [(date(2025, 1, 1), {"population_persons": 10_000})])
    told += reports(
        "360313101",
        "budget",
        [
            (date(2025, 1, 1), {"initial_budget_cny": Decimal(33_600), "disbursed_month_cny": Decimal(100)}),
            (date(2025, 2, 1), {"initial_budget_cny": None, "disbursed_month_cny": Decimal(50)}),
            (
                date(2025, 3, 1),
                {"adjusted_budget_cny": Decimal("33599.99"), "disbursed_cumulative_cny": Decimal(120)},
            ),
            (date(2025, 4, 1), {"initial_budget_cny": Decimal(1)}),
        ],
    )
    rows = Model(one(), told).funding_gap_monthly()
    assert [r["allocated_annual_cny"] for r in rows] == [
        33_600,
        33_600,
        Decimal("33599.99"),
        Decimal("33599.99"),
    ]
    assert [r["disbursed_ytd_cny"] for r in rows] == [100, 150, 120, 120]
    assert [r["status"] for r in rows] == ["met", "met", "short", "short"]
    assert rows[2]["allocation_shortfall_cny"] == Decimal("0.01")
    assert rows[2]["adequacy_pct"] == Decimal("100.00")


def test_a_renamed_unit_keeps_its_history_and_a_merged_one_does_not_hand_its_own_on():
    day = date(2025, 3, 15)
    divisions = [
        Division("130321201", "旧乡", "乡", ends=day, successors=("130321111",)),
        Division("130321111", "新镇", "镇", begins=day),
        Division("130321202", "并乡", "乡", ends=day, successors=("130321105",)),
        Division("130321105", "大镇", "镇"),
    ]
    told = [
        Report("population", DECEMBER, code, {"population_persons": persons})
        for code, persons in (("130321201", 31_000), ("130321202", 9_000), ("130321105", 29_999))
    ]
    told.append(
        Report(
            "staffing",
            date(2025, 3, 1),
            "130321201",
            {"dedicated_staff_persons": 1, "welfare_posts_persons": 1},
        )
    )
    model = Model(divisions, told)
    march = {
        r["township_code"]: r
        for r in model.staffing_gap_monthly()
        if r["month"] == date(2025, 3, 1) and r["standard_id"] == "D-08"
    }
    assert set(march) == {"130321111", "130321105"}
    assert (march["130321111"]["counted_persons"], march["130321111"]["required_min_persons"]) == (2, 3)
    assert march["130321111"]["status"] == "short"
    assert (march["130321105"]["required_min_persons"], march["130321105"]["status"]) == (2, "not_reported")


def test_posts_are_counted_each_for_itself():
    told = reports(
        "222403100",
        "staffing",
        [
            (date(2025, m, 1), {"administrative_posts": a, "institution_posts": b})
            for m, (a, b) in enumerate([(1, 2), (3, 1), (0, 5), (0, 0), (1, None)], 1)
        ],
    )
    rows = Model(one(code="222403100"), told).staffing_gap_monthly()
    assert [(r["counted_persons"], r["shortfall_persons"], r["status"]) for r in rows] == [
        (3, 0, "met"),
        (4, 1, "short"),
        (5, 1, "short"),
        (0, 3, "short"),
        (None, None, "not_reported"),
    ]


def test_units_that_are_no_townships_have_no_standard():
    told = reports("360313400", "population", [(DECEMBER, {"population_persons": 20_000})])
    model = Model(one("开发区", "360313400"), told)
    (row,) = model.funding_gap_monthly()
    assert (row["status"], row["standard_id"], row["guaranteed_annual_cny"]) == ("no_standard", None, None)
    assert model.staffing_gap_monthly() == []


def test_a_later_rule_of_the_same_issuer_replaces_from_its_date_and_the_higher_of_two_levels_holds():
    newer = replace(
        RULES["A-06"], standard_id="A2-06", document="A2", values=(3,), effective_from=date(2025, 2, 28)
    )
    national = replace(
        RULES["C-11"],
        standard_id="N-01",
        document="N",
        issuer="000000",
        scope="000000",
        values=(60_000, 70_000, 100_000),
    )
    told = reports(
        "360313101", "staffing", [(date(2025, m, 1), {"dedicated_staff_persons": 2}) for m in (1, 2)]
    )
    told += reports("360313101", "population", [(DECEMBER, {"population_persons": 20_000})])
    model = Model(one(), told, (*POLICY, newer, national))
    assert [(r["month"].month, r["standard_id"], r["status"]) for r in model.staffing_gap_monthly()] == [
        (12, "A-06", "not_reported"),
        (1, "A-06", "met"),
        (2, "A2-06", "short"),
    ]
    assert {r["standard_id"] for r in model.funding_gap_monthly()} == {"A-10"}
    told[-1] = replace(told[-1], values={"population_persons": 17_857})
    assert {r["standard_id"] for r in Model(one(), told, (*POLICY, national)).funding_gap_monthly()} == {
        "N-01"
    }


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_laws_of_any_world(seed, dated):
    made = world(seed, per_county=12, dated=dated)
    sent = list(made.reports())
    model = Model(made.divisions, sent)
    funding, staffing = model.funding_gap_monthly(), model.staffing_gap_monthly()
    assert {(r["township_code"], r["month"]) for r in funding} == {
        (d.code, m)
        for m in model.months()
        for d in made.divisions
        if len(d.code) == 9 and d.stands_on(last_day(m))
    }
    for row in funding:
        short, surplus = row["allocation_shortfall_cny"], row["allocation_surplus_cny"]
        known = row["guaranteed_annual_cny"] is not None and row["allocated_annual_cny"] is not None
        assert known == (short is not None) == (surplus is not None)
        if known:
            assert short * surplus == 0
            assert short - surplus == row["guaranteed_annual_cny"] - row["allocated_annual_cny"]
            assert row["status"] == ("short" if short else "met")
        if row["month"].month == 12:
            assert row["guaranteed_ytd_cny"] == row["guaranteed_annual_cny"]
    for row in staffing:
        assert (row["shortfall_persons"] is None) == (row["status"] == "not_reported")

    # The order in which the rows are read decides nothing.
    random.Random(seed).shuffle(sent)
    again = Model(made.divisions, sent)
    assert not differences("funding_gap_monthly", funding, again.funding_gap_monthly())
    assert not differences("staffing_gap_monthly", staffing, again.staffing_gap_monthly())


def test_a_world_has_every_case():
    made = world(7, per_county=120)
    model = Model(made.divisions, made.reports())
    funding, staffing = model.funding_gap_monthly(), model.staffing_gap_monthly()
    assert {r["status"] for r in funding} == {"met", "short", "not_reported", "no_standard"}
    assert {r["status"] for r in staffing} == {"met", "short", "over", "not_reported"}
    for rule, prefix in (("A-10", "36"), ("C-11", "64")):
        seen = {r["population_persons"] for r in funding if r["township_code"].startswith(prefix)}
        assert {e + s for e in RULES[rule].edges for s in (-1, 0, 1)} <= seen
    assert {r["population_is_fallback"] for r in funding} == {True, False, None}
    assert {r["tier_label"] for r in funding} == {None, *RULES["A-10"].labels, *RULES["C-11"].labels}
    d08 = {r["population_persons"] for r in funding if r["township_code"].startswith("13")}
    assert {29_999, 30_000, 30_001} <= d08
    assert any(len(set(chain)) == 3 for chain in model.chains.values())


def test_differences_are_told_readably():
    left = [{"township_code": "1", "month": DECEMBER, "status": "met", "x": None}]
    right = [{"township_code": "1", "month": DECEMBER, "status": "short", "x": 0}]
    told = differences("funding_gap_monthly", left, right)
    assert "status: oracle 'met', product 'short'" in told
    assert "x: oracle null, product 0" in told
    assert differences("funding_gap_monthly", left, []).startswith("1 differences")
    assert not differences("funding_gap_monthly", left, left)
