"""What a check is, and what comes out of it. No Great Expectations here: importing it takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import polars as pl

Kind = Literal["blocking", "doubt", "short"]
Severity = Literal["critical", "warning", "info"]

KINDS: tuple[Kind, ...] = ("blocking", "doubt", "short")

# Three kinds of red, never mixed: the pipeline broke, the data are doubtful, a township falls short.
KIND_ZH: dict[str, str] = {"blocking": "流程有误", "doubt": "数据存疑", "short": "未达标准"}
KIND_EXPLAINED_ZH: dict[str, str] = {
    "blocking": "处理流程自身有误，本次结果不发布，沿用上一版",
    "doubt": "上报数据可能有误，照常使用并注明，须请报送单位核实",
    "short": "乡镇未达到政策标准，属于监督发现，不是程序出错",
}
SEVERITY_ZH: dict[str, str] = {"critical": "严重", "warning": "一般", "info": "提示"}

# Adds submission_id, sheet and row_number to flagged rows.
Locate = Callable[[pl.DataFrame], pl.DataFrame]

# Pages show this many flagged rows; every one of them is in suite_flags.parquet.
KEYS_SHOWN = 200

FLAG_SCHEMA: dict[str, Any] = {
    "suite": pl.String,
    "expectation": pl.String,
    "kind": pl.String,
    "subject_code": pl.String,
    "month": pl.Date,
    "standard_id": pl.String,
    "value": pl.String,
    "expected": pl.String,
    "submission_id": pl.String,
    "sheet": pl.String,
    "row_number": pl.Int64,
    "message_zh": pl.String,
}
RESULT_SCHEMA: dict[str, Any] = {
    "suite": pl.String,
    "suite_title_zh": pl.String,
    "target": pl.String,
    "expectation": pl.String,
    "title_zh": pl.String,
    "kind": pl.String,
    "evaluated_count": pl.Int64,
    "unexpected_count": pl.Int64,
    "unexpected_pct": pl.Float64,
    "success": pl.Boolean,
    "message_zh": pl.String,
    "what_to_do_zh": pl.String,
}


class QualityError(RuntimeError):
    """A check could not be carried out: an error of ours, which must fail the run and never look like a flag."""


@dataclass(frozen=True)
class Rule:
    """One Great Expectations expectation: its class name and its arguments, which name operand columns."""

    expectation: str
    arguments: Mapping[str, Any]

    @property
    def is_completeness(self) -> bool:
        """Whether a null is what the rule looks for. Every other rule is silent about nulls."""
        return self.expectation == "ExpectColumnValuesToNotBeNull"

    @property
    def is_row_wise(self) -> bool:
        """Whether each row is judged by its own operands alone, so that equal rows get equal answers."""
        return "Unique" not in self.expectation


def at_least(left: str, right: str) -> Rule:
    """`left` ≥ `right` in every row."""
    return Rule(
        "ExpectColumnPairValuesAToBeGreaterThanB", {"column_A": left, "column_B": right, "or_equal": True}
    )


def equal(left: str, right: str) -> Rule:
    """`left` = `right` in every row."""
    return Rule("ExpectColumnPairValuesToBeEqual", {"column_A": left, "column_B": right})


def between(column: str, low: int | None, high: int | None) -> Rule:
    """`low` ≤ `column` ≤ `high`; a bound of None is open."""
    return Rule("ExpectColumnValuesToBeBetween", {"column": column, "min_value": low, "max_value": high})


def is_one(column: str) -> Rule:
    """`column`, a condition worked out beforehand as 1 or 0, is 1."""
    return Rule("ExpectColumnValuesToBeInSet", {"column": column, "value_set": [1]})


def present(column: str) -> Rule:
    """`column` is not null."""
    return Rule("ExpectColumnValuesToNotBeNull", {"column": column})


def unique(column: str) -> Rule:
    """No value of `column`, a number that stands for the key, comes twice."""
    return Rule("ExpectColumnValuesToBeUnique", {"column": column})


@dataclass(frozen=True)
class Check:
    """One expectation over the rows of a frame, with all that a reader needs to understand and act on it.

    `operands` are the columns that Great Expectations sees, as whole numbers (money in 分). `where` chooses the
    rows that the rule speaks about. `value`, `expected` and `message` become text for the flagged rows only.
    `repeats` says that operands repeat from row to row: they are then judged once for each distinct
    combination, which gives the same flags (see `engine`).
    """

    name: str
    title_zh: str
    what_zh: str
    why_zh: str
    what_to_do_zh: str
    kind: Kind
    rule: Rule
    operands: Mapping[str, pl.Expr]
    where: pl.Expr | None = None
    value: pl.Expr = field(default_factory=lambda: pl.lit(None, pl.String))
    expected: pl.Expr = field(default_factory=lambda: pl.lit(None, pl.String))
    message: pl.Expr = field(default_factory=lambda: pl.lit(None, pl.String))
    repeats: bool = False
    severity: Severity | None = None

    @property
    def level(self) -> Severity:
        """The severity, by kind where none is given."""
        return self.severity or ("critical" if self.kind == "blocking" else "warning")


def count_by_year(years: pl.Series) -> dict[int, int]:
    """How often each year is there."""
    return dict(years.drop_nulls().value_counts().iter_rows())


@dataclass(frozen=True)
class Panel:
    """Rows and the checks over them. `frame` has subject_code, and month, standard_id, submission_id, sheet and
    row_number where the rows have them; `locate` adds the last three to flagged rows of a mart, by looking up
    the report that the figure came from. `is_whole` says that the rows are judged every time; of others there are
    only those of the months that are judged anew, if the last audit is told of the months before (see `kept`)."""

    frame: pl.DataFrame
    checks: tuple[Check, ...]
    locate: Locate | None = None
    is_whole: bool = False

    @cached_property
    def years(self) -> pl.Series:
        """The year of each row."""
        return self.frame.get_column("month").cast(pl.Date).dt.year()

    @cached_property
    def rows_by_year(self) -> dict[int, int]:
        """Number of rows of each year, without those of no month."""
        return count_by_year(self.years)


@dataclass(frozen=True)
class Suite:
    """The checks over one landed dataset or one mart."""

    name: str
    title_zh: str
    target: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class ExpectationResult:
    """What became of one expectation. `flagged` holds the first `KEYS_SHOWN` flagged rows as dictionaries with
    the columns of suite_flags; `evaluated_by_year` counts those rows of each year that need not be judged again."""

    name: str
    title_zh: str
    what_zh: str
    why_zh: str
    what_to_do_zh: str
    kind: Kind
    severity: Severity
    gx_type: str
    evaluated_count: int
    unexpected_count: int
    success: bool
    message_zh: str
    flagged: tuple[dict[str, Any], ...] = ()
    evaluated_by_year: Mapping[int, int] = field(default_factory=dict)

    @property
    def unexpected_pct(self) -> float:
        """Share of the rows looked at that are flagged, in per cent, two decimals."""
        if not self.evaluated_count:
            return 0.0
        return round(100 * self.unexpected_count / self.evaluated_count, 2)


@dataclass(frozen=True)
class SuiteResult:
    """What became of one suite; `flags` has every flagged row, in the columns of `FLAG_SCHEMA`, until
    `run_suites` has written them to suite_flags.parquet."""

    suite: str
    title_zh: str
    target: str
    expectations: tuple[ExpectationResult, ...]
    flags: pl.DataFrame = field(repr=False)

    @property
    def success(self) -> bool:
        """Whether nothing at all is flagged."""
        return all(e.success for e in self.expectations)

    @property
    def blocking_failures(self) -> tuple[ExpectationResult, ...]:
        """Failed expectations that mean the pipeline is wrong: the edition must not be published."""
        return tuple(e for e in self.expectations if e.kind == "blocking" and not e.success)

    def count(self, kind: Kind) -> int:
        """Number of flagged rows of a kind."""
        return sum(e.unexpected_count for e in self.expectations if e.kind == kind)
