"""Learn from the headings written down what headings mean: python benchmarks/hear.py [--without NAME …] [--to FILE].

Makes oversight/intake/reading/words/heard.csv out of forms.csv: multinomial logistic regression on the pieces of a
heading (`oversight.intake.reading.heard.pieces`), by gradient steps in an order drawn with a fixed seed. `HELD_OUT`
names the latest splits, which are not learned from: what the reader makes of them is what it makes of strangers, until
others come. `--without`
leaves out more of them, to measure what the reader makes of a stranger; each writer filled two splits up to the tenth.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections import Counter
from pathlib import Path

import numpy as np

from oversight.intake.reading.grammar import Said
from oversight.intake.reading.heard import FILE, PARTS, WEIGHT, pieces

FORMS = Path(__file__).with_name("forms.csv")
HELD_OUT = ("thirteenth-shut", "fourteenth-shut")
SAID = Said(year=2025, month=6)
ROUNDS, STEP, SEED = 12, 0.1, 20261203


def headings(without: tuple[str, ...]) -> list[tuple[list[str], list[str]]]:
    """The pieces of each heading and what it means."""
    with FORMS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] not in without]
    found = []
    for row in rows:
        text = row["heading"].replace("\\n", "\n").format(m=6, y=2025, d=30, p=2024, n=2026)
        found.append((pieces(text.split("|"), SAID), row["column"].lstrip("?").split("/")))
    return found


def learn(examples: list[tuple[list[str], list[str]]]) -> tuple[list[str], dict[str, list[int]]]:
    """The meanings, and how each piece that stood in two headings weighs for each of them."""
    meanings = sorted({meaning for _, meant in examples for meaning in meant})
    often = Counter(piece for of, _ in examples for piece in of)
    place = {piece: at for at, piece in enumerate(sorted(p for p, n in often.items() if n > 1), start=1)}
    weights = np.zeros((len(place) + 1, len(meanings)))
    slopes = np.full_like(weights, 1e-3)
    known = [np.array([0, *(place[p] for p in of if p in place)]) for of, _ in examples]
    wanted = np.zeros((len(examples), len(meanings)))
    for at, (_, meant) in enumerate(examples):
        for meaning in meant:
            wanted[at, meanings.index(meaning)] += 1 / len(meant)
    order = list(range(len(examples)))
    rng = random.Random(SEED)
    for _ in range(ROUNDS):
        rng.shuffle(order)
        for at in order:
            rows = known[at]
            share = np.full((len(rows), 1), WEIGHT / np.sqrt(max(len(rows) - 1, 1)))
            share[0] = 1
            sums = (weights[rows] * share).sum(axis=0)
            odds = np.exp(sums - sums.max())
            slope = share * (odds / odds.sum() - wanted[at])
            slopes[rows] += slope**2
            weights[rows] -= STEP * slope / np.sqrt(slopes[rows])
    whole = np.rint(weights * PARTS).astype(int)
    return meanings, {piece: whole[at].tolist() for piece, at in {"": 0, **place}.items()}


def write(path: Path, without: tuple[str, ...]) -> None:
    """Learn, and write down what was learned."""
    meanings, weights = learn(headings(without))
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["piece", *meanings])
        for piece, numbers in weights.items():
            if any(numbers):
                rows.writerow([piece, *(n or "" for n in numbers)])


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--without", nargs="*", default=(), help="splits not to learn from, beside HELD_OUT")
    parser.add_argument("--to", type=Path, default=FILE)
    arguments = parser.parse_args()
    write(arguments.to, (*HELD_OUT, *arguments.without))


if __name__ == "__main__":
    main()
