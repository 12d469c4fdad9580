"""The edition as an explanation reads it: its rows, each asked once, and the reported cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from oversight import presentation
from oversight.contracts import DATASETS
from oversight.explain.arithmetic import shown
from oversight.explain.model import Cell

if TYPE_CHECKING:
    import duckdb

# Columns of the datasets, as the forms call them.
COLUMN_TITLES = {
    column.name: f"{column.label_zh}（{column.unit}）" if column.unit else column.label_zh
    for contract in DATASETS.values()
    for column in contract.measures
}


def dataset_of(measure: str) -> str | None:
    """The dataset whose column this is; None for an indicator's code."""
    return next((name for name, contract in DATASETS.items() if measure in contract.columns), None)


@dataclass(frozen=True)
class Read:
    """What whoever asks has read already of one unit: whole rows as the tables have them, of all its codes.

    `months` are of `funding_gap_monthly`; `reported` are every version of the reports from `since` to `until`, each
    with its `file_name`; `judgements` are those of `until`.
    """

    register: Sequence[Mapping[str, Any]]
    months: Sequence[dict[str, Any]]
    findings: Sequence[dict[str, Any]]
    judgements: Sequence[dict[str, Any]]
    reported: Mapping[str, Sequence[dict[str, Any]]]
    since: date
    until: date

    @cached_property
    def codes(self) -> list[str]:
        """Every code of the unit."""
        return sorted(row["township_code"] for row in self.register)


