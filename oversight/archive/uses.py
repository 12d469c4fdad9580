"""What rests on a content that is kept: the names it came under, and the editions made of it.

Apart from `verify`, which looks at papers and accounts too: a run asks this, whose
intake imports neither a reader nor `oversight.editions`.
"""

from __future__ import annotations

import json
from pathlib import Path

from oversight.errors import OversightError
from oversight.intake import ledger
from oversight.settings import DataFolder


def names_received(folder: DataFolder) -> dict[str, list[str]]:
    """The names under which each content came; none where the ledger itself does not tell any more."""
    found: dict[str, list[str]] = {}
    try:
        rows = ledger.read(folder).select("sha256", "file_name").iter_rows()
    except OversightError:
        return {}
    for sha256, name in rows:
        found.setdefault(sha256, []).append(name)
    return found


def used_in_editions(folder: DataFolder, *parts: str) -> dict[str, list[str]]:
    """The editions that rest on each content, received or (`standards_files`) the rules."""
    found: dict[str, list[str]] = {}
    for place in edition_folders(folder):
        try:
            told = json.loads((place / "manifest.json").read_text("utf-8"))
            for item in [item for part in parts for item in told.get(part, [])]:
                found.setdefault(item["sha256"], []).append(place.name)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def edition_folders(folder: DataFolder) -> list[Path]:
    """Every edition that lies there."""
    base = folder.marts / "editions"
    return sorted(path for path in base.iterdir() if path.is_dir()) if base.is_dir() else []
