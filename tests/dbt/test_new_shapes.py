"""A rule of any shape, elsewhere's included, is a row or two in the seeds and no code."""

from __future__ import annotations

import csv
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from oversight.settings import DBT_DIR
from tests.dbt.world import World, document, header, months, rows_of, rule

COUNTY = "510101"
# Four townships: one that meets the rule, one that misses it, one exactly at the edge, one that is silent.
CASES = ("meets", "fails", "edge", "silent")
YEAR = months("2025-01", "2025-12")


def _measure(role: str, code: str, part: int = 1, **columns: Any) -> dict[str, Any]:
    return {"role": role, "part_no": part, "measure_code": code, "required": True, "label_zh": code} | columns


def _tier(value: Any, unit: str, number: int = 1, **columns: Any) -> dict[str, Any]:
    return {"tier_no": number, "tier_label": f"第{number}档", "value": value, "unit": unit} | columns


def _between(low: int, high: int | None, value: Any, unit: str, number: int) -> dict[str, Any]:
    return _tier(value, unit, number, lower_bound=low, lower_included=number == 1, upper_bound=high,
                 upper_included=None if high is None else True)  # fmt: skip


# name → (formula, columns of the standard, tiers, measures, the three reports, what is expected of the three)
SHAPES: dict[str, tuple[str, dict[str, Any], list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]], list[Any]]] = {
    # 工作经费不低于上年救助资金的 3%
    "N-01": (
        "rate", {"period": "year", "unit": "%"}, [_tier(3, "%")],
        [_measure("numerator", "allocated_annual_cny"), _measure("denominator", "N-01.2", threshold=100, years_back=1)],
        [{"budget": "30000.01"}, {"budget": "29999.99"}, {"budget": "30000.00"}], [Decimal(3)] * 3,
    ),
    # 每名低保对象不低于 10 元
    "N-02": (
        "rate", {"unit": "元/人"}, [_tier(10, "元/人")],
        [_measure("numerator", "N-02.1"), _measure("denominator", "N-02.2", threshold=1)],
        [{"N-02.1": 1001, "N-02.2": 100}, {"N-02.1": 999, "N-02.2": 100}, {"N-02.1": 1000, "N-02.2": 100}],
        [Decimal(10)] * 3,
    ),
    # 10 万人以下 4 名，每再 10 万人加 1 名
    "N-03": (
        "step", {"unit": "人"}, [_tier(4, "人", lower_bound=100000, lower_included=True)],
        [_measure("numerator", "dedicated_staff_persons"), _measure("denominator", "population_persons", threshold=100000)],
        [{"staff": 5, "people": 100001}, {"staff": 5, "people": 200001}, {"staff": 4, "people": 100000}],
        [Decimal(5), Decimal(6), Decimal(4)],
    ),
    # 每 1 万人 1 名
    "N-04": (
        "step", {"unit": "人"}, [_tier(0, "人/万人")],
        [_measure("numerator", "dedicated_staff_persons"), _measure("denominator", "population_persons", threshold=10000)],
        [{"staff": 4, "people": 30001}, {"staff": 3, "people": 30001}, {"staff": 3, "people": 30000}],
        [Decimal(4), Decimal(4), Decimal(3)],
    ),
    # 10 个村以下 1 名，11 至 20 个村 2 名，20 个村以上 3 名
    "N-05": (
        "floor_by_tier", {"unit": "人"},
        [_between(0, 10, 1, "人", 1), _between(10, 20, 2, "人", 2), _between(20, None, 3, "人", 3)],
        [_measure("value", "dedicated_staff_persons"), _measure("tier_key", "villages_count", 2)],
        [{"staff": 3, "villages": 11}, {"staff": 2, "villages": 21}, {"staff": 2, "villages": 20}],
        [Decimal(2), Decimal(3), Decimal(2)],
    ),
    # 不低于同县均值的 80%：90、30、60 的均值是 60，其八成是 48；边上的一个在 N-07
    "N-06": (
        "relative_to_peers", {"unit": "元/人"}, [_tier("0.8", "元/人")], [_measure("value", "N-06")],
        [{"N-06": 90}, {"N-06": 30}, {"N-06": 60}], [Decimal(48)] * 3,
    ),
    "N-07": (
        "relative_to_peers", {"unit": "元/人"}, [_tier(1, "元/人")], [_measure("value", "N-07")],
        [{"N-07": 70}, {"N-07": 50}, {"N-07": 60}], [Decimal(60)] * 3,
    ),
    # 每季两次，一季内分次报送的相加
    "N-08": (
        "frequency", {"period": "quarter", "unit": "次"}, [_tier(2, "次")],
        [_measure("value", "N-08", combine="sum")],
        [{"N-08": 1}, {"N-08": 0}, {"N-08": Decimal("0.6667")}], [Decimal(2)] * 3,
    ),
    # 清单两项，各有最低数
    "N-09": (
        "composite", {"unit": "项"}, [_tier(2, "项")],
        [_measure("part", "N-09.1", 1, threshold=1), _measure("part", "N-09.2", 2, threshold=3)],
        [{"N-09.1": 2, "N-09.2": 4}, {"N-09.1": 2, "N-09.2": 2}, {"N-09.1": 1, "N-09.2": 3}], [Decimal(2)] * 3,
    ),
    "N-10": (
        "coverage", {"unit": "%"}, [_tier(90, "%")],
        [_measure("numerator", "N-10.1"), _measure("denominator", "N-10.2")],
        [{"N-10.1": 10, "N-10.2": 10}, {"N-10.1": 89, "N-10.2": 99}, {"N-10.1": 9, "N-10.2": 10}], [Decimal(90)] * 3,
    ),
    # 1 万人以内的部分每人每月 0.28 元，超过 1 万至 3 万人的部分 0.22 元，再多的部分 0.18 元
    "N-11": (
        "per_capita_marginal",
        {"unit": "元", "matter": "working_funds", "population_basis": "registered",
         "population_date_rule": "prior_year_end",
         "edge_rule": "legal_default"},
        [_between(0, 10000, "0.28", "元/人·月", 1), _between(10000, 30000, "0.22", "元/人·月", 2),
         _between(30000, None, "0.18", "元/人·月", 3)],
        [_measure("value", "allocated_annual_cny")],
        [{"budget": "86402.17", "people": 30001}, {"budget": "33602.63", "people": 10001},
         {"budget": "33600.00", "people": 10000}],
        [Decimal("86402.16"), Decimal("33602.64"), Decimal("33600.00")],
    ),
    # 定额 5000 元，另每村 1000 元、每名对象 10.5 元
    "N-12": (
        "amount_by_counts", {"unit": "元"}, [_tier(5000, "元")],
        [_measure("value", "disbursed_ytd_cny"), _measure("denominator", "villages_count", 1, factor=1000),
         _measure("denominator", "N-12.1", 2, factor="10.5")],
        [{"paid": "9050.01", "villages": 3, "N-12.1": 100}, {"paid": "9049.99", "villages": 3, "N-12.1": 100},
         {"paid": "9050.00", "villages": 3, "N-12.1": 100}],
        [Decimal("9050.00")] * 3,
    ),
    # 每人每年 7 元，使用率不低于 90%：20,001 人 140,007 元，其九成是 126,006.30 元
    "N-13": (
        "coverage", {"unit": "%", "period": "year"}, [_tier(90, "%")],
        [_measure("numerator", "spent_ytd_cny"), _measure("denominator", "population_persons", factor=7)],
        [{"spent": "126006.31", "people": 20001}, {"spent": "126006.29", "people": 20001},
         {"spent": "126006.30", "people": 20001}],
        [Decimal(90)] * 3,
    ),
    # 拨付进度：截至年末拨付不低于应保障数的 80%
    "N-19": (
        "coverage", {"unit": "%", "period": "half_year"}, [_tier(80, "%")],
        [_measure("numerator", "disbursed_ytd_cny"), _measure("denominator", "guaranteed_annual_cny")],
        [{"paid": "32000.01", "people": 20000}, {"paid": "31999.99", "people": 20000},
         {"paid": "32000.00", "people": 20000}],
        [Decimal(80)] * 3,
    ),
    # 临时救助每人每年 7 元、使用率不低于 90%：只看临时救助的支出，工作经费花了多少不相干
    "N-20": (
        "coverage", {"unit": "%", "period": "year", "matter": "temporary_relief"}, [_tier(90, "%")],
        [_measure("numerator", "spent_ytd_cny"), _measure("denominator", "population_persons", factor=7)],
        [{"relief": "63.00", "spent": "1.00", "people": 10}, {"relief": "62.99", "spent": "900.00", "people": 10},
         {"relief": "63.00", "spent": "0.00", "people": 10}],
        [Decimal(90)] * 3,
    ),
    # 年支出：2 万人以下不少于 3 万元，2 万人以上不少于 5 万元
    "N-21": (
        "floor_by_tier", {"unit": "元", "period": "year"},
        [_between(0, 20000, 30000, "元", 1), _between(20000, None, 50000, "元", 2)],
        [_measure("value", "spent_ytd_cny"), _measure("tier_key", "population_persons", 2)],
        [{"spent": "50000.01", "people": 20001}, {"spent": "29999.99", "people": 20000},
         {"spent": "30000.00", "people": 20000}],
        [Decimal(50000), Decimal(30000), Decimal(30000)],
    ),
    "N-14": (
        "floor", {"unit": "间"}, [_tier(2, "间")], [_measure("value", "N-14")],
        [{"N-14": 3}, {"N-14": 1}, {"N-14": 2}], [Decimal(2)] * 3,
    ),
    "N-15": (
        "range", {"unit": "元/人·月"}, [_tier(100, "元/人·月", value_max=200)], [_measure("value", "N-15")],
        [{"N-15": 150}, {"N-15": 99}, {"N-15": 200}], [Decimal(100)] * 3,
    ),
    "N-16": (
        "exact", {"unit": "人"}, [_tier(1, "人")], [_measure("value", "N-16")],
        [{"N-16": 1}, {"N-16": 0}, {"N-16": 1}], [Decimal(1)] * 3,
    ),
    "N-17": (
        "boolean", {"unit": "是/否"}, [_tier(1, "是/否")], [_measure("value", "N-17")],
        [{"N-17": 1}, {"N-17": 0}, {"N-17": 1}], [Decimal(1)] * 3,
    ),
    # 3445÷916 四舍五入到一位小数是 3.8
    "N-18": (
        "benchmark", {"unit": "人/乡镇", "decimals": 1}, [_tier("3.8", "人/乡镇")],
        [_measure("numerator", "N-18.1"), _measure("denominator", "N-18.2", threshold=1)],
        [{"N-18.1": 3445, "N-18.2": 916}, {"N-18.1": 3850, "N-18.2": 1000}, {"N-18.1": 3750, "N-18.2": 1000}],
        [Decimal("3.8")] * 3,
    ),
}  # fmt: skip


