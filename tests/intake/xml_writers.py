"""Workbooks whose XML is put together by hand, in the manners of Excel, WPS, LibreOffice and several libraries.

What differs between them is how the same cells are written: blank cells with borders, shared or inline strings, either
quote, prefixes for namespaces, references left out, white space, entities, formulas with and without a result.
"""

from __future__ import annotations

import io
import random
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import openpyxl

from oversight.intake.reading.values import NO_RESULT, cell_text
from oversight.intake.reading.workbooks import xlsx_grids

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
# Styles 0 to 5: general, bordered, 0.00, a day, a time, a text.
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts><font/></fonts><fills><fill><patternFill patternType="none"/></fill></fills>'
    "<borders><border/><border><left/></border></borders>"
    "<cellStyleXfs><xf/></cellStyleXfs><cellXfs>"
    + "".join(f'<xf numFmtId="{n}" fontId="0" fillId="0" borderId="1"/>' for n in (0, 0, 2, 164, 21, 49))
    + "</cellXfs></styleSheet>"
)


@dataclass
class Made:
    """A workbook: its sheets with the XML inside them, and the strings that they share."""

    sheets: Sequence[tuple[str, str]]
    strings: Sequence[str] = field(default_factory=list)
    # Before each element of a sheet or of the strings: the prefix for their namespace.
    prefix: str = ""
    settings: str = ""

    def parts(self) -> dict[str, bytes]:
        """The parts of the archive."""
        p = self.prefix
        space = f'xmlns:{p[:-1]}="{MAIN}"' if p else f'xmlns="{MAIN}"'
        head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        numbered = list(enumerate(self.sheets, start=1))
        rels = [("worksheet", f"rId{n}", f"worksheets/sheet{n}.xml") for n, _ in numbered]
        rels += [("styles", "rId98", "styles.xml"), ("sharedStrings", "rId99", "/xl/sharedStrings.xml")]
        texts = {
            "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
            '<Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            + "".join(
                f'<Override PartName="/xl/{part}" ContentType="application/vnd.openxmlformats-officedocument.'
                f'spreadsheetml.{kind}+xml"/>'
                for part, kind in (
                    ("workbook.xml", "sheet.main"),
                    ("styles.xml", "styles"),
                    ("sharedStrings.xml", "sharedStrings"),
                    *((f"worksheets/sheet{n}.xml", "worksheet") for n, _ in numbered),
                )
            )
            + "</Types>",
            "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
            f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
            + "".join(f'<sheet name="{escape(s)}" sheetId="{n}" r:id="rId{n}"/>' for n, (s, _) in numbered)
            + f"</sheets>{self.settings}</workbook>",
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
            + "".join(f'<Relationship Id="{i}" Type="{OFFICE}/{k}" Target="{t}"/>' for k, i, t in rels)
            + "</Relationships>",
            "xl/styles.xml": STYLES,
            "xl/sharedStrings.xml": f"<{p}sst {space}>{''.join(self.strings)}</{p}sst>",
        }
        for n, (_, body) in numbered:
            texts[f"xl/worksheets/sheet{n}.xml"] = f"<{p}worksheet {space}>{body}</{p}worksheet>"
        return {name: (head + text).encode() for name, text in texts.items()}

    def packed(self) -> bytes:
        """The archive."""
        return self.pack(self.parts())

    @staticmethod
    def pack(parts: Mapping[str, bytes]) -> bytes:
        """An archive of these parts."""
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        return memory.getvalue()


_TEXTS = (
    "湘东镇", "360313101", "2025年6月", " 前后有空格 ", "a<b & c>d", "\"引号\"与'单引号'", "合计", "12,345", "无", "—",
    "换\n行", "<c r=\"A1\" s=\"1\"/>", "#REF!不是错误", "=不是公式", "𠮷野", "6.72万元", "]]>", "0",
)  # fmt: skip
_ERRORS = ("#REF!", "#DIV/0!", "#N/A", "#VALUE!", "#NAME?")


class _Hand:
    """One manner of writing, kept to throughout a workbook."""

    def __init__(self, r: random.Random) -> None:
        self.r = r
        self.p = r.choice(("", "", "", "x:", "main:"))
        self.quote = r.choice(('"', '"', "'"))
        self.equals = r.choice(("=", "=", " = ", "\n= "))
        self.gap = r.choice(("", "", "\n  ", " "))
        self.references = r.random() < 0.85
        self.strings: list[str] = []

    def tag(self, name: str, inside: str | None = None, **attributes: str) -> str:
        told = "".join(
            f" {key}{self.equals}{self.quote}{self.attribute(value)}{self.quote}"
            for key, value in attributes.items()
        )
        if inside is None:
            return f"<{self.p}{name}{told}{self.r.choice(('/>', ' />', f'></{self.p}{name}>'))}"
        return f"<{self.p}{name}{told}>{inside}</{self.p}{name}>"

    def attribute(self, text: str) -> str:
        return escape(text, {'"': "&quot;", "'": "&apos;"})

    def text(self, text: str) -> str:
        match self.r.randrange(4):
            case 0:
                return "".join(f"&#{ord(c)};" if c > "~" or c in "<>&" else c for c in text)
            case 1 if "]]>" not in text:
                return f"<![CDATA[{text}]]>"
            case _:
                return escape(text)

    def string(self, text: str) -> str:
        """What stands inside <si> or <is>."""
        keep = {"xml:space": "preserve"} if text != text.strip() or self.r.random() < 0.2 else {}
        if len(text) > 1 and self.r.random() < 0.25:
            at = self.r.randrange(1, len(text))
            runs = (self.tag("r", self.tag("rPr", self.tag("b")) + self.tag("t", self.text(t), **{"xml:space": "preserve"}))
                    for t in (text[:at], text[at:]))  # fmt: skip
            return "".join(runs) + self.tag("rPh", self.tag("t", "ふりがな"), sb="0", eb="1")
        return self.tag("t", self.text(text), **keep)

    def shared(self, text: str) -> str:
        self.strings.append(self.tag("si", self.string(text)))
        return str(len(self.strings) - 1)


