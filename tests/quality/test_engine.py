"""How rows are judged: what cannot be judged is an error of ours, nulls are nobody's, each row has its own answer."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import polars as pl
import pytest

from oversight.quality.engine import run
from oversight.quality.months import _exception
from oversight.quality.suites import (
    KEYS_SHOWN,
    Check,
    Panel,
    QualityError,
    Rule,
    Suite,
    at_least,
    between,
    equal,
    is_one,
    present,
    unique,
)

NAMES = pl.DataFrame({"subject_code": ["1"], "subject_name": ["甲镇"]})


def check(rule: Rule, **rest: Any) -> Check:
    return Check(
        name=rest.pop("name", "check"),
        title_zh="标题",
        what_zh="查什么",
        why_zh="为什么",
        what_to_do_zh="怎么办",
        kind=rest.pop("kind", "doubt"),
        rule=rule,
        operands=rest.pop("operands", {c: pl.col(c) for c in ("a", "b")[: rest.pop("of", 1)]}),
        **rest,
    )


def suite(frame: pl.DataFrame, *checks: Check) -> Suite:
    panel = Panel(frame.with_columns(subject_code=pl.lit("1")), checks, is_whole=True)
    return Suite("suite", "套件", "inputs.x", (panel,))


def flagged(frame: pl.DataFrame, rule: Rule, **rest: Any) -> list[int]:
    rows = frame.with_columns(month=None, row_number=pl.int_range(pl.len(), dtype=pl.Int64))
    result = run(suite(rows, check(rule, **rest)), NAMES)
    return result.flags.get_column("row_number").to_list()


PAIR = pl.DataFrame(
    {"a": [1, 2, 3, None, 5, None], "b": [1, 3, 2, 4, None, None]}, schema={"a": pl.Int64, "b": pl.Int64}
)


@pytest.mark.parametrize(
    ("rule", "of", "rows"),
    [
        (at_least("a", "b"), 2, [1]),
        (equal("a", "b"), 2, [1, 2]),
        (between("a", 2, 3), 1, [0, 4]),
        (between("a", None, 3), 1, [4]),
        (is_one("a"), 1, [1, 2, 4]),
        (unique("a"), 1, []),
    ],
    ids=["at_least", "equal", "between", "open", "is_one", "unique"],
)
def test_a_null_is_no_violation(rule: Rule, of: int, rows: list[int]) -> None:
    assert flagged(PAIR, rule, of=of) == rows


def test_a_null_is_incomplete() -> None:
    reported = pl.when(pl.col("a").is_not_null()).then(1.0)
    assert flagged(PAIR, present("a"), operands={"a": reported}) == [3, 5]


def test_both_of_two_equal_keys_are_flagged() -> None:
    assert flagged(pl.DataFrame({"a": [7, 8, 7]}), unique("a")) == [0, 2]


def test_no_rows_is_success_and_says_so() -> None:
    result = run(
        suite(PAIR.clear(), check(at_least("a", "b"), of=2), check(present("a"), name="other")), NAMES
    )
    assert result.success
    assert {e.message_zh for e in result.expectations} == {"没有可检查的数据"}


def test_amounts_beyond_what_a_float_can_tell_apart() -> None:
    """2^53 + 1 and 2^53 are one number as floats."""
    frame = pl.DataFrame({"a": [2**53, 2**53 + 1], "b": [2**53 + 1, 2**53 + 1]})
    assert flagged(frame, at_least("a", "b"), of=2) == [0]


@pytest.mark.parametrize(
    "broken",
    [
        check(between("a", 0, 1), operands={"a": pl.col("no_such_column")}),
        check(between("a", 0, 1), operands={"a": pl.lit("text").str.to_date()}),
    ],
)
def test_what_cannot_be_judged_is_an_error_of_ours(broken: Check) -> None:
    with pytest.raises(QualityError, match="程序错误"):
        run(suite(PAIR, check(at_least("a", "b"), of=2, name="sound"), broken), NAMES)


def test_exceptions_are_found_flat_and_under_their_metric() -> None:
    assert _exception({"raised_exception": False, "exception_message": None}) is None
    assert _exception({"raised_exception": True, "exception_message": "flat"}) == "flat"
    nested = {"metric": {"raised_exception": True, "exception_message": "nested"}}
    assert _exception(nested) == "nested"
    assert _exception({"metric": {"raised_exception": False}}) is None
    assert _exception(None) is None


def test_all_keys_are_kept_and_the_first_are_shown() -> None:
    frame = pl.DataFrame({"a": [9] * (KEYS_SHOWN + 50)})
    result = run(suite(frame, check(between("a", 0, 1))), NAMES)
    assert result.flags.height == result.expectations[0].unexpected_count == KEYS_SHOWN + 50
    assert len(result.expectations[0].flagged) == KEYS_SHOWN
    assert result.expectations[0].unexpected_pct == 100.0


def test_importing_the_package_does_not_import_great_expectations() -> None:
    code = "import sys, oversight.quality; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_checks_of_one_rule_on_different_rows_keep_their_own_flags() -> None:
    """They are asked in one pass; a row that two of them look at keeps them apart."""
    frame = pl.DataFrame({"a": [9, 0, 9, 0, 9], "of": ["x", "x", "y", "y", "z"]})
    checks = [
        check(between("a", 0, 1), name=name, where=pl.col("of").is_in(list(name)))
        for name in ("x", "y", "yz", "z")
    ]
    rows = frame.with_columns(row_number=pl.int_range(pl.len(), dtype=pl.Int64))
    result = run(suite(rows, *checks), NAMES)
    assert [(e.name, e.evaluated_count, e.unexpected_count) for e in result.expectations] == [
        ("x", 2, 1),
        ("y", 2, 1),
        ("yz", 3, 2),
        ("z", 1, 1),
    ]
    assert result.flags.select("expectation", "row_number").rows() == [
        ("x", 0),
        ("y", 2),
        ("yz", 2),
        ("yz", 4),
        ("z", 4),
    ]
