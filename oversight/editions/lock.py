"""One run at a time over one data folder.

The lock is the kernel's (flock): it goes with the process, however that dies, so that nobody ever has to
delete a stale lock file. Within one process it may be taken again, so that the command line can hold it
around a job whose own steps ask for it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oversight.errors import OversightError
from oversight.settings import DataFolder

_held: dict[Path, int] = {}
# Whoever only looks whether a run goes on (`holder`) holds the lock for a moment.
_ATTEMPTS, _PAUSE_SECONDS = 10, 0.02


class RunInProgress(OversightError):
    """Another process is running over the same data folder."""


@contextmanager
def run_lock(folder: DataFolder) -> Iterator[None]:
    """Hold the data folder for one run; raise `RunInProgress`, naming the process, when another holds it."""
    path = folder.work / "run.lock"
    if _held.get(path):
        _held[path] += 1
        try:
            yield
        finally:
            _held[path] -= 1
        return

    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        for attempt in range(_ATTEMPTS):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt + 1 < _ATTEMPTS:
                    time.sleep(_PAUSE_SECONDS)
                    continue
                holder = _written(descriptor) or "未知"
                raise RunInProgress(
                    f"另一个运行正在使用数据目录 {folder.root}（进程号 {holder}）。"
                    f"请等它结束后再运行；若它已无响应，可先执行 kill {holder}。"
                ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        _held[path] = 1
        try:
            yield
        finally:
            del _held[path]
    finally:
        os.close(descriptor)


def holder(folder: DataFolder) -> str | None:
    """The number of the process that runs over the data folder at this moment, "" where it is not known yet; None
    where none does. The kernel is asked: a number that a dead run left behind says nothing."""
    path = folder.work / "run.lock"
    if _held.get(path):
        return str(os.getpid())
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _written(descriptor)
    finally:
        os.close(descriptor)
    return None


def _written(descriptor: int) -> str:
    return os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
