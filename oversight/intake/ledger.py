"""The ledger of every file ever seen, and the journal that it can be made from again.

    landed/ledger.parquet     one row for each (content, name) ever seen
    archive/journal.jsonl     the same rows, a line each as they came, and after them the digest of the ledger

The journal is only ever added to. Each line ends in a digest over itself and the digest of the line before, so that
a line that was changed, or is gone, shows. The ledger is written after the journal that names it: a run that is cut
off in between leaves a ledger that the journal completes.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oversight import durable
from oversight.archive.store import JOURNAL
from oversight.errors import OversightError
from oversight.intake.raw_files import RawFile
from oversight.settings import TIME_ZONE, DataFolder

# What only asks which contents came does without Polars: the dashboard does, each time somebody's notices are asked for.
if TYPE_CHECKING:
    import duckdb
    import polars as pl

_NONE = "0" * 64
# Of two names for one content that arrive together, the one that says it is a copy is the copy.
_COPY = re.compile(r"副本|复件|备份|[Cc]opy|\(\d\)|（\d）")


def schema() -> dict[str, pl.DataType]:
    """The columns of the ledger."""
    import polars as pl

    return {
        "sha256": pl.String(),
        "file_name": pl.String(),
        "received_at": pl.Datetime("us"),
        "arrival_seq": pl.Int64(),
        "is_first": pl.Boolean(),
    }


class LedgerError(OversightError):
    """Neither the ledger nor its journal says any more what came."""


@dataclass(frozen=True)
class Journal:
    """What the journal says: the rows and ledger digests of its sound lines, and the numbers of those that are not."""

    rows: list[dict[str, Any]]
    ledgers: list[str]
    broken: list[int]
    lines: int
    is_torn: bool
    last: str


def ledger_path(folder: DataFolder) -> Path:
    """Where the ledger lies."""
    return folder.landed / "ledger.parquet"


def journal_path(folder: DataFolder) -> Path:
    """Where the journal lies: with the contents that it names."""
    return folder.archive / JOURNAL


def read(folder: DataFolder) -> pl.DataFrame:
    """Every (content, name) ever seen, in order of arrival, from the ledger or, failing that, from the journal.

    Raises `LedgerError` where neither can be relied on.
    """
    import polars as pl

    stored = _stored(folder)
    if not journal_path(folder).is_file():
        # Of a folder of before there was a journal; the next entry begins one.
        return pl.DataFrame(schema=schema()) if stored is None else _parsed(folder, stored)
    if stored is not None and _last_ledger(folder) == hashlib.sha256(stored).hexdigest():
        return _parsed(folder, stored)
    journal = read_journal(folder)
    rows = pl.DataFrame(journal.rows, schema=schema(), orient="row")
    if stored is not None and hashlib.sha256(stored).hexdigest() in journal.ledgers[-1:]:
        return _parsed(folder, stored)
    if journal.broken in ([], [journal.lines]):
        # The ledger is written last: one that goes on where the journal ends is whole, and the journal has lost its end.
        longer = _longer(stored, rows)
        return rows if longer is None else longer
    raise LedgerError(
        f"收文台账 {ledger_path(folder)} 与它的流水 {journal_path(folder)}（第 {journal.broken[0]} 行）都有损坏，"
        "无法互相修复，未做任何改动。请从备份恢复这两个文件，再重新运行。"
    )


def contents(folder: DataFolder) -> set[str]:
    """The digests of everything ever seen. Raises `LedgerError` as `read` does."""
    stored, has_journal = _stored(folder), journal_path(folder).is_file()
    if stored is None and not has_journal:
        return set()
    if stored and has_journal and _last_ledger(folder) == hashlib.sha256(stored).hexdigest():
        found = _digests(stored)
        if found is not None:
            return found
    return set(read(folder)["sha256"])


def _digests(content: bytes) -> set[str] | None:
    """The digests in a ledger, of the very bytes that were held against the journal: DuckDB reads files, so they are put
    into one of memory. None where the system has no such files, or this is no ledger."""
    if not hasattr(os, "memfd_create"):
        return None
    import duckdb

    with os.fdopen(os.memfd_create("ledger"), "wb") as file:
        file.write(content)
        file.flush()
        query = f"select distinct sha256 from read_parquet('/proc/self/fd/{file.fileno()}')"
        try:
            with _engine().cursor() as cursor:
                return {digest for (digest,) in cursor.execute(query).fetchall()}
        except duckdb.Error:
            return None


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """Opening one takes ten times as long as asking, and is done for every open page every minute."""
    import duckdb

    return duckdb.connect(config={"threads": 1})


def enter(ledger: pl.DataFrame, files: Iterable[RawFile], now: datetime) -> pl.DataFrame:
    """The ledger with what is new in `files`; contents seen before under another name become duplicates."""
    import polars as pl

    names = set(zip(ledger["sha256"], ledger["file_name"], strict=True))
    contents = set(ledger["sha256"])
    seq = int(ledger.select(pl.col("arrival_seq").max()).item() or 0) + 1
    rows = []
    # Kept as the bureau's own clock shows it; DuckDB's TIMESTAMP has no zone.
    received = now.astimezone(TIME_ZONE).replace(tzinfo=None) if now.tzinfo else now
    for file in sorted(files, key=lambda f: (bool(_COPY.search(f.name)), f.name)):
        if (file.sha256, file.name) in names:
            continue
        rows.append((file.sha256, file.name, received, seq, file.sha256 not in contents))
        names.add((file.sha256, file.name))
        contents.add(file.sha256)
    if not rows:
        return ledger
    return pl.concat([ledger, pl.DataFrame(rows, schema=schema(), orient="row")])


def fingerprint(ledger: pl.DataFrame) -> str:
    """What the ledger's contents and the names they first came under amount to; duplicates do not count."""
    digest = hashlib.sha256()
    first = ledger.filter("is_first").sort("sha256")
    for sha256, name in first.select("sha256", "file_name").iter_rows():
        digest.update(f"{sha256} {name}\n".encode())
    return digest.hexdigest()


