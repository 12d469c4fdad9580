"""Every figure of a report, by SQL from one edition. No wording here, no rounding and no sums of amounts.

`gather` reads one edition for one month and one division. Sums and rates are those of the roll-ups
(`detail.unit_monthly`): each runs over the townships of which its parts are known, so that a township that did not
report weighs neither as nought nor as met; how many were left out is always beside the sum.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from oversight import presentation
from oversight.metrics import added
from oversight.reports.errors import ReportError

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
Level = Literal["province", "city", "county"]

_VALUE = re.compile(r"\$(\w+)")
JUDGED = ("met", "short")
TREND_MONTHS = 13
_LEVEL_ZH = {"province": "全省（自治区、直辖市）", "city": "全市", "county": "全县（市、区）"}


@dataclass(frozen=True)
class Scope:
    """The division a report is about."""

    code: str
    level: Level
    name: str

    @property
    def whole(self) -> str:
        """全市, 全区, 全县 …, by the name's own ending."""
        if self.level == "county":
            for ending, word in (("区", "全区"), ("旗", "全旗"), ("市", "全市"), ("县", "全县")):
                if self.name.endswith(ending):
                    return word
        if self.level == "province":
            return "全区" if self.name.endswith("自治区") else "全市" if self.name.endswith("市") else "全省"
        return "全州" if self.name.endswith("州") else "全盟" if self.name.endswith("盟") else "全市"


@dataclass(frozen=True)
class Totals:
    """One month of a unit as its roll-up has it: `guaranteed` … `surplus` over judged townships, `paid_…` over those
    whose payments are known to the month, `spent…` over those whose spending is too. What nothing is known of is None.
    """

    month: date
    units: int
    ended: int
    judged: int
    met: int
    short: int
    not_reported: int
    no_standard: int
    guaranteed: Decimal | None
    guaranteed_ytd: Decimal | None
    allocated: Decimal | None
    gap: Decimal | None
    surplus: Decimal | None
    adequacy: Decimal | None
    met_pct: Decimal | None
    paid_units: int
    paid_guaranteed: Decimal | None
    paid: Decimal | None
    paid_pct: Decimal | None
    progress: Decimal | None
    calendar: Decimal | None
    paid_gap: Decimal | None
    paid_short: int
    partly_paid_units: int
    partly_paid: Decimal | None
    spent_units: int
    spent: Decimal | None
    spent_paid: Decimal | None
    spent_pct: Decimal | None
    missing_people: int | None = None
    people_beyond: int | None = None


# What an edition of an older program may lack and a report cannot be written without.
_LATEST = (
    ("detail", "unit_staffing_monthly"),
    ("detail", "unit_steps_monthly"),
    ("detail", "payment_pace", "behind_months_count"),
    ("main", "staffing_gap_monthly", "is_tier_uncertain"),
)

# Where each of them stands in `detail.unit_monthly`.
_OF_ROLL_UP = {
    "units": "units_count",
    "ended": "ended_count",
    "judged": "judged_count",
    "met": "met_count",
    "short": "short_count",
    "not_reported": "not_reported_count",
    "no_standard": "no_standard_count",
    "guaranteed": "guaranteed_of_judged_cny",
    "guaranteed_ytd": "guaranteed_ytd_of_judged_cny",
    "allocated": "allocated_of_judged_cny",
    "gap": "allocation_shortfall_of_judged_cny",
    "surplus": "allocation_surplus_of_judged_cny",
    "adequacy": "adequacy_of_judged_pct",
    "met_pct": "met_of_judged_pct",
    "paid_units": "complete_count",
    "paid_guaranteed": "guaranteed_ytd_of_complete_cny",
    "paid": "disbursed_of_complete_cny",
    "paid_pct": "disbursed_of_complete_pct",
    "progress": "progress_of_complete_pct",
    "calendar": "calendar_of_complete_pct",
    "paid_gap": "disbursement_shortfall_of_compared_cny",
    "paid_short": "underpaid_count",
    "partly_paid_units": "partly_paid_count",
    "partly_paid": "disbursed_of_partly_cny",
    "spent_units": "spending_count",
    "spent": "spent_of_spending_cny",
    "spent_paid": "disbursed_of_spending_cny",
    "spent_pct": "spent_of_spending_pct",
    "missing_people": "staff_shortfall_of_judged_persons",
    "people_beyond": "staff_excess_of_judged_persons",
}


