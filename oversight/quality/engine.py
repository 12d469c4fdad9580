"""The row checks: every check of a panel is answered in one pass over its rows, by year, and the rows that fall foul are kept.

Rows that lack an operand, or that the check does not speak about, are not looked at: a missing figure is no violation of
an identity. What Great Expectations is asked stands in `months`; it judges one month, in its own form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from oversight.quality.suites import (
    FLAG_SCHEMA,
    KEYS_SHOWN,
    Check,
    ExpectationResult,
    Panel,
    QualityError,
    Suite,
    SuiteResult,
)

if TYPE_CHECKING:
    from oversight.quality.kept import Kept

_YEAR = "year"
# Columns by which a panel finds where its rows were reported.
_TO_LOCATE = ("key", "year_key")


def run(suite: Suite, names: pl.DataFrame, kept: Kept | None = None) -> SuiteResult:
    """Judge every check of a suite; `names` gives subject_name for each subject_code, for the messages, and
    `kept` what is known of months that the suite's frames leave out.

    Raises QualityError if a check could not be carried out."""
    by_month = [check.name for panel in suite.panels if not panel.is_whole for check in panel.checks]
    flags = [kept.flags(suite.name, by_month)] if kept else []
    known = flags[0].partition_by("expectation", as_dict=True) if flags else {}
    results: list[ExpectationResult] = []
    for panel in suite.panels:
        for look in _look(suite, panel):
            name = look.check.name
            found = _flags(suite, look, names)
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


@dataclass(frozen=True)
class _Look:
    """A check, the number of rows it looked at (in all, and of each year), and the numbers of the rows it flags."""

    panel: Panel
    check: Check
    evaluated: int
    by_year: Mapping[int, int]
    rows: pl.Series


def _look(suite: Suite, panel: Panel) -> list[_Look]:
    """Every check of the panel, in one pass over its rows."""
    if not panel.checks:
        return []
    where = f"检查套件 {suite.name} 的“{'”“'.join(check.title_zh for check in panel.checks[:3])}”"
    seen: list[pl.Expr] = []
    foul: list[pl.Expr] = []
    for number, check in enumerate(panel.checks):
        is_seen, is_foul = check.judged()
        seen.append(is_seen.sum().cast(pl.Int64).alias(f"seen_{number}"))
        foul.append((is_seen & is_foul.fill_null(False)).arg_true().implode().alias(f"foul_{number}"))
    try:
        if panel.is_whole:
            counted = panel.frame.lazy().select(*seen, pl.lit(None, pl.Int32).alias(_YEAR)).collect()
        else:
            counted = panel.frame.lazy().group_by(panel.years.alias(_YEAR)).agg(seen).collect()
        found = panel.frame.lazy().select(foul).collect()
    except pl.exceptions.PolarsError as error:
        raise QualityError(f"{where}未能执行：{error}。这是程序错误，请联系维护人员。") from error
    looks = []
    for number, check in enumerate(panel.checks):
        of_years = dict(counted.select(_YEAR, f"seen_{number}").iter_rows())
        by_year = {
            year: rows for year, rows in sorted(of_years.items(), key=str) if year is not None and rows
        }
        rows = found.get_column(f"foul_{number}").explode(empty_as_null=False)
        looks.append(_Look(panel, check, sum(of_years.values()), by_year, rows))
    return looks


def _flags(suite: Suite, look: _Look, names: pl.DataFrame) -> pl.DataFrame:
    check, panel = look.check, look.panel
    if look.rows.is_empty():
        return pl.DataFrame(schema=FLAG_SCHEMA)
    texts = {"value": check.value, "expected": check.expected, "message_zh": check.message}
    told = {name for text in texts.values() for name in text.meta.root_names()}
    wanted = [c for c in panel.frame.columns if c in told or c in FLAG_SCHEMA or c in _TO_LOCATE]
    flagged = panel.frame.select(wanted)[look.rows]
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
        evaluated_count=evaluated,
        unexpected_count=count,
        flagged=tuple(shown.head(KEYS_SHOWN).collect().to_dicts()),
        evaluated_by_year={**before, **look.by_year},
    )
