"""The fill-in workbook for those units of a county that whoever asks reports on, with what they reported last."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import polars as pl

from oversight.accounts.scope import EVERYTHING, Scope
from oversight.contracts import DATASETS
from oversight.editions.edition import current, open_edition
from oversight.errors import OversightError
from oversight.intake.sending_back.templates import County, Indicator, Last, county_of, write_template
from oversight.settings import DataFolder
from oversight.standards import load_standards

# Made from other answers (五有), not reported.
_SUMMARIES = frozenset(("有机构", "有人员", "有经费", "有场所", "有动力"))


def fill_in(
    folder: DataFolder,
    dataset: str,
    county_code: str,
    month: date,
    target: Path,
    *,
    now: datetime,
    scope: Scope = EVERYTHING,
) -> None:
    """Write the workbook of a dataset and month. Raises `OversightError` where there is no unit to fill in for."""
    county = county_of(folder, county_code, month, now=now)
    county = replace(county, townships=tuple(unit for unit in county.townships if scope.covers(unit[0])))
    if not county.townships:
        raise OversightError(
            f"{county.name}在 {month:%Y-%m} 没有由您报送的乡镇（街道）。请核对月份和账号的区划。"
        )
    write_for(folder, dataset, county, month, target, scope)


def write_for(
    folder: DataFolder,
    dataset: str,
    county: County,
    month: date,
    target: Path,
    scope: Scope = EVERYTHING,
) -> None:
    """Write the workbook of a dataset and month for the county's units, as far as the scope reaches."""
    last = last_reported(folder, dataset, county, month) if dataset in MONTHLY else []
    asked = indicators_asked(folder, county.code, month) if dataset == "indicators" else []
    if not scope.covers(county.code):
        asked = [item for item in asked if item.level == "township"]
    known = {item.code for item in asked}
    for item in last:
        # What is reported without a standard asking for it is carried over too.
        if dataset == "indicators" and item.row_key is not None and item.row_key not in known:
            known.add(item.row_key)
            asked.append(Indicator(item.row_key, str(item.values["indicator_name"] or ""), "township"))
    write_template(dataset, county, month, target, asked, last)


# What a township reports each month.
MONTHLY = ("population", "budget", "staffing", "indicators")
_KEYS = {"budget": ("township_code", "fund_name"), "indicators": ("subject_code", "indicator_code")}


def last_reported(folder: DataFolder, dataset: str, county: County, month: date) -> list[Last]:
    """What each of the county's units reported last before the month, in the edition in force; none without one.

    Money is the year's: in January nothing of it is carried over. What is older than a year is too old to be.
    """
    if current(folder) is None:
        return []
    code, row_key = _KEYS.get(dataset, ("township_code", "null"))
    since = date(month.year, 1, 1) if dataset == "budget" else date(month.year - 1, month.month, 1)
    columns = [c.name for c in DATASETS[dataset].columns.values() if c.rarely_changes]
    if dataset == "indicators":
        columns.append("indicator_name")
    units = [unit for unit, _ in county.townships]
    # A unit's last month; of that month what counts of each row.
    newest = f"""
        select {code} as code, {row_key} as row_key, {", ".join(columns)}
        from reported.{dataset}
        where row_status = 'accepted' and month >= ? and month < ? and list_contains(?, {code})
        qualify month = max(month) over (partition by {code}{", indicator_code" if dataset == "indicators" else ""})
            and row_number() over (partition by {code}, {row_key}, month order by precedence desc) = 1
        order by code, row_key
    """
    with open_edition(folder) as edition:
        rows = edition.execute(newest, [since, month, units]).fetchall()
    return [Last(row[0], row[1], dict(zip(columns, row[2:], strict=True))) for row in rows]


def indicators_asked(folder: DataFolder, county: str, month: date) -> list[Indicator]:
    """What the standards in force for the county ask of it and of its townships, beyond the other datasets."""
    standards = load_standards(folder)
    columns = {name for contract in DATASETS.values() for name in contract.columns}
    scope = pl.col("scope_code").str.strip_chars_end("0")
    asked = (
        standards.measures.filter(
            ~pl.col("measure_code").is_in(list(columns)) & pl.col("measure_code").is_not_null()
        )
        .join(
            standards.standards.filter(
                pl.lit(county).str.starts_with(scope)
                & (pl.col("effective_from").is_null() | (pl.col("effective_from") <= month))
                & (pl.col("effective_to").is_null() | (pl.col("effective_to") >= month))
            ).select("standard_id", "subject_level"),
            on="standard_id",
            maintain_order="left",
        )
        # A figure of the units below is reported by them, not by the one that is judged by it.
        .filter(pl.col("unit_level").is_null())
        .with_columns(pl.col("subject_level").str.split(";"))
        .explode("subject_level")
        .unique(["measure_code", "subject_level"], keep="first", maintain_order=True)
        .filter(~pl.col("measure_code").str.contains("%", literal=True))
    )
    return [
        Indicator(code, label, level)
        for code, label, level in asked.select("measure_code", "label_zh", "subject_level").iter_rows()
        if level in ("township", "county") and label not in _SUMMARIES
    ]
