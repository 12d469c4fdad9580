"""Great Expectations judges the month that is reported, in its own form: the context in gx/, its suites, Checkpoints and
Data Docs. Nowhere else is it imported (importing it takes 5 CPU seconds).

The context is copied to the side of the audit and pointed at the month's rows, written as Parquet from the build file, so
that nothing is written into the project and two runs do not meet. What it found comes back as results of the audit.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from oversight.errors import OversightError
from oversight.loading import lasting_imports, on_first_use
from oversight.quality.expectations import GX_ROOT, TABLES, asked, of_run, stored, write
from oversight.quality.rules import Rules
from oversight.quality.suites import (
    FLAG_SCHEMA,
    KEYS_SHOWN,
    REPORT_FAULT,
    ExpectationResult,
    QualityError,
    SuiteResult,
)

# Beside the published tables: the rows that were judged, one file a table and month.
AUDITED = "audited"
PAGES = "gx"
# What it imports for distributions and pictures: nothing of it is asked for here, and it is two of its five seconds.
_SELDOM = ("scipy.stats", "altair")
_LATEST = "funding_gap_monthly"
_PLACE: re.Pattern[str] = re.compile(r"(?m)^(\s+base_directory: )data/marts/.*$")
# What Data Docs fetch from outside, and the icon from their 4 MB of pictures: a closed network has none of it, an edition
# need not keep it, and the pages read well without.
_FETCHED = re.compile(
    r"<script[^>]*\ssrc=\"https?://[^>]*>\s*</script>|<(?:link|img)[^>]*\s(?:href|src)=\"(?:https?:|[./]*static/)[^>]*>"
)


def judge(warehouse: Path, rules: Rules, out_dir: Path) -> list[SuiteResult]:
    """Judge the latest month of the build file by every Checkpoint of the context.

    Writes `audited/` (the month's rows) and `data_docs/gx/` (Great Expectations' own pages) into `out_dir`. A build without
    any month gives no result. Raises QualityError if the judging failed, OversightError if an expectation of the files
    could not be evaluated."""
    month = _months_rows(warehouse, out_dir / AUDITED)
    if month is None:
        return []
    context_dir = out_dir / ".gx"
    shutil.rmtree(context_dir, ignore_errors=True)
    shutil.copytree(GX_ROOT, context_dir / "gx", ignore=shutil.ignore_patterns("uncommitted"))
    try:
        suites = of_run(_stored(), rules)
        write(suites, context_dir / "gx")
        draws = _pages_at_the_end(context_dir / "gx" / "checkpoints")
        results = _run(context_dir, out_dir / AUDITED, month, draws)
        pages = out_dir / "data_docs" / PAGES
        shutil.rmtree(pages, ignore_errors=True)
        site = context_dir / "gx" / "uncommitted" / "data_docs" / "local_site"
        if site.is_dir():
            shutil.copytree(site, pages, ignore=shutil.ignore_patterns("static"))
    finally:
        shutil.rmtree(context_dir, ignore_errors=True)
    for page in pages.rglob("*.html"):
        page.write_text(_FETCHED.sub("", page.read_text("utf-8")), "utf-8")
    # Without the action that writes them, there are none.
    results = [
        result if (out_dir / "data_docs" / str(result.page)).is_file() else replace(result, page=None)
        for result in results
    ]
    compared = asked(suites, rules)
    return [
        _compared(result, warehouse, month, compared) if result.suite == "month_judgements" else result
        for result in results
    ]


def _stored() -> dict[str, Any]:
    try:
        return stored()
    except ValueError as error:
        raise OversightError(
            f"{GX_ROOT / 'expectations'} 中有套件文件不是 JSON：{error}。请改正，或用 oversight quality suites 重新生成。"
        ) from error


def _months_rows(warehouse: Path, folder: Path) -> date | None:
    """Write the rows of the latest month, one Parquet file a table; that month."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        row = connection.execute(f"select max(month) from main.{_LATEST}").fetchone()
        month: date | None = row[0] if row else None
        if month is not None:
            for table, (_, key) in TABLES.items():
                place = str(folder / f"{table}_{month:%Y-%m}.parquet").replace("'", "''")
                connection.execute(
                    f"copy (select * replace ({', '.join(_as_pandas_has_it(connection, table))}) from main.{table} "
                    f"where month = date '{month}' order by {', '.join(key)}) "
                    f"to '{place}' (format parquet, compression zstd)"
                )
    return month


