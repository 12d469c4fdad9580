"""Findings from opening to clearing and back, what analysts record on them, and law that ages, ends and comes late."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from oversight.settings import DataFolder
from oversight.standards import FindingNoteError, load_finding_notes, standards_fingerprint
from tests.dbt.world import World, document, month, months, rows_of, rule

NOTES = """问题编号,类别,记录日期,内容,约定日期,豁免至,批准人,记录人
A-06/360313100/2025-03,答复,2025-04-02,已向编办申请,,,,张三
A-06/360313100/2025-04,答复,2025-05-02,编制已批,,,,张三
A-06/360313100/2025-02,约定整改,2025-04-10,年中补足,2025-06-30,,,张三
A-06/360313101/2025-01,豁免,2025-02-01,撤并在即,,,李四,张三
A-06/360313102/2020-01,答复,2025-02-01,早已没有的问题,,,,张三
"""


def _simple(standard_id: str, formula: str = "boolean", **columns: Any) -> dict[str, Any]:
    return rule(standard_id, formula=formula, unit="是/否", report_valid_months=1) | columns


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world, place = World(), tmp_path_factory.mktemp("life")
    for code in ("360313100", "360313101", "360313102"):
        world.unit(code)
    # 360313100: met, short twice, unreported, met, short again until the end.
    staff = {"2025-01": 2, "2025-02": 1, "2025-03": 1, "2025-05": 2, "2025-06": 0, "2025-07": 1, "2025-08": 1}
    for text, persons in staff.items():
        world.report("staffing", "360313100", text, dedicated_staff_persons=persons)
    world.report("staffing", "360313101", months("2025-01", "2025-08"), dedicated_staff_persons=1)
    world.report("staffing", "360313102", months("2025-01", "2025-08"), dedicated_staff_persons=2)

    world.unit("410101100")
    world.own("policy_documents", [document("Z")])
    rules = [
        _simple("T-01", confirm_within_months=6, last_confirmed_on="2024-10-15"),
        _simple("T-02", effective_from="2025-03-10"),
        _simple("T-03", effective_to="2025-05-31"),
        _simple("T-04", deadline="2025-06-30"),
        _simple("T-05", strength="plan"),
        _simple("T-06", strength="principle"),
    ]
    for row in rules:
        world.own("standards", [row | {"scope_code": "410000"}])
        name = row["standard_id"]
        world.own(
            "standard_tiers",
            [{"standard_id": name, "tier_no": 1, "tier_label": "不分档", "value": 1, "unit": "是/否"}],
        )
        world.own("standard_measures", [
            {"standard_id": name, "role": "value", "part_no": 1, "measure_code": name, "required": True, "label_zh": name}
        ])  # fmt: skip
        world.indicator("410101100", months("2025-01", "2025-08"), name, False)
    # A funding standard whose basis is stale, too.
    world.own("standards", [rule(
        "T-10", formula="flat_by_tier", matter="working_funds", scope_code="410000", population_basis="registered",
        edge_rule="legal_default", population_date_rule="prior_year_end", confirm_within_months=6, last_confirmed_on="2024-10-15",
    )])  # fmt: skip
    world.own("standard_tiers", [{"standard_id": "T-10", "tier_no": 1, "tier_label": "全部", "lower_bound": 0,
                                  "lower_included": True, "value": 10000, "unit": "元/年"}])  # fmt: skip
    world.own("standard_measures", [{"standard_id": "T-10", "role": "value", "part_no": 1, "required": True,
                                     "measure_code": "allocated_annual_cny", "label_zh": "年度安排数"}])  # fmt: skip
    world.report("population", "410101100", "2025-01", population_persons=1000)
    world.report("budget", "410101100", "2025-01", initial_budget_cny=Decimal("9000.00"))
    _units_and_rules_that_end(world)
    _staff_known_in_part(world)
    _posts(world)
    _events(world)
    _rosters(world)
    _matters(world)
    world.report("population", "410101101", "2025-01", population_persons=1000)
    world.report("budget", "410101101", "2025-01", initial_budget_cny=Decimal("9900.01"))
    world.unit("410101101")
    notes = place / "data" / "findings"
    notes.mkdir(parents=True)
    (notes / "2025.csv").write_text(NOTES, "utf-8")
    return world.build(place)


def _units_and_rules_that_end(world: World) -> None:
    # One is merged away, one only changes its code; both are short all along.
    world.unit("360313103", valid_to=date(2025, 6, 1), successor_code="360313100")
    world.unit("360313204", "乡", "更名乡", valid_to=date(2025, 5, 1), successor_code="360313104")
    world.unit("360313104", "镇", "更名镇", valid_from=date(2025, 5, 1))
    for code, first, last in (
        ("360313103", "01", "05"), ("360313204", "01", "04"), ("360313104", "05", "08"),
    ):  # fmt: skip
        world.report("staffing", code, months(f"2025-{first}", f"2025-{last}"), dedicated_staff_persons=1)
    world.unit("420101100")
    world.own(
        "policy_documents", [document("Z7", issuer_code="420000"), document("Z8", issuer_code="420000")]
    )
    for name, doc, since in (("T-07", "Z7", "2000-01-01"), ("T-08", "Z8", "2025-05-01")):
        world.own("standards", [_simple(
            name, scope_code="420000", document_id=doc, matter="t7", effective_from=since
        )])  # fmt: skip
        world.own("standard_tiers", [
            {"standard_id": name, "tier_no": 1, "tier_label": "不分档", "value": 1, "unit": "是/否"}
        ])  # fmt: skip
        world.own("standard_measures", [
            {"standard_id": name, "role": "value", "part_no": 1, "measure_code": name, "required": True, "label_zh": name}
        ])  # fmt: skip
        world.indicator("420101100", months("2025-01", "2025-08"), name, False)


def _own_rule(world: World, row: dict[str, Any], value: Any, unit: str, *measures: dict[str, Any]) -> None:
    name = row["standard_id"]
    world.own("standards", [row])
    world.own("standard_tiers", [
        {"standard_id": name, "tier_no": 1, "tier_label": "不分档", "value": value, "unit": unit}
    ])  # fmt: skip
    world.own("standard_measures", [
        {"standard_id": name, "part_no": number, "required": True, "label_zh": f"{name}次数"} | measure
        for number, measure in enumerate(measures, 1)
    ])  # fmt: skip


def _posts(world: World) -> None:
    for code, administrative, institution, persons in (
        ("450101100", 2, 3, 3), ("450101101", 1, 1, 3), ("450101102", 1, None, 1),
    ):  # fmt: skip
        world.unit(code)
        world.report(
            "staffing", code, "2025-08", administrative_posts=administrative, institution_posts=institution,
            dedicated_staff_persons=persons,
        )  # fmt: skip


def _events(world: World) -> None:
    """每季两次: reported month by month, to date, and to date for the first time in the second quarter."""
    _own_rule(
        world, rule("F-01", formula="frequency", unit="次", period="quarter", scope_code="430101"), 2, "次",
        {"role": "value", "measure_code": "F-01", "combine": "sum"},
    )  # fmt: skip
    for code in ("430101100", "430101101", "430101102", "430101103"):
        world.unit(code)
    for when, number in (("2025-01", 1), ("2025-03", 1), ("2025-05", 1)):
        world.indicator("430101100", when, "F-01", Decimal(number))
    for when, number, name in (
        ("2025-02", 2, "本年累计会议次数"), ("2025-03", 2, "本年累计会议次数"), ("2025-04", 1, None),
        ("2025-06", 4, "本年累计会议次数"),
    ):  # fmt: skip
        world.indicator("430101101", when, "F-01", Decimal(number))
        world.rows["indicators"][-1]["indicator_name"] = name
    world.indicator("430101102", "2025-06", "F-01", Decimal(3))
    world.rows["indicators"][-1]["indicator_name"] = "会议次数（累计）"
    for when, number in (("2025-01", 1), ("2025-02", 1), ("2025-03", 2), ("2025-04", 1), ("2025-06", 1)):
        world.indicator("430101103", when, "F-01", Decimal(number))
        world.rows["indicators"][-1]["indicator_name"] = "本季度会议次数"


def _rosters(world: World) -> None:
    """Each village has it, as far as the register goes: in one county it lists all, in the others not."""
    _own_rule(
        world, rule("R-01", formula="coverage_of_units", unit="%", subject_level="county", scope_code="440000"),
        100, "%", {"role": "unit", "measure_code": "R-01", "threshold": 1, "unit_level": "village"},
    )  # fmt: skip
    for county, listed in (("440101", (1, 1)), ("440102", (1, 0)), ("440103", (2, 1))):
        for place, villages in enumerate(listed):
            township = f"{county}10{place}"
            world.unit(township)
            for number in range(villages):
                world.unit(f"{township}20{number}", "村")
                world.indicator(f"{township}20{number}", months("2025-01", "2025-08"), "R-01", True)
    # 440103101 says that it has two villages; the register has one of them.
    world.report("staffing", "440103101", months("2025-01", "2025-08"), villages_count=2)


def _matters(world: World) -> None:
    """Made of two matters: T-07 gives way to T-08 in May, and on the other nobody has reported."""
    _own_rule(world, _simple("T-09", scope_code="420000", matter="t9"), 1, "是/否",
              {"role": "value", "measure_code": "T-09"})  # fmt: skip
    _own_rule(
        world, rule("Q-01", formula="composite", unit="项", scope_code="420000", gradeable="derived"), 2, "项",
        {"role": "part", "measure_code": "T-07", "label_zh": "甲"}, {"role": "part", "measure_code": "t9"},
    )  # fmt: skip
    world.unit("420101101")
    world.indicator("420101101", months("2025-01", "2025-08"), "T-07", True)
    world.indicator("420101101", months("2025-01", "2025-08"), "T-08", True)


# 专职、公益性岗位、政府购买服务（空为没有填）→ 判定；秦皇岛，每个乡镇至少 2 名，不论身份
PARTS_KNOWN: dict[str, tuple[tuple[int | None, int | None, int | None], str, int | None]] = {
    "130321100": ((1, None, None), "not_reported", None),
    "130321101": ((None, 2, None), "met", 0),
    "130321102": ((1, 1, None), "met", 0),
    "130321103": ((1, 0, 0), "short", 1),
    "130321104": ((None, None, None), "not_reported", None),
}


def _staff_known_in_part(world: World) -> None:
    for code, ((own, welfare, purchased), _, _) in PARTS_KNOWN.items():
        world.unit(code)
        world.report("population", code, "2025-01", population_persons=9000)
        world.report(
            "staffing", code, "2025-08", dedicated_staff_persons=own, welfare_posts_persons=welfare,
            purchased_service_persons=purchased,
        )  # fmt: skip


def _statuses(build: Path, rule_id: str) -> dict[str, str]:
    rows = rows_of(
        build,
        "select month, status from judgements where rule_id = ? and subject_code = '410101100'",
        rule_id,
    )
    return {f"{row['month']:%m}": row["status"] for row in sorted(rows, key=lambda row: row["month"])}


def test_a_finding_opens_goes_on_is_cleared_and_comes_back_naming_the_old(build: Path) -> None:
    rows = rows_of(
        build,
        "select * from findings where rule_id = 'A-06' and subject_code = '360313100' order by opened_month",
    )
    assert [
        (
            r["finding_id"],
            r["last_month"],
            r["cleared_month"],
            r["months_open"],
            r["status"],
            r["previous_finding_id"],
        )
        for r in rows
    ] == [
        ("A-06/360313100/2025-02", month("2025-04"), month("2025-05"), 3, "cleared", None),
        ("A-06/360313100/2025-06", month("2025-08"), None, 3, "short", "A-06/360313100/2025-02"),
    ]


def test_notes_are_shown_with_the_spell_that_holds_their_month(build: Path) -> None:
    cleared, again = rows_of(
        build,
        "select * from findings where rule_id = 'A-06' and subject_code = '360313100' order by opened_month",
    )
    assert (cleared["reply_zh"], cleared["notes_count"]) == ("编制已批", 3)
    assert (cleared["agreed_on"], cleared["is_overdue"]) == (date(2025, 6, 30), False)
    assert (again["notes_count"], again["is_exempt"]) == (0, False)


def test_an_exemption_is_told_and_hides_nothing(build: Path) -> None:
    row = rows_of(build, "select * from findings where finding_id = 'A-06/360313101/2025-01'")[0]
    assert (row["status"], row["is_exempt"], row["exempt_approver"]) == ("short", True, "李四")
    assert row["exempt_reason_zh"] == "撤并在即"


def test_a_note_without_its_finding_is_kept(build: Path) -> None:
    rows = rows_of(build, "select * from detail.finding_notes where current_finding_id is null")
    assert [row["text_zh"] for row in rows] == ["早已没有的问题"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("A-06,答复,2025-01-01,好,,,,", "不是问题编号"),
        ("A-06/1/2025-13,答复,2025-01-01,好,,,,", "不是问题编号"),
        ("A-06/1/2025-01,看法,2025-01-01,好,,,,", "类别“看法”未知"),
        ("A-06/1/2025-01,答复,去年,好,,,,", "不是日期"),
        ("A-06/1/2025-01,答复,2025-01-01,,,,,", "缺少“内容”"),
        ("A-06/1/2025-01,豁免,2025-01-01,好,,,,", "须写明批准人"),
        ("A-06/1/2025-01,约定整改,2025-01-01,好,,,,", "须写明约定日期"),
    ],
)
def test_a_note_that_cannot_be_kept_says_where_and_why(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "findings").mkdir()
    (tmp_path / "findings" / "a.csv").write_text(NOTES.splitlines()[0] + "\n" + line + "\n", "gb18030")
    with pytest.raises(FindingNoteError, match=said) as error:
        load_finding_notes(DataFolder(tmp_path))
    assert "findings/a.csv 第 2 行" in str(error.value)


def test_a_new_note_asks_for_a_new_edition(tmp_path: Path) -> None:
    before = standards_fingerprint(DataFolder(tmp_path))
    (tmp_path / "findings").mkdir()
    (tmp_path / "findings" / "a.csv").write_text(NOTES, "utf-8")
    assert standards_fingerprint(DataFolder(tmp_path)) != before


def test_a_basis_unconfirmed_for_longer_than_its_period_leaves_findings_unconfirmed(build: Path) -> None:
    # Confirmed on 2024-10-15 for six months: good to 2025-04-15, no longer at the end of April.
    told = _statuses(build, "T-01")
    assert [told[number] for number in ("03", "04", "08")] == ["short", "unconfirmed", "unconfirmed"]
    finding = rows_of(build, "select * from findings where rule_id = 'T-01' and subject_code = '410101100'")
    assert [(row["status"], row["months_open"]) for row in finding] == [("unconfirmed", 8)]
    assert "待确认" in finding[0]["message_zh"]
    # The gap itself is a fact and stays: only what is concluded from it waits for the law.
    funding = rows_of(
        build,
        "select month, status from funding_gap_monthly where standard_id = 'T-10' and township_code = '410101100' order by 1",
    )
    assert [row["status"] for row in funding] == ["short"] * 8
    judged = rows_of(
        build,
        "select month, status from judgements where rule_id = 'T-10' and subject_code = '410101100' order by 1",
    )
    assert [row["status"] for row in judged] == ["short"] * 3 + ["unconfirmed"] * 5


def test_a_rule_is_asked_from_its_day_to_its_last(build: Path) -> None:
    assert list(_statuses(build, "T-02")) == ["03", "04", "05", "06", "07", "08"]
    assert list(_statuses(build, "T-03")) == ["01", "02", "03", "04", "05"]
    ended = rows_of(
        build, "select status from findings where rule_id = 'T-03' and subject_code = '410101100'"
    )
    assert [row["status"] for row in ended] == ["not_applicable"]


def test_what_ends_is_told_from_what_is_mended(build: Path) -> None:
    """已撤并, 标准更替 and 已整改 are three things; a new code is none of them."""
    found = rows_of(
        build, "select rule_id, subject_code, status, last_month, cleared_month, message_zh from findings "
        "where subject_code in ('360313103', '360313104', '420101100') and rule_id in ('A-06', 'T-07', 'T-08')",
    )  # fmt: skip
    told = {(row["rule_id"], row["subject_code"]): row for row in found}
    assert len(told) == len(found) == 4
    assert {key: (row["status"], row["last_month"], row["cleared_month"]) for key, row in told.items()} == {
        ("A-06", "360313103"): ("unit_ended", month("2025-05"), None),
        ("A-06", "360313104"): ("short", month("2025-08"), None),
        ("T-07", "420101100"): ("superseded", month("2025-04"), None),
        ("T-08", "420101100"): ("short", month("2025-08"), None),
    }
    assert "该单位已撤并" in told["A-06", "360313103"]["message_zh"]
    assert "已由后来的标准取代" in told["T-07", "420101100"]["message_zh"]


def test_vacancies_are_known_only_where_posts_and_people_are(build: Path) -> None:
    rows = rows_of(
        build, "select unit_code, known_count, established_posts, vacant_posts, unposted_persons from "
        "detail.vacancies_monthly where unit_code in ('450101100', '450101101', '450101102', '450101') and month = ? "
        "order by 1", month("2025-08"),
    )  # fmt: skip
    assert [tuple(row.values()) for row in rows] == [
        # One has two posts free, one a person too many: neither makes up for the other.
        ("450101", 2, 7, 2, 1),
        ("450101100", 1, 5, 2, 0),
        ("450101101", 1, 2, 0, 1),
        ("450101102", 0, None, None, None),
    ]


def test_what_is_minor_is_listed_and_never_grave(build: Path) -> None:
    rows = rows_of(
        build,
        "select subject_code, severity, is_minor, shortfall, weight from findings where rule_id = 'T-10' order by 1",
    )
    assert [tuple(row.values()) for row in rows] == [
        ("410101100", "high", False, Decimal("1000.0000"), Decimal("8000.0000")),
        ("410101101", "low", True, Decimal("99.9900"), Decimal("799.9200")),
    ]


@pytest.mark.parametrize("code", PARTS_KNOWN)
def test_staff_known_in_part_can_meet_and_never_miss(build: Path, code: str) -> None:
    rows = rows_of(
        build, "select standard_id, status, shortfall_persons, is_counted_in_totals from staffing_gap_monthly "
        "where township_code = ? and month = ? order by 1", code, month("2025-08"),
    )  # fmt: skip
    _, status, missing = PARTS_KNOWN[code]
    assert [(row["standard_id"], row["status"], row["shortfall_persons"]) for row in rows] == [
        ("D-07", status, missing), ("D-08", status, missing),
    ]  # fmt: skip
    # The two ask for the same people: a person is missed once.
    assert [row["is_counted_in_totals"] for row in rows] == [True, False]


def test_events_are_added_up_and_what_counts_to_date_only_once(build: Path) -> None:
    rows = rows_of(
        build,
        "select subject_code, month, status, value_checked from judgements where rule_id = 'F-01' order by 1, 2",
    )
    told: dict[str, list[tuple[str, Any]]] = {}
    for row in rows:
        told.setdefault(row["subject_code"], []).append((row["status"], row["value_checked"]))
    assert told == {
        "430101100": [("met", 2), ("short", 1)],
        # 4 to date in June, of which 2 by March; April's one is among them.
        "430101101": [("met", 2), ("met", 2)],
        # 3 by June: in which quarter, nobody has said.
        "430101102": [("not_reported", None), ("not_reported", None)],
        "430101103": [("met", 2), ("short", 1)],
    }


def test_a_parent_is_judged_from_its_roster_only_where_that_lists_everybody(build: Path) -> None:
    rows = rows_of(
        build, "select subject_code, status, value_checked, reason from judgements where rule_id = 'R-01' and month = ?",
        month("2025-08"),
    )  # fmt: skip
    assert {row["subject_code"]: (row["status"], row["value_checked"], row["reason"]) for row in rows} == {
        "440101": ("met", Decimal(100), None),
        "440102": ("not_reported", None, "roster_incomplete"),
        "440103": ("not_reported", None, "roster_incomplete"),
    }


def test_a_part_is_a_matter_and_a_silent_one_is_not_lacking(build: Path) -> None:
    rows = rows_of(
        build, "select subject_code, month, status, value_checked, value_expected, shortfall from judgements "
        "where rule_id = 'Q-01' and month in ('2025-04-01', '2025-08-01') order by 1, 2",
    )  # fmt: skip
    assert [tuple(row.values())[2:] for row in rows] == [
        *[("short", 0, 2, 1)] * 2,
        *[("not_reported", 1, 2, None)] * 2,
    ]
    answering = rows_of(
        build, "select rule_id from detail.standard_parts where standard_id = 'Q-01' order by 1"
    )
    assert [row["rule_id"] for row in answering] == ["T-07", "T-08", "T-09"]


def test_before_its_deadline_nothing_is_missed(build: Path) -> None:
    told = _statuses(build, "T-04")
    assert told["05"] == "not_applicable"
    # 底前 includes the last day.
    assert told["06"] == "short"


def test_plans_are_never_violated_and_principles_are(build: Path) -> None:
    assert set(_statuses(build, "T-05").values()) == {"not_applicable"}
    assert rows_of(build, "select * from findings where rule_id = 'T-05'") == []
    assert set(_statuses(build, "T-06").values()) == {"short"}


def test_what_is_due_for_confirmation_is_told_before_and_after(build: Path) -> None:
    import duckdb

    from oversight.summary import to_be_confirmed

    with duckdb.connect(str(build), read_only=True) as connection:
        # T-01, T-10 and its rule of payment were good to 2025-04-15; ours to 2028-11-22. Today's date plays no part.
        early, late, far = (
            to_be_confirmed(connection, date(year, number, 1))
            for year, number in ((2025, 1), (2025, 8), (2029, 1))
        )
    assert early[0].endswith("3 项标准将在 3 个月内到确认期限：T-01、T-10、T-10.1")
    assert late[0].endswith("3 项标准已超过确认期限，其不达标改记“依据待确认”：T-01、T-10、T-10.1")
    assert "confirmations.csv" in late[-1]
    assert "A-01" in far[0]
