"""2017, March to November: deadlines of that year, a unit that ends before any December, counties that end or go on
under a new code. One build for all."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.dbt.world import World, document, month, months, rows_of, rule

WHOLE = months("2017-03", "2017-11")
CITY = "130321"
ENDED, OLD, NEW, GONE = "440103", "440104", "440105", "440106"
CASES = ("meets", "fails", "silent")
# Rules that came under the deadline of 30 April 2017 when they were read again, and who answers them.
DEADLINES = {
    "D-03": "county",
    "D-05": "township",
    "D-06": "township",
    "D-07": "township",
    "D-08": "township",
    "D-09": "township",
    "D-10": "village",
}
STAFF = {"meets": (3, 4, 4), "fails": (1, 4, 3)}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World()
    for number, case in enumerate(CASES):
        county = f"{int(CITY) + number}"
        town, village = f"{county}100", f"{county}100200"
        world.unit(county, "县")
        world.unit(town, "镇", case)
        world.unit(village, "村")
        world.report("population", town, "2017-03", population_persons=20_000)
        if case == "silent":
            continue
        yes = case == "meets"
        world.indicator(county, WHOLE, "D-03", yes)
        for code in ("D-05", "D-06"):
            world.indicator(town, WHOLE, code, yes)
        world.indicator(village, WHOLE, "D-10", Decimal(int(yes)))
        people, villages, assistants = STAFF[case]
        world.report(
            "staffing", town, WHOLE, dedicated_staff_persons=people, welfare_posts_persons=0,
            purchased_service_persons=0, villages_count=villages, villages_with_assistant_count=assistants,
        )  # fmt: skip
    # A township that ends in June, paid nothing, and leaves nobody who takes over.
    world.unit(ENDED, "区")
    world.unit(f"{ENDED}100", valid_to=date(2017, 6, 15))
    world.unit(f"{ENDED}101")
    for code in (f"{ENDED}100", f"{ENDED}101"):
        world.report("population", code, "2017-03", population_persons=9_000)
        world.report(
            "budget", code, months("2017-03", "2017-05"), initial_budget_cny=Decimal(12_000),
            disbursed_cumulative_cny=Decimal(0),
        )  # fmt: skip
    # A county that goes on under a new code with its township, and one that ends.
    world.unit(OLD, "县", "老县", valid_to=date(2017, 7, 1), successor_code=NEW)
    world.unit(NEW, "区", "新区", valid_from=date(2017, 7, 1))
    world.unit(f"{OLD}100", valid_to=date(2017, 7, 1), successor_code=f"{NEW}100")
    world.unit(f"{NEW}100", valid_from=date(2017, 7, 1))
    world.unit(GONE, "县", "并走县", valid_to=date(2017, 8, 1))
    world.unit(f"{GONE}100", valid_to=date(2017, 8, 1), successor_code=f"{NEW}100")
    world.indicator(OLD, months("2017-03", "2017-06"), "Y-2", False)
    world.indicator(NEW, months("2017-07", "2017-11"), "Y-2", False)
    world.indicator(GONE, months("2017-03", "2017-07"), "Y-2", False)
    world.own("policy_documents", [document("Z", issuer_code="440000")])
    world.own(
        "standards",
        [
            rule(
                "Y-1", formula="flat_by_tier", matter="working_funds", scope_code=ENDED, effective_from="2010-01-01",
                population_basis="registered", edge_rule="legal_default",
            ),
            rule("Y-2", formula="boolean", comparator="==", unit="是/否", scope_code="440000", subject_level="county",
                 report_valid_months=1),
        ],
    )  # fmt: skip
    world.own(
        "standard_tiers",
        [
            {"standard_id": "Y-1", "tier_no": 1, "tier_label": "全部", "value": "12000", "unit": "元/年",
             "lower_bound": 0, "lower_included": True},
            {"standard_id": "Y-2", "tier_no": 1, "tier_label": "不分档", "value": "1", "unit": "是/否"},
        ],
    )  # fmt: skip
    world.own(
        "standard_measures",
        [
            {"standard_id": "Y-1", "role": "value", "part_no": 1, "measure_code": "allocated_annual_cny"},
            {"standard_id": "Y-2", "role": "value", "part_no": 1, "measure_code": "Y-2", "label_zh": "制度"},
        ],
    )  # fmt: skip
    return world.build(tmp_path_factory.mktemp("years"))


def subject(level: str, case: str) -> str:
    county = f"{int(CITY) + CASES.index(case)}"
    return {"county": county, "township": f"{county}100", "village": f"{county}100200"}[level]


@pytest.mark.parametrize("name", DEADLINES)
def test_a_deadline_is_kept_missed_not_yet_there_and_met_with_silence(build: Path, name: str) -> None:
    level = DEADLINES[name]

    def told(case: str) -> dict[str, tuple[str, str | None]]:
        found = rows_of(
            build,
            "select strftime(month, '%m') as month, status, reason from judgements where rule_id = ? "
            "and subject_level = ? and subject_code = ? and month in ('2017-03-01', '2017-04-01', '2017-05-01')",
            name, level, subject(level, case),
        )  # fmt: skip
        return {row["month"]: (row["status"], row["reason"]) for row in found}

    early = ("not_applicable", "before_deadline")
    assert set(told("meets").values()) == {("met", None)}
    # 四月底前: at the end of the last day it is late.
    assert told("fails") == {"03": early, "04": ("short", None), "05": ("short", None)}
    assert told("silent")["05"] == ("not_reported", None)
    assert {status for status, _ in told("silent").values()} <= {"not_reported", "not_applicable"}


def test_a_unit_that_ended_before_any_december_keeps_its_finding(build: Path) -> None:
    found = rows_of(
        build,
        "select subject_code, status, last_month, months_open, shortfall from findings where rule_id = 'Y-1.1'",
    )
    # January to May: five twelfths of 12,000.
    assert [tuple(row.values()) for row in found] == [
        (f"{ENDED}100", "unit_ended", month("2017-05"), 12, Decimal(5_000))
    ]


def test_a_county_under_a_new_code_is_the_same_and_one_that_ended_is_asked_no_more(build: Path) -> None:
    found = rows_of(
        build,
        "select finding_id, subject_code, status, last_month from findings where rule_id = 'Y-2' "
        "and subject_code in (?, ?, ?) order by finding_id",
        OLD, NEW, GONE,
    )  # fmt: skip
    assert [tuple(row.values()) for row in found] == [
        (f"Y-2/{OLD}/2017-03", NEW, "short", month("2017-11")),
        (f"Y-2/{GONE}/2017-03", GONE, "unit_ended", month("2017-07")),
    ]
    asked = rows_of(
        build,
        "select subject_code, min(month) as first, max(month) as last from judgements "
        "where subject_level = 'county' and subject_code in (?, ?, ?) group by 1 order by 1",
        OLD, NEW, GONE,
    )  # fmt: skip
    assert [tuple(row.values()) for row in asked] == [
        (OLD, month("2017-03"), month("2017-06")),
        (NEW, month("2017-07"), month("2017-11")),
        (GONE, month("2017-03"), month("2017-07")),
    ]


def test_a_rule_whose_duty_went_elsewhere_is_asked_to_its_last_day(tmp_path: Path) -> None:
    """B-19: from 2019 on disasters are reported to another office. Its edge is the day: December 2018 still asks."""
    world = World()
    world.unit("220102", "区")
    for number, yes in enumerate((True, False, None)):
        code = f"22010210{number}"
        world.unit(code)
        world.report("population", code, ["2018-11", "2019-01"], population_persons=9_000)
        if yes is not None:
            world.indicator(code, ["2018-11", "2018-12", "2019-01"], "B-19", yes)
    found = rows_of(
        world.build(tmp_path),
        "select subject_code, strftime(month, '%Y-%m') as month, status, reason from judgements where rule_id = 'B-19' "
        "order by 1, 2",
    )
    # What an experience report says was done can be missed, never violated.
    told = {
        "220102100": ("met", None),
        "220102101": ("not_applicable", "target_only"),
        "220102102": ("not_reported", None),
    }
    assert [tuple(row.values()) for row in found] == [
        (code, month, *answer) for code, answer in told.items() for month in ("2018-11", "2018-12")
    ]
