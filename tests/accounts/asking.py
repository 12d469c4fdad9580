"""Asking the application as a browser does, and what must not be in its answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import duckdb

from oversight.accounts import people
from oversight.accounts.actor import at_the_machine
from oversight.settings import DataFolder

# Nobody's: of accounts that live as long as a test.
PASSWORD = "Ganlan-Shu-2031"
COUNTY, OTHER_COUNTY, TOWN = "360313", "640324", "360313101"
ACCOUNTS: dict[str, tuple[str, list[str]]] = {
    "chief": ("administrator", ["000000"]),
    "county-chief": ("administrator", [COUNTY]),
    "analyst": ("analyst", [COUNTY]),
    "other-analyst": ("analyst", [OTHER_COUNTY]),
    "reviewer": ("reviewer", [COUNTY]),
    "reporter": ("reporter", [TOWN]),
    "reader": ("reader", [COUNTY]),
    "whole-reader": ("reader", ["000000"]),
}
HTML = {"Accept": "text/html"}


def add_accounts(folder: DataFolder) -> None:
    """Every account of the tests, able to sign in at once."""
    for name, (role, divisions) in ACCOUNTS.items():
        people.add(folder, at_the_machine(), name, role, divisions, password=PASSWORD, must_change=False)


@dataclass
class Browser:
    """A client with its cookies."""

    client: Any

    def sign_in(self, name: str, password: str = PASSWORD) -> Any:
        """Send the form."""
        return self.client.post("/sign-in", data={"name": name, "password": password})

    def get(self, path: str, **options: Any) -> Any:
        """Open an address."""
        return self.client.get(path, headers=HTML, **options)

    def post(self, path: str, **options: Any) -> Any:
        """Send something, as a page of ours does."""
        return self.client.post(path, headers={"X-CSRFToken": self.token()}, **options)

    def token(self) -> str:
        """What a page of ours sends along when it changes something."""
        if self.client.get_cookie("_csrf_token") is None:
            self.client.get("/sign-in")
        found = self.client.get_cookie("_csrf_token")
        return found.value if found else ""

    def draw(self, path: str, search: str, edition: str) -> Any:
        """What the browser asks for when a page is opened."""
        return self.client.post("/_dash-update-component", json=drawing(path, search, edition))


def drawing(path: str, search: str, edition: str) -> dict[str, Any]:
    """The body of the callback that draws a page."""
    parts = [("content", "children"), ("nav", "children"), ("meta", "data")]
    return {
        "output": "..content.children...nav.children...meta.data..",
        "outputs": [{"id": name, "property": what} for name, what in parts],
        "inputs": [
            {"id": "url", "property": "pathname", "value": path},
            {"id": "url", "property": "search", "value": search},
            {"id": "theme", "property": "data", "value": "light"},
        ],
        "changedPropIds": ["url.pathname"],
        "state": [{"id": "edition", "property": "data", "value": edition}],
    }


class Others:
    """The oracle of leaks: every code and every name of townships outside a scope, read straight from the edition."""

    def __init__(self, warehouse: Any, prefix: str) -> None:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            units = connection.execute(
                "select township_code, township_name, county_code, county_name, city_name from townships"
            ).fetchall()
            files = connection.execute("select submission_id, file_name from submissions").fetchall()
            rows = []
            for table, code in (
                *((name, "township_code") for name in ("population", "budget", "staffing", "payments")),
                ("indicators", "subject_code"),
                ("divisions", "division_code"),
            ):
                rows += connection.execute(f"select submission_id, {code} from reported.{table}").fetchall()
        own = [unit for unit in units if unit[0].startswith(prefix)]
        own_names = {name for unit in own for name in (unit[1], unit[3], unit[4])}
        # What law says names places too: counties and cities that stand in the documents are no leak.
        self.words = {unit[0] for unit in units if not unit[0].startswith(prefix)}
        self.words |= {
            unit[1]
            for unit in units
            if not unit[0].startswith(prefix) and not any(unit[1] in name for name in own_names)
        }
        own_files = {submission for submission, code in rows if code.startswith(prefix)}
        own_file_names = {name for submission, name in files if submission in own_files}
        # A file that speaks of nobody's own units is nobody else's business, whatever it is called.
        self.words |= {
            name for submission, name in files if submission not in own_files and name not in own_file_names
        }

    def found_in(self, text: str) -> list[str]:
        """Those that an answer names, however it spells them."""
        plain = unquote(text)
        if "\\u" in plain:
            plain += json.dumps(json.loads(text), ensure_ascii=False) if text[:1] in "[{" else ""
        return [word for word in self.words if word in plain]


def texts_in(element: Any) -> Iterator[str]:
    """Every text of what a callback answered."""
    if isinstance(element, str):
        yield element
    elif isinstance(element, dict):
        for value in element.values():
            yield from texts_in(value)
    elif isinstance(element, list):
        for value in element:
            yield from texts_in(value)
