"""Chinese comments for the published tables that dbt does not describe.

A reported row has the columns of its contract, and a roll-up those of the metrics, so their descriptions come from
there; a column is described once. What the suites leave is described here, beside nothing else that could drift from it.
"""

from __future__ import annotations

from oversight.contracts import DATASETS, LIST_DATASETS
from oversight.metrics import METRICS, MOVED

Comments = dict[tuple[str, str], tuple[str, dict[str, str]]]

_PROVENANCE = {
    "reported_code": "报表代码：报表上填写的区划代码",
    "reported_name": "报表名称：报表上填写的乡镇名称",
    "township_code": "当月区划代码：当月有效的乡镇区划代码（9 位）；改码、合并的单位已对应到当月的代码",
    "subject_code": "当月区划代码：当月有效的区划代码",
    "subject_name": "单位名称：报表上的单位名称",
    "month": "统计月份：当月 1 日",
    "fund_code": "资金项目代码：见 funds.csv；名单外的为 unlisted: 加所写名称",
    "source": "来源：谁报的：township 乡镇报送，treasury 财政国库，police 公安，其余见 report_sources.csv",
    "nil_figures": "申报为零的列：写了“无”或零报告的数据列，以分号分隔；其中 report 为整表零报告",
    "dashed_figures": "横线的列：写了横线（—、/）的数据列，以分号分隔；与空白一样是未知",
    "other_columns": "其他列：报表上有而规定中没有的列，列名和原文（JSON）；照录，不参与计算",
    "submission_id": "报送编号：来自哪份文件（对应表 submissions）",
    "sheet": "工作表：工作表名称，CSV 为空",
    "row_number": "行号：在原表中的行号",
    "row_status": "采用情况：accepted 采用，held 待确认（未采用）",
    "doubts": "存疑代码：多个以分号相隔；空为无疑问",
    "precedence": "先后次序：同一乡镇同一月份以大者为准",
    "indicator_value": "指标数值：是为 1，否为 0；文字指标为空",
    "is_latest": "是否最新：是否为该来源对该单位该月份（该资金项目）最后报的一版",
    "is_current": "是否现行：是否为该单位该月份现行采用的一行；经费只标民政工作经费，其他资金项目看是否最新",
}
_SUITE = {
    "suite": "核对组：核对组的代号",
    "suite_title_zh": "核对组名称：一组核对规则的名称",
    "target": "核对的表：规则核对哪张表",
    "expectation": "规则代号：核对规则的代号",
    "title_zh": "规则名称：核对规则的中文名称",
    "kind": "性质：blocking 流程有误，doubt 数据存疑，short 未达标准（最近一个统计月，只计数；逐条见 judgements、findings）",
    "evaluated_count": "核对行数（行）：核对了多少行",
    "unexpected_count": "标出行数（行）：标出了多少行",
    "unexpected_pct": "标出比例（%）：标出行数占核对行数的比例",
    "success": "是否通过：是否一行也未标出",
    "message_zh": "说明：核对出了什么",
    "what_to_do_zh": "处理办法：应当怎样处理",
    "subject_code": "区划代码：所说单位的区划代码",
    "month": "统计月份：当月 1 日",
    "standard_id": "标准编号：对照的标准",
    "value": "实际值：表中的值",
    "expected": "应有值：按规则应有的值",
    "submission_id": "报送编号：来自哪份文件（对应表 submissions）",
    "sheet": "工作表：工作表名称，CSV 为空",
    "row_number": "行号：在原表中的行号",
}


def comments() -> Comments:
    """(schema, table) → table comment and column comments, for what dbt leaves to others."""
    found: Comments = {
        ("quality", "suite_results"): ("核对结果：每条核对规则的结果，一行一条规则", _SUITE),
        ("quality", "suite_flags"): ("标出的行：核对规则标出的行，一行一处", _SUITE),
    }
    found["detail", "unit_monthly"] = ("", {metric.key: metric.comment for metric in METRICS.values()})
    found["detail", "unit_moved_monthly"] = ("", {metric.key: metric.comment for metric in MOVED.values()})
    for name, contract in (*DATASETS.items(), *LIST_DATASETS.items()):
        described = {
            # A title ends at its first colon.
            column.name: f"{column.title_zh.removeprefix('其中：')}：{column.description_zh}".rstrip("：")
            for column in contract.columns.values()
        }
        described |= {
            column.precision_name: f"{column.label_zh.removeprefix('其中：')}的写法精度({column.unit})："
            "所报数字末一位的一个单位；与保障数比较时据此判断"
            for column in contract.columns.values()
            if column.has_precision
        }
        found["reported", name] = (
            f"{contract.title_zh}：报来的每一版数据，现行与被取代的都在",
            described | {key: text for key, text in _PROVENANCE.items() if key not in described},
        )
    return found
