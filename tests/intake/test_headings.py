"""Headings that no contract spells: read, asked about once, or named as not used; never taken for another figure."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from oversight import cli, whole_run
from oversight.intake.questions import read_answers, remember
from oversight.intake.reading.files import read
from oversight.intake.reading.grammar import Certainty, Said, may_be_staff, meaning_of
from oversight.intake.reading.grid import Grid, Table
from oversight.intake.reading.headings import match_columns
from oversight.intake.reading.layout import find_tables
from oversight.intake.reading.text import header_key
from oversight.intake.sending_back.checking import check
from oversight.settings import DBT_DIR
from tests.intake.world import NOW, World, xlsx_bytes

SAID = Said(2025, 6, None, True)
READ: dict[tuple[str, str], str] = {
    (
        "population",
        "population_persons",
    ): "辖区户籍人口 期末户籍人口数 户籍登记人口 全镇户籍总人口数 截至6月底户籍人口 总人口（户籍） "
    "公安户籍人口 户籍人口（按公安口径） 月末实有户籍人口 户籍|人 户藉人口 2025年6月30日24时户籍人口",
    ("population", "households_count"): "户籍总户数 登记户数 年末户数 居民户数 户籍人口|总户数",
    (
        "population",
        "births_persons",
    ): "本月出生人数 出生登记数 6月出生人口 申报出生 增加人数|其中：出生 出生入籍 出生补登 "
    "出生登记入户数 本月出生小孩数 因出生增加 出生（男女合计） 增加原因|出生登记",
    ("population", "deaths_persons"): "本月病亡人数 死亡核减人数 自然减少|死亡 死亡户口注销 "
    "减少原因|死亡注销",
    ("population", "moved_in_persons"): "落户迁入人数 迁移|入 机械增加（迁入） 从外面迁进来的户口（人） "
    "迁入（省内省外合计）",
    ("population", "moved_out_persons"): "本月把户口迁走的",
    (
        "budget",
        "initial_budget_cny",
    ): "年初部门预算 年初批复预算数 2025年年初预算 年度预算安排 年初安排资金 民政经费年初预算 期初预算",
    ("budget", "adjusted_budget_cny"): "调整后全年预算 追加后预算数 调整的预算 年初预算+追加-调减 修改后预算 "
    "截至6月底调整后预算 调整预算数（含追加） 年初加追加后合计",
    ("budget", "disbursed_month_cny"): "本月实际拨付 6月拨付 本月到位资金 当月下拨 本月财政拨付 当月拔款 "
    "收入|本月拨入 本月直接拨付乡镇专户",
    (
        "budget",
        "disbursed_cumulative_cny",
    ): "1—6月拨付 截至6月底拨付 年初至今拨付 累计已拨付 上半年拨付 至6月拨付 到本月已拨 开年累计拨付",
    ("budget", "spent_month_cny"): "本月使用 本月列支 6月支出",
    (
        "budget",
        "carried_over_cny",
    ): "上年结转结余 上年末结余资金 以前年度结转 年初结转 2024年结转资金 资金来源|上年结转 "
    "期初结转（上年转入） 从上年转入资金 去年没用完转过来的钱 结转|上年转入本年",
    ("budget", "from_above_cny"): "其中：上级下达 上级专项资金 中央和省级补助 资金来源|上级 "
    "资金来源|中省市资金 各级上级补助合计",
    ("budget", "own_cny"): "县级配套 ②本级安排 其中：区级财政安排 资金来源|本级 县级匹配资金",
    ("budget", "personnel_cny"): "人员费用 (1)人员经费 其中：人员经费 预算构成|人员类经费 预算构成|人员 "
    "人员支出|预算 按用途分|人员 支出类型|人员 用在人员上的 预算明细|人员",
    (
        "budget",
        "office_cny",
    ): "公用类经费 日常公用经费 其中：公用经费 公用经费（商品和服务） 办公费等公用经费 按用途分|公用 "
    "公用经费（水电、取暖、差旅）",
    ("budget", "is_listed_separately"): "是否作为单独项目列入预算 有没有单独列支 预算中是否专列 "
    "经费单列（是1否0） 县级预算单列（有/无）",
    ("budget", "fund_name"): "预算项目（名称） 项目名称 专项资金名称",
    ("budget", "remark"): "情况说明 需说明的事项 备注（未拨付原因） 需要说明的问题",
    (
        "population",
        "resident_population_persons",
    ): "常驻人口 常住人口（居住半年以上） 常住人口情况|人数 常住|人 居住情况|常住人口 实际在本地常住的人",
    ("staffing", "administrative_posts"): "核定行政编制 行政编制名额 三定行政编制 应有行政编制 编制类型|行政",
    ("staffing", "dedicated_staff_persons"): "全职做民政的在编干部 专门干民政的在编人数 编制内专门干民政的 "
    "民政专职干部（正式编）",
    ("staffing", "institution_posts"): "社会事务服务中心事业编制 所属事业单位编制数",
    (
        "staffing",
        "welfare_posts_persons",
    ): "公益岗在民政所上班的人数 使用公益性岗位人员 公益性岗位|在岗人数 公益岗位|实有人数 民政口用的公益岗",
    ("staffing", "purchased_service_persons"): "政府购买服务|在岗人数 政府花钱买服务的人员 非编人员|购买服务 "
    "购买服务派到民政所的人",
    ("staffing", "part_time_persons"): "兼职人员|人数 人员类型|兼职 专兼职人员|兼职人员 别的岗位兼着干民政的",
    (
        "staffing",
        "villages_count",
    ): "辖村（社区）数 村居总数 村+社区 管几个村（社区） 村民委员会和社区居委会数 行政区划|村社区合计（期末）",
    ("staffing", "villages_with_assistant_count"): "配有民政协理员的村（社区） 已配备协理员村居个数 "
    "村（居）|配协理员的 配备协理员村数（含社区） "
    "协理员配备情况|村（社区）数 其中：配有协理员的村（个） 有专（兼）职协理员的村居数",
}
ASKED = (
    "实有人口 户籍人口（含集体户） 预算金额 年初预算(含追加) 本月累计拨付 专职工作人员 本月下达 "
    "全年预算数 辖区人口 上级拨款 参公事业编制 本月燃气支出 年初绿化预算 "
    "户籍人口(不含流动人口) 村委会（不含村民小组） 本月拨付（不含救助资金） 常住人口（七普） 本月收到上级拨入经费 "
    "年度指标数 全年核定经费 本月到额度 6月新增指标"
)
NEVER = (
    "上年末户籍人口 去年户籍人口 户籍人口男 其中：女性 城镇户籍人口 低保人口 60岁以上户籍人口 户籍人口占比 流动人口 "
    "2024年年初预算 上年预算 追加预算 预算执行率 人均预算 应拨付 欠拨 上年同期拨付 上级拨付 临时救助拨付 拨付进度 "
    "三季度拨付 下半年拨付 空编数 行政编制实有人数 协理员人数 未配备协理员村数 出生率 "
    "预算调整数 年初预算调整数 人员编制数 本月人员经费支出 年末结转结余 市级补助 上年结转支出 公用定额 "
    "户籍注销人数 户籍在外人口 村干部数 购买服务经费 机动预算 种粮户数 五保户数 "
    "预算减少数 拨付依据 新增户数 出国人口 事业编制实际配备数 退出公益性岗位人数 基本支出 参公人员 "
    "支付方式 拨付单位 支出用途 支付凭证 村级运转经费 "
    "行政村 行政村数 自然村数 示范村数 人员总数 实有在编人数 购买服务合同数 死亡证明开具数 溺水死亡人数 常住人口|户数 "
    "经费执行情况|自年初累计 累计拨付乡镇数 年初预算人数 本月拨付批次 迁入审批数 户籍变更数 户籍人口|总户数占比 "
    "暂付款 预付款 应付款 常住学者 户籍流出人口 公益性岗位|女性人数 公益性岗位|空岗数 截至5月底调整后预算 "
    "本月计划拨款 累计已批用款额度 民政事业费累计支出 全县户籍总人口 全县村居总数 专职（含购买服务专职） 编内岗位 "
    "乡镇部门预算总额（全口径） 专（兼）职民政人员 专兼职|人数 专职与购买服务人数 专职、兼职人员数 户数及人口 分户人数 "
    "总户数、总人口 拨付及支出 预算及拨付 数据来源说明 民政服务对象人数"
)
DATASETS = ("population", "budget", "staffing")


@pytest.mark.parametrize(("dataset", "column"), READ)
def test_what_words_mean_is_read(dataset: str, column: str) -> None:
    for heading in READ[dataset, column].split():
        found = meaning_of(dataset, tuple(heading.split("|")), SAID)
        assert found is not None, heading
        assert (found.column, found.certainty > Certainty.QUESTION) == (column, True), heading


def test_what_may_be_another_figure_is_asked() -> None:
    for heading in ASKED.split():
        found = [m for d in DATASETS if (m := meaning_of(d, (heading,), SAID))]
        assert [m.certainty for m in found] == [Certainty.QUESTION], heading


def test_what_is_another_figure_is_never_taken() -> None:
    for heading in NEVER.split():
        assert not [m for d in DATASETS if (m := meaning_of(d, (heading,), SAID))], heading


# What a heading counts, asks or leaves unsaid, by kind: each of these was taken for a column, or asked about as one.
OTHERS = {
    "households counted of people who moved": (
        "population",
        "迁出户数 迁入|户 迁入|户数 整户迁出户数 户规模 分户数",
    ),
    "a difference and not a number": (
        "population",
        "出生人数增减 户籍人口变更数 净增|户籍人口 户籍人口|其中",
    ),
    "who works and not who lives there": (
        "population",
        "户籍从业人员 年出生数 七普常住人口 户籍人口数据来源",
    ),
    "who holds a post and not the post": (
        "staffing",
        "在岗人员|行政编制 实有人员|事业编制 公务员人数 行政编制|在岗 行政编制调整数 差额拨款事业编",
    ),
    "people who are another's": ("staffing", "协理员|兼职 村（社区）|干部数 村级公益性岗位"),
    "how many there may be, or whom they serve": (
        "staffing",
        "公益性岗位名额 公益性岗位|核定 购买服务人次 政府购买服务覆盖人数 购买服务|社工 公益性岗位招聘",
    ),
    "some of the villages, or what is in them": (
        "staffing",
        "有服务站的村（社区）数 村（社区）人口 村（社区）服务中心数 行政村数（不含社区） 有人管民政的村（社区）数",
    ),
    "yes or no and not how much": (
        "budget",
        "是否拨付 是否纳入预算 有无支出 累计拨付（是/否） 人员经费（有/无）",
    ),
    "yes or no and not how many": ("staffing", "公益性岗位（是1否0） 公益性岗位（是/否） 兼职（是否）"),
    "a part of what was spent or is left": (
        "budget",
        "本月支出|其中：人员经费 累计支出|公用经费 年初预算|余额 人员经费|其中：工资",
    ),
    "one half only, or halves of two wholes": (
        "population",
        "出生（男女） 死亡（男） 迁出（省内） 迁出（县内省外合计） 出生（男女比） 居住情况|居住半年以下人数 增加原因",
    ),
    "a part of the running costs, or of what was spent": (
        "budget",
        "公用经费（差旅） 支出明细|人员 上年结转|其中：转入本年 其中：省资金 其中：市级匹配资金 年初加追加拨付",
    ),
    "posts that are filled, or people elsewhere": (
        "staffing",
        "批复编制|事业（在岗） 公益岗用的 正式编数",
    ),
    "another level's own, another year's rest, a paper": (
        "budget",
        "其中：自治区本级资金 前年结转 上级补助明细 本月支出（笔） 预算年度",
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_counts_something_else_is_left_out(kind: str) -> None:
    dataset, headings = OTHERS[kind]
    for heading in headings.split():
        parts = tuple(heading.split("|"))
        found = match_columns(dataset, (("区划代码",), parts), SAID).columns
        assert 1 not in found.values(), heading


def test_a_strange_word_over_or_before_a_column_is_asked_about() -> None:
    """Whose it is, nobody knows: another body's posts, people of a kind, money for something."""
    for dataset, heading in (
        ("staffing", "护理员|兼职"),
        ("staffing", "综治中心|事业编制"),
        ("staffing", "邻镇兼职人员"),
        ("budget", "敬老院|上年结转"),
        ("budget", "救急难|本月支出"),
        ("population", "由外省迁入"),
    ):
        found = meaning_of(dataset, tuple(heading.split("|")), SAID)
        assert found is not None, heading
        assert found.certainty is Certainty.QUESTION, heading
    # What says all of itself is read below any label.
    for dataset, heading in (("staffing", "实名制|事业编制"), ("population", "镇情|全镇户籍人口")):
        found = meaning_of(dataset, tuple(heading.split("|")), SAID)
        assert found is not None, heading
        assert found.certainty is Certainty.CERTAIN, heading


