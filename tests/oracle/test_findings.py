"""The findings of the sample, worked out again from its judgements; and the second computation itself."""

from __future__ import annotations

from datetime import date
from typing import Any

from oversight.editions import Edition
from tests.oracle.findings import check_findings, expected


def _row(month: int, status: str, **more: Any) -> dict[str, Any]:
    return {
        "rule_id": "R", "subject_level": "township", "subject_code": "1", "subject_unit": "1",
        "month": date(2025, month, 1), "status": status, "is_binding": True,
        "value_checked": None, "value_expected": None, "shortfall": None,
    } | more  # fmt: skip


def test_silence_goes_on_an_answer_clears_and_the_next_names_the_last() -> None:
    told = ["met", "short", "not_reported", "over", "not_reported", "not_applicable", "short"]
    found = expected([_row(month, status) for month, status in enumerate(told, 1)], {"R": "month"})
    assert [
        (
            row["finding_id"],
            row["months_open"],
            row["status"],
            row["cleared_month"],
            row["previous_finding_id"],
        )
        for row in found
    ] == [
        ("R/1/2025-02", 2, "cleared", date(2025, 4, 1), None),
        ("R/1/2025-05", 1, "not_applicable", None, "R/1/2025-02"),
        ("R/1/2025-07", 1, "short", None, "R/1/2025-05"),
    ]


def test_answers_that_stop_end_the_spell_and_plans_open_none() -> None:
    rows = [_row(1, "short"), _row(2, "met", subject_unit="2"), _row(2, "short", is_binding=False)]
    assert [(row["finding_id"], row["status"]) for row in expected(rows, {"R": "month"})] == [
        ("R/1/2025-01", "not_applicable")
    ]


def test_the_samples_findings_are_what_its_judgements_make(sample_edition: Edition) -> None:
    assert check_findings(sample_edition.warehouse) > 300
