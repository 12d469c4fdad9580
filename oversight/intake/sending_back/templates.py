"""Fill-in workbooks: a county's townships filled in, units fixed, cells validated, headers locked, version inside.

Everything about a column comes from its contract, so a template cannot ask for what intake would not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from oversight.contracts import DATASETS, LIST_DATASETS, Column, Contract
from oversight.errors import OversightError
from oversight.intake import landed as store
from oversight.intake.judging.identity import Unit, Units, winners
from oversight.intake.judging.judge import judge
from oversight.intake.reading.files import NOTES_SHEET
from oversight.intake.reading.prefilled import LAST, TICK, UNKNOWN
from oversight.intake.sending_back.checking import history
from oversight.intake.sending_back.remarks import TEMPLATE_VERSION
from oversight.settings import DataFolder

FIRST_DATA_ROW = 4
# For what is listed freely: new divisions, indicators that no standard asks for, payments.
SPARE_ROWS = 50
_FREE_LISTS = ("divisions", "indicators", "payments")
_TOWNSHIP_TYPES = ("镇", "乡", "街道", "苏木")
_NO_TOWNSHIPS = ("类似", "其他", "其它", "开发区", "场")


@dataclass(frozen=True)
class County:
    """A county and its township-level units in force in a month, as (code, name)."""

    code: str
    name: str
    townships: tuple[tuple[str, str], ...]
    # No table of divisions knows it yet: its form is how it becomes known.
    is_new: bool = False


@dataclass(frozen=True)
class Indicator:
    """An indicator that a standard asks for, and of whom."""

    code: str
    name: str
    level: str


def new_county(code: str) -> County:
    """A county that is still to be described. Raises `OversightError` unless `code` is a county's."""
    if not (len(code) == 6 and code.isdigit() and code[4:] != "00"):
        raise OversightError(f"“{code}”不是县（市、区）的区划代码：应为 6 位数字，如 360313，末两位不是 00。")
    return County(code, code, (), is_new=True)


def known_divisions(folder: DataFolder, now: datetime) -> pl.DataFrame:
    """The folder's table of divisions as it holds."""
    landed, ledger = history(folder, set(), now)
    ids = set(landed.tables.filter(pl.col("dataset") == "divisions")["submission_id"])
    return winners(judge(store.only(landed, ids), ledger).rows["divisions"])


def county_of(
    folder: DataFolder,
    code: str,
    month: date,
    *,
    now: datetime,
    new: Callable[[str], County] | None = None,
    divisions: pl.DataFrame | None = None,
) -> County:
    """The county's townships in force on the last day of `month`, from the folder's table of divisions.

    `divisions`: that table, where it was read before. Raises `OversightError` when there is no such table, county or
    township, unless `new` makes one.
    """
    if divisions is None:
        divisions = known_divisions(folder, now)
    if new is not None and code not in divisions["division_code"]:
        return new(code)
    if divisions.height == 0:
        raise OversightError(f"{folder.root} 里没有行政区划表。请先把“行政区划”表放入 {folder.raw}。")
    units = Units(divisions)
    known = units.by_code.get(code)
    if not known or len(code) != 6:
        near = "、".join(f"{n}（{c}）" for c, n in list(units.counties.items())[:8])
        raise OversightError(f"行政区划表中没有县（市、区）“{code}”。可用的有：{near}。")
    kinds = dict(divisions.select("division_code", "division_type").iter_rows())
    townships = [
        (unit.code, unit.name)
        for unit in _in_force(units, code, month)
        if _is_township(kinds.get(unit.code), unit.name)
    ]
    if not townships:
        raise OversightError(
            f"{known[-1].name}（{code}）在 {month:%Y-%m} 没有有效的乡镇（街道）。请核对月份。"
        )
    return County(code, known[-1].name, tuple(sorted(townships)))


