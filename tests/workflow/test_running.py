"""运行 through the server's own addresses and the command line: one at a time, how far, how it ended, and back."""

from __future__ import annotations

import json
import os
import pty
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from oversight import cli, progress, whole_run
from oversight.accounts import record, store
from oversight.dashboard.app import create_app
from oversight.editions import current, list_editions, run_lock
from oversight.editions.keys import trusted_keys
from oversight.editions.seal import check
from oversight.faults import told_zh
from oversight.settings import DataFolder
from tests.accounts.asking import Browser
from tests.workflow.conftest import own_copy
from tests.workflow.handing import good, posted


@pytest.fixture(scope="module")
def folder(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFolder]:
    made = own_copy(sample_folder, tmp_path_factory.mktemp("running"))
    (made.raw / "湘东区" / "新到的人口.csv").write_bytes(good(41_234))
    yield made
    store.forget(made)


@pytest.fixture(scope="module")
def browsers(folder: DataFolder) -> dict[str, Browser]:
    app = create_app(folder)
    found = {}
    for name in ("analyst", "reporter", "reviewer", "reader"):
        found[name] = Browser(app.server.test_client())
        assert found[name].sign_in(name).status_code == 303
    return found


def over(me: Browser, run: str) -> dict[str, Any]:
    for _ in range(2400):
        found: dict[str, Any] = next(r for r in me.get("/run/state").get_json()["runs"] if r["id"] == run)
        if found["state"] != "running":
            return found
        time.sleep(0.25)
    raise AssertionError(me.get(f"/run/log/{run}").get_json())


def test_what_waits_is_run_once_and_gone_back_from(folder: DataFolder, browsers: dict[str, Browser]) -> None:
    me, before = browsers["analyst"], current(folder)
    assert before is not None
    waiting = me.get("/run/waiting").get_json()
    assert [item["name"] for item in waiting["files"]] == ["raw/湘东区/新到的人口.csv"]
    for name in ("reporter", "reviewer", "reader"):
        assert posted(browsers[name], "/run/start").status_code == 403
    # While one goes on that was started elsewhere nothing is started.
    with run_lock(folder):
        refused = posted(me, "/run/start")
        assert (refused.status_code, "另一个运行" in refused.get_data(as_text=True)) == (400, True)
    first, second = posted(me, "/run/start").get_json(), posted(me, "/run/start").get_json()
    assert first["id"] == second["id"]
    steps: set[str] = set()
    while (state := me.get("/run/state").get_json())["is_on"]:
        if state["now"] and "step" in state["now"]:
            steps.add(state["now"]["step"])
            assert state["now"]["of"] == len(progress.STEPS)
        time.sleep(0.2)
    assert steps & set(progress.STEPS)
    done = over(me, first["id"])
    after = current(folder)
    assert after is not None
    assert after.edition_id != before.edition_id
    assert (done["state"], done["edition"]) == ("done", after.edition_id), me.get(
        f"/run/log/{first['id']}"
    ).get_json()["said"]
    assert done["result"] == f"已发布新版本 {after.edition_id}。"
    assert "▶ 发布版本" in me.get(f"/run/log/{first['id']}").get_json()["said"]
    assert me.get("/run/waiting").get_json()["count"] == 0
    took = json.loads((folder.logs / "steps.json").read_text("utf-8"))
    assert set(took) == set(progress.STEPS)
    assert {"由页面启动"} <= {line.told.get("动作") for line in record.lines(folder, what="run")}

    # Whoever may run sees every run, with how it was started, and whether another comes by itself.
    scheduled = me.get("/run/scheduled").get_json()
    assert (scheduled["runs"][0]["result"], scheduled["runs"][0]["by"]) == ("完成", "页面或命令行")
    assert (scheduled["is_on"], bool(scheduled["next"])) == (False, True)
    assert browsers["reader"].get("/run/scheduled").status_code == 403

    # Back: equal to the old one but for its own name, signed, on the record, and left in place by a run.
    assert posted(me, "/run/back", {"edition": before.edition_id, "reason": " "}).status_code == 400
    assert posted(me, "/run/back", {"edition": after.edition_id, "reason": "x"}).status_code == 400
    assert posted(me, "/run/back", {"edition": "20000101-000000-none", "reason": "x"}).status_code == 400
    answer = posted(me, "/run/back", {"edition": before.edition_id, "reason": "新报的人口有误"})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    back = current(folder)
    assert back is not None
    assert back.edition_id == answer.get_json()["edition"]
    own = {name for name in back.manifest["tables"] if name != "main.edition"}
    assert all(back.manifest["tables"][name] == before.manifest["tables"][name] for name in own)
    assert check(back.path, trusted_keys(folder), with_rows=True) == []
    told = back.manifest["restores"]
    assert (told["edition_id"], told["by"], told["why"]) == (before.edition_id, "analyst", "新报的人口有误")
    for source in (f"'{back.path}/parquet/edition.parquet'", None):
        with duckdb.connect(str(back.warehouse), read_only=True) as connection:
            asked = f"select edition_id from {source or 'main.edition'}"
            assert connection.execute(asked).fetchall() == [(back.edition_id,)]
    # The same press again, and the back button's old page: nothing twice.
    assert posted(me, "/run/back", {"edition": before.edition_id, "reason": "又一次"}).status_code == 400
    assert whole_run.unchanged(folder) == back
    assert "回到以前的版本" in {line.told.get("动作") for line in record.lines(folder, what="run")}
    assert len(list_editions(folder)) == 3
    # What comes later counts again.
    (folder.raw / "湘东区" / "又到的人口.csv").write_bytes(good(41_235))
    assert whole_run.unchanged(folder) is None


