"""What closing a money finding moved: cases with known answers, and all of it replayed from the published tables."""

from __future__ import annotations

import calendar
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.dbt.world import World, document, month, months, rows_of, rule

FLAT, MORE, BY_HEAD = "M-01", "M-02", "M-03"
COUNTY, BOTH, HEADS = "410101", "410102", "410103"
RAISED, NOTIFIED, LATE, DROPPED, FEN, SILENT, HEARD, HEIR, RENAMED, PAID = (
    f"{COUNTY}1{number:02}" for number in range(10)
)
NOTES = f"""问题编号,类别,记录日期,内容,约定日期,豁免至,批准人,记录人
{FLAT}/{NOTIFIED}/2025-01,通知,2025-03-20,督办单,,,,张三
{FLAT}/{NOTIFIED}/2025-01,通知,2025-05-06,再次督办,,,,张三
{FLAT}/{LATE}/2025-01,通知,2025-08-01,整改以后才通知,,,,张三
{FLAT}/{HEARD}/2025-01,通知,2025-04-30,提醒函,,,,张三
"""
NEW: dict[str, Any] = {"valid_from": date(2025, 1, 1)}
Row = dict[str, Any]


def _rule(world: World, name: str, county: str, formula: str, value: str, unit: str) -> None:
    world.own("standards", [rule(
        name, formula=formula, scope_code=county, matter="working_funds", document_id=f"Z{name}",
        population_basis="registered", population_date_rule="prior_year_end", edge_rule="legal_default",
    )])  # fmt: skip
    world.own("policy_documents", [document(f"Z{name}", issuer_code=county if name != MORE else "410000")])
    world.own("standard_tiers", [{"standard_id": name, "tier_no": 1, "tier_label": "全部", "lower_bound": 0,
                                  "lower_included": True, "value": value, "unit": unit}])  # fmt: skip
    world.own("standard_measures", [{"standard_id": name, "role": "value", "part_no": 1, "required": True,
                                     "measure_code": "allocated_annual_cny", "label_zh": "年度安排数"}])  # fmt: skip


def _budgets(world: World, code: str, year: int, initial: str | None, **adjusted: str) -> None:
    """A year's budget: the initial one each month, and adjusted ones (m6="…") in theirs; paid in full."""
    for number in range(1, 13):
        told = adjusted.get(f"m{number}")
        world.report(
            "budget", code, f"{year}-{number:02}",
            initial_budget_cny=None if initial is None else Decimal(initial),
            adjusted_budget_cny=None if told is None else Decimal(told),
            disbursed_cumulative_cny=Decimal(5000 * number),
        )  # fmt: skip


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world, place = World(), tmp_path_factory.mktemp("moved")
    _rule(world, FLAT, COUNTY, "flat_by_tier", "40000", "元/年")
    _rule(world, f"{FLAT}B", BOTH, "flat_by_tier", "30000", "元/年")
    _rule(world, MORE, BOTH, "flat_by_tier", "40000", "元/年")
    _rule(world, BY_HEAD, HEADS, "per_capita_by_tier", "0.28", "元/人·月")
    for code in (RAISED, NOTIFIED, LATE, DROPPED, FEN, SILENT, HEARD, PAID, f"{BOTH}100"):
        # The tables begin in 2024: who was founded in 2025 was silent about nothing before.
        world.unit(code, **({} if code == PAID else NEW))
        world.report("population", code, months("2025-01", "2025-12"), population_persons=9000)
    _budgets(world, RAISED, 2025, "32345.67", m5="41000.00")
    _budgets(world, NOTIFIED, 2025, "20000.00", m2="25000.01", m6="33000.10", m9="40000.00")
    _budgets(world, LATE, 2025, "35000.00", m6="40000.00")
    _budgets(world, DROPPED, 2025, "45000.00", m3="30000.00", m8="39000.00", m10="40000.00")
    _budgets(world, FEN, 2025, "39999.99", m4="40000.00")
    for code in (SILENT, HEARD):
        # No budget is told until February.
        _budgets(world, code, 2025, None, m2="30000.00", m7="40000.00")
    # Taken over in July: the heir's budget is the area's from then on.
    world.unit(HEIR, **NEW)
    world.unit(f"{COUNTY}200", "乡", **NEW, valid_to=date(2025, 7, 1), successor_code=HEIR)
    world.report("population", HEIR, months("2025-01", "2025-12"), population_persons=9000)
    world.report("population", f"{COUNTY}200", months("2025-01", "2025-06"), population_persons=5000)
    _budgets(world, HEIR, 2025, "30000.00", m7="90000.00")
    world.report("budget", f"{COUNTY}200", months("2025-01", "2025-06"), initial_budget_cny=Decimal(40000))
    # 撤乡设镇: another code, the same unit.
    world.unit(RENAMED, "乡", **NEW, valid_to=date(2025, 7, 1), successor_code=f"{COUNTY}300")
    world.unit(f"{COUNTY}300", valid_from=date(2025, 7, 1))
    world.report("population", RENAMED, months("2025-01", "2025-06"), population_persons=9000)
    world.report("budget", RENAMED, months("2025-01", "2025-06"), initial_budget_cny=Decimal("38000.50"))
    world.report("budget", f"{COUNTY}300", months("2025-07", "2025-12"), initial_budget_cny=Decimal(40000))
    # Paid too little in 2024, in full in 2025.
    world.report("population", PAID, months("2024-01", "2024-12"), population_persons=9000)
    _budgets(world, PAID, 2024, "40000.00")
    for row in world.rows["budget"]:
        if row["township_code"] == PAID:
            row["disbursed_cumulative_cny"] = Decimal("2500.25") * row["month"].month
    _budgets(world, PAID, 2025, "40000.00")
    _budgets(world, f"{BOTH}100", 2025, "22000.00", m5="31000.00", m9="40000.00")
    # What is guaranteed falls with the people: the rise is less than the shortfall, or there is none.
    for code, after in ((f"{HEADS}100", "66480.00"), (f"{HEADS}101", "66000.00")):
        world.unit(code)
        world.report("population", code, "2024-01", population_persons=20000)
        world.report("population", code, "2024-12", population_persons=19000)
        _budgets(world, code, 2024, "66400.00")
        _budgets(world, code, 2025, after)
    (place / "data" / "findings").mkdir(parents=True)
    (place / "data" / "findings" / "通知.csv").write_text(NOTES, "utf-8")
    return world.build(place)


