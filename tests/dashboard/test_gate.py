"""The gate through a running server: who may ask under which name, from which page, with what, and how much."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from oversight.dashboard.app import create_app
from oversight.dashboard.listening import _Turns
from oversight.dashboard.pages import pages
from oversight.editions import find_edition
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.dashboard.browsing import Served, Visit, free_port, needs_chromium
from tests.faults.fuzz_requests import Fuzzer, fuzz, known_rules, known_tables

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Answer:
    """Status, header fields and text of an answer."""

    def __init__(self, found: http.client.HTTPResponse) -> None:
        self.status, self.headers = found.status, found.headers
        self.body = found.read()
        self.text = self.body.decode("utf-8", "replace")


def ask(
    base: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    method: str | None = None,
) -> Answer:
    """One request exactly as written; `Host` may be another than where it goes."""
    place = urllib.parse.urlsplit(base)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    try:
        connection.putrequest(
            method or ("GET" if body is None else "POST"), path, skip_host="Host" in (headers or {})
        )
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def form(**fields: str) -> bytes:
    return urllib.parse.urlencode(fields).encode()


def is_a_sentence(answer: Answer) -> bool:
    """Refused in Chinese, without a trace of the program."""
    text = json.loads(answer.text)["error"] if answer.text.startswith("{") else answer.text
    told = re.search(r"[\u4e00-\u9fff]{4}", text) and text.rstrip().endswith("。")
    return bool(told) and not re.search(r"Traceback|site-packages|\.py|/home/|/tmp/|/usr/", answer.text)


def mark_of(answer: Answer) -> dict[str, str]:
    """The cookies given, as a browser sends them back, and the token that belongs to them."""
    cookies = dict(part.split(";")[0].split("=", 1) for part in answer.headers.get_all("Set-Cookie") or ())
    return {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRFToken": cookies["_csrf_token"],
    }


# --- names, pages, marks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "127.0.0.1.evil.example.com",
        "localhost.evil.example.com:80",
        "",
        "a b",
        "10.0.0.7",
    ],
)
def test_a_foreign_name_is_refused(served: Served, host: str) -> None:
    for path in ("/", "/edition", "/_dash-layout", "/sql/saved", "/assets/app.js"):
        answer = ask(served.base, path, headers={"Host": host})
        assert 400 <= answer.status < 500, (path, answer.status)
        assert is_a_sentence(answer)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST.:99"])
def test_the_names_of_this_machine_are_answered(served: Served, host: str) -> None:
    assert ask(served.base, "/edition", headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Referer": "http://evil.example.com/a"},
    ],
)
def test_what_another_site_sends_is_refused(served: Served, headers: dict[str, str]) -> None:
    edition = find_edition(served.folder).edition_id
    for path, body, kind in (
        ("/rows", form(path="/funding", table="townships", edition=edition), FORM),
        ("/download", form(path="/funding", table="townships", edition=edition), FORM),
        ("/sql/run", json.dumps({"edition": edition, "sql": "select 1"}).encode(), JSON),
        ("/_dash-update-component", b"{}", JSON),
    ):
        answer = ask(served.base, path, body, {**kind, **headers})
        assert answer.status == 403
        assert is_a_sentence(answer)


def test_a_saved_query_is_kept_and_removed_only_from_a_page(served: Served) -> None:
    query = json.dumps({"title": "留着", "sql": "select 1"}).encode()
    own = {**JSON, **mark_of(ask(served.base, "/"))}
    kept = json.loads(ask(served.base, "/sql/save", query, own).text)["id"]
    other = {**JSON, **mark_of(ask(served.base, "/"))}
    for headers in (
        {},
        {"Cookie": own["Cookie"]},
        {"X-CSRFToken": own["X-CSRFToken"]},
        {"Cookie": own["Cookie"], "X-CSRFToken": other["X-CSRFToken"]},
        {"Cookie": "oversight_browser=0123456789abcdef0123456789abcdef", "X-CSRFToken": "x"},
        {**own, "Origin": "http://evil.example.com"},
    ):
        assert ask(served.base, f"/sql/saved/{kept}", headers=headers, method="DELETE").status == 403
        assert ask(served.base, "/sql/save", query, {**JSON, **headers}).status == 403
    assert kept in ask(served.base, "/sql/saved").text
    assert ask(served.base, f"/sql/saved/{kept}", headers=own, method="DELETE").status == 200
    assert kept not in ask(served.base, "/sql/saved").text


def test_every_answer_carries_its_headers(served: Served) -> None:
    for path in (
        "/",
        "/edition",
        "/_dash-layout",
        "/assets/app.js",
        "/no-such-page",
        "/returned/none",
        "/report/x/y",
    ):
        answer = ask(served.base, path)
        policy = answer.headers["Content-Security-Policy"]
        scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "default-src 'none'" in policy
        assert re.fullmatch(r"script-src 'self'( 'sha256-[\w+/=]+')+", scripts)
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Permissions-Policy"]


def test_the_page_says_that_nobody_is_asked(served: Served) -> None:
    assert "未设账号" in ask(served.base, "/_dash-layout").text


def test_without_accounts_nothing_behind_a_proxy_is_answered(served: Served) -> None:
    answer = ask(served.base, "/edition", headers={"X-Forwarded-For": "10.0.0.9"})
    assert answer.status == 403
    assert "账号" in answer.text


@pytest.mark.parametrize(
    "arguments",
    [
        ("--host", "0.0.0.0"),
        ("--host", "::"),
        ("--host", "192.168.1.5"),
        ("--name", "oversight.example.gov.cn"),
        ("--proxy", "127.0.0.1"),
    ],
)
def test_others_are_not_served_before_there_are_accounts(
    dashboard_folder: DataFolder, arguments: tuple[str, str]
) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "oversight.cli", "serve", "--data", str(dashboard_folder.root)),
            *("--port", str(free_port()), *arguments),
        ],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "还没有任何账号" in done.stderr
    assert "oversight user add" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


# --- inputs ------------------------------------------------------------------------------------------------------------

WRONG: list[tuple[str, bytes | None, dict[str, str]]] = [
    ("/returned/%00", None, {}),
    ("/returned/" + "a" * 300, None, {}),
    ("/returned/" + "%E4%B9%A1" * 100, None, {}),
    ("/returned/%ff%fe", None, {}),
    ("/" + "a" * 5000, None, {}),
    ("/sql/dictionary?edition=%00", None, {}),
    ("/sql/dictionary?edition=" + "a" * 300, None, {}),
    ("/sql/dictionary?edition=" + "%E4%B9%A1" * 120, None, {}),
    ("/sql/result/%00", None, {}),
    ("/report/2025-06/360313/999999999999999999/pdf", None, {}),
    ("/brief?month=2025-06&unit=360313&unit=640324", None, {}),
    ("/_dash-component-suites/os/path.py", None, {}),
    ("/_dash-component-suites/dash/%2e%2e/dash.py", None, {}),
    ("/sql/run", b'{"edition":"","sql":"select 1"}', JSON),
    ("/sql/run", b'{"edition":"\\u0000","sql":"select 1"}', JSON),
    ("/sql/run", b'{"edition":[],"sql":{}}', JSON),
    ("/sql/run", b"[" * 100_000, JSON),
    ("/sql/run", b'{"edition":"x","sql":"\\ud800"}', JSON),
    ("/sql/run", b"edition=x&sql=select+1", FORM),
    ("/sql/save", b"null", JSON),
    ("/download", form(path="/funding", table="townships", columns="1"), FORM),
    ("/download", form(path="/funding", table="townships", columns="[[]]"), FORM),
    ("/download", form(path="/funding", table="townships", rows='{"a":1}'), FORM),
    ("/rows", form(path="/findings", table="findings", sort="1"), FORM),
    ("/rows", form(path="/findings", table="findings", sort='[{"colId":[],"sort":"asc"}]'), FORM),
    ("/rows", form(path="/findings", table="findings", filter='{"a":{"filter":1e999}}'), FORM),
    ("/rows", form(path="/findings", table="findings", filter="[" * 50_000), FORM),
    ("/_dash-update-component", b"", JSON),
    ("/_dash-update-component", b"{}", {}),
    ("/_dash-update-component", b'{"output":"sink.data"}', JSON),
    ("/_dash-update-component", b'{"output":"..content.children...nav.children...meta.data.."}', JSON),
]


@pytest.mark.parametrize(("path", "body", "headers"), WRONG)
def test_what_no_page_sends_is_refused_in_a_sentence(
    served: Served, path: str, body: bytes | None, headers: dict[str, str]
) -> None:
    answer = ask(served.base, path, body, headers)
    assert 400 <= answer.status < 500, answer.text[:300]
    assert is_a_sentence(answer), answer.text[:300]


def call(**changes: Any) -> dict[str, Any]:
    """What the browser sends to have a page drawn, with something changed."""
    return {
        "output": "..content.children...nav.children...meta.data..",
        "outputs": [
            {"id": "content", "property": "children"},
            {"id": "nav", "property": "children"},
            {"id": "meta", "property": "data"},
        ],
        "inputs": [
            {"id": "url", "property": "pathname", "value": "/"},
            {"id": "url", "property": "search", "value": ""},
            {"id": "theme", "property": "data", "value": "light"},
        ],
        "changedPropIds": ["url.pathname"],
        "state": [{"id": "edition", "property": "data", "value": "x"}],
    } | changes


def test_dash_is_asked_only_what_a_callback_declares(served: Served) -> None:
    edition = find_edition(served.folder).edition_id
    state = [{"id": "edition", "property": "data", "value": edition}]
    right = call(state=state)
    assert ask(served.base, "/_dash-update-component", json.dumps(right).encode(), JSON).status == 200
    inputs = right["inputs"]
    for wrong in (
        call(state=[{"id": "edition", "property": "data", "value": 7}]),
        call(state=[]),
        call(state=[*state, *state]),
        call(inputs=inputs[:2]),
        call(inputs=[inputs[1], inputs[0], inputs[2]]),
        call(inputs=[*inputs[:2], {"id": "theme", "property": "data", "value": "purple"}]),
        call(inputs=[{"id": "url", "property": "pathname", "value": {"a": 1}}, *inputs[1:]]),
        call(inputs=[{"id": {"type": "url"}, "property": "pathname", "value": "/"}, *inputs[1:]]),
        call(inputs=[[inputs[0]], *inputs[1:]]),
        call(outputs=right["outputs"][::-1]),
        call(outputs=[{"id": "other", "property": "children"}] * 3),
        call(outputs=7),
        call(changedPropIds=["other.value"]),
        call(changedPropIds={}),
        call(output="mantine.forceColorScheme"),
        call(output=["content.children"]),
    ):
        answer = ask(served.base, "/_dash-update-component", json.dumps(wrong).encode(), JSON)
        assert answer.status == 400, wrong
        assert is_a_sentence(answer)


def test_every_table_of_every_page_can_be_had_whatever_the_address_says(served: Served) -> None:
    edition = find_edition(served.folder).edition_id
    searches = (
        "",
        "?unit=360313",
        "?unit=360313101",
        "?month=9999999999999999999-1",
        "?month=2025-06&status=x&q=%25'",
    )
    for path, page in pages().items():
        for table in page.tables:
            for search in searches:
                answer = ask(
                    served.base, "/rows", form(path=path, table=table, search=search, edition=edition), FORM
                )
                assert answer.status == 200 or (answer.status == 404 and is_a_sentence(answer)), (
                    *(path, table, search, answer.status),
                )


def test_every_route_and_callback_says_what_it_takes(dashboard_folder: DataFolder) -> None:
    """A new one is not forgotten: it declares its inputs, or stands here with the reason why it needs none."""
    app = create_app(dashboard_folder)
    app.server.test_client().get("/_dash-layout")
    # Dash's own: fixed files, what the page is made of, and the endpoint that is held against its callbacks.
    own = {"static", "_dash_assets.static", "/", "/<path:path>"} | {
        f"/{name}"
        for name in (
            "_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
            *("_dash-layout", "_dash-dependencies", "_dash-update-component", "_reload-hash", "_favicon.ico"),
        )
    }
    missing = [
        name
        for name, view in app.server.view_functions.items()
        if name not in own and not hasattr(view, "takes")
    ]
    assert not missing
    callbacks = app.server.extensions["gate"].callbacks
    for name, callback in app.callback_map.items():
        if callback.get("callback") is not None:
            assert callbacks.kinds(name)


@pytest.mark.parametrize("seed", [1, 2])
def test_requests_that_no_page_sends_are_never_a_fault_of_ours(served: Served, seed: int) -> None:
    """The short form of `make fuzz-requests`."""
    # Nothing that could be understood and done: others read the same folder.
    rules = [rule for rule in known_rules(served.folder) if rule[0] == "GET"]
    told = fuzz(served.base, Fuzzer(seed, find_edition(served.folder).edition_id, known_tables(), rules), 700)
    assert not told.wrong, told.wrong[:3]
    assert len(told.statuses) > 4


# --- how much ----------------------------------------------------------------------------------------------------------


@contextmanager
def half_sent(base: str, count: int, text: bytes) -> Iterator[list[socket.socket]]:
    """Many clients that never finish their request."""
    place = urllib.parse.urlsplit(base)
    held = []
    try:
        for _ in range(count):
            client = socket.create_connection((place.hostname, place.port), timeout=20)
            client.sendall(text)
            held.append(client)
        yield held
    finally:
        for client in held:
            client.close()


@pytest.mark.parametrize(
    "text",
    [b"", b"GET / HTTP/1.1\r\nHost: x", b"POST /rows HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\na"],
)
def test_half_sent_requests_keep_nobody_waiting(served: Served, text: bytes) -> None:
    with half_sent(served.base, 420, text) as held:
        assert ask(served.base, "/edition").status == 200
        # It was answered while they still waited, not once the server had given them up.
        held[-1].setblocking(False)
        with pytest.raises(BlockingIOError):
            held[-1].recv(1)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_large_body_is_refused_and_costs_nothing(served: Served, is_chunked: bool) -> None:
    process = psutil.Process(served.process.pid)
    before = process.memory_info().rss
    place = urllib.parse.urlsplit(served.base)
    with socket.create_connection((place.hostname, place.port), timeout=30) as client:
        length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {300 * 2**20}"
        client.sendall(f"POST /rows HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n".encode())
        piece = (b"100000\r\n" if is_chunked else b"") + b"x" * 2**20 + (b"\r\n" if is_chunked else b"")
        sent = 0
        answer = b""
        try:
            while sent < 300:
                client.sendall(piece)
                sent += 1
            answer = client.recv(1000)
        except OSError:
            pass
    assert sent < 300
    assert not answer or b" 413 " in answer
    assert process.memory_info().rss - before < 30 * 2**20
    assert ask(served.base, "/edition").status == 200


def test_queries_without_a_mark_do_not_take_the_turns_of_others(served: Served) -> None:
    edition = find_edition(served.folder).edition_id
    bomb = json.dumps({"edition": edition, "sql": "select sum(range) from range(1000000000000)"}).encode()
    told = [json.loads(ask(served.base, "/sql/run", bomb, JSON).text) for _ in range(30)]
    started = [item["id"] for item in told if item.get("is_running")]
    try:
        assert len(started) <= 2
        assert all(item.get("code") == "busy" for item in told if "id" not in item)
        own = {**JSON, **mark_of(ask(served.base, "/"))}
        start = time.perf_counter()
        answer = ask(
            served.base, "/sql/run", json.dumps({"edition": edition, "sql": "select 1 as 一"}).encode(), own
        )
        found = json.loads(answer.text)
        while found.get("is_running") and time.perf_counter() - start < 20:
            found = json.loads(ask(served.base, f"/sql/result/{found['id']}", headers=own).text)
        assert found["rows"] == [["1"]]
    finally:
        for name in started:
            ask(served.base, f"/sql/cancel/{name}", b"{}", JSON)


def test_whoever_was_refused_waits_while_another_is_answered() -> None:
    turns = _Turns(lambda _, address: address)

    def answered(name: str, status: str) -> None:
        list(turns.seen(lambda _, start: [start(status, [])])({}, lambda *_: b""))
        turns._note(name)

    def asking(name: str) -> None:
        turns.add_task(SimpleNamespace(requests=[SimpleNamespace(headers={}, error=None)], addr=(name, 0)))

    answered("reader", "200 OK")
    answered("flood", "429 Too Many Requests")
    turns.running["reader"] = 1
    asking("flood")
    assert turns._next() is None
    # Whoever was not refused goes on, and so does the other as soon as nobody is in his way, or after a while.
    asking("reader")
    assert turns._next()[0] == "reader"  # type: ignore[index]
    turns.running.clear()
    assert turns._next()[0] == "flood"  # type: ignore[index]
    asking("flood")
    turns.running.update(reader=1, flood=0)
    turns.refused["flood"] = time.monotonic()
    assert turns._next()[0] == "flood"  # type: ignore[index]


# --- what a browser keeps ----------------------------------------------------------------------------------------------


@needs_chromium
@pytest.mark.parametrize("path", ["/findings", "/funding"])
def test_a_page_opened_again_costs_little(visit: Visit, path: str) -> None:
    visit.go(path)
    seen: list[tuple[str, int]] = []
    headers: dict[str, dict[str, str]] = {}

    def finished(request: Any) -> None:
        seen.append((request.url, max(0, request.sizes()["responseBodySize"])))
        headers[request.url] = request.response().headers

    visit.page.on("requestfinished", finished)
    visit.page.reload()
    visit.drawn()
    visit.page.wait_for_load_state("networkidle")
    assert sum(size for _, size in seen) <= 150_000, sorted(seen, key=lambda item: -item[1])[:5]
    for part in ("plotly.", "async-community."):
        found = [url for url in headers if part in url]
        assert found, part
        for url in found:
            assert re.search(r"\.v[\w-]+m[0-9a-f]+\.", url), url
            assert headers[url]["cache-control"] == "public, max-age=31536000, immutable"


def test_a_file_is_asked_for_again_by_its_tag(served: Served) -> None:
    packed = {"Accept-Encoding": "gzip"}
    page = ask(served.base, "/").text
    for path in re.findall(r'<(?:script|link)[^>]* (?:src|href)="(/[^"]+)"', page):
        first = ask(served.base, path, headers=packed)
        assert first.headers["Cache-Control"] == "public, max-age=31536000, immutable", path
        again = ask(served.base, path, headers={**packed, "If-None-Match": first.headers["ETag"]})
        assert (again.status, again.body) == (304, b"")


def test_without_a_fault_of_ours_there_is_no_way_out_of_the_folder(served: Served, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("geheim", "utf-8")
    for path in (f"/returned/{secret}", f"/returned/..%2f..%2f{secret}", f"/assets/..%2f..%2f{secret}"):
        assert "geheim" not in ask(served.base, path).text