def test_a_form_whose_columns_are_named_below_group_headings_is_read() -> None:
    data = xlsx_bytes(
        [
            ("敦化市2025年6月户籍人口统计表",),
            ("区划名称（乡级）", "本月人口变动", None, "户籍情况"),
            (None, "出生（人）", "死亡（人）", "总人口"),
            ("大石头镇", 5, 6, 30000),
            ("黄泥河镇", 7, 8, 20000),
        ],
        [(1, 0, 2, 0, "区划名称（乡级）"), (1, 1, 1, 2, "本月人口变动")],
    )
    (table,) = [t for t in read(data, "6月.xlsx").tables if isinstance(t, Table)]
    assert {"births_persons", "deaths_persons", "population_persons"} <= set(table.header.columns)


def test_what_was_paid_out_beside_what_the_townships_were_paid_is_what_they_spent() -> None:
    header = (("乡镇名称",), ("年初预算(元)",), ("累计拨付(元)",), ("累计支付(元)",))
    match = match_columns("budget", header, SAID)
    assert (match.columns["spent_cumulative_cny"], match.sure["spent_cumulative_cny"]) == (
        3,
        Certainty.QUESTION,
    )
    alone = match_columns("budget", (*header[:2], header[3]), SAID)
    assert "spent_cumulative_cny" not in alone.columns
    issued = match_columns("budget", (*header[:3], ("授权支付额度累计下达",)), SAID)
    assert "spent_cumulative_cny" not in issued.columns


