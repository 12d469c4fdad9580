"""What the cells of a header mean: stacked cells → column of a contract, unit, month."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache

from oversight.contracts import ALL_DATASETS
from oversight.intake.reading import values
from oversight.intake.reading.grammar import Certainty, Said, may_be_staff, meaning_of
from oversight.intake.reading.grid import MAX_COLUMNS, Row
from oversight.intake.reading.text import (
    COUNT_UNITS,
    MONEY_UNITS,
    fold,
    header_key,
    is_answered_by_yes_or_no,
    plain,
)
from oversight.intake.reading.words import without_hint, words_of

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


SUBTOTAL_PARTS = frozenset(
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
UNIT_LABELS = frozenset(("单位", "计量单位", "金额单位", "计算单位"))


@lru_cache(maxsize=16384)
def _says_nothing(group: str) -> bool:
    """Whether a group heading is made of words that change nothing: 经费安排情况, 资金来源."""
    return all(w.kind in ("neutral", "approve") for w in words_of(group))


def is_label(dataset: str, group: str) -> bool:
    """Whether a group heading changes nothing of what stands below it."""
    return _neutral()[dataset].fullmatch(plain(header_key(group)[0])) is not None or _says_nothing(group)


# In a report of registered people 总人口 means them; whether it is such a report is asked when the header is read.
_ANY = Said(is_registered=True)
# While a header is looked for: what 本月数 is a number of, the title says.
_ANYWHERE = replace(_ANY, thing="paid")


@lru_cache(maxsize=65536)
def meaning(dataset: str, parts: tuple[str, ...]) -> tuple[str | None, str | None, str | None]:
    """(column, unit, unknown unit) that the stacked header cells `parts` stand for in `dataset`."""
    found, unit, unknown, without_groups = _spelled(dataset, parts)
    if found is not None and without_groups:
        # 村（社区）数 below 协理员配备 counts those that have one, unless these have a column of their own.
        told = meaning_of(dataset, parts, _ANY)
        found = None if told and told.column != found else found
    return found, unit, unknown


@lru_cache(maxsize=65536)
def _spelled(dataset: str, parts: tuple[str, ...]) -> tuple[str | None, str | None, str | None, bool]:
    """(column, unit, unknown unit, group headings left out) by the contract's spelling of a title."""
    if len(parts) > 1 and fold(parts[-1]).strip(":、") == "其中":
        # What it is a part of, the cell above says; what it is, nobody.
        return None, None, None, False
    titles: list[str] = []
    unit: str | None = None
    unknown: str | None = None
    for part in parts:
        title, part_unit, part_unknown = header_key(part)
        is_unit = title in MONEY_UNITS or title in COUNT_UNITS
        if title in UNIT_LABELS and titles:
            continue
        # 户数 below 户籍情况 is a column of its own, 人 below 户籍人口 its unit.
        if not part_unit and is_unit and titles and plain(title) not in _index()[dataset]:
            part_unit, title = title, ""
        unit, unknown = part_unit or unit, part_unknown or unknown
        key = plain(title)
        if key and not (titles and (titles[-1] == key or key.isdigit())):
            titles.append(key)
    entries = _index()[dataset]
    whole = len(titles)
    while titles:
        found = entries.get("".join(titles))
        if found is None and len(titles) > 1 and titles[-1] in SUBTOTAL_PARTS:
            found = entries.get("".join(titles[:-1]))
            if "户" in titles[-1] and found != "households_count":
                # 总户数 below 户籍人口 is no number of people.
                found = None
        if found is not None and unit in _OF_HOUSEHOLDS and found.endswith("_persons"):
            # 户 below 迁入: households that came.
            break
        if found is not None and found.endswith("_posts") and any(map(_IN_POST.search, parts)):
            # 行政编制 below 在岗人员: who holds the posts.
            break
        if found is not None and is_answered_by_yes_or_no(parts[-1], found):
            break
        if is_below_another(found, parts):
            break
        if found is not None:
            return found, unit, unknown, len(titles) < whole
        # A word above that is not known to be harmless (上年, 低保资金) may change what is meant: then no match.
        if not is_label(dataset, titles[0]):
            break
        titles = titles[1:]
    return None, unit, unknown, False


