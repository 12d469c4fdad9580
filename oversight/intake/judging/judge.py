"""Whole-of-data judgement of landed rows: which unit, repeated within a file, off by a factor, inconsistent.

Everything is judged anew on every run from all that ever landed, so that nothing depends on the order in which
files arrived, except precedence where the files themselves leave it open.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import polars as pl

from oversight.contracts import ALL_DATASETS
from oversight.errors import OversightError
from oversight.intake.judging.corrections import PREFIX, Correction, CorrectionFile, same
from oversight.intake.judging.identity import LEVELS, Resolved, Units, unit_numbers, winners
from oversight.intake.judging.lanes import beyond_the_whole, blanked, each, sources_of, unlisted, with_lanes
from oversight.intake.judging.payment_lists import (
    COVERAGE_SCHEMA,
    coverage,
    outside,
    prepared,
    same_again,
)
from oversight.intake.judging.periods import periods
from oversight.intake.judging.precedence import Arrival, ranks
from oversight.intake.judging.scale import figure, hold, in_senders_unit, unit_month
from oversight.intake.judging.slots import Slots, lay_out
from oversight.intake.judging.zeros import CELL_BY_CELL, zeros
from oversight.intake.landed import Landed, row_schema
from oversight.intake.reading import values
from oversight.intake.sending_back.catalogue import CATALOGUE
from oversight.references import TOWNSHIP, WORKING_FUNDS, References, load_references

KEY = ("table_no", "row_number")
VERDICT_SCHEMA: dict[str, Any] = {
    "table_no": pl.Int32,
    "row_number": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "code": pl.String,
    "found": pl.String,
}
REJECTED_SCHEMA: dict[str, Any] = {
    "submission_id": pl.String,
    "sheet": pl.String,
    "row_number": pl.Int64,
    "column_title": pl.String,
    "value": pl.String,
    "error_code": pl.String,
    "message_zh": pl.String,
    "what_to_do_zh": pl.String,
    "disposition": pl.String,
}
SUBMISSION_SCHEMA: dict[str, Any] = {
    "submission_id": pl.String,
    "file_name": pl.String,
    "sha256": pl.String,
    "dataset": pl.String,
    "received_at": pl.Datetime("us"),
    "month_from": pl.Date,
    "month_to": pl.Date,
    "rows_read": pl.Int64,
    "rows_accepted": pl.Int64,
    "rows_held": pl.Int64,
    "rows_rejected": pl.Int64,
    "rows_ignored": pl.Int64,
    "status": pl.String,
    "is_correction": pl.Boolean,
    "filed_on": pl.Date,
    "arrival_seq": pl.Int64,
    "error_code": pl.String,
    "message_zh": pl.String,
    "what_to_do_zh": pl.String,
}


class Unbalanced(OversightError):
    """Rows read do not equal rows accepted, held, rejected and ignored: an internal error, never published."""


@dataclass
class Judged:
    """The build inputs: a frame for each dataset, the submissions, and every row that is not used with its reason.

    `tables` are those that the rows came from, the analyst's corrections among them. `places` says of each row of a
    report its table, its unit and month as one number, and whether another row speaks of these too. `covered`: for
    which months, divisions and funds a list of payments says all that was paid.
    """

    rows: dict[str, pl.DataFrame] = field(default_factory=dict)
    submissions: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SUBMISSION_SCHEMA))
    rejected: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECTED_SCHEMA))
    tables: pl.DataFrame = field(default_factory=pl.DataFrame)
    places: dict[str, pl.DataFrame] = field(default_factory=dict)
    covered: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COVERAGE_SCHEMA))
    references: References = field(default_factory=load_references)


@dataclass
class _Verdicts:
    """What became of rows that are not simply accepted, gathered as the steps go."""

    rejected: list[pl.DataFrame] = field(default_factory=list)
    held: list[pl.DataFrame] = field(default_factory=list)
    repeated: list[pl.DataFrame] = field(default_factory=list)


def _verdicts(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=VERDICT_SCHEMA, orient="row")


def _without(rows: pl.DataFrame, gone: pl.DataFrame) -> pl.DataFrame:
    if gone.height == 0:
        return rows
    return rows.join(gone.select(KEY).unique(), on=KEY, how="anti", maintain_order="left")


def judge(
    landed: Landed,
    ledger: pl.DataFrame,
    corrections: list[CorrectionFile] | None = None,
    references: References | None = None,
) -> Judged:
    """Judge all landed rows, with the analyst's corrections and confirmations applied.

    `references`: the funds and sources of reports that hold for the data folder; the project's own where none is given.
    """
    references = references or load_references()
    # Correction files are in the ledger too, but they correct; they do not report.
    reported = ledger.filter(~pl.col("file_name").str.starts_with(PREFIX))
    precedence = _precedence(landed, reported)
    tables = landed.tables.join(precedence, on="submission_id", how="left", maintain_order="left")
    tables = sources_of(tables, reported, references)
    desk = CorrectionDesk(corrections or [], tables)
    tables = pl.concat([tables, desk.tables], how="diagonal")
    present = {c.file.sha256 for c in corrections or []}
    ledger = pl.concat(
        [reported, ledger.filter(pl.col("sha256").is_in(list(present)) & pl.col("is_first"))]
    ).unique(maintain_order=True)
    out = Judged(references=references)
    verdicts = _Verdicts()
    divisions = _divisions(landed, tables, verdicts)
    out.rows["divisions"] = divisions
    changes, errors = _parsed(landed, tables, "division_changes")
    verdicts.rejected.append(errors)
    changes = _without(changes, errors).with_columns(doubts=pl.lit(None, pl.String))
    out.rows["division_changes"] = _provide("division_changes", changes, _verdicts(()), tables)
    units = Units(winners(divisions), changes)
    unusable = pl.DataFrame(schema={"table_no": pl.Int32})
    for dataset in ("population", "budget", "staffing", "indicators"):
        rows, errors = _parsed(landed, tables, dataset)
        if not units:
            unusable = pl.concat([unusable, tables.filter(pl.col("dataset") == dataset).select("table_no")])
            rows, errors = rows.clear(), errors.clear()
        # A note on a figure that is used all the same.
        noted = errors.filter(pl.col("code").str.starts_with("D"))
        unsure = errors.filter(pl.col("code").str.starts_with("H"))
        errors = errors.filter(~pl.col("code").str.contains("^[DH]"))
        verdicts.rejected.append(errors)
        rows = with_lanes(_without(rows, errors), tables, references)
        rows, slots = _identify(dataset, rows, tables, units, verdicts)
        rows = _repeats(dataset, rows, tables, units, slots, verdicts)
        held = each(rows, "fund_code", partial(hold, dataset)) if dataset != "indicators" else _verdicts(())
        held = pl.concat(
            [held, each(rows, "lane", partial(zeros, dataset)), periods(dataset, rows, unsure)]
        ).unique([*KEY, "column"], keep="first", maintain_order=True)
        held = desk.confirm(dataset, rows, held)
        verdicts.held.append(held)
        cells = held.filter(pl.col("code").is_in(CELL_BY_CELL))
        held = held.filter(~pl.col("code").is_in(CELL_BY_CELL))
        rows = _note(rows, pl.concat([noted.cast(pl.Schema(VERDICT_SCHEMA)), cells]))
        rows = rows.with_columns(
            _doubt(dataset, _blank(rows, cells), held, tables, slots).get_column("doubts")
        )
        reported_count = rows.height
        rows = _blank(desk.correct(dataset, rows, held, tables), cells)
        if slots and rows.height > reported_count:
            # A corrected version shares the place of the one it corrects.
            slots = replace(slots, is_single=False)
        out.rows[dataset] = _provide(dataset, rows, held, tables)
        out.places[dataset] = _places(rows, slots)
    unusable = _judge_payments(out, landed, tables, units, verdicts, unusable)
    verdicts.rejected.append(desk.refused())
    tables = desk.counted(tables)
    out.tables = tables
    _account(out, landed, ledger, tables, verdicts, unusable)
    return out


def _judge_payments(
    out: Judged,
    landed: Landed,
    tables: pl.DataFrame,
    units: Units,
    verdicts: _Verdicts,
    unusable: pl.DataFrame,
) -> pl.DataFrame:
    """Lists of payments: placed row by row and kept voucher by voucher; the models add them up by month."""
    rows, errors = _parsed(landed, tables, "payments")
    if not units:
        unusable = pl.concat([unusable, tables.filter(pl.col("dataset") == "payments").select("table_no")])
        rows, errors = rows.clear(), errors.clear()
    noted = errors.filter(pl.col("code").str.starts_with("D"))
    errors = errors.filter(~pl.col("code").str.starts_with("D"))
    verdicts.rejected.append(errors)
    rows = with_lanes(prepared(_without(rows, errors)), tables, out.references)
    rows, _ = _identify("payments", rows, tables, units, verdicts)
    again = same_again(rows, tables)
    verdicts.repeated.append(again)
    rows = _note(_without(rows, again), noted)
    rows = _marked(rows, "D41", rows.select(unlisted()).to_series())
    beyond = outside(rows, tables)
    rows = _note(rows, beyond.with_columns(code=pl.lit("D47")))
    out.rows["payments"] = _provide("payments", rows, _verdicts(()), tables)
    out.covered = coverage(rows, tables, units) if units else out.covered
    return unusable


def _marked(rows: pl.DataFrame, code: str, mark: pl.Series) -> pl.DataFrame:
    """Rows with a doubt added where `mark` holds."""
    if not mark.fill_null(value=False).any():
        return rows
    more = pl.concat_str("doubts", pl.lit(code), separator=";", ignore_nulls=True)
    return rows.with_columns(doubts=pl.when(mark).then(more).otherwise("doubts"))


class CorrectionDesk:
    """Applies corrections and confirmations; each file is a submission, and for each dataset in it a table."""

    def __init__(self, files: list[CorrectionFile], tables: pl.DataFrame) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._items: list[tuple[int, Correction]] = []
        self._refused: list[tuple[Any, ...]] = []
        self._counts: dict[int, list[int]] = {}
        next_number = int(tables.select(pl.col("table_no").max()).item() or 0) + 1
        top = int(tables.select(pl.col("precedence").max()).item() or 0) + 1
        rows: list[tuple[Any, ...]] = []
        for place, file in enumerate(files):
            identifier = file.file.submission_id
            datasets = sorted({c.dataset for c in file.rows}) or ["population"]
            for dataset in datasets:
                number = next_number + len(rows)
                self._numbers[identifier, dataset] = number
                self._counts[number] = [0, 0]
                rows.append((number, identifier, dataset, None, 1, True, "", TOWNSHIP, top + place))
            for item in file.rows:
                self._items.append((self._numbers[identifier, item.dataset], item))
            for fault in file.faulty:
                texts = {"title": fault.title, "value": fault.value}
                self._refuse(
                    self._numbers[identifier, datasets[0]], fault.row_number, None, fault.value, "C03", texts
                )
        self.tables = pl.DataFrame(
            rows,
            schema={
                "table_no": pl.Int32,
                "submission_id": pl.String,
                "dataset": pl.String,
                "sheet": pl.String,
                "header_row": pl.Int64,
                "is_correction": pl.Boolean,
                "words": pl.String,
                "source": pl.String,
                "precedence": pl.Int64,
            },
            orient="row",
        )

    def _refuse(
        self, number: int, row: int, column: str | None, value: object, code: str, texts: dict[str, str]
    ) -> None:
        self._counts[number][0] += 1
        shown = None if value is None else str(value)
        self._refused.append((number, row, column, shown, code, json.dumps(texts, ensure_ascii=False)))

    def refused(self) -> pl.DataFrame:
        """Corrections that were not applied, as verdicts."""
        return _verdicts(self._refused)

    def counted(self, tables: pl.DataFrame) -> pl.DataFrame:
        """The tables with the row counts of the correction files."""
        if not self._counts:
            return tables
        counts = pl.DataFrame(
            [(n, data, ignored) for n, (data, ignored) in self._counts.items()],
            schema={"table_no": pl.Int32, "data": pl.Int64, "ignored": pl.Int64},
            orient="row",
        )
        joined = tables.join(counts, on="table_no", how="left", maintain_order="left")
        return joined.with_columns(
            rows_data=pl.coalesce("data", "rows_data"), rows_ignored=pl.coalesce("ignored", "rows_ignored")
        ).drop("data", "ignored")

    def _missing(self, number: int, item: Correction, action: str) -> None:
        title = ALL_DATASETS[item.dataset].columns[item.column].title_zh
        texts = {"unit": item.code, "month": f"{item.month:%Y-%m}", "action": action, "column": title}
        self._refuse(number, item.row_number, item.column, item.expected, "C02", texts)

    def confirm(self, dataset: str, rows: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
        """What remains held once confirmed figures are let through; with one figure its whole row is."""
        mine = [(n, c) for n, c in self._items if c.is_confirmation and c.dataset == dataset]
        if not mine:
            return held
        places = held.join(rows.select(*KEY, "unit_code", "reported_code", "month"), on=KEY, how="left")
        cleared: list[tuple[int, int]] = []
        for number, item in mine:
            found = places.filter(
                ((pl.col("unit_code") == item.code) | (pl.col("reported_code") == item.code))
                & (pl.col("month") == item.month)
                & (pl.col("column") == item.column)
                & (pl.col("value") == figure(item.expected))
            )
            if found.height == 0:
                self._missing(number, item, "确认")
                continue
            self._counts[number][1] += 1
            cleared.extend(found.select(KEY).rows())
        gone = pl.DataFrame(cleared, schema={k: VERDICT_SCHEMA[k] for k in KEY}, orient="row")
        return _without(held, gone)

    def correct(
        self, dataset: str, rows: pl.DataFrame, held: pl.DataFrame, tables: pl.DataFrame
    ) -> pl.DataFrame:
        """Rows with a new version for each that is corrected, made of the one that counts."""
        mine = [(n, c) for n, c in self._items if not c.is_confirmation and c.dataset == dataset]
        if not mine:
            return rows
        codes = [c.code for _, c in mine]
        near = rows.filter(pl.col("unit_code").is_in(codes) | pl.col("reported_code").is_in(codes))
        near = near.join(held.select(KEY).unique().with_columns(held=pl.lit(value=True)), on=KEY, how="left")
        near = near.join(tables.select("table_no", "precedence"), on="table_no", how="left").sort(
            "precedence"
        )
        known = near.to_dicts()
        made: dict[tuple[int, int, int], dict[str, Any]] = {}
        for number, item in mine:
            at = [
                r
                for r in known
                if r["month"] == item.month and item.code in (r["unit_code"], r["reported_code"])
            ]
            # Each source and each fund has a figure that counts; the correction speaks of the one it names.
            base = next((r for lane in _by_lane(at) if (r := _corrected(lane, item)) is not None), None)
            if base is None and not at:
                self._missing(number, item, "更正")
                continue
            if base is None:
                now = ([r for r in at if not r["held"]] or at)[-1][item.column]
                title = ALL_DATASETS[dataset].columns[item.column].title_zh
                texts = {
                    "expected": "空白" if item.expected is None else str(item.expected),
                    "column": title,
                    "value": "空白" if now is None else str(now),
                }
                self._refuse(number, item.row_number, item.column, now, "C01", texts)
                continue
            key = (number, base["unit_month"], base["lane"])
            if key in made:
                self._counts[number][1] += 1
                self._counts[number][0] -= 1
            doubts = ";".join(d for d in dict.fromkeys([*(base["doubts"] or "").split(";"), "D12"]) if d)
            made[key] = base | {
                "table_no": number,
                "row_number": item.row_number,
                item.column: item.value,
                **_precision_of_correction(item),
                "doubts": doubts,
                "held": None,
            }
            self._counts[number][0] += 1
            known = [r for r in known if (r["table_no"], r["unit_month"], r["lane"]) != key] + [made[key]]
        if not made:
            return rows
        new = pl.DataFrame([{c: r[c] for c in rows.columns} for r in made.values()], schema=rows.schema)
        return pl.concat([rows, new])


def _by_lane(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows of one unit and month by source and fund, those of the working funds and of the township itself first."""
    lanes: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        lanes.setdefault(row["lane"], []).append(row)
    return sorted(
        lanes.values(),
        key=lambda r: (r[0].get("fund_code", WORKING_FUNDS) != WORKING_FUNDS, r[0]["source"] != TOWNSHIP),
    )


