"""Judging uploads in processes that stay, and filling in templates in one of their own.

To start such a process costs four times what judging a township's report does, and on the last day they all come at once:
so one is kept while there is something to judge, and goes when nobody has asked for a while. They give way to pages,
which somebody is looking at.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from oversight.settings import PROJECT_ROOT
from oversight.workflow.handing_in import Tray

JUDGING_AT_ONCE = 2
JUDGING_SECONDS = 300
# A third of a page's share of a processor where both want it, and all of it where no page does: whoever waits for a
# judgement looks at a page too, and beside a run that takes every processor a tenth was half a minute for half a second.
NICENESS = 5
FAILED = "核对没有完成。请重新上传；若仍不行，请告诉系统管理员。"
_TOO_LONG = "核对超过 {seconds} 秒，已停止。请把文件分小后重新上传，或稍后再试。"
_PROGRAM = (sys.executable, "-m", "oversight.workflow.judging")

log = logging.getLogger(__name__)


class Judges:
    """Judges uploads, so many at once, and knows how long they took."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._pool = ThreadPoolExecutor(JUDGING_AT_ONCE, thread_name_prefix="judge")
        self._running: dict[str, Future[None]] = {}
        self._took: deque[float] = deque([4.0], maxlen=9)
        self._lock = threading.Lock()
        self._idle: list[_Process] = []

    def take(self, tray: Tray) -> None:
        """Have an upload judged, unless that is under way."""
        with self._lock:
            self._running = {name: job for name, job in self._running.items() if not job.done()}
            if tray.state == "waiting" and tray.id not in self._running:
                self._running[tray.id] = self._pool.submit(self._judge, tray)

    def seconds(self) -> int:
        """How long whoever waits now has to, as far as one can tell."""
        with self._lock:
            ahead = sum(not job.done() for job in self._running.values())
            typical = sorted(self._took)[len(self._took) // 2]
        return max(1, round(typical * max(1, -(-ahead // JUDGING_AT_ONCE))))

    def _judge(self, tray: Tray) -> None:
        began = time.monotonic()
        told = self._asked(tray.place)
        if not tray.place.is_dir():
            return
        # As the judge left it: it may have changed cells.
        tray.as_it_is().save(**({"state": "failed", "failure": told} if told else {"state": "judged"}))
        with self._lock:
            self._took.append(time.monotonic() - began)

    def _asked(self, place: Path) -> str:
        with self._lock:
            process = self._idle.pop() if self._idle else None
        told = process.judge(place) if process is not None else None
        if told is None:
            # None was there, or it had just gone.
            process = _Process(self.root)
            told = process.judge(place)
        if process is not None and process.is_there():
            with self._lock:
                self._idle.append(process)
        return FAILED if told is None else told


class _Process:
    """One process that judges an upload after the other."""

    def __init__(self, root: Path) -> None:
        self._process = subprocess.Popen(
            [*_PROGRAM, "stay", str(root)],
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        with contextlib.suppress(OSError):
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, self._process.pid, min(19, own + NICENESS))

    def is_there(self) -> bool:
        """Whether it can be asked again."""
        return self._process.poll() is None

    def judge(self, place: Path) -> str | None:
        """'' when all went well, else a sentence; None where it ended instead of answering."""
        is_late = threading.Event()

        def stop() -> None:
            is_late.set()
            self._process.kill()

        timer = threading.Timer(JUDGING_SECONDS, stop)
        timer.start()
        line = ""
        try:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(str(place)) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            # It had gone already.
            pass
        finally:
            timer.cancel()
        if is_late.is_set():
            self._process.wait()
            return _TOO_LONG.format(seconds=JUDGING_SECONDS)
        if not line.endswith("\n"):
            self._process.kill()
            self._process.wait()
            return None
        told = json.loads(line)
        if told["failure"]:
            log.error("an upload could not be judged: %s", told["failure"])
            return FAILED
        return str(told["sentence"])


def apart(*arguments: str, seconds: int) -> str:
    """Run `oversight.workflow.judging` once, in a process of its own; '' when all went well, else a sentence."""
    try:
        done = subprocess.run(
            [*_PROGRAM, *arguments],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _TOO_LONG.format(seconds=seconds)
    if done.returncode == 0:
        return ""
    last = done.stderr.strip().splitlines()[-1:] or [""]
    # A sentence of ours is for whoever asked; anything else is a fault of ours.
    is_ours = done.returncode == 1 and any("\u4e00" <= letter <= "\u9fff" for letter in last[0])
    return last[0] if is_ours else FAILED
