"""What the eye meets: the way around in sight, what is chosen told apart, titles that break where they may."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dashboard.browsing import PHONE, Served, fitted, needs_chromium, visiting

pytestmark = needs_chromium
LAPTOP = {"width": 1366, "height": 660}


def test_every_page_is_reached_from_the_top_of_a_low_screen(chromium: Any, served: Served) -> None:
    with visiting(chromium, served.base, viewport=LAPTOP) as visit:
        page = visit.go("/")
        last = page.locator(".nav-link").last
        last.scroll_into_view_if_needed()
        box = last.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= LAPTOP["height"]
        assert page.evaluate("window.scrollY") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_unit_of_money_that_is_chosen_stands_out(chromium: Any, served: Served, theme: str) -> None:
    with visiting(chromium, served.base, theme=theme) as visit:
        page = visit.go("/")
        weights = page.evaluate(
            "[...document.querySelectorAll('.mantine-SegmentedControl-label')].map(e => getComputedStyle(e).fontWeight)"
        )
        assert weights[0] > weights[1]


def test_a_title_is_not_broken_within_its_unit(chromium: Any, served: Served) -> None:
    # The lines of every title of a table, as they are set.
    lines = """() => [...document.querySelectorAll('.ag-header-cell-text')].map(head => {
        const text = head.firstChild, range = document.createRange(), found = [];
        for (let n = 0; n < text.length; n++) {
            range.setStart(text, n); range.setEnd(text, n + 1);
            const top = Math.round(range.getBoundingClientRect().top);
            if (!found.length || found[found.length - 1].top !== top) found.push({top, text: ''});
            found[found.length - 1].text += text.data[n];
        }
        return found.map(line => line.text);
    })"""
    for viewport in ({"width": 1440, "height": 900}, {"width": 768, "height": 900}):
        with visiting(chromium, served.base, viewport=viewport) as visit:
            page = visit.go("/funding?unit=360313")
            fitted(page)
            for title in page.evaluate(lines):
                for line in title:
                    assert line.count("（") == line.count("）"), title


def test_months_and_states_stay_in_a_line_on_a_telephone(chromium: Any, served: Served) -> None:
    lines = """selector => [...document.querySelectorAll(selector)].map(
        e => new Set([...e.getClientRects()].map(box => Math.round(box.top))).size)"""
    with visiting(chromium, served.base, viewport=PHONE) as visit:
        page = visit.go("/township?unit=360313103")
        fitted(page)
        months = "[data-name='population'] .ag-cell[col-id='month'] a"
        assert set(page.evaluate(lines, months)) == {1}
        page = visit.go("/submissions?unit=360313")
        fitted(page)
        assert set(page.evaluate(lines, "[data-name='files'] .ag-cell .status")) == {1}


def test_paper_says_whose_it_is(chromium: Any, served: Served) -> None:
    with visiting(chromium, served.base, viewport={"width": 718, "height": 1000}) as visit:
        page = visit.go("/funding?unit=360313")
        page.emulate_media(media="print")
        assert page.locator(".brand-text strong").is_visible()
        # Eight cards in two rows, as on the screen.
        tops = page.evaluate(
            "[...document.querySelectorAll('.kpi')].map(e => Math.round(e.getBoundingClientRect().top))"
        )
        assert len(set(tops)) == 2