def is_whole(folder: DataFolder) -> bool:
    """Whether the ledger is what the journal says last: where it is not, `write` makes it so."""
    stored = _stored(folder)
    if stored is None:
        return not journal_path(folder).is_file()
    return journal_path(folder).is_file() and _last_ledger(folder) == hashlib.sha256(stored).hexdigest()


def write(folder: DataFolder, ledger: pl.DataFrame) -> None:
    """Put the ledger on disk: what the journal does not have yet is added to it first."""
    memory = io.BytesIO()
    ledger.write_parquet(memory, compression="lz4", statistics=False)
    content = memory.getvalue()
    path = journal_path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = read_journal(folder)
    # What was added by a run that did not come to its end stands there without a last line, or half of one.
    anew = bool(journal.broken) or journal.is_torn or not path.is_file()
    known = 0 if anew else len(journal.rows)
    last = _NONE if anew else journal.last
    lines: list[str] = []
    told = [_as_told(row) for row in ledger.slice(known).iter_rows(named=True)]
    for text in [*told, json.dumps({"ledger": hashlib.sha256(content).hexdigest()})]:
        last = _link(last, text)
        lines.append(f"{text}\t{last}\n")
    if anew:
        durable.write_text(path, "".join(lines))
    else:
        with path.open("ab") as file:
            file.write("".join(lines).encode())
            file.flush()
        durable.sync(path)
    durable.write_bytes(ledger_path(folder), content)


def read_journal(folder: DataFolder) -> Journal:
    """The journal line by line."""
    rows: list[dict[str, Any]] = []
    ledgers: list[str] = []
    broken: list[int] = []
    before = worked_out = _NONE
    content = journal_path(folder).read_bytes() if journal_path(folder).is_file() else b""
    whole, _, torn = content.rpartition(b"\n")
    lines = whole.split(b"\n") if whole else []
    for number, line in enumerate(lines, start=1):
        written = line.decode("utf-8", "surrogateescape")
        text, mark, told = written[:-65], written[-65:-64], written[-64:]
        # The line before may have been right but for its own digest.
        links = (_link(before, text), _link(worked_out, text))
        before, worked_out = told, links[0]
        if told not in links or mark != "\t":
            broken.append(number)
            continue
        item = json.loads(text)
        if "ledger" in item:
            ledgers.append(item["ledger"])
        else:
            rows.append(item | {"received_at": datetime.fromisoformat(item["received_at"])})
    return Journal(rows, ledgers, broken, len(lines), bool(torn), before)


def _stored(folder: DataFolder) -> bytes | None:
    try:
        return ledger_path(folder).read_bytes()
    except FileNotFoundError:
        return None


def _longer(stored: bytes | None, rows: pl.DataFrame) -> pl.DataFrame | None:
    """The ledger, if it has these rows and more; it may be anything, and the usual reader panics over that."""
    import polars as pl
    import pyarrow
    from pyarrow import parquet

    try:
        told = pl.from_arrow(parquet.read_table(io.BytesIO(stored or b"")))
        assert isinstance(told, pl.DataFrame)
        is_longer = told.height > rows.height and told.head(rows.height).equals(rows)
    except (pyarrow.ArrowException, pl.exceptions.PolarsError, OSError, ValueError):
        return None
    return told.cast(pl.Schema(schema())) if is_longer else None


def _parsed(folder: DataFolder, content: bytes) -> pl.DataFrame:
    import polars as pl

    try:
        return pl.read_parquet(io.BytesIO(content)).select(schema().keys())
    except Exception as failure:
        raise LedgerError(
            f"收文台账 {ledger_path(folder)} 读不出来。请运行 oversight repair，或从备份恢复该文件后重新运行。"
        ) from failure


def _last_ledger(folder: DataFolder) -> str | None:
    """The digest in the journal's last line, if that is a sound line about the ledger."""
    with journal_path(folder).open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 4096))
        tail = file.read()
    lines = tail.split(b"\n")
    if len(lines) < 3 or lines[-1]:
        return None
    (_, _, before), (text, _, told) = (
        line.decode("utf-8", "replace").rpartition("\t") for line in lines[-3:-1]
    )
    if told != _link(before, text) or not text.startswith('{"ledger"'):
        return None
    return str(json.loads(text)["ledger"])


def _link(before: str, text: str) -> str:
    return hashlib.sha256(f"{before}\t{text}".encode("utf-8", "surrogateescape")).hexdigest()


def _as_told(row: dict[str, Any]) -> str:
    return json.dumps(row | {"received_at": row["received_at"].isoformat()}, ensure_ascii=False)


def differing(folder: DataFolder) -> Iterator[tuple[Path, str]]:
    """What is wrong with ledger and journal: the file, and what."""
    import polars as pl

    path = journal_path(folder)
    journal = read_journal(folder)
    stored = _stored(folder)
    for number in journal.broken:
        yield path, f"第 {number} 行与它的校验值不符"
    if journal.is_torn:
        yield path, "最后一行不完整"
    if not path.is_file():
        if stored is not None:
            yield path, "文件不在了"
        return
    if stored is None:
        yield ledger_path(folder), "文件不在了"
    elif hashlib.sha256(stored).hexdigest() not in journal.ledgers[-1:] and not journal.broken:
        ahead = _longer(stored, pl.DataFrame(journal.rows, schema=schema(), orient="row")) is not None
        yield (path, "末尾有缺失") if ahead else (ledger_path(folder), "内容与流水里记的校验值不符")
