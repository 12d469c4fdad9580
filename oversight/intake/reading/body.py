"""The rows below a header: which are data, and their cells by column."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache

from oversight.contracts import ALL_DATASETS, Contract
from oversight.intake.reading import values
from oversight.intake.reading.grid import (
    MAX_COLUMNS,
    Cell,
    Context,
    Grid,
    Header,
    Row,
    Table,
    is_blank_row,
    text_of,
)
from oversight.intake.reading.headers import CODE_CELL, INDEX_CELL, TOTAL
from oversight.intake.reading.headings import known_cells
from oversight.intake.reading.periods import span_of_cell
from oversight.intake.reading.prefilled import beside, take_out_unconfirmed
from oversight.intake.reading.text import fold, plain
from oversight.intake.reading.totals import ADDED_UP, check_total, set_apart_county, set_apart_parts

_OF_WHICH = re.compile(r"^其中[:,、]?(?P<what>.+)$")
_A_TOWNSHIP = re.compile(r"(?<!城)(?<!乡)[镇乡]$|街道(?:办事处)?$|苏木$|[农林牧渔]场$")
# A line of its own over the units of a part of the county: 一、城区片.
_GROUP = re.compile(r"(?:片|片区|组团|区域|部分)[:]?$")
# A row that says only the year or the month of the rows below it.
_SECTION = re.compile(
    r"^(?:[一二三四五六七八九十]{1,2}、|\d{1,2}、)?(?:(\d{4})年度?)?(?:(\d{1,2})月份?)?[:]?$"
)
_FOOTER = re.compile(
    r"^[(*]?(?:注\d?[:、.]?|备注[:]|说明[:]|审核|复核|填表|制表|填报人|填报日期|填报单位[:(]|填报时间|经办|负责人|单位负责|分管|主管|联系|电话|"
    r"报送(?:人|日期|时间|单位)[:]|报出|打印|资料来源|数据来源|来源[:]|第\d+页|共\d+页|\d+[.、](?![\d.,]*(?:[eE][+-]?\d+)?[万亿千百元人户名个]*$).{8,}|[(]?盖章|.{2,20}\((?:盖章|公章|章)\)$|单位[((]?盖?公?章)"
)
# What stands below tables as well as between a title and its header.
ABOVE = re.compile(r"^[(]?(?:填报单位|报送单位|单位|填报日期|填表日期|填报时间|报送日期)[:(]")
# --- rows -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=65536)
def _is_total(name: str) -> bool:
    return bool(TOTAL.match(fold(name)))


def classify(row: Row, header: Header) -> str:
    """What a row below a header is: data, total, footer, header (it may begin another table), index or note."""
    columns = header.columns
    code_at = columns.get("reported_code", columns.get("subject_code", columns.get("division_code", -1)))
    name_at = columns.get("reported_name", columns.get("subject_name", columns.get("division_name", -1)))
    if 0 <= code_at < len(row):
        code = row[code_at]
        if not (isinstance(code, str) and len(code) in (6, 9, 12) and code.isdigit() and code.isascii()):
            code = fold(text_of(code))
        if CODE_CELL.match(code):
            name = row[name_at] if 0 <= name_at < len(row) else ""
            return "total" if name and _is_total(text_of(name)) else "data"
    else:
        code = ""
    filled = [(at, fold(text_of(c))) for at, c in enumerate(row[:MAX_COLUMNS])]
    filled = [(at, c) for at, c in filled if c]
    if not filled:
        return "blank"
    if known_cells(row) >= 2:
        return "header"
    lead = [text for at, text in filled if at <= max(code_at, name_at, 2)]
    if any(TOTAL.match(text) for text in lead):
        return "total"
    if any((of := _OF_WHICH.match(text)) and not _A_TOWNSHIP.search(of["what"]) for text in lead):
        return "part"
    if _FOOTER.match(filled[0][1]) or (not code and any(_FOOTER.match(t) for _, t in filled[:3])):
        return "footer"
    if len(filled) >= 3 and _is_index([text for _, text in filled]):
        return "index"
    if len(filled) == 1 and section_of(filled[0][1]) is not None:
        return "section"
    if len(filled) == 1 and (filled[0][0] not in (code_at, name_at) or _GROUP.search(filled[0][1])):
        return "note"
    if len(filled) == 1 and filled[0][0] == code_at and not re.search(r"\d", filled[0][1]):
        # A word where a code should be, and nothing beside it: whoever stands there reports nothing.
        return "data" if _A_TOWNSHIP.search(filled[0][1]) else "note"
    if len(filled) == 1 and len(filled[0][1]) > 20:
        return "note"
    return "data"


def _is_index(texts: Sequence[str]) -> bool:
    """Whether a row numbers the columns: 甲 乙 1 2 3, one more each time; 2 3 2 12 are somebody's figures."""
    if not all(INDEX_CELL.match(text) for text in texts):
        return False
    numbers = [int(text) for text in texts if text.isdecimal()]
    if len(numbers) < len(texts) and len(numbers) < 2:
        return True
    steps = {after - before for before, after in itertools.pairwise(numbers)}
    if len(numbers) < len(texts):
        return min(steps) > 0
    return steps == {1} and numbers[0] <= 1


