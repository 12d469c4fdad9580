"""Write, audit, publish: what an edition holds, and that readers never meet a broken or mixed one."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from oversight.editions import (
    Edition,
    EditionError,
    current,
    find_edition,
    list_editions,
    open_edition,
    publish,
)
from oversight.editions.build import machine_mb, memory_mb
from oversight.editions.publish import STEPS
from oversight.editions.published import PUBLIC_TABLES
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.editions.standin import identity, write_build, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.at(tmp_path / "资料")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_manifest(tmp_path / "manifest.json")


def publish_number(folder: DataFolder, manifest: Path, number: int, **options: Any) -> Edition:
    write_build(folder, number=number)
    return publish(folder, identity(folder, number), manifest=manifest, **options)


def test_edition_holds_public_tables_comments_parquet_and_manifest(
    folder: DataFolder, manifest: Path
) -> None:
    edition = publish_number(folder, manifest, 1)

    assert current(folder) == edition
    with open_edition(folder) as connection:
        tables = connection.execute(
            "select schema_name, table_name, comment from duckdb_tables() order by 1, 2"
        ).fetchall()
        assert {name for schema, name, _ in tables if schema == "main"} == set(PUBLIC_TABLES)
        assert {schema for schema, _, _ in tables} == {"main", "reported"}
        assert ("main", "funding_gap_monthly", "各乡镇逐月 经费缺口") in tables
        comment = connection.execute(
            "select comment from duckdb_columns() "
            "where table_name = 'funding_gap_monthly' and column_name = 'month'"
        ).fetchone()
        assert comment == ("月份'首日",)
        # Tables only, but for the relations with Chinese names, which name no database and so break nowhere.
        schemas = connection.execute(
            "select distinct schema_name from duckdb_views() where not internal"
        ).fetchall()
        assert schemas == [("中文",)]
    assert {path.stem for path in (edition.path / "parquet").iterdir()} == set(PUBLIC_TABLES)

    content = json.loads((edition.path / "manifest.json").read_text("utf-8"))
    assert content["months"] == {"first": "2025-01-01", "last": "2025-08-01"}
    assert content["inputs"] == [{"file_name": "甲/乙.xlsx", "sha256": "00ff", "status": "accepted"}]
    assert content["tables"]["main.funding_gap_monthly"]["rows"] == 50
    assert content["tables"]["main.funding_gap_monthly"]["totals"] == {"allocation_shortfall_cny": "1359.75"}
    assert edition.made_from.input_fingerprint == "00000001"


def test_same_content_in_another_order_gives_same_fingerprints(folder: DataFolder, manifest: Path) -> None:
    write_build(folder)
    first = publish(folder, identity(folder), manifest=manifest)
    write_build(folder, reverse=True)
    second = publish(folder, identity(folder), manifest=manifest)

    assert first.path != second.path
    assert first.manifest["tables"] == second.manifest["tables"]


def test_nothing_is_published_that_says_what_the_last_edition_says(
    folder: DataFolder, manifest: Path
) -> None:
    first = publish_number(folder, manifest, 1)
    assert publish(folder, identity(folder, 1), manifest=manifest, unless_like=first) == first
    assert [edition.edition_id for edition in list_editions(folder)] == [first.edition_id]
    assert publish_number(folder, manifest, 2, unless_like=first) != first
    assert len(list_editions(folder)) == 2


def test_same_build_gives_same_files_and_nothing_of_dbt_for_itself(
    folder: DataFolder, manifest: Path
) -> None:
    write_build(folder)
    first = publish(folder, identity(folder), manifest=manifest)
    second = publish(folder, identity(folder), manifest=manifest)
    for table in ("funding_gap_monthly", "townships"):
        name = f"parquet/{table}/2025.parquet"
        assert (first.path / name).read_bytes() == (second.path / name).read_bytes()
    with duckdb.connect(str(second.warehouse), read_only=True) as connection:
        schemas = connection.execute(
            "select schema_name from duckdb_schemas() where database_name = current_database() and not internal"
        ).fetchall()
    assert {schema for (schema,) in schemas} <= {"main", "reported", "detail", "quality", "中文"}


def test_other_content_gives_another_fingerprint(folder: DataFolder, manifest: Path) -> None:
    first = publish_number(folder, manifest, 1).manifest["tables"]
    second = publish_number(folder, manifest, 2).manifest["tables"]
    changed = {name for name in first if first[name]["fingerprint"] != second[name]["fingerprint"]}
    untouched = {"main.edition", "main.submissions", "reported.population"}
    assert changed == set(first) - untouched


def test_warehouse_is_written_for_older_clients(folder: DataFolder, manifest: Path) -> None:
    edition = publish_number(folder, manifest, 1)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{edition.warehouse}' as w (read_only)")
        tags = connection.execute("select tags from duckdb_databases() where database_name = 'w'").fetchone()
    assert tags is not None
    assert "v1.4.0" in str(tags[0])


def test_what_the_audit_left_is_published_beside_the_tables(
    folder: DataFolder, manifest: Path, tmp_path: Path
) -> None:
    audit = tmp_path / "audit"
    (audit / "data_docs").mkdir(parents=True)
    (audit / "data_docs" / "index.html").write_text("文档", "utf-8")
    (audit / "suite_results.json").write_text("[]", "utf-8")
    duckdb.sql("select '完整性' as suite, true as passed").write_parquet(str(audit / "suite_results.parquet"))

    edition = publish_number(folder, manifest, 1, audit=audit)

    assert (edition.path / "data_docs" / "index.html").read_text("utf-8") == "文档"
    assert (edition.path / "suite_results.json").is_file()
    with open_edition(folder) as connection:
        assert connection.execute("from quality.suite_results").fetchall() == [("完整性", True)]


def test_missing_public_table_is_refused(folder: DataFolder, manifest: Path) -> None:
    first = publish_number(folder, manifest, 1)
    write_build(folder, number=2)
    with duckdb.connect(str(folder.work / "build.duckdb")) as connection:
        connection.execute("drop table findings")
    with pytest.raises(EditionError, match="findings"):
        publish(folder, identity(folder, 2), manifest=manifest)
    assert current(folder) == first


def test_a_warehouse_that_lost_rows_is_not_published(
    folder: DataFolder, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The package offers the function under the module's own name, so the module is reached by its key.
    module = sys.modules["oversight.editions.publish"]
    read_back = module.read_back

    def loses_a_row(warehouse: Path, *before: Path | None) -> dict[str, Any]:
        seen: dict[str, Any] = read_back(warehouse, *before)
        seen["tables"]["main.judgements"]["rows"] -= 1
        return seen

    def reads_another_cell(warehouse: Path, *before: Path | None) -> dict[str, Any]:
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute("update judgements set township_code = 'b' where township_code = 'a1'")
        return read_back(warehouse, *before)  # type: ignore[no-any-return]

    first = publish_number(folder, manifest, 1)
    for fault in (loses_a_row, reads_another_cell):
        monkeypatch.setattr(module, "read_back", fault)
        with pytest.raises(EditionError, match="judgements"):
            publish_number(folder, manifest, 2)
        assert current(folder) == first


def test_one_path_leads_to_the_current_edition_for_good(
    folder: DataFolder, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For programs that keep an address: DBeaver, Power Query."""
    stable = folder.marts / "current"
    for number in (1, 2):
        edition = publish_number(folder, manifest, number)
        assert stable.resolve() == edition.path.resolve()
        with duckdb.connect(str(stable / "warehouse.duckdb"), read_only=True) as connection:
            assert connection.execute("select count(*) from edition").fetchall() == [(1,)]
        assert (stable / "parquet" / "funding_gap_monthly" / "2025.parquet").is_file()
    # Copied by something that follows links, it is an edition of its day; the next publication puts it right.
    stable.unlink()
    shutil.copytree(edition.path, stable)
    edition = publish_number(folder, manifest, 3)
    assert stable.is_symlink()
    assert stable.resolve() == edition.path.resolve()

    # Where there are no links there is no such path, least of all one that leads to an older edition.
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError

    monkeypatch.setattr(Path, "symlink_to", refuse)
    edition = publish_number(folder, manifest, 4)
    assert current(folder) == edition
    assert not stable.is_symlink()
    assert not stable.exists()


