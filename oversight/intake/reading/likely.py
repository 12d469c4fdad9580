"""What a heading most likely means that the grammar leaves without a meaning: proposed, never used unasked.

The grammar reads a heading word by word, and one word that changes a meaning leaves none. Here the whole heading is
looked at: what it must speak of to be a column, and what it must not speak of anywhere. That is too little to use a
column, and enough to ask where nothing else of the table claims the column and a single heading may be it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from oversight.contracts import ALL_DATASETS
from oversight.intake.reading import values
from oversight.intake.reading.evidence import are_names_of_funds, is_refuted, is_told
from oversight.intake.reading.grammar import Certainty, Said, meaning_of, names_several
from oversight.intake.reading.grid import Grid
from oversight.intake.reading.headings import Match
from oversight.intake.reading.text import fold, header_key
from oversight.intake.reading.words import spelled_out, without_hint, words_of

# A note in brackets on who or what is left out, or on how many there should be, says nothing of what is counted.
_LEFT_OUT = re.compile(r"\((?:未|不|无|非|除|剔除|扣除|每|以|按|即)[^()]*\)")
# Of another time, of what is not there, of what is to come, a relation and no amount, or a thing about the reporting.
_OTHER = (
    "上年|上月|去年|前年|往年|历年|以前年度|上期|同期|期初|同比|环比|比例|比重|占比|占|率|%|‰|进度|排名|得分|分值|权重|目标"
    "|未|待|拟|欠|缺|空|差额|差距|预计|预测|申请|申报|建议|下月|下年|明年|下季|增减|净增|较|平均|人均|户均|标准"
    "|男|女|党|学历|本科|大专|岁|年龄|日期|时间|文号|凭证|编码|代码|账号|电话|姓名|联系|签字|方式|原因|说明|备注|是否|有无"
)
_NOT_STAFF = re.compile(
    f"{_OTHER}|训|兼|购买|公益|聘|编外|临时|借|抽调|退|离|超|应|需|计划|考|证|工资|补贴|待遇|费|元|社工|志愿|义工|协理"
    "|联络员|信息员|督导|网格|消防|护理|儿童|村|居|社区|领导|职数|工勤|参公|辅助|挂职|驻|对象|床|台|套|间|面积|办件"
    "|编制|核定|核编|协办|负责人|不在岗|小计|定编|定员|定额|名额|限额|员额|批复|下达|综治|文化|计生|残联|扶贫|律师|全县|全区|累计|次数|人次|新增|增加"
    "|变动|减少|新进|副职|不在编|书记|委员|安监|安全|调解|武装|环保|食药|河长|林长|会计|统计员|文书"
)
_FULL_TIME = re.compile("专(?:职|司|门|管|干|员|岗|人|事)|纯民政")
_THERE = re.compile(
    "实有|实配|实际|在岗|在职|到岗|在编|现有|现员|现配|目前|从事|承办|承担|负责|经办|办理|具体干|干民政"
)
# What may stand around them and says nothing more.
_AROUND_STAFF = re.compile(
    "民政|办事|社会事务|救助|社会|事务|业务|工作|人员|人数|队伍|建设|岗位|类型|分类|机构|办公室|办|所|站|股|窗口|乡镇|镇|街道|本级|本|其中|合计|小计|总数|总计"
    "|专用|数量|数|名|个|人|员|岗|的|等|及|和|中|月末|月底|期末|年末|本月|当月|截至|固定|现|已|实|有|配备|配|情况|统计|基层|力量|在|助理|干部|\\d+|月|末|底|年"
)
_NOT_VILLAGES = re.compile(
    f"{_OTHER}|无|不|计划|农村|城市|城镇|涉农|达标|兼职|改居|新配|换届|示范|试点|选举|换届|合并|撤|脱贫|贫困|搬迁|补助|公开|妇联|儿童|网格|服务站|服务点|养老|站|场所|设施|办公"
    "|窗口|终端|电脑|均|小组|组数|自然村|屯|经费|补贴|元|新增|培训|全县|全区|全市|次|书记|主任|干部|户|面积|图书|卫生|学校|幼儿|党|联系"
)
_HAS_SOMEBODY = re.compile("有|发放|配|覆盖|落实|到位|齐|实现|达到|设|明确|确定|派|建立")
_SOMEBODY = re.compile("协理|专干|专职|联络|救助|专人|专员|有人|助理|民政|经办|代办")
_VILLAGE = re.compile("村|居|社区")
_COUNTED = re.compile(
    "(?:村|居委?会?|社区)(?:的?(?:总|个|合|小)?(?:数|数量|个数|总数|总量|总计|合计|小计|计|个|量))?$"
)
_BOTH = re.compile("村.*(?:居|社区)|(?:居|社区).*村|村数|村总|村(?:个|合|总)?[数计量]")
_NOT_FUND = re.compile(
    f"{_OTHER}|低保|特困|救助资金|临时救助|困难群众|孤儿|养老|优抚|殡葬|高龄|残疾|儿童|慈善|福彩|彩票|公益金|振兴|衔接|基建|工程|设备|购置"
    "|接待|会议|差旅|培训|水电|燃气|物业|租|车辆|绿化|慰问|捐赠|利息|非税|三公|村级|事业费|五保|抚恤|救灾|婚姻|地名|社工|人员|公用"
    "|办公|工资|中央|省|市级|上级|缺口|结余|余额|余|退|收回|冲|冻结|在途|应|采购|全口径|全县|全区|可用|[调追核压削扣]减|[一二12]上预算|追加|变动|增加|减少"
    "|审批|科目|银行|垫|暂付|预付|合同|人数|户数|个数|批次|笔|乡镇数|单位数|单位$|保障金|津贴|补贴|决算|另|除外|扣"
)
# Below a time or an act, these name a part of it.
_SORTS = re.compile("(?:其中)?(?:其他|其它|其余|项目|项目支出|基本支出|专项|专项支出)")
_TO_DATE = re.compile("累计|截至|截止|以来|至本月|至当月|\\d+至\\d+月|年初至|年初到|开年至|共|年内|已")
_OF_MONTH = re.compile("本月|当月|月度|(?<![\\d至到])\\d{1,2}月份?(?![底末止])")
_GIVEN = re.compile("拨|下达|到位|到账|转移支付|指标|额度|分配|划|入账|收到|注入")
_GIVEN_FIRST = re.compile("下达|额度|指标|分配|到账|转移支付")
_USED = re.compile("支出|支付|使用|消化|列支|报销|花|开支|核销|报账|执行|兑付|付款|已付")
_OF_YEAR = re.compile("年初|全年|年度|本年|当年|\\d{4}年|预算|今年")
_ALLOTTED = re.compile("预算|安排|核定|计划|盘子|批复|切块|指标|额度|控制数")
# A time and nothing else: what was paid, if the figures are those of all that was.
_ONLY_WHEN = re.compile(
    "(?:自?年初(?:至今|以来|起)?|本年|今年|本月|当月|本期|月度)*(?:累计|至今|合计|数|数额|金额|额)*"
)
# What says no more than that it is money: the budget, where nothing else is and payments do not exceed it.
_BARE = {
    **dict.fromkeys(
        ("经费", "经费数", "经费额", "指标", "指标数", "安排数", "资金安排", "经费安排"), "initial_budget_cny"
    ),
    **dict.fromkeys(("结转", "结转数", "结转资金", "结转额"), "carried_over_cny"),
}


@lru_cache(maxsize=65536)
def likely(dataset: str, parts: tuple[str, ...], said: Said) -> tuple[str, int] | None:
    """The column that stacked header cells most likely mean, and how strongly they speak for it; None for none."""
    cells = [_LEFT_OUT.sub("", fold(values.digits_of_date(without_hint(header_key(p)[0])))) for p in parts]
    text, leaf = "|".join(map(spelled_out, cells)), spelled_out(cells[-1]) if cells else ""
    if not leaf or len(text) > 40 or names_several(parts[-1]):
        return None
    match dataset:
        case "staffing":
            return _staff(text, leaf) or _villages(text, leaf)
        case "budget":
            years = {w.year for p in parts for w in words_of(p) if w.year}
            if said.year and years - {said.year}:
                return None
            if not _is_covered(parts):
                return None
            is_part = any(re.search("其中|来源|构成", p) for p in parts)
            return ("own_cny", 1) if is_part and "自筹" in leaf else _money(text, leaf)
    return None


# What may stand before an amount without making it another one; 专项 and 转移支付 say how it is given.
_SAME_MONEY = frozenset(("of_which", "subsidy", "above", "one_above", "matter"))
_ALSO_SAME = frozenset(("计划", "完成数", "完成值", "含上年"))


def _is_covered(parts: tuple[str, ...]) -> bool:
    """Whether the words of a heading of money are known but for a few, and none says that it is another amount or a paper."""
    words = [w for part in parts for w in words_of(part)]
    strange = "".join(
        w.text for w in words if w.kind is None and not (_USED.search(w.text) or _GIVEN.search(w.text))
    )
    last = words[-1]
    if last.kind == "manner" or (last.kind is None and last.text in strange):
        # 本月拨付名单: the last word says what a column is.
        return False
    others = [w for w in words if w.kind in ("change", "prior", "naming") and w.value not in _SAME_MONEY]
    return len(re.sub(r"\d", "", strange)) <= 2 and all(w.text in _ALSO_SAME for w in others)


def _staff(text: str, leaf: str) -> tuple[str, int] | None:
    """People who do the work: those who do nothing else before those who are merely there."""
    is_half = leaf in ("专", "专职") and re.search("专[/、]?兼", text)
    if (_NOT_STAFF.search(text) and not is_half) or not re.search("人|员|岗|专|干民政|配|实有", text):
        return None
    full_time = is_half or _FULL_TIME.search(text)
    if not full_time and (not _THERE.search(text) or re.search("合计|总", leaf)):
        return None
    left = _AROUND_STAFF.sub("", _THERE.sub("", _FULL_TIME.sub("", text))).replace("|", "")
    said = [m.end() for pattern in (_FULL_TIME, _THERE) for m in pattern.finditer(leaf)]
    if said and _AROUND_STAFF.sub("", leaf[max(said) :]):
        # 专职人员名单: the last word says what a column is.
        return None
    if len(left) > (4 if is_half else 2 if full_time else 1):
        return None
    return "dedicated_staff_persons", 2 if full_time else 1


def _villages(text: str, leaf: str) -> tuple[str, int] | None:
    """Villages with somebody before all villages."""
    if leaf in ("协理员", "民政协理员", "村级协理员", "协理员配备", "协理员情况"):
        return "villages_with_assistant_count", 0
    said = re.sub("协理员?补贴", "协理员", text)
    if (
        _NOT_VILLAGES.search(said)
        or not _VILLAGE.search(said)
        or re.search("(?:人|员|名)(?:数|总数|数量)?$", leaf)
    ):
        return None
    groups = said.rpartition("|")[0]
    is_counted = bool(_COUNTED.search(leaf)) or bool(_VILLAGE.search(groups) and not _VILLAGE.search(leaf))
    if not is_counted:
        return None
    if re.search("应覆盖", said):
        return "villages_count", 1
    if re.search("(?<![对相响])应", said):
        # 应配协理员村数: how many there should be, and not how many there are.
        return None
    if _HAS_SOMEBODY.search(said.replace("应", "")) and (
        _SOMEBODY.search(said) or "其中" in said or "|" in said
    ):
        return "villages_with_assistant_count", 2 if _SOMEBODY.search(said) else 1
    is_one_kind = re.search("(?:行政|建制)村|村委会", said) and not re.search("居|社区", said)
    is_number = bool(_NUMBER_OF_VILLAGES.fullmatch(leaf))
    return ("villages_count", 1) if is_number and _BOTH.search(said) and not is_one_kind else None


def _money(text: str, leaf: str) -> tuple[str, int] | None:
    """An amount by when and by what was done with it; the year's budget where nothing was done yet."""
    # 民政办公经费年初预算: the working funds by another name.
    told = re.sub(
        "(?<=民政)办?(?:公|运转|工作)经费(?=.*年初)|(?<=年初).*民政办?(?:公|运转|工作)经费", "", text
    )
    if _NOT_FUND.search(told) or _SORTS.fullmatch(leaf) or ("结转" in told and leaf not in _BARE):
        return None
    if re.fullmatch("(?:年初)?预算调整(?:数|额|金额)?", leaf):
        return "adjusted_budget_cny", 0
    is_to_date, is_of_month = bool(_TO_DATE.search(text)), bool(_OF_MONTH.search(text))
    given, used = bool(_GIVEN.search(leaf)), bool(_USED.search(leaf))
    if not given and not used:
        # 经费执行情况 over a time says neither.
        given, used = bool(_GIVEN.search(text)), bool(_USED.search(re.sub("(?:执行|使用)情况", "", text)))
    if given and used:
        given, used = bool(_GIVEN_FIRST.search(text)), not _GIVEN_FIRST.search(text)
    if (given or used) and (is_to_date != is_of_month or "累计" in text) and "计划" not in text:
        when = "cumulative" if is_to_date else "month"
        return f"{'spent' if used else 'disbursed'}_{when}_cny", 2 if given != used else 1
    is_done = is_to_date or is_of_month or re.search("拨|支付|下达|执行|使用|(?<!列)支出(?!预算)", text)
    if _ONLY_WHEN.fullmatch(leaf) and "执行" not in text and is_to_date != is_of_month:
        return f"disbursed_{'cumulative' if is_to_date else 'month'}_cny", 0
    if leaf in _BARE:
        return _BARE[leaf], 1
    if not is_done and re.search("(?:调整?|调剂|追加|变更|修正)后", text) and _ALLOTTED.search(text):
        return "adjusted_budget_cny", 2
    is_other_whole = (
        re.search(
            "项目|基本|专项|其他|预算外|超|三公|级次|编号|本级|区级|本区|县级|后|修正|最终|期末|其中", text
        )
        and "年初" not in text
    )
    if (
        not is_done
        and not is_other_whole
        and _OF_YEAR.search(text)
        and _ALLOTTED.search(text)
        and "调" not in text
    ):
        return "initial_budget_cny", 2 if "年初" in text else 1
    return None


