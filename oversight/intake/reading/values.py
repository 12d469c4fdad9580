"""One written value → what it means. Plain values are read vectorised; these parsers get the rest, each once.

Every parser returns a value, None for "not reported", or a `Problem` with the catalogue code that says why not.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from oversight.intake.reading.text import fold, remembered

# In a cell: none of what the column counts.
NIL_CELLS = frozenset(
    (
        "无",
        "没有",
        "无此项",
        "本月无",
        "当月无",
        "无发生",
        "无发生额",
        "未发生",
        "没有发生",
        "本月未发生",
        "本月无发生",
    )
)
# In a cell: nothing of the whole row.
NIL_ROWS = frozenset(
    (
        *(
            "零报告",
            "零申报",
            "本月零报告",
            "无此项内容",
            "无此项业务",
            "无此项工作",
            "本表无数据",
            "本月无数据",
        ),
        *("无数据可报", "本表无内容", "无相关数据", "本月本表无数据", "当月无数据", "无报送内容"),
    )
)
# What people write where there is nothing to report. 0 is not among them: it is a figure.
BLANKS = frozenset(
    (
        *NIL_CELLS,
        *NIL_ROWS,
        "",
        "-",
        "--",
        "---",
        "—",
        "——",
        "–",
        "―",
        "/",
        "//",
        "\\",
        "无",
        "无数据",
        "未报",
        "未报送",
        "不详",
        "暂无",
        "N/A",
        "n/a",
        "NA",
        "null",
        "NULL",
        "空",
        "空白",
        "未填",
        "未填报",
        "未统计",
        "...",
        "......",
        "*",
        ".",
        "−",
        "－",
        "_",
        "/-",
    )
)
ERROR_CELLS = frozenset(
    ("#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA")
)
NO_RESULT = "公式无结果"


@dataclass(frozen=True)
class Problem:
    """Why a value cannot be used: a code of the catalogue. With a D code it is used, and this is a note on it."""

    code: str
    value: Decimal | None = None


_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {
    c: i for i, c in enumerate("〇壹贰叁肆伍陆柒捌玖")
}
_DIGITS |= {"两": 2, "弍": 2, "貳": 2, "叄": 3, "陸": 6, "○": 0}
_STEPS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_CHINESE = re.compile(r"^[零〇○一二三四五六七八九壹贰叁肆伍陆柒捌玖两貳叄陸弍十拾百佰千仟万萬亿億]+$")
_PLAIN = re.compile(r"^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$")
_GROUPED = re.compile(r"^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$")
# 1万2千, 6万7200: each part smaller than the step before it; 1万2 may be 10,002 or 12,000 and is not read.
_STEPPED = re.compile(r"^(?:(\d{1,4})亿)?(?:(\d{1,4})万)?(?:(\d)千)?(?:(\d)百)?(\d{2,4})?$")
_MULTIPLIED = re.compile(r"^(.+?)(百万|千万|十万|万|萬|亿|億|千|百)$")
_POWER = {"百": 2, "千": 3, "万": 4, "萬": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8, "億": 8}
_SUFFIX = re.compile(r"(人民币|人次|人|户|名|个|位|村|岗|元整|元正|圆整|圆|元|整|正)$")


def chinese_integer(text: str) -> int | None:
    """A Chinese numeral, 壹万贰仟 or 二〇二五; None if it does not follow the rules of either way of writing."""
    if not _CHINESE.match(text):
        return None
    if not re.search(r"[十拾百佰千仟万萬亿億]", text):
        return int("".join(str(_DIGITS[c]) for c in text)) if len(text) > 1 or text in _DIGITS else None
    for marks, value in (("亿億", 10**8), ("万萬", 10**4)):
        found = [i for i, c in enumerate(text) if c in marks]
        if found:
            if len(found) > 1:
                return None
            at = found[0]
            high = chinese_integer(text[:at]) if at else None
            low_text = text[at + 1 :].lstrip("零〇")
            low = chinese_integer(low_text) if low_text else 0
            if (
                high is None
                or low is None
                or low >= value
                or (len(low_text) == 1 and text[at + 1] not in "零〇")
            ):
                # 一万二 is colloquial for 12,000, not 10,002: too doubtful for a figure of account.
                return None
            return high * value + low
    total, digit, last_step = 0, None, 10_000
    zero = False
    for c in text:
        if c in _STEPS:
            step = _STEPS[c]
            if step >= last_step or (digit is None and not (step == 10 and total == 0)):
                return None
            total += (1 if digit is None else digit) * step
            last_step, digit, zero = step, None, False
        else:
            if digit is not None:
                return None
            if _DIGITS[c] == 0:
                zero = True
                continue
            digit = _DIGITS[c]
    if digit is not None:
        if last_step > 10 and not zero and last_step != 10_000:
            return None
        total += digit
    return total


def _chinese_money(text: str) -> Decimal | None:
    """壹万贰仟元叁角伍分 → 12000.35."""
    match = re.match(
        r"^(.+?)[元圆](?:([零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖])角)?(?:零?([一二三四五六七八九壹贰叁肆伍陆柒捌玖])分)?[整正]?$",
        text,
    )
    if not match:
        return None
    whole = chinese_integer(match.group(1))
    if whole is None:
        return None
    return (
        Decimal(whole)
        + Decimal(_DIGITS.get(match.group(2) or "零", 0)) / 10
        + Decimal(_DIGITS.get(match.group(3) or "零", 0)) / 100
    )


def _stepped(text: str) -> Decimal | None:
    """1万2千 → 12000, 6万7200 → 67200; None if it is not written so or a part may mean two things."""
    match = _STEPPED.match(text)
    if not match or sum(g is not None for g in match.groups()) < 2:
        return None
    total, below = 0, None
    for group, power in zip(match.groups(), (8, 4, 3, 2, 0), strict=True):
        if group is None:
            continue
        if below is not None and (len(group) + power > below or (power == 0 and len(group) != below)):
            return None
        total += int(group) * 10**power
        below = power
    return Decimal(total // 10 ** (below or 0)).scaleb(below or 0)


def number(written: str) -> Decimal | Problem | None:
    """The exact number that `written` stands for, trailing units such as 万元 or 人 applied.

    None: nothing reported. Commas count as thousands separators only where they part groups of three.
    """
    parsed = quantity(written)
    if parsed is None or isinstance(parsed, Problem):
        return parsed
    return parsed[0]


def quantity(written: str) -> tuple[Decimal, int | None] | Problem | None:
    """As `number`, and the power of ten of the unit that the cell itself names (which then beats the column's).

    The number keeps the places that it was written with: 5.30万 is 5.30E+4.
    """
    text = fold(written)
    if text in BLANKS:
        return None
    if text in ERROR_CELLS or text == NO_RESULT:
        return Problem("R22")
    text = text.replace("，", ",").replace("−", "-").replace("—", "-")
    text = re.sub(r"^[¥￥]|^人民币|^RMB", "", text).lstrip("'")
    negative = False
    if re.fullmatch(r"\(.+\)", text):
        negative, text = True, text[1:-1]
    if text.startswith("负"):
        negative, text = not negative, text[1:]
    if any(unicodedata.category(c) == "No" for c in written):
        # 20000① is 20000 with a note, and folded would be 200001.
        return Problem("R04")
    own_unit = False
    money = _chinese_money(text)
    if money is not None:
        return (-money if negative else money), 0
    match = _SUFFIX.search(text)
    while match and len(match.group(0)) < len(text):
        own_unit = own_unit or match.group(0)[0] in "元圆人户"
        text = text[: match.start()]
        match = _SUFFIX.search(text)
    power = 0
    stepped = _stepped(text)
    if stepped is not None:
        return (-stepped if negative else stepped), 0
    match = _MULTIPLIED.match(text)
    if match and (_PLAIN.match(match.group(1)) or _GROUPED.match(match.group(1))):
        # 1.2万 says its unit itself: 12,000 of whatever the column counts.
        own_unit = True
        power = _POWER[match.group(2)]
        text = match.group(1)
    if _GROUPED.match(text):
        text = text.replace(",", "")
    value: Decimal
    if _PLAIN.match(text) and len(text) <= 40:
        try:
            value = Decimal(text)
        except InvalidOperation:
            return Problem("R04")
        if value.adjusted() > 25 or (value.adjusted() < -25 and value != 0):
            return Problem("R19") if value.adjusted() > 25 else Problem("R04")
    else:
        whole = chinese_integer(text)
        if whole is None:
            return Problem("R04")
        value = Decimal(whole)
    value = value.scaleb(power)
    return (-value if negative else value), power if own_unit else None


def scaled(written: str, power: int) -> Decimal | Problem | None:
    """The number in base units: times 10**power for a column in 万元 or 万人, unless the cell names its own."""
    parsed = quantity(written)
    if parsed is None or isinstance(parsed, Problem):
        return parsed
    value, own_power = parsed
    return value.scaleb(power) if own_power is None else value


# What a double holds for certain; the digits after these are a program's, not a clerk's.
_CERTAIN = Context(prec=15, rounding=ROUND_HALF_UP)


def certain(value: Decimal) -> Decimal:
    """The number to 15 significant digits; 0.30000000000000004 was written 0.3."""
    if len(value.as_tuple().digits) <= _CERTAIN.prec:
        return value
    return _CERTAIN.plus(value).normalize(_CERTAIN)


def written_places(written: str, power: int) -> tuple[int, int] | None:
    """The power of ten of the last place that was written, and that of the unit; None where no number stands."""
    parsed = quantity(written)
    if parsed is None or isinstance(parsed, Problem):
        return None
    value, own_power = parsed
    last = int(certain(value).as_tuple().exponent)
    return (last + power, power) if own_power is None else (last, own_power)


def money(written: str, power: int = 0, *, may_be_negative: bool = False) -> Decimal | Problem | None:
    """An amount in 元. Beyond the 分 it is rounded half up, with a note; so is money taken back, where that can be."""
    value = scaled(written, power)
    if value is None or isinstance(value, Problem):
        return value
    if value < 0 and not may_be_negative:
        return Problem("R06")
    if abs(value) >= Decimal(10) ** 16:
        return Problem("R19")
    amount = (
        value.quantize(_CENT) if _is_whole(value.scaleb(2)) else certain(value).quantize(_CENT, ROUND_HALF_UP)
    )
    if amount < 0:
        return Problem("D31", amount)
    return amount if amount == certain(value) else Problem("D30", amount)


_CENT = Decimal("0.01")


def _is_whole(value: Decimal) -> bool:
    return value == value.to_integral_value()


def count(written: str, power: int = 0) -> int | Problem | None:
    """A whole number that is not negative. What a formula makes of 万人 is rounded half up, with a note."""
    parsed = quantity(written)
    if parsed is None or isinstance(parsed, Problem):
        return parsed
    value, own_power = parsed
    unit = power if own_power is None else own_power
    value = value.scaleb(power) if own_power is None else value
    if value < 0:
        return Problem("R06")
    if value >= 10**15:
        return Problem("R19")
    if _is_whole(value):
        return int(value)
    return Problem("D30", certain(value).quantize(Decimal(1), ROUND_HALF_UP)) if unit else Problem("R16")


_YES = frozenset(
    (
        "是",
        "有",
        "已单列",
        "单列",
        "单独列支",
        "√",
        "✓",
        "✔",
        "Y",
        "y",
        "YES",
        "yes",
        "Yes",
        "1",
        "TRUE",
        "True",
        "true",
        "对",
        "已列支",
    )
)
_NO = frozenset(
    (
        "否",
        "没有",
        "未单列",
        "未单独列支",
        "×",
        "✗",
        "✘",
        "x",
        "X",
        "N",
        "n",
        "NO",
        "no",
        "No",
        "0",
        "FALSE",
        "False",
        "false",
        "不是",
        "未列支",
    )
)


def yes_no(written: str) -> bool | Problem | None:
    """是 or 否; what 无 says is for `nothing` to tell."""
    text = fold(written)
    if text in _YES:
        return True
    if text in _NO:
        return False
    return None if text in BLANKS else Problem("R18")


_CHINESE_DATE = str.maketrans("〇零○一二三四五六七八九", "000123456789")


@remembered
def digits_of_date(text: str) -> str:
    """二〇二五年十二月 → 2025年12月, 元月 → 1月."""
    text = text.replace("元月", "1月").replace("正月", "1月").replace("腊月", "12月")

    def small(match: re.Match[str]) -> str:
        value = chinese_integer(match.group(1))
        return f"{match.group(1) if value is None else value}{match.group(2)}"

    text = re.sub(r"([一二三四五六七八九十]{1,3})([月日号])", small, text)
    return text.translate(_CHINESE_DATE)


_EPOCH_1900 = date(1899, 12, 30)
_MONTH_FORMS = (
    re.compile(r"^(\d{4})年?[-/.年]?(\d{1,2})月?份?$"),
    re.compile(r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:T?\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?$"),
    re.compile(r"^(\d{4})(\d{2})(\d{2})$"),
)


def _in_range(year: int, month: int, day: int) -> date | None:
    try:
        value = date(year, month, day)
    except ValueError:
        return None
    return value if 1949 <= year <= 2100 else None


def serial(text: str, base_1904: bool = False) -> date | None:
    """An Excel serial day between 1980 and 2100; smaller numbers are more likely something else."""
    match = re.fullmatch(r"(\d{5})(?:\.\d+)?", text)
    if not match:
        return None
    value = (date(1904, 1, 1) if base_1904 else _EPOCH_1900) + timedelta(days=int(match.group(1)))
    return value if 1980 <= value.year <= 2100 else None


@remembered
def month(written: str, year: int | None = None) -> date | Problem | None:
    """The first day of the month; `year` is the title's, for cells that say only 6月."""
    text = fold(written)
    if text in BLANKS:
        return None
    text = re.sub("[—–―]", "-", digits_of_date(text))
    match = re.fullmatch(r"(\d{4})(\d{2})", text) or re.fullmatch(r"(\d{4})\.(1[0-2]|0?[1-9])", text)
    if match:
        value = _in_range(int(match.group(1)), int(match.group(2)), 1)
        return value or Problem("R01")
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        found = serial(text)
        return found.replace(day=1) if found else Problem("R01")
    for form in _MONTH_FORMS:
        match = form.match(text)
        if match:
            parts = [int(p) for p in match.groups()]
            value = _in_range(parts[0], parts[1], parts[2] if len(parts) > 2 else 1)
            return value.replace(day=1) if value else Problem("R01")
    match = re.fullmatch(r"(\d{1,2})月?份?", text)
    if match and year is not None and text.endswith(("月", "月份")):
        value = _in_range(year, int(match.group(1)), 1)
        return value or Problem("R01")
    return Problem("R01")


def year(written: str) -> int | Problem | None:
    """A calendar year, 2025 or 2025年."""
    text = digits_of_date(fold(written))
    if text in BLANKS:
        return None
    match = re.fullmatch(r"(\d{4})年?度?", text)
    return int(match.group(1)) if match and 1949 <= int(match.group(1)) <= 2100 else Problem("R17")


def day(written: str) -> date | Problem | None:
    """A calendar day; a month alone stands for its first day, a year alone for 1 January."""
    text = fold(written)
    if text in BLANKS:
        return None
    text = digits_of_date(text)
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        return serial(text) or Problem("R17")
    match = _MONTH_FORMS[1].match(text) or _MONTH_FORMS[2].match(text)
    if match:
        year, month_no, day_no = (int(p) for p in match.groups()[:3])
        return _in_range(year, month_no, day_no) or Problem("R17")
    match = re.fullmatch(r"(\d{4})年?", text)
    if match:
        return _in_range(int(match.group(1)), 1, 1) or Problem("R17")
    found = month(written)
    return found if isinstance(found, date) else Problem("R17")


_FULL_DAY = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d{2})(?:年(?P<m>\d{1,2})月(?P<d>\d{1,2})日|([-./])(?P<m2>\d{1,2})\4(?P<d2>\d{1,2})(?!\d))"
)
# 2025年1-6月 is a period, not January.
_TITLE_MONTHS = (
    re.compile(r"(?<!\d)((?:19|20)\d{2})年(\d{1,2})月"),
    re.compile(r"(?<!\d)((?:19|20)\d{2})[-./](\d{1,2})(?![\d~至—年]|[-./]\d)"),
    re.compile(r"(?<!\d)((?:19|20)\d{2})(0[1-9]|1[0-2])(?!\d)"),
)