_OF_HOUSEHOLDS = frozenset(("户", "户数", "户次", "百户", "千户", "万户"))
_PARTS_OF_BUDGET = frozenset(("personnel_cny", "office_cny", "own_cny", "from_above_cny", "carried_over_cny"))
_IS_DONE = re.compile("本月|当月|累计|(?<!基本)(?<!项目)支出|拨付|拨款|使用|执行|列支")
_IN_POST = re.compile("^(?:在岗|实有|现有|在编|到岗|实配)")


def is_below_another(column: str | None, parts: tuple[str, ...]) -> bool:
    """Whether a group heading makes what stands below it no longer this column."""
    if column in _PARTS_OF_BUDGET:
        # 其中：人员经费 below 本月支出: a part of what was spent.
        return any(map(_IS_DONE.search, parts[:-1]))
    # 兼职 below 村（社区）协理员: people of the villages.
    return column in _TOWNSHIP_STAFF and any(map(_OF_VILLAGERS.search, parts[:-1]))


_OF_VILLAGERS = re.compile("村.*协理员")
_TOWNSHIP_STAFF = frozenset(
    ("dedicated_staff_persons", "welfare_posts_persons", "purchased_service_persons", "part_time_persons")
)


def known_cells(row: Row) -> int:
    """How many cells of a row are headings: titles of a contract, or words that mean one of its columns."""
    return sum(
        1 for cell in row[:MAX_COLUMNS] if isinstance(cell, str) and 0 < len(cell) <= 40 and _is_heading(cell)
    )


@lru_cache(maxsize=65536)
def _is_heading(cell: str) -> bool:
    if plain(header_key(cell)[0]) in _known_titles() or role_of((cell,)) is not None:
        return True
    # 湘东区2025年户籍人口统计表 is the title of a table, not of a column.
    if fold(cell).endswith(("表", "册", "单")) or len(cell) > 24:
        return False
    found = (meaning_of(d, (cell,), _ANYWHERE) for d in ALL_DATASETS)
    # What only figures can tell is no sign of a header: 填报单位：湘东区财政局 might else be a part of the budget.
    return any(m is not None and m.doubt not in ("sum", "start") for m in found)


@lru_cache(maxsize=1)
def _figures() -> dict[str, tuple[str, str]]:
    """The titles of all columns of figures: dataset and title of each."""
    found: dict[str, tuple[str, str]] = {}
    for contract in ALL_DATASETS.values():
        for column in contract.measures:
            for title in (column.label_zh, *column.synonyms):
                found.setdefault(plain(title), (contract.name, column.title_zh))
    return found


@lru_cache(maxsize=4096)
def nearly(heading: str) -> tuple[str, str] | None:
    """Dataset and title of the column of figures that a heading misses by a character or so: 户籍人囗.

    上月户籍人口 misses nothing: it is another figure.
    """
    title = plain(header_key(heading)[0])
    if len(title) < 3 or any(w.kind in ("change", "prior", "naming") for w in words_of(heading)):
        return None
    close = get_close_matches(title, _figures(), n=1, cutoff=0.74)
    return _figures()[close[0]] if close else None


