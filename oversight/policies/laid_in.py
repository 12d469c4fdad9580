"""The copies of policy documents in a data folder's `policy/`: which file is which document, and what it says.

A file belongs to the document whose number begins its name (`A.docx`, `A 实施方案.pdf`), or whose 文号 or title
stands in it. What a file says is read once for each content and kept in `.work/`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from oversight import durable
from oversight.policies.finding import Text, plain
from oversight.policies.reading import KINDS, MOST_BYTES, Paragraph, Unreadable, read
from oversight.settings import DataFolder

# More files than this are a mistake of where they were put.
MOST_FILES = 500
# Documents held ready in memory: a long one takes some megabytes.
_HELD = 24


@dataclass(frozen=True)
class Named:
    """A policy document as the standards name it."""

    document_id: str
    title: str
    number: str = ""


@dataclass(frozen=True)
class LaidIn:
    """The files laid in, by the document they are of, and those that are of none."""

    files: dict[str, Path]
    unknown: tuple[Path, ...] = ()
    # Second copies: the first by name is the one that is read.
    besides: tuple[Path, ...] = ()


def laid_in(folder: DataFolder, documents: Sequence[Named]) -> LaidIn:
    """Which document lies in which file."""
    files: dict[str, Path] = {}
    unknown: list[Path] = []
    besides: list[Path] = []
    for path in _files(folder.policy):
        found = _document_of(path.stem, documents)
        if found is None:
            unknown.append(path)
        elif found in files:
            besides.append(path)
        else:
            files[found] = path
    return LaidIn(files, tuple(unknown), tuple(besides))


def _files(root: Path) -> Iterator[Path]:
    """Plain files of the folder and those below it; nothing hidden, and no link, which may lead anywhere."""
    found: list[Path] = []
    for inside, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            path = Path(inside) / name
            if not name.startswith((".", "~$")) and stat.S_ISREG(path.lstat().st_mode):
                found.append(path)
            if len(found) >= MOST_FILES:
                below.clear()
                break
    # One that can be read comes before one that cannot.
    yield from sorted(found, key=lambda path: (path.suffix.lower() not in KINDS, str(path)))


def _document_of(stem: str, documents: Sequence[Named]) -> str | None:
    own = plain(stem)
    for document in sorted(documents, key=lambda item: -len(item.document_id)):
        if re.match(rf"{re.escape(document.document_id)}(?![0-9A-Za-z])", stem, re.I):
            return document.document_id
    for document in documents:
        if any(len(said) >= 4 and said in own for said in (plain(document.number), plain(document.title))):
            return document.document_id
    return None


class Texts:
    """What the files say, read once for each content."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._held: OrderedDict[tuple[str, int, int], Text | Unreadable] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, path: Path) -> Text:
        """The text of a file; raises `Unreadable`."""
        try:
            told = path.stat()
        except OSError as error:
            raise Unreadable("文件已不在，或不能读取。") from error
        key = (str(path), told.st_size, told.st_mtime_ns)
        # One at a time: each may take a minute of a processor.
        with self._lock:
            found = self._held.get(key)
            if found is None:
                try:
                    found = Text(self._paragraphs(path, told.st_size))
                except Unreadable as error:
                    found = error
                self._held[key] = found
                while len(self._held) > _HELD:
                    self._held.popitem(last=False)
            self._held.move_to_end(key)
        if isinstance(found, Unreadable):
            raise found
        return found

    def _paragraphs(self, path: Path, size: int) -> list[Paragraph]:
        if size > MOST_BYTES:
            # Said by the reader in the same words, without taking the digest of what is that large.
            return read(path)
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise Unreadable("文件不能读取。请检查权限。") from error
        kept = self._folder.work / "policy" / f"{digest}{path.suffix.lower()}.json"
        try:
            return [Paragraph(**item) for item in json.loads(kept.read_text("utf-8"))]
        except (OSError, ValueError, TypeError):
            pass
        found = read(path)
        kept.parent.mkdir(parents=True, exist_ok=True)
        durable.write_bytes(kept, json.dumps([asdict(item) for item in found], ensure_ascii=False).encode())
        return found
