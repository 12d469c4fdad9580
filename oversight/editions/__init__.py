"""Editions: build, audit, publish, open. This package knows none of the readers of what it publishes."""

from __future__ import annotations

from oversight.editions.build import BuildError, NodeResult, build, build_file, manifest_path, prepare
from oversight.editions.code import VERSION, code_version
from oversight.editions.edition import (
    Edition,
    EditionError,
    Fingerprints,
    Identity,
    current,
    find_edition,
    list_editions,
    open_edition,
)
from oversight.editions.lock import RunInProgress, run_lock
from oversight.editions.publish import clear_leftovers, new_identity, publish, read_identity, write_identity

__all__ = [
    "VERSION",
    "BuildError",
    "Edition",
    "EditionError",
    "Fingerprints",
    "Identity",
    "NodeResult",
    "RunInProgress",
    "build",
    "build_file",
    "clear_leftovers",
    "code_version",
    "current",
    "find_edition",
    "list_editions",
    "manifest_path",
    "new_identity",
    "open_edition",
    "prepare",
    "publish",
    "read_identity",
    "run_lock",
    "write_identity",
]
