"""审核 through the server's own addresses and the command line: what waits, who decides, what enters the next run."""

from __future__ import annotations

import csv
import hashlib
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from oversight import cli
from oversight.accounts import people, record, store
from oversight.accounts.actor import at_the_machine
from oversight.archive.store import has
from oversight.archive.verify import verify
from oversight.dashboard.app import create_app
from oversight.intake.receiving import receive
from oversight.settings import TIME_ZONE, DataFolder
from oversight.workflow import letters
from tests.accounts.asking import COUNTY, OTHER_COUNTY, PASSWORD, TOWN, Browser
from tests.workflow.conftest import own_copy
from tests.workflow.handing import MONTH, good, judged, posted, sent, table, uploaded
from tests.workflow.test_handing_in import OTHER_TOWN_HERE, changed, new_files, raw_files


@pytest.fixture(scope="module")
def folder(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFolder]:
    made = own_copy(sample_folder, tmp_path_factory.mktemp("review"))
    made.settings_toml.write_text(f'[review]\ndivisions = ["{COUNTY}"]\n', "utf-8")
    for name, role, code in (("second", "reviewer", COUNTY), ("other-reviewer", "reviewer", OTHER_COUNTY)):
        people.add(made, at_the_machine(), name, role, [code], password=PASSWORD, must_change=False)
    yield made
    store.forget(made)


@pytest.fixture(scope="module")
def browsers(folder: DataFolder) -> dict[str, Browser]:
    app = create_app(folder)
    found = {}
    for name in ("reporter", "analyst", "reader", "reviewer", "second", "other-reviewer", "other-analyst"):
        found[name] = Browser(app.server.test_client())
        assert found[name].sign_in(name).status_code == 303
    return found


def handed_in(me: Browser, name: str, *contents: bytes, unit: str = COUNTY) -> list[dict[str, Any]]:
    tray = uploaded(me, *((name, content) for content in contents), unit=unit)
    answer = sent(me, tray)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: list[dict[str, Any]] = answer.get_json()["receipts"]
    return found


def two_towns(first: Any, second: Any, month: str = MONTH) -> bytes:
    return table((month, TOWN, "", 12_000, first), (month, OTHER_TOWN_HERE, "", 9_000, second))


def decide(me: Browser, receipt: str, verdict: str, rows: list[int] | None = None, reason: str = "") -> Any:
    return posted(me, f"/review/decide/{receipt}", {"verdict": verdict, "rows": rows, "reason": reason})


