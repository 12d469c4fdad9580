"""What headings were heard to mean: a second reader, that has learned from all headings written down.

The grammar knows words; this one knows what somebody meant who wrote the very same heading (`written`), and how often
pieces of a heading (up to three characters together, and the kinds of its words) stood over which column (`heard`).
`python benchmarks/hear.py` makes `words/written.csv` and `words/heard.csv` out of the headings of benchmarks/forms.csv.
It is asked where the grammar is silent or asks; what pieces of a heading say is a question, never a reading.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from oversight.contracts import ALL_DATASETS
from oversight.intake.reading import values
from oversight.intake.reading.grammar import Said
from oversight.intake.reading.text import MONEY_UNITS, fold, header_key
from oversight.intake.reading.words import spelled_out, without_hint, words_of

FILE = Path(__file__).parent / "words" / "heard.csv"
WRITTEN = FILE.with_name("written.csv")
# None of the columns.
FOREIGN = ""
# Those who wrote a heading meant different columns, or it says too little.
ASK = "?"
# What the headings of forms.csv call a column of the contracts.
_NAMES = {"division_code": "reported_code", "township_name": "reported_name"}
# Weights are written as whole numbers of so many parts; a heading's pieces together weigh as much as so many.
PARTS, WEIGHT = 20, 4.0
# Units that do not change what is counted; 迁出（户） is another count than 迁出.
_PLAIN_UNITS = frozenset(("", *MONEY_UNITS, "人", "名", "人次"))
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_MONTH = re.compile(r"\d{1,2}(?=月)")


def _bare(part: str, said: Said) -> str:
    """A header cell for comparison: this year, other years, this month and other numbers by what they are."""

    def year(found: re.Match[str]) -> str:
        past = (said.year or int(found.group())) - int(found.group())
        return "Y" if past == 0 else "P" if past > 0 else "N"

    def month(found: re.Match[str]) -> str:
        return "M" if said.month in (None, int(found.group())) else "0"

    text = spelled_out(fold(values.digits_of_date(without_hint(header_key(part)[0]))))
    return re.sub(r"\d+", "0", _MONTH.sub(month, _YEAR.sub(year, text)))


def key_of(parts: Sequence[str], said: Said) -> str:
    """By what a heading is known again in another month and year, and in another unit of the same thing."""
    units = (header_key(part)[1] or "" for part in parts)
    return "|".join(
        _bare(part, said) + ("" if unit in _PLAIN_UNITS else f"({unit})")
        for part, unit in zip(parts, units, strict=True)
    )


def pieces(parts: Sequence[str], said: Said) -> list[str]:
    """What stacked header cells are made of, each piece once: l of the lowest cell, g of those above, k kinds of words."""
    found: dict[str, None] = {}
    for above, part in enumerate(reversed(parts)):
        mark = "g" if above else "l"
        text = f"^{_bare(part, said)}$"
        for length in (1, 2, 3):
            found.update((mark + text[i : i + length], None) for i in range(len(text) - length + 1))
        words = words_of(part)
        found.update((f"{mark}k{w.kind}:{w.value}" if w.kind else f"{mark}k?", None) for w in words)
        if words and not above:
            found[f"e{words[-1].kind}:{words[-1].value}" if words[-1].kind else "e?"] = None
            unit = header_key(part)[1]
            found.update({f"u{unit}": None} if unit else {})
    return list(found)


@lru_cache(maxsize=1)
def _weights() -> tuple[tuple[str, ...], dict[str, str]]:
    """The meanings, and of each piece its weights as they are written, for few are looked at; those of no piece under ''."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        meanings = tuple(next(rows)[1].split(" "))
        return meanings, {row[0]: row[1] for row in rows}


@lru_cache(maxsize=16384)
def _weights_of(piece: str) -> tuple[tuple[int, int], ...]:
    """How a piece weighs for some of the meanings, by their places."""
    pairs = (each.split(":") for each in _weights()[1][piece].split(" "))
    return tuple((int(at), int(weight)) for at, weight in pairs)


@lru_cache(maxsize=1)
def _written() -> dict[tuple[str, str], str]:
    with WRITTEN.open(encoding="utf-8", newline="") as file:
        return {(row["dataset"], row["heading"]): row["column"] for row in csv.DictReader(file)}


def written(dataset: str, parts: Sequence[str], said: Said) -> str | None:
    """The column that whoever wrote the same heading meant, `FOREIGN` for none, `ASK`; None where nobody wrote it."""
    found = _written().get((dataset, key_of(parts, said)))
    return _NAMES.get(found, found) if found else found


@lru_cache(maxsize=16384)
def heard(dataset: str, parts: tuple[str, ...], said: Said) -> dict[str, float]:
    """How likely stacked header cells mean each column of a dataset, none of them (`FOREIGN`) or a column that they say too
    little of to be read (`ASK`)."""
    meanings, weights = _weights()
    sums = [0.0] * len(meanings)
    known = [_weights_of(piece) for piece in pieces(parts, said) if piece in weights]
    share = WEIGHT / math.sqrt(max(len(known), 1))
    for at, weight in _weights_of(""):
        sums[at] += weight
    for row in known:
        for at, weight in row:
            sums[at] += weight * share
    top = max(sums)
    odds = [math.exp((each - top) / PARTS) for each in sums]
    total = sum(odds)
    columns = ALL_DATASETS[dataset].columns
    found = {
        name: odd / total
        for meaning, odd in zip(meanings, odds, strict=True)
        if (name := _NAMES.get(meaning, meaning)) in columns
    }
    found[ASK] = next(
        (odd / total for meaning, odd in zip(meanings, odds, strict=True) if meaning == ASK), 0.0
    )
    return {**found, FOREIGN: 1 - sum(found.values())}
