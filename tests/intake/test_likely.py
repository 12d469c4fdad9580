"""Headings that the grammar leaves without a meaning: which of them are proposed, and which never."""

import pytest

from oversight.intake.reading import likely as proposing
from oversight.intake.reading.files import read
from oversight.intake.reading.grammar import Certainty, Said, meaning_of
from oversight.intake.reading.grid import Grid, Table
from oversight.intake.reading.layout import find_tables
from oversight.intake.reading.likely import likely
from tests.intake.world import xlsx_bytes

SAID = Said(year=2025, month=6, is_registered=True)
# None of these stands among the headings that were learned from.
LIKELY = {
    (
        "staffing",
        "dedicated_staff_persons",
    ): "固定专职民政办事员 队伍建设|其中专司民政 在岗人员中专职民政的人数 专门坐班办民政的人",
    (
        "staffing",
        "villages_with_assistant_count",
    ): "落实民政专员的村数（每村至少1名） 有人管民政的村（社区）数 "
    "民政联络员已覆盖村居数 村级民政专干配齐村数",
    ("staffing", "purchased_service_persons"): "花钱请第三方派来的人数",
    ("staffing", "villages_count"): "应覆盖村（社区）数 行政区划|行政村和居委会总计",
    ("population", "population_persons"): "户口落在本镇的人",
    ("budget", "initial_budget_cny"): "列入年初预算的民政专项工作经费",
    ("budget", "adjusted_budget_cny"): "预算改完以后的数",
    ("budget", "disbursed_month_cny"): "本月县对乡镇转移支付（民政工作经费）",
    ("budget", "disbursed_cumulative_cny"): "累计已批用款额度 2025年已到指标",
}
NEVER = {
    "staffing": "应配民政专干数 专职社工 社工站|持证社工（专职） 年度内民政助理员轮训人数 专职（含购买服务专职） "
    "民政工作人员总数（专兼职合计） 未配备协理员村数 儿童主任已配村数 示范社区数 设有妇联主席的村 "
    "计划合并后村数 民政协理员人数 专职化率目标值 负责人 应配协理员村数 专职书记数 专职、兼职民政人员 "
    "专职人员名单 专职变动 实有|事业 公益性岗位|其中：保洁员 事业编制在岗数 购买服务年度经费（万元） "
    "村（社区）|其中：社区 达标村（社区）数 行政村个数 在编人数合计 护林公益岗 巡防公益性岗位人数",
    "budget": "上年同期累计拨付 累计拨付乡村振兴衔接资金 民政工作经费|全年预计支出数 2024年预算数 本月计划拨款 "
    "待安排预算（尚未批复） "
    "预算追减 一上预算 结转及年初预算 拨付、支出累计 "
    "预算执行率 养老服务专项预算安排 低保金下拨|累计 救助资金累计支出 累计支出占预算% 本月应拨 "
    "年初预算依据 本月拨付名单 累计支出企业 违规累计支出 本月支出|其他 项目支出预算 乡镇自筹 "
    "本月申请拨款额 其中：市级配套 累计支出|其中：公用经费 2024年调整后预算 "
    "公用经费支出（累计） 截至本月人员经费支出 资金来源|镇级配套 其中：街道自筹资金",
    "population": "去年末户籍人口 今年累计出生 本月迁入|其中：省外迁入 本年累计|迁入 出生未上户人数",
}


@pytest.mark.parametrize(("dataset", "column"), LIKELY)
def test_a_heading_is_likely_what_it_speaks_of(dataset: str, column: str) -> None:
    for heading in LIKELY[dataset, column].split():
        found = likely(dataset, tuple(heading.split("|")), SAID)
        assert found is not None, heading
        assert found[0] == column, heading


@pytest.mark.parametrize("dataset", NEVER)
def test_one_word_of_another_matter_is_enough_against_it(dataset: str) -> None:
    for heading in NEVER[dataset].split():
        found = likely(dataset, tuple(heading.split("|")), SAID)
        assert found is None or found[1] < proposing.LIKELY, heading


