"""Two at once: of two that take in, hand in, or publish the same at one moment exactly one wins, and the other is told why.

python tests/faults/rivals.py [pairs of intake] [pairs of publishers] [pairs of hand-ins]
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from oversight.errors import OversightError
from oversight.settings import DataFolder
from tests.editions.standin import identity, write_build, write_manifest
from tests.faults import harness


def pairs(
    room: Path, folder: DataFolder, count: int, job: Callable[[int, int], None], name: str
) -> Counter[str]:
    """Start two children at one moment, again and again."""
    outcome: Counter[str] = Counter()
    for number in range(count):
        told = [room / f"told-{side}" for side in (0, 1)]
        moment = time.monotonic() + 0.02

        def at_the_moment(side: int, of: int = number, when: float = moment) -> int:
            while time.monotonic() < when:
                pass
            try:
                job(of, side)
            except OversightError as error:
                print(error)
                return 1
            return 0

        children = [harness.start(lambda side=side: at_the_moment(side), told[side]) for side in (0, 1)]
        ended = [harness.wait(child, told[side]) for side, child in enumerate(children)]
        codes = sorted(end.code for end in ended)
        loser = next((end for end in ended if end.code == 1), None)
        if codes == [0, 1] and loser and "另一个运行正在使用" in loser.said:
            outcome[f"{name}: one wins, the other is told"] += 1
        elif codes == [0, 0]:
            # The one had ended before the other began: the lock was free.
            outcome[f"{name}: one after the other"] += 1
        else:
            print(f"  WRONG: {codes} {[end.said[-200:] for end in ended]}")
            outcome[f"{name}: WRONG"] += 1
    left = harness.damaged(folder, room)
    outcome[f"{name}: afterwards {'whole' if not left else 'WRONG'}"] += 1
    return outcome


def intake(room: Path, count: int) -> Counter[str]:
    """Two reports on the same township and month, each taken in by a run of its own: new ones every tenth time, for a run
    that has nothing to read ends sooner and so more of them meet."""
    from tests.intake.world import csv_bytes, population_rows

    folder = harness.bureau(room / "intake")

    def job(number: int, side: int) -> None:
        rows = population_rows("2025-02", {"360313101": 30_000 + 2 * (number // 10) + side})
        (folder.raw / f"人口2月重报{side}.csv").write_bytes(csv_bytes(rows))
        harness.take_in(folder)()

    return pairs(room, folder, count, job, "two runs")


def hand_ins(room: Path, count: int) -> Counter[str]:
    """Two hand-ins of the same township and month through the desk, in the one process that serves them."""
    folder = harness.bureau(room / "hand-ins")
    told = room / "hand-ins.json"

    def job() -> None:
        from oversight.accounts.actor import Actor
        from oversight.workflow import handing_in as desk

        outcome: Counter[str] = Counter()
        actors = [Actor(name, "reporter", ("360313101",), "") for name in ("甲", "乙")]
        with ThreadPoolExecutor(2) as hands:
            for number in range(count):
                trays = []
                for actor in actors:
                    content = f"{actor.name}{number}".encode()
                    tray = desk.new_tray(
                        folder, actor, actor.name, ("360313", "湘东区"), [("人口.csv", len(content))]
                    )
                    desk.add_part(tray, 0, 0, content)
                    found = {
                        "name": "人口.csv",
                        "may_hand_in": True,
                        "dataset": "population",
                        "status": "accepted",
                    }
                    found |= {"dataset_zh": "户籍人口", "months": ["2026-01"], "units": ["360313101"]}
                    found |= {"cells": ["population 2026-01 360313101"], "counts": {}, "message_zh": ""}
                    (tray.place / "found.json").write_text(json.dumps([found]), "utf-8")
                    trays.append(desk.complete(tray).save(state="judged"))
                both = threading.Barrier(2)

                def hand_in(side: int, trays: list[Any] = trays, both: threading.Barrier = both) -> str:
                    both.wait()
                    try:
                        desk.hand_in(folder, trays[side], actors[side])
                    except OversightError as error:
                        return str(error)
                    return ""

                said = sorted(hands.map(hand_in, (0, 1)))
                given = list(desk.receipts_in(folder, actors[0].scope))
                is_one = said[0] == "" and "户籍人口已由" in said[1] and len(given) == 1
                if not is_one:
                    print(f"  WRONG: {said} {len(given)}")
                outcome[f"two hand-ins: {'one wins, the other is told' if is_one else 'WRONG'}"] += 1
                for item in given:
                    desk.withdraw(folder, item, actors[0])
                for tray in trays:
                    desk.discard(tray)
                shutil.rmtree(folder.handed_in)
        told.write_text(json.dumps(outcome), "utf-8")

    ended = harness.forked(job, where=room)
    print(ended.said, end="")
    return (
        Counter(json.loads(told.read_text("utf-8")))
        if ended.code == 0
        else Counter({"two hand-ins: WRONG": 1})
    )


def publishers(room: Path, count: int) -> Counter[str]:
    """Two publications of the same build file."""
    from oversight.editions import publish
    from oversight.editions.lock import run_lock

    folder = DataFolder.at(room / "publishers")
    manifest = write_manifest(room / "manifest.json")
    write_build(folder)

    def job(number: int, side: int) -> None:
        with run_lock(folder):
            publish(folder, identity(folder, 2 * number + side), manifest=manifest, keep=3)

    return pairs(room, folder, count, job, "two publishers")


def main(arguments: list[str]) -> int:
    """Print what came of it; exit code 1 where not exactly one won."""
    runs, publications, handed = (*map(int, arguments), *(1_000, 1_000, 1_000)[len(arguments) :])
    harness.load(whole=False)
    with tempfile.TemporaryDirectory(prefix="rivals-") as name:
        room = Path(name)
        outcome: Counter[str] = Counter()
        for part in (
            lambda: hand_ins(room, handed),
            lambda: intake(room, runs),
            lambda: publishers(room, publications),
        ):
            start = time.monotonic()
            found = part()
            outcome += found
            for what, times in sorted(found.items()):
                print(f"{what}: {times}")
            print(f"  {time.monotonic() - start:.0f} s", flush=True)
    return 1 if any("WRONG" in what for what in outcome) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
