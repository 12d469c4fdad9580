"""The one query layer: every call takes the scope of the one who asks, and nothing else reads an edition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from oversight.dashboard.access import Scope, significant
from oversight.dashboard.warehouse import Row, Warehouse
from oversight.explain import ExplainError, Explanation, Read, explain
from oversight.metrics import columns_of


@dataclass(frozen=True)
class Ask:
    """What the reader of a long table wants to see of it: a condition and an order over the columns of `q`."""

    where: str = "true"
    values: tuple[Any, ...] = ()
    order: str = ""

    @property
    def is_all(self) -> bool:
        """Whether everything is asked for, in its own order."""
        return self.where == "true" and not self.order


ALL = Ask()


def _asked(
    w: Warehouse, sql: str, values: Sequence[Any], order: str, limit: int | None, ask: Ask
) -> list[Row]:
    """Rows of a query as a reader asks for them; the query's own order decides between equals."""
    first = f"{ask.order}, " if ask.order else ""
    return w.rows(
        f"select * from ({sql}) as q where {ask.where} order by {first}{order}" + _limit(limit),
        [*values, *ask.values],
    )


def _count(w: Warehouse, sql: str, values: Sequence[Any], ask: Ask) -> int:
    found = w.row(f"select count(*) as n from ({sql}) as q where {ask.where}", [*values, *ask.values])
    return int(found["n"])


def _chosen(
    w: Warehouse, key: str, source: str, condition: str, values: Sequence[Any], order: str, limit: int | None
) -> tuple[list[Any], int]:
    """The keys of the rows of one table that a condition chooses, in order, and how many there are without the limit.

    Planning a join of wide tables takes ten times as long as finding a few keys in one of them: the rows shown are
    asked for by their keys afterwards.
    """
    rows = w.rows(
        f"select {key} as key, count(*) over () as n from {source} as f where {condition} order by {order}"
        + _limit(limit),
        values,
    )
    return [row["key"] for row in rows], int(rows[0]["n"]) if rows else 0


def _among(column: str, codes: Sequence[str]) -> tuple[str, list[Any]]:
    """The condition that a code is one of these, with the span they lie in: that alone skips row groups."""
    if not codes:
        return "false", []
    marks = ", ".join("?" * len(codes))
    return f"{column} between ? and ? and {column} in ({marks})", [min(codes), max(codes), *codes]


# Digits of the level below.
BELOW = {0: 2, 2: 4, 4: 6, 6: 9}


def within(column: str, scope: Scope, prefix: str = "") -> tuple[str, list[Any]]:
    """The condition that a code lies in the scope and under a prefix, as ranges that skip row groups."""
    conditions, values = [], []
    if prefix:
        conditions.append(f"({column} >= ? and {column} < ?)")
        values += [prefix, prefix + "~"]
    if "" not in scope.prefixes:
        spans = " or ".join(f"({column} >= ? and {column} < ?)" for _ in scope.prefixes) or "false"
        conditions.append(f"({spans})")
        values += [bound for item in scope.prefixes for bound in (item, item + "~")]
    return " and ".join(conditions) or "true", values


# The levels that have roll-ups, by the digits of their codes that say something.
LEVELS = {0: "country", 2: "province", 4: "city", 6: "county"}


@cache
def statement(name: str) -> str:
    """A statement of `sql/`, as a source to choose rows from: conditions and order are the reader's."""
    text = (Path(__file__).parent / "sql" / f"{name}.sql").read_text("utf-8")
    if name == "townships":
        text = text.replace("join township_reports as", f"join {statement('township_reports')} as")
    return f"({text})"


# The townships' own figures beside what dbt made of their people and their reports.
_TOWNSHIPS = f"select f.* from {statement('townships')} as f"


def _in_months(months: Sequence[date] | None, column: str = "month") -> tuple[str, list[Any]]:
    return ("true", []) if months is None else (f"{column} in ({', '.join('?' * len(months))})", list(months))


def units(
    w: Warehouse,
    scope: Scope,
    prefix: str = "",
    digits: int = 0,
    months: Sequence[date] | None = None,
    of: Iterable[str] | None = None,
) -> list[Row]:
    """Roll-ups of a unit (`digits` 0), or of the units of so many digits in it, by unit and month.

    Figures are those of `oversight.metrics`: all, or what those named in `of` are made of. A roll-up is of the whole
    unit: who sees a part of one gets none of it.
    """
    columns = "*" if of is None else ", ".join(["unit_code", "month", *columns_of(of)])
    return _roll_ups(w, scope, "unit_monthly", prefix, digits, months, columns)


def _roll_ups(
    w: Warehouse,
    scope: Scope,
    table: str,
    prefix: str,
    digits: int,
    months: Sequence[date] | None,
    columns: str = "*",
) -> list[Row]:
    level = LEVELS[digits or len(prefix)]
    condition, values = within("unit_code", scope, prefix)
    if not digits:
        whole = padded(prefix) or "000000"
        if not scope.covers(whole):
            return []
        condition, values = "unit_code = ?", [whole]
    if months is not None:
        if not months:
            return []
        condition += " and month between ? and ?"
        values = [*values, min(months), max(months)]
    # Some hundred wide rows are cheaper to choose from and to put in order here.
    rows = w.rows(
        f"select substr(unit_code, 1, {digits}) as code, {columns} from e.detail.{table} "
        f"where unit_level = '{level}' and {condition}",
        values,
    )
    return sorted(
        (row for row in rows if months is None or row["month"] in months),
        key=lambda row: (row["unit_code"], row["month"]),
    )


def townships(
    w: Warehouse, scope: Scope, prefix: str = "", months: Sequence[date] | None = None
) -> list[Row]:
    """Townships by month: their own money, people and reports."""
    condition, values = within("township_code", scope, prefix)
    in_months, of_months = _in_months(months)
    return _whole_townships(w, f"{condition} and {in_months}", [*values, *of_months], "township_code, month")


def tables_sent(
    w: Warehouse, scope: Scope, prefix: str, months: Sequence[date]
) -> list[tuple[str, date, int]]:
    """How many of its three tables each township sent for a month: code, month, number; of those that owe any."""
    condition, values = within("township_code", scope, prefix)
    in_months, of_months = _in_months(months)
    rows = w.rows(
        "select township_code, month, sent_count from e.detail.township_monthly "
        f"where {condition} and {in_months} and sent_count is not null order by township_code, month",
        [*values, *of_months],
    )
    return [(row["township_code"], row["month"], row["sent_count"]) for row in rows]


def _by_code(w: Warehouse, scope: Scope, prefix: str, month: date, codes: Sequence[str]) -> list[Row]:
    """Townships of a month by their codes, in that order; those of a county are asked for together, as its pages do,
    and those of a city, most of which are shown."""
    if len(prefix) in (4, 6):
        rows = townships(w, scope, prefix, [month])
    else:
        condition, values = _among("township_code", codes)
        rows = _whole_townships(w, f"month = ? and {condition}", [month, *values], "township_code")
    by_code = {row["township_code"]: row for row in rows}
    return [by_code[code] for code in codes]


def _whole_townships(w: Warehouse, condition: str, values: Sequence[Any], order: str) -> list[Row]:
    """The rows of `townships.sql` that a condition on code and month chooses, its three tables asked for one by one."""
    paces = ("progress_pct", "calendar_pct", "pace")

    def asked(columns: str, source: str) -> str:
        return f"select {columns} from {source} as f where {condition}"

    return w.rows_beside(
        asked("*, township_code as code, township_name as name", "e.funding_gap_monthly")
        + f" order by {order}",
        values,
        ("township_code", "month"),
        asked("*", statement("township_reports")),
        asked(f"township_code, month, {', '.join(paces)}", "e.detail.payment_pace"),
        paces,
    )


