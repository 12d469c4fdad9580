"""Requests that no page sends, at a running server: `python tests/faults/fuzz_requests.py [COUNT] [SEED]`.

Starts `oversight serve` over the data folder given by OVERSIGHT_FUZZ_DATA (default: data), sends COUNT requests
(default 100,000) to every route and to Dash's endpoint, and prints counts by status and the memory before and after;
then a tenth as many as a signed-in administrator, over a copy of the editions with an account. Ends with 1 when
anything was answered 500, told a path or a trace of the program, or memory grew by more than 150 MB.
"""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from oversight.accounts import people, store
from oversight.accounts.actor import at_the_machine
from oversight.editions import find_edition
from oversight.settings import DataFolder
from tests.dashboard.browsing import serving

# Of an account that lives as long as the fuzzing.
PASSWORD = "Ganlan-Shu-2031"
MOST_GROWN = 150 * 2**20
# What belongs to the program and never to an answer.
TOLD = re.compile(rb'Traceback|File "|site-packages|werkzeug|duckdb\.|/\.venv/|/proc/|/usr/lib|\.py[":,]')

ODD = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1e999",
        "NaN",
        "null",
        "true",
        "[]",
        "{}",
        "'",
        '"',
        "%",
        "%00",
        "\x00",
        "\x7f",
        "\n",
        "\r\n",
    ),
    *(
        "../..",
        "..\\..",
        "/etc/passwd",
        "a" * 300,
        "乡" * 120,
        "\ud7ff",
        "\ufffe",
        "💥",
        "a/b",
        ".",
        "..",
        "~",
        "|ls",
    ),
    *(
        "<script>alert(1)</script>",
        "' or 1=1 --",
        "${jndi:x}",
        "{{7*7}}",
        "9" * 40,
        "2025-13",
        "0000-00",
        "9999-12",
    ),
    *(
        "2025-06",
        "360313",
        "360313101",
        "000000",
        "999999999999",
        "unit=1&unit=2",
        "asc",
        "desc",
        "__proto__",
    ),
)


# What the routes of the workflow take, and values that some of them accept.
FIELDS = (
    *(
        "unit",
        "month",
        "dataset",
        "files",
        "verdict",
        "rows",
        "reason",
        "scope",
        "step",
        "read",
        "note",
        "version",
    ),
    *(
        "number",
        "name",
        "text",
        "edition",
        "key",
        "kind",
        "findings",
        "on",
        "upload",
        "items",
        "letters",
        "by",
    ),
    *("id", "sha256", "form", "state", "severity", "rule", "words", "page", "sheet", "row"),
)
RIGHT: tuple[Any, ...] = (
    *("360313", "360313101", "2025-06", "population", "accept", "draft", "remark", "reminder", "all", "pdf"),
    *(
        0,
        1,
        [],
        ["0123456789abcdef"],
        [{"name": "a.pdf", "size": 3}],
        [{"id": "A-06/360313101/2025-01", "version": 0}],
    ),
    *(
        [{"kind": "reminder", "unit": "360313101"}],
        "0123456789abcdef",
        "A-06/360313101/2025-01",
        "a" * 64,
        "",
    ),
)
NAMES = (
    "0123456789abcdef",
    "0123456789abcdef01",
    "0",
    "1",
    "20260101-000000-abcdef",
    "2025-06/360313/1",
    "html",
    "dash",
)
# Starting a run, going back an edition and signing out end what is tried here.
NOT_SENT = ("/run/start", "/run/back", "/sign-out", "/account/password", "/_reload-hash")


@dataclass
class Told:
    """What came back."""

    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    undrawn: int = 0


