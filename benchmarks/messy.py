"""Reports as people send them, made from known values: random layout, unit, number form, encoding and dirt.

Every file says what must be read from it, or with which code it must be refused.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from oversight.contracts import DATASETS, Column

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "divisions"
Key = tuple[str, str, date]  # dataset, township, month
Cell = Any
REPORTS = ("population", "budget", "staffing")


@dataclass(frozen=True)
class County:
    """A county and its township-level units, as (code, name)."""

    code: str
    name: str
    units: tuple[tuple[str, str], ...]
    is_unique: bool


@dataclass
class Made:
    """A file, the values that must come out of it, and the code it (or some row of it) must be refused with."""

    name: str
    content: bytes
    expected: dict[Key, dict[str, Any]] = field(default_factory=dict)
    refused_with: str | None = None
    recipe: str = ""


def counties() -> list[County]:
    """All counties of China with their 41,352 real units where the reference data are there; else made-up ones."""
    streets = SHARED / "modood_streets_2023.csv.gz"
    if not streets.is_file():
        made = [
            County(f"{36 + n // 90}{n % 90 + 10}{n % 80 + 10}", f"模拟{_chinese(n + 1)}县", (), True)
            for n in range(120)
        ]
        return [
            County(
                c.code,
                c.name,
                tuple(
                    (f"{c.code}{100 + i}", f"{a}{b}镇")
                    for i, (a, b) in enumerate((x, y) for x in "东南西北中" for y in "河山林")
                ),
                True,
            )
            for c in made
        ]
    with (SHARED / "modood_areas_2023.csv").open(encoding="utf-8") as file:
        names = {row["code"]: row["name"] for row in csv.DictReader(file)}
    units: dict[str, list[tuple[str, str]]] = defaultdict(list)
    with gzip.open(streets, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            units[row["code"][:6]].append((row["code"], row["name"]))
    said = list(names.values())
    return [
        County(
            code,
            names.get(code, code),
            tuple(found),
            code in names and len(names[code]) > 2 and sum(names[code] in other for other in said) == 1,
        )
        for code, found in sorted(units.items())
    ]


def divisions_csv(all_counties: Sequence[County]) -> bytes:
    """The table of divisions that the files are judged against."""
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow(("区划代码", "名称", "类型", "上级代码"))
    for county in all_counties:
        out.writerow((county.code, county.name, "县", county.code[:4] + "00"))
        out.writerows((code, name, "镇", county.code) for code, name in county.units)
    return text.getvalue().encode()


# --- values ---------------------------------------------------------------------------------------------


def _values(dataset: str, month: date, r: random.Random) -> dict[str, Any]:
    def some(value: Any, share: float = 0.85) -> Any:
        return value if r.random() < share else None

    if dataset == "population":
        people = r.randint(3_000, 90_000)
        return {
            "households_count": some(people // 3),
            "population_persons": people,
            "births_persons": some(r.randint(0, 40)),
            "deaths_persons": some(r.randint(0, 40)),
            "moved_in_persons": some(r.randint(0, 60)),
            "moved_out_persons": some(r.randint(0, 60)),
            "resident_population_persons": some(int(people * r.uniform(0.6, 1.1))),
        }
    if dataset == "budget":
        year = (
            Decimal(r.randint(2_000_000, 30_000_000)) / 100
            if r.random() < 0.7
            else Decimal(r.randint(20, 300) * 1000)
        )
        part = (year / 12).quantize(Decimal("0.01"))
        return {
            "initial_budget_cny": year,
            "adjusted_budget_cny": some((year * 11 / 10).quantize(Decimal("0.01")), 0.4),
            "disbursed_month_cny": part,
            "disbursed_cumulative_cny": some(part * month.month),
            "spent_month_cny": some(part),
            "spent_cumulative_cny": some(part * month.month),
            "is_listed_separately": some(r.random() < 0.6),
        }
    villages = r.randint(3, 40)
    return {
        "administrative_posts": r.randint(0, 4),
        "institution_posts": r.randint(0, 6),
        "dedicated_staff_persons": r.randint(0, 8),
        "welfare_posts_persons": some(r.randint(0, 12)),
        "purchased_service_persons": some(r.randint(0, 12)),
        "part_time_persons": some(r.randint(0, 5)),
        "villages_count": some(villages),
        "villages_with_assistant_count": some(r.randint(0, villages)),
    }


# The columns that files are made of, and those without which a file would not be recognised.
_FIGURES = {name for dataset in REPORTS for name in _values(dataset, date(2025, 1, 1), random.Random(0))}
_ALWAYS = {c.name for dataset in REPORTS for c in DATASETS[dataset].measures if c.required}
_ALWAYS |= {"initial_budget_cny", "disbursed_month_cny"}

_PLAIN_DIGITS, _FORMAL_DIGITS = "零一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖"


def _chinese(number: int, *, formal: bool = False) -> str:
    """A whole number below 100 million as it is written out."""
    digits, steps = (
        (_FORMAL_DIGITS, ("", "拾", "佰", "仟")) if formal else (_PLAIN_DIGITS, ("", "十", "百", "千"))
    )
    if number == 0:
        return "零"

    def four(n: int) -> str:
        text, zero = "", False
        for place in (3, 2, 1, 0):
            digit = n // 10**place % 10
            if digit:
                text += ("零" if zero else "") + digits[digit] + steps[place]
                zero = False
            elif text:
                zero = True
        return text

    high, low = divmod(number, 10_000)
    text = four(high) + "万" if high else ""
    if low:
        text += ("零" if high and low < 1000 else "") + four(low)
    return text


_FULL_WIDTH = str.maketrans("0123456789.,", "０１２３４５６７８９．，")
_BLANKS = (None, "", "—", "/", "-", "——", "－")


def _write_number(value: Any, power: int, suffix: str, style: str, r: random.Random) -> Cell:
    """A value in a column of that power of ten, written in a style; None as one of the ways to leave blank."""
    if value is None:
        return r.choice(_BLANKS)
    if isinstance(value, bool):
        return r.choice(("是", "√", "已单列") if value else ("否", "×", "未单列"))
    number = Decimal(value)
    here = number.scaleb(-power).normalize()
    text = f"{here:f}"
    if style == "number":
        return int(here) if here == here.to_integral_value() else float(here)
    if style == "thousands":
        return f"{here:,f}"
    if style == "full width":
        return text.translate(_FULL_WIDTH)
    if style == "with unit":
        return f"{number.normalize():f}{suffix}"
    if style == "in 万" and number >= 1000:
        return f"{number.scaleb(-4).normalize():f}万"
    if style == "chinese" and power == 0 and number == number.to_integral_value() and number > 20:
        return _chinese(int(number), formal=r.random() < 0.5)
    if style == "scientific" and number > 0:
        return f"{here:.14E}" if len(here.as_tuple().digits) <= 15 else text
    if style == "currency" and suffix == "元" and power == 0:
        return f"¥{here:,.2f}"
    if style == "spaced":
        return f" {text}\u3000"
    return text


_STYLES = ("number",) * 8 + (
    "text",
    "thousands",
    "full width",
    "with unit",
    "in 万",
    "chinese",
    "scientific",
    "currency",
    "spaced",
)


# --- months and codes -----------------------------------------------------------------------------------


def _write_month(month: date, style: str) -> Cell:
    year, number = month.year, month.month
    digits = str.maketrans("0123456789", "〇一二三四五六七八九")
    return {
        "2025-06": f"{year}-{number:02}",
        "202506": f"{year}{number:02}",
        "number": int(f"{year}{number:02}"),
        "2025年6月": f"{year}年{number}月",
        "2025.06": f"{year}.{number:02}",
        "chinese": f"{str(year).translate(digits)}年{_chinese(number).removeprefix('一') or '一'}月",
        "date": month,
        "slashes": f"{year}/{number}/1",
        "month only": f"{number}月",
        "full width": f"{year}－{number:02}".translate(_FULL_WIDTH),
    }[style]


_MONTH_STYLES = (
    "2025-06",
    "202506",
    "number",
    "2025年6月",
    "2025.06",
    "chinese",
    "date",
    "slashes",
    "month only",
    "full width",
)


def _write_code(code: str, style: str) -> Cell:
    return {
        "text": code,
        "number": int(code),
        "12": code + "000",
        "12 number": int(code + "000"),
        "float": f"{code}.0",
        "spaced": f"{code} ",
        "full width": code.translate(_FULL_WIDTH),
        "scientific": f"{code[0]}.{code[1:]}E+08",
        "quoted": f"'{code}",
    }[style]


_CODE_STYLES = (
    ("text",) * 5
    + ("number",) * 3
    + ("12", "12 number", "float", "spaced", "full width", "scientific", "quoted")
)


# --- a table --------------------------------------------------------------------------------------------


@dataclass
class Sheet:
    """Rows of cells and merged ranges (first row, first column, last row, last column)."""

    name: str
    rows: list[list[Cell]] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)


class Plan:
    """The choices made for one file."""

    def __init__(self, county: County, r: random.Random) -> None:
        self.county, self.r = county, r
        self.is_csv = r.random() < 0.35
        self.month = date(r.choice((2024, 2025)), r.randint(1, 12), 1)
        self.code_style = r.choice(_CODE_STYLES)
        self.has_code = not (county.is_unique and r.random() < 0.08 and self._names_differ())
        self.month_in = r.choice(("column", "column", "column", "title", "sheet"))
        self.month_style = r.choice(_MONTH_STYLES)
        if self.is_csv and self.month_style == "date":
            self.month_style = "2025-06"
        if self.is_csv and self.month_in == "sheet":
            self.month_in = "title"
        self.header_rows = r.choice((1, 1, 1, 2, 2, 3))
        self.title_unit = r.choice((None, None, "元", "千元", "万元", "亿元"))
        self.notes: list[str] = []

    def _names_differ(self) -> bool:
        names = [name for _, name in self.county.units]
        return len(set(names)) == len(names)

    def maybe(self, share: float, what: str) -> bool:
        chosen = self.r.random() < share
        if chosen:
            self.notes.append(what)
        return chosen


def _title(plan: Plan, words: str, *, month: bool) -> str:
    when = f"{plan.month.year}年{plan.month.month}月" if month else f"{plan.month.year}年"
    return f"{plan.county.name}{when}{words}"


def table(
    plan: Plan, dataset: str, months: Sequence[date], spoil: str | None
) -> tuple[Sheet, dict[Key, dict[str, Any]]]:
    """One table of a dataset on a sheet, and what must come out of it."""
    r, contract = plan.r, DATASETS[dataset]
    measures = [
        c for c in contract.measures if c.name in _ALWAYS or (c.name in _FIGURES and r.random() < 0.7)
    ]
    r.shuffle(measures)
    if spoil == "F06":
        gone = {"population_persons", "dedicated_staff_persons", *contract.any_of}
        measures = [c for c in contract.measures if c in measures or c.name == "is_listed_separately"]
        measures = [c for c in measures if c.name not in gone]
    month_in = plan.month_in if len(months) == 1 else "column"
    columns: list[Column | str] = []
    if plan.maybe(0.4, "序号"):
        columns.append("序号")
    leading: list[Column | str] = []
    if month_in == "column":
        leading.append(contract.columns["month"])
    if plan.has_code:
        leading.append(contract.columns["reported_code"])
    if not plan.has_code or r.random() < 0.85:
        leading.append(contract.columns["reported_name"])
    if plan.maybe(0.2, "shuffled keys"):
        r.shuffle(leading)
    columns += [*leading, *measures]
    for what, share in (("备注", 0.3), ("联系电话", 0.15), ("", 0.15), ("上年同期数", 0.1)):
        if plan.maybe(share, what or "spacer column"):
            columns.insert(r.randint(len(columns) - len(measures), len(columns)), what)
    if spoil == "F09":
        columns.append(next(c for c in measures if c.name in _ALWAYS))
    titles, powers = _titles(plan, columns, spoil)
    rows: list[list[Cell]] = []
    sheet = Sheet("Sheet1", rows)
    width = len(columns)
    words = r.choice(
        (f"{contract.title_zh}统计表", f"{contract.title_zh}月报表", f"{contract.title_zh}情况表")
    )
    year_needed = month_in == "column" and plan.month_style == "month only"
    if month_in == "title" or year_needed or not plan.has_code or plan.maybe(0.5, "title"):
        if spoil == "F18":
            rows.append([f"{plan.county.name}{words}"])
        else:
            rows.append(
                [_title(plan, words, month=month_in == "title" or (not year_needed and len(months) == 1))]
            )
        if width > 1 and not plan.is_csv:
            sheet.merges.append((0, 0, 0, width - 1))
        if plan.maybe(0.2, "blank line"):
            rows.append([])
    if plan.title_unit and dataset == "budget" and any(powers.get(c.name) == "title" for c in measures):
        rows.append([""] * max(0, width - 2) + [f"单位：{plan.title_unit}"])
    if plan.maybe(0.2, "filled by"):
        rows.append(
            [f"填报单位：{plan.county.name}民政局", "", "", f"填表日期：{plan.month.year + 1}年1月8日"]
        )
    _header(plan, sheet, columns, titles, contract.group_labels)
    header = [list(row) for row in rows[-1:]]
    power_of = {
        name: _POWERS[plan.title_unit or "元"] if unit == "title" else _POWERS.get(unit, 0)
        for name, unit in powers.items()
    }
    expected: dict[Key, dict[str, Any]] = {}
    sums: dict[str, Decimal] = defaultdict(Decimal)
    number = 0
    units = list(plan.county.units)
    for month in months:
        for code, name in units:
            values = _values(dataset, month, r)
            kept = {c.name: values[c.name] for c in measures}
            if all(v is None for v in kept.values()):
                continue
            number += 1
            row = [_cell(plan, c, code, name, month, values, number, power_of) for c in columns]
            rows.append(row)
            expected[dataset, code, month] = {c.name: kept.get(c.name) for c in contract.measures}
            for name_, value in kept.items():
                if value is not None and not isinstance(value, bool):
                    sums[name_] += Decimal(value)
            if plan.maybe(0.01, "blank row"):
                rows.append([])
            if plan.header_rows == 1 and number % 20 == 0 and plan.maybe(0.5, "header again"):
                rows.append(list(header[0]))
    if plan.maybe(0.5, "total"):
        total: list[Cell] = ["" for _ in columns]
        first = next(i for i, c in enumerate(columns) if isinstance(c, Column))
        name_at = next(
            (i for i, c in enumerate(columns) if isinstance(c, Column) and c.name == "reported_name"), first
        )
        total[name_at] = r.choice(("合计", "总计", "合 计", "全县合计"))
        for i, c in enumerate(columns):
            if isinstance(c, Column) and c.name in sums:
                shown = sums[c.name].scaleb(-power_of.get(c.name, 0)).normalize()
                total[i] = f"{shown:f}" if plan.is_csv else float(shown)
        rows.append(total)
    if plan.maybe(0.3, "footer"):
        rows.append(
            [r.choice(("注：本表数据截至月末。", "说明：以公安部门数据为准。", "备注：表中数据未经审计。"))]
        )
    if plan.maybe(0.3, "signature"):
        rows.append(["填表人：张三", "", "审核人：李四", "", "联系电话：0799-1234567"])
    return sheet, expected


_POWERS = {"元": 0, "千元": 3, "万元": 4, "亿元": 8, "万人": 4, "万户": 4}


def _titles(
    plan: Plan, columns: Sequence[Column | str], spoil: str | None
) -> tuple[list[str], dict[str, str]]:
    """Header texts, and the unit that each measure is written in ("title": the one the title line states)."""
    r = plan.r
    titles: list[str] = []
    units: dict[str, str] = {}
    for column in columns:
        if isinstance(column, str):
            titles.append(column)
            continue
        label = column.label_zh if r.random() < 0.6 else r.choice((column.label_zh, *column.synonyms))
        if not column.is_measure and r.random() < 0.7:
            label = column.label_zh
        unit = None
        if column.kind == "money":
            choice = r.choice(("none", "none", "元", "千元", "万元", "亿元"))
            if choice == "none":
                units[column.name] = "title" if plan.title_unit else "元"
            else:
                units[column.name] = unit = choice
        elif column.kind == "count" and column.unit:
            unit = r.choice((None, None, column.unit))
            if column.scale == "stock" and column.unit in ("人", "户") and r.random() < 0.15:
                unit = "万" + column.unit
                units[column.name] = unit
        if spoil == "F10" and column.name == "initial_budget_cny":
            unit = "美元"
        title = label + (
            r.choice(("（{}）", "({})", "【{}】", "/{}", "\n（{}）")).format(unit) if unit else ""
        )
        if r.random() < 0.1 and len(title) < 8 and "\n" not in title:
            title = r.choice((" ", "\u3000")).join(title)
        titles.append(("*" if column.required and r.random() < 0.1 else "") + title)
    return titles, units


def _header(
    plan: Plan, sheet: Sheet, columns: Sequence[Column | str], titles: list[str], labels: Sequence[str]
) -> None:
    top = len(sheet.rows)
    count = plan.header_rows
    lines = [["" for _ in columns] for _ in range(count)]
    groups = [g for g in labels[1:] if g.endswith("情况")]
    starts = [i for i, c in enumerate(columns) if isinstance(c, Column) and c.is_measure]
    at = 0
    while at < len(columns):
        run = 1
        if count > 1 and at in starts and groups and plan.r.random() < 0.6:
            while run < 3 and at + run in starts:
                run += 1
        if run > 1:
            label = plan.r.choice(groups)
            lines[0][at] = label
            # Without merged cells (CSV) the group's word stands over its first column only.
            sheet.merges.append((top, at, top + count - 2, at + run - 1))
            for k in range(at, at + run):
                lines[-1][k] = titles[k]
        else:
            lines[0 if count > 1 and not plan.is_csv else -1][at] = titles[at]
            if count > 1 and not plan.is_csv and titles[at]:
                sheet.merges.append((top, at, top + count - 1, at))
        at += run
    sheet.rows.extend(lines)


def _cell(
    plan: Plan,
    column: Column | str,
    code: str,
    name: str,
    month: date,
    values: dict[str, Any],
    number: int,
    powers: dict[str, int],
) -> Cell:
    r = plan.r
    if isinstance(column, str):
        return {
            "序号": number,
            "备注": r.choice(("", "", "已核")),
            "联系电话": "13800000000",
            "上年同期数": r.randint(1, 9999),
        }.get(column, "")
    if column.name == "month":
        return _write_month(month, plan.month_style)
    if column.name == "reported_code":
        return _write_code(code, plan.code_style)
    if column.name == "reported_name":
        return r.choice((name,) * 8 + (f" {name}", f"{name}\u3000"))
    style = r.choice(_STYLES)
    return _write_number(values[column.name], powers.get(column.name, 0), column.unit or "", style, r)


# --- a file ---------------------------------------------------------------------------------------------


def _as_csv(sheet: Sheet, r: random.Random) -> tuple[bytes, str]:
    delimiter = r.choice((",",) * 5 + ("\t", ";", "|"))
    text = io.StringIO(newline="")
    rows = [
        ["" if c is None else c.isoformat() if isinstance(c, date) else str(c) for c in row]
        for row in sheet.rows
    ]
    width = max(len(row) for row in rows)
    csv.writer(text, delimiter=delimiter).writerows([row + [""] * (width - len(row)) for row in rows])
    encoding = r.choice(("utf-8", "utf-8-sig", "gb18030", "gb18030", "utf-16", "utf-16-le"))
    return text.getvalue().encode(encoding), f"csv {encoding} {delimiter!r}"


def _as_xlsx(sheets: Sequence[Sheet]) -> bytes:
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(memory, {"in_memory": True, "strings_to_formulas": False})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for sheet in sheets:
        page = book.add_worksheet(sheet.name)
        for at, row in enumerate(sheet.rows):
            for c, value in enumerate(row):
                if isinstance(value, date):
                    page.write_datetime(at, c, value, day)
                elif isinstance(value, str):
                    if value:
                        page.write_string(at, c, value)
                elif value is not None:
                    page.write(at, c, value)
        for top, left, bottom, right in sheet.merges:
            if (top, left) != (bottom, right):
                page.merge_range(top, left, bottom, right, sheet.rows[top][left])
        for column in sheet.hidden:
            page.set_column(column, column, None, None, {"hidden": True})
    book.close()
    return memory.getvalue()


SPOILED: dict[str, Callable[[bytes], bytes] | None] = {
    "F01": lambda content: b"\x89PNG\r\n\x1a\n" + content,
    "F02": lambda content: b" \r\n" * len(content),
    "F04": lambda content: content[: len(content) // 2],
    "F06": None,
    "F09": None,
    "F10": None,
    "F18": None,
    "R01": None,
    "R03": None,
    "R04": None,
    "R06": None,
    "R08": None,
    "R14": None,
}


def make(number: int, county: County, seed: int) -> Made:
    """The file with this number: always the same for a seed."""
    r = random.Random(f"{seed}/{number}")
    plan = Plan(county, r)
    spoil = r.choice(list(SPOILED)) if r.random() < 0.1 else None
    # Without its main figures a table of budgets says nothing; another is read for what it has.
    dataset = "budget" if spoil in ("F06", "F10") else r.choice(REPORTS)
    if spoil == "F04":
        plan.is_csv = False
    if spoil == "F18":
        plan.month_in = "title"
    if spoil in ("R01", "R03", "R08"):
        plan.month_in, plan.has_code = "column", True
    name = f"{number:05}"
    kind = r.random()
    if spoil is None and kind < 0.06 and not plan.is_csv:
        sheets, expected = _months_as_columns(plan)
    elif spoil is None and kind < 0.14 and not plan.is_csv:
        plan.notes.append("a sheet a month")
        sheets, expected = [], {}
        for step in range(2):
            plan.month = date(2025, 3 + step, 1)
            plan.month_in = r.choice(("title", "column"))
            sheet, found = table(plan, dataset, [plan.month], None)
            sheet.name = f"{plan.month.month}月"
            sheets.append(sheet)
            expected |= found
    elif spoil is None and kind < 0.2:
        plan.notes.append("two tables on a sheet")
        plan.month_in = r.choice(("title", "column"))
        first, expected = table(plan, "population", [plan.month], None)
        second, more = table(plan, "staffing", [plan.month], None)
        shift = len(first.rows) + 1
        first.rows += [[], *second.rows]
        first.merges += [(a + shift, b, c + shift, d) for a, b, c, d in second.merges]
        sheets, expected = [first], expected | more
    else:
        months = [plan.month]
        if plan.month_in == "column" and plan.month_style != "month only" and r.random() < 0.2:
            months = [date(2025, 3, 1), date(2025, 4, 1)]
        sheet, expected = table(plan, dataset, months, spoil)
        if plan.month_in == "sheet":
            sheet.name = f"{plan.month.year}年{plan.month.month}月"
        sheets = [sheet]
    if spoil and spoil.startswith("R"):
        _spoil_row(sheets[0], spoil, expected, dataset, county)
    recipe = f"{dataset} {plan.code_style} {plan.month_in} {plan.month_style} {plan.title_unit} {plan.notes}"
    if plan.is_csv:
        content, how = _as_csv(sheets[0], r)
        name += r.choice((".csv", ".csv", ".txt"))
        recipe = f"{how} {recipe}"
    else:
        content = _as_xlsx(sheets)
        name += r.choice((".xlsx", ".xlsx", ".xlsx", ".et", ".xls"))
    change = SPOILED.get(spoil or "")
    if change is not None:
        content = change(content)
    if spoil is None and r.random() < 0.02:
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"报表{name}", content)
        content, name = memory.getvalue(), f"{number:05}.zip"
    if spoil and spoil.startswith("F"):
        expected = {}
    return Made(name, content, expected, spoil, recipe)


def _months_as_columns(plan: Plan) -> tuple[list[Sheet], dict[Key, dict[str, Any]]]:
    """Months as columns, one figure."""
    plan.notes.append("months as columns")
    last = plan.r.randint(2, 12)
    rows: list[list[Cell]] = [
        [f"{plan.county.name}{plan.month.year}年各月户籍人口"],
        ["区划代码", "乡镇名称", *(f"{m}月" for m in range(1, last + 1))],
    ]
    expected: dict[Key, dict[str, Any]] = {}
    for code, name in plan.county.units:
        people = plan.r.randint(3_000, 90_000)
        figures = [people + plan.r.randint(-30, 30) for _ in range(last)]
        rows.append([code, name, *figures])
        for month, figure in enumerate(figures, start=1):
            blank = dict.fromkeys(c.name for c in DATASETS["population"].measures)
            expected["population", code, date(plan.month.year, month, 1)] = blank | {
                "population_persons": figure
            }
    return [Sheet("Sheet1", rows, [(0, 0, 0, last + 1)])], expected


def _spoil_row(
    sheet: Sheet,
    spoil: str,
    expected: dict[Key, dict[str, Any]],
    dataset: str,
    county: County,
) -> None:
    """Make one row wrong in the way of a code; what it said is not expected any more."""
    contract = DATASETS[dataset]
    required = next(c for c in contract.measures if c.name in _ALWAYS)
    head = next(i for i, row in enumerate(sheet.rows) if any(_is_titled(c, required) for c in row))
    places: dict[str, int] = {}
    for row in sheet.rows[: head + 4]:
        for at, cell in enumerate(row):
            for column in (contract.columns["month"], contract.columns["reported_code"], required):
                if _is_titled(cell, column):
                    places.setdefault(column.name, at)
    code, _ = county.units[0]
    at = next(
        (i for i, row in enumerate(sheet.rows) if i > head and any(_has(c, county.units[0]) for c in row)),
        None,
    )
    if at is None:
        raise LookupError(spoil)
    row = sheet.rows[at]
    gone = [k for k in expected if k[1] == code][:1]
    if spoil == "R01":
        row[places["month"]] = "2025-13"
    elif spoil == "R03":
        row[places["reported_code"]] = code + "7"
    elif spoil == "R08":
        row[places["reported_code"]] = code[:6] + "998"
    elif spoil == "R04":
        row[places[required.name]] = "约三千"
    elif spoil == "R06":
        row[places[required.name]] = "（123）"
    elif spoil == "R14":
        again = list(row)
        again[places[required.name]] = 77
        sheet.rows.insert(at + 1, again)
    for key in gone:
        del expected[key]


def _is_titled(cell: Cell, column: Column) -> bool:
    """Whether a cell is a column's heading, with or without what its brackets say: 乡镇(街道)代码 has them in its name."""
    text = str(cell).replace(" ", "").replace("\u3000", "").replace("\n", "").lstrip("*")
    spellings = {s.replace(" ", "") for s in (column.label_zh, *column.synonyms)}
    return text in spellings or re.split("[（(【/]", text)[0] in spellings


def _has(cell: Cell, unit: tuple[str, str]) -> bool:
    text = str(cell).translate(str.maketrans("０１２３４５６７８９", "0123456789")).strip().lstrip("'")
    code = unit[0]
    return text in (code, code + "000", f"{code}.0", f"{code[0]}.{code[1:]}E+08") or text.strip() == unit[1]
