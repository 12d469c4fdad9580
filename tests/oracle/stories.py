"""Made-up worlds: hundreds of townships, each with a story of its own, and the files in which they tell it.

The kinds are those that have gone wrong: amounts in 万元 rounded around the guarantee, a rate from the middle of the
year, founded, merged, split, renamed and abolished units, populations that are old, late, nought, on an edge or written
in 万人, months of silence, cumulative figures that stop or fall to nought, money taken back, budgets adjusted and never
paid. A story knows what is true and what is told; what must come out is no business of this module.
"""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from tests.oracle.figures import last_day, month_after
from tests.oracle.reading import SEEDS, Division

JIANGXI, NINGXIA = (20_000, 50_000), (30_000, 50_000)
# County, the edges of its tiers, and how many of a thousand stories take place there.
COUNTIES: list[tuple[str, tuple[int, ...], int]] = [
    *[(f"3601{n:02}", JIANGXI, 40) for n in range(11, 25)],
    *[(f"6402{n:02}", NINGXIA, 25) for n in range(11, 19)],
    # With rules of their own: see own_rules.
    ("360302", JIANGXI, 40),
    ("360403", JIANGXI, 25),
    ("360502", JIANGXI, 25),
    ("360602", JIANGXI, 25),
    ("440103", (), 25),
    # No rule on money; rules on staff.
    ("130321", (30_000,), 50),
    ("222403", (), 20),
    ("360313", JIANGXI, 30),
]
STAFF_COUNTIES = {"130321", "222403", "360313"}
FIRST, LAST = date(2024, 12, 1), date(2026, 3, 1)
YEAR = 2025
# How amounts are written in a file: unit, and decimal places.
MONEY_FILES = {
    "元": ("元", 2),
    "整元": ("元", 0),
    "万元": ("万元", 2),
    "万元一位小数": ("万元", 1),
    "万元三位小数": ("万元", 3),
    "万元四位小数": ("万元", 4),
    # Two decimals in most cells; what a formula gave stands beside them with more.
    "万元夹公式": ("万元", 2),
}
PEOPLE_FILES = {
    "人": ("人", 0),
    "万人": ("万人", 1),
    "万人两位小数": ("万人", 2),
    "万人三位小数": ("万人", 3),
    "万人四位小数": ("万人", 4),
}
AMOUNTS = ("年初预算", "调整后预算", "本月拨付", "累计拨付", "本月支出", "累计支出")
STAFF = ("行政编制数(名)", "事业编制数(名)", "在编在岗专职人数(人)", "公益性岗位人数(人)", "政府购买服务人数(人)")  # fmt: skip


@dataclass
class File:
    header: list[str]
    rows: list[list[str]] = field(default_factory=list)


@dataclass
class World:
    divisions: list[Division] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    standards: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """The world as a data folder: raw/ and, where it has rules of its own, standards/."""
        raw = folder / "raw"
        raw.mkdir(parents=True, exist_ok=True)
        header = ["区划代码", "名称", "类型", "上级代码", "启用日期", "停用日期", "变更后代码"]
        rows = [
            [d.code, d.name, d.kind, _parent(d.code), _text(d.begins), _text(d.ends), "、".join(d.successors)]
            for d in self.divisions
        ]
        _write(raw / "行政区划.csv", header, rows)
        for name, file in self.files.items():
            _write(raw / f"{name}.csv", file.header, file.rows)
        if self.standards:
            (folder / "standards").mkdir(exist_ok=True)
        for name, lines in self.standards.items():
            _write(
                folder / "standards" / f"{name}.csv", list(lines[0]), [list(line.values()) for line in lines]
            )

    def part(self, suffix: str, wanted: Callable[[str, list[str]], bool]) -> World:
        """Some rows of the files, under names with a suffix."""
        files = {
            name + suffix: File(file.header, [row for row in file.rows if wanted(name, row)])
            for name, file in self.files.items()
        }
        return World(self.divisions, {n: f for n, f in files.items() if f.rows}, self.standards)

    def say(self, name: str, header: Sequence[str], row: Sequence[str]) -> None:
        self.files.setdefault(name, File(list(header))).rows.append(list(row))


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        csv.writer(handle).writerows([header, *rows])


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _parent(code: str) -> str:
    if len(code) > 6:
        return code[:6]
    if code.endswith("0000"):
        return ""
    return code[:2] + "0000" if code.endswith("00") else code[:4] + "00"


