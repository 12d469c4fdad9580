"""Standards as data: policy documents, standards, tiers and measures, loaded, merged and checked.

The project's own rows are the dbt seeds. A bureau keeps its rows in its data folder under `standards/`, in
CSV files of the same names and columns: an id there replaces all rows of that id, a new id is added.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oversight.standards.checks import StandardProblem, check_standards
    from oversight.standards.loading import (
        StandardFileError,
        Standards,
        load_standards,
        standards_files,
        standards_fingerprint,
        write_overlay_inputs,
    )
    from oversight.standards.notes import FindingNoteError, load_finding_notes

__all__ = [
    "FindingNoteError",
    "StandardFileError",
    "StandardProblem",
    "Standards",
    "check_standards",
    "load_finding_notes",
    "load_standards",
    "standards_files",
    "standards_fingerprint",
    "write_overlay_inputs",
]

_MODULES = ("checks", "loading", "notes")


def __getattr__(name: str) -> Any:
    """Found when asked for: labels of shapes are read by commands that need no table."""
    if name in __all__:
        for module in _MODULES:
            found = getattr(import_module(f"{__name__}.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
