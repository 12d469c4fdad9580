"""The whole product, from files to the published edition, and the oracle: row by row the same."""

from __future__ import annotations

from tests.oracle.compare import differences, read_table
from tests.oracle.model import Model
from tests.oracle.running import run
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
