"""An audit that judges only the months from some January on says what an audit of everything says."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from oversight.quality import months, run_suites
from tests.quality import world as worlds
from tests.quality.world import HEBEI, JIANGXI, Row, World

SINCE = dt.date(2024, 1, 1)
BEFORE = pl.date_range(dt.date(2022, 11, 1), dt.date(2024, 2, 1), "1mo", eager=True).to_list()
NOW = pl.date_range(dt.date(2022, 11, 1), dt.date(2024, 4, 1), "1mo", eager=True).to_list()
MONTHLY = ("population", "budget", "staffing")
# A rule of one indicator: its answers are led back to the latest report, of whatever year.
INDICATOR = "A-13"


def _spoil(draw: random.Random, dataset: str, row: Row) -> None:
    """Perhaps a mistake of the kind that the suites look for."""
    figures = [
        name
        for name, value in row.items()
        if type(value) in (int, Decimal) and name not in ("row_number", "precedence")
    ]
    figure = draw.choice(figures)
    spoilt: list[Callable[[], Any]] = [
        lambda: row.update({figure: None}),
        lambda: row.update({figure: row[figure] * 1_000}),
        lambda: row.update({figure: row[figure] // 2}),
        lambda: row.update({figure: row[figure] + 1}),
        lambda: row.update(reported_name="某某镇"),
        lambda: row.update(row_status="held"),
    ]
    if dataset == "budget":
        spoilt.append(lambda: row.update(adjusted_budget_cny=Decimal(draw.randrange(30_000, 90_000))))
    if draw.random() < 0.15:
        draw.choice(spoilt)()


def _history(seed: int, version: str, months: list[dt.date], monkeypatch: pytest.MonkeyPatch) -> World:
    """A world of these months with mistakes in it: those of the months before SINCE are the same in each version."""
    monkeypatch.setattr(worlds, "MONTHS", months)
    world = World()
    world.tables["indicators"] = [
        {**world.tables["indicators"][0], "month": month, "indicator_code": INDICATOR, "row_number": number}
        for number, month in enumerate(months)
        if month.month % 5 == 1
    ]

    def drawn(*key: object, month: dt.date | None) -> random.Random:
        return random.Random(f"{seed} {key} {month} {version if month is None or month >= SINCE else ''}")

    for dataset in MONTHLY:
        for row in list(world.tables[dataset]):
            code, month = row["township_code"], row["month"]
            row.update(sheet=dataset, row_number=int(code[-5:]) * 10_000 + months.index(month))
            draw = drawn(dataset, code, month=month)
            if (dataset, code) == ("population", HEBEI):
                # With the months that come, most are of the later size: what the earlier ones say becomes doubtful.
                row["population_persons"] = 150 if month < dt.date(2023, 7, 1) else 20_000
            elif draw.random() < 0.1:
                world.drop(dataset, code, month)
            else:
                _spoil(draw, dataset, row)
    marts = world.build()
    marts["judgements"] += [
        {
            **next(r for r in marts["judgements"] if r["subject_code"] == JIANGXI and r["month"] == month),
            "rule_id": INDICATOR,
            "status": "short",
            "shortfall": Decimal(1),
        }
        for month in months
    ]
    for mart in ("funding_gap_monthly", "staffing_gap_monthly", "judgements"):
        for row in list(marts[mart]):
            draw = drawn(mart, *list(row.values())[:3], month=row["month"])
            if draw.random() < 0.02:
                marts[mart].append(dict(row))
            if draw.random() < 0.02:
                row["status"] = draw.choice(["met", "short", "not_reported"])
            if draw.random() < 0.02:
                marts[mart].remove(row)
    return world


def _told(out: Path) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, str]]:
    flags = pl.read_parquet(out / "suite_flags.parquet")
    pages = {
        str(page.relative_to(out)): page.read_text("utf-8")
        for page in sorted((out / "data_docs").rglob("*.html"))
    }
    return flags.sort(flags.columns), pl.read_parquet(out / "suite_results.parquet"), pages


@pytest.fixture(autouse=True)
def without_the_month(monkeypatch: pytest.MonkeyPatch) -> None:
    """Great Expectations judges the latest month whole, whatever was judged before: it is not what goes on here."""
    monkeypatch.setattr(months, "judge", lambda *_: [])


@pytest.mark.parametrize("seed", range(3))
def test_an_audit_that_goes_on_says_what_an_audit_of_everything_says(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last, everything, goes_on, again = (
        tmp_path / name for name in ("last", "everything", "goes_on", "again")
    )
    inputs, warehouse = _history(seed, "before", BEFORE, monkeypatch).write(tmp_path / "before")
    run_suites(inputs, warehouse, last)
    inputs, warehouse = _history(seed, "now", NOW, monkeypatch).write(tmp_path / "now")
    run_suites(inputs, warehouse, everything)
    run_suites(inputs, warehouse, goes_on, since=SINCE, before=last)
    # What it leaves is good enough for the next to go on from.
    run_suites(inputs, warehouse, again, since=dt.date(2025, 1, 1), before=goes_on)

    flags, results, pages = _told(everything)
    for out in (goes_on, again):
        for told, expected in zip(_told(out), (flags, results, pages), strict=True):
            assert told.equals(expected) if isinstance(told, pl.DataFrame) else told == expected

    then = _told(last)[0]
    of_last_year = pl.col("month") >= SINCE
    assert flags.filter(~of_last_year & (pl.col("kind") == "blocking")).height
    assert then.filter(of_last_year).join(flags, on=flags.columns, how="anti", nulls_equal=True).height
    assert flags.filter(of_last_year).join(then, on=flags.columns, how="anti", nulls_equal=True).height
    assert flags.filter(~of_last_year).join(then, on=flags.columns, how="anti", nulls_equal=True).height
    assert 0 < results.filter("success").height < results.height


@pytest.mark.parametrize("missing", ["suite_flags.parquet", "suite_results.parquet", "metadata"])
def test_everything_is_judged_where_the_last_audit_left_too_little(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, warehouse = _history(0, "now", NOW, monkeypatch).write(tmp_path / "now")
    last, out = tmp_path / "last", tmp_path / "out"
    run_suites(inputs, warehouse, last)
    if missing == "metadata":
        results = last / "suite_results.parquet"
        pl.read_parquet(results).write_parquet(results)
    else:
        (last / missing).unlink()
    run_suites(inputs, warehouse, out, since=SINCE, before=last)
    run_suites(inputs, warehouse, last)
    assert _told(out)[0].equals(_told(last)[0])
    assert _told(out)[1].equals(_told(last)[1])
