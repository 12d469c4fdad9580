"""One suite over each mart: whether what the warehouse concluded follows from the figures beside it, row by row.

Who falls short the marts say themselves; it is not said again here. `months` has Great Expectations find it from the
figures of the month that is reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from oversight.quality.frames import (
    PROVENANCE,
    Landed,
    flag,
    is_among,
    month_number,
    told,
    told_monthly,
    whole,
    yuan,
)
from oversight.quality.rules import DIRECT_FORMULAS, RULES_AT_MOST, STAFF_FORMULAS, Rules, confirmed_until
from oversight.quality.suites import (
    REPORT_FAULT,
    Check,
    Panel,
    Suite,
    at_least,
    between,
    equal,
    is_one,
    unique,
)

# Answers that the rule does not decide: nothing is owed, or the law itself has to be confirmed first.
UNDECIDED = ("unconfirmed", "not_applicable", "no_standard")


@dataclass(frozen=True)
class Warehouse:
    """The build file, read-only, one table of schema `main` at a time."""

    path: Path
    since: date | None = None

    def table(self, name: str, columns: str) -> pl.DataFrame:
        """All rows of a table."""
        return self._ask(f"select {columns} from main.{name}")

    def monthly(self, name: str, columns: str) -> pl.DataFrame:
        """Rows of a table by month, those of `since` and later."""
        chosen = f"month >= date '{self.since}' or month is null" if self.since else "true"
        return self.table(f"{name} where {chosen}", columns)

    def pieces(self, columns: str) -> pl.DataFrame:
        """Rows of the pieces that guarantees are made of, those of the fiscal year of `since` and later."""
        chosen = f"fiscal_year >= {self.since.year}" if self.since else "true"
        return self._ask(f"select {columns} from detail.funding_pieces where {chosen}")

    def _ask(self, query: str) -> pl.DataFrame:
        with duckdb.connect(str(self.path), read_only=True) as connection:
            frame: pl.DataFrame = connection.cursor().sql(query).pl()
            return frame


def mart_suites(landed: Landed, warehouse: Warehouse, rules: Rules) -> list[Callable[[], Suite]]:
    """The suites over townships, funding_gap_monthly, staffing_gap_monthly, judgements and findings, each made
    when it is called, so that only one mart at a time is in memory."""
    return [
        lambda: _townships(warehouse),
        lambda: _funding(landed, warehouse, rules),
        lambda: _staffing(landed, warehouse, rules),
        lambda: _judgements(warehouse, rules),
        lambda: _findings(warehouse, rules),
    ]


def _keyed(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds the township-and-month number of `frames.current` (null for a code that is no number)."""
    key = pl.col("subject_code").cast(pl.Int64, strict=False) * 100_000 + month_number()
    return frame.with_columns(key=key, year_key=key - pl.col("month").dt.month().cast(pl.Int64))


def _budget_place(landed: Landed, flagged: pl.DataFrame) -> pl.DataFrame:
    """Adds file, sheet and row of the township's latest budget report of the year up to the month."""
    numbered = flagged.with_row_index("order").sort("key")
    located = numbered.join_asof(
        landed.budget_rows.select("key", *PROVENANCE, place_year="year_key"), on="key", strategy="backward"
    ).sort("order")
    same_year = pl.col("place_year") == pl.col("year_key")
    return located.with_columns(pl.when(same_year).then(pl.col(c)).alias(c) for c in PROVENANCE)


def _staffing_place(landed: Landed, flagged: pl.DataFrame) -> pl.DataFrame:
    """Adds file, sheet and row of the township's staffing report of the month."""
    reports = landed.staffing_rows.filter(pl.col("key").is_in(flagged.get_column("key").implode()))
    return flagged.join(reports.select("key", *PROVENANCE), on="key", how="left", maintain_order="left")


