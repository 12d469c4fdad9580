"""Handing in through the server's own addresses: whose, what, once, and what is left when it is cut off."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from oversight.dashboard.app import create_app
from oversight.dashboard.judges import NICENESS
from oversight.editions.seal import sm3
from oversight.settings import DataFolder
from oversight.workflow import rules
from oversight.workflow.handing_in import HandInError, safe_name
from oversight.workflow.judging import GROWN_BYTES
from tests.accounts.asking import COUNTY, OTHER_COUNTY, TOWN, Browser
from tests.workflow.handing import MONTH, good, judged, posted, sent, table, uploaded

OTHER_TOWN_HERE, OTHER_TOWN = "360313105", "640324100"


@pytest.fixture(scope="module")
def browsers(app: Any) -> dict[str, Browser]:
    found = {}
    for name in ("reporter", "analyst", "other-analyst", "reader", "reviewer"):
        found[name] = Browser(app.server.test_client())
        assert found[name].sign_in(name).status_code == 303
    return found


def raw_files(folder: DataFolder) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder.raw)): path.read_bytes()
        for path in folder.raw.rglob("*")
        if path.is_file()
    }


def new_files(folder: DataFolder, before: dict[str, bytes]) -> dict[str, bytes]:
    now = raw_files(folder)
    assert all(now.get(name) == content for name, content in before.items()), "a file was changed"
    return {name: content for name, content in now.items() if name not in before}


def test_a_mistake_is_told_at_its_cell_and_the_right_file_is_taken(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    me, before = browsers["reporter"], raw_files(folder)
    tray = uploaded(me, ("人口.csv", good("四万一")), unit=TOWN)
    (file,) = tray["files"]
    (remark,) = [r for r in file["remarks"] if r["kind"] == "rejected"]
    assert (remark["row"], remark["column"], remark["cell"], remark["value"]) == (
        2,
        "户籍人口(人)",
        "E2",
        "四万一",
    )
    assert remark["what"]
    assert remark["to_do"]
    marked = me.get(f"/hand-in/marked/{tray['id']}/0")
    assert marked.data[:2] == b"PK"
    assert new_files(folder, before) == {}
    tray = uploaded(me, ("../../..\\人口 2026年1月.csv", good()), unit=TOWN, part=7)
    assert tray["files"][0]["may_hand_in"], tray
    answer = sent(me, tray).get_json()
    (receipt,) = answer["receipts"]
    ((name, content),) = new_files(folder, before).items()
    assert content == good()
    assert receipt["sha256"] == hashlib.sha256(good()).hexdigest()
    assert receipt["file_name"] == "人口 2026年1月.csv"
    assert receipt["stored_as"] == name
    assert name.endswith("/人口 2026年1月.csv")
    assert receipt["state_zh"] == "已交，待运行"
    due = me.get(f"/hand-in/due?unit={TOWN}&month={MONTH}").get_json()
    (row,) = due["rows"]
    assert (row["code"], row["cells"]["population"]["status"]) == (TOWN, "waiting")
    # A second press, and one from an old page after the tray is gone, get the same receipt and store nothing.
    assert sent(me, tray).get_json() == answer
    assert len(new_files(folder, before)) == 1
    again = uploaded(me, ("换个名字.csv", good()), unit=TOWN)
    assert not again["files"][0]["may_hand_in"]
    assert "不用重复报送" in again["files"][0]["reason"]
    assert sent(me, again).status_code == 400
    page = me.get(f"/hand-in/receipt/{receipt['id']}").get_data(as_text=True)
    assert receipt["sha256"] in page
    paper = me.get(f"/hand-in/receipt/{receipt['id']}?form=pdf").data
    said = "".join(PdfReader(io.BytesIO(paper)).pages[0].extract_text().split())
    for text in (receipt["id"], receipt["file_name"].replace(" ", ""), receipt["sha256"], sm3(good())):
        assert text in said
    kept = json.loads(me.get(f"/hand-in/receipt/{receipt['id']}?form=json").data)
    assert kept["stored_as"] == name
    # Seen by those whose scope it lies in, and by nobody else.
    assert receipt["id"] in browsers["analyst"].get("/hand-in/mine").get_data(as_text=True)
    assert receipt["id"] not in browsers["other-analyst"].get("/hand-in/mine").get_data(as_text=True)
    for path in (f"/hand-in/receipt/{receipt['id']}",):
        outside, unknown = (
            browsers["other-analyst"].get(path.replace(receipt["id"], found))
            for found in (receipt["id"], "0" * 18)
        )
        assert (
            (outside.status_code, outside.data) == (unknown.status_code, unknown.data) == (404, unknown.data)
        )
    assert posted(browsers["other-analyst"], f"/hand-in/withdraw/{receipt['id']}").status_code == 400
    taken_back = posted(me, f"/hand-in/withdraw/{receipt['id']}").get_json()
    assert taken_back["state"] == "withdrawn"
    assert posted(me, f"/hand-in/withdraw/{receipt['id']}").get_json() == taken_back
    assert new_files(folder, before) == {}
    from oversight.accounts import record

    lines = [line for line in record.lines(folder, what="hand_in") if line.who == "reporter"]
    assert [line.told["动作"] for line in lines] == ["报送", "撤回"]
    assert all(line.told["sha256"] == receipt["sha256"] for line in lines)


def test_equal_mistakes_are_one_line_that_names_their_cells(browsers: dict[str, Browser]) -> None:
    rows = [
        (f"2025-0{month}", TOWN, "", 12_000, wrong) for month, wrong in ((1, "四万一"), (2, "x"), (4, "y"))
    ]
    (file,) = uploaded(browsers["reporter"], ("三个月.csv", table(*rows)), unit=TOWN)["files"]
    (remark,) = [r for r in file["remarks"] if r["kind"] == "rejected"]
    assert (remark["cell"], remark["row"], remark["count"]) == ("E2:E4", None, 3)
    assert remark["value"] == "四万一、x、y"
    assert "同类共 3 处" in remark["what"]


@pytest.mark.parametrize(
    "rows",
    [
        [(MONTH, TOWN, "", 12_000, 41_000), (MONTH, OTHER_TOWN_HERE, "", 9_000, 30_000)],
        [(MONTH, OTHER_TOWN, "", 12_000, 41_000)],
        [(MONTH, TOWN, "", 12_000, 41_000), (MONTH, "999999999", "", 9_000, "x")],
    ],
    ids=["neighbour", "another county", "nobody's"],
)
def test_rows_of_other_units_are_told_and_the_file_refused(
    folder: DataFolder, browsers: dict[str, Browser], rows: list[Any]
) -> None:
    me, before = browsers["reporter"], raw_files(folder)
    tray = uploaded(me, ("别人.csv", table(*rows)), unit=TOWN)
    (file,) = tray["files"]
    assert not file["may_hand_in"]
    assert "不是由您报送的单位" in file["reason"]
    told = [r for r in file["remarks"] if r["column"] == "区划代码"]
    assert [r["row"] for r in told] == [number for number, row in enumerate(rows, 2) if row[1] != TOWN]
    # Of somebody else's row nothing else is said: it could speak of somebody else's figures.
    assert all(r["row"] is None or r in told or rows[r["row"] - 2][1] == TOWN for r in file["remarks"])
    assert sent(me, tray).status_code == 400
    assert new_files(folder, before) == {}


def test_a_reporter_changes_no_divisions(browsers: dict[str, Browser]) -> None:
    content = table((TOWN, "湘东镇", "镇", COUNTY), heads=("区划代码", "名称", "类型", "上级代码"))
    tray = uploaded(browsers["reporter"], ("区划.csv", content), unit=TOWN)
    assert not tray["files"][0]["may_hand_in"]


def test_uploads_are_ones_own_and_roles_hold(browsers: dict[str, Browser]) -> None:
    tray = uploaded(browsers["reporter"], ("我的.csv", good(40_001)), unit=TOWN)
    for name in ("analyst", "other-analyst"):
        for method, path in (
            ("GET", "tray/{}"),
            ("POST", "send/{}"),
            ("GET", "marked/{}/0"),
            ("POST", "check/{}"),
        ):
            answer = browsers[name].client.open(
                f"/hand-in/{path.format(tray['id'])}",
                method=method,
                headers={"X-CSRFToken": browsers[name].token()},
            )
            assert answer.status_code == 400, (name, path)
        posted(browsers[name], f"/hand-in/discard/{tray['id']}")
    assert browsers["reporter"].get(f"/hand-in/tray/{tray['id']}").get_json()["state"] == "judged"
    for name in ("reader", "reviewer"):
        assert browsers[name].get("/hand-in/mine").status_code == 403
    for code in (OTHER_TOWN, OTHER_COUNTY, OTHER_TOWN_HERE, "999999999", "999999"):
        answers = [
            browsers["reporter"].get(f"/hand-in/due?unit={code}&month={MONTH}"),
            browsers["reporter"].get(f"/hand-in/template?unit={code}&month={MONTH}&dataset=budget"),
            posted(browsers["reporter"], "/hand-in/nil", {"unit": code, "month": MONTH, "dataset": "budget"}),
            posted(
                browsers["reporter"], "/hand-in/new", {"unit": code, "files": [{"name": "a.csv", "size": 3}]}
            ),
        ]
        assert {(a.status_code, a.get_data(as_text=True)) for a in answers} == {
            (400, "没有这个单位，或您无权报送。")
        }, code
    # Without the page's token.
    foreign = browsers["reporter"].client.post("/hand-in/nil", json={})
    assert foreign.status_code == 403


def test_two_files_of_one_name(folder: DataFolder, browsers: dict[str, Browser]) -> None:
    me, before = browsers["analyst"], raw_files(folder)
    first = [(MONTH, unit, "", 12_000, 40_000) for unit in (TOWN, OTHER_TOWN_HERE)]
    second = [(MONTH, TOWN, "", 12_000, 40_010)]
    tray = uploaded(me, ("人口.csv", table(*first)), ("人口.csv", table(*second)))
    receipts = sent(me, tray).get_json()["receipts"]
    assert len(receipts) == 2
    assert len({item["stored_as"] for item in receipts}) == 2
    found = new_files(folder, before)
    assert sorted(found.values()) == sorted([table(*first), table(*second)])
    for item in receipts:
        assert found[item["stored_as"]] == table(
            *(first if item["sha256"] == receipts[0]["sha256"] else second)
        )
        posted(me, f"/hand-in/withdraw/{item['id']}")


def test_of_two_reports_on_one_unit_and_month_the_first_is_the_report(app: Any, folder: DataFolder) -> None:
    """Each was judged before any was handed in; of those that come at one moment one is taken, the others are told."""
    unit, before = "360313103", raw_files(folder)
    rivals = [Browser(app.server.test_client()) for _ in range(3)]
    for rival in rivals:
        rival.sign_in("analyst")
    trays = [uploaded(me, (f"人口{at}.csv", good(33_000 + at, unit))) for at, me in enumerate(rivals)]
    with ThreadPoolExecutor(3) as hands:
        answers = list(hands.map(sent, rivals, trays))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400]
    for answer in answers:
        if answer.status_code == 400:
            told = answer.get_data(as_text=True)
            assert "户籍人口已由 analyst 于" in told
            assert "请在文件名里写明“更正”" in told
    assert len(new_files(folder, before)) == 1
    correction = sent(rivals[0], uploaded(rivals[0], ("人口（更正）.csv", good(34_000, unit))))
    given = [
        answer.get_json()["receipts"][0] for answer in (*answers, correction) if answer.status_code == 200
    ]
    assert len(given) == 2
    for item in given:
        posted(rivals[0], f"/hand-in/withdraw/{item['id']}")
    # What was withdrawn is in nobody's way.
    again = sent(rivals[1], uploaded(rivals[1], ("人口9.csv", good(35_000, unit))))
    assert again.status_code == 200
    posted(rivals[1], f"/hand-in/withdraw/{again.get_json()['receipts'][0]['id']}")


def test_a_nil_report_is_one_press_and_only_where_nothing_came(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    me, before = browsers["reporter"], raw_files(folder)
    asked = {"unit": TOWN, "month": MONTH, "dataset": "budget"}
    tray = judged(me, posted(me, "/hand-in/nil", asked).get_json())
    (file,) = tray["files"]
    assert file["may_hand_in"], file
    (receipt,) = sent(me, tray).get_json()["receipts"]
    assert receipt["is_nil"]
    assert (receipt["months"], receipt["units"]) == ([MONTH], [TOWN])
    assert len(new_files(folder, before)) == 1
    assert posted(me, "/hand-in/nil", asked).status_code == 400
    assert posted(me, "/hand-in/nil", {**asked, "month": "2025-06"}).status_code == 400
    posted(me, f"/hand-in/withdraw/{receipt['id']}")


def test_what_was_cut_off_goes_on(
    folder: DataFolder, browsers: dict[str, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser closed halfway, the server stopped between the bytes and the receipt: nothing lost, nothing twice."""
    me, before = browsers["reporter"], raw_files(folder)
    content = good(40_777)
    asked = {"unit": TOWN, "files": [{"name": "半途.csv", "size": len(content)}]}
    half = posted(me, "/hand-in/new", asked).get_json()["id"]

    def part(at: int, data: bytes) -> Any:
        return me.post(f"/hand-in/part/{half}/0/{at}", data=data, content_type="application/octet-stream")

    assert part(0, content[:20]).get_json() == {"have": 20}
    assert part(0, content[:20]).get_json() == {"have": 20}
    assert posted(me, f"/hand-in/check/{half}").status_code == 400
    assert half in [tray["id"] for tray in me.get("/hand-in/mine").get_json()["trays"]]
    assert part(20, content[20:]).get_json() == {"have": len(content)}
    tray = judged(me, posted(me, f"/hand-in/check/{half}").get_json())
    from oversight import durable

    write = durable.write_bytes

    def stopped(path: Any, content: bytes, **options: Any) -> None:
        if "handed_in" in str(path):
            raise OSError("no power")
        write(path, content, **options)

    with monkeypatch.context() as patch:
        patch.setattr(durable, "write_bytes", stopped)
        assert sent(me, tray).status_code == 500
    assert list(new_files(folder, before).values()) == [content]
    (receipt,) = sent(me, tray).get_json()["receipts"]
    assert list(new_files(folder, before)) == [receipt["stored_as"]]
    posted(me, f"/hand-in/withdraw/{receipt['id']}")


