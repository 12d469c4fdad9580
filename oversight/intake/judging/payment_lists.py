"""Lists of single payments: their month, their payee, and which months and townships a list says it covers.

Within the months and divisions that a list declares, a township without a row was paid nothing; without such words
nothing is known of it.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from oversight.intake.judging.identity import Units

COVERAGE_SCHEMA: dict[str, Any] = {
    "submission_id": pl.String,
    "sheet": pl.String,
    "source": pl.String,
    "fund_code": pl.String,
    "month": pl.Date,
    "division_code": pl.String,
    "precedence": pl.Int64,
}
_PAYEE_OFFICE = r"(?:人民政府|政府|办事处|财政所|财政办|民政所|民政办|民政办公室|社会事务办|社会事务办公室|党政办公室|机关)+$"
_A_CODE = r"^\d{9}(?:\d{3})?$"


def with_months(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the month of the day of payment, and the township's name without the office that received the money."""
    name = pl.col("reported_name")
    is_code = name.str.contains(_A_CODE)
    return rows.with_columns(
        month=pl.col("paid_on").dt.truncate("1mo"),
        # One column may hold code or name.
        reported_code=pl.when(pl.col("reported_code").is_null() & is_code)
        .then(name.str.slice(0, 9))
        .otherwise("reported_code"),
        reported_name=pl.when(~is_code).then(name.str.replace(_PAYEE_OFFICE, "")),
    )


def coverage(rows: pl.DataFrame, tables: pl.DataFrame, units: Units) -> pl.DataFrame:
    """A row for each month, division and fund for which a list says all that was paid."""
    found: list[tuple[Any, ...]] = []
    funds = dict(rows.group_by("table_no").agg(pl.col("fund_code").unique().sort()).iter_rows())
    lists = tables.filter((pl.col("dataset") == "payments") & pl.col("covers_from").is_not_null())
    for table in lists.iter_rows(named=True):
        county = units.county_in(table["words"] or "")
        if county is None:
            continue
        for month in _months(table["covers_from"], table["covers_to"]):
            found.extend(
                (
                    table["submission_id"],
                    table["sheet"],
                    table["source"],
                    fund,
                    month,
                    county,
                    table["precedence"],
                )
                for fund in funds.get(table["table_no"], ())
            )
    return pl.DataFrame(found, schema=COVERAGE_SCHEMA, orient="row")


def _months(first: date, last: date) -> list[date]:
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]
