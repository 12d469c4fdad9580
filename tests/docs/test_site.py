"""The site is built without a warning or the internet, holds every column, and what it tells to type works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from oversight import handbook, presentation
from oversight.cli import COMMANDS
from oversight.dictionary import ColumnEntry, TableEntry, problems, read_dictionary
from oversight.editions import find_edition, open_edition
from oversight.reports.config import load as report_settings
from oversight.reports.config import report_folder
from oversight.settings import PROJECT_ROOT, DataFolder
from oversight.standards import load_standards
from oversight.standards.notes import load_finding_notes
from tests.conftest import run_oversight
from tests.dashboard.browsing import needs_chromium, until

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


@needs_chromium
def test_the_search_finds_chinese_words_from_a_disk(site: Path, chromium: Any) -> None:
    """Opened as a file, without a server: part of a phrase finds the page that says it."""
    context = chromium.new_context(offline=True, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    page.locator("input.md-search__input").click()
    for word, expected in (
        ("点名门槛", "report.html"),
        ("常住人口", "generated/"),
        ("压缩包", "hand-in.html"),
    ):
        page.locator("input.md-search__input").fill(word)
        # A word put in at once is no key pressed.
        page.keyboard.press("End")
        until(page, f"!!document.querySelector('.md-search-result__link[href*=\"{expected}\"]')")
    context.close()


def test_every_picture_of_the_guide_is_there_and_small(site: Path) -> None:
    pictures = list((site / "pictures").glob("*.png"))
    shown = {
        name
        for page in GUIDE.glob("*.md")
        for name in re.findall(r"pictures/([\w-]+\.png)", page.read_text("utf-8"))
    }
    assert shown == {path.name for path in pictures}
    assert sum(path.stat().st_size for path in pictures) < 800_000


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


def blocks(kind: str) -> list[tuple[str, str]]:
    """Every block of code of that kind in the guide and the READMEs, with the page it stands on."""
    found = []
    for page in [*sorted(GUIDE.glob("*.md")), *sorted(PROJECT_ROOT.glob("README*.md"))]:
        for indent, text in re.findall(rf"^( *)```{kind}\n(.*?)^ *```", page.read_text("utf-8"), re.S | re.M):
            found.append((page.name, textwrap.dedent(indent + text)))
    return found


def test_every_block_of_code_is_of_a_kind_that_is_run_here() -> None:
    pages = [*GUIDE.glob("*.md"), *PROJECT_ROOT.glob("README*.md")]
    fences = [
        line.strip() for page in pages for line in re.findall(r"^ *```.*$", page.read_text("utf-8"), re.M)
    ]
    drawings = 1  # the way the data go, in README.md
    run = sum(len(blocks(kind)) for kind in ("sh", "sql", "python", "csv", "toml"))
    # What listens on an address of a server, or needs the rights of its administrator, is in intranet.md alone, and
    # tests/dashboard/test_deploy.py tries what it installs; clients.md has the query of a program that is not here.
    assert {page for page, _ in blocks("text")} == {"intranet.md", "clients.md"}
    assert sum(page == "clients.md" for page, _ in blocks("text")) == 1
    run += len(blocks("text"))
    assert len(fences) == 2 * (run + drawings)


def test_confirmations_written_as_the_guide_shows_count(tmp_path: Path) -> None:
    text = dict(blocks("csv"))["policy.md"]
    folder = DataFolder.at(tmp_path)
    folder.standards.mkdir()
    (folder.standards / "confirmations.csv").write_text(text, "utf-8")
    confirmed = load_standards(folder).standards["last_confirmed_on"]
    assert set(confirmed) == {date(2028, 10, 15)}


def test_settings_of_the_report_written_as_its_page_shows_are_read(site: Path, tmp_path: Path) -> None:
    """The page stands beside the guide, since developers read it too, and is in the site with all that can be set."""
    (text,) = re.findall(
        r"^```toml\n(.*?)^```", (PROJECT_ROOT / "docs" / "report.md").read_text("utf-8"), re.S | re.M
    )
    folder = DataFolder.at(tmp_path)
    before = report_settings(folder, "360313").settings
    report_folder(folder).mkdir()
    (report_folder(folder) / "report.toml").write_text(text, "utf-8")
    settings = report_settings(folder, "360313").settings
    assert {name for name in settings if settings[name] != before[name]} == {"document", "named"}
    shown = (site / "generated" / "report_settings.html").read_text("utf-8")
    assert all(name in shown for part in before.values() if isinstance(part, dict) for name in part)
    assert "report.toml" in (site / "report.html").read_text("utf-8")


def test_a_notice_written_as_the_guide_shows_counts(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    (folder.root / "findings").mkdir()
    (folder.root / "findings" / "notes.csv").write_text(dict(blocks("csv"))["findings.md"], "utf-8")
    assert load_finding_notes(folder).select("kind", "recorded_on").rows() == [("notice", date(2025, 3, 20))]


@pytest.fixture(scope="module")
def home(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's home folder as the guide supposes it, and programs that stand in for those that need a network."""
    place = tmp_path_factory.mktemp("home")
    shutil.copytree(sample_folder.root, place / "supervision", symlinks=True)
    # Under the README's name the same folder: what monthly.md has run need not be run again.
    (place / "督查数据").symlink_to("supervision")
    work = place / "work"
    for name in ("报表", "reports"):
        (work / name).mkdir(parents=True)
        shutil.copy(next(sample_folder.raw.rglob("*.xlsx")), work / name / "a.xlsx")
    (work / "查询.sql").write_text("select 1 as a", "utf-8")
    (work / ".venv").symlink_to(Path(sys.executable).parent.parent)
    (work / "verify").symlink_to(PROJECT_ROOT / "verify")
    programs = place / "programs"
    programs.mkdir()
    stand_ins = {
        # What a target does is tested elsewhere; here that it exists and what it says it would do.
        "make": f'exec /usr/bin/env -u MAKEFLAGS make -C {PROJECT_ROOT} --dry-run "$@" > /dev/null',
        "pip": "exit 0",
        "duckdb": f"exec {sys.executable} -c 'import duckdb, sys; "
        'duckdb.connect(sys.argv[2], read_only=sys.argv[1] == "-readonly")\' "$@"',
    }
    for name, line in stand_ins.items():
        path = os.environ["PATH"] if name == "make" else "$PATH"
        (programs / name).write_text(f"#!/bin/bash\nPATH={path}\n{line}\n", "utf-8")
        (programs / name).chmod(0o755)
    return place


