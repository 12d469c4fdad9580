"""What a heading means that no contract spells: concept, period, whose, and what is said around it.

A meaning is certain when every word is known and they agree; inferred when a word before the thing counted is
unknown (辖区户籍人口); a question when a word may change it, or when it might as well be another column. A word that
does change it (上年, 其中, 低保, 占比) leaves no meaning at all: the column is named as not used.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum
from functools import lru_cache

from oversight.intake.reading.lists import column_in_list
from oversight.intake.reading.text import (
    COUNT_UNITS,
    MONEY_UNITS,
    fold,
    header_key,
    is_answered_by_yes_or_no,
    plain,
)
from oversight.intake.reading.words import Word, words_of


class Certainty(IntEnum):
    """How sure a meaning is; from `INFERRED` on a column is used, a `QUESTION` waits for an answer."""

    QUESTION = 1
    INFERRED = 2
    CERTAIN = 3
    SPELLED = 4


@dataclass(frozen=True)
class Said:
    """What is said around a table, as far as it bears on headings."""

    year: int | None = None
    month: int | None = None
    # First and last month of what the table covers, where it is more than a month.
    span: tuple[int, int] | None = None
    is_registered: bool = False
    is_resident: bool = False
    # The title speaks of another fund or another group of people (低保, 高龄津贴) and not of this dataset's own matter.
    is_other_people: bool = False
    is_other_fund: bool = False
    # The one thing done with money that the title speaks of: paid or spent (经费拨付情况表).
    thing: str = ""


@dataclass(frozen=True)
class Meaning:
    """The column a heading stands for. `month` where the heading names one that is not the table's."""

    column: str
    certainty: Certainty
    month: int | None = None
    # What it stands for where another heading is surer of the column.
    otherwise: str | None = None
    # 已拨付: all that was paid so far, if what was paid in the month stands beside it.
    is_so_far: bool = False
    # What figures may settle where it is a question: see `evidence.weigh`.
    doubt: str = ""


@dataclass(frozen=True)
class _Heading:
    """A heading's words gathered: from the cell itself and from the group headings above it."""

    things: tuple[str, ...]
    periods: frozenset[str]
    spans: tuple[tuple[int, int], ...]
    years: frozenset[int]
    scopes: frozenset[str]
    kinds: frozenset[str]
    texts: frozenset[str]
    unknown_before: str
    unknown_after: str
    # Words that no list knows, in brackets behind the heading.
    unknown_note: str
    # Whether the last word is neither the thing nor a number of it: 支付方式, 拨付单位.
    is_of_manner: bool
    # Whether it is so of any last word, whatever stands before it: 上级补助明细.
    ends_in_manner: bool
    values: frozenset[str]
    units: frozenset[str]
    # The cell itself, not a group heading above it, speaks of what was approved.
    is_approved: bool
    # What changes or narrows the meaning: values of such words, and of what a group heading is about.
    changes: frozenset[str]
    things_above: frozenset[str]
    # Words that no list knows, in the lowest cell, whose matter only a group heading names: 执行情况 over 在途金额.
    is_strange: bool
    # Whether the last thing named comes after what says that the budget was changed.
    is_adjusted_budget: bool
    # The last word of the lowest cell, and all its words outside brackets.
    last_text: str
    leaf_text: str
    # The words of the cells below the group headings.
    below: frozenset[str]
    # Whether the lowest cell is a note with what is to be noted in brackets.
    is_noted: bool
    # Whether the lowest cell itself names the thing.
    is_named_below: bool
    # What may change the meaning or not.
    asking: frozenset[str]
    # Whether the lowest cell says no more than 其中 and a month: 其中：本月 below 已拨付.
    is_of_month_in: bool
    # Whether households are what is counted of those who were born, died or moved: 迁出户数, 户 below 迁入.
    counts_households: bool
    # Whether a group heading says that what is below it is what was added or is gone.
    is_of_growth: bool
    # What is said to have been changed, in the cells below the group headings.
    adjusting: frozenset[str]
    # Words in group headings that no list knows: 护理 of 护理员 over 兼职.
    unknown_above: str


# Kinds of words that leave a heading without a meaning unless a column is about just that.
_CHANGING = frozenset(("change", "prior", "naming"))
# Parts of the budget and texts: under such a group heading, 本月支出 is another figure.
_NARROWING = frozenset(("carried", "personnel", "office", "note"))


# Things that give way to a more particular one beside them: 出生人口 is births, 公益性岗位人员 welfare posts.
_GENERAL = ("people", "some_staff", "movement", "costs")
_EVENTS = ("births", "deaths", "moved_in", "moved_out")
# People who are not on the payroll, whatever heading stands over them.
_OUTSIDE = frozenset(("welfare_posts", "purchased", "part_time"))
# What is done at the register when somebody is born, dies or moves.
_ACTS = frozenset(
    (
        *("申报", "注销", "销户", "落户", "入户", "立户", "户", "增加", "减少", "核减", "核增"),
        *("减", "减少额", "其中", "外来", "自然", "机械", "新", "外地", "移居"),
    )
)
# Any mixture of what is done at the register, of whom and on what paper: 登户, 补报, 退籍, 增员.
_ACT = re.compile(
    "(?:[申补登上报入落立核注除退销清增减新记进批出去抹消备案办理结录建档安家准收接受号]|户口?|户籍|籍|册|员|自然|机械|人口"
    "|信息|接收|通过|口|名|数|人)+"
)
# What stands for an event only where no other is named: 入籍 of 出生入籍, 上户 of 迁入上户.
_WEAK_EVENTS = frozenset(("上户", "入籍", "进籍", "出籍", "退籍"))
# Steps on the way to an entry in the register, which count papers and not people.
_STEPS = frozenset(("审批", "公示", "公开", "公布", "批", "待批", "报批", "凭证", "表"))
# Words that change nothing beside a thing, though they do beside others.
_BESIDE: dict[str, frozenset[str]] = {
    **dict.fromkeys(_EVENTS, _ACTS),
    "personnel": frozenset(
        ["工资", "福利", "津贴", "补贴", "补助", "津补贴", "社保", "保险", "薪酬", "奖金", "报酬"]
    ),
    "purchased": frozenset(["社工", "义工", "派遣", "劳务派遣", "采购", "社会组织", "就业", "聘用", "干事"]),
    "welfare_posts": frozenset(["就业", "失业", "乡村", "农村", "城镇", "困难", "聘用"]),
    "part_time": frozenset(["其他", "其它", "干事", "聘用"]),
    "listed": frozenset(["科目", "专项", "依据"]),
}


def _gather(parts: Sequence[str]) -> _Heading:
    """The parts of a stacked heading, the lowest last. What the lowest says beats what stands above it."""
    cells = [_without_sources(words_of(part)) for part in parts]
    cells = [*map(_as_label, cells[:-1]), *cells[-1:]]
    at = next((i for i in range(len(cells) - 1, -1, -1) if _things(cells[i])), len(cells) - 1)
    leaf = [w for cell in cells[at:] for w in cell]
    above = [w for cell in cells[:at] for w in cell]
    periods = {w.value for w in leaf if w.kind == "period"} | {
        w.value for w in leaf if w.kind == "time" and w.value == "month_end"
    }
    spans = [w.months for w in leaf if w.months]
    if not periods and not spans:
        periods = {w.value for w in above if w.kind == "period"}
        spans = [w.months for w in above if w.months]
    lowest = cells[-1] if cells else []
    if any(w.value == "of_which" for w in lowest) and any(w.kind == "period" or w.months for w in lowest):
        # 其中：本月 below 累计拨付.
        periods = {w.value for w in lowest if w.kind == "period"}
        spans = [w.months for w in lowest if w.months]
    last = _last_thing(leaf)
    said = [w for w in leaf if not w.is_note]
    things_above = frozenset(w.value for w in above if w.kind == "thing")
    counts_households = _counts_households(said, things_above)
    changing = _changing(leaf, above)
    changed = [i for i, w in enumerate(leaf) if w.kind == "adjusted"]
    named = {w.value for w in leaf if w.kind == "thing" and w.value not in _GENERAL} - {"households"}
    beside = [_BESIDE.get(thing, frozenset()) for thing in named]
    harmless = frozenset.intersection(*beside) if beside else frozenset()
    if named and named <= set(_EVENTS):
        strong = [w for w in leaf if w.value in _EVENTS and w.text not in _WEAK_EVENTS]
        first = min((i for i, w in enumerate(leaf) if w in strong), default=0)
        of_register = [
            w.text
            for i, w in enumerate(leaf)
            if w not in strong
            and w.kind not in ("period", "time")
            and _ACT.fullmatch(w.text)
            # 补报出生 are those of earlier months.
            and not (i < first and w.text.startswith("补"))
        ]
        harmless |= frozenset(of_register) if strong else frozenset()
        # 自然减员 over 死亡.
        above = [w for w in above if not _ACT.fullmatch(w.text)]
        changing = _changing(leaf, above)
    if harmless:
        # 社工 below 购买服务 and 工资 below 人员经费 name some of them; beside them in one cell they say how.
        below = leaf[len(cells[at]) :] if named and not named <= set(_EVENTS) else []
        leaf = [*(w for w in leaf[: len(leaf) - len(below)] if w.text not in harmless), *below]
        changing = _changing(leaf, above)
        last = _last_thing(leaf)
    return _Heading(
        things=tuple(w.value for w in leaf if w.kind == "thing"),
        periods=frozenset(periods),
        spans=tuple(dict.fromkeys(s for s in spans if s)),
        years=frozenset(w.year for w in (*leaf, *above) if w.year),
        scopes=frozenset(w.value for w in (*leaf, *above) if w.kind == "scope"),
        kinds=frozenset(
            "neutral" if w.kind == "manner" else w.kind
            for w in (*leaf, *above)
            if w.kind and not (w.text == "其中" and w in above)
        ),
        texts=frozenset(w.text for w in (*leaf, *above)),
        unknown_before="".join(w.text for w in leaf[:last] if w.kind is None and not w.is_note),
        unknown_after="".join(w.text for w in leaf[last + 1 :] if w.kind is None and not w.is_note),
        unknown_note="".join(w.text for w in leaf if w.kind is None and w.is_note),
        ends_in_manner=len(said) > 1 and said[-1].kind == "manner" and said[-1].text not in ("项目", "类"),
        is_of_manner=len(said) > 1 and said[-1].kind == "manner" and any(w.kind == "thing" for w in said),
        values=frozenset(w.value for w in (*leaf, *above)),
        changes=frozenset(changing | (things_above & _NARROWING)),
        units=frozenset(u for part in parts if (u := _unit_of(part))),
        is_approved=any(w.kind == "approve" for w in leaf),
        things_above=things_above,
        is_strange=at < len(cells) - 1 and any(w.kind is None for cell in cells[at + 1 :] for w in cell),
        last_text=leaf[-1].text if leaf else "",
        leaf_text="".join(w.text for w in cells[-1] if not w.is_note) if cells else "",
        below=frozenset(w.text for w in leaf),
        is_noted=_is_note(parts[-1]),
        is_named_below=bool(cells) and bool(_things(cells[-1])),
        asking=frozenset(w.text for w in (*leaf, *above) if w.kind == "ask"),
        is_of_month_in={w.kind for w in lowest} == {"change", "period"}
        and {w.value for w in lowest} == {"of_which", "month"},
        is_of_growth=any(_GROWTH.fullmatch(plain(header_key(p)[0])) for p in parts[:-1]),
        counts_households=counts_households,
        adjusting=frozenset(w.text for w in leaf if w.kind == "adjusted"),
        unknown_above="".join(w.text for w in above if w.kind is None and not w.is_note),
        is_adjusted_budget=bool(changed)
        and (changed[0] < last or any("后" in leaf[i].text for i in changed)),
    )


