"""The seal: what an edition says of its own bytes and rows, and that every change to them is named."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pytest

from oversight.archive import store as archive
from oversight.editions import Edition, EditionError, publish
from oversight.editions.keys import PRIVATE, PUBLIC, key_id, read_public_key, signing_key, trusted_keys
from oversight.editions.rows import in_order, root
from oversight.editions.seal import MANIFEST, SIGNATURE, check
from oversight.settings import DataFolder
from tests.editions.standin import identity, write_build, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.at(tmp_path / "资料")


@pytest.fixture
def edition(folder: DataFolder, tmp_path: Path) -> Edition:
    write_build(folder, number=1)
    manifest = write_manifest(tmp_path / "manifest.json")
    return publish(
        folder, identity(folder, 1), manifest=manifest, standards={"seeds/standards.csv": b"A-10\n"}
    )


def damages(edition: Edition, folder: DataFolder) -> set[tuple[str, str]]:
    return {(damage.file, damage.kind) for damage in check(edition.path, trusted_keys(folder))}


def test_a_fresh_edition_is_whole_and_names_every_file(edition: Edition, folder: DataFolder) -> None:
    assert check(edition.path, trusted_keys(folder), with_rows=True) == []
    content = edition.manifest
    names = {path.relative_to(edition.path).as_posix() for path in edition.path.rglob("*") if path.is_file()}
    assert content["files"].keys() == names - {MANIFEST, SIGNATURE}
    for name, told in content["files"].items():
        written = (edition.path / name).read_bytes()
        assert told["sha256"] == hashlib.sha256(written).hexdigest()
        assert told["bytes"] == len(written)
        assert len(told["sm3"]) == 64
    assert content["record"] == {"head": None, "reason": "no accounts"}
    (kept,) = content["standards_files"]
    assert archive.read(folder, kept["sha256"]) == b"A-10\n"


def test_sm3_is_that_of_openssl(edition: Edition) -> None:
    said = subprocess.run(
        ["openssl", "dgst", "-sm3", "-r", edition.warehouse], capture_output=True, text=True, check=False
    )
    if said.returncode:
        pytest.skip("this openssl has no SM3")
    assert said.stdout.split()[0] == edition.manifest["files"]["warehouse.duckdb"]["sm3"]


def test_openssl_verifies_the_signature(edition: Edition) -> None:
    command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", PUBLIC, "-in", MANIFEST]
    done = subprocess.run([*command, "-sigfile", SIGNATURE], cwd=edition.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda place: flip(place / "warehouse.duckdb"), ("warehouse.duckdb", "changed")),
        (
            lambda place: flip(place / "parquet" / "findings" / "2025.parquet"),
            ("parquet/findings/2025.parquet", "changed"),
        ),
        (
            lambda place: (place / "parquet" / "findings" / "2025.parquet").unlink(),
            ("parquet/findings/2025.parquet", "missing"),
        ),
        (lambda place: (place / "more.txt").write_text("x"), ("more.txt", "unknown")),
        (lambda place: flip(place / SIGNATURE), (MANIFEST, "forged")),
        (lambda place: (place / SIGNATURE).unlink(), (SIGNATURE, "unsigned")),
        (lambda place: (place / MANIFEST).unlink(), (MANIFEST, "missing")),
    ],
)
def test_every_change_is_named(
    edition: Edition, folder: DataFolder, change: Callable[[Path], object], expected: tuple[str, str]
) -> None:
    change(edition.path)
    assert damages(edition, folder) == {expected}


def test_a_manifest_that_was_mended_to_fit_is_forged(edition: Edition, folder: DataFolder) -> None:
    content = json.loads((edition.path / MANIFEST).read_text("utf-8"))
    content["months"]["last"] = "2025-09-01"
    (edition.path / MANIFEST).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
    assert damages(edition, folder) == {(MANIFEST, "forged")}


def test_a_signature_by_another_key_is_told_from_a_bad_one(edition: Edition, tmp_path: Path) -> None:
    other = DataFolder.at(tmp_path / "别处")
    signing_key(other)
    assert {d.kind for d in check(edition.path, trusted_keys(other))} == {"foreign_key"}
    assert {d.kind for d in check(edition.path, [])} == {"foreign_key"}


def test_the_private_key_is_for_its_owner_alone_and_stays(edition: Edition, folder: DataFolder) -> None:
    private = folder.keys / PRIVATE
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert key_id(signing_key(folder).public_key()) == edition.manifest["signed_by"]
    assert (edition.path / PUBLIC).read_bytes() == (folder.keys / PUBLIC).read_bytes()
    assert key_id(read_public_key(folder.keys / PUBLIC)) == edition.manifest["signed_by"]


def test_after_a_change_of_keys_old_editions_are_still_checked(edition: Edition, folder: DataFolder) -> None:
    (folder.keys / PRIVATE).unlink()
    assert key_id(signing_key(folder).public_key()) != edition.manifest["signed_by"]
    assert len(trusted_keys(folder)) == 2
    assert damages(edition, folder) == set()


def test_a_broken_key_is_refused_in_words_and_not_replaced(folder: DataFolder) -> None:
    folder.keys.mkdir(parents=True)
    (folder.keys / PRIVATE).write_bytes(b"nonsense")
    with pytest.raises(EditionError, match=r"签名密钥.*损坏"):
        signing_key(folder)
    assert (folder.keys / PRIVATE).read_bytes() == b"nonsense"


def text_by_hand(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if isinstance(value, datetime) and "." in text:
        return text.rstrip("0")
    if isinstance(value, str):
        for old, new in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
            text = text.replace(old, new)
    return text


def row_parts_by_hand(warehouse: Path) -> dict[str, dict[str, str]]:
    """The rules of docs/editions.md, row by row and without SQL functions."""
    connection = duckdb.connect(str(warehouse), read_only=True)
    names = connection.execute(
        "select schema_name, table_name from duckdb_tables() where schema_name in ('main', 'reported')"
    ).fetchall()
    found = {}
    for schema, table in names:
        cursor = connection.execute(f'select * from {schema}."{table}"')
        columns = [column[0] for column in cursor.description or []]
        leaves: dict[str, list[str]] = {}
        for row in cursor.fetchall():
            cells = []
            for value in row:
                cells.append(text_by_hand(value))
            told = dict(zip(columns, row, strict=True))
            part = str(told["month"].year) if told.get("month") else ""
            line = "\t".join([f"{schema}.{table}", *cells])
            leaves.setdefault(part, []).append(hashlib.sha256(line.encode()).hexdigest())
        parts = {}
        for part, hashes in leaves.items():
            buckets: dict[str, str] = {}
            for leaf in sorted(hashes):
                buckets[leaf[:3]] = buckets.get(leaf[:3], "") + leaf
            joined = "".join(hashlib.sha256(buckets[name].encode()).hexdigest() for name in sorted(buckets))
            parts[part] = hashlib.sha256(joined.encode()).hexdigest()
        found[f"{schema}.{table}"] = parts
    return found


def test_the_root_over_the_rows_follows_from_the_written_rules(folder: DataFolder, tmp_path: Path) -> None:
    write_build(folder, number=1)
    with duckdb.connect(str(folder.work / "build.duckdb")) as connection:
        connection.execute(
            "create or replace table findings as select * from (values "
            "(date '2025-01-01', 'a\tb', 'c', 1.50::decimal(18,2), true, timestamp '2025-01-02 03:04:05', null), "
            "(date '2025-02-01', 'a', 'b\tc', -0.05::decimal(18,2), false, timestamp '2025-01-02 03:04:05', '\\N'), "
            "(date '2024-02-01', '\\', '行\n行\r', null, null, null, ''), "
            "(null, 'd', 'e', 7.00, true, null, null)) t(month, a, b, money, flag, seen_at, said)"
        )
    made = publish(folder, identity(folder, 1), manifest=write_manifest(tmp_path / "m.json"))
    assert made.manifest["row_parts"] == row_parts_by_hand(made.warehouse)
    assert made.manifest["merkle_root"] == root(made.manifest["row_parts"])


def test_a_changed_row_is_found_though_the_digests_were_mended(edition: Edition, folder: DataFolder) -> None:
    """Whoever has the key may describe the file anew; the rows then differ from those that were signed."""
    from oversight.editions.seal import files_of, sign

    content = dict(edition.manifest)
    with duckdb.connect(str(edition.warehouse)) as connection:
        connection.execute(
            "update funding_gap_monthly set allocation_shortfall_cny = 0 where month = '2025-08-01'"
        )
    sign(edition.path, content | {"files": files_of(edition.path)}, signing_key(folder))
    assert check(edition.path, trusted_keys(folder)) == []
    (found,) = check(edition.path, trusted_keys(folder), with_rows=True)
    assert (found.kind, found.file) == ("rows", "warehouse.duckdb")
    assert "funding_gap_monthly" in found.message_zh


def test_an_edition_that_was_copied_elsewhere_is_still_whole(
    edition: Edition, folder: DataFolder, tmp_path: Path
) -> None:
    shutil.copytree(edition.path, tmp_path / "copy")
    assert check(tmp_path / "copy", trusted_keys(folder), with_rows=True) == []


def test_digests_come_into_the_order_of_their_texts_even_where_they_begin_alike() -> None:
    texts = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(1000)]
    texts += [text[:8] + other[8:] for text in texts[:3] for other in texts[3:7]] + texts[:2]
    digits = np.frombuffer("".join(texts).encode(), np.uint8).reshape(-1, 64)
    assert in_order(digits).tobytes().decode() == "".join(sorted(texts))
