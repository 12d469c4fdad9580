"""The parsed rows of each content that was received, by hash, in a few Parquet files.

    landed/batches/<nr>/…        what was read from the files that arrived together: files, tables, refusals,
                                 errors, doubts about sheets, a Parquet file for each dataset, and SHA256SUMS
    .work/hashes.json            size and time of each raw file, only so that unchanged files are not read again

A raw file is read once, into the archive; what is parsed is what lies there. Deleting landed/ loses nothing: the next
run reads the archive again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from oversight import durable
from oversight.archive import store as archive
from oversight.archive.sums import SUMS, Damaged, checked, digest_of, read_sums, sealed, unsealed, write_sums
from oversight.contracts import ALL_DATASETS
from oversight.intake.ledger import SCHEMA as ledger_schema
from oversight.intake.questions import HEADING_SCHEMA, Answers, apply, settle
from oversight.intake.reading.found import BulkTable, Reading
from oversight.intake.reading.grid import Header, Refusal, Table, column_letters, ranges_of
from oversight.intake.reading.headers import missing_columns
from oversight.intake.reading.normalise import ERROR_SCHEMA, ROW_KEY, TableFacts, normalise
from oversight.intake.reading.totals import column_powers
from oversight.intake.reading.worker import worker
from oversight.progress import counted
from oversight.settings import TIME_ZONE, DataFolder, folder_settings

FILE_SCHEMA: dict[str, Any] = {
    "submission_id": pl.String,
    "error_code": pl.String,
    "error_found": pl.String,
    "has_formulas": pl.Boolean,
}
TABLE_SCHEMA: dict[str, Any] = {
    "table_no": pl.Int32,
    "submission_id": pl.String,
    "dataset": pl.String,
    "sheet": pl.String,
    "header_row": pl.Int64,
    "columns": pl.String,
    "titles": pl.String,
    "powers": pl.String,
    "filed_on": pl.Date,
    "is_correction": pl.Boolean,
    "words": pl.String,
    "reporter": pl.String,
    "covers_from": pl.Date,
    "covers_to": pl.Date,
    "other_titles": pl.String,
    "rows_data": pl.Int64,
    "rows_ignored": pl.Int64,
    "total_problem": pl.String,
}
REFUSAL_SCHEMA: dict[str, Any] = {
    "submission_id": pl.String,
    "dataset": pl.String,
    "sheet": pl.String,
    "row_number": pl.Int64,
    "code": pl.String,
    "found": pl.String,
    "rows": pl.List(pl.Int64),
    "rows_ignored": pl.Int64,
}
NOTICE_SCHEMA: dict[str, Any] = {
    "submission_id": pl.String,
    "dataset": pl.String,
    "sheet": pl.String,
    "row_number": pl.Int64,
    "code": pl.String,
    "found": pl.String,
}
# Of a batch: what is wrong with one that has what another has.
TWICE = "所读的文件在前面的批次里已有：不是写在这里的那一批"
_IGNORED_SUFFIXES = (".md", ".tmp", ".crdownload", ".part", ".lock")
# Of two names for one content that arrive together, the one that says it is a copy is the copy.
_COPY = re.compile(r"副本|复件|备份|[Cc]opy|\(\d\)|（\d）")
_IGNORED_NAMES = frozenset(("thumbs.db", "desktop.ini"))


@lru_cache(maxsize=1)
def code_version() -> str:
    """A fingerprint of the code that reads files; what was read by other code is read again."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for folder in (here, here.parent / "contracts"):
        for path in sorted([*folder.rglob("*.py"), *folder.rglob("words/*.csv")]):
            digest.update(
                path.relative_to(here.parent).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"
            )
    return digest.hexdigest()[:16]


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


_READERS = 8


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

    def take(item: tuple[str, Path]) -> tuple[str, os.stat_result] | OSError:
        try:
            if keeping:
                return archive.keep_file(folder, item[1])
            return archive.digest_of(item[1])
        except archive.NotRead as failure:
            return failure.failure

    # Waiting for the disk, not for Python.
    with ThreadPoolExecutor(_READERS) as readers:
        for (name, path), taken in zip(todo, readers.map(take, todo), strict=True):
            if isinstance(taken, OSError):
                found[name] = _unreadable(name, path, taken)
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


