"""A build file as dbt leaves one, small and made without dbt, so that publishing can be tested by itself."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import duckdb

from oversight.editions import Fingerprints, Identity, build_file, new_identity
from oversight.editions.build import STORAGE_VERSION
from oversight.editions.published import PUBLIC_TABLES
from oversight.settings import TIME_ZONE, DataFolder

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=TIME_ZONE)


def write_build(
    folder: DataFolder, *, number: int = 0, rows: int = 50, reverse: bool = False, made_of: str = "00ff"
) -> None:
    """Every public table; `number` stands in each row of the two monthly tables, to tell editions apart. `made_of` is the
    digest of the one file received."""
    build = build_file(folder)
    build.parent.mkdir(parents=True, exist_ok=True)
    build.unlink(missing_ok=True)
    with duckdb.connect() as maker:
        maker.execute(f"attach '{build}' as made (storage_version '{STORAGE_VERSION}')")
    connection = duckdb.connect(str(build))
    order = "desc" if reverse else "asc"
    for table in PUBLIC_TABLES:
        connection.execute(
            f"create table {table} as select 'a' || i as township_code, date '2025-01-01' as month, "
            f"{number} as number from range({rows}) r(i) order by i {order}"
        )
    for table in ("funding_gap_monthly", "staffing_gap_monthly"):
        connection.execute(
            f"create or replace table {table} as select cast(360300000 + i % 7 as varchar) as township_code, "
            f"cast(date '2025-01-01' + to_months(cast(i // 7 as integer)) as date) as month, "
            f"'A-10' as standard_id, "
            f"cast(i * 1.11 as decimal(18, 2)) as allocation_shortfall_cny, {number} as number "
            f"from range({rows}) r(i) order by i {order}"
        )
    connection.execute(
        "create or replace table submissions as select 'x' as submission_id, '甲/乙.xlsx' as file_name, "
        f"'{made_of}' as sha256, 'accepted' as status, current_timestamp::timestamp as received_at"
    )
    connection.execute(
        f"create or replace table edition as select 'e{number}' as edition_id, "
        "current_timestamp::timestamp as built_at, 'i' as input_fingerprint"
    )
    connection.execute("create schema reported")
    connection.execute(
        "create table reported.population as select 1 as population_persons, true as is_current"
    )
    connection.execute("create schema intermediate")
    connection.execute("create table intermediate.int_months as select 1 as private")
    connection.close()


def write_manifest(path: Path) -> Path:
    """As much of dbt's manifest as publishing reads."""
    node = {
        "resource_type": "model",
        "schema": "main",
        "alias": "funding_gap_monthly",
        "description": "各乡镇逐月\n经费缺口",
        "columns": {"month": {"name": "month", "description": "月份'首日"}},
    }
    path.write_text(json.dumps({"nodes": {"model.oversight.funding_gap_monthly": node}}), "utf-8")
    return path


def identity(folder: DataFolder, number: int = 0) -> Identity:
    """An identity whose fingerprint tells the number."""
    return new_identity(folder, Fingerprints(f"{number:08d}", "standards", "code"), NOW)
