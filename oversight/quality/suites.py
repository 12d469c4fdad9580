"""What a check is, and what comes out of it. No Great Expectations here: importing it takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
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

REPORT_FAULT = "属于程序问题：本次结果不发布，请把本页交维护人员。"

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
    """What must hold of the operands of a row; `violated` is the opposite, made from the operands by name."""

    violated: Callable[[Mapping[str, pl.Expr]], pl.Expr]
    # Every other rule is silent about nulls; this one looks for them.
    is_completeness: bool = False


def at_least(left: str, right: str) -> Rule:
    """`left` ≥ `right` in every row."""
    return Rule(lambda operands: operands[left] < operands[right])


def equal(left: str, right: str) -> Rule:
    """`left` = `right` in every row."""
    return Rule(lambda operands: operands[left] != operands[right])


def between(column: str, low: int | None, high: int | None) -> Rule:
    """`low` ≤ `column` ≤ `high`; a bound of None is open."""

    def outside(operands: Mapping[str, pl.Expr]) -> pl.Expr:
        bounds = []
        if low is not None:
            bounds.append(operands[column] < low)
        if high is not None:
            bounds.append(operands[column] > high)
        return pl.any_horizontal(bounds)

    return Rule(outside)


def is_one(column: str) -> Rule:
    """`column`, a condition worked out beforehand as 1 or 0, is 1."""
    return Rule(lambda operands: operands[column] != 1)


def present(column: str) -> Rule:
    """`column` is not null."""
    return Rule(lambda operands: operands[column].is_null(), is_completeness=True)


def unique(column: str) -> Rule:
    """No value of `column`, a number that stands for the key, comes twice."""
    return Rule(lambda operands: operands[column].is_duplicated())


@dataclass(frozen=True)
class Check:
    """One expectation over the rows of a frame, with all that a reader needs to understand and act on it.

    `operands` are what the rule compares, as whole numbers (money in 分). `where` chooses the rows that the rule
    speaks about. `value`, `expected` and `message` become text for the flagged rows only.
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
    severity: Severity | None = None

    @property
    def level(self) -> Severity:
        """The severity, by kind where none is given."""
        return self.severity or ("critical" if self.kind == "blocking" else "warning")

    def judged(self) -> tuple[pl.Expr, pl.Expr]:
        """Whether the check looks at a row (it speaks about it, and no operand is missing), and whether the row falls foul."""
        speaks = pl.lit(True) if self.where is None else self.where.fill_null(False)
        if not self.rule.is_completeness:
            speaks = pl.all_horizontal(speaks, *(operand.is_not_null() for operand in self.operands.values()))
        # A literal alone would be one row.
        return speaks & (pl.int_range(pl.len()) >= 0), self.rule.violated(self.operands)


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
    evaluated_count: int
    unexpected_count: int
    flagged: tuple[dict[str, Any], ...] = ()
    evaluated_by_year: Mapping[int, int] = field(default_factory=dict)
    # Of one that finds who falls short: rule, subject and month of each.
    keys: frozenset[tuple[str, str, date]] = frozenset()

    @property
    def success(self) -> bool:
        """Whether no row is flagged."""
        return self.unexpected_count == 0

    @property
    def message_zh(self) -> str:
        """How many rows were looked at, and how many of them are flagged."""
        if self.unexpected_count:
            return f"检查 {self.evaluated_count} 项，{self.unexpected_count} 项不符"
        return f"检查 {self.evaluated_count} 项，全部符合" if self.evaluated_count else "没有可检查的数据"

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
    # Great Expectations' own page of it, beside our pages.
    page: str | None = None

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
