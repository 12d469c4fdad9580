"""Reading the standards from the seeds and from a data folder's own `standards/`."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from oversight.errors import OversightError
from oversight.references import load_references
from oversight.settings import DataFolder
from oversight.standards.files import (
    DATE,
    FIGURE,
    FLAG,
    KEYS,
    KINDS,
    MAY_LACK,
    SEEDS_DIR,
    TEXT,
    WHOLE,
    columns_of,
    kind_of,
)
from oversight.standards.notes import load_finding_notes, note_files
from oversight.standards.payments import payment_rules

# What a blank cell of a bureau's own row stands for.
_DEFAULTS: dict[str, dict[str, object]] = {
    "policy_documents": {"force": "binding"},
    "standards": {"gradeable": "Y", "severity": "medium"},
    "standard_measures": {"required": True},
}
_DTYPES: dict[str, pl.DataType] = {
    TEXT: pl.String(),
    DATE: pl.Date(),
    WHOLE: pl.Int64(),
    FLAG: pl.Boolean(),
    FIGURE: pl.Decimal(18, 4),
}
CONFIRMATIONS = "confirmations"
_CONFIRMATION_TITLES = {"标准编号": "standard_id", "确认日期": "last_confirmed_on", "确认人": "", "说明": ""}
_EVERY = "全部"
# Files beside the standards that others read.
_OTHERS = ("due_dates.csv", "calendar.csv")
_FLAGS = {"true": True, "false": False, "是": True, "否": False, "1": True, "0": False}
_EXPECTED = {
    DATE: "日期，如 2025-01-01",
    WHOLE: "整数",
    FLAG: "true 或 false（也可写 是、否）",
    FIGURE: "数值，至多 4 位小数",
}


class StandardFileError(OversightError, ValueError):
    """A standards file that cannot be read; the message says in Chinese where, what and what to do."""


@dataclass(frozen=True)
class Standards:
    """Documents, standards, tiers, measures and what is minor, the data folder's own rows merged in."""

    documents: pl.DataFrame
    standards: pl.DataFrame
    tiers: pl.DataFrame
    measures: pl.DataFrame
    materiality: pl.DataFrame


def load_standards(folder: DataFolder | None = None) -> Standards:
    """The seeds with the rows of `folder`'s own `standards/`; an id there replaces all rows of that id.

    Raises StandardFileError where a file lacks a column or holds a value of the wrong kind.
    """
    _refuse_strangers(folder)
    own = _own(folder)
    merged = {name: _merge(name, _seed(name), own[name]) for name in KINDS}
    return Standards(
        documents=merged["policy_documents"],
        standards=merged["standards"],
        tiers=merged["standard_tiers"],
        measures=merged["standard_measures"],
        materiality=merged["materiality"],
    )


def write_overlay_inputs(folder: DataFolder, inputs_dir: Path) -> None:
    """Write the data folder's own rows for dbt, typed like the seeds; empty tables where it has none.

    The notes on findings go with them: like standards, they are what a bureau says, not what a township reports.
    """
    inputs_dir.mkdir(parents=True, exist_ok=True)
    for name, own in _own(folder).items():
        own.write_parquet(inputs_dir / f"overlay_{name}.parquet")
    load_finding_notes(folder).write_parquet(inputs_dir / "finding_notes.parquet")


def standards_fingerprint(folder: DataFolder | None = None) -> str:
    """SHA-256 over the bytes of every standards file in force for `folder`, notes on findings included."""
    return fingerprint_of(standards_files(folder), folder)


