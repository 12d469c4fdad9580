"""The input datasets, column by column: to add a synonym, a unit or a column, change it here only."""

from __future__ import annotations

from oversight.contracts.contract import (
    Contract,
    Schema,
    Typed,
    _metadata,
    code,
    contract,
    count,
    date,
    money,
    month,
    text,
    year,
    yes_no,
)

CODE_SYNONYMS = (
    "行政区划代码",
    "行政区划编码",
    "区划编码",
    "统计用区划代码",
    "乡镇代码",
    "乡镇街道代码",
    "乡镇(街道)代码",
    "街道代码",
    "单位代码",
    "地区代码",
    "行政区代码",
    "代码",
    "编码",
)
NAME_SYNONYMS = (
    "乡镇",
    "乡镇名",
    "乡镇街道",
    "乡镇(街道)",
    "乡(镇)",
    "乡镇(街道)名称",
    "乡镇街道名称",
    "乡(镇、街道)",
    "乡镇、街道",
    "乡镇办",
    "镇街",
    "镇街名称",
    "街道名称",
    "名称",
    "单位",
    "单位名称",
    "填报单位",
    "报送单位",
    "行政区划名称",
    "区划名称",
    "地区",
    "地区名称",
)
CODE_DESCRIPTION = "乡镇（街道）行政区划代码，文本，9 位或 12 位；末尾补零的 12 位与 9 位为同一单位。"
NAME_DESCRIPTION = "乡镇（街道）名称，用于与代码核对；无代码时仅在所属县内唯一才可识别。"


class Provenance(Schema):
    """Where a row came from and what was thought of it; every build input of rows carries this."""

    submission_id = Typed("String", nullable=False, description="报送文件编号（内容 SHA-256 的前 16 位）")
    sheet = Typed("String", nullable=True, description="工作表名称；CSV 为空")
    row_number = Typed("Int64", nullable=False, min=1, description="在原文件中的行号，从 1 起")
    row_status = Typed(
        "String",
        nullable=False,
        check=lambda e: e.is_in(["accepted", "held"]),
        description="accepted 入库，held 待确认",
    )
    doubts = Typed("String", nullable=True, description="存疑代码，以分号分隔")
    precedence = Typed("Int64", nullable=False, description="同一单位同一月份多次报送时，数值大者为准")


class Told(Provenance):
    """What every report carries besides: who reported, what was declared nil or left out, what we have no column for."""

    source = Typed(
        "String", nullable=False, description="来源：township 乡镇报送，treasury 财政国库，police 公安等"
    )
    nil_figures = Typed(
        "String", nullable=True, description="申报为零（无、零报告）的数据列，以分号分隔；report 为整表零报告"
    )
    dashed_figures = Typed(
        "String", nullable=True, description="写了横线（—、/）的数据列，以分号分隔；与空白一样是未知"
    )
    other_columns = Typed(
        "String",
        nullable=True,
        description="其他列：报表上有而规定中没有的列，列名和原文（JSON）；不参与计算",
    )


class Divisions(Provenance):
    """A row is an administrative unit (in one period of its life)."""

    division_code = code(
        "区划代码",
        "行政区划代码，文本：省市县 6 位，乡镇 9 位，村 12 位。",
        synonyms=CODE_SYNONYMS,
        required=True,
        nullable=False,
    )
    division_name = text(
        "名称",
        "行政区划名称。",
        synonyms=("区划名称", "行政区划名称", "单位名称", "全称"),
        required=True,
        nullable=False,
    )
    division_type = text(
        "类型",
        "省、市、县、区、镇、乡、街道等。",
        synonyms=("区划类型", "单位类型", "行政区划类型", "类别", "级别"),
        required=True,
    )
    parent_code = code(
        "上级代码",
        "上级行政区划代码；空缺时按代码前几位推出。",
        synonyms=("上级区划代码", "上级行政区划代码", "隶属代码", "父级代码", "所属县代码"),
        required=True,
    )
    valid_from = date(
        "启用日期", "代码启用之日；空为自始有效。", synonyms=("启用时间", "生效日期", "设立日期")
    )
    valid_to = date(
        "停用日期",
        "代码停用之日，即不再有效的第一天；空为至今有效。",
        synonyms=("停用时间", "失效日期", "撤销日期", "废止日期"),
    )
    successor_code = text(
        "变更后代码",
        "撤并、改设后的代码；拆分为多个单位时以顿号或分号分隔。",
        synonyms=("新代码", "后继代码", "变更后区划代码", "现代码", "变更后行政区划代码"),
    )


