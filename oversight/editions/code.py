"""Which code made an edition.

Not the commit: an analyst may run from an unpacked archive, and what has been changed but not committed makes
other figures all the same. Hashing every source file takes a few milliseconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from oversight.settings import DBT_DIR, PROJECT_ROOT

VERSION = "0.1.0"

# What can change a figure. Readers (dashboard, reports) are left out: they can change without a new edition.
_PACKAGES = ("contracts", "editions", "intake", "quality", "standards")
_SUFFIXES = {".py", ".sql", ".yml", ".csv"}


def code_version() -> str:
    """Version and hash of everything that takes part in making an edition, e.g. `0.1.0+3f2a90c41b7d`."""
    digest = content_hash([*_package_files(), *dbt_files(), PROJECT_ROOT / "requirements.lock"])
    return f"{VERSION}+{digest[:12]}"


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


def _package_files() -> Iterator[Path]:
    package = PROJECT_ROOT / "oversight"
    yield package / "settings.py"
    yield package / "calendar.py"
    for name in _PACKAGES:
        yield from _sources(package / name)


def _sources(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
