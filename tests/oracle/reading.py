"""What was sent, read a second time: the CSV files of a data folder and the standards beside them.

Nothing of the product is used, not its titles, not its readers. Only plain files are read here: CSV with one header
row in the canonical titles of the design. Every amount becomes a fraction of 元 and carries its precision.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from pathlib import Path

SEEDS = Path(__file__).parents[2] / "dbt" / "seeds"
CENT = Fraction(1, 100)
NOTHING = Fraction(0)
UNITS = {"": 1, "元": 1, "万元": 10_000, "人": 1, "万人": 10_000, "户": 1, "名": 1, "个": 1}
NOT_REPORTED = {"", "—", "-", "/"}

# What each title means. A title is written with its unit in brackets, which is cut off before it is looked up.
AMOUNTS = {
    "年初预算": "initial",
    "调整后预算": "adjusted",
    "本月拨付": "paid_month",
    "累计拨付": "paid_so_far",
    "本月支出": "spent_month",
    "累计支出": "spent_so_far",
}
PEOPLE = {
    "户籍户数": "households",
    "户籍人口": "registered",
    "常住人口": "resident",
}
STAFF = {
    "行政编制数": "administrative_posts",
    "事业编制数": "institution_posts",
    "在编在岗专职人数": "dedicated_staff_persons",
    "公益性岗位人数": "welfare_posts_persons",
    "政府购买服务人数": "purchased_service_persons",
}
FLOWS = {"paid_month", "spent_month"}
SO_FAR = {"paid_so_far", "spent_so_far"}


@dataclass(frozen=True)
class Figure:
    """A number as it was written: its value and one unit of its last place, both in 元 or persons."""

    value: Fraction
    precision: Fraction


@dataclass(frozen=True)
class Division:
    """A unit of any level; `ends` is the first day on which it is no more."""

    code: str
    name: str
    kind: str
    begins: date | None = None
    ends: date | None = None
    successors: tuple[str, ...] = ()

    def stands_on(self, day: date) -> bool:
        return (self.begins is None or self.begins <= day) and (self.ends is None or self.ends > day)


@dataclass(frozen=True)
class Report:
    """One row that somebody sent; of two by the same unit for the same month the later `place` holds."""

    dataset: str
    month: date
    code: str
    figures: Mapping[str, Figure]
    listed: bool | None = None
    place: tuple[object, ...] = ()


@dataclass(frozen=True)
class Tier:
    label: str
    lower: int | None
    lower_included: bool
    upper: int | None
    upper_included: bool
    value: Fraction
    maximum: int | None


@dataclass(frozen=True, eq=False)
class Standard:
    """A rule as its four tables have it."""

    standard_id: str
    document: str
    issuer: str
    matter: str
    scope: str
    formula: str
    effective_from: date
    effective_to: date | None
    issued_on: date | None
    tiers: tuple[Tier, ...]
    measures: tuple[tuple[str, str, bool, str], ...]
    edge_rule: str
    basis: str
    accrual: str

    @property
    def known_from(self) -> date:
        return self.issued_on or self.effective_from

    @cached_property
    def reach(self) -> str:
        """The beginning of every code the rule covers."""
        for digits in (0, 2, 4):
            if len(self.scope) == 6 and not self.scope[digits:].strip("0"):
                return self.scope[:digits]
        return self.scope

    @cached_property
    def edges(self) -> frozenset[int]:
        """The numbers at which one tier ends and the next begins."""
        return frozenset(t.lower for t in self.tiers if t.lower)


@dataclass
class Folder:
    """A data folder as it was sent."""

    divisions: list[Division] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    standards: list[Standard] = field(default_factory=list)
    months: set[date] = field(default_factory=set)
    # A shortfall below the larger of the two (an amount, a share of the guarantee) is minor.
    minor: tuple[Fraction, Fraction] = (NOTHING, NOTHING)


def read(folder: Path, seeds: Path = SEEDS) -> Folder:
    """Everything below raw/ and standards/ of a data folder."""
    found = Folder(standards=read_standards(seeds, folder / "standards"))
    limits = {row["unit"]: row for row in _table(seeds, folder / "standards", "materiality", "unit")}
    found.minor = Fraction(limits["元"]["below_amount"]), Fraction(limits["元"]["below_pct"]) / 100
    for path in sorted((folder / "raw").rglob("*.csv")):
        rows = _rows(path)
        if not rows:
            continue
        if "上级代码" in rows[0]:
            found.divisions += read_divisions(rows)
        else:
            # A correction counts after everything else, whatever its name.
            found.reports += read_reports(rows, ("更正" in path.name, path.name))
            found.months |= {date.fromisoformat(row["统计月份"] + "-01") for row in rows}
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return [{k: (v or "").strip() for k, v in row.items() if k} for row in csv.DictReader(handle)]


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def read_divisions(rows: Iterable[Mapping[str, str]]) -> list[Division]:
    divisions = {
        row["区划代码"]: Division(
            row["区划代码"],
            row["名称"],
            row["类型"],
            _day(row.get("启用日期", "")),
            _day(row.get("停用日期", "")),
            tuple(filter(None, re.split("[、,，;；]", row.get("变更后代码", "")))),
        )
        for row in rows
    }
    # Where the successor starts the day after, 停用日期 was the last day and not the first without the unit.
    for code, unit in divisions.items():
        if unit.ends and len(unit.successors) == 1 and unit.successors[0] in divisions:
            day_after = unit.ends + timedelta(days=1)
            if divisions[unit.successors[0]].begins == day_after:
                divisions[code] = replace(unit, ends=day_after)
    return list(divisions.values())


def places(text: str) -> int:
    """Decimal places of a number as it stands in a file, after rounding to 15 significant digits."""
    number = Decimal(text.replace(",", ""))
    if len(number.as_tuple().digits) > 15:
        number = Decimal(f"{number:.15g}").normalize()
    exponent = number.as_tuple().exponent
    return max(0, -int(exponent))


def to_the_fen(value: Fraction) -> Fraction:
    """Half up to the 分, away from zero for amounts taken back."""
    cents = (abs(value) * 100 + Fraction(1, 2)).__floor__()
    return Fraction(cents if value >= 0 else -cents, 100)


def column_places(cells: Iterable[str], at_least_two: bool) -> int:
    """The most places that at least a tenth of the cells have; columns of few cells in 万元 have two at least."""
    counts = [places(cell) for cell in cells]
    enough = [k for k in range(max(counts, default=0) + 1) if 10 * sum(c >= k for c in counts) >= len(counts)]
    most = max(enough, default=0)
    return max(most, 2) if at_least_two and len(counts) < 10 else most


def read_reports(rows: list[dict[str, str]], place: tuple[object, ...]) -> list[Report]:
    """The rows of one file, each figure with the precision of its column or, where it has more places, its own."""
    columns = {}
    for title in rows[0]:
        name, unit = re.fullmatch(r"([^(（]*)(?:[(（](.*)[)）])?", title).groups()
        for meaning in (AMOUNTS, PEOPLE, STAFF):
            if name in meaning:
                factor = UNITS[unit or ""]
                cells = [row[title] for row in rows if _is_number(row[title])]
                written = column_places(cells, meaning is AMOUNTS and factor > 1)
                columns[title] = (meaning[name], factor, written)
    keys = {key for key, _, _ in columns.values()}
    if not keys:
        return []
    dataset = "budget" if keys & set(AMOUNTS.values()) else "staffing" if keys & set(STAFF.values()) else None
    reports = []
    for number, row in enumerate(rows):
        figures = {}
        for title, (key, factor, written) in columns.items():
            cell = row[title]
            if _is_number(cell):
                value = Fraction(cell.replace(",", "")) * factor
                smallest = CENT if key in AMOUNTS.values() else Fraction(1)
                own = Fraction(factor, 10 ** max(written, places(cell)))
                figures[key] = Figure(to_the_fen(value), max(own, smallest))
            elif cell == "无" and (key in FLOWS or key in STAFF.values()):
                figures[key] = Figure(Fraction(0), CENT if key in FLOWS else Fraction(1))
        listed = {"是": True, "否": False, "无": False}.get(row.get("是否单独列支", ""))
        if any(figures.get(key, Figure(Fraction(0), CENT)).value < 0 for key in keys - FLOWS):
            continue  # Less than nothing so far, or in a budget, cannot be: the row is refused.
        if figures or listed is not None:
            month = date.fromisoformat(row["统计月份"] + "-01")
            reports.append(
                Report(dataset or "population", month, row["区划代码"], figures, listed, (*place, number))
            )
    return reports


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"-?[\d,]+(\.\d+)?", cell) is not None


def _table(seeds: Path, own: Path, name: str, key: str) -> list[dict[str, str]]:
    """A table of the project's data; a folder's own rows add to it or replace all those of the same key."""
    rows = _rows(seeds / f"{name}.csv")
    more = _rows(own / f"{name}.csv") if (own / f"{name}.csv").exists() else []
    replaced = {row[key] for row in more}
    return [row for row in rows if row[key] not in replaced] + more


def read_standards(seeds: Path, own: Path) -> list[Standard]:
    """The project's standards; a folder's own add to them or replace those of the same id, as a whole."""
    tables: dict[str, list[dict[str, str]]] = {}
    for name, key in (
        ("policy_documents", "document_id"),
        ("standards", "standard_id"),
        ("standard_tiers", "standard_id"),
        ("standard_measures", "standard_id"),
    ):
        tables[name] = _table(seeds, own, name, key)
    issuers = {row["document_id"]: row["issuer_code"] for row in tables["policy_documents"]}
    return [
        Standard(
            row["standard_id"],
            row["document_id"],
            row.get("origin_issuer_code") or issuers[row["document_id"]],
            row["matter"],
            row["scope_code"],
            row["formula"],
            date.fromisoformat(row["effective_from"]),
            _day(row["effective_to"]),
            _day(row["issued_on"]),
            tuple(
                Tier(
                    tier["tier_label"],
                    int(tier["lower_bound"]) if tier["lower_bound"] else None,
                    tier["lower_included"] == "true",
                    int(tier["upper_bound"]) if tier["upper_bound"] else None,
                    tier["upper_included"] == "true",
                    Fraction(tier["value"] or "0"),
                    int(Fraction(tier["value_max"])) if tier["value_max"] else None,
                )
                for tier in sorted(tables["standard_tiers"], key=lambda t: int(t["tier_no"]))
                if tier["standard_id"] == row["standard_id"]
            )
            if row["formula"] in MEANT
            else (),
            tuple(
                (m["role"], m["measure_code"], m["required"] == "true", m["threshold"])
                for m in tables["standard_measures"]
                if m["standard_id"] == row["standard_id"]
            ),
            row["edge_rule"] or "legal_default",
            row["population_basis"] or "registered",
            row.get("accrual") or "monthly",
        )
        for row in tables["standards"]
        if row["formula"] in MEANT and row["gradeable"] in ("Y", "soft")
    ]


MONEY = ("per_capita_by_tier", "flat_by_tier", "per_capita_marginal")
STAFFING = ("staff_floor", "staff_range_by_tier", "posts_parts")
MEANT = (*MONEY, *STAFFING)
