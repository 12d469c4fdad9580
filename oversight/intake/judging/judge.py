"""Whole-of-data judgement of landed rows: which unit, repeated within a file, off by a factor, inconsistent.

Everything is judged anew on every run from all that ever landed, so that nothing depends on the order in which
files arrived, except precedence where the files themselves leave it open.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import polars as pl

from oversight.contracts import ALL_DATASETS
from oversight.intake.judging.accounting import account
from oversight.intake.judging.corrections import PREFIX, CorrectionFile
from oversight.intake.judging.desk import CorrectionDesk
from oversight.intake.judging.doubting import blank, doubt, marked, note
from oversight.intake.judging.identity import Units, winners
from oversight.intake.judging.judged import Judged
from oversight.intake.judging.lanes import each, sources_of, unlisted, with_lanes
from oversight.intake.judging.payment_lists import (
    coverage,
    outside,
    prepared,
    same_again,
)
from oversight.intake.judging.periods import periods
from oversight.intake.judging.placing import identify
from oversight.intake.judging.precedence import Arrival, ranks
from oversight.intake.judging.scale import hold
from oversight.intake.judging.slots import Slots
from oversight.intake.judging.verdicts import KEY, VERDICT_SCHEMA, Verdicts, as_verdicts, without
from oversight.intake.judging.zeros import CELL_BY_CELL, zeros
from oversight.intake.landed import Landed, row_schema
from oversight.references import References, load_references


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
    verdicts = Verdicts()
    divisions = _divisions(landed, tables, verdicts, desk)
    out.rows["divisions"] = divisions
    changes, errors = parsed(landed, tables, "division_changes", desk)
    verdicts.rejected.append(errors)
    changes = without(changes, errors).with_columns(doubts=pl.lit(None, pl.String))
    out.rows["division_changes"] = provide("division_changes", changes, as_verdicts(()), tables)
    units = Units(winners(divisions), changes)
    unusable = pl.DataFrame(schema={"table_no": pl.Int32})
    for dataset in ("population", "budget", "staffing", "indicators"):
        rows, errors = parsed(landed, tables, dataset, desk)
        if not units:
            unusable = pl.concat([unusable, tables.filter(pl.col("dataset") == dataset).select("table_no")])
            rows, errors = rows.clear(), errors.clear()
        # A note on a figure that is used all the same.
        noted = errors.filter(pl.col("code").str.starts_with("D"))
        unsure = errors.filter(pl.col("code").str.starts_with("H"))
        errors = errors.filter(~pl.col("code").str.contains("^[DH]"))
        verdicts.rejected.append(errors)
        rows = with_lanes(without(rows, errors), tables, references)
        rows, slots = identify(dataset, rows, tables, units, verdicts)
        rows = repeats(dataset, rows, tables, units, slots, verdicts)
        held = each(rows, "fund_code", partial(hold, dataset)) if dataset != "indicators" else as_verdicts(())
        held = pl.concat(
            [
                held,
                each(rows, "lane", partial(zeros, dataset, units.first_codes)),
                periods(dataset, rows, unsure),
            ]
        ).unique([*KEY, "column"], keep="first", maintain_order=True)
        held = desk.confirm(dataset, rows, held)
        verdicts.held.append(held)
        cells = held.filter(pl.col("code").is_in(CELL_BY_CELL))
        held = held.filter(~pl.col("code").is_in(CELL_BY_CELL))
        rows = note(rows, pl.concat([noted.cast(pl.Schema(VERDICT_SCHEMA)), cells]))
        rows = rows.with_columns(doubt(dataset, blank(rows, cells), held, tables, slots).get_column("doubts"))
        reported_count = rows.height
        rows = desk.verified(dataset, blank(desk.correct(dataset, rows, held, tables), cells), tables)
        if slots and rows.height > reported_count:
            # A corrected version shares the place of the one it corrects.
            slots = replace(slots, is_single=False)
        out.rows[dataset] = provide(dataset, rows, held, tables)
        out.places[dataset] = places(rows, slots)
    unusable = _judge_payments(out, landed, tables, units, verdicts, unusable, desk)
    verdicts.rejected.append(desk.refused())
    tables = desk.counted(tables)
    out.tables = tables
    account(out, landed, ledger, tables, verdicts, unusable)
    return out


def _judge_payments(
    out: Judged,
    landed: Landed,
    tables: pl.DataFrame,
    units: Units,
    verdicts: Verdicts,
    unusable: pl.DataFrame,
    desk: CorrectionDesk,
) -> pl.DataFrame:
    """Lists of payments: placed row by row and kept voucher by voucher; the models add them up by month."""
    rows, errors = parsed(landed, tables, "payments", desk)
    if not units:
        unusable = pl.concat([unusable, tables.filter(pl.col("dataset") == "payments").select("table_no")])
        rows, errors = rows.clear(), errors.clear()
    noted = errors.filter(pl.col("code").str.starts_with("D"))
    errors = errors.filter(~pl.col("code").str.starts_with("D"))
    verdicts.rejected.append(errors)
    rows = with_lanes(prepared(without(rows, errors)), tables, out.references)
    rows, _ = identify("payments", rows, tables, units, verdicts)
    again = same_again(rows, tables)
    verdicts.repeated.append(again)
    rows = note(without(rows, again), noted)
    rows = marked(rows, "D41", rows.select(unlisted()).to_series())
    beyond = outside(rows, tables)
    rows = note(rows, beyond.with_columns(code=pl.lit("D47")))
    rows = desk.verified("payments", rows, tables)
    out.rows["payments"] = provide("payments", rows, as_verdicts(()), tables)
    out.covered = coverage(rows, tables, units) if units else out.covered
    return unusable


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


def parsed(
    landed: Landed, tables: pl.DataFrame, dataset: str, desk: CorrectionDesk
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Landed rows of a dataset and the errors that reading them gave, as verdicts; of a row that a reviewer sent back
    that is all there is to say."""
    rows = landed.rows.get(dataset, pl.DataFrame(schema=row_schema(dataset)))
    numbers = tables.filter(pl.col("dataset") == dataset).select("table_no")
    errors = landed.errors.join(numbers, on="table_no", how="semi")
    errors = errors.with_columns(found=pl.lit(None, pl.String)).select(VERDICT_SCHEMA.keys())
    returned = desk.returned(dataset, rows, tables)
    if returned.height:
        errors = pl.concat([without(errors, returned).cast(pl.Schema(VERDICT_SCHEMA)), returned])
    return rows, errors


def _divisions(
    landed: Landed, tables: pl.DataFrame, verdicts: Verdicts, desk: CorrectionDesk
) -> pl.DataFrame:
    rows, errors = parsed(landed, tables, "divisions", desk)
    verdicts.rejected.append(errors)
    rows = without(rows, errors)
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
    rows = repeats("divisions", rows, tables, None, None, verdicts)
    return provide("divisions", rows, as_verdicts(()), tables)


def repeats(
    dataset: str,
    rows: pl.DataFrame,
    tables: pl.DataFrame,
    units: Units | None,
    slots: Slots | None,
    verdicts: Verdicts,
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
        verdicts.rejected.append(as_verdicts(found))
    gone = group.filter((pl.col("variants") > 1) | (pl.col("place") > 0))
    return without(rows, gone)


def provide(dataset: str, rows: pl.DataFrame, held: pl.DataFrame, tables: pl.DataFrame) -> pl.DataFrame:
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


def places(rows: pl.DataFrame, slots: Slots | None) -> pl.DataFrame:
    shared = slots.shared(rows.get_column("slot")) if slots else None
    return rows.select("table_no", "unit_month", is_shared=pl.lit(value=False) if shared is None else shared)
