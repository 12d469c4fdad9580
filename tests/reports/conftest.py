"""The sample's report, made once for all tests here."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from oversight.calendar import load_calendar
from oversight.editions import open_edition
from oversight.reports import FORMATS, Issuing, Made, make_all
from oversight.reports.config import Wording, load
from oversight.reports.content import build
from oversight.reports.document import Report
from oversight.reports.facts import Facts, gather
from oversight.reports.make import render
from oversight.reports.paper import Paper
from oversight.settings import TIME_ZONE, DataFolder

# A working day on which everything here is issued.
AT = datetime(2026, 1, 6, 9, tzinfo=TIME_ZONE)
CALENDAR = load_calendar()
FIRST = Paper(version=1, issued_on=AT.date(), number=1)


def issue_all(
    folder: DataFolder,
    month: date,
    scopes: Sequence[str] | None = None,
    formats: Sequence[str] = FORMATS,
    *,
    at: datetime = AT,
    on_step: Callable[[str], None] = lambda _: None,
) -> list[Made]:
    """Papers issued without a person, as with `auto_issue`."""
    issuing = Issuing("测试", at, is_automatic=True)
    return make_all(folder, month, scopes, formats, issuing=issuing, now=at, on_step=on_step)


@dataclass(frozen=True)
class Written:
    """A report with all that it was made from and into."""

    facts: Facts
    wording: Wording
    report: Report
    files: dict[str, bytes]
    connection: duckdb.DuckDBPyConnection


# Counties with a funding rule by head, by flat amount, with none, and the same units seen from the province.
CASES = (
    ("360313", date(2025, 6, 1)),
    ("640324", date(2025, 12, 1)),
    ("130324", date(2025, 12, 1)),
    ("130300", date(2025, 9, 1)),
    ("360000", date(2025, 5, 1)),
)


@pytest.fixture(scope="session", params=CASES, ids=[f"{code}-{month:%Y-%m}" for code, month in CASES])
def written(request: pytest.FixtureRequest, sample_folder: DataFolder) -> Iterator[Written]:
    code, month = request.param
    connection = open_edition(sample_folder)
    wording = load(DataFolder(Path("/nonexistent")), code)
    facts = gather(connection, month, code)
    report = build(facts, wording, FIRST, CALENDAR)
    files = render(report, wording, ("docx", "pdf", "xlsx", "html"))
    yield Written(facts, wording, report, files, connection)
    connection.close()


@pytest.fixture
def sample_copy(sample_folder: DataFolder, tmp_path: Path) -> DataFolder:
    """The sample's edition in a folder of its own, to write reports into."""
    folder = DataFolder(tmp_path / "data")
    shutil.copytree(sample_folder.marts, folder.marts, symlinks=True)
    return folder


Standin = Callable[..., DataFolder]


@pytest.fixture
def standin(tmp_path: Path) -> Standin:
    """A folder with a made-up edition."""
    from benchmarks.report_edition import write

    def make(*counties: int, **options: object) -> DataFolder:
        folder = DataFolder(tmp_path / "made-up")
        write(folder, counties, **options)  # type: ignore[arg-type]
        return folder

    return make
