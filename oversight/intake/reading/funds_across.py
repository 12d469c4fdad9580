"""Funds as columns: 低保金, 特困供养金 and 临时救助 side by side, as a district's quarterly tables have them.

Each such column is a table of its own fund. What the amounts are (spent or paid out, in the month or since January)
is said by the title or the headings above and never with certainty: it is asked once for each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from oversight.intake.reading.grammar import Said
from oversight.intake.reading.grid import Header
from oversight.intake.reading.text import header_key, plain
from oversight.references import UNLISTED, References, load_references

# Under a fund's name these stand for no money.
_NO_MONEY = re.compile(
    r"人|户|次|率|比|%|‰|标准|均|件|批|笔|同|上年|上月|去年|计划|预算|结余|结转|应|未|欠|缺|差"
)
_MONEY = re.compile(
    r"(?:累计|本月|本季度?|当月|本期)?(?:资金|金额|支出|发放|拨付|使用|拨款|支付|金|额|数|情况)+"
)
_PAID = re.compile("拨付|拨款|下拨|到位|划拨")
_SPENT = re.compile("发放|支出|使用|列支|开支|支付|救助资金|补助资金")
_KEYS = frozenset(("reported_code", "reported_name", "month"))


@lru_cache(maxsize=1)
def _references() -> References:
    return load_references(None)


@lru_cache(maxsize=4096)
def _fund(parts: tuple[str, ...]) -> str | None:
    """The name of the fund that stacked header cells name; None where they are of something else."""
    titles = [plain(header_key(part)[0]) for part in parts]
    titles = [t for t in titles if t]
    if not titles or _NO_MONEY.search(titles[-1]):
        return None
    leaf = titles[-1]
    bare = re.sub(
        r"^(?:累计|本月|本季度?|当月|本期|其中:?)|(?:发放|支出|拨付|使用)(?:资金|金额|额|数)?$", "", leaf
    )
    for name in (
        leaf,
        bare,
        bare.removesuffix("金"),
        *([titles[-2]] if len(titles) > 1 and _MONEY.fullmatch(leaf) else []),
    ):
        if name and not _references().fund_of(name).startswith(UNLISTED):
            return name
    return None


def fund_headers(
    base: Header,
    stacked: Sequence[tuple[str, ...]],
    kinds: Sequence[str],
    said: Said,
    texts: Sequence[str],
) -> list[Header]:
    """A header of the budget for each column that names a fund, where at least two stand side by side.

    `base` has the columns that say whom and when the rows are of; `texts` are the title and what is said around.
    """
    taken = set(base.columns.values())
    of_fund: dict[int, str] = {
        at: fund
        for at, parts in enumerate(stacked)
        if at not in taken and parts and kinds[at] == "number" and (fund := _fund(parts)) is not None
    }
    if len({_references().fund_of(fund) for fund in of_fund.values()}) < max(2, len(of_fund)):
        # One alone is no such table; the same fund twice are two figures that only a heading could tell apart.
        return []
    when = _when(said)
    found = []
    for at, fund in of_fund.items():
        kind = _kind("".join(stacked[at]), *texts)
        if kind is None or when is None:
            continue
        unit = next((u for part in reversed(stacked[at]) if (u := header_key(part)[1])), None)
        name = f"{kind}_{when}_cny"
        keys = {n: place for n, place in base.columns.items() if n in _KEYS}
        found.append(
            Header(
                "budget",
                base.first_row,
                base.last_row,
                keys | {name: at},
                {name: unit} if unit else {},
                dict(base.titles),
                base.width,
                county_at=base.county_at,
                year_at=base.year_at,
                asked=frozenset((name,)),
                fund=fund,
            )
        )
    return found


def _when(said: Said) -> str | None:
    """What the table's amounts cover: the month, or the year so far; None where it is neither."""
    if said.span is not None:
        return "cumulative" if said.span[0] == 1 else None
    return "month" if said.month is not None else None


def _kind(*texts: str) -> str | None:
    """`disbursed` or `spent`, as the nearest words say that speak of either."""
    for text in texts:
        paid, spent = _PAID.search(text), _SPENT.search(text)
        if paid or spent:
            return "disbursed" if paid and not spent else "spent"
    return None
