"""One call runs every suite over the build inputs and the warehouse, and writes what they found.

Three askers, each for what it is made for: row by row over all months what landed and what the marts conclude (`engine`),
in DuckDB whether the tables of the build agree (`agreement`), and Great Expectations over the month reported (`months`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from oversight.quality import agreement, months
from oversight.quality.data_docs import write_data_docs
from oversight.quality.engine import run
from oversight.quality.frames import Landed
from oversight.quality.kept import FLAGS, RESULTS, Kept, evaluated_by_year
from oversight.quality.landed import landed_suites
from oversight.quality.marts import Warehouse, mart_suites
from oversight.quality.rules import Rules
from oversight.quality.suites import FLAG_SCHEMA, RESULT_SCHEMA, SuiteResult

# The texts of a flag are hardly ever the same twice; the rest of it is.
_WRITTEN: dict[str, Any] = {
    "compression": "lz4",
    "use_dictionary": [
        name for name in FLAG_SCHEMA if name not in ("value", "expected", "message_zh", "row_number")
    ],
}


def _silent(message: str) -> None:
    del message


def run_suites(
    inputs_dir: Path,
    warehouse_path: Path,
    out_dir: Path,
    say: Callable[[str], None] = _silent,
    *,
    since: date | None = None,
    before: Path | None = None,
) -> list[SuiteResult]:
    """Judge the build inputs (`inputs_dir/*.parquet`) and the marts of the warehouse (opened read-only).

    Writes into `out_dir`: suite_results.parquet (a row an expectation), suite_flags.parquet (a row a flagged row, without
    those that fall short, which the marts say), audited/ (the rows of the month that Great Expectations judged), and
    data_docs/ (Chinese pages, and its own under gx/). The results that are returned keep the first flagged rows of each
    expectation; all of them are in the file. A failed expectation is a result, whatever its kind: it is for the
    caller to stop at `SuiteResult.blocking_failures`. Raises QualityError if an expectation could not be
    evaluated at all.

    With `since`, a January 1st, only months from then on are judged; of those before, the results that an earlier
    audit left in the folder `before` are told again. It is for the caller to know that nothing in the months
    before differs from what that audit saw, nor what bears on every month: divisions, standards, the program.
    Where the folder lacks what is needed, everything is judged.
    """
    import pyarrow.parquet as pq

    kept = Kept.of(before, since) if before and since else None
    first = since if kept else None
    landed = Landed(inputs_dir, first)
    rules = Rules.of_run(inputs_dir)
    makers = [*landed_suites(landed), *mart_suites(landed, Warehouse(warehouse_path, first), rules)]
    out_dir.mkdir(parents=True, exist_ok=True)
    results = []

    def judged() -> Iterator[SuiteResult]:
        for make in makers:
            yield run(make(), landed.names, kept)
        yield agreement.judge(warehouse_path, inputs_dir, landed.names, first, kept)
        yield from months.judge(warehouse_path, rules, out_dir)

    with pq.ParquetWriter(
        out_dir / FLAGS, _arrow(pl.DataFrame(schema=FLAG_SCHEMA)).schema, **_WRITTEN
    ) as file:
        for result in judged():
            say(_line(result))
            # They go to disk suite by suite: a bad month of the country has many.
            file.write_table(_arrow(result.flags))
            results.append(replace(result, flags=result.flags.clear()))
    result_rows(results).write_parquet(out_dir / RESULTS, metadata=evaluated_by_year(results))
    write_data_docs(results, inputs_dir, out_dir / "data_docs")
    return results


def _arrow(flags: pl.DataFrame) -> Any:
    """As an Arrow table of plain strings, which every Parquet reader knows."""
    return flags.to_arrow(compat_level=pl.CompatLevel.oldest())


def result_rows(results: list[SuiteResult]) -> pl.DataFrame:
    """A row is an expectation of a suite and what became of it."""
    return pl.DataFrame(
        [
            {
                "suite": r.suite,
                "suite_title_zh": r.title_zh,
                "target": r.target,
                "expectation": e.name,
                "title_zh": e.title_zh,
                "kind": e.kind,
                "evaluated_count": e.evaluated_count,
                "unexpected_count": e.unexpected_count,
                "unexpected_pct": e.unexpected_pct,
                "success": e.success,
                "message_zh": e.message_zh,
                "what_to_do_zh": e.what_to_do_zh,
            }
            for r in results
            for e in r.expectations
        ],
        schema=RESULT_SCHEMA,
    )


def _line(result: SuiteResult) -> str:
    counts = f"流程有误 {result.count('blocking')}，数据存疑 {result.count('doubt')}，未达标准 {result.count('short')}"
    return f"质量检查 {result.title_zh}：{len(result.expectations)} 项，{counts}"
