"""Two editions side by side: what changed between them, and why, in amounts that add up to the 分.

For one month each amount of each unit is taken along the same way: from what the older edition says, through
reports that are new, corrections of reports that were there, changed standards, to what the newer edition says.
The steps of the way are the causes; since each begins where the last one ended, they sum to the whole whatever
the figures are. A unit that only one edition has is a unit change as a whole. What no step accounts for (changed
code) is told as such, never spread over the others. An unknown amount counts as nothing in a sum, as it does
in every total of the product.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from oversight.editions.model import EditionError

if TYPE_CHECKING:
    import duckdb

NEW_DATA, CORRECTION, STANDARD, UNIT, OTHER = "new_data", "correction", "standard", "unit", "other"
CAUSES = {
    NEW_DATA: "新报数据",
    CORRECTION: "更正",
    STANDARD: "标准变动",
    UNIT: "区划变动",
    OTHER: "程序或其他",
}
MEASURES = {
    "guaranteed_annual_cny": "应保障（年）",
    "allocated_annual_cny": "年度安排",
    "allocation_shortfall_cny": "安排缺口",
    "disbursed_ytd_cny": "累计拨付",
    "disbursement_shortfall_ytd_cny": "拨付缺口（累计）",
}
_FEN = Decimal("0.01")
_ZERO = Decimal(0)
# initial, adjusted, paid in the month, paid up to the month
BudgetCell = tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None]


@dataclass(frozen=True)
class UnitRow:
    """A unit in the month compared: its figures as published, and the reports they come from."""

    unit_id: str
    township_code: str
    township_name: str
    standard_id: str | None
    population: int | None
    population_key: tuple[str, date] | None
    figures: Mapping[str, Decimal | None]
    budget: Mapping[date, BudgetCell] = field(default_factory=dict)


@dataclass(frozen=True)
class FundingRule:
    """What a funding standard makes of a population: its shape, its edges, its tiers."""

    formula: str
    edge_rule: str
    tiers: tuple[tuple[Any, ...], ...]

    def annual(self, population: int) -> Decimal | None:
        """The annual guarantee; the reading chosen at an edge as the models choose it."""
        found = []
        for low, low_in, high, high_in, value, unit in self.tiers:
            at_low, at_high = population == (low or 0), high is not None and population == high
            if population < (low or 0) or (high is not None and population > high):
                continue
            holds = (
                not at_high
                if self.edge_rule == "half_open"
                else self.edge_rule == "favour_township"
                or ((low is None or not at_low or bool(low_in)) and (not at_high or bool(high_in)))
            )
            amount = value * (population if self.formula == "per_capita_by_tier" else 1)
            amount *= 12 if str(unit).endswith("月") else 1
            found.append((holds, amount.quantize(_FEN, ROUND_HALF_UP)))
        return max(found)[1] if found else None


@dataclass(frozen=True)
class Snapshot:
    """What one edition says of one month."""

    edition_id: str
    month: date
    units: Mapping[str, UnitRow]
    rules: Mapping[str, FundingRule]
    findings: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """A changed amount of a unit, and what each cause contributes; the parts sum to after − before."""

    unit_id: str
    township_code: str
    township_name: str
    measure: str
    before: Decimal | None
    after: Decimal | None
    parts: Mapping[str, Decimal]


@dataclass(frozen=True)
class Total:
    """A measure over all units: before, after, and the sum of each cause."""

    measure: str
    before: Decimal
    after: Decimal
    parts: Mapping[str, Decimal]


@dataclass(frozen=True)
class Difference:
    """What changed from an older edition to a newer one, for one month."""

    older: str
    newer: str
    month: date
    totals: tuple[Total, ...]
    changes: tuple[Change, ...]
    opened: tuple[tuple[str, str], ...]
    cleared: tuple[tuple[str, str], ...]
    gone: tuple[tuple[str, str], ...]


def compare(
    older: duckdb.DuckDBPyConnection, newer: duckdb.DuckDBPyConnection, month: date | None = None
) -> Difference:
    """Compare two editions over read-only connections; without `month`, the last one that both have.

    Raises `EditionError` when one of them does not have the month.
    """
    spans = [
        connection.cursor().execute("select min(month), max(month) from funding_gap_monthly").fetchall()[0]
        for connection in (older, newer)
    ]
    if any(last is None for _, last in spans):
        raise EditionError("两个版本中有一个还没有任何月份的数据，无法比较。")
    wanted: date = month.replace(day=1) if month else min(last for _, last in spans)
    for first, last in spans:
        if not first <= wanted <= last:
            raise EditionError(
                f"两个版本没有共同的 {wanted:%Y-%m}：其中一版从 {first:%Y-%m} 到 {last:%Y-%m}。"
            )
    return differences(read(older, wanted), read(newer, wanted))


def differences(older: Snapshot, newer: Snapshot) -> Difference:
    """What changed between two snapshots of the same month."""
    changes: list[Change] = []
    for unit_id in sorted(older.units.keys() | newer.units.keys()):
        changes += _changes(older, newer, unit_id)
    totals = tuple(_total(measure, older, newer, changes) for measure in MEASURES)
    open_before = {name for name, (status, _) in older.findings.items() if status in _OPEN}
    open_now = {name for name, (status, _) in newer.findings.items() if status in _OPEN}
    return Difference(
        older.edition_id,
        newer.edition_id,
        newer.month,
        totals,
        tuple(changes),
        opened=_told(newer, open_now - open_before),
        cleared=_told(newer, {name for name in open_before - open_now if name in newer.findings}),
        gone=_told(older, {name for name in open_before if name not in newer.findings}),
    )


_OPEN = frozenset({"short", "not_reported", "unconfirmed"})


def _told(snapshot: Snapshot, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, snapshot.findings[name][1]) for name in sorted(names))


def _total(measure: str, older: Snapshot, newer: Snapshot, changes: Iterable[Change]) -> Total:
    of_measure = [change for change in changes if change.measure == measure]
    return Total(
        measure,
        sum((row.figures.get(measure) or _ZERO for row in older.units.values()), _ZERO),
        sum((row.figures.get(measure) or _ZERO for row in newer.units.values()), _ZERO),
        {cause: sum((change.parts[cause] for change in of_measure), _ZERO) for cause in CAUSES},
    )


def _changes(older: Snapshot, newer: Snapshot, unit_id: str) -> list[Change]:
    before, after = older.units.get(unit_id), newer.units.get(unit_id)
    stages: list[tuple[str, Mapping[str, Decimal | None]]]
    if before is None or after is None:
        one = before or after
        assert one is not None
        nothing: dict[str, Decimal | None] = {}
        stages = [(UNIT, after.figures if after else nothing)]
        start = before.figures if before else nothing
    else:
        one, start = after, before.figures
        stages = _way(before, after, older, newer)
    found = []
    for measure in MEASURES:
        at, parts = start.get(measure) or _ZERO, dict.fromkeys(CAUSES, _ZERO)
        for cause, figures in stages:
            reached = figures.get(measure) or _ZERO
            parts[cause] += reached - at
            at = reached
        ends = (
            before.figures.get(measure) if before else None,
            after.figures.get(measure) if after else None,
        )
        if ends[0] != ends[1]:
            found.append(Change(unit_id, one.township_code, one.township_name, measure, *ends, parts))
    return found


def _way(
    before: UnitRow, after: UnitRow, older: Snapshot, newer: Snapshot
) -> list[tuple[str, Mapping[str, Decimal | None]]]:
    """The figures after each step from the older edition to the newer."""
    month = older.month
    rule = older.rules.get(before.standard_id or "")
    is_corrected = before.population_key == after.population_key
    with_new = before.population if is_corrected else after.population
    merged = dict(before.budget) | {
        when: _filled(before.budget.get(when), cell) for when, cell in after.budget.items()
    }

    def guaranteed(population: int | None) -> Decimal | None:
        if population == before.population:
            return before.figures.get("guaranteed_annual_cny")
        return rule.annual(population) if rule and population is not None else None

    first = _figures(month, guaranteed(with_new), _budget(before, before.budget, merged))
    second = _figures(month, guaranteed(after.population), _budget(before, before.budget, after.budget))
    same_law = before.standard_id == after.standard_id and rule == newer.rules.get(after.standard_id or "")
    third = _figures(
        month,
        second["guaranteed_annual_cny"] if same_law else after.figures.get("guaranteed_annual_cny"),
        (second["allocated_annual_cny"], second["disbursed_ytd_cny"]),
    )
    return [(NEW_DATA, first), (CORRECTION, second), (STANDARD, third), (OTHER, after.figures)]


def _filled(old: BudgetCell | None, new: BudgetCell) -> BudgetCell:
    """The old report where it says something, the new one where it was silent."""
    if old is None:
        return new
    first, second, third, fourth = (b if a is None else a for a, b in zip(old, new, strict=True))
    return first, second, third, fourth


def _budget(
    row: UnitRow, known: Mapping[date, BudgetCell], cells: Mapping[date, BudgetCell]
) -> tuple[Decimal | None, Decimal | None]:
    """Allocated and disbursed as the models take them from the year's reports."""
    if cells == known:
        return row.figures.get("allocated_annual_cny"), row.figures.get("disbursed_ytd_cny")
    months = sorted(cells)

    def latest(column: int) -> Decimal | None:
        return next((v for when in reversed(months) if (v := cells[when][column]) is not None), None)

    paid = [v for when in months if (v := cells[when][2]) is not None]
    adjusted, cumulative = latest(1), latest(3)
    return (
        adjusted if adjusted is not None else latest(0),
        cumulative if cumulative is not None else sum(paid, _ZERO) if paid else None,
    )


