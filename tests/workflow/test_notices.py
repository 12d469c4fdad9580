"""提醒: what each role is told of, inside its scope, from the state of things; seen; and by mail, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest

from oversight import operation
from oversight.accounts import people, store
from oversight.accounts.actor import at_the_machine
from oversight.accounts.scope import EVERYTHING, Scope
from oversight.archive.sums import as_json
from oversight.dashboard.app import create_app
from oversight.editions import open_edition
from oversight.errors import OversightError
from oversight.reports import owe
from oversight.settings import TIME_ZONE, DataFolder
from oversight.workflow import notices, rules
from oversight.workflow.notices import Reader
from tests.accounts.asking import COUNTY, PASSWORD, TOWN, Browser
from tests.reports.test_delivery import Mailbox, mailbox  # noqa: F401 - a fixture
from tests.workflow.conftest import own_copy
from tests.workflow.handing import good, posted, sent, uploaded

FRIDAY = datetime(2026, 11, 27, 9, tzinfo=TIME_ZONE)
SATURDAY = datetime(2026, 11, 28, 9, tzinfo=TIME_ZONE)


@pytest.fixture(scope="module")
def folder(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFolder]:
    made = own_copy(sample_folder, tmp_path_factory.mktemp("notices"))
    made.settings_toml.write_text(f'[review]\ndivisions = ["{COUNTY}"]\n', "utf-8")
    people.add(
        made, at_the_machine(), "chief-analyst", "analyst", ["000000"], password=PASSWORD, must_change=False
    )
    yield made
    store.forget(made)


@pytest.fixture(scope="module")
def browsers(folder: DataFolder) -> dict[str, Browser]:
    app = create_app(folder)
    found = {}
    for name in ("analyst", "other-analyst", "reviewer", "reporter", "reader", "chief", "chief-analyst"):
        found[name] = Browser(app.server.test_client())
        assert found[name].sign_in(name).status_code == 303
    return found


def told(folder: DataFolder, name: str, now: datetime = FRIDAY) -> dict[str, notices.Notice]:
    person = people.person(folder, name)
    assert person is not None
    from oversight.accounts.roles import may

    who = Reader(name, lambda action: may(person.role, action), person.scope)
    return {item.kind: item for item in notices.notices(folder, who, now)}


def test_each_role_is_told_of_what_is_its_own(folder: DataFolder, browsers: dict[str, Browser]) -> None:
    # The sample ends in 2025: whoever reports for the township is late for what came due since.
    late = told(folder, "reporter").get("late")
    every = told(folder, "chief-analyst")["late"]
    mine = told(folder, "analyst").get("late")
    for part, codes in ((late, TOWN), (mine, COUNTY)):
        for item in part.items if part else ():
            assert item.rpartition(" ")[2].startswith(codes)
            assert item in every.items
    assert told(folder, "reader") == {}
    assert browsers["reader"].get("/notices").get_json() == {"notices": []}

    # A file that waits for the reviewer is his, and nobody's of another county.
    file = good()
    tray = uploaded(browsers["reporter"], ("人口.csv", file), unit=COUNTY)
    assert sent(browsers["reporter"], tray).status_code == 200
    assert told(folder, "reviewer")["to_review"].text == "1 份报送待审核"
    assert "to_review" not in told(folder, "other-analyst")
    (waiting,) = told(folder, "reviewer")["to_review"].items
    returned = posted(
        browsers["reviewer"],
        f"/review/decide/{waiting}",
        {"rows": None, "verdict": "return", "reason": "与公安数不符"},
    )
    assert returned.status_code == 200, returned.get_data(as_text=True)
    assert "to_review" not in told(folder, "reviewer")
    assert told(folder, "reporter", datetime.now(TIME_ZONE))["returned"].text == "您报送的 1 份文件被退回"

    # A correction waits for somebody else than who asked for it.
    (value,) = rules.figures(folder, "population", date(2025, 6, 1), "360313102", "population_persons")
    cells = {"类型": "更正", "数据集": "户籍人口", "统计月份": "2025-06", "区划代码": "360313102"}
    cells |= {"数据列": "户籍人口(人)", "原因": "核实"}
    cells |= {"原值": str(value["value"]), "新值": "51000"}
    step = {"file": "corrections", "after": cells}
    made = posted(
        browsers["analyst"], "/rules/ask", {"steps": [step], "why": "核实", "key": "ab" * 12}
    ).get_json()
    assert told(folder, "reviewer")["rules_waiting"].items == (made["id"],)
    assert "rules_waiting" not in told(folder, "analyst")
    posted(browsers["reviewer"], "/rules/decide", {"id": made["id"], "verdict": "return", "note": "再核"})
    assert told(folder, "analyst", datetime.now(TIME_ZONE))["rules_returned"].items == (made["id"],)


def test_whoever_handed_in_is_told_what_a_run_did_not_use(folder: DataFolder) -> None:
    """Where no reviewer looks first, the run is what sends rows back; until the same is handed in again."""
    with open_edition(folder) as connection:
        (known,) = connection.execute(
            "select submission_id from submissions where rows_rejected > 0 order by 1 limit 1"
        ).fetchone() or ("",)
    cells = [f"population 2025-06 {TOWN}"]

    def receipt(name: str, at: str, sha256: str, **more: Any) -> None:
        told = {
            "id": name,
            "sha256": sha256,
            "handed_in_at": at,
            "by": "reporter",
            "cells": cells,
            "units": [TOWN],
        }
        place = folder.handed_in / at[:7] / f"{name}.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(as_json(told | {"county_code": COUNTY, "is_nil": False} | more))

    receipt("a" * 18, "2026-11-20T09:00:00+08:00", known + "0" * 48)
    assert told(folder, "reporter")["not_used"].items == ("a" * 18,)
    assert "not_used" not in told(folder, "analyst")
    receipt("b" * 18, "2026-11-21T09:00:00+08:00", "f" * 64)
    assert "not_used" not in told(folder, "reporter")
    for path in folder.handed_in.rglob("*.json"):
        if path.stem in ("a" * 18, "b" * 18):
            path.unlink()


def test_the_month_being_collected_is_told_of_though_no_run_knows_it(folder: DataFolder) -> None:
    friday = datetime(2026, 10, 30, 9, tzinfo=TIME_ZONE)
    thursday = datetime(2026, 11, 4, 9, tzinfo=TIME_ZONE)
    assert "coming" not in told(folder, "reporter", friday)
    coming = told(folder, "reporter", thursday)["coming"]
    assert coming.items == tuple(f"{name} 2026-10 {TOWN}" for name in ("population", "budget", "staffing"))
    assert set(coming.items) == set(told(folder, "reporter")["late"].items)


def test_a_paper_that_is_owed_and_a_run_that_failed_are_told_of(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "paper_owed" not in told(folder, "chief-analyst")
    owe(folder, date(2026, 10, 1), FRIDAY)
    assert "2026-10，尚未生成" in told(folder, "chief-analyst")["paper_owed"].text
    assert "paper_owed" in told(folder, "chief")
    assert "paper_owed" not in told(folder, "reporter")
    # The last that made an edition counts: a paper that was refused is no failed run.
    for jobs, is_told in (
        ([("monthly_report_run", "FAILURE"), ("oversight_run", "SUCCESS")], False),
        ([("oversight_run", "FAILURE")], True),
        ([("oversight_run", "SUCCESS"), ("oversight_run", "FAILURE")], False),
    ):
        runs = tuple(
            operation.Run(str(n), status, FRIDAY, FRIDAY, job) for n, (job, status) in enumerate(jobs)
        )
        monkeypatch.setattr(operation, "runs", lambda _, found=runs: found)
        assert ("run_failed" in told(folder, "chief")) is is_told


def test_what_was_seen_is_new_again_when_something_comes_to_it(folder: DataFolder) -> None:
    who = Reader("看的人", lambda _: True, EVERYTHING)
    one = notices.Notice("late", "late", "一", "/", ("a", "b"))
    assert notices.unseen(folder, who, [one]) == [True]
    notices.see(folder, who, [one])
    assert notices.unseen(folder, who, [one]) == [False]
    assert notices.unseen(folder, Reader("另一人", lambda _: True, EVERYTHING), [one]) == [True]
    # Less of it is nothing new, more of it is.
    assert notices.unseen(folder, who, [notices.Notice("late", "late", "一", "/", ("a",))]) == [False]
    assert notices.unseen(folder, who, [notices.Notice("late", "late", "二", "/", ("a", "b", "c"))]) == [True]
    # What was over is told of again.
    notices.see(folder, who, [])
    assert notices.unseen(folder, who, [one]) == [True]


def test_the_bell_asks_without_keeping_a_session_and_is_cleared_by_looking(
    browsers: dict[str, Browser],
) -> None:
    me = browsers["chief-analyst"]
    before = me.get("/notices").get_json()["notices"]
    assert before
    assert all(item["is_new"] for item in before)
    assert posted(me, "/notices/seen").status_code == 200
    assert not any(item["is_new"] for item in me.get("/notices").get_json()["notices"])


def test_each_thing_is_mailed_once(
    folder: DataFolder,
    mailbox: tuple[Mailbox, int],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held, port = mailbox
    here: list[notices.Notice] = [notices.Notice("late", "late", "逾期未报 2 张报表", "/hand-in", ("a", "b"))]
    seen: list[Any] = []

    def given(_: DataFolder, who: Reader, __: datetime) -> list[notices.Notice]:
        seen.append(who)
        return here

    monkeypatch.setattr(notices, "notices", given)
    home = folder.root / "report"
    home.mkdir(exist_ok=True)
    assert not notices.is_due(folder, FRIDAY)
    (home / "report.toml").write_text(
        f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nsender = "a@example.invalid"\n',
        "utf-8",
    )
    (home / "notices.csv").write_text(
        "\ufeff账号,邮箱\nanalyst,li@example.invalid\n,ops@example.invalid\n", "utf-8"
    )
    assert "休息日" in notices.send(folder, SATURDAY)[0]
    assert not notices.is_due(folder, SATURDAY)
    assert held.taken == []
    assert notices.is_due(folder, FRIDAY)
    assert len(notices.send(folder, FRIDAY)) == 2
    assert not notices.is_due(folder, FRIDAY)
    assert notices.send(folder, FRIDAY) == []
    assert sorted(m["To"] for m in held.taken) == ["li@example.invalid", "ops@example.invalid"]
    assert "逾期未报 2 张报表" in held.taken[0].get_content()
    # An account is told of its own scope with its own role, the service of everything.
    assert {who.scope for who in seen} == {Scope.of([COUNTY]), EVERYTHING}
    # Something is over, something new came: told once more, with what is new alone.
    here[:] = [here[0], notices.Notice("run_failed", "failed", "最近一次运行没有完成", "/run", ("x",))]
    assert len(notices.send(folder, FRIDAY)) == 2
    assert "逾期" not in held.taken[-1].get_content()
    # The server refuses: said, nothing lost, and once it takes them again each is sent once.
    here.append(notices.Notice("pending", "todo", "3 个问题待核销", "/follow", ("f",)))
    held.refuse = "everything"
    with pytest.raises(OversightError, match="没有全部发出"):
        notices.send(folder, FRIDAY)
    held.refuse = ""
    before = len(held.taken)
    assert notices.is_due(folder, FRIDAY)
    assert len(notices.send(folder, FRIDAY)) == 2
    assert len([m for m in held.taken[before:] if "核销" in m.get_content()]) >= 2
    assert notices.send(folder, FRIDAY) == []
    # The line breaks after the server took it: nobody can tell, so it is not sent again.
    here.append(notices.Notice("to_run", "todo", "1 份文件等待运行", "/run", ("g",)))
    held.hang_up = True
    with pytest.raises(OversightError, match="没有全部发出"):
        notices.send(folder, FRIDAY)
    held.hang_up = False
    before = len(held.taken)
    notices.send(folder, FRIDAY)
    assert len(held.taken) == before
    (home / "notices.csv").write_text("账号,邮箱\nnobody,li@example.invalid\n", "utf-8")
    with pytest.raises(OversightError, match="不存在"):
        notices.readers(folder)
