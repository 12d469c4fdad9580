"""How much of an edition the stranger's verifier proves, and whether it finds what is planted.

    python -m tests.faults.stranger [--data DIR] [--figures 1000] [--planted 200] [--seed 1]

Without `--data` the sample is run in a folder of its own. Prints the figures recomputed, the seconds, and for each
kind of planted change how many were found; exit code 1 if one was missed or the time was not kept. A change is made
either by somebody who can write (the digests stay as they were) or by somebody who has the key as well (manifest and
signature are made anew): only recomputing from the archive finds the second.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oversight.editions import Edition, find_edition
from oversight.editions.keys import signing_key
from oversight.editions.rows import root
from oversight.editions.seal import MANIFEST, files_of, sign
from oversight.settings import PROJECT_ROOT, DataFolder

VERIFIER = PROJECT_ROOT / "verify" / "verify.pl"
SECONDS = 60
FIGURES = ("guaranteed_annual_cny", "allocated_annual_cny", "allocation_shortfall_cny")
TABLE = "main.funding_gap_monthly"


@dataclass
class Copy:
    """An edition and its archive that may be changed. `key` signs what somebody with the key would sign."""

    folder: DataFolder
    edition: Path
    archive: Path
    content: dict[str, Any]

    @classmethod
    def of(cls, folder: DataFolder, edition: Edition, place: Path) -> Copy:
        """A copy whose files are links until they are changed: `write` replaces a file, it never writes into one."""
        shutil.rmtree(place, ignore_errors=True)
        for source, name in ((edition.path, "edition"), (folder.archive, "archive")):
            shutil.copytree(source, place / name, copy_function=lambda a, b: Path(b).hardlink_to(a))
        return cls(folder, place / "edition", place / "archive", json.loads(json.dumps(edition.manifest)))

    def write(self, path: Path, content: bytes) -> None:
        """Put this content in place of the file."""
        path.unlink(missing_ok=True)
        path.write_bytes(content)

    def seal(self) -> None:
        """Make manifest and signature fit the files again, as whoever has the key can."""
        parts = {name: dict(of) for name, of in self.content["row_parts"].items()} | {TABLE: parts_of(self)}
        (self.edition / MANIFEST).unlink()
        (self.edition / "manifest.sig").unlink()
        made = {"row_parts": parts, "merkle_root": root(parts), "files": files_of(self.edition)}
        sign(self.edition, self.content | made, signing_key(self.folder))

    def keep(self, content: bytes) -> str:
        """Put a content into the archive under its digest."""
        sha256 = hashlib.sha256(content).hexdigest()
        self.write(self.archive / sha256, content)
        return sha256

    def lines(self, name: str) -> list[str]:
        """The files of places of this name as one, its heading first."""
        files = [self._read(path) for path in self._files(name)]
        return [files[0][0], *(line for lines in files for line in lines[1:])]

    def write_lines(self, name: str, lines: list[str]) -> None:
        """Put these lines in their place, each in the file of its year; a file that says the same stays."""
        heading, *rows = lines
        names = heading.split("\t")
        for path in self._files(name):
            year = path.name.removeprefix(f"{name}-").removesuffix(".tsv.gz")
            of_file = [row for row in rows if "month" not in names or _year(row, names) == year]
            if of_file != self._read(path)[1:]:
                text = "".join(f"{line}\n" for line in (heading, *of_file))
                self.write(path, gzip.compress(text.encode(), 1, mtime=0))

    def _files(self, name: str) -> list[Path]:
        return sorted((self.edition / "places").glob(f"{name}*.tsv.gz"))

    def _read(self, path: Path) -> list[str]:
        return gzip.decompress(path.read_bytes()).decode().split("\n")[:-1]


def _year(row: str, names: list[str]) -> str:
    month = row.split("\t")[names.index("month")]
    return "undated" if month == "\\N" else month[:4]


def parts_of(copy: Copy) -> dict[str, str]:
    """The row digests of the figures as they stand in the copy."""
    heading, *lines = copy.lines("figures")
    at = heading.split("\t").index("month")
    buckets: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        digest = hashlib.sha256(f"{TABLE}\t{line}".encode()).hexdigest()
        buckets[line.split("\t")[at][:4]][digest[:3]].append(digest)
    return {
        year: hashlib.sha256(
            "".join(
                hashlib.sha256("".join(sorted(of[key])).encode()).hexdigest() for key in sorted(of)
            ).encode()
        ).hexdigest()
        for year, of in buckets.items()
    }


def verify(copy: Copy, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the verifier says of the copy, by the folder's own public key."""
    command = ["perl", str(VERIFIER), "--edition", str(copy.edition), "--archive", str(copy.archive)]
    command += ["--key", str(copy.folder.keys / "signing.pub"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# --- what is planted: each changes a copy and returns what the verifier is to be asked for and what it must name ---

Planted = Callable[[Copy, random.Random], tuple[list[str], str]]


def _row(copy: Copy, draw: random.Random) -> tuple[list[str], int, list[str], list[str]]:
    """A row of figures that can be recomputed and has all three."""
    lines = copy.lines("figures")
    names = lines[0].split("\t")
    while True:
        at = draw.randrange(1, len(lines))
        cells = lines[at].split("\t")
        told = dict(zip(names, cells, strict=True))
        if told["includes_predecessors"] == "false" and all(told[name] != "\\N" for name in FIGURES):
            return lines, at, names, cells


def a_figure(copy: Copy, draw: random.Random) -> tuple[list[str], str]:
    """A figure changed by one digit, by somebody with the key."""
    lines, at, names, cells = _row(copy, draw)
    figure = draw.choice(FIGURES)
    place = names.index(figure)
    cells[place] = f"{float(cells[place]) + draw.choice((0.01, 1, -0.01, 1000)):.2f}"
    lines[at] = "\t".join(cells)
    copy.write_lines("figures", lines)
    copy.seal()
    return [cells[0], cells[names.index("month")]], figure


def a_figure_unsealed(copy: Copy, draw: random.Random) -> tuple[list[str], str]:
    """The same by somebody without the key."""
    lines, at, names, cells = _row(copy, draw)
    place = names.index(draw.choice(FIGURES))
    cells[place] = f"{float(cells[place]) + 1:.2f}"
    lines[at] = "\t".join(cells)
    copy.write_lines("figures", lines)
    return [], f"places/figures-{_year(lines[at], names)}.tsv.gz"


def a_row(copy: Copy, draw: random.Random) -> tuple[list[str], str]:
    """A row of figures taken out or put in twice."""
    lines, at, *_ = _row(copy, draw)
    lines[at : at + 1] = draw.choice(([], [lines[at]] * 2))
    copy.write_lines("figures", lines)
    return [], "funding_gap_monthly 的行"


def a_file(copy: Copy, draw: random.Random) -> tuple[list[str], str]:
    """A file of the edition taken away, put in, or with one bit flipped."""
    path = draw.choice(
        sorted(p for p in copy.edition.rglob("*") if p.is_file() and not p.name.startswith("manifest"))
    )
    name = path.relative_to(copy.edition).as_posix()
    kind = draw.choice(("gone", "new", "bit", "bit", "bit"))
    if kind == "gone":
        path.unlink()
    elif kind == "new":
        name += ".bak"
        (copy.edition / name).write_bytes(b"x")
    else:
        copy.write(path, flipped(path.read_bytes(), draw))
    return [], name


def a_manifest(copy: Copy, draw: random.Random) -> tuple[list[str], str]:
    """A bit of the manifest or of the signature."""
    path = copy.edition / draw.choice((MANIFEST, "manifest.sig"))
    copy.write(path, flipped(path.read_bytes(), draw))
    return [], ""


def an_archived_bit(copy: Copy, draw: random.Random) -> tuple[list[str], str]:
    """A bit of an archived file that a figure rests on."""
    _, _, names, cells = _row(copy, draw)
    sha256 = _report(copy, cells[0], cells[names.index("month")], "budget")["sha256"]
    path = copy.archive / sha256
    copy.write(path, flipped(path.read_bytes(), draw))
    return [cells[0], cells[names.index("month")]], "存档"


def an_archived_cell(copy: Copy, draw: random.Random) -> tuple[list[str], str]:
    """A cell changed in an archived file, kept under its new digest, and the places made to fit, with the key."""
    while True:
        _, _, names, cells = _row(copy, draw)
        month = cells[names.index("month")]
        report = _report(copy, cells[0], month, "budget")
        content = (copy.archive / report["sha256"]).read_bytes()
        changed = _with_another_budget(content, cells[0])
        if changed is not None:
            break
    sha256 = copy.keep(changed)
    for name in ("reports", "tables"):
        copy.write_lines(name, [line.replace(report["sha256"], sha256) for line in copy.lines(name)])
    copy.seal()
    return [cells[0], month], "allocated_annual_cny"


def a_standard(copy: Copy, draw: random.Random) -> tuple[list[str], str]:
    """A rate changed in the standards that are kept, with the key."""
    _, _, names, cells = _row(copy, draw)
    told = dict(zip(names, cells, strict=True))
    kept = next(
        each for each in copy.content["standards_files"] if each["name"] == "seeds/standard_tiers.csv"
    )
    text = (copy.archive / kept["sha256"]).read_text("utf-8")
    pattern = re.compile(
        rf"^({re.escape(told['standard_id'])},\d+,[^\n]*?,)(0\.\d\d|[1-9]0{{4,}})(,,元/)", re.MULTILINE
    )
    changed = pattern.sub(lambda m: f"{m[1]}{float(m[2]) * 2:g}{m[3]}", text)
    assert changed != text, told["standard_id"]
    kept["sha256"] = copy.keep(changed.encode())
    copy.seal()
    return [cells[0], told["month"]], "guaranteed_annual_cny"


PLANTED: dict[str, Planted] = {
    "a figure, by somebody with the key": a_figure,
    "a figure, without the key": a_figure_unsealed,
    "a row": a_row,
    "a file of the edition": a_file,
    "manifest or signature": a_manifest,
    "a bit of an archived file": an_archived_bit,
    "a cell of an archived file, with the key": an_archived_cell,
    "a rate of a standard, with the key": a_standard,
}


def flipped(content: bytes, draw: random.Random) -> bytes:
    """The content with one bit turned."""
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :]


def _report(copy: Copy, code: str, month: str, dataset: str) -> dict[str, str]:
    """The latest report of the year up to the month that the figure rests on."""
    heading, *lines = copy.lines("reports")
    rows = [dict(zip(heading.split("\t"), line.split("\t"), strict=True)) for line in lines]
    found = [
        row
        for row in rows
        if (row["dataset"], row["code"], row["fund_code"]) == (dataset, code, "working_funds")
        and row["month"][:4] == month[:4]
        and row["month"] <= month
        and row["row_status"] == "accepted"
    ]
    return max(found, key=lambda row: (row["month"], int(row["precedence"])))


def another(number: str) -> str:
    """A number whose first digit is another one."""
    return f"{int(number[0]) % 9 + 1}{number[1:]}" if number[:1].isdigit() else number


def _with_another_budget(content: bytes, code: str) -> bytes | None:
    """The file with every budget of that township's rows made another; None where it is laid out otherwise."""
    if not content.startswith(b"PK"):
        for encoding in ("utf-8", "gb18030"):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                continue
            # Initial and adjusted budget stand behind month, code and name.
            changed = re.sub(
                rf"(?m)^([^,\n]*,{code},[^,\n]*,)([^,\n]*)(?:,([^,\n]*))?",
                lambda m: m[1] + ",".join(another(part) for part in m.groups()[1:] if part is not None),
                text,
            )
            return changed.encode(encoding) if changed != text else None
        return None
    made = io.BytesIO()
    touched = False
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for item in source.infolist():
            part = source.read(item)
            if item.filename.startswith("xl/worksheets/sheet"):
                # Written as numbers into columns D and E; the first digit becomes another one.
                new = re.sub(
                    rb'(<c r="[DE]\d+"(?: s="\d+")?(?: t="n")?><v>)(\d)',
                    lambda m: m[1] + another(m[2].decode()).encode(),
                    part,
                )
                touched |= new != part
                part = new
            target.writestr(item, part)
    return made.getvalue() if touched else None


# --- the whole of it -----------------------------------------------------------------------------------------------


def recompute(
    folder: DataFolder, edition: Edition, place: Path, figures: int, seed: int
) -> tuple[float, str]:
    """Recompute so many random figures; seconds, and what the verifier said last. Raises where one differs."""
    copy = Copy.of(folder, edition, place)
    start = time.monotonic()
    done = verify(copy, "--sample", str(figures), "--seed", str(seed))
    seconds = time.monotonic() - start
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return seconds, next(line for line in done.stdout.splitlines() if line.startswith("复算"))


def plant(
    folder: DataFolder,
    edition: Edition,
    place: Path,
    count: int,
    seed: int,
    kinds: dict[str, Planted] | None = None,
) -> dict[str, list[str]]:
    """Plant so many changes of each kind; for each kind what the verifier said of those that it did not find."""
    missed: dict[str, list[str]] = {}
    draw = random.Random(seed)
    for kind, change in (kinds or PLANTED).items():
        missed[kind] = []
        for _ in range(count):
            copy = Copy.of(folder, edition, place)
            asked, named = change(copy, draw)
            done = verify(copy, *asked)
            if done.returncode == 0 or named not in done.stdout + done.stderr:
                missed[kind].append(f"{asked} {named}: {done.stdout}{done.stderr}")
    return missed


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--figures", type=int, default=1000)
    parser.add_argument("--planted", type=int, default=200, help="of all kinds together")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        folder = DataFolder.at(args.data or place / "data")
        if args.data is None:
            shutil.copytree(PROJECT_ROOT / "data" / "raw", folder.raw)
            command = [sys.executable, "-m", "oversight.cli", "run", "--data", str(folder.root)]
            subprocess.run(command, cwd=PROJECT_ROOT, check=True, stdout=subprocess.DEVNULL)
        # Links are made beside the data: they cannot cross file systems.
        beside = folder.root / ".work" / "stranger"
        try:
            edition = find_edition(folder)
            seconds, said = recompute(folder, edition, beside, args.figures, args.seed)
            print(f"{said}; {seconds:.1f} s (limit {SECONDS} s)")
            each = -(-args.planted // len(PLANTED))
            missed = plant(folder, edition, beside, each, args.seed)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    for kind, those in missed.items():
        print(f"planted {each} × {kind}: found {each - len(those)}")
        for text in those[:2]:
            print(text)
    return 0 if seconds <= SECONDS and not any(missed.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
