"""Whether the tables of a build agree with one another and with what was landed: each check is one statement of DuckDB.

A statement gives a row for each answer: subject_code, month, standard_id, value, expected, and whether it `holds`. What
comes back is counted by year, with the keys of the rows that do not hold; a build in order sends back none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from oversight.contracts import DATASETS
from oversight.quality.completeness import Agreement
from oversight.quality.completeness import checks as completeness_checks
from oversight.quality.kept import Kept
from oversight.quality.suites import (
    FLAG_SCHEMA,
    KEYS_SHOWN,
    REPORT_FAULT,
    ExpectationResult,
    QualityError,
    SuiteResult,
)

SUITE, TITLE, TARGET = "agreement", "各表相互一致", "main.judgements"

# Of judgements whose law has to be confirmed first, or that are not asked yet, only the figures are compared.
_SAME_STATUS = "({0}.status = j.status or j.status in ('unconfirmed', 'not_applicable'))"
_ANSWERS = ("met", "short", "over", "not_reported", "unconfirmed", "not_applicable")
_LEVELS = (
    ("city", "substr(unit_code, 1, 4) || '00'"),
    ("province", "substr(unit_code, 1, 2) || '0000'"),
    ("country", "'000000'"),
)
_BOUNDED = ("population", "budget", "staffing")


def judge(
    warehouse: Path, inputs: Path, names: pl.DataFrame, since: date | None, kept: Kept | None = None
) -> SuiteResult:
    """Every check over the build file, opened read-only; months before `since` are told from `kept`.

    Raises QualityError if a check could not be carried out."""
    results, flags = [], [pl.DataFrame(schema=FLAG_SCHEMA)]
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        checks = list(_checks(connection, inputs))
        by_month = [check.name for check in checks if not check.is_whole]
        known = kept.flags(SUITE, by_month) if kept else flags[0]
        flags.append(known)
        for check in checks:
            first = date.min if check.is_whole else since or date.min
            by_year, found = _answered(connection, check, first, names)
            flags.append(found)
            before = kept.evaluated(SUITE, check.name) if kept and not check.is_whole else {}
            found = pl.concat([known.filter(pl.col("expectation") == check.name), found])
            shown = found.sort("subject_code", "month", "standard_id", maintain_order=True).head(KEYS_SHOWN)
            results.append(
                ExpectationResult(
                    name=check.name,
                    title_zh=check.title_zh,
                    what_zh=check.what_zh,
                    why_zh=check.why_zh,
                    what_to_do_zh=REPORT_FAULT,
                    kind="blocking",
                    severity="critical",
                    evaluated_count=sum(by_year.values()) + sum(before.values()),
                    unexpected_count=found.height,
                    flagged=tuple(shown.to_dicts()),
                    evaluated_by_year={**before, **by_year},
                )
            )
    return SuiteResult(SUITE, TITLE, TARGET, tuple(results), pl.concat(flags))


def _answered(
    connection: duckdb.DuckDBPyConnection, check: Agreement, since: date, names: pl.DataFrame
) -> tuple[dict[int, int], pl.DataFrame]:
    """How many answers of each year there are, and those that do not hold."""
    statement = (
        "select extract(year from month) as year, count(*) as answers, list(struct_pack(subject_code := subject_code, "
        "month := month, standard_id := standard_id, value := cast(value as varchar), "
        "expected := cast(expected as varchar))) filter (where not coalesce(holds, false)) as wrong "
        f"from ({check.statement}) group by all order by all"
    )
    try:
        rows = connection.execute(statement, {"since": since} if "$since" in statement else None).fetchall()
    except duckdb.Error as error:
        raise QualityError(
            f"检查套件 {SUITE} 的“{check.title_zh}”未能执行：{error}。这是程序错误，请联系维护人员。"
        ) from error
    wrong = [each for _, _, found in rows for each in found or ()]
    schema = {
        name: FLAG_SCHEMA[name] for name in ("subject_code", "month", "standard_id", "value", "expected")
    }
    who = pl.format("{}（{}）", pl.col("subject_name").fill_null("名称不明"), "subject_code")
    found = (
        pl.DataFrame(wrong, schema=schema)
        .sort("subject_code", "month", "standard_id", "value", "expected", nulls_last=True)
        .join(names, on="subject_code", how="left", maintain_order="left")
        .with_columns(
            suite=pl.lit(SUITE),
            expectation=pl.lit(check.name),
            kind=pl.lit("blocking"),
            submission_id=pl.lit(None, pl.String),
            sheet=pl.lit(None, pl.String),
            row_number=pl.lit(None, pl.Int64),
            message_zh=pl.concat_str(
                who,
                pl.lit("，"),
                pl.col("month").dt.strftime("%Y年%-m月").fill_null(""),
                pl.lit(f"：{check.title_zh}，此处不符"),
            ),
        )
        .select(list(FLAG_SCHEMA))
    )
    return {int(year): answers for year, answers, _ in rows if year is not None}, found


def _checks(connection: duckdb.DuckDBPyConnection, inputs: Path) -> Iterator[Agreement]:
    yield from _between_marts()
    yield from _roll_ups(connection)
    for dataset in _BOUNDED:
        yield _bounds(dataset, inputs)
    yield from completeness_checks(connection, inputs)


def _between_marts() -> Iterator[Agreement]:
    yield Agreement(
        "judgements_agree_with_staffing",
        "标准判断与人员缺口表一致",
        "人员缺口表的每一行都有一条判断，人数、缺口和结论都相同；反过来也是。",
        "同一件事在两张表里说法不同，必有一处算错或被改动。",
        f"""
        select
            coalesce(s.township_code, j.subject_code) as subject_code, coalesce(s.month, j.month) as month,
            coalesce(s.standard_id, j.rule_id) as standard_id, j.shortfall as value, s.shortfall_persons as expected,
            s.shortfall_persons is not distinct from j.shortfall
            and s.required_min_persons is not distinct from j.value_expected
            and s.counted_persons is not distinct from j.value_checked
            and {_SAME_STATUS.format("s")} as holds
        from (select * from main.staffing_gap_monthly where month >= $since) as s
        full join (
            select * from main.judgements
            where month >= $since and rule_id in (select standard_id from main.staffing_gap_monthly)
        ) as j on s.standard_id = j.rule_id and s.township_code = j.subject_code and s.month = j.month
        """,
    )
    yield Agreement(
        "judgements_agree_with_funding",
        "标准判断与经费缺口表一致",
        "经费缺口表中有适用标准的每一行都有一条判断，安排数、缺口和结论都相同。",
        "同一件事在两张表里说法不同，必有一处算错或被改动。",
        f"""
        select
            f.township_code as subject_code, f.month, f.standard_id, j.shortfall as value,
            f.allocation_shortfall_cny as expected,
            f.allocation_shortfall_cny is not distinct from j.shortfall
            and f.allocated_annual_cny is not distinct from j.value_checked
            and {_SAME_STATUS.format("f")} as holds
        from main.funding_gap_monthly as f
        left join main.judgements as j
            on f.standard_id = j.rule_id and f.township_code = j.subject_code and f.month = j.month
        where f.month >= $since and f.standard_id is not null
        """,
    )
    yield Agreement(
        "funding_population_was_reported",
        "定档人口就是报送的人口",
        "没有合并其他单位的乡镇，定档人口与所注月份报送的户籍人口相同。",
        "定档人口决定保障额，须能追到一份报表。",
        """
        select
            f.township_code as subject_code, f.month, f.standard_id, f.population_persons as value, null as expected,
            r.population_persons is not null as holds
        from main.funding_gap_monthly as f
        left join (
            select distinct township_code, month, population_persons from reported.population
        ) as r
            on f.population_township_code = r.township_code and f.population_month = r.month
            and f.population_persons = r.population_persons
        where f.month >= $since and f.population_persons is not null and not f.includes_predecessors
        """,
    )
    yield Agreement(
        "staffing_counted_within_reported",
        "计入的人数不超过报送的人数",
        "人员缺口表计入的人数不小于 0，不大于该乡镇当月报送的各类人员与编制之和。",
        "多出来的人没有来处。",
        """
        select
            s.township_code as subject_code, s.month, s.standard_id, s.counted_persons as value, t.reported as expected,
            s.counted_persons between 0 and t.reported as holds
        from main.staffing_gap_monthly as s
        left join (
            select
                township_code, month,
                sum(
                    coalesce(dedicated_staff_persons, 0) + coalesce(welfare_posts_persons, 0)
                    + coalesce(purchased_service_persons, 0) + coalesce(part_time_persons, 0)
                    + coalesce(administrative_posts, 0) + coalesce(institution_posts, 0)
                ) as reported
            from reported.staffing
            where month >= $since
            group by township_code, month
        ) as t on s.township_code = t.township_code and s.month = t.month
        where s.month >= $since and s.counted_persons is not null
        """,
    )
    yield Agreement(
        "funding_adequacy_follows",
        "保障率 = 安排数 ÷ 保障额",
        "保障率与两个金额相符，四舍五入到两位小数。",
        "保障率用于排序和通报。",
        """
        select
            township_code as subject_code, month, standard_id, adequacy_pct as value,
            round(100 * allocated_annual_cny / guaranteed_annual_cny, 2) as expected,
            abs(adequacy_pct - 100 * allocated_annual_cny / guaranteed_annual_cny) <= 0.01 as holds
        from main.funding_gap_monthly
        where month >= $since and adequacy_pct is not null
        """,
    )


def _roll_ups(connection: duckdb.DuckDBPyConnection) -> Iterator[Agreement]:
    counted = ", ".join(f"{answer}_count" for answer in _ANSWERS)
    each = ", ".join(f"count(*) filter (where status = '{answer}')" for answer in _ANSWERS)
    yield Agreement(
        "roll_up_counts_every_judgement",
        "县级汇总与标准判断逐项相符",
        "每个县、每月、每项标准的达标、不达标、未报送等各数，以及缺少数，与逐条判断加总相同。",
        "少了一条判断，或改了一条结论，汇总就对不上。",
        f"""
        select
            coalesce(t.unit_code, n.unit_code) as subject_code, coalesce(t.month, n.month) as month,
            coalesce(t.rule_id, n.rule_id) as standard_id, t.told as value, n.told as expected,
            t.told is not distinct from n.told as holds
        from (
            select unit_code, month, rule_id, row(answers_count, {counted}, coalesce(shortfall, 0)) as told
            from detail.unit_rules_monthly
            where unit_level = 'county' and month >= $since
        ) as t
        full join (
            select
                substr(subject_code, 1, 6) as unit_code, month, rule_id,
                row(count(*), {each}, coalesce(sum(shortfall), 0)) as told
            from main.judgements
            where month >= $since
            group by substr(subject_code, 1, 6), month, rule_id
        ) as n on t.unit_code = n.unit_code and t.month = n.month and t.rule_id = n.rule_id
        """,
    )
    yield Agreement(
        "roll_up_counts_every_township",
        "县级汇总与经费缺口表相符",
        "没有年内撤并单位的县，达标数、不达标数、缺口、安排数、保障额与各乡镇加总相同。",
        "汇总进通报，须与逐个乡镇的数对得上。",
        """
        select
            coalesce(u.unit_code, f.unit_code) as subject_code, coalesce(u.month, f.month) as month,
            null as standard_id, u.told as value, f.told as expected,
            coalesce(u.ended_count > 0, false) or u.told is not distinct from f.told as holds
        from (
            select
                unit_code, month, ended_count,
                row(
                    short_count, met_count, coalesce(allocation_shortfall_of_judged_cny, 0),
                    coalesce(allocated_of_covered_cny, 0), coalesce(guaranteed_of_covered_cny, 0)
                ) as told
            from detail.unit_monthly
            where unit_level = 'county' and month >= $since
        ) as u
        full join (
            select
                county_code as unit_code, month,
                row(
                    count(*) filter (where status = 'short'), count(*) filter (where status = 'met'),
                    coalesce(sum(allocation_shortfall_cny), 0),
                    coalesce(sum(allocated_annual_cny) filter (where standard_id is not null), 0),
                    coalesce(sum(guaranteed_annual_cny), 0)
                ) as told
            from main.funding_gap_monthly
            where month >= $since
            group by county_code, month
        ) as f on u.unit_code = f.unit_code and u.month = f.month
        """,
    )
    for table, key, title in (
        ("unit_rules_monthly", ("rule_id",), "标准"),
        ("unit_monthly", (), "经费与人员"),
    ):
        added = _added(connection, table)
        keys = "".join(f", {name}" for name in key)
        sums = "row(" + ", ".join(f"coalesce(sum({name}), 0)" for name in added) + ")"
        levels = " union all ".join(
            f"select '{level}' as unit_level, {code} as unit_code, month{keys}, {sums} as told from counties "
            f"group by {code}, month{keys}"
            for level, code in _LEVELS
        )
        standard = "t.rule_id" if key else "null"
        on = " and ".join(f"t.{name} = l.{name}" for name in ("unit_level", "unit_code", "month", *key))
        yield Agreement(
            f"{table}_adds_up",
            f"市、省、全国的{title}汇总与各县加总相符",
            "各级汇总的每个个数、金额、人数都等于所属各县之和。",
            "上级的数必须由下级的数得出。",
            f"""
            with counties as (
                select * from detail.{table} where unit_level = 'county' and month >= $since
            ),
            added as ({levels})
            select
                coalesce(t.unit_code, l.unit_code) as subject_code, coalesce(t.month, l.month) as month,
                {standard} as standard_id, t.told as value, l.told as expected,
                t.told is not distinct from l.told as holds
            from (
                select unit_level, unit_code, month{keys}, {sums} as told
                from detail.{table} where unit_level <> 'county' and month >= $since
                group by unit_level, unit_code, month{keys}
            ) as t
            full join added as l on {on}
            """,
        )


def _added(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """The columns of a roll-up that are sums: everything that is a number and no rate."""
    rows = connection.execute(
        "select column_name from duckdb_columns() where schema_name = 'detail' and table_name = ? "
        "and data_type not in ('VARCHAR', 'DATE', 'BOOLEAN') and not ends_with(column_name, '_pct') "
        "order by column_index",
        [table],
    ).fetchall()
    return [name for (name,) in rows]


def _bounds(dataset: str, inputs: Path) -> Agreement:
    """Nothing lies below what the contract allows; what lies above what it calls plausible was landed like that."""
    contract = DATASETS[dataset]
    below, above = [], []
    for column in contract.measures:
        if column.kind == "count":
            below.append(f"{column.name} < 0")
        if column.plausible_max is not None and column.kind in ("count", "money"):
            above.append(f"{column.name} > {column.plausible_max}")
    figures = ", ".join(column.name for column in contract.measures)
    row = f"hash(submission_id, sheet, row_number, month, {figures})"
    source = str(inputs / f"{dataset}.parquet").replace("'", "''")
    return Agreement(
        f"{dataset}_figures_keep_their_bounds",
        f"{contract.title_zh}：数字不越出约定的界限",
        "人数、户数、名额不小于 0；超出合理上限的，原报表上就是这个数。",
        "接收时已经核对过；此处越界，是处理过程中变了数。",
        f"""
        select
            township_code as subject_code, month, null as standard_id, {row} as value, null as expected,
            not coalesce({" or ".join(below) or "false"}, false)
            and (
                not coalesce({" or ".join(above)}, false)
                or {row} in (select {row} from read_parquet('{source}') where {" or ".join(above)})
            ) as holds
        from reported.{dataset}
        where month >= $since
        """,
    )
