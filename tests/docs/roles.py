"""What each step of the guide's pages by role does in a browser, and the pictures of those pages.

    python -m tests.docs.roles      follow every page on a fresh sample, and make docs/guide/pictures/*.png anew

A page's numbered steps and the steps here belong together one by one: `words` stand in the step's text, `act` does what it
says. A picture is taken after the step that shows one.
"""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oversight.accounts.exist import exist
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.accounts.asking import COUNTY, PASSWORD, TOWN, add_accounts
from tests.dashboard.browsing import CHROMIUM, FLAGS, serving, until, visiting
from tests.workflow.handing import MONTH, good

GUIDE = PROJECT_ROOT / "docs" / "guide"
PICTURES = GUIDE / "pictures"
PATIENT = 240_000


@dataclass
class Walk:
    """A browser on its way through a page."""

    page: Any
    base: str
    aside: Path

    def sign_in(self, name: str) -> None:
        self.page.goto(self.base)
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_selector("#nav .nav-link", timeout=PATIENT)

    def to(self, title: str, until_there: str) -> None:
        self.page.click(f"#nav .nav-link:has-text('{title}')")
        self.page.wait_for_selector(f".nav-link.is-here:has-text('{title}')")
        self.page.wait_for_selector(until_there, timeout=PATIENT)

    def press(self, name: str, within: str = "#content") -> None:
        self.page.locator(within).get_by_role("button", name=name, exact=True).first.click()


@dataclass(frozen=True)
class Step:
    """A step: words of its text, and what they say to do (None: what another role or day decides)."""

    words: str
    act: Callable[[Walk], None] | None = None
    picture: str = ""


def steps_in(name: str) -> list[str]:
    """The numbered steps of a page as they are written."""
    text = (GUIDE / f"{name}.md").read_text("utf-8")
    return re.findall(r"^\d+\. (.+(?:\n {3,}(?!!\[).+)*)", text, re.M)


def prepared(folder: DataFolder) -> None:
    """The accounts of the walk, and a county whose reports are reviewed."""
    folder.settings_toml.write_text(f'[review]\ndivisions = ["{COUNTY}"]\n', "utf-8")
    if not exist(folder):
        add_accounts(folder)


# --- the steps ----------------------------------------------------------------------------------------------


def _upload(walk: Walk) -> None:
    walk.page.goto(f"{walk.base}/hand-in?unit={TOWN}&for={MONTH}")
    walk.page.wait_for_selector("#hand-in-due table")
    wrong = walk.aside / "湘东镇人口.csv"
    wrong.write_bytes(good("四万一"))
    walk.page.set_input_files("#hand-in-files", str(wrong))
    walk.page.locator(".hand-in-tray[data-state=judged]").wait_for(timeout=PATIENT)
    # The judgement with its buttons is what the page's picture shows.
    walk.page.locator("#hand-in-drop").evaluate(
        "e => window.scrollTo(0, e.getBoundingClientRect().top + window.scrollY - 120)"
    )


def _mend(walk: Walk) -> None:
    tray = walk.page.locator(".hand-in-tray[data-state=judged]")
    tray.get_by_role("button", name="在页面里改").click()
    wrong = tray.locator(".hand-in-cells input[aria-invalid]")
    wrong.first.wait_for(timeout=PATIENT)
    assert wrong.count() == 1
    assert wrong.input_value() == "四万一"
    assert tray.locator(".hand-in-said").first.inner_text().startswith("退回：")
    wrong.fill("41050")
    # Whoever leaves the page finds what was typed.
    walk.page.reload()
    wrong.first.wait_for(timeout=PATIENT)
    assert wrong.input_value() == "41050"
    tray.get_by_role("button", name="改好，重新核对").click()
    walk.page.locator(".hand-in-verdict.is-good").wait_for(timeout=PATIENT)
    assert "四万一 → 41050" in tray.inner_text()


def _hand_in(walk: Walk) -> None:
    walk.page.locator(".hand-in-tray").get_by_role("button", name="报送", exact=True).click()
    row = walk.page.locator("#hand-in-receipts tr[data-receipt]")
    row.first.wait_for()
    assert row.first.get_by_text("回执").count()


def _withdraw(walk: Walk) -> None:
    row = walk.page.locator("#hand-in-receipts tr[data-receipt]").first
    row.get_by_role("button", name="撤回").click()
    until(walk.page, "document.querySelector('#hand-in-receipts').innerText.includes('已撤回')")
    _again_after_withdrawal(walk)


