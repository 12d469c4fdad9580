"""What an edition is, where it lies, and how it is opened.

An edition is an immutable folder `marts/editions/<edition_id>/`; the file `marts/CURRENT` names the one
that readers should use. Only that file ever changes, by one atomic replacement, so a reader sees the old
edition or the new one, never a mixture. Nothing here writes, and nothing but `open_edition` imports DuckDB:
`oversight path` and the check for changes must answer at once.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oversight.errors import OversightError
from oversight.settings import DataFolder

if TYPE_CHECKING:
    import duckdb

POINTER = "CURRENT"
# Beside the pointer, for programs that keep an address: a link to the current edition's folder.
STABLE = "current"
MANIFEST = "manifest.json"
WAREHOUSE = "warehouse.duckdb"


class EditionError(OversightError):
    """An edition cannot be made, found or opened."""


@dataclass(frozen=True)
class Fingerprints:
    """What an edition is made from: equal fingerprints give equal tables, and nothing to build."""

    input_fingerprint: str
    standards_fingerprint: str
    code_version: str


@dataclass(frozen=True)
class Identity:
    """Which edition is being made: its name, when, and from what."""

    edition_id: str
    built_at: datetime
    made_from: Fingerprints


@dataclass(frozen=True)
class Edition:
    """A published edition."""

    path: Path

    @property
    def edition_id(self) -> str:
        """Its name: the time it was made and the start of the fingerprint of what it was made from."""
        return self.path.name

    @property
    def warehouse(self) -> Path:
        """The DuckDB file with the public tables."""
        return self.path / WAREHOUSE

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Fingerprints of every input file, the standards, the code and every table; months; row counts."""
        try:
            content: dict[str, Any] = json.loads((self.path / MANIFEST).read_text("utf-8"))
            assert {"edition_id", "built_at"} <= content.keys()
        except (ValueError, AttributeError, AssertionError) as error:
            raise EditionError(
                f"版本 {self.edition_id} 的清单 {self.path / MANIFEST} 已损坏。请运行 oversight repair 换到完好的版本，"
                "或从备份恢复该文件。"
            ) from error
        return content

    @property
    def built_at(self) -> datetime:
        """When it was made."""
        return datetime.fromisoformat(self.manifest["built_at"])

    @property
    def made_from(self) -> Fingerprints:
        """What it was made from."""
        return Fingerprints(**{name: self.manifest[name] for name in Fingerprints.__annotations__})

    @property
    def stands_for(self) -> Fingerprints | None:
        """What a run would have read when this edition of before was gone back to; None for one that a run made."""
        told = self.manifest.get("restores")
        return Fingerprints(**told["stands_for"]) if told else None

    @property
    def months(self) -> tuple[date, date] | None:
        """First and last month judged; None when no dataset has reported any month."""
        first, last = self.manifest["months"]["first"], self.manifest["months"]["last"]
        return (date.fromisoformat(first), date.fromisoformat(last)) if first and last else None

    def row_count(self, table: str) -> int:
        """Rows of a published table, named as `schema.table`."""
        return int(self.manifest["tables"][table]["rows"])


def editions_folder(folder: DataFolder) -> Path:
    """Where the editions of a data folder lie."""
    return folder.marts / "editions"


def list_editions(folder: DataFolder) -> list[Edition]:
    """All complete editions, newest first; one whose manifest is damaged is none to list, and `verify` names it."""
    found = []
    for manifest in editions_folder(folder).glob(f"*/{MANIFEST}"):
        edition = Edition(manifest.parent)
        with suppress(EditionError, ValueError):
            if edition.built_at:
                found.append(edition)
    return sorted(found, key=lambda edition: (edition.built_at, edition.edition_id), reverse=True)


def current(folder: DataFolder) -> Edition | None:
    """The edition readers should use; None before the first, or when the pointer names one that is gone."""
    missing = ""
    while True:
        try:
            edition_id = (folder.marts / POINTER).read_bytes().decode("utf-8", "replace").strip()
        except FileNotFoundError:
            return None
        if Path(edition_id).name != edition_id:
            # Damaged: a name with separators, or with what no name has.
            edition_id = ""
        edition = Edition(editions_folder(folder) / edition_id)
        if edition_id and (edition.path / MANIFEST).is_file():
            return edition
        # The pointer may have moved, and the edition gone, between the two looks; only a pointer that stays is wrong.
        if edition_id == missing:
            return None
        missing = edition_id


def find_edition(folder: DataFolder, edition_id: str | None = None) -> Edition:
    """The edition of that name, or the current one; raises `EditionError` when there is none."""
    if edition_id is None:
        edition = current(folder)
        if edition is None:
            there = list_editions(folder)
            if there:
                pointer = folder.marts / POINTER
                why = "指向的版本不存在" if pointer.is_file() else "不见了"
                raise EditionError(
                    f"当前版本的指针 {pointer} {why}，而数据目录里有 {len(there)} 个已发布的版本"
                    f"（最新的是 {there[0].edition_id}）。请运行 oversight repair --data {folder.root} 修复。"
                )
            raise EditionError(f"数据目录 {folder.root} 还没有已发布的版本。请先运行 oversight run。")
        return edition
    edition = Edition(editions_folder(folder) / edition_id)
    if Path(edition_id).name != edition_id or not (edition.path / MANIFEST).is_file():
        raise EditionError(f"没有名为 {edition_id} 的版本。请用 oversight editions 查看现有版本。")
    return edition


def open_edition(folder: DataFolder, edition_id: str | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection to an edition's warehouse: the current one when none is named.

    An edition that is removed while it is open stays readable to the one who has it open.
    """
    import duckdb

    for attempt in range(3):
        edition = find_edition(folder, edition_id)
        try:
            return duckdb.connect(str(edition.warehouse), read_only=True)
        except duckdb.IOException:
            # Between reading the pointer and opening the file, retention may have taken the edition away.
            if edition.warehouse.exists() or attempt == 2:
                raise
    raise AssertionError("unreachable")
