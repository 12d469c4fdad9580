"""Receipts: what a sender can hold against us, and that a changed one is named."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from oversight.archive import store as archive
from oversight.editions import Edition, build_file, publish
from oversight.editions.keys import PRIVATE, signing_key, trusted_keys
from oversight.editions.receipts import check_receipts, issue
from oversight.settings import DataFolder
from tests.editions.standin import identity, write_build, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.at(tmp_path / "资料")


def published(folder: DataFolder, sha256: str, held: int, number: int, status: str = "accepted") -> Edition:
    write_build(folder, number=number)
    with duckdb.connect(str(build_file(folder))) as connection:
        connection.execute(
            f"create or replace table submissions as select '{sha256[:16]}' as submission_id, '甲/乙.xlsx' as file_name, "
            f"'{sha256}' as sha256, 'budget' as dataset, timestamp '2026-01-05 08:00:00' as received_at, "
            "date '2025-12-01' as month_from, date '2025-12-01' as month_to, 20 as rows_read, "
            f"{19 - held} as rows_accepted, {held} as rows_held, 0 as rows_rejected, 1 as rows_ignored, "
            f"'{status}' as status"
        )
    return publish(folder, identity(folder, number), manifest=write_manifest(folder.root / "m.json"))


def test_a_receipt_says_what_was_taken_and_is_signed(folder: DataFolder) -> None:
    sha256 = archive.keep(folder, b"abc")
    (path,) = issue(folder, published(folder, sha256, 0, 1))
    told = json.loads(path.read_bytes())
    assert told["sha256"] == sha256
    # SM3 of "abc", from the standard's own example.
    assert told["sm3"] == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert (told["file_name"], told["bytes"], told["received_at"]) == ("甲/乙.xlsx", 3, "2026-01-05 08:00:00")
    assert (told["rows_read"], told["rows_accepted"], told["rows_held"], told["rows_rejected"]) == (
        20,
        19,
        0,
        0,
    )
    assert told["is_complete"] is True
    assert check_receipts(folder, trusted_keys(folder)) == []


def test_the_next_one_is_written_only_when_more_is_known(folder: DataFolder) -> None:
    sha256 = archive.keep(folder, b"abc")
    (first,) = issue(folder, published(folder, sha256, 2, 1))
    before = first.read_bytes()
    assert json.loads(before)["is_complete"] is False
    assert issue(folder, published(folder, sha256, 2, 2)) == []
    (second,) = issue(folder, published(folder, sha256, 0, 3))
    assert first.read_bytes() == before
    assert second.name == f"{sha256[:16]}-2.json"
    assert json.loads(second.read_bytes())["is_complete"] is True
    assert check_receipts(folder, trusted_keys(folder)) == []


def test_a_refused_file_gets_none(folder: DataFolder) -> None:
    assert issue(folder, published(folder, archive.keep(folder, b"abc"), 0, 1, status="refused")) == []


@pytest.mark.parametrize(("part", "kind"), [("", "forged"), (".sig", "forged")])
def test_a_changed_one_is_named(folder: DataFolder, part: str, kind: str) -> None:
    (path,) = issue(folder, published(folder, archive.keep(folder, b"abc"), 0, 1))
    damaged = path.with_name(path.name + part)
    content = bytearray(damaged.read_bytes())
    content[30] ^= 1
    damaged.write_bytes(content)
    (found,) = check_receipts(folder, trusted_keys(folder))
    assert (found.file, found.kind) == (path.name, kind)


def test_one_without_its_other_half_is_named(folder: DataFolder) -> None:
    (path,) = issue(folder, published(folder, archive.keep(folder, b"abc"), 0, 1))
    signature = path.with_name(path.name + ".sig")
    kept = signature.read_bytes()
    signature.unlink()
    assert [d.kind for d in check_receipts(folder, trusted_keys(folder))] == ["unsigned"]
    signature.write_bytes(kept)
    path.unlink()
    assert [d.kind for d in check_receipts(folder, trusted_keys(folder))] == ["missing"]


def test_an_old_one_is_checked_by_the_key_of_its_time(folder: DataFolder) -> None:
    issue(folder, published(folder, archive.keep(folder, b"abc"), 0, 1))
    (folder.keys / PRIVATE).unlink()
    signing_key(folder)
    assert check_receipts(folder, trusted_keys(folder)) == []
