"""Files as people send them, made from known values: exactly these values come out, or the right refusal."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import polars as pl

from oversight.contracts import DATASETS
from oversight.intake import take_in
from oversight.settings import PROJECT_ROOT, TIME_ZONE, DataFolder

sys.path.insert(0, str(PROJECT_ROOT / "benchmarks"))
from messy import REPORTS, County, divisions_csv, make

SEED, FILES = 7, 150


def _county(number: int) -> County:
    """A made-up county; its name is nobody else's and no part of another's."""
    code = f"{11 + number // 90}{number % 90 + 10}21"
    names = ("东河", "南山", "西林", "北湖", "㮾梨", "湖㳇", "白竺")
    units = tuple((f"{code}{100 + at}", f"{name}{number}镇") for at, name in enumerate(names))
    return County(code, f"模拟第{number:03}县", units, is_unique=True)


def test_known_values_are_read_exactly_or_refused_with_the_right_reason(tmp_path: Path) -> None:
    counties = [_county(n) for n in range(FILES)]
    files = [make(n, county, SEED) for n, county in enumerate(counties)]
    folder = DataFolder.at(tmp_path)
    folder.raw.mkdir()
    (folder.raw / "行政区划.csv").write_bytes(divisions_csv(counties))
    for file in files:
        (folder.raw / file.name).write_bytes(file.content)
    take_in(folder, now=datetime(2026, 1, 5, tzinfo=TIME_ZONE))
    submissions = pl.read_parquet(folder.inputs / "submissions.parquet")
    names = dict(submissions.select("submission_id", "file_name").iter_rows())
    codes: dict[str, set[str]] = {name: set() for name in names.values()}
    for name, code in submissions.select("file_name", "error_code").drop_nulls().iter_rows():
        codes[name].add(code)
    rejected = pl.read_parquet(folder.inputs / "rejected_rows.parquet")
    for submission, code in rejected.select("submission_id", "error_code").iter_rows():
        codes[names[submission]].add(code)
    read: dict[str, dict[object, dict[str, object]]] = {name: {} for name in names.values()}
    for dataset in REPORTS:
        measures = [c.name for c in DATASETS[dataset].measures]
        for row in pl.read_parquet(folder.inputs / f"{dataset}.parquet").iter_rows(named=True):
            if row["row_status"] == "accepted":
                key = (dataset, row["township_code"], row["month"])
                read[names[row["submission_id"]]][key] = {m: row[m] for m in measures}
    wrong = [
        f"{f.name} {f.recipe}" for f in files if any(f.expected.get(k) != v for k, v in read[f.name].items())
    ]
    assert not wrong
    usable = [f for f in files if f.refused_with is None]
    lost = [f"{f.name} {sorted(codes[f.name])} {f.recipe}" for f in usable if read[f.name] != f.expected]
    assert len(lost) <= 0.02 * len(usable), lost
    assert [f.name for f in files if f.refused_with and f.refused_with not in codes[f.name]] == []