def _corrected(at: list[dict[str, Any]], item: Correction) -> dict[str, Any] | None:
    """The row of one source and fund that a correction speaks of; None where none has the figure it names."""
    counting = [r for r in at if not r["held"]][-1:]
    # A held figure counts for nothing yet, but it can be put right; one sent before the figure that counts
    # is past, and a correction of it has lost its ground.
    since = at[at.index(counting[0]) + 1 :] if counting else at
    return next((r for r in (*counting, *reversed(since)) if same(r[item.column], item.expected)), None)


def _precision_of_correction(item: Correction) -> dict[str, Decimal | None]:
    """An analyst corrects to the 分 and to the person."""
    column = ALL_DATASETS[item.dataset].columns[item.column]
    if not column.has_precision:
        return {}
    unit = Decimal("0.01") if column.kind == "money" else Decimal(1)
    return {column.precision_name: None if item.value is None else unit}


# --- precedence -----------------------------------------------------------------------------------------


def _precedence(landed: Landed, ledger: pl.DataFrame) -> pl.DataFrame:
    said = landed.tables.group_by("submission_id").agg(
        pl.col("is_correction").any(), pl.col("filed_on").max()
    )
    first = ledger.filter("is_first").select(
        pl.col("sha256").str.slice(0, 16).alias("submission_id"), "arrival_seq", "file_name"
    )
    known = first.join(said, on="submission_id", how="left")
    arrivals = [
        Arrival(r["submission_id"], bool(r["is_correction"]), r["filed_on"], r["arrival_seq"], r["file_name"])
        for r in known.iter_rows(named=True)
    ]
    order = ranks(arrivals)
    return pl.DataFrame(
        list(order.items()), schema={"submission_id": pl.String, "precedence": pl.Int64}, orient="row"
    )