def section_of(text: str) -> tuple[int | None, int | None] | None:
    """(year, month) of a row that says nothing else; None if it is no such row."""
    match = _SECTION.match(values.digits_of_date(text)) if len(text) <= 12 else None
    if match is None or match.groups() == (None, None):
        return None
    year, month = (int(g) if g else None for g in match.groups())
    return (year, month) if month is None or 1 <= month <= 12 else None


def extract(grid: Grid, header: Header, context: Context, body: list[tuple[int, str]]) -> Table:
    table = Table(header.dataset, grid.name, header, context)
    if header.varying:
        # In June the columns of July to December are still empty: nothing was reported, nothing is wrong.
        places = [header.columns[n] for n in header.varying]
        body = [
            (
                r,
                "blank"
                if kind == "data" and is_blank_row([grid.rows[r][p] for p in places if p < len(grid.rows[r])])
                else kind,
            )
            for r, kind in body
        ]
    data = [r for r, kind in body if kind == "data"]
    table.ignored = [(r + 1, kind) for r, kind in body if kind != "data"]
    table.row_numbers = [r + 1 for r in data]
    rows = [grid.rows[r] for r in data]
    contract = ALL_DATASETS[header.dataset]
    for name, at in header.columns.items():
        if contract.columns[name].kind == "month":
            column = [_month_cell(row[at] if at < len(row) else None, grid) for row in rows]
        else:
            # The loop that every cell of every table goes through: calls are kept out of it.
            column = [
                None
                if at >= len(row)
                else (cell or None)
                if type(cell := row[at]) is str
                else str(int(cell))
                if type(cell) is float and cell.is_integer() and -1e15 < cell < 1e15
                else values.cell_text(cell) or None
                for row in rows
            ]
        table.cells[name] = column
    if header.fund is not None:
        table.cells["fund_name"] = [header.fund] * len(rows)
    if header.others:
        table.others = [_others_of(row, header.others) for row in rows]
    for r, kind in body:
        if kind == "total":
            row = grid.rows[r]
            if any(ADDED_UP.search(fold(text_of(c))) for c in row[:MAX_COLUMNS]):
                cells = {n: text_of(row[at]).strip() for n, at in header.columns.items() if at < len(row)}
                table.totals.append((r + 1, {n: c for n, c in cells.items() if c}))
    _fill_merged(grid, table, data)
    _fill_said(grid, table, body)
    if header.tick_at is not None:
        last = {name: beside(grid, table, at) for name, at in header.last_at.items()}
        take_out_unconfirmed(table, beside(grid, table, header.tick_at), last)
    mark_periods(table)
    set_apart_parts(table)
    set_apart_county(table)
    table.total_problem = check_total(table)
    _add_facts(grid, table)
    if grid.is_csv:
        for r in data:
            extra = next((text_of(c) for c in grid.rows[r][header.width :] if text_of(c).strip()), None)
            if extra is not None:
                table.broken.append((r + 1, "", extra, "R20"))
    return table


