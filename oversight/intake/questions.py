"""Headings that were understood or asked about, and the answers to the questions: `headings.csv`.

A heading below certainty is a question: its column is used only after one answer, which holds for every file of the
same sender and layout. The file lies in the data folder and may be edited in Excel; 对应列 is a column's title, or
不使用.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import polars as pl

from oversight import durable
from oversight.contracts import ALL_DATASETS
from oversight.errors import OversightError
from oversight.intake.own_files import HEADING_TITLES, NOT_USED
from oversight.intake.reading.found import BulkTable, Notice, Reading
from oversight.intake.reading.grid import Context, Header, Refusal, Table, column_letters, ranges_of
from oversight.intake.reading.headers import missing_columns, needed_columns
from oversight.intake.reading.text import fold, plain
from oversight.settings import DataFolder

T = TypeVar("T")
State = Literal["asked", "answered", "declined", "inferred"]
# One row for each heading of a table that is not simply a title of the contract.
HEADING_SCHEMA: dict[str, Any] = {
    "submission_id": pl.String,
    "sheet": pl.String,
    "dataset": pl.String,
    "sender": pl.String,
    "layout": pl.String,
    "heading": pl.String,
    "letters": pl.String,
    "row_number": pl.Int64,
    "column": pl.String,
    "state": pl.String,
}


@lru_cache(maxsize=16384)
def _layout(titles: tuple[str, ...]) -> str:
    """A name for a layout: the same for each month's file, whatever year and month its headings name."""
    written = "|".join(re.sub(r"\d+", "#", plain(title)) for title in titles)
    return (
        hashlib.sha256(written.encode()).hexdigest()[:8].translate(str.maketrans("0123456789", "ghijklmnop"))
    )


def layout_of(header: Header) -> str:
    """The name of a header's layout."""
    return _layout(tuple(header.titles.get(at, "") for at in range(header.width)))


@dataclass(frozen=True)
class Answers:
    """What was answered, by sender (blank: any), layout, dataset and heading; None is a column that is not used."""

    known: Mapping[tuple[str, str, str, str], str | None] = field(default_factory=dict)
    digest: str = ""

    def given(self, sender: str, layout: str, dataset: str, heading: str) -> tuple[str | None] | None:
        """The answer in a tuple of its own; None where there is none yet."""
        for who in (sender, ""):
            key = (who, layout, dataset, plain(heading))
            if key in self.known:
                return (self.known[key],)
        return None


def read_answers(folder: DataFolder | None) -> Answers:
    """The answers in a data folder. Raises `OversightError`, naming the line, for what cannot be understood."""
    if folder is None or not folder.headings.is_file():
        return Answers()
    content = folder.headings.read_bytes()
    known: dict[tuple[str, str, str, str], str | None] = {}
    datasets = {contract.title_zh: contract for contract in ALL_DATASETS.values()}
    for number, row in enumerate(_rows(folder.headings, content), start=2):
        contract = datasets.get(row["报表"])
        where = f"{folder.headings} 第 {number} 行"
        if contract is None:
            raise OversightError(
                f"{where}：没有“{row['报表']}”这种报表，可用的有：{'、'.join(datasets)}。请改正。"
            )
        wanted = plain(row["对应列"])
        column = next(
            (c for c in contract.columns.values() if wanted in (plain(c.title_zh), plain(c.label_zh))), None
        )
        if column is None and wanted != NOT_USED:
            titles = "、".join(c.title_zh for c in contract.columns.values())
            raise OversightError(
                f"{where}：“{row['对应列']}”不是“{row['报表']}”的列；可写：{titles}，或 {NOT_USED}。"
            )
        key = (fold(row["报送单位"]), row["版式"].strip(), contract.name, plain(row["表头"]))
        known[key] = None if column is None else column.name
    return Answers(known, hashlib.sha256(content).hexdigest())


