"""核算依据 through the server's own addresses: each file, its checks, the second person, the history, undoing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from oversight.accounts import people, record, store
from oversight.accounts.actor import at_the_machine
from oversight.calendar import load_calendar
from oversight.dashboard.app import create_app
from oversight.intake.judging import corrections, due
from oversight.intake.questions import read_answers
from oversight.references import load_references
from oversight.settings import DataFolder
from oversight.standards import load_standards
from oversight.standards.checks import check_standards
from oversight.workflow import rules, running
from tests.accounts.asking import PASSWORD, Browser
from tests.workflow.conftest import own_copy
from tests.workflow.handing import posted

UNIT = "360313102"
OTHER_UNIT = "640324100"


@pytest.fixture(scope="module")
def folder(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFolder]:
    made = own_copy(sample_folder, tmp_path_factory.mktemp("rules"))
    for name, role in (
        ("chief-analyst", "analyst"),
        ("chief-reviewer", "reviewer"),
        ("second-reviewer", "reviewer"),
    ):
        people.add(made, at_the_machine(), name, role, ["000000"], password=PASSWORD, must_change=False)
    yield made
    store.forget(made)


@pytest.fixture(scope="module")
def browsers(folder: DataFolder) -> dict[str, Browser]:
    app = create_app(folder)
    found = {}
    for name in (
        *("analyst", "other-analyst", "reviewer", "reporter"),
        *("chief-analyst", "chief-reviewer", "second-reviewer"),
    ):
        found[name] = Browser(app.server.test_client())
        assert found[name].sign_in(name).status_code == 303
    return found


_keys = iter(range(10**6))


def asked(me: Browser, *steps: dict[str, Any], why: str = "核实", key: str = "", undoes: str = "") -> Any:
    key = key or f"{next(_keys):024x}"
    return posted(me, "/rules/ask", {"steps": steps, "why": why, "key": key, "undoes": undoes})


def decided(me: Browser, name: str, verdict: str = "agree", note: str = "") -> Any:
    return posted(me, "/rules/decide", {"id": name, "verdict": verdict, "note": note})


def told(answer: Any) -> str:
    text: str = answer.get_data(as_text=True)
    return text


def a_correction(before: str, after: str, unit: str = UNIT, **more: str) -> dict[str, Any]:
    cells = {
        "类型": "更正",
        "数据集": "户籍人口",
        "统计月份": "2025-06",
        "区划代码": unit,
        "数据列": "户籍人口(人)",
        "原值": before,
        "新值": after,
        "原因": "与派出所核对",
    }
    return {"file": "corrections", "after": cells | more}


def value_now(folder: DataFolder) -> str:
    (found,) = rules.figures(folder, "population", date(2025, 6, 1), UNIT, "population_persons")
    return str(found["value"])


def test_a_correction_is_asked_for_agreed_to_and_taken_back(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    analyst, reviewer = browsers["analyst"], browsers["reviewer"]
    now = value_now(folder)
    query = {"dataset": "户籍人口", "month": "2025-06", "code": UNIT, "column": "户籍人口(人)"}
    assert analyst.get("/rules/figure", query_string=query).get_json()["figures"][0]["value"] == now
    # What is not so is told before anybody agrees to it.
    assert f"现在的数是 {now}，与原值“1”不同" in told(asked(analyst, a_correction("1", "51000")))
    assert "不在您的管理范围内" in told(asked(browsers["other-analyst"], a_correction(now, "51000")))
    assert asked(browsers["reporter"], a_correction(now, "51000")).status_code == 403
    assert "角色不能提出" in told(asked(reviewer, a_correction(now, "51000")))
    assert "理由" in told(asked(analyst, a_correction(now, "51000"), why=" "))
    checked = posted(analyst, "/rules/check", {"steps": [a_correction(now, "51000")]}).get_json()
    assert checked["wrong"] == []
    assert checked["touched"] == ["涉及 1 个单位的 1 个数：户籍人口(人)。"]

    # A double click asks once.
    both = [asked(analyst, a_correction(now, "51000"), key="ab" * 12).get_json() for _ in range(2)]
    assert both[0]["id"] == both[1]["id"]
    name = both[0]["id"]
    assert both[0]["state"] == "waiting"
    assert not list(folder.corrections.glob("更正*.csv"))
    assert "角色不能批准" not in told(decided(reviewer, name, "return"))
    assert "写明原因" in told(decided(reviewer, name, "return"))
    # An analyst may look into what was held (confirm), but not agree to his own correction.
    assert "不能批准自己提出的更正" in told(decided(analyst, name))
    assert name not in told(browsers["other-analyst"].get("/rules/changes"))
    assert [decided(reviewer, name).get_json()["state"] for _ in range(2)] == ["taken", "taken"]
    (item,) = [row for file in corrections.read(folder) for row in file.rows]
    assert (str(item.expected), str(item.value), item.by) == (now, "51000", "analyst")
    assert any("更正" in waiting["name"] for waiting in running.waiting(folder))

    steps = analyst.get(f"/rules/undo?id={name}").get_json()["steps"]
    back = asked(analyst, *steps, undoes=name).get_json()
    assert decided(reviewer, back["id"]).get_json()["state"] == "taken"
    rows = [row for file in corrections.read(folder) for row in file.rows]
    # What was is not wiped out: the figure goes back by a correction of its own.
    assert [(str(row.expected), str(row.value)) for row in rows] == [(now, "51000"), ("51000", now)]
    lines = [line.text for line in record.lines(folder, what="corrections")]
    assert sum("批准" in line for line in lines) == 2


def test_every_file_of_standards_is_written_as_the_command_line_reads_it(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    chief, reviewer = browsers["chief-analyst"], browsers["chief-reviewer"]
    before = {name: rules.rows(folder, file) for name, file in rules.files().items()}
    own: dict[str, dict[str, str]] = {
        "confirmations": {"标准编号": "A-06", "确认日期": "2026-11-02", "确认人": "张三"},
        "calendar": {"date": "2027-02-08", "kind": "holiday", "note": "春节"},
        "due_dates": {"dataset": "budget", "months_after": "1", "day": "10", "on_day_off": "next_workday"},
    }
    steps = []
    for name, file in rules.files().items():
        if file.group != "standards":
            continue
        rows = file.defaults()
        first = rows[0][file.replaces] if rows and name not in own else ""
        group = [own[name]] if name in own else [row for row in rows if row[file.replaces] == first]
        steps += [{"file": name, "after": cells} for cells in group]
    assert "全部地区共用" in told(asked(browsers["analyst"], *steps))
    made = asked(chief, *steps, why="按 2026 年文件").get_json()
    assert "不能审批自己" in told(decided(chief, made["id"])) or "角色不能" in told(
        decided(chief, made["id"])
    )
    assert not (folder.standards / "calendar.csv").exists()
    assert decided(reviewer, made["id"]).get_json()["state"] == "taken"
    assert load_calendar(folder).names[date(2027, 2, 8)] == "春节"
    assert due.due_days(folder, date(2025, 1, 1))["budget"].day == 10
    assert check_standards(load_standards(folder)) == []
    assert load_references(folder).fund_of("民政工作经费") == "working_funds"
    for name, file in rules.files().items():
        if file.group == "standards":
            wanted = [s["after"] for s in steps if s["file"] == name]
            found = [{k: v for k, v in row.cells.items() if v} for row in rules.rows(folder, file)]
            assert found == [{k: v for k, v in cells.items() if v} for cells in wanted], name

    steps = chief.get(f"/rules/undo?id={made['id']}").get_json()["steps"]
    back = asked(chief, *steps, undoes=made["id"]).get_json()
    assert decided(reviewer, back["id"]).get_json()["state"] == "taken"
    assert {
        name: rules.rows(folder, file) for name, file in rules.files().items() if name != "corrections"
    } == {name: rows for name, rows in before.items() if name != "corrections"}


def test_an_answer_to_a_heading_needs_nobody_else(folder: DataFolder, browsers: dict[str, Browser]) -> None:
    chief = browsers["chief-analyst"]
    cells = {
        "报送单位": "民政所",
        "版式": "abcdefgh",
        "报表": "户籍人口",
        "表头": "总人口",
        "对应列": "户籍人口(人)",
    }
    made = asked(chief, {"file": "headings", "after": cells}).get_json()
    assert made["state"] == "taken"
    assert read_answers(folder).given("民政所", "abcdefgh", "population", "总人口") == ("population_persons",)
    again = told(asked(chief, {"file": "headings", "after": cells}))
    assert "有两行，只有一行会算数" in again


WRONG = [
    ("calendar", {"date": "2027-02-30", "kind": "holiday"}, "填写有误"),
    ("calendar", {"date": "2027-02-08", "kind": "节日"}, "不是可选的值"),
    ("calendar", {"kind": "holiday"}, "没有填"),
    ("due_dates", {"dataset": "budget", "months_after": "1", "day": "32"}, "填写有误"),
    (
        "confirmations",
        {"标准编号": "Z-99", "确认日期": "2026-11-02", "确认人": "张三"},
        "没有编号为 Z-99 的标准",
    ),
    ("standard_tiers", {"standard_id": "Z-99", "value": "1", "unit": "元"}, "所属的标准不存在"),
    ("standard_tiers", {"standard_id": "A-10", "value": "多", "unit": "元"}, "不是数值"),
    (
        "funds",
        {"fund_code": "x", "fund_name": "甲", "matter": "y", "budget_includes_carryover": "也许"},
        "true 或 false",
    ),
    ("report_sources", {"source": "x", "source_name": "甲", "reporter_pattern": "("}, "不是有效的写法"),
    ("headings", {"版式": "a", "报表": "户籍人口", "表头": "总人口", "对应列": "没有这列"}, "不是可选的值"),
    ("corrections", a_correction("1", "很多")["after"], "看不懂"),
    ("corrections", a_correction("1", "2", **{"统计月份": "去年"})["after"], "看不懂"),
]


@pytest.mark.parametrize(("name", "cells", "said"), WRONG)
def test_what_no_reader_would_take_is_told_before_it_is_asked_for(
    browsers: dict[str, Browser], name: str, cells: dict[str, str], said: str
) -> None:
    step = {"file": name, "after": cells}
    found = posted(browsers["chief-analyst"], "/rules/check", {"steps": [step]}).get_json()
    assert any(said in text for text in found["wrong"]), found
    answer = asked(browsers["chief-analyst"], step)
    assert answer.status_code == 400
    assert said in told(answer)


def test_two_who_decide_at_once_and_a_file_that_changed_meanwhile(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    chief = browsers["chief-analyst"]
    step = {"file": "calendar", "after": {"date": "2028-01-26", "kind": "holiday", "note": "春节"}}
    made = asked(chief, step).get_json()
    answers: dict[str, Any] = {}

    def press(who: str, verdict: str) -> None:
        answers[who] = decided(browsers[who], made["id"], verdict, "不妥")

    threads = [
        threading.Thread(target=press, args=item)
        for item in (("chief-reviewer", "agree"), ("second-reviewer", "return"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers.values()) == [200, 400]
    is_taken = answers["chief-reviewer"].status_code == 200
    assert (date(2028, 1, 26) in load_calendar(folder).holidays) is is_taken

    # Somebody edits the file in Excel while a change of the same row waits.
    folder.standards.mkdir(exist_ok=True)
    path = folder.standards / "calendar.csv"
    path.write_text("date,kind,note\n2029-02-12,holiday,甲\n", "utf-8")
    before = {"date": "2029-02-12", "kind": "holiday", "note": "甲"}
    step = {"file": "calendar", "place": "calendar.csv", "before": before, "after": before | {"note": "乙"}}
    made = asked(chief, step).get_json()
    path.write_text("date,kind,note\n2029-02-12,holiday,丙\n2029-02-13,holiday,丁\n", "utf-8")
    assert "有了变化" in told(decided(browsers["chief-reviewer"], made["id"]))
    assert "丙" in path.read_text("utf-8")
    assert decided(chief, made["id"], "withdraw").get_json()["state"] == "withdrawn"
    # One that was cut off while it was written is written to its end by the next.
    step = {"file": "calendar", "after": {"date": "2029-02-14", "kind": "holiday", "note": "戊"}}
    made = asked(chief, step).get_json()
    content = path.read_bytes()
    assert decided(browsers["chief-reviewer"], made["id"]).get_json()["state"] == "taken"
    place = folder.root / "rules" / f"{made['id']}.json"
    place.write_text(json.dumps(json.loads(place.read_text("utf-8")) | {"state": "taking"}), "utf-8")
    path.write_bytes(content)
    asked(chief, {"file": "calendar", "after": {"date": "2029-02-15", "kind": "holiday"}})
    assert date(2029, 2, 14) in load_calendar(folder).holidays
    assert rules.change(folder, made["id"])["state"] == "taken"
    path.unlink()