def _month_cell(cell: Cell, grid: Grid) -> str | None:
    """A cell of a column of months as text."""
    if isinstance(cell, float):
        if grid.counts_from_1904 and 10_000 <= cell < 100_000:
            return values.cell_text(values.serial(f"{cell:.0f}", base_1904=True)) or f"{cell:.15g}"
        if round(cell % 1, 6) == 0.1:
            # The number 2025.1 is what Excel makes of 2025.10 as well as of 2025.1.
            return f"{cell:.15g}?"
    return values.cell_text(cell) or None


def _add_facts(grid: Grid, table: Table) -> None:
    """What the sheet says of the figures besides their values, and which rows are hidden."""
    rows = [number - 1 for number in table.row_numbers]
    if grid.hidden_rows:
        table.hidden = frozenset(r + 1 for r in rows if r in grid.hidden_rows)
    columns = ALL_DATASETS[table.dataset].columns
    for name, at in table.header.columns.items():
        if name not in table.cells or not columns[name].is_measure:
            continue
        given = [grid.is_formula(r, at) for r in rows] if grid.formulas else []
        if any(given):
            table.is_formula[name] = given
        shown = [grid.places(r, at) for r in rows] if grid.decimals else []
        if any(places is not None for places in shown):
            table.places[name] = shown


def _others_of(row: Row, others: Mapping[int, str]) -> str | None:
    """What stands in the columns that the contract does not know, as JSON; None where all of them are blank."""
    said = {
        title: text for at, title in others.items() if at < len(row) and (text := text_of(row[at]).strip())
    }
    return json.dumps(said, ensure_ascii=False) if said else None


# Events that happen in a month, beside the figures that say how things stand at its end.
_EVENTS = ("births_persons", "deaths_persons", "moved_in_persons", "moved_out_persons")


def mark_periods(table: Table) -> None:
    """Rows that cover more than a month: their month is the last one, and what stands under 本月 may be for all of it.

    Where the sum of the year so far stands beside it and is another figure, 本月 is the last month's.
    """
    columns = ALL_DATASETS[table.dataset].columns
    months = table.cells.get("month")
    if "month" not in columns:
        return
    _compare_months(table, months)
    flows = [n for n in columns if n.endswith("_month_cny") or n in _EVENTS]
    for i, number in enumerate(table.row_numbers):
        written = months[i] if months is not None else None
        span = span_of_cell(written, table.context.year) if written else None
        if months is not None and span is not None and (last := span.month(None)) is not None:
            months[i] = f"{last:%Y-%m}"
        bounds = (span.first, span.last) if span else table.context.span if not written else None
        if bounds is None:
            continue
        said = f"{bounds[0]}—{bounds[1]} 月"
        for name in flows:
            if table.header.period is not None and name in table.header.varying:
                # 4月 stands over the column: whatever the title says, it is that month's.
                continue
            value = table.cells[name][i] if name in table.cells else None
            beside = None if name in _EVENTS else table.cells.get(name.replace("_month_", "_cumulative_"))
            total = beside[i] if beside is not None else None
            if not value or values.number(value) == 0:
                continue
            if bounds[0] == 1 and total and values.number(total) != values.number(value):
                continue
            table.broken.append((number, name, said, "H61"))


def _compare_months(table: Table, months: list[str | None] | None) -> None:
    """A column of months that all name another month than what is said around the table."""
    stated = table.context.month
    if not months or stated is None or table.context.span is not None:
        return
    found = {m for text in months if text and isinstance(m := values.month(text, table.context.year), date)}
    if len(found) == 1 and (only := found.pop()) != stated:
        said = f"{table.context.month_from} {stated:%Y-%m}，统计月份一列 {only:%Y-%m}"
        table.context = replace(table.context, months_said=said)


_MONTH_ALONE = re.compile(r"^(?:1[0-2]|0?[1-9])(?:月份?)?$")


