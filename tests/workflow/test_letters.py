"""Letters: who gets which, by whom approved, numbered once, delivered once, never to whom it no longer concerns."""

from __future__ import annotations

import io
import shutil
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from oversight.accounts import people, record, store
from oversight.accounts.actor import at_the_machine
from oversight.accounts.scope import significant
from oversight.calendar import load_calendar
from oversight.cli import main
from oversight.dashboard.app import create_app
from oversight.reports.errors import ReportError
from oversight.settings import TIME_ZONE, DataFolder
from oversight.workflow import following, letters
from oversight.workflow.following import FollowError, Said
from oversight.workflow.letters import Ground, Missing, Unit
from tests.accounts.asking import PASSWORD, Browser
from tests.faults import year_of_letters
from tests.workflow.conftest import own_copy
from tests.workflow.handing import posted

MONDAY, SATURDAY = date(2026, 3, 2), date(2026, 3, 7)
TOWNS = ("360313101", "360313102")


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=TIME_ZONE)


def finding(code: str = TOWNS[0], rule: str = "T-1", **changes: Any) -> dict[str, Any]:
    row = {
        "finding_id": f"{rule}/{code}/2026-01",
        "rule_id": rule,
        "subject_level": "township",
        "subject_code": code,
        "opened_month": date(2026, 1, 1),
        "last_month": date(2026, 1, 1),
        "cleared_month": None,
        "months_open": 1,
        "status": "short",
        "value_checked": Decimal("64800.00"),
        "value_expected": Decimal("108000.00"),
        "shortfall": Decimal("43200.00"),
        "unit": "元",
        "severity": "high",
        "is_minor": False,
        "weight": Decimal(1),
        "document_title": "",
        "clause": "",
        "message_zh": "下埠镇：工作经费。2026-02 应为 108000.00 元，实为 64800.00 元，差 43200.00 元。",
        "previous_finding_id": None,
    }
    return row | changes


def made_up(place: Path, rows: list[dict[str, Any]], missing: list[Missing] | None = None) -> Ground:
    units = {code: Unit(code, f"{code[-1]}号镇", "360313", "360313", "湘东区") for code in TOWNS}
    folder = DataFolder.at(place)
    outbox = place / "outbox"
    outbox.mkdir(exist_ok=True)
    (place / "report").mkdir(exist_ok=True)
    (place / "report" / "recipients.csv").write_text(
        f"区划代码,接收方,文件夹,邮箱\n360313,各乡镇,{outbox},\n", "utf-8"
    )
    return Ground(folder, rows, units, missing or [], "E", calendar=load_calendar())


def sent_out(ground: Ground, day: date, **chosen: Any) -> list[str]:
    """Everything that is due, drafted, approved, issued and delivered; titles of what went out."""
    now = at(day)
    names = letters.draft(ground, letters.wanted(ground, now, **chosen), by="甲", now=now)
    letters.approve(ground.folder, names, by="乙", now=now)
    done, _ = letters.issue(ground, names, by="甲", now=now, formats=("docx",))
    delivered, _ = letters.deliver(ground, done, by="甲", now=now)
    rows = {row["id"]: row for row in letters.letters(ground.folder)}
    return [rows[name]["title"] for name in delivered]


def do(ground: Ground, kind: str, day: date, name: str, **said: Any) -> None:
    outcome = following.act(
        ground.folder, ground.rows, {name: None}, kind, Said("说明", **said), by="甲", now=at(day)
    )
    assert outcome.done, outcome.refused


def outbox(ground: Ground) -> list[str]:
    return sorted(path.name for path in (ground.folder.root / "outbox").iterdir())