class Fuzzer:
    """Makes requests from what is known of the routes, and breaks them."""

    def __init__(
        self, seed: int, edition: str, tables: dict[str, list[str]], rules: list[tuple[str, str]]
    ) -> None:
        self.random = random.Random(seed)
        self.edition, self.tables, self.rules = edition, tables, rules
        self.routes = (
            *(
                self.page,
                self.draw,
                self.draw,
                self.rows,
                self.rows,
                self.download,
                self.sql_run,
                self.sql_other,
            ),
            *(self.returned, self.report, self.file, self.anything, self.accounts, self.work, self.work),
        )

    def value(self) -> Any:
        """Any JSON value."""
        kind = self.random.randrange(8)
        if kind < 4:
            return self.random.choice(ODD)
        if kind == 4:
            return self.random.choice((None, True, False, 0, -1, 1.5, 10**30, 1e308))
        if kind == 5:
            return [self.value() for _ in range(self.random.randrange(3))]
        if kind == 6:
            return {str(self.random.choice(ODD)): self.value() for _ in range(self.random.randrange(3))}
        return "".join(chr(self.random.randrange(1, 0xD000)) for _ in range(self.random.randrange(40)))

    def text(self) -> str:
        """Any text."""
        found = self.value()
        return found if isinstance(found, str) else json.dumps(found)

    def maybe(self, right: Any) -> Any:
        """What is right, mostly."""
        return right if self.random.random() < 0.7 else self.value()

    def search(self) -> str:
        """The query of a page's address."""
        names = (
            "unit",
            "month",
            "money",
            "q",
            "status",
            "rule",
            "topic",
            "severity",
            "change",
            "tier",
            "document",
            "x",
        )
        parts = [
            (self.random.choice(names), self.random.choice(("360313", "2025-06", "short", self.text())))
            for _ in range(self.random.randrange(4))
        ]
        return "?" + urllib.parse.urlencode(parts, errors="replace") if parts else ""

    def path(self) -> str:
        """A page, mostly."""
        return str(self.random.choice((*self.tables, "/sql", "/reports", self.text())))

    # Each gives method, address, body, content type.
    def page(self) -> tuple[str, str, bytes | None, str]:
        """A page's address."""
        return "GET", quoted(self.path()) + self.search(), None, ""

    def anything(self) -> tuple[str, str, bytes | None, str]:
        """Any method at any address."""
        method = self.random.choice(("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"))
        body = self.text().encode("utf-8", "replace") if method in ("POST", "PUT", "PATCH") else None
        address = self.random.choice(
            ("/sql/", "/returned/", "/report/", "/_dash-", "/", "/edition", "/health")
        )
        kind = self.random.choice(
            ("application/json", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded")
        )
        return method, address + quoted(self.text()), body, kind

    def draw(self) -> tuple[str, str, bytes | None, str]:
        """Dash's endpoint."""
        call: dict[str, Any] = {
            "output": self.maybe("..content.children...nav.children...meta.data.."),
            "outputs": self.maybe(
                [
                    {"id": "content", "property": "children"},
                    {"id": "nav", "property": "children"},
                    {"id": "meta", "property": "data"},
                ]
            ),
            "inputs": self.maybe(
                [
                    {"id": self.often("url"), "property": "pathname", "value": self.maybe(self.path())},
                    {"id": "url", "property": self.often("search"), "value": self.maybe(self.search())},
                    {"id": "theme", "property": "data", "value": self.maybe("light")},
                ]
            ),
            "changedPropIds": self.maybe(["url.pathname"]),
            "state": self.maybe([{"id": "edition", "property": "data", "value": self.maybe(self.edition)}]),
        }
        if self.random.random() < 0.1:
            call.pop(self.random.choice(list(call)))
        return "POST", "/_dash-update-component", self.broken(call), "application/json"

    def often(self, right: Any) -> Any:
        """What is right, nearly always."""
        return right if self.random.random() < 0.95 else self.value()

    def broken(self, content: Any) -> bytes:
        """JSON, sometimes cut or garbled."""
        text = json.dumps(content, ensure_ascii=self.random.random() < 0.5).encode("utf-8", "replace")
        if self.random.random() < 0.05:
            return text[: self.random.randrange(len(text) + 1)]
        if self.random.random() < 0.02:
            return b"[" * 20_000
        return text

    def form(self, more: dict[str, Any]) -> tuple[bytes, str]:
        """A form of a table."""
        path = self.random.choice(list(self.tables))
        column = self.random.choice(
            ("status", "township_name", "month", "rule_id", "shortfall_persons", self.text())
        )
        fields = {
            "path": self.maybe(path),
            "table": self.maybe(self.random.choice(self.tables[path] or ["x"])),
            "search": self.maybe(self.search()),
            "edition": self.often(self.edition),
            "filter": json.dumps(self.maybe({column: self.maybe(self.filter())})),
            "sort": json.dumps(self.maybe([{"colId": column, "sort": self.maybe("desc")}])),
            **more,
        }
        kept = {name: value for name, value in fields.items() if self.random.random() < 0.8}
        return urllib.parse.urlencode(kept, errors="replace").encode(), "application/x-www-form-urlencoded"

    def filter(self) -> dict[str, Any]:
        """A column's filter."""
        if self.random.random() < 0.2:
            return {"operator": self.maybe("OR"), "conditions": [self.filter(), self.filter()]}
        kinds = ("contains", "equals", "notEqual", "lessThan", "inRange", "blank", "startsWith")
        return {
            "filterType": "text",
            "type": self.maybe(self.random.choice(kinds)),
            "filter": self.value(),
            "filterTo": self.value(),
        }

    def rows(self) -> tuple[str, str, bytes | None, str]:
        """Rows of a table."""
        body, kind = self.form({})
        return "POST", "/rows", body, kind

    def download(self) -> tuple[str, str, bytes | None, str]:
        """A table to be taken away."""
        more = {
            "format": self.maybe("csv"),
            "columns": json.dumps(self.maybe(["status", "month"])),
            "rows": json.dumps(self.maybe(["1", "2"])),
        }
        body, kind = self.form(more)
        return "POST", "/download", body, kind

    def sql_run(self) -> tuple[str, str, bytes | None, str]:
        """A query, mostly of an edition that is none: processes are not what is tried here."""
        content = {
            "edition": self.value(),
            "sql": self.maybe("select 1"),
            "month": self.value(),
            "unit": self.value(),
        }
        return (
            "POST",
            self.random.choice(("/sql/run", "/sql/download", "/sql/save")),
            self.broken(content),
            "application/json",
        )

    def sql_other(self) -> tuple[str, str, bytes | None, str]:
        """The other addresses of the SQL page."""
        name = quoted(self.maybe("0123456789abcdef") if self.random.random() < 0.5 else self.text())
        if name in (".", ".."):
            name = "x"
        method, address = self.random.choice(
            (
                ("GET", f"/sql/result/{name}"),
                ("POST", f"/sql/cancel/{name}"),
                ("GET", f"/sql/file/{name}"),
                ("DELETE", f"/sql/saved/{name}"),
                ("GET", f"/sql/dictionary?edition={name}"),
                ("GET", "/sql/saved"),
            )
        )
        return method, address, b"{}" if method == "POST" else None, "application/json"

    def accounts(self) -> tuple[str, str, bytes | None, str]:
        """Signing in, accounts, the record. Never out, and nobody's password."""
        fields = ("name", "password", "next", "role", "divisions", "do", "full_name", "proxy", "csrf_token")
        sent = [(name, self.text()) for name in fields if self.random.random() < 0.6]
        if self.random.random() < 0.5:
            chosen = urllib.parse.urlencode(
                [(name, self.text()) for name in ("what", "who", "since", "until", "next")], errors="replace"
            )
            address = self.random.choice(("/record", "/accounts", "/account", "/sign-in"))
            return "GET", f"{address}?{chosen}", None, ""
        address = self.random.choice(("/sign-in", "/accounts/add", "/accounts/change"))
        body = urllib.parse.urlencode(sent, errors="replace").encode()
        return "POST", address, body, "application/x-www-form-urlencoded"

    def work(self) -> tuple[str, str, bytes | None, str]:
        """Whatever else is routed: every address that the application knows, its variables and its body made up."""
        method, rule = self.random.choice(self.rules)
        address = re.sub(r"<[^>]*>", lambda _: quoted(self.maybe(self.random.choice(NAMES))), rule)
        if method == "GET":
            sent = [(self.random.choice(FIELDS), self.text()) for _ in range(self.random.randrange(4))]
            return method, f"{address}?{urllib.parse.urlencode(sent, errors='replace')}", None, ""
        if self.random.random() < 0.15:
            return method, address, self.text().encode("utf-8", "replace"), "application/octet-stream"
        body = {
            field: self.maybe(self.random.choice(RIGHT)) for field in FIELDS if self.random.random() < 0.4
        }
        return method, address, self.broken(body), "application/json"

    def returned(self) -> tuple[str, str, bytes | None, str]:
        """A returned workbook."""
        return "GET", "/returned/" + quoted(self.text()), None, ""

    def report(self) -> tuple[str, str, bytes | None, str]:
        """A report."""
        parts = (self.maybe("2025-06"), self.maybe("360313"), self.maybe("1"), self.maybe("pdf"))
        return "GET", "/report/" + "/".join(quoted(str(part)) for part in parts) + self.search(), None, ""

    def file(self) -> tuple[str, str, bytes | None, str]:
        """Scripts and styles."""
        package = quoted(str(self.maybe("dash")))
        return "GET", f"/_dash-component-suites/{package}/{quoted(self.text())}", None, ""

    def request(self) -> tuple[str, str, bytes | None, str]:
        """The next one."""
        return self.random.choice(self.routes)()  # type: ignore[operator]


def quoted(text: Any) -> str:
    """As a browser or a tool may write it into an address."""
    return urllib.parse.quote(str(text), safe="/%?=&.~", errors="replace")


def fuzz(base: str, fuzzer: Fuzzer, count: int, own: dict[str, str] | None = None) -> Told:
    """Send so many requests, each with these header fields, over one connection at a time."""
    place = urllib.parse.urlsplit(base)
    told = Told()
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    for _ in range(count):
        method, address, body, kind = fuzzer.request()
        headers = {**(own or {}), **({"Content-Type": kind} if kind and body is not None else {})}
        try:
            connection.request(method, address, body, headers)
            answer = connection.getresponse()
            data = answer.read()
        except http.client.InvalidURL:
            told.statuses["not sent"] += 1
            continue
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            told.statuses[type(error).__name__] += 1
            told.wrong.append(f"{method} {address[:200]}: {error!r}")
            continue
        told.statuses[str(answer.status)] += 1
        undrawn = "没能显示".encode() in data or b"\\u6ca1\\u80fd\\u663e\\u793a" in data
        told.undrawn += undrawn
        # Scripts and styles are not ours; nor is what a page of data says.
        is_ours = answer.status >= 400 or method != "GET"
        if answer.status >= 500 or undrawn or (is_ours and TOLD.search(data)):
            told.wrong.append(
                f"{answer.status} {method} {address[:300]} {(body or b'')[:1500]!r} -> {data[:300]!r}"
            )
    connection.close()
    return told


def known_tables() -> dict[str, list[str]]:
    """The tables of every page."""
    from oversight.dashboard.pages import pages

    return {path: list(page.tables) for path, page in pages().items()}


def known_rules(folder: DataFolder) -> list[tuple[str, str]]:
    """Every method and address that the application routes."""
    from oversight.dashboard.app import create_app

    return sorted(
        (method, rule.rule)
        for rule in create_app(folder).server.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule not in NOT_SENT
    )


def main() -> int:
    """Fuzz and tell."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 17
    folder = DataFolder.at(os.environ.get("OVERSIGHT_FUZZ_DATA", "data"))
    is_wrong = False
    for title, number, signed_in in (
        ("nobody signs in", count, False),
        ("an administrator", count // 10, True),
    ):
        # What is sent may well be understood, and then something is done: not to the folder itself.
        with tempfile.TemporaryDirectory(prefix="oversight-fuzz-") as place:
            shutil.copytree(folder.marts, Path(place) / "marts", symlinks=True)
            is_wrong |= stage(title, DataFolder.at(place), number, seed, signed_in=signed_in)
    return int(is_wrong)


def stage(title: str, folder: DataFolder, count: int, seed: int, *, signed_in: bool) -> bool:
    """Fuzz one server and tell; whether anything was wrong."""
    if signed_in:
        people.add(
            folder,
            at_the_machine(),
            "chief",
            "administrator",
            ["000000"],
            password=PASSWORD,
            must_change=False,
        )
        store.forget(folder)
    with serving(folder) as running:
        own = sign_in(running.base) if signed_in else {}
        process = psutil.Process(running.process.pid)
        fuzzer = Fuzzer(seed, find_edition(folder).edition_id, known_tables(), known_rules(folder))
        # Every page once, so that what belongs to serving at all is there before memory is measured.
        warm = Fuzzer(seed + 1, fuzzer.edition, fuzzer.tables, fuzzer.rules)
        fuzz(running.base, warm, min(count, 2000), own)
        before, start = process.memory_info().rss, time.perf_counter()
        told = fuzz(running.base, fuzzer, count, own)
        took, after = time.perf_counter() - start, process.memory_info().rss
    print(f"{title}: {count:,} requests in {took:.0f} s, seed {seed}")
    for status, number in sorted(told.statuses.items()):
        print(f"  {status:>8}  {number:,}")
    print(f"pages not drawn: {told.undrawn}")
    print(f"memory: {before / 2**20:.0f} MB before, {after / 2**20:.0f} MB after")
    for line in told.wrong[:20]:
        print("WRONG", line)
    return bool(told.wrong) or after - before > MOST_GROWN


def sign_in(base: str, name: str = "chief") -> dict[str, str]:
    """The header fields of somebody signed in, token included."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    # A session belongs to the browser that began it.
    opener.addheaders = [("User-Agent", "fuzz")]
    opener.open(f"{base}/sign-in").read()
    form = urllib.parse.urlencode({"name": name, "password": PASSWORD}).encode()
    opener.open(f"{base}/sign-in", form).read()
    cookies = {cookie.name: cookie.value or "" for cookie in jar}
    assert "oversight_session" in cookies
    return {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRFToken": cookies["_csrf_token"],
        "User-Agent": "fuzz",
    }


if __name__ == "__main__":
    raise SystemExit(main())
