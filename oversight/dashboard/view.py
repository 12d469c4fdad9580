"""What a page is asked to show, to whom, and from which edition."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from oversight.dashboard import queries
from oversight.dashboard.access import Scope
from oversight.dashboard.queries import ALL, Ask
from oversight.dashboard.shelf import Shelf
from oversight.dashboard.state import State
from oversight.dashboard.warehouse import Row, Warehouse
from oversight.presentation import Theme

T = TypeVar("T")


@dataclass(frozen=True)
class View:
    """What a page is asked to show, to whom, and from which edition; `shelf` has the other editions."""

    warehouse: Warehouse
    scope: Scope
    state: State
    theme: Theme
    ask: Ask = ALL
    shelf: Shelf | None = None
    # What the parts of one page make more than once, by name.
    _made: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, name: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once for all parts of the page."""
        if name not in self._made:
            self._made[name] = make()
        made: T = self._made[name]
        return made

    @property
    def month(self) -> Any:
        """The month shown."""
        return self.state.month

    @property
    def unit_name(self) -> str:
        """The name of the unit shown."""
        return queries.unit_name(self.warehouse, self.scope, self.state.unit) or self.state.unit

    def previous_month(self) -> Any:
        """The month before, when the edition has it."""
        earlier = [month for month in self.warehouse.months if month < self.month]
        return earlier[-1] if earlier else None

    def last_months(self, number: int) -> list[Any]:
        """The months up to the one shown."""
        return [month for month in self.warehouse.months if month <= self.month][-number:]

    def roll_ups(self, of: Iterable[str], months: Sequence[Any]) -> dict[Any, Row]:
        """What these figures of the unit shown are made of, by month; none of a township."""
        if len(self.state.prefix) > 6:
            return {}
        return by_month(queries.units(self.warehouse, self.scope, self.state.prefix, 0, months, of))

    def unit_href(self, code: str, **changes: Any) -> str:
        """Where a unit leads: deeper into this page, or to the township's own."""
        padded = queries.padded(code)
        if len(padded) > 6:
            return self.state.href("/township", unit=padded)
        return self.state.href(unit=padded, **changes)


def by_month(rows: Sequence[Row]) -> dict[Any, Row]:
    """Rows by their month."""
    return {row["month"]: row for row in rows}
