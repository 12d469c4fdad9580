"""What a heading means that no contract spells: concept, period, whose, and what is said around it.

A meaning is certain when every word is known and they agree; inferred when a word before the thing counted is
unknown (辖区户籍人口); a question when a word may change it, or when it might as well be another column. A word that
does change it (上年, 其中, 低保, 占比) leaves no meaning at all: the column is named as not used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import lru_cache

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


@dataclass(frozen=True)
class Meaning:
    """The column a heading stands for. `month` where the heading names one that is not the table's."""

    column: str
    certainty: Certainty
    month: int | None = None


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
    # Whether the last thing named comes after what says that the budget was changed.
    is_adjusted_budget: bool


# Things that give way to a more particular one beside them: 出生人口 is births, 公益性岗位人员 welfare posts.
_GENERAL = ("people", "some_staff", "movement")


def _gather(parts: Sequence[str]) -> _Heading:
    """The parts of a stacked heading, the lowest last. What the lowest says beats what stands above it."""
    cells = [words_of(part) for part in parts]
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
    last = max((i for i, w in enumerate(leaf) if w.kind == "thing"), default=len(leaf))
    changed = [i for i, w in enumerate(leaf) if w.kind == "adjusted"]
    return _Heading(
        things=tuple(w.value for w in leaf if w.kind == "thing"),
        periods=frozenset(periods),
        spans=tuple(dict.fromkeys(s for s in spans if s)),
        years=frozenset(w.year for w in (*leaf, *above) if w.year),
        scopes=frozenset(w.value for w in (*leaf, *above) if w.kind == "scope"),
        kinds=frozenset(w.kind for w in (*leaf, *above) if w.kind and not (w.text == "其中" and w in above)),
        texts=frozenset(w.text for w in (*leaf, *above)),
        unknown_before="".join(w.text for w in leaf[:last] if w.kind is None),
        unknown_after="".join(w.text for w in leaf[last + 1 :] if w.kind is None),
        is_adjusted_budget=bool(changed)
        and (changed[0] < last or any("后" in leaf[i].text for i in changed)),
    )


def _things(words: Sequence[Word]) -> list[str]:
    return [w.value for w in words if w.kind == "thing"]


def _thing(heading: _Heading) -> str | None:
    """The one thing a heading is about; None where it is about none or about several."""
    named = list(dict.fromkeys(heading.things))
    particular = [t for t in named if t not in _GENERAL] or [t for t in named if t == "some_staff"] or named
    if particular == ["villages", "assistants"] or particular == ["assistants", "villages"]:
        return "villages_with_assistant"
    return particular[0] if len(particular) == 1 else None


@lru_cache(maxsize=65536)
def meaning_of(dataset: str, parts: tuple[str, ...], said: Said) -> Meaning | None:
    """The column of `dataset` that stacked header cells stand for; None where they mean none of them."""
    read = _READERS.get(dataset)
    if read is None or not parts:
        return None
    heading = _gather(parts)
    if heading.kinds & {"change", "prior"} or (said.year and heading.years - {said.year}):
        return None
    if (
        (heading.years and said.year is None)
        or heading.unknown_after
        or len(heading.unknown_before) > 6
        or "ask" in heading.kinds
    ):
        heading_certainty = Certainty.QUESTION
    elif heading.unknown_before:
        heading_certainty = Certainty.INFERRED
    else:
        heading_certainty = Certainty.CERTAIN
    found = read(heading, said)
    if found is None:
        return None
    return Meaning(found.column, min(found.certainty, heading_certainty), found.month)


def _population(heading: _Heading, said: Said) -> Meaning | None:
    thing = _thing(heading)
    if thing is None and heading.things[-2:] == ("people", "households"):
        # 户籍人口户数.
        thing = "households"
    if thing in ("births", "deaths", "moved_in", "moved_out"):
        when = _flow(heading, said)
        if when is None or when.value == "to_date":
            return None
        # In a monthly report events without a word on when are the month's.
        return Meaning(f"{thing}_persons", when.certainty if when.value else Certainty.CERTAIN, when.month)
    if thing not in ("people", "households", "residents") or "start" in heading.periods:
        return None
    month = _named_month(heading, said)
    if month is False:
        return None
    sure = Certainty.QUESTION if said.is_other_people or "real" in heading.kinds else Certainty.CERTAIN
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
    known = (
        said.is_registered
        and "real" not in heading.kinds
        and ("whole" in heading.scopes or not _is_bare_count(heading))
    )
    return Meaning("population_persons", Certainty.CERTAIN if known else Certainty.QUESTION, month)


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
    if "span" in periods and said.span is not None:
        return _When("to_date", sure) if said.span[0] == 1 else None
    if "year" in periods:
        return _When("to_date", sure if "done" in heading.kinds else Certainty.QUESTION)
    if said.span is not None:
        return _When("to_date", sure) if said.span[0] == 1 else None
    return _When("", Certainty.QUESTION)


