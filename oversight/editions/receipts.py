"""Receipts: for every file that was taken in, what was received of it and what became of its rows, signed.

`receipts/<first digits of the file's SHA-256>-<number>.json` and beside it `….json.sig`, the Ed25519 signature over the
bytes of the first by the folder's key. A receipt is never changed: where more is known later (a held row confirmed, a
file overtaken), the next number says so. A file that was refused gets none: it has to come again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oversight import durable
from oversight.archive import store as archive
from oversight.editions.edition import Edition, open_edition
from oversight.editions.keys import key_id, signing_key
from oversight.editions.seal import Damage, sm3
from oversight.settings import DataFolder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SUFFIX = ".sig"
_COUNTS = ("rows_read", "rows_accepted", "rows_held", "rows_rejected", "rows_ignored")
_NAME = re.compile(r"[0-9a-f]{16}-\d+\.json")
# What a receipt says of a file; where it says the same as the last one, no other is written.
_TOLD = (
    "file_name",
    "sha256",
    "sm3",
    "bytes",
    "received_at",
    "dataset",
    "month_from",
    "month_to",
    *_COUNTS,
    "is_complete",
)


def issue(folder: DataFolder, edition: Edition) -> list[Path]:
    """Write the receipts that the edition's submissions are owed and do not have yet; returns those written."""
    with open_edition(folder, edition.edition_id) as connection:
        cursor = connection.execute(
            "select submission_id, file_name, sha256, cast(received_at as varchar) as received_at, dataset, "
            f"cast(month_from as varchar) as month_from, cast(month_to as varchar) as month_to, {', '.join(_COUNTS)} "
            "from main.submissions where status in ('accepted', 'partial') order by submission_id"
        )
        names = [column[0] for column in cursor.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    last = dict(_latest(folder))
    key = signing_key(folder)
    written: list[Path] = []
    for row in rows:
        number, before = last.get(row["submission_id"], (0, {}))
        told = _told(folder, row, before)
        if all(before.get(name) == told[name] for name in _TOLD):
            continue
        told |= {
            "number": number + 1,
            "edition_id": edition.edition_id,
            "signed_by": key_id(key.public_key()),
        }
        path = folder.receipts / f"{row['submission_id']}-{number + 1}.json"
        content = (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()
        # The signature first: what lies there without a receipt is no receipt; a receipt always has its own.
        for place, what in ((path.with_name(path.name + SUFFIX), key.sign(content)), (path, content)):
            durable.write_bytes(place, what, lasting=False)
        written.append(path)
    # Forced to disk together: by the third file the disk has little left to do.
    for path in written:
        durable.sync(path.with_name(path.name + SUFFIX))
        durable.sync(path)
    if written:
        durable.sync(folder.receipts)
    return written


def _told(folder: DataFolder, row: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    sha256 = row["sha256"]
    known = {"sm3": before.get("sm3"), "bytes": before.get("bytes")}
    if known["sm3"] is None and archive.has(folder, sha256):
        content = archive.read(folder, sha256)
        known = {"sm3": sm3(content), "bytes": len(content)}
    is_complete = not row["rows_held"] and not row["rows_rejected"]
    return {name: {**row, **known, "is_complete": is_complete}[name] for name in _TOLD}


def _latest(folder: DataFolder) -> Iterator[tuple[str, tuple[int, dict[str, Any]]]]:
    """Of each submission the number of the last receipt and what it says."""
    numbered = [path for path in folder.receipts.glob("*.json") if _NAME.fullmatch(path.name)]
    for path in sorted(numbered, key=_number):
        try:
            yield path.stem.rpartition("-")[0], (_number(path), json.loads(path.read_bytes()))
        except ValueError:
            # A damaged one says nothing; the next number says it again, and `check_receipts` names the damage.
            yield path.stem.rpartition("-")[0], (_number(path), {})


def _number(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def check_receipts(folder: DataFolder, public_keys: Iterable[Ed25519PublicKey]) -> list[Damage]:
    """What is wrong with the receipts; nothing where each is as one of the keys signed it."""
    from cryptography.exceptions import InvalidSignature

    keys = list(public_keys)
    found: list[Damage] = []
    names = {path.name for path in folder.receipts.glob("*")}
    for name in sorted(names):
        if name.endswith(SUFFIX):
            if name.removesuffix(SUFFIX) not in names:
                found.append(
                    Damage(name.removesuffix(SUFFIX), "missing", f"缺少回执 {name.removesuffix(SUFFIX)}。")
                )
            continue
        if name + SUFFIX not in names:
            found.append(Damage(name, "unsigned", f"回执 {name} 没有签名（缺少 {name}{SUFFIX}）。"))
            continue
        content = (folder.receipts / name).read_bytes()
        signature = (folder.receipts / (name + SUFFIX)).read_bytes()
        for key in keys:
            try:
                key.verify(signature, content)
            except InvalidSignature:
                continue
            break
        else:
            found.append(
                Damage(name, "forged", f"回执 {name} 与签名不符：内容或签名改动过，或不是本单位签发的。")
            )
    return found
