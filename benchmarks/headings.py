"""Headings of public forms against what is read of them: python benchmarks/headings.py.

`headings.csv` holds headings as published, with their source, and the column that each stands for: blank where it is
none of ours, with ? where only a question is right. Wrong is a heading read as another column, or one that is none of
ours read or proposed as one.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from oversight.intake.reading.grammar import Certainty, Said, meaning_of
from oversight.intake.reading.headings import meaning

SAID = Said(year=2025, month=6, is_registered=True)


def outcome(heading: str, dataset: str, expected: str) -> str:
    """read, asked, left out, missed or WRONG."""
    column = meaning(dataset, (heading,))[0]
    certainty = Certainty.SPELLED
    if column is None and (found := meaning_of(dataset, (heading,), SAID)) is not None:
        column, certainty = found.column, found.certainty
    wanted = expected.removeprefix("?")
    if column is None:
        return "missed" if wanted else "left out"
    if column != wanted or (certainty > Certainty.QUESTION and expected.startswith("?")):
        return "WRONG"
    return "asked" if certainty is Certainty.QUESTION else "read"


def main() -> None:
    """Print how many headings came to what, and those that did not come out right."""
    counts: Counter[str] = Counter()
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            came_to = outcome(row["heading"], row["dataset"], row["column"])
            counts[came_to] += 1
            if came_to in ("missed", "WRONG"):
                print(f"{came_to}: {row['heading']} ({row['dataset']} {row['column']})")
    print(dict(counts))


if __name__ == "__main__":
    main()
