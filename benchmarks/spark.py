"""The same generated world in one process of DuckDB and on Spark, or province by province: every published table row by row,
with time, memory and what was spilt.

    python benchmarks/spark.py [--units 5000] [--months 36] [--villages N] [--cluster] [--kill SECONDS] [--keep DIR]
    python benchmarks/spark.py --engine provinces [--at-once N] [--units 5000] [--months 36] [--villages N] [--keep DIR]

Spark needs `make spark`; province by province needs nothing, and a line tells its memory and CPU in parts of one process's.
Build inputs are written directly, as `judgements.py` writes them; `--villages` adds so many villages with two rules of their own,
which each reports on every month. Spark runs on `OVERSIGHT_SPARK_MASTER` (`local[2]` where nothing is named); `--cluster`
starts a master with two workers instead and prints how many tasks each of them finished, and `--kill` ends one of them after so
many seconds. Ends with 1 where a row differs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
from measure import PROJECT_ROOT, Cost, load, measure, python

sys.path.insert(0, str(PROJECT_ROOT))
from judgements import write_inputs

from oversight.editions.build import DUCKDB, PROVINCES, SPARK, build_file
from oversight.settings import DataFolder
from tests.spark.cluster import Cluster, cluster
from tests.spark.comparing import differences

VILLAGE_RULES = ("B-12", "C-05")


def add_villages(inputs: Path, number: int) -> None:
    """So many villages below the townships, each with a figure for each rule and month."""
    import polars as pl

    path = inputs / "divisions.parquet"
    divisions = pl.read_parquet(path)
    towns = divisions.filter(pl.col("division_code").str.len_chars() == 9)
    each = -(-number // towns.height)
    villages = (
        towns.join(pl.DataFrame({"place": range(201, 201 + each)}), how="cross")
        .head(number)
        .with_columns(
            parent_code="division_code",
            division_code=pl.format("{}{}", "division_code", "place"),
            division_name=pl.format("第{}村", "place"),
            division_type=pl.lit("村"),
        )
    )
    both = pl.concat([divisions, villages.select(divisions.columns)])
    both.with_columns(row_number=pl.int_range(pl.len())).write_parquet(path)

    path = inputs / "indicators.parquet"
    indicators = pl.read_parquet(path)
    months = pl.read_parquet(inputs / "population.parquet").select("month").unique()
    reports = villages.select(subject_code="division_code", subject_name="division_name").join(
        months.join(pl.DataFrame({"indicator_code": VILLAGE_RULES}), how="cross"), how="cross"
    )
    own = ("subject_code", "subject_name", "month", "indicator_code", "indicator_value", "indicator_text")
    rest = {name: value for name, value in indicators.row(0, named=True).items() if name not in own}
    told = reports.with_columns(
        indicator_value=pl.lit(1).cast(indicators.schema["indicator_value"]),
        indicator_text=pl.lit(None, pl.String),
        **{name: pl.lit(value, indicators.schema[name]) for name, value in rest.items()},
    )
    whole = pl.concat([indicators, told.select(indicators.columns)])
    whole.with_columns(row_number=pl.int_range(pl.len())).write_parquet(path)


def built(
    folder: DataFolder, engine: str, environment: dict[str, str], *, at_once: int = 1
) -> tuple[Cost, int]:
    """What a build cost, and the most bytes that lay on disk because they did not fit.

    Nobody waits for the processes that run Java, so that the system charges them to none: they are looked at each second.
    """
    spilt, over = [0], threading.Event()
    before = _cpu_of_java()
    java: dict[int, float] = {}
    local = folder.work / "local"
    local.mkdir(exist_ok=True)
    places = [local, folder.work / f"{build_file(folder).name}.tmp"]

    def watch() -> None:
        while not over.wait(1):
            size = 0
            of_provinces = folder.work.glob("provinces/*/.work/*.tmp")
            for path in (each for place in (*places, *of_provinces) for each in place.rglob("*")):
                # What is looked at may be gone by then.
                with contextlib.suppress(OSError):
                    size += path.stat().st_size
            spilt[0] = max(spilt[0], size)
            java.update(_cpu_of_java())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    code = (
        "from pathlib import Path; from oversight.editions import build; "
        f"from oversight.settings import DataFolder; build(DataFolder(Path({str(folder.root)!r})), engine={engine!r}, "
        f"at_once={at_once})"
    )
    try:
        cost = measure(python(code), env=environment | {"SPARK_LOCAL_DIRS": str(local)}, cwd=PROJECT_ROOT)
    finally:
        over.set()
        watcher.join()
    computed = sum(seconds - before.get(pid, 0) for pid, seconds in java.items())
    return replace(cost, cpu_seconds=cost.cpu_seconds + computed), spilt[0]


def _cpu_of_java() -> dict[int, float]:
    """CPU seconds up to now of each process below this one that runs Java: Spark's, and a cluster's."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.name() == "java":
                times = process.cpu_times()
                found[process.pid] = times.user + times.system
    return found


