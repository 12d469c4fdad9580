"""The gaps computed a second time, in plain Python from DESIGN and the policy documents.

Nothing here may be imported from `oversight` or read from its seeds: the product and this module are two
readings of the same texts, and the tests ask whether they agree. It is slow and simple on purpose: one township
and one month at a time, integers and Decimals, no tables.

Readings that DESIGN leaves open, taken here and to be kept alike in the product:

- A renamed unit: exactly one successor, which has exactly one predecessor and begins on the day the old one ends.
  The last condition tells a rename from a merger into a unit that stood there before.
- A report counts for the member of its unit's chain that is in force on the month's last day, whichever code it
  bears; where no member is in force it cannot be used.
- A later report replaces the whole row of a township and month, blank cells included.
- Without any earlier year, the earliest reported month of the year counts for all months of that year, those
  before it too.
- Where no funding rule covers a unit, population and money are shown all the same; what is measured against a
  guarantee is null. `is_on_tier_edge` is then false, and so it is without a population.
- `excess_persons` is 0 where a rule has no upper bound, null where nothing is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Row = dict[str, Any]
CENT = Decimal("0.01")
TOWNSHIP_TYPES = frozenset({"乡", "镇", "街道", "民族乡", "苏木"})


@dataclass(frozen=True)
class Division:
    """A unit of any level; `ends` is the first day on which it is no more."""

    code: str
    name: str
    kind: str
    begins: date | None = None
    ends: date | None = None
    successors: tuple[str, ...] = ()

    def stands_on(self, day: date) -> bool:
        return (self.begins is None or self.begins <= day) and (self.ends is None or self.ends > day)


@dataclass(frozen=True)
class Report:
    """One row that somebody sent. Of two for the same township and month the larger `precedence` holds."""

    dataset: str
    month: date
    code: str
    values: Mapping[str, int | Decimal | bool | None]
    precedence: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Standard:
    """A rule. With `edges` (persons) there is one value a tier, one more than edges; without, a single value."""

    standard_id: str
    document: str
    issuer: str
    matter: str
    scope: str
    formula: str
    values: tuple[Decimal | int, ...]
    effective_from: date
    effective_to: date | None = None
    edges: tuple[int, ...] = ()
    labels: tuple[str, ...] = ("不分档",)
    maxima: tuple[int, ...] = ()
    counts: tuple[str, ...] = ()
    edge_rule: str = "legal_default"
    basis: str = "registered"

    @property
    def reach(self) -> str:
        """The beginning of every code the rule covers."""
        if len(self.scope) != 6:
            return self.scope
        for digits in (0, 2, 4):
            if self.scope[digits:] == "0" * (6 - digits):
                return self.scope[:digits]
        return self.scope


DEDICATED = ("dedicated_staff_persons",)
EVERYBODY = ("dedicated_staff_persons", "welfare_posts_persons", "purchased_service_persons")
# The rules on money and staff as the five documents have them.
POLICY = (
    Standard(
        "A-06",
        "A",
        "360313",
        "dedicated_staff",
        "360313",
        "staff_floor",
        (2,),
        date(2019, 6, 10),
        counts=DEDICATED,
    ),
    Standard(
        # The document of 湘东区 passes the province's rates on, so issuer and reach are the province's.
        "A-10",
        "A",
        "360000",
        "working_funds",
        "360000",
        "per_head_and_month",
        (Decimal("0.28"), Decimal("0.22"), Decimal("0.18")),
        date(2019, 6, 10),
        edges=(20_000, 50_000),
        labels=("2万人以下", "2-5万人", "5万人以上"),
    ),
    Standard("B-07", "B", "220000", "established_posts", "222403", "posts", (1, 2), date(2018, 1, 1)),
    Standard(
        "C-11",
        "C",
        "640000",
        "working_funds",
        "640000",
        "flat",
        (40_000, 70_000, 100_000),
        date(2017, 9, 28),
        edges=(30_000, 50_000),
        labels=("3万人以下", "3万至5万人", "5万人以上"),
    ),
    Standard(
        "D-07",
        "D",
        "130300",
        "dedicated_staff",
        "130300",
        "staff_floor",
        (2,),
        date(2017, 3, 29),
        counts=EVERYBODY,
    ),
    Standard(
        "D-08",
        "D",
        "130300",
        "dedicated_staff",
        "130300",
        "staff_range",
        (2, 3),
        date(2017, 3, 29),
        edges=(30_000,),
        labels=("3万人以下", "3万人以上"),
        maxima=(3, 5),
        counts=EVERYBODY,
    ),
)
FUNDING = ("per_head_and_month", "flat")
STAFFING = ("staff_floor", "staff_range", "posts")


def last_day(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def month_after(month: date) -> date:
    return last_day(month) + timedelta(days=1)


def tiers_at(standard: Standard, persons: int) -> list[int]:
    """The tiers that hold for a population: two of them only where the rule lets both hold."""
    edges, last = standard.edges, len(standard.edges)
    if not edges:
        return [0]
    if standard.edge_rule == "legal_default":
        # 以下 and 以上 include the number itself, 至 does not: (0, T1], (T1, T2), [T2, ∞).
        holding = [0] if persons <= edges[0] else []
        holding += [tier for tier in range(1, last) if edges[tier - 1] < persons < edges[tier]]
        return holding + ([last] if persons >= edges[-1] else [])
    tier = sum(persons >= edge for edge in edges)
    if standard.edge_rule == "favour_township" and persons in edges:
        return [max((tier - 1, tier), key=lambda t: standard.values[t])]
    return [tier]


def guarantee(standard: Standard, persons: int) -> tuple[Decimal, str]:
    """The year's guaranteed amount and its tier's label."""
    tier = max(tiers_at(standard, persons), key=lambda t: standard.values[t])
    value = Decimal(standard.values[tier])
    amount = value * persons * 12 if standard.formula == "per_head_and_month" else value
    return amount.quantize(CENT, ROUND_HALF_UP), standard.labels[tier]


def half_up(numerator: Decimal, denominator: int | Decimal) -> Decimal:
    """A quotient of amounts, rounded half up to two decimals without any division in between."""
    above, below = int(numerator.scaleb(2)), int(Decimal(denominator).scaleb(2))
    return Decimal((2 * above * 100 + below) // (2 * below)).scaleb(-2)


class Model:
    """What must come out for some divisions, reports and rules."""

    def __init__(
        self, divisions: Iterable[Division], reports: Iterable[Report], standards: Sequence[Standard] = POLICY
    ) -> None:
        self.divisions = {d.code: d for d in divisions}
        self.units = {c: d for c, d in self.divisions.items() if len(c) == 9}
        self.standards = standards
        self.chains = self._chains()
        self.latest: dict[tuple[str, str, date], Report] = {}
        for report in reports:
            code = self.meant(report.code, report.month)
            if code is None:
                continue
            key = (report.dataset, code, report.month)
            if key not in self.latest or self.latest[key].precedence < report.precedence:
                self.latest[key] = report
        self.by_unit: dict[tuple[str, str], dict[date, Report]] = defaultdict(dict)
        for (dataset, code, month), report in self.latest.items():
            self.by_unit[dataset, self.chains[code][0]][month] = report
        self._deciding: dict[tuple[str, int, str], tuple[int, date, bool] | None] = {}

    def _chains(self) -> dict[str, tuple[str, ...]]:
        """For each code the codes that the same unit ever had, the oldest first."""
        came_from: dict[str, list[str]] = defaultdict(list)
        for unit in self.units.values():
            for successor in unit.successors:
                came_from[successor].append(unit.code)
        renamed_to = {}
        for unit in self.units.values():
            if len(unit.successors) != 1 or unit.successors[0] not in self.units:
                continue
            new = self.units[unit.successors[0]]
            if came_from[new.code] == [unit.code] and unit.ends is not None and new.begins == unit.ends:
                renamed_to[unit.code] = new.code
        chains: dict[str, tuple[str, ...]] = {}
        for code in self.units.keys() - set(renamed_to.values()):
            chain = [code]
            while chain[-1] in renamed_to:
                chain.append(renamed_to[chain[-1]])
            chains |= dict.fromkeys(chain, tuple(chain))
        return chains

    def meant(self, code: str, month: date) -> str | None:
        """The code in force at a month's end of the unit that a code names; None where there is none."""
        standing = [c for c in self.chains.get(code, ()) if self.units[c].stands_on(last_day(month))]
        return standing[0] if standing else None

    def months(self) -> list[date]:
        reported = {month for _, _, month in self.latest}
        months = [min(reported)]
        while months[-1] < max(reported):
            months.append(month_after(months[-1]))
        return months

    def deciding_population(
        self, code: str, year: int, basis: str = "registered"
    ) -> tuple[int, date, bool] | None:
        """The population that decides a year's tier, its month, and whether it stands in for the year before."""
        root = self.chains[code][0]
        key = (root, year, basis)
        if key not in self._deciding:
            column = {"registered": "population_persons", "resident": "resident_population_persons"}[basis]
            known = {
                m: r.values[column]
                for m, r in self.by_unit["population", root].items()
                if r.values.get(column) is not None
            }
            before = [m for m in known if m <= date(year - 1, 12, 1)]
            within = [m for m in known if m.year == year]
            month = max(before) if before else min(within) if within else None
            self._deciding[key] = None if month is None else (known[month], month, not before)
        return self._deciding[key]

    def rules_for(self, code: str, month: date, formulas: Sequence[str]) -> list[Standard]:
        """The rules that hold for a township in a month; a later one of the same issuer and matter replaces."""
        day = last_day(month)
        if self.units[code].kind not in TOWNSHIP_TYPES:
            return []
        covering = [s for s in self.standards if code.startswith(s.reach)]
        return [
            s
            for s in covering
            if s.formula in formulas
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

    def money(self, code: str, month: date) -> dict[str, Decimal | None]:
        """The year's budget, payments and spending as known at the end of a month."""
        history = self.by_unit["budget", self.chains[code][0]]
        rows = [history[m].values for m in sorted(history) if m.year == month.year and m <= month]

        def latest(column: str) -> Any:
            return next((r[column] for r in reversed(rows) if r.get(column) is not None), None)

        def so_far(cumulative: str, monthly: str) -> Any:
            told = latest(cumulative)
            parts = [r[monthly] for r in rows if r.get(monthly) is not None]
            return told if told is not None else sum(parts) if parts else None

        adjusted = latest("adjusted_budget_cny")
        return {
            "allocated": adjusted if adjusted is not None else latest("initial_budget_cny"),
            "disbursed": so_far("disbursed_cumulative_cny", "disbursed_month_cny"),
            "spent": so_far("spent_cumulative_cny", "spent_month_cny"),
        }

    def in_force(self, month: date) -> list[str]:
        return sorted(c for c, u in self.units.items() if u.stands_on(last_day(month)))

    def townships(self) -> list[Row]:
        """The table `townships`."""

        def name_of(code: str) -> str | None:
            return self.divisions[code].name if code in self.divisions else None

        rows = []
        for code, unit in sorted(self.units.items()):
            county, city, province = code[:6], code[:4] + "00", code[:2] + "0000"
            rows.append(
                {
                    "township_code": code,
                    "township_name": unit.name,
                    "township_type": unit.kind,
                    "county_code": county,
                    "county_name": name_of(county),
                    "city_code": city,
                    "city_name": name_of(city),
                    "province_code": province,
                    "province_name": name_of(province),
                    "valid_from": unit.begins,
                    "valid_to": unit.ends,
                    "successor_code": "、".join(unit.successors) or None,
                }
            )
        return rows

    def funding_gap_monthly(self) -> list[Row]:
        """The table `funding_gap_monthly`."""
        return [self._funding(code, month) for month in self.months() for code in self.in_force(month)]

    def _funding(self, code: str, month: date) -> Row:
        options = []
        for rule in self.rules_for(code, month, FUNDING):
            decided = self.deciding_population(code, month.year, rule.basis)
            amount, label = (None, None) if decided is None else guarantee(rule, decided[0])
            # The bound that is higher for the township holds; the smaller id where they are the same.
            options.append((-1 if amount is None else amount, rule, decided, amount, label))
        options.sort(key=lambda o: (-o[0], o[1].standard_id))
        rule, decided, annual, label = (
            options[0][1:] if options else (None, self.deciding_population(code, month.year), None, None)
        )
        persons = None if decided is None else decided[0]
        money = self.money(code, month)
        allocated, disbursed = money["allocated"], money["disbursed"]
        to_date = None if annual is None else half_up(annual * month.month, 12)

        def more(this: Decimal | None, than: Decimal | None) -> Decimal | None:
            return None if this is None or than is None else max(this - than, Decimal(0))

        if rule is None:
            status = "no_standard"
        elif annual is None or allocated is None:
            status = "not_reported"
        else:
            status = "short" if allocated < annual else "met"
        return {
            "township_code": code,
            "township_name": self.units[code].name,
            "county_code": code[:6],
            "month": month,
            "fiscal_year": month.year,
            "standard_id": None if rule is None else rule.standard_id,
            "tier_label": label,
            "population_persons": persons,
            "population_month": None if decided is None else decided[1],
            "population_is_fallback": None if decided is None else decided[2],
            "is_on_tier_edge": rule is not None and persons in rule.edges,
            "guaranteed_annual_cny": annual,
            "guaranteed_ytd_cny": to_date,
            "allocated_annual_cny": allocated,
            "disbursed_ytd_cny": disbursed,
            "spent_ytd_cny": money["spent"],
            "allocation_shortfall_cny": more(annual, allocated),
            "allocation_surplus_cny": more(allocated, annual),
            "disbursement_shortfall_ytd_cny": more(to_date, disbursed),
            "adequacy_pct": None if annual is None or allocated is None else half_up(allocated * 100, annual),
            "status": status,
        }

    def staffing_gap_monthly(self) -> list[Row]:
        """The table `staffing_gap_monthly`."""
        return [
            self._staffing(code, month, rule)
            for month in self.months()
            for code in self.in_force(month)
            for rule in sorted(self.rules_for(code, month, STAFFING), key=lambda s: s.standard_id)
        ]

    def _staffing(self, code: str, month: date, rule: Standard) -> Row:
        report = self.latest.get(("staffing", code, month))
        told: Mapping[str, Any] = report.values if report is not None else {}
        counted = lacking = required = advised = None
        if rule.formula == "posts":
            required = sum(int(v) for v in rule.values)
            posts = (told.get("administrative_posts"), told.get("institution_posts"))
            if None not in posts:
                counted = sum(posts)
                lacking = sum(
                    max(int(least) - have, 0) for least, have in zip(rule.values, posts, strict=True)
                )
        else:
            if told.get(rule.counts[0]) is not None:
                counted = sum(told[part] for part in rule.counts if told.get(part) is not None)
            decided = (
                self.deciding_population(code, month.year, rule.basis) if rule.edges else (0, month, False)
            )
            if decided is not None:
                tiers = tiers_at(rule, decided[0])
                required = max(int(rule.values[t]) for t in tiers)
                advised = min((rule.maxima[t] for t in tiers), default=None) if rule.maxima else None
                if counted is not None:
                    lacking = max(required - counted, 0)
        if lacking is None:
            status, excess = "not_reported", None
        else:
            excess = max(counted - advised, 0) if advised is not None else 0
            status = "short" if lacking else "over" if excess else "met"
        return {
            "township_code": code,
            "month": month,
            "standard_id": rule.standard_id,
            "counted_persons": counted,
            "required_min_persons": required,
            "advised_max_persons": advised,
            "shortfall_persons": lacking,
            "excess_persons": excess,
            "status": status,
        }
