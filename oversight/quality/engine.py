"""Great Expectations does the judging here, and nowhere else is it imported (importing it takes 4 CPU seconds).

How it is used, and why:
- pandas frames of just the operands, whole numbers only; its SQL engine fails over duckdb-engine;
- the row id is the frame's *named index*: with a column instead, GX looks up every flagged key with `.at`,
  which took 7 s for 1.5 million rows where this takes 0.3 s;
- rows that have no operand are left out beforehand: a missing figure is not a violation of an identity, and GX's
  own `ignore_row_if` copies the whole frame for every metric;
- each expectation costs it some 10 ms whatever it looks at, so checks that put the same question (`a` ≥ `b`) are
  asked as one, and only the distinct combinations of their operands go to GX; its answer is joined back to all
  rows. For rules that judge each row by its own operands (all but uniqueness) that is exactly the same answer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from oversight.loading import lasting_imports
from oversight.quality.suites import (
    FLAG_SCHEMA,
    KEYS_SHOWN,
    Check,
    ExpectationResult,
    Panel,
    QualityError,
    Suite,
    SuiteResult,
    count_by_year,
)

if TYPE_CHECKING:
    from oversight.quality.kept import Kept

ROW, YEAR = "row_id", "year"
# From here on, rows whose operands hardly repeat go to GX as they are: finding the distinct ones would not pay.
MANY_ROWS = 50_000
# Columns by which a panel finds where its rows were reported.
_TO_LOCATE = ("key", "year_key")
_RESULT_FORMAT = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": [ROW],
    # Keys come as one list per column, not as a dictionary for each row.
    "exclude_unexpected_values": True,
    "partial_unexpected_count": 0,
    "return_unexpected_index_query": False,
    "include_unexpected_rows": False,
}


class Engine:
    """A Great Expectations context without telemetry, files or network, good for any number of suites."""

    def __init__(self) -> None:
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        with lasting_imports():
            import great_expectations as gx
            import great_expectations.expectations as expectations
            from great_expectations.data_context.types.base import ProgressBarsConfig

        self._gx = gx
        self._expectations = expectations
        context = gx.get_context(mode="ephemeral")
        context.enable_analytics(False)
        context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
        source = context.data_sources.add_pandas("frames")
        self._batch = source.add_dataframe_asset("operands").add_batch_definition_whole_dataframe("whole")

    def run(self, suite: Suite, names: pl.DataFrame, kept: Kept | None = None) -> SuiteResult:
        """Judge every check of a suite; `names` gives subject_name for each subject_code, for the messages, and
        `kept` what is known of months that the suite's frames leave out.

        Raises QualityError if an expectation could not be evaluated."""
        looks = [_look(panel, check) for panel in suite.panels for check in panel.checks]
        rows: dict[str, pl.Series] = {}
        for question in _questions(looks):
            rows |= self._answers(suite.name, question)
        by_month = [look.check.name for look in looks if not look.panel.is_whole]
        flags = [kept.flags(suite.name, by_month)] if kept else []
        known = flags[0].partition_by("expectation", as_dict=True) if flags else {}
        results: list[ExpectationResult] = []
        for look in looks:
            name = look.check.name
            found = _flags(suite, look.check, look.panel, rows[name], names)
            flags.append(found)
            before = kept.evaluated(suite.name, name) if kept and name in by_month else {}
            found = pl.concat([known[name,], found]) if (name,) in known else found
            results.append(_result(look, before, found))
        return SuiteResult(
            suite=suite.name,
            title_zh=suite.title_zh,
            target=suite.target,
            expectations=tuple(results),
            flags=pl.concat(flags) if flags else pl.DataFrame(schema=FLAG_SCHEMA),
        )

    def _answers(self, suite: str, question: list[_Look]) -> dict[str, pl.Series]:
        """For each check by name, the ids of the rows that fall foul, ascending."""
        checks = [look.check for look in question]
        if not question[0].is_reduced:
            return {checks[0].name: self._ask(suite, checks, _by_row(question[0])).sort()}
        combinations = pl.concat([look.combinations for look in question]).unique().with_row_index(ROW)
        hit = combinations[self._ask(suite, checks, combinations)].drop(ROW)
        return {look.check.name: _rows_with(look, hit) for look in question}

    def _ask(self, suite: str, checks: list[Check], operands: pl.DataFrame) -> pl.Series:
        """The ids of the rows that Great Expectations finds unexpected under the question of these checks."""
        import pandas as pd

        where = f"检查套件 {suite} 的“{'”“'.join(c.title_zh for c in checks)}”"
        frame = pd.DataFrame(
            {name: operands.get_column(name).to_numpy() for name in operands.columns if name != ROW},
            index=pd.Index(operands.get_column(ROW).cast(pl.Int64).to_numpy(), name=ROW),
        )
        try:
            # Titles and reasons stay out of it: GX copies an expectation's texts 150 times for each evaluation.
            expectation = getattr(self._expectations, checks[0].rule.expectation)(**_arguments(checks[0]))
            validation = self._batch.get_batch(batch_parameters={"dataframe": frame}).validate(
                self._gx.ExpectationSuite(name=suite, expectations=[expectation]),
                result_format=_RESULT_FORMAT,
            )
        except Exception as error:
            raise QualityError(f"{where}未能执行：{error}。这是程序错误，请联系维护人员。") from error
        if len(validation.results) != 1:
            raise QualityError(f"{where}没有得出结果。这是程序错误，请联系维护人员。")
        result = validation.results[0]
        raised = _exception(result.exception_info)
        if raised is not None:
            raise QualityError(f"{where}未能执行：{raised}。这是程序错误，请联系维护人员。")
        listed = result.result.get("unexpected_index_list") or []
        found: list[int] = listed[0][ROW] if listed else []
        counted = (result.result["element_count"], result.result["unexpected_count"])
        if counted != (len(frame), len(found)) or result.success != (not found):
            raise QualityError(f"{where}给出的行数前后不符。这是程序错误，请联系维护人员。")
        return pl.Series(ROW, found, pl.Int64)


@dataclass(frozen=True)
class _Look:
    """A check and what it looks at: the number of rows it speaks about, and the distinct combinations of their
    operands where it `is_reduced` to them."""

    panel: Panel
    check: Check
    evaluated: int
    by_year: Mapping[int, int]
    is_reduced: bool
    combinations: pl.DataFrame

    @property
    def question(self) -> tuple[object, ...]:
        """What is asked, whatever the operands are called; checks of which it is equal are asked as one."""
        if not self.is_reduced:
            return (self.check.name,)
        kinds = (str(kind) for kind in self.combinations.dtypes)
        return (self.check.rule.expectation, repr(_arguments(self.check)), *kinds)


def _look(panel: Panel, check: Check) -> _Look:
    by_year: Mapping[int, int] = {}
    if panel.is_whole:
        operands = _operands(panel, check)
    else:
        operands = _operands(panel, check, YEAR)
        is_all = operands.height == panel.frame.height
        by_year = panel.rows_by_year if is_all else count_by_year(operands.get_column(YEAR))
        operands = operands.drop(YEAR)
    is_reduced = check.rule.is_row_wise and (check.repeats or operands.height < MANY_ROWS)
    combinations = operands.unique() if is_reduced else operands.clear()
    return _Look(panel, check, operands.height, by_year, is_reduced, combinations)


def _questions(looks: list[_Look]) -> list[list[_Look]]:
    questions: dict[tuple[object, ...], list[_Look]] = {}
    for look in looks:
        questions.setdefault(look.question, []).append(look)
    return list(questions.values())


def _operands(panel: Panel, check: Check, *more: str) -> pl.DataFrame:
    """The operands of the rows that the check speaks about, under the names `_neutral` gives them."""
    lazy = panel.frame.lazy()
    if ROW in more:
        lazy = lazy.with_row_index(ROW)
    if YEAR in more:
        lazy = lazy.with_columns(panel.years.alias(YEAR))
    if check.where is not None:
        lazy = lazy.filter(check.where)
    neutral = _neutral(check)
    lazy = lazy.select(*more, **{neutral[name]: operand for name, operand in check.operands.items()})
    if not check.rule.is_completeness:
        lazy = lazy.drop_nulls(list(neutral.values()))
    return lazy.collect()


def _by_row(look: _Look) -> pl.DataFrame:
    return _operands(look.panel, look.check, ROW)


def _rows_with(look: _Look, hit: pl.DataFrame) -> pl.Series:
    """Ids of the rows of which the operands are one of these combinations, ascending."""
    names = hit.columns
    mine = hit.join(look.combinations, on=names, how="semi", nulls_equal=True)
    if mine.is_empty():
        return pl.Series(ROW, [], pl.Int64)
    return _by_row(look).join(mine, on=names, how="semi", nulls_equal=True).get_column(ROW).sort()


def _neutral(check: Check) -> dict[str, str]:
    """A name for each operand that does not say which figure it is."""
    return {name: f"operand_{number}" for number, name in enumerate(check.operands)}


def _arguments(check: Check) -> dict[str, Any]:
    """The rule's arguments, columns under their neutral names."""
    neutral = _neutral(check)
    return {
        name: neutral.get(value, value) if name.startswith("column") else value
        for name, value in check.rule.arguments.items()
    }


