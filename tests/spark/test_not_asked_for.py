"""Who does not ask for Spark has nothing of it: not imported, not installed, not waited for."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from oversight.editions import spark
from oversight.editions.build import DUCKDB, SPARK
from oversight.settings import PROJECT_ROOT, DataFolder
from oversight.whole_run import run

_IMPORTS = re.compile(r"^[ \t]*(?:from|import)[ \t]+(?:pyspark|py4j|dbt\.adapters\.spark)", re.MULTILINE)


def test_one_module_imports_it_and_only_when_asked() -> None:
    found = {
        path.relative_to(PROJECT_ROOT).as_posix(): re.findall(_IMPORTS, path.read_text("utf-8"))
        for room in ("oversight", "dagster_project", "verify")
        for path in (PROJECT_ROOT / room).rglob("*.py")
    }
    assert {name for name, lines in found.items() if lines} == {"oversight/editions/spark.py"}
    # Within a function: the module itself can be imported where nothing of it is installed.
    assert all(line[0] == " " for line in found["oversight/editions/spark.py"])


@pytest.mark.parametrize("lock", ["", "-dev", "-docs", "-notebooks", "-page"])
def test_no_other_lock_installs_it(lock: str) -> None:
    text = (PROJECT_ROOT / f"requirements{lock}.lock").read_text("utf-8")
    assert not re.findall(r"^(?:pyspark|py4j|dbt-spark)\b", text, flags=re.MULTILINE)


def test_its_own_lock_moves_no_other_version() -> None:
    def versions(lock: str) -> dict[str, str]:
        text = (PROJECT_ROOT / lock).read_text("utf-8")
        return dict(re.findall(r"^([\w.-]+)==(\S+)", text, flags=re.MULTILINE))

    plain, own = versions("requirements.lock"), versions("requirements-spark.lock")
    assert own.items() >= plain.items()
    assert own.keys() - plain.keys() == {"dbt-spark", "py4j", "pyspark", "sqlparams"}


def test_where_it_is_missing_a_run_says_so_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import datetime

    from oversight.settings import TIME_ZONE

    folder = DataFolder(tmp_path)
    folder.raw.mkdir()
    monkeypatch.setattr(spark, "_is_installed", lambda name: name != "pyspark")
    with pytest.raises(
        spark.SparkError, match=r"没有安装 Spark 所需的包，未运行。请在项目目录执行 make spark"
    ):
        run(folder, say=print, now=datetime.now(TIME_ZONE), engine=SPARK)
    monkeypatch.setattr(spark, "_is_installed", lambda _: True)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(spark.SparkError, match="没有找到 Java"):
        run(folder, say=print, now=datetime.now(TIME_ZONE), engine=SPARK)
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]
    assert DUCKDB != SPARK
