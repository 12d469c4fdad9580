"""How the arithmetic of an explanation writes its figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from oversight.explain.model import Line

FEN = Decimal("0.01")


FLAG = "是/否"


def written(value: Decimal | int | None) -> str:
    """A figure as the arithmetic writes it: thousands separated, no needless zeros beyond two decimals."""
    if value is None:
        return "未知"
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    exponent = value.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    text = f"{value:,.{places}f}"
    if places > 2:
        whole, _, decimals = text.partition(".")
        decimals = decimals.rstrip("0")
        text = f"{whole}.{decimals}" if decimals else whole
    return text.replace("-", "−")


def trimmed(value: Decimal | int | None) -> str:
    """A judged figure without needless zeros: 3, 66.67, 3.7609."""
    if value is None:
        return "未知"
    text = f"{Decimal(value):,f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def difference(name: str, left: Decimal, right: Decimal, kept: Decimal | None, unit: str = "元") -> Line:
    plain = left - right
    remark = f"得 {written(plain)}，不足零按零" if plain < 0 else ""
    return Line(name, f"{written(left)} − {written(right)}", written(kept), unit, remark)


def span(tier: Mapping[str, Any]) -> str:
    low, high = tier["value"], tier["value_max"]
    return f"{written(low)}—{written(high)} 人" if high is not None and high != low else f"{written(low)} 人"


def with_unit(value: Decimal, unit: str) -> str:
    return ("是" if value >= 1 else "否") if unit == FLAG else f" {written(value)} {unit}".rstrip()


def plain_unit(judged: Mapping[str, Any]) -> str:
    unit = judged["unit"] or ""
    return "" if unit == FLAG else unit


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return written(value) if isinstance(value, int | Decimal) else str(value)


def shift(month: date, months: int) -> date:
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)
