"""A world as the build inputs that intake would hand to dbt, so that the models can be tried without intake."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from oversight.contracts import DATASETS, LIST_DATASETS
from oversight.intake.judging.deliveries import DELIVERY_SCHEMA, DUE_SCHEMA
from oversight.intake.judging.payment_lists import COVERAGE_SCHEMA
from oversight.settings import DataFolder
from oversight.standards import write_overlay_inputs
from tests.oracle.model import Model
from tests.oracle.worlds import COLUMNS, World, parent_of


def write_inputs(world: World, folder: DataFolder) -> Model:
    """Write every build input below the folder; returns the oracle of the same world."""
    model = Model(world.divisions, world.reports(), world.standards)
    folder.inputs.mkdir(parents=True, exist_ok=True)
    world.write(folder.root)
    ranks = {p: k for k, p in enumerate(sorted(f.precedence for f in world.files), 1)}

    def provenance(number: int, row: int, precedence: int) -> dict[str, object]:
        return {
            "submission_id": f"{number:016x}",
            "sheet": None,
            "row_number": row,
            "row_status": "accepted",
            "doubts": None,
            "precedence": precedence,
        }

    rows: dict[str, list[dict[str, object]]] = {name: [] for name in DATASETS}
    for number, d in enumerate(world.divisions, 2):
        rows["divisions"].append(
            {
                "division_code": d.code,
                "division_name": d.name,
                "division_type": d.kind,
                "parent_code": parent_of(d.code) or None,
                "valid_from": d.begins,
                "valid_to": d.ends,
                "successor_code": "、".join(d.successors) or None,
                **provenance(0, number, 1),
            }
        )
    for number, file in enumerate(world.files, 1):
        for place, (month, code, name, values) in enumerate(file.rows, 2):
            meant = model.meant(code, month)
            if meant is not None:
                rows[file.dataset].append(
                    {
                        "month": month,
                        "township_code": meant,
                        "reported_code": code,
                        "reported_name": name,
                        **{c: values[c] for c, _, _ in COLUMNS[file.dataset]},
                        **provenance(number, place, ranks[file.precedence]),
                    }
                )
    for name, contract in (*DATASETS.items(), *LIST_DATASETS.items()):
        schema = contract.polars_schema()
        plain = {c: v for c, v in {"source": "township", "fund_code": "working_funds"}.items() if c in schema}
        pl.DataFrame([plain | row for row in rows.get(name, ())], schema=schema).write_parquet(
            folder.inputs / f"{name}.parquet"
        )
    pl.DataFrame(schema=COVERAGE_SCHEMA).write_parquet(folder.inputs / "payment_coverage.parquet")
    text, count = pl.String, pl.Int64
    pl.DataFrame(
        schema={
            "submission_id": text,
            "file_name": text,
            "sha256": text,
            "dataset": text,
            "received_at": pl.Datetime("us"),
            "month_from": pl.Date,
            "month_to": pl.Date,
            "rows_read": count,
            "rows_accepted": count,
            "rows_held": count,
            "rows_rejected": count,
            "rows_ignored": count,
            "status": text,
            "is_correction": pl.Boolean,
            "filed_on": pl.Date,
            "arrival_seq": count,
            "error_code": text,
            "message_zh": text,
            "what_to_do_zh": text,
        }
    ).write_parquet(folder.inputs / "submissions.parquet")
    pl.DataFrame(
        schema={
            "submission_id": text,
            "sheet": text,
            "row_number": count,
            "column_title": text,
            "value": text,
            "error_code": text,
            "message_zh": text,
            "what_to_do_zh": text,
            "disposition": text,
        }
    ).write_parquet(folder.inputs / "rejected_rows.parquet")
    pl.DataFrame(
        {
            "edition_id": ["world"],
            "built_at": [datetime(2025, 6, 1, tzinfo=UTC).replace(tzinfo=None)],
            "input_fingerprint": ["x"],
            "standards_fingerprint": ["x"],
            "code_version": ["x"],
        }
    ).write_parquet(folder.inputs / "edition.parquet")
    pl.DataFrame(schema=DELIVERY_SCHEMA).write_parquet(folder.inputs / "deliveries.parquet")
    pl.DataFrame(schema=DUE_SCHEMA).write_parquet(folder.inputs / "due_dates.parquet")
    write_overlay_inputs(folder, folder.inputs)
    return model
