"""The parsed rows of each content that was received, by hash, in a few Parquet files.

    landed/batches/<nr>/…        what was read from the files that arrived together: files, tables, refusals,
                                 errors, doubts about sheets, a Parquet file for each dataset, and SHA256SUMS

A raw file is read once, into the archive; what is parsed is what lies there. Deleting landed/ loses nothing: the next
run reads the archive again.
"""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from oversight import durable
from oversight.archive.sums import SUMS, Damaged, checked, digest_of, read_sums, write_sums
from oversight.contracts import ALL_DATASETS
from oversight.intake.questions import HEADING_SCHEMA
from oversight.intake.reading.normalise import ERROR_SCHEMA
from oversight.settings import DataFolder

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
        """This, with rows of several batches put together: every later step would do that for itself.

        A column at a time, whose pieces are let go before the next one's are copied.
        """
        for dataset in list(self.rows):
            columns = self.rows.pop(dataset).get_columns()
            for place in range(len(columns)):
                columns[place] = columns[place].rechunk()
            self.rows[dataset] = pl.DataFrame(columns)
        return self


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
    if "nil_figures" in contract.names:
        given |= dict.fromkeys(("nil_figures", "dashed_figures", "other_columns"), pl.String())
    return {"table_no": pl.Int32, "row_number": pl.Int64, **given}


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


# --- on disk --------------------------------------------------------------------------------------------


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
    """What was landed and is sound; `is_of_this_code`: all of it was read by the program as it is.

    `damaged`: files that are not what was written; what was read into their batches is left out, but for refusals
    whose own files are sound; so is a batch that has what an earlier one has, for it lies in the place of another or is a
    copy. `answers` to headings that the last batch was read with; `had_any`: whether there is any batch at all.
    """

    landed: Landed
    is_of_this_code: bool
    damaged: tuple[Damaged, ...]
    answers: str
    had_any: bool


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
    found = batch_folders(folder)
    for path in found:
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
    return Loaded(
        combine(batches), versions == {code_version()}, tuple(damaged), answers, had_any=bool(found)
    )


def load_headings(folder: DataFolder) -> pl.DataFrame:
    """What is to be said of the headings of everything landed, without the rows; raises `Damaged` as `load` does."""
    found = [
        pl.read_parquet(io.BytesIO(checked(path, "headings.parquet", sums)))
        for path in batch_folders(folder)
        if "headings.parquet" in (sums := _sums_of(path))
    ]
    return pl.concat([pl.DataFrame(schema=HEADING_SCHEMA), *found])


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
            # Read again on every run, where the digest of so many bytes costs more than unpacking them.
            frame.write_parquet(temporary / f"{dataset}.parquet", compression="lz4", statistics=False)
    (temporary / "version").write_text(code_version())
    (temporary / "answers").write_text(answers)
    if replace_all:
        (temporary / "replaces_all").touch()
    write_sums(temporary)
    durable.put_folder(temporary, final)
    if replace_all:
        for path in old:
            shutil.rmtree(path)
