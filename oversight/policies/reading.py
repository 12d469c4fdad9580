"""What a policy document says, paragraph by paragraph, read in a process of its own with bounds.

    python -m oversight.policies.reading FILE

Word (docx), PDF with text, web pages and plain text. Nothing of a file is run or fetched: pages are taken apart into
their words, and what is no text (pictures, scripts, styles) is left out.
"""

from __future__ import annotations

import io
import json
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from html.parser import HTMLParser
from pathlib import Path
from xml.parsers import expat

from oversight.errors import OversightError
from oversight.settings import PROJECT_ROOT

KINDS = (".docx", ".pdf", ".html", ".htm", ".txt")
MOST_BYTES = 50 * 2**20
# A law of a thousand pages has some 1.2 million characters.
MOST_CHARACTERS = 2_000_000
MOST_PAGES = 2_000
SECONDS = 60
_MEMORY_BYTES = 2**30
_UNPACKED_BYTES = 256 * 2**20
# What the child ends with when it can say why: its last line does.
_REFUSED = 3


class Unreadable(OversightError):
    """A document from which no text can be taken; the message says why and what to do."""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph: the page it begins on (None: the file does not say) and the clause it stands in, as 二（三）1."""

    text: str
    page: int | None = None
    clause: str = ""


def read(path: Path) -> list[Paragraph]:
    """The paragraphs of a document; raises `Unreadable`."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "oversight.policies.reading", str(path)],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            timeout=2 * SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unreadable("读取用时过长。请另存为 docx 或文本后再放入。") from error
    if done.returncode == _REFUSED:
        raise Unreadable(done.stdout.strip())
    if done.returncode:
        raise Unreadable("读取时出错，可能已损坏。请另存为 docx 或文本后再放入。")
    return [Paragraph(**item) for item in json.loads(done.stdout)]


def main(name: str) -> int:
    """Print the paragraphs as JSON, or why there are none."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    path = Path(name)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        found = paragraphs(content, path.suffix.lower())
    except Unreadable as error:
        print(error)
        return _REFUSED
    json.dump([asdict(item) for item in found], sys.stdout, ensure_ascii=False)
    return 0


def paragraphs(content: bytes, kind: str) -> list[Paragraph]:
    """What a document of a kind says; raises `Unreadable`."""
    if kind not in KINDS:
        raise Unreadable(f"不能读取{kind or '没有扩展名'}的文件。请另存为 docx、PDF、网页或文本后再放入。")
    if len(content) > MOST_BYTES:
        raise Unreadable(f"超过 {MOST_BYTES // 2**20} MB。请只放正文，或另存为 docx 后再放入。")
    makers = {".docx": _docx, ".pdf": _pdf, ".txt": _plain}
    found: list[tuple[str, int | None]] = []
    characters = 0
    for text, page in makers.get(kind, _web)(content):
        kept = " ".join(text.split())
        if not kept:
            continue
        characters += len(kept)
        if characters > MOST_CHARACTERS:
            raise Unreadable(f"超过 {MOST_CHARACTERS // 10_000} 万字。请只放正文后再放入。")
        found.append((kept, page))
    if not found:
        what = "这份 PDF 里没有文字，大概是扫描件" if kind == ".pdf" else "里面没有文字"
        raise Unreadable(f"{what}。请放入带文字的版本（docx、可复制文字的 PDF、网页或文本）。")
    return list(_with_clauses(found))


# The words that begin a clause, by the depth they stand at in official documents; of 第三条 the words themselves are its
# name, below it come （一） and 1.
_NUMBER = "[一二三四五六七八九十百零〇]+"
_HEADS = (
    (0, re.compile(rf"(第{_NUMBER}条)")),
    (0, re.compile(rf"({_NUMBER})、")),
    (1, re.compile(rf"(（{_NUMBER}）)")),
    (2, re.compile(r"(\d{1,2})\s?[.．、](?!\d)")),
    (3, re.compile(r"(（\d{1,2}）)")),
)


def _with_clauses(found: Iterable[tuple[str, int | None]]) -> Iterator[Paragraph]:
    path: list[str] = []
    for text, page in found:
        begun = text.replace("(", "（").replace(")", "）")
        for depth, head in _HEADS:
            match = head.match(begun)
            if match is not None:
                path = [*path[:depth], match[1]]
                break
        yield Paragraph(text, page, "".join(path))


def _decoded(content: bytes, encodings: Iterable[str]) -> str:
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    raise Unreadable("文字编码认不出（既不是 UTF-8 也不是 GB18030）。请另存为 UTF-8 后再放入。")


def _plain(content: bytes) -> Iterator[tuple[str, int | None]]:
    encodings = ["utf-16"] if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "gb18030"]
    for line in _decoded(content, encodings).splitlines():
        yield line, None


class _Words(HTMLParser):
    """Takes a web page apart into paragraphs of words."""

    _BLOCKS = frozenset(
        {
            *("p", "div", "br", "hr", "pre", "blockquote", "form", "body", "title"),
            *("li", "ul", "ol", "dl", "dt", "dd", "tr", "td", "th", "table"),
            *("section", "article", "header", "footer", "main", "h1", "h2", "h3", "h4", "h5", "h6"),
        }
    )
    _UNSEEN = frozenset({"script", "style", "noscript", "template", "head", "svg"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = [""]
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A block begins a paragraph."""
        del attrs
        if tag in self._UNSEEN:
            self._unseen += 1
        elif tag in self._BLOCKS:
            self._unseen = 0 if tag == "body" else self._unseen
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        """And ends one."""
        if tag in self._UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in self._BLOCKS:
            self.found.append("")

    def handle_data(self, data: str) -> None:
        """Words."""
        if not self._unseen:
            self.found[-1] += data