def test_from_the_first_letter_to_the_last_by_state_and_colour(tmp_path: Path) -> None:
    ground = made_up(tmp_path, [finding(), finding(TOWNS[1], is_minor=True)])
    (name, _) = (row["finding_id"] for row in ground.rows)
    assert sent_out(ground, MONDAY) == ["提醒函"]
    assert sent_out(ground, MONDAY) == [], "the same day nothing goes out twice"
    case = ground.cases(MONDAY)[name]
    assert (case.state, case.due_on) == ("notified", date(2026, 3, 16))
    assert case.notes[-1]["text_zh"] == "提醒函 督函〔2026〕1号"
    # Not answered: yellow from five working days before, then red, then an order, each once.
    days = [MONDAY + timedelta(days=n) for n in range(1, 38)]
    seen = {day: sent_out(ground, day) for day in days if ground.calendar.is_workday(day)}
    assert {day: titles for day, titles in seen.items() if titles} == {
        date(2026, 3, 9): ["黄色督办单"],
        date(2026, 3, 17): ["红色督办单"],
        date(2026, 4, 1): ["整改通知书"],
    }
    # With a day agreed upon it begins anew, blue first.
    do(ground, "reply", date(2026, 4, 9), name)
    assert sent_out(ground, date(2026, 4, 9)) == []
    do(ground, "agreed", date(2026, 4, 10), name, on=date(2026, 6, 30))
    assert [sent_out(ground, day) for day in (date(2026, 4, 10), date(2026, 6, 24), date(2026, 7, 1))] == [
        ["蓝色督办单"],
        ["黄色督办单"],
        ["红色督办单"],
    ]
    assert outbox(ground)[0].startswith("督函〔2026〕1号_360313101")
    assert len(outbox(ground)) == 7


def test_whom_it_no_longer_concerns_gets_nothing(tmp_path: Path) -> None:
    rows = [finding(rule=f"T-{number}") for number in range(6)]
    ground = made_up(tmp_path, rows)
    names = [row["finding_id"] for row in rows]
    now = at(MONDAY)
    drafted = letters.draft(ground, letters.wanted(ground, now), by="甲", now=now)
    letters.approve(ground.folder, drafted, by="乙", now=now)
    # Answered, exempted, met: each voids what has not been issued.
    do(ground, "reply", MONDAY, names[0])
    done, void = letters.issue(ground, drafted, by="甲", now=now)
    assert (done, len(void)) == ([], 1)
    assert f"{names[0]} 现在是“已答复”" in void[0]
    do(ground, "exemption", MONDAY, names[1], on=date(2026, 12, 31), approver="丙")
    rows[2]["status"] = "cleared"
    (item,) = letters.wanted(ground, now)
    assert [finding_id for _, finding_id in item.occasions] == names[3:]
    # Between issuing and delivering too.
    drafted = letters.draft(ground, [item], by="甲", now=now)
    letters.approve(ground.folder, drafted, by="乙", now=now)
    done, _ = letters.issue(ground, drafted, by="甲", now=now, formats=("docx",))
    do(ground, "reply", MONDAY, names[4])
    assert letters.deliver(ground, done, by="甲", now=now)[0] == []
    (row,) = letters.letters(ground.folder, ("withheld",))
    assert "已答复" in row["why"]
    assert outbox(ground) == []


def test_never_on_a_day_off(tmp_path: Path) -> None:
    ground = made_up(tmp_path, [finding()])
    now = at(SATURDAY)
    drafted = letters.draft(ground, letters.wanted(ground, now), by="甲", now=now)
    letters.approve(ground.folder, drafted, by="乙", now=now)
    for step in (letters.issue, letters.deliver):
        with pytest.raises(FollowError, match=r"2026年3月7日是休息日.*2026年3月9日"):
            step(ground, drafted, by="甲", now=now)  # type: ignore[operator]
    assert ground.cases(SATURDAY)[ground.rows[0]["finding_id"]].state == "new"


def test_numbers_run_through_the_year_and_begin_again(tmp_path: Path) -> None:
    rows = [finding(code, f"T-{number}") for number in range(3) for code in TOWNS]
    ground = made_up(tmp_path, rows[:2])
    sent_out(ground, MONDAY)
    ground = made_up(tmp_path, rows[:4])
    sent_out(ground, MONDAY, kinds=("notice",))
    ground = made_up(tmp_path, rows)
    sent_out(ground, date(2027, 3, 1), kinds=("notice",))
    found = [(row["year"], row["number"]) for row in letters.letters(ground.folder)]
    assert sorted(found) == [*((2026, n) for n in (1, 2, 3, 4)), (2027, 1), (2027, 2)]