def months(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first = month_after(first)


def yearly(edges: Sequence[int], people: int) -> Decimal:
    """About what a year's guarantee is, so that budgets can be made to miss it by little."""
    tier = sum(people > edge if n == 0 else people >= edge for n, edge in enumerate(edges))
    if edges == JIANGXI:
        return Decimal(("3.36", "2.64", "2.16")[tier]) * people
    if edges == NINGXIA:
        return Decimal((40_000, 70_000, 100_000)[tier])
    return Decimal(60_000)


@dataclass
class Teller:
    """Puts the rows of one county's stories into the files of the world."""

    world: World
    chance: random.Random
    county: str
    edges: tuple[int, ...]
    free: Iterator[int]

    # ---- units

    def unit(self, begins: date | None = None, ends: date | None = None, kind: str = "") -> Division:
        number = next(self.free)
        code = f"{self.county}{number:03}"
        kind = kind or ("镇" if number < 200 else self.chance.choice(["乡", "民族乡"]))
        return Division(code, f"模拟{code}{kind}", kind, begins, ends)

    def enter(self, *units: Division) -> None:
        self.world.divisions += units

    # ---- what is told

    def people(self, code: str, month: date, people: int | str, households: int | str, form: str) -> None:
        unit, places = PEOPLE_FILES[form]
        told = people if isinstance(people, str) else _in_unit(Decimal(people), unit, places)
        name = "户籍人口" if form == "人" else f"户籍人口（{form}）"
        header = ["统计月份", "区划代码", "乡镇名称", "户籍户数(户)", f"户籍人口({unit})"]
        self.world.say(name, header, [f"{month:%Y-%m}", code, "", str(households), told])

    def money(
        self, code: str, month: date, cells: dict[str, Decimal | str | None], form: str, again: bool = False
    ) -> None:
        unit, places = MONEY_FILES[form]
        header = ["统计月份", "区划代码", "乡镇名称", *(f"{a}({unit})" for a in AMOUNTS), "是否单独列支"]

        def written(value: Decimal | str | None) -> str:
            if not isinstance(value, Decimal):
                return _text(value)
            if form == "万元夹公式" and self.chance.random() < 0.06:
                more = self.chance.randint(-4_999, 4_999) / Decimal(100)
                # Of nothing a formula makes nothing; a few 元 beside a budget of 万元 would be held as out of scale.
                return _in_unit(value + more if abs(value) >= 1_000 else value, unit, 6)
            return _in_unit(value, unit, places)

        told = [written(cells.get(a)) for a in AMOUNTS]
        listed = _text(cells.get("是否单独列支"))
        if any(told) or listed:
            name = f"民政工作经费（{form}）" + ("更正" if again else "")
            self.world.say(name, header, [f"{month:%Y-%m}", code, "", *told, listed])

    def staff(self, code: str, month: date, cells: Sequence[int | None]) -> None:
        self.world.say(
            "民政工作人员",
            ["统计月份", "区划代码", "乡镇名称", *STAFF],
            [f"{month:%Y-%m}", code, "", *map(_text, cells)],
        )


def _in_unit(value: Decimal, unit: str, places: int) -> str:
    scaled = value / 10_000 if unit.startswith("万") else value
    return str(scaled.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def size(chance: random.Random, edges: Sequence[int]) -> int:
    """A number of people: anything, an edge, one beside it, or one at which half a 万元 meets the guarantee."""
    if edges and chance.random() < 0.3:
        return chance.choice(edges) + chance.choice([-1, 0, 0, 1])
    if edges and chance.random() < 0.1:
        return 625 + 1250 * chance.randint(16, 38)
    return round(min(max(chance.lognormvariate(9.9, 0.7), 1_500), 110_000))


def tell_people(
    teller: Teller, stand: Callable[[date], str | None], people: Callable[[date], int], calm: bool = False
) -> None:
    """The population as it is told: mostly every month, sometimes late, old, nought, in 万人 or never."""
    chance = teller.chance
    ways = {"monthly": 50, "no_december": 8, "blank_december": 4, "twice": 6}
    if not calm:
        ways |= {
            "万人": 8,
            "万人两位小数": 6,
            "万人三位小数": 3,
            "万人四位小数": 2,
            "late": 8,
            "old": 5,
            "nought": 4,
            "nought_once": 2,
            "never": 2,
        }
    way = chance.choices(list(ways), list(ways.values()))[0]
    form = way if way in PEOPLE_FILES else "人"
    late = chance.randint(1, 11)
    for month in [date(2023, 12, 1), date(2024, 10, 1), date(2024, 11, 1), *months(FIRST, LAST)]:
        code = stand(month)
        if code is None or way == "never":
            continue
        told: int | str = people(month)
        households: int | str = people(month) // 3 if form == "人" else ""
        if month < date(2024, 1, 1) and way not in ("old", "nought", "nought_once"):
            continue
        if month < FIRST and month.year == 2024 and way not in ("no_december", "blank_december", "twice"):
            continue
        if way == "old" and month > date(2024, 1, 1):
            continue
        if way in ("no_december",) and month == FIRST:
            continue
        if way == "late" and month < month_after(date(YEAR, 1, 1), late):
            continue
        if way == "twice" and chance.random() < 0.5:
            continue
        if way == "blank_december" and month == FIRST:
            told = ""
        if (way == "nought" and month >= FIRST) or (way == "nought_once" and month == FIRST):
            told = 0
        if way != "monthly" and way not in PEOPLE_FILES and month > FIRST and chance.random() < 0.1:
            continue
        teller.people(code, month, told, households, form)


@dataclass
class Purse:
    """A unit's year as it is true: its budget, and what was paid by each month."""

    form: str
    initial: Decimal
    adjusted: dict[date, Decimal] = field(default_factory=dict)
    paid: dict[date, Decimal] = field(default_factory=dict)


def purse(chance: random.Random, target: Decimal, first: date, last: date, form: str) -> Purse:
    """A budget near, above or far below a target, and payments that keep it, lag behind, stop or never begin."""
    unit, places = MONEY_FILES[form]
    step = Decimal(10_000 if unit == "万元" else 1).scaleb(-places)
    near = [0, 0, 0, step, -step, step / 2, -step / 2, Decimal("0.01"), Decimal("-0.01"), 2 * step, -3 * step]
    if chance.random() < 0.6:
        initial = target + chance.choice(near)
    else:
        initial = target * chance.choice([Decimal("0.6"), Decimal("0.9"), Decimal("1.05"), Decimal("1.4")])
    made = Purse(form, _snap(max(initial, Decimal(1_000)), form))
    in_year = list(months(first, last))
    if chance.random() < 0.3 and len(in_year) > 2:
        for month in sorted(chance.sample(in_year[1:], chance.choice([1, 1, 2]))):
            made.adjusted[month] = _snap(
                target * chance.choice([Decimal(1), Decimal("0.8"), Decimal("1.2")]), form
            )
    whole = target if chance.random() < 0.5 else target + chance.choice(near)
    pays = chance.choices(
        ["evenly", "partly", "never", "stops", "lump", "back", "back_first"], [50, 15, 8, 7, 8, 12, 3]
    )[0]
    if pays == "partly":
        whole = whole * Decimal(chance.choice(["0.6", "0.9", "0.99"]))
    stop = chance.choice(in_year)
    for number, month in enumerate(in_year, 1):
        share = whole * number / len(in_year)
        if pays == "never":
            share = Decimal(0)
        elif pays == "stops" and month > stop:
            share = made.paid.get(stop, Decimal(0))
        elif pays == "lump":
            share = whole if month >= stop else Decimal(0)
        elif pays == "back" and month >= stop and number > 2:
            share = share - whole * Decimal("0.12")
        elif pays == "back_first" and number < 4:
            # What was paid too much last year is taken back before anything is paid.
            share = -whole * Decimal("0.03")
        made.paid[month] = _snap(share, form)
    return made


def _snap(value: Decimal, form: str) -> Decimal:
    unit, places = MONEY_FILES[form]
    return Decimal(_in_unit(value, unit, places)) * (10_000 if unit == "万元" else 1)


def tell_money(
    teller: Teller,
    stand: Callable[[date], str | None],
    purses: Sequence[Purse],
    calm: bool = False,
    cumulative: bool | None = None,
) -> None:
    """The purses as they are told: complete, or with months, cells and cumulative figures missing or wrong."""
    chance = teller.chance
    ways = {
        "both": 40,
        "so_far": 8,
        "monthly": 10,
        "broken": 10,
        "now_and_then": 8,
        "stops": 6,
        "begins": 5,
        "january": 4,
        "gap": 8,
        "blank_months": 6,
        "none": 2,
        "nought_so_far": 3,
        "nought_adjusted": 3,
        "refused": 2,
    }
    if calm:
        ways = {k: v for k, v in ways.items() if k in ("both", "so_far", "monthly", "broken", "blank_months")}
    if cumulative is not None:
        ways = {k: v for k, v in ways.items() if (k == "monthly") is not cumulative}
    way = chance.choices(list(ways), list(ways.values()))[0]
    cut = chance.randint(1, 11)
    spends = chance.random() < 0.4
    keeps_initial = chance.random() < 0.8
    for made in purses:
        before, spent_before = Decimal(0), Decimal(0)
        told_first = True
        for month in sorted(made.paid):
            so_far = made.paid[month]
            spent = _snap(so_far * Decimal("0.9"), made.form)
            code = stand(month)
            if code is None:
                continue
            cells: dict[str, Decimal | str | None] = {
                "年初预算": made.initial if keeps_initial or told_first else None,
                "调整后预算": next((made.adjusted[m] for m in sorted(made.adjusted, reverse=True) if m <= month), None)
                if chance.random() < 0.9
                else None,
                "本月拨付": so_far - before,
                "累计拨付": so_far,
                "本月支出": spent - spent_before if spends else None,
                "累计支出": spent if spends else None,
                "是否单独列支": chance.choice(["是"] * 8 + ["否", ""]),
            }  # fmt: skip
            before, spent_before = so_far, spent
            told_first = False
            late = month > date(month.year, cut, 1)
            if way == "none" or (way == "stops" and late) or (way == "january" and month.month > 1):
                continue
            if way == "gap" and chance.random() < 0.2:
                continue
            if way == "so_far":
                cells |= {"本月拨付": None, "本月支出": None}
            if way == "begins" and not late and month.month < 12:
                continue
            if way == "begins" and cut % 2:
                cells |= {"累计拨付": None, "累计支出": None}
            if way == "monthly" or (way == "broken" and late) or way == "blank_months":
                cells |= {"累计拨付": None, "累计支出": None}
            if way == "now_and_then" and chance.random() < 0.5:
                cells |= {"累计拨付": None, "累计支出": None}
            if way in ("blank_months", "now_and_then") and chance.random() < 0.15:
                cells["本月拨付"] = None
            if (
                way in ("monthly", "broken", "blank_months")
                and cells["本月拨付"] == 0
                and chance.random() < 0.3
            ):
                cells["本月拨付"] = "无"
            if way == "nought_so_far" and month.month == cut:
                cells["累计拨付"] = Decimal(0)
            if way == "nought_adjusted" and late:
                cells["调整后预算"] = Decimal(0)
            if way == "refused" and month.month == cut:
                cells["累计拨付"] = Decimal(-5_000)
            if way == "both" and chance.random() < 0.03:
                # 无 says nothing of a budget or of a year so far, a dash nothing at all.
                cells[chance.choice(["年初预算", "调整后预算", "累计拨付", "累计支出"])] = chance.choice(
                    ["无", "—", "/"]
                )
            teller.money(code, month, cells, made.form)
            if chance.random() < 0.01:
                changed = dict(cells)
                changed["年初预算"] = _snap(made.initial * Decimal("1.1"), made.form)
                changed[chance.choice(["本月拨付", "累计拨付"])] = None
                teller.money(code, month, changed, made.form, again=True)


def _purses(
    teller: Teller,
    target: Decimal,
    first: date = date(YEAR, 1, 1),
    last: date = LAST,
    form: str | None = None,
) -> list[Purse]:
    """This year's purse and, for some, the next year's; from the unit's first month to its last."""
    chance = teller.chance
    form = form or chance.choices(list(MONEY_FILES), [40, 10, 28, 8, 5, 4, 5])[0]
    this = purse(chance, target, first, min(last, date(YEAR, 12, 1)), form)
    found = [this]
    if last > date(YEAR, 12, 1) and chance.random() < 0.5:
        found.append(purse(chance, target, date(YEAR + 1, 1, 1), last, form))
    return found


def change_day(chance: random.Random) -> date:
    """A day on which something happens to a unit: mostly the first of a month, never in January: that has stories of its own."""
    return date(YEAR, chance.randint(2, 12), chance.choice([1, 1, 1, 10, 15]))


def plain(teller: Teller, form: str | None = None) -> Division:
    unit = teller.unit(kind=teller.chance.choice([""] * 20 + ["农场"]))
    teller.enter(unit)
    base = size(teller.chance, teller.edges)
    tell_people(teller, standing(unit), drifting(base))
    tell_money(teller, standing(unit), _purses(teller, yearly(teller.edges, base), form=form))
    return unit


def drifting(base: int) -> Callable[[date], int]:
    """So many people at the end of 2024, a few more every month after."""
    return lambda month: base + max((month.year - 2024) * 12 + month.month - 12, 0) * 3


def standing(*units: Division) -> Callable[[date], str | None]:
    """The code under which something is told: in force on the month's last day."""
    return lambda month: next((u.code for u in units if u.stands_on(last_day(month))), None)


def founded(teller: Teller) -> None:
    day = change_day(teller.chance)
    unit = teller.unit(begins=day)
    teller.enter(unit)
    base = size(teller.chance, teller.edges)
    first = day.replace(day=1)
    target = yearly(teller.edges, base) * (13 - first.month) / 12
    tell_people(teller, standing(unit), drifting(base))
    tell_money(teller, standing(unit), _purses(teller, target, first))


def renamed(teller: Teller) -> None:
    day = change_day(teller.chance)
    new = teller.unit(begins=day)
    units = [replace(teller.unit(ends=day), successors=(new.code,)), new]
    if teller.chance.random() < 0.3 and day < date(YEAR, 9, 1):
        again = teller.unit(begins=day + timedelta(days=45))
        units = [units[0], replace(new, ends=again.begins, successors=(again.code,)), again]
    teller.enter(*units)
    base = size(teller.chance, teller.edges)
    tell_people(teller, standing(*units), drifting(base))
    tell_money(teller, standing(*units), _purses(teller, yearly(teller.edges, base)))


def abolished(teller: Teller) -> None:
    day = change_day(teller.chance)
    unit = teller.unit(ends=day)
    teller.enter(unit)
    base = size(teller.chance, teller.edges)
    tell_people(teller, standing(unit), drifting(base))
    tell_money(teller, standing(unit), _purses(teller, yearly(teller.edges, base), last=_last_month(day)))


def _last_month(ends: date) -> date:
    """The last month whose last day a unit saw."""
    return month_after(ends.replace(day=1), -1)


def brief(teller: Teller) -> None:
    """Founded and gone within the year; what there is of it goes to nobody, to two, or to a neighbour."""
    chance = teller.chance
    begins = date(YEAR, chance.randint(1, 5), chance.choice([1, 2, 15]))
    ends = date(YEAR, chance.randint(6, 12), chance.choice([1, 10, 28]))
    base, first = size(chance, teller.edges), begins.replace(day=1)
    heirs = [teller.unit(begins=ends if number > 1 else None) for number in range(chance.choice([0, 1, 3]))][
        -2:
    ]
    unit = replace(teller.unit(begins=begins, ends=ends), successors=tuple(h.code for h in heirs))
    teller.enter(unit, *heirs)
    target = yearly(teller.edges, base) * (ends.month - first.month) / 12
    tell_people(teller, standing(unit), drifting(base))
    tell_money(teller, standing(unit), _purses(teller, target, first, _last_month(ends)))
    for heir in heirs:
        people = size(chance, teller.edges)
        begun = date(YEAR, 1, 1) if heir.begins is None else heir.begins.replace(day=1)
        tell_people(teller, standing(heir), drifting(people))
        tell_money(teller, standing(heir), _purses(teller, yearly(teller.edges, people), begun))


def split(teller: Teller) -> None:
    chance = teller.chance
    day = change_day(chance)
    halves = [teller.unit(begins=day) for _ in range(2)]
    old = replace(teller.unit(ends=day), successors=tuple(h.code for h in halves))
    teller.enter(old, *halves)
    base = size(chance, teller.edges)
    tell_people(teller, standing(old), drifting(base))
    tell_money(teller, standing(old), _purses(teller, yearly(teller.edges, base), last=_last_month(day)))
    first = day.replace(day=1)
    for half in halves:
        part = base // 2
        target = yearly(teller.edges, part) * (13 - first.month) / 12
        tell_people(teller, standing(half), drifting(part))
        tell_money(teller, standing(half), _purses(teller, target, first))


def merged(teller: Teller) -> None:
    """One or two units go into a neighbour, or two or three into a new one."""
    chance = teller.chance
    day = change_day(chance)
    first = day.replace(day=1)
    is_new = chance.random() < 0.4
    heir = teller.unit(begins=day if is_new else None)
    gone = [
        replace(teller.unit(ends=day), successors=(heir.code,))
        for _ in range(chance.choice([2, 2, 3]) if is_new else chance.choice([1, 1, 1, 2]))
    ]
    teller.enter(heir, *gone)
    sizes = [size(chance, teller.edges) for _ in gone]
    own = 0 if is_new else size(chance, teller.edges)
    whole = own + sum(sizes)
    told_people = chance.random() < 0.5
    tells_so_far = chance.random() < 0.8

    until_then = []
    for unit, people in zip(gone, sizes, strict=True):
        # The month in which a unit ends within the month can still be told by it.
        last = first if day.day > 1 and chance.random() < 0.5 else _last_month(day)
        tell_people(teller, standing(unit), drifting(people), calm=True)
        made = _purses(teller, yearly(teller.edges, people), last=last)[:1]
        tell_money(teller, standing(replace(unit, ends=None)), made, calm=True, cumulative=tells_so_far)
        until_then.append(made[0])

    def people_of(month: date) -> int:
        return drifting(whole if month >= first else own)(month) if told_people or month >= first else own

    tell_people(teller, standing(heir), people_of, calm=True)
    form = chance.choice(["元", "元", "整元", "万元"])
    start = first if is_new else date(YEAR, 1, 1)
    made = purse(chance, yearly(teller.edges, own or whole), start, date(YEAR, 12, 1), form)
    if chance.random() < 0.6:
        # From the takeover on it tells the whole area's money.
        brought = sum((max(p.paid.values(), default=Decimal(0)) for p in until_then), Decimal(0))
        budgets = sum(
            (p.adjusted[max(p.adjusted)] if p.adjusted else p.initial for p in until_then), Decimal(0)
        )
        # Twenty times a budget would be held as out of scale.
        brought = min(brought, 10 * made.initial)
        made.paid = {m: v + (_snap(brought, form) if m >= first else 0) for m, v in made.paid.items()}
        if is_new:
            made.initial = _snap(budgets * chance.choice([Decimal(1), Decimal("0.95")]), form)
        elif not made.adjusted or chance.random() < 0.5:
            made.adjusted = {first: _snap(made.initial + budgets, form)}
    elif is_new:
        made.initial = _snap(made.initial * Decimal("0.3"), form)
    tell_money(teller, standing(heir), [made], calm=True, cumulative=tells_so_far)


def staffed(teller: Teller) -> None:
    """A unit with people in posts, told whole, in part or not at all, month by month; some take over a neighbour."""
    chance = teller.chance
    unit = teller.unit()
    teller.enter(unit)
    base = size(chance, teller.edges)
    tell_people(teller, standing(unit), drifting(base))
    if chance.random() < 0.2:
        day = change_day(chance)
        gone = replace(teller.unit(ends=day), successors=(unit.code,))
        teller.enter(gone)
        tell_people(teller, standing(gone), drifting(size(chance, teller.edges)))
        _tell_staff(teller, gone, _last_month(day))
    if teller.edges == JIANGXI:
        tell_money(teller, standing(unit), _purses(teller, yearly(teller.edges, base)))
    _tell_staff(teller, unit, date(YEAR, 12, 1))


def _tell_staff(teller: Teller, unit: Division, last: date) -> None:
    chance = teller.chance
    for month in months(date(YEAR, 1, 1), last):
        if chance.random() < 0.85:
            cells: list[int | None] = [chance.randint(0, 2), chance.randint(0, 3)]
            cells += [chance.randint(0, 3), chance.randint(0, 2), chance.randint(0, 2)]
            told = [None if chance.random() < 0.12 else c for c in cells]
            if any(c is not None for c in told):
                teller.staff(unit.code, month, told)


def indicators(world: World, chance: random.Random, count: int) -> None:
    """Figures of every rule that is asked for by a code, of any size, on and beside each other's edges, for units and
    counties alike: whatever of it is accepted must give an edition."""
    codes = sorted(
        {row["measure_code"] for row in rows_of("standard_measures") if "-" in row["measure_code"]}
    )
    values = [
        "0", "1", "2", "3", "10", "59999", "60000", "60001", "0.3333", "0.333333", "66.67", "99.995", "100", "100.001",
        "999999999", "2999999", "3000000", "是", "否", "民政所", "—", "无",
    ]  # fmt: skip
    units = [d for d in world.divisions if not d.code.endswith("00")]
    header = ["统计月份", "区划代码", "名称", "指标代码", "指标值"]
    for _ in range(count):
        unit = chance.choice(units)
        month = chance.choice([m for m in months(FIRST, LAST) if unit.stands_on(last_day(m))])
        rule = chance.choice(codes)
        for code in [c for c in codes if c.split(".")[0] == rule.split(".")[0]]:
            world.say(
                "能力建设指标", header, [f"{month:%Y-%m}", unit.code, unit.name, code, chance.choice(values)]
            )


STORIES: dict[Callable[[Teller], object], int] = {
    plain: 56,
    founded: 7,
    renamed: 7,
    abolished: 4,
    brief: 4,
    split: 5,
    merged: 21,
}


def world(seed: int, stories: int = 1000) -> World:
    """A world of so many stories; the same seed gives the same world."""
    chance = random.Random(seed)
    made = World(standards=own_rules(chance))
    names: dict[str, str] = {}
    total = sum(weight for *_, weight in COUNTIES)
    for county, edges, weight in COUNTIES:
        for code in (county[:2] + "0000", county[:4] + "00", county):
            if code not in names:
                kind = "省" if code.endswith("0000") else "地级市" if code.endswith("00") else "县"
                names[code] = kind
                made.divisions.append(Division(code, f"模拟{code}{kind}", kind))
        teller = Teller(made, chance, county, edges, iter(range(100, 400)))
        for _ in range(max(round(weight * stories / total), 1)):
            story = chance.choices(list(STORIES), list(STORIES.values()))[0]
            (staffed if county in STAFF_COUNTIES else story)(teller)
    indicators(made, chance, stories // 2)
    for file in made.files.values():
        chance.shuffle(file.rows)
    return made


@dataclass
class Rules:
    """Money rules that counties keep beside their data, in the columns of the project's seeds."""

    tables: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, county: str, formula: str, value: str, since: date, **more: str) -> None:
        """One rule of a county, the same for any number of people, from a document of its own."""
        issued_on = more.pop("issued", str(since))
        self._enter(
            "policy_documents",
            {
                "document_id": f"文{name}",
                "document_title": f"模拟文件{name}",
                "issuer_name": "模拟机关",
                "issuer_code": county,
                "issuer_level": "county",
                "force": "binding",
                "issued_on": issued_on,
                "recorded_on": "2025-01-01",
            },
        )
        self._enter(
            "standards",
            {
                "standard_id": name,
                "document_id": f"文{name}",
                "clause": "一",
                "quotation": "模拟条文",
                "title_zh": f"模拟标准{name}",
                "matter": "working_funds",
                "scope_code": county,
                "subject_level": "township",
                "topic_zh": "经费",
                "metric_zh": "年度安排数",
                "formula": formula,
                "comparator": ">=",
                "unit": "元",
                "period": "month",
                "population_basis": "registered",
                "population_date_rule": "prior_year_end",
                "edge_rule": "legal_default",
                "strength": "must",
                "severity": "high",
                "gradeable": "Y",
                "effective_from": str(since),
                "issued_on": issued_on,
                "recorded_on": "2025-01-01",
                "last_confirmed_on": "2025-01-01",
                "confirm_within_months": "60",
            }
            | more,
        )
        self._enter(
            "standard_tiers",
            {
                "standard_id": name,
                "tier_no": "1",
                "tier_label": "不分档",
                "lower_bound": "0",
                "lower_included": "true",
                "value": value,
                "unit": "元/人·月" if formula == "per_capita_by_tier" else "元/年",
                "quotation": "模拟条文",
            },
        )
        self._enter(
            "standard_measures",
            {
                "standard_id": name,
                "role": "value",
                "part_no": "1",
                "measure_code": "allocated_annual_cny",
                "required": "true",
                "label_zh": "年度安排数",
            },
        )

    def _enter(self, table: str, values: dict[str, str]) -> None:
        self.tables[table].append(dict.fromkeys(columns_of(table), "") | values)


def rows_of(table: str) -> list[dict[str, str]]:
    """One of the project's seeds."""
    with (SEEDS / f"{table}.csv").open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def columns_of(table: str) -> list[str]:
    return list(rows_of(table)[0])


def own_rules(chance: random.Random) -> dict[str, list[dict[str, str]]]:
    """A rate from the middle of a year, known before or only after it; one rule replaced by another; one that ends;
    one that begins where there was none."""
    begins = date(YEAR, chance.randint(2, 11), 1)
    issued = chance.choice([date(YEAR, 1, 10), begins + timedelta(days=chance.choice([5, 40]))])
    rules = Rules()
    rules.add("Y-01", "360302", "per_capita_by_tier", "0.30", begins, issued=str(issued))
    rules.add("Y-02", "360403", "flat_by_tier", "90000", date(2020, 1, 1))
    rules.add("Y-03", "360403", "flat_by_tier", "50000", begins)
    rules.add(
        "Y-04", "360602", "per_capita_by_tier", "0.40", date(2020, 1, 1), effective_to=str(last_day(begins))
    )
    rules.add("Y-05", "440103", "flat_by_tier", "66000", date(YEAR, 5, 1))
    return dict(rules.tables)
