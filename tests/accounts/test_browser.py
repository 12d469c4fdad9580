"""Signing in with a real browser: the form, wrong passwords, the lock-out, the end of a session, a change of role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from oversight.accounts import people
from oversight.accounts.actor import at_the_machine
from oversight.accounts.roles import may
from oversight.dashboard.pages import pages
from oversight.settings import DataFolder
from tests.accounts.asking import ACCOUNTS, COUNTY, PASSWORD
from tests.accounts.conftest import with_accounts
from tests.dashboard.browsing import PHONE, Served, Visit, needs_chromium, serving, visiting

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def served(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The sample with accounts, served as a bureau does."""
    folder = with_accounts(sample_folder, tmp_path_factory.mktemp("served"))
    with serving(folder) as running:
        yield running


def sign_in(visit: Visit, name: str, password: str = PASSWORD) -> Any:
    page = visit.page
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    return page


def expected(visit: Visit, *parts: str) -> None:
    """Take what was meant to be refused off the list of what went wrong."""
    visit.wrong[:] = [item for item in visit.wrong if not any(part in item for part in parts)]


def contrast_and_names(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{item['id']}: {item['nodes'][0]['html'][:120]}" for item in found]


def test_from_the_form_to_the_page_asked_for(chromium: Any, served: Served) -> None:
    with visiting(chromium, served.base) as visit:
        page = visit.page
        page.goto(served.base + f"/funding?unit={COUNTY}")
        assert "/sign-in?next=" in page.url
        assert contrast_and_names(page) == []
        sign_in(visit, "analyst", "wrong-Wrong-1")
        assert "账号或密码不对" in page.inner_text("[role=alert]")
        sign_in(visit, "analyst")
        page.wait_for_url(f"**/funding?unit={COUNTY}")
        visit.drawn()
        assert "分析员" in page.inner_text(".account-link")
        page.click(".account-link")
        page.wait_for_url("**/account")
        assert COUNTY in page.inner_text("main")
        assert contrast_and_names(page) == []
        page.click("text=退出登录")
        page.wait_for_url("**/sign-in")
        page.goto(served.base + "/findings")
        assert "/sign-in" in page.url
        expected(visit, "403")


def test_lock_out(chromium: Any, served: Served) -> None:
    people.add(
        served.folder, at_the_machine(), "clumsy", "reader", [COUNTY], password=PASSWORD, must_change=False
    )
    with visiting(chromium, served.base) as visit:
        page = visit.page
        page.goto(served.base + "/sign-in")
        for _ in range(people.TRIES):
            sign_in(visit, "clumsy", "wrong-Wrong-1")
            assert "账号或密码不对" in page.inner_text("[role=alert]")
        sign_in(visit, "clumsy")
        assert "已锁定" in page.inner_text("[role=alert]")
        people.set_password(served.folder, at_the_machine(), "clumsy", PASSWORD)
        sign_in(visit, "clumsy")
        page.wait_for_url("**/account")
        assert "请先修改密码" in page.inner_text("main")
        page.goto(served.base + "/funding")
        assert page.url.endswith("/account")
        page.fill("#old", PASSWORD)
        page.fill("#new", "Xin-Mima-Hao-77")
        page.fill("#again", "Xin-Mima-Hao-77")
        page.click("text=修改密码 >> nth=-1")
        assert "密码已修改" in page.inner_text("[role=status]")
        visit.go("/")
        expected(visit, "403", "429")


def test_expiry_and_a_change_of_role_while_a_page_is_open(chromium: Any, served: Served) -> None:
    actor = at_the_machine()
    people.add(served.folder, actor, "moving", "analyst", [COUNTY], password=PASSWORD, must_change=False)
    with visiting(chromium, served.base) as visit:
        page = visit.page
        page.goto(served.base + "/sign-in")
        sign_in(visit, "moving")
        visit.drawn()
        assert page.locator("#nav >> text=自助查询").count() == 1
        people.change(served.folder, actor, "moving", role="reader")
        page.click("#nav >> text=经费")
        page.wait_for_url("**/funding**")
        visit.drawn()
        assert page.locator("#nav >> text=自助查询").count() == 0
        people.revoke(served.folder, actor, "moving")
        page.click("#nav >> text=人员")
        page.wait_for_url("**/sign-in?next=**")
        sign_in(visit, "moving")
        page.wait_for_url("**/staffing**")
        visit.drawn()
        expected(visit, "401")


# Every page as every role, without a browser: test_access.py.
@pytest.mark.parametrize("name", ["chief", "reporter"])
def test_each_page_as_each_role(chromium: Any, served: Served, name: str) -> None:
    role = ACCOUNTS[name][0]
    with visiting(chromium, served.base, viewport=PHONE if name == "reporter" else None) as visit:
        visit.page.goto(served.base + "/sign-in")
        sign_in(visit, name)
        visit.drawn()
        for path, page in pages().items():
            visit.go(path)
            text = visit.page.inner_text("#content")
            assert ("这个页面" in text) == (not may(role, page.needs)), path
            assert "没能显示" not in text, path


def test_administrators_pages(chromium: Any, served: Served) -> None:
    for theme, viewport in (("light", None), ("dark", PHONE)):
        with visiting(chromium, served.base, theme=theme, viewport=viewport) as visit:
            page = visit.page
            page.goto(served.base + "/sign-in?next=/accounts")
            sign_in(visit, "chief")
            page.wait_for_url("**/accounts")
            assert contrast_and_names(page) == []
            width = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert width <= 0
            # Whose page it is, and every cell, without moving a table sideways.
            assert page.locator(".brand-text strong").is_visible()
            frame = "(e => e.scrollWidth - e.clientWidth)(document.querySelector('.plain-frame'))"
            assert page.evaluate(frame) <= 0
            assert "湘东镇（360313101）" in page.inner_text("table")
            if theme == "light":
                page.fill("#new-name", "brand-new")
                page.fill("#new-divisions", f"{COUNTY} 640324")
                page.click("text=新建，生成初始密码")
                assert "brand-new" in page.inner_text("table")
                assert len(page.inner_text("[role=status] pre").strip()) == 17
            page.goto(served.base + "/record?what=sign_in")
            assert "登录" in page.inner_text("table")
            assert contrast_and_names(page) == []


def test_without_accounts_the_page_says_so(chromium: Any, sample_folder: DataFolder) -> None:
    with serving(sample_folder) as running, visiting(chromium, running.base) as visit:
        visit.go("/")
        assert "未设账号" in visit.page.inner_text(".open-mark")
        assert visit.page.locator(".account-link").count() == 0
