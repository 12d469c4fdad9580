"""What waits for a reviewer in the current edition, however its file came: held figures, doubts, two sources.

Each is answered once, with a reason; the answer goes into `corrections/` and the next run follows it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from oversight.accounts import record
from oversight.accounts.actor import Actor
from oversight.accounts.scope import Scope
from oversight.settings import DataFolder
from oversight.workflow import handing_in as desk
from oversight.workflow.answers import ReviewError, add, answer, given, one_at_a_time, place, reason_of
from oversight.workflow.review import Verdict, may_decide

Kind = Literal["held", "doubt", "two_sources"]
KIND_ZH: dict[str, str] = {"held": "待确认的数", "doubt": "存疑", "two_sources": "两个来源不一致"}
Rows = Callable[[str, Sequence[Any]], list[dict[str, Any]]]
# What is further back is past correcting; the pages of the files have all of it.
LISTED = 500
_DATASETS = ("population", "budget", "staffing", "indicators")


@dataclass(frozen=True)
class Question:
    """A held figure, or a row in doubt, of the current edition."""

    kind: Kind
    dataset: str
    month: date
    code: str
    name: str
    sha256: str
    file_name: str
    sheet: str | None
    row: int
    column: str
    value: str
    what: str

    @property
    def id(self) -> str:
        """The same for the same question in every edition."""
        parts = (
            self.kind,
            self.dataset,
            self.sha256,
            self.sheet or "",
            str(self.row),
            self.column,
            self.code,
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def settle(
    folder: DataFolder, question: Question, verdict: Verdict, reason: str, actor: Actor, *, by: str = ""
) -> None:
    """Confirm a held figure, put down that a doubt was looked into, or send the row back; the next run follows it.

    Raises `ReviewError` where it was answered before, and `Conflict` to whoever handed the file in.
    """
    who = by or actor.name
    if not actor.scope.covers(question.code):
        raise ReviewError("没有这个待确认的数，或您无权确认。请刷新页面。")
    told = reason_of(reason, wanted=True, what="确认和退回")
    may_decide(who, actor, desk.sender_of(folder, question.sha256))
    with one_at_a_time(folder):
        before = answer_to(answered(folder), question)
        if before is not None:
            if before["提出人"] == who and before["类型"] == _kind(question, verdict):
                return
            raise ReviewError(
                f"这个问题已由{before['提出人']}于 {before['日期']} {before['类型']}，没有再处理。请刷新页面查看。"
            )
        record.note(
            folder,
            "corrections",
            动作=_kind(question, verdict),
            文件=question.file_name,
            sha256=question.sha256,
            单位=f"{question.name}（{question.code}）",
            月份=f"{question.month:%Y-%m}",
            数据列=question.column,
            原值=question.value,
            原因=told,
            审核人=who,
        )
        line = answer(
            _kind(question, verdict),
            dataset=question.dataset,
            month=f"{question.month:%Y-%m}",
            code=question.code,
            sha256=question.sha256,
            sheet=question.sheet,
            row=question.row,
            reason=told,
            by=who,
            column=question.column if question.kind != "doubt" else "",
            value=question.value if question.kind != "doubt" else "",
        )
        add(folder, [line])


def _kind(question: Question, verdict: Verdict) -> Literal["确认", "退回", "核实"]:
    if verdict == "return":
        return "退回"
    return "确认" if question.kind == "held" else "核实"


def answered(folder: DataFolder) -> dict[tuple[str, str, str, str], dict[str, str]]:
    """Answers by what they speak of; a row that was sent back is answered in all its columns."""
    return {((*place(row)[:3], "") if row["类型"] == "退回" else place(row)): row for row in given(folder)}


def _place(question: Question) -> tuple[str, str, str, str]:
    column = question.column if question.kind != "doubt" else ""
    return (question.sha256[:16], question.sheet or "", str(question.row), column)


def answer_to(
    found: Mapping[tuple[str, str, str, str], dict[str, str]], question: Question
) -> dict[str, str] | None:
    """The answer to a question, if it has one."""
    own = _place(question)
    return found.get(own) or found.get((*own[:3], ""))


def questions(rows: Rows, scope: Scope, prefix: str = "", schema: str = "") -> list[Question]:
    """What waits in an edition of units inside a scope and under a code, the latest month first.

    `rows` asks the edition; `schema` is what stands before its tables there.
    """
    found = [
        *_held(rows, scope, prefix, schema),
        *_two_sources(rows, scope, prefix, schema),
        *_doubted(rows, scope, prefix, schema),
    ]
    order = list(KIND_ZH)
    return sorted(found, key=lambda q: (-q.month.toordinal(), order.index(q.kind), q.code, q.dataset, q.row))


def _inside(code: str, scope: Scope, prefix: str) -> tuple[str, list[str]]:
    some = " or ".join(f"starts_with({code}, ?)" for _ in scope.prefixes) or "false"
    return f"({some}) and starts_with({code}, ?)", [*scope.prefixes, prefix]


def _common(dataset: str) -> tuple[str, str, str]:
    """The columns of a dataset's rows that hold the unit's code, its name as written, and the month."""
    named = (
        ("subject_code", "subject_name") if dataset == "indicators" else ("township_code", "reported_name")
    )
    return (*named, "month")


def _held(rows: Rows, scope: Scope, prefix: str, schema: str) -> list[Question]:
    from oversight.contracts import ALL_DATASETS

    found = []
    for dataset in _DATASETS:
        code, name, month = _common(dataset)
        inside, values = _inside(f"t.{code}", scope, prefix)
        columns = {c.title_zh: c.name for c in ALL_DATASETS[dataset].columns.values()}
        for row in rows(
            f"select r.submission_id, r.sheet, r.row_number, r.column_title, r.message_zh, s.file_name, s.sha256, "
            f"t.* from {schema}rejected_rows as r join {schema}reported.{dataset} as t "
            "on t.submission_id = r.submission_id and t.row_number = r.row_number "
            "and t.sheet is not distinct from r.sheet "
            f"join {schema}submissions as s on s.submission_id = r.submission_id "
            f"where r.disposition = 'held' and {inside} order by t.{month} desc limit {LISTED}",
            values,
        ):
            column = columns.get(row["column_title"] or "")
            if column is None:
                continue
            # Left out of its row, a figure that is held for itself is nought.
            value = row[column] if row[column] is not None else 0
            found.append(
                _question("held", dataset, row, row[code], row[name], row["column_title"], str(value))
            )
    return found


def _doubted(rows: Rows, scope: Scope, prefix: str, schema: str) -> list[Question]:
    from oversight.intake_messages import CATALOGUE, CELL_BY_CELL, HARMLESS

    found = []
    for dataset in _DATASETS:
        code, name, month = _common(dataset)
        inside, values = _inside(f"t.{code}", scope, prefix)
        for row in rows(
            f"select t.*, s.file_name, s.sha256 from {schema}reported.{dataset} as t "
            f"join {schema}submissions as s on s.submission_id = t.submission_id "
            f"where t.doubts is not null and t.is_current and {inside} order by t.{month} desc limit {LISTED}",
            values,
        ):
            codes = [c for c in row["doubts"].split(";") if c not in HARMLESS and c not in CELL_BY_CELL]
            if codes:
                told = "；".join(CATALOGUE[c].title_zh for c in codes)
                found.append(_question("doubt", dataset, row | {"message_zh": told}, row[code], row[name]))
    return found


def _two_sources(rows: Rows, scope: Scope, prefix: str, schema: str) -> list[Question]:
    inside, values = _inside("r.township_code", scope, prefix)
    found = []
    for row in rows(
        f"select r.*, a.sha256 as sha_a, b.sha256 as sha_b from {schema}reconciliation as r "
        f"join {schema}submissions as a on a.submission_id = r.submission_a "
        f"join {schema}submissions as b on b.submission_id = r.submission_b "
        f"where {inside} order by r.month desc limit {LISTED}",
        values,
    ):
        side = "a" if row["used_source"] == row["source_a"] else "b"
        used = {
            "sheet": row[f"sheet_{side}"],
            "row_number": row[f"row_number_{side}"],
            "sha256": row[f"sha_{side}"],
            "file_name": row[f"file_name_{side}"],
            "month": row["month"],
            "message_zh": (
                f"{row['source_a_name']}报 {row['value_a']:f}，{row['source_b_name']}报 {row['value_b']:f}；"
                f"现用{row['used_source_name']}（{row['rule']}）"
            ),
        }
        value = f"{row[f'value_{side}']:f}"
        dataset = "payments" if row["used_source"] == "treasury" else row["dataset"]
        found.append(
            _question(
                "two_sources",
                dataset,
                used,
                row["township_code"],
                row["township_name"],
                row["figure_zh"],
                value,
            )
        )
    return found


def _question(
    kind: Kind,
    dataset: str,
    row: Mapping[str, Any],
    code: str,
    name: str | None,
    column: str = "",
    value: str = "",
) -> Question:
    return Question(
        kind,
        dataset,
        row["month"],
        code,
        name or code,
        row["sha256"],
        row["file_name"],
        row["sheet"],
        row["row_number"],
        column,
        value,
        row["message_zh"],
    )
