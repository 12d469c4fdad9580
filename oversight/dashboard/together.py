"""The parts of a page made side by side: while DuckDB answers one, another may ask.

A page asks some ten questions of a few milliseconds each. Whoever clicks while nobody else does waits for half of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TypeVar

T = TypeVar("T")

# Threads of those who help. Where both are busy a page is made as if there were none.
_HELPERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="beside a page")
_is_alone: ContextVar[bool] = ContextVar("is_alone", default=False)


def together(*makes: Callable[[], T]) -> list[T]:
    """What each of these gives, in their order; what one of them raises is raised."""
    left, made = deque(enumerate(makes)), dict[int, T]()

    def work() -> None:
        while left:
            try:
                number, make = left.popleft()
            except IndexError:
                # The other one took the last.
                return
            made[number] = make()

    if len(makes) < 2 or _is_alone.get():
        work()
    else:
        helper = _HELPERS.submit(copy_context().run, work)
        try:
            work()
        finally:
            left.clear()
            has_begun = not helper.cancel()
        if has_begun:
            helper.result()
    return [made[number] for number in range(len(makes))]


@contextmanager
def alone() -> Iterator[None]:
    """Within it everything is made one after the other: whoever is in no hurry takes one processor."""
    token = _is_alone.set(True)
    try:
        yield
    finally:
        _is_alone.reset(token)
