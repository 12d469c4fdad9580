"""Text as people type it: full-width forms, stray spaces, titles with units and months in brackets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

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
TRADITIONAL = (
    "專業個鄉買務動協單縣變號後啟啓員備復複實屬崗當總戶执執報撥據調數時"
    "標碼類級經統繼編職計設購費資遷釋銷鎮間際隸項預額廢區劃別辦稱獨萬億圓"
)
_SIMPLIFIED = (
    "专业个乡买务动协单县变号后启启员备复复实属岗当总户执执报拨据调数时"
    "标码类级经统继编职计设购费资迁释销镇间际隶项预额废区划别办称独万亿圆"
)
_FOLDED = str.maketrans(TRADITIONAL, _SIMPLIFIED) | _BRACKETS


_P = ParamSpec("_P")
_R = TypeVar("_R")
_SHORT = 64


def remembered(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Keep what a pure function says of short texts: the same ones stand in file after file."""
    kept = lru_cache(maxsize=1 << 16)(function)

    @wraps(function)
    def answer(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        is_short = len(args[0]) <= _SHORT  # type: ignore[arg-type]
        return kept(*args, **kwargs) if is_short else function(*args, **kwargs)  # type: ignore[arg-type]

    return answer


class _Folds(dict[str, str]):
    """Short texts, folded. Every cell of every file is looked up here, and a dictionary answers without a call."""

    def __missing__(self, value: str) -> str:
        if value.isascii() and value.isalnum():
            # Codes and numbers: each file has others.
            return value
        folded = _SPACES.sub("", unicodedata.normalize("NFKC", value)).translate(_FOLDED)
        if len(value) <= _SHORT:
            if len(self) >= 1 << 16:
                self.clear()
            self[value] = folded
        return folded


# Full-width forms folded, brackets made one kind, all white space taken out, our terms simplified.
fold: Callable[[str], str] = _Folds().__getitem__


def tidy(value: str) -> str:
    """White space trimmed, every kind of it made a plain space; the rest as written."""
    return re.sub(r"[\u200b\u200c\u200d\u2060\ufeff]", "", re.sub(r"[\s\u3000\xa0]", " ", value)).strip()


# Numbers in circles: folded they would be digits of the title.
_ENCLOSED = re.compile(r"(?<!\w)[\u2460-\u2473\u2776-\u2793]\s*|[\u2460-\u2473\u2776-\u2793]\s*$")


# The number of a column with room after it, as in statistical returns: 01 户籍户数. What counts age or time is none:
# 60 周岁以上, 12 月拨付.
_COLUMN_NUMBER = re.compile(
    r"^\s*\d{1,2}\s+(?=[\u4e00-\u9fff])(?![岁周月年日号季个人户名元万亿以及级孩胎类项至到])"
)


# What an export puts before a heading, the name of the field: HJHS户籍户数, XZMC(乡镇名称).
_FIELD_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_]{1,15}[:_-]?(?=[\u4e00-\u9fff]{2})")
_FIELD_NAME_BEFORE = re.compile(r"^[A-Za-z][A-Za-z0-9_]{1,15}\(([\u4e00-\u9fff]{2,}[^()]*)\)$")


def _without_field_name(folded: str) -> str:
    return _FIELD_NAME.sub("", _FIELD_NAME_BEFORE.sub(r"\1", folded))


@lru_cache(maxsize=65536)
def header_key(title: str) -> tuple[str, str | None, str | None]:
    """A header cell as (title to look up, unit, unknown unit).

    The unit is taken from brackets or after a comma: 户籍人口（万人）, 年初预算/万元. A bracket that is neither a
    unit nor harmless stays part of the title, so that 户籍人口(男) is not taken for 户籍人口.
    """
    folded = (
        _without_field_name(fold(_COLUMN_NUMBER.sub("", _ENCLOSED.sub("", title))))
        .strip("*:;,.、")
        .lstrip("*★")
    )
    folded = re.sub(
        r"^(?:其中:?|\d{1,2}(?:[.-]\d{1,2})+[.、]?(?=[^\d月年日.、~至到-])|\d{1,2}[.、]|[一二三四五六七八九十]{1,3}、|\(?[甲乙丙丁戊己庚]\)?[.、]|第?\d{1,2}栏|\([一二三四五六七八九十\d]{1,2}\)){1,2}",
        "",
        folded,
    )
    unit: str | None = None
    unknown: str | None = None
    while True:
        match = (
            re.search(r"\((?:单位:?)?([^()]*)\)$", folded)
            or re.search(r"[/,]((?:百|千|万|十万|百万|亿|美|欧)?元|[千万]?[人户]|人次|名|个)$", folded)
            or re.search(
                r"(?<=.)(?:计量|金额)?单位:((?:百|千|万|十万|百万|亿)?元|[千万]?[人户]|名|个)$", folded
            )
            or re.search(r"[-—–:]?((?:十万|百万|百|千|万|亿)元|[千万][人户])$", folded)
        )
        if not match:
            break
        inside = match.group(1).removeprefix("单位:").removeprefix("单位")
        said, comma, last = inside.rpartition(",")
        if comma and (last in MONEY_UNITS or last in COUNT_UNITS) and match.group().startswith("("):
            # (户籍,户): what is counted, and in what.
            unit = unit or last
            folded = f"{folded[: match.start()]}({said})"
            break
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


_YES_OR_NO = re.compile(r"\(填?[1=]*[是有√][1=]*[/或、,;]?[0=]*[否无×][0=]*\)")


def is_answered_by_yes_or_no(part: str, column: str) -> bool:
    """Whether a heading says in brackets that yes or no is to be filled in, where the column is a figure: 公益性岗位（是/否）."""
    is_figure = column.endswith(("_cny", "_persons", "_posts", "_count"))
    return is_figure and bool(_YES_OR_NO.search(fold(part)))


