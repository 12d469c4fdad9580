"""Ordinary jobs, done in a browser with their clicks counted: none may take more than it did when it was counted.

A click is a press of the mouse or of Enter; typing into a field, and the answer to a question of the browser's, is none.
"""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from pypdf import PdfReader

from oversight.settings import DataFolder
from tests.dashboard.browsing import Visit, needs_chromium, serving, until, visiting
from tests.dashboard.matrix import second_edition

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
    # Words that stand in the clause of a tier alone.
    job.page.keyboard.type("每人每月不低于0.22元")
    job.enter()
    job.page.wait_for_url("**/search**")
    job.on(job.page.locator(".found a[href*='rule=']").first)
    job.page.wait_for_selector("[data-opened]")
    opened = job.page.locator("[data-opened]")
    told = opened.inner_text()
    assert "《湘东区人民政府办公室印发关于进一步加强基层民政服务能力建设的实施方案的通知》" in told
    assert "二（三）" in told
    # The clause stands among its neighbours in the paper.
    assert opened.locator(".clauses li").count() >= 3
    assert opened.locator(".clauses mark").count() == 1
    assert job.count <= 2


def test_rows_that_are_held(start: Callable[[str], Clicks]) -> None:
    job = start("/")
    job.to("报送与质量")
    rows = job.page.locator("[data-name='rejected'] .ag-row")
    assert rows.count() > 0
    assert "待确认" in job.page.locator("[data-name='rejected']").inner_text()
    assert job.count <= 1


def test_who_has_not_reported_and_their_reminders(start: Callable[[str], Clicks]) -> None:
    job = start("/?unit=640324")
    job.to("报送与质量")
    assert "张家塬乡" in job.page.locator("[data-name='missing']").inner_text()
    job.to("催报与文书")
    page = job.page
    page.wait_for_selector("#letters-due tr[data-due^='reminder'] input")
    page.once("dialog", lambda dialog: dialog.accept("试办人"))
    job.on(page.locator("#letters-due tr[data-due^='reminder'] input").first)
    job.on(page.get_by_role("button", name=re.compile("^拟稿 1 件")))
    page.wait_for_selector("#letters-list tr[data-state='drafted']")
    assert job.count <= 4


def test_a_table_in_excel(start: Callable[[str], Clicks]) -> None:
    job = start("/?unit=360313")
    job.to("经费保障")
    with job.page.expect_download() as started:
        job.count += 1
        job.page.locator("[data-download='townships'][data-format='xlsx']").click()
    assert "湘东区" in started.value.suggested_filename
    assert job.count <= 2


def test_a_link_to_what_is_seen(start: Callable[[str], Clicks]) -> None:
    job = start("/funding?unit=360313")
    job.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    job.on(job.page.get_by_role("button", name="复制本页链接"))
    job.page.wait_for_selector(".toast")
    copied = unquote(job.page.evaluate("navigator.clipboard.readText()"))
    assert "unit=360313" in copied
    assert re.search(r"edition=[\w.-]+", copied)
    assert re.search(r"month=\d{4}-\d{2}", copied)
    assert job.count == 1


def test_what_changed_since_the_last_edition(
    chromium: Any, dashboard_folder: DataFolder, tmp_path: Path
) -> None:
    folder = DataFolder.at(tmp_path)
    shutil.copytree(dashboard_folder.marts, folder.marts, symlinks=True)
    old, new = second_edition(folder)
    with serving(folder) as running, visiting(chromium, running.base) as visit:
        visit.go("/")
        job = Clicks(visit)
        job.to("数据版本")
        job.on(job.page.get_by_role("link", name="上一版以来有何变化"))
        until(job.page, f"document.querySelector('#content').innerText.includes('{old} → {new}')")
        assert "未了的问题" in job.page.inner_text("#content")
        assert job.count <= 2


def test_sql_saved_and_shared(start: Callable[[str], Clicks]) -> None:
    job = start("/")
    job.to("自助查询")
    page = job.page
    page.wait_for_selector("#sql-text")
    page.fill("#sql-text", "select 42 as 答案")
    page.keyboard.press("Control+Enter")
    job.count += 1
    until(page, "document.getElementById('sql-status').textContent.includes('共 1 行')")
    page.once("dialog", lambda dialog: dialog.accept("答案"))
    job.on(page.locator('[data-sql="save"]'))
    until(page, "location.search.includes('q=')")
    shared = page.evaluate("location.pathname + location.search")
    page.evaluate("sessionStorage.clear()")
    job.visit.go(shared)
    until(page, "document.getElementById('sql-text')?.value === 'select 42 as 答案'")
    assert job.count <= 3