# What ends a group heading that only says by what its columns are parted: 人员类型, 支出用途.
_PARTING = frozenset(("类型", "类别", "分类", "种类", "用途", "性质", "结构", "构成", "形式", "方式", "划分"))


def _as_label(words: list[Word]) -> list[Word]:
    """The words of a group heading, those of one that only parts its columns without a meaning of their own."""
    if words and words[-1].text == "原因" and any(w.value == "movement" for w in words):
        # 增加原因 over 出生登记: the reason is the event itself.
        return [*words[:-1], Word("neutral", "neutral", "原因")]
    if words and words[-1].text == "明细" and _things(words) == ["budget"]:
        # 预算明细 over 人员.
        return [*words[:-1], Word("neutral", "whence", "明细")]
    if not words or words[-1].text not in _PARTING:
        return words
    plain_ones = [Word("neutral", "neutral", w.text) if w.value == "spent" else w for w in words[:-1]]
    return [*plain_ones, Word("neutral", "whence", words[-1].text)]


def _counts_households(said: Sequence[Word], above: frozenset[str]) -> bool:
    """Whether a heading speaks of an event and counts households last; 户 behind what is done (报户, 登户) is the register."""
    things = [i for i, w in enumerate(said) if w.kind == "thing"]
    if not things or said[things[-1]].value != "households":
        return False
    at = things[-1]
    before = said[at - 1] if at else None
    is_act = before is not None and before.value not in _EVENTS and bool(_ACT.fullmatch(before.text))
    return not is_act and bool(({w.value for w in said} | above) & set(_EVENTS))


def _unit_of(part: str) -> str | None:
    """The unit that a cell names in brackets, or that is all it says: 人 below 户籍."""
    title, unit, _ = header_key(part)
    return unit or (title if title in COUNT_UNITS or title in MONEY_UNITS else None)


def _without_sources(words: Sequence[Word]) -> list[Word]:
    """The words without a note in brackets on where the figures come from: （人口普查口径）, （统计局数据）."""
    note = [w for w in words if w.is_note]
    if _adds_up(note) or _is_what_office_costs(words, note):
        return [w for w in words if not w.is_note]
    if not note or note[-1].text not in _SOURCES or any(w.kind in ("prior", "scope", "thing") for w in note):
        return list(words)
    if any(w.value in ("part", "state", "of_which") for w in note):
        return list(words)
    return [w for w in words if not w.is_note]


# Two halves that leave nobody out.
_HALVES = (
    ("男", "女"),
    ("男性", "女性"),
    ("城镇", "农村"),
    ("城镇", "乡村"),
    ("农业", "非农业"),
    ("家庭户", "集体户"),
    ("省内", "省外"),
    ("市内", "市外"),
    ("县内", "县外"),
    ("区内", "区外"),
)


def _adds_up(note: Sequence[Word]) -> bool:
    """Whether a note says that both halves are counted together: 出生（男女合计）, 迁出（省内省外合计）."""
    if not any(w.value == "whole" for w in note):
        return False
    parts = {w.text for w in note if w.value == "part"}
    return {w.value for w in note} <= {"part", "whole", "neutral"} and any(parts == set(h) for h in _HALVES)


_OFFICE_COSTS = re.compile(
    "水电|电费|水费|邮电|通讯|电话|网络|取暖|差旅|办公用品|办公|印刷|会议|培训|维修|交通|物业|租赁|耗材"
)


def _is_what_office_costs(words: Sequence[Word], note: Sequence[Word]) -> bool:
    """Whether a note only lists what such funds are for: 公用经费（水电、取暖、差旅）.

    One thing alone may be all there is of it.
    """
    if not note or _things(words) != ["office"]:
        return False
    listed = "".join(w.text for w in note)
    is_all = not re.sub("[费等和及与]", "", _OFFICE_COSTS.sub("", listed))
    return is_all and len(set(_OFFICE_COSTS.findall(listed))) > 1


@lru_cache(maxsize=16384)
def may_be_part(parts: tuple[str, ...]) -> bool:
    """Whether a heading that means nothing here may be a part of the budget: no word says that it is another amount."""
    words = [w for part in parts for w in words_of(part)]
    changes = {w.value for w in words if w.kind in _CHANGING} - {"of_which", "above", "one_above", "subsidy"}
    things = {w.value for w in words if w.kind == "thing"} - {
        "budget",
        "spent",
        "costs",
        "paid",
        "some_staff",
    }
    timed = any(w.kind in ("period", "time", "adjusted", "done", "real") for w in words)
    return not changes and not timed and not things - {"personnel", "office"}


@lru_cache(maxsize=16384)
def may_be_staff(parts: tuple[str, ...]) -> bool:
    """Whether a heading that is read as nothing counts people who work there: 实配, 在岗人数, 实际到位人数.

    Whether they are all full-time and in their posts it does not say.
    """
    words = [w for part in parts for w in words_of(part)]
    if any(w.kind is None or w.text in ("村", "村级") or "协理" in w.text for w in words):
        return False
    if {w.value for w in words if w.kind in _CHANGING} - {"of_which", "matter"} or _has_posts(words):
        return False
    if len({w.value for w in words} & {"admin", "institution"}) == 1:
        # 实有行政人员 are those of one kind.
        return False
    things = {w.value for w in words if w.kind == "thing"}
    timed = any(w.kind in ("period", "time", "ask") and w.value != "month_end" for w in words)
    is_there = things & {"some_staff", "people"} or any(w.kind == "real" for w in words)
    return (
        bool(is_there) and not timed and not things - {"some_staff", "people", "staff", "paid", "assistants"}
    )


def _has_posts(words: Sequence[Word]) -> bool:
    return any(
        "编制" in w.text or w.text in ("核编", "核编数", "定编", "定编数", "编", "名额", "定额", "定员")
        for w in words
    )


# What a note on the origin of figures ends with.
_SOURCES = frozenset(("口径", "数据", "提供", "来源", "系统", "统计", "部门", "局"))


def _last_thing(leaf: Sequence[Word]) -> int:
    """Where the last thing stands; 人数 after a more particular one (死亡赔偿人数) only counts it."""
    things = [i for i, w in enumerate(leaf) if w.kind == "thing"]
    return max([i for i in things if leaf[i].value not in _GENERAL] or things, default=len(leaf))


@lru_cache(maxsize=4096)
def _is_note(part: str) -> bool:
    before, bracket, _ = header_key(part)[0].partition("(")
    words = words_of(before) if bracket else ()
    return bool(words) and all(w.value == "note" for w in words)


# Over columns that say themselves what they are, these only say what they are put together for.
_OVER_OTHERS = frozenset(("其中", "基数", "进度", "其他", "其它", "收入", "全县", "全区", "全市", "全旗"))


def _changing(leaf: Sequence[Word], above: Sequence[Word]) -> set[str]:
    # 居住情况 over 常住人口 says what these are anyway.
    is_of_residents = any(w.value == "residents" for w in leaf)
    return {w.value for w in leaf if w.kind in _CHANGING} | {
        w.value
        for w in above
        if w.kind in _CHANGING and w.text not in _OVER_OTHERS and not (is_of_residents and w.text == "居住")
    }


def _things(words: Sequence[Word]) -> list[str]:
    return [w.value for w in words if w.kind == "thing"]


def _thing(heading: _Heading) -> str | None:
    """The one thing a heading is about; None where it is about none or about several."""
    named = list(dict.fromkeys(heading.things))
    particular = [t for t in named if t not in _GENERAL] or [t for t in named if t == "some_staff"] or named
    if sorted(particular) in (["assistants", "villages"], ["assistants", "some_villages"]):
        return "villages_with_assistant"
    return particular[0] if len(particular) == 1 else None


_JOINED = re.compile("以及|[、和与及加+&]")
_COUNTED_THINGS = frozenset(
    (
        *_EVENTS,
        "residents",
        "households",
        "admin_posts",
        "institution_posts",
        *_OUTSIDE,
        "paid",
        "spent",
        "budget",
    )
)
# People of a kind, and not merely 人员.
_OF_A_KIND = re.compile("专|编|岗|全职")


@lru_cache(maxsize=16384)
def names_several(part: str) -> bool:
    """Whether a cell joins two things into one figure: 专职与购买服务人数, 户数及人口, 拨付及支出. Such a sum is no column."""
    pieces = _JOINED.split(header_key(part)[0])
    if len(pieces) < 2:
        return False
    named = [{t for w in words_of(p) if w.kind == "thing" and (t := _kind_of_count(w))} for p in pieces if p]
    named = [things for things in named if things]
    if {"households"} in named and {"people"} in named:
        return True
    named = [things - {"people"} for things in named if things - {"people"}]
    return any(one.isdisjoint(other) for one, other in itertools.combinations(named, 2))


def _kind_of_count(word: Word) -> str:
    """What a word counts, where it says so: 人员 alone does not."""
    if word.value in ("staff", "some_staff"):
        return "staff" if _OF_A_KIND.search(word.text) else ""
    if word.value == "people":
        return "people" if "口" in word.text else ""
    if word.value in ("villages", "some_villages", "assistants"):
        return "villages"
    return word.value if word.value in _COUNTED_THINGS else ""


# 元/人·年: what one person gets.
_A_HEAD = re.compile("(?:元|人|户)/[人户村]")


