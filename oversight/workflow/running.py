"""运行 from the page: a run in a process of its own, who started it, how it went, and what it said.

    logs/runs/<id>.json   who started it, when, and how it ended
    logs/runs/<id>.txt    what it said

    python -m oversight.workflow.running FOLDER ID

The run is the one of `oversight run`, with its lock, its history and its record. Its process outlives the server that
started it; whether it still goes on is asked of the kernel, by a lock that goes with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from oversight import durable, progress
from oversight.accounts import record
from oversight.accounts.actor import Actor
from oversight.editions.edition import Edition, current
from oversight.editions.lock import holder
from oversight.errors import OversightError
from oversight.faults import SAFE_ZH
from oversight.loading import as_process
from oversight.settings import PROJECT_ROOT, TIME_ZONE, DataFolder

RUNS_LISTED = 20
LOG_BYTES = 200_000
FILES_LISTED = 200
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_NOT_READ = (".md", ".tmp", ".crdownload", ".part", ".lock")
_lock = threading.Lock()
# (path, size, time) → digest: of a file that did not change it is the same.
_digests: dict[tuple[str, int, int], str] = {}


class RunError(OversightError):
    """A run cannot be started, or an edition not be gone back to; the sentence says why."""


@dataclass(frozen=True)
class StartedRun:
    """A run that was started from the page."""

    id: str
    told: dict[str, Any]
    is_on: bool

    @property
    def state(self) -> str:
        """running, done, failed or broken (it ended without saying how)."""
        if self.is_on:
            return "running"
        if "code" not in self.told:
            return "broken"
        return "done" if self.told["code"] == 0 else "failed"


STATE_ZH = {"running": "运行中", "done": "完成", "failed": "没有完成", "broken": "中断"}


def _folder(folder: DataFolder) -> Path:
    return folder.logs / "runs"


def runs(folder: DataFolder) -> list[StartedRun]:
    """The latest runs that were started from the page, the newest first."""
    places = sorted(_folder(folder).glob("*.json"), reverse=True)
    found = (_read(path) for path in places if _ID.fullmatch(path.stem))
    return [item for _, item in zip(range(RUNS_LISTED), filter(None, found), strict=False)]


def find(folder: DataFolder, identifier: str) -> StartedRun | None:
    """A run by its id."""
    return _read(_folder(folder) / f"{identifier}.json") if _ID.fullmatch(identifier) else None


def said(folder: DataFolder, run: StartedRun) -> str:
    """What a run said, the end of it where it is long."""
    try:
        with (_folder(folder) / f"{run.id}.txt").open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LOG_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _read(path: Path) -> StartedRun | None:
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    is_on = _is_held(path.with_suffix(".txt"))
    if not is_on and "code" not in told:
        # It may have ended between the two looks.
        told = json.loads(path.read_text("utf-8"))
    return StartedRun(path.stem, told, is_on)


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextlib.contextmanager
def _alone(folder: DataFolder) -> Iterator[None]:
    _folder(folder).mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_folder(folder) / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def start(folder: DataFolder, actor: Actor) -> StartedRun:
    """Start a run, or name the one that goes on: a second press starts nothing.

    Raises `RunError` where a run that was started elsewhere goes on.
    """
    with _lock, _alone(folder):
        going = next((run for run in runs(folder) if run.is_on), None)
        if going is not None:
            return going
        elsewhere = holder(folder)
        if elsewhere is not None:
            raise RunError(f"另一个运行正在进行（进程号 {elsewhere or '未知'}），没有再启动。请等它结束。")
        now = datetime.now(TIME_ZONE)
        identifier = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        record.note(folder, "run", 动作="由页面启动", 编号=identifier)
        told = {"id": identifier, "by": actor.name, "started_at": now.isoformat(timespec="seconds")}
        place = _folder(folder) / f"{identifier}.json"
        with place.with_suffix(".txt").open("wb") as log:
            # The lock belongs to the open file: it goes to the new process with it, and ends when that does.
            fcntl.flock(log, fcntl.LOCK_EX)
            durable.write_text(place, json.dumps(told, ensure_ascii=False))
            command = [sys.executable, "-m", "oversight.workflow.running", str(folder.root), identifier]
            process = subprocess.Popen(
                command,
                cwd=PROJECT_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        threading.Thread(target=process.wait, daemon=True, name="run").start()
        return StartedRun(identifier, told, is_on=True)


def main(arguments: list[str]) -> int:
    """The run itself, and how it ended."""
    from oversight import cli

    folder, identifier = DataFolder.at(arguments[0]), arguments[1]
    place = _folder(folder) / f"{identifier}.json"
    before = current(folder)
    code = cli.main(["run", "--data", str(folder.root)])
    sys.stdout.flush()
    after = current(folder)
    told = json.loads(place.read_text("utf-8")) | {
        "code": code,
        "ended_at": datetime.now(TIME_ZONE).isoformat(timespec="seconds"),
        "before": before.edition_id if before else None,
        "edition": after.edition_id if after else None,
    }
    durable.write_text(place, json.dumps(told, ensure_ascii=False))
    return code


def result_zh(folder: DataFolder, run: StartedRun) -> str:
    """How a run ended, in a sentence."""
    if run.state == "running":
        return "正在运行。"
    if run.state == "broken":
        # Where the process was ended and not the machine, it is told by what.
        last = said(folder, run).strip().splitlines()[-1:]
        if last and SAFE_ZH in last[0]:
            return f"运行半途中断，读者看到的仍是上一版：{last[0]}"
        return "运行半途中断（停电、被结束），读者看到的仍是上一版。再运行一次即可，不会丢数据。"
    if run.state == "failed":
        last = said(folder, run).strip().splitlines()[-1:] or ["没有说明原因。"]
        return f"没有完成，读者看到的仍是上一版：{last[0]}"
    if run.told["edition"] == run.told["before"]:
        return f"没有新内容，仍为版本 {run.told['edition']}。"
    return f"已发布新版本 {run.told['edition']}。"


def how_far(folder: DataFolder) -> dict[str, Any] | None:
    """How far the run that goes on is, wherever it was started; None where none does."""
    return (progress.now(folder) or {}) if holder(folder) is not None else None


# --- what waits ---------------------------------------------------------------------------------------------


def waiting(folder: DataFolder) -> list[dict[str, Any]]:
    """Files in raw/ that no run has taken in, the latest first; and corrections that changed since."""
    from oversight.workflow.handing_in import taken_in

    known = taken_in(folder)
    found = []
    for root in (folder.raw, folder.corrections):
        for path in sorted(root.rglob("*")) if root.is_dir() else []:
            name = path.name
            if name.startswith((".", "~$")) or name.lower().endswith(_NOT_READ) or not path.is_file():
                continue
            with contextlib.suppress(OSError):
                stat = path.stat()
                if _digest(path, stat) not in known:
                    found.append(
                        {
                            "name": str(path.relative_to(folder.root)),
                            "bytes": stat.st_size,
                            "at": datetime.fromtimestamp(stat.st_mtime, TIME_ZONE),
                        }
                    )
    return sorted(found, key=lambda item: item["at"], reverse=True)


def _digest(path: Path, stat: os.stat_result) -> str:
    key = (str(path), stat.st_size, stat.st_mtime_ns)
    found = _digests.get(key)
    if found is None:
        with path.open("rb") as file:
            found = _digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


# --- back to an edition of before ---------------------------------------------------------------------------


def go_back(folder: DataFolder, edition_id: str, why: str, actor: Actor, *, by: str = "") -> Edition:
    """Publish anew what an edition of before said. Raises `OversightError`."""
    from oversight.editions.restoring import restore_edition
    from oversight.whole_run import fingerprints

    who = by or actor.name
    if not who:
        raise RunError("回到以前的版本要记下是谁办的，这里还没有账号。请先用 oversight user add 建立账号。")
    if not why.strip():
        raise RunError("请写明为什么要回到以前的版本。")
    record.note(folder, "run", 动作="回到以前的版本", 版本=edition_id, 原因=" ".join(why.split()), 办理人=who)
    made = restore_edition(
        folder,
        edition_id,
        by=who,
        why=why,
        now=datetime.now(TIME_ZONE),
        stands_for=fingerprints(folder),
        record_head=record.head(folder),
    )
    record.note(folder, "run", 动作="已发布", 版本=made.edition_id, 与其相同=edition_id, 办理人=who)
    return made


if __name__ == "__main__":
    as_process(lambda: main(sys.argv[1:]))
