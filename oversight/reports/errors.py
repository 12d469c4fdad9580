"""What a bureau is told when a report cannot be made or sent."""

from __future__ import annotations

from oversight.errors import OversightError


class ReportError(OversightError):
    """A report cannot be made: one line in Chinese that says why and what to do."""


class NotReady(ReportError):
    """The data are too late, too few or not audited; a marked draft can still be had with `--provisional`."""


class Unfinished(ReportError):
    """Of several reports some could not be made or sent: `scopes`; `is_waiting` when only other data can help."""

    def __init__(self, message: str, scopes: tuple[str, ...], is_waiting: bool) -> None:
        super().__init__(message)
        self.scopes, self.is_waiting = scopes, is_waiting
