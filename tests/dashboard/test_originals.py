"""The source document of a clause, as a bureau laid it in: opened at the place, searched, and never run."""

from __future__ import annotations

import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote

import duckdb
import pytest

from oversight.dashboard import originals
from oversight.editions import find_edition
from oversight.settings import DataFolder
from tests.conftest import run_oversight
from tests.dashboard.browsing import Served, Visit, needs_chromium, serving, visiting

LINES = (
    "甲县试编的一份文件",
    "二、主要任务",
    "（三）经费。{quotation}。",
    "<script>document.title = '坏了'</script><img src=x onerror=alert(1)>",
    "其余的话：量子花朵开在河边。",
)


@pytest.fixture(scope="module")
def laid(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The sample with a made-up text laid in for its document A, which quotes one clause of it."""
    folder = DataFolder.at(tmp_path_factory.mktemp("originals"))
    shutil.copytree(sample_folder.marts, folder.marts, symlinks=True)
    folder.policy.mkdir()
    with duckdb.connect(str(find_edition(folder).warehouse), read_only=True) as sql:
        row = sql.execute("select quotation from standards where standard_id = 'A-10'").fetchone()
    assert row is not None
    text = "\n".join(LINES).format(quotation=" ".join(row[0]))
    (folder.policy / "A 试编.txt").write_text(text, "utf-8")
    (folder.policy / "C.doc").write_bytes(b"\xd0\xcf\x11\xe0")
    (folder.policy / "不知是什么.txt").write_text("x", "utf-8")
    with serving(folder) as running:
        yield running


def _get(served: Served, path: str) -> tuple[int, str, dict[str, str]]:
    try:
        with urllib.request.urlopen(served.base + path) as answer:
            return int(answer.status), answer.read().decode("utf-8", "replace"), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), dict(error.headers)


def test_a_document_is_opened_at_the_clause_with_its_words_marked(laid: Served) -> None:
    status, body, _ = _get(laid, "/document/A?rule=A-10")
    assert status == 200
    meant = re.search(r'<p id="place".*?</p>', body, re.S)
    assert meant is not None
    assert "（三）经费。<mark>" in meant[0]
    assert "二（三），第 3 段" in body
    # Of the other clauses, which the made-up text lacks, it says so.
    assert "没有找到引文" in body
    _, other, _ = _get(laid, "/document/A?rule=A-01")
    assert "没有找到这段引文" in other
    assert 'id="place"' not in other


def test_nothing_of_a_document_runs_and_the_file_can_only_be_taken_away(laid: Served) -> None:
    _, body, headers = _get(laid, "/document/A?at=4&q=%E5%9D%8F%E4%BA%86#place")
    assert "<script>document" not in body
    assert "<img src=x" not in body
    assert "<script>document.title = '坏了'</script>" in unescape(re.sub(r"</?mark>", "", body))
    assert "script-src" in headers["Content-Security-Policy"]
    status, whole, headers = _get(laid, "/document/A/whole")
    assert status == 200
    assert whole.startswith(LINES[0])
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "name",
    [
        "../accounts.sqlite",
        "..%2Fraw",
        "A.txt",
        "A/../A",
        "不知是什么",
        "B",
        "%00",
        "/etc/passwd",
        "C/../../settings.toml",
    ],
)
def test_only_documents_of_the_standards_are_opened(laid: Served, name: str) -> None:
    for path in (f"/document/{quote(name, safe='%')}", f"/document/{quote(name, safe='%')}/whole"):
        status, body, _ = _get(laid, path)
        # What is no single name belongs to no route but the frame of the pages.
        assert status in (400, 404) or "_dash-config" in body, path
        assert "甲县" not in body


def test_what_cannot_be_read_says_so(laid: Served) -> None:
    status, body, _ = _get(laid, "/document/C?rule=C-11")
    assert status == 200
    assert "另存为 docx" in body


def test_the_command_tells_what_is_laid_in_and_what_is_missing(laid: Served) -> None:
    done = run_oversight("policy", "--data", str(laid.folder.root))
    assert done.returncode == 1
    assert "A 试编.txt：5 段" in done.stdout
    assert "✗ A-01：没有找到引文" in done.stdout
    assert "✗ A-10：" not in done.stdout
    assert "C.doc：不能读取.doc的文件" in done.stdout
    assert "未放入" in done.stdout
    assert "✗ 不知是什么.txt：认不出" in done.stdout


def test_pieces_cut_a_paragraph_at_its_marks() -> None:
    spans = [originals.Span(0, 1, 3), originals.Span(0, 3, 4)]
    assert originals.pieces("甲乙丙丁戊", spans) == [
        ("甲", False),
        ("乙丙", True),
        ("丁", True),
        ("戊", False),
    ]
    assert originals.pieces("甲", []) == [("甲", False)]
    assert originals.pieces("", []) == []


@needs_chromium
def test_pages_lead_to_the_place_and_say_where_a_document_is_missing(laid: Served, chromium: object) -> None:
    with visiting(chromium, laid.base) as visit:
        _leads(visit, "/policy?rule=A-10", "打开原文，翻到这一处")
        assert "A 试编.txt，二（三），第 3 段" in visit.page.inner_text("#content")
        visit.go("/policy?rule=C-11")
        assert "C.doc：不能读取" in visit.page.inner_text("#content")
        visit.go("/policy?rule=D-08")
        told = visit.page.inner_text("[data-name='rule']")
        assert "这份文件的原文未放入" in told
        assert "文件名以 D 开头" in told
        _leads(visit, f"/search?q={quote('量子 河边')}", "第 5 段")
        assert visit.page.locator("#place mark").all_inner_texts() == ["量子", "河边"]


def _leads(visit: Visit, address: str, words: str) -> None:
    """A link of a page, which opens another window, brings its place into sight."""
    visit.go(address)
    link = visit.page.locator("#content a", has_text=words).first
    assert link.get_attribute("target") == "_blank"
    text = visit.page.inner_text("#content")
    assert words in text
    with visit.page.context.expect_page() as opened:
        link.click()
    page = opened.value
    page.wait_for_load_state()
    assert page.locator("#place").is_visible()
    assert "《" in page.inner_text("h1")
    box = page.locator("#place").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < page.viewport_size["height"]
    visit.page = page if "search" in address else visit.page
