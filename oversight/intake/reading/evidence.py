"""What the figures below a header say of headings whose words leave a question.

A question that words leave open is settled only by figures that could hardly be so by chance: parts that add up to
the budget in every row, or payments at the pace of the year in nearly all. Figures that contradict a question (paid
in the month more than in the year so far) withdraw it: what would be wrong if it were confirmed is not proposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oversight.intake.reading import values
from oversight.intake.reading.grammar import Certainty, Said
from oversight.intake.reading.grid import Grid, text_of
from oversight.intake.reading.headings import Match

_SAMPLE_ROWS = 40
# So many rows must agree; three that add up to the cent are no accident.
_ENOUGH = 3
# From April on what was paid by then and what was paid in the month are at least four times apart.
_FIRST_MONTH = 4
# How far a payment may be from the even pace of the year and still be at it.
_PACE = (0.7, 1.3)
_BUDGETS = ("initial_budget_cny", "adjusted_budget_cny")
_PAIRS = (("from_above_cny", "own_cny"), ("personnel_cny", "office_cny"))
# The first is never more than the second.
_WITHIN = (
    ("disbursed_month_cny", "disbursed_cumulative_cny"),
    ("spent_month_cny", "spent_cumulative_cny"),
    ("households_count", "population_persons"),
    ("births_persons", "population_persons"),
    ("deaths_persons", "population_persons"),
    ("villages_with_assistant_count", "villages_count"),
)
_OUTSIDE = frozenset(("welfare_posts_persons", "purchased_service_persons", "part_time_persons"))


def weigh(match: Match, grid: Grid, first: int, said: Said) -> Match:
    """The match with its questions settled, or withdrawn, as far as the figures from row `first` on tell."""
    asked = {n for n, c in match.sure.items() if c is Certainty.QUESTION and n in match.columns}
    if not asked:
        return match
    figures = _Figures(match, grid, first)
    settled = {n for n in asked & match.doubts.keys() if _is_settled(match, figures, n, said)}
    withdrawn = {n for n in asked - settled if _is_contradicted(match, figures, n, asked)}
    if not settled and not withdrawn:
        return match
    sure = {n: Certainty.INFERRED if n in settled else c for n, c in match.sure.items() if n not in withdrawn}
    columns = {n: at for n, at in match.columns.items() if n not in withdrawn}
    return replace(match, columns=columns, sure=sure)


class _Figures:
    """The numbers below the columns of a match, row by row, in the units of their headings."""

    def __init__(self, match: Match, grid: Grid, first: int) -> None:
        self.match = match
        self.rows = grid.rows[first : first + _SAMPLE_ROWS]
        self.known: dict[str, list[float | None]] = {}

    def of(self, name: str) -> list[float | None]:
        """What stands below a column."""
        if name not in self.known:
            at = self.match.columns[name]
            unit = self.match.units.get(name, "")
            factor = 10_000 if unit.startswith("万") else 1_000 if unit.startswith("千") else 1
            self.known[name] = [None if n is None else n * factor for n in map(_number, self.cells(at))]
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
        case "part":
            return any(name in pair and _adds_up(match, figures, pair) for pair in _PAIRS)
        case "staff":
            # 专职 beside those who are not on the payroll are those who are.
            beside = {n for n in _OUTSIDE & match.columns.keys() if _is_sure(match, n)}
            posts = [n for n in ("administrative_posts", "institution_posts") if n in match.columns]
            rows = figures.together(name, *posts) if len(posts) == 2 else []
            return len(beside) >= 2 and len(rows) >= _ENOUGH and all(n <= sum(of) for n, *of in rows)
    return False


def _is_sure(match: Match, name: str) -> bool:
    return match.sure.get(name, Certainty.SPELLED) > Certainty.QUESTION


def _adds_up(match: Match, figures: _Figures, pair: Sequence[str]) -> bool:
    """Whether two parts are the budget in every row."""
    if not set(pair) <= match.columns.keys():
        return False
    for budget in _BUDGETS:
        if budget in match.columns and _is_sure(match, budget):
            rows = figures.together(*pair, budget)
            if len({row[:2] for row in rows}) >= _ENOUGH and all(
                abs(a + b - of) < 0.005 for a, b, of in rows
            ):
                return True
    return False


def _is_at_pace(match: Match, figures: _Figures, name: str, said: Said) -> bool:
    """Whether a payment is about the part of the budget that has gone by, and so the whole of what was paid."""
    budget = next((n for n in _BUDGETS if n in match.columns and _is_sure(match, n)), None)
    if budget is None or said.month is None or said.month < _FIRST_MONTH:
        return False
    rows = figures.together(name, budget)
    low, high = (limit * said.month / 12 for limit in _PACE)
    near = sum(low <= paid / of <= high for paid, of in rows)
    return len(rows) >= _ENOUGH and near * 10 >= len(rows) * 8


def _is_contradicted(match: Match, figures: _Figures, name: str, asked: set[str]) -> bool:
    """Whether a column cannot be what is asked: it is more than what it would be a part of, in most rows."""
    for less, more in _WITHIN:
        other = more if name == less else less
        if name not in (less, more) or other not in match.columns or other in asked:
            continue
        rows = figures.together(less, more)
        if len(rows) >= _ENOUGH and sum(a > b for a, b in rows) * 2 > len(rows):
            return True
    return False
