"""Worlds in which units go into one another again and again: one after the other, in a row, on 1 January, into a unit
that was founded or renamed in the year, with people written in 万人 or known late; and amounts that are owed whole.

The other worlds have one takeover a unit. Of two in one year each thing that is added up has to be asked once more.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from tests.oracle.figures import month_after
from tests.oracle.reading import Division
from tests.oracle.stories import (
    JIANGXI,
    NINGXIA,
    YEAR,
    Purse,
    Rules,
    Teller,
    World,
    abolished,
    drifting,
    founded,
    merged,
    plain,
    purse,
    renamed,
    size,
    split,
    standing,
    tell_money,
    tell_people,
    yearly,
)

Story = Callable[["Teller", bool], object]
JIANGXI_COUNTIES = ("360111", "360112", "360302", "360602")


def _day(chance: random.Random, first: int, last: int) -> date:
    return date(YEAR, chance.randint(first, last), chance.choice([1, 1, 10, 15]))


def _two_days(chance: random.Random) -> tuple[date, date]:
    return _day(chance, 2, 6), _day(chance, 7, 12)


def _gone(
    teller: Teller, unit: Division, people: int, calm: bool, so_far: bool | None = None
) -> tuple[date, int]:
    """What a unit tells until it goes into another; the month from which it is gone, and its people."""
    assert unit.ends is not None
    first = date(YEAR, 1, 1) if unit.begins is None else unit.begins.replace(day=1)
    since = unit.ends.replace(day=1)
    # The month in which a unit ends within the month can still be told by it.
    tells_its_last = unit.ends.day > 1 and teller.chance.random() < 0.5
    made = purse(
        teller.chance,
        yearly(teller.edges, people),
        first,
        since if tells_its_last else month_after(since, -1),
        teller.chance.choice(["元", "万元"]),
    )
    tell_people(teller, standing(unit), drifting(people), calm=calm)
    tell_money(teller, standing(replace(unit, ends=None)), [made], calm=calm, cumulative=so_far)
    return since, people


def _heir(
    teller: Teller,
    units: Sequence[Division],
    own: int,
    joined: Sequence[tuple[date, int]],
    calm: bool,
    so_far: bool | None = None,
) -> None:
    """What the unit that stays tells under all its codes: of itself alone, or from some month on of the whole area."""
    chance = teller.chance
    begins = units[0].begins
    start = date(YEAR, 1, 1) if begins is None else begins.replace(day=1)
    form = chance.choice(["元", "元", "整元", "万元"])
    made: Purse = purse(
        chance, yearly(teller.edges, own or sum(n for _, n in joined)), start, date(YEAR, 12, 1), form
    )
    if chance.random() < 0.5:
        for since, people in joined:
            brought = (yearly(teller.edges, people) * Decimal(since.month - 1) / 12).quantize(Decimal("1e4"))
            # Twenty times a budget would be held as out of scale.
            brought = min(brought, 5 * made.initial)
            made.paid = {m: v + (brought if m >= since else 0) for m, v in made.paid.items()}
            if chance.random() < 0.6:
                before = made.adjusted[max(made.adjusted)] if made.adjusted else made.initial
                made.adjusted[since] = before + yearly(teller.edges, people).quantize(Decimal("1e2"))

    def people_of(month: date) -> int:
        return drifting(own + sum(n for since, n in joined if month >= since))(month)

    tell_people(teller, standing(*units), people_of, calm=calm)
    tell_money(teller, standing(*units), [made], calm=calm, cumulative=so_far)


def successive(teller: Teller, calm: bool) -> None:
    """Two units go into a third, one after the other."""
    so_far = teller.chance.random() < 0.7
    heir = teller.unit()
    gone = [replace(teller.unit(ends=day), successors=(heir.code,)) for day in _two_days(teller.chance)]
    teller.enter(heir, *gone)
    joined = [_gone(teller, unit, size(teller.chance, teller.edges), calm, so_far) for unit in gone]
    _heir(teller, [heir], size(teller.chance, teller.edges), joined, calm, so_far)


def in_a_row(teller: Teller, calm: bool) -> None:
    """One goes into a second, and that one into a third."""
    so_far = teller.chance.random() < 0.7
    early, late = _two_days(teller.chance)
    heir = teller.unit()
    middle = replace(teller.unit(ends=late), successors=(heir.code,))
    first = replace(teller.unit(ends=early), successors=(middle.code,))
    teller.enter(heir, middle, first)
    _, some = _gone(teller, first, size(teller.chance, teller.edges), calm, so_far)
    since, more = _gone(teller, middle, size(teller.chance, teller.edges), calm, so_far)
    _heir(teller, [heir], size(teller.chance, teller.edges), [(since, some + more)], calm, so_far)


def in_january(teller: Teller, calm: bool) -> None:
    """A takeover in the first month of the year; on its first day the unit had no month of it."""
    day = date(YEAR, 1, teller.chance.choice([1, 1, 10]))
    is_new = teller.chance.random() < 0.4
    heir = teller.unit(begins=day if is_new else None)
    gone = [replace(teller.unit(ends=day), successors=(heir.code,)) for _ in range(1 + is_new)]
    teller.enter(heir, *gone)
    sizes = [size(teller.chance, teller.edges) for _ in gone]
    for unit, people in zip(gone, sizes, strict=True):
        tell_people(teller, standing(unit), drifting(people), calm=True)
        if day.day > 1 and teller.chance.random() < 0.6:
            told = purse(
                teller.chance, yearly(teller.edges, people), date(YEAR, 1, 1), date(YEAR, 1, 1), "元"
            )
            tell_money(teller, standing(replace(unit, ends=None)), [told], calm=True)
    own = 0 if is_new else size(teller.chance, teller.edges)
    _heir(teller, [heir], own, [(day.replace(day=1), sum(sizes))], calm)


def into_a_young_one(teller: Teller, calm: bool) -> None:
    """A unit founded in the year takes an older one over, weeks or months later; or the other way round."""
    early, late = _day(teller.chance, 2, 5), _day(teller.chance, 7, 12)
    is_heir_young = teller.chance.random() < 0.5
    if is_heir_young and teller.chance.random() < 0.4:
        late = month_after(early.replace(day=1)).replace(day=teller.chance.choice([1, early.day]))
    heir = teller.unit(begins=early if is_heir_young else None)
    gone = teller.unit(begins=None if is_heir_young else early, ends=late)
    gone = replace(gone, successors=(heir.code,))
    teller.enter(heir, gone)
    # Two that stand beside one another and both report are two units, however short the time.
    for unit in (heir, gone):
        teller.staff(unit.code, early.replace(day=1), [1, 1, 1, 0, 0])
    joined = [_gone(teller, gone, size(teller.chance, teller.edges), calm)]
    _heir(teller, [heir], size(teller.chance, teller.edges), joined, calm)


def moved(teller: Teller, calm: bool) -> None:
    """A unit goes to another county under a new code, where another rate may hold; or into a unit there."""
    chance = teller.chance
    day = _day(chance, 2, 12)
    county = chance.choice([c for c in JIANGXI_COUNTIES if c != teller.county])
    taken = {unit.code for unit in teller.world.divisions}
    free = (number for number in range(998, 99, -1) if f"{county}{number}" not in taken)
    there = replace(teller, county=county, free=free)
    is_renamed = chance.random() < 0.6
    heir = there.unit(begins=day if is_renamed else None)
    gone = replace(teller.unit(ends=day), successors=(heir.code,))
    teller.enter(heir, gone)
    people = size(chance, teller.edges)
    if is_renamed:
        tell_people(teller, standing(gone, heir), drifting(people), calm=calm)
        made = purse(chance, yearly(teller.edges, people), date(YEAR, 1, 1), date(YEAR, 12, 1), "元")
        tell_money(teller, standing(gone, heir), [made], calm=calm)
    else:
        joined = [_gone(teller, gone, people, calm)]
        _heir(teller, [heir], size(chance, teller.edges), joined, calm)


def renamed_between(teller: Teller, calm: bool) -> None:
    """The one that goes was renamed before; or the one that stays was, or is later."""
    early, late = _two_days(teller.chance)
    way = teller.chance.choice(["gone", "heir before", "heir after"])
    people, own = size(teller.chance, teller.edges), size(teller.chance, teller.edges)
    if way == "gone":
        heir = teller.unit()
        new = replace(teller.unit(begins=early, ends=late), successors=(heir.code,))
        old = replace(teller.unit(ends=early), successors=(new.code,))
        teller.enter(heir, new, old)
        tell_people(teller, standing(old, new), drifting(people), calm=calm)
        _heir(teller, [heir], own, [(late.replace(day=1), people)], calm)
        return
    named, joins = (early, late) if way == "heir before" else (late, early)
    new = teller.unit(begins=named)
    old = replace(teller.unit(ends=named), successors=(new.code,))
    gone = replace(teller.unit(ends=joins), successors=((new if way == "heir before" else old).code,))
    teller.enter(new, old, gone)
    joined = [_gone(teller, gone, people, calm)]
    _heir(teller, [old, new], own, joined, calm)


TAKEOVERS: tuple[Story, ...] = (successive, in_a_row, in_january, into_a_young_one, renamed_between, moved)


def _of(story: Callable[[Teller], object]) -> Story:
    """A story of the other worlds, which tells in its own way."""
    return lambda teller, _: story(teller)


def _anything(teller: Teller, calm: bool) -> None:
    """A takeover of any kind, told as people tell it: in 万人, late, an old number, never."""
    del calm
    teller.chance.choice([successive, in_a_row, into_a_young_one, _of(merged)])(teller, False)


def _owed_whole(teller: Teller, calm: bool) -> None:
    """A unit under a standard that is owed whole: there all year, or a part of it."""
    del calm
    teller.chance.choice([plain, founded, abolished, split, merged, merged])(teller)


def _changing(teller: Teller, calm: bool) -> None:
    """Any change under a rate that changes as well."""
    teller.chance.choice([*TAKEOVERS, _of(split), _of(renamed), _of(founded)])(teller, calm)


def _merging_in_the_month_of(day: date) -> Story:
    """A takeover in the very month in which a rate begins or ends, before, on or after its day."""

    def told(teller: Teller, calm: bool) -> None:
        when = day.replace(day=teller.chance.choice([1, 14, 15, 16, 28]))
        heir = teller.unit()
        gone = replace(teller.unit(ends=when), successors=(heir.code,))
        teller.enter(heir, gone)
        joined = [_gone(teller, gone, size(teller.chance, teller.edges), calm)]
        _heir(teller, [heir], size(teller.chance, teller.edges), joined, calm)

    return told


def world_of_takeovers(seed: int, stories: int = 300) -> World:
    """A world of about so many stories; the same seed gives the same world."""
    chance = random.Random(seed)
    rules = Rules()
    rules.add("W-01", "360721", "flat_by_tier", "80000", date(2020, 1, 1), accrual="annual")
    rules.add("W-02", "360722", "flat_by_tier", "45000", date(2020, 1, 1), accrual="annual")
    since, told = date(YEAR, chance.randint(3, 9), 15), date(YEAR, chance.randint(1, 11), 20)
    rules.add("Y-01", "360302", "per_capita_by_tier", "0.30", since, issued=str(told))
    until = date(YEAR, chance.randint(3, 10), 15)
    rules.add("Y-04", "360602", "per_capita_by_tier", "0.40", date(2020, 1, 1), effective_to=str(until))
    made = World(standards=dict(rules.tables))
    counties: list[tuple[str, tuple[int, ...], Sequence[Story], int]] = [
        ("360111", JIANGXI, TAKEOVERS, 22),
        ("640211", NINGXIA, TAKEOVERS, 12),
        ("360112", JIANGXI, [_anything], 14),
        ("360721", JIANGXI, [_owed_whole], 10),
        ("360722", JIANGXI, [_owed_whole], 8),
        ("360302", JIANGXI, [_changing, _changing, _merging_in_the_month_of(since)], 17),
        ("360602", JIANGXI, [_changing, _changing, _merging_in_the_month_of(until)], 17),
    ]
    names: set[str] = set()
    for county, edges, kinds, share in counties:
        for code in (county[:2] + "0000", county[:4] + "00", county):
            if code not in names:
                names.add(code)
                kind = "省" if code.endswith("0000") else "地级市" if code.endswith("00") else "县"
                made.divisions.append(Division(code, f"模拟{code}{kind}", kind))
        teller = Teller(made, chance, county, edges, iter(range(100, 999)))
        for number in range(max(share * stories // 100, len(kinds))):
            kinds[number % len(kinds)](teller, True)
    for file in made.files.values():
        chance.shuffle(file.rows)
    return made
