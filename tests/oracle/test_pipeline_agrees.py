"""The whole product, from files to the published edition, and the oracle: row by row the same."""

from __future__ import annotations

from pathlib import Path

from tests.oracle.compare import differences, read_table
from tests.oracle.model import Model
from tests.oracle.running import oversight, run
from tests.oracle.worlds import World, other_rules, world

TABLES = ("townships", "funding_gap_monthly", "staffing_gap_monthly")


def check(made: World, warehouse) -> None:
    model = Model(made.divisions, made.reports(), made.standards)
    found = []
    for table in TABLES:
        expected = getattr(model, table)()
        found.append(differences(table, expected, read_table(warehouse, table, list(expected[0]))))
    assert not any(found), "\n".join(filter(None, found))


def test_csv_files_in_one_run(tmp_path):
    made = world(11, per_county=250)
    made.write(tmp_path)
    check(made, run(tmp_path))


def test_workbooks_that_say_when_they_were_filled_in_arrive_in_any_order_under_other_rules(tmp_path):
    made = world(12, per_county=40, dated=True, standards=other_rules())
    assert made.batches == 2
    for batch in range(2):
        made.write(tmp_path, batch)
        warehouse = run(tmp_path)
    check(made, warehouse)


def test_what_later_months_leave_standing_is_what_a_run_from_nothing_gives(tmp_path):
    made = world(13, per_county=30)
    years = {file.name: {month.year for month, *_ in file.rows} for file in made.files}
    made.files = [file for file in made.files if len(years[file.name]) == 1]
    last_year = max(max(years[file.name]) for file in made.files)
    earlier = [file for file in made.files if years[file.name] != {last_year}]
    World(made.divisions, earlier, made.standards).write(tmp_path)
    run(tmp_path)
    made.write(tmp_path)
    assert f"  {last_year} 年以前各月的输入与上次相同，沿用上次的结果" in oversight("run", "--data", tmp_path)
    said = oversight("run", "--again", "--data", tmp_path).splitlines()[-1]
    assert said.startswith("重算核对")
    assert "内容都与上一版" in said
    check(made, Path(oversight("path", "--data", tmp_path).strip()))
