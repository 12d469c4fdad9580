"""Which unit a row speaks of: by code and month, following renamed units; by name only within a named county."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import polars as pl

from oversight.intake.reading import values
from oversight.intake.reading.text import TRADITIONAL, fold

_ORGANISATION = re.compile(
    r"(?:人民政府|政府|街道办事处|办事处|街道办|民政办公室|民政办|民政所|民政站|社会事务(?:办公室|办|科)|财政所|党政办)$"
)
_LIST_NUMBER = re.compile(r"^(?:\(\d{1,3}\)|\d{1,3}[.、)])")
_TYPE = re.compile(r"(?:(?:[\u4e00-\u9fff]{1,4}族)+乡|街道|镇|乡|苏木|地区|农场|管理区)$")
# A successor may be set up some weeks after the old code was closed; later it is no renaming. Where both codes stand at a
# month's end, the reports decide whether they are one unit (int_units): none is taken for the other's here.
_HANDOVER = timedelta(days=31)
_DAY = timedelta(days=1)


class Unit(NamedTuple):
    """A unit in one period of its life; `valid_to` is the first day it is no longer in force."""

    code: str
    name: str
    valid_from: date | None
    valid_to: date | None
    successors: tuple[str, ...]

    def in_force(self, month: date) -> bool:
        """Whether the unit is in force on the last day of the month: figures are those of its end."""
        end = month_end(month)
        return (self.valid_from is None or self.valid_from <= end) and (
            self.valid_to is None or self.valid_to > end
        )

    def ends_about(self, day: date) -> bool:
        """Whether it ends so near a day that what begins on it may be the same unit, and never stood beside it."""
        if self.valid_to is None:
            return False
        return day - self.valid_to <= _HANDOVER and self.valid_to <= month_end(day)


def month_end(month: date) -> date:
    """The last day of a month given by any of its days."""
    following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    return following - timedelta(days=1)


@dataclass(frozen=True)
class Resolved:
    """The code in force, with a doubt; or the error that the row is rejected with."""

    code: str | None
    doubt: str | None = None
    error: str | None = None
    found: dict[str, str] = field(default_factory=dict)


def split_codes(text: str | None) -> tuple[str, ...]:
    """The codes in a 变更后代码 cell, canonical; what is no code is left out."""
    if not text:
        return ()
    found = (values.code(part) for part in re.split(r"[、,，;；/\s]+", text))
    return tuple(code for code in found if isinstance(code, str))


@lru_cache(maxsize=65536)
def canonical(name: str) -> str:
    """A unit's name without its number in a list and the office that signs for it: 1.湘东镇人民政府 → 湘东镇,
    东华门街道办事处 → 东华门街道."""
    folded = _LIST_NUMBER.sub("", fold(name)).strip("*★#")
    match = _ORGANISATION.search(folded)
    if not match or match.start() < 2:
        return folded
    stem = folded[: match.start()]
    return stem + "街道" if "街道" in match.group(0) and not stem.endswith("街道") else stem


def _stem(name: str) -> str:
    """Without 镇, 乡, 街道; left alone if nothing would remain."""
    stem = _TYPE.sub("", name)
    return stem if len(stem) >= 1 else name


class Units:
    """All units and their changes, as the divisions dataset has them.

    Most reports give a code in force and its name, which `placing` settles for all rows at once; what is asked of
    a single unit is put together only when the first row needs it.
    """

    def __init__(self, divisions: pl.DataFrame, changes: pl.DataFrame | None = None) -> None:
        self.divisions = _with_last_days(divisions)
        self._changes = changes

    def __bool__(self) -> bool:
        return self.divisions.height > 0

    @cached_property
    def by_code(self) -> dict[str, list[Unit]]:
        """The periods of each code, in order."""
        found: dict[str, list[Unit]] = defaultdict(list)
        columns = ("division_code", "division_name", "valid_from", "valid_to", "successor_code")
        for code, name, valid_from, valid_to, successor in self.divisions.select(columns).iter_rows():
            found[code].append(Unit(code, name, valid_from, valid_to, split_codes(successor)))
        return found

    @cached_property
    def _predecessors(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        having = self.divisions.select("division_code", "successor_code").drop_nulls()
        for code, successor in having.iter_rows():
            for other in split_codes(successor):
                found[other].add(code)
        return found

    @cached_property
    def _by_name(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        name = pl.col("division_name")
        # Of nearly all forty thousand names of the country there is nothing to take away or to fold.
        is_canonical = name.str.contains("^[\u4e00-\u9fff]+$") & ~name.str.contains(
            f"[{TRADITIONAL}]|{_ORGANISATION.pattern}"
        )
        for code, written, is_so in self.divisions.select(
            "division_code", name, is_canonical.alias("is_so")
        ).iter_rows():
            found[written if is_so else canonical(written)].add(code)
        return found

    @cached_property
    def _in_county(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for code in self.by_code:
            if len(code) == 9:
                found[code[:6]].append(code)
        return found

    @cached_property
    def counties(self) -> dict[str, str]:
        """The latest name of each county by its code."""
        return {
            code: units[-1].name
            for code, units in self.by_code.items()
            if len(code) == 6 and not code.endswith("00")
        }

    @cached_property
    def _changed(self) -> dict[str, list[tuple[int, str | None, str | None]]]:
        """Old code → (year, new code, new name) of each change that the yearly lists tell of."""
        found: dict[str, list[tuple[int, str | None, str | None]]] = defaultdict(list)
        if self._changes is not None:
            wanted = ("change_year", "old_code", "new_code", "new_name")
            for year, old, new, new_name in (
                self._changes.select(wanted).drop_nulls("old_code").unique().sort(wanted).iter_rows()
            ):
                old_code, new_code = values.code(old), values.code(new) if new else None
                if isinstance(old_code, str):
                    target = new_code if isinstance(new_code, str) else None
                    found[old_code].append((year, target, new_name))
        return found

    @cached_property
    def _came_from(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for old, changes in self._changed.items():
            for _, target, _ in changes:
                if target:
                    found[target].add(old)
        return found

    def name(self, code: str) -> str:
        """The latest name of a code, or the code itself."""
        units = self.by_code.get(code)
        return units[-1].name if units else code

    def _in_force(self, code: str, month: date) -> Unit | None:
        return next((u for u in self.by_code.get(code, ()) if u.in_force(month)), None)

    def _renamed_to(self, unit: Unit) -> str | None:
        """The one successor, if this unit and no other became it when it began: then it is a renaming, whoever goes
        into it later."""
        if len(unit.successors) != 1:
            return None
        successor = unit.successors[0]
        begins = self.by_code[successor][0].valid_from if successor in self.by_code else None
        if begins is None or not unit.ends_about(begins):
            return None
        became = {
            code
            for code in self._predecessors[successor]
            if any(u.ends_about(begins) and successor in u.successors for u in self.by_code[code])
        }
        return successor if became == {unit.code} else None

    def _was(self, code: str) -> str | None:
        """The code that this one took the place of by renaming."""
        before = self._predecessors.get(code, ())
        return next(
            (old for old in before if any(self._renamed_to(u) == code for u in self.by_code[old])), None
        )

    @cached_property
    def first_codes(self) -> dict[str, str]:
        """The first code of every township that bears another by now: renaming makes no other unit of it.

        Most units never changed: only those that followed another, or were followed, are put together for this.
        """
        having = self.divisions.drop_nulls("successor_code")
        changed = {
            *having.get_column("division_code"),
            *(code for successor in having.get_column("successor_code") for code in split_codes(successor)),
        }
        few = Units(self.divisions.clear(), self._changes)
        few.divisions = self.divisions.filter(pl.col("division_code").is_in(list(changed)))
        return few._followed()

    def _followed(self) -> dict[str, str]:
        before = {
            new: code
            for code, units in self.by_code.items()
            if len(code) == 9
            for unit in units
            if unit.successors and (new := self._renamed_to(unit)) is not None
        }
        found = {}
        for code in before:
            first, seen = code, {code}
            while first in before and before[first] not in seen:
                first = before[first]
                seen.add(first)
            found[code] = first
        return found

    def resolve(self, code: str, month: date) -> Resolved:
        """The code in force in `month` for what was reported under `code`."""
        units = self.by_code.get(code)
        if not units:
            return self._by_changes(code, month)
        if self._in_force(code, month):
            return Resolved(code)
        ended = [u for u in units if u.valid_to is not None and u.valid_to <= month_end(month)]
        return self._forward(ended[-1], month) if ended else self._backward(units[0], month)

    def _by_changes(self, code: str, month: date) -> Resolved:
        """A code the divisions table no longer has: followed by the yearly lists of changes, where these are certain."""
        current, seen = code, {code}
        while current not in self.by_code:
            changes = self._changed.get(current, [])
            targets = {target for _, target, _ in changes}
            (target,) = targets if len(targets) == 1 else (None,)
            if target is None or target in seen or self._came_from[target] != {current}:
                break
            seen.add(target)
            current = target
        if current != code and current in self.by_code:
            found = self.resolve(current, month)
            return Resolved(found.code, "D01") if found.code else found
        known = self._changed.get(code)
        if not known:
            return Resolved(None, error="R08", found={"value": code})
        named = {f"{name or '撤销'}" + (f"（{target}）" if target else "") for _, target, name in known}
        texts = {
            "unit": code,
            "date": f"{max(year for year, _, _ in known)}年",
            "detail": f"变更为{'、'.join(sorted(named))}",
            "month": f"{month:%Y-%m}",
        }
        return Resolved(None, error="R09", found=texts)

    def _forward(self, first: Unit, month: date) -> Resolved:
        unit, seen = first, {first.code}
        while True:
            successor = self._renamed_to(unit)
            if successor is None or successor in seen:
                break
            if self._in_force(successor, month):
                return Resolved(successor, doubt="D01")
            seen.add(successor)
            later = [
                u
                for u in self.by_code[successor]
                if u.valid_to is not None and u.valid_to <= month_end(month)
            ]
            if not later:
                break
            unit = later[-1]
        if first.valid_to is not None and first.valid_to > month:
            # What a unit was paid in the month in which it ended belongs to its last figure.
            return Resolved(first.code)
        names = "、".join(f"{self.name(c)}（{c}）" for c in unit.successors)
        if not unit.successors:
            detail = "没有变更后代码"
        elif len(unit.successors) == 1:
            detail = f"并入{names}"
        else:
            detail = f"拆分为{names}"
        found = {
            "unit": f"{first.name}（{first.code}）",
            "date": first.valid_to.isoformat() if first.valid_to else "",
            "detail": detail,
            "month": f"{month:%Y-%m}",
        }
        return Resolved(None, error="R09", found=found)

    def _backward(self, first: Unit, month: date) -> Resolved:
        code, seen = first.code, {first.code}
        while True:
            previous = self._was(code)
            if previous is None or previous in seen:
                break
            if self._in_force(previous, month):
                return Resolved(previous, doubt="D01")
            seen.add(previous)
            code = previous
        found = {
            "unit": f"{first.name}（{first.code}）",
            "date": first.valid_from.isoformat() if first.valid_from else "",
            "month": f"{month:%Y-%m}",
        }
        return Resolved(None, error="R10", found=found)

    def _names(self, code: str) -> set[str]:
        """Every name the code, or the codes it was renamed from and to, ever had."""
        names = {canonical(u.name) for u in self.by_code.get(code, ())}
        for unit in self.by_code.get(code, ()):
            successor = self._renamed_to(unit)
            if successor:
                names |= {canonical(u.name) for u in self.by_code[successor]}
        if (previous := self._was(code)) is not None:
            names |= {canonical(u.name) for u in self.by_code[previous]}
        return names

    def check_name(self, code: str, name: str) -> Resolved:
        """Whether a name goes with a code: yes, with a doubt, or it is another unit's (R11)."""
        written = self._without_ancestors(canonical(name), code)
        names = self._names(code)
        if written in names:
            return Resolved(code)
        others = {c for c in self._by_name.get(written, ()) if len(c) == len(code) and c != code}
        near = {c for c in others if c[:6] == code[:6]}
        similar = _stem(written) in {_stem(n) for n in names}
        if near or (others and not similar):
            other = min(near or others)
            found = {
                "code": code,
                "unit": self.name(code),
                "value": name,
                "other": f"{self.name(other)}（{other}）",
            }
            return Resolved(None, error="R11", found=found)
        if not similar and len(_stem(written)) >= 2:
            twins = [
                c
                for c in self._in_county.get(code[:6], ())
                if c != code and _stem(canonical(self.name(c))) == _stem(written)
            ]
            if len(twins) == 1:
                other = twins[0]
                found = {
                    "code": code,
                    "unit": self.name(code),
                    "value": name,
                    "other": f"{self.name(other)}（{other}）",
                }
                return Resolved(None, error="R11", found=found)
        return Resolved(code, doubt="D02")

    def _without_ancestors(self, name: str, code: str) -> str:
        for ancestor in (code[:2] + "0000", code[:4] + "00", code[:6]):
            prefix = self.name(ancestor)
            if name.startswith(prefix) and len(name) > len(prefix) + 1:
                name = name[len(prefix) :]
        return name

    def county_in(self, words: str) -> str | None:
        """The one county that a title, sheet or file name speaks of."""
        text = fold(words)
        found = {code: name for code, name in self.counties.items() if len(name) >= 2 and name in text}
        longest = {c: n for c, n in found.items() if not any(n != m and n in m for m in found.values())}
        return next(iter(longest)) if len(longest) == 1 else None

    def by_hint(self, hint: str, name: str | None, month: date) -> Resolved:
        """A code that Excel cut short: recovered only if one unit of that name can have been meant."""
        written = canonical(name or "")
        codes = {c for c in self._by_name.get(written, ()) if len(c) == 9 and values.hint_fits(hint, c)}
        found = {r.code for c in codes if (r := self.resolve(c, month)).code is not None}
        if len(found) == 1:
            return Resolved(found.pop(), doubt="D09")
        return Resolved(None, error="R03", found={"value": hint.removeprefix(values.HINT)})

    def by_name(self, name: str, county: str | None, month: date) -> Resolved:
        """A unit by its name alone: only within a named county, and only if one unit there had it in that month.

        A county named with the unit itself (湘东区老关镇) beats the one that the table is about.
        """
        county = self._county_before(name, county)
        if county is None:
            return self._by_name_alone(name, month)
        written = self._without_ancestors(canonical(name), county)
        codes = [
            c
            for c in self._in_county.get(county, ())
            if any(canonical(u.name) in (written, canonical(name)) for u in self.by_code[c])
        ]
        if not codes and _stem(written) == written != _county_stem(self.counties[county]):
            # 荷尧 for 荷尧镇; the short name of the county itself may mean all of it.
            codes = [
                c
                for c in self._in_county.get(county, ())
                if len(written) >= 2 and any(_stem(canonical(u.name)) == written for u in self.by_code[c])
            ]
        found = {r.code for c in codes if (r := self.resolve(c, month)).code is not None}
        if len(found) == 1:
            return Resolved(found.pop(), doubt="D03")
        where = self.counties[county]
        detail = (
            f"{where}当月没有叫这个名称的单位" if not found else f"{where}有 {len(found)} 个单位叫这个名称"
        )
        return Resolved(None, error="R12", found={"value": name, "detail": detail})

    def _by_name_alone(self, name: str, month: date) -> Resolved:
        """A unit whose county nobody names: the only one so called among all known."""
        written = canonical(name)
        found = {
            r.code
            for code in self._by_name.get(written, ())
            if len(code) == 9 and (r := self.resolve(code, month)).code is not None
        }
        if len(found) == 1:
            return Resolved(found.pop(), doubt="D03")
        detail = "标题、工作表名和文件名里没有写明是哪个县（市、区）"
        if found:
            detail += f"，而有 {len(found)} 个县都有叫这个名称的单位"
        elif self.counties:
            detail += "，行政区划表里也没有叫这个名称的单位"
        return Resolved(None, error="R12", found={"value": name, "detail": detail})

    def county_of_all(self, names: Iterable[str]) -> str | None:
        """The one county that has a unit of each of these names; the only county there is, for a folder of one."""
        written = {canonical(name) for name in names}
        shared: set[str] | None = None
        for name in written:
            having = {code[:6] for code in self._by_name.get(name, ()) if len(code) == 9}
            if not having:
                continue
            shared = having if shared is None else shared & having
        if shared and len(shared) == 1 and len(written) >= 2:
            return next(iter(shared))
        return next(iter(self.counties)) if len(self.counties) == 1 else None

    def _county_before(self, name: str, county: str | None) -> str | None:
        """The county that stands before a unit's name, else `county`; None where several may be meant."""
        written = canonical(name)
        said = {
            code
            for code, called in self.counties.items()
            if len(called) >= 2 and called in written and called not in self._without_ancestors(written, code)
        }
        if not said or county in said:
            return county
        return said.pop() if len(said) == 1 else None


