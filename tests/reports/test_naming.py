"""Who is named, what leads, and what is not said: over made-up worlds, each against SQL of its own."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import duckdb
import pypdf
import pytest

from oversight.editions import Edition, open_edition
from oversight.reports import config, write_pdf
from oversight.reports.content import build
from oversight.reports.document import Heading, Paragraph, Report
from oversight.reports.facts import gather
from oversight.reports.make import render
from oversight.reports.paper import Changes, Cited, Paper
from oversight.reports.weighing import open_findings
from oversight.settings import DataFolder
from tests.reports import reading
from tests.reports.conftest import CALENDAR, FIRST, Standin
from tests.reports.test_cases import ALL_WELL, NOTHING, after, change

DECEMBER, JUNE, COUNTY = date(2025, 12, 1), date(2025, 6, 1), "990101"
WORLDS = {
    "as it comes": "select 1",
    "nothing paid": "update facts set disbursed = 0 where disbursed is not null",
    "all well": ALL_WELL,
    "silent": NOTHING,
    "a little missing": "update facts set allocated = 52800, disbursed = 52800, population = 20001, staff = 2",
    "nobody there": "update facts set staff = 0 where month >= date '2025-06-01'",
}


def report_of(
    folder: DataFolder, scope: str = COUNTY, month: date = DECEMBER, paper: Paper = FIRST
) -> Report:
    connection = open_edition(folder)
    try:
        return build(gather(connection, month, scope), config.load(folder, scope), paper, CALENDAR)
    finally:
        connection.close()


def said(report: Report) -> str:
    return "\n".join(
        block.text for block in (*report.opening, *report.body) if isinstance(block, (Heading, Paragraph))
    )


def points(report: Report) -> list[str]:
    return [block.text for block in report.opening if isinstance(block, Paragraph) and block.is_point]


def rows_of(report: Report, key: str) -> list[tuple[str, ...]]:
    return [tuple(map(str, row)) for ref in report.tables if ref.table.key == key for row in ref.table.rows]


_DESERVED = """
with paying as (
    select f.township_name as name, '本年拨付进度' as what from funding_gap_monthly f
    join detail.payment_pace p using (township_code, month)
    where month = $month and disbursement_shortfall_ytd_cny >= greatest(100, guaranteed_ytd_cny / 1000)
        and (pace = 'far_behind' or (pace = 'behind' and disbursement_shortfall_ytd_cny >= 20000))
),
answers as (
    select t.township_name as name, s.title_zh as what, j.*, s.severity,
        count(*) over spell as months
    from (
        select *, row_number() over (partition by rule_id, subject_code order by month)
            - row_number() over (partition by rule_id, subject_code, status in ('short', 'not_reported') order by month)
            as island
        from judgements where month <= $month
    ) j join standards s on s.standard_id = j.rule_id join townships t on t.township_code = j.subject_code
    window spell as (partition by rule_id, subject_code, status in ('short', 'not_reported'), island)
)
select name, what from paying
union
select name, what from answers where month = $month and status = 'short'
    and not (unit = '元' and shortfall < greatest(100, value_expected / 1000))
    and (round(value_checked * 100 / value_expected, 2) <= 60
        or unit = '元' and (shortfall >= 20000 or severity = 'high' and months >= 6 and shortfall * months >= 20000)
        or unit <> '元' and severity = 'high' and months >= 6
        or rule_id = 'A-06' and shortfall * months >= 6)
