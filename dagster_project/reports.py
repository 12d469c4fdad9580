"""The monthly report after the run: an asset with a partition a month, drafted by the schedule's job.

A person issues it (`oversight report issue`), or the settings say `auto_issue`: then it is issued and sent at once.
Nothing is made, numbered or sent where the report would say what it said before. A month that was refused, cut off
or not sent is owed (`oversight.reports.owed`): a sensor asks for it again, for
the divisions still owed only, when there is an edition it has not been tried with.

Without postponed annotations: Dagster looks at the type of `context` itself.
"""

from datetime import date

from dagster import (
    AssetExecutionContext,
    AssetSelection,
    Config,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    Failure,
    MaterializeResult,
    MonthlyPartitionsDefinition,
    ResourceParam,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    asset,
    define_asset_job,
    in_process_executor,
)

from dagster_project.assets import published_edition
from dagster_project.context import RunContext
from oversight.calendar import load_calendar
from oversight.editions import current
from oversight.errors import OversightError
from oversight.operation import SCHEDULE_DAY, SCHEDULE_HOUR
from oversight.reports import month_before, owe, owed, settle
from oversight.settings import TIME_ZONE

SUPERVISION_JOB, REPORT_JOB = "monthly_supervision_run", "monthly_report_run"
LOOK_EVERY_SECONDS = 300
FIRST_DAY = SCHEDULE_DAY

# Any month a bureau has figures for may be made again by hand.
months = MonthlyPartitionsDefinition(start_date="2015-01-01", timezone=str(TIME_ZONE))


class Wanted(Config):  # type: ignore[misc]
    """Which divisions a report is wanted for, by code, with commas between; none: all that the settings name."""

    scopes: str = ""
    only_missing: bool = False


@asset(
    deps=[published_edition],
    partitions_def=months,
    group_name="reports",
    description="每月督查通报：生成草稿供审核；设置了 auto_issue 的直接印发、发送；内容没有变化的沿用，不重发",
)
def monthly_report(
    context: AssetExecutionContext, config: Wanted, run: ResourceParam[RunContext]
) -> MaterializeResult[None]:
    """Draft the reports of the partition's month, or issue them; late or incomplete data fail this step only."""
    lines: list[str] = []
    month = date.fromisoformat(context.partition_key)
    try:
        made = settle(
            run.folder,
            month,
            [code for code in config.scopes.split(",") if code],
            only_missing=config.only_missing,
            now=run.now(),
            say=lines.append,
        )
    except OversightError as refusal:
        raise Failure(
            description=str(refusal), metadata={"经过": "\n".join(lines)}, allow_retries=False
        ) from None
    finally:
        for line in lines:
            run.say(line)
    return MaterializeResult(
        metadata={
            "通报": len(made),
            "新生成": sum(item.is_new for item in made),
            "其中草稿": sum(item.version.is_draft for item in made),
            "经过": "\n".join(lines),
        }
    )


# The whole run, and the report of a month from its edition.
supervision_job = define_asset_job(
    SUPERVISION_JOB,
    selection=AssetSelection.all(),
    partitions_def=months,
    description="运行一次，然后生成督查通报的草稿（设置了 auto_issue 的印发、发送）",
    executor_def=in_process_executor,
)

# The report of a month from the edition that stands.
report_job = define_asset_job(
    REPORT_JOB,
    selection=AssetSelection.assets(monthly_report),
    partitions_def=months,
    description="用现有版本生成一个月的督查通报草稿（设置了 auto_issue 的印发、发送）",
    executor_def=in_process_executor,
)


def monthly_supervision(run: RunContext) -> ScheduleDefinition:
    """The 5th of the month, or the next working day, 08:00: the report on the month before is due."""

    def due(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        day = context.scheduled_execution_time.astimezone(TIME_ZONE).date()
        if day != load_calendar(run.folder).next_workday(day.replace(day=FIRST_DAY)):
            return SkipReason(f"每月{FIRST_DAY}日（遇休息日顺延）运行")
        month = month_before(day)
        # Owed from here on: should the run fail before it comes to the report, the report is made after the next.
        owe(run.folder, month, run.now())
        key = month.isoformat()
        # The key of a run is asked for once only, however often the tick is looked at.
        return RunRequest(run_key=key, partition_key=key)

    return ScheduleDefinition(
        name="monthly_supervision",
        job=supervision_job,
        execution_fn=due,
        # A week of holidays may begin on the 5th.
        cron_schedule=f"0 {SCHEDULE_HOUR} {FIRST_DAY}-{FIRST_DAY + 10} * *",
        execution_timezone=str(TIME_ZONE),
        description="每月 5 日（遇休息日顺延）8:00 运行，生成上个月督查通报的草稿",
        default_status=DefaultScheduleStatus.RUNNING,
    )


def owed_reports(run: RunContext) -> SensorDefinition:
    """Months still owed, when there is an edition that they were not tried with."""

    def look(_: SensorEvaluationContext) -> list[RunRequest] | SkipReason:
        edition, now = current(run.folder), run.now()
        if not load_calendar(run.folder).is_workday(now.astimezone(TIME_ZONE).date()):
            return SkipReason("休息日不出通报")
        waiting = owed(run.folder)
        ripe = [item for item in waiting if edition and item.is_ripe(edition.edition_id, now)]
        if not ripe:
            told = "；".join(f"{item.month:%Y-%m}：{item.reason}" for item in waiting)
            return SkipReason(told or "没有未完成的通报")
        return [
            RunRequest(
                # However often the tick is looked at, an attempt is asked for once.
                run_key=f"{item.month:%Y-%m} {now:%Y-%m-%dT%H}",
                partition_key=item.month.isoformat(),
                run_config={
                    "ops": {
                        "monthly_report": {"config": {"scopes": ",".join(item.scopes), "only_missing": True}}
                    }
                },
            )
            for item in ripe
        ]

    return SensorDefinition(
        name="owed_reports",
        evaluation_fn=look,
        job=report_job,
        minimum_interval_seconds=LOOK_EVERY_SECONDS,
        description="到期未出的通报，数据补齐后补出",
        default_status=DefaultSensorStatus.RUNNING,
    )
