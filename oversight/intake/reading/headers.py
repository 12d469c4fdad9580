"""Where a header stands on a sheet and what it says as a whole."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from oversight.contracts import ALL_DATASETS, Column, Contract
from oversight.intake.reading import values
from oversight.intake.reading.grid import (
    MAX_COLUMNS,
    Grid,
    Header,
    Refusal,
    Row,
    column_letters,
    is_blank_row,
    text_of,
)
from oversight.intake.reading.headings import (
    PERIOD,
    SUBTOTAL_PARTS,
    UNIT_LABELS,
    Match,
    column_of_unit,
    is_unit,
    known_cells,
    match_columns,
)
from oversight.intake.reading.text import fold, plain, stated_township

MAX_HEADER_ROWS = 4
# A header stands near the top of its table; below this many rows without one a sheet is not a report.
HEADER_SEARCH_ROWS = 120
TOTAL = re.compile(
    r"^(?:[一二三四五六七八九十]、)?(?:.{0,14}(?:合计|总计|小计|共计|汇总数?|累计数?|平均数?|平均值|均值)|计|总数|全[县区市省旗](?:合计)?|其中)[:)]?$"
)
# 其中：城镇 is a part of the row above; 其中：湘东镇 below a total is the first of the details.
CODE_CELL = re.compile(r"^\d{9}$|^\d{12}$|^\d{6}$")
INDEX_CELL = re.compile(r"^(?:[甲乙丙丁戊己庚辛壬癸]|\(?\d{1,2}\)?|栏次|行次|序号|[A-Z]|\d{1,2}=.*)$")
# --- header blocks --------------------------------------------------------------------------------------


def stacked_cells(grid: Grid, first: int, last: int) -> tuple[tuple[str, ...], ...]:
    """For each grid column the header cells above one another, with merged cells filled in."""
    rows = [[text_of(c).strip() for c in grid.rows[r][:MAX_COLUMNS]] for r in range(first, last + 1)]
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


@lru_cache(maxsize=16384)
def _block_score(stacked: tuple[tuple[str, ...], ...]) -> tuple[int, int, int]:
    """(columns recognised in the best dataset, distinctive ones among them, minus those found twice)."""
    return max(m.score for m in (match_columns(d, stacked) for d in ALL_DATASETS))


def find_header(grid: Grid, start: int, stop: int) -> tuple[int, int] | None:
    """First and last row of the first header block in rows [start, stop); None if there is none."""
    for anchor in range(start, min(stop, len(grid.rows))):
        row = grid.rows[anchor]
        if (known := known_cells(row)) < 2:
            # 乡镇 alone will do where months stand beside it or below it.
            beside = grid.rows[anchor : anchor + MAX_HEADER_ROWS - 1]
            if not known or not any(_has_months(r) for r in beside):
                continue
        best: tuple[tuple[int, int, int], int, int, int] | None = None
        for first in range(max(start, anchor - MAX_HEADER_ROWS + 1), anchor + 1):
            if first < anchor and _is_title(grid.rows[first]):
                continue
            for last in range(anchor, min(first + MAX_HEADER_ROWS, len(grid.rows))):
                if last > anchor and looks_like_data(grid.rows[last]):
                    break
                score = _block_score(stacked_cells(grid, first, last))
                candidate = (score, -(last - first), first, last)
                if best is None or candidate[:2] > best[:2]:
                    best = candidate
        if best is not None and best[0][0] >= 2 and best[0][1] >= 1:
            return best[2], _header_end(grid, best[2], best[3])
        if best is not None and best[0][0] >= 3:
            return best[2], _header_end(grid, best[2], best[3])
    return None


def _has_months(row: Row) -> bool:
    """Whether a row names two months or more, as a header does that has them as columns."""
    titles = (values.digits_of_date(fold(text_of(c))) for c in row[:MAX_COLUMNS] if text_of(c).strip())
    return len({t for t in titles if PERIOD.match(t)}) >= 2


def _header_end(grid: Grid, first: int, last: int) -> int:
    """The last row of a header, with what hangs on it: cells merged downwards, a row of units, 男 and 女 below 其中."""
    while last + 1 < min(first + MAX_HEADER_ROWS + 1, len(grid.rows)):
        row = grid.rows[last + 1]
        if is_blank_row(row) or looks_like_data(row):
            break
        hangs = any(first <= top <= last < bottom for (top, _), (bottom, _) in grid.merged)
        if not hangs and not _is_sub_header(row, stacked_cells(grid, first, last)):
            break
        last += 1
    return last


def _is_sub_header(row: Row, stacked: tuple[tuple[str, ...], ...]) -> bool:
    """Whether a row below a header goes on with it: units, or words over no unit of their own."""
    cells = {at: fold(text_of(c)) for at, c in enumerate(row[:MAX_COLUMNS]) if text_of(c).strip()}
    units = [t for t in cells.values() if is_unit(t)]
    if units and all(is_unit(t) or t in UNIT_LABELS or t in values.BLANKS for t in cells.values()):
        return True
    if len(cells) < 2 or any(at >= len(stacked) for at in cells):
        return False
    if any(column_of_unit(stacked[at]) for at in cells) or all(INDEX_CELL.match(t) for t in cells.values()):
        return False
    return all(
        (
            len(t) <= 16
            and t not in values.BLANKS
            and isinstance(values.quantity(t), values.Problem)
            and isinstance(values.yes_no(t), values.Problem)
            and not TOTAL.match(t.removeprefix("其中:"))
        )
        or t in SUBTOTAL_PARTS
        for t in cells.values()
    )


def _is_title(row: Row) -> bool:
    """A line of its own above a table: one text at the left, or 填报单位：…; a header row has neither."""
    filled = [at for at, cell in enumerate(row[:MAX_COLUMNS]) if cell is not None and cell != ""]
    if filled == [0] or not filled:
        return True
    first = row[filled[0]]
    return isinstance(first, str) and ("：" in first or ":" in first)


def looks_like_data(row: Row) -> bool:
    return any(
        (isinstance(c, (int, float)) and not isinstance(c, bool))
        or (isinstance(c, str) and CODE_CELL.match(c.strip()))
        for c in row[:MAX_COLUMNS]
    )


def _missing(contract: Contract, columns: Iterable[str], *, of_one: bool = False) -> list[Column]:
    """Required columns that are not there; a code or a name is enough, a month may stand in the title.

    `of_one`: title, sheet or file name say which township the whole table speaks of.
    """
    have = set(columns)
    if of_one:
        have.add("reported_name")
    missing = [c for c in contract.required if c.name not in have and c.kind != "month"]
    if have & {"reported_code", "reported_name"}:
        missing = [c for c in missing if c.name not in ("reported_code", "reported_name")]
    if "subject_code" in have:
        missing = [c for c in missing if c.name != "subject_name"]
    if contract.any_of and not have & set(contract.any_of):
        missing.append(contract.columns[contract.any_of[0]])
    if contract.name == "divisions":
        missing = [c for c in missing if c.name not in ("parent_code", "division_type")]
    return missing


def read_header(
    grid: Grid, first: int, last: int, titles_above: Sequence[str] = (), file_name: str = ""
) -> list[Header | Refusal]:
    """What the header block says: one `Header` for each dataset it is complete for (and, where months are columns,
    for each month), or why it cannot be used."""
    stacked = stacked_cells(grid, first, last)
    said = (" ".join(titles_above), grid.name or "", file_name)
    matches = [_named_by_title(match_columns(d, stacked), said) for d in ALL_DATASETS]
    of_one = stated_township(titles_above, grid.name, file_name) != (None, None)
    matches.sort(key=lambda m: (-m.distinctive, -len(m.columns)))
    titles = {at: "".join(parts) for at, parts in enumerate(stacked) if parts}
    width = max(titles, default=-1) + 1
    found: list[Header | Refusal] = []
    for match in matches:
        contract = ALL_DATASETS[match.dataset]
        varying = frozenset(name for places in match.wide.values() for name in places)
        if match.distinctive == 0 or "" in varying:
            continue
        if _missing(contract, {*match.columns, *varying}, of_one=of_one):
            continue
        problem = _header_problem(contract, match, titles, first, grid)
        if problem is not None:
            found.append(problem)
            continue
        if not match.wide:
            found.append(
                Header(
                    match.dataset,
                    first,
                    last,
                    match.columns,
                    match.units,
                    titles,
                    width,
                    year_at=match.year_at,
                    county_at=match.county_at,
                )
            )
        for period, places in sorted(match.wide.items(), key=lambda item: (item[0][0] or 0, item[0][1])):
            columns = match.columns | places
            found.append(
                Header(
                    match.dataset, first, last, columns, match.units, titles, width, period, frozenset(places)
                )
            )
    if found:
        return _with_others(found, titles)
    best = matches[0]
    if any("" in places for places in best.wide.values()):
        detail = "各列是月份，但标题里没有写明（或写了不止一项）是哪一项数据。"
        return [Refusal("F05", {"detail": detail}, last + 1, grid.name)]
    contract = ALL_DATASETS[best.dataset]
    unknown = "、".join(t for at, t in titles.items() if at not in best.columns.values()) or "无"
    missing = "、".join(c.title_zh for c in _missing(contract, best.columns, of_one=of_one))
    texts = {"dataset": contract.title_zh, "columns": missing, "unknown": unknown}
    return [Refusal("F06", texts, last + 1, grid.name, contract.name)]


# A number of the row, or where the unit lies: nothing that was reported.
_NO_REPORT = frozenset(
    ("序号", "编号", "行次", "栏次", "no", "县", "县区", "区县", "县市区", "所属县", "市", "省")
)


def _with_others(found: list[Header | Refusal], titles: Mapping[int, str]) -> list[Header | Refusal]:
    """The headers, the first of them with the columns that none of them knows: these are kept, not dropped."""
    headers = [h for h in found if isinstance(h, Header)]
    used = {at for h in headers for at in (*h.columns.values(), h.year_at, h.county_at)}
    others = {
        at: title
        for at, title in titles.items()
        if at not in used and plain(title).lower() not in _NO_REPORT and not INDEX_CELL.match(fold(title))
    }
    if not headers or not others:
        return found
    first = headers[0]
    return [replace(first, others=others) if h is first else h for h in found]


def _named_by_title(match: Match, said: Sequence[str]) -> Match:
    """Give months that stand alone as columns the one figure that the title (else the sheet's or file's name) names."""
    if not any("" in places for places in match.wide.values()):
        return match
    if match.item_at is not None and "indicator_code" not in match.columns:
        # Each row is another figure, whatever the title speaks of.
        return replace(match, distinctive=0)
    name = next((found for words in said if (found := _figure_in(words))), None)
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
    contract: Contract, match: Match, titles: dict[int, str], first: int, grid: Grid
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