def township_rates(
    w: Warehouse, scope: Scope, prefix: str, months: Sequence[date] | None = None
) -> list[Row]:
    """What the rate of each township's money by month is made of: not one of forty other columns."""
    condition, values = within("township_code", scope, prefix)
    in_months, of_months = _in_months(months)
    return w.rows(
        "select township_code, township_name, month, status, status_reason, standard_id, adequacy_pct, "
        "allocated_annual_cny, guaranteed_annual_cny from e.funding_gap_monthly "
        f"where {condition} and {in_months} order by township_code, month",
        [*values, *of_months],
    )


def report_rows(
    w: Warehouse, scope: Scope, prefix: str, month: date, limit: int | None, ask: Ask = ALL
) -> tuple[list[Row], int]:
    """Townships that sent less than all three tables for a month, one too late, or one that says no main figure.

    `<dataset>_came` is a code of `REPORT_TOLD`. Returns the rows and how many there are.
    """
    condition, values = within("f.township_code", scope, prefix)
    condition = f"f.month = ? and {condition} and (f.sent_count < 3 or f.is_late or f.lacks_a_figure)"
    values = [month, *values]
    if ask.is_all:
        source = statement("township_reports")
        codes, total = _chosen(w, "township_code", source, condition, values, "township_code", limit)
        return _by_code(w, scope, prefix, month, codes), total
    sql = f"{_TOWNSHIPS} where {condition}"
    rows = _asked(w, sql, values, "township_code", limit, ask)
    return rows, len(rows) if limit is None or len(rows) < limit else _count(w, sql, values, ask)


def _limit(limit: int | None) -> str:
    return f" limit {int(limit)}" if limit is not None else ""


def unit_name(w: Warehouse, scope: Scope, code: str) -> str | None:
    """A division's name; None when it is unknown or out of reach."""
    if not code:
        return "全部地区"
    if not scope.touches(code):
        return None
    if len(code) == 6:
        return w.names.get(code)
    found = township(w, scope, code)
    return found["township_name"] if found else None


def children(w: Warehouse, scope: Scope, code: str) -> list[tuple[str, str]]:
    """Codes and names of the units right below, in code order."""
    prefix = significant(code)
    digits = BELOW.get(len(prefix))
    if digits is None:
        return []
    if digits == 9:
        return list(township_names(w, scope, prefix).items())
    return [(item, name) for item, name in w.below.get(prefix, []) if scope.touches(item)]


# Units that a list offers to choose from; there is the search for more.
_LISTED = 450


def all_below(w: Warehouse, scope: Scope, code: str) -> dict[str, list[tuple[str, str]]]:
    """The units below one, by level, as many levels as a list has room for, the next one in any case."""
    own = significant(code)
    levels = {
        level: [
            (item, name)
            for item, name in w.of_digits.get(digits, ())
            if item.startswith(own) and scope.touches(item)
        ]
        for digits, level in LEVELS.items()
        if digits > len(own)
    }
    # Those of a county are its next level and listed in any case.
    if len(own) == 6 or (
        len(own) < 6 and sum(map(len, levels.values())) + count_townships(w, scope, own) <= _LISTED
    ):
        levels["township"] = list(township_names(w, scope, own).items())
    listed: dict[str, list[tuple[str, str]]] = {}
    for level, items in levels.items():
        if items and (not listed or sum(map(len, listed.values())) + len(items) <= _LISTED):
            listed[level] = items
    return listed


def count_townships(w: Warehouse, scope: Scope, prefix: str) -> int:
    """How many townships a unit has or had."""
    condition, values = within("township_code", scope, prefix)
    return int(w.row(f"select count(*) as n from e.townships where {condition}", values)["n"])


def township_names(w: Warehouse, scope: Scope, prefix: str) -> dict[str, str]:
    """Names of the townships of a unit, by code."""
    return {row["township_code"]: row["township_name"] for row in _registered(w, scope, prefix)}


def _registered(w: Warehouse, scope: Scope, prefix: str) -> list[Row]:
    """What the register says of the townships of a unit."""
    condition, values = within("township_code", scope, prefix)
    columns = "*" if len(prefix) == 6 else "township_code, township_name"
    return w.rows(f"select {columns} from e.townships where {condition} order by township_code", values)


@dataclass(frozen=True)
class NamedUnit:
    """A unit under a name it has or had: what it lies in, and what a former one is now."""

    code: str
    name: str
    inside: str
    is_former: bool = False
    now: str = ""


@dataclass(frozen=True)
class _NamedUnits:
    """All names in reach, remembered as one result: forty thousand rows would push out everything else."""

    units: tuple[NamedUnit, ...]


def named_units(w: Warehouse, scope: Scope) -> Sequence[NamedUnit]:
    """Every unit in reach by every name it has or had, the higher levels first."""
    return w.remember(("named units", scope), lambda: _named_units(w, scope)).units


def _named_units(w: Warehouse, scope: Scope) -> _NamedUnits:
    found = []
    for code, name in sorted(w.names.items()):
        if scope.touches(code):
            own = significant(code)
            above = [w.names.get(padded(own[:digits]), "") for digits in (2, 4) if digits < len(own)]
            found.append(NamedUnit(code, name, "".join(above)))
    condition, values = within("t.township_code", scope)
    cursor = w.plain_cursor()
    try:
        rows = cursor.execute(
            f"select t.* from {statement('named_units')} as t where {condition} order by t.township_code",
            values,
        ).fetchall()
    finally:
        cursor.close()
    for code, name, inside, is_former, now, names in rows:
        found.append(NamedUnit(code, name, inside, is_former, now or ""))
        found += [NamedUnit(code, old, inside, True, name) for old in sorted(names or ()) if old != name]
    return _NamedUnits(tuple(found))


def padded(code: str) -> str:
    """The six-digit code of a prefix; longer codes stay."""
    return code.ljust(6, "0") if len(code) < 6 else code


def funding_rows(
    w: Warehouse,
    scope: Scope,
    prefix: str,
    month: date,
    *,
    status: str = "",
    limit: int | None = None,
    tier: str = "",
    rule: str = "",
    ask: Ask = ALL,
) -> tuple[list[Row], int]:
    """Townships of a month with all their amounts, the largest gap first, and how many there are."""
    condition, values = _funding_condition(scope, prefix, month, status, tier, rule)
    order = "allocation_shortfall_cny desc nulls last, township_code"
    if ask.is_all:
        codes, total = _chosen(w, "township_code", "e.funding_gap_monthly", condition, values, order, limit)
        return _by_code(w, scope, prefix, month, codes), total
    sql = f"{_TOWNSHIPS} where {condition}"
    rows = _asked(w, sql, values, order, limit, ask)
    return rows, len(rows) if limit is None or len(rows) < limit else _count(w, sql, values, ask)


def _funding_condition(
    scope: Scope, prefix: str, month: date, status: str, tier: str, rule: str
) -> tuple[str, list[Any]]:
    condition, values = within("f.township_code", scope, prefix)
    condition, values = f"f.month = ? and {condition}", [month, *values]
    for name, value in (("status", status), ("tier_label", tier), ("standard_id", rule)):
        if value:
            condition += f" and f.{name} = ?"
            values.append(value)
    return condition, values


def count_funding_rows(w: Warehouse, scope: Scope, prefix: str, month: date, *, rule: str = "") -> int:
    """How many townships a funding rule covers in a month."""
    condition, values = _funding_condition(scope, prefix, month, "", "", rule)
    found = w.row(f"select count(*) as n from e.funding_gap_monthly as f where {condition}", values)
    return int(found["n"])


def got_worse(
    w: Warehouse, scope: Scope, prefix: str, month: date, before: date, limit: int | None = 8
) -> list[Row]:
    """Townships whose gap in money, known in both months, grew since the month before, the largest growth first."""
    condition, values = within("township_code", scope, prefix)
    unit, units = _unit_of(w, scope, "township_code")
    rows = w.rows(
        "select max(case when month = ? then township_code end) as township_code, "
        "max(case when month = ? then allocation_shortfall_cny end) "
        "- max(case when month = ? then allocation_shortfall_cny end) as growth_cny "
        f"from e.funding_gap_monthly where month in (?, ?) and {condition} "
        f"group by {unit} having growth_cny > 0 order by growth_cny desc, township_code" + _limit(limit),
        [month, month, before, before, month, *values, *units],
    )
    places = _places_in(w, scope, prefix, [row["township_code"] for row in rows])
    return [
        {**row, **dict(zip(("township_name", "county_name"), places[row["township_code"]], strict=True))}
        for row in rows
    ]