def _in_force(units: Units, county: str, month: date) -> Iterable[Unit]:
    for code, periods in units.by_code.items():
        if len(code) == 9 and code.startswith(county):
            yield from (unit for unit in periods if unit.in_force(month))


def _is_township(kind: str | None, name: str) -> bool:
    words = kind or name
    return any(t in words for t in _TOWNSHIP_TYPES) and not any(t in words for t in _NO_TOWNSHIPS)


# What tells the rows of a unit apart, besides the unit: its funds, its indicators.
_ROW_KEYS = {"budget": "fund_name", "indicators": "indicator_code"}
# Of these the sums of the year so far are asked alone, once these are known: they say what the month's were.
_GIVEN_BY_SUMS = frozenset(("disbursed_month_cny", "spent_month_cny"))


@dataclass(frozen=True)
class Last:
    """What a unit reported last: its code, what else tells the row apart (a fund, an indicator), values by column."""

    code: str
    row_key: str | None
    values: Mapping[str, Any]


def write_template(
    dataset: str,
    county: County,
    month: date,
    target: Path,
    indicators: Sequence[Indicator] = (),
    last: Sequence[Last] = (),
) -> None:
    """Write the workbook of a dataset for a county and month; `indicators` only for the dataset of that name.

    `last`: what was reported before. Columns that rarely change carry it over, beside one tick a unit.
    """
    import xlsxwriter

    contract = {**DATASETS, **LIST_DATASETS}[dataset]
    book = xlsxwriter.Workbook(str(target), {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_custom_property("oversight_template", f"{dataset}/{TEMPLATE_VERSION}")
    book.set_properties({"title": _title(contract, county, month), "author": "民政监督系统"})
    styles = {
        "title": book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"}),
        "free_title": book.add_format(
            {"bold": True, "font_size": 16, "align": "center", "valign": "vcenter", "locked": False}
        ),
        "note": book.add_format({"font_color": "#595959", "italic": True}),
        "required": book.add_format(_HEADER | {"bg_color": "#F8CBAD"}),
        "optional": book.add_format(_HEADER | {"bg_color": "#D9E1F2"}),
        "fixed": book.add_format({"border": 1, "bg_color": "#F2F2F2", "num_format": "@"}),
        "text": book.add_format({"border": 1, "locked": False, "num_format": "@"}),
        "count": book.add_format({"border": 1, "locked": False, "num_format": "0"}),
        "money": book.add_format({"border": 1, "locked": False, "num_format": "0.00"}),
        "date": book.add_format({"border": 1, "locked": False, "num_format": "yyyy-mm-dd"}),
        "free": book.add_format({"locked": False}),
        "carried_text": book.add_format(_CARRIED | {"num_format": "@"}),
        "carried_count": book.add_format(_CARRIED | {"num_format": "0"}),
        "carried_money": book.add_format(_CARRIED | {"num_format": "0.00"}),
        "tick": book.add_format({"border": 1, "locked": False, "align": "center", "valign": "vcenter"}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top", "border": 1}),
    }
    _write_table(book, contract, county, month, indicators, last, styles)
    _write_notes(book, contract, county, styles)
    book.close()


# What was carried over is pale yellow: neither locked nor blank.
_CARRIED = {"border": 1, "locked": False, "bg_color": "#FFF9E5"}
_HEADER = {"bold": True, "border": 1, "align": "center", "valign": "vcenter", "text_wrap": True}


def _title(contract: Contract, county: County, month: date) -> str:
    if contract.name == "divisions":
        return f"{county.name}行政区划表"
    return f"{county.name}{month.year}年{month.month}月{contract.title_zh}报表"


def _columns(contract: Contract, *, is_carried_over: bool) -> list[Column]:
    """The columns in their order; of a prefilled form those that are typed first, then those that are carried over."""
    columns = list(contract.columns.values())
    if not is_carried_over:
        return columns
    kept = [c for c in columns if not c.rarely_changes and c.name not in _GIVEN_BY_SUMS]
    return [*kept, *(c for c in columns if c.rarely_changes)]


def _with_funds(rows: list[dict[str, str]], last: Sequence[Last]) -> list[dict[str, str]]:
    """A row for each fund that a unit reported last."""
    funds: dict[str, list[str | None]] = {}
    for item in last:
        funds.setdefault(item.code, []).append(item.row_key)
    return [
        row | ({"fund_name": fund} if fund else {})
        for row in rows
        for fund in funds.get(row["reported_code"], [None])
    ]


def _rows(
    contract: Contract, county: County, month: date, indicators: Sequence[Indicator]
) -> list[dict[str, str]]:
    """What is filled in already, row by row."""
    when = f"{month:%Y-%m}"
    if contract.name == "divisions" and county.is_new:
        province, city = f"{county.code[:2]}0000", f"{county.code[:4]}00"
        return [
            {"division_code": province},
            {"division_code": city, "parent_code": province},
            {"division_code": county.code, "parent_code": city},
        ]
    if contract.name == "divisions":
        return [
            {"division_code": code, "division_name": name, "parent_code": county.code}
            for code, name in county.townships
        ]
    if contract.name == "indicators":
        of_level = {"township": county.townships, "county": ((county.code, county.name),)}
        return [
            {
                "month": when,
                "subject_code": code,
                "subject_name": name,
                "indicator_code": indicator.code,
                "indicator_name": indicator.name,
            }
            for level, units in of_level.items()
            for code, name in units
            for indicator in indicators
            if indicator.level == level
        ]
    if contract.name == "payments":
        return []
    return [{"month": when, "reported_code": c, "reported_name": n} for c, n in county.townships]


def _write_table(
    book: Any,
    contract: Contract,
    county: County,
    month: date,
    indicators: Sequence[Indicator],
    last: Sequence[Last],
    styles: dict[str, Any],
) -> None:
    page = book.add_worksheet(contract.title_zh)
    columns = _columns(contract, is_carried_over=bool(last))
    carried = [c for c in columns if c.rarely_changes] if last else []
    tick_at, width = len(columns), len(columns) + bool(last)
    # The title of a list says what it covers, which is for its sender to say.
    head = styles["free_title" if contract.name == "payments" else "title"]
    page.merge_range(0, 0, 0, width - 1, _title(contract, county, month), head)
    page.set_row(0, 30)
    page.write_string(
        1,
        0,
        f"模板第 {TEMPLATE_VERSION} 版。只填白色格；橙色表头的列必填；没有数据留空，确为零填 0。"
        + (
            f"浅黄色格已填好最近一次报送的数：都没有变化的，在“{TICK}”选“是”；有变化的，改那一格，其余仍选“是”；“—”是没有报过的。"
            if last
            else ""
        ),
        styles["note"],
    )
    for at, column in enumerate(columns):
        page.write_string(2, at, column.title_zh, styles["required" if column.required else "optional"])
        page.set_column(at, at, max(12, min(24, len(column.title_zh) * 2 + 2)))
    if last:
        page.write_string(2, tick_at, TICK, styles["required"])
        page.set_column(tick_at, tick_at, 12)
        for at, column in enumerate(carried, start=width):
            page.write_string(2, at, f"{LAST}{column.title_zh}", styles["optional"])
        page.set_column(width, width + len(carried) - 1, None, None, {"hidden": True})
    page.set_row(2, 34)
    filled = _rows(contract, county, month, indicators)
    if contract.name == "budget":
        filled = _with_funds(filled, last)
    of_row = {(item.code, item.row_key): item.values for item in last}
    known = {item.code for item in last}
    spare = SPARE_ROWS if contract.name in _FREE_LISTS and not last else 0
    end = FIRST_DATA_ROW - 2 + len(filled) + spare
    carried_at = {c.name: at for at, c in enumerate(carried, start=width)}
    ticks: dict[str, list[int]] = {}
    for r, row in enumerate([*filled, *({} for _ in range(spare))], start=FIRST_DATA_ROW - 1):
        code = row.get("reported_code") or row.get("subject_code") or ""
        before = of_row.get((code, row.get(_ROW_KEYS.get(contract.name, ""))), {})
        for at, column in enumerate(columns):
            value = row.get(column.name)
            if value is not None:
                page.write_string(r, at, value, styles["text" if contract.name == "divisions" else "fixed"])
            elif column.name in carried_at and (
                before.get(column.name) is not None
                or (code in known and (not column.required or contract.name == "indicators"))
            ):
                old = before.get(column.name)
                style = styles[f"carried_{'text' if old is None else _style(column)}"]
                _carry_over(page, r, at, UNKNOWN if old is None else old, style)
                _carry_over(
                    page, r, carried_at[column.name], UNKNOWN if old is None else old, styles["fixed"]
                )
                if r not in ticks.setdefault(code, []):
                    ticks[code].append(r)
            else:
                page.write_blank(r, at, None, styles[_style(column)])
    for rows in ticks.values():
        # One tick a unit, over all its rows.
        if rows[-1] - rows[0] > 0:
            page.merge_range(rows[0], tick_at, rows[-1], tick_at, "", styles["tick"])
        else:
            page.write_blank(rows[0], tick_at, None, styles["tick"])
    if ticks:
        rule = {
            "validate": "list",
            "source": ["是"],
            "ignore_blank": True,
            "error_message": "没有变化选“是”，否则留空。",
        }
        page.data_validation(FIRST_DATA_ROW - 1, tick_at, end, tick_at, rule)
    for at, column in enumerate(columns):
        rule_of = _validation(column)
        if contract.name == "payments" and column.name == "reported_name":
            rule_of = _payee(county)
        if rule_of is not None and end >= FIRST_DATA_ROW - 1:
            page.data_validation(FIRST_DATA_ROW - 1, at, end, at, rule_of)
    if contract.name != "divisions":
        page.write_string(end + 2, 0, "填表人：", styles["free"])
        page.write_string(end + 2, 2, "审核人：", styles["free"])
        page.write_string(end + 2, 4, "填表日期：", styles["free"])
    page.freeze_panes(3, 3 if contract.name != "divisions" else 2)
    page.protect("", {"format_columns": True, "format_rows": True, "select_locked_cells": True})
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(2)


def _carry_over(page: Any, row: int, at: int, value: Any, style: Any) -> None:
    if isinstance(value, bool):
        page.write_string(row, at, "是" if value else "否", style)
    elif isinstance(value, (int, float, Decimal)):
        page.write_number(row, at, float(value), style)
    else:
        page.write_string(row, at, str(value), style)


def _style(column: Column) -> str:
    return column.kind if column.kind in ("count", "money") or column.name == "paid_on" else "text"


def _payee(county: County) -> dict[str, Any]:
    """A choice among the county's townships, as the sheet of notes lists them."""
    last = _UNITS_ROW + len(county.townships)
    return {
        "validate": "list",
        "source": f"='{NOTES_SHEET}'!${_UNITS_COLUMN}${_UNITS_ROW + 1}:${_UNITS_COLUMN}${last}",
        "ignore_blank": True,
        "error_type": "warning",
        "error_title": "名单外的收款单位",
        "error_message": "名单里没有这个乡镇（街道）。写其财政所、民政所也可以，请核对名称。",
    }


# Where the sheet of notes lists the townships: after so many rows, names in this column.
_UNITS_ROW, _UNITS_COLUMN = 3, "H"


def _validation(column: Column) -> dict[str, Any] | None:
    """Excel's own check of a cell: wrong kinds are stopped at once, where the sender sits."""
    told = {
        "input_title": column.title_zh[:32],
        "input_message": column.description_zh[:255],
        "error_title": "填写有误",
        "ignore_blank": True,
    }
    if column.kind == "count":
        return told | {
            "validate": "integer",
            "criteria": "between",
            "minimum": 0,
            "maximum": int(column.plausible_max or 10**9),
            "error_message": f"请填写 0 到 {int(column.plausible_max or 10**9)} 的整数，单位为{column.unit}。",
        }
    if column.kind == "money":
        return told | {
            "validate": "decimal",
            "criteria": "between",
            # Money taken back is a figure too.
            "minimum": -int(column.plausible_max or 10**12) if column.may_be_negative else 0,
            "maximum": int(column.plausible_max or 10**12),
            "error_message": f"请填写{'' if column.may_be_negative else '不小于 0 的'}金额，"
            "单位为元（不是万元），至多两位小数。",
        }
    if column.kind == "bool":
        return told | {"validate": "list", "source": ["是", "否"], "error_message": "请填写 是 或 否。"}
    if column.kind == "code":
        return told | {
            "validate": "length",
            "criteria": "between",
            "minimum": 6,
            "maximum": 12,
            "error_message": "请填写 6、9 或 12 位区划代码。",
        }
    return told | {"validate": "any"} if column.kind in ("value", "date") else None


def _write_notes(book: Any, contract: Contract, county: County, styles: dict[str, Any]) -> None:
    page = book.add_worksheet(NOTES_SHEET)
    if contract.name == "payments":
        page.set_column(6, 7, 16)
        page.write_string(_UNITS_ROW - 1, 6, "收款单位代码", styles["optional"])
        page.write_string(_UNITS_ROW - 1, 7, "收款单位", styles["optional"])
        for r, (code, name) in enumerate(county.townships, start=_UNITS_ROW):
            page.write_string(r, 6, code, styles["fixed"])
            page.write_string(r, 7, name, styles["fixed"])
    page.set_column(0, 0, 8)
    page.set_column(1, 1, 30)
    page.set_column(2, 3, 10)
    page.set_column(4, 4, 70)
    page.write_string(0, 0, f"{contract.title_zh}填报说明（模板第 {TEMPLATE_VERSION} 版）", styles["title"])
    for at, title in enumerate(("序", "列名", "计量", "是否必填", "含义")):
        page.write_string(2, at, title, styles["optional"])
    row = 3
    for number, column in enumerate(contract.columns.values(), start=1):
        texts = (
            str(number),
            column.title_zh,
            column.unit or "",
            "必填" if column.required else "",
            column.description_zh,
        )
        for at, text in enumerate(texts):
            page.write_string(row, at, text, styles["wrap"])
        row += 1
    for line in _RULES_OF_LISTS if contract.name == "payments" else _RULES:
        row += 1
        page.write_string(row, 1, line)
    page.protect()


_RULES = (
    "一、请勿增删、移动列，也不要改表头；行可以不填，但不要改动已填好的月份和代码。",
    "二、数量和金额填在规定的计量单位下，只填数字，不带“元”“人”等字。",
    "三、没有数据的格留空，不要填“无”“/”；确实为零填 0。",
    "四、填好后直接报送本文件；如被退回，按退回件第一页逐条更正后整份重报。",
    "五、报送更正时，请在文件名中写明“更正”。",
)
_RULES_OF_LISTS = (
    "一、请勿增删、移动列，也不要改表头和第一行的标题：标题写明本表包括哪个县（市、区）哪个月的全部支付。",
    "二、一笔支付一行，凭证号照支付凭证填写；同一凭证重报的，以后报的为准。",
    "三、收款单位从名单中选，或写代码；退回、收回的填负数；资金项目不写的是民政工作经费。",
    "四、当月没有支付的乡镇（街道）不用列：标题所写月份内没有列出的，就是支付 0.00 元。",
    "五、只有一部分支付的，请把标题中的月份去掉，没有列出的就是未知。",
)
