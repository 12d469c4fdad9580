"""What the figures below a header say of headings whose words leave a question.

A question that words leave open is settled only by figures that could hardly be so by chance: parts that add up to
the budget in every row, or payments at the pace of the year in nearly all. Figures that contradict a question (paid
in the month more than in the year so far) withdraw it: what would be wrong if it were confirmed is not proposed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from oversight.intake.reading import values
from oversight.intake.reading.grammar import Certainty, Said, may_be_part
from oversight.intake.reading.grid import Grid, text_of
from oversight.intake.reading.headings import Match
from oversight.intake.reading.text import COUNT_UNITS, MONEY_UNITS, header_key

_SAMPLE_ROWS = 40
# So many rows must agree; three that add up to the cent are no accident.
_ENOUGH = 3
# From April on what was paid by then and what was paid in the month are at least four times apart.
_FIRST_MONTH = 4
# How far a payment may be from the even pace of the year and still be at it.
_PACE = (0.7, 1.3)
_BUDGETS = ("initial_budget_cny", "adjusted_budget_cny")
# How far twelve months, or as many as have gone by, may be from the sum of what they add up to.
_EVEN = 0.03
# How far a budget may be changed in the year and still be the same one.
_NEAR = (0.7, 1.5)
_WHEN = ("month", "cumulative")
_FLOWS = tuple(f"{thing}_{when}_cny" for thing in ("disbursed", "spent") for when in _WHEN)
_PARTS = (*_BUDGETS, "from_above_cny", "own_cny", "personnel_cny", "office_cny", "carried_over_cny")
_PAIRS = (("from_above_cny", "own_cny"), ("personnel_cny", "office_cny"))
# The first is never more than the second.
_WITHIN = (
    ("disbursed_month_cny", "disbursed_cumulative_cny"),
    ("spent_month_cny", "spent_cumulative_cny"),
    ("households_count", "population_persons"),
    ("births_persons", "population_persons"),
    ("deaths_persons", "population_persons"),
    ("villages_with_assistant_count", "villages_count"),
    *((part, "initial_budget_cny") for part in ("from_above_cny", "own_cny", "personnel_cny", "office_cny")),
    ("disbursed_cumulative_cny", "initial_budget_cny"),
    ("disbursed_month_cny", "initial_budget_cny"),
)
_OUTSIDE = frozenset(("welfare_posts_persons", "purchased_service_persons", "part_time_persons"))


_T = TypeVar("_T")


def weigh(
    match: Match,
    grid: Grid,
    first: int,
    said: Said,
    units: tuple[str | None, str | None] = (None, None),
    stacked: Sequence[tuple[str, ...]] = (),
) -> Match:
    """The match with its questions settled, moved or withdrawn, as far as the figures from row `first` on tell.

    `units`: of money and of counts, as the lines around the table state them. `stacked`: the header's cells.
    """
    return _with_other_half(_answered(match, grid, first, said, units), grid, first, units, stacked)


def has_other_half(match: Match, name: str) -> bool:
    """Whether the part of the budget that is the rest of it beside `name` has a column too: had the two added up to it,
    nothing would be asked of them any more."""
    return any(name in pair and set(pair) <= match.columns.keys() for pair in _PAIRS)


def _with_other_half(
    match: Match,
    grid: Grid,
    first: int,
    units: tuple[str | None, str | None],
    stacked: Sequence[tuple[str, ...]],
) -> Match:
    """The match with a part of the budget whose heading nobody knows, where it is the rest to the cent in every row."""
    for pair in _PAIRS:
        known = [n for n in pair if n in match.columns]
        budget = next((n for n in _BUDGETS if n in match.columns and _is_sure(match, n)), None)
        if len(known) != 1 or budget is None or not _is_sure(match, known[0]):
            continue
        missing = pair[1 - pair.index(known[0])]
        free = [
            at
            for at, parts in enumerate(stacked)
            if parts and at not in match.columns.values() and may_be_part(parts) and not match.wide
        ]
        tried = (_with(match, missing, at, stacked[at]) for at in free)
        found = [m for m in tried if _adds_up(m, _Figures(m, grid, first, units), pair)]
        if len(found) == 1:
            match = found[0]
    return match


def _with(match: Match, name: str, at: int, parts: tuple[str, ...]) -> Match:
    """The match with the grid column `at` taken for `name`."""
    unit = next((u for part in parts if (u := header_key(part)[1])), None)
    return replace(
        match,
        columns={**match.columns, name: at},
        units={**match.units, name: unit} if unit else match.units,
        sure={**match.sure, name: Certainty.INFERRED},
    )


def _answered(
    match: Match, grid: Grid, first: int, said: Said, units: tuple[str | None, str | None]
) -> Match:
    """The match with its questions settled, moved or withdrawn."""
    asked = {n for n, c in match.sure.items() if c is Certainty.QUESTION and n in match.columns}
    if not asked:
        return match
    figures = _Figures(match, grid, first, units)
    for name in sorted(n for n in asked if match.doubts.get(n) == "time"):
        other = name.replace("_month_", "_cumulative_")
        if other != name and other not in match.columns and _is_at_pace(match, figures, name, said):
            # 拨付金额 without a word on when, at the pace of the year so far: the year's sum, not the month's.
            match = _renamed(match, name, other)
            asked = asked - {name} | {other}
            figures = _Figures(match, grid, first, units)
    settled = {n for n in asked & match.doubts.keys() if _is_settled(match, figures, n, said)}
    withdrawn = {n for n in asked - settled if _is_contradicted(match, figures, n, asked)}
    for name in asked - settled - withdrawn:
        if match.doubts.get(name) in _ONLY_WITH and not _ONLY_WITH[match.doubts[name]](
            match, figures, name, said
        ):
            withdrawn.add(name)
    if not settled and not withdrawn:
        return match
    sure = {n: Certainty.INFERRED if n in settled else c for n, c in match.sure.items() if n not in withdrawn}
    columns = {n: at for n, at in match.columns.items() if n not in withdrawn}
    return replace(match, columns=columns, sure=sure)


def _renamed(match: Match, name: str, other: str) -> Match:
    """The match with the column `name` taken for `other`."""

    def moved(of: Mapping[str, _T]) -> dict[str, _T]:
        return {other if n == name else n: v for n, v in of.items()}

    return replace(
        match,
        columns=moved(match.columns),
        sure=moved(match.sure),
        units=moved(match.units),
        unknown_units=moved(match.unknown_units),
        doubts={n: d for n, d in match.doubts.items() if n != name},
    )


class _Figures:
    """The numbers below the columns of a match, row by row, in the units of their headings."""

    def __init__(self, match: Match, grid: Grid, first: int, units: tuple[str | None, str | None]) -> None:
        self.match = match
        self.units = units
        self.rows = grid.rows[first : first + _SAMPLE_ROWS]
        self.known: dict[str, list[float | None]] = {}

    def of(self, name: str) -> list[float | None]:
        """What stands below a column."""
        if name not in self.known:
            at = self.match.columns[name]
            money = name.endswith("_cny")
            unit = self.match.units.get(name) or self.units[0 if money else 1]
            if unit is None and any(n.endswith("_cny") == money for n in self.match.units):
                # Beside a column in 万元, in what are these?
                unit = "?"
            factor = 10 ** (MONEY_UNITS | COUNT_UNITS).get(unit or "", 0)
            numbers = map(_number, self.cells(at)) if unit != "?" else [None] * len(self.rows)
            self.known[name] = [None if n is None else n * factor for n in numbers]
        return self.known[name]

    def cells(self, at: int) -> list[str]:
        """The cells of a grid column as text."""
        return [text_of(row[at]) if at < len(row) else "" for row in self.rows]

    def together(self, *names: str) -> list[tuple[float, ...]]:
        """The rows in which all of the columns have a number that is not 0."""
        rows = zip(*(self.of(n) for n in names), strict=True)
        return [tuple(n for n in row if n is not None) for row in rows if all(row)]


def _number(text: str) -> float | None:
    found = values.quantity(text) if text.strip() else None
    if found is None or isinstance(found, values.Problem):
        return None
    number, power = found
    return float(number.scaleb(power or 0))


def _is_settled(match: Match, figures: _Figures, name: str, said: Said) -> bool:
    match match.doubts[name]:
        case "when":
            return _is_at_pace(match, figures, name, said)
        case "what" | "treasury":
            return _is_of_its_kind(match, figures, name, said)
        case "whole":
            return _is_whole(match, figures, name, said)
        case "part":
            return any(name in pair and _adds_up(match, figures, pair) for pair in _PAIRS) or _is_among_parts(
                match, figures, name
            )
        case "fund":
            return _are_funds(match, figures, name, said)
        case "sum":
            return _is_sum(match, figures, name, said)
        case "start":
            return _is_whole(match, figures, name, said)
        case "changed":
            return _is_changed(match, figures, name, said)
        case "within":
            return _is_within(match, figures, name, said)
        case "payer":
            return _is_all_of_it(match, figures, name, said)
        case "note":
            is_money = name.endswith("_cny")
            return (
                _is_all_of_it(match, figures, name, said) if is_money else bool(_size(match, figures, name))
            )
        case "size":
            return _size(match, figures, name) is True
        case "staff":
            # 专职 beside those who are not on the payroll are those who are.
            beside = {n for n in _OUTSIDE & match.columns.keys() if _is_sure(match, n)}
            posts = [n for n in ("administrative_posts", "institution_posts") if n in match.columns]
            rows = figures.together(name, *posts) if len(posts) == 2 else []
            return bool(beside) and len(rows) >= _ENOUGH and all(n <= sum(of) for n, *of in rows)
    return False


def _is_of_its_kind(match: Match, figures: _Figures, name: str, said: Said) -> bool:
    """Whether 本月支付 is what was paid to the townships: what they spent has a column, or the months add up to it."""
    thing, other = ("disbursed", "spent") if name.startswith("disbursed") else ("spent", "disbursed")
    if any(
        f"{other}_{when}_cny" in match.columns and _is_sure(match, f"{other}_{when}_cny") for when in _WHEN
    ):
        return True
    return _is_even(match, figures, f"{thing}_month_cny", f"{thing}_cumulative_cny", name, said)


def _is_even(match: Match, figures: _Figures, month: str, to_date: str, name: str, said: Said) -> bool:
    """Whether the month's figure is its share of the sum so far, one of the two being sure."""
    number = said.month or 0
    if not {month, to_date} <= match.columns.keys() or number < 2:
        return False
    if not _is_sure(match, to_date if name == month else month):
        return False
    rows = figures.together(month, to_date)
    near = sum(abs(of_month * number - total) <= _EVEN * total for of_month, total in rows)
    return len(rows) >= _ENOUGH and near * 10 >= len(rows) * 8


