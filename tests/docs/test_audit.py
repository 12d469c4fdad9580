"""What the project is asked before it is installed: its own code, and the licences of what it brings."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from oversight.settings import PROJECT_ROOT
from tests.conftest import run_oversight


@pytest.mark.skipif(
    importlib.util.find_spec("bandit") is None, reason="没有 bandit：请运行 make setup 和 make test"
)
def test_every_finding_of_bandit_is_answered() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "bandit", "--quiet", "--configfile", "pyproject.toml"),
            *("--recursive", "oversight", "dagster_project"),
        ],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_every_package_tells_its_licence() -> None:
    done = run_oversight("licences")
    assert done.returncode == 0, done.stdout[-500:]
    assert "没有写明" not in done.stdout
