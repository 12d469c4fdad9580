"""The month in a real browser with five accounts: hand in with a mistake, correct, review, run, draft, approve, issue.

It makes a whole run, so it stands apart: `make test-walk`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oversight.accounts import people
from oversight.accounts.actor import at_the_machine
from oversight.editions import current
from oversight.reports import versions
from oversight.settings import DataFolder
from tests.accounts.asking import COUNTY, PASSWORD, TOWN
from tests.conftest import run_oversight
from tests.dashboard.browsing import Served, needs_chromium, serving, visiting
from tests.workflow.conftest import own_copy
from tests.workflow.handing import MONTH, good

pytestmark = [
    needs_chromium,
    pytest.mark.skipif(not os.environ.get("OVERSIGHT_TEST_WALK"), reason="整月走查较慢：make test-walk"),
]
PATIENT = 240_000


@pytest.fixture(scope="module")
def served(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = own_copy(sample_folder, tmp_path_factory.mktemp("walk"))
    folder.settings_toml.write_text(f'[review]\ndivisions = ["{COUNTY}"]\n', "utf-8")
    people.add(
        folder, at_the_machine(), "chief-analyst", "analyst", ["000000"], password=PASSWORD, must_change=False
    )
    with serving(folder) as running:
        yield running


def opened(visit: Any, base: str, name: str, path: str) -> Any:
    page = visit.page
    page.set_default_timeout(60_000)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(base + path)
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    return page


def test_a_month_from_the_first_file_to_the_issued_paper(
    chromium: Any, served: Served, tmp_path: Path
) -> None:
    folder, base = served.folder, served.base
    before = current(folder)
    assert before is not None
    # The same month without a browser: the folder as it is before anything happens in one.
    aside = DataFolder.at(tmp_path / "aside")
    for name in ("marts", "raw", "landed", "archive", "returned"):
        shutil.copytree(folder.root / name, aside.root / name, symlinks=True)
    wrong, right = tmp_path / "湘东镇人口.csv", tmp_path / "湘东镇人口（改正）.csv"
    wrong.write_bytes(good("四万一"))
    right.write_bytes(good(41_050))

    with visiting(chromium, base) as visit:
        page = opened(visit, base, "reporter", f"/hand-in?unit={TOWN}&for={MONTH}")
        page.wait_for_selector("#hand-in-due table")
        page.set_input_files("#hand-in-files", str(wrong))
        tray = page.locator(".hand-in-tray[data-state=judged]")
        tray.wait_for(timeout=PATIENT)
        assert "E2" in tray.inner_text()
        tray.get_by_role("button", name="删除").click()
        tray.wait_for(state="detached")
        page.set_input_files("#hand-in-files", str(right))
        tray.wait_for(timeout=PATIENT)
        # A double click hands in once.
        tray.get_by_role("button", name="报送", exact=True).dblclick()
        page.wait_for_selector("#hand-in-receipts tr[data-receipt]")
        assert "已交，待审核" in page.inner_text("#hand-in-receipts")
        assert page.locator("#hand-in-receipts tr[data-receipt]").count() == 1

    with visiting(chromium, base) as visit:
        page = opened(visit, base, "reviewer", "/review")
        page.wait_for_selector("#review-files tr[data-review]")
        page.click("#review-files tr[data-review] button")
        page.wait_for_selector("#review-file tr[data-row]")
        assert "41050" in page.inner_text("#review-file").replace(",", "")
        # What was typed outlives a reload.
        page.fill("#review-reason", "已与派出所核对")
        page.reload()
        page.wait_for_selector("#review-file tr[data-row]")
        assert page.input_value("#review-reason") == "已与派出所核对"
        page.get_by_role("button", name="采用", exact=True).dblclick()
        page.wait_for_selector("#review-done tr[data-review]")
        assert "审核采用" in page.inner_text("#review-done")
    assert [p.read_bytes() for p in folder.raw.rglob("湘东镇人口（改正）*.csv")] == [right.read_bytes()]

    with visiting(chromium, base) as visit:
        page = opened(visit, base, "analyst", "/run")
        page.wait_for_selector("#run-waiting table")
        assert "湘东镇人口（改正）" in page.inner_text("#run-waiting")
        page.get_by_role("button", name="现在运行").dblclick()
        page.wait_for_selector(".run-step.is-now", timeout=PATIENT)
        page.wait_for_selector("#run-list tr[data-state=done]", timeout=PATIENT)
        assert page.locator("#run-list tr[data-run]").count() == 1
        assert "已发布新版本" in page.inner_text("#run-list")
    after = current(folder)
    assert after is not None
    assert after.edition_id != before.edition_id

    # What the reviewer said lies in corrections/, what was accepted in raw/: a command line finds the same there.
    for place in (folder.raw, folder.corrections):
        for path in place.rglob("*") if place.is_dir() else ():
            target = aside.root / path.relative_to(folder.root)
            if path.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    done = run_oversight("run", "--data", str(aside.root))
    assert done.returncode == 0, done.stdout + done.stderr
    alone = current(aside)
    assert alone is not None
    assert alone.made_from == after.made_from
    tables = (after.manifest["tables"], alone.manifest["tables"])
    differing = {
        name for name in tables[0].keys() | tables[1].keys() if tables[0].get(name) != tables[1].get(name)
    }
    # When a file came and when the edition was made are the only things that two runs do not share.
    assert differing <= {"main.edition", "main.submissions", "edition", "submissions"}, differing

    with visiting(chromium, base) as visit:
        page = opened(visit, base, "chief-analyst", f"/reports?unit={COUNTY}")
        page.wait_for_selector("#paper-scope")
        page.select_option("#paper-scope", COUNTY)
        page.select_option("#paper-month", "2025-06")
        page.get_by_role("button", name="起草", exact=True).dblclick()
        row = page.locator(f"tr[data-paper='2025-06/{COUNTY}/0']")
        row.wait_for(timeout=PATIENT)
        row.get_by_role("button", name="阅读").click()
        page.frame_locator("#paper-read iframe").locator("h1").first.wait_for()
        row.get_by_role("button", name="送审").click()
        page.wait_for_selector(f"tr[data-paper='2025-06/{COUNTY}/0'][data-state=submitted]")

    with visiting(chromium, base) as visit:
        page = opened(visit, base, "reviewer", f"/reports?unit={COUNTY}")
        row = page.locator(f"tr[data-paper='2025-06/{COUNTY}/0']")
        row.get_by_role("button", name="审核通过").click()
        page.wait_for_selector(f"tr[data-paper='2025-06/{COUNTY}/0'][data-state=reviewed]")

    with visiting(chromium, base) as visit:
        page = opened(visit, base, "chief-analyst", f"/reports?unit={COUNTY}")
        row = page.locator(f"tr[data-paper='2025-06/{COUNTY}/0']")
        row.get_by_role("button", name="印发").dblclick()
        page.wait_for_selector(f"tr[data-paper='2025-06/{COUNTY}/1'][data-state=issued]", timeout=PATIENT)
        page.go_back()
        page.go_forward()
        page.wait_for_selector(f"tr[data-paper='2025-06/{COUNTY}/1'][data-state=issued]")
    from datetime import date

    (paper,) = versions(folder, date(2025, 6, 1), COUNTY)
    assert paper.document_no
    assert [event["by"] for event in paper.events] == [
        "chief-analyst",
        "chief-analyst",
        "reviewer",
        "chief-analyst",
    ]
