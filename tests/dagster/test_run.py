"""A whole run over the sample: what it publishes, what stays in Dagster's history, and dying at any step."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from dagster import DagsterInstance, DagsterRunStatus

from dagster_project import lineage
from dagster_project.automation import JOB
from dagster_project.checks import SUITES
from dagster_project.dbt_assets import Translator
from oversight import editions
from oversight.editions import Edition, current, find_edition, list_editions, open_edition
from oversight.editions.build import audited_from, built_from
from oversight.editions.published import PUBLIC_TABLES
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.conftest import run_oversight


def copy_of(folder: DataFolder, place: Path) -> DataFolder:
    """The sample with its edition, to be changed."""
    shutil.copytree(folder.root, place, symlinks=True)
    return DataFolder.at(place)


def test_the_run_ends_with_a_summary(sample_folder: DataFolder, sample_edition: Edition) -> None:
    said = (sample_folder.root / "run.txt").read_text("utf-8")
    for word in ("新版本", "乡镇", "未报送", "经费缺口", "不达标", "拒收", "数据库"):
        assert word in said
    assert sample_edition.edition_id in said
    assert str(sample_edition.warehouse) in said
    assert "dagster" not in said.replace(str(sample_folder.dagster_home), "").lower()


def test_main_holds_the_public_tables_and_everything_is_commented(sample_folder: DataFolder) -> None:
    with open_edition(sample_folder) as connection:
        tables = connection.execute("select schema_name, table_name, comment from duckdb_tables()").fetchall()
        columns = connection.execute(
            "select schema_name, table_name, column_name, comment from duckdb_columns() where not internal"
        ).fetchall()
    assert {table for schema, table, _ in tables if schema == "main"} >= set(PUBLIC_TABLES)
    assert [table[:2] for table in tables if not table[2]] == []
    assert [column[:3] for column in columns if not column[3]] == []


def test_the_manifest_names_every_input_file(sample_folder: DataFolder, sample_edition: Edition) -> None:
    import hashlib

    named = {entry["file_name"]: entry["sha256"] for entry in sample_edition.manifest["inputs"]}
    for name, digest in named.items():
        assert hashlib.sha256((sample_folder.raw / name).read_bytes()).hexdigest() == digest
    tables = sample_edition.manifest["tables"]
    assert {f"main.{table}" for table in PUBLIC_TABLES} <= set(tables)
    assert all(entry["fingerprint"] for entry in tables.values())


def test_the_run_is_in_dagsters_history_with_its_checks(
    sample_folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(sample_folder.dagster_home))
    with DagsterInstance.from_config(str(sample_folder.dagster_home)) as instance:
        (run,) = instance.get_runs()
        assert run.job_name == JOB
        assert run.status == DagsterRunStatus.SUCCESS
        events = [record.dagster_event for record in instance.all_logs(run.run_id) if record.dagster_event]
    checks = [e.asset_check_evaluation_data for e in events if e.event_type_value == "ASSET_CHECK_EVALUATION"]
    names = {check.check_name for check in checks}
    assert {f"suite_{suite}" for suite in SUITES} <= names
    assert {"rows_conserved", "standards_sound"} <= names
    # Doubts are warnings, and a township that falls short is no failure of the pipeline at all.
    assert {check.severity.value for check in checks if not check.passed} <= {"WARN"}


def test_columns_are_traced_for_dagsters_page(sample_folder: DataFolder) -> None:
    manifest = json.loads(editions.manifest_path().read_text("utf-8"))
    # A short one: models with a long statement are shown without lineage.
    one = "model.oversight.townships"
    for unique_id, node in manifest["nodes"].items():
        if unique_id != one and node["resource_type"] == "model":
            # Tracing every model takes a minute.
            node["resource_type"] = "seed"
    traced = lineage._read(sample_folder, manifest, Translator())
    assert ["int_units", "valid_from"] in [[key[-1], column] for key, column in traced[one]["valid_from"]]


def test_every_suite_is_a_check(sample_edition: Edition) -> None:
    with duckdb.connect(str(sample_edition.warehouse), read_only=True) as connection:
        found = connection.execute("select distinct suite, target from quality.suite_results").fetchall()
    assert dict(found) == SUITES


def test_nothing_new_publishes_nothing_and_says_so(
    sample_folder: DataFolder, sample_edition: Edition
) -> None:
    done = run_oversight("run", "--data", str(sample_folder.root))
    assert done.returncode == 0
    assert "没有新内容" in done.stdout
    assert sample_edition.edition_id in done.stdout
    assert [edition.edition_id for edition in list_editions(sample_folder)] == [sample_edition.edition_id]


KILLED = """
import os, signal, sys
import dagster_project.assets as assets
import oversight.editions as editions
from oversight.cli import main

