"""The pieces that a guarantee is made of: which months, which standard, on how many people, at what rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from oversight.explain.arithmetic import FEN, written
from oversight.explain.cells import Edition
from oversight.explain.guarantee import factors
from oversight.explain.model import Line

# Shares of a year are kept in parts of which this many make the whole (dbt, int_funding_months).
_PARTS = 27720
_UNITS = 10_000


@dataclass(frozen=True)
class Piece:
    """A run of months of one standard on one population. `is_expected`: after the month told, as if all went on."""

    unit: str
    standard_id: str
    tier_label: str
    population: int | None
    first: int
    last: int
    terms: str
    of: int
    annual_units: int
    month_units: int
    is_expected: bool

    @property
    def months(self) -> int:
        """How many months it counts."""
        return self.last - self.first + 1

    @property
    def expression(self) -> str:
        """Its part of the sum, exactly."""
        if self.months == self.of:
            return self.terms
        terms = f"({self.terms})" if " + " in self.terms else self.terms
        return f"{terms} × {self.months} ÷ {self.of}"

    @property
    def units(self) -> int:
        """What it comes to, in ten-thousandths of a 元 times `_PARTS`."""
        return self.month_units * self.months

    @property
    def exact(self) -> Decimal:
        """The same in 元, not rounded."""
        return Decimal(self.units) / (_PARTS * _UNITS)


def pieces_of(edition: Edition, funding: dict[str, Any], alone: str | None = None) -> list[Piece]:
    """The pieces of a row's guarantee, first those of units taken over; with `alone` those of that standard only."""
    own = edition.township(funding["township_code"])
    if own is None:
        return []
    year, number = funding["fiscal_year"], funding["month"].month
    found: list[Piece] = []
    for unit_id in taken_over(edition, own["unit_id"], year, number):
        found += (
            _brought(edition, unit_id, year, number)
            if alone is None
            else _of_unit(edition, unit_id, year, number, None, alone)
        )
    return found + _of_unit(edition, own["unit_id"], year, number, number, alone)


def _brought(edition: Edition, unit_id: str, year: int, known_in: int) -> list[Piece]:
    """What had accrued to a unit that was taken over, by the whole amount of its year where the months came to less."""
    rows = _rows(edition, unit_id, year, known_in)
    last = max((row["unit_last_number"] for row in rows), default=0)
    wholes = {
        row["standard_id"]
        for row in rows
        if row["accrual"] == "annual" and row["first_number"] <= last and row["last_number"] == 12
    }
    best, most = None, sum(piece.units for piece in _of_unit(edition, unit_id, year, known_in, last, None))
    for standard_id in sorted(wholes):
        units = sum(piece.units for piece in _of_unit(edition, unit_id, year, known_in, last, standard_id))
        if units > most:
            best, most = standard_id, units
    return _of_unit(edition, unit_id, year, known_in, None, best)


def row_pieces(edition: Edition, funding: dict[str, Any]) -> tuple[list[Piece], list[Piece]]:
    """The pieces of a row's own guarantee, and those of the months' highest amounts where these come to less.

    What is guaranteed whole for the year is not made less by another issuer's monthly standard.
    """
    counted = pieces_of(edition, funding)
    standard = edition.standards.get(funding["standard_id"] or "")
    if standard is None or standard.get("accrual") != "annual":
        return counted, []
    alone = pieces_of(edition, funding, funding["standard_id"])
    if sum(piece.units for piece in alone) > sum(piece.units for piece in counted):
        return alone, counted
    return counted, []


def taken_over(edition: Edition, unit_id: str, year: int, number: int) -> list[str]:
    """Units that went into this one in the year, up to the month; with those that had gone into them."""
    if not edition.holds("detail", "takeovers"):
        return []
    rows = edition.rows(
        "select unit_id from detail.takeovers where heir_unit_id = ? and year(since_month) = ? "
        "and month(since_month) between 2 and ? order by since_month, unit_id",
        unit_id,
        year,
        number,
    )
    found: list[str] = []
    for row in rows:
        found += [*taken_over(edition, row["unit_id"], year, number), row["unit_id"]]
    return found


def _rows(edition: Edition, unit_id: str, year: int, known_in: int) -> list[dict[str, Any]]:
    return edition.rows(
        "select * from detail.funding_pieces where unit_id = ? and fiscal_year = ? "
        "and ? between known_from_number and known_until_number order by phase_from_number, first_number",
        unit_id,
        year,
        known_in,
    )


def _of_unit(
    edition: Edition, unit_id: str, year: int, known_in: int, number: int | None, alone: str | None
) -> list[Piece]:
    rows = _rows(edition, unit_id, year, known_in)
    rows = [row for row in rows if (row["is_counted"] if alone is None else row["standard_id"] == alone)]
    told = ""
    if number is None:
        name = edition.one("select township_name from townships where unit_id = ? limit 1", unit_id)
        told = f"{name['township_name'] if name else ''}（{unit_id}）"
    found: list[Piece] = []
    for row in rows:
        until = row["unit_last_number"] if number is None else number
        if row["phase_from_number"] > until or row["annual_units"] is None:
            continue
        is_current = row["phase_until_number"] >= until
        last = min(row["last_number"], until if is_current else row["phase_until_number"])
        spans = [(row["first_number"], last, False)]
        if is_current and number is not None:
            spans.append((max(row["first_number"], until + 1), row["last_number"], True))
        found += [
            Piece(
                told,
                row["standard_id"],
                row["tier_label"] or "",
                row["population_persons"],
                first,
                end,
                factors(edition, row),
                int(_PARTS * row["annual_units"] / row["month_units"]) if row["month_units"] else 12,
                int(row["annual_units"]),
                int(row["month_units"]),
                is_expected,
            )
            for first, end, is_expected in spans
            if first <= end
        ]
    return found


def joined(pieces: Sequence[Piece]) -> list[Piece]:
    """The same, the months that are past and those to come told as one run where nothing else parts them."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if (
            last is not None
            and piece.is_expected
            and (last.unit, last.standard_id, last.annual_units, last.month_units, last.last + 1)
            == (piece.unit, piece.standard_id, piece.annual_units, piece.month_units, piece.first)
        ):
            found[-1] = Piece(**{**last.__dict__, "last": piece.last})
        else:
            found.append(piece)
    return found


def total(name: str, pieces: Sequence[Piece], kept: Decimal) -> Line:
    """The guarantee as the sum of its pieces, rounded once."""
    exact = Decimal(sum(piece.units for piece in pieces)) / (_PARTS * _UNITS)
    return Line(
        name,
        " + ".join(piece.expression for piece in pieces),
        written(kept),
        "元",
        "" if exact == kept else "相加后四舍五入到分",
    )


def lines(pieces: Sequence[Piece]) -> list[Line]:
    """Each piece by itself: months, standard, rate and amount."""
    found = []
    for piece in pieces:
        exact = Decimal(piece.units) / (_PARTS * _UNITS)
        rounded = exact.quantize(FEN, ROUND_HALF_UP)
        span = f"{piece.first}月" if piece.first == piece.last else f"{piece.first}—{piece.last}月"
        what = [piece.unit, span, piece.standard_id, piece.tier_label]
        remarks = ["按当月的情形照旧计"] if piece.is_expected else []
        remarks += [] if rounded == exact else ["单列时四舍五入到分"]
        name = "计提 " + " ".join(text for text in what if text)
        found.append(Line(name, piece.expression, written(rounded), "元", "，".join(remarks)))
    return found
