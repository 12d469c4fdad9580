"""Whole-of-data judgement of landed rows: which unit, repeated within a file, off by a factor, inconsistent.

Everything is judged anew on every run from all that ever landed, so that nothing depends on the order in which
files arrived, except precedence where the files themselves leave it open.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from oversight.contracts import ALL_DATASETS
from oversight.intake.judging.accounting import account
from oversight.intake.judging.as_read import as_read, landed_rows
from oversight.intake.judging.correcting import confirm, correct
from oversight.intake.judging.corrections import PREFIX, CorrectionFile
from oversight.intake.judging.desk import CorrectionDesk
from oversight.intake.judging.divisions import with_parents
from oversight.intake.judging.doubting import doubt, note
from oversight.intake.judging.holding import hold
from oversight.intake.judging.identity import Units, winners
from oversight.intake.judging.judged import Judged
from oversight.intake.judging.lanes import sources_of, with_lanes
from oversight.intake.judging.payment_lists import coverage, with_months
from oversight.intake.judging.placing import identify
from oversight.intake.judging.precedence import with_precedence
from oversight.intake.judging.providing import places, provide
from oversight.intake.judging.repeats import repeats
from oversight.intake.judging.reviewed import looked_into, sent_back
from oversight.intake.judging.verdicts import KEY, VERDICT_SCHEMA, Verdicts, as_verdicts, blank
from oversight.intake.landed import Landed
from oversight.intake_messages import CELL_BY_CELL
from oversight.references import References, load_references

# What is reported of units; lists of payments are placed like reports, and the models add them up by month.
_OF_UNITS = ("population", "budget", "staffing", "indicators", "payments")


def judge(
    landed: Landed,
    ledger: pl.DataFrame,
    corrections: list[CorrectionFile] | None = None,
    references: References | None = None,
    *,
    letting_go: bool = False,
) -> Judged:
    """Judge all landed rows, with the analyst's corrections and confirmations applied.

    `references`: the funds and sources of reports that hold for the data folder; the project's own where none is given.
    `letting_go`: the landed rows of a dataset are taken out of `landed` once they are judged, so that rows as they were
    read and as they are used are not all in memory at once.
    """
    references = references or load_references()
    out, verdicts = Judged(references=references), Verdicts()
    # Correction files are in the ledger too, but they correct; they do not report.
    reported = ledger.filter(~pl.col("file_name").str.starts_with(PREFIX))
    present = {c.file.sha256 for c in corrections or []}
    correcting = ledger.filter(pl.col("sha256").is_in(list(present)) & pl.col("is_first"))
    tables = sources_of(with_precedence(landed.tables, reported), reported, references)
    desk = CorrectionDesk(corrections or [], tables)
    tables = pl.concat([tables, desk.tables], how="diagonal")
    returned = {name: sent_back(desk, name, landed_rows(landed, name), tables) for name in ALL_DATASETS}

    # The units come first: everything else is judged by them.
    divisions = as_read(landed, tables, "divisions", returned["divisions"])
    changes = as_read(landed, tables, "division_changes", returned["division_changes"])
    verdicts.rejected.append(divisions.rejected)
    listed = repeats("divisions", with_parents(divisions.rows), tables, None, None, verdicts)
    verdicts.rejected.append(changes.rejected)
    changed = changes.rows.with_columns(doubts=pl.lit(None, pl.String))
    out.rows["divisions"] = provide("divisions", listed, as_verdicts(()), tables)
    out.rows["division_changes"] = provide("division_changes", changed, as_verdicts(()), tables)
    units = Units(winners(out.rows["divisions"]), changed)

    for dataset in _OF_UNITS:
        read = as_read(landed, tables, dataset, returned[dataset], usable=bool(units))
        verdicts.rejected.append(read.rejected)
        named = landed_rows(landed, dataset).select(f"^({'|'.join((*KEY, 'month', 'reported_code'))})$")
        # Handed on and not held here, so that what is left of it need not be in memory beside it.
        handed = [with_months(read.rows) if dataset == "payments" else read.rows]
        read = replace(read, rows=read.rows.clear())
        if letting_go:
            landed.rows.pop(dataset, None)
        rows, slots = identify(dataset, with_lanes(handed.pop(), tables, references), tables, units, verdicts)
        rows = repeats(dataset, rows, tables, units, slots, verdicts)
        held = confirm(desk, dataset, rows, hold(dataset, rows, read.unsure, units))
        verdicts.held.append(held)
        # Some figures are held alone: the rest of their row is used.
        cells = held.filter(pl.col("code").is_in(CELL_BY_CELL))
        held = held.filter(~pl.col("code").is_in(CELL_BY_CELL))
        rows = note(rows, pl.concat([read.noted.cast(pl.Schema(VERDICT_SCHEMA)), cells]))
        doubts = doubt(dataset, blank(rows, cells), held, tables, slots).get_column("doubts")
        corrected = correct(desk, dataset, rows.with_columns(doubts), held, tables)
        applied = looked_into(desk, dataset, corrected, tables)
        if slots and applied.height > rows.height:
            # A corrected version shares the place of the one it corrects.
            slots = replace(slots, is_single=False)
        out.rows[dataset] = provide(dataset, blank(applied, cells), held, tables)
        if dataset == "payments":
            out.covered = coverage(applied, tables, units) if units else out.covered
        else:
            out.places[dataset] = places(applied, slots)
            out.tried[dataset] = _refused(named, verdicts)

    verdicts.rejected.append(desk.refused())
    out.tables = desk.counted(tables)
    unusable = tables if not units else tables.clear()
    unusable = unusable.filter(pl.col("dataset").is_in(_OF_UNITS)).select("table_no")
    account(
        out,
        landed,
        pl.concat([reported, correcting]).unique(maintain_order=True),
        out.tables,
        verdicts,
        unusable,
    )
    return out


def _refused(rows: pl.DataFrame, verdicts: Verdicts) -> pl.DataFrame:
    """Those of the rows that are refused."""
    refused = pl.concat([as_verdicts(()).select(KEY), *(frame.select(KEY) for frame in verdicts.rejected)])
    return rows.join(refused, on=KEY, how="semi", maintain_order="left")