def _again_after_withdrawal(walk: Walk) -> None:
    other = walk.aside / "湘东镇人口（再报）.csv"
    other.write_bytes(good(41_060))
    walk.page.set_input_files("#hand-in-files", str(other))
    walk.page.locator(".hand-in-tray[data-state=judged]").wait_for(timeout=PATIENT)
    walk.page.locator(".hand-in-tray").get_by_role("button", name="报送", exact=True).click()
    until(walk.page, "document.querySelectorAll('#hand-in-receipts tr[data-receipt]').length >= 2")


def _bell(walk: Walk) -> None:
    walk.page.click("#bell")
    walk.page.wait_for_selector("#notices")
    walk.page.keyboard.press("Escape")


def _look_at_review(walk: Walk) -> None:
    walk.page.click("#review-files tr[data-review] button")
    walk.page.wait_for_selector("#review-file tr[data-row]")


def _accept(walk: Walk) -> None:
    walk.page.fill("#review-reason", "已与派出所核对")
    walk.page.get_by_role("button", name="采用", exact=True).click()
    walk.page.wait_for_selector("#review-done tr[data-review]")


def _agree(walk: Walk) -> None:
    walk.to("核算依据", "#rules-changes tr[data-state=waiting]")
    walk.press("看影响", "#rules-changes")
    until(walk.page, "document.querySelector('.rules-effect').innerText.includes('涉及')")
    walk.press("批准", "#rules-changes")
    walk.page.wait_for_selector("#rules-changes tr[data-state=taken]")


def _run_page(walk: Walk) -> None:
    walk.to("运行", "#run-waiting > *")
    assert walk.page.get_by_role("button", name="现在运行").count() == 1


def _look_around(walk: Walk) -> None:
    for title in ("总览", "经费保障", "人员与能力"):
        walk.to(title, "#content .page-head")
    walk.to("问题整改", "#follow-list tbody tr")


def _draft_letter(walk: Walk) -> None:
    walk.to("催报与文书", "#letters-due tbody tr")
    walk.page.locator("#letters-due tbody input[type=checkbox]").first.check()
    walk.page.get_by_role("button", name="拟稿 1 件").click()
    walk.page.wait_for_selector("#letters-list tr[data-letter]")


def _a_correction(walk: Walk) -> None:
    walk.to("核算依据", "#rules-table .button-row")
    walk.page.select_option("#rules-file", "corrections")
    walk.press("增加一行", "#rules-table")
    box = walk.page.locator(".rules-dialog")
    for name, value in (("类型", "更正"), ("数据集", "户籍人口"), ("数据列", "户籍人口(人)")):
        box.locator(f"select[name='{name}']").select_option(value)
    for name, value in (("统计月份", "2025-06"), ("区划代码", "360313102"), ("原因", "与派出所核对")):
        box.locator(f"[name='{name}']").fill(value)
    box.get_by_role("button", name="取现在的数").click()
    until(walk.page, "document.querySelector('.rules-dialog [name=原值]').value !== ''")
    box.locator("[name='新值']").fill("51000")


def _ask_for_it(walk: Walk) -> None:
    walk.page.locator(".rules-dialog").get_by_role("button", name="放入改动").click()
    walk.press("检查并预览", "#rules-draft")
    until(walk.page, "document.querySelector('#rules-result').innerText.includes('检查通过')")
    assert walk.page.get_by_role("button", name="试算：看各项数字怎么变").count() == 1
    walk.page.fill("#rules-why", "派出所来函")
    # Pressed twice it is one change.
    walk.page.get_by_role("button", name="提交，由另一人批准").dblclick()
    walk.page.wait_for_selector("#rules-changes tr[data-state=waiting]")
    assert walk.page.locator("#rules-changes tr[data-change]").count() == 1


def _accounts(walk: Walk) -> None:
    walk.page.click("a[href='/account']")
    walk.page.click("a[href='/accounts']")
    walk.page.wait_for_selector("h2:has-text('已有账号')")


def _new_account(walk: Walk) -> None:
    for field, value in (("#new-name", "zhaosi"), ("#new-full", "湘东镇民政所"), ("#new-divisions", TOWN)):
        walk.page.fill(field, value)
    walk.page.select_option("#new-role", "reporter")
    walk.page.get_by_role("button", name="新建，生成初始密码").click()
    walk.page.wait_for_selector("h2:has-text('初始密码')")


def _disable(walk: Walk) -> None:
    row = walk.page.locator("tr", has=walk.page.locator("strong", has_text="zhaosi"))
    row.locator("summary").click()
    row.get_by_role("button", name="停用").click()
    walk.page.wait_for_selector("text=已停用账号 zhaosi")