def _is_whole(match: Match, figures: _Figures, name: str, said: Said) -> bool:
    """Whether an amount is the year's budget: about the changed one, its parts' sum, or paid out at the year's pace."""
    adjusted = "adjusted_budget_cny"
    if name != adjusted and adjusted in match.columns and _is_sure(match, adjusted):
        rows = figures.together(name, adjusted)
        near = sum(_NEAR[0] <= changed / budget <= _NEAR[1] for budget, changed in rows)
        return len(rows) >= _ENOUGH and near * 10 >= len(rows) * 8
    if any(
        _add_up_to(match, figures, pair, name) for pair in _PAIRS if all(_is_sure(match, n) for n in pair)
    ):
        return True
    for paid in ("disbursed_cumulative_cny", "spent_cumulative_cny"):
        is_known = paid in match.columns and _is_sure(match, paid) and (said.month or 0) >= 2
        if is_known and _is_pace(figures, paid, name, said.month or 0):
            return True
    return False


def _is_changed(match: Match, figures: _Figures, name: str, _: Said) -> bool:
    """Whether an amount is the budget as it was changed, and not by how much: near the first one in nearly every row."""
    first = "initial_budget_cny"
    if first not in match.columns or not _is_sure(match, first):
        return False
    rows = figures.together(first, name)
    near = sum(_NEAR[0] <= changed / budget <= _NEAR[1] for budget, changed in rows)
    return len(rows) >= _ENOUGH and near * 10 >= len(rows) * 9