@pytest.mark.parametrize("present", ["在岗|其中专职人数", "实配（人）", "#专职人数", "民政专干实际在岗数"])
def test_the_one_column_of_people_at_work_may_be_the_one_that_is_missing(present: str) -> None:
    header = (
        ("乡镇名称",),
        ("行政编制数(名)",),
        ("事业编制数(名)",),
        tuple(present.split("|")),
    )
    kinds = ("name", "number", "number", "number")
    match = match_columns("staffing", header, SAID, kinds)
    assert match.sure["dedicated_staff_persons"] is Certainty.QUESTION
    two = match_columns("staffing", (*header, ("现有人员",)), SAID, (*kinds, "number"))
    assert two.columns.get("dedicated_staff_persons") != 3
    beside = match_columns("staffing", (*header, ("在编在岗专职人数(人)",)), SAID, (*kinds, "number"))
    assert beside.columns["dedicated_staff_persons"] == 4


@pytest.mark.parametrize("above", ["民政情况", "资金安排", "2025年", "预算执行", "本镇有关情况"])
def test_a_heading_over_several_columns_is_neutral(above: str) -> None:
    found = meaning_of("budget", (above, "本月拨付"), SAID)
    assert found is not None
    assert found.certainty is Certainty.CERTAIN


@pytest.mark.parametrize("above", ["上年", "2024年", "低保资金", "上年决算"])
def test_a_heading_above_may_change_what_is_meant(above: str) -> None:
    assert meaning_of("budget", (above, "预算数"), SAID) is None


def _tables(*rows: Sequence[Any], name: str = "报表.xlsx") -> list[Any]:
    return find_tables(Grid("Sheet1", rows), name)[0]


@pytest.mark.parametrize("above", ["村级协理员", "协理员配备情况"])
def test_what_a_heading_above_makes_of_a_title_may_stand_beside_it(above: str) -> None:
    """Then the title is what it says, in whichever order the two stand."""
    titles = ["村（社区）数（个）", "已配备协理员村（社区）数（个）"]
    for order in (titles, titles[::-1]):
        found = match_columns(
            "staffing", (("区划代码",), ("乡镇名称",), *((above, title) for title in order))
        )
        named = {name: order[at - 2] for name, at in found.columns.items() if at >= 2}
        assert named == {"villages_count": titles[0], "villages_with_assistant_count": titles[1]}
        assert all(certainty > Certainty.QUESTION for certainty in found.sure.values())


def test_a_heading_over_other_figures_too_is_a_label() -> None:
    group = "协理员配备情况"
    found = match_columns("staffing", (("乡镇名称",), (group, "村（社区）数"), (group, "兼职人员数")))
    assert found.columns == {"reported_name": 0, "villages_count": 1, "part_time_persons": 2}


def test_townships_across_the_columns() -> None:
    (table,) = _tables(
        ("2025年6月户籍人口统计表",),
        ("指标", "单位", "湘东镇", "荷尧镇", "合计"),
        ("一、总户数", "户", 9_000, 8_000, 17_000),
        ("二、总人口", "万人", 2, 3.1, 5.1),
        ("其中：男", "人", 5, 6, 11),
    )
    assert table.cells["reported_name"] == ["湘东镇", "荷尧镇"]
    assert table.cells["population_persons"] == ["2", "3.1"]
    assert table.header.units["population_persons"] == "万人"
    # The number of a row is that of its column in the sheet, so that a mark lands on the very cell.
    assert (table.row_numbers, table.header.rows_of[table.header.columns["population_persons"]]) == (
        [3, 4],
        4,
    )


_BUDGET = ("区划代码", "乡镇", "年初预算", "已拨付资金", "本级财政安排资金", "上级财政资金")


def _money(paid: Sequence[int], above: Sequence[int]) -> Any:
    rows = [
        (360313101 + n, f"第{n}镇", 120_000 + n * 1_200, p, 50_000 + n, a)
        for n, (p, a) in enumerate(zip(paid, above, strict=True))
    ]
    (table,) = _tables(("2025年6月民政工作经费",), _BUDGET, *rows)
    return table


