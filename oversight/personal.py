"""What is somebody's own and has no place here: ID numbers, telephone numbers, and columns about persons.

ID numbers are not collected. What comes in with remarks or in columns we have no use for is masked where cells are
read, so that it reaches neither what is landed nor any table, export, log or the record; `PATTERN` is what a finished
edition is searched for before it is published.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_ID = r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
_OLD_ID = r"[1-9]\d{5}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}"
_PHONE = r"1[3-9]\d{9}"
_MASKS = (
    (re.compile(rf"(?<!\d){_ID}(?![\dXx])"), "〔身份证号已隐去〕"),
    (re.compile(rf"(?<!\d){_OLD_ID}(?!\d)"), "〔身份证号已隐去〕"),
    (re.compile(rf"(?<!\d){_PHONE}(?!\d)"), "〔手机号已隐去〕"),
)
# Whatever is masked has at least so many in a row.
_MANY_DIGITS = re.compile(r"\d{11}")
# The same in the dialect of the engine, which cannot look around a match.
PATTERN = rf"(^|[^0-9])({_ID}|{_PHONE})($|[^0-9Xx])"
KEPT_BACK = "〔个人信息不保存〕"
_HEADING = re.compile(
    r"姓名|身份证|证件号|(?:手机|电话)(?!费|数)|联系方式|(?:联系|填表|填报|制表|经办)人(?!数|口|员|次)|户主(?!数)|出生(?:日期|年月)|性别|住址|"
    r"银行卡|银行账号|微信|邮箱"
)


def masked(text: str) -> str:
    """A text without ID and telephone numbers."""
    if _MANY_DIGITS.search(text) is None:
        return text
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


def is_of_persons(heading: str) -> bool:
    """Whether a column of this heading says who somebody is."""
    return _HEADING.search(heading) is not None


def masked_column(column: pl.Series) -> pl.Series:
    """A column of texts without ID and telephone numbers."""
    import polars as pl

    doubted = column.str.contains(r"[0-9]{11}").fill_null(value=False)
    if not doubted.any():
        return column
    return pl.Series(
        column.name,
        [
            masked(text) if is_doubted else text
            for text, is_doubted in zip(column.to_list(), doubted.to_list(), strict=True)
        ],
        dtype=pl.String,
    )


def masked_others(column: pl.Series) -> pl.Series:
    """Columns we have no place for, as JSON objects by heading: what is about persons is not kept."""
    import json

    import polars as pl

    def kept(text: str | None) -> str | None:
        if text is None:
            return None
        told = json.loads(text)
        if any(is_of_persons(heading) for heading in told):
            told = {
                heading: KEPT_BACK if is_of_persons(heading) and value else value
                for heading, value in told.items()
            }
            text = json.dumps(told, ensure_ascii=False)
        return masked(text)

    distinct = column.unique().to_list()
    return column.replace_strict(distinct, [kept(text) for text in distinct], return_dtype=pl.String)


def has_right_check_digit(number: str) -> bool:
    """Whether eighteen characters are an ID number by its last one (GB 11643)."""
    if re.fullmatch(r"\d{17}[\dXx]", number) is None:
        return False
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], weights, strict=True))
    return "10X98765432"[total % 11] == number[17].upper()