def _beside(match: Match, at: int) -> set[str]:
    """The nearest columns to the left and the right that mean something."""
    left = max(((place, n) for n, place in match.columns.items() if place < at), default=(0, ""))
    right = min(((place, n) for n, place in match.columns.items() if place > at), default=(0, ""))
    return {left[1], right[1]} - {""}


def _is_among_parts(match: Match, figures: _Figures, name: str) -> bool:
    """Whether a column stands among the budget and its parts, left of what was paid, and is never more than the budget."""
    at = match.columns[name]
    budget = next((n for n in _BUDGETS if n in match.columns and _is_sure(match, n)), None)
    flows = [match.columns[n] for n in _FLOWS if n in match.columns]
    beside = {n for n in _beside(match, at) if n in _PARTS and _is_sure(match, n)}
    if budget is None or not beside or any(flow < at for flow in flows):
        return False
    rows = figures.together(name, budget)
    return len({row[0] for row in rows}) >= _ENOUGH and all(part <= of for part, of in rows)


def _is_all_of_it(match: Match, figures: _Figures, name: str, said: Said) -> bool:
    """Whether a payment is all that was paid in its time: month and sum so far agree, or it goes at the year's pace."""
    month, to_date = (f"{name.split('_')[0]}_{when}_cny" for when in _WHEN)
    if _is_even(match, figures, month, to_date, name, said):
        return True
    budget = next((n for n in _BUDGETS if n in match.columns and _is_sure(match, n)), None)
    if budget is None or not said.month:
        return False
    return _is_pace(figures, name, budget, 1 if name == month else said.month)


