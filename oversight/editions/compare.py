"""Two editions side by side: what changed between them, and why, in amounts that add up to the 分.

For one month each amount of each unit is taken along the same way: from what the older edition says, through
reports that are new, corrections of reports that were there, changed standards, to what the newer edition says.
The steps of the way are the causes; since each begins where the last one ended, they sum to the whole whatever
the figures are. A unit that only one edition has is a unit change as a whole. What no step accounts for (changed
code) is told as such, never spread over the others. An unknown amount counts as nothing beside known ones; a total
over nothing known is unknown, as in every total of the product.

Findings are compared over all months that the editions have. Each that came, went or changed bears one cause,
looked for in this order: the rule itself changed, the unit did, a report that the rule counts is new or was
corrected, or nothing but time passed (months without a report, a deadline, a basis no longer confirmed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from oversight.contracts import DATASETS
from oversight.editions.edition import EditionError

if TYPE_CHECKING:
    import duckdb

NEW_DATA, CORRECTION, STANDARD, UNIT, OTHER = "new_data", "correction", "standard", "unit", "other"
TIME = "time"
CAUSES = {
    NEW_DATA: "新报数据",
    CORRECTION: "更正",
    STANDARD: "标准变动",
    UNIT: "区划变动",
    OTHER: "程序或其他",
}
FINDING_CAUSES = {
    STANDARD: "标准变动",
    UNIT: "区划变动",
    NEW_DATA: "新报数据",
    CORRECTION: "更正",
    TIME: "时间推移（新月份或到期）",
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
    to_date: Decimal | None = None
    has_taken_over: bool = False


@dataclass(frozen=True)
class FundingRule:
    """What a funding standard says: whatever of it differs, the law does."""

    formula: str
    edge_rule: str
    tiers: tuple[tuple[Any, ...], ...]
    dates: tuple[date | None, ...] = ()


@dataclass(frozen=True)
class FindingRow:
    """A finding as an edition has it; `decided` is the last month that counts for its status."""

    rule_id: str
    subject_level: str
    subject_code: str
    subject_unit: str
    status: str
    message: str
    decided: date


@dataclass(frozen=True)
class FindingChange:
    """A finding that came, went or changed, with the status in each edition and the cause."""

    finding_id: str
    message: str
    status_before: str | None
    status_after: str | None
    cause: str


@dataclass(frozen=True)
class Reports:
    """What an edition's findings rest on: the current reports as digests, the rules, the units, the last month.

    A report is known by its dataset (for an indicator its code), its unit (or code) and its month.
    """

    rows: Mapping[tuple[str, str, date], tuple[str, int]] = field(default_factory=dict)
    rules: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    scopes: Mapping[str, str] = field(default_factory=dict)
    counted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    units: frozenset[str] = frozenset()
    last_month: date | None = None


@dataclass(frozen=True)
class Snapshot:
    """What one edition says of one month."""

    edition_id: str
    month: date
    units: Mapping[str, UnitRow]
    rules: Mapping[str, FundingRule]
    findings: Mapping[str, FindingRow] = field(default_factory=dict)
    reports: Reports = field(default_factory=Reports)


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
    """A measure over all units: before, after (None where no unit's is known), and the sum of each cause."""

    measure: str
    before: Decimal | None
    after: Decimal | None
    parts: Mapping[str, Decimal]


@dataclass(frozen=True)
class Difference:
    """What changed from an older edition to a newer one, for one month."""

    older: str
    newer: str
    month: date
    totals: tuple[Total, ...]
    changes: tuple[Change, ...]
    open_before: int
    open_after: int
    opened: tuple[FindingChange, ...]
    cleared: tuple[FindingChange, ...]
    gone: tuple[FindingChange, ...]
    changed: tuple[FindingChange, ...]


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
    # Months in which both say the same explain nothing: a country's reports are not read for them.
    before, after = _digests(older), _digests(newer)
    differing = sorted({key[1] for key in before.keys() | after.keys() if before.get(key) != after.get(key)})
    return differences(read(older, wanted, differing), read(newer, wanted, differing))


def differences(older: Snapshot, newer: Snapshot) -> Difference:
    """What changed between two snapshots of the same month."""
    changes: list[Change] = []
    for unit_id in sorted(older.units.keys() | newer.units.keys()):
        changes += _changes(older, newer, unit_id)
    totals = tuple(_total(measure, older, newer, changes) for measure in MEASURES)
    open_before = {name for name, row in older.findings.items() if row.status in _OPEN}
    open_now = {name for name, row in newer.findings.items() if row.status in _OPEN}
    cause = _Causes(older, newer)
    return Difference(
        older.edition_id,
        newer.edition_id,
        newer.month,
        totals,
        tuple(changes),
        len(open_before),
        len(open_now),
        opened=cause.told(open_now - open_before),
        cleared=cause.told(name for name in open_before - open_now if name in newer.findings),
        gone=cause.told(name for name in open_before if name not in newer.findings),
        changed=cause.told(
            name
            for name in open_before & open_now
            if older.findings[name].status != newer.findings[name].status
        ),
    )


# How much of a code names the units above the township.
_DIGITS = {"county": 6, "city": 4, "province": 2}
_OPEN = frozenset({"short", "not_reported", "unconfirmed"})


class _Causes:
    """Why findings differ between two editions."""

    def __init__(self, older: Snapshot, newer: Snapshot) -> None:
        self._older, self._newer = older, newer
        before, after = older.reports, newer.reports
        # By what a rule counts and by unit, code and the codes above it: the months in which reports differ, and how.
        self._differing: dict[tuple[str, str], set[tuple[date, str]]] = {}
        for key in before.rows.keys() | after.rows.keys():
            was, now = before.rows.get(key), after.rows.get(key)
            if (was and was[1]) != (now and now[1]):
                kind = NEW_DATA if was is None else CORRECTION
                what, unit, month = key
                code = (now or was or ("", 0))[0]
                for whose in {unit, code, *(code[:digits] for digits in _DIGITS.values())}:
                    self._differing.setdefault((what, whose), set()).add((month, kind))

    def told(self, names: Iterable[str]) -> tuple[FindingChange, ...]:
        """Each finding with its statuses and its cause."""
        return tuple(self._told(name) for name in sorted(names))

    def _told(self, name: str) -> FindingChange:
        before, after = self._older.findings.get(name), self._newer.findings.get(name)
        row = after or before
        assert row is not None
        return FindingChange(
            name,
            row.message,
            before.status if before else None,
            after.status if after else None,
            self._cause(row, before, after),
        )

    def _cause(self, row: FindingRow, before: FindingRow | None, after: FindingRow | None) -> str:
        old, new = self._older.reports, self._newer.reports
        covered = [_covers(reports.scopes.get(row.rule_id), row.subject_code) for reports in (old, new)]
        if old.rules.get(row.rule_id) != new.rules.get(row.rule_id) or covered[0] != covered[1]:
            return STANDARD
        if row.subject_code in old.units ^ new.units:
            return UNIT
        # A county, city or province answers for the units within it.
        whose = {row.subject_unit, row.subject_code[: _DIGITS.get(row.subject_level)]}
        told = [
            (month, kind)
            for what in old.counted.get(row.rule_id, frozenset()) | new.counted.get(row.rule_id, frozenset())
            for who in whose
            for month, kind in self._differing.get((what, who), ())
            if month <= row.decided
        ]
        if told:
            return max(told)[1]
        later = old.last_month is not None and row.decided > old.last_month
        if later or (before and after and "unconfirmed" in (before.status, after.status)):
            return TIME
        return OTHER


def _covers(scope: str | None, code: str) -> bool:
    if scope is None:
        return False
    while len(scope) <= 6 and scope.endswith("00"):
        scope = scope[:-2]
    return code.startswith(scope)


def _total(measure: str, older: Snapshot, newer: Snapshot, changes: Iterable[Change]) -> Total:
    of_measure = [change for change in changes if change.measure == measure]
    return Total(
        measure,
        _sum(measure, older),
        _sum(measure, newer),
        {cause: sum((change.parts[cause] for change in of_measure), _ZERO) for cause in CAUSES},
    )


def _sum(measure: str, snapshot: Snapshot) -> Decimal | None:
    known = [row.figures[measure] for row in snapshot.units.values() if row.figures.get(measure) is not None]
    return sum((amount for amount in known if amount is not None), _ZERO) if known else None


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
    """The figures after each step from the older edition to the newer.

    A guarantee is not worked out again here: it changes as a whole, at the step that has its cause.
    """
    cause = _cause_of_guarantee(before, after, older, newer)
    merged = dict(before.budget) | {
        when: _filled(before.budget.get(when), cell) for when, cell in after.budget.items()
    }
    steps = [NEW_DATA, CORRECTION, STANDARD, UNIT]
    reports = {NEW_DATA: merged}
    found: list[tuple[str, Mapping[str, Decimal | None]]] = []
    for at, step in enumerate(steps):
        side = after if cause in steps[: at + 1] else before
        budget = _budget(before, before.budget, reports.get(step, after.budget))
        found.append((step, _figures(side, budget, before, after)))
    return [*found, (OTHER, after.figures)]


def _cause_of_guarantee(before: UnitRow, after: UnitRow, older: Snapshot, newer: Snapshot) -> str:
    """Why a unit's guarantee is another: units came together, the law changed, or the people reported did."""
    if before.has_taken_over != after.has_taken_over:
        return UNIT
    law = older.rules.get(before.standard_id or ""), newer.rules.get(after.standard_id or "")
    if before.standard_id is not None and (before.standard_id != after.standard_id or law[0] != law[1]):
        return STANDARD
    if before.population != after.population:
        return CORRECTION if before.population_key == after.population_key else NEW_DATA
    return STANDARD if before.standard_id != after.standard_id else OTHER


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
    allocated, disbursed = _of_reports(cells)
    told_allocated, told_disbursed = _of_reports(known)
    return (
        _moved(row.figures.get("allocated_annual_cny"), told_allocated, allocated),
        _moved(row.figures.get("disbursed_ytd_cny"), told_disbursed, disbursed),
    )


def _of_reports(cells: Mapping[date, BudgetCell]) -> tuple[Decimal | None, Decimal | None]:
    """The year's budget and payments that a unit's own reports come to."""
    months = sorted(cells)

    def latest(column: int) -> tuple[date | None, Decimal | None]:
        return next(((w, v) for w in reversed(months) if (v := cells[w][column]) is not None), (None, None))

    (_, adjusted), (since, cumulative) = latest(1), latest(3)
    paid = [v for when in months if (since is None or when > since) and (v := cells[when][2]) is not None]
    disbursed = sum(paid, cumulative or _ZERO) if paid or cumulative is not None else None
    return (adjusted if adjusted is not None else latest(0)[1]), disbursed


def _moved(published: Decimal | None, told: Decimal | None, now: Decimal | None) -> Decimal | None:
    """What was published, moved by as much as the reports moved: what units taken over brought stays."""
    if published is None or told is None or now is None:
        return now
    return published - told + now


def _figures(
    side: UnitRow, budget: tuple[Decimal | None, Decimal | None], before: UnitRow, after: UnitRow
) -> dict[str, Decimal | None]:
    allocated, disbursed = budget
    guaranteed = side.figures.get("guaranteed_annual_cny")

    def gap(
        name: str, asked: Decimal | None, had: Decimal | None, asked_of: Any, had_of: str
    ) -> Decimal | None:
        # What was published knows how exactly an amount was written; in between only the amounts are known.
        for row in (before, after):
            if (asked, had) == (asked_of(row), row.figures.get(had_of)):
                return row.figures.get(name)
        return _missing(asked, had)

    return {
        "guaranteed_annual_cny": guaranteed,
        "allocated_annual_cny": allocated,
        "allocation_shortfall_cny": gap(
            "allocation_shortfall_cny",
            guaranteed,
            allocated,
            lambda row: row.figures.get("guaranteed_annual_cny"),
            "allocated_annual_cny",
        ),
        "disbursed_ytd_cny": disbursed,
        "disbursement_shortfall_ytd_cny": gap(
            "disbursement_shortfall_ytd_cny",
            side.to_date,
            disbursed,
            lambda row: row.to_date,
            "disbursed_ytd_cny",
        ),
    }


def _missing(need: Decimal | None, have: Decimal | None) -> Decimal | None:
    return None if need is None or have is None else max(need - have, _ZERO)


# --- reading an edition


def read(connection: duckdb.DuckDBPyConnection, month: date, reported: Sequence[date]) -> Snapshot:
    """What an edition says of a month, and the reports of the months `reported`."""
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
    # Editions of older programs did not tell.
    told = {name for (name,) in rows("select column_name from (describe funding_gap_monthly)")}
    taken_over = "f.includes_predecessors" if "includes_predecessors" in told else "false"
    for (
        unit_id,
        code,
        name,
        standard,
        people,
        from_code,
        from_month,
        to_date,
        has_taken_over,
        *figures,
    ) in rows(
        "select t.unit_id, f.township_code, f.township_name, f.standard_id, f.population_persons, "
        f"f.population_township_code, f.population_month, f.guaranteed_ytd_cny, {taken_over}, {columns} "
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
            to_date,
            has_taken_over,
        )
    tiers: dict[str, list[tuple[Any, ...]]] = {}
    for standard, *tier in rows(
        "select standard_id, lower_bound, lower_included, upper_bound, upper_included, value, unit "
        "from standard_tiers order by standard_id, tier_no"
    ):
        tiers.setdefault(standard, []).append(tuple(tier))
    rules = {
        standard: FundingRule(formula, edge, tuple(tiers.get(standard, ())), tuple(dates))
        for standard, formula, edge, *dates in rows(
            "select standard_id, formula, edge_rule, effective_from, effective_to, issued_on from standards "
            "where formula in ('per_capita_by_tier', 'per_capita_marginal', 'flat_by_tier')"
        )
    }
    findings = {
        finding_id: FindingRow(*row)
        for finding_id, *row in rows(
            "select finding_id, rule_id, subject_level, subject_code, split_part(finding_id, '/', 2), status, "
            "message_zh, coalesce(cleared_month, last_month) from findings"
        )
    }
    return Snapshot(
        str(rows("select edition_id from edition")[0][0]),
        month,
        units,
        rules,
        findings,
        _reports(rows, reported),
    )


# Datasets with a row for a township and month. Moving a row to another file changes no finding.
_BY_TOWNSHIP = tuple(
    name for name, contract in DATASETS.items() if {"month", "township_code"} <= set(contract.names)
)
# What of a rule decides a judgement; other words about it may change without any finding changing.
_JUDGED_BY = {
    "standards": "matter, subject_level, formula, comparator, period, population_basis, edge_rule, strength, "
    "gradeable, effective_from, effective_to, deadline, last_confirmed_on, confirm_within_months, report_valid_months, "
    "decimals",
    "standard_tiers": "tier_no, lower_bound, lower_included, upper_bound, upper_included, value, value_max, unit",
    "detail.standard_measures": "role, part_no, measure_code, required, threshold, combine, years_back, unit_level, pattern",
}
_BUDGET = frozenset({"allocated_annual_cny", "disbursed_ytd_cny", "spent_ytd_cny"})


_INDICATORS = "subject_name, indicator_value, indicator_text"


def _said(ask: Callable[[str], list[tuple[Any, ...]]], dataset: str) -> str:
    """What a report of a township says: its figures by name. A column that one edition lacks changes nothing."""
    there = {str(row[0]) for row in ask(f"describe reported.{dataset}")}
    figures = [column.name for column in DATASETS[dataset].measures if column.name in there]
    return "concat_ws('|', " + ", ".join(f"'{name}=' || {name}" for name in figures) + ")"


def _digests(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, date], int]:
    """For each dataset and month one number for everything that was reported in it."""
    cursor = connection.cursor()
    found = {}
    said = {
        name: f"township_code, {_said(lambda query: cursor.execute(query).fetchall(), name)}"
        for name in _BY_TOWNSHIP
    }
    for dataset, columns in (said | {"indicators": f"subject_code, indicator_code, {_INDICATORS}"}).items():
        for month, digest in cursor.execute(
            f"select month, bit_xor(hash({columns})) from reported.{dataset} where is_current group by month"
        ).fetchall():
            found[dataset, month] = int(digest)
    return found