# What a column of units or months may be called: several of these words, and no other.
_NAME_ROLE = re.compile(
    r"(?:填报|填表|落款|报送|上报|编报|所属|所在|属地|各|全部|基层|报告|统计|责任|用款|收款|受款|预算|拨款|拨入|受拨|领款|接收|承接|实施|受益"
    r"|申报|资金使用|使用|管辖|归属|对应)*"
    r"(?=.*(?:乡|镇|街|办|场|苏木|单位|区划|辖区|地区|区域|部门|属地|行政区))"
    r"(?:民族乡|乡镇|乡|镇|街道|街|办事处|办|农场|林场|场|苏木|管委会|开发区|园区|[、,/及和或]|级|行政|区划|区域|地区|辖区|"
    r"单位|部门|机构|属地|行政区)+(?:政府)?(?:名称|名|全称|简称|别)?"
)
_CODE_ROLE = re.compile(
    r"(?:.{0,8}(?:区划|乡镇|街道|镇街|镇|乡|单位|地区|地域|辖区|属地|行政|机构|统计|民政|国标|标准|9位).{0,6})?(?:代码|编码)(?:统计局|民政部?|统计用?)?(?:9位|12位)?数?"
    r"|.{0,8}(?:区划|行政区|地区|地域|乡镇|镇街|行政)(?:码|代号|编号|号|号码|ID|id|标识码?|识别码)(?:9位|12位)?"
)
_MONTH_ROLE = re.compile(
    r"(?:统计|填报|报送|上报|报表|报告|报数|月报|所属|归属|对应|数据|资金|业务|填表|核算|会计|账务|所属期|截至|截止|计量|所在|本表)*(?:年月份?|月份|月度|月别|月次|账期|期间|归属期|报期|表期|属月|期别|时期|时段|期次|期数|月|期|所属期|属期)|(?:统计|所属|数据|业务|报表|核算)(?:时间|时点|账期|周期)|(?:本表|年度)月份|月份别|(?:期间|期数|月份|期别|统计月份|时期)(?:年月|月份?|所属期?)"
)


@lru_cache(maxsize=16384)
def role_of(parts: tuple[str, ...]) -> str | None:
    """`code`, `name` or `month` where a heading can only be that of such a column."""
    title = plain(without_hint(header_key(parts[-1])[0])) if parts else ""
    if parts and not _fits_role(title):
        # 区划名称（乡级）: the brackets say of which units.
        title = plain(_OF_UNITS.sub("", fold(parts[-1])))
    return _fits_role(title)


# Of which units, or in what form they are written.
_OF_UNITS = re.compile(
    r"\((?:乡|镇|街|街道|办|场|级|区划|行政|单位|名称|全称|简称|代码|国标|民政|统计|年月?|月|[、,/及和或以]|\d{1,2}位)+\)$"
)


def _fits_role(title: str) -> str | None:
    if not title or len(title) > 16:
        return None
    if _CODE_ROLE.fullmatch(title):
        return "code"
    if _MONTH_ROLE.fullmatch(title):
        return "month"
    return "name" if _NAME_ROLE.fullmatch(title) else None


@dataclass(frozen=True)
class Match:
    """What the columns of a header mean in a dataset."""

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
    # How sure each column's meaning is, where it is not spelled as the contract has it.
    sure: dict[str, Certainty] = field(default_factory=dict)
    # What figures may settle of those that are a question; see `grammar.Meaning.doubt`.
    doubts: dict[str, str] = field(default_factory=dict)

    @property
    def score(self) -> tuple[int, int, int]:
        """How much of a header it explains; a row more that parts what stands twice explains it better."""
        names = {*self.columns, *(n for places in self.wide.values() for n in places)}
        return len(names), self.distinctive, -len(self.repeated)


