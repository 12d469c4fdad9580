"""Running a command in a fresh process and reading off what the system charged for it."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Cost:
    """CPU and wall seconds and peak resident bytes of a process and all its children."""

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int


def measure(command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Cost:
    """Run to the end; raise with what it printed if it fails. The peak is sampled over the whole tree."""
    before = os.times()
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
    watcher.start()
    output, _ = process.communicate()
    wall = time.perf_counter() - start
    after = os.times()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} exited {process.returncode}:\n{output[-4000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(cpu, wall, peak[0])


def middle(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(
        statistics.median(c.cpu_seconds for c in costs),
        statistics.median(c.wall_seconds for c in costs),
        int(statistics.median(c.peak_bytes for c in costs)),
    )


def python(code: str) -> list[str]:
    """The command that runs `code` with this interpreter."""
    return [sys.executable, "-c", code]


def oversight(*words: str) -> list[str]:
    """The command line of the product."""
    return [sys.executable, "-m", "oversight.cli", *words]


def load() -> str:
    """How busy the machine is, for the note beside a figure."""
    one, five, _ = os.getloadavg()
    return f"load {one:.1f} / {five:.1f} on {os.cpu_count()} cores"


def _watch(pid: int, peak: list[int]) -> None:
    try:
        root = psutil.Process(pid)
        while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for process in [root, *root.children(recursive=True)]:
                try:
                    total += process.memory_info().rss
                except psutil.Error:
                    continue
            peak[0] = max(peak[0], total)
            time.sleep(0.05)
    except psutil.Error:
        return
