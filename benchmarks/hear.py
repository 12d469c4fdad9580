"""Learn from the headings written down what headings mean: python benchmarks/hear.py [--without NAME …] [--to FOLDER].

Makes two files of oversight/intake/reading/words out of forms.csv. written.csv: what the same heading meant, where all
who wrote it meant the same. heard.csv: multinomial logistic regression on the pieces of a
heading (`oversight.intake.reading.heard.pieces`), by gradient steps in an order drawn with a fixed seed. `HELD_OUT`
names the latest splits, which are not learned from: what the reader makes of them is what it makes of strangers, until
others come. `--without`
leaves out more of them, to measure what the reader makes of a stranger; each writer filled two splits up to the tenth.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from oversight.intake.reading.grammar import Said
from oversight.intake.reading.heard import ASK, FILE, PARTS, WEIGHT, WRITTEN, key_of, pieces

FORMS = Path(__file__).with_name("forms.csv")
HELD_OUT = ("thirty-third-shut", "thirty-fourth-shut")
DATASETS = ("population", "budget", "staffing")
SAID = Said(year=2025, month=6)
ROUNDS, STEP, SEED = 12, 0.1, 20261203


def headings(without: tuple[str, ...]) -> list[tuple[list[str], str, str]]:
    """The cells of each heading, its dataset and what it means."""
    with FORMS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] not in without]
    texts = [row["heading"].replace("\\n", "\n").format(m=6, y=2025, d=30, p=2024, n=2026) for row in rows]
    return [(text.split("|"), row["dataset"], row["column"]) for text, row in zip(texts, rows, strict=True)]


def known(found: list[tuple[list[str], str, str]]) -> dict[tuple[str, str], str]:
    """What each heading of a dataset means that all who wrote it meant the same by; `ASK` where it has to be asked."""
    meant: dict[tuple[str, str], set[str]] = defaultdict(set)
    for parts, of, column in found:
        for dataset in DATASETS if of == "any" else (of,):
            meant[dataset, key_of(parts, SAID)].add(column)
    return {
        key: ASK if len(of) > 1 or min(of).startswith(ASK) else min(of) for key, of in sorted(meant.items())
    }


def meanings_of(column: str) -> list[str]:
    """What a heading is an example of: one that has to be asked about half of just that."""
    meant = column.lstrip(ASK).split("/")
    return [*meant, *([ASK] * len(meant) if column.startswith(ASK) else [])]


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


def write(folder: Path, without: tuple[str, ...]) -> None:
    """Learn, and write down what was learned."""
    found = headings(without)
    with (folder / WRITTEN.name).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["dataset", "heading", "column"])
        rows.writerows((*key, column) for key, column in known(found).items())
    meanings, weights = learn([(pieces(parts, SAID), meanings_of(column)) for parts, _, column in found])
    with (folder / FILE.name).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["piece", " ".join(meanings)])
        for piece, numbers in weights.items():
            if any(numbers):
                rows.writerow([piece, " ".join(f"{at}:{n}" for at, n in enumerate(numbers) if n)])


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--without", nargs="*", default=(), help="splits not to learn from, beside HELD_OUT")
    parser.add_argument("--to", type=Path, default=FILE.parent)
    arguments = parser.parse_args()
    write(arguments.to, (*HELD_OUT, *arguments.without))


if __name__ == "__main__":
    main()
