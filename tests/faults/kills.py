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

# How many kills one after the other a whole run has to make up for: what comes after a kill may be killed itself.
_IN_A_ROW = 4


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
    stands: Fault | None = None,
    in_a_row: int = 1,
) -> Counter[str]:
    """Kill a job over a copy of a folder at each `every`th step (0: at none), then at so many random moments.

    After each kill `stands` says what is wrong with what was there before; after every `in_a_row`th of those at moments
    the job is done again, and `fault` says what is wrong then.
    """
    outcome: Counter[str] = Counter()
    tried = DataFolder.at(room / "tried")

    def anew() -> None:
        shutil.rmtree(tried.root, ignore_errors=True)
        shutil.copytree(origin, tried.root, symlinks=True)

    def told(kind: str, wrong: str, well: str) -> None:
        if wrong:
            print(f"  {kind}: {wrong}", flush=True)
        outcome[f"{kind}: {'WRONG' if wrong else well}"] += 1

    def made_up_for() -> str:
        again = harness.forked(lambda: job(tried), where=room)
        return again.said[-300:] if again.code else str(harness.asked(lambda: fault(tried), room))

    anew()
    took = harness.forked(lambda: job(tried), where=room)
    assert took.code == 0, took.said
    wrong = harness.asked(lambda: fault(tried), room)
    assert not wrong, wrong
    step = 0
    while every:
        step += every
        anew()

        def at_one(at: int = step) -> int | None:
            with harness.at_step(at, harness.killed):
                return job(tried)

        ended = harness.forked(at_one, where=room)
        if ended.code != -9:
            break
        wrong = harness.asked(lambda: stands(tried), room) if stands else ""
        told(f"{name}, at a step", wrong or made_up_for(), "killed, made up for")
    killed = 0
    while killed < moments:
        anew()
        wrong = ""
        for _ in range(min(in_a_row, moments - killed)):
            ended = harness.forked(lambda: job(tried), kill_after=chance.uniform(0, took.seconds), where=room)
            if ended.code != -9:
                # It had ended before, or could not go on from the kill before.
                wrong = wrong or (
                    ended.said[-300:] if ended.code else harness.asked(lambda: fault(tried), room)
                )
                break
            killed += 1
            outcome[f"{name}, at a moment: killed"] += 1
            wrong = wrong or (harness.asked(lambda: stands(tried), room) if stands else "")
        else:
            told(f"{name}, at a moment", wrong or made_up_for(), "made up for")
            continue
        told(f"{name}, at a moment", wrong, "came too late")
    shutil.rmtree(tried.root)
    return outcome


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
            publish(folder, identity(folder, number), manifest=manifest)

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


def whole_runs(room: Path, count: int, chance: random.Random) -> Counter[str]:
    """Kills during whole runs upon an edition: it stands, the same command then succeeds and says the same."""
    origin = harness.bureau(room / "whole")
    first = harness.forked(harness.run(origin), where=room)
    assert first.code == 0, first.said
    before = harness.fingerprints(origin)
    (origin.raw / "人口3月.csv").write_bytes(
        (origin.raw / "人口2月.csv").read_bytes().replace(b"2025-02", b"2025-03")
    )
    undisturbed = DataFolder.at(room / "whole-undisturbed")
    shutil.copytree(origin.root, undisturbed.root, symlinks=True)
    assert harness.forked(harness.run(undisturbed), where=room).code == 0
    right = harness.fingerprints(undisturbed)

    def stands(folder: DataFolder) -> str:
        from oversight.editions import open_edition

        open_edition(folder).execute("select count(*) from funding_gap_monthly").fetchall()
        return "" if harness.fingerprints(folder) in (before, right) else "neither edition stands"

    def fault(folder: DataFolder) -> str:
        same = harness.fingerprints(folder) == right
        return _damage(folder, _TRUTH) or ("" if same else "the edition says something else")

    def job(folder: DataFolder) -> int:
        return harness.run(folder)()

    return each(
        room, "whole run", origin.root, count, chance, 0, job, fault, stands=stands, in_a_row=_IN_A_ROW
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
    moments, publications, count, every, papers = (*numbers, *(300, 300, 300, 1, 300)[len(numbers) :])
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
