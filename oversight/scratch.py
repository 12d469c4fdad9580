"""Folders for what is needed for a moment: gone when it is over, and those of a process that was killed when the next
process makes one.

Whoever makes one holds the kernel's lock on it, which ends with its holder however that ends; one that nobody holds is
swept away.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PREFIX = "oversight-scratch-"


class Scratch:
    """Such a folder, below the system's place for temporary files or in one that is named; `end` takes it away."""

    def __init__(self, within: Path | None = None) -> None:
        place = Path(within or tempfile.gettempdir())
        _sweep(place)
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
            self._held = _taken(self.path, waiting=True)
            # Another may have swept it away between the two.
            if self.path.is_dir():
                return
            self._let_go()

    def end(self) -> None:
        """Take it away with all that lies in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None


@contextlib.contextmanager
def folder(within: Path | None = None) -> Iterator[Path]:
    """Such a folder for as long as the block lasts."""
    made = Scratch(within)
    try:
        yield made.path
    finally:
        made.end()


def _taken(path: Path, *, waiting: bool = False) -> int | None:
    """The lock on a folder; None where somebody holds it, it is gone, or the place knows no locks."""
    try:
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | (0 if waiting else fcntl.LOCK_NB))
    except OSError:
        os.close(held)
        return None
    return held


@cache
def _sweep(place: Path) -> None:
    """Take away what nobody holds any more, once a process."""
    for path in place.glob(f"{PREFIX}*"):
        held = _taken(path)
        if held is not None:
            # Another's cannot be opened, or belongs to who may clear it away.
            if os.fstat(held).st_uid == os.getuid():
                shutil.rmtree(path, ignore_errors=True)
            os.close(held)