def test_figures_settle_what_words_leave_open() -> None:
    """Half of the budget in June is what was paid so far; what adds up with the county's part is the rest of it."""
    table = _money((60_000, 61_000, 60_900), (70_000, 71_199, 72_398))
    assert table.header.asked == frozenset()
    assert table.header.inferred >= {"disbursed_cumulative_cny", "from_above_cny"}
    # A twelfth is as well what was paid in the month, and parts that do not add up are no parts.
    table = _money((10_000, 10_100, 10_200), (70_000, 71_000, 72_398))
    assert table.header.asked == {"disbursed_cumulative_cny", "from_above_cny"}


@pytest.mark.parametrize(("changed", "is_read"), [(130_000, True), (10_000, False)])
def test_a_changed_budget_is_near_the_first_one_and_a_change_is_not(changed: int, is_read: bool) -> None:
    (table,) = _tables(
        ("2025年6月民政工作经费",),
        ("区划代码", "乡镇", "年初预算", "变动预算数", "本月拨付"),
        *((360313101 + n, f"第{n}镇", 120_000 + n, changed + 7 * n, 10_000) for n in range(3)),
    )
    assert (table.header.others == {}, "adjusted_budget_cny" in table.header.inferred) == (is_read, is_read)
    assert table.header.asked == frozenset()


@pytest.mark.parametrize("strange", ["选举村（社区）数", "换届村（社区）数", "双行政编制"])
def test_a_strange_word_before_a_count_is_no_question_where_nothing_tells_its_size(strange: str) -> None:
    """To confirm it would be a guess: it is named as not used."""
    headings = ("区划代码", "乡镇", "事业编制", "在编在岗专职人数", "公益性岗位人数", strange)
    (table,) = _tables(
        ("2025年6月民政工作人员",), headings, *((360313101 + n, f"第{n}镇", 3, 2, 1, 9) for n in range(3))
    )
    assert (table.header.asked, list(table.header.others.values())) == (frozenset(), [strange])


def test_figures_withdraw_a_question_that_they_contradict() -> None:
    (table,) = _tables(
        ("2025年6月民政工作经费",),
        ("区划代码", "乡镇", "年初预算", "累计拨付", "拨付金额"),
        *((360313101 + n, f"第{n}镇", 120_000, 10_000, 20_000 + n) for n in range(3)),
    )
    assert (table.header.asked, list(table.header.others.values())) == (frozenset(), ["拨付金额"])


def _paid(this_time: Sequence[int], *, unit: str = "") -> Any:
    (table,) = _tables(
        ("2025年6月民政工作经费", "单位：万元"),
        ("区划代码", "乡镇", "年初预算", "本次拨付金额", f"累计拨付{unit}"),
        *((360313101 + n, f"第{n}镇", 12 + n, paid / 10_000, 6) for n, paid in enumerate(this_time)),
    )
    return table


def test_the_next_best_meaning_as_near_withholds_a_question() -> None:
    """What was paid this time is proposed as the month's only where it is the month's share of the sum so far."""
    assert _paid((10_000, 10_000, 10_000)).header.asked == {"disbursed_month_cny"}
    # A column whose heading says the unit is compared in the unit that the line above states for the others.
    assert _paid((10_000, 10_000, 10_000), unit="(万元)").header.asked == {"disbursed_month_cny"}
    assert _paid((50_000, 31_000, 43_000)).header.others == {3: "本次拨付金额"}


def test_the_budget_without_a_word_of_whose_is_asked_only_at_the_pace_of_the_year() -> None:
    def table(budget: int) -> Any:
        rows = [(360313101 + n, f"第{n}镇", budget + n, 60_000) for n in range(3)]
        return _tables(("2025年6月民政工作经费",), ("区划代码", "乡镇", "县级预算", "累计拨付"), *rows)

    assert table(120_000)[0].header.asked == {"initial_budget_cny"}
    assert not [t for t in table(70_000) if "initial_budget_cny" in t.header.columns]


def test_cells_say_whether_a_heading_is_of_funds() -> None:
    def table(*cells: str) -> Any:
        rows = [(f"第{n}镇", cell, 1_000, 100) for n, cell in enumerate(cells)]
        return _tables(("2025年6月民政工作经费",), ("乡镇", "拨款项目", "年初预算", "本月拨付"), *rows)[0]

    assert "fund_name" in table("民政工作经费", "民政工作经费").header.inferred
    assert table("购买办公用品", "会议").header.others == {1: "拨款项目"}


def test_full_time_staff_beside_those_not_on_the_payroll_are_those_who_are() -> None:
    headings = ("区划代码", "乡镇", "行政编制", "事业编制", "专职人员", "公益性岗位", "政府购买服务")
    rows = [(360313101 + n, f"第{n}镇", 2, 3, 3, 1, 1) for n in range(3)]
    (table,) = _tables(("2025年6月民政工作人员",), headings, *rows)
    assert "dedicated_staff_persons" in table.header.inferred
    (table,) = _tables(("2025年6月民政工作人员",), headings, *((*r[:4], 9, *r[5:]) for r in rows))
    assert "dedicated_staff_persons" in table.header.asked


def test_a_heading_merged_to_the_right_reaches_over_the_words_below_it() -> None:
    """上年末 below the first of four merged cells is not this month's figure."""
    rows = [(f"第{n}镇", 31_000 + n, 31_050 + n, 50) for n in range(3)]
    title, head = ("2025年6月户籍人口",), ("乡镇", "户籍人口")
    grid = Grid("Sheet1", [title, head, ("", "上年末", "本月末", "增减"), *rows], merged=(((1, 1), (1, 3)),))
    (table,) = find_tables(grid, "报表.xlsx")[0]
    assert table.cells["population_persons"] == ["31050", "31051", "31052"]
    assert list(table.header.others.values()) == ["户籍人口上年末", "户籍人口增减"]