def test_a_judge_stays_gives_way_to_pages_and_is_replaced_when_it_is_gone(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    def judges() -> set[int]:
        wanted = ["oversight.workflow.judging", "stay", str(folder.root)]
        return {int(place.name) for place in Path("/proc").glob("[0-9]*") if _command(place)[-3:] == wanted}

    def judge_one(population: int) -> None:
        tray = uploaded(browsers["reporter"], ("人口.csv", good(population)))
        assert tray["state"] == "judged"
        posted(browsers["reporter"], f"/hand-in/discard/{tray['id']}")

    # Whatever the server itself has taken, what it starts has taken nothing of that.
    large = b"x" * (GROWN_BYTES + 1)
    judge_one(41_001)
    del large
    there = judges()
    assert there
    assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in there} == {
        min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
    }
    judge_one(41_002)
    assert judges() == there
    for pid in there:
        os.kill(pid, signal.SIGKILL)
    judge_one(41_003)
    assert judges().isdisjoint(there)


def _command(place: Path) -> list[str]:
    try:
        return place.joinpath("cmdline").read_bytes().decode().rstrip("\0").split("\0")
    except (OSError, ValueError):
        return []


def test_nothing_is_withdrawn_while_a_run_may_be_taking_it(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    from oversight.editions.lock import run_lock

    me = browsers["reporter"]
    tray = uploaded(me, ("正在.csv", good(40_123)), unit=TOWN)
    (receipt,) = sent(me, tray).get_json()["receipts"]
    with run_lock(folder):
        answer = posted(me, f"/hand-in/withdraw/{receipt['id']}")
    assert (answer.status_code, "正在运行" in answer.get_data(as_text=True)) == (400, True)
    assert posted(me, f"/hand-in/withdraw/{receipt['id']}").get_json()["state"] == "withdrawn"


def test_a_template_is_of_ones_own_units_and_is_read_back(browsers: dict[str, Browser]) -> None:
    import io

    import openpyxl

    answer = browsers["reporter"].get(f"/hand-in/template?unit={TOWN}&month={MONTH}&dataset=population")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0]
    codes = [
        row[1] for row in sheet.iter_rows(min_row=4, values_only=True) if row[1] and str(row[1]).isdigit()
    ]
    assert codes == [TOWN]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\报表\\人口.xlsx", "人口.xlsx"),
        ("~$人口.xlsx", "人口.xlsx"),
        (".隐藏.xlsx", "隐藏.xlsx"),
        ("人\u202exslx.口\x00.xlsx", "人xslx.口.xlsx"),
        ("  ", "报表"),
        ("长" * 300 + ".xlsx", "长" * 60 + ".xlsx"),
        ("\ud800a.csv", "a.csv"),
    ],
)
def test_names(given: str, kept: str) -> None:
    assert safe_name(given) == kept


