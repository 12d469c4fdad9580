"""What Dagster is told: keys, jobs and crons as written down here, and what sensor and schedule do at a tick."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest
from dagster import (
    AssetKey,
    DagsterInstance,
    Definitions,
    RunRequest,
    SkipReason,
    build_schedule_context,
    build_sensor_context,
)

from dagster_project.automation import JOB
from dagster_project.context import RunContext
from dagster_project.pipeline import build_definitions
from dagster_project.reports import SUPERVISION_JOB
from oversight.accounts import record
from oversight.editions import Edition
from oversight.editions.published import PUBLIC_TABLES
from oversight.settings import PROJECT_ROOT, TIME_ZONE, DataFolder

SNAPSHOT = Path(__file__).parent / "definitions.json"


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    return build_definitions(RunContext(DataFolder.at(tmp_path_factory.mktemp("资料")), record.head))


def told(definitions: Definitions) -> dict[str, object]:
    """Everything others rely on by name."""
    graph = definitions.resolve_asset_graph()
    repository = definitions.get_repository_def()
    return {
        "assets": sorted(key.to_user_string() for key in graph.materializable_asset_keys),
        "checks": sorted(f"{key.asset_key.to_user_string()}:{key.name}" for key in graph.asset_check_keys),
        "jobs": sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
        "schedules": {
            each.name: [each.cron_schedule, each.execution_timezone] for each in repository.schedule_defs
        },
        "sensors": sorted(each.name for each in repository.sensor_defs),
    }


def test_keys_jobs_and_crons_are_as_written_down(definitions: Definitions) -> None:
    """After a change that is meant, write the file anew: `python -m tests.dagster.test_definitions`."""
    assert told(definitions) == json.loads(SNAPSHOT.read_text("utf-8"))


def test_every_asset_is_described_in_chinese(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        text = graph.get(key).description or ""
        assert any("一" <= letter <= "鿿" for letter in text), key.to_user_string()


def test_every_check_says_in_chinese_what_it_holds(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.asset_check_keys:
        text = graph.get_check_spec(key).description or ""
        assert any("一" <= letter <= "鿿" for letter in text), key.name
    repository = definitions.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    for each in (*jobs, *repository.schedule_defs, *repository.sensor_defs):
        assert any("一" <= letter <= "鿿" for letter in each.description or ""), each.name


def test_every_public_table_is_an_asset_that_the_edition_waits_for(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    before = graph.get_ancestor_asset_keys(AssetKey("published_edition"))
    assert {AssetKey(["main", table]) for table in PUBLIC_TABLES} <= before
    assert AssetKey("pulled_files") in before


@pytest.mark.parametrize(
    ("day", "month"),
    [
        # The month before, across the year's end.
        (date(2026, 1, 5), "2025-12-01"),
        # A Sunday, the Monday after it, and the first working day after a week of holidays.
        (date(2026, 4, 5), None),
        (date(2026, 4, 7), "2026-03-01"),
        (date(2026, 10, 8), "2026-09-01"),
        (date(2026, 10, 9), None),
    ],
)
def test_schedule_runs_the_job_on_the_fifth_or_the_working_day_after(
    definitions: Definitions, day: date, month: str | None
) -> None:
    schedule = definitions.get_schedule_def("monthly_supervision")
    assert schedule.job_name == SUPERVISION_JOB
    with DagsterInstance.ephemeral() as instance:
        tick = schedule.evaluate_tick(
            build_schedule_context(
                instance,
                scheduled_execution_time=datetime(day.year, day.month, day.day, 8, tzinfo=TIME_ZONE),
                repository_def=definitions.get_repository_def(),
            )
        )
    asked = [(request.partition_key, request.run_key) for request in tick.run_requests or []]
    assert asked == ([(month, month)] if month else [])


def test_only_the_schedules_job_makes_the_report(definitions: Definitions) -> None:
    report = AssetKey("monthly_report")
    assert report not in definitions.resolve_job_def(JOB).asset_layer.executable_asset_keys
    assert report in definitions.resolve_job_def(SUPERVISION_JOB).asset_layer.executable_asset_keys


def tick(folder: DataFolder, cursor: str | None) -> tuple[RunRequest | SkipReason, str | None]:
    """One look of the sensor: what it answers, and its cursor afterwards."""
    sensor = build_definitions(RunContext(folder, record.head)).get_sensor_def("file_arrivals")
    with DagsterInstance.ephemeral() as instance, build_sensor_context(instance, cursor=cursor) as context:
        answer = sensor.evaluate_tick(context)
    said = answer.run_requests[0] if answer.run_requests else SkipReason(answer.skip_message)
    return said, answer.cursor


def test_sensor_asks_for_a_run_once_for_each_new_state(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    folder.raw.mkdir()
    answer, cursor = tick(folder, None)
    assert isinstance(answer, SkipReason)
    assert "里没有文件" in str(answer.skip_message)

    (folder.raw / "一月.csv").write_text("统计月份,区划代码\n2025-01,360313100\n", "utf-8")
    answer, first = tick(folder, cursor)
    assert isinstance(answer, RunRequest)
    answer, _ = tick(folder, first)
    assert isinstance(answer, SkipReason)

    (folder.raw / "二月.csv").write_text("统计月份,区划代码\n2025-02,360313100\n", "utf-8")
    answer, second = tick(folder, first)
    assert isinstance(answer, RunRequest)
    assert second != first


def test_sensor_leaves_alone_what_is_published(sample_folder: DataFolder, sample_edition: Edition) -> None:
    answer, cursor = tick(sample_folder, None)
    assert isinstance(answer, SkipReason)
    assert sample_edition.edition_id in str(answer.skip_message)
    assert cursor == sample_edition.made_from.input_fingerprint


def test_dagster_can_load_the_definitions(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-m", "dagster_project.definitions"],
        cwd=PROJECT_ROOT,
        env=os.environ | {"DAGSTER_HOME": str(tmp_path), "OVERSIGHT_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


if __name__ == "__main__":
    content = told(build_definitions(RunContext(DataFolder.at(None), record.head)))
    SNAPSHOT.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
