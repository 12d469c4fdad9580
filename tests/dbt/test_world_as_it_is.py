"""Money in the world as it is: rates that change within a year, amounts in 万元, silence, units that come and go.

The worked figures of the rules for figures stand here by hand, with others of the same kinds.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.dbt.world import World, document, month, months, rows_of, rule

YEAR = months("2025-01", "2025-12")
YUAN = Decimal("1.00")


def _money(world: World, ident: str, scope: str, value: str, unit: str, **columns: Any) -> None:
    formula = "per_capita_by_tier" if unit.startswith("元/人") else "flat_by_tier"
    world.own("standards", [rule(
        ident, formula=formula, scope_code=scope, population_basis="registered", edge_rule="legal_default",
        population_date_rule="prior_year_end", matter="working_funds", **columns,
    )])  # fmt: skip
    world.own("standard_tiers", [{"standard_id": ident, "tier_no": 1, "tier_label": "不分档", "lower_bound": 0,
                                  "lower_included": True, "value": value, "unit": unit}])  # fmt: skip
    world.own("standard_measures", [{"standard_id": ident, "role": "value", "part_no": 1, "required": True,
                                     "measure_code": "allocated_annual_cny", "label_zh": "年度安排数"}])  # fmt: skip


def _people(
    world: World, code: str, persons: int, when: str | Iterable[str] = "2024-12", **more: Any
) -> None:
    world.report("population", code, when, population_persons=persons, **more)


def _township(world: World, code: str, persons: int, **unit: Any) -> None:
    world.unit(code, **unit)
    _people(world, code, persons)


def _written(world: World, code: str, amount: str, unit: str) -> None:
    """20,001 people are guaranteed 52,802.64 元; the budget is written to the unit of its last place."""
    _township(world, code, 20001)
    world.report("budget", code, YEAR, initial_budget_cny=Decimal(amount),
                 initial_budget_cny_precision=Decimal(unit))  # fmt: skip


def _paid(world: World, code: str, by_month: dict[str, tuple[int | None, int | None]]) -> None:
    """15,000 people, 50,400 元 a year, all of it budgeted: monthly and cumulative payments of each month."""
    _township(world, code, 15000)
    for when, (monthly, cumulative) in by_month.items():
        world.report("budget", code, when, initial_budget_cny=Decimal(50400),
                     disbursed_month_cny=None if monthly is None else Decimal(monthly),
                     disbursed_cumulative_cny=None if cumulative is None else Decimal(cumulative))  # fmt: skip


# The register opens a new code on 20 June and closes the old ones on 5 July; who reports for June is written beside.
LAG = {"360401": ("new",), "360402": ("old",), "360403": ("new", "old"), "360404": ("new",)}


def _registers_that_lag(world: World) -> None:
    for county, told_in_june in LAG.items():
        new = f"{county}109"
        world.unit(new, valid_from=date(2025, 6, 20))
        people = 15000 if county != "360404" else 9000
        for number in (1, 2) if county == "360404" else (1,):
            old = f"{county}10{number}"
            _township(world, old, people, valid_to=date(2025, 7, 5), successor_code=new)
            last = 6 if "old" in told_in_june else 5
            world.report(
                "budget",
                old,
                YEAR[:last],
                initial_budget_cny=Decimal(50400),
                disbursed_month_cny=Decimal(4200),
            )
        if "new" in told_in_june:
            _people(world, new, 5000, "2025-06")
            world.report(
                "budget", new, "2025-06", initial_budget_cny=Decimal(50400), disbursed_month_cny=Decimal(4200)
            )
        _people(world, new, 6000, "2025-07")
        world.report(
            "budget", new, "2025-07", initial_budget_cny=Decimal(50400), disbursed_month_cny=Decimal(4200)
        )


def _registers_that_err(world: World) -> None:
    """A unit that goes into itself, two into one another, one that ends before it begins or on the same day, one that goes
    into a county or into nobody, five in a row on one day, three codes at once, one heir named twice."""
    june, day = date(2025, 6, 1), date(2025, 6, 15)
    county = "360405"
    world.unit(county, "县")
    odd: dict[str, tuple[date | None, date | None, str | None]] = {
        "101": (None, june, "101"),
        "102": (None, june, "103"), "103": (june, date(2025, 9, 1), "102"),
        "104": (date(2025, 8, 1), date(2025, 5, 1), "105"), "105": (None, None, None),
        "106": (day, day, "105"), "107": (None, june, ""), "108": (None, june, "999"),
        **{str(number): (None, june, str(number + 1)) for number in range(110, 114)}, "114": (None, None, None),
        "120": (date(2025, 6, 10), date(2025, 6, 20), "121"), "121": (date(2025, 6, 12), date(2025, 7, 5), "122"),
        "122": (day, None, None), "130": (None, june, "131、360405131"), "131": (None, None, None),
    }  # fmt: skip
    for number, (begins, ends, heir) in odd.items():
        successor = None if heir is None else f"{county}{heir}"
        world.unit(f"{county}{number}", valid_from=begins, valid_to=ends, successor_code=successor)
        _people(world, f"{county}{number}", 9000)
        world.report(
            "budget",
            f"{county}{number}",
            YEAR[:6],
            initial_budget_cny=Decimal(30240),
            disbursed_month_cny=Decimal(2520),
        )


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World()
    world.unit("360313", "市辖区", "湘东区")
    world.own("policy_documents", [document("Z"), document("Z2", issuer_code="360302")])

    _written(world, "360313101", "52800.00", "100")
    _written(world, "360313102", "52700.00", "100")
    _written(world, "360313103", "52800.00", "0.01")
    _written(world, "360313104", "53000.00", "1000")
    _written(world, "360313105", "49000.00", "1000")
    # 20,001 people written 2.0 万人: between 19,500 and 20,499, so that the tier is not known.
    world.unit("360313106")
    _people(world, "360313106", 20000, population_persons_precision=Decimal(1000))
    world.report("budget", "360313106", YEAR, initial_budget_cny=Decimal("52800.00"))
    # 0.28 a month, and 0.50 from July by a county's rule that is known since January.
    _money(world, "Z-01", "360302", "0.50", "元/人·月", effective_from="2025-07-01", issued_on="2025-01-10",
           document_id="Z2")  # fmt: skip
    _township(world, "360302101", 15000)
    world.report("budget", "360302101", YEAR, initial_budget_cny=Decimal(60000))
    # Founded in July; a unit founded in July under a rule whose whole amount is due however short the year.
    world.unit("360313110", valid_from=date(2025, 7, 1))
    _people(world, "360313110", 15000, "2025-07")
    _money(world, "Y-01", "410101", "40000", "元/年", accrual="annual", effective_from="2020-01-01")
    world.unit("410101101", valid_from=date(2025, 7, 1))
    _people(world, "410101101", 8000, "2025-07")
    # Payments: 4,200 a month.
    _paid(world, "360313121", {w: (4200, 4200 * (i + 1) if i < 3 else None) for i, w in enumerate(YEAR)})
    _paid(world, "360313122", {w: (None if i == 3 else 4200, None) for i, w in enumerate(YEAR)})
    _paid(world, "360313123", {"2025-01": (4200, None)})
    _paid(world, "360313124", {w: (-5000 if i == 5 else 4200, None) for i, w in enumerate(YEAR)})
    _paid(world, "360313125", dict.fromkeys(YEAR, (4200, None)))
    # Merged on 1 July: cumulative payments and budget of the area from then on; and of the heir alone.
    for heir, gone, is_area in (("360313131", "360313132", True), ("360313133", "360313134", False)):
        _township(world, heir, 15000)
        _township(world, gone, 15000, valid_to=date(2025, 7, 1), successor_code=heir)
        for number, when in enumerate(YEAR, 1):
            both = 2 if is_area and number > 6 else 1
            world.report("budget", heir, when, initial_budget_cny=Decimal(50400) * both,
                         disbursed_month_cny=Decimal(4200) * both,
                         disbursed_cumulative_cny=Decimal(
                             4200 * number + (4200 * 6 + 4200 * (number - 6) if both == 2 else 0)
                         ))  # fmt: skip
            if number <= 6:
                world.report("budget", gone, when, initial_budget_cny=Decimal(50400),
                             disbursed_month_cny=Decimal(4200),
                             disbursed_cumulative_cny=Decimal(4200 * number))  # fmt: skip
    # A new code made of two; its people were never reported under it.
    for gone in ("360313141", "360313142"):
        _township(world, gone, 9000, valid_to=date(2025, 4, 1), successor_code="360313143")
    world.unit("360313143", valid_from=date(2025, 4, 1))
    # Split in May: no single heir, so that payment is judged in April.
    _township(world, "360313151", 15000, valid_to=date(2025, 5, 1), successor_code="360313152、360313153")
    world.unit("360313152", valid_from=date(2025, 5, 1))
    world.unit("360313153", valid_from=date(2025, 5, 1))
    world.report(
        "budget", "360313151", YEAR[:4], initial_budget_cny=Decimal(50400), disbursed_month_cny=Decimal(4200)
    )
    # Its people were last counted two years before.
    world.unit("360313161")
    _people(world, "360313161", 15000, "2023-11")
    world.report("budget", "360313161", YEAR, initial_budget_cny=Decimal(50400))
    # Merged in November, and silent in December: the next year's basis is still the sum of both.
    _township(world, "360313171", 11000)
    _people(world, "360313171", 11000, "2025-10")
    _township(world, "360313172", 12000, valid_to=date(2025, 11, 1), successor_code="360313171")
    _people(world, "360313172", 12000, "2025-09")
    _people(world, "360313125", 15000, "2026-02")
    _registers_that_lag(world)
    _registers_that_err(world)
    # Ningxia: listed and budgeted; paid in full by one county, half by the other.
    for county, share in (("640324", 1), ("640325", 2)):
        world.unit(f"{county}101")
        _people(world, f"{county}101", 10000, ("2024-12", "2025-12"))
        world.report("budget", f"{county}101", "2024-12", initial_budget_cny=Decimal(40000),
                     disbursed_cumulative_cny=Decimal(40000), is_listed_separately=True)  # fmt: skip
        for when in YEAR:
            world.report(
                "budget", f"{county}101", when, initial_budget_cny=Decimal(40000), is_listed_separately=True
            )
        world.report("budget", f"{county}101", "2025-12", disbursed_cumulative_cny=Decimal(40000 // share),
                     initial_budget_cny=Decimal(40000), is_listed_separately=True, precedence=2)  # fmt: skip
        world.report("budget", f"{county}101", ["2026-01", "2026-02"], initial_budget_cny=Decimal(40000),
                     is_listed_separately=True)  # fmt: skip
    return world.build(tmp_path_factory.mktemp("as_it_is"))


def _row(build: Path, code: str, when: str = "2025-12") -> dict[str, Any]:
    (row,) = rows_of(
        build, "select * from funding_gap_monthly where township_code = ? and month = ?", code, month(when)
    )
    return row


def _answers(build: Path, code: str, rule_id: str) -> dict[str, tuple[str, str | None]]:
    rows = rows_of(
        build, "select month, status, reason from judgements where subject_code = ? and rule_id = ? "
        "and month >= date '2025-01-01' order by 1",
        code, rule_id,
    )  # fmt: skip
    return {f"{row['month']:%Y-%m}": (row["status"], row["reason"]) for row in rows}


@pytest.mark.parametrize(
    ("code", "status", "shortfall", "within", "reason"),
    [
        ("360313101", "met", "0.00", True, None),
        ("360313102", "short", "102.64", False, None),
        ("360313103", "short", "2.64", False, None),
        ("360313104", "not_reported", None, False, "too_coarse"),
        ("360313105", "short", "3802.64", False, None),
    ],
)
def test_nobody_is_convicted_by_digits_the_report_does_not_have(
    build: Path, code: str, status: str, shortfall: str | None, within: bool, reason: str | None
) -> None:
    row = _row(build, code)
    assert row["guaranteed_annual_cny"] == Decimal("52802.64")
    assert (row["status"], row["is_within_precision"], row["status_reason"]) == (status, within, reason)
    assert row["allocation_shortfall_cny"] == (None if shortfall is None else Decimal(shortfall))
    assert (row["adequacy_pct"] is None) == (row["allocation_surplus_cny"] is None) == (shortfall is None)


def test_people_written_in_wan_make_a_range(build: Path) -> None:
    row = _row(build, "360313106")
    assert (row["is_tier_uncertain"], row["tier_label"]) == (True, "2万人以下")
    # As written 67,200.00; at least 20,001 × 0.22 × 12, which the budget misses by 2.64.
    assert row["guaranteed_annual_cny"] == Decimal("67200.00")
    assert (row["status"], row["allocation_shortfall_cny"]) == ("short", Decimal("2.64"))


def test_a_rate_counts_from_its_day_and_the_year_is_the_sum_of_its_months(build: Path) -> None:
    july, december = _row(build, "360302101", "2025-07"), _row(build, "360302101")
    assert (july["guaranteed_ytd_cny"], july["guaranteed_annual_cny"]) == (
        Decimal("32700.00"),
        Decimal("70200.00"),
    )
    assert december["guaranteed_ytd_cny"] == december["guaranteed_annual_cny"] == Decimal("70200.00")
    assert (december["standard_id"], december["also_standard_id"]) == ("Z-01", "A-10")
    assert (december["status"], december["allocation_shortfall_cny"]) == ("short", Decimal("10200.00"))
    # The rule that holds at the year's end answers with the row's pieces, the other with its own.
    assert _answers(build, "360302101", "Z-01")["2025-12"] == ("short", None)
    assert _answers(build, "360302101", "A-10")["2025-12"] == ("met", None)
    pieces = rows_of(
        build, "select standard_id, first_number, last_number, population_persons, annual_units from "
        "detail.funding_pieces where unit_id = '360302101' and fiscal_year = 2025 and is_counted order by 2",
    )  # fmt: skip
    assert [tuple(piece.values()) for piece in pieces] == [
        ("A-10", 1, 6, 15000, Decimal(504000000)), ("Z-01", 7, 12, 15000, Decimal(900000000)),
    ]  # fmt: skip


def test_a_unit_founded_within_the_year_is_guaranteed_its_months(build: Path) -> None:
    row = _row(build, "360313110", "2025-07")
    assert (row["guaranteed_ytd_cny"], row["guaranteed_annual_cny"]) == (
        Decimal("4200.00"),
        Decimal("25200.00"),
    )
    assert row["population_is_fallback"]
    whole = _row(build, "410101101", "2025-07")
    assert (whole["guaranteed_ytd_cny"], whole["guaranteed_annual_cny"]) == (
        Decimal("6666.67"),
        Decimal("40000.00"),
    )
    assert _row(build, "410101101")["guaranteed_ytd_cny"] == Decimal("40000.00")


@pytest.mark.parametrize(
    ("code", "when", "paid", "as_of", "partial", "gap"),
    [
        ("360313121", "2025-12", "50400.00", "2025-12", False, "0.00"),
        ("360313122", "2025-12", "46200.00", "2025-12", True, None),
        ("360313122", "2025-03", "12600.00", "2025-03", False, "0.00"),
        ("360313123", "2025-12", "4200.00", "2025-01", False, None),
        ("360313124", "2025-06", "16000.00", "2025-06", False, "9200.00"),
        ("360313125", "2025-12", "50400.00", "2025-12", False, "0.00"),
    ],
)
def test_what_was_paid_says_how_far_it_reaches(
    build: Path, code: str, when: str, paid: str, as_of: str, partial: bool, gap: str | None
) -> None:
    row = _row(build, code, when)
    assert (row["disbursed_ytd_cny"], row["disbursed_as_of_month"]) == (Decimal(paid), month(as_of))
    assert row["disbursed_is_partial"] is partial
    assert row["disbursement_shortfall_ytd_cny"] == (None if gap is None else Decimal(gap))
    assert row["status"] == "met"


def test_budgeted_is_not_paid(build: Path) -> None:
    assert _answers(build, "360313121", "A-10.1") == {"2025-12": ("met", None)}
    assert _answers(build, "360313123", "A-10.1") == {"2025-12": ("not_reported", "silent")}
    assert _answers(build, "360313124", "A-10.1") == {"2025-12": ("short", None)}
    pace = rows_of(
        build, "select month, progress_pct, calendar_pct, pace, behind_months_count, behind_cny "
        "from detail.payment_pace "
        "where township_code = ? and month in (?, ?) order by 1", "360313124", month("2025-05"), month("2025-06"),
    )  # fmt: skip
    assert [tuple(row.values())[1:] for row in pace] == [
        (Decimal("41.67"), Decimal("41.67"), "on_pace", None, Decimal(0)),
        (Decimal("31.75"), Decimal("50.00"), "behind", 1, Decimal("9200.00")),
    ]  # fmt: skip
    behind = rows_of(
        build, "select behind_months_count from detail.payment_pace "
        "where township_code = '360313124' and month between date '2025-04-01' and date '2025-12-01' order by month",
    )  # fmt: skip
    assert [row["behind_months_count"] for row in behind] == [None, None, 1, 2, 3, 4, 5, 6, 7]
    # Of a report in January and none after it nobody knows whether the year is on its way.
    silent = rows_of(
        build, "select pace from detail.payment_pace where township_code = '360313123' "
        "and month between date '2025-01-01' and date '2025-12-01' order by month",
    )  # fmt: skip
    assert [row["pace"] for row in silent] == ["on_pace"] + [None] * 11


def test_a_county_keeps_its_word_only_when_it_has_paid(build: Path) -> None:
    full, half = _answers(build, "640324", "C-12"), _answers(build, "640325", "C-12")
    assert [full[when][0] for when in ("2025-11", "2025-12", "2026-01")] == ["met"] * 3
    # Until December nothing is said of payment; its answer holds until the next.
    assert [half[when][0] for when in ("2025-11", "2025-12", "2026-01")] == ["met", "short", "short"]


@pytest.mark.parametrize(("heir", "doubted"), [("360313131", False), ("360313133", True)])
def test_from_a_merger_on_the_years_figures_are_the_whole_areas(
    build: Path, heir: str, doubted: bool
) -> None:
    june, december = _row(build, heir, "2025-06"), _row(build, heir)
    assert (june["guaranteed_annual_cny"], june["includes_predecessors"]) == (Decimal("50400.00"), False)
    # 25,200 and 25,200, then 30,000 people in the next tier for six months.
    assert december["guaranteed_annual_cny"] == Decimal("90000.00")
    assert (december["population_persons"], december["includes_predecessors"]) == (30000, True)
    assert december["allocated_annual_cny"] == Decimal("100800.00")
    assert december["disbursed_ytd_cny"] == (Decimal("75600.00") if doubted else Decimal("100800.00"))
    assert december["predecessors_are_added"] is doubted
    gone = "360313132" if heir == "360313131" else "360313134"
    assert _answers(build, gone, "A-10.1") == {}


def test_a_new_code_made_of_others_rests_on_them(build: Path) -> None:
    row = _row(build, "360313143", "2025-04")
    # 3 × 2,520 twice, then 18,000 people at 0.28.
    assert (row["population_persons"], row["guaranteed_ytd_cny"]) == (18000, Decimal("20160.00"))
    assert row["guaranteed_annual_cny"] == Decimal("60480.00")
    assert (row["accrued_months_count"], row["includes_predecessors"]) == (4, True)


def test_a_unit_without_a_single_heir_is_judged_for_payment_when_it_ends(build: Path) -> None:
    assert _answers(build, "360313151", "A-10.1") == {"2025-04": ("met", None)}
    assert _row(build, "360313152", "2025-05")["includes_predecessors"] is False


def test_a_stale_population_judges_nobody(build: Path) -> None:
    row = _row(build, "360313161")
    assert row["guaranteed_annual_cny"] == Decimal("50400.00")
    assert (row["population_is_stale"], row["status"], row["status_reason"]) == (
        True, "not_reported", "stale_population",
    )  # fmt: skip
    assert row["allocation_shortfall_cny"] is row["adequacy_pct"] is row["allocation_surplus_cny"] is None
    assert _answers(build, "360313161", "A-10")["2025-12"] == ("not_reported", "stale_population")


def test_a_basis_before_a_takeover_is_the_sum_in_later_years_too(build: Path) -> None:
    row = _row(build, "360313171", "2026-01")
    assert (row["population_persons"], row["tier_label"]) == (23000, "2-5万人")
    assert row["population_is_fallback"] is False
    staff = rows_of(
        build, "select population_persons from staffing_gap_monthly where township_code = ? and month = ?",
        "360313171", month("2026-01"),
    )  # fmt: skip
    assert all(each["population_persons"] in (None, 23000) for each in staff)


def test_a_unit_under_two_codes_at_once_counts_once(build: Path) -> None:
    """Whoever reports for the month at whose end both codes stand says which of them it is, or that they are two."""
    found = {
        county: [
            (
                row["township_code"][6:],
                row["guaranteed_annual_cny"],
                row["guaranteed_ytd_cny"],
                row["disbursed_ytd_cny"],
            )
            for row in rows_of(
                build,
                "select * from funding_gap_monthly where county_code = ? and month = ? order by 1",
                county,
                month("2025-06"),
            )
        ]
        for county in LAG
    }
    whole, half, paid = Decimal("50400.00"), Decimal("25200.00"), Decimal("25200.00")
    assert found == {
        "360401": [("109", whole, half, paid)],
        "360402": [("101", whole, half, paid)],
        # Both report: the new one has 5,000 people of its own since June.
        "360403": [
            ("101", whole, half, paid),
            ("109", Decimal("9800.00"), Decimal("1400.00"), Decimal("4200.00")),
        ],
        # 9,000 and 9,000 people go into one when it was opened.
        "360404": [("109", Decimal("60480.00"), Decimal("30240.00"), Decimal("46200.00"))],
    }
    counted = rows_of(
        build, "select unit_code, units_count, guaranteed_of_covered_cny as whole from detail.unit_monthly "
        "where unit_code in ('360401', '360402', '360403', '360404') and month = ? order by 1", month("2025-06"),
    )  # fmt: skip
    assert [(row["units_count"], row["whole"]) for row in counted] == [
        (1, whole), (1, whole), (2, Decimal("60200.00")), (1, Decimal("60480.00")),
    ]  # fmt: skip
    taken = _row(build, "360403109", "2025-07")
    assert (taken["population_persons"], taken["includes_predecessors"]) == (20000, True)
    for county in ("360401", "360402"):
        row = _row(build, f"{county}109", "2025-07")
        assert (row["population_persons"], row["includes_predecessors"]) == (15000, False)
        assert row["disbursed_ytd_cny"] == Decimal("29400.00")
    told = rows_of(
        build, "select subject_code, count(*) as n from judgements where rule_id = 'A-10' and month = ? "
        "and subject_code between '360401' and '360405' group by all order by 1", month("2025-06"),
    )  # fmt: skip
    assert [row["subject_code"] for row in told] == [
        "360401109", "360402101", "360403101", "360403109", "360404109",
    ]  # fmt: skip
    twice = rows_of(
        build, "select t.unit_id, f.month from funding_gap_monthly f join townships t using (township_code) "
        "group by all having count(*) > 1",
    )  # fmt: skip
    assert twice == []
