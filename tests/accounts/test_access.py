"""Every way in, tried by everybody who has no business there. A way in that this file does not know fails a test."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from oversight.accounts import people, store
from oversight.accounts.actor import at_the_machine
from oversight.dashboard.pages import pages
from oversight.editions import find_edition
from oversight.settings import DataFolder
from tests.accounts.asking import (
    ACCOUNTS,
    COUNTY,
    HTML,
    OTHER_COUNTY,
    PASSWORD,
    TOWN,
    Browser,
    Others,
    drawing,
)

OTHER_TOWN = "640324100"
# How each rule of the server is asked, and whether somebody who is not signed in gets an answer.
PUBLIC_RULES = {
    ("GET", "/sign-in"): "/sign-in",
    ("POST", "/sign-in"): "/sign-in",
    ("GET", "/assets/<path:filename>"): "/assets/style.css",
    (
        "GET",
        "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
    ): "/_dash-component-suites/x/y",
    ("GET", "/_favicon.ico"): "/_favicon.ico",
    ("GET", "/health"): "/health",
}
CLOSED_RULES = {
    ("GET", "/"): "/",
    ("GET", "/<path:path>"): "/funding",
    ("GET", "/_dash-layout"): "/_dash-layout",
    ("GET", "/_dash-dependencies"): "/_dash-dependencies",
    ("GET", "/_reload-hash"): "/_reload-hash",
    ("POST", "/_dash-update-component"): "/_dash-update-component",
    ("GET", "/static/<path:filename>"): "/static/x.css",
    ("GET", "/edition"): "/edition",
    ("POST", "/download"): "/download",
    ("POST", "/rows"): "/rows",
    ("GET", "/returned/<path:name>"): "/returned/a.xlsx",
    ("GET", "/brief"): "/brief?unit=360313&month=2025-12",
    ("GET", "/source/<name>"): "/source/abcd?row=1",
    ("GET", "/source/<name>/whole"): "/source/abcd/whole",
    ("GET", "/document/<name>"): "/document/A?rule=A-10",
    ("GET", "/document/<name>/whole"): "/document/A/whole",
    ("GET", "/report/<path:key>/<form>"): "/report/2025-06/360313/1/html",
    ("GET", "/sql/dictionary"): "/sql/dictionary",
    ("POST", "/sql/run"): "/sql/run",
    ("GET", "/sql/result/<name>"): "/sql/result/abc",
    ("POST", "/sql/cancel/<name>"): "/sql/cancel/abc",
    ("POST", "/sql/download"): "/sql/download",
    ("GET", "/sql/file/<name>"): "/sql/file/abc",
    ("GET", "/sql/saved"): "/sql/saved",
    ("POST", "/sql/save"): "/sql/save",
    ("DELETE", "/sql/saved/<name>"): "/sql/saved/0123456789ab",
    ("POST", "/sign-out"): "/sign-out",
    ("GET", "/account"): "/account",
    ("POST", "/account/password"): "/account/password",
    ("GET", "/accounts"): "/accounts",
    ("POST", "/accounts/add"): "/accounts/add",
    ("POST", "/accounts/change"): "/accounts/change",
    ("GET", "/accounts/export"): "/accounts/export",
    ("GET", "/record"): "/record",
    ("GET", "/record/export"): "/record/export",
    ("GET", "/hand-in/due"): "/hand-in/due",
    ("GET", "/hand-in/template"): "/hand-in/template",
    ("POST", "/hand-in/new"): "/hand-in/new",
    ("POST", "/hand-in/part/<name>/<int:number>/<int:at>"): "/hand-in/part/0123456789abcdef/0/0",
    ("POST", "/hand-in/check/<name>"): "/hand-in/check/0123456789abcdef",
    ("GET", "/hand-in/tray/<name>"): "/hand-in/tray/0123456789abcdef",
    ("GET", "/hand-in/marked/<name>/<int:number>"): "/hand-in/marked/0123456789abcdef/0",
    ("GET", "/hand-in/cells/<name>/<int:number>"): "/hand-in/cells/0123456789abcdef/0",
    ("POST", "/hand-in/change/<name>/<int:number>"): "/hand-in/change/0123456789abcdef/0",
    ("POST", "/hand-in/headings/<name>/<int:number>"): "/hand-in/headings/0123456789abcdef/0",
    ("POST", "/hand-in/again/<name>"): "/hand-in/again/0123456789abcdef01",
    ("POST", "/hand-in/send/<name>"): "/hand-in/send/0123456789abcdef",
    ("POST", "/hand-in/discard/<name>"): "/hand-in/discard/0123456789abcdef",
    ("POST", "/hand-in/nil"): "/hand-in/nil",
    ("GET", "/hand-in/mine"): "/hand-in/mine",
    ("POST", "/hand-in/withdraw/<name>"): "/hand-in/withdraw/0123456789abcdef01",
    ("GET", "/hand-in/receipt/<name>"): "/hand-in/receipt/0123456789abcdef01",
    ("GET", "/papers/list"): "/papers/list",
    ("POST", "/papers/step"): "/papers/step",
    ("GET", "/papers/job/<name>"): "/papers/job/0123456789abcdef",
    ("GET", "/papers/texts"): "/papers/texts",
    ("POST", "/papers/preview"): "/papers/preview",
    ("GET", "/papers/page/<name>"): "/papers/page/0123456789abcdef",
    ("POST", "/papers/save"): "/papers/save",
    ("GET", "/run/state"): "/run/state",
    ("GET", "/run/waiting"): "/run/waiting",
    ("GET", "/run/scheduled"): "/run/scheduled",
    ("POST", "/run/start"): "/run/start",
    ("GET", "/run/log/<name>"): "/run/log/20260101-000000-abcdef",
    ("GET", "/run/editions"): "/run/editions",
    ("POST", "/run/back"): "/run/back",
    ("GET", "/review/files"): "/review/files",
    ("GET", "/review/file/<name>"): "/review/file/0123456789abcdef01",
    ("GET", "/review/original/<name>"): "/review/original/0123456789abcdef01",
    ("POST", "/review/decide/<name>"): "/review/decide/0123456789abcdef01",
    ("GET", "/review/questions"): "/review/questions",
    ("POST", "/review/answer/<name>"): "/review/answer/0123456789abcdef01",
    ("GET", "/follow/list"): "/follow/list",
    ("GET", "/follow/one"): "/follow/one?id=0123456789abcdef",
    ("GET", "/follow/file"): "/follow/file?id=0123456789abcdef",
    ("GET", "/follow/reconcile"): "/follow/reconcile",
    ("GET", "/follow/export"): "/follow/export",
    ("GET", "/follow/people"): "/follow/people",
    ("POST", "/follow/act"): "/follow/act",
    ("POST", "/follow/attach"): "/follow/attach",
    ("POST", "/follow/part/<name>/<int:number>/<int:at>"): "/follow/part/0123456789abcdef/0/0",
    ("GET", "/notices"): "/notices",
    ("POST", "/notices/seen"): "/notices/seen",
    ("GET", "/rules/file/<name>"): "/rules/file/corrections",
    (
        "GET",
        "/rules/figure",
    ): "/rules/figure?dataset=population&month=2025-06&code=360313100&column=population_persons",
    ("GET", "/rules/headings"): "/rules/headings",
    ("POST", "/rules/check"): "/rules/check",
    ("POST", "/rules/trial"): "/rules/trial",
    ("GET", "/rules/job/<name>"): "/rules/job/0123456789abcdef",
    ("POST", "/rules/ask"): "/rules/ask",
    ("POST", "/rules/decide"): "/rules/decide",
    ("GET", "/rules/undo"): "/rules/undo?id=20260101-000000-abcdef",
    ("GET", "/rules/changes"): "/rules/changes",
    ("GET", "/letters/all"): "/letters/all",
    ("GET", "/letters/file"): "/letters/file?id=0123456789abcdef",
    ("POST", "/letters/draft"): "/letters/draft",
    ("POST", "/letters/step"): "/letters/step",
}
ONLY_FOR = {
    "manage": [path for _, path in CLOSED_RULES if path.startswith(("/accounts", "/record"))],
    "query": [path for _, path in CLOSED_RULES if path.startswith("/sql")],
    "hand_in": [path for _, path in CLOSED_RULES if path.startswith("/hand-in")],
    "make_report": [
        path
        for _, path in CLOSED_RULES
        if path.startswith("/papers/") and path not in ("/papers/list", "/papers/step", "/papers/job/<name>")
    ],
    "run": [path for _, path in CLOSED_RULES if path.startswith("/run")],
    "confirm": [path for _, path in CLOSED_RULES if path.startswith(("/review", "/rules"))],
    "follow": ["/follow/people", "/letters/draft"],
    "reply": ["/follow/attach", "/follow/part/<name>/<int:number>/<int:at>"],
    "see_letters": ["/letters/all", "/letters/file", "/letters/step"],
}
CALLBACKS = {
    "..content.children...nav.children...meta.data..",
    "sink.data",
    "mantine.forceColorScheme",
}


def rules(app: Any) -> set[tuple[str, str]]:
    return {
        (method, rule.rule)
        for rule in app.server.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def edition_of(folder: DataFolder) -> str:
    return find_edition(folder).edition_id


def asked(browser: Browser, method: str, path: str, **options: Any) -> Any:
    # What changes something comes from a page of ours; that alone lets nobody in.
    headers = {"X-CSRFToken": browser.token()} if method != "GET" else None
    return browser.client.open(path, method=method, headers=headers, **options)


def test_every_route_and_callback_is_known_here(app: Any) -> None:
    known = set(PUBLIC_RULES) | set(CLOSED_RULES)
    assert rules(app) - known == set(), "a new route: say here who may use it"
    app.server.test_client().get("/sign-in")
    app._setup_server()
    outputs = {name.split("@")[0] for name in app.callback_map}
    assert outputs <= CALLBACKS, "a new callback: say here who may use it"


@pytest.mark.parametrize("cookie", ["", "forged", "of another key", "tampered", "expired"])
def test_nobody_gets_nothing(
    app: Any, folder: DataFolder, signed_in: dict[str, Browser], cookie: str
) -> None:
    """Whoever is not signed in gets one answer, whatever they ask for, and it says nothing."""
    browser = Browser(app.server.test_client())
    if cookie == "forged":
        browser.client.set_cookie("oversight_session", "eyJfdXNlcl9pZCI6ImNoaWVmIn0.aaaa.bbbb")
    elif cookie == "of another key":
        from flask import Flask
        from flask.sessions import SecureCookieSessionInterface

        elsewhere = Flask("elsewhere")
        elsewhere.secret_key = "0" * 64
        signer = SecureCookieSessionInterface().get_signing_serializer(elsewhere)
        assert signer is not None
        browser.client.set_cookie("oversight_session", signer.dumps({"_user_id": "chief", "_fresh": True}))
    elif cookie == "expired":
        import sqlalchemy as sa

        people.add(
            folder,
            at_the_machine(),
            "late",
            "administrator",
            ["000000"],
            password=PASSWORD,
            must_change=False,
        )
        browser.sign_in("late")
        assert browser.get("/account").status_code == 200
        with store.writing(folder) as session:
            late = sa.select(store.Account.id).where(store.Account.name == "late").scalar_subquery()
            session.execute(
                sa.update(store.SignedIn)
                .where(store.SignedIn.account_id == late)
                .values(ends_at="2026-01-01T00:00:00+08:00")
            )
    elif cookie == "tampered":
        own = signed_in["reader"].client.get_cookie("oversight_session").value
        browser.client.set_cookie("oversight_session", own[:-4] + ("aaaa" if own[-4:] != "aaaa" else "bbbb"))
    edition = edition_of(folder)
    for (method, _), path in CLOSED_RULES.items():
        body: dict[str, Any] = {}
        if path == "/_dash-update-component":
            body = {"json": drawing("/", "", edition)}
        answer = asked(browser, method, path, **body)
        assert answer.status_code == 401, (method, path)
        assert answer.get_data(as_text=True) == "请先登录。", path
    for path in ("/", "/funding", "/nowhere", f"/township?unit={OTHER_TOWN}"):
        answer = browser.get(path)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/sign-in")
        assert not answer.data


def test_each_role_gets_what_its_role_allows(signed_in: dict[str, Browser], folder: DataFolder) -> None:
    from oversight.accounts.roles import may

    edition = edition_of(folder)
    for name, (role, _) in ACCOUNTS.items():
        for action in ONLY_FOR:
            for (method, rule), path in CLOSED_RULES.items():
                if rule not in ONLY_FOR[action]:
                    continue
                answer = asked(signed_in[name], method, path)
                assert (answer.status_code == 403) == (not may(role, action)), (name, method, path)  # type: ignore[arg-type]
        for path, page in pages().items():
            drawn = signed_in[name].draw(path, "", edition)
            shown = drawn.get_json()["response"]
            assert "没能显示" not in json.dumps(shown, ensure_ascii=False), (name, path)
            is_unknown = shown["meta"]["data"]["title"].startswith("页面不存在")
            assert is_unknown == (not may(role, page.needs)), (name, path)


def unit_codes(edition: Any) -> list[str]:
    import duckdb

    with duckdb.connect(str(edition.warehouse), read_only=True) as connection:
        found = connection.execute(
            "select township_code from townships union select county_code from townships "
            "union select city_code from townships union select province_code from townships order by all"
        ).fetchall()
    return [code for (code,) in found]


def addresses(edition: Any, number: int, seed: int) -> list[tuple[str, str]]:
    """Pages with units in and out of any scope, known and not, and with what else an address can say."""
    rng = random.Random(seed)
    codes = [*unit_codes(edition), "999999", "360399", "640324999", ""]
    made = []
    for _ in range(number):
        path = rng.choice([*pages(), "/nowhere"])
        items = [f"unit={rng.choice(codes)}"] if rng.random() < 0.8 else []
        items += [f"month=2025-{rng.randint(1, 12):02d}"] if rng.random() < 0.4 else []
        items += rng.sample(
            [
                "money=yuan",
                "status=short",
                "status=open",
                "rule=A-10",
                "rule=D-07",
                "severity=high",
                "change=new",
                "topic=经费保障",
                "tier=2万人以下",
                "disposition=held",
                "q=镇",
                "report=2025-06/640324/1",
            ],
            rng.randint(0, 2),
        )
        made.append((path, "?" + "&".join(items)))
    return made


def test_no_page_shows_anything_of_another_county(signed_in: dict[str, Browser], folder: DataFolder) -> None:
    """A short form of `python -m tests.accounts.many_addresses`."""
    edition = find_edition(folder)
    assert leaks(signed_in["analyst"], edition, Others(edition.warehouse, COUNTY), 60, 5) == []
    assert leaks(signed_in["reporter"], edition, Others(edition.warehouse, TOWN), 25, 6) == []
    for path in pages():
        # Whoever runs the service of a county runs no other's.
        answer = signed_in["county-chief"].draw(path, "", edition.edition_id)
        assert Others(edition.warehouse, COUNTY).found_in(answer.get_data(as_text=True)) == [], path


def leaks(browser: Browser, edition: Any, others: Others, number: int, seed: int) -> list[Any]:
    found = []
    for path, search in addresses(edition, number, seed):
        answer = browser.draw(path, search, edition.edition_id)
        assert answer.status_code == 200, (path, search)
        text = answer.get_data(as_text=True)
        assert "没能显示" not in json.dumps(answer.get_json(), ensure_ascii=False), (path, search)
        # What was asked for stands in the answer too; nothing else does.
        found += [(path, search, word) for word in others.found_in(text) if word not in search]
    return found


def test_findings_and_letters_of_another_county_are_none(
    signed_in: dict[str, Browser], folder: DataFolder
) -> None:
    edition = find_edition(folder)
    others = Others(edition.warehouse, COUNTY)
    browser = signed_in["analyst"]
    for path in ("/follow/list?state=all", "/follow/people", "/letters/all"):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert others.found_in(answer.get_data(as_text=True)) == [], path
    import duckdb

    with duckdb.connect(str(edition.warehouse), read_only=True) as connection:
        found = connection.execute(
            "select finding_id from findings where subject_code = ? limit 1", [OTHER_TOWN]
        ).fetchone()
    assert found is not None
    outside, unknown = (
        browser.get(f"/follow/one?id={name}")
        for name in (found[0], found[0].replace(OTHER_TOWN, "640324998"))
    )
    assert (outside.status_code, outside.data) == (unknown.status_code, unknown.data)


def test_an_outside_unit_answers_as_an_unknown_one(signed_in: dict[str, Browser], folder: DataFolder) -> None:
    edition = edition_of(folder)
    browser = signed_in["analyst"]
    for path in pages():
        told = [
            json.dumps(browser.draw(path, f"?unit={code}", edition).get_json(), ensure_ascii=False).replace(
                code, "…"
            )
            for code in (OTHER_TOWN, "640324998", "999999998")
        ]
        assert told[0] == told[1] == told[2], path
        told = [
            json.dumps(browser.draw(path, f"?unit={code}", edition).get_json(), ensure_ascii=False).replace(
                code, "…"
            )
            for code in (OTHER_COUNTY, "640398")
        ]
        assert told[0] == told[1], path
    forms = [
        {"path": "/funding", "table": "townships", "search": f"?unit={code}", "edition": edition}
        for code in (OTHER_TOWN, "640324998")
    ]
    for route in ("/rows", "/download"):
        first, second = (browser.post(route, data=form) for form in forms)
        assert (first.status_code, first.data) == (second.status_code, second.data)
    for name in ("returned/a.xlsx", f"report/2025-06/{OTHER_COUNTY}/1/html"):
        assert browser.get(f"/{name}").status_code == 404


def test_every_table_and_download_holds_the_scope_alone(
    signed_in: dict[str, Browser], folder: DataFolder
) -> None:
    edition = find_edition(folder)
    others = Others(edition.warehouse, COUNTY)
    for path, page in pages().items():
        for table in page.tables:
            form = {
                "path": path,
                "table": table,
                "search": f"?unit={TOWN}" if path == "/township" else "",
                "edition": edition.edition_id,
                "format": "csv",
            }
            for route in ("/rows", "/download"):
                answer = signed_in["analyst"].post(route, data=form)
                assert answer.status_code == 200, (route, path, table)
                assert others.found_in(answer.data.decode("utf-8-sig")) == [], (route, path, table)


def test_sql_is_asked_of_the_scope_alone(signed_in: dict[str, Browser], folder: DataFolder) -> None:
    edition = find_edition(folder)
    others = Others(edition.warehouse, COUNTY)
    browser = signed_in["analyst"]
    for sql in (
        "select * from townships",
        "select file_name from submissions",
        "select * from reported.divisions",
        "select unit_code from detail.unit_monthly",
        "select 区划代码 from 经费缺口_月",
    ):
        answer = browser.post("/sql/run", json={"edition": edition.edition_id, "sql": sql}).get_json()
        while answer.get("is_running"):
            answer = browser.get(f"/sql/result/{answer['id']}").get_json()
        assert answer["rows"], (sql, answer)
        assert others.found_in(json.dumps(answer, ensure_ascii=False)) == [], sql
    dictionary = browser.get(f"/sql/dictionary?edition={edition.edition_id}").get_data(as_text=True)
    assert others.found_in(dictionary) == []


def test_the_same_pages_as_those_who_see_everything(
    signed_in: dict[str, Browser], folder: DataFolder
) -> None:
    """Cutting takes nothing away from what is one's own: a township's page says the same to all who may see it."""
    edition = edition_of(folder)
    for path, search in (
        ("/", f"?unit={COUNTY}"),
        ("/funding", f"?unit={COUNTY}&month=2025-06"),
        ("/staffing", f"?unit={COUNTY}"),
        ("/findings", f"?unit={COUNTY}&month=2025-09"),
        ("/sources", f"?unit={COUNTY}"),
        ("/policy", f"?unit={COUNTY}"),
        ("/township", f"?unit={TOWN}&month=2025-06"),
        ("/township", "?unit=360313105"),
    ):
        whole, own = (
            signed_in[name].draw(path, search, edition).get_json()["response"]["content"]["children"]
            for name in ("whole-reader", "reader")
        )
        # Files that speak of other counties too are not in the list of files, which stands last.
        if path == "/township":
            whole, own = whole[:-1], own[:-1]
        assert whole == own, (path, search)


def test_saved_queries_stay_with_those_who_may_see_what_they_name(signed_in: dict[str, Browser]) -> None:
    saved = signed_in["other-analyst"].post("/sql/save", json={"title": "外县", "sql": "select 1"}).get_json()
    assert saved["id"] not in signed_in["analyst"].client.get("/sql/saved").get_data(as_text=True)
    assert saved["id"] in signed_in["chief"].client.get("/sql/saved").get_data(as_text=True)
    gone = asked(signed_in["analyst"], "DELETE", f"/sql/saved/{saved['id']}")
    never = asked(signed_in["analyst"], "DELETE", "/sql/saved/000000000000")
    assert gone.status_code == never.status_code == 200
    assert saved["id"] in signed_in["other-analyst"].client.get("/sql/saved").get_data(as_text=True)
    assert asked(signed_in["other-analyst"], "DELETE", f"/sql/saved/{saved['id']}").status_code == 200
    assert saved["id"] not in signed_in["other-analyst"].client.get("/sql/saved").get_data(as_text=True)


def test_a_county_administrator_sees_and_grants_nothing_outside(
    signed_in: dict[str, Browser], folder: DataFolder
) -> None:
    browser = signed_in["county-chief"]
    for path in ("/accounts", "/record"):
        text = browser.get(path).get_data(as_text=True)
        assert "other-analyst" not in text
    form = {"name": "intruder", "role": "administrator", "divisions": "000000"}
    assert browser.post("/accounts/add", data=form).status_code == 400
    assert people.person(folder, "intruder") is None
    outside, unknown = (
        browser.post("/accounts/change", data={"name": name, "do": "disable"})
        .get_data(as_text=True)
        .replace(name, "…")
        for name in ("other-analyst", "no-such-one")
    )
    assert outside == unknown
    found = people.person(folder, "other-analyst")
    assert found is not None
    assert not found.is_disabled


def test_a_change_of_role_or_division_holds_at_once(app: Any, folder: DataFolder) -> None:
    actor = at_the_machine()
    people.add(folder, actor, "moving", "analyst", [COUNTY], password=PASSWORD, must_change=False)
    browser = Browser(app.server.test_client())
    browser.sign_in("moving")
    edition = edition_of(folder)
    assert browser.get(f"/sql/dictionary?edition={edition}").status_code == 200
    people.change(folder, actor, "moving", role="reader", divisions=[OTHER_COUNTY])
    assert browser.get(f"/sql/dictionary?edition={edition}").status_code == 403
    shown = json.dumps(browser.draw("/township", f"?unit={TOWN}", edition).get_json(), ensure_ascii=False)
    assert "没有区划代码" in shown
    people.change(folder, actor, "moving", is_disabled=True)
    assert browser.client.get("/edition").status_code == 401


def test_replayed_cookies_of_ended_sessions_are_worth_nothing(app: Any) -> None:
    browser = Browser(app.server.test_client())
    browser.sign_in("reader")
    cookie = browser.client.get_cookie("oversight_session").value
    assert browser.client.get("/edition").status_code == 200
    assert browser.post("/sign-out").status_code == 303
    browser.client.set_cookie("oversight_session", cookie)
    assert browser.client.get("/edition").status_code == 401


def test_sign_in_leads_to_this_site_only(app: Any) -> None:
    for wanted in (
        "//evil.example.com",
        "https://evil.example.com",
        "/\\evil.example.com",
        "/\t/evil.example.com",
    ):
        client = app.server.test_client()
        answer = client.post("/sign-in", data={"name": "reader", "password": PASSWORD, "next": wanted})
        assert answer.headers["Location"] == "/"
    assert HTML
