"""Bits flipped at random in everything that is kept: `verify` names the file each time, and no run uses it.

    python tests/faults/flips.py [flips runs [short]]

Flips one bit, asks `verify` of that group whether it names the file, and flips it back; then, `runs` times, flips one
in archive, journal, ledger or landed rows, takes in, and compares what would be built with what undamaged data give.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from oversight.archive.verify import verify
from oversight.settings import DataFolder
from tests.faults import harness

# Of the flips, so that the whole stays below five minutes on a machine that does nothing else.
_SECONDS = 270
_AT_ONCE = 6
GROUPS = {
    "archive": ["archive/*"],
    "ledger": ["landed/ledger.parquet", "archive/journal.jsonl"],
    "landed": ["landed/batches/**/*"],
    "editions": ["marts/editions/**/*", "marts/CURRENT"],
    "reports": ["reports/**/*"],
    "receipts": ["receipts/*"],
    "desk": ["reviews/*/*", "handed_in/*/*", "queries/*", "letters/**/*", "findings/**/*"],
    "keys": ["keys/*"],
}


def files_of(folder: DataFolder, group: str) -> list[Path]:
    """The files of a group that have any bytes."""
    found = [path for pattern in GROUPS[group] for path in folder.root.glob(pattern)]
    ours = [p for p in found if p.is_file() and p.stat().st_size and p.name != ".lock"]
    if group == "archive":
        ours = [p for p in ours if p.name != "journal.jsonl"]
    return sorted(ours)


def flip(path: Path, at: int, bit: int) -> None:
    """Turn one bit over, leaving size and time as they were: nobody is told by them."""
    import os

    stat = path.stat()
    path.chmod(stat.st_mode | 0o200)
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ (1 << bit)]))
    path.chmod(stat.st_mode)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def unit_of(folder: DataFolder, path: Path) -> str:
    """What is vouched for together: of two files of one unit the damage of one may hide that of the other."""
    name = path.relative_to(folder.root).as_posix().removesuffix(".sha256").removesuffix(".sig")
    top, *rest = name.split("/")
    depth = {"marts": 2, "landed": 2, "reports": 3}.get(
        top, 0 if top in ("letters", "findings", "keys") else 9
    )
    ledger = (top == "landed" and rest[0] == "ledger.parquet") or name == "archive/journal.jsonl"
    return "ledger" if ledger else "/".join([top, *rest[:depth]])


def is_named(
    folder: DataFolder, group: str, path: Path, faults: set[Path], there: dict[str, list[Path]]
) -> bool:
    """Whether the file is among those that `verify` names."""
    # A signature is one with what it signs, a digest with what it stands beside: either may be the one that changed.
    alike = {path, path.with_name(path.name.removesuffix(".sha256").removesuffix(".sig"))}
    if path.name == "manifest.sig":
        alike.add(path.with_name("manifest.json"))
    # Of a pair of keys either may be the one; the ledger of findings is held against the record as a whole.
    if group == "keys":
        alike |= set(there[group])
    if folder.root / "findings" in path.parents:
        alike.add(folder.root / "findings")
    return bool(alike & faults)


def flips(
    folder: DataFolder, count: int, chance: random.Random, seconds: float = 1e9
) -> tuple[Counter[str], list[str]]:
    """How many flips were named in each group, and those that were not."""
    named: Counter[str] = Counter()
    missed: list[str] = []
    there = {group: files for group in GROUPS if (files := files_of(folder, group))}
    until = time.monotonic() + seconds
    while sum(named.values()) + len(missed) < count and time.monotonic() < until:
        group = chance.choice(sorted(there))
        # Several at once where none hides another.
        units: dict[str, Path] = {}
        for path in chance.sample(there[group], min(_AT_ONCE, len(there[group]))):
            units.setdefault(unit_of(folder, path), path)
        flipped = [(p, chance.randrange(p.stat().st_size), chance.randrange(8)) for p in units.values()]
        for path, at, bit in flipped:
            flip(path, at, bit)
        try:
            faults = [fault for _, _, found in verify(folder, [group]) for fault in found]
        except Exception as error:
            faults = []
            missed.append(f"{type(error).__name__} {error}")
        for path, at, bit in flipped:
            flip(path, at, bit)
            if is_named(folder, group, path, {fault.path for fault in faults}, there):
                named[group] += 1
            else:
                missed.append(f"{path}@{at}.{bit}: {[str(f.path) for f in faults]}")
    return named, missed


def judged(folder: DataFolder) -> dict[str, Any]:
    """What a build would start from; in which order the rows of a table stand follows from when they were read."""
    import polars as pl

    volatile = {"received_at", "arrival_seq", "precedence"}
    return {
        path.stem: sorted(
            (frame := pl.read_parquet(path)).drop(volatile & set(frame.columns)).to_dicts(), key=str
        )
        for path in sorted(folder.inputs.glob("*.parquet"))
    }


def runs(folder: DataFolder, count: int, chance: random.Random, room: Path) -> Counter[str]:
    """What became of runs over damaged data: `same` as undamaged, `stopped` with a sentence, or `different`."""
    from oversight.errors import OversightError
    from oversight.intake import take_in

    whole = room / "whole"
    shutil.copytree(folder.root, whole, symlinks=True)
    take_in(DataFolder.at(whole), now=harness.NOW)
    right = judged(DataFolder.at(whole))
    outcome: Counter[str] = Counter()
    until = time.monotonic() + 240
    for number in range(count):
        if time.monotonic() > until:
            break
        tried = DataFolder.at(room / f"run{number}")
        shutil.copytree(whole, tried.root, symlinks=True)
        group = ("archive", "ledger", "landed")[number % 3]
        path = chance.choice(files_of(tried, group))
        flip(path, chance.randrange(path.stat().st_size), chance.randrange(8))
        # Every second time what was landed has to be read again, too, and raw/ has been emptied.
        if number % 2:
            (tried.work / "read_again").touch()
            shutil.rmtree(tried.raw)
            tried.raw.mkdir()
        try:
            take_in(tried, now=harness.NOW)
        except OversightError:
            outcome[f"{group}: stopped"] += 1
        else:
            made = judged(tried)
            same = made == right
            if not same:
                tables = sorted(
                    name for name in right.keys() | made.keys() if right.get(name) != made.get(name)
                )
                print(
                    f"  DIFFERENT after {path.relative_to(tried.root)} (run {number}): {tables}", flush=True
                )
            outcome[f"{group}: {'same' if same else 'DIFFERENT'}"] += 1
        shutil.rmtree(tried.root)
    return outcome


def prepared(room: Path) -> DataFolder:
    """A bureau with everything that is kept, two editions of its own files and a paper that was issued."""
    folder = harness.bureau(room / "data")
    ended = harness.forked(lambda: harness.fill(folder), where=room)
    assert ended.code == 0, ended.said
    for more in (False, True):
        if more:
            (folder.raw / "更正.csv").write_bytes(
                (folder.raw / "人口1月.csv").read_bytes().replace(b"20000", b"20009")
            )
        ended = harness.forked(harness.run(folder), where=room)
        assert ended.code == 0, ended.said
    county = ["--scope", "360313", "--month", "2025-02", "--data", str(folder.root)]
    for words in (
        ["report", *county],
        ["report", "review", "--by", "甲", *county],
        ["report", "issue", "--by", "乙", *county],
    ):
        ended = harness.forked(harness.command(*words), where=room)
        if ended.code:
            print(f"no paper: {ended.said.strip().splitlines()[-1]}")
            break
    return folder


def prepared_in_short(room: Path) -> DataFolder:
    """The same files, and an edition made without dbt."""
    folder = harness.bureau(room / "data")

    def job() -> None:
        harness.take_in(folder)()
        harness.fill(folder)

    ended = harness.forked(job, where=room)
    assert ended.code == 0, ended.said
    return folder


def main(arguments: list[str]) -> int:
    """Print what came of it; exit code 1 where a flip went unseen."""
    is_short = arguments[2:] == ["short"]
    count, tries = map(int, arguments[:2]) if arguments else (10_000, 300)
    chance = random.Random(20260105)
    harness.load(whole=not is_short)
    with tempfile.TemporaryDirectory(prefix="flips-") as name:
        room = Path(name)
        folder = prepared_in_short(room) if is_short else prepared(room)
        faults = [fault for _, _, found in verify(folder) for fault in found]
        assert not faults, faults
        start = time.monotonic()
        named, missed = flips(folder, count, chance, seconds=_SECONDS)
        total = sum(named.values())
        print(f"flips: {total + len(missed)}, named: {total} {dict(named)}, {time.monotonic() - start:.0f} s")
        for line in missed[:20]:
            print(f"  MISSED {line}")
        start = time.monotonic()
        outcome = runs(folder, tries, chance, room)
        told = f"{sum(outcome.values())} {dict(sorted(outcome.items()))}"
        print(f"runs over damaged data: {told}, {time.monotonic() - start:.0f} s")
    return 1 if missed or any("DIFFERENT" in name for name in outcome) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