# Rules on figures that were rounded, each asked of townships in a county of its own:
# name → (formula, columns of the standard, tiers, measures, [(report, status, reason, shortfall)]).
_PAID, _PEOPLE = "disbursed_ytd_cny", "population_persons"
ROUNDED: dict[str, tuple[str, dict[str, Any], list[dict[str, Any]], list[dict[str, Any]], list[tuple[Any, ...]]]] = {
    # 每人每年 7 元，使用率不低于 90%；20,000 人为 126,000 元
    "P-01": (
        "coverage", {"period": "year", "unit": "%"}, [_tier(90, "%")],
        [_measure("numerator", _PAID), _measure("denominator", _PEOPLE, factor=7)],
        [
            ({"paid": "125960", "p": 100, "people": 20000}, "met", "within_precision", 0),
            ({"paid": "125950", "p": 100, "people": 20000}, "short", None, "0.0357"),
            ({"paid": "125000", "p": 10000, "people": 20000}, "not_reported", "too_coarse", None),
            ({"paid": "127000", "p": 10000, "people": 20000}, "not_reported", "too_coarse", None),
            ({"paid": "140000", "p": 10000, "people": 20000}, "met", None, 0),
            # 2.0 万人 are 19,500 at least, of whom 122,850 元 are asked.
            ({"paid": "122850", "p": 0, "people": 20000, "persons": 1000}, "met", "within_precision", 0),
            ({"paid": "122849.99", "p": 0, "people": 20000, "persons": 1000}, "short", None, "0.0001"),
        ],
    ),
    # 不低于同县均值：the last of five is last only as it was rounded, and so convicts nobody
    "P-02": (
        "relative_to_peers", {"unit": "元"}, [_tier(1, "倍")], [_measure("value", "allocated_annual_cny")],
        [
            ({"budget": "50000", "p": 100}, "met", None, 0),
            *[({"budget": "50020", "p": 100}, "met", None, 0)] * 2,
            ({"budget": "49900", "p": 100}, "short", None, "84.0000"),
            ({"budget": "49980", "p": 100}, "met", "within_precision", 0),
        ],
    ),
    "P-03": (
        "floor", {}, [_tier(50000, "元")], [_measure("value", "allocated_annual_cny")],
        [
            ({"budget": "49960", "p": 100}, "met", "within_precision", 0),
            ({"budget": "49950", "p": 100}, "short", None, 50),
            ({"budget": "50000", "p": 10000}, "not_reported", "too_coarse", None),
            ({"budget": "60000", "p": 10000}, "met", None, 0),
        ],
    ),
    # 每人 7 元
    "P-04": (
        "amount_by_counts", {"period": "year", "unit": "元"}, [_tier(0, "元")],
        [_measure("value", _PAID), _measure("denominator", _PEOPLE, factor=7)],
        [
            ({"paid": "136500", "p": 0, "people": 20000, "persons": 1000}, "met", "within_precision", 0),
            ({"paid": "136499", "p": 0, "people": 20000, "persons": 1000}, "short", None, 1),
            ({"paid": "139960", "p": 100, "people": 20000}, "met", "within_precision", 0),
        ],
    ),
    # 每 1 万人 1 名；2.0 万人 may be 19,500: two all the same; 3.0 万人 may be 29,500, 2.1 万 20,500
    "P-05": (
        "step", {"unit": "人"}, [_tier(0, "人/万人")],
        [_measure("numerator", "dedicated_staff_persons"), _measure("denominator", _PEOPLE, threshold=10000)],
        [
            ({"staff": 1, "people": 20000, "persons": 1000}, "short", None, 1),
            ({"staff": 2, "people": 20400, "persons": 1000}, "met", "within_precision", 0),
        ],
    ),
    "P-06": (
        "floor_by_tier", {"unit": "人"},
        [_between(0, 20000, 2, "人", 1), _between(20000, None, 3, "人", 2)],
        [_measure("numerator", "dedicated_staff_persons"), _measure("tier_key", _PEOPLE)],
        [
            ({"staff": 2, "people": 20400, "persons": 1000}, "met", "within_precision", 0),
            ({"staff": 1, "people": 20400, "persons": 1000}, "short", None, 1),
            ({"staff": 2, "people": 20500, "persons": 1000}, "met", "within_precision", 0),
            ({"staff": 2, "people": 20501, "persons": 1000}, "short", None, 1),
        ],
    ),
    # 清单两项：拨付 5 万元，专职 1 人
    "P-07": (
        "composite", {"period": "year", "unit": "项"}, [_tier(2, "项")],
        [_measure("part", _PAID, 1, threshold=50000), _measure("part", "dedicated_staff_persons", 2, threshold=1)],
        [
            ({"paid": "49960", "p": 100, "staff": 1}, "met", "within_precision", 0),
            ({"paid": "49950", "p": 100, "staff": 1}, "short", None, 1),
            ({"paid": "49960", "p": 100, "staff": 0}, "short", None, 1),
            ({"paid": "50000", "p": 10000, "staff": 1}, "not_reported", "too_coarse", None),
            ({"paid": "50000", "p": 10000, "staff": 0}, "short", None, 1),
            ({"paid": "60000", "p": 10000, "staff": 1}, "met", None, 0),
        ],
    ),
}  # fmt: skip


