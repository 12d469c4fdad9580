"""What a judgement of all landed rows gives to the build."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from oversight.intake.judging.payment_lists import COVERAGE_SCHEMA
from oversight.references import References, load_references

REJECTED_SCHEMA: dict[str, Any] = {
    "submission_id": pl.String,
    "sheet": pl.String,
    "row_number": pl.Int64,
    "column_title": pl.String,
    "value": pl.String,
    "error_code": pl.String,
    "message_zh": pl.String,
    "what_to_do_zh": pl.String,
    "disposition": pl.String,
}


SUBMISSION_SCHEMA: dict[str, Any] = {
    "submission_id": pl.String,
    "file_name": pl.String,
    "sha256": pl.String,
    "dataset": pl.String,
    "received_at": pl.Datetime("us"),
    "month_from": pl.Date,
    "month_to": pl.Date,
    "rows_read": pl.Int64,
    "rows_accepted": pl.Int64,
    "rows_held": pl.Int64,
    "rows_rejected": pl.Int64,
    "rows_ignored": pl.Int64,
    "status": pl.String,
    "is_correction": pl.Boolean,
    "filed_on": pl.Date,
    "arrival_seq": pl.Int64,
    "error_code": pl.String,
    "message_zh": pl.String,
    "what_to_do_zh": pl.String,
}


@dataclass
class Judged:
    """The build inputs: a frame for each dataset, the submissions, and every row that is not used with its reason.

    `tables` are those that the rows came from, the analyst's corrections among them. `places` says of each row of a
    report its table, its unit and month as one number, and whether another row speaks of these too. `tried`: of each row
    of a report that is refused, where it stands, and the month and unit that it names. `covered`: for which months,
    divisions and funds a list of payments says all that was paid.
    """

    rows: dict[str, pl.DataFrame] = field(default_factory=dict)
    submissions: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SUBMISSION_SCHEMA))
    rejected: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECTED_SCHEMA))
    tables: pl.DataFrame = field(default_factory=pl.DataFrame)
    places: dict[str, pl.DataFrame] = field(default_factory=dict)
    tried: dict[str, pl.DataFrame] = field(default_factory=dict)
    covered: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COVERAGE_SCHEMA))
    references: References = field(default_factory=load_references)
