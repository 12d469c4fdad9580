"""The one place where a figure becomes text: labels, colours, rounding, 元/万元. Pages and reports share it.

Amounts come as `Decimal` and are rounded half up, never through a float. What was not reported is said so
(未报), what does not apply is a dash: neither is ever shown as zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from oversight.intake_messages import CATALOGUE, CELL_BY_CELL
from oversight.standards.shapes import SHAPES

if TYPE_CHECKING:
    import duckdb

MoneyUnit = Literal["yuan", "wan"]
Theme = Literal["light", "dark"]
# What is known of a figure. Only `known`, `partial` and `nil` have a value.
State = Literal["known", "partial", "nil", "not_reported", "unsure", "no_standard", "not_applicable", "none"]

NOT_REPORTED = "未报"
NONE = "—"
MINUS = "−"

MONEY_UNITS: dict[MoneyUnit, str] = {"yuan": "元", "wan": "万元"}
_WAN = Decimal(10_000)
_FEN = Decimal("0.01")


@dataclass(frozen=True)
class Look:
    """How a state is shown: its word, a mark that does not depend on colour, and a colour for each theme.

    Colours keep a contrast of at least 4.5 : 1 on the page's surfaces and differ in lightness as well as in
    hue, so that they stay apart for readers who do not tell red from green.
    """

    label: str
    mark: str
    light: str
    dark: str

    def colour(self, theme: Theme) -> str:
        """The colour on that theme's surface."""
        return self.light if theme == "light" else self.dark


STATUS: dict[str, Look] = {
    "met": Look("达标", "●", "#0f766e", "#5eead4"),
    "short": Look("不达标", "▲", "#b93a0b", "#fb923c"),
    "over": Look("超配提示", "◆", "#8a5a00", "#fcd34d"),
    "not_reported": Look("未报送", "○", "#4b5768", "#b6c2d1"),
    "no_standard": Look("无适用标准", "–", "#5b6676", "#94a3b8"),
    "not_applicable": Look("不适用", "–", "#5b6676", "#94a3b8"),
    "unconfirmed": Look("依据待确认", "？", "#6d3bd1", "#c4b5fd"),
    "cleared": Look("已整改", "✓", "#1f5fa8", "#93c5fd"),
    "unit_ended": Look("已撤并", "–", "#5b6676", "#94a3b8"),
    "superseded": Look("标准更替", "–", "#5b6676", "#94a3b8"),
}
SEVERITY: dict[str, Look] = {
    "high": Look("严重", "▲", "#b93a0b", "#fb923c"),
    "medium": Look("一般", "◆", "#8a5a00", "#fcd34d"),
    "low": Look("轻微", "●", "#4b5768", "#b6c2d1"),
}
SUBMISSION_STATUS: dict[str, Look] = {
    "accepted": Look("全部采用", "●", "#0f766e", "#5eead4"),
    "partial": Look("部分采用", "◆", "#8a5a00", "#fcd34d"),
    "refused": Look("整份退回", "▲", "#b93a0b", "#fb923c"),
    "duplicate": Look("重复文件", "–", "#5b6676", "#94a3b8"),
}
DISPOSITION: dict[str, Look] = {
    "rejected": Look("退回", "▲", "#b93a0b", "#fb923c"),
    "held": Look("待确认", "◆", "#8a5a00", "#fcd34d"),
}
ROW_STATUS = {"accepted": "采用", "held": "待确认", "rejected": "退回", "ignored": "忽略"}

