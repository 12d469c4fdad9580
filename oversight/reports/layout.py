"""What the two paged formats decide alike: how wide columns are, which annex lies across, where a title breaks."""

from __future__ import annotations

import dataclasses
import math
import re
from operator import ne

from oversight.reports.document import Annex, Block, Paragraph, Table, TableRef, half_widths

# Half-width characters of 9 pt that fit into a line of 156 mm and of 225 mm, with a table's lines and padding.
PORTRAIT_UNITS, LANDSCAPE_UNITS = 92, 134
_COLUMN_PADDING = 1.3
_TITLE_CHARACTERS = 20
# A title is broken before these words rather than inside one.
_BREAK_BEFORE = ("乡镇", "民政", "人员", "经费", "保障", "督查", "情况", "工作", "的通报")


def widths(table: Table, units: int, slack: float = 1.0) -> list[float]:
    """Relative widths of the printed columns: numbers never break, text shares what is left.

    `slack` is how much wider than needed numbers and codes are, as long as there is room.
    """
    columns = [table.columns[position] for position in table.printed]
    needed, wished = [], []
    for longest, column in zip(table.longest, columns, strict=True):
        if column.is_number or column.kind == "month":
            head = max(half_widths(part) for part in column.title.replace("（", " （").split())
            needed.append(max(longest * slack, head, 4) + _COLUMN_PADDING)
            wished.append(needed[-1])
        else:
            head = half_widths(column.title)
            floor = min(max(longest, head), column.width) if column.width < 20 else 12
            needed.append(max(min(floor, longest), head, 4) + _COLUMN_PADDING)
            if slack > 1 and longest < 12:
                needed[-1] = max(needed[-1], longest * slack + _COLUMN_PADDING)
            wished.append(max(max(min(longest, column.width * 3), head) + _COLUMN_PADDING, needed[-1]))
    spare = units - sum(needed)
    wants = [wish - need for wish, need in zip(wished, needed, strict=True)]
    wanted = sum(wants)
    if spare <= 0:
        return needed if slack <= 1 else widths(table, units, max(slack - 0.05, 1.0))
    if wanted <= 0:
        return [need + spare / len(needed) for need in needed]
    share = min(spare / wanted, 1)
    rest = max(spare - wanted, 0) / len(needed)
    return [need + want * share + rest for need, want in zip(needed, wants, strict=True)]


def is_wide(table: Table) -> bool:
    """Whether the table needs the page lying across."""
    return sum(widths(table, 0)) > PORTRAIT_UNITS


def is_landscape(annex: Annex) -> bool:
    """Whether an annex lies across."""
    return any(is_wide(block.table) for block in annex.blocks if isinstance(block, TableRef))


def _wide(text: str) -> float:
    """Length in half-width characters: figures and letters are a little wider than half a character in the PDF, and
    some programs that open the Word file set them off by a quarter of a character."""
    latin = [character.isascii() for character in text]
    turns: int = sum(map(ne, latin, latin[1:]))
    return half_widths(text) + max(0.12 * sum(latin), 0.5 * turns)


def title_lines(title: str, per_line: int = _TITLE_CHARACTERS) -> list[str]:
    """A title on as few lines as it needs, of about equal length, not broken inside a word or a number."""
    wanted = math.ceil(_wide(title) / (per_line * 2))
    if wanted <= 1:
        return [title]
    lines = []
    rest = title
    for left in range(wanted, 1, -1):
        ideal = _wide(rest) / left
        best, place = None, 0
        for cut in range(1, len(rest)):
            width = _wide(rest[:cut])
            if width > per_line * 2 or _wide(rest[cut:]) > per_line * 2 * (left - 1):
                continue
            inside = rest[cut - 1].isascii() and rest[cut].isascii()
            cost = abs(width - ideal) + (0 if rest[cut:].startswith(_BREAK_BEFORE) else 6) + 40 * inside
            cost += 20 * (rest[cut] in "年月的和、）")
            if best is None or cost < best:
                best, place = cost, cut
        if not place:
            break
        lines.append(rest[:place])
        rest = rest[place:]
    return [*lines, rest]


# A day and the words that a draft has in its stead count alike, so that both are laid out in the same way.
_DAYS = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日前|印发后\d+个工作日内")


def undated(block: Block) -> Block:
    """The block as it counts for the length of a text, whether or not its days are known yet."""
    if isinstance(block, Paragraph):
        return dataclasses.replace(block, text=_undated(block.text))
    if isinstance(block, TableRef):
        rows = tuple(
            tuple(_undated(cell) if isinstance(cell, str) else cell for cell in row)
            for row in block.table.rows
        )
        return dataclasses.replace(block, table=dataclasses.replace(block.table, rows=rows))
    return block


def _undated(text: str) -> str:
    return _DAYS.sub("2026年12月28日前", text)