@contextlib.contextmanager
def _where(arguments: argparse.Namespace, place: Path) -> Iterator[tuple[dict[str, str], Cluster | None]]:
    if not (arguments.cluster or arguments.kill):
        yield {"OVERSIGHT_SPARK_MASTER": os.environ.get("OVERSIGHT_SPARK_MASTER", "local[2]")}, None
        return
    with cluster(place) as made:
        yield made.environment, made


def _kill_after(seconds: float, made: Cluster) -> None:
    time.sleep(seconds)
    print(f"worker 1 killed after {seconds:.0f} s; tasks finished until then: {made.tasks()}", flush=True)
    made.kill(1)


def main() -> int:
    """Print what both cost and which tables differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--units", type=int, default=5_000)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--villages", type=int, default=0)
    parser.add_argument("--engine", choices=(SPARK, PROVINCES), default=SPARK)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--kill", type=float)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    place = arguments.keep or Path(tempfile.mkdtemp(prefix="spark-"))
    shutil.rmtree(place, ignore_errors=True)
    write_inputs(place, arguments.units, arguments.months, also=VILLAGE_RULES if arguments.villages else ())
    if arguments.villages:
        add_villages(place / "inputs", arguments.villages)
    folders = {engine: DataFolder(place / engine) for engine in (DUCKDB, arguments.engine)}
    for folder in folders.values():
        shutil.copytree(place / "inputs", folder.inputs)
    print(f"{arguments.units:,} units × {arguments.months} months, {arguments.villages:,} villages, {load()}")
    costs: dict[str, Cost] = {}
    with _where(arguments, place / "cluster") as (environment, made):
        for engine, folder in folders.items():
            if made and arguments.kill and engine == SPARK:
                threading.Thread(target=_kill_after, args=(arguments.kill, made), daemon=True).start()
            cost, spilt = built(
                folder, engine, environment if engine == SPARK else {}, at_once=arguments.at_once
            )
            costs[engine] = cost
            print(
                f"{engine:9} {cost.wall_seconds:8.1f} s wall {cost.cpu_seconds:8.1f} s CPU "
                f"{cost.peak_bytes / 2**30:6.2f} GB peak {spilt / 2**20:8.0f} MB spilt",
                flush=True,
            )
        one, other = costs[DUCKDB], costs[arguments.engine]
        print(
            f"{arguments.engine} in parts of one process: {other.peak_bytes / one.peak_bytes:.2f} of the memory, "
            f"{other.cpu_seconds / one.cpu_seconds:.2f} of the CPU"
        )
        if made:
            print(f"tasks finished by each worker, by its own log: {made.tasks()}")
    found = differences(*(build_file(folder) for folder in folders.values()))
    print("every published table is the same, row by row" if not found else f"different: {found}")
    if not arguments.keep:
        shutil.rmtree(place)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
