"""What a bureau may change without touching code: `report/report.toml` and `report/templates/` in its data folder.

The defaults lie in this package. A bureau's file is laid over them item by item, then the part
`[scope."<code>"]` of the division a report is about. An item that does not exist is refused by name, so that
a slip of the pen is not a setting that quietly does nothing.
"""

from __future__ import annotations

import copy
import difflib
import hashlib
import json
import re
import tomllib
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    UndefinedError,
    meta,
    nodes,
)
from jinja2.sandbox import SandboxedEnvironment

from oversight import presentation
from oversight.reports.errors import ReportError
from oversight.reports.paper import Deadline
from oversight.settings import DataFolder

DEFAULTS = Path(__file__).parent / "defaults"
# Stands before every value a template prints, so that a value is never read as mark-up.
VALUE_MARK = "\x02"
_FREE = {"scope", "delivery", "smtp"}
_DELIVERY_KEYS = {"name", "folder", "email", "formats", "scopes"}
_SMTP_KEYS = {"host", "port", "security", "user", "password_env", "sender", "timeout_seconds", "ca_file"}

Settings = dict[str, Any]

# What may be chosen, where a word is not free; and the least and the most a number may be.
_CHOICES = {
    "content.rank_by": ("auto", "township", "county", "city"),
    "named.severities": ("high", "medium", "low"),
}
_LIMITS = {
    "document.first_number": (1, None),
    "letters.first_number": (1, None),
    "content.body_pages": (1, None),
    "content.paper_rows": (1, None),
    "content.chart_units": (1, None),
    "content.ranking_rows": (1, None),
    "content.ranking_ends": (1, None),
    "named.first_page": (1, None),
    # Every month has a 28th; a deadline lies after the day of issue.
    "deadlines.issue_day": (1, 28),
    "deadlines.confirm_days": (1, None),
    "deadlines.supplement_days": (1, None),
    "deadlines.plan_days": (1, None),
    "deadlines.rectify_days": (1, None),
    "letters.reply_days": (1, None),
    "letters.rectify_after_days": (1, None),
    "readiness.min_reported_pct": (0, 100),
}


def report_folder(folder: DataFolder) -> Path:
    """Where a bureau's own wording lies."""
    return folder.root / "report"


@dataclass(frozen=True)
class Wording:
    """Settings and templates of one report."""

    settings: Settings
    environment: SandboxedEnvironment
    fonts: Path
    # Short texts as they were compiled: a letter to each of many units fills in the same ones.
    compiled: dict[str, Template] = field(default_factory=dict, repr=False, compare=False)

    @property
    def pdf_families(self) -> dict[str, list[str]]:
        """The fonts of the pages, best first, by what they are for."""
        style = self.settings["style"]
        return {name: style[f"pdf_{name}"] for name in ("title", "body", "heading1", "heading2")}

    def line(self, text: str, **values: Any) -> str:
        """A short text of the settings, with its values filled in."""
        return self._rendered(None, text, values).replace(VALUE_MARK, "").strip()

    def template(self, name: str, **values: Any) -> str:
        """A template's text; values in it carry `VALUE_MARK`."""
        return self._rendered(f"{name}.txt", "", values)

    def has_template(self, name: str) -> bool:
        """Whether there is such a template, the bureau's or the default."""
        return f"{name}.txt" in self.environment.list_templates()

    def _rendered(self, file: str | None, text: str, values: Mapping[str, Any]) -> str:
        try:
            if file:
                template = self.environment.get_template(file)
            elif (template := self.compiled.get(text)) is None:  # type: ignore[assignment]
                template = self.compiled[text] = self.environment.from_string(text)
            return template.render(**values)
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            place, told = f"通报设置里的“{text}”", _told(error, values)
            line = getattr(error, "lineno", None) or _line_of(error)
            if file:
                source, path, _ = self._source(file)
                place = f"通报模板 {path or file}"
                slip = _slip(self.environment, source, values)
                if slip:
                    line, told = slip
            else:
                slip = _slip(self.environment, text, values)
                told = slip[1] if slip else told
            where = f"{place} 第{line}行" if file and line else place
            raise ReportError(f"{where}有误：{told}。请改正后重新生成。") from error

    def slip(self, name: str, written: str, known: Iterable[str]) -> ReportError:
        """What is wrong with a table or chart that a template asks for, and where it does."""
        source, path, _ = self._source(f"{name}.txt")
        line = next((n for n, text in enumerate(source.splitlines(), 1) if written.rstrip("]") in text), None)
        where = f"{path or name} 第{line}行" if line else path or name
        asked = written.strip("[]").split(" ")
        return ReportError(
            f"通报模板 {where}有误：没有“{written}”{_meant(asked[1], known, asked[0] + ' ')}，"
            f"可用的有：{'、'.join(known)}。请改正后重新生成。"
        )

    def _source(self, file: str) -> tuple[str, str | None, Any]:
        try:
            return self.environment.loader.get_source(self.environment, file)  # type: ignore[union-attr]
        except TemplateError:
            return "", None, None


