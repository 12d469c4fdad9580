"""Great Expectations results as asset checks.

Three kinds of red, never mixed: a blocking failure is an error of ours and stops the run; doubtful data is a
warning; a township that falls short is the product working, and the check passes.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    ResourceParam,
    multi_asset_check,
)

from dagster_project.context import RunContext

SUITE_RESULTS = AssetKey(["quality", "suite_results"])

# Suite → what it looks at. Known beforehand, because importing the suites costs seconds; a test compares.
SUITES = {
    "submissions": "inputs.submissions",
    "divisions": "inputs.divisions",
    "population": "inputs.population",
    "budget": "inputs.budget",
    "staffing": "inputs.staffing",
    "indicators": "inputs.indicators",
    "townships": "main.townships",
    "funding_gap_monthly": "main.funding_gap_monthly",
    "staffing_gap_monthly": "main.staffing_gap_monthly",
    "judgements": "main.judgements",
    "findings": "main.findings",
    "agreement": "main.judgements",
    "month_funding_gap_monthly": "main.funding_gap_monthly",
    "month_judgements": "main.judgements",
    "month_staffing_gap_monthly": "main.staffing_gap_monthly",
}


def suite_check_result(suite: str, rows: pl.DataFrame) -> AssetCheckResult:
    """How many rows of each kind a suite flagged, and which expectations flagged them."""
    blocking, doubt, short = (
        int(rows.filter(pl.col("kind") == kind)["unexpected_count"].sum())
        for kind in ("blocking", "doubt", "short")
    )
    return AssetCheckResult(
        check_name=_check_name(suite),
        asset_key=_key(SUITES[suite]),
        passed=not blocking and not doubt,
        severity=AssetCheckSeverity.ERROR if blocking else AssetCheckSeverity.WARN,
        metadata={
            "流程有误": blocking,
            "数据存疑": doubt,
            "未达标准": short,
            "标出的规则": rows.filter(~pl.col("success"))["title_zh"].to_list(),
        },
    )


def _check_name(suite: str) -> str:
    return f"suite_{suite}"


def _what_it_does(suite: str) -> str:
    return (
        "由 Great Expectations 按数据约定和标准核对当月"
        if suite.startswith("month_")
        else "按数据约定逐行核对"
    )


def _key(target: str) -> AssetKey:
    return AssetKey(target.split("."))


@multi_asset_check(
    name="suites",
    specs=[
        AssetCheckSpec(
            _check_name(suite),
            asset=_key(target),
            additional_deps=[SUITE_RESULTS],
            description=f"{_what_it_does(suite)}：{target}",
        )
        for suite, target in SUITES.items()
    ],
)
def suite_checks(run: ResourceParam[RunContext]) -> Iterator[AssetCheckResult]:
    """One check a suite, on the table it looks at."""
    rows = pl.read_parquet(run.audit / "suite_results.parquet")
    for suite in SUITES:
        yield suite_check_result(suite, rows.filter(pl.col("suite") == suite))
