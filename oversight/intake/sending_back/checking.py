"""Judging files without loading them: by the same code, against the units and history of a data folder.

The files are judged as if they were put into raw/ now, all together; nothing is written. Without units a code is
checked for its form only, which the answer says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from oversight.contracts import ALL_DATASETS
from oversight.errors import OversightError
from oversight.intake import landed as store
from oversight.intake import ledger as ledger_of
from oversight.intake.gathering import parse
from oversight.intake.judging import corrections
from oversight.intake.judging.judge import judge
from oversight.intake.judging.judged import Judged
from oversight.intake.questions import proposals, read_answers
from oversight.intake.raw_files import RawFile, readable, scan
from oversight.intake.reading.nothing import REPORT
from oversight.intake.sending_back.instructions import Instruction, instructions
from oversight.intake.sending_back.likeness import with_likeness
from oversight.intake.sending_back.remarks import Remark, question_zh, remarks
from oversight.intake_messages import CATALOGUE
from oversight.references import load_references
from oversight.settings import DataFolder

NO_UNITS = "没有行政区划表，区划代码只核对了写法，没有核对是否存在；请用 --data 指明数据目录。"
NO_HISTORY = "没有历史数据，没有与往月和同县单位比较；请用 --data 指明数据目录。"
NO_HISTORY_YET = "数据目录里还没有已入库的报表，没有与历史数据比较。"
_COUNTS = {
    "rows_read": "rows_read",
    "accepted": "rows_accepted",
    "held": "rows_held",
    "rejected": "rows_rejected",
    "ignored": "rows_ignored",
}
_STAND_IN = "0" * 16
_UNIT = {"indicators": ("subject_code", "subject_name")}
# Of a list of divisions, or of their changes, each row is about the division itself.
_WRITTEN = _UNIT | {
    "divisions": ("division_code", "division_name"),
    "division_changes": ("old_code", "old_name"),
}
_REPORTS = ("population", "budget", "staffing", "indicators")


@dataclass(frozen=True)
class RowUnit:
    """Of which unit and month a row is, whatever became of it. `code` is None where the unit was not made out."""

    dataset: str
    sheet: str | None
    row_number: int
    code: str | None
    written: str | None
    month: date | None
    is_nil: bool = False


@dataclass(frozen=True)
class RowLine:
    """A row that is used, or held until confirmed, as a reviewer reads it: `figures` by title as they are shown."""

    dataset: str
    sheet: str | None
    row_number: int
    code: str
    name: str | None
    month: date | None
    is_held: bool
    is_nil: bool
    figures: dict[str, Any]


@dataclass(frozen=True)
class Checked:
    """What was found in one file. `rows` are the accepted rows with canonical titles and normalised values."""

    path: Path
    submission_id: str
    dataset: str | None
    status: str
    message_zh: str
    counts: dict[str, int]
    rows: list[dict[str, Any]]
    remarks: list[Remark]
    notes: tuple[str, ...]
    # What is asked about headings, each with the column it may be.
    proposals: list[dict[str, Any]] = field(default_factory=list)
    # Every row with data, also those that are not used.
    units: list[RowUnit] = field(default_factory=list)
    lines: list[RowLine] = field(default_factory=list)
    # Whether it has columns with ID or bank account numbers.
    is_personal: bool = False

    @property
    def name(self) -> str:
        """The file's name as people wrote it."""
        return readable(self.path.name)

    @property
    def is_clean(self) -> bool:
        """Every row read that is data was accepted, and no part of the file was refused."""
        return self.status == "accepted"

    def to_json(self) -> dict[str, Any]:
        """As `--format json` prints it; doubts stand apart, because their rows are used."""
        return {
            "name": self.name,
            "dataset": self.dataset,
            "status": self.status,
            **self.counts,
            "rows": self.rows,
            "errors": [_told(r) for r in self.remarks if r.kind != "doubt"],
            "doubts": [_told(r) for r in self.remarks if r.kind == "doubt"],
            "instructions": [_to_do(item) for item in instructions(self.remarks)],
            "notes": list(self.notes),
            "proposals": [_asked(p) for p in self.proposals],
        }


