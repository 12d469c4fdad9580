"""What a run from nothing costs by units and months, and what it leaves on disk.

    python benchmarks/growth.py [--sizes 1000x12,1000x36,5000x12,5000x36,15000x12,15000x36] [--keep DIR]

Each size is a made-up world of its own (`generate.py national`) through `oversight run`, one after another. A line a size: CPU
and wall time, the most memory of the process with its children, bytes of CSV, of the build files and of the edition. The last
lines tell what a million more unit months cost beyond the smallest size, so that the fixed part of a run does not count.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from measure import PROJECT_ROOT, Cost, load, measure, oversight

SIZES = "1000x12,1000x36,5000x12,5000x36,15000x12,15000x36"


def main() -> None:
    """Generate, run, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default=SIZES, help=f"units x months, by commas (default: {SIZES})")
    parser.add_argument("--keep", type=Path, help="leave the largest data folder there")
    words = parser.parse_args()
    sizes = [tuple(map(int, size.split("x"))) for size in words.sizes.split(",")]
    print(load())
    print("units x months      CPU s   wall s  memory MB   CSV MB  build MB  edition MB", flush=True)
    costs: dict[tuple[int, ...], Cost] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for units, months in sizes:
            folder = Path(scratch) / f"{units}x{months}"
            script = str(PROJECT_ROOT / "benchmarks" / "generate.py")
            measure(
                [
                    sys.executable,
                    script,
                    "national",
                    str(folder),
                    "--units",
                    str(units),
                    "--months",
                    str(months),
                ]
            )
            cost = costs[units, months] = measure(oversight("run", "--data", str(folder)))
            print(
                f"{f'{units:,} x {months}':16} {cost.cpu_seconds:8.1f} {cost.wall_seconds:8.1f} "
                f"{cost.peak_bytes / 1e6:10.0f} {_mb(folder, 'raw/**/*.csv'):8.1f} "
                f"{_mb(folder, '.work/build.duckdb*'):9.1f} {_mb(folder, 'marts/editions/**/*'):11.1f}",
                flush=True,
            )
            if words.keep and units * months == max(a * b for a, b in sizes):
                shutil.move(folder, words.keep)
            else:
                shutil.rmtree(folder)
    least = min(costs, key=lambda size: size[0] * size[1])
    for size, cost in costs.items():
        further = (size[0] * size[1] - least[0] * least[1]) / 1e6
        if further:
            seconds = (cost.cpu_seconds - costs[least].cpu_seconds) / further
            memory = (cost.peak_bytes - costs[least].peak_bytes) / further / 1e6
            print(
                f"{size[0]:,} x {size[1]}: {seconds:.0f} CPU s and {memory:,.0f} MB for a million more unit months"
            )
    print(load())


def _mb(folder: Path, pattern: str) -> float:
    return sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file()) / 1e6


if __name__ == "__main__":
    main()