class Reported(Told):
    """What the monthly reports of townships have in common."""

    month = month()
    township_code = Typed(
        "String",
        nullable=False,
        regex=r"^\d{9}$",
        description="当月有效的乡镇代码（9 位），由上报代码按行政区划变更换算",
    )
    reported_code = code("区划代码", CODE_DESCRIPTION, synonyms=CODE_SYNONYMS, required=True)
    reported_name = text("乡镇名称", NAME_DESCRIPTION, synonyms=NAME_SYNONYMS, required=True)


class Population(Reported):
    """A row is a township's household-registration population at the end of a month."""

    households_count = count(
        "户籍户数",
        "户",
        "月末户籍户数。",
        synonyms=("户数", "总户数", "户籍总户数", "年末户籍户数", "月末户籍户数", "年末总户数"),
        plausible_max=1_000_000,
        scale="stock",
    )
    population_persons = count(
        "户籍人口",
        "人",
        "月末户籍人口，定档和测算经费的依据。",
        synonyms=(
            "户籍人口数",
            "户籍总人口",
            "户籍总人口数",
            "户籍人口总数",
            "户籍人口合计",
            "年末户籍人口",
            "年末户籍人口数",
            "年末户籍总人口",
            "月末户籍人口",
            "月末户籍人口数",
            "期末户籍人口",
            "户籍人数",
        ),
        required=True,
        plausible_max=2_000_000,
        scale="stock",
        has_precision=True,
    )
    births_persons = count(
        "出生人口",
        "人",
        "本月出生人口。",
        synonyms=("出生", "出生人数", "本月出生", "本月出生人口", "出生人口数"),
        plausible_max=20_000,
        scale="part",
        has_precision=True,
    )
    deaths_persons = count(
        "死亡人口",
        "人",
        "本月死亡人口。",
        synonyms=("死亡", "死亡人数", "本月死亡", "本月死亡人口", "死亡人口数"),
        plausible_max=20_000,
        scale="part",
        has_precision=True,
    )
    moved_in_persons = count(
        "迁入人口",
        "人",
        "本月迁入人口。",
        synonyms=("迁入", "迁入人数", "本月迁入", "本月迁入人口", "迁入人口数"),
        plausible_max=200_000,
        scale="part",
        has_precision=True,
    )
    moved_out_persons = count(
        "迁出人口",
        "人",
        "本月迁出人口。",
        synonyms=("迁出", "迁出人数", "本月迁出", "本月迁出人口", "迁出人口数"),
        plausible_max=200_000,
        scale="part",
        has_precision=True,
    )
    resident_population_persons = count(
        "常住人口",
        "人",
        "月末常住人口。",
        synonyms=("常住人口数", "常住总人口", "年末常住人口", "月末常住人口", "常住人数"),
        plausible_max=2_000_000,
        scale="stock",
        has_precision=True,
        rarely_changes=True,
    )


FUND_SYNONYMS = (
    "资金名称",
    "项目资金",
    "资金类别",
    "资金种类",
    "经费项目",
    "经费名称",
    "专项名称",
    "预算项目",
)
FUND_DESCRIPTION = "资金项目；空白即民政工作经费。各项目的名称见 funds.csv，名单外的照录。"


