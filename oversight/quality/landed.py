"""One suite over each landed dataset, made from the contracts: completeness, plausibility, identities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import polars as pl

from oversight.contracts import ALL_DATASETS, DATASETS, Column
from oversight.quality.frames import (
    PROVENANCE,
    Landed,
    current,
    fen,
    flag,
    from_month,
    is_among,
    month_number,
    reported,
    told,
    told_monthly,
    whole,
    yuan,
)
from oversight.quality.suites import Check, Panel, Suite, at_least, between, equal, is_one, present, unique

ASK_SENDER = "请报送单位核对原表；有误的报更正件，无误的在备注中说明原因。"
REPORT_FAULT = "属于程序问题：本次结果不发布，请把本页连同原文件交维护人员。"

# Bounds of doubt. They are about how figures behave, not about policy; why each is what it is stands in its check.
JUMP_PERCENT = 10
OWN_FACTOR = 100
PEER_FACTOR = 300
# Amounts given in 万元 with two decimals are multiples of 100 元, each off by at most half of that.
ROUNDED_TO_FEN = 100 * 100
HALF_ROUNDED_FEN = ROUNDED_TO_FEN // 2


def landed_suites(landed: Landed) -> list[Callable[[], Suite]]:
    """The suites over submissions, divisions, population, budget, staffing and indicators, each made when it is
    called, so that only one dataset at a time is in memory."""
    makers = (_submissions, _divisions, _population, _budget, _staffing, _indicators)
    return [partial(make, landed) for make in makers]


# ---------------------------------------------------------------- what every monthly dataset has in common


def _measures(dataset: str) -> list[Column]:
    return [c for c in DATASETS[dataset].measures if c.kind in ("count", "money")]


def _number(column: Column) -> pl.Expr:
    return fen(column.name) if column.kind == "money" else whole(column.name)


def _text(column: Column, number: pl.Expr) -> pl.Expr:
    return yuan(number) if column.kind == "money" else number.cast(pl.String)


def _columns(dataset: str) -> list[str]:
    """Figures and names of a monthly dataset; money comes as whole 分 after `_in_fen`."""
    return ["reported_code", "reported_name", *(c.name for c in _measures(dataset))]


def _in_fen(dataset: str, frame: pl.DataFrame) -> pl.DataFrame:
    money = [c.name for c in _measures(dataset) if c.kind == "money" and c.name in frame.columns]
    return frame.with_columns(fen(name) for name in money)


def _shown(column: Column) -> pl.Expr:
    """A figure as text, from a frame that `_in_fen` made."""
    return _text(column, pl.col(column.name))


def _key_checks(dataset: str) -> list[Check]:
    title = DATASETS[dataset].title_zh
    return [
        Check(
            name=f"{dataset}_rows_can_be_traced",
            title_zh=f"{title}：每行都有月份、单位和来源",
            what_zh="已采用的每一行都写明月份、乡镇代码、报送文件和行号。",
            why_zh="缺了任何一项，就查不到数据从哪个文件的哪一行来。",
            what_to_do_zh=REPORT_FAULT,
            kind="blocking",
            rule=between("missing_keys", 0, 0),
            operands={
                "missing_keys": pl.sum_horizontal(
                    pl.col(c).is_null().cast(pl.Int64)
                    for c in ("month", "subject_code", "submission_id", "row_number")
                )
            },
            message=told_monthly("缺少月份、单位、文件或行号"),
        ),
        Check(
            name=f"{dataset}_unit_is_known",
            title_zh=f"{title}：单位在行政区划中",
            what_zh="已采用的每一行的乡镇代码都在行政区划数据里，且为 9 位数字。",
            why_zh="代码不在行政区划中的行应在接收时退回，不应进入数据。",
            what_to_do_zh=REPORT_FAULT,
            kind="blocking",
            rule=is_one("unit_is_known"),
            operands={"unit_is_known": flag(pl.col("unit_name").is_not_null())},
            value=pl.col("subject_code"),
            expected=pl.lit("行政区划中的 9 位代码"),
            message=told_monthly("代码不在行政区划中"),
        ),
        Check(
            name=f"{dataset}_name_agrees_with_code",
            title_zh=f"{title}：名称与代码一致",
            what_zh="上报的乡镇名称与其代码在行政区划中的名称（现名或上报时所用代码的名称）一致，允许省略“镇”“乡”“街道”。",
            why_zh="名称与代码对不上，可能是抄错了行或填错了代码，数字就记到了别的乡镇头上。",
            what_to_do_zh="请报送单位核对代码和名称，以正确的一项为准报更正件。",
            kind="doubt",
            rule=is_one("name_agrees"),
            operands={"name_agrees": pl.col("name_agrees")},
            value=pl.col("reported_name"),
            expected=pl.col("unit_name"),
            message=told_monthly("上报名称为“{}”", pl.col("reported_name")),
        ),
    ]


def _bare(name: pl.Expr) -> pl.Expr:
    """A unit's name without blanks and without its kind at the end."""
    return name.str.replace_all(r"\s", "").str.replace(r"(街道办事处|街道|民族乡|镇|乡|苏木)$", "")


def _name_agrees() -> pl.Expr:
    """Whether the reported name is the unit's, or that of the code it was reported under; null if not given."""
    given = _bare(pl.col("reported_name"))
    known = [_bare(pl.col("unit_name")), _bare(pl.col("reported_unit_name"))]
    # A sender may put county before the township's name: compare ends.
    agrees = pl.any_horizontal(
        (given.str.ends_with(n) | n.str.ends_with(given)).fill_null(False) for n in known
    )
    can_tell = (given != "") & pl.any_horizontal(n.is_not_null() for n in known)
    return pl.when(can_tell).then(agrees)


