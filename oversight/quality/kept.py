"""What the last audit found in months that have not changed since: told again, not judged again.

Beside every result stands how many rows of each year were looked at; with the flags, that is all that a later audit
needs to say of those years what this one said. It stands in the metadata of the file of results, where it cannot be
taken for a table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from oversight.quality.suites import SuiteResult

FLAGS, RESULTS = "suite_flags.parquet", "suite_results.parquet"
_EVALUATED = "evaluated_by_year"


@dataclass(frozen=True)
class Kept:
    """What an audit left in a folder, of the months before `since`."""

    since: date
    _flags: Path
    _evaluated: dict[str, dict[str, dict[str, int]]]

    @classmethod
    def of(cls, folder: Path, since: date) -> Kept | None:
        """None where the folder does not hold all of it."""
        flags, results = folder / FLAGS, folder / RESULTS
        if not (flags.is_file() and results.is_file()):
            return None
        told = pl.read_parquet_metadata(results).get(_EVALUATED)
        return cls(since, flags, json.loads(told)) if told else None

    def flags(self, suite: str, expectations: Sequence[str] | None) -> pl.DataFrame:
        """What these expectations of a suite flagged in these months; of all of them where none are named."""
        is_theirs = pl.col("suite") == suite
        if expectations is not None:
            is_theirs &= pl.col("expectation").is_in(expectations)
        return pl.scan_parquet(self._flags).filter(is_theirs, pl.col("month") < self.since).collect()

    def evaluated(self, suite: str, expectation: str) -> dict[int, int]:
        """Rows that the expectation looked at in each of these years."""
        years = self._evaluated.get(suite, {}).get(expectation, {})
        return {int(year): rows for year, rows in years.items() if int(year) < self.since.year}


def evaluated_by_year(results: Iterable[SuiteResult]) -> dict[str, str]:
    """What a later audit has to know of this one, as metadata of the file of results."""
    told = {
        result.suite: {
            each.name: each.evaluated_by_year for each in result.expectations if each.evaluated_by_year
        }
        for result in results
    }
    return {_EVALUATED: json.dumps(told)}
