"""Every rule of the five documents, walked through four years: one in which its subject meets it, one in which it
does not, one in which it stands exactly at the edge, and one of silence."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from oversight.settings import PROJECT_ROOT
from oversight.standards.checks import parse_unit
from tests.dbt.world import World, month, months, rows_of, seed_rows

POLICY = PROJECT_ROOT.parent / "shared" / "policy"
COUNTIES = ("360313", "640324", "130321", "222403", "330881", "220102")
YEARS = {"meets": 2021, "fails": 2022, "edge": 2023}
SILENT = 2024
STANDARDS = {row["standard_id"]: row for row in seed_rows("standards")}
TIERS = {row["standard_id"]: row for row in reversed(seed_rows("standard_tiers"))}
MEASURES: dict[str, list[dict[str, str]]] = {}
for _row in seed_rows("standard_measures"):
    MEASURES.setdefault(_row["standard_id"], []).append(_row)
# The world begins in 2021; what had ended by then is judged in a world of its own years.
JUDGED = [
    name
    for name, row in STANDARDS.items()
    if row["gradeable"] != "N" and not (row["effective_to"] and row["effective_to"] < "2021")
]
# Judged from the datasets themselves, or from other rules; the world reports those too.
FROM_DATASETS = {
    "A-06", "A-07", "A-10", "A-10.1", "A-28", "B-07", "C-11", "C-11.1", "C-12", "D-07", "D-08", "D-09",
}  # fmt: skip
# The quotation says that the rates are the province's, which the district only carries out.
WIDER = {"A-10": "360000"}
# Spellings damaged in the published page, which quotations give repaired (policy/README.md names them).
REPAIRED = {"〔201335号": "〔2013〕35号"}
# A report that says what was done asks nothing of anybody.
READ_AGAIN = dict.fromkeys(("B-09", "B-15", "B-16", "B-17", "B-19", "B-22", "B-24", "B-31"), "benchmark")
# Sentences of the documents that the catalogue does not list.
ADDED = {"A-29", "A-30", "C-15", "C-16", "D-19.2", "D-20.2", "D-22"}
# Of money an answer says why it is none.
SILENT_REASON = {"per_capita_by_tier": "missing", "flat_by_tier": "missing", "paid_in_full": "silent"}
JUDGED_LEVEL = {"village_coverage": "township", "county_listed_separately": "county"}


def _values(standard_id: str, case: str) -> dict[str, Any]:
    """What is reported, by measure, for a case of a rule's shape."""
    row, tier, measures = STANDARDS[standard_id], TIERS[standard_id], MEASURES[standard_id]
    formula, least = row["formula"], Decimal(tier["value"])
    by_role = {m["role"]: m for m in measures}
    own = by_role.get("value", measures[0])["measure_code"]
    place = ("fails", "edge", "meets").index(case) - 1  # one below, exactly, one above
    if formula == "boolean":
        return {own: case != "fails"}
    if formula == "name_pattern":
        # Another township's name is no name for this one's office.
        return {own: {"meets": "东桥镇民政所", "fails": "老关镇民政所", "edge": "湘东区东桥镇民政所"}[case]}
    if formula in ("floor", "frequency"):
        return {own: least + place}
    if formula == "exact":
        return {own: least + {"meets": 0, "fails": -1, "edge": 1}[case]}
    if formula == "range":
        return {own: {"meets": least, "fails": least - 1, "edge": Decimal(tier["value_max"])}[case]}
    if formula == "composite":
        return {m["measure_code"]: Decimal(m["threshold"]) + place for m in measures}
    top, bottom = by_role["numerator"]["measure_code"], by_role["denominator"]["measure_code"]
    per = Decimal(by_role["denominator"]["threshold"] or 1)
    if formula == "coverage":
        # 99.9999 per cent is not all of them, however it is rounded.
        return {top: 2_000_000 - (case == "fails"), bottom: 2_000_000}
    if formula == "step":
        return {top: 4 - (case == "fails") - (case == "edge"), bottom: 10 - (case == "edge")}
    if formula == "rate":
        return {top: (least * 1000 / per) + place, bottom: 1000}
    assert formula == "benchmark"
    half = Decimal(1).scaleb(-int(row["decimals"])) / 2
    stated = {"meets": least, "fails": least + half, "edge": least - half}[case]
    return {top: stated * 1000 / per, bottom: 1000}