def _county_stem(name: str) -> str:
    return re.sub(r"(?:自治县|自治旗|县|区|市|旗)$", "", name)


def winners(divisions: pl.DataFrame) -> pl.DataFrame:
    """For each code all its rows from the submission that counts: a later table replaces what was said of a code."""
    best = pl.col("precedence").max().over("division_code")
    return divisions.filter(pl.col("precedence") == best).sort(
        "division_code", pl.col("valid_from"), nulls_last=False, maintain_order=True
    )


LEVELS: dict[int, str] = {6: "县级及以上", 9: "乡镇", 12: "村级"}


def _with_last_days(divisions: pl.DataFrame) -> pl.DataFrame:
    """A successor that starts the day after 停用日期 tells that it was the last day in force."""
    numbered = divisions.with_row_index("at")
    ended = [
        (at, other, last + _DAY)
        for at, successor, last in numbered.select("at", "successor_code", "valid_to")
        .drop_nulls()
        .iter_rows()
        for other in split_codes(successor)
    ]
    if not ended:
        return divisions
    schema: dict[str, Any] = {"at": pl.UInt32, "division_code": pl.String, "valid_from": pl.Date}
    later = pl.DataFrame(ended, schema=schema, orient="row").join(
        numbered.select("division_code", "valid_from"), on=["division_code", "valid_from"], how="semi"
    )
    is_last = pl.col("at").is_in(later["at"].to_list())
    return numbered.with_columns(
        pl.when(is_last).then(pl.col("valid_to") + _DAY).otherwise("valid_to").alias("valid_to")
    ).drop("at")