@lru_cache(maxsize=65536)
def meaning_of(dataset: str, parts: tuple[str, ...], said: Said) -> Meaning | None:
    """The column of `dataset` that stacked header cells stand for; None where they mean none of them."""
    if (of_list := column_in_list(dataset, parts)) is not None:
        return Meaning(of_list, Certainty.INFERRED)
    read = _READERS.get(dataset)
    if read is None or not parts:
        return None
    if dataset == "budget" and _WHETHER_LISTED.search(plain(header_key(parts[-1])[0])):
        return Meaning("is_listed_separately", Certainty.INFERRED)
    if dataset == "budget" and _CHANGED_SUM.fullmatch(plain(header_key(parts[-1])[0])):
        return Meaning("adjusted_budget_cny", Certainty.INFERRED)
    if _A_HEAD.search(fold(parts[-1])):
        return None
    named = parts[:-1] if len(parts) > 1 and header_key(parts[-1])[0] in ("", *COUNT_UNITS) else parts
    if names_several(named[-1]):
        # Also 户 below 户数、人口数.
        return None
    if _DATED.search(plain(header_key(parts[-1])[0])):
        # 预算年度, 数据来源.
        return None
    heading = _gather(parts)
    is_named = dataset == "budget" and _FUND_TITLE.fullmatch(plain(header_key(parts[-1])[0]))
    if is_named and _text_of_budget(heading) is None:
        # 拨款项目, 资金品目: whether it is the fund, the cells below it say.
        return Meaning("fund_name", Certainty.QUESTION, doubt="fund")
    if dataset == "staffing" and "given" in heading.values and heading.things[-1:] == ("purchased",):
        # 投入 below 购买服务 is money.
        return None
    is_of_manner = heading.is_of_manner and "naming" not in heading.kinds
    if heading.is_strange or (is_of_manner and not set(heading.things) & _WITH_MANNER):
        return None
    if dataset == "budget" and (part := _part_of_budget(heading, said)) is not None:
        if is_answered_by_yes_or_no(parts[-1], part.column):
            return None
        if (
            heading.unknown_above
            and part.column not in ("fund_name", "remark")
            and part.certainty > Certainty.QUESTION
        ):
            # 上年结转 below 敬老院: whose, only the unknown word says.
            return replace(part, certainty=Certainty.QUESTION)
        return part
    if "of" in heading.kinds and dataset != "staffing":
        # 行政经费 is not the working funds.
        return None
    harmless = _HARMLESS.get(dataset, frozenset())
    if set(heading.things) & _OUTSIDE:
        harmless |= {"outside"}
    if dataset == "budget" and set(heading.things) == {"budget"} and heading.texts & _BEFORE:
        # 期初预算 is the budget that the year began with, 原预算 the one before it was changed.
        if "期初" in heading.texts or "start" in heading.periods:
            heading = replace(
                heading, periods=heading.periods | {"start"}, changes=heading.changes - {"last", "next"}
            )
        elif heading.changes == {"last"}:
            harmless |= {"last"}
    is_received = dataset == "budget" and set(heading.things) == {"paid"} and heading.changes == {"above"}
    if is_received and heading.texts & _RECEIVED and heading.periods & {"month", "to_date", "until"}:
        # 本月收到上级拨入: for a township the county is above; it may as well be a part of what came.
        return (
            replace(found, certainty=Certainty.QUESTION, doubt="")
            if (found := _budget(replace(heading, changes=frozenset()), said))
            else None
        )
    if dataset == "budget" and heading.is_of_month_in and set(heading.things) <= {"paid", "spent"}:
        harmless |= {"of_which"}
    if dataset == "population" and {"家庭户", "集体户"} <= heading.texts and "part" in heading.changes:
        # 家庭户、集体户合计: both kinds together are all households.
        harmless |= {"part"}
        of_people = heading.units & {"人", "万人"}
        heading = replace(heading, things=("people" if of_people else "households",))
    if (
        dataset == "staffing"
        and heading.texts & _OWED
        and (_is_of_posts(heading) or set(heading.things) & _POSTS)
    ):
        # 应有行政编制: posts are always how many there should be.
        harmless |= {"state"}
    if "both_kinds" in heading.changes and _is_of_one_kind(heading):
        harmless |= {"both_kinds"}
    if heading.changes - harmless or (said.year and heading.years - {said.year}):
        return None
    if (
        (heading.years and said.year is None)
        or heading.unknown_after
        or (heading.unknown_note and not _is_flagged(heading))
        or len(heading.unknown_before) > 6
        or ("ask" in heading.kinds and not _is_said_twice(heading))
    ):
        heading_certainty = Certainty.QUESTION
    elif heading.unknown_before:
        heading_certainty = Certainty.INFERRED
    else:
        heading_certainty = Certainty.CERTAIN
    if dataset in _COUNTS and heading.unknown_after:
        # 死亡证明开具数, 购买服务合同数: the last word says what is counted, and nobody knows it.
        return None
    if dataset in _COUNTS and heading.adjusting and not any("后" in t for t in heading.adjusting):
        # 户籍变更人数, 行政编制调整数: by how much, or how many were changed.
        return None
    found = read(heading, said)
    if found is not None and is_answered_by_yes_or_no(parts[-1], found.column):
        return None
    if found is not None and heading.unknown_above and not _says_whose(heading, found.column):
        # 护理员 over 兼职, 救急难 over 本月支出: whose, only the unknown word says.
        heading_certainty = Certainty.QUESTION
    if found is None or _is_of_another_sort(heading, found.column):
        return None
    if heading.unknown_before and found.column in _OF_A_KIND_OF_PEOPLE:
        # 邻镇兼职人员: some of them, or others.
        heading_certainty = Certainty.QUESTION
    is_modified = bool(heading.unknown_before) and found.column in _SIZED and not found.doubt
    if is_modified and heading_certainty is Certainty.INFERRED and found.certainty > Certainty.QUESTION:
        # 属籍户籍人口, 户籍务农人口: whether the unknown word narrows it, only its size beside others tells.
        return replace(found, certainty=Certainty.QUESTION, doubt="size")
    # A heading that is doubtful for its words is not settled by figures.
    doubt = "" if heading_certainty is Certainty.QUESTION and found.doubt not in _WITHHOLDING else found.doubt
    if heading.texts & _ONE_TIME:
        doubt = "once"
    if not doubt and found.column.startswith("disbursed") and heading.asking and heading.asking <= _OF_COUNTY:
        # 当月县级下拨: by whom a township is paid, if it is all that was paid.
        doubt = "payer"
    if doubt == "payer" and not heading.is_named_below:
        # 本级 below 累计拨付 stands beside 上级: a part, unless it is all.
        doubt = "once"
    if not doubt and _only_defines(heading):
        # 户籍人口（含集体户）: what it is anyway, if the figures are of its size.
        doubt = "note"
    return replace(found, certainty=min(found.certainty, heading_certainty), doubt=doubt)


# Whether the funds stand in the budget by themselves, however it is asked.
_WHETHER_LISTED = re.compile(
    "(?:是否|有无|有没有|是不是|有否).*(?:单独|单[列设立项]|独立|专门|专列|另[列设]|分列)(?!.*(?:账|户头|账户|核算|公示|公开|考核|办公))"
)


def _is_flagged(heading: _Heading) -> bool:
    """Whether the note says by which digits yes and no are written: 单列（是1否0）."""
    return "listed" in heading.things and bool(_FLAG.fullmatch(heading.unknown_note))


_FLAG = re.compile("[是有]?1[是有]?[否无]?0[否无]?")


def _says_whose(heading: _Heading, column: str) -> bool:
    """Whether a heading below a strange group heading says all of itself: 户籍人口数, 行政编制, 在编在岗专职人员.

    Not below the name of another body: 福利院 over 事业编制.
    """
    if _BODIES.search(heading.unknown_above):
        return False
    if column in ("population_persons", "households_count"):
        return "registered" in heading.scopes
    return column in _SAYING_ALL or _thing(heading) == "staff"


_BODIES = re.compile("(?:院|中心|站|局|委|校|园|厂|公司|大?队|联|协会|部|馆|库)$")
_SAYING_ALL = frozenset(
    (
        "administrative_posts",
        "institution_posts",
        "villages_count",
        "villages_with_assistant_count",
        "fund_name",
        "remark",
    )
)
# A question whether something is so, which no figure answers.
_WHETHER = frozenset(("是否", "有无", "有否", "是不是", "与否"))
_COUNTING = frozenset(COUNT_UNITS)
_MOVING = ("births", "deaths", "moved", "disbursed", "spent")
_GROWTH = re.compile("(?:本月|当月|其中)?(?:净?增加?|净?减少?|新增|增减|增长|净增)(?:数|人数|额|量)?")
# What our columns are never given in.
_OTHER_UNITS = frozenset(
    ("笔", "次", "件", "份", "项", "批", "张", "天", "套", "亩", "%", "‰", "百分比", "对", "岁", "年")
)
_OF_HOUSEHOLDS = frozenset(("户", "户数", "户次", "百户", "千户", "万户"))


def _is_of_another_sort(heading: _Heading, column: str) -> bool:
    """Whether a heading is answered by yes or no where the column is a figure, or counts households where it counts people."""
    if heading.is_of_growth and not column.startswith(_MOVING):
        # 户籍人口 below 净增.
        return True
    if "村级" in heading.texts and not column.startswith("villages"):
        # 村级公益性岗位: the villages' and not the township's.
        return True
    is_money = column.endswith("_cny")
    if heading.units & (
        (_OF_HOUSEHOLDS if column.endswith("_persons") else frozenset()) | (_COUNTING if is_money else _MONEY)
    ):
        return True
    if heading.unknown_note in _OTHER_UNITS:
        return True
    return column.endswith(("_cny", "_persons", "_posts", "_count")) and bool(heading.texts & _WHETHER)


# The county, which pays the townships: named as who gives, or as who gives a part.
_OF_COUNTY = frozenset(
    ("县级", "区级", "县本级", "区本级", "本级", "县区级", "县", "同级", "地方", "县市区级")
)
# Words by which the receiver tells of what was paid.
_RECEIVED = frozenset(("收到", "拨入", "到账", "到位", "收到拨款", "进账", "到款"))


def _is_said_twice(heading: _Heading) -> bool:
    """Whether what might change the meaning only says once more what is meant: 调整预算数（含追加）."""
    if set(heading.things) & _OUTSIDE and heading.texts & {"聘用"}:
        return True
    if "listed" in heading.things and set(heading.things) <= {"listed", "budget"}:
        # 县级预算单列（有/无）: it is the county's budget in which the funds stand.
        return heading.asking <= _OF_COUNTY and bool(heading.texts & _WHETHER)
    if set(heading.things) & {"villages", "some_villages"}:
        # 村数（含社区） is just what the column is.
        of_both = [t for t in heading.asking if re.search("社区|居", t)]
        return bool(of_both) and len(of_both) == len(heading.asking) and _only_defines(heading)
    return heading.is_adjusted_budget and set(heading.things) == {"budget"} and _counts_changes(heading)


