"""kill -9 at every step of writing and at random moments: nothing is lost, and the next run says what it would have said.

    python -m tests.faults.kills [intake-moments publish-moments whole-run-moments [every nth step [papers-moments
        [reruns]]]] [part …]

Parts: intake, publishing, letters, papers, runs; all where none is named.
Intake, letters (drafted, approved, issued, delivered) and papers (drafted, issued, delivered) are killed at each step in
turn; publishing (of a build file without dbt) at each step and at random moments. Whole runs, and the random moments of
the others, stand still instead, and the folder is copied as kill -9 would have left it: so a few runs give hundreds of
moments. After each: what was published before still answers; of the states that differ each is gone on from: the next
attempt succeeds by itself, `verify` finds nothing, the fingerprints are those of an undisturbed run, and nothing has gone
out twice.
"""

from __future__ import annotations

import json
import math
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

from oversight.archive.sums import digest_of
from oversight.editions.edition import STABLE
from oversight.settings import DataFolder
from tests.editions.standin import identity, write_build, write_manifest
from tests.faults import harness
from tests.faults.flips import judged

# What another moment of the same state has otherwise: names, and what a killed run leaves to be made anew or never reads
# (`clear_leftovers` empties the place in which an edition is prepared before anything else is done there).
_NAME = re.compile(r"[0-9a-f]{6,}|\d+")
_ANEW = re.compile(r"\.dagster/|\.work/(gx|audit|logs)/|logs/|marts/\.incoming/|.*/data_docs/")
_GOES_ON = (".sqlite", ".sqlite-journal", ".sqlite-wal")


Job = Callable[[DataFolder], int | None]
Fault = Callable[[DataFolder], str]


def each(
    room: Path,
    name: str,
    origin: Path,
    moments: int,
    chance: random.Random,
    every: int,
    job: Job,
    fault: Fault,
    *,
    stands: Fault = lambda _: "",
    is_killed: bool = True,
    reruns: int = 1_000,
) -> Counter[str]:
    """What a job over a copy of a folder leaves where it ends at each `every`th step (0: at none), and at random moments.

    At steps it is killed, and done again each time (`is_killed`), or stands still for a copy of the folder; at moments it
    stands still. `stands` says what is wrong with each copy. Of those that differ in which files there are, each is done
    again (up to `reruns`, drawn at random), and `fault` says what is wrong then.
    """
    outcome: Counter[str] = Counter()
    tried, left = DataFolder.at(room / "tried"), DataFolder.at(room / "left")
    states: dict[tuple[str, ...], Path] = {}

    def anew(source: Path = origin) -> None:
        shutil.rmtree(tried.root, ignore_errors=True)
        shutil.copytree(source, tried.root, symlinks=True)

    def told(kind: str, wrong: str, well: str) -> None:
        if wrong:
            print(f"  {kind}: {wrong}", flush=True)
        outcome[f"{kind}: {'WRONG' if wrong else well}"] += 1

    def made_up_for() -> str:
        again = harness.forked(lambda: job(tried), where=room)
        return again.said[-300:] if again.code else str(harness.asked(lambda: fault(tried), room))

    def look(kind: str, said: str) -> None:
        shutil.copytree(tried.root, left.root, symlinks=True)
        steps = [line for line in said.splitlines() if line.startswith("▶ ")]
        where = f" ({steps[-1].removeprefix('▶ ')})" if steps else ""
        told(f"{name}, {kind}{where}", harness.asked(lambda: stands(left), room), "what was there stands")
        # The first of its kind is kept: of the others one is as good.
        kept = states.setdefault(state_of(left), room / f"state{len(states)}")
        if kept.exists():
            shutil.rmtree(left.root)
        else:
            left.root.rename(kept)

    anew()
    took = harness.forked(lambda: job(tried), where=room)
    assert took.code == 0, took.said
    wrong = harness.asked(lambda: fault(tried), room)
    assert not wrong, wrong
    step = 0
    while every and is_killed:
        step += every
        anew()

        def at_one(at: int = step) -> int | None:
            with harness.at_step(at, harness.killed):
                return job(tried)

        ended = harness.forked(at_one, where=room)
        if ended.code != -9:
            break
        wrong = harness.asked(lambda: stands(tried), room)
        told(f"{name}, at a step", wrong or made_up_for(), "killed, made up for")
    seen = 0

    def look_at(is_step: bool, said: str) -> None:
        nonlocal seen
        seen += not is_step
        if is_step or seen <= moments:
            look("at a step" if is_step else "at a moment", said)

    def standing(steps: int) -> int | None:
        with harness.at_step(-steps, harness.standing_still):
            return job(tried)

    # Twice over the job, so that the moments are not those of one run.
    mean = took.seconds / max(1, moments / 2)
    while seen < moments:
        anew()
        steps = every if seen == 0 and not is_killed else 0
        ended = harness.stopped(
            lambda s=steps: standing(s) if s else job(tried),
            look_at,
            lambda: chance.expovariate(1 / mean) if seen < moments else math.inf,
            where=room,
        )
        assert ended.code == 0, ended.said
        told(f"{name}, stopped and gone on", harness.asked(lambda: fault(tried), room), "well")
    for kept in chance.sample(list(states.values()), min(reruns, len(states))):
        anew(kept)
        told(f"{name}, each state left", made_up_for(), "made up for")
    if states:
        outcome[f"{name}, states left: different in their files"] = len(states)
    for kept in states.values():
        shutil.rmtree(kept)
    shutil.rmtree(tried.root)
    return outcome