def fingerprint_of(files: Mapping[str, bytes], folder: DataFolder | None = None) -> str:
    """The fingerprint of standards that were read as these files."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}:{len(content)}:".encode() + content)
    # Whose reports the pulled files are.
    digest.update(f"pulled:{sorted(load_references(folder).files.items())}".encode())
    return digest.hexdigest()


def standards_files(folder: DataFolder | None = None) -> dict[str, bytes]:
    """Every file of standards in force for `folder`: `seeds/…` of the project, `standards/…` and `findings/…` of its own.

    When reports are due is the bureau's rule too, though no standard, and so is what it noted on findings.
    """
    paths = {f"seeds/{name}.csv": SEEDS_DIR / f"{name}.csv" for name in KINDS}
    if folder:
        own = (*(f"{name}.csv" for name in (*KINDS, CONFIRMATIONS)), *_OTHERS)
        paths |= {f"standards/{name}": folder.standards / name for name in own}
    paths |= {f"findings/{path.name}": path for path in note_files(folder)}
    return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}


def _merge(name: str, seed: pl.DataFrame, overlay: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([seed.join(overlay, on=KEYS[name], how="anti"), overlay])


def _overlay_path(name: str, folder: DataFolder | None) -> Path | None:
    return folder.standards / f"{name}.csv" if folder else None


def _seed(name: str) -> pl.DataFrame:
    return _read(SEEDS_DIR / f"{name}.csv", name, columns_of(name))


def _own(folder: DataFolder | None) -> dict[str, pl.DataFrame]:
    """The data folder's own rows of every file, its money standards with their rules of payment."""
    own = {name: _overlay(name, folder) for name in KINDS}
    known = {*_seed("standards")["standard_id"], *own["standards"]["standard_id"]}
    return own | {name: pl.concat([own[name], rows]) for name, rows in payment_rules(own, known).items()}


def _overlay(name: str, folder: DataFolder | None) -> pl.DataFrame:
    columns = columns_of(name)
    path = _overlay_path(name, folder)
    if path is None or not path.is_file():
        own = pl.DataFrame(schema={column: _dtype(name, column) for column in columns})
    else:
        own = _with_defaults(name, _read(path, name, columns))
    return _with_confirmations(own, folder) if name == "standards" and folder else own


def _with_defaults(name: str, own: pl.DataFrame) -> pl.DataFrame:
    """A row that says no more than it must: tiers and measures are numbered as they stand, a single tier is 不分档."""
    own = own.with_columns(
        pl.col(column).fill_null(pl.lit(value)) for column, value in _DEFAULTS.get(name, {}).items()
    )
    if name == "standard_tiers":
        place = pl.int_range(1, pl.len() + 1).over("standard_id")
        count = pl.len().over("standard_id")
        label = pl.when(count == 1).then(pl.lit("不分档")).otherwise(pl.format("第{}档", place))
        return own.with_columns(
            tier_no=pl.col("tier_no").fill_null(place), tier_label=pl.col("tier_label").fill_null(label)
        )
    if name == "standard_measures":
        place = pl.int_range(1, pl.len() + 1).over("standard_id", "role")
        return own.with_columns(
            part_no=pl.col("part_no").fill_null(place),
            label_zh=pl.col("label_zh").fill_null(pl.col("measure_code")),
        )
    return own


def _with_confirmations(own: pl.DataFrame, folder: DataFolder) -> pl.DataFrame:
    """The bureau's rows, and ours that it confirmed, with the day on which it did."""
    path = _overlay_path(CONFIRMATIONS, folder)
    if path is None or not path.is_file():
        return own
    known = _merge("standards", _seed("standards"), own)
    days: dict[str, date] = {}
    for number, name, day in _confirmations(path):
        names = known["standard_id"].to_list() if name == _EVERY else [name]
        if not set(names) <= set(known["standard_id"]):
            raise StandardFileError(
                f"{path.name} 第 {number} 行：没有编号为 {name} 的标准。请照 standards.csv 的 standard_id 填写；"
                f"全部确认可写“{_EVERY}”。"
            )
        days |= {each: max(day, days.get(each, day)) for each in names}
    touched = known.filter(pl.col("standard_id").is_in([*days, *own["standard_id"]]))
    confirmed = pl.col("standard_id").replace_strict(days, default=None, return_dtype=pl.Date)
    return touched.with_columns(last_confirmed_on=pl.max_horizontal("last_confirmed_on", confirmed))


def _confirmations(path: Path) -> list[tuple[int, str, date]]:
    rows = list(csv.reader(_decode(path).splitlines(keepends=True)))
    header = [_CONFIRMATION_TITLES.get(cell.strip(), cell.strip()) for cell in rows[0]] if rows else []
    if not {"standard_id", "last_confirmed_on"} <= set(header):
        raise StandardFileError(
            f"{path.name} 第 1 行：应有列 {'、'.join(_CONFIRMATION_TITLES)}（前两列必填）。请补齐后重新运行。"
        )
    found = []
    for number, row in enumerate(rows[1:], 2):
        told = {name: cell.strip() for name, cell in zip(header, row, strict=False)}
        if not any(told.values()):
            continue
        name, day = told.get("standard_id", ""), a_date(told.get("last_confirmed_on", ""))
        if not name or day is None:
            raise StandardFileError(
                f"{path.name} 第 {number} 行：须写明标准编号和确认日期（如 2028-03-01）。请改正后重新运行。"
            )
        found.append((number, name, day))
    return found


