"""月报 in the browser through the server's own addresses: from the draft to the issued paper, with four accounts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from oversight.accounts import people, record, store
from oversight.accounts.actor import at_the_machine
from oversight.dashboard.app import create_app
from oversight.settings import DataFolder
from tests.accounts.asking import COUNTY, OTHER_COUNTY, PASSWORD, Browser
from tests.workflow.conftest import own_copy
from tests.workflow.handing import posted

MONTH = "2025-06"
OF = {"scope": COUNTY, "month": MONTH}


@pytest.fixture(scope="module")
def folder(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFolder]:
    made = own_copy(sample_folder, tmp_path_factory.mktemp("papers"))
    sent = made.root / "sent"
    sent.mkdir()
    (made.root / "report").mkdir()
    (made.root / "report" / "report.toml").write_text(
        f'[[delivery]]\nname = "县府办"\nfolder = "{sent}"\nformats = ["html"]\n', "utf-8"
    )
    for name, role in (("chief-analyst", "analyst"), ("chief-reviewer", "reviewer")):
        people.add(made, at_the_machine(), name, role, ["000000"], password=PASSWORD, must_change=False)
    yield made
    store.forget(made)


@pytest.fixture(scope="module")
def browsers(folder: DataFolder) -> dict[str, Browser]:
    app = create_app(folder)
    found = {}
    for name in ("analyst", "reviewer", "reader", "other-analyst", "chief-analyst", "chief-reviewer"):
        found[name] = Browser(app.server.test_client())
        assert found[name].sign_in(name).status_code == 303
    return found


def finished(me: Browser, answer: Any) -> Any:
    """Wait for what takes long; the answer of a step that does not is returned as it is."""
    if answer.status_code != 200 or not answer.get_json().get("job"):
        return answer
    for _ in range(1200):
        found = me.get(f"/papers/job/{answer.get_json()['job']}")
        if found.status_code != 200 or found.get_json()["is_done"]:
            return found
        time.sleep(0.1)
    raise AssertionError("the job did not end")


def step(me: Browser, name: str, **more: Any) -> Any:
    return finished(me, posted(me, "/papers/step", {**OF, "step": name, **more}))


def paper(me: Browser, version: int = 0) -> dict[str, Any]:
    found = me.get("/papers/list").get_json()["papers"]
    return next(p for p in found if (p["month"], p["scope"], p["version"]) == (MONTH, COUNTY, version))


def text_of(answer: Any) -> str:
    found: str = answer.get_data(as_text=True)
    return found


def test_from_draft_to_paper_and_back(folder: DataFolder, browsers: dict[str, Browser]) -> None:
    analyst, reviewer = browsers["analyst"], browsers["reviewer"]
    assert step(browsers["reader"], "draft").status_code == 403
    assert step(reviewer, "draft").status_code == 403
    assert "无权" in text_of(step(browsers["other-analyst"], "draft"))
    # A double click is one job.
    both = [posted(analyst, "/papers/step", {**OF, "step": "draft"}).get_json()["job"] for _ in range(2)]
    assert both[0] == both[1]
    assert finished(analyst, posted(analyst, "/papers/step", {**OF, "step": "draft"})).status_code == 200
    draft = paper(analyst)
    assert (draft["state"], draft["steps"], draft["events"][0]["by"]) == (
        "drafted",
        ["draft", "submit"],
        "analyst",
    )
    assert analyst.get(draft["read"]).status_code == 200
    assert "review" not in paper(reviewer)["steps"]
    read = draft["stamp"]
    assert "还没有送审" in text_of(step(reviewer, "review", read=read))
    assert step(analyst, "submit", read="别的").status_code == 400
    assert step(analyst, "submit", read=read).status_code == 200
    assert step(analyst, "submit", read=read).status_code == 200
    assert paper(reviewer)["steps"] == ["review", "return"]
    assert step(reviewer, "return", read=read).status_code == 400
    assert step(reviewer, "return", read=read, note="标题有误").status_code == 200
    assert [e["note"] for e in paper(analyst)["events"]][-1] == "标题有误"
    assert step(analyst, "submit", read=read).status_code == 200
    assert step(reviewer, "review", read=read, note="同意").status_code == 200
    assert step(reviewer, "review", read=read).status_code == 200
    assert "已由reviewer于" in text_of(step(browsers["chief-reviewer"], "review", read=read))
    assert step(reviewer, "issue").status_code == 403
    assert step(analyst, "issue", number=7).status_code == 200
    assert step(analyst, "issue", number=7).status_code == 200
    issued = paper(analyst, 1)
    assert (issued["state"], issued["steps"]) == ("issued", ["deliver", "withdraw"])
    assert "7号" in issued["document_no"]
    assert [e["step"] for e in issued["events"]] == [
        *("drafted", "submitted", "returned", "submitted", "reviewed", "issued"),
    ]
    assert step(analyst, "deliver", version=1).get_json()["told"][0].startswith("县府办：已放入")
    assert "不再重发" in step(analyst, "deliver", version=1).get_json()["told"][0]
    assert paper(analyst, 1)["sent_to"] == ["县府办"]
    assert step(analyst, "withdraw", version=1).status_code == 400
    told = step(analyst, "withdraw", version=1, note="依据有误").get_json()["told"]
    assert told == ["已发给 县府办，请另行告知撤回"]
    assert step(analyst, "withdraw", version=1, note="依据有误").status_code == 200
    assert "已由analyst撤回" in text_of(step(browsers["chief-analyst"], "withdraw", version=1, note="又"))
    assert paper(analyst, 1)["steps"] == []
    lines = [
        line.told["步骤"]
        for line in record.lines(folder, what="report")
        if line.who in ("analyst", "reviewer")
    ]
    assert {"生成草稿", "送审", "退回草稿", "审核", "印发", "发送", "撤回"} <= set(lines)


def test_wording_is_previewed_saved_and_corrected(folder: DataFolder, browsers: dict[str, Browser]) -> None:
    me = browsers["chief-analyst"]
    assert browsers["analyst"].get("/papers/texts").status_code == 400
    assert browsers["reviewer"].get("/papers/texts").status_code == 403
    texts = {t["name"]: t for t in me.get("/papers/texts").get_json()["texts"]}
    settings, opening = texts["report.toml"]["text"], texts["opening"]["text"]
    new = opening + "\n请各地认真核对，这一句由分析员所加。\n"
    asked = {**OF, "name": "opening", "text": new}
    made = finished(me, posted(me, "/papers/preview", asked))
    assert made.status_code == 200, text_of(made)
    shown = me.get(made.get_json()["page"])
    assert "这一句由分析员所加" in text_of(shown)
    assert "script-src" in shown.headers["Content-Security-Policy"]
    assert browsers["analyst"].get(made.get_json()["page"]).status_code == 404
    wrong = finished(me, posted(me, "/papers/preview", {**asked, "text": "{{ scpe.name }}"}))
    assert "scpe" in text_of(wrong)
    assert not (folder.root / "report" / "templates").exists()
    # Where somebody else has saved meanwhile nothing is overwritten; where files go is not changed here.
    assert "别人保存过" in text_of(posted(me, "/papers/save", {**asked, "read": "旧的"}))
    moved = settings.replace("sent", "elsewhere")
    assert "只能由管理员" in text_of(
        posted(me, "/papers/save", {"name": "report.toml", "text": moved, "read": settings})
    )
    assert "读不懂" in text_of(
        posted(me, "/papers/save", {"name": "report.toml", "text": "x = ", "read": settings})
    )
    saved = posted(me, "/papers/save", {**asked, "read": opening})
    assert saved.status_code == 200, text_of(saved)
    assert posted(me, "/papers/save", {**asked, "read": opening}).status_code == 200
    assert (folder.root / "report" / "templates" / "opening.txt").read_text("utf-8") == new
    # A changed wording is another content: the paper that stood was withdrawn, so the next draft says so.
    assert step(me, "draft").status_code == 200
    draft = paper(me)
    assert draft["events"][0]["by"] == "chief-analyst"
    back = posted(me, "/papers/save", {"name": "opening", "text": "", "read": new})
    assert back.status_code == 200
    assert not (folder.root / "report" / "templates" / "opening.txt").exists()
    assert [p.read_text("utf-8") for p in (folder.root / "report" / "history").glob("*-opening.txt")] == [new]


def test_whoever_made_a_draft_does_not_review_it(folder: DataFolder, browsers: dict[str, Browser]) -> None:
    me = browsers["chief-analyst"]
    assert step(me, "draft").status_code == 200
    assert step(me, "submit", read=paper(me)["stamp"]).status_code == 200
    people.change(folder, at_the_machine(), "chief-analyst", role="reviewer")
    told = step(me, "review", read=paper(me)["stamp"])
    assert (told.status_code, "起草通报的人不能审核" in text_of(told)) == (400, True)


def test_another_county_is_not_in_sight(browsers: dict[str, Browser]) -> None:
    assert browsers["other-analyst"].get("/papers/list").get_json()["papers"] == []
    asked = {"scope": OTHER_COUNTY, "month": MONTH, "step": "draft"}
    assert "无权" in text_of(posted(browsers["analyst"], "/papers/step", asked))
