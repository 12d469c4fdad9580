"""From whatever a township sends to accepted rows, rejected rows with a reason, and a ledger of every file."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oversight.intake.intake_run import IntakeResult, input_fingerprint, take_in

__all__ = ["IntakeResult", "input_fingerprint", "take_in"]


def __getattr__(name: str) -> object:
    """Loaded when asked for: the process that reads files imports this package and needs none of it."""
    if name not in __all__:
        raise AttributeError(name)
    from oversight.intake import intake_run

    return getattr(intake_run, name)
