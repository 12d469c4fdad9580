"""The pipeline as Dagster knows it: assets, checks, the job, its schedule and its sensor."""

from __future__ import annotations

from dagster import AssetSelection, Definitions, define_asset_job, in_process_executor

from dagster_project import assets
from dagster_project.automation import file_arrivals
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

JOB = "oversight_run"


def build_definitions(run: RunContext) -> Definitions:
    """All of it over the data folder of `run`."""
    job = define_asset_job(
        JOB,
        # The report belongs to a month, a run to none: the schedule has a job of both.
        selection=AssetSelection.all() - AssetSelection.assets(monthly_report),
        description="从收到的文件到发布的版本：接收、检查标准、计算、核对、发布",
        # Another process for each step would import everything anew (86 CPU seconds instead of 24).
        executor_def=in_process_executor,
    )
    supervision, report, mails = supervision_job(), report_job(), notice_job(run)
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
        jobs=[job, supervision, report, mails],
        schedules=[monthly_supervision(supervision, run)],
        sensors=[file_arrivals(job, run), owed_reports(report, run), new_notices(mails, run)],
        resources={"run": locked(run)},
        executor=in_process_executor,
    )
