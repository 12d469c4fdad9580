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


def test_what_is_missing_is_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(store.ArchiveError, match="存档里没有"):
        store.read(DataFolder(tmp_path), "0" * 64)
