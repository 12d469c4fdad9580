"""The types of amounts and of other exact figures where rows are computed with."""

from __future__ import annotations

import polars as pl

MONEY = pl.Decimal(18, 2)
VALUE = pl.Decimal(18, 4)
