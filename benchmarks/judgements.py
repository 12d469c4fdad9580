"""Every township rule of the five documents, given nationwide scope, judged by the dbt models and by a bare script.

    python benchmarks/judgements.py [--months 36] [--units N] [--keep DIR]

Build inputs are written directly (intake has its own benchmark): population, budget and staffing each month,
indicators each half-year, one report in a hundred missing. The bare script makes the same judgements with the
rules written into its SQL, no lineage, no supersession, no freshness, no contracts: it is the floor, not an
alternative. Goals: at most 3 times its wall time for the same table, within 8 GB.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from generate import national_divisions
from measure import PROJECT_ROOT, Cost, load, measure

sys.path.insert(0, str(PROJECT_ROOT))
from oversight.editions.build import STORAGE_VERSION, variables

DBT = PROJECT_ROOT / "dbt"
SINGLE = {"boolean", "floor", "exact", "frequency", "name_pattern", "coverage", "rate"}
SEED = 20250601


def _seed(name: str) -> list[dict[str, str]]:
    with (DBT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rules() -> list[dict[str, str]]:
    """The judged rules whose subject is a township, with nationwide scope."""
    return [
        row | {"scope_code": "000000"}
        for row in _seed("standards")
        if row["gradeable"] != "N"
        and (row["subject_level"].startswith("township") or row["formula"] == "village_coverage")
    ]


def write_inputs(place: Path, units: int | None, months: int, *, also: Sequence[str] = ()) -> None:
    """Build inputs as intake leaves them, and the overlay that gives the rules, and those named besides, their scope."""
    import numpy as np
    import polars as pl

    sys.path.insert(0, str(PROJECT_ROOT))
    from oversight.intake.judging.deliveries import DELIVERY_SCHEMA
    from oversight.intake.judging.due import due_schema
    from oversight.intake.judging.payment_lists import COVERAGE_SCHEMA
    from oversight.settings import DataFolder
    from oversight.standards import write_overlay_inputs
    from tests.dbt.world import _REJECTED, _SUBMISSIONS, SCHEMAS

    inputs, folder = place / "inputs", DataFolder(place / "data")
    inputs.mkdir(parents=True)
    folder.standards.mkdir(parents=True)
    with (folder.standards / "standards.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(_seed("standards")[0]))
        writer.writeheader()
        writer.writerows(rules())
        writer.writerows(
            row | {"scope_code": "000000"} for row in _seed("standards") if row["standard_id"] in also
        )
    for name in ("standard_tiers", "standard_measures", "policy_documents"):
        (folder.standards / f"{name}.csv").unlink(missing_ok=True)
    write_overlay_inputs(folder, inputs)

    divisions = national_divisions(units)
    chance = np.random.default_rng(SEED)
    towns = divisions.filter(pl.col("code").str.len_chars() == 9).select(
        township_code="code", reported_name="name"
    )
    start = date(2023, 1, 1)
    calendar = pl.select(
        month=pl.date_range(start, pl.lit(start).dt.offset_by(f"{months - 1}mo"), "1mo")
    ).to_series()

    def finish(name: str, frame: pl.DataFrame) -> None:
        schema = SCHEMAS[name] | {"submission_id": pl.String(), "sheet": pl.String(), "row_number": pl.Int64(),
                                  "row_status": pl.String(), "doubts": pl.String(), "precedence": pl.Int64()}  # fmt: skip
        known = frame.with_columns(
            submission_id=pl.lit("s1"), sheet=pl.lit("表"), row_number=pl.int_range(pl.len()),
            source=pl.lit("township"), fund_code=pl.lit("working_funds"),
            row_status=pl.lit("accepted"), doubts=pl.lit(None, pl.String), precedence=pl.lit(1, pl.Int64),
        )  # fmt: skip
        known.select(
            (pl.col(column) if column in known.columns else pl.lit(None)).cast(kind).alias(column)
            for column, kind in schema.items()
        ).write_parquet(inputs / f"{name}.parquet")

    finish(
        "divisions",
        divisions.select(
            division_code="code", division_name="name", division_type="kind", parent_code="parent"
        ),
    )
    size = towns.height
    people = np.clip(np.exp(chance.normal(9.8, 0.95, size)), 500, 200_000).astype(np.int64)
    grid = (
        towns.with_columns(population_persons=pl.Series(people), staff=pl.Series(chance.integers(0, 5, size)))
        .join(calendar.to_frame(), how="cross")
        .with_columns(reported_code="township_code")
    )

    def sent(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.filter(pl.Series(chance.random(frame.height) >= 0.01))

    finish("population", sent(grid))
    budget = pl.col("population_persons") * pl.lit(26) * 12 / 1000
    finish("budget", sent(grid).with_columns(
        initial_budget_cny=budget.round(0) * 10, disbursed_month_cny=pl.lit(1000), is_listed_separately=True))  # fmt: skip
    finish("staffing", sent(grid).with_columns(
        administrative_posts=pl.lit(1), institution_posts=pl.col("staff"), dedicated_staff_persons=pl.col("staff"),
        welfare_posts_persons=pl.lit(1), purchased_service_persons=pl.lit(0), villages_count=pl.lit(10),
        villages_with_assistant_count=pl.lit(10) - (pl.col("staff") == 0).cast(pl.Int64)))  # fmt: skip
    parts = []
    for row in rules():
        if row["formula"] not in SINGLE:
            continue
        every = {"month": (6, 12), "quarter": (3, 6, 9, 12)}.get(row["period"], (12,))
        reports = sent(
            towns.join(calendar.to_frame().filter(pl.col("month").dt.month().is_in(every)), how="cross")
        )
        tier = next(t for t in _seed("standard_tiers") if t["standard_id"] == row["standard_id"])
        held = pl.Series(chance.random(reports.height) < 0.9)
        value = float(tier["value"])
        parts.append(reports.select(
            "month", subject_code="township_code", subject_name="reported_name",
            indicator_code=pl.lit(row["standard_id"]), indicator_name=pl.lit(None),
            indicator_text=pl.when(held).then(pl.lit("某镇民政所")).otherwise(pl.lit("某镇民政办")),
            indicator_value=pl.when(held).then(pl.lit(value)).otherwise(pl.lit(max(value - 1, 0.0))), remark=pl.lit(None),
        ))  # fmt: skip
    finish("indicators", pl.concat(parts))
    now = datetime(2026, 1, 1)  # noqa: DTZ001
    one = {"submission_id": "s1", "file_name": "全国.csv", "sha256": "0", "received_at": now, "rows_read": 0, "rows_accepted": 0,
           "rows_held": 0, "rows_rejected": 0, "rows_ignored": 0, "status": "accepted", "is_correction": False}  # fmt: skip
    pl.DataFrame([one], schema=_SUBMISSIONS).write_parquet(inputs / "submissions.parquet")
    pl.DataFrame(schema=DELIVERY_SCHEMA).write_parquet(inputs / "deliveries.parquet")
    pl.DataFrame(schema=COVERAGE_SCHEMA).write_parquet(inputs / "payment_coverage.parquet")
    finish("payments", pl.DataFrame(schema=SCHEMAS["payments"]))
    pl.DataFrame(schema=due_schema()).write_parquet(inputs / "due_dates.parquet")
    pl.DataFrame(schema=_REJECTED).write_parquet(inputs / "rejected_rows.parquet")
    pl.DataFrame({"edition_id": ["e"], "built_at": [now], "input_fingerprint": [""], "standards_fingerprint": [""],
                  "code_version": [""]}).write_parquet(inputs / "edition.parquet")  # fmt: skip


def _empty(target: Path) -> None:
    """A DuckDB file of the format that editions have; both sides write into one."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"attach '{target}' as made (storage_version '{STORAGE_VERSION}')")