def write_parquet(frame: pl.DataFrame, path: Path, *, lasting: bool) -> None:
    """Write whole or not at all: a reader or a killed run never leaves half a file under this name."""
    with durable.written(path, lasting=lasting) as aside:
        frame.write_parquet(aside, compression="lz4", statistics=False)


# --- the ledger -----------------------------------------------------------------------------------------


def enter(ledger: pl.DataFrame, files: Iterable[RawFile], now: datetime) -> pl.DataFrame:
    """The ledger with what is new in `files`; contents seen before under another name become duplicates."""
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
    return pl.concat([ledger, pl.DataFrame(rows, schema=ledger_schema, orient="row")])


def fingerprint(ledger: pl.DataFrame) -> str:
    """What the ledger's contents and the names they first came under amount to; duplicates do not count."""
    digest = hashlib.sha256()
    first = ledger.filter("is_first").sort("sha256")
    for sha256, name in first.select("sha256", "file_name").iter_rows():
        digest.update(f"{sha256} {name}\n".encode())
    return digest.hexdigest()


# --- batches --------------------------------------------------------------------------------------------


@dataclass
class Landed:
    """Everything that was ever read: frames over all batches, with table numbers unique among them."""

    files: pl.DataFrame
    tables: pl.DataFrame
    refusals: pl.DataFrame
    errors: pl.DataFrame
    notices: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=NOTICE_SCHEMA))
    rows: dict[str, pl.DataFrame] = field(default_factory=dict)
    headings: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=HEADING_SCHEMA))

    def in_one_piece(self) -> Landed:
        """The same, rows of several batches put together: every later step would do that for itself."""
        return replace(self, rows={dataset: frame.rechunk() for dataset, frame in self.rows.items()})


_PARTS: Mapping[str, Mapping[str, Any]] = {
    "files": FILE_SCHEMA,
    "tables": TABLE_SCHEMA,
    "refusals": REFUSAL_SCHEMA,
    "errors": ERROR_SCHEMA,
    "notices": NOTICE_SCHEMA,
    "headings": HEADING_SCHEMA,
}


def row_schema(dataset: str) -> dict[str, Any]:
    """Landed columns of a dataset: where the row stands, and what the sender wrote, typed."""
    contract = ALL_DATASETS[dataset]
    told = {n for c in contract.columns.values() for n in (c.name, c.precision_name)}
    given = {name: dtype for name, dtype in contract.polars_schema().items() if name in told}
    if dataset == "indicators":
        given["indicator_value"] = contract.polars_schema()["indicator_value"]
    if "nil_figures" in contract.polars_schema():
        given |= dict.fromkeys(("nil_figures", "dashed_figures", "other_columns"), pl.String())
    return {"table_no": pl.Int32, "row_number": pl.Int64, **given}


