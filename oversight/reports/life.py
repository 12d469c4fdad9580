"""A person's steps in the life of a paper: submitted, reviewed, sent back, withdrawn. (Drafted and issued: `make`.)"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from oversight import presentation
from oversight.accounts.roles import Conflict, apart
from oversight.reports import store
from oversight.reports.errors import ReportError
from oversight.reports.store import Version
from oversight.settings import DataFolder


def _any(_: Version) -> bool:
    """At the command line whoever takes a step means what lies there."""
    return True


def submit(
    folder: DataFolder,
    month: date,
    scope_code: str,
    *,
    by: str,
    at: datetime,
    expected: Callable[[Version], bool] = _any,
) -> Version:
    """Put down that a draft is ready to be reviewed. `expected`: whether it is the draft that was read."""
    with store.lock(folder):
        held = _draft(folder, month, scope_code, expected)
        if held.state in ("submitted", "reviewed"):
            return held
        _check_whole(held, month, "送审")
        return store.note(held, "submitted", by, at)


def review(
    folder: DataFolder,
    month: date,
    scope_code: str,
    *,
    by: str,
    at: datetime,
    note: str = "",
    expected: Callable[[Version], bool] = _any,
    is_submitted: bool = False,
) -> Version:
    """Put down that someone has looked through the draft and agrees. A draft of late data cannot be agreed to.

    Whoever is known to have made a draft does not review it. `is_submitted`: only one that was submitted.
    """
    with store.lock(folder):
        held = _draft(folder, month, scope_code, expected)
        _check_whole(held, month, "审核")
        _check_apart(held, by)
        if is_submitted and held.state == "reviewed":
            return _same_again(held, by)
        if is_submitted and held.state != "submitted":
            raise ReportError("这份草稿还没有送审，不能审核。请等起草人送审。")
        return store.note(held, "reviewed", by, at, note)


def send_back(
    folder: DataFolder,
    month: date,
    scope_code: str,
    *,
    by: str,
    at: datetime,
    why: str,
    expected: Callable[[Version], bool] = _any,
) -> Version:
    """Put down that a draft is not agreed to, and why."""
    with store.lock(folder):
        held = _draft(folder, month, scope_code, expected)
        _check_apart(held, by)
        if held.state == "returned":
            return _same_again(held, by)
        if held.state not in ("submitted", "reviewed"):
            raise ReportError("这份草稿还没有送审，不用退回。请刷新页面。")
        return store.note(held, "returned", by, at, why)


def _draft(folder: DataFolder, month: date, scope_code: str, expected: Callable[[Version], bool]) -> Version:
    held = store.draft(folder, month, scope_code)
    if held is None:
        raise ReportError(
            f"{scope_code} {presentation.month(month)}没有待审核的草稿。请先运行 oversight report "
            f"--month {presentation.month_code(month)} --scope {scope_code}。"
        )
    if not expected(held):
        raise ReportError("草稿在您打开以后重新生成过，没有处理。请刷新页面，读过新的草稿再办。")
    return held


def _check_whole(held: Version, month: date, step: str) -> None:
    if held.manifest["problems"]:
        raise ReportError(
            f"{held.scope_name}{presentation.month(month)}的草稿所用数据不齐，不能{step}："
            f"{'；'.join(held.manifest['problems'])}。请补齐数据、重新生成草稿后再{step}。"
        )


def _check_apart(held: Version, by: str) -> None:
    try:
        apart(
            by,
            "review_report",
            [
                ("make_report", e["by"])
                for e in held.events
                if e["step"] in ("drafted", "submitted") and e["by"]
            ],
        )
    except Conflict as error:
        raise ReportError(str(error)) from error


def _same_again(held: Version, by: str) -> Version:
    last = held.events[-1]
    if last["by"] == by:
        return held
    done = "审核" if last["step"] == "reviewed" else "退回"
    raise ReportError(
        f"这份草稿已由{last['by']}于 {last['at'][:16].replace('T', ' ')} {done}，没有再处理。请刷新页面。"
    )


def withdraw(folder: DataFolder, month: date, scope_code: str, *, by: str, at: datetime, why: str) -> Version:
    """Take back the paper that stands. Its files stay, marked; it is sent to nobody any more."""
    with store.lock(folder):
        last = store.standing(store.versions(folder, month, scope_code))
        if last is None:
            raise ReportError(f"{scope_code} {presentation.month(month)}没有已印发的通报，无从撤回。")
        return store.note(last, "withdrawn", by, at, why)
