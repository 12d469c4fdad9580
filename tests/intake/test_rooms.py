"""Who follows one file through intake passes each room once or twice; those passed more often are named here."""

from __future__ import annotations

from pathlib import Path

from benchmarks.rooms import one_file, walk

# Cells are parsed column by column, each by its own words; files are gathered one by one and handed over together;
# the desk is asked of rows as read, as held and as used; the archive keeps contents, then gives them out.
OFTEN = {
    "intake/reading/normalise.py": 5,
    "intake/reading/values.py": 4,
    "intake/gathering.py": 4,
    "intake/judging/desk.py": 4,
    "archive/store.py": 4,
    "intake/intake_run.py": 3,
    "intake/landing.py": 3,
    "intake/ledger.py": 3,
    "intake/judging/identity.py": 3,
    "intake/judging/scale.py": 3,
}


def test_each_room_is_passed_once_or_twice(tmp_path: Path) -> None:
    visits = walk(one_file(tmp_path / "data")).visits()
    assert len(visits) > 30
    assert {room: count for room, count in visits.items() if count > OFTEN.get(room, 2)} == {}
