"""The models on Apache Spark, for those whom one machine does not do any more.

dbt works on a session that is opened here, in this process; the master is whatever `OVERSIGHT_SPARK_MASTER` names, and
by default this machine. Everything is written as Parquet into one folder that all workers see, computed anew in every
run, and what is published of it then comes into the build file, with the types and conditions of its contract. From
there on nobody can tell which engine made it: audit and publication are the same.

Nothing here is imported, nor need it be installed, unless somebody asks for Spark.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oversight.editions.edition import EditionError
from oversight.editions.gathering import create, is_published, is_view
from oversight.editions.published import quoted
from oversight.settings import DataFolder

MASTER = "OVERSIGHT_SPARK_MASTER"
# Where the workers read and write, if they are other machines: a folder that all of them see under this path.
SHARED = "OVERSIGHT_SPARK_DIR"
TARGET = "spark"

# The figures depend on these, so no cluster's own settings change them: what overflows or cannot be cast fails, amounts
# are exact or fail, and a time has no zone.
_EXACT: dict[str, Any] = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.storeAssignmentPolicy": "ANSI",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "false",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}
# Java knows files by the locale's letters: under C, as services often run, a name with Chinese in it is another.
_LOCALE = {"LC_ALL": "C.UTF-8"}
# What Spark infers between joins of tables this wide costs it more than it saves.
_FAST: dict[str, Any] = {"spark.sql.constraintPropagation.enabled": "false"}
_LOG4J = """\
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {log}
appender.file.append = true
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd HH:mm:ss}} %p %c{{1}}: %m%n%ex
"""


class SparkError(EditionError):
    """Spark is not here, cannot be reached, or did not do what it was asked."""


def check_installed() -> None:
    """Raise, saying what to install, where Spark cannot be used."""
    missing = [name for name in ("pyspark", "dbt.adapters.spark") if not _is_installed(name)]
    if missing:
        raise SparkError(
            "没有安装 Spark 所需的包，未运行。请在项目目录执行 make spark（或 pip install -r requirements-spark.lock）后再试；"
            "不用 Spark 时去掉 --engine spark 即可。"
        )
    home = os.environ.get("JAVA_HOME")
    if not shutil.which(str(Path(home) / "bin" / "java") if home else "java"):
        raise SparkError(
            "没有找到 Java，Spark 不能启动。请安装 Java 17 或 21（如 apt-get install openjdk-17-jre-headless），"
            "或用 JAVA_HOME 指明它的位置。"
        )


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def place(folder: DataFolder) -> Path:
    """Where Spark reads its inputs and writes its tables; its log is `spark.log` in it."""
    shared = os.environ.get(SHARED)
    if not shared:
        return folder.work / "spark"
    # It is emptied before every run: two data folders of one name must not meet in it.
    own = hashlib.sha256(str(folder.root.resolve()).encode()).hexdigest()[:8]
    return Path(shared).resolve() / f"{folder.root.name}-{own}"


@contextmanager
def session(folder: DataFolder, *, memory_mb: int) -> Iterator[Any]:
    """A session with the inputs of the run as tables and nothing else; dbt finds it as the process's own."""
    check_installed()
    from pyspark.sql import SparkSession

    root = place(folder)
    shutil.rmtree(root, ignore_errors=True)
    inputs, log = root / "inputs", folder.work / "spark.log"
    inputs.mkdir(parents=True)
    log.unlink(missing_ok=True)
    settings = folder.work / "log4j2.properties"
    settings.write_text(_LOG4J.format(log=_property(str(log))), "ascii")
    master = os.environ.get(MASTER, "local[*]")
    builder = (
        SparkSession.builder.master(master)
        .appName("oversight")
        .config(map=_EXACT | _FAST)
        .config("spark.sql.warehouse.dir", _location(root))
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={settings.as_uri()}")
    )
    if master.startswith("local"):
        # A cluster is told by its own spark-defaults.conf.
        builder = builder.config(
            map={
                "spark.driver.memory": f"{memory_mb}m",
                "spark.sql.shuffle.partitions": "4",
                "spark.ui.enabled": "false",
            }
        )
    try:
        with _told_to(log):
            spark = builder.getOrCreate()
    except Exception as error:
        raise SparkError(
            f"连不上 Spark（{master}），未发布新版本。请检查环境变量 {MASTER} 和集群是否在运行；详情见 {log}。"
        ) from error
    try:
        spark.sql("create schema if not exists inputs")
        for path in sorted(folder.inputs.glob("*.parquet")):
            copy = inputs / path.name
            shutil.copyfile(path, copy)
            where = _location(copy).replace("\\", "\\\\").replace("'", "\\'")
            try:
                spark.sql(f"create table inputs.{path.stem} using parquet location '{where}'")
            except Exception as error:
                raise SparkError(
                    f"Spark 读不到输入 {copy}（{str(error).splitlines()[0]}），未发布新版本。"
                    f"请确认运行的机器和所有工作节点都以这一路径看到同一个文件夹（环境变量 {SHARED}）；详情见 {log}。"
                ) from error
        yield spark
    finally:
        spark.stop()


def _location(path: Path) -> str:
    """A place as Hadoop reads it: not a URI, of which it would take each %20 by its letters."""
    return f"file:{path}"


def _property(text: str) -> str:
    """A text as a file of Java's properties has it, which is read as Latin-1."""
    units = memoryview(text.encode("utf-16-le")).cast("H")
    return "".join(chr(unit) if 32 <= unit < 127 and unit != 92 else f"\\u{unit:04x}" for unit in units)


@contextmanager
def _told_to(log: Path) -> Iterator[None]:
    """Let a process started inside write to `log` what it would write to the terminal, and know files by UTF-8."""
    kept = [os.dup(number) for number in (1, 2)]
    before = {name: os.environ.get(name) for name in _LOCALE}
    os.environ.update(_LOCALE)
    with log.open("ab") as into:
        try:
            for number in (1, 2):
                os.dup2(into.fileno(), number)
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
            for number, own in zip((1, 2), kept, strict=True):
                os.dup2(own, number)
                os.close(own)


def published_views(nodes: list[dict[str, Any]]) -> list[str]:
    """Published models that are views: they stay what they are, in the build file, and Spark never computes them."""
    return [node["name"] for node in nodes if is_published(node) and is_view(node)]


def gather(folder: DataFolder, nodes: list[dict[str, Any]], target: Path) -> None:
    """Bring the published tables from Spark's Parquet into the build file, each in its order; `nodes` are dbt's models."""
    import duckdb

    with duckdb.connect(str(target)) as connection:
        for node in nodes:
            schema, table = node["schema"], node["alias"]
            if not is_published(node) or is_view(node):
                continue
            parts = sorted((place(folder) / f"{schema}.db" / table).glob("part-*.parquet"))
            if not parts:
                raise SparkError(f"Spark 没有写出表 {schema}.{table}，未发布新版本。请重新运行。")
            connection.execute(f"create schema if not exists {quoted(schema)}")
            try:
                rows = f"from read_parquet([{', '.join(map(_text, parts))}])"
                name = f"{quoted(schema)}.{quoted(table)}"
                wanted = create(connection, node, name, rows)
                connection.execute(f"insert into {name} ({wanted}) select {wanted} {rows}")
            except duckdb.Error as error:
                raise SparkError(
                    f"Spark 写出的表 {schema}.{table} 与约定不符（{str(error).splitlines()[0]}），未发布新版本。"
                    "请重新运行；若仍如此，请把这句话交给维护人员。"
                ) from error


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
