"""Text as people type it: full-width forms, stray spaces, titles with units and months in brackets."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Spaces that Excel users leave behind: NBSP and ideographic are NFKC-folded, zero-width ones are not.
_SPACES = re.compile(r"[\s\u200b\u200c\u200d\u2060\ufeff]+")
_BRACKETS = str.maketrans("〔〕【】[]{}｛｝<>《》", "()()()()()()()")

MONEY_UNITS: dict[str, int] = {
    "元": 0,
    "人民币元": 0,
    "百元": 2,
    "千元": 3,
    "万元": 4,
    "十万元": 5,
    "百万元": 6,
    "亿元": 8,
}
COUNT_UNITS: dict[str, int] = {
    **dict.fromkeys(("人", "户", "名", "个", "人次", "位", "户次", "村", "岗", "人数", "户数"), 0),
    **dict.fromkeys(("百人", "百户"), 2),
    **dict.fromkeys(("千人", "千户"), 3),
    **dict.fromkeys(("万人", "万户", "万名", "万个"), 4),
}
# Words that may stand in brackets after a title without changing what the column means.
_HARMLESS = frozenset(
    (
        "必填",
        "选填",
        "可空",
        "年末",
        "月末",
        "期末",
        "年末数",
        "月末数",
        "期末数",
        "数",
        "文本",
        "文本格式",
        "全年",
        "9位",
        "12位",
        "6位",
        "是/否",
        "是否",
        "小写",
    )
)


# The traditional forms of characters that our headers, units and totals use (files in Big5 write these).
_TRADITIONAL = (
    "專業個鄉買務動協單縣變號後啟啓員備復複實屬崗當總戶执執報撥據調數時"
    "標碼類級經統繼編職計設購費資遷釋銷鎮間際隸項預額廢區劃別辦稱獨萬億圓"
)
_SIMPLIFIED = (
    "专业个乡买务动协单县变号后启启员备复复实属岗当总户执执报拨据调数时"
    "标码类级经统继编职计设购费资迁释销镇间际隶项预额废区划别办称独万亿圆"
)
_FOLDED = str.maketrans(_TRADITIONAL, _SIMPLIFIED) | _BRACKETS


def fold(value: str) -> str:
    """Full-width forms folded, brackets made one kind, all white space taken out, our terms simplified."""
    return _SPACES.sub("", unicodedata.normalize("NFKC", value)).translate(_FOLDED)


def tidy(value: str) -> str:
    """White space trimmed, every kind of it made a plain space; the rest as written."""
    return re.sub(r"[\u200b\u200c\u200d\u2060\ufeff]", "", re.sub(r"[\s\u3000\xa0]", " ", value)).strip()


@lru_cache(maxsize=65536)
def header_key(title: str) -> tuple[str, str | None, str | None]:
    """A header cell as (title to look up, unit, unknown unit).

    The unit is taken from brackets or after a comma: 户籍人口（万人）, 年初预算/万元. A bracket that is neither a
    unit nor harmless stays part of the title, so that 户籍人口(男) is not taken for 户籍人口.
    """
    folded = fold(title).strip("*:;,.、").lstrip("*★")
    folded = re.sub(
        r"^(?:其中:?|\d{1,2}[.、]|[一二三四五六七八九十]{1,3}、|\([一二三四五六七八九十\d]{1,2}\))",
        "",
        folded,
    )
    unit: str | None = None
    unknown: str | None = None
    while True:
        match = re.search(r"\((?:单位:?)?([^()]*)\)$", folded) or re.search(
            r"[/,]((?:百|千|万|十万|百万|亿|美|欧)?元|[千万]?[人户]|人次|名|个)$", folded
        )
        if not match:
            break
        inside = match.group(1).removeprefix("单位:").removeprefix("单位")
        if inside in MONEY_UNITS or inside in COUNT_UNITS:
            unit = unit or inside
        elif inside in _HARMLESS or not inside:
            pass
        elif re.fullmatch(r".{0,3}(元|美元|欧元|港币|USD|RMB|%|吨|亩|平方米|公里)", inside):
            unknown = inside
        else:
            break
        folded = folded[: match.start()]
    return folded.strip("*:;,.、"), unit, unknown


@lru_cache(maxsize=4096)
def plain(title: str) -> str:
    """A title for comparison: brackets and separators gone, so that 村(社区)数 and 村社区数 meet."""
    return re.sub(r"[()、,/·.:;\-—_\"“”']", "", fold(title))


_UNIT_LINE = re.compile(
    r"(?:金额)?(?:计量|计算|金额)?单位[:为]?((?:[人户名个、,/和及]|(?:百|千|万|十万|百万|亿)?元|万人|万户|千人|千户)+)"
)


def stated_units(value: str) -> tuple[str | None, str | None]:
    """(money unit, count unit) that a title line such as 单位：万元、人 lays down for its table."""
    money: str | None = None
    count: str | None = None
    for match in _UNIT_LINE.finditer(fold(value)):
        for unit in re.split(r"[、,/和及]", match.group(1)):
            if unit in MONEY_UNITS:
                money = unit
            elif COUNT_UNITS.get(unit):
                count = unit
    bracket = re.search(r"\(((?:百|千|万|十万|百万|亿)元)\)", fold(value))
    if money is None and bracket:
        money = bracket.group(1)
    return money, count
