"""What need not be kept for ever: contents that never counted, as many days as `settings.toml` says after that was settled.

Whatever came into the ledger stays: every edition is made of all of it.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from oversight import durable
from oversight.archive import store
from oversight.archive.sums import as_json
from oversight.archive.uses import used_in_editions
from oversight.settings import DataFolder, folder_settings

# Of a file that was handed in for review: nothing of it was, or will be, taken in.
NEVER_COUNTED = ("returned", "withdrawn")


def delete_what_never_counted(folder: DataFolder, received: Collection[str], today: date) -> int:
    """Delete what reviewers returned or senders withdrew `archive_days` ago; how many contents that were.

    Their review records stay and say so. A content that came another way too (`received`: the digests in the ledger), waits for
    a reviewer or is part of an edition is left.
    """
    days = folder_settings(folder).archive_days
    if days is None or not folder.reviews.is_dir():
        return 0
    due: dict[str, list[tuple[Path, dict[str, Any]]]] = {}
    needed: set[str] = set()
    for path in sorted(folder.reviews.glob("*/*.json")):
        try:
            told = json.loads(path.read_text("utf-8"))
            state, sha256 = told["state"], told["sha256"]
        except (ValueError, KeyError, TypeError):
            # What it rests on cannot be told, so nothing goes; `verify` names it.
            return 0
        if state in NEVER_COUNTED and _day(told["decided_at"]) + timedelta(days=days) <= today:
            due.setdefault(sha256, []).append((path, told))
        else:
            needed.add(sha256)
    there = [sha256 for sha256 in due if store.has(folder, sha256)]
    if not there:
        return 0
    needed |= {*received, *used_in_editions(folder, "inputs", "standards_files")}
    deleted = [sha256 for sha256 in there if sha256 not in needed]
    for sha256 in deleted:
        # Said before it is done: a content that is gone without a word would be missing.
        for path, told in due[sha256]:
            durable.write_bytes(
                path, as_json(told | {store.DELETED_ON: told.get(store.DELETED_ON) or today.isoformat()})
            )
        store.place(folder, sha256).unlink(missing_ok=True)
        store.sealed_place(folder, sha256).unlink(missing_ok=True)
    if deleted:
        store.settle(folder)
    return len(deleted)


def _day(moment: str) -> date:
    return datetime.fromisoformat(moment).date()
