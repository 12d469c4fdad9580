"""A copy of the project to change, and commands run in it: for tests of what a change needs to touch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from oversight.settings import PROJECT_ROOT

_COPIED = (
    "oversight",
    "dagster_project",
    "dbt",
    "gx",
    "docs",
    "tests",
    "pyproject.toml",
    "requirements.lock",
    "mkdocs.yml",
)
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "target", "logs")


class HouseCopy:
    """The sources of the project in a folder of their own; nothing here touches the project itself."""

    def __init__(self, place: Path) -> None:
        self.root = place
        self.data = place / "data"
        self.data.mkdir(parents=True)
        for name in _COPIED:
            if (PROJECT_ROOT / name).is_dir():
                shutil.copytree(PROJECT_ROOT / name, place / name, ignore=_LEFT_OUT)
            else:
                shutil.copy2(PROJECT_ROOT / name, place)

    def insert(self, path: str, text: str, *, before: str) -> None:
        """Put text in front of the one place where `before` stands."""
        file = self.root / path
        content = file.read_text("utf-8")
        assert content.count(before) == 1, f"{path} has {before!r} {content.count(before)} times"
        file.write_text(content.replace(before, text + before), "utf-8")

    def run(self, *command: str, expect: int | None = 0) -> str:
        """Run a command at the copy's root, with the copy's code; what it printed."""
        binaries = Path(sys.executable).parent
        done = subprocess.run(
            list(command),
            cwd=self.root,
            env=os.environ
            | {"PYTHONPATH": str(self.root), "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert expect is None or done.returncode == expect, (
            command,
            done.stdout[-3000:],
            done.stderr[-3000:],
        )
        return done.stdout + done.stderr

    def oversight(self, *arguments: str, expect: int | None = 0) -> str:
        """The `oversight` command with the copy's code."""
        return self.run(sys.executable, "-m", "oversight.cli", *arguments, expect=expect)