def _web(content: bytes) -> Iterator[tuple[str, int | None]]:
    named = re.search(rb"charset=[\"']?([\w-]+)", content[:4096], re.I)
    own = (
        ["gb18030" if named[1].lower() in (b"gb2312", b"gbk") else named[1].decode("ascii")] if named else []
    )
    reader = _Words()
    reader.feed(_decoded(content, [*own, "utf-8-sig", "gb18030"]))
    reader.close()
    for text in reader.found:
        yield text, None


_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main "


def _docx(content: bytes) -> Iterator[tuple[str, int | None]]:
    """Paragraphs in the order of the body, those of tables among them; a page is what Word drew last."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            item = packed.getinfo("word/document.xml")
            with packed.open(item) as file:
                body = file.read(_UNPACKED_BYTES + 1)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError) as error:
        raise Unreadable("不是完好的 docx 文件（可能加了密码）。请重新另存后再放入。") from error
    if len(body) > _UNPACKED_BYTES:
        raise Unreadable("展开后过大。请只放正文后再放入。")
    done: list[tuple[str, int | None]] = []
    # Of each paragraph that is open (a text box lies in one): its pieces and the page it began on.
    open_ones: list[tuple[list[str], int]] = []
    page, has_pages, is_text, left_out = 1, False, False, 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal page, has_pages, is_text, left_out
        tag = name.removeprefix(_WORD)
        if tag == "p":
            open_ones.append(([], page))
        elif tag == "t":
            is_text = True
        elif tag in ("tab", "cr") or (tag == "br" and attributes.get(f"{_WORD}type") != "page"):
            _add(" ")
        elif tag == "lastRenderedPageBreak":
            page, has_pages = page + 1, True
            if open_ones and not "".join(open_ones[-1][0]).strip():
                open_ones[-1] = (open_ones[-1][0], page)
        elif tag in ("del", "moveFrom"):
            left_out += 1

    def end(name: str) -> None:
        nonlocal is_text, left_out
        tag = name.removeprefix(_WORD)
        if tag == "t":
            is_text = False
        elif tag == "p" and open_ones:
            pieces, began = open_ones.pop()
            done.append(("".join(pieces), began))
        elif tag in ("del", "moveFrom"):
            left_out -= 1

    def _add(text: str) -> None:
        if open_ones and not left_out:
            open_ones[-1][0].append(text)

    def refuse(*_: object) -> None:
        raise Unreadable("docx 里有不该有的声明，不予读取。请重新另存后再放入。")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: _add(text) if is_text else None
    # What declares entities may grow without end.
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise Unreadable("不是完好的 docx 文件。请重新另存后再放入。") from error
    for text, began in done:
        yield text, began if has_pages else None


# A line that is only the number of its page.
_PAGE_NUMBER = re.compile(r"[\s—–\-·.]*(第\s*)?\d{1,4}(\s*页)?(\s*[/／共]\s*\d{1,4}\s*页?)?[\s—–\-·.]*")
_ENDS = tuple("。！？；：”")


def _pdf(content: bytes) -> Iterator[tuple[str, int | None]]:
    """Lines joined to paragraphs as official documents set them: one ends with its mark or where a head begins."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("这份 PDF 加了密码。请去掉密码后再放入。")
        if len(reader.pages) > MOST_PAGES:
            raise Unreadable(f"超过 {MOST_PAGES} 页。请只放正文后再放入。")
        lines = [
            (line.strip(), number)
            for number, page in enumerate(reader.pages, 1)
            for line in page.extract_text().splitlines()
            if line.strip() and not _PAGE_NUMBER.fullmatch(line)
        ]
    except Unreadable:
        raise
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        NotImplementedError,
    ) as error:
        raise Unreadable("不是完好的 PDF 文件。请另存为 docx 后再放入。") from error
    widest = max((len(line) for line, _ in lines), default=0)
    text, began, last = "", None, 0
    for line, number in lines:
        is_new = text.endswith(_ENDS) or any(head.match(line) for _, head in _HEADS) or last < 0.7 * widest
        if text and is_new:
            yield text, began
            text = ""
        if not text:
            began = number
        # Chinese words are joined without a space.
        text += f" {line}" if text[-1:].isascii() and line[:1].isascii() and text else line
        last = len(line)
    if text:
        yield text, began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
