"""Amounts in capitals (人民币大写), as papers and vouchers write them: 壹仟贰佰叁拾肆元伍角陆分.

By the rules of the 正确填写票据和结算凭证的基本规定: one 零 for zeros within the number, 零 before 分 where there are no 角,
整 after 元 or 角. Where the rules leave a 零 open (before a full 仟, and before 角 after a round 元) none is written.
"""

from __future__ import annotations

from decimal import Decimal

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("仟", "佰", "拾", "")
# DECIMAL(18,2) holds no more.
_LIMIT = Decimal(10) ** 16


def in_capitals(amount: Decimal) -> str:
    """An amount of 元 in capitals. Raises `ValueError` for one with more than two decimals or of 10^16 元 and more."""
    if not amount.is_finite() or abs(amount) >= _LIMIT:
        raise ValueError(f"{amount} cannot be written in capitals")
    scaled = abs(amount).scaleb(2)
    cents = int(scaled)
    if scaled != cents:
        raise ValueError(f"{amount} has more than two decimals")
    yuan, rest = divmod(cents, 100)
    jiao, fen = divmod(rest, 10)
    text = f"{_whole(yuan)}元" if yuan or not rest else ""
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    elif fen and yuan:
        text += "零"
    text += f"{_DIGITS[fen]}分" if fen else "整"
    return f"负{text}" if amount < 0 else text


def _whole(number: int) -> str:
    for size, name in ((10**8, "亿"), (10**4, "万")):
        if number >= size:
            high, low = divmod(number, size)
            # A gap before the next digit that stands.
            gap = "零" if 0 < low < size // 10 else ""
            return f"{_whole(high)}{name}{gap}{_whole(low) if low else ''}"
    return _four(number)


def _four(number: int) -> str:
    if not number:
        return _DIGITS[0]
    text, is_gap = "", False
    for digit, place in zip(f"{number:04}", _PLACES, strict=True):
        if digit == "0":
            is_gap = bool(text)
        else:
            text += ("零" if is_gap else "") + _DIGITS[int(digit)] + place
            is_gap = False
    return text
