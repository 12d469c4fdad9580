"""The figures computed a second time, in fractions, from FIGURES.md alone.

Nothing here may be imported from `oversight`: the product and this module are two readings of the same text, and the
tests ask whether they agree. It is slow and simple on purpose: one unit and one month at a time, no tables.

Where the text leaves a choice, what a careful county accountant would do:

- An amount that misses the guarantee by exactly half a unit of its last place is short; one that exceeds it by exactly
  half a unit is met, however coarse: in both cases every true amount gives the same answer.
- A mark `is_within_precision` says that the amount shown is less than the guarantee shown and is met all the same.
- In the months before a takeover both units accrue each for itself; a unit's months after t go on as in month t.
- A budget that was once recognised as the area's stays the area's.
- Whether a unit's figures hold those of one that it took over is asked of what it told itself before and after: what
  was added of an earlier takeover is not in its reports, and so stands on neither side.
- What a predecessor never reported is unknown: a sum that needs it is unknown (budget) or partial (payments); a
  new budget of the unit that took it over is then taken for the area's.
- Where several counts in 万人 went into one area, the least of each stretch of months counts.
- A tier of a staff rule is that of the number of people as it was written; of those counted in 万人 nobody is missing
  whom any number written so would not require, and nobody too many whom any would allow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import cache, cached_property
from math import ceil, floor
from typing import Any

from tests.oracle.reading import MONEY, NOTHING, SO_FAR, STAFFING, Division, Figure, Folder, Report, Standard

Row = dict[str, Any]
TOWNSHIP_TYPES = frozenset({"乡", "镇", "街道", "民族乡", "苏木"})


@cache
def last_day(month: date) -> date:
    return month_after(month) - timedelta(days=1)


@cache
def month_after(month: date, by: int = 1) -> date:
    number = month.year * 12 + month.month - 1 + by
    return date(number // 12, number % 12 + 1, 1)


def first_of(day: date) -> date:
    return day.replace(day=1)


def half_up(value: Fraction, digits: int = 2) -> Fraction:
    return Fraction(floor(value * 10**digits + Fraction(1, 2)), 10**digits)


@dataclass(frozen=True)
class Base:
    """The people that decide a year: how many, how exactly that is known, and where from."""

    people: Fraction
    precision: Fraction
    month: date
    is_fallback: bool = False
    is_stale: bool = False
    # Whether it is the sum of what several units had before they came together.
    is_sum: bool = False

    def __add__(self, other: Base) -> Base:
        return Base(
            self.people + other.people,
            self.precision + other.precision,
            min(self.month, other.month),
            self.is_fallback or other.is_fallback,
            self.is_stale or other.is_stale,
        )

    @cached_property
    def whole_numbers(self) -> range:
        """Every number of people that would have been written like this."""
        if not self.precision:
            return range(int(self.people), int(self.people) + 1)
        half = self.precision / 2
        return range(max(ceil(self.people - half), 0), ceil(self.people + half))


@dataclass(frozen=True)
class Amount:
    """What is known of a year's amount: the month it rests on, and whether a part of it is missing."""

    value: Fraction
    precision: Fraction
    as_of: date
    is_partial: bool = False
    is_area: bool = True

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.value + other.value,
            self.precision + other.precision,
            self.as_of,
            self.is_partial or other.is_partial,
        )


@dataclass(frozen=True)
class Piece:
    """What accrues in a month: for whom, by which rule, how much of it, and the people it rests on."""

    unit: str
    month: date
    rule: Standard
    amount: Fraction
    base: Base


@dataclass(frozen=True)
class Takeover:
    """A unit that went into this one, whole, and the first month in which only this one stands."""

    unit: str
    month: date


def tiers_at(standard: Standard, people: int) -> list[int]:
    """The tiers that hold for a number of people; two of them at an edge where the law lets both hold."""

    def holds(lower: int | None, low_in: bool, upper: int | None, up_in: bool) -> bool:
        above = lower is None or people > lower or (people == lower and low_in)
        below = upper is None or people < upper or (people == upper and up_in)
        return above and below

    tiers = standard.tiers
    if standard.edge_rule == "legal_default":
        return [k for k, t in enumerate(tiers) if holds(t.lower, t.lower_included, t.upper, t.upper_included)]
    if standard.edge_rule == "half_open":
        return [k for k, t in enumerate(tiers) if holds(t.lower, True, t.upper, False)]
    both = [k for k, t in enumerate(tiers) if holds(t.lower, True, t.upper, True)]
    return [max(both, key=lambda k: tiers[k].value)]


@cache
def a_year(standard: Standard, people: int) -> tuple[Fraction, int]:
    """The amount that a money standard guarantees a year, exactly, and the tier it comes from."""
    holding = tiers_at(standard, people)
    tier = max(holding, key=lambda k: standard.tiers[k].value)
    if standard.formula == "per_capita_by_tier":
        return standard.tiers[tier].value * people * 12, tier
    if standard.formula == "per_capita_marginal":
        parts = [
            t.value * max(min(people, t.upper if t.upper is not None else people) - (t.lower or 0), 0)
            for t in standard.tiers
        ]
        return sum(parts, NOTHING) * 12, tier
    return standard.tiers[tier].value, tier


@cache
def _share(standard: Standard, people: int, months: int) -> Fraction:
    return a_year(standard, people)[0] / months


def compare(guarantee: Fraction, amount: Figure | Amount, minor: tuple[Fraction, Fraction]) -> str:
    """short, met or not_reported (too coarse to say) of an amount against a guarantee rounded to the 分.

    `minor` is the amount and the share of the guarantee below which a shortfall is minor: a report that leaves more
    than the larger of them open cannot say whether a guarantee inside what it leaves open was reached.
    """
    half = amount.precision / 2
    if amount.value + half <= guarantee:
        return "short"
    is_open = amount.value - half < guarantee
    return "not_reported" if is_open and half > max(minor[0], minor[1] * guarantee) else "met"


