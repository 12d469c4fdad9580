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
from oversight.intake.reading import values
from oversight.intake.reading.text import (
    COUNT_UNITS,
    MONEY_UNITS,
    fold,
    header_key,
    plain,
    stated_township,
    stated_units,
)

Cell = Any
Row = Sequence[Cell]
MAX_HEADER_ROWS = 4
# A header stands near the top of its table; below this many rows without one a sheet is not a report.
HEADER_SEARCH_ROWS = 120
MAX_COLUMNS = 400

_TOTAL = re.compile(
    r"^(?:[一二三四五六七八九十]、)?(?:.{0,14}(?:合计|总计|小计|共计|汇总数?|累计数?|平均数?|平均值|均值)|计|总数|全[县区市省旗](?:合计)?|其中)[:)]?$"
)
# 其中：城镇 is a part of the row above; 其中：湘东镇 below a total is the first of the details.
_OF_WHICH = re.compile(r"^其中[:,、]?(?P<what>.+)$")
_A_TOWNSHIP = re.compile(r"(?<!城)(?<!乡)[镇乡]$|街道(?:办事处)?$|苏木$|[农林牧渔]场$")
# A row that says only the year or the month of the rows below it.
_SECTION = re.compile(
    r"^(?:[一二三四五六七八九十]{1,2}、|\d{1,2}、)?(?:(\d{4})年度?)?(?:(\d{1,2})月份?)?[:]?$"
)
_FOOTER = re.compile(
    r"^[(*]?(?:注\d?[:、.]?|备注[:]|说明[:]|审核|复核|填表|制表|填报人|填报日期|填报单位[:(]|填报时间|经办|负责人|单位负责|分管|主管|联系|电话|"
    r"报送(?:人|日期|时间|单位)[:]|报出|打印|资料来源|数据来源|来源[:]|第\d+页|共\d+页|\d+[.、](?![\d.,]*(?:[eE][+-]?\d+)?[万亿千百元人户名个]*$).{8,}|[(]?盖章|.{2,20}\((?:盖章|公章|章)\)$|单位[((]?盖?公?章)"
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
    counts_from_1904: bool = False


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
    # The one township that the whole table speaks of, where title, sheet or file name say so: (code, name).
    township: tuple[str | None, str | None] = (None, None)


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
    # The year in a column of its own, beside one that has only the month.
    year_at: int | None = None
    # The county in a column of its own, for units that are named without a code.
    county_at: int | None = None
    # A column that says which figure a row holds (项目): read only where the figures have columns of their own.
    item_at: int | None = None


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


# Words that say nothing of their own in a heading over several columns.
_FILLERS = (
    "乡镇", "街道", "本级", "各项", "主要", "基本", "工作", "情况", "统计", "数据", "指标", "报表", "明细",
    "安排", "资金", "金额", "本年", "当年", "年度", "全年", "本月", "当月", "以及", "及", "和", "与", "数", "表",
)  # fmt: skip


@lru_cache(maxsize=1)
def _neutral() -> dict[str, re.Pattern[str]]:
    """For each dataset what may stand over its columns without changing what they mean: its labels, in any mixture."""
    patterns: dict[str, re.Pattern[str]] = {}
    for contract in ALL_DATASETS.values():
        words = sorted({plain(w) for w in (*contract.group_labels, *_FILLERS)}, key=len, reverse=True)
        patterns[contract.name] = re.compile(f"(?:{'|'.join(map(re.escape, words))})+")
    return patterns


_SUBTOTAL_PARTS = frozenset(
    (
        "小计",
        "合计",
        "总计",
        "计",
        "总数",
        "数",
        "人数",
        "金额",
        "总人口",
        "总人数",
        "合计数",
        "总计数",
        "小计数",
        "总额",
        "总户数",
    )
)
# What the cell at the left of a row of units says.
_UNIT_LABELS = frozenset(("单位", "计量单位", "金额单位", "计算单位"))


@lru_cache(maxsize=65536)
def _meaning(dataset: str, parts: tuple[str, ...]) -> tuple[str | None, str | None, str | None]:
    """(column, unit, unknown unit) that the stacked header cells `parts` stand for in `dataset`."""
    titles: list[str] = []
    unit: str | None = None
    unknown: str | None = None
    for part in parts:
        title, part_unit, part_unknown = header_key(part)
        is_unit = title in MONEY_UNITS or title in COUNT_UNITS
        if title in _UNIT_LABELS and titles:
            continue
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
        if not neutral.fullmatch(titles[0]):
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
    year_at: int | None = None
    county_at: int | None = None
    item_at: int | None = None

    @property
    def score(self) -> tuple[int, int, int]:
        """How much of a header it explains; a row more that parts what stands twice explains it better."""
        names = {*self.columns, *(n for places in self.wide.values() for n in places)}
        return len(names), self.distinctive, -len(self.repeated)


_PERIOD = re.compile(
    r"^(?:(\d{4})年)?(\d{1,2})月份?$|^(\d{4})[-/.](\d{1,2})(?:[-/.]0?1)?$|^(\d{4})(0[1-9]|1[0-2])$"
)
_YEAR = re.compile(r"^(\d{4})年度?$")
_COUNTY_TITLES = frozenset(
    (
        *(
            "县",
            "县名",
            "县级",
            "区县",
            "县区",
            "县市区",
            "区县市",
            "县旗市区",
            "区县名称",
            "县区名称",
            "县市区名称",
        ),
        *("所属县", "所属区县", "所属县市区"),
    )
)
_ITEM_TITLES = frozenset(
    ("项目", "项目名称", "指标", "指标名称", "数据项", "统计项目", "统计指标", "名目", "科目", "内容")
)
_YEAR_TITLES = frozenset(("年份", "年度", "年", "统计年度", "统计年份", "所属年度"))


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
    year_at = county_at = item_at = None
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
            title = plain(parts[-1])
            year_at = at if title in _YEAR_TITLES else year_at
            county_at = at if title in _COUNTY_TITLES else county_at
            item_at = at if title in _ITEM_TITLES else item_at
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
    return _Match(
        dataset, columns, units, unknown_units, repeated, distinctive, wide, year_at, county_at, item_at
    )


@lru_cache(maxsize=1)
def _distinctive() -> dict[str, frozenset[str]]:
    """The columns that tell a dataset from the others (a code, a name or a month does not)."""
    shared = {"month", "reported_code", "reported_name", "subject_code", "subject_name", "remark"}
    shared |= {"division_code", "division_name", "indicator_name", "indicator_text"}
    shared |= {"change_year", "sequence_no", "province_name"}
    return {c.name: frozenset(c.columns) - shared for c in ALL_DATASETS.values()}


@lru_cache(maxsize=16384)
def _block_score(stacked: tuple[tuple[str, ...], ...]) -> tuple[int, int, int]:
    """(columns recognised in the best dataset, distinctive ones among them, minus those found twice)."""
    return max(m.score for m in (_match(d, stacked) for d in ALL_DATASETS))


def find_header(grid: Grid, start: int, stop: int) -> tuple[int, int] | None:
    """First and last row of the first header block in rows [start, stop); None if there is none."""
    for anchor in range(start, min(stop, len(grid.rows))):
        row = grid.rows[anchor]
        if (known := _known_cells(row)) < 2:
            # 乡镇 alone will do where months stand beside it or below it.
            beside = grid.rows[anchor : anchor + MAX_HEADER_ROWS - 1]
            if not known or not any(_has_months(r) for r in beside):
                continue
        best: tuple[tuple[int, int, int], int, int, int] | None = None
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
            return best[2], _header_end(grid, best[2], best[3])
        if best is not None and best[0][0] >= 3:
            return best[2], _header_end(grid, best[2], best[3])
    return None


def _has_months(row: Row) -> bool:
    """Whether a row names two months or more, as a header does that has them as columns."""
    titles = (values.digits_of_date(fold(_text(c))) for c in row[:MAX_COLUMNS] if _text(c).strip())
    return len({t for t in titles if _PERIOD.match(t)}) >= 2


def _header_end(grid: Grid, first: int, last: int) -> int:
    """The last row of a header, with what hangs on it: cells merged downwards, a row of units, 男 and 女 below 其中."""
    while last + 1 < min(first + MAX_HEADER_ROWS + 1, len(grid.rows)):
        row = grid.rows[last + 1]
        if is_blank_row(row) or _looks_like_data(row):
            break
        hangs = any(first <= top <= last < bottom for (top, _), (bottom, _) in grid.merged)
        if not hangs and not _is_sub_header(row, _stacked(grid, first, last)):
            break
        last += 1
    return last


def _is_sub_header(row: Row, stacked: tuple[tuple[str, ...], ...]) -> bool:
    """Whether a row below a header goes on with it: units, or words over no unit of their own."""
    cells = {at: fold(_text(c)) for at, c in enumerate(row[:MAX_COLUMNS]) if _text(c).strip()}
    units = [t for t in cells.values() if _is_unit(t)]
    if units and all(_is_unit(t) or t in _UNIT_LABELS or t in values.BLANKS for t in cells.values()):
        return True
    if len(cells) < 2 or any(at >= len(stacked) for at in cells):
        return False
    if any(_column_of_unit(stacked[at]) for at in cells) or all(_INDEX_CELL.match(t) for t in cells.values()):
        return False
    return all(
        (
            len(t) <= 16
            and t not in values.BLANKS
            and isinstance(values.quantity(t), values.Problem)
            and isinstance(values.yes_no(t), values.Problem)
            and not _TOTAL.match(t.removeprefix("其中:"))
        )
        or t in _SUBTOTAL_PARTS
        for t in cells.values()
    )


def _is_unit(text: str) -> bool:
    title, unit, _ = header_key(text)
    return (not title and unit is not None) or title in MONEY_UNITS or title in COUNT_UNITS


_UNIT_COLUMNS = frozenset(
    (
        "month",
        "reported_code",
        "reported_name",
        "subject_code",
        "subject_name",
        "division_code",
        "division_name",
    )
)


@lru_cache(maxsize=16384)
def _column_of_unit(parts: tuple[str, ...]) -> str | None:
    """The column that says whom or when a row speaks of, if these header cells are one; else None."""
    names = (_meaning(d, parts)[0] for d in ALL_DATASETS if parts)
    return next((n for n in names if n in _UNIT_COLUMNS), None)


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
    if contract.name == "divisions":
        missing = [c for c in missing if c.name not in ("parent_code", "division_type")]
    return missing


def read_header(
    grid: Grid, first: int, last: int, titles_above: Sequence[str] = (), file_name: str = ""
) -> list[Header | Refusal]:
    """What the header block says: one `Header` for each dataset it is complete for (and, where months are columns,
    for each month), or why it cannot be used."""
    stacked = _stacked(grid, first, last)
    said = (" ".join(titles_above), grid.name or "", file_name)
    matches = [_named_by_title(_match(d, stacked), said) for d in ALL_DATASETS]
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
        return found
    best = matches[0]
    if any("" in places for places in best.wide.values()):
        detail = "各列是月份，但标题里没有写明（或写了不止一项）是哪一项数据。"
        return [Refusal("F05", {"detail": detail}, last + 1, grid.name)]
    contract = ALL_DATASETS[best.dataset]
    unknown = "、".join(t for at, t in titles.items() if at not in best.columns.values()) or "无"
    missing = "、".join(c.title_zh for c in _missing(contract, best.columns, of_one=of_one))
    texts = {"dataset": contract.title_zh, "columns": missing, "unknown": unknown}
    return [Refusal("F06", texts, last + 1, grid.name, contract.name)]


def _named_by_title(match: _Match, said: Sequence[str]) -> _Match:
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
    if any((of := _OF_WHICH.match(text)) and not _A_TOWNSHIP.search(of["what"]) for text in lead):
        return "part"
    if _FOOTER.match(filled[0][1]) or (not code and any(_FOOTER.match(t) for _, t in filled[:3])):
        return "footer"
    if len(filled) >= 3 and all(_INDEX_CELL.match(text) for _, text in filled):
        return "index"
    if len(filled) == 1 and _section(filled[0][1]) is not None:
        return "section"
    if len(filled) == 1 and filled[0][0] not in (code_at, name_at):
        return "note"
    if len(filled) == 1 and len(filled[0][1]) > 20:
        return "note"
    return "data"


def _section(text: str) -> tuple[int | None, int | None] | None:
    """(year, month) of a row that says nothing else; None if it is no such row."""
    match = _SECTION.match(values.digits_of_date(text)) if len(text) <= 12 else None
    if match is None or match.groups() == (None, None):
        return None
    year, month = (int(g) if g else None for g in match.groups())
    return (year, month) if month is None or 1 <= month <= 12 else None


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
    month = next((m for p in places if p and (m := values.stated_month(p))), None)
    year = month.year if month else next((y for p in places if p and (y := values.stated_year(p))), None)
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
    )


