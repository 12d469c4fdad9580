"""Since when the inputs of a build differ from those of the last one.

A month's report changes that month, and what is counted up within its fiscal year; years before it come out as
they did. A build therefore goes on in the file of the last one and makes anew what begins with the fiscal year of
the earliest change. That is decided by comparing what the inputs say, row by row, and never by which files came:
a correction of an old month, a figure doubted because of a later one, or a file withdrawn all show as changed rows.

What holds for every month (divisions, which institutions there are, standards, which of two files counts, the
program, the engine) makes a change of everything.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from oversight import durable
from oversight.editions.code import code_version
from oversight.editions.published import quoted

EVERYTHING = date(1, 1, 1)

_MONTHLY = (
    *("population", "budget", "staffing", "indicators", "payments", "payment_coverage"),
    *("deliveries", "due_dates"),
)
_TIMELESS = (
    "divisions",
    "overlay_policy_documents",
    "overlay_standards",
    "overlay_standard_tiers",
    "overlay_standard_measures",
    "overlay_materiality",
    "overlay_payment_pace",
    "overlay_funds",
    "overlay_report_sources",
    "overlay_source_precedence",
)
_REPORTED = ("divisions", "population", "budget", "staffing", "indicators", "payments")
# Rank of the file among all files: it moves up when another file comes, which changes nothing that a row says.
_RANK = "precedence"


@dataclass(frozen=True)
class Inputs:
    """What the inputs of a build said.

    `years`: input → fiscal year → fingerprint; `timeless`: what bears on every month; `ranked`: the files from the
    one that counts least; `first_month` and `last_month` of the tables; `first_not_due`, the first month of which a
    report was not yet due on the day of the build, since that is told differently later.
    """

    program: str
    timeless: dict[str, str]
    years: dict[str, dict[str, str]]
    ranked: list[str]
    first_month: str
    last_month: str
    first_not_due: str

    def write(self, path: Path) -> None:
        """Keep it beside what was made from these inputs."""
        durable.write_text(path, json.dumps(asdict(self), ensure_ascii=False), lasting=False)

    def fiscal_years(self, first_day: date) -> tuple[int, int]:
        """The first and last fiscal year that are made anew where those before this day stay; one where there are no months.

        Of what a build goes on from, years of which nobody reports any more are made anew too: they have to go.
        """
        known = [int(month[:4]) for month in (self.first_month, self.last_month) if month]
        first = first_day.year if first_day > EVERYTHING else min(known, default=EVERYTHING.year)
        return first, max([first, *known])

    @classmethod
    def read(cls, path: Path) -> Inputs | None:
        """As it was kept; None where nothing was, or in another form."""
        try:
            return cls(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def read_inputs(folder: Path) -> Inputs:
    """What the Parquet files of a folder of build inputs say now."""
    import duckdb

    with duckdb.connect() as connection:

        def ask(query: str) -> list[tuple[object, ...]]:
            return connection.execute(query).fetchall()

        def rows(name: str) -> str:
            return f"read_parquet('{str(folder / name).replace(chr(39), chr(39) * 2)}.parquet')"

        def told(name: str) -> str:
            columns = [str(row[0]) for row in ask(f"describe from {rows(name)}")]
            hashed = ", ".join(quoted(column) for column in columns if column != _RANK)
            return f"format('{{:x}}-{{}}', count(*), coalesce(sum(cast(hash({hashed}) as hugeint)), 0))"

        years = {
            name: {
                str(year): str(fingerprint)
                for year, fingerprint in ask(
                    f"select coalesce(extract(year from month), 0), {told(name)} from {rows(name)} group by 1"
                )
            }
            for name in _MONTHLY
        }
        timeless = {name: str(ask(f"select {told(name)} from {rows(name)}")[0][0]) for name in _TIMELESS}
        # Institutions are in no register: who they are, and under what code each answers, follows from all reports.
        timeless["institutions"] = json.dumps(
            ask(
                f"select distinct subject_code, subject_name from {rows('indicators')} "
                f"where row_status = 'accepted' and list_contains({_institution_measures(folder)}, indicator_code) "
                "order by all"
            ),
            ensure_ascii=False,
        )
        files = " union ".join(f"select submission_id, {_RANK} from {rows(name)}" for name in _REPORTED)
        ranked = [str(row[0]) for row in ask(f"select submission_id from ({files}) order by {_RANK}")]
        reported = " union all ".join(
            f"select min(month) as first, max(month) as month from {rows(name)} where row_status = 'accepted'"
            for name in _REPORTED
            if name in _MONTHLY
        )
        due = f"select null as first, max(month) as month from {rows('due_dates')} where makes_rows"
        first_month, last_month = ask(f"select min(first), max(month) from ({reported} union all {due})")[0]
        first_not_due = ask(
            f"select min(month) from {rows('due_dates')} where due_on >= "
            f"(select cast(built_at as date) from {rows('edition')})"
        )[0][0]
    program = f"{code_version()} duckdb {duckdb.__version__}"
    ends = (str(first_month or ""), str(last_month or ""), str(first_not_due or ""))
    return Inputs(program, timeless, years, ranked, *ends)


def _institution_measures(folder: Path) -> list[str]:
    """Indicators that only institutions are asked for (model int_institution_measures)."""
    import polars as pl

    from oversight.standards import load_standards

    seeds = load_standards()
    named: list[pl.DataFrame] = []
    for name, rows, column in (
        ("overlay_standards", seeds.standards, "subject_level"),
        ("overlay_standard_measures", seeds.measures, "measure_code"),
    ):
        own = pl.read_parquet(folder / f"{name}.parquet")
        kept = rows.join(own, on="standard_id", how="anti")
        named.append(pl.concat([frame.select("standard_id", column) for frame in (kept, own)]))
    asked = named[1].join(named[0], on="standard_id").group_by("measure_code").agg("subject_level")
    only = pl.col("subject_level").list.eval(pl.element() == "institution").list.all()
    return asked.filter(only).get_column("measure_code").sort().to_list()


def since(before: Inputs | None, now: Inputs) -> date:
    """The first day of the fiscal year from which on something may differ; `EVERYTHING` where all may."""
    if (
        before is None
        or not before.last_month
        or before.program != now.program
        or before.timeless != now.timeless
        # The months that are shown end where they did, or later.
        or now.last_month < before.last_month
        or not _same_order(before.ranked, now.ranked)
    ):
        return EVERYTHING
    changed = {
        int(year)
        for name in _MONTHLY
        for year in before.years[name].keys() | now.years[name].keys()
        if before.years[name].get(year) != now.years[name].get(year)
    }
    # Of one province the months may begin elsewhere though it says what it said: they are the country's.
    if now.first_month != before.first_month:
        changed |= {int(month[:4]) for month in (before.first_month, now.first_month) if month}
    # Months in which nobody reported stand between those that anybody reports; they come with the first after them.
    if now.last_month > before.last_month:
        last = date.fromisoformat(before.last_month)
        changed.add(last.year + last.month // 12)
    # What was not due then may be by now; and the other way round, where the clock was put right.
    changed |= {int(told.first_not_due[:4]) for told in (before, now) if told.first_not_due}
    known = {int(year) for years in now.years.values() for year in years}
    first = min(changed, default=max(known, default=0) + 1)
    return date(first, 1, 1) if first else EVERYTHING


def _same_order(before: list[str], now: list[str]) -> bool:
    """Whether files that were there before still stand in the same order."""
    then = set(before)
    return [name for name in now if name in then] == [name for name in before if name in set(now)]