def answers(folder: DataFolder) -> list[dict[str, str]]:
    found = []
    for path in sorted(folder.corrections.glob("审核*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found += list(csv.DictReader(file))
    return found


def test_what_is_handed_in_waits_and_enters_raw_once_accepted(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    before, content = raw_files(folder), good(41_001)
    (receipt,) = handed_in(browsers["reporter"], "人口.csv", content, unit=TOWN)
    assert receipt["state_zh"] == "已交，待审核"
    assert new_files(folder, before) == {}
    assert (folder.archive / receipt["sha256"]).read_bytes() == content
    due = browsers["reporter"].get(f"/hand-in/due?unit={TOWN}&month={MONTH}").get_json()["rows"][0]
    assert due["cells"]["population"]["text"] == "◆ 已交，待审核"
    again = uploaded(browsers["reporter"], ("又一次.csv", content), unit=TOWN)
    assert not again["files"][0]["may_hand_in"]
    (waiting,) = browsers["reviewer"].get("/review/files").get_json()["waiting"]
    assert (waiting["id"], waiting["rows"], waiting["questions"]) == (receipt["id"], 1, 0)
    assert browsers["other-reviewer"].get("/review/files").get_json()["waiting"] == []
    assert browsers["other-reviewer"].get(f"/review/file/{receipt['id']}").status_code == 400
    assert decide(browsers["other-reviewer"], receipt["id"], "accept").status_code == 400
    for name in ("reporter", "reader"):
        assert browsers[name].get("/review/files").status_code == 403
        assert decide(browsers[name], receipt["id"], "accept").status_code == 403
    assert browsers["reviewer"].get(f"/review/original/{receipt['id']}").data == content
    made = decide(browsers["reviewer"], receipt["id"], "accept").get_json()
    assert made["state"] == "accepted"
    assert list(new_files(folder, before).values()) == [content]
    # A double click, and the back button's old page: the same answer, nothing twice.
    assert decide(browsers["reviewer"], receipt["id"], "accept").get_json()["state"] == "accepted"
    assert len(new_files(folder, before)) == 1
    told = decide(browsers["second"], receipt["id"], "return", reason="不对")
    assert told.status_code == 400
    assert "已由reviewer于" in told.get_data(as_text=True)
    mine = browsers["reporter"].get("/hand-in/mine").get_json()["receipts"]
    assert next(r for r in mine if r["id"] == receipt["id"])["state_zh"] == "审核采用，待运行"
    # What a run notes of files stands beside what reviewers decided.
    folder.corrections.mkdir(exist_ok=True)
    (folder.corrections / "空.csv").write_text("类型\n", "utf-8")
    assert record.note_files(folder, "corrections", [folder.corrections])
    assert not record.note_files(folder, "corrections", [folder.corrections])
    (folder.corrections / "空.csv").unlink()
    lines = [line.told for line in record.lines(folder, what="corrections") if line.who == "reviewer"]
    assert [line["动作"] for line in lines] == ["审核采用"]
    assert lines[0]["sha256"] == receipt["sha256"]
    assert answers(folder) == []


def test_row_by_row_with_doubts_confirmed_and_rows_returned(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    """A figure off by a thousandfold is confirmed with a reason, another row returned: both are followed by a run."""
    before = raw_files(folder)
    (receipt,) = handed_in(browsers["analyst"], "两镇.csv", two_towns(41, 30_500))
    item = browsers["reviewer"].get(f"/review/file/{receipt['id']}").get_json()
    held = next(row for row in item["lines"] if row["remarks"])
    clean = next(row for row in item["lines"] if not row["remarks"])
    assert (held["code"], held["remarks"][0]["kind"], held["figures"]["户籍人口(人)"]) == (TOWN, "held", "41")
    told = decide(browsers["reviewer"], receipt["id"], "accept", [held["n"]])
    assert (told.status_code, "写明原因" in told.get_data(as_text=True)) == (400, True)
    assert decide(browsers["reviewer"], receipt["id"], "return", [clean["n"]]).status_code == 400
    made = decide(browsers["reviewer"], receipt["id"], "accept", [held["n"]], "派出所已核实").get_json()
    assert (made["state"], made["left"]) == ("waiting", 1)
    assert new_files(folder, before) == {}
    # Too late to be taken back, and the second reviewer learns who was first.
    assert "不能撤回" in posted(browsers["analyst"], f"/hand-in/withdraw/{receipt['id']}").get_data(
        as_text=True
    )
    late = decide(browsers["second"], receipt["id"], "return", [held["n"]], "不实")
    assert "已由reviewer于" in late.get_data(as_text=True)
    made = decide(browsers["second"], receipt["id"], "return", [clean["n"]], "=与户籍底册不符").get_json()
    assert made["state"] == "partly"
    assert list(new_files(folder, before).values()) == [two_towns(41, 30_500)]
    confirmed, returned = sorted(answers(folder), key=lambda row: row["类型"] == "退回")
    assert (confirmed["类型"], confirmed["区划代码"], confirmed["原值"], confirmed["提出人"]) == (
        "确认",
        TOWN,
        "41",
        "reviewer",
    )
    assert (returned["类型"], returned["行"], returned["原因"]) == ("退回", "3", "与户籍底册不符")
    from datetime import datetime

    from oversight.intake.intake_run import take_in
    from oversight.settings import TIME_ZONE

    take_in(folder, now=datetime.now(TIME_ZONE))
    import polars as pl

    mine = pl.col("submission_id") == receipt["sha256"][:16]
    rows = pl.read_parquet(folder.inputs / "population.parquet").filter(mine)
    assert rows.select("township_code", "population_persons", "row_status").rows() == [(TOWN, 41, "accepted")]
    (refused,) = pl.read_parquet(folder.inputs / "rejected_rows.parquet").filter(mine).iter_rows(named=True)
    assert (refused["error_code"], refused["row_number"]) == ("R70", 3)
    assert "second" in refused["message_zh"]
    assert "与户籍底册不符" in refused["message_zh"]


def test_whoever_handed_in_does_not_review(browsers: dict[str, Browser]) -> None:
    (receipt,) = handed_in(browsers["analyst"], "自己的.csv", two_towns(41_200, 30_200))
    told = decide(browsers["analyst"], receipt["id"], "accept")
    assert (told.status_code, "报送的人不能确认自己报送的数据" in told.get_data(as_text=True)) == (400, True)
    assert (
        posted(browsers["analyst"], f"/hand-in/withdraw/{receipt['id']}").get_json()["state"] == "withdrawn"
    )
    assert "已撤回" in decide(browsers["reviewer"], receipt["id"], "accept").get_data(as_text=True)


def test_a_file_returned_whole_never_reaches_raw(folder: DataFolder, browsers: dict[str, Browser]) -> None:
    before, known = raw_files(folder), len(answers(folder))
    content = two_towns(41_300, 30_300)
    (receipt,) = handed_in(browsers["analyst"], "退回.csv", content)
    made = decide(browsers["reviewer"], receipt["id"], "return", None, "月份不对").get_json()
    assert made["state"] == "returned"
    assert new_files(folder, before) == {}
    assert len(answers(folder)) == known
    assert (folder.archive / receipt["sha256"]).read_bytes() == content
    found = browsers["analyst"].get("/hand-in/mine").get_json()["receipts"]
    mine = next(r for r in found if r["id"] == receipt["id"])
    assert (mine["state_zh"], mine["may_withdraw"]) == ("审核退回", False)
    assert {r["reason"] for r in mine["review_reasons"]} == {"月份不对"}
    # Though no run ever saw it, its loss would be told.
    kept = folder.archive / receipt["sha256"]
    away = kept.rename(folder.root / "away")
    told = [fault for _, _, faults in verify(folder, ["archive"]) for fault in faults]
    assert [(fault.path.name, "退回.csv（审核）" in fault.depends) for fault in told] == [(kept.name, True)]
    away.rename(kept)
    # What was returned may be handed in again.
    (again,) = handed_in(browsers["analyst"], "再报.csv", content)
    assert again["state_zh"] == "已交，待审核"
    posted(browsers["analyst"], f"/hand-in/withdraw/{again['id']}")


def test_what_never_counted_is_deleted_in_its_time_and_nothing_else_is(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    me, reviewer = browsers["analyst"], browsers["reviewer"]

    def one(number: int, verdict: str) -> tuple[str, bytes]:
        content = two_towns(45_000 + number, 35_000 + number, "2025-11")
        (receipt,) = handed_in(me, f"更正{number}.csv", content)
        if verdict == "withdrawn":
            assert posted(me, f"/hand-in/withdraw/{receipt['id']}").status_code == 200
        elif verdict != "waiting":
            assert decide(reviewer, receipt["id"], verdict, None, "不对").status_code == 200
        return receipt["id"], content

    (returned, first), (_, second) = one(1, "return"), one(2, "withdrawn")
    (_, kept), (_, waiting) = one(3, "accept"), one(4, "waiting")
    # Returned, and handed in again: it waits.
    _, again = one(5, "return")
    handed_in(me, "更正再报5.csv", again)
    told: list[str] = []

    def a_run(days: int) -> set[int]:
        at = datetime.now(TIME_ZONE) + timedelta(days=days)
        receive(folder, told.append, at)
        contents = (first, second, kept, waiting, again)
        return {n for n, each in enumerate(contents, 1) if has(folder, hashlib.sha256(each).hexdigest())}

    settings = folder.settings_toml.read_text("utf-8")
    assert a_run(10_000) == {1, 2, 3, 4, 5}
    folder.settings_toml.write_text("archive_days = 30\n" + settings, "utf-8")
    try:
        assert a_run(29) == {1, 2, 3, 4, 5}
        broken = folder.reviews / MONTH / "broken.json"
        broken.parent.mkdir(exist_ok=True)
        broken.write_text("{", "utf-8")
        assert a_run(31) == {1, 2, 3, 4, 5}
        broken.unlink()
        assert a_run(31) == {3, 4, 5}
        assert a_run(31) == {3, 4, 5}
    finally:
        folder.settings_toml.write_text(settings, "utf-8")
    # Files that other tests returned are gone with these two: said once, with how many.
    assert sum("已满 archive_days" in line for line in told) == 1
    assert reviewer.get(f"/review/file/{returned}").get_json()["state"] == "returned"
    answer = reviewer.get(f"/review/original/{returned}")
    assert (answer.status_code, "删除原件" in answer.get_data(as_text=True)) == (400, True)
    assert [fault for _, _, faults in verify(folder, ["archive"]) for fault in faults] == []


def test_what_a_reviewer_returned_is_owed_as_before(folder: DataFolder, browsers: dict[str, Browser]) -> None:
    """A unit whose report came back has not reported: it is reminded, told of it, and may report nil."""
    month, late = date(2026, 1, 1), date(2026, 2, 6)

    def owed() -> set[str]:
        return {
            code
            for code, of, name in letters.ground(folder, late).owed
            if (of, name) == (month, "population")
        }

    def may_nil() -> list[str]:
        rows = browsers["analyst"].get(f"/hand-in/due?unit={COUNTY}&month={MONTH}").get_json()["rows"]
        return [row["code"] for row in rows if row["cells"]["population"]["may_nil"]]

    (receipt,) = handed_in(browsers["analyst"], "两镇更正.csv", two_towns(41_500, 30_500))
    assert owed().isdisjoint({TOWN, OTHER_TOWN_HERE})
    assert {TOWN, OTHER_TOWN_HERE}.isdisjoint(may_nil())
    rows = browsers["reviewer"].get(f"/review/file/{receipt['id']}").get_json()["lines"]
    number = next(row["n"] for row in rows if row["code"] == OTHER_TOWN_HERE)
    assert decide(browsers["reviewer"], receipt["id"], "return", [number], "与公安数不符").status_code == 200
    assert (
        decide(browsers["reviewer"], receipt["id"], "accept", None, "核对过").get_json()["state"] == "partly"
    )
    assert (TOWN in owed(), OTHER_TOWN_HERE in owed()) == (False, True)
    assert (TOWN in may_nil(), OTHER_TOWN_HERE in may_nil()) == (False, True)


def test_a_file_that_was_returned_is_made_good_in_the_page_and_the_reviewer_sees_where(
    browsers: dict[str, Browser],
) -> None:
    me = browsers["reporter"]
    (receipt,) = handed_in(me, "退回再改.csv", good(14_321), unit=TOWN)
    assert decide(browsers["reviewer"], receipt["id"], "return", None, "人口写反了").status_code == 200
    tray = judged(me, posted(me, f"/hand-in/again/{receipt['id']}").get_json())
    # It is no correction: nothing of it was ever used.
    assert tray["names"] == ["退回再改.csv"]
    tray = judged(me, changed(me, tray, (2, 5, "14321", "41321")).get_json())
    (again,) = sent(me, tray).get_json()["receipts"]
    shown = browsers["reviewer"].get(f"/review/file/{again['id']}").get_json()
    assert shown["mended"] == ["E2：14321 → 41321"]
    assert shown["lines"][0]["figures"]["户籍人口(人)"] == "41321"
    assert browsers["reviewer"].get(f"/review/original/{again['id']}").data == good(41_321)
    posted(me, f"/hand-in/withdraw/{again['id']}")


def test_of_two_reviewers_at_once_exactly_one_wins(browsers: dict[str, Browser]) -> None:
    contents = [two_towns(42_000 + n, 31_000 + n, "2025-12") for n in range(5)]
    for content in contents:
        (receipt,) = handed_in(browsers["analyst"], "更正.csv", content)
        gate, told = threading.Barrier(2), {}

        def press(
            name: str, verdict: str, *, receipt: str = receipt["id"], gate: Any = gate, told: Any = told
        ) -> None:
            gate.wait()
            told[name] = decide(browsers[name], receipt, verdict, [0], "同时")

        both = [
            threading.Thread(target=press, args=each)
            for each in (("reviewer", "accept"), ("second", "return"))
        ]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert sorted(answer.status_code for answer in told.values()) == [200, 400]
        loser = next(answer for answer in told.values() if answer.status_code == 400)
        assert "已由" in loser.get_data(as_text=True)


def test_what_was_cut_off_is_finished(
    folder: DataFolder, browsers: dict[str, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server stops after the answers and before the file: the next look at the page puts it right, once."""
    from oversight.workflow import handing_in

    before = raw_files(folder)
    content = two_towns(43_000, 32_000)
    (receipt,) = handed_in(browsers["analyst"], "断电.csv", content)

    def stopped(*_: Any) -> str:
        raise OSError("no power")

    with monkeypatch.context() as patch:
        patch.setattr(handing_in, "store", stopped)
        assert decide(browsers["reviewer"], receipt["id"], "accept").status_code == 500
    assert new_files(folder, before) == {}
    browsers["second"].get("/review/files")
    browsers["second"].get("/review/files")
    assert list(new_files(folder, before).values()) == [content]


def test_held_figures_of_an_edition_are_answered_once(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    asked = browsers["reviewer"].get("/review/questions").get_json()["questions"]
    assert asked
    assert {item["code"][:6] for item in asked} == {COUNTY}
    first = next(item for item in asked if item["answer"] is None)
    path = f"/review/answer/{first['id']}"
    assert posted(browsers["reviewer"], path, {"verdict": "accept"}).status_code == 400
    assert posted(browsers["other-reviewer"], path, {"verdict": "accept", "reason": "x"}).status_code == 400
    made = posted(browsers["reviewer"], path, {"verdict": "accept", "reason": "凭证相符"}).get_json()
    assert (made["answer"]["by"], made["answer"]["reason"]) == ("reviewer", "凭证相符")
    assert posted(browsers["reviewer"], path, {"verdict": "accept", "reason": "凭证相符"}).status_code == 200
    assert [row["原因"] for row in answers(folder)].count("凭证相符") == 1
    late = posted(browsers["second"], path, {"verdict": "return", "reason": "不实"})
    assert "已由reviewer于" in late.get_data(as_text=True)


def test_the_command_line_does_the_same(
    folder: DataFolder, browsers: dict[str, Browser], capsys: pytest.CaptureFixture[str]
) -> None:
    before, data = raw_files(folder), ["--data", str(folder.root)]
    content = two_towns(44_000, 33_000)
    (receipt,) = handed_in(browsers["analyst"], "命令行.csv", content)
    assert cli.main(["review", *data]) == 0
    assert f"{receipt['id']}  命令行.csv" in capsys.readouterr().out
    assert cli.main(["review", "show", receipt["id"], *data]) == 0
    assert "1. " in capsys.readouterr().out
    assert cli.main(["review", "accept", receipt["id"], *data]) == 1
    assert "--by" in capsys.readouterr().err
    assert cli.main(["review", "accept", receipt["id"], "--by", "analyst", *data]) == 1
    assert "不能确认自己" in capsys.readouterr().err
    assert (
        cli.main(["review", "return", receipt["id"], "--row", "2", "--by", "李四", "--note", "重报", *data])
        == 0
    )
    assert "还有 1 行待定" in capsys.readouterr().out
    assert cli.main(["review", "accept", receipt["id"], "--by", "李四", *data]) == 0
    assert "部分采用" in capsys.readouterr().out
    assert list(new_files(folder, before).values()) == [content]


def test_counties_that_did_not_switch_it_on_go_on_as_before(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    before = raw_files(folder)
    content = table((MONTH, "640324100", "", 12_000, 51_000))
    (receipt,) = handed_in(browsers["other-analyst"], "同心.csv", content, unit=OTHER_COUNTY)
    assert receipt["state_zh"] == "已交，待运行"
    assert list(new_files(folder, before).values()) == [content]
