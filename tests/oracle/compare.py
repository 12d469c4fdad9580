"""Comparing two tables row by row, so that a difference can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb

Row = Mapping[str, Any]
KEYS = {
    "detail.takeovers": ("township_code",),
    "townships": ("township_code",),
    "funding_gap_monthly": ("township_code", "month"),
    "staffing_gap_monthly": ("township_code", "month", "standard_id"),
    "detail.unit_monthly": ("unit_code", "month"),
    "judgements": ("rule_id", "subject_code", "month"),
}


def read_table(warehouse: Path, table: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Some columns of a public table."""
    schema, _, name = table.rpartition(".")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        cursor = connection.execute(f'select {", ".join(columns)} from "{schema or "main"}"."{name}"')
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def distinct(left: Any, right: Any) -> bool:
    """SQL's IS DISTINCT FROM: null equals null and nothing else; 1.50 equals 1.5; a date equals its midnight."""
    if left is None or right is None:
        return left is not right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is not right
    if isinstance(left, datetime):
        left = left.date()
    if isinstance(right, datetime):
        right = right.date()
    return bool(left != right)


def show(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, Fraction):
        return f"{float(value):.2f}"
    if isinstance(value, Decimal | date):
        return str(value)
    return repr(value)


def differences(table: str, expected: Sequence[Row], actual: Sequence[Row], limit: int = 20) -> str:
    """The first differences in words; empty when the two are the same, in whatever order."""
    key = KEYS[table]

    def index(rows: Sequence[Row], side: str) -> tuple[dict[tuple[Any, ...], Row], list[str]]:
        found: dict[tuple[Any, ...], Row] = {}
        twice = []
        for row in rows:
            k = tuple(row[c] for c in key)
            if k in found:
                twice.append(f"{side} has {k} twice")
            found[k] = row
        return found, twice

    wanted, problems = index(expected, "the oracle")
    got, more = index(actual, "the product")
    problems += more
    for k in sorted(wanted.keys() | got.keys(), key=str):
        name = f"{table} " + " ".join(map(show, k))
        if k not in got:
            problems.append(f"{name}: the product has no such row; the oracle has {dict(wanted[k])}")
        elif k not in wanted:
            problems.append(f"{name}: the oracle has no such row; the product has {dict(got[k])}")
        else:
            odd = [c for c in wanted[k] if distinct(wanted[k][c], got[k][c])]
            if odd:
                told = ", ".join(f"{c}: oracle {show(wanted[k][c])}, product {show(got[k][c])}" for c in odd)
                problems.append(f"{name}: {told}")
    if not problems:
        return ""
    rest = len(problems) - limit
    lines = [f"{len(problems)} differences, {len(wanted)} rows expected, {len(got)} found", *problems[:limit]]
    return "\n".join(lines + ([f"... and {rest} more"] if rest > 0 else []))