def test_people_are_no_days_of_a_calendar() -> None:
    """36,526 is a day for Excel; a signature below the column does not make a column of months of it."""
    rows = [(f"第{n}镇", 9_000, 36_526 + n) for n in range(1, 8)]
    (table,) = _tables(
        ("2025年6月户籍人口",), ("乡镇", "户数", "期末户籍总人口"), *rows, ("制表：", "", "审核：李四")
    )
    assert table.cells["population_persons"][0] == "36527"


LISTS = {
    ("payments", "paid_on"): "实际支付时间 拨款时间 交易日期",
    ("payments", "reported_name"): "收款方账户名称 用款单位名称",
    ("payments", "amount_cny"): "实付金额 本次拨付金额",
    ("payments", "voucher_no"): "支付凭证编号 交易流水号 电子凭证号",
    (
        "payments",
        None,
    ): "付款方账户名称 收款方账号 支付申请日期 申请金额 累计支付金额 指标文号 支付方式 可用余额",
    ("divisions", "valid_to"): "撤销时间 废止日期",
    ("divisions", "parent_code"): "上级单位代码",
    ("divisions", None): "原名称 面积 负责人",
    ("division_changes", "approval_document"): "批复文号 民政部批准文号",
    ("indicators", "indicator_text"): "实际值 指标填报值",
    ("indicators", None): "目标值 上年值 权重",
}


@pytest.mark.parametrize(("dataset", "column"), LISTS)
def test_headings_of_lists_are_read_by_their_build(dataset: str, column: str | None) -> None:
    for heading in LISTS[dataset, column].split():
        found = meaning_of(dataset, (heading,), SAID)
        assert (found and found.column) == column, heading


@pytest.mark.parametrize(
    ("numbered", "key"),
    {
        "01 行政编制核定数": "行政编制核定数",
        "１１　本期支出": "本期支出",
        "2 事业编制": "事业编制",
        # No numbers of columns: an age, a month, a year.
        "60 周岁以上": "60周岁以上",
        "12 月拨付": "12月拨付",
        "23 年初预算": "23年初预算",
    }.items(),
)
def test_a_column_may_have_a_number_before_it(numbered: str, key: str) -> None:
    assert header_key(numbered)[0] == key


def test_staff_of_one_kind_are_not_asked_about_as_all() -> None:
    assert may_be_staff(("实有人员（人）",))
    assert not may_be_staff(("实有行政人员（人）",))
    assert not may_be_staff(("在岗人员", "事业人员"))


def test_a_title_says_what_a_bare_number_is_of() -> None:
    head, row = ("乡镇", "本月数", "累计数"), ("湘东镇", 6_000, 36_000)
    (table,) = _tables(("2025年6月民政工作经费拨付情况表",), head, row)
    assert table.header.inferred == {"disbursed_month_cny", "disbursed_cumulative_cny"}
    assert not find_tables(
        Grid("Sheet1", [("2025年6月民政工作经费拨付使用情况表",), head, row]), "报表.xlsx"
    )[0]


def test_a_month_over_a_column_is_its_month_whatever_the_title_spans() -> None:
    tables = _tables(
        ("2025年第二季度民政工作经费",), ("乡镇", "年初预算", "4月拨付", "5月拨付", "6月拨付"),
        ("湘东镇", 72_000, 6_000, 6_100, 6_200),
    )  # fmt: skip
    assert [t.cells["disbursed_month_cny"] for t in tables] == [["6000"], ["6100"], ["6200"]]
    assert not [entry for t in tables for entry in t.broken]


def test_a_line_over_a_part_of_the_county_is_no_row() -> None:
    (table,) = _tables(
        ("2025年6月民政工作经费",), ("区划代码", "单位", "年初预算", "本月拨付"), ("一、城区片",),
        ("360313101", "湘东镇", 72_000, 6_000), ("", "城区片小计", 72_000, 6_000),
    )  # fmt: skip
    assert (table.row_numbers, table.ignored) == ([4], [(3, "note"), (5, "total")])


def test_one_form_a_township() -> None:
    (table,) = _tables(
        ("湘东镇2025年6月民政工作经费",),
        ("项目", "数值"),
        ("年初预算（万元）", 6.72),
        ("本月拨付（元）", 5_600),
    )
    assert table.cells["reported_name"] == ["湘东镇"]
    assert (table.cells["initial_budget_cny"], table.cells["disbursed_month_cny"]) == (["6.72"], ["5600"])


FORM = (
    ("湘东镇2025年6月民政工作经费情况表",),
    ("单位：元",),
    ("项目", "计量单位", "本月数", "本年累计", "上年同期"),
    ("一、年初预算", "元", "", 67_200, 60_000),
    ("二、财政拨付", "元", 5_600, 33_600, 30_000),
    ("三、实际支出", "元", 4_480, 26_880, ""),
)


def test_one_form_with_the_month_beside_the_sum_so_far() -> None:
    (table,) = _tables(*FORM)
    money = {n: cells for n, cells in table.cells.items() if n.endswith("_cny")}
    assert money == {
        "initial_budget_cny": ["67200"],
        "disbursed_month_cny": ["5600"],
        "disbursed_cumulative_cny": ["33600"],
        "spent_month_cny": ["4480"],
        "spent_cumulative_cny": ["26880"],
    }
    assert table.header.asked == frozenset()
    # Last year's are kept and named, not dropped.
    assert len(table.header.others) == 2


def test_a_fault_in_one_form_is_told_at_its_very_cell(world: World) -> None:
    rows = [list(row) for row in FORM]
    rows[4][3] = "三万多"
    world.put("湘东镇.xlsx", xlsx_bytes(rows))
    (checked,) = check([world.folder.raw / "湘东镇.xlsx"], world.folder, now=NOW)
    assert {r.cell for r in checked.remarks if r.kind == "rejected"} == {"D5"}
    assert any("E4 单元格" in r.message_zh for r in checked.remarks)
    rows[4][3] = 33_600
    world.put("湘东镇.xlsx", xlsx_bytes(rows))
    world.take_in()
    found = world.read("budget").select("month", "disbursed_month_cny", "disbursed_cumulative_cny").rows()
    assert [(f"{m:%Y-%m}", str(a), str(b)) for m, a, b in found] == [("2025-06", "5600.00", "33600.00")]


