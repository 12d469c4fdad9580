"""CPU seconds of a whole `oversight run` on the sample against its unavoidable parts, measured bare.

    python benchmarks/sample.py [--rounds 3]

Unavoidable: importing Dagster, dbt and Great Expectations, and one bare `dbt build` of the same project on the
same inputs, each in a fresh process. The goal is at most 1.3 times their sum; with nothing changed at most 0.3.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from measure import PROJECT_ROOT, Cost, load, measure, middle, oversight, python

from oversight.editions.build import variables

IMPORTS = {
    "import dagster": "import dagster",
    "import dbt": "import dbt.cli.main",
    "import great_expectations": "import great_expectations",
}


def main() -> None:
    """Measure and print one line a part, then the two ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    print(load())
    with tempfile.TemporaryDirectory() as scratch:
        costs: dict[str, list[Cost]] = {}
        for number in range(rounds):
            folder = Path(scratch) / f"data{number}"
            shutil.copytree(PROJECT_ROOT / "data" / "raw", folder / "raw")
            _add(costs, "oversight run", measure(oversight("run", "--data", str(folder))))
            _add(costs, "oversight run, nothing changed", measure(oversight("run", "--data", str(folder))))
            for name, code in IMPORTS.items():
                _add(costs, name, measure(python(code)))
            _add(costs, "dbt build", bare_dbt_build(folder, Path(scratch) / f"dbt{number}"))
    figures = {name: middle(of) for name, of in costs.items()}
    for name, cost in figures.items():
        print(
            f"{name:32} {cost.cpu_seconds:7.2f} CPU s  {cost.wall_seconds:7.2f} s  {cost.peak_bytes / 1e6:6.0f} MB"
        )
    unavoidable = sum(figures[name].cpu_seconds for name in [*IMPORTS, "dbt build"])
    print(f"{'sum of the unavoidable parts':32} {unavoidable:7.2f} CPU s")
    print(f"ratio of a run: {figures['oversight run'].cpu_seconds / unavoidable:.2f} (goal 1.3)")
    unchanged = figures["oversight run, nothing changed"].cpu_seconds
    print(f"ratio of a run with nothing changed: {unchanged / unavoidable:.2f} (goal 0.3)")


def bare_dbt_build(folder: Path, scratch: Path) -> Cost:
    """`dbt build` as one would type it, on the inputs that the run of `folder` left."""
    scratch.mkdir()
    words = [
        "build",
        "--profiles-dir",
        ".",
        "--target-path",
        str(scratch / "target"),
        "--log-path",
        str(scratch),
        "--vars",
        json.dumps(variables()),
    ]
    return measure(
        python(f"from dbt.cli.main import cli; cli({words!r})"),
        env={
            "OVERSIGHT_INPUTS": str(folder / ".work" / "inputs"),
            "OVERSIGHT_BUILD": str(scratch / "build.duckdb"),
            "DO_NOT_TRACK": "1",
        },
        cwd=PROJECT_ROOT / "dbt",
    )


def _add(costs: dict[str, list[Cost]], name: str, cost: Cost) -> None:
    costs.setdefault(name, []).append(cost)


if __name__ == "__main__":
    sys.exit(main())