"""


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("month", [JUNE, DECEMBER, date(2024, 1, 1)])
def test_those_are_named_who_deserve_it_and_no_one_else(standin: Standin, world: str, month: date) -> None:
    folder = standin(14, adjust=change(WORLDS[world]))
    report = report_of(folder, month=month)
    with open_edition(folder) as connection:
        deserved = connection.execute(_DESERVED, {"month": month}).fetchall()
        units = connection.execute("select distinct township_name from townships").fetchall()
    # Names repeat in made-up counties; sorted lists keep the count.
    assert sorted((row[0], row[1]) for row in rows_of(report, "annex_named")) == sorted(deserved)
    first = "".join("".join(row) for row in rows_of(report, "named"))
    assert bool(first) == bool(deserved)
    assert len({name for name, _ in deserved}) == len(
        [1 for (name,) in units if name in {n for n, _ in deserved}]
    )
    # From three to five lead, whatever is wrong or right; the order is that of the numbers.
    lead = [text for text in points(report) if text[1:2] == "." and text[0].isdigit()]
    assert len(lead) <= 5
    assert [text[0] for text in lead] == [str(place + 1) for place in range(len(lead))]


def test_nothing_paid_leads_and_is_named_before_december(standin: Standin) -> None:
    folder = standin(5, adjust=change(WORLDS["nothing paid"]))
    report = report_of(folder, month=JUNE)
    assert points(report)[0].startswith("1.资金拨付：5个单位拨付明显滞后")
    assert "本年分文未拨" in points(report)[0]
    (row,) = [row for row in rows_of(report, "named") if row[0] == "拨付不足"]
    assert row[2:4] == ("按进度补拨", "2026年1月20日前")
    assert {row[0] for row in rows_of(report, "annex_named") if row[1] == "本年拨付进度"} == {
        row[0] for row in rows_of(report, "annex_funding")
    }


def test_silence_is_not_a_fact(standin: Standin) -> None:
    folder = standin(4, adjust=change(NOTHING))
    report = report_of(folder)
    text = said(report)
    for claim in ("分文未拨", "一人未配", "0个", "0人", "达标0", "均已报送", "没有缺口"):
        assert claim not in text
    assert rows_of(report, "annex_named") == []
    assert "本期没有单位能够判定经费保障情况" in text
    assert ".经费安排：没有单位能够判定，本期不作结论。" in text


def test_a_year_before_that_cannot_be_judged_is_not_compared_with(standin: Standin) -> None:
    silent_then = "update facts set allocated = null, disbursed = null where month < date '2025-01-01'"
    text = said(report_of(standin(3, adjust=change(silent_then)), month=JUNE))
    assert "与上期相比" in text
    assert "上年同月" not in text


def test_little_money_is_neither_named_nor_grave(standin: Standin) -> None:
    folder = standin(3, adjust=change(WORLDS["a little missing"]))
    report = report_of(folder)
    assert "本期没有达到点名通报标准的问题" in said(report)
    assert "严重" not in {row[10] for row in rows_of(report, "annex_findings") if row[2] == "A-10"}


def test_a_person_is_missing_once(standin: Standin) -> None:
    folder = after(
        standin(6),
        "insert into standards select 'A-06b' as standard_id, * exclude (standard_id) from standards"
        " where standard_id = 'A-06'",
        "insert into staffing_gap_monthly select township_code, month, 'A-06b', * exclude (township_code, month,"
        " standard_id) from staffing_gap_monthly",
        "insert into detail.unit_staffing_monthly select * replace ('A-06b' as standard_id)"
        " from detail.unit_staffing_monthly where standard_id = 'A-06'",
        "insert into judgements select 'A-06b', * exclude (rule_id) from judgements where rule_id = 'A-06'",
        "insert into findings select 'b' || finding_id, 'A-06b', * exclude (finding_id, rule_id) from findings"
        " where rule_id = 'A-06'",
    )
    report = report_of(folder)
    with open_edition(folder) as connection:
        ((people,),) = connection.execute(
            "select sum(most) from (select max(shortfall_persons) as most from staffing_gap_monthly"
            " where month = ? and status = 'short' group by township_code)",
            [DECEMBER],
        ).fetchall()
    assert people
    assert f"缺员只计一次，合计{people}人" in said(report)
    assert any(f"缺{people}人" in text for text in points(report))
    assert len([row for row in rows_of(report, "annex_named") if "在岗人员" in row[1]]) == people


def test_what_the_county_owes_goes_to_the_county(standin: Standin) -> None:
    folder = standin(3)
    before = rows_of(report_of(folder), "annex_named")
    report = report_of(
        after(
            folder,
            "update judgements set subject_level = 'county', subject_code = '990101' where rule_id = 'A-07'",
            "delete from findings where rule_id = 'A-07'",
            "insert into findings select * replace ('A-07' as rule_id, 'county' as subject_level, '990101' as"
            " subject_code, finding_id || 'c' as finding_id) from findings where status = 'short' limit 1",
            "update judgements set status = 'short', value_checked = 0, value_expected = 1, shortfall = 1, unit = '个'"
            " where rule_id = 'A-07'",
        )
    )
    assert before
    assert "协理员" not in said(report)
    letter = next(annex for annex in report.annexes if annex.title == "提请研究解决的事项")
    text = "".join(block.text for block in letter.blocks if isinstance(block, Paragraph))
    assert "不发所属单位" in text
    assert "每个村（居）配备1名民政协理员" in text


def test_another_countys_paper_is_no_basis_where_its_origin_is_known(standin: Standin) -> None:
    origin = "《模拟省关于经费保障的通知》（模财〔2013〕3号）"
    folder = after(
        standin(10),
        "update policy_documents set issuer_code = '998877', document_title = '模拟邻县的方案'",
        f"update standards set origin_zh = '{origin}', origin_issuer_code = '990000' where standard_id = 'A-10'",
    )
    report = report_of(folder)
    assert origin in said(report)
    assert {row[4] for row in rows_of(report, "annex_named") if row[1].startswith("民政所")} == {origin}
    assert not [row for row in rows_of(report, "annex_standards") if row[0] == "A-10" and "邻县" in row[2]]


def test_a_blank_row_of_a_form_is_missing_and_not_doubtful(standin: Standin) -> None:
    folder = standin(3)
    assert [row for row in rows_of(report_of(folder), "annex_doubts") if row[0] == "退回"]
    report = report_of(after(folder, "update rejected_rows set error_code = 'R07'"))
    assert not [row for row in rows_of(report, "annex_doubts") if row[0] == "退回"]


@pytest.mark.parametrize("sizes", [(1,), (11,), (200,)])
def test_page_one_holds_what_matters_and_the_body_three_pages(
    standin: Standin, sizes: tuple[int, ...]
) -> None:
    folder = standin(*sizes)
    whole = report_of(folder)
    # The annexes with their headings alone.
    report = replace(whole, annexes=tuple(replace(annex, blocks=()) for annex in whole.annexes))
    pages = [
        reading.squeezed(page)
        for page in reading.pdf_pages(render(report, config.load(folder), ("pdf",))["pdf"])
    ]
    for text in points(report):
        assert reading.squeezed(text) in pages[0]
    for row in rows_of(report, "named"):
        assert all(reading.squeezed(cell)[:12] in pages[0] for cell in row)
    # The body, its list of annexes and its date end on the third page at the latest.
    annex = next(place for place, page in enumerate(pages) if page.startswith("附件1"))
    assert annex <= 3
    assert reading.squeezed(report.dated) in pages[annex - 1]


CORRECTION = Paper(2, FIRST.issued_on, 2, corrects=Cited(1, "通报", "督通〔2026〕1号", date(2026, 1, 5)))


@pytest.mark.parametrize(
    "paper", [FIRST, replace(CORRECTION, changes=Changes(1, (), ()))], ids=["report", "correction"]
)
def test_distances_are_those_of_gb_t_9704(standin: Standin, paper: Paper) -> None:
    """Head 35 mm below the type area's edge, red line 4 mm below the number and as wide as the type area, text within
    the margins. A letter's are held in tests/workflow/test_letters.py."""
    import numpy as np
    from PIL import Image

    folder = standin(3)
    report = report_of(folder, paper=paper)
    wording = config.load(folder)
    style = wording.settings["style"]
    families = {name: style[f"pdf_{name}"] for name in ("title", "body", "heading1", "heading2")}
    first = write_pdf.write(report, families, wording.fonts, form="png")
    pixels = np.asarray(Image.open(io.BytesIO(first)).convert("RGB"))
    per_mm = pixels.shape[1] / 210
    red = np.argwhere((pixels[:, :, 0] > 150) & (pixels[:, :, 1] < 90) & (pixels[:, :, 2] < 90)) / per_mm
    black = np.argwhere(pixels.max(axis=2) < 110) / per_mm
    top = red[:, 0].min()
    assert abs(top - 37 - 35) < 1
    line = red[red[:, 0] > top + 30]
    upper = line[:, 0].min()
    number = black[black[:, 0] < upper][:, 0].max()
    assert abs(upper - number - 4) < 0.7
    assert (line[:, 1].min(), line[:, 1].max()) == pytest.approx((28, 210 - 26), abs=0.5)

    # Its page number stands below the type area, everything else within it.
    within = black[black[:, 0] < 297 - 35]
    assert within[:, 1].min() > 28 - 0.5
    assert within[:, 1].max() < 210 - 26 + 0.5
    assert 297 - 35 < black[:, 0].max() < 297 - 20


