"""Through which rooms of the house somebody goes who follows one file into the build, or one month onto a page.

    python benchmarks/rooms.py [--data DIR] [--verbose]

`DIR` is a data folder with an edition (without it, the sample is run over in a temporary folder). A room is a file of
`oversight`. Each function is read once, where it is first called, as by somebody who follows the code. A stay begins where
a room is entered from another one for something there that was not read yet; entering the same room again with no other
one in between prolongs it, and what a function calls in its own room is read with it. So a room is returned to where other
rooms were needed meanwhile, and where two rooms call each other.

Tools are told apart, by a rule and not by a list: a room is a tool of this walk where at least two rooms call it and it
calls no room but tools. Whoever follows the way looks a tool up and goes on where he was; it leads nowhere. Rooms that call
one another in a circle are never tools, nor is a step that leads to another step, nor a room that only one other calls.
Both counts are printed: of the way, which is to pass each room once or twice, and of everything, tools among it.

What framework and imports run is no part of a way: of a callback only the function itself is followed, and of a worker
process nothing, so that the bytes of a file are a walk of their own.
"""

from __future__ import annotations

import argparse
import inspect
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

PROJECT_ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT_ROOT), str(PROJECT_ROOT / "benchmarks")]

from oversight.settings import TIME_ZONE, DataFolder  # noqa: E402

HOUSE = str(PROJECT_ROOT / "oversight") + "/"
DRAWS = "_callbacks.<locals>.draw"


@dataclass(frozen=True)
class Stay:
    """What is read in a room at a time: where from, and the function that it is entered for."""

    room: str
    function: str
    source: str


@dataclass(frozen=True)
class Walk:
    """`entered`: each function that is read first from another room, in this order; `calls`: which room calls which."""

    entered: list[Stay]
    calls: frozenset[tuple[str, str]]

    def tools(self) -> set[str]:
        """The rooms that several others use and that lead nowhere."""
        found: set[str] = set()
        rooms = {called for _, called in self.calls}
        while more := {room for room in rooms - found if self._is_tool(room, found)}:
            found |= more
        return found

    def _is_tool(self, room: str, known: set[str]) -> bool:
        users = {caller for caller, called in self.calls if called == room}
        return len(users) > 1 and all(called in known for caller, called in self.calls if caller == room)

    def stays(self, *, with_tools: bool = False) -> list[Stay]:
        """The stays in their order."""
        left_out = set() if with_tools else self.tools()
        found: list[Stay] = []
        for stay in self.entered:
            if stay.room not in left_out and (not found or found[-1].room != stay.room):
                found.append(stay)
        return found

    def visits(self, *, with_tools: bool = False) -> Counter[str]:
        """How often each room is passed."""
        return Counter(stay.room for stay in self.stays(with_tools=with_tools))


def _room(frame: FrameType) -> str | None:
    name = frame.f_code.co_filename
    return name[len(HOUSE) :] if name.startswith(HOUSE) else None


@cache
def _is_wrapper(code: CodeType) -> bool:
    """Whether this is what a decorator of the house puts round functions: it is read with the function, not gone through."""
    if "<locals>" not in code.co_qualname:
        return False
    named = (
        thing
        for name, module in list(sys.modules.items())
        if name.startswith("oversight")
        for thing in vars(module).values()
    )
    return any(hasattr(thing, "__wrapped__") and getattr(thing, "__code__", None) is code for thing in named)


def _caller(frame: FrameType) -> FrameType | None:
    """The frame of the house that a call comes from, whatever library or wrapper lies between."""
    found = frame.f_back
    while found is not None and (_room(found) is None or _is_wrapper(found.f_code)):
        found = found.f_back
    return found


def _runs_while_imported(frame: FrameType | None) -> bool:
    """Whether a module is just being imported: its own lines and those of its classes are no way that anybody goes."""
    while frame is not None:
        if not frame.f_code.co_flags & inspect.CO_OPTIMIZED and _room(frame):
            return True
        frame = frame.f_back
    return False


