"""Small made-up worlds for the dbt project: rows in, a finished build file out.

A build costs seconds, so a world holds many cases side by side: each case has a county of its own, and rules of
its own where it needs them, added through the data folder's `standards/` as a bureau would add them.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from oversight.contracts import ALL_DATASETS
from oversight.editions.build import build, build_file, variables
from oversight.intake.judging.deliveries import DELIVERY_SCHEMA
from oversight.intake.judging.due import due_schema
from oversight.intake.judging.payment_lists import COVERAGE_SCHEMA
from oversight.settings import DBT_DIR, DataFolder
from oversight.standards import write_overlay_inputs

TEXT, WHOLE, DAY, FLAG = pl.String(), pl.Int64(), pl.Date(), pl.Boolean()
_REPORTED = ("divisions", "population", "budget", "staffing", "indicators", "payments")
# Who reports, and of which fund, where a test does not say otherwise.
_PLAIN = {"source": "township", "fund_code": "working_funds"}
SCHEMAS: dict[str, dict[str, pl.DataType]] = {
    name: dataset.polars_schema() for name, dataset in ALL_DATASETS.items() if name in _REPORTED
}
_SUBMISSIONS = {
    "submission_id": TEXT,
    "file_name": TEXT,
    "sha256": TEXT,
    "dataset": TEXT,
    "received_at": pl.Datetime("us"),
    "month_from": DAY,
    "month_to": DAY,
    "rows_read": WHOLE,
    "rows_accepted": WHOLE,
    "rows_held": WHOLE,
    "rows_rejected": WHOLE,
    "rows_ignored": WHOLE,
    "status": TEXT,
    "is_correction": FLAG,
    "filed_on": DAY,
    "arrival_seq": WHOLE,
    "error_code": TEXT,
    "message_zh": TEXT,
    "what_to_do_zh": TEXT,
}
_REJECTED = dict.fromkeys(
    (
        "submission_id",
        "sheet",
        "row_number",
        "column_title",
        "value",
        "error_code",
        "message_zh",
        "what_to_do_zh",
        "disposition",
    ),
    TEXT,
) | {"row_number": WHOLE}
BUILT_AT = datetime(2026, 1, 5, 8, 0)  # noqa: DTZ001 (the column is a TIMESTAMP without zone)


def month(text: str) -> date:
    """2025-06 as the first of the month."""
    return date(int(text[:4]), int(text[5:7]), 1)


def months(first: str, last: str) -> list[str]:
    """Every month between, both included."""
    start, end = month(first), month(last)
    numbers = range(start.year * 12 + start.month - 1, end.year * 12 + end.month)
    return [f"{n // 12}-{n % 12 + 1:02}" for n in numbers]


@dataclass
class World:
    """Rows of every dataset, and the bureau's own standards."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in SCHEMAS})
    overlay: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)
    delivered: list[dict[str, Any]] = field(default_factory=list)
    due: list[dict[str, Any]] = field(default_factory=list)
    covered: list[dict[str, Any]] = field(default_factory=list)
    built_at: datetime = BUILT_AT

    def unit(self, code: str, kind: str = "镇", name: str | None = None, **columns: Any) -> None:
        """A division."""
        parent = code[:6] if len(code) == 9 else code[:9] if len(code) == 12 else None
        self.rows["divisions"].append(
            {
                "division_code": code,
                "division_name": name or f"{kind}{code}",
                "division_type": kind,
                "parent_code": parent,
            }
            | columns
        )

    def report(self, dataset: str, code: str, when: str | Iterable[str], **columns: Any) -> None:
        """A township's row, in one month or in several alike."""
        for text in [when] if isinstance(when, str) else when:
            self.rows[dataset].append(
                {"month": month(text), "township_code": code, "reported_code": code} | columns
            )

    def indicator(
        self, code: str, when: str | Iterable[str], indicator: str, value: Any, name: str | None = None
    ) -> None:
        """An indicator: a number, a flag (是/否) or text."""
        number = Decimal(int(value)) if isinstance(value, bool) else value
        for text in [when] if isinstance(when, str) else when:
            self.rows["indicators"].append(
                {
                    "month": month(text),
                    "subject_code": code,
                    "subject_name": name or code,
                    "indicator_code": indicator,
                    "indicator_text": {True: "是", False: "否"}[value]
                    if isinstance(value, bool)
                    else str(value),
                    "indicator_value": None if isinstance(value, str) else Decimal(str(number)),
                }
            )

    def own(self, seed: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Rows of the bureau's own standards, as they would stand in its CSV files."""
        self.overlay.setdefault(seed, []).extend(dict(row) for row in rows)

    def write(self, inputs: Path, folder: DataFolder) -> None:
        """The build inputs, as intake and the standards loader leave them."""
        inputs.mkdir(parents=True, exist_ok=True)
        for name, schema in SCHEMAS.items():
            placed = [
                {"submission_id": "s1", "sheet": "表", "row_status": "accepted", "precedence": 1}
                | {column: value for column, value in _PLAIN.items() if column in schema}
                | row
                | {"row_number": row.get("row_number", number)}
                for number, row in enumerate(self.rows[name], 5)
            ]
            pl.DataFrame(placed, schema=schema, infer_schema_length=None).write_parquet(
                inputs / f"{name}.parquet"
            )
        total = sum(len(rows) for rows in self.rows.values())
        received = {
            "submission_id": "s1",
            "file_name": "报表/月报.xlsx",
            "sha256": "0" * 64,
            "received_at": BUILT_AT,
            "rows_read": total,
            "rows_accepted": total,
            "rows_held": 0,
            "rows_rejected": 0,
            "rows_ignored": 0,
            "status": "accepted",
            "is_correction": False,
            "arrival_seq": 1,
        }
        pl.DataFrame([received], schema=_SUBMISSIONS).write_parquet(inputs / "submissions.parquet")
        pl.DataFrame(schema=_REJECTED).write_parquet(inputs / "rejected_rows.parquet")
        delivered = pl.DataFrame(self.delivered, schema=DELIVERY_SCHEMA)
        delivered.write_parquet(inputs / "deliveries.parquet")
        pl.DataFrame(self.covered, schema=COVERAGE_SCHEMA).write_parquet(inputs / "payment_coverage.parquet")
        pl.DataFrame(self.due, schema=due_schema()).write_parquet(inputs / "due_dates.parquet")
        pl.DataFrame(
            [
                {
                    "edition_id": "e1",
                    "built_at": self.built_at,
                    "input_fingerprint": "a",
                    "standards_fingerprint": "b",
                    "code_version": "0",
                }
            ],
            schema_overrides={"built_at": pl.Datetime("us")},
        ).write_parquet(inputs / "edition.parquet")
        for seed, rows in self.overlay.items():
            write_csv(folder.standards / f"{seed}.csv", header(seed), rows)
        write_overlay_inputs(folder, inputs)

    def build(self, place: Path) -> Path:
        """Build this world as a run does, in this process; the build file."""
        folder = DataFolder(place / "data")
        self.write(folder.inputs, folder)
        build(folder)
        return build_file(folder)

    def build_with(self, project: Path, place: Path) -> Path:
        """Build it with a dbt project of its own, in a process of its own; the build file."""
        folder = DataFolder(place / "data")
        self.write(folder.inputs, folder)
        return build_project(project, folder, place)


def build_project(project: Path, folder: DataFolder, place: Path) -> Path:
    """Build the inputs of a folder with a dbt project of its own, in a process of its own; the build file."""
    target = build_file(folder)
    environment = os.environ | {
        "OVERSIGHT_INPUTS": str(folder.inputs),
        "OVERSIGHT_BUILD": str(target),
        "DO_NOT_TRACK": "1",
    }
    done = subprocess.run(
        [
            sys.executable, "-m", "dbt.cli.main", "--no-use-colors", "--log-path", str(place / "logs"), "build",
            "--project-dir", str(project), "--profiles-dir", str(project),
            "--target-path", str(place / "target"), "--vars", json.dumps(variables()),
        ],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return target


def header(seed: str) -> list[str]:
    """The columns of a seed."""
    with (DBT_DIR / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def seed_rows(seed: str) -> list[dict[str, str]]:
    """The rows of a seed as text."""
    with (DBT_DIR / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """A CSV file as a bureau would save it; unknown columns are a mistake of the test."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for row in rows:
            writer.writerow({column: "" if value is None else value for column, value in row.items()})


def rows_of(build: Path, query: str, *parameters: Any) -> list[dict[str, Any]]:
    """What the query finds in a build file."""
    connection = duckdb.connect(str(build), read_only=True)
    try:
        # Views of the build file read the inputs it was made from.
        connection.execute(f"set file_search_path = '{build.parent / 'inputs'}'")
        connection.execute(f"attach '{build}.scratch' as scratch (read_only)")
        cursor = connection.execute(query, list(parameters))
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    finally:
        connection.close()


def rule(standard_id: str, **columns: Any) -> dict[str, Any]:
    """A row of standards.csv with what every row must have."""
    return {
        "standard_id": standard_id,
        "document_id": "Z",
        "clause": "一",
        "quotation": "试",
        "title_zh": f"试验标准{standard_id}",
        "matter": standard_id.lower(),
        "scope_code": "000000",
        "subject_level": "township",
        "topic_zh": "经费",
        "metric_zh": "试验",
        "comparator": ">=",
        "unit": "元",
        "period": "month",
        "strength": "must",
        "severity": "high",
        "gradeable": "Y",
        "effective_from": "2000-01-01",
        "recorded_on": "2026-01-01",
        "last_confirmed_on": "2026-01-01",
        "confirm_within_months": 24,
    } | columns


def document(document_id: str = "Z", **columns: Any) -> dict[str, Any]:
    """A row of policy_documents.csv."""
    return {
        "document_id": document_id,
        "document_title": f"试验文件{document_id}",
        "issuer_name": "试验机关",
        "issuer_code": "000000",
        "issuer_level": "province",
        "force": "binding",
        "issued_on": "2000-01-01",
        "recorded_on": "2026-01-01",
    } | columns
