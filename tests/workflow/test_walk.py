"""The month in a real browser with a reporter, an analyst, a reviewer and whoever signs: hand in with a mistake, correct,
review, run, draft, approve, issue; and a finding from its notice over reminder, letters, reply and corrected budget to the
paper that says what it moved. Each is made once more from the command line and gives the same edition.

They make whole runs, so they stand apart: `make test-walk`.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine

from oversight.accounts import people
from oversight.accounts.actor import at_the_machine
from oversight.calendar import load_calendar
from oversight.editions import current, open_edition
from oversight.reports import versions
from oversight.settings import PROJECT_ROOT, TIME_ZONE, DataFolder
from oversight.standards.notes import note_files, read_notes
from oversight.workflow import following
from tests.accounts.asking import COUNTY, PASSWORD, TOWN, add_accounts
from tests.conftest import run_oversight
from tests.dashboard.browsing import Served, needs_chromium, serving, until, visiting
from tests.workflow.conftest import own_copy
from tests.workflow.handing import MONTH, good

pytestmark = [
    needs_chromium,
    pytest.mark.skipif(not os.environ.get("OVERSIGHT_TEST_WALK"), reason="整月走查较慢：make test-walk"),
]
PATIENT = 240_000


@pytest.fixture(scope="module")
def served(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = own_copy(sample_folder, tmp_path_factory.mktemp("walk"))
    folder.settings_toml.write_text(f'[review]\ndivisions = ["{COUNTY}"]\n', "utf-8")
    people.add(
        folder, at_the_machine(), "chief-analyst", "analyst", ["000000"], password=PASSWORD, must_change=False
    )
    with serving(folder) as running:
        yield running


def opened(visit: Any, base: str, name: str, path: str) -> Any:
    page = visit.page
    page.set_default_timeout(60_000)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(base + path)
    signed_in(page, name)
    return page


def signed_in(page: Any, name: str) -> None:
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")


def test_a_month_from_the_first_file_to_the_issued_paper(
    chromium: Any, served: Served, tmp_path: Path
) -> None:
    folder, base = served.folder, served.base
    before = current(folder)
    assert before is not None
    # The same month without a browser: the folder as it is before anything happens in one.
    aside = DataFolder.at(tmp_path / "aside")
    for name in ("marts", "raw", "landed", "archive", "returned"):
        shutil.copytree(folder.root / name, aside.root / name, symlinks=True)
    wrong, right = tmp_path / "湘东镇人口.csv", tmp_path / "湘东镇人口（改正）.csv"
    wrong.write_bytes(good("四万一"))
    right.write_bytes(good(41_050))

    with visiting(chromium, base) as visit:
        page = opened(visit, base, "reporter", f"/hand-in?unit={TOWN}&for={MONTH}")
        page.wait_for_selector("#hand-in-due table")
        told_and_taken_back(page, wrong, "E2")
        page.set_input_files("#hand-in-files", str(right))
        tray = page.locator(".hand-in-tray[data-state=judged]")
        tray.wait_for(timeout=PATIENT)
        # A double click hands in once.
        tray.get_by_role("button", name="报送", exact=True).dblclick()
        page.wait_for_selector("#hand-in-receipts tr[data-receipt]")
        assert "已交，待审核" in page.inner_text("#hand-in-receipts")
        assert page.locator("#hand-in-receipts tr[data-receipt]").count() == 1

    with visiting(chromium, base) as visit:
        page = opened(visit, base, "reviewer", "/review")
        page.wait_for_selector("#review-files tr[data-review]")
        page.click("#review-files tr[data-review] button")
        page.wait_for_selector("#review-file tr[data-row]")
        assert "41050" in page.inner_text("#review-file").replace(",", "")
        # What was typed outlives a reload.
        page.fill("#review-reason", "已与派出所核对")
        page.reload()
        page.wait_for_selector("#review-file tr[data-row]")
        assert page.input_value("#review-reason") == "已与派出所核对"
        page.get_by_role("button", name="采用", exact=True).dblclick()
        page.wait_for_selector("#review-done tr[data-review]")
        assert "审核采用" in page.inner_text("#review-done")
    assert [p.read_bytes() for p in folder.raw.rglob("湘东镇人口（改正）*.csv")] == [right.read_bytes()]

    with visiting(chromium, base) as visit:
        page = opened(visit, base, "analyst", "/run")
        page.wait_for_selector("#run-waiting table")
        assert "湘东镇人口（改正）" in page.inner_text("#run-waiting")
        page.get_by_role("button", name="现在运行").dblclick()
        page.wait_for_selector(".run-step.is-now", timeout=PATIENT)
        page.wait_for_selector("#run-list tr[data-state=done]", timeout=PATIENT)
        assert page.locator("#run-list tr[data-run]").count() == 1
        assert "已发布新版本" in page.inner_text("#run-list")
    after = current(folder)
    assert after is not None
    assert after.edition_id != before.edition_id

    # What the reviewer said lies in corrections/, what was accepted in raw/: a command line finds the same there.
    for place in (folder.raw, folder.corrections):
        for path in place.rglob("*") if place.is_dir() else ():
            target = aside.root / path.relative_to(folder.root)
            if path.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    done = run_oversight("run", "--data", str(aside.root))
    assert done.returncode == 0, done.stdout + done.stderr
    alone = current(aside)
    assert alone is not None
    assert alone.made_from == after.made_from
    tables = (after.manifest["tables"], alone.manifest["tables"])
    differing = {
        name for name in tables[0].keys() | tables[1].keys() if tables[0].get(name) != tables[1].get(name)
    }
    # When a file came and when the edition was made are the only things that two runs do not share.
    assert differing <= {"main.edition", "main.submissions", "edition", "submissions"}, differing

    with visiting(chromium, base) as visit:
        page = opened(visit, base, "chief-analyst", f"/reports?unit={COUNTY}")
        page.wait_for_selector("#paper-scope")
        page.select_option("#paper-scope", COUNTY)
        page.select_option("#paper-month", "2025-06")
        page.get_by_role("button", name="起草", exact=True).dblclick()
        row = page.locator(f"tr[data-paper='2025-06/{COUNTY}/0']")
        row.wait_for(timeout=PATIENT)
        row.get_by_role("button", name="阅读").click()
        page.frame_locator("#paper-read iframe").locator("h1").first.wait_for()
        row.get_by_role("button", name="送审").click()
        page.wait_for_selector(f"tr[data-paper='2025-06/{COUNTY}/0'][data-state=submitted]")

    with visiting(chromium, base) as visit:
        page = opened(visit, base, "reviewer", f"/reports?unit={COUNTY}")
        row = page.locator(f"tr[data-paper='2025-06/{COUNTY}/0']")
        row.get_by_role("button", name="审核通过").click()
        page.wait_for_selector(f"tr[data-paper='2025-06/{COUNTY}/0'][data-state=reviewed]")

    with visiting(chromium, base) as visit:
        page = opened(visit, base, "chief-analyst", f"/reports?unit={COUNTY}")
        row = page.locator(f"tr[data-paper='2025-06/{COUNTY}/0']")
        row.get_by_role("button", name="印发").dblclick()
        page.wait_for_selector(f"tr[data-paper='2025-06/{COUNTY}/1'][data-state=issued]", timeout=PATIENT)
        page.go_back()
        page.go_forward()
        page.wait_for_selector(f"tr[data-paper='2025-06/{COUNTY}/1'][data-state=issued]")
    (paper,) = versions(folder, date(2025, 6, 1), COUNTY)
    assert paper.document_no
    assert [event["by"] for event in paper.events] == [
        "chief-analyst",
        "chief-analyst",
        "reviewer",
        "chief-analyst",
    ]


# --- a finding from its notice to the money it moved --------------------------------------------------------------

LATE = "360313103"
# 41,000 people at 0.22 元 a month are owed 108,240 元 a year.
SHORT, ENOUGH, MOVED = 50_000, 120_000, Decimal("58240.00")


def test_what_a_heading_means_is_confirmed_where_it_is_asked(
    chromium: Any, served: Served, tmp_path: Path
) -> None:
    lines = ["填报单位：湘东镇,,,,", "统计月份,区划代码,乡镇名称,预算金额,本月拨付"]
    path = tmp_path / "湘东镇经费.csv"
    path.write_text("\ufeff" + "\n".join([*lines, f"{MONTH},{TOWN},湘东镇,120000,10000", ""]), "utf-8")
    with visiting(chromium, served.base) as visit:
        page = opened(visit, served.base, "reporter", f"/hand-in?unit={TOWN}&for={MONTH}")
        page.wait_for_selector("#hand-in-due table")
        page.set_input_files("#hand-in-files", str(path))
        page.locator(".hand-in-asked").wait_for(timeout=PATIENT)
        assert "表头没有确认" in page.inner_text(".hand-in-verdict")
        page.get_by_label("“预算金额”是哪一列").select_option("调整后预算(元)")
        page.get_by_role("button", name="确认表头，重新核对").dblclick()
        page.locator(".hand-in-tray[data-state=judged]", has_text="表头的答复已记下").wait_for(
            timeout=PATIENT
        )
        assert page.locator(".hand-in-asked").count() == 0
        page.get_by_role("button", name="删除", exact=True).click()
    assert served.folder.headings.read_text("utf-8-sig").count("预算金额,调整后预算(元)") == 1
    # Whoever may confirm for all finds it in the history, and takes it back there.
    with visiting(chromium, served.base) as visit:
        page = opened(visit, served.base, "chief-analyst", "/rules?file=headings")
        page.wait_for_selector("#rules-asked")
        page.locator("#rules-changes").get_by_role("button", name="恢复").first.click()
        page.fill("#rules-why", "不是调整后的")
        page.locator("#rules-draft").get_by_role("button", name="提交", exact=True).click()
        page.locator("#rules-changes tr[data-change]", has_text="恢复以前的改动").wait_for(timeout=PATIENT)
    assert "预算金额" not in served.folder.headings.read_text("utf-8-sig")


def _csv(*rows: tuple[Any, ...]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return ("\ufeff" + text.getvalue()).encode()


def _budget(month: date, *rows: tuple[Any, ...]) -> bytes:
    heads = (
        "统计月份",
        "区划代码",
        "乡镇名称",
        "年初预算(元)",
        "调整后预算(元)",
        "累计拨付(元)",
        "累计支出(元)",
    )
    return _csv(heads, *((f"{month:%Y-%m}", code, "", *told) for code, *told in rows))


def a_county(root: Path, today: date) -> DataFolder:
    """Three townships of a county, in the months that today's clock takes for the last one and this one: whoever is noticed
    today can put it right with the next report. Today is a working day there."""
    folder = DataFolder.at(root)
    this = today.replace(day=1)
    last = (this - timedelta(days=1)).replace(day=1)
    towns = (TOWN, "360313102", LATE)
    told = {
        "行政区划.csv": _csv(
            ("区划代码", "名称", "类型", "上级代码"),
            ("360000", "江西省", "省", ""),
            ("360300", "萍乡市", "地级市", "360000"),
            (COUNTY, "湘东区", "市辖区", "360300"),
            *(
                (code, name, "镇", COUNTY)
                for code, name in zip(towns, ("湘东镇", "荷尧镇", "老关镇"), strict=True)
            ),
        )
    }
    people_heads = ("统计月份", "区划代码", "乡镇名称", "户籍户数(户)", "户籍人口(人)")
    staff_heads = (
        "统计月份",
        "区划代码",
        "乡镇名称",
        "行政编制数(名)",
        "事业编制数(名)",
        "在编在岗专职人数(人)",
    )
    for month in (date(this.year - 1, 12, 1), last, this):
        # One has not reported the last month.
        own = [code for code in towns if month != last or code != LATE]
        told[f"人口{month:%Y-%m}.csv"] = _csv(
            people_heads, *((f"{month:%Y-%m}", c, "", 12_000, 41_000) for c in own)
        )
        if month.year == this.year:
            told[f"人员{month:%Y-%m}.csv"] = _csv(
                staff_heads, *((f"{month:%Y-%m}", c, "", 3, 2, 3) for c in own)
            )
            told[f"经费{month:%Y-%m}.csv"] = _budget(
                month, *((c, ENOUGH, "", 90_000, 90_000) for c in own if c != TOWN)
            )
    folder.raw.mkdir(parents=True)
    for name, content in told.items():
        (folder.raw / name).write_bytes(content)
    folder.standards.mkdir()
    (folder.standards / "calendar.csv").write_text(f"date,kind,note\n{today},workday,走查\n", "utf-8")
    (folder.root / "outbox").mkdir()
    (folder.root / "report").mkdir()
    (folder.root / "report" / "recipients.csv").write_text(
        f"区划代码,接收方,文件夹,邮箱\n{COUNTY},各乡镇,{folder.root / 'outbox'},\n", "utf-8"
    )
    return folder


def a_summer_day() -> date:
    """The day on which the walk begins, whatever day it really is: in January the month before belongs to another year's
    budget. It lies ahead, so that no file seems to come from the future."""
    return date(datetime.now(TIME_ZONE).year + 1, 6, 16)


def later(day: date) -> dict[str, str]:
    """The surroundings of a program to which it is that day: a month has to end before its report can be issued."""
    return {
        "PYTHONPATH": str(PROJECT_ROOT / "tests" / "clock"),
        "OVERSIGHT_TEST_LATER": str(_seconds_until(day)),
    }


def _seconds_until(day: date) -> int:
    return (day - datetime.now(TIME_ZONE).date()).days * 86_400


def told_and_taken_back(page: Any, path: Path, words: str) -> None:
    """Upload a file with a mistake, be told of it in these words, and take it away again."""
    page.set_input_files("#hand-in-files", str(path))
    tray = page.locator(".hand-in-tray[data-state=judged]")
    tray.wait_for(timeout=PATIENT)
    assert words in tray.inner_text()
    tray.get_by_role("button", name="删除").click()
    tray.wait_for(state="detached")


def handed_in(page: Any) -> None:
    """Press the button of the one file that was judged, twice: it goes once."""
    tray = page.locator(".hand-in-tray[data-state=judged]")
    tray.wait_for(timeout=PATIENT)
    before = page.locator("#hand-in-receipts tr[data-receipt]").count()
    tray.get_by_role("button", name="报送", exact=True).dblclick()
    until(page, f"document.querySelectorAll('#hand-in-receipts tr[data-receipt]').length === {before + 1}")


def accepted(chromium: Any, base: str, folder: DataFolder) -> Path:
    """Look at the file that waits and accept it; where it lies then."""
    there = set(folder.raw.rglob("*.csv"))
    with visiting(chromium, base) as visit:
        page = opened(visit, base, "reviewer", "/review")
        page.wait_for_selector("#review-files tr[data-review]")
        page.click("#review-files tr[data-review] button")
        page.wait_for_selector("#review-file tr[data-row]")
        page.fill("#review-reason", "已核对")
        page.get_by_role("button", name="采用", exact=True).dblclick()
        until(page, "!document.querySelector('#review-files tr[data-review]')")
    (made,) = set(folder.raw.rglob("*.csv")) - there
    return made


def run_in_browser(chromium: Any, base: str, times: int) -> None:
    """Press the button; `times` runs have then been made here."""
    with visiting(chromium, base) as visit:
        page = opened(visit, base, "analyst", "/run")
        page.wait_for_selector("#run-waiting table")
        page.get_by_role("button", name="现在运行").dblclick()
        page.locator("#run-list tr[data-state=done]").nth(times - 1).wait_for(timeout=PATIENT)
        assert page.locator("#run-list tr[data-run]").count() == times
        assert "已发布新版本" in page.inner_text("#run-list")


def step_on_letters(page: Any, title: str, state: str, after: str) -> None:
    """Take a step on every letter in a state."""
    boxes = page.locator(f"#letters-list tr[data-state={state}] input[type=checkbox]")
    boxes.first.wait_for()
    count = boxes.count()
    for number in range(count):
        boxes.nth(number).check()
    page.locator("#letters-list").get_by_role("button", name=title, exact=True).dblclick()
    page.locator(f"#letters-list tr[data-state={after}]").nth(count - 1).wait_for(timeout=PATIENT)


def form_on_finding(page: Any, name: str, kind: str) -> Any:
    """Open a finding and the form of a step on it."""
    page.locator(f"#follow-list tr[data-finding='{name}'] button.follow-open").click()
    page.locator(f"dialog button[data-step={kind}]").click()
    return page.locator("dialog[open]")


def step_on_finding(page: Any, name: str, kind: str, text: str, **more: Any) -> None:
    """Open a finding and do something about it."""
    box = form_on_finding(page, name, kind)
    box.locator("textarea").fill(text)
    if "on" in more:
        box.locator("input[type=date]").fill(str(more["on"]))
    if "attached" in more:
        box.locator("input[type=file]").set_input_files(str(more["attached"]))
    box.locator("button[type=submit]").dblclick()
    box.wait_for(state="detached")


def moved(folder: DataFolder) -> list[Any]:
    with open_edition(folder) as connection:
        return connection.execute(
            "select finding_id, moved_cny, begins_with from detail.moved_amounts where moved_cny is not null"
        ).fetchall()


def differing(one: DataFolder, other: DataFolder) -> set[str]:
    tables = [found.manifest["tables"] for folder in (one, other) if (found := current(folder)) is not None]
    return {
        name for name in tables[0].keys() | tables[1].keys() if tables[0].get(name) != tables[1].get(name)
    }


def test_a_finding_from_the_notice_to_the_money_it_moved(chromium: Any, tmp_path: Path) -> None:
    today = a_summer_day()
    this = today.replace(day=1)
    last = (this - timedelta(days=1)).replace(day=1)
    after = load_calendar().next_workday((this + timedelta(days=31)).replace(day=1))
    folder = a_county(tmp_path / "data", today)
    folder.settings_toml.write_text(f'[review]\ndivisions = ["{COUNTY}"]\n', "utf-8")
    assert run_oversight("run", "--data", str(folder.root), env=later(today)).returncode == 0
    aside = DataFolder.at(tmp_path / "aside")
    shutil.copytree(folder.root, aside.root, symlinks=True, ignore=shutil.ignore_patterns("outbox"))
    (aside.root / "outbox").mkdir()
    places = aside.root / "report" / "recipients.csv"
    places.write_text(places.read_text("utf-8").replace(str(folder.root), str(aside.root)), "utf-8")
    with time_machine.travel(time.time() + _seconds_until(today)):
        add_accounts(folder)
        people.add(
            folder,
            at_the_machine(),
            "chief-analyst",
            "analyst",
            ["000000"],
            password=PASSWORD,
            must_change=False,
        )
    name = f"A-10/{TOWN}/{this.year - 1}-12"
    attached = tmp_path / "追加预算批复.txt"
    attached.write_text("同意追加。", "utf-8")
    wrong, short, enough = (tmp_path / f"湘东镇经费（{text}）.csv" for text in ("误", "上月", "本月"))
    agreed = today + timedelta(days=30)

    with serving(folder, later(today)) as served:
        base = served.base
        with visiting(chromium, base) as visit:
            page = opened(visit, base, "reporter", f"/hand-in?unit={TOWN}&for={last:%Y-%m}")
            page.wait_for_selector("#hand-in-due table")
            wrong.write_bytes(_budget(last, (TOWN, "五万一", "", 40_000, 40_000)))
            told_and_taken_back(page, wrong, "五万一")
            short.write_bytes(_budget(last, (TOWN, SHORT, "", 40_000, 40_000)))
            page.set_input_files("#hand-in-files", str(short))
            handed_in(page)
        first = accepted(chromium, base, folder)
        run_in_browser(chromium, base, 1)

        # Remind who has not reported the last month, and tell the town what was found.
        with visiting(chromium, base) as visit:
            page = opened(visit, base, "analyst", "/letters")
            for key in (f"notice|{TOWN}|", f"reminder|{LATE}||{last:%Y-%m} "):
                page.locator(f"#letters-due tr[data-due^='{key}'] input[type=checkbox]").check()
            page.get_by_role("button", name="拟稿 2 件").dblclick()
            page.locator("#letters-list tr[data-state=drafted]").nth(1).wait_for()
        with visiting(chromium, base) as visit:
            page = opened(visit, base, "reviewer", "/letters")
            step_on_letters(page, "审批", "drafted", "approved")
        with visiting(chromium, base) as visit:
            page = opened(visit, base, "analyst", "/letters")
            step_on_letters(page, "签发", "approved", "issued")
            step_on_letters(page, "送达", "issued", "delivered")
            assert page.locator("#letters-list tr[data-letter]").count() == 2

        with visiting(chromium, base) as visit:
            page = opened(visit, base, "reporter", "/follow?rule=A-10")
            # The session ends while the reply is being typed: after signing in again it is still there.
            box = form_on_finding(page, name, "reply")
            box.locator("textarea").fill("已安排追加预算")
            people.revoke(folder, at_the_machine(), "reporter")
            box.locator("button[type=submit]").click()
            signed_in(page, "reporter")
            assert all("401" in told for told in visit.wrong), visit.wrong
            visit.wrong.clear()
            box = form_on_finding(page, name, "reply")
            assert box.locator("textarea").input_value() == "已安排追加预算"
            box.get_by_role("button", name="取消").click()
            step_on_finding(page, name, "reply", "已安排追加预算", attached=attached)
        with visiting(chromium, base) as visit:
            page = opened(visit, base, "analyst", "/follow?rule=A-10")
            step_on_finding(page, name, "agreed", "本月追加到位", on=agreed)
        with visiting(chromium, base) as visit:
            page = opened(visit, base, "reporter", f"/hand-in?unit={TOWN}&for={this:%Y-%m}")
            page.wait_for_selector("#hand-in-due table")
            enough.write_bytes(_budget(this, (TOWN, SHORT, ENOUGH, 90_000, 90_000)))
            page.set_input_files("#hand-in-files", str(enough))
            page.wait_for_selector(".hand-in-tray[data-state=waiting], .hand-in-tray[data-state=judged]")
        # The browser was closed before the file was handed in, maybe before it was judged: nothing is lost by that.
        with visiting(chromium, base) as visit:
            page = opened(visit, base, "reporter", f"/hand-in?unit={TOWN}&for={this:%Y-%m}")
            page.wait_for_selector("#hand-in-due table")
            handed_in(page)
        second = accepted(chromium, base, folder)
    sent = sorted(place.name.rpartition("_")[2] for place in (folder.root / "outbox").iterdir())
    assert sent == [TOWN, LATE]

    # The month is over: the run closes the finding, and the paper says what that moved.
    paper = f"tr[data-paper='{this:%Y-%m}/{COUNTY}/%d']"
    with serving(folder, later(after)) as served:
        base = served.base
        run_in_browser(chromium, base, 2)
        with visiting(chromium, base) as visit:
            page = opened(visit, base, "analyst", "/follow?rule=A-10&state=closed")
            row = page.locator(f"#follow-list tr[data-finding='{name}']")
            row.wait_for()
            assert "数据已达标" in row.inner_text()
        with visiting(chromium, base) as visit:
            page = opened(visit, base, "chief-analyst", f"/reports?unit={COUNTY}")
            page.wait_for_selector("#paper-scope")
            page.select_option("#paper-scope", COUNTY)
            page.select_option("#paper-month", f"{this:%Y-%m}")
            page.get_by_role("button", name="起草", exact=True).dblclick()
            page.locator(paper % 0).wait_for(timeout=PATIENT)
            page.locator(paper % 0).get_by_role("button", name="阅读").click()
            text = page.frame_locator("#paper-read iframe").locator("body").inner_text()
            assert "促进资金到位5.82万元" in text.replace(" ", "")
            page.locator(paper % 0).get_by_role("button", name="送审").click()
            page.wait_for_selector(f"{paper % 0}[data-state=submitted]")
        with visiting(chromium, base) as visit:
            page = opened(visit, base, "reviewer", f"/reports?unit={COUNTY}")
            page.locator(paper % 0).get_by_role("button", name="审核通过").click()
            page.wait_for_selector(f"{paper % 0}[data-state=reviewed]")
        with visiting(chromium, base) as visit:
            page = opened(visit, base, "chief-analyst", f"/reports?unit={COUNTY}")
            page.locator(paper % 0).get_by_role("button", name="印发").dblclick()
            page.wait_for_selector(f"{paper % 1}[data-state=issued]", timeout=PATIENT)
    assert moved(folder) == [(name, MOVED, "notice")]
    assert following.reconcile(folder).wrong == ()
    # Sessions that ended, browsers that were closed and double clicks: nothing is lost, nothing is there twice.
    notes = [note for path in note_files(folder) for note in read_notes(path)]
    assert [note["kind"] for note in notes if note["finding_id"] == name] == ["notice", "reply", "agreed"]

    # The same month from the command line.
    def command(*words: str, on: date = today, fails: bool = False) -> str:
        done = run_oversight(*words, "--data", str(aside.root), env=later(on))
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout

    def taken(path: Path) -> None:
        target = aside.root / path.relative_to(folder.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)

    assert "五万一" in command("check", str(wrong), fails=True)
    command("check", str(short))
    taken(first)
    command("run")
    command("letter", "draft", "--kind", "提醒函", "--unit", TOWN, "--by", "analyst")
    command("letter", "approve", "--by", "reviewer")
    command("letter", "issue", "--by", "analyst")
    command("letter", "send", "--by", "analyst")
    command(
        "finding", "reply", name, "--text", "已安排追加预算", "--attach", str(attached), "--by", "reporter"
    )
    command("finding", "agree", name, "--text", "本月追加到位", "--on", str(agreed), "--by", "analyst")
    taken(second)
    for path in folder.corrections.rglob("*") if folder.corrections.is_dir() else ():
        taken(path)
    command("run", on=after)
    assert moved(aside) == moved(folder)
    # When a file came, when an edition was made, at which minute a note was written: two months do not share these.
    times = {"main.edition", "main.submissions", "edition", "submissions"}
    assert differing(folder, aside) <= times | {"detail.finding_notes"}
    shutil.rmtree(aside.root / "findings")
    shutil.copytree(folder.root / "findings", aside.root / "findings")
    command("run", on=after)
    alone, own = current(aside), current(folder)
    assert alone is not None
    assert own is not None
    assert alone.made_from == own.made_from
    assert differing(folder, aside) <= times
