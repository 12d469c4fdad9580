"""What was learned from headings: the file is what the command makes, and a heading is told by what it was heard for."""

import csv
import subprocess
import sys
from pathlib import Path

from oversight.intake.reading.grammar import Said
from oversight.intake.reading.heard import ASK, FILE, FOREIGN, WRITTEN, heard, pieces, written
from oversight.settings import PROJECT_ROOT

SAID = Said(year=2025, month=6)


def _rows(path: Path) -> tuple[str, dict[str, dict[str, int]]]:
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    return head[1], {
        piece: {at: int(n) for at, n in (pair.split(":") for pair in pairs.split(" "))}
        for piece, pairs in rows
    }


def test_the_files_are_what_the_command_makes_of_the_headings(tmp_path: Path) -> None:
    """A weight may round the other way on another machine; a piece whose weights all round to nothing is not written."""
    subprocess.run(
        [sys.executable, str(PROJECT_ROOT / "benchmarks" / "hear.py"), "--to", str(tmp_path)], check=True
    )
    assert WRITTEN.read_bytes() == (tmp_path / WRITTEN.name).read_bytes()
    (meanings, kept), (others, anew) = _rows(FILE), _rows(tmp_path / FILE.name)
    assert meanings == others
    for piece in {*kept, *anew}:
        one, other = kept.get(piece, {}), anew.get(piece, {})
        assert all(abs(one.get(at, 0) - other.get(at, 0)) <= 1 for at in {*one, *other}), piece


def test_chances_add_up_and_say_what_a_heading_is_not() -> None:
    chances = heard("budget", ("累计支出",), SAID)
    assert abs(sum(chances.values()) - 1) < 1e-9
    assert max(chances, key=lambda name: chances[name]) == "spent_cumulative_cny"
    assert heard("staffing", ("累计支出",), SAID)[FOREIGN] > 0.9
    assert heard("staffing", ("从没有人写过的列",), SAID)[FOREIGN] > 0.5


def test_this_year_and_this_month_are_told_by_what_they_are() -> None:
    """A heading of last year is another one than that of this year, whichever year it is."""
    later = Said(year=2027, month=3)
    assert pieces(("2025年6月拨付",), SAID) == pieces(("2027年3月拨付",), later)
    assert pieces(("2024年预算",), SAID) == pieces(("2026年预算",), later)
    assert pieces(("2024年预算",), SAID) != pieces(("2025年预算",), SAID)


def test_a_heading_is_known_again_in_another_month_and_unit() -> None:
    """迁出（户） counts something else than 迁出, and what had to be asked about has to be asked about again."""
    later = Said(year=2027, month=3)
    for heading in ("6月下拨乡镇", "6月下拨乡镇（万元）"):
        assert written("budget", (heading,), SAID) == "disbursed_month_cny"
    assert written("budget", ("3月下拨乡镇",), later) == "disbursed_month_cny"
    assert written("population", ("本月迁出",), SAID) == "moved_out_persons"
    assert written("population", ("本月迁出(户)",), SAID) != "moved_out_persons"
    assert written("staffing", ("现员",), SAID) == ASK
    assert written("population", ("从没有人写过的列",), SAID) is None
