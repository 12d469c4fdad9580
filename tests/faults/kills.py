"""kill -9 at every step of writing and at random moments: nothing is lost, and the next run says what it would have said.

    python tests/faults/kills.py [intake-moments publish-moments whole-runs [every nth step]]

Intake is killed at each step in turn until it gets through, then at random moments; publishing (of a build file without
dbt) likewise; whole runs at random moments. After each kill: what was published before still answers, the next attempt
succeeds by itself, `verify` finds nothing, and the fingerprints are those of an undisturbed run.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from oversight.editions.edition import STABLE
from oversight.settings import DataFolder
from tests.editions.standin import identity, write_build, write_manifest
from tests.faults import harness
from tests.faults.flips import judged

_SECONDS = 100


def intake(room: Path, moments: int, chance: random.Random, every: int) -> Counter[str]:
    """Kills during intake, at each step and at random moments."""
    outcome: Counter[str] = Counter()
    origin = harness.bureau(room / "intake")
    undisturbed = DataFolder.at(room / "undisturbed")
    shutil.copytree(origin.root, undisturbed.root, symlinks=True)
    took = harness.forked(harness.take_in(undisturbed), where=room)
    assert took.code == 0, took.said
    # The first month is in already: what the kill must not lose.
    right = harness.asked(lambda: judged(undisturbed), room)
    step = 0
    passed = False
    until = time.monotonic() + _SECONDS
    while (not passed or moments) and time.monotonic() < until:
        step += every
        tried = DataFolder.at(room / "tried")
        shutil.copytree(origin.root, tried.root, symlinks=True)
        if not passed:

            def job(at: int = step, folder: DataFolder = tried) -> None:
                with harness.at_step(at, harness.killed):
                    harness.take_in(folder)()

            ended = harness.forked(job, where=room)
            passed = ended.code == 0
            kind = "intake, at a step"
        else:
            moments -= 1
            ended = harness.forked(
                harness.take_in(tried), kill_after=chance.uniform(0, took.seconds), where=room
            )
            kind = "intake, at a moment"
        again = harness.forked(harness.take_in(tried), where=room)
        same = again.code == 0 and harness.asked(lambda f=tried: judged(f), room) == right
        outcome[f"{kind}: {_judge(ended.code, again, tried, same, room)}"] += 1
        shutil.rmtree(tried.root)
    return outcome


def _judge(code: int, again: harness.Ended, folder: DataFolder, same: bool, room: Path) -> str:
    if again.code:
        print(f"  NOT MADE UP FOR: {again.said.strip()[-300:]}")
        return "FAILED"
    if not same:
        return "DIFFERENT"
    left = harness.damaged(folder, room, "archive", "ledger", "landed", "editions")
    if left:
        print(f"  LEFT DAMAGED: {left[:3]}")
        return "DAMAGED"
    return "killed, made up for" if code == -9 else "not reached"


def publishing(room: Path, moments: int, chance: random.Random, every: int) -> Counter[str]:
    """Kills during publication: the edition before or the new one stands, whole, and the next publication succeeds."""
    from oversight.editions import find_edition, publish
    from oversight.editions.lock import run_lock

    outcome: Counter[str] = Counter()
    manifest = write_manifest(room / "manifest.json")
    folder = DataFolder.at(room / "publishing")

    def job(number: int) -> None:
        with run_lock(folder):
            write_build(folder, number=number)
            publish(folder, identity(folder, number), manifest=manifest)

    first = harness.forked(lambda: job(0), where=room)
    assert first.code == 0, first.said
    number, step, passed = 0, 0, False
    until = time.monotonic() + _SECONDS
    while (not passed or moments) and time.monotonic() < until:
        number += 1
        before = find_edition(folder).edition_id
        if not passed:
            step += every

            def at_one(at: int = step, of: int = number) -> None:
                with harness.at_step(at, harness.killed):
                    job(of)

            ended = harness.forked(at_one, where=room)
            passed = ended.code == 0
            kind = "publish, at a step"
        else:
            moments -= 1
            ended = harness.forked(
                lambda of=number: job(of), kill_after=chance.uniform(0, first.seconds), where=room
            )
            kind = "publish, at a moment"
        stands = find_edition(folder)
        # Killed between the pointer and the link that follows it: verify says so, and the next run leads it on.
        link = f"{folder.marts / STABLE}: "
        whole = all(line.startswith(link) for line in harness.damaged(folder, room, "editions"))
        fitting = stands.edition_id == before or stands.made_from.input_fingerprint == f"{number:08d}"
        told = "killed, whole" if whole and fitting else "HALF-PUBLISHED"
        outcome[
            f"{kind}: {told if ended.code == -9 else 'not reached' if whole and fitting else 'HALF-PUBLISHED'}"
        ] += 1
    last = harness.forked(lambda: job(999), where=room)
    healed = last.code == 0 and not harness.damaged(folder, room, "editions")
    outcome[f"publish, afterwards: {'succeeds' if healed else 'FAILED'}"] += 1
    return outcome


def whole_runs(room: Path, count: int, chance: random.Random) -> Counter[str]:
    """Kills during whole runs: the same command then succeeds and says the same."""
    outcome: Counter[str] = Counter()
    origin = harness.bureau(room / "whole")
    undisturbed = DataFolder.at(room / "whole-undisturbed")
    shutil.copytree(origin.root, undisturbed.root, symlinks=True)
    took = harness.forked(harness.run(undisturbed), where=room)
    assert took.code == 0, took.said
    right = harness.fingerprints(undisturbed)
    until = time.monotonic() + 2 * _SECONDS
    for _ in range(count):
        if time.monotonic() > until:
            break
        tried = DataFolder.at(room / "tried")
        shutil.copytree(origin.root, tried.root, symlinks=True)
        ended = harness.forked(harness.run(tried), kill_after=chance.uniform(0, took.seconds), where=room)
        again = harness.forked(harness.run(tried), where=room)
        same = again.code == 0 and harness.fingerprints(tried) == right
        outcome[f"whole run: {_judge(ended.code, again, tried, same, room)}"] += 1
        shutil.rmtree(tried.root)
    return outcome


def main(arguments: list[str]) -> int:
    """Print what came of it; exit code 1 where anything was lost or left damaged."""
    moments, publications, count, every = (*map(int, arguments), 1)[:4] if arguments else (150, 100, 50, 1)
    chance = random.Random(20260105)
    harness.load(whole=count > 0)
    outcome: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        room = Path(name)
        for part in (
            lambda: intake(room, moments, chance, every),
            lambda: publishing(room, publications, chance, every),
            lambda: whole_runs(room, count, chance) if count else Counter(),
        ):
            start = time.monotonic()
            found = part()
            outcome += found
            for what, times in sorted(found.items()):
                print(f"{what}: {times}")
            print(f"  {time.monotonic() - start:.0f} s", flush=True)
    return (
        1
        if any(word.isupper() for what in outcome for word in what.split(": ")[1].replace(",", "").split())
        else 0
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
