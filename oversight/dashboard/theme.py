"""Colours of charts for each theme, and how a chart looks before it has data. Pages take colours from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from oversight.presentation import Theme

FONT = (
    '"Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", '
    '"WenQuanYi Micro Hei", system-ui, sans-serif'
)


@dataclass(frozen=True)
class Palette:
    """Colours of one theme."""

    text: str
    muted: str
    grid: str
    surface: str
    # The surface, of which what lies behind is still seen.
    veil: str
    guaranteed: str
    allocated: str
    disbursed: str
    spent: str
    shortfall: str
    shortfall_soft: str
    good: str
    accent: str
    band: tuple[str, ...]
    scale: tuple[tuple[float, str], ...]
    empty: str
    nothing: str


LIGHT = Palette(
    text="#1c2733",
    muted="#56637a",
    grid="#e6eaf0",
    surface="#ffffff",
    veil="rgba(255,255,255,0.72)",
    guaranteed="#3d4a5c",
    allocated="#1f5fa8",
    disbursed="#0f766e",
    spent="#8a5a00",
    shortfall="#b93a0b",
    shortfall_soft="#f6b892",
    good="#0f766e",
    accent="#1f4e8c",
    band=("#f6f8fb", "#eceff4", "#e1e6ee", "#d6dde8"),
    scale=((0.0, "#a8290a"), (0.4, "#ef8a52"), (0.7, "#fbe3c4"), (0.9, "#cfe7e2"), (1.0, "#0f766e")),
    empty="#c3ccd7",
    nothing="#eef1f5",
)
DARK = Palette(
    text="#e6ecf3",
    muted="#a6b4c5",
    grid="#2b3746",
    surface="#18212d",
    veil="rgba(24,33,45,0.72)",
    guaranteed="#c5d0dd",
    allocated="#7db3f5",
    disbursed="#5eead4",
    spent="#fcd34d",
    shortfall="#fb923c",
    shortfall_soft="#8a4a22",
    good="#5eead4",
    accent="#8ab4f8",
    band=("#1b2532", "#202c3b", "#263445", "#2c3c50"),
    scale=((0.0, "#f0652f"), (0.4, "#b8562b"), (0.7, "#6d5a45"), (0.9, "#2f6d67"), (1.0, "#2bb5a0")),
    empty="#4a5868",
    nothing="#232d39",
)


def palette(theme: Theme) -> Palette:
    """The palette of a theme."""
    return DARK if theme == "dark" else LIGHT


def axis(theme: Theme, **changes: Any) -> dict[str, Any]:
    """An axis: thin grid, no line of nought, room for labels."""
    colours = palette(theme)
    base: dict[str, Any] = {
        "gridcolor": colours.grid,
        "zeroline": False,
        "automargin": True,
        "linecolor": colours.grid,
        "tickfont": {"size": 12, "color": colours.muted},
        "title": {"font": {"size": 12, "color": colours.muted}, "standoff": 8},
        "fixedrange": True,
    }
    title = changes.pop("title", None)
    if title:
        base["title"] = {**base["title"], "text": title}
    return base | changes


def layout(theme: Theme, **changes: Any) -> dict[str, Any]:
    """What every chart has in common."""
    colours = palette(theme)
    base: dict[str, Any] = {
        "font": {"family": FONT, "size": 12, "color": colours.text},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
        "hovermode": "closest",
        "hoverlabel": {
            "font": {"family": FONT, "size": 12, "color": colours.text},
            "bgcolor": colours.surface,
            "bordercolor": colours.grid,
            "align": "left",
        },
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "separators": ".,",
        "dragmode": False,
        "bargap": 0.35,
    }
    return base | changes
