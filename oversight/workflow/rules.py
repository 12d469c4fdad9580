"""核算依据: what a bureau itself lays down, changed in the browser: corrections, confirmations, own standards, funds,
calendar, due dates, headings. The files are the ones that the command line reads; nothing else is a source.

    rules/<id>.json   a change: its rows, why, who asked for it, who agreed, how it ended

A change names each row as it was seen and as it is to be, so that one that meanwhile says something else is not
overwritten. It is held against the same readers that a run uses, on a copy. Whoever writes a rule or a correction does
not agree to it; an answer to what a heading means needs no second person. Nothing is ever taken back but by a new change.
"""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from oversight import durable
from oversight.accounts import record
from oversight.accounts.actor import Actor
from oversight.accounts.roles import Action, apart
from oversight.accounts.scope import Scope
from oversight.archive import store as archive
from oversight.errors import OversightError
from oversight.settings import TIME_ZONE, DataFolder
from oversight.workflow.following import locked

Group = Literal["corrections", "standards", "headings"]
Form = Literal["text", "long", "date", "whole", "figure", "flag", "choice"]
Cells = Mapping[str, str]

ROWS_EACH = 200
CELL_CHARACTERS = 2000
REASON_CHARACTERS = 500
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_FLAGS = (("true", "是"), ("false", "否"))
# Who asks for a change and who agrees to it; '' where one person is enough.
ASKS: dict[Group, tuple[Action, Action | None]] = {
    "corrections": ("correct", "confirm"),
    "standards": ("write_standards", "approve_standards"),
    "headings": ("confirm", None),
}
STATES = {
    "waiting": "待批准",
    "taking": "写入中",
    "taken": "已生效",
    "returned": "已退回",
    "withdrawn": "已撤回",
}


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


# --- the files ----------------------------------------------------------------------------------------------

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
    from oversight.standards import loading

    forms: dict[str, Form] = {"date": "date", "whole": "whole", "figure": "figure", "flag": "flag"}
    columns = []
    for column in loading.columns_of(name):
        told = _described().get(name, {}).get(column) or _TITLES.get(column) or column
        title, _, hint = told.partition("：")
        choices = _choices(column)
        form = forms.get(loading.kind_of(name, column), "long" if column in _LONG else "text")
        columns.append(
            Column(
                column,
                title,
                "choice" if choices else form,
                column not in loading.MAY_LACK,
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
        (loading.key_of(name),) if is_one_row else (),
        replaces=loading.key_of(name),
        defaults=lambda: [row.cells for row in _rows_of(loading.SEEDS_DIR / f"{name}.csv", {})],
    )


def _corrections() -> File:
    from oversight.contracts import DATASETS
    from oversight.intake.judging.corrections import PLACE_TITLES, TITLES

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
    columns = [told[title] for title in TITLES] + places
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
    from oversight.intake.judging import deliveries

    days_off = (("next_workday", "遇休息日顺延"), ("statutory", "只遇法定假日顺延"), ("none", "不顺延"))
    titles = tuple((name, DATASETS[name].title_zh) for name in deliveries.REPORTS)
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
        defaults=lambda: [row.cells for row in _rows_of(deliveries.DEFAULTS, {})],
    )


def _headings() -> File:
    from oversight.contracts import ALL_DATASETS
    from oversight.intake.questions import NOT_USED, TITLES

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
        tuple(told[title] for title in TITLES),
        lambda folder: [folder.headings],
        lambda folder: folder.headings,
        TITLES[:4],
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


# --- reading and writing ------------------------------------------------------------------------------------


def _content(path: Path) -> str:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RuleError(f"{path.name} 的编码无法识别。请在 Excel 中另存为“CSV UTF-8”后重试。")


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    rows = list(csv.reader(io.StringIO(_content(path), newline="")))
    heads = [cell.strip() for cell in rows[0]] if rows else []
    return heads, [
        (number, row) for number, row in enumerate(rows[1:], 2) if any(cell.strip() for cell in row)
    ]