def _refuse_strangers(folder: DataFolder | None) -> None:
    """A file that nobody reads would be a rule that silently does not hold."""
    if folder is None or not folder.standards.is_dir():
        return
    known = {f"{name}.csv" for name in (*KINDS, CONFIRMATIONS)} | set(_OTHERS)
    for path in sorted(folder.standards.iterdir()):
        name = path.name
        if name in known or name.startswith((".", "~$")) or path.suffix.lower() in (".md", ".txt"):
            continue
        hint = (
            "请在 Excel 中另存为“CSV UTF-8”，文件名照上列。"
            if path.suffix.lower() in (".xlsx", ".xls", ".et")
            else "请改成上列的文件名，或移出该文件夹。"
        )
        raise StandardFileError(
            f"standards/{name} 不会被读取：该文件夹只读 {'、'.join(sorted(known))}。{hint}"
        )


def a_date(text: str) -> date | None:
    """2025-01-01, or 2025/1/1 as Excel writes it when it saves a CSV; None for anything else."""
    parts = text.strip().replace("/", "-").split("-")
    try:
        year, month, day = (int(part) for part in parts)
        return date(year, month, day)
    except ValueError:
        return None


def _dtype(name: str, column: str) -> pl.DataType:
    return _DTYPES[kind_of(name, column)]


def _read(path: Path, name: str, columns: list[str]) -> pl.DataFrame:
    text = _decode(path)
    rows = list(csv.reader(text.splitlines(keepends=True)))
    if not rows:
        raise StandardFileError(
            f"{path.name}：文件是空的。请照 dbt/seeds/{name}.csv 的表头填写，或删除该文件。"
        )
    header = [cell.strip() for cell in rows[0]]
    missing = [column for column in columns if column not in header and column not in MAY_LACK]
    if missing:
        raise StandardFileError(
            f"{path.name} 第 1 行：缺少列 {'、'.join(missing)}。请照 dbt/seeds/{name}.csv 的表头补齐。"
        )
    # A column that is not there reads as empty cells beyond the end of each row.
    places = {column: header.index(column) if column in header else len(header) for column in columns}
    numbered = [(number, row[: len(header)]) for number, row in enumerate(rows[1:], 2) if any(row)]
    numbers = [number for number, _ in numbered]
    key = KEYS[name]
    for number, row in numbered:
        if _cell(row, places[key]) is None:
            raise StandardFileError(f"{path.name} 第 {number} 行：缺少编号（{key}）。请补填后重新运行。")
    raw = {column: [_cell(row, place) for _, row in numbered] for column, place in places.items()}
    return pl.DataFrame([_typed(path, name, column, values, numbers) for column, values in raw.items()])


def _decode(path: Path) -> str:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise StandardFileError(f"{path.name}：编码无法识别。请在 Excel 中另存为“CSV UTF-8”后重新放入。")


def _cell(row: list[str], position: int) -> str | None:
    value = row[position].strip() if position < len(row) else ""
    return value or None


def _typed(path: Path, name: str, column: str, values: list[str | None], numbers: list[int]) -> pl.Series:
    kind = kind_of(name, column)
    text = pl.Series(column, values, dtype=pl.String)
    if kind == TEXT:
        return text
    if kind == FLAG:
        lowered = text.str.to_lowercase()
        typed = lowered.replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)
    elif kind == DATE:
        typed = pl.Series(column, [a_date(value) if value else None for value in values], dtype=pl.Date)
    elif kind == WHOLE:
        typed = text.cast(pl.Int64, strict=False)
    else:
        readable = text.str.contains(r"^-?\d{1,14}(\.\d{1,4})?$")
        typed = pl.select(pl.when(readable).then(text)).to_series().cast(pl.Decimal(18, 4), strict=False)
    wrong = text.is_not_null() & typed.is_null()
    if wrong.any():
        row = int(wrong.arg_true()[0])
        raise StandardFileError(
            f"{path.name} 第 {numbers[row]} 行“{column}”列：“{values[row]}”不是{_EXPECTED[kind]}。请改正后重新运行。"
        )
    return typed.alias(column)
