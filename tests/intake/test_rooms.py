"""Who follows one file through intake, or its bytes to tables, passes each room once or twice."""

from __future__ import annotations

from pathlib import Path

from benchmarks.rooms import Stay, Walk, its_bytes, one_file, walk


def _often(found: Walk) -> dict[str, int]:
    return {room: count for room, count in found.visits().items() if count > 2}


def test_one_file_passes_each_room_once_or_twice(tmp_path: Path) -> None:
    found = walk(one_file(tmp_path / "data"))
    steps = ("receiving", "landing", "gathering", "questions", "judging/judge", "sending_back/returning")
    assert {f"intake/{step}.py" for step in steps} <= found.visits().keys()
    assert _often(found) == {}


def test_its_bytes_pass_each_room_once_or_twice() -> None:
    found = walk(its_bytes())
    steps = ("files", "xlsx", "layout", "headers", "headings", "body")
    assert {f"intake/reading/{step}.py" for step in steps} <= found.visits().keys()
    assert _often(found) == {}


def _walk(*calls: tuple[str, str]) -> Walk:
    entered = [Stay(called, f"f{number}", caller) for number, (caller, called) in enumerate(calls)]
    return Walk(entered, frozenset(calls))


def test_a_room_that_others_use_and_that_leads_nowhere_is_a_tool() -> None:
    found = _walk(
        ("outside", "a"), ("a", "b"), ("b", "words"), ("words", "text"), ("a", "words"), ("b", "text")
    )
    assert found.tools() == {"words", "text"}
    assert [stay.room for stay in found.stays()] == ["a", "b"]
    assert found.visits(with_tools=True) == {"a": 1, "b": 1, "words": 2, "text": 2}


def test_rooms_that_call_each_other_are_no_tools_and_are_returned_to() -> None:
    found = _walk(("outside", "a"), ("a", "b"), ("b", "a"), ("a", "c"), ("c", "b"))
    assert found.tools() == set()
    assert found.visits() == {"a": 2, "b": 2, "c": 1}


def test_what_leads_to_a_step_is_a_step_however_many_call_it() -> None:
    found = _walk(("outside", "a"), ("a", "b"), ("a", "c"), ("c", "b"), ("b", "d"))
    assert found.tools() == set()
