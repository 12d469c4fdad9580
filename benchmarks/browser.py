"""A fresh Chromium whose pages nobody looks into while they load.

Playwright, and every debugger, has a browser note where each error within a script came from, which costs half a second of
the scripts that a page fetches. This one is told by its pipe where to go, and what it measured by itself is read afterwards.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAMS = ("/usr/bin/chromium", "/usr/bin/chromium-browser")


def program() -> str | None:
    """Where Chromium lies, None where it is not installed."""
    return next((path for path in PROGRAMS if Path(path).exists()), None)


class Browser:
    """One window of a profile that has never been used."""

    def __init__(self, chromium: str, watching: str) -> None:
        """A window in which every page runs a script of ours before its own."""
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs_to_read, self._to = os.pipe()
        self._from, theirs_to_write = os.pipe()

        def hand_over() -> None:
            # Chromium reads its third file and writes its fourth.
            read, write = os.dup(theirs_to_read), os.dup(theirs_to_write)
            os.dup2(read, 3)
            os.dup2(write, 4)

        self._process = subprocess.Popen(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--window-size=1440,900",
                "--remote-debugging-pipe",
                f"--user-data-dir={self._profile.name}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=hand_over,
            close_fds=False,
        )
        os.close(theirs_to_read)
        os.close(theirs_to_write)
        self._number = 0
        self._read = b""
        self._session: str | None = None
        window = self.tell("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.tell("Target.attachToTarget", targetId=window, flatten=True)["sessionId"]
        self.tell("Page.enable")
        self.tell("Page.addScriptToEvaluateOnNewDocument", source=watching)

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
        self._profile.cleanup()

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have the browser do something; its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._read:
                more = os.read(self._from, 1 << 16)
                if not more:
                    raise RuntimeError("Chromium went away")
                self._read += more
            line, _, self._read = self._read.partition(b"\0")
            answer = json.loads(line)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return dict(answer["result"])

    def value(self, expression: str) -> Any:
        """What an expression is in the page, as JSON says it."""
        result = self.tell("Runtime.evaluate", expression=f"JSON.stringify({expression})")["result"]
        return json.loads(result["value"])