class Budget(Reported):
    """A row is a fund's budget, payments and spending of a township for a month; blank is the working funds."""

    fund_code = Typed(
        "String", nullable=False, description="资金项目代码，见 funds.csv；名单外的为 unlisted: 加所写名称"
    )
    fund_name = text("资金项目", FUND_DESCRIPTION, synonyms=FUND_SYNONYMS, repeats_when_merged=True)
    initial_budget_cny = money(
        "年初预算",
        "年初批复的民政工作经费预算（全年）。",
        synonyms=("年初预算数", "年初预算额", "年初预算金额", "年初批复预算"),
        plausible_max=200_000_000,
        scale="stock",
        rarely_changes=True,
    )
    adjusted_budget_cny = money(
        "调整后预算",
        "年中调整后的全年预算；未调整可空。",
        synonyms=("调整预算", "调整预算数", "调整后预算数", "调整后预算额"),
        plausible_max=200_000_000,
        scale="stock",
        rarely_changes=True,
    )
    disbursed_month_cny = money(
        "本月拨付",
        "本月拨付到乡镇的金额；冲减、收回填负数。",
        synonyms=(
            "本月拨付数",
            "本月拨付额",
            "本月拨付金额",
            "当月拨付",
            "当月拨付数",
            "本月拨款",
            "拨付本月",
            "本月实拨",
        ),
        plausible_max=200_000_000,
        scale="flow",
        may_be_negative=True,
    )
    disbursed_cumulative_cny = money(
        "累计拨付",
        "本年累计拨付金额。",
        synonyms=(
            "累计拨付数",
            "累计拨付额",
            "累计拨付金额",
            "本年累计拨付",
            "拨付累计",
            "累计拨款",
            "累计实拨",
        ),
        plausible_max=200_000_000,
        scale="flow",
    )
    spent_month_cny = money(
        "本月支出",
        "本月实际支出金额；冲减、收回填负数。",
        synonyms=("本月支出数", "本月支出额", "本月支出金额", "当月支出", "支出本月", "本月实际支出"),
        plausible_max=200_000_000,
        scale="flow",
        may_be_negative=True,
    )
    spent_cumulative_cny = money(
        "累计支出",
        "本年累计实际支出金额。",
        synonyms=("累计支出数", "累计支出额", "累计支出金额", "本年累计支出", "支出累计", "累计实际支出"),
        plausible_max=200_000_000,
        scale="flow",
    )
    is_listed_separately = yes_no(
        "是否单独列支",
        "民政工作经费是否在乡镇预算中单独列支。",
        synonyms=("单独列支", "是否单列", "是否单独列项", "单列"),
        rarely_changes=True,
    )
    carried_over_cny = money(
        "上年结转",
        "上年结转到本年的金额；不计入对照标准的预算。",
        synonyms=("上年结转数", "上年结转额", "上年结转资金", "上年结余", "上年结转结余", "结转资金"),
        plausible_max=200_000_000,
        rarely_changes=True,
    )
    from_above_cny = money(
        "其中：上级补助",
        "全年预算中上级补助的部分。",
        synonyms=("上级补助", "上级补助资金", "上级补助收入", "上级专项补助", "上级下达"),
        plausible_max=200_000_000,
        rarely_changes=True,
    )
    own_cny = money(
        "其中：本级安排",
        "全年预算中本级财政安排的部分。",
        synonyms=("本级安排", "本级财政安排", "本级预算安排", "本级配套", "县级安排", "区级安排"),
        plausible_max=200_000_000,
        rarely_changes=True,
    )
    personnel_cny = money(
        "人员经费",
        "全年预算中人员经费的部分。",
        synonyms=("人员支出", "人员经费预算"),
        plausible_max=200_000_000,
        rarely_changes=True,
    )
    office_cny = money(
        "公用经费",
        "全年预算中公用经费的部分。",
        synonyms=("公用支出", "办公经费", "公用经费预算"),
        plausible_max=200_000_000,
        rarely_changes=True,
    )
    remark = text("备注", "补充说明。", synonyms=("说明", "注释", "备注说明"), personal="free_text")