# Villages and communities and how many there are, and nothing that some of them have; 社区 alone is half of them.
_NUMBER_OF_VILLAGES = re.compile(
    "(?!(?:其中)?(?:社区|居委会|行政村|建制村)(?:个?数)?$)"
    "(?:行政|建制|村民?|居民?|委员?会|社区|嘎查|[总合小个数量计的及和与、/有应覆盖所辖下全乡镇街道本区内含括包情况单位级]|共|管|几|多少)+"
)
# What a column of names of funds may be called: 下达资金名称, 项目库名称（一体化）.
_OF_FUNDS = re.compile(
    "(?:资金|项目|经费|专项|款|补助|指标).*(?:名|项目|科目|类|项|目)|(?:名|科目|类|项目).*(?:资金|项目|经费|专项)"
)


def _with_fund(
    match: Match, stacked: Sequence[tuple[str, ...]], kinds: Sequence[str], grid: Grid, first: int
) -> Match:
    """The match with the one column as its fund whose heading names something and whose cells are names of funds."""
    if match.dataset != "budget" or "fund_name" in match.columns:
        return match
    taken = set(match.columns.values())
    likely_ones = [
        at
        for at, parts in enumerate(stacked)
        if at not in taken
        and parts
        and kinds[at] == "text"
        and _OF_FUNDS.search(spelled_out(parts[-1]))
        and are_names_of_funds(grid, first, at)
    ]
    if len(likely_ones) != 1:
        return match
    columns = {**match.columns, "fund_name": likely_ones[0]}
    return replace(match, columns=columns, sure={**match.sure, "fund_name": Certainty.INFERRED})


