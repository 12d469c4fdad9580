"""The command line: Chinese, quick to answer, one line when something is wrong."""

from __future__ import annotations

import errno
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oversight import cli
from oversight.editions import run_lock
from oversight.loading import on_first_use
from oversight.settings import DataFolder
from tests.conftest import run_oversight


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.strip().splitlines()


def test_help_is_chinese_and_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert "用法：" in text
    assert not {"usage", "options", "positional", "show this"} & set(text.lower().split())
    for name, (_, description) in cli.COMMANDS.items():
        assert name in text
        assert description in text


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_has_chinese_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main([name, "--help"])
    assert stopped.value.code == 0
    assert "显示这份说明" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "缺少参数：命令"),
        (["nope"], "没有“nope”这个选项"),
        (["path", "--dta", "x"], "不认识的参数：--dta x"),
        (["path", "--data"], "参数 --data 后面要有一个值"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    assert stopped.value.code == 2
    (line,) = lines_of(capsys)
    assert said in line
    assert "--help" in line


@pytest.mark.parametrize("heavy", ["dagster", "dbt", "great_expectations", "polars", "duckdb", "pandas"])
def test_path_imports_nothing_heavy(heavy: str) -> None:
    code = f"import sys; from oversight.cli import main; main(['path']); sys.exit({heavy!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0


def test_no_folder_no_raw_no_files_and_no_edition_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "无"
    (tmp_path / "空" / "raw").mkdir(parents=True)
    for words, said in (
        (["run", "--data", str(missing)], "没有数据目录"),
        (["run", "--data", str(tmp_path)], "缺少 raw 文件夹"),
        (["run", "--data", str(tmp_path / "空")], "里没有文件"),
        (["path", "--data", str(tmp_path)], "还没有已发布的版本"),
        (["editions", "--data", str(tmp_path)], "还没有已发布的版本"),
    ):
        assert cli.main(words) == 1
        (line,) = lines_of(capsys)
        assert said in line


def test_init_makes_a_folder_and_touches_nothing_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = DataFolder.at(tmp_path / "本县")
    assert cli.main(["init", str(folder.root)]) == 0
    assert all(path.is_dir() for path in (folder.raw, folder.standards, folder.corrections, folder.marts))
    assert str(folder.root) in capsys.readouterr().out

    folder.sources_toml.write_text("# 我的设置", "utf-8")
    assert cli.main(["init", str(folder.root)]) == 0
    assert folder.sources_toml.read_text("utf-8") == "# 我的设置"

    (tmp_path / "文件").touch()
    assert cli.main(["init", str(tmp_path / "文件")]) == 1


def test_a_folder_just_made_says_what_is_missing_and_publishes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = DataFolder.at(tmp_path / "本县")
    assert cli.main(["init", str(folder.root)]) == 0
    assert "template divisions" in capsys.readouterr().out
    assert cli.main(["run", "--data", str(folder.root)]) == 1
    (line,) = lines_of(capsys)
    assert "里没有文件" in line
    assert "行政区划表" in line
    assert not any(folder.marts.iterdir())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "磁盘空间不足"),
        (PermissionError(errno.EACCES, "denied", "/表.xlsx"), "没有权限读写 /表.xlsx"),
        (MemoryError(), "内存不足"),
        (ValueError("bad\nthing"), "ValueError：bad thing"),
    ],
)
def test_whatever_breaks_ends_in_one_line_and_a_log(
    error: Exception, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("oversight.commands.run.run_over", breaks)
    assert cli.main(["run", "--data", str(tmp_path)]) == 1
    (line,) = lines_of(capsys)
    assert said in line
    (log,) = (tmp_path / ".work" / "logs").iterdir()
    assert str(log) in line
    assert type(error).__name__ in log.read_text("utf-8")


def test_interruption_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("oversight.commands.run.run_over", interrupted)
    assert cli.main(["run", "--data", str(tmp_path)]) == 130
    assert "已中断" in lines_of(capsys)[0]


def test_two_runs_at_once_do_not_collide(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    folder.raw.mkdir()
    (folder.raw / "a.csv").write_text("x")
    with run_lock(folder):
        done = run_oversight("run", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "进程号" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


ENDS = """
import atexit, sys, threading, time, weakref
from oversight.loading import as_process

class Stays:
    def __del__(self):
        print("taken apart")

def main():
    global stays
    stays = Stays()
    weakref.finalize(stays, print, "finalised")
    atexit.register(print, "at exit")
    threading.Thread(target=lambda: (time.sleep(0.05), print("thread"))).start()
    print("main")
    if sys.argv[1] == "raises":
        raise ValueError("wrong")
    if sys.argv[1] == "leaves":
        raise SystemExit(2)
    return 7

as_process(main)
"""


def test_a_process_ends_with_all_it_owes_and_is_not_taken_apart() -> None:
    for how, code in (("returns", 7), ("leaves", 2), ("raises", 1)):
        done = subprocess.run([sys.executable, "-c", ENDS, how], capture_output=True, text=True, check=False)
        assert done.returncode == code, how
        # Into a pipe, so that what was printed stood in a buffer.
        assert done.stdout.split("\n") == ["main", "thread", "at exit", "finalised", ""], how
        assert ("ValueError: wrong" in done.stderr) == (how == "raises")


def test_a_module_set_aside_comes_when_something_in_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("seldom", "seldom.parts", "user"):
        place = tmp_path.joinpath(*name.split("."))
        if name == "seldom":
            place.mkdir()
            place /= "__init__"
        place.with_suffix(".py").write_text({"user": "import seldom"}.get(name, f"THIS = {name!r}"), "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for ask in ("user.seldom.THIS", "importlib.import_module('seldom.parts').THIS"):
        for name in ("seldom", "seldom.parts", "user"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        on_first_use("seldom")
        user = importlib.import_module("user")
        assert not hasattr(user.seldom, "__wrapped__")
        assert "THIS" not in vars(sys.modules["seldom"])
        assert eval(ask, {"user": user, "importlib": importlib}).startswith("seldom")
        assert "THIS" in vars(sys.modules["seldom"])
    on_first_use("no_such_module")
    assert "no_such_module" not in sys.modules
