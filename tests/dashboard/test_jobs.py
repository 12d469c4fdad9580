"""Ordinary jobs, done in a browser with their clicks counted: none may take more than it did when it was counted.

A click is a press of the mouse or of Enter; typing into a field is none. The jobs that have tests of their own (the
download, copying a link, SQL, a template) are counted there by what they press.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from pypdf import PdfReader

from tests.dashboard.browsing import Visit, needs_chromium, until

pytestmark = needs_chromium


class Clicks:
    """A browser page on which every press is counted."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.page, self.count = visit, visit.page, 0

    def on(self, target: Any) -> None:
        """Press something, and wait for what comes of it."""
        self.count += 1
        target.click()
        self.visit.drawn()

    def to(self, title: str) -> None:
        """Go to a page of the navigation; until it is drawn, the page before stands there."""
        self.on(self.page.locator(".nav-link", has_text=title))
        until(
            self.page,
            "title => [...document.querySelectorAll('.nav-link.is-here')].some(l => l.textContent.includes(title))",
            title,
        )
        self.visit.drawn()

    def enter(self) -> None:
        """Press Enter."""
        self.count += 1
        self.page.keyboard.press("Enter")
        self.visit.drawn()


@pytest.fixture
def start(visit: Visit) -> Callable[[str], Clicks]:
    """Opens the address a job begins at."""

    def opened(address: str) -> Clicks:
        visit.go(address)
        until(
            visit.page, "document.querySelectorAll('#content [data-grid]:not([data-watched])').length === 0"
        )
        return Clicks(visit)

    return opened


def test_short_in_a_county_down_to_file_row_and_clause(start: Callable[[str], Clicks]) -> None:
    job = start("/?unit=360313")
    job.on(job.page.locator("[data-name='first'] li a").first)
    job.page.wait_for_url("**/township**")
    told = job.page.locator("[data-name='explained']").inner_text()
    assert re.search(r"\.(xlsx|csv)", told)
    assert re.search(r"第 \d+ 行", told)
    # The file at the row is one click further, and so is the clause: both are links here.
    assert job.page.locator("[data-name='explained'] a[href^='/source/']").count() > 0
    job.on(job.page.locator("[data-name='explained'] .quote a").first)
    job.page.wait_for_url("**/policy**")
    assert job.page.locator("[data-opened]").count() == 1
    assert job.count <= 3


def test_who_is_near_an_edge(start: Callable[[str], Clicks]) -> None:
    job = start("/")
    job.to("经费保障")
    assert job.page.locator("[data-name='near'] .ag-row a").count() > 5
    assert job.count <= 1


def test_two_counties_compared(start: Callable[[str], Clicks]) -> None:
    job = start("/?unit=360313")
    job.on(job.page.get_by_role("link", name="对比", exact=True).last)
    job.page.wait_for_url("**/compare**")
    field = job.page.get_by_label("要比的单位").first
    job.count += 1
    field.click()
    field.type("同心")
    job.count += 1
    job.page.get_by_role("option", name="同心县").click()
    job.page.keyboard.press("Escape")
    until(job.page, "decodeURIComponent(location.search).includes('360313,640324')")
    job.visit.drawn()
    job.page.wait_for_selector("[data-name='compared'] .ag-row")
    assert "同心县" in job.page.locator("[data-name='compared'] .ag-header").inner_text()
    assert "units=360313,640324" in unquote(job.page.url)
    assert job.count <= 4


def test_twelve_months_of_a_gap(start: Callable[[str], Clicks]) -> None:
    job = start("/?unit=360313")
    job.to("经费保障")
    chart = job.page.locator(".chart").first
    assert "近 24 个月" in str(chart.get_attribute("aria-label"))
    assert job.count <= 1


def test_one_page_to_print(start: Callable[[str], Clicks]) -> None:
    job = start("/?unit=360313")
    with job.page.expect_download() as started:
        job.count += 1
        job.page.get_by_role("link", name="一页简报").click()
    path = started.value.path()
    sheets = PdfReader(io.BytesIO(path.read_bytes())).pages
    assert len(sheets) == 1
    assert "湘东区" in re.sub(r"\s", "", sheets[0].extract_text())
    assert job.count == 1


def test_what_changed_since_last_month(start: Callable[[str], Clicks]) -> None:
    job = start("/")
    assert re.search(r"新增 \d+ 项", job.page.locator("[data-name='news']").inner_text())
    job.on(job.page.locator("[data-name='news'] .news-head a").first)
    job.page.wait_for_url("**/findings**change=new**")
    assert job.count <= 1


def test_a_clause_found_by_words(start: Callable[[str], Clicks]) -> None:
    job = start("/")
    job.page.keyboard.press("/")
    job.page.keyboard.type("分档")
    job.enter()
    job.page.wait_for_url("**/search**")
    job.on(job.page.locator(".found a[href*='rule=']").first)
    job.page.wait_for_selector("[data-opened]")
    assert job.count <= 2


def test_rows_that_are_held(start: Callable[[str], Clicks]) -> None:
    job = start("/")
    job.to("报送与质量")
    rows = job.page.locator("[data-name='rejected'] .ag-row")
    assert rows.count() > 0
    assert "待确认" in job.page.locator("[data-name='rejected']").inner_text()
    assert job.count <= 1
