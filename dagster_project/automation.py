"""When a run starts by itself: when files arrive. (On the 5th of the month: see `reports`.)"""

from __future__ import annotations

from dagster import (
    AssetSelection,
    DefaultSensorStatus,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    define_asset_job,
    in_process_executor,
)

from dagster_project.context import RunContext
from dagster_project.reports import monthly_report
from oversight.editions import current
from oversight.errors import OversightError
from oversight.whole_run import check_folder, fingerprints

JOB = "oversight_run"
ARRIVALS_EVERY_SECONDS = 60

whole_run_job = define_asset_job(
    JOB,
    # The report belongs to a month, a run to none: the schedule has a job of both.
    selection=AssetSelection.all() - AssetSelection.assets(monthly_report),
    description="从收到的文件到发布的版本：接收、检查标准、计算、核对、发布",
    # Another process for each step would import everything anew (86 CPU seconds instead of 24).
    executor_def=in_process_executor,
)


def file_arrivals(run: RunContext) -> SensorDefinition:
    """A run for every new state of raw/; the cursor is the fingerprint of the state last dealt with.

    A state that `oversight run` has published already needs no run.
    """

    def arrived(context: SensorEvaluationContext) -> RunRequest | SkipReason:
        try:
            check_folder(run.folder)
        except OversightError as reason:
            return SkipReason(str(reason))
        state = fingerprints(run.folder).input_fingerprint
        if state == context.cursor:
            return SkipReason("没有新文件")
        context.update_cursor(state)
        published = current(run.folder)
        stood_for = published.stands_for if published else None
        if published and state in {
            published.made_from.input_fingerprint,
            stood_for.input_fingerprint if stood_for else None,
        }:
            return SkipReason(f"这些文件已在版本 {published.edition_id} 中")
        # A key is asked for once only, but files may be taken away and put back: the cursor tells, not the key.
        return RunRequest()

    return SensorDefinition(
        name="file_arrivals",
        evaluation_fn=arrived,
        job=whole_run_job,
        minimum_interval_seconds=ARRIVALS_EVERY_SECONDS,
        description="raw/ 中有新文件时运行",
        default_status=DefaultSensorStatus.RUNNING,
    )
