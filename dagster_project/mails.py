"""Mails to those who have to know of something: what is due, late, waits or failed (`oversight.workflow.notices`).

Without postponed annotations: Dagster looks at the type of `context` itself.
"""

from dagster import (
    DefaultSensorStatus,
    JobDefinition,
    OpExecutionContext,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    in_process_executor,
    job,
    op,
)

from dagster_project.context import RunContext
from oversight.errors import OversightError
from oversight.settings import TIME_ZONE
from oversight.workflow import notices

NOTICES_EVERY_SECONDS = 900


def notice_job(run: RunContext) -> JobDefinition:
    """Mails with what is new for each of those who have notices by mail. It needs no lock: it changes no figure."""

    @op(description="把新的待办、逾期、出错按 report/notices.csv 发邮件，每件事只发一次")
    def send_notices(context: OpExecutionContext) -> None:
        for line in notices.send(run.folder, run.now().astimezone(TIME_ZONE)):
            context.log.info(line)

    @job(name=notices.JOB, description="发送提醒邮件", executor_def=in_process_executor)
    def notices_run() -> None:
        send_notices()

    return notices_run


def new_notices(of: JobDefinition, run: RunContext) -> SensorDefinition:
    """Mails when there is something to tell: at most once an hour, which is also how often a dead server is tried."""

    def look(_: SensorEvaluationContext) -> RunRequest | SkipReason:
        now = run.now().astimezone(TIME_ZONE)
        try:
            is_due = notices.is_due(run.folder, now)
        except OversightError as reason:
            return SkipReason(str(reason))
        if not is_due:
            return SkipReason("没有新的提醒，没有收件人（report/notices.csv），或是休息日")
        return RunRequest(run_key=f"notices {now:%Y-%m-%dT%H}")

    return SensorDefinition(
        name="new_notices",
        evaluation_fn=look,
        job=of,
        minimum_interval_seconds=NOTICES_EVERY_SECONDS,
        description="有新的待办、逾期、出错时发提醒邮件，工作日每小时至多一次",
        default_status=DefaultSensorStatus.RUNNING,
    )
