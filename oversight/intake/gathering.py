"""Files read, their headings settled, their cells made into values, and all of it gathered into a few frames."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import polars as pl

from oversight.archive import store as archive
from oversight.contracts import ALL_DATASETS
from oversight.intake.landed import (
    FILE_SCHEMA,
    NOTICE_SCHEMA,
    REFUSAL_SCHEMA,
    TABLE_SCHEMA,
    Landed,
    row_schema,
)
from oversight.intake.questions import HEADING_SCHEMA, Answers, settle
from oversight.intake.raw_files import RawFile
from oversight.intake.reading.found import BulkTable, Reading
from oversight.intake.reading.grid import Refusal, Table
from oversight.intake.reading.normalise import ERROR_SCHEMA, ROW_KEY, TableFacts, normalise
from oversight.intake.reading.totals import column_powers
from oversight.intake.reading.worker import worker
from oversight.progress import counted
from oversight.settings import DataFolder


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
        """Take in one file: its headings are settled first, and what is left of it is used as it then stands."""
        settled, headings = settle(reading, submission_id, self._answers)
        self._headings += headings
        error = settled.error
        if error is None and not reading.tables and not reading.refusals:
            error = Refusal("F05", {"detail": ""})
        found = None if error is None else json.dumps(error.found, ensure_ascii=False)
        self.files.append((submission_id, error.code if error else None, found, settled.has_formulas))
        for r in settled.refusals:
            texts = json.dumps(r.found, ensure_ascii=False)
            self.refusals.append(
                (submission_id, r.dataset, r.sheet, r.row_number, r.code, texts, list(r.rows), r.rows_ignored)
            )
        for notice in settled.notices:
            texts = json.dumps(notice.found, ensure_ascii=False)
            self.notices.append(
                (submission_id, notice.dataset, notice.sheet, notice.row_number, notice.code, texts)
            )
        for table in settled.tables:
            self._add_table(submission_id, table)

    def _add_table(self, submission_id: str, table: Table | BulkTable) -> None:
        header, context = table.header, table.context
        contract = ALL_DATASETS[table.dataset]
        number, other_titles = len(self.tables), _other_titles(table)
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
                json.dumps({n: header.place(at) for n, at in header.columns.items()}),
                json.dumps(
                    {n: header.titles.get(at, "") for n, at in header.columns.items()}, ensure_ascii=False
                ),
                json.dumps(powers) if powers else None,
                context.filed_on,
                context.is_correction,
                context.words,
                context.reporter,
                *(context.period or (context.month, context.month)),
                other_titles,
                height,
                len(table.ignored),
                table.total_problem,
            )
        )
        self.broken.extend(
            (number, row, column or None, value, code) for row, column, value, code in table.broken
        )
        if context.months_said and "month" in contract.columns:
            self.broken.extend((number, row, None, context.months_said, "H60") for row in table.row_numbers)
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
        typed = typed.select(row_schema(dataset).keys()).cast(pl.Schema(row_schema(dataset)))
        # A large table comes as a file in memory, which one text that is taken from it as it stands would hold whole.
        texts = [name for name, kind in typed.schema.items() if kind == pl.String]
        typed = typed.with_columns(pl.concat_str(name, pl.lit("")).alias(name) for name in texts)
        self._typed[dataset].append(typed)
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


def _other_titles(table: Table | BulkTable) -> str | None:
    """The columns with something in them that the contract does not know, each with its letters."""
    others = table.header.others
    if isinstance(table, BulkTable):
        used = set(others.values()) if "other_columns" in table.frame.columns else set()
    else:
        used = {title for said in table.others if said for title in json.loads(said)}
    return (
        "、".join(f"“{title}”（{table.header.where(at)}）" for at, title in others.items() if title in used)
        or None
    )