class Edition:
    """The tables of an edition, as one explanation reads them: from what is read already, or else by asking."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, read: Read | None = None) -> None:
        self._read = read
        self._cursor = connection.cursor()
        self._answers: dict[tuple[str, tuple[Any, ...]], list[dict[str, Any]]] = {}

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query; the rules of one subject ask much the same, and each question is asked once."""
        found = self._answers.get((query, parameters))
        if found is None:
            self._cursor.execute(query, list(parameters))
            names = [column[0] for column in self._cursor.description or []]
            found = [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]
            self._answers[query, parameters] = found
        return found

    def one(self, query: str, *parameters: Any) -> dict[str, Any] | None:
        rows = self.rows(query, *parameters)
        return rows[0] if rows else None

    def has(self, schema: str, table: str) -> bool:
        """Whether the edition carries a table: one of an older program may lack it."""
        found = "select 1 from information_schema.tables where table_schema = ? and table_name = ?"
        return self.one(found, schema, table) is not None

    def holds(self, schema: str, table: str) -> bool:
        """Whether a table has any row: where there is no second source, none of its tables is searched for a unit."""
        return self.one(f"select 1 as found from {schema}.{table} limit 1") is not None

    def _read_of(self, *codes: str) -> Read | None:
        return self._read if self._read is not None and set(codes) <= set(self._read.codes) else None

    def township(self, code: str) -> Mapping[str, Any] | None:
        """What the register says of a township."""
        read = self._read_of(code)
        if read is not None:
            return next(row for row in read.register if row["township_code"] == code)
        return self.one("select * from townships where township_code = ?", code)

    def judged(self, code: str, month: date) -> list[dict[str, Any]]:
        """The answers of a subject for a month."""
        read = self._read_of(code)
        if read is not None and read.until == month:
            rows = [row for row in read.judgements if (row["subject_code"], row["month"]) == (code, month)]
            return sorted(rows, key=lambda row: str(row["rule_id"]))
        return self.rows(
            "select * from judgements where subject_code = ? and month = ? order by rule_id", code, month
        )

    def funding(self, code: str, month: date) -> dict[str, Any] | None:
        """A township's money in a month; None of any other subject, and where it was not in force."""
        read = self._read_of(code)
        if read is not None:
            return next(
                (row for row in read.months if (row["township_code"], row["month"]) == (code, month)), None
            )
        return self.one(
            "select * from funding_gap_monthly where township_code = ? and month = ?", code, month
        )

    def findings(self, code: str) -> list[dict[str, Any]]:
        """Every finding of a subject, the latest first."""
        read = self._read_of(code)
        if read is not None:
            rows = [row for row in read.findings if row["subject_code"] == code]
            return sorted(rows, key=lambda row: row["opened_month"], reverse=True)
        return self.rows("select * from findings where subject_code = ? order by opened_month desc", code)

    def budgets(self, codes: Sequence[str], source: str, year: int, until: date) -> list[dict[str, Any]]:
        """The reports of a source on the working funds of a year, up to a month."""
        read = self._read_of(*codes)
        if read is not None and read.since <= date(year, 1, 1) and until <= read.until:
            rows = [
                row
                for row in read.reported["budget"]
                if row["township_code"] in codes
                and row["is_latest"]
                and row["fund_code"] == "working_funds"
                and row["source"] == source
                and row["month"].year == year
                and row["month"] <= until
            ]
            return sorted(rows, key=lambda row: row["month"])
        return self.rows(
            "select r.*, s.file_name from reported.budget r left join submissions s using (submission_id) "
            "where r.is_latest and r.fund_code = 'working_funds' and r.source = ? "
            f"and r.township_code in ({', '.join('?' * len(codes))}) "
            "and year(r.month) = ? and r.month <= ? order by r.month",
            source,
            *codes,
            year,
            until,
        )

    @cached_property
    def standards(self) -> dict[str, dict[str, Any]]:
        rows = self.rows(
            "select s.*, d.document_title, d.document_no from standards s "
            "left join policy_documents d using (document_id)"
        )
        return {row["standard_id"]: row for row in rows}

    def measures(self, standard_id: str) -> list[dict[str, Any]]:
        every = self.rows("select * from detail.standard_measures order by standard_id, part_no, role")
        return [row for row in every if row["standard_id"] == standard_id]

    def evidence(self, judged: Mapping[str, Any]) -> dict[str, Any] | None:
        """What a judgement rests on; None in an edition from before that was kept."""
        if not self.has("detail", "evidence"):
            return None
        # All of a subject's at once: a page explains some forty rules of one township.
        every = self.rows(
            "select * from detail.evidence where subject_code = ? and month = ? order by rule_id, subject_level",
            judged["subject_code"],
            judged["month"],
        )
        own = (judged["rule_id"], judged["subject_level"])
        return next((row for row in every if (row["rule_id"], row["subject_level"]) == own), None)

    def part_answers(self, judged: Mapping[str, Any]) -> dict[int, str] | None:
        """How each part of a list was answered; None in an edition from before that was kept."""
        if not self.has("detail", "part_answers"):
            return None
        rows = self.rows(
            "select part_no, answer from detail.part_answers where standard_id = ? and subject_unit = ? and month = ?",
            judged["rule_id"],
            judged["subject_unit"],
            judged["month"],
        )
        return {row["part_no"]: row["answer"] for row in rows}

    def tier(self, standard_id: str, label: str | None) -> dict[str, Any] | None:
        return self.one(
            "select * from standard_tiers where standard_id = ? and tier_label = ?", standard_id, label
        )

    def reported(self, dataset: str, code: str, month: date) -> dict[str, Any] | None:
        """What counts of a township's reports for a month."""
        read = self._read_of(code)
        if read is not None and dataset in read.reported and read.since <= month <= read.until:
            return next(
                (
                    row
                    for row in read.reported[dataset]
                    if (row["township_code"], row["month"]) == (code, month) and row["is_current"]
                ),
                None,
            )
        return self.one(
            f"select r.*, s.file_name from reported.{dataset} r left join submissions s using (submission_id) "
            "where r.township_code = ? and r.month = ? and r.is_current",
            code,
            month,
        )

    def codes(self, unit_id: str) -> list[str]:
        """Every code a unit has borne: named one by one, they let the engine read just its rows."""
        if self._read is not None and self._read.register[0]["unit_id"] == unit_id:
            return self._read.codes
        rows = self.rows("select township_code from townships where unit_id = ? order by 1", unit_id)
        return [row["township_code"] for row in rows]

    def cell(self, column: str, row: Mapping[str, Any] | None, month: date | None) -> Cell:
        title = COLUMN_TITLES.get(column, column)
        if row is None:
            return Cell(title, month, None)
        value = row[column]
        notes = []
        if row.get("reported_code") and row["reported_code"] != row["township_code"]:
            notes.append(
                f"以 {row['reported_code']} {row['reported_name'] or ''} 报送".replace(" 报送", "报送")
            )
        if row.get("doubts"):
            notes.append(doubt(row))
        return Cell(
            title,
            month,
            None if value is None else shown(value),
            row["file_name"],
            row["sheet"],
            row["row_number"],
            "；".join(notes),
            row.get("submission_id"),
        )


def doubt(row: Mapping[str, Any]) -> str:
    return f"数据存疑：{presentation.doubts(row['doubts'])}" if row.get("doubts") else ""


def last_with(rows: Sequence[dict[str, Any]], column: str) -> dict[str, Any] | None:
    return next((row for row in reversed(rows) if row[column] is not None), None)