def walk(way: Callable[[], Any], within: str = "") -> Walk:
    """Where `way` leads, of what runs in this thread: all of it, or what the function called `within` runs."""
    read: set[tuple[str, str]] = set()
    entered: list[Stay] = []
    calls: set[tuple[str, str]] = set()
    known: set[tuple[str, str, str]] = set()
    outermost: list[FrameType] = []

    def seen(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and outermost and frame is outermost[0]:
            outermost.clear()
        room = _room(frame)
        if event != "call" or room is None:
            return
        name = frame.f_code.co_qualname
        if within and not outermost:
            if name != within:
                return
            outermost.append(frame)
        caller = _caller(frame)
        source = (_room(caller) if caller is not None else None) or "outside"
        # Comprehensions and unnamed functions are read with what they stand in.
        if (source, room, name) in known or frame.f_code.co_name.startswith("<"):
            return
        if _is_wrapper(frame.f_code) or _runs_while_imported(frame):
            return
        known.add((source, room, name))
        if source != room:
            calls.add((source, room))
        if (room, name) not in read:
            read.add((room, name))
            if source != room:
                entered.append(Stay(room, name, source))

    sys.setprofile(seen)
    try:
        way()
    finally:
        sys.setprofile(None)
    return Walk(entered, frozenset(calls))


def one_file(place: Path) -> Callable[[], object]:
    """A report of the sample, with the table of divisions that it needs, through intake; the other process, which reads
    the bytes, is a walk of its own."""
    from oversight.intake import take_in

    folder = DataFolder(place)
    folder.raw.mkdir(parents=True)
    divisions, report = sample_files()
    for path in (divisions, report):
        (folder.raw / path.name).write_bytes(path.read_bytes())
    return lambda: take_in(folder, now=datetime.now(TIME_ZONE))


def its_bytes() -> Callable[[], object]:
    """The same report's bytes, from the file to its tables as text."""
    from oversight.intake.reading.files import read

    _, report = sample_files()
    content = report.read_bytes()
    return lambda: read(content, report.name)


def sample_files() -> tuple[Path, Path]:
    """The sample's table of divisions and its first workbook."""
    raw = PROJECT_ROOT / "data" / "raw"
    divisions = next(path for path in sorted(raw.rglob("*.csv")) if "区划" in path.name)
    return divisions, next(path for path in sorted(raw.rglob("*.xlsx")))


def one_month(folder: DataFolder) -> Callable[[], object]:
    """A month onto the page of funding, by the callback that draws it."""
    from benchmarks.dashboard import body
    from oversight.dashboard.app import create_app
    from oversight.editions import current

    edition = current(folder)
    assert edition is not None
    client = create_app(folder).server.test_client()
    client.get("/_dash-dependencies")

    def draw() -> None:
        answer = client.post(
            "/_dash-update-component",
            data=body(("/funding", "?month=2025-06"), edition.edition_id),
            content_type="application/json",
        )
        assert answer.status_code == 200, answer.status_code
        assert "安排缺口" in answer.get_data(as_text=True)

    return draw


def told(title: str, found: Walk, verbose: bool) -> None:
    """Print a walk."""
    if verbose:
        for stay in found.stays():
            print(f"    {stay.room:40} {stay.function:40} from {stay.source}")
        print(f"    tools: {', '.join(sorted(found.tools()))}")
    for name, with_tools in (("the way", False), ("with tools", True)):
        visits = found.visits(with_tools=with_tools)
        often = [f"{room} {count}" for room, count in visits.most_common() if count > 2]
        stays = visits.total()
        print(
            f"{title}, {name}: {len(visits)} rooms, {stays} stays, {stays - len(visits)} returns; "
            f"passed more than twice: {', '.join(often) or 'none'}"
        )


def main() -> None:
    """The three walks, each printed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a data folder with an edition")
    parser.add_argument("--verbose", action="store_true", help="name the function at which each stay begins")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        told("one file through intake", walk(one_file(Path(name) / "one")), asked.verbose)
        told("its bytes, in the other process", walk(its_bytes()), asked.verbose)
        place = asked.data or Path(name) / "data"
        if not asked.data:
            from tests.conftest import run_oversight

            # Copied: what a link leads to outside the folder is not read.
            shutil.copytree(PROJECT_ROOT / "data" / "raw", place / "raw")
            run_oversight("run", "--data", str(place))
        told("one month onto the page of funding", walk(one_month(DataFolder(place)), DRAWS), asked.verbose)


if __name__ == "__main__":
    main()
