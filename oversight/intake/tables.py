"""Find the tables on a sheet: where the header is, what its columns mean, and which rows below are data.

Pure functions over grids of cells; nothing here reads files or judges values. A table is recognised by its
columns alone. What cannot be recognised with certainty is not guessed: it is left out and named.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from oversight.contracts import ALL_DATASETS, Column, Contract
from oversight.intake import values
from oversight.intake.text import COUNT_UNITS, MONEY_UNITS, fold, header_key, plain, stated_units

Cell = Any
Row = Sequence[Cell]
MAX_HEADER_ROWS = 4
# A header stands near the top of its table; below this many rows without one a sheet is not a report.
HEADER_SEARCH_ROWS = 120
MAX_COLUMNS = 400

_TOTAL = re.compile(
    r"^(?:[一二三四五六七八九十]、)?(?:.{0,14}(?:合计|总计|小计|共计|汇总数?|累计数)|计|总数|全[县区市省旗](?:合计)?|其中)[:)]?$"
)
_FOOTER = re.compile(
    r"^[(*]?(?:注\d?[:、.]?|备注[:]|说明[:]|审核|复核|填表|制表|填报人|填报日期|填报单位[:(]|填报时间|经办|负责人|单位负责|分管|主管|联系|电话|"
    r"报送(?:人|日期|时间|单位)[:]|报出|打印|资料来源|数据来源|来源[:]|第\d+页|共\d+页|\d+[.、](?![\d.,]*(?:[eE][+-]?\d+)?[万亿千百元人户名个]*$).{8,}|[(]?盖章|单位[((]?盖?公?章)"
)
# What stands below tables as well as between a title and its header.
_ABOVE = re.compile(r"^[(]?(?:填报单位|报送单位|单位|填报日期|填表日期|填报时间|报送日期)[:(]")
_CODE_CELL = re.compile(r"^\d{9}$|^\d{12}$|^\d{6}$")
_INDEX_CELL = re.compile(r"^(?:[甲乙丙丁戊己庚辛壬癸]|\(?\d{1,2}\)?|栏次|行次|序号|[A-Z]|\d{1,2}=.*)$")


@dataclass(frozen=True)
class Grid:
    """A sheet (or a whole CSV file): its rows from the first on, and which cells are merged."""

    name: str | None
    rows: Sequence[Row]
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]] = ()
    is_csv: bool = False


@dataclass(frozen=True)
class Context:
    """What is said around a table: in its title lines and footer, in the sheet's and the file's name."""

    month: date | None
    year: int | None
    filed_on: date | None
    is_correction: bool
    money_unit: str | None
    count_unit: str | None
    words: str


@dataclass(frozen=True)
class Refusal:
    """A table (or file) that cannot be used, with the catalogue code and what fills its text."""

    code: str
    found: dict[str, str]
    row_number: int = 1
    sheet: str | None = None
    dataset: str | None = None
    rows: tuple[int, ...] = ()
    rows_ignored: int = 0


@dataclass(frozen=True)
class Header:
    """A recognised header: where it stands and which grid column holds which contract column."""

    dataset: str
    first_row: int
    last_row: int
    columns: dict[str, int]
    units: dict[str, str]
    titles: dict[int, str]
    width: int
    # A table with months as columns is read as one table a month: (year or None, month), and what varies with it.
    period: tuple[int | None, int] | None = None
    varying: frozenset[str] = frozenset()


@dataclass
class Table:
    """A recognised table: for each data row its number and, by contract column, its cells as text."""

    dataset: str
    sheet: str | None
    header: Header
    context: Context
    row_numbers: list[int] = field(default_factory=list)
    cells: dict[str, list[str | None]] = field(default_factory=dict)
    totals: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    ignored: list[tuple[int, str]] = field(default_factory=list)
    broken: list[tuple[int, str, str, str]] = field(default_factory=list)
    total_problem: str | None = None


# --- what a header cell means ---------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _index() -> dict[str, dict[str, str]]:
    """Dataset → {title to look up → column name}; the canonical title is entered first and wins."""
    index: dict[str, dict[str, str]] = {}
    for contract in ALL_DATASETS.values():
        entries: dict[str, str] = {}
        for title_of in (lambda c: (c.label_zh, c.title_zh), lambda c: c.synonyms):
            for column in contract.columns.values():
                for title in title_of(column):
                    entries.setdefault(plain(header_key(title)[0]), column.name)
                    entries.setdefault(plain(title), column.name)
        index[contract.name] = entries
    return index


@lru_cache(maxsize=1)
def _known_titles() -> frozenset[str]:
    return frozenset(title for entries in _index().values() for title in entries)


@lru_cache(maxsize=1)
def _neutral() -> dict[str, frozenset[str]]:
    return {c.name: frozenset(plain(label) for label in c.group_labels) for c in ALL_DATASETS.values()}


_SUBTOTAL_PARTS = frozenset(("小计", "合计", "总计", "计", "总数", "数", "人数", "金额"))


@lru_cache(maxsize=65536)
def _meaning(dataset: str, parts: tuple[str, ...]) -> tuple[str | None, str | None, str | None]:
    """(column, unit, unknown unit) that the stacked header cells `parts` stand for in `dataset`."""
    titles: list[str] = []
    unit: str | None = None
    unknown: str | None = None
    for part in parts:
        title, part_unit, part_unknown = header_key(part)
        is_unit = title in MONEY_UNITS or title in COUNT_UNITS
        # 户数 below 户籍情况 is a column of its own, 人 below 户籍人口 its unit.
        if not part_unit and is_unit and titles and plain(title) not in _index()[dataset]:
            part_unit, title = title, ""
        unit, unknown = part_unit or unit, part_unknown or unknown
        key = plain(title)
        if key and not (titles and (titles[-1] == key or key.isdigit())):
            titles.append(key)
    entries, neutral = _index()[dataset], _neutral()[dataset]
    while titles:
        found = entries.get("".join(titles))
        if found is None and len(titles) > 1 and titles[-1] in _SUBTOTAL_PARTS:
            found = entries.get("".join(titles[:-1]))
        if found is not None:
            return found, unit, unknown
        # A word above that is not known to be harmless (上年, 低保资金) may change what is meant: then no match.
        if titles[0] not in neutral:
            break
        titles = titles[1:]
    return None, unit, unknown


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else values.cell_text(cell)


def is_blank_row(row: Row) -> bool:
    """Whether a row has nothing in it."""
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in row)


def _known_cells(row: Row) -> int:
    known = _known_titles()
    count = 0
    for cell in row[:MAX_COLUMNS]:
        if isinstance(cell, str) and 0 < len(cell) <= 40 and plain(header_key(cell)[0]) in known:
            count += 1
    return count


# --- header blocks --------------------------------------------------------------------------------------


def _stacked(grid: Grid, first: int, last: int) -> tuple[tuple[str, ...], ...]:
    """For each grid column the header cells above one another, with merged cells filled in."""
    rows = [[_text(c).strip() for c in grid.rows[r][:MAX_COLUMNS]] for r in range(first, last + 1)]
    width = max((len(r) for r in rows), default=0)
    block = [r + [""] * (width - len(r)) for r in rows]
    for (top, left), (bottom, right) in grid.merged:
        if top > last or bottom < first or left >= width or top < first:
            continue
        value = block[top - first][left]
        for r in range(top, min(bottom, last) + 1):
            for c in range(left, min(right, width - 1) + 1):
                block[r - first][c] = value
    for upper, lower in itertools.pairwise(block):
        # Without merge information (CSV) a group's title stands over its first column only.
        for c in range(1, width):
            if not upper[c] and lower[c] and upper[c - 1] and lower[c - 1]:
                upper[c] = upper[c - 1]
    stacked = []
    for c in range(width):
        parts: list[str] = []
        for line in block:
            if line[c] and (not parts or parts[-1] != line[c]):
                parts.append(line[c])
        stacked.append(tuple(parts))
    return tuple(stacked)


@dataclass(frozen=True)
class _Match:
    dataset: str
    columns: dict[str, int]
    units: dict[str, str]
    unknown_units: dict[str, str]
    repeated: dict[str, list[int]]
    distinctive: int
    # Months as columns: period → column name → place; under "" a month that stands alone.
    wide: dict[tuple[int | None, int], dict[str, int]] = field(default_factory=dict)


_PERIOD = re.compile(
    r"^(?:(\d{4})年)?(\d{1,2})月份?$|^(\d{4})[-/.](\d{1,2})(?:[-/.]0?1)?$|^(\d{4})(0[1-9]|1[0-2])$"
)
_YEAR = re.compile(r"^(\d{4})年度?$")


@lru_cache(maxsize=65536)
def _split_period(parts: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int | None, int] | None]:
    """Header cells above one another without the month among them, and that month."""
    rest: list[str] = []
    year: int | None = None
    month: int | None = None
    for part in parts:
        title = values.digits_of_date(header_key(part)[0])
        found = _PERIOD.match(title)
        if found and month is None:
            groups = found.groups()
            at = next(i for i in (1, 3, 5) if groups[i])
            month, year = int(groups[at]), int(groups[at - 1]) if groups[at - 1] else year
            if header_key(part)[1]:
                rest.append(f"({header_key(part)[1]})")
            continue
        only_year = _YEAR.match(title)
        if only_year:
            year = int(only_year.group(1))
            continue
        rest.append(part)
    if month is None or not 1 <= month <= 12:
        return parts, None
    return tuple(rest), (year, month)


@lru_cache(maxsize=16384)
def _match(dataset: str, stacked: tuple[tuple[str, ...], ...]) -> _Match:
    """What the columns of a header mean in a dataset. Kept: offices send the same form month after month."""
    contract = ALL_DATASETS[dataset]
    columns: dict[str, int] = {}
    units: dict[str, str] = {}
    unknown_units: dict[str, str] = {}
    repeated: dict[str, list[int]] = {}
    wide: dict[tuple[int | None, int], dict[str, int]] = {}
    for at, parts in enumerate(stacked):
        if not parts:
            continue
        rest, period = _split_period(parts)
        if period is not None and "month" in contract.columns:
            name, unit, unknown = _meaning(dataset, rest) if rest else (None, None, None)
            if name is None and not all(header_key(r)[0] == "" for r in rest):
                continue
            if name is not None and not contract.columns[name].is_measure:
                continue
            places = wide.setdefault(period, {})
            if (name or "") in places:
                repeated.setdefault(name or "month", [places[name or ""]]).append(at)
            places[name or ""] = at
            unit = unit or next((u for r in rest if (u := header_key(r)[1])), None)
            if unit is not None:
                units[name or ""] = unit
            if unknown is not None:
                unknown_units[name or ""] = unknown
            continue
        name, unit, unknown = _meaning(dataset, parts)
        if name is None:
            continue
        column = contract.columns[name]
        if name in columns:
            if column.is_measure or column.kind in ("month", "date"):
                repeated.setdefault(name, [columns[name]]).append(at)
            elif plain(fold("".join(parts))) == plain(column.label_zh):
                columns[name] = at
            continue
        columns[name] = at
        if unit is not None:
            units[name] = unit
        if unknown is not None:
            unknown_units[name] = unknown
    if "month" in columns or len(wide) < 2:
        wide = {}
    everything = {*columns, *(name for places in wide.values() for name in places)}
    distinctive = sum(1 for name in everything if name in _distinctive()[dataset] or name == "")
    return _Match(dataset, columns, units, unknown_units, repeated, distinctive, wide)


@lru_cache(maxsize=1)
def _distinctive() -> dict[str, frozenset[str]]:
    """The columns that tell a dataset from the others (a code, a name or a month does not)."""
    shared = {"month", "reported_code", "reported_name", "subject_code", "subject_name", "remark"}
    shared |= {"division_code", "division_name", "indicator_name", "indicator_text"}
    shared |= {"change_year", "sequence_no", "province_name"}
    return {c.name: frozenset(c.columns) - shared for c in ALL_DATASETS.values()}


@lru_cache(maxsize=16384)
def _block_score(stacked: tuple[tuple[str, ...], ...]) -> tuple[int, int]:
    """(columns recognised in the best dataset, distinctive ones among them)."""
    return max((len(m.columns), m.distinctive) for m in (_match(d, stacked) for d in ALL_DATASETS))


def find_header(grid: Grid, start: int, stop: int) -> tuple[int, int] | None:
    """First and last row of the first header block in rows [start, stop); None if there is none."""
    for anchor in range(start, min(stop, len(grid.rows))):
        row = grid.rows[anchor]
        if _known_cells(row) < 2:
            continue
        best: tuple[tuple[int, int], int, int, int] | None = None
        for first in range(max(start, anchor - MAX_HEADER_ROWS + 1), anchor + 1):
            if first < anchor and _is_title(grid.rows[first]):
                continue
            for last in range(anchor, min(first + MAX_HEADER_ROWS, len(grid.rows))):
                if last > anchor and _looks_like_data(grid.rows[last]):
                    break
                score = _block_score(_stacked(grid, first, last))
                candidate = (score, -(last - first), first, last)
                if best is None or candidate[:2] > best[:2]:
                    best = candidate
        if best is not None and best[0][0] >= 2 and best[0][1] >= 1:
            return best[2], best[3]
        if best is not None and best[0][0] >= 3:
            return best[2], best[3]
    return None


def _is_title(row: Row) -> bool:
    """A line of its own above a table: one text at the left, or 填报单位：…; a header row has neither."""
    filled = [at for at, cell in enumerate(row[:MAX_COLUMNS]) if cell is not None and cell != ""]
    if filled == [0] or not filled:
        return True
    first = row[filled[0]]
    return isinstance(first, str) and ("：" in first or ":" in first)


def _looks_like_data(row: Row) -> bool:
    return any(
        (isinstance(c, (int, float)) and not isinstance(c, bool))
        or (isinstance(c, str) and _CODE_CELL.match(c.strip()))
        for c in row[:MAX_COLUMNS]
    )


def _missing(contract: Contract, columns: Iterable[str]) -> list[Column]:
    """Required columns that are not there; a code or a name is enough, a month may stand in the title."""
    have = set(columns)
    missing = [c for c in contract.required if c.name not in have and c.kind != "month"]
    if have & {"reported_code", "reported_name"}:
        missing = [c for c in missing if c.name not in ("reported_code", "reported_name")]
    if "subject_code" in have:
        missing = [c for c in missing if c.name != "subject_name"]
    if contract.name == "divisions":
        missing = [c for c in missing if c.name not in ("parent_code", "division_type")]
    return missing


def read_header(
    grid: Grid, first: int, last: int, titles_above: Sequence[str] = ()
) -> list[Header | Refusal]:
    """What the header block says: one `Header` for each dataset it is complete for (and, where months are columns,
    for each month), or why it cannot be used."""
    stacked = _stacked(grid, first, last)
    matches = [_named_by_title(_match(d, stacked), titles_above, grid.name) for d in ALL_DATASETS]
    matches.sort(key=lambda m: (-m.distinctive, -len(m.columns)))
    titles = {at: "".join(parts) for at, parts in enumerate(stacked) if parts}
    width = max(titles, default=-1) + 1
    found: list[Header | Refusal] = []
    for match in matches:
        contract = ALL_DATASETS[match.dataset]
        varying = frozenset(name for places in match.wide.values() for name in places)
        if match.distinctive == 0 or "" in varying or _missing(contract, {*match.columns, *varying}):
            continue
        problem = _header_problem(contract, match, titles, first, grid)
        if problem is not None:
            found.append(problem)
            continue
        if not match.wide:
            found.append(Header(match.dataset, first, last, match.columns, match.units, titles, width))
        for period, places in sorted(match.wide.items(), key=lambda item: (item[0][0] or 0, item[0][1])):
            columns = match.columns | places
            found.append(
                Header(
                    match.dataset, first, last, columns, match.units, titles, width, period, frozenset(places)
                )
            )
    if found:
        return found
    best = matches[0]
    if any("" in places for places in best.wide.values()):
        detail = "各列是月份，但标题里没有写明（或写了不止一项）是哪一项数据。"
        return [Refusal("F05", {"detail": detail}, last + 1, grid.name)]
    contract = ALL_DATASETS[best.dataset]
    unknown = "、".join(t for at, t in titles.items() if at not in best.columns.values()) or "无"
    missing = "、".join(c.title_zh for c in _missing(contract, best.columns))
    texts = {"dataset": contract.title_zh, "columns": missing, "unknown": unknown}
    return [Refusal("F06", texts, last + 1, grid.name, contract.name)]


def _named_by_title(match: _Match, titles: Sequence[str], sheet: str | None) -> _Match:
    """Give months that stand alone as columns the one figure that the title (or the sheet's name) speaks of."""
    if not any("" in places for places in match.wide.values()):
        return match
    name = _figure_in(" ".join(titles)) or _figure_in(sheet or "")
    if name is None or name[0] != match.dataset:
        return replace(match, distinctive=0) if name is not None else match
    wide = {period: {(n or name[1]): at for n, at in places.items()} for period, places in match.wide.items()}
    units = {(n or name[1]): u for n, u in match.units.items()}
    return replace(match, wide=wide, units=units)


def _figure_in(text: str) -> tuple[str, str] | None:
    """The one figure, as (dataset, column), whose title stands in a text; None if none or several do."""
    folded = plain(text)
    found: dict[str, tuple[str, str]] = {}
    for contract in ALL_DATASETS.values():
        for column in contract.measures:
            for title in (column.label_zh, *column.synonyms):
                if len(plain(title)) >= 4 and plain(title) in folded:
                    found[plain(title)] = (contract.name, column.name)
    longest = {v for t, v in found.items() if not any(t != o and t in o for o in found)}
    return longest.pop() if len(longest) == 1 else None


def _header_problem(
    contract: Contract, match: _Match, titles: dict[int, str], first: int, grid: Grid
) -> Refusal | None:
    for name, places in match.repeated.items():
        texts = {
            "column": contract.columns[name].title_zh,
            "where": "、".join(f"{column_letters(at)} 列“{titles[at]}”" for at in places),
        }
        return Refusal("F09", texts, first + 1, grid.name, contract.name)
    for name, unit in {**match.unknown_units, **match.units}.items():
        column = contract.columns[name]
        if column.kind in ("money", "count") and values.fits_unit(unit, column.kind) is None:
            return Refusal(
                "F10", {"column": column.title_zh, "unit": unit}, first + 1, grid.name, contract.name
            )
    return None


def column_letters(at: int) -> str:
    """0 → A, 26 → AA, as the sender sees it."""
    letters = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


# --- rows -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=65536)
def _is_total(name: str) -> bool:
    return bool(_TOTAL.match(fold(name)))


def classify(row: Row, header: Header) -> str:
    """What a row below a header is: data, total, footer, header (it may begin another table), index or note."""
    columns = header.columns
    code_at = columns.get("reported_code", columns.get("subject_code", columns.get("division_code", -1)))
    name_at = columns.get("reported_name", columns.get("subject_name", columns.get("division_name", -1)))
    if 0 <= code_at < len(row):
        code = row[code_at]
        if not (isinstance(code, str) and len(code) in (6, 9, 12) and code.isdigit() and code.isascii()):
            code = fold(_text(code))
        if _CODE_CELL.match(code):
            name = row[name_at] if 0 <= name_at < len(row) else ""
            return "total" if name and _is_total(_text(name)) else "data"
    else:
        code = ""
    filled = [(at, fold(_text(c))) for at, c in enumerate(row[:MAX_COLUMNS])]
    filled = [(at, c) for at, c in filled if c]
    if not filled:
        return "blank"
    if _known_cells(row) >= 2:
        return "header"
    lead = [text for at, text in filled if at <= max(code_at, name_at, 2)]
    if any(_TOTAL.match(text) for text in lead):
        return "total"
    if _FOOTER.match(filled[0][1]) or (not code and any(_FOOTER.match(t) for _, t in filled[:3])):
        return "footer"
    if len(filled) >= 3 and all(_INDEX_CELL.match(text) for _, text in filled):
        return "index"
    if len(filled) == 1 and filled[0][0] not in (code_at, name_at):
        return "note"
    if len(filled) == 1 and len(filled[0][1]) > 20:
        return "note"
    return "data"


def context_of(
    lines: Iterable[str], sheet: str | None, file_name: str, footer: Iterable[str] = ()
) -> Context:
    """Gather what title lines, sheet name and file name say; the nearer to the table, the stronger."""
    title = " ".join(lines)
    sheet_name = sheet or ""
    places = (title, sheet_name, file_name)
    month = next((m for p in places if p and (m := values.stated_month(p))), None)
    year = month.year if month else next((y for p in places if p and (y := values.stated_year(p))), None)
    if month is None and year is not None:
        # A sheet named 6月 in a workbook titled 2025年.
        match = re.search(r"(?<!\d)(\d{1,2})月", values.digits_of_date(fold(sheet_name)))
        if match and 1 <= int(match.group(1)) <= 12:
            month = date(year, int(match.group(1)), 1)
    money_unit, count_unit = stated_units(title)
    filed_on = values.stated_filing_day(title) or next(
        (d for line in footer if (d := values.stated_filing_day(line))), None
    )
    filed_on = filed_on or values.stated_filing_day(file_name)
    return Context(
        month=month,
        year=year,
        filed_on=filed_on,
        is_correction=any("更正" in p for p in places),
        money_unit=money_unit,
        count_unit=count_unit,
        words=" ".join(p for p in places if p),
    )


def _line(row: Row) -> str:
    return " ".join(t for c in row[:MAX_COLUMNS] if (t := _text(c).strip()))


def find_tables(grid: Grid, file_name: str) -> tuple[list[Table], list[Refusal]]:
    """All tables of a sheet, and those that had to be refused."""
    rows = grid.rows
    tables: list[Table] = []
    refusals: list[Refusal] = []
    at = 0
    title_from = 0
    while True:
        block = find_header(grid, at, at + HEADER_SEARCH_ROWS)
        if block is None:
            break
        first, last = block
        titles = [_line(r) for r in rows[title_from:first]]
        headers = read_header(grid, first, last, titles)
        end, body = _body(grid, headers, last + 1)
        title_from = _next_title(grid, body, end) if end < len(rows) else end
        for header in headers:
            kept = [(r, kind) for r, kind in body if r < title_from]
            if isinstance(header, Refusal):
                data = tuple(r + 1 for r, kind in kept if kind == "data")
                refusals.append(replace(header, rows=data, rows_ignored=len(kept) - len(data)))
                continue
            footer = [_line(rows[r]) for r, kind in kept if kind in ("footer", "note")]
            context = context_of(titles, grid.name, file_name, footer)
            if header.period is not None:
                year = header.period[0] or context.year
                if year is None:
                    data = tuple(r + 1 for r, kind in kept if kind == "data")
                    refusals.append(
                        Refusal("F18", {}, first + 1, grid.name, header.dataset, data, len(kept) - len(data))
                    )
                    break
                context = replace(context, month=date(year, header.period[1], 1), year=year)
            tables.append(_extract(grid, header, context, kept))
        at = end
        if at >= len(rows):
            break
    return tables, refusals


def _body(grid: Grid, headers: Sequence[Header | Refusal], start: int) -> tuple[int, list[tuple[int, str]]]:
    """Rows below a header with their kinds, up to a different header or the end of the sheet."""
    rows = grid.rows
    usable = [h for h in headers if isinstance(h, Header)]
    probe = usable[0] if usable else Header("", 0, 0, {}, {}, {}, 0)
    body: list[tuple[int, str]] = []
    r = start
    while r < len(rows):
        kind = classify(rows[r], probe)
        if kind == "header":
            block = find_header(grid, r, r + MAX_HEADER_ROWS)
            if block is not None:
                again = [h for h in read_header(grid, *block) if isinstance(h, Header)]
                if (
                    usable
                    and again
                    and all(a.columns == u.columns for a, u in zip(again, usable, strict=False))
                ):
                    body.extend((k, "header") for k in range(r, block[1] + 1))
                    r = block[1] + 1
                    continue
                return block[0] if block[0] >= r else r, body
            kind = "data"
        if kind != "blank":
            body.append((r, kind))
        r += 1
    return len(rows), body


def _next_title(grid: Grid, body: list[tuple[int, str]], end: int) -> int:
    """Where the title lines of the next table begin: the lines just above its header that are not data."""
    start = end
    kinds = dict(body)
    for r in range(end - 1, max(end - 7, -1), -1):
        if r in kinds and kinds[r] in ("total", "header", "index"):
            break
        if r in kinds and kinds[r] == "footer" and not _ABOVE.match(fold(_line(grid.rows[r]))):
            break
        if r in kinds and kinds[r] == "data" and sum(1 for c in grid.rows[r] if _text(c).strip()) > 3:
            break
        if r in kinds and kinds[r] == "data" and _looks_like_data(grid.rows[r]):
            break
        start = r
    return start


def _extract(grid: Grid, header: Header, context: Context, body: list[tuple[int, str]]) -> Table:
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
        is_month = contract.columns[name].kind == "month"
        column: list[str | None] = []
        for row in rows:
            cell = row[at] if at < len(row) else None
            if isinstance(cell, str):
                column.append(cell or None)
            elif type(cell) is float and not is_month:
                column.append(str(int(cell)) if cell.is_integer() and -1e15 < cell < 1e15 else f"{cell:.15g}")
            elif is_month and isinstance(cell, float) and round(cell % 1, 6) == 0.1:
                # The number 2025.1 is what Excel makes of 2025.10 as well as of 2025.1.
                column.append(f"{cell:.15g}?")
            else:
                column.append(values.cell_text(cell) or None)
        table.cells[name] = column
    for r, kind in body:
        if kind == "total":
            row = grid.rows[r]
            cells = {n: _text(row[at]).strip() for n, at in header.columns.items() if at < len(row)}
            table.totals.append((r + 1, {n: c for n, c in cells.items() if c}))
    _fill_merged(grid, table, data)
    table.total_problem = _check_total(table)
    if grid.is_csv:
        for r in data:
            extra = next((_text(c) for c in grid.rows[r][header.width :] if _text(c).strip()), None)
            if extra is not None:
                table.broken.append((r + 1, "", extra, "R20"))
    return table


def _fill_across(table: Table, contract: Contract, names: list[str | None], at: int | None) -> None:
    """A text merged over columns that all repeat (并入拉马乡 over code and name) stands in each of them."""
    if at is None or len(names) < 2 or names[0] is None or table.cells[names[0]][at] is None:
        return
    for name in names[1:]:
        if name is not None and contract.columns[name].repeats_when_merged:
            table.cells[name][at] = table.cells[names[0]][at]


def _fill_merged(grid: Grid, table: Table, data: list[int]) -> None:
    """A month merged over several rows holds for each of them; a figure merged over several rows for none."""
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
            if column.kind == "month" or column.repeats_when_merged:
                for r in covered:
                    table.cells[name][place[r]] = value
            elif column.is_measure and value is not None:
                for r in covered:
                    table.broken.append((r + 1, name, value, "R23"))


_GRAND_TOTAL = re.compile(r"^(?:.{0,14}(?:合计|总计|共计)|计)$")


def column_powers(dataset: str, header: Header, context: Context) -> dict[str, int]:
    """Power of ten of each column: its own unit, else the title's for its kind, else the contract's."""
    powers: dict[str, int] = {}
    for name in header.columns:
        column = ALL_DATASETS[dataset].columns[name]
        unit = header.units.get(name)
        if column.kind == "money":
            unit = unit or context.money_unit
        elif column.kind == "count" and unit is None and context.count_unit is not None:
            # 单位：万人 speaks of people; households and villages keep their own.
            unit = context.count_unit if context.count_unit[-1] == column.unit else None
        power = values.fits_unit(unit, column.kind) if unit else None
        if power:
            powers[name] = power
    return powers


def _exact(text: str | None, power: int) -> Decimal | None:
    """The figure in base units, whatever unit the cell names itself; its exponent tells its last digit."""
    if not text:
        return None
    try:
        value = Decimal(text).scaleb(power)
    except InvalidOperation:
        found = values.scaled(text, power)
        return found if isinstance(found, Decimal) else None
    return value if value.is_finite() else None


def _check_total(table: Table) -> str | None:
    """What a total row says against the sum of its details; None if they agree or there is nothing to compare.

    Rounded details need not add up to the rounded total: half a last digit is allowed for each row.
    """
    totals = [t for t in table.totals if any(_GRAND_TOTAL.match(fold(c)) for c in t[1].values())]
    if len(totals) != 1 or not table.row_numbers:
        return None
    columns = ALL_DATASETS[table.dataset].columns
    row_number, cells = totals[0]
    powers = column_powers(table.dataset, table.header, table.context)
    for name, written in cells.items():
        if name not in table.cells or columns[name].kind not in ("money", "count"):
            continue
        power = powers.get(name, 0)
        total = _exact(written, power)
        if total is None:
            continue
        details = [v for cell in table.cells[name] if (v := _exact(cell, power)) is not None]
        if not details:
            continue
        lasts = [Decimal(1).scaleb(min(power, int(v.as_tuple().exponent))) for v in details]
        found = sum(details, Decimal(0))
        if abs(found - total) > sum(lasts) / 2:
            return (
                f"第 {row_number} 行“{columns[name].title_zh}”合计 {total.normalize():f}，"
                f"明细之和 {found.normalize():f}"
            )
    return None