def _rows_of(path: Path, known: Mapping[str, str]) -> list[Row]:
    if not path.is_file():
        return []
    heads, rows = _table(path)
    heads = [known.get(head, head) for head in heads]
    return [
        Row(path.name, number, {head: cell.strip() for head, cell in zip(heads, row, strict=False) if head})
        for number, row in rows
    ]


def _aliases(file: File) -> dict[str, str]:
    """Other spellings of a file's heads."""
    # A bureau may have written the standard's id as the program calls it.
    return (
        {"standard_id": "标准编号", "last_confirmed_on": "确认日期"} if file.name == "confirmations" else {}
    )


def rows(folder: DataFolder, file: File) -> list[Row]:
    """The bureau's own rows of a file as they stand now."""
    return [row for path in file.places(folder) for row in _rows_of(path, _aliases(file))]


def _is_same(file: File, one: Cells, other: Cells) -> bool:
    return all(one.get(column.name, "") == other.get(column.name, "") for column in file.columns)


def _changed(folder: DataFolder, steps: Sequence[Step]) -> dict[Path, bytes]:
    """The contents that the files have after the steps. Raises `RuleError` for a row that is not there any more."""
    texts: dict[Path, tuple[list[str], list[list[str]]]] = {}
    for step in steps:
        file = file_of(step.file)
        path = file.target(folder)
        if step.before is not None:
            places = {place.name: place for place in file.places(folder)}
            if step.place not in places:
                raise RuleError(f"{file.title}里没有 {step.place} 这个文件了。请刷新后重试。")
            path = places[step.place]
        if path not in texts:
            titles, lines = _table(path) if path.is_file() else ([], [])
            texts[path] = (titles or [column.name for column in file.columns], [row for _, row in lines])
        heads, body = texts[path]
        aliases = _aliases(file)
        at = None
        if step.before is not None:
            told = [
                {aliases.get(head, head): cell.strip() for head, cell in zip(heads, row, strict=False)}
                for row in body
            ]
            at = next((n for n, row in enumerate(told) if _is_same(file, row, step.before)), None)
            if at is None:
                raise RuleError(
                    f"{file.title}里的这一行在您打开之后有了变化，没有处理。请刷新后按现在的内容办理。"
                )
        if step.after is None:
            if at is not None:
                del body[at]
            continue
        own = {aliases.get(head, head) for head in heads}
        for name in [name for name, cell in step.after.items() if cell and name not in own]:
            heads.append(name)
        kept = body[at] + [""] * len(heads) if at is not None else [""] * len(heads)
        names = [aliases.get(head, head) for head in heads]
        made = [step.after.get(name, kept[n]) for n, name in enumerate(names)]
        if at is None:
            body.append(made)
        else:
            body[at] = made
    return {path: _written(*text) for path, text in texts.items()}


