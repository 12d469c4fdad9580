"""Where a header stands on a sheet and what it says as a whole."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import cast

from oversight.contracts import ALL_DATASETS, Column, Contract
from oversight.intake.reading import values
from oversight.intake.reading.evidence import weigh
from oversight.intake.reading.funds_across import fund_headers
from oversight.intake.reading.grammar import Certainty, Said
from oversight.intake.reading.grid import (
    MAX_COLUMNS,
    Cell,
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
    distinctive_columns,
    is_unit,
    known_cells,
    match_columns,
    nearly,
    role_of,
)
from oversight.intake.reading.periods import stated_span
from oversight.intake.reading.prefilled import with_prefilled
from oversight.intake.reading.text import fits_unit, fold, plain, stated_township, stated_units
from oversight.intake.reading.words import words_of

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


def without_question(cell: str) -> str:
    """A heading as its sender wrote it: 年初预算安排 → 年初预算(元)？ is our question in a returned workbook.

    Without the question mark it is the sender's answer.
    """
    if "→" not in cell:
        return cell
    before, after = (part.strip() for part in cell.split("→", 1))
    return before if after.endswith(("?", "？")) else after


def stacked_cells(grid: Grid, first: int, last: int) -> tuple[tuple[str, ...], ...]:
    """For each grid column the header cells above one another, with merged cells filled in."""
    rows = [
        [without_question(text_of(c).strip()) for c in grid.rows[r][:MAX_COLUMNS]]
        for r in range(first, last + 1)
    ]
    # A cell merged to the right reaches further than the last one that is filled.
    reach = (right + 1 for (top, _), (_, right) in grid.merged if first <= top <= last)
    width = min(max([len(r) for r in rows] + list(reach), default=0), MAX_COLUMNS)
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
        if not any(cell is not None and cell != "" for cell in row[1:MAX_COLUMNS]):
            # A line of its own: one cell is no header, and each file has another to be looked into.
            continue
        if (known := known_cells(row)) < 2:
            # 乡镇 alone will do where months stand beside it or below it.
            beside = grid.rows[anchor : anchor + MAX_HEADER_ROWS - 1]
            if not known or _is_title(row):
                continue
            # Where group headings reach over what they put together, most columns are named below them.
            is_of_groups = any(
                top == anchor < bottom or (top == anchor and right > left)
                for (top, left), (bottom, right) in grid.merged
            )
            below = itertools.takewhile(lambda r: not looks_like_data(r), beside[1:])
            if not any(_has_months(r) for r in beside) and not (
                is_of_groups and any(known_cells(r) for r in below)
            ):
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
        if best is not None and (best[0][0] >= 3 or (best[0][0] >= 2 and best[0][1] >= 1)):
            return _header_start(grid, start, best[2], best[3]), _header_end(grid, best[2], best[3])
    return None


def _header_start(grid: Grid, start: int, first: int, last: int) -> int:
    """The first row of a header, with the row above it whose cells are merged down into it or stand over its columns."""
    while first > start and last - first + 1 < MAX_HEADER_ROWS:
        row = grid.rows[first - 1]
        if is_blank_row(row) or looks_like_data(row) or _is_title(row):
            break
        reaches_down = any(top == first - 1 < bottom for (top, _), (bottom, _) in grid.merged)
        cells = [fold(text_of(c)) for c in row[:MAX_COLUMNS] if text_of(c).strip()]
        if not reaches_down or any(len(c) > 24 or UNIT_LINE.search(c) for c in cells):
            break
        first -= 1
    return first


# A line above a table that says in what its figures are given.
UNIT_LINE = re.compile(r"单位[:：]|[:：]$")


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
    # Of a group's title that stands over its first column only, the last columns have nothing above them.
    beyond = [at for at in cells if at >= len(stacked)]
    if (len(cells) < 2 and not known_cells(row)) or any(at - 1 not in cells for at in beyond):
        return False
    if any(column_of_unit(stacked[at]) for at in cells if at < len(stacked)) or all(
        INDEX_CELL.match(t) for t in cells.values()
    ):
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


def missing_columns(contract: Contract, columns: Iterable[str], *, of_one: bool = False) -> list[Column]:
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


# A table of these that lacks a required figure is used for what it has: what is not there counts as not reported.
_USED_IN_PART = frozenset(("population", "budget", "staffing"))


def needed_columns(contract: Contract, columns: Iterable[str], *, of_one: bool = False) -> list[Column]:
    """The missing columns without which a table cannot be used at all: whom it is of, or all but one of its figures.

    A single figure beside a required one that is missing says too little of which report this is.
    """
    have = set(columns)
    missing = missing_columns(contract, have, of_one=of_one)
    own = have & distinctive_columns()[contract.name]
    if (
        contract.name in _USED_IN_PART
        and len(own & {c.name for c in contract.measures}) > 1
        and all(c.is_measure for c in missing)
    ):
        return []
    return missing


def read_header(
    grid: Grid, first: int, last: int, titles_above: Sequence[str] = (), file_name: str = ""
) -> list[Header | Refusal]:
    """What the header block says: one `Header` for each dataset it is complete for (and, where months are columns,
    for each month), or why it cannot be used."""
    stacked = stacked_cells(grid, first, last)
    around = (" ".join(titles_above), grid.name or "", file_name)
    kinds = kinds_below(grid, last + 1, len(stacked))
    said = said_around(around, _months_below(grid, stacked, last + 1, kinds))
    units = stated_units(around[0])
    without_figures = _understood_by_words(stacked, said, kinds, units)
    matches = [
        _named_by_title(match or _understood(d, stacked, said, kinds, units, grid, last + 1), around)
        for d, match in zip(ALL_DATASETS, without_figures, strict=True)
    ]
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
        texts_around = (*around, *titles.values())
        if missing_columns(contract, {*match.columns, *varying}, of_one=of_one) and (
            varying or said.is_other_people or needed_columns(contract, _certain(match), of_one=of_one)
        ):
            continue
        if not _is_meant(match, texts_around) or (match is not matches[0] and _is_aside(match, stacked)):
            continue
        problem = _header_problem(contract, match, titles, first, grid)
        if problem is not None:
            found.append(problem)
            continue
        asked = _asked(match)
        inferred = frozenset(n for n, c in match.sure.items() if c is Certainty.INFERRED)
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
                    asked=asked,
                    inferred=inferred,
                )
            )
        periods = sorted(match.wide.items(), key=lambda item: (item[0][0] or 0, item[0][1]))
        for number, (period, places) in enumerate(periods, start=1):
            # What was paid by the end of the year so far, or lives there now, belongs to the last of the months.
            fixed = {
                n: at
                for n, at in match.columns.items()
                if number == len(periods) or not is_of_one_month(match.dataset, n)
            }
            columns = fixed | places
            found.append(
                Header(
                    match.dataset,
                    first,
                    last,
                    columns,
                    match.units,
                    titles,
                    width,
                    period,
                    frozenset(places),
                    asked=asked & frozenset(columns),
                    inferred=inferred & frozenset(columns),
                )
            )
    if not any(h.dataset == "budget" for h in found):
        budget = next(m for m in matches if m.dataset == "budget")
        base = Header(
            "budget",
            first,
            last,
            budget.columns,
            {},
            titles,
            width,
            county_at=budget.county_at,
            year_at=budget.year_at,
        )
        if budget.columns.keys() & {"reported_code", "reported_name"}:
            found.extend(fund_headers(base, stacked, kinds, said, around))
    if found:
        return _with_others(found, titles, kinds)
    best = matches[0]
    if any("" in places for places in best.wide.values()):
        detail = "各列是月份，但标题里没有写明（或写了不止一项）是哪一项数据。"
        return [Refusal("F05", {"detail": detail}, last + 1, grid.name)]
    used = {best.columns[n] for n in _certain(best)}
    left = {at: t for at, t in titles.items() if at not in used}
    missed = {at: like for at in left if (like := nearly("".join(stacked[at][-1:]))) is not None}
    # 户籍人口 over 男 and 女 names the matter, though neither column is it.
    of = next((like for at in left for part in stacked[at] if (like := nearly(part)) is not None), None)
    if not best.distinctive and of is None:
        # 区划代码, 乡镇 and 备注 stand in every table: they do not say which one this is.
        known = "、".join(f"“{titles[at]}”" for at in sorted(used))
        rest = f"，没有认出“{'”“'.join(left.values())}”" if left else ""
        detail = f"认出了{known}{rest}；没有认出报什么数的列。"
        return [Refusal("F05", {"detail": detail}, last + 1, grid.name)]
    contract = ALL_DATASETS[best.dataset]
    if not best.distinctive and of is not None:
        contract = ALL_DATASETS[of[0]]
    unknown = "、".join(
        f"{t}（与“{missed[at][1]}”只差一点）" if at in missed else t for at, t in left.items()
    )
    unknown = unknown or "无"
    missing = "、".join(c.title_zh for c in missing_columns(contract, best.columns, of_one=of_one))
    texts = {"dataset": contract.title_zh, "columns": missing, "unknown": unknown}
    return [Refusal("F06", texts, last + 1, grid.name, contract.name)]


def _understood(
    dataset: str,
    stacked: tuple[tuple[str, ...], ...],
    said: Said,
    kinds: tuple[str, ...],
    units: tuple[str | None, str | None],
    grid: Grid,
    first: int,
) -> Match:
    """What the columns of a header mean in a dataset, by their words and by the figures from row `first` on."""
    match = weigh(match_columns(dataset, stacked, said, kinds), grid, first, said, units, stacked)
    return _with_likely(match, stacked, kinds, said, grid, first, units)


class _FiguresAskedFor(Exception):
    """What headings mean depends on the figures below them."""


class _Unread:
    """Stands for a sheet of which only the headings are known."""

    @property
    def rows(self) -> Sequence[Row]:
        raise _FiguresAskedFor


@lru_cache(maxsize=4096)
def _understood_by_words(
    stacked: tuple[tuple[str, ...], ...],
    said: Said,
    kinds: tuple[str, ...],
    units: tuple[str | None, str | None],
) -> tuple[Match | None, ...]:
    """What a header means in each dataset; None where figures have a say. Offices send the same form again and again."""
    found: list[Match | None] = []
    for dataset in ALL_DATASETS:
        try:
            found.append(_understood(dataset, stacked, said, kinds, units, cast(Grid, _Unread()), 0))
        except _FiguresAskedFor:
            found.append(None)
    return tuple(found)


def _with_likely(
    match: Match,
    stacked: Sequence[tuple[str, ...]],
    kinds: Sequence[str],
    said: Said,
    grid: Grid,
    first: int,
    units: tuple[str | None, str | None],
) -> Match:
    """The match with what its other headings mean or most likely mean; most tables have none, and load nothing for it."""
    taken = set(match.columns.values())
    is_other = said.is_other_fund if match.dataset == "budget" else said.is_other_people
    if match.dataset not in _USED_IN_PART or is_other or match.wide or not kinds:
        return match
    if all(at in taken or not parts for at, parts in enumerate(stacked)) and not match.sure:
        return match
    from oversight.intake.reading.likely import propose

    return propose(match, stacked, kinds, said, grid, first, units)


# A number of the row, or where the unit lies: nothing that was reported.
_NO_REPORT = frozenset(
    ("不使用", "序号", "编号", "行次", "栏次", "no", "县", "县区", "区县", "县市区", "所属县", "市", "省")
)


def _with_others(
    found: list[Header | Refusal], titles: Mapping[int, str], kinds: Sequence[str]
) -> list[Header | Refusal]:
    """The headers, the first of them with the columns that none of them knows: these are kept, not dropped.

    A column without a heading is one of them where figures stand in it.
    """
    found = [with_prefilled(h, titles) if isinstance(h, Header) else h for h in found]
    headers = [h for h in found if isinstance(h, Header)]
    used = {
        at
        for h in headers
        for at in (*h.columns.values(), h.year_at, h.county_at, h.tick_at, *h.last_at.values())
    }
    others = {
        at: title
        for at, title in titles.items()
        if at not in used and plain(title).lower() not in _NO_REPORT and not INDEX_CELL.match(fold(title))
    }
    others |= {
        at: f"{column_letters(at)}列（无表头）"
        for at, kind in enumerate(kinds)
        if kind == "number" and at not in titles and at not in used
    }
    if not headers or not others:
        return found
    first = headers[0]
    return [replace(first, others=others) if h is first else h for h in found]


# What a table must speak of for a dataset that its headings only hint at.
_MATTERS = {
    "population": re.compile("户籍|户口|人口"),
    "budget": re.compile("经费|预算|拨付|拨款|资金|财政|支出"),
    "staffing": re.compile("人员|编制|队伍|力量|协理员"),
}


def _is_meant(match: Match, texts: Sequence[str]) -> bool:
    """Whether a table may be one of this dataset: its own columns are certain, or title or headings speak of it."""
    own = {n for n in match.columns if n in distinctive_columns()[match.dataset]}
    if match.wide or any(match.sure.get(n, Certainty.SPELLED) > Certainty.QUESTION for n in own):
        return True
    matter = _MATTERS.get(match.dataset)
    return matter is not None and any(matter.search(t) for t in texts)


def _is_aside(match: Match, stacked: Sequence[tuple[str, ...]]) -> bool:
    """Whether nothing in a table of another dataset is this one's own but headings that only resemble one of its
    columns and do not speak of its matter: 在职在册 of a table of staff is no register of people."""
    own = [n for n in match.columns if n in distinctive_columns()[match.dataset]]
    matter = _MATTERS.get(match.dataset)
    if match.wide or matter is None or any(n not in match.sure for n in own):
        return False
    return not any(matter.search(part) for n in own for part in stacked[match.columns[n]])


def _asked(match: Match) -> frozenset[str]:
    return frozenset(n for n, c in match.sure.items() if c is Certainty.QUESTION)


def _certain(match: Match) -> set[str]:
    return {n for n in match.columns if match.sure.get(n, Certainty.SPELLED) > Certainty.QUESTION}


def is_of_one_month(dataset: str, name: str) -> bool:
    """Whether a column's figure belongs to one month, so that it must not be repeated for others."""
    column = ALL_DATASETS[dataset].columns[name]
    return column.is_measure and (dataset == "population" or column.scale == "flow")