def bare(inputs: Path, target: Path) -> None:
    """The same judgements, every rule a constant in the SQL."""
    import duckdb

    _empty(target)
    connection = duckdb.connect(str(target))
    tiers = {t["standard_id"]: t for t in reversed(_seed("standard_tiers"))}
    measures = {m["standard_id"]: m for m in reversed(_seed("standard_measures"))}

    def read(name: str) -> str:
        return f"read_parquet('{inputs / name}.parquet')"

    for statement in (
        f"create table towns as select division_code as code from {read('divisions')} where length(division_code) = 9 "
        "and (regexp_matches(division_type, '镇|乡|街道|苏木')) and not regexp_matches(division_type, '场|开发区|其他|类似')",
        f"create table people as select township_code as code, month, population_persons as persons from {read('population')}",
        f"create table months as select month, year(month) as y, month(month) as m from "
        f"(select distinct month from {read('population')})",
        "create table basis as with p as (select y, code, max(people.month) as month from months, people "
        "where year(people.month) < y and m = 1 group by all), o as (select year(month) as y, code, min(month) as month "
        "from people group by all) select coalesce(p.y, o.y) as y, coalesce(p.code, o.code) as code, persons "
        "from p full join o on p.y = o.y and p.code = o.code "
        "join people on people.code = coalesce(p.code, o.code) and people.month = coalesce(p.month, o.month)",
        "create table allocated as select code, month, last_value(b.initial_budget_cny ignore nulls) over "
        "(partition by code, y order by month) as allocated from towns cross join months "
        f"left join {read('budget')} b on b.township_code = code and b.month = months.month".replace(
            "code, month,", "code, months.month as month,"
        ).replace("order by month", "order by months.month"),
        "create table judgements (rule_id varchar, subject_code varchar, month date, status varchar, "
        "value_checked decimal(18,4), value_expected decimal(18,4))",
    ):
        connection.execute(statement)
    grid = "towns cross join months left join basis using (y, code)"
    for rule_id, guarantee in (
        (
            "A-10",
            "case when persons <= 20000 then persons * 0.28 when persons < 50000 then persons * 0.22 "
            "else persons * 0.18 end * 12",
        ),
        (
            "C-11",
            "case when persons <= 30000 then 40000 when persons < 50000 then 70000 when persons is not null then 100000 end",
        ),
    ):
        connection.execute(
            f"insert into judgements select '{rule_id}', code, month, case when g is null or allocated is null "
            f"then 'not_reported' when g > allocated then 'short' else 'met' end, allocated, g from "
            f"(select code, month, allocated, {guarantee} as g from {grid} join allocated using (code, month))"
        )
    low = "case when persons < 30000 then 2 when persons is not null then 3 end"
    high = "case when persons <= 30000 then 3 when persons is not null then 5 end"
    counted = "dedicated_staff_persons + welfare_posts_persons + purchased_service_persons"
    for rule_id, value, least, most in (
        ("A-06", "dedicated_staff_persons", "2", "null"),
        ("D-07", counted, "2", "null"),
        ("D-08", counted, low, high),
        (
            "B-07",
            "least(administrative_posts, 1) + least(institution_posts, 2) + 0 * (administrative_posts + institution_posts)",
            "3",
            "null",
        ),
        ("A-07", "villages_with_assistant_count", "villages_count", "null"),
        ("D-09", "villages_with_assistant_count", "villages_count", "null"),
    ):
        connection.execute(
            f"insert into judgements select '{rule_id}', code, month, case when v is null or e is null then 'not_reported' "
            f"when v < e then 'short' when v > x then 'over' else 'met' end, v, e from (select code, months.month as month, "
            f"{value} as v, {least} as e, {most} as x from {grid} left join {read('staffing')} s "
            "on s.township_code = code and s.month = months.month)"
        )
    for row in (row for row in rules() if row["formula"] in SINGLE):
        rule_id, length = (
            row["standard_id"],
            {"month": int(row["report_valid_months"] or 1), "quarter": 3}.get(row["period"], 12),
        )
        every = {"month": 1, "quarter": 3}.get(row["period"], 12)
        pattern = measures[rule_id]["pattern"]
        value = (
            f"case when indicator_text like '{pattern}' then 1 else 0 end" if pattern else "indicator_value"
        )
        bound = row["strength"] in ("must", "principle")
        missed, above = ("'short'", "'over'") if bound else ("'not_applicable'", "'not_applicable'")
        connection.execute(
            f"insert into judgements select '{rule_id}', code, months.month, case when v is null then 'not_reported' "
            f"when v < {tiers[rule_id]['value']} then {missed} "
            f"{'when v > ' + tiers[rule_id]['value'] + ' then ' + above if row['formula'] == 'exact' else ''} else 'met' end, "
            f"v, {tiers[rule_id]['value']} from towns cross join months asof left join (select subject_code, month, {value} as v "
            f"from {read('indicators')} where indicator_code = '{rule_id}') f on f.subject_code = code "
            f"and f.month <= months.month where m % {every} = 0".replace(
                "case when v is null then",
                f"case when v is null or f.month <= months.month - interval {length} month then",
            )
        )
    connection.execute(
        "insert into judgements select 'A-28', subject_code, month, case when bool_or(status = 'short') then 'short' "
        "when bool_and(status in ('met', 'over')) then 'met' else 'not_reported' end, count_if(status in ('met', 'over')), 5 "
        "from judgements where rule_id in ('A-03', 'A-06', 'A-10', 'A-12', 'A-23') group by all"
    )
    connection.close()


