"""Equal mistakes as one instruction: a clerk mends a column, not its cells one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from oversight.intake.reading.grid import ranges_of
from oversight.intake.sending_back.remarks import Remark

# So many values and rows are named; the comments at the cells have each.
SHOWN = 5
# A question about a heading is answered for that heading.
_ABOUT_HEADINGS = frozenset(("D61", "D62", "F60"))
_CELL = re.compile(r"([A-Z]+)(\d+)")


@dataclass(frozen=True)
class Instruction:
    """What is to be done once for remarks of one kind, column and reason, in the order of the file."""

    remarks: tuple[Remark, ...]

    @property
    def first(self) -> Remark:
        """The first of them."""
        return self.remarks[0]

    @property
    def count(self) -> int:
        """How many cells or rows it is about."""
        return len({r.cell or r.row_number for r in self.remarks})

    def cells(self, place: Callable[[Remark], str | None] = lambda r: r.cell) -> str:
        """The cells as ranges, D4:D9、D12; `place` says where a remark stands, if elsewhere than in the file."""
        found = [_CELL.fullmatch(cell) for remark in self.remarks if (cell := place(remark))]
        return ranges_of((_number(m[1]), int(m[2])) for m in found if m)

    @property
    def values_zh(self) -> str:
        """What stands there: each value once."""
        values = list(dict.fromkeys(r.value for r in self.remarks if r.value))
        return "、".join(values[:SHOWN]) + ("…" if len(values) > SHOWN else "")

    @property
    def message_zh(self) -> str:
        """What is wrong; where each cell has a figure of its own in the sentence, the first as an example."""
        if self.count == 1 or len({r.message_zh for r in self.remarks}) == 1:
            return self.first.message_zh
        return f"{self.first.message_zh}（同类共 {self.count} 处，这是第一处）"

    @property
    def where_zh(self) -> str:
        """Sheet and cells as the sender sees them."""
        if self.count == 1 or not self.first.cell:
            return self.first.where_zh
        sheet = f"工作表“{self.first.sheet}”" if self.first.sheet else ""
        return f"{sheet}单元格 {self.cells()}（{self.count} 处）"


def instructions(found: Sequence[Remark]) -> list[Instruction]:
    """The remarks of a file with equal ones put together."""
    groups: dict[tuple[str | None, ...], list[Remark]] = {}
    for remark in found:
        key: tuple[str | None, ...] = (
            remark.kind,
            remark.error_code,
            remark.sheet,
            remark.column_title,
            remark.what_to_do_zh,
        )
        if remark.cell is None or remark.error_code in _ABOUT_HEADINGS:
            # Said of a sheet, of the file or of one heading: it stands by itself.
            key = (*key, remark.message_zh)
        groups.setdefault(key, []).append(remark)
    return [Instruction(tuple(group)) for group in groups.values()]


def _number(letters: str) -> int:
    at = 0
    for letter in letters:
        at = at * 26 + ord(letter) - 64
    return at - 1