def test_retention_keeps_the_newest_and_the_current(folder: DataFolder, manifest: Path) -> None:
    made = [publish_number(folder, manifest, number, keep=3) for number in range(5)]
    assert {edition.edition_id for edition in list_editions(folder)} == {e.edition_id for e in made[2:]}
    with pytest.raises(EditionError, match="oversight editions"):
        find_edition(folder, made[0].edition_id)


def test_a_reader_keeps_an_edition_that_is_retired_meanwhile(folder: DataFolder, manifest: Path) -> None:
    publish_number(folder, manifest, 0)
    with open_edition(folder) as connection:
        for number in range(1, 4):
            publish_number(folder, manifest, number, keep=1)
        assert connection.execute("select distinct number from funding_gap_monthly").fetchall() == [(0,)]


def test_pointer_to_nothing_reads_as_no_edition(folder: DataFolder) -> None:
    folder.marts.mkdir(parents=True)
    (folder.marts / "CURRENT").write_text("gone\n")
    assert current(folder) is None
    with pytest.raises(EditionError, match="oversight run"):
        open_edition(folder)


@pytest.mark.parametrize("name", ["../editions", "", "nothing"])
def test_unknown_edition_is_told(folder: DataFolder, name: str) -> None:
    with pytest.raises(EditionError):
        find_edition(folder, name)


