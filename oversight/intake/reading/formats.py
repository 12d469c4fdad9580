"""Number formats: whether one shows a day, and how many decimal places it shows of a number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Literal

Kind = Literal["number", "date", "duration"]


@dataclass(frozen=True)
class Format:
    """What a number format makes of a number."""

    kind: Kind = "number"
    # None where it leaves open how many places there are (General), or shows no plain number (%, E, fractions).
    places: int | None = None


GENERAL = Format()
_DATE = Format("date")
# Of the formats that have a number of their own and need not be spelt out: those of Chinese Excel are days, too.
_BUILTIN: dict[int, Format] = {
    1: Format(places=0),
    2: Format(places=2),
    3: Format(places=0),
    4: Format(places=2),
    **dict.fromkeys((5, 6, 37, 38, 41, 42), Format(places=0)),
    **dict.fromkeys((7, 8, 39, 40, 43, 44), Format(places=2)),
    **dict.fromkeys((*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)), _DATE),
    46: Format("duration"),
}


def builtin(number: int) -> Format:
    """A format that the file names by number only."""
    return _BUILTIN.get(number, GENERAL)


@lru_cache(maxsize=4096)
def parsed(code: str) -> Format:
    """A format as it is spelt: its first section, which is that of positive numbers."""
    plain: list[str] = []
    at = 0
    is_date = is_duration = False
    while at < len(code):
        letter = code[at]
        if letter == '"':
            end = code.find('"', at + 1)
            at = len(code) if end < 0 else end + 1
            continue
        if letter in "\\!_*":
            # The next character stands for itself, for a gap as wide as it, or fills the cell.
            at += 2
            continue
        if letter == "[":
            end = code.find("]", at)
            inside = code[at + 1 : end if end >= 0 else len(code)].lower()
            if inside and set(inside) <= set("hms"):
                is_duration = True
            at = len(code) if end < 0 else end + 1
            continue
        if letter == ";":
            break
        plain.append(letter)
        at += 1
    shown = "".join(plain)
    lowered = shown.lower()
    if lowered.strip() == "general" or "@" in shown:
        return GENERAL
    lowered = lowered.replace("am/pm", "h").replace("a/p", "h").replace("general", "")
    is_date = any(letter in lowered for letter in "ymdhs")
    if is_duration:
        return Format("duration")
    if is_date or ("e" in lowered and not any(d in lowered for d in "0#?")):
        # e alone is the year in Chinese and Japanese formats; with digits it is the power of ten.
        return _DATE
    if not any(d in lowered for d in "0#?") or "%" in lowered or "e" in lowered or "/" in lowered:
        return GENERAL
    decimals = lowered.partition(".")[2]
    digits = sum(decimals.count(d) for d in "0#?")
    # Commas after the last digit divide by a thousand each.
    last = max(lowered.rfind(d) for d in "0#?")
    return Format(places=digits - 3 * lowered.count(",", last))


_EPOCH_1900, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001


def moment(number: float, shown: Format, from_1904: bool) -> object:
    """The day, time or length of time that a number formatted so stands for; the number itself where there is none."""
    try:
        # Milliseconds are as fine as Excel shows; what is less is left over from the fraction of a day.
        length = timedelta(milliseconds=round(number * 86_400_000))
        if shown.kind == "duration":
            return length
        if not from_1904 and number < 60:
            # Before 1 March 1900 Excel counts a day that never was.
            length += timedelta(days=1)
        found = (_EPOCH_1904 if from_1904 else _EPOCH_1900) + length
    except (OverflowError, ValueError):
        return number
    if number < 0:
        return number
    if number < 1:
        return found.time()
    return found.date() if found.time() == time() else found
