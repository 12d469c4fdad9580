"""Through which rooms of the house somebody goes who follows one file into the ledger, or one month onto a page.

    python benchmarks/rooms.py [--data DIR]

`DIR` is a data folder with an edition (without it, the sample is run over in a temporary folder). Each function of
`oversight` is met once, when it first runs, as by a reader who follows the code and does not read anything twice. A
room is a folder of the house, or the one file where there is no folder; a stay is what is read in it in a row, a return
a stay in a room where the reader has been before.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

PROJECT_ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT_ROOT))

from benchmarks.dashboard import body  # noqa: E402
from oversight.dashboard.app import create_app  # noqa: E402
from oversight.editions import current  # noqa: E402
from oversight.intake import take_in  # noqa: E402
from oversight.settings import TIME_ZONE, DataFolder  # noqa: E402
from tests.conftest import run_oversight  # noqa: E402

HOUSE = str(PROJECT_ROOT / "oversight") + "/"
# Where everybody looks things up: what figures, words, paths and errors are called.
SHELVES = {"presentation.py", "settings.py", "errors.py", "metrics.py", "contracts", "durable.py"}


def walk(way: Callable[[], Any]) -> list[tuple[str, str]]:
    """Each function of the house in the order in which it first runs: its room, and its name."""
    met: dict[tuple[str, str], None] = {}

    def seen(frame: Any, event: str, _: Any) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(HOUSE) and not frame.f_code.co_name.startswith("<"):
            place = name[len(HOUSE) :]
            room = place.rpartition("/")[0] or place
            met.setdefault((room, f"{place}:{frame.f_code.co_qualname}"))

    sys.setprofile(seen)
    try:
        way()
    finally:
        sys.setprofile(None)
    return list(met)


def told(title: str, met: list[tuple[str, str]], verbose: bool) -> None:
    stays: list[str] = []
    for room, name in met:
        if room in SHELVES:
            continue
        if not stays or stays[-1] != room:
            stays.append(room)
            if verbose:
                print(f"    {room:32} {name}")
    rooms = Counter(stays)
    print(
        f"{title}: {len(met)} functions, {len(rooms)} rooms, {len(stays)} stays, {len(stays) - len(rooms)} returns"
    )
    for room, count in rooms.most_common():
        print(f"  {count:3} {room}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a data folder with an edition")
    parser.add_argument("--verbose", action="store_true", help="name the function at which each stay begins")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = asked.data or Path(name) / "data"
        if not asked.data:
            (place / "raw").mkdir(parents=True)
            for path in (PROJECT_ROOT / "data" / "raw").iterdir():
                (place / "raw" / path.name).symlink_to(path)
            run_oversight("run", "--data", place)
        arriving = DataFolder(Path(name) / "one")
        arriving.raw.mkdir(parents=True)
        sample = PROJECT_ROOT / "data" / "raw"
        divisions = next(path for path in sorted(sample.rglob("*.csv")) if "区划" in path.name)
        report = next(path for path in sorted(sample.rglob("*.xlsx")))
        for path in (divisions, report):
            (arriving.raw / path.name).write_bytes(path.read_bytes())
        now = datetime.now(TIME_ZONE)
        told(
            f"one file ({report.name}) into the ledger",
            walk(lambda: take_in(arriving, now=now)),
            asked.verbose,
        )
        folder = DataFolder(place)
        edition = current(folder)
        assert edition is not None
        client = create_app(folder).server.test_client()

        def draw() -> None:
            answer = client.post(
                "/_dash-update-component",
                data=body(("/funding", "?month=2025-06"), edition.edition_id),
                content_type="application/json",
            )
            assert answer.status_code == 200, answer.status_code

        client.get("/_dash-dependencies")
        told("one month onto the page of funding", walk(draw), asked.verbose)


if __name__ == "__main__":
    main()
