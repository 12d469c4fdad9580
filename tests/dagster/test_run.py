"""A whole run over the sample: what it publishes, what stays in Dagster's history, and dying at any step."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from dagster import DagsterInstance, DagsterRunStatus

from dagster_project import lineage
from dagster_project.checks import SUITES
from dagster_project.dbt_assets import Translator
from dagster_project.pipeline import JOB
from oversight import editions
from oversight.editions import Edition, current, list_editions, open_edition
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


def test_the_run_is_in_dagsters_history_with_its_checks(sample_folder: DataFolder) -> None:
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


def test_same_inputs_elsewhere_give_the_same_fingerprints_without_network(
    sample_folder: DataFolder, sample_edition: Edition, tmp_path: Path
) -> None:
    folder = DataFolder.at(tmp_path / "另一处")
    shutil.copytree(sample_folder.raw, folder.raw)
    command = [sys.executable, "-m", "oversight.cli", "run", "--data", str(folder.root)]
    alone = ["unshare", "--net", "--map-root-user"]
    can = shutil.which("unshare") and not subprocess.run([*alone, "true"], capture_output=True).returncode
    done = subprocess.run(
        [*alone, *command] if can else command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    edition = current(folder)
    assert edition is not None
    assert edition.made_from == sample_edition.made_from
    assert edition.manifest["tables"] == sample_edition.manifest["tables"]
    if not can:
        pytest.skip("fingerprints agree; unshare is not permitted here, so the network was not cut")


KILLED = """
import os, signal, sys
import dagster_project.assets as assets
import oversight.editions as editions
import oversight.quality as quality
from oversight.cli import main

def dies(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

where, name = {"intake": (assets, "take_in"), "standards": (assets, "write_overlay_inputs"),
    "identity": (editions, "write_identity"), "build": (editions, "build"), "audit": (quality, "run_suites"),
    "publish": (editions, "publish")}[sys.argv[2]]
setattr(where, name, dies)
main(["run", "--again", "--data", sys.argv[1]])
"""


def test_killed_at_any_step_the_last_edition_stands_and_the_next_run_succeeds(
    sample_folder: DataFolder, sample_edition: Edition, tmp_path: Path
) -> None:
    folder = copy_of(sample_folder, tmp_path / "资料")
    # Every step, and moments at random: `python -m tests.faults.kills`.
    for step in ("standards", "build", "publish"):
        command = [sys.executable, "-c", KILLED, str(folder.root), step]
        done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, (step, done.stderr.decode())
        edition = current(folder)
        assert edition is not None, step
        assert edition.edition_id == sample_edition.edition_id, step
        with open_edition(folder) as connection:
            assert connection.execute("select count(*) > 0 from townships").fetchone() == (True,)

    after = run_oversight("run", "--again", "--data", str(folder.root))
    assert after.returncode == 0, after.stderr
    said = f"{len(sample_edition.manifest['tables'])} 张表的内容都与上一版 {sample_edition.edition_id} 相同"
    assert said in after.stdout
    edition = current(folder)
    assert edition is not None
    assert edition.edition_id != sample_edition.edition_id
    assert edition.manifest["tables"] == sample_edition.manifest["tables"]


def test_a_run_that_goes_on_says_what_a_run_from_nothing_says(
    sample_folder: DataFolder, sample_edition: Edition, tmp_path: Path
) -> None:
    folder = copy_of(sample_folder, tmp_path / "资料")
    last_quarter = folder.raw / "同心县" / "同心县2025年第4季度民政工作经费（模拟数据）.csv"
    sent = last_quarter.read_text("gb18030")
    corrected = last_quarter.with_stem(f"{last_quarter.stem}（更正）")
    corrected.write_text(sent.replace(",40000.00,", ",39999.00,"), "gb18030")

    goes_on = run_oversight("run", "--data", str(folder.root))
    assert goes_on.returncode == 0, goes_on.stderr
    assert goes_on.stdout.count("2025 年以前") == 2, goes_on.stdout
    edition = current(folder)
    assert edition is not None
    flags = edition.manifest["tables"]["quality.suite_flags"]
    assert flags != sample_edition.manifest["tables"]["quality.suite_flags"]
    from_nothing = run_oversight("run", "--again", "--data", str(folder.root))
    assert from_nothing.returncode == 0, from_nothing.stderr
    assert "2025 年以前" not in from_nothing.stdout
    said = f"{len(edition.manifest['tables'])} 张表的内容都与上一版 {edition.edition_id} 相同"
    assert said in from_nothing.stdout, from_nothing.stdout


def test_a_failing_model_leaves_the_last_edition_and_one_line(
    sample_folder: DataFolder, sample_edition: Edition, tmp_path: Path
) -> None:
    folder = copy_of(sample_folder, tmp_path / "资料")
    broken = (
        "import sys, dagster_project.assets as a; from oversight.cli import main; real = a.take_in\n"
        "def take_in(folder, **k):\n"
        "    real(folder, **k); (folder.inputs / 'population.parquet').write_bytes(b'')\n"
        "a.take_in = take_in; sys.exit(main(['run', '--again', '--data', sys.argv[1]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", broken, str(folder.root)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    edition = current(folder)
    assert edition is not None
    assert edition.edition_id == sample_edition.edition_id


def test_what_the_audit_finds_wrong_is_not_gone_on_in(
    sample_folder: DataFolder, sample_edition: Edition, tmp_path: Path
) -> None:
    folder = copy_of(sample_folder, tmp_path / "资料")
    wrong = (
        "import sys, duckdb, oversight.editions as e; from oversight.cli import main; real = e.build\n"
        "def build(folder, **k):\n"
        "    made = real(folder, **k)\n"
        "    with duckdb.connect(str(e.build_file(folder))) as c:\n"
        "        c.execute('insert into funding_gap_monthly from funding_gap_monthly limit 1')\n"
        "    return made\n"
        "e.build = build; sys.exit(main(['run', '--again', '--data', sys.argv[1]]))"
    )
    command = [sys.executable, "-c", wrong, str(folder.root)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "核对发现处理结果有误" in done.stderr
    edition = current(folder)
    assert edition is not None
    assert edition.edition_id == sample_edition.edition_id
    assert not built_from(folder).exists()
    assert not audited_from(folder).exists()


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
