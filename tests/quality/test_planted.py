"""Faults planted in the build file of the real sample: each stops the publication and is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from oversight.editions import Edition, build_file
from oversight.quality import agreement, engine
from oversight.quality.frames import Landed
from oversight.quality.marts import Warehouse, mart_suites
from oversight.quality.rules import Rules
from oversight.settings import DataFolder

# Table → what names a row of it that is lost; `table_changes`, standards and the like come from the project and not from reports.
LOST = {
    "reported.divisions": "divisions_as_landed",
    "reported.population": "population_as_landed",
    "reported.budget": "budget_as_landed",
    "reported.staffing": "staffing_as_landed",
    "reported.indicators": "indicators_as_landed",
    "reported.payments": "payments_as_landed",
    "main.submissions": "submissions_as_landed",
    "main.rejected_rows": "rejected_rows_as_landed",
    "main.townships": "township_monthly_has_every_row",
    "main.funding_gap_monthly": "funding_has_every_row_once",
    "main.staffing_gap_monthly": "staffing_has_every_row_once",
    "main.fund_ledger_monthly": "fund_ledger_goes_on_within_the_year",
    "main.judgements": "roll_up_counts_every_judgement",
    "main.findings": "unit_findings_monthly_counts_every_finding",
    "detail.township_monthly": "township_monthly_has_every_row",
    "detail.payment_pace": "payment_pace_has_every_row",
    "detail.submission_status": "submission_status_has_every_row",
    "detail.scorecard": "scorecard_has_every_row",
    "detail.vacancies_monthly": "vacancies_monthly_counts_every_row",
    "detail.unit_monthly": "unit_monthly_adds_up",
    "detail.unit_rules_monthly": "unit_rules_monthly_adds_up",
    "detail.unit_staffing_monthly": "unit_staffing_monthly_counts_every_row",
    "detail.unit_scorecard_monthly": "unit_scorecard_monthly_counts_every_row",
    "detail.unit_findings_monthly": "unit_findings_monthly_counts_every_finding",
    "detail.rule_coverage": "rule_coverage_counts_every_judgement",
}
_MIDDLE = "rowid = (select max(rowid) // 2 from {})"
CHANGED = {
    # A judgement, of a township and of whoever is above it.
    "judgement of a township": (
        "update main.judgements set status = 'met' where rowid = (select min(rowid) from main.judgements "
        "where status = 'short' and subject_level = 'township')",
        "roll_up_counts_every_judgement",
    ),
    "judgement of a county": (
        "update main.judgements set status = if(status = 'met', 'short', 'met') where rowid = (select min(rowid) "
        "from main.judgements where subject_level = 'county' and status in ('met', 'short', 'not_reported'))",
        "roll_up_counts_every_judgement",
    ),
    "roll-up of a city": (
        "update detail.unit_monthly set short_count = short_count + 1 where rowid = (select min(rowid) from "
        "detail.unit_monthly where unit_level = 'city')",
        "unit_monthly_adds_up",
    ),
    "roll-up of the country's people": (
        "update detail.unit_staffing_monthly set shortfall_persons = shortfall_persons + 1 where rowid = "
        "(select min(rowid) from detail.unit_staffing_monthly where unit_level = 'country')",
        "unit_staffing_monthly_counts_every_row",
    ),
    "coverage of a province": (
        "update detail.rule_coverage set owed_count = owed_count - 1 where rowid = "
        "(select min(rowid) from detail.rule_coverage where parent_level = 'province')",
        "rule_coverage_counts_every_judgement",
    ),
    "figure out of its bounds": (
        "update reported.staffing set dedicated_staff_persons = -3 where "
        + _MIDDLE.format("reported.staffing"),
        "staffing_figures_keep_their_bounds",
    ),
    "figure that was reported, within its bounds": (
        "update reported.budget set spent_cumulative_cny = spent_cumulative_cny + 0.01 where rowid = "
        "(select min(rowid) from reported.budget where spent_cumulative_cny is not null)",
        "budget_as_landed",
    ),
    "row twice": (
        "insert into detail.submission_status from detail.submission_status where "
        + _MIDDLE.format("detail.submission_status"),
        "submission_status_has_every_row",
    ),
}


@pytest.fixture(scope="module")
def landed(sample_folder: DataFolder, sample_edition: Edition) -> Landed:
    assert sample_edition
    return Landed(sample_folder.inputs)


def blocking(build: Path, inputs: Path, landed: Landed) -> set[str]:
    """The expectations over the marts that stop the publication."""
    suites = mart_suites(landed, Warehouse(build), Rules.of_run(inputs))
    results = [engine.run(make(), landed.names) for make in suites]
    results.append(agreement.judge(build, inputs, landed.names, None))
    return {failure.name for result in results for failure in result.blocking_failures}


@pytest.fixture
def build(sample_folder: DataFolder, sample_edition: Edition, tmp_path: Path) -> Path:
    assert sample_edition
    return Path(shutil.copy(build_file(sample_folder), tmp_path / "build.duckdb"))


def test_the_sample_as_it_was_built_stops_nothing(
    build: Path, sample_folder: DataFolder, landed: Landed
) -> None:
    assert blocking(build, sample_folder.inputs, landed) == set()


@pytest.mark.parametrize("table", LOST)
def test_a_lost_row_is_named(table: str, build: Path, sample_folder: DataFolder, landed: Landed) -> None:
    with duckdb.connect(str(build)) as connection:
        connection.execute(f"delete from {table} where {_MIDDLE.format(table)}")
    assert LOST[table] in blocking(build, sample_folder.inputs, landed)


@pytest.mark.parametrize("fault", CHANGED)
def test_what_was_changed_is_named(
    fault: str, build: Path, sample_folder: DataFolder, landed: Landed
) -> None:
    statement, named = CHANGED[fault]
    with duckdb.connect(str(build)) as connection:
        ((count,),) = connection.execute(statement).fetchall()
    assert count == 1
    assert named in blocking(build, sample_folder.inputs, landed)