_POSTS = {"administrative_posts", "institution_posts"}


def propose(
    match: Match,
    stacked: Sequence[tuple[str, ...]],
    kinds: Sequence[str],
    said: Said,
    grid: Grid,
    first: int,
    units: tuple[str | None, str | None],
) -> Match:
    """The match with a question for each column that nothing means and a single free heading most likely does."""
    match = _with_fund(match, stacked, kinds, grid, first)
    contract = ALL_DATASETS[match.dataset]
    taken = set(match.columns.values())
    claims: dict[str, list[tuple[int, int]]] = {}
    for at, parts in enumerate(stacked):
        if at not in taken and parts and kinds[at] == "number":
            found = likely(match.dataset, parts, said)
            # What the words say, and the figures took back, is not asked after all.
            meant = meaning_of(match.dataset, parts, said)
            is_taken_back = found and meant and found[0] in (meant.column, meant.otherwise)
            if found is not None and found[0] in contract.columns and not is_taken_back:
                claims.setdefault(found[0], []).append((found[1], at))
    for name, places in claims.items():
        best = max(places)
        if name in match.columns or name in match.repeated or sum(p[0] == best[0] for p in places) > 1:
            continue
        if name == "dedicated_staff_persons" and best[0] == 1 and not match.columns.keys() >= _POSTS:
            # Who is there, where nobody says how many there may be: any kind of people.
            continue
        unit = next((u for p in stacked[best[1]] if (u := header_key(p)[1])), None)
        asked = replace(
            match,
            columns={**match.columns, name: best[1]},
            units={**match.units, name: unit} if unit else match.units,
            sure={**match.sure, name: Certainty.QUESTION},
        )
        if best[0] == 0 and not is_told(asked, grid, first, units, name, said):
            continue
        if not is_refuted(asked, grid, first, units, name):
            match = asked
    return match