def _fill_said(grid: Grid, table: Table, body: list[tuple[int, str]]) -> None:
    """Months and units that are not said in each row: in a column for the year, in rows between, around the table."""
    columns = ALL_DATASETS[table.dataset].columns
    names = table.cells.get("reported_name")
    if names is not None and any(n and "其中" in n for n in names):
        table.cells["reported_name"] = [
            (of["what"] if n and (of := _OF_WHICH.match(fold(n))) else n) for n in names
        ]
    names = table.cells.get("reported_name")
    if names is not None and table.header.county_at is not None:
        codes = table.cells.get("reported_code", [None] * len(names))
        counties = beside(grid, table, table.header.county_at)
        table.cells["reported_name"] = [
            f"{county}{name}" if name and county and not code and not fold(name).startswith(county) else name
            for name, code, county in zip(names, codes, map(fold, counties), strict=True)
        ]
    if "reported_code" in columns and names is None and "reported_code" not in table.cells:
        code, name = table.context.township
        table.cells["reported_code"] = [code] * len(table.row_numbers)
        table.cells["reported_name"] = [name] * len(table.row_numbers)
    if "month" not in columns or table.header.period is not None:
        return
    has_sections = any(kind == "section" for _, kind in body)
    months = table.cells.get("month")
    year_at = table.header.year_at
    if months is None and (has_sections or year_at is not None):
        months = [None] * len(table.row_numbers)
    if months is None:
        return
    # Under 月份 a 6 is June; under 统计月份 it may be anything.
    title = plain(table.header.titles.get(table.header.columns.get("month", -1), ""))
    bare = year_at is not None or title in ("月份", "月", "月度")
    if not bare and not has_sections:
        return
    years = _years(grid, table)
    section: tuple[int | None, int | None] = (None, None)
    place = {number: i for i, number in enumerate(table.row_numbers)}
    for r, kind in body:
        if kind == "section":
            text = next(t for c in grid.rows[r] if (t := text_of(c).strip()))
            year, month_no = section_of(fold(text)) or (None, None)
            section = (year or section[0], month_no)
        elif (at := place.get(r + 1)) is not None:
            written = values.digits_of_date(fold(months[at] or ""))
            if not written and section[1]:
                written = f"{section[1]}月"
            if not _MONTH_ALONE.match(written) or (written.isdigit() and not bare):
                continue
            year = years[at] or section[0] or table.context.year
            month_no = int(written.rstrip("月份"))
            months[at] = f"{year}年{month_no}月" if year else f"{month_no}月"
    table.cells["month"] = months


def _years(grid: Grid, table: Table) -> list[int | None]:
    """For each row what its column for the year says."""
    at = table.header.year_at
    if at is None:
        return [None] * len(table.row_numbers)
    years = (values.year(text) for text in beside(grid, table, at))
    return [y if isinstance(y, int) else None for y in years]


def _fill_across(table: Table, contract: Contract, names: list[str | None], at: int | None) -> None:
    """A text merged over columns that all repeat (并入拉马乡 over code and name) stands in each of them."""
    if at is None or len(names) < 2 or names[0] is None or table.cells[names[0]][at] is None:
        return
    for name in names[1:]:
        if name is not None and contract.columns[name].repeats_when_merged:
            table.cells[name][at] = table.cells[names[0]][at]


def _fill_merged(grid: Grid, table: Table, data: list[int]) -> None:
    """A month or a unit merged over several rows holds for each of them; a figure merged over several for none."""
    if not grid.merged or not data:
        return
    place = {r: i for i, r in enumerate(data)}
    by_column = {at: name for name, at in table.header.columns.items()}
    contract = ALL_DATASETS[table.dataset]
    for (top, left), (bottom, right) in grid.merged:
        if bottom <= table.header.last_row:
            continue
        _fill_across(table, contract, [by_column.get(at) for at in range(left, right + 1)], place.get(top))
        if top == bottom:
            continue
        covered = [r for r in range(max(top, table.header.last_row + 1), bottom + 1) if r in place]
        if len(covered) < 2:
            continue
        for at in range(left, right + 1):
            name = by_column.get(at)
            if name is None:
                continue
            column = contract.columns[name]
            value = table.cells[name][place[covered[0]]]
            if not column.is_measure:
                for r in covered:
                    table.cells[name][place[r]] = value
            elif column.is_measure and value is not None:
                for r in covered:
                    table.broken.append((r + 1, name, value, "R23"))