@dataclass(frozen=True)
class Step:
    """Part of a change: how many townships, and what they added to guarantee, allocation and gap."""

    key: str
    units: int
    guaranteed: Decimal
    allocated: Decimal
    gap: Decimal


@dataclass(frozen=True)
class Change:
    """The month against an earlier one, and what the change consists of.

    `by_unit`: townships judged in both months, newly judged, no longer judged: these add up to the change of
    each sum. `by_gap`: gaps opened, grown, shrunk, closed, come and gone with their townships: these add up to
    the change of the gap.
    """

    then: Totals
    guaranteed: Decimal | None
    allocated: Decimal | None
    gap: Decimal | None
    adequacy: Decimal | None
    met: int
    same_year: bool
    by_unit: tuple[Step, ...]
    by_gap: tuple[Step, ...]


@dataclass(frozen=True)
class Facts:
    """All a report is made from."""

    scope: Scope
    month: date
    edition: Row
    totals: Totals
    against_month: Change | None
    against_year: Change | None
    rank_by: str
    ranking: list[Row]
    units: list[Row]
    trend: list[Totals]
    staffing: list[Row]
    staffing_rows: list[Row]
    capacity: list[Row]
    capacity_rows: list[Row]
    findings: list[Row]
    reporting: list[Row]
    # What two sources tell differently in the year up to the month, and every fund as it stands in the month.
    differences: list[Row]
    funds: list[Row]
    doubts: list[Row]
    files: Row
    documents: list[Row]
    standards: list[Row]
    sources: dict[str, dict[str, str]]
    audit: list[Row] | None
    five: list[Row] = field(default_factory=list)
    # What closed money findings moved in the year up to the month (`metrics.MOVED`); None where none was closed.
    moved: Row | None = None
    # By township: the pace of payment, how many months of the year it has been short, and for how many nothing was paid.
    pace: dict[str, Row] = field(default_factory=dict)


def clean(value: Any) -> Any:
    """Names and messages on one line, without characters that no document format can hold."""
    return _on_one_line(value) if isinstance(value, str) else value


# The same names and words come in thousands of rows.
@lru_cache(maxsize=1 << 16)
def _on_one_line(text: str) -> str:
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text if not 0xD800 <= ord(c) <= 0xDFFF)
    return " ".join(text.split())


@cache
def statement(name: str) -> str:
    """A statement of `sql/`; values stand in it as `$name`."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text("utf-8")


def _prepared(name: str, known: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A statement, and of all that is known the values that it asks for."""
    text = statement(name)
    return text, {value: known[value] for value in sorted(set(_VALUE.findall(text)))}


def rows(connection: duckdb.DuckDBPyConnection, name: str, **known: Any) -> list[Row]:
    """The rows of a statement of `sql/`, by column name."""
    text, values = _prepared(name, known)
    cursor = connection.execute(text, values)
    names = [item[0] for item in cursor.description or ()]
    return [dict(zip(names, map(clean, row), strict=True)) for row in cursor.fetchall()]


def earlier(month: date, months: int) -> date:
    """The first of the month so many months before."""
    years, index = divmod(month.year * 12 + month.month - 1 - months, 12)
    return date(years, index + 1, 1)


def month_end(month: date) -> date:
    """The last day of the month."""
    return date.fromordinal(earlier(month, -1).toordinal() - 1)


def find_scope(connection: duckdb.DuckDBPyConnection, code: str) -> Scope:
    """The division of that code; raises, naming those there are, when the edition has no such division."""
    found = rows(connection, "divisions")
    for row in found:
        if row["code"] == code:
            return Scope(code, row["level"], presentation.division_name(row["name"], code))
    counties = [row for row in found if row["level"] == "county"][:12]
    names = "、".join(f"{row['code']} {row['name']}" for row in counties)
    raise ReportError(f"本版数据里没有区划代码 {code}（要用省、市、县的6位代码）。数据里有：{names} 等。")


