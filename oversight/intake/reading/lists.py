"""Headings of lists (payments, divisions and their changes, indicators): what a column of a list holds, in any wording.

A list is known by columns that no report of figures has together (day, amount and voucher), so that its headings may
be read by their build: who or what, and then date, number, name or amount.
"""

from __future__ import annotations

import re
from functools import lru_cache

from oversight.intake.reading.text import header_key, plain

_PAID = (
    "(?:支付|付款|拨付|拨款|下拨|划拨|划款|转账|汇款|交易|清算|记账|到账|入账|支出|实付|实拨"
    "|实际支付|实际拨付|实际付款|业务发生|发生|业务)"
)
_PAYEE = "(?:收款|受款|领款|收付款|对方|拨入|用款|受益|资金使用|接收)(?:人|方|单位|户|账户|乡镇|对象)?"
_BEFORE = "(?:变更|调整|撤并|更名|修改|变动)前|原(?:有|来)?|旧"
_AFTER = "(?:变更|调整|撤并|更名|修改|变动)后|现(?:在|有|行)?|新"
_DIVISION = "(?:行政区划|行政区|区划|乡镇|街道|镇街|单位|统计用区划|民政)*"
_CODE = "(?:代码|编码|代号|编号|码)"
_NAME = "(?:名称|全称|名)"
_DAY = "(?:日期|时间|年月日|日)"
# Dataset → column → how its heading may be built. A heading that fits several columns is none of them.
_BUILDS: dict[str, dict[str, str]] = {
    "payments": {
        "paid_on": f"(?:资金|款项|经费|财政|国库)?{_PAID}(?:完成|成功|业务|发生)?{_DAY}",
        "reported_name": f"{_PAYEE}(?:单位|账户|开户)?(?:{_NAME}|户名)?",
        "reported_code": f"{_PAYEE}(?:单位|账户)?{_CODE}",
        "fund_name": f"(?:资金|经费|款项|专项|专项资金|预算项目|项目|支出项目|拨款项目|指标){_NAME}",
        "amount_cny": f"(?:本次|本笔|单笔|此次|实际)?(?:资金|款项|经费|财政|国库)?{_PAID}(?:资金|款项|经费)?"
        "(?:金额|数额|额|款额|数)",
        "voucher_no": f"(?:电子|财政|国库|会计|集中|直接|授权)*(?:{_PAID}|支付令|拨款单|凭证|回单|业务|电子)?"
        "(?:凭证|凭单|单据|单|令|回单|流水|通知书|申请书)(?:号|编号|号码|序号|流水号|单号)",
        "remark": "(?:资金|款项|支付|付款|拨款|经费)?(?:用途|摘要|附言|事由|备注|说明)(?:说明|内容)?",
    },
    "divisions": {
        "division_code": f"(?:现行|本级|统计用|民政部)?{_DIVISION}{_CODE}(?:9位|12位)?",
        "division_name": f"{_DIVISION}{_NAME}",
        "division_type": f"{_DIVISION}(?:类型|类别|性质|级别|种类|建制|建制类型|属性)",
        "parent_code": f"(?:上级|上一级|父级|隶属|所属|主管)(?:县|区|县区|县级|单位|机构)?{_DIVISION}{_CODE}",
        "valid_from": f"(?:启用|生效|设立|成立|建制|开始使用|起始|起用|有效期起|开始){_DAY}?",
        "valid_to": f"(?:停用|失效|撤销|废止|终止|截止|作废|有效期止|注销){_DAY}?",
        "successor_code": f"(?:(?:{_AFTER})|后继|承接|并入|接续|继承)(?:单位|乡镇)?{_DIVISION}{_CODE}",
    },
    "division_changes": {
        "old_code": f"(?:{_BEFORE})(?:的)?{_DIVISION}{_CODE}",
        "old_name": f"(?:{_BEFORE})(?:的)?{_DIVISION}{_NAME}",
        "new_code": f"(?:{_AFTER})(?:的)?{_DIVISION}{_CODE}",
        "new_name": f"(?:{_AFTER})(?:的)?{_DIVISION}{_NAME}",
        "reason": "(?:变更|调整|变动|撤并)(?:原因|情况|类型|事项|内容|方式|说明)",
        "change_year": "(?:变更|调整|批准|变动)(?:年份|年度|年)",
        "approval_document": "(?:批准|批复|审批|民政部批准|民政厅批准)(?:文件|文号|文件号|依据|文件文号)",
    },
    "indicators": {
        "indicator_code": f"(?:能力建设|考核|统计|数据)?指标(?:项|体系)?{_CODE}",
        "indicator_name": f"(?:能力建设|考核|统计|数据)?指标(?:项|内容|{_NAME}|项目)",
        "indicator_text": "(?:(?:能力建设|统计|数据)?指标)?"
        "(?:数值|填报值|实际值|填报数|完成值|当前值|本月值|填报结果|填报内容|指标数|实际数)",
        "remark": "(?:备注|说明|情况)(?:说明|情况)?",
    },
}
_BUILT = {
    dataset: {column: re.compile(build) for column, build in builds.items()}
    for dataset, builds in _BUILDS.items()
}


@lru_cache(maxsize=16384)
def column_in_list(dataset: str, parts: tuple[str, ...]) -> str | None:
    """The column of a list that stacked header cells stand for; None where they are built like none or like several."""
    if dataset not in _BUILT or not parts:
        return None
    title = plain(header_key(parts[-1])[0])
    found = [column for column, build in _BUILT[dataset].items() if build.fullmatch(title)]
    return found[0] if len(found) == 1 else None