def test_approving_needs_another_person_and_discarding_a_reason(tmp_path: Path) -> None:
    ground = made_up(tmp_path, [finding()])
    now = at(MONDAY)
    (name,) = letters.draft(ground, letters.wanted(ground, now), by="甲", now=now)
    with pytest.raises(FollowError, match="拟稿的人不能审批自己拟的文书"):
        letters.approve(ground.folder, [name], by=" 甲", now=now)
    with pytest.raises(FollowError, match="只有审批过的文书可以签发"):
        letters.issue(ground, [name], by="甲", now=now)
    with pytest.raises(FollowError, match="理由"):
        letters.discard(ground.folder, [name], by="甲", why=" ")
    assert letters.wanted(ground, now) == []
    letters.discard(ground.folder, [name], by="甲", why="措辞不妥")
    assert len(letters.wanted(ground, now)) == 1


@pytest.mark.parametrize("step", ["_write", "following.act_each", "_tell"])
def test_issuing_that_was_cut_off_goes_on_with_the_same_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    ground = made_up(tmp_path, [finding(), finding(TOWNS[1])])
    now = at(MONDAY)
    names = letters.draft(ground, letters.wanted(ground, now), by="甲", now=now)
    letters.approve(ground.folder, names, by="乙", now=now)

    def stop(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"oversight.workflow.letters.{step}", stop)
        with pytest.raises(KeyboardInterrupt):
            letters.issue(ground, names, by="甲", now=now, formats=("docx",))
    done, void = letters.issue(ground, names, by="甲", now=now, formats=("docx",))
    assert (sorted(done), void) == (sorted(names), [])
    assert sorted(row["number"] for row in letters.letters(ground.folder)) == [1, 2]
    assert [len(case.notes) for case in ground.cases(MONDAY).values()] == [1, 1]


def test_delivering_that_failed_is_made_up_for_and_nothing_goes_twice(tmp_path: Path) -> None:
    ground = made_up(tmp_path, [finding(), finding(TOWNS[1])])
    now = at(MONDAY)
    names = letters.draft(ground, letters.wanted(ground, now), by="甲", now=now)
    letters.approve(ground.folder, names, by="乙", now=now)
    letters.issue(ground, names, by="甲", now=now, formats=("docx",))
    place = tmp_path / "outbox"
    place.rename(tmp_path / "away")
    with pytest.raises(FollowError, match="不存在或未连接"):
        letters.deliver(ground, names, by="甲", now=now)
    (tmp_path / "away").rename(place)
    register = tmp_path / "letters"
    shutil.copytree(register, tmp_path / "before")
    assert len(letters.deliver(ground, names, by="甲", now=now)[0]) == 2
    # Cut off before the register said so, and answered since: what went out was delivered, and goes no second time.
    shutil.copytree(tmp_path / "before", register, dirs_exist_ok=True)
    do(ground, "reply", MONDAY, finding()["finding_id"])
    done, withheld = letters.deliver(ground, names, by="甲", now=now)
    assert (sorted(done), withheld) == (sorted(names), [])
    files = {path: path.read_bytes() for path in place.rglob("*.docx")}
    assert len(files) == 2
    shutil.rmtree(place / outbox(ground)[0])
    # Delivered is delivered, whoever took it away.
    assert letters.deliver(ground, names, by="甲", now=now) == ([], [])
    assert len(outbox(ground)) == 1