def _moved(build: Path, code: str, measure: str = "allocated") -> list[Row]:
    return rows_of(
        build,
        "select * from detail.moved_amounts where unit_id = ? and measure = ? order by month, rule_id",
        code,
        measure,
    )


def _one(build: Path, code: str, measure: str = "allocated") -> Row:
    (row,) = _moved(build, code, measure)
    return row


def test_a_rise_counts_up_to_what_was_missing(build: Path) -> None:
    row = _one(build, RAISED)
    assert (row["from_cny"], row["to_cny"]) == (Decimal("32345.67"), Decimal("41000.00"))
    assert (row["open_shortfall_cny"], row["moved_cny"]) == (Decimal("7654.33"), Decimal("7654.33"))
    assert (row["begins_with"], row["from_month"], row["month"]) == (
        "opened",
        month("2025-01"),
        month("2025-05"),
    )
    assert (row["to_report_month"], row["to_submission_id"]) == (month("2025-05"), "s1")
    assert (row["to_sheet"], row["to_row_number"] > 0) == ("表", True)


def test_what_rose_before_the_notice_is_not_its_doing(build: Path) -> None:
    row = _one(build, NOTIFIED)
    # The notice of 20 March rests on February; the second one changes nothing.
    assert (row["begins_with"], row["notified_on"], row["from_month"]) == (
        "notice",
        date(2025, 3, 20),
        month("2025-02"),
    )
    assert row["moved_cny"] == Decimal("14999.99")


def test_a_notice_after_the_closing_moved_nothing(build: Path) -> None:
    row = _one(build, LATE)
    assert (row["begins_with"], row["moved_cny"], row["unknown_reason"]) == ("notice", Decimal(0), None)


def test_amounts_to_the_fen_and_after_a_cut(build: Path) -> None:
    assert _one(build, FEN)["moved_cny"] == Decimal("0.01")
    assert _one(build, DROPPED)["moved_cny"] == Decimal("10000.00")


def test_what_was_not_known_at_the_beginning_stays_unknown(build: Path) -> None:
    row = _one(build, SILENT)
    assert (row["moved_cny"], row["open_shortfall_cny"], row["unknown_reason"]) == (
        None,
        None,
        "start_unknown",
    )
    # The same reports, but with a notice when the budget was known.
    assert _one(build, HEARD)["moved_cny"] == Decimal("10000.00")


