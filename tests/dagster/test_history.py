"""Dagster's history through the storage that `dagster.yaml` names: the same rows in the same files, which stay open."""

from __future__ import annotations

import ast
import shutil
import sqlite3.dbapi2
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetMaterialization, DagsterInstance, job, op

from dagster_project.history import HeldOpenEventLog
from dagster_project.run_job import prepare_home
from oversight.settings import PROJECT_ROOT, DataFolder


@op
def speaks(context) -> None:
    for number in range(60):
        context.log.info(f"第 {number} 句")
    context.log_event(AssetMaterialization("table"))


@job
def small() -> None:
    speaks()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    monkeypatch.setenv("DAGSTER_HOME", "")
    return DataFolder.at(tmp_path / "资料 #1")


def events_of(instance: DagsterInstance) -> list[list[tuple[str | None, str]]]:
    return [
        [
            (each.dagster_event.event_type_value if each.dagster_event else None, each.user_message)
            for each in instance.all_logs(run.run_id)
        ]
        for run in instance.get_runs()
    ]


def imported() -> Iterator[tuple[str, str]]:
    """Each module of the project, and what it imports, by a statement or by name."""
    for folder in ("oversight", "dagster_project", "benchmarks", "verify"):
        for path in sorted((PROJECT_ROOT / folder).rglob("*.py")):
            where = str(path.relative_to(PROJECT_ROOT))
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ImportFrom):
                    yield where, f"{node.module}"
                elif isinstance(node, ast.Import):
                    yield from ((where, name.name) for name in node.names)
                elif isinstance(node, ast.Call):
                    texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
                    yield from ((where, text) for text in texts if isinstance(text, str))


def test_dagsters_own_rooms_are_entered_for_one_class_alone() -> None:
    """Why it has to be: docs/decisions/0059."""
    private = {(where, name) for where, name in imported() if name.startswith("dagster._")}
    assert private == {("dagster_project/history.py", "dagster._core.storage.event_log")}


def test_it_is_the_storage_named_and_writes_what_dagsters_own_reads(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    connect = sqlite3.dbapi2.connect

    def counted(*args: Any, **options: Any) -> sqlite3.Connection:
        if "/history/runs/" in str(args[0]):
            opened.append(args)
        return connect(*args, **options)

    monkeypatch.setattr(sqlite3.dbapi2, "connect", counted)
    home = prepare_home(folder)
    with DagsterInstance.from_config(str(home)) as instance:
        assert isinstance(instance.event_log_storage, HeldOpenEventLog)
        assert small.execute_in_process(instance=instance).success
        ours = events_of(instance)
    count = len(opened)
    # Closed whole: nothing is left in a log beside the files.
    assert not list((home / "history" / "runs").glob("*-wal"))

    # Dagster's own class over the same files, and over a run of its own.
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    (copy / "dagster.yaml").unlink()
    with DagsterInstance.from_config(str(copy)) as instance:
        assert not isinstance(instance.event_log_storage, HeldOpenEventLog)
        assert events_of(instance) == ours
        opened.clear()
        assert small.execute_in_process(instance=instance).success
        theirs, _ = events_of(instance)
        ends = [kind for kind, _ in theirs if kind]
    assert [kind for kind, _ in ours[0] if kind] == ends
    assert count < 20 < 60 < len(opened)


def test_a_folder_that_was_copied_writes_into_itself(folder: DataFolder, tmp_path: Path) -> None:
    with DagsterInstance.from_config(str(prepare_home(folder))) as instance:
        small.execute_in_process(instance=instance)
    copied = DataFolder.at(tmp_path / "copied")
    shutil.copytree(folder.root, copied.root)
    with DagsterInstance.from_config(str(prepare_home(copied))) as instance:
        small.execute_in_process(instance=instance)
        assert len(events_of(instance)) == 2
        assert all(events_of(instance))
    with DagsterInstance.from_config(str(prepare_home(folder))) as instance:
        assert len(events_of(instance)) == 1


def test_many_runs_are_read_with_few_files_open(folder: DataFolder) -> None:
    with DagsterInstance.from_config(str(prepare_home(folder))) as instance:
        for _ in range(10):
            small.execute_in_process(instance=instance)
        assert [len(events) > 20 for events in events_of(instance)] == [True] * 10
        assert len(instance.event_log_storage._held) <= 8  # type: ignore[attr-defined]
        instance.event_log_storage.wipe()
        assert not any(events_of(instance))


def test_an_earlier_configuration_is_told_of_it_and_one_with_a_storage_stays(folder: DataFolder) -> None:
    home = prepare_home(folder)
    whole = (home / "dagster.yaml").read_text("utf-8")
    before = (
        whole[: whole.index("# The files of the history")] + "code_servers: {local_startup_timeout: 60}\n"
    )
    (home / "dagster.yaml").write_text(before, "utf-8")
    prepare_home(folder)
    told = (home / "dagster.yaml").read_text("utf-8")
    assert told.startswith(before)
    assert told.count("HeldOpenEventLog") == 1
    with DagsterInstance.from_config(str(home)) as instance:
        assert isinstance(instance.event_log_storage, HeldOpenEventLog)
    own = before + "storage:\n  sqlite: {base_dir: /tmp}\n"
    (home / "dagster.yaml").write_text(own, "utf-8")
    prepare_home(folder)
    assert (home / "dagster.yaml").read_text("utf-8") == own
