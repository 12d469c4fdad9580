"""Serving a data folder, and a browser that notices every error and every request to a foreign host."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from oversight.settings import PROJECT_ROOT, DataFolder

CHROMIUM = next(
    (
        path
        for path in (os.environ.get("CHROMIUM", ""), "/usr/bin/chromium", "/usr/bin/chromium-browser")
        if path and Path(path).exists()
    ),
    None,
)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="没有 Chromium：请安装 chromium，或用环境变量 CHROMIUM 指明位置"
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Served:
    """A running `oversight serve`."""

    folder: DataFolder
    base: str
    process: subprocess.Popen[str]
    started_in: float


@contextmanager
def serving(folder: DataFolder, environment: Mapping[str, str] | None = None) -> Iterator[Served]:
    """`oversight serve` as a user starts it, in a process of its own; `environment` is added to ours."""
    port = free_port()
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "oversight.cli", "serve", "--data", str(folder.root), "--port", str(port)],
        cwd=PROJECT_ROOT,
        env=os.environ | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                urllib.request.urlopen(base + "/edition", timeout=5).read()
                break
            except urllib.error.HTTPError:
                # It is there, and somebody has to sign in.
                break
            except OSError:
                if process.poll() is not None or time.perf_counter() - start > 60:
                    raise AssertionError(process.stdout.read() if process.stdout else "no answer") from None
                time.sleep(0.05)
        yield Served(folder, base, process, time.perf_counter() - start)
    finally:
        process.terminate()
        # Taking a process down takes as long as others take the machine.
        process.wait(60)


def until(page: Any, expression: str, arg: Any = None, *, seconds: float = 90) -> None:
    """Wait until an expression, or what a function gives for `arg`, is true.

    Playwright's own waiting evaluates text in the page, which the page's content security policy rightly refuses.
    """
    end = time.monotonic() + seconds
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)


@dataclass
class Visit:
    """A browser page and everything that went wrong in it."""

    page: Any
    base: str
    wrong: list[str] = field(default_factory=list)

    def go(self, path: str) -> Any:
        """Open an address and wait until it is drawn."""
        self.page.goto(self.base + path)
        return self.drawn()

    def drawn(self) -> Any:
        """Wait until the page has drawn what was asked."""
        self.page.wait_for_selector("#content .page-head, #content .empty", timeout=90_000)
        until(self.page, "!document.querySelector('.loading, #first-sight')")
        self.page.wait_for_timeout(250)
        return self.page


# Every table has decided which of its columns fit, and the grid has drawn it so.
_DECIDED = "document.querySelectorAll('#content [data-grid]:not([data-fitted])').length === 0"
_DRAWN_SO = """[...document.querySelectorAll('#content .ag-center-cols-viewport')]
    .every(seen => seen.scrollWidth <= seen.clientWidth + 1)"""


def fitted(page: Any) -> None:
    """Wait until the tables of a page have fitted themselves. The grid draws in its own time: one that is too wide is given
    ten seconds, and whoever looks next finds it so."""
    until(page, _DECIDED)
    with suppress(AssertionError):
        until(page, _DRAWN_SO, seconds=10)


@contextmanager
def visiting(
    chromium: Any, base: str, *, viewport: dict[str, int] | None = None, theme: str = "light"
) -> Iterator[Visit]:
    """A fresh browser profile; what goes wrong in it fails the test at the end."""
    context = chromium.new_context(viewport=viewport or DESKTOP, locale="zh-CN", accept_downloads=True)
    if theme == "dark":
        context.add_cookies([{"name": "oversight_theme", "value": "dark", "url": base}])
    # Tests share their cores with whatever else runs; a page that is slow is not a page that is wrong.
    context.set_default_timeout(90_000)
    page = context.new_page()
    visit = Visit(page, base)
    page.on(
        "console",
        lambda message: visit.wrong.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: visit.wrong.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((base, "data:", "blob:"))
            else visit.wrong.append(f"foreign request {request.url}")
        ),
    )
    page.on(
        "response",
        lambda response: (
            visit.wrong.append(f"{response.status} {response.url}") if response.status >= 400 else None
        ),
    )
    try:
        yield visit
    finally:
        context.close()
    assert not visit.wrong, visit.wrong