# What notes in brackets count in or leave out and all the same is the column by its own definition.
_DEFINING: dict[str, re.Pattern[str]] = {
    **dict.fromkeys(
        ("people", "households"),
        re.compile(
            r"(?:均|都|另)?(?:包?含|包括)(?:家庭户|集体户|外出(?:务工|流动|人员)*|城镇|农村|乡村|农业|非农业?|居民|在外|[和及与、]|的?(?:人口|户口|人员))+(?:在内)?"
            r"|(?:均|都|另)?(?:不含|不包括|不包含|不计|除)(?:流动|外来|暂住|寄住|临时|非户籍|借住|租住|[和及与、]|的?(?:人口|户口|人员))+(?:外|在内)?"
            r"|外出(?:务工|流动|人员)*的?(?:计入|在内|也算)|(?:流动|外来|暂住)(?:人口|人员)*的?(?:不计|不算|除外)"
        ),
    ),
    "residents": re.compile(
        "(?:均|都|另)?(?:包?含|包括)(?:外来|流动|暂住|户籍|本地|[和及与、]|的?(?:人口|人员|居民)|(?:居住|住)?满?(?:半年|6个月)及?以上)+(?:在内)?"
    ),
    **dict.fromkeys(
        ("villages", "some_villages", "villages_with_assistant"),
        re.compile(
            r"(?:均|都|另)?(?:包?含|包括)(?:社区|居委会|居|城市|农村|涉农|行政村|村委会|[和及与、])+(?:在内)?"
            r"|(?:不含|不包括|不包含|不计|除)(?:村民|居民)?(?:小?组|自然村|屯|网格)(?:外)?|空缺(?:村|的)?(?:不计|不算|除外)"
        ),
    ),
    **dict.fromkeys(
        ("paid", "spent"),
        re.compile(
            r"(?:包?含|包括)(?:提前下达|人员|公用|办公|政府购买服务|购买服务|支出|经费|资金|直达|[和及与、])+(?:在内)?"
            r"|(?:不含|不包括|不包含|不计|除)(?:困难群众|救助|低保|特困|临时救助|优抚|养老|补助|补贴|资金|金|其他专项|专项|[和及与、])+(?:外)?"
        ),
    ),
}


# How people who live somewhere are counted between two censuses.
_ESTIMATED = frozenset(("估算", "推算", "估计", "抽样", "初步", "快报"))


def _only_defines(heading: _Heading) -> bool:
    """Whether all that might ask says of the column what it is anyway: 户籍人口（不含流动人口）, 常住人口推算数."""
    if _thing(heading) == "residents" and heading.asking and heading.asking <= _ESTIMATED:
        return True
    of_villages = set(heading.things) & {"villages", "some_villages"}
    thing = "villages" if of_villages else _thing(heading)
    pattern = _DEFINING.get(thing or "")
    if pattern is None or not heading.asking:
        return False
    is_registered = "registered" in heading.scopes or any("户籍" in t for t in heading.texts)
    if thing in ("people", "households") and not is_registered:
        return False
    return all(pattern.fullmatch(text) for text in heading.asking)


def _is_of_one_kind(heading: _Heading) -> bool:
    """Whether 专兼职 changes nothing: it is said of 协理员, or stands over a column that says which of the two it counts."""
    if "assistants" in heading.things:
        return True
    return any(re.search("[专兼]", t) for t in heading.below) and not any(
        re.search("专.*兼|兼.*专", t) for t in heading.below
    )


_OWED = frozenset(("应有", "应配", "应配备"))
_POSTS = frozenset(("admin_posts", "institution_posts"))
# What ends a heading of when something was, or of where a figure is from.
_DATED = re.compile("(?:预算|拨付|拨款|支出|资金|项目|指标)年度$|来源$|出处$|名册$|审核人$")
# 年初预算+追加-调减: the budget as it was changed, written as its sum.
_CHANGED_SUM = re.compile(
    r"(?:全年|年初|年度)?预算数?\+(?:追加|调整|调增|增加)[^+]{0,8}"
    r"|年初(?:预算)?数?[+加](?:追加|调整|调增)(?:预算)?数?(?:后|之后)?的?(?:合计|总计|总额|总数|金额|数)?"
)
# 人员类项目 are still what is paid for people.
_WITH_MANNER = frozenset(("listed", "note", "personnel", "office"))
# What stands before 预算 and means how it was when the year began, or is said of how it came about.
_BEFORE = frozenset(
    (
        "未调整",
        "未经调整",
        "尚未调整",
        "期初",
        "原",
        "原有",
        "原先",
        "原来",
        "调整前",
        "变更前",
        "基期",
        "计划",
    )
)
# What was paid this time may be the month's, or one payment of several: asked only where figures speak for the month.
_WITHHOLDING = frozenset(
    ("once", "beside", "whose", "fund", "sum", "within", "size", "start", "changed", "treasury")
)
_ONE_TIME = frozenset(("本次", "此次"))
_COUNTS = frozenset(("population", "staffing"))
# Counts that are of a size beside others: so many people to a household.
_SIZED = frozenset(
    (
        "population_persons",
        "households_count",
        "resident_population_persons",
        "villages_count",
        "villages_with_assistant_count",
        "administrative_posts",
        "institution_posts",
    )
)
_OF_A_KIND_OF_PEOPLE = frozenset(
    ("dedicated_staff_persons", "welfare_posts_persons", "purchased_service_persons", "part_time_persons")
)
# An 其中 before posts and people of a kind says nothing new of them; the townships' offices do social relief.
_HARMLESS = {"staffing": frozenset(("of_which", "matter"))}


def _population(heading: _Heading, said: Said) -> Meaning | None:
    thing = _thing(heading)
    if heading.last_text in ("入", "出") and "迁移" in heading.texts and set(heading.things) == {"movement"}:
        # 入 below 迁移.
        thing = "moved_in" if heading.last_text == "入" else "moved_out"
    if thing is None and heading.things[-2:] == ("people", "households"):
        # 户籍人口户数.
        thing = "households"
    if heading.counts_households:
        # 迁出户数: households, of which nobody asks.
        return None
    if thing in ("births", "deaths", "moved_in", "moved_out"):
        if heading.texts & _STEPS or _DIFFERENCE.search(heading.leaf_text):
            # 迁入审批数, 出生人数增减.
            return None
        when = _flow(heading, said)
        if when is None or when.value == "to_date" or len(heading.unknown_before) > 1:
            # 溺水死亡人数: some of them.
            return None
        if heading.unknown_before or _FAR.search(heading.leaf_text):
            # 由外省迁入: all who came, or those from farther away.
            return Meaning(f"{thing}_persons", Certainty.QUESTION, when.month)
        if heading.texts & _WEAK_EVENTS and not any(
            t[:1] in "出生迁移转" for t in heading.texts - _WEAK_EVENTS
        ):
            # 入籍人口: those who came, or all who belong.
            return Meaning(f"{thing}_persons", Certainty.QUESTION, when.month)
        # In a monthly report events without a word on when are the month's.
        return Meaning(f"{thing}_persons", when.certainty if when.value else Certainty.CERTAIN, when.month)
    if set(heading.things) == {"some_staff"} and "registered" in heading.scopes:
        # 户籍人员总数.
        thing = "people"
    if not heading.things and "registered" in heading.scopes and heading.units & {"人", "万人", "户", "万户"}:
        # 户籍总数(人), 户口数(户).
        thing = "people" if heading.units & {"人", "万人"} else "households"
    if thing in ("people", "households") and "registered" not in heading.scopes:
        resident = heading.things_above & {"residents", "living"}
        if resident and thing == "households":
            # 户数 below 常住人口: not the registered ones.
            return None
        # 人数 below 常住人口情况.
        thing = min(resident) if resident else thing
    if set(heading.things) == {"households", "people"} and heading.texts & {"户口簿", "户口本"}:
        # 户口本上人口.
        thing = "people"
    if "普" in heading.leaf_text and heading.texts & _CENSUSES:
        # 七普常住人口 stands beside those of now; in brackets it says where the figure is from.
        return None
    if heading.texts & _AT_WORK and thing in ("people", "households", "residents"):
        # 户籍从业人员.
        return None
    if "注销" in heading.texts and thing in ("people", "households"):
        # 户籍注销人数 are those who are gone.
        return None
    if not heading.things and {"registered", "whole"} <= heading.scopes and not heading.units:
        # 户籍总计: of people, most likely.
        month = _named_month(heading, said)
        return None if month is False else Meaning("population_persons", Certainty.QUESTION, month)
    if thing not in ("people", "households", "residents", "living") or "start" in heading.periods:
        return None
    month = _named_month(heading, said)
    if month is False or "movement" in heading.things:
        return None
    if heading.unknown_before and thing in ("people", "households") and not heading.scopes:
        # 务农人口, 种粮户数: some of them, and not said to be registered.
        return None
    # 实有人口 are those who are there; 实有户籍人口 those who are registered all the same.
    is_real = "real" in heading.kinds and "registered" not in heading.scopes
    # 实际在本地常住的人.
    is_real = is_real and not (thing == "residents" and "实际在" in heading.texts)
    sure = Certainty.QUESTION if said.is_other_people or is_real else Certainty.CERTAIN
    if thing == "living":
        return Meaning("resident_population_persons", Certainty.QUESTION, month)
    if thing == "residents":
        if "registered" in heading.scopes:
            return Meaning("resident_population_persons", Certainty.QUESTION, month)
        return Meaning("resident_population_persons", sure, month)
    if thing == "households":
        return Meaning("households_count", sure, month)
    if "registered" in heading.scopes:
        return Meaning("population_persons", sure, month)
    if said.is_resident or said.is_other_people or (_is_bare_count(heading) and not said.is_registered):
        # Whose people these are is not said; what the title names are others.
        return None
    # 总人口 of a registration report is its own; 人口数, 辖区人口 may be those who live there.
    known = said.is_registered and "real" not in heading.kinds and "whole" in heading.scopes
    return Meaning("population_persons", Certainty.CERTAIN if known else Certainty.QUESTION, month)


_DIFFERENCE = re.compile("(?<=.)(?:增减|增长|变[化动]|净[增减]|差[额异距])(?:数|人数|额|量)?$|收入$|档案$")
_CENSUSES = frozenset(("7普", "人普"))
_FAR = re.compile("[外跨][县市省国]|[省市县国境]外")
# What says of people that they work somewhere, and so are no inhabitants.
_AT_WORK = frozenset(
    ("从业", "上岗", "到岗", "在聘", "受聘", "录用", "派驻", "驻点", "聘请", "选聘", "招聘", "任用")
)


def _is_bare_count(heading: _Heading) -> bool:
    """Whether a heading counts people without saying that they are inhabitants: 人数, 人员数."""
    return not any("人口" in text or "居民" in text for text in heading.texts)


def _named_month(heading: _Heading, said: Said) -> int | bool | None:
    """The month that a heading names besides the table's own; None where it names none, False where it is a span."""
    months = [s for s in heading.spans if s[0] == s[1]]
    if len(months) != len(heading.spans) or len(months) > 1:
        return None if said.span in heading.spans or any(s[1] == said.month for s in heading.spans) else False
    if not months or months[0][0] == said.month:
        return None
    return months[0][0]


@dataclass(frozen=True)
class _When:
    """What time an amount covers: `month` or `to_date`."""

    value: str
    certainty: Certainty
    month: int | None = None