LEVEL = {
    "province": "省级",
    "city": "市级",
    "county": "县级",
    "township": "乡级",
    "village": "村",
    "community": "社区",
    "institution": "机构",
}
FORCE = {"binding": "规范性文件", "report": "经验材料", "plan": "工作计划"}
STRENGTH = {
    "must": "应当",
    "principle": "原则上",
    "conditional": "视条件",
    "option": "可以",
    "aim": "争取",
    "plan": "计划",
    "benchmark": "参照",
}
PERIOD = {
    "month": "按月",
    "quarter": "按季",
    "half_year": "按半年",
    "year": "按年",
    "two_years": "每两年",
    "once": "一次",
}
GRADEABLE = {
    "Y": "可判定",
    "soft": "只作提示",
    "check": "核对用",
    "derived": "由他项合成",
    "N": "不判定",
}
POPULATION_BASIS = {"registered": "户籍人口", "resident": "常住人口"}
POPULATION_DATE_RULE = {"prior_year_end": "上年末"}
EDGE_RULE = {
    "legal_default": "含本数（民法典第一千二百五十九条）",
    "favour_township": "分档线上从高",
    "half_open": "左闭右开",
}
# The doubts that intake notes on a row it uses all the same, or on a cell without which it uses the row.
DOUBTS = {
    code: message.title_zh
    for code, message in CATALOGUE.items()
    if code.startswith("D") or code in CELL_BY_CELL
}
FORMULA = {name: shape.label for name, shape in SHAPES.items()}
DATASET = {
    "divisions": "行政区划",
    "population": "户籍人口",
    "budget": "民政工作经费",
    "staffing": "民政工作人员",
    "indicators": "能力建设指标",
    "payments": "国库支付明细",
}
# Whose report a row is, and of which fund; a data folder may name more.
SOURCE = {
    "township": "乡镇报送",
    "treasury": "财政国库",
    "police": "公安",
    "statistics": "统计",
    "establishment": "机构编制",
    "human_resources": "人社",
}
FUND = {"working_funds": "民政工作经费"}
# Why an answer is what it is, where the figures alone do not say.
REASON = {
    "before_deadline": "未到期限",
    "target_only": "目标或参照，未达到也不算不达标",
    "stale_basis": "依据超过确认期限",
    "nothing_to_count": "没有应计的对象",
    "unlisted": "没有该类对象的名册",
    "roster_incomplete": "下级对象的名册不全",
    "missing": "缺报",
    "silent": "未报",
    "stale_population": "人口数过旧",
    "too_coarse": "报数过粗",
    "within_precision": "在报数精度之内",
    "uncountable": "算不出",
}
# How the report of a township for a month came.
REPORT_STATUS: dict[str, Look] = {
    "on_time": Look("按时", "●", "#0f766e", "#5eead4"),
    "late": Look("逾期", "◆", "#8a5a00", "#fcd34d"),
    "undated": Look("已报，时间不明", "●", "#0f766e", "#5eead4"),
    "corrected": Look("已报并更正", "●", "#0f766e", "#5eead4"),
    "refused": Look("报了未能入库", "▲", "#b93a0b", "#fb923c"),
    "missing": Look("未报送", "○", "#56637a", "#a6b4c5"),
    "not_due": Look("未到期", "–", "#56637a", "#a6b4c5"),
}
# How the main figure of a report was told, where it is not a number; 0 is a number.
TOLD: dict[str, Look] = {
    "nil": Look("零报告", "●", "#0f766e", "#5eead4"),
    "dash": Look("数为横线", "○", "#56637a", "#a6b4c5"),
    "blank": Look("数为空白", "○", "#56637a", "#a6b4c5"),
}
# The same beside how the report came: 按时，零报告.
REPORT_TOLD: dict[str, Look] = REPORT_STATUS | {
    f"{status}/{told}": Look(f"{came.label}，{look.label}", look.mark, look.light, look.dark)
    for status, came in REPORT_STATUS.items()
    for told, look in TOLD.items()
}
# How far payment has come beside the year; within the year it is no violation.
PACE: dict[str, Look] = {
    "on_pace": Look("正常", "●", "#0f766e", "#5eead4"),
    "behind": Look("滞后", "◆", "#8a5a00", "#fcd34d"),
    "far_behind": Look("严重滞后", "▲", "#b93a0b", "#fb923c"),
}
QUALITY_KIND: dict[str, Look] = {
    "blocking": Look("流程有误", "▲", "#b93a0b", "#fb923c"),
    "doubt": Look("数据存疑", "◆", "#8a5a00", "#fcd34d"),
    "short": Look("未达标准", "●", "#1f5fa8", "#93c5fd"),
}

_CODED: dict[str, dict[str, Look] | dict[str, str]] = {
    "status": STATUS,
    "severity": SEVERITY,
    "disposition": DISPOSITION,
    "subject_level": LEVEL,
    "issuer_level": LEVEL,
    "force": FORCE,
    "strength": STRENGTH,
    "period": PERIOD,
    "gradeable": GRADEABLE,
    "population_basis": POPULATION_BASIS,
    "population_date_rule": POPULATION_DATE_RULE,
    "edge_rule": EDGE_RULE,
    "formula": FORMULA,
    "row_status": ROW_STATUS,
    "reason": REASON,
    "status_reason": REASON,
    "pace": PACE,
    "source": SOURCE,
    "allocated_source": SOURCE,
    "disbursed_source": SOURCE,
    "spent_source": SOURCE,
    "fund_code": FUND,
}