class Batch:
    """Collects what files hold: small tables as plain lists, one frame a dataset at the end."""

    def __init__(self, answers: Answers | None = None) -> None:
        self._answers = answers or Answers()
        self._headings: list[tuple[Any, ...]] = []
        self.files: list[tuple[Any, ...]] = []
        self.tables: list[tuple[Any, ...]] = []
        self.refusals: list[tuple[Any, ...]] = []
        self.broken: list[tuple[Any, ...]] = []
        self.notices: list[tuple[Any, ...]] = []
        self._facts: dict[int, TableFacts] = {}
        self._sheets: dict[tuple[str, str | None], int] = {}
        self._lists: dict[str, dict[str, list[Any]]] = {}
        self._typed: dict[str, list[pl.DataFrame]] = {d: [] for d in ALL_DATASETS}
        self._errors: list[pl.DataFrame] = []

    def add(self, submission_id: str, reading: Reading) -> None:
        """Take in one file's tables."""
        error = reading.error
        if error is None and not reading.tables and not reading.refusals:
            error = Refusal("F05", {"detail": ""})
        found = None if error is None else json.dumps(error.found, ensure_ascii=False)
        self.files.append((submission_id, error.code if error else None, found, reading.has_formulas))
        for refusal in reading.refusals:
            self._refuse(submission_id, refusal)
        for notice in reading.notices:
            texts = json.dumps(notice.found, ensure_ascii=False)
            self.notices.append(
                (submission_id, notice.dataset, notice.sheet, notice.row_number, notice.code, texts)
            )
        for table in reading.tables:
            self._add_table(submission_id, table)

    def _refuse(self, submission_id: str, r: Refusal) -> None:
        found = json.dumps(r.found, ensure_ascii=False)
        self.refusals.append(
            (submission_id, r.dataset, r.sheet, r.row_number, r.code, found, list(r.rows), r.rows_ignored)
        )

    def _add_table(self, submission_id: str, table: Table | BulkTable) -> None:
        settled = settle(table, submission_id, self._answers)
        self._headings.extend(settled.headings)
        if settled.refusal is not None:
            refused = settled.refusal.rows
            if isinstance(table, BulkTable):
                refused = tuple(table.frame["row_number"].to_list())
            self._refuse(submission_id, replace(settled.refusal, rows=refused))
            return
        if isinstance(table, BulkTable):
            gone = [old for old, new in settled.renamed.items() if new is None]
            names = {old: new for old, new in settled.renamed.items() if new is not None}
            table = replace(table, header=settled.header, frame=table.frame.drop(gone).rename(names))
        else:
            apply(table, settled)
        header, context = table.header, table.context
        contract = ALL_DATASETS[table.dataset]
        given = table.frame.columns if isinstance(table, BulkTable) else table.cells
        if "month" in contract.columns and "month" not in given and context.month is None:
            rows = table.frame["row_number"].to_list() if isinstance(table, BulkTable) else table.row_numbers
            where = (header.last_row + 1, table.sheet, table.dataset, tuple(rows), len(table.ignored))
            self._refuse(submission_id, Refusal("F18", {}, *where))
            return
        of_one = context.township != (None, None)
        lacking = missing_columns(contract, header.columns, of_one=of_one)
        if lacking and header.columns and header.period is None:
            texts = {"columns": "、".join(c.title_zh for c in lacking)}
            self.notices.append(
                (
                    submission_id,
                    table.dataset,
                    table.sheet,
                    header.last_row + 1,
                    "D64",
                    json.dumps(texts, ensure_ascii=False),
                )
            )
        if not isinstance(table, BulkTable) and table.unconfirmed:
            cells = ranges_of(
                (header.columns[name], row) for row, name in table.unconfirmed if name in header.columns
            )
            self.notices.append(
                (
                    submission_id,
                    table.dataset,
                    table.sheet,
                    table.unconfirmed[0][0],
                    "D65",
                    json.dumps({"cells": cells, "count": str(len(table.unconfirmed))}, ensure_ascii=False),
                )
            )
        number = len(self.tables)
        powers = column_powers(table.dataset, header, context)
        sheet = self._sheets.setdefault((submission_id, table.sheet), len(self._sheets))
        facts = TableFacts(context.month, context.year, powers, sheet)
        if not isinstance(table, BulkTable):
            facts = replace(facts, formats=table.places, formulas=table.is_formula)
        self._facts[number] = facts
        height = table.frame.height if isinstance(table, BulkTable) else len(table.row_numbers)
        self.tables.append(
            (
                number,
                submission_id,
                table.dataset,
                table.sheet,
                header.last_row + 1,
                json.dumps({n: _place(header, at) for n, at in header.columns.items()}),
                json.dumps(
                    {n: header.titles.get(at, "") for n, at in header.columns.items()}, ensure_ascii=False
                ),
                json.dumps(powers) if powers else None,
                context.filed_on,
                context.is_correction,
                context.words,
                context.reporter,
                *(context.period or (context.month, context.month)),
                _other_titles(table),
                height,
                len(table.ignored),
                table.total_problem,
            )
        )
        self.broken.extend(
            (number, row, column or None, value, code) for row, column, value, code in table.broken
        )
        if context.months_said and "month" in contract.columns:
            unsure = (
                table.frame["row_number"].to_list() if isinstance(table, BulkTable) else table.row_numbers
            )
            self.broken.extend((number, row, None, context.months_said, "H60") for row in unsure)
        if isinstance(table, BulkTable):
            missing = [n for n in (*contract.columns, "other_columns") if n not in table.frame.columns]
            raw = table.frame.with_columns(
                pl.lit(number, pl.Int32).alias("table_no"),
                *(pl.lit(None, pl.String).alias(n) for n in missing),
            )
            self._normalise(table.dataset, raw)
            return
        lists = self._lists.setdefault(
            table.dataset, {n: [] for n in ("table_no", "row_number", *contract.columns, "other_columns")}
        )
        lists["table_no"].extend([number] * height)
        lists["row_number"].extend(table.row_numbers)
        blank: list[None] = [None] * height
        for name in contract.columns:
            lists[name].extend(table.cells.get(name, blank))
        lists["other_columns"].extend(table.others or blank)

    def _normalise(self, dataset: str, raw: pl.DataFrame) -> None:
        present = set(raw.get_column("table_no").unique().to_list())
        typed, errors = normalise(dataset, raw, {n: f for n, f in self._facts.items() if n in present})
        self._typed[dataset].append(
            typed.select(row_schema(dataset).keys()).cast(pl.Schema(row_schema(dataset)))
        )
        self._errors.append(errors)

    def finish(self) -> Landed:
        """Normalise what was collected and hand it over as frames."""
        for dataset, lists in self._lists.items():
            schema = dict.fromkeys(lists, pl.String) | {"table_no": pl.Int32, "row_number": pl.Int64}
            self._normalise(dataset, pl.DataFrame(lists, schema=schema))
        self._lists = {}
        broken = pl.DataFrame(self.broken, schema=ERROR_SCHEMA, orient="row")
        # A row whose one figure stands in a merged cell has been filled in, though not for it alone.
        errors = pl.concat([pl.DataFrame(schema=ERROR_SCHEMA), *self._errors])
        merged = broken.filter(pl.col("code") == "R23")
        if merged.height:
            blank = errors.filter(pl.col("code") == "R07").join(merged, on=ROW_KEY, how="semi")
            errors = errors.join(blank, on=[*ROW_KEY, "code"], how="anti")
        return Landed(
            headings=pl.DataFrame(self._headings, schema=HEADING_SCHEMA, orient="row"),
            files=pl.DataFrame(self.files, schema=FILE_SCHEMA, orient="row"),
            tables=pl.DataFrame(self.tables, schema=TABLE_SCHEMA, orient="row"),
            refusals=pl.DataFrame(self.refusals, schema=REFUSAL_SCHEMA, orient="row"),
            errors=pl.concat([errors, broken]),
            notices=pl.DataFrame(self.notices, schema=NOTICE_SCHEMA, orient="row"),
            rows={
                d: pl.concat(frames) if frames else pl.DataFrame(schema=row_schema(d))
                for d, frames in self._typed.items()
            },
        )