def _flow(heading: _Heading, said: Said) -> _When | None:
    """The time an amount or a count of events covers; None where it is neither a month nor the year so far."""
    periods, sure = heading.periods, Certainty.CERTAIN
    if {"start", "to_date"} <= periods:
        # 开年累计拨付.
        periods = periods - {"start"}
    spans = [s for s in heading.spans if s[0] < s[1]]
    months = [s[0] for s in heading.spans if s[0] == s[1]]
    if periods & {"start", "quarter"} and not spans and "until" not in periods:
        if periods & {"start"} or said.span is None or said.span[0] != 1:
            return None
        return _When("to_date", sure)
    if spans:
        first, last = spans[0]
        return _When("to_date", sure) if first == 1 and (said.month or last) == last else None
    if "until" in periods:
        return _When("to_date", sure) if not months or months[0] == said.month else None
    if "to_date" in periods:
        if months:
            return _When("to_date", sure) if months[0] == said.month else None
        # 本月累计: what was added up, in this month or up to it, is not said.
        return _When("to_date", Certainty.QUESTION if "month" in periods else sure)
    if months:
        # 6月末拨付 may be what was paid by then.
        doubtful = bool(periods & {"month_end", "year_end"})
        month = None if months[0] == said.month else months[0]
        return _When("month", Certainty.QUESTION if doubtful else sure, month)
    if "month" in periods:
        return _When("month", sure)
    if "span" in periods and (said.span or said.month):
        if said.span is None:
            return _When("month", sure)
        return _When("to_date", sure) if said.span[0] == 1 else None
    if "year" in periods:
        is_done = "done" in heading.kinds or any(t.startswith("已") for t in heading.texts)
        return _When("to_date", sure if is_done else Certainty.QUESTION)
    if said.span is not None:
        return _When("to_date", sure) if said.span[0] == 1 else None
    return _When("", Certainty.QUESTION)


_ALSO_GIVEN = frozenset(("补贴", "奖补", "追加"))
_SUBSIDIES = frozenset(("above", "one_above", "subsidy", "of_which"))


def _part_of_budget(heading: _Heading, said: Said) -> Meaning | None:
    """Fund, note, what was carried over, and the parts of the year's budget: by whom it is given, for what."""
    found = _text_of_budget(heading) or _carried_over(heading, said)
    if found is None and len(heading.unknown_before + heading.unknown_after) <= 3 and not heading.spans:
        is_of_year = heading.periods <= {"year", "start"} and all(y == said.year for y in heading.years)
        is_within = "of_which" in heading.changes and not any(
            t in heading.leaf_text for t in heading.adjusting
        )
        if is_of_year and not heading.kinds & {"done", "rate", *(() if is_within else ("adjusted",))}:
            found = _for_what(heading) or _by_whom(heading)
            if found is not None and "adjusted" in heading.kinds:
                # 其中：上级补助 below 调整后预算: a part of the budget as it stands now.
                found = replace(found, certainty=Certainty.QUESTION, doubt="part")
        if found is not None and any(t.endswith("局") for t in heading.texts):
            return None
        if found is not None and heading.unknown_before + heading.unknown_after:
            # 上级支撑, 上级绿化资金: whether all of it, only the sum tells.
            found = replace(found, certainty=Certainty.QUESTION, doubt="sum")
    is_of_villages = "村级" in heading.texts
    if (
        found is not None
        and (heading.ends_in_manner or is_of_villages)
        and found.column not in ("fund_name", "remark")
    ):
        return None
    if found is None or not said.is_other_fund or found.column in ("fund_name", "remark"):
        return found
    return Meaning(found.column, Certainty.QUESTION)


# Whatever is named by such a heading may be the fund.
_FUND_TITLE = re.compile(
    r"(?:财政|民政|专项|预算|补助|补贴|拨款|支出|工作|资金|经费|款项|费用|指标|业务|项目|科目|列支|用款|开支|专款|款|费)+(?:来源|使用)?"
    r"(?:项目|名称|名目|品目|科目|款目|类目|款项|事项|大类|小类|种类|类别|分类|类项|品种|品类|条目|细目|明目|名头|名号|项|别|品名|全称|简称|标题)+"
    r"(?:名称|名|指标)?(?:指标|项目|资金|经费|科目|款项)?"
    r"|款项|专项|资金|经费|项目(?:资金|经费)|(?:资金|经费)(?:科目|款目)"
    r"|是?(?:哪一?[笔项个类种]|什么)(?:资金|经费|钱|款项?|项目|专项)(?:名称)?|(?:资金|经费|项目|款项?)(?:名称)?叫什么(?:名称?)?"
)
# What a fund's name is the name of.
_FUND_NOUNS = frozenset(
    ("项目", "资金", "经费", "款项", "款", "专项", "补助", "工作经费", "民政经费", "业务经费", "财政资金")
)


def _text_of_budget(heading: _Heading) -> Meaning | None:
    if "whence" in heading.values and set(heading.things) == {"note"}:
        # 数据来源说明 says where figures come from.
        return None
    things = set(heading.things)
    if heading.is_noted or heading.leaf_text == "注":
        # 备注（未拨付原因）.
        return Meaning("remark", Certainty.CERTAIN)
    if heading.unknown_before and heading.things == ("note",) and not heading.unknown_after:
        # 特别说明, 简要备注.
        if len(heading.unknown_before) <= 2 and heading.kinds <= {None, "thing", "neutral", "manner"}:
            return Meaning("remark", Certainty.INFERRED)
        return None
    if heading.unknown_before or heading.unknown_after:
        return None
    is_named = "naming" in heading.kinds or (
        # 项目名.
        heading.last_text == "名" and heading.kinds <= {"neutral", "change"} and not heading.things
    )
    if is_named:
        is_fund = heading.texts & _FUND_NOUNS and heading.kinds <= {"naming", "neutral", "thing", "change"}
        others = heading.texts - _FUND_NOUNS - {"名称", "名目", "名", "种类", "类别", "类型", "预算", "民政"}
        if not is_fund or others or heading.changes - {"name", "sort", "subsidy"}:
            return None
        return Meaning("fund_name", Certainty.INFERRED if "sort" in heading.changes else Certainty.CERTAIN)
    if heading.things[-1:] != ("note",) or heading.changes - {"others"}:
        return None
    if things <= {"note", "budget", "executed", "paid", "spent"} and not heading.kinds & {"ask", "rate"}:
        return Meaning("remark", Certainty.CERTAIN)
    return None


_SAYING_CARRIED = re.compile("年初|期初|[上去]年|结转|转入|20\\d\\d")


def _carried_over(heading: _Heading, said: Said) -> Meaning | None:
    if "moved_in" in heading.things and "last_year" in heading.changes:
        # 从上年转入资金; 期初结转（上年转入）.
        things = dict.fromkeys("carried" if t == "moved_in" else t for t in heading.things)
        return _carried_over(replace(heading, things=tuple(things)), said)
    if set(heading.things) != {"carried"} or heading.things_above - {"budget", "carried"} or heading.spans:
        return None
    if "carried" in heading.things_above and "of_which" in heading.changes:
        # 其中：转入本年 below 上年结转.
        return None
    if heading.things_above & {"budget", "carried"} and not _SAYING_CARRIED.search(heading.leaf_text):
        # 余额 below 年初预算, 结余 below 上年结转: what is left now.
        return None
    changes = heading.changes - ({"last"} if "期初" in heading.texts else set())
    earlier = said.year is not None and heading.years == {said.year - 1}
    # 2024年末结转 of a report of 2025.
    ends = {"start", "year_end"} if earlier else {"start"}
    if changes - {"last_year", "of_which", "carried"} or heading.periods - ends or heading.unknown_after:
        return None
    if heading.years and not earlier and not ("start" in heading.periods and heading.years == {said.year}):
        # 2025年初结转 was left when 2024 ended.
        return None
    sure = Certainty.QUESTION if heading.unknown_before or "ask" in heading.kinds else Certainty.CERTAIN
    if earlier or "last_year" in changes or "start" in heading.periods or "期初" in heading.texts:
        return Meaning("carried_over_cny", sure)
    if "whence" in heading.values and "结转" in "".join(heading.texts):
        return Meaning("carried_over_cny", sure)
    # 结余 alone is as well what is left now.
    return None


# Names of what the money is used for, which may be the whole half of the budget or something in it.
_SEEMING = frozenset(
    (
        *(
            "日常支出",
            "日常费用",
            "日常开支",
            "日常经费",
            "办公费用",
            "办公支出",
            "办公开支",
            "日常办公费",
            "公务费",
            "运行维护费",
        ),
        *(
            "事务经费",
            "维持经费",
            "商品服务",
            "商品和服务",
            "商品及服务",
            "人员待遇",
            "人员保障",
            "人员报酬",
            "人员劳务",
            "人员奖金",
        ),
        *("薪资", "薪金", "人员津补贴", "人员津贴补贴", "工资奖金"),
    )
)


_ONLY_BUDGET = frozenset(("预算", "预算数", "预算额", "金额", "数", "安排", "年初", "年初数"))
# Names of the two halves themselves: 公用经费（商品和服务支出）.
_SAYING = frozenset(
    ("人员经费", "人员支出", "人员类", "公用经费", "公用支出", "公用", "日常公用经费", "公用类")
)


def _for_what(heading: _Heading) -> Meaning | None:
    things, above = set(heading.things), heading.things_above
    if things == {"some_staff"} and heading.last_text == "人员":
        # 人员 below 预算构成 or 基本支出.
        if "whence" in heading.values:
            things = {"personnel"}
        elif above & {"sort_of_spending"} or "of_which" in heading.changes:
            return Meaning("personnel_cny", Certainty.QUESTION, doubt="sum")
    if things == {"some_staff", "personnel"}:
        # 人员工资经费.
        things = {"personnel"}
    if things == {"budget"} and len(above & {"personnel", "office"}) == 1 and heading.below <= _ONLY_BUDGET:
        # 预算 below 人员支出.
        things |= above & {"personnel", "office"}
        above = above - things
    column = "personnel_cny" if "personnel" in things else "office_cny"
    if not things & {"personnel", "office"} or not things - {"personnel", "office"} <= {
        "budget",
        "spent",
        "sort_of_spending",
    }:
        return None
    if (
        {"personnel", "office"} <= things
        or heading.changes - {"of_which"} - things
        or above - {"budget", "spent", "sort_of_spending", "personnel", "office"}
    ):
        return None
    # 人员经费支出 may be what was spent already, 人员支出预算 is not.
    is_spent = "spent" in things | above and heading.things[-1:] != ("budget",)
    if heading.texts & _SEEMING and not heading.texts & _SAYING:
        # 日常支出, 工资福利: as a rule that half of the budget, but not by its name.
        return Meaning(column, Certainty.QUESTION, doubt="part" if "of_which" in heading.changes else "sum")
    is_of_start = "start" in heading.periods and "of_which" not in heading.changes
    is_doubtful = is_spent or heading.is_of_manner or is_of_start or "ask" in heading.kinds
    if is_of_start and heading.things[-1:] == ("budget",) and not above:
        # 民政办公经费年初预算: a part of the budget, or all of it by another name.
        return Meaning(column, Certainty.QUESTION, doubt="sum")
    return Meaning(column, Certainty.QUESTION if is_doubtful else Certainty.CERTAIN, doubt="part")


