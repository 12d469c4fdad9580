"""What ends a process that can say nothing any more: its engine gave up, the system took its memory back, somebody killed it.

DuckDB ends the whole process where it cannot write what it must (a log on a full disk), and where memory is gone the
system does. No exception comes of it, so a second process, which does nothing else, waits for the end of the first: it
has heard what libraries said of themselves on standard error, and says the one sentence in their place.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from oversight.faults import told_zh

_WELL = b"."
_LONGEST = 1 << 16
# How often the system has killed a process for want of memory.
_KILLS = Path("/proc/vmstat")


def kept() -> Callable[[], None]:
    """Have the last word said of this process, should it not come to its end; call what is returned where it does.

    To be called before there are threads. What libraries write to standard error themselves, past Python, is held back
    until then: it is what tells the cause.
    """
    if not sys.platform.startswith("linux") or sys.stderr is None:
        return lambda: None
    sys.stderr.flush()
    heard, spoken = os.memfd_create("stderr"), os.dup(2)
    reading, writing = os.pipe()
    kills = _kills()
    child = os.fork()
    if child == 0:
        os.close(writing)
        _listen(reading, heard, spoken, kills)
    os.close(reading)
    # A process forked later holds nothing that would keep this one's end from being seen.
    held = [writing]
    os.register_at_fork(after_in_child=lambda: _close(held))
    os.dup2(heard, 2)
    before = sys.stderr
    sys.stderr = open(  # noqa: SIM115
        spoken, "w", encoding=sys.stderr.encoding, errors=sys.stderr.errors, buffering=1, closefd=False
    )

    def ended() -> None:
        sys.stderr.flush()
        sys.stderr = before
        os.dup2(spoken, 2)
        _pass_on(heard, 2)
        os.write(writing, _WELL)
        _close(held)
        for descriptor in (heard, spoken):
            os.close(descriptor)
        os.waitpid(child, 0)

    return ended


def _listen(reading: int, heard: int, spoken: int, kills: int) -> NoReturn:
    """The other process: until the first has ended, well or otherwise."""
    try:
        # What ends the first, a key or the end of a session, is not to end this one before it.
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        # Whoever reads the first one's output waits for nobody else.
        for descriptor in (0, 1, 2):
            os.dup2(heard, descriptor)
        if os.read(reading, 1) != _WELL:
            said = _said(heard)
            sentence = told_zh(said, is_short_of_memory=_kills() > kills)
            _write(spoken, f"{sentence}\n".encode())
    finally:
        os._exit(0)


def _close(held: list[int]) -> None:
    while held:
        os.close(held.pop())


def _said(heard: int) -> str:
    return os.pread(heard, _LONGEST, 0).decode("utf-8", "replace")


def _pass_on(heard: int, to: int) -> None:
    at = 0
    while part := os.pread(heard, _LONGEST, at):
        _write(to, part)
        at += len(part)


def _write(to: int, content: bytes) -> None:
    try:
        while content:
            content = content[os.write(to, content) :]
    except OSError:
        # Nobody reads it.
        return


def _kills() -> int:
    try:
        lines = _KILLS.read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