def _place(header: Header, at: int) -> str:
    """A column's letters; of a table that lies on its side the number of its row, or the very cell."""
    if at in header.columns_of:
        return f"{column_letters(header.columns_of[at])}{header.rows_of[at]}"
    return str(header.rows_of[at]) if at in header.rows_of else column_letters(at)


def _where(header: Header, at: int) -> str:
    place = _place(header, at)
    return f"{place} 列" if place.isalpha() else f"{place} 行" if place.isdigit() else f"{place} 单元格"


def _other_titles(table: Table | BulkTable) -> str | None:
    """The columns with something in them that the contract does not know, each with its letters."""
    others = table.header.others
    if isinstance(table, BulkTable):
        used = set(others.values()) if "other_columns" in table.frame.columns else set()
    else:
        used = {title for said in table.others if said for title in json.loads(said)}
    return (
        "、".join(f"“{title}”（{_where(table.header, at)}）" for at, title in others.items() if title in used)
        or None
    )


def parse(
    files: Iterable[RawFile], answers: Answers | None = None, kept: DataFolder | None = None
) -> tuple[Landed, set[str]]:
    """Read files and normalise what they hold; `answers` to what their headings mean.

    With `kept` the contents are taken from that folder's archive. Also the digests of those with personal columns.
    Raises `ArchiveError` where a content is not what was received.
    """
    batch = Batch(answers)
    todo = list(files)
    personal: set[str] = set()
    with ExitStack() as opened:
        jobs = [
            (opened.enter_context(archive.readable(kept, f.sha256)), f.name, f.sha256)
            if kept
            else (f.path, f.name, None)
            for f in todo
            if f.refusal is None
        ]
        readings = worker().read(jobs)
        for number, file in enumerate(todo):
            counted(number, len(todo))
            reading = next(readings) if file.refusal is None else Reading(error=file.refusal)
            if reading.is_not_it and kept:
                raise archive.damaged(kept, file.sha256)
            if reading.is_personal:
                personal.add(file.sha256)
            batch.add(file.submission_id, reading)
        counted(0, 0)
    return batch.finish(), personal


