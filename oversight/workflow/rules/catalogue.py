"""The files of 核算依据: what columns each has, where it lies, what may stand in it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from oversight.errors import OversightError
from oversight.settings import TIME_ZONE, DataFolder

Group = Literal["corrections", "standards", "headings"]
Form = Literal["text", "long", "date", "whole", "figure", "flag", "choice"]
Cells = Mapping[str, str]

_FLAGS = (("true", "是"), ("false", "否"))


class RuleError(OversightError):
    """A change cannot be made; the sentence says why and what to do."""


@dataclass(frozen=True)
class Column:
    """A column of a file: its name there, what people call it, what may stand in it."""

    name: str
    title: str
    form: Form = "text"
    is_wanted: bool = False
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    # Put down by the page itself, or by another one: nobody is asked for it.
    is_given: bool = False


@dataclass(frozen=True)
class File:
    """A file that can be changed. `places` gives those that are read, `target` the one that new rows go to.

    Of two rows with the same `keys` only one would hold, so there may be only one. `scope_column` names the unit that a
    row speaks of; where there is none, a row holds for everybody.
    """

    name: str
    title: str
    group: Group
    note: str
    columns: tuple[Column, ...]
    places: Callable[[DataFolder], list[Path]]
    target: Callable[[DataFolder], Path]
    keys: tuple[str, ...] = ()
    scope_column: str = ""
    # The column by which a bureau's rows take the place of the project's own: all rows of that value together.
    replaces: str = ""
    # The project's own rows, which hold where the bureau says nothing else.
    defaults: Callable[[], list[dict[str, str]]] = list


@dataclass(frozen=True)
class Row:
    """A row as it stands in a file."""

    place: str
    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Step:
    """A row to be added (no `before`), changed, or taken out (no `after`)."""

    file: str
    place: str = ""
    before: Cells | None = None
    after: Cells | None = None


_OVERLAYS = {
    "standards": ("标准", "本单位自有的标准；编号与程序自带的相同，即代替自带的那一项"),
    "standard_tiers": ("标准分档", "每项标准至少一档；一项标准写了一档，就要写全各档"),
    "standard_measures": ("标准计量项", "每项标准计入哪些数据；一项标准写了一行，就要写全各行"),
    "policy_documents": ("政策文件", "标准所出自的文件"),
    "materiality": ("重要性界限", "差额低于此数的列出而不点名"),
    "payment_pace": ("拨付进度界限", "拨付进度滞后的界限"),
    "funds": ("资金项目", "报表“资金项目”栏可写的名称，及其对照标准的事项"),
    "report_sources": ("报送来源", "除乡镇外还有谁报送，凭单位名称或文件夹认"),
    "source_precedence": ("来源优先", "同一数字几家都报时用哪一家的"),
}
# What the tables of an edition do not describe.
_TITLES = {
    "value": "数值",
    "below_amount": "差额低于",
    "below_pct": "或低于要求值的百分之",
    "note_zh": "说明",
    "limit_name": "界限",
    "fund_code": "项目代码：小写英文，报表上不出现",
    "fund_name": "项目名称",
    "other_names": "别名：以分号隔开",
    "budget_includes_carryover": "年初预算含上年结转",
    "source": "来源代码",
    "source_name": "来源名称",
    "reporter_pattern": "单位名称含有：几个以 | 隔开",
    "folder_pattern": "文件夹名含有：几个以 | 隔开",
    "is_own": "算乡镇自己报送",
    "figure": "数字：数据列",
    "source_rank": "次序：1 最先",
    "reason_zh": "理由",
    "unit": "单位",
    "severity": "严重程度",
    "matter": "事项：对照标准所用",
}
_LONG = frozenset({"quotation", "ambiguity_zh", "example_zh", "not_judged_reason", "note", "other_names"})


def _choices(column: str) -> tuple[tuple[str, str], ...]:
    from oversight import presentation as show

    labels: dict[str, Mapping[str, str]] = {
        "formula": show.FORMULA,
        "severity": {name: look.label for name, look in show.SEVERITY.items()},
        "strength": show.STRENGTH,
        "period": show.PERIOD,
        "edge_rule": show.EDGE_RULE,
        "population_basis": show.POPULATION_BASIS,
        "gradeable": show.GRADEABLE,
        "force": show.FORCE,
        "issuer_level": {
            name: text for name, text in show.LEVEL.items() if name in ("province", "city", "county")
        },
        "limit_name": {
            "behind_points": "进度比时序低几个百分点算滞后",
            "far_behind_pct": "进度不到时序的百分之几算严重滞后",
            "silent_months": "连续几个月分文未拨算严重滞后",
        },
        "role": {
            "value": "实际值",
            "part": "组成项",
            "numerator": "分子",
            "denominator": "分母",
            "unit": "下级对象",
            "tier_key": "定档的数",
        },
        "combine": {"latest": "取最近一次", "sum": "相加"},
        "accrual": {"monthly": "按月计提", "annual": "全年额照计"},
    }
    return tuple(labels.get(column, {}).items())


@cache
def _described() -> dict[str, dict[str, str]]:
    """How the published tables of standards describe their columns."""
    import yaml  # type: ignore[import-untyped]

    from oversight.settings import DBT_DIR

    found: dict[str, dict[str, str]] = {}
    for path in sorted((DBT_DIR / "models").rglob("*.yml")):
        for model in (yaml.safe_load(path.read_text("utf-8")) or {}).get("models", []):
            name = re.sub(r"^[a-z]+_", "", str(model["name"]))
            told = {
                str(item["name"]): str(item.get("description") or "") for item in model.get("columns", [])
            }
            if name in _OVERLAYS and any(told.values()):
                found[name] = told
    return found


def _overlay(name: str) -> File:
    from oversight.standards import files as seeds

    forms: dict[str, Form] = {"date": "date", "whole": "whole", "figure": "figure", "flag": "flag"}
    columns = []
    for column in seeds.columns_of(name):
        told = _described().get(name, {}).get(column) or _TITLES.get(column) or column
        title, _, hint = told.partition("：")
        choices = _choices(column)
        form = forms.get(seeds.kind_of(name, column), "long" if column in _LONG else "text")
        columns.append(
            Column(
                column,
                title,
                "choice" if choices else form,
                column not in seeds.MAY_LACK,
                hint if hint != title else "",
                _FLAGS if form == "flag" else choices,
            )
        )
    title, note = _OVERLAYS[name]

    def place(folder: DataFolder) -> Path:
        return folder.standards / f"{name}.csv"

    is_one_row = name not in ("standard_tiers", "standard_measures", "source_precedence")
    return File(
        name,
        title,
        "standards",
        note,
        tuple(columns),
        lambda folder: [place(folder)],
        place,
        (seeds.key_of(name),) if is_one_row else (),
        replaces=seeds.key_of(name),
        defaults=lambda: [row.cells for row in rows_in(seeds.SEEDS_DIR / f"{name}.csv", {})],
    )


def _corrections() -> File:
    from oversight.contracts import DATASETS
    from oversight.intake.own_files import CORRECTION_TITLES, PLACE_TITLES

    datasets = [item for item in DATASETS.values() if "reported_code" in item.columns]
    measures = dict.fromkeys(column.title_zh for item in datasets for column in item.measures)
    told: dict[str, Column] = {
        "类型": Column(
            "类型", "类型", "choice", True, "更正：换一个数；确认：暂不采用的数无误", _same("更正", "确认")
        ),
        "数据集": Column("数据集", "报表", "choice", True, "", _same(*(item.title_zh for item in datasets))),
        "统计月份": Column("统计月份", "统计月份", "text", True, "如 2025-06"),
        "区划代码": Column("区划代码", "区划代码", "text", True, "9 位"),
        "数据列": Column("数据列", "数据列", "choice", True, "", _same(*measures)),
        "原值": Column("原值", "原值", "text", False, "现在计入的数；空白即原来没有"),
        "新值": Column("新值", "新值", "text", False, "更正后的数；空白即应为没有"),
        "原因": Column("原因", "原因", "text", True),
        "提出人": Column("提出人", "提出人", is_given=True),
        "日期": Column("日期", "日期", "date", is_given=True),
    }
    places = [Column(title, title, is_given=True) for title in PLACE_TITLES]
    columns = [told[title] for title in CORRECTION_TITLES] + places
    return File(
        "corrections",
        "数据更正与确认",
        "corrections",
        "以新数代替现在计入的数，或确认暂不采用的数；原来的数仍在历史里。审核员在“审核”页的答复也列在这里",
        tuple(columns),
        lambda folder: sorted(
            p for p in folder.corrections.glob("*.csv") if not p.name.startswith((".", "~$"))
        ),
        lambda folder: folder.corrections / f"更正{datetime.now(TIME_ZONE):%Y-%m}.csv",
        scope_column="区划代码",
    )


def _same(*values: str) -> tuple[tuple[str, str], ...]:
    return tuple((value, value) for value in values)


def _confirmations() -> File:
    return File(
        "confirmations",
        "标准复核确认",
        "standards",
        "标准经核实仍然有效的日期；超过确认周期未再确认的，不再判不达标",
        (
            Column("标准编号", "标准编号", "text", True, "如 A-06；全部标准写“全部”"),
            Column("确认日期", "确认日期", "date", True),
            Column("确认人", "确认人", "text", True),
            Column("说明", "说明", "long"),
        ),
        lambda folder: [folder.standards / "confirmations.csv"],
        lambda folder: folder.standards / "confirmations.csv",
    )


def _calendar() -> File:
    from oversight.calendar import COLUMNS

    told = (
        Column(COLUMNS[0], "日期", "date", True),
        Column(COLUMNS[1], "放假或上班", "choice", True, "", (("holiday", "放假"), ("workday", "上班"))),
        Column(COLUMNS[2], "说明"),
    )
    return File(
        "calendar",
        "放假安排",
        "standards",
        "国务院办公厅公布的安排程序已有；只写尚未收录的年份，或本地另有规定的日子",
        told,
        lambda folder: [folder.standards / "calendar.csv"],
        lambda folder: folder.standards / "calendar.csv",
        (COLUMNS[0],),
    )


def _due_dates() -> File:
    from oversight.contracts import DATASETS
    from oversight.intake.own_files import DUE_DATES, REPORTS

    days_off = (("next_workday", "遇休息日顺延"), ("statutory", "只遇法定假日顺延"), ("none", "不顺延"))
    titles = tuple((name, DATASETS[name].title_zh) for name in REPORTS)
    return File(
        "due_dates",
        "报送截止日",
        "standards",
        "写了哪种报表，就代替程序自带的该种报表的截止日",
        (
            Column("dataset", "报表", "choice", True, "", titles),
            Column("months_after", "几个月后", "whole", True, "1 为次月"),
            Column("day", "几日", "whole", True),
            Column("effective_from", "自何月起", "date", False, "该月 1 日；空白即一直如此"),
            Column("on_day_off", "遇休息日", "choice", False, "", days_off),
            Column("note", "说明"),
        ),
        lambda folder: [folder.standards / "due_dates.csv"],
        lambda folder: folder.standards / "due_dates.csv",
        ("dataset", "effective_from"),
        replaces="dataset",
        defaults=lambda: [row.cells for row in rows_in(DUE_DATES, {})],
    )


def _headings() -> File:
    from oversight.contracts import ALL_DATASETS
    from oversight.intake.own_files import HEADING_TITLES, NOT_USED

    columns = dict.fromkeys(
        column.title_zh for item in ALL_DATASETS.values() for column in item.columns.values()
    )
    told = {
        "报送单位": Column("报送单位", "报送单位", hint="空白即不论哪家"),
        "版式": Column("版式", "版式", "text", True, "版式代号，见“表头待确认”的提示"),
        "报表": Column(
            "报表", "报表", "choice", True, "", _same(*(i.title_zh for i in ALL_DATASETS.values()))
        ),
        "表头": Column("表头", "表头", "text", True, "表上的写法"),
        "对应列": Column("对应列", "对应列", "choice", True, "", _same(NOT_USED, *columns)),
        "确认日期": Column("确认日期", "确认日期", "date", is_given=True),
    }
    return File(
        "headings",
        "表头含义",
        "headings",
        "对“这一栏是不是某列”的答复，对同一单位的同一版式一直有效",
        tuple(told[title] for title in HEADING_TITLES),
        lambda folder: [folder.headings],
        lambda folder: folder.headings,
        HEADING_TITLES[:4],
    )


@cache
def files() -> dict[str, File]:
    """Every file that can be changed, by name."""
    made = [
        _corrections(),
        _confirmations(),
        *map(_overlay, _OVERLAYS),
        _calendar(),
        _due_dates(),
        _headings(),
    ]
    return {file.name: file for file in made}


def file_of(name: str) -> File:
    """A file by its name. Raises `RuleError`."""
    found = files().get(name)
    if found is None:
        raise RuleError("没有这个文件。请从页面上重新选择。")
    return found


def steps_of(told: Mapping[str, Any]) -> list[Step]:
    """The rows of a change."""
    return [Step(**step) for step in told["steps"]]


def _content(path: Path) -> str:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RuleError(f"{path.name} 的编码无法识别。请在 Excel 中另存为“CSV UTF-8”后重试。")


def table_in(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The heads of a CSV file and its rows with their numbers, blank ones left out. Raises `RuleError`."""
    rows = list(csv.reader(io.StringIO(_content(path), newline="")))
    heads = [cell.strip() for cell in rows[0]] if rows else []
    return heads, [
        (number, row) for number, row in enumerate(rows[1:], 2) if any(cell.strip() for cell in row)
    ]


def rows_in(path: Path, known: Mapping[str, str]) -> list[Row]:
    """The rows of a CSV file, other spellings of its heads read as `known` says."""
    if not path.is_file():
        return []
    heads, rows = table_in(path)
    heads = [known.get(head, head) for head in heads]
    return [
        Row(path.name, number, {head: cell.strip() for head, cell in zip(heads, row, strict=False) if head})
        for number, row in rows
    ]
