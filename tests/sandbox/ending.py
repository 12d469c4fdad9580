"""Whether a call comes to its end at all, on however busy a machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")

# What nothing ended is still there many times every limit of these tests later.
PATIENCE_SECONDS = 90


def ended(act: Callable[[], Result]) -> Result:
    """What `act` returns or raises; `TimeoutError` where nothing ends it."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(act())
        except BaseException as error:
            future.set_exception(error)

    # A thread that is never joined: one that hangs must not keep the tests from ending.
    threading.Thread(target=run, daemon=True).start()
    return future.result(PATIENCE_SECONDS)