def test_who_has_not_reported_is_reminded_before_and_after_the_day(tmp_path: Path) -> None:
    due = date(2026, 3, 10)
    missing = [Missing(TOWNS[0], date(2026, 2, 1), name, due) for name in ("population", "budget")]
    ground = made_up(tmp_path, [], [*missing, Missing(TOWNS[1], date(2026, 2, 1), "budget", due)])
    ground.handed = frozenset({f"budget 2026-02 {TOWNS[1]}"})
    assert letters.wanted(ground, at(date(2026, 3, 4))) == []
    (before,) = letters.wanted(ground, at(date(2026, 3, 6)))
    assert (before.unit.code, before.told["stage"], len(before.occasions)) == (TOWNS[0], "before", 2)
    now = at(date(2026, 3, 11))
    (late,) = letters.wanted(ground, now)
    assert late.told["stage"] == "late"
    names = letters.draft(ground, [late], by="甲", now=now)
    letters.approve(ground.folder, names, by="乙", now=now)
    # One of the two comes in: the letter would say what is no longer so.
    ground = made_up(tmp_path, [], missing[:1])
    assert "民政工作经费已经报送" in letters.issue(ground, names, by="甲", now=now)[1][0]
    (again,) = letters.wanted(ground, now)
    assert [name for name, _ in again.occasions] == [f"reminder late {TOWNS[0]} 2026-02 population"]


def test_of_the_month_being_collected_everybody_is_reminded_though_no_run_knows_it(
    sample_folder: DataFolder, tmp_path: Path
) -> None:
    """A county that runs once all is in would remind nobody before the day: the first report comes with that run."""
    folder = own_copy(sample_folder, tmp_path / "data", with_accounts=False)
    here, month = "360313108", date(2026, 1, 1)

    def reminded(day: date) -> list[tuple[str, Any]]:
        found = letters.wanted(letters.ground(folder, day), at(day), ("reminder",), (here,))
        return [
            (item.told["stage"], item.told["datasets"])
            for item in found
            if item.told["month"] == f"{month:%Y-%m}"
        ]

    every = ["population", "budget", "staffing"]
    # Due on Thursday the 5th of February; the month itself has to be over.
    assert reminded(date(2026, 1, 30)) == []
    assert reminded(date(2026, 2, 2)) == [("before", every)]
    assert reminded(date(2026, 2, 6)) == [("late", every)]
    # Nobody has worked with this folder for a year: it does not begin with a year of reminders.
    months = {item.told["month"] for item in letters.wanted(letters.ground(folder, date(2027, 2, 8)),
              at(date(2027, 2, 8)), ("reminder",), (here,))}  # fmt: skip
    assert {m for m in months if m > "2025-12"} == {"2027-01"}


def test_the_paper_says_the_amount_in_figures_and_capitals(tmp_path: Path) -> None:
    from docx import Document
    from pypdf import PdfReader

    ground = made_up(tmp_path, [finding()])
    now = at(MONDAY)
    (name,) = letters.draft(ground, letters.wanted(ground, now), by="甲", now=now)
    texts = [
        "".join(p.extract_text() for p in PdfReader(io.BytesIO(letters.preview(ground, name, now))).pages)
    ]
    document = Document(io.BytesIO(letters.preview(ground, name, now, "docx")))
    texts.append("".join(paragraph.text for paragraph in document.paragraphs))
    for text in texts:
        flat = text.replace("\n", "").replace(" ", "")
        assert "工作经费。2026年2月应为108000.00元" in flat, "official papers write a month out"
        assert "差43200.00元。差额大写：人民币肆万叁仟贰佰元整" in flat
        assert "1号镇人民政府：" in flat
        assert "草稿" in flat
        assert "2026年3月16日前书面答复" in flat
    first = document.sections[0].first_page_header.paragraphs
    assert first[0].text == "湘东区民政局"
    letters.approve(ground.folder, [name], by="乙", now=now)
    letters.issue(ground, [name], by="甲", now=now)
    pages = PdfReader(io.BytesIO(letters.preview(ground, name, now))).pages
    text = "".join(page.extract_text() for page in pages).replace("\n", "")
    assert "督函〔2026〕1号" in text
    assert "草稿" not in text


