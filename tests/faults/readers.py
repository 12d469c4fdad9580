"""Readers while editions are published: no error, and never two editions in one answer.

python tests/faults/readers.py [readers] [queries each] [publications]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from oversight.settings import DataFolder
from tests.editions.standin import identity, write_build, write_manifest
from tests.faults import harness

_QUERY = (
    "select (select count(distinct number) from funding_gap_monthly), (select min(number) from funding_gap_monthly), "
    "(select min(number) from staffing_gap_monthly), (select edition_id from edition)"
)
_A_CONNECTION = 20


def reader(folder: DataFolder, queries: int, publications: int, begun: Path) -> int:
    """Ask so often, opening the current edition anew every now and then: a share of the queries while each publication
    goes on, so that fifty readers do not take the machine from the one that publishes.

    `begun` grows by a byte with each publication that begins. Exit code 1 for an error or a mixture.
    """
    from oversight.editions import open_edition

    seen = set()
    connection = open_edition(folder)
    for number in range(queries):
        while begun.stat().st_size < min(publications, 1 + number * publications // queries):
            time.sleep(0.005)
        if number % _A_CONNECTION == _A_CONNECTION - 1:
            connection.close()
            connection = open_edition(folder)
        kinds, one, other, edition = connection.execute(_QUERY).fetchall()[0]
        if kinds != 1 or one != other or edition != f"e{one}":
            print(f"MIXTURE {kinds} {one} {other} {edition}")
            return 1
        seen.add(edition)
    print(len(seen), queries)
    return 0


def main(arguments: list[str]) -> int:
    """Print what came of it; exit code 1 for any error or mixture."""
    from oversight.editions import publish
    from oversight.editions.lock import run_lock

    readers, queries, publications = map(int, arguments) if len(arguments) == 3 else (50, 1_000, 20)
    harness.load(whole=False)
    with tempfile.TemporaryDirectory(prefix="readers-") as name:
        room = Path(name)
        folder = DataFolder.at(room / "d")
        manifest = write_manifest(room / "manifest.json")

        def job(number: int) -> None:
            with run_lock(folder):
                write_build(folder, number=number)
                publish(folder, identity(folder, number), manifest=manifest, keep=2)

        assert harness.forked(lambda: job(0), where=room).code == 0
        start = time.monotonic()
        told = [room / f"reader-{number}" for number in range(readers)]
        begun = room / "begun"
        begun.touch()
        children = [
            harness.start(lambda: reader(folder, queries, publications, begun), path) for path in told
        ]
        failed = 0
        for number in range(1, publications + 1):
            with begun.open("ab") as file:
                file.write(b".")
            failed += harness.forked(lambda n=number: job(n), where=room).code != 0
        published = time.monotonic() - start
        ended = [harness.wait(child, path) for child, path in zip(children, told, strict=True)]
    wrong = [end for end in ended if end.code]
    told_by = [tuple(map(int, end.said.split())) for end in ended if not end.code]
    editions, asked = [seen for seen, _ in told_by], sum(asked for _, asked in told_by)
    print(
        f"{readers} readers, {asked} queries, {publications} publications in {published:.0f} s "
        f"({failed} failed), {time.monotonic() - start:.0f} s: {len(wrong)} readers with an error or a mixture; "
        f"editions seen by a reader: {min(editions, default=0)} to {max(editions, default=0)}"
    )
    for end in wrong[:5]:
        print(f"  WRONG: {end.said.strip()[-300:]}")
    return 1 if wrong or failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
