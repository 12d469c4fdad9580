"""Digests beside what they vouch for, in files that vouch for themselves.

A folder's `SHA256SUMS` is what `sha256sum -c` reads, and its last line is a remark with the digest of the lines
before it: of a damaged list nobody can say that it was the files. Small files of ours end in the same line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oversight import durable
from oversight.errors import OversightError

SUMS = "SHA256SUMS"
_MARK = "# "
_DIGEST = "digest"


class Damaged(OversightError):
    """A file is not what it was when it was written; `path` is the file."""

    def __init__(self, path: Path, why: str = "内容与它的校验值不符") -> None:
        super().__init__(f"文件 {path} 已损坏（{why}）。请运行 oversight repair；修不好时从备份恢复。")
        self.path = path
        self.why = why


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sealed(text: str) -> str:
    """The text (of whole lines) with the digest of itself as its last line."""
    return f"{text}{_MARK}{hashlib.sha256(text.encode()).hexdigest()}\n"


def unsealed(path: Path) -> str:
    """What was sealed in that file; raises `Damaged` where it is not that any more."""
    content = path.read_bytes()
    body, mark, told = content[:-65], content[-67:-65], content[-65:]
    body = body[: -len(_MARK)]
    if mark != _MARK.encode() or told != hashlib.sha256(body).hexdigest().encode() + b"\n":
        raise Damaged(path)
    return body.decode()


def as_json(content: Mapping[str, Any]) -> bytes:
    """A small file of ours as it is written: with the digest of all the rest under `digest`."""
    told = _parts({name: value for name, value in content.items() if name != _DIGEST})
    return _whole(told | _parts({_DIGEST: hashlib.sha256(_whole(told)).hexdigest()}))


def from_json(path: Path) -> dict[str, Any]:
    """What was written, without its digest."""
    told: dict[str, Any] = json.loads(path.read_bytes())
    told.pop(_DIGEST, None)
    return told


def is_as_written(path: Path) -> bool:
    """Whether such a file still says what it said; one of before there were digests is taken at its word."""
    try:
        return _is_as_written(path.read_bytes())
    except ValueError:
        # No JSON, or half a character in it, which cannot be written at all.
        return False


def _is_as_written(content: bytes) -> bool:
    told = json.loads(content)
    if not isinstance(told, dict):
        return False
    if _DIGEST in told:
        return as_json(told) == content
    plain = json.dumps(told, ensure_ascii=False)
    if content not in (plain.encode(), (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()):
        return False
    # The digest may stand under a name that is not what it was.
    return not any(
        value == hashlib.sha256(_text({n: v for n, v in told.items() if n != name})).hexdigest()
        for name, value in told.items()
        if isinstance(value, str) and len(value) == 64
    )


def _text(content: Mapping[str, Any]) -> bytes:
    return _whole(_parts(content))


def _parts(content: Mapping[str, Any]) -> dict[str, str]:
    """Each entry as it is written, so that a large one is made into text once, with the digest and without."""
    return {
        name: json.dumps({name: value}, ensure_ascii=False, indent=1, sort_keys=True)[2:-2]
        for name, value in content.items()
    }


def _whole(parts: Mapping[str, str]) -> bytes:
    """What `json.dumps` with an indent of one and sorted names makes of them all."""
    if not parts:
        return b"{}\n"
    return ("{\n" + ",\n".join(parts[name] for name in sorted(parts)) + "\n}\n").encode()


@contextmanager
def vouched(path: Path) -> Iterator[None]:
    """Around changes of a file that is changed in place, a database: its digest stands beside it.

    Raises `Damaged` where it is not what the last change left. While it is open there is no digest: a process that is
    killed leaves it so, and the database's own journal is what keeps it whole.

    A file that nobody wrote into since this process took its digest is not read for it again: a country's register of
    letters is most of a gigabyte by the end of a year, and changes a dozen times a day. `not_vouched` always reads it.
    """
    seen, digest = _left.get(path, ((), ""))
    damage = _not_vouched(path, lambda: digest if seen == _told_by_disk(path) else digest_of(path))
    if damage:
        raise damage
    beside = path.with_name(f"{path.name}.sha256")
    durable.write_text(beside, sealed("open\n"))
    _left.pop(path, None)
    try:
        yield
    finally:
        if path.is_file():
            # Looked at before it is read: whoever writes into it meanwhile is noticed.
            seen, digest = _told_by_disk(path), digest_of(path)
            durable.write_text(beside, sealed(f"{digest}\n"))
            while len(_left) >= _LEFT_KEPT:
                _left.pop(next(iter(_left)), None)
            _left[path] = seen, digest


# Digests of files as this process left them, and what the file system said of the file then.
_left: dict[Path, tuple[tuple[int, ...], str]] = {}
# A server has two such files, the tests have many.
_LEFT_KEPT = 16


def _told_by_disk(path: Path) -> tuple[int, ...]:
    """What changes with every write; the last of it nobody can set."""
    stat = path.stat()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def not_vouched(path: Path) -> Damaged | None:
    """What is wrong with such a file; nothing can be said of one without a digest, or that is being changed."""
    return _not_vouched(path, lambda: digest_of(path))


def _not_vouched(path: Path, digest: Callable[[], str]) -> Damaged | None:
    beside = path.with_name(f"{path.name}.sha256")
    if not beside.is_file():
        return None
    try:
        told = unsealed(beside).strip()
    except Damaged as damage:
        return damage
    if not path.is_file():
        return None if told == "open" else Damaged(path, "文件不在了")
    return None if told == "open" or told == digest() else Damaged(path)


def listed(folder: Path) -> str:
    """The digest of every file of a folder, a line each, as `SHA256SUMS` has them."""
    names = sorted(
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != SUMS
    )
    return "".join(f"{digest_of(folder / name)}  {name}\n" for name in names)


def write_sums(folder: Path) -> None:
    """List what lies in a folder that is about to be put in its place."""
    (folder / SUMS).write_text(sealed(listed(folder)), "utf-8")


def read_sums(folder: Path) -> dict[str, str]:
    """The digest of each file of a folder by name; raises `Damaged` where the list is, or is not there."""
    path = folder / SUMS
    try:
        lines = unsealed(path).splitlines()
    except FileNotFoundError:
        raise Damaged(path, "文件不在了") from None
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def checked(folder: Path, name: str, sums: dict[str, str]) -> bytes:
    """The content of a file of the folder, which is what the list says; raises `Damaged` otherwise."""
    path = folder / name
    if name not in sums:
        raise Damaged(path, "校验清单里没有它")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise Damaged(path, "文件不在了") from None
    if hashlib.sha256(content).hexdigest() != sums[name]:
        raise Damaged(path)
    return content


def damaged_in(folder: Path) -> list[Damaged]:
    """Every file of the folder that is not what the list says, is missing, or is not listed."""
    try:
        sums = read_sums(folder)
    except Damaged as damage:
        return [damage]
    found: list[Damaged] = []
    for name, digest in sums.items():
        path = folder / name
        if not path.is_file():
            found.append(Damaged(path, "文件不在了"))
        elif digest_of(path) != digest:
            found.append(Damaged(path))
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    found += [Damaged(folder / name, "校验清单里没有它") for name in sorted(there - sums.keys() - {SUMS})]
    return found
