"""dbt over the inputs of a run, into a build file that no reader ever opens.

dbt runs inside this process: starting it anew would import it a second time (2.6 CPU seconds, as much as the
build of the sample itself). Its manifest is parsed once for each state of the dbt project, not once a run;
paths reach the models through environment variables that only the profile reads, so the same parsed manifest
serves every data folder.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from oversight import telemetry
from oversight.editions.changes import EVERYTHING, Inputs, read_inputs, since
from oversight.editions.code import dbt_hash
from oversight.editions.edition import EditionError
from oversight.progress import counted
from oversight.settings import DBT_DIR, DataFolder

# A folder of its own: `dbt` typed by hand and the SQL linter write their parse, for another build file, beside it.
TARGET = DBT_DIR / "target" / "prepared"
_STAMP = "prepared.txt"
_PARSED = "partial_parse.msgpack"
# What lies between inputs and marts has a file of its own, so that the build file can be published as it is.
SCRATCH = "scratch"
# Older clients open it (DESIGN 6).
STORAGE_VERSION = "v1.4.0"
# A page needs a few rows of wide tables: of blocks a quarter as large as usual less is read for nothing, and the file
# is no larger.
BLOCK_BYTES = 65_536
# What the models are computed by, unless another engine is asked for.
DUCKDB, PROVINCES, SPARK = ENGINES = ("duckdb", "provinces", "spark")
_OK = {"success", "pass", "warn", "skipped", "no-op"}


class BuildError(EditionError):
    """dbt could not build a model, or one of its tests failed."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one dbt node."""

    unique_id: str
    status: str
    seconds: float
    message: str
    failures: int | None

    @property
    def ok(self) -> bool:
        """Built, or its test passed."""
        return self.status in _OK


@dataclass(frozen=True)
class Part:
    """What a build of some provinces is told, whose inputs alone lie in its folder (oversight/editions/provinces.py).

    `nodes`: the models and seeds that are computed for them; `reported`: the first and last month that anybody in the
    country reports, where anybody does; `months`: the first and last month of any input; `memory_mb`: what it may hold.
    """

    nodes: tuple[str, ...]
    reported: tuple[str, str] | None
    months: tuple[str, str]
    memory_mb: int

    def seen(self, inputs: Inputs) -> Inputs:
        """The inputs with the country's months: whoever reports nothing owes answers all the same."""
        return replace(inputs, first_month=self.months[0], last_month=self.months[1])


# What `dbt build` goes through.
_BUILT = ("model", "seed", "test", "snapshot")


def manifest_path() -> Path:
    """dbt's manifest: every model, column, description and test; parsed anew when the project changed."""
    prepare()
    return TARGET / "manifest.json"


