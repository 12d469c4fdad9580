"""The shapes of rules, each described once: what it counts, which fields it reads, its unit, label and arithmetic."""

from oversight.standards.shapes.catalogue import (
    GENERAL,
    MONEY,
    ROLES,
    SELECTIVE,
    SELECTIVE_OF_MEASURES,
    SELECTIVE_OF_TIERS,
    SHAPES,
)
from oversight.standards.shapes.shape import Shape

__all__ = [
    "GENERAL",
    "MONEY",
    "ROLES",
    "SELECTIVE",
    "SELECTIVE_OF_MEASURES",
    "SELECTIVE_OF_TIERS",
    "SHAPES",
    "Shape",
]