_SAMPLE_ROWS = 40
NAME_BELOW = re.compile(
    r"(?:[镇乡]|街道|苏木|[农林牧渔]场|街道办|办事处|镇政府|乡政府|人民政府|民政办|民政所|社会事务办|管委会|开发区|园区)$"
)


def kinds_below(grid: Grid, start: int, width: int) -> tuple[str, ...]:
    """What the cells below each column of a header look like: code, name, month, number, text or blank."""
    rows = [r for r in grid.rows[start : start + _SAMPLE_ROWS] if not is_blank_row(r)]
    return tuple(_kind_of([r[at] for r in rows if at < len(r)]) for at in range(width))


def _kind_of(cells: Sequence[Cell]) -> str:
    # Nearly all cells are numbers, or texts that came before: neither is parsed again.
    figures = [c for c in cells if type(c) is float]
    if figures and len(figures) == len(cells) and max(figures) < 1e8:
        return "number"
    count = numbers = len(figures)
    codes = sum(map(_may_be_code, figures))
    names = 0
    texts: list[str] = []
    for cell in cells:
        if type(cell) is float:
            continue
        text = text_of(cell)
        if len(text) in (9, 12) and text.isascii() and text.isdigit():
            # Each file has others: there is nothing to be remembered.
            is_number, is_name = True, False
        elif (told := _told(text)) is not None:
            text, is_number, is_name = told
        else:
            continue
        texts.append(text)
        numbers += is_number
        names += is_name
        codes += is_number and len(text) in (9, 12) and text.isascii() and text.isdigit()
    count += len(texts)
    if not count:
        return "blank"
    # Totals, notes and signatures stand below too.
    enough = max(1, (count * 3 + 4) // 5)
    if codes >= enough:
        return "code"
    if numbers < count and names < enough:
        months = sum(map(_is_month, texts))
        months += sum(_is_month(text_of(c)) for c in figures)
        if months >= enough:
            return "month"
    if numbers >= enough:
        return "number"
    if names >= enough:
        return "name"
    # One word in a form of one township may be a slip of the pen: it does not say what its column holds.
    return "text" if count > 1 or numbers else "blank"


def _may_be_code(number: float) -> bool:
    """Whether a number has 9 or 12 digits and nothing behind the point."""
    return (1e8 <= number < 1e9 or 1e11 <= number < 1e12) and number.is_integer()


@lru_cache(maxsize=1 << 16)
def _is_month(text: str) -> bool:
    """Whether a cell names a month. Five digits are a day as Excel counts it only where a month begins or ends.

    36,000 people would be one as well.
    """
    found = values.month(text)
    if not isinstance(found, date):
        return False
    if not re.fullmatch(r"\d{5}(?:\.0+)?", text):
        return True
    day = date(1899, 12, 30) + timedelta(days=int(text[:5]))
    return 1 in (day.day, (day + timedelta(days=1)).day)


@lru_cache(maxsize=1 << 16)
def _told(text: str) -> tuple[str, bool, bool] | None:
    """What a cell says, whether it is a number, and whether a township's name; None where it says nothing."""
    folded = fold(text.strip())
    if not folded or folded in values.BLANKS:
        return None
    if NAME_BELOW.search(folded):
        return folded, False, True
    if len(folded) <= 25 and folded.isascii() and folded.isdecimal():
        # A code, most likely: each file has others.
        return folded, True, False
    return folded, not isinstance(values.quantity(folded), values.Problem), False


def _months_below(
    grid: Grid, stacked: tuple[tuple[str, ...], ...], start: int, kinds: Sequence[str]
) -> list[date]:
    """The months that a column of months names in the first rows."""
    at = next((i for i, parts in enumerate(stacked) if parts and column_of_unit(parts) == "month"), None)
    if at is None:
        of_time = [
            i
            for i, parts in enumerate(stacked)
            if parts and kinds[i] == "month" and role_of(parts) == "month"
        ]
        at = of_time[0] if len(of_time) == 1 else None
    if at is None:
        return []
    cells = (text_of(r[at]) for r in grid.rows[start : start + _SAMPLE_ROWS] if at < len(r))
    return [m for c in cells if isinstance(m := values.month(c), date)]


# Words by which a title says that its table is about a dataset's own matter, whatever else it names.
_OWN_FUND = re.compile("民政.{0,4}工作经费|民政工作|民政经费|民政业务经费|工作经费")


# 湘东区2025年6月 before what a title is about: of its words none is looked for there, and without it titles are alike.
_OF_WHERE_AND_WHEN = re.compile(
    r"^(?:[^\d\s]{1,6}[省市县区旗州盟]){0,3}(?:19|20)\d{2}年(?:度|\d{1,2}月份?)?(?![-—–~至到])"
)


def said_around(texts: Sequence[str], months: Sequence[date] = ()) -> Said:
    """What titles, sheet and file say that bears on headings; `months` are those of a column of months."""
    title = fold(" ".join(texts))
    place = next((p for t in texts if (p := _period_of(t)) is not None), (None, None, None))
    year, month, span = place
    if year is None and months and len({m.year for m in months}) == 1:
        year = months[0].year
    if month is None and months and len(set(months)) == 1:
        month = months[0].month
    year = year or next((y for t in texts if (y := values.stated_year(t))), None)
    lines = (_OF_WHERE_AND_WHEN.sub("", line) or line for t in texts[:1] for line in re.split(r"\s+", t))
    words = [w for line in lines for w in words_of(line)]
    # A title that speaks of the whole county (全县) or of who reports (敦化市民政局) says nothing of what its rows are.
    changed = {w.text for w in words if w.kind == "change" and w.value not in ("wider", "one_above")}
    done = {w.value for w in words if w.kind == "thing"}
    return Said(
        year=year,
        month=month,
        span=span,
        is_registered=bool(re.search("户籍|户口", title)),
        is_resident="常住" in title,
        is_other_people=bool(changed) and not re.search("户籍|户口|人口", title),
        is_other_fund=bool(changed) and not _OWN_FUND.search(title),
        thing=done.pop() if done in ({"paid"}, {"spent"}) else "",
    )


def _period_of(text: str) -> tuple[int | None, int | None, tuple[int, int] | None] | None:
    month = values.stated_month(text)
    if month is not None:
        return month.year, month.month, None
    span = stated_span(text)
    return None if span is None else (span.year, span.last, (span.first, span.last))


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
        if column.kind in ("money", "count") and fits_unit(unit, column.kind) is None:
            return Refusal(
                "F10", {"column": column.title_zh, "unit": unit}, first + 1, grid.name, contract.name
            )
    return None
