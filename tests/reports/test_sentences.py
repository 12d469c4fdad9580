"""The short form of `python -m tests.reports.every`: sentences of the sample and of made-up worlds against SQL."""

from __future__ import annotations

from datetime import date

import pytest

from oversight.editions import open_edition
from oversight.settings import DataFolder
from tests.reports.conftest import CALENDAR, FIRST, Standin
from tests.reports.every import ISSUED, read_all
from tests.reports.sentences import Edition, wrong_in
from tests.reports.test_cases import change
from tests.reports.test_naming import WORLDS, report_of


@pytest.mark.parametrize(
    ("scope", "month"),
    [("360313", date(2024, 6, 1)), ("640000", date(2025, 3, 1)), ("130321", date(2025, 12, 1))],
)
def test_the_sample_says_what_is_so(sample_folder: DataFolder, scope: str, month: date) -> None:
    reports, paragraphs, wrong = read_all(sample_folder, [month], [scope])
    assert (reports, wrong) == (1, [])
    assert paragraphs > 10


@pytest.mark.parametrize("world", ["nothing paid", "silent", "a little missing"])
def test_a_made_up_world_says_what_is_so(standin: Standin, world: str) -> None:
    folder = standin(14, adjust=change(WORLDS[world]))
    month = date(2025, 12, 1)
    report = report_of(folder, month=month)
    with open_edition(folder) as connection:
        assert not wrong_in(report, Edition(connection), "990101", month, ISSUED, CALENDAR)


def test_a_false_number_is_found(sample_folder: DataFolder) -> None:
    """The reader reads: each number of the text, changed, is complained of."""
    from dataclasses import replace

    from oversight.reports.document import Paragraph
    from tests.reports.every import report_on

    month = date(2025, 12, 1)
    with open_edition(sample_folder) as connection:
        edition = Edition(connection)
        report = report_on(sample_folder, connection, "360313", month)
        assert not wrong_in(report, edition, "360313", month, ISSUED, CALENDAR)
        for place, block in enumerate(report.body):
            if not isinstance(block, Paragraph) or "万元" not in block.text:
                continue
            told = block.text.replace("万元", "1万元", 1)
            body = (*report.body[:place], Paragraph(told), *report.body[place + 1 :])
            assert wrong_in(replace(report, body=body), edition, "360313", month, ISSUED, CALENDAR), told
    assert FIRST.issued_on == ISSUED