def _budget(heading: _Heading, said: Said) -> Meaning | None:
    thing = _thing(heading)
    others = set(heading.things)
    sure = Certainty.QUESTION if said.is_other_fund else Certainty.CERTAIN
    if "listed" in others:
        return Meaning("is_listed_separately", sure)
    if not others and "start" in heading.periods and "approve" in heading.kinds:
        # 年初安排数, 年初批复数: a budget that is not called one.
        return Meaning("initial_budget_cny", min(sure, Certainty.INFERRED))
    if thing == "budget":
        return _amount_of_year(heading, said, sure)
    if others and others <= {"budget", "paid", "spent", "payment", "executed"}:
        # 预算拨付, 拨付支出, 下达预算: the last word says what it is, the other may say it is not.
        last = heading.things[-1]
        if last == "budget" and others == {"budget", "payment"} and heading.periods & {"start", "year"}:
            return _amount_of_year(heading, said, sure)
        kind = "spent" if last in ("spent", "executed") else "disbursed"
        if others != {last} or last in ("payment", "executed", "budget"):
            sure = Certainty.QUESTION
        if last == "budget":
            return None
        when = _flow(heading, said)
        if when is None:
            return None
        if not when.value:
            when = _When("to_date" if last == "executed" else "month", when.certainty)
        column = f"{kind}_month_cny" if when.value == "month" else f"{kind}_cumulative_cny"
        return Meaning(column, min(sure, when.certainty), when.month)
    return None


def _amount_of_year(heading: _Heading, said: Said, sure: Certainty) -> Meaning | None:
    if heading.periods & {"month", "month_end", "quarter", "to_date", "until"} or heading.spans:
        return None
    if "adjusted" in heading.kinds:
        return Meaning("adjusted_budget_cny", sure if heading.is_adjusted_budget else Certainty.QUESTION)
    if heading.periods & {"start", "year"} or (heading.years and said.year in heading.years):
        return Meaning("initial_budget_cny", sure)
    return Meaning("initial_budget_cny", Certainty.QUESTION)


# Beside posts these words say how many of them are filled.
_FILLED = frozenset(("实际", "现有", "已配备", "配备", "已配", "在编", "在岗"))
_COUNTED = {
    "admin_posts": "administrative_posts",
    "institution_posts": "institution_posts",
    "staff": "dedicated_staff_persons",
    "some_staff": "dedicated_staff_persons",
    "welfare_posts": "welfare_posts_persons",
    "purchased": "purchased_service_persons",
    "part_time": "part_time_persons",
    "villages": "villages_count",
    "villages_with_assistant": "villages_with_assistant_count",
}


def _staffing(heading: _Heading, said: Said) -> Meaning | None:
    thing = _thing(heading)
    if thing is None and set(heading.things) == {"staff", "some_staff"}:
        thing = "staff"
    if thing not in _COUNTED or _named_month(heading, said) is not None:
        return None
    sure = Certainty.CERTAIN
    posts = thing in ("admin_posts", "institution_posts")
    if thing == "some_staff" or (posts and "some_staff" in heading.things) or "budget" in heading.things:
        # 专职 alone may be without 编制; 行政编制人员 may be those who are there.
        sure = Certainty.QUESTION
    if posts and any(
        text in ("实际", "实有", "现有", "已配备", "配备", "已配", "在编", "在岗") for text in heading.texts
    ):
        return None
    if thing == "villages_with_assistant" and heading.things[-1] != "villages":
        sure = Certainty.QUESTION
    return Meaning(_COUNTED[thing], sure)


_READERS: dict[str, Callable[[_Heading, Said], Meaning | None]] = {
    "population": _population,
    "budget": _budget,
    "staffing": _staffing,
}


def speaks_of_others(words: Sequence[Word], own: Sequence[str]) -> bool:
    """Whether a title names a part, a group or a fund that is not the dataset's own matter."""
    texts = {w.text for w in words}
    return any(w.kind == "change" for w in words) and not texts & set(own)


def month_of(said: Said) -> date | None:
    """The month a table speaks of, if year and month are said."""
    return date(said.year, said.month, 1) if said.year and said.month else None
