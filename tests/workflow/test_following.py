"""Findings are followed up: by the command line, by the page's addresses, by hand-written files, by two at once."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.accounts import record, store
from oversight.accounts.scope import Scope
from oversight.cli import main
from oversight.dashboard.app import create_app
from oversight.settings import TIME_ZONE, DataFolder
from oversight.standards import load_finding_notes
from oversight.workflow import following
from oversight.workflow.following import STATES, STEPS, FollowError, Said
from tests.accounts.asking import COUNTY, OTHER_COUNTY, TOWN, Browser
from tests.workflow.conftest import own_copy
from tests.workflow.handing import posted

KEY = "00112233445566778899aabb"


@pytest.fixture(scope="module")
def place(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFolder]:
    """The sample with accounts; each test takes findings that no other has touched."""
    made = own_copy(sample_folder, tmp_path_factory.mktemp("following"))
    yield made
    store.forget(made)


@pytest.fixture(scope="module")
def browsers(place: DataFolder) -> dict[str, Browser]:
    app = create_app(place)
    found = {}
    for name in ("reporter", "analyst", "other-analyst", "reader", "reviewer"):
        found[name] = Browser(app.server.test_client())
        assert found[name].sign_in(name).status_code == 303
    return found


def listed(browser: Browser, state: str = "new", **chosen: str) -> list[dict[str, Any]]:
    answer = browser.client.get("/follow/list", query_string=chosen | {"state": state})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return list(answer.get_json()["rows"])


def one(browser: Browser, name: str) -> Any:
    return browser.client.get("/follow/one", query_string={"id": name}).get_json()


def act(browser: Browser, kind: str, *items: dict[str, Any], key: str = "", **said: Any) -> Any:
    body = {"key": key or f"{abs(hash((kind, str(items), str(said)))):024x}"[:24], "kind": kind}
    body["findings"] = [{"id": item["id"], "version": item["version"]} for item in items]
    return posted(browser, "/follow/act", body | {"text": f"办理{kind}"} | said)


def soon() -> str:
    return f"{datetime.now(TIME_ZONE).date() + timedelta(days=30)}"


def test_the_whole_life_with_a_township_an_analyst_and_a_reviewer(
    place: DataFolder, browsers: dict[str, Browser]
) -> None:
    analyst, reviewer, reporter = browsers["analyst"], browsers["reviewer"], browsers["reporter"]
    name = listed(reporter)[0]["id"]

    def step(browser: Browser, kind: str, state: str, **said: Any) -> None:
        answer = act(browser, kind, one(browser, name), **said)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert answer.get_json() == {"done": [name], "refused": []}
        assert one(browser, name)["state_zh"] == state

    step(analyst, "assigned", "新发现", owner="analyst")
    step(analyst, "notice", "已通知")
    step(reporter, "reply", "已答复")
    step(reviewer, "returned", "已通知")
    step(reporter, "reply", "已答复")
    step(analyst, "agreed", "整改中", on=soon())
    step(analyst, "done", "待核销")
    step(reviewer, "closed", "已销号", text="现场核对，单据齐全")
    step(reviewer, "reopened", "反复", text="复查发现没有到位")
    step(reviewer, "exemption", "已豁免", on=soon())
    step(reviewer, "exemption_end", "反复")
    assert [row["id"] for row in listed(analyst, "all", mine="1")] == [name]
    # Every change stands in the record, and the two agree.
    lines = [line.told for line in record.lines(place, what="finding") if line.told["问题"] == name]
    assert [told["状态"].partition("→")[2] for told in lines] == [
        *(
            "新发现",
            "已通知",
            "已答复",
            "已通知",
            "已答复",
            "整改中",
            "待核销",
            "已销号",
            "反复",
            "已豁免",
            "反复",
        )
    ]
    found = following.reconcile(place)
    assert (found.matched, found.by_hand, found.before_record, found.wrong) == (
        *(len(load_finding_notes(place)), 0, 0, ()),
    )
    # What the pipeline reads is the same.
    kinds = load_finding_notes(place).filter(finding_id=name)["kind"].to_list()
    assert kinds[:3] == ["assigned", "notice", "reply"]


def test_what_the_state_or_the_role_does_not_allow_is_refused_in_a_sentence(
    place: DataFolder, browsers: dict[str, Browser]
) -> None:
    item, before = listed(browsers["reporter"])[0], following.reconcile(place).matched
    for name, kind in (
        ("analyst", "closed"),
        ("reporter", "notice"),
        ("reader", "reply"),
        ("reviewer", "done"),
    ):
        answer = act(browsers[name], kind, item, on=soon())
        assert (answer.status_code, "角色不能" in answer.get_data(as_text=True)) == (400, True), (name, kind)
    told = act(browsers["analyst"], "agreed", item, on=soon()).get_json()["refused"][0]["why"]
    assert told == "这个问题现在是“新发现”，不能约定整改；能约定整改的是：已通知、已答复、整改中。"
    yesterday = f"{datetime.now(TIME_ZONE).date() - timedelta(days=1)}"
    assert "已经过去" in act(browsers["reviewer"], "exemption", item, on=yesterday).get_data(as_text=True)
    assert "须写明" in act(browsers["reviewer"], "exemption", item, text=" ", on="").get_data(as_text=True)
    # Of another county one neither sees a finding nor does anything about it.
    foreign = listed(browsers["other-analyst"])[0]
    assert foreign["code"].startswith(OTHER_COUNTY)
    assert "无权查看" in act(browsers["analyst"], "notice", foreign).get_data(as_text=True)
    assert (
        browsers["analyst"].client.get("/follow/one", query_string={"id": foreign["id"]}).status_code == 400
    )
    assert {row["code"][:6] for row in listed(browsers["analyst"])} == {COUNTY}
    assert {row["code"] for row in listed(browsers["reporter"])} == {TOWN}
    assert following.reconcile(place).matched == before


def test_two_on_one_finding_one_wins_and_the_other_is_told(
    place: DataFolder, browsers: dict[str, Browser]
) -> None:
    item = listed(browsers["reporter"])[0]
    assert act(browsers["analyst"], "notice", item, text="先到").get_json()["done"] == [item["id"]]
    (told,) = act(browsers["reviewer"], "exemption", item, on=soon()).get_json()["refused"]
    assert "有了变化（analyst刚刚办理了“通知”）" in told["why"]
    # At the same instant, from several threads: exactly one.
    rows = following.edition_rows(place, (TOWN,))
    name, now, won = item["id"], datetime.now(TIME_ZONE), []

    def race(number: int) -> None:
        outcome = following.act(
            place, rows, {name: 1}, "reply", Said(f"第{number}个"), by=f"甲{number}", now=now
        )
        won.extend(outcome.done)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [name]
    assert len(following.cases(place, rows, now.date())[name].notes) == 2


def test_a_second_press_changes_nothing(place: DataFolder, browsers: dict[str, Browser]) -> None:
    item, before = listed(browsers["reporter"])[0], following.reconcile(place).matched
    for _ in range(3):
        answer = act(browsers["analyst"], "notice", item, key=KEY)
        assert answer.get_json() == {"done": [item["id"]], "refused": []}
    assert one(browsers["analyst"], item["id"])["version"] == 1
    assert following.reconcile(place).matched == before + 1


def test_several_at_once_each_by_its_own_state(browsers: dict[str, Browser]) -> None:
    items = listed(browsers["analyst"])[:6]
    act(browsers["analyst"], "notice", items[0])
    told = act(browsers["analyst"], "notice", *items, text="一起通知").get_json()
    assert told["done"] == [item["id"] for item in items[1:]]
    assert [item["id"] for item in told["refused"]] == [items[0]["id"]]
    assert {row["id"] for row in listed(browsers["analyst"], "notified")} >= {i["id"] for i in items}


def test_attachments_are_kept_and_seen_only_by_whom_the_finding_concerns(
    browsers: dict[str, Browser],
) -> None:
    reporter = browsers["reporter"]
    item, content = listed(reporter)[0], b"%PDF-1.4 <script>alert(1)</script>" * 9
    made = posted(reporter, "/follow/attach", {"files": [{"name": "../付款|凭证.pdf", "size": len(content)}]})
    upload = made.get_json()["id"]
    for at in range(0, len(content), 100):
        sent = reporter.post(
            f"/follow/part/{upload}/0/{at}",
            data=content[at : at + 100],
            content_type="application/octet-stream",
        )
        assert sent.status_code == 200
    assert act(reporter, "reply", item, upload=upload).status_code == 200
    (file,) = one(reporter, item["id"])["notes"][0]["files"]
    assert file["name"] == "付款凭证.pdf"
    answer = browsers["analyst"].client.get(file["href"])
    assert answer.data == content
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert browsers["other-analyst"].client.get(file["href"]).status_code == 400
    # Not even within the own county by another finding's name.
    other = next(row for row in listed(browsers["analyst"]) if row["id"] != item["id"])
    assert browsers["analyst"].client.get(file["href"].replace(item["id"], other["id"])).status_code in (
        400,
        404,
    )


NOTES = """问题编号,类别,记录日期,内容,约定日期,豁免至,批准人,记录人
@0,通知,2026-01-05,督办单,,,,张三
@0,答复,2026-01-07,"已申请，
请予延期",,,,李四
@0,约定整改,2026/01/08,年中补足,2026-06-30,,,张三
@1,豁免,2026-01-05,撤并在即,,2099-12-31,王五,张三
@1,答复,2026-01-06,另有说明,,,,李四
A-06/999999999/2020-01,答复,2025-02-01,早已没有的问题,,,,
"""


def test_hand_written_notes_count_are_exported_and_taken_back_without_loss(
    sample_folder: DataFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = own_copy(sample_folder, tmp_path, with_accounts=False)
    data = ["--data", str(place.root)]
    ids = [row["finding_id"] for row in following.edition_rows(place, (COUNTY,)) if row["status"] == "short"][
        :2
    ]
    (place.root / "findings").mkdir()
    (place.root / "findings" / "notes.csv").write_text(
        NOTES.replace("@0", ids[0]).replace("@1", ids[1]), "utf-8-sig"
    )
    found = following.cases(place, following.edition_rows(place), date(2026, 7, 1))
    assert [found[name].state for name in ids] == ["rectifying", "replied"]
    assert main(["finding", "show", ids[0], *data]) == 0
    assert "约定整改" in capsys.readouterr().out
    assert main(["finding", "remark", ids[0], "--by", "赵六", "--text", "去现场\n看过", *data]) == 0
    out = tmp_path / "out.csv"
    assert main(["finding", "export", "-o", str(out), *data]) == 0
    fresh = DataFolder.at(tmp_path / "fresh")
    fresh.root.mkdir()
    assert main(["finding", "import", str(out), "--by", "赵六", "--data", str(fresh.root)]) == 0
    assert "收进 7 条，已有 0 条" in capsys.readouterr().out
    columns = [name for name in load_finding_notes(fresh).columns if name not in ("note_no", "file_name")]
    assert sorted(load_finding_notes(fresh).select(columns).rows(), key=str) == sorted(
        load_finding_notes(place).select(columns).rows(), key=str
    )
    assert main(["finding", "import", str(out), "--by", "赵六", *data]) == 0
    assert "收进 0 条，已有 7 条" in capsys.readouterr().out
    assert following.export(fresh) == out.read_text("utf-8")


def test_the_ledger_is_held_against_the_record(
    place: DataFolder, browsers: dict[str, Browser], capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(place.root)]
    items = listed(browsers["analyst"])[:3]
    act(browsers["analyst"], "notice", *items)
    assert main(["finding", "check", *data]) == 0
    assert f"一致 {len(load_finding_notes(place))} 次" in capsys.readouterr().out
    (path,) = (place.root / "findings").glob("办理_*.csv")
    whole = path.read_bytes()
    lines = whole.decode().splitlines(keepends=True)
    for changed, said in (
        ([*lines[:-1], lines[-1].replace("办理notice", "不曾说过")], "台账被改动过"),
        (lines[:-1], "台账里没有"),
        ([*lines, lines[-1].replace("-2,", "-7,")], "在留痕里没有"),
        # One bit, and it reads the same.
        ([*lines[:-2], lines[-2].replace("\n", "\v"), lines[-1]], "字节不同"),
        ([lines[0].replace("\n", "\v"), *lines[1:]], "表头被改动过"),
    ):
        path.write_text("".join(changed), "utf-8")
        assert main(["finding", "check", *data]) == 1
        assert said in capsys.readouterr().err
    # As a spreadsheet saves it: named, and put back.
    path.write_bytes(whole.replace(b"\n", b"\r\n"))
    assert f"{len(lines) - 1} 次办理与系统写下的字节不同" in following.reconcile(place).wrong[0]
    assert (following.respell(place), path.read_bytes()) == ([path], whole)
    assert following.respell(place) == []
    # A line that was cut off while it was written is none, and the next one stands whole after it.
    path.write_bytes(whole[:-20])
    assert len(load_finding_notes(place)) == len(lines) - 2
    item = one(browsers["analyst"], items[0]["id"])
    assert act(browsers["analyst"], "remark", item).status_code == 200
    assert len(load_finding_notes(place)) == len(lines) - 1
    path.write_bytes(whole)


def test_the_page_holds_the_ledger_against_the_record_for_what_is_in_sight(
    place: DataFolder, browsers: dict[str, Browser]
) -> None:
    item = listed(browsers["analyst"])[0]
    assert act(browsers["analyst"], "remark", item).status_code == 200
    mine, other = (
        browsers[name].get("/follow/reconcile").get_json() for name in ("analyst", "other-analyst")
    )
    whole = following.reconcile(place)
    county, rest = (following.reconcile(place, Scope((code,))) for code in (COUNTY, OTHER_COUNTY))
    assert f"一致 {county.matched} 次" in mine["told"]
    assert f"一致 {rest.matched} 次" in other["told"]
    assert 1 <= county.matched <= whole.matched - rest.matched
    assert mine["count"] == len(county.wrong)
    taken, others = (browsers[name].get("/follow/export") for name in ("analyst", "other-analyst"))
    names = {row["问题编号"] for row in csv.DictReader(io.StringIO(taken.data.decode("utf-8-sig")))}
    assert item["id"] in names
    assert all(name.split("/")[1].startswith(COUNTY) for name in names)
    assert item["id"] not in others.get_data(as_text=True)
    # Of a unit that is not in sight nothing else is told than of none.
    assert browsers["other-analyst"].get(f"/follow/reconcile?unit={TOWN}").get_json() == other


def test_states_follow_the_data_the_days_and_the_earlier_findings(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    row = {"subject_code": "360313101", "rule_id": "T-1", "status": "short", "previous_finding_id": None}
    row |= {
        "finding_id": "T-1/360313101/2026-01",
        "opened_month": date(2026, 1, 1),
        "last_month": date(2026, 3, 1),
    }
    again = row | {"finding_id": "T-1/360313101/2026-05", "previous_finding_id": row["finding_id"]}
    again |= {"opened_month": date(2026, 5, 1), "last_month": date(2026, 5, 1)}
    rows = [row | {"status": "cleared"}, again]

    def at(day: date) -> following.Case:
        return following.cases(folder, rows, day)[again["finding_id"]]

    def do(kind: str, day: date, by: str = "甲", **said: Any) -> following.Outcome:
        now = datetime(day.year, day.month, day.day, 9, tzinfo=TIME_ZONE)
        return following.act(
            folder, rows, {again["finding_id"]: None}, kind, Said("理由", **said), by=by, now=now
        )

    assert (at(date(2026, 6, 1)).state, at(date(2026, 6, 1)).earlier) == ("recurring", (row["finding_id"],))
    closed = following.cases(folder, rows, date(2026, 6, 1))[row["finding_id"]]
    assert (closed.state, closed.closed_by) == ("closed", "数据已达标")
    do("exemption", date(2026, 6, 1), on=date(2026, 6, 30), approver="乙")
    assert [at(date(2026, 6, 30)).state, at(date(2026, 7, 1)).state] == ["exempt", "recurring"]
    do("notice", date(2026, 7, 1), on=date(2026, 7, 4))
    # 4 July 2026 is a Saturday: what is due then is not late on Monday.
    from oversight.calendar import load_calendar

    assert [at(date(2026, 7, day)).is_overdue(load_calendar()) for day in (4, 6, 7)] == [False, False, True]
    do("done", date(2026, 7, 8))
    assert "提请核销的人不能核销" in do("closed", date(2026, 7, 9)).refused[0][1]
    do("closed", date(2026, 7, 9), by="乙")
    assert at(date(2026, 7, 9)).state == "closed"
    rows[1] = again | {"last_month": date(2026, 7, 1)}
    assert at(date(2026, 8, 10)).state == "recurring"
    rows[1] = again | {"status": "cleared"}
    assert at(date(2026, 8, 10)).state == "closed"
    assert "不能重新打开" in do("reopened", date(2026, 8, 10)).refused[0][1]


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=12))
def test_no_path_leads_past_the_table(tmp_path_factory: pytest.TempPathFactory, kinds: list[str]) -> None:
    """Whatever is tried in whatever order: only what the table allows happens, and closing needs two people."""
    folder = DataFolder.at(tmp_path_factory.mktemp("walk"))
    name = "T-1/360313101/2026-01"
    row = {"finding_id": name, "subject_code": "360313101", "status": "short", "previous_finding_id": None}
    row |= {"opened_month": date(2026, 1, 1), "last_month": date(2026, 1, 1)}
    now = datetime(2026, 3, 2, 9, tzinfo=TIME_ZONE)
    state = "new"
    for kind in kinds:
        said = Said("理由", date(2026, 12, 31), "乙", "丙")
        by = "乙" if STEPS[kind].needs == "close_finding" else "甲"
        outcome = following.act(folder, [row], {name: None}, kind, said, by=by, now=now)
        case = following.cases(folder, [row], now.date())[name]
        assert bool(outcome.done) == (state in STEPS[kind].leads)
        if outcome.done and kind != "exemption_end":
            assert case.state == STEPS[kind].leads[state]
        state = case.state
    assert state in STATES
    text = following.export(folder)
    assert len(list(csv.reader(io.StringIO(text)))) == 1 + len(
        following.cases(folder, [row], now.date())[name].notes
    )


def test_a_step_needs_a_name_and_a_known_kind(tmp_path: Path) -> None:
    now = datetime.now(TIME_ZONE)
    with pytest.raises(FollowError, match="请写明由谁办理"):
        following.act(DataFolder.at(tmp_path), [], {"x": None}, "notice", Said("x"), by=" ", now=now)
    with pytest.raises(FollowError, match="没有“burn”这种办理"):
        following.act(DataFolder.at(tmp_path), [], {"x": None}, "burn", Said("x"), by="甲", now=now)


def test_an_action_whose_number_looks_like_a_telephone_is_found_in_the_record(
    place: DataFolder, browsers: dict[str, Browser]
) -> None:
    item, before = listed(browsers["analyst"])[0], following.reconcile(place)
    assert act(browsers["analyst"], "remark", item, key="7dd8e13812345678aabbccdd").status_code == 200
    found = following.reconcile(place)
    assert (found.matched, found.wrong) == (before.matched + 1, before.wrong)
