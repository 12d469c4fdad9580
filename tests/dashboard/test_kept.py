"""Drawn pages that are kept: whose they are, what they may rest on, and which are drawn before anybody asks."""

from __future__ import annotations

import gzip
import importlib
import inspect
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oversight.accounts.identity import OPEN, Identity
from oversight.dashboard import kept
from oversight.dashboard.access import EVERYTHING, Scope
from oversight.dashboard.app import create_app
from oversight.dashboard.kept import HEADER, LIKELY, Ahead, Kept, of_own_units, of_units_within
from oversight.dashboard.pages import pages
from oversight.dashboard.queries import children
from oversight.dashboard.shelf import Shelf
from oversight.dashboard.state import State
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Warehouse
from oversight.editions import find_edition
from oversight.editions.publish import point
from oversight.settings import DataFolder
from tests.accounts.asking import add_accounts, drawing

OF_EDITION = [path for path, page in pages().items() if page.is_of_edition]


class Nothing:
    """Whatever is asked of it, but what it was given, is a fault of whoever asks."""

    def __init__(self, **allowed: Any) -> None:
        vars(self).update(allowed)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a kept page asked for {name}")

    def __call__(self, *values: Any, **options: Any) -> Any:
        raise AssertionError(f"a kept page called with {values} {options}")


@pytest.fixture
def folder(dashboard_folder: DataFolder, tmp_path: Path) -> DataFolder:
    """The sample's editions, to publish beside them and to have accounts."""
    shutil.copytree(dashboard_folder.marts, tmp_path / "marts", symlinks=True)
    return DataFolder.at(tmp_path)