def _to_do(item: Instruction) -> dict[str, Any]:
    return {
        "error_code": item.first.error_code,
        "sheet": item.first.sheet,
        "column_title": item.first.column_title,
        "cells": item.cells(),
        "count": item.count,
        "message_zh": item.message_zh,
        "what_to_do_zh": item.first.what_to_do_zh,
    }


def _asked(proposal: dict[str, Any]) -> dict[str, Any]:
    contract = ALL_DATASETS[proposal["dataset"]]
    return {
        "sheet": proposal["sheet"],
        "cell": f"{proposal['letters']}{proposal['row_number']}",
        "heading": proposal["heading"],
        "column_title": contract.columns[proposal["column"]].title_zh,
        "dataset": proposal["dataset"],
        "sender": proposal["sender"],
        "layout": proposal["layout"],
        "message_zh": question_zh(proposal["heading"], contract.columns[proposal["column"]].title_zh),
        "likeness_zh": proposal["likeness_zh"],
        "what_to_do_zh": CATALOGUE["D61"].remedy_zh,
    }


def _told(remark: Remark) -> dict[str, Any]:
    return {
        "error_code": remark.error_code,
        "sheet": remark.sheet,
        "row_number": remark.row_number,
        "column_title": remark.column_title,
        "cell": remark.cell,
        "value": remark.value,
        "message_zh": remark.message_zh,
        "what_to_do_zh": remark.what_to_do_zh,
    }


def check(
    paths: Sequence[Path],
    folder: DataFolder | None,
    *,
    now: datetime,
    names: Sequence[str] | None = None,
) -> list[Checked]:
    """Judge the files, in the order given; the folder's units, history and corrections count, if there is one.

    `names` are those that they will have under raw/, where these are known. Raises `OversightError` when a file or the
    folder is not there.
    """
    files = [
        _raw(path, name)
        for path, name in zip(paths, names or [readable(path.name) for path in paths], strict=True)
    ]
    if folder is not None and not folder.root.is_dir():
        raise OversightError(f"没有数据目录 {folder.root}。请检查 --data 的路径。")
    mine = {file.submission_id for file in files}
    base, ledger = history(folder, mine, now)
    distinct = list({file.sha256: file for file in files}.values())
    ledger = _enter(ledger, distinct, now)
    answers = read_answers(folder)
    parsed, personal = parse(distinct, answers)
    landed = store.combine([base, parsed])
    notes: list[str] = []
    stood_in = landed.rows["divisions"].height == 0
    written = landed
    if stood_in:
        notes.append(NO_UNITS)
        landed, ledger = _stand_in(landed, ledger, now)
    if not any(base.rows[dataset].height for dataset in _REPORTS):
        notes.append(NO_HISTORY_YET if folder else NO_HISTORY)
    judged = judge(landed, ledger, corrections.read(folder) if folder else None, load_references(folder))
    told = remarks(landed, judged, mine)
    originals = _originals(written, mine) if stood_in else {}
    asked = {file.submission_id: proposals(landed.headings, [file.submission_id]) for file in distinct}
    asked = with_likeness(asked, distinct, answers, base)
    return [
        replace(
            _checked(file, judged, told, originals, tuple(notes)),
            proposals=asked[file.submission_id],
            units=_units(file.submission_id, landed, judged),
            lines=_lines(file.submission_id, judged),
            is_personal=file.sha256 in personal,
        )
        for file in files
    ]