@remembered
def stated_month(text: str) -> date | None:
    """The one month a title, sheet name or file name speaks of; None where it names none or several.

    The day a form was filled in is no month reported on; another full date counts only where no month stands.
    """
    folded = _FILED.sub(" ", digits_of_date(fold(text)))
    days = [(d["y"], d["m"] or d["m2"]) for d in _FULL_DAY.finditer(folded)]
    rest = _FULL_DAY.sub(" ", folded)
    months = [m for form in _TITLE_MONTHS for m in form.findall(rest)] or days
    found = {value for y, m in months if (value := _in_range(int(y), int(m), 1))}
    return found.pop() if len(found) == 1 else None


_PERIOD = re.compile(
    r"(?<!\d)((?:19|20)\d{2})[年\-/.](\d{1,2})月?(?:份)?(?:\d{1,2}日)?"
    r"(?:[-~—–至到]{1,2}(?:((?:19|20)\d{2})[年\-/.])?(\d{1,2})月(?:份)?(?:\d{1,2}日)?)?"
)


def stated_period(text: str) -> tuple[date, date] | None:
    """The first and last of the months that a text speaks of (2025年1—6月, 2025年6月); None where it names none or several."""
    folded = _FILED.sub(" ", digits_of_date(fold(text)))
    spans = set()
    for year_no, first, other_year, last in _PERIOD.findall(folded):
        start = _in_range(int(year_no), int(first), 1)
        end = _in_range(int(other_year or year_no), int(last), 1) if last else start
        if start and end and start <= end:
            spans.add((start, end))
    return spans.pop() if len(spans) == 1 else None