def default_scopes(connection: duckdb.DuckDBPyConnection) -> list[Scope]:
    """The smallest division that holds every township; every county where there is none."""
    found = rows(connection, "divisions")
    of_levels = [
        [row["code"] for row in found if row["level"] == level] for level in ("county", "city", "province")
    ]
    codes = next((codes for codes in of_levels if len(codes) == 1), of_levels[0])
    return [find_scope(connection, code) for code in codes]


def gather(
    connection: duckdb.DuckDBPyConnection, month: date, scope_code: str, rank_by: str = "auto"
) -> Facts:
    """Every figure of the report on `scope_code` for `month`.

    `rank_by` is township, county, city or auto: the townships of a county, the counties of anything larger.
    """
    scope = find_scope(connection, scope_code)
    if not all(_has(connection, *where) for where in _LATEST):
        raise ReportError(
            "这一版数据由旧版程序生成，没有通报要用的表或列。请先运行 oversight run 发布新版本，再生成通报。"
        )
    if rank_by == "auto":
        rank_by = "township" if scope.level == "county" else "county"
    _scope_tables(connection, scope, month)
    told = {"level": scope.level, "code": scope.code, "month": month}
    trend = [_totals(row) for row in rows(connection, "trend", **told)]
    by_month = {totals.month: totals for totals in trend}
    totals = by_month.get(month)
    if totals is None:
        raise ReportError(
            f"{scope.name}在{presentation.month(month)}没有在册的乡镇，无法生成通报。请检查月份和区划数据。"
        )
    return Facts(
        scope=scope,
        month=month,
        edition=rows(connection, "edition")[0],
        totals=totals,
        against_month=_change(connection, scope, totals, by_month.get(earlier(month, 1)), 1),
        against_year=_change(connection, scope, totals, by_month.get(earlier(month, 12)), 12),
        rank_by=rank_by,
        ranking=_ranking(connection, month, rank_by),
        units=rows(connection, "units", month=month),
        trend=[item for item in trend if item.month > earlier(month, TREND_MONTHS)],
        staffing=rows(connection, "staffing", **told),
        staffing_rows=rows(connection, "staffing_rows"),
        capacity=rows(connection, "capacity"),
        capacity_rows=rows(connection, "capacity_rows"),
        findings=rows(connection, "findings", month=month),
        reporting=rows(connection, "reporting", month=month),
        differences=[_with_unit(row) for row in rows(connection, "differences", month=month)],
        funds=rows(connection, "funds", month=month),
        doubts=_doubts(connection, month),
        files=rows(connection, "files", month=month)[0],
        documents=rows(connection, "documents"),
        standards=rows(connection, "standards"),
        sources=_sources(connection, month),
        audit=_audit(connection),
        moved=_moved(connection, told),
        five=rows(connection, "five", **told) if _has(connection, "detail", "unit_scorecard_monthly") else [],
        pace={row["township_code"]: row for row in rows(connection, "pace", month=month)},
    )


# Temporary tables with the scope's rows only, in the order in which they rest on each other.
_OF_SCOPE = (
    "townships",
    "funding",
    "staffing",
    "subjects",
    "judged",
    "latest",
    "files",
    "other_rules",
    "used_rules",
)


def _scope_tables(connection: duckdb.DuckDBPyConnection, scope: Scope, month: date) -> None:
    """Temporary tables that hold the scope's rows only; they live in memory, the edition stays untouched."""
    known = {"level": scope.level, "code": scope.code, "month": month}
    for name in _OF_SCOPE:
        text, values = _prepared(f"scope_{name}", known)
        connection.execute(f"create or replace temp table r_{name} as {text}", values)


def _with_unit(row: Row) -> Row:
    """A difference with its figure's title and unit apart, amounts to the 分."""
    told = presentation.column_text(row["figure"], row["figure_zh"])
    unit = "是/否" if row["figure"].startswith("is_") else told.unit

    def plain(value: Decimal) -> Decimal:
        return presentation.rounded(value, 2) if unit == "元" else presentation.trimmed(value)

    values = {name: plain(row[name]) for name in ("value_a", "value_b", "difference")}
    return {**row, **values, "title": told.title, "unit": unit, "is_yes_no": unit == "是/否"}