def _subject(standard_id: str, level: str) -> str:
    scope = STANDARDS[standard_id]["scope_code"]
    prefix = re.sub(r"(00)+$", "", scope)
    county = next(code for code in COUNTIES if code.startswith(prefix))
    return {
        "province": county[:2] + "0000",
        "city": county[:4] + "00",
        "county": county,
        "township": f"{county}100",
        "village": f"{county}100200",
        "community": f"{county}100001",
        "institution": f"{county}100",
    }[level]


def _when(standard_id: str, year: int) -> list[str]:
    ends = {"month": range(1, 13), "quarter": range(3, 13, 3), "half_year": (6, 12)}
    return [f"{year}-{m:02}" for m in ends.get(STANDARDS[standard_id]["period"], (12,))]


def _report_units(world: World) -> None:
    """Rules about the share of a subject's units: five townships, villages and communities in each county."""
    shares = {
        "C-03": ("640324", "", (5, 3, 4)),
        "C-09": ("640324", "200", (5, 4, 5)),
        "E-03": ("330881", "001", (4, 2, 3)),
    }
    for standard_id, (county, suffix, counts) in shares.items():
        for case, having in zip(YEARS, counts, strict=True):
            for place in range(5):
                world.indicator(
                    f"{county}10{place}{suffix}", _when(standard_id, YEARS[case]), standard_id, place < having
                )
    for case, least in (("meets", 201), ("fails", 199), ("edge", 200)):
        for place in range(5):
            area = Decimal(least if place == 0 else max(least, 200))
            world.indicator(f"22240310{place}200", _when("B-12", YEARS[case]), "B-12", area)
            world.indicator(f"22010210{place}200", _when("B-12", YEARS[case]), "B-12", Decimal(300))


def _report_datasets(world: World) -> None:
    people = {"360313": 20000, "640324": 30000, "130321": 30000}
    budgets = {"360313": ("67201", "67199.99", "67200"), "640324": ("40001", "39999.99", "40000")}
    staff = {"360313": (3, 1, 2), "130321": (3, 1, 3), "222403": (3, 1, 3)}
    for county in COUNTIES:
        for place in range(5):
            code = f"{county}10{place}"
            world.report(
                "population", code, months("2021-01", "2023-12"), population_persons=people.get(county, 9000)
            )
            for number, year in enumerate(YEARS.values()):
                whole = months(f"{year}-01", f"{year}-12")
                if county in budgets:
                    # What was budgeted is paid out, so that the rules of payment stand where those of budgets do.
                    amount = Decimal(budgets[county][number])
                    world.report("budget", code, whole, initial_budget_cny=amount, is_listed_separately=True,
                                 disbursed_cumulative_cny=amount)  # fmt: skip
                if county in staff:
                    world.report(
                        "staffing", code, whole, dedicated_staff_persons=staff[county][number],
                        welfare_posts_persons=0, purchased_service_persons=0,
                        administrative_posts=(2, 0, 1)[number], institution_posts=(3, 2, 2)[number],
                        villages_count=2, villages_with_assistant_count=(2, 1, 2)[number],
                    )  # fmt: skip


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World()
    # Somebody elsewhere reports to the end, so that the last year is a year of silence and not beyond the data.
    world.unit("440101100", "镇")
    world.report("population", "440101100", months("2021-01", "2024-12"), population_persons=1)
    for county in COUNTIES:
        world.unit(county, "县")
        for place in range(5):
            world.unit(f"{county}10{place}", "镇", "东桥镇" if county == "360313" and place == 0 else None)
            world.unit(f"{county}10{place}200", "村")
            world.unit(f"{county}10{place}001", "社区")
    _report_datasets(world)
    _report_units(world)
    for standard_id in JUDGED:
        row = STANDARDS[standard_id]
        if (
            standard_id in FROM_DATASETS
            or standard_id in ("B-12", "B-22")
            or row["formula"] == "coverage_of_units"
        ):
            continue
        for level in row["subject_level"].split(";"):
            for case, year in YEARS.items():
                for code, value in _values(standard_id, case).items():
                    world.indicator(
                        _subject(standard_id, level), _when(standard_id, year), code, value, "敬老院"
                    )
    for year, held in ((2021, 1), (2022, 0), (2023, 0)):
        world.indicator("220000", f"{year}-12", "B-22", Decimal(held))
    return world.build(tmp_path_factory.mktemp("catalogue"))


