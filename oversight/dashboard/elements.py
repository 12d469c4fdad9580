"""Dash's element libraries without their generated types, which refuse `data-` and `aria-` attributes."""

from __future__ import annotations

from typing import Any

import dash
import dash_ag_grid
import dash_mantine_components

html: Any = dash.html
dcc: Any = dash.dcc
dmc: Any = dash_mantine_components
dag: Any = dash_ag_grid
