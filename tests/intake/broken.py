"""One broken file for each code of the catalogue, with the place where it is wrong."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import xlsxwriter

from tests.intake.formats import xlsb_bytes
from tests.intake.test_hostile import archive, xml_bomb
from tests.intake.world import POPULATION_HEADER as P
from tests.intake.world import TOWNSHIPS, csv_bytes, population_rows, xlsx_bytes

B = ("统计月份", "区划代码", "乡镇名称", "年初预算(元)", "本月拨付(元)", "累计拨付(元)", "累计支出(元)")
S = (
    "统计月份",
    "区划代码",
    "乡镇名称",
    "行政编制数(名)",
    "事业编制数(名)",
    "在编在岗专职人数(人)",
    "村(社区)数(个)",
    "已配备协理员村(社区)数(个)",
)
I = ("统计月份", "区划代码", "名称", "指标代码", "指标名称", "指标值")  # noqa: E741
XIANGDONG = ("2025-06", "360313101", "湘东镇")
MONTHS = ("2025-01", "2025-02", "2025-03", "2025-04")


@dataclass(frozen=True)
class Broken:
    """A file, where `oversight check` must point, and what lies in raw/ beside it."""

    name: str
    make: Callable[[], bytes]
    sheet: str | None = None
    cell: str | None = None
    others: frozenset[str] = frozenset()
    beside: dict[str, bytes] = field(default_factory=dict)


def sheet(cell: str, *rows: Any, **more: Any) -> Broken:
    """A workbook with one sheet, Sheet1, wrong in `cell`."""
    return Broken("报表.xlsx", lambda: xlsx_bytes(list(rows)), "Sheet1", cell, **more)


def text(cell: str | None, *rows: Any, name: str = "报表.csv", **more: Any) -> Broken:
    """A CSV wrong in `cell`."""
    return Broken(name, lambda: csv_bytes(list(rows)), None, cell, **more)


def _zip_bomb() -> bytes:
    return archive({"xl/workbook.xml": b"<workbook/>", "xl/worksheets/sheet1.xml": bytes(420 * 2**20)}, 1)


def _formula(value: Any) -> bytes:
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(memory)
    page = book.add_worksheet("人口")
    for r, row in enumerate([P, (*XIANGDONG, 20_000), ("2025-06", "360313102", "荷尧镇", 0)]):
        page.write_row(r, 0, row)
    page.write_formula("D3", "=D2/0", None, value)
    book.close()
    return memory.getvalue()


def _hidden(
    rows: list[Any], *, row: int | None = None, column: int | None = None, sheet: list[Any] | None = None
) -> bytes:
    """A workbook of which a row, a column or a sheet that comes second is hidden."""
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(memory)
    for name, content in (("本月", rows), ("上月", sheet or [])):
        if content:
            page = book.add_worksheet(name)
            for at, line in enumerate(content):
                page.write_row(at, 0, line)
    if row is not None:
        book.worksheets()[0].set_row(row, None, None, {"hidden": True})
    if column is not None:
        book.worksheets()[0].set_column(column, column, None, None, {"hidden": True})
    if sheet:
        book.worksheets()[1].hide()
    book.close()
    return memory.getvalue()


HISTORY = {f"{m}.csv": csv_bytes(population_rows(m, {"360313101": 20_000})) for m in MONTHS}
MAY = csv_bytes([P, ("2025-05", "360313101", "湘东镇", 20_000)])

BROKEN: dict[str, Broken] = {
    "F01": Broken("照片.xlsx", lambda: b"\xff\xd8\xff\xe0JFIF"),
    "F02": Broken("空.xlsx", lambda: b""),
    "F03": Broken(
        "加密.xlsx", lambda: b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le")
    ),
    "F04": Broken("半截.xlsx", lambda: xlsx_bytes(population_rows("2025-06", dict(TOWNSHIPS)))[:-300]),
    "F05": text(None, ("甲", "乙", "丙"), ("1", "2", "3")),
    "F06": sheet("A1", ("统计月份", "区划代码", "乡镇名称", "出生人口"), (*XIANGDONG, 1)),
    "F07": Broken("混用.csv", lambda: csv_bytes([P, (*XIANGDONG, 5)]) + b"\xff\xff\x80,1\n"),
    "F08": sheet("A2", P),
    "F09": sheet("A1", (*P, "户籍总人口"), (*XIANGDONG, 20_000, 21_000)),
    "F10": sheet(
        "A1", ("统计月份", "区划代码", "乡镇名称", "年初预算(美元)", "本月拨付(元)"), (*XIANGDONG, 9, 1)
    ),
    "F12": Broken("炸弹.xlsx", _zip_bomb),
    "F13": sheet("B2", P, ("2025-06", "360313999", "某镇", 20_000), others=frozenset({"R08"})),
    "F14": Broken("天涯海角.xlsb", lambda: xlsb_bytes([P], far=True)),
    "F15": Broken("穿越.zip", lambda: archive({"../../人口.csv": csv_bytes([P])})),
    "F16": Broken("实体.xlsx", xml_bomb),
    "F40": sheet(
        "A3",
        ("湘东区2025年6月户籍人口报表　填报单位：湘东区民政局",),
        P,
        ("我单位无此项内容，本表无数据",),
        beside={"人口.csv": csv_bytes([P, (*XIANGDONG, 20_000)])},
    ),
    "F18": sheet("A1", P[1:], (*XIANGDONG[1:], 20_000)),
    "R01": sheet("A2", P, ("2025-13", *XIANGDONG[1:], 20_000), ("2025-06", "360313102", "荷尧镇", 30_000)),
    "R02": sheet("A2", P, ("", *XIANGDONG[1:], 20_000), ("2025-06", "360313102", "荷尧镇", 30_000)),
    "R03": sheet(
        "B2", P, ("2025-06", "36031310", "湘东镇", 20_000), ("2025-06", "360313102", "荷尧镇", 30_000)
    ),
    "R04": sheet("D2", P, (*XIANGDONG, "约三千"), ("2025-06", "360313102", "荷尧镇", 30_000)),
    "R06": sheet("D2", P, (*XIANGDONG, -12), ("2025-06", "360313102", "荷尧镇", 30_000)),
    "R07": sheet("E2", (*P, "户籍户数"), XIANGDONG, ("2025-06", "360313102", "荷尧镇", 30_000, 9_000)),
    "R40": sheet(
        "E2", (*P, "户籍户数"), (*XIANGDONG, "—", "/"), ("2025-06", "360313102", "荷尧镇", 30_000, 9_000)
    ),
    "R08": sheet(
        "B2", P, ("2025-06", "360313999", "某镇", 20_000), ("2025-06", "360313102", "荷尧镇", 30_000)
    ),
    "R09": sheet("B2", P, ("2025-06", "360313202", "青山乡", 20_000), (*XIANGDONG, 30_000)),
    "R10": sheet("B2", P, ("2025-01", "360313110", "上源镇", 20_000), (*XIANGDONG, 30_000)),
    "R11": sheet(
        "B2", P, ("2025-06", "360313101", "荷尧镇", 20_000), ("2025-06", "360313103", "老关镇", 30_000)
    ),
    "R12": sheet("B2", P, ("2025-06", "", "城关镇", 20_000), ("2025-06", "360313102", "荷尧镇", 30_000)),
    "R13": sheet("B2", (*P, "户籍户数"), ("2025-06", "", "", 20_000, 9), (*XIANGDONG, 30_000, 9_000)),
    "R14": sheet(
        "B2", P, (*XIANGDONG, 20_000), (*XIANGDONG, 21_000), ("2025-06", "360313102", "荷尧镇", 30_000)
    ),
    "R15": sheet("B2", P, ("2025-06", "360313", "湘东区", 20_000), (*XIANGDONG, 30_000)),
    "R16": sheet("D2", P, (*XIANGDONG, 12.5), ("2025-06", "360313102", "荷尧镇", 30_000)),
    "R17": sheet(
        "E2",
        ("区划代码", "名称", "类型", "上级代码", "启用日期"),
        ("360313120", "新镇", "镇", "360313", "2025-02-30"),
        ("360313121", "新乡", "乡", "360313", "2025-02-28"),
    ),
    "R18": sheet(
        "F2",
        (*B[:5], "是否单独列支"),
        (*XIANGDONG, 67_200, 5_600, "部分"),
        ("2025-06", "360313102", "荷尧镇", 50_400, 4_200, "是"),
    ),
    "R19": sheet("D2", P, (*XIANGDONG, "99999999999999999999"), ("2025-06", "360313102", "荷尧镇", 30_000)),
    "R20": Broken(
        "报表.csv",
        lambda: csv_bytes([P, (*XIANGDONG, 20_000)]) + "2025-06,360313102,荷尧镇,30,000\n".encode(),
        None,
        "A3",
    ),
    "R21": sheet("D2", I, (*XIANGDONG, "", "面积", 5), ("2025-06", "360313101", "湘东镇", "I-01", "面积", 5)),
    "R22": Broken("报表.xlsx", lambda: _formula("#DIV/0!"), "人口", "D3"),
    "R23": Broken(
        "报表.xlsx",
        lambda: xlsx_bytes(
            [
                P,
                (*XIANGDONG, ""),
                ("2025-06", "360313102", "荷尧镇", ""),
                ("2025-06", "360313103", "老关镇", 9_000),
            ],
            [(1, 3, 2, 3, "50000")],
        ),
        "Sheet1",
        "D2",
    ),
    "R24": sheet("A2", P, (2025.1, *XIANGDONG[1:], 20_000), ("2025-06", "360313102", "荷尧镇", 30_000)),
    "H01": sheet("D2", P, (*XIANGDONG, 2), beside=HISTORY),
    "H02": sheet("D2", P, *(("2025-06", c, n, 2 if c.endswith("101") else 20_000) for c, n in TOWNSHIPS)),
    "H03": sheet("D2", P, (*XIANGDONG, 3_000_000)),
    "H04": sheet(
        "E2", B[:5], (*XIANGDONG, 67_200, 33_600_000), ("2025-06", "360313102", "荷尧镇", 50_400, 4_200)
    ),
    "H10": sheet(
        "E2",
        (*P[:3], "户籍户数", "户籍人口"),
        (*XIANGDONG, 3_411, 0),
        ("2025-06", "360313102", "荷尧镇", 9_000, 30_000),
    ),
    "H11": sheet(
        "E2",
        (*B[:4], "调整后预算(元)", "本月拨付(元)"),
        (*XIANGDONG, 67_200, 0, 5_600),
        ("2025-06", "360313102", "荷尧镇", 50_400, "", 4_200),
    ),
    "H12": sheet(
        "F3",
        B[:6],
        ("2025-01", *XIANGDONG[1:], 67_200, 5_600, 5_600),
        ("2025-02", *XIANGDONG[1:], 67_200, "", 0),
    ),
    "F60": sheet(
        "D1",
        ("统计月份", "区划代码", "乡镇名称", "预算金额"),
        (*XIANGDONG, 67_200),
        others=frozenset({"F60"}),
    ),
    "H60": sheet(
        "C3",
        ("2025年5月户籍人口",),
        ("区划代码", "乡镇", "户籍人口", "统计月份"),
        (*XIANGDONG[1:], 20_000, "2025-06"),
    ),
    "H61": sheet(
        "D3",
        ("2025年第二季度民政工作经费",),
        ("区划代码", "乡镇", "年初预算", "本月拨付"),
        (*XIANGDONG[1:], 67_200, 16_800),
    ),
    "D61": sheet("F1", (*B[:5], "本月累计拨付"), (*XIANGDONG, 67_200, 5_600, 33_600)),
    "D62": sheet("D1", (*B[:3], "年初预算+追加-调减", B[4]), (*XIANGDONG, 67_200, 5_600)),
    "D64": sheet("A1", ("统计月份", "区划代码", "乡镇名称", "户籍户数", "出生人口"), (*XIANGDONG, 9, 1)),
    "D65": sheet(
        "A2",
        (
            *P,
            "事业编制数(名)",
            "行政编制数(名)",
            "在编在岗专职人数(人)",
            "与上月一致",
            "上月数：行政编制数(名)",
        ),
        (*XIANGDONG, 20_000, 5, 2, 3, None, 2),
    ),
    "D63": sheet(
        "D2", (*P[:3], "户籍人口（万人）"), (*XIANGDONG, 4.8), ("2025-06", "360313102", "荷尧镇", 3.5)
    ),
    "D01": sheet("B2", P, ("2025-08", "360313201", "白竺乡", 20_000)),
    "D02": sheet("C2", P, ("2025-06", "360313101", "湘东新镇", 20_000)),
    "D03": sheet("B3", ("湘东区户籍人口",), P, ("2025-06", "", "湘东镇", 20_000)),
    "D04": sheet(
        "F3",
        B[:6],
        ("2025-01", *XIANGDONG[1:], 67_200, 100, 100),
        ("2025-02", *XIANGDONG[1:], 67_200, 20, 150),
    ),
    "D05": sheet(
        "D2",
        (*P, "出生人口", "死亡人口", "迁入人口", "迁出人口"),
        (*XIANGDONG, 20_050, 10, 0, 0, 0),
        beside={"五月.csv": MAY},
    ),
    "D06": sheet(
        "G2",
        (*B[:3], "年初预算(元)", "本月拨付(元)", "累计拨付(元)", "累计支出(元)"),
        (*XIANGDONG, 67_200, 100, 100, 120),
    ),
    "D07": sheet("F2", B[:6], (*XIANGDONG, 100, 20, 120)),
    "D08": sheet("H2", S, (*XIANGDONG, 1, 2, 3, 10, 12)),
    "D09": sheet("B2", P, ("2025-06", "3.60313E+11", "湘东镇", 20_000)),
    "D10": Broken("报表.xlsx", lambda: _formula(30_000)),
    "D11": sheet("D4", P, (*XIANGDONG, 50), ("2025-06", "360313102", "荷尧镇", 50), ("合计", "", "", 110)),
    "D30": sheet(
        "D2", B[:5], (*XIANGDONG, "67200.005", 5_600), ("2025-06", "360313102", "荷尧镇", 50_400, 4_200)
    ),
    "D31": sheet(
        "E2", B[:5], (*XIANGDONG, 67_200, -5_600), ("2025-06", "360313102", "荷尧镇", 50_400, 4_200)
    ),
    "D50": Broken("报表.xlsx", lambda: _hidden([("说明",)], sheet=[P, (*XIANGDONG, 20_000)]), "上月", "A1"),
    "D51": Broken(
        "报表.xlsx",
        lambda: _hidden([P, (*XIANGDONG, 20_000)], sheet=[P, ("2025-05", "360313101", "湘东镇", 19_990)]),
        "上月",
        "A1",
    ),
    "D52": Broken(
        "报表.xlsx",
        lambda: _hidden([P, (*XIANGDONG, 20_000), ("2025-06", "360313102", "荷尧镇", 30_000)], row=2),
        "本月",
        "A3",
    ),
    "D53": Broken(
        "报表.xlsx", lambda: _hidden([P, (*XIANGDONG, 19_000), (*XIANGDONG, 20_000)], row=1), "本月", "A2"
    ),
    "D54": Broken("报表.xlsx", lambda: _hidden([P, (*XIANGDONG, 20_000)], column=3), "本月", "A1"),
    "D40": sheet(
        "A2",
        B[:6],
        (*XIANGDONG, 67_200, 5_600, ""),
        ("2025-06", "360313102", "荷尧镇", 50_400, 4_200, 25_200),
        beside={"先报.csv": csv_bytes([B[:6], (*XIANGDONG, 67_200, 5_600, 33_600)])},
    ),
    "D41": sheet(
        "D2",
        (*B[:3], "资金项目", *B[3:5]),
        (*XIANGDONG, "幸福院工程款", 67_200, 5_600),
        ("2025-06", "360313102", "荷尧镇", "", 50_400, 4_200),
    ),
    "D42": Broken("报表.xlsx", lambda: xlsx_bytes([(*P, "上月余额"), (*XIANGDONG, 20_000, 8)]), "Sheet1"),
    "D43": sheet(
        "E2",
        (*B[:4], "调整后预算(元)", "本月拨付(元)"),
        (*XIANGDONG, 67_200, "无", 5_600),
        ("2025-06", "360313102", "荷尧镇", 50_400, "", 4_200),
    ),
    "D44": sheet(
        "D2",
        (*B[:5], "其中：上级补助(元)", "其中：本级安排(元)"),
        (*XIANGDONG, 67_200, 5_600, 40_000, 30_000),
        ("2025-06", "360313102", "荷尧镇", 50_400, 4_200, 40_000, 10_400),
    ),
    "D47": sheet(
        "A3",
        ("湘东区2025年6月国库支付明细",),
        ("支付日期", "收款单位", "金额(元)", "凭证号"),
        ("2025-07-02", "湘东镇", 5_600, "0001"),
        others=frozenset({"D03"}),
    ),
    "D13": Broken(
        "报表.xlsx",
        lambda: xlsx_bytes(
            [("湘东区2025年6月户籍人口报表",), ("模板第 0 版",), P[1:], (*XIANGDONG[1:], 20_000)]
        ),
        "Sheet1",
    ),
}