@pytest.mark.parametrize("name", ["模拟县民政局", "模拟县民族宗教和退役军人事务民政综合管理局", "民政局"])
def test_one_line_is_free_above_the_annexes_and_the_name_is_centred_on_the_date(
    standin: Standin, name: str
) -> None:
    """GB/T 9704-2012, 7.3.4 and 7.3.5.1: the date ends four characters from the edge."""
    folder = standin(11)
    place = config.report_folder(folder) / "report.toml"
    place.parent.mkdir(parents=True)
    place.write_text(f'[document]\nissuer = "{name}"\n', "utf-8")
    report = report_of(folder)
    content = render(report, config.load(folder, COUNTY), ("pdf",))["pdf"]
    lines: list[tuple[str, float, float]] = []

    def seen(text: str, at: list[float], *_: object) -> None:
        if text.strip():
            lines.append((text, at[4], at[5]))

    for page in pypdf.PdfReader(io.BytesIO(content)).pages:
        lines.clear()
        page.extract_text(visitor_text=seen)
        if any("附件：" in text for text, _, _ in lines):
            break

    def line(beginning: str) -> tuple[float, float]:
        """Where the line that begins so begins, and how high it stands."""
        return next((x, y) for text, x, y in lines if text.startswith(beginning))

    def above(y: float) -> float:
        """How far below the line before it."""
        return min(other for _, _, other in lines if other > y + 1) - y

    pitch = 28.95
    assert above(line("附件：")[1]) == pytest.approx(2 * pitch, abs=0.5)
    signed, dated = line(report.signature), line(report.dated)
    assert above(dated[1]) == pytest.approx(pitch, abs=0.5)
    assert above(signed[1]) == pytest.approx(3 * pitch, abs=0.5)
    character, edge = 16 - 0.21, 595.28 - 26 / 25.4 * 72
    half = len(report.signature) * character / 2
    centre = signed[0] + half
    end = 2 * centre - dated[0]
    assert end == pytest.approx(edge - max(64, half - (centre - dated[0])), abs=1.5)


