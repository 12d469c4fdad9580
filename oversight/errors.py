"""What an analyst is told when something cannot be done."""

from __future__ import annotations


class OversightError(Exception):
    """A failure the user can act on: one line in Chinese that says what failed and what to do."""