def test_the_letter_lies_on_its_page_as_the_standard_measures(tmp_path: Path) -> None:
    """GB/T 9704-2012, 10.1: the head 30 mm from the edge; 4 mm below it and 20 mm above the page's end red lines of 170 mm."""
    from PIL import Image

    ground = made_up(tmp_path, [finding()])
    now = at(MONDAY)
    (name,) = letters.draft(ground, letters.wanted(ground, now), by="甲", now=now)
    image = Image.open(io.BytesIO(letters.preview(ground, name, now, "png"))).convert("RGB")
    wide, high = image.size
    mm = wide / 210
    pixels = image.load()
    red = [
        [x for x in range(wide) if (p := pixels[x, y])[0] > 180 and p[1] < 90 and p[2] < 90]
        for y in range(high)
    ]
    lines = [y / mm for y, row in enumerate(red) if len(row) > 150 * mm]
    head = [y / mm for y, row in enumerate(red) if row and len(row) < 150 * mm]
    assert min(head) == pytest.approx(30, abs=0.5)
    assert min(lines) - max(y for y in head if y < min(lines)) == pytest.approx(4, abs=0.5)
    assert max(lines) == pytest.approx(297 - 20, abs=0.5)
    row = next(row for row in red if len(row) > 150 * mm)
    assert (row[0] / mm, row[-1] / mm) == pytest.approx((20, 190), abs=0.5)
    # Two lines are free above the name, and the date below it ends four characters from the edge.
    tops, ends, is_within = [], [], False
    for y in range(high):
        black = [x / mm for x in range(wide) if max(pixels[x, y]) < 110]
        if black and not is_within:
            tops.append(y / mm)
            ends.append(0.0)
        is_within = bool(black)
        if black:
            ends[-1] = max(ends[-1], *black)
    pitch = 28.95 / 72 * 25.4
    assert tops[-1] - tops[-2] == pytest.approx(pitch, abs=1)
    assert tops[-2] - tops[-3] == pytest.approx(3 * pitch, abs=1)
    assert ends[-1] == pytest.approx(210 - 26 - 64 / 72 * 25.4, abs=1.5)


