"""The guide's pages by role: their steps are the ones that `tests.docs.roles` takes, and they lead where they say."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oversight.accounts import store
from oversight.settings import DataFolder
from tests.dashboard.browsing import Served, needs_chromium, serving
from tests.docs.roles import GUIDE, PAGES, PICTURES, follow, prepared, steps_in
from tests.workflow.conftest import own_copy

MOST_BYTES = 1_500_000
# The others take their time: make test-walk.
ALWAYS = ("role-administrator",)


@pytest.mark.parametrize("name", PAGES)
def test_each_step_is_one_that_is_taken(name: str) -> None:
    written = steps_in(name)
    assert len(written) == len(PAGES[name])
    for text, step in zip(written, PAGES[name], strict=True):
        assert step.words in text
    shown = re.findall(r"\(pictures/([a-z]+)\.png\)", (GUIDE / f"{name}.md").read_text("utf-8"))
    assert shown == [step.picture for step in PAGES[name] if step.picture]


def test_the_pictures_are_there_and_small() -> None:
    used = {step.picture for steps in PAGES.values() for step in steps if step.picture}
    assert used <= {path.stem for path in PICTURES.glob("*.png")}
    assert sum(path.stat().st_size for path in PICTURES.glob("*")) <= MOST_BYTES


@pytest.fixture(scope="module")
def served(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = own_copy(sample_folder, tmp_path_factory.mktemp("roles"))
    prepared(folder)
    with serving(folder) as running:
        yield running
    store.forget(folder)


@needs_chromium
@pytest.mark.parametrize("name", PAGES)
def test_following_a_page_leads_where_it_says(
    name: str, chromium: Any, served: Served, tmp_path: Path
) -> None:
    if name not in ALWAYS and not os.environ.get("OVERSIGHT_TEST_WALK"):
        pytest.skip("走查较慢：make test-walk")
    follow(chromium, served.base, name, tmp_path)
