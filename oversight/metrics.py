"""Every figure of a roll-up: its Chinese name, its unit, over which townships it runs, and how it is shown. Once.

dbt computes the figures (`detail.unit_monthly`, one row a county, city, province or the whole country and month);
whoever shows one takes the column from here and nothing else: dashboard, report, summary, dictionary and the Chinese
relations. A name tells over which units a figure runs: `_of_covered` are townships that a funding standard covers,
`_of_judged` those of which guarantee and allocation are known, `_of_complete` those whose payments are known to the
month. The two sums of a rate run over the same units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from oversight import presentation as show
from oversight.presentation import Figure, MoneyUnit

Row = Mapping[str, Any]
Direction = Literal["", "bad", "good"]


@dataclass(frozen=True)
class Metric:
    """A figure of a roll-up.

    `key` is its column in `detail.unit_monthly`; `over` says over which units it runs; a rate names the sums it
    divides; `own` is the same figure of one township in `funding_gap_monthly`. `asked` counts the units of which
    it is asked (`unasked`: what holds where there are none), `told` those of which it is known. `rising` says what
    it means when it grows.
    """

    key: str
    title: str
    unit: str
    over: str
    hint: str = ""
    part: str = ""
    whole: str = ""
    own: str = ""
    asked: str = "units_count"
    unasked: show.State = "no_standard"
    told: str = ""
    rising: Direction = ""
    is_of_year: bool = False
    # Why it is not there though units are asked for it, where that is not for want of a report: a code of `REASON`.
    unsure: str = ""

    @property
    def comment(self) -> str:
        """The column's comment in the warehouse: 标题（单位）：说明."""
        told = f"{self.over}；{self.hint}" if self.hint else self.over
        return f"{self.title}（{self.unit}）：{told}"

    def of(self, row: Row | None) -> Figure:
        """The figure in a roll-up's row, and why it is not there when it is not."""
        if row is None:
            return show.NO_ROW
        value = row[self.key]
        if value is not None:
            if self.part:
                value = show.rate(Decimal(value), row[self.part], row[self.whole])
            return Figure(value)
        if not row["units_count"]:
            return Figure(None, "not_applicable")
        if self.whole.endswith("_cny") and row[self.part] is not None and row[self.whole] == 0:
            # Both sums are known, and of nothing there is no rate.
            return Figure(None, "not_applicable")
        if row[self.asked] and self.unsure:
            return Figure(None, "unsure", self.unsure)
        return Figure(None, "not_reported" if row[self.asked] else self.unasked)

    def of_township(self, row: Row) -> Figure:
        """The same figure of one township, from its row of `funding_gap_monthly` and `detail.township_monthly`."""
        if self.own.startswith("staff_"):
            return show.figure("staffing_gap_monthly", self.own, {**row, "status": row["staff_status"]})
        found = show.figure("funding_gap_monthly", self.own, row)
        is_added = (
            self.part or not found.is_known or self.told not in _RUNS_OVER or _RUNS_OVER[self.told](row)
        )
        return found if is_added else replace(found, is_apart=True)

    def count_text(self, row: Row | None) -> str:
        """Of how many units the figure is known, where it is not known of all."""
        if row is None or not self.told or not row[self.asked] or row[self.told] == row[self.asked]:
            return ""
        return f"{show.count(row[self.told])} / {show.count(row[self.asked])} 个乡镇"

    def text(self, row: Row | None, money: MoneyUnit = "wan", *, places: int = 2, named: bool = False) -> str:
        """The figure as it is read."""
        return self.written(self.of(row), money, places=places, named=named)

    def written(
        self, figure: Figure, money: MoneyUnit = "wan", *, places: int = 2, named: bool = False
    ) -> str:
        """A value of this figure as it is read; a word where there is none."""
        if figure.value is None:
            return figure.word
        if self.unit == "元":
            return show.money(figure.value, money, places=places, named=named)
        if self.unit == "%":
            return show.percent(Decimal(figure.value), places, named=named)
        return show.count(figure.value) + (f" {self.unit}" if named else "")

    def told_text(self, figure: Figure, money: MoneyUnit = "wan", *, named: bool = False) -> str:
        """The same where nothing beside it says that a value is not whole."""
        return figure.beside(self.written(figure, money, named=named))

    def unit_text(self, money: MoneyUnit = "wan") -> str:
        """The unit as shown beside the number."""
        return show.MONEY_UNITS[money] if self.unit == "元" else self.unit

    def heading(self, money: MoneyUnit = "yuan") -> str:
        """Title with unit."""
        return f"{self.title}（{self.unit_text(money)}）" if self.unit else self.title