class Oracle:
    """What must come out for one data folder."""

    def __init__(self, folder: Folder) -> None:
        self.standards = folder.standards
        self.minor = folder.minor
        self._members: dict[tuple[str, date], Division | None] = {}
        self._covering: dict[str, list[Standard]] = {}
        self._bases: dict[tuple[str, int, str, date], Base | None] = {}
        self._rules: dict[tuple[str, date, date, tuple[str, ...]], list[Standard]] = {}
        self._rows: dict[tuple[str, date], Row] = {}
        self._guarantees: dict[tuple[str, date, str | None], Row | None] = {}
        self.units = {d.code: d for d in folder.divisions if len(d.code) == 9}
        self.chains = self._chains()
        self.chain_of = {code: chain for chain in self.chains.values() for code in chain}
        self.root_of = {code: chain[0] for code, chain in self.chain_of.items()}
        self.takeovers: dict[str, list[Takeover]] = defaultdict(list)
        self.heir: dict[str, str] = {}
        for root, chain in self.chains.items():
            last = self.units[chain[-1]]
            if last.ends and len(last.successors) == 1 and last.successors[0] in self.root_of:
                heir = self.root_of[last.successors[0]]
                self.heir[root] = heir
                self.takeovers[heir].append(Takeover(root, first_of(last.ends)))
        self.reports: dict[tuple[str, str], dict[date, Report]] = defaultdict(dict)
        for report in folder.reports:
            root = self._unit_that_reports(report)
            if root is None:
                continue
            history = self.reports[report.dataset, root]
            if report.month not in history or history[report.month].place < report.place:
                history[report.month] = report
        self._hold()
        months = folder.months
        self.months = [min(months)]
        while self.months[-1] < max(months):
            self.months.append(month_after(self.months[-1]))

    # ---- units

    def _chains(self) -> dict[str, tuple[str, ...]]:
        """For each unit the codes it ever had, the oldest first: one successor that begins on the day the old one
        ends, and into which no other went on that day, is the same unit renamed, whoever joins it later."""
        came_from: dict[str, list[str]] = defaultdict(list)
        for unit in self.units.values():
            for successor in unit.successors:
                if successor in self.units and self.units[successor].begins == unit.ends:
                    came_from[successor].append(unit.code)
        renamed = {
            unit.code: unit.successors[0]
            for unit in self.units.values()
            if len(unit.successors) == 1
            and came_from[unit.successors[0]] == [unit.code]
            and unit.ends is not None
            and unit.successors[0] in self.units
            and self.units[unit.successors[0]].begins == unit.ends
        }
        chains = {}
        for code in self.units.keys() - set(renamed.values()):
            chain = [code]
            while chain[-1] in renamed:
                chain.append(renamed[chain[-1]])
            chains[code] = tuple(chain)
        return chains

    def member(self, root: str, month: date) -> Division | None:
        """The member of a unit's chain in force on the last day of a month."""
        if (root, month) not in self._members:
            day = last_day(month)
            units = [self.units[c] for c in self.chains[root]]
            self._members[root, month] = next((u for u in units if u.stands_on(day)), None)
        return self._members[root, month]

    def _unit_that_reports(self, report: Report) -> str | None:
        root = self.root_of.get(report.code)
        if root is None:
            return None
        if self.member(root, report.month):
            return root
        # The month a unit ended in can still be reported by it.
        last = self.units[self.chains[root][-1]]
        begun = last.begins is None or last.begins <= last_day(report.month)
        return (
            root
            if begun and last.ends is not None and report.month < last.ends <= last_day(report.month)
            else None
        )

    # ---- what is held

    def _hold(self) -> None:
        """0 people beside households or other months with people; an adjusted budget of 0 beside a positive initial
        one; a cumulative 0 after a positive one: none of them is used until somebody confirms it."""
        for (dataset, _), history in self.reports.items():
            if dataset == "population":
                some = any(
                    r.figures[k].value for r in history.values() for k in ("registered",) if k in r.figures
                )
                for month in list(history):
                    told = history[month].figures
                    nobody = "registered" in told and not told["registered"].value
                    if nobody and (some or ("households" in told and told["households"].value)):
                        del history[month]
            elif dataset == "budget":
                positive: set[tuple[int, str]] = set()
                for month in sorted(history):
                    told = dict(history[month].figures)
                    initial = told.get("initial")
                    if "adjusted" in told and not told["adjusted"].value and initial and initial.value > 0:
                        del told["adjusted"]
                    for key in SO_FAR & told.keys():
                        if told[key].value > 0:
                            positive.add((month.year, key))
                        elif (month.year, key) in positive:
                            del told[key]
                    history[month] = replace(history[month], figures=told)

    # ---- people

    def _own_base(self, root: str, year: int, basis: str) -> Base | None:
        told = {
            m: r.figures[basis]
            for m, r in self.reports.get(("population", root), {}).items()
            if basis in r.figures
        }
        before = [m for m in told if m.year == year - 1]
        within = [m for m in told if m.year == year]
        older = [m for m in told if m.year < year - 1]
        if before:
            month, marks = max(before), (False, False)
        elif within:
            month, marks = min(within), (True, False)
        elif older:
            month, marks = max(older), (False, True)
        else:
            return None
        # A number of people written whole is exact, and so is a sum of such numbers.
        precision = told[month].precision if told[month].precision > 1 else NOTHING
        return Base(told[month].value, precision, month, *marks)

    def base(self, root: str, year: int, month: date, basis: str = "registered") -> Base | None:
        """The people that decide a year, as the unit stands in a month of it."""
        key = (root, year, basis, month)
        if key not in self._bases:
            self._bases[key] = self._find_base(root, year, month, basis)
        return self._bases[key]

    def _find_base(self, root: str, year: int, month: date, basis: str) -> Base | None:
        own = self._own_base(root, year, basis)
        taken = [t for t in self.takeovers.get(root, []) if t.month <= month]
        if self.is_new_of_several(root):
            if own is not None and not own.is_fallback and not own.is_stale:
                return own
            parts = [self.base(t.unit, year, month_after(t.month, -1), basis) for t in taken]
            known = [p for p in parts if p is not None]
            whole = sum(known[1:], known[0]) if known and len(known) == len(parts) else None
            return replace(whole, is_sum=True) if whole else own
        if own is None:
            return None
        total = own
        for t in taken:
            if own.month < t.month:
                more = self.base(t.unit, year, month_after(t.month, -1), basis)
                if more is None:
                    return None
                total = replace(total + more, month=own.month, is_sum=True)
        return total

    def _needs_others(self, root: str, year: int, month: date, standard: Standard | None) -> bool:
        """Whether people that are not known would be the sum of several units'."""
        own = self._own_base(root, year, standard.basis if standard else "registered")
        taken = [t for t in self.takeovers.get(root, []) if t.month <= month]
        if self.is_new_of_several(root):
            return own is None and bool(taken)
        return own is not None and any(own.month < t.month for t in taken)

    def is_new_of_several(self, root: str) -> bool:
        """A new code made of units that ended when it began."""
        begins = self.units[self.chains[root][0]].begins
        taken = self.takeovers.get(root, [])
        return begins is not None and any(self.units[self.chains[t.unit][-1]].ends == begins for t in taken)

    # ---- rules

    def in_force(self, code: str, month: date, known_by: date, formulas: tuple[str, ...]) -> list[Standard]:
        """The rules that hold for a code on a month's last day, as far as they were known by another day."""
        key = (code, month, known_by, formulas)
        if key not in self._rules:
            self._rules[key] = self._find_in_force(code, last_day(month), known_by, formulas)
        return self._rules[key]

    def _find_in_force(
        self, code: str, day: date, known_by: date, formulas: tuple[str, ...]
    ) -> list[Standard]:
        if self.units[code].kind not in TOWNSHIP_TYPES:
            return []
        if code not in self._covering:
            self._covering[code] = [s for s in self.standards if code.startswith(s.reach)]
        covering = [s for s in self._covering[code] if s.known_from <= known_by]
        return [
            s
            for s in covering
            if s.formula in formulas
            and (s.formula not in MONEY or s.matter == "working_funds")
            and s.effective_from <= day
            and (s.effective_to is None or s.effective_to >= day)
            and not any(
                later.issuer == s.issuer
                and later.matter == s.matter
                and later.document != s.document
                and s.effective_from < later.effective_from <= day
                for later in covering
            )
        ]

    # ---- guarantees

    def pieces(
        self,
        root: str,
        row_month: date,
        known_by: date,
        only: str | None = None,
        at: Callable[[Base], int] | None = None,
    ) -> list[Piece] | None:
        """What accrues month by month in the year of a row, by the rules known by a day.

        `only` looks at one standard; `at` says which whole number of people to take for a count written in 万人.
        None where the people are not known.
        """
        year = row_month.year
        found: list[Piece] = []
        for taken in self._taken_this_year(root, row_month):
            before = self._accrued_at_the_end(taken, known_by, only, at)
            if before is None:
                return None
            # What the other unit accrued until then; it would have gone on, but did not.
            found += [p for p in before or [] if p.month < taken.month]
        for number in range(1, 13):
            month = date(year, number, 1)
            member = self.member(root, min(month, row_month))
            if member is None:
                continue
            options = []
            for rule in self.in_force(member.code, month, known_by, MONEY):
                if only is None or rule.standard_id == only:
                    base = self.base(root, year, min(month, row_month), rule.basis)
                    if base is None:
                        return None
                    people = at(base) if at else int(base.people)
                    months = (
                        12
                        if rule.accrual == "monthly"
                        else self._months_with(root, row_month, known_by, rule)
                    )
                    options.append(Piece(root, month, rule, _share(rule, people, months), base))
            if options:
                # The highest by what a year of it comes to, however it is spread.
                found.append(
                    min(
                        options,
                        key=lambda p: (
                            -a_year(p.rule, at(p.base) if at else int(p.base.people))[0],
                            p.rule.standard_id,
                        ),
                    )
                )
        return found

    def _accrued_at_the_end(
        self, taken: Takeover, known_by: date, only: str | None, at: Callable[[Base], int] | None
    ) -> list[Piece] | None:
        """The pieces of the last guarantee of a unit that went into another: a whole amount is one for it too."""
        last = month_after(taken.month, -1)
        found = self.pieces(taken.unit, last, known_by, only, at)
        member = self.member(taken.unit, last)
        if found is None or only is not None or member is None:
            return found
        in_december = self.in_force(member.code, date(last.year, 12, 1), known_by, MONEY)
        for rule in sorted(self.in_force(member.code, last, known_by, MONEY), key=lambda s: s.standard_id):
            if rule.accrual == "annual" and rule in in_december:
                whole = self.pieces(taken.unit, last, known_by, rule.standard_id, at)
                if whole is not None and _of_all(whole) > _of_all(found):
                    found = whole
        return found

    def _months_with(self, root: str, row_month: date, known_by: date, rule: Standard) -> int:
        """The unit's months of the year in which a rule is in force."""
        months = [date(row_month.year, n, 1) for n in range(1, 13)]
        members = [(m, self.member(root, min(m, row_month))) for m in months]
        return sum(rule in self.in_force(u.code, m, known_by, MONEY) for m, u in members if u is not None)

    def _months_accrued(self, root: str, row_month: date) -> set[date]:
        """The months of the year until the row in which a rule holds, whether or not its amount is known."""
        members = [
            (m, self.member(root, m))
            for m in (date(row_month.year, n, 1) for n in range(1, row_month.month + 1))
        ]
        known_by = last_day(row_month)
        own = {m for m, u in members if u and self.in_force(u.code, m, known_by, MONEY)}
        theirs = [
            self._months_accrued(t.unit, month_after(t.month, -1))
            for t in self._taken_this_year(root, row_month)
        ]
        return own.union(*theirs)

    def _taken_this_year(self, root: str, row_month: date) -> list[Takeover]:
        """Units that went into this one in the year and had a month of it: one that ended on 1 January had none."""
        return [
            t
            for t in self.takeovers.get(root, [])
            if t.month.year == row_month.year
            and t.month <= row_month
            and self._stood_in(t.unit, row_month.year)
        ]

    def _money_taken(self, root: str, row_month: date, what: str = "") -> list[Takeover]:
        """Units that went into this one in the year and told of it: one that ended in January may have told of that month."""
        return self._taken_this_year(root, row_month) + [
            t
            for t in self.takeovers.get(root, [])
            if t.month.year == row_month.year
            and t.month <= row_month
            and not self._stood_in(t.unit, row_month.year)
            and (
                self.so_far(t.unit, row_month.year, t.month, what)
                if what
                else self._months_told(t.unit, row_month.year, t.month)
            )
        ]

    def guarantee(self, root: str, row_month: date, only: str | None = None) -> Row | None:
        """The guarantee of a row: exact to the 分 once, at the end. None where the people are not known."""
        key = (root, row_month, only)
        if key not in self._guarantees:
            self._guarantees[key] = self._find_guarantee(root, row_month, only)
        return self._guarantees[key]

    def _find_guarantee(self, root: str, row_month: date, only: str | None) -> Row | None:
        """The months' highest amounts; the whole amount of a standard that is owed whole, where that is more."""
        found = self._by_months(root, row_month, only)
        if found is None or only is not None or not found["begun"]:
            return found
        member = self.member(root, row_month)
        known_by, december = last_day(row_month), date(row_month.year, 12, 1)
        assert member is not None
        now = self.in_force(member.code, row_month, known_by, MONEY)
        for rule in sorted(now, key=lambda s: s.standard_id):
            if rule.accrual == "annual" and rule in self.in_force(member.code, december, known_by, MONEY):
                whole = self._by_months(root, row_month, rule.standard_id)
                if whole is not None and whole["exact"] > found["exact"]:
                    found = whole
        return found

    def _by_months(self, root: str, row_month: date, only: str | None) -> Row | None:
        known_by = last_day(row_month)
        found = self.pieces(root, row_month, known_by, only)
        if found is None:
            return None

        def sums(pieces: list[Piece]) -> tuple[Fraction, Fraction]:
            annual = sum((p.amount for p in pieces), NOTHING)
            to_date = sum((p.amount for p in pieces if p.month <= row_month), NOTHING)
            return half_up(annual), half_up(to_date)

        annual, to_date = sums(found)
        least, least_to_date, uncertain = annual, to_date, False
        if any(len(p.base.whole_numbers) > 1 for p in found):
            # The guarantee bends only at the tiers' edges: the interval's ends and the numbers around each edge
            # inside it are enough to find the least.
            offsets = {
                n - int(p.base.people) for p in found for n in _tier_probes(p.rule, p.base.whole_numbers)
            }
            tried = [
                self.pieces(root, row_month, known_by, only, lambda base, by=offset: _at(base, by))
                for offset in sorted(offsets)
            ]
            # Of several counts that came together the least of each stretch counts.
            stretches: dict[tuple[str, str, Base], list[int]] = defaultdict(list)
            for place, piece in enumerate(found):
                stretches[piece.unit, piece.rule.basis, piece.base].append(place)

            def the_least(until: date) -> Fraction:
                return half_up(
                    sum(
                        (
                            min(
                                sum((p[n].amount for n in places if p[n].month <= until), NOTHING)
                                for p in tried
                                if p is not None
                            )
                            for places in stretches.values()
                        ),
                        NOTHING,
                    )
                )

            least, least_to_date = the_least(date(row_month.year, 12, 1)), the_least(row_month)
            last = max(found, key=lambda p: p.month)
            tiers = {a_year(last.rule, n)[1] for n in _tier_probes(last.rule, last.base.whole_numbers)}
            uncertain = len(tiers) > 1
        return {
            "annual": annual,
            "to_date": to_date,
            "least": least,
            "least_to_date": least_to_date,
            "is_tier_uncertain": uncertain,
            "is_stale": any(p.base.is_stale for p in found),
            "months": len({p.month for p in found if p.month <= row_month}),
            "exact": sum((p.amount for p in found), NOTHING),
            "begun": any(p.month <= row_month for p in found),
            "standard": max(found, key=lambda p: p.month).rule if found else None,
            "pieces": found,
        }

    # ---- amounts of the year

    def _months_told(self, root: str, year: int, until: date) -> dict[date, Report]:
        return {
            m: r for m, r in self.reports.get(("budget", root), {}).items() if m.year == year and m <= until
        }

    def _first_month(self, root: str, year: int) -> date:
        """January, or the unit's first month."""
        begins = self.units[self.chains[root][0]].begins
        january = date(year, 1, 1)
        return january if begins is None or begins < january else first_of(begins)

    def _own_so_far(self, root: str, year: int, until: date, what: str) -> Amount | None:
        told = self._months_told(root, year, until)
        so_far = {m: r.figures[f"{what}_so_far"] for m, r in told.items() if f"{what}_so_far" in r.figures}
        monthly = {m: r.figures[f"{what}_month"] for m, r in told.items() if f"{what}_month" in r.figures}
        if not so_far and not monthly:
            return None
        as_of = max({*so_far, *monthly})
        start = month_after(max(so_far)) if so_far else self._first_month(root, year)
        parts = [so_far[max(so_far)]] if so_far else []
        parts += [figure for m, figure in monthly.items() if m >= start]
        missing = False
        month = start
        while month <= as_of:
            missing = missing or month not in monthly
            month = month_after(month)
        return Amount(
            sum((p.value for p in parts), NOTHING), sum((p.precision for p in parts), NOTHING), as_of, missing
        )

    def so_far(self, root: str, year: int, until: date, what: str) -> Amount | None:
        """What was paid or spent in the year until a month, the units that went into this one included."""
        own = self._own_so_far(root, year, until, what)
        taken = self._money_taken(root, until, what)
        missing = False
        total = own
        for month in sorted({t.month for t in taken}):
            before = self._own_so_far(root, year, month_after(month, -1), what)
            units = [t.unit for t in taken if t.month == month]
            theirs = [self._at_the_end(u, year, month, what) for u in units]
            known = [p for p in theirs if p is not None]
            sum_before = sum((p.value for p in known), before.value if before else NOTHING)
            told = self._months_told(root, year, until)
            from_then = sorted(m for m, r in told.items() if m >= month and f"{what}_so_far" in r.figures)
            if from_then and told[from_then[0]].figures[f"{what}_so_far"].value >= sum_before:
                continue
            missing = missing or len(known) < len(theirs)
            for part in known:
                later = total is None or (own is None and part.as_of > total.as_of)
                total = (
                    part
                    if total is None
                    else replace(total + part, as_of=part.as_of if later else total.as_of)
                )
        return replace(total, is_partial=total.is_partial or missing) if total else None

    def _at_the_end(self, root: str, year: int, takeover: date, what: str) -> Amount | None:
        """The last figure of a unit that went into another one; partial where it does not reach its end."""
        last = self.so_far(root, year, takeover, what)
        if last is None:
            return None
        return replace(last, is_partial=last.is_partial or last.as_of < month_after(takeover, -1))

    def brought(self) -> list[Row]:
        """What each unit that went into another one came to in the year in which it did, the month in which it ended
        included."""
        rows = []
        for taken in [t for found in self.takeovers.values() for t in found]:
            unit = self.units[self.chains[taken.unit][-1]]
            if unit.kind in TOWNSHIP_TYPES and taken.month <= self.months[-1]:
                year = taken.month.year
                amounts = {
                    "allocated_annual_cny": self.budget(taken.unit, year, taken.month),
                    "disbursed_ytd_cny": self.so_far(taken.unit, year, taken.month, "paid"),
                    "spent_ytd_cny": self.so_far(taken.unit, year, taken.month, "spent"),
                }
                rows.append(
                    {"township_code": unit.code, "since_month": taken.month}
                    | {name: amount and amount.value for name, amount in amounts.items()}
                )
        return rows

    def _stood_in(self, root: str, year: int) -> bool:
        """Whether a unit had a month in a year: one that ended on 1 January had none."""
        return any(self.member(root, date(year, n, 1)) for n in range(1, 13))

    def _own_budget(self, root: str, year: int, until: date) -> Amount | None:
        told = self._months_told(root, year, until)
        for key in ("adjusted", "initial"):
            months = [m for m, r in told.items() if key in r.figures]
            if months:
                figure = told[max(months)].figures[key]
                return Amount(figure.value, figure.precision, max(months))
        return None

    def budget(self, root: str, year: int, until: date) -> Amount | None:
        """The year's budget as known by a month, the area's where units went into this one."""
        own = self._own_budget(root, year, until)
        taken = self._money_taken(root, until)
        total = own
        for month in sorted({t.month for t in taken}):
            is_new = self.is_new_of_several(root) and month == self._first_month(root, year)
            before = self._own_budget(root, year, month_after(month, -1))
            units = [t.unit for t in taken if t.month == month]
            theirs = [self.budget(u, year, month) for u in units]
            known = [p for p in theirs if p is not None]
            last = before.value if before else NOTHING
            both = sum((p.value for p in known), last) if len(known) == len(theirs) else None
            if self._is_areas(root, year, month, until, both, last):
                continue
            if both is None or (own is None and not is_new):
                return None
            for part in known:
                as_of = max(a.as_of for a in (total, part) if a) if own is None else own.as_of
                total = replace(part if total is None else total + part, as_of=as_of)
        return total

    def _is_areas(
        self, root: str, year: int, month: date, until: date, both: Fraction | None, last: Fraction
    ) -> bool:
        """Whether a budget told since a takeover is nearer to the sum of all than to the unit's own last; where
        nobody knows that sum, whether it is another than the unit's own last."""
        when = month
        while when <= until:
            told = self._own_budget(root, year, when)
            if told is not None and told.as_of >= month:
                if both is None:
                    if told.value != last:
                        return True
                elif abs(told.value - both) < abs(told.value - last):
                    return True
            when = month_after(when)
        return False

    # ---- the tables

    def funding_gap_monthly(self) -> list[Row]:
        return [
            self.funding(root, month)
            for month in self.months
            for root in self.chains
            if self.member(root, month)
        ]

    def funding(self, root: str, month: date) -> Row:
        """The row of a unit and a month."""
        if (root, month) not in self._rows:
            self._rows[root, month] = self._find_funding(root, month)
        return self._rows[root, month]

    def _find_funding(self, root: str, month: date) -> Row:
        member = self.member(root, month)
        assert member is not None
        year = month.year
        allocated = self.budget(root, year, month)
        paid, spent = self.so_far(root, year, month, "paid"), self.so_far(root, year, month, "spent")
        guaranteed = self.guarantee(root, month)
        base, standard = self._of_the_row(root, month, guaranteed)
        no_standard = standard is None
        unknown = no_standard or guaranteed is None
        answer, reason = self._answer(guaranteed, "least", base, allocated, no_standard)
        judged = answer in ("met", "short")
        gap = self._payment_gap(guaranteed, "least_to_date", base, paid, month, no_standard)[0]
        annual = None if unknown else guaranteed["annual"]
        people = None if base is None else int(base.people)
        return {
            "township_code": member.code,
            "month": month,
            "fiscal_year": year,
            "standard_id": None if standard is None else standard.standard_id,
            "tier_label": None
            if standard is None or base is None
            else standard.tiers[a_year(standard, int(base.people))[1]].label,
            "population_persons": people,
            "population_month": None if base is None else base.month,
            "population_is_fallback": None if base is None else base.is_fallback,
            "population_is_stale": base is not None and base.is_stale,
            "is_on_tier_edge": standard is not None and people in standard.edges,
            "is_tier_uncertain": not unknown and guaranteed["is_tier_uncertain"],
            "guaranteed_annual_cny": annual,
            "guaranteed_ytd_cny": None if unknown else guaranteed["to_date"],
            "accrued_months_count": None if no_standard else len(self._months_accrued(root, month)),
            "includes_predecessors": bool(self._taken_this_year(root, month))
            or (self._needs_others(root, year, month, standard) if base is None else base.is_sum),
            "allocated_annual_cny": allocated and allocated.value,
            "allocated_precision_cny": allocated and allocated.precision,
            "allocated_as_of_month": allocated and allocated.as_of,
            "disbursed_ytd_cny": paid and paid.value,
            "disbursed_precision_cny": paid and paid.precision,
            "disbursed_as_of_month": paid and paid.as_of,
            "disbursed_is_partial": paid is not None and paid.is_partial,
            "spent_ytd_cny": spent and spent.value,
            "spent_precision_cny": spent and spent.precision,
            "spent_as_of_month": spent and spent.as_of,
            "spent_is_partial": spent is not None and spent.is_partial,
            "allocation_shortfall_cny": _shortfall(answer, guaranteed, "least", allocated),
            "allocation_surplus_cny": max(allocated.value - annual, NOTHING) if judged else None,
            "disbursement_shortfall_ytd_cny": gap,
            "adequacy_pct": half_up(allocated.value * 100 / annual) if judged and annual else None,
            "is_within_precision": answer == "met" and allocated.value < annual,
            "status": answer,
            "status_reason": reason,
        }

    def unit_monthly(self) -> list[Row]:
        """The money of each county and month: of the units in force, and of those that ended earlier in the year without
        a single heir, which were guaranteed what had accrued by then."""
        rows = {
            (root, m): self.funding(root, m)
            for m in self.months
            for root in self.chains
            if self.member(root, m)
        }
        added: dict[tuple[str, date], list[tuple[Row, bool]]] = defaultdict(list)
        for (root, month), row in rows.items():
            added[row["township_code"][:6], month].append((row, False))
            if self.member(root, month_after(month)) is None and root not in self.heir:
                gone = self._gone(root, month, row)
                for number in range(month.month + 1, 13):
                    if (later := date(month.year, number, 1)) <= self.months[-1]:
                        added[row["township_code"][:6], later].append((gone, True))
        return [_added_up(county, month, found) for (county, month), found in added.items()]

    def _gone(self, root: str, month: date, row: Row) -> Row:
        guaranteed = self.guarantee(root, month)
        base, standard = self._of_the_row(root, month, guaranteed)
        allocated = self.budget(root, month.year, month)
        answer, _ = self._answer(guaranteed, "least_to_date", base, allocated, standard is None)
        whole, until_then = row["allocated_annual_cny"], row["guaranteed_ytd_cny"]
        return row | {
            "guaranteed_annual_cny": until_then,
            # What was budgeted for months in which it no longer stood makes up for nobody's shortfall.
            "allocated_annual_cny": whole if None in (whole, until_then) else min(whole, until_then),
            "status": answer,
            "allocation_shortfall_cny": _shortfall(answer, guaranteed, "least_to_date", allocated),
        }

    def _of_the_row(
        self, root: str, month: date, guaranteed: Row | None
    ) -> tuple[Base | None, Standard | None]:
        """The people and the standard that a row names: those of the last month counted in the annual guarantee."""
        if guaranteed is not None:
            standard = guaranteed["standard"] if guaranteed["begun"] else None
        else:
            # Without people no amount can be compared: the first of those that cover the unit by now.
            standard = None
            for number in range(1, 13):
                when = date(month.year, number, 1)
                member = self.member(root, min(when, month))
                rules = self.in_force(member.code, when, last_day(month), MONEY) if member else []
                if rules and (when <= month or standard is not None):
                    standard = min(rules, key=lambda s: s.standard_id)
        base = self.base(root, month.year, month, standard.basis if standard else "registered")
        return base, standard

    def _answer(
        self, guaranteed: Row | None, key: str, base: Base | None, amount: Amount | None, no_standard: bool
    ) -> tuple[str, str | None]:
        if no_standard:
            return "no_standard", None
        if guaranteed is None or base is None or amount is None or not base.people:
            return "not_reported", "missing"
        if guaranteed["is_stale"]:
            return "not_reported", "stale_population"
        answer = compare(guaranteed[key], amount, self.minor)
        return answer, "too_coarse" if answer == "not_reported" else None

    def _payment_gap(
        self,
        guaranteed: Row | None,
        key: str,
        base: Base | None,
        paid: Amount | None,
        month: date,
        no_standard: bool,
    ) -> tuple[Fraction | None, str, str | None]:
        """What was not paid of what was guaranteed so far, the answer it makes, and why there is none."""
        answer, reason = self._answer(guaranteed, key, base, paid, no_standard)
        if (
            paid is None
            and reason == "missing"
            and guaranteed is not None
            and base is not None
            and base.people
        ):
            reason = "silent"
        reaches = paid is not None and not paid.is_partial and paid.as_of >= month
        if answer in ("short", "not_reported") and reason in (None, "too_coarse") and not reaches:
            answer, reason = "not_reported", "silent"
        return _shortfall(answer, guaranteed, key, paid), answer, reason

    def judgements(self) -> list[Row]:
        """The answers of the money rules, and of the rules of payment beside them."""
        rows = []
        for month in self.months:
            for root in self.chains:
                if self.member(root, month):
                    rows += self._money_judgements(root, month)
        return rows + self._county_judgements(rows)

    def _county_judgements(self, told: list[Row]) -> list[Row]:
        """C-12, asked of a county: every township lists its funds separately, has them in its budget and, since the
        last December, was paid them in full. Short as soon as one is known not to."""
        answers = {(r["rule_id"], self.root_of[r["subject_code"]], r["month"]): r["status"] for r in told}
        rule = next((s for s in self.standards if s.standard_id == "C-11"), None)
        if rule is None:
            return []
        asked: dict[tuple[str, date], list[str]] = defaultdict(list)
        for name, root, month in list(answers):
            if name != "C-11":
                continue
            member = self.member(root, month)
            assert member is not None
            listed = [r.listed for _, r in sorted(self._months_told(root, month.year, month).items())]
            known = [answer for answer in listed if answer is not None]
            december = month if month.month == 12 else date(month.year - 1, 12, 1)
            asked[member.code[:6], month] += [
                "not_reported" if not known else "met" if known[-1] else "short",
                answers["C-11", root, month],
                answers.get(("C-11.1", root, december), "met"),
            ]
        # A county whose last township ended still owes an answer: there is nothing to list.
        for county in {code[:6] for code in self.units if code.startswith(rule.reach)}:
            towns = [u for u in self.units.values() if u.code[:6] == county and u.kind in TOWNSHIP_TYPES]
            for month in self.months:
                if not any(town.stands_on(last_day(month)) for town in towns):
                    asked[county, month] = ["not_applicable"]
        return [
            {
                "rule_id": "C-12",
                "subject_code": county,
                "month": month,
                "status": next((s for s in ("short", "not_reported", "not_applicable") if s in parts), "met"),
            }
            for (county, month), parts in asked.items()
        ]

    def _money_judgements(self, root: str, month: date) -> list[Row]:
        member = self.member(root, month)
        assert member is not None
        guaranteed = self.guarantee(root, month)
        _, of_the_row = self._of_the_row(root, month, guaranteed)
        rules = {s.standard_id: s for s in self.in_force(member.code, month, last_day(month), MONEY)}
        if of_the_row is not None:
            rules[of_the_row.standard_id] = of_the_row
        rows = []
        allocated = self.budget(root, month.year, month)
        paid = self.so_far(root, month.year, month, "paid")
        ends_alone = self.member(root, month_after(month)) is None and root not in self.heir
        has_ended = self.units[self.chains[root][-1]].ends is not None
        for name, rule in sorted(rules.items()):
            is_row = of_the_row is not None and name == of_the_row.standard_id
            own = guaranteed if is_row else self.guarantee(root, month, name)
            base = self.base(root, month.year, month, rule.basis)
            answer, reason = self._answer(own, "least", base, allocated, False)
            rows.append(
                {
                    "rule_id": name,
                    "subject_code": member.code,
                    "month": month,
                    "status": answer,
                    "reason": reason,
                    "value_expected": own and own["annual"],
                    "shortfall": _shortfall(answer, own, "least", allocated),
                }
            )
            in_december = month.month == 12 and (
                not has_ended or self.member(root, month_after(month)) is not None
            )
            if month.month == 12 or (has_ended and ends_alone):
                key = "least" if in_december else "least_to_date"
                gap, answer, reason = self._payment_gap(own, key, base, paid, month, False)
                rows.append(
                    {
                        "rule_id": f"{name}.1",
                        "subject_code": member.code,
                        "month": month,
                        "status": answer,
                        "reason": reason,
                        "value_expected": own and own["annual" if in_december else "to_date"],
                        "shortfall": gap,
                    }
                )
        return rows

    # ---- people in posts

    def staffing_gap_monthly(self) -> list[Row]:
        rows = []
        for month in self.months:
            for root in self.chains:
                member = self.member(root, month)
                if member:
                    for rule in self.in_force(member.code, month, last_day(month), STAFFING):
                        rows.append(self._staffing(root, member.code, month, rule))
        return rows

    def _staffing(self, root: str, code: str, month: date, rule: Standard) -> Row:
        report = self.reports.get(("staffing", root), {}).get(month)
        told = report.figures if report else {}
        parts = [told.get(m[1]) for m in rule.measures]
        known = [int(p.value) for p in parts if p is not None]
        counted = sum(known) if known else None
        partial = len(known) < len(parts)
        required: int | None
        advised: int | None
        required, advised, stale = None, None, False
        least_required: int | None = None
        most_advised: int | None = None
        uncertain = False
        base = self.base(root, month.year, month, rule.basis)
        if rule.formula == "posts_parts":
            least = [int(Fraction(m[3])) for m in rule.measures]
            required = sum(least)
            lacking = sum(max(n - (int(p.value) if p else 0), 0) for n, p in zip(least, parts, strict=True))
        else:
            if not rule.edges:
                required, advised = int(rule.tiers[0].value), rule.tiers[0].maximum
                least_required, most_advised = required, advised
            elif base is not None:
                required, advised = _staff_asked(rule, int(base.people))
                # One person after the other: what each of the numbers that may have been written so would ask.
                asked = {_staff_asked(rule, n) for n in base.whole_numbers}
                least_required = min(least for least, _ in asked)
                tops = [most for _, most in asked if most is not None]
                most_advised = max(tops) if all(most is not None for _, most in asked) else None
                uncertain = len({_staff_tier(rule, n) for n in base.whole_numbers}) > 1
                stale = base.is_stale
            lacking = max((least_required or 0) - (counted or 0), 0)
        if counted is None or required is None or stale or (partial and lacking):
            status, short, excess = "not_reported", None, None
        else:
            excess = max(counted - most_advised, 0) if most_advised is not None else 0
            short = lacking
            status = "short" if lacking else "over" if excess else "met"
        return {
            "township_code": code,
            "month": month,
            "standard_id": rule.standard_id,
            "counted_persons": counted,
            "required_min_persons": required,
            "required_least_persons": least_required if rule.formula != "posts_parts" else required,
            "advised_max_persons": advised,
            "advised_most_persons": most_advised,
            "is_tier_uncertain": uncertain,
            "shortfall_persons": short,
            "excess_persons": excess,
            "status": status,
        }


