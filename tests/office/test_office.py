"""LibreOffice opens the Word and Excel files as they are: `make test-office` (not part of every test run)."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pypdf
import pytest

from benchmarks.report_edition import write
from oversight.editions import open_edition
from oversight.reports import Version, charts, write_docx
from oversight.reports.document import Paragraph, TableRef
from oversight.settings import DataFolder
from tests.reports import reading
from tests.reports.conftest import issue_all
from tests.reports.every import report_on

OFFICE = shutil.which("soffice")
pytestmark = pytest.mark.skipif(
    OFFICE is None or not os.environ.get("OVERSIGHT_TEST_OFFICE"), reason="run by make test-office"
)


_SPACED = 'style:text-autospace="ideograph-alpha"'


@pytest.fixture(scope="module", params=[[3], [1] * 200], ids=["county of 3", "province of 200"])
def version(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Version:
    folder = DataFolder(tmp_path_factory.mktemp("office"))
    write(folder, request.param)
    return issue_all(folder, date(2025, 12, 1))[0].version


def convert(paths: Sequence[Path], form: str, place: Path) -> list[Path]:
    """What LibreOffice makes of files; one it would have to repair is refused without a screen."""
    profile = f"-env:UserInstallation=file://{place / 'profile'}"
    done = subprocess.run(
        [
            str(OFFICE),
            profile,
            "--headless",
            "--convert-to",
            form,
            "--outdir",
            str(place / "out"),
            *map(str, paths),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert "rror" not in done.stderr, done.stderr
    return sorted((place / "out").iterdir())


def converted(path: Path, form: str, place: Path) -> bytes:
    """One file."""
    (made,) = convert([path], form, place)
    return made.read_bytes()


def test_word_opens_and_says_the_same(version: Version, tmp_path: Path) -> None:
    content = converted(version.file("docx"), "pdf", tmp_path)
    shown = reading.numbers(reading.pdf_text(content))
    # Charts are pictures in both; a table's header holds no number.
    assert shown == reading.numbers(reading.docx_text(version.verified("docx")))
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    sizes = Counter((round(float(page.mediabox.width)), round(float(page.mediabox.height))) for page in pages)
    assert set(sizes) <= {(595, 842), (842, 595)}
    assert all(page.extract_text().strip() for page in pages)


def test_no_heading_stands_alone_at_the_foot_of_a_page(version: Version, tmp_path: Path) -> None:
    headings = {
        paragraph.text
        for paragraph in reading.docx_document(version.verified("docx")).paragraphs
        if paragraph.style.name.startswith("Heading")
    }
    squeezed = {reading.squeezed(text) for text in headings}
    for content in (converted(version.file("docx"), "pdf", tmp_path), version.verified("pdf")):
        for page in reading.pdf_pages(content):
            lines = [reading.squeezed(line) for line in page.splitlines() if line.strip()]
            assert not lines or lines[-1] not in squeezed


@pytest.mark.parametrize("month", [date(2024, 1, 1), date(2025, 6, 1), date(2025, 12, 1)], ids=str)
def test_word_has_its_first_page_and_ends_its_text_where_the_pdf_does(
    sample_folder: DataFolder, tmp_path: Path, month: date
) -> None:
    """The text ends on the third page at the latest, and the first holds the points and the demands."""
    bare, places = {}, []
    with open_edition(sample_folder) as connection:
        scopes = connection.execute(
            "select distinct unnest([county_code, city_code, province_code]) from townships order by 1"
        ).fetchall()
        for (scope,) in scopes:
            report = report_on(sample_folder, connection, scope, month)
            bare[scope] = replace(
                report, annexes=tuple(replace(annex, blocks=()) for annex in report.annexes)
            )
    for scope, report in bare.items():
        pictures = charts.draw((ref.chart for ref in report.charts), "png")
        places.append(tmp_path / f"{scope}.docx")
        places[-1].write_bytes(write_docx.write(report, pictures))
    # The file asks for no space between Chinese and figures, as the PDF has none; LibreOffice 7 does not read that.
    for path in convert(places, "fodt", tmp_path):
        path.write_text(
            path.read_text("utf-8").replace(_SPACED, _SPACED.replace("ideograph-alpha", "none")), "utf-8"
        )
    convert(sorted((tmp_path / "out").glob("*.fodt")), "pdf", tmp_path)
    for scope, report in bare.items():
        pages = [
            reading.squeezed(page)
            for page in reading.pdf_pages((tmp_path / "out" / f"{scope}.pdf").read_bytes())
        ]
        # Each annex has a page of its own, and the imprint stands on the last.
        assert next((place for place, page in enumerate(pages) if page.startswith("附件1")), 4) <= 3, scope
        for block in report.opening:
            if isinstance(block, Paragraph) and block.text[:1].isdigit():
                assert reading.squeezed(block.text) in pages[0], scope
            elif isinstance(block, TableRef) and block.table.key == "named":
                cells = [cell for row in block.table.rows for cell in row if isinstance(cell, str)]
                assert not [cell for cell in cells if reading.squeezed(cell)[:12] not in pages[0]], scope


def test_excel_opens_and_computes_the_stored_totals(version: Version, tmp_path: Path) -> None:
    """Without the stored values LibreOffice has to compute every formula; what it gets is what was stored."""
    bare = tmp_path / "bare.xlsx"
    with zipfile.ZipFile(version.file("xlsx")) as source, zipfile.ZipFile(bare, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                content = re.sub(rb"(<f>[^<]*</f>)<v>[^<]*</v>", rb"\1", content)
            target.writestr(name, content)
    content = converted(bare, "xlsx", tmp_path)
    computed = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    stored = reading.xlsx(version.verified("xlsx"))
    formulas = reading.xlsx(version.verified("xlsx"), values=False)
    assert computed.sheetnames == stored.sheetnames
    checked = 0
    for name in stored.sheetnames:
        for row in formulas[name].iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    was, now = stored[name][cell.coordinate].value, computed[name][cell.coordinate].value
                    assert round(was, 2) == round(now, 2), (name, cell.coordinate)
                    checked += 1
    assert checked > 10
