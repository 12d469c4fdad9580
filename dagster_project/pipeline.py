"""The pipeline as Dagster knows it: assets, checks, the job, its schedule and its sensor."""

from __future__ import annotations

from dagster import AssetSelection, Definitions, define_asset_job, in_process_executor

from dagster_project import assets
from dagster_project.automation import file_arrivals, monthly_supervision
from dagster_project.checks import suite_checks
from dagster_project.context import RunContext, locked
from dagster_project.dbt_assets import build_dbt_assets

JOB = "oversight_run"


def build_definitions(run: RunContext) -> Definitions:
    """All of it over the data folder of `run`."""
    job = define_asset_job(
        JOB,
        selection=AssetSelection.all(),
        description="从收到的文件到发布的版本：接收、检查标准、计算、核对、发布",
        # Another process for each step would import everything anew (86 CPU seconds instead of 24).
        executor_def=in_process_executor,
    )
    return Definitions(
        assets=[
            assets.pulled_files,
            assets.intake,
            assets.standards,
            assets.edition_identity,
            build_dbt_assets(),
            assets.suite_results,
            assets.published_edition,
        ],
        asset_checks=[suite_checks],
        jobs=[job],
        schedules=[monthly_supervision(job)],
        sensors=[file_arrivals(job, run)],
        resources={"run": locked(run)},
        executor=in_process_executor,
    )