# What stands where a figure has no value, and beside one that is not whole.
STATES: dict[State, str] = {
    "known": "",
    "partial": "不全",
    "nil": "零报告",
    "not_reported": NOT_REPORTED,
    "unsure": "无法判定",
    "no_standard": "无适用标准",
    "not_applicable": "不适用",
    "none": NONE,
}


@dataclass(frozen=True)
class Figure:
    """A figure with what is known of it, from the query to the screen: nobody decides anew what NULL means.

    `reason` is a code of `REASON`; `as_of` is the month of the report the value rests on, `precision` one unit of
    its last place.
    """

    value: Decimal | int | None
    state: State = "known"
    reason: str = ""
    as_of: date | None = None
    precision: Decimal | None = None
    # Known of one unit, and not among the units that a total of it runs over.
    is_apart: bool = False

    def __post_init__(self) -> None:
        if (self.value is not None) is not (self.state in ("known", "partial", "nil")):
            raise ValueError(f"{self.state} with value {self.value}")

    @property
    def word(self) -> str:
        """What is read in place of the value, or beside one that is not whole."""
        if self.state == "unsure":
            return REASON.get(self.reason, STATES[self.state])
        if self.reason in TOLD and self.state != "nil":
            wanting = TOLD[self.reason].label
            return wanting if self.state == "not_reported" else f"{STATES[self.state]}，当月{wanting}"
        return STATES[self.state]

    @property
    def is_known(self) -> bool:
        """Whether there is a number to show."""
        return self.value is not None

    @property
    def is_added(self) -> bool:
        """Whether a total takes it: what is known in part, or of a unit that the total does not run over, stands beside."""
        return self.state in ("known", "nil") and not self.is_apart

    def beside(self, text: str) -> str:
        """The text of its value with the word that says it is not whole."""
        return f"{text}（{self.word}）" if self.is_known and self.word else text


NO_ROW = Figure(None, "none")


# A run as the orchestrator records it, in words.
RUN_STATUS = {
    "SUCCESS": "完成",
    "FAILURE": "失败",
    "CANCELED": "已取消",
    "STARTED": "运行中",
    "STARTING": "正在启动",
    "QUEUED": "排队",
    "NOT_STARTED": "未开始",
    "CANCELING": "正在取消",
}
_OVER = ("SUCCESS", "FAILURE", "CANCELED")


def run_status(status: str, *, is_held: bool) -> str:
    """How a run stands; one that is not over though nobody holds the folder was cut off."""
    return RUN_STATUS.get(status, status) if is_held or status in _OVER else "中断"


def absence(table: str, column: str, row: Mapping[str, Any]) -> Figure:
    """Why a published column has no value in a row: the one place that says what NULL means."""
    if table in _OF_A_STANDARD:
        status = row.get("status")
        if status is None:
            return NO_ROW  # not in force
        if status == "not_applicable":
            return Figure(None, "not_applicable")
        if status == "no_standard" and column not in _REPORTED:
            return Figure(None, "no_standard")
        if column in _ATTRIBUTES:
            return NO_ROW
        if column == "disbursed_ytd_cny" and row.get("disbursed_told") in TOLD:
            return Figure(None, "not_reported", str(row["disbursed_told"]))
        if column in _RATES and row.get(_RATES[column][0]) is not None and row.get(_RATES[column][1]) == 0:
            # Both are known, and of nothing there is no rate.
            return Figure(None, "not_applicable")
        reason = row.get("status_reason") or row.get("reason") or ""
        if reason in ("stale_population", "too_coarse") and column not in _REPORTED:
            return Figure(None, "unsure", reason)
        return Figure(None, "not_reported", reason)
    if table.startswith("reported."):
        return Figure(None, "not_reported")
    return NO_ROW


