"""What a new edition takes over from the one before: years that say the same, and nothing else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import duckdb
import pytest

from oversight.editions import Edition, build_file, publish
from oversight.editions.keys import PRIVATE, signing_key, trusted_keys
from oversight.editions.seal import MANIFEST, check, sign
from oversight.settings import DataFolder
from tests.editions.standin import identity, write_build, write_manifest

# Of its build file the two monthly tables lie in 2025, 2026 and 2027.
ROWS = 200


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.at(tmp_path / "资料")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_manifest(tmp_path / "manifest.json")


@pytest.fixture
def first(folder: DataFolder, manifest: Path) -> Edition:
    write_build(folder, rows=ROWS)
    return publish(folder, identity(folder), manifest=manifest)


def change(folder: DataFolder, *statements: str) -> None:
    with duckdb.connect(str(build_file(folder))) as connection:
        for statement in statements:
            connection.execute(statement)


def linked(first: Edition, second: Edition) -> set[str]:
    """Files of the second edition that are files of the first."""
    there = {path.stat().st_ino for path in first.path.rglob("*") if path.is_file()}
    return {
        path.relative_to(second.path).as_posix()
        for path in second.path.rglob("*")
        if path.is_file() and path.stat().st_ino in there
    }


def gaps(*years: int) -> set[str]:
    return {f"parquet/funding_gap_monthly/{year}.parquet" for year in years}


def test_a_year_that_changed_is_made_anew_and_the_others_are_taken_over(
    folder: DataFolder, manifest: Path, first: Edition
) -> None:
    change(
        folder,
        "update funding_gap_monthly set allocation_shortfall_cny = allocation_shortfall_cny + 0.01 "
        "where month = date '2026-03-01' and township_code = '360300002'",
    )
    second = publish(folder, identity(folder, 1), manifest=manifest)
    assert linked(first, second) & gaps(2025, 2026, 2027) == gaps(2025, 2027)
    before, after = (edition.manifest["row_parts"]["main.funding_gap_monthly"] for edition in (first, second))
    assert {year for year in before if before[year] != after[year]} == {"2026"}
    # Whole, and every digest is what working all of them out gives.
    assert check(second.path, trusted_keys(folder), with_rows=True) == []


def test_rows_in_another_order_are_the_same_rows(folder: DataFolder, manifest: Path, first: Edition) -> None:
    write_build(folder, rows=ROWS, reverse=True)
    second = publish(folder, identity(folder, 1), manifest=manifest)
    assert gaps(2025, 2026, 2027) <= linked(first, second)
    assert second.manifest["tables"] == first.manifest["tables"]


@pytest.mark.parametrize(
    "statement",
    [
        # The same values with another number of places, in another type, or under another name are other rows.
        "alter table funding_gap_monthly alter allocation_shortfall_cny type decimal(18, 3)",
        "alter table funding_gap_monthly alter number type bigint",
        "alter table funding_gap_monthly rename number to figure",
        "update funding_gap_monthly set standard_id = null",
        # Two townships' figures exchanged: number of rows and every sum stay.
        "update funding_gap_monthly set township_code = case township_code when '360300001' then '360300002' "
        "when '360300002' then '360300001' else township_code end",
    ],
)
def test_what_sums_do_not_tell_is_told(
    folder: DataFolder, manifest: Path, first: Edition, statement: str
) -> None:
    change(folder, statement)
    second = publish(folder, identity(folder, 1), manifest=manifest)
    assert not linked(first, second) & gaps(2025, 2026, 2027)
    assert check(second.path, trusted_keys(folder), with_rows=True) == []


def test_a_damaged_file_is_not_taken_over(folder: DataFolder, manifest: Path, first: Edition) -> None:
    damaged = first.path / "parquet" / "funding_gap_monthly" / "2025.parquet"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    (first.path / "parquet" / "funding_gap_monthly" / "2026.parquet").unlink()
    second = publish(folder, identity(folder, 1), manifest=manifest)
    assert linked(first, second) & gaps(2025, 2026, 2027) == gaps(2027)
    assert check(second.path, trusted_keys(folder)) == []


def forge(_: DataFolder, edition: Edition) -> None:
    content = json.loads((edition.path / MANIFEST).read_bytes())
    content["row_parts"]["main.funding_gap_monthly"]["2025"] = hashlib.sha256(b"").hexdigest()
    (edition.path / MANIFEST).write_text(json.dumps(content), "utf-8")


def lose_the_key(folder: DataFolder, _: Edition) -> None:
    (folder.keys / PRIVATE).unlink()


@pytest.mark.parametrize("spoil", [forge, lose_the_key])
def test_an_edition_that_this_key_did_not_sign_is_not_taken_at_its_word(
    folder: DataFolder, manifest: Path, first: Edition, spoil: object
) -> None:
    spoil(folder, first)  # type: ignore[operator]
    second = publish(folder, identity(folder, 1), manifest=manifest)
    assert not linked(first, second)
    assert check(second.path, trusted_keys(folder), with_rows=True) == []


def test_digests_come_from_the_edition_before(folder: DataFolder, manifest: Path, first: Edition) -> None:
    """A manifest that was signed with a wrong digest passes it on, and `verify` names it."""
    content = first.manifest | {}
    content["row_parts"]["main.funding_gap_monthly"]["2025"] = hashlib.sha256(b"").hexdigest()
    (first.path / MANIFEST).unlink()
    sign(first.path, content, signing_key(folder))
    second = publish(folder, identity(folder, 1), manifest=manifest)
    assert {damage.kind for damage in check(second.path, trusted_keys(folder), with_rows=True)} == {"rows"}
