"""How the service itself is doing, for whoever runs it: runs, queue, disk, the last backup, warnings."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from oversight import durable
from oversight.calendar import Calendar
from oversight.editions.edition import current
from oversight.editions.lock import holder
from oversight.settings import TIME_ZONE, DataFolder

RUNS_SHOWN = 20
# A month's report is due by the middle of the next: an edition older than this has missed one.
EDITION_DAYS = 45
# Reports come monthly; what came since the last backup is on this machine alone.
BACKUP_DAYS = 35
# A run makes a copy of the largest table set before it replaces anything.
LEAST_FREE_BYTES = 2 * 2**30
# When the orchestrator runs by itself: on this day of the month, or the next working day, besides whenever files come.
SCHEDULE_DAY, SCHEDULE_HOUR = 5, 8
# It beats every half minute while it is there; a busy machine makes it late.
HEARTBEAT = timedelta(minutes=5)
LEAST_FREE_SHARE = 0.05


@dataclass(frozen=True)
class Run:
    """A run as the orchestrator recorded it. `status` is its word: SUCCESS, FAILURE, CANCELED, STARTED, QUEUED …"""

    run_id: str
    status: str
    started_at: datetime | None
    ended_at: datetime | None
    job: str = ""
    # 'schedule', 'sensor', or '' for a command or a page.
    started_by: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it came to an end."""
        return self.status in ("SUCCESS", "FAILURE", "CANCELED")


@dataclass(frozen=True)
class Disk:
    """Bytes of the file system that the data folder lies on, and of the folder's parts."""

    total: int
    free: int
    parts: dict[str, int]


@dataclass(frozen=True)
class LastBackup:
    """When the folder was last backed up, where to and how many files."""

    made_at: datetime
    place: str
    files: int


@dataclass(frozen=True)
class Operation:
    """Everything the page of operation shows."""

    runs: tuple[Run, ...]
    holder: str | None
    disk: Disk
    backup: LastBackup | None
    warnings: tuple[str, ...]


def operation(folder: DataFolder, now: datetime | None = None) -> Operation:
    """The state of things."""
    now = now or datetime.now(TIME_ZONE)
    found = runs(folder)
    running = holder(folder)
    disk = disk_of(folder)
    backup = last_backup(folder)
    return Operation(
        found, running, disk, backup, tuple(_warnings(folder, found, running, disk, backup, now))
    )


def note_backup(folder: DataFolder, made: LastBackup) -> None:
    """Remember in the data folder that it was backed up: the backup itself lies elsewhere."""
    told = {"made_at": made.made_at.isoformat(), "place": made.place, "files": made.files}
    durable.write_text(_backup_note(folder), json.dumps(told, ensure_ascii=False))


def last_backup(folder: DataFolder) -> LastBackup | None:
    """The last backup there was, None before the first."""
    try:
        told = json.loads(_backup_note(folder).read_text("utf-8"))
        return LastBackup(datetime.fromisoformat(told["made_at"]), str(told["place"]), int(told["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _backup_note(folder: DataFolder) -> Path:
    return folder.root / "last_backup.json"


def runs(folder: DataFolder) -> tuple[Run, ...]:
    """The latest runs, the newest first; none where nothing has run yet."""
    tag = "select 1 from run_tags where run_tags.run_id = runs.run_id and key ="
    rows = _asked(
        folder,
        "select run_id, status, start_time, end_time, pipeline_name, "
        f"case when exists ({tag} 'dagster/schedule_name') then 'schedule' "
        f"when exists ({tag} 'dagster/sensor_name') then 'sensor' else '' end "
        "from runs order by id desc limit ?",
        RUNS_SHOWN,
    )
    return tuple(
        Run(name, status, _moment(start), _moment(end), job, by) for name, status, start, end, job, by in rows
    )


def is_scheduled(folder: DataFolder, now: datetime) -> bool:
    """Whether the orchestrator is there that runs by itself."""
    (last,) = next(iter(_asked(folder, "select max(timestamp) from daemon_heartbeats")), (None,))
    return last is not None and now - datetime.fromisoformat(last).replace(tzinfo=UTC) < HEARTBEAT


def next_scheduled(now: datetime, calendar: Calendar) -> datetime:
    """When it runs next, though no file comes."""
    for month in range(now.month - 1, now.month + 1):
        first = date(now.year + month // 12, month % 12 + 1, SCHEDULE_DAY)
        at = datetime.combine(calendar.next_workday(first), time(SCHEDULE_HOUR), TIME_ZONE)
        if at > now:
            return at
    raise AssertionError("the next month's day lies ahead")


def _asked(folder: DataFolder, sql: str, *values: Any) -> list[Any]:
    """Rows of the orchestrator's history; none where nothing has run yet."""
    path = folder.root / ".dagster" / "history" / "runs.db"
    if not path.is_file():
        return []
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=2)) as connection:
        return connection.execute(sql, values).fetchall()


def disk_of(folder: DataFolder) -> Disk:
    """How much room there is, and what takes how much."""
    usage = shutil.disk_usage(folder.root)
    parts = {
        path.name: _size(path)
        for path in sorted(folder.root.iterdir())
        if path.is_dir() and not path.is_symlink()
    }
    return Disk(usage.total, usage.free, parts)


def _size(path: Path) -> int:
    total = 0
    for base, _, names in os.walk(path):
        for name in names:
            try:
                found = os.lstat(os.path.join(base, name))  # noqa: PTH118 - a walk over many thousand files
            except OSError:
                # Taken away meanwhile.
                continue
            total += found.st_size // max(1, found.st_nlink)
    return total


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, TIME_ZONE)


def _warnings(
    folder: DataFolder,
    found: tuple[Run, ...],
    running: str | None,
    disk: Disk,
    backup: LastBackup | None,
    now: datetime,
) -> list[str]:
    told = []
    if disk.free < LEAST_FREE_BYTES or disk.free < disk.total * LEAST_FREE_SHARE:
        told.append("磁盘快满了：运行需要放下一整版新数据。请清理磁盘或换到更大的盘。")
    if found and found[0].status in ("FAILURE", "CANCELED"):
        told.append(
            "最近一次运行没有完成，读者看到的仍是上一版。请查看运行时的提示，改正后再运行 oversight run。"
        )
    if found and not found[0].is_over and running is None:
        told.append("最近一次运行半途中断（停电、被结束）。再运行一次 oversight run 即可，不会丢数据。")
    edition = current(folder)
    if edition is None:
        told.append("还没有已发布的版本。请把报表放进 raw/，运行 oversight run。")
    else:
        age = now - datetime.fromtimestamp(edition.path.stat().st_mtime, TIME_ZONE)
        if age > timedelta(days=EDITION_DAYS):
            told.append(f"当前版本已有 {age.days} 天没有更新。请确认各月报表是否已放进 raw/ 并运行过。")
    if found and backup is None:
        told.append("还没有备份过。请用 oversight backup 把数据目录备份到另一块盘或另一台电脑。")
    elif backup is not None and now - backup.made_at > timedelta(days=BACKUP_DAYS):
        told.append(f"上次备份是 {(now - backup.made_at).days} 天前。请再运行一次 oversight backup。")
    return told
