"""The archive of contents: what went in comes out, or is refused by name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from oversight.archive import store
from oversight.settings import DataFolder


def test_a_content_is_kept_once_under_its_digest_and_cannot_be_written(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    sha256 = store.keep(folder, b"one")
    assert sha256 == hashlib.sha256(b"one").hexdigest() == store.keep(folder, b"one")
    assert [path.name for path in folder.archive.iterdir()] == [sha256]
    assert (folder.archive / sha256).stat().st_mode & 0o777 == 0o444
    assert store.read(folder, sha256) == b"one"


def test_a_changed_content_is_refused_by_name_and_kept_again_when_it_comes_again(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    sha256 = store.keep(folder, b"one")
    (folder.archive / sha256).chmod(0o644)
    (folder.archive / sha256).write_bytes(b"ona")
    with pytest.raises(store.ArchiveError, match=f"{sha256} 已损坏"):
        store.read(folder, sha256)
    store.keep(folder, b"one")
    assert store.read(folder, sha256) == b"one"


def test_many_files_are_kept_together_each_content_once_and_what_cannot_be_read_is_said(
    tmp_path: Path,
) -> None:
    folder = DataFolder(tmp_path / "data")
    store.keep(folder, b"7")
    paths = [tmp_path / f"{n}.csv" for n in range(600)]
    for n, path in enumerate(paths):
        path.write_bytes(b"%d" % (n % 580))
    paths[300].unlink()
    taken = list(store.keep_files(folder, paths))
    told = [None if isinstance(each, store.NotRead) else each[0] for each in taken]
    expected = [hashlib.sha256(b"%d" % (n % 580)).hexdigest() for n in range(600)]
    assert told == [*expected[:300], None, *expected[301:]]
    # Nothing is left aside, and nothing may be written to.
    assert sorted(path.name for path in folder.archive.iterdir()) == sorted({*expected} - {expected[300]})
    assert {path.stat().st_mode & 0o777 for path in folder.archive.iterdir()} == {0o444}
    assert all(store.read(folder, sha256) for sha256 in told if sha256)


def test_of_files_that_could_not_be_forced_to_disk_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DataFolder(tmp_path / "data")
    paths = [tmp_path / f"{n}.csv" for n in range(40)]
    for path in paths:
        path.write_bytes(path.name.encode())

    def is_full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.durable, "sync", is_full)
    with pytest.raises(OSError, match="No space left"):
        list(store.keep_files(folder, paths))
    assert list(folder.archive.iterdir()) == []


def test_what_is_missing_is_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(store.ArchiveError, match="存档里没有"):
        store.read(DataFolder(tmp_path), "0" * 64)
