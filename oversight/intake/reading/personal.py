"""Columns about persons, which no report of a township needs: numbers of identity cards and of bank accounts.

Known by their headings, or by numbers that carry the check digit of an identity card (GB 11643). Pictures, PDF and
workbooks with a password cannot be looked into.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from oversight.personal import has_right_check_digit

_HEADING = re.compile(
    r"身份证(件)?(号|号码)|身份证件?$|公民身份号码|证件号码?|社(会)?保(障)?卡号|银行卡号?|"
    r"(银行|开户|收款|领款|打卡|个人|发放)(账|帐)(号|户)|^(账|帐)号$|^卡号$|一卡通(账|帐|卡)?号"
)
_SPACE = re.compile(r"[\s　*＊:：()（）/]+")
_LONGEST_HEADING = 20
_IDENTITY = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)"
)
_ROWS = 200
_TEXT = 200_000
# One number with the right check digit may be chance, one in eleven; three in so few rows are not.
_ENOUGH = 3


def in_cells(rows: Iterable[Sequence[object]]) -> bool:
    """Whether the first rows of a sheet have such a heading or hold such numbers."""
    numbers = 0
    for at, row in enumerate(rows):
        if at >= _ROWS:
            break
        for cell in row:
            # A number of Excel's has 15 digits: it is no identity card's, and no heading.
            if type(cell) is float or not (text := str(cell)):
                continue
            if len(text) == 18 and _is_identity(text):
                numbers += 1
            elif len(text) <= _LONGEST_HEADING and not text.isascii() and _is_heading(text):
                return True
    return numbers >= _ENOUGH


def in_text(data: bytes) -> bool:
    """Whether the beginning of a delimited text has such a heading or holds such numbers."""
    start = data[:_TEXT]
    for encoding in ("utf-16",) if start[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8", "gb18030"):
        text = start.decode(encoding, "ignore")
        if in_cells(
            re.split(r"[,\t;|，]", line.replace('"', "").replace("=", "")) for line in text.splitlines()
        ):
            return True
    return False


@lru_cache(maxsize=1 << 16)
def _is_heading(text: str) -> bool:
    return bool(_HEADING.search(_SPACE.sub("", text)))


def _is_identity(text: str) -> bool:
    if not _IDENTITY.fullmatch(text):
        return False
    return has_right_check_digit(text)
