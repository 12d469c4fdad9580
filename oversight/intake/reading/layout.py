"""Find the tables on a sheet: where the header is, what its columns mean, and which rows below are data.

Pure functions over grids of cells; nothing here reads files or judges values. A table is recognised by its
columns alone. What cannot be recognised with certainty is not guessed: it is left out and named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache

from oversight.intake.reading import values
from oversight.intake.reading.body import ABOVE, classify, extract
from oversight.intake.reading.evidence import are_names_of_funds
from oversight.intake.reading.grid import (
    MAX_COLUMNS,
    Context,
    Grid,
    Header,
    Refusal,
    Table,
    is_blank_row,
    line_of,
    text_of,
)
from oversight.intake.reading.headers import (
    HEADER_SEARCH_ROWS,
    MAX_HEADER_ROWS,
    find_header,
    looks_like_data,
    read_header,
    stacked_cells,
)
from oversight.intake.reading.headings import column_of_unit
from oversight.intake.reading.nothing import dataset_of_titles, nil_table, says_nil
from oversight.intake.reading.periods import stated_span
from oversight.intake.reading.sideways import put_back, turn
from oversight.intake.reading.text import (
    fold,
    stated_reporter,
    stated_township,
    stated_units,
)
from oversight.intake.reading.totals import check_total

_MONTH_SAID = re.compile(r"(?<![\d至~、-])(\d{1,2})月(?![\d至~、-])")


def context_of(
    lines: Sequence[str],
    sheet: str | None,
    file_name: str,
    footer: Sequence[str] = (),
    opening: Sequence[str] = (),
) -> Context:
    """Gather what is said around a table; the nearer to the table, the stronger.

    `lines` are its own title lines, `opening` those at the top of the sheet, for a second table below or beside
    the first; then come the sheet's name and the file's.
    """
    title = " ".join(lines)
    sheet_name = sheet or ""
    places = (title, " ".join(opening), sheet_name, file_name)
    base = re.split(r"[/\\]", file_name)[-1]
    told = [
        (label, m)
        for label, p in (("标题", title), ("工作表名", sheet_name), ("文件名", base))
        if (m := values.stated_month(p))
    ]
    month = next((m for p in places if p and (m := values.stated_month(p))), None)
    span = None if month else next((s for p in places if p and (s := stated_span(p))), None)
    year = month.year if month else next((y for p in places if p and (y := values.stated_year(p))), None)
    if span is not None:
        year = span.year or year
        month = span.month(year)
    if month is None and year is not None:
        # A sheet or a file named 6月 where 2025年 is said elsewhere; 1-6月 is no month.
        found = (_MONTH_SAID.findall(values.digits_of_date(fold(p))) for p in (sheet_name, file_name))
        said = next((set(map(int, m)) for m in found if m), set())
        if len(said) == 1 and 1 <= (month_no := said.pop()) <= 12:
            month = date(year, month_no, 1)
    units = [stated_units(p) for p in (title, " ".join(footer), *places[1:])]
    filed_on = values.stated_filing_day(title) or next(
        (d for line in footer if (d := values.stated_filing_day(line))), None
    )
    filed_on = filed_on or values.stated_filing_day(file_name)
    return Context(
        month=month,
        year=year,
        filed_on=filed_on,
        is_correction=any("更正" in p for p in places),
        money_unit=next((money for money, _ in units if money), None),
        count_unit=next((count for _, count in units if count), None),
        words=" ".join(dict.fromkeys(p for p in places if p)),
        township=stated_township(lines, sheet, file_name),
        reporter=stated_reporter((*lines, *opening), footer),
        period=next((p for place in (title, " ".join(opening)) if (p := values.stated_period(place))), None),
        sender=sender_of(lines, sheet, base),
        span=(span.first, span.last) if span is not None and month is not None else None,
        month_from=next((label for label, m in told if m == month), "标题"),
        months_said=_disagreement(told),
    )


def _disagreement(told: Sequence[tuple[str, date]]) -> str:
    """What each place says of the month, where they do not agree; nothing where they do."""
    return "，".join(f"{label} {m:%Y-%m}" for label, m in told) if len({m for _, m in told}) > 1 else ""


_SENDER = re.compile(r"(?:填报单位|报送单位|编制单位|填表单位)\s*[:：]\s*([^\s:：()（）]+)")
_PLACE = re.compile(r"^(?:关于)?([\u4e00-\u9fff]{1,14}?(?:自治县|县|区|市|旗|镇|乡|街道))(?!划|间|域|级)")


def sender_of(lines: Sequence[str], sheet: str | None, base: str) -> str:
    """Who sends a table, as it says itself: 填报单位, else the place that title, sheet or file name begin with."""
    for line in lines:
        if found := _SENDER.search(line):
            return fold(found.group(1))
    for text in (*lines, sheet or "", base):
        if found := _PLACE.match(fold(text)):
            return found.group(1)
    return ""


def find_tables(grid: Grid, file_name: str) -> tuple[list[Table], list[Refusal]]:
    """All tables of a sheet, and those that had to be refused; a sheet that lies on its side is turned first."""
    tables, refusals = _upright(grid, file_name)
    if tables or len(grid.rows) > HEADER_SEARCH_ROWS:
        return tables, refusals
    turned = turn(grid)
    if turned is not None:
        found = _upright(turned.grid, file_name)
        if found[0]:
            return put_back(turned, *found)
    return tables, refusals


def _upright(
    grid: Grid, file_name: str, start: int = 0, opening: Sequence[str] = ()
) -> tuple[list[Table], list[Refusal]]:
    """All tables of a sheet whose figures stand below their headings, and those that had to be refused.

    `start` and `opening`: from which row on to look, and what was said above it, for the parts of a sheet.
    """
    rows = grid.rows
    tables: list[Table] = []
    refusals: list[Refusal] = []
    at = title_from = start
    while True:
        block = find_header(grid, at, at + HEADER_SEARCH_ROWS)
        if block is None:
            break
        first, last = block
        titles = [line_of(r) for r in rows[title_from:first]]
        opening = opening or titles
        bands = _bands(grid, first, last, titles, file_name)
        if bands:
            parts = [_upright(_columns_only(grid, *b), file_name, title_from, opening) for b in bands]
            tables.extend(_halves([t for found, _ in parts for t in found]))
            refusals.extend(r for _, found in parts for r in found)
            break
        headers = read_header(grid, first, last, titles, file_name)
        end, body = _body(grid, headers, last + 1, titles)
        title_from = _next_title(grid, body, end) if end < len(rows) else end
        for header in headers:
            kept = [(r, kind) for r, kind in body if r < title_from]
            nil = _nil_report(grid, header, kept, titles, file_name, opening)
            if nil is not None:
                tables.extend(nil[0])
                refusals.extend(nil[1])
                continue
            if isinstance(header, Refusal):
                data = tuple(r + 1 for r, kind in kept if kind == "data")
                refusals.append(replace(header, rows=data, rows_ignored=len(kept) - len(data)))
                continue
            footer = [line_of(rows[r]) for r, kind in kept if kind in ("footer", "note")]
            context = context_of(titles, grid.name, file_name, footer, opening)
            if header.period is not None:
                year = header.period[0] or context.year
                if year is None:
                    data = tuple(r + 1 for r, kind in kept if kind == "data")
                    refusals.append(
                        Refusal("F18", {}, first + 1, grid.name, header.dataset, data, len(kept) - len(data))
                    )
                    break
                context = replace(context, month=date(year, header.period[1], 1), year=year)
            tables.append(extract(grid, header, context, kept))
        at = end
        if at >= len(rows):
            break
    if not tables and not refusals and not start:
        return _nil_sheet(grid, file_name)
    return tables, refusals


def _nil_report(
    grid: Grid,
    header: Header | Refusal,
    body: Sequence[tuple[int, str]],
    titles: Sequence[str],
    file_name: str,
    opening: Sequence[str],
) -> tuple[list[Table], list[Refusal]] | None:
    """The report of a table below whose header stands only that there is nothing to report; None if more stands there."""
    dataset = header.dataset
    said = next((r for r, kind in body if kind != "total" and says_nil(grid.rows[r])), None)
    if said is None or dataset is None or any(kind == "data" and r != said for r, kind in body):
        return None
    footer = [line_of(grid.rows[r]) for r, _ in body if r != said]
    found = nil_table(grid, dataset, context_of(titles, grid.name, file_name, footer, opening), said)
    for table in found[0]:
        table.ignored = [(r + 1, kind) for r, kind in body if r != said]
    return found


def _nil_sheet(grid: Grid, file_name: str) -> tuple[list[Table], list[Refusal]]:
    """The report of a sheet without any header that says that there is nothing to report."""
    filled = [r for r, row in enumerate(grid.rows[:HEADER_SEARCH_ROWS]) if not is_blank_row(row)]
    said = next((r for r in filled if says_nil(grid.rows[r])), None)
    if said is None or len(filled) > 12:
        return [], []
    titles = [line_of(grid.rows[r]) for r in filled if r < said]
    footer = [line_of(grid.rows[r]) for r in filled if r > said]
    dataset = dataset_of_titles((*titles, grid.name or "", file_name))
    if dataset is None:
        return [], [Refusal("F40", {}, said + 1, grid.name)]
    return nil_table(grid, dataset, context_of(titles, grid.name, file_name, footer), said)


def _bands(grid: Grid, first: int, last: int, titles: Sequence[str], file_name: str) -> list[tuple[int, int]]:
    """Column ranges of tables that stand side by side; none unless every part is a complete table by itself."""
    stacked = stacked_cells(grid, first, last)
    starts = _band_starts(stacked)
    found = list(zip(starts, (*starts[1:], MAX_COLUMNS), strict=True)) if starts else []
    for low, high in found:
        alone = _columns_only(grid, low, high)
        parts = read_header(alone, first, last, titles, file_name)
        if not any(isinstance(h, Header) for h in parts) or are_names_of_funds(alone, last + 1, low):
            # Names of funds begin no table beside another.
            return []
    return found


def _halves(tables: list[Table]) -> list[Table]:
    """Tables beside one another; a total among those of one dataset and month is that of all of them."""
    for table in tables:
        same = [t for t in tables if (t.dataset, t.context.month) == (table.dataset, table.context.month)]
        if len(same) > 1 and table.totals:
            whole = replace(
                table,
                row_numbers=[n for t in same for n in t.row_numbers],
                cells={
                    n: [c for t in same for c in t.cells[n]]
                    for n in table.cells
                    if all(n in t.cells for t in same)
                },
            )
            table.total_problem = check_total(whole)
    return tables


@lru_cache(maxsize=16384)
def _band_starts(stacked: tuple[tuple[str, ...], ...]) -> tuple[int, ...]:
    """Where code, name or month begin anew after figures: the first column of each table beside another."""
    starts = [0]
    seen: set[str] = set()
    run: set[str] = set()
    run_at = 0
    has_figures = False
    for at, parts in enumerate((*stacked, ("",))):
        name = column_of_unit(parts) if parts else None
        if name is not None:
            run_at = run_at if run else at
            run.add(name.replace("subject_", "reported_").replace("division_", "reported_"))
        elif parts:
            if run & seen and has_figures:
                starts.append(run_at)
                seen = set()
            seen |= run
            run, has_figures = set(), True
    return tuple(starts) if len(starts) > 1 else ()


def _columns_only(grid: Grid, low: int, high: int) -> Grid:
    """The sheet with everything outside columns [low, high) blank; places stay as they are."""
    rows = [[cell if low <= at < high else None for at, cell in enumerate(row)] for row in grid.rows]
    merged = [
        ((top, left), (bottom, min(right, high - 1)))
        for (top, left), (bottom, right) in grid.merged
        if low <= left < high
    ]
    return replace(grid, rows=rows, merged=merged)


def _body(
    grid: Grid, headers: Sequence[Header | Refusal], start: int, titles: Sequence[str]
) -> tuple[int, list[tuple[int, str]]]:
    """Rows below a header with their kinds, up to a different header or the end of the sheet.

    The same header again goes on with the table, unless the lines above it speak of something else.
    """
    rows = grid.rows
    usable = [h for h in headers if isinstance(h, Header)]
    probe = usable[0] if usable else Header("", 0, 0, {}, {}, {}, 0)
    body: list[tuple[int, str]] = []
    r = start
    while r < len(rows):
        if not rows[r]:
            # Up to a far cell there may be a million of them.
            r += 1
            continue
        kind = classify(rows[r], probe)
        if kind == "header":
            block = find_header(grid, r, r + MAX_HEADER_ROWS)
            if block is not None:
                above = _next_title(grid, body, block[0])
                lines = [line_of(row) for row in rows[above : block[0]]]
                again = [h for h in read_header(grid, *block, titles) if isinstance(h, Header)]
                if (
                    usable
                    and again
                    and all(a.columns == u.columns for a, u in zip(again, usable, strict=False))
                    and not _speaks_of_another(lines, titles)
                ):
                    body = [(k, kind) for k, kind in body if k < above]
                    body.extend(
                        (k, "header") for k in range(above, block[1] + 1) if not is_blank_row(rows[k])
                    )
                    r = block[1] + 1
                    continue
                return block[0] if block[0] >= r else r, body
            kind = "data"
        if kind != "blank":
            body.append((r, kind))
        r += 1
    return len(rows), body


def _speaks_of_another(lines: Sequence[str], titles: Sequence[str]) -> bool:
    """Whether title lines name another month, year, unit of figures or township than those above the first part."""
    new, old = context_of(lines, None, ""), context_of(titles, None, "")
    pairs = (
        (new.month, old.month),
        (new.year, old.year),
        (new.money_unit, old.money_unit),
        (new.count_unit, old.count_unit),
        (new.township[1], old.township[1]),
    )
    return any(n is not None and n != o for n, o in pairs)


def _next_title(grid: Grid, body: list[tuple[int, str]], end: int) -> int:
    """Where the title lines of the next table begin: the lines just above its header that are not data."""
    start = end
    kinds = dict(body)
    for r in range(end - 1, max(end - 7, -1), -1):
        if r in kinds and kinds[r] in ("total", "header", "index"):
            break
        if r in kinds and kinds[r] == "footer" and not ABOVE.match(fold(line_of(grid.rows[r]))):
            break
        if r in kinds and kinds[r] == "data" and sum(1 for c in grid.rows[r] if text_of(c).strip()) > 3:
            break
        if r in kinds and kinds[r] == "data" and looks_like_data(grid.rows[r]):
            break
        start = r
    return start