def _written(heads: Sequence[str], body: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows(body)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


# --- checking -----------------------------------------------------------------------------------------------


def check(folder: DataFolder, steps: Sequence[Step], scope: Scope) -> list[str]:
    """What is wrong with a change, in sentences; raises `RuleError` where it cannot be looked at at all."""
    if not steps:
        raise RuleError("没有改动。请先增加、修改或删除一行。")
    if len(steps) > ROWS_EACH:
        raise RuleError(f"一次最多改 {ROWS_EACH} 行。请分几次。")
    group_of(steps)
    found = [told for step in steps for told in _of_row(step)]
    _sees(folder, steps, scope)
    if found:
        return found
    with staged(folder, steps) as trial:
        return _of_files(folder, trial, steps)


def group_of(steps: Sequence[Step]) -> Group:
    """What kind of change it is: it is asked for and agreed to as a whole."""
    groups = {file_of(step.file).group for step in steps}
    if len(groups) != 1:
        raise RuleError("更正、标准、表头要分开提交：批准它们的人不同。请分几次。")
    return groups.pop()


def _sees(folder: DataFolder, steps: Sequence[Step], scope: Scope) -> None:
    """What holds for everybody is for whoever answers for everybody."""
    for step in steps:
        file = file_of(step.file)
        if not file.scope_column:
            if not has_all(folder, scope):
                raise RuleError(
                    f"{file.title}是全部地区共用的，您只管其中一部分，不能改。请由管全部地区的人办理。"
                )
        elif not all(sees(file, cells, scope) for cells in (step.before, step.after) if cells is not None):
            raise RuleError("这个单位不在您的管理范围内，没有处理。请检查区划代码。")


def sees(file: File, cells: Cells, scope: Scope) -> bool:
    """Whether a row is in somebody's sight."""
    if not file.scope_column:
        return True
    code = re.sub(r"\D", "", cells.get(file.scope_column, ""))
    return scope.covers(code[:9])


def in_sight(told: Mapping[str, Any], scope: Scope) -> bool:
    """Whether a change speaks of units in somebody's sight alone."""
    return all(
        sees(file_of(step.file), cells, scope)
        for step in steps_of(told)
        for cells in (step.before, step.after)
        if cells is not None
    )


def has_all(folder: DataFolder, scope: Scope) -> bool:
    """Whether a scope holds every unit of the data folder."""
    from oversight.editions import current, open_edition

    if scope.covers("000000"):
        return True
    if current(folder) is None:
        return False
    with open_edition(folder) as connection:
        codes = [
            row[0] for row in connection.execute("select distinct county_code from townships").fetchall()
        ]
    return all(scope.covers(code) for code in codes if code)


def _of_row(step: Step) -> list[str]:
    file = file_of(step.file)
    if step.after is None:
        return []
    found = []
    names = {column.name: column for column in file.columns}
    for name, cell in step.after.items():
        column = names.get(name)
        if column is None:
            found.append(f"{file.title}：没有“{name}”这一列。请刷新页面。")
        elif len(cell) > CELL_CHARACTERS or re.search(r"[\r\n\x00]", cell):
            found.append(
                f"{file.title}“{column.title}”：太长，或含有换行。请缩短到 {CELL_CHARACTERS} 字以内的一行。"
            )
        elif cell and column.form == "choice" and cell not in dict(column.choices):
            found.append(f"{file.title}“{column.title}”：“{cell}”不是可选的值。请从列表里选。")
    found += [
        f"{file.title}“{column.title}”：没有填。请补填。"
        for column in file.columns
        if column.is_wanted and not step.after.get(column.name, "").strip()
    ]
    return found


@contextmanager
def staged(folder: DataFolder, steps: Sequence[Step]) -> Iterator[DataFolder]:
    """A copy of the data folder's rules with a change made; its readers do not see that it is a copy."""
    changed = _changed(folder, steps)
    with tempfile.TemporaryDirectory(prefix="oversight-rules-") as home:
        copy = DataFolder.at(home)
        for name in ("standards", "corrections", "findings"):
            source = folder.root / name
            if source.is_dir():
                (copy.root / name).mkdir()
                for path in source.iterdir():
                    if path.is_file():
                        shutil.copyfile(path, copy.root / name / path.name)
        for path in (folder.headings, folder.settings_toml, folder.sources_toml):
            if path.is_file():
                shutil.copyfile(path, copy.root / path.name)
        for path, content in changed.items():
            target = copy.root / path.relative_to(folder.root)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content)
        yield copy


def _of_files(folder: DataFolder, trial: DataFolder, steps: Sequence[Step]) -> list[str]:
    """What the readers say of the changed files."""
    from oversight.calendar import load_calendar
    from oversight.intake.judging import deliveries
    from oversight.intake.questions import read_answers
    from oversight.references import load_references
    from oversight.standards import load_standards
    from oversight.standards.checks import check_standards

    found = [told for name in {step.file for step in steps} for told in _doubled(trial, file_of(name))]
    try:
        load_references(trial)
        load_calendar(trial)
        deliveries.due_days(trial, date(2025, 1, 1))
        read_answers(trial)
        found += [str(problem) for problem in check_standards(load_standards(trial))]
    except (OversightError, ValueError) as error:
        found.append(str(error).replace(str(trial.root), str(folder.root)))
    if any(step.file == "corrections" for step in steps):
        found += _of_corrections(folder, trial)
    return found


