"""One figure under one name: the roll-ups computed anew from the townships' rows, and every place that shows one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dash._utils import to_json

from oversight import presentation as show
from oversight.dashboard.access import EVERYTHING
from oversight.dashboard.pages import pages
from oversight.dashboard.shelf import Shelf
from oversight.dashboard.state import read_state
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Warehouse
from oversight.editions import open_edition
from oversight.metrics import METRICS
from oversight.reports.config import load
from oversight.reports.content import build
from oversight.reports.facts import gather
from oversight.reports.make import render
from oversight.settings import DataFolder
from tests.metrics.conftest import LULONG, TONGXIN
from tests.reports import reading
from tests.reports.conftest import CALENDAR, FIRST

LEVELS = {"county": 6, "city": 4, "province": 2, "country": 0}
JUNE = date(2025, 6, 1)
Row = dict[str, Any]


def rows(sql: duckdb.DuckDBPyConnection, query: str, *values: Any) -> list[Row]:
    cursor = sql.execute(query, list(values))
    names = [item[0] for item in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def added(townships: list[Row], month: date) -> list[Row]:
    """Townships in force in a month, and those that ended earlier in the year, guaranteed what had accrued."""
    here = [row for row in townships if row["month"] == month]
    codes = {row["township_code"] for row in here}
    for code in {row["township_code"] for row in townships} - codes:
        own = [row for row in townships if row["township_code"] == code and row["month"] < month]
        if own and (last := max(own, key=lambda row: row["month"]))["fiscal_year"] == month.year:
            gone = {**last, "guaranteed_annual_cny": last["guaranteed_ytd_cny"], "is_gone": True}
            if last["status"] in ("met", "short"):
                gap = last["guaranteed_ytd_cny"] - last["allocated_annual_cny"]
                gone |= {
                    "status": "short" if gap > 0 else "met",
                    "allocated_annual_cny": min(last["guaranteed_ytd_cny"], last["allocated_annual_cny"]),
                    "allocation_shortfall_cny": max(gap, Decimal(0)),
                    "allocation_surplus_cny": Decimal(0),
                }
            here.append(gone)
    return here


def total(units: list[Row], column: str) -> Decimal | None:
    known = [row[column] for row in units if row[column] is not None]
    return sum(known, Decimal(0)) if known else None


def share(part: Decimal | int | None, whole: Decimal | int | None) -> Decimal | None:
    if part is None or not whole:
        return None
    exact = Fraction(part) * 10_000 / Fraction(whole)
    return Decimal(int(exact + Fraction(1, 2))) / 100


def expected(units: list[Row]) -> Row:
    """The money of a roll-up, computed in fractions."""
    covered = [row for row in units if row["standard_id"]]
    judged = [row for row in covered if row["status"] in ("met", "short")]

    def is_to_date(row: Row, kind: str) -> bool:
        return row[f"{kind}_as_of_month"] == row["month"] and not row[f"{kind}_is_partial"]

    complete = [
        row for row in covered if row["guaranteed_ytd_cny"] is not None and is_to_date(row, "disbursed")
    ]
    others = [row for row in covered if row not in complete and row["disbursed_ytd_cny"] is not None]
    spending = [row for row in covered if is_to_date(row, "disbursed") and is_to_date(row, "spent")]
    compared = [row for row in covered if row["disbursement_shortfall_ytd_cny"] is not None]
    made: Row = {
        "units_count": len([row for row in units if "is_gone" not in row]),
        "ended_count": len([row for row in covered if "is_gone" in row]),
        "covered_count": len(covered),
        "judged_count": len(judged),
        "short_count": len([row for row in judged if row["status"] == "short"]),
        "guaranteed_of_covered_cny": total(covered, "guaranteed_annual_cny"),
        "guaranteed_of_judged_cny": total(judged, "guaranteed_annual_cny"),
        "allocated_of_judged_cny": total(judged, "allocated_annual_cny"),
        "allocation_shortfall_of_judged_cny": total(judged, "allocation_shortfall_cny"),
        "allocation_surplus_of_judged_cny": total(judged, "allocation_surplus_cny"),
        "complete_count": len(complete),
        "guaranteed_of_complete_cny": total(complete, "guaranteed_annual_cny"),
        "guaranteed_ytd_of_complete_cny": total(complete, "guaranteed_ytd_cny"),
        "disbursed_of_complete_cny": total(complete, "disbursed_ytd_cny"),
        "partly_paid_count": len(others),
        "disbursed_of_partly_cny": total(others, "disbursed_ytd_cny"),
        "disbursement_shortfall_of_compared_cny": total(compared, "disbursement_shortfall_ytd_cny"),
        "spent_of_spending_cny": total(spending, "spent_ytd_cny"),
    }
    made["adequacy_of_judged_pct"] = share(made["allocated_of_judged_cny"], made["guaranteed_of_judged_cny"])
    made["disbursed_of_complete_pct"] = share(
        made["disbursed_of_complete_cny"], made["guaranteed_ytd_of_complete_cny"]
    )
    made["progress_of_complete_pct"] = share(
        made["disbursed_of_complete_cny"], made["guaranteed_of_complete_cny"]
    )
    return made


def test_every_roll_up_is_that_of_the_townships_it_names(sql: duckdb.DuckDBPyConnection) -> None:
    townships = rows(sql, "select * from funding_gap_monthly")
    found = rows(sql, "select * from detail.unit_monthly")
    assert {row["unit_level"] for row in found} == set(LEVELS)
    for row in found:
        prefix = row["unit_code"][: LEVELS[row["unit_level"]]]
        of_unit = [unit for unit in townships if unit["township_code"].startswith(prefix)]
        made = expected(added(of_unit, row["month"]))
        assert {name: row[name] for name in made} == made, (row["unit_code"], row["month"])


def test_a_silent_township_weighs_neither_as_nought_nor_as_paid(sql: duckdb.DuckDBPyConnection) -> None:
    (june,) = rows(sql, "select * from detail.unit_monthly where unit_code = ? and month = ?", TONGXIN, JUNE)
    # 足额镇 40,000 and 停报镇 40,000 and 欠拨镇 70,000 for the year; 撤销乡 had 17,500 when it ended, of 50,000 budgeted.
    assert june["guaranteed_of_judged_cny"] == Decimal(40_000 + 40_000 + 70_000 + 17_500)
    assert june["allocated_of_judged_cny"] == Decimal(40_000 + 36_000 + 70_000 + 17_500)
    assert june["guaranteed_of_covered_cny"] == june["guaranteed_of_judged_cny"] + 100_000
    # What 停报镇 paid until February is told beside, and divided by nobody's guarantee.
    assert june["disbursed_of_complete_cny"] == Decimal(3_400 * 6 + 2_000 * 3 + 1_000 * 6)
    assert june["guaranteed_ytd_of_complete_cny"] == Decimal(20_000 + 17_500 + 35_000)
    assert june["disbursed_of_partly_cny"] == Decimal(3_000 * 2 + 600 * 6)


def test_a_total_over_nothing_known_is_unknown(sql: duckdb.DuckDBPyConnection) -> None:
    (june,) = rows(sql, "select * from detail.unit_monthly where unit_code = ? and month = ?", LULONG, JUNE)
    assert june["units_count"] == 1
    for metric in METRICS.values():
        if metric.unit == "元":
            assert june[metric.key] is None, metric.key
            assert metric.text(june) in (show.STATES["no_standard"], show.NONE), metric.key


def elements(node: Any, kind: str) -> list[Row]:
    """All elements of a kind in a page as the browser gets it."""
    if isinstance(node, list):
        return [found for item in node for found in elements(item, kind)]
    if not isinstance(node, dict):
        return []
    own = [node["props"]] if node.get("type") == kind else []
    return own + elements(node.get("props", {}).get("children"), kind)


def words(node: Any) -> str:
    """The text of an element."""
    if isinstance(node, list):
        return "".join(words(item) for item in node)
    return words(node.get("props", {}).get("children")) if isinstance(node, dict) else str(node or "")


def cards(warehouse: Warehouse, path: str, unit: str, month: date) -> list[tuple[str, str, str]]:
    """Key, label and figure of each card of a page."""
    state = replace(read_state(path, f"?unit={unit}" if unit else ""), month=month)
    page = json.loads(to_json(pages()[path].render(View(warehouse, EVERYTHING, state, "light"))))
    found = []
    for props in [*elements(page, "Div"), *elements(page, "A")]:
        if props.get("className") == "kpi":
            label, value = (
                next(
                    words(item["children"])
                    for item in elements(props["children"], "Span")
                    if name in item["className"]
                )
                for name in ("kpi-label", "kpi-value")
            )
            found.append((props.get("data-name", ""), label, value))
    return found


@pytest.fixture(scope="module")
def warehouse(world: DataFolder) -> Warehouse:
    shelf = Shelf(world)
    edition_id = shelf.current_id()
    assert edition_id is not None
    return shelf.warehouse(edition_id)


@pytest.mark.parametrize(
    "unit", ["", "640000", "640300", TONGXIN, "130000", LULONG, "640324100", "640324104"]
)
def test_the_same_name_is_the_same_figure_on_every_page(
    warehouse: Warehouse, sql: duckdb.DuckDBPyConnection, unit: str
) -> None:
    for month in (date(2025, 1, 1), date(2025, 3, 1), JUNE):
        told: dict[str, set[str]] = {}
        for path in pages():
            for key, label, value in cards(warehouse, path, unit, month):
                told.setdefault(label, set()).add(value)
                if key in METRICS and len(unit) <= 6:
                    (row,) = rows(
                        sql,
                        "select * from detail.unit_monthly where unit_code = ? and month = ?",
                        unit or "000000",
                        month,
                    )
                    assert (label, value) == (METRICS[key].title, METRICS[key].text(row)), (path, month)
        assert {label: values for label, values in told.items() if len(values) > 1} == {}


def test_the_run_says_what_the_roll_up_says(world: DataFolder, sql: duckdb.DuckDBPyConnection) -> None:
    (country,) = rows(
        sql, "select * from detail.unit_monthly where unit_level = 'country' and month = ?", JUNE
    )
    said = (world.root / "run.txt").read_text("utf-8")
    for key in (
        "short_count",
        "allocation_shortfall_of_judged_cny",
        "disbursement_shortfall_of_compared_cny",
    ):
        assert f"{METRICS[key].title} {METRICS[key].text(country, named=True)}" in said


def test_the_report_says_it_in_all_four_formats(world: DataFolder, sql: duckdb.DuckDBPyConnection) -> None:
    (june,) = rows(sql, "select * from detail.unit_monthly where unit_code = ? and month = ?", TONGXIN, JUNE)
    wording = load(DataFolder(Path("/nonexistent")), TONGXIN)
    with open_edition(world) as connection:
        facts = gather(connection, JUNE, TONGXIN)
        report = build(facts, wording, FIRST, CALENDAR)
    assert facts.totals.guaranteed == june["guaranteed_of_judged_cny"]
    assert facts.totals.progress == june["progress_of_complete_pct"]
    files = render(report, wording, ("docx", "pdf", "xlsx", "html"))
    tables = reading.html_tables(files["html"]).values()
    texts = {
        "docx": reading.docx_text(files["docx"]),
        "pdf": reading.squeezed(reading.pdf_text(files["pdf"])),
        "html": "\n".join(
            [
                *reading.html_paragraphs(files["html"]),
                *(cell for table in tables for row in table for cell in row),
            ]
        ),
    }
    numbers = {
        Decimal(str(cell.value))
        for sheet in reading.xlsx(files["xlsx"]).worksheets
        for line in sheet.iter_rows()
        for cell in line
        if isinstance(cell.value, (int, float)) and not isinstance(cell.value, bool)
    }
    for key in (
        "guaranteed_of_judged_cny",
        "allocated_of_judged_cny",
        "allocation_shortfall_of_judged_cny",
        "adequacy_of_judged_pct",
        "disbursed_of_complete_cny",
        "disbursed_of_complete_pct",
    ):
        told = (METRICS[key].text(june, "wan"), METRICS[key].text(june, "yuan"))
        for form, text in texts.items():
            assert any(item in text for item in told), (key, form, told)
        assert june[key] in numbers, key
