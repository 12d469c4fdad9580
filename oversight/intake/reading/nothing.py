"""What people write where there is nothing to report, and what each of these writings says.

无 or 零报告 is a report: nothing happened, nobody is there. A dash or a blank says nothing. What 无 means depends on the
column (`Column.nil`); a whole row or sheet of 零报告 says that nothing happened in the month and leaves what stands
(people, budgets, posts) unknown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from oversight.contracts import ALL_DATASETS, Column
from oversight.intake.reading import values
from oversight.intake.reading.grid import Context, Grid, Header, Refusal, Row, Table, text_of
from oversight.intake.reading.text import fold, plain

REPORT = "report"
_NIL_SAID = re.compile(
    r"零报告|零申报|(?:无|没有|未发生)(?:任何)?(?:此|该|相关|有关)?(?:类|项|等)?(?:工作|业务)?"
    r"(?:内容|数据|发生|业务|情况|支出|拨付)(?:额|可报|需报|上报|报送)?[。.!]?$"
)
_NOT_NIL = re.compile(r"\d{4,}|[?？]|请|如|若|凡|应|须|制度|要求|的单位|填写|填报")
_TITLES = {"budget": r"经费|拨付|预算", "population": r"人口", "staffing": r"人员|编制"}


def mark(dataset: str, raw: pl.DataFrame, done: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Typed rows with `nil_figures` and `dashed_figures`, nil figures filled in, and a doubt for each 无 that says nothing."""
    blank = pl.lit(None, pl.String)
    height = done.height
    wordy = _wordy(dataset, raw, done)
    if not wordy:
        return done.with_columns(nil_figures=blank, dashed_figures=blank), []
    nil: list[list[str]] = [[] for _ in range(height)]
    dashed: list[list[str]] = [[] for _ in range(height)]
    is_report = [False] * height
    filled: dict[str, dict[int, Any]] = {}
    doubted: list[tuple[int, str]] = []
    columns = ALL_DATASETS[dataset].columns
    for name, cells in wordy.items():
        column = columns[name]
        for at, text in cells:
            folded = fold(text)
            if folded in values.NIL_ROWS:
                is_report[at] = True
            elif folded not in values.NIL_CELLS:
                dashed[at].append(name)
            elif column.nil == "unknown":
                doubted.append((at, name))
            else:
                nil[at].append(name)
                filled.setdefault(_value_name(column), {})[at] = _nothing(column)
    measures = [_value_name(c) for c in ALL_DATASETS[dataset].measures]
    known = done.select(pl.any_horizontal(pl.col(m).is_not_null() for m in measures)).to_series()
    for at in (i for i in range(height) if is_report[i]):
        if known[at] or nil[at]:
            continue
        nil[at].append(REPORT)
        for column in columns.values():
            if column.is_measure and column.is_of_the_month:
                nil[at].append(column.name)
                filled.setdefault(column.name, {})[at] = _nothing(column)
    for name, nothings in filled.items():
        series = done.get_column(name)
        places = pl.Series(list(nothings), dtype=pl.UInt32)
        done = done.with_columns(
            series.scatter(places, pl.Series(list(nothings.values()), dtype=series.dtype)).alias(name)
        )
        # What is nothing is nothing to the last place.
        exact = columns[name].precision_name if name in columns else ""
        if exact in done.columns:
            unit = Decimal("0.01") if columns[name].kind == "money" else Decimal(1)
            precise = done.get_column(exact)
            done = done.with_columns(
                precise.scatter(places, pl.Series([unit] * len(nothings), dtype=precise.dtype)).alias(exact)
            )
    done = done.with_columns(
        pl.Series("nil_figures", [";".join(names) or None for names in nil], dtype=pl.String),
        pl.Series("dashed_figures", [";".join(names) or None for names in dashed], dtype=pl.String),
    )
    if not doubted:
        return done, []
    rows = done.select("table_no", "row_number")[[at for at, _ in doubted]]
    names = [name for _, name in doubted]
    return done, [
        rows.with_columns(
            pl.Series("column", names, dtype=pl.String),
            pl.lit("无").alias("value"),
            pl.lit("D43").alias("code"),
        )
    ]


def _value_name(column: Column) -> str:
    return "indicator_value" if column.kind == "value" else column.name


def _nothing(column: Column) -> Any:
    if column.nil == "no":
        return False
    return 0 if column.kind == "count" else Decimal(0)


def _wordy(dataset: str, raw: pl.DataFrame, done: pl.DataFrame) -> dict[str, list[tuple[int, str]]]:
    """Of each column with figures the cells that hold a writing for nothing: (row, text)."""
    found: dict[str, list[tuple[int, str]]] = {}
    for column in ALL_DATASETS[dataset].measures:
        text, value = raw.get_column(column.name), done.get_column(_value_name(column))
        if text.null_count() == value.null_count():
            continue
        at = (text.is_not_null() & value.is_null()).arg_true()
        cells = [
            (i, t) for i, t in zip(at.to_list(), text.gather(at).to_list(), strict=True) if is_nothing(t)
        ]
        if cells:
            found[column.name] = cells
    return found


def is_nothing(text: str) -> bool:
    """Whether a cell holds one of the writings for nothing (and is not simply unreadable)."""
    folded = fold(text)
    return folded != "" and folded in values.BLANKS


# --- sheets ---------------------------------------------------------------------------------------------


def says_nil(row: Row) -> bool:
    """Whether a row is nothing but the statement that there is nothing to report: 我单位无此项内容，本表无数据."""
    if any(type(cell) is float for cell in row):
        return False
    said = {text for cell in row if (text := fold(text_of(cell)))}
    if len(said) != 1:
        return False
    text = re.sub(r"^[(]|[)]$", "", said.pop())
    return 3 <= len(text) <= 40 and bool(_NIL_SAID.search(text)) and not _NOT_NIL.search(text)


def nil_table(grid: Grid, dataset: str, context: Context, at: int) -> tuple[list[Table], list[Refusal]]:
    """The report of a sheet that says in row `at` (from 0) that there is nothing: one row, of the unit it names."""
    code, name = context.township
    measures = [c.name for c in ALL_DATASETS[dataset].measures]
    if (code is None and name is None) or "month" not in ALL_DATASETS[dataset].columns:
        return [], [Refusal("F40", {}, at + 1, grid.name, dataset)]
    header = Header(dataset, at, at - 1, {}, {}, {}, 0)
    cells: dict[str, list[str | None]] = {
        "reported_code": [code],
        "reported_name": [name],
        measures[0]: ["零报告"],
    }
    return [Table(dataset, grid.name, header, context, [at + 1], cells)], []


def dataset_of_titles(words: Sequence[str]) -> str | None:
    """The monthly report that titles speak of; None where they name none or several."""
    said = plain(" ".join(words))
    named = [name for name in _TITLES if plain(ALL_DATASETS[name].title_zh) in said]
    named = named or [name for name, pattern in _TITLES.items() if re.search(pattern, said)]
    return named[0] if len(named) == 1 else None