PERIOD = re.compile(
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
        found = PERIOD.match(title)
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
def match_columns(
    dataset: str, stacked: tuple[tuple[str, ...], ...], said: Said = _ANYWHERE, kinds: tuple[str, ...] = ()
) -> Match:
    """What the columns of a header mean in a dataset. Kept: offices send the same form month after month.

    `kinds`: what the cells below each column look like; see `headers.kinds_below`.
    """
    contract = ALL_DATASETS[dataset]
    columns: dict[str, int] = {}
    units: dict[str, str] = {}
    unknown_units: dict[str, str] = {}
    repeated: dict[str, list[int]] = {}
    wide: dict[tuple[int | None, int], dict[str, int]] = {}
    year_at = county_at = item_at = None
    open_: list[int] = []
    for at, parts in enumerate(stacked):
        if not parts:
            continue
        rest, period = _split_period(parts)
        if period is not None and "month" in contract.columns:
            name, unit, unknown = meaning(dataset, rest) if rest else (None, None, None)
            if name is None and not all(header_key(r)[0] == "" for r in rest):
                open_.append(at)
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
        name, unit, unknown = meaning(dataset, parts)
        if name is None and _is_over_others(dataset, at, stacked):
            name, unit, unknown, _ = _spelled(dataset, parts)
        if name is None:
            title = plain(parts[-1])
            year_at = at if title in _YEAR_TITLES else year_at
            # A column 县区 with figures in it names no counties.
            if title in _COUNTY_TITLES and not (kinds and kinds[at] == "number"):
                county_at = at
            item_at = at if title in _ITEM_TITLES else item_at
            if at not in (year_at, county_at, item_at):
                open_.append(at)
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
        open_ = sorted({*open_, *(at for places in wide.values() for at in places.values())})
        wide = {}
    if item_at is not None and not wide:
        # 项目名称 names the figure of a row only where months stand beside it.
        open_ = sorted({*open_, item_at})
    found = _Found(dataset, columns, units, unknown_units, repeated, wide, {})
    _read_openly(found, open_, stacked, said, kinds)
    everything = {*columns, *(name for places in wide.values() for name in places)}
    distinctive = sum(1 for name in everything if name in distinctive_columns()[dataset] or name == "")
    return Match(
        dataset,
        columns,
        units,
        unknown_units,
        repeated,
        distinctive,
        wide,
        year_at,
        county_at,
        item_at,
        found.sure,
        found.doubts,
    )


_OF_VILLAGES = frozenset(("villages_count", "villages_with_assistant_count"))


def _is_over_others(dataset: str, at: int, stacked: Sequence[tuple[str, ...]]) -> bool:
    """Whether a group heading stands over figures of other matters as well, and so is a label: 协理员配备情况 over 兼职人员数."""
    if _spelled(dataset, stacked[at])[0] not in _OF_VILLAGES:
        return False
    group = stacked[at][0]
    beside = (p for i, p in enumerate(stacked) if i != at and len(p) > 1 and p[0] == group)
    return len(stacked[at]) > 1 and any(
        name is not None and name not in _OF_VILLAGES for name in (_spelled(dataset, p)[0] for p in beside)
    )


@dataclass
class _Found:
    """A match in the making."""

    dataset: str
    columns: dict[str, int]
    units: dict[str, str]
    unknown_units: dict[str, str]
    repeated: dict[str, list[int]]
    wide: dict[tuple[int | None, int], dict[str, int]]
    sure: dict[str, Certainty]
    doubts: dict[str, str] = field(default_factory=dict)


def _read_openly(
    found: _Found, open_: Sequence[int], stacked: Sequence[tuple[str, ...]], said: Said, kinds: Sequence[str]
) -> None:
    """Give columns that no contract spells the meaning their words have, the surest first."""
    columns = ALL_DATASETS[found.dataset].columns
    read = [(at, m) for at in open_ if (m := meaning_of(found.dataset, stacked[at], said)) is not None]
    read = [(at, m) for at, m in read if not kinds or _may_hold(kinds[at], columns[m.column].kind)]
    months = {m.month or said.month for _, m in read if _moves(found.dataset, m.column)} - {None}
    named = {m.month for _, m in read} - {None}
    if said.month is None and len(named) == 1 and "month" not in found.columns:
        # The one month that headings name is the table's.
        read = [(at, replace(m, month=None)) for at, m in read]
        named = set()
    # A title that names one month says that the others are for comparison.
    is_of_one = said.month is not None and said.span is None
    if named and len(months) >= 2 and not is_of_one and "month" not in found.columns and not found.wide:
        for at, m in read:
            if (
                _moves(found.dataset, m.column)
                and (number := m.month or said.month)
                and m.certainty > Certainty.QUESTION
            ):
                found.wide.setdefault((said.year, number), {}).setdefault(m.column, at)
                _take_unit(found, m.column, stacked[at])
        read = [(at, m) for at, m in read if not any(at in places.values() for places in found.wide.values())]
    for at, m in sorted((r for r in read if r[1].month is None), key=lambda r: (-r[1].certainty, r[0])):
        name, certainty = m.column, m.certainty
        if name in found.columns and _is_sure(found, name):
            own, _, _, _ = _spelled(found.dataset, stacked[at])
            if m.otherwise is not None:
                name = m.otherwise
            elif own is not None:
                # What the group heading makes of it has a column of its own beside this one.
                name, certainty = own, Certainty.SPELLED
        if name in found.columns or name in found.repeated or any(name in p for p in found.wide.values()):
            continue
        if m.is_so_far and certainty is Certainty.QUESTION and _says_by_when(found):
            certainty = Certainty.INFERRED
        rivals = [o for o, other in read if other.column == name and other.certainty == certainty]
        plain_ones = [o for o, other in read if o in rivals and other.otherwise is None]
        if len(rivals) > 1 and certainty is Certainty.QUESTION and len(plain_ones) == 1:
            # 原预算 beside 本级预算: only one of the two may as well be something else.
            rivals = [at]
            if m.otherwise is not None:
                name = m.otherwise
                if name in found.columns:
                    continue
        if len(rivals) > 1 and certainty is Certainty.QUESTION:
            # Two that may both be it: to propose one of them would be a guess.
            continue
        if len(rivals) > 1:
            # Two headings with the same claim: which of them is meant is a question.
            certainty = Certainty.QUESTION
        found.columns[name] = at
        found.sure[name] = certainty
        if m.doubt and len(rivals) == 1:
            found.doubts[name] = m.doubt if name == m.column else "part" if name in _PARTS else ""
        _take_unit(found, name, stacked[at])
    _ask_for_staff(found, open_, stacked, kinds)
    _give_roles(found, open_, stacked, kinds)


def _ask_for_staff(
    found: _Found, open_: Sequence[int], stacked: Sequence[tuple[str, ...]], kinds: Sequence[str]
) -> None:
    """Ask whether the one column of people who work there is the one required column that is missing."""
    name = "dedicated_staff_persons"
    if found.dataset != "staffing" or not kinds or name in found.columns or name in found.repeated:
        return
    posts = {"administrative_posts", "institution_posts"}
    taken = set(found.columns.values())
    likely = [at for at in open_ if at not in taken and kinds[at] == "number" and may_be_staff(stacked[at])]
    if posts <= found.columns.keys() and len(likely) == 1:
        found.columns[name] = likely[0]
        found.sure[name] = Certainty.QUESTION
        _take_unit(found, name, stacked[likely[0]])


_PARTS = ("own_cny", "from_above_cny")


def _says_by_when(found: _Found) -> bool:
    """Whether the amounts of the month have a column of their own, so that 已拨付 is what was paid in all."""
    return any(n in found.columns and _is_sure(found, n) for n in ("disbursed_month_cny", "spent_month_cny"))


def _is_sure(found: _Found, name: str) -> bool:
    return found.sure.get(name, Certainty.SPELLED) > Certainty.QUESTION


def _moves(dataset: str, column: str) -> bool:
    """Whether a column is another figure each month: what was paid, who was born, how many lived there."""
    return dataset == "population" or ALL_DATASETS[dataset].columns[column].scale == "flow"


def _take_unit(found: _Found, name: str, parts: tuple[str, ...]) -> None:
    for part in parts:
        title, unit, unknown = header_key(part)
        if title in MONEY_UNITS or title in COUNT_UNITS:
            unit = unit or title
        if unit is not None:
            found.units[name] = unit
        if unknown is not None:
            found.unknown_units[name] = unknown


_FITS = {
    "count": ("number", "blank"),
    "money": ("number", "blank"),
    "bool": ("text", "blank", "number"),
    "text": ("text", "blank"),
}


def _may_hold(kind_below: str, kind: str) -> bool:
    """Whether cells of a kind can stand in a column: no names under 户籍人口, no amounts under 是否单独列支."""
    return kind_below in _FITS.get(kind, (kind_below,))


def _give_roles(
    found: _Found, open_: Sequence[int], stacked: Sequence[tuple[str, ...]], kinds: Sequence[str]
) -> None:
    """Code, name and month by what stands below a heading, or by words that can mean nothing else."""
    columns = ALL_DATASETS[found.dataset].columns
    targets = {
        "code": next((n for n in ("reported_code", "subject_code") if n in columns), None),
        "name": next((n for n in ("reported_name", "subject_name") if n in columns), None),
        "month": "month" if "month" in columns else None,
    }
    taken = set(found.columns.values())
    for role, name in targets.items():
        if name is None or name in found.columns:
            continue
        free = [at for at in open_ if at not in taken]
        likely = [at for at in free if role_of(stacked[at]) == role]
        if kinds:
            # A column called 行政区划 may hold codes or names: what it holds decides.
            likely = [at for at in likely if kinds[at] in (role, "blank")] or [
                at for at in free if kinds[at] == role and (role != "month" or _may_be_month(stacked[at]))
            ]
        if likely:
            found.columns[name] = likely[0]
            taken.add(likely[0])
            if (
                role == "month"
                and role_of(stacked[likely[0]]) != role
                and not _is_of_time(stacked[likely[0]])
            ):
                # 填报时间 over months: the month of the figures, or the one in which the form was filled in.
                found.sure[name] = Certainty.QUESTION


# Words beside a month that make it the month of something else: of payment, of filling in, of what is planned.
_OTHER_DATES = re.compile(
    r"日期|日$|拨付|拨款|支付|付款|到账|到位|下达|发放|批复|发文|文号|填表日|制表|审核|完成|开始|结束"
    r"|截止|到期|成立|启用|停用|出生|死亡|迁|核定|调整|签订|入职|上岗|离职|计划|上年|去年|上月"
)


def _may_be_month(parts: tuple[str, ...]) -> bool:
    """Whether a column in which months stand may be that of the rows' own month."""
    title = plain("".join(map(without_hint, parts)))
    return len(title) <= 8 and not _OTHER_DATES.search(title)


def _is_of_time(parts: tuple[str, ...]) -> bool:
    """Whether a heading names a period: 月别, 数据期, 统计时段."""
    title = plain("".join(parts))
    return bool(re.search("月|期|时段|时点|年度", title)) and not re.search("填|报送|上报", title)


@lru_cache(maxsize=1)
def distinctive_columns() -> dict[str, frozenset[str]]:
    """The columns that tell a dataset from the others (a code, a name or a month does not)."""
    shared = {
        "month",
        "reported_code",
        "reported_name",
        "subject_code",
        "subject_name",
        "remark",
        "fund_name",
    }
    shared |= {"division_code", "division_name", "indicator_name", "indicator_text"}
    shared |= {"change_year", "sequence_no", "province_name"}
    return {c.name: frozenset(c.columns) - shared for c in ALL_DATASETS.values()}


def is_unit(text: str) -> bool:
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
def column_of_unit(parts: tuple[str, ...]) -> str | None:
    """The column that says whom or when a row speaks of, if these header cells are one; else None."""
    names = (meaning(d, parts)[0] for d in ALL_DATASETS if parts)
    return next((n for n in names if n in _UNIT_COLUMNS), None)