def _fault(name: str, title_zh: str, what_zh: str, why_zh: str, **rest: Any) -> Check:
    """A check whose failure means that the pipeline is wrong."""
    return Check(
        name=name,
        title_zh=title_zh,
        what_zh=what_zh,
        why_zh=why_zh,
        what_to_do_zh=REPORT_FAULT,
        kind="blocking",
        **rest,
    )


def _one_row_each(name: str, title_zh: str, grid: pl.DataFrame, rows: pl.DataFrame) -> list[Panel]:
    """Every answer owed has exactly one row, and no row stands for an answer that is not owed. Both frames have
    `answer`, one whole number for the answer's township, month and rule."""
    repeated = rows.lazy().filter(pl.col("answer").is_duplicated())
    expected = (
        grid.lazy()
        .join(
            repeated.group_by("answer").agg(rows=pl.len().cast(pl.Int64)),
            on="answer",
            how="left",
            maintain_order="left",
        )
        .with_columns(rows=pl.coalesce("rows", is_among("answer", rows.get_column("answer"))))
        .collect()
    )
    owed = rows.with_columns(is_owed=is_among("answer", grid.get_column("answer")))
    return [
        Panel(
            expected,
            (
                _fault(
                    f"{name}_has_every_row_once",
                    f"{title_zh}：应有的行不缺不重",
                    "当月末在册的每个乡镇（街道）每月恰有一行（人员表为每项适用标准一行），不论是否报送。",
                    "没有报送的乡镇也必须列出，否则“未报送”会变成“没有问题”；重复的行会使金额翻倍。",
                    rule=between("rows", 1, 1),
                    operands={"rows": pl.col("rows")},
                    value=pl.col("rows").cast(pl.String),
                    expected=pl.lit("1"),
                    message=told_monthly("有 {} 行，应有 1 行", pl.col("rows")),
                ),
            ),
        ),
        Panel(
            owed,
            (
                _fault(
                    f"{name}_has_no_other_row",
                    f"{title_zh}：没有多余的行",
                    "每一行的乡镇当月末都在册（人员表还须适用该项标准）。",
                    "已撤销或尚未设立的单位不应被监督，否则总数虚增。",
                    rule=is_one("is_owed"),
                    operands={"is_owed": pl.col("is_owed")},
                    message=told_monthly("当月不在册或不适用该标准"),
                ),
            ),
        ),
    ]


# ---------------------------------------------------------------- funding


