"""What a new edition takes over from the one before: whatever a year says just as it said it there.

A year's rows are told by their number and the sum of their hashes, over every column and its type, so that the order of
rows does not count. Where that is what the manifest of the edition before says of the same engine, the digests of those
rows stand there already, and the file written of them is linked instead of written again (docs/decisions/0064).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oversight.archive.sums import digest_of
from oversight.editions.edition import MANIFEST, Edition
from oversight.editions.published import quoted
from oversight.editions.seal import is_signed_by

if TYPE_CHECKING:
    import duckdb
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# Year of the rows ("" of those without a month) → what tells them from others.
Sums = dict[str, str]
_WITHOUT_MONTH = "undated"


@dataclass(frozen=True)
class Before:
    """The edition before, where it may be taken at its word; by itself there is none."""

    folder: Path | None = None
    content: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, edition: Edition | None, key: Ed25519PublicKey) -> Before:
        """That edition, if this key signed it and the engine of today made it: hashes differ between engines."""
        import duckdb

        if edition is None:
            return cls()
        try:
            written = (edition.path / MANIFEST).read_bytes()
            content = json.loads(written)
        except (OSError, ValueError):
            return cls()
        told = isinstance(content, dict) and content.get("engine", {}).get("duckdb") == duckdb.__version__
        return cls(edition.path, content) if told and is_signed_by(edition.path, written, key) else cls()

    @property
    def manifest(self) -> Path | None:
        """Where its manifest lies."""
        return self.folder / MANIFEST if self.folder else None

    def same(self, name: str, sums: Sums) -> set[str]:
        """The years of a table or file that it says just so."""
        told = self.content.get("row_sums", {}).get(name, {})
        return {year for year, total in sums.items() if told.get(year) == total}

    def file(self, name: str) -> Path | None:
        """A file of it, by its name there, if it is what its manifest says."""
        told = self.content.get("files", {}).get(name)
        if self.folder is None or told is None:
            return None
        path = self.folder / name
        try:
            return path if digest_of(path) == told["sha256"] else None
        except OSError:
            return None


def sums_of(connection: duckdb.DuckDBPyConnection, rows: str, columns: Mapping[str, str]) -> Sums:
    """What tells the rows of each year: of a table or a query in brackets with these columns and types."""
    year = "coalesce(cast(year(month) as varchar), '')" if columns.get("month") == "DATE" else "''"
    kinds = "\t".join(f"{name} {kind}" for name, kind in columns.items()).replace("'", "''")
    return {
        part: f"{count:x}-{int(total):x}"
        for part, count, total in connection.execute(
            f"select {year}, count(*), sum(cast(hash('{kinds}', {', '.join(map(quoted, columns))}) as hugeint)) "
            f"from {rows} group by 1 order by 1"
        ).fetchall()
    }


def rows_of(year: str) -> str:
    """The condition for the rows of a year."""
    return f"month between date '{year}-01-01' and date '{year}-12-31'" if year else "month is null"


def files_by_year(
    before: Before, name: str, sums: Sums, draft: Path, pattern: str, write: Callable[[Path, str], None]
) -> None:
    """Put a file a year into the draft: linked where the edition before has it, else written. Without rows, one all the same.

    `pattern` is the name of a file in an edition with {} for its year, `write` gets the path and the condition for its rows.
    """
    same = before.same(name, sums)
    for year in sums or ("",):
        file = pattern.format(year or _WITHOUT_MONTH)
        path = draft / file
        path.parent.mkdir(parents=True, exist_ok=True)
        old = before.file(file) if year in same else None
        if old is None:
            write(path, rows_of(year))
            continue
        try:
            os.link(old, path)
        except OSError:
            # Some shares know no second name for a file.
            shutil.copyfile(old, path)