def _rows(path: Path, content: bytes) -> list[dict[str, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if not set(HEADING_TITLES[:5]) <= set(reader.fieldnames or ()):
        raise OversightError(f"{path} 的第一行应为：{'、'.join(HEADING_TITLES)}。请改正或删去该文件。")
    return [{k: (v or "") for k, v in row.items() if k} for row in reader if any(row.values())]


def remember(folder: DataFolder, told: Iterable[Mapping[str, Any]], on: date) -> int:
    """Add answers (rows of `HEADING_SCHEMA`, `column` None for not used) to the folder's file; how many are new.

    A later answer to the same question takes the place of the earlier one.
    """
    before = _rows(folder.headings, folder.headings.read_bytes()) if folder.headings.is_file() else []
    kept = {tuple(row[t] for t in HEADING_TITLES[:4]): row for row in before}
    new = 0
    for item in told:
        contract = ALL_DATASETS[item["dataset"]]
        answer = contract.columns[item["column"]].title_zh if item["column"] else NOT_USED
        key = (item["sender"], item["layout"], contract.title_zh, item["heading"])
        new += kept.get(key, {}).get("对应列") != answer
        kept[key] = dict(zip(HEADING_TITLES, (*key, answer, on.isoformat()), strict=True))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, HEADING_TITLES, lineterminator="\r\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({t: row.get(t, "") for t in HEADING_TITLES} for row in kept.values())
    durable.write_bytes(folder.headings, b"\xef\xbb\xbf" + text.getvalue().encode())
    return new


@dataclass(frozen=True)
class _Settled:
    """A table whose questions were answered as far as they are, or the refusal it ends in."""

    table: Table | BulkTable
    headings: list[tuple[Any, ...]]
    refusal: Refusal | None = None


def settle(reading: Reading, submission_id: str, answers: Answers) -> tuple[Reading, list[tuple[Any, ...]]]:
    """A file's tables with the columns that are used, under their names; and what is to be said of their headings.

    What is asked and not answered is left out; a table that cannot do without it, or is of no month, is refused.
    """
    settled = [_settle(table, submission_id, answers) for table in reading.tables]
    refused = [one.refusal for one in settled if one.refusal is not None]
    used = [one.table for one in settled if one.refusal is None]
    headings = [heading for one in settled for heading in one.headings]
    noted = [notice for table in used for notice in _of_table(table)]
    settled_reading = replace(
        reading,
        tables=used,
        refusals=[*reading.refusals, *refused],
        notices=[*reading.notices, *noted],
    )
    return settled_reading, headings


def _settle(table: Table | BulkTable, submission_id: str, answers: Answers) -> _Settled:
    header: Header = table.header
    context: Context = table.context
    if not header.asked and not header.inferred:
        return _Settled(table, [], _without_month(table))
    layout = layout_of(header)
    columns = dict(header.columns)
    renamed: dict[str, str | None] = {}
    told: list[tuple[Any, ...]] = []
    contract = ALL_DATASETS[header.dataset]

    def tell(heading: str, at: int, column: str | None, state: State) -> None:
        told.append(
            (
                submission_id,
                table.sheet,
                header.dataset,
                context.sender,
                layout,
                heading,
                column_letters(header.label_at if at in header.rows_of else at),
                header.rows_of.get(at, header.last_row + 1),
                column,
                state,
            )
        )

    open_: list[str] = []
    for name in sorted(header.asked, key=lambda n: header.columns[n]):
        at = header.columns[name]
        heading = header.titles.get(at, "")
        answer = answers.given(context.sender, layout, header.dataset, heading)
        if answer is None:
            open_.append(heading)
            del columns[name]
            renamed[name] = None
            tell(heading, at, name, "asked")
        elif answer[0] is None:
            del columns[name]
            renamed[name] = None
            tell(heading, at, None, "declined")
        else:
            if answer[0] != name:
                del columns[name]
                taken = answer[0] in columns
                renamed[name] = None if taken else answer[0]
                if not taken:
                    columns[answer[0]] = at
            tell(heading, at, answer[0], "answered")
    for name in sorted(header.inferred, key=lambda n: header.columns[n]):
        tell(header.titles.get(header.columns[name], ""), header.columns[name], name, "inferred")
    units = {n: u for n, u in header.units.items() if n not in renamed}
    units |= {new: header.units[old] for old, new in renamed.items() if new and old in header.units}
    settled = replace(header, columns=columns, units=units, asked=frozenset(), inferred=frozenset())
    where = (header.last_row + 1, table.sheet, header.dataset, tuple(table.row_numbers), len(table.ignored))
    of_one = context.township != (None, None)
    lacking = needed_columns(contract, columns, of_one=of_one)
    if open_ and lacking:
        unanswered = [
            n for n in sorted(header.asked, key=lambda n: header.columns[n]) if renamed.get(n, n) is None
        ]
        needed = [n for n in unanswered if n in {c.name for c in lacking}] or unanswered
        asked = "、".join(
            f"“{header.titles.get(header.columns[n], '')}”像是“{contract.columns[n].title_zh}”"
            for n in needed
        )
        return _Settled(table, told, Refusal("F60", {"asked": asked}, *where))
    if lacking:
        missing = "、".join(c.title_zh for c in lacking)
        texts = {"dataset": contract.title_zh, "columns": missing, "unknown": "无"}
        return _Settled(table, told, Refusal("F06", texts, *where))
    used = _under_its_names(table, settled, renamed)
    return _Settled(used, told, _without_month(used))


def _without_month(table: Table | BulkTable) -> Refusal | None:
    """The refusal of a table of which neither it nor anything around it says of which month it is, though it should."""
    is_asked = "month" in ALL_DATASETS[table.dataset].columns
    if not is_asked or "month" in table.given or table.context.month is not None:
        return None
    where = (
        table.header.last_row + 1,
        table.sheet,
        table.dataset,
        tuple(table.row_numbers),
        len(table.ignored),
    )
    return Refusal("F18", {}, *where)


def _under_its_names(
    table: Table | BulkTable, header: Header, renamed: Mapping[str, str | None]
) -> Table | BulkTable:
    """The table with its columns left out (None) or renamed as its questions were settled."""
    names_after = {old: new for old, new in renamed.items() if new is not None}
    if isinstance(table, BulkTable):
        gone = [old for old, new in renamed.items() if new is None]
        return replace(table, header=header, frame=table.frame.drop(gone).rename(names_after))

    def kept(by_column: Mapping[str, T]) -> dict[str, T]:
        return {
            names_after.get(name, name): told
            for name, told in by_column.items()
            if name in names_after or name not in renamed
        }

    cells = {name: column for name, column in table.cells.items() if name not in renamed}
    cells |= {new: table.cells[old] for old, new in names_after.items() if old in table.cells}
    broken = [
        (row, renamed.get(column, column) or "", value, code)
        for row, column, value, code in table.broken
        if not column or (renamed.get(column, column) or "") in cells
    ]
    return replace(
        table,
        header=header,
        cells=cells,
        is_formula=kept(table.is_formula),
        places=kept(table.places),
        broken=broken,
    )


def _of_table(table: Table | BulkTable) -> Iterator[Notice]:
    """What is doubtful of a table as a whole: columns that it lacks, prefilled figures that nobody confirmed."""
    header = table.header
    of_one = table.context.township != (None, None)
    lacking = missing_columns(ALL_DATASETS[table.dataset], header.columns, of_one=of_one)
    if lacking and header.columns and header.period is None:
        texts = {"columns": "、".join(c.title_zh for c in lacking)}
        yield Notice("D64", texts, table.sheet, header.last_row + 1, table.dataset)
    if isinstance(table, Table) and table.unconfirmed:
        cells = ranges_of(
            (header.columns[name], row) for row, name in table.unconfirmed if name in header.columns
        )
        texts = {"cells": cells, "count": str(len(table.unconfirmed))}
        yield Notice("D65", texts, table.sheet, table.unconfirmed[0][0], table.dataset)


def proposals(headings: pl.DataFrame, submission_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The open questions of files, each once, as rows of `HEADING_SCHEMA`."""
    mine = headings.filter(pl.col("submission_id").is_in(list(submission_ids)) & (pl.col("state") == "asked"))
    return mine.unique(["submission_id", "sheet", "dataset", "heading"], maintain_order=True).to_dicts()
