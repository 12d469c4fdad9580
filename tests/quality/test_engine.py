"""How Great Expectations is used: exceptions are ours, nulls are nobody's, reduced frames give the same flags."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
from typing import Any

import polars as pl
import pytest

from oversight.quality import engine as engine_module
from oversight.quality.engine import Engine, _exception
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
    columns = [v for k, v in rule.arguments.items() if k.startswith("column")]
    return Check(
        name=rest.pop("name", "check"),
        title_zh="标题",
        what_zh="查什么",
        why_zh="为什么",
        what_to_do_zh="怎么办",
        kind=rest.pop("kind", "doubt"),
        rule=rule,
        operands=rest.pop("operands", {c: pl.col(c) for c in columns}),
        **rest,
    )


def suite(frame: pl.DataFrame, *checks: Check) -> Suite:
    panel = Panel(frame.with_columns(subject_code=pl.lit("1")), checks, is_whole=True)
    return Suite("suite", "套件", "inputs.x", (panel,))


def flagged(engine: Engine, frame: pl.DataFrame, rule: Rule, **rest: Any) -> list[int]:
    rows = frame.with_columns(month=None, row_number=pl.int_range(pl.len(), dtype=pl.Int64))
    result = engine.run(suite(rows, check(rule, **rest)), NAMES)
    return result.flags.get_column("row_number").to_list()


PAIR = pl.DataFrame(
    {"a": [1, 2, 3, None, 5, None], "b": [1, 3, 2, 4, None, None]}, schema={"a": pl.Int64, "b": pl.Int64}
)


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        (at_least("a", "b"), [1]),
        (equal("a", "b"), [1, 2]),
        (between("a", 2, 3), [0, 4]),
        (between("a", None, 3), [4]),
        (is_one("a"), [1, 2, 4]),
        (unique("a"), []),
    ],
    ids=lambda value: value.expectation if isinstance(value, Rule) else "",
)
def test_a_null_is_no_violation(rule: Rule, rows: list[int], engine: Engine) -> None:
    assert flagged(engine, PAIR, rule) == rows


def test_a_null_is_incomplete(engine: Engine) -> None:
    reported = pl.when(pl.col("a").is_not_null()).then(1.0)
    assert flagged(engine, PAIR, present("a"), operands={"a": reported}) == [3, 5]


def test_both_of_two_equal_keys_are_flagged(engine: Engine) -> None:
    assert flagged(engine, pl.DataFrame({"a": [7, 8, 7]}), unique("a")) == [0, 2]


def test_no_rows_is_success_and_says_so(engine: Engine) -> None:
    result = engine.run(
        suite(PAIR.clear(), check(at_least("a", "b")), check(present("a"), name="other")), NAMES
    )
    assert result.success
    assert {e.message_zh for e in result.expectations} == {"没有可检查的数据"}


def test_amounts_beyond_what_a_float_can_tell_apart(engine: Engine) -> None:
    """2^53 + 1 and 2^53 are one number as floats."""
    frame = pl.DataFrame({"a": [2**53, 2**53 + 1], "b": [2**53 + 1, 2**53 + 1]})
    assert flagged(engine, frame, at_least("a", "b")) == [0]


@pytest.mark.parametrize(
    "broken",
    [
        # GX answers success=False with exception_info; it must not become a flag.
        check(between("no_such_column", 0, 1), operands={"a": pl.col("a")}),
        check(between("a", 0, 1), operands={"a": pl.lit("text")}),
        # GX raises by itself.
        check(Rule("ExpectNothingOfTheKind", {"column": "a"})),
        check(between("a", 3, 1)),
    ],
)
def test_an_exception_inside_an_expectation_is_an_error_of_ours(broken: Check, engine: Engine) -> None:
    with pytest.raises(QualityError, match="程序错误"):
        engine.run(suite(PAIR, check(at_least("a", "b"), name="sound"), broken), NAMES)


def test_exceptions_are_found_flat_and_under_their_metric() -> None:
    assert _exception({"raised_exception": False, "exception_message": None}) is None
    assert _exception({"raised_exception": True, "exception_message": "flat"}) == "flat"
    nested = {"metric": {"raised_exception": True, "exception_message": "nested"}}
    assert _exception(nested) == "nested"
    assert _exception({"metric": {"raised_exception": False}}) is None
    assert _exception(None) is None


@pytest.mark.parametrize("seed", range(3))
def test_reduced_frames_give_the_same_flags(
    seed: int, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(seed)
    values = [None, *range(6)]
    frame = pl.DataFrame(
        {c: [draw.choice(values) for _ in range(500)] for c in "ab"}, schema={"a": pl.Int64, "b": pl.Int64}
    )
    reported = {"a": pl.when(pl.col("a").is_not_null()).then(1.0)}
    cases: list[tuple[Rule, dict[str, Any]]] = [
        (at_least("a", "b"), {}),
        (equal("a", "b"), {}),
        (between("a", 1, 3), {"where": pl.col("b") > 2}),
        (present("a"), {"operands": reported}),
        (unique("a"), {}),
    ]
    whole = [flagged(engine, frame, rule, **rest) for rule, rest in cases]
    monkeypatch.setattr(engine_module, "MANY_ROWS", 0)
    for repeats in (False, True):
        assert [flagged(engine, frame, rule, repeats=repeats, **rest) for rule, rest in cases] == whole
    assert all(whole)


def test_all_keys_are_kept_and_the_first_are_shown(engine: Engine) -> None:
    frame = pl.DataFrame({"a": [9] * (KEYS_SHOWN + 50)})
    result = engine.run(suite(frame, check(between("a", 0, 1))), NAMES)
    assert result.flags.height == result.expectations[0].unexpected_count == KEYS_SHOWN + 50
    assert len(result.expectations[0].flagged) == KEYS_SHOWN
    assert result.expectations[0].unexpected_pct == 100.0


def test_importing_the_package_does_not_import_great_expectations() -> None:
    code = "import sys, oversight.quality; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nothing_is_sent_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert flagged(Engine(), PAIR, at_least("a", "b")) == [1]


def test_checks_of_one_rule_on_different_rows_keep_their_own_flags(engine: Engine) -> None:
    """They are asked as one; a row that two of them look at keeps them apart."""
    frame = pl.DataFrame({"a": [9, 0, 9, 0, 9], "of": ["x", "x", "y", "y", "z"]})
    checks = [
        check(between("a", 0, 1), name=name, where=pl.col("of").is_in(list(name)))
        for name in ("x", "y", "yz", "z")
    ]
    rows = frame.with_columns(row_number=pl.int_range(pl.len(), dtype=pl.Int64))
    result = engine.run(suite(rows, *checks), NAMES)
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