KILLED = """
import os, signal, sys
from pathlib import Path
from oversight.editions import publish
from oversight.settings import DataFolder
from tests.editions.standin import identity

def kill(step):
    if step == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

folder = DataFolder.at(sys.argv[1])
publish(folder, identity(folder, 2), manifest=Path(sys.argv[2]), keep=1, on_step=kill)
"""


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_last_edition_stands_and_the_next_run_succeeds(
    folder: DataFolder, manifest: Path, step: str
) -> None:
    first = publish_number(folder, manifest, 1)
    write_build(folder, number=2)
    command = [sys.executable, "-c", KILLED, str(folder.root), str(manifest), step]
    done = subprocess.run(command, cwd=PROJECT_ROOT, check=False)
    assert done.returncode == -signal.SIGKILL

    pointed = current(folder)
    assert pointed is not None
    expected = 2 if step == "retire" else 1
    assert (pointed == first) == (expected == 1)
    with open_edition(folder) as connection:
        assert connection.execute("select distinct number from funding_gap_monthly").fetchall() == [
            (expected,)
        ]

    third = publish_number(folder, manifest, 3, keep=1)
    assert current(folder) == third
    assert [edition.edition_id for edition in list_editions(folder)] == [third.edition_id]
    assert not (folder.marts / ".incoming").exists()


def _read_in_a_loop(root: str, stop: Any, report: Any) -> None:
    """Open the current edition again and again; tell how often, what was seen, and any error or mixture."""
    folder = DataFolder.at(root)
    seen, loops, wrong = set(), 0, []
    while not stop.is_set():
        try:
            with open_edition(folder) as connection:
                numbers = connection.execute(
                    "select distinct number from funding_gap_monthly "
                    "union select distinct number from judgements "
                    "union select distinct number from staffing_gap_monthly"
                ).fetchall()
                if len(numbers) != 1:
                    wrong.append(f"mixture {numbers}")
                seen.update(numbers)
        except Exception as error:
            wrong.append(repr(error))
        loops += 1
    report.put((loops, sorted(seen), wrong))


def test_readers_see_no_error_and_no_mixture_during_publications(folder: DataFolder, manifest: Path) -> None:
    publish_number(folder, manifest, 0, keep=1)
    context = multiprocessing.get_context("spawn")
    stop, report = context.Event(), context.Queue()
    reader = context.Process(target=_read_in_a_loop, args=(str(folder.root), stop, report))
    reader.start()
    held = open_edition(folder)

    for number in range(1, 7):
        publish_number(folder, manifest, number, keep=1)
    stop.set()
    loops, seen, wrong = report.get(timeout=60)
    reader.join(timeout=60)

    assert wrong == []
    assert loops > 20
    assert len(seen) > 1
    assert held.execute("select distinct number from funding_gap_monthly").fetchall() == [(0,)]
    held.close()


def test_the_build_takes_its_share_of_what_the_machine_has() -> None:
    assert memory_mb(4_000) == 2_400
    assert memory_mb(64_000) == 38_400


@pytest.mark.parametrize(
    ("groups", "bounds", "expected"),
    [
        ("", {}, None),
        ("0::/\n", {"memory.max": "max"}, None),
        ("0::/\n", {"memory.max": "3000000000"}, 3_000),
        # A service in its slice: the bound of any group above holds too.
        ("0::/system.slice/oversight.service\n", {"system.slice/memory.max": "2000000000"}, 2_000),
        (
            "0::/system.slice/oversight.service\n",
            {"system.slice/memory.max": "2e9", "system.slice/oversight.service/memory.max": "1500000000"},
            1_500,
        ),
        # The tree of before, where every controller has its own; without a bound it tells a very large one.
        (
            "9:name=systemd:/\n4:memory:/docker/ab\n0::/\n",
            {"memory/docker/ab/memory.limit_in_bytes": "1000000000"},
            1_000,
        ),
        ("4:cpu,memory:/docker/ab\n", {"memory/memory.limit_in_bytes": "1200000000"}, 1_200),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
    ],
)
def test_the_bound_of_a_container_or_service_counts(
    tmp_path: Path, groups: str, bounds: dict[str, str], expected: int | None
) -> None:
    (tmp_path / "groups").write_text(groups, "utf-8")
    for place, bound in bounds.items():
        (tmp_path / "sys" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sys" / place).write_text(f"{bound}\n", "ascii")
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1_000_000
    assert machine_mb(tmp_path / "groups", tmp_path / "sys") == (expected or installed)
    assert machine_mb(tmp_path / "nothing", tmp_path / "sys") == installed