def _reports(rows: Callable[..., list[tuple[Any, ...]]], months: Sequence[date]) -> Reports:
    said: dict[tuple[str, str, date], tuple[str, int]] = {}
    chosen = "r.is_current and list_contains(cast(? as date[]), r.month)"
    for dataset in _BY_TOWNSHIP:
        for unit, code, month, digest in rows(
            f"select t.unit_id, r.township_code, r.month, hash({_said(rows, dataset)}) from reported.{dataset} r "
            f"join townships t using (township_code) where {chosen}",
            list(months),
        ):
            said[dataset, unit, month] = (code, digest)
    for indicator, unit, code, month, digest in rows(
        "select r.indicator_code, coalesce(t.unit_id, r.subject_code), r.subject_code, r.month, "
        # Two homes for the aged of one township share its code and differ by name.
        f"bit_xor(hash({_INDICATORS})) from reported.indicators r "
        f"left join townships t on t.township_code = r.subject_code where {chosen} group by all",
        list(months),
    ):
        said[indicator, unit, month] = (code, digest)
    rules: dict[str, list[Any]] = {}
    for table, columns in _JUDGED_BY.items():
        for standard, digest in rows(f"select standard_id, hash({columns}) from {table} order by all"):
            rules.setdefault(standard, []).append(digest)
    measures: dict[str, set[str]] = {}
    for standard, measure in rows("select standard_id, measure_code from detail.standard_measures"):
        measures.setdefault(standard, set()).add(measure)
    # Editions made before parts were matters name the rules themselves as measures.
    if rows("select 1 from duckdb_tables() where schema_name = 'detail' and table_name = 'standard_parts'"):
        for standard, part in rows("select standard_id, rule_id from detail.standard_parts"):
            measures.setdefault(standard, set()).add(part)
    tiered = {
        standard
        for (standard,) in rows("select standard_id from standards where population_basis is not null")
    }
    last = rows("select max(month) from judgements")[0][0]
    return Reports(
        said,
        {standard: tuple(digests) for standard, digests in rules.items()},
        dict(rows("select standard_id, scope_code from standards")),
        {standard: _counted(standard, measures, tiered) for standard in measures},
        frozenset(code for (code,) in rows("select township_code from townships")),
        last,
    )


def _counted(
    standard: str, measures: Mapping[str, set[str]], tiered: set[str], depth: int = 0
) -> frozenset[str]:
    """The datasets and indicators that a rule counts, those of its parts included."""
    found = {"population"} if standard in tiered else set()
    for measure in measures.get(standard, ()):
        dataset = next((name for name in _BY_TOWNSHIP if measure in DATASETS[name].columns), None)
        if measure in _BUDGET or dataset == "budget":
            # Whether a budget is enough depends on the people it is for.
            found |= {"budget", "population"}
        elif dataset:
            found.add(dataset)
        elif measure in measures and measure != standard and depth < 3:
            found |= _counted(measure, measures, tiered, depth + 1)
        else:
            found.add(measure)
    return frozenset(found)
