"""Each shape is one thing everywhere: what is checked, computed, labelled, documented and refused."""

from __future__ import annotations

import re
from decimal import Decimal

import polars as pl
import pytest

from oversight import presentation
from oversight.settings import DBT_DIR, PROJECT_ROOT
from oversight.standards import Standards, check_standards, load_standards
from oversight.standards.shapes import (
    SELECTIVE,
    SELECTIVE_OF_MEASURES,
    SELECTIVE_OF_TIERS,
    SHAPES,
)

SAMPLES: dict[str, object] = {
    "population_basis": "registered", "population_date_rule": "prior_year_end", "edge_rule": "legal_default",
    "accrual": "monthly", "report_valid_months": 6, "decimals": 1, "lower_bound": 0, "lower_included": True,
    "upper_bound": 10, "upper_included": True, "value_max": Decimal(9), "threshold": Decimal(2), "combine": "sum",
    "years_back": 1, "unit_level": "village", "pattern": "_%所", "factor": Decimal(7),
}  # fmt: skip


def test_the_models_compute_each_shape_and_no_other() -> None:
    models = "\n".join(path.read_text("utf-8") for path in (DBT_DIR / "models").rglob("*.sql"))
    lists = re.findall(r"formula (?:not )?in \(([^)]*)\)", models)
    singly = re.findall(r"formula (?:=|<>) '([a-z_]+)'", models)
    used = {name for part in lists for name in re.findall(r"'([a-z_]+)'", part)} | set(singly)
    # The rule of payment has a table of its own.
    assert used - {"paid_in_full"} == SHAPES.keys() - {"paid_in_full"}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_labelled_and_documented(name: str) -> None:
    shape = SHAPES[name]
    assert presentation.label(presentation.FORMULA, name) == shape.label
    assert re.search(r"[\u4e00-\u9fff]", shape.label)
    assert re.search(r"[\u4e00-\u9fff]", shape.meaning)
    assert f"`{name}`" in (PROJECT_ROOT / "docs" / "standards.md").read_text("utf-8")
    # What is written out for the explanation names operands that the evidence has.
    operands = set(re.findall(r"{([a-z]+)}", shape.checked + shape.expected))
    assert operands <= {"numerator", "denominator", "per", "base", "least", "beyond"}
    assert set(shape.measure_reads) <= shape.every_role


def _with(standards: Standards, table: str, ident: str, column: str, value: object) -> Standards:
    frames = {
        part: getattr(standards, part)
        for part in ("documents", "standards", "tiers", "measures", "materiality")
    }
    frame = frames[table]
    frames[table] = frame.with_columns(
        pl.when(pl.col("standard_id") == ident)
        .then(pl.lit(value, dtype=frame.schema[column]))
        .otherwise(pl.col(column))
        .alias(column)
    )
    return Standards(**frames)


@pytest.mark.parametrize("name", SHAPES)
def test_a_field_that_does_nothing_for_a_shape_is_refused(name: str) -> None:
    standards = load_standards()
    shape = SHAPES[name]
    found = standards.standards.filter((pl.col("formula") == name) & (pl.col("gradeable") != "N"))
    if found.is_empty():
        pytest.skip("no standard of the project has this shape; tests/dbt/test_new_shapes.py has one")
    ident = found["standard_id"][0]
    roles = standards.measures.filter(pl.col("standard_id") == ident)["role"].to_list()
    read = frozenset[str]().union(*(shape.measure_reads.get(role, frozenset()) for role in roles))
    for table, fields in (
        ("standards", SELECTIVE - shape.reads),
        ("tiers", SELECTIVE_OF_TIERS - shape.tier_reads),
        ("measures", SELECTIVE_OF_MEASURES - read),
    ):
        for column in fields & set(getattr(standards, table).columns):
            problems = check_standards(_with(standards, table, ident, column, SAMPLES[column]))
            told = [p.message_zh for p in problems if p.standard_id == ident]
            assert any(f"（{column}）" in text and "不起作用" in text for text in told), (column, told)


def test_what_is_never_judged_as_written_is_refused() -> None:
    wrong = _with(load_standards(), "standards", "A-12", "comparator", "<=")
    assert any("不会照此判定" in problem.message_zh for problem in check_standards(wrong))
    parts = _with(load_standards(), "tiers", "A-28", "value", Decimal(4))
    assert any("应为组成项数 5" in problem.message_zh for problem in check_standards(parts))
