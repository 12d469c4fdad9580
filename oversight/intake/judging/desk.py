"""Corrections and confirmations by the analyst, applied to the rows that they speak of."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import polars as pl

from oversight.contracts import ALL_DATASETS
from oversight.intake.judging.corrections import Correction, CorrectionFile, Reviewed, same
from oversight.intake.judging.scale import figure
from oversight.intake.judging.verdicts import KEY, VERDICT_SCHEMA, as_verdicts, without
from oversight.references import TOWNSHIP, WORKING_FUNDS


class CorrectionDesk:
    """Applies corrections and confirmations; each file is a submission, and for each dataset in it a table."""

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
                self._refuse(
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

    def _refuse(
        self, number: int, row: int, column: str | None, value: object, code: str, texts: dict[str, str]
    ) -> None:
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

    def returned(self, dataset: str, rows: pl.DataFrame, tables: pl.DataFrame) -> pl.DataFrame:
        """The rows of a dataset that a reviewer sent back, as verdicts."""
        mine = [(n, r) for n, r in self._reviewed if r.is_return and r.dataset == dataset]
        found: dict[tuple[int, int], tuple[Any, ...]] = {}
        for number, item in mine:
            at = _rows_at(item, rows, tables)
            if not at:
                texts = {"sheet": f"工作表“{item.sheet}”" if item.sheet else "", "row": str(item.at)}
                self._refuse(number, item.row_number, None, item.submission_id, "C04", texts)
                continue
            self._counts[number][1] += 1
            told = json.dumps({"reason": item.reason, "by": item.by}, ensure_ascii=False)
            found |= {key: (*key, None, None, "R70", told) for key in at}
        return as_verdicts(found.values())

    def applied(
        self, dataset: str, rows: pl.DataFrame, held: pl.DataFrame, tables: pl.DataFrame
    ) -> pl.DataFrame:
        """Rows with the corrected ones beside them, and marked where somebody looked into what was doubted."""
        corrected = rows if dataset == "payments" else self._correct(dataset, rows, held, tables)
        return self._verified(dataset, corrected, tables)

    def _verified(self, dataset: str, rows: pl.DataFrame, tables: pl.DataFrame) -> pl.DataFrame:
        """Rows whose doubts were looked into say so in place of what was doubted."""
        mine = [(n, r) for n, r in self._reviewed if not r.is_return and r.dataset == dataset]
        keys: set[tuple[int, int]] = set()
        for number, item in mine:
            # What was sent back or replaced since has nothing left to be said of.
            self._counts[number][1] += 1
            keys |= set(_rows_at(item, rows, tables))
        if not keys:
            return rows
        seen = pl.DataFrame(sorted(keys), schema={k: VERDICT_SCHEMA[k] for k in KEY}, orient="row")
        marked = rows.join(seen.with_columns(seen=True), on=KEY, how="left", maintain_order="left")
        is_seen = pl.col("seen").is_not_null() & pl.col("doubts").is_not_null()
        return marked.with_columns(doubts=pl.when(is_seen).then(pl.lit("D14")).otherwise("doubts")).drop(
            "seen"
        )

    def _missing(self, number: int, item: Correction, action: str) -> None:
        title = ALL_DATASETS[item.dataset].columns[item.column].title_zh
        texts = {"unit": item.code, "month": f"{item.month:%Y-%m}", "action": action, "column": title}
        self._refuse(number, item.row_number, item.column, item.expected, "C02", texts)

    def confirm(self, dataset: str, rows: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
        """What remains held once confirmed figures are let through; with one figure its whole row is."""
        mine = [(n, c) for n, c in self._items if c.is_confirmation and c.dataset == dataset]
        if not mine or dataset == "payments":
            return held
        places = held.join(rows.select(*KEY, "unit_code", "reported_code", "month"), on=KEY, how="left")
        cleared: list[tuple[int, int]] = []
        for number, item in mine:
            found = places.filter(
                ((pl.col("unit_code") == item.code) | (pl.col("reported_code") == item.code))
                & (pl.col("month") == item.month)
                & (pl.col("column") == item.column)
                & (pl.col("value") == figure(item.expected))
            )
            if found.height == 0:
                self._missing(number, item, "确认")
                continue
            self._counts[number][1] += 1
            cleared.extend(found.select(KEY).rows())
        gone = pl.DataFrame(cleared, schema={k: VERDICT_SCHEMA[k] for k in KEY}, orient="row")
        return without(held, gone)

    def _correct(
        self, dataset: str, rows: pl.DataFrame, held: pl.DataFrame, tables: pl.DataFrame
    ) -> pl.DataFrame:
        """Rows with a new version for each that is corrected, made of the one that counts."""
        mine = [(n, c) for n, c in self._items if not c.is_confirmation and c.dataset == dataset]
        if not mine:
            return rows
        codes = [c.code for _, c in mine]
        near = rows.filter(pl.col("unit_code").is_in(codes) | pl.col("reported_code").is_in(codes))
        near = near.join(held.select(KEY).unique().with_columns(held=pl.lit(value=True)), on=KEY, how="left")
        near = near.join(tables.select("table_no", "precedence"), on="table_no", how="left").sort(
            "precedence"
        )
        known = near.to_dicts()
        made: dict[tuple[int, int, int], dict[str, Any]] = {}
        for number, item in mine:
            at = [
                r
                for r in known
                if r["month"] == item.month and item.code in (r["unit_code"], r["reported_code"])
            ]
            # Each source and each fund has a figure that counts; the correction speaks of the one it names.
            base = next((r for lane in _by_lane(at) if (r := _corrected(lane, item)) is not None), None)
            if base is None and not at:
                self._missing(number, item, "更正")
                continue
            if base is None:
                now = ([r for r in at if not r["held"]] or at)[-1][item.column]
                title = ALL_DATASETS[dataset].columns[item.column].title_zh
                texts = {
                    "expected": "空白" if item.expected is None else str(item.expected),
                    "column": title,
                    "value": "空白" if now is None else str(now),
                }
                self._refuse(number, item.row_number, item.column, now, "C01", texts)
                continue
            key = (number, base["unit_month"], base["lane"])
            if key in made:
                self._counts[number][1] += 1
                self._counts[number][0] -= 1
            doubts = ";".join(d for d in dict.fromkeys([*(base["doubts"] or "").split(";"), "D12"]) if d)
            made[key] = base | {
                "table_no": number,
                "row_number": item.row_number,
                item.column: item.value,
                **_precision_of_correction(item),
                "doubts": doubts,
                "held": None,
            }
            self._counts[number][0] += 1
            known = [r for r in known if (r["table_no"], r["unit_month"], r["lane"]) != key] + [made[key]]
        if not made:
            return rows
        new = pl.DataFrame([{c: r[c] for c in rows.columns} for r in made.values()], schema=rows.schema)
        return pl.concat([rows, new])


def _rows_at(item: Reviewed, rows: pl.DataFrame, tables: pl.DataFrame) -> list[tuple[int, int]]:
    """The rows of a dataset that stand where a reviewer says."""
    numbers = tables.filter(
        (pl.col("submission_id") == item.submission_id)
        & (pl.col("dataset") == item.dataset)
        & pl.col("sheet").eq_missing(pl.lit(item.sheet, pl.String))
    )["table_no"]
    found = rows.filter(pl.col("table_no").is_in(numbers.implode()) & (pl.col("row_number") == item.at))
    if item.month is not None and "month" in found.columns:
        found = found.filter(pl.col("month") == item.month)
    return list(found.select(KEY).iter_rows())


def _by_lane(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows of one unit and month by source and fund, those of the working funds and of the township itself first."""
    lanes: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        lanes.setdefault(row["lane"], []).append(row)
    return sorted(
        lanes.values(),
        key=lambda r: (r[0].get("fund_code", WORKING_FUNDS) != WORKING_FUNDS, r[0]["source"] != TOWNSHIP),
    )


def _corrected(at: list[dict[str, Any]], item: Correction) -> dict[str, Any] | None:
    """The row of one source and fund that a correction speaks of; None where none has the figure it names."""
    counting = [r for r in at if not r["held"]][-1:]
    # A held figure counts for nothing yet, but it can be put right; one sent before the figure that counts
    # is past, and a correction of it has lost its ground.
    since = at[at.index(counting[0]) + 1 :] if counting else at
    return next((r for r in (*counting, *reversed(since)) if same(r[item.column], item.expected)), None)


def _precision_of_correction(item: Correction) -> dict[str, Decimal | None]:
    """An analyst corrects to the 分 and to the person."""
    column = ALL_DATASETS[item.dataset].columns[item.column]
    if not column.has_precision:
        return {}
    unit = Decimal("0.01") if column.kind == "money" else Decimal(1)
    return {column.precision_name: None if item.value is None else unit}
