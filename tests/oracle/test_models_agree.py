"""The dbt models and the oracle, row by row, over thousands of townships."""

from __future__ import annotations

import pytest

from oversight.editions.build import build, build_file
from oversight.settings import DataFolder
from tests.oracle.build_inputs import write_inputs
from tests.oracle.compare import differences, read_table
from tests.oracle.findings import check_findings
from tests.oracle.worlds import other_rules, world


@pytest.mark.parametrize(
    ("seed", "options"),
    [(1, {"per_county": 250}), (2, {"per_county": 100, "standards": other_rules()})],
    ids=["the policy as it is", "the policy changed"],
)
def test_models_agree_with_the_oracle(tmp_path, seed, options):
    folder = DataFolder(tmp_path)
    model = write_inputs(world(seed, **options), folder)
    build(folder)
    for table in ("townships", "funding_gap_monthly", "staffing_gap_monthly"):
        expected = getattr(model, table)()
        actual = read_table(build_file(folder), table, list(expected[0]))
        found = differences(table, expected, actual)
        assert not found, found
    assert check_findings(build_file(folder)) > 1_000