@pytest.mark.parametrize("standard_id", [name for name in JUDGED if name != "B-22"])
def test_met_missed_at_the_edge_and_silent(build: Path, standard_id: str) -> None:
    row = STANDARDS[standard_id]
    binding = row["strength"] in ("must", "principle")
    missed = ("short", None) if binding else ("not_applicable", "target_only")
    above = ("over", None) if binding else ("not_applicable", "target_only")
    expected = {
        "meets": ("met", None),
        "fails": missed,
        "edge": above if row["formula"] == "exact" else ("met", None),
    }
    level_of_formula = JUDGED_LEVEL.get(row["formula"])
    for level in [level_of_formula] if level_of_formula else row["subject_level"].split(";"):
        found = rows_of(
            build,
            "select year(month) as year, status, reason from judgements where rule_id = ? and subject_level = ? "
            "and subject_code = ? and month(month) = 12",
            standard_id, level, _subject(standard_id, level),
        )  # fmt: skip
        told = {item["year"]: (item["status"], item["reason"]) for item in found}
        assert told == {year: expected[case] for case, year in YEARS.items()} | {
            SILENT: ("not_reported", SILENT_REASON.get(row["formula"]))
        }
        findings = rows_of(
            build, "select status from findings where rule_id = ? and subject_level = ? and subject_code = ?",
            standard_id, level, _subject(standard_id, level),
        )  # fmt: skip
        assert bool(findings) is binding


def test_two_years_are_looked_back_over(build: Path) -> None:
    found = rows_of(
        build, "select year(month) as year, status from judgements where rule_id = 'B-22' order by 1"
    )
    assert found == [
        {"year": 2022, "status": "met"},
        # What a report says was done can be missed, never violated.
        {"year": 2023, "status": "not_applicable"},
        {"year": 2024, "status": "not_applicable"},
    ]


def test_each_answer_owed_has_exactly_one_row(build: Path) -> None:
    key = "subject_level, subject_code, month"
    owed = f"select standard_id as rule_id, {key} from scratch.intermediate.int_answers_owed"
    judged = f"select rule_id, {key} from judgements"
    for one, other in ((owed, judged), (judged, owed)):
        assert rows_of(build, f"{one} except all {other} limit 5") == []
    wrong = rows_of(
        build, f"select * from ({owed}) o full join judgements j using (rule_id, {key}) "
        "where (o.rule_id is distinct from j.rule_id) or j.status is null limit 5",
    )  # fmt: skip
    assert wrong == []


def test_a_rule_nobody_reports_on_is_not_silent(build: Path) -> None:
    silent = rows_of(
        build, "select rule_id, count(*) as n from judgements where month = ? group by 1 having "
        "bool_and(status = 'not_reported')", month("2024-12"),
    )  # fmt: skip
    assert {row["rule_id"] for row in silent} >= {name for name in JUDGED if name not in ("B-22", "C-12")}


