"""The one-page brief: one A4 page whatever the division, its figures those of SQL, a clean and archivable PDF."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pypdf import PdfReader

from oversight import presentation as show
from oversight.editions import find_edition
from oversight.metrics import METRICS
from oversight.reports.brief import CARDS, brief
from oversight.settings import DataFolder
from tests.conftest import run_oversight

MONTH = date(2025, 12, 1)


def _text(page: bytes) -> str:
    return re.sub(r"\s", "", "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(page)).pages))


@pytest.mark.parametrize("code", ["360313", "130321", "640000"])
def test_a_brief_is_one_page_with_the_figures_of_sql(sample_folder: DataFolder, code: str) -> None:
    page = brief(sample_folder, MONTH, code, money="yuan")
    assert len(PdfReader(io.BytesIO(page)).pages) == 1
    text = _text(page)
    with duckdb.connect(str(find_edition(sample_folder).warehouse), read_only=True) as sql:
        cursor = sql.execute(
            "select * from detail.unit_monthly where unit_code = ? and month = ?", [code, MONTH]
        )
        names = [item[0] for item in cursor.description or ()]
        row = dict(zip(names, cursor.fetchall()[0], strict=True))
        gaps = sql.execute(
            "select township_name, allocation_shortfall_cny from funding_gap_monthly where month = ? "
            "and county_code = ? and allocation_shortfall_cny > 0",
            [MONTH, code],
        ).fetchall()
    for key in CARDS:
        assert METRICS[key].title + METRICS[key].text(row, "yuan") in text, key
    for name, gap in gaps:
        assert re.search(f"{name}[^镇乡道]*{re.escape(show.money(gap, 'yuan'))}", text), name


def test_the_pdf_is_tagged_archivable_and_clean(sample_folder: DataFolder) -> None:
    page = brief(sample_folder, MONTH, "360313")
    reader = PdfReader(io.BytesIO(page))
    assert b"/Suspects" not in page
    root: Any = reader.root_object
    assert root["/MarkInfo"]["/Marked"]
    told = root["/Metadata"].get_data().decode()
    assert re.search(r"pdfaid:part>2<", told)
    assert re.search(r"pdfaid:conformance>A<", told)


def test_the_command_writes_the_page_and_says_what_it_cannot(
    sample_folder: DataFolder, tmp_path: Path
) -> None:
    data = ("--data", str(sample_folder.root))
    path = f"{tmp_path}/b.pdf"
    made = run_oversight("brief", "360313", "--month", "2025-12", "-o", path, *data)
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip() == path
    none = run_oversight("brief", "999999", "--month", "2025-12", "-o", path, *data)
    assert none.returncode != 0
    assert "没有区划代码 999999" in none.stdout + none.stderr
