"""Fixtures shared by all tests."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from oversight import telemetry
from oversight.editions import Edition, find_edition
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.dashboard.browsing import CHROMIUM, FLAGS

telemetry.switch_off()
# How long a test takes says something about the machine, not about the program.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def run_oversight(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The `oversight` command in a process of its own, as a user starts it; `env` is added to ours."""
    return subprocess.run(
        [sys.executable, "-m", "oversight.cli", *arguments],
        cwd=PROJECT_ROOT,
        env=os.environ | dict(env or {}),
        capture_output=True,
        text=True,
        check=False,
    )


# The modules that take longest; they begin first, so that no worker is left alone with one of them at the end.
# The first needs no run over the sample, for which all those after it would wait.
LONGEST = (
    "tests/dbt/test_going_on.py",
    "tests/dbt/test_by_province.py",
    "tests/dashboard",
    "tests/oracle",
    "tests/dagster/test_run.py",
    "tests/docs/test_site.py",
    "tests/explain",
    "tests/archive",
    "tests/accounts",
    "tests/contracts/test_one_column_more.py",
    "tests/workflow/test_running.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest first; `make test` gives each module to one worker, so that what its tests share is made once."""
    root = config.rootpath

    def rank(item: pytest.Item) -> int:
        place = str(item.path.relative_to(root))
        return next((at for at, name in enumerate(LONGEST) if place.startswith(name)), len(LONGEST))

    items.sort(key=rank)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of one test session share."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def sample_folder(shared_folder: Path) -> DataFolder:
    """A copy of the sample over which one real `oversight run` has been made. Read it; do not change it."""
    folder = DataFolder.at(shared_folder / "sample")
    with (shared_folder / "sample.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder.root / "done").exists():
            shutil.rmtree(folder.root, ignore_errors=True)
            shutil.copytree(PROJECT_ROOT / "data" / "raw", folder.raw)
            done = run_oversight("run", "--data", str(folder.root))
            assert done.returncode == 0, done.stdout + done.stderr
            (folder.root / "run.txt").write_text(done.stdout, "utf-8")
            (folder.root / "done").touch()
    return folder


@pytest.fixture(scope="session")
def sample_edition(sample_folder: DataFolder) -> Edition:
    """The edition of the sample."""
    return find_edition(sample_folder)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's browser; one a process, whichever tests ask for it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
