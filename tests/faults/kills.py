"""kill -9 at every step of writing and at random moments: nothing is lost, and the next run says what it would have said.

    python tests/faults/kills.py [intake-moments publish-moments whole-runs [every nth step [papers-moments]]] [part …]

Parts: intake, publishing, letters, papers, runs; all where none is named.
Intake is killed at each step in turn until it gets through, then at random moments; publishing (of a build file without
dbt), letters (drafted, approved, issued, delivered) and papers (drafted, issued, delivered) likewise; whole runs at random
moments. After each kill: what was published before still answers, the next attempt succeeds by itself, `verify` finds
nothing, the fingerprints are those of an undisturbed run, and nothing has gone out twice.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

from oversight.editions.edition import STABLE
from oversight.settings import DataFolder
from tests.editions.standin import identity, write_build, write_manifest
from tests.faults import harness
from tests.faults.flips import judged

# Of each part, so that two of them stay below five minutes.
_SECONDS = 140


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
    return _ended(outcome, "intake", passed, moments)


def _ended(outcome: Counter[str], name: str, passed: bool, moments: int) -> Counter[str]:
    """What was found, and whether all of it was tried."""
    if not passed or moments:
        print(
            f"  {name}: no time for all of it; {moments} moments and {0 if passed else 'some'} steps not tried"
        )
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
    _ended(outcome, "publish", passed, moments)
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
    until = time.monotonic() + _SECONDS
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


def each(
    room: Path,
    name: str,
    origin: Path,
    moments: int,
    chance: random.Random,
    every: int,
    job: Job,
    fault: Fault,
) -> Counter[str]:
    """Kill a job over a copy of a folder at each step, then at random moments; after each it is done again and looked at."""
    outcome: Counter[str] = Counter()
    tried = DataFolder.at(room / "tried")
    shutil.copytree(origin, tried.root, symlinks=True)
    took = harness.forked(lambda: job(tried), where=room)
    assert took.code == 0, took.said
    wrong = harness.asked(lambda: fault(tried), room)
    assert not wrong, wrong
    step, passed = 0, False
    until = time.monotonic() + _SECONDS
    while (not passed or moments) and time.monotonic() < until:
        shutil.rmtree(tried.root)
        shutil.copytree(origin, tried.root, symlinks=True)
        if not passed:
            step += every

            def at_one(at: int = step) -> int | None:
                with harness.at_step(at, harness.killed):
                    return job(tried)

            ended = harness.forked(at_one, where=room)
            passed = ended.code == 0
            kind = f"{name}, at a step"
        else:
            moments -= 1
            ended = harness.forked(lambda: job(tried), kill_after=chance.uniform(0, took.seconds), where=room)
            kind = f"{name}, at a moment"
        again = harness.forked(lambda: job(tried), where=room)
        wrong = again.said[-300:] if again.code else harness.asked(lambda: fault(tried), room)
        if wrong:
            print(f"  {kind} {step}: {wrong}")
        told = "killed, made up for" if ended.code == -9 else "not reached"
        outcome[f"{kind}: {'WRONG' if wrong else told}"] += 1
    shutil.rmtree(tried.root)
    return _ended(outcome, name, passed, moments)


Job = Callable[[DataFolder], int | None]
Fault = Callable[[DataFolder], str]


def _damage(folder: DataFolder) -> str:
    from oversight.archive.verify import verify

    groups = ("reports", "desk", "record", "keys")
    return "; ".join(f"{fault.path} {fault.why}" for _, _, found in verify(folder, groups) for fault in found)


def letters_out(room: Path, moments: int, chance: random.Random, every: int) -> Counter[str]:
    """Two letters drafted, approved, issued and delivered: one of each, numbers 1 and 2, whatever was killed."""
    from oversight.accounts import people, store
    from oversight.accounts.actor import at_the_machine
    from oversight.workflow import letters
    from tests.workflow.test_letters import MONDAY, TOWNS, at, finding, made_up

    origin, now = room / "letters", at(MONDAY)

    def accounts() -> None:
        folder = DataFolder.at(origin)
        people.add(folder, at_the_machine(), "chief", "administrator", ["000000"], password="Ganlan-Shu-2031")
        store.forget(folder)

    origin.mkdir()
    assert harness.forked(accounts, where=room).code == 0

    def job(folder: DataFolder) -> None:
        ground = made_up(folder.root, [finding(), finding(TOWNS[1])])
        letters.draft(ground, letters.wanted(ground, now), by="甲", now=now)

        def of(*states: str) -> list[str]:
            return [row["id"] for row in letters.letters(folder, states)]

        if of("drafted"):
            letters.approve(folder, of("drafted"), by="乙", now=now)
        letters.issue(ground, of("approved", "issuing"), by="甲", now=now, formats=("docx",))
        letters.deliver(ground, of("issued"), by="甲", now=now)

    def fault(folder: DataFolder) -> str:
        ground = made_up(folder.root, [finding(), finding(TOWNS[1])])
        rows = letters.letters(folder)
        out = sorted(path.name for path in (folder.root / "outbox").iterdir())
        found = {
            "letters": (
                sorted((row["number"], row["state"]) for row in rows),
                [(1, "delivered"), (2, "delivered")],
            ),
            "notes": ([len(case.notes) for case in ground.cases(MONDAY).values()], [1, 1]),
            "sent": (len(out), 2),
        }
        told = [f"{name}: {is_so}" for name, (is_so, wanted) in found.items() if is_so != wanted]
        return "; ".join([*told, *filter(None, [_damage(folder)])])

    return each(room, "letters", origin, moments, chance, every, job, fault)


def papers_out(room: Path, moments: int, chance: random.Random, every: int) -> Counter[str]:
    """A report drafted, reviewed, issued and delivered: one paper, number 1, in the receiver's folder once."""
    from oversight import cli
    from oversight.reports import register, store

    origin = harness.bureau(room / "papers")
    ended = harness.forked(harness.run(origin), where=room)
    assert ended.code == 0, ended.said
    (origin.root / "report").mkdir()
    (origin.root / "out").mkdir()
    # Beside the data, so that each copy has its own.
    settings = f'[[delivery]]\nname = "共享目录"\nfolder = "{room / "tried" / "out"}"\nformats = ["html"]\n'
    (origin.root / "report" / "report.toml").write_text(settings, "utf-8")
    february = date(2025, 2, 1)

    def job(folder: DataFolder) -> int:
        county = ("--scope", "360313", "--month", "2025-02", "--data", str(folder.root))
        if not store.versions(folder, february, "360313"):
            cli.main(["report", "--format", "html", *county])
            cli.main(["report", "review", "--by", "甲", *county])
        return cli.main(["report", "issue", "--by", "乙", "--format", "html", "--send", *county])

    def fault(folder: DataFolder) -> str:
        found = store.versions(folder, february, "360313")
        taken = [(entry.number, entry.version) for entry in register.entries(folder)]
        sent = [path for path in (folder.root / "out").rglob("*") if path.is_file()]
        if len(found) != 1 or found[0].state != "issued" or taken != [(1, 1)]:
            return f"{[(version.number, version.state) for version in found]} {taken}"
        if [path.read_bytes() for path in sent] != [found[0].verified("html")]:
            return f"sent: {[path.name for path in sent]}"
        return _damage(folder)

    return each(room, "papers", origin.root, moments, chance, every, job, fault)


def main(arguments: list[str]) -> int:
    """Print what came of it; exit code 1 where anything was lost or left damaged."""
    numbers = [int(word) for word in arguments if word.isdigit()]
    chosen = [word for word in arguments if not word.isdigit()]
    moments, publications, count, every, papers = (*numbers, *(150, 100, 50, 1, 50)[len(numbers) :])
    chance = random.Random(20260105)
    harness.load(whole=count > 0)
    outcome: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        room = Path(name)
        parts: dict[str, Callable[[], Counter[str]]] = {
            "intake": lambda: intake(room, moments, chance, every),
            "publishing": lambda: publishing(room, publications, chance, every),
            "letters": lambda: letters_out(room, papers, chance, every),
        }
        if count:
            parts["papers"] = lambda: papers_out(room, papers, chance, every)
            parts["runs"] = lambda: whole_runs(room, count, chance)
        for name, part in parts.items():
            if chosen and name not in chosen:
                continue
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
