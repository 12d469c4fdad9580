"""How far a run is: by step, with what is counted and the time that is left, for the page and the terminal.

    .work/progress.json   the step that goes on; gone with the run, and made anew by the next
    logs/steps.json       how long each step took the last time, from which the time left is told

A step announces itself by the line it has always begun with (`▶ …`); what counts calls `counted`, which does nothing
where nobody follows. Telling how far something is never makes it fail.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from oversight import durable
from oversight.settings import TIME_ZONE, DataFolder

STEPS = ("接收文件", "检查标准", "计算保障标准与缺口", "核对数据", "发布版本")
# A step that is over sooner needs no telling.
SHOWN_AFTER = 5.0
_TICK = 1.0
_LATEST_KEPT = 0.7

_following: Progress | None = None


@dataclass
class _Step:
    title: str
    began: float
    done: int = 0
    total: int = 0


class Progress:
    """Follows one run."""

    def __init__(self, folder: DataFolder, terminal: TextIO | None) -> None:
        self.folder, self.terminal = folder, terminal
        self.before = _durations(folder)
        self.took: dict[str, float] = {}
        self.began = time.monotonic()
        self.step: _Step | None = None
        self._shown = False
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True, name="progress")

    def heard(self, line: str) -> None:
        """Take note of a line that a run says: it may begin a step."""
        with self._lock:
            self._wipe()
            if line.startswith("▶ "):
                self._end()
                self.step = _Step(line[2:].strip(), time.monotonic())
                self._write()

    def told_to(self, say: Callable[[str], None]) -> Callable[[str], None]:
        """`say`, with note taken of every line."""

        def both(line: str) -> None:
            self.heard(line)
            say(line)

        return both

    def counted(self, done: int, total: int) -> None:
        """So many of so many are done in the step that goes on."""
        with self._lock:
            if self.step is not None:
                self.step.done, self.step.total = done, total

    def left(self) -> float | None:
        """Seconds left in the step that goes on, None where nothing tells."""
        step = self.step
        if step is None:
            return None
        gone = time.monotonic() - step.began
        if step.total and step.done:
            return gone / step.done * (step.total - step.done)
        before = self.before.get(step.title)
        return max(1.0, before - gone) if before is not None else None

    def _end(self) -> None:
        if self.step is not None:
            self.took[self.step.title] = time.monotonic() - self.step.began
        self.step = None

    def _tick(self) -> None:
        while not self._over.wait(_TICK):
            with self._lock:
                if self.step is None:
                    continue
                self._write()
                if self.terminal and time.monotonic() - self.step.began >= SHOWN_AFTER:
                    self.terminal.write(f"\r\x1b[K  {self.text()}")
                    self.terminal.flush()
                    self._shown = True

    def _wipe(self) -> None:
        if self._shown and self.terminal:
            self.terminal.write("\r\x1b[K")
            self.terminal.flush()
            self._shown = False

    def text(self) -> str:
        """The step that goes on in one line."""
        step = self.step
        if step is None:
            return ""
        counts = f" {step.done:,} / {step.total:,}" if step.total else ""
        left = self.left()
        return f"{step.title}{counts}，已用 {time.monotonic() - step.began:.0f} 秒" + (
            f"，约还需 {left:.0f} 秒" if left is not None else ""
        )

    def _write(self) -> None:
        step = self.step
        if step is None:
            return
        left = self.left()
        # Two of them need nothing of each other and come in either order.
        later = [name for name in STEPS if name != step.title and name not in self.took]
        rest = [self.before[name] for name in later if name in self.before]
        told = {
            "step": step.title,
            "number": STEPS.index(step.title) + 1 if step.title in STEPS else 0,
            "of": len(STEPS),
            "steps": [
                {"title": name, "seconds": round(self.took[name], 1) if name in self.took else None}
                for name in STEPS
            ],
            "done": step.done,
            "total": step.total,
            "seconds": round(time.monotonic() - step.began),
            "left": round(left) if left is not None else None,
            # Of steps that never ran nobody knows.
            "left_in_all": round(left + sum(rest)) if left is not None and len(rest) == len(later) else None,
            "at": datetime.now(TIME_ZONE).isoformat(timespec="seconds"),
        }
        with suppress(OSError):
            durable.write_text(_place(self.folder), json.dumps(told, ensure_ascii=False), lasting=False)

    def start(self) -> None:
        """Begin telling."""
        self._ticker.start()

    def stop(self, *, is_whole: bool) -> None:
        """Tell no more; of a run that came to its end it is kept how long its steps took."""
        self._over.set()
        self._ticker.join()
        with self._lock:
            self._wipe()
            self._end()
        with suppress(OSError):
            _place(self.folder).unlink(missing_ok=True)
            if is_whole and self.took:
                kept = {
                    name: round(
                        _LATEST_KEPT * seconds + (1 - _LATEST_KEPT) * self.before.get(name, seconds), 2
                    )
                    for name, seconds in self.took.items()
                }
                text = json.dumps(self.before | kept, ensure_ascii=False)
                durable.write_text(self.folder.logs / "steps.json", text, lasting=False)


@contextmanager
def following(folder: DataFolder) -> Iterator[Progress]:
    """Follow the run inside; on a terminal, steps that take longer are told there as they go."""
    global _following
    made = Progress(folder, sys.stderr if sys.stderr.isatty() else None)
    before, _following = _following, made
    made.start()
    is_whole = False
    try:
        yield made
        is_whole = True
    finally:
        _following = before
        made.stop(is_whole=is_whole)


def counted(done: int, total: int) -> None:
    """So many of so many are done in the step that goes on."""
    if _following is not None:
        _following.counted(done, total)


def now(folder: DataFolder) -> dict[str, Any] | None:
    """How far the run over a folder is, as it told last; whether one goes on is the lock's to say."""
    try:
        told: dict[str, Any] = json.loads(_place(folder).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return told


def _durations(folder: DataFolder) -> dict[str, float]:
    try:
        told = json.loads((folder.logs / "steps.json").read_text("utf-8"))
        return {str(name): float(seconds) for name, seconds in told.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _place(folder: DataFolder) -> Path:
    return folder.work / "progress.json"