def figure(table: str, column: str, row: Mapping[str, Any]) -> Figure:
    """A published number with what is known of it."""
    value = row.get(column)
    if value is None:
        return absence(table, column, row)
    as_of_month, partial, precision = _told_beside(column)
    as_of, month = row.get(as_of_month), row.get("month")
    is_partial = bool(
        row.get(partial)
        or (column == "counted_persons" and row.get("counted_is_partial"))
        # A budget holds until another is reported; what is paid or spent does not.
        or (column in _FLOWS and as_of is not None and month is not None and as_of < month)
    )
    if column in _RATES:
        value = rate(value, *(row.get(name) for name in _RATES[column]))
    # What the township's own report says of its payments says nothing of another source's figure.
    is_own = column == "disbursed_ytd_cny" and row.get("disbursed_source") in (None, "township")
    told = str(row.get("disbursed_told") or "") if is_own else ""
    is_nil = told == "nil" and not is_partial
    return Figure(
        value,
        "partial" if is_partial else "nil" if is_nil else "known",
        told if told in ("dash", "blank") and is_partial else "",
        as_of=as_of,
        precision=row.get(precision),
    )


@cache
def _told_beside(column: str) -> tuple[str, str, str]:
    """The columns that say as of when a figure is, whether it is a part, and how precise."""
    stem = column.removesuffix("_cny").removesuffix("_ytd").removesuffix("_annual")
    return f"{stem}_as_of_month", f"{stem}_is_partial", f"{stem}_precision_cny"


_FLOWS = ("disbursed_ytd_cny", "spent_ytd_cny")
# Rates of a township, with the two amounts they divide.
_RATES = {
    "adequacy_pct": ("allocated_annual_cny", "guaranteed_annual_cny"),
    "disbursed_pct": ("disbursed_ytd_cny", "guaranteed_ytd_cny"),
    "progress_pct": ("disbursed_ytd_cny", "guaranteed_annual_cny"),
    "spent_pct": ("spent_ytd_cny", "disbursed_ytd_cny"),
}
# Tables whose rows answer a standard: a status says why a figure is not there.
_OF_A_STANDARD = ("funding_gap_monthly", "staffing_gap_monthly", "judgements", "findings")
# Their columns that are as the township reported them, standard or not.
_REPORTED = (
    "population_persons",
    "allocated_annual_cny",
    "disbursed_ytd_cny",
    "spent_ytd_cny",
    "spent_pct",
    "counted_persons",
    "value_checked",
)
# Their columns that may be empty without anything being unknown.
_ATTRIBUTES = (
    "also_standard_id",
    "other_tier_label",
    "other_annual_cny",
    "advised_max_persons",
    "advised_most_persons",
    "tier_label",
    "reason",
    "status_reason",
    "cleared_month",
)


def label(kind: Mapping[str, Look] | Mapping[str, str], code: str | None) -> str:
    """The Chinese word for a code; the code itself when it is not known, a dash when there is none."""
    if code is None:
        return NONE
    found = kind.get(code)
    return found.label if isinstance(found, Look) else found or code


def words_of(column: str, table: str = "") -> dict[str, str]:
    """The Chinese words for the codes of a published column; empty for a column that has none."""
    coded = SUBMISSION_STATUS if (table, column) == ("submissions", "status") else _CODED.get(column, {})
    return {code: found.label if isinstance(found, Look) else found for code, found in coded.items()}


def doubts(codes: str) -> str:
    """The doubts of a row in words: `D01;D04` as 用旧代码或新代码报送、累计数不等于各月之和."""
    return "、".join(DOUBTS.get(code.strip(), code.strip()) for code in codes.replace("；", ";").split(";"))


def status_label(code: str | None) -> str:
    """达标, 不达标, …"""
    return label(STATUS, code)


def datasets_label(codes: str | None) -> str:
    """Names of the datasets of a file, whose codes are joined by commas."""
    if not codes:
        return "无法识别"
    return "、".join(DATASET.get(code.strip(), code.strip()) for code in codes.split(","))


def rounded(value: Decimal, places: int) -> Decimal:
    """Half up, as 四舍五入."""
    return value.quantize(_last_place(places), rounding=ROUND_HALF_UP)


