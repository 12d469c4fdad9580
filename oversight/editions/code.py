"""Which code made an edition.

Not the commit: an analyst may run from an unpacked archive, and what has been changed but not committed makes
other figures all the same. Not a list either, which forgets what is added: the code is whatever the steps of a run
import, and what they import, with the files that lie beside it. Following and hashing takes some milliseconds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from oversight.settings import DBT_DIR, PROJECT_ROOT

VERSION = "0.1.0"

# The steps of a run; readers (dashboard, reports) are not among what they import and can change without a new edition.
_STEPS = "dagster_project.assets"
_OURS = ("oversight", "dagster_project")
# Written out rather than parsed: `run` asks on every start, and Python's own parser takes half a second over all files.
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<package>[\w.]+)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\n#]*)"
    r"|import[ \t]+(?P<modules>[\w., \t]+))",
    re.MULTILINE,
)
_SUFFIXES = {".py", ".sql", ".yml", ".csv"}


def code_version() -> str:
    """Version and hash of everything that takes part in making an edition, e.g. `0.1.0+3f2a90c41b7d`."""
    modules = modules_of_a_run()
    digest = content_hash(
        [*modules, *_beside(modules), *dbt_files(), *_suites(), PROJECT_ROOT / "requirements.lock"]
    )
    return f"{VERSION}+{digest[:12]}"


def _suites() -> Iterator[Path]:
    """The context that Great Expectations judges by: what people add there is judged by the next run."""
    for folder in ("", "expectations", "checkpoints", "validation_definitions"):
        for suffix in ("json", "yml"):
            yield from (PROJECT_ROOT / "gx" / folder).glob(f"*.{suffix}")


def dbt_hash() -> str:
    """Hash of the dbt project's own sources, by which the prepared manifest is known to be fresh."""
    return content_hash([*dbt_files(), PROJECT_ROOT / "requirements.lock"])


def dbt_files() -> Iterator[Path]:
    """Project file, profile, models, macros, tests and seeds of the dbt project."""
    yield from (DBT_DIR / "dbt_project.yml", DBT_DIR / "profiles.yml")
    for folder in ("models", "macros", "tests", "seeds"):
        yield from _sources(DBT_DIR / folder)


def content_hash(paths: Iterable[Path]) -> str:
    """One SHA-256 over names and contents, independent of the order given and of where the project lies."""
    digest = hashlib.sha256()
    for path in sorted(set(paths)):
        if path.is_file():
            content = path.read_bytes()
            digest.update(f"{path.relative_to(PROJECT_ROOT).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def modules_of_a_run(root: Path = PROJECT_ROOT) -> set[Path]:
    """Every module of ours that the steps of a run import, wherever in the code the import stands."""
    found: set[Path] = set()
    waiting = [_STEPS]
    while waiting:
        name = waiting.pop()
        for path in _module(root, name):
            if path not in found:
                found.add(path)
                waiting += _imported(path.read_text("utf-8"))
    return found


def _imported(source: str) -> Iterator[str]:
    for match in _IMPORT.finditer(source):
        if match["package"]:
            names = [part.split(" as ")[0].strip("() \t\n") for part in match["names"].split(",")]
            modules = [match["package"], *(f"{match['package']}.{name}" for name in names)]
        else:
            modules = [part.split(" as ")[0].strip() for part in match["modules"].split(",")]
        yield from (name for name in modules if name.split(".")[0] in _OURS)


def _module(root: Path, name: str) -> Iterator[Path]:
    """The file of a module and those of the packages above it; nothing for what is a name inside a module."""
    *above, last = name.split(".")
    place = root
    for package in above:
        place /= package
        if (place / "__init__.py").is_file():
            yield place / "__init__.py"
    for path in (place / f"{last}.py", place / last / "__init__.py"):
        if path.is_file():
            yield path


def _beside(modules: set[Path]) -> Iterator[Path]:
    """Files that are not code, below the folders of the modules but not within another package."""
    for folder in {module.parent for module in modules}:
        for path in folder.iterdir():
            if path.is_dir() and not (path / "__init__.py").exists() and path.name != "__pycache__":
                yield from (
                    file for file in path.rglob("*") if file.is_file() and file.parent.name != "__pycache__"
                )
            elif path.is_file() and path.suffix != ".py":
                yield path


def _sources(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