def test_the_scorecard_has_all_five_for_everyone(build: Path) -> None:
    rows = rows_of(
        build, "select township_code, month, count(*) as n from detail.scorecard group by 1, 2 having n <> 5"
    )
    assert rows == []
    card = rows_of(
        build,
        "select * from detail.scorecard where township_code = '360313100' and month = ? order by pillar_no",
        month("2024-12"),
    )
    assert [row["pillar_zh"] for row in card] == ["机构", "人员", "经费", "场所", "动力"]
    assert {row["status"] for row in card} == {"not_reported"}
    assert card[2]["not_reported_zh"] == "民政所工作经费分档保障；乡镇民政工作经费按保障标准足额拨付"
    assert [row["rules_count"] - row["not_reported_count"] for row in card] == [0, 0, 0, 0, 0]


def test_coverage_counts_all_units_below(build: Path) -> None:
    row = rows_of(
        build, "select * from detail.rule_coverage where rule_id = 'A-12' and parent_code = '360313' and month = ?",
        month("2021-12"),
    )[0]  # fmt: skip
    # One of five townships reported; the silent ones stay in the denominator.
    assert (row["owed_count"], row["met_count"], row["coverage_pct"]) == (5, 1, Decimal("20.0000"))


# --- the catalogue itself


def _catalogue() -> list[dict[str, str]]:
    with (POLICY / "standards_catalogue.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _plain(text: str) -> str:
    """Without the noise of the sources: glosses, doubled commas, widths, spaces."""
    text = re.sub(r"\([a-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜü]+\)", "", text)
    text = text.translate(str.maketrans("，（）：；“”‘’", ",():;\"\"''"))
    return re.sub(r",+", ",", re.sub(r"\s|[;:、。.]|(?<=\D),|,(?=\D)", "", text))


needs_catalogue = pytest.mark.skipif(
    not POLICY.is_dir(), reason="the source documents are not kept in the project"
)


@needs_catalogue
def test_every_row_of_the_catalogue_is_in_the_standards() -> None:
    quoted = {(row["standard_id"], row["quotation"]) for row in seed_rows("standard_tiers")}
    for row in _catalogue():
        standard_id = re.sub(r"^([A-E]-\d+)[abc]$", r"\1", row["rule_id"])
        standard = STANDARDS[standard_id]
        assert standard["scope_code"] == WIDER.get(standard_id, row["jurisdiction_code6"])
        assert standard["strength"] == READ_AGAIN.get(standard_id, row["strength"])
        if standard["gradeable"] == "N":
            assert standard["not_judged_reason"], standard_id
            assert row["quote"] == standard["quotation"]
        elif row["rule_id"] != standard_id:
            assert (standard_id, row["quote"]) in quoted or row["quote"] in {
                q for s, q in quoted if s == standard_id
            }


def test_only_what_is_named_was_added_or_read_otherwise() -> None:
    """Rules beyond the catalogue say so; a duty that passed to another office is no longer asked."""
    assert all("目录" in STANDARDS[name]["ambiguity_zh"] for name in ADDED)
    assert STANDARDS["B-19"]["effective_to"] == "2018-12-31"
    payers = {name: STANDARDS[name]["subject_level"] for name in ("B-24", "B-26", "D-13")}
    assert payers == {"B-24": "province", "B-26": "county", "D-13": "county"}


@needs_catalogue
@pytest.mark.parametrize("document", "ABCDE")
def test_quotations_are_in_their_document(document: str) -> None:
    number = "ABCDE".index(document)
    page = next((POLICY / "documents").glob(f"{number:03}_*.txt")).read_text("utf-8")
    for damaged, repaired in REPAIRED.items():
        page = page.replace(damaged, repaired)
    text = _plain(page)
    wrong = [
        row["standard_id"]
        for row in [*STANDARDS.values(), *seed_rows("standard_tiers")]
        if row["standard_id"][0] == document and _plain(row["quotation"]) not in text
    ]
    assert wrong == []


def test_every_unit_parses_and_every_unjudged_rule_says_why() -> None:
    for row in seed_rows("standard_tiers"):
        assert parse_unit(row["unit"]) or row["unit"] in ("人/村",), row
    for row in STANDARDS.values():
        assert (row["gradeable"] == "N") == bool(row["not_judged_reason"])
