"""Tables that lie on their side: figures down the rows, townships (or one township's values) across the columns.

Such a sheet is turned, so that everything else reads it as a table like any other, and its cells keep their places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from oversight.contracts import DATASETS
from oversight.intake.reading.grammar import Said, meaning_of
from oversight.intake.reading.grid import (
    MAX_COLUMNS,
    Cell,
    Grid,
    Refusal,
    Table,
    is_blank_row,
    line_of,
    text_of,
)
from oversight.intake.reading.headers import NAME_BELOW, TOTAL
from oversight.intake.reading.headings import UNIT_LABELS, column_of_unit, meaning
from oversight.intake.reading.text import fold, plain
from oversight.intake.reading.words import words_of

# Sheets that list figures are small; further down and further right nothing is looked for.
_MAX_ROWS = 80
_LABEL_COLUMNS = 4
_MIN_LABELS = 1
# What the column of values of one township's form may be called.
_VALUE_TITLES = frozenset(
    (
        *(
            "数值",
            "数量",
            "数据",
            "数额",
            "金额",
            "填报数",
            "填报值",
            "本月",
            "本月数",
            "本期",
            "本期数",
            "内容",
            "值",
        ),
        *("填写", "情况", "填报内容", "指标值", "人数", "数", "实际数", "本月末", "期末数", "月末数", "合计"),
    )
)
_ANY = Said(is_registered=True)


@dataclass(frozen=True)
class Turned:
    """A sheet turned by a quarter: row `n` of `grid` was column `columns[n]`, and its column `k` was row `rows[k]`."""

    grid: Grid
    columns: dict[int, int]
    rows: dict[int, int]
    label_at: int
    # Of one township's form with several columns of values (本月数, 累计数): the column of each figure.
    columns_of: dict[int, int] = field(default_factory=dict)


def turn(grid: Grid) -> Turned | None:
    """The sheet turned, if figures stand down its rows; None if nothing speaks for that."""
    rows = [list(r[:MAX_COLUMNS]) for r in grid.rows[:_MAX_ROWS]]
    for (top, left), (bottom, right) in grid.merged:
        for r in range(top, min(bottom, len(rows) - 1) + 1):
            # A group's name merged down beside its figures stands beside each of them.
            if left == right < _LABEL_COLUMNS and top != bottom and left < len(rows[r]):
                rows[r][left] = rows[top][left]
    width = max((len(r) for r in rows), default=0)
    found = [(len(_labels(rows, at)), -at) for at in range(min(_LABEL_COLUMNS, width))]
    best = max(found, default=(0, 0))
    if best[0] < _MIN_LABELS:
        return None
    label_at = -best[1]
    labels = _labels(rows, label_at)
    first = min(labels)
    heads = _heads(rows, labels, label_at)
    unit_at = next((c for c, t in heads.items() if plain(t) in UNIT_LABELS), None)
    names = {c: t for c, t in heads.items() if c != unit_at and _names_unit(t)}
    values_at = [c for c, t in heads.items() if c != unit_at and (not t or plain(t) in _VALUE_TITLES)]
    only = [c for c in heads if c != unit_at]
    if not names and len(labels) >= 2 and len(timed := [c for c in only if _is_of_time(heads[c])]) >= 2:
        return _one_form(grid, rows, labels, label_at, heads, timed, unit_at)
    taken = sorted(names) if names else values_at[:1] or (only if len(only) == 1 else [])
    if not taken or (names and len(names) < 2 and len(labels) < 2) or (not names and len(labels) < 2):
        return None
    height = max(labels)
    order = [r for r in range(first, height + 1) if any(text_of(c).strip() for c in rows[r])]
    group = [_at(rows[r], label_at - 1) if label_at else "" for r in order]
    units = [_at(rows[r], unit_at) if unit_at is not None else "" for r in order]
    shown = [
        f"{_at(rows[r], label_at)}({u})" if u else _at(rows[r], label_at)
        for r, u in zip(order, units, strict=True)
    ]
    above = next((r for r in range(first - 1, -1, -1) if any(_at(rows[r], c) for c in taken)), first)
    titles = [line_of(rows[r]) for r in range(min(above, first)) if not is_blank_row(rows[r])]
    footer = [line_of(r) for r in grid.rows[height + 1 : height + 12] if not is_blank_row(r)]
    turned: list[list[Cell]] = [[line] for line in titles]
    lead = 1 if names else 0
    if any(g and not g.isdigit() for g in group):
        turned.append([*([""] * lead), *group])
    turned.append([*(["乡镇名称"] * lead), *shown])
    columns: dict[int, int] = {}
    for at in taken:
        columns[len(turned)] = at
        turned.append(
            [
                *([names[at]] if names else []),
                *(r[at] if at < len(r) else None for r in (rows[o] for o in order)),
            ]
        )
    turned.extend([line] for line in footer)
    return Turned(
        _flat(grid, turned),
        columns,
        {k + lead: r for k, r in enumerate(order)},
        label_at,
    )


def _is_of_time(head: str) -> bool:
    """Whether what stands over a column of values says of what time they are, and nothing else: 本月数, 本年累计."""
    words = words_of(head) if head else ()
    return any(w.kind in ("period", "prior", "time") for w in words) and all(
        w.kind in ("period", "prior", "time", "neutral", "done") for w in words
    )


def _one_form(
    grid: Grid,
    rows: Sequence[Sequence[Cell]],
    labels: Sequence[int],
    label_at: int,
    heads: dict[int, str],
    timed: Sequence[int],
    unit_at: int | None,
) -> Turned:
    """One township's form whose values stand in several columns, as one row: each figure below its label and its time.

    What is of no time (年初预算) stands in one of the columns, or the same in all: then the label says enough.
    """
    first, height = min(labels), max(labels)
    order = [r for r in range(first, height + 1) if any(text_of(c).strip() for c in rows[r])]
    above = next((r for r in range(first - 1, -1, -1) if any(_at(rows[r], c) for c in timed)), first)
    titles = [line_of(rows[r]) for r in range(min(above, first)) if not is_blank_row(rows[r])]
    footer = [line_of(r) for r in grid.rows[height + 1 : height + 12] if not is_blank_row(r)]
    figures: list[tuple[str, str, Cell, int, int]] = []
    for r in order:
        unit = _at(rows[r], unit_at) if unit_at is not None else ""
        label = f"{_at(rows[r], label_at)}({unit})" if unit else _at(rows[r], label_at)
        filled = [c for c in timed if _at(rows[r], c)]
        own = [c for c in filled if not any(w.kind == "prior" for w in words_of(heads[c]))]
        if own and len({_at(rows[r], c) for c in own}) == 1 and _is_of_no_time(label):
            figures.append((label, "", rows[r][own[0]], r, own[0]))
            filled = [c for c in filled if c not in own]
        figures.extend((label, heads[c], rows[r][c], r, c) for c in filled)
    turned: list[list[Cell]] = [[line] for line in titles]
    turned.extend(([label for label, *_ in figures], [head for _, head, *_ in figures]))
    columns = {len(turned): timed[0]}
    turned.append([value for _, _, value, _, _ in figures])
    turned.extend([line] for line in footer)
    return Turned(
        _flat(grid, turned),
        columns,
        {k: r for k, (_, _, _, r, _) in enumerate(figures)},
        label_at,
        {k: c for k, (_, _, _, _, c) in enumerate(figures)},
    )


def _is_of_no_time(label: str) -> bool:
    """Whether a label is of a figure that is no flow: the year's budget, people, posts."""
    for dataset, contract in DATASETS.items():
        if (said := meaning_of(dataset, (label,), _ANY)) is not None:
            name: str | None = said.column
        else:
            name = meaning(dataset, (label,))[0]
        if name is not None:
            return contract.columns[name].is_measure and contract.columns[name].scale != "flow"
    return False


