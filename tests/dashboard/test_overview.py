"""What the overview leads with, against SQL: the worst by amount times months, what moved, doubts that matter."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import duckdb
import openpyxl
import pytest

from oversight import presentation as show
from oversight.dashboard import queries
from oversight.dashboard.access import EVERYTHING, Scope
from oversight.dashboard.grids import NOT_ADDED, to_xlsx
from oversight.dashboard.pages.overview import render, units_table
from oversight.dashboard.state import read_state
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Warehouse
from oversight.metrics import MOVED


def _card(view: View, name: str) -> str:
    def text(node: Any) -> str:
        if isinstance(node, (list, tuple)):
            return " ".join(map(text, node))
        return str(node or "") if not hasattr(node, "children") else text(node.children)

    def found(node: Any) -> Any:
        if isinstance(node, (list, tuple)):
            return next((hit for item in node if (hit := found(item)) is not None), None)
        if getattr(node, "data-name", None) == name:
            return node
        return found(node.children) if getattr(node, "children", None) is not None else None

    return text(found(render(view)))


def _view(w: Warehouse, search: str) -> View:
    state = read_state("/", search)
    return View(w, EVERYTHING, replace(state, month=state.month or w.months[-1]), "light")


def test_what_is_first_is_worst_by_money_times_months(
    warehouse: Warehouse, sql: duckdb.DuckDBPyConnection
) -> None:
    asked = {"money": ("元", "元/年")}
    rows = queries.worst(warehouse, EVERYTHING, "360313", warehouse.months[-1], asked, 7)["money"]
    expected = sql.execute(
        "select f.subject_code, f.rule_id, f.shortfall * f.months_open as weight from findings as f "
        "inner join standards as s on f.rule_id = s.standard_id "
        "inner join policy_documents as d on s.document_id = d.document_id "
        "where f.status = 'short' and f.unit = '元' and starts_with(f.subject_code, '360313') "
        "and d.force = 'binding' and s.gradeable = 'Y' and not f.is_minor and not f.is_exempt order by weight desc"
    ).fetchall()
    assert [(row["subject_code"], row["rule_id"], row["weight"]) for row in rows] == expected[:7]
    said = _card(_view(warehouse, "?unit=360313"), "first")
    first = rows[0]
    assert f"差 {show.shortfall(first['shortfall'], '元')}，{first['months_open']} 个月" in said
    # Within the year, payments behind the calendar are told before December's rule answers.
    assert "今年拨付严重滞后" in _card(_view(warehouse, "?unit=360313&month=2025-06"), "first")


def test_the_heaviest_of_the_country_are_found_without_reading_all(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = {"money": ("元", "元/年"), "people": ("人", "名")}
    for month in warehouse.months:
        found = []
        # Few enough that most are left out, all, and so few that those are not enough.
        for heaviest in (3, 100_000, 1):
            monkeypatch.setattr(queries, "_HEAVIEST", heaviest)
            warehouse._results.clear()
            found.append(queries.worst(warehouse, EVERYTHING, "", month, kinds, 2))
        assert found[0] == found[1] == found[2]
        assert all(found[0].values())


def test_doubts_are_those_that_change_a_conclusion(
    warehouse: Warehouse, sql: duckdb.DuckDBPyConnection
) -> None:
    rows, total = queries.doubts(warehouse, EVERYTHING, "", warehouse.months[-1], 100)
    assert total == len(rows)
    edges = {row["township_code"] for row in rows if row["kind"] == "edge"}
    expected = sql.execute(
        "select township_code from funding_gap_monthly where month = ? and is_on_tier_edge "
        "and status = case when allocated_annual_cny < other_annual_cny then 'met' else 'short' end",
        [warehouse.months[-1]],
    ).fetchall()
    # Of four townships on an edge one would be judged otherwise by the other tier.
    assert edges == {code for (code,) in expected}
    assert len(edges) == 1
    assert "按另一档（2-5万人）应保障 13.20 万元" in _card(_view(warehouse, "?unit=360313"), "doubts")


def test_what_was_put_right_says_what_it_moved(warehouse: Warehouse, sql: duckdb.DuckDBPyConnection) -> None:
    moved = sql.execute(
        "select month, moved_cny from detail.moved_amounts where moved_cny is not null order by month limit 1"
    ).fetchall()
    month, amount = moved[0]
    said = _card(_view(warehouse, f"?month={month:%Y-%m}"), "news")
    assert f"到位 {show.money(amount, 'wan', named=True)}" in said


@pytest.mark.parametrize("month", ["2025-06-01", "2025-12-01"])
def test_whoever_sees_a_part_gets_that_part(warehouse: Warehouse, month: str) -> None:
    scope, when = Scope(("360313105",)), date.fromisoformat(month)
    rows = [
        *queries.worst(warehouse, scope, "", when, {"all": ("元", "人")}, 100)["all"],
        *queries.late(warehouse, scope, "", when, 100),
    ]
    assert {row["subject_code"][:9] for row in rows} == {"360313105"}
    doubts, _ = queries.doubts(warehouse, scope, "", when, 100)
    assert all(row["township_code"] == "360313105" for row in doubts)


def test_what_moved_and_cannot_be_told_was_not_unreported() -> None:
    row = {
        "units_count": 3,
        "closed_money_count": 2,
        "moved_ytd_cny": None,
        "moved_allocated_ytd_cny": None,
        "moved_disbursed_ytd_cny": None,
    }
    for name in ("moved_ytd_cny", "moved_allocated_ytd_cny", "moved_disbursed_ytd_cny"):
        assert MOVED[name].text(row) == "算不出"
        assert MOVED[name].text({**row, "closed_money_count": 0}) == show.NONE


def test_the_sums_of_the_units_are_the_cards_above_them(
    warehouse: Warehouse, sql: duckdb.DuckDBPyConnection
) -> None:
    """A total is of the units it runs over: those known in part, unjudged or without a standard stand beside it."""
    left_out = 0
    found = sql.execute(
        "select distinct county_code, month from funding_gap_monthly as f where not exists ("
        # Of those that ended in the year the table has no row.
        "select 1 from detail.unit_monthly as u where u.unit_code = f.county_code and u.month = f.month "
        "and u.ended_count > 0) order by all"
    ).fetchall()
    for county, month in found:
        table = units_table(_view(warehouse, f"?unit={county}&month={month:%Y-%m}"))
        named = [column.field for column in table.columns if column.unit == "元"]
        expected = sql.execute(
            f"select {', '.join(named)} from detail.unit_monthly where unit_code = ? and month = ?",
            [county, month],
        ).fetchall()[0]
        for total in table.sums():
            shown = tuple(total.values[name] for name in named)
            assert shown == expected, (county, month, dict(zip(named, shown, strict=True)))
        left_out += bool(table.told_of_sums())
    assert left_out


def test_a_file_says_which_amounts_are_not_whole_and_adds_the_others(
    warehouse: Warehouse, sql: duckdb.DuckDBPyConnection
) -> None:
    # 腊市镇 has told its payments up to April.
    table = units_table(_view(warehouse, "?unit=360313&month=2025-05"))
    data = to_xlsx(table, "yuan", ["表", "地区", "来源"])
    stored, formulas = (openpyxl.load_workbook(io.BytesIO(data), data_only=it).active for it in (True, False))
    heads = [str(cell.value) for cell in stored[4]]
    paid, said = heads.index("本年已拨付（元）"), heads.index("本年已拨付的说明")
    rows = {str(row[0]): row for row in stored.iter_rows(min_row=5, values_only=True)}
    assert (rows["腊市镇"][paid], rows["腊市镇"][said]) == (17600, f"不全，{NOT_ADDED}")
    assert {row[said] for name, row in rows.items() if name not in ("腊市镇", "合计")} <= {"", None}
    card = sql.execute(
        "select disbursed_of_complete_cny from detail.unit_monthly where unit_code = '360313' and month = '2025-05-01'"
    ).fetchall()[0][0]
    assert Decimal(str(rows["合计"][paid])) == card
    below = next(row for row in formulas.iter_rows(values_only=True) if row[0] == "合计")
    assert below[paid].startswith("=SUMPRODUCT(ISERROR(FIND(")
    assert below[heads.index("安排缺口（元）")].startswith("=SUBTOTAL(109,")


def test_a_unit_that_was_renamed_is_one_unit_in_both_months(
    warehouse: Warehouse, sql: duckdb.DuckDBPyConnection
) -> None:
    ((old, new, since),) = sql.execute(
        "select t.township_code, t.successor_code, n.valid_from from townships as t "
        "inner join townships as n on t.successor_code = n.township_code and t.unit_id = n.unit_id"
    ).fetchall()
    before = max(month for month in warehouse.months if month < since)
    moved, number = queries.movers(warehouse, EVERYTHING, new[:6], before, since, "disbursed_ytd_cny", 1000)
    paid = dict(
        sql.execute(
            "select month, disbursed_ytd_cny from funding_gap_monthly where township_code in (?, ?)",
            [old, new],
        ).fetchall()
    )
    assert {row["code"]: row["change"] for row in moved}[new] == paid[since] - paid[before]
    assert len(moved) == number
    # By the same rule whose gap grew: the sample has none renamed of whom that is true.
    for earlier, month in pairwise(warehouse.months):
        grown = {
            row["township_code"]: row["growth_cny"]
            for row in queries.got_worse(warehouse, EVERYTHING, "", month, earlier, None)
        }
        expected = sql.execute(
            "with own as (select f.*, t.unit_id from funding_gap_monthly as f "
            "inner join townships as t on f.township_code = t.township_code) "
            "select b.township_code, b.allocation_shortfall_cny - a.allocation_shortfall_cny "
            "from own as a inner join own as b on a.unit_id = b.unit_id where a.month = ? and b.month = ? "
            "and b.allocation_shortfall_cny > a.allocation_shortfall_cny",
            [earlier, month],
        ).fetchall()
        assert grown == dict(expected)
