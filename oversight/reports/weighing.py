"""What deserves to be said: who is named for what, in which order, and which statements lead the report.

Named are breaches of duties in force that reach a threshold of the settings, and payments far behind the calendar.
Rules held up as examples, plans, aims and soft rules are listed and nobody is named for them; nor for what is minor,
excused or unknown. What the division of the report itself owes is not told to those below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from oversight import presentation
from oversight.metrics import added
from oversight.reports.facts import Facts, Row

_SEVERITY = {"high": 0, "medium": 1, "low": 2}
# Money first, then people, then the rest. Payment is this year's, arrears are a year's that has ended.
_KINDS = ("payment", "money", "arrears", "people", "other")
_PAYMENT_RULE = "paid_in_full"
_AMOUNTS = ("元", "元/年", "万元")
_MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12, "two_years": 12}


def is_demanded(row: Row) -> bool:
    """Whether a rule is a duty that can be demanded: binding, in plain words or in principle, with a figure to judge by.

    A rule that is made of others demands nothing besides them.
    """
    return bool(
        row["force"] == "binding" and row["gradeable"] == "Y" and row["strength"] in ("must", "principle")
    )


def is_own(facts: Facts, row: Row) -> bool:
    """Whether the subject is the division the report is about, not one below it."""
    return bool(row["subject_level"] == facts.scope.level)


def open_findings(facts: Facts) -> list[Row]:
    """Findings of units below the division that stand and can be demanded, each with its kind.

    Who is missing (by matter) and what was not paid, once a unit: by the rule after which it is most.
    """
    found: list[Row] = []
    largest: dict[tuple[str, str], Row] = {}
    people = {row["standard_id"] for row in facts.staffing}
    for row in facts.findings:
        is_open = row["kind"] != "cleared" and row["status"] == "short"
        if not is_open or not is_demanded(row) or is_own(facts, row):
            continue
        sort = "people" if row["rule_id"] in people else _sort(facts, row)
        if sort in ("people", "payment", "arrears"):
            # Two rules on the same people (D-07, D-08); every rule of payment is about the same payments.
            about = str(row.get("matter") or row["rule_id"]) if sort == "people" else _PAYMENT_RULE
            key = row["subject_code"], about
            held = largest.get(key)
            if held is None or (row["shortfall"] or 0) > (held["shortfall"] or 0):
                largest[key] = {**row, "sort": sort}
        else:
            found.append({**row, "sort": sort})
    return found + list(largest.values())


def _sort(facts: Facts, row: Row) -> str:
    if row["formula"] == _PAYMENT_RULE:
        # Answered in December for the year, and the answer stands until the next December.
        return "payment" if row["judged_month"] == facts.month else "arrears"
    # An amount for each person or household is a rate: it is neither added up nor weighed against amounts.
    return "money" if row["unit"] in _AMOUNTS else "other"


def is_minor(row: Row, settings: Row) -> bool:
    """Whether what is missing is too little to name anyone for; of an earlier month told by the settings."""
    if row.get("is_minor") is not None:
        return bool(row["is_minor"])
    if row["unit"] != "元" or row["shortfall"] is None:
        return False
    return _is_little(row["shortfall"], row["value_expected"], settings)


def sized(facts: Facts, settings: Row) -> Facts:
    """The facts with findings of an earlier month weighed by what was missing then: what is minor is never grave."""
    return replace(
        facts,
        findings=[
            {**row, "severity": "low"} if row.get("is_minor") is None and is_minor(row, settings) else row
            for row in facts.findings
        ],
    )


def _is_little(missing: Decimal, wanted: Decimal | None, settings: Row) -> bool:
    rule = settings["named"]
    share = (wanted or Decimal(0)) * _decimal(rule["minor_pct"]) / 100
    return missing < max(_decimal(rule["minor_cny"]), share)


def is_named(row: Row, settings: Row) -> bool:
    """Whether a finding reaches one of the thresholds."""
    rule = settings["named"]
    if is_minor(row, settings) or row.get("is_exempt"):
        return False
    missing, months = row["shortfall"], row["months_open"]
    if missing is not None and row["unit"] != "是/否":
        rate = presentation.ratio_pct(row["value_checked"], row["value_expected"])
        if rate is not None and rate <= rule["max_adequacy_pct"]:
            return True
        if row["unit"] == "元":
            # Little money for long is named by what it comes to (100 元 over 24 months is not).
            is_long = row["severity"] in rule["severities"] and months >= rule["min_months_open"]
            return bool(
                missing >= rule["min_gap_cny"] or (is_long and missing * months >= rule["min_gap_cny"])
            )
        if row["sort"] == "people" and missing * months >= rule["min_person_months"]:
            return True
    return bool(row["severity"] in rule["severities"] and months >= rule["min_months_open"])


def payments(facts: Facts, settings: Row) -> list[Row]:
    """Units whose payments are behind the calendar within the year, worst first: `pace` is far_behind or behind.

    Silent units are not among them: where the payments are not known to the month there is no pace.
    """
    judged = {
        row["subject_code"]
        for row in facts.findings
        if row["status"] == "short" and row["kind"] != "cleared" and _sort(facts, row) == "payment"
    }
    found = []
    for row in facts.units:
        pace, gap = facts.pace.get(row["township_code"]), row["disbursement_shortfall_ytd_cny"]
        if pace is None or pace["pace"] == "on_pace" or not gap:
            continue
        # In December the rule of payment itself answers.
        if row["township_code"] in judged or _is_little(gap, row["guaranteed_ytd_cny"], settings):
            continue
        found.append(
            {
                **row,
                **pace,
                "subject_name": row["township_name"],
                "subject_code": row["township_code"],
                "subject_level": "township",
                "sort": "payment",
                "months_open": pace["months_behind"],
                "shortfall": gap,
                "value_expected": row["guaranteed_ytd_cny"],
                "value_checked": row["disbursed_ytd_cny"],
                "severity": "high" if pace["pace"] == "far_behind" else "medium",
                "is_pace": True,
                "reply_zh": None,
            }
        )
    return sorted(found, key=weight_first)


def weight(row: Row) -> Decimal:
    """What is missing times the months it has been missing: a year's answer counts for its twelve."""
    periods = Decimal(row["months_open"] or 1)
    return Decimal(row["shortfall"] or 0) * periods * _MONTHS.get(row.get("period") or "month", 1)