def _by_whom(heading: _Heading) -> Meaning | None:
    things = set(heading.things) | heading.things_above
    is_also = heading.changes - _SUBSIDIES and heading.changes & {"above"} and heading.texts & _ALSO_GIVEN
    if is_also and not heading.changes - _SUBSIDIES - {"fund", "state"} and not things - {"budget"}:
        # 上级奖补, 上级追加补助: of which nobody says whether it is all that came from above.
        return Meaning("from_above_cny", Certainty.QUESTION, doubt="sum")
    if heading.changes - _SUBSIDIES:
        return None
    is_own = bool(heading.values & {"own", "own_given"})
    levels = sum(heading.texts.__contains__(t) for t in _LEVELS)
    is_above = "above" in heading.changes or any(t.startswith("上级") for t in heading.texts)
    if levels == 1 and "above" in heading.changes and not heading.texts & {"以上", "及"}:
        # 上级中央资金: from one of the levels above.
        return None
    if is_above or ("one_above" in heading.changes and (levels > 1 or "whole" in heading.scopes)):
        if is_own or things - {"budget", "payment", "paid"}:
            return None
        is_given = heading.texts & {"拨款", "拨款数", "下拨", "下拨数", "拨入", "拨补", "拨", "来款"}
        if "paid" in things and not is_given and "subsidy" not in heading.changes:
            # 上级到位资金: the part from above, or what has come of it so far.
            return None
        # 上级拨款 may be what the township was paid; 上级补助 below 年初预算 and 其中 is of that budget.
        is_within = "of_which" in heading.changes and not heading.is_named_below
        is_doubtful = ("paid" in things and "whence" not in heading.values) or (
            not is_within
            and (
                ("budget" in heading.things and "subsidy" not in heading.changes)
                or "start" in heading.periods
            )
        )
        is_said = (
            heading.changes & {"subsidy"}
            or heading.kinds & {"approve"}
            or "payment" in things
            or heading.values & {"whence", "given"}
        )
        sure = Certainty.CERTAIN if is_said and not is_doubtful else Certainty.QUESTION
        if sure is Certainty.QUESTION and "of_which" in heading.changes and not is_doubtful:
            # 其中：上级资金.
            sure = Certainty.INFERRED
        if not is_above:
            sure = min(sure, Certainty.INFERRED)
        return Meaning("from_above_cny", sure, doubt="part")
    if is_own and heading.things == ("paid",) and heading.texts & {"拨款", "拨款数"} and not heading.periods:
        # 本级财政拨款 beside 上级拨款 is a part; alone it is as well what was paid.
        return Meaning("own_cny", Certainty.QUESTION, doubt="beside")
    if (
        is_own
        and heading.things == ("budget",)
        and not heading.is_named_below
        and "年初" not in heading.leaf_text
        and re.search("本级|县|区|旗|地方|配套", heading.leaf_text)
        and heading.periods & {"start"}
    ):
        # 本级安排 below 年初预算: a part of it.
        return Meaning("own_cny", Certainty.QUESTION, doubt="part")
    is_part = "of_which" in heading.changes or "whence" in heading.values
    within = {"year", "start"} if "of_which" in heading.changes else set()
    if is_own and is_part and heading.things == ("budget",) and not heading.periods - within:
        # 其中：区级预算, 本级预算 below 资金来源, 其中：本级 below 年初预算.
        return Meaning("own_cny", Certainty.INFERRED)
    # 年初本级安排 is the budget itself.
    if not is_own or heading.things or things - {"budget"} or "start" in heading.periods:
        return None
    if heading.changes & {"above", "one_above"}:
        return None
    is_said = heading.kinds & {"approve"} or heading.values & {"whence", "given", "own_given", "subsidy"}
    if not is_said and is_part:
        # 其中：本级财政, 本级 below 资金来源.
        return Meaning("own_cny", Certainty.INFERRED)
    return Meaning("own_cny", Certainty.CERTAIN if is_said else Certainty.QUESTION, doubt="part")


def _budget(heading: _Heading, said: Said) -> Meaning | None:
    thing = _thing(heading)
    others = set(heading.things)
    if _counts_others(heading):
        # 累计拨付乡镇数, 年初预算人数, 本月拨付批次.
        return None
    if heading.last_text == "额度" and "spent" in others:
        # 已批用款额度: what may be spent, not what was.
        return None
    if (quota := _quota(heading, said)) is not None:
        return quota
    if (
        "movement" in others
        and "month" in heading.periods
        and "新增" in heading.texts
        and others & {"paid", "spent"}
    ):
        # 本月新增拨付.
        return _budget(replace(heading, things=tuple(t for t in heading.things if t != "movement")), said)
    if (
        others == {"movement", "budget"}
        and heading.things[-1] == "budget"
        and not heading.unknown_before + heading.unknown_after
        and not heading.periods - {"year"}
        and not heading.spans
    ):
        # 变动预算数: by how much, or what came of it: only figures near the first budget tell.
        return Meaning("adjusted_budget_cny", Certainty.QUESTION, doubt="changed")
    if "movement" in others or (heading.unknown_after and thing != "listed"):
        # 预算增加数 is a difference; 拨付单据 is no amount: the last word says what a column is.
        return None
    if "costs" in others:
        # 拨付费用 is what was paid, 费用 alone what was spent.
        rest = tuple(t for t in heading.things if t != "costs") or ("spent",)
        return _budget(replace(heading, things=rest), said)
    if "executed" in others and others & {"paid", "spent"}:
        # 支出执行数: executed says nothing more.
        return _budget(replace(heading, things=tuple(t for t in heading.things if t != "executed")), said)
    if others == {"executed"} and not heading.is_named_below and not heading.texts & _EXECUTED:
        # 累计 below 执行情况: of what, nobody says.
        return None
    # 本月燃气支出, 年初绿化预算: a word before money may say what the money is for, and then it is a part.
    is_part = bool(heading.unknown_before) and "listed" not in others
    sure = Certainty.QUESTION if said.is_other_fund or is_part else Certainty.CERTAIN
    if said.thing and _says_only_how_much(heading):
        # 本月数 of a table that is called 经费拨付情况表.
        by_title = _budget(replace(heading, things=(said.thing,)), replace(said, thing=""))
        return by_title and replace(by_title, certainty=min(by_title.certainty, Certainty.INFERRED))
    if "listed" in others:
        return Meaning("is_listed_separately", sure)
    if (
        not others
        and "start" in heading.periods
        and ("approve" in heading.kinds or "核定数" in heading.texts)
    ):
        # 年初安排数, 年初批复数: a budget that is not called one.
        return Meaning("initial_budget_cny", min(sure, Certainty.INFERRED))
    if (
        others <= {"payment"}
        and "start" in heading.periods
        and (others or heading.texts & {"指标", "指标数", "控制数"})
    ):
        # 年初下达数, 年初指标数.
        return Meaning("initial_budget_cny", Certainty.QUESTION, doubt="whole")
    if thing == "budget" and "全口径" in heading.texts:
        # 乡镇部门预算（全口径）: all that the township is given, for whatever purpose.
        return None
    if thing == "budget":
        whole = _amount_of_year(heading, sure, said)
        is_of_sort = "sort_of_spending" in heading.things_above or heading.texts & {"项目", "基本"}
        if whole and is_of_sort and not whole.doubt:
            # 项目支出 over 年初预算, 项目预算: all of it, or one of two parts.
            return replace(whole, certainty=Certainty.QUESTION, doubt="whose")
        if whole and is_part and not whole.doubt:
            return replace(whole, doubt="start" if "start" in heading.periods else "whose")
        return whole
    if (
        not others
        and heading.is_adjusted_budget
        and heading.texts & {"指标", "指标数", "资金", "经费", "额度"}
    ):
        # 调整后指标数: quotas are the budget.
        return Meaning("adjusted_budget_cny", min(sure, Certainty.INFERRED))
    is_after = any("后" in t for t in heading.texts) and "registered" not in heading.scopes
    if (
        not others
        and is_after
        and heading.is_adjusted_budget
        and not heading.unknown_before
        and not heading.periods
    ):
        # 调整后数, 调整后安排数.
        return Meaning("adjusted_budget_cny", min(sure, Certainty.INFERRED))
    if not others and heading.periods == {"start"} and not heading.spans and len(heading.unknown_before) <= 4:
        # 年初盘子, 年初切块: if the figures are those of the budget.
        return Meaning("initial_budget_cny", Certainty.QUESTION, doubt="start")
    if others and others <= {"budget", "paid", "spent", "payment", "executed"}:
        # 预算拨付, 拨付支出, 下达预算: the last word says what it is, the other may say it is not.
        last = heading.things[-1]
        if last == "payment" and others == {"budget", "payment"} and heading.periods == {"start"}:
            # 年初预算下达数.
            return Meaning("initial_budget_cny", Certainty.QUESTION, doubt="whole")
        if last == "budget" and others == {"budget", "payment"} and heading.periods & {"start", "year"}:
            return _amount_of_year(heading, sure, said)
        if last == "budget" and heading.periods == {"start"} and not heading.unknown_before:
            # 年初支出预算: what was budgeted for spending.
            return _amount_of_year(heading, min(sure, Certainty.INFERRED), said)
        kind = "spent" if last in ("spent", "executed") else "disbursed"
        doubt = "once" if is_part else "what" if others in ({"payment"}, {"executed"}) else ""
        if others != {last} or heading.unknown_before or last in ("payment", "executed", "budget"):
            sure = Certainty.QUESTION
        if last == "budget":
            return None
        when = _flow(heading, said)
        if when is None:
            return None
        if not when.value:
            if heading.unknown_before:
                # 水电支出: a part, and of what time is not said either.
                return None
            # 已拨付 is all that was paid so far.
            is_so_far = last == "executed" or any(t.startswith("已") for t in heading.texts)
            is_so_far = is_so_far or (
                "whole" in heading.scopes
                and bool(heading.texts & {"总", "总计", "共计", "合计", "总额", "总量", "总数"})
            )
            when = _When("to_date" if is_so_far else "month", when.certainty)
            doubt = "once" if is_part else "time"
            if is_so_far and last in ("paid", "spent"):
                return Meaning(
                    f"{kind}_cumulative_cny",
                    min(sure, when.certainty),
                    when.month,
                    is_so_far=True,
                    doubt="when" if sure > Certainty.QUESTION else "",
                )
        column = f"{kind}_month_cny" if when.value == "month" else f"{kind}_cumulative_cny"
        if (
            "year" in heading.periods
            and when.certainty is Certainty.QUESTION
            and not is_part
            and others == {last}
        ):
            # 年内拨付.
            return Meaning(column, Certainty.QUESTION, when.month, doubt="when")
        doubt = doubt if when.certainty > Certainty.QUESTION or doubt in ("time", "once") else ""
        is_paid_out = "payment" in others and bool(heading.texts & _PAID_OUT)
        is_paid_out = is_paid_out and not heading.texts & _ISSUED and column.startswith("disbursed")
        if is_paid_out and _BY_TOWNSHIP.match(heading.leaf_text):
            # 乡镇实际支付: what they paid they spent.
            return Meaning(column.replace("disbursed", "spent"), min(sure, when.certainty), when.month)
        if is_paid_out and heading.texts & {"国库集中", "集中"} and doubt == "what":
            # 国库集中支付 goes to whoever is paid in the end, a township's creditor as well as a township.
            doubt = "treasury"
        # 支付 beside what was paid to the townships is what they paid.
        otherwise = column.replace("disbursed", "spent") if is_paid_out else None
        return Meaning(column, min(sure, when.certainty), when.month, otherwise=otherwise, doubt=doubt)
    return None


