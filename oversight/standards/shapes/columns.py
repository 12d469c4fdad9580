"""The columns that a rule can count: what townships report, and what is made of it. Other codes are indicators."""

from __future__ import annotations

from oversight.contracts import DATASETS

# Kept out of the package's own names: contracts are heavy to load, and labels of shapes are asked for without them.
_REPORTED_BY_TOWNSHIPS = ("population", "budget", "staffing")
_DERIVED = frozenset(
    {
        "allocated_annual_cny",
        "disbursed_ytd_cny",
        "spent_ytd_cny",
        "guaranteed_annual_cny",
        "guaranteed_ytd_cny",
    }
)
COLUMNS = _DERIVED.union(
    column.name for dataset in _REPORTED_BY_TOWNSHIPS for column in DATASETS[dataset].measures
)
