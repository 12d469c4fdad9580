"""The words that headings are made of, as data: what a column is about, when, whose, and what changes it.

A word that stands nowhere in `headings.csv` is neutral before the thing counted (辖区户籍人口) and a question after
it (户籍人口变更): in Chinese the last word says what a column is.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from oversight.intake.reading import values
from oversight.intake.reading.text import fold, header_key, plain

_FILE = Path(__file__).with_name("headings.csv")
_SPAN = r"(\d{1,2})月?份?[-—–―~至到]+(\d{1,2})月份?"
_TO_DATE = r"1月?份?[-—–―~至到]+(?:本|当|[XxNn×某])月[末底]?"
# A note in brackets on how to fill in a column: a sum (上月末+增加-减少), an example, what to tick.
_HINT = re.compile(
    r"\((?=[^()]*(?:[+=÷×√*]|[如例]|填|格式|[yY]{4}|保留|小数|见|公式|自动|是[/或]?否|为准|导出|核对|已核|终稿|取整))[^()]*\)"
    r"|\((?:\d{1,2}|[A-Za-z]+|[甲乙丙丁]|第?\d*栏\d*|注\d*|数字|[¥￥])\)|\d{1,2}=[\d+-]+$|[?→]+$"
)
_NOTE = re.compile(r"(?<=[^(])\([^()]+\)$")
# A # before a heading is the yearbooks' 其中.
_OF_WHICH = re.compile(r"\W*\d{0,2}\W*其中|\s*#(?=\S)")
# A note in brackets on who or what is counted in or left out, or is not done beside it: it names nothing of its own.
_SCOPE_NOTE = re.compile(
    r"\((?=[^()]{3,}\)$)(?:(?:均|都|另)?(?:不?含|不?包括|不?包含|不兼|不包|不驻)[^()]+|除[^()]+外|[^()]+(?:不计|计入|除外|在内|不算))\)$"
)
# On what an amount or a count was reckoned: （按上年支出3%安排）. Whose people are counted is another matter.
_BASIS = re.compile(r"\((?![^()]*(?:户籍|常住|户口))按[^()]*(?:安排|测算|计算|核定|算)\)")
# A note that says in other words what the column is, or by what register people were counted.
_THAT_IS = re.compile(r"(?<=.)\((?:即|也就是|亦即|是指|指的是)([^()]{2,})\)$")
_BY_REGISTER = re.compile(r"(?<=.)\((?:以|按|依)户籍(?![^()]*常住)[^()]*\)$")
# An example of what is meant, before it: 办公费等公用经费.
_SUCH_AS = re.compile(r"(?<![^|])[^()等]{1,10}等(?=(?:公用|人员|日常公用|运转)[经支类])")
# 1月1日至6月30日 are the months from January to June, 6.1-6.30 is June, 截止6.30 until its end.
_FROM_FIRST_TO_LAST_DAY = re.compile(
    r"(?<![\d.])(?P<first>\d{1,2})[月.]0?1[日号]?[-—–―~至到]+"
    r"(?:\d{4}年)?(?:(?P<last>\d{1,2})[月.])?(?:2[89]|3[01])(?:[日号]|(?![\d.]))"
)
_UNTIL_LAST_DAY = re.compile(r"(?<=[截至止到])(\d{1,2})\.(?:2[89]|3[01])(?![\d.])")
# Characters that are mistaken for one another in these words.
_MISSPELT = re.compile(r"拔(?=[款付入给出到至补下])|(?<=[划下实])拔|(?<=户)藉")

_SPECIAL = re.compile(
    r"(?P<year>(?:19|20)\d{2})(?!\d)(?:年度?)?"
    r"|(?P<first>\d{1,2})至(?P<last>\d{1,2})月份?[末底]?"
    r"|第?(?P<quarter>[一二三四1-4])季度?[末底]?"
    r"|前(?P<quarters>[一二三123])个?季度"
    r"|(?:前(?P<months>\d{1,2})个?|[至到截](?P<upto>\d{1,2}))月份?[末底]?(?:止|为止)?"
    r"|(?P<half>[上下])半年[末底]?"
    r"|(?P<month>\d{1,2})月份?(?P<end>[末底])?"
    r"|(?P<day>\d{1,2})[日号]"
)
# Words that nobody can list, for they are put together anew: verbs of moving with a direction, of paying with a manner,
# what a budget is called once it was changed, what was left over. What changes a meaning (预, 缓, 错, 代) is not among them.
_OUTSIDE = "(?:外[县乡镇地市省区面头]?|[他别异][乡镇地处县])"
_HERE = "[本我][乡镇地区县街]"
_VILLAGE = "(?:行政|建制)?村(?:民?委员?会)?"
_COMMUNITY = "(?:社区居?民?(?:委员?会)?|居民?委员?会)"
_COMPOUND = re.compile(
    f"(?P<moved_in>(?:户籍|户口)?(?:由|从|自)?{_OUTSIDE}?(?:迁徙|迁移|转移|搬迁|搬家|迁居|迁|移|转|搬|徙)(?:籍|户口?)?"
    f"(?:流?[入进来]+|到{_HERE}|回)(?:{_HERE})?(?:籍|落户|入户)?)"
    f"|(?P<moved_out>(?:户籍|户口)?(?:迁徙|迁移|转移|搬迁|搬家|迁居|迁|移|转|搬|徙)(?:籍|户口?)?"
    f"(?:流?[出走离去]+(?:到|往)?|往|到|至)(?:{_OUTSIDE}|{_HERE})?)"
    f"|(?P<villages>{_COMMUNITY}[+/和与及、]{_VILLAGE}|{_VILLAGE}[+/和与及、]{_COMMUNITY})"
    "|(?P<paid>[实直新续转汇划解支兑批核下发]?拨[付款出入给放发下到至交解划补用足]{0,2})"
    "|(?P<adjusted>(?:调整?|变[更动]|修[改订正]?|追[加减]|增[补加减]|核[增减]|更[新改正]|校正?|改|重[新定]|[准定增减])+"
    "(?:到位|完成|完毕|以|之|批复|批准)*后的?(?:可用|可执行)?)"
    "|(?P<carried>[结转余剩存留滚][结转余剩存留滚延入]|递延|带入)"
)
_NUMERALS = {**{c: i for i, c in enumerate("一二三四", start=1)}, **{str(i): i for i in range(1, 5)}}


@dataclass(frozen=True)
class Word:
    """One word of a heading; `kind` is None for a word that no list knows. Months of a span are (first, last)."""

    kind: str | None
    value: str
    text: str
    months: tuple[int, int] | None = None
    year: int | None = None
    # In brackets behind the heading: 户籍人口（公安口径）.
    is_note: bool = False


@lru_cache(maxsize=1)
def _known() -> tuple[dict[str, tuple[str, str]], dict[str, tuple[int, ...]]]:
    """The words, each with its kind and value, and how long those are that begin with a character."""
    words: dict[str, tuple[str, str]] = {}
    with _FILE.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for word in row["words"].split():
                # 三定 comes as 3定: numerals are read as digits before a heading is parted.
                for key in {plain(word), values.digits_of_date(plain(word))} - {""}:
                    words.setdefault(key, (row["kind"], row["value"]))
    lengths: dict[str, set[int]] = {}
    for word in words:
        lengths.setdefault(word[0], set()).add(len(word))
    return words, {character: tuple(sorted(found)) for character, found in lengths.items()}


def without_hint(title: str) -> str:
    """A title without what it says in brackets on filling in: 统计年月（如202503）."""
    folded = fold(title)
    shorter = _BASIS.sub("", _HINT.sub("", folded))
    return shorter if shorter and shorter != folded else title


def spelled_out(title: str) -> str:
    """A title for comparison, its span of months in one spelling: 1-6月 → 1至6月."""
    return plain(re.sub(_SPAN, r"\1至\2月", re.sub(_TO_DATE, "年初至本月", title)))


@lru_cache(maxsize=65536)
def words_of(part: str) -> tuple[Word, ...]:
    """A header cell, without its unit, as words: so parted that as little as possible is unknown, in the fewest words."""
    titled = header_key(part)[0]
    if (named := _THAT_IS.search(titled)) is not None:
        # 应保障人口数（即户籍人口）.
        return words_of(named.group(1))
    if (reckoned := _BY_REGISTER.search(titled)) is not None:
        # 人口数（以户籍为准）.
        titled = f"户籍{titled[: reckoned.start()]}{titled[reckoned.end() :]}"
    written = values.digits_of_date(without_hint(titled))
    written = _MISSPELT.sub(lambda found: {"拔": "拨", "藉": "籍"}[found.group()], written)
    written = _FROM_FIRST_TO_LAST_DAY.sub(_months_of, _SUCH_AS.sub("", written))
    written = _UNTIL_LAST_DAY.sub(r"\1月", written)
    counted = _SCOPE_NOTE.search(fold(written))
    if counted is not None and plain(counted.group()) not in _known()[0]:
        told = fold(written)[: counted.start()]
        if plain(told):
            return (*words_of(told), Word("ask", "ask", plain(counted.group()), is_note=True))
    text = spelled_out(written).lstrip("#")[:60]
    of_which = (Word("change", "of_which", "其中"),) if _OF_WHICH.match(fold(part)) else ()
    words = _parted(text)
    note = _NOTE.search(fold(written))
    if note is not None:
        words = _with_note(words, len(text) - len(plain(note.group())))
    return of_which + words


def _months_of(days: re.Match[str]) -> str:
    first, last = int(days["first"]), int(days["last"] or days["first"])
    return f"{last}月" if first == last else f"{first}至{last}月"


def _with_note(words: tuple[Word, ...], begins: int) -> tuple[Word, ...]:
    """The words, those marked that stand in brackets at the end: a note on the others, not the last of them."""
    marked: list[Word] = []
    at = 0
    for word in words:
        start, at = at, at + len(word.text)
        if word.kind is None and start < begins < at:
            marked.append(replace(word, text=word.text[: begins - start]))
            word, start = replace(word, text=word.text[begins - start :]), begins
        if start >= begins > 0 and word.kind == "thing":
            return words
        marked.append(replace(word, is_note=start >= begins > 0))
    return tuple(marked)


def _parted(text: str) -> tuple[Word, ...]:
    known, lengths = _known()
    # For each place the best way to have come there: (unknown characters, words, of as many words the fewest that no list
    # has (计划 拨款, not 计 划拨款), then those with the longest among them), and its last word.
    best: list[tuple[tuple[int, int, int, int], int, Word] | None] = [None] * (len(text) + 1)
    best[0] = ((0, 0, 0, 0), 0, Word(None, "", ""))

    def offer(start: int, end: int, unknown: int, word: Word, is_made_up: bool = False) -> None:
        before = best[start]
        assert before is not None
        so_far = before[0]
        cost = (
            so_far[0] + unknown,
            so_far[1] + 1,
            so_far[2] + is_made_up,
            so_far[3] - (end - start) ** 2,
        )
        here = best[end]
        if here is None or cost < here[0]:
            best[end] = (cost, start, word)

    size = len(text)
    for at in range(size):
        special = _SPECIAL.match(text, at)
        if special:
            offer(at, special.end(), 0, _special(special))
            if special["year"] and special.end() > special.end("year"):
                # 2025年初 is the beginning of 2025.
                word = _special(special)
                offer(at, special.end("year"), 0, replace(word, text=special["year"]))
        compound = _COMPOUND.match(text, at)
        if compound and text[at : compound.end()] not in known:
            adjusted = compound.lastgroup == "adjusted"
            kind = "adjusted" if adjusted else "thing"
            offer(at, compound.end(), 0, Word(kind, str(compound.lastgroup), compound.group()), True)
        for length in lengths.get(text[at], ()):
            end = at + length
            if end <= size and (found := known.get(text[at:end])) is not None:
                offer(at, end, 0, Word(*found, text[at:end]))
        offer(at, at + 1, 1, Word(None, "", text[at]))
    found_words: list[Word] = []
    at = len(text)
    while at:
        step = best[at]
        assert step is not None
        _, at, word = step
        if word.kind is None and found_words and found_words[-1].kind is None:
            found_words[-1] = Word(None, "", word.text + found_words[-1].text)
        else:
            found_words.append(word)
    found_words.reverse()
    for at, word in enumerate(found_words[1:], start=1):
        before = found_words[at - 1]
        if (
            word.value in ("paid", "spent")
            and before.text == "月"
            and (at == 1 or found_words[at - 2].text not in _EACH)
        ):
            # 月拨付额 of a monthly report is the month's.
            found_words[at - 1] = replace(before, kind="period", value="month")
        if word.kind == "thing" and before.text == "年" and before.kind == "manner" and at == 1:
            # 年出生数 is the year's.
            found_words[at - 1] = replace(before, kind="period", value="year")
    return tuple(found_words)


_EACH = ("每", "各", "逐")


def _special(match: re.Match[str]) -> Word:
    text = match.group()
    if match["year"]:
        return Word("time", "year", text, year=int(match["year"]))
    if match["first"]:
        return Word("time", "span", text, months=(int(match["first"]), int(match["last"])))
    if match["quarter"]:
        last = 3 * _NUMERALS[match["quarter"]]
        return Word("time", "span", text, months=(last - 2, last))
    if match["quarters"]:
        return Word("time", "span", text, months=(1, 3 * _NUMERALS[match["quarters"]]))
    if match["months"] or match["upto"]:
        return Word("time", "span", text, months=(1, int(match["months"] or match["upto"])))
    if match["half"]:
        return Word("time", "span", text, months=(1, 6) if match["half"] == "上" else (7, 12))
    if match["month"]:
        month = int(match["month"])
        return Word("time", "month_end" if match["end"] else "month", text, months=(month, month))
    return Word("neutral", "day", text)
