"""月报: what was made is listed, read and taken away as it lies on disk; before that the page says how to make one."""

from __future__ import annotations

import re
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from oversight.reports import archive, make_all
from oversight.settings import DataFolder
from tests.dashboard.browsing import PHONE, Visit, needs_chromium, serving, visiting
from tests.dashboard.test_pages import serious
from tests.reports.conftest import issue_all

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def reported(dashboard_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """The sample with one report, and the draft of another."""
    folder = DataFolder.at(tmp_path_factory.mktemp("reported"))
    shutil.copytree(dashboard_folder.marts, folder.marts, symlinks=True)
    from datetime import date

    issue_all(folder, date(2025, 12, 1), ["360313"])
    make_all(folder, date(2025, 11, 1), ["640324"], ["html"], provisional=True)
    return folder


def test_before_the_first_report_the_page_says_how_to_make_one(visit: Visit) -> None:
    page = visit.go("/reports?unit=360313&month=2025-11")
    assert "oversight report --month 2025-11 --scope 360313" in page.inner_text("#content")


def test_reports_are_listed_read_and_taken_away(chromium: Any, reported: DataFolder, tmp_path: Path) -> None:
    made = {(item.scope_code, item.number): item for item in archive(reported, drafts=True)}
    version = made["360313", 1]
    with serving(reported) as running, visiting(chromium, running.base) as visit:
        page = visit.go("/reports")
        assert page.locator("[data-name^='reports-'] tbody tr").count() == len(made) == 2
        assert "草稿" in page.inner_text("[data-name='reports-2025-11']")
        assert not serious(page)
        for form in version.formats:
            with page.expect_download() as started:
                page.locator(f"a[href='/report/2025-12/360313/1/{form}']").click()
            path = tmp_path / form
            started.value.save_as(path)
            assert path.read_bytes() == version.file(form).read_bytes()
            assert started.value.suggested_filename.endswith(f"_第1版.{form}")
        page.get_by_role("link", name="湘东区", exact=True).click()
        page.wait_for_url("**report=2025-12**")
        page.frame_locator("iframe.reading").locator("h1, h2").first.wait_for()
        policy = page.request.get(f"{running.base}/report/2025-12/360313/1/html?read=1").headers
        assert re.search(r"script-src( 'sha256-[^']+')+;", policy["content-security-policy"])
        assert not serious(page)
        visit.go("/reports?unit=640324")
        assert page.locator("[data-name^='reports-'] tbody tr").count() == 1
        for name in ("2025-12/360313/2/pdf", "2025-11/640324/0/pdf", "../../marts/CURRENT/pdf", "x/html"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{running.base}/report/{name}")
            assert refused.value.code == 404
    with serving(reported) as running, visiting(chromium, running.base, viewport=PHONE) as visit:
        page = visit.go("/reports?report=2025-12/360313/1")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_report_made_meanwhile_is_there_at_the_next_look(
    chromium: Any, dashboard_folder: DataFolder, tmp_path: Path, reported: DataFolder
) -> None:
    folder = DataFolder.at(tmp_path)
    shutil.copytree(dashboard_folder.marts, folder.marts, symlinks=True)
    with serving(folder) as running, visiting(chromium, running.base) as visit:
        page = visit.go("/reports")
        assert "还没有" in page.inner_text("#content")
        shutil.copytree(reported.root / "reports", folder.root / "reports")
        page.reload()
        visit.drawn()
        assert page.locator("[data-name^='reports-']").count() == 2
