"""Tables that web systems export as .xls: HTML in any encoding, MHTML, the XML of Excel 2003."""

from __future__ import annotations

from collections.abc import Sequence
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any
from xml.sax.saxutils import escape

import pytest

from oversight.intake.reading.files import read
from tests.intake.world import World, population_rows

ROWS = population_rows("2025-06", {"360313101": 20_000, "360313102": 30_000})
WANTED = {("360313101", "2025-06"): [20_000], ("360313102", "2025-06"): [30_000]}


def table(rows: Sequence[Sequence[Any]], *, closed: bool = True) -> str:
    """An HTML table, its cells and rows closed or, as many systems write them, not."""
    ends = ("</td>", "</tr>") if closed else ("", "")
    lines = ("".join(f"<td>{escape(str(c))}{ends[0]}" for c in row) for row in rows)
    return "<table border=1>" + "".join(f"<tr>{line}{ends[1]}" for line in lines) + "</table>"


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("gb2312", "gb18030"),
        ("utf-8", "utf-8"),
        # Declared as one thing and written as another.
        ("gb2312", "utf-8"),
        ("utf-8", "gb18030"),
        (None, "gb18030"),
        (None, "utf-8-sig"),
        (None, "utf-16"),
        ("什么都不是", "gb18030"),
    ],
)
def test_a_web_page_is_read_in_its_encoding(world: World, declared: str | None, encoding: str) -> None:
    head = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">' if declared else ""
    page = f"<html><head>{head}</head><body>{table(ROWS, closed=False)}</body></html>"
    world.put("导出.xls", page.encode(encoding))
    world.take_in()
    assert world.population() == WANTED, world.submission("导出.xls")["message_zh"]


def test_a_title_between_tables_spans_entities_and_line_breaks(world: World) -> None:
    page = """<!DOCTYPE html><html><head><title>不算</title><style>td { color: red }</style>
        <script>document.write("<table><tr><td>不算</td></tr></table>")</script></head><body>
        <h2>湘东区2025年6月户籍人口统计表</h2><p>单位：人</p>
        <TABLE><TR><TH rowspan=2>区划<br>代码<TH rowspan="2">乡镇&nbsp;名称</TH><TH colspan=2>户籍情况</TR>
        <TR><TH>户籍户数</TH><TH>户籍人口</TH></TR>
        <tr><td>="360313101"</td><td>湘东镇</td><td>7&#48;00</td><td x:num="20000">20,000</td></tr>
        <tr style="display: none"><td>360313102</td><td>荷尧镇</td><td></td><td>30,000</td></tr></TABLE>
        </body></html>"""
    world.put("导出.xls", page.encode())
    world.take_in()
    assert world.population() == WANTED, world.submission("导出.xls")["message_zh"]
    assert world.read("population")["households_count"].to_list() == [7_000, None]
    assert "隐藏" in world.submission("导出.xls")["message_zh"]


def test_a_table_in_a_table_of_the_layout(world: World) -> None:
    page = f"<html><table><tr><td>民政局</td></tr><tr><td>{table(ROWS)}</td></tr></table></html>"
    world.put("导出.xls", page.encode())
    world.take_in()
    assert world.population() == WANTED


@pytest.mark.parametrize(
    "content", ["<html><body>没有表格</body></html>", "<html></html>", "<table></table>"]
)
def test_a_page_without_a_table_is_said_to_be_one(content: str) -> None:
    error = read(content.encode(), "x.xls").error
    assert error is not None
    assert error.code in ("F01", "F02")


def test_spans_beyond_reason_are_cut() -> None:
    page = "<table>" + "<tr><td rowspan=60000 colspan=9000>合计</td></tr>" * 50 + "</table>"
    reading = read(page.encode(), "x.xls")
    assert reading.error is not None or not reading.tables


# --- MHTML -----------------------------------------------------------------------------------------------


