"""One run at a time over one data folder, and no lock left behind by the dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from oversight.editions import RunInProgress, lock, run_lock
from oversight.settings import PROJECT_ROOT, DataFolder

HOLDER = """
import sys, time
from oversight.editions import run_lock
from oversight.settings import DataFolder
with run_lock(DataFolder.at(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
LOOKER = """
import sys
from oversight.editions import lock
from oversight.settings import DataFolder
print("looking", flush=True)
while True:
    lock.holder(DataFolder.at(sys.argv[1]))
"""


def test_second_process_is_told_who_holds_the_folder_and_a_killed_holder_frees_it(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunInProgress, match=f"进程号 {holder.pid}"), run_lock(folder):
            pass
        assert lock.holder(folder) == str(holder.pid)
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()
    assert lock.holder(folder) is None
    with run_lock(folder):
        pass


def test_what_a_dead_run_left_behind_says_nothing(tmp_path: Path) -> None:
    """Its number may by now be another process of ours: this one, say."""
    folder = DataFolder.at(tmp_path)
    assert lock.holder(folder) is None
    folder.work.mkdir()
    (folder.work / "run.lock").write_text(f"{os.getpid()}\n", "ascii")
    assert lock.holder(folder) is None
    with run_lock(folder):
        assert lock.holder(folder) == str(os.getpid())


def test_whoever_only_looks_hinders_no_run(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    with run_lock(folder):
        pass
    looker = subprocess.Popen(
        [sys.executable, "-c", LOOKER, str(tmp_path)], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert looker.stdout is not None
        assert looker.stdout.readline() == "looking\n"
        for _ in range(1500):
            with run_lock(folder):
                pass
    finally:
        looker.kill()
        looker.communicate()


def test_the_same_process_may_take_it_again(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    with run_lock(folder), run_lock(folder):
        pass
    with run_lock(folder):
        pass


def test_two_folders_do_not_hinder_each_other(tmp_path: Path) -> None:
    with run_lock(DataFolder.at(tmp_path / "a")), run_lock(DataFolder.at(tmp_path / "b")):
        pass
