"""Every report that an edition can give, read sentence by sentence: `python -m tests.reports.every [DATA …]`.

Without folders the sample and made-up worlds are run first, and it is held that among them there is each situation that
a report must bear (`SITUATIONS`). Prints how many reports and sentences were read, on how many pages their bodies end,
and what was found; exit code 1 where anything was.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pypdf

from benchmarks.report_edition import write
from oversight.calendar import load_calendar
from oversight.editions import open_edition
from oversight.reports import write_pdf
from oversight.reports.config import Wording, load
from oversight.reports.content import build
from oversight.reports.document import Paragraph, Report
from oversight.reports.facts import gather
from oversight.reports.paper import Cited, Paper
from oversight.reports.snapshot import compare, snapshot
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


# What a report must bear, each with a question that finds it in an edition.
_REPORTS = "(select township_code, month from detail.submission_status where state <> 'missing')"
SITUATIONS = {
    "nothing paid": "select 1 from funding_gap_monthly where month(month) > 6 group by county_code, month"
    " having count(*) > 1 and max(disbursed_ytd_cny) = 0 and count(disbursed_ytd_cny) = count(*)",
    "all met": "select 1 from funding_gap_monthly group by county_code, month"
    " having count(*) > 1 and min(status) = 'met' and max(status) = 'met'",
    "one unit": "select 1 from funding_gap_monthly group by county_code, month having count(*) = 1",
    "200 units": "select 1 from funding_gap_monthly group by county_code, month having count(*) >= 200",
    "two standards": "select 1 from judgements j join standards s on s.standard_id = j.rule_id"
    " where s.formula <> 'paid_in_full' and j.unit = '元'"
    " group by subject_code, month having count(*) > 1",
    "merged unit": "select 1 from townships where successor_code in (select township_code from townships)",
    "silent county": f"select 1 from funding_gap_monthly f left join {_REPORTS} r using (township_code, month)"
    " group by f.county_code having count(r.township_code) = 0",
    "first month": "select 1 from funding_gap_monthly having min(month) = (select first_month from edition)",
}
# A correction is a paper of two editions.
CORRECTED = "corrected month"


def report_on(folder: DataFolder, connection: duckdb.DuckDBPyConnection, scope: str, month: date) -> Report:
    """The report as it would be issued."""
    paper = Paper(version=1, issued_on=ISSUED, number=1)
    return build(gather(connection, month, scope), load(folder, scope), paper, load_calendar())


def body_pages(report: Report, wording: Wording) -> int:
    """On how many pages the PDF has the text, the list of annexes and the date."""
    bare = replace(report, annexes=tuple(replace(annex, blocks=()) for annex in report.annexes))
    style = wording.settings["style"]
    families = {name: style[f"pdf_{name}"] for name in ("title", "body", "heading1", "heading2")}
    pages = pypdf.PdfReader(io.BytesIO(write_pdf.write(bare, families, wording.fonts))).pages
    return len(pages) - len(bare.annexes)


def read_corrected(before: DataFolder, after: DataFolder, scope: str, months: Iterable[date]) -> list[str]:
    """What is wrong in the corrections of the reports on a division from one edition to another."""
    calendar, wrong = load_calendar(), []
    first = Cited(1, "关于模拟县民政保障督查的通报", "督通〔2026〕1号", date(2026, 1, 5))
    with open_edition(before) as was, open_edition(after) as now:
        edition = Edition(now)
        for month in months:
            facts = gather(now, month, scope)
            changes = compare(snapshot(gather(was, month, scope)), snapshot(facts), 1)
            paper = Paper(2, ISSUED, 2, corrects=first, changes=changes)
            report = build(facts, load(after, scope), paper, calendar)
            wrong += wrong_in(report, edition, scope, month, ISSUED, calendar)
            told = {
                (row[0], row[2], row[3])
                for table in report.tables
                if table.table.key == "changes"
                for row in table.table.rows
                if row[1] == "年度安排（元）" and row[0] in {unit["township_name"] for unit in facts.units}
            }
            there = "select township_name, allocated_annual_cny from funding_gap_monthly where month = ? and county_code = ?"
            old, new = (dict(each.execute(there, [month, scope]).fetchall()) for each in (was, now))
            expected = {
                (name, f"{old[name]:,.2f}", f"{new[name]:,.2f}") for name in new if old[name] != new[name]
            }
            if told != expected or not expected:
                wrong.append(f"{scope} {month:%Y-%m}: corrected {told}, and not {expected}")
    return wrong


def read_all(
    folder: DataFolder, months: Iterable[date] | None = None, scopes: Iterable[str] | None = None
) -> tuple[int, int, list[str]]:
    """How many reports and paragraphs were read, and what is wrong in them; a body of more than three pages is."""
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
                taken = body_pages(report, load(folder, scope))
                if taken > 3:
                    wrong.append(f"{scope} {month:%Y-%m}: the body ends on page {taken}")
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


def corrected(root: Path, months: Iterable[int] = range(3, 13)) -> list[str]:
    """A world in which a unit's budget was reported anew after the report was issued."""
    folders = [DataFolder(root / name) for name in ("before", "after")]
    changed = "update facts set allocated = 12345.67 where number = 3 and month >= date '2025-03-01'"
    for folder, statement in zip(folders, ("select 1", changed), strict=True):
        write(folder, [9], months=24, adjust=change(statement))
    return read_corrected(folders[0], folders[1], "990101", [date(2025, month, 1) for month in months])


def main(places: list[str]) -> int:
    """Read them all and tell."""
    failed, met = False, set[str]()
    with tempfile.TemporaryDirectory() as scratch:
        for place in map(Path, places) if places else worlds(Path(scratch)):
            began = time.process_time()
            months = QUARTERS if place.name == "by-lot" else None
            with open_edition(DataFolder.at(place)) as connection:
                met |= {name for name, sql in SITUATIONS.items() if connection.execute(sql).fetchall()}
            reports, paragraphs, wrong = read_all(DataFolder.at(place), months)
            failed |= bool(wrong)
            print(
                f"{place.name}: {reports} reports, {paragraphs} paragraphs, {len(wrong)} found wrong"
                f" ({time.process_time() - began:.0f} CPU s)",
                flush=True,
            )
            for line in wrong[:40]:
                print("  " + line)
        if not places:
            wrong = corrected(Path(scratch) / "corrected")
            failed |= bool(wrong)
            print(f"{CORRECTED}: {len(wrong)} found wrong")
            missing = sorted(set(SITUATIONS) - met)
            failed |= bool(missing)
            print(
                f"situations: {len(met)} of {len(SITUATIONS)} {'; missing: ' if missing else ''}{', '.join(missing)}"
            )
            for line in wrong[:40]:
                print("  " + line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