def test_a_cumulative_figure_is_not_repeated_for_each_month() -> None:
    tables = _tables(
        ("2025年民政工作经费",), ("区划代码", "乡镇", "年初预算", "1月拨付", "2月拨付", "累计拨付"),
        ("360313101", "湘东镇", 67_200, 5_600, 5_700, 11_300),
    )  # fmt: skip
    assert [t.cells.get("disbursed_month_cny") for t in tables] == [["5600"], ["5700"]]
    assert [t.cells.get("disbursed_cumulative_cny") for t in tables] == [None, ["11300"]]


def test_a_stock_column_of_another_month_is_not_this_months() -> None:
    (table,) = _tables(
        ("2025年6月户籍人口",), ("区划代码", "乡镇", "上年末户籍人口", "5月末户籍人口", "6月末户籍人口"),
        ("360313101", "湘东镇", 1, 2, 3),
    )  # fmt: skip
    assert table.cells["population_persons"] == ["3"]
    assert set(table.header.others.values()) == {"上年末户籍人口", "5月末户籍人口"}


ROWS: list[Any] = [
    ("湘东区2025年6月民政工作经费情况表 单位：元",),
    ("区划代码", "乡镇", "预算金额", "本月拨付"),
    ("360313101", "湘东镇", 67_200, 5_600),
    ("360313102", "荷尧镇", 50_400, 4_200),
]


def test_a_question_is_asked_once_for_a_sender_and_layout(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.put("6月.xlsx", xlsx_bytes(ROWS))
    world.take_in()
    # What was paid is used; the budget waits.
    assert world.read("budget")["initial_budget_cny"].to_list() == [None, None]
    (checked,) = check([world.folder.raw / "6月.xlsx"], world.folder, now=NOW)
    (proposal,) = checked.to_json()["proposals"]
    assert (proposal["heading"], proposal["column_title"], proposal["cell"]) == (
        "预算金额",
        "年初预算(元)",
        "C2",
    )
    assert cli.main(["headings", "--data", str(world.folder.root), "--confirm"]) == 0
    assert "预算金额" in capsys.readouterr().out
    july = [("湘东区2025年7月民政工作经费情况表 单位：元",), *ROWS[1:]]
    world.put("7月.xlsx", xlsx_bytes(july))
    world.take_in()
    assert world.balanced()
    found = world.read("budget").sort("month", "township_code")
    assert found["initial_budget_cny"].cast(str).to_list() == ["67200.00", "50400.00"] * 2


def test_an_answer_may_name_another_column_or_none(world: World) -> None:
    world.put(
        "6月.xlsx", xlsx_bytes([ROWS[0], (*ROWS[1], "年初预算"), (*ROWS[2], 60_000), (*ROWS[3], 50_000)])
    )
    (checked,) = check([world.folder.raw / "6月.xlsx"], world.folder, now=NOW)
    # Beside 年初预算 the other amount is no question about it: it is named as not used.
    assert checked.counts["accepted"] == 2
    assert not checked.proposals
    assert any("预算金额" in r.message_zh for r in checked.remarks)


def test_an_edited_answer_is_followed(world: World) -> None:
    world.put("6月.xlsx", xlsx_bytes(ROWS))
    world.take_in()
    (checked,) = check([world.folder.raw / "6月.xlsx"], world.folder, now=NOW)
    remember(world.folder, checked.proposals, date(2025, 7, 1))
    text = world.folder.headings.read_text("utf-8-sig")
    world.folder.headings.write_text(text.replace("年初预算(元)", "不使用"), "utf-8-sig")
    assert list(read_answers(world.folder).known.values()) == [None]
    world.take_in()
    assert world.read("budget")["initial_budget_cny"].to_list() == [None, None]
    assert not check([world.folder.raw / "6月.xlsx"], world.folder, now=NOW)[0].proposals


@pytest.mark.parametrize(
    ("title", "file", "code"),
    [
        ("湘东区2025年6月民政工作经费", "2025年5月.xlsx", "H60"),
        ("湘东区2025年第二季度民政工作经费", "经费.xlsx", "H61"),
        ("湘东区2025年1—6月民政工作经费", "经费.xlsx", "H61"),
    ],
)
def test_a_month_said_differently_holds_the_row(world: World, title: str, file: str, code: str) -> None:
    world.put(file, xlsx_bytes([(title,), ("区划代码", "乡镇", "年初预算", "本月拨付"), *ROWS[2:]]))
    world.take_in()
    assert {(r["error_code"], r["disposition"]) for r in world.rejected(file)} == {(code, "held")}
    assert world.balanced()


def test_without_the_column_in_question_there_is_no_report(world: World) -> None:
    rows = [
        ("湘东区2025年6月人口情况表",),
        ("区划代码", "乡镇", "户籍人口（含集体户）"),
        ("360313101", "湘东镇", 20_000),
    ]
    world.put("6月.xlsx", xlsx_bytes(rows))
    world.take_in()
    assert world.submission("6月.xlsx")["error_code"] in ("F60", "F08", "F13")
    (checked,) = check([world.folder.raw / "6月.xlsx"], world.folder, now=NOW)
    assert {r.error_code for r in checked.remarks if r.kind == "refused"} >= {"F60"}
    remember(world.folder, checked.proposals, date(2025, 7, 1))
    world.take_in()
    assert world.population() == {("360313101", "2025-06"): [20_000]}


def test_a_returned_workbook_asks_in_the_heading_and_keeps_the_senders_comment(world: World) -> None:
    from openpyxl.comments import Comment

    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(ROWS)))
    book["Sheet1"]["C2"].comment = Comment("按批复文件填", "张三")
    memory = io.BytesIO()
    book.save(memory)
    world.put("6月.xlsx", memory.getvalue())
    world.take_in()
    (returned,) = world.folder.returned.glob("*.xlsx")
    sheet = openpyxl.load_workbook(returned)["Sheet1"]
    assert sheet["C2"].value == "预算金额 → 年初预算(元)？"
    assert "按批复文件填" in sheet["C2"].comment.text
    (rule,) = sheet.data_validations.dataValidation
    assert "C2" in rule.sqref
    assert rule.formula1.startswith('"年初预算(元),')
    # Sent back as it is the question stays; with the list's answer it is settled.
    answered = openpyxl.load_workbook(returned)
    answered["Sheet1"]["C2"].value = "年初预算(元)"
    memory = io.BytesIO()
    answered.save(memory)
    world.put("6月再报.xlsx", memory.getvalue())
    world.take_in()
    assert world.submission("6月再报.xlsx")["status"] == "accepted"
    budgets = world.read("budget").filter(submission_id=world.submission("6月再报.xlsx")["submission_id"])
    assert budgets["initial_budget_cny"].cast(str).to_list() == ["67200.00", "50400.00"]