class Payments(Told):
    """A row is one payment of the treasury to a township: date, payee, fund, amount, voucher."""

    month = Typed("Date", nullable=False, check=lambda e: e.dt.day() == 1, description="支付日期所在的月份")
    township_code = Typed(
        "String", nullable=False, regex=r"^\d{9}$", description="当月有效的乡镇代码（9 位）"
    )
    fund_code = Typed(
        "String", nullable=False, description="资金项目代码，见 funds.csv；名单外的为 unlisted: 加所写名称"
    )
    paid_on = date(
        "支付日期",
        "支付（拨付）的日期；记入所在的月份。",
        synonyms=("拨付日期", "付款日期", "支付时间", "拨款日期", "付款时间", "记账日期"),
        required=True,
    )
    reported_code = code(
        "收款单位代码",
        CODE_DESCRIPTION,
        synonyms=("收款单位编码", "收款人代码", "预算单位代码", "预算单位编码", *CODE_SYNONYMS),
        required=True,
    )
    reported_name = text(
        "收款单位",
        "收款的乡镇（街道）；也可以写其财政所、民政所。",
        synonyms=(
            "收款单位名称",
            "收款人",
            "收款人名称",
            "收款人全称",
            "预算单位",
            "预算单位名称",
            *NAME_SYNONYMS,
        ),
        required=True,
    )
    fund_name = text("资金项目", FUND_DESCRIPTION, synonyms=FUND_SYNONYMS, repeats_when_merged=True)
    amount_cny = money(
        "金额",
        "支付金额；退回、收回填负数。",
        synonyms=("支付金额", "拨付金额", "付款金额", "拨款金额", "支付额", "发生额"),
        required=True,
        plausible_max=200_000_000,
        may_be_negative=True,
    )
    voucher_no = text(
        "凭证号",
        "支付凭证（支付令、拨款单）的编号，用于逐笔核对。",
        synonyms=("支付凭证号", "凭证编号", "支付令号", "拨款单号", "凭证号码", "单据号", "支付令编号"),
        required=True,
    )
    remark = text("备注", "补充说明。", synonyms=("用途", "摘要", "说明"), personal="free_text")


class Staffing(Reported):
    """A row is a township's civil-affairs posts, people and village assistants at the end of a month."""

    administrative_posts = count(
        "行政编制数",
        "名",
        "民政工作行政编制数。",
        synonyms=("行政编制", "行政编", "行政编制人数"),
        required=True,
        plausible_max=500,
        rarely_changes=True,
    )
    institution_posts = count(
        "事业编制数",
        "名",
        "民政工作事业编制数。",
        synonyms=("事业编制", "事业编", "事业编制人数"),
        required=True,
        plausible_max=500,
        rarely_changes=True,
    )
    dedicated_staff_persons = count(
        "在编在岗专职人数",
        "人",
        "在编、在岗且专职从事民政工作的人数。",
        synonyms=(
            "在编在岗专职",
            "在编在岗专职人员",
            "在编在岗专职人员数",
            "在编在岗专职民政人员",
            "在编在岗专职民政工作人员",
            "专职在编在岗人数",
            "在编在岗人数",
        ),
        required=True,
        plausible_max=500,
        rarely_changes=True,
    )
    welfare_posts_persons = count(
        "公益性岗位人数",
        "人",
        "公益性岗位从事民政工作的人数。",
        synonyms=("公益性岗位", "公益岗", "公益岗位", "公益岗人数", "公益岗位人数", "公益性岗位人员"),
        plausible_max=2_000,
        rarely_changes=True,
    )
    purchased_service_persons = count(
        "政府购买服务人数",
        "人",
        "通过政府购买服务从事民政工作的人数。",
        synonyms=("政府购买服务", "购买服务人数", "政府购买服务人员", "政府购买服务岗位人数", "购买服务"),
        plausible_max=2_000,
        rarely_changes=True,
    )
    part_time_persons = count(
        "兼职人数",
        "人",
        "兼职从事民政工作的人数。",
        synonyms=("兼职", "兼职人员", "兼职人员数"),
        plausible_max=2_000,
        rarely_changes=True,
    )
    villages_count = count(
        "村(社区)数",
        "个",
        "所辖村（社区）个数。",
        synonyms=(
            "村社区数",
            "村(居)数",
            "村居数",
            "村(社区)个数",
            "行政村(社区)数",
            "村(社区)总数",
            "村级单位数",
        ),
        plausible_max=2_000,
        rarely_changes=True,
    )
    villages_with_assistant_count = count(
        "已配备协理员村(社区)数",
        "个",
        "已配备民政协理员的村（社区）个数。",
        synonyms=(
            "配备协理员村(社区)数",
            "已配协理员村(社区)数",
            "已配备协理员村数",
            "已配备民政协理员村(社区)数",
            "已配备协理员村社区数",
            "已配备协理员的村(社区)数",
        ),
        plausible_max=2_000,
        rarely_changes=True,
    )


