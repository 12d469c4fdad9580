"""Who may do what, and who may not do both of two things. The one table of it; nothing else decides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from oversight.errors import OversightError

Role = Literal["administrator", "analyst", "reviewer", "reporter", "reader"]
Action = Literal[
    "look",  # pages, tables and their downloads, reports, returned files: inside the scope
    "query",  # SQL of one's own, inside the scope
    "keep_queries",
    "hand_in",
    "confirm",
    "make_report",
    "issue_report",
    "review_report",
    "correct",  # ask for a figure to be corrected
    "write_standards",
    "approve_standards",
    "follow",  # what is done about a finding, and letters
    "reply",  # to a finding of one's own units
    "close_finding",  # close, exempt, send back
    "see_letters",
    "approve_letter",
    "run",  # start a run, go back to an edition of before
    "manage",  # accounts and the record
    "operate",  # how the service itself is doing
]

ROLES: dict[Role, str] = {
    "administrator": "管理员",
    "analyst": "分析员",
    "reviewer": "审核员",
    "reporter": "报送员",
    "reader": "查阅",
}
_ACTIONS: dict[Role, frozenset[Action]] = {
    "administrator": frozenset({"look", "query", "keep_queries", "run", "manage", "operate"}),
    "analyst": frozenset(
        {
            *("look", "query", "keep_queries", "hand_in", "confirm", "make_report", "issue_report"),
            *("correct", "write_standards", "follow", "reply", "see_letters", "run"),
        }
    ),
    "reviewer": frozenset(
        {
            *("look", "query", "keep_queries", "confirm", "review_report", "approve_standards"),
            *("close_finding", "see_letters", "approve_letter"),
        }
    ),
    "reporter": frozenset({"look", "hand_in", "reply"}),
    "reader": frozenset({"look"}),
}

# Two steps of one thing that two different people must take, and how it is said.
_APART: tuple[tuple[Action, Action, str], ...] = (
    ("hand_in", "confirm", "报送的人不能确认自己报送的数据"),
    ("correct", "confirm", "提出更正的人不能批准自己提出的更正"),
    ("write_standards", "approve_standards", "起草标准的人不能审批自己起草的标准"),
    ("make_report", "review_report", "起草通报的人不能审核自己起草的通报"),
    ("review_report", "issue_report", "审核通报的人不能签发同一份通报"),
    ("follow", "close_finding", "提请核销的人不能核销同一问题"),
    ("follow", "approve_letter", "拟稿的人不能审批自己拟的文书"),
)


class Conflict(OversightError):
    """One person would take two steps that two must take."""


def may(role: str, action: Action) -> bool:
    """Whether a role allows an action. A role that is not known allows none."""
    return action in _ACTIONS.get(role, frozenset())  # type: ignore[call-overload]


def apart(who: str, action: Action, taken: Iterable[tuple[Action, str]]) -> None:
    """Raise `Conflict` when who now takes `action` has taken the step of the same thing that somebody else must take.

    `taken` are the steps so far, each with who took it. Names compare without regard to case and spaces around them.
    """
    own = who.strip().casefold()
    for first, second, said in _APART:
        for step, by in taken:
            if by.strip().casefold() == own and {step, action} == {first, second}:
                raise Conflict(f"{said}（{who.strip()}）。请由另一人办理。")