def test_a_name_merged_down_from_the_row_above_belongs_to_the_header() -> None:
    grid = Grid(
        "Sheet1",
        (
            ("湘东区2025年6月民政工作人员月报表",),
            ("乡镇别", "编制情况", "", "工作人员"),
            ("", "行政编制", "事业编制", "在编在岗专职"),
            ("湘东镇", 2, 5, 3),
            ("荷尧镇", 2, 4, 3),
        ),
        merged=[((1, 0), (2, 0)), ((1, 1), (1, 2))],
    )
    (table,) = find_tables(grid, "报表.xlsx")[0]
    assert table.cells["reported_name"] == ["湘东镇", "荷尧镇"]


def test_what_is_known_is_taken_where_a_required_column_is_not_recognised() -> None:
    (table,) = _tables(
        ("湘东区2025年6月民政工作人员统计表",),
        ("乡镇", "甲类席位", "事业编制", "在编在岗专职"),
        ("湘东镇", 2, 5, 3),
        ("荷尧镇", 2, 4, 3),
    )
    assert (table.cells["institution_posts"], table.header.others) == (["5", "4"], {1: "甲类席位"})
    assert "administrative_posts" not in table.cells


def test_one_figure_beside_a_missing_one_says_too_little() -> None:
    assert not _tables(("湘东区2025年6月统计表",), ("乡镇", "户数"), ("湘东镇", 20), ("荷尧镇", 30))


def test_a_column_of_counties_with_figures_in_it_names_none() -> None:
    (table,) = _tables(
        ("湘东区2025年6月户籍人口统计表",),
        ("乡镇", "县区", "户籍人口"),
        ("湘东镇", 20, 20_001),
        ("荷尧镇", 30, 30_001),
    )
    assert (table.header.county_at, table.cells["reported_name"]) == (None, ["湘东镇", "荷尧镇"])


def quarterly() -> list[Sequence[Any]]:
    """A district's table of a quarter as such are published: names without codes, people, rate, several funds."""
    funds = ((12.34, 5.67, 3.21), (8.05, 4.44, 1.99), (10.11, 6.06, 2.03))
    rows: list[Sequence[Any]] = [
        ("湘东区2025年第一季度社会救助资金发放情况统计表",),
        ("填报单位：湘东区民政局", "", "", "", "", "", "", "", "单位：万元"),
        ("序号", "街道（乡镇）", "户籍人口（人）", "临时救助", "", "", "低保金", "特困供养金", "合计"),
        ("", "", "", "救助人次", "占户籍人口比例（‰）", "临时救助资金", "", "", ""),
    ]
    for number, (name, people, (relief, living, support)) in enumerate(
        zip(("湘东镇", "荷尧镇", "老关镇"), (20_001, 30_002, 15_003), funds, strict=True), start=1
    ):
        total = round(relief + living + support, 2)
        rows.append((number, name, people, 31, 1.55, relief, living, support, total))
    # The district added up what it had before rounding: each total is a hundredth off.
    rows.append(("合计", "", 65_006, 93, "", 30.51, 16.18, 7.22, 53.92))
    return rows


def quarterly_workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in quarterly():
        sheet.append(tuple(row))
    for area in ("A1:I1", "D3:F3", *(f"{c}3:{c}4" for c in "ABCGHI")):
        sheet.merge_cells(area)
    memory = io.BytesIO()
    book.save(memory)
    return memory.getvalue()


def test_a_quarterly_table_with_funds_side_by_side_is_read_after_one_confirmation(world: World) -> None:
    world.put("一季度.xlsx", quarterly_workbook())
    world.take_in()
    path = world.folder.raw / "一季度.xlsx"
    (checked,) = check([path], world.folder, now=NOW)
    # The people are read at once; what the money is, is asked once for each fund.
    assert [row["户籍人口(人)"] for row in checked.rows] == [20_001, 30_002, 15_003]
    assert [(p["letters"], p["column"]) for p in checked.proposals] == [
        (letters, "spent_cumulative_cny") for letters in "FGH"
    ]
    remember(world.folder, checked.proposals, date(2025, 7, 1))
    world.take_in()
    assert world.submission("一季度.xlsx")["status"] == "accepted"
    spent = world.read("budget").select("township_code", "month", "fund_code", "spent_cumulative_cny").rows()
    assert {(code, f"{month:%Y-%m}", fund): str(amount) for code, month, fund, amount in spent} == {
        (code, "2025-03", fund): f"{amount}00.00"
        for code, amounts in (
            ("360313101", (1234, 567, 321)),
            ("360313102", (805, 444, 199)),
            ("360313103", (1011, 606, 203)),
        )
        for fund, amount in zip(
            ("temporary_relief", "minimum_living", "destitute_support"), amounts, strict=True
        )
    }
    # A hundredth of 万元 is what three rounded rows may be off by.
    (after,) = check([path], world.folder, now=NOW)
    assert "D11" not in {r.error_code for r in after.remarks}


