"""Parts made side by side: in their order, with what they raise, and by one thread where that was asked for."""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar

import pytest

from oversight.dashboard.together import alone, together


def test_they_come_in_their_order() -> None:
    def make(number: int) -> int:
        time.sleep((7 - number) / 500)
        return number

    assert together(*(lambda number=number: make(number) for number in range(8))) == list(range(8))  # type: ignore[misc]
    assert together() == []


def test_two_are_made_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=30)
    # Each waits for the other to have begun.
    assert sorted(together(both.wait, both.wait)) == [0, 1]


def test_alone_they_are_made_by_whoever_asks() -> None:
    with alone():
        assert set(together(*[threading.get_ident] * 5)) == {threading.get_ident()}


@pytest.mark.parametrize("place", range(4))
def test_what_one_raises_is_raised(place: int) -> None:
    def make(number: int) -> int:
        time.sleep(0.01)
        if number == place:
            raise LookupError(str(number))
        return number

    with pytest.raises(LookupError, match=str(place)):
        together(*(lambda number=number: make(number) for number in range(4)))  # type: ignore[misc]


def test_the_other_thread_knows_what_the_first_one_knows() -> None:
    known: ContextVar[str] = ContextVar("known", default="nothing")
    known.set("who asks")
    both = threading.Barrier(2, timeout=30)

    def make() -> str:
        both.wait()
        return known.get()

    assert together(make, make) == ["who asks", "who asks"]


def test_one_within_another_does_not_wait_for_itself() -> None:
    def make() -> list[int]:
        return together(lambda: 1, lambda: 2, lambda: 3)

    assert together(*[make] * 6) == [[1, 2, 3]] * 6
