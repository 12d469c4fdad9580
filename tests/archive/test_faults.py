"""What the disk does to a run ends in one sentence that names cause and remedy; the scripts of faults in short."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from oversight import logs
from oversight.errors import OversightError
from oversight.faults import cause_zh
from oversight.scratch import Scratch, folder
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
        # SQLite's words both for a file that it cannot let grow and for a broken disk.
        (sqlite3.OperationalError("disk I/O error"), "磁盘空间不足，或磁盘读写出错", "清理"),
        (RuntimeError("Out of Memory Error: failed to allocate data of size 2 MiB"), "内存不足", "内存更大"),
        (
            OversightError("数据模型未能建成（INTERNAL Error: Attempted to access index 1）。"),
            "内部出错",
            "verify",
        ),
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


def test_a_line_of_the_log_that_finds_no_room_says_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with logs.written(tmp_path, "run"):
        log = logging.getLogger("oversight")
        (handler,) = log.handlers
        assert isinstance(handler, logging.StreamHandler)
        handler.stream.close()
        handler.stream = Path("/dev/full").open("w")  # noqa: SIM115 (the log closes it)
        log.error("the run did not end")
    assert capfd.readouterr().err == ""


def test_other_failures_have_none() -> None:
    assert cause_zh(ValueError("x")) is None
    assert cause_zh(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "x")) is None


def test_a_full_disk_that_broke_the_engine_is_a_full_disk() -> None:
    beneath = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    said = cause_zh(raised(RuntimeError("FATAL Error: database has been invalidated"), beneath))
    assert said is not None
    assert "磁盘空间不足" in said


def test_a_query_that_asks_for_too_much_keeps_its_own_sentence() -> None:
    refused = raised(OversightError("查询需要的内存超过了限制。"), RuntimeError("Out of Memory Error: x"))
    assert cause_zh(refused) is None


_DYING = """
import os, sys
from oversight import cli
from oversight.commands import path

def dies(_):
    print("begun", flush=True)
    os.write(2, sys.argv[2].encode())
    # Nobody said anything, and what was forked lives until the standard input ends.
    if not sys.argv[2] and os.fork() == 0:
        os.closerange(1, 3)
        os.close(sys.stderr.fileno())
        os.read(0, 1)
        os._exit(0)
    os.kill(os.getpid(), int(sys.argv[3]))
    print("said last", file=sys.stderr)
    return 3

path.add_arguments = lambda parser: [parser.add_argument(name) for name in ("heard", "signal")]
path.run = dies
cli.process()
"""
_FULL = 'terminate called: IOException: Could not write file "/d/b.duckdb.wal": No space left on device'


@pytest.mark.parametrize(
    ("heard", "number", "cause"),
    [
        (_FULL, signal.SIGABRT, "磁盘空间不足"),
        ("terminate called after throwing an instance of 'std::bad_alloc'", signal.SIGABRT, "内存不足"),
        ("free(): invalid pointer", signal.SIGABRT, "程序库出错"),
        ("", signal.SIGKILL, "内存不够"),
    ],
)
def test_a_process_that_is_ended_has_a_last_word(heard: str, number: int, cause: str) -> None:
    """DuckDB ends the process where it cannot write its log: no exception, and so no sentence of ours, came of it."""
    done = _dying(heard, number)
    assert done.returncode == -number
    (said,) = done.stderr.splitlines()
    assert cause in said
    assert "再重新运行" in said
    assert "已发布的版本不受影响" in said


def test_a_process_that_ends_by_itself_has_only_its_own() -> None:
    done = _dying("a library's own remark\n", 0)
    assert (done.returncode, done.stdout) == (3, "begun\n")
    assert done.stderr == "said last\na library's own remark\n"


def _dying(heard: str, number: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _DYING, "path", heard, str(int(number))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=PROJECT_ROOT, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as done:
        assert done.stdout is not None
        assert done.stderr is not None
        # Standard input stays open meanwhile.
        said = done.stdout.read(), done.stderr.read()
    return subprocess.CompletedProcess(command, done.returncode, *said)


def test_what_a_killed_process_left_is_swept_away_and_what_another_holds_is_not(tmp_path: Path) -> None:
    def made(then: Callable[[], object]) -> tuple[int, Path]:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, str(Scratch(tmp_path).path).encode())
            then()
        return child, Path(os.read(reading, 999).decode())

    dead, left = made(lambda: os.kill(os.getpid(), signal.SIGKILL))
    os.waitpid(dead, 0)
    alive, held = made(signal.pause)
    assert left.is_dir() != held.is_dir()
    with folder(tmp_path) as own:
        assert sorted(tmp_path.iterdir()) == sorted([own, held])
    os.kill(alive, signal.SIGKILL)
    os.waitpid(alive, 0)
    assert list(tmp_path.iterdir()) == [held]


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
