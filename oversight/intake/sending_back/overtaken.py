"""Files that a later one has taken the place of: what was wrong in them is no longer to be mended.

A file is overtaken by one that was made of its returned workbook (the name says so), or by one that reports again
every row of it that counted, and has as many rows as the file had with those that did not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from oversight.intake.judging.judged import Judged

# Between the name of a file and the letters that tell it from others, in the name of its returned workbook.
RETURNED = "_退回_"
_KEYS = {
    "population": ("township_code", "month", "source"),
    "budget": ("township_code", "month", "source", "fund_code"),
    "staffing": ("township_code", "month", "source"),
    "indicators": ("subject_code", "month", "source", "indicator_code"),
}


def letters(submission_id: str) -> str:
    """What tells a returned workbook from others; without digits, which could be taken for a month."""
    return submission_id[:6].translate(str.maketrans("0123456789", "ghijklmnop"))


def overtaken(judged: Judged, wanted: Collection[str]) -> set[str]:
    """Those of the submissions `wanted` that a later one took the place of."""
    taken = judged.submissions.filter(pl.col("status").is_in(["accepted", "partial"]))
    made_of: dict[str, set[str]] = defaultdict(set)
    for other, name in (
        taken.filter(pl.col("file_name").str.contains(RETURNED, literal=True))
        .select("submission_id", "file_name")
        .rows()
    ):
        for behind in name.split(RETURNED)[1:]:
            made_of[behind[:6]].add(other)
    found = {one for one in wanted if made_of[letters(one)] - {one}}
    counts = {
        row["submission_id"]: (
            row["rows_accepted"],
            row["rows_accepted"] + row["rows_held"] + row["rows_rejected"],
        )
        for row in taken.iter_rows(named=True)
    }
    repeated: dict[tuple[str, str], int] = defaultdict(int)
    used: dict[str, int] = defaultdict(int)
    for dataset, keys in _KEYS.items():
        # Of forty columns a handful: the rows of a country are not copied whole.
        rows = judged.rows[dataset].select(*keys, "submission_id", "precedence", "row_status")
        accepted = pl.col("row_status") == "accepted"
        own = rows.filter(accepted & pl.col("submission_id").is_in(list(wanted))).drop("row_status")
        if own.height == 0:
            continue
        rows, own = rows.filter(accepted), own.with_row_index("row")
        for one, number in own.group_by("submission_id").len().rows():
            used[one] += number
        later = own.join(rows.drop("row_status"), on=keys, suffix="_later").filter(
            pl.col("precedence_later") > pl.col("precedence")
        )
        pairs = later.group_by("submission_id", "submission_id_later").agg(pl.col("row").n_unique())
        for one, other, number in pairs.rows():
            repeated[one, other] += number
    for (one, other), number in repeated.items():
        if number == used[one] and other in counts and one in counts and counts[other][0] >= counts[one][1]:
            found.add(one)
    return found
