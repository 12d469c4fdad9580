"""What a shape of rule is: what it counts, which fields of the standards data it reads, and how its answer is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Explained = Literal["general", "funding", "payment", "staffing", "villages", "listed"]
Tiers = Literal["one", "by_population", "by_key"]

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Shape:
    """One way of judging, once: checks, labels, documentation and explanation read it here.

    `roles`: what its measures must be, one of these sets; `also`: roles that may stand beside. `columns`: the only
    data it counts, where that is fixed. `units`: of its tiers, where they are fixed. `reads`: the fields of a standard
    that only some shapes read; `tier_reads` and `measure_reads` (by role) likewise. `checked` and `expected`: how the
    figure and what is asked of it come about, with the operands of `detail.evidence` by name; blank where the figure
    is what was reported.
    """

    name: str
    label: str
    meaning: str
    explained: Explained = "general"
    roles: tuple[frozenset[str], ...] = (frozenset({"value"}),)
    also: frozenset[str] = NOTHING
    columns: frozenset[str] | None = None
    units: frozenset[str] | None = None
    tiers: Tiers = "one"
    reads: frozenset[str] = NOTHING
    tier_reads: frozenset[str] = NOTHING
    measure_reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    checked: str = ""
    expected: str = ""
    remark: str = ""

    @property
    def every_role(self) -> frozenset[str]:
        """The roles that its measures may have."""
        return frozenset().union(*self.roles, self.also)
