"""Handing in as the page does: the parts of a file, the judgement, the press of the button."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import Any

from oversight.dashboard.judges import JUDGING_SECONDS
from tests.accounts.asking import COUNTY, TOWN, Browser

MONTH = "2026-01"
HEADS = ("统计月份", "区划代码", "乡镇名称", "户籍户数(户)", "户籍人口(人)")


def table(*rows: tuple[Any, ...], heads: tuple[str, ...] = HEADS) -> bytes:
    """A CSV file as a clerk's program writes it."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([heads, *rows])
    return ("\ufeff" + text.getvalue()).encode()


def good(population: Any = 41_000, unit: str = TOWN) -> bytes:
    """The population of a township in January 2026."""
    return table((MONTH, unit, "", 12_000, population))


def posted(browser: Browser, path: str, told: Any = None, **options: Any) -> Any:
    """Send JSON."""
    return browser.post(path, json={} if told is None else told, **options)


def uploaded(
    browser: Browser, *files: tuple[str, bytes], unit: str = COUNTY, part: int = 1 << 20
) -> dict[str, Any]:
    """Upload files and wait for their judgement."""
    asked = {"unit": unit, "files": [{"name": name, "size": len(content)} for name, content in files]}
    answer = posted(browser, "/hand-in/new", asked)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    tray = answer.get_json()
    for number, (_, content) in enumerate(files):
        for at in range(0, len(content), part):
            sent = browser.post(
                f"/hand-in/part/{tray['id']}/{number}/{at}",
                data=content[at : at + part],
                content_type="application/octet-stream",
            )
            assert sent.status_code == 200, sent.get_data(as_text=True)
    return judged(browser, posted(browser, f"/hand-in/check/{tray['id']}").get_json())


def judged(browser: Browser, tray: dict[str, Any]) -> dict[str, Any]:
    """Wait until an upload is judged."""
    # As long as the server itself gives it: on a busy machine a minute is not enough.
    for _ in range(10 * JUDGING_SECONDS):
        if tray["state"] != "waiting":
            return tray
        time.sleep(0.1)
        tray = browser.get(f"/hand-in/tray/{tray['id']}").get_json()
    raise AssertionError(json.dumps(tray, ensure_ascii=False))


def sent(browser: Browser, tray: dict[str, Any]) -> Any:
    """Press the button."""
    return posted(browser, f"/hand-in/send/{tray['id']}")
