"""The workbook: one sheet a table, real numbers, totals as formulas with their values, and a sheet of notes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from oversight import presentation
from oversight.reports.document import (
    Chart,
    Column,
    Heading,
    Paragraph,
    Report,
    Table,
    Value,
    half_widths,
    text_of,
)

_FORMATS = {
    "money": "#,##0.00",
    "pct": "0.00",
    "count": "#,##0",
    "rank": "0",
    "quantity": "#,##0",
    "decimals": "#,##0.00##",
    "month": 'yyyy"年"m"月"',
}
_HEADER_ROW = 2
_LINE = 14.5


def write(report: Report, pictures: dict[str, bytes]) -> bytes:
    """The file's bytes. `pictures` holds the charts as PNG, by key."""
    import xlsxwriter

    held = io.BytesIO()
    book = xlsxwriter.Workbook(
        held,
        # Names that begin with =, +, - or @, or look like an address, are names.
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": False,
        },
    )
    made = report.built_at.replace(tzinfo=None, microsecond=0)
    book.set_properties({"title": report.title, "author": report.issuer, "created": made})
    styles = _Styles(book)
    _notes(book, report, styles)
    names: set[str] = set()
    for table in _tables(report):
        _table(book.add_worksheet(_sheet_name(table.title, names)), table, report, styles)
    _charts(book, report, pictures, styles)
    book.close()
    return held.getvalue()


class _Styles:
    """Cell formats, made once."""

    def __init__(self, book: Any) -> None:
        base = {"font_name": "宋体", "font_size": 10, "valign": "vcenter"}
        boxed = {**base, "border": 1, "border_color": "#808890"}
        self.title = book.add_format({**base, "font_size": 14, "bold": True})
        self.plain = book.add_format({**base, "text_wrap": True})
        self.strong = book.add_format({**base, "bold": True, "text_wrap": True})
        self.draft = book.add_format({**base, "bold": True, "font_color": "#b93a0b"})
        self.header = book.add_format(
            {**boxed, "bold": True, "text_wrap": True, "align": "center", "bg_color": "#e8edf3"}
        )
        self.text = book.add_format({**boxed, "num_format": "@"})
        self.wrapped = book.add_format({**boxed, "num_format": "@", "text_wrap": True})
        self.centred = book.add_format(
            {**boxed, "num_format": "@", "align": "right", "font_color": "#5b6676"}
        )
        self.numbers = {
            kind: book.add_format({**boxed, "num_format": form}) for kind, form in _FORMATS.items()
        }
        strong = {**boxed, "bold": True, "top": 2, "bg_color": "#f5f7f9"}
        self.totals = {
            kind: book.add_format({**strong, "num_format": form}) for kind, form in _FORMATS.items()
        }
        self.total_text = book.add_format({**strong, "num_format": "@"})
        self.caption = book.add_format({**base, "bold": True})
        self.footnote = book.add_format({**base, "font_color": "#4b5768", "text_wrap": True})
        self.bad = book.add_format({"font_color": "#9c2f06", "bold": True})
        self.missing = book.add_format({"font_color": "#4b5768", "italic": True})


def _tables(report: Report) -> list[Table]:
    """Each table once: what stands short in the text stands whole in its annex."""
    found: dict[str, Table] = {}
    for ref in report.tables:
        found.setdefault(ref.table.key, ref.table)
    return list(found.values())


def _sheet_name(title: str, taken: set[str]) -> str:
    base = "".join(c for c in title if c not in "[]:*?/\\'")[:28] or "表"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}{number}", number + 1
    taken.add(name)
    return name


