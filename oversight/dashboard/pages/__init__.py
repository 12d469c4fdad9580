"""The pages. A module in this package that offers `PAGE` is a page; there is no other list of them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from oversight.accounts.roles import Action
from oversight.dashboard.grids import Table
from oversight.dashboard.view import View
from oversight.settings import DataFolder


@dataclass(frozen=True)
class Page:
    """One page: where it lies, what it is called, how it is made, and the tables that can be taken from it.

    `tables` maps a table's name to a function that gives it with at most so many rows (None: all). A page that
    is not `in_navigation` is reached from others.
    """

    path: str
    title: str
    icon: str
    order: int
    render: Callable[[View], list[Any]]
    tables: Mapping[str, Callable[[View, int | None], Table]] = field(default_factory=dict)
    in_navigation: bool = True
    # What a page shows may be kept as long as its edition, unless it shows something else besides;
    is_of_edition: bool = True
    # or for as long as what lies beside the edition stays as it is, of which this tells the state.
    beside: Callable[[DataFolder], Sequence[int]] = lambda _: ()
    # What a role must be allowed in order to use it.
    needs: Action = "look"


@cache
def pages() -> dict[str, Page]:
    """Every page by its path, in the order of the navigation."""
    found = [
        importlib.import_module(f"{__name__}.{module.name}").PAGE
        for module in pkgutil.iter_modules(__path__)
        if not module.name.startswith("_")
    ]
    return {page.path: page for page in sorted(found, key=lambda page: page.order)}
