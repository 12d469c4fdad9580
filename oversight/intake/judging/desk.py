"""The analyst's correction files among the submissions: what they ask for, what was done of it, and what was refused."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from oversight.intake.judging.corrections import Correction, CorrectionFile, Reviewed
from oversight.intake.judging.verdicts import as_verdicts
from oversight.references import TOWNSHIP


class CorrectionDesk:
    """Each correction file is a submission, and for each dataset in it a table; `correcting` and `reviewed` do what the
    files ask for and tell the desk what became of it.

    Files are named here by the number of their table, and count as rows what was added and what has been dealt with.
    """

    def __init__(self, files: list[CorrectionFile], tables: pl.DataFrame) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._items: list[tuple[int, Correction]] = []
        self._reviewed: list[tuple[int, Reviewed]] = []
        self._refused: list[tuple[Any, ...]] = []
        self._counts: dict[int, list[int]] = {}
        next_number = int(tables.select(pl.col("table_no").max()).item() or 0) + 1
        top = int(tables.select(pl.col("precedence").max()).item() or 0) + 1
        rows: list[tuple[Any, ...]] = []
        for place, file in enumerate(files):
            identifier = file.file.submission_id
            named = {c.dataset for c in file.rows} | {r.dataset for r in file.reviewed}
            datasets = sorted(named) or ["population"]
            for dataset in datasets:
                number = next_number + len(rows)
                self._numbers[identifier, dataset] = number
                self._counts[number] = [0, 0]
                rows.append((number, identifier, dataset, None, 1, True, "", TOWNSHIP, top + place))
            for item in file.rows:
                self._items.append((self._numbers[identifier, item.dataset], item))
            for told in file.reviewed:
                self._reviewed.append((self._numbers[identifier, told.dataset], told))
            for fault in file.faulty:
                texts = {"title": fault.title, "value": fault.value}
                self.refuse(
                    self._numbers[identifier, datasets[0]], fault.row_number, None, fault.value, "C03", texts
                )
        self.tables = pl.DataFrame(
            rows,
            schema={
                "table_no": pl.Int32,
                "submission_id": pl.String,
                "dataset": pl.String,
                "sheet": pl.String,
                "header_row": pl.Int64,
                "is_correction": pl.Boolean,
                "words": pl.String,
                "source": pl.String,
                "precedence": pl.Int64,
            },
            orient="row",
        )

    def corrections(self, dataset: str, *, confirming: bool) -> list[tuple[int, Correction]]:
        """What is to be corrected or confirmed in a dataset."""
        return [
            (number, item)
            for number, item in self._items
            if item.is_confirmation == confirming and item.dataset == dataset
        ]

    def reviewed(self, dataset: str, *, sent_back: bool) -> list[tuple[int, Reviewed]]:
        """What somebody looked into in a dataset: the rows that were sent back, or those whose doubts were cleared."""
        return [
            (number, item)
            for number, item in self._reviewed
            if item.is_return == sent_back and item.dataset == dataset
        ]

    def added(self, number: int) -> None:
        """A row of a file stands among the data."""
        self._counts[number][0] += 1

    def replaced(self, number: int) -> None:
        """A row that a file had added gives way to another of the same file."""
        self._counts[number][0] -= 1
        self._counts[number][1] += 1

    def dealt_with(self, number: int) -> None:
        """A row of a file has done what it asks for, and is no row of data."""
        self._counts[number][1] += 1

    def refuse(
        self, number: int, row: int, column: str | None, value: object, code: str, texts: dict[str, str]
    ) -> None:
        """A row of a file could not be applied."""
        self._counts[number][0] += 1
        shown = None if value is None else str(value)
        self._refused.append((number, row, column, shown, code, json.dumps(texts, ensure_ascii=False)))

    def refused(self) -> pl.DataFrame:
        """Corrections that were not applied, as verdicts."""
        return as_verdicts(self._refused)

    def counted(self, tables: pl.DataFrame) -> pl.DataFrame:
        """The tables with the row counts of the correction files."""
        if not self._counts:
            return tables
        counts = pl.DataFrame(
            [(n, data, ignored) for n, (data, ignored) in self._counts.items()],
            schema={"table_no": pl.Int32, "data": pl.Int64, "ignored": pl.Int64},
            orient="row",
        )
        joined = tables.join(counts, on="table_no", how="left", maintain_order="left")
        return joined.with_columns(
            rows_data=pl.coalesce("data", "rows_data"), rows_ignored=pl.coalesce("ignored", "rows_ignored")
        ).drop("data", "ignored")
