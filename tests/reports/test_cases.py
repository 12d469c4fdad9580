"""Cases that a template meets once in years: nothing found, one unit, no month before, names that bite."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import duckdb
import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from oversight.editions import open_edition
from oversight.reports import charts, config, fonts, layout, make_all, month_before
from oversight.reports.content import build, chinese
from oversight.reports.document import Chart, Heading, Paragraph, Report, Series, text_of
from oversight.reports.errors import NotReady, ReportError
from oversight.reports.facts import gather
from oversight.reports.make import render
from oversight.settings import DataFolder
from tests.reports import reading
from tests.reports.conftest import CALENDAR, FIRST, Standin

DECEMBER = date(2025, 12, 1)
FORMATS = ("docx", "pdf", "xlsx", "html")


def report_of(folder: DataFolder, scope: str, month: date = DECEMBER, rank_by: str = "auto") -> Report:
    connection = open_edition(folder)
    try:
        return build(gather(connection, month, scope, rank_by), config.load(folder, scope), FIRST, CALENDAR)
    finally:
        connection.close()


def said(report: Report) -> str:
    return "\n".join(block.text for block in report.blocks if isinstance(block, (Heading, Paragraph)))


def change(statement: str) -> Callable[[duckdb.DuckDBPyConnection], object]:
    return lambda connection: connection.execute(statement)


ALL_WELL = "update facts set staff = 3, assisted = villages, allocated = 900000, disbursed = 900000"


def test_no_finding_at_all(standin: Standin) -> None:
    folder = standin(3, adjust=change(ALL_WELL))
    text = said(report_of(folder, "990101"))
    assert "各单位安排均达到标准，没有缺口" in text
    assert "按已报送的数据，没有应当整改的问题" in text
    assert "本期没有达到点名通报标准的问题" in text
    assert "应报送的3个乡镇（街道）均已报送2025年12月人口、经费和人员数据" in text
    assert "已报送的单位中没有缺员" in text


def test_one_unit(standin: Standin) -> None:
    text = said(report_of(standin(1, adjust=change(ALL_WELL)), "990101"))
    assert "该单位安排已达标准" in text
    assert "本期可排名的只有" in text
    assert "应报送的1个乡镇（街道）已报送" in text


def test_all_alike_share_the_first_place(standin: Standin) -> None:
    folder = standin(
        3, adjust=change("update facts set population = 10000, allocated = 30000, disbursed = 30000")
    )
    report = report_of(folder, "990101")
    assert "可排名的3个单位均为" in said(report)
    ranking = next(ref.table for ref in report.tables if ref.table.key == "ranking")
    assert [row[0] for row in ranking.rows] == [1, 1, 1]


def test_ties_share_a_place_and_the_next_is_skipped(standin: Standin) -> None:
    folder = standin(
        5,
        adjust=change(
            "update facts set population = case when number = 3 then null else 10000 end, disbursed = 0,"
            " allocated = case number when 2 then 20000 when 3 then null when 4 then 40000 else 30000 end"
        ),
    )
    nobody = (
        "update main.funding_gap_monthly set guaranteed_annual_cny = 0, guaranteed_ytd_cny = 0, adequacy_pct = null,"
        " allocation_shortfall_cny = 0, allocation_surplus_cny = 40000, status = 'met' where allocated_annual_cny = 40000"
    )
    report = report_of(after(folder, nobody), "990101")
    ranking = next(ref.table for ref in report.tables if ref.table.key == "ranking")
    assert [row[0] for row in ranking.rows][:3] == [1, 1, 3]
    assert sorted(row[0] for row in ranking.rows[3:]) == ["—", "未报"]
    silent, nothing = (next(row[1] for row in ranking.rows if row[0] == place) for place in ("未报", "—"))
    assert f"{silent}没有可判定的数据，不参加排名。" in said(report)
    assert f"{nothing}按最近报送的数应保障为零，没有保障率，不参加排名。" in said(report), (
        "it was judged, and has no rate"
    )


NOTHING = (
    "update facts set population = null, allocated = null, disbursed = null, staff = null, villages = null"
)


def test_nothing_reported_is_refused_and_can_be_drafted(standin: Standin) -> None:
    folder = standin(3, adjust=change(NOTHING))
    with pytest.raises(NotReady, match="三项报齐的只有0个"):
        make_all(folder, DECEMBER)
    assert not list(folder.root.rglob("*.docx"))
    (made,) = make_all(folder, DECEMBER, provisional=True)
    assert made.version.is_draft
    for form, read in (("docx", reading.docx_text), ("pdf", reading.pdf_text)):
        text = reading.squeezed(read(made.version.file(form).read_bytes()))
        assert "草稿，仅供核对，不得外发" in text
        assert "本期没有单位能够判定经费保障情况" in text
    assert "草稿，仅供核对，不得外发" in made.version.file("html").read_text("utf-8")
    notes = reading.xlsx(made.version.file("xlsx").read_bytes())["说明"]
    assert "草稿" in notes["A2"].value


def test_first_month_has_nothing_to_compare(standin: Standin) -> None:
    text = said(report_of(standin(3), "990101", date(2024, 1, 1)))
    assert "没有上月数据可比" in text
    assert "新增" not in text


def test_first_month_of_a_year_is_not_compared_with_last_years_payments(standin: Standin) -> None:
    text = said(report_of(standin(3), "990101", date(2025, 1, 1)))
    assert "新预算年度首月" in text


def test_no_standard_applies(standin: Standin) -> None:
    folder = standin(3)
    connection = duckdb.connect(str(next(folder.marts.glob("editions/*/warehouse.duckdb"))))
    connection.execute(
        "update funding_gap_monthly set status = 'no_standard', standard_id = null, tier_label = null,"
        " guaranteed_annual_cny = null, guaranteed_ytd_cny = null, allocation_shortfall_cny = null,"
        " allocation_surplus_cny = null, disbursement_shortfall_ytd_cny = null, adequacy_pct = null"
    )
    connection.execute(
        "update detail.unit_monthly set judged_count = 0, short_count = 0, met_count = 0, complete_count = 0,"
        " no_standard_count = units_count, adequacy_of_judged_pct = null, guaranteed_of_judged_cny = null,"
        " allocated_of_judged_cny = null, allocation_shortfall_of_judged_cny = null"
    )
    for table in (
        "judgements",
        "findings",
        "staffing_gap_monthly",
        "quality.suite_flags",
        "rejected_rows",
        "detail.payment_pace",
    ):
        connection.execute(f"delete from {table}")
    connection.close()
    report = report_of(folder, "990101")
    text = said(report)
    assert "均无适用的经费保障标准" in text
    # It leads as well: a report that judges nothing says so on its first page.
    assert ".经费安排：没有适用的经费保障标准，本期不作结论。" in text
    assert "排名" not in text
    assert "本期没有需要整改的事项" in text
    assert set(render(report, config.load(folder), FORMATS)) == set(FORMATS)


def test_month_without_data_names_the_months_there_are(standin: Standin) -> None:
    folder = standin(3)
    with pytest.raises(NotReady, match="自2024年1月至2025年12月"):
        make_all(folder, date(2026, 1, 1))
    with pytest.raises(ReportError, match="没有区划代码 123456"):
        make_all(folder, DECEMBER, ["123456"])


def test_edition_made_before_the_month_was_over_is_refused(standin: Standin) -> None:
    from datetime import datetime

    from oversight.settings import TIME_ZONE

    folder = standin(3, built_at=datetime(2025, 12, 31, 23, 59, tzinfo=TIME_ZONE))
    with pytest.raises(NotReady, match="当时还没有结束"):
        make_all(folder, DECEMBER)


@pytest.mark.parametrize(
    "statement", ["update quality.suite_results set success = false", "drop table quality.suite_results"]
)
def test_failed_or_missing_audit_is_refused(standin: Standin, statement: str) -> None:
    folder = standin(3)
    connection = duckdb.connect(str(next(folder.marts.glob("editions/*/warehouse.duckdb"))))
    connection.execute(statement)
    connection.close()
    with pytest.raises(NotReady, match="核对"):
        make_all(folder, DECEMBER)


def test_the_month_before_across_years() -> None:
    assert month_before(date(2026, 1, 5)) == date(2025, 12, 1)
    assert month_before(date(2024, 3, 31)) == date(2024, 2, 1)


def test_demands_have_dates_in_the_year_that_follows(standin: Standin) -> None:
    text = said(report_of(standin(5), "990101"))
    # Ten and forty working days after 6 January; the spring festival lies between.
    assert "2026年1月20日前报送整改方案" in text
    assert "2026年3月9日前完成整改" in text


def after(folder: DataFolder, *statements: str) -> DataFolder:
    """The edition with its published tables changed."""
    connection = duckdb.connect(str(next(folder.marts.glob("editions/*/warehouse.duckdb"))))
    for statement in statements:
        connection.execute(statement)
    connection.close()
    return folder


def named_units(report: Report) -> set[tuple[str, str]]:
    """Who is named for what."""
    found = [ref.table for ref in report.tables if ref.table.key == "annex_named"]
    return {(str(row[0]), str(row[1])) for table in found for row in table.rows}


@pytest.mark.parametrize(
    ("statement", "called"),
    [
        ("update policy_documents set force = 'report'", "（参照）"),
        ("update policy_documents set force = 'plan'", ""),
        ("update standards set strength = 'plan'", "（计划目标）"),
        ("update standards set strength = 'aim'", "（争取）"),
        ("update standards set gradeable = 'soft'", "（只作提示）"),
    ],
)
def test_nobody_is_named_for_what_is_no_duty_in_force(standin: Standin, statement: str, called: str) -> None:
    folder = standin(10)
    assert named_units(report_of(folder, "990101"))
    report = report_of(after(folder, statement), "990101")
    text = said(report)
    assert "本期没有达到点名通报标准的问题" in text
    # Nor is anything demanded.
    demands = text.partition("工作要求")[2].partition("1.《")[0]
    assert "整改" not in demands.replace("没有需要整改的事项", "")
    assert f"乡镇专职民政在编在岗人员不少于2名{called}" in text
    listed = next(ref.table for ref in report.tables if ref.table.key == "annex_findings")
    assert any(str(row[3]).endswith(called) for row in listed.rows)


def test_a_principle_is_worded_as_one(standin: Standin) -> None:
    report = report_of(after(standin(10), "update standards set strength = 'principle'"), "990101")
    assert "民政所工作经费分档保障（原则上）" in said(report)
    told = {row[2] for ref in report.tables if ref.table.key == "annex_named" for row in ref.table.rows}
    assert any("原则上应保障51,514×0.18×12＝111,270.24元" in str(text) for text in told)


def test_a_gap_that_vanishes_in_rounding_is_listed_but_not_named(standin: Standin) -> None:
    small = "update facts set population = 20001, allocated = 52800 where number = 1"
    folder = standin(3, adjust=lambda connection: [connection.execute(each) for each in (ALL_WELL, small)])
    report = report_of(folder, "990101")
    assert "本期没有达到点名通报标准的问题" in said(report)
    listed = next(ref.table for ref in report.tables if ref.table.key == "annex_findings")
    (row,) = listed.rows
    assert [text_of(value, "quantity") for value in row[4:7]] == ["52,802.64", "52,800.00", "2.64"]
    cells = reading.xlsx(render(report, config.load(folder), ("xlsx",))["xlsx"])["问题清单"]
    assert cells["F4"].number_format == "#,##0.00##"


HOSTILE = (
    "=1+1镇",
    "+86镇",
    "-2+3镇",
    "@SUM(A1:A9)乡",
    "<b>&\"粗'镇",
    "$x$和$y$镇",
    "{{7*7}}镇",
    "# 题镇",
    "[表 overview]",
    '=HYPERLINK("http://example.invalid")乡',
    "#set text(red)镇",
    "</script><script>镇",
)


def test_names_that_bite_stay_text(standin: Standin) -> None:
    folder = standin(len(HOSTILE), names=lambda number: HOSTILE[number])
    report = report_of(folder, "990101")
    files = render(report, config.load(folder), FORMATS)

    formulas = reading.xlsx(files["xlsx"], values=False)
    cells = [cell for name in formulas.sheetnames for row in formulas[name].iter_rows() for cell in row]
    found = {cell.value for cell in cells if cell.data_type == "s"}
    assert set(HOSTILE) <= found
    assert all(
        str(cell.value).startswith(("=SUM(", "=SUMIFS(", "=ROUND("))
        for cell in cells
        if cell.data_type == "f"
    )
    assert not any(cell.hyperlink for cell in cells)

    named = {row[0] for table in reading.docx_tables(files["docx"]) for row in table}
    assert set(HOSTILE) <= named
    for paragraph in reading.docx_paragraphs(files["docx"]):
        assert "49镇" not in paragraph
    printed = reading.squeezed(reading.pdf_text(files["pdf"]))
    assert all(reading.squeezed(name) in printed for name in HOSTILE)
    root = reading.html_root(files["html"])
    assert set(HOSTILE) <= {"".join(cell.itertext()) for cell in root.xpath("//td")}
    assert len(root.xpath("//script")) == 2
    assert not root.xpath("//td/b")


def test_a_bureaus_own_wording_and_settings(standin: Standin) -> None:
    folder = standin(3)
    own = config.report_folder(folder)
    (own / "templates").mkdir(parents=True)
    (own / "report.toml").write_text(
        '[document]\nissuer = "示例县财政局"\nred_head = false\n'
        '[content]\nsections = ["since", "mine"]\nannexes = []\n'
        '[scope."990101".document]\nrecipients = "各有关单位"\n',
        "utf-8",
    )
    (own / "templates" / "mine.txt").write_text(
        "# 我局意见\n本月{{ totals.units | count }}个单位。\n[图 trend]\n", "utf-8"
    )
    report = report_of(folder, "990101")
    assert report.issuer == "示例县财政局"
    assert (report.red_head, report.recipients, report.annexes) == ("", "各有关单位", ())
    assert said(report).endswith("二、我局意见\n本月3个单位。")


@pytest.mark.parametrize(
    ("settings", "template", "told"),
    [
        ("[documnet]\nissuer = 'x'", None, "report.toml 第1行：.*没有“documnet”这一项，是不是“document”"),
        ("[document]\nissuer = '甲'\nissuser = 'x'", None, "report.toml 第3行：.*“document.issuser”"),
        ("[named]\nfirst_page = '十'", None, "named.first_page”应当是整数"),
        ("[named", None, "report.toml 第1行读不懂"),
        ("[content]\nsections = ['paymnt']", None, "report.toml 第2行：.*没有“paymnt”，是不是“payment”"),
        ("[content]\nannexes = ['fundng']", None, "report.toml 第2行：.*没有“fundng”，是不是“funding”"),
        ("[content]\nannexed_first = ['stafing']", None, "report.toml 第2行：.*是不是“staffing”"),
        ("[content]\nrank_by = 'twonship'", None, "report.toml 第2行：.*是不是“township”"),
        ("[named]\nseverities = ['hihg']", None, "report.toml 第2行：.*是不是“high”"),
        ("[named]\nminor_pct = '0,1'", None, "report.toml 第2行：.*应当是百分数"),
        ("[deadlines]\nissue_day = 31", None, "report.toml 第2行：.*应当是1到28的整数，现在是 31"),
        ("[deadlines]\n\nplan_days = -3", None, "report.toml 第3行：.*应当是不小于1的整数"),
        (
            "",
            "好\n{{ totals.gapp | abs }}",
            r"funding.txt 第2行有误：没有“totals.gapp”这个名称，是不是“totals.gap”",
        ),
        ("", "好\n\n{{ totls.gap }}", r"funding.txt 第3行有误：没有“totls”这个名称，是不是“totals”"),
        ("", "{% for u in units %}\n{{ u.nam | abs }}{% endfor %}", r"funding.txt 第2行"),
        ("", "{% if %}", r"funding.txt 第1行"),
        ("", "好\n[表 rankin]", r"funding.txt 第2行有误：没有“\[表 rankin\]”，是不是“表 ranking”，可用的有"),
        ("", "[图 trnd 无题]", r"funding.txt 第1行有误：没有“\[图 trnd\]”，是不是“图 trend”"),
        ("", "\n{{ totals.gap | wann }}", r"funding.txt 第2行有误：没有“wann”这种写法，是不是“wan”"),
        ("", "{% for u in units %}\n{{ u.township_nam }}{% endfor %}", "是不是“township_name”"),
        ("", "{{ scope.name | wan }}", "funding.txt 第1行有误：竖线后面的写法不能用在这样的内容上"),
        ("", "{{ ''.__class__.__mro__ }}", "funding.txt"),
        ("[document]\nissuer = '{{ scop.name }}'", None, "没有“scop”这个名称，是不是“scope”"),
        ("[[delivery]]\nname = '甲'", None, "report.toml 第1行：.*只写 folder 或 email"),
        ("[[delivery]]\nname = '甲'\nfodler = 'x'", None, "report.toml 第3行：.*是不是“folder”"),
        ("[smtp]\nhosst = 'x'", None, "report.toml 第2行：.*是不是“host”"),
    ],
)
def test_a_slip_in_settings_or_wording_is_named(
    standin: Standin, settings: str, template: str | None, told: str
) -> None:
    folder = standin(3)
    own = config.report_folder(folder)
    (own / "templates").mkdir(parents=True)
    (own / "report.toml").write_text(settings, "utf-8")
    if template is not None:
        (own / "templates" / "funding.txt").write_text(template, "utf-8")
    with pytest.raises(ReportError, match=told):
        make_all(folder, DECEMBER)


def test_a_template_that_nothing_asks_for_is_told_of(standin: Standin) -> None:
    folder = standin(3)
    own = config.report_folder(folder) / "templates"
    own.mkdir(parents=True)
    (own / "paymnet.txt").write_text("# 资金拨付\n另作说明。\n", "utf-8")
    with pytest.raises(ReportError, match=r"paymnet\.txt 没有用到：.*是不是“payment\.txt”"):
        make_all(folder, DECEMBER)
    # What another of them takes in is used, and what one division alone has.
    (own.parent / "report.toml").write_text(
        '[scope."990199".content]\nsections = ["elsewhere", "demands"]\n', "utf-8"
    )
    (own / "elsewhere.txt").write_text("# 别处\n", "utf-8")
    (own / "payment.txt").write_text("{% include 'paymnet.txt' %}", "utf-8")
    assert make_all(folder, DECEMBER)


def test_the_page_holds_22_lines_of_28_characters(standin: Standin) -> None:
    folder = standin(3)
    own = config.report_folder(folder)
    (own / "templates").mkdir(parents=True)
    (own / "report.toml").write_text('[content]\nsections = ["long"]\nannexes = []\n', "utf-8")
    (own / "templates" / "long.txt").write_text("国" * 28 * 60, "utf-8")
    content = render(report_of(folder, "990101"), config.load(folder), ("pdf",))["pdf"]
    full = max(reading.pdf_pages(content), key=lambda page: page.count("国"))
    lines = [line.strip() for line in full.splitlines() if "国" in line]
    assert len(lines) == 22
    # The first line of a paragraph is indented by two characters.
    assert [len(line) for line in lines] in ([28] * 22, [26] + [28] * 21)


def test_pdf_carries_its_fonts(standin: Standin) -> None:
    import io

    import pypdf

    folder = standin(3)
    content = render(report_of(folder, "990101"), config.load(folder), ("pdf",))["pdf"]
    used = set()
    for page in pypdf.PdfReader(io.BytesIO(content)).pages:
        for font in page["/Resources"]["/Font"].values():
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            assert {"/FontFile2", "/FontFile3"} & set(descendant["/FontDescriptor"].get_object())
            used.add(str(descendant["/BaseFont"]).partition("+")[2])
    assert used <= {"NotoSerifCJKsc-Regular-Identity-H", "NotoSansCJKsc-Regular-Identity-H"} | {
        "NotoSerifCJKsc-Regular",
        "NotoSansCJKsc-Regular",
    }


def test_fonts_cover_gb2312_and_rare_place_names() -> None:
    gb2312 = set()
    for high in range(0xB0, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                gb2312.add(bytes((high, low)).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    assert len(gb2312) == 6763
    rare = set("堽垴塬圪塄墕峁崾嶝埇甪圐圙碶礤鄚鄌邡浭漷灞氹厝粿畲硚碚垱㙦䢺㘵䥽洣浬岵嵊")
    for name in (fonts.SERIF, fonts.SANS):
        covered = TTFont(fonts.folder() / name, lazy=True).getBestCmap()
        assert not {character for character in gb2312 | rare if ord(character) not in covered}


def _red(picture: bytes) -> list[float]:
    """Where the middles of the filled marks stand, from the left."""
    image = Image.open(BytesIO(picture)).convert("RGB")
    pixels, height = image.load(), image.height
    columns = [
        x
        for x in range(image.width)
        # Below the legend; the marks are a clear red.
        if any(pixels[x, y][0] - pixels[x, y][2] > 120 for y in range(40, height))  # type: ignore[index]
    ]
    starts = [x for x in columns if x - 1 not in columns]
    ends = [x for x in columns if x + 1 not in columns]
    return [(start + end) / 2 for start, end in zip(starts, ends, strict=True)]


def test_a_mark_stands_where_its_value_is() -> None:
    """Also beside an unknown value, which has no mark, and a name that is longer than half the page."""
    names = ("甲乡", "乙" * 60, "丙乡$1$", "丁乡")
    given = Series("年度安排", (Decimal(0), Decimal(5), None, Decimal(15)))
    wanted = Series("应保障", (Decimal(20), Decimal(20), Decimal(20), Decimal(20)))
    low, middle, high = _red(
        charts.draw([Chart("a", "", "dumbbell", names, (wanted, given), "万元")], "png")["a"]
    )
    assert abs((middle - low) / (high - low) - 1 / 3) < 0.01


def test_charts_of_nothing_and_of_one_are_drawn_the_same_whatever_stands_beside_them() -> None:
    nothing, unknown = Series("应保障", (Decimal(0),)), Series("年度安排", (None,))
    forms = ("dumbbell", "lines", "stacked")
    drawn = [Chart(form, "", form, ("甲乡",), (nothing, unknown), "个") for form in forms]
    together = charts.draw(drawn, "svg")
    assert together == {chart.key: charts.draw([chart], "svg")[chart.key] for chart in drawn}
    assert all(picture.startswith(b"<svg") for picture in together.values())


def test_what_the_sums_count_stands_in_the_tables(standin: Standin) -> None:
    """A unit that was abolished in the year has no row of its own and is counted all the same: by what had accrued."""
    ended = (
        "update detail.unit_monthly set ended_count = 1, judged_count = judged_count + 1, met_count = met_count + 1,"
        " guaranteed_of_judged_cny = guaranteed_of_judged_cny + 32400,"
        " guaranteed_ytd_of_judged_cny = guaranteed_ytd_of_judged_cny + 32400,"
        " allocated_of_judged_cny = allocated_of_judged_cny + 64800,"
        " allocation_surplus_of_judged_cny = allocation_surplus_of_judged_cny + 32400"
        " where month between date '2025-07-01' and date '2025-12-01'"
    )
    folder = after(standin(14), ended)
    with open_edition(folder) as connection:
        report = build(gather(connection, date(2025, 12, 1), "990101"), config.load(folder), FIRST, CALENDAR)
    found = []
    for table in (ref.table for ref in report.tables if ref.table.total):
        total, shown = table.total, table.total_row()
        assert total
        assert shown
        for place, (column, told) in enumerate(zip(table.columns, shown, strict=True)):
            counted = (
                row[place]
                for row in table.rows
                if total.where is None or row[table.position(total.where)] in total.counted
            )
            if column.total == "sum" and isinstance(told, (int, Decimal)):
                assert sum(value for value in counted if isinstance(value, (int, Decimal))) == told
        found += [table.key for row in table.rows if "年内撤销" in str(row[0]) + str(row[1])]
    assert found == ["ranking", "change_year", "annex_funding"]


def test_titles_break_between_words() -> None:
    title = "关于青龙满族自治县2025年12月乡镇民政工作经费保障和人员配备督查情况的通报"
    lines = layout.title_lines(title)
    assert "".join(lines) == title
    assert len(lines) == 2
    assert all(layout.half_widths(line) <= 40 for line in lines)
    assert not lines[1].startswith(("年", "月", "的", "和"))


def test_a_title_that_is_a_hair_too_long_does_not_leave_one_character_for_the_second_line() -> None:
    assert layout.title_lines("关于模拟石2县2024年1月民政保障督查的通报") == [
        "关于模拟石2县2024年1月",
        "民政保障督查的通报",
    ]


def test_heading_numbers() -> None:
    assert [chinese(number) for number in (1, 10, 11, 20, 21)] == ["一", "十", "十一", "二十", "二十一"]


def test_small_amounts_do_not_read_as_nought() -> None:
    environment = config.load(DataFolder(Path("/nonexistent"))).environment
    assert environment.from_string("{{ x | wan }}").render(x=Decimal("39.60")).endswith("39.60元")
    assert environment.from_string("{{ x | wan }}").render(x=Decimal("14402.64")).endswith("1.44万元")


@pytest.mark.parametrize(("sizes", "scope"), [((3,), "990101"), ((1,) * 200, "990000")])
def test_three_units_and_two_hundred_fit_their_pages(
    standin: Standin, sizes: tuple[int, ...], scope: str
) -> None:
    """No row of a table is lost or doubled over pages; every page of a long table repeats its header."""
    report = report_of(standin(*sizes), scope)
    files = render(report, config.load(DataFolder(Path("/nonexistent"))), ("pdf", "docx"))
    assert reading.numbers(reading.pdf_text(files["pdf"])) == reading.numbers(
        reading.docx_text(files["docx"])
    )
    pages = reading.pdf_pages(files["pdf"])
    annex = [page for page in pages if "拨付缺口" in page and "不达标" in page]
    assert all("定档人口" in page for page in annex)
    assert len(annex) >= (1 if len(sizes) == 1 else 5)


def test_a_very_long_table_is_brief_on_paper_and_whole_elsewhere(standin: Standin) -> None:
    report = report_of(standin(*[30] * 20), "990000")
    table = next(ref.table for ref in report.tables if ref.table.key == "annex_funding")
    assert len(table.rows) == 600
    assert "达标" not in {row[table.position("status")] for row in table.paper_rows}
    left = len(table.rows) - len(table.paper_rows)
    files = render(report, config.load(DataFolder(Path("/nonexistent"))), ("docx", "html", "xlsx"))
    assert f"“达标”的{left}行从略" in reading.docx_text(files["docx"])
    assert len(reading.html_tables(files["html"])["annex_funding"]) == 602
    assert reading.xlsx(files["xlsx"])["乡镇经费保障明细表"].cell(604, 1).value == "可判定单位合计"


def test_what_was_excused_is_listed_and_nobody_named_for_it(standin: Standin) -> None:
    folder = standin(3, adjust=change("update facts set staff = 1"))
    warehouse = next(folder.marts.glob("editions/*/warehouse.duckdb"))
    assert named_units(report_of(folder, "990101", date(2025, 3, 1)))
    connection = duckdb.connect(str(warehouse))
    connection.execute("update findings set is_exempt = true, exempt_reason_zh = '撤并过渡期'")
    connection.close()
    report = report_of(folder, "990101", date(2025, 3, 1))
    assert "本期没有达到点名通报标准的问题" in said(report)
    table = next(ref.table for ref in report.tables if ref.table.key == "annex_findings")
    assert {row[table.position("record")] for row in table.rows} == {"已批准豁免（撤并过渡期）"}


def test_a_yes_or_no_rule_has_no_difference(standin: Standin) -> None:
    folder = standin(3)
    connection = duckdb.connect(str(next(folder.marts.glob("editions/*/warehouse.duckdb"))))
    connection.execute("update findings set unit = '是/否' where rule_id = 'A-07'")
    connection.execute(
        "update judgements set unit = '是/否', value_checked = 0, value_expected = 1, shortfall = 1"
        " where rule_id = 'A-07' and status = 'short'"
    )
    connection.close()
    report = report_of(folder, "990101")
    assert "差是" not in said(report)
    table = next(ref.table for ref in report.tables if ref.table.key == "annex_findings")
    shown = {row[4:7] for row in table.rows if row[table.position("rule")] == "A-07"}
    assert shown == {("是", "否", "—")}
