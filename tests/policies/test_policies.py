"""Policy documents that a bureau lays in: read as words, clauses found in them, never by more than they may cost."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import typst
from docx import Document

from oversight.policies import laid_in as laying
from oversight.policies import reading
from oversight.policies.finding import Text, plain
from oversight.policies.laid_in import Named, Texts, laid_in
from oversight.policies.reading import Paragraph, Unreadable, paragraphs, read
from oversight.reports import fonts
from oversight.settings import DataFolder

# A document of our own, so that none of a real office's is kept here.
LINES = (
    "甲县人民政府关于乡镇民政工作的意见",
    "一、总体要求",
    "各乡镇要把民政工作摆上重要位置，按时足额报送。",
    "二、主要措施",
    "（一）配备人员。每个乡镇至少配备2名专职人员，不得兼任其他工作。",
    "（二）保障经费。1. 户籍人口2万人以下的，每人每月不低于0.28元；2万人以上的，每人每月不低于0.22元。",
    "2. 经费列入年度预算，年底前全额拨付到位。",
    "三、附则",
    "第一条 本意见自印发之日起施行。",
)
CLAUSES = ("", "一", "一", "二", "二（一）", "二（二）", "二（二）2", "三", "第一条")


def _docx() -> bytes:
    document, packed = Document(), io.BytesIO()
    for line in LINES:
        document.add_paragraph(line)
    document.save(packed)
    return packed.getvalue()


def _pdf() -> bytes:
    words = "\n\n".join(f'#"{line}"' for line in LINES)
    setting = '#set page(width: 9cm, height: 8cm, numbering: "— 1 —")\n#set text(font: "Noto Serif CJK SC")\n'
    made = typst.compile((setting + words).encode(), font_paths=[str(fonts.folder())])
    assert isinstance(made, bytes)
    return made


def _web() -> bytes:
    body = "".join(f"<p>{line}</p>" for line in LINES)
    return (
        f"<html><head><title>x</title><style>p {{}}</style></head><body><script>alert('不该有')</script>{body}</body></html>"
    ).encode("gb18030")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (".txt", "\n".join(LINES).encode()),
        (".txt", "\r\n".join(LINES).encode("gb18030")),
        (".txt", "\n".join(LINES).encode("utf-16")),
        (".html", _web()),
        (".docx", _docx()),
    ],
)
def test_each_kind_says_the_same_paragraphs_and_clauses(kind: str, content: bytes) -> None:
    found = paragraphs(content, kind)
    assert tuple(item.text for item in found) == LINES
    assert tuple(item.clause for item in found) == CLAUSES


def test_a_pdf_says_its_pages_and_a_clause_broken_over_lines_and_pages_is_found() -> None:
    found = paragraphs(_pdf(), ".pdf")
    assert max(item.page or 0 for item in found) > 1
    assert not any(item.text.strip("— ").isdigit() for item in found)
    for line in LINES:
        place = Text(found).find(line)
        assert place is not None, line
        assert place.is_whole, line
    place = Text(found).find("2万人以上的，每人每月不低于0.22元")
    assert place is not None
    assert found[place.paragraph].clause.startswith("二（二）")


@pytest.mark.parametrize(
    "quotation",
    [
        "每人每月不低于0.28元",
        "每人每月不低于０．２８ 元",
        "每人每月\n不低于 0.28元。",
        "户籍人口２万人以下的,每人每月不低于0.28元",
        "户籍人口2万人以下的……不低于0.22元",
        "1、户籍人口2万人以下的",
        "不得兼任其他工作。（二）保障经费",
    ],
)
def test_a_quotation_is_found_whatever_its_spaces_and_marks(quotation: str) -> None:
    text = Text([Paragraph(line) for line in LINES])
    place = text.find(quotation)
    assert place is not None
    assert place.is_whole
    marked = "".join(LINES[span.paragraph][span.start : span.end] for span in place.spans)
    assert all(plain(part) in plain(marked) for part in quotation.split("……"))


def test_other_words_and_other_numbers_are_not_taken_for_the_quotation() -> None:
    text = Text([Paragraph(line) for line in LINES])
    assert text.find("每人每月不低于028元") is None
    assert text.find("每人每月不低于0.23元") is None
    found = text.find("户籍人口2万人以下的，每人每月不低于0.50元")
    assert found is not None
    assert not found.is_whole
    assert text.find("") is None


def test_readings_written_behind_characters_are_no_words() -> None:
    text = Text([Paragraph("各鄉(xiāng)鎮(zhèn)要配備(bèi)人員（GDP）")])
    place = text.find("鄉鎮要配備人員")
    assert place is not None
    assert place.is_whole
    assert text.find("人員GDP") is not None


def test_words_are_found_in_any_paragraph_and_marked() -> None:
    text = Text([Paragraph(line) for line in LINES])
    assert text.with_words(["专职", "乡镇"]) == [4]
    assert text.with_words(["不是这些字"]) == []
    assert text.with_words(["，"]) == []
    spans = text.words_in(5, ["每人每月", "0.22"])
    assert [LINES[5][span.start : span.end] for span in spans] == ["每人每月", "每人每月", "0.22"]


def _packed(document: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("word/document.xml", document)
    return made.getvalue()


_WORD = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def test_what_was_struck_out_of_a_word_file_is_not_said_and_its_pages_are() -> None:
    content = _packed(
        b"<w:document "
        + _WORD
        + b"><w:body><w:p><w:r><w:t>a</w:t></w:r><w:del><w:r><w:delText>b</w:delText></w:r></w:del></w:p>"
        b"<w:p><w:r><w:lastRenderedPageBreak/><w:t>c</w:t></w:r></w:p></w:body></w:document>"
    )
    assert [(item.text, item.page) for item in paragraphs(content, ".docx")] == [("a", 1), ("c", 2)]


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        (".doc", b"\xd0\xcf\x11\xe0", "另存为 docx"),
        ("", b"x", "没有扩展名"),
        (".txt", b" \n ", "没有文字"),
        (".txt", b"\xff\x80\x81\xfe\xff\xff", "编码"),
        (".docx", b"PK no zip", "不是完好的 docx"),
        (".docx", _packed(b"<w:document"), "不是完好的 docx"),
        (".docx", _packed(b'<!DOCTYPE d [<!ENTITY a "aaaa">]><d>&a;</d>'), "不该有的声明"),
        (".pdf", b"%PDF-1.7 nothing", "不是完好的 PDF"),
    ],
)
def test_what_cannot_be_read_says_so_and_what_to_do(kind: str, content: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        paragraphs(content, kind)


def test_nothing_is_read_beyond_its_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_UNPACKED_BYTES", 10_000)
    with pytest.raises(Unreadable, match="展开后过大"):
        paragraphs(_packed(b" " * 20_000), ".docx")
    monkeypatch.setattr(reading, "MOST_CHARACTERS", 1_000)
    with pytest.raises(Unreadable, match="万字"):
        paragraphs("字".encode() * 2_000, ".txt")
    large = tmp_path / "A.txt"
    with large.open("wb") as file:
        file.truncate(reading.MOST_BYTES + 1)
    with pytest.raises(Unreadable, match="50 MB"):
        Texts(DataFolder.at(tmp_path)).of(large)


DOCUMENTS = (
    Named("A", "关于乡镇民政工作的意见", "甲政发〔2020〕3号"),
    Named("A1", "补充规定"),
    Named("X", "另一份文件的标题"),
)


def test_a_file_belongs_to_the_document_it_names(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    for name in (
        "A1.txt",
        "甲政发[2020]3号（正式版）.txt",
        "另一份文件的标题.html",
        "x-旧.txt",
        "Axx.txt",
        ".X.txt",
        "~$X.docx",
    ):
        (folder.policy / "下级").mkdir(parents=True, exist_ok=True)
        (folder.policy / "下级" / name).write_text("有字", "utf-8")
    (tmp_path / "secret.txt").write_text("不该看到", "utf-8")
    (folder.policy / "X.txt").symlink_to(tmp_path / "secret.txt")
    found = laid_in(folder, DOCUMENTS)
    assert {key: path.name for key, path in found.files.items()} == {
        "A1": "A1.txt",
        "A": "甲政发[2020]3号（正式版）.txt",
        "X": "x-旧.txt",
    }
    assert [path.name for path in found.unknown] == ["Axx.txt"]
    assert [path.name for path in found.besides] == ["另一份文件的标题.html"]
    assert laid_in(DataFolder.at(tmp_path / "none"), DOCUMENTS).files == {}


def test_a_file_is_read_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = DataFolder.at(tmp_path)
    folder.policy.mkdir()
    path = folder.policy / "A.txt"
    path.write_text("\n".join(LINES), "utf-8")
    asked: list[Path] = []

    def counted(path: Path) -> list[Paragraph]:
        asked.append(path)
        return read(path)

    monkeypatch.setattr(laying, "read", counted)
    texts = Texts(folder)
    assert [item.text for item in texts.of(path).paragraphs] == list(LINES)
    texts.of(path)
    # Another server, or the same one started again, finds what was kept.
    assert Texts(folder).of(path).paragraphs == texts.of(path).paragraphs
    assert len(asked) == 1
    path.write_text("改了", "utf-8")
    assert [item.text for item in texts.of(path).paragraphs] == ["改了"]
    path.unlink()
    with pytest.raises(Unreadable, match="不在"):
        texts.of(path)
