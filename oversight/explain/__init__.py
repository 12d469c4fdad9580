"""How a figure came about, from an edition alone: the reported cells, the clause, the arithmetic, what was assumed.

`explain` answers for one subject and month, for one rule or for all that were judged. What it prints can be
followed with a pocket calculator: every line of arithmetic stands as `名称：算式 = 结果 单位`, with `×`, `÷`,
`−`, `+`, and says where a result was rounded or taken as zero. Dashboard and report show the same content.
"""

from oversight.explain.answer import explain
from oversight.explain.cells import COLUMN_TITLES, Read
from oversight.explain.model import Cell, ExplainError, Explanation, Line, RuleExplanation

__all__ = [
    "COLUMN_TITLES",
    "Cell",
    "ExplainError",
    "Explanation",
    "Line",
    "Read",
    "RuleExplanation",
    "explain",
]
