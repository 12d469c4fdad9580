"""Whether anybody has to sign in. Asked at every start and of every request, so it imports no database."""

from __future__ import annotations

from pathlib import Path

from oversight.errors import OversightError
from oversight.settings import DataFolder, folder_settings

_known: set[Path] = set()


class StoreError(OversightError):
    """The database of accounts cannot be read or written."""


def database_path(folder: DataFolder) -> Path:
    """SQLite's file, where settings.toml names no other database."""
    return folder.root / "accounts.sqlite"


def exist(folder: DataFolder) -> bool:
    """Whether the folder has accounts. From the first one on it always has: accounts are disabled, never deleted."""
    if folder.root in _known:
        return True
    if not database_path(folder).exists() and not folder_settings(folder).accounts.database:
        return False
    from oversight.accounts.store import has_accounts

    found = has_accounts(folder)
    if found:
        _known.add(folder.root)
    return found
