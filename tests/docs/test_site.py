"""The site is built without a warning or the internet, holds every column, and what it tells to type works."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from oversight import handbook, presentation
from oversight.cli import COMMANDS
from oversight.dictionary import ColumnEntry, TableEntry, problems, read_dictionary
from oversight.editions import find_edition, open_edition
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.conftest import run_oversight

GUIDE = PROJECT_ROOT / "docs" / "guide"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sample_folder: DataFolder) -> Path:
    # The run over the sample has brought dbt's manifest up to date.
    assert sample_folder.marts.exists()
    place = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(place)],
        cwd=PROJECT_ROOT,
        env={
            **os.environ,
            "NO_MKDOCS_2_WARNING": "1",
            "http_proxy": "http://127.0.0.1:9",
            "https_proxy": "http://127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return place


def test_pages_fetch_nothing_from_outside(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) >= 20
    for page in pages:
        text = page.read_text("utf-8")
        fetched = re.findall(r'<(?:script|img|iframe)[^>]+src="(https?:[^"]+)"', text)
        fetched += re.findall(
            r'<link[^>]+rel="(?:stylesheet|preconnect|preload)"[^>]*href="(https?:[^"]+)"', text
        )
        assert not fetched, (page.name, fetched)


def test_every_published_column_is_in_the_dictionary(sample_folder: DataFolder) -> None:
    assert handbook.problems() == []
    described = {(t.full_name, c.name) for t in handbook.tables() for c in t.columns}
    with open_edition(sample_folder) as connection:
        published = {(t.full_name, c.name) for t in read_dictionary(connection) for c in t.columns}
    assert published <= described


def test_a_column_without_name_unit_or_description_is_a_problem() -> None:
    def of(comment: str) -> list[str]:
        return problems(
            [TableEntry("main", "t", "表：说明", (ColumnEntry("amount", "DECIMAL(18,2)", comment),))]
        )

    assert of("金额（元）：拨付的金额") == []
    assert of("")
    assert of("amount")
    assert of("金额：没有单位")


def test_every_status_and_error_is_told(site: Path) -> None:
    status = (GUIDE / "status.md").read_text("utf-8")
    for code, look in presentation.STATUS.items():
        assert f"`{code}` | {look.label}" in status
    errors = (site / "generated" / "errors.html").read_text("utf-8")
    for code in ("F01", "R01", "H01", "D01"):
        assert code in errors


def test_documented_sql_and_python_run(
    sample_folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = find_edition(sample_folder).warehouse
    clients = (GUIDE / "clients.md").read_text("utf-8")
    blocks = re.findall(r"```sql\n(.*?)```", clients, re.S)
    connection = duckdb.connect(str(warehouse), read_only=True)
    for statement in blocks[0].split(";"):
        if statement.strip():
            connection.execute(statement).fetchall()
    connection.close()
    older = tmp_path / "older.duckdb"
    older.write_bytes(warehouse.read_bytes())
    both = (
        blocks[1]
        .replace("旧版/warehouse.duckdb", str(older))
        .replace("新版/warehouse.duckdb", str(warehouse))
    )
    connection = duckdb.connect()
    first, second, compare = (statement for statement in both.split(";") if statement.strip())
    connection.execute(first)
    connection.execute(second)
    assert connection.execute(compare).fetchall() == [(0,)]
    connection.close()
    code = re.search(r"```python\n(.*?)```", clients, re.S)
    assert code is not None
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    script = code[1].replace(
        '["oversight", "path"]', f'["oversight", "path", "--data", "{sample_folder.root}"]'
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_documented_commands_run(sample_folder: DataFolder, tmp_path: Path) -> None:
    text = (GUIDE / "sql.md").read_text("utf-8")
    block = re.search(r"```sh\n(.*?)```", text, re.S)
    assert block is not None
    query = tmp_path / "查询.sql"
    query.write_text("select 1 as a", "utf-8")
    for line in block[1].splitlines():
        words = [
            word.replace("查询.sql", str(query)).replace("结果.xlsx", str(tmp_path / "r.xlsx"))
            for word in shlex.split(line)
        ]
        done = run_oversight(*words[1:], "--data", str(sample_folder.root))
        assert done.returncode == 0, (line, done.stderr)
    assert (tmp_path / "r.xlsx").exists()


def test_every_command_named_in_the_guide_exists() -> None:
    for page in GUIDE.glob("*.md"):
        for name in re.findall(r"oversight ([a-z]+)", page.read_text("utf-8")):
            assert name in COMMANDS, (page.name, name)
