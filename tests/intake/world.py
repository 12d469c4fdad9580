"""A small made-up county to report on, and ways to put files about it into a data folder."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from oversight.intake import IntakeResult, take_in
from oversight.settings import TIME_ZONE, DataFolder

NOW = datetime(2026, 1, 5, 9, tzinfo=TIME_ZONE)
Rows = Sequence[Sequence[Any]]

DIVISIONS: Rows = (
    ("区划代码", "名称", "类型", "上级代码", "启用日期", "停用日期", "变更后代码"),
    ("360000", "江西省", "省", "", "", "", ""),
    ("360300", "萍乡市", "市", "360000", "", "", ""),
    ("360313", "湘东区", "区", "360300", "", "", ""),
    ("360313101", "湘东镇", "镇", "360313", "", "", ""),
    ("360313102", "荷尧镇", "镇", "360313", "", "", ""),
    ("360313103", "老关镇", "镇", "360313", "", "", ""),
    ("360313104", "腊市镇", "镇", "360313", "", "", ""),
    ("360313105", "下埠镇", "镇", "360313", "", "", ""),
    # Renamed on 1 July 2025, with a new code.
    ("360313201", "白竺乡", "乡", "360313", "", "2025-07-01", "360313109"),
    ("360313109", "白竺镇", "镇", "360313", "2025-07-01", "", ""),
    # Merged into a township that existed before.
    ("360313202", "青山乡", "乡", "360313", "", "2025-04-01", "360313101"),
    # Split in two.
    ("360313203", "大源乡", "乡", "360313", "", "2025-04-01", "360313110、360313111"),
    ("360313110", "上源镇", "镇", "360313", "2025-04-01", "", ""),
    ("360313111", "下源镇", "镇", "360313", "2025-04-01", "", ""),
    # Abolished without a successor.
    ("360313204", "小坑乡", "乡", "360313", "", "2025-04-01", ""),
    ("130324", "卢龙县", "县", "130300", "", "", ""),
    ("130324100", "卢龙镇", "镇", "130324", "", "", ""),
    ("130324101", "老关镇", "镇", "130324", "", "", ""),
)
POPULATION_HEADER = ("统计月份", "区划代码", "乡镇名称", "户籍人口(人)")
TOWNSHIPS = (
    ("360313101", "湘东镇"),
    ("360313102", "荷尧镇"),
    ("360313103", "老关镇"),
    ("360313104", "腊市镇"),
    ("360313105", "下埠镇"),
)


def csv_bytes(rows: Rows, encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """Rows as a CSV file."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([["" if c is None else c for c in row] for row in rows])
    return text.getvalue().encode(encoding)


def xlsx_bytes(
    sheets: Mapping[str, Rows] | Rows, merges: Iterable[tuple[int, int, int, int, str]] = ()
) -> bytes:
    """Rows (of one sheet, or by sheet name) as a workbook; `merges` are ranges with their value."""
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(memory, {"in_memory": True})
    named = sheets if isinstance(sheets, Mapping) else {"Sheet1": sheets}
    for name, rows in named.items():
        sheet = book.add_worksheet(name)
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if value is not None and value != "":
                    sheet.write(r, c, value)
        for merge in merges:
            sheet.merge_range(*merge)
    book.close()
    return memory.getvalue()


class World:
    """A data folder under a temporary path."""

    def __init__(self, root: Path, *, divisions: bool = True) -> None:
        self.folder = DataFolder.at(root)
        self.folder.raw.mkdir(parents=True)
        if divisions:
            self.put("行政区划.csv", csv_bytes(DIVISIONS))

    @classmethod
    def over(cls, root: Path) -> World:
        """A data folder that is there."""
        world = object.__new__(cls)
        world.folder = DataFolder.at(root)
        return world

    def put(self, name: str, content: bytes) -> None:
        path = self.folder.raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def take_in(self, now: datetime = NOW) -> IntakeResult:
        return take_in(self.folder, now=now)

    def read(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder.inputs / f"{name}.parquet")

    def submission(self, name: str) -> dict[str, Any]:
        return self.read("submissions").filter(pl.col("file_name") == name).row(-1, named=True)

    def rejected(self, name: str) -> list[dict[str, Any]]:
        identifier = self.submission(name)["submission_id"]
        return self.read("rejected_rows").filter(pl.col("submission_id") == identifier).to_dicts()

    def population(self) -> dict[tuple[str, str], list[int | None]]:
        """(township, month) → every accepted figure, the one that counts last."""
        rows = self.read("population").filter(pl.col("row_status") == "accepted").sort("precedence")
        found: dict[tuple[str, str], list[int | None]] = {}
        for row in rows.iter_rows(named=True):
            found.setdefault((row["township_code"], f"{row['month']:%Y-%m}"), []).append(
                row["population_persons"]
            )
        return found

    def balanced(self) -> bool:
        """Rows read = accepted + held + rejected + ignored, for every file, and as the rows themselves say."""
        submissions = self.read("submissions")
        sums = submissions.select(
            (
                pl.col("rows_read")
                == pl.col("rows_accepted")
                + pl.col("rows_held")
                + pl.col("rows_rejected")
                + pl.col("rows_ignored")
            ).all()
        ).item()
        rejected = self.read("rejected_rows")
        for row in submissions.filter(pl.col("rows_read") > 0).iter_rows(named=True):
            mine = rejected.filter(pl.col("submission_id") == row["submission_id"])
            for disposition in ("rejected", "held"):
                places = (
                    mine.filter(pl.col("disposition") == disposition).select("sheet", "row_number").unique()
                )
                if places.height != row[f"rows_{disposition}"]:
                    return False
        return bool(sums)


def population_rows(
    month: str, figures: Mapping[str, Any], header: Sequence[str] = POPULATION_HEADER
) -> list[Sequence[Any]]:
    """A plain population table of the county's townships."""
    names = dict(TOWNSHIPS)
    return [header, *((month, code, names.get(code, ""), figure) for code, figure in figures.items())]
