"""The models on DuckDB and on Spark, every published table row by row: `make test-spark` (not part of every test run).

Only this proves anything: a third of all judgements were once wrong on Spark while every test of the models passed.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from oversight.editions.build import SPARK, build, build_file
from oversight.editions.spark import SparkError, session
from oversight.settings import DBT_DIR, PROJECT_ROOT, DataFolder
from tests.conftest import run_oversight
from tests.dbt.test_going_on import (
    a_figure_held,
    a_month_more,
    an_old_month_corrected,
    made_up,
    the_last_month_withdrawn,
)
from tests.dbt.world import build_project
from tests.spark.comparing import differences

pytestmark = pytest.mark.skipif(
    shutil.which("java") is None or not os.environ.get("OVERSIGHT_TEST_SPARK"),
    reason="run by make test-spark",
)
LOCAL = {"OVERSIGHT_SPARK_MASTER": "local[2]"}


@pytest.fixture(scope="module")
def on_spark(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """The sample, from its files to an edition, with the models on Spark."""
    folder = DataFolder(tmp_path_factory.mktemp("数据 on 100% spark's"))
    shutil.copytree(PROJECT_ROOT / "data" / "raw", folder.raw)
    done = run_oversight("run", "--engine", "spark", "--data", str(folder.root), env=LOCAL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "由 Spark 计算" in done.stdout
    assert done.stderr == ""
    return folder


def warehouse(folder: DataFolder) -> Path:
    """The published file."""
    done = run_oversight("path", "--data", str(folder.root))
    return Path(done.stdout.strip())


def test_the_edition_of_the_sample_is_the_same(on_spark: DataFolder, sample_folder: DataFolder) -> None:
    assert differences(warehouse(sample_folder), warehouse(on_spark)) == {}


def test_an_input_that_spark_cannot_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERSIGHT_SPARK_MASTER", LOCAL["OVERSIGHT_SPARK_MASTER"])
    folder = DataFolder(tmp_path)
    folder.inputs.mkdir(parents=True)
    (folder.inputs / "budget.parquet").write_bytes(b"PAR1 and nothing more")
    told = pytest.raises(SparkError, match=r"Spark 读不到输入 .*budget\.parquet.*OVERSIGHT_SPARK_DIR")
    with told, session(folder, memory_mb=1000):
        pass


def _a_cell(project: Path) -> None:
    """The rate of the first tier of A-10 by one 分."""
    path = project / "seeds" / "standard_tiers.csv"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.startswith("A-10,1,"))
    cells = lines[at].split(",")
    value = lines[0].strip().split(",").index("value")
    cells[value] = f"{float(cells[value]) + 0.01:.4f}"
    lines[at] = ",".join(cells)
    path.write_text("".join(lines), "utf-8")


def _a_cast(project: Path) -> None:
    """One amount loses its 分."""
    path = project / "models" / "marts" / "funding_gap_monthly.sql"
    text = path.read_text("utf-8")
    before = "cast(disbursed_ytd_cny as decimal(18, 2))"
    assert before in text
    after = "cast(cast(disbursed_ytd_cny as decimal(18, 0)) as decimal(18, 2))"
    path.write_text(text.replace(before, after), "utf-8")


@pytest.mark.parametrize("plant", [_a_cell, _a_cast], ids=["a seed cell", "a cast"])
def test_a_planted_difference_is_found(
    on_spark: DataFolder, tmp_path: Path, plant: Callable[[Path], None]
) -> None:
    project = tmp_path / "dbt"
    shutil.copytree(DBT_DIR, project, ignore=shutil.ignore_patterns("target", "logs"))
    plant(project)
    one = DataFolder(tmp_path / "data")
    shutil.copytree(on_spark.inputs, one.inputs)
    planted = build_project(project, one, tmp_path)
    assert "main.funding_gap_monthly" in differences(planted, build_file(on_spark))


def test_late_corrected_held_and_withdrawn_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Spark computes everything anew; DuckDB goes on in the file of its last build wherever it may.
    monkeypatch.setenv("OVERSIGHT_SPARK_MASTER", LOCAL["OVERSIGHT_SPARK_MASTER"])
    chance = random.Random(7)
    world = made_up(chance)
    one, other = DataFolder(tmp_path / "duckdb"), DataFolder(tmp_path / "spark")
    world.write(one.inputs, one)
    build(one)
    for change in (a_month_more, an_old_month_corrected, a_figure_held, the_last_month_withdrawn):
        change(world, chance)
        world.write(one.inputs, one)
        build(one)
    world.write(other.inputs, other)
    build(other, engine=SPARK)
    assert differences(build_file(one), build_file(other)) == {}