def _totals(row: Row) -> Totals:
    return Totals(month=row["month"], **{name: row[column] for name, column in _OF_ROLL_UP.items()})


def own_totals(row: Row) -> Totals:
    """A township is ranked by its own row: the same figures over one unit."""
    status = row["status"]
    is_judged = status in JUDGED
    judged = row if is_judged else dict.fromkeys(row)
    paid_to_date = row["disbursed_as_of_month"] == row["month"] and not row["disbursed_is_partial"]
    is_paid = row["guaranteed_ytd_cny"] is not None and paid_to_date
    paid = row if is_paid else dict.fromkeys(row)
    is_partly_paid = row["standard_id"] is not None and row["disbursed_ytd_cny"] is not None and not is_paid
    is_spent = (
        row["standard_id"] is not None
        and paid_to_date
        and row["spent_as_of_month"] == row["month"]
        and not row["spent_is_partial"]
    )
    spent = row if is_spent else dict.fromkeys(row)
    rate = presentation.ratio_pct
    return Totals(
        month=row["month"],
        units=1,
        ended=0,
        judged=int(is_judged),
        met=int(status == "met"),
        short=int(status == "short"),
        not_reported=int(status == "not_reported"),
        no_standard=int(status == "no_standard"),
        guaranteed=judged["guaranteed_annual_cny"],
        guaranteed_ytd=judged["guaranteed_ytd_cny"],
        allocated=judged["allocated_annual_cny"],
        gap=row["allocation_shortfall_cny"],
        surplus=row["allocation_surplus_cny"],
        adequacy=judged["adequacy_pct"],
        met_pct=rate(int(status == "met"), int(is_judged)),
        paid_units=int(is_paid),
        paid_guaranteed=paid["guaranteed_ytd_cny"],
        paid=paid["disbursed_ytd_cny"],
        paid_pct=rate(paid["disbursed_ytd_cny"], paid["guaranteed_ytd_cny"]),
        progress=rate(paid["disbursed_ytd_cny"], paid["guaranteed_annual_cny"]),
        calendar=rate(paid["guaranteed_ytd_cny"], paid["guaranteed_annual_cny"]),
        paid_gap=row["disbursement_shortfall_ytd_cny"],
        paid_short=int(bool(row["disbursement_shortfall_ytd_cny"])),
        partly_paid_units=int(is_partly_paid),
        partly_paid=row["disbursed_ytd_cny"] if is_partly_paid else None,
        spent_units=int(is_spent),
        spent=spent["spent_ytd_cny"],
        spent_paid=spent["disbursed_ytd_cny"],
        spent_pct=rate(spent["spent_ytd_cny"], spent["disbursed_ytd_cny"]),
    )


def _change(
    connection: duckdb.DuckDBPyConnection, scope: Scope, now: Totals, then: Totals | None, months_back: int
) -> Change | None:
    if then is None:
        return None
    steps = rows(
        connection, "steps", level=scope.level, code=scope.code, month=now.month, months_back=months_back
    )
    whole = tuple(_difference(getattr(now, name), getattr(then, name)) for name in _STEP_OF)
    units = max(now.ended, then.ended)
    by_unit, by_gap = (
        (*parts, *_of_ended(parts, units, whole, names))
        for family, names in (("unit", _STEP_OF), ("gap", ("gap",)))
        for parts in [
            [
                Step(row["step"], *(row[name] for name in ("units", *_STEP_OF)))
                for row in steps
                if row["family"] == family
            ]
        ]
    )
    return Change(
        then=then,
        guaranteed=whole[0],
        allocated=whole[1],
        gap=whole[2],
        adequacy=_difference(now.adequacy, then.adequacy),
        met=now.met - then.met,
        same_year=now.month.year == then.month.year,
        by_unit=by_unit,
        by_gap=by_gap,
    )


_STEP_OF = ("guaranteed", "allocated", "gap")