def _as_pandas_has_it(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """What stands in place of the columns that pandas would keep as an object a row: slow to compare, and a Decimal costs
    Great Expectations milliseconds to write down. The order of two decimals, all that its suites ask for, stays: up to
    70 trillion 元 a double tells each 分 from the next."""
    columns = connection.execute(
        "select column_name, data_type from duckdb_columns() where schema_name = 'main' and table_name = ?",
        [table],
    ).fetchall()
    kinds = {"DATE": "timestamp", "DECIMAL": "double"}
    return [
        f'cast("{column}" as {kinds[kind]}) as "{column}"'
        for column, declared in columns
        if (kind := declared.partition("(")[0]) in kinds
    ]


def _pages_at_the_end(checkpoints: Path) -> bool:
    """Take the action that draws pages out of a copy's Checkpoints: each would compile all templates for itself. Whether
    any had it."""
    found = False
    for path in checkpoints.glob("*.json"):
        content = json.loads(path.read_text("utf-8"))
        others = [each for each in content["actions"] if each["type"] != "update_data_docs"]
        found |= others != content["actions"]
        path.write_text(json.dumps(content | {"actions": others}), "utf-8")
    return found


def _run(context_dir: Path, data: Path, month: date, draws: bool) -> list[SuiteResult]:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with lasting_imports():
        for name in _SELDOM:
            on_first_use(name)
        import great_expectations as gx
        from great_expectations.core.run_identifier import RunIdentifier

    settings = context_dir / "gx" / "great_expectations.yml"
    # A JSON text is one of YAML, whatever stands in the path.
    place = json.dumps(str(data), ensure_ascii=False)
    text, times = _PLACE.subn(lambda found: found[1] + place, settings.read_text("utf-8"))
    if times != 1:
        raise OversightError(
            f"{GX_ROOT / settings.name} 中找不到数据源的 base_directory。请恢复该文件后重新运行。"
        )
    settings.write_text(text, "utf-8")
    when = RunIdentifier(run_name=f"{month:%Y-%m}", run_time=datetime(month.year, month.month, 1, tzinfo=UTC))
    results = []
    try:
        context = gx.get_context(mode="file", project_root_dir=context_dir)
        for checkpoint in sorted(context.checkpoints.all(), key=lambda each: each.name):
            done = checkpoint.run(
                batch_parameters={"year": f"{month:%Y}", "month": f"{month:%m}"}, run_id=when
            )
            results += [_told(name, validation, month) for name, validation in done.run_results.items()]
        if draws:
            context.build_data_docs()
    except OversightError:
        raise
    except Exception as error:
        raise QualityError(
            f"Great Expectations 未能核对 {month:%Y-%m}：{error}。请检查 {GX_ROOT} 中改动过的文件；没有改动过的，请联系维护人员。"
        ) from error
    return results


def _told(identifier: Any, validation: Any, month: date) -> SuiteResult:
    """What became of one suite."""
    suite: str = validation.suite_name
    page = f"{PAGES}/validations/{'/'.join(identifier.to_tuple())}.html"
    results, flags = [], []
    for each in validation.results:
        result, found = _expectation(suite, each, month)
        results.append(result)
        flags.append(found)
    title, _ = TABLES.get(suite, (suite, ()))
    table = validation.asset_name or suite
    return SuiteResult(
        suite=f"month_{suite}",
        title_zh=f"{title}（{month.year}年{month.month}月当月核对）",
        target=f"main.{table}",
        expectations=tuple(results),
        flags=pl.concat(flags) if flags else pl.DataFrame(schema=FLAG_SCHEMA),
        page=page,
    )


def _expectation(suite: str, validation: Any, month: date) -> tuple[ExpectationResult, pl.DataFrame]:
    config = validation.expectation_config
    told: dict[str, Any] = (config.meta or {}).get("oversight") or {}
    # What somebody added is a doubt, unless it says otherwise: only what is ours may stop a publication.
    added = (
        config.description
        or f"{config.type}：{config.kwargs.get('column', config.kwargs.get('column_list', ''))}"
    )
    name = told.get("name") or f"{config.type}_{config.id}"
    title = told.get("title_zh") or added
    if (raised := _exception(validation.exception_info)) is not None:
        raise OversightError(
            f"{GX_ROOT / 'expectations' / suite}.json 中的“{title}”未能执行：{raised}。请改正或去掉这一条后重新运行。"
        )
    kind = told.get("kind", "doubt")
    keys = validation.result.get("unexpected_index_list") or []
    count = int(validation.result.get("unexpected_count") or 0) or int(not validation.success)
    found = _flags(f"month_{suite}", name, kind, title, keys, month)
    result = ExpectationResult(
        name=name,
        title_zh=title,
        what_zh=told.get("what_zh") or added,
        why_zh=told.get("why_zh") or "由使用者在 Great Expectations 的套件中增添。",
        what_to_do_zh=told.get("what_to_do_zh") or "请按增添这一条的人的说明办理。",
        kind=kind,
        severity=str(config.severity or "warning").rpartition(".")[2].lower(),  # type: ignore[arg-type]
        evaluated_count=int(validation.result.get("element_count") or 0) or int(not validation.success),
        unexpected_count=count if not validation.success else 0,
        flagged=tuple(found.head(KEYS_SHOWN).to_dicts()),
        keys=frozenset(_key(each, month) for each in keys) if kind == "short" else frozenset(),
    )
    # Who falls short is in the marts already.
    return result, found.clear() if kind == "short" else found


def _key(row: dict[str, Any], month: date) -> tuple[str, str, date]:
    return (
        str(row.get("rule_id") or row.get("standard_id") or ""),
        str(row.get("subject_code") or row.get("township_code") or ""),
        month,
    )


def _flags(
    suite: str, name: str, kind: str, title: str, keys: list[dict[str, Any]], month: date
) -> pl.DataFrame:
    def value(row: dict[str, Any]) -> str | None:
        named = {"rule_id", "standard_id", "subject_code", "township_code", "month"}
        shown = [
            f"{each:.15g}" if isinstance(each, float) else f"{each}"
            for column, each in row.items()
            if column not in named
        ]
        return "，".join(shown) or None

    rows = [
        {
            "suite": suite,
            "expectation": name,
            "kind": kind,
            "subject_code": _key(row, month)[1] or None,
            "month": month,
            "standard_id": _key(row, month)[0] or None,
            "value": value(row),
            "message_zh": f"{_key(row, month)[1]}，{month.year}年{month.month}月：不符合“{title}”",
        }
        for row in keys
    ]
    return pl.DataFrame(rows, schema=FLAG_SCHEMA).sort("subject_code", "standard_id", nulls_last=True)


def _compared(result: SuiteResult, warehouse: Path, month: date, compared: frozenset[str]) -> SuiteResult:
    """Adds whether those that the figures flag are those that the build calls short, as sets, by the rules `compared`."""
    flagged = {key for each in result.expectations for key in each.keys if key[0] in compared}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        # 59,999 of 60,000 is less than all, and 1.0000 with four decimals: no figure beside it shows what is missing.
        rows = connection.execute(
            "select rule_id, subject_code, month, status from main.judgements where month = ? "
            "and (status = 'not_reported' or status = 'short' and not coalesce("
            "denominator is not null and value_checked = value_expected and shortfall = 0, false))",
            [month],
        ).fetchall()
    rows = [row for row in rows if row[0] in compared]
    judged = {(rule, subject, day) for rule, subject, day, status in rows if status == "short"}
    # What is known of a composite may already lack something while a part has not been reported.
    silent = {(rule, subject, day) for rule, subject, day, status in rows if status == "not_reported"}
    differing = sorted((judged - flagged) | (flagged - judged - silent))
    message = pl.format("{}（{}）", "subject_code", "standard_id")
    found = pl.DataFrame(
        [
            {
                "suite": result.suite,
                "expectation": "short_is_what_falls_short",
                "kind": "blocking",
                "subject_code": subject,
                "month": day,
                "standard_id": rule,
                "value": "不达标" if (rule, subject, day) in judged else "未判不达标",
                "expected": "数字不足" if (rule, subject, day) in flagged else "数字足够",
            }
            for rule, subject, day in differing
        ],
        schema=FLAG_SCHEMA,
    ).with_columns(message_zh=pl.format("{}：判断与数字不一致", message))
    check = ExpectationResult(
        name="short_is_what_falls_short",
        title_zh="判为不达标的，正是数字不足的",
        what_zh="本月由数字标出的单位和标准，与判为不达标的逐一相同。",
        why_zh="结论须由数字得出，两者不一致说明计算有误。",
        what_to_do_zh=REPORT_FAULT,
        kind="blocking",
        severity="critical",
        evaluated_count=len(flagged | judged),
        unexpected_count=len(differing),
        flagged=tuple(found.head(KEYS_SHOWN).to_dicts()),
    )
    return replace(result, expectations=(*result.expectations, check), flags=pl.concat([result.flags, found]))


def _exception(info: dict[str, Any] | None) -> str | None:
    """The message of an exception inside an expectation. GX reports it flat, or under the metric that raised, and as a
    failure like any other."""
    for entry in _entries(info or {}):
        if entry.get("raised_exception"):
            return str(entry.get("exception_message") or "原因不明")
    return None


def _entries(info: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "raised_exception" in info:
        yield info
    else:
        yield from info.values()