def test_a_run_that_fails_or_is_killed_is_told(folder: DataFolder, browsers: dict[str, Browser]) -> None:
    me = browsers["analyst"]
    folder.headings.write_text("不是,表头\n", "utf-8")
    failed = over(me, posted(me, "/run/start").get_json()["id"])
    folder.headings.unlink()
    assert failed["state"] == "failed"
    assert "读者看到的仍是上一版" in failed["result"]
    assert "headings.csv" in failed["result"]
    # One whose process ended without a word.
    place = next((folder.logs / "runs").glob(f"{failed['id']}.json"))
    told = {name: value for name, value in json.loads(place.read_text("utf-8")).items() if name != "code"}
    place.write_text(json.dumps(told), "utf-8")
    broken = over(me, failed["id"])
    assert broken["state"] == "broken"
    assert "不会丢数据" in broken["result"]
    # One of whom another process told what ended it.
    said = place.with_suffix(".txt")
    said.write_text(
        f"{said.read_text('utf-8')}{told_zh('No space left on device', is_short_of_memory=False)}\n"
    )
    assert "读者看到的仍是上一版：磁盘空间不足" in over(me, failed["id"])["result"]


def test_back_at_the_command_line(
    folder: DataFolder, browsers: dict[str, Browser], capsys: pytest.CaptureFixture[str]
) -> None:
    del browsers
    data = ["--data", str(folder.root)]
    wanted = list_editions(folder)[1].edition_id
    assert cli.main(["editions", "back", wanted, "--by", "张三", *data]) == 1
    assert "--note" in capsys.readouterr().err
    assert cli.main(["editions", "back", wanted, "--by", "张三", "--note", "核对后无误", *data]) == 0
    assert f"与 {wanted} 相同" in capsys.readouterr().out
    assert cli.main(["editions", *data]) == 0
    assert f"与 {wanted} 相同（张三：核对后无误）" in capsys.readouterr().out


def test_a_long_step_is_told_on_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts and the time left, on a terminal; elsewhere nothing is added to what a run says."""
    folder = DataFolder.at(tmp_path)
    monkeypatch.setattr(progress, "SHOWN_AFTER", 0.0)
    monkeypatch.setattr(progress, "_TICK", 0.02)
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        with progress.following(folder) as followed:
            followed.heard("▶ 接收文件")
            progress.counted(30, 120)
            shown = ""
            while "约还需" not in shown:
                shown += os.read(reader, 4096).decode("utf-8", "replace")
            told = progress.now(folder)
    os.close(reader)
    assert "接收文件 30 / 120" in shown
    assert told is not None
    assert (told["done"], told["total"], told["number"]) == (30, 120, 1)
    assert progress.now(folder) is None
