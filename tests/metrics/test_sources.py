"""The readers' own source: no published table is summed there, and no figure named a second time."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from oversight.comments import comments
from oversight.metrics import METRICS, MOVED
from oversight.settings import PROJECT_ROOT

OVERSIGHT = PROJECT_ROOT / "oversight"
READERS = sorted(
    [
        *(path for room in ("dashboard", "reports", "workflow") for path in (OVERSIGHT / room).rglob("*.py")),
        OVERSIGHT / "summary.py",
    ]
)
STATEMENTS = sorted(
    path for room in ("dashboard", "reports") for path in (OVERSIGHT / room / "sql").glob("*.sql")
)
PUBLISHED = re.compile(
    r"\b(funding_gap_monthly|staffing_gap_monthly|fund_ledger_monthly|judgements|findings|unit_monthly|"
    r"unit_rules_monthly|unit_staffing_monthly|unit_scorecard_monthly|scorecard|township_monthly|payment_pace|"
    r"vacancies_monthly|moved_amounts|unit_moved_monthly|r_\w+)\b"
)
TITLES = {metric.title for metric in METRICS.values()}


def texts(path: Path) -> list[str]:
    """Every string of a module that is no docstring; the fixed parts of one put together count as one."""
    tree = ast.parse(path.read_text("utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value for part in node.values if isinstance(part, ast.Constant)]
            found.append(" ".join(str(part) for part in parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            found.append(node.value)
    return found


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.stem)
def test_no_published_table_is_summed(path: Path) -> None:
    for text in texts(path):
        assert not (PUBLISHED.search(text) and re.search(r"\b(sum|avg|mean|median)\s*\(", text)), text


# The width of a column on paper, the bytes of a file.
_NO_AMOUNTS = ("width", "st_size")


def is_amount(value: ast.AST) -> bool:
    """Whether what is added is a value of a row, and not how often something holds."""
    if isinstance(value, (ast.GeneratorExp, ast.ListComp)):
        value = value.elt
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in ("Decimal", "getattr", "weight")
    return isinstance(value, ast.Subscript) or (
        isinstance(value, ast.Attribute) and value.attr not in _NO_AMOUNTS
    )


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.stem)
def test_amounts_are_added_in_one_place(path: Path) -> None:
    """What a reader chose, and no roll-up can know, is added by `metrics.added`: there silence is not nought."""
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sum"
    ]
    assert not [
        ast.unparse(call) for call in calls if is_amount(call.args[0]) or "Decimal" in ast.unparse(call)
    ]


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_no_statement_sums_a_published_table_or_names_a_figure(path: Path) -> None:
    text = re.sub(r"--[^\n]*", "", path.read_text("utf-8"))
    assert not [title for title in TITLES if f"'{title}'" in text or f'"{title}"' in text]
    summed = PUBLISHED.search(text) and re.search(r"\b(sum|avg|mean|median)\s*\(", text)
    assert not summed


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.stem)
def test_no_figure_is_named_a_second_time(path: Path) -> None:
    assert not [text for text in texts(path) if text in TITLES]


def test_every_figure_has_a_name_of_its_own() -> None:
    assert len(TITLES) == len(METRICS)
    for metric in METRICS.values():
        for name in (metric.part, metric.whole, metric.asked, metric.told):
            assert not name or name in METRICS, (metric.key, name)
        over = {METRICS[name].over for name in (metric.part, metric.whole) if name}
        assert len(over) <= 1, f"{metric.key} divides sums over different units: {over}"


def test_every_column_of_a_roll_up_is_a_metric() -> None:
    described = comments()["detail", "unit_monthly"][1]
    assert set(described) == set(METRICS)
    sql = (PROJECT_ROOT / "dbt/models/detail/detail_unit_monthly.sql").read_text("utf-8")
    final = sql[sql.index("final as (") : sql.index("from summed")]
    final = re.sub(r"\{\{.*?\}\}\s*as", "", final, flags=re.S)
    columns = set(re.findall(r"\b[a-z_]+_(?:count|cny|pct|persons)\b", final))
    assert columns == set(METRICS)


def test_every_column_of_what_was_moved_is_a_metric() -> None:
    sql = (PROJECT_ROOT / "dbt/models/detail/detail_unit_moved_monthly.sql").read_text("utf-8")
    final = sql[sql.index("final as (") :]
    assert set(re.findall(r"as ([a-z_]+_(?:count|cny))\b", final)) == set(MOVED)
    assert not {metric.title for metric in MOVED.values()} & TITLES