def test_the_command_walks_the_sample(
    sample_folder: DataFolder,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = own_copy(sample_folder, tmp_path / "data", with_accounts=False)
    data = ["--data", str(folder.root), "--unit", "360313108"]
    monday = at(date(2026, 11, 30))

    class Clock(datetime):
        @classmethod
        def now(cls, _: Any = None) -> Any:
            return monday

    for module in ("oversight.commands.letter", "oversight.workflow.following"):
        monkeypatch.setattr(f"{module}.datetime", Clock)
    assert main(["letter", "due", *data]) == 0
    assert "麻山镇  提醒函  9 项" in capsys.readouterr().out
    assert main(["letter", "draft", "--by", "甲", *data]) == 0
    assert main(["letter", "approve", "--by", "乙", *data]) == 0
    assert main(["letter", "issue", "--by", "甲", *data]) == 0
    # What the sample itself tells of, and the month that is being collected in November 2026.
    assert "签发 3 件" in capsys.readouterr().out
    assert main(["letter", "send", "--by", "甲", *data]) == 1
    assert "没有送达名单" in capsys.readouterr().err
    (folder.root / "report").mkdir(exist_ok=True)
    (tmp_path / "out").mkdir()
    (folder.root / "report" / "recipients.csv").write_text(
        f"区划代码,接收方,文件夹,邮箱\n360313108,麻山镇,{tmp_path / 'out'},\n", "utf-8"
    )
    assert main(["letter", "send", "--by", "甲", *data]) == 0
    assert "送达 3 件" in capsys.readouterr().out
    names = sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert [name.rpartition(".")[2] for name in names].count("xlsx") == 5, "templates come with the reminder"
    assert len(names) == 11
    assert significant("360313108") == "360313108"


def test_the_list_of_recipients_is_read_with_a_sentence_for_each_slip(tmp_path: Path) -> None:
    ground = made_up(tmp_path, [])
    path = tmp_path / "report" / "recipients.csv"
    for text, said in (
        ("区划代码,接收方,文件夹,邮箱\n36031,甲,/x,\n", "第 2 行：要有"),
        ("区划代码,接收方,文件夹,邮箱\n360313,甲,/x,a@b\n", "第 2 行：要有"),
        ("区划代码,接收方,文件夹,邮箱\n360313,甲,/x,\n360313,乙,/y,\n", "第 3 行：360313 写了两次"),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises((FollowError, ReportError), match=said):
            letters.recipients(ground.folder)


def test_the_page_of_a_unit_shows_what_is_due_there(sample_folder: DataFolder, tmp_path: Path) -> None:
    folder = own_copy(sample_folder, tmp_path)
    people.add(folder, at_the_machine(), "whole", "analyst", ["000000"], password=PASSWORD, must_change=False)
    browser = Browser(create_app(folder).server.test_client())
    assert browser.sign_in("whole").status_code == 303

    def due(unit: str) -> list[str]:
        told = browser.get(f"/letters/all?unit={unit}").get_json()
        assert told["due_count"] >= len(told["due"])
        return [item["unit"] for item in told["due"]]

    everywhere, county = due(""), due("360313")
    assert len({unit[:6] for unit in everywhere}) > 1
    assert county == [unit for unit in everywhere if unit.startswith("360313")] != []
    assert due(county[-1]) == [unit for unit in county if unit == county[-1]]


def test_the_page_drafts_approves_and_shows_letters_inside_the_scope(
    sample_folder: DataFolder, tmp_path: Path
) -> None:
    folder = own_copy(sample_folder, tmp_path)
    app = create_app(folder)
    browsers = {
        name: Browser(app.server.test_client())
        for name in ("analyst", "reviewer", "other-analyst", "reporter")
    }
    for name, browser in browsers.items():
        assert browser.sign_in(name).status_code == 303
    analyst, reviewer, foreign = browsers["analyst"], browsers["reviewer"], browsers["other-analyst"]
    due = analyst.get("/letters/all").get_json()["due"]
    assert {item["unit"][:6] for item in due} == {"360313"}
    # A letter to the county is the city's: whoever has the county alone neither drafts nor signs it.
    assert all(len(item["unit"]) == 9 for item in due)
    (theirs,) = [
        w for w in letters.wanted(letters.ground(folder, MONDAY), at(MONDAY)) if w.unit.code == "360313"
    ]
    to_county = letters.draft(letters.ground(folder, MONDAY), [theirs], by="市里", now=at(MONDAY))
    told = posted(reviewer, "/letters/step", {"step": "approve", "letters": to_county})
    assert (told.status_code, "无权办理" in told.get_data(as_text=True)) == (400, True)
    assert analyst.get(f"/letters/file?id={to_county[0]}").status_code == 200
    letters.discard(folder, to_county, by="市里", why="试")
    items = [{key: item[key] for key in ("kind", "unit", "colour", "about")} for item in due[:2]]
    # What is due elsewhere is not drafted from here.
    assert posted(foreign, "/letters/draft", {"items": items}).get_json()["done"] == 0
    assert posted(analyst, "/letters/draft", {"items": items}).get_json() == {"done": 2, "told": []}
    assert posted(analyst, "/letters/draft", {"items": items}).get_json()["done"] == 0
    names = [
        row["id"] for row in analyst.get("/letters/all").get_json()["letters"] if row["id"] not in to_county
    ]
    assert len(names) == 2
    assert foreign.get("/letters/all").get_json()["letters"] == []
    assert browsers["reporter"].get("/letters/all").status_code == 403

    def step(browser: Browser, kind: str) -> Any:
        return posted(browser, "/letters/step", {"step": kind, "letters": names})

    assert "角色不能审批" in step(analyst, "approve").get_data(as_text=True)
    assert "无权办理" in step(foreign, "issue").get_data(as_text=True)
    assert step(reviewer, "approve").get_json()["done"] == 2
    assert foreign.get(f"/letters/file?id={names[0]}").status_code == 400
    assert analyst.get(f"/letters/file?id={names[0]}").data.startswith(b"%PDF")
    assert [line.told["动作"] for line in record.lines(folder, what="letter")] == [
        "拟稿",
        "作废",
        "拟稿",
        "审批",
    ]
    store.forget(folder)


def test_a_quarter_of_scripted_replies(tmp_path: Path) -> None:
    """The short form of tests/faults/year_of_letters.py, which checks against what the script knows."""
    found = year_of_letters.run(tmp_path, 6, days=110)
    assert found["letters"] > 10
    assert found["actions on record"] > 20