def _notes(book: Any, report: Report, styles: _Styles) -> None:
    sheet = book.add_worksheet("说明")
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 90)
    sheet.set_row(0, 24)
    sheet.write_string(0, 0, report.title, styles.title)
    row = 2
    if report.draft:
        sheet.write_string(1, 0, report.draft, styles.draft)
    for name, text in report.notes:
        sheet.write_string(row, 0, name, styles.strong)
        sheet.write_string(row, 1, text, styles.plain)
        sheet.set_row(row, _height_of([(text, 90)]))
        row += 1
    sheet.write_string(row + 1, 0, "正文", styles.strong)
    row += 2
    for block in (*report.opening, *report.body):
        if isinstance(block, (Heading, Paragraph)):
            sheet.write_string(row, 1, block.text, styles.plain)
            sheet.set_row(row, _height_of([(block.text, 90)]))
            row += 1
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C— &P —")


def _table(sheet: Any, table: Table, report: Report, styles: _Styles) -> None:
    columns = table.columns
    sheet.set_row(0, 24)
    sheet.write_string(0, 0, table.title, styles.title)
    note = f"{presentation.month(report.month)}　{report.scope_name}" + (
        f"　{report.draft}" if report.draft else ""
    )
    sheet.write_string(1, 0, note, styles.draft if report.draft else styles.caption)
    sheet.set_row(1, 15)
    for position, column in enumerate(columns):
        sheet.set_column(position, position, _width(column))
        sheet.write_string(_HEADER_ROW, position, column.title, styles.header)
    first = _HEADER_ROW + 1
    heights = [1.0] * len(table.rows)
    for position, (column, values) in enumerate(zip(columns, zip(*table.rows, strict=True), strict=False)):
        _fill(sheet, first, position, column, values, styles)
        if _is_wrapped(column):
            width = _width(column)
            heights = [
                max(high, _height_of([(text_of(value, column.kind), width)]))
                for high, value in zip(heights, values, strict=True)
            ]
    # Excel fits wrapped lines by itself when it opens a file, others do not.
    if any(map(_is_wrapped, columns)):
        for offset, height in enumerate(heights):
            sheet.set_row(first + offset, height)
    last = first + len(table.rows) - 1
    if table.total is not None:
        _total(sheet, last + 1, first, last, table, styles)
    _conditions(sheet, first, last, columns, styles)
    end = last + (3 if table.total is not None else 2)
    for line in filter(None, (table.note, report.source)):
        if len(columns) > 1:
            sheet.merge_range(end, 0, end, len(columns) - 1, "", styles.footnote)
        sheet.write_string(end, 0, line, styles.footnote)
        sheet.set_row(end, _height_of([(line, sum(map(_width, columns)))]))
        end += 1
    sheet.freeze_panes(first, 1)
    sheet.autofilter(_HEADER_ROW, 0, last, len(columns) - 1)
    across = sum(column.width for column in columns)
    # A4; A3 where a page of A4 would be too small to read.
    sheet.set_paper(8 if across > 160 else 9)
    if across > 90:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_HEADER_ROW)
    sheet.print_area(0, 0, end, len(columns) - 1)
    sheet.set_footer("&C— &P —")


def _width(column: Column) -> float:
    return min(max(column.width + 2, 8), 60)


def _is_wrapped(column: Column) -> bool:
    return not column.is_number and column.width > 20


