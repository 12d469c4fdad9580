"""The short form of the matrix: each kind of place once, in turn in another unit, theme and width, on two of its pages.

All of it: `make test-views`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from oversight.settings import DataFolder
from tests.dashboard.browsing import needs_chromium
from tests.dashboard.matrix import Told, look, quick, run_over, second_edition, situations, write_world

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def worlds(dashboard_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, DataFolder]:
    """The sample with an older edition beside it, and a world of a large, a small and a silent county."""
    sample = DataFolder.at(tmp_path_factory.mktemp("matrix"))
    shutil.copytree(dashboard_folder.marts, sample.marts, symlinks=True)
    large = tmp_path_factory.mktemp("large")
    write_world(large / "raw")
    return {"sample": sample, "large": run_over(large)}


def test_every_kind_of_place_shows_what_sql_says_and_fits(
    chromium: Any, worlds: dict[str, DataFolder], tmp_path: Path
) -> None:
    old, _ = second_edition(worlds["sample"])
    told = look(chromium, worlds, quick(situations(old)), tmp_path, in_short=True)
    assert not told.wrong, told.wrong
    assert told.pages == 16
    assert told.numbers > 2000
    assert told.files >= 4


def test_what_is_found_wrong_is_printed_as_it_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    told = Told(is_printed=True)
    told.hold("a card", "1.00", "1.00")
    assert not capsys.readouterr().out
    told.hold("a card", "1.00", "2.00")
    assert "a card: '1.00' instead of '2.00'" in capsys.readouterr().out
    assert len(told.wrong) == 1