class Indicators(Told):
    """A row is one capacity indicator of one unit in one month; figures, 是/否 and texts share a column."""

    month = month()
    subject_code = code(
        "区划代码",
        "指标所属单位的区划代码（乡镇、县、市或省）。",
        synonyms=CODE_SYNONYMS,
        required=True,
        nullable=False,
    )
    subject_name = text(
        "名称", "指标所属单位的名称，用于与代码核对。", synonyms=("乡镇名称", *NAME_SYNONYMS), required=True
    )
    indicator_code = text(
        "指标代码",
        "指标代码，与标准库一致。",
        synonyms=("指标编码", "指标编号"),
        required=True,
        nullable=False,
    )
    indicator_name = text("指标名称", "指标名称。", synonyms=("指标", "项目", "指标项"))
    indicator_text = Typed(
        "String",
        nullable=True,
        description="指标值原文。",
        metadata=_metadata(
            "指标值",
            "value",
            "指标的值：数字、是/否或文字。",
            required=True,
            synonyms=("数值", "值", "指标数值", "填报值"),
            personal="free_text",
            rarely_changes=True,
        ),
    )
    indicator_value = Typed(
        "Decimal", 18, 4, nullable=True, description="指标值的数：是为 1、否为 0，文字为空。"
    )
    remark = text("备注", "补充说明。", synonyms=("说明", "注释", "备注说明"), personal="free_text")


class DivisionChanges(Provenance):
    """A row is one change of a unit's code or name in one year, as the Ministry's yearly lists give it."""

    change_year = year("变更年份", "变更发生的年份；取自标题或工作表名。", synonyms=("年份", "年度"))
    sequence_no = text("序号", "在当年名单中的序号。", repeats_when_merged=True)
    province_name = text(
        "省份", "省份。", synonyms=("省(自治区、直辖市)", "省市区"), repeats_when_merged=True
    )
    old_code = text(
        "原区划代码",
        "变更前代码；新设的为空。",
        synonyms=("原代码", "变更前代码"),
        required=True,
        repeats_when_merged=True,
    )
    old_name = text(
        "原名称",
        "变更前名称；新设的为空。",
        synonyms=("变更前名称",),
        required=True,
        repeats_when_merged=True,
    )
    reason = text(
        "变更原因",
        "撤乡设镇、新设街道等。",
        synonyms=("变更情况", "变更类型"),
        required=True,
        repeats_when_merged=True,
    )
    new_code = text(
        "现区划代码",
        "变更后代码；撤销的为空。",
        synonyms=("现代码", "变更后代码"),
        required=True,
        repeats_when_merged=True,
    )
    new_name = text(
        "现名称",
        "变更后名称；撤销的为空。",
        synonyms=("变更后名称",),
        required=True,
        repeats_when_merged=True,
    )
    approval_document = text(
        "批准文件", "批准文件及文号。", synonyms=("批准文号", "文号"), repeats_when_merged=True
    )


