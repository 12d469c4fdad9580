"""What cannot be seen in a workbook: hidden sheets, rows and columns.

Last month's table often stays behind in a hidden sheet, and rows that a filter put away are reports all the same. So
what is hidden is used only where nothing visible says otherwise, and it is always mentioned.
"""

from __future__ import annotations

from collections.abc import Sequence

from oversight.intake.reading.found import Notice, Reading
from oversight.intake.reading.grid import Grid, Refusal, Table, column_letters
from oversight.intake.reading.layout import find_tables

_KEYS = (
    "month",
    "reported_code",
    "reported_name",
    "subject_code",
    "subject_name",
    "indicator_code",
    "division_code",
)
_WORDS = {"hidden": "隐藏", "very_hidden": "深度隐藏（在 Excel 的“取消隐藏”里看不到）"}


def read_sheets(grids: Sequence[Grid], name: str) -> Reading:
    """The tables of all sheets; what is hidden behind what is visible."""
    reading = Reading()
    found = [(grid, *find_tables(grid, name)) for grid in grids]
    seen = {table.dataset for grid, tables, _ in found if grid.visibility == "visible" for table in tables}
    for grid, tables, refusals in found:
        if grid.visibility == "visible":
            reading.refusals.extend(refusals)
            for table in tables:
                reading.notices.extend(_rows(table))
                reading.notices.extend(_columns(grid, table))
            reading.tables.extend(tables)
            continue
        used = [table for table in tables if table.dataset not in seen]
        reading.tables.extend(used)
        reading.notices.extend(_sheet(grid, tables, used, refusals))
    return reading


def _sheet(
    grid: Grid, tables: Sequence[Table], used: Sequence[Table], refusals: Sequence[Refusal]
) -> list[Notice]:
    """What is said of a hidden sheet: used for want of a visible one, or left out."""
    notices: list[Notice] = []
    state = _WORDS[grid.visibility]
    for table in tables:
        code = "D50" if table in used else "D51"
        count = len(table.row_numbers)
        texts = {"sheet": grid.name or "", "state": state, "rows": str(count)}
        notices.append(Notice(code, texts, grid.name, table.header.last_row + 1, table.dataset))
    if refusals and not tables:
        texts = {"sheet": grid.name or "", "state": state, "rows": str(sum(len(r.rows) for r in refusals))}
        notices.append(Notice("D51", texts, grid.name, refusals[0].row_number, refusals[0].dataset))
    return notices


def _rows(table: Table) -> list[Notice]:
    """Hidden rows: those that a visible row contradicts go, the others are used; both are said."""
    if not table.hidden:
        return []
    keys = [table.cells[key] for key in _KEYS if key in table.cells]
    # Rows of a table without such a key are nobody's in particular: none of them contradicts another.
    whose = list(zip(*keys, strict=True)) if keys else []
    visible = {
        whose[at] for at, number in enumerate(table.row_numbers) if whose and number not in table.hidden
    }
    gone = [
        at
        for at, number in enumerate(table.row_numbers)
        if number in table.hidden and whose and whose[at] in visible
    ]
    left_out = [table.row_numbers[at] for at in gone]
    kept = [number for number in table.row_numbers if number in table.hidden and number not in set(left_out)]
    if gone:
        table.drop(gone, "hidden")
    notices: list[Notice] = []
    for code, numbers in (("D52", kept), ("D53", left_out)):
        if numbers:
            shown = "、".join(map(str, numbers[:10])) + ("…" if len(numbers) > 10 else "")
            texts = {"count": str(len(numbers)), "rows": shown}
            notices.append(Notice(code, texts, table.sheet, numbers[0], table.dataset))
    return notices


def _columns(grid: Grid, table: Table) -> list[Notice]:
    """Columns with figures that are hidden in the sheet."""
    hidden = [
        f"{column_letters(at)} 列“{table.header.titles.get(at, name)}”"
        for name, at in table.header.columns.items()
        if at in grid.hidden_columns
    ]
    if not hidden:
        return []
    texts = {"columns": "、".join(hidden)}
    return [Notice("D54", texts, table.sheet, table.header.last_row + 1, table.dataset)]
