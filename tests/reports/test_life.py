"""The life of a paper: drafted, reviewed, issued under a number and the day's date, corrected, withdrawn."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import pytest

from oversight.calendar import load_calendar
from oversight.reports import FORMATS, Issuing, Made, draft, make_all, review, versions, withdraw
from oversight.reports.config import report_folder
from oversight.reports.delivery import deliver
from oversight.reports.errors import NotReady, ReportError
from oversight.reports.paper import dates
from oversight.settings import TIME_ZONE, DataFolder
from tests.conftest import run_oversight
from tests.reports import reading
from tests.reports.conftest import AT, Standin, issue_all
from tests.reports.test_versions import later_edition

DECEMBER, COUNTY = date(2025, 12, 1), "990101"
DAYS = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日")


def by_hand(folder: DataFolder, at: datetime = AT, number: int | None = None) -> Made:
    """Drafted, reviewed and issued by people."""
    make_all(folder, DECEMBER, formats=("pdf",), now=at)
    review(folder, DECEMBER, COUNTY, by="王科长", at=at)
    (made,) = make_all(folder, DECEMBER, formats=("pdf",), issuing=Issuing("李局长", at, number))
    return made


def test_a_draft_is_marked_and_has_neither_number_nor_date(standin: Standin) -> None:
    folder = standin(3)
    (made,) = make_all(folder, DECEMBER, now=AT)
    assert (made.version.number, made.version.state, made.version.document_no) == (0, "drafted", "")
    for form, read in (("docx", reading.docx_text), ("pdf", reading.pdf_text)):
        text = reading.squeezed(read(made.version.verified(form)))
        assert "草稿，仅供核对，不得外发" in text
        assert "督通〔" not in text
        assert "个工作日内" in text
        assert not [found for found in DAYS.findall(text) if int(found[0]) > 2025]
    (again,) = make_all(folder, DECEMBER, now=AT.replace(hour=15))
    assert not again.is_new


def test_issuing_needs_a_review_of_what_is_issued(standin: Standin) -> None:
    folder = standin(3)
    issuing = Issuing("李局长", AT)
    with pytest.raises(ReportError, match="还没有草稿"):
        make_all(folder, DECEMBER, issuing=issuing)
    with pytest.raises(ReportError, match="没有待审核的草稿"):
        review(folder, DECEMBER, COUNTY, by="王科长", at=AT)
    make_all(folder, DECEMBER, formats=("pdf",))
    with pytest.raises(ReportError, match="还没有审核"):
        make_all(folder, DECEMBER, issuing=issuing)
    review(folder, DECEMBER, COUNTY, by="王科长", at=AT)
    later_edition(folder, "update facts set allocated = 12345.67 where number = 1", 3)
    with pytest.raises(ReportError, match="又有变化"):
        make_all(folder, DECEMBER, issuing=issuing)
    made = by_hand(folder)
    assert [event["step"] for event in made.version.events] == ["drafted", "reviewed", "issued"]
    assert [event["by"] for event in made.version.events] == ["", "王科长", "李局长"]
    assert made.version.document_no == "督通〔2026〕1号"
    assert draft(folder, DECEMBER, COUNTY) is None


def test_a_draft_of_late_data_is_not_issued(standin: Standin) -> None:
    late = "update facts set population = null, allocated = null, staff = null"
    folder = standin(3, adjust=lambda connection: connection.execute(late))
    (made,) = make_all(folder, DECEMBER, formats=("pdf",), provisional=True)
    assert made.version.manifest["problems"]
    with pytest.raises(ReportError, match="不能审核"):
        review(folder, DECEMBER, COUNTY, by="王科长", at=AT)
    with pytest.raises(NotReady):
        make_all(folder, DECEMBER, issuing=Issuing("李局长", AT))


def test_numbers_follow_each_other_by_issuer_and_year(standin: Standin) -> None:
    folder = standin(2, 2)
    report_folder(folder).mkdir()
    (report_folder(folder) / "report.toml").write_text('[document]\nissuer = "模拟局"\n', "utf-8")
    one = ("pdf",)
    both = issue_all(folder, DECEMBER, ["990101", "990102"], one)
    assert [item.version.document_no for item in both] == ["督通〔2026〕1号", "督通〔2026〕2号"]
    later = issue_all(folder, date(2025, 11, 1), ["990101"], one)
    assert later[0].version.document_no == "督通〔2026〕3号"
    (folder.root / "reports" / "register.sqlite").unlink()
    next_year = datetime(2027, 1, 6, 9, tzinfo=TIME_ZONE)
    assert issue_all(folder, date(2025, 10, 1), ["990101"], one)[0].version.document_no == "督通〔2026〕4号"
    first = issue_all(folder, date(2025, 9, 1), ["990101"], one, at=next_year)
    assert first[0].version.document_no == "督通〔2027〕1号"


def test_a_number_is_one_papers_only(standin: Standin) -> None:
    folder = standin(2)
    assert by_hand(folder, number=7).version.document_no == "督通〔2026〕7号"
    make_all(folder, date(2025, 11, 1), formats=("pdf",))
    review(folder, date(2025, 11, 1), COUNTY, by="王科长", at=AT)
    with pytest.raises(ReportError, match="7号已由 2025-12"):
        make_all(folder, date(2025, 11, 1), issuing=Issuing("李局长", AT, 7))


def test_a_crash_after_the_number_keeps_it(standin: Standin) -> None:
    folder = standin(2)

    def crash(name: str) -> None:
        if name == "numbered":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        issue_all(folder, DECEMBER, formats=("pdf",), on_step=crash)
    assert versions(folder, DECEMBER, COUNTY) == []
    assert issue_all(folder, DECEMBER, formats=("pdf",))[0].version.document_no == "督通〔2026〕1号"


def test_a_fixed_number_in_the_settings_is_refused(standin: Standin) -> None:
    folder = standin(2)
    report_folder(folder).mkdir()
    (report_folder(folder) / "report.toml").write_text('[document]\ndocument_no = "督通5号"\n', "utf-8")
    with pytest.raises(ReportError, match=r"document\.document_no"):
        issue_all(folder, DECEMBER)


# A holiday, a weekend, a working Sunday before the festival, the last day of a year, long after it was due.
@pytest.mark.parametrize(
    "day",
    [date(2026, 10, 1), date(2026, 11, 28), date(2026, 2, 14), date(2025, 12, 31), date(2026, 1, 12)],
)
def test_every_deadline_is_a_working_day_after_the_day_of_issue(standin: Standin, day: date) -> None:
    folder = standin(5)
    at = datetime(day.year, day.month, day.day, 16, tzinfo=TIME_ZONE)
    (made,) = issue_all(folder, DECEMBER, formats=("docx",), at=at)
    calendar = load_calendar()
    text = reading.docx_text(made.version.verified("docx"))
    assert f"\n{day.year}年{day.month}月{day.day}日\n" in text
    body = text.partition("工作要求")[2]
    asked = [date(*map(int, found)) for found in DAYS.findall(body)]
    deadlines = [found for found in asked if found != day]
    assert deadlines
    assert all(found > day and calendar.is_workday(found) for found in deadlines)
    is_late = day > date(2026, 1, 12)
    assert ("应于2026年1月12日前印发" in text) == is_late


def test_due_days_move_off_days_off() -> None:
    calendar = load_calendar()
    settings = {"issue_day": 10, "confirm_days": 1, "supplement_days": 1, "plan_days": 1, "rectify_days": 1}
    assert dates(date(2026, 9, 1), None, settings, calendar).due == date(2026, 10, 10)
    assert dates(date(2025, 12, 1), None, settings, calendar).due == date(2026, 1, 12)
    festival = dates(date(2026, 1, 1), date(2026, 2, 14), settings, calendar)
    assert festival.confirm.on == date(2026, 2, 24)
    assert festival.is_late


def test_a_correction_is_a_paper_of_its_own(standin: Standin) -> None:
    folder = standin(3)
    first = by_hand(folder)
    later_edition(folder, "update facts set allocated = 12345.67 where number = 1", 3)
    (drafted,) = make_all(folder, DECEMBER, formats=("pdf",))
    assert drafted.version.name_zh == "更正稿"
    second = by_hand(folder, AT.replace(day=20))
    assert second.version.name_zh == "第2版（更正）"
    assert second.version.title.startswith("关于更正")
    assert (first.version.document_no, second.version.document_no) == ("督通〔2026〕1号", "督通〔2026〕2号")
    text = reading.squeezed(reading.pdf_text(second.version.verified("pdf")))
    assert "2026年1月6日印发的" in text
    # The files are the same, and yet figures differ: it is not the wording alone that was changed.
    assert "更正原因" in text
    assert "报送的文件没有变化" in text
    assert "所用材料没有变化" not in text
    assert "51,000.00" in text
    assert "12,345.67" in text
    assert "2026年1月20日" in text
    assert (first.version.path / first.version.file("pdf").name).is_file()
    # A correction that was withdrawn: the next one corrects the report, and tells who holds the withdrawn one.
    withdraw(folder, DECEMBER, COUNTY, by="李局长", at=AT.replace(day=21), why="范围有误")
    third = by_hand(folder, AT.replace(day=22))
    text = reading.squeezed(reading.pdf_text(third.version.verified("pdf")))
    assert "（督通〔2026〕1号），其中部分内容有误" in text
    assert "（督通〔2026〕2号）已经撤回，以本通知为准" in text


def test_what_was_withdrawn_is_not_sent_and_the_next_paper_says_so(standin: Standin) -> None:
    folder = standin(3)
    by_hand(folder)
    gone = withdraw(folder, DECEMBER, COUNTY, by="李局长", at=AT, why="范围有误")
    assert gone.name_zh == "第1版，已撤回"
    with pytest.raises(ReportError, match="已经撤回"):
        deliver(folder, gone)
    with pytest.raises(ReportError, match="没有已印发"):
        withdraw(folder, DECEMBER, COUNTY, by="李局长", at=AT, why="范围有误")
    again = by_hand(folder, AT.replace(day=8))
    assert (again.version.number, again.version.is_correction) == (2, False)
    text = reading.squeezed(reading.pdf_text(again.version.verified("pdf")))
    assert "（督通〔2026〕1号）已经撤回，以本通报为准" in text


def test_the_steps_on_the_command_line(standin: Standin) -> None:
    folder = standin(2)
    where = ("--month", "2025-12", "--scope", COUNTY, "--data", str(folder.root), "--format", "xlsx")

    def told(*words: str) -> str:
        done = run_oversight("report", *words, *where)
        return done.stdout + done.stderr

    assert "督查通报 草稿" in told()
    assert "请写明由谁办理" in told("review")
    assert "已审核" in told("review", "--by", "王科长")
    assert re.search(r"第1版 督通〔\d{4}〕1号", told("issue", "--by", "李局长"))
    assert "沿用" in told("issue", "--by", "李局长")
    assert "第1版 督通" in told("list")
    assert "写明撤回的原因" in told("withdraw", "--by", "李局长")
    assert "已撤回" in told("withdraw", "--by", "李局长", "--note", "范围有误")
    assert set(FORMATS) == {"docx", "pdf", "xlsx", "html"}


def test_a_day_of_signature_is_one_on_which_it_could_be_signed(standin: Standin) -> None:
    """成文日期 is the day the head signed: it may be put down later, but not before there was something to sign."""
    folder, calendar = standin(3), load_calendar()
    make_all(folder, DECEMBER, formats=("pdf",), now=AT)
    review(folder, DECEMBER, COUNTY, by="王科长", at=AT)
    drafted = AT.date()
    signed = calendar.add_workdays(drafted, 1)
    now = datetime.combine(calendar.add_workdays(signed, 1), AT.timetz())

    def issued(on: date, at: datetime = now) -> Made:
        issuing = Issuing("李局长", at, signed_on=on)
        return make_all(folder, DECEMBER, formats=("pdf",), issuing=issuing)[0]

    day_off = next(d for n in range(60) if not calendar.is_workday(d := now.date() - timedelta(days=n)))
    late = datetime.combine(calendar.add_workdays(signed, 60), AT.timetz())
    for wrong, at, said in (
        (now.date() + timedelta(days=1), now, "还没有到"),
        (day_off, now, "休息日"),
        (calendar.add_workdays(drafted - timedelta(days=40), 1), now, "早于"),
        (signed, late, "已经到了"),
    ):
        with pytest.raises(ReportError, match=said):
            issued(wrong, at)
    made = issued(signed)
    assert made.version.issued_on == signed
    assert made.version.document_no.startswith(f"督通〔{signed.year}〕1号")
    text = reading.squeezed(reading.pdf_text(made.version.verified("pdf")))
    named = sorted({date(*map(int, found)) for found in DAYS.findall(text)} - {signed})
    assert all(day > now.date() and calendar.is_workday(day) for day in named if day > drafted)
