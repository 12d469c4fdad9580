"""What a sender has to be told about a file: refusals, rejected and held rows, doubts, each with its cell."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from oversight.contracts import ALL_DATASETS
from oversight.intake.judging.judged import Judged
from oversight.intake.landed import Landed
from oversight.intake.reading.grid import column_letters
from oversight.intake_messages import CATALOGUE, CELL_BY_CELL

Kind = Literal["refused", "rejected", "held", "doubt"]
# How `tables` words a total that does not agree.
_TOTAL = re.compile(r"第 (\d+) 行“(.+?)”合计")
# Raised when a column of the templates is added, renamed or asked for differently; older ones are still read.
TEMPLATE_VERSION = 1
TEMPLATE_MARK = re.compile(r"模板第 ?(\d+) ?版")
KIND_ZH: dict[Kind, str] = {"refused": "整份拒收", "rejected": "退回", "held": "待确认", "doubt": "存疑"}


@dataclass(frozen=True)
class Remark:
    """One thing found in a file. Sheet, row and cell are None where it concerns the file as a whole."""

    kind: Kind
    error_code: str
    sheet: str | None
    row_number: int | None
    column_title: str | None
    cell: str | None
    value: str | None
    message_zh: str
    what_to_do_zh: str

    @property
    def title_zh(self) -> str:
        """The catalogue's short name for it."""
        return CATALOGUE[self.error_code].title_zh

    @property
    def where_zh(self) -> str:
        """Sheet and cell as the sender sees them."""
        sheet = f"工作表“{self.sheet}”" if self.sheet else ""
        if self.cell:
            return f"{sheet}单元格 {self.cell}"
        return f"{sheet}第 {self.row_number} 行" if self.row_number else sheet or "整个文件"


class _Places:
    """Contract column and row → the cell in the sender's own file."""

    def __init__(self, tables: pl.DataFrame) -> None:
        self._tables: dict[tuple[str, str | None], list[tuple[int, str, dict[str, str]]]] = defaultdict(list)
        for submission_id, sheet, dataset, header_row, columns in tables.select(
            "submission_id", "sheet", "dataset", "header_row", "columns"
        ).iter_rows():
            if columns is not None:
                self._tables[submission_id, sheet].append((header_row, dataset, json.loads(columns)))

    def cell(
        self, submission_id: str, sheet: str | None, row: int, title: str | None, names: Collection[str] = ()
    ) -> tuple[str | None, str | None]:
        """(cell, canonical title) of a column given by its title or by one of its names, in a row."""
        above = [t for t in self._tables.get((submission_id, sheet), []) if t[0] <= row]
        nearest = max((t[0] for t in above), default=0)
        for header_row, dataset, letters in above:
            if header_row != nearest:
                continue
            for column in ALL_DATASETS[dataset].columns.values():
                if (column.title_zh == title or column.name in names) and column.name in letters:
                    place = letters[column.name]
                    # Of a table that lies on its side the column is the row, and the row the column; or it is the cell.
                    cell = f"{column_letters(row - 1)}{place}" if place.isdigit() else f"{place}{row}"
                    cell = place if not place.isalpha() and not place.isdigit() else cell
                    return cell, column.title_zh
        if title is None and any(
            not p.isalpha() for h, _, letters in above if h == nearest for p in letters.values()
        ):
            # Of such a table the row is a column of the sheet.
            return f"{column_letters(row - 1)}1", title
        return (f"A{row}", title) if above or title is None else (None, title)


def remarks(landed: Landed, judged: Judged, only: Collection[str] | None = None) -> dict[str, list[Remark]]:
    """For each submission (or those in `only`) what was found, in the order of its rows; none: all is well."""
    found: dict[str, list[Remark]] = defaultdict(list)
    places = _Places(_mine(landed.tables, only))
    for row in _mine(judged.rejected, only).iter_rows(named=True):
        cell, _ = places.cell(row["submission_id"], row["sheet"], row["row_number"], row["column_title"])
        found[row["submission_id"]].append(
            Remark(
                "held" if row["disposition"] == "held" else "rejected",
                row["error_code"],
                row["sheet"],
                row["row_number"],
                row["column_title"],
                cell,
                row["value"],
                row["message_zh"],
                row["what_to_do_zh"],
            )
        )
    cells = _doubted_cells(landed, only)
    for frame in judged.rows.values():
        _add_doubts(found, _mine(frame, only), places, cells)
    for remark_id, remark in (
        *_about_tables(landed, places, only),
        *_about_sheets(landed, only),
        *_about_headings(landed, only),
    ):
        found[remark_id].append(remark)
    _add_refusals(found, landed, judged, only)
    for entries in found.values():
        entries.sort(key=lambda r: (r.kind != "refused", r.sheet or "", r.row_number or 0, r.error_code))
    return dict(found)


