"""What a change touches in the current edition."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from oversight.settings import DataFolder
from oversight.workflow.rules.catalogue import Step, file_of
from oversight.workflow.rules.checks import group_of, staged


def touched(folder: DataFolder, steps: Sequence[Step]) -> list[str]:
    """What a change concerns in the current edition, in sentences: which figures, how many units. Counted at once; what
    comes of it in amounts is for a trial."""
    from oversight.editions import current, open_edition

    group = group_of(steps)
    cells = [(step.file, told) for step in steps for told in (step.before, step.after) if told is not None]
    if group == "corrections":
        units = {told["区划代码"] for _, told in cells if told.get("区划代码")}
        columns = dict.fromkeys(told["数据列"] for _, told in cells if told.get("数据列"))
        return [f"涉及 {len(units)} 个单位的 {len(steps)} 个数：{'、'.join(columns)}。"]
    if group == "headings":
        senders = {told.get("报送单位", "") for _, told in cells}
        return [f"涉及 {len(senders)} 个报送单位的 {len(steps)} 个表头；其文件在下次运行时重新读取。"]
    if current(folder) is None:
        return []
    ids = {told["standard_id"] for _, told in cells if told.get("standard_id")}
    ids |= {told["标准编号"] for name, told in cells if name == "confirmations" and told.get("标准编号")}
    found = []
    with open_edition(folder) as connection:
        if ids:
            judged = connection.execute(
                "select count(distinct subject_code), count(*) from judgements "
                "where (? or list_contains(?, regexp_replace(rule_id, '\\.1$', '')))",
                ["全部" in ids, sorted(ids)],
            ).fetchone()
            units, answers = judged or (0, 0)
            told_ids = "、".join(sorted(ids)[:8])
            found.append(
                f"涉及标准 {told_ids}：现有 {answers} 项判定，{units} 个单位。"
                if answers
                else f"涉及标准 {told_ids}：现在还没有按它判定过。"
            )
        months = [
            row[0]
            for row in connection.execute(
                "select distinct month from funding_gap_monthly order by 1"
            ).fetchall()
        ]
        count = (connection.execute("select count(*) from townships").fetchone() or (0,))[0]
        funds = {told["fund_code"] for name, told in cells if name == "funds" and told.get("fund_code")}
        if funds:
            rows_of = connection.execute(
                "select count(*), count(distinct township_code) from fund_ledger_monthly "
                "where list_contains(?, fund_code)",
                [sorted(funds)],
            ).fetchone() or (0, 0)
            found.append(
                f"现在按这些资金项目记的有 {rows_of[0]} 行、{rows_of[1]} 个单位；名单外的名称要重新认。"
            )
    if any(name in ("calendar", "due_dates") for name, _ in cells):
        found.append(_moved_days(folder, steps, months, count))
    rest = sorted({file_of(name).title for name, _ in cells} - {"放假安排", "报送截止日", "资金项目"})
    return found or [f"涉及{'、'.join(rest)}，对全部 {count} 个单位都有效。"]


def _moved_days(folder: DataFolder, steps: Sequence[Step], months: Sequence[date], count: int) -> str:
    from oversight.contracts import DATASETS
    from oversight.intake.judging import due

    with staged(folder, steps) as trial:
        moved = [
            (name, month, before, after[name])
            for month in months
            for after in [due.due_days(trial, month)]
            for name, before in due.due_days(folder, month).items()
            if name in after and after[name] != before
        ]
    if not moved:
        return "已有月份的报送截止日都不变。"
    name, month, before, after = moved[-1]
    return (
        f"{len(moved)} 个报表月份的截止日变动，每个 {count} 个单位；"
        f"如 {month:%Y-%m} {DATASETS[name].title_zh}：{before} 改为 {after}。"
    )
