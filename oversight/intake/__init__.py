"""From whatever a township sends to accepted rows, rejected rows with a reason, and a ledger of every file."""

from __future__ import annotations

from oversight.intake.intake_run import IntakeResult, input_fingerprint, take_in

__all__ = ["IntakeResult", "input_fingerprint", "take_in"]
