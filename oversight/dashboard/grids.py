"""A table as data: what the grid shows and what the downloads carry come from the same place."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from oversight import presentation as show
from oversight.dashboard.warehouse import Row, Warehouse
from oversight.metrics import Metric
from oversight.presentation import MONEY_UNITS, MoneyUnit

Kind = Literal["text", "number", "status", "link", "long"]


@dataclass(frozen=True)
class Column:
    """A column: where its value lies, its title and unit, and how it is laid out."""

    field: str
    title: str
    kind: Kind = "text"
    unit: str = ""
    hint: str = ""
    width: int = 0
    # The public table the column is of: it says why a value is not there. `absent` is for what a table does not know.
    table: str = ""
    absent: str = ""
    looks: Mapping[str, show.Look] | None = None
    text: Callable[[Row, MoneyUnit], str] | None = None
    is_hidden: bool = False
    # Whether the value stands in the query under this name, so that every row can be filtered and sorted by it.
    in_sql: bool = True
    # Whether the values of different rows add up to something.
    adds: bool = False
    # Whether a row's own `unit` says what its value is counted in: a file then has the number and the unit apart.
    is_of_unit: bool = False
    # What is shown first where there is no room for all.
    is_decisive: bool = False
    # Whether a text that is longer than its column goes on in the next line, as part of it would say nothing.
    wraps: bool = False

    def heading(self, money: MoneyUnit) -> str:
        """Title and unit; amounts in the unit chosen."""
        unit = MONEY_UNITS[money] if self.unit == "元" else self.unit
        return f"{self.title}（{unit}）" if unit else self.title

    def shown(self, row: Row, money: MoneyUnit) -> str:
        """The value as a reader sees it."""
        if self.text is not None:
            return self.text(row, money)
        found = self.value(row)
        figure = found if isinstance(found, show.Figure) else None
        value: Any = figure.value if figure else found
        if self.looks is not None and (value is not None or not self.absent):
            return show.label(self.looks, value)
        if value is None:
            return self.absent or (figure.word if figure else "") or show.NONE
        if self.unit == "元":
            text = show.money(value, money)
        elif self.unit == "%":
            text = show.percent(value, 2)
        else:
            text = show.cell(self.field, value, money, unit=row.get("unit"))
        return figure.beside(text) if figure else text

    def value(self, row: Row) -> Any:
        """What stands in the row: a figure with what is known of it, or a plain value."""
        value = row.get(self.field)
        if isinstance(value, show.Figure) or not self.table:
            return value
        if self.kind == "number" or value is None:
            return show.figure(self.table, self.field, row)
        return value


def of_metric(metric: Metric, **changes: Any) -> Column:
    """A figure of a roll-up; its rows hold it as `Figure` under the metric's key."""
    return Column(
        metric.key,
        metric.title,
        "number",
        metric.unit,
        f"{metric.over}；{metric.hint}" if metric.hint else metric.over,
        in_sql=False,
        adds=metric.unit != "%",
        **changes,
    )


def public(w: Warehouse, name: str, **changes: Any) -> Column:
    """A column of a public table, titled as its comment in the warehouse says."""
    text = w.texts.get(name)
    column = name.rpartition(".")[2]
    numeric = column.endswith(("_cny", "_pct", "_persons", "_posts", "_count"))
    options: dict[str, Any] = {
        "title": text.title if text else column,
        "unit": text.unit if text else "",
        "hint": text.hint if text else "",
        "kind": "number" if numeric else "status" if column == "status" else "text",
        "table": name.rpartition(".")[0],
    }
    options["adds"] = column.endswith(("_cny", "_persons", "_posts", "_count"))
    if column == "status":
        options["looks"] = show.STATUS
    return Column(column, **(options | changes))


def row_number(**changes: Any) -> Column:
    """The row of a file; no separators, since it names a place."""
    return Column("row_number", "行号", "number", absent=show.NONE, text=_row_number, **changes)


def _row_number(row: Row, _money: MoneyUnit) -> str:
    return str(row["row_number"] or show.NONE)