def _flat(grid: Grid, rows: list[list[Cell]]) -> Grid:
    return replace(
        grid,
        rows=rows,
        merged=(),
        hidden_rows=frozenset(),
        hidden_columns=frozenset(),
        formulas={},
        decimals={},
    )


def _at(row: Sequence[Cell], at: int) -> str:
    return text_of(row[at]).strip() if 0 <= at < len(row) else ""


def _labels(rows: Sequence[Sequence[Cell]], at: int) -> list[int]:
    """The rows whose cell in a column is the heading of a figure, with a value to the right of it."""
    return [
        r
        for r, row in enumerate(rows)
        if (text := _at(row, at))
        and len(text) <= 30
        and _is_figure(text)
        and any(text_of(c).strip() and not _is_figure(text_of(c)) for c in row[at + 1 :])
    ]


def _is_figure(text: str) -> bool:
    if fold(text).endswith(("表", "册", "单")):
        return False
    for dataset, contract in DATASETS.items():
        name = meaning(dataset, (text,))[0]
        if name is not None:
            return contract.columns[name].is_measure
        if (said := meaning_of(dataset, (text,), _ANY)) is not None and contract.columns[
            said.column
        ].is_measure:
            return True
    return False


def _heads(rows: Sequence[Sequence[Cell]], labels: Sequence[int], label_at: int) -> dict[int, str]:
    """What stands over each column to the right of the labels that has something beside them."""
    first = min(labels)
    used = {c for r in labels for c in range(label_at + 1, len(rows[r])) if _at(rows[r], c)}
    heads: dict[int, str] = {}
    for c in sorted(used):
        above = [_at(rows[r], c) for r in range(first - 1, max(first - 4, -1), -1)]
        heads[c] = next((t for t in above if t), "")
    return heads


def _names_unit(text: str) -> bool:
    return (
        bool(NAME_BELOW.search(fold(text)))
        and not TOTAL.match(fold(text))
        and column_of_unit((text,)) is None
    )


def put_back(
    turned: Turned, tables: Sequence[Table], refusals: Sequence[Refusal]
) -> tuple[list[Table], list[Refusal]]:
    """Tables of a turned sheet with their own places: a row's number is that of its column in the sheet."""
    for table in tables:
        numbers = {v + 1: c + 1 for v, c in turned.columns.items()}
        table.row_numbers = [numbers.get(n, n) for n in table.row_numbers]
        table.broken = [(numbers.get(n, n), name, text, code) for n, name, text, code in table.broken]
        table.totals = []
        at = {k: r + 1 for k, r in turned.rows.items()}
        table.header = replace(
            table.header,
            rows_of=at,
            columns_of=turned.columns_of,
            label_at=turned.label_at,
            first_row=0,
            last_row=0,
        )
    back = [replace(r, rows=(), row_number=1, rows_ignored=len(r.rows) + r.rows_ignored) for r in refusals]
    return list(tables), back