def dbt(place: Path, *words: str) -> Cost:
    """A dbt command over the inputs, into a build file of the format that the product has it in."""
    build = place / "build.duckdb"
    if not build.exists():
        _empty(build)
    command = [sys.executable, "-m", "dbt.cli.main", "--log-path", str(place / "logs"), *words, "--project-dir", str(DBT),
               "--profiles-dir", str(DBT), "--target-path", str(place / "target"),
               "--vars", json.dumps(variables())]  # fmt: skip
    paths = {
        "OVERSIGHT_INPUTS": str(place / "inputs"),
        "OVERSIGHT_BUILD": str(build),
        "DO_NOT_TRACK": "1",
    }
    return measure(command, env=os.environ | paths)


def counts(path: Path, query: str) -> dict[str, int]:
    """Judgements by rule and status."""
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        return {f"{rule} {status}": number for rule, status, number in connection.execute(query).fetchall()}


def told(name: str, cost: Cost, rows: int) -> str:
    """One line of the result."""
    million = rows / 1e6
    return (
        f"{name:32} {cost.wall_seconds:8.1f} s wall {cost.cpu_seconds:8.1f} s CPU {cost.peak_bytes / 2**30:6.2f} GB peak "
        f"{cost.wall_seconds / million:6.2f} s and {cost.peak_bytes / 2**20 / million:6.0f} MB per million judgements"
    )


