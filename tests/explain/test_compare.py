"""Two editions compared: the parts sum to the whole for any two histories, and each cause bears its own change."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oversight.commands.diff import told
from oversight.editions import EditionError
from oversight.editions.compare import (
    CAUSES,
    FINDING_CAUSES,
    MEASURES,
    FindingRow,
    FundingRule,
    Reports,
    Snapshot,
    UnitRow,
    compare,
    differences,
)
from tests.dbt.world import World, document, months, rule

JUNE = date(2025, 6, 1)
yuan = st.none() | st.decimals(0, 10**9, places=2, allow_nan=False, allow_infinity=False)
cells = st.dictionaries(
    st.sampled_from([date(2025, m, 1) for m in range(1, 7)]), st.tuples(yuan, yuan, yuan, yuan)
)
standards = st.none() | st.sampled_from(["A-10", "C-11"])
bounds = st.sampled_from([20000, 30000])


@st.composite
def rules(draw: Any) -> dict[str, FundingRule]:
    edge = draw(st.sampled_from(["legal_default", "favour_township", "half_open"]))
    at, rate, amount = (
        draw(bounds),
        Decimal(draw(st.integers(1, 99))) / 100,
        Decimal(draw(st.integers(1, 10**6))),
    )
    return {
        "A-10": FundingRule(
            "per_capita_by_tier",
            edge,
            ((0, True, at, True, rate, "元/人·月"), (at, False, None, None, rate / 2, "元/人·月")),
        ),
        "C-11": FundingRule("flat_by_tier", edge, ((0, True, None, None, amount, "元/年"),)),
    }


@st.composite
def snapshots(draw: Any) -> Snapshot:
    """Any figures at all, consistent with each other or not: the sums have to hold for every one."""
    units = {}
    for unit_id in draw(st.sets(st.sampled_from("ABCD"))):
        units[unit_id] = UnitRow(
            unit_id,
            draw(st.sampled_from([unit_id, unit_id + "2"])),
            unit_id,
            draw(standards),
            draw(st.none() | st.integers(0, 60000)),
            draw(st.none() | st.tuples(st.just(unit_id), st.sampled_from([date(2024, 12, 1), JUNE]))),
            {measure: draw(yuan) for measure in MEASURES},
            draw(cells),
        )
    names = draw(st.sets(st.sampled_from(["f1", "f2", "f3"])))
    states = st.sampled_from(["short", "cleared", "not_reported", "unconfirmed", "not_applicable"])
    findings = {
        name: FindingRow("A-10", "township", "A", draw(st.sampled_from("AB")), draw(states), name, JUNE)
        for name in names
    }
    reports = Reports(
        draw(st.dictionaries(
            st.tuples(st.sampled_from(["budget", "population", "x"]), st.sampled_from("AB"), st.just(JUNE)),
            st.tuples(st.just("A"), st.integers(0, 2)),
        )),
        {"A-10": (draw(st.integers(0, 1)),)},
        {"A-10": draw(st.sampled_from(["000000", "360000"]))},
        {"A-10": frozenset({"budget", "population"})},
        frozenset(draw(st.sets(st.sampled_from("AB")))),
        draw(st.sampled_from([None, date(2025, 5, 1), JUNE])),
    )  # fmt: skip
    return Snapshot(draw(st.sampled_from(["e1", "e2"])), JUNE, units, draw(rules()), findings, reports)


@settings(max_examples=150)
@given(snapshots(), snapshots())
def test_the_parts_sum_to_the_whole_exactly(older: Snapshot, newer: Snapshot) -> None:
    found = differences(older, newer)
    for total in found.totals:
        for amount, side in ((total.before, older), (total.after, newer)):
            is_known = any(unit.figures.get(total.measure) is not None for unit in side.units.values())
            assert (amount is not None) is is_known
        moved = (total.after or 0) - (total.before or 0)
        assert moved == sum(total.parts.values())
        of_measure = [change for change in found.changes if change.measure == total.measure]
        assert moved == sum(((c.after or 0) - (c.before or 0) for c in of_measure), Decimal(0))
    for change in found.changes:
        assert (change.after or 0) - (change.before or 0) == sum(change.parts.values())
        assert set(change.parts) == set(CAUSES)
    assert found.open_before + len(found.opened) - len(found.cleared) - len(found.gone) == found.open_after
    for change in (*found.opened, *found.cleared, *found.gone, *found.changed):
        assert change.cause in FINDING_CAUSES
        assert change.status_before != change.status_after
    assert told(found)


@settings(max_examples=30)
@given(snapshots())
def test_an_edition_does_not_differ_from_itself(one: Snapshot) -> None:
    found = differences(one, one)
    assert (found.changes, found.opened, found.cleared, found.gone, found.changed) == ((), (), (), (), ())


# --- built editions: one unit for each cause


def _world(*, later: bool) -> World:
    world = World()
    for number in range(5):
        world.unit(f"41010110{number}")
    world.unit("410101105", valid_to=date(2025, 3, 1), successor_code="410101106")
    world.unit("410101106", valid_from=date(2025, 3, 1))
    if later:
        world.unit("410101107", valid_from=date(2025, 2, 1))
    whole = months("2025-01", "2025-06")
    people = {"0": 10000, "1": 10000, "2": 10000, "3": 10000, "5": 10000}
    for digit, persons in people.items():
        corrected = 20000 if later and digit == "1" else persons
        world.report("population", f"41010110{digit}", "2024-12", population_persons=corrected)
    if later:
        world.report("population", "410101104", "2024-12", population_persons=10000)
        world.report("population", "410101107", "2025-02", population_persons=5000)
    for digit in "01234":
        world.report("budget", f"41010110{digit}", "2025-01", initial_budget_cny=Decimal("9000.00"),
                     disbursed_month_cny=Decimal("100.00"))  # fmt: skip
    if later:
        world.report("budget", "410101102", "2025-05", adjusted_budget_cny=Decimal("15000.00"),
                     disbursed_month_cny=Decimal("50.00"))  # fmt: skip
    world.unit("420101100")
    world.report("population", "420101100", ["2024-12"], population_persons=10000)
    world.report("budget", "420101100", whole, initial_budget_cny=Decimal("9000.00"))
    world.own("policy_documents", [document("Z")])
    for name, scope, rate in (("T-01", "410000", "0.1"), ("T-02", "420000", "0.3" if later else "0.2")):
        world.own("standards", [rule(
            name, formula="per_capita_by_tier", matter="working_funds", scope_code=scope, population_basis="registered",
            edge_rule="legal_default", population_date_rule="prior_year_end",
        )])  # fmt: skip
        world.own("standard_tiers", [{"standard_id": name, "tier_no": 1, "tier_label": "全部", "lower_bound": 0,
                                      "lower_included": True, "value": rate, "unit": "元/人·月"}])  # fmt: skip
        world.own("standard_measures", [{"standard_id": name, "role": "value", "part_no": 1, "required": True,
                                         "measure_code": "allocated_annual_cny", "label_zh": "年度安排数"}])  # fmt: skip
    return world


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    place = tmp_path_factory.mktemp("compare")
    return _world(later=False).build(place / "a"), _world(later=True).build(place / "b")


def test_each_cause_bears_its_own_change(builds: tuple[Path, Path]) -> None:
    with (
        duckdb.connect(str(builds[0]), read_only=True) as a,
        duckdb.connect(str(builds[1]), read_only=True) as b,
    ):
        found = compare(a, b)
    assert found.month == JUNE
    causes = {
        (change.township_code, change.measure): {cause: part for cause, part in change.parts.items() if part}
        for change in found.changes
    }
    guaranteed = "guaranteed_annual_cny"
    assert causes[("410101101", guaranteed)] == {"correction": Decimal("12000.00")}
    assert causes[("410101104", guaranteed)] == {"new_data": Decimal("12000.00")}
    # Founded in February: eleven twelfths of 6,000.
    assert causes[("410101107", guaranteed)] == {"unit": Decimal("5500.00")}
    assert causes[("420101100", guaranteed)] == {"standard": Decimal("12000.00")}
    assert causes[("410101102", "allocated_annual_cny")] == {"new_data": Decimal("6000.00")}
    assert causes[("410101102", "disbursed_ytd_cny")] == {"new_data": Decimal("50.00")}
    assert causes[("410101102", "allocation_shortfall_cny")] == {"new_data": Decimal("-3000.00")}
    assert ("410101100", guaranteed) not in causes
    assert not any("other" in parts for parts in causes.values())
    total = next(total for total in found.totals if total.measure == guaranteed)
    assert total.after is not None
    assert total.before is not None
    assert total.after - total.before == sum(total.parts.values()) == Decimal("41500.00")
    why = {
        change.finding_id.rsplit("/", 1)[0]: change.cause
        for change in (*found.opened, *found.cleared, *found.gone, *found.changed)
    }
    # 410101102 has been given more; of 410101101 the people were corrected, which makes nothing short that was not.
    assert why["T-01/410101102"] == "new_data"
    assert why["T-01/410101104"] == "new_data"
    assert why["T-01/410101107"] == "unit"
    assert set(why.values()) <= set(FINDING_CAUSES) - {"other"}, why
    assert found.open_before + len(found.opened) - len(found.cleared) - len(found.gone) == found.open_after
    assert "新报数据" in "\n".join(told(found))


def test_a_month_that_one_of_them_lacks_is_refused(builds: tuple[Path, Path]) -> None:
    with (
        duckdb.connect(str(builds[0]), read_only=True) as a,
        duckdb.connect(str(builds[1]), read_only=True) as b,
        pytest.raises(EditionError, match="没有共同的 2030-01"),
    ):
        compare(a, b, date(2030, 1, 1))
