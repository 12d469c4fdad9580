"""Findings worked out again from `judgements`, one spell at a time, without the product's SQL.

A spell begins with a judgement that a binding rule is not met, not answered or unconfirmed, and goes on until an
answer says otherwise: met or 超配 clears it, 不适用 ends it. Where answers stop because the unit was abolished it
ends as 已撤并; where they stop for another reason (a rule ended by its date) as 不适用. The next spell of the same
rule and unit names the one before.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

OPEN = ("short", "not_reported", "unconfirmed")
LENGTH = {"month": 1, "quarter": 3, "half_year": 6, "year": 12, "two_years": 24}
COLUMNS = (
    "finding_id", "rule_id", "subject_level", "subject_code", "opened_month", "last_month", "cleared_month",
    "months_open", "status", "value_checked", "value_expected", "shortfall", "previous_finding_id",
)  # fmt: skip


def expected(
    judgements: list[dict[str, Any]], periods: dict[str, str], abolished: frozenset[str] = frozenset()
) -> list[dict[str, Any]]:
    """The findings that these judgements make; `periods` says how long each rule's period is, `abolished` which
    units no longer stand under any code."""
    answers: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    last: dict[str, date] = {}
    for row in judgements:
        period = periods[row["rule_id"]]
        last[period] = max(row["month"], last.get(period, row["month"]))
        if row["is_binding"]:
            answers[row["rule_id"], row["subject_level"], row["subject_unit"]].append(row)
    found = []
    for (rule, level, unit), rows in sorted(answers.items()):
        rows.sort(key=lambda row: (row["month"], row["subject_code"]))
        spell: list[dict[str, Any]] = []
        previous = None
        for row in [*rows, None]:
            if row is not None and row["status"] in OPEN:
                spell.append(row)
                continue
            if spell:
                begins, ends = spell[0], spell[-1]
                name = f"{rule}/{unit}/{begins['month']:%Y-%m}"
                if row is None:
                    # A later period was judged for others, no longer for this one.
                    over = ends["month"] < last[periods[rule]]
                    status = "not_applicable" if over else ends["status"]
                    if unit in abolished:
                        status = "unit_ended"
                else:
                    status = "not_applicable" if row["status"] == "not_applicable" else "cleared"
                apart = (ends["month"].year - begins["month"].year) * 12
                apart += ends["month"].month - begins["month"].month
                found.append(
                    {
                        "finding_id": name,
                        "rule_id": rule,
                        "subject_level": level,
                        "subject_code": ends["subject_code"],
                        "opened_month": begins["month"],
                        "last_month": ends["month"],
                        "cleared_month": row["month"] if row is not None and status == "cleared" else None,
                        "months_open": apart + LENGTH[periods[rule]],
                        "status": status,
                        "value_checked": ends["value_checked"],
                        "value_expected": ends["value_expected"],
                        "shortfall": ends["shortfall"],
                        "previous_finding_id": previous,
                    }
                )
                previous = name
            spell = []
    return found


def check_findings(warehouse: Path) -> int:
    """Compare a warehouse's findings with those its judgements make; how many there are."""

    def rows(query: str) -> list[dict[str, Any]]:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            cursor = connection.execute(query)
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    periods = {row["standard_id"]: row["period"] for row in rows("select standard_id, period from standards")}
    abolished = rows(
        "select unit_id from townships group by unit_id having bool_and(coalesce(valid_to <= "
        "(select last_day(max(month)) from judgements), false))"
    )
    found = expected(
        rows("select * from judgements"), periods, frozenset(row["unit_id"] for row in abolished)
    )
    wanted = {row["finding_id"]: row for row in found}
    listed = rows(f"select {', '.join(COLUMNS)} from findings")
    got = {row["finding_id"]: row for row in listed}
    assert len(got) == len(listed), "a finding is listed twice"
    assert got.keys() == wanted.keys(), sorted(got.keys() ^ wanted.keys())[:10]
    wrong = [(got[name], wanted[name]) for name in wanted if got[name] != wanted[name]]
    assert not wrong, wrong[:3]
    return len(got)