def _places_in(w: Warehouse, scope: Scope, prefix: str, codes: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Names of some townships of a unit and of their counties, by code: of a county all are asked for anyway."""
    if len(prefix) != 6:
        return _places(w, codes)
    return {
        row["township_code"]: (row["township_name"], row["county_name"])
        for row in _registered(w, scope, prefix)
    }


def tiers(w: Warehouse, scope: Scope, rule: str) -> list[Row]:
    """Tiers of a standard, from low to high."""
    del scope  # law is public
    return w.rows(f"select * from {statement('tiers')} as t where standard_id = ? order by tier_no", [rule])


def standards(w: Warehouse, scope: Scope) -> list[Row]:
    """Every rule, in force and not, with its document."""
    del scope  # law is public
    return w.rows(f"select * from {statement('standards')} as s order by standard_id")


def documents(w: Warehouse, scope: Scope) -> list[Row]:
    """Every policy document, with the number of its rules."""
    del scope  # law is public
    return w.rows(f"select * from {statement('documents')} as d order by document_id")


def all_tiers(w: Warehouse, scope: Scope) -> list[Row]:
    """Every tier of every rule."""
    del scope  # law is public
    return w.rows(f"select * from {statement('tiers')} as t order by standard_id, tier_no")


# How long an answer holds that is not given every month.
_MONTHS_OF_PERIOD = {"quarter": 3, "half_year": 6, "year": 12, "two_years": 24}


def answered(w: Warehouse, scope: Scope, month: date) -> dict[str, date]:
    """The month of each rule's answer that holds in a month: a yearly one holds until the next is due."""
    return w.remember(("answered", month), lambda: _answered(w, scope, month))


def _answered(w: Warehouse, scope: Scope, month: date) -> dict[str, date]:
    # Only which month, no unit's figures.
    source = (
        "e.detail.unit_rules_monthly where unit_level = 'country'" if w.scope.is_whole else "e.judgements"
    )
    rules = _rules(w, scope)
    found: dict[str, date] = {}
    for row in w.rows(f"select distinct rule_id, month from {source} order by month"):
        rule, when = row["rule_id"], row["month"]
        since = (month.year - when.year) * 12 + month.month - when.month
        if rule in rules and 0 <= since < _MONTHS_OF_PERIOD.get(rules[rule]["period"], 1):
            found[rule] = when
    return found


def _holding(w: Warehouse, scope: Scope, month: date, alias: str = "") -> tuple[str, list[Any]]:
    """The condition that an answer is the one that holds in a month."""
    rules: dict[date, list[str]] = {}
    for rule, when in sorted(answered(w, scope, month).items()):
        rules.setdefault(when, []).append(rule)
    if not rules:
        return "false", []
    dot = f"{alias}." if alias else ""
    # The months by themselves let the engine skip what lies outside; the pairs say exactly which. Nothing is newer than
    # an answer of the month itself: of those no rule need be named.
    months = sorted(rules)
    groups, values = [], list[Any](months)
    for when in months:
        groups.append(f"{dot}month = ?")
        values.append(when)
        if when != month:
            groups[-1] += f" and {dot}rule_id in ({', '.join('?' * len(rules[when]))})"
            values += rules[when]
    marks = ", ".join("?" * len(months))
    return f"{dot}month in ({marks}) and ({' or '.join(f'({group})' for group in groups)})", values


_STATUSES = ("met", "short", "over", "not_reported", "unconfirmed", "not_applicable")


def rules_summary(w: Warehouse, scope: Scope, prefix: str, month: date) -> list[Row]:
    """For each rule whose answers hold in a month: subjects by status, and what is missing in all."""
    holding, held = _holding(w, scope, month, "j")
    if len(prefix) in LEVELS:
        if not scope.covers(padded(prefix) or "000000"):
            return []
        source = "e.detail.unit_rules_monthly as j"
        condition = f"j.unit_level = '{LEVELS[len(prefix)]}' and j.unit_code = ?"
        values: list[Any] = [padded(prefix) or "000000"]
    else:
        # Of one township: its own answers, counted; what several institutions lack is not added up.
        condition, values = within("subject_code", scope, prefix)
        counted = ", ".join(
            f"count(case when status = '{status}' then 1 end) as {status}_count" for status in _STATUSES
        )
        source = (
            f"(select rule_id, month, count(*) as answers_count, {counted}, "
            "case when count(*) = 1 then any_value(shortfall) end as shortfall "
            f"from e.judgements where {condition} group by rule_id, month) as j"
        )
        condition = "true"
    return w.rows(
        "select j.*, s.title_zh, s.topic_zh, s.unit, s.clause, s.severity, s.formula, s.matter, "
        "s.subject_level, s.period, d.document_title "
        f"from {source} inner join e.standards as s on j.rule_id = s.standard_id "
        f"inner join e.policy_documents as d on s.document_id = d.document_id where {condition} and {holding} "
        "order by j.rule_id",
        [*values, *held],
    )


def rule_by_unit(w: Warehouse, scope: Scope, prefix: str, month: date, digits: int, rule: str) -> list[Row]:
    """The answers to one rule that hold in a month, by unit below and status; townships by their own answers."""
    when = answered(w, scope, month).get(rule)
    if when is None:
        return []
    if digits < 9:
        condition, values = within("unit_code", scope, prefix)
        return w.rows(
            "select unit_code as code, * from e.detail.unit_rules_monthly "
            f"where unit_level = '{LEVELS[digits]}' and month = ? and rule_id = ? and {condition} order by unit_code",
            [when, rule, *values],
        )
    condition, values = within("subject_code", scope, prefix)
    counted = ", ".join(
        f"count(case when status = '{status}' then 1 end) as {status}_count" for status in _STATUSES
    )
    return w.rows(
        f"select substr(subject_code, 1, 9) as code, {counted} from e.judgements "
        f"where month = ? and rule_id = ? and {condition} group by 1 order by 1",
        [when, rule, *values],
    )


def _judgement_condition(
    w: Warehouse, scope: Scope, prefix: str, month: date, rule: str, status: str, topic: str
) -> tuple[str, list[Any]]:
    condition, values = within("j.subject_code", scope, prefix)
    holding, held = _holding(w, scope, month, "j")
    condition, values = f"{holding} and {condition}", [*held, *values]
    if topic:
        of_topic = [rule_id for rule_id, row in _rules(w, scope).items() if row["topic_zh"] == topic]
        condition += f" and j.rule_id in ({', '.join('?' * len(of_topic))})" if of_topic else " and false"
        values += of_topic
    for name, value in (("j.rule_id", rule), ("j.status", status)):
        if value:
            condition += f" and {name} = ?"
            values.append(value)
    return condition, values


def judgement_rows(
    w: Warehouse,
    scope: Scope,
    prefix: str,
    month: date,
    *,
    rule: str = "",
    status: str = "",
    topic: str = "",
    limit: int | None = None,
    ask: Ask = ALL,
) -> tuple[list[Row], int]:
    """Answers that hold in a month, one a row, the worst first, and how many there are."""
    condition, values = _judgement_condition(w, scope, prefix, month, rule, status, topic)
    order = (
        "case status when 'short' then 0 when 'not_reported' then 1 when 'unconfirmed' then 2 "
        "when 'over' then 3 else 4 end, shortfall desc nulls last, subject_code, rule_id, subject_unit"
    )
    if ask.is_all:
        sql = f"from e.judgements as j where {condition}"
        rows = _named_judgements(
            w, scope, w.rows(f"select j.* {sql} order by {order}{_limit(limit)}", values)
        )
        if limit is None or len(rows) < limit:
            return rows, len(rows)
        return rows, int(w.row(f"select count(*) as n {sql}", values)["n"])
    inner = f"select j.* from {statement('judgements')} as j where {condition}"
    named = (
        "select j.*, d.document_title, t.township_name, t.county_name, v.division_name as village_name, "
        "coalesce(v.division_name, t.township_name, j.subject_code) as subject_name "
        f"from ({inner}) as j inner join e.policy_documents as d on j.document_id = d.document_id "
        "left join e.townships as t on substr(j.subject_code, 1, 9) = t.township_code "
        "left join (select division_code, division_name from e.reported.divisions "
        "where is_current and length(division_code) = 12) as v on j.subject_code = v.division_code"
    )
    rows = _asked(w, named, values, order, limit, ask)
    return rows, len(rows) if limit is None or len(rows) < limit else _count(w, named, values, ask)


def _named_judgements(w: Warehouse, scope: Scope, rows: Sequence[Row]) -> list[Row]:
    """Answers with what their rules and subjects are called."""
    told = ("title_zh", "topic_zh", "clause", "severity", "document_id", "document_title")
    places = _places(w, [row["subject_code"][:9] for row in rows])
    condition, values = _among(
        "division_code", sorted({row["subject_code"] for row in rows if len(row["subject_code"]) == 12})
    )
    villages = (
        {
            row["division_code"]: row["division_name"]
            for row in w.rows(
                "select division_code, division_name from e.reported.divisions "
                f"where is_current and {condition}",
                values,
            )
        }
        if values
        else {}
    )
    named = []
    for row in _with_rules(w, scope, rows, told):
        code = row["subject_code"]
        township, county = places.get(code[:9], (None, None))
        named.append(
            {
                **row,
                "township_name": township,
                "county_name": county,
                "village_name": villages.get(code),
                "subject_name": villages.get(code) or township or code,
            }
        )
    return named


FINDING_ORDER = "case severity when 'high' then 0 when 'medium' then 1 else 2 end, weight desc, months_open desc, finding_id"


def _finding_condition(
    scope: Scope, prefix: str, month: date, status: str, rule: str, severity: str, change: str, topic: str
) -> tuple[str, list[Any]]:
    condition, values = within("f.subject_code", scope, prefix)
    # As of a month: what had been opened by then; what was cleared later was still open.
    condition += " and f.opened_month <= ?"
    values.append(month)
    if status == "open":
        # A spell that ended without being cleared (the unit was abolished) was open up to its last month.
        condition += (
            " and (f.cleared_month > ? or (f.cleared_month is null "
            "and (f.status not in ('not_applicable', 'unit_ended', 'superseded') or f.last_month >= ?)))"
        )
        values += [month, month]
    elif status == "cleared":
        condition += " and f.cleared_month <= ?"
        values.append(month)
    elif status:
        condition += " and f.status = ?"
        values.append(status)
    if change == "new":
        condition += " and f.opened_month = ?"
        values.append(month)
    elif change == "cleared":
        condition += " and f.cleared_month = ?"
        values.append(month)
    for name, value in (("f.rule_id", rule), ("f.severity", severity), ("f.topic_zh", topic)):
        if value:
            condition += f" and {name} = ?"
            values.append(value)
    return condition, values


def findings(
    w: Warehouse,
    scope: Scope,
    prefix: str,
    month: date,
    *,
    status: str = "",
    rule: str = "",
    severity: str = "",
    change: str = "",
    topic: str = "",
    limit: int | None = None,
    ask: Ask = ALL,
) -> tuple[list[Row], int]:
    """Findings as of a month, the gravest and oldest first, and how many there are."""
    condition, values = _finding_condition(scope, prefix, month, status, rule, severity, change, topic)
    if ask.is_all and not topic:
        rows = _findings(w, scope, condition, values, month, limit)
        if limit is None or len(rows) < limit:
            return rows, len(rows)
        counted = w.row(f"select count(*) as n from e.findings as f where {condition}", values)
        return rows, int(counted["n"])
    sql = (
        f"select f.* replace ({_MONTHS_OPEN} as months_open) from {statement('findings')} as f "
        f"where {condition}"
    )
    rows = _asked(w, sql, [month, *values], FINDING_ORDER, limit, ask)
    return rows, len(rows) if limit is None or len(rows) < limit else _count(w, sql, [month, *values], ask)


def first_findings(
    w: Warehouse, scope: Scope, prefix: str, month: date, change: str, limit: int
) -> list[Row]:
    """What a short list tells of the gravest findings that are new, or were put right, in a month."""
    condition, values = _finding_condition(scope, prefix, month, "", "", "", change, "")
    rules = _rules(w, scope)
    rows = w.rows(
        f"select f.finding_id, f.rule_id, f.subject_code, f.status, f.message_zh, {_MONTHS_OPEN} as months_open "
        f"from e.findings as f where {condition} order by {FINDING_ORDER}" + _limit(limit),
        [month, *values],
    )
    return [
        {**row, "title_zh": rules[row["rule_id"]]["title_zh"], "subject_name": _named_in(row["message_zh"])}
        for row in rows
    ]


def _named_in(message: str) -> str:
    """Whom a finding is about, as its message calls them."""
    return message.split("：", 1)[0]


# For how many months a finding has been open as of a month, the first value, and not as of the edition.
_MONTHS_OPEN = "f.months_open - greatest(datediff('month', cast(? as date), f.last_month), 0)"


def _findings(
    w: Warehouse, scope: Scope, condition: str, values: Sequence[Any], month: date, limit: int | None
) -> list[Row]:
    """The rows of `findings.sql` as of a month, in `FINDING_ORDER`: one table is asked, the rest is put beside it."""
    rules = _rules(w, scope)
    found = w.rows(
        f"select f.* replace ({_MONTHS_OPEN} as months_open) "
        f"from e.findings as f where {condition} order by {FINDING_ORDER}" + _limit(limit),
        [month, *values],
    )
    counties = _places(w, [row["subject_code"][:9] for row in found])
    return [
        {
            **row,
            **{name: rules[row["rule_id"]][name] for name in ("title_zh", "topic_zh", "period")},
            "county_name": counties.get(row["subject_code"][:9], (None, None))[1],
            "subject_name": _named_in(row["message_zh"]),
        }
        for row in found
    ]


def _rules(w: Warehouse, scope: Scope) -> dict[str, Row]:
    """Every rule by its number."""
    return {row["standard_id"]: row for row in standards(w, scope)}


def _places(w: Warehouse, codes: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Names of townships of any time and of their counties, by code."""
    condition, values = _among("township_code", sorted({code for code in codes if len(code) == 9}))
    rows = w.rows(
        f"select township_code, township_name, county_name from e.townships where {condition}", values
    )
    return {row["township_code"]: (row["township_name"], row["county_name"]) for row in rows}


def unit_findings(
    w: Warehouse, scope: Scope, prefix: str = "", digits: int = 0, months: Sequence[date] | None = None
) -> list[Row]:
    """Roll-ups of the findings of a unit, or of those below it, by unit and month: see `units`."""
    return _roll_ups(w, scope, "unit_findings_monthly", prefix, digits, months)


def moved(w: Warehouse, scope: Scope, prefix: str) -> list[Row]:
    """What closed money findings moved in a unit, by month, in the year up to it: figures of `metrics.MOVED`."""
    whole = padded(prefix) or "000000"
    if len(prefix) not in LEVELS or not scope.covers(whole) or not w.has("detail", "unit_moved_monthly"):
        return []
    return w.rows(
        f"select u.* from {statement('moved_by_month')} as u "
        f"where u.unit_level = '{LEVELS[len(prefix)]}' and u.unit_code = ? order by u.month",
        [whole],
    )


def moved_rows(
    w: Warehouse, scope: Scope, prefix: str, month: date, limit: int | None = None, ask: Ask = ALL
) -> tuple[list[Row], int]:
    """The closed money findings of the year up to a month, the largest amount first, and how many there are."""
    if not w.has("detail", "moved_amounts"):
        return [], 0
    condition, values = within("a.township_code", scope, prefix)
    sql = (
        f"select a.* from {statement('moved_amounts')} as a where {condition} "
        "and a.month <= ? and date_part('year', a.month) = ?"
    )
    values = [*values, month, month.year]
    rows = _asked(w, sql, values, "moved_cny desc nulls last, finding_id", limit, ask)
    return rows, len(rows) if limit is None or len(rows) < limit else _count(w, sql, values, ask)


def moved_by_finding(w: Warehouse, scope: Scope, prefix: str, month: date) -> dict[str, Decimal | None]:
    """What each money finding closed in a month moved; None where that cannot be told."""
    if not w.has("detail", "moved_amounts"):
        return {}
    condition, values = within("township_code", scope, prefix)
    rows = w.rows(
        f"select finding_id, moved_cny from e.detail.moved_amounts where month = ? and {condition}",
        [month, *values],
    )
    return {row["finding_id"]: row["moved_cny"] for row in rows}


def finding_counts(w: Warehouse, scope: Scope, prefix: str, month: date) -> Row:
    """Findings of a month in four figures: open, of them grave, new, cleared; of a township by counting its list."""
    if len(prefix) in LEVELS:
        found = unit_findings(w, scope, prefix, 0, [month])
        return (
            found[0]
            if found
            else dict.fromkeys(("open_count", "open_high_count", "opened_count", "cleared_count"), 0)
        )

    def count(**which: Any) -> int:
        return findings(w, scope, prefix, month, **which)[1]

    return {
        "open_count": count(status="open"),
        "open_high_count": count(status="open", severity="high"),
        "opened_count": count(change="new"),
        "cleared_count": count(change="cleared"),
    }


def township(w: Warehouse, scope: Scope, code: str) -> Row | None:
    """One township's own row."""
    return next((row for row in _registered(w, scope, code[:6]) if row["township_code"] == code), None)


def lineage(w: Warehouse, scope: Scope, row: Row) -> list[Row]:
    """Every code the same unit has borne, in order, and units merged into it."""
    changed = _changed(w, scope)
    first = township(w, scope, row["unit_id"])
    found = {
        item["township_code"]: item
        for item in (*changed, row, *([first] if first else []))
        if item["unit_id"] == row["unit_id"] or item["successor_code"] == row["township_code"]
    }
    return sorted(found.values(), key=lambda item: (item["valid_from"] or date.min, item["township_code"]))


def township_months(w: Warehouse, scope: Scope, codes: Sequence[str]) -> list[Row]:
    """Money of one unit under all its codes, month by month, with what is told of its people and its budget."""
    among, of_codes = _among("township_code", codes)
    condition, values = within("township_code", scope)
    rows = w.rows_beside(
        f"select * from e.funding_gap_monthly where {among} and {condition}",
        [*of_codes, *values],
        ("township_code", "month"),
        "select township_code, month, disbursed_pct, spent_pct, staff_status, staff_shortfall_persons, budget_told "
        f"from e.detail.township_monthly where {among} and {condition}",
    )
    return sorted(rows, key=lambda row: row["month"])


def _changed(w: Warehouse, scope: Scope) -> list[Row]:
    """Townships that were renamed or merged: few of the forty thousand, asked for once and not all of them for each."""
    condition, values = within("township_code", scope)
    return w.rows(
        "select * from e.townships where (unit_id <> township_code or successor_code is not null) "
        f"and {condition}",
        values,
    )


def _unit_of(w: Warehouse, scope: Scope, column: str) -> tuple[str, list[str]]:
    """The unit that bears a code, by which it is one and the same in two months although it was renamed between them."""
    units = {row["township_code"]: row["unit_id"] for row in _changed(w, scope)}
    renamed = [(code, unit) for code, unit in sorted(units.items()) if code != unit]
    if not renamed:
        return column, []
    cases = " ".join("when ? then ?" for _ in renamed)
    return f"case {column} {cases} else {column} end", [text for pair in renamed for text in pair]


def unit_months(w: Warehouse, scope: Scope, code: str) -> list[Row]:
    """The same of the unit that bears a code, whichever codes it bore before and after."""
    row = township(w, scope, code)
    own = [found for found in lineage(w, scope, row) if found["unit_id"] == row["unit_id"]] if row else []
    return township_months(w, scope, [found["township_code"] for found in own]) if own else []


def township_staffing(w: Warehouse, scope: Scope, codes: Sequence[str]) -> list[Row]:
    """People of one unit under all its codes, month by month and standard by standard."""
    among, of_codes = _among("township_code", codes)
    condition, values = within("township_code", scope)
    rows = w.rows(f"select * from e.staffing_gap_monthly where {among} and {condition}", [*of_codes, *values])
    return sorted(rows, key=lambda row: (row["month"], row["standard_id"]))


def reported(
    w: Warehouse, scope: Scope, table: str, codes: Sequence[str], month: date, since: date | None = None
) -> list[Row]:
    """Every version of what one unit reported for a month (or from `since` to it), with file, sheet and row."""
    if table not in ("population", "budget", "staffing"):
        raise ValueError(table)
    if not codes:
        return []
    among, of_codes = _among("township_code", codes)
    condition, values = within("township_code", scope)
    rows = w.rows(
        f"select * from e.reported.{table} where {among} and {condition} and month between ? and ?",
        [*of_codes, *values, since or month, month],
    )
    ids = sorted({row["submission_id"] for row in rows if row["submission_id"]})
    files = {row["submission_id"]: row for row in submissions_named(w, scope, ids)}
    unknown: Row = dict.fromkeys(("file_name", "status", "filed_on"))
    return [
        {
            **row,
            "file_name": own["file_name"],
            "submission_status": own["status"],
            "filed_on": own["filed_on"],
        }
        for row in sorted(rows, key=_latest_first)
        for own in [files.get(row["submission_id"], unknown)]
    ]


def _latest_first(row: Row) -> tuple[Any, ...]:
    """The order of reports: the latest month, in it what counts, then what goes before."""
    precedence, number = row["precedence"], row["row_number"]
    return (
        -row["month"].toordinal(),
        not row["is_current"],
        precedence is None,
        -(precedence or 0),
        number is None,
        number or 0,
    )


def submissions(
    w: Warehouse, scope: Scope, prefix: str, *, status: str = "", limit: int | None = None, ask: Ask = ALL
) -> tuple[list[Row], int]:
    """Files received that carry rows of the units asked for, and how many; first those with something wrong."""
    conditions, values = _submission_conditions(scope, prefix)
    if status:
        conditions.append("s.status = ?")
        values.append(status)
    sql = f"select s.* from e.submissions as s where {' and '.join(conditions) or 'true'}"
    order = (
        "case status when 'refused' then 0 when 'partial' then 1 when 'duplicate' then 2 else 3 end, "
        "received_at desc, file_name"
    )
    rows = _asked(w, sql, values, order, limit, ask)
    return rows, len(rows) if limit is None or len(rows) < limit else _count(w, sql, values, ask)


def submission_counts(w: Warehouse, scope: Scope, prefix: str) -> Row:
    """How many files carry rows of a unit, and how many were refused whole."""
    conditions, values = _submission_conditions(scope, prefix)
    return w.row(
        "select count(*) as files_count, count(case when s.status = 'refused' then 1 end) as refused_count "
        f"from e.submissions as s where {' and '.join(conditions) or 'true'}",
        values,
    )


def submissions_named(w: Warehouse, scope: Scope, ids: Sequence[str]) -> list[Row]:
    """Files of these ids, which the caller has from rows in its scope; copies received again stand beside them."""
    del scope
    marks = ", ".join("?" * len(ids)) or "null"
    return w.rows(
        f"select s.* from e.submissions as s where split_part(s.submission_id, '-', 1) in ({marks}) "
        "order by s.month_to desc, s.file_name",
        sorted(ids),
    )


def _submission_conditions(scope: Scope, prefix: str) -> tuple[list[str], list[Any]]:
    """Everything is in sight of those who may see everything; others see files that speak of their own units."""
    if not prefix and "" in scope.prefixes:
        return [], []
    source, values = _submission_units(scope, prefix)
    return [f"split_part(s.submission_id, '-', 1) in ({source})"], values


def _submission_units(scope: Scope, prefix: str) -> tuple[str, list[Any]]:
    """The query for the files that speak of the units asked for."""
    if max(scope.longest, len(prefix)) <= 6:
        condition, values = within("county_code", scope, prefix)
        return f"select submission_id from e.detail.submission_units where {condition}", values
    condition, values = within("township_code", scope, prefix)
    tables = (
        f"select submission_id from e.reported.{table} where {condition}"
        for table in ("population", "budget", "staffing")
    )
    return " union all ".join(tables), values * 3


def _rejected_condition(scope: Scope, prefix: str, disposition: str) -> tuple[str, list[Any]]:
    """A row refused names no unit for certain, so whoever may not see everything sees those of files that speak
    of their own units alone."""
    conditions: list[str] = []
    values: list[Any] = []
    if prefix or "" not in scope.prefixes:
        source, values = _submission_units(scope, prefix)
        conditions.append(f"r.submission_id in ({source})")
        if max(scope.longest, len(prefix)) <= 6:
            outside, more = within("county_code", scope, prefix)
            conditions.append(
                "r.submission_id not in (select submission_id from e.detail.submission_units "
                f"where not ({outside}))"
            )
            values += more
        else:
            # Of part of a county: no township of the file lies outside.
            condition, more = within("township_code", scope, prefix)
            outside = " union all ".join(
                f"select submission_id from e.reported.{table} where not ({condition})"
                for table in ("population", "budget", "staffing")
            )
            conditions.append(f"r.submission_id not in ({outside})")
            values += more * 3
    if disposition:
        conditions.append("r.disposition = ?")
        values.append(disposition)
    return " and ".join(conditions) or "true", values


def rejected(
    w: Warehouse,
    scope: Scope,
    prefix: str,
    *,
    disposition: str = "",
    limit: int | None = None,
    ask: Ask = ALL,
) -> tuple[list[Row], int]:
    """What is wrong with rows refused or held, with their file, and how many faults there are."""
    where, values = _rejected_condition(scope, prefix, disposition)
    sql = f"select r.* from {statement('rejected')} as r where {where}"
    rows = _asked(w, sql, values, "file_name, sheet, row_number, column_title, error_code", limit, ask)
    return rows, len(rows) if limit is None or len(rows) < limit else _count(w, sql, values, ask)


def count_rejected(w: Warehouse, scope: Scope, prefix: str, *, disposition: str = "") -> Row:
    """How many faults `rejected` would give without a limit, and how many rows are refused and held."""
    where, values = _rejected_condition(scope, prefix, disposition)
    place = "concat_ws('/', r.submission_id, r.sheet, r.row_number)"
    return w.row(
        "select count(*) as faults, "
        f"count(distinct case when r.disposition = 'rejected' then {place} end) as rejected_count, "
        f"count(distinct case when r.disposition = 'held' then {place} end) as held_count "
        f"from e.rejected_rows as r where {where}",
        values,
    )


def suite_results(w: Warehouse, scope: Scope) -> list[Row]:
    """What the quality suites said of this edition; empty when it carries none."""
    del scope  # counts over the whole edition, no unit's figures
    if not w.has("quality", "suite_results"):
        return []
    return w.rows("select * from e.quality.suite_results order by success, suite, expectation")


def differences(
    w: Warehouse, scope: Scope, prefix: str, month: date, limit: int | None = None, ask: Ask = ALL
) -> tuple[list[Row], int]:
    """Figures of a month that two sources report differently, the largest first, and how many there are."""
    if not w.has("main", "reconciliation"):
        return [], 0
    condition, values = within("r.township_code", scope, prefix)
    sql = f"select r.* from {statement('differences')} as r where r.month = cast(? as date) and {condition}"
    rows = _asked(
        w, sql, [month, *values], "abs(difference) desc, township_code, figure, source_b", limit, ask
    )
    counted = [month, *values]
    return rows, len(rows) if limit is None or len(rows) < limit else _count(w, sql, counted, ask)


def fund_ledger(
    w: Warehouse, scope: Scope, prefix: str, month: date, limit: int | None = None, ask: Ask = ALL
) -> tuple[list[Row], int]:
    """Every fund of the townships in a month, and how many rows there are."""
    if not w.has("main", "fund_ledger_monthly"):
        return [], 0
    condition, values = within("f.township_code", scope, prefix)
    sql = f"select f.* from e.fund_ledger_monthly as f where f.month = cast(? as date) and {condition}"
    rows = _asked(w, sql, [month, *values], "township_code, fund_code", limit, ask)
    return rows, len(rows) if limit is None or len(rows) < limit else _count(w, sql, [month, *values], ask)


def suite_flags(
    w: Warehouse, scope: Scope, prefix: str, limit: int | None = None, ask: Ask = ALL
) -> tuple[list[Row], int]:
    """Rows that the suites doubt, the latest first, and how many there are."""
    if not w.has("quality", "suite_flags"):
        return [], 0
    condition, values = within("f.subject_code", scope, prefix)
    inner = f"select * from e.quality.suite_flags as f where f.kind = 'doubt' and {condition}"
    order = "month desc, subject_code, expectation"
    # The page of rows is chosen before names are joined to it: there may be millions.
    page = f"{inner} order by {order}{_limit(limit)}" if ask.is_all else inner
    sql = (
        "select f.*, coalesce(t.township_name, f.subject_code) as subject_name, s.file_name "
        f"from ({page}) as f left join e.townships as t on f.subject_code = t.township_code "
        "left join e.submissions as s on f.submission_id = s.submission_id"
    )
    rows = _asked(w, sql, values, order, limit, ask)
    if limit is None or len(rows) < limit:
        return rows, len(rows)
    return rows, _count(w, inner if ask.is_all else sql, values, ask)


def covered(w: Warehouse, scope: Scope, scope_code: str, month: date) -> int:
    """Townships in force in a month that lie where a rule applies."""
    condition, values = within("township_code", scope, significant(scope_code))
    found = w.row(
        f"select count(*) as n from e.funding_gap_monthly where month = ? and {condition}", [month, *values]
    )
    return int(found["n"])


def tier_points(w: Warehouse, scope: Scope, prefix: str, month: date, rule: str, limit: int) -> list[Row]:
    """Townships under a funding rule with what a chart needs of them, the largest gap first."""
    condition, values = within("township_code", scope, prefix)
    return w.rows(
        "select township_code, township_name, county_name, tier_label, population_persons, "
        "guaranteed_annual_cny, allocated_annual_cny from e.funding_gap_monthly "
        f"where month = ? and standard_id = ? and {condition} "
        "order by allocation_shortfall_cny desc nulls last, township_code" + _limit(limit),
        [month, rule, *values],
    )


def near_edges(
    w: Warehouse,
    scope: Scope,
    prefix: str,
    month: date,
    bounds: Sequence[tuple[str, int]],
    share: Decimal,
    limit: int | None = None,
    ask: Ask = ALL,
) -> tuple[list[Row], int]:
    """Townships whose population lies within a share of a bound of their standard, the nearest first, and how many.

    `bounds` are standards with a bound of their tiers; `bound` says which.
    """
    if not bounds:
        return [], 0
    condition, values = within("township_code", scope, prefix)
    if ask.is_all:
        reach = " or ".join("(standard_id = ? and population_persons between ? and ?)" for _ in bounds)
        near = w.rows(
            "select township_code, standard_id, population_persons from e.funding_gap_monthly "
            f"where month = ? and {condition} and ({reach})",
            [
                month,
                *values,
                *(v for code, b in bounds for v in (code, b - int(b * share), b + int(b * share))),
            ],
        )
        found = sorted(
            (abs(row["population_persons"] - bound), row["township_code"], bound)
            for row in near
            for code, bound in bounds
            if code == row["standard_id"] and abs(row["population_persons"] - bound) <= int(bound * share)
        )
        first = found if limit is None else found[:limit]
        if len(prefix) == 6:
            money = townships(w, scope, prefix, [month])
        else:
            among, codes = _among("township_code", [code for _, code, _ in first])
            money = w.rows(
                f"select * from e.funding_gap_monthly where month = ? and {among}", [month, *codes]
            )
        by_code = {row["township_code"]: row for row in money}
        rows = [
            {
                **by_code[code],
                "bound": bound,
                "distance_count": by_code[code]["population_persons"] - bound,
            }
            for _, code, bound in first
        ]
        return rows, len(found)
    spans = " union all ".join(
        "select cast(? as varchar) as standard_id, cast(? as bigint) as bound, cast(? as bigint) as reach"
        for _ in bounds
    )
    sql = (
        "select f.*, b.bound, f.population_persons - b.bound as distance_count "
        f"from (select * from e.funding_gap_monthly where month = ? and {condition}) as f "
        f"inner join ({spans}) as b on f.standard_id = b.standard_id "
        "and abs(f.population_persons - b.bound) <= b.reach"
    )
    of_bounds = [value for code, bound in bounds for value in (code, bound, int(bound * share))]
    values = [month, *values, *of_bounds]
    rows = _asked(w, sql, values, "abs(distance_count), township_code, bound", limit, ask)
    return rows, len(rows) if limit is None or len(rows) < limit else _count(w, sql, values, ask)


def township_list(
    w: Warehouse, scope: Scope, prefix: str, text: str, month: date, limit: int | None, ask: Ask = ALL
) -> tuple[list[Row], int]:
    """Townships by name or code with their gap of a month, and how many there are in all."""
    condition, values = within("t.township_code", scope, prefix)
    own, of_month = within("township_code", scope, prefix)
    if text:
        condition += " and (t.township_name like ? or t.township_code like ?)"
        values += [f"%{text}%", f"{text}%"]
    sql = (
        "select t.*, f.allocation_shortfall_cny, f.status from e.townships as t left join "
        "(select township_code, allocation_shortfall_cny, status from e.funding_gap_monthly "
        f"where month = ? and {own}) as f on t.township_code = f.township_code where {condition}"
    )
    values = [month, *of_month, *values]
    rows = _asked(w, sql, values, "township_code", limit, ask)
    return rows, len(rows) if limit is None or len(rows) < limit else _count(w, sql, values, ask)


def subject_judgements(w: Warehouse, scope: Scope, codes: Sequence[str], month: date) -> list[Row]:
    """Every answer of one unit that holds in a month, whichever of its codes it was given under."""
    among, of_codes = _among("subject_code", codes)
    condition, values = within("subject_code", scope)
    # A unit has some hundred answers in all: which of them hold is soon seen.
    rows = w.rows(f"select * from e.judgements where {among} and {condition}", [*of_codes, *values])
    holding = answered(w, scope, month)
    rows = sorted(
        (row for row in rows if row["month"] == holding.get(row["rule_id"])),
        key=lambda row: (row["rule_id"], row["subject_unit"]),
    )
    return _with_rules(w, scope, rows, ("title_zh", "topic_zh", "clause"))


def subject_findings(w: Warehouse, scope: Scope, codes: Sequence[str], limit: int | None = None) -> list[Row]:
    """Every finding of one unit, the latest first."""
    among, of_codes = _among("f.subject_code", codes)
    condition, values = within("f.subject_code", scope)
    rows = sorted(
        w.rows(f"select f.* from e.findings as f where {among} and {condition}", [*of_codes, *values]),
        key=lambda row: (
            row["cleared_month"] is not None,
            -row["opened_month"].toordinal(),
            row["finding_id"],
        ),
    )
    return _with_rules(w, scope, rows[:limit], ("title_zh",))


def _with_rules(w: Warehouse, scope: Scope, rows: Sequence[Row], told: Sequence[str]) -> list[Row]:
    """Answers or findings with what is told of their rules."""
    rules = _rules(w, scope)
    return [{**row, **{name: rules[row["rule_id"]][name] for name in told}} for row in rows]


def explanation(
    w: Warehouse, scope: Scope, code: str, month: date, rule: str | None = None, read: Read | None = None
) -> Explanation | None:
    """How the figures of a unit came about in a month, by one rule or the first; None where that was not judged.

    What a page has `read` of the unit is not asked again, unless it is only a part of what the edition has.
    """
    if not scope.covers(code):
        return None
    whole = read if w.scope == scope else None

    def make() -> Explanation | None:
        try:
            return explain(w.plain_connection(), code, month, rule, is_first_only=True, read=whole)
        except ExplainError:
            return None

    return w.remember(("explanation", code, month, rule), make)


def vacancies(w: Warehouse, scope: Scope, prefix: str, month: date) -> Row | None:
    """Posts and people in post of a unit, as the roll-up has them; None where it has no row."""
    if not w.has("detail", "vacancies_monthly"):
        return None
    condition, values = within("unit_code", scope, prefix)
    rows = w.rows(
        f"select * from e.detail.vacancies_monthly where month = ? and unit_level = ? and unit_code = ? and {condition}",
        [month, LEVELS.get(len(prefix), "township"), padded(prefix), *values],
    )
    return rows[0] if rows else None


def scorecard(w: Warehouse, scope: Scope, prefix: str, month: date) -> list[Row]:
    """五有 in a month: of a unit its townships by state; of one township its rules, and what is missing."""
    if len(prefix) in LEVELS:
        return _roll_ups(w, scope, "unit_scorecard_monthly", prefix, 0, [month])
    condition, values = within("township_code", scope, prefix)
    return w.rows(
        f"select * from e.detail.scorecard where month = ? and {condition} order by pillar_no",
        [month, *values],
    )


# Columns of one township that units are compared by: what is in `sql/townships.sql`.
_COMPARED = frozenset(
    {
        "guaranteed_annual_cny",
        "allocated_annual_cny",
        "allocation_shortfall_cny",
        "guaranteed_ytd_cny",
        "disbursed_ytd_cny",
        "disbursement_shortfall_ytd_cny",
        "spent_ytd_cny",
        "staff_shortfall_persons",
    }
)


def _compared(column: str) -> str:
    if column not in _COMPARED:
        raise ValueError(column)
    return column


def largest(w: Warehouse, scope: Scope, prefix: str, month: date, column: str, limit: int) -> list[Row]:
    """Townships of a unit where a figure of a month is largest and not nought: code, name, value."""
    condition, values = within("f.township_code", scope, prefix)
    return w.rows(
        f"select f.code, f.name, f.{_compared(column)} as value from {statement('townships')} as f "
        f"where f.month = ? and {condition} and f.{column} > 0 order by value desc, f.code" + _limit(limit),
        [month, *values],
    )


def movers(
    w: Warehouse, scope: Scope, prefix: str, before: date, month: date, column: str, limit: int
) -> tuple[list[Row], int]:
    """Townships of a unit whose figure moved between two months, the largest move first, and how many moved."""
    condition, values = within("a.township_code", scope, prefix)
    source, (unit, units) = statement("townships"), _unit_of(w, scope, "f.township_code")
    sql = (
        f"select a.code, a.name, a.{_compared(column)} - b.{column} as change "
        f"from (select f.*, {unit} as unit_id from {source} as f where f.month = ?) as a "
        f"inner join (select f.*, {unit} as unit_id from {source} as f where f.month = ?) as b "
        f"on a.unit_id = b.unit_id where {condition} and a.{column} <> b.{column}"
    )
    values = [*units, month, *units, before, *values]
    rows = w.rows(f"select * from ({sql}) as q order by abs(change) desc, code" + _limit(limit), values)
    return rows, len(rows) if len(rows) < limit else _count(w, sql, values, ALL)


def changed_bases(w: Warehouse, scope: Scope, prefix: str, before: date, month: date) -> Row:
    """How many townships of a unit have another standard, or other people to be counted, than in a month before."""
    condition, values = within("a.township_code", scope, prefix)
    unit, units = _unit_of(w, scope, "a.township_code")
    other, others = _unit_of(w, scope, "b.township_code")
    return w.row(
        "select count(case when a.standard_id is distinct from b.standard_id then 1 end) as standards, "
        "count(case when a.population_persons is distinct from b.population_persons then 1 end) as people "
        "from e.funding_gap_monthly as a inner join e.funding_gap_monthly as b "
        f"on {unit} = {other} and b.month = ? where a.month = ? and {condition}",
        [*units, *others, before, month, *values],
    )


def standards_of(w: Warehouse, scope: Scope, prefix: str, month: date) -> list[Row]:
    """The funding standards that bind townships of a unit in a month, and how many each."""
    condition, values = within("township_code", scope, prefix)
    return w.rows(
        "select standard_id, count(*) as n from e.funding_gap_monthly "
        f"where month = ? and standard_id is not null and {condition} group by standard_id order by n desc, standard_id",
        [month, *values],
    )


def silent(w: Warehouse, scope: Scope, prefix: str, month: date, limit: int) -> tuple[list[str], int]:
    """Townships of a unit that did not send all three tables of a month: the first names, and how many."""
    condition, values = within("f.township_code", scope, prefix)
    sql = f"select f.code, f.name from {statement('townships')} as f where f.month = ? and f.sent_count < 3 and {condition}"
    rows = w.rows(f"select * from ({sql}) as q order by code" + _limit(limit), [month, *values])
    number = len(rows) if len(rows) < limit else _count(w, sql, [month, *values], ALL)
    return [row["name"] for row in rows], number


def worst(
    w: Warehouse, scope: Scope, prefix: str, month: date, kinds: Mapping[str, Sequence[str]], limit: int
) -> dict[str, list[Row]] | None:
    """Duties in force that are not met in a month, by what is missing times the months: for each kind, counted in the
    units it names, the first so many; None where the edition, of an older program, does not tell.

    Of rules on the same matter (the same people) a subject's largest shortfall stands for all.
    """
    if not w.has("detail", "unmet_duties"):
        return None
    asked = tuple((kind, tuple(units)) for kind, units in kinds.items())
    return w.remember(
        ("worst", scope, prefix, month, asked, limit),
        lambda: _worst(w, scope, prefix, month, asked, limit),
    )


# Of the country the heaviest so many of a kind are looked at, before all forty thousand are.
_HEAVIEST = 30


def _worst(
    w: Warehouse,
    scope: Scope,
    prefix: str,
    month: date,
    kinds: tuple[tuple[str, tuple[str, ...]], ...],
    limit: int,
) -> dict[str, list[Row]]:
    rules = _rules(w, scope)
    condition, values = within("subject_code", scope, prefix)
    if not prefix and scope.is_whole:
        return {
            kind: _heaviest(w, scope, month, rules, units, condition, values, limit) for kind, units in kinds
        }
    every = [unit for _, units in kinds for unit in units]
    duties = _duties(w, scope, month, every, condition, values)
    return {
        kind: _ranked(rules, [row for row in duties if rules[row[0]]["unit"] in units])[:limit]
        for kind, units in kinds
    }


def _duties(
    w: Warehouse,
    scope: Scope,
    month: date,
    units: Sequence[str],
    condition: str,
    values: Sequence[Any],
    heaviest: int | None = None,
) -> list[tuple[Any, ...]]:
    """Duties counted in some units that are not met: rule, subject, shortfall, months, the subject's name; all, or the
    heaviest so many.

    They are ranked here and not in the query: planning windows and the joins of rules takes four times as long as all
    the rest.
    """
    holding, held = _holding(w, scope, month)
    sql = (
        "select rule_id, subject_code, shortfall, months_count, subject_name from e.detail.unmet_duties "
        f"where {holding} and {condition} and unit in ({', '.join('?' * len(units))})"
    )
    if heaviest is not None:
        sql += f" order by shortfall * months_count desc, subject_code, rule_id limit {heaviest}"
    return w.read(sql, [*held, *values, *units])


def _ranked(rules: Mapping[str, Row], duties: Sequence[tuple[Any, ...]]) -> list[Row]:
    """The largest of each subject's duties on the same matter, by what is missing times the months."""
    largest_of: dict[tuple[str, str, str], tuple[Any, ...]] = {}
    for duty in duties:
        rule = rules[duty[0]]
        same = (duty[1], rule["matter"] or duty[0], rule["unit"])
        other = largest_of.get(same)
        if other is None or (-duty[2], duty[0]) < (-other[2], other[0]):
            largest_of[same] = duty
    rows = [
        {
            "rule_id": rule_id,
            "subject_code": subject,
            "subject_name": name,
            "title_zh": rules[rule_id]["title_zh"],
            "unit": rules[rule_id]["unit"],
            "shortfall": shortfall,
            "months_open": months,
            "weight": shortfall * months,
        }
        for rule_id, subject, shortfall, months, name in largest_of.values()
    ]
    return sorted(rows, key=lambda row: (-row["weight"], row["subject_code"], row["rule_id"]))


def _heaviest(
    w: Warehouse,
    scope: Scope,
    month: date,
    rules: Mapping[str, Row],
    units: Sequence[str],
    condition: str,
    values: Sequence[Any],
    limit: int,
) -> list[Row]:
    """The first of `_ranked` over the whole country without reading all: exact, or else all are read."""
    top = _duties(w, scope, month, units, condition, values, _HEAVIEST)
    if len(top) < _HEAVIEST:
        return _ranked(rules, top)[:limit]
    # Of a subject among them another duty on the same matter may be larger and not so heavy: that one stands for both.
    # What comes before the last of them cannot be of any other subject.
    among, subjects = _among("subject_code", sorted({duty[1] for duty in top}))
    rows = _ranked(rules, _duties(w, scope, month, units, f"{condition} and {among}", [*values, *subjects]))
    last = (-top[-1][2] * top[-1][3], top[-1][1], top[-1][0])
    rows = [row for row in rows if (-row["weight"], row["subject_code"], row["rule_id"]) <= last]
    if len(rows) < limit:
        rows = _ranked(rules, _duties(w, scope, month, units, condition, values))
    return rows[:limit]


def late(w: Warehouse, scope: Scope, prefix: str, month: date, limit: int) -> list[Row]:
    """Townships whose payments of the year lie behind the calendar, by what is missing times the months they have.

    December is left out, in which the rule of payment itself answers.
    """
    if month.month == 12:
        return []
    condition, values = within("township_code", scope, prefix)
    rows = w.rows(
        "select township_code as subject_code, pace, behind_cny as shortfall, "
        "behind_months_count as months_open, behind_cny * behind_months_count as weight "
        f"from e.detail.payment_pace where month = ? and pace in ('behind', 'far_behind') and {condition} "
        "and behind_cny > 0 order by weight desc, subject_code" + _limit(limit),
        [month, *values],
    )
    places = _places_in(w, scope, prefix, [row["subject_code"] for row in rows])
    return [{**row, "subject_name": places[row["subject_code"]][0]} for row in rows]


def doubts(w: Warehouse, scope: Scope, prefix: str, month: date, limit: int) -> tuple[list[Row], int] | None:
    """Doubts of a month that change, or may change, what is concluded, and how many there are; None where the edition,
    of an older program, does not tell."""
    if not w.has("detail", "conclusive_doubts"):
        return None
    condition, values = within("d.township_code", scope)
    # Few: those of a month are asked for once, whichever units are looked at.
    rows = [
        row
        for row in w.rows(
            f"select d.* from e.detail.conclusive_doubts as d where d.month = ? and {condition}",
            [month, *values],
        )
        if row["township_code"].startswith(prefix)
    ]
    rows.sort(key=lambda row: (row["kind"], row["township_code"]))
    return rows[:limit], len(rows)