def _is_known_to_date(row: Row, what: str) -> bool:
    return bool(row[f"{what}_as_of_month"] == row["month"] and not row[f"{what}_is_partial"])


# Whether a total runs over a township, by the count of those it runs over: as `int_amounts_to_add` has it.
_RUNS_OVER: dict[str, Callable[[Row], bool]] = {
    "judged_count": lambda row: row["status"] in ("met", "short"),
    "complete_count": lambda row: (
        row["guaranteed_ytd_cny"] is not None and _is_known_to_date(row, "disbursed")
    ),
    "spending_count": lambda row: (
        row["standard_id"] is not None
        and _is_known_to_date(row, "disbursed")
        and _is_known_to_date(row, "spent")
    ),
}

_COVERED = "有经费标准的乡镇"
_KNOWN = "有经费标准且人口已知的乡镇"
_JUDGED = "能够判定的乡镇（应保障与安排均已知）"
_COMPLETE = "拨付数报到当月的乡镇"
_SPENDING = "拨付数和支出数都报到当月的乡镇"
_COMPARED = "能与应保障相比的乡镇"
_ASKED = "有人员标准的乡镇"
_STAFFED = "人员数已知的乡镇"
_DUE = "应报送的乡镇（街道）"
_YEAR = "年内撤销而没有承接单位的，到撤销时为止计入"


def _list(*metrics: Metric) -> dict[str, Metric]:
    return {metric.key: metric for metric in metrics}


