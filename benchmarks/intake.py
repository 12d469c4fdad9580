"""Intake against its figures: python benchmarks/intake.py [exact] [factors] [speed] [hostile] [changes].

exact     messy files made from known values, one a county of China: share read exactly, refused for the right
          reason, and wrong values accepted (must be none)
factors   1,000 and 10,000 planted in 36 months of history, and false alarms on clean history with real jumps
speed     3,000 small workbooks against fastexcel reading their cells; a national CSV against Polars' bare read
hostile   bombs and broken files: seconds and memory, and the next file is read
changes   the Ministry's workbook of changed codes against the list made from it
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from messy import REPORTS, Made, counties, divisions_csv, make

from oversight.contracts import DATASETS
from oversight.intake import take_in
from oversight.settings import TIME_ZONE, DataFolder

NOW = datetime(2026, 1, 5, 9, tzinfo=TIME_ZONE)


def exact(count: int, seed: int, keep: Path | None) -> bool:
    """Messy files: what was read against what is known."""
    found = counties()
    chosen = [found[n % len(found)] for n in range(count)]
    start = time.perf_counter()
    made = [make(n, county, seed + n // len(found)) for n, county in enumerate(chosen)]
    print(
        f"{len(made)} files of {sum(len(c.units) for c in found)} units made in {time.perf_counter() - start:.0f} s"
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = DataFolder.at(keep or temporary)
        folder.raw.mkdir(parents=True, exist_ok=True)
        (folder.raw / "行政区划.csv").write_bytes(divisions_csv(found))
        for file in made:
            (folder.raw / file.name).write_bytes(file.content)
        start = time.perf_counter()
        take_in(folder, now=NOW)
        print(f"taken in in {time.perf_counter() - start:.1f} s")
        return _compare(folder, made)


def _compare(folder: DataFolder, made: list[Made]) -> bool:
    submissions = pl.read_parquet(folder.inputs / "submissions.parquet")
    names = dict(submissions.select("submission_id", "file_name").iter_rows())
    outcome = {r["file_name"]: r for r in submissions.iter_rows(named=True)}
    read: dict[str, dict[Any, dict[str, Any]]] = defaultdict(dict)
    for dataset in REPORTS:
        measures = [c.name for c in DATASETS[dataset].measures]
        for row in pl.read_parquet(folder.inputs / f"{dataset}.parquet").iter_rows(named=True):
            if row["row_status"] == "accepted":
                key = (dataset, row["township_code"], row["month"])
                read[names[row["submission_id"]]][key] = {m: row[m] for m in measures}
    codes: dict[str, set[str]] = defaultdict(set)
    for submission_id, code in (
        pl.read_parquet(folder.inputs / "rejected_rows.parquet")
        .select("submission_id", "error_code")
        .iter_rows()
    ):
        codes[names[submission_id]].add(code)
    alarms = sum("合计与明细不符" in (row["message_zh"] or "") for row in outcome.values())
    usable = right = wrong_values = right_reason = spoiled = 0
    missed: list[tuple[Made, str]] = []
    for file in made:
        row, got = outcome[file.name], read[file.name]
        given = codes[file.name] | ({row["error_code"]} if row["error_code"] else set())
        wrong = [k for k, v in got.items() if file.expected.get(k) != v]
        if wrong:
            wrong_values += len(wrong)
            key = wrong[0]
            missed.append((file, f"WRONG {key}: read {got[key]}, is {file.expected.get(key)}"))
        if file.refused_with:
            spoiled += 1
            if file.refused_with in given:
                right_reason += 1
            else:
                missed.append(
                    (file, f"{file.refused_with} expected, got {sorted(given)} {row['message_zh']}")
                )
            continue
        usable += 1
        if got == file.expected:
            right += 1
        elif not wrong:
            missed.append(
                (file, f"{len(got)} of {len(file.expected)} rows; {sorted(given)} {row['message_zh']}")
            )
    print(f"usable files read exactly: {right} of {usable} ({100 * right / usable:.2f} %; at least 98)")
    print(f"spoiled files refused for the right reason: {right_reason} of {spoiled}")
    print(f"wrong values accepted: {wrong_values} (must be 0)")
    print(f"right totals said to be wrong: {alarms}")
    for file, what in missed[:40]:
        print(f"  {file.name} {what[:400]}\n      {file.recipe}")
    kinds = Counter(what.split(";")[-1][:60] for _, what in missed)
    for kind, number in kinds.most_common(12):
        print(f"  {number:4} {kind}")
    return wrong_values == 0 and right >= 0.98 * usable


def main() -> int:
    """Run what was asked for, or everything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", default=["exact"])
    parser.add_argument("--files", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    args = parser.parse_args()
    good = True
    for what in args.what:
        print(f"== {what}")
        good &= {"exact": lambda: exact(args.files, args.seed, args.keep)}[what]()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