def test_two_areas_are_not_compared_and_a_new_code_is_no_other_unit(build: Path) -> None:
    row = _one(build, HEIR)
    assert (row["moved_cny"], row["unknown_reason"]) == (None, "area_changed")
    row = _one(build, RENAMED)
    assert (row["township_code"], row["moved_cny"]) == (f"{COUNTY}300", Decimal("1999.50"))


def test_payment_compares_years_and_says_so(build: Path) -> None:
    row = _one(build, PAID, "disbursed")
    assert (row["rule_id"], row["from_month"], row["month"]) == (
        f"{FLAT}.1",
        month("2024-12"),
        month("2025-12"),
    )
    assert (row["moved_cny"], row["is_of_two_years"]) == (Decimal("9997.00"), True)


def test_of_two_standards_for_the_same_money_one_counts(build: Path) -> None:
    found = {
        row["rule_id"]: (row["moved_cny"], row["is_counted_in_totals"]) for row in _moved(build, f"{BOTH}100")
    }
    assert found == {f"{FLAT}B": (Decimal(8000), False), MORE: (Decimal(18000), True)}


def test_a_guarantee_that_fell_is_no_money_moved(build: Path) -> None:
    assert _one(build, f"{HEADS}100")["moved_cny"] == Decimal("80.00")
    assert _one(build, f"{HEADS}101")["moved_cny"] == Decimal(0)


def test_all_of_it_replayed_from_the_published_tables(build: Path) -> None:
    """Plain Python over findings, judgements, notes and takeovers, to the 分."""
    money = {
        row["standard_id"]
        for row in rows_of(
            build, "select standard_id from standards where unit = '元' and subject_level = 'township'"
        )
    }
    answers: dict[tuple[str, str], dict[date, Row]] = {}
    for row in rows_of(build, "select * from judgements where subject_level = 'township'"):
        answers.setdefault((row["rule_id"], row["subject_unit"]), {})[row["month"]] = row
    notices: dict[str, date] = {}
    for row in rows_of(build, "select * from detail.finding_notes where kind = 'notice'"):
        known = notices.get(row["current_finding_id"], row["recorded_on"])
        notices[row["current_finding_id"]] = min(known, row["recorded_on"])
    takeovers = rows_of(build, "select * from detail.takeovers")
    expected: dict[str, Decimal | None] = {}
    for row in rows_of(
        build, "select * from findings where status = 'cleared' and subject_level = 'township'"
    ):
        if row["rule_id"] not in money:
            continue
        unit = row["finding_id"].split("/")[1]
        own, start, end = answers[row["rule_id"], unit], row["opened_month"], row["cleared_month"]
        for when in sorted(own):
            last = when.replace(day=calendar.monthrange(when.year, when.month)[1])
            if start < when <= end and last <= notices.get(row["finding_id"], date.min):
                start = when
        before, after = own[start], own[end]
        joined = any(
            item["heir_unit_id"] == unit and start < item["since_month"] <= end for item in takeovers
        )
        if joined or None in (before["shortfall"], before["value_checked"], after["value_checked"]):
            expected[row["finding_id"]] = None
        else:
            rose = after["value_checked"] - before["value_checked"]
            expected[row["finding_id"]] = min(max(rose, Decimal(0)), before["shortfall"])
    found = rows_of(build, "select * from detail.moved_amounts")
    assert {row["finding_id"]: row["moved_cny"] for row in found} == expected
    assert len(expected) > 12

    # And the roll-ups: of each township the larger of provision and payment, in the year so far.
    for level, digits in (("county", 6), ("city", 4), ("province", 2), ("country", 0)):
        for row in rows_of(build, "select * from detail.unit_moved_monthly where unit_level = ?", level):
            prefix = row["unit_code"][:digits]
            towns: dict[str, dict[str, list[Decimal]]] = {}
            closed = 0
            for item in found:
                when = item["month"]
                if (
                    item["is_counted_in_totals"]
                    and item["township_code"].startswith(prefix)
                    and when.year == row["month"].year
                    and when <= row["month"]
                ):
                    closed += 1
                    if item["moved_cny"] is not None:
                        sums = towns.setdefault(item["township_code"], {})
                        sums.setdefault(item["measure"], []).append(item["moved_cny"])
            totals = [max(sum(amounts) for amounts in sums.values()) for sums in towns.values()]
            assert row["closed_money_count"] == closed
            assert row["moved_ytd_cny"] == (sum(totals) if totals else None)
