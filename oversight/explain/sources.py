"""Whose figures an answer rests on, where two sources differ, and what was declared nil."""

from __future__ import annotations

from typing import Any

from oversight.explain.arithmetic import trimmed
from oversight.explain.cells import Edition
from oversight.explain.model import RuleExplanation

_LISTED = 6
_TOLD = {
    "nil": "本月的报表申报为零（零报告，或写“无”）：本月拨付按 0.00 元计。",
    "dash": "本月的报表在拨付一格写了横线：是未知，不是零。",
    "blank": "本月的报表没有填拨付：是未知，不是零。",
}


def told_sources(edition: Edition, told: RuleExplanation, funding: dict[str, Any]) -> None:
    """Add what the reader must know of the sources; an edition made before there were any says nothing of them."""
    if "disbursed_told" not in funding:
        return
    note = _TOLD.get(funding["disbursed_told"])
    if note:
        told.assumptions.append(note)
    if not edition.holds("main", "reconciliation"):
        return
    rows = edition.rows(
        "select * from reconciliation where township_code = ? and year(month) = ? and month <= ? "
        "and (fund_code is null or fund_code = 'working_funds') and dataset in ('budget', 'population') "
        "order by month desc, figure",
        funding["township_code"],
        funding["fiscal_year"],
        funding["month"],
    )
    for row in rows[:_LISTED]:
        told.assumptions.append(
            f"两方所报不同：{row['month']:%Y-%m} {row['figure_zh']}，{_side(row, 'a')}，{_side(row, 'b')}，"
            f"差 {trimmed(row['difference'])}；采用{row['used_source_name']}的数（{row['rule']}）。"
        )
    if len(rows) > _LISTED:
        told.assumptions.append(f"两方所报不同的另有 {len(rows) - _LISTED} 处，见表 reconciliation。")


def _side(row: dict[str, Any], side: str) -> str:
    place = row[f"file_name_{side}"] or ""
    if row[f"sheet_{side}"]:
        place += f" “{row[f'sheet_{side}']}”"
    if row[f"row_number_{side}"]:
        place += f" 第 {row[f'row_number_{side}']} 行"
    return f"{row[f'source_{side}_name']} {trimmed(row[f'value_{side}'])}" + (f"（{place}）" if place else "")
