"""Backup and restore: contents by digest, and for each time a list of what lay where.

    objects/<2>/<sha256>       each content once, whichever file and whichever backup it is of
    snapshots/<time>.txt       a line a file: digest, size, time, rights, path; sealed by its own digest

A backup takes what changed since the last one, and is there when its list is. It needs no lock of a run: nearly all
files are written once; of those that are not, first comes what points, then what is pointed to, and what a run is
just putting in the place of something else is taken again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from oversight import durable, scratch
from oversight.archive import store
from oversight.archive.sums import Damaged, digest_of, sealed, unsealed
from oversight.editions.edition import POINTER, STABLE, current
from oversight.editions.publish import lead
from oversight.errors import OversightError
from oversight.intake import ledger
from oversight.settings import DataFolder

# Made anew by any run.
_LEFT_OUT = frozenset((".work", ".dagster", "returned"))
_LEFT_OUT_ENDINGS = (".part", ".tmp", ".lock", "-wal", "-shm", "-journal")
# What points comes before what it points to.
_ORDER = (
    "marts/CURRENT",
    "marts",
    "reports",
    "landed/batches",
    "landed",
    "archive/journal.jsonl",
    "archive",
)
_ATTEMPTS = 20
# After so many attempts a ledger that does not fit its journal is damaged, not on its way.
_PATIENT = 5
_PAUSE = 0.2
_STAGED = ".restoring"


class BackupError(OversightError):
    """A backup cannot be made, or cannot be restored."""


@dataclass(frozen=True)
class Entry:
    """A file of a backup."""

    sha256: str
    size: int
    mtime_ns: int
    mode: int
    path: str

    def line(self) -> str:
        """As it stands in the list."""
        return f"{self.sha256} {self.size} {self.mtime_ns} {self.mode:o} {self.path}\n"


@dataclass(frozen=True)
class Backup:
    """What a backup came to."""

    name: str
    files: int
    new_files: int
    new_bytes: int
    damaged: tuple[str, ...]


def backup(folder: DataFolder, place: Path, *, now: datetime) -> Backup:
    """Put what the folder holds now into `place`, beside the backups that are there.

    A content of the archive that is not what its name says is not taken: the one of an earlier backup stays.
    """
    if not folder.root.is_dir():
        raise BackupError(f"没有数据目录 {folder.root}。请检查 --data 的路径。")
    place = place.expanduser().resolve()
    if place == folder.root or place.is_relative_to(folder.root):
        raise BackupError(f"备份位置 {place} 在数据目录之内，磁盘一坏两者同失。请放到别的磁盘或机器上。")
    if place.is_dir() and any(place.iterdir()) and not (place / "objects").is_dir():
        raise BackupError(f"{place} 已有别的内容，不是本系统的备份。请换一个空文件夹。")
    (place / "objects").mkdir(parents=True, exist_ok=True)
    with _alone(place):
        for leftover in [*place.glob("objects/.*.part"), *place.glob("snapshots/.*.part")]:
            leftover.unlink()
        known = {entry.path: entry for entry in _last(place)}
        for attempt in range(_ATTEMPTS):
            try:
                return _backup(folder, place, known, now, attempt >= _PATIENT)
            except (FileNotFoundError, _Moving):
                # A run has just put something else in its place.
                time.sleep(_PAUSE)
        raise BackupError("备份时数据一直在变化，未能完成。请等正在进行的运行结束后再备份。")


def snapshots(place: Path) -> list[str]:
    """The names of the backups there, the oldest first."""
    return sorted(path.stem for path in (place / "snapshots").glob("*.txt") if not path.name.startswith("."))


def restore(place: Path, folder: DataFolder, *, name: str | None = None) -> int:
    """Put a backup (the last, unless one is named) into an empty folder; how many files it has.

    Every content is checked as it is copied, and the folder shows nothing until all of it is there.
    """
    place = place.expanduser().resolve()
    names = snapshots(place)
    if not names:
        raise BackupError(f"{place} 里没有备份。请检查路径：应是 oversight backup 写出的文件夹。")
    if name is not None and name not in names:
        raise BackupError(f"没有名为 {name} 的备份，现有：{'、'.join(names[-10:])}。")
    if folder.root.exists() and any(path.name != _STAGED for path in folder.root.iterdir()):
        raise BackupError(f"{folder.root} 不是空文件夹，没有恢复。请换一个新的位置，核对无误后再换过去。")
    entries = _read_list(place / "snapshots" / f"{name or names[-1]}.txt")
    staged = folder.root / _STAGED
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    for entry in entries:
        target = staged / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(_object(place, entry.sha256), target)
        except FileNotFoundError:
            raise BackupError(
                f"备份缺少 {entry.path} 的内容（{_object(place, entry.sha256)}），没有恢复。请改用另一份备份。"
            ) from None
        if digest_of(target) != entry.sha256:
            raise BackupError(
                f"备份中 {entry.path} 的内容（{_object(place, entry.sha256)}）已损坏，没有恢复。请改用另一份备份。"
            )
        target.chmod(entry.mode & 0o777)
        os.utime(target, ns=(entry.mtime_ns, entry.mtime_ns))
        durable.sync(target)
    for path in sorted(staged.iterdir()):
        path.rename(folder.root / path.name)
    staged.rmdir()
    durable.sync(folder.root)
    if (found := current(folder)) is not None:
        # Links are not kept; this one is to be there before the next run.
        lead(folder, found.edition_id)
    return len(entries)


# --- taking ---------------------------------------------------------------------------------------------


class _Moving(Exception):
    """What was taken does not belong together: something was put in its place meanwhile."""


def _backup(
    folder: DataFolder, place: Path, known: dict[str, Entry], now: datetime, as_it_is: bool
) -> Backup:
    entries: dict[str, Entry] = {}
    damaged: list[str] = []
    new_files = new_bytes = 0
    batches = _batches(folder)
    pointer = _content_of(folder.marts / POINTER)
    for path in _files(folder):
        name = path.relative_to(folder.root).as_posix()
        before = known.get(name)
        stat = path.stat()
        unchanged = before is not None and (before.size, before.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
        if before and unchanged and _object(place, before.sha256).is_file():
            entries[name] = before
            continue
        sha256, size = _take(place, path)
        if path.parent == folder.archive and store.DIGEST.fullmatch(path.name) and sha256 != path.name:
            damaged.append(name)
            if not _object(place, path.name).is_file():
                entries[name] = Entry(sha256, size, stat.st_mtime_ns, stat.st_mode & 0o777, name)
            else:
                size = _object(place, path.name).stat().st_size
                entries[name] = Entry(path.name, size, stat.st_mtime_ns, stat.st_mode & 0o777, name)
            continue
        entries[name] = Entry(sha256, size, stat.st_mtime_ns, stat.st_mode & 0o777, name)
        new_files += 1
        new_bytes += size
    if batches != _batches(folder) or not (as_it_is or _fits(folder, place, entries)):
        raise _Moving
    if pointer is not None and _is_there(folder, pointer) and _edition_of(pointer) not in entries:
        # It names an edition that came after the list of them was made.
        raise _Moving
    for digit in sorted({entry.sha256[:2] for entry in entries.values()}):
        durable.sync(place / "objects" / digit)
    told = f"{now:%Y%m%d-%H%M%S}"
    number = 2
    while (place / "snapshots" / f"{told}.txt").exists():
        told, number = f"{now:%Y%m%d-%H%M%S}-{number}", number + 1
    lines = "".join(entry.line() for _, entry in sorted(entries.items()))
    durable.write_text(place / "snapshots" / f"{told}.txt", sealed(lines))
    return Backup(told, len(entries), new_files, new_bytes, tuple(damaged))


def _files(folder: DataFolder) -> Iterator[Path]:
    """Every file that is to be kept, what points before what it points to, each part listed when its turn comes."""
    parts = {folder.root / start for start in _ORDER}
    yield from _below(folder, folder.root, parts)
    for start in _ORDER:
        path = folder.root / start
        if path.is_dir():
            yield from _below(folder, path, parts - {path})
        elif path.is_file():
            yield path


def is_secret(folder: DataFolder, path: Path) -> bool:
    """Whether it is a key: kept beside what it opens it would open it for whoever finds the backup."""
    return path.parent == folder.keys and path.suffix == ".key"


def _below(folder: DataFolder, top: Path, others: set[Path]) -> Iterator[Path]:
    for base, folders, files in os.walk(top, followlinks=True):
        here = Path(base)
        folders[:] = sorted(
            name
            for name in folders
            if not (here == folder.root and name in _LEFT_OUT)
            and here / name not in others
            and not name.startswith((".incoming", ".restoring"))
            and not name.endswith(_LEFT_OUT_ENDINGS)
            and _is_taken(folder, here / name)
        )
        for name in sorted(files):
            path = here / name
            if (
                name.endswith(_LEFT_OUT_ENDINGS)
                or name == ".lock"
                or path in others
                or is_secret(folder, path)
            ):
                continue
            if _is_taken(folder, path) and path.is_file():
                yield path


def _is_taken(folder: DataFolder, path: Path) -> bool:
    """Whether what lies there is to be kept. What was moved to another disk, with a link in its place, is; a link that
    leads nowhere, or back into the folder, is told: nobody would miss what it stands for before it is needed."""
    if not path.is_symlink():
        return True
    # The first follows the pointer; in raw/ no run follows any, and what it read lies in the archive.
    if path == folder.marts / STABLE or path.is_relative_to(folder.raw):
        return False
    target = path.resolve()
    if not target.exists():
        raise BackupError(
            f"{path} 是链接，它所指的 {target} 不在了，没有备份。请接上那块磁盘或恢复该位置，不用了就移走这个链接。"
        )
    root = folder.root.resolve()
    # Behind a link another may lead to a folder above it: what is below would come to no end.
    goes_round = target in {part.resolve() for part in path.parents if part.is_relative_to(folder.root)}
    if goes_round and not target.is_relative_to(root):
        raise BackupError(
            f"{path} 是链接，指回它上面的文件夹 {target}，没有备份。请移走这个链接，或把内容放到别处。"
        )
    if target.is_relative_to(root) or root.is_relative_to(target):
        raise BackupError(
            f"{path} 是链接，又指回数据目录 {target}，没有备份。请移走这个链接，或把内容放到数据目录之外。"
        )
    return True


def _batches(folder: DataFolder) -> list[str]:
    base = folder.landed / "batches"
    return sorted(path.name for path in base.iterdir()) if base.is_dir() else []


def _content_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _edition_of(pointer: bytes) -> str:
    return f"marts/editions/{pointer.decode('utf-8', 'replace').strip()}/manifest.json"


def _is_there(folder: DataFolder, pointer: bytes) -> bool:
    return (folder.root / _edition_of(pointer)).is_file()


def _fits(folder: DataFolder, place: Path, entries: dict[str, Entry]) -> bool:
    """Whether what was taken of two files belongs together: a database and the digest beside it, the ledger and the
    journal that names it last."""
    for name, entry in entries.items():
        beside = entries.get(f"{name}.sha256")
        vouching = _object(place, beside.sha256).read_text("utf-8", "replace") if beside else "open"
        if not vouching.startswith(("open", entry.sha256)):
            return False
    told, journal = (
        entries.get(path.relative_to(folder.root).as_posix())
        for path in (ledger.ledger_path(folder), ledger.journal_path(folder))
    )
    if told is None or journal is None:
        return True
    lines = _object(place, journal.sha256).read_bytes()
    return told.sha256.encode() in lines.rsplit(b"\n", 2)[-2:][0]


def _take(place: Path, path: Path) -> tuple[str, int]:
    """Copy a file among the objects; its digest and size."""
    with path.open("rb") as file:
        is_database = file.read(16) == b"SQLite format 3\x00"
    with _as_it_stands(path) if is_database else _itself(path) as source:
        descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=place / "objects")
        aside = Path(name)
        digest, size = hashlib.sha256(), 0
        try:
            with source.open("rb") as file, os.fdopen(descriptor, "wb") as copy:
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
                    copy.write(chunk)
                    size += len(chunk)
            target = _object(place, digest.hexdigest())
            if target.is_file() and digest_of(target) == digest.hexdigest():
                aside.unlink()
            else:
                target.parent.mkdir(exist_ok=True)
                aside.chmod(0o400)
                durable.sync(aside)
                aside.replace(target)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
    return digest.hexdigest(), size


@contextmanager
def _itself(path: Path) -> Iterator[Path]:
    yield path


@contextmanager
def _as_it_stands(path: Path) -> Iterator[Path]:
    """A database while nobody writes to it: the file itself, or a copy where part of it lies in a log beside it."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as database:
            if database.execute("pragma journal_mode").fetchone()[0] != "wal":
                database.execute("begin immediate")
                yield path
                database.execute("rollback")
                return
            with scratch.folder() as room:
                copy = room / path.name
                with closing(sqlite3.connect(copy)) as other:
                    database.backup(other)
                yield copy
    except sqlite3.DatabaseError:
        # Damaged: it is kept as it is, and verify says so.
        yield path


