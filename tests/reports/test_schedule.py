"""The Dagster asset: a month is made and sent once; late data fail this step, and it is made when they come."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

from dagster import (
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
    ResourceDefinition,
    RunRequest,
    build_schedule_context,
    build_sensor_context,
    materialize,
)

from benchmarks.report_edition import write
from dagster_project.context import RunContext
from dagster_project.pipeline import build_definitions
from dagster_project.reports import monthly_report
from oversight.accounts import record
from oversight.reports import archive, owed, versions
from oversight.reports.config import report_folder
from oversight.settings import TIME_ZONE, DataFolder
from tests.reports.conftest import Standin, issue_all


class Clock:
    """The time it is, moved by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def make(
    folder: DataFolder, month: str, instance: DagsterInstance, clock: Clock | None = None
) -> ExecuteInProcessResult:
    run = RunContext(folder, record.head, now=clock) if clock else RunContext(folder, record.head)
    return materialize(
        [monthly_report],
        partition_key=month,
        instance=instance,
        resources={"run": ResourceDefinition.hardcoded_resource(run)},
        raise_on_error=False,
    )


def test_a_month_run_twice_is_one_report_and_one_delivery(standin: Standin, tmp_path: Path) -> None:
    folder = standin(2)
    (tmp_path / "share").mkdir()
    report_folder(folder).mkdir()
    (report_folder(folder) / "report.toml").write_text(
        f"[life]\nauto_issue = true\n"
        f'[[delivery]]\nname = "共享目录"\nfolder = "{tmp_path / "share"}"\nformats = ["xlsx"]\n',
        "utf-8",
    )
    with DagsterInstance.ephemeral() as instance:
        assert make(folder, "2025-12-01", instance).success
        again = make(folder, "2025-12-01", instance)
    assert again.success
    assert [item.number for item in versions(folder, date(2025, 12, 1), "990101")] == [1]
    assert [path.name for path in (tmp_path / "share").iterdir()] == ["2025-12_990101_v1"]
    (materialization,) = again.asset_materializations_for_node("monthly_report")
    assert "不再重发" in str(materialization.metadata["经过"].value)


def test_late_data_fail_the_step_and_say_why(standin: Standin) -> None:
    folder = standin(2)
    with DagsterInstance.ephemeral() as instance:
        done = make(folder, "2026-01-01", instance)
    assert not done.success
    (failure,) = done.filter_events(lambda event: event.is_step_failure)
    assert "没有2026年1月的数据" in failure.step_failure_data.user_failure_data.description
    assert archive(folder) == []
    (still,) = owed(folder)
    assert "没有2026年1月的数据" in still.reason


def asked(definitions: Definitions, instance: DagsterInstance) -> list[RunRequest]:
    """What the sensor asks for at a tick."""
    sensor = definitions.get_sensor_def("owed_reports")
    with build_sensor_context(instance, repository_def=definitions.get_repository_def()) as context:
        return list(sensor.evaluate_tick(context).run_requests or [])


def carry_out(definitions: Definitions, request: RunRequest, instance: DagsterInstance) -> bool:
    job = definitions.resolve_job_def("monthly_report_run")
    assert job.asset_layer is not None
    return job.execute_in_process(
        partition_key=request.partition_key,
        run_config=request.run_config,
        instance=instance,
        raise_on_error=False,
    ).success


def test_a_refused_month_is_made_when_the_data_come_and_only_what_is_owed(
    standin: Standin, tmp_path: Path
) -> None:
    late = "update facts set population = null, allocated = null, staff = null where county_code = '990102'"
    folder = standin(3, 3, adjust=lambda connection: connection.execute(late))
    (tmp_path / "share").mkdir()
    report_folder(folder).mkdir()
    (report_folder(folder) / "report.toml").write_text(
        'scopes = ["990101", "990102"]\n'
        f"[life]\nauto_issue = true\n"
        f'[[delivery]]\nname = "共享目录"\nfolder = "{tmp_path / "share"}"\nformats = ["xlsx"]\n',
        "utf-8",
    )
    clock = Clock(datetime(2026, 1, 5, 8, tzinfo=TIME_ZONE))
    definitions = build_definitions(RunContext(folder, record.head, now=clock))
    with DagsterInstance.ephemeral() as instance:
        tick = definitions.get_schedule_def("monthly_supervision").evaluate_tick(
            build_schedule_context(
                instance, scheduled_execution_time=clock.now, repository_def=definitions.get_repository_def()
            )
        )
        assert tick.run_requests
        assert asked(definitions, instance) == []  # The schedule's own run is still going.
        clock.now += timedelta(hours=1)
        # That run broke off before it came to the report: the sensor makes what can be made.
        (request,) = asked(definitions, instance)
        assert not carry_out(definitions, request, instance)
        assert sorted(path.name for path in (tmp_path / "share").iterdir()) == ["2025-12_990101_v1"]
        (still,) = owed(folder)
        assert (still.scopes, still.is_waiting) == (("990102",), True)

        clock.now += timedelta(days=1)
        assert asked(definitions, instance) == []  # The same data would be refused again.
        write(folder, (3, 3), name="20260110-080000-c0ffee00")
        (request,) = asked(definitions, instance)
        assert carry_out(definitions, request, instance)
        clock.now += timedelta(days=1)
        assert asked(definitions, instance) == []
    assert owed(folder) == []
    assert sorted(path.name for path in (tmp_path / "share").iterdir()) == [
        "2025-12_990101_v1",
        "2025-12_990102_v1",
    ]


def test_what_was_made_by_hand_meanwhile_is_not_made_anew(standin: Standin) -> None:
    late = "update facts set population = null, allocated = null, staff = null"
    folder = standin(2, adjust=lambda connection: connection.execute(late))
    clock = Clock(datetime(2026, 1, 5, 8, tzinfo=TIME_ZONE))
    definitions = build_definitions(RunContext(folder, record.head, now=clock))
    with DagsterInstance.ephemeral() as instance:
        assert not make(folder, "2025-12-01", instance, clock).success
        write(folder, (2,), name="20260107-080000-c0ffee00")
        issue_all(folder, date(2025, 12, 1))
        write(folder, (2,), name="20260109-080000-c0ffee11")
        clock.now += timedelta(days=4)
        (request,) = asked(definitions, instance)
        assert carry_out(definitions, request, instance)
    (made,) = archive(folder)
    assert (made.number, made.edition_id) == (1, "20260107-080000-c0ffee00")
    assert owed(folder) == []


def test_what_could_not_be_sent_is_sent_later(standin: Standin, tmp_path: Path) -> None:
    folder, share = standin(2), tmp_path / "share"
    report_folder(folder).mkdir()
    (report_folder(folder) / "report.toml").write_text(
        f"[life]\nauto_issue = true\n"
        f'[[delivery]]\nname = "共享目录"\nfolder = "{share}"\nformats = ["xlsx"]\n',
        "utf-8",
    )
    clock = Clock(datetime(2026, 1, 5, 8, tzinfo=TIME_ZONE))
    definitions = build_definitions(RunContext(folder, record.head, now=clock))
    with DagsterInstance.ephemeral() as instance:
        assert not make(folder, "2025-12-01", instance, clock).success
        assert asked(definitions, instance) == []
        share.mkdir()
        clock.now += timedelta(hours=1)
        (request,) = asked(definitions, instance)
        assert carry_out(definitions, request, instance)
    assert [path.name for path in share.iterdir()] == ["2025-12_990101_v1"]
    assert owed(folder) == []
