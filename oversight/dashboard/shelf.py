"""The editions of a data folder that are held open: a page says which it shows, and a newer one is opened beside it."""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from pathlib import Path

from oversight.dashboard.access import Scope, scope_of_request
from oversight.dashboard.warehouse import Outdated, Warehouse
from oversight.editions import EditionError, current, find_edition
from oversight.sandbox import scoped_copy
from oversight.settings import DataFolder

log = logging.getLogger(__name__)

# Editions held open at once: the current one, and those that pages opened earlier still show.
EDITIONS_OPEN = 4
# Copies cut to a scope, held open at once: a reporter's takes 8 MB, and 45 ms to open again with every request where there
# are more reporters than are held.
SCOPES_OPEN = 48
_EDITION_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")


class Unavailable(Exception):
    """The edition a page shows is no longer there."""


class Damaged(Unavailable):
    """The edition is there and its file does not open."""


class Shelf:
    """The editions of a data folder, opened when asked for."""

    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self._open: OrderedDict[tuple[str, Scope], Warehouse] = OrderedDict()
        self._opening: dict[tuple[str, Scope], threading.Lock] = {}
        self._lock = threading.Lock()

    def current_id(self) -> str | None:
        """The edition a page opened now shows; None before the first."""
        edition = current(self.folder)
        return edition.edition_id if edition else None

    def has(self, edition_id: str) -> bool:
        """Whether that edition is still there."""
        try:
            find_edition(self.folder, edition_id)
        except EditionError:
            return False
        return True

    def warehouse(self, edition_id: str, scope: Scope | None = None) -> Warehouse:
        """That edition as whoever asks may see it, open. Raises `Unavailable` when it is gone, or nothing could be
        called so."""
        if not _EDITION_ID.fullmatch(edition_id):
            raise Unavailable(edition_id)
        scope = scope_of_request() if scope is None else scope
        key = (edition_id, scope)
        with self._lock:
            found = self._open.get(key)
            if found is not None:
                self._open.move_to_end(key)
                return found
            opening = self._opening.setdefault(key, threading.Lock())
        with opening:
            with self._lock:
                found = self._open.get(key)
            if found is not None:
                return found
            try:
                edition = find_edition(self.folder, edition_id)
                file = scoped_copy(edition.warehouse, scope.prefixes, self.folder.work / "scopes")
                made = Warehouse(edition, self.folder, file, scope)
            except Outdated:
                raise
            except EditionError as error:
                # No such name, or none given at all.
                raise Unavailable(edition_id) from error
            except Exception as error:
                if not (Path(self.folder.marts) / "editions" / edition_id).exists():
                    raise Unavailable(edition_id) from error
                log.exception("edition %s does not open", edition_id)
                raise Damaged(edition_id) from error
            finally:
                # Whoever waits still holds the lock he waits for; names that are none leave nothing behind.
                with self._lock:
                    self._opening.pop(key, None)
            with self._lock:
                self._open[key] = made
                # Whoever still reads an edition taken off the shelf keeps it until done.
                for is_whole, most in ((True, EDITIONS_OPEN), (False, SCOPES_OPEN)):
                    held = [key for key in self._open if key[1].is_whole == is_whole]
                    for old in held[: max(0, len(held) - most)]:
                        del self._open[old]
            return made
