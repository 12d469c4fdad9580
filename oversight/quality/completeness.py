"""Whether no row of the build was lost, added or changed: every published table against the one that says which rows it has.

What was landed stands in the reported tables as it came; tables by township and month have a row for each that was in force;
what is counted over counties, cities, provinces and the country is what its rows come to. Each is a statement, see `agreement`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class Agreement:
    """A check of the build; `$since` in its statement stands for the first month that is judged.

    `is_whole`: it is asked over all months every time, because its table does not keep those of before."""

    name: str
    title_zh: str
    what_zh: str
    why_zh: str
    statement: str
    is_whole: bool = False


# Table → columns of the inputs that say nothing of a row: the rank of its file moves when another comes.
_LANDED = {
    "reported.divisions": ("divisions", "division_code"),
    "reported.population": ("population", "township_code"),
    "reported.budget": ("budget", "township_code"),
    "reported.staffing": ("staffing", "township_code"),
    "reported.indicators": ("indicators", "subject_code"),
    "reported.payments": ("payments", "township_code"),
    "main.rejected_rows": ("rejected_rows", None),
    "main.submissions": ("submissions", None),
}
_RANKS = ("precedence", "arrival_seq")
_ANSWERS = ("met", "short", "over", "not_reported", "unconfirmed", "not_applicable")
_LOST = "少一行，就少一个单位或一份报表；多一行，就重复计算。"


def checks(connection: duckdb.DuckDBPyConnection, inputs: Path) -> Iterator[Agreement]:
    """All of them, over the build file that is open and the inputs that it was made from."""
    for table in _LANDED:
        yield _as_landed(connection, table, inputs)
    yield from _every_month()
    yield from _counted()
    yield _ledger()


def _as_landed(connection: duckdb.DuckDBPyConnection, table: str, inputs: Path) -> Agreement:
    name, subject = _LANDED[table]
    rows = connection.execute(f"describe from {table}").fetchall()
    source = f"read_parquet('{str(inputs / name).replace(chr(39), chr(39) * 2)}.parquet')"
    landed = {row[0] for row in connection.execute(f"describe from {source}").fetchall()}
    # As the table has them: another engine may keep a number in another type.
    columns = ", ".join(
        f"cast({row[0]} as {row[1]})" for row in rows if row[0] in landed and row[0] not in _RANKS
    )
    is_monthly = any(row[0] == "month" for row in rows)
    place, month = (
        f"left({subject}, 6)" if subject else "null",
        "month" if is_monthly else "cast(null as date)",
    )

    def told(origin: str) -> str:
        return (
            f"select {place} as subject_code, {month} as month, count(*) as rows_count, "
            f"sum(cast(hash({columns}) as hugeint)) as content from {origin} "
            f"{'where month is null or month >= $since ' if is_monthly else ''}group by 1, 2"
        )

    return Agreement(
        f"{name}_as_landed",
        f"{name}：与接收时逐行相同",
        "处理结果中的行与接收后的行一样多，每一行的内容都相同。",
        "报来的数在处理过程中不得丢失、增加或改动。",
        f"""
        select
            coalesce(t.subject_code, l.subject_code) as subject_code, coalesce(t.month, l.month) as month,
            null as standard_id, t.rows_count as value, l.rows_count as expected,
            t.rows_count is not distinct from l.rows_count and t.content is not distinct from l.content as holds
        from ({told(table)}) as t
        full join ({told(source)}) as l
            on t.subject_code is not distinct from l.subject_code and t.month is not distinct from l.month
        """,
        is_whole=not is_monthly,
    )


def _every_month() -> Iterator[Agreement]:
    """Tables that have so many rows for each township in force in a month."""
    latest = "select max(month) from main.funding_gap_monthly"
    for table, title, count, where, is_whole in (
        ("detail.township_monthly", "乡镇月表", "1", "true", False),
        ("detail.payment_pace", "拨付进度表", "1", "f.standard_id is not null", False),
        ("detail.submission_status", "报送情况表", "3", "u.is_township", False),
        ("detail.vacancies_monthly", "编制空缺表", "1", "u.is_township", False),
        ("detail.scorecard", "五有表", "5", f"f.month > ({latest}) - interval 12 month", True),
    ):
        code = "unit_code" if table == "detail.vacancies_monthly" else "township_code"
        of_townships = " and unit_level = 'township'" if code == "unit_code" else ""
        yield Agreement(
            f"{table.partition('.')[2]}_has_every_row",
            f"{title}：每个在册乡镇每月的行都在",
            "各月在册的每个乡镇都有应有的行，没有多出的行。",
            _LOST,
            f"""
            select
                coalesce(t.township_code, n.township_code) as subject_code, coalesce(t.month, n.month) as month,
                null as standard_id, t.rows_count as value, n.rows_count as expected,
                t.rows_count is not distinct from n.rows_count as holds
            from (
                select {code} as township_code, month, count(*) as rows_count
                from {table} where month >= $since{of_townships} group by {code}, month
            ) as t
            full join (
                select f.township_code, f.month, {count} as rows_count
                from main.funding_gap_monthly as f
                inner join main.townships as u on f.township_code = u.township_code
                where f.month >= $since and {where}
            ) as n on t.township_code = n.township_code and t.month = n.month
            """,
            is_whole,
        )


def _counted() -> Iterator[Agreement]:
    """Tables that count the rows of another over counties and what lies above them."""
    yield _roll_up(
        "unit_staffing_monthly",
        "人员汇总与人员缺口表相符",
        ("standard_id",),
        ("due_count", *(f"{answer}_count" for answer in _ANSWERS[:5]), "partial_count", "shortfall_persons"),
        f"""
        select
            left(township_code, 6) as county_code, month, standard_id,
            count(*) filter (where status in ({", ".join(f"'{answer}'" for answer in _ANSWERS[:5])})) as due_count,
            {", ".join(f"count(*) filter (where status = '{answer}') as {answer}_count" for answer in _ANSWERS[:5])},
            count(*) filter (where counted_is_partial) as partial_count,
            coalesce(sum(shortfall_persons) filter (where status = 'short'), 0) as shortfall_persons
        from main.staffing_gap_monthly where month >= $since group by 1, 2, 3
        """,
    )
    yield _roll_up(
        "unit_scorecard_monthly",
        "五有汇总与五有表相符",
        ("pillar_no",),
        (
            *(
                "asked_units_count",
                "met_units_count",
                "short_units_count",
                "silent_units_count",
                "rules_count",
            ),
            *("met_count", "short_count", "not_reported_count"),
        ),
        """
        select
            left(township_code, 6) as county_code, month, pillar_no,
            count(*) filter (where rules_count > 0) as asked_units_count,
            count(*) filter (where status = 'met') as met_units_count,
            count(*) filter (where status = 'short') as short_units_count,
            count(*) filter (where status = 'not_reported') as silent_units_count,
            sum(rules_count) as rules_count, sum(met_count) as met_count, sum(short_count) as short_count,
            sum(not_reported_count) as not_reported_count
        from detail.scorecard where month >= $since group by 1, 2, 3
        """,
        is_whole=True,
    )
    yield _roll_up(
        "vacancies_monthly",
        "编制空缺汇总与各乡镇相符",
        (),
        (
            *("units_count", "known_count", "established_posts", "in_post_persons", "vacant_posts"),
            *("unposted_persons", "units_with_vacancies_count"),
        ),
        """
        select left(unit_code, 6) as county_code, * exclude (unit_level, unit_code)
        from detail.vacancies_monthly where unit_level = 'township' and month >= $since
        """,
    )
    counts = ", ".join(
        f"count(*) filter (where status in ({statuses})) as {name}_count"
        for name, statuses in (
            ("met", "'met', 'over'"),
            *(
                (answer, f"'{answer}'")
                for answer in ("short", "not_reported", "unconfirmed", "not_applicable")
            ),
        )
    )
    columns = ("owed_count", *(f"{name}_count" for name in ("met", *_ANSWERS[1:2], *_ANSWERS[3:])))
    told = ", ".join(columns)
    yield Agreement(
        "rule_coverage_counts_every_judgement",
        "覆盖情况与标准判断逐项相符",
        "每级单位、每月、每项标准应答、达标、不达标、未报送等各数，与逐条判断加总相同。",
        "覆盖率的分母是每一个应答的单位，少一个就偏高。",
        f"""
        with counties as (
            select
                rule_id, subject_level as unit_level, left(subject_code, 6) as county_code, month,
                count(*) as owed_count, {counts}
            from main.judgements
            where
                month >= $since and coalesce(reason, '') <> 'unlisted'
                and subject_level in ('county', 'township', 'village', 'community', 'institution')
            group by all
        ),
        parents as (
            select 'county' as parent_level, county_code as parent_code, * from counties where unit_level <> 'county'
            union all
            select 'city', left(county_code, 4) || '00', * from counties
            union all
            select 'province', left(county_code, 2) || '0000', * from counties
        ),
        counted as (
            select
                parent_level, parent_code, unit_level, month, rule_id,
                row({", ".join(f"sum({name})" for name in columns)}) as told
            from parents
            group by parent_level, parent_code, unit_level, month, rule_id
        )
        select
            coalesce(t.parent_code, n.parent_code) as subject_code, coalesce(t.month, n.month) as month,
            coalesce(t.rule_id, n.rule_id) as standard_id, t.told as value, n.told as expected,
            t.told is not distinct from n.told as holds
        from (
            select parent_level, parent_code, unit_level, month, rule_id, row({told}) as told
            from detail.rule_coverage where month >= $since
        ) as t
        full join counted as n
            on t.parent_level = n.parent_level and t.parent_code = n.parent_code and t.unit_level = n.unit_level
            and t.month = n.month and t.rule_id = n.rule_id
        """,
    )
    yield _findings()


def _roll_up(
    table: str,
    title: str,
    key: tuple[str, ...],
    columns: tuple[str, ...],
    base: str,
    *,
    is_whole: bool = False,
) -> Agreement:
    """`base` gives county_code, month, the key and the columns; they are summed up for every level."""
    keys = "".join(f", {name}" for name in key)
    levels = " union all ".join(
        f"select '{level}' as unit_level, {code} as unit_code, * from base"
        for level, code in (
            ("county", "county_code"),
            ("city", "left(county_code, 4) || '00'"),
            ("province", "left(county_code, 2) || '0000'"),
            ("country", "'000000'"),
        )
    )
    on = " and ".join(f"t.{name} = n.{name}" for name in ("unit_level", "unit_code", "month", *key))
    return Agreement(
        f"{table}_counts_every_row",
        title,
        "县、市、省、全国的每个个数、人数都等于所属各乡镇之和，一行不少。",
        "上级的数必须由下级的数得出。",
        f"""
        with base as ({base}),
        counted as (
            select unit_level, unit_code, month{keys}, row({", ".join(f"sum({name})" for name in columns)}) as told
            from ({levels}) group by unit_level, unit_code, month{keys}
        )
        select
            coalesce(t.unit_code, n.unit_code) as subject_code, coalesce(t.month, n.month) as month,
            {"coalesce(t.standard_id, n.standard_id)" if "standard_id" in key else "null"} as standard_id,
            t.told as value, n.told as expected, t.told is not distinct from n.told as holds
        from (
            select unit_level, unit_code, month{keys}, row({", ".join(columns)}) as told
            from detail.{table} where unit_level <> 'township' and month >= $since
        ) as t
        full join counted as n on {on}
        """,
        is_whole,
    )


def _findings() -> Agreement:
    """What opened and was cleared, by area and month, is what the findings say; every area stands in every month."""
    return Agreement(
        "unit_findings_monthly_counts_every_finding",
        "问题汇总与问题清单逐项相符",
        "每个县、市、省、全国每月新增、整改的问题数，与问题清单加总相同，每个月都有。",
        "少了一个问题，就有一个单位不再被督促。",
        """
        with areas as (
            select left(subject_code, 6) as area_code, finding_id, opened_month, cleared_month from main.findings
        ),
        levels as (
            select 'county' as unit_level, area_code as unit_code, * from areas where right(area_code, 2) <> '00'
            union all
            select 'city', left(area_code, 4) || '00', * from areas where right(area_code, 4) <> '0000'
            union all
            select 'province', left(area_code, 2) || '0000', * from areas
            union all
            select 'country', '000000', * from areas
        ),
        counted as (
            select
                u.unit_level, u.unit_code, m.month,
                row(
                    coalesce(sum((u.opened_month = m.month)::bigint), 0),
                    coalesce(sum((u.cleared_month = m.month)::bigint), 0),
                    coalesce(sum((u.opened_month <= m.month)::bigint), 0)
                ) as told
            from levels as u
            cross join (select distinct month from main.funding_gap_monthly) as m
            group by u.unit_level, u.unit_code, m.month
        )
        select
            coalesce(t.unit_code, n.unit_code) as subject_code, coalesce(t.month, n.month) as month, null as standard_id,
            t.told as value, n.told as expected, t.told is not distinct from n.told as holds
        from (
            select
                unit_level, unit_code, month,
                row(
                    opened_count, cleared_count,
                    cast(sum(opened_count) over (partition by unit_level, unit_code order by month) as bigint)
                ) as told
            from detail.unit_findings_monthly
        ) as t
        full join counted as n
            on t.unit_level = n.unit_level and t.unit_code = n.unit_code and t.month = n.month
        """,
        is_whole=True,
    )


def _ledger() -> Agreement:
    return Agreement(
        "fund_ledger_goes_on_within_the_year",
        "资金台账：一笔资金在年内逐月都在",
        "年内报过的资金，从报来的那个月起到该乡镇当年最后一个月，每月都有一行。",
        "少一个月，就少一个月的预算、拨付和支出。",
        """
        with funds as (
            select township_code, extract(year from month) as fiscal_year, fund_code, min(month) as month
            from (
                select township_code, month, fund_code from main.fund_ledger_monthly where month >= $since
                union all
                select r.township_code, r.month, r.fund_code
                from reported.budget as r
                where
                    r.month >= $since and r.is_current
                    and coalesce(
                        r.initial_budget_cny, r.adjusted_budget_cny, r.disbursed_cumulative_cny, r.spent_cumulative_cny
                    ) is not null
            )
            group by all
        ),
        expected as (
            select f.township_code, m.month, f.fund_code
            from funds as f
            inner join main.funding_gap_monthly as m
                on f.township_code = m.township_code and f.fiscal_year = extract(year from m.month) and m.month >= f.month
        )
        select
            coalesce(t.township_code, e.township_code) as subject_code, coalesce(t.month, e.month) as month,
            null as standard_id, t.fund_code as value, e.fund_code as expected,
            t.fund_code is not distinct from e.fund_code as holds
        from (select township_code, month, fund_code from main.fund_ledger_monthly where month >= $since) as t
        full join expected as e
            on t.township_code = e.township_code and t.month = e.month and t.fund_code = e.fund_code
        """,
    )