@dataclass(frozen=True)
class Sum:
    """A row of sums: of which rows (empty: of all), and by column."""

    of: str
    values: Mapping[str, Decimal | int | None]


@dataclass(frozen=True)
class Table:
    """Rows as they come from the query layer, and the columns shown of them."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    key: Callable[[Row], str]
    href: Callable[[Row], str] | None = None
    total: int | None = None
    empty: str = "没有符合条件的记录。可以放宽筛选条件，或换一个月份、地区。"
    notes: Sequence[str] = field(default_factory=tuple)
    # Whether no two rows speak of the same money or people, so that what adds up in a column adds up over the rows.
    is_summed: bool = False
    # The column whose values are not added to each other: each that stands in several rows has a sum of its own.
    sums_by: str = ""

    def sums(self) -> list[Sum]:
        """What the rows add up to, by column; of nothing known nothing. None at all of rows that are not all there."""
        if not self.is_summed or (self.total or 0) > len(self.rows):
            return []
        groups: dict[Any, list[Row]] = {}
        for row in self.rows:
            groups.setdefault(row[self.sums_by] if self.sums_by else "", []).append(row)
        if len(groups) > 1 and self.sums_by not in [column.field for column in self.columns]:
            # Nobody could tell which sum is of what.
            return []
        return [
            Sum(str(of), {column.field: _sum(column, rows) for column in self.columns if column.adds})
            for of, rows in sorted(groups.items(), key=lambda item: -len(item[1]))
            if len(rows) > 1
        ]

    def remark(self, column: Column, row: Row) -> str:
        """What is said beside a number that is not whole, or that the sum below does not take."""
        value = column.value(row)
        if not isinstance(value, show.Figure) or not value.is_known:
            return ""
        is_left = self.is_summed and column.adds and not value.is_added
        return "，".join(word for word in (value.word, NOT_ADDED if is_left else "") if word)

    def told_of_sums(self) -> str:
        """Which numbers in sight the sums below do not take."""
        left = sum(
            1
            for row in self.rows
            if any(NOT_ADDED in self.remark(column, row) for column in self.columns if column.adds)
        )
        if not left or not self.sums():
            return ""
        return f"{SUM_TITLE}不含 {show.count(left)} 个单位不全或口径以外的数"

    def grid_sums(self, money: MoneyUnit) -> list[dict[str, str]]:
        """The rows of sums as text."""
        by_field = {column.field: column for column in self.columns}
        return [
            {
                **{column.field: "" for column in self.columns},
                **{
                    name: show.NONE if value is None else by_field[name].shown({name: value}, money)
                    for name, value in found.values.items()
                },
                **({self.sums_by: found.of} if self.sums_by else {}),
                self.columns[0].field: SUM_TITLE,
                "_id": f"sum {found.of}".strip(),
            }
            for found in self.sums()
        ]

    def grid_rows(self, money: MoneyUnit) -> list[dict[str, str]]:
        """Rows as text, each with its key and the address it leads to."""
        shown = []
        for row in self.rows:
            item = {column.field: column.shown(row, money) for column in self.columns}
            item["_id"] = self.key(row)
            if self.href is not None:
                item["_href"] = self.href(row)
            for column in self.columns:
                if column.looks is not None:
                    item[f"_{column.field}"] = row.get(column.field) or ""
            shown.append(item)
        return shown


SUM_TITLE = "合计"
NOT_ADDED = "不计入合计"


def _plain_value(column: Column, row: Row) -> Any:
    value = column.value(row)
    return value.value if isinstance(value, show.Figure) else value


def _is_added(column: Column, row: Row) -> bool:
    value = column.value(row)
    return value.is_added if isinstance(value, show.Figure) else value is not None


def _sum(column: Column, rows: Sequence[Row]) -> Decimal | int | None:
    known = [_plain_value(column, row) for row in rows if _is_added(column, row)]
    return sum(known) if known else None


def chosen(table: Table, columns: Sequence[str] | None, keys: Sequence[str] | None) -> Table:
    """The same table with just those columns and rows, in that order."""
    by_field = {column.field: column for column in table.columns}
    kept = [by_field[name] for name in columns if name in by_field] if columns else list(table.columns)
    rows = table.rows
    if keys is not None:
        by_key = {table.key(row): row for row in table.rows}
        rows = [by_key[key] for key in keys if key in by_key]
    return replace(table, columns=kept, rows=rows)


def safe_text(text: str) -> str:
    """Text that a spreadsheet takes for a formula gets an apostrophe before it, as in CSV there are no types."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _number(column: Column, row: Row, money: MoneyUnit) -> Decimal | int | None:
    """The number in a cell, exact: what is read rounded on the screen is data in a file."""
    is_told = column.text is not None and column.text is not _row_number
    if column.kind != "number" or (is_told and not column.is_of_unit):
        return None
    value = _plain_value(column, row)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    if column.is_of_unit:
        if row.get("unit") == _YES_OR_NO:
            return None
        value = show.trimmed(Decimal(value))
        value = int(value) if value == value.to_integral_value() and row.get("unit") not in _MONEY else value
    is_money = column.unit == "元" or (column.is_of_unit and row.get("unit") in _MONEY)
    return show.money_value(value, money) if is_money else value