@pytest.mark.parametrize("name", ["说明.md", "下载.part", "Thumbs.db", "x.LOCK"])
def test_names_that_are_never_read(name: str) -> None:
    with pytest.raises(HandInError):
        safe_name(name)


def test_where_nobody_signs_in_it_works_at_this_machine(sample_folder: DataFolder, tmp_path: Any) -> None:
    from tests.workflow.conftest import own_copy

    folder = own_copy(sample_folder, tmp_path / "open", with_accounts=False)
    me = Browser(create_app(folder).server.test_client())
    tray = uploaded(me, ("人口.csv", good()))
    (receipt,) = sent(me, tray).get_json()["receipts"]
    assert (folder.raw / receipt["stored_as"]).read_bytes() == good()


def test_what_is_handed_in_while_a_run_goes_on_waits_for_the_next(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    from oversight.editions import run_lock
    from oversight.workflow import running

    with run_lock(folder):
        tray = uploaded(browsers["reporter"], ("运行时交的人口.csv", good(41_077)))
        answers = [sent(browsers["reporter"], tray) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    found = list(folder.raw.rglob("运行时交的人口*"))
    assert [path.read_bytes() for path in found] == [good(41_077)]
    assert any("运行时交的人口" in item["name"] for item in running.waiting(folder))


def changed(me: Browser, tray: dict[str, Any], *cells: tuple[int, int, str, str], sha256: str = "") -> Any:
    """Send cells changed in the page: row, column, what was there and what is to be there."""
    told = me.get(f"/hand-in/cells/{tray['id']}/0").get_json()
    wanted = [
        {"sheet": "", "row": row, "column": column, "before": before, "value": value}
        for row, column, before, value in cells
    ]
    return posted(
        me, f"/hand-in/change/{tray['id']}/0", {"sha256": sha256 or told["sha256"], "cells": wanted}
    )


def test_a_cell_is_corrected_in_the_page_and_goes_the_way_of_a_file(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    me, before = browsers["reporter"], raw_files(folder)
    tray = uploaded(me, ("页面改数（更正）.csv", good("四万一")), unit=TOWN)
    shown = me.get(f"/hand-in/cells/{tray['id']}/0").get_json()
    assert shown["sha256"] == hashlib.sha256(good("四万一")).hexdigest()
    assert shown["sheets"][0]["rows"][1]["cells"] == [MONTH, TOWN, "", "12000", "四万一"]
    (mark,) = [mark for mark in shown["marks"] if mark["kind"] == "rejected"]
    assert mark["cell"] == "E2"
    answers = [changed(me, tray, (2, 5, "四万一", "41321"), sha256=shown["sha256"]) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    tray = judged(me, answers[1].get_json())
    (file,) = tray["files"]
    assert (file["status"], file["may_hand_in"], file["refused"]) == ("accepted", True, "")
    assert file["mended"] == ["E2：四万一 → 41321"]
    # Asked once more, as by a second press that came late: nothing is changed twice.
    again = changed(me, tray, (2, 5, "四万一", "41321"), sha256=shown["sha256"])
    assert (again.status_code, again.get_json()["state"]) == (200, "judged")
    # From a page of before it was changed.
    stale = changed(me, tray, (2, 5, "四万一", "50000"), sha256=shown["sha256"])
    assert (stale.status_code, "别处改过" in stale.get_data(as_text=True)) == (400, True)
    (receipt,) = sent(me, tray).get_json()["receipts"]
    assert new_files(folder, before) == {receipt["stored_as"]: good(41_321)}
    assert receipt["sha256"] == hashlib.sha256(good(41_321)).hexdigest()
    assert receipt["mended"] == ["E2：四万一 → 41321"]
    assert "E2：四万一 → 41321" in me.get(f"/hand-in/receipt/{receipt['id']}").get_data(as_text=True)
    from oversight.accounts import record

    (line,) = [found for found in record.lines(folder, what="hand_in") if found.told["动作"] == "页面改数"]
    assert (line.who, line.told["单元格"]) == ("reporter", ["E2：四万一 → 41321"])
    posted(me, f"/hand-in/withdraw/{receipt['id']}")


def test_what_cannot_be_changed_in_the_page_says_why_and_stays_as_it_was(
    browsers: dict[str, Browser],
) -> None:
    me = browsers["reporter"]
    tray = uploaded(me, ("改不成.csv", good("四万二")), unit=TOWN)
    tray = judged(me, changed(me, tray, (2, 5, "四万九", "1")).get_json())
    (file,) = tray["files"]
    assert "与页面上看到的不同" in file["refused"]
    assert file["mended"] == []
    assert file["sha256"] == hashlib.sha256(good("四万二")).hexdigest()
    # And then it can.
    tray = judged(me, changed(me, tray, (2, 5, "四万二", "42000")).get_json())
    assert (tray["files"][0]["refused"], tray["files"][0]["may_hand_in"]) == ("", True)
    for name in ("analyst", "other-analyst"):
        assert browsers[name].get(f"/hand-in/cells/{tray['id']}/0").status_code == 400
        assert changed(browsers[name], tray, (2, 5, "42000", "1"), sha256="0" * 64).status_code == 400
    posted(me, f"/hand-in/discard/{tray['id']}")


def test_a_change_that_was_cut_off_is_made_once(
    folder: DataFolder, browsers: dict[str, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    from oversight.workflow import handing_in as desk
    from oversight.workflow import judging

    me = browsers["reporter"]
    sent_tray = uploaded(me, ("断了.csv", good("四万三")), unit=TOWN)
    tray = desk.open_tray(folder, sent_tray["id"], "reporter")
    assert tray is not None
    cell = {"sheet": "", "row": 2, "column": 5, "before": "四万三", "value": "43000"}
    tray = tray.save(
        state="waiting", changes={"0": {"number": 0, "from": tray.files[0]["sha256"], "cells": [cell]}}
    )

    def stopped(*_: Any, **__: Any) -> None:
        raise OSError("no power")

    with monkeypatch.context() as patch:
        patch.setattr(desk.Tray, "save", stopped)
        with pytest.raises(OSError, match="no power"):
            judging.judge(folder, tray)
    # The bytes are there, the upload does not know it yet.
    assert tray.file(0).read_bytes() == good(43_000)
    found = judged(me, me.get(f"/hand-in/tray/{tray.id}").get_json())
    assert (found["files"][0]["may_hand_in"], found["files"][0]["mended"]) == (True, ["E2：四万三 → 43000"])
    posted(me, f"/hand-in/discard/{tray.id}")


def test_what_a_run_took_in_is_corrected_by_changing_a_cell_of_it(
    sample_folder: DataFolder, tmp_path: Any
) -> None:
    """The file of before, with one cell changed, is a correction like one that was sent."""
    from oversight.workflow.handing_in import taken_in
    from tests.workflow.conftest import own_copy

    folder = own_copy(sample_folder, tmp_path / "again")
    app = create_app(folder)
    me, other = Browser(app.server.test_client()), Browser(app.server.test_client())
    me.sign_in("reporter")
    other.sign_in("other-analyst")
    tray = uploaded(me, ("湘东镇人口.csv", good(41_555)), unit=TOWN)
    (receipt,) = sent(me, tray).get_json()["receipts"]
    assert not receipt["may_correct"]
    early = posted(me, f"/hand-in/again/{receipt['id']}")
    assert (early.status_code, "还没有运行" in early.get_data(as_text=True)) == (400, True)
    from oversight.archive import store as archive

    archive.keep(folder, good(41_555))
    with pytest.MonkeyPatch.context() as patch:
        taken = {*taken_in(folder), receipt["sha256"]}
        patch.setattr("oversight.workflow.handing_in.taken_in", lambda _: taken)
        assert posted(other, f"/hand-in/again/{receipt['id']}").status_code == 400
        trays = [posted(me, f"/hand-in/again/{receipt['id']}").get_json() for _ in range(2)]
        assert len({tray["id"] for tray in trays}) == 1
        tray = judged(me, trays[0])
        assert tray["names"] == ["湘东镇人口（更正）.csv"]
        tray = judged(me, changed(me, tray, (2, 5, "41555", "41556")).get_json())
        assert tray["files"][0]["may_hand_in"], tray
        (correction,) = sent(me, tray).get_json()["receipts"]
    assert (folder.raw / correction["stored_as"]).read_bytes() == good(41_556)
    assert correction["file_name"] == "湘东镇人口（更正）.csv"


def _asked(sender: str, amount: int = 120_000) -> bytes:
    """A budget report one heading of which may mean two columns."""
    lines = [f"填报单位：{sender},,,,", "统计月份,区划代码,乡镇名称,预算金额,本月拨付"]
    return ("\ufeff" + "\n".join([*lines, f"{MONTH},{TOWN},湘东镇,{amount},10000", ""])).encode()


def _confirmed(me: Browser, tray: dict[str, Any], column: str) -> Any:
    answers = {"sha256": tray["files"][0]["sha256"], "answers": [{"number": 0, "column": column}]}
    return posted(me, f"/hand-in/headings/{tray['id']}/0", answers)


def test_what_a_heading_means_is_confirmed_once_in_the_page(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    me = browsers["reporter"]
    tray = uploaded(me, ("湘东镇经费.csv", _asked("湘东镇")), unit=TOWN)
    (asked,) = tray["files"][0]["asked"]
    assert (asked["heading"], asked["cell"], asked["proposed"]) == ("预算金额", "D2", "年初预算(元)")
    assert _confirmed(me, tray, "没有这列").status_code == 400
    assert _confirmed(browsers["analyst"], tray, "年初预算(元)").status_code == 400, "somebody else's upload"
    # A double press is one answer.
    pressed = [_confirmed(me, tray, "调整后预算(元)") for _ in range(2)]
    assert [answer.status_code for answer in pressed] == [200, 200]
    tray = judged(me, pressed[1].get_json())
    (file,) = tray["files"]
    assert (file["asked"], file["may_hand_in"], "不再问" in file["said"]) == ([], True, True)
    # The file is what it was; the answer stands where the command line reads it, and in the history with its author.
    assert file["sha256"] == hashlib.sha256(_asked("湘东镇")).hexdigest()
    assert folder.headings.read_text("utf-8-sig").count("预算金额,调整后预算(元)") == 1
    (change,) = rules.changes(folder)
    assert (change["state"], change["events"][0]["by"]) == ("taken", "reporter")
    # Next month's file of the same sender is not asked again.
    again = uploaded(me, ("湘东镇经费二.csv", _asked("湘东镇", 130_000)), unit=TOWN)
    assert again["files"][0]["asked"] == []
    for item in (tray, again):
        posted(me, f"/hand-in/discard/{item['id']}")


def test_for_another_sender_nobody_answers_but_in_the_own_file(
    folder: DataFolder, browsers: dict[str, Browser]
) -> None:
    """Whoever hands in for one unit does not decide how the files of another are read."""
    me, before = browsers["reporter"], folder.headings.read_bytes()
    tray = uploaded(me, ("经费.csv", _asked("麻山镇")), unit=TOWN)
    tray = judged(me, _confirmed(me, tray, "年初预算(元)").get_json())
    (file,) = tray["files"]
    assert (file["asked"], file["mended"]) == ([], ["D2：预算金额 → 预算金额 → 年初预算(元)"])
    assert "只对这份文件有效" in file["said"]
    assert folder.headings.read_bytes() == before
    again = uploaded(me, ("经费二.csv", _asked("麻山镇", 130_000)), unit=TOWN)
    assert len(again["files"][0]["asked"]) == 1
    for item in (tray, again):
        posted(me, f"/hand-in/discard/{item['id']}")