def _line(row: Row) -> str:
    return " ".join(t for c in row[:MAX_COLUMNS] if (t := _text(c).strip()))


def find_tables(
    grid: Grid, file_name: str, start: int = 0, opening: Sequence[str] = ()
) -> tuple[list[Table], list[Refusal]]:
    """All tables of a sheet, and those that had to be refused.

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
        titles = [_line(r) for r in rows[title_from:first]]
        opening = opening or titles
        bands = _bands(grid, first, last, titles, file_name)
        if bands:
            parts = [find_tables(_columns_only(grid, *b), file_name, title_from, opening) for b in bands]
            tables.extend(_halves([t for found, _ in parts for t in found]))
            refusals.extend(r for _, found in parts for r in found)
            break
        headers = read_header(grid, first, last, titles, file_name)
        end, body = _body(grid, headers, last + 1, titles)
        title_from = _next_title(grid, body, end) if end < len(rows) else end
        for header in headers:
            kept = [(r, kind) for r, kind in body if r < title_from]
            if isinstance(header, Refusal):
                data = tuple(r + 1 for r, kind in kept if kind == "data")
                refusals.append(replace(header, rows=data, rows_ignored=len(kept) - len(data)))
                continue
            footer = [_line(rows[r]) for r, kind in kept if kind in ("footer", "note")]
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
            tables.append(_extract(grid, header, context, kept))
        at = end
        if at >= len(rows):
            break
    return tables, refusals


def _bands(grid: Grid, first: int, last: int, titles: Sequence[str], file_name: str) -> list[tuple[int, int]]:
    """Column ranges of tables that stand side by side; none unless every part is a complete table by itself."""
    starts = _band_starts(_stacked(grid, first, last))
    found = list(zip(starts, (*starts[1:], MAX_COLUMNS), strict=True)) if starts else []
    for low, high in found:
        parts = read_header(_columns_only(grid, low, high), first, last, titles, file_name)
        if not any(isinstance(h, Header) for h in parts):
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
            table.total_problem = _check_total(whole)
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
        name = _column_of_unit(parts) if parts else None
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
        kind = classify(rows[r], probe)
        if kind == "header":
            block = find_header(grid, r, r + MAX_HEADER_ROWS)
            if block is not None:
                above = _next_title(grid, body, block[0])
                lines = [_line(row) for row in rows[above : block[0]]]
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
            elif is_month and grid.counts_from_1904 and isinstance(cell, float) and 10_000 <= cell < 100_000:
                column.append(
                    values.cell_text(values.serial(f"{cell:.0f}", base_1904=True)) or f"{cell:.15g}"
                )
            elif is_month and isinstance(cell, float) and round(cell % 1, 6) == 0.1:
                # The number 2025.1 is what Excel makes of 2025.10 as well as of 2025.1.
                column.append(f"{cell:.15g}?")
            else:
                column.append(values.cell_text(cell) or None)
        table.cells[name] = column
    for r, kind in body:
        if kind == "total":
            row = grid.rows[r]
            if any(_ADDED_UP.search(fold(_text(c))) for c in row[:MAX_COLUMNS]):
                cells = {n: _text(row[at]).strip() for n, at in header.columns.items() if at < len(row)}
                table.totals.append((r + 1, {n: c for n, c in cells.items() if c}))
    _fill_merged(grid, table, data)
    _fill_said(grid, table, body)
    _set_apart_county(table)
    table.total_problem = _check_total(table)
    if grid.is_csv:
        for r in data:
            extra = next((_text(c) for c in grid.rows[r][header.width :] if _text(c).strip()), None)
            if extra is not None:
                table.broken.append((r + 1, "", extra, "R20"))
    return table


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
        counties = _beside(grid, table, table.header.county_at)
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
            text = next(t for c in grid.rows[r] if (t := _text(c).strip()))
            year, month_no = _section(fold(text)) or (None, None)
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
    years = (values.year(text) for text in _beside(grid, table, at))
    return [y if isinstance(y, int) else None for y in years]


def _beside(grid: Grid, table: Table, at: int) -> list[str]:
    """What a column that is none of the contract's says of each row, a merged cell holding for all its rows."""
    cells = {
        n - 1: _text(grid.rows[n - 1][at]) if at < len(grid.rows[n - 1]) else "" for n in table.row_numbers
    }
    for (top, left), (bottom, right) in grid.merged:
        if left <= at <= right and top in cells:
            cells |= {r: cells[top] for r in range(top, bottom + 1) if r in cells}
    return list(cells.values())


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


