"""Chinese comments for the published tables that dbt does not describe.

A reported row has the columns of its contract, so their descriptions come from there; a column is described
once. What the suites leave is described here, beside nothing else that could drift from it.
"""

from __future__ import annotations

from oversight.contracts import DATASETS

Comments = dict[tuple[str, str], tuple[str, dict[str, str]]]

_PROVENANCE = {
    "reported_code": "报表上填写的区划代码",
    "reported_name": "报表上填写的乡镇名称",
    "township_code": "当月有效的乡镇区划代码（9 位）；改码、合并的单位已对应到当月的代码",
    "subject_code": "当月有效的区划代码",
    "subject_name": "单位名称",
    "month": "统计月份（当月 1 日）",
    "submission_id": "来自哪份文件（对应表 submissions）",
    "sheet": "工作表名称",
    "row_number": "在原表中的行号",
    "row_status": "accepted 采用，held 待确认（未采用）",
    "doubts": "存疑代码，多个以分号相隔；空为无疑问",
    "precedence": "先后次序，同一乡镇同一月份以大者为准",
    "indicator_value": "指标值（数字；是为 1，否为 0；文字指标为空）",
    "is_current": "是否为该乡镇该月份现行采用的一行",
}
_SUITE = {
    "suite": "核对组",
    "suite_title_zh": "核对组名称",
    "target": "核对的表",
    "expectation": "规则代号",
    "title_zh": "规则名称",
    "kind": "性质：blocking 流程有误，doubt 数据存疑，short 未达标准",
    "evaluated_count": "核对的行数",
    "unexpected_count": "标出的行数",
    "unexpected_pct": "标出的比例（%）",
    "success": "是否一行也未标出",
    "message_zh": "说明",
    "what_to_do_zh": "处理办法",
    "subject_code": "单位的区划代码",
    "month": "月份（当月 1 日）",
    "standard_id": "标准编号",
    "value": "实际值",
    "expected": "应有的值",
    "submission_id": "来自哪份文件（对应表 submissions）",
    "sheet": "工作表名称",
    "row_number": "在原表中的行号",
}


def comments() -> Comments:
    """(schema, table) → table comment and column comments, for schemas `reported` and `quality`."""
    found: Comments = {
        ("quality", "suite_results"): ("每条核对规则的结果，一行一条规则", _SUITE),
        ("quality", "suite_flags"): ("核对规则标出的行，一行一处", _SUITE),
    }
    for name, contract in DATASETS.items():
        described = {
            column.name: f"{column.title_zh}：{column.description_zh}".rstrip("：")
            for column in contract.columns.values()
        }
        found["reported", name] = (
            f"{contract.title_zh}：报来的每一版数据，现行与被取代的都在",
            described | {key: text for key, text in _PROVENANCE.items() if key not in described},
        )
    return found