def _rounded(world: World, code: str, shown: dict[str, Any]) -> None:
    written = {
        "people": ("population", "2024-12", "population_persons", "persons"),
        "paid": ("budget", YEAR, "disbursed_cumulative_cny", "p"),
        "budget": ("budget", YEAR, "initial_budget_cny", "p"),
    }
    for kind, (dataset, when, column, unit) in written.items():
        if kind in shown:
            value = shown[kind] if kind == "people" else Decimal(shown[kind])
            world.report(
                dataset, code, when, **{column: value, f"{column}_precision": Decimal(shown.get(unit, 0))}
            )
    if "staff" in shown:
        world.report("staffing", code, YEAR, dedicated_staff_persons=shown["staff"])


def _report(world: World, code: str, shown: dict[str, Any]) -> None:
    if "people" in shown:
        world.report("population", code, "2024-12", population_persons=shown["people"])
    if "staff" in shown or "villages" in shown:
        world.report(
            "staffing",
            code,
            YEAR,
            dedicated_staff_persons=shown.get("staff"),
            villages_count=shown.get("villages"),
        )
    for kind, column in (("paid", "disbursed_cumulative_cny"), ("spent", "spent_cumulative_cny")):
        if kind in shown:
            written = {column: Decimal(shown[kind]), f"{column}_precision": Decimal("0.01")}
            world.report("budget", code, YEAR, **written)
    if "relief" in shown:
        world.report(
            "budget", code, YEAR, fund_code="temporary_relief", spent_cumulative_cny=Decimal(shown["relief"]),
            spent_cumulative_cny_precision=Decimal("0.01"),
        )  # fmt: skip
    if "budget" in shown:
        # Written to the 分.
        world.report(
            "budget", code, YEAR, initial_budget_cny=Decimal(shown["budget"]), initial_budget_cny_precision=Decimal("0.01")
        )  # fmt: skip
    for indicator, value in shown.items():
        if indicator.startswith("N-"):
            world.indicator(code, YEAR, indicator, Decimal(value))


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules stand in a temporary copy of the seeds; each has a county of its own with four townships."""
    place = tmp_path_factory.mktemp("shapes")
    project = place / "dbt"
    shutil.copytree(DBT_DIR, project, ignore=shutil.ignore_patterns("target", "logs"))
    world, seeds = (
        World(),
        {"policy_documents": [document("Z")], "standards": [], "standard_tiers": [], "standard_measures": []},
    )
    world.unit("440101100", "镇")
    world.report("population", "440101100", ["2024-12", "2025-12"], population_persons=1)
    for number, (name, (formula, columns, tiers, measures, reports, _)) in enumerate(SHAPES.items(), 1):
        county = str(int(COUNTY) + number)
        seeds["standards"].append(
            rule(name, formula=formula, **({"scope_code": county, "report_valid_months": 1} | columns))
        )
        seeds["standard_tiers"] += [{"standard_id": name} | tier for tier in tiers]
        seeds["standard_measures"] += [{"standard_id": name} | measure for measure in measures]
        for place_number, case in enumerate(CASES):
            code = f"{county}10{place_number}"
            world.unit(code, "镇", case)
            if case != "silent":
                _report(world, code, reports[place_number])
            if name == "N-01":
                world.indicator(code, "2024-12", "N-01.2", Decimal(1000000))
    for number, (name, (formula, columns, tiers, measures, townships)) in enumerate(ROUNDED.items(), 1):
        county = str(int(COUNTY) + 50 + number)
        seeds["standards"].append(
            rule(name, formula=formula, **({"scope_code": county, "report_valid_months": 1} | columns))
        )
        seeds["standard_tiers"] += [{"standard_id": name} | tier for tier in tiers]
        seeds["standard_measures"] += [{"standard_id": name} | measure for measure in measures]
        for place_number, (shown, *_) in enumerate(townships):
            world.unit(f"{county}10{place_number}", "镇")
            _rounded(world, f"{county}10{place_number}", shown)
    # What N-19 measures the payments against: a flat 40,000 元 in its county.
    place_of = list(SHAPES).index("N-19") + 1
    seeds["standards"].append(
        rule(
            "G-19", formula="flat_by_tier", matter="working_funds", scope_code=str(int(COUNTY) + place_of),
            population_basis="registered", edge_rule="legal_default",
        )
    )  # fmt: skip
    seeds["standard_tiers"].append({"standard_id": "G-19"} | _between(0, None, 40000, "元/年", 1))
    seeds["standard_measures"].append({"standard_id": "G-19"} | _measure("value", "allocated_annual_cny"))
    for seed, rows in seeds.items():
        columns_of_seed = header(seed)
        with (project / "seeds" / f"{seed}.csv").open("a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns_of_seed, lineterminator="\n")
            for row in rows:
                writer.writerow({key: "" if value is None else value for key, value in row.items()})
    return world.build_with(project, place)


@pytest.mark.parametrize("name", SHAPES)
def test_a_new_rule_is_judged_and_found_by_data_alone(build: Path, name: str) -> None:
    rows = rows_of(
        build, "select t.township_name as case_name, j.status, j.value_expected from judgements j "
        "join townships t on t.township_code = j.subject_code where j.rule_id = ? and j.month = '2025-12-01'", name,
    )  # fmt: skip
    told = {row["case_name"]: row["status"] for row in rows}
    assert told == {"meets": "met", "fails": "short", "edge": "met", "silent": "not_reported"}
    expected = {row["case_name"]: row["value_expected"] for row in rows}
    assert [expected[case] for case in CASES[:3]] == SHAPES[name][-1]
    found = rows_of(
        build, "select t.township_name as case_name, f.status, f.message_zh from findings f "
        "join townships t on t.township_code = f.subject_code where f.rule_id = ?", name,
    )  # fmt: skip
    open_ones = {row["case_name"]: row["status"] for row in found if row["status"] != "cleared"}
    assert open_ones == {"fails": "short", "silent": "not_reported"}


@pytest.mark.parametrize("name", ROUNDED)
def test_nobody_is_convicted_by_digits_that_were_not_written(build: Path, name: str) -> None:
    import duckdb

    from oversight.explain import explain
    from tests.explain.test_explain import followed

    rows = rows_of(
        build, "select subject_code, status, reason, shortfall, value_checked from judgements where rule_id = ? "
        "and month = '2025-12-01' order by subject_code", name,
    )  # fmt: skip
    expected = [
        (status, reason, None if shortfall is None else Decimal(shortfall))
        for _, status, reason, shortfall in ROUNDED[name][-1]
    ]
    assert [(row["status"], row["reason"], row["shortfall"]) for row in rows] == expected
    with duckdb.connect(str(build), read_only=True) as connection:
        connection.execute(f"set file_search_path = '{build.parent / 'inputs'}'")
        for row in rows:
            told = explain(connection, row["subject_code"], rule=name)
            assert row["value_checked"] in followed(told, name).values()
            said = any("四舍五入的范围之内" in line for line in told.rules[0].assumptions)
            assert said == (row["reason"] == "within_precision")


def test_a_rate_for_each_part_has_no_cliff_and_is_explained_part_by_part(build: Path) -> None:
    import duckdb

    from oversight.explain import explain
    from tests.explain.test_explain import followed

    code = f"{int(COUNTY) + 11}10"
    with duckdb.connect(str(build), read_only=True) as connection:
        connection.execute(f"set file_search_path = '{build.parent / 'inputs'}'")
        for number, total in ((0, "86402.16"), (1, "33602.64"), (2, "33600.00")):
            told = explain(connection, f"{code}{number}", rule="N-11")
            assert followed(told, "N-11")["全年应保障"] == Decimal(total)
        parts = explain(connection, f"{code}0", rule="N-11").rules[0].arithmetic[0].expression
        assert parts == ("10,000 × 0.28 × 12 + (30,000 − 10,000) × 0.22 × 12 + (30,001 − 30,000) × 0.18 × 12")
        on_edge = explain(connection, f"{code}2", rule="N-11").rules[0].other_readings[0]
        assert "10,000 × 0.28 × 12 + (10,000 − 10,000) × 0.22 × 12 = 33,600.00 元" in on_edge


OPERANDS = {
    "N-02": {"实际值", "要求值"}, "N-03": {"应为"}, "N-05": {"要求值"}, "N-06": {"应不低于"}, "N-09": {"达到的项数"},
    "N-12": {"分母", "应为"}, "N-13": {"分母", "实际值"}, "N-18": {"实际值"},
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "N-11"])
def test_each_shape_is_explained_by_its_own_operands(build: Path, name: str) -> None:
    """Every printed line of arithmetic, followed by an independent reader, gives the figure that was judged."""
    import duckdb

    from oversight.explain import explain
    from oversight.standards.shapes import SHAPES as KNOWN
    from tests.explain.test_explain import followed

    number = list(SHAPES).index(name) + 1
    with duckdb.connect(str(build), read_only=True) as connection:
        connection.execute(f"set file_search_path = '{build.parent / 'inputs'}'")
        for place in range(3):
            told = explain(connection, f"{int(COUNTY) + number}10{place}", rule=name)
            lines = followed(told, name)
            checked, expected = connection.execute(
                "select value_checked, value_expected from detail.evidence where rule_id = ? and subject_code = ? "
                "and month = '2025-12-01'", [name, f"{int(COUNTY) + number}10{place}"],
            ).fetchone() or (None, None)  # fmt: skip
            assert OPERANDS.get(name, set()) <= lines.keys(), lines
            assert checked in lines.values(), lines
            asked = [lines[line] for line in ("应为", "应不低于", "要求值") if line in lines]
            assert asked == [expected] or SHAPES[name][0] == "composite"
    assert KNOWN[SHAPES[name][0]].explained == "general"


def test_a_tier_by_another_figure_is_told_and_its_edge(build: Path) -> None:
    import duckdb

    from oversight.explain import explain

    with duckdb.connect(str(build), read_only=True) as connection:
        connection.execute(f"set file_search_path = '{build.parent / 'inputs'}'")
        told = explain(connection, f"{int(COUNTY) + 5}102", rule="N-05").rules[0]
    assert told.tier == "第2档（villages_count 20）"
    assert any("恰为 20，在分档线上" in line for line in told.assumptions)
    assert told.other_readings == ["若归“第3档”：应为 3 人"]


def test_what_rounds_to_the_standard_does_not_meet_it(build: Path) -> None:
    # 29999.99 of a million is 3.0000 per cent to four places, and one 分 short all the same.
    row = rows_of(
        build, "select value_checked, shortfall from judgements where rule_id = 'N-01' and status = 'short'"
    )[0]
    assert row["value_checked"] == Decimal("3.0000")