def _funding(landed: Landed, warehouse: Warehouse, rules: Rules) -> Suite:
    rows = _keyed(
        warehouse.monthly(
            "funding_gap_monthly",
            "township_code as subject_code, month, standard_id, tier_label, population_persons, "
            f"{', '.join(_fen_of(c) for c in _FUNDING_FIGURES)}, status",
        )
    )
    rows = _with_tier(rows, rules)
    guaranteed, allocated = pl.col("guaranteed_annual_cny"), pl.col("allocated_annual_cny")
    guaranteed_ytd, disbursed = pl.col("guaranteed_ytd_cny"), pl.col("disbursed_ytd_cny")
    shortfall, gap = pl.col("allocation_shortfall_cny"), pl.col("disbursement_shortfall_ytd_cny")
    decided = pl.col("status").is_in(["met", "short"])
    # Of a population written in 万人 the least that it may stand for counts.
    least, least_ytd = pl.col("guaranteed_least_annual_cny"), pl.col("guaranteed_least_ytd_cny")
    falls_short = allocated * 2 + pl.col("allocated_precision_cny") <= least * 2
    checks = [
        _fault(
            "funding_status_follows_from_figures",
            "“不达标”与金额一致",
            "按填写的位数，安排数最多也到不了保障额的行都标为不达标，其余的都没有标为不达标。",
            "结论须由金额得出，两者不一致说明计算有误。",
            rule=is_one("status_follows"),
            operands={"status_follows": flag((pl.col("status") == "short") == falls_short)},
            where=decided,
            value=pl.col("status"),
            message=told_monthly("标为 {}，与金额不符", pl.col("status")),
        ),
        _fault(
            "funding_shortfall_is_exact",
            "安排缺口 = 保障额 − 安排数（达标为零，未报送为空）",
            "逐分核对缺口。",
            "缺口要进通报，一分不能差。",
            rule=equal("allocation_shortfall_cny", "shortfall_again"),
            operands={
                "allocation_shortfall_cny": shortfall,
                "shortfall_again": pl.when(pl.col("status") == "short")
                .then(least - allocated)
                .when(pl.col("status") == "met")
                .then(0),
            },
            value=yuan(shortfall),
            message=told_monthly("缺口记为 {} 元，与金额不符", yuan(shortfall)),
        ),
        _fault(
            "funding_surplus_balances",
            "结余 = 安排数 − 保障额（不达标、不足为零）",
            "逐分核对超出部分。",
            "两边不平，必有一项算错。",
            rule=equal("allocation_surplus_cny", "surplus_again"),
            operands={
                "allocation_surplus_cny": pl.col("allocation_surplus_cny"),
                "surplus_again": pl.when(pl.col("status") == "short")
                .then(0)
                .when(pl.col("status") == "met")
                .then(pl.max_horizontal(allocated - guaranteed, 0)),
            },
            message=told_monthly("安排、缺口、保障额、超出四数不平"),
        ),
        _fault(
            "funding_disbursement_shortfall_is_exact",
            "拨付缺口 = 序时保障额 − 累计拨付（达到为零）",
            "逐分核对拨付缺口。",
            "缺口要进通报，一分不能差。",
            rule=is_one("gap_follows"),
            operands={
                "gap_follows": flag(
                    pl.when(disbursed * 2 + pl.col("disbursed_precision_cny") <= least_ytd * 2)
                    .then(gap == least_ytd - disbursed)
                    .otherwise(gap == 0)
                )
            },
            where=gap.is_not_null(),
            value=yuan(gap),
            message=told_monthly("拨付缺口记为 {} 元，与两数之差不符", yuan(gap)),
        ),
        _fault(
            "funding_population_lies_in_tier",
            "人口落在所在档次之内",
            "定档人口在该档上下限之内（恰在分档线上的两档均可）。",
            "档次错了，保障额就错了。",
            rule=is_one("population_in_tier"),
            operands={"population_in_tier": flag(pl.col("population_in_tier"))},
            where=pl.col("tier_label").is_not_null(),
            value=pl.col("population_persons").cast(pl.String),
            expected=pl.col("tier_label"),
            message=told_monthly("人口 {} 不在“{}”一档", pl.col("population_persons"), pl.col("tier_label")),
        ),
        _fault(
            "funding_ytd_within_year",
            "序时保障额不超过全年保障额，12 月两数相等",
            "逐分核对。",
            "逐月累计到年底必须正好是全年保障额。",
            rule=is_one("ytd_within_year"),
            operands={
                "ytd_within_year": flag(
                    pl.when(pl.col("month").dt.month() == 12)
                    .then(guaranteed_ytd == guaranteed)
                    .otherwise(guaranteed_ytd <= guaranteed)
                )
            },
            value=yuan(guaranteed_ytd),
            message=told_monthly("序时保障额记为 {} 元，与全年数不符", yuan(guaranteed_ytd)),
        ),
    ]
    grid = landed.township_months.select("subject_code", "month", answer="key")
    return Suite(
        name="funding_gap_monthly",
        title_zh="经费缺口（月）",
        target="main.funding_gap_monthly",
        panels=(
            Panel(rows, tuple(checks), lambda flagged: _budget_place(landed, flagged)),
            *_one_row_each("funding", "经费缺口", grid, rows.select("subject_code", "month", answer="key")),
            _pieces(warehouse, rules),
        ),
    )