def _doubled(trial: DataFolder, file: File) -> list[str]:
    seen: set[tuple[str, ...]] = set()
    found = []
    for row in rows(trial, file) if file.keys else []:
        key = tuple(row.cells.get(name, "") for name in file.keys)
        if key in seen:
            said = "、".join(cell or "（空白）" for cell in key)
            found.append(f"{file.title}：“{said}”有两行，只有一行会算数。请改原有的那一行。")
        seen.add(key)
    return found


def _of_corrections(folder: DataFolder, trial: DataFolder) -> list[str]:
    """What the reader of corrections cannot understand, and figures that are not what a correction takes them for."""
    from oversight.intake.judging import corrections

    def faulty(where: DataFolder) -> set[tuple[str, str, str]]:
        return {(f.file.name, bad.title, bad.value) for f in corrections.read(where) for bad in f.faulty}

    found = [
        f"数据更正与确认“{title}”：“{value}”看不懂。请照说明改写。"
        for _, title, value in sorted(faulty(trial) - faulty(folder))
    ]
    if found:
        return found
    # Those that stand already may be what this one goes on from.
    said = {
        (item.dataset, item.month, item.code, item.column): item.value
        for file in corrections.read(folder)
        for item in file.rows
        if not item.is_confirmation
    }
    known = {_identity(item) for file in corrections.read(folder) for item in file.rows}
    for file in corrections.read(trial):
        for item in file.rows:
            if _identity(item) in known:
                continue
            now = figures(folder, item.dataset, item.month, item.code, item.column)
            values = [row["value"] for row in now]
            if (item.dataset, item.month, item.code, item.column) in said:
                values.append(said[item.dataset, item.month, item.code, item.column])
            if not any(corrections.same(value, item.expected) for value in values):
                told = "、".join(dict.fromkeys("空白" if v is None else str(v) for v in values))
                found.append(
                    f"数据更正与确认：{item.code} {item.month:%Y-%m} 现在的数是 {told or '没有（没有这一行）'}，"
                    f"与原值“{'空白' if item.expected is None else item.expected}”不同。请按现在的数填写原值。"
                )
    return found


def _identity(item: Any) -> tuple[Any, ...]:
    return (
        item.dataset,
        item.month,
        item.code,
        item.column,
        str(item.expected),
        str(item.value),
        item.is_confirmation,
    )


def measure_of(dataset: str, column: str) -> tuple[str, str]:
    """The names of a dataset and of its column, of their titles. Raises `RuleError`."""
    from oversight.contracts import DATASETS

    for name, contract in DATASETS.items():
        if dataset in (name, contract.title_zh):
            for own in contract.measures:
                if column in (own.name, own.title_zh, own.label_zh):
                    return name, own.name
    raise RuleError("这种报表没有这一列。请从列表里选。")


def figures(folder: DataFolder, dataset: str, month: date, code: str, column: str) -> list[dict[str, Any]]:
    """What the current edition has for a figure: the values that count and those that are held, with their source."""
    from oversight.contracts import DATASETS
    from oversight.editions import current, open_edition

    contract = DATASETS.get(dataset)
    if contract is None or column not in contract.columns or current(folder) is None:
        return []
    unit = "township_code" if "township_code" in contract.polars_schema() else "reported_code"
    with open_edition(folder) as connection:
        found = connection.execute(
            f"select {column}, source, row_status from reported.{dataset} "
            f"where month = ? and (reported_code = ? or {unit} = ?) "
            "and (is_current or row_status = 'held') order by is_current desc",
            [month, code, code],
        ).fetchall()
    return [{"value": row[0], "source": row[1], "is_held": row[2] == "held"} for row in found]


