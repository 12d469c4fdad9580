"""The disk full, or broken, at the 1st, 2nd, … step of writing until it passes: one clear sentence, and nothing is lost.

    python -m tests.faults.full_disk [whole-runs-on-a-full-disk [every nth step [faults beneath]]] [part …]

Parts: steps, small, publication, runs; all where none is named. `faults beneath`: how many of each kind in publications,
besides the disk full from each write on; of each part of a whole run a quarter.

Each step of intake fails in turn with ENOSPC, EIO and a failing fsync; then whole runs on a file system of its own that
is too small by more and less (where one may be mounted); then, beneath every library (where there is a C compiler),
writes and fsyncs of a publication and of whole runs, once or from then on (`beneath` and `whole_runs` say which). What was
published still answers, the message names the cause and quotes no library, and the same command succeeds as soon as there
is room.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from oversight import last_word
from oversight.archive.verify import verify
from oversight.settings import DataFolder
from tests.editions.standin import identity, write_build, write_manifest
from tests.faults import harness
from tests.faults.flips import judged
from tests.faults.kills import state_of

_TRUTH = ("archive", "ledger", "landed")
_CAUSES = {errno.ENOSPC: "磁盘空间不足", errno.EIO: "磁盘读写出错"}


def steps(room: Path, number: int, only: str, name: str, every: int) -> Counter[str]:
    """One kind of failure at each step of intake."""
    outcome: Counter[str] = Counter()
    origin = harness.bureau(room / f"bureau-{name}")
    undisturbed = DataFolder.at(room / f"undisturbed-{name}")
    shutil.copytree(origin.root, undisturbed.root, symlinks=True)
    assert harness.forked(harness.take_in(undisturbed), where=room).code == 0
    right = harness.asked(lambda: judged(undisturbed), room)
    step, passed = 0, False
    while not passed:
        step += every
        tried = DataFolder.at(room / "tried")
        shutil.copytree(origin.root, tried.root, symlinks=True)

        def job(at: int = step, folder: DataFolder = tried) -> int:
            from oversight.faults import cause_zh

            with harness.at_step(at, harness.failing(number), only) as taken:
                try:
                    harness.take_in(folder)()
                except Exception as error:
                    print(cause_zh(error) or f"{type(error).__name__}: {error}")
                    return 1
            return 0 if len(taken) < at else 3

        ended = harness.forked(job, where=room)
        passed = ended.code == 0

        def again(folder: DataFolder = tried) -> int:
            harness.take_in(folder)()
            if judged(folder) != right:
                return 4
            left = [str(fault.path) for _, _, found in verify(folder, _TRUTH) for fault in found]
            print(*left)
            return 5 if left else 0

        after = harness.forked(again, where=room)
        if ended.code == 1 and not (_CAUSES[number] in ended.said and harness.is_clear(ended.said)):
            print(f"  UNCLEAR at step {step}: {ended.said.strip()[-300:]}")
            told = "UNCLEAR"
        elif after.code:
            print(f"  NOT MADE UP FOR after step {step}: {after.said.strip()[-300:]}")
            told = {5: "DAMAGED"}.get(after.code, "LOST")
        else:
            told = {0: "not reached", 1: "named, made up for", 3: "done without, made up for"}.get(
                ended.code, "CRASHED"
            )
        outcome[f"{name}: {told}"] += 1
        shutil.rmtree(tried.root)
    return outcome


def on_a_small_disk(room: Path, count: int) -> Counter[str]:
    """Whole runs on a file system that is too small, by more and by less; then given room."""
    outcome: Counter[str] = Counter()
    place = room / "disk"
    place.mkdir()
    origin = harness.bureau(room / "small")
    assert harness.forked(harness.run(origin), where=room).code == 0
    right = harness.fingerprints(origin)
    base = sum(path.stat().st_size for path in origin.root.rglob("*") if path.is_file()) // 1024
    (origin.raw / "人口3月.csv").write_bytes(
        (origin.raw / "人口2月.csv").read_bytes().replace(b"2025-02", b"2025-03")
    )
    for number in range(count):
        room_kb = base + 200 + number * base // max(1, count)
        if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={room_kb}k", "tmpfs", str(place)], check=False
        ).returncode:
            print("  no file system may be mounted here")
            return Counter({"small disk: not tried": 1})
        try:
            tried = DataFolder.at(place / "d")
            if subprocess.run(
                ["cp", "-a", str(origin.root), str(tried.root)], check=False, capture_output=True
            ).returncode:
                outcome["small disk: too small for the data themselves"] += 1
                continue
            ended = harness.forked(harness.run(tried), where=room)
            if ended.code == 0:
                outcome["small disk: passed"] += 1
                continue
            stands = harness.fingerprints(tried) == right
            clear = "磁盘空间不足" in ended.said and harness.is_clear(ended.said)
            if not clear:
                print(f"  UNCLEAR with {room_kb} kB: {ended.said.strip().splitlines()[-1][:300]}")
            subprocess.run(["mount", "-o", f"remount,size={8 * base + 500_000}k", str(place)], check=True)
            again = harness.forked(harness.run(tried), where=room)
            if again.code:
                print(f"  FAILED afterwards with {room_kb} kB: {again.said.strip()[-300:]}")
            good = clear and stands and again.code == 0
            outcome[f"small disk: {'named, the edition stands, made up for' if good else 'WRONG'}"] += 1
        finally:
            subprocess.run(["umount", str(place)], check=True)
    return outcome


def _beneath() -> ctypes.CDLL:
    """What `failing.c` offers in this process."""
    library = ctypes.CDLL(None)
    library.oversight_fail.argtypes = (
        ctypes.c_char_p,
        ctypes.c_long,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int,
    )
    library.oversight_taken.restype = ctypes.c_long
    return library


_KINDS = (
    ("ENOSPC from then on", errno.ENOSPC, 1, 0),
    ("ENOSPC once", errno.ENOSPC, 0, 0),
    ("EIO once", errno.EIO, 0, 0),
    ("EIO from then on", errno.EIO, 1, 0),
    ("fsync fails once", errno.EIO, 0, 1),
)


def beneath(
    room: Path, name: str, origin: Path, job: Callable[[DataFolder], int], tries: int
) -> Counter[str]:
    """Faults in the writes of whichever library, `tries` of each kind spread evenly over a job on a copy of a folder; and
    the disk full from each write on in turn."""
    outcome: Counter[str] = Counter()
    tried = DataFolder.at(room / "tried")

    def doing(at: int, number: int, stay: int, sync: int, counted: Path | None = None) -> int:
        library = _beneath()
        # As the command line has it: DuckDB ends the process itself where it cannot write its log.
        ended = last_word.kept()
        library.oversight_fail(str(tried.root).encode(), at, number, stay, sync)
        code = job(tried)
        if counted:
            counted.write_text(str(library.oversight_taken()))
        ended()
        return code

    for kind, number, stay, sync in _KINDS:
        shutil.copytree(origin, tried.root, symlinks=True)
        ended = harness.forked(lambda s=sync: doing(0, 0, 0, s, room / "counted"), where=room)
        assert ended.code == 0, ended.said
        writes = int((room / "counted").read_text())
        right = harness.fingerprints(tried)
        shutil.rmtree(tried.root)
        each = writes if kind == _KINDS[0][0] else min(tries, writes)
        for turn in range(each):
            at = 1 + turn * writes // each
            shutil.copytree(origin, tried.root, symlinks=True)
            before = harness.fingerprints(tried)
            ended = harness.forked(lambda a=at, n=number, k=stay, s=sync: doing(a, n, k, s), where=room)
            stands = harness.fingerprints(tried) in (before, right)
            clear = ended.code == 0 or (_CAUSES[number] in ended.said and harness.is_clear(ended.said))
            aborted = ended.code < 0
            again = harness.forked(lambda: _whole(tried, lambda: job(tried)), where=room)
            whole = again.code == 0 and harness.fingerprints(tried) == right
            if not (clear and stands and whole):
                said = (ended.said.strip().splitlines() or [""])[-1][:300]
                print(
                    f"  {name}, {kind}, write {at} of {writes}: clear {clear}, stands {stands}, whole {whole}"
                )
                print(f"    {ended.code}: {said} | {again.said.strip()[-200:] if again.code else ''}")
                outcome[f"{name}, {kind}: WRONG"] += 1
            else:
                how = "ended by the engine, named" if aborted else "named"
                outcome[
                    f"{name}, {kind}: {f'{how}, made up for' if ended.code else 'done all the same'}"
                ] += 1
            shutil.rmtree(tried.root)
        outcome[f"{name}, {kind}: of {writes} writes"] += 1
        # Each takes minutes.
        print(f"  {name}, {kind}: {each} tried", flush=True)
    return outcome


def publishing(room: Path, tries: int) -> Counter[str]:
    """Publications of a build file: what DuckDB, Arrow and we write."""
    from oversight.editions import publish
    from oversight.editions.lock import run_lock
    from oversight.faults import cause_zh

    folder = DataFolder.at(room / "publications")
    manifest = write_manifest(room / "manifest.json")

    def job(of: DataFolder, number: int = 2) -> int:
        try:
            with run_lock(of):
                write_build(of, number=number)
                publish(of, identity(of, number), manifest=manifest)
        except Exception as error:
            print(cause_zh(error) or f"{type(error).__name__}: {error}")
            return 1
        return 0

    assert harness.forked(lambda: job(folder, 1), where=room).code == 0
    return beneath(room, "publication", folder.root, job, tries)


def whole_runs(room: Path, tries: int) -> Counter[str]:
    """Whole runs: what dbt, Dagster and Great Expectations write too, each part from what the part before left.

    The disk is full from the first, and from the last, write to each file on (of files whose names differ by a number one
    stands for all; of Dagster's history from the first alone); `tries` of each other kind are spread over the writes of
    each part. What fails leaves the folder in a state: of those that are alike in their files one is run anew, whole.
    """
    outcome: Counter[str] = Counter()
    origin, tried = harness.bureau(room / "whole"), DataFolder.at(room / "tried")
    assert harness.forked(harness.run(origin), where=room).code == 0
    before = harness.fingerprints(origin)
    (origin.raw / "人口3月.csv").write_bytes(
        (origin.raw / "人口2月.csv").read_bytes().replace(b"2025-02", b"2025-03")
    )
    shutil.copytree(origin.root, tried.root, symlinks=True)
    writes: dict[str, list[tuple[int, str]]] = {}
    for part in harness.PARTS:
        shutil.copytree(tried.root, room / part, symlinks=True)
        ended, writes[part] = _told(room, tried, part, (0, 0, 0, 0))
        assert ended.code == 0, ended.said
    right = harness.fingerprints(tried)
    states: set[tuple[str, ...]] = set()
    failed_in: set[str] = set()
    for part, kind in itertools.product(harness.PARTS, _KINDS):
        name, number, stay, sync = kind
        # As failing.c counts.
        counted = [
            file
            for what, file in writes[part]
            if (what == 1 or not sync) and (what != 2 or number != errno.ENOSPC)
        ]
        if kind == _KINDS[0]:
            first = {file: at for at, file in list(enumerate(counted, 1))[::-1]}
            last = {file: at for at, file in enumerate(counted, 1) if not file.startswith(".dagster/")}
            places = sorted({*first.values(), *last.values()})
        else:
            places = [1 + turn * len(counted) // tries for turn in range(tries)]
        for at in places:
            shutil.rmtree(tried.root)
            shutil.copytree(room / part, tried.root, symlinks=True)
            ended, told = _told(room, tried, part, (at, number, stay, sync))
            where = told[at - 1][1] if len(told) >= at else "none"
            failed_in.add(where)
            stands = harness.fingerprints(tried) in (before, right)
            clear = ended.code == 0 or (_CAUSES[number] in ended.said and harness.is_clear(ended.said))
            left = harness.asked(lambda: state_of(tried), room)
            is_known = ended.code != 0 and left in states
            states.add(left)
            again = (
                None if is_known else harness.forked(lambda: _whole(tried, harness.run(tried)), where=room)
            )
            whole = again is None or (again.code == 0 and harness.fingerprints(tried) == right)
            if clear and stands and whole:
                how = "done all the same" if ended.code == 0 else "named"
                then = "left as another was" if again is None else "made up for"
                outcome[f"whole run, {part}, {name}: {how}, {then}"] += 1
            else:
                print(
                    f"  {part}, {name}, write {at} ({where}): clear {clear}, stands {stands}, whole {whole}"
                )
                print(
                    f"    {ended.code}: {ended.said.strip()[-300:]} | {again.said.strip()[-300:] if again else ''}"
                )
                outcome[f"whole run, {part}, {name}: WRONG"] += 1
        print(f"  {part}, {name}: {len(places)} of {len(counted)} writes tried", flush=True)
    every = {file for part in writes.values() for _, file in part}
    outcome["whole run, files (alike but for numbers) of which a write failed"] = len(failed_in & every)
    outcome["whole run, files that are written"] = len(every)
    outcome["whole run, states left: different in their files"] = len(states)
    return outcome


_NUMBER = re.compile(r"[0-9a-f]{6,}|\d+")


def _told(
    room: Path, folder: DataFolder, part: str, fault: tuple[int, int, int, int]
) -> tuple[harness.Ended, list[tuple[int, str]]]:
    """A part of a run with a fault, and of each write what it is (failing.c) and to which file, numbers left out."""
    lines = room / "writes"
    lines.touch()

    def job() -> int:
        library = _beneath()
        ended = last_word.kept()
        library.oversight_fail(str(folder.root).encode(), *fault)
        library.oversight_tell(os.open(lines, os.O_WRONLY | os.O_APPEND))
        code = harness.run_part(folder, part)()
        ended()
        return code

    ended = harness.forked(job, where=room)
    told = [line.partition(" ") for line in lines.read_text("utf-8").splitlines()]
    lines.unlink()
    return ended, [
        (int(what), _NUMBER.sub("#", os.path.relpath(path, folder.root))) for what, _, path in told
    ]


def _whole(folder: DataFolder, job: Callable[[], int]) -> int:
    """A job; and exit code 3 where `verify` then names anything."""
    code = job()
    left = [fault for _, _, found in verify(folder, (*_TRUTH, "editions")) for fault in found]
    for fault in left:
        print(f"{fault.path}: {fault.why}")
    return code or (3 if left else 0)


def _with_faults_beneath(arguments: list[str]) -> bool:
    """Whether this process can be told to fail; started anew with `failing.c` before libc where there is a compiler."""
    if "OVERSIGHT_FAILING" in os.environ:
        return True
    compiler = shutil.which("cc")
    if compiler is None:
        return False
    with tempfile.TemporaryDirectory(prefix="failing-") as place:
        library = Path(place) / "failing.so"
        source = Path(__file__).with_name("failing.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        environment = os.environ | {"LD_PRELOAD": str(library), "OVERSIGHT_FAILING": str(library)}
        command = [sys.executable, "-m", "tests.faults.full_disk", *arguments]
        code = subprocess.run(command, env=environment, check=False).returncode
    sys.exit(code)


def main(arguments: list[str]) -> int:
    """Print what came of it; exit code 1 where a message was unclear or something was lost."""
    numbers = [int(word) for word in arguments if word.isdigit()]
    chosen = [word for word in arguments if not word.isdigit()]
    count, every, below = (*numbers, *(12, 1, 12)[len(numbers) :])
    if below and not _with_faults_beneath(arguments):
        print("beneath: no C compiler here, not tried")
        below = 0
    harness.load(whole=count + below > 0)
    outcome: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="disk-") as name:
        room = Path(name)
        parts: list[tuple[str, Callable[[], Counter[str]]]] = [
            ("steps", lambda: steps(room, errno.ENOSPC, "", "disk full", every)),
            ("steps", lambda: steps(room, errno.EIO, "", "EIO", every)),
            ("steps", lambda: steps(room, errno.EIO, "fsync", "fsync fails", every)),
        ]
        if count:
            parts.append(("small", lambda: on_a_small_disk(room, count)))
        if below:
            parts.append(("publication", lambda: publishing(room, below)))
            parts.append(("runs", lambda: whole_runs(room, below // 4)))
        for name, part in parts:
            if chosen and name not in chosen:
                continue
            start = time.monotonic()
            found = part()
            outcome += found
            for what, times in sorted(found.items()):
                print(f"{what}: {times}")
            print(f"  {time.monotonic() - start:.0f} s", flush=True)
    wrong = ("UNCLEAR", "LOST", "DAMAGED", "CRASHED", "WRONG")
    return 1 if any(what.endswith(wrong) for what in outcome) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