def _meant(word: str, known: Iterable[str], front: str = "") -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"，是不是“{front}{near[0]}”" if near else ""


def _told(error: Exception, values: Mapping[str, Any]) -> str:
    """What Jinja and Python say in English, in Chinese."""
    told = str(getattr(error, "message", None) or error)
    if isinstance(error, UndefinedError) and (lacking := re.search(r"no attribute '(\w+)'", told)):
        # A name of a row: those of all rows that a template is given.
        rows = (rows[0] for rows in values.values() if isinstance(rows, list) and rows)
        known = sorted({key for row in rows if isinstance(row, dict) for key in row})
        return f"没有“{lacking[1]}”这个名称{_meant(lacking[1], known)}"
    if isinstance(error, (TypeError, ValueError, ArithmeticError)):
        return f"竖线后面的写法不能用在这样的内容上（{told}）"
    return told


def _line_of(error: BaseException) -> int | None:
    """The line of the template in which an error came up: Jinja puts its lines into the traceback."""
    frames = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.endswith(".txt") or frame.filename == "<template>"
    ]
    return frames[-1] if frames else None


def _slip(
    environment: SandboxedEnvironment, source: str, values: Mapping[str, Any]
) -> tuple[int, str] | None:
    """The first misspelt name of a template, its line, and what was probably meant."""
    try:
        tree = environment.parse(source)
    except TemplateError:
        return None
    # What the template itself defines in a branch is not misspelt where that branch was not taken.
    defined = {node.name for node in tree.find_all(nodes.Macro)}
    defined |= {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    known = {*values, *environment.globals, *defined}
    found = []
    for asked in tree.find_all((nodes.Filter, nodes.Test)):
        there = environment.filters if isinstance(asked, nodes.Filter) else environment.tests
        if asked.name not in there:
            return asked.lineno, f"没有“{asked.name}”这种写法{_meant(asked.name, there)}"
    for name in meta.find_undeclared_variables(tree) - known:
        line = next((node.lineno for node in tree.find_all(nodes.Name) if node.name == name), 1)
        found.append((line, name, sorted(known)))
    for node in tree.find_all(nodes.Getattr):
        if not isinstance(node.node, nodes.Name) or node.node.name not in values:
            continue
        value = values[node.node.name]
        parts = list(value) if isinstance(value, dict) else [part for part in dir(value) if part[0] != "_"]
        if value is not None and node.attr not in parts:
            found.append((node.lineno, f"{node.node.name}.{node.attr}", parts))
    if not found:
        return None
    line, name, parts = min(found, key=lambda slip: slip[:2])
    front, dot, last = name.rpartition(".")
    return line, f"没有“{name}”这个名称{_meant(last, parts, front + dot)}"


def load(folder: DataFolder, scope_code: str | None = None) -> Wording:
    """Settings and templates for the report on a division."""
    settings = tomllib.loads((DEFAULTS / "report.toml").read_text("utf-8"))
    path = report_folder(folder) / "report.toml"
    own = _own(path)
    overrides = own.pop("scope", {})
    try:
        _lay_over(settings, own, "")
        if scope_code is not None and scope_code in overrides:
            _lay_over(settings, overrides[scope_code], f"scope.{scope_code}.")
        environment = _environment(folder)
        _check_values(settings, environment)
        _check_delivery(settings)
        parts = [settings, own, *(part for part in overrides.values() if isinstance(part, dict))]
        asked = {name for part in parts for name in part.get("content", {}).get("sections", [])}
        _check_templates(report_folder(folder) / "templates", asked)
    except _Slip as slip:
        raise ReportError(f"{path} 第{_line_with(path, slip.key)}行：{slip}") from slip
    return Wording(settings, environment, report_folder(folder) / "fonts")


def fingerprint(folder: DataFolder, scope_code: str) -> str:
    """Of all that decides a report's wording: settings in force for the division, templates, a bureau's fonts.

    To whom a report is sent does not change what it says.
    """
    settings = {
        key: value
        for key, value in load(folder, scope_code).settings.items()
        if key not in _FREE and key != "letters"
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str, ensure_ascii=False).encode())
    for root in (DEFAULTS, report_folder(folder)):
        for path in sorted((*root.glob("templates/*.txt"), *root.glob("fonts/*"))):
            if path.name.startswith("letter_"):
                continue
            digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class _Slip(ReportError):
    """A setting that does not exist or has the wrong type."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def _line_with(path: Path, key: str) -> int:
    """The line in which a setting is written, or its part begins."""
    last = key.rpartition(".")[2]
    written = re.compile(rf"^\s*(\[.*\b{re.escape(last)}\b.*\]|\"?{re.escape(last)}\"?\s*=)")
    lines = enumerate(path.read_text("utf-8").splitlines(), start=1)
    return next((number for number, line in lines if written.match(line)), 1)


def _own(path: Path) -> Settings:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = re.search(r"at line (\d+)", str(error))
        last = len(path.read_bytes().splitlines())
        # A file in another encoding has no lines to count.
        where = f"第{line[1] if line else last}行" if isinstance(error, tomllib.TOMLDecodeError) else ""
        raise ReportError(f"通报设置 {path} {where}读不懂：{error}。请改正后重新生成。") from error


def _lay_over(settings: Settings, own: Settings, where: str) -> None:
    for key, value in own.items():
        if not where and key in _FREE:
            settings[key] = copy.deepcopy(value)
        elif key not in settings:
            known = sorted({*settings, *(() if where else _FREE)})
            near = difflib.get_close_matches(key, known, n=1)
            meant = f"是不是“{where}{near[0]}”？" if near else ""
            raise _Slip(
                key,
                f"通报设置里没有“{where}{key}”这一项，{meant}可用的有：{'、'.join(known)}。请改正 report.toml。",
            )
        elif isinstance(settings[key], dict):
            if not isinstance(value, dict):
                raise _Slip(key, f"通报设置“{where}{key}”应当是一段，不是一个值。请改正 report.toml。")
            _lay_over(settings[key], value, f"{where}{key}.")
        else:
            _check_type(f"{where}{key}", settings[key], value)
            settings[key] = copy.deepcopy(value)


def _check_type(name: str, default: Any, value: Any) -> None:
    kinds = {bool: "true 或 false", int: "整数", str: "文字", list: "清单"}
    wanted = type(default)
    is_scopes = name.rsplit(".", 1)[-1] == "scopes" and isinstance(value, (str, list))
    if not is_scopes and (not isinstance(value, wanted) or isinstance(value, bool) != (wanted is bool)):
        raise _Slip(
            name, f"通报设置“{name}”应当是{kinds.get(wanted, '')}，现在是 {value!r}。请改正 report.toml。"
        )


def _check_values(settings: Settings, environment: SandboxedEnvironment) -> None:
    """What is of the right type and yet nothing that could be meant."""
    standard = tomllib.loads((DEFAULTS / "report.toml").read_text("utf-8"))["content"]
    templates = [name.removesuffix(".txt") for name in environment.list_templates()]
    content = settings["content"]
    choices = _CHOICES | {
        "content.sections": templates,
        "content.annexes": ("ranking", *standard["annexes"]),
        "content.annexed_first": tuple(dict.fromkeys((*standard["sections"], *content["sections"]))),
    }
    for name, known in choices.items():
        part, _, key = name.partition(".")
        chosen = settings[part][key]
        for word in chosen if isinstance(chosen, list) else [chosen]:
            if word not in known:
                # Templates of letters and of other parts are not said to be sections, though a bureau may name them so.
                listed = standard["sections"] if name == "content.sections" else known
                raise _Slip(
                    name,
                    f"通报设置“{name}”里没有“{word}”{_meant(str(word), listed)}，可用的有：{'、'.join(listed)}"
                    f"{'，或 templates 里自己的文件' if name == 'content.sections' else ''}。请改正 report.toml。",
                )
    for name, (least, most) in _LIMITS.items():
        part, _, key = name.partition(".")
        value = settings[part][key]
        if value < least or (most is not None and value > most):
            wanted = f"{least}到{most}" if most is not None else f"不小于{least}"
            raise _Slip(name, f"通报设置“{name}”应当是{wanted}的整数，现在是 {value}。请改正 report.toml。")
    share = settings["named"]["minor_pct"]
    if not re.fullmatch(r"\d{1,2}(\.\d+)?|100", share):
        raise _Slip(
            "named.minor_pct",
            f'通报设置“named.minor_pct”应当是百分数（0到100），写成 "0.1" 的样子，现在是 {share!r}。请改正 report.toml。',
        )


def _check_templates(own: Path, sections: set[str]) -> None:
    """A file of a bureau's that nothing asks for is a misspelt name: its wording would quietly not be used."""
    files = sorted(own.glob("*.txt"))
    standard = {path.name for path in (DEFAULTS / "templates").glob("*.txt")}
    for path in files:
        if path.name in standard or path.stem in sections:
            continue
        if not any(path.name in other.read_text("utf-8", "replace") for other in files if other != path):
            raise ReportError(
                f"通报模板 {path} 没有用到：没有这样名称的部分{_meant(path.name, standard)}。"
                "自己加的部分要写进 report.toml 的 sections；不用的请移走。"
            )