def _staff_tier(rule: Standard, people: int) -> int:
    return max(tiers_at(rule, people), key=lambda k: rule.tiers[k].value)


@cache
def _staff_asked(rule: Standard, people: int) -> tuple[int, int | None]:
    """The least required and the most advised; at an edge where two tiers hold, both bind."""
    tiers = [rule.tiers[k] for k in tiers_at(rule, people)]
    tops = [t.maximum for t in tiers if t.maximum is not None]
    return max(int(t.value) for t in tiers), min(tops, default=None)


def _added_up(county: str, month: date, found: list[tuple[Row, bool]]) -> Row:
    """Sums over the units that their names tell; over nothing known there is none."""
    rows = [row for row, _ in found]
    covered = [row for row in rows if row["standard_id"] is not None]
    judged = [row for row in rows if row["status"] in ("met", "short")]

    def is_complete(row: Row, is_gone: bool) -> bool:
        until = row["month"] if is_gone else month
        reaches = row["disbursed_as_of_month"] == until and not row["disbursed_is_partial"]
        return row["guaranteed_ytd_cny"] is not None and reaches

    complete = [row for row, is_gone in found if is_complete(row, is_gone)]

    def total(units: list[Row], name: str) -> Fraction | None:
        known = [Fraction(row[name]) for row in units if row[name] is not None]
        return sum(known, NOTHING) if known else None

    return {
        "unit_code": county,
        "month": month,
        "units_count": sum(not is_gone for _, is_gone in found),
        "covered_count": len(covered),
        "judged_count": len(judged),
        "short_count": sum(row["status"] == "short" for row in rows),
        "guaranteed_of_covered_cny": total(covered, "guaranteed_annual_cny"),
        "guaranteed_ytd_of_covered_cny": total(covered, "guaranteed_ytd_cny"),
        "guaranteed_of_judged_cny": total(judged, "guaranteed_annual_cny"),
        "allocated_of_judged_cny": total(judged, "allocated_annual_cny"),
        "allocation_shortfall_of_judged_cny": total(rows, "allocation_shortfall_cny"),
        "complete_count": len(complete),
        "guaranteed_ytd_of_complete_cny": total(complete, "guaranteed_ytd_cny"),
        "disbursed_of_complete_cny": total(complete, "disbursed_ytd_cny"),
        "disbursement_shortfall_of_compared_cny": total(rows, "disbursement_shortfall_ytd_cny"),
    }


def _of_all(pieces: list[Piece]) -> Fraction:
    return sum((piece.amount for piece in pieces), NOTHING)


def _at(base: Base, offset: int) -> int:
    """A whole number of the interval, that far from the one written; its end where it is farther."""
    numbers = base.whole_numbers
    return min(max(int(base.people) + offset, numbers[0]), numbers[-1])


def _tier_probes(standard: Standard, numbers: range) -> list[int]:
    """The ends of an interval and, for each edge inside, the numbers around it: everything a tier can depend on."""
    probes = {numbers[0], numbers[-1]}
    probes |= {edge + step for edge in standard.edges for step in (-1, 0, 1)}
    return sorted(p for p in probes if p in numbers)


def _shortfall(answer: str, guaranteed: Row | None, key: str, amount: Amount | None) -> Fraction | None:
    if answer == "met":
        return NOTHING
    return guaranteed[key] - amount.value if answer == "short" else None


def told(rows: Iterable[Row], **where: Any) -> list[Row]:
    """The rows with these values."""
    return [row for row in rows if all(row[name] == value for name, value in where.items())]
