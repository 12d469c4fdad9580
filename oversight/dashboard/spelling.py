"""Names as they are typed without Chinese input: 湘东镇 by xiangdongzhen, xdz, or xdong."""

from __future__ import annotations

from functools import cache


@cache
def _readings(character: str) -> tuple[str, ...]:
    """Every way to read one character, without tones; a character that is no Chinese one reads as itself."""
    from pypinyin import Style, pinyin

    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="default")
    return tuple(dict.fromkeys(reading.lower().replace("ü", "v") for reading in found[0]))


def spells(typed: str, name: str) -> bool:
    """Whether `typed` (lower case, no spaces) spells a part of the name: whole syllables, their first letters, or
    both; the last syllable may be unfinished."""
    return any(_spells(typed, name, start) for start in range(len(name)))


def _spells(typed: str, name: str, at: int) -> bool:
    if not typed:
        return True
    if at == len(name):
        return False
    return any(
        (typed.startswith(reading) and _spells(typed[len(reading) :], name, at + 1))
        or (typed[0] == reading[0] and _spells(typed[1:], name, at + 1))
        or reading.startswith(typed)
        for reading in _readings(name[at])
    )