def prepare() -> bool:
    """Parse the dbt project if it changed since it was last parsed; True when it had to be."""
    expected = dbt_hash()
    if _is_prepared(expected):
        return False
    TARGET.mkdir(parents=True, exist_ok=True)
    with (TARGET / "prepare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_prepared(expected):
            return False
        work = TARGET / "preparing"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        with _environment(work / "build.duckdb", work, memory_mb(machine_mb())):
            result = _runner().invoke([*_arguments("parse", work), "--no-partial-parse"])
        if not result.success:
            raise BuildError(
                f"dbt 项目无法解析：{_one_line(result.exception)}。请检查 dbt/ 目录中最近的改动。"
            )
        (TARGET / _STAMP).unlink(missing_ok=True)
        for name in ("manifest.json", _PARSED):
            (work / name).replace(TARGET / name)
        (TARGET / _STAMP).write_text(expected, "utf-8")
        shutil.rmtree(work, ignore_errors=True)
    return True


def build(
    folder: DataFolder,
    *,
    select: Sequence[str] = (),
    part: Part | None = None,
    engine: str = DUCKDB,
    at_once: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> list[NodeResult]:
    """Run `dbt build` over the folder's inputs; the build file is `build_file(folder)`.

    Raises `BuildError`, naming the first node that failed, when the build as a whole did not succeed. Where the last
    build came to its end and its inputs differ only from some fiscal year on, it goes on in that build's file. `select`
    limits it to the named nodes, in the build file that is there. Province by province, `at_once` of them at a time, each
    goes on in a file of its own, and the build file is put together anew. On Spark everything is computed anew, and comes
    into a new build file.
    """
    telemetry.switch_off()
    prepare()
    if engine == PROVINCES:
        from oversight.editions import provinces

        return provinces.build_all(folder, at_once=at_once, say=say)
    target = build_file(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    built = built_from(folder)
    inputs = read_inputs(folder.inputs)
    if part:
        inputs = part.seen(inputs)
    is_whole = not select and engine == DUCKDB
    first_day = since(_kept(folder), inputs) if is_whole else EVERYTHING
    if engine == SPARK:
        say("  由 Spark 计算，全部从头算起")
    if first_day > EVERYTHING:
        say(f"  {first_day.year} 年以前各月的输入与上次相同，沿用上次的结果")
    # From here on the file is neither the one nor the other; a run that is killed leaves one to be made anew.
    built.unlink(missing_ok=True)
    if not select and first_day == EVERYTHING:
        begin_anew(target)

    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    results: dict[str, NodeResult] = {}

    def collect(event: Any) -> None:
        if event.info.name == "NodeFinished":
            # Of a table that is made year by year there is one for each, and the last is of all.
            result = _node_result(event.data)
            results[result.unique_id] = result
            counted(len(results), expected)

    manifest = Manifest.from_msgpack((TARGET / _PARSED).read_bytes(), decoder=extended_mashumuro_decoder)
    # Of single nodes that are asked for nobody waits.
    expected = 0 if select else sum(node.resource_type in _BUILT for node in manifest.nodes.values())
    arguments = [*_arguments("build", folder.work / "dbt"), "--no-write-json"]
    told = variables(first_day) | ({"reported": list(part.reported)} if part and part.reported else {})
    arguments += ["--vars", json.dumps(told)]
    first, last = inputs.fiscal_years(first_day)
    arguments += ["--event-time-start", f"{first:04}-01-01", "--event-time-end", f"{last + 1:04}-01-01"]
    if select:
        arguments += ["--select", *select]
    if part:
        # A test over what is not computed here belongs to the country.
        arguments += ["--select", *part.nodes, "--indirect-selection", "cautious"]
    try:
        with _environment(target, folder.inputs, part.memory_mb if part else memory_mb(machine_mb())):
            if engine == DUCKDB:
                outcome = _runner(manifest, collect).invoke(arguments)
            else:
                outcome = _on_spark(folder, manifest, arguments, collect)
    finally:
        _let_go_of_the_file()
    if not outcome.success:
        failed = [result for result in results.values() if not result.ok]
        what = f"{failed[0].unique_id}:{failed[0].message}" if failed else _one_line(outcome.exception)
        raise BuildError(
            f"数据模型未能建成（{what}），已发布的版本不受影响。"
            f"请重新运行；若仍失败，把 {folder.work / 'dbt' / 'dbt.log'} 交给维护人员。"
        )
    if is_whole:
        inputs.write(built)
    return list(results.values())


def check_engine(engine: str) -> None:
    """Raise, saying what to install, where an engine cannot be used; before anything of a run has begun."""
    if engine == SPARK:
        from oversight.editions import spark

        spark.check_installed()


def _on_spark(folder: DataFolder, manifest: Any, arguments: list[str], collect: Callable[[Any], None]) -> Any:
    """What became of the same models on Spark; if all is well, what is published of them is in the build file."""
    from oversight.editions import spark

    # Parsed for DuckDB, the manifest names its files; Spark's own is made on the way and not kept.
    nodes = [node.to_dict() for node in manifest.nodes.values() if node.resource_type == "model"]
    views = spark.published_views(nodes)
    on_spark = [*arguments, "--target", spark.TARGET, "--no-partial-parse", "--exclude", *views]
    with spark.session(folder, memory_mb=memory_mb(machine_mb())):
        outcome = _runner(None, collect).invoke(on_spark)
        if outcome.success:
            spark.gather(folder, nodes, build_file(folder))
            _let_go_of_the_file()
            outcome = _runner(manifest, collect).invoke([*arguments, "--select", *views])
    return outcome


def variables(first_day: date = EVERYTHING) -> dict[str, Any]:
    """What the models are told: since when they make anew, and the columns with figures of each dataset."""
    from oversight.contracts import DATASETS

    measures = {
        name: [
            {
                "name": column.name,
                "kind": column.kind,
                "title": column.title_zh,
                "has_precision": column.has_precision,
                "is_main": column.required or column.name in contract.any_of,
            }
            for column in contract.measures
        ]
        for name, contract in DATASETS.items()
    }
    return {"since": first_day.isoformat(), "measures": measures}


def build_file(folder: DataFolder) -> Path:
    """The private DuckDB file that dbt writes."""
    return folder.work / "build.duckdb"


def built_from(folder: DataFolder) -> Path:
    """What the inputs of the finished build file said; not there while it is being made."""
    return folder.work / "built_from.json"


def audited_from(folder: DataFolder) -> Path:
    """What the inputs of the last build said that was audited to the end."""
    return folder.work / "audited_from.json"


def parts_folder(folder: DataFolder) -> Path:
    """Where provinces that are computed by themselves have their folders."""
    return folder.work / "provinces"


def forget(folder: DataFolder) -> None:
    """Have the next build and audit make everything anew."""
    for kept in (built_from(folder), audited_from(folder)):
        kept.unlink(missing_ok=True)
    shutil.rmtree(parts_folder(folder), ignore_errors=True)


def _kept(folder: DataFolder) -> Inputs | None:
    """The inputs of the last build, if its files are there to go on in."""
    if build_file(folder).is_file() and scratch_file(folder).is_file():
        return Inputs.read(built_from(folder))
    return None


def scratch_file(folder: DataFolder) -> Path:
    """The file of the models between inputs and marts; dbt's profile names it."""
    target = build_file(folder)
    return target.with_name(f"{target.name}.{SCRATCH}")


def begin_anew(target: Path) -> None:
    """An empty build file of the version that readers' clients can open; dbt keeps to the version it finds."""
    import duckdb

    # Of a run that was killed there may be a log beside each file, and a folder of what did not fit.
    for leftover in target.parent.glob(f"{target.name}*"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()
    with duckdb.connect() as connection:
        place = str(target).replace("'", "''")
        connection.execute(
            f"attach '{place}' as made (storage_version '{STORAGE_VERSION}', block_size {BLOCK_BYTES})"
        )


def _is_prepared(expected: str) -> bool:
    try:
        return (TARGET / _STAMP).read_text("utf-8") == expected
    except FileNotFoundError:
        return False


def _arguments(command: str, target: Path) -> list[str]:
    return [
        "--log-level", "none",
        "--log-level-file", "warn",
        "--log-path", str(target),
        "--no-version-check",
        "--no-use-colors",
        command,
        "--project-dir", str(DBT_DIR),
        "--profiles-dir", str(DBT_DIR),
        "--target-path", str(target),
    ]  # fmt: skip


def _runner(manifest: Any = None, callback: Callable[[Any], None] | None = None) -> Any:
    from dbt.cli.main import dbtRunner

    return dbtRunner(manifest=manifest, callbacks=[callback] if callback else [])


def _node_result(data: Any) -> NodeResult:
    run = data.run_result
    return NodeResult(
        unique_id=data.node_info.unique_id,
        status=str(run.status),
        seconds=float(run.execution_time),
        message=_one_line(run.message),
        failures=int(run.num_failures) if data.node_info.resource_type == "test" else None,
    )


def _one_line(message: object) -> str:
    return " ".join(str(message).split())[:400]


def memory_mb(machine_mb: int) -> int:
    """What the build may hold in memory, in MB: six tenths of what the machine has.

    The rest is for Python, for the pages that are served beside it and for the system; what does not fit is put on disk.
    """
    return machine_mb * 6 // 10


def machine_mb(groups: Path = Path("/proc/self/cgroup"), mounted: Path = Path("/sys/fs/cgroup")) -> int:
    """The memory of this machine, or of the container or service that this process may use, in MB: whatever is least.

    A bound may stand at the group of this process or at any above it, in the tree of either version of control groups."""
    bounds = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    try:
        lines = groups.read_text("utf-8").splitlines()
    except OSError:
        # No control groups here.
        lines = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            top, file = mounted, "memory.max"
        elif "memory" in controllers.split(","):
            top, file = mounted / "memory", "memory.limit_in_bytes"
        else:
            continue
        # A container often sees its own group as the top one, though the path is told from outside.
        group = PurePosixPath(path.lstrip("/"))
        for place in (group, *group.parents):
            try:
                bounds.append(int((top / place / file).read_text("ascii")))
            except (OSError, ValueError):
                # No such group here, or one that sets no bound ("max").
                continue
    return min(bounds) // 1_000_000


@contextmanager
def _environment(target: Path, inputs: Path, megabytes: int) -> Iterator[None]:
    ours = {
        "OVERSIGHT_BUILD": str(target),
        "OVERSIGHT_INPUTS": str(inputs),
        "OVERSIGHT_MEMORY": f"{megabytes}MB",
    }
    before = {name: os.environ.get(name) for name in ours}
    where = Path.cwd()
    os.environ.update(ours)
    try:
        yield
    finally:
        os.chdir(where)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _let_go_of_the_file() -> None:
    """dbt-duckdb keeps the database open until the process ends; publishing has to open it read-only."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import FACTORY

    manager: Any = DuckDBConnectionManager
    adapters: Any = FACTORY
    environment = manager._ENV
    adapters.reset_adapters()
    if environment is not None:
        environment.close()
    manager.close_all_connections()


def descriptions(manifest: Path) -> dict[tuple[str, str], tuple[str, dict[str, str]]]:
    """Chinese comments from the manifest: (schema, table) → table comment and column comments."""
    content = json.loads(manifest.read_text("utf-8"))
    return {
        (node["schema"], node["alias"]): (
            node["description"],
            {column["name"]: column["description"] for column in node["columns"].values()},
        )
        for node in content["nodes"].values()
        if node["resource_type"] in ("model", "seed")
    }
