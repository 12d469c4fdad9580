"""The standards that the suites are made from: the seeds with the bureau's own rows of this run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from oversight.standards import Standards, load_standards

_KEYS = {
    "documents": ("policy_documents", "document_id"),
    "standards": ("standards", "standard_id"),
    "tiers": ("standard_tiers", "standard_id"),
}

STAFF_FORMULAS = ("staff_floor", "staff_range_by_tier", "posts_parts")
# Rules met when the figure checked is at least the figure expected; the others are judged by what is missing.
# An amount may lie below a guarantee by less than the places it was written with, and people in 万人 may be in the tier
# below; then nothing is missing.
DIRECT_FORMULAS = ("staff_floor", "village_coverage")
# Township and month take up to 17 digits; this many rules still fit into a whole number of 64 bits.
RULES_AT_MOST = 512


@dataclass(frozen=True)
class Rules:
    """Standards as the suites need them. Read from the data, not from the warehouse, so that the warehouse's
    own reading of them is checked and not repeated."""

    documents: pl.DataFrame
    standards: pl.DataFrame
    tiers: pl.DataFrame

    @classmethod
    def of_run(cls, inputs: Path) -> Rules:
        """The project's standards, those of this run's overlay put in their place by id."""
        seeds: Standards = load_standards()
        merged = {}
        for field, (name, key) in _KEYS.items():
            rows: pl.DataFrame = getattr(seeds, field)
            path = inputs / f"overlay_{name}.parquet"
            if path.exists():
                own = pl.read_parquet(path)
                rows = pl.concat([rows.join(own, on=key, how="anti"), own], how="diagonal_relaxed")
            merged[field] = rows
        return cls(**merged)

    @classmethod
    def of_project(cls) -> Rules:
        """The project's standards alone."""
        seeds: Standards = load_standards()
        return cls(**{field: getattr(seeds, field) for field in _KEYS})

    def judged(self) -> list[dict[str, Any]]:
        """The standards that a township can fall short of, with document_title and confirmed_until, by id."""
        titles = self.documents.select("document_id", "document_title")
        return (
            self.standards.filter(
                (pl.col("gradeable") != "N") & pl.col("strength").is_in(["must", "principle"])
            )
            .join(titles, on="document_id", how="left")
            .with_columns(confirmed_until=confirmed_until())
            .sort("standard_id")
            .to_dicts()
        )

    def of_formulas(self, formulas: Sequence[str]) -> pl.Series:
        """Ids of the standards of these formulas."""
        return self.standards.filter(pl.col("formula").is_in(formulas)).get_column("standard_id")

    def number(self) -> pl.Expr:
        """A whole number below RULES_AT_MOST for each standard_id; all unknown ids share the last one."""
        ids = self.standards.get_column("standard_id").unique().sort()
        return pl.col("standard_id").replace_strict(
            ids, pl.int_range(ids.len(), eager=True, dtype=pl.Int64), default=RULES_AT_MOST - 1
        )

    def owed(self, township_months: pl.DataFrame, formulas: tuple[str, ...]) -> pl.DataFrame:
        """subject_code × month × standard_id for which an answer is owed: the standard's place holds the
        township, it is in force on the last day of the month, and no later rule of the same issuer on the same
        matter has taken its place. Units that are no townships are not asked."""
        covering = self._covering(township_months.filter("is_township"), formulas)
        later = covering.select(
            "subject_code", "issuer_code", "matter", later_document="document_id", later_from="effective_from"
        ).unique()
        replaced = (
            covering.select(
                "subject_code", "standard_id", "issuer_code", "matter", "document_id", "effective_from"
            )
            .unique()
            .join(later, on=["subject_code", "issuer_code", "matter"])
            .filter(
                (pl.col("document_id") != pl.col("later_document"))
                & (pl.col("effective_from") < pl.col("later_from"))
            )
            .group_by("subject_code", "standard_id")
            .agg(replaced_on=pl.col("later_from").min())
        )
        last_day = pl.col("month").dt.month_end()
        return (
            township_months.lazy()
            .filter("is_township")
            .join(
                covering.join(replaced, on=["subject_code", "standard_id"], how="left").lazy(),
                on="subject_code",
            )
            .filter(
                (pl.col("effective_from") <= last_day)
                & (pl.col("effective_to").is_null() | (pl.col("effective_to") >= last_day))
                & (pl.col("replaced_on").is_null() | (pl.col("replaced_on") > last_day))
            )
            .select("subject_code", "month", "standard_id", "key")
            .collect()
        )

    def _covering(self, townships: pl.DataFrame, formulas: tuple[str, ...]) -> pl.DataFrame:
        """Township × standard of these formulas whose place holds it."""
        codes = townships.select("subject_code").unique()
        issuers = self.documents.select("document_id", "issuer_code")
        judged = self.standards.filter(
            pl.col("formula").is_in(formulas) & (pl.col("gradeable") != "N") & (pl.col("strength") != "plan")
        ).join(issuers, on="document_id", how="left")
        columns = ["standard_id", "document_id", "issuer_code", "matter", "effective_from", "effective_to"]
        covered = [
            codes.filter(pl.col("subject_code").str.starts_with(_prefix(row["scope_code"]))).join(
                judged.filter(pl.col("standard_id") == row["standard_id"]).select(columns), how="cross"
            )
            for row in judged.to_dicts()
        ]
        empty = codes.clear().join(judged.select(columns).clear(), how="cross")
        return pl.concat([empty, *covered])


def confirmed_until() -> pl.Expr:
    """The last day on which a standard counts as confirmed; null where that never ends."""
    return pl.coalesce("last_confirmed_on", "recorded_on").dt.offset_by(
        pl.format("{}mo", pl.col("confirm_within_months"))
    )


def _prefix(scope_code: str) -> str:
    """Digits that the codes within a place begin with: 360000 → 36, 000000 → none."""
    if len(scope_code) != 6:
        return scope_code
    if scope_code == "000000":
        return ""
    if scope_code.endswith("0000"):
        return scope_code[:2]
    return scope_code[:4] if scope_code.endswith("00") else scope_code
