"""What the disk does to a run ends in one sentence that names cause and remedy; the scripts of faults in short."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from oversight.errors import OversightError
from oversight.faults import cause_zh
from oversight.settings import PROJECT_ROOT


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except Exception as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "cause", "remedy"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "磁盘空间不足", "清理"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "磁盘配额", "清理"),
        (OSError(errno.EROFS, "Read-only file system", "/data/x"), "只读", "可写"),
        (OSError(errno.EIO, "Input/output error", "/data/x"), "磁盘读写出错", "检查磁盘"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), "没有权限读写 /data/x", "权限"),
        (sqlite3.OperationalError("database or disk is full"), "磁盘空间不足", "清理"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "只读", "可写"),
        (RuntimeError('IO Error: Could not set lock on file "/data/b.duckdb"'), "/data/b.duckdb", "关闭"),
        (OversightError("数据模型未能建成（No space left on device）。"), "磁盘空间不足", "清理"),
    ],
)
def test_each_cause_has_its_sentence(error: Exception, cause: str, remedy: str) -> None:
    for told in (error, raised(ValueError("wrapped"), error)):
        said = cause_zh(told)
        assert said is not None
        assert cause in said
        assert remedy in said
        assert "http" not in said
        assert said.count("\n") == 0


def test_other_failures_have_none() -> None:
    assert cause_zh(ValueError("x")) is None
    assert cause_zh(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "x")) is None


@pytest.mark.parametrize(
    "words",
    [
        ("flips", "150", "4", "short"),
        ("kills", "3", "2", "0", "11", "2"),
        ("full_disk", "0", "17", "0"),
        ("rivals", "3", "2", "3"),
        ("readers", "3", "40", "2"),
    ],
    ids=lambda words: words[0],
)
def test_the_scripts_of_faults_in_short(words: tuple[str, ...], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"tests.faults.{words[0]}", *words[1:]],
        cwd=PROJECT_ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