def _height_of(texts: list[tuple[str, float]]) -> float:
    """Of a row with these texts in columns of that many half-width characters."""
    return _LINE * max(-(-half_widths(text) // max(int(width) - 1, 1)) or 1 for text, width in texts)


def _fill(
    sheet: Any, first: int, position: int, column: Column, values: Sequence[Value], styles: _Styles
) -> None:
    """A column from its first row down; what is the same for all its cells is looked up once."""
    is_wrapped, is_quantity = _is_wrapped(column), column.kind == "quantity"
    plain = styles.centred if column.is_number else styles.wrapped if is_wrapped else styles.text
    number = styles.numbers.get(column.kind, plain)
    for row, value in enumerate(values, start=first):
        if isinstance(value, str) or value is None:
            sheet.write_string(row, position, value or "", plain)
        elif isinstance(value, (Decimal, int)):
            # "#,##0.####" would leave a bare point behind a whole number.
            is_whole = not is_quantity or (value == int(value) and not _is_money(value))
            sheet.write_number(
                row, position, float(value), number if is_whole else styles.numbers["decimals"]
            )
        else:
            sheet.write_datetime(row, position, value, styles.numbers["month"])


def _is_money(value: Decimal | int) -> bool:
    return isinstance(value, Decimal) and value.as_tuple().exponent == -2


def _total(sheet: Any, row: int, first: int, last: int, table: Table, styles: _Styles) -> None:
    cells = table.total_row()
    assert cells is not None
    for position, (column, value) in enumerate(zip(table.columns, cells, strict=True)):
        if not isinstance(value, (Decimal, int)):
            sheet.write_string(row, position, text_of(value, column.kind) if value else "", styles.total_text)
        elif column.total is None:
            sheet.write_number(row, position, float(value), styles.totals[column.kind])
        else:
            formula = _formula(table, column, position, row, first, last)
            sheet.write_formula(row, position, formula, styles.totals[column.kind], float(value))


def _formula(table: Table, column: Column, position: int, row: int, first: int, last: int) -> str:
    from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

    def span(place: int) -> str:
        letter = xl_col_to_name(place)
        return f"{letter}{first + 1}:{letter}{last + 1}"

    total = table.total
    assert total is not None
    if isinstance(column.total, tuple):
        _, part, whole = column.total
        cells = [xl_rowcol_to_cell(row, table.position(key)) for key in (part, whole)]
        return f"=ROUND({cells[0]}/{cells[1]}*100,2)"
    if total.where is None:
        return f"=SUM({span(position)})"
    where = span(table.position(total.where))
    return "=" + "+".join(f'SUMIFS({span(position)},{where},"{value}")' for value in total.counted)


def _conditions(sheet: Any, first: int, last: int, columns: tuple[Column, ...], styles: _Styles) -> None:
    from xlsxwriter.utility import xl_rowcol_to_cell

    for position, column in enumerate(columns):
        if column.key in ("status", "kind"):
            for text, look in (("不达标", styles.bad), ("新增", styles.bad), ("未报送", styles.missing)):
                sheet.conditional_format(
                    first, position, last, position,
                    {"type": "cell", "criteria": "==", "value": f'"{text}"', "format": look},
                )  # fmt: skip
        elif column.key in ("gap", "paid_gap", "shortfall"):
            # In a comparison Excel counts text (未报) as larger than any number.
            cell = xl_rowcol_to_cell(first, position)
            sheet.conditional_format(
                first, position, last, position,
                {"type": "formula", "criteria": f"=AND(ISNUMBER({cell}),{cell}>0)", "format": styles.bad},
            )  # fmt: skip
        elif column.key == "adequacy":
            sheet.conditional_format(
                first, position, last, position,
                {"type": "data_bar", "bar_solid": True, "bar_color": "#9db7d5", "min_type": "num", "min_value": 0},
            )  # fmt: skip


def _charts(book: Any, report: Report, pictures: dict[str, bytes], styles: _Styles) -> None:
    if not report.charts:
        return
    sheet = book.add_worksheet("图")
    row = 0
    for ref in report.charts:
        sheet.write_string(row, 0, ref.caption, styles.caption)
        picture = pictures[ref.chart.key]
        sheet.insert_image(
            row + 1, 0, f"{ref.chart.key}.png",
            {"image_data": io.BytesIO(picture), "x_scale": 0.48, "y_scale": 0.48, "description": describe(ref.chart)},
        )  # fmt: skip
        row += 3 + int(_height(picture) * 0.48 / 20)
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _height(picture: bytes) -> int:
    return int.from_bytes(picture[20:24], "big")


def describe(chart: Chart) -> str:
    """What a chart shows, for those who cannot see it."""
    return f"{chart.title}：{'、'.join(series.name for series in chart.series)}，共{len(chart.categories)}项"
