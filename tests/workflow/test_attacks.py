"""A stranger with an account of another county tries what the workflow's routes let people name: units, findings, files,
letters, uploads, drafts, runs. What lies outside answers as what does not exist, and changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oversight.accounts import people, store
from oversight.accounts.actor import at_the_machine
from oversight.dashboard.app import create_app
from oversight.settings import DataFolder
from oversight.workflow import following
from tests.accounts.asking import COUNTY, OTHER_COUNTY, PASSWORD, TOWN, Browser
from tests.workflow.conftest import own_copy
from tests.workflow.handing import good, posted, sent, uploaded
from tests.workflow.test_following import act, listed, one


@pytest.fixture(scope="module")
def folder(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFolder]:
    made = own_copy(sample_folder, tmp_path_factory.mktemp("attacks"))
    made.settings_toml.write_text(f'[review]\ndivisions = ["{COUNTY}"]\n', "utf-8")
    people.add(
        *(made, at_the_machine(), "other-reviewer", "reviewer", [OTHER_COUNTY]),
        password=PASSWORD,
        must_change=False,
    )
    yield made
    store.forget(made)


@pytest.fixture(scope="module")
def browsers(folder: DataFolder) -> dict[str, Browser]:
    app = create_app(folder)
    found = {}
    for name in ("reporter", "analyst", "reviewer", "other-analyst", "other-reviewer", "chief"):
        found[name] = Browser(app.server.test_client())
        assert found[name].sign_in(name).status_code == 303
    return found


@pytest.fixture(scope="module")
def names(browsers: dict[str, Browser]) -> dict[str, str]:
    """What there is in the one county, by which the other tries to reach it."""
    reporter, analyst = browsers["reporter"], browsers["analyst"]
    tray = uploaded(reporter, ("人口.csv", good()), unit=TOWN)
    (receipt,) = sent(reporter, tray).get_json()["receipts"]
    waiting = uploaded(reporter, ("又一份.csv", good(41_500)), unit=TOWN)
    item = listed(reporter)[0]
    upload = posted(reporter, "/follow/attach", {"files": [{"name": "凭证.pdf", "size": 3}]}).get_json()["id"]
    reporter.post(f"/follow/part/{upload}/0/0", data=b"pdf", content_type="application/octet-stream")
    assert act(reporter, "reply", item, upload=upload).status_code == 200
    due = analyst.get("/letters/all").get_json()["due"][0]
    draft = {key: due[key] for key in ("kind", "unit", "colour", "about")}
    assert posted(analyst, "/letters/draft", {"items": [draft]}).get_json()["done"] == 1
    letter = analyst.get("/letters/all").get_json()["letters"][0]["id"]
    (file,) = one(reporter, item["id"])["notes"][0]["files"]
    return {
        **{"receipt": receipt["id"], "tray": waiting["id"], "upload": upload, "letter": letter},
        **{"finding": item["id"], "sha256": file["href"].rpartition("=")[2]},
    }


def unknown(name: str) -> str:
    """A name of the same form that nothing has."""
    return name.replace(TOWN, f"{COUNTY}998") if "/" in name else "".join("f" for _ in name)


def test_what_lies_in_another_county_answers_as_what_does_not_exist(
    browsers: dict[str, Browser], names: dict[str, str]
) -> None:
    analyst, reviewer = browsers["other-analyst"], browsers["other-reviewer"]
    act_on = {"key": "0" * 16, "kind": "remark", "text": "x"}
    asks: tuple[tuple[str, Callable[[str], Any]], ...] = (
        ("finding", lambda n: analyst.client.get("/follow/one", query_string={"id": n})),
        (
            "finding",
            lambda n: analyst.client.get("/follow/file", query_string={"id": n, "sha256": names["sha256"]}),
        ),
        (
            "finding",
            lambda n: posted(analyst, "/follow/act", act_on | {"findings": [{"id": n, "version": 0}]}),
        ),
        ("finding", lambda n: analyst.client.get("/follow/list", query_string={"words": n, "state": "all"})),
        ("upload", lambda n: analyst.post(f"/follow/part/{n}/0/0", data=b"x")),
        ("upload", lambda n: posted(analyst, f"/hand-in/send/{n}")),
        ("letter", lambda n: analyst.client.get(f"/letters/file?id={n}")),
        *(
            ("letter", lambda n, s=step, b=who: posted(b, "/letters/step", {"step": s, "letters": [n], "note": "x"}))
            for step, who in (("approve", reviewer), ("issue", analyst), ("send", analyst), ("discard", analyst))
        ),
        *(
            ("receipt", lambda n, r=route: reviewer.client.get(r.format(n)))
            for route in ("/review/file/{}", "/review/original/{}")
        ),
        ("receipt", lambda n: posted(reviewer, f"/review/decide/{n}", {"verdict": "accept", "rows": None})),
        ("receipt", lambda n: analyst.client.get(f"/hand-in/receipt/{n}")),
        ("receipt", lambda n: posted(analyst, f"/hand-in/withdraw/{n}")),
        *(
            ("tray", lambda n, r=route: analyst.client.get(r.format(n)))
            for route in ("/hand-in/tray/{}", "/hand-in/marked/{}/0")
        ),
        *(
            ("tray", lambda n, r=route: posted(analyst, r.format(n)))
            for route in ("/hand-in/check/{}", "/hand-in/send/{}", "/hand-in/discard/{}")
        ),
        ("tray", lambda n: analyst.post(f"/hand-in/part/{n}/0/0", data=b"x")),
    )  # fmt: skip
    for kind, ask in asks:
        name = names[kind]
        told = [
            (answer.status_code, answer.get_data(as_text=True).replace(each, "…"))
            for each in (name, unknown(name))
            for answer in (ask(each),)
        ]
        assert told[0] == told[1], (kind, told)
        assert told[0][0] != 500
    # Nothing of it was changed.
    assert len(one(browsers["reporter"], names["finding"])["notes"]) == 1
    assert browsers["analyst"].get("/letters/all").get_json()["letters"][0]["state"] == "drafted"
    assert browsers["reporter"].get(f"/hand-in/tray/{names['tray']}").get_json()["state"] == "judged"
    mine = browsers["reporter"].get("/hand-in/mine").get_json()["receipts"]
    assert next(r for r in mine if r["id"] == names["receipt"])["state_zh"] == "已交，待审核"


def test_a_division_cannot_be_forged(browsers: dict[str, Browser]) -> None:
    reporter, analyst = browsers["reporter"], browsers["analyst"]
    new = {"files": [{"name": "人口.csv", "size": 3}]}
    told = [
        posted(who, "/hand-in/new", new | {"unit": code}).get_data(as_text=True).replace(code, "…")
        for who, codes in ((reporter, ("640324100", "640324998")), (analyst, (OTHER_COUNTY, "640398")))
        for code in codes
    ]
    assert told[0] == told[1]
    assert told[2] == told[3]
    assert not any('"id"' in text for text in told)
    for code in ("640324100", OTHER_COUNTY):
        due = {"kind": "reminder", "unit": code, "colour": "", "about": ""}
        assert posted(analyst, "/letters/draft", {"items": [due]}).get_json()["done"] == 0
        step = posted(analyst, "/papers/step", {"scope": code[:6], "month": "2025-12", "step": "draft"})
        assert step.status_code == 400
        for address in (f"/hand-in/due?unit={code}&month=2025-12", f"/brief?unit={code}&month=2025-12"):
            text = analyst.get(address).get_data(as_text=True)
            assert "惠安堡" not in text


def test_a_form_is_sent_by_a_page_of_ours_and_does_its_work_once(
    browsers: dict[str, Browser], folder: DataFolder
) -> None:
    analyst = browsers["analyst"]
    item = listed(analyst)[3]
    body = {"key": "a" * 16, "kind": "remark", "text": "一次"}
    body["findings"] = [{"id": item["id"], "version": item["version"]}]
    # Without the page's token, with another's, from another site.
    assert analyst.client.post("/follow/act", json=body).status_code == 403
    other = browsers["reporter"].token()
    assert analyst.client.post("/follow/act", json=body, headers={"X-CSRFToken": other}).status_code == 403
    elsewhere = {"X-CSRFToken": analyst.token(), "Origin": "https://evil.example.com"}
    assert analyst.client.post("/follow/act", json=body, headers=elsewhere).status_code == 403
    assert one(analyst, item["id"])["notes"] == []
    due = analyst.get("/letters/all").get_json()["due"][:2]
    drafts = {"items": [{key: d[key] for key in ("kind", "unit", "colour", "about")} for d in due]}
    told: list[Any] = []

    def press(address: str, sent: Any) -> None:
        client = Browser(analyst.client.application.test_client())
        client.sign_in("analyst")
        gate.wait()
        told.append(posted(client, address, sent).get_json())

    for address, content in (("/follow/act", body), ("/letters/draft", drafts)):
        gate = threading.Barrier(4)
        pressed = [threading.Thread(target=press, args=(address, content)) for _ in range(4)]
        for thread in pressed:
            thread.start()
        for thread in pressed:
            thread.join(60)
    assert [note["text"] for note in one(analyst, item["id"])["notes"]] == ["一次"]
    assert sum(answer["done"] for answer in told if isinstance(answer["done"], int)) == 2
    assert following.reconcile(folder).wrong == ()


@pytest.mark.parametrize(
    "given", ["../../../keys/signing.key", "..\\..\\x.csv", "/etc/passwd", "a\x00b.pdf", ".", "..", "x" * 300]
)
def test_a_name_is_a_name_and_no_path(browsers: dict[str, Browser], folder: DataFolder, given: str) -> None:
    reporter = browsers["reporter"]
    before = {path for path in folder.root.rglob("*") if ".work" not in path.parts}
    for address, more in (("/follow/attach", {}), ("/hand-in/new", {"unit": TOWN})):
        answer = posted(reporter, address, {"files": [{"name": given, "size": 3}], **more})
        assert answer.status_code in (200, 400), (address, answer.get_data(as_text=True))
        if answer.status_code == 200:
            kept = answer.get_json()
            assert (
                reporter.post(f"{address.rpartition('/')[0]}/part/{kept['id']}/0/0", data=b"abc").status_code
                == 200
            )
    assert {path for path in folder.root.rglob("*") if ".work" not in path.parts} == before


def test_what_is_larger_than_it_may_be_is_refused(browsers: dict[str, Browser], folder: DataFolder) -> None:
    reporter = browsers["reporter"]
    for files in (
        [{"name": "大.pdf", "size": 21 * 2**20}],
        [{"name": "负.pdf", "size": -1}],
        [{"name": f"{n}.pdf", "size": 1} for n in range(following.FILES_EACH + 1)],
        [],
    ):
        assert posted(reporter, "/follow/attach", {"files": files}).status_code == 400
    upload = posted(reporter, "/follow/attach", {"files": [{"name": "小.pdf", "size": 3}]}).get_json()["id"]
    place = f"/follow/part/{upload}/0"
    for at, content in ((0, b"more than three"), (2, b"xy"), (9, b"x"), (0, bytes(2**20 + 1))):
        answer = reporter.post(f"{place}/{at}", data=content)
        # A part that does not follow upon what is there is not taken: the answer says how much is.
        assert answer.status_code in (400, 413) or answer.get_json() == {"have": 0}, at
    assert reporter.post(f"/follow/part/{upload}/1/0", data=b"x").status_code == 400
    item = next(row for row in listed(reporter, "new"))
    # What was not sent to its end is attached to nothing.
    assert act(reporter, "reply", item, upload=upload, key="b" * 16).status_code == 400
    assert sum(path.stat().st_size for path in (folder.work / "hand_in" / upload).iterdir()) < 1000
