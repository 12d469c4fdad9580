"""The Dagster asset: a partition's month is made and sent once; late data fail this step with the reason."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from dagster import DagsterInstance, ExecuteInProcessResult, ResourceDefinition, materialize

from dagster_project.context import RunContext
from dagster_project.reports import monthly_report
from oversight.reports import versions
from oversight.reports.config import report_folder
from oversight.settings import DataFolder
from tests.reports.conftest import Standin


def make(folder: DataFolder, month: str, instance: DagsterInstance) -> ExecuteInProcessResult:
    return materialize(
        [monthly_report],
        partition_key=month,
        instance=instance,
        resources={"run": ResourceDefinition.hardcoded_resource(RunContext(folder))},
        raise_on_error=False,
    )


def test_a_month_run_twice_is_one_report_and_one_delivery(standin: Standin, tmp_path: Path) -> None:
    folder = standin(2)
    (tmp_path / "share").mkdir()
    report_folder(folder).mkdir()
    (report_folder(folder) / "report.toml").write_text(
        f'[[delivery]]\nname = "共享目录"\nfolder = "{tmp_path / "share"}"\nformats = ["xlsx"]\n', "utf-8"
    )
    with DagsterInstance.ephemeral() as instance:
        assert make(folder, "2025-12-01", instance).success
        again = make(folder, "2025-12-01", instance)
    assert again.success
    assert [item.number for item in versions(folder, date(2025, 12, 1), "990101")] == [1]
    assert [path.name for path in (tmp_path / "share").iterdir()] == ["2025-12_990101_v1"]
    (materialization,) = again.asset_materializations_for_node("monthly_report")
    assert "不再重发" in str(materialization.metadata["done"].value)


def test_late_data_fail_the_step_and_say_why(standin: Standin) -> None:
    folder = standin(2)
    with DagsterInstance.ephemeral() as instance:
        done = make(folder, "2026-01-01", instance)
    assert not done.success
    (failure,) = done.filter_events(lambda event: event.is_step_failure)
    assert "没有2026年1月的数据" in failure.step_failure_data.user_failure_data.description
    assert not (folder.root / "reports").exists()
