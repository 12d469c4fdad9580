"""The whole country through `oversight run`, against a DuckDB script that writes the same tables from the same files.

    python benchmarks/national.py [--months 36] [--units N] [--keep DIR]

`reference.py` is that script: what the output costs at least. The sample's run is taken off the run first, since it is nearly all
start. Goals: the country from nothing 1.0 times the reference within 2.5 GB, one more month 0.15 times.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from measure import PROJECT_ROOT, Cost, load, measure, oversight


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--units", type=int, help="that many townships (default: the whole country)")
    parser.add_argument("--keep", type=Path, help="leave the data folder there, to look at or to serve")
    words = parser.parse_args()
    print(load())
    with tempfile.TemporaryDirectory() as scratch:
        country = words.keep or Path(scratch) / "country"
        generate = [
            sys.executable,
            str(PROJECT_ROOT / "benchmarks" / "generate.py"),
            "national",
            str(country),
        ]
        generate += ["--months", str(words.months)] + (["--units", str(words.units)] if words.units else [])
        measure(generate)
        size = sum(path.stat().st_size for path in (country / "raw").rglob("*.csv"))
        print(f"{words.months} months, {size / 1e6:.0f} MB of CSV")

        sample = Path(scratch) / "sample"
        shutil.copytree(PROJECT_ROOT / "data" / "raw", sample / "raw")
        small = measure(oversight("run", "--data", str(sample)))
        large = measure(oversight("run", "--data", str(country)))
        script = str(PROJECT_ROOT / "benchmarks" / "reference.py")
        least = measure([sys.executable, script, "make", str(country), str(Path(scratch) / "reference")])
        measure([*generate, "--one-more-month"])
        more = measure(oversight("run", "--data", str(country)))

    _print("reference of equal output", least)
    _print("oversight run, sample", small)
    _print("oversight run, the country", large)
    _print("oversight run, one more month", more)
    _against("the country", large, small, least, 1.0)
    _against("one more month", more, small, least, 0.15)
    print(load())


def _print(name: str, cost: Cost) -> None:
    print(
        f"{name:32} {cost.cpu_seconds:7.1f} CPU s  {cost.wall_seconds:7.1f} s  {cost.peak_bytes / 1e6:7.0f} MB"
    )


def _against(name: str, cost: Cost, small: Cost, least: Cost, goal: float) -> None:
    cpu = (cost.cpu_seconds - small.cpu_seconds) / least.cpu_seconds
    wall = (cost.wall_seconds - small.wall_seconds) / least.wall_seconds
    print(
        f"{name}, beyond the sample's run: {cpu:.2f} x the reference in CPU, {wall:.2f} x in wall time (goal {goal})"
    )


if __name__ == "__main__":
    sys.exit(main())
