"""The bytes that were received, each content once, under its own digest.

    archive/<sha256>        the content as it came; nobody writes to it again
    archive/<sha256>.enc    a content with personal columns, encrypted with the folder's key; it has a day of deletion
    archive/personal.txt    those contents: digest, day of deletion, day it was deleted
    archive/journal.jsonl   what came when under which name; see `oversight.intake.ledger`

A name says what the content must be, so that whoever reads can tell whether it still is.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import IO

from oversight import durable
from oversight.archive.sums import sealed, unsealed
from oversight.errors import OversightError
from oversight.settings import DataFolder

DIGEST = re.compile(r"[0-9a-f]{64}")
ENCRYPTED = ".enc"
PERSONAL = "personal.txt"
JOURNAL = "journal.jsonl"
KEY = "keys/archive.key"
# What a review's record says once the content that it was about was deleted.
DELETED_ON = "content_deleted_on"
_REMEDY = "请从备份恢复该文件，或请报送单位重新提供后放入 raw，再重新运行。"
_LEAST, _CHUNK = 1 << 13, 1 << 20
# So many files lie aside before all of them are forced to disk and get their names; read by so many threads, in turns
# of so many files.
_TOGETHER, _READERS, _TURN = 512, 8, 16
_NONCE_BYTES = 12
_LEFT_OVER_SECONDS = 3600.0


class ArchiveError(OversightError):
    """A content is not in the archive, or is no longer what it was; `sha256` says which."""

    def __init__(self, sha256: str, message: str) -> None:
        super().__init__(message)
        self.sha256 = sha256


class NotRead(Exception):
    """The file that was to be kept could not be read: that is its fault, not the archive's."""

    def __init__(self, failure: OSError) -> None:
        super().__init__(str(failure))
        self.failure = failure


@dataclass(frozen=True)
class Personal:
    """A content with personal columns: until when it is kept, and when it was deleted."""

    sha256: str
    delete_on: date
    deleted_on: date | None = None