def _record(walk: Walk) -> None:
    walk.page.goto(walk.base + "/record")
    walk.page.wait_for_selector("td:has-text('zhaosi')")


def _operation(walk: Walk) -> None:
    walk.page.goto(walk.base)
    walk.page.wait_for_selector("#nav .nav-link")
    walk.to("运行状况", "text=磁盘")


def _overview(walk: Walk) -> None:
    walk.sign_in("reader")
    walk.page.wait_for_selector("#content .page-head")


def _search(walk: Walk) -> None:
    walk.page.fill("#search", "湘东镇")
    walk.page.press("#search", "Enter")
    walk.page.locator("#content a:has-text('湘东镇')").first.click()
    until(walk.page, "location.pathname === '/township'")


def _explained(walk: Walk) -> None:
    walk.page.wait_for_selector("#content .page-head")
    until(walk.page, "document.querySelector('#content').innerText.includes('应保障')")


def _papers(walk: Walk) -> None:
    walk.to("月报", "#content .page-head")
    walk.to("问题台账", "#content .page-head")


PAGES: dict[str, list[Step]] = {
    "role-reporter": [
        Step("登录", lambda walk: walk.sign_in("reporter")),
        Step("该报什么", lambda walk: walk.to("报送", "#hand-in-due > *")),
        Step("选择文件", _upload, "reporter"),
        Step("“在页面里改”", _mend),
        Step("按“报送”", _hand_in),
        Step("“撤回”", _withdraw),
        Step("铃铛", _bell),
    ],
    "role-analyst": [
        Step("现在运行", lambda walk: (walk.sign_in("analyst"), _run_page(walk))),  # type: ignore[func-returns-value]
        Step("问题整改", _look_around),
        Step("“拟稿”", _draft_letter, "analyst"),
        Step("取现在的数", _a_correction, "rules"),
        Step("检查并预览", _ask_for_it),
        Step("起草、阅读、送审", lambda walk: walk.to("月报", "#paper-scope")),
    ],
    "role-reviewer": [
        Step(
            "点左侧“审核”",
            lambda walk: (walk.sign_in("reviewer"), walk.to("审核", "#review-files tr[data-review]")),  # type: ignore[func-returns-value]
        ),
        Step("“查看”", _look_at_review, "reviewer"),
        Step("按“采用”", _accept),
        Step("“看影响”", _agree),
        Step("审核通过", lambda walk: walk.to("月报", "#content .page-head")),
        Step("核销", lambda walk: walk.to("问题整改", "#follow-list > *")),
    ],
    "role-administrator": [
        Step("账号管理", lambda walk: (walk.sign_in("chief"), _accounts(walk))),  # type: ignore[func-returns-value]
        Step("新建，生成初始密码", _new_account, "administrator"),
        Step("“停用”", _disable),
        Step("留痕", _record),
        Step("运行状况", _operation),
    ],
    "role-reader": [
        Step("总览", _overview),
        Step("搜索框", _search),
        Step("每个数都能点开", _explained),
        Step("问题台账", _papers),
        Step("复制本页链接", lambda walk: walk.page.wait_for_selector("[data-action=share]")),
    ],
}


def follow(chromium: Any, base: str, name: str, aside: Path, *, pictures: Path | None = None) -> None:
    """Take the steps of a page one after the other."""
    with visiting(chromium, base, viewport={"width": 1200, "height": 780}) as visit:
        visit.page.on("dialog", lambda dialog: dialog.accept())
        walk = Walk(visit.page, base, aside)
        for step in PAGES[name]:
            if step.act is not None:
                step.act(walk)
            if step.picture and pictures is not None:
                visit.page.wait_for_timeout(600)
                _keep(visit.page.screenshot(), pictures / f"{step.picture}.png")


def _keep(content: bytes, path: Path) -> None:
    """A picture in few colours: a page has few, and the guide is carried about."""
    from PIL import Image

    picture = Image.open(io.BytesIO(content)).convert("RGB")
    picture.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    """Make the pictures."""
    from playwright.sync_api import sync_playwright

    from tests.conftest import run_oversight

    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as aside, sync_playwright() as playwright:
        folder = DataFolder.at(Path(aside) / "data")
        shutil.copytree(PROJECT_ROOT / "data" / "raw", folder.raw)
        run_oversight("run", "--data", str(folder.root))
        prepared(folder)
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with serving(folder) as served:
            for name in PAGES:
                follow(chromium, served.base, name, Path(aside), pictures=PICTURES)
        chromium.close()
    print(f"{sum(path.stat().st_size for path in PICTURES.iterdir()):,} bytes")


if __name__ == "__main__":
    main()
