"""Through which rooms of the house somebody goes who follows one file into the build, or one month onto a page.

    python benchmarks/rooms.py [--data DIR] [--verbose]

`DIR` is a data folder with an edition (without it, the sample is run over in a temporary folder). A room is a file of
`oversight`. Each function is met once, when it first runs, as by a reader who follows the code and reads nothing twice;
what is read in one room in a row is a stay. Shelves are not counted: where everybody looks up what words, figures, paths
and forms are called, or how a file is written whole; `SHELVES` names them.
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
from pathlib import Path
from types import FrameType
from typing import Any

PROJECT_ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT_ROOT))

from oversight.settings import TIME_ZONE, DataFolder  # noqa: E402

HOUSE = str(PROJECT_ROOT / "oversight") + "/"
SHELVES = (
    *("contracts/", "settings.py", "errors.py", "durable.py", "personal.py", "progress.py", "logs.py"),
    *("presentation.py", "metrics.py", "calendar.py", "references.py", "archive/sums.py", "accounts/"),
    # What became of a row, and its place among units and months; a grid's cells; how a text is compared.
    *(
        "intake/judging/verdicts.py",
        "intake/judging/slots.py",
        "intake/reading/grid.py",
        "intake/reading/text.py",
    ),
    *("dashboard/elements.py", "dashboard/theme.py", "dashboard/access.py", "dashboard/gate.py"),
)


@dataclass(frozen=True)
class Walk:
    """The rooms in the order of the stays in them, each with the function at which it begins."""

    stays: list[tuple[str, str]]

    def visits(self) -> Counter[str]:
        """How often each room is passed."""
        return Counter(room for room, _ in self.stays)


def _room(frame: FrameType | None) -> str | None:
    name = frame.f_code.co_filename if frame is not None else ""
    return name[len(HOUSE) :] if name.startswith(HOUSE) else None


def walk(way: Callable[[], Any]) -> Walk:
    """Where `way` leads, of what runs in this thread."""
    met: dict[tuple[str, str], None] = {}

    def seen(frame: FrameType, event: str, _: Any) -> None:
        room = _room(frame)
        # What runs while a module is imported is no way that anybody goes: its own lines and those of its classes.
        if event != "call" or room is None or not frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            return
        # Comprehensions and unnamed functions are read with what they stand in.
        if not frame.f_code.co_name.startswith("<"):
            met.setdefault((room, frame.f_code.co_qualname))

    sys.setprofile(seen)
    try:
        way()
    finally:
        sys.setprofile(None)
    stays: list[tuple[str, str]] = []
    for room, name in met:
        if not room.startswith(SHELVES) and (not stays or stays[-1][0] != room):
            stays.append((room, name))
    return Walk(stays)


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
        for room, name in found.stays:
            print(f"    {room:44} {name}")
    visits = found.visits()
    often = [f"{room} {count}" for room, count in visits.most_common() if count > 2]
    print(
        f"{title}: {len(visits)} rooms, {len(found.stays)} stays, {len(found.stays) - len(visits)} returns; "
        f"passed more than twice: {', '.join(often) or 'none'}"
    )


def main() -> None:
    """The three walks, each printed."""
    sys.path.insert(0, str(Path(__file__).parent))
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
        told("one month onto the page of funding", walk(one_month(DataFolder(place))), asked.verbose)


if __name__ == "__main__":
    main()
