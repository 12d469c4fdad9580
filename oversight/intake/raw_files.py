"""What lies in raw/: each file with its name as people wrote it and its content hash, kept in the archive as it is read.

.work/hashes.json            size and time of each raw file, only so that unchanged files are not read again
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oversight import durable
from oversight.archive import store as archive
from oversight.archive.sums import Damaged, sealed, unsealed
from oversight.intake.reading.grid import Refusal
from oversight.settings import DataFolder, folder_settings

_IGNORED_SUFFIXES = (".md", ".tmp", ".crdownload", ".part", ".lock")
_IGNORED_NAMES = frozenset(("thumbs.db", "desktop.ini"))


@dataclass(frozen=True)
class RawFile:
    """A file lying in raw/ now; `refusal` says why it is not to be opened at all."""

    name: str
    path: Path
    sha256: str
    refusal: Refusal | None = None

    @property
    def submission_id(self) -> str:
        return self.sha256[:16]


def readable(name: str) -> str:
    """A file's name as people wrote it: what is no UTF-8 is what unpacking leaves of a Chinese name, read as GBK.

    Bytes that are neither stand as \\xNN, so that every name can be stored, shown and told from others.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        written = name.encode("utf-8", "surrogateescape")
        try:
            return written.decode("gb18030")
        except UnicodeDecodeError:
            return written.decode("utf-8", "backslashreplace")
    return name


def _raw_paths(raw: Path) -> Iterator[tuple[str, Path]]:
    if not raw.is_dir():
        return
    for folder, subfolders, files in os.walk(raw):
        kept = sorted(d for d in subfolders if not d.startswith((".", "~", "__MACOSX")))
        links = [d for d in kept if (Path(folder) / d).is_symlink()]
        subfolders[:] = [d for d in kept if d not in links]
        for file in (*files, *links):
            lower = file.lower()
            if file.startswith((".", "~$")) or lower in _IGNORED_NAMES or lower.endswith(_IGNORED_SUFFIXES):
                continue
            path = Path(folder) / file
            if path.is_file() or path.is_symlink():
                parts = path.relative_to(raw).parts
                yield "/".join(map(readable, parts)), path


def _leads_away(path: Path, raw: Path) -> bool:
    """Whether a symbolic link leads out of raw/, to a folder or nowhere: such a one is named, never followed."""
    if not path.is_symlink():
        return False
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return True
    return not target.is_file() or not target.is_relative_to(raw.resolve())


def scan(folder: DataFolder, *, keeping: bool = True) -> list[RawFile]:
    """Every file in raw/ with its content hash, by name; `keeping` puts what is new into the archive as it is read.

    A file unchanged in size and time whose content is kept is not read again.
    """
    cache_path = folder.work / "hashes.json"
    try:
        cache: dict[str, list[Any]] = json.loads(unsealed(cache_path))
    except (OSError, ValueError, Damaged):
        cache = {}
    most = folder_settings(folder).archive_file_mb
    found: dict[str, RawFile] = {}
    fresh: dict[str, list[Any]] = {}
    gone = {item.sha256 for item in archive.personal(folder) if item.deleted_on}
    todo: list[tuple[str, Path]] = []
    for name, path in sorted(_raw_paths(folder.raw)):
        if _leads_away(path, folder.raw):
            found[name] = _not_opened(name, path, Refusal("F50", {"target": readable(str(path.readlink()))}))
            continue
        try:
            stat = path.stat()
        except OSError as failure:
            found[name] = _unreadable(name, path, failure)
            continue
        if stat.st_size > most * 2**20:
            detail = (
                f"文件有 {stat.st_size // 2**20} MB，上限是 {most} MB（settings.toml 的 archive_file_mb）"
            )
            found[name] = _not_opened(name, path, Refusal("F12", {"detail": detail}))
            continue
        known = cache.get(name)
        if known and known[:3] == [stat.st_size, stat.st_mtime_ns, stat.st_ino]:
            sha256 = str(known[3])
            if not keeping or sha256 in gone or archive.has(folder, sha256):
                fresh[name] = known
                found[name] = RawFile(name, path, sha256)
                continue
        todo.append((name, path))

    paths = [path for _, path in todo]
    takings = archive.keep_files(folder, paths) if keeping else archive.digests_of(paths)
    for (name, path), taken in zip(todo, takings, strict=True):
        if isinstance(taken, archive.NotRead):
            found[name] = _unreadable(name, path, taken.failure)
            continue
        sha256, stat = taken
        if keeping and sha256 in gone:
            # Its day of deletion has come; that it still lies in raw/ is the bureau's to settle.
            archive.place(folder, sha256).unlink(missing_ok=True)
        fresh[name] = [stat.st_size, stat.st_mtime_ns, stat.st_ino, sha256]
        found[name] = RawFile(name, path, sha256)
    if keeping and todo:
        archive.settle(folder)
    if keeping and fresh != cache:
        durable.write_text(cache_path, sealed(json.dumps(fresh, ensure_ascii=False) + "\n"), lasting=False)
    return [found[name] for name in sorted(found)]


def _unreadable(name: str, path: Path, failure: OSError) -> RawFile:
    return _not_opened(name, path, Refusal("F51", {"detail": failure.strerror or str(failure)}))


def _not_opened(name: str, path: Path, refusal: Refusal) -> RawFile:
    """A file without content that we know: what it is known by is its name and why."""
    told = f"{refusal.code} {name} {json.dumps(refusal.found)}"
    return RawFile(name, path, hashlib.sha256(told.encode()).hexdigest(), refusal)
