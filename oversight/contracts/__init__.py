"""What a dataset must look like: one dataframely schema each, with Chinese titles, synonyms and units."""

from __future__ import annotations

from oversight.contracts.contract import Column, Contract, Kind
from oversight.contracts.datasets import (
    ALL_DATASETS,
    DATASETS,
    LIST_DATASETS,
    REFERENCE_DATASETS,
    Provenance,
    Reported,
)

__all__ = [
    "ALL_DATASETS",
    "DATASETS",
    "LIST_DATASETS",
    "REFERENCE_DATASETS",
    "Column",
    "Contract",
    "Kind",
    "Provenance",
    "Reported",
]