METRICS: dict[str, Metric] = _list(
    Metric("units_count", "在册乡镇", "个", "当月末在册的乡镇级单位"),
    Metric("ended_count", "年内撤销", "个", "当年已撤销、没有承接单位而仍计入合计的乡镇"),
    Metric("covered_count", "有经费标准的乡镇", "个", _COVERED, _YEAR),
    Metric("judged_count", "可判定乡镇", "个", _JUDGED, _YEAR, asked="covered_count"),
    Metric("short_count", "不达标乡镇", "个", _JUDGED, "年度安排低于应保障的", rising="bad"),
    Metric("met_count", "达标乡镇", "个", _JUDGED, "年度安排不低于应保障的", rising="good"),
    Metric("not_reported_count", "未报送乡镇", "个", _COVERED, "人口或预算未报、不能判定的", rising="bad"),
    Metric("no_standard_count", "无经费标准的乡镇", "个", "没有适用经费标准的乡镇"),
    Metric(
        "met_of_judged_pct",
        "达标率",
        "%",
        _JUDGED,
        "达标乡镇÷可判定乡镇",
        part="met_count",
        whole="judged_count",
        asked="covered_count",
        told="judged_count",
        rising="good",
    ),
    Metric(
        "guaranteed_of_covered_cny",
        "应保障总额",
        "元",
        _KNOWN,
        "含未报预算的，所以不与已安排相除",
        asked="covered_count",
    ),
    Metric(
        "guaranteed_ytd_of_covered_cny",
        "截至当月应保障总额",
        "元",
        _KNOWN,
        "含未报拨付的，所以不与已拨付相除",
        asked="covered_count",
        is_of_year=True,
    ),
    Metric(
        "allocated_of_covered_cny",
        "已安排总额",
        "元",
        _COVERED,
        "含人口未报的，所以不与应保障相除",
        asked="covered_count",
    ),
    Metric(
        "guaranteed_of_judged_cny",
        "全年应保障",
        "元",
        _JUDGED,
        "按标准全年应保障的工作经费",
        own="guaranteed_annual_cny",
        asked="covered_count",
        told="judged_count",
    ),
    Metric(
        "guaranteed_ytd_of_judged_cny",
        "可判定乡镇截至当月应保障",
        "元",
        _JUDGED,
        own="guaranteed_ytd_cny",
        asked="covered_count",
        told="judged_count",
        is_of_year=True,
    ),
    Metric(
        "allocated_of_judged_cny",
        "全年已安排",
        "元",
        _JUDGED,
        "最近一次报的年度预算；年内撤销的至多计到撤销时的应保障",
        own="allocated_annual_cny",
        asked="covered_count",
        told="judged_count",
    ),
    Metric(
        "allocation_shortfall_of_judged_cny",
        "安排缺口",
        "元",
        _JUDGED,
        "各乡镇应保障减已安排，多安排的不抵",
        own="allocation_shortfall_cny",
        asked="covered_count",
        told="judged_count",
        rising="bad",
    ),
    Metric(
        "allocation_surplus_of_judged_cny",
        "安排结余",
        "元",
        _JUDGED,
        "各乡镇已安排超过应保障的部分",
        own="allocation_surplus_cny",
        asked="covered_count",
        told="judged_count",
    ),
    Metric(
        "adequacy_of_judged_pct",
        "保障率",
        "%",
        _JUDGED,
        "已安排÷应保障",
        part="allocated_of_judged_cny",
        whole="guaranteed_of_judged_cny",
        own="adequacy_pct",
        asked="covered_count",
        told="judged_count",
        rising="good",
    ),
    Metric("complete_count", "拨付已知乡镇", "个", _COMPLETE, _YEAR, asked="covered_count"),
    Metric(
        "guaranteed_of_complete_cny",
        "拨付已知乡镇全年应保障",
        "元",
        _COMPLETE,
        own="guaranteed_annual_cny",
        asked="covered_count",
        told="complete_count",
    ),
    Metric(
        "guaranteed_ytd_of_complete_cny",
        "截至当月应保障",
        "元",
        _COMPLETE,
        "全年应保障中已到期的部分",
        own="guaranteed_ytd_cny",
        asked="covered_count",
        told="complete_count",
        is_of_year=True,
    ),
    Metric(
        "disbursed_of_complete_cny",
        "本年已拨付",
        "元",
        _COMPLETE,
        "当年累计拨付",
        own="disbursed_ytd_cny",
        asked="covered_count",
        told="complete_count",
        is_of_year=True,
    ),
    Metric(
        "disbursed_of_complete_pct",
        "拨付率",
        "%",
        _COMPLETE,
        "已拨付÷截至当月应保障",
        part="disbursed_of_complete_cny",
        whole="guaranteed_ytd_of_complete_cny",
        own="disbursed_pct",
        asked="covered_count",
        told="complete_count",
        rising="good",
    ),
    Metric(
        "progress_of_complete_pct",
        "拨付进度",
        "%",
        _COMPLETE,
        "已拨付÷全年应保障，与时序进度相比",
        part="disbursed_of_complete_cny",
        whole="guaranteed_of_complete_cny",
        own="progress_pct",
        asked="covered_count",
        told="complete_count",
        is_of_year=True,
    ),
    Metric(
        "calendar_of_complete_pct",
        "时序进度",
        "%",
        _COMPLETE,
        "截至当月应保障÷全年应保障",
        part="guaranteed_ytd_of_complete_cny",
        whole="guaranteed_of_complete_cny",
        own="calendar_pct",
        asked="covered_count",
        told="complete_count",
        is_of_year=True,
    ),
    Metric(
        "partly_paid_count",
        "拨付不全乡镇",
        "个",
        "拨付数没有报到当月、只知一部分的乡镇",
        asked="covered_count",
    ),
    Metric(
        "disbursed_of_partly_cny",
        "拨付不全乡镇的已知拨付",
        "元",
        "拨付数没有报到当月、只知一部分的乡镇",
        "不计入本年已拨付",
        asked="partly_paid_count",
        unasked="none",
        is_of_year=True,
    ),
    Metric("compared_count", "可比拨付的乡镇", "个", _COMPARED, _YEAR, asked="covered_count"),
    Metric(
        "underpaid_count",
        "拨付不足乡镇",
        "个",
        _COMPARED,
        "累计拨付低于截至当月应保障的",
        rising="bad",
    ),
    Metric(
        "disbursement_shortfall_of_compared_cny",
        "拨付差额",
        "元",
        _COMPARED,
        "截至当月应保障减已拨付，多拨的不抵",
        own="disbursement_shortfall_ytd_cny",
        asked="covered_count",
        told="compared_count",
        rising="bad",
        is_of_year=True,
    ),
    Metric("on_pace_count", "拨付正常乡镇", "个", _COMPLETE, "进度不低于时序的", asked="covered_count"),
    Metric(
        "behind_count", "拨付滞后乡镇", "个", _COMPLETE, "进度低于时序的", asked="covered_count", rising="bad"
    ),
    Metric(
        "far_behind_count",
        "拨付严重滞后乡镇",
        "个",
        _COMPLETE,
        "进度不到时序一半，或连续几个月分文未拨的",
        asked="covered_count",
        rising="bad",
    ),
    Metric("spending_count", "支出已知乡镇", "个", _SPENDING, _YEAR, asked="covered_count"),
    Metric(
        "disbursed_of_spending_cny",
        "支出已知乡镇的拨付",
        "元",
        _SPENDING,
        own="disbursed_ytd_cny",
        asked="covered_count",
        told="spending_count",
        is_of_year=True,
    ),
    Metric(
        "spent_of_spending_cny",
        "本年已支出",
        "元",
        _SPENDING,
        "当年累计支出",
        own="spent_ytd_cny",
        asked="covered_count",
        told="spending_count",
        is_of_year=True,
    ),
    Metric(
        "spent_of_spending_pct",
        "支出率",
        "%",
        _SPENDING,
        "已支出÷已拨付",
        part="spent_of_spending_cny",
        whole="disbursed_of_spending_cny",
        own="spent_pct",
        asked="covered_count",
        told="spending_count",
        is_of_year=True,
    ),
    Metric("staff_asked_count", "有人员标准的乡镇", "个", _ASKED),
    Metric("staff_judged_count", "人员可判定乡镇", "个", _STAFFED, asked="staff_asked_count"),
    Metric("staff_short_count", "人员不足乡镇", "个", _STAFFED, asked="staff_asked_count", rising="bad"),
    Metric(
        "staff_silent_count",
        "人员未报乡镇",
        "个",
        _ASKED,
        "人员数未报的",
        asked="staff_asked_count",
        rising="bad",
    ),
    Metric(
        "staff_shortfall_of_judged_persons",
        "人员缺口",
        "人",
        _STAFFED,
        "同一乡镇适用几项标准的，取缺得最多的一项，一人只计一次",
        own="staff_shortfall_persons",
        asked="staff_asked_count",
        told="staff_judged_count",
        rising="bad",
    ),
    Metric(
        "staff_excess_of_judged_persons",
        "超配人数",
        "人",
        _STAFFED,
        "超过建议上限的",
        asked="staff_asked_count",
        told="staff_judged_count",
    ),
    Metric(
        "staff_required_of_asked_persons",
        "应配人数",
        "人",
        _ASKED,
        "各项标准要求的最低数",
        asked="staff_asked_count",
    ),
    Metric("expected_count", "应报送乡镇", "个", _DUE),
    Metric(
        "population_missing_count",
        "缺户籍人口",
        "个",
        _DUE,
        "当月未报户籍人口的",
        asked="expected_count",
        unasked="not_applicable",
        rising="bad",
    ),
    Metric(
        "budget_missing_count",
        "缺民政工作经费",
        "个",
        _DUE,
        "当月未报民政工作经费的",
        asked="expected_count",
        unasked="not_applicable",
        rising="bad",
    ),
    Metric(
        "staffing_missing_count",
        "缺民政工作人员",
        "个",
        _DUE,
        "当月未报民政工作人员的",
        asked="expected_count",
        unasked="not_applicable",
        rising="bad",
    ),
    Metric(
        "missing_count",
        "未报齐乡镇",
        "个",
        _DUE,
        "当月人口、经费、人员三张表没有报齐的",
        asked="expected_count",
        unasked="not_applicable",
        rising="bad",
    ),
    Metric(
        "complete_reports_pct",
        "报齐率",
        "%",
        _DUE,
        "三张表报齐的乡镇÷应报送乡镇",
        whole="expected_count",
        asked="expected_count",
        unasked="not_applicable",
        rising="good",
    ),
    Metric(
        "late_count",
        "逾期乡镇",
        "个",
        _DUE,
        "有报表过了截止日才报的",
        asked="expected_count",
        unasked="not_applicable",
        rising="bad",
    ),
)