def keep(folder: DataFolder, content: bytes) -> str:
    """Keep this content and return its SHA-256; what is there already, and whole, is left as it is."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = place(folder, sha256)
    if not has_sealed(folder, sha256) and not (path.is_file() and path.read_bytes() == content):
        with durable.written(path) as aside:
            aside.write_bytes(content)
            aside.chmod(0o444)
    return sha256


def keep_file(folder: DataFolder, path: Path) -> tuple[str, os.stat_result]:
    """Keep what is in a file, which is read once; its SHA-256, and its size and time when it was opened.

    A file that somebody changes meanwhile gives a content of its own; the time tells that it has to be read again.
    Raises `NotRead` where the file cannot be read.
    """
    (kept,) = keep_files(folder, [path])
    if isinstance(kept, NotRead):
        raise kept
    return kept


Kept = tuple[str, os.stat_result]


def keep_files(folder: DataFolder, paths: Sequence[Path]) -> Iterator[Kept | NotRead]:
    """As `keep_file`, each in turn; what could not be read is said and not raised. Many are forced to disk together."""
    folder.archive.mkdir(parents=True, exist_ok=True)
    # Waiting for the disk, not for Python.
    with ThreadPoolExecutor(_READERS) as readers:
        for start in range(0, len(paths), _TOGETHER):
            yield from _kept(folder, paths[start : start + _TOGETHER], readers)


def _kept(folder: DataFolder, paths: Sequence[Path], readers: ThreadPoolExecutor) -> list[Kept | NotRead]:
    jobs = [(path, folder.archive / f".{secrets.token_hex(8)}.part") for path in paths]
    turns = [jobs[start : start + _TURN] for start in range(0, len(jobs), _TURN)]
    try:
        copies = [copy for turn in readers.map(_copied, turns) for copy in turn]
        new: dict[str, Path] = {}
        for (_, aside), copy in zip(jobs, copies, strict=True):
            if isinstance(copy, NotRead):
                continue
            sha256 = copy[0]
            if sha256 in new or has_sealed(folder, sha256) or _is_whole(place(folder, sha256), sha256):
                aside.unlink()
            else:
                new[sha256] = aside
        if len(new) > _TURN:
            durable.hurry(folder.archive)
        for _ in readers.map(durable.sync, new.values()):
            pass
        for sha256, aside in new.items():
            aside.replace(place(folder, sha256))
    except BaseException:
        readers.shutdown(cancel_futures=True)
        for _, aside in jobs:
            aside.unlink(missing_ok=True)
        raise
    return copies


def _copied(jobs: Sequence[tuple[Path, Path]]) -> list[Kept | NotRead]:
    """Copy files aside, unless they cannot be read; what each holds."""
    copies: list[Kept | NotRead] = []
    for path, aside in jobs:
        try:
            with _opened_for_reading(path) as source, aside.open("xb") as copy:
                copies.append(_taken(source, copy.write))
                os.fchmod(copy.fileno(), 0o444)
        except NotRead as failure:
            aside.unlink(missing_ok=True)
            copies.append(failure)
    return copies


def digests_of(paths: Sequence[Path]) -> Iterator[Kept | NotRead]:
    """As `keep_files`, but keeping nothing."""
    with ThreadPoolExecutor(_READERS) as readers:
        yield from readers.map(_digest_of, paths)


def _digest_of(path: Path) -> Kept | NotRead:
    try:
        with _opened_for_reading(path) as source:
            return _taken(source, lambda _: None)
    except NotRead as failure:
        return failure


def _opened_for_reading(path: Path) -> IO[bytes]:
    try:
        return path.open("rb", buffering=0)
    except OSError as failure:
        raise NotRead(failure) from failure


def _taken(source: IO[bytes], write: Callable[[bytes], object]) -> Kept:
    """What is in an opened file, piece by piece: its digest, and its size and time as it was opened."""
    digest = hashlib.sha256()
    stat = os.fstat(source.fileno())
    size = min(_CHUNK, max(stat.st_size + 1, _LEAST))
    while chunk := _piece(source, size):
        digest.update(chunk)
        write(chunk)
    return digest.hexdigest(), stat


def _piece(source: IO[bytes], size: int) -> bytes:
    try:
        return source.read(size)
    except OSError as failure:
        raise NotRead(failure) from failure


def settle(folder: DataFolder) -> None:
    """Force the names of what was kept by `keep_file` to disk: once for many files."""
    if folder.archive.is_dir():
        durable.sync(folder.archive)


def read(folder: DataFolder, sha256: str) -> bytes:
    """The content of that digest; raises `ArchiveError` where it is missing, deleted or has changed."""
    if has_sealed(folder, sha256):
        return _opened(folder, sha256)
    path = place(folder, sha256)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ArchiveError(sha256, f"存档里没有收到的原始文件 {path}。{_REMEDY}") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise damaged(folder, sha256)
    return content


def check(folder: DataFolder, sha256: str) -> None:
    """Raise `ArchiveError` where what is kept under that digest is something else; reads it in pieces."""
    if has_sealed(folder, sha256):
        _opened(folder, sha256)
    elif not _is_whole(place(folder, sha256), sha256):
        raise damaged(folder, sha256)


def damaged(folder: DataFolder, sha256: str) -> ArchiveError:
    """What is said of a content that has changed."""
    path = sealed_place(folder, sha256)
    path = path if path.is_file() else place(folder, sha256)
    return ArchiveError(sha256, f"存档文件 {path} 已损坏，内容与它的校验值不符。{_REMEDY}")


def has(folder: DataFolder, sha256: str) -> bool:
    """Whether a content of that digest was kept; only `read` looks at what it says."""
    return place(folder, sha256).is_file() or has_sealed(folder, sha256)


def has_sealed(folder: DataFolder, sha256: str) -> bool:
    """Whether a content of that digest was kept encrypted."""
    return sealed_place(folder, sha256).is_file()


def place(folder: DataFolder, sha256: str) -> Path:
    """Where the content of that digest lies, or would lie."""
    return folder.archive / _sound(sha256)


def sealed_place(folder: DataFolder, sha256: str) -> Path:
    """Where it lies, or would lie, if it has personal columns."""
    return folder.archive / (_sound(sha256) + ENCRYPTED)


def _sound(sha256: str) -> str:
    if not DIGEST.fullmatch(sha256):
        raise ValueError(f"not a SHA-256: {sha256!r}")
    return sha256


def contents(folder: DataFolder) -> list[str]:
    """The digests of all that is kept."""
    if not folder.archive.is_dir():
        return []
    return sorted(p.stem for p in folder.archive.iterdir() if DIGEST.fullmatch(p.stem))


def clear_leftovers(folder: DataFolder) -> None:
    """Remove what an interrupted run had not finished; what somebody is just keeping has a time of now."""
    until = time.time() - _LEFT_OVER_SECONDS
    for part in folder.archive.glob(".*.part"):
        with suppress(FileNotFoundError):
            if part.stat().st_mtime < until:
                part.unlink()


@contextmanager
def readable(folder: DataFolder, sha256: str) -> Iterator[Path]:
    """A file with the content, for a program that needs one; of an encrypted content for that long only."""
    if not has_sealed(folder, sha256):
        yield place(folder, sha256)
        return
    folder.work.mkdir(parents=True, exist_ok=True)
    plain = folder.work / f".{secrets.token_hex(8)}.plain"
    try:
        with open(os.open(plain, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
            file.write(_opened(folder, sha256))
        yield plain
    finally:
        plain.unlink(missing_ok=True)


# --- personal columns -----------------------------------------------------------------------------------


def key(folder: DataFolder) -> bytes:
    """The key of the folder, made when it is first needed; only its owner may read it."""
    path = folder.root / KEY
    if not path.is_file():
        if any(folder.archive.glob(f"*{ENCRYPTED}")):
            raise OversightError(
                f"存档的密钥 {path} 不在了，含个人信息的存档读不出来。请从保管处恢复该文件，再重新运行。"
            )
        with durable.written(path) as aside:
            aside.touch(0o600)
            aside.write_text(secrets.token_hex(32) + "\n", "ascii")
    try:
        return bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        raise OversightError(f"存档的密钥 {path} 已损坏。请从保管处恢复该文件，再重新运行。") from None


def encrypt(folder: DataFolder, sha256: str, delete_on: date) -> None:
    """Keep a content that is in the archive encrypted from now on, to be deleted on that day."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if not has_sealed(folder, sha256):
        nonce = secrets.token_bytes(_NONCE_BYTES)
        hidden = AESGCM(key(folder)).encrypt(nonce, read(folder, sha256), sha256.encode())
        with durable.written(sealed_place(folder, sha256)) as aside:
            aside.write_bytes(nonce + hidden)
            aside.chmod(0o400)
    known = {item.sha256: item for item in personal(folder)}
    if sha256 not in known or known[sha256].deleted_on:
        _note(folder, known | {sha256: Personal(sha256, delete_on)})
    place(folder, sha256).unlink(missing_ok=True)
    settle(folder)