def ask(client: Any, edition_id: str, path: str, search: str = "", theme: str = "light") -> Any:
    body = drawing(path, search, edition_id)
    body["inputs"][2]["value"] = theme
    answer = client.post("/_dash-update-component", json=body, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    return answer


def shown(answer: Any) -> Any:
    is_packed = answer.headers.get("Content-Encoding") == "gzip"
    return json.loads(gzip.decompress(answer.data) if is_packed else answer.data)


@pytest.mark.parametrize("unit", ["", "360000", "360313", "360313101"])
@pytest.mark.parametrize("path", OF_EDITION)
def test_a_page_that_may_be_kept_reads_nothing_but_its_edition(
    path: str, unit: str, dashboard_folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = pages()[path]
    edition_id = find_edition(dashboard_folder).edition_id
    w = Shelf(dashboard_folder).warehouse(edition_id, EVERYTHING)
    # What lies beside the edition, and has its state in the name.
    allowed = {"/submissions": {"returned": w.folder.returned}}.get(path, {})
    assert bool(allowed) is bool(page.beside(w.folder))
    monkeypatch.setattr(w, "folder", Nothing(**allowed))
    rooms = [importlib.import_module(page.render.__module__)]
    rooms += [
        importlib.import_module(f"oversight.dashboard.{name}")
        for name in ("components", "heads", "grids", "figures", "queries", "view", "comparing", "inputs")
    ]
    for room in rooms:
        # Neither who asks nor what day it is: both would have to be in the name it is kept under.
        for name in ("current", "acting", "scope_of_request"):
            if name in vars(room):
                monkeypatch.setattr(room, name, Nothing())
        text = inspect.getsource(room)
        assert [word for word in (".now(", ".today(") if word in text] == [], room.__name__
    view = View(w, EVERYTHING, State(path, unit, w.months[-1]), "light", shelf=Nothing())  # type: ignore[arg-type]
    assert page.render(view)


def test_only_pages_of_the_edition_are_kept(dashboard_folder: DataFolder) -> None:
    client = create_app(dashboard_folder).server.test_client()
    edition_id = find_edition(dashboard_folder).edition_id
    for path, page in pages().items():
        first, second = (ask(client, edition_id, path) for _ in range(2))
        assert HEADER not in first.headers
        assert (second.headers.get(HEADER) == "kept") is page.is_of_edition, path
        if page.is_of_edition:
            assert shown(first) == shown(second)


def test_a_returned_workbook_that_was_taken_away_is_no_longer_shown(folder: DataFolder) -> None:
    client = create_app(folder).server.test_client()
    edition_id = find_edition(folder).edition_id

    def names(search: str = "") -> list[str]:
        text = json.dumps(shown(ask(client, edition_id, "/submissions", search)), ensure_ascii=False)
        return [name for name in returned if f">{name}<" in text or f'"{name}"' in text]

    folder.returned.mkdir(exist_ok=True)
    returned = ["甲_退回_abcdef.xlsx", "乙_退回_ghijkl.xlsx"]
    assert names() == []
    for name in returned:
        (folder.returned / name).write_bytes(b"")
    assert names() == returned
    (folder.returned / returned[0]).unlink()
    assert names() == returned[1:]
    # While nothing changes it is kept.
    assert ask(client, edition_id, "/submissions").headers[HEADER] == "kept"


def test_whatever_a_page_shows_besides_its_edition_is_in_its_name(folder: DataFolder) -> None:
    name_of = Kept(folder).name_of
    county = Identity(name="a", role="analyst", divisions=("360313",))
    asked = ("/", "", "light", "one")
    names = {
        name_of(OPEN, asked),
        name_of(county, asked),
        name_of(replace(county, role="reader"), asked),
        name_of(replace(county, divisions=("640324",)), asked),
        name_of(replace(county, divisions=("360313", "640324")), asked),
        *(name_of(OPEN, (*asked[:place], "other", *asked[place + 1 :])) for place in range(4)),
    }
    assert len(names) == 9
    # Who it is does not matter: the page shows what is for their role and what they may see.
    assert name_of(replace(county, name="b", full_name="乙"), asked) == name_of(county, asked)


def test_each_reader_has_their_own_page_drawn_ahead(folder: DataFolder) -> None:
    add_accounts(folder)
    app = create_app(folder, draws_ahead=True)
    edition_id = find_edition(folder).edition_id
    store = Kept(folder)
    ahead = Ahead(app.server, Shelf(folder), store)
    assert {(who.role, who.scope) for who in kept.readers(folder)} >= {
        ("analyst", Scope(("360313",))),
        ("analyst", Scope(("640324",))),
        ("reader", EVERYTHING),
    }
    for who in kept.readers(folder):
        ahead._draw(who, "/", "", edition_id)
    pages_of = {}
    for who in kept.readers(folder):
        found = store.find(store.name_of(who, ("/", "", "light", edition_id)))
        assert found is not None
        pages_of[who.role, who.scope] = gzip.decompress(found[0])
    assert "宁夏" not in pages_of["analyst", Scope(("360313",))].decode()
    assert "宁夏" in pages_of["reader", EVERYTHING].decode()
    # What a role may not do is not in its navigation.
    assert '"\\u002freview' in pages_of["reviewer", Scope(("360313",))].decode()
    assert '"\\u002freview' not in pages_of["reader", Scope(("360313",))].decode()


def test_what_was_drawn_ahead_is_what_is_drawn_on_demand(
    dashboard_folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(kept, "MONTHS_AHEAD", 2)
    edition_id = find_edition(dashboard_folder).edition_id
    app = create_app(dashboard_folder, draws_ahead=True)
    client, on_demand = (
        application.server.test_client() for application in (app, create_app(dashboard_folder))
    )
    app.prime()
    w = Shelf(dashboard_folder).warehouse(edition_id, EVERYTHING)
    addresses = [*of_own_units(w, EVERYTHING), *of_units_within(w, EVERYTHING)]
    assert len(addresses) == len(set(addresses)) > 40
    for path, search in addresses:
        answer = ask(client, edition_id, path, search)
        assert answer.headers.get(HEADER) == "ahead", (path, search)
        assert shown(answer) == shown(ask(on_demand, edition_id, path, search))
    # Another theme, another unit of money, another month was not.
    path, search = addresses[-1]
    assert HEADER not in ask(client, edition_id, path, search, "dark").headers
    assert HEADER not in ask(client, edition_id, path, f"{search}&money=yuan").headers


def test_nothing_more_is_drawn_of_an_edition_that_is_no_longer_the_newest(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "QUIET_SECONDS", 0.0)
    edition = find_edition(folder)
    newer = edition.path.with_name("20991231-000000-newer")
    app = create_app(folder)
    ahead = Ahead(app.server, Shelf(folder), store := Kept(folder))
    whole = ahead._draw

    def draw(who: Identity, path: str, search: str, edition_id: str) -> int:
        found = whole(who, path, search, edition_id)
        if path == LIKELY[1]:
            shutil.copytree(edition.path, newer)
            point(folder, newer.name)
        return found

    monkeypatch.setattr(ahead, "_draw", draw)
    assert ahead.draw() == 2
    assert len(store._files) == 2


def test_nothing_is_drawn_ahead_while_somebody_asks(
    dashboard_folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition_id = find_edition(dashboard_folder).edition_id
    app, store = create_app(dashboard_folder), Kept(dashboard_folder)
    ahead = Ahead(app.server, Shelf(dashboard_folder), store)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            store._asked = 0

    monkeypatch.setattr(time, "sleep", sleep)
    store._asked = 1
    assert ahead._may_go_on(edition_id)
    assert len(waited) == 3
    store._answered_at = time.monotonic()
    assert store.is_busy()


def test_those_asked_for_longest_ago_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "BYTES_KEPT", 250)
    store = Kept(DataFolder.at(tmp_path))
    for name in "abc":
        store.keep(name, bytes(100))
    assert store.find("a") is None
    assert store.find("b") == (bytes(100), False)
    store.keep("d", bytes(100), is_ahead=True)
    assert store.find("c") is None
    assert store.find("d") == (bytes(100), True)
    assert sorted(path.name for path in store._folder.iterdir()) == ["b", "d"]
    # What somebody cleared away is drawn again.
    (store._folder / "b").unlink()
    assert store.find("b") is None
    assert not store.has("b")
    assert store._bytes == 100


def test_what_is_likely_lies_in_ones_own_units(warehouse: Warehouse) -> None:
    county, province, town = Scope(("360313",)), Scope(("36",)), Scope(("360313101",))
    last = f"{warehouse.months[-1]:%Y-%m}"
    own = list(of_own_units(warehouse, county))
    assert own[: len(LIKELY)] == [(path, "") for path in LIKELY]
    assert own[len(LIKELY)] == ("/", f"?unit=360313&month={last}")
    assert all(search.startswith("?unit=360313&") for _, search in own[len(LIKELY) :])
    towns = list(of_units_within(warehouse, county))
    assert ("/township", f"?unit=360313101&month={last}") in towns
    assert len(towns) == len(set(towns)) == len(children(warehouse, county, "360313")) > 5
    assert all(path == "/township" and search.startswith("?unit=360313") for path, search in towns)
    assert list(of_units_within(warehouse, town)) == []
    within = [search for _, search in of_units_within(warehouse, province)]
    assert f"?unit=360313&month={last}" in within
    assert all(search.startswith("?unit=36") for search in within)
    assert ("/township", f"?unit=360313101&month={last}") in of_own_units(warehouse, town)


def test_what_is_drawn_ahead_does_not_push_itself_out(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(kept, "BYTES_AHEAD", 10)
    store = Kept(folder)
    assert Ahead(create_app(folder).server, Shelf(folder), store).draw() == 1


def test_everybodys_own_units_come_before_what_lies_in_anybodys(folder: DataFolder) -> None:
    add_accounts(folder)
    edition_id = find_edition(folder).edition_id
    ahead = Ahead(create_app(folder).server, Shelf(folder), Kept(folder))
    wanted = [(who.role, who.scope, path, search) for who, path, search in ahead._wanted(edition_id)]
    assert len(wanted) == len(set(wanted))
    last_own = max(place for place, (_, _, path, search) in enumerate(wanted) if (path, search) == ("/", ""))
    first_within = wanted.index(next(item for item in wanted if item[1].is_whole and "unit=13" in item[3]))
    assert last_own < first_within