def _mine(frame: pl.DataFrame, only: Collection[str] | None) -> pl.DataFrame:
    return frame if only is None else frame.filter(pl.col("submission_id").is_in(list(only)))


def _doubt(
    code: str,
    sheet: str | None = None,
    row: int | None = None,
    title: str | None = None,
    cell: str | None = None,
    value: str | None = None,
    detail: str = "",
) -> Remark:
    message = CATALOGUE[code]
    return Remark("doubt", code, sheet, row, title, cell, value, message.text_zh + detail, message.remedy_zh)


def _doubted_cells(
    landed: Landed, only: Collection[str] | None
) -> dict[tuple[Any, ...], list[tuple[str, str]]]:
    """(submission, sheet, row, code) → the columns and writings that reading had a doubt about."""
    tables = _mine(landed.tables, only).select("table_no", "submission_id", "sheet")
    doubts = landed.errors.filter(pl.col("code").str.starts_with("D")).join(tables, on="table_no")
    cells: dict[tuple[Any, ...], list[tuple[str, str]]] = defaultdict(list)
    for *place, column, value in doubts.select(
        "submission_id", "sheet", "row_number", "code", "column", "value"
    ).iter_rows():
        cells[tuple(place)].append((column, value))
    return cells


def _add_doubts(
    found: dict[str, list[Remark]],
    frame: pl.DataFrame,
    places: _Places,
    cells: dict[tuple[Any, ...], list[tuple[str, str]]],
) -> None:
    for row in frame.filter(pl.col("doubts").is_not_null()).iter_rows(named=True):
        for code in row["doubts"].split(";"):
            if code in CELL_BY_CELL:
                continue  # Told already, as what is held.
            key = (row["submission_id"], row["sheet"], row["row_number"], code)
            if key in cells:
                for name, written in cells[key]:
                    cell, title = places.cell(*key[:3], None, (name,))
                    found[key[0]].append(_doubt(code, row["sheet"], row["row_number"], title, cell, written))
                continue
            names = CATALOGUE[code].shown_at
            if code == "D31":
                names = tuple(n for n in names if row[n] is not None and row[n] < 0)
            cell, title = places.cell(row["submission_id"], row["sheet"], row["row_number"], None, names)
            value = next((row[n] for n in names if row.get(n) is not None), None)
            shown = None if value is None else str(value)
            found[row["submission_id"]].append(
                _doubt(code, row["sheet"], row["row_number"], title, cell, shown)
            )


def _about_tables(landed: Landed, places: _Places, only: Collection[str] | None) -> list[tuple[str, Remark]]:
    """Totals that do not agree, and formulas: said of a table or a file, not of a row."""
    told: list[tuple[str, Remark]] = []
    for submission_id, sheet, problem in (
        _mine(landed.tables, only)
        .filter(pl.col("total_problem").is_not_null())
        .select("submission_id", "sheet", "total_problem")
        .iter_rows()
    ):
        at = _TOTAL.match(problem)
        row, title = (int(at.group(1)), at.group(2)) if at else (None, None)
        cell = places.cell(submission_id, sheet, row, title)[0] if row else None
        told.append((submission_id, _doubt("D11", sheet, row, title, cell, detail=f"{problem}。")))
    for submission_id, sheet, words in (
        _mine(landed.tables, only)
        .filter(pl.col("words").str.contains("模板第", literal=True))
        .select("submission_id", "sheet", "words")
        .iter_rows()
    ):
        found = TEMPLATE_MARK.search(words)
        if found and int(found.group(1)) < TEMPLATE_VERSION:
            told.append((submission_id, _older(sheet, found.group(1))))
    for submission_id, sheet, titles in (
        _mine(landed.tables, only)
        .drop_nulls("other_titles")
        .select("submission_id", "sheet", "other_titles")
        .iter_rows()
    ):
        message = CATALOGUE["D42"]
        text = message.fill(columns=titles)
        told.append(
            (submission_id, Remark("doubt", "D42", sheet, None, None, None, titles, text, message.remedy_zh))
        )
    for (submission_id,) in (
        _mine(landed.files, only).filter("has_formulas").select("submission_id").iter_rows()
    ):
        told.append((submission_id, _doubt("D10")))
    return told


