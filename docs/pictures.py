"""The guide's pictures, taken anew from the sample: `make pictures` (needs Chromium and an edition of the sample).

Each is a part of a page as a browser shows it, in few colours, so that the pictures stay small.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from oversight.calendar import load_calendar  # noqa: E402
from oversight.editions import open_edition  # noqa: E402
from oversight.reports import config, write_pdf  # noqa: E402
from oversight.reports.content import build  # noqa: E402
from oversight.reports.facts import gather  # noqa: E402
from oversight.reports.paper import Paper  # noqa: E402
from oversight.settings import DataFolder  # noqa: E402
from tests.dashboard.browsing import CHROMIUM, FLAGS, serving, visiting  # noqa: E402

PLACE = ROOT / "docs" / "guide" / "pictures"
COUNTY, MONTH = "360313", "2025-12"
# Name, address, and what is scrolled to before the picture is taken.
PAGES = (
    ("overview", f"/?unit={COUNTY}&month={MONTH}", ""),
    ("township", f"/township?unit={COUNTY}103&month={MONTH}", "[data-name='explained']"),
    ("submissions", f"/submissions?unit={COUNTY}&month={MONTH}", ""),
    ("hand-in", f"/hand-in?unit={COUNTY}&month={MONTH}", ""),
)


def kept(name: str, content: bytes, *, width: int = 1200) -> None:
    """A picture in 64 colours, not wider than the guide shows it."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    if image.width > width:
        image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    image.quantize(64, dither=Image.Dither.NONE).save(PLACE / f"{name}.png", optimize=True)


def first_page(folder: DataFolder) -> bytes:
    """Page one of a draft, as a picture."""
    connection = open_edition(folder)
    wording = config.load(folder, COUNTY)
    facts = gather(connection, date.fromisoformat(f"{MONTH}-01"), COUNTY)
    report = build(facts, wording, Paper(notice="草稿"), load_calendar())
    connection.close()
    families = {
        name: wording.settings["style"][f"pdf_{name}"] for name in ("title", "body", "heading1", "heading2")
    }
    return write_pdf.write(report, families, wording.fonts, form="png")


def taken(page: Page, scroll_to: str) -> bytes:
    """What a screen shows, from an element on where one is named."""
    if scroll_to:
        page.locator(scroll_to).first.evaluate("e => e.closest('.card, section').scrollIntoView()")
        page.wait_for_timeout(300)
    return page.screenshot()


def main(data: str) -> None:
    """All of them."""
    PLACE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = DataFolder.at(scratch)
        # What a browser changes must not stand in the sample afterwards.
        shutil.copytree(Path(data) / "marts", folder.marts, symlinks=True)
        for name in ("raw", "landed", "archive", "returned"):
            if (Path(data) / name).is_dir():
                (folder.root / name).symlink_to((Path(data) / name).resolve())
        kept("report", first_page(folder), width=800)
        with serving(folder) as running, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            with visiting(browser, running.base, viewport={"width": 1280, "height": 860}) as visit:
                for name, address, scroll_to in PAGES:
                    kept(name, taken(visit.go(address), scroll_to))
            browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "data"))