def _check_delivery(settings: Settings) -> None:
    for item in settings.get("delivery", []):
        for key in sorted(set(item) - _DELIVERY_KEYS):
            raise _Slip(
                key, f"[[delivery]] 里没有“{key}”这一项{_meant(key, _DELIVERY_KEYS)}。请改正 report.toml。"
            )
        if not item.get("name") or ("folder" in item) == ("email" in item):
            raise _Slip(
                "delivery",
                "每个 [[delivery]] 要有 name，并且只写 folder 或 email 其中一项。请改正 report.toml。",
            )
    for key in sorted(set(settings.get("smtp", {})) - _SMTP_KEYS):
        raise _Slip(key, f"[smtp] 里没有“{key}”这一项{_meant(key, _SMTP_KEYS)}。请改正 report.toml。")


def names(values: Sequence[Any], limit: int = 5) -> str:
    """甲、乙、丙等8个单位."""
    listed = "、".join(str(value) for value in values[:limit])
    return f"{listed}等{presentation.count(len(values))}个单位" if len(values) > limit else listed


def tight(text: str) -> str:
    """Running text has no space between a figure and its unit."""
    return text.replace(" ", "")


def _environment(folder: DataFolder) -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        loader=ChoiceLoader(
            [
                FileSystemLoader(report_folder(folder) / "templates"),
                FileSystemLoader(DEFAULTS / "templates"),
            ]
        ),
        undefined=StrictUndefined,
        finalize=lambda value: f"{VALUE_MARK}{value}",
        autoescape=False,
        # One report is of one moment; and a look at the file for each of 2,000 named units takes a second.
        auto_reload=False,
    )
    environment.filters.update(
        wan=_wan,
        yuan=lambda value: tight(presentation.money(value, "yuan", named=True)),
        pct=lambda value, named=True: presentation.percent(value, 2, named=named),
        count=presentation.count,
        quantity=lambda value, unit=None: tight(presentation.quantity(value, unit, "yuan")),
        month=presentation.month,
        day=_day,
        by=by,
        names=names,
        status=presentation.status_label,
    )
    return environment


def _wan(value: Decimal) -> str:
    """万元; less than one 万元 as 元, so that a small amount does not read as nought."""
    unit: presentation.MoneyUnit = "wan" if abs(value) >= 10_000 or value == 0 else "yuan"
    return tight(presentation.money(value, unit, named=True))


def _day(value: date | datetime | Deadline | None) -> str:
    if isinstance(value, Deadline):
        return presentation.day(value.on) if value.on else f"印发后{value.days}个工作日"
    return presentation.day(value)


def by(value: Deadline) -> str:
    """2026年1月12日前; in a draft, which has no day of issue, 印发后5个工作日内."""
    return f"{_day(value)}{'前' if value.on else '内'}"