@lru_cache(maxsize=4096)
def plain(title: str) -> str:
    """A title for comparison: brackets and separators gone, so that 村(社区)数 and 村社区数 meet."""
    return re.sub(r"[()、,/·.:;\-—_\"“”']", "", fold(title))


_UNIT_LINE = re.compile(
    r"(?:金额)?(?:计量|计算|金额)?单位[:为]?((?:[人户名个、,/和及]|(?:百|千|万|十万|百万|亿)?元|万人|万户|千人|千户)+)"
)


_IN_BRACKETS = re.compile(r"\(((?:百|千|万|十万|百万|亿)元|[百千万][人户名个])\)")


def stated_units(value: str) -> tuple[str | None, str | None]:
    """(money unit, count unit) that a title line such as 单位：万元、人 lays down for its table."""
    money: str | None = None
    count: str | None = None
    folded = fold(value)
    # A cell that is nothing but 万元.
    alone = [fold(word).strip("()") for word in value.split()]
    for match in _UNIT_LINE.finditer(folded) if "单位" in folded else ():
        for unit in re.split(r"[、,/和及]", match.group(1)):
            if unit in MONEY_UNITS:
                money = unit
            elif unit in COUNT_UNITS and not COUNT_UNITS.get(count or ""):
                count = unit
    bracketed = _IN_BRACKETS.findall(folded) if "(" in folded else ()
    for unit in (*bracketed, *alone):
        if money is None and MONEY_UNITS.get(unit):
            money = unit
        elif count is None and COUNT_UNITS.get(unit):
            count = unit
    return money, count


def fits_unit(unit: str, kind: str) -> int | None:
    """The power of ten of a unit for a column of this kind; None where the unit does not go with it."""
    if kind == "money":
        return MONEY_UNITS.get(unit)
    if kind == "count":
        return COUNT_UNITS.get(unit)
    return None


_OFFICE = (
    r"(?:人民政府|政府|办事处|民政办公室|民政办|民政所|民政站|社会事务办公室|社会事务办|社会事务科|党政办)?"
)
_TOWNSHIP = rf"\S{{1,24}}?(?:镇|乡|街道|苏木|[农林牧渔]场){_OFFICE}"
_REPORTS_FOR = re.compile(
    r"(?:填报单位|报送单位|填报乡镇|单位名称|乡镇(?:[(（]街道[)）])?(?:名称)?)\s*[:：]\s*([^\s:：]+)"
)
_CODE_SAID = re.compile(r"(?:区划|单位|乡镇)(?:代码|编码)\s*[:：]\s*(\d{12}|\d{9})(?!\d)")
_NAME_ONLY = re.compile(rf"^(?:\d{{1,3}}[.、\-_]?)?({_TOWNSHIP})$")
_NAME_FIRST = re.compile(
    rf"^({_TOWNSHIP})(?=(?:19|20)\d\d|二[〇零○]|户籍|民政|人口|能力|月报|年报|报表|统计)"
)
# 各乡镇, 乡镇街道: all of them, no name.
_ALL = re.compile(r"(?:乡镇|城镇|村镇|集镇|[镇乡]街道|[各全]\S{0,4})$")


def stated_township(lines: Sequence[str], sheet: str | None, file_name: str) -> tuple[str | None, str | None]:
    """(code, name) of the one township that all of a table speaks of; None where nothing or two things are said.

    In the title lines 填报单位：湘东镇 or 湘东镇2025年户籍人口, in the sheet's name the township alone; else the
    file's or its folder's name.
    """
    names: list[str] = []
    codes = {code for line in lines for code in _CODE_SAID.findall(line)}
    for line in lines:
        names.extend(re.split(r"[(（]", found)[0] for found in _REPORTS_FOR.findall(line))
        names.extend(_NAME_FIRST.findall(fold(line)))
    names.extend(_NAME_ONLY.findall(fold(sheet or "")))
    if not any(_is_township(n) for n in names):
        for part in reversed(file_name.replace("\\", "/").split("/")):
            stem = fold(re.sub(r"\.\w{2,5}$", "", part))
            names.extend(_NAME_ONLY.findall(stem) or _NAME_FIRST.findall(stem))
    said = {fold(n) for n in names if _is_township(fold(n))}
    # 湘东区湘东镇 and 湘东镇 are one.
    said = {n for n in said if not any(o != n and n.endswith(o) for o in said)}
    code = codes.pop() if len(codes) == 1 else None
    return code, said.pop() if len(said) == 1 else None


_REPORTER = re.compile(
    r"(?:填报|报送|上报|制表|编制|填表|填制)(?:单位|部门|机关)\s*(?:[(（][^)）]*[)）])?\s*[:：]\s*([^\s:：]+)"
)
_OFFICE_FIRST = re.compile(
    r"^(\S{2,24}?(?:分局|支局|派出所|国库股|国库科|支付中心|局|委员会|办公室|编办|人民政府|办事处|中心))"
    r"(?=关于|(?:19|20)\d\d|二[〇零○]|户籍|民政|人口|国库|集中支付|支付|拨付|月报|年报|报表|统计|能力)"
)


def stated_reporter(lines: Sequence[str], footer: Sequence[str] = ()) -> str | None:
    """The office that fills a form in: after 填报单位 above or below the table, else at the beginning of its title."""
    for line in (*lines, *footer):
        found = _REPORTER.search(line)
        if found and fold(found.group(1)):
            return fold(found.group(1))
    offices = (_OFFICE_FIRST.match(fold(line)) for line in lines)
    return next((office.group(1) for office in offices if office), None)


def _is_township(name: str) -> bool:
    return bool(_NAME_ONLY.match(name)) and not _ALL.search(name)