@cache
def _last_place(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def breadth(text: str) -> int:
    """How wide a text is set, in figures: a Chinese character takes the room of two."""
    return len(text) if text.isascii() else 2 * len(text) - len(_WIDE.sub("", text))


_WIDE = re.compile("[^\x00-\u2e80]+")


def number(value: Decimal | int | None, places: int = 0, *, absent: str = NOT_REPORTED) -> str:
    """A number with thousands separators and a fixed number of decimals."""
    if value is None:
        return absent
    return f"{rounded(Decimal(value), places):,}".replace("-", MINUS)


def count(value: int | Decimal | None, *, absent: str = NOT_REPORTED) -> str:
    """A whole number of people, townships, files."""
    return number(value, 0, absent=absent)


def money(
    cny: Decimal | int | None,
    unit: MoneyUnit = "wan",
    *,
    places: int = 2,
    named: bool = False,
    absent: str = NOT_REPORTED,
) -> str:
    """An amount held in 元, as 元 or 万元. What is not nought never reads as nought: it gets decimals enough."""
    if cny is None:
        return absent
    value = money_value(cny, unit)
    while value and places < 6 and not rounded(value, places):
        places += 2
    text = number(value, places)
    return f"{text} {MONEY_UNITS[unit]}" if named else text


def money_brief(cny: Decimal, unit: MoneyUnit) -> str:
    """An amount beside a mark on a chart: short, but never rounded away to nought."""
    if unit == "yuan":
        return money(cny, unit, places=0 if abs(cny) >= 100 else 2)
    return money(cny, unit, places=1) if abs(cny) >= _WAN / 20 else money(cny, "yuan", named=True)


def money_value(cny: Decimal | int, unit: MoneyUnit) -> Decimal:
    """The amount in that unit, unrounded."""
    return Decimal(cny) / _WAN if unit == "wan" else Decimal(cny)


def signed(text: str) -> str:
    """A change: a plus sign before what is neither negative nor nought."""
    is_plain = text[:1].isdigit() and any(character in "123456789" for character in text)
    return f"+{text}" if is_plain else text


def trimmed(value: Decimal) -> Decimal:
    """The same number without the noughts that a column's scale adds."""
    plain = value.normalize()
    return plain.quantize(Decimal(1)) if plain == plain.to_integral_value() else plain


def ratio_pct(part: Decimal | int | None, whole: Decimal | int | None) -> Decimal | None:
    """part ÷ whole × 100, two decimals half up; None where either is missing or the whole is nought."""
    if part is None or not whole:
        return None
    return rounded(Decimal(part) * 100 / Decimal(whole), 2)


def rate(value: Decimal, part: Decimal | int | None, whole: Decimal | int | None) -> Decimal:
    """A published rate of 100 whose part is not the whole, with decimals enough to tell the two apart."""
    if value != 100 or part is None or not whole or part == whole:
        return value
    exact = Decimal(part) * 100 / Decimal(whole)
    return next((told for places in range(3, 9) if (told := rounded(exact, places)) != 100), value)


def percent(value: Decimal | None, places: int = 1, *, named: bool = True, absent: str = NONE) -> str:
    """A value held in per cent. What is not 100 never reads as 100: it gets decimals enough."""
    if value is None:
        return absent
    while value != 100 and places < 8 and rounded(value, places) == 100:
        places += 1
    return number(value, places) + ("%" if named else "")


def month(value: date | None, *, absent: str = NONE) -> str:
    """2025年6月."""
    return f"{value.year}年{value.month}月" if value else absent


def month_code(value: date) -> str:
    """2025-06, as in addresses and file names."""
    return f"{value.year:04}-{value.month:02}"


def month_short(value: date) -> str:
    """25-06, for axes."""
    return f"{value:%y-%m}"


def day(value: date | None, *, absent: str = NONE) -> str:
    """2025年6月10日."""
    return f"{value.year}年{value.month}月{value.day}日" if value else absent


def moment(value: datetime | None, *, absent: str = NONE) -> str:
    """2025-06-10 08:30."""
    return f"{value:%Y-%m-%d %H:%M}" if value else absent


def yes_no(value: bool | None, *, absent: str = NOT_REPORTED) -> str:
    """是 or 否."""
    return absent if value is None else "是" if value else "否"


def quantity(
    value: Decimal | int | None,
    unit: str | None,
    money_unit: MoneyUnit = "wan",
    *,
    absent: str = NOT_REPORTED,
) -> str:
    """A judged value with its unit: money as chosen, everything else without needless zeros."""
    if value is None:
        return absent
    if unit in ("元", "元/年"):
        # A few 元 are said as such: 0.0003 万元 helps nobody.
        small = 0 < abs(Decimal(value)) < _WAN / 200
        return money(Decimal(value), "yuan" if small else money_unit, named=True)
    if unit == "是/否":
        return yes_no(bool(value))
    plain = f"{Decimal(value):,f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return f"{plain} {unit or ''}".strip().replace("-", MINUS)


def shortfall(
    value: Decimal | int | None, unit: str | None, money_unit: MoneyUnit = "wan", *, is_sum: bool = False
) -> str:
    """What is missing, with its unit. Of a yes-or-no rule the thing itself is missing; percentages have no sum."""
    if value is None or (is_sum and unit == "%"):
        return NONE
    if unit == "是/否":
        return NONE if not value else f"{count(value)} 项" if is_sum else "缺"
    return quantity(value, unit, money_unit)


def division_name(name: str | None, code: str) -> str:
    """A division's name; where the divisions file has none between province and county, what stands there."""
    if name and name != code:
        return name
    if len(code) == 6 and code.endswith("00") and not code.endswith("0000"):
        return {"90": "省直辖县级单位", "01": "市辖区", "02": "市辖县"}.get(code[2:4], code)
    return name or code


@dataclass(frozen=True)
class ColumnText:
    """A public column as its comment in the warehouse describes it."""

    name: str
    title: str
    unit: str
    hint: str

    def heading(self, money_unit: MoneyUnit = "yuan") -> str:
        """Title with unit, money in the unit chosen."""
        unit = MONEY_UNITS[money_unit] if self.unit == "元" else self.unit
        return f"{self.title}（{unit}）" if unit else self.title


_COMMENT = re.compile(r"^(?P<title>[^：]+?)(?:[（(](?P<unit>[^（()）]*)[)）])?(?:：(?P<hint>.*))?$", re.S)
_UNIT_OF_SUFFIX = {"_cny": "元", "_persons": "人", "_posts": "名", "_pct": "%"}


def column_text(name: str, comment: str | None) -> ColumnText:
    """Read `标题（单位）：说明`; a column without a comment keeps its own name."""
    unit = next((unit for suffix, unit in _UNIT_OF_SUFFIX.items() if name.endswith(suffix)), "")
    found = _COMMENT.match(comment or "")
    if found is None:
        return ColumnText(name, comment or name, unit, "")
    return ColumnText(name, found["title"].strip(), found["unit"] or unit, (found["hint"] or "").strip())


def column_texts(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], dict[str, ColumnText]]:
    """Titles, units and hints of every published column, by (schema, table) and column."""
    texts: dict[tuple[str, str], dict[str, ColumnText]] = {}
    rows = connection.execute(
        "select schema_name, table_name, column_name, comment from duckdb_columns() "
        "where not internal order by schema_name, table_name, column_index"
    ).fetchall()
    for schema, table, name, comment in rows:
        texts.setdefault((schema, table), {})[name] = column_text(name, comment)
    return texts


