"""What the audit of a build costs, suite by suite.

    python benchmarks/audit.py DATA

DATA is a data folder that `oversight run` has been over, e.g. what `benchmarks/national.py --keep DATA` leaves. The audit is
made anew over its build file, into a folder that is taken away again; nothing of DATA changes.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from oversight.editions import build_file
from oversight.quality import run_suites
from oversight.settings import DataFolder


def main() -> None:
    """Print CPU seconds by suite, then the whole, wall time and the most memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    folder = DataFolder.at(parser.parse_args().data)
    began, last = time.perf_counter(), [time.process_time()]

    def say(line: str) -> None:
        now = time.process_time()
        print(f"{now - last[0]:7.2f} CPU s  {line}")
        last[0] = now

    with tempfile.TemporaryDirectory() as out:
        results = run_suites(folder.inputs, build_file(folder), Path(out), say)
    looked = sum(each.evaluated_count for result in results for each in result.expectations)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{time.process_time():7.2f} CPU s, {time.perf_counter() - began:.2f} s, {most:,.0f} MB: "
        f"{sum(len(result.expectations) for result in results)} expectations, {looked:,} answers"
    )


if __name__ == "__main__":
    main()
