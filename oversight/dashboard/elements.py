"""Dash's element libraries without their generated types, which refuse `data-` and `aria-` attributes."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import dash
import dash_ag_grid
from dash.development.base_component import Component

# Of Mantine's two hundred kinds of elements, 12 MB and a sixth of the server's start.
MANTINE = ("InputWrapper", "MantineProvider", "MultiSelect", "SegmentedControl", "Select", "TextInput")


def _of_mantine() -> Any:
    """The kinds of elements that are used. The package imports all it has from a list of its own, which is kept empty;
    a browser is sent the same scripts."""
    package = "dash_mantine_components"
    everything = ModuleType(f"{package}._imports_")
    vars(everything)["__all__"] = []
    sys.modules.setdefault(everything.__name__, everything)
    found = {name: getattr(importlib.import_module(f"{package}.{name}"), name) for name in MANTINE}
    return SimpleNamespace(**found)


html: Any = dash.html
dcc: Any = dash.dcc
dmc: Any = _of_mantine()
dag: Any = dash_ag_grid


# Names of properties by kind of element: they stand in each element, and are the same in all of a kind.
_properties: dict[type[Component], frozenset[str]] = {}


def plain(value: Any) -> Any:
    """Elements as the dictionaries they are sent as; what holds none stays the very object it is.

    A page that is plain is written by orjson at once. Dash would otherwise walk through every cell of every table in
    Python, because an element somewhere is nothing that orjson knows.
    """
    if isinstance(value, Component):
        # As `Component.to_plotly_json` does it, which asks every property whether it was set.
        named = _properties.get(type(value)) or _properties.setdefault(
            type(value), frozenset(value._prop_names)
        )
        props = {
            name: plain(item)
            for name, item in vars(value).items()
            if name in named or name.startswith(("data-", "aria-"))
        }
        return {"props": props, "type": value._type, "namespace": value._namespace}
    if isinstance(value, (list, tuple)) and any(isinstance(item, (Component, list, tuple)) for item in value):
        return [plain(item) for item in value]
    return value