_YES_OR_NO = "是/否"
# A file's column of remarks on another is called as that one, and so.
_REMARK = "_remark"
_MONEY = {"元": "{}", "元/年": "{}/年"}


def _unit_of(row: Row, money: MoneyUnit) -> str:
    """What the values of a row are counted in, as a file says it."""
    unit = str(row.get("unit") or "")
    return _MONEY[unit].format(MONEY_UNITS[money]) if unit in _MONEY else unit


def for_file(table: Table, money: MoneyUnit) -> Table:
    """The table as a file has it: values of differing units are numbers, and the unit stands in a column of its own; so
    do the words that a number is not whole."""
    columns: list[Column] = []
    for column in table.columns:
        columns.append(column)
        is_number = column.kind == "number" and (column.text is None or column.is_of_unit)
        if is_number and any(table.remark(column, row) for row in table.rows):
            columns.append(_remarks(table, column))
    own = [place for place, column in enumerate(columns) if column.is_of_unit]
    if own:
        unit = Column("unit", "计量单位", text=lambda row, _: _unit_of(row, money))
        columns.insert(own[-1] + 1, unit)
    return replace(table, columns=columns)


def _remarks(table: Table, column: Column) -> Column:
    return Column(
        f"{column.field}{_REMARK}", f"{column.title}的说明", text=lambda row, _: table.remark(column, row)
    )


