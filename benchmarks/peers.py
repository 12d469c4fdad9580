"""The same national job by others, in one run: a pandas script, plain Polars, a bare DuckDB script and plain dbt-duckdb.

    python benchmarks/peers.py [--units 5000] [--months 36] [--rounds 3]

The job of the three scripts is to read the CSV files and to work out for each township and month the funding gap and the
staffing gap; they must come to the same rows and sums, which is checked. dbt-duckdb builds all models of the project on the
build inputs that the run left. What each of them leaves out of what `oversight run` does is printed beside its ratio: they are
floors, no alternatives.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import PROJECT_ROOT, Cost, load, measure, middle, oversight
from sample import bare_dbt_build

MONTH = "cast(strptime(replace(left(统计月份, 7), '.', '-'), '%Y-%m') as date)"
PEOPLE, BUDGET, STAFF = "户籍人口", "民政工作经费", "民政工作人员"
COLUMNS = {
    PEOPLE: {"户籍人口": "persons"},
    BUDGET: {"年初预算": "initial", "调整后预算": "adjusted", "累计拨付": "paid"},
    STAFF: {"在编在岗专职": "persons"},
}
# A year's guarantee of a person in 分, by the size of the township (0.28, 0.22 and 0.18 元 a month).
TIERS = ((20_000, 336), (49_999, 264), (None, 216))
_SCRIPT = "judging rows, provenance, versions and corrections, rules by clause, findings, roll-ups, audit, publishing"
LEFT_OUT = {
    "pandas": f"{_SCRIPT}; amounts pass through floats",
    "Polars": _SCRIPT,
    "bare DuckDB": _SCRIPT,
    "dbt-duckdb": "reading and judging files, audit, Parquet, fingerprints, receipts, signing, publishing",
}


def with_pandas(raw: Path) -> None:
    """Funding and staffing gaps with pandas, printed as DuckDB does."""
    import pandas as pd

    def read(word: str) -> Any:
        frames = [pd.read_csv(path, dtype=str) for path in _files(raw, word)]
        rows = pd.concat(frames, ignore_index=True)
        found = pd.DataFrame({"month": pd.to_datetime(rows["统计月份"].str[:7]), "code": rows["区划代码"]})
        for title, name in COLUMNS[word].items():
            column = next((each for each in rows.columns if each.startswith(title)), None)
            found[name] = pd.to_numeric(rows[column], errors="coerce") if column else float("nan")
        return found.assign(y=found["month"].dt.year)

    known = read(PEOPLE).dropna(subset="persons").sort_values(["code", "month"])
    years = known["y"].unique()
    own = known.groupby(["code", "y"]).first()[["persons"]]
    before = [known[known["y"] < y].groupby("code").last()[["persons"]].assign(y=y) for y in years]
    prior = pd.concat(before).reset_index().set_index(["code", "y"])
    people = prior.combine_first(own)["persons"]
    rates = pd.cut(people, [-1, *(top or float("inf") for top, _ in TIERS)], labels=False)
    guaranteed = (people * rates.map(dict(enumerate(rate for _, rate in TIERS)))).rename("g")
    budget = read(BUDGET).sort_values(["code", "month"])
    carried = budget.groupby(["code", "y"])[["initial", "adjusted", "paid"]].ffill()
    allocated = carried["adjusted"].fillna(carried["initial"])
    funding = budget[["code", "month", "y"]].assign(allocated=(allocated * 100).round(), paid=carried["paid"])
    funding = funding.join(guaranteed, on=["code", "y"])
    gap = (funding["g"] - funding["allocated"]).clip(lower=0)
    behind = (
        (2 * funding["g"] * funding["month"].dt.month + 12) // 24 - (funding["paid"] * 100).round()
    ).clip(lower=0)
    funding = funding.assign(gap=gap, behind=behind)
    staff = read(STAFF)
    staff = staff.assign(gap=(2 - staff["persons"]).clip(lower=0))
    _told(len(funding), funding["gap"].sum(), len(staff), staff["gap"].sum())


def with_polars(raw: Path) -> None:
    """Funding and staffing gaps with Polars, printed as DuckDB does."""
    import polars as pl

    def read(word: str) -> pl.LazyFrame:
        files = _files(raw, word)
        rows = pl.scan_csv(files, infer_schema=False)
        titles = rows.collect_schema().names()
        kind: Any = pl.Decimal(18, 2) if word == BUDGET else pl.Int64
        figures = {
            name: next(
                (pl.col(each).cast(kind, strict=False) for each in titles if each.startswith(title)),
                pl.lit(None, kind),
            )
            for title, name in COLUMNS[word].items()
        }
        month = (pl.col("统计月份").str.slice(0, 7) + "-01").str.to_date("%Y-%m-%d")
        return rows.select(month=month, code="区划代码", **figures).with_columns(y=pl.col("month").dt.year())

    known = read(PEOPLE).drop_nulls("persons").sort("code", "month").collect()
    years = known.select("y").unique()
    own = known.group_by("code", "y", maintain_order=True).agg(own=pl.col("persons").first())
    prior = (
        known.rename({"y": "of"})
        .join(years, how="cross")
        .filter(pl.col("of") < pl.col("y"))
        .group_by("code", "y", maintain_order=True)
        .agg(prior=pl.col("persons").last())
    )
    people = own.join(prior, on=["code", "y"], how="full", coalesce=True).with_columns(
        persons=pl.coalesce("prior", "own")
    )
    rate = pl.lit(TIERS[-1][1])
    for top, each in reversed(TIERS[:-1]):
        rate = pl.when(pl.col("persons") <= top).then(each).otherwise(rate)
    guaranteed = people.select("code", "y", g=pl.col("persons") * rate)
    fen = [(pl.col(name) * 100).cast(pl.Int64).alias(name) for name in ("initial", "adjusted", "paid")]
    funding = (
        read(BUDGET)
        .with_columns(fen)
        .sort("code", "month")
        .with_columns(pl.col("initial", "adjusted", "paid").forward_fill().over("code", "y"))
        .join(guaranteed.lazy(), on=["code", "y"], how="left")
        .with_columns(
            gap=pl.max_horizontal(pl.col("g") - pl.coalesce("adjusted", "initial"), 0),
            behind=pl.max_horizontal(
                (2 * pl.col("g") * pl.col("month").dt.month() + 12) // 24 - pl.col("paid"), 0
            ),
        )
        .collect()
    )
    staff = read(STAFF).with_columns(gap=pl.max_horizontal(2 - pl.col("persons"), 0)).collect()
    _told(funding.height, funding["gap"].sum(), staff.height, staff["gap"].sum())


def with_duckdb(raw: Path) -> None:
    """Funding and staffing gaps straight from DuckDB in one go."""
    import duckdb

    connection = duckdb.connect()

    def read(word: str) -> str:
        files = [str(path) for path in sorted(raw.rglob("*.csv")) if word in path.name]
        return f"read_csv({files!r}, header=true, all_varchar=true, union_by_name=true)"

    def column(word: str, title: str, kind: str) -> str:
        names = [row[0] for row in connection.execute(f"describe from {read(word)}").fetchall()]
        found = [name for name in names if name.startswith(title)]
        return f'try_cast("{found[0]}" as {kind})' if found else f"cast(null as {kind})"

    people, budget, staff = "户籍人口", "民政工作经费", "民政工作人员"
    money = "decimal(18,2)"
    for statement in (
        f"""create table population as
            select {MONTH} as month, 区划代码 as code, {column(people, people, "bigint")} as persons
            from {read(people)}""",
        f"""create table budget as
            select {MONTH} as month, 区划代码 as code, {column(budget, "年初预算", money)} as initial,
                {column(budget, "调整后预算", money)} as adjusted, {column(budget, "累计拨付", money)} as paid
            from {read(budget)}""",
        f"""create table staffing as
            select {MONTH} as month, 区划代码 as code, {column(staff, "在编在岗专职", "bigint")} as persons
            from {read(staff)}""",
        """create table basis as
            with years as (select distinct year(month) as y from population),
            known as (select * from population where persons is not null),
            prior as (select y, code, max(month) as m from known, years where month < make_date(y, 1, 1) group by all),
            own as (select year(month) as y, code, min(month) as m from known group by all),
            chosen as (
                select coalesce(prior.y, own.y) as y, coalesce(prior.code, own.code) as code,
                    coalesce(prior.m, own.m) as m
                from prior full join own on prior.y = own.y and prior.code = own.code)
            select y, chosen.code, persons
            from chosen join population as p on p.code = chosen.code and p.month = chosen.m""",
        """create table funding as
            with latest as (
                select code, month, year(month) as y,
                    coalesce(last_value(adjusted ignore nulls) over w, last_value(initial ignore nulls) over w)
                        as allocated,
                    last_value(paid ignore nulls) over w as paid
                from budget window w as (partition by code, year(month) order by month)),
            guaranteed as (
                select y, code, round(persons * 12
                    * case when persons <= 20000 then 0.28 when persons < 50000 then 0.22 else 0.18 end, 2) as g
                from basis)
            select l.code, l.month, g, allocated, paid, greatest(g - allocated, 0) as gap,
                greatest(round(g * month(l.month) / 12, 2) - paid, 0) as behind
            from latest as l left join guaranteed using (y, code)""",
        "create table staff as select code, month, persons, greatest(2 - persons, 0) as gap from staffing",
    ):
        connection.execute(statement)
    for table in ("funding", "staff"):
        print(table, connection.execute(f"select count(*), sum(gap) from {table}").fetchall())


SCRIPTS = {"pandas": with_pandas, "Polars": with_polars, "bare DuckDB": with_duckdb}


def main() -> None:
    """Generate, measure in turns, compare what came out, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--units", type=int, default=5_000)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs=2, metavar=("SCRIPT", "RAW"), help="one script over that raw folder")
    words = parser.parse_args()
    if words.only:
        SCRIPTS[words.only[0]](Path(words.only[1]))
        return
    print(load())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "country"
        generate = [sys.executable, str(PROJECT_ROOT / "benchmarks" / "generate.py"), "national", str(folder)]
        measure([*generate, "--units", str(words.units), "--months", str(words.months)])
        ours = measure(oversight("run", "--data", str(folder)))
        costs: dict[str, list[Cost]] = {}
        said: dict[str, str] = {}
        for number in range(words.rounds):
            for name in SCRIPTS:
                answer = Path(scratch) / "answer"
                code = f"exec {sys.executable} {__file__} --only '{name}' '{folder / 'raw'}' > {answer}"
                costs.setdefault(name, []).append(measure(["bash", "-c", code]))
                said[name] = answer.read_text("utf-8")
            scratch_of_dbt = Path(scratch) / f"dbt{number}"
            costs.setdefault("dbt-duckdb", []).append(bare_dbt_build(folder, scratch_of_dbt))
    if len(set(said.values())) != 1:
        raise SystemExit(f"they do not come to the same: {said}")
    print(f"{words.units:,} x {words.months}; each script: {'; '.join(said['Polars'].splitlines())}")
    _line("oversight run", ours, ours, "")
    for name, each in costs.items():
        _line(name, middle(each), ours, LEFT_OUT[name])
    print(load())


def _line(name: str, cost: Cost, ours: Cost, left_out: str) -> None:
    print(
        f"{name:14} {cost.cpu_seconds:7.1f} CPU s {cost.wall_seconds:7.1f} s {cost.peak_bytes / 1e6:6.0f} MB; "
        f"the run takes {ours.cpu_seconds / cost.cpu_seconds:.1f} x its CPU, "
        f"{ours.peak_bytes / cost.peak_bytes:.1f} x its memory"
        + (f"; leaves out {left_out}" if left_out else "")
    )


def _files(raw: Path, word: str) -> list[Path]:
    return [path for path in sorted(raw.rglob("*.csv")) if word in path.name]


def _told(funding: int, gap: float, staff: int, missing: float) -> None:
    """As DuckDB writes a row of a count and a sum: money in 元 with two decimals."""
    from decimal import Decimal

    print("funding", [(funding, Decimal(round(gap)).scaleb(-2))])
    print("staff", [(staff, round(missing))])


if __name__ == "__main__":
    sys.exit(main())