def personal(folder: DataFolder) -> list[Personal]:
    """The contents with personal columns ever kept."""
    path = folder.archive / PERSONAL
    if not path.is_file():
        return []
    lines = (line.split(" ") for line in unsealed(path).splitlines())
    return [
        Personal(sha, date.fromisoformat(until), date.fromisoformat(gone) if gone != "-" else None)
        for sha, until, gone in lines
    ]


def delete_due(folder: DataFolder, today: date) -> list[str]:
    """Delete the contents with personal columns whose day has come; their digests stay. Returns those deleted."""
    known = {item.sha256: item for item in personal(folder)}
    due = [item for item in known.values() if item.deleted_on is None and item.delete_on <= today]
    for item in due:
        sealed_place(folder, item.sha256).unlink(missing_ok=True)
        known[item.sha256] = replace(item, deleted_on=today)
    if due:
        _note(folder, known)
    return [item.sha256 for item in due]


def _note(folder: DataFolder, known: dict[str, Personal]) -> None:
    lines = "".join(f"{i.sha256} {i.delete_on} {i.deleted_on or '-'}\n" for _, i in sorted(known.items()))
    durable.write_text(folder.archive / PERSONAL, sealed(lines))


def _opened(folder: DataFolder, sha256: str) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    stored = sealed_place(folder, sha256).read_bytes()
    try:
        return AESGCM(key(folder)).decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], sha256.encode())
    except (InvalidTag, ValueError):
        raise damaged(folder, sha256) from None


def _is_whole(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256
