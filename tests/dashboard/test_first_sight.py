"""The page within the first answer: it says what the page says, of whoever asks alone, and goes when the page is there."""

from __future__ import annotations

import gzip
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import plotly
import pytest

from oversight.dashboard import kept
from oversight.dashboard.app import PLOTLY_FILE, create_app
from oversight.dashboard.first_sight import first_sight
from oversight.dashboard.kept import HEADER
from oversight.dashboard.pages import pages
from oversight.editions import find_edition
from oversight.settings import DataFolder
from tests.accounts.asking import COUNTY, Browser, Others, add_accounts, drawing
from tests.dashboard.browsing import DESKTOP, PHONE, Served, needs_chromium, until, visiting


class Reading(HTMLParser):
    """The words of a piece of HTML, its tags, and the names and values of its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(data.strip())


def sight(answer: Any) -> str:
    """The first sight within an answer, '' without one."""
    assert answer.status_code == 200
    data = gzip.decompress(answer.data) if answer.headers.get("Content-Encoding") == "gzip" else answer.data
    found = re.search(r'<div id="first-sight">.*(?=<div id="react-entry-point">)', data.decode(), re.DOTALL)
    return found[0] if found else ""


def words_of(element: Any, parts: list[str]) -> list[str]:
    """The words in elements as the callback sends them, but for those in what only scripts draw."""
    if isinstance(element, list):
        for item in element:
            words_of(item, parts)
    elif isinstance(element, dict):
        if element["namespace"] == "dash_html_components":
            words_of(element["props"].get("children"), parts)
    elif element is not None and not isinstance(element, bool) and str(element).strip():
        parts.append(str(element).strip())
    return parts


@pytest.mark.parametrize(
    "address", ["/", "/?unit=360313", "/funding?unit=360000&money=yuan", "/findings", "/staffing"]
)
def test_it_says_what_the_page_says(address: str, dashboard_folder: DataFolder) -> None:
    client = create_app(dashboard_folder).server.test_client()
    text = sight(client.get(address))
    path, _, query = address.partition("?")
    body = drawing(path, f"?{query}" if query else "", find_edition(dashboard_folder).edition_id)
    answer = client.post("/_dash-update-component", json=body)
    # Drawn once for both.
    assert answer.headers[HEADER] == "kept"
    told = answer.get_json()["response"]
    read = Reading(text)
    joined = "\n".join(read.words)
    expected = words_of([told["nav"]["children"], told["content"]["children"]], [])
    assert len(expected) > 30
    at = 0
    for word in expected:
        # In the page's own order.
        at = joined.find(word, at)
        assert at >= 0, word


def test_it_has_nothing_that_scripts_look_for(dashboard_folder: DataFolder) -> None:
    text = sight(create_app(dashboard_folder).server.test_client().get("/"))
    read = Reading(text)
    names = {name for name, _ in read.attributes}
    assert [value for name, value in read.attributes if name == "id"] == ["first-sight"]
    assert not {name for name in names if name.startswith(("data-", "on"))}
    assert "script" not in read.tags


def test_everything_in_it_is_text(dashboard_folder: DataFolder) -> None:
    def div(**props: Any) -> dict[str, Any]:
        return {"namespace": "dash_html_components", "type": "Div", "props": props}

    evil = '"><script>alert(1)</script>'
    other = {
        "namespace": "dash_mantine_components",
        "type": "Select",
        "props": {
            "label": evil,
            "value": "a",
            "data": [{"group": "g", "items": [{"value": "a", "label": evil}]}],
        },
    }
    content = [
        div(children=evil, title=evil, className=evil, style={"color": evil}, onclick=evil),
        other,
        None,
        0,
    ]
    read = Reading(first_sight(div(children=[div(id="content"), div(id="nav")]), content, evil))
    assert set(read.tags) == {"div", "label"}
    assert read.words == [evil, evil, evil, "0", evil]
    assert {name for name, _ in read.attributes} == {"id", "title", "class", "style"}
    address = "/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
    assert "<script>alert" not in create_app(dashboard_folder).server.test_client().get(address).text


def test_a_page_that_may_not_be_kept_has_its_frame(dashboard_folder: DataFolder) -> None:
    client = create_app(dashboard_folder).server.test_client()
    for path, page in pages().items():
        text = sight(client.get(path))
        assert ("page-head" in text) is page.is_of_edition, path
        assert ("正在读取…" in text) is not page.is_of_edition, path
        here = re.findall(r"nav-link is-here", text)
        assert len(here) == page.in_navigation, path
    assert "正在读取…" in sight(client.get("/nowhere"))
    # What is chosen goes along.
    assert 'href="/funding?unit=360313"' in sight(client.get("/policy?unit=360313"))


def test_it_is_of_whoever_asks(dashboard_folder: DataFolder, tmp_path: Path) -> None:
    shutil.copytree(dashboard_folder.marts, tmp_path / "marts", symlinks=True)
    folder = DataFolder.at(tmp_path)
    add_accounts(folder)
    server = create_app(folder).server
    assert sight(Browser(server.test_client()).get("/sign-in")) == ""
    assert b"first-sight" not in Browser(server.test_client()).get("/").data
    others = Others(find_edition(folder).warehouse, COUNTY)
    found = {}
    for name in ("whole-reader", "reader"):
        browser = Browser(server.test_client())
        browser.sign_in(name)
        found[name] = sight(browser.get("/"))
    assert others.found_in(found["whole-reader"])
    assert found["reader"]
    assert not others.found_in(found["reader"])


def test_a_page_that_fails_has_its_frame(
    dashboard_folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = create_app(dashboard_folder).server.test_client()
    monkeypatch.setattr(kept, "packed_page", lambda _: None)
    assert "正在读取…" in sight(client.get("/"))


@needs_chromium
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_the_page_comes_where_its_first_sight_was(
    chromium: Any, served: Served, viewport: dict[str, int]
) -> None:
    boxes = """part => [...document.querySelectorAll(part + ' .kpi')].map(card => {
      const box = card.getBoundingClientRect();
      return [card.innerText.replace(/\\s+/g, ' '), box.x, box.y, box.width, box.height].map(
        value => typeof value === 'number' ? Math.round(value) : value);
    })"""
    with visiting(chromium, served.base, viewport=viewport) as visit:
        page = visit.page
        # Whatever waits here goes on when it is waited for no longer.
        page.route("**/_dash-update-component*", lambda _: None)
        page.goto(served.base + "/")
        until(page, "document.querySelectorAll('#first-sight .kpi').length > 5")
        until(page, "window.dash_clientside && document.querySelector('#content')")
        before = page.evaluate(boxes, "#first-sight")
        assert not page.query_selector("#content .kpi")
        page.unroute("**/_dash-update-component*")
        visit.drawn()
        assert page.query_selector("#first-sight") is None
        after = page.evaluate(boxes, "#content")
        assert [item[0] for item in before] == [item[0] for item in after]
        for one, two in zip(before, after, strict=True):
            assert max(abs(a - b) for a, b in zip(one[1:], two[1:], strict=True)) <= 8, (one, two)


def test_a_browser_is_told_to_compile_the_largest_script_as_it_comes(dashboard_folder: DataFolder) -> None:
    client = create_app(dashboard_folder).server.test_client()
    text = client.get("/").text
    told = "//# allFunctionsCalledOnLoad\n"
    named = re.search(r'data-plotly="([^"]+)"', text)
    assert named
    script = client.get(named[1])
    assert script.text.startswith(told)
    # What stands behind it is the package's own.
    assert script.text.removeprefix(told) == (Path(plotly.__file__).parent / PLOTLY_FILE).read_text("utf-8")
    assert "immutable" in script.headers["Cache-Control"]
    others = re.findall(r'<script src="(/_dash[^"]+)"', text)
    assert len(others) > 5
    assert not any(client.get(path).text.startswith(told) for path in others)


@needs_chromium
def test_only_a_page_with_charts_fetches_what_draws_them(chromium: Any, served: Served) -> None:
    fetched = "performance.getEntriesByType('resource').some(item => item.name.includes('plotly'))"
    for path, has_charts in (("/", True), ("/reports", False), ("/editions", False)):
        with visiting(chromium, served.base) as visit:
            page = visit.go(path)
            until(page, "document.readyState === 'complete'")
            page.wait_for_timeout(500)
            assert page.evaluate(fetched) is has_charts, path


@needs_chromium
def test_the_bell_pressed_early_does_not_say_that_there_is_nothing(chromium: Any, served: Served) -> None:
    with visiting(chromium, served.base) as visit:
        page = visit.page
        page.route("**/notices", lambda route: route.abort())
        visit.go("/")
        page.click("#bell")
        until(page, "document.querySelector('#notices')")
        assert "没能取得提醒" in page.inner_text("#notices")
        page.keyboard.press("Escape")
        page.unroute("**/notices")
        page.click("#bell")
        until(page, "document.querySelector('#notices li')")
        assert "没能取得提醒" not in page.inner_text("#notices")
        # That the answer was kept from it is this test's own doing.
        visit.wrong[:] = [told for told in visit.wrong if "notices" not in told and "ERR_FAILED" not in told]