def test_tables_of_several_kinds_are_published_and_judged_by_the_districts_own_rule(world: World) -> None:
    """每人每年 7 元，使用率不低于 90%: of 20,001 people 140,007 元, of which 12.34 万元 are 88.1 %."""
    own = world.folder.root / "standards"
    own.mkdir()
    day, part = "2024-01-01", {"standard_id": "Q1-1", "part_no": "1", "required": "true"}
    document = {
        "document_id": "Q1", "document_title": "区救助资金办法（手写）", "issuer_name": "湘东区", "issuer_code": "360313",
        "issuer_level": "county", "force": "binding", "issued_on": day, "recorded_on": day,
    }  # fmt: skip
    standard = {
        "standard_id": "Q1-1", "document_id": "Q1", "clause": "三", "quotation": "每人每年7元，使用率不低于90%",
        "title_zh": "临时救助资金使用率", "matter": "temporary_relief", "scope_code": "360313",
        "subject_level": "township", "topic_zh": "经费", "metric_zh": "使用率", "formula": "coverage",
        "comparator": ">=", "unit": "%", "period": "quarter", "strength": "must", "severity": "high",
        "gradeable": "Y", "effective_from": day, "issued_on": day, "recorded_on": day,
        "last_confirmed_on": "2025-06-01", "confirm_within_months": "24",
    }  # fmt: skip
    tier = {"standard_id": "Q1-1", "tier_no": "1", "tier_label": "使用率", "value": "90", "unit": "%"}
    spent = part | {"role": "numerator", "measure_code": "spent_ytd_cny", "label_zh": "支出"}
    people = part | {
        "role": "denominator",
        "measure_code": "population_persons",
        "label_zh": "人口",
        "factor": "7",
    }
    write_own(own, "policy_documents", document)
    write_own(own, "standards", standard)
    write_own(own, "standard_tiers", tier | {"quotation": "不低于90%"})
    write_own(own, "standard_measures", spent, people)
    world.put("一季度.xlsx", quarterly_workbook())
    # Three kinds of data in a row, and a row of three months: each is a row of data.
    heading = ["区划代码", "乡镇名称", "统计月份", "户籍人口(人)", "年初预算(元)", "累计拨付(元)"]
    posts = ["行政编制数(名)", "事业编制数(名)", "在编在岗专职人数(人)"]
    world.put(
        "综合.xlsx",
        xlsx_bytes([[*heading, *posts], ["360313101", "湘东镇", "2025-05", 20_001, 60_000, 20_000, 2, 3, 2]]),
    )
    world.put(
        "逐月.xlsx",
        xlsx_bytes(
            [
                ["2025年户籍人口统计表"],
                ["区划代码", "乡镇名称", "4月", "5月", "6月"],
                ["", "", *["户籍人口(人)"] * 3],
                ["360313103", "老关镇", 15_001, 15_002, 15_004],
            ]
        ),
    )
    (checked,) = check([world.folder.raw / "一季度.xlsx"], world.folder, now=NOW)
    remember(world.folder, checked.proposals, date(2025, 7, 1))
    edition = whole_run.run(world.folder, say=lambda _: None, now=NOW).edition
    with duckdb.connect(str(edition.warehouse), read_only=True) as connection:
        answers = connection.execute(
            "select subject_code, status, numerator, denominator from judgements "
            "where rule_id = 'Q1-1' and month = date '2025-03-01' and status <> 'not_reported' order by all"
        ).fetchall()
        taken = connection.execute("select file_name, rows_accepted from submissions order by all").fetchall()
    assert answers == [
        ("360313101", "short", Decimal(123_400), Decimal(140_007)),
        ("360313102", "short", Decimal(80_500), Decimal(210_014)),
        ("360313103", "met", Decimal(101_100), Decimal(105_021)),
    ]
    assert dict(taken).items() >= {"一季度.xlsx": 12, "综合.xlsx": 3, "逐月.xlsx": 3}.items()


def write_own(place: Path, name: str, *rows: dict[str, str]) -> None:
    """A file of the district's own standards, in the columns of the project's."""
    with (DBT_DIR / "seeds" / f"{name}.csv").open(encoding="utf-8") as file:
        columns = next(csv.reader(file))
    with (place / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def test_funds_of_a_second_quarter_are_neither_the_months_nor_the_years() -> None:
    rows = [tuple(str(c).replace("第一季度", "第二季度") if c else c for c in row) for row in quarterly()[:1]]
    tables = find_tables(Grid("Sheet1", (*rows, *quarterly()[1:])), "报表.xlsx")[0]
    assert [t.dataset for t in tables] == ["population"]


def test_whoever_answers_is_told_how_near_the_column_is_to_what_was_taken_in(world: World) -> None:
    """It settles nothing: the same question is asked of a column that is like it and of one that is not."""
    known = [(360313101 + n, f"第{n}镇", 20_000 + 900 * n) for n in range(4)]
    head = ("区划代码", "乡镇", "户籍人口")
    title = ("湘东区2025年5月户籍人口统计表",)
    world.put("5月.xlsx", xlsx_bytes([title, head, *known]))
    # Reported twice, it is still the figure of that month.
    world.put("5月更正.xlsx", xlsx_bytes([title, head, *known, ("", "", "")]))
    world.take_in()
    asked = ("区划代码", "乡镇", "户籍人口（含集体户）")
    for factor, near in (
        (1.001, "可比的 4 行中 4 行相差不到 2%"),
        (0.3, "可比的 4 行中 0 行相差不到 2%，不像是这一列"),
    ):
        rows = [(code, name, round(people * factor)) for code, name, people in known]
        path = world.folder.root.parent / "6月.xlsx"
        path.write_bytes(xlsx_bytes([("湘东区2025年6月户籍人口统计表",), asked, *rows]))
        (proposal,) = check([path], world.folder, now=NOW)[0].to_json()["proposals"]
        assert proposal["likeness_zh"] == f"与已入库的 2025-05 相比：{near}"


def test_nothing_is_said_of_what_is_another_figure_each_month(world: World) -> None:
    rows = [(360313101 + n, f"第{n}镇", 30_000, 2_500) for n in range(4)]
    head = ("区划代码", "乡镇", "年初预算")
    month = [("湘东区2025年5月民政工作经费",), (*head, "累计拨付"), *rows]
    world.put("5月.xlsx", xlsx_bytes(month))
    world.take_in()
    path = world.folder.root.parent / "6月.xlsx"
    path.write_bytes(xlsx_bytes([("湘东区2025年6月民政工作经费",), (*head, "拨付金额"), *rows]))
    (proposal,) = check([path], world.folder, now=NOW)[0].proposals
    assert proposal["likeness_zh"] is None
