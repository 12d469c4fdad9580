"""The pipeline as Dagster knows it: assets, checks, the job, its schedule and its sensor."""

from __future__ import annotations

from dagster import Definitions, in_process_executor

from dagster_project import assets
from dagster_project.automation import file_arrivals, whole_run_job
from dagster_project.checks import suite_checks
from dagster_project.context import RunContext, locked
from dagster_project.dbt_assets import build_dbt_assets
from dagster_project.mails import new_notices, notice_job
from dagster_project.reports import (
    monthly_report,
    monthly_supervision,
    owed_reports,
    report_job,
    supervision_job,
)


def build_definitions(run: RunContext) -> Definitions:
    """All of it over the data folder of `run`."""
    mails = notice_job(run)
    return Definitions(
        assets=[
            assets.pulled_files,
            assets.intake,
            assets.standards,
            assets.edition_identity,
            build_dbt_assets(),
            assets.suite_results,
            assets.published_edition,
            monthly_report,
        ],
        asset_checks=[suite_checks],
        jobs=[whole_run_job, supervision_job, report_job, mails],
        schedules=[monthly_supervision(run)],
        sensors=[file_arrivals(run), owed_reports(run), new_notices(mails, run)],
        resources={"run": locked(run)},
        executor=in_process_executor,
    )