@pytest.mark.parametrize(("page", "script"), blocks("sh"), ids=[page for page, _ in blocks("sh")])
def test_documented_commands_run(home: Path, page: str, script: str) -> None:
    # A network is what `pip download` is for; and `check` says by its exit code that it found something.
    script = script.replace("python3 -m pip", "pip")
    ends = (0, 1) if "oversight check" in script else (0,)
    lines = [f"{line}\n" for line in script.splitlines() if line.strip()]
    path = f"{home / 'programs'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for number in range(len(lines)):
        done = subprocess.run(
            ["bash", "-c", lines[number]],
            cwd=home / "work",
            env={**os.environ, "HOME": str(home), "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in ends, (page, lines[number], done.stdout[-500:], done.stderr[-1500:])
        assert "Traceback" not in done.stderr, (page, lines[number], done.stderr[-1500:])


@pytest.mark.parametrize(("page", "script"), blocks("python"), ids=[page for page, _ in blocks("python")])
def test_documented_python_runs(sample_folder: DataFolder, page: str, script: str) -> None:
    script = script.replace(
        '["oversight", "path"]', f'["oversight", "path", "--data", "{sample_folder.root}"]'
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (page, done.stderr)
    assert "│" in done.stdout, (page, done.stdout)


@pytest.mark.parametrize(("page", "script"), blocks("sql"), ids=[page for page, _ in blocks("sql")])
def test_documented_sql_runs(sample_folder: DataFolder, tmp_path: Path, page: str, script: str) -> None:
    warehouse = find_edition(sample_folder).warehouse
    if page == "sql.md":
        done = run_oversight(
            "sql", script, "--month", "2025-06", "--unit", "36", "--data", str(sample_folder.root)
        )
        assert done.returncode == 0, done.stderr
        return
    older = tmp_path / "older.duckdb"
    older.write_bytes(warehouse.read_bytes())
    script = script.replace("旧版/warehouse.duckdb", str(older)).replace(
        "新版/warehouse.duckdb", str(warehouse)
    )
    with (
        duckdb.connect(str(warehouse), read_only=True) if "attach" not in script else duckdb.connect() as own
    ):
        for statement in script.split(";"):
            if statement.strip():
                found = own.execute(statement).fetchall()
    assert found == [(0,)] if "attach" in script else len(found) == 5


def test_every_command_named_in_the_guide_exists() -> None:
    for page in GUIDE.glob("*.md"):
        for name in re.findall(r"oversight ([a-z]+)", page.read_text("utf-8")):
            assert name in COMMANDS, (page.name, name)
