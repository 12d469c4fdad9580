"""The scope of whoever asks; what a scope is stands in `oversight.accounts`."""

from __future__ import annotations

from oversight.accounts.identity import current
from oversight.accounts.scope import EVERYTHING, Scope, significant

__all__ = ["EVERYTHING", "Scope", "scope_of_request", "significant"]


def scope_of_request() -> Scope:
    """The scope of whoever sent the request being answered."""
    return current().scope
