"""What was taken in before says about a column that is asked about: how near its figures are to those of another month.

It is told to whoever answers, and settles nothing by itself: a file is read as its own words and figures have it, in
whatever order files came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from oversight.contracts import ALL_DATASETS
from oversight.intake.gathering import parse
from oversight.intake.landed import Landed
from oversight.intake.questions import Answers
from oversight.intake.raw_files import RawFile
from oversight.intake.reading.text import plain

# Two figures of a township are near where they are so far apart at most: posts and budgets stay, people move a little.
NEAR = 0.02


def with_likeness(
    asked: Mapping[str, list[dict[str, Any]]], files: Iterable[RawFile], answers: Answers, history: Landed
) -> dict[str, list[dict[str, Any]]]:
    """The open questions of each file (`asked`, by submission) with `likeness_zh`: in how many rows of how many stands
    nearly the figure that was taken in of the same township for another month; None where nothing can be compared.

    The files are read once more, as if each question had been answered by what is proposed.
    """
    comparable = {n: [q for q in of if _stays(q)] for n, of in asked.items()}
    if not any(comparable.values()):
        return {n: [q | {"likeness_zh": None} for q in of] for n, of in asked.items()}
    supposed = {
        (q["sender"], q["layout"], q["dataset"], plain(q["heading"])): q["column"]
        for of in comparable.values()
        for q in of
    }
    todo = [file for file in files if comparable.get(file.submission_id)]
    read, _ = parse(todo, replace(answers, known={**answers.known, **supposed}))
    return {
        n: [q | {"likeness_zh": _likeness(read, n, q, history) if q in comparable[n] else None} for q in of]
        for n, of in asked.items()
    }


def _stays(question: Mapping[str, Any]) -> bool:
    """Whether a column holds nearly the same from month to month: posts, people, budgets, not what was paid or who came."""
    contract = ALL_DATASETS[question["dataset"]]
    column = contract.columns.get(question["column"])
    if column is None or not {"reported_code", "reported_name", "month"} <= contract.columns.keys():
        return False
    return column.kind in ("count", "money") and column.scale not in ("flow", "part")


def _likeness(read: Landed, submission_id: str, question: Mapping[str, Any], history: Landed) -> str | None:
    dataset, name = question["dataset"], question["column"]
    tables = read.tables.filter(submission_id=submission_id, dataset=dataset)
    mine = _figures(read.rows[dataset].join(tables.select("table_no"), on="table_no", how="semi"), name)
    before = _figures(history.rows[dataset], name)
    who = "reported_code" if mine["reported_code"].is_not_null().any() else "reported_name"
    key = [who, "fund_name"] if "fund_name" in mine.columns else [who]
    if who == "reported_name":
        # One that several townships bear says of none which figure is its.
        before = before.filter(pl.col("reported_code").n_unique().over(who) == 1)
    pairs = (
        mine.join(before, on=key, suffix="_before", nulls_equal=True)
        .filter(pl.col("month") != pl.col("month_before"))
        .sort((pl.col("month") - pl.col("month_before")).abs(), maintain_order=True)
        .unique([*key, "month"], keep="first", maintain_order=True)
    )
    if pairs.is_empty():
        return None
    gap = (pl.col("figure") - pl.col("figure_before")).abs()
    near = pairs.filter(gap <= NEAR * pl.col("figure_before").abs()).height
    months = pairs["month_before"].unique().sort()
    when = f"{months[0]:%Y-%m}" if len(months) == 1 else f"{months[0]:%Y-%m} 至 {months[-1]:%Y-%m}"
    verdict = "" if near * 2 > pairs.height else "，不像是这一列"
    return f"与已入库的 {when} 相比：可比的 {pairs.height} 行中 {near} 行相差不到 {NEAR:.0%}{verdict}"


def _figures(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Who, which month and what figure, of the rows that have one."""
    key = [k for k in ("reported_code", "reported_name", "fund_name") if k in rows.columns]
    return rows.select(*key, "month", pl.col(name).cast(pl.Float64).alias("figure")).drop_nulls(
        ["month", "figure"]
    )
