"""What a page shows, as its address says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from oversight.dashboard.access import significant
from oversight.presentation import MoneyUnit, month_code

_EDITION = re.compile(r"[0-9A-Za-z_-]{1,64}")


# A page has hundreds of links, and the same few words stand in all of them.
_quoted = lru_cache(4096)(quote_plus)


@dataclass(frozen=True)
class State:
    """Filters of a page. Every one stands in the address, so that a link shows a colleague the same.

    `unit` is a division code as shown (360000, 360313, 360313101) or '' for all. `edition` is the one the address
    asks for, '' for the newest. `more` are the filters of one page only, among them as `g.<table>` how a table is
    sorted, filtered and which of its columns are shown; the browser writes and reads those.
    """

    path: str
    unit: str = ""
    month: date | None = None
    money: MoneyUnit = "wan"
    edition: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
    # What the address asks for and nobody can understand; said on the page, since something else is shown instead.
    unread: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """The unit's digits that say something."""
        return significant(self.unit)

    @property
    def level(self) -> str:
        """country, province, city, county or township."""
        return {0: "country", 2: "province", 4: "city", 6: "county"}.get(len(self.prefix), "township")

    def get(self, name: str, default: str = "") -> str:
        """A filter of this page."""
        return self.more.get(name, default)

    def query(self) -> str:
        """The address's query, with what differs from the defaults."""
        return _query(self.edition, self.unit, self.month, self.money, self.more)

    def href(self, path: str | None = None, **changes: Any) -> str:
        """The address of the same view with something changed; another page keeps unit, month, money, edition."""
        edition, unit, month, money = (
            changes.pop(name, getattr(self, name)) for name in ("edition", "unit", "month", "money")
        )
        more = {} if path is not None and path != self.path else dict(self.more)
        more |= {name: str(value) for name, value in changes.items() if value is not None}
        query = _query(edition, unit, month, money, more)
        return (path or self.path) + (f"?{query}" if query else "")


def _query(edition: str, unit: str, month: date | None, money: str, more: Mapping[str, str]) -> str:
    items = [("edition", edition), ("unit", unit)]
    items += [("month", month_code(month) if month else ""), ("money", money if money != "wan" else "")]
    items += sorted(more.items())
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in items if value)


def division(text: str) -> str:
    """A division code as it is shown: noughts up to nine or twelve digits say no more than the six or nine before them.
    '' where it is none."""
    if not (text.isascii() and text.isdigit() and len(text) in (6, 9, 12)):
        return ""
    code = text.removesuffix("000") if len(text) == 12 else text
    return code.removesuffix("000") if len(code) == 9 else code


# What the filters of every page are called.
_CALLED = {"edition": "版本", "unit": "单位", "month": "月份", "money": "金额单位"}


def read_state(path: str, search: str) -> State:
    """The state an address asks for. What cannot be understood is left out and told in `unread`, never an error."""
    unread: list[str] = []
    items: dict[str, str] = {}
    for name, value in parse_qsl((search or "").lstrip("?")):
        if items.get(name, value) != value:
            unread.append(f"网址中的“{_CALLED.get(name, name)[:20]}”写了几个，以下用最后一个“{value[:20]}”")
        items[name] = value
    edition = items.pop("edition", "")
    if edition and not _EDITION.fullmatch(edition):
        unread.append(f"网址中的版本“{edition[:20]}”不是版本号，以下为当前版本")
        edition = ""
    asked = items.pop("unit", "")
    unit = division(asked)
    if asked and not unit:
        unread.append(f"网址中的单位“{asked[:20]}”不是 6、9 或 12 位区划代码，以下为全部地区")
    if len(unit) == 12:
        unread.append(f"网址中的单位“{asked}”是村或社区，以下为所在的乡镇")
        unit = unit[:9]
    unit = "" if unit == "000000" else unit
    month: date | None = None
    asked = items.pop("month", "")
    try:
        year, number = asked.split("-")
        month = date(int(year), int(number), 1)
    except (ValueError, OverflowError):
        if asked:
            unread.append(f"网址中的月份“{asked[:20]}”不是 2025-06 这样的写法")
    asked = items.pop("money", "")
    money: MoneyUnit = "yuan" if asked == "yuan" else "wan"
    if asked not in ("", "wan", "yuan"):
        unread.append(f"网址中的金额单位“{asked[:20]}”不是 wan（万元）或 yuan（元），以下为万元")
    return State(
        path=path or "/",
        unit=unit,
        month=month,
        money=money,
        edition=edition,
        more=items,
        unread=tuple(unread),
    )