def test_the_last_paper_has_its_imprint_and_a_draft_has_none(standin: Standin) -> None:
    folder = standin(2)
    for paper, expected in ((FIRST, True), (Paper(notice="草稿"), False)):
        files = render(report_of(folder, paper=paper), config.load(folder), ("pdf", "docx", "html"))
        for text in (
            reading.pdf_text(files["pdf"]),
            reading.docx_text(files["docx"]),
            files["html"].decode(),
        ):
            squeezed = reading.squeezed(text)
            assert ("抄送：" in squeezed) == expected
            assert ("2026年1月6日印发" in squeezed) == expected


def test_what_moved_since_the_last_month_equals_sql(standin: Standin) -> None:
    folder = standin(14)
    # In the body, or in the annex where the body has no room for it.
    blocks = report_of(folder).blocks
    text = "\n".join(block.text for block in blocks if isinstance(block, Paragraph))
    with open_edition(folder) as connection:
        new, cleared = connection.execute(
            "select count(*) filter (opened_month = $month and status = 'short'), count(*) filter (cleared_month = $month)"
            " from findings where rule_id in ('A-06', 'A-07', 'A-10')",
            {"month": DECEMBER},
        ).fetchall()[0]
    assert f"本月新增{new}项、整改销号{cleared}项" in text


def test_an_unpaid_sum_is_named_once_where_two_standards_ask_for_it(sample_edition: Edition) -> None:
    with duckdb.connect(str(sample_edition.warehouse), read_only=True) as connection:
        facts = gather(connection, DECEMBER, "360313")
    unpaid = [row for row in open_findings(facts) if row["sort"] == "payment"]
    assert unpaid
    other = {"rule_id": "N-01.1", "matter": None, "shortfall": unpaid[0]["shortfall"] + 1}
    both = replace(facts, findings=[*facts.findings, {**unpaid[0], **other}])
    named = [row for row in open_findings(both) if row["sort"] == "payment"]
    assert len(named) == len(unpaid)
    assert [row["shortfall"] for row in named if row["rule_id"] == "N-01.1"] == [other["shortfall"]]