# --- what a change touches ----------------------------------------------------------------------------------


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
    from oversight.intake.judging import deliveries

    with staged(folder, steps) as trial:
        moved = [
            (name, month, before, after[name])
            for month in months
            for after in [deliveries.due_days(trial, month)]
            for name, before in deliveries.due_days(folder, month).items()
            if name in after and after[name] != before
        ]
    if not moved:
        return "已有月份的报送截止日都不变。"
    name, month, before, after = moved[-1]
    return (
        f"{len(moved)} 个报表月份的截止日变动，每个 {count} 个单位；"
        f"如 {month:%Y-%m} {DATASETS[name].title_zh}：{before} 改为 {after}。"
    )


# --- a change and its life ----------------------------------------------------------------------------------


def _home(folder: DataFolder) -> Path:
    return folder.root / "rules"


def changes(folder: DataFolder) -> list[dict[str, Any]]:
    """Every change, the newest first."""
    found = []
    for path in sorted(_home(folder).glob("*.json"), reverse=True):
        if _ID.fullmatch(path.stem):
            found.append(json.loads(path.read_text("utf-8")))
    return found


def change(folder: DataFolder, name: str) -> dict[str, Any]:
    """A change by its id. Raises `RuleError`."""
    path = _home(folder) / f"{name}.json"
    if not _ID.fullmatch(name) or not path.is_file():
        raise RuleError("没有这项改动。请刷新页面。")
    told: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return told


def steps_of(told: Mapping[str, Any]) -> list[Step]:
    """The rows of a change."""
    return [Step(**step) for step in told["steps"]]


def _keep(folder: DataFolder, told: Mapping[str, Any]) -> None:
    durable.write_text(
        _home(folder) / f"{told['id']}.json", json.dumps(told, ensure_ascii=False, indent=1), lasting=True
    )


def _event(step: str, actor: Actor, note: str) -> dict[str, str]:
    return {
        "step": step,
        "by": actor.name,
        "at": f"{datetime.now(TIME_ZONE):%Y-%m-%dT%H:%M:%S}",
        "note": note,
    }


def _who(actor: Actor) -> None:
    if not actor.name:
        raise RuleError("改动要记下是谁办的，这里还没有账号。请先用 oversight user add 建立账号。")


def ask_for(
    folder: DataFolder, steps: Sequence[Step], why: str, actor: Actor, *, key: str, undoes: str = ""
) -> dict[str, Any]:
    """Ask for a change; where one person is enough it is made at once. The same `key` a second time is the same change.

    Raises `RuleError` with everything that is wrong with it.
    """
    _who(actor)
    reason = " ".join(why.split())[:REASON_CHARACTERS]
    if not reason:
        raise RuleError("改动要写明理由，没有提交。请写明理由后再提交。")
    steps = [signed(step, actor.name) for step in steps]
    with locked(folder, "rules"):
        _finish(folder)
        again = next((told for told in changes(folder) if told["key"] == key), None)
        if again is not None:
            return again
        wrong = check(folder, steps, actor.scope)
        if wrong:
            raise RuleError("\n".join(wrong))
        group = group_of(steps)
        told: dict[str, Any] = {
            "id": f"{datetime.now(TIME_ZONE):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
            "key": key,
            "group": group,
            "state": "waiting",
            "steps": [
                {"file": s.file, "place": s.place, "before": s.before, "after": s.after} for s in steps
            ],
            "why": reason,
            "undoes": undoes,
            "events": [_event("提出", actor, reason)],
        }
        _note(folder, told, "提出", actor, reason)
        _keep(folder, told)
        if ASKS[group][1] is None:
            _take(folder, told, actor, "")
        return told


def signed(step: Step, name: str) -> Step:
    """With the name and the day that the file asks for: who sits before the page, and today."""
    if step.after is None or step.before is not None:
        return step
    today = f"{datetime.now(TIME_ZONE):%Y-%m-%d}"
    own = {
        "corrections": {"提出人": name, "日期": today},
        "headings": {"确认日期": today},
    }.get(step.file, {})
    return Step(step.file, step.place, None, {**step.after, **own})