def _table(
    *headings: str, rows: list[tuple[object, ...]], title: str = "敦化市2025年6月民政工作人员统计表"
) -> Table:
    data = xlsx_bytes([(title,), ("填报单位：敦化市民政局",), ("区划代码", "乡镇", *headings), *rows])
    (table,) = [t for t in read(data, "6月.xlsx").tables if isinstance(t, Table)]
    return table


CODES = [(222403001 + n, f"第{n}镇") for n in range(4)]


def test_what_was_put_into_a_purchase_is_no_number_of_people() -> None:
    assert meaning_of("staffing", ("购买服务", "投入"), SAID) is None
    assert likely("staffing", ("购买服务", "本年投入"), SAID) is None


def test_the_one_likely_heading_of_a_column_is_asked_about_and_named_after_a_city_all_the_same() -> None:
    rows = [(*key, 2, 5, 3) for key in CODES]
    table = _table("行政编制数", "事业编制数", "固定专职民政办事员", rows=rows)
    assert table.header.asked == {"dedicated_staff_persons"}


def test_two_likely_headings_of_a_column_are_only_named() -> None:
    rows = [(*key, 2, 5, 3, 4) for key in CODES]
    table = _table("行政编制数", "事业编制数", "固定专职民政办事员", "专门坐班办民政的人", rows=rows)
    assert not table.header.asked
    assert len(table.header.others) == 2


def test_figures_that_contradict_a_likely_column_are_not_asked_about() -> None:
    headings = ("行政编制数", "事业编制数", "在编在岗专职人数", "村（社区）数", "民政联络员已覆盖村居数")
    few = _table(*headings, rows=[(*key, 2, 5, 3, 20, 18 + n % 2) for n, key in enumerate(CODES)])
    many = _table(*headings, rows=[(*key, 2, 5, 3, 20, 41 + n) for n, key in enumerate(CODES)])
    assert few.header.asked == {"villages_with_assistant_count"}
    assert not many.header.asked


def test_what_a_note_defines_is_read_where_the_figures_are_of_its_size() -> None:
    title = "湘东区2025年6月户籍人口统计表"
    headings = ("户籍户数", "户籍人口（含集体户）")
    near = _table(*headings, rows=[(*key, 7_000, 21_000) for key in CODES], title=title)
    far = _table(*headings, rows=[(*key, 7_000, 9_000) for key in CODES], title=title)
    assert near.header.inferred == {"population_persons"}
    assert "population_persons" not in far.header.inferred


def test_the_name_of_a_field_before_a_heading_says_nothing() -> None:
    rows = [(*key, 7_000, 21_000) for key in CODES]
    table = _table("HJHS户籍户数", "户籍人口", rows=rows, title="湘东区2025年6月户籍人口统计表")
    assert {"households_count", "population_persons"} <= table.header.columns.keys()
    assert not table.header.asked


def test_an_estimate_of_residents_is_read_where_it_is_of_their_size() -> None:
    """Between two censuses there is no other figure of them; beside registered people of another size it is asked."""
    rows = [(f"22240310{n}", f"第{n}镇", 20_000 + n, 18_000 + n) for n in range(1, 6)]
    title = "敦化市2025年6月户籍人口统计表"
    table = _table("户籍人口", "常住人口推算数", rows=rows, title=title)
    assert "resident_population_persons" in table.header.inferred
    table = _table("户籍人口", "常住人口推算数", rows=[(*r[:3], 900) for r in rows], title=title)
    assert "resident_population_persons" not in table.header.inferred


def test_a_column_of_months_under_a_strange_heading_is_asked_about() -> None:
    """Such a table has no month without it, and was refused."""
    for heading, is_asked in (
        ("这张表报的是哪一个月份的数", True),
        ("本月拨付资金是在哪一个月到的账", False),
    ):
        rows = [(*key, "2025-06", 7_000, 21_000) for key in CODES]
        table = _table(heading, "户籍户数", "户籍人口", rows=rows, title="湘东区户籍人口统计表")
        assert ("month" in table.header.asked) == is_asked, heading