def _about_sheets(landed: Landed, only: Collection[str] | None) -> list[tuple[str, Remark]]:
    """What is hidden in a workbook, and the like: said once for a sheet or for some of its rows."""
    told: list[tuple[str, Remark]] = []
    for row in _mine(landed.notices, only).iter_rows(named=True):
        message = CATALOGUE[row["code"]]
        number = row["row_number"]
        told.append(
            (
                row["submission_id"],
                Remark(
                    "doubt",
                    row["code"],
                    row["sheet"],
                    number,
                    None,
                    f"A{number}" if number else None,
                    None,
                    message.fill(**json.loads(row["found"])),
                    message.remedy_zh,
                ),
            )
        )
    return told


def _older(sheet: str | None, version: str) -> Remark:
    message = CATALOGUE["D13"]
    text = message.fill(version=version, current=TEMPLATE_VERSION)
    return Remark("doubt", "D13", sheet, None, None, None, version, text, message.remedy_zh)


def _add_refusals(
    found: dict[str, list[Remark]], landed: Landed, judged: Judged, only: Collection[str] | None
) -> None:
    """Why a file, a sheet or a member of an archive could not be read at all."""
    tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for refusal in _mine(landed.refusals, only).iter_rows(named=True):
        tables[refusal["submission_id"]].append(refusal)
    # Where the first row of data should have stood.
    empty = {
        r[0]: (r[1], r[2] + 1)
        for r in _mine(landed.tables, only)
        .filter((pl.col("rows_data") == 0) & pl.col("header_row").is_not_null())
        .select("submission_id", "sheet", "header_row")
        .iter_rows()
    }
    for row in _mine(judged.submissions, only).iter_rows(named=True):
        submission_id = row["submission_id"]
        listed = {r.error_code for r in found.get(submission_id, ())}
        for refusal in tables.get(submission_id, ()):
            if refusal["code"] in listed and (refusal["rows"] or refusal["code"] == "F60"):
                continue
            message = CATALOGUE[refusal["code"]]
            # A sheet's refusal stands at its header; a member of an archive that cannot be read has none.
            has_row = refusal["dataset"] is not None or refusal["row_number"] > 1
            found[submission_id].append(
                Remark(
                    "refused",
                    refusal["code"],
                    refusal["sheet"],
                    refusal["row_number"] if has_row else None,
                    None,
                    f"A{refusal['row_number']}" if has_row else None,
                    None,
                    message.fill(**json.loads(refusal["found"])),
                    message.remedy_zh,
                )
            )
            listed.add(refusal["code"])
        if row["status"] == "refused" and row["error_code"] not in listed:
            sheet, below = (
                empty.get(submission_id, (None, None)) if row["error_code"] == "F08" else (None, None)
            )
            found[submission_id].append(
                Remark(
                    "refused",
                    row["error_code"],
                    sheet,
                    below,
                    None,
                    f"A{below}" if below else None,
                    None,
                    row["message_zh"],
                    row["what_to_do_zh"],
                )
            )


def question_zh(heading: str, title: str) -> str:
    """What is asked about a heading."""
    return f"“{heading}”像是“{title}”"


def _about_headings(landed: Landed, only: Collection[str] | None) -> list[tuple[str, Remark]]:
    """Columns that were asked about or understood without being spelled so, each at its heading."""
    told: list[tuple[str, Remark]] = []
    refused = set(
        landed.refusals.filter(pl.col("code") == "F60").select("submission_id", "sheet", "dataset").rows()
    )
    said = _mine(landed.headings, only).unique(
        ["submission_id", "sheet", "row_number", "letters", "state"], maintain_order=True
    )
    for row in said.iter_rows(named=True):
        code = {"asked": "D61", "inferred": "D62"}.get(row["state"])
        if code is None:
            continue
        if code == "D61" and (row["submission_id"], row["sheet"], row["dataset"]) in refused:
            code = "F60"
        title = ALL_DATASETS[row["dataset"]].columns[row["column"]].title_zh
        message = CATALOGUE[code]
        cell = f"{row['letters']}{row['row_number']}"
        text = message.fill(heading=row["heading"], column=title, asked=question_zh(row["heading"], title))
        kind: Kind = "refused" if code == "F60" else "doubt"
        told.append(
            (
                row["submission_id"],
                Remark(
                    kind,
                    code,
                    row["sheet"],
                    row["row_number"],
                    title,
                    cell,
                    row["heading"],
                    text,
                    message.remedy_zh,
                ),
            )
        )
    return told
