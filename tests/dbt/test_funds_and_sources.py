"""Two sources that differ, two funds that never meet, and five ways of having nothing to report: one build for all."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.dbt.world import World, month, months

CONFLICTS, PLAIN, FUNDED, NIL, PAID, SUMS = "360311", "360312", "360321", "360322", "360323", "360313"
TWO_YEARS = months("2024-01", "2025-12")
FIGURES = (
    *("initial_budget_cny", "adjusted_budget_cny", "disbursed_month_cny", "disbursed_cumulative_cny"),
    *("spent_month_cny", "spent_cumulative_cny", "carried_over_cny"),
)
STANDARD = {
    "standard_id": "X-01", "document_id": "X", "clause": "一", "quotation": "每人每年7元", "title_zh": "临时救助",
    "matter": "temporary_relief", "scope_code": FUNDED, "subject_level": "township", "topic_zh": "经费",
    "metric_zh": "临时救助", "formula": "per_capita_by_tier", "comparator": ">=", "unit": "元", "period": "month",
    "population_basis": "registered", "population_date_rule": "prior_year_end", "edge_rule": "legal_default",
    "strength": "must", "severity": "high", "gradeable": "Y", "effective_from": "2020-01-01",
    "recorded_on": "2025-01-01", "issued_on": "2020-01-01",
}  # fmt: skip


def conflicts(world: World) -> dict[tuple[str, str, str], tuple[Decimal, Decimal]]:
    """Townships of which the treasury reports something else: (code, month, figure) → both amounts."""
    chance = random.Random(14)
    planted: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {}
    for number in range(72):
        code = f"{CONFLICTS}{100 + number}"
        world.unit(code)
        for when in TWO_YEARS:
            own = {name: Decimal(chance.randrange(1, 9_000_000)) / 100 for name in FIGURES}
            other = {
                name: value + Decimal(chance.choice((-1, 1, 120_000))) / 100 for name, value in own.items()
            }
            same = chance.choice(FIGURES)
            other[same] = own[same]
            world.report("budget", code, when, **own)
            world.report("budget", code, when, **other, source="treasury", submission_id="s2", precedence=2)
            planted |= {(code, when, name): (own[name], other[name]) for name in FIGURES if name != same}
    # The township's own correction is a correction still, and no conflict.
    world.unit(f"{CONFLICTS}199")
    for precedence, amount in ((1, 500), (3, 700)):
        world.report(
            "budget", f"{CONFLICTS}199", "2025-06",
            disbursed_month_cny=Decimal(amount), precedence=precedence, submission_id=f"s{precedence}",
        )  # fmt: skip
    return planted


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Any, Any]]:
    world = World()
    for county in (CONFLICTS, PLAIN, FUNDED, NIL, PAID, SUMS):
        world.unit(county, "区")
    planted = conflicts(world)
    chance = random.Random(7)
    for number in range(12):
        people, budget = chance.randrange(3_000, 70_000), Decimal(chance.randrange(20_000, 200_000))
        for county in (PLAIN, FUNDED):
            code = f"{county}{100 + number}"
            world.unit(code)
            world.report("population", code, ["2024-12"], population_persons=people)
            world.report(
                "budget", code, months("2025-01", "2025-12"),
                initial_budget_cny=budget, disbursed_month_cny=budget / 12 // 1, spent_month_cny=Decimal(9),
            )  # fmt: skip
        world.report(
            "budget", f"{FUNDED}{100 + number}", months("2025-01", "2025-12"),
            fund_code=chance.choice(("temporary_relief", "unlisted:某项目")), fund_name="临时救助",
            initial_budget_cny=Decimal(people * chance.choice((6, 7, 8))), disbursed_month_cny=Decimal(1_000_000),
        )  # fmt: skip
    world.own(
        "policy_documents",
        [
            {
                "document_id": "X",
                "document_title": "区办法",
                "issuer_code": FUNDED,
                "issuer_level": "county",
                "issuer_name": "区政府",
                "force": "binding",
                "recorded_on": "2025-01-01",
            }
        ],
    )
    # Every shape of a money standard, far above and far below what the working funds are guaranteed.
    world.own(
        "standards",
        [
            STANDARD,
            STANDARD | {"standard_id": "X-02", "formula": "per_capita_marginal"},
            STANDARD | {"standard_id": "X-03", "formula": "flat_by_tier", "accrual": "annual"},
        ],
    )
    small = {"tier_no": 1, "tier_label": "3万人以下", "upper_bound": 30_000, "upper_included": True}
    large = {"tier_no": 2, "tier_label": "3万人以上", "lower_bound": 30_000, "lower_included": False}
    world.own(
        "standard_tiers",
        [
            {"standard_id": "X-01", "tier_no": 1, "tier_label": "全部", "value": "7", "unit": "元/人·年"},
            *({"standard_id": "X-02", "value": "900", "unit": "元/人·年"} | tier for tier in (small, large)),
            *({"standard_id": "X-03", "value": "1", "unit": "元/年"} | tier for tier in (small, large)),
        ],
    )
    nil = {"disbursed_month_cny": Decimal(0), "nil_figures": "report;disbursed_month_cny;spent_month_cny"}
    told: list[dict[str, Any]] = [
        nil,
        {"initial_budget_cny": Decimal(9)},
        {"initial_budget_cny": Decimal(9), "dashed_figures": "disbursed_month_cny"},
        {"initial_budget_cny": Decimal(9), "disbursed_month_cny": Decimal(0)},
    ]
    for number in range(5):
        code = f"{NIL}{100 + number}"
        world.unit(code)
        if number < 4:
            world.report("budget", code, "2025-06", **told[number])
            world.delivered.append(
                {
                    "dataset": "budget", "month": month("2025-06"), "township_code": code, "files_count": 1,
                    "accepted_count": 1, "held_count": 0, "rejected_count": 0, "nil_count": int(number == 0),
                    "is_dated": True, "first_received_on": date(2025, 7, 1), "last_received_on": date(2025, 7, 1),
                }
            )  # fmt: skip
    world.due.append({"dataset": "budget", "month": month("2025-06"), "due_on": date(2025, 7, 7)})
    for number, amounts in enumerate(((1000, 234), (), (500,))):
        code = f"{PAID}{100 + number}"
        world.unit(code)
        world.report("budget", code, "2025-01", disbursed_month_cny=Decimal("1234"))
        for voucher, amount in enumerate(amounts):
            world.report(
                "payments", code, "2025-01", source="treasury", amount_cny=Decimal(amount),
                voucher_no=f"{number}-{voucher}", paid_on=date(2025, 1, 9), submission_id="s4", precedence=4,
            )  # fmt: skip
    world.covered.append(
        {"submission_id": "s4", "source": "treasury", "fund_code": "working_funds", "month": month("2025-01"),
         "division_code": PAID, "precedence": 4}
    )  # fmt: skip
    sums(world)
    return world.build(tmp_path_factory.mktemp("funds")), planted


def sums(world: World) -> None:
    """One source tells months, the other sums of the year, January to April."""
    first = months("2025-01", "2025-04")

    def treasury(code: str, when: str, amount: int) -> None:
        world.report(
            "budget", code, when, disbursed_month_cny=Decimal(amount), source="treasury", submission_id="s6", precedence=6
        )  # fmt: skip

    for number in range(5):
        world.unit(f"{SUMS}{100 + number}")
    for place, when in enumerate(first, 1):
        # 100: a list of vouchers, 50 less from February on; 101: the same amounts; 102: the treasury's February is unknown.
        for number in range(3):
            world.report(
                "budget", f"{SUMS}{100 + number}", when, disbursed_cumulative_cny=Decimal(1000 * place)
            )
        world.report(
            "payments", f"{SUMS}100", when, source="treasury", voucher_no=when, paid_on=month(when),
            amount_cny=Decimal(950 if place == 2 else 1000), submission_id="s5", precedence=5,
        )  # fmt: skip
        treasury(f"{SUMS}101", when, 1000)
        if place != 2:
            treasury(f"{SUMS}102", when, 900)
        # 103: both tell months, which differ in March: told once. 104: the months agree, the township's own sum does not.
        for number, own in ((103, {}), (104, {"disbursed_cumulative_cny": Decimal(1000 * place + 70)})):
            code = f"{SUMS}{number}"
            world.report("budget", code, when, disbursed_month_cny=Decimal(1000), **own)
            treasury(code, when, 800 if number == 103 and place == 3 else 1000)


def rows(built: tuple[Path, dict[Any, Any]], query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(built[0]), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_no_conflict_is_silent_and_the_rule_decides(built: tuple[Path, dict[Any, Any]]) -> None:
    found = rows(
        built,
        "select township_code, strftime(month, '%Y-%m'), figure, value_a, value_b, difference, source_a, source_b, "
        f"used_source, submission_a, submission_b from reconciliation where county_code = '{CONFLICTS}'",
    )
    planted = built[1]
    assert len(planted) > 10_000
    assert {row[:3]: row[3:5] for row in found} == planted
    for _, _, figure, own, other, difference, source_a, source_b, used, file_a, file_b in found:
        assert difference == own - other
        assert (source_a, source_b, file_a, file_b) == ("township", "treasury", "s1", "s2")
        assert used == ("treasury" if figure.startswith("disbursed") else "township")
    used_sums = rows(
        built,
        f"select count(*) from fund_ledger_monthly where county_code = '{CONFLICTS}' and disbursed_source = 'treasury' "
        f"and township_code <> '{CONFLICTS}199'",
    )
    assert used_sums == [(72 * 24,)]
    assert rows(
        built,
        f"select disbursed_month_cny from reported.budget where township_code = '{CONFLICTS}199' and is_latest",
    ) == [(Decimal(700),)]


def test_two_funds_never_meet(built: tuple[Path, dict[Any, Any]]) -> None:
    def figures(county: str) -> pl.DataFrame:
        with duckdb.connect(str(built[0]), read_only=True) as connection:
            return connection.sql(
                "select right(township_code, 3) as place, * exclude (township_code, township_name, county_code, "
                "county_name, population_township_code) from funding_gap_monthly "
                f"where county_code = '{county}' order by place, month"
            ).pl()

    assert figures(PLAIN).equals(figures(FUNDED), null_equal=True)
    assert figures(PLAIN)["guaranteed_annual_cny"].drop_nulls().len() > 100
    for table, named in (("judgements", "subject_unit"), ("findings", "finding_id, message_zh")):
        plain, funded = (
            rows(
                built,
                f"select right(subject_code, 3) as place, * exclude (subject_code, {named}) from {table} "
                f"where subject_code like '{county}___' and rule_id not like 'X-%' order by all",
            )
            for county in (PLAIN, FUNDED)
        )
        assert len(plain) > 10
        assert plain == funded, table
    shapes = rows(
        built,
        "select rule_id, count(distinct status) from judgements "
        f"where rule_id in ('X-01', 'X-02', 'X-03') and subject_code like '{FUNDED}___' group by 1 order by 1",
    )
    assert [rule for rule, _ in shapes] == ["X-01", "X-02", "X-03"]
    answers = rows(
        built,
        "select j.status, l.initial_cny, l.fund_code from judgements as j left join fund_ledger_monthly as l "
        "on j.subject_code = l.township_code and j.month = l.month and l.matter = 'temporary_relief' "
        "where j.rule_id = 'X-01' and j.month = date '2025-12-01'",
    )
    assert {(status, fund) for status, _, fund in answers} >= {("not_reported", None)}
    assert {status for status, _, fund in answers if fund} <= {"met", "short"}


def test_five_ways_of_nothing_are_five_things(built: tuple[Path, dict[Any, Any]]) -> None:
    told = rows(
        built,
        "select state, nil_figures, dashed_figures, blank_figures from detail.submission_status "
        f"where county_code = '{NIL}' and month = date '2025-06-01' and dataset = 'budget' order by township_code",
    )
    assert len(set(told)) == 5
    assert [row[0] for row in told] == ["nil", "reported", "reported", "reported", "missing"]
    mart = rows(
        built,
        "select disbursed_told, disbursed_ytd_cny from funding_gap_monthly "
        f"where county_code = '{NIL}' and month = date '2025-06-01' order by township_code",
    )
    assert mart == [("nil", 0), ("blank", None), ("dash", None), ("figure", 0), ("missing", None)]


def test_a_payment_list_is_added_up_and_its_silence_is_nothing_paid(
    built: tuple[Path, dict[Any, Any]],
) -> None:
    paid = rows(
        built,
        "select township_code, disbursed_ytd_cny, disbursed_source from funding_gap_monthly "
        f"where county_code = '{PAID}' and month = date '2025-01-01' order by township_code",
    )
    assert [row[1:] for row in paid] == [(1234, "treasury"), (0, "treasury"), (500, "treasury")]
    differing = rows(
        built, f"select difference from reconciliation where county_code = '{PAID}' order by township_code"
    )
    assert differing == [(1234,), (734,)]
    # Which months the list speaks of is published: without them nobody can tell nothing paid from nothing known.
    covered = rows(
        built,
        "select source, fund_code, month, submission_id, is_latest from detail.payment_coverage "
        f"where county_code = '{PAID}'",
    )
    assert covered == [("treasury", "working_funds", date(2025, 1, 1), "s4", True)]


def test_months_of_one_source_are_compared_with_the_sums_of_another(
    built: tuple[Path, dict[Any, Any]],
) -> None:
    found = rows(
        built,
        "select right(township_code, 3), month(month), figure, value_a, value_b, difference, used_source, "
        "row_number_a is not null and row_number_b is not null, contains(rule, '由各月数相加') "
        f"from reconciliation where county_code = '{SUMS}' order by 1, 2",
    )
    told = "disbursed_cumulative_cny"
    assert found == [
        *(("100", n, told, 1000 * n, 1000 * n - 50, 50, "treasury", True, True) for n in (2, 3, 4)),
        ("102", 1, told, 1000, 900, 100, "treasury", True, True),
        ("103", 3, "disbursed_month_cny", 1000, 800, 200, "treasury", True, False),
        *(("104", n, told, 1000 * n + 70, 1000 * n, 70, "treasury", True, True) for n in (1, 2, 3, 4)),
    ]
