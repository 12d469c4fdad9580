"""Beside each money standard stands its rule of payment: what is guaranteed is to be paid, not only budgeted.

A bureau's own standard that has none gets it here: `<id>.1`, with the standard's own clause and quotation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from oversight.standards.shapes import MONEY

PAYMENT = "paid_in_full"
_SUFFIX = ".1"
_BLANK = (
    "population_basis",
    "population_date_rule",
    "edge_rule",
    "example_zh",
    "accrual",
    "report_valid_months",
)


def payment_rules(own: Mapping[str, pl.DataFrame], known: Collection[str]) -> dict[str, pl.DataFrame]:
    """Rows of standards, tiers and measures for those of `own` that are about money and have no rule of payment.

    `known` are the ids of all standards, those of the project among them.
    """
    ident = pl.col("standard_id") + _SUFFIX
    bases = own["standards"].filter(
        pl.col("formula").is_in(list(MONEY)) & (pl.col("gradeable") != "N") & ~ident.is_in(list(known))
    )
    standards = bases.with_columns(
        ident.alias("standard_id"),
        pl.col("title_zh") + "（按标准足额拨付）",
        matter=pl.col("matter") + "_paid",
        formula=pl.lit(PAYMENT),
        period=pl.lit("year"),
        unit=pl.lit("元"),
        metric_zh=pl.lit("年度累计拨付数"),
        ambiguity_zh=pl.lit("由经费标准推出：保障数应当拨付到位，年末判定；原文也可以只指列入预算"),
        **{name: pl.lit(None, bases.schema[name]) for name in _BLANK},
    )
    tiers = _rows(own["standard_tiers"], standards, tier_no=1, tier_label="不分档", value=1, unit="倍").join(
        standards.select("standard_id", given="quotation"),
        on="standard_id",
        how="left",
        maintain_order="left",
    )
    measures = _rows(
        own["standard_measures"],
        standards,
        role="value",
        part_no=1,
        measure_code="disbursed_ytd_cny",
        required=True,
        label_zh="年度累计拨付数",
    )
    return {
        "standards": standards.select(own["standards"].columns),
        "standard_tiers": tiers.with_columns(quotation="given").drop("given"),
        "standard_measures": measures,
    }


def _rows(like: pl.DataFrame, standards: pl.DataFrame, **given: object) -> pl.DataFrame:
    """A row for each standard, with the columns of `like`: those given, the others blank."""
    return standards.select("standard_id").select(
        pl.col("standard_id") if name == "standard_id" else pl.lit(given.get(name)).cast(dtype).alias(name)
        for name, dtype in like.schema.items()
    )
