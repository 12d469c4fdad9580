"""Laws that hold whatever the numbers are: between townships of one folder that tell the same thing in two ways.

Everything goes through the product in one run; the oracle is not asked. Each law has townships of its own, whose
stories are told a second time under another code: renamed, under a rate cut into pieces, or written more exactly.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.oracle.compare import distinct, read_table
from tests.oracle.figures import last_day, month_after
from tests.oracle.reading import Division
from tests.oracle.running import run
from tests.oracle.stories import (
    FIRST,
    JIANGXI,
    LAST,
    YEAR,
    Rules,
    Teller,
    World,
    drifting,
    months,
    plain,
    size,
    standing,
    yearly,
)

PLAIN, WHOLE, PIECES, COARSE, MERGING = "360111", "410102", "410103", "360112", "360113"
# People in 万人 under a rate that changes within the year, and rules on registered and resident people side by side.
CHANGING, TWO_COUNTS = "360114", "410104"
COARSER = "360115"
SAME = (
    "month",
    "population_persons",
    "population_month",
    "population_is_fallback",
    "population_is_stale",
    "guaranteed_annual_cny",
    "guaranteed_ytd_cny",
    "allocated_annual_cny",
    "disbursed_ytd_cny",
    "disbursed_is_partial",
    "disbursed_as_of_month",
    "allocation_shortfall_cny",
    "allocation_surplus_cny",
    "disbursement_shortfall_ytd_cny",
    "adequacy_pct",
    "is_within_precision",
    "is_tier_uncertain",
    "status",
    "status_reason",
)
Rows = dict[tuple[str, date], dict[str, Any]]


def _tell_again(
    world: World, code: str, as_code: Callable[[date], str | None], exact: random.Random | None
) -> None:
    """Every row of a township once more, under another code; with `exact`, in 元 to the 分, anywhere in the interval."""
    for name, file in list(world.files.items()):
        for row in list(file.rows):
            if row[1] != code:
                continue
            other = as_code(date.fromisoformat(row[0] + "-01"))
            if other is None:
                continue
            cells, target = row[3:], name
            if exact and name.startswith("民政工作经费（万元"):
                cells = [_refined(exact, cell) if _is_amount(cell) else cell for cell in cells]
                target = "民政工作经费（元）" + name.partition("）")[2]
                header = [title.replace("(万元)", "(元)") for title in file.header]
            else:
                header = file.header
            world.say(target, header, [row[0], other, "", *cells])


def _is_amount(cell: str) -> bool:
    return cell.replace(".", "", 1).replace("-", "", 1).isdigit()


def _refined(chance: random.Random, cell: str) -> str:
    """An amount to the 分 that would be written like this in 万元 with so many decimals."""
    value = Decimal(cell) * 10_000
    if not value:
        return "0.00"
    half = 500_000 // 10 ** len(cell.partition(".")[2])
    return str(value + Decimal(chance.randint(-half, half - 1)).scaleb(-2))


@dataclass
class Told:
    """What the product made of the twins."""

    pairs: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]
    rows: Rows
    answers: dict[tuple[str, date, str], str]
    mergers: list[tuple[str, str, date, int]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    chance = random.Random(2025)
    world = World()
    for county in (PLAIN, WHOLE, PIECES, COARSE, COARSER, MERGING, CHANGING, TWO_COUNTS):
        world.divisions.append(Division(county, f"模拟{county}县", "县"))

    def several(county: str, count: int, story: Callable[[Teller], Any]) -> list[Any]:
        teller = Teller(world, chance, county, JIANGXI, iter(range(100, 200)))
        return [story(teller) for _ in range(count)]

    rules = Rules()
    rules.add("W-01", WHOLE, "per_capita_by_tier", "0.26", date(2020, 1, 1))
    cuts = [date(2020, 1, 1), *(date(YEAR, n, 1) for n in sorted(chance.sample(range(1, 13), 3)))]
    for number, day in enumerate(cuts, 1):
        rules.add(f"W-1{number}", PIECES, "per_capita_by_tier", "0.26", day)
    rules.add("W-21", CHANGING, "per_capita_by_tier", "0.40", date(2020, 1, 1), effective_to=f"{YEAR}-06-30")
    rules.add("W-31", TWO_COUNTS, "per_capita_by_tier", "0.20", date(2020, 1, 1))
    rules.add("W-32", TWO_COUNTS, "per_capita_by_tier", "0.10", date(2020, 1, 1), population_basis="resident")
    world.standards = dict(rules.tables)
    pairs: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {
        "renamed": [],
        "pieces": [],
        "refined": [],
    }

    for unit in [*several(PLAIN, 40, plain), *several(CHANGING, 25, _in_tens_of_thousands)]:
        day = date(YEAR, chance.randint(2, 12), chance.choice([1, 10, 28]))
        county = unit.code[:6]
        new = replace(unit, code=f"{county}{int(unit.code[6:]) + 100}", begins=day, name=f"新{unit.code}")
        old = Division(
            f"{county}{int(unit.code[6:]) + 200}", f"旧{unit.code}", unit.kind, None, day, (new.code,)
        )
        world.divisions += [old, new]
        _tell_again(world, unit.code, standing(old, new), None)
        pairs["renamed"].append(((unit.code,), (old.code, new.code)))
    for unit in several(WHOLE, 40, plain):
        twin = replace(unit, code=PIECES + unit.code[6:])
        world.divisions.append(twin)
        _tell_again(world, unit.code, standing(twin), None)
        pairs["pieces"].append(((unit.code,), (twin.code,)))
    coarse = [*several(COARSE, 40, lambda teller: plain(teller, "万元")),
              *several(COARSER, 40, lambda teller: plain(teller, "万元一位小数"))]  # fmt: skip
    for unit in coarse:
        twin = replace(unit, code=f"{unit.code[:6]}{int(unit.code[6:]) + 100}", name=f"细{unit.code}")
        world.divisions.append(twin)
        _tell_again(world, unit.code, standing(twin), chance)
        pairs["refined"].append(((unit.code,), (twin.code,)))
    mergers = several(MERGING, 20, _merger)
    _two_counts(world)

    for file in world.files.values():
        chance.shuffle(file.rows)
    place = tmp_path_factory.mktemp("laws")
    world.write(place)
    warehouse = run(place)
    rows = read_table(warehouse, "funding_gap_monthly", ["township_code", *SAME])
    answers = read_table(warehouse, "judgements", ["subject_code", "month", "rule_id", "status"])
    return Told(
        pairs,
        {(row["township_code"], row["month"]): row for row in rows},
        {(row["subject_code"], row["month"], row["rule_id"]): row["status"] for row in answers},
        mergers,
    )


def _in_tens_of_thousands(teller: Teller) -> Division:
    """A unit whose people are told in 万人, around a tier's edge."""
    unit = teller.unit()
    teller.enter(unit)
    base = teller.chance.choice([19_600, 20_000, 20_400, 30_000, 50_000])
    teller.people(unit.code, FIRST, base, "", "万人")
    amount = (yearly(JIANGXI, base) * Decimal(teller.chance.choice(["0.9", "1", "1.2"]))).quantize(Decimal(1))
    for month in months(date(YEAR, 1, 1), date(YEAR, 12, 1)):
        teller.money(
            unit.code, month, {"年初预算": amount, "本月拨付": (amount / 12).quantize(Decimal(1))}, "元"
        )
    return unit