def _figures(
    month: date, guaranteed: Decimal | None, budget: tuple[Decimal | None, Decimal | None]
) -> dict[str, Decimal | None]:
    allocated, disbursed = budget
    to_date = None if guaranteed is None else (guaranteed * month.month / 12).quantize(_FEN, ROUND_HALF_UP)
    return {
        "guaranteed_annual_cny": guaranteed,
        "allocated_annual_cny": allocated,
        "allocation_shortfall_cny": _missing(guaranteed, allocated),
        "disbursed_ytd_cny": disbursed,
        "disbursement_shortfall_ytd_cny": _missing(to_date, disbursed),
    }


def _missing(need: Decimal | None, have: Decimal | None) -> Decimal | None:
    return None if need is None or have is None else max(need - have, _ZERO)


# --- reading an edition


def read(connection: duckdb.DuckDBPyConnection, month: date) -> Snapshot:
    """What an edition says of a month."""
    cursor = connection.cursor()

    def rows(query: str, *values: Any) -> list[tuple[Any, ...]]:
        return cursor.execute(query, list(values)).fetchall()

    budgets: dict[str, dict[date, BudgetCell]] = {}
    for unit_id, when, *cell in rows(
        "select t.unit_id, r.month, r.initial_budget_cny, r.adjusted_budget_cny, r.disbursed_month_cny, "
        "r.disbursed_cumulative_cny from reported.budget r join townships t using (township_code) "
        "where r.is_current and year(r.month) = year(cast(? as date)) and r.month <= ?",
        month,
        month,
    ):
        budgets.setdefault(unit_id, {})[when] = (cell[0], cell[1], cell[2], cell[3])
    columns = ", ".join(f"f.{name}" for name in MEASURES)
    units = {}
    for unit_id, code, name, standard, people, from_code, from_month, *figures in rows(
        "select t.unit_id, f.township_code, f.township_name, f.standard_id, f.population_persons, "
        f"f.population_township_code, f.population_month, {columns} "
        "from funding_gap_monthly f join townships t using (township_code) where f.month = ?",
        month,
    ):
        units[unit_id] = UnitRow(
            unit_id,
            code,
            name,
            standard,
            people,
            (from_code, from_month) if from_month else None,
            dict(zip(MEASURES, figures, strict=True)),
            budgets.get(unit_id, {}),
        )
    tiers: dict[str, list[tuple[Any, ...]]] = {}
    for standard, *tier in rows(
        "select standard_id, lower_bound, lower_included, upper_bound, upper_included, value, unit "
        "from standard_tiers order by standard_id, tier_no"
    ):
        tiers.setdefault(standard, []).append(tuple(tier))
    rules = {
        standard: FundingRule(formula, edge, tuple(tiers.get(standard, ())))
        for standard, formula, edge in rows(
            "select standard_id, formula, edge_rule from standards "
            "where formula in ('per_capita_by_tier', 'flat_by_tier')"
        )
    }
    findings = {
        finding_id: (status, message)
        for finding_id, status, message in rows("select finding_id, status, message_zh from findings")
    }
    return Snapshot(str(rows("select edition_id from edition")[0][0]), month, units, rules, findings)