def dies(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

where, name = {"standards": (assets, "write_overlay_inputs"), "build": (editions, "build")}[sys.argv[2]]
setattr(where, name, dies)
main(["run", "--again", "--data", sys.argv[1]])
"""


@dataclass
class GoneOn:
    """The sample with a corrected file, and the edition that a run going on from the sample's made of it."""

    folder: DataFolder
    said: str
    edition: Edition


@pytest.fixture(scope="module")
def gone_on(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> GoneOn:
    folder = copy_of(sample_folder, tmp_path_factory.mktemp("goes_on") / "资料")
    last_quarter = folder.raw / "同心县" / "同心县2025年第4季度民政工作经费（模拟数据）.csv"
    sent = last_quarter.read_text("gb18030")
    corrected = last_quarter.with_stem(f"{last_quarter.stem}（更正）")
    corrected.write_text(sent.replace(",40000.00,", ",39999.00,"), "gb18030")
    done = run_oversight("run", "--data", str(folder.root))
    assert done.returncode == 0, done.stderr
    edition = current(folder)
    assert edition is not None
    return GoneOn(folder, done.stdout, edition)


def stands(gone_on: GoneOn) -> None:
    """The edition of before is the current one and can be read."""
    edition = current(gone_on.folder)
    assert edition is not None
    assert edition.edition_id == gone_on.edition.edition_id
    with open_edition(gone_on.folder) as connection:
        assert connection.execute("select count(*) > 0 from townships").fetchone() == (True,)


# The tests from here on are steps over one folder; the last one makes everything anew after all that was done to it.


def test_a_run_goes_on_from_the_last_one(gone_on: GoneOn, sample_edition: Edition) -> None:
    assert gone_on.said.count("2025 年以前") == 2, gone_on.said
    flags = gone_on.edition.manifest["tables"]["quality.suite_flags"]
    assert flags != sample_edition.manifest["tables"]["quality.suite_flags"]


@pytest.mark.parametrize("step", ["standards", "build"])
def test_killed_at_a_step_the_last_edition_stands(gone_on: GoneOn, step: str) -> None:
    """Every step, and moments at random: `python -m tests.faults.kills`; within a publication: tests/editions."""
    command = [sys.executable, "-c", KILLED, str(gone_on.folder.root), step]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    stands(gone_on)


def test_a_failing_model_leaves_the_last_edition_and_one_line(
    gone_on: GoneOn,
) -> None:
    broken = (
        "import sys, dagster_project.assets as a; from oversight.cli import main; real = a.take_in\n"
        "def take_in(folder, **k):\n"
        "    real(folder, **k); (folder.inputs / 'population.parquet').write_bytes(b'')\n"
        "a.take_in = take_in; sys.exit(main(['run', '--again', '--data', sys.argv[1]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", broken, str(gone_on.folder.root)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    stands(gone_on)


def test_what_the_audit_finds_wrong_is_not_gone_on_in(
    gone_on: GoneOn,
) -> None:
    wrong = (
        "import sys, duckdb, oversight.editions as e; from oversight.cli import main; real = e.build\n"
        "def build(folder, **k):\n"
        "    made = real(folder, **k)\n"
        "    with duckdb.connect(str(e.build_file(folder))) as c:\n"
        "        c.execute('insert into funding_gap_monthly from funding_gap_monthly limit 1')\n"
        "    return made\n"
        "e.build = build; sys.exit(main(['run', '--again', '--data', sys.argv[1]]))"
    )
    command = [sys.executable, "-c", wrong, str(gone_on.folder.root)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "核对发现处理结果有误" in done.stderr
    stands(gone_on)
    assert not built_from(gone_on.folder).exists()
    assert not audited_from(gone_on.folder).exists()


def test_a_run_from_nothing_after_all_that_says_what_the_one_that_went_on_said(gone_on: GoneOn) -> None:
    """Without a network, and a reader that opens the current edition over and over meanwhile never fails.

    What went on took its earlier years from a folder in another place, so places do not count either.
    """
    before = gone_on.edition
    stop = threading.Event()
    counts: list[int] = []

    def read() -> None:
        while not stop.is_set():
            with duckdb.connect(str(find_edition(gone_on.folder).warehouse), read_only=True) as client:
                counts.append(client.execute("select count(*) from 中文.经费缺口_月").fetchall()[0][0])
            stop.wait(0.1)

    command = [sys.executable, "-m", "oversight.cli", "run", "--again", "--data", str(gone_on.folder.root)]
    alone = ["unshare", "--net", "--map-root-user"]
    can = shutil.which("unshare") and not subprocess.run([*alone, "true"], capture_output=True).returncode
    held = duckdb.connect(str(before.warehouse), read_only=True)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        done = subprocess.run(
            [*alone, *command] if can else command,
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        stop.set()
        reading.result()
    assert done.returncode == 0, done.stderr
    assert counts
    assert held.execute("select edition_id from edition").fetchall() == [(before.edition_id,)]
    held.close()
    assert "2025 年以前" not in done.stdout
    said = f"{len(before.manifest['tables'])} 张表的内容都与上一版 {before.edition_id} 相同"
    assert said in done.stdout, done.stdout
    edition = current(gone_on.folder)
    assert edition is not None
    assert edition.edition_id != before.edition_id
    assert edition.made_from == before.made_from
    assert edition.manifest["tables"] == before.manifest["tables"]
    if not can:
        pytest.skip("all of it holds; unshare is not permitted here, so the network was not cut")


def test_older_clients_open_the_warehouse(sample_edition: Edition, tmp_path: Path) -> None:
    """DuckDB 1.4.4, where it can be had, sees the tables and their Chinese comments."""
    target = tmp_path / "duckdb"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(target),
        "duckdb==1.4.4",
    ]
    if subprocess.run(install, capture_output=True, check=False).returncode:
        pytest.skip("duckdb 1.4.4 cannot be installed here (no package index in reach)")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import duckdb; assert duckdb.__version__ == '1.4.4'\n"
        "c = duckdb.connect(sys.argv[2], read_only=True)\n"
        "print(c.execute(\"select comment from duckdb_tables() where table_name = 'funding_gap_monthly'\")"
        ".fetchone()[0], c.execute('select count(*) from funding_gap_monthly').fetchone()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(target), str(sample_edition.warehouse)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert any("一" <= letter <= "鿿" for letter in done.stdout)
    assert str(sample_edition.row_count("main.funding_gap_monthly")) in done.stdout
