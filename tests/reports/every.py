"""Every report that an edition can give, read sentence by sentence: `python -m tests.reports.every [DATA …]`.

Without folders the sample and made-up worlds are run first. Prints how many reports and sentences were read and what
was found; exit code 1 where anything was.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.report_edition import write
from oversight.calendar import load_calendar
from oversight.editions import open_edition
from oversight.reports.config import load
from oversight.reports.content import build
from oversight.reports.document import Paragraph, Report
from oversight.reports.facts import gather
from oversight.reports.paper import Paper
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.dashboard.matrix import run_over, write_world
from tests.oracle.by_hand import by_hand
from tests.oracle.stories import world
from tests.reports.sentences import Edition, wrong_in
from tests.reports.test_cases import change
from tests.reports.test_naming import WORLDS

# A working day after every month of the worlds.
ISSUED = date(2026, 1, 6)
# The months read of the world by lot, which has thirty counties: units end all through 2025.
QUARTERS = [date(2025, month, 1) for month in (3, 6, 9, 12)]


def report_on(folder: DataFolder, connection: duckdb.DuckDBPyConnection, scope: str, month: date) -> Report:
    """The report as it would be issued."""
    paper = Paper(version=1, issued_on=ISSUED, number=1)
    return build(gather(connection, month, scope), load(folder, scope), paper, load_calendar())


def read_all(
    folder: DataFolder, months: Iterable[date] | None = None, scopes: Iterable[str] | None = None
) -> tuple[int, int, list[str]]:
    """How many reports and paragraphs were read, and what is wrong in them."""
    calendar, reports, paragraphs, wrong = load_calendar(), 0, 0, []
    with open_edition(folder) as connection:
        edition = Edition(connection)
        every = sorted(
            {
                code
                for row in edition.townships.values()
                for code in (row["county_code"], row["city_code"], row["province_code"])
            }
        )
        for scope in scopes or every:
            for month in months or sorted(edition.funding):
                if not any(
                    row["township_code"].startswith(scope.rstrip("0")) for row in edition.funding[month]
                ):
                    continue
                report = report_on(folder, connection, scope, month)
                reports += 1
                paragraphs += sum(isinstance(block, Paragraph) for block in (*report.opening, *report.body))
                wrong += wrong_in(report, edition, scope, month, ISSUED, calendar)
    return reports, paragraphs, wrong


def worlds(root: Path) -> Iterator[Path]:
    """The sample, a county of 200 beside one of a single township and a silent one, a world by hand and one by lot, in
    which units are founded, renamed, merged, split and abolished, and worlds with one thing wrong."""
    sample = root / "sample"
    shutil.copytree(PROJECT_ROOT / "data" / "raw", sample / "raw")
    write_world(root / "large" / "raw")
    for name, told in (("by-hand", by_hand()), ("by-lot", world(7, 60))):
        (root / name).mkdir()
        told.write(root / name)
    for name in ("sample", "large", "by-hand", "by-lot"):
        run_over(root / name)
        yield root / name
    for name, adjust in WORLDS.items():
        place = root / name.replace(" ", "-")
        write(DataFolder(place), [1, 9], months=24, adjust=change(adjust))
        yield place


def main(places: list[str]) -> int:
    """Read them all and tell."""
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        for place in map(Path, places) if places else worlds(Path(scratch)):
            began = time.process_time()
            months = QUARTERS if place.name == "by-lot" else None
            reports, paragraphs, wrong = read_all(DataFolder.at(place), months)
            failed |= bool(wrong)
            print(
                f"{place.name}: {reports} reports, {paragraphs} paragraphs, {len(wrong)} found wrong"
                f" ({time.process_time() - began:.0f} CPU s)",
                flush=True,
            )
            for line in wrong[:40]:
                print("  " + line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