def main() -> None:
    """Print rows, time and memory of both, and whether they judge alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--units", type=int)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bare:
        bare(arguments.bare / "inputs", arguments.bare / "bare.duckdb")
        return
    place = arguments.keep or Path(tempfile.mkdtemp(prefix="judgements-"))
    shutil.rmtree(place, ignore_errors=True)
    write_inputs(place, arguments.units, arguments.months)
    empty = dbt(place, "parse")
    judged = dbt(place, "build", "--select", "+judgements", "--exclude-resource-type", "test")
    floor = measure([sys.executable, __file__, "--bare", str(place)])
    ids = ", ".join(f"'{row['standard_id']}'" for row in rules())
    level = f"where subject_level = 'township' and rule_id in ({ids})"
    ours = counts(
        place / "build.duckdb", f"select rule_id, status, count(*) from judgements {level} group by all"
    )
    theirs = counts(place / "bare.duckdb", "select rule_id, status, count(*) from judgements group by all")
    rest = dbt(place, "build", "--exclude", "+judgements")
    rows = sum(ours.values())
    print(f"{rows:,} judgements of {len(rules())} rules, {load()}")
    print(told("bare script", floor, rows))
    print(told("dbt up to judgements", judged, rows))
    print(told("dbt, everything after and tests", rest, rows))
    print(f"of which dbt's own start and parsing {empty.wall_seconds:.1f} s")
    wall, cpu = judged.wall_seconds / floor.wall_seconds, judged.cpu_seconds / floor.cpu_seconds
    print(f"times the bare script: {wall:.2f} wall, {cpu:.2f} CPU")
    different = {
        key: (ours.get(key), theirs.get(key))
        for key in ours.keys() | theirs.keys()
        if ours.get(key) != theirs.get(key)
    }
    print("both judge alike" if not different else f"DIFFERENT: {json.dumps(different, ensure_ascii=False)}")
    if not arguments.keep:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
