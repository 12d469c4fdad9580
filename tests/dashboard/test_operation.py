"""What whoever runs the service sees: the health address, the logs, the page of operation."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
from datetime import date, datetime, timedelta
from pathlib import Path

from oversight import logs
from oversight.calendar import load_calendar
from oversight.dashboard.app import create_app
from oversight.editions import find_edition
from oversight.editions.edition import open_edition
from oversight.operation import is_scheduled, next_scheduled, operation, runs
from oversight.settings import TIME_ZONE, DataFolder
from tests.conftest import run_oversight
from tests.dashboard.browsing import Served
from tests.dashboard.test_gate import JSON, ask, call


def test_the_health_address_asks_the_current_edition(dashboard_folder: DataFolder, tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    client = create_app(folder).server.test_client()
    assert client.get("/health").status_code == 503
    shutil.copytree(dashboard_folder.marts, folder.marts, symlinks=True)
    client = create_app(folder).server.test_client()
    answer = client.get("/health")
    edition = find_edition(folder)
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "edition": edition.edition_id})
    # Cut short as by a full disk; a server that starts now finds it so.
    os.truncate(edition.warehouse, 5000)
    answer = create_app(folder).server.test_client().get("/health")
    assert answer.status_code == 503
    assert answer.json["status"] == "unavailable"
    assert str(tmp_path) not in answer.text


def test_requests_are_logged_as_json_without_what_was_asked(served: Served) -> None:
    ask(served.base, "/findings?q=%E5%BC%A0%E4%B8%89")
    ask(
        served.base,
        "/sql/run",
        json.dumps({"edition": find_edition(served.folder).edition_id, "sql": "select '机密'"}).encode(),
        JSON,
    )
    ask(served.base, "/_dash-update-component", json.dumps(call()).encode(), JSON)
    lines = [
        json.loads(line) for line in (served.folder.logs / "serve.jsonl").read_text("utf-8").splitlines()
    ]
    asked = [line for line in lines if line["message"] == "request"]
    assert {"/findings", "/sql/run", "/_dash-update-component"} <= {line["path"] for line in asked}
    for line in asked:
        assert line.keys() >= {"time", "level", "method", "status", "milliseconds", "address", "user"}
    text = json.dumps(lines, ensure_ascii=False)
    assert "张三" not in text
    assert "机密" not in text


def test_a_line_bears_the_run_the_file_and_the_trace(tmp_path: Path) -> None:
    log = logging.getLogger("oversight.test")
    with logs.written(tmp_path, "run"):
        with logs.holding(run="r1"), logs.holding(file="甲乡.xlsx"):
            logs.tell(log, "read", rows=3)
            try:
                raise ValueError("x")
            except ValueError:
                log.exception("could not be read")
        log.info("after")
    first, second, third = [
        json.loads(line) for line in (tmp_path / "run.jsonl").read_text("utf-8").splitlines()
    ]
    assert (first["run"], first["file"], first["rows"]) == ("r1", "甲乡.xlsx", 3)
    assert (second["level"], second["error"], second["file"]) == ("error", "ValueError", "甲乡.xlsx")
    assert "Traceback" in second["trace"]
    assert "run" not in third


def test_a_run_is_logged_with_its_files(sample_folder: DataFolder) -> None:
    text = (sample_folder.logs / "run.jsonl").read_text("utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert len({line["run"] for line in lines}) == 1
    files = [line for line in lines if line["message"] == "file"]
    with open_edition(sample_folder) as connection:
        names = [name for (name,) in connection.execute("select file_name from submissions").fetchall()]
    assert sorted(line["file"] for line in files) == sorted(names)
    assert {"refused", "accepted"} <= {line["status"] for line in files}
    assert lines[-1]["edition"] == find_edition(sample_folder).edition_id


def test_operation_tells_what_has_to_be_done(sample_folder: DataFolder, tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    shutil.copytree(sample_folder.marts, folder.marts, symlinks=True)
    shutil.copytree(sample_folder.root / ".dagster", tmp_path / ".dagster")
    now = datetime.now(TIME_ZONE)
    found = operation(folder, now)
    assert [run.status for run in found.runs] == ["SUCCESS"]
    assert found.holder is None
    assert found.disk.parts["marts"] > 2**20
    assert any("60 天没有更新" in text for text in operation(folder, now + timedelta(days=60)).warnings)
    assert any("还没有备份过" in text for text in found.warnings)
    done = run_oversight("backup", str(tmp_path.parent / "kept"), "--data", str(tmp_path))
    assert done.returncode == 0, done.stderr
    backed_up = operation(folder, now).backup
    assert backed_up is not None
    assert backed_up.files > 10
    assert not any("备份" in text for text in operation(folder, now).warnings)
    assert any("39 天前" in text for text in operation(folder, now + timedelta(days=39, hours=1)).warnings)
    for status, word in (("FAILURE", "没有完成"), ("STARTED", "半途中断")):
        with sqlite3.connect(tmp_path / ".dagster" / "history" / "runs.db") as connection:
            connection.execute("update runs set status = ?", (status,))
        assert any(word in text for text in operation(folder, now).warnings)
    (folder.marts / "CURRENT").unlink()
    assert any("还没有已发布的版本" in text for text in operation(folder, now).warnings)


def test_whether_and_when_it_runs_by_itself_is_known(tmp_path: Path) -> None:
    folder, now = DataFolder.at(tmp_path), datetime(2026, 11, 29, 20, tzinfo=TIME_ZONE)
    assert not is_scheduled(folder, now)
    assert runs(folder) == ()
    (tmp_path / ".dagster" / "history").mkdir(parents=True)
    with sqlite3.connect(tmp_path / ".dagster" / "history" / "runs.db") as connection:
        # As Dagster lays them out.
        connection.executescript(
            "create table daemon_heartbeats (id integer, daemon_type text, daemon_id text, timestamp timestamp, body text);"
            "create table run_tags (id integer, run_id text, key text, value text);"
            "create table runs (id integer, run_id text, status text, start_time float, end_time float, pipeline_name text);"
            "insert into runs values (1, 'a', 'SUCCESS', 1, 2, 'oversight_run'), (2, 'b', 'FAILURE', 3, 4, 'x');"
            "insert into run_tags values (1, 'b', 'dagster/schedule_name', 'monthly');"
        )
    assert [(run.run_id, run.started_by) for run in runs(folder)] == [("b", "schedule"), ("a", "")]
    assert not is_scheduled(folder, now)
    with sqlite3.connect(tmp_path / ".dagster" / "history" / "runs.db") as connection:
        connection.execute(
            "insert into daemon_heartbeats values (1, 'SENSOR', 'x', '2026-11-29 11:58:30.5', '')"
        )
    assert is_scheduled(folder, now)
    assert not is_scheduled(folder, now + timedelta(minutes=10))
    # The 5th of December 2026 is a Saturday.
    calendar = load_calendar()
    assert next_scheduled(now, calendar) == datetime(2026, 12, 7, 8, tzinfo=TIME_ZONE)
    assert next_scheduled(datetime(2026, 12, 7, 9, tzinfo=TIME_ZONE), calendar).date() == date(2027, 1, 5)
