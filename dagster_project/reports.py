"""The monthly report after the run: an asset with a partition a month, made and sent by the schedule's job.

Without postponed annotations: Dagster looks at the type of `context` itself.
"""

from datetime import date

from dagster import (
    AssetExecutionContext,
    AssetSelection,
    DefaultScheduleStatus,
    Failure,
    MaterializeResult,
    MonthlyPartitionsDefinition,
    ResourceParam,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    asset,
    define_asset_job,
    in_process_executor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from dagster_project.assets import published_edition
from dagster_project.context import RunContext
from oversight.reports import ReportError, month_before, supervise
from oversight.settings import TIME_ZONE

SUPERVISION_JOB = "monthly_supervision_run"

# Any month a bureau has figures for may be made again by hand.
months = MonthlyPartitionsDefinition(start_date="2015-01-01", timezone=str(TIME_ZONE))


@asset(
    deps=[published_edition],
    partitions_def=months,
    group_name="reports",
    description="每月督查通报：Word、PDF、Excel、网页，按设置发送",
)
def monthly_report(context: AssetExecutionContext, run: ResourceParam[RunContext]) -> MaterializeResult[None]:
    """Make and send the reports of the partition's month; data that are late or incomplete fail this step only."""
    lines: list[str] = []
    try:
        made = supervise(run.folder, date.fromisoformat(context.partition_key), send=True, say=lines.append)
    except ReportError as refusal:
        raise Failure(
            description=str(refusal), metadata={"done": "\n".join(lines)}, allow_retries=False
        ) from None
    finally:
        for line in lines:
            run.say(line)
    return MaterializeResult(metadata={"reports": len(made), "done": "\n".join(lines)})


def supervision_job() -> UnresolvedAssetJobDefinition:
    """The whole run, and the report of a month from its edition."""
    return define_asset_job(
        SUPERVISION_JOB,
        selection=AssetSelection.all(),
        partitions_def=months,
        description="运行一次，然后生成并发送当月督查通报",
        executor_def=in_process_executor,
    )


def monthly_supervision(job: UnresolvedAssetJobDefinition) -> ScheduleDefinition:
    """The 5th of the month, 08:00: the report on the month before."""

    def due(context: ScheduleEvaluationContext) -> RunRequest:
        day = context.scheduled_execution_time.astimezone(TIME_ZONE).date()
        key = month_before(day).isoformat()
        # The key of a run is asked for once only, however often the tick is looked at.
        return RunRequest(run_key=key, partition_key=key)

    return ScheduleDefinition(
        name="monthly_supervision",
        job=job,
        execution_fn=due,
        cron_schedule="0 8 5 * *",
        execution_timezone=str(TIME_ZONE),
        description="每月 5 日 8:00 运行，生成并发送上个月的督查通报",
        default_status=DefaultScheduleStatus.RUNNING,
    )