_CLOSED = "本年截至当月已整改的资金问题（安排或拨付不足）"
_SAME_MONEY = "几项标准管同一笔钱的只计要求最高的一项"

# `detail.unit_moved_monthly`: what closing money findings moved, in the year up to the month.
MOVED: dict[str, Metric] = _list(
    Metric("closed_money_count", "已整改资金问题", "项", _CLOSED, _SAME_MONEY),
    Metric("moved_known_count", "算得出的资金问题", "项", _CLOSED, "起点、整改时的数都已知而可比的"),
    Metric("moved_notified_count", "有通知记录的资金问题", "项", _CLOSED, "其余的从问题出现的月份算起"),
    Metric("closed_money_of_month_count", "当月整改资金问题", "项", "当月已整改的资金问题", _SAME_MONEY),
    Metric(
        "moved_allocated_ytd_cny",
        "促进安排到位",
        "元",
        _CLOSED,
        "从通知到整改年度安排增加的数，不超过通知时的差额",
        asked="closed_money_count",
        unasked="none",
        unsure="uncountable",
    ),
    Metric(
        "moved_disbursed_ytd_cny",
        "促进拨付到位",
        "元",
        _CLOSED,
        "从通知到整改判定期拨付增加的数，不超过通知时的差额",
        asked="closed_money_count",
        unasked="none",
        unsure="uncountable",
    ),
    Metric(
        "moved_ytd_cny",
        "促进资金到位",
        "元",
        _CLOSED,
        "安排和拨付是同一笔钱，每个乡镇只计较大的一个；没有通知记录的从问题出现的月份算起",
        asked="closed_money_count",
        unasked="none",
        unsure="uncountable",
        rising="good",
        is_of_year=True,
    ),
)


def added(amounts: Iterable[Any]) -> Any:
    """What the known ones of amounts or counts add up to; None where nothing is known, for silence is not nought.

    For a choice of rows that no roll-up can know: those that a page lists, or that thresholds of a report leave.
    """
    known = [amount for amount in amounts if amount is not None]
    return sum(known[1:], known[0]) if known else None


_STATES = ("short", "not_reported", "met")
# What `unit_status` counts.
STATE_COUNTS = tuple(f"{state}_count" for state in _STATES)


def columns_of(keys: Iterable[str]) -> list[str]:
    """The columns of a roll-up that these figures are made of and told by."""
    # Whether there is any unit at all is asked of each.
    found: dict[str, None] = {"units_count": None}
    for key in keys:
        metric = METRICS[key]
        found |= dict.fromkeys((key, metric.asked, metric.part, metric.whole, metric.told))
    return [name for name in found if name]


def unit_status(row: Row) -> str:
    """The state of a unit's funding: that of the worst of its townships."""
    for status in _STATES:
        if row[f"{status}_count"]:
            return status
    return "no_standard"
