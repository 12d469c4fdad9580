"""Papers: the same bytes again, one paper a content, corrections that say what and why, and nothing half-made."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from benchmarks.report_edition import write
from oversight.reports import FORMATS, archive, differences, make_all, versions
from oversight.reports.config import report_folder
from oversight.settings import PROJECT_ROOT, TIME_ZONE, DataFolder
from tests.conftest import run_oversight
from tests.reports import reading
from tests.reports.conftest import Standin, issue_all

DECEMBER, COUNTY = date(2025, 12, 1), "990101"


def hashes(folder: DataFolder) -> dict[str, str]:
    """Every file of every report, by its path."""
    root = folder.root / "reports"
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix[1:] in FORMATS
    }


def report_in(folder: DataFolder, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "oversight.cli",
            "report",
            "--month",
            "2025-12",
            "--data",
            str(folder.root),
            *more,
        ],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_made_again_elsewhere_it_is_the_same_byte_for_byte(sample_copy: DataFolder, tmp_path: Path) -> None:
    other = DataFolder(tmp_path / "elsewhere" / "data")
    shutil.copytree(sample_copy.marts, other.marts, symlinks=True)
    for folder, zone, seed in ((sample_copy, "Asia/Shanghai", "1"), (other, "America/New_York", "2")):
        done = report_in(folder, "--scope", "360313", TZ=zone, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
    found = hashes(sample_copy)
    assert len([name for name in found if name.endswith(FORMATS)]) == 4
    assert found == hashes(other)


def test_the_same_edition_gives_one_version(standin: Standin) -> None:
    folder = standin(3)
    (first,) = issue_all(folder, DECEMBER)
    before = hashes(folder)
    (second,) = issue_all(folder, DECEMBER)
    assert (first.is_new, second.is_new) == (True, False)
    assert second.version.number == 1
    assert hashes(folder) == before


def test_formats_asked_for_later_join_the_version(standin: Standin, tmp_path: Path) -> None:
    folder = standin(3)
    issue_all(folder, DECEMBER, formats=("xlsx",))
    (made,) = issue_all(folder, DECEMBER, formats=("html", "docx", "pdf"))
    assert made.version.number == 1
    assert set(made.version.manifest["files"]) == set(FORMATS)
    at_once = DataFolder(tmp_path / "at-once")
    shutil.copytree(folder.marts, at_once.marts, symlinks=True)
    issue_all(at_once, DECEMBER)
    assert hashes(folder) == hashes(at_once)


def later_edition(folder: DataFolder, statement: str, *sizes: int, tables: str = "") -> None:
    """A second edition, in which something is different."""
    name = "20260203-080000-0badcafe"
    write(
        folder,
        sizes,
        name=name,
        built_at=datetime(2026, 2, 3, 8, 0, tzinfo=TIME_ZONE),
        adjust=lambda connection: connection.execute(statement),
    )
    if tables:
        connection = duckdb.connect(str(folder.marts / "editions" / name / "warehouse.duckdb"))
        connection.execute(tables)
        connection.close()


def test_a_later_edition_makes_a_version_that_says_what_changed_and_why(standin: Standin) -> None:
    folder = standin(3)
    issue_all(folder, DECEMBER)
    old = hashes(folder)
    later_edition(
        folder,
        "update facts set allocated = 12345.67 where number = 1",
        3,
        tables="update submissions set file_name = '县/经费更正（模拟数据）.xlsx', sha256 = 'corrected'",
    )
    (made,) = issue_all(folder, DECEMBER)
    assert made.version.number == 2
    now = hashes(folder)
    assert {name: now[name] for name in old} == old

    changed = [
        row
        for table in reading.docx_tables(made.version.verified("docx"))
        if table[0][:2] == ["单位", "项目"]
        for row in table[1:]
    ]
    allocated = next(row for row in changed if row[1] == "年度安排（元）" and row[0] == "石泰乡")
    assert allocated[2:4] == ["51,000.00", "12,345.67"]
    assert "经费更正" in allocated[4]
    assert "各单位变化之和" in {row[4] for row in changed}
    paragraphs = reading.docx_paragraphs(made.version.verified("docx"))
    assert "附件1" in paragraphs
    assert made.version.is_correction
    assert any(
        "2026年1月6日印发的《" in text and "（督通〔2026〕1号）" in text and "现予更正" in text
        for text in paragraphs
    )
    for form, read in (("pdf", reading.pdf_text), ("html", lambda content: content.decode())):
        text = reading.squeezed(read(made.version.verified(form)))
        assert "12,345.67" in text
        assert "经费更正" in text
    assert "更正的数字" in reading.xlsx(made.version.verified("xlsx")).sheetnames


def test_a_later_edition_with_the_same_content_makes_nothing(standin: Standin) -> None:
    folder = standin(3)
    issue_all(folder, DECEMBER)
    before = hashes(folder)
    later_edition(folder, "select 1", 3)
    (made,) = issue_all(folder, DECEMBER)
    assert (made.is_new, made.version.number) == (False, 1)
    (drafted,) = make_all(folder, DECEMBER)
    assert (drafted.is_new, drafted.version.number) == (False, 1)
    assert hashes(folder) == before


def test_one_countys_new_file_leaves_the_others_alone(standin: Standin) -> None:
    folder, both = standin(3, 3), ["990101", "990102"]
    issue_all(folder, DECEMBER, both)
    later_edition(
        folder,
        "update facts set allocated = 12345.67 where county_code = '990102'",
        3,
        3,
        tables="update submissions set sha256 = 'new' where file_name like '%2县%'",
    )
    other, new = issue_all(folder, DECEMBER, both)
    assert (other.is_new, other.version.number) == (False, 1)
    assert (new.is_new, new.version.number) == (True, 2)


def test_what_stands_is_listed_with_its_files_and_what_changed(standin: Standin) -> None:
    folder = standin(3)
    assert archive(folder) == []
    issue_all(folder, DECEMBER)
    issue_all(folder, date(2025, 6, 1), formats=("xlsx",))
    later_edition(folder, "update facts set allocated = 12345.67 where number = 1", 3)
    make_all(folder, DECEMBER)
    assert [item.is_draft for item in archive(folder, drafts=True)] == [False, True, False]
    issue_all(folder, DECEMBER)
    (folder.root / "reports" / "2025-12" / COUNTY / ".incoming").mkdir()
    listed = archive(folder)
    assert [(item.month, item.scope_code, item.number) for item in listed] == [
        (DECEMBER, COUNTY, 2),
        (DECEMBER, COUNTY, 1),
        (date(2025, 6, 1), COUNTY, 1),
    ]
    assert [item.formats for item in listed] == [FORMATS, FORMATS, ("xlsx",)]
    assert not any(item.is_draft for item in archive(folder, drafts=True))
    newest, first, _ = listed
    assert newest.file("docx").read_bytes() == newest.verified("docx")
    changed = differences(folder, newest)
    assert changed is not None
    assert ("石泰乡", "年度安排（元）", "51,000.00", "12,345.67") in {row[:4] for row in changed.rows}
    assert differences(folder, first) is None


def test_changed_wording_makes_a_correction_but_a_recipient_does_not(standin: Standin) -> None:
    folder = standin(3)
    issue_all(folder, DECEMBER)
    own = report_folder(folder)
    (own / "templates").mkdir(parents=True)
    (own / "report.toml").write_text("[[delivery]]\nname = '甲'\nfolder = '/nowhere'\n", "utf-8")
    assert issue_all(folder, DECEMBER)[0].version.number == 1
    (own / "templates" / "demands.txt").write_text("# 另行通知\n请照办。\n", "utf-8")
    (made,) = issue_all(folder, DECEMBER)
    assert made.version.number == 2
    text = reading.squeezed(reading.pdf_text(made.version.verified("pdf")))
    assert "通报的文字有修改，所用材料没有变化" in text
    assert "各项数字没有变化，只更正文字" in text


def test_a_draft_takes_no_number_and_is_replaced(standin: Standin) -> None:
    folder = standin(3)
    for _ in range(2):
        (made,) = make_all(folder, DECEMBER, provisional=True)
        assert made.version.path.name == "draft"
    assert versions(folder, DECEMBER, COUNTY) == []
    assert issue_all(folder, DECEMBER)[0].version.number == 1


class Crash(BaseException):
    """The process is gone; nothing catches it."""


# Two formats are enough here: the steps are the same for each.
TWO = ("docx", "html")
STEPS = (
    "gather",
    "lock",
    "numbered",
    "write docx",
    "write html",
    "stage docx",
    "stage html",
    "snapshot",
    "manifest",
    "rename",
    "renamed",
)


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_leaves_nothing_half_made(standin: Standin, step: str) -> None:
    folder = standin(2)
    seen = []

    def crash(name: str) -> None:
        seen.append(name)
        if name == step:
            raise Crash

    with pytest.raises(Crash):
        issue_all(folder, DECEMBER, formats=TWO, on_step=crash)
    standing = versions(folder, DECEMBER, COUNTY)
    assert len(standing) == (1 if step == "renamed" else 0)
    (made,) = issue_all(folder, DECEMBER, formats=TWO)
    assert [item.number for item in versions(folder, DECEMBER, COUNTY)] == [1]
    assert all(made.version.verified(form) for form in TWO)
    assert not list(folder.root.rglob(".incoming*"))


def test_a_killed_process_leaves_nothing_half_made(standin: Standin) -> None:
    folder = standin(2)
    program = textwrap.dedent(
        """
        import os, sys
        from datetime import date
        from oversight.settings import DataFolder
        from tests.reports.conftest import issue_all
        issue_all(DataFolder.at(sys.argv[1]), date(2025, 12, 1),
                  on_step=lambda name: os.kill(os.getpid(), 9) if name == sys.argv[2] else None)
        """
    )
    for step in ("stage pdf", "rename"):
        done = subprocess.run(
            [sys.executable, "-c", program, str(folder.root), step],
            cwd=PROJECT_ROOT,
            capture_output=True,
            check=False,
        )
        assert done.returncode == -9
        assert versions(folder, DECEMBER, COUNTY) == []
    assert issue_all(folder, DECEMBER)[0].version.number == 1


def test_a_crash_while_adding_a_format_leaves_the_version_whole(standin: Standin) -> None:
    folder = standin(2)
    issue_all(folder, DECEMBER, formats=("xlsx",))

    def crash(name: str) -> None:
        if name == "manifest":
            raise Crash

    with pytest.raises(Crash):
        issue_all(folder, DECEMBER, on_step=crash)
    (standing,) = versions(folder, DECEMBER, COUNTY)
    assert set(standing.manifest["files"]) == {"xlsx"}
    (made,) = issue_all(folder, DECEMBER)
    assert all(made.version.verified(form) for form in FORMATS)


def test_two_at_once_make_one_report(standin: Standin) -> None:
    folder = standin(3)
    command = [
        sys.executable,
        "-m",
        "oversight.cli",
        "report",
        "--month",
        "2025-12",
        "--data",
        str(folder.root),
    ]
    running = [
        subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0], told
    assert [item.is_draft for item in archive(folder, drafts=True)] == [True]
    assert sum("沿用" in output for output, _ in told) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--month", "2025-13"), "月份“2025-13”不对"),
        (("--month", "2025-12", "--format", "odt"), "没有“odt”这种格式"),
        (("--month", "2027-01"), "没有2027年1月的数据"),
        (("--month", "2025-12", "--provisional", "--send"), "不能审核、印发或发送"),
    ],
)
def test_mistakes_on_the_command_line(standin: Standin, words: tuple[str, ...], told: str) -> None:
    folder = standin(1)
    done = run_oversight("report", *words, "--data", str(folder.root))
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_no_edition_yet(tmp_path: Path) -> None:
    done = run_oversight("report", "--month", "2025-12", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "还没有已发布的版本" in done.stderr
