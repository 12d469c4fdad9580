"""What somebody may see: the one meaning of a scope, for pages, queries, files and the SQL sandbox alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# What stands for the whole country in a list of division codes.
WHOLE = "000000"


@dataclass(frozen=True)
class Scope:
    """A set of division code prefixes: '' is the whole country, '36' a province, '360313' a county."""

    prefixes: tuple[str, ...]

    @classmethod
    def of(cls, codes: Iterable[str]) -> Scope:
        """The scope of whoever has these divisions; of nobody's divisions nothing."""
        prefixes = sorted({significant(code) for code in codes})
        return cls(
            tuple(
                own
                for own in prefixes
                if not any(own != other and own.startswith(other) for other in prefixes)
            )
        )

    @property
    def is_whole(self) -> bool:
        """Whether it leaves nothing out."""
        return "" in self.prefixes

    def covers(self, code: str) -> bool:
        """Whether a unit lies wholly inside."""
        return any(significant(code).startswith(prefix) for prefix in self.prefixes)

    def covers_all(self, codes: Iterable[str]) -> bool:
        """Whether every one of these units lies wholly inside."""
        return all(self.covers(code) for code in codes)

    def touches(self, code: str) -> bool:
        """Whether a unit lies inside, or holds something that does."""
        own = significant(code)
        return any(own.startswith(prefix) or prefix.startswith(own) for prefix in self.prefixes)

    @property
    def longest(self) -> int:
        """Digits of the longest prefix: says how fine the rows must be that the scope is applied to."""
        return max((len(prefix) for prefix in self.prefixes), default=0)


EVERYTHING = Scope(("",))


def significant(code: str) -> str:
    """A division code without the pairs of zeros that stand for "all below": 360000 → 36, 360300 → 3603."""
    if len(code) == 6:
        if code.endswith("0000"):
            return "" if code == WHOLE else code[:2]
        if code.endswith("00"):
            return code[:4]
    return code