# --- divisions ------------------------------------------------------------------------------------------


def _parsed(landed: Landed, tables: pl.DataFrame, dataset: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Landed rows of a dataset and the errors that reading them gave, as verdicts."""
    rows = landed.rows.get(dataset, pl.DataFrame(schema=row_schema(dataset)))
    numbers = tables.filter(pl.col("dataset") == dataset).select("table_no")
    errors = landed.errors.join(numbers, on="table_no", how="semi")
    return rows, errors.with_columns(found=pl.lit(None, pl.String)).select(VERDICT_SCHEMA.keys())


def _divisions(landed: Landed, tables: pl.DataFrame, verdicts: _Verdicts) -> pl.DataFrame:
    rows, errors = _parsed(landed, tables, "divisions")
    verdicts.rejected.append(errors)
    rows = _without(rows, errors)
    code = pl.col("division_code")
    derived = (
        pl.when(code.str.len_chars() > 6)
        .then(code.str.slice(0, code.str.len_chars() - 3))
        .when(~code.str.ends_with("00"))
        .then(code.str.slice(0, 4) + "00")
        .when(~code.str.ends_with("0000"))
        .then(code.str.slice(0, 2) + "0000")
    )
    rows = rows.with_columns(parent_code=pl.coalesce("parent_code", derived), doubts=pl.lit(None, pl.String))
    rows = _repeats("divisions", rows, tables, None, None, verdicts)
    return _provide("divisions", rows, _verdicts(()), tables)


# --- identity -------------------------------------------------------------------------------------------


def _identify(
    dataset: str, rows: pl.DataFrame, tables: pl.DataFrame, units: Units, verdicts: _Verdicts
) -> tuple[pl.DataFrame, Slots | None]:
    """Add `unit_code`, the code in force in the row's month, and `doubts`; reject what cannot be placed."""
    code_column = "subject_code" if dataset == "indicators" else "reported_code"
    name_column = "subject_name" if dataset == "indicators" else "reported_name"
    if rows.height == 0:
        return rows.with_columns(
            unit_code=pl.lit(None, pl.String),
            doubts=pl.lit(None, pl.String),
            unit_month=pl.lit(None, pl.Int64),
            slot=pl.lit(None, pl.UInt32),
        ), None
    numbers = unit_numbers(units)
    number = rows.select(number=pl.col(code_column).cast(pl.Int64, strict=False))
    known = number.join(numbers, on="number", how="left", maintain_order="left")
    known = known.with_columns(rows.select(pl.col(code_column, name_column), "month"))
    in_force = pl.col("unit_name").is_not_null()
    if numbers.select((pl.col("unit_from").is_not_null() | pl.col("unit_to").is_not_null()).any()).item():
        end = pl.col("month").dt.month_end()
        in_force &= pl.col("unit_from").is_null() | (pl.col("unit_from") <= end)
        in_force &= pl.col("unit_to").is_null() | (pl.col("unit_to") > end)
    if dataset != "indicators":
        in_force &= pl.col(code_column).str.len_bytes() == 9
    fits = pl.col(name_column).is_null() | (pl.col(name_column) == pl.col("unit_name"))
    checked = known.select(in_force=in_force, fits=fits.fill_null(value=False), unit_no="unit_no")
    plain = checked.get_column("in_force") & checked.get_column("fits")
    # Nearly every row gives a code in force and its name; only the others are looked at one by one.
    code = rows.get_column(code_column)
    if plain.all():
        good = rows.with_columns(unit_code=code, doubts=pl.lit(None, pl.String))
        unit_no = checked.get_column("unit_no")
    else:
        at = (~plain).arg_true()
        rest = rows[at].with_columns(
            unit_code=pl.when(checked.get_column("in_force").gather(at)).then(code_column),
            name_fits=checked.get_column("fits").gather(at),
            at=at,
        )
        rest = _look_up(dataset, rest, code_column, name_column, tables, units)
        bad = rest.filter(pl.col("error").is_not_null())
        verdicts.rejected.append(
            bad.select(
                *KEY,
                column=pl.lit(code_column),
                value=pl.coalesce(pl.col(code_column).str.strip_prefix(values.HINT), name_column),
                code="error",
                found="found",
            )
        )
        doubts = pl.concat_str("code_doubt", "name_doubt", separator=";", ignore_nulls=True)
        rest = rest.filter(pl.col("error").is_null()).select(
            "at",
            # What Excel left of a code is no code; the name beside it told the unit.
            pl.when(~pl.col(code_column).str.starts_with(values.HINT)).then(code_column).alias("code"),
            "unit_code",
            doubts=pl.when(doubts != "").then(doubts),
            number=pl.col("unit_code").cast(pl.Int64, strict=False),
        )
        rest = rest.join(numbers.select("number", "unit_no"), on="number", how="left", maintain_order="left")
        place = pl.repeat(None, rows.height, dtype=pl.UInt32, eager=True).scatter(
            rest.get_column("at"), pl.int_range(rest.height, dtype=pl.UInt32, eager=True)
        )
        unit_no = checked.get_column("unit_no")
        if rest.height:
            found = rest[place]
            good = rows.with_columns(
                pl.when(plain).then(code).otherwise(found.get_column("code")).alias(code_column),
                unit_code=pl.when(plain).then(code).otherwise(found.get_column("unit_code")),
                doubts=found.get_column("doubts"),
            )
            unit_no = pl.select(
                pl.when(plain).then(unit_no).otherwise(found.get_column("unit_no"))
            ).to_series()
        else:
            good = rows.with_columns(unit_code=code, doubts=pl.lit(None, pl.String))
        if bad.height:
            kept = plain | place.is_not_null()
            good, unit_no = good.filter(kept), unit_no.filter(kept)
    if good.height == 0:
        return good.with_columns(unit_month=pl.lit(None, pl.Int64), slot=pl.lit(None, pl.UInt32)), None
    lanes = int(rows.get_column("lane").max() or 0) + 1  # type: ignore[arg-type]
    if lanes > 1:
        unit_no = unit_no.cast(pl.Int64) * lanes + good.get_column("lane")
    slots, slot = lay_out(unit_no, good.get_column("month"))
    # Unit and month as one whole number, and as a place in a grid: no later step groups by text and date.
    return good.with_columns(unit_month=unit_month("unit_code"), slot=slot), slots


def _look_up(
    dataset: str, rest: pl.DataFrame, code_column: str, name_column: str, tables: pl.DataFrame, units: Units
) -> pl.DataFrame:
    """Add the unit, a doubt or the error of rows that do not simply give a code in force and its name."""
    rest = _recover_codes(rest, code_column, name_column, units)
    rest = _resolve_codes(dataset, rest, code_column, units)
    rest = _resolve_names(rest, code_column, name_column, tables, units)
    return _check_names(rest, code_column, name_column, units)


_RESOLVED = {"to": pl.String, "doubt": pl.String, "error": pl.String, "found": pl.String}


def _resolution_rows(keys: Iterable[tuple[Any, ...]], resolved: Iterable[Resolved]) -> list[tuple[Any, ...]]:
    return [
        (*key, r.code, r.doubt, r.error, json.dumps(r.found, ensure_ascii=False) if r.error else None)
        for key, r in zip(keys, resolved, strict=True)
    ]


def _recover_codes(frame: pl.DataFrame, code_column: str, name_column: str, units: Units) -> pl.DataFrame:
    """Codes that Excel cut short: made good by the name beside them where only one unit can be meant."""
    is_hint = pl.col(code_column).str.starts_with(values.HINT)
    keys = frame.filter(is_hint).select(code_column, name_column, "month").unique().rows()
    if not keys:
        blank = ("doubt_0", "error_0", "found_0")
        return frame.with_columns(pl.lit(None, pl.String).alias(n) for n in blank)
    table = pl.DataFrame(
        _resolution_rows(keys, (units.by_hint(hint, name, month) for hint, name, month in keys)),
        schema={
            code_column: pl.String,
            name_column: pl.String,
            "month": pl.Date,
            **{k + "_0": t for k, t in _RESOLVED.items()},
        },
        orient="row",
    )
    on = [code_column, name_column, "month"]
    joined = frame.join(table, on=on, how="left", maintain_order="left", nulls_equal=True)
    return joined.with_columns(unit_code=pl.coalesce("unit_code", "to_0")).drop("to_0")


def _resolve_codes(dataset: str, frame: pl.DataFrame, code_column: str, units: Units) -> pl.DataFrame:
    """Codes that are not simply in force: renamed, merged, of another level, unknown."""
    open_ = frame.filter(
        pl.col("unit_code").is_null() & pl.col("error_0").is_null() & pl.col(code_column).is_not_null()
    )
    keys = open_.select(code_column, "month").unique().rows()
    if not keys:
        return frame.rename({"doubt_0": "code_doubt", "error_0": "error", "found_0": "found"})

    def one(code: str, month: date) -> Resolved:
        if dataset != "indicators" and len(code) != 9:
            return Resolved(None, error="R15", found={"value": code, "level": LEVELS.get(len(code), "其他")})
        return units.resolve(code, month)

    table = pl.DataFrame(
        _resolution_rows(keys, (one(*k) for k in keys)),
        schema={code_column: pl.String, "month": pl.Date, **_RESOLVED},
        orient="row",
    )
    joined = frame.join(table, on=[code_column, "month"], how="left", maintain_order="left")
    return joined.with_columns(
        unit_code=pl.coalesce("unit_code", "to"),
        code_doubt=pl.coalesce("doubt_0", "doubt"),
        error=pl.coalesce("error_0", "error"),
        found=pl.coalesce("found_0", "found"),
    )


def _resolve_names(
    frame: pl.DataFrame, code_column: str, name_column: str, tables: pl.DataFrame, units: Units
) -> pl.DataFrame:
    """Rows without a code: by name within the county that the table names."""
    open_ = frame.filter(pl.col(code_column).is_null())
    if open_.height == 0:
        return frame
    words = dict(tables.select("table_no", "words").iter_rows())
    counties: dict[int, str | None] = {}
    keys = open_.select("table_no", name_column, "month").unique().rows()
    files = dict(tables.select("table_no", "submission_id").iter_rows())
    named: dict[str, set[str]] = {}
    for number, name, _ in keys:
        if name is not None:
            named.setdefault(files[number], set()).add(name)
    for number, _, _ in keys:
        if number not in counties:
            counties[number] = units.county_in(words.get(number) or "") or units.county_of_all(
                named.get(files[number], ())
            )
    table = pl.DataFrame(
        _resolution_rows(
            keys, (units.by_name(name, counties[number], month) for number, name, month in keys)
        ),
        schema={
            "table_no": pl.Int32,
            name_column: pl.String,
            "month": pl.Date,
            **{k + "_2": t for k, t in _RESOLVED.items()},
        },
        orient="row",
    ).with_columns(pl.lit(None, pl.String).alias(code_column))
    joined = frame.join(
        table,
        on=["table_no", name_column, "month", code_column],
        how="left",
        maintain_order="left",
        nulls_equal=True,
    )
    return joined.with_columns(
        unit_code=pl.coalesce("unit_code", "to_2"),
        code_doubt=pl.coalesce("code_doubt", "doubt_2"),
        error=pl.coalesce("error", "error_2"),
        found=pl.coalesce("found", "found_2"),
    )


def _check_names(frame: pl.DataFrame, code_column: str, name_column: str, units: Units) -> pl.DataFrame:
    open_ = frame.filter(
        ~pl.col("name_fits")
        & pl.col("error").is_null()
        & pl.col(code_column).is_not_null()
        & ~pl.col(code_column).str.starts_with(values.HINT)
        & pl.col(name_column).is_not_null()
    )
    keys = open_.select(code_column, name_column).unique().rows()
    if not keys:
        return frame.with_columns(name_doubt=pl.lit(None, pl.String))
    table = pl.DataFrame(
        _resolution_rows(keys, (units.check_name(code, name) for code, name in keys)),
        schema={
            code_column: pl.String,
            name_column: pl.String,
            **{k + "_3": t for k, t in _RESOLVED.items()},
        },
        orient="row",
    )
    joined = frame.join(table, on=[code_column, name_column], how="left", maintain_order="left")
    return joined.with_columns(
        name_doubt="doubt_3", error=pl.coalesce("error", "error_3"), found=pl.coalesce("found", "found_3")
    )


# --- repeats within one file ----------------------------------------------------------------------------


def _repeats(
    dataset: str,
    rows: pl.DataFrame,
    tables: pl.DataFrame,
    units: Units | None,
    slots: Slots | None,
    verdicts: _Verdicts,
) -> pl.DataFrame:
    """The same key twice in one file: an identical repeat is ignored, contradicting rows are all rejected."""
    if rows.height < 2:
        return rows
    if dataset == "divisions":
        key, ignore = ["division_code", "valid_from"], {"doubts"}
    elif dataset == "indicators":
        key = ["unit_month", "lane", "indicator_code"]
        ignore = {"subject_name", "indicator_name", "subject_code", "doubts", "slot"}
    else:
        key, ignore = ["unit_month", "lane"], {"reported_code", "reported_name", "doubts", "slot"}
    # Most rows share their key with no other row at all: one pass over whole numbers sorts these out.
    shared = slots.shared(rows.get_column("slot")) if slots else rows.get_column(key[0]).is_duplicated()
    if shared is None or not shared.any():
        return rows
    repeated = rows.filter(shared)
    numbered = tables.select("table_no", file_no=pl.col("submission_id").rank("dense").cast(pl.Int32))
    frame = repeated.join(numbered, on="table_no", how="left")
    full_key = ["file_no", *key]
    again = frame.select(pl.struct(full_key).is_duplicated()).to_series()
    if not again.any():
        return rows
    group = frame.filter(again).sort("table_no", "row_number")
    figures = [c for c in group.columns if c not in {*KEY, *full_key, *ignore}]
    group = group.with_columns(
        variants=pl.struct(figures).n_unique().over(full_key) if figures else pl.lit(1),
        place=pl.int_range(pl.len()).over(full_key),
    )
    verdicts.repeated.append(group.filter((pl.col("variants") == 1) & (pl.col("place") > 0)).select(KEY))
    clash = group.filter(pl.col("variants") > 1)
    if clash.height:
        sheets = dict(tables.select("table_no", "sheet").iter_rows())
        unit_key, month_key = (
            ("unit_code", "month") if "unit_code" in rows.columns else ("division_code", "valid_from")
        )
        code_column = "reported_code" if "reported_code" in rows.columns else unit_key
        found: list[tuple[Any, ...]] = []
        places: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
        width = len(full_key) + 2
        for row in clash.select(
            *full_key, pl.col(unit_key).alias("unit"), pl.col(month_key).alias("since"), *KEY
        ).iter_rows():
            places.setdefault(row[:width], []).append(row[width:])
        for values_, group_places in places.items():
            code, month = str(values_[-2]), values_[-1] if unit_key == "unit_code" else None
            for number, row_number in group_places:
                others = [
                    (f"{sheets.get(n)} " if sheets.get(n) else "") + f"第 {r} 行"
                    for n, r in group_places
                    if (n, r) != (number, row_number)
                ]
                texts = {
                    "unit": f"{units.name(code)}（{code}）" if units else code,
                    "month": f"{month:%Y-%m}" if isinstance(month, date) else "",
                    "other": "、".join(others[:3]),
                }
                found.append(
                    (number, row_number, code_column, code, "R14", json.dumps(texts, ensure_ascii=False))
                )
        verdicts.rejected.append(_verdicts(found))
    gone = group.filter((pl.col("variants") > 1) | (pl.col("place") > 0))
    return _without(rows, gone)


# --- notes and doubts ---------------------------------------------------------------------------------------------


def _note(rows: pl.DataFrame, noted: pl.DataFrame) -> pl.DataFrame:
    """Add to a row's doubts what reading noted of its figures."""
    if noted.height == 0:
        return rows
    notes = noted.select(*KEY, "code").unique().sort(*KEY, "code")
    notes = notes.group_by(KEY, maintain_order=True).agg(notes=pl.col("code").str.join(";"))
    joined = rows.join(notes, on=KEY, how="left", maintain_order="left")
    doubts = pl.concat_str("doubts", "notes", separator=";", ignore_nulls=True)
    return joined.with_columns(
        doubts=pl.when(pl.col("notes").is_null()).then("doubts").otherwise(doubts)
    ).drop("notes")


def _blank(rows: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """The rows without the figures that are held cell by cell."""
    for name in cells.get_column("column").unique(maintain_order=True):
        mine = cells.filter(pl.col("column") == name).select(*KEY, is_held=pl.lit(value=True))
        marked = rows.join(mine, on=KEY, how="left", maintain_order="left")
        rows = marked.with_columns(
            pl.when(pl.col("is_held").is_null()).then(pl.col(c)).alias(c)
            for c in (name, f"{name}_precision")
            if c in rows.columns
        ).drop("is_held")
    return rows


def _doubt(
    dataset: str, rows: pl.DataFrame, held: pl.DataFrame, tables: pl.DataFrame, slots: Slots | None
) -> pl.DataFrame:
    """Mark rows whose figures do not fit together. They are used all the same: the sender is told."""
    if slots is None or rows.height == 0:
        return rows
    found: dict[str, pl.Expr] = {}
    if dataset == "budget":
        budget = pl.coalesce("adjusted_budget_cny", "initial_budget_cny") + pl.col(
            "carried_over_cny"
        ).fill_null(0)
        found["D41"] = unlisted()
        found["D44"] = beyond_the_whole()
        found["D06"] = pl.col("spent_cumulative_cny") > pl.col("disbursed_cumulative_cny")
        found["D07"] = pl.col("disbursed_cumulative_cny") > budget
    if dataset == "population":
        # Written in 万人 with two places or fewer: the tier of a township near an edge is not certain.
        found["D63"] = pl.col("population_persons_precision") >= 100
    if dataset == "staffing":
        found["D08"] = pl.col("villages_with_assistant_count") > pl.col("villages_count")
    frame = rows
    if dataset in ("budget", "population"):
        frame, across = _across_months(dataset, rows, held, tables, slots)
        found |= across
    conditions = (condition.fill_null(value=False).alias(code) for code, condition in found.items())
    for mark in frame.lazy().select(conditions).collect(engine="streaming"):
        if mark.any():
            more = pl.concat_str("doubts", pl.lit(mark.name), separator=";", ignore_nulls=True)
            rows = rows.with_columns(doubts=pl.when(mark).then(more).otherwise("doubts"))
    if dataset != "indicators":
        measures = [c.name for c in ALL_DATASETS[dataset].measures]
        left_blank = blanked(rows, tables, slots, measures)
        rows = rows if left_blank is None else _marked(rows, "D40", left_blank)
    return rows


def _counting(rows: pl.DataFrame, held: pl.DataFrame, tables: pl.DataFrame, slots: Slots) -> pl.Series:
    """The numbers of the rows that count, those of a unit and month in the order in which one replaces another."""
    numbered = rows.select(*KEY, "slot").with_row_index("at")
    numbered = _without(numbered, held)
    shared = slots.shared(numbered.get_column("slot"))
    at = numbered.get_column("at")
    if shared is None:
        return at
    rank = tables.select("table_no", "precedence")
    several = numbered.filter(shared).join(rank, on="table_no", how="left").sort("precedence", "at")
    return pl.concat([at.filter(~shared), several.get_column("at")])


def _across_months(
    dataset: str, rows: pl.DataFrame, held: pl.DataFrame, tables: pl.DataFrame, slots: Slots
) -> tuple[pl.DataFrame, dict[str, pl.Expr]]:
    """Conditions that compare a row with the row that counts for the month before."""
    if dataset == "budget":
        need = ["disbursed_month_cny", "disbursed_cumulative_cny", "spent_month_cny", "spent_cumulative_cny"]
        carried = ["disbursed_cumulative_cny", "spent_cumulative_cny"]
    else:
        need = ["births_persons", "deaths_persons", "moved_in_persons", "moved_out_persons"]
        carried = ["population_persons"]
    if rows.select(pl.all_horizontal(pl.col(c).is_null().all() for c in need)).item():
        return rows, {}
    before = slots.before(rows.get_column("slot"), _counting(rows, held, tables, slots))
    frame = rows.with_columns(rows.get_column(c).gather(before).alias(f"before_{c}") for c in carried)
    if dataset == "population":
        expected = (
            pl.col("before_population_persons")
            + pl.col("births_persons")
            - pl.col("deaths_persons")
            + pl.col("moved_in_persons")
            - pl.col("moved_out_persons")
        )
        return frame, {"D05": pl.col("population_persons") != expected}
    wrong = pl.lit(value=False)
    for kind in ("disbursed", "spent"):
        start = (
            pl.when(pl.col("month").dt.month() == 1)
            .then(pl.lit(0).cast(pl.Decimal(18, 2)))
            .otherwise(pl.col(f"before_{kind}_cumulative_cny"))
        )
        expected = start + pl.col(f"{kind}_month_cny")
        wrong = wrong | (pl.col(f"{kind}_cumulative_cny") != expected).fill_null(value=False)
    return frame, {"D04": wrong}


# --- build inputs ---------------------------------------------------------------------------------------


def _provide(dataset: str, rows: pl.DataFrame, held: pl.DataFrame, tables: pl.DataFrame) -> pl.DataFrame:
    """Rows as the build input has them, validated by the contract's schema."""
    contract = ALL_DATASETS[dataset]
    frame = rows
    if "unit_code" in frame.columns:
        target = "subject_code" if dataset == "indicators" else "township_code"
        frame = frame.drop("subject_code", strict=False) if dataset == "indicators" else frame
        frame = frame.rename({"unit_code": target})
    elif "township_code" in contract.polars_schema():
        frame = frame.with_columns(township_code=pl.lit(None, pl.String))
    if held.height:
        marks = held.select(*KEY, row_status=pl.lit("held")).unique()
        frame = frame.join(marks, on=KEY, how="left", maintain_order="left").with_columns(
            pl.col("row_status").fill_null("accepted")
        )
    else:
        frame = frame.with_columns(row_status=pl.lit("accepted"))
    frame = frame.join(
        tables.select("table_no", "submission_id", "sheet", "precedence"),
        on="table_no",
        how="left",
        maintain_order="left",
    )
    schema = contract.polars_schema()
    ready = frame.select("table_no", *(pl.col(n).cast(t) for n, t in schema.items()))
    contract.schema.validate(ready.drop("table_no"))
    return ready


def _places(rows: pl.DataFrame, slots: Slots | None) -> pl.DataFrame:
    shared = slots.shared(rows.get_column("slot")) if slots else None
    return rows.select("table_no", "unit_month", is_shared=pl.lit(value=False) if shared is None else shared)


# --- accounting -----------------------------------------------------------------------------------------


def _account(
    out: Judged,
    landed: Landed,
    ledger: pl.DataFrame,
    tables: pl.DataFrame,
    verdicts: _Verdicts,
    unusable: pl.DataFrame,
) -> None:
    rejected = pl.concat([_verdicts(()), *(v.cast(pl.Schema(VERDICT_SCHEMA)) for v in verdicts.rejected)])
    held = pl.concat([_verdicts(()), *verdicts.held])
    repeated = pl.concat([pl.DataFrame(schema={k: VERDICT_SCHEMA[k] for k in KEY}), *verdicts.repeated])
    usable = tables.join(unusable, on="table_no", how="anti", maintain_order="left")
    counts = (
        usable.select("table_no", "submission_id", "dataset", "rows_data", "rows_ignored")
        .join(_count(rejected, "rejected"), on="table_no", how="left")
        .join(_count(repeated, "repeated"), on="table_no", how="left")
    )
    stated: list[pl.DataFrame] = []
    months: list[pl.DataFrame] = []
    for frame in out.rows.values():
        stated.append(frame.group_by("table_no").agg(pl.len().cast(pl.Int64).alias("used")))
        if "month" in frame.columns:
            months.append(
                frame.group_by("table_no").agg(
                    pl.col("month").min().alias("month_from"), pl.col("month").max().alias("month_to")
                )
            )
    counts = counts.join(pl.concat(stated), on="table_no", how="left")
    counts = counts.join(pl.concat(months), on="table_no", how="left")
    # A row with a figure that waits for confirmation counts as held, also where the rest of it is used.
    counts = counts.join(_count(held, "held"), on="table_no", how="left")
    counts = counts.with_columns(pl.col("rejected", "repeated", "used", "held").fill_null(0))
    counts = counts.with_columns(accepted=pl.col("used") - pl.col("held"))
    wrong = counts.filter(
        pl.col("rows_data") != pl.col("accepted") + pl.col("held") + pl.col("rejected") + pl.col("repeated")
    )
    if wrong.height:
        first = wrong.row(0, named=True)
        raise Unbalanced(
            f"内部错误：报送文件 {first['submission_id']} 的 {first['dataset']} 表读到 {first['rows_data']} 行，"
            f"但入库 {first['accepted']}、待确认 {first['held']}、退回 {first['rejected']}、忽略 {first['repeated']} 行，"
            "合计不等；请把该文件交给系统管理员。"
        )
    per_file = counts.group_by("submission_id").agg(
        pl.col("dataset").unique().sort().str.join(",").alias("dataset"),
        (pl.col("rows_data") + pl.col("rows_ignored")).sum().alias("rows_read"),
        pl.col("accepted", "held", "rejected").sum(),
        (pl.col("rows_ignored") + pl.col("repeated")).sum().alias("ignored"),
        pl.col("month_from").min(),
        pl.col("month_to").max(),
    )
    out.rejected = _rejected_rows(landed, tables, rejected, held, per_file)
    out.submissions = _submissions(landed, ledger, tables, per_file, unusable, out.rejected)
    out.rows = {d: f.drop("table_no") for d, f in out.rows.items()}


def _count(verdicts: pl.DataFrame, name: str) -> pl.DataFrame:
    return verdicts.select(KEY).unique().group_by("table_no").agg(pl.len().cast(pl.Int64).alias(name))


def _rejected_rows(
    landed: Landed, tables: pl.DataFrame, rejected: pl.DataFrame, held: pl.DataFrame, per_file: pl.DataFrame
) -> pl.DataFrame:
    where = {
        r[0]: r[1:]
        for r in tables.select("table_no", "submission_id", "sheet", "dataset", "powers").iter_rows()
    }
    rows: list[tuple[Any, ...]] = []
    for frame, disposition in ((rejected, "rejected"), (held, "held")):
        for number, row_number, column, value, code, found in frame.sort(
            *KEY, "column", nulls_last=True
        ).iter_rows():
            submission_id, sheet, dataset, powers = where[number]
            contract_column = ALL_DATASETS[dataset].columns.get(column) if column else None
            title = contract_column.title_zh if contract_column else None
            message = CATALOGUE[code]
            texts = {"column": title, "value": value, **(json.loads(found) if found else {})}
            power = json.loads(powers).get(column) if powers and disposition == "held" else None
            if power and contract_column and contract_column.unit:
                value, texts["value"] = in_senders_unit(value, power, contract_column.unit)
            rows.append(
                (
                    submission_id,
                    sheet,
                    row_number,
                    title,
                    value,
                    code,
                    message.fill(**texts),
                    message.remedy_zh,
                    disposition,
                )
            )
    counted = set(per_file["submission_id"])
    for submission_id, _, sheet, _, code, found, numbers, _ in landed.refusals.iter_rows():
        if submission_id not in counted:
            continue
        message = CATALOGUE[code]
        text = message.fill(**json.loads(found))
        rows.extend(
            (submission_id, sheet, n, None, None, code, text, message.remedy_zh, "rejected") for n in numbers
        )
    return pl.DataFrame(rows, schema=REJECTED_SCHEMA, orient="row")


def _submissions(
    landed: Landed,
    ledger: pl.DataFrame,
    tables: pl.DataFrame,
    per_file: pl.DataFrame,
    unusable: pl.DataFrame,
    rejected: pl.DataFrame,
) -> pl.DataFrame:
    counts = {r["submission_id"]: r for r in per_file.iter_rows(named=True)}
    files = {r["submission_id"]: r for r in landed.files.iter_rows(named=True)}
    refusals: dict[str, list[dict[str, Any]]] = {}
    for refusal in landed.refusals.iter_rows(named=True):
        refusals.setdefault(refusal["submission_id"], []).append(refusal)
    said = {
        r[0]: r[1:]
        for r in tables.group_by("submission_id")
        .agg(
            pl.col("is_correction").any(),
            pl.col("filed_on").max(),
            pl.col("dataset").unique().sort().str.join(","),
        )
        .iter_rows()
    }
    waiting = set(tables.join(unusable, on="table_no", how="semi")["submission_id"])
    reasons: dict[str, str] = {}
    for submission_id, code in (
        rejected.group_by("submission_id", "error_code")
        .len()
        .sort("len", "error_code")
        .select("submission_id", "error_code")
        .iter_rows()
    ):
        reasons[submission_id] = CATALOGUE[code].title_zh
    totals: dict[str, list[str]] = {}
    for submission_id, sheet, problem in (
        tables.select("submission_id", "sheet", "total_problem").drop_nulls("total_problem").iter_rows()
    ):
        totals.setdefault(submission_id, []).append((f"“{sheet}”" if sheet else "") + problem)
    noticed: dict[str, str] = {}
    for submission_id, code, found in landed.notices.select("submission_id", "code", "found").iter_rows():
        text = CATALOGUE[code].fill(**json.loads(found))
        noticed[submission_id] = noticed.get(submission_id, "") + text
    others = dict(
        tables.drop_nulls("other_titles")
        .group_by("submission_id", maintain_order=True)
        .agg(pl.col("other_titles").unique(maintain_order=True).str.join("、"))
        .iter_rows()
    )
    rows: list[dict[str, Any]] = []
    copies: dict[str, int] = {}
    for entry in (
        ledger.sort("arrival_seq", "file_name")
        .sort("is_first", descending=True, maintain_order=True)
        .iter_rows(named=True)
    ):
        base = entry["sha256"][:16]
        correction, filed_on, dataset = said.get(base, (False, None, None))
        row: dict[str, Any] = dict.fromkeys(SUBMISSION_SCHEMA) | {
            "submission_id": base,
            "file_name": entry["file_name"],
            "sha256": entry["sha256"],
            "dataset": dataset,
            "received_at": entry["received_at"],
            "is_correction": bool(correction),
            "filed_on": filed_on,
            "arrival_seq": entry["arrival_seq"],
            **dict.fromkeys(("rows_read", "rows_accepted", "rows_held", "rows_rejected", "rows_ignored"), 0),
        }
        if not entry["is_first"]:
            copies[base] = copies.get(base, 1) + 1
            first = ledger.filter((pl.col("sha256") == entry["sha256"]) & pl.col("is_first"))[
                "file_name"
            ].item()
            row |= {
                "submission_id": f"{base}-{copies[base]}",
                "status": "duplicate",
                "message_zh": f"与“{first}”内容完全相同，不重复入库。",
                "what_to_do_zh": "无需处理。",
            }
        elif base in counts:
            row |= _outcome(counts[base], refusals.get(base, []), reasons.get(base, ""))
            if base in totals:
                message = CATALOGUE["D11"]
                row["message_zh"] += f"{message.title_zh}：{'；'.join(totals[base][:3])}。"
                row["what_to_do_zh"] = row["what_to_do_zh"].replace("无需处理。", "") + message.remedy_zh
            row["message_zh"] += noticed.get(base, "")
            if base in others:
                row["message_zh"] += CATALOGUE["D42"].fill(columns=others[base])
        elif base in waiting:
            row |= {"status": "refused"} | _message("F11", {})
        else:
            row |= {"status": "refused"} | _refusal(files.get(base), refusals.get(base, []))
            if row["dataset"] is None and refusals.get(base):
                row["dataset"] = refusals[base][0]["dataset"]
        rows.append(row)
    return pl.DataFrame(rows, schema=SUBMISSION_SCHEMA, orient="row").sort("arrival_seq", "file_name")


def _message(code: str, found: dict[str, Any]) -> dict[str, str]:
    message = CATALOGUE[code]
    return {"error_code": code, "message_zh": message.fill(**found), "what_to_do_zh": message.remedy_zh}


def _refusal(file: dict[str, Any] | None, refusals: list[dict[str, Any]]) -> dict[str, str]:
    if file is not None and file["error_code"] is not None:
        return _message(file["error_code"], json.loads(file["error_found"]))
    if refusals:
        return _message(refusals[0]["code"], json.loads(refusals[0]["found"]))
    return _message("F05", {"detail": ""})


def _unread(refusals: list[dict[str, Any]]) -> str:
    """Sheets or members of an archive that hold no rows to list: named in the file's own line."""
    if not refusals:
        return ""
    first = refusals[0]
    where = f"“{first['sheet']}”" if first["sheet"] else "一张表"
    text = CATALOGUE[first["code"]].fill(**json.loads(first["found"]))
    more = f"；另有 {len(refusals) - 1} 处" if len(refusals) > 1 else ""
    return f"{where}未能读取：{text}{more}"


def _outcome(counts: dict[str, Any], refusals: list[dict[str, Any]], reason: str) -> dict[str, Any]:
    refused_rows = sum(len(r["rows"]) for r in refusals)
    refused_ignored = sum(r["rows_ignored"] for r in refusals)
    read = counts["rows_read"] + refused_rows + refused_ignored
    accepted, held = counts["accepted"], counts["held"]
    rejected, ignored = counts["rejected"] + refused_rows, counts["ignored"] + refused_ignored
    if read != accepted + held + rejected + ignored:
        raise Unbalanced(f"内部错误：报送文件 {counts['submission_id']} 行数不平，请把该文件交给系统管理员。")
    row: dict[str, Any] = {
        "rows_read": read,
        "rows_accepted": accepted,
        "rows_held": held,
        "rows_rejected": rejected,
        "rows_ignored": ignored,
        "dataset": counts["dataset"],
        "month_from": counts["month_from"],
        "month_to": counts["month_to"],
    }
    data_rows = accepted + held + rejected
    unread = _unread([r for r in refusals if not r["rows"]])
    if data_rows == 0:
        return row | {"status": "refused"} | _message("F08", {})
    if accepted + held == 0:
        return row | {"status": "refused"} | _message("F13", {"rows": data_rows, "detail": reason})
    if rejected or held:
        parts = [f"读到 {data_rows} 行，入库 {accepted} 行"]
        parts += [f"待确认 {held} 行"] if held else []
        parts += [f"退回 {rejected} 行"] if rejected else []
        return row | {
            "status": "partial",
            "message_zh": "，".join(parts) + f"（最多的是：{reason}）。" + unread,
            "what_to_do_zh": "请按逐行的说明核对、更正后重新报送这些行。",
        }
    if unread:
        return row | {
            "status": "partial",
            "message_zh": f"{accepted} 行入库。{unread}",
            "what_to_do_zh": "请按说明更正未能读取的部分后重新报送。",
        }
    return row | {
        "status": "accepted",
        "message_zh": f"{accepted} 行全部入库。",
        "what_to_do_zh": "无需处理。",
    }