def _cell(h: _Hand, reference: str) -> str:
    r = h.r
    told = {"r": reference} if h.references else {}
    style = {"s": str(r.choice((0, 1, 1, 2)))} if r.random() < 0.7 else {}
    number = r.choice(
        (str(r.randrange(10**9)), f"{r.random() * 10**6:.2f}", repr(r.random()), "1.5E3", "-7", "0")
    )
    formula = h.tag("f", h.text(r.choice(("SUM(A1:B2)", "D2/E2", 'IF(A1<5,"x","y")', "#REF!+1"))))
    match r.randrange(13):
        case 0 | 1 | 2:
            # Blank, with a border.
            return h.tag("c", None, **told, **style)
        case 3:
            return h.tag("c", h.tag("v", number), **told, **style)
        case 4:
            return h.tag("c", h.gap + h.tag("v", number) + h.gap, **told, **style, t="n")
        case 5 | 6:
            return h.tag("c", h.tag("v", h.shared(r.choice(_TEXTS))), **told, **style, t="s")
        case 7:
            return h.tag("c", h.tag("is", h.string(r.choice(_TEXTS))), **told, **style, t="inlineStr")
        case 8:
            return h.tag("c", formula + h.tag("v", h.text(r.choice(_TEXTS))), **told, **style, t="str")
        case 9:
            return h.tag("c", formula + h.tag("v", r.choice(_ERRORS)), **told, **style, t="e")
        case 10:
            return h.tag("c", formula + (h.tag("v", number) if r.random() < 0.6 else r.choice(("", h.tag("v")))),
                         **told, **style)  # fmt: skip
        case 11:
            day, style_of = r.choice(
                ((str(r.randrange(40_000, 50_000)), "3"), ("45809.5", "3"), ("0.25", "4"))
            )
            return h.tag("c", h.tag("v", day), **told, s=style_of)
        case _:
            return h.tag("c", h.tag("v", r.choice("01")), **told, **style, t="b")


def make(r: random.Random) -> Made:
    """A workbook with one to three sheets of cells of every kind, in one manner of writing."""
    h = _Hand(r)
    sheets = []
    for number in range(r.choice((1, 1, 2, 3))):
        rows = []
        at = 0
        for _ in range(r.randrange(1, 12)):
            at += 1 if not h.references else r.choice((1, 1, 1, 2, 5))
            width = r.randrange(0, 9)
            columns = sorted(r.sample("ABCDEFGHIJ", width)) if h.references else "ABCDEFGHI"[:width]
            cells = h.gap.join(_cell(h, f"{c}{at}") for c in columns)
            told = {"r": str(at)} if h.references else {}
            told |= r.choice(({}, {"spans": "1:9"}, {"ht": "15", "customHeight": "1"}, {"hidden": "1"}))
            rows.append(h.tag("row", h.gap + cells + h.gap, **told))
            if r.random() < 0.1:
                rows.append(r.choice(("<!-- <row r='99'/> -->", "\n", "<?mso x?>")))
        body = h.tag("sheetViews", h.tag("sheetView", None, workbookViewId="0")) if r.random() < 0.5 else ""
        if r.random() < 0.4:
            body += h.tag("cols", h.tag("col", None, min="2", max="3", width="9", hidden=r.choice("01")))
        body += h.gap + h.tag("sheetData", h.gap.join(rows)) + h.gap
        if r.random() < 0.4:
            body += h.tag("mergeCells", h.tag("mergeCell", None, ref="L1:M2"))
        sheets.append((f"表 {number + 1}", body))
    settings = r.choice(("", '<calcPr calcId="191029"/>'))
    return Made(sheets, h.strings, h.p, settings)


def compare(data: bytes) -> tuple[int, list[str]]:
    """How many cells hold something, and where our values and openpyxl's differ.

    A formula without a result is nothing to openpyxl and `NO_RESULT` to us.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        ours = xlsx_grids(archive)
    with warnings.catch_warnings(action="ignore"):
        stored = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    cells, different = 0, []
    if [grid.name for grid in ours] != stored.sheetnames:
        different.append(f"sheets {[grid.name for grid in ours]} are {stored.sheetnames}")
    for grid, page in zip(ours, stored.worksheets, strict=False):
        width = max(page.max_column, max(map(len, grid.rows), default=0))
        for r in range(max(len(grid.rows), page.max_row)):
            row = grid.rows[r] if r < len(grid.rows) else ()
            for c in range(width):
                mine = cell_text(row[c]) if c < len(row) else ""
                theirs = cell_text(page.cell(r + 1, c + 1).value)
                cells += bool(mine or theirs)
                if mine != theirs and not (mine == NO_RESULT and not theirs):
                    different.append(f"{grid.name} R{r + 1}C{c + 1}: {mine!r} is {theirs!r}")
    return cells, different