def state_of(folder: DataFolder) -> tuple[str, ...]:
    """Which files there are, and what is in those that go from state to state."""
    found = []
    for path in folder.root.rglob("*"):
        name = path.relative_to(folder.root).as_posix()
        if path.is_file() and not _ANEW.match(name):
            content = digest_of(path) if path.suffix in _GOES_ON else ""
            found.append(f"{_NAME.sub('#', name)} {content}")
    return tuple(sorted(found))


def intake(room: Path, moments: int, chance: random.Random, every: int) -> Counter[str]:
    """Kills during intake."""
    origin, undisturbed = harness.bureau(room / "intake"), DataFolder.at(room / "undisturbed")
    shutil.copytree(origin.root, undisturbed.root, symlinks=True)
    took = harness.forked(harness.take_in(undisturbed), where=room)
    assert took.code == 0, took.said
    right = harness.asked(lambda: judged(undisturbed), room)

    def fault(folder: DataFolder) -> str:
        return _damage(folder, _TRUTH) or ("" if judged(folder) == right else "the inputs differ")

    def job(folder: DataFolder) -> None:
        harness.take_in(folder)()

    return each(room, "intake", origin.root, moments, chance, every, job, fault)


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
            publish(folder, identity(folder, number), manifest=manifest, keep=3)

    first = harness.forked(lambda: job(0), where=room)
    assert first.code == 0, first.said
    number, step, passed = 0, 0, not every
    while not passed or moments:
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
            ended = harness.forked(
                lambda of=number: job(of), kill_after=chance.uniform(0, first.seconds), where=room
            )
            moments -= ended.code == -9
            kind = "publish, at a moment"
        stands = find_edition(folder)
        # Killed between the pointer and the link that follows it: verify says so, and the next run leads it on.
        link = f"{folder.marts / STABLE}: "
        whole = all(line.startswith(link) for line in harness.damaged(folder, room, "editions"))
        fitting = stands.edition_id == before or stands.made_from.input_fingerprint == f"{number:08d}"
        told = {-9: "killed, whole", 0: "not reached"}.get(ended.code, "FAILED")
        if told == "FAILED":
            print(f"  {kind} {step}: {ended.said.strip()[-300:]}")
        outcome[f"{kind}: {told if whole and fitting else 'HALF-PUBLISHED'}"] += 1
    last = harness.forked(lambda: job(999), where=room)
    healed = last.code == 0 and not harness.damaged(folder, room, "editions")
    outcome[f"publish, afterwards: {'succeeds' if healed else 'FAILED'}"] += 1
    return outcome


def whole_runs(room: Path, count: int, chance: random.Random, every: int, reruns: int) -> Counter[str]:
    """Ends of whole runs upon an edition: it stands, the same command then succeeds and says the same."""
    origin = harness.bureau(room / "whole")
    first = harness.forked(harness.run(origin), where=room)
    assert first.code == 0, first.said
    before = harness.fingerprints(origin)
    (origin.raw / "人口3月.csv").write_bytes(
        (origin.raw / "人口2月.csv").read_bytes().replace(b"2025-02", b"2025-03")
    )
    # What the first run, which is not disturbed, says.
    right = room / "whole-right.json"

    def stands(folder: DataFolder) -> str:
        from oversight.editions import open_edition

        open_edition(folder).execute("select count(*) from funding_gap_monthly").fetchall()
        known = (before, json.loads(right.read_text("utf-8")))
        stood = "" if harness.fingerprints(folder) in known else "neither edition stands"
        # Killed between the pointer and the link that follows it: the next run leads it on.
        found = [line for line in _damage(folder, ("archive", "editions")).split("; ") if STABLE not in line]
        return stood or "; ".join(found)

    def fault(folder: DataFolder) -> str:
        if not right.exists():
            right.write_text(json.dumps(harness.fingerprints(folder)), "utf-8")
        same = harness.fingerprints(folder) == json.loads(right.read_text("utf-8"))
        return _damage(folder, _TRUTH) or ("" if same else "the edition says something else")

    def job(folder: DataFolder) -> int:
        return harness.run(folder)()

    return each(
        *(room, "whole run", origin.root, count, chance, every, job, fault),
        stands=stands,
        is_killed=False,
        reruns=reruns,
    )


_TRUTH = ("archive", "ledger", "landed", "editions")
_DESK = ("reports", "desk", "record", "keys")


def _damage(folder: DataFolder, groups: tuple[str, ...]) -> str:
    from oversight.archive.verify import verify

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
        return "; ".join([*told, *filter(None, [_damage(folder, _DESK)])])

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
        return _damage(folder, _DESK)

    return each(room, "papers", origin.root, moments, chance, every, job, fault)


def main(arguments: list[str]) -> int:
    """Print what came of it; exit code 1 where anything was lost or left damaged."""
    numbers = [int(word) for word in arguments if word.isdigit()]
    chosen = [word for word in arguments if not word.isdigit()]
    moments, publications, count, every, papers, reruns = (
        *numbers,
        *(300, 300, 300, 1, 300, 1_000)[len(numbers) :],
    )
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
            parts["runs"] = lambda: whole_runs(room, count, chance, every, reruns)
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
