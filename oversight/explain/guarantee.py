"""The arithmetic of a guarantee: population, rate, months."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from oversight.explain.arithmetic import FEN, written
from oversight.explain.cells import Edition
from oversight.explain.model import Line

_PER_MONTH = "月"


def factors(edition: Edition, piece: Mapping[str, Any]) -> str:
    """A year's amount of a piece of a guarantee: people × rate × months of the unit."""
    tier = edition.tier(piece["standard_id"], piece["tier_label"])
    assert tier is not None
    formula = edition.standards[piece["standard_id"]]["formula"]
    return guarantee(edition, tier, piece["population_persons"], formula, None).expression


def guarantee(
    edition: Edition, tier: dict[str, Any], population: int, formula: str, result: Decimal | None
) -> Line:
    lower = (
        edition.rows(
            "select * from standard_tiers where standard_id = ? and tier_no < ? order by tier_no",
            tier["standard_id"],
            tier["tier_no"],
        )
        if formula == "per_capita_marginal"
        else []
    )
    return annual(tier, population, formula, result, lower)


def annual(
    tier: Mapping[str, Any],
    population: int,
    formula: str,
    result: Decimal | None,
    lower: Sequence[Mapping[str, Any]] = (),
) -> Line:
    """The year's guarantee; `lower` are the full tiers below, where each part has its own rate."""
    months = ["12"] if str(tier["unit"]).endswith(_PER_MONTH) else []
    if formula == "per_capita_marginal":
        parts = [(part["upper_bound"], part["lower_bound"] or 0, part["value"]) for part in lower]
        parts.append((population, tier["lower_bound"] or 0, tier["value"]))
        terms = [
            [f"({written(high)} − {written(low)})" if low else written(high), written(value), *months]
            for high, low, value in parts
        ]
        product = sum((value * (high - low) for high, low, value in parts), Decimal(0)) * (
            12 if months else 1
        )
    else:
        heads = [population] if formula == "per_capita_by_tier" else []
        terms = [[*(written(count) for count in heads), written(tier["value"]), *months]]
        product = Decimal(tier["value"]) * (population if heads else 1) * (12 if months else 1)
    rounded = product.quantize(FEN, ROUND_HALF_UP)
    return Line(
        "全年应保障",
        " + ".join(" × ".join(factors) for factors in terms),
        written(result if result is not None else rounded),
        "元",
        "" if rounded == product else "四舍五入到分",
    )