def batch_folders(folder: DataFolder) -> list[Path]:
    """Batches that count, in order: a batch that replaces all before it hides them even if they were not removed."""
    base = folder.landed / "batches"
    if not base.is_dir():
        return []
    found = sorted(p for p in base.iterdir() if p.is_dir() and not p.name.endswith(".tmp"))
    start = max((i for i, p in enumerate(found) if (p / "replaces_all").is_file()), default=0)
    return found[start:]


@dataclass(frozen=True)
class Loaded:
    """What was landed and is sound; `version` of the code that read it (None: nothing, or by several versions).

    `damaged`: files that are not what was written; what was read into their batches is left out, but for refusals
    whose own files are sound; so is a batch that has what an earlier one has, for it lies in the place of another or is a
    copy. `answers` to headings that the last batch was read with.
    """

    landed: Landed
    version: str | None
    damaged: tuple[Damaged, ...]
    answers: str


def load(folder: DataFolder) -> Landed:
    """Everything landed; raises `Damaged` where some of it is not what was written."""
    loaded = load_sound(folder)
    if loaded.damaged:
        raise loaded.damaged[0]
    return loaded.landed


def load_sound(folder: DataFolder) -> Loaded:
    """Everything landed that is what was written: the bytes that are parsed are those that were checked."""
    batches: list[Landed] = []
    versions: set[str] = set()
    damaged: list[Damaged] = []
    answers = ""
    seen: set[str] = set()
    for path in batch_folders(folder):
        try:
            sums = _sums_of(path)
            version = checked(path, "version", sums).decode()
            answers = checked(path, "answers", sums).decode() if "answers" in sums else ""
        except (Damaged, OSError) as failure:
            damaged.append(failure if isinstance(failure, Damaged) else Damaged(path, failure.strerror or ""))
            continue
        parts: dict[str, pl.DataFrame] = {}
        faults: list[Damaged] = []
        for name in (*_PARTS, *ALL_DATASETS):
            if f"{name}.parquet" not in sums:
                if name in _PARTS:
                    parts[name] = pl.DataFrame(schema=_PARTS[name])
                continue
            try:
                parts[name] = pl.read_parquet(io.BytesIO(checked(path, f"{name}.parquet", sums)))
            except Damaged as failure:
                faults.append(failure)
            except pl.exceptions.PolarsError:
                faults.append(Damaged(path / f"{name}.parquet", "读不出来"))
        versions.add(version)
        read = set(parts["files"]["submission_id"]) if "files" in parts else set()
        if read & seen:
            damaged.append(Damaged(path, TWICE))
            continue
        seen |= read
        if faults:
            damaged += faults
            if all(name in parts for name in ("files", "refusals", "notices")):
                batches.append(_refused_only(parts))
            continue
        rows = {name: frame for name, frame in parts.items() if name not in _PARTS}
        batches.append(Landed(**{name: parts[name] for name in _PARTS}, rows=rows))
    version_told = versions.pop() if len(versions) == 1 else None
    return Loaded(combine(batches), version_told, tuple(damaged), answers)


def submissions_of(path: Path) -> set[str]:
    """Which files a batch has, by their short digests; nothing of one that cannot be read."""
    try:
        return set(pl.read_parquet(path / "files.parquet", columns=["submission_id"])["submission_id"])
    except (OSError, pl.exceptions.PolarsError):
        return set()


def is_of_other_code(path: Path) -> bool:
    """Whether a batch was read by other code than this: it is read again, or was written before there were digests."""
    return (path / "version").read_text("utf-8", "replace") != code_version()


def _sums_of(path: Path) -> dict[str, str]:
    """The digests of a batch; of one that was written by code of before there were any, what is there now."""
    if not (path / SUMS).is_file() and is_of_other_code(path):
        return {file.name: digest_of(file) for file in path.iterdir()}
    return read_sums(path)


