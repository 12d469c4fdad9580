"""The short form of `python -m tests.reports.every`: sentences of the sample and of made-up worlds against SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from oversight.editions import open_edition
from oversight.reports.document import Paragraph
from oversight.settings import DataFolder
from tests.reports.conftest import CALENDAR, FIRST, Standin
from tests.reports.every import ISSUED, corrected, report_on
from tests.reports.sentences import Edition, wrong_in
from tests.reports.test_cases import change
from tests.reports.test_naming import WORLDS, report_of

Opened = tuple[DataFolder, duckdb.DuckDBPyConnection, Edition]


@pytest.fixture(scope="module")
def opened(sample_folder: DataFolder) -> Iterator[Opened]:
    """The sample's edition, its tables read once."""
    with open_edition(sample_folder) as connection:
        yield sample_folder, connection, Edition(connection)


@pytest.mark.parametrize(
    ("scope", "month"),
    # The city has a rate of 元 for each person and month, which is no amount.
    [
        ("360313", date(2024, 9, 1)),
        ("360313", date(2025, 11, 1)),
        ("640000", date(2025, 3, 1)),
        ("130300", date(2025, 10, 1)),
    ],
)
def test_the_sample_says_what_is_so(opened: Opened, scope: str, month: date) -> None:
    folder, connection, edition = opened
    report = report_on(folder, connection, scope, month)
    assert not wrong_in(report, edition, scope, month, ISSUED, CALENDAR)


@pytest.mark.parametrize("world", ["nothing paid", "silent"])
def test_a_made_up_world_says_what_is_so(standin: Standin, world: str) -> None:
    folder = standin(14, adjust=change(WORLDS[world]))
    month = date(2025, 12, 1)
    report = report_of(folder, month=month)
    with open_edition(folder) as connection:
        assert not wrong_in(report, Edition(connection), "990101", month, ISSUED, CALENDAR)


def test_a_correction_says_what_is_so(tmp_path: Path) -> None:
    assert corrected(tmp_path, [12]) == []


def test_a_false_number_is_found(opened: Opened) -> None:
    """The reader reads: a number of the text, changed, is complained of."""
    folder, connection, edition = opened
    month = date(2025, 12, 1)
    report = report_on(folder, connection, "360313", month)
    # What the body has no room for stands in an annex, and is read as well.
    more = [block for annex in report.annexes if annex.title == "总体情况和变化" for block in annex.blocks]
    blocks = (*report.opening, *report.body, *more)
    told = [block for block in blocks if isinstance(block, Paragraph) and "万元" in block.text]
    assert len(told) >= 6
    assert any(block in more for block in told[:6])
    for block in told[:6]:
        false = replace(block, text=block.text.replace("万元", "1万元", 1))
        changed = replace(
            report,
            opening=tuple(false if item is block else item for item in report.opening),
            body=tuple(false if item is block else item for item in report.body),
            annexes=tuple(
                replace(annex, blocks=tuple(false if item is block else item for item in annex.blocks))
                for annex in report.annexes
            ),
        )
        assert wrong_in(changed, edition, "360313", month, ISSUED, CALENDAR), false.text
    assert FIRST.issued_on == ISSUED
