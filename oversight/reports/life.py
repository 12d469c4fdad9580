"""A person's steps in the life of a paper: reviewed, withdrawn. (Drafted and issued: `make`.)"""

from __future__ import annotations

from datetime import date, datetime

from oversight import presentation
from oversight.reports import store
from oversight.reports.errors import ReportError
from oversight.reports.store import Version
from oversight.settings import DataFolder


def review(
    folder: DataFolder, month: date, scope_code: str, *, by: str, at: datetime, note: str = ""
) -> Version:
    """Put down that someone has looked through the draft and agrees. A draft of late data cannot be agreed to."""
    with store.lock(folder):
        held = store.draft(folder, month, scope_code)
        if held is None:
            raise ReportError(
                f"{scope_code} {presentation.month(month)}没有待审核的草稿。请先运行 oversight report "
                f"--month {presentation.month_code(month)} --scope {scope_code}。"
            )
        if held.manifest["problems"]:
            raise ReportError(
                f"{held.scope_name}{presentation.month(month)}的草稿所用数据不齐，不能审核："
                f"{'；'.join(held.manifest['problems'])}。请补齐数据、重新生成草稿后再审核。"
            )
        return store.note(held, "reviewed", by, at, note)


def withdraw(folder: DataFolder, month: date, scope_code: str, *, by: str, at: datetime, why: str) -> Version:
    """Take back the paper that stands. Its files stay, marked; it is sent to nobody any more."""
    with store.lock(folder):
        last = store.standing(store.versions(folder, month, scope_code))
        if last is None:
            raise ReportError(f"{scope_code} {presentation.month(month)}没有已印发的通报，无从撤回。")
        return store.note(last, "withdrawn", by, at, why)
