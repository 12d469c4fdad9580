"""Doubts noted beside rows that are used all the same: figures of one row or of two months that do not fit."""

from __future__ import annotations

import polars as pl

from oversight.contracts import ALL_DATASETS
from oversight.intake.judging.slots import Slots
from oversight.intake.judging.verdicts import KEY, without
from oversight.references import UNLISTED


def note(rows: pl.DataFrame, noted: pl.DataFrame) -> pl.DataFrame:
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


def doubt(
    dataset: str, rows: pl.DataFrame, held: pl.DataFrame, tables: pl.DataFrame, slots: Slots | None
) -> pl.DataFrame:
    """Mark rows whose figures do not fit together. They are used all the same: the sender is told.

    `held`: the rows that do not count for the month after them.
    """
    if slots is None or rows.height == 0:
        return rows
    found: dict[str, pl.Expr] = {}
    if dataset == "budget":
        budget = pl.coalesce("adjusted_budget_cny", "initial_budget_cny") + pl.col(
            "carried_over_cny"
        ).fill_null(0)
        found["D41"] = _unlisted()
        found["D44"] = _beyond_the_whole()
        found["D06"] = pl.col("spent_cumulative_cny") > pl.col("disbursed_cumulative_cny")
        found["D07"] = pl.col("disbursed_cumulative_cny") > budget
    if dataset == "population":
        # Written in 万人 with two places or fewer: the tier of a township near an edge is not certain.
        found["D63"] = pl.col("population_persons_precision") >= 100
    if dataset == "staffing":
        found["D08"] = pl.col("villages_with_assistant_count") > pl.col("villages_count")
    frame = rows
    if dataset == "payments":
        frame = rows.join(
            tables.select("table_no", "covers_from", "covers_to"),
            on="table_no",
            how="left",
            maintain_order="left",
        )
        found["D41"] = _unlisted()
        # The day lies outside the months that the list itself names.
        outside = (pl.col("month") < pl.col("covers_from")) | (pl.col("month") > pl.col("covers_to"))
        found["D47"] = pl.all_horizontal(pl.col("covers_from", "covers_to").is_not_null()) & outside
    if dataset in ("budget", "population"):
        frame, across = _across_months(dataset, rows, held, tables, slots)
        found |= across
    conditions = (condition.fill_null(value=False).alias(code) for code, condition in found.items())
    for mark in frame.lazy().select(conditions).collect(engine="streaming"):
        if mark.any():
            more = pl.concat_str("doubts", pl.lit(mark.name), separator=";", ignore_nulls=True)
            rows = rows.with_columns(doubts=pl.when(mark).then(more).otherwise("doubts"))
    if dataset not in ("indicators", "payments"):
        measures = [c.name for c in ALL_DATASETS[dataset].measures]
        left_blank = _blanked(rows, tables, slots, measures)
        rows = rows if left_blank is None else _marked(rows, "D40", left_blank)
    return rows


def _counting(rows: pl.DataFrame, held: pl.DataFrame, tables: pl.DataFrame, slots: Slots) -> pl.Series:
    """The numbers of the rows that count, those of a unit and month in the order in which one replaces another."""
    numbered = rows.select(*KEY, "slot").with_row_index("at")
    numbered = without(numbered, held)
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


def _marked(rows: pl.DataFrame, code: str, mark: pl.Series) -> pl.DataFrame:
    """Rows with a doubt added where `mark` holds."""
    if not mark.fill_null(value=False).any():
        return rows
    more = pl.concat_str("doubts", pl.lit(code), separator=";", ignore_nulls=True)
    return rows.with_columns(doubts=pl.when(mark).then(more).otherwise("doubts"))


def _blanked(rows: pl.DataFrame, tables: pl.DataFrame, slots: Slots, measures: list[str]) -> pl.Series | None:
    """Which rows leave blank a figure that the report they replace had; None where none does."""
    shared = slots.shared(rows.get_column("slot"))
    if shared is None:
        return None
    rank = tables.select("table_no", "precedence")
    several = rows.with_row_index("at").filter(shared).join(rank, on="table_no", how="left")
    several = several.sort("slot", "precedence", "at")
    lost = pl.any_horizontal(
        pl.col(name).is_null() & pl.col(name).shift(1).over("slot").is_not_null() for name in measures
    )
    at = several.filter(lost).get_column("at")
    if at.is_empty():
        return None
    return pl.repeat(value=False, n=rows.height, dtype=pl.Boolean, eager=True).scatter(at, True)


def _unlisted() -> pl.Expr:
    """Rows of a fund that no list names."""
    return pl.col("fund_code").str.starts_with(UNLISTED)


def _beyond_the_whole() -> pl.Expr:
    """Rows in which parts of a budget come to more than the budget (with what was carried over, where it is part of it)."""
    budget = pl.coalesce("adjusted_budget_cny", "initial_budget_cny")
    whole = budget + pl.col("carried_over_cny").fill_null(0)
    by_origin = pl.sum_horizontal("from_above_cny", "own_cny", ignore_nulls=True)
    by_use = pl.sum_horizontal("personnel_cny", "office_cny", ignore_nulls=True)
    return (by_origin > whole) | (by_use > whole)
