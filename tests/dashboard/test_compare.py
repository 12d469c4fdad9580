"""对比: units, months and editions side by side; the figures are those of SQL, and the address carries all of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from oversight import presentation as show
from oversight.dashboard import queries
from oversight.dashboard.access import EVERYTHING, Scope
from oversight.dashboard.grids import to_csv
from oversight.dashboard.pages.compare import COMPARED, compared_table, render
from oversight.dashboard.state import read_state
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Warehouse
from oversight.metrics import METRICS


def _view(w: Warehouse, search: str, scope: Scope = EVERYTHING) -> View:
    state = read_state("/compare", search)
    month = state.month if state.month in w.months else w.months[-1]
    return View(w, scope, replace(state, month=month), "light")


def _roll_up(sql: duckdb.DuckDBPyConnection, unit: str, month: Any) -> dict[str, Any]:
    cursor = sql.execute("select * from detail.unit_monthly where unit_code = ? and month = ?", [unit, month])
    names = [item[0] for item in cursor.description or ()]
    return dict(zip(names, cursor.fetchall()[0], strict=True))


def test_units_side_by_side_equal_sql(warehouse: Warehouse, sql: duckdb.DuckDBPyConnection) -> None:
    units = ["360313", "640324", "222403"]
    table = compared_table(_view(warehouse, f"?units={','.join(units)}"))
    rows = {row["_id"]: row for row in table.grid_rows("yuan")}
    roll_ups = [_roll_up(sql, unit, warehouse.months[-1]) for unit in units]
    for key in COMPARED:
        for place, roll_up in enumerate(roll_ups):
            assert rows[key][f"value_{place}"] == METRICS[key].text(roll_up, "yuan"), key
    gaps = [roll_up["allocation_shortfall_of_judged_cny"] for roll_up in roll_ups]
    told = rows["allocation_shortfall_of_judged_cny"]
    assert told["difference_1"] == show.signed(show.money(gaps[1] - gaps[0], "yuan"))
    # No standard of funding covers 敦化市: there is nothing to subtract.
    assert told["value_2"] == "无适用标准"
    assert told["difference_2"] == show.NONE
    assert told["reason"].endswith("敦化市：无适用标准")
    assert "老关镇" in told["reason"]


def test_months_side_by_side_say_who_moved(warehouse: Warehouse, sql: duckdb.DuckDBPyConnection) -> None:
    table = compared_table(_view(warehouse, "?by=months&with=2025-06&unit=360313&month=2025-12"))
    rows = {row["_id"]: row for row in table.grid_rows("yuan")}
    names = [column.title for column in table.columns]
    assert names[2:5] == ["2025年6月", "2025年12月", "差"]
    key = "allocated_of_judged_cny"
    then, now = (_roll_up(sql, "360313", month)[key] for month in ("2025-06-01", "2025-12-01"))
    assert rows[key]["difference_1"] == show.signed(show.money(now - then, "yuan"))
    moved = sql.execute(
        "select a.township_name, a.allocated_annual_cny - b.allocated_annual_cny from funding_gap_monthly as a "
        "inner join funding_gap_monthly as b on a.township_code = b.township_code and b.month = '2025-06-01' "
        "where a.month = '2025-12-01' and starts_with(a.township_code, '360313') "
        "and a.allocated_annual_cny <> b.allocated_annual_cny"
    ).fetchall()
    assert moved
    assert sum(change for _, change in moved) == now - then
    for name, change in moved:
        assert f"{name} {show.signed(show.money(change, 'wan', named=True))}" in rows[key]["reason"]


def test_a_township_is_compared_by_its_own_figures(
    warehouse: Warehouse, sql: duckdb.DuckDBPyConnection
) -> None:
    table = compared_table(_view(warehouse, "?units=360313101,360313105"))
    row = next(row for row in table.rows if row["key"] == "guaranteed_of_judged_cny")
    expected = dict(
        sql.execute(
            "select township_code, guaranteed_annual_cny from funding_gap_monthly where month = ? "
            "and township_code in ('360313101', '360313105')",
            [warehouse.months[-1]],
        ).fetchall()
    )
    assert [row["value_0"].value, row["value_1"].value] == [expected["360313101"], expected["360313105"]]
    assert row["difference_1"] == Decimal(expected["360313105"]) - Decimal(expected["360313101"])


def test_a_unit_that_bears_another_code_is_compared_with_itself(
    warehouse: Warehouse, sql: duckdb.DuckDBPyConnection
) -> None:
    # 龙王庙乡 became 龙王庙镇, under a new code, in July.
    amounts = dict(
        sql.execute(
            "select month, allocated_annual_cny from funding_gap_monthly "
            "where township_code in ('130321201', '130321111') and month in ('2025-03-01', '2025-12-01')"
        ).fetchall()
    )
    table = compared_table(_view(warehouse, "?by=months&unit=130321111&month=2025-12&with=2025-03"))
    row = next(row for row in table.rows if row["key"] == "allocated_of_judged_cny")
    assert [row["value_0"].value, row["value_1"].value] == [amount for _, amount in sorted(amounts.items())]
    assert None not in amounts.values()
    # Its lines begin before it bore this code.
    assert [row["month"] for row in queries.unit_months(warehouse, EVERYTHING, "130321111")] == list(
        warehouse.months
    )
    by_unit = compared_table(_view(warehouse, "?units=130321111,130321105&month=2025-03"))
    assert by_unit.rows


def test_an_amount_known_in_part_is_said_so_and_differs_from_nothing(warehouse: Warehouse) -> None:
    # 腊市镇 has told its payments up to April.
    table = compared_table(_view(warehouse, "?units=360313101,360313104&month=2025-05"))
    by_key = {row["key"]: row for row in table.rows}
    row = by_key["disbursed_of_complete_cny"]
    place = next(n for n in (0, 1) if row[f"value_{n}"].state == "partial")
    shown = {column.field: column.shown(row, "wan") for column in table.columns}
    assert shown[f"value_{place}"] == "1.76（不全）"
    assert row["difference_1"] is None
    assert shown["difference_1"] == show.NONE
    assert by_key["allocated_of_judged_cny"]["difference_1"] is not None
    file = to_csv(table, "yuan", ["地区", "来源"]).decode("utf-8-sig")
    assert any("17600,不全" in line for line in file.splitlines())


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("", "选两到六个单位"),
        ("?units=360313", "选两到六个单位"),
        ("?units=360313,999999,640324", "没有区划代码为 999999 的单位"),
        ("?units=360313,640324,222403,130000,220000,360000,640000", "比前 6 个"),
        ("?by=months&with=2031-01&unit=360313", "没有“2031-01”这个月份的数据"),
        ("?by=editions&older=20990101-000000", "已经清理"),
        ("?by=editions", "选另一个数据版本"),
        ("?by=months&month=2024-01&unit=360313", "选另一个月份"),
    ],
)
def test_what_cannot_be_compared_is_said(warehouse: Warehouse, search: str, words: str) -> None:
    assert words in _text(render(_view(warehouse, search)))


def _text(node: Any) -> str:
    if isinstance(node, (list, tuple)):
        return " ".join(map(_text, node))
    return str(node) if not hasattr(node, "children") else _text(node.children)


def test_whoever_sees_a_part_of_a_county_gets_no_total_of_it(warehouse: Warehouse) -> None:
    view = _view(warehouse, "?units=360313,640324", Scope(("360313101", "640324")))
    assert "只有一部分在您的权限之内" in _text(render(view))