def _raw(path: Path, name: str) -> RawFile:
    try:
        with path.open("rb") as file:
            return RawFile(name, path, hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as failure:
        raise OversightError(
            f"读不到文件 {readable(str(path))}：{failure.strerror}。请检查路径。"
        ) from failure


def history(folder: DataFolder | None, checked: set[str], now: datetime) -> tuple[store.Landed, pl.DataFrame]:
    """What the folder holds, what was put there since the last run included; without the files to be checked."""
    empty = pl.DataFrame(schema=ledger_of.schema())
    if folder is None:
        return store.combine([]), empty
    files = scan(folder, keeping=False)
    correcting = corrections.scan(folder)
    ledger = ledger_of.enter(ledger_of.read(folder), [*files, *correcting], now)
    landed = store.load(folder)
    known = set(landed.files["submission_id"])
    new = {f.sha256: f for f in files if f.submission_id not in known}
    landed = store.combine([landed, parse(new.values(), read_answers(folder))[0]]) if new else landed
    return store.only(landed, set(landed.files["submission_id"]) - checked), ledger


def _enter(ledger: pl.DataFrame, files: list[RawFile], now: datetime) -> pl.DataFrame:
    """The files as the last to arrive; one that came before under any name counts as that one."""
    known = set(ledger["sha256"])
    return ledger_of.enter(ledger, [f for f in files if f.sha256 not in known], now)


def _stand_in(landed: store.Landed, ledger: pl.DataFrame, now: datetime) -> tuple[store.Landed, pl.DataFrame]:
    """Make every code written a unit, and every name without a code one of its own, so that only forms are judged."""
    names: dict[str, str] = {}
    made: dict[str, str] = {}
    rows = dict(landed.rows)
    for dataset in _REPORTS:
        code, name = _UNIT.get(dataset, ("reported_code", "reported_name"))
        for written, called in rows[dataset].select(code, name).unique(maintain_order=True).iter_rows():
            if written is not None:
                names.setdefault(written, called or written)
            elif called is not None:
                made.setdefault(called, f"99{len(made):07d}")
        by_name = pl.col(name).replace_strict(made, default=None, return_dtype=pl.String)
        rows[dataset] = rows[dataset].with_columns(
            pl.coalesce(code, by_name).alias(code),
            # A name cannot be held against a list that is not there.
            pl.lit(None, pl.String).alias(name),
        )
    names |= {code: name for name, code in made.items()}
    number = int(landed.tables.select(pl.col("table_no").max()).item() or 0) + 1
    units = pl.DataFrame(
        {
            "table_no": [number] * len(names),
            "row_number": range(1, len(names) + 1),
            "division_code": names.keys(),
            "division_name": names.values(),
        },
        schema={k: v for k, v in store.row_schema("divisions").items() if k in _DIVISION},
    )
    rows["divisions"] = pl.concat([landed.rows["divisions"], units], how="diagonal")
    table = pl.DataFrame(
        [(number, _STAND_IN, "divisions", len(names), 0)],
        schema={k: store.TABLE_SCHEMA[k] for k in _TABLE},
        orient="row",
    )
    with_units = store.Landed(
        landed.files,
        pl.concat([landed.tables, table], how="diagonal"),
        landed.refusals,
        landed.errors,
        landed.notices,
        rows,
        landed.headings,
    )
    entered = ledger_of.enter(ledger, [RawFile("", Path(), "0" * 64)], now)
    return with_units, entered


_DIVISION = ("table_no", "row_number", "division_code", "division_name")
_TABLE = ("table_no", "submission_id", "dataset", "rows_data", "rows_ignored")


def _originals(written: store.Landed, mine: set[str]) -> dict[tuple[Any, ...], tuple[str | None, str | None]]:
    """Code and name as the file has them, by file, sheet, row and dataset."""
    found: dict[tuple[Any, ...], tuple[str | None, str | None]] = {}
    places = written.tables.filter(pl.col("submission_id").is_in(list(mine)))
    for dataset in _REPORTS:
        code, name = _UNIT.get(dataset, ("reported_code", "reported_name"))
        rows = written.rows[dataset].join(
            places.select("table_no", "submission_id", "sheet"), on="table_no", how="inner"
        )
        for row in rows.select("submission_id", "sheet", "row_number", code, name).iter_rows():
            found[dataset, *row[:3]] = row[3:]
    return found


def _checked(
    file: RawFile,
    judged: Judged,
    told: dict[str, list[Remark]],
    originals: dict[tuple[Any, ...], tuple[str | None, str | None]],
    notes: tuple[str, ...],
) -> Checked:
    row = judged.submissions.filter(pl.col("submission_id") == file.submission_id).row(0, named=True)
    return Checked(
        path=file.path,
        submission_id=file.submission_id,
        dataset=row["dataset"],
        status=row["status"],
        message_zh=row["message_zh"],
        counts={ours: row[theirs] for ours, theirs in _COUNTS.items()},
        rows=_accepted(file.submission_id, judged, originals),
        remarks=told.get(file.submission_id, []),
        notes=notes if row["dataset"] not in (None, "divisions") else (),
    )


def _accepted(
    submission_id: str, judged: Judged, originals: dict[tuple[Any, ...], tuple[str | None, str | None]]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for dataset, frame in judged.rows.items():
        contract = ALL_DATASETS[dataset]
        mine = frame.filter((pl.col("submission_id") == submission_id) & (pl.col("row_status") == "accepted"))
        code, name = _UNIT.get(dataset, ("reported_code", "reported_name"))
        for row in mine.iter_rows(named=True):
            # The unit in force in that month, found from an older code or from a name where need be.
            values = dict(row)
            if "township_code" in row:
                values["reported_code"] = row["township_code"]
            original = originals.get((dataset, submission_id, row["sheet"], row["row_number"]))
            if original is not None:
                values[code], values[name] = original
            rows.append(
                {"sheet": row["sheet"], "row_number": row["row_number"]}
                | {c.title_zh: shown(values[c.name], c.kind) for c in contract.columns.values()}
            )
    return rows


def _lines(submission_id: str, judged: Judged) -> list[RowLine]:
    """Rows that are used or held, those of a file in the order of its sheets and rows."""
    found: list[RowLine] = []
    for dataset, frame in judged.rows.items():
        contract = ALL_DATASETS[dataset]
        code, name = _WRITTEN.get(dataset, ("reported_code", "reported_name"))
        known = "township_code" if "township_code" in frame.columns else code
        for row in frame.filter(pl.col("submission_id") == submission_id).iter_rows(named=True):
            figures = {
                c.title_zh: shown(row[c.name], c.kind)
                for c in contract.columns.values()
                if c.name not in (code, name, "month") and row.get(c.name) is not None
            }
            found.append(
                RowLine(
                    dataset,
                    row["sheet"],
                    row["row_number"],
                    row[known] or row[code] or "",
                    row.get(name),
                    row.get("month"),
                    is_held=row["row_status"] == "held",
                    is_nil=str(row.get("nil_figures") or "").startswith(REPORT),
                    figures=figures,
                )
            )
    return sorted(found, key=lambda line: (line.sheet or "", line.row_number))


def _units(submission_id: str, landed: store.Landed, judged: Judged) -> list[RowUnit]:
    """The unit of each row: the one it was found to be of, else the one that is written."""
    tables = landed.tables.filter(pl.col("submission_id") == submission_id).select("table_no", "sheet")
    found: list[RowUnit] = []
    for dataset, rows in landed.rows.items():
        code, name = _WRITTEN.get(dataset, ("reported_code", "reported_name"))
        mine = rows.join(tables, on="table_no", how="inner", maintain_order="left")
        if mine.is_empty():
            continue
        frame = judged.rows[dataset].filter(pl.col("submission_id") == submission_id)
        known = "township_code" if "township_code" in frame.columns else code
        nil = pl.col("nil_figures") if "nil_figures" in frame.columns else pl.lit(None, pl.String)
        used = {
            (sheet, number): (unit, said)
            for sheet, number, unit, said in frame.select("sheet", "row_number", known, nil).iter_rows()
        }
        month = pl.col("month") if "month" in mine.columns else pl.lit(None, pl.Date)
        for sheet, number, unit, called, when in mine.select(
            "sheet",
            "row_number",
            pl.col(code).alias("_code"),
            pl.col(name).alias("_name"),
            month.alias("_month"),
        ).iter_rows():
            made_out, said = used.get((sheet, number), (None, None))
            found.append(
                RowUnit(
                    dataset,
                    sheet,
                    number,
                    made_out or unit,
                    unit or called,
                    when,
                    is_nil=str(said or "").startswith(REPORT),
                )
            )
    return found


def shown(value: Any, kind: str) -> Any:
    """A normalised value for JSON: amounts as decimal strings, months as 2025-06, 是 or 否, null where blank."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, date):
        return f"{value:%Y-%m}" if kind == "month" else value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
