"""What was learned from headings: the file is what the command makes, and a heading is told by what it was heard for."""

import csv
import subprocess
import sys
from pathlib import Path

from oversight.intake.reading.grammar import Said
from oversight.intake.reading.heard import FILE, FOREIGN, heard, pieces
from oversight.settings import PROJECT_ROOT

SAID = Said(year=2025, month=6)


def _rows(path: Path) -> dict[str, list[int]]:
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    return {head[0]: [], **{piece: [int(c or 0) for c in cells] for piece, *cells in rows}}


def test_the_file_is_what_the_command_makes_of_the_headings(tmp_path: Path) -> None:
    """A weight may round the other way on another machine; a piece whose weights all round to nothing is not written."""
    made = tmp_path / "heard.csv"
    subprocess.run(
        [sys.executable, str(PROJECT_ROOT / "benchmarks" / "hear.py"), "--to", str(made)], check=True
    )
    kept, anew = _rows(FILE), _rows(made)
    nothing = [0] * max(map(len, kept.values()))
    for piece in {*kept, *anew} - {"piece"}:
        pairs = zip(kept.get(piece, nothing), anew.get(piece, nothing), strict=True)
        assert all(abs(one - other) <= 1 for one, other in pairs), piece


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