def _is_beside_its_other(match: Match, figures: _Figures, name: str, _: Said) -> bool:
    """Whether the other half of the budget stands beside a column, or with it is the budget."""
    other = {"own_cny": "from_above_cny", "from_above_cny": "own_cny"}.get(name, "")
    return other in _beside(match, match.columns[name]) or _adds_up(
        match, figures, ("from_above_cny", "own_cny")
    )


# What the names of funds end with.
_FUND = re.compile(r"(?:经费|资金|金|款|补助|补贴|津贴|专项|费)$")


def _are_funds(match: Match, figures: _Figures, name: str, _: Said) -> bool:
    """Whether the cells below a heading are names of funds."""
    return _name_funds([c.strip() for c in figures.cells(match.columns[name]) if c.strip()])


def _name_funds(cells: Sequence[str]) -> bool:
    return bool(cells) and sum(bool(_FUND.search(c)) for c in cells) * 10 >= len(cells) * 8


def _is_sum(match: Match, figures: _Figures, name: str, _: Said) -> bool:
    """Whether a column and its other half are the budget."""
    return any(name in pair and _adds_up(match, figures, pair) for pair in _PAIRS)


def _is_within(match: Match, figures: _Figures, name: str, _: Said) -> bool:
    """Whether an 其中 stands right of the villages it is some of, and is never more."""
    whole = match.columns.get("villages_count")
    if whole is None or match.columns[name] != whole + 1 or not _is_sure(match, "villages_count"):
        return False
    rows = figures.together(name, "villages_count")
    return len(rows) >= _ENOUGH and all(part <= of for part, of in rows)


def _size(match: Match, figures: _Figures, name: str) -> bool | None:
    """Whether a figure is of the size that it has beside another; None where there is none to compare with."""
    for (less, more), (low, high) in _SIZES.items():
        other = more if name == less else less
        if name not in (less, more) or other not in match.columns or not _is_sure(match, other):
            continue
        rows = figures.together(less, more)
        if len(rows) >= _ENOUGH:
            return sum(low <= of / part <= high for part, of in rows) * 10 >= len(rows) * 9
    return None


# How many of the second there are to one of the first.
_SIZES = {
    ("households_count", "population_persons"): (1.6, 6.0),
    ("resident_population_persons", "population_persons"): (0.4, 2.5),
    ("villages_with_assistant_count", "villages_count"): (1.0, 4.0),
    ("initial_budget_cny", "adjusted_budget_cny"): _NEAR,
}


