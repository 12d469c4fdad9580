"""The whole country through `oversight run`, against one bare DuckDB script over the same CSV files.

    python benchmarks/national.py [--months 36] [--units N] [--keep DIR]

The bare script computes the same funding and staffing gaps in one go, without judging a row, keeping a history,
checking, or publishing anything: it is the floor, not an alternative. Goals: what the run takes beyond the
sample's run is at most 4 times the script's wall time with under 4 GB; one more month at most a fifth of that.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from measure import PROJECT_ROOT, Cost, load, measure, oversight

MONTH = "cast(strptime(replace(left(统计月份, 7), '.', '-'), '%Y-%m') as date)"


def bare(raw: Path) -> None:
    """The funding and staffing gaps of every CSV under `raw`, straight from DuckDB in one go."""
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


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--units", type=int, help="that many townships (default: the whole country)")
    parser.add_argument("--keep", type=Path, help="leave the data folder there, to look at or to serve")
    parser.add_argument("--bare", type=Path, metavar="RAW", help="only the bare script, over that raw folder")
    words = parser.parse_args()
    if words.bare:
        bare(words.bare)
        return
    print(load())
    with tempfile.TemporaryDirectory() as scratch:
        country = words.keep or Path(scratch) / "country"
        generate = [
            sys.executable,
            str(PROJECT_ROOT / "benchmarks" / "generate.py"),
            "national",
            str(country),
        ]
        generate += ["--months", str(words.months)] + (["--units", str(words.units)] if words.units else [])
        measure(generate)
        size = sum(path.stat().st_size for path in (country / "raw").rglob("*.csv"))
        print(f"{words.months} months, {size / 1e6:.0f} MB of CSV")

        sample = Path(scratch) / "sample"
        shutil.copytree(PROJECT_ROOT / "data" / "raw", sample / "raw")
        floor = min(
            (measure([sys.executable, __file__, "--bare", str(country / "raw")]) for _ in range(3)),
            key=lambda c: c.wall_seconds,
        )
        small = measure(oversight("run", "--data", str(sample)))
        large = measure(oversight("run", "--data", str(country)))
        measure([*generate, "--one-more-month"])
        more = measure(oversight("run", "--data", str(country)))

    _print("bare DuckDB script", floor)
    _print("oversight run, sample", small)
    _print("oversight run, the country", large)
    _print("oversight run, one more month", more)
    beyond = large.wall_seconds - small.wall_seconds
    further = more.wall_seconds - small.wall_seconds
    print(
        f"beyond the sample's run: {beyond:.1f} s = {beyond / floor.wall_seconds:.1f} times the bare script (goal 4)"
    )
    print(f"one more month beyond it: {further:.1f} s = {further / beyond:.2f} of that (goal 0.2)")
    print(load())


def _print(name: str, cost: Cost) -> None:
    print(
        f"{name:32} {cost.cpu_seconds:7.1f} CPU s  {cost.wall_seconds:7.1f} s  {cost.peak_bytes / 1e6:7.0f} MB"
    )


if __name__ == "__main__":
    sys.exit(main())
