"""What total rows say against their details."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from oversight.contracts import ALL_DATASETS
from oversight.intake.reading import values
from oversight.intake.reading.grid import Context, Header, Table
from oversight.intake.reading.text import fits_unit, fold

ADDED_UP = re.compile(r"(?:合计|总计|小计|共计)[:]?$|^计$|^全[县区市省旗]$")


def column_powers(dataset: str, header: Header, context: Context) -> dict[str, int]:
    """Power of ten of each column: its own unit, else the title's for its kind, else the contract's."""
    powers: dict[str, int] = {}
    for name in header.columns:
        column = ALL_DATASETS[dataset].columns[name]
        unit = header.units.get(name)
        if column.kind == "money":
            unit = unit or context.money_unit
        elif column.kind == "count" and unit is None and context.count_unit is not None:
            # 单位：万人 speaks of people; households and villages keep their own.
            unit = context.count_unit if context.count_unit[-1] == column.unit else None
        power = fits_unit(unit, column.kind) if unit else None
        if power:
            powers[name] = power
    return powers


_COUNTY_CODE = re.compile(r"\d{4}(?!00)\d{2}(?:0{3}|0{6})?")
_A_COUNTY = re.compile(r"[县区市旗]$")


def set_apart_county(table: Table) -> None:
    """A row for the county itself that is the sum of its townships' rows is their total, whatever it is called.

    Only what adds up in every figure is set apart; any other row for a county is left to be refused.
    """
    codes, names = table.cells.get("reported_code"), table.cells.get("reported_name")
    count = len(table.row_numbers)
    if count < 3 or (codes is None and names is None) or len(set(table.cells.get("month", ()))) > 1:
        return
    written = [
        (fold(codes[i] or "") if codes else "", fold(names[i] or "") if names else "") for i in range(count)
    ]
    counties = [
        i
        for i, (code, name) in enumerate(written)
        if (_COUNTY_CODE.fullmatch(code) if code else _A_COUNTY.search(name))
    ]
    if len(counties) != 1:
        return
    at = counties[0]
    details = [i for i in range(count) if i != at]
    if written[at][0] and not all(c.startswith(written[at][0][:6]) for i in details if (c := written[i][0])):
        return
    powers = column_powers(table.dataset, table.header, table.context)
    if _is_sum(table, at, details, powers, least=2):
        _set_apart(table, at)


# A part of the county, by the name of its part: 东片区, 城区片小计.
_A_PART = re.compile(r"(?:片|片区|片组|组团|区域|部分|板块)(?:小计|合计)?$")


def set_apart_parts(table: Table) -> None:
    """A row for a part of the county that is the sum of the rows below it or above it is their subtotal.

    As for the county: only what adds up in every figure, and only rows without a code.
    """
    names, codes = table.cells.get("reported_name"), table.cells.get("reported_code")
    if names is None or not any(n and _A_PART.search(fold(n)) for n in names):
        return
    at_all = [
        i
        for i, n in enumerate(names)
        if n and _A_PART.search(fold(n)) and not (codes is not None and codes[i])
    ]
    powers = column_powers(table.dataset, table.header, table.context)
    below_totals = {i for i, n in enumerate(table.row_numbers) if _stands_below_total(table, i, n)}
    ends, starts = {*at_all, *below_totals}, {*(i + 1 for i in at_all), *below_totals}
    sums = []
    for at in at_all:
        below = list(range(at + 1, min((end for end in ends if end > at), default=len(names))))
        above = list(range(max((start for start in starts if start <= at), default=0), at))
        if any(rows and _is_sum(table, at, rows, powers) for rows in (below, above)):
            sums.append(at)
    for at in reversed(sums):
        _set_apart(table, at)


def _stands_below_total(table: Table, at: int, number: int) -> bool:
    """Whether a total or a subtotal stands between a row and the data row above it."""
    before = table.row_numbers[at - 1] if at else 0
    return any(before < row < number for row, _ in table.totals)


def _is_sum(table: Table, at: int, details: Sequence[int], powers: dict[str, int], least: int = 1) -> bool:
    """Whether every figure of a row is the sum of those of other rows, and one of them is more than nothing."""
    if any(number == table.row_numbers[at] for number, *_ in table.broken):
        return False
    agreed = 0
    for name, column in ALL_DATASETS[table.dataset].columns.items():
        if column.kind not in ("money", "count") or name not in table.cells:
            continue
        total, *parts = (_exact(table.cells[name][i], powers.get(name, 0)) for i in (at, *details))
        known = [part for part in parts if part is not None]
        if total is None:
            continue
        if len(known) < least or not _adds_up(known, total, powers.get(name, 0)):
            return False
        agreed += total > 0
    return bool(agreed)


def _set_apart(table: Table, at: int) -> None:
    """Make a total of a row that was taken for data."""
    row = table.row_numbers.pop(at)
    if table.others:
        table.others.pop(at)
    said = {name: cells.pop(at) for name, cells in table.cells.items()}
    table.totals.append((row, {name: cell for name, cell in said.items() if cell}))
    table.totals.sort(key=lambda t: t[0])
    table.ignored = sorted([*table.ignored, (row, "total")])


def _exact(text: str | None, power: int) -> Decimal | None:
    """The figure in base units, whatever unit the cell names itself; its exponent tells its last digit."""
    if not text:
        return None
    try:
        value = Decimal(text).scaleb(power)
    except InvalidOperation:
        found = values.scaled(text, power)
        return found if isinstance(found, Decimal) else None
    return value if value.is_finite() else None


def check_total(table: Table) -> str | None:
    """What a total row says against the sum of its details; None if they agree or there is nothing to compare.

    A 小计 may sum the rows above it or below it, a 合计 all of them. Rounded details need not add up to the rounded
    total: half a last digit is allowed for each row.
    """
    if not table.totals or not table.row_numbers:
        return None
    columns = ALL_DATASETS[table.dataset].columns
    powers = column_powers(table.dataset, table.header, table.context)
    bounds = [0, *(number for number, _ in table.totals), max(table.row_numbers) + 1]
    for at, (row_number, cells) in enumerate(table.totals, start=1):
        for name, written in cells.items():
            if name not in table.cells or columns[name].kind not in ("money", "count"):
                continue
            total = _exact(written, power := powers.get(name, 0))
            if total is None:
                continue
            details = [
                (number, value)
                for number, cell in zip(table.row_numbers, table.cells[name], strict=True)
                if (value := _exact(cell, power)) is not None
            ]
            spans = (
                (0, bounds[-1]),
                (0, row_number),
                (bounds[at - 1], row_number),
                (row_number, bounds[at + 1]),
            )
            parts = [[value for number, value in details if low < number < high] for low, high in spans]
            if not any(parts) or any(_adds_up(part, total, power) for part in parts if part):
                continue
            # A part of the rows is meant by a 小计 that stands among others.
            part = parts[0] if len(table.totals) == 1 or not parts[2] else parts[2]
            return (
                f"第 {row_number} 行“{columns[name].title_zh}”合计 {total.normalize():f}，"
                f"明细之和 {sum(part, Decimal(0)).normalize():f}"
            )
    return None


def _adds_up(details: Sequence[Decimal], total: Decimal, power: int) -> bool:
    lasts = [Decimal(1).scaleb(min(power, int(v.as_tuple().exponent))) for v in details]
    return abs(sum(details, Decimal(0)) - total) <= sum(lasts) / 2