def _of_ended(
    steps: Sequence[Step], units: int, whole: Sequence[Decimal | None], names: Sequence[str]
) -> list[Step]:
    """What is left of a change: the sums of a year count units that ended in it, which have no row of their own."""
    if not units or None in whole:
        return []
    left = [
        (value or Decimal(0)) - (added(getattr(step, name) for step in steps) or 0)
        for name, value in zip(_STEP_OF, whole, strict=True)
    ]
    told = any(value for name, value in zip(_STEP_OF, left, strict=True) if name in names)
    return [Step("ended", units, *left)] if told else []


def _difference(now: Decimal | None, then: Decimal | None) -> Decimal | None:
    return None if now is None or then is None else now - then


def _ranking(connection: duckdb.DuckDBPyConnection, month: date, rank_by: str) -> list[Row]:
    """Units by adequacy, best first; ties share a place; without a known rate there is no place."""
    of_month_before = earlier(month, 1)
    name = "ranked_townships" if rank_by == "township" else "ranked_units"
    found = rows(connection, name, level=rank_by, month=month, before=of_month_before)
    placed: dict[date, dict[str, int]] = {}
    listed: list[Row] = []
    for each in (of_month_before, month):
        of_month = []
        for row in (row for row in found if row["month"] == each):
            totals = own_totals(row) if rank_by == "township" else _totals(row)
            identity = {key: row[key] for key in ("code", "name", "parent")}
            of_month.append({**identity, "totals": totals, "adequacy": totals.adequacy})
        rates = [item["adequacy"] for item in of_month if item["adequacy"] is not None]
        placed[each] = {
            item["code"]: 1 + sum(rate > item["adequacy"] for rate in rates)
            for item in of_month
            if item["adequacy"] is not None
        }
        listed = of_month
    now, before = placed[month], placed[of_month_before]
    for item in listed:
        item["rank"], item["rank_before"] = now.get(item["code"]), before.get(item["code"])
        item["name"] = presentation.division_name(item["name"], item["code"])
        item["parent"] = item["parent"] or ""
    return sorted(listed, key=lambda item: (item["rank"] or len(listed) + 1, item["code"]))


def _has(connection: duckdb.DuckDBPyConnection, schema: str, table: str, column: str = "%") -> bool:
    return bool(
        connection.execute(
            "select 1 from information_schema.columns"
            " where table_schema = ? and table_name = ? and column_name like ? limit 1",
            [schema, table, column],
        ).fetchone()
    )


def _doubts(connection: duckdb.DuckDBPyConnection, month: date) -> list[Row]:
    """Rows held or refused, and figures used though something is odd about them."""
    found = rows(connection, "refused", month=month)
    if _has(connection, "quality", "suite_flags"):
        found += rows(connection, "doubted", month=month)
    return found


def _sources(connection: duckdb.DuckDBPyConnection, month: date) -> dict[str, dict[str, str]]:
    """For each township the files its figures of the month come from: name by content hash."""
    found: dict[str, dict[str, str]] = {}
    for row in rows(connection, "sources", month=month):
        found.setdefault(row["township_code"], {})[row["sha256"]] = row["file_name"]
    return found


def _moved(connection: duckdb.DuckDBPyConnection, told: Mapping[str, Any]) -> Row | None:
    if not _has(connection, "detail", "unit_moved_monthly"):
        return None
    found = rows(connection, "moved", **told)
    return found[0] if found else None


def _audit(connection: duckdb.DuckDBPyConnection) -> list[Row] | None:
    """Checks of the pipeline itself that failed; None when the edition carries no audit at all."""
    if not _has(connection, "quality", "suite_results"):
        return None
    return rows(connection, "audit")


def readiness_counts(facts: Facts) -> tuple[int, int]:
    """Townships that reported everything for the month, and townships that should have."""
    complete = sum(
        all(row[name] != "missing" for name in ("population", "budget", "staffing"))
        for row in facts.reporting
    )
    return complete, len(facts.reporting)


def built_at(facts: Facts) -> datetime:
    """When the edition was made, the bureau's wall clock."""
    made: datetime = facts.edition["built_at"]
    return made