def cell(
    name: str,
    value: Any,
    money_unit: MoneyUnit = "wan",
    *,
    absent: str = NOT_REPORTED,
    unit: str | None = None,
) -> str:
    """A value of a public column as text, told by the column's name and type."""
    if name == "dataset":
        return datasets_label(value)
    if value is None:
        return absent
    coded = _CODED.get(name)
    if coded is not None:
        # A rule may speak of several levels at once: village;community.
        return "、".join(label(coded, part) for part in str(value).split(";"))
    if name.endswith("_cny"):
        return money(value, money_unit)
    if name.endswith("_pct"):
        return percent(value, 2)
    if name in ("value_checked", "value_expected", "shortfall"):
        return quantity(value, unit, money_unit)
    if name.endswith("_year"):
        return f"{value}年"
    if isinstance(value, bool):
        return yes_no(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return month(value) if name == "month" or "month" in name.split("_") else day(value)
    if isinstance(value, int):
        return count(value)
    if isinstance(value, Decimal):
        return quantity(value, None)
    return str(value)


def source_line(edition_id: str, last_month: date | None, built_at: datetime | None) -> str:
    """Where the figures come from; stands under every table taken away."""
    until = month(last_month) if last_month else NONE
    return f"来源：乡镇保障督查平台，数据版本 {edition_id}，数据截至 {until}，生成于 {moment(built_at)}"