def _plain(value: Decimal | int, unit: str) -> str:
    """A number in a CSV file: no separators, no more noughts than its unit asks for."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    places = len(text.partition(".")[2])
    least = 2 if unit in ("元", "%") else 0
    return f"{Decimal(text):.{least}f}" if places < least else text


def _date(column: Column, row: Row) -> date | None:
    value = row.get(column.field) if column.text is None else None
    return value if isinstance(value, date) else None


def to_csv(table: Table, money: MoneyUnit, context: Sequence[str]) -> bytes:
    """UTF-8 with a mark that Excel needs; title, filters and source as lines around the table."""
    table = for_file(table, money)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([safe_text(table.title)])
    for line in context[:-1]:
        writer.writerow([safe_text(line)])
    writer.writerow([safe_text(column.heading(money)) for column in table.columns])
    for row in table.rows:
        cells = []
        for column in table.columns:
            value, day = _number(column, row, money), _date(column, row)
            if value is not None:
                cells.append(_plain(value, column.unit))
            elif day is not None:
                cells.append(day.isoformat(" ", "seconds") if isinstance(day, datetime) else day.isoformat())
            else:
                cells.append(safe_text(column.shown(row, money)))
        writer.writerow(cells)
    writer.writerow([safe_text(context[-1])])
    return ("\ufeff" + out.getvalue()).encode("utf-8")


def to_xlsx(table: Table, money: MoneyUnit, context: Sequence[str]) -> bytes:
    """A workbook: numbers as numbers, sums as formulas, everything else as text that is never taken for one."""
    import xlsxwriter
    from xlsxwriter.utility import xl_range, xl_rowcol_to_cell

    table = for_file(table, money)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    sheet = book.add_worksheet("".join(c for c in table.title if c not in "[]:*?/\\")[:31])
    edge = {"border": 1, "border_color": "#D6DDE8"}
    title = book.add_format({"bold": True, "font_size": 14})
    note = book.add_format({"font_color": "#56637A"})
    head = book.add_format(
        {
            "bold": True,
            "bg_color": "#17355E",
            "font_color": "#FFFFFF",
            "border": 1,
            "text_wrap": True,
            "valign": "vcenter",
        }
    )
    text = book.add_format({**edge, "valign": "top", "text_wrap": True})
    whole = book.add_format({**edge, "num_format": "#,##0"})
    exact = book.add_format({**edge, "num_format": "#,##0.00####"})
    place = book.add_format({**edge, "num_format": "0"})
    months = book.add_format({**edge, "num_format": 'yyyy"年"m"月"'})
    days = book.add_format({**edge, "num_format": "yyyy-mm-dd"})
    moments = book.add_format({**edge, "num_format": "yyyy-mm-dd hh:mm"})
    below = {**edge, "bold": True, "top": 2}
    sum_text = book.add_format(below)
    sum_whole = book.add_format({**below, "num_format": "#,##0"})
    sum_exact = book.add_format({**below, "num_format": "#,##0.00####"})
    sheet.write_string(0, 0, table.title, title)
    for number, line in enumerate(context[:-1], 1):
        sheet.write_string(number, 0, line, note)
    top = len(context)
    for x, column in enumerate(table.columns):
        sheet.write_string(top, x, column.heading(money), head)
        sheet.set_column(x, x, 40 if column.kind == "long" else max(11, min(24, column.width // 8 or 14)))
    for y, row in enumerate(table.rows, top + 1):
        for x, column in enumerate(table.columns):
            value, day = _number(column, row, money), _date(column, row)
            if isinstance(day, datetime):
                sheet.write_datetime(y, x, day.replace(tzinfo=None), moments)
            elif day is not None:
                is_month = column.field == "month" or "month" in column.field.split("_")
                sheet.write_datetime(y, x, day, months if is_month else days)
            elif value is None:
                sheet.write_string(y, x, column.shown(row, money), text)
            elif column.text is _row_number:
                sheet.write_number(y, x, value, place)
            else:
                sheet.write_number(y, x, value, whole if isinstance(value, int) else exact)
    last = top + len(table.rows)
    sheet.freeze_panes(top + 1, 1)
    if table.rows:
        sheet.autofilter(top, 0, last, len(table.columns) - 1)
    first, end = top + 1, last
    places = {column.field: x for x, column in enumerate(table.columns)}
    by = places.get(table.sums_by)
    for total in table.sums():
        last += 1
        for x, column in enumerate(table.columns):
            found = total.values.get(column.field)
            if found is None:
                said = total.of if column.field == table.sums_by else show.NONE if column.adds else ""
                sheet.write_string(last, x, SUM_TITLE if x == 0 else said, sum_text)
                continue
            # What is filtered away does not count; the value stands in the file too, for those who do not compute.
            cells = xl_range(first, x, end, x)
            form = f"=SUBTOTAL(109,{cells})"
            remarks = places.get(column.field + _REMARK)
            conditions = []
            if by is not None:
                conditions.append(f"({xl_range(first, by, end, by)}={xl_rowcol_to_cell(last, by)})")
            if remarks is not None:
                conditions.append(f'ISERROR(FIND("{NOT_ADDED}",{xl_range(first, remarks, end, remarks)}))')
            if conditions:
                # Row by row, since SUBTOTAL takes no condition.
                each = f"SUBTOTAL(109,OFFSET({xl_rowcol_to_cell(first, x)},ROW({cells})-{first + 1},0))"
                form = f"=SUMPRODUCT({'*'.join([*conditions, each])})"
            value = show.money_value(found, money) if column.unit == "元" else found
            sheet.write_formula(last, x, form, sum_whole if isinstance(value, int) else sum_exact, value)
    sheet.write_string(last + 2, 0, context[-1], note)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(top)
    book.close()
    return out.getvalue()
