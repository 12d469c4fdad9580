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
from national import bare
from sample import bare_dbt_build

PEOPLE, BUDGET, STAFF = "户籍人口", "民政工作经费", "民政工作人员"
COLUMNS = {
    PEOPLE: {"户籍人口": "persons"},
    BUDGET: {"年初预算": "initial", "调整后预算": "adjusted", "累计拨付": "paid"},
    STAFF: {"在编在岗专职": "persons"},
}
# A year's guarantee of a person in 分, by the size of the township (national.py: 0.28, 0.22 and 0.18 元 a month).
TIERS = ((20_000, 336), (49_999, 264), (None, 216))
_SCRIPT = "judging rows, provenance, versions and corrections, rules by clause, findings, roll-ups, audit, publishing"
LEFT_OUT = {
    "pandas": f"{_SCRIPT}; amounts pass through floats",
    "Polars": _SCRIPT,
    "bare DuckDB": _SCRIPT,
    "dbt-duckdb": "reading and judging files, audit, Parquet, fingerprints, receipts, signing, publishing",
}


def with_pandas(raw: Path) -> None:
    """Funding and staffing gaps with pandas, printed as the bare script does."""
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
    """Funding and staffing gaps with Polars, printed as the bare script does."""
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
    """The bare script of national.py."""
    bare(raw)


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