def test_a_heading_that_others_wrote_means_what_they_meant() -> None:
    """Whatever its words; where it had to be asked about, it is asked about again."""
    head = ("年初预算(万元)", "养人的钱(万元)")
    rows = [(*key, 30 + n, 12 + n) for n, key in enumerate(CODES)]
    table = _table(*head, rows=rows, title="敦化市2025年6月民政工作经费统计表")
    assert "personnel_cny" in table.header.inferred
    # Of a part that is more than its whole nobody meant that.
    rows = [(*key, 30 + n, 55 + n) for n, key in enumerate(CODES)]
    table = _table(*head, rows=rows, title="敦化市2025年6月民政工作经费统计表")
    assert "personnel_cny" not in table.header.columns
    rows = [(*key, 2, 3, 4) for key in CODES]
    table = _table("行政编制", "事业编制", "现有民政工作人员", rows=rows)
    assert table.header.asked == {"dedicated_staff_persons"}


def test_an_unknown_word_is_neutral_where_both_readers_say_the_same() -> None:
    rows = [(*key, 2, 3, 4, 1 + n) for n, key in enumerate(CODES)]
    heads = ("行政编制", "事业编制", "在编在岗专职人数", "一线公益性岗位人员")
    assert "welfare_posts_persons" in _table(*heads, rows=rows).header.inferred


def test_what_only_resembles_a_column_is_not_taken_though_every_word_is_known() -> None:
    """其中：自治区 below 上级补助 is a part of it: the second reader has heard of it often enough."""
    known = meaning_of("budget", ("上级补助", "其中：自治区"), SAID)
    assert known is not None
    assert known.certainty is Certainty.CERTAIN
    rows = [(*key, 30_000, 9_000 + n, 2_000) for n, key in enumerate(CODES)]
    head = [
        ("区划代码", "乡镇", "年初预算(元)", "上级补助", "本月拨付(元)"),
        ("", "", "", "其中：自治区", ""),
    ]
    merged = tuple(((1, at), (2, at)) for at in (0, 1, 2, 4))
    grid = Grid("Sheet1", [("敦化市2025年6月民政工作经费统计表",), *head, *rows], merged=merged)
    ((table,), _) = find_tables(grid, "6月.xlsx")
    assert "from_above_cny" not in table.header.columns
    assert table.header.others == {3: "上级补助其中：自治区"}


def test_a_part_of_the_staff_on_the_register_is_no_number_of_people_of_the_township() -> None:
    """行政编制 over 在职在册（人） had 9 people live in a township, in a table of its staff."""
    head = [
        ("乡镇", "行政编制数", "事业编制数", "在编在岗专职人数", "行政编制"),
        ("", "", "", "", "在职在册（人）"),
    ]
    rows = [(name, 2, 3, 4, 9) for _, name in CODES]
    data = xlsx_bytes([("敦化市2025年6月民政工作人员统计表",), *head, *rows])
    assert [t.dataset for t in read(data, "6月.xlsx").tables] == ["staffing"]


def test_a_name_of_a_fund_begins_no_table_beside_another() -> None:
    head = [("区划代码", "乡镇名称", "累计拨付", "资金基本情况", "年初预算"), ("", "", "", "名称", "")]
    rows = [(*key, 9_000, "民政工作经费", 36_000 + n) for n, key in enumerate(CODES)]
    data = xlsx_bytes([("敦化市2025年6月民政工作经费统计表",), *head, *rows])
    (table,) = read(data, "6月.xlsx").tables
    assert {"reported_code", "disbursed_cumulative_cny", "initial_budget_cny"} <= set(table.header.columns)


@pytest.mark.parametrize("days", ["6.1-6.30", "6月1-30日", "6月1日至6月30日", "2025年6月1日—6月30日"])
def test_from_the_first_to_the_last_day_is_the_month(days: str) -> None:
    found = meaning_of("population", (f"死亡人数\n{days}",), SAID)
    assert found is not None
    assert (found.column, found.month) == ("deaths_persons", None)
    assert likely("population", ("2025年1月1日至6月30日", "死亡"), SAID) is None