def _two_counts(world: World) -> None:
    """2.0 万人 of registered and 30,000 resident people: 19,500 × 0.20 × 12 = 46,800 at least, 30,000 × 0.10 × 12 = 36,000."""
    for number, budget in enumerate(("46799.99", "46800.00", "30000.00"), 1):
        unit = Division(f"{TWO_COUNTS}10{number}", f"模拟{number}镇", "镇")
        world.divisions.append(unit)
        header = ["统计月份", "区划代码", "乡镇名称", "户籍人口(万人)", "常住人口(人)"]
        world.say("两种人口", header, [f"{FIRST:%Y-%m}", unit.code, "", "2.0", "30000"])
        world.say(
            "两种人口的经费",
            ["统计月份", "区划代码", "乡镇名称", "年初预算(元)"],
            [f"{YEAR}-01", unit.code, "", budget],
        )


def _merger(teller: Teller) -> tuple[str, str, date, int]:
    """Two units of which one takes the other over; their codes, the month, the people of both."""
    day = date(YEAR, teller.chance.randint(2, 12), 1)
    heir = teller.unit()
    gone = replace(teller.unit(ends=day), successors=(heir.code,))
    teller.enter(heir, gone)
    sizes = []
    for unit in (heir, gone):
        people = size(teller.chance, teller.edges)
        sizes.append(people)
        for month in months(FIRST, LAST):
            if unit.stands_on(last_day(month)):
                teller.people(unit.code, month, drifting(people)(month), people // 3, "人")
    return heir.code, gone.code, day, sum(sizes)


def _month_by_month(told: Told, codes: tuple[str, ...]) -> dict[date, dict[str, Any]]:
    return {month: row for (code, month), row in told.rows.items() if code in codes}


@pytest.mark.parametrize("law", ["renamed", "pieces"])
def test_a_new_name_or_the_same_rate_in_pieces_changes_nothing(told: Told, law: str) -> None:
    wrong = []
    for one, other in told.pairs[law]:
        left, right = _month_by_month(told, one), _month_by_month(told, other)
        assert left.keys() == right.keys()
        assert left
        wrong += [
            (one, other, month, name, left[month][name], right[month][name])
            for month in left
            for name in SAME
            if distinct(left[month][name], right[month][name])
        ]
    assert not wrong, wrong[:10]


def test_the_least_of_a_count_is_asked_of_each_rule_by_its_own_people(told: Told) -> None:
    rows = [told.rows[f"{TWO_COUNTS}10{number}", date(YEAR, 3, 1)] for number in (1, 2, 3)]
    assert [str(row["status"]) for row in rows] == ["short", "met", "short"]
    assert [row["allocation_shortfall_cny"] for row in rows] == [Decimal("0.01"), 0, Decimal("16800.00")]
    answers = [told.answers[f"{TWO_COUNTS}10{number}", date(YEAR, 3, 1), "W-32"] for number in (1, 2, 3)]
    assert answers == ["met", "met", "short"]


def test_a_figure_written_more_exactly_never_turns_short_into_met(told: Told) -> None:
    seen = 0
    wrong = []
    for (one,), (other,) in told.pairs["refined"]:
        for (code, month, rule), status in told.answers.items():
            if code == one and rule in ("A-10", "A-10.1") and status == "short":
                seen += 1
                if told.answers[other, month, rule] != "short":
                    wrong.append((one, other, month, rule))
        for month, row in _month_by_month(told, (one,)).items():
            if row["status"] == "short" and told.rows[other, month]["status"] != "short":
                wrong.append((one, other, month, "row"))
    assert seen > 100
    assert not wrong, wrong[:10]


def test_after_a_merger_the_area_has_what_both_had_and_what_accrues_to_all_of_it(told: Told) -> None:
    for heir, gone, first, people in told.mergers:
        before = month_after(first, -1)
        until_then = sum(told.rows[code, before]["guaranteed_ytd_cny"] for code in (heir, gone))
        a_month = yearly(JIANGXI, people) / 12
        for month in months(first, date(YEAR, 12, 1)):
            row = told.rows[heir, month]
            assert row["population_persons"] == people
            since = month.month - first.month + 1
            for name, count in (("guaranteed_ytd_cny", since), ("guaranteed_annual_cny", 13 - first.month)):
                # Both sums of before were rounded to the 分, and so is the area's.
                assert abs(row[name] - until_then - a_month * count) <= Decimal("0.015"), (heir, month, name)
