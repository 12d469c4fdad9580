"""The files of standards: their columns, what stands in each, and by which a row takes another's place.

The seeds are the project's own rows; a data folder's `standards/` has files of the same names.
"""

from __future__ import annotations

import csv

from oversight.settings import DBT_DIR

SEEDS_DIR = DBT_DIR / "seeds"

TEXT, DATE, WHOLE, FLAG, FIGURE = "text", "date", "whole", "flag", "figure"

# The column types of dbt_project.yml in the words of this module; a test holds the two together.
KINDS: dict[str, dict[str, str]] = {
    "policy_documents": {"issued_on": DATE, "recorded_on": DATE},
    "standards": {
        "effective_from": DATE,
        "effective_to": DATE,
        "deadline": DATE,
        "issued_on": DATE,
        "recorded_on": DATE,
        "last_confirmed_on": DATE,
        "confirm_within_months": WHOLE,
        "report_valid_months": WHOLE,
        "decimals": WHOLE,
    },
    "standard_tiers": {
        "tier_no": WHOLE,
        "lower_bound": WHOLE,
        "lower_included": FLAG,
        "upper_bound": WHOLE,
        "upper_included": FLAG,
        "value": FIGURE,
        "value_max": FIGURE,
    },
    "standard_measures": {
        "part_no": WHOLE,
        "required": FLAG,
        "threshold": FIGURE,
        "years_back": WHOLE,
        "factor": FIGURE,
    },
    "materiality": {"below_amount": FIGURE, "below_pct": FIGURE},
    "payment_pace": {"value": FIGURE},
    "funds": {"budget_includes_carryover": FLAG},
    "report_sources": {"is_own": FLAG},
    "source_precedence": {"source_rank": WHOLE},
}
KEYS = {
    "policy_documents": "document_id",
    "standards": "standard_id",
    "standard_tiers": "standard_id",
    "standard_measures": "standard_id",
    "materiality": "unit",
    "payment_pace": "limit_name",
    "funds": "fund_code",
    "report_sources": "source",
    "source_precedence": "figure",
}
# Columns that a bureau's file may leave out: those that came later, and those that have a default or may be blank.
MAY_LACK = frozenset(
    {
        "report_valid_months",
        "decimals",
        "origin_zh",
        "origin_issuer_code",
        "accrual",
        "combine",
        "years_back",
        "unit_level",
        "pattern",
        "other_names",
        "budget_includes_carryover",
        "reporter_pattern",
        "folder_pattern",
        "is_own",
        "reason_zh",
        "factor",
        "document_no",
        "issuer_name",
        "issuer_level",
        "force",
        "issued_on_note",
        "basis_documents",
        "note",
        "topic_zh",
        "metric_zh",
        "comparator",
        "population_basis",
        "population_date_rule",
        "edge_rule",
        "severity",
        "gradeable",
        "not_judged_reason",
        "effective_to",
        "deadline",
        "issued_on",
        "last_confirmed_on",
        "confirm_within_months",
        "ambiguity_zh",
        "example_zh",
        "tier_no",
        "tier_label",
        "lower_bound",
        "lower_included",
        "upper_bound",
        "upper_included",
        "value_max",
        "quotation",
        "part_no",
        "required",
        "threshold",
        "label_zh",
        "below_amount",
        "below_pct",
        "note_zh",
    }
)


def columns_of(name: str) -> list[str]:
    """The columns of a file of standards, in order."""
    with (SEEDS_DIR / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file))


def kind_of(name: str, column: str) -> str:
    """What stands in a column: text, date, whole, flag or figure."""
    return KINDS[name].get(column, TEXT)


def key_of(name: str) -> str:
    """The column by which a bureau's rows take the place of the project's."""
    return KEYS[name]