def _object(place: Path, sha256: str) -> Path:
    return place / "objects" / sha256[:2] / sha256


def _last(place: Path) -> list[Entry]:
    names = snapshots(place)
    if not names:
        return []
    try:
        return _read_list(place / "snapshots" / f"{names[-1]}.txt")
    except BackupError:
        # Nothing is taken over from a list that cannot be relied on.
        return []


def _read_list(path: Path) -> list[Entry]:
    try:
        lines = unsealed(path).splitlines()
    except Damaged as damage:
        raise BackupError(f"备份清单 {path} 已损坏，没有恢复。请用 --snapshot 指定另一次备份。") from damage
    found = []
    for line in lines:
        sha256, size, mtime_ns, mode, name = line.split(" ", 4)
        if not store.DIGEST.fullmatch(sha256) or Path(name).is_absolute() or ".." in Path(name).parts:
            raise BackupError(
                f"备份清单 {path} 写有数据目录以外的位置（{name}），不是本系统写出的，没有恢复。请核对备份的来历，改用另一份。"
            )
        found.append(Entry(sha256, int(size), int(mtime_ns), int(mode, 8), name))
    return found


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    descriptor = os.open(place / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"另一个备份正在写入 {place}。请等它结束后再备份。") from None
        yield
        # A process that another thread is just starting holds it, too, for a moment.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)