def weight_first(row: Row) -> tuple[Any, ...]:
    """Order of what is named: severity, money before people before the rest, then the weight."""
    return (
        _SEVERITY.get(row["severity"], 3),
        _KINDS.index(row["sort"]),
        -weight(row),
        row["subject_code"],
        row.get("rule_id") or "",
    )


def named(facts: Facts, settings: Row) -> list[Row]:
    """Everything somebody is named for, worst first."""
    far = [
        row
        for row in payments(facts, settings)
        if is_demanded(row)
        and (row["pace"] == "far_behind" or row["shortfall"] >= settings["named"]["min_gap_cny"])
    ]
    found = [row for row in open_findings(facts) if is_named(row, settings)]
    return sorted([*far, *found], key=weight_first)


def headlines(facts: Facts, settings: Row) -> list[Row]:
    """Three to five statements that lead, worst first: money by amount and months, people, other duties, silence.

    Each has its `kind`, its rows, and their sum; where little is wrong, what is well fills up to three, and that
    nothing could be judged is said rather than left out.
    """
    late = [row for row in payments(facts, settings) if is_demanded(row)]
    opened = [row for row in open_findings(facts) if not is_minor(row, settings)]
    by_sort = {
        sort: sorted(
            [row for row in (*opened, *late) if row["sort"] == sort],
            key=lambda row: (-weight(row), row["subject_code"]),
        )
        for sort in ("payment", "money", "arrears", "people", "other")
    }
    missing = [
        row for row in facts.reporting if "missing" in (row["population"], row["budget"], row["staffing"])
    ]
    heads = []
    for kind in ("payment", "money", "arrears"):
        if by_sort[kind]:
            heads.append(_head(kind, by_sort[kind]))
    heads.sort(key=lambda head: -head["weight"])
    heads += [_head(kind, by_sort[kind]) for kind in ("people", "other") if by_sort[kind]]
    if missing:
        heads.append({"kind": "missing", "rows": missing, "total": None, "weight": Decimal(0)})
    if facts.doubts:
        heads.append({"kind": "doubts", "rows": facts.doubts, "total": None, "weight": Decimal(0)})
    for kind, is_well in (
        ("well_funded", facts.totals.judged > 0 and not by_sort["money"]),
        ("well_paid", facts.totals.paid_units > 0 and not by_sort["payment"]),
        ("well_reported", bool(facts.reporting) and not missing),
        ("unjudged", facts.totals.judged == 0),
    ):
        if is_well and len(heads) < 3:
            heads.append({"kind": kind, "rows": [], "total": None, "weight": Decimal(0)})
    return heads[:5]


def _head(kind: str, rows: Sequence[Row]) -> Row:
    return {
        "kind": kind,
        "rows": list(rows),
        "total": added(row["shortfall"] for row in rows),
        "weight": added(weight(row) for row in rows),
        "nothing": [row for row in rows if _has_nothing(row)],
        "units": len({row["subject_code"] for row in rows}),
    }


def _has_nothing(row: Row) -> bool:
    return row["value_checked"] is not None and row["value_checked"] == 0


def missing_people(facts: Facts) -> int:
    """People missing against duties in force, each once: per unit and matter the largest shortfall."""
    largest: dict[tuple[str, str], int] = {}
    for row in facts.staffing_rows:
        if row["status"] == "short" and is_demanded(row):
            key = row["township_code"], str(row.get("matter") or row["standard_id"])
            largest[key] = max(largest.get(key, 0), int(row["shortfall_persons"] or 0))
    return int(added(largest.values()) or 0)


def cited(facts: Facts, row: Row) -> str:
    """Paper and clause a rule rests on here."""
    paper = source(facts, row)
    return paper if paper == row.get("origin_zh") else f"{paper}{row['clause'] or ''}"


def source(facts: Facts, row: Row) -> str:
    """The paper a rule rests on here: its own where that paper's place holds the division, else where it comes from.

    A county's paper that hands on a province's rule is no basis in another county.
    """
    issuer = str(row.get("issuer_code") or "")
    prefix = issuer
    while prefix.endswith("00"):
        prefix = prefix[:-2]
    origin = row.get("origin_zh")
    if origin and not facts.scope.code.startswith(prefix):
        return str(origin)
    return f"《{row['document_title']}》"


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))