def _with_unit_names(landed: Landed, frame: pl.DataFrame) -> pl.DataFrame:
    """Adds the unit's name and whether the reported one agrees, worked out once for each way of reporting."""
    names = landed.units.lazy().select("division_code", name="division_name")
    on = ["subject_code", "reported_code", "reported_name"]
    looked_up = (
        frame.lazy()
        .select(on)
        .unique()
        # 12 digits with trailing zeros are the same unit as 9.
        .with_columns(short_code=pl.col("reported_code").str.replace(r"^(\d{9})000$", "$1"))
        .join(
            names.rename({"division_code": "subject_code", "name": "unit_name"}),
            on="subject_code",
            how="left",
        )
        .join(
            names.rename({"division_code": "short_code", "name": "reported_unit_name"}),
            on="short_code",
            how="left",
        )
        .select(*on, "unit_name", name_agrees=flag(_name_agrees()))
    )
    return frame.lazy().join(looked_up, on=on, how="left", nulls_equal=True, maintain_order="left").collect()


def _any_of(dataset: str) -> list[Check]:
    """Of the figures that may stand alone at least one is there: an annual budget alone is a report."""
    names = DATASETS[dataset].any_of
    if not names:
        return []
    titles = "、".join(DATASETS[dataset].columns[name].label_zh for name in names)
    return [
        Check(
            name=f"{dataset}_anything_reported",
            title_zh="主要数据：至少填报一项",
            what_zh=f"每份报表至少填了{titles}中的一项。",
            why_zh="这些数据各自都可以单独报送；一项也没有，就是未报送，不按零计算。",
            what_to_do_zh="请报送单位补报；确实没有发生的，写“零报告”或填 0。",
            kind="doubt",
            rule=present("anything"),
            operands={
                "anything": pl.when(pl.any_horizontal(pl.col(n).is_not_null() for n in names)).then(1.0)
            },
            expected=pl.lit("至少一项"),
            message=told_monthly("主要数据一项也未填"),
        )
    ]


def _completeness(dataset: str) -> list[Check]:
    """Every required figure of the contract is there."""
    return _any_of(dataset) + [
        Check(
            name=f"{dataset}_{column.name}_reported",
            title_zh=f"{column.label_zh}：已填报",
            what_zh=f"每份报表都填了“{column.title_zh}”。",
            why_zh="该栏为必填。空着就是未报送，不按零计算。",
            what_to_do_zh=f"请报送单位补报“{column.title_zh}”；确实为零的填 0。",
            kind="doubt",
            rule=present(column.name),
            operands={column.name: reported(column.name)},
            expected=pl.lit("必填"),
            message=told_monthly(f"“{column.title_zh}”未填"),
        )
        for column in _measures(dataset)
        if column.required
    ]


def _plausibility(dataset: str) -> list[Check]:
    """Every figure lies within what the contract calls plausible."""
    checks = []
    for column in _measures(dataset):
        if column.plausible_max is None:
            continue
        top = int(column.plausible_max) * (100 if column.kind == "money" else 1)
        checks.append(
            Check(
                name=f"{dataset}_{column.name}_plausible",
                title_zh=f"{column.label_zh}：数值在合理范围内",
                what_zh=f"“{column.title_zh}”不小于 0，不大于 {int(column.plausible_max):,}{column.unit or ''}。",
                why_zh="上限取全国乡镇实际数值之上留足余地，超过的多半是单位弄错或串了列。",
                what_to_do_zh=ASK_SENDER,
                kind="doubt",
                rule=between(column.name, 0, top),
                operands={column.name: pl.col(column.name)},
                value=_shown(column),
                expected=pl.lit(f"0 至 {int(column.plausible_max)}"),
                message=told_monthly(
                    f"“{column.label_zh}”为 {{}}{column.unit or ''}，超出合理范围", _shown(column)
                ),
            )
        )
    return checks


def _scale_columns(dataset: str) -> list[Column]:
    return [c for c in _measures(dataset) if c.scale == "stock"]


def _scale_panels(landed: Landed, dataset: str, rows: pl.DataFrame) -> list[Panel]:
    """Every month again: its middle value moves with the months that come, and what is far from it with it."""
    columns = [c.name for c in _scale_columns(dataset)]
    if not columns:
        return []
    if landed.since:
        rows = _in_fen(dataset, current(landed.inputs, dataset, columns))
    rows = rows.select("subject_code", "month", "key", *columns, *PROVENANCE)
    return [Panel(_with_scale(columns, rows), tuple(_scale_checks(dataset)), is_whole=True)]


