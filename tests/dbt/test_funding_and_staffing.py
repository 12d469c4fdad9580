"""Guarantees, edges, supersession and unit changes, as policy/README.md has them, in one built world."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.dbt.world import World, document, month, months, rows_of, rule

YEARS = months("2024-01", "2025-12")
A10 = (
    {"tier_no": 1, "tier_label": "2万以下", "lower_bound": 0, "lower_included": True,
     "upper_bound": 20000, "upper_included": True, "value": "0.28", "unit": "元/人·月"},
    {"tier_no": 2, "tier_label": "2-5万", "lower_bound": 20000, "lower_included": False,
     "upper_bound": 50000, "upper_included": False, "value": "0.22", "unit": "元/人·月"},
    {"tier_no": 3, "tier_label": "5万以上", "lower_bound": 50000, "lower_included": True,
     "upper_bound": None, "upper_included": None, "value": "0.18", "unit": "元/人·月"},
)  # fmt: skip


def _flat(standard_id: str, yuan: int) -> dict[str, Any]:
    return {"standard_id": standard_id, "tier_no": 1, "tier_label": "全部", "lower_bound": 0,
            "lower_included": True, "value": yuan, "unit": "元/年"}  # fmt: skip


def _allocated(standard_id: str) -> dict[str, Any]:
    return {"standard_id": standard_id, "role": "value", "part_no": 1, "measure_code": "allocated_annual_cny",
            "required": True, "label_zh": "年度安排数"}  # fmt: skip


def _funding_rule(standard_id: str, formula: str, **columns: Any) -> dict[str, Any]:
    # Its matter is that of the fund it asks for: no other amount is held against it.
    return rule(
        standard_id, formula=formula, population_basis="registered", population_date_rule="prior_year_end",
        edge_rule="legal_default", **({"matter": "working_funds"} | columns),
    )  # fmt: skip


def _township(world: World, code: str, population: int | None, **budget: Any) -> None:
    world.unit(code)
    if population is not None:
        world.report("population", code, YEARS, population_persons=population)
    world.report("budget", code, YEARS, **({"initial_budget_cny": Decimal("50000.00")} | budget))


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World()
    world.unit("360313", "市辖区", "湘东区")
    for place, people in enumerate((20000, 20001, 49999, 50000, 25454, 25455, 61109, 61110)):
        _township(world, f"36031310{place}", people)
    for place, people in enumerate((30000, 30001, 49999, 50000)):
        _township(world, f"64032410{place}", people, is_listed_separately=True)

    # The same tiers as in Jiangxi, with the two other readings of the edges.
    world.own("policy_documents", [document("Z")])
    for standard_id, county, edge in (("F-01", "410101", "favour_township"), ("H-01", "410102", "half_open")):
        world.own(
            "standards",
            [_funding_rule(standard_id, "per_capita_by_tier", scope_code=county) | {"edge_rule": edge}],
        )
        world.own("standard_tiers", [{"standard_id": standard_id} | tier for tier in A10])
        world.own("standard_measures", [_allocated(standard_id)])
        for place, people in enumerate((20000, 50000)):
            _township(world, f"{county}10{place}", people)

    # A later rule of the same issuer on the same matter; and one that ends by its own date.
    world.own(
        "policy_documents", [document("Z1", issuer_code="410103"), document("Z2", issuer_code="410103")]
    )
    for standard_id, doc, since, until, yuan in (
        ("S-01", "Z1", "2020-01-01", None, 30000),
        ("S-02", "Z2", "2025-07-01", "2025-11-15", 60000),
    ):
        world.own("standards", [_funding_rule(
            standard_id, "flat_by_tier", scope_code="410103", document_id=doc, matter="working_funds",
            effective_from=since, effective_to=until,
        )])  # fmt: skip
        world.own("standard_tiers", [_flat(standard_id, yuan)])
        world.own("standard_measures", [_allocated(standard_id)])
    _township(world, "410103100", 10000)

    # A province's and a county's rule side by side: in one county the province's asks more, in the other less.
    world.own("policy_documents", [document("P", issuer_code="420000"), document("K", issuer_code="420104")])
    for standard_id, doc, scope, yuan in (
        ("P-01", "P", "420000", 40000), ("K-01", "K", "420104", 30000), ("K-02", "K", "420105", 80000),
    ):  # fmt: skip
        world.own("standards", [_funding_rule(
            standard_id, "flat_by_tier", scope_code=scope, document_id=doc, matter="working_funds"
        )])  # fmt: skip
        world.own("standard_tiers", [_flat(standard_id, yuan)])
        world.own("standard_measures", [_allocated(standard_id)])
    _township(world, "420104100", 10000)
    _township(world, "420105100", 10000)

    # 撤乡设镇: the code changes, the unit does not. And a merger into a unit that already stood.
    world.unit("130321201", "乡", valid_to=date(2025, 7, 1), successor_code="130321111")
    world.unit("130321111", "镇", valid_from=date(2025, 7, 1))
    world.report("population", "130321201", months("2024-01", "2025-06"), population_persons=31000)
    world.report("population", "130321111", months("2025-07", "2025-12"), population_persons=29000)
    nobody_else = {"welfare_posts_persons": 0, "purchased_service_persons": 0}
    world.report(
        "staffing", "130321201", months("2024-01", "2025-06"), dedicated_staff_persons=2, **nobody_else
    )
    world.report(
        "staffing", "130321111", months("2025-07", "2025-10"), dedicated_staff_persons=2, **nobody_else
    )
    world.report(
        "staffing", "130321111", months("2025-11", "2025-12"), dedicated_staff_persons=3, **nobody_else
    )
    world.unit("130321214", "乡", valid_to=date(2025, 4, 1), successor_code="130321105")
    world.unit("130321105", "镇")
    world.report("population", "130321214", months("2024-01", "2025-03"), population_persons=9000)
    world.report("population", "130321105", months("2025-04", "2025-12"), population_persons=31000)

    _township(world, "360313200", None)  # reports a budget, never its people
    world.unit("360313400", "农场")
    world.unit("360313201", "乡")
    # The first report comes in the year itself, at another figure each month.
    for number, text in enumerate(months("2025-03", "2025-12")):
        world.report("population", "360313201", text, population_persons=20000 + number)
    world.report("budget", "360313201", "2025-03", initial_budget_cny=Decimal("60000.00"),
                 disbursed_month_cny=Decimal("1.10"))  # fmt: skip
    world.report("budget", "360313201", "2025-05", adjusted_budget_cny=Decimal("70000.00"),
                 disbursed_month_cny=Decimal("2.20"))  # fmt: skip
    world.report("budget", "360313201", "2025-07", disbursed_cumulative_cny=Decimal("9.99"))
    return world.build(tmp_path_factory.mktemp("funding"))


def _funding(build: Path, code: str, when: str = "2025-12") -> dict[str, Any]:
    rows = rows_of(
        build, "select * from funding_gap_monthly where township_code = ? and month = ?", code, month(when)
    )
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize(
    ("code", "annual", "edge"),
    [
        ("360313100", "67200.00", True),
        ("360313101", "52802.64", False),
        ("360313102", "131997.36", False),
        ("360313103", "108000.00", True),
        ("640324100", "40000.00", True),
        ("640324101", "70000.00", False),
        ("640324102", "70000.00", False),
        ("640324103", "100000.00", True),
        ("410101100", "67200.00", True),
        ("410101101", "132000.00", True),
        ("410102100", "52800.00", True),
        ("410102101", "108000.00", True),
    ],
)
def test_worked_figures(build: Path, code: str, annual: str, edge: bool) -> None:
    row = _funding(build, code)
    assert row["guaranteed_annual_cny"] == row["guaranteed_ytd_cny"] == Decimal(annual)
    assert row["is_on_tier_edge"] is edge
    assert (row["other_annual_cny"] is not None) is edge


def test_at_an_edge_both_amounts_are_shown(build: Path) -> None:
    row = _funding(build, "360313103")
    assert (row["guaranteed_annual_cny"], row["other_annual_cny"]) == (
        Decimal("108000.00"),
        Decimal("132000.00"),
    )
    assert (row["tier_label"], row["other_tier_label"]) == ("5万人以上", "2-5万人")


def test_the_cliff_of_jiangxi(build: Path) -> None:
    at_20000 = _funding(build, "360313100")["guaranteed_annual_cny"]
    assert _funding(build, "360313104")["guaranteed_annual_cny"] < at_20000
    assert _funding(build, "360313105")["guaranteed_annual_cny"] > at_20000
    at_49999 = _funding(build, "360313102")["guaranteed_annual_cny"]
    assert _funding(build, "360313106")["guaranteed_annual_cny"] < at_49999
    assert _funding(build, "360313107")["guaranteed_annual_cny"] > at_49999


def test_a_later_rule_of_the_same_issuer_replaces_the_earlier_and_ends_by_date(build: Path) -> None:
    found = {
        text: (
            _funding(build, "410103100", text)["standard_id"],
            _funding(build, "410103100", text)["status"],
        )
        for text in ("2025-06", "2025-07", "2025-10", "2025-12")
    }
    assert found == {
        "2025-06": ("S-01", "met"),
        # Six months at 30,000 a year and, until the later rule expires, four at 60,000: 35,000 of 50,000.
        "2025-07": ("S-02", "met"),
        "2025-10": ("S-02", "met"),
        # The later rule has expired; the earlier one was replaced for good. The year's last answer stands.
        "2025-12": ("S-02", "met"),
    }
    row = _funding(build, "410103100")
    assert (row["guaranteed_ytd_cny"], row["accrued_months_count"]) == (Decimal("35000.00"), 10)


def test_of_two_levels_the_higher_bound_counts_and_both_are_named(build: Path) -> None:
    low, high = _funding(build, "420104100"), _funding(build, "420105100")
    assert (low["standard_id"], low["also_standard_id"], low["status"]) == ("P-01", "K-01", "met")
    assert (high["standard_id"], high["also_standard_id"], high["status"]) == ("K-02", "P-01", "short")
    assert high["allocation_shortfall_cny"] == Decimal("30000.00")
    judged = rows_of(
        build, "select rule_id, status from judgements where subject_code = '420105100' and month = ? order by 1",
        month("2025-12"),
    )  # fmt: skip
    # Beside each stands its rule of payment; nobody reported what was paid.
    assert [tuple(row.values()) for row in judged] == [
        ("K-02", "short"), ("K-02.1", "not_reported"), ("P-01", "met"), ("P-01.1", "not_reported"),
    ]  # fmt: skip


def test_a_rename_carries_history_and_its_finding_goes_on(build: Path) -> None:
    row = rows_of(
        build, "select * from staffing_gap_monthly where township_code = '130321111' and standard_id = 'D-08' "
        "and month = ?", month("2025-08"),
    )[0]  # fmt: skip
    assert (row["population_persons"], row["population_month"]) == (31000, date(2024, 12, 1))
    assert (row["required_min_persons"], row["status"]) == (3, "short")
    findings = rows_of(
        build, "select * from findings where rule_id = 'D-08' and subject_code in ('130321111', '130321201')"
    )
    assert [
        (f["opened_month"], f["last_month"], f["cleared_month"], f["months_open"], f["status"])
        for f in findings
    ] == [(date(2024, 1, 1), date(2025, 10, 1), date(2025, 11, 1), 22, "cleared")]
    assert findings[0]["subject_code"] == "130321111"
    # Under the code it had then, and for all the months of both.
    duties = rows_of(
        build, "select subject_code, months_count from detail.unmet_duties where rule_id = 'D-08' "
        "and subject_code in ('130321111', '130321201') order by month",
    )  # fmt: skip
    assert [row["months_count"] for row in duties] == list(range(1, 23))
    assert [row["subject_code"] for row in duties] == sorted(
        (row["subject_code"] for row in duties), key="130321201 130321111".index
    )
    assert {row["subject_code"] for row in duties} == {"130321201", "130321111"}


def test_a_merger_carries_nothing_over(build: Path) -> None:
    assert rows_of(
        build, "select max(month) as last from funding_gap_monthly where township_code = '130321214'"
    ) == [{"last": date(2025, 3, 1)}]
    row = _funding(build, "130321105")
    assert (row["population_persons"], row["population_is_fallback"]) == (31000, True)
    units = rows_of(build, "select unit_id from townships where township_code in ('130321105', '130321214')")
    assert len({unit["unit_id"] for unit in units}) == 2


def test_unknown_is_not_reported_and_never_zero(build: Path) -> None:
    row = _funding(build, "360313200")
    assert row["status"] == "not_reported"
    assert row["guaranteed_annual_cny"] is row["allocation_shortfall_cny"] is row["adequacy_pct"] is None
    assert _funding(build, "360313400")["status"] == "no_standard"


def test_fallback_population_and_carried_budget(build: Path) -> None:
    march, april, may, july = (
        _funding(build, "360313201", text) for text in ("2025-03", "2025-04", "2025-05", "2025-07")
    )
    assert (march["population_persons"], march["population_is_fallback"]) == (20000, True)
    assert (april["allocated_annual_cny"], april["disbursed_ytd_cny"]) == (
        Decimal("60000.00"),
        Decimal("1.10"),
    )
    assert (may["allocated_annual_cny"], may["disbursed_ytd_cny"]) == (Decimal("70000.00"), Decimal("3.30"))
    assert july["disbursed_ytd_cny"] == Decimal("9.99")
    # 67200 × 3 ÷ 12, and adequacy to two decimals.
    assert march["guaranteed_ytd_cny"] == Decimal("16800.00")
    assert march["adequacy_pct"] == Decimal("89.29")
    assert _funding(build, "360313201", "2024-12")["status"] == "not_reported"


def test_the_public_tables_and_only_they_are_in_main(build: Path) -> None:
    from oversight.editions.published import PUBLIC_TABLES

    tables = rows_of(
        build, "select table_name from information_schema.tables where table_schema = 'main' order by 1"
    )
    assert [row["table_name"] for row in tables] == sorted(PUBLIC_TABLES)
