"""A change held against the readers that a run uses, on a copy, and against what its author may see."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from oversight import scratch
from oversight.accounts.scope import Scope
from oversight.errors import OversightError
from oversight.settings import DataFolder
from oversight.workflow.rules.catalogue import Cells, File, Group, RuleError, Step, file_of, steps_of
from oversight.workflow.rules.contents import contents_after, rows

ROWS_EACH = 200
CELL_CHARACTERS = 2000


def check(folder: DataFolder, steps: Sequence[Step], scope: Scope) -> list[str]:
    """What is wrong with a change, in sentences; raises `RuleError` where it cannot be looked at at all."""
    if not steps:
        raise RuleError("没有改动。请先增加、修改或删除一行。")
    if len(steps) > ROWS_EACH:
        raise RuleError(f"一次最多改 {ROWS_EACH} 行。请分几次。")
    group_of(steps)
    found = [told for step in steps for told in _of_row(step)]
    must_see(folder, steps, scope)
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


def must_see(folder: DataFolder, steps: Sequence[Step], scope: Scope) -> None:
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
    changed = contents_after(folder, steps)
    with scratch.folder() as home:
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
    from oversight.intake.judging import due
    from oversight.intake.questions import read_answers
    from oversight.references import load_references
    from oversight.standards import load_standards
    from oversight.standards.checks import check_standards

    found = [told for name in {step.file for step in steps} for told in _doubled(trial, file_of(name))]
    try:
        load_references(trial)
        load_calendar(trial)
        due.due_days(trial, date(2025, 1, 1))
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
    unit = "township_code" if "township_code" in contract.names else "reported_code"
    with open_edition(folder) as connection:
        found = connection.execute(
            f"select {column}, source, row_status from reported.{dataset} "
            f"where month = ? and (reported_code = ? or {unit} = ?) "
            "and (is_current or row_status = 'held') order by is_current desc",
            [month, code, code],
        ).fetchall()
    return [{"value": row[0], "source": row[1], "is_held": row[2] == "held"} for row in found]