def _refused_only(parts: dict[str, pl.DataFrame]) -> Landed:
    """Of a batch that is not whole the files that could not be read: of them there is nothing else to know."""
    refused = parts["files"].filter(pl.col("error_code").is_not_null())
    ids = refused.select("submission_id")
    return Landed(
        refused,
        pl.DataFrame(schema=TABLE_SCHEMA),
        parts["refusals"].join(ids, on="submission_id", how="semi"),
        pl.DataFrame(schema=ERROR_SCHEMA),
        parts["notices"].join(ids, on="submission_id", how="semi"),
    )


def combine(batches: list[Landed]) -> Landed:
    """Batches as one, table numbers shifted so that they stay unique. Columns of old code that are gone are dropped."""
    shifted: list[Landed] = []
    offset = 0
    for batch in batches:
        shift = pl.col("table_no") + pl.lit(offset, pl.Int32)
        shifted.append(
            Landed(
                batch.files,
                batch.tables.with_columns(shift),
                batch.refusals,
                batch.errors.with_columns(shift),
                batch.notices,
                {d: f.with_columns(shift) for d, f in batch.rows.items()} if offset else batch.rows,
                batch.headings,
            )
        )
        offset += int(batch.tables.select(pl.col("table_no").max()).item() or 0) + 1

    def stack(frames: list[pl.DataFrame], schema: Mapping[str, Any]) -> pl.DataFrame:
        empty = pl.DataFrame(schema=schema)
        fitting = [f.select(c for c in schema if c in f.columns) for f in frames]
        return pl.concat([empty, *fitting], how="diagonal") if fitting else empty

    return Landed(
        files=stack([b.files for b in shifted], FILE_SCHEMA),
        tables=stack([b.tables for b in shifted], TABLE_SCHEMA),
        refusals=stack([b.refusals for b in shifted], REFUSAL_SCHEMA),
        errors=stack([b.errors for b in shifted], ERROR_SCHEMA),
        notices=stack([b.notices for b in shifted], NOTICE_SCHEMA),
        headings=stack([b.headings for b in shifted], HEADING_SCHEMA),
        rows={d: stack([b.rows[d] for b in shifted if d in b.rows], row_schema(d)) for d in ALL_DATASETS},
    )


def only(landed: Landed, submission_ids: set[str]) -> Landed:
    """The part of `landed` that came from these submissions."""
    keep = pl.col("submission_id").is_in(list(submission_ids))
    tables = landed.tables.filter(keep)
    numbers = tables.select("table_no")
    return Landed(
        landed.files.filter(keep),
        tables,
        landed.refusals.filter(keep),
        landed.errors.join(numbers, on="table_no", how="semi"),
        landed.notices.filter(keep),
        {d: f.join(numbers, on="table_no", how="semi") for d, f in landed.rows.items()},
        landed.headings.filter(keep),
    )


def save(folder: DataFolder, landed: Landed, answers: str, *, replace_all: bool) -> None:
    """Write a batch under the next number; with `replace_all` the earlier ones go, after the new one stands."""
    base = folder.landed / "batches"
    old = [p for p in sorted(base.iterdir()) if not p.name.endswith(".tmp")] if base.is_dir() else []
    number = int(old[-1].name) + 1 if old else 1
    final = base / f"{number:06d}"
    temporary = final.with_name(final.name + ".tmp")
    for leftover in base.glob("*.tmp"):
        shutil.rmtree(leftover)
    temporary.mkdir(parents=True)
    for part in _PARTS:
        getattr(landed, part).write_parquet(
            temporary / f"{part}.parquet", compression="lz4", statistics=False
        )
    for dataset, frame in landed.rows.items():
        if frame.height:
            # Read again on every run, by us alone.
            frame.write_parquet(
                temporary / f"{dataset}.parquet", compression="uncompressed", statistics=False
            )
    (temporary / "version").write_text(code_version())
    (temporary / "answers").write_text(answers)
    if replace_all:
        (temporary / "replaces_all").touch()
    write_sums(temporary)
    durable.put_folder(temporary, final)
    if replace_all:
        for path in old:
            shutil.rmtree(path)
