"""How exactly a figure was written, from the column it stands in (FIGURES: nobody is convicted by digits a report lacks)."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from oversight.intake.reading.precision import precision
from tests.intake.world import World, csv_bytes

TITLES = ("统计月份", "区划代码", "乡镇名称")


def units(texts: list[str], *, power: int = 4, kind: str = "money", **facts: list[object]) -> list[Decimal]:
    cells = pl.DataFrame(
        {
            "text": texts,
            "power": [power] * len(texts),
            "sheet": [0] * len(texts),
            "fixed": facts.get("fixed", [None] * len(texts)),
            "is_formula": facts.get("is_formula", [False] * len(texts)),
        },
        schema={
            "text": pl.String,
            "power": pl.Int8,
            "sheet": pl.Int32,
            "fixed": pl.Int8,
            "is_formula": pl.Boolean,
        },
    )
    return precision(cells, kind, pl.Series([True] * len(texts))).to_list()


def test_a_tenth_of_the_cells_makes_the_places_of_a_column() -> None:
    assert set(units(["5.3"] * 18 + ["5.28"] * 2)) == {Decimal(100)}
    assert units(["5.3"] * 19 + ["5.28"]) == [Decimal(1000)] * 19 + [Decimal(100)]


def test_a_number_format_fixes_the_places_and_a_finer_cell_has_its_own() -> None:
    assert units(["5"] * 11 + ["5.28125"], fixed=[2] * 12) == [Decimal(100)] * 11 + [Decimal("0.1")]


def test_a_formula_changes_no_other_cell_unless_nothing_is_typed() -> None:
    texts = ["5.3"] * 10 + ["0.583333333333333"] * 10
    mixed = units(texts, is_formula=[False] * 10 + [True] * 10)
    assert mixed == [Decimal(1000)] * 10 + [Decimal("0.01")] * 10
    assert set(units(texts, is_formula=[True] * 20)) == {Decimal("0.01")}


@pytest.mark.parametrize(
    ("texts", "power", "kind", "unit"),
    [
        (["5.3"] * 9, 4, "money", "100"),
        (["5.3"] * 10, 4, "money", "1000"),
        (["2.0"] * 9, 4, "count", "1000"),
        (["52800"] * 12, 0, "money", "1"),
        (["52800.00"] * 12, 0, "money", "0.01"),
        (["0.30000000000000004"] * 12, 4, "money", "1000"),
        (["5.30万元"] * 12, 0, "money", "100"),
        (["52,800.5"] * 12, 0, "money", "0.1"),
        (["3.5"] * 12, 3, "money", "100"),
    ],
)
def test_the_unit_of_the_last_place(texts: list[str], power: int, kind: str, unit: str) -> None:
    assert set(units(texts, power=power, kind=kind)) == {Decimal(unit)}


def test_precision_lands_beside_each_amount_and_count(world: World) -> None:
    world.put(
        "经费.csv",
        csv_bytes(
            [
                (*TITLES, "年初预算(万元)", "本月拨付(元)"),
                ("2025-06", "360313101", "湘东镇", "0.583333333333333", "-5000"),
                ("2025-06", "360313102", "荷尧镇", "5.28", ""),
            ]
        ),
    )
    world.put("人口.csv", csv_bytes([(*TITLES, "户籍人口(万人)"), ("2025-06", "360313101", "湘东镇", "2.0")]))
    world.take_in()
    budget = world.read("budget").sort("township_code")
    assert budget["initial_budget_cny"].to_list() == [Decimal("5833.33"), Decimal(52800)]
    assert budget["initial_budget_cny_precision"].to_list() == [Decimal("0.01"), Decimal("0.01")]
    assert budget["disbursed_month_cny"].to_list() == [Decimal(-5000), None]
    assert budget["disbursed_month_cny_precision"].to_list() == [Decimal(1), None]
    assert budget["doubts"].to_list() == ["D30;D31", None]
    assert world.read("population")["population_persons_precision"].to_list() == [Decimal(1000)]