def _exception(info: dict[str, Any] | None) -> str | None:
    """The message of an exception inside an expectation. GX reports it flat, or under the metric that raised."""
    if not info:
        return None
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if entry.get("raised_exception"):
            return str(entry.get("exception_message") or "原因不明")
    return None


def _flags(suite: Suite, check: Check, panel: Panel, rows: pl.Series, names: pl.DataFrame) -> pl.DataFrame:
    if rows.is_empty():
        return pl.DataFrame(schema=FLAG_SCHEMA)
    texts = {"value": check.value, "expected": check.expected, "message_zh": check.message}
    told = {name for text in texts.values() for name in text.meta.root_names()}
    wanted = [c for c in panel.frame.columns if c in told or c in FLAG_SCHEMA or c in _TO_LOCATE]
    flagged = panel.frame.select(wanted)[rows]
    if "subject_name" not in flagged.columns:
        flagged = flagged.join(names, on="subject_code", how="left", maintain_order="left")
    if panel.locate is not None:
        flagged = panel.locate(flagged)
    keys = [
        (pl.col(name) if name in flagged.columns else pl.lit(None)).cast(FLAG_SCHEMA[name]).alias(name)
        for name in ("subject_code", "month", "standard_id", "submission_id", "sheet", "row_number")
    ]
    # Lazily: the message says the value again, and what is asked for twice is then worked out once.
    return (
        flagged.lazy()
        .select(
            *keys,
            suite=pl.lit(suite.name),
            expectation=pl.lit(check.name),
            kind=pl.lit(check.kind),
            **{name: text.cast(pl.String) for name, text in texts.items()},
        )
        .select(list(FLAG_SCHEMA))
        .collect()
    )


def _result(look: _Look, before: Mapping[int, int], flags: pl.DataFrame) -> ExpectationResult:
    """Of the rows that were judged and of those that an audit `before` looked at, by year."""
    check, count = look.check, flags.height
    evaluated = look.evaluated + sum(before.values())
    if count:
        message = f"检查 {evaluated} 项，{count} 项不符"
    elif evaluated:
        message = f"检查 {evaluated} 项，全部符合"
    else:
        message = "没有可检查的数据"
    shown = flags.lazy()
    if not look.panel.is_whole:
        # By place, in whatever order years came to be judged.
        shown = shown.sort("subject_code", "month", maintain_order=True)
    return ExpectationResult(
        name=check.name,
        title_zh=check.title_zh,
        what_zh=check.what_zh,
        why_zh=check.why_zh,
        what_to_do_zh=check.what_to_do_zh,
        kind=check.kind,
        severity=check.level,
        gx_type=check.rule.expectation,
        evaluated_count=evaluated,
        unexpected_count=count,
        success=count == 0,
        message_zh=message,
        flagged=tuple(shown.head(KEYS_SHOWN).collect().to_dicts()),
        evaluated_by_year={**before, **look.by_year},
    )
