"""What a dataset must look like: one dataframely schema each, with Chinese titles, synonyms and units."""

from __future__ import annotations

from oversight.contracts.datasets import DATASETS, Provenance, Reported
from oversight.contracts.model import MONEY, VALUE, Column, Contract, Kind

__all__ = ["DATASETS", "MONEY", "VALUE", "Column", "Contract", "Kind", "Provenance", "Reported"]