# What is proposed only where figures speak for it: the next best meaning is as near.
_ONLY_WITH: dict[str, Callable[[Match, _Figures, str, Said], bool]] = {
    "once": _is_all_of_it,
    "beside": _is_beside_its_other,
    "whose": _is_whole,
    "changed": _is_changed,
    "size": lambda match, figures, name, _: _size(match, figures, name) is True,
    "fund": _are_funds,
    "sum": _is_sum,
    "start": _is_whole,
    "within": _is_within,
    "treasury": _is_of_its_kind,
}


def _is_sure(match: Match, name: str) -> bool:
    return match.sure.get(name, Certainty.SPELLED) > Certainty.QUESTION


def _adds_up(match: Match, figures: _Figures, pair: Sequence[str]) -> bool:
    """Whether two parts are the budget in every row."""
    return any(
        b in match.columns and _is_sure(match, b) and _add_up_to(match, figures, pair, b) for b in _BUDGETS
    )


def _add_up_to(match: Match, figures: _Figures, pair: Sequence[str], budget: str) -> bool:
    if not set(pair) <= match.columns.keys():
        return False
    rows = figures.together(*pair, budget)
    return len({row[:2] for row in rows}) >= _ENOUGH and all(abs(a + b - of) < 0.005 for a, b, of in rows)


def _is_at_pace(match: Match, figures: _Figures, name: str, said: Said) -> bool:
    """Whether a payment is about the part of the budget that has gone by, and so the whole of what was paid."""
    budget = next((n for n in _BUDGETS if n in match.columns and _is_sure(match, n)), None)
    # 已拨付 says that it is the sum so far, if nothing speaks for the month; 拨付金额 does not.
    first = _FIRST_MONTH if match.doubts.get(name) == "time" else 2
    if budget is None or said.month is None or said.month < first:
        return False
    return _is_pace(figures, name, budget, said.month)


def _is_pace(figures: _Figures, name: str, budget: str, months: int) -> bool:
    rows = figures.together(name, budget)
    low, high = (limit * months / 12 for limit in _PACE)
    near = sum(low <= paid / of <= high for paid, of in rows)
    return len(rows) >= _ENOUGH and near * 10 >= len(rows) * 8


def are_names_of_funds(grid: Grid, first: int, at: int) -> bool:
    """Whether the cells of a grid column below its header are names of funds."""
    return _name_funds(_cells(grid, first, at))


def are_answers(grid: Grid, first: int, at: int) -> bool:
    """Whether every cell of a grid column below its header says yes or no."""
    cells = _cells(grid, first, at)
    return bool(cells) and not any(isinstance(values.yes_no(c), values.Problem) for c in cells)


def _cells(grid: Grid, first: int, at: int) -> list[str]:
    cells = (text_of(row[at]).strip() for row in grid.rows[first : first + _SAMPLE_ROWS] if at < len(row))
    return [c for c in cells if c]


def is_told(
    match: Match, grid: Grid, first: int, units: tuple[str | None, str | None], name: str, said: Said
) -> bool:
    """Whether figures alone say that a column is what is asked: all that was paid, a changed budget, a count's size."""
    figures = _Figures(match, grid, first, units)
    if name == "adjusted_budget_cny":
        return _is_changed(match, figures, name, said)
    return _is_all_of_it(match, figures, name, said) if name in _FLOWS else bool(_size(match, figures, name))


def is_refuted(match: Match, grid: Grid, first: int, units: tuple[str | None, str | None], name: str) -> bool:
    """Whether the figures below a column that is asked about contradict it."""
    asked = {n for n, c in match.sure.items() if c is Certainty.QUESTION and n in match.columns}
    return _is_contradicted(match, _Figures(match, grid, first, units), name, asked - {name})


def _is_contradicted(match: Match, figures: _Figures, name: str, asked: set[str]) -> bool:
    """Whether a column cannot be what is asked: it is more than what it would be a part of, in most rows."""
    if match.doubts.get(name) == "size" and _size(match, figures, name) is False:
        return True
    for less, more in _WITHIN:
        other = more if name == less else less
        if name not in (less, more) or other not in match.columns or other in asked:
            continue
        rows = figures.together(less, more)
        if len(rows) >= _ENOUGH and sum(a > b for a, b in rows) * 2 > len(rows):
            return True
    return False
