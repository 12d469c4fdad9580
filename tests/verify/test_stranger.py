"""The stranger's verifier: it agrees with what was published, from the archive alone, and finds what was changed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from oversight.editions import Edition
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.faults.stranger import PLANTED, VERIFIER, plant, recompute


def test_it_is_short_and_needs_nothing_but_perl_and_openssl() -> None:
    text = VERIFIER.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    modules = set(re.findall(r"^use ([A-Z][\w:]+)|(?<=; )use ([A-Z][\w:]+)", text, re.MULTILINE))
    names = sorted(name for pair in modules for name in pair if name)
    assert "Digest::SHA" in names
    command = [
        "perl",
        "-MModule::CoreList",
        "-e",
        "print join ' ', grep { !Module::CoreList::is_core($_) } @ARGV",
    ]
    done = subprocess.run([*command, *names], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_random_figures_come_out_as_they_were_published(
    sample_folder: DataFolder, sample_edition: Edition, tmp_path: Path
) -> None:
    seconds, said = recompute(sample_folder, sample_edition, tmp_path / "copy", 300, 5)
    told = [int(number) for number in re.findall(r"\d+", said)]
    assert told[1:3] == [300, 0]
    # What is left out on the way is the one township with a merger.
    assert told[3] <= 15
    assert seconds < 60


@pytest.mark.parametrize("kind", PLANTED)
def test_what_is_planted_is_found(
    sample_folder: DataFolder, sample_edition: Edition, tmp_path: Path, kind: str
) -> None:
    assert plant(sample_folder, sample_edition, tmp_path / "copy", 1, 3, {kind: PLANTED[kind]}) == {kind: []}


def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        ["perl", VERIFIER, "--edition", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT_ROOT,
    )
    assert done.returncode != 0
    assert "没有清单 manifest.json" in done.stderr
    done = subprocess.run(["perl", VERIFIER], capture_output=True, text=True, check=False)
    assert done.stderr.startswith("用法：")
