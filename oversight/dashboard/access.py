"""What the one who asks may see. Everything, until there is sign-in; then it is cut here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """A set of division code prefixes: '' is the whole country, '36' a province, '360313' a county."""

    prefixes: tuple[str, ...]

    def covers(self, code: str) -> bool:
        """Whether a unit lies wholly inside."""
        return any(significant(code).startswith(prefix) for prefix in self.prefixes)

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
    """A division code without the pairs of zeros that stand for "all below": 360000 → 36."""
    if len(code) == 6:
        if code.endswith("0000"):
            return "" if code == "000000" else code[:2]
        if code.endswith("00"):
            return code[:4]
    return code


def scope_of_request() -> Scope:
    """The scope of whoever sent the request being answered."""
    return EVERYTHING