# A number, not a state of affairs.
_EXECUTED = frozenset(("执行数", "预算执行数", "决算数"))
_PAID_OUT = frozenset(
    ("支付", "支付数", "支付额", "实付", "实付数", "已付", "付款", "付款数", "付讫", "兑付", "兑付数", "兑现")
)


# Of 本月乡镇支付 the townships are who pays, of 支付乡镇 and 向乡镇支付 who is paid.
_BY_TOWNSHIP = re.compile(
    r"(?!.*[向对给至到]乡镇).*乡镇(?:级|本级)?(?:本年|本月|当月|累计|实际|已|共|年初至本月)*(?:支付|付款|实付|已付|兑付)"
)
# 授权支付额度下达: authority to pay, not what was paid.
_ISSUED = frozenset(("下达", "下达数", "下达资金", "额度", "用款额度", "指标", "指标数"))
# What the authority to spend is called; money is paid on it later.
_QUOTAS = frozenset(("指标", "指标数", "额度", "用款额度", "盘子", "总盘子", "控制数"))


def _quota(heading: _Heading, said: Said) -> Meaning | None:
    """An amount that was allotted and is not called budget or payment: 年度指标数, 全年核定经费, 本月到额度, 本月分配."""
    is_new = heading.things == ("movement",) and "新增" in heading.texts
    is_named = bool(heading.below & _QUOTAS) or heading.is_approved
    if (heading.things and not is_new) or not is_named or heading.unknown_before + heading.unknown_after:
        return None
    if "adjusted" in heading.kinds or "start" in heading.periods:
        return None
    if (
        heading.periods == {"year"}
        and not heading.spans
        and not heading.things
        and "done" not in heading.kinds
    ):
        return Meaning("initial_budget_cny", Certainty.QUESTION, otherwise="adjusted_budget_cny")
    when = _flow(heading, said)
    if when is None or not when.value or when.month is not None or when.certainty is Certainty.QUESTION:
        return None
    name = "disbursed_month_cny" if when.value == "month" else "disbursed_cumulative_cny"
    return Meaning(name, Certainty.QUESTION)


# What is counted where these stand last: townships, people, lots, and no money.
_COUNTS_OF = re.compile(
    r".*(?:(?:乡镇|乡|镇|街道|镇街|村|社区|村居|单位|人|户|家庭|机构|项目|笔)(?:总|个)?数量?"
    r"|人次|户次|批次|批数|次数|笔|起数|天数|个月数|截止日|日)"
)


def _counts_others(heading: _Heading) -> bool:
    if (
        set(heading.things) & {"people", "households", "some_staff"} - {"note"}
        and set(heading.things) & _MONEYED
    ):
        return True
    return bool(set(heading.things) & _MONEYED and _COUNTS_OF.fullmatch(heading.leaf_text))


_MONEYED = frozenset(("budget", "paid", "spent", "payment", "executed", "carried", "costs"))


def _says_only_how_much(heading: _Heading) -> bool:
    """Whether a heading names an amount or a time and nothing else: 金额, 本月数, 累计."""
    is_bare = not heading.things and not heading.things_above and not heading.unknown_before
    if not is_bare or heading.unknown_after or heading.kinds - {"neutral", "period", "time"}:
        return False
    return bool(heading.periods & {"month", "to_date", "until"} or heading.texts & {"金额", "数额"})


def _is_as_of(heading: _Heading, said: Said) -> bool:
    """Whether a heading says of when it is, and that is the end of the month reported."""
    if not heading.periods & {"until", "month_end"} or heading.periods & {"month", "quarter", "to_date"}:
        return False
    return all(last == said.month for _, last in heading.spans)


def _amount_of_year(heading: _Heading, sure: Certainty, said: Said) -> Meaning | None:
    if heading.periods & {"month_end", "year_end"} and not heading.spans and not heading.unknown_before:
        # 期末预算: as it stands in the end.
        return Meaning("adjusted_budget_cny", Certainty.QUESTION, doubt="whole")
    if heading.is_adjusted_budget and _is_as_of(heading, said):
        # 截至3月底调整后预算: as it stood then, and that is how it is reported.
        return Meaning("adjusted_budget_cny", sure)
    if heading.periods & {"month", "month_end", "quarter", "to_date", "until"} or heading.spans:
        return None
    if "adjusted" in heading.kinds:
        if not heading.is_adjusted_budget:
            # 预算调整数 is by how much it was changed.
            return None
        return Meaning("adjusted_budget_cny", sure)
    if "start" in heading.periods:
        if "计划" in heading.texts:
            return Meaning("initial_budget_cny", Certainty.QUESTION, doubt="whole")
        return Meaning("initial_budget_cny", sure)
    if heading.changes == {"last"}:
        # 调整前预算, 原预算.
        return Meaning("initial_budget_cny", Certainty.QUESTION, doubt="whole")
    if heading.texts & _AS_IT_STANDS or _counts_changes(heading):
        # As it stands now: changed or not.
        is_both = heading.texts & _AS_IT_STANDS and _counts_changes(heading)
        return Meaning("adjusted_budget_cny", Certainty.INFERRED if is_both else Certainty.QUESTION)
    if "year" in heading.periods and heading.is_approved:
        return Meaning("initial_budget_cny", min(sure, Certainty.INFERRED))
    if "own" in heading.values and heading.is_approved:
        # 本级预算安排 is the part that the county gives; 县级预算 may be the whole.
        return Meaning("own_cny", Certainty.QUESTION, doubt="part")
    if heading.unknown_before:
        # 机动预算: a budget of some kind, of which nobody can say more.
        return None
    # Beside 年初预算, 全年预算数 is the budget as it was changed and 县级预算 the county's share of it.
    otherwise, doubt = None, ""
    if "own" in heading.values:
        # Which of the two, figures must tell.
        otherwise, doubt = "own_cny", "whose"
    elif ("year" in heading.periods or heading.years) and "ask" not in heading.kinds:
        otherwise = "adjusted_budget_cny"
    return Meaning("initial_budget_cny", Certainty.QUESTION, otherwise=otherwise, doubt=doubt)


_AS_IT_STANDS = frozenset(("最新", "现行", "当前", "目前", "现", "现时"))
_WITH_CHANGES = re.compile(
    "(?:包?含|包括)(?:年中)?(?:追加|追减|调整|调增|调减|[和及与、])+(?:数|预算)?(?:在内)?"
)


def _counts_changes(heading: _Heading) -> bool:
    """Whether what was added and taken away in the year is said to be counted in: 全年预算（含追加、追减）."""
    return any(_WITH_CHANGES.fullmatch(text) for text in heading.texts)


_LEVELS = (
    "中央",
    "中央级",
    "中央财政",
    "国家",
    "省级",
    "省",
    "省级财政",
    "省财政",
    "市级",
    "市",
    "市级财政",
    "市财政",
)

_OF_MONEY = frozenset(("经费", "资金", "金额", "款", "款项", "业务经费", "财政资金"))
_MONEY = frozenset(("元", "万元", "千元", "亿元"))
# Beside posts these words say how many of them are filled.
_KINDS_OF_POSTS = frozenset(
    (
        "核定数",
        "核编数",
        "定编数",
        "行政",
        "行政类",
        "机关",
        "事业",
        "事业类",
        "事业单位",
        "编制",
        "编制数",
        "数",
        "名",
        "个",
    )
)
_FILLED = frozenset(("实际", "现有", "已配备", "配备", "已配", "在编", "在岗"))
# Words that say of people no more than that they are there, and how many.
_ONLY_PRESENT = frozenset(
    (
        *(
            "在岗",
            "实有",
            "现有",
            "在职",
            "在职在岗",
            "在岗人员",
            "在职人员",
            "实有数",
            "实际",
            "实际在",
            "已有",
            "到岗",
            "在聘",
        ),
        *(
            "人",
            "名",
            "个",
            "数",
            "人数",
            "人员",
            "人员数",
            "数量",
            "总",
            "总数",
            "合计",
            "小计",
            "计",
            "情况",
            "的",
        ),
    )
)
# That somebody is there.
_EQUIPPED = frozenset(
    ("配", "配备", "配有", "已配备", "已配", "配齐", "到位", "已到位", "落实", "配员", "选配", "覆盖")
)
_HAVING = frozenset(
    (
        "落实",
        "已有",
        "已设",
        "到位",
        "已到位",
        "在岗",
        "到岗",
        "覆盖",
        "聘有",
        "已聘",
        "有了",
        "配备",
        "配有",
        "已配备",
        "已配",
        "配齐",
        "配",
        "设有",
        "设立",
        "有",
    )
)
_COUNTED = {
    "admin_posts": "administrative_posts",
    "institution_posts": "institution_posts",
    "staff": "dedicated_staff_persons",
    "some_staff": "dedicated_staff_persons",
    "welfare_posts": "welfare_posts_persons",
    "purchased": "purchased_service_persons",
    "part_time": "part_time_persons",
    "villages": "villages_count",
    "some_villages": "villages_count",
    "villages_with_assistant": "villages_with_assistant_count",
}


# Counted in: people who are not on the payroll.
_WITH_OTHERS = re.compile("(?:含|包括|包含).*(?:购买|公益|兼职|聘用|临时|编外|派遣)")