_ADDED_UP = re.compile(r"(?:合计|总计|小计|共计)[:]?$|^计$|^全[县区市省旗]$")


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


_COUNTY_CODE = re.compile(r"\d{4}(?!00)\d{2}(?:0{3}|0{6})?")
_A_COUNTY = re.compile(r"[县区市旗]$")


def _set_apart_county(table: Table) -> None:
    """A row for the county itself that is the sum of its townships' rows is their total, whatever it is called.

    Only what adds up in every figure is set apart; any other row for a county is left to be refused.
    """
    codes, names = table.cells.get("reported_code"), table.cells.get("reported_name")
    count = len(table.row_numbers)
    if count < 3 or (codes is None and names is None) or len(set(table.cells.get("month", ()))) > 1:
        return
    written = [
        (fold(codes[i] or "") if codes else "", fold(names[i] or "") if names else "") for i in range(count)
    ]
    counties = [
        i
        for i, (code, name) in enumerate(written)
        if (_COUNTY_CODE.fullmatch(code) if code else _A_COUNTY.search(name))
    ]
    if len(counties) != 1:
        return
    at = counties[0]
    details = [i for i in range(count) if i != at]
    if written[at][0] and not all(c.startswith(written[at][0][:6]) for i in details if (c := written[i][0])):
        return
    powers = column_powers(table.dataset, table.header, table.context)
    agreed = 0
    for name, column in ALL_DATASETS[table.dataset].columns.items():
        if column.kind not in ("money", "count") or name not in table.cells:
            continue
        total, *parts = (_exact(table.cells[name][i], powers.get(name, 0)) for i in (at, *details))
        known = [part for part in parts if part is not None]
        if total is None:
            continue
        if len(known) < 2 or not _adds_up(known, total, powers.get(name, 0)):
            return
        agreed += total > 0
    if not agreed or any(number == table.row_numbers[at] for number, *_ in table.broken):
        return
    row = table.row_numbers.pop(at)
    said = {name: cells.pop(at) for name, cells in table.cells.items()}
    table.totals.append((row, {name: cell for name, cell in said.items() if cell}))
    table.totals.sort(key=lambda t: t[0])
    table.ignored = sorted([*table.ignored, (row, "total")])


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

    A 小计 may sum the rows above it or below it, a 合计 all of them. Rounded details need not add up to the rounded
    total: half a last digit is allowed for each row.
    """
    if not table.totals or not table.row_numbers:
        return None
    columns = ALL_DATASETS[table.dataset].columns
    powers = column_powers(table.dataset, table.header, table.context)
    bounds = [0, *(number for number, _ in table.totals), max(table.row_numbers) + 1]
    for at, (row_number, cells) in enumerate(table.totals, start=1):
        for name, written in cells.items():
            if name not in table.cells or columns[name].kind not in ("money", "count"):
                continue
            total = _exact(written, power := powers.get(name, 0))
            if total is None:
                continue
            details = [
                (number, value)
                for number, cell in zip(table.row_numbers, table.cells[name], strict=True)
                if (value := _exact(cell, power)) is not None
            ]
            spans = (
                (0, bounds[-1]),
                (0, row_number),
                (bounds[at - 1], row_number),
                (row_number, bounds[at + 1]),
            )
            parts = [[value for number, value in details if low < number < high] for low, high in spans]
            if not any(parts) or any(_adds_up(part, total, power) for part in parts if part):
                continue
            # A part of the rows is meant by a 小计 that stands among others.
            part = parts[0] if len(table.totals) == 1 or not parts[2] else parts[2]
            return (
                f"第 {row_number} 行“{columns[name].title_zh}”合计 {total.normalize():f}，"
                f"明细之和 {sum(part, Decimal(0)).normalize():f}"
            )
    return None


def _adds_up(details: Sequence[Decimal], total: Decimal, power: int) -> bool:
    lasts = [Decimal(1).scaleb(min(power, int(v.as_tuple().exponent))) for v in details]
    return abs(sum(details, Decimal(0)) - total) <= sum(lasts) / 2