def _with_scale(columns: list[str], frame: pl.DataFrame) -> pl.DataFrame:
    """For figures that move slowly: how many times off the township's own middle value and its county's.

    Only figures above zero count. The frame is sorted by `key`, so townships come in runs of whole numbers."""
    unit, county = pl.col("key") // 100_000, pl.col("unit") // 1_000
    middle = pl.col(*columns).median().round().cast(pl.Int64)
    seen = frame.lazy().select(
        unit.set_sorted().alias("unit"), *(pl.when(pl.col(c) > 0).then(pl.col(c)).alias(c) for c in columns)
    )
    own = seen.group_by("unit").agg(middle).with_columns(county=county)
    peers = own.group_by("county").agg(middle)
    middles = own.join(peers, on="county", how="left", suffix="_peers").rename(
        {c: f"{c}_own" for c in columns}
    )
    joined = (
        frame.lazy()
        .with_columns(unit=unit)
        .join(middles.drop("county"), on="unit", how="left", maintain_order="left")
    )
    return (
        joined.with_columns(
            pl.when((pl.col(c) > 0) & (pl.col(f"{c}_{base}") > 0))
            .then(pl.max_horizontal(c, f"{c}_{base}") // pl.min_horizontal(c, f"{c}_{base}"))
            .alias(f"{c}_times_off_{base}")
            for c in columns
            for base in ("own", "peers")
        )
        .drop("unit")
        .collect()
    )


def _scale_checks(dataset: str) -> list[Check]:
    """The factor 1,000 or 10,000 (元 for 万元, 人 for 万人) among rows that were accepted."""
    checks = []
    for column in _scale_columns(dataset):
        for base, factor, whose in (("own", OWN_FACTOR, "本乡镇历月"), ("peers", PEER_FACTOR, "同县各乡镇")):
            middle = pl.col(f"{column.name}_{base}")
            checks.append(
                Check(
                    name=f"{dataset}_{column.name}_unit_right_against_{base}",
                    title_zh=f"{column.label_zh}：与{whose}相比没有差千倍万倍",
                    what_zh=f"“{column.label_zh}”与{whose}的中位数相差不到 {factor} 倍。",
                    why_zh=f"这类数字逐月变化不大，乡镇之间也很少相差百倍。差 {factor} 倍以上，多半是把元写成了万元（或反之）。",
                    what_to_do_zh="请报送单位核对计量单位，按正确单位报更正件。",
                    kind="doubt",
                    rule=between(f"{column.name}_times_off_{base}", 0, factor - 1),
                    operands={f"{column.name}_times_off_{base}": pl.col(f"{column.name}_times_off_{base}")},
                    value=_shown(column),
                    expected=_text(column, middle),
                    message=told_monthly(
                        f"“{column.label_zh}”为 {{}}{column.unit}，{whose}中位数为 {{}}{column.unit}，相差 {{}} 倍",
                        _shown(column),
                        _text(column, middle),
                        pl.col(f"{column.name}_times_off_{base}"),
                    ),
                )
            )
    return checks


def _every_month(landed: Landed, dataset: str, rows: pl.DataFrame) -> Panel:
    """Who has not reported: a row for each township in force in each month, with the number of reports used.

    A report that is held until confirmed is told apart from none, and leads to its file and row."""
    title = DATASETS[dataset].title_zh
    held = landed.held_rows(dataset).with_columns(is_held=True)
    grid = (
        landed.township_months.lazy()
        .filter("is_township")
        .with_columns(reports=is_among("key", rows.get_column("key")))
        .drop("is_township")
        .collect()
    )
    waits = pl.col("is_held").fill_null(False)
    check = Check(
        name=f"{dataset}_reported_every_month",
        title_zh=f"{title}：每个乡镇每月都有报送",
        what_zh="当月有效的每个乡镇（街道）都有一份已采用的报表，从最早报送月到最近报送月逐月核对。",
        why_zh="没有报送不等于零，也不等于达标。",
        what_to_do_zh="请该乡镇补报；已报而被退回或待确认的，按所列原因改正后重报。",
        kind="doubt",
        rule=between("reports", 1, None),
        operands={"reports": pl.col("reports")},
        value=pl.when(waits).then(pl.lit("待确认")).otherwise(pl.lit("未报送")),
        expected=pl.lit("1 份"),
        message=pl.when(waits)
        .then(told_monthly(f"{title}已报，数值存疑待确认，暂未采用"))
        .otherwise(told_monthly(f"未报送{title}")),
    )
    return Panel(
        grid, (check,), lambda flagged: flagged.join(held, on="key", how="left", maintain_order="left")
    )


def _monthly(landed: Landed, dataset: str) -> pl.DataFrame:
    """Current rows of a monthly dataset, sorted by township and month, money in 分, with names."""
    rows = current(landed.inputs, dataset, _columns(dataset), first=landed.month_before)
    return _with_unit_names(landed, _in_fen(dataset, rows))


def _panels(
    landed: Landed, dataset: str, rows: pl.DataFrame, own_checks: Sequence[Check]
) -> tuple[Panel, ...]:
    """What every monthly dataset is asked, and its own checks."""
    judged = landed.judged(rows)
    common = (*_key_checks(dataset), *_completeness(dataset), *_plausibility(dataset))
    return (
        Panel(judged, common),
        *_scale_panels(landed, dataset, rows),
        Panel(judged, tuple(own_checks)),
        _every_month(landed, dataset, judged),
    )


def _previous(column: str) -> pl.Expr:
    """The figure of the month before, of the same township; the frame is sorted by township and month."""
    return pl.when(pl.col("key") == pl.col("key").shift(1) + 1).then(pl.col(column).shift(1))


# ---------------------------------------------------------------- population


def _population(landed: Landed) -> Suite:
    rows = _monthly(landed, "population").with_columns(
        population_before=_previous("population_persons"),
        net_change=whole("births_persons")
        - whole("deaths_persons")
        + whole("moved_in_persons")
        - whole("moved_out_persons"),
    )
    rows = rows.with_columns(population_by_change=pl.col("population_before") + pl.col("net_change"))
    boundary_changes = _boundary_changes(landed)
    rows = rows.with_columns(
        boundary_changed=pl.col("key").is_in(boundary_changes.implode()),
        change=(pl.col("population_persons") - pl.col("population_before")).abs(),
        change_allowed=pl.col("population_before") * JUMP_PERCENT // 100,
    )
    column = DATASETS["population"].columns["population_persons"]
    checks = [
        Check(
            name="population_month_end_follows_from_changes",
            title_zh="月末人口 = 上月末 + 出生 − 死亡 + 迁入 − 迁出",
            what_zh="上月与本月都报了户籍人口、本月四项变动都填了的，逐行核对。当月有撤并、改设的不核对。",
            why_zh="户籍人口只因出生、死亡、迁入、迁出而变，是恒等式，不留误差。",
            what_to_do_zh=ASK_SENDER,
            kind="doubt",
            rule=equal("population_persons", "population_by_change"),
            operands={
                "population_persons": pl.col("population_persons"),
                "population_by_change": pl.col("population_by_change"),
            },
            where=~pl.col("boundary_changed"),
            value=pl.col("population_persons").cast(pl.String),
            expected=pl.col("population_by_change").cast(pl.String),
            message=told_monthly(
                "月末户籍人口报 {} 人，按上月末 {} 人加减变动应为 {} 人",
                pl.col("population_persons"),
                pl.col("population_before"),
                pl.col("population_by_change"),
            ),
        ),
        Check(
            name="population_no_sudden_jump",
            title_zh=f"户籍人口：较上月变动不超过 {JUMP_PERCENT}%",
            what_zh=f"户籍人口与上月相差不超过上月的 {JUMP_PERCENT}%。当月有撤并、改设的不核对。",
            why_zh="乡镇户籍人口正常每月变动不到 1%，一成以上多半是漏填、串行或口径变了。",
            what_to_do_zh=ASK_SENDER,
            kind="doubt",
            rule=at_least("change_allowed", "change"),
            operands={"change_allowed": pl.col("change_allowed"), "change": pl.col("change")},
            where=~pl.col("boundary_changed"),
            value=_shown(column),
            expected=pl.format("{} ± {}", "population_before", "change_allowed"),
            message=told_monthly(
                "户籍人口由上月 {} 人变为 {} 人", pl.col("population_before"), pl.col("population_persons")
            ),
        ),
        Check(
            name="population_households_fit",
            title_zh="户籍户数不多于户籍人口",
            what_zh="户籍户数不大于户籍人口。",
            why_zh="一户至少一人；户数多于人数，多半是两列填反了。",
            what_to_do_zh=ASK_SENDER,
            kind="doubt",
            rule=at_least("population_persons", "households_count"),
            operands={
                "population_persons": pl.col("population_persons"),
                "households_count": whole("households_count"),
            },
            value=pl.col("households_count").cast(pl.String),
            expected=pl.format("不大于 {}", "population_persons"),
            message=told_monthly(
                "户籍户数 {} 多于户籍人口 {}", pl.col("households_count"), pl.col("population_persons")
            ),
        ),
    ]
    return Suite(
        name="population",
        title_zh="户籍人口",
        target="inputs.population",
        panels=_panels(landed, "population", _with_year_end(rows), (*checks, _year_end_check())),
    )


def _boundary_changes(landed: Landed) -> pl.Series:
    """Keys (township and month) in which a unit began or took over another: its population may jump."""
    units = landed.units.filter(pl.col("division_code").str.len_chars() == 9)
    began = units.select(code="division_code", on="valid_from")
    took_over = units.select(
        code=pl.col("successor_code").str.replace_all("[、;,，]", "；").str.split("；"), on="unit_end"
    ).explode("code")
    changes = pl.concat([began, took_over]).drop_nulls()
    number = pl.col("code").cast(pl.Int64, strict=False) * 100_000 + month_number("on")
    # The figures may move in the month of the change or in the one after.
    return pl.concat([changes.select(key=number), changes.select(key=number + 1)]).get_column("key").unique()


def _over_twelve_months(figure: pl.Expr) -> pl.Expr:
    """Sum of the last twelve rows, by running sums."""
    running = figure.cum_sum()
    return running - running.shift(12)


def _with_year_end(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds to each December, where it and the twelve months before it are all there, undisturbed and complete:
    the population at the start of the year and what it should be after the year's changes."""
    net = pl.col("net_change")
    whole_year = (
        (pl.col("month").dt.month() == 12)
        # Keys are distinct and ascending: twelve rows back and twelve months back means that none is missing.
        & (pl.col("key") == pl.col("key").shift(12) + 12)
        & (_over_twelve_months(net.is_null().cast(pl.Int64)) == 0)
        & (_over_twelve_months(pl.col("boundary_changed").cast(pl.Int64)) == 0)
    )
    start = pl.when(whole_year).then(pl.col("population_persons").shift(12))
    return rows.with_columns(
        population_year_start=start, population_year_end=start + _over_twelve_months(net.fill_null(0))
    )


def _year_end_check() -> Check:
    return Check(
        name="population_year_end_follows_from_changes",
        title_zh="年末人口 = 年初 + 全年出生 − 死亡 + 迁入 − 迁出",
        what_zh="上年末与本年 12 个月都报齐、全年无撤并改设的乡镇，逐年核对。",
        why_zh="定档用的是上年末人口；全年变动对不上，上年末或本年末的数就有一个不可信。",
        what_to_do_zh=ASK_SENDER,
        kind="doubt",
        rule=equal("population_persons", "population_year_end"),
        operands={
            "population_persons": pl.col("population_persons"),
            "population_year_end": pl.col("population_year_end"),
        },
        value=pl.col("population_persons").cast(pl.String),
        expected=pl.col("population_year_end").cast(pl.String),
        message=told_monthly(
            "年末户籍人口报 {} 人，按年初 {} 人加减全年变动应为 {} 人",
            pl.col("population_persons"),
            pl.col("population_year_start"),
            pl.col("population_year_end"),
        ),
    )


# ---------------------------------------------------------------- budget


def _with_year_to_date(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds, for payments and spending: the sum of the months of the year if every month is there
    (`*_sum`), how far rounding to 万元 can carry it (`*_rounding`), and the year-to-date figure (`*_ytd`)."""
    frame = rows.with_columns(
        year_key=pl.col("key") - pl.col("month").dt.month().cast(pl.Int64)
    ).with_columns(starts_year=pl.col("year_key").ne_missing(pl.col("year_key").shift(1)))
    month_of_year = pl.col("month").dt.month().cast(pl.Int64)
    new = []
    for flow in ("disbursed", "spent"):
        month = pl.col(f"{flow}_month_cny")
        complete = _so_far(flag(month.is_not_null())) == month_of_year
        all_rounded = _so_far(flag((month % ROUNDED_TO_FEN != 0).fill_null(True))) == 0
        new += [
            pl.when(complete).then(_so_far(month.fill_null(0))).alias(f"{flow}_sum"),
            pl.when(all_rounded)
            .then((month_of_year + 1) * HALF_ROUNDED_FEN)
            .otherwise(0)
            .alias(f"{flow}_rounding"),
        ]
    frame = frame.with_columns(new)
    return frame.with_columns(
        *(
            pl.coalesce(f"{flow}_cumulative_cny", f"{flow}_sum").alias(f"{flow}_ytd")
            for flow in ("disbursed", "spent")
        ),
        annual_budget=pl.coalesce("adjusted_budget_cny", "initial_budget_cny"),
        initial_before=pl.when(pl.col("year_key") == pl.col("year_key").shift(1)).then(
            pl.col("initial_budget_cny").shift(1)
        ),
        disbursed_before=pl.when(pl.col("year_key") == pl.col("year_key").shift(1)).then(
            pl.col("disbursed_cumulative_cny").shift(1)
        ),
        spent_before=pl.when(pl.col("year_key") == pl.col("year_key").shift(1)).then(
            pl.col("spent_cumulative_cny").shift(1)
        ),
    ).with_columns(
        **{
            f"{flow}_difference": (pl.col(f"{flow}_cumulative_cny") - pl.col(f"{flow}_sum")).abs()
            for flow in ("disbursed", "spent")
        },
        # A sum given to the 分 was not rounded, whatever its months look like.
        **{
            f"{flow}_sum_tolerance": pl.when(pl.col(f"{flow}_cumulative_cny") % ROUNDED_TO_FEN == 0)
            .then(pl.col(f"{flow}_rounding"))
            .otherwise(0)
            for flow in ("disbursed", "spent")
        },
        # Only a figure that was added up from rounded months may pass the budget by that rounding.
        disbursed_limit=pl.col("annual_budget")
        + pl.when(pl.col("disbursed_cumulative_cny").is_null())
        .then(pl.col("disbursed_rounding"))
        .otherwise(0),
        spent_limit=pl.col("disbursed_ytd")
        + pl.when(pl.col("spent_cumulative_cny").is_null() | pl.col("disbursed_cumulative_cny").is_null())
        .then(pl.max_horizontal("spent_rounding", "disbursed_rounding"))
        .otherwise(0),
    )


def _so_far(figure: pl.Expr) -> pl.Expr:
    """Sum of the year up to the row, in a frame sorted by township and month: the running sum of all rows less
    what it was when the year began. A window over every township and year takes five times as long."""
    running = figure.cum_sum()
    return running - pl.when("starts_year").then(running - figure).forward_fill()


def _budget(landed: Landed) -> Suite:
    rows = _with_year_to_date(_monthly(landed, "budget"))
    checks = [
        *(
            Check(
                name=f"budget_{flow}_cumulative_is_sum_of_months",
                title_zh=f"累计{word} = 年内各月{word}之和",
                what_zh=f"年内 1 月至本月的“本月{word}”都报了的，其和等于“累计{word}”。",
                why_zh="应当分毫不差。各月和累计都以万元报送（保留两位小数）的，每个数允许差半个末位即 50 元。",
                what_to_do_zh=ASK_SENDER,
                kind="doubt",
                rule=at_least(f"{flow}_sum_tolerance", f"{flow}_difference"),
                operands={
                    f"{flow}_sum_tolerance": pl.col(f"{flow}_sum_tolerance"),
                    f"{flow}_difference": pl.col(f"{flow}_difference"),
                },
                value=yuan(pl.col(f"{flow}_cumulative_cny")),
                expected=yuan(pl.col(f"{flow}_sum")),
                message=told_monthly(
                    f"累计{word}报 {{}} 元，各月之和为 {{}} 元",
                    yuan(pl.col(f"{flow}_cumulative_cny")),
                    yuan(pl.col(f"{flow}_sum")),
                ),
            )
            for flow, word in (("disbursed", "拨付"), ("spent", "支出"))
        ),
        *(
            Check(
                name=f"budget_{flow}_cumulative_never_falls",
                title_zh=f"累计{word}：年内不减少",
                what_zh=f"“累计{word}”不小于同年上一次报送的数。",
                why_zh="累计数只增不减；减少的多半是把本月数填进了累计栏，或有退款未说明。",
                what_to_do_zh=ASK_SENDER,
                kind="doubt",
                rule=at_least(f"{flow}_cumulative_cny", f"{flow}_before"),
                operands={
                    f"{flow}_cumulative_cny": pl.col(f"{flow}_cumulative_cny"),
                    f"{flow}_before": pl.col(f"{flow}_before"),
                },
                value=yuan(pl.col(f"{flow}_cumulative_cny")),
                expected=pl.format("不小于 {}", yuan(pl.col(f"{flow}_before"))),
                message=told_monthly(
                    f"累计{word}由 {{}} 元减为 {{}} 元",
                    yuan(pl.col(f"{flow}_before")),
                    yuan(pl.col(f"{flow}_cumulative_cny")),
                ),
            )
            for flow, word in (("disbursed", "拨付"), ("spent", "支出"))
        ),
        Check(
            name="budget_disbursed_within_budget",
            title_zh="拨付不超过预算",
            what_zh="本年累计拨付（未报累计的用各月之和）不大于全年预算（有调整后预算的用调整后预算）。",
            why_zh="没有预算不得拨付；超过的或是预算调整未报，或是填错。",
            what_to_do_zh="请报送单位核对；确有追加的，补报调整后预算。",
            kind="doubt",
            rule=at_least("disbursed_limit", "disbursed_ytd"),
            operands={"disbursed_limit": pl.col("disbursed_limit"), "disbursed_ytd": pl.col("disbursed_ytd")},
            value=yuan(pl.col("disbursed_ytd")),
            expected=pl.format("不大于 {}", yuan(pl.col("annual_budget"))),
            message=told_monthly(
                "累计拨付 {} 元，超过全年预算 {} 元",
                yuan(pl.col("disbursed_ytd")),
                yuan(pl.col("annual_budget")),
            ),
        ),
        Check(
            name="budget_spent_within_disbursed",
            title_zh="支出不超过拨付",
            what_zh="本年累计支出不大于本年累计拨付（未报累计的用各月之和）。",
            why_zh="没有拨到的钱花不出去；超过的或是动用了上年结余未说明，或是填错。",
            what_to_do_zh=ASK_SENDER,
            kind="doubt",
            rule=at_least("spent_limit", "spent_ytd"),
            operands={"spent_limit": pl.col("spent_limit"), "spent_ytd": pl.col("spent_ytd")},
            value=yuan(pl.col("spent_ytd")),
            expected=pl.format("不大于 {}", yuan(pl.col("disbursed_ytd"))),
            message=told_monthly(
                "累计支出 {} 元，超过累计拨付 {} 元", yuan(pl.col("spent_ytd")), yuan(pl.col("disbursed_ytd"))
            ),
        ),
        Check(
            name="budget_initial_stays_within_year",
            title_zh="年初预算：年内不变",
            what_zh="“年初预算”与同年上一次报送的数相同。",
            why_zh="年初预算一经批复年内不变，变动应填在“调整后预算”。",
            what_to_do_zh="请报送单位把变动改填到“调整后预算(元)”。",
            kind="doubt",
            rule=equal("initial_budget_cny", "initial_before"),
            operands={
                "initial_budget_cny": pl.col("initial_budget_cny"),
                "initial_before": pl.col("initial_before"),
            },
            value=yuan(pl.col("initial_budget_cny")),
            expected=yuan(pl.col("initial_before")),
            message=told_monthly(
                "年初预算由 {} 元变为 {} 元",
                yuan(pl.col("initial_before")),
                yuan(pl.col("initial_budget_cny")),
            ),
        ),
    ]
    return Suite(
        name="budget",
        title_zh="民政工作经费",
        target="inputs.budget",
        panels=_panels(landed, "budget", rows, checks),
    )


# ---------------------------------------------------------------- staffing


def _staffing(landed: Landed) -> Suite:
    rows = _monthly(landed, "staffing").with_columns(
        posts=whole("administrative_posts") + whole("institution_posts")
    )
    checks = (
        Check(
            name="staffing_assistants_within_villages",
            title_zh="已配备协理员的村（社区）不多于村（社区）总数",
            what_zh="“已配备协理员村(社区)数”不大于“村(社区)数”。",
            why_zh="这是总数与其中的一部分，部分不能大于总数。",
            what_to_do_zh=ASK_SENDER,
            kind="doubt",
            rule=at_least("villages_count", "villages_with_assistant_count"),
            operands={
                "villages_count": whole("villages_count"),
                "villages_with_assistant_count": whole("villages_with_assistant_count"),
            },
            value=pl.col("villages_with_assistant_count").cast(pl.String),
            expected=pl.format("不大于 {}", "villages_count"),
            message=told_monthly(
                "已配备协理员的村（社区）{} 个，多于总数 {} 个",
                pl.col("villages_with_assistant_count"),
                pl.col("villages_count"),
            ),
        ),
        Check(
            name="staffing_dedicated_within_posts",
            title_zh="在编在岗专职人数不多于编制数",
            what_zh="“在编在岗专职人数”不大于行政编制与事业编制之和。",
            why_zh="在编人员占用编制；多于编制的，多半把编外人员计入了在编。",
            what_to_do_zh="请报送单位核对：公益性岗位、政府购买服务和兼职人员另有栏目，不计入在编在岗。",
            kind="doubt",
            rule=at_least("posts", "dedicated_staff_persons"),
            operands={"posts": pl.col("posts"), "dedicated_staff_persons": whole("dedicated_staff_persons")},
            value=pl.col("dedicated_staff_persons").cast(pl.String),
            expected=pl.format("不大于 {}", "posts"),
            message=told_monthly(
                "在编在岗专职 {} 人，多于编制 {} 名", pl.col("dedicated_staff_persons"), pl.col("posts")
            ),
        ),
    )
    return Suite(
        name="staffing",
        title_zh="民政工作人员",
        target="inputs.staffing",
        panels=_panels(landed, "staffing", rows, checks),
    )


# ---------------------------------------------------------------- indicators


def _indicators(landed: Landed) -> Suite:
    rows = (
        pl.scan_parquet(landed.inputs / "indicators.parquet")
        .filter(pl.col("row_status") == "accepted", from_month(landed.since))
        .select(
            "month",
            "subject_code",
            "indicator_code",
            "indicator_text",
            *PROVENANCE,
            amount=pl.col("indicator_value").to_physical().cast(pl.Int64),
        )
        .join(
            landed.units.lazy().select(subject_code="division_code", unit_name="division_name"),
            on="subject_code",
            how="left",
            maintain_order="left",
        )
        .collect()
    )
    keys = [c for c in _key_checks("indicators") if not c.name.endswith("name_agrees_with_code")]
    shown = pl.col("indicator_text").fill_null("")
    checks = [
        *keys,
        Check(
            name="indicators_value_reported",
            title_zh="指标值：已填报",
            what_zh="每一行都填了“指标值”。",
            why_zh="空着就是未报送，不按“否”或零计算。",
            what_to_do_zh="请报送单位补报指标值。",
            kind="doubt",
            rule=present("indicator_text"),
            operands={"indicator_text": reported("indicator_text")},
            expected=pl.lit("必填"),
            message=told_monthly("指标 {} 未填", pl.col("indicator_code")),
        ),
        Check(
            name="indicators_value_not_negative",
            title_zh="指标值：不为负数",
            what_zh="是数字的指标值不小于 0。",
            why_zh="指标都是个数、面积、次数或比例，没有负值。",
            what_to_do_zh=ASK_SENDER,
            kind="doubt",
            rule=between("amount", 0, None),
            operands={"amount": pl.col("amount")},
            value=shown,
            expected=pl.lit("不小于 0"),
            message=told_monthly("指标 {} 为 {}", pl.col("indicator_code"), shown),
        ),
    ]
    return Suite("indicators", "能力建设指标", "inputs.indicators", (Panel(rows, tuple(checks)),))


# ---------------------------------------------------------------- divisions


def _divisions(landed: Landed) -> Suite:
    units = landed.units
    codes = units.get_column("division_code").implode()
    parents = units.get_column("parent_code").drop_nulls().unique().implode()
    rows = units.with_columns(
        subject_code=pl.col("division_code"),
        code_fits_parent=pl.when(pl.col("parent_code").is_not_null()).then(
            pl.col("division_code").str.starts_with(pl.col("parent_code").str.replace(r"(0000|00)$", ""))
        ),
        parent_is_known=pl.col("parent_code").is_in(codes),
        is_top=pl.col("division_code").is_in(parents) & pl.col("division_code").str.ends_with("0000"),
        successor_is_known=pl.when(pl.col("successor_code").is_not_null()).then(
            pl.col("successor_code")
            .str.replace_all("[、;,，]", "；")
            .str.split("；")
            .list.eval(pl.element().is_in(codes))
            .list.all()
        ),
    )
    shape = r"^(\d{6}|\d{9}|\d{12})$"
    checks = (
        Check(
            name="divisions_code_well_formed",
            title_zh="区划代码：6、9 或 12 位数字",
            what_zh="省、市、县代码 6 位，乡镇 9 位，村 12 位。",
            why_zh="位数不对的代码应在接收时退回。",
            what_to_do_zh=REPORT_FAULT,
            kind="blocking",
            rule=is_one("code_well_formed"),
            operands={"code_well_formed": flag(pl.col("division_code").str.contains(shape))},
            value=pl.col("division_code"),
            expected=pl.lit("6、9 或 12 位数字"),
            message=told("的代码不是 6、9 或 12 位数字"),
        ),
        Check(
            name="divisions_name_given",
            title_zh="名称：已填报",
            what_zh="每个代码都有名称。",
            why_zh="报告和督查通报都用名称。",
            what_to_do_zh="请在行政区划表中补上名称。",
            kind="doubt",
            rule=present("division_name"),
            operands={"division_name": reported("division_name")},
            expected=pl.lit("必填"),
            message=told("没有名称"),
        ),
        Check(
            name="divisions_code_fits_parent",
            title_zh="代码与上级代码相符",
            what_zh="乡镇代码前 6 位是所属县的代码，县代码前几位是所属市、省的代码。",
            why_zh="编码规则如此（GB/T 2260、GB/T 10114）；不符的会汇总到别的县。省直辖县等例外可不理会。",
            what_to_do_zh="请核对行政区划表中的上级代码。",
            kind="doubt",
            rule=is_one("code_fits_parent"),
            operands={"code_fits_parent": flag(pl.col("code_fits_parent"))},
            value=pl.col("parent_code"),
            expected=pl.lit("代码的前几位"),
            message=told("的上级代码为 {}，与本代码前几位不符", pl.col("parent_code")),
        ),
        Check(
            name="divisions_dates_in_order",
            title_zh="启用日期早于停用日期",
            what_zh="停用日期（不再有效的第一天）晚于启用日期。",
            why_zh="否则该单位没有一天有效，所有报表都会落空。",
            what_to_do_zh="请核对行政区划表中的两个日期。",
            kind="doubt",
            rule=is_one("dates_in_order"),
            operands={"dates_in_order": flag(pl.col("valid_to") > pl.col("valid_from"))},
            value=pl.col("valid_to").cast(pl.String),
            expected=pl.format("晚于 {}", pl.col("valid_from").cast(pl.String)),
            message=told(
                "停用日期 {} 不晚于启用日期 {}",
                pl.col("valid_to").cast(pl.String),
                pl.col("valid_from").cast(pl.String),
            ),
        ),
        Check(
            name="divisions_successor_known",
            title_zh="变更后代码在行政区划中",
            what_zh="写了“变更后代码”的，该代码本身也在行政区划数据里。",
            why_zh="改名、撤并之后的报表要记到新单位，新单位须先有。",
            what_to_do_zh="请在行政区划表中补上变更后的单位。",
            kind="doubt",
            rule=is_one("successor_is_known"),
            operands={"successor_is_known": flag(pl.col("successor_is_known"))},
            value=pl.col("successor_code"),
            expected=pl.lit("行政区划中的代码"),
            message=told("的变更后代码 {} 不在行政区划中", pl.col("successor_code")),
        ),
    )
    return Suite("divisions", "行政区划", "inputs.divisions", (Panel(rows, checks, is_whole=True),))


# ---------------------------------------------------------------- submissions


def _submissions(landed: Landed) -> Suite:
    counts = ("rows_read", "rows_accepted", "rows_held", "rows_rejected", "rows_ignored")
    files = (
        pl.read_parquet(landed.inputs / "submissions.parquet")
        .with_columns(
            *(pl.col(c).cast(pl.Int64) for c in counts),
            subject_code=pl.lit(None, pl.String),
            subject_name=pl.col("file_name"),
            month=pl.col("month_to"),
            file=pl.int_range(pl.len(), dtype=pl.Int64),
        )
        .with_columns(
            rows_ended=pl.sum_horizontal("rows_accepted", "rows_held", "rows_rejected", "rows_ignored"),
            known_status=pl.col("status").is_in(["accepted", "partial", "refused", "duplicate"]),
            id_number=pl.col("submission_id").rank("dense").cast(pl.Int64),
        )
    )
    checks = (
        Check(
            name="submissions_no_row_is_lost",
            title_zh="读入行数 = 采用 + 待确认 + 退回 + 忽略",
            what_zh="每个文件读到的行，逐一落入采用、待确认、退回、忽略（合计、表头、表尾）之一。",
            why_zh="一行也不许无声丢失，这是全部数据可信的前提。",
            what_to_do_zh=REPORT_FAULT,
            kind="blocking",
            rule=equal("rows_read", "rows_ended"),
            operands={"rows_read": pl.col("rows_read"), "rows_ended": pl.col("rows_ended")},
            value=pl.col("rows_read").cast(pl.String),
            expected=pl.col("rows_ended").cast(pl.String),
            message=pl.format("文件“{}”读入 {} 行，去向合计 {} 行", "file_name", "rows_read", "rows_ended"),
        ),
        Check(
            name="submissions_counts_not_missing",
            title_zh="每个文件都有行数记录",
            what_zh="每个文件的读入、采用、待确认、退回、忽略行数都有记录，且不为负。",
            why_zh="没有记录就无从核对是否丢行。",
            what_to_do_zh=REPORT_FAULT,
            kind="blocking",
            rule=between("fewest", 0, None),
            operands={
                "fewest": pl.min_horizontal(*(pl.col(c).fill_null(-1) for c in counts)),
            },
            message=pl.format("文件“{}”的行数记录不全", "file_name"),
        ),
        Check(
            name="submissions_id_unique",
            title_zh="报送编号不重复",
            what_zh="每次收到的文件各有一个编号。",
            why_zh="编号是追溯到文件、工作表和行的线索。",
            what_to_do_zh=REPORT_FAULT,
            kind="blocking",
            rule=unique("id_number"),
            operands={"id_number": pl.col("id_number")},
            value=pl.col("submission_id"),
            message=pl.format("编号 {} 出现多次（文件“{}”）", "submission_id", "file_name"),
        ),
        Check(
            name="submissions_status_known",
            title_zh="处理结果在规定的几种之内",
            what_zh="处理结果为已采用、部分采用、未采用、重复之一。",
            why_zh="界面和通报按这几种统计。",
            what_to_do_zh=REPORT_FAULT,
            kind="blocking",
            rule=is_one("status_is_known"),
            operands={"status_is_known": flag(pl.col("known_status").fill_null(False))},
            value=pl.col("status"),
            message=pl.format("文件“{}”的处理结果不明", "file_name"),
        ),
        Check(
            name="submissions_file_was_used",
            title_zh="收到的文件都能采用",
            what_zh="收到的文件能识别、能读出数据，没有整份退回。",
            why_zh="整份退回的文件，其中的乡镇当月等于没有报送。",
            what_to_do_zh="按退回原因请报送单位改正后重报；原因见“未采用的文件和行”。",
            kind="doubt",
            rule=is_one("was_used"),
            operands={"was_used": flag(pl.col("status") != "refused")},
            value=pl.lit("未采用"),
            expected=pl.lit("已采用"),
            message=pl.format(
                "文件“{}”未采用：{}", "file_name", pl.col("message_zh").fill_null("原因未记录")
            ),
        ),
    )
    return Suite(
        "submissions",
        "收到的文件",
        "inputs.submissions",
        (Panel(files, checks, is_whole=True), _rows_kept(landed, files)),
    )


def _rows_kept(landed: Landed, files: pl.DataFrame) -> Panel:
    """Rows that the ledger counts as accepted are there in the data."""
    kept = (
        pl.concat(
            pl.scan_parquet(landed.inputs / f"{dataset}.parquet")
            # A row with a figure that waits for confirmation is counted as held, though the rest of it is used.
            .filter(
                (pl.col("row_status") == "accepted")
                & ~pl.col("doubts").fill_null("").str.contains(r"(^|;)H[0-9]")
            )
            .select("submission_id")
            for dataset in ALL_DATASETS
            if (landed.inputs / f"{dataset}.parquet").is_file()
        )
        # A row of a sheet may give rows of several datasets, funds or months; each is counted, here as in the ledger.
        .group_by("submission_id")
        .agg(rows_kept=pl.len().cast(pl.Int64))
        .collect()
    )
    frame = files.join(kept, on="submission_id", how="left", maintain_order="left").with_columns(
        pl.col("rows_kept").fill_null(0)
    )
    check = Check(
        name="submissions_accepted_rows_are_kept",
        title_zh="记为采用的行都在数据里",
        what_zh="每个文件记为采用的行数，与数据中来自该文件的行数相等（一行填了几类数据、几项资金或几个月的，各计一行）。",
        why_zh="台账与数据对得上，才能从任何一个数字追到原表。",
        what_to_do_zh=REPORT_FAULT,
        kind="blocking",
        rule=equal("rows_accepted", "rows_kept"),
        operands={"rows_accepted": pl.col("rows_accepted"), "rows_kept": pl.col("rows_kept")},
        value=pl.col("rows_kept").cast(pl.String),
        expected=pl.col("rows_accepted").cast(pl.String),
        message=pl.format(
            "文件“{}”记为采用 {} 行，数据中有 {} 行", "file_name", "rows_accepted", "rows_kept"
        ),
    )
    return Panel(frame, (check,), is_whole=True)
