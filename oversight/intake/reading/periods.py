"""The time that a title, a name or a cell speaks of: a month, or several of them as one span."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from oversight.intake.reading import values
from oversight.intake.reading.text import fold, remembered

_YEAR = r"(?:(?<!\d)(?P<year>(?:19|20)\d{2})[年度./-]*)?"
_FORMS = (
    re.compile(
        _YEAR
        + r"(?<!\d)(?P<first>\d{1,2})月?份?(?:[-—–―~～至到]|--)+(?:(?P<until>(?:19|20)\d{2})年)?(?P<last>\d{1,2})月"
    ),
    re.compile(_YEAR + r"前(?P<months>\d{1,2}|[一二两三四五六七八九十]{1,2})个?月(?!\d)"),
    # The third quarter is neither the first three nor the end of some that are named.
    re.compile(_YEAR + r"(?<![前、,和及与])(?<![-—–―~～至到])第?(?P<quarter>[一二三四1-4])季度?"),
    re.compile(_YEAR + r"(?<!\d)[Qq](?P<q>[1-4])(?!\d)"),
    re.compile(_YEAR + r"前(?P<quarters>[一二两三123])个?季度?"),
    re.compile(
        _YEAR
        + r"第?(?P<from>[一二三1-3])季?度?(?:[-—–―~～至到、,和及与]|--)+(?:[二三23]、)?第?(?P<to>[二三四2-4])个?季度?"
    ),
    re.compile(_YEAR + r"(?P<half>[上下])半年"),
    re.compile(_YEAR + r"(?P<whole>全年度?)(?!预算|计划|应|任务|目标)"),
)
_NUMERALS = {
    **{c: i for i, c in enumerate("一二三四五六七八九十", start=1)},
    **{str(i): i for i in range(1, 13)},
    "两": 2,
    "十一": 11,
    "十二": 12,
}


@dataclass(frozen=True)
class Span:
    """Months `first` to `last` of a year as one; the year is None where the text does not say it."""

    year: int | None
    first: int
    last: int

    def month(self, year: int | None) -> date | None:
        """Its last month."""
        known = self.year or year
        return date(known, self.last, 1) if known else None


@remembered
def stated_span(text: str) -> Span | None:
    """The one span of months that a text names: 1—6月, 上半年, 第二季度; None where it names none or several."""
    folded = values.without_filing_day(values.digits_of_date(fold(text)))
    found: set[Span] = set()
    for form in _FORMS:
        for match in form.finditer(folded):
            said = match.groupdict()
            year = int(said["year"]) if said.get("year") else None
            bounds = _bounds(said)
            until = int(said["until"]) if said.get("until") else year
            # From one year into the next is no span of a year.
            if bounds is not None and until == (year or until):
                found.add(Span(until, *bounds))
    years = {s.year for s in found if s.year}
    bounds_found = {(s.first, s.last) for s in found}
    if len(bounds_found) != 1 or len(years) > 1:
        return None
    return Span(years.pop() if years else None, *bounds_found.pop())


def _bounds(said: dict[str, str | None]) -> tuple[int, int] | None:
    if said.get("first"):
        first, last = int(said["first"] or 0), int(said["last"] or 0)
        return (first, last) if 1 <= first < last <= 12 else None
    if number := said.get("quarter") or said.get("q"):
        last = 3 * _NUMERALS[number]
        return last - 2, last
    if number := said.get("quarters"):
        return 1, 3 * _NUMERALS[number]
    if number := said.get("months"):
        last = _NUMERALS.get(number, 0)
        return (1, last) if 1 < last <= 12 else None
    if (number := said.get("from")) and (other := said.get("to")):
        first, last = 3 * _NUMERALS[number] - 2, 3 * _NUMERALS[other]
        return (first, last) if first < last - 2 else None
    if said.get("half"):
        return (1, 6) if said["half"] == "上" else (7, 12)
    return (1, 12) if said.get("whole") else None


def span_of_cell(text: str, year: int | None) -> Span | None:
    """What a cell under 统计月份 says where it is no single month: 2025年1-6月, 2025年第二季度."""
    found = stated_span(text)
    if found is None or len(fold(text)) > 16:
        return None
    return found if found.year else Span(year, found.first, found.last) if year else None
