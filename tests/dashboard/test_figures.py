"""Charts are plain dictionaries; plotly's own objects, too slow for a callback, say here whether they are right."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest
from dash._utils import to_json

from oversight import presentation as show
from oversight.dashboard import figures, queries
from oversight.dashboard.access import EVERYTHING
from oversight.dashboard.pages import funding, pages
from oversight.dashboard.state import read_state
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Warehouse

ADDRESSES = [
    (path, search) for path in pages() for search in ("", "?unit=360313&money=yuan", "?month=2024-02")
]
ADDRESSES += [("/township", "?unit=360313105"), ("/funding", "?rule=C-11"), ("/", "?unit=640324101")]


def drawn(warehouse: Warehouse, path: str, search: str, theme: show.Theme = "light") -> list[Any]:
    """A page's elements as the browser gets them."""
    state = read_state(path, search)
    state = replace(state, month=state.month or warehouse.months[-1])
    content: list[Any] = json.loads(to_json(pages()[path].render(View(warehouse, EVERYTHING, state, theme))))
    return content


def elements(node: Any, kind: str) -> list[dict[str, Any]]:
    """All elements of a kind."""
    if isinstance(node, list):
        return [found for item in node for found in elements(item, kind)]
    if not isinstance(node, dict):
        return []
    own = [node["props"]] if node.get("type") == kind else []
    return own + elements(node.get("props", {}).get("children"), kind)


@pytest.mark.parametrize(("path", "search"), ADDRESSES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_figure_is_one_plotly_accepts(
    warehouse: Warehouse, path: str, search: str, theme: show.Theme
) -> None:
    for graph in elements(drawn(warehouse, path, search, theme), "Graph"):
        go.Figure(graph["figure"])
        assert graph["config"]["locale"] == "zh-CN"
        assert graph["style"]["height"].endswith("px")


@pytest.mark.parametrize(("path", "search"), ADDRESSES)
def test_every_table_has_its_own_rows_and_columns(warehouse: Warehouse, path: str, search: str) -> None:
    for grid in elements(drawn(warehouse, path, search), "AgGrid"):
        keys = [row["_id"] for row in grid["rowData"]]
        assert len(keys) == len(set(keys)), grid["id"]
        titles = [column["headerName"] for column in grid["columnDefs"]]
        assert len(titles) == len(set(titles)), titles
        # A title without a Chinese character is a column whose comment is missing.
        assert all(any("\u4e00" <= letter <= "\u9fff" for letter in title) for title in titles), titles
        assert grid["id"]["name"] in pages()[path].tables


@pytest.mark.parametrize(("path", "search"), ADDRESSES)
def test_no_link_is_dead(warehouse: Warehouse, path: str, search: str) -> None:
    links = [item["href"] for item in elements(drawn(warehouse, path, search), "A")]
    for grid in elements(drawn(warehouse, path, search), "AgGrid"):
        links += [row["_href"] for row in grid["rowData"] if "_href" in row]
    for graph in elements(drawn(warehouse, path, search), "Graph"):
        for trace in graph["figure"]["data"]:
            flat = [
                item
                for row in trace.get("customdata") or []
                for item in (row if isinstance(row, list) else [row])
            ]
            links += [item for item in flat if item]
    parts = {item.get("data-name") for item in elements(drawn(warehouse, path, search), "Section")}
    for link in set(links):
        if link.startswith("#"):
            assert link[1:] in parts, link
            continue
        target = link.partition("?")[0]
        assert target in pages() or target.startswith(("/returned/", "/brief", "/source/", "/document/")), (
            link
        )


def test_a_gap_of_a_few_yuan_is_seen() -> None:
    from decimal import Decimal

    row = {
        "name": "甲镇",
        "href": "/",
        "guaranteed": Decimal("52802.64"),
        "allocated": Decimal("52800.00"),
        "shortfall": Decimal("2.64"),
    }
    traces = figures.dumbbell([row], "wan", "light")["data"]
    assert any("缺 2.64 元" in text for trace in traces for text in trace.get("text") or [])


def test_the_standard_shown_first_is_one_that_binds_somebody(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = read_state("/funding", "?unit=360313&month=2025-12")
    view = View(warehouse, EVERYTHING, state, "light")
    ids = [rule["standard_id"] for rule in funding._rules(view)[0]]
    assert ids[0] == "A-10"
    # Where a county's own rule asks for more, the province's applies and binds nobody.
    monkeypatch.setattr(queries, "standards_of", lambda *_: [{"standard_id": ids[-1], "n": 3}])
    assert funding._rules(view)[0][0]["standard_id"] == ids[-1]