def test_several_sheets_in_one_mhtml(world: World) -> None:
    names = "".join(
        f"<x:ExcelWorksheet><x:Name>{name}</x:Name>{state}</x:ExcelWorksheet>"
        for name, state in (("六月", ""), ("上月", "<x:Visible>SheetHidden</x:Visible>"))
    )
    frame = f"<html><head><!--[if gte mso 9]><xml><x:ExcelWorkbook>{names}</x:ExcelWorkbook></xml><![endif]--></head>"
    whole = MIMEMultipart("related")
    whole.attach(MIMEText(frame + "<frameset></frameset></html>", "html", "utf-8"))
    may = population_rows("2025-05", {"360313101": 19_000})
    for rows, encoding in ((ROWS, "gb2312"), (may, "utf-8")):
        text = table([[str(c).replace("荷尧镇", "") for c in row] for row in rows])
        whole.attach(MIMEText(f"<html>{text}</html>", "html", encoding))
    world.put("导出.xls", whole.as_bytes())
    world.take_in()
    assert world.population() == WANTED, world.submission("导出.xls")["message_zh"]
    assert set(world.read("population")["sheet"]) == {"六月"}
    assert "“上月”" in world.submission("导出.xls")["message_zh"]


# --- the XML of Excel 2003 -------------------------------------------------------------------------------

_HEAD = """<?xml version="1.0" encoding="{}"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:x="urn:schemas-microsoft-com:office:excel"><Styles><Style ss:ID="s2"><NumberFormat ss:Format="0.00"/></Style>
</Styles>"""


def cell(value: Any, **more: str) -> str:
    kind = "Number" if isinstance(value, (int, float)) else "String"
    told = "".join(f' ss:{name}="{given}"' for name, given in more.items())
    return f'<Cell{told}><Data ss:Type="{kind}">{escape(str(value))}</Data></Cell>'


@pytest.mark.parametrize("encoding", ["utf-8", "gb2312", "utf-16"])
def test_the_xml_of_2003(world: World, encoding: str) -> None:
    """Indices that jump, merged cells, a formula without a result, comments, hidden sheets and rows."""
    body = f"""<Worksheet ss:Name="数据"><Table><Column ss:Index="2" ss:Hidden="1"/>
        <Row>{cell("湘东区2025年6月户籍人口", MergeAcross="3")}</Row>
        <Row ss:Index="3">{cell("区划代码")}{cell("乡镇名称")}{cell("户籍人口", Index="4")}</Row>
        <Row>{cell("360313101")}{cell("湘东镇")}{cell(20_000, Index="4", StyleID="s2")}</Row>
        <Row ss:Hidden="1">{cell(360313102)}<Cell><Data ss:Type="String">荷尧镇</Data><Comment ss:Author="某">
        <ss:Data>批注</ss:Data></Comment></Cell>{cell("30000", Index="4")}</Row>
        <Row>{cell("360313103")}{cell("老关镇")}<Cell ss:Index="4" ss:Formula="=R[-1]C*0"/></Row>
        </Table><x:WorksheetOptions/></Worksheet>
        <Worksheet ss:Name="上月"><Table><Row>{cell("不算")}</Row></Table>
        <x:WorksheetOptions><x:Visible>SheetVeryHidden</x:Visible></x:WorksheetOptions></Worksheet></Workbook>"""
    text = _HEAD.format(encoding) + body
    world.put("导出.xls", text.encode("gb18030" if encoding == "gb2312" else encoding))
    world.take_in()
    assert world.population() == WANTED, world.submission("导出.xls")["message_zh"]
    (wrong,) = world.rejected("导出.xls")
    assert (wrong["error_code"], wrong["row_number"], wrong["sheet"]) == ("R22", 6, "数据")
    assert "第 5 行" in world.submission("导出.xls")["message_zh"]
    assert world.balanced()


@pytest.mark.parametrize("told", ['ss:Index="0"', 'ss:Index="99999999"', 'ss:Index="-3"', 'ss:Index="x"'])
def test_an_index_that_cannot_be_is_damage(told: str) -> None:
    body = f'<Worksheet ss:Name="a"><Table><Row {told}>{cell("x")}</Row></Table></Worksheet></Workbook>'
    error = read((_HEAD.format("utf-8") + body).encode(), "x.xls").error
    assert error is not None
    assert error.code == "F04"


def test_other_xml_is_named_and_a_document_type_refused() -> None:
    assert read(b'<?xml version="1.0"?><rss/>', "x.xls").error.code == "F01"  # type: ignore[union-attr]
    bomb = _HEAD.format("utf-8").replace("<Workbook", '<!DOCTYPE x [<!ENTITY a "b">]><Workbook')
    assert read((bomb + "</Workbook>").encode(), "x.xls").error.code == "F16"  # type: ignore[union-attr]
