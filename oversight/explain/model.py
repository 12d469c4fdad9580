"""What an explanation is made of, and how it is written as text, HTML and JSON."""

from __future__ import annotations

import html
import json
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from oversight import presentation
from oversight.errors import OversightError


class ExplainError(OversightError):
    """Nothing to explain: an unknown code, a month without data, a rule that was not judged."""


@dataclass(frozen=True)
class Cell:
    """A reported figure and where it stands. `value` None: the file leaves it blank, or nobody reported."""

    what: str
    month: date | None
    value: str | None
    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    note: str = ""
    # The file by its id: names may come twice.
    submission: str | None = None

    def text(self) -> str:
        """As one line."""
        value = "未报送" if self.value is None else self.value
        when = f"{self.month:%Y-%m} " if self.month else ""
        sheet = f"，工作表“{self.sheet}”" if self.sheet else ""
        place = f"（{self.file}{sheet}，第 {self.row} 行）" if self.file else ""
        return f"{when}{self.what}：{value}{place}" + (f"；{self.note}" if self.note else "")


@dataclass(frozen=True)
class Line:
    """A line of arithmetic. `kept`: the result as used, where it differs from the plain one, with the reason."""

    name: str
    expression: str
    result: str
    unit: str
    remark: str = ""

    def text(self) -> str:
        """`名称：算式 = 结果 单位（说明）`."""
        tail = f"（{self.remark}）" if self.remark else ""
        return f"{self.name}：{self.expression} = {self.result} {self.unit}".rstrip() + tail


@dataclass
class RuleExplanation:
    """One rule for one subject and month."""

    rule_id: str
    title: str
    status: str
    status_label: str
    document: str
    clause: str
    quotation: str
    origin: str = ""
    tier: str = ""
    tier_quotation: str = ""
    cells: list[Cell] = field(default_factory=list)
    arithmetic: list[Line] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    other_readings: list[str] = field(default_factory=list)
    conclusion: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass
class Explanation:
    """Everything said of a subject and month."""

    subject_code: str
    subject_name: str
    place: str
    month: date
    edition_id: str
    rules: list[RuleExplanation]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        content: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str, ensure_ascii=False))
        return content

    def json(self) -> str:
        """As JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1)

    def text(self) -> str:
        """As plain Chinese text."""
        lines = [f"{self.place}{self.subject_name}（{self.subject_code}）　{presentation.month(self.month)}"]
        lines.append(f"数据版本 {self.edition_id}")
        for rule in self.rules:
            lines += ["", f"{_headed(rule)}：{rule.status_label}", f"  {rule.conclusion}"]
            for title, items in _sections(rule):
                lines.append(f"  {title}")
                lines += [f"    {item}" for item in items]
        return "\n".join(lines) + "\n"

    def html(self) -> str:
        """As an HTML fragment without styles or scripts of its own."""
        parts = [
            '<article class="explanation">',
            f"<h2>{_h(self.place + self.subject_name)}（{_h(self.subject_code)}） {presentation.month(self.month)}</h2>",
            f"<p>数据版本 {_h(self.edition_id)}</p>",
        ]
        for rule in self.rules:
            parts.append(f'<section data-rule="{_h(rule.rule_id)}" data-status="{_h(rule.status)}">')
            parts.append(f"<h3>{_h(_headed(rule))}：{_h(rule.status_label)}</h3>")
            parts.append(f"<p>{_h(rule.conclusion)}</p>")
            for title, items in _sections(rule):
                parts.append(f"<h4>{_h(title)}</h4><ul>")
                parts += [f"<li>{_h(item)}</li>" for item in items]
                parts.append("</ul>")
            parts.append("</section>")
        return "\n".join([*parts, "</article>"]) + "\n"


def _h(text: str) -> str:
    return html.escape(text)


def _headed(rule: RuleExplanation) -> str:
    return f"【{rule.rule_id or '经费'}】{rule.title}"


def _sections(rule: RuleExplanation) -> list[tuple[str, list[str]]]:
    basis = [f"《{rule.document}》{rule.clause}：“{rule.quotation}”"] if rule.document else []
    if rule.origin:
        basis.append(f"由该文件转引，出自{rule.origin}")
    if rule.tier:
        quoted = f"：“{rule.tier_quotation}”" if rule.tier_quotation else ""
        basis.append(f"适用档次 {rule.tier}{quoted}")
    found = [
        ("依据", basis),
        ("报送数据", [cell.text() for cell in rule.cells]),
        ("计算", [line.text() for line in rule.arithmetic]),
        ("所作假定", rule.assumptions),
        ("另一种理解", rule.other_readings),
        ("处理记录", rule.notes),
    ]
    return [(title, items) for title, items in found if items]
