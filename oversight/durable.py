"""Files that are whole or not there at all, and stay after a power cut: the one place that writes what must last.

Written aside in the same folder, forced to disk, put in place by one replacement, and the folder forced to disk too:
without the last step the name may be gone although the content is not. What is made anew by every run (the inputs of
a build, caches) may leave the forcing out: `lasting=False`.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written(path: Path, *, lasting: bool = True) -> Iterator[Path]:
    """A name beside `path` to write under; it takes the place of `path` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield aside
        if lasting:
            sync(aside)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    if lasting:
        sync(path.parent)


def write_bytes(path: Path, content: bytes, *, lasting: bool = True) -> None:
    """Put this content in place of whatever `path` held."""
    with written(path, lasting=lasting) as aside:
        aside.write_bytes(content)


def write_text(path: Path, text: str, *, lasting: bool = True) -> None:
    """Put this text in place of whatever `path` held, as UTF-8."""
    write_bytes(path, text.encode(), lasting=lasting)


def put_folder(staged: Path, final: Path) -> None:
    """Give a finished folder its name: everything in it is on disk before, and the name after."""
    for path in staged.rglob("*"):
        sync(path)
    sync(staged)
    staged.rename(final)
    sync(final.parent)


def hurry(folder: Path) -> None:
    """Have a folder's file system write out all that it holds back: forcing many new files one by one then waits for
    nothing more. Only a help, where the system has it: what lasts is what was given to `sync`."""
    syncfs = getattr(ctypes.CDLL(None), "syncfs", None) if sys.platform == "linux" else None
    if syncfs is not None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            syncfs(descriptor)
        finally:
            os.close(descriptor)


def sync(path: Path) -> None:
    """Force a file or a folder to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