GROUP_LABELS = ("其中", "基本情况", "合计", "总计", "单位信息", "基本信息", "乡镇基本情况")

DATASETS: dict[str, Contract] = {
    c.name: c
    for c in (
        contract(
            "divisions",
            "行政区划",
            Divisions,
            description_zh="行政区划及其变更，一行一个单位（的一段有效期）。",
            key=("division_code", "valid_from"),
            group_labels=(*GROUP_LABELS, "变更情况", "有效期"),
        ),
        contract(
            "population",
            "户籍人口",
            Population,
            description_zh="各乡镇（街道）每月户籍人口及变动。",
            key=("month", "township_code"),
            group_labels=(
                *GROUP_LABELS,
                "人口情况",
                "户籍人口情况",
                "户籍情况",
                "人口变动",
                "人口变动情况",
                "本月人口变动",
                "本月变动",
            ),
        ),
        contract(
            "budget",
            "民政工作经费",
            Budget,
            description_zh="各乡镇（街道）每月民政工作经费的预算、拨付和支出。",
            key=("month", "township_code", "fund_code"),
            group_labels=(
                *GROUP_LABELS,
                "民政经费",
                "经费情况",
                "预算",
                "拨付",
                "支出",
                "拨付情况",
                "支出情况",
                "预算情况",
                "预算安排",
                "资金拨付",
                "资金支出",
                "执行情况",
                "预算执行情况",
            ),
            any_of=(
                "initial_budget_cny",
                "adjusted_budget_cny",
                "disbursed_month_cny",
                "disbursed_cumulative_cny",
                "spent_month_cny",
                "spent_cumulative_cny",
            ),
        ),
        contract(
            "staffing",
            "民政工作人员",
            Staffing,
            description_zh="各乡镇（街道）每月民政工作编制、人员和村（社区）协理员。",
            key=("month", "township_code"),
            group_labels=(
                *GROUP_LABELS,
                "编制",
                "编制情况",
                "人员",
                "人员情况",
                "工作人员",
                "实有人员",
                "实有人数",
                "现有人员",
                "在岗人员",
                "编制及人员",
                "民政工作力量",
                "民政人员",
                "村级",
                "村(社区)",
                "村(社区)协理员",
                "协理员配备",
                "协理员配备情况",
                "村级协理员",
            ),
        ),
        contract(
            "indicators",
            "能力建设指标",
            Indicators,
            description_zh="各单位每月能力建设指标，一行一个单位一项指标。",
            key=("month", "subject_code", "indicator_code"),
            group_labels=GROUP_LABELS,
        ),
    )
}

# Not among the five datasets that a bureau reports: read by the same machinery, it adds to the history of units.
REFERENCE_DATASETS: dict[str, Contract] = {
    "division_changes": contract(
        "division_changes",
        "行政区划变更",
        DivisionChanges,
        description_zh="县以下行政区划代码变更，一行一项变更。",
        key=("change_year", "old_code", "new_code"),
        group_labels=GROUP_LABELS,
    )
}
# Lists that another source gives beside the townships' own reports; they are added up to monthly figures.
LIST_DATASETS: dict[str, Contract] = {
    "payments": contract(
        "payments",
        "国库支付明细",
        Payments,
        description_zh="财政国库对乡镇（街道）的支付，一行一笔。",
        key=("township_code", "voucher_no"),
        group_labels=(*GROUP_LABELS, "支付明细", "支付情况", "拨付明细", "国库集中支付明细"),
    )
}
ALL_DATASETS: dict[str, Contract] = {**DATASETS, **LIST_DATASETS, **REFERENCE_DATASETS}
