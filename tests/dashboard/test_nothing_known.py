"""What a page says where nothing is known, or where a thing cannot be drawn: no comfort, no empty frame, no false word."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from typing import Any

from dash._utils import to_json

from oversight import presentation as show
from oversight.dashboard import figures, queries
from oversight.dashboard.access import EVERYTHING, Scope
from oversight.dashboard.components import _is_comparable
from oversight.dashboard.pages import overview, pages
from oversight.dashboard.pages.policy import tiers_table
from oversight.dashboard.state import read_state
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Warehouse
from oversight.metrics import METRICS, MOVED
from tests.dashboard.test_figures import drawn, elements

# A township that has a standard and reports nothing; a province without a standard for money.
SILENT, WITHOUT = "640324203", "130000"


def _text(node: Any) -> str:
    if isinstance(node, list):
        return " ".join(map(_text, node))
    if isinstance(node, dict):
        return _text(node.get("props", {}).get("children"))
    return str(node or "")


def _cards(warehouse: Warehouse, unit: str, **now: int) -> str:
    view = View(
        warehouse, EVERYTHING, replace(read_state("/", f"?unit={unit}"), month=warehouse.months[-1]), "light"
    )
    return _text(json.loads(to_json([overview._first(view, now), overview._doubts(view, now)])))


def test_nothing_found_is_no_comfort_where_nothing_was_judged(warehouse: Warehouse) -> None:
    said = _cards(warehouse, SILENT, covered_count=1, judged_count=0)
    assert "没有会改变达标结论的疑点" not in said
    assert "没有能够判定经费的乡镇，也就没有结论可改变" in said
    assert "没有资金、人员低于有约束力的标准的单位" not in said
    assert "没有报到能够判定" in said
    said = _cards(warehouse, WITHOUT, covered_count=0, judged_count=0)
    assert "没有会改变达标结论的疑点" not in said


def test_a_township_is_not_said_to_have_no_townships(warehouse: Warehouse) -> None:
    for path in ("/", "/funding"):
        content = drawn(warehouse, path, f"?unit={SILENT}")
        assert "没有在册的乡镇" not in _text(content)
        assert f"/township?unit={SILENT}" in str(elements(content, "A"))


def test_the_calendar_is_never_without_a_standard(warehouse: Warehouse) -> None:
    said = _text(drawn(warehouse, "/funding", f"?unit={WITHOUT}"))
    assert "时序进度 " not in said


def test_a_figure_without_a_month_has_none_beside_it(warehouse: Warehouse) -> None:
    said = _text(drawn(warehouse, "/township", f"?unit={SILENT}"))
    assert f"（{show.NONE}）" not in said


def test_a_chart_of_nothing_is_words(warehouse: Warehouse) -> None:
    graphs = elements(drawn(warehouse, "/township", f"?unit={SILENT}"), "Graph")
    assert "money" not in {graph["id"]["name"] for graph in graphs}
    for graph in graphs:
        assert any(value is not None for trace in graph["figure"]["data"] for value in trace["y"])


def test_months_without_a_change_are_words(warehouse: Warehouse) -> None:
    # In its first months of all a unit has nothing that is new or put right.
    content = drawn(warehouse, "/findings", "?unit=360313&month=2024-02")
    for graph in elements(content, "Graph"):
        assert any(value for trace in graph["figure"]["data"] for value in trace["y"])


def test_counts_have_whole_marks() -> None:
    months = [date(2025, month, 1) for month in range(1, 4)]
    figure = figures.month_bars(months, [("新增", [1, 0, 0], "#000")], "light", [""] * 3)
    assert figure["layout"]["yaxis"]["dtick"] == 1


def test_bars_of_a_single_state_say_which() -> None:
    rows = [{"name": "甲镇", "href": "", "not_reported": 1}]
    figure = figures.status_bars(rows, show.STATUS, "light")
    assert figure["layout"]["showlegend"] is True


def test_what_cannot_be_computed_is_not_called_not_reported() -> None:
    row = {"moved_ytd_cny": None, "units_count": 3, "closed_money_count": 2}
    assert MOVED["moved_ytd_cny"].of(row).state == "unsure"


def test_what_was_new_says_that_it_was_put_right_later(warehouse: Warehouse) -> None:
    found = [
        month
        for month in warehouse.months
        for row in queries.first_findings(warehouse, EVERYTHING, "", month, "new", 5)
        if row["status"] == "cleared"
    ]
    said = _text(drawn(warehouse, "/", f"?month={show.month_code(found[0])}"))
    assert "其后已整改" in said


def test_a_yes_or_no_is_not_one(warehouse: Warehouse) -> None:
    view = View(
        warehouse, EVERYTHING, replace(read_state("/policy", ""), month=warehouse.months[-1]), "light"
    )
    table = tiers_table(view)
    assert not [row["amount"] for row in table.rows if "是/否" in row["amount"]]
    assert {row["amount"] for row in table.rows if row["standard_id"] == "A-01"} == {"是"}


def test_no_title_tells_how_a_month_is_stored(warehouse: Warehouse) -> None:
    for path in pages():
        for grid in elements(drawn(warehouse, path, "?unit=360313"), "AgGrid"):
            assert not [c["headerName"] for c in grid["columnDefs"] if "1 日" in c["headerName"]]


def test_every_count_is_set_to_the_right(warehouse: Warehouse) -> None:
    for path, search in (
        ("/township", "?unit=360313103"),
        ("/findings", "?unit=360313"),
        ("/submissions", "?unit=360313"),
    ):
        for grid in elements(drawn(warehouse, path, search), "AgGrid"):
            for column in grid["columnDefs"]:
                texts = [row[column["field"]] for row in grid["rowData"]]
                numbers = [text for text in texts if re.fullmatch(r"[\d,]+(\.\d+)?", text)]
                is_count = numbers and all(text in ("—", "未报") or text in numbers for text in texts)
                if is_count and not column["field"].endswith(("code", "row_number")):
                    assert column.get("type") == "rightAligned", (
                        path,
                        json.dumps(column, ensure_ascii=False),
                    )


def test_the_first_month_of_all_is_no_bar(warehouse: Warehouse) -> None:
    content = drawn(warehouse, "/findings", "?unit=360313&month=2024-01")
    assert not elements(content, "Graph")
    assert "2024年1月是数据的第一个月" in _text(content)


def test_a_state_of_now_is_called_so_beside_a_month_that_is_over(warehouse: Warehouse) -> None:
    titles = []
    for month in ("2024-01", show.month_code(warehouse.months[-1])):
        grids = elements(drawn(warehouse, "/findings", f"?unit=360313&month={month}"), "AgGrid")
        (grid,) = (grid for grid in grids if grid["id"]["name"] == "findings")
        titles += [column["headerName"] for column in grid["columnDefs"] if column["field"] == "status"]
    assert titles == ["现状", "状态"]


def test_a_unit_without_a_figure_has_words_for_its_panel(warehouse: Warehouse) -> None:
    content = drawn(warehouse, "/compare", "?units=360313,130321")
    panels = [g for g in elements(content, "Graph") if g["id"]["name"].startswith("multiple")]
    assert len(panels) == 1
    said = _text(content)
    assert "没有可画的数：无适用标准" in said
    # What the axis is counted in is said, since the panels have no room for it.
    assert "保障率（%），各图同一纵轴" in said


def test_of_nothing_there_is_no_rate(warehouse: Warehouse) -> None:
    # Nothing paid and nothing spent in the first month, both reported.
    said = _text(drawn(warehouse, "/township", "?unit=360313105&month=2024-01"))
    assert "支出率 不适用" in said
    row = {"spent_of_spending_pct": None, "spent_of_spending_cny": 0, "disbursed_of_spending_cny": 0}
    counts = {"units_count": 1, "covered_count": 1, "spending_count": 1}
    assert METRICS["spent_of_spending_pct"].of({**row, **counts}).state == "not_applicable"
    unknown = {**row, "spent_of_spending_cny": None, "disbursed_of_spending_cny": None}
    assert METRICS["spent_of_spending_pct"].of({**unknown, **counts}).state == "not_reported"


def test_whoever_is_not_on_the_chart_is_counted(warehouse: Warehouse) -> None:
    assert "1 个乡镇没有报人口或安排数，不在图上" in _text(
        drawn(warehouse, "/funding", "?unit=640324&rule=C-11")
    )


def test_a_trend_runs_over_the_same_units() -> None:
    metric = METRICS["disbursement_shortfall_of_compared_cny"]
    now = {"compared_count": 200}
    assert _is_comparable(metric, {"compared_count": 200}, now)
    assert not _is_comparable(metric, {"compared_count": 2}, now)
    # One in fifty does not make the line rise or fall; of a county of ten one does.
    assert _is_comparable(metric, {"compared_count": 197}, now)
    assert not _is_comparable(metric, {"compared_count": 195}, now)
    assert not _is_comparable(metric, {"compared_count": 9}, {"compared_count": 10})
    assert _is_comparable(METRICS["missing_count"], {}, now)


def test_whoever_has_a_part_is_led_to_it(warehouse: Warehouse) -> None:
    state = replace(read_state("/", ""), month=warehouse.months[-1])
    for prefix, path in (("360313", "/?unit=360313"), (SILENT, f"/township?unit={SILENT}")):
        content = json.loads(to_json(overview.render(View(warehouse, Scope((prefix,)), state, "light"))))
        assert any(link["href"].startswith(path) for link in elements(content, "A")), prefix
        assert "您可以查看" in _text(content)