def stated_year(text: str) -> int | None:
    """The one year a title speaks of."""
    folded = _FILED.sub(" ", digits_of_date(fold(text)))
    years = set(re.findall(r"(?<!\d)((?:19|20)\d{2})(?=年|年度|[-./_ ]|$)", folded))
    return int(years.pop()) if len(years) == 1 else None


_FILED = re.compile(
    r"(?:填表|填报|报送|上报|制表|报表|填写|报出)(?:日期|时间)[:为]?\s*(\d{4}[年\-/.]\d{1,2}[月\-/.]\d{1,2}日?|\d{8})"
)


def without_filing_day(folded: str) -> str:
    """A folded text without the day on which a form was filled in."""
    return _FILED.sub(" ", folded)


def stated_filing_day(text: str) -> date | None:
    """The day after 填表日期 in a title line or footer."""
    match = _FILED.search(digits_of_date(fold(text)))
    if not match:
        return None
    found = day(match.group(1))
    return found if isinstance(found, date) else None


def cell_text(value: object) -> str:
    """A workbook cell as text, losing nothing: whole floats without .0, 15 significant digits like Excel shows."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        if -1e15 < value < 1e15 and value.is_integer():
            return str(int(value))
        return format(value, ".15g")
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return (
            value.isoformat(sep=" ")
            if (value.hour or value.minute or value.second)
            else value.date().isoformat()
        )
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


_CODE = re.compile(r"^\d{6}$|^\d{9}$|^\d{12}$")


def code(written: str) -> str | Problem | None:
    """A division code made canonical: 6 digits down to the county, 9 to the township, 12 to the village.

    A code in scientific notation is recovered only where every digit is still there.
    """
    if len(written) == 6 and written.isascii() and written.isdecimal() and written[0] != "0":
        return written
    text = fold(written).lstrip("'")
    if text in BLANKS:
        return None
    match = re.fullmatch(r"(\d+)\.0+", text)
    if match:
        text = match.group(1)
    if re.fullmatch(r"\d{3}(?:,\d{3})+|\d{6}-\d{3}(?:-\d{3})?", text):
        text = re.sub("[,-]", "", text)
    match = re.fullmatch(r"(\d)\.(\d+)[eE]\+?(\d{1,2})", text)
    if match and len(match.group(2)) == int(match.group(3)):
        text = match.group(1) + match.group(2)
    if re.fullmatch(r"\d{2}|\d{4}", text):
        text = text.ljust(6, "0")
    if not _CODE.match(text) or text.startswith("0"):
        return Problem("R03")
    if len(text) == 12 and text.endswith("000"):
        text = text[:9]
    if len(text) == 9 and text.endswith("000"):
        text = text[:6]
    return text


HINT = "≈"


def code_or_hint(written: str) -> str | Problem | None:
    """As `code`; of a code that Excel cut short (3.60313E+11, or zeros lost at its end) what is left, after `HINT`.

    Whether that is enough to say which unit is meant is for the names to decide.
    """
    found = code(written)
    if not isinstance(found, Problem):
        return found
    text = fold(written).lstrip("'")
    match = re.fullmatch(r"(\d)(?:\.(\d+))?[eE]\+?(\d{1,2})", text)
    if match and int(match.group(3)) in (8, 11) and len(match.group(2) or "") >= 4:
        return f"{HINT}{match.group(1)}{match.group(2)}e{match.group(3)}"
    if re.fullmatch(r"[1-9]\d{6,7}|[1-9]\d{9,10}", text):
        return f"{HINT}{text}"
    return found


def hint_fits(hint: str, unit_code: str) -> bool:
    """Whether a 9-digit code is what a hint may have been: the same digits once rounded or once zeros are lost."""
    digits = hint.removeprefix(HINT)
    if "e" in digits:
        mantissa, exponent = digits.split("e")
        whole = unit_code if exponent == "8" else unit_code + "000"
        return f"{Decimal(whole):.{len(mantissa) - 1}E}".replace(".", "").split("E")[0] == mantissa
    return any(whole.rstrip("0") == digits.rstrip("0") for whole in (unit_code, unit_code + "000"))
