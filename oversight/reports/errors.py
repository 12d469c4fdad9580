"""What a bureau is told when a report cannot be made or sent."""

from __future__ import annotations

from oversight.errors import OversightError


class ReportError(OversightError):
    """A report cannot be made: one line in Chinese that says why and what to do."""


class NotReady(ReportError):
    """The data are too late, too few or not audited; a marked draft can still be had with `--provisional`."""
