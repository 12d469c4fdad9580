"""5,000 townships over three years and more on both engines, row by row, in a first and in a second build (`make test-spark`).

The first is computed by `local[2]`, the second, with late, corrected and withdrawn files, by a master and two workers.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from oversight.editions.build import SPARK, build, build_file
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.conftest import run_oversight
from tests.spark.cluster import cluster
from tests.spark.comparing import differences
from tests.spark.test_same_rows import LOCAL, warehouse

pytestmark = pytest.mark.skipif(
    shutil.which("java") is None or not os.environ.get("OVERSIGHT_TEST_SPARK"),
    reason="run by make test-spark",
)
MARK = "（模拟数据）"
# Of these townships the reports of one month come only after the first run.
LATE = "2024-05"
FIRST_ROWS = 40
# So many pieces of work each worker has finished when one of them is killed: of some thousands in all.
IN_THE_MIDDLE = 300


def _generate(folder: DataFolder, *more: str) -> None:
    script = PROJECT_ROOT / "benchmarks" / "generate.py"
    sizes = ["--units", "5000", "--months", "36"]
    subprocess.run(
        [sys.executable, str(script), "national", str(folder.root), *sizes, *more],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def _cut_out(folder: DataFolder) -> pl.DataFrame:
    """Take the first rows of a month out of the population's file, to be sent later."""
    path = folder.raw / f"户籍人口2024年{MARK}.csv"
    whole = pl.read_csv(path, infer_schema=False)
    late = whole.filter(pl.col("统计月份") == LATE).head(FIRST_ROWS)
    whole.join(late, on=["统计月份", "区划代码"], how="anti").write_csv(path)
    return late


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[DataFolder, DataFolder, pl.DataFrame]:
    """One folder that DuckDB has computed and one that Spark has, from the same files, and what was not sent yet."""
    one, other = (DataFolder(tmp_path_factory.mktemp(name)) for name in ("duckdb", "spark"))
    _generate(one)
    late = _cut_out(one)
    for name in ("raw", "standards"):
        shutil.copytree(one.root / name, other.root / name)
    _run(one)
    _run(other, LOCAL)
    return one, other, late


def _run(folder: DataFolder, environment: dict[str, str] | None = None) -> None:
    asked = ["--engine", "spark"] if environment else []
    done = run_oversight("run", *asked, "--data", str(folder.root), env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_first_build(folders: tuple[DataFolder, DataFolder, pl.DataFrame]) -> None:
    one, other, _ = folders
    assert differences(warehouse(one), warehouse(other)) == {}


def test_late_corrected_and_withdrawn_files_on_two_workers(
    folders: tuple[DataFolder, DataFolder, pl.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, late = folders
    _generate(one, "--one-more-month")
    late.write_csv(one.raw / f"户籍人口{LATE}补报{MARK}.csv")
    budget = pl.read_csv(one.raw / f"民政工作经费2025年{MARK}.csv", infer_schema=False)
    corrected = budget.filter(pl.col("统计月份") == "2025-03").head(FIRST_ROWS)
    more = pl.col("年初预算(元)").cast(pl.Decimal(18, 2)) + pl.lit(100)
    corrected.with_columns(more.cast(pl.String).alias("年初预算(元)")).write_csv(
        one.raw / f"民政工作经费2025-03更正{MARK}.csv"
    )
    _run(one)
    _withdraw(one.inputs, "民政工作人员2026-01")
    shutil.rmtree(other.inputs)
    shutil.copytree(one.inputs, other.inputs)
    # Goes on in the file of its last build; Spark computes everything anew.
    build(one)
    with cluster(tmp_path / "cluster") as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        build(other, engine=SPARK)
        tasks = made.tasks()
    assert differences(build_file(one), build_file(other)) == {}
    # Each by its own log.
    assert len(tasks) == 2
    assert all(tasks)


def _withdraw(inputs: Path, file_name: str) -> None:
    """As if a file had never been handed in."""
    files = pl.read_parquet(inputs / "submissions.parquet")
    gone = files.filter(pl.col("file_name").str.starts_with(file_name))
    assert gone.height == 1
    files.join(gone, on="submission_id", how="anti").write_parquet(inputs / "submissions.parquet")
    for path in inputs.glob("*.parquet"):
        rows = pl.read_parquet(path)
        if path.name != "submissions.parquet" and "submission_id" in rows.columns:
            rows.join(gone, on="submission_id", how="anti").write_parquet(path)


def test_a_worker_that_loses_its_power(
    folders: tuple[DataFolder, DataFolder, pl.DataFrame], tmp_path: Path
) -> None:
    """The run ends with the same rows or fails and says so; until then what was published stays as it was."""
    _, other, _ = folders
    before = warehouse(other)
    digest = _sha256(before)
    with cluster(tmp_path / "cluster") as made:
        command = [
            sys.executable,
            "-m",
            "oversight.cli",
            "run",
            "--again",
            "--engine",
            "spark",
            "--data",
            str(other.root),
        ]
        with (tmp_path / "told").open("w+") as told:
            run = subprocess.Popen(
                command, cwd=PROJECT_ROOT, env=os.environ | made.environment, stdout=told, stderr=told
            )
            while min(made.tasks()) < IN_THE_MIDDLE:
                assert run.poll() is None, (tmp_path / "told").read_text("utf-8")
                time.sleep(1)
            assert _sha256(before) == digest
            made.kill(1)
            ended = run.wait()
    said = (tmp_path / "told").read_text("utf-8")
    assert _sha256(before) == digest
    if ended == 0:
        assert warehouse(other) != before
        assert differences(before, warehouse(other)) == {}
    else:
        assert warehouse(other) == before
        assert "已发布的版本不受影响" in said or "未发布新版本" in said


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
