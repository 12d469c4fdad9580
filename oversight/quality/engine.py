"""Great Expectations does the judging here, and nowhere else is it imported (importing it takes 4 CPU seconds).

How it is used, and why:
- pandas frames of just the operands, whole numbers only; its SQL engine fails over duckdb-engine;
- the row id is the frame's *named index*: with a column instead, GX looks up every flagged key with `.at`,
  which took 7 s for 1.5 million rows where this takes 0.3 s;
- a frame for each expectation, with rows that have no operand left out beforehand: a missing figure is not a
  violation of an identity, and GX's own `ignore_row_if` copies the whole frame for every metric;
- where operands repeat, only the distinct combinations go to GX and its answer is joined back to all rows. For
  rules that judge each row by its own operands (all but uniqueness) that is exactly the same answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from oversight.quality.model import (
    FLAG_SCHEMA,
    KEYS_SHOWN,
    Check,
    ExpectationResult,
    Panel,
    QualityError,
    Suite,
    SuiteResult,
)

ROW = "row_id"
# From here on each check goes to GX alone, in the least memory, and repeated operands are reduced; below, finding
# the distinct combinations costs more than judging every row, and what costs is the number of batches.
REDUCE_FROM = 50_000
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

    def run(self, suite: Suite, names: pl.DataFrame) -> SuiteResult:
        """Judge every check of a suite; `names` gives subject_name for each subject_code, for the messages.

        Raises QualityError if an expectation could not be evaluated."""
        results: list[ExpectationResult] = []
        flags: list[pl.DataFrame] = []
        for panel in suite.panels:
            for check, evaluated, rows in self._judge(suite.name, panel):
                found = _flags(suite, check, panel, rows, names)
                flags.append(found)
                results.append(_result(check, evaluated, found))
        return SuiteResult(
            suite=suite.name,
            title_zh=suite.title_zh,
            target=suite.target,
            expectations=tuple(results),
            flags=pl.concat(flags) if flags else pl.DataFrame(schema=FLAG_SCHEMA),
        )

    def _judge(self, suite: str, panel: Panel) -> Iterator[tuple[Check, int, pl.Series]]:
        """For each check, the number of rows judged and the ids of those that fall foul, ascending."""
        frame = panel.frame.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))
        if frame.height >= REDUCE_FROM:
            for check in panel.checks:
                operands = _operands(check, frame)
                yield check, operands.height, self._large(suite, check, operands).sort()
            return
        looked_at = [(check, _operands(check, frame)) for check in panel.checks]
        found: dict[str, pl.Series] = {}
        for group in _groups(_stacks(looked_at)):
            answers = self._ask(suite, [stack.checks[0] for stack in group.stacks], group.operands)
            for stack in group.stacks:
                rows = answers[stack.checks[0].name]
                found.update({check.name: rows for check in stack.checks})
        for check, operands in looked_at:
            rows = found[check.name]
            mine = operands.get_column(ROW)
            yield check, operands.height, rows.filter(rows.is_in(mine.implode())).sort()

    def _large(self, suite: str, check: Check, operands: pl.DataFrame) -> pl.Series:
        if not (check.repeats and check.rule.is_row_wise):
            return self._ask(suite, [check], operands)[check.name]
        names = list(check.operands)
        distinct = (
            operands.select(names).unique().with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))
        )
        found = self._ask(suite, [check], distinct)[check.name]
        if found.is_empty():
            return found
        hit = distinct.filter(pl.col(ROW).is_in(found.implode()))
        return operands.join(hit, on=names, how="semi", nulls_equal=True).get_column(ROW)

    def _ask(self, suite: str, checks: list[Check], operands: pl.DataFrame) -> dict[str, pl.Series]:
        """For each check by name, the ids of the rows that Great Expectations finds unexpected."""
        import pandas as pd

        where = f"检查套件 {suite} 的“{'”“'.join(c.title_zh for c in checks)}”"
        frame = pd.DataFrame(
            {name: operands.get_column(name).to_numpy() for name in operands.columns if name != ROW},
            index=pd.Index(operands.get_column(ROW).to_numpy(), name=ROW),
        )
        try:
            # Titles and reasons stay out of it: GX copies an expectation's texts 150 times for each evaluation.
            expectations = self._gx.ExpectationSuite(
                name=suite,
                expectations=[
                    getattr(self._expectations, check.rule.expectation)(
                        **check.rule.arguments, meta={"name": check.name}
                    )
                    for check in checks
                ],
            )
            validation = self._batch.get_batch(batch_parameters={"dataframe": frame}).validate(
                expectations, result_format=_RESULT_FORMAT
            )
        except Exception as error:
            raise QualityError(f"{where}未能执行：{error}。这是程序错误，请联系维护人员。") from error
        answers = {}
        titles = {check.name: check.title_zh for check in checks}
        for result in validation.results:
            configuration = result.expectation_config
            name = str((configuration.meta or {}).get("name")) if configuration else ""
            if name not in titles:
                raise QualityError(f"{where}得出的结果无法对应。这是程序错误，请联系维护人员。")
            of_check = f"检查套件 {suite} 的“{titles[name]}”（{name}）"
            raised = _exception(result.exception_info)
            if raised is not None:
                raise QualityError(f"{of_check}未能执行：{raised}。这是程序错误，请联系维护人员。")
            listed = result.result.get("unexpected_index_list") or []
            found: list[int] = listed[0][ROW] if listed else []
            counted = (result.result["element_count"], result.result["unexpected_count"])
            if counted != (len(frame), len(found)) or result.success != (not found):
                raise QualityError(f"{of_check}给出的行数前后不符。这是程序错误，请联系维护人员。")
            answers[name] = pl.Series(ROW, found, pl.Int64)
        if len(answers) != len(checks):
            raise QualityError(f"{where}没有全部得出结果。这是程序错误，请联系维护人员。")
        return answers


@dataclass
class _Stack:
    """Checks that put the same question to different rows (a rule for each standard), asked as one: each row is
    judged by itself, so the answers fall apart again by row."""

    checks: list[Check]
    operands: pl.DataFrame

    def takes(self, check: Check, operands: pl.DataFrame) -> bool:
        """Whether this check asks the same of other rows."""
        first = self.checks[0]
        return (
            check.rule == first.rule
            and check.rule.is_row_wise
            and operands.columns == self.operands.columns
            and not operands.get_column(ROW).is_in(self.operands.get_column(ROW).implode()).any()
        )


def _stacks(looked_at: list[tuple[Check, pl.DataFrame]]) -> list[_Stack]:
    stacks: list[_Stack] = []
    for check, operands in looked_at:
        stack = next((s for s in stacks if s.takes(check, operands)), None)
        if stack is None:
            stacks.append(_Stack([check], operands))
        else:
            stack.checks.append(check)
            stack.operands = pl.concat([stack.operands, operands])
    return stacks


@dataclass
class _Group:
    """Stacks that look at the same rows, and their operands side by side."""

    stacks: list[_Stack]
    operands: pl.DataFrame

    def takes(self, operands: pl.DataFrame) -> bool:
        """Whether these operands are of the same rows, and none has the name of another column here."""
        shared = [c for c in operands.columns if c in self.operands.columns]
        return self.operands.height == operands.height and all(
            self.operands.get_column(c).equals(operands.get_column(c), null_equal=True) for c in shared
        )


def _operands(check: Check, frame: pl.DataFrame) -> pl.DataFrame:
    """Row id and operands of the rows that the check speaks about."""
    lazy = frame.lazy()
    if check.where is not None:
        lazy = lazy.filter(check.where)
    operands = lazy.select(ROW, **check.operands).collect()
    return operands if check.rule.is_completeness else operands.drop_nulls(list(check.operands))


def _groups(stacks: list[_Stack]) -> list[_Group]:
    """Small frames go to GX together where the rows are the same: a third of its time is spent on each batch."""
    groups: list[_Group] = []
    for stack in stacks:
        group = next((g for g in groups if g.takes(stack.operands)), None)
        if group is None:
            groups.append(_Group([stack], stack.operands))
            continue
        group.stacks.append(stack)
        group.operands = group.operands.hstack(
            [stack.operands.get_column(c) for c in stack.operands.columns if c not in group.operands.columns]
        )
    return groups


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
    flagged = panel.frame[rows]
    if "subject_name" not in flagged.columns:
        flagged = flagged.join(names, on="subject_code", how="left", maintain_order="left")
    locate = check.locate or panel.locate
    if locate is not None:
        flagged = locate(flagged)
    keys = [
        (pl.col(name) if name in flagged.columns else pl.lit(None)).cast(FLAG_SCHEMA[name]).alias(name)
        for name in ("subject_code", "month", "standard_id", "submission_id", "sheet", "row_number")
    ]
    return flagged.select(
        *keys,
        suite=pl.lit(suite.name),
        expectation=pl.lit(check.name),
        kind=pl.lit(check.kind),
        value=check.value.cast(pl.String),
        expected=check.expected.cast(pl.String),
        message_zh=check.message.cast(pl.String),
    ).select(list(FLAG_SCHEMA))


def _result(check: Check, evaluated: int, flags: pl.DataFrame) -> ExpectationResult:
    count = flags.height
    if count:
        message = f"检查 {evaluated} 项，{count} 项不符"
    elif evaluated:
        message = f"检查 {evaluated} 项，全部符合"
    else:
        message = "没有可检查的数据"
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
        flagged=tuple(flags.head(KEYS_SHOWN).to_dicts()),
    )