_FUNDING_FIGURES = (
    "guaranteed_annual_cny",
    "guaranteed_ytd_cny",
    "guaranteed_least_annual_cny",
    "guaranteed_least_ytd_cny",
    "allocated_annual_cny",
    "allocated_precision_cny",
    "disbursed_ytd_cny",
    "disbursed_precision_cny",
    "allocation_shortfall_cny",
    "allocation_surplus_cny",
    "disbursement_shortfall_ytd_cny",
)


def _fen_of(column: str) -> str:
    """Whole 分, worked out by DuckDB: exact, since amounts have two decimals."""
    return f"cast({column} * 100 as bigint) as {column}"


def _pieces(warehouse: Warehouse, rules: Rules) -> Panel:
    """The annual amount of each piece of a guarantee, worked out again from the tier that the piece names."""
    rows = warehouse.pieces(
        "township_code as subject_code, make_date(cast(fiscal_year as int), cast(first_number as int), 1) as month, "
        "standard_id, tier_label, population_persons, cast(annual_units as bigint) as annual_units"
    )
    annual, again = pl.col("annual_units"), pl.col("annual_again")
    check = _fault(
        "funding_guarantee_follows_from_tier",
        "保障数的每一部分 = 所在档次的标准 × 人口 × 月数",
        "用标准库中该档的数值重新测算全年额，逐项核对；不四舍五入。",
        "保障额是全部缺口的起点，须与文件完全一致。",
        rule=equal("annual_units", "annual_again"),
        operands={"annual_units": annual, "annual_again": again},
        value=yuan(annual // 100),
        expected=yuan(again // 100),
        message=told_monthly("全年额记为 {} 元，按标准应为 {} 元", yuan(annual // 100), yuan(again // 100)),
    )
    return Panel(_keyed(_with_tier(rows, rules)), (check,))


def _with_tier(rows: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Adds the year's amount worked out again from the tier that the row names, in ten-thousandths of a 元, and
    whether its population lies within that tier."""
    formulas = rules.standards.select("standard_id", "formula")
    low = whole("lower_bound").fill_null(0)
    in_full = pl.col("yearly") * (whole("upper_bound") - low)
    tiers = rules.tiers.sort("standard_id", "tier_no").join(
        formulas, on="standard_id", how="left", maintain_order="left"
    )
    tiers = tiers.select(
        "standard_id",
        "tier_label",
        whole("lower_bound"),
        whole("upper_bound"),
        "formula",
        # Ten-thousandths of a 元, times the months that the unit counts by.
        yearly=pl.col("value").cast(pl.Decimal(18, 4)).to_physical().cast(pl.Int64)
        * pl.when(pl.col("unit").str.ends_with("月")).then(12).otherwise(1),
    ).with_columns(below=in_full.cum_sum().shift(1).over("standard_id").fill_null(0))
    population = whole("population_persons")
    marginal = pl.col("formula") == "per_capita_marginal"
    heads = (
        pl.when(marginal)
        .then(population - low)
        .when(pl.col("formula") == "per_capita_by_tier")
        .then(population)
        .otherwise(1)
    )
    below = pl.when(marginal).then(pl.col("below")).otherwise(0)
    return rows.join(tiers, on=["standard_id", "tier_label"], how="left", maintain_order="left").with_columns(
        annual_again=below + pl.col("yearly") * heads,
        population_in_tier=(population >= pl.col("lower_bound").fill_null(0))
        & (pl.col("upper_bound").is_null() | (population <= pl.col("upper_bound"))),
    )


def _with_basis(rows: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """`basis_holds`: whether the standard was still confirmed on the month's last day; else nothing is concluded."""
    confirmed = rules.standards.select("standard_id", confirmed_until=confirmed_until())
    until = pl.col("confirmed_until")
    return (
        rows.join(confirmed, on="standard_id", how="left", maintain_order="left")
        .with_columns(basis_holds=until.is_null() | (until >= pl.col("month").dt.month_end()))
        .drop("confirmed_until")
    )


# ---------------------------------------------------------------- staffing


def _staffing(landed: Landed, warehouse: Warehouse, rules: Rules) -> Suite:
    rows = _keyed(
        warehouse.monthly(
            "staffing_gap_monthly",
            "township_code as subject_code, month, standard_id, counted_persons, required_least_persons, "
            "advised_most_persons, shortfall_persons, excess_persons, counted_is_partial, status",
        )
    ).with_columns(whole(c) for c in _STAFF_FIGURES)
    rows = _with_basis(rows, rules)
    counted, required = pl.col("counted_persons"), pl.col("required_least_persons")
    advised, missing = pl.col("advised_most_persons"), pl.col("shortfall_persons")
    # People known in part that do not reach the minimum leave it open: nobody knows who is missing.
    told = ~(pl.col("counted_is_partial") & (pl.col("status") == "not_reported"))
    decided = ~pl.col("status").is_in(UNDECIDED) & pl.col("basis_holds") & told
    by_parts = pl.col("standard_id").is_in(rules.of_formulas(("posts_parts",)).implode())
    checks = [
        _fault(
            "staffing_shortfall_is_exact",
            "人员缺口 = 至少要求 − 实有（不足为零）",
            "逐行核对缺口人数；按编制分项核定的标准另行核对。",
            "缺口要进通报，一人不能差。",
            rule=equal("shortfall_persons", "shortfall_again"),
            operands={"shortfall_persons": missing, "shortfall_again": _missing(counted, required)},
            where=~by_parts & told,
            value=missing.cast(pl.String),
            expected=_missing(counted, required).cast(pl.String),
            message=told_monthly("缺口记为 {} 人，与实有、应有不符", missing),
        ),
        _fault(
            "staffing_excess_is_exact",
            "超配 = 实有 − 至多建议（不足为零）",
            "有建议上限的标准逐行核对。",
            "超配只作提示，但数字同样要准。",
            rule=equal("excess_persons", "excess_again"),
            operands={"excess_persons": pl.col("excess_persons"), "excess_again": _missing(advised, counted)},
            where=told,
            value=pl.col("excess_persons").cast(pl.String),
            message=told_monthly("超配记为 {} 人，与实有、上限不符", pl.col("excess_persons")),
        ),
        _fault(
            "staffing_status_follows_from_figures",
            "“不达标”与人数一致",
            "有缺口的行都标为不达标，没有缺口或没有报送的都不标。",
            "结论须由数字得出，两者不一致说明计算有误。",
            rule=is_one("status_follows"),
            operands={
                "status_follows": flag((pl.col("status") == "short") == (missing > 0).fill_null(False))
            },
            where=decided,
            value=pl.col("status"),
            message=told_monthly("标为 {}，与缺口不符", pl.col("status")),
        ),
    ]
    answer = pl.col("key") * RULES_AT_MOST + rules.number()
    owed = rules.owed(landed.township_months, STAFF_FORMULAS).with_columns(answer=answer)
    given = rows.select("subject_code", "month", "standard_id", answer=answer)
    return Suite(
        name="staffing_gap_monthly",
        title_zh="人员缺口（月）",
        target="main.staffing_gap_monthly",
        panels=(
            Panel(rows, tuple(checks), lambda flagged: _staffing_place(landed, flagged)),
            *_one_row_each("staffing", "人员缺口", owed, given),
        ),
    )


_STAFF_FIGURES = (
    "counted_persons",
    "required_least_persons",
    "advised_most_persons",
    "shortfall_persons",
    "excess_persons",
)


def _missing(have: pl.Expr, need: pl.Expr) -> pl.Expr:
    """What is missing to `need`, not below zero; null where either is."""
    return pl.when(have.is_not_null() & need.is_not_null()).then(pl.max_horizontal(need - have, 0))


# ---------------------------------------------------------------- judgements


def _judgements(warehouse: Warehouse, rules: Rules) -> Suite:
    rows = _keyed(
        warehouse.monthly(
            "judgements",
            # Ten-thousandths, so that amounts and shares stay whole numbers.
            "rule_id, subject_code, month, status, unit, "
            "cast(value_checked * 10000 as bigint) as value_checked, "
            "cast(value_expected * 10000 as bigint) as value_expected, "
            "cast(shortfall * 10000 as bigint) as shortfall, denominator is not null as is_ratio",
        ).with_columns(standard_id="rule_id")
    )
    # 59,999 of 60,000 is less than all, and 1.0000 with four decimals: what is too little to show is still missing.
    unseen = (
        (pl.col("status") == "short")
        & pl.col("is_ratio")
        & (pl.col("value_checked") == pl.col("value_expected"))
        & (pl.col("shortfall") == 0)
    ).fill_null(False)
    rows = rows.with_columns(shortfall=pl.when(unseen).then(1).otherwise("shortfall"))
    found, expected, missing = pl.col("value_checked"), pl.col("value_expected"), pl.col("shortfall")
    decided = ~pl.col("status").is_in(UNDECIDED)
    counted = pl.col("rule_id").is_in(rules.of_formulas(DIRECT_FORMULAS).implode())
    agreement = _fault(
        "judgement_status_follows_from_figures",
        "“不达标”与数字一致",
        "判为不达标的，缺少数都大于零；缺少数大于零的，都判为不达标（报送不全的除外）。",
        "判断结论与数字不一致，说明计算有误。",
        rule=is_one("status_follows"),
        operands={
            "status_follows": flag(
                pl.when((missing > 0).fill_null(False))
                # What is known of a composite may already lack something while a part has not been reported.
                .then(pl.col("status").is_in(["short", "not_reported"]))
                .otherwise(pl.col("status") != "short")
            )
        },
        where=decided,
        value=pl.col("status"),
        message=told_monthly("判为 {}，与缺少数不符", pl.col("status")),
    )
    direct = _fault(
        "judgement_shortfall_follows_from_figures",
        "缺少数与实有数、应有数一致",
        "按人数、村数直接比较的标准，实有数低于应有数的都有缺少数，其余的都没有。",
        "缺少数要进通报，须由两个数得出。",
        rule=is_one("shortfall_follows"),
        operands={"shortfall_follows": flag((found < expected) == (missing > 0))},
        where=decided & counted & (pl.col("status") != "not_reported"),
        value=_plain(found),
        expected=_plain(expected),
        message=told_monthly(
            "实有 {}，应有 {}，缺少数记为 {}", _plain(found), _plain(expected), _plain(missing)
        ),
    )
    once = _fault(
        "judgement_given_once",
        "每项判断恰有一条",
        "同一标准、同一单位、同一时期只有一条判断。",
        "重复的判断会使不达标数虚增。",
        rule=between("times", 1, 1),
        operands={"times": pl.when(pl.col("answer").is_not_null()).then(pl.len().over("answer"))},
        message=told_monthly("标准 {} 的判断重复", pl.col("rule_id")),
    )
    numbered = rows.with_columns(
        # One whole number for subject, month and rule: 12 digits and 4,096 months from 1900 fit.
        answer=(pl.col("subject_code").cast(pl.Int64, strict=False) * 4_096 + month_number() - 1_900 * 12)
        * RULES_AT_MOST
        + rules.number()
    )
    return Suite(
        name="judgements",
        title_zh="标准判断",
        target="main.judgements",
        panels=(Panel(numbered, (agreement, direct, once)),),
    )


def _plain(ten_thousandths: pl.Expr) -> pl.Expr:
    """Text of a number kept in ten-thousandths, without idle zeros."""
    whole_part, rest = ten_thousandths // 10_000, ten_thousandths % 10_000
    decimals = rest.cast(pl.String).str.zfill(4).str.strip_chars_end("0")
    return (
        pl.when(rest == 0)
        .then(whole_part.cast(pl.String))
        .otherwise(pl.format("{}.{}", whole_part, decimals.str.pad_end(2, "0")))
    )


# ---------------------------------------------------------------- townships, findings


def _townships(warehouse: Warehouse) -> Suite:
    rows = warehouse.table(
        "townships", "township_code as subject_code, township_name as subject_name, valid_from, valid_to"
    ).with_columns(code=pl.col("subject_code").cast(pl.Int64, strict=False))
    checks = (
        _fault(
            "townships_code_once",
            "每个乡镇代码只有一行",
            "代码不重复。",
            "重复的代码会使该乡镇的金额翻倍。",
            rule=unique("code"),
            operands={"code": pl.col("code")},
            message=told("的代码重复"),
        ),
        _fault(
            "townships_code_has_nine_digits",
            "乡镇代码为 9 位数字",
            "代码为 9 位数字，前 6 位是县级代码。",
            "县级汇总按前 6 位归集。",
            rule=is_one("has_nine_digits"),
            operands={"has_nine_digits": flag(pl.col("subject_code").str.contains(r"^\d{9}$"))},
            value=pl.col("subject_code"),
            message=told("的代码不是 9 位数字"),
        ),
    )
    return Suite("townships", "乡镇（街道）", "main.townships", (Panel(rows, checks, is_whole=True),))


# Months that an answer of a period speaks for; a spell counts all of them, its dates only the last.
_PERIOD_MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12, "two_years": 24}


def _findings(warehouse: Warehouse, rules: Rules) -> Suite:
    periods = rules.standards.select(
        "standard_id", period_months=pl.col("period").replace_strict(_PERIOD_MONTHS, default=24)
    )
    rows = (
        warehouse.table(
            "findings",
            "finding_id, rule_id as standard_id, subject_code, opened_month as month, last_month, cleared_month, "
            "months_open",
        )
        .with_columns(
            identity=pl.col("finding_id").rank("dense").cast(pl.Int64),
            opened=month_number("month"),
            last=month_number("last_month"),
            cleared=month_number("cleared_month"),
            months_open=whole("months_open"),
        )
        .join(periods, on="standard_id", how="left", maintain_order="left")
    )
    span = pl.col("last") - pl.col("opened") + pl.col("period_months")
    checks = (
        _fault(
            "findings_id_once",
            "问题编号不重复",
            "每个问题一个编号。",
            "回复、豁免都记在编号上，重复就会记错。",
            rule=unique("identity"),
            operands={"identity": pl.col("identity")},
            message=told_monthly("编号 {} 重复", pl.col("finding_id")),
        ),
        _fault(
            "findings_months_fit_dates",
            "持续月数不超过起止月之间的月数",
            "持续月数不多于起始期的第一个月到最近月的月数（按季、按年判断的，从该季、该年的第一个月算）。",
            "持续月数要进通报。",
            rule=at_least("span", "months_open"),
            operands={"span": span, "months_open": pl.col("months_open")},
            value=pl.col("months_open").cast(pl.String),
            expected=span.cast(pl.String),
            message=told_monthly("持续 {} 个月，起止之间只有 {} 个月", pl.col("months_open"), span),
        ),
        _fault(
            "findings_cleared_after_last",
            "整改月在最近一次不达标之后",
            "已整改的问题，整改月晚于最近一次不达标的月份。",
            "先后颠倒说明计算有误。",
            rule=at_least("cleared", "after_last"),
            operands={"cleared": pl.col("cleared"), "after_last": pl.col("last") + 1},
            message=told_monthly("整改月早于最近一次不达标的月份"),
        ),
    )
    return Suite("findings", "问题清单", "main.findings", (Panel(rows, checks, is_whole=True),))