def decide(folder: DataFolder, name: str, verdict: str, note: str, actor: Actor) -> dict[str, Any]:
    """Agree to a change, send it back, or take back one's own. Raises `RuleError` and `Conflict`."""
    _who(actor)
    told_note = " ".join(note.split())[:REASON_CHARACTERS]
    with locked(folder, "rules"):
        _finish(folder)
        told = change(folder, name)
        asker = str(told["events"][0]["by"])
        asks, agrees = ASKS[told["group"]]
        wanted = {"agree": "taken", "return": "returned", "withdraw": "withdrawn"}[verdict]
        if told["state"] != "waiting":
            if told["state"] == wanted and told["events"][-1]["by"] == actor.name:
                # Pressed twice.
                return told
            raise RuleError(
                f"这项改动{STATES[told['state']]}（{told['events'][-1]['by']}），没有再处理。请刷新。"
            )
        if verdict == "withdraw":
            if actor.name != asker:
                raise RuleError("只有提出的人可以撤回。要否决请退回并写明原因。")
        else:
            _sees(folder, steps_of(told), actor.scope)
            if agrees is not None:
                apart(actor.name, agrees, [(asks, asker)])
        if verdict == "return" and not told_note:
            raise RuleError("退回要写明原因，没有处理。请写明原因后再提交。")
        if verdict == "agree":
            wrong = check(folder, steps_of(told), actor.scope)
            if wrong:
                raise RuleError("\n".join(wrong))
            _take(folder, told, actor, told_note)
            return told
        said = "退回" if verdict == "return" else "撤回"
        _note(folder, told, said, actor, told_note)
        told["state"] = wanted
        told["events"].append(_event(said, actor, told_note))
        _keep(folder, told)
        return told


def _take(folder: DataFolder, told: dict[str, Any], actor: Actor, note: str) -> None:
    """Write the files. What they said before and say after lies in the archive; a crash in between is made good."""
    contents = _changed(folder, steps_of(told))
    said = "批准" if ASKS[told["group"]][1] is not None else "生效"
    _note(folder, told, said, actor, note)
    written = []
    for path, content in contents.items():
        before = archive.keep(folder, path.read_bytes()) if path.is_file() else ""
        written.append([path.relative_to(folder.root).as_posix(), before, archive.keep(folder, content)])
    told["written"] = written
    told["state"] = "taking"
    told["events"].append(_event(said, actor, note))
    _keep(folder, told)
    _write(folder, told)


def _write(folder: DataFolder, told: dict[str, Any]) -> None:
    for name, _, after in told["written"]:
        durable.write_bytes(folder.root / name, archive.read(folder, after))
    told["state"] = "taken"
    _keep(folder, told)


def _finish(folder: DataFolder) -> None:
    """A change that was cut off while its files were written is written to its end."""
    for told in changes(folder):
        if told["state"] == "taking":
            _write(folder, told)


def undone(folder: DataFolder, name: str) -> list[Step]:
    """The rows of a new change that takes back one that was made. Raises `RuleError`."""
    told = change(folder, name)
    if told["state"] != "taken":
        raise RuleError("只有已生效的改动可以恢复。")
    found = []
    for step in reversed(steps_of(told)):
        file = file_of(step.file)
        if step.file == "corrections" and step.before is None and step.after and step.after["类型"] == "更正":
            # The figure that counts goes back by a correction of its own: what was is not wiped out.
            cells = {**step.after, "原值": step.after.get("新值", ""), "新值": step.after.get("原值", "")}
            found.append(Step(step.file, "", None, {**cells, "原因": f"恢复：{step.after['原因']}"}))
            continue
        place = step.place or next(
            (Path(n).name for n, _, _ in told["written"] if (folder.root / n) in file.places(folder)), ""
        )
        found.append(Step(step.file, place if step.after is not None else "", step.after, step.before))
    return found


def _note(folder: DataFolder, told: Mapping[str, Any], said: str, actor: Actor, why: str) -> None:
    # What cannot be recorded does not happen.
    record.note(
        folder,
        "corrections" if told["group"] != "standards" else "standards",
        动作=said,
        编号=told["id"],
        文件=sorted({file_of(step["file"]).title for step in told["steps"]}),
        行数=len(told["steps"]),
        理由=why,
        办理人=actor.name,
    )
