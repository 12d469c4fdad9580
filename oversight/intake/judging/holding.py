"""Which figures wait until somebody confirms them: off by a factor, a 0 after a figure, a month said in two ways."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl

from oversight.intake.judging.identity import Units
from oversight.intake.judging.periods import periods
from oversight.intake.judging.scale import off_scale
from oversight.intake.judging.verdicts import KEY, as_verdicts
from oversight.intake.judging.zeros import zeros


def hold(dataset: str, rows: pl.DataFrame, unsure: pl.DataFrame, units: Units) -> pl.DataFrame:
    """One verdict for each figure that is to be held; `unsure` is what reading was unsure of."""
    if dataset == "payments":
        return as_verdicts(())
    held = (
        _each(rows, "fund_code", partial(off_scale, dataset)) if dataset != "indicators" else as_verdicts(())
    )
    held = pl.concat(
        [
            held,
            _each(rows, "lane", partial(zeros, dataset, units.first_codes)),
            periods(dataset, rows, unsure),
        ]
    )
    return held.unique([*KEY, "column"], keep="first", maintain_order=True)


def _each(rows: pl.DataFrame, by: str, judge: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """What `judge` finds in the rows of each fund (or source, or lane): figures of different ones say nothing of one another."""
    if by not in rows.columns or rows.height == 0 or rows.get_column(by).n_unique() == 1:
        return judge(rows)
    return pl.concat([judge(part) for part in rows.partition_by(by, maintain_order=True)])