def _staffing(heading: _Heading, said: Said) -> Meaning | None:
    if not set(heading.things) & _OUTSIDE and any(_WITH_OTHERS.match(t) for t in heading.texts):
        # 专职（含购买服务专职): not only those who are in their posts.
        return None
    if heading.texts & _OF_MONEY or heading.units & _MONEY:
        # 购买服务经费 is no number of people.
        return None
    if any(re.search("(?:不|除|未|剔).*(?:社区|居(?!民?小组))", t) for t in heading.asking) and set(
        heading.things
    ) & {
        "villages",
        "some_villages",
    }:
        # 行政村数（不含社区）: half of them.
        return None
    if any(re.search("^包?[含括].*(?:社区|居)", t) for t in heading.asking):
        # 村数（含社区）: of both kinds.
        things = tuple("villages" if t == "some_villages" else t for t in heading.things)
        heading = replace(heading, things=things)
    thing = _thing(heading)
    if thing is None and set(heading.things) == {"staff", "some_staff"}:
        thing = "staff"
    of_whom = heading.things_above & _OUTSIDE
    if of_whom and not heading.changes - {"of_which"} and set(heading.things) <= {"some_staff", "people"}:
        # 在岗人数 below 公益性岗位; what else is said of them makes them some of these.
        is_number = heading.below <= _ONLY_PRESENT and not heading.unknown_before + heading.unknown_after
        return Meaning(_COUNTED[min(of_whom)], Certainty.CERTAIN) if is_number and len(of_whom) == 1 else None
    if (
        "专职" in heading.texts
        and heading.texts & {"民政助理", "民政助理员"}
        and "villages" not in heading.values
    ):
        # 专职民政助理员 of a township.
        return Meaning("dedicated_staff_persons", Certainty.QUESTION, doubt="staff")
    words = "".join(sorted(heading.texts))
    if thing == "some_staff" and _ON_PAYROLL.search(words) and _FULL_TIME.search(words):
        # 在编 below 专职人员, 专门干民政的在编人员.
        thing = "staff"
    if "正式编" in heading.texts and not _FULL_TIME.search(words):
        # 正式编数: of posts or of people.
        return None
    if "movement" in heading.things:
        return None
    if thing == "people" and any(t.startswith("民政") for t in heading.texts):
        # 民政工作人员数.
        thing = "some_staff"
    if (
        thing is None
        and "payment" in heading.things
        and set(heading.things) - {"payment"} <= {"admin_posts", "institution_posts"}
    ):
        # 下达行政编制.
        return _staffing(replace(heading, things=tuple(t for t in heading.things if t != "payment")), said)
    if thing == "assistants" and heading.last_text == "村" and _is_filled(heading):
        # 设有协理员的村, also behind 其中.
        return Meaning("villages_with_assistant_count", Certainty.INFERRED)
    if (
        thing == "assistants"
        and "of_which" in heading.changes
        and _is_filled(heading)
        and not heading.unknown_before
        and not heading.things_above & {"villages", "some_villages"}
    ):
        # 其中：已配备协理员 beside the number of villages.
        return Meaning("villages_with_assistant_count", Certainty.QUESTION, doubt="within")
    is_employed = "用的" in heading.texts and heading.things[-1:] and heading.things[-1] in _OUTSIDE
    if is_employed or ("使用" in heading.texts and set(heading.things) & _OUTSIDE):
        # 使用公益性岗位人员, 民政用的公益岗: it is people who are employed.
        things = tuple(t for t in heading.things if t != "spent")
        return _staffing(replace(heading, things=things, texts=heading.texts - {"使用", "用的"}), said)
    if thing is None and "paid" in heading.things and not heading.texts & {"拨付", "拨款"}:
        # 协理员到位村(社区): it is people who have come.
        return _staffing(replace(heading, things=tuple(t for t in heading.things if t != "paid")), said)
    # 机关行政编 says it twice.
    of_others = heading.things_above & {"assistants", "villages", "some_villages"}
    if of_others and thing in ("some_staff", "staff", "people", "part_time"):
        # 兼职 below 协理员, 干部数 below 村（社区）: people, but not the township's.
        return None
    if heading.things_above & {"admin_posts", "institution_posts"} and thing in (
        "some_staff",
        "staff",
        "people",
    ):
        # 在岗 below 行政编制: those of one kind only.
        return None
    if thing in _OUTSIDE and _is_of_another_count(heading):
        return None
    is_of_villages = thing in ("villages", "some_villages")
    if is_of_villages and (set(heading.things) & {"people", "households"} or heading.texts & _PLACES):
        # 村（社区）人口, 有服务站的村（社区）数.
        return None
    posts_of = {"admin_posts": "admin", "institution_posts": "institution"}.get(thing or "")
    if "of" in heading.kinds and heading.values & {"admin", "institution"} != {posts_of}:
        # 行政 below 编制; 行政人员 are people.
        ends = {heading.last_text, heading.leaf_text} & _KINDS_OF_POSTS
        is_below = set(heading.things) <= {"some_staff"} and bool(ends)
        if not is_below or not _is_of_posts(heading) or "real" in heading.kinds or heading.texts & _FILLED:
            return None
        if {"admin", "institution"} <= heading.values:
            return None
        name = "administrative_posts" if "admin" in heading.values else "institution_posts"
        return Meaning(name, Certainty.CERTAIN)
    if thing == "assistants" and heading.things_above & {"villages", "some_villages"} and _is_filled(heading):
        # 村（社区） over 已配备协理员.
        return Meaning("villages_with_assistant_count", Certainty.INFERRED)
    is_by_whom = "assistants" in heading.things or "assistants" in heading.things_above
    if (
        thing in ("villages", "some_villages")
        and heading.below & _EQUIPPED
        and not is_by_whom
        and not heading.unknown_before
    ):
        # 已配村社数: of which staff, the heading before it says.
        return Meaning("villages_with_assistant_count", Certainty.QUESTION, doubt="size")
    if is_of_villages and "的" in heading.leaf_text and not _OF_TOWNSHIP.match(heading.leaf_text):
        # 有人管民政的村（社区）数: which villages, whatever is said before 的.
        return None
    if thing in ("villages", "some_villages") and "assistants" in heading.things_above:
        if re.search("总数|合计|总计", heading.leaf_text) and not heading.below & _HAVING:
            # 村（社区）总数 below it may be all there are.
            return Meaning("villages_count", Certainty.QUESTION)
        # 村（社区）数 below 协理员配备.
        sure = Certainty.INFERRED if heading.texts & _HAVING else Certainty.QUESTION
        return Meaning("villages_with_assistant_count", sure)
    if thing == "some_staff" and (
        heading.unknown_before
        or "of_which" in heading.changes
        or any(t.startswith("参") for t in heading.texts)
        or _is_of_posts(heading)
    ):
        # 工勤人员, 人员编制数: others than those who are in their posts and do nothing else.
        return None
    if thing == "some_staff" and heading.last_text in ("岗位", "岗"):
        # 编内岗位 are posts.
        return None
    words = "".join(sorted(heading.texts))
    if (
        thing == "some_staff"
        and "专职" not in words
        and ("whole" in heading.scopes or "real" in heading.kinds)
    ):
        # 人员总数, 实有在编人数: of all kinds, or those in their posts whatever they do.
        return None
    if thing == "some_villages" and (heading.unknown_before or "of_which" in heading.changes):
        # 示范村数; 其中：行政村.
        return None
    if thing == "some_villages" and re.search("行政村|建制村", heading.leaf_text):
        # 行政村 stands beside 社区 more often than for both.
        return None
    if thing not in _COUNTED or _named_month(heading, said) is not None:
        return None
    sure = Certainty.CERTAIN
    posts = thing in ("admin_posts", "institution_posts")
    if thing == "some_staff" or (posts and "some_staff" in heading.things) or "budget" in heading.things:
        # 专职 alone may be without 编制; 行政编制人员 may be those who are there.
        sure = Certainty.QUESTION
    if posts and "real" in heading.kinds:
        return None
    if posts and any(
        text in ("实际", "实有", "现有", "已配备", "配备", "已配") or text.startswith(_IN_POST)
        for text in heading.texts
    ):
        return None
    if thing == "admin_posts" and "公务员" in heading.texts and not _is_of_posts(heading):
        # 公务员人数 are people; 公务员 alone may be the posts.
        if heading.texts & {"人", "名", "数"} or "people" in heading.things or heading.units & {"人", "名"}:
            return None
        sure = Certainty.QUESTION
    if thing == "villages_with_assistant" and heading.things[-1] != "villages":
        if "some_villages" in heading.things and heading.things[-1] != "some_villages":
            return None
        sure = Certainty.QUESTION if heading.things[-1] == "assistants" else sure
    if thing == "some_villages":
        sure = Certainty.QUESTION
    is_full_time = thing == "some_staff" and "专职" in words and "budget" not in heading.things
    return Meaning(_COUNTED[thing], sure, doubt="staff" if is_full_time else "")


# All villages that there are: 全镇的村, 下辖的村.
_OF_TOWNSHIP = re.compile("(?:其中)?(?:全|本|所|下|管|辖|区|域|内|乡|镇|街道|场|我|行政)+的")
_ON_PAYROLL = re.compile("在编|编制?内|有编|正式编")
# That somebody does nothing else.
_FULL_TIME = re.compile("专职|全职|专门|专[做岗人司管抓]|只[干做管]")
# That somebody holds a post.
_IN_POST = ("在编", "在岗", "在职", "到岗", "实有", "现有", "实配")
# Where people work or are served.
_PLACES = frozenset(
    (
        "服务站",
        "民政服务站",
        "服务中心",
        "民政服务中心",
        "便民服务中心",
        "办公室",
        "社会事务办公室",
        "公共服务办公室",
    )
)
# How many people there may be, and not how many there are.
_ALLOTTED = frozenset(
    (
        *(
            "核定",
            "核定数",
            "核编",
            "核编数",
            "审批",
            "批复",
            "编制",
            "编制数",
            "指标",
            "指标数",
            "名额",
            "定额",
        ),
        *("配额", "额度", "员额", "控制数", "定编", "定编数"),
    )
)


def _is_of_another_count(heading: _Heading) -> bool:
    """Whether a heading on people who are not on the payroll counts something else: how many there may be, whom they serve."""
    if heading.texts & _ALLOTTED or heading.texts & {"覆盖", "覆盖到"} or "costs" in heading.things:
        return True
    return heading.last_text in ("招聘", "选聘") or bool(_OTHER_COUNT.search(heading.leaf_text))


_OTHER_COUNT = re.compile("(?:人次|社会组织(?:个|总)?数?)$")


def _is_filled(heading: _Heading) -> bool:
    """Whether villages are said to have somebody, and nobody is counted."""
    is_counted = heading.below & {"人", "名", "数"} or heading.units & {"人", "名"}
    return bool(heading.texts & _HAVING) and not is_counted


def _is_of_posts(heading: _Heading) -> bool:
    return bool(
        heading.texts
        & {
            "编制",
            "机构编制",
            "编制数",
            "总编制",
            "员额",
            "定额",
            "名额",
            "核定数",
            "核编",
            "核编数",
            "定编",
            "定编数",
        }
    )


_READERS: dict[str, Callable[[_Heading, Said], Meaning | None]] = {
    "population": _population,
    "budget": _budget,
    "staffing": _staffing,
}


def month_of(said: Said) -> date | None:
    """The month a table speaks of, if year and month are said."""
    return date(said.year, said.month, 1) if said.year and said.month else None
