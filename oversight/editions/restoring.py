"""Back to an edition of before: a new edition that says what the old one said, with who wanted it and why.

Nothing is taken away: the old edition stays what it is, and so does the one that is left.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from oversight import durable
from oversight.editions import seal
from oversight.editions.edition import (
    MANIFEST,
    WAREHOUSE,
    Edition,
    EditionError,
    Fingerprints,
    current,
    editions_folder,
    find_edition,
)
from oversight.editions.keys import key_id, signing_key, trusted_keys
from oversight.editions.lock import run_lock
from oversight.editions.publish import clear_leftovers, new_identity, point, retire
from oversight.editions.published import MAIN
from oversight.editions.rows import root
from oversight.editions.verify import read_back
from oversight.settings import DataFolder, folder_settings

_OWN = f"{MAIN}.edition"


def restore_edition(
    folder: DataFolder,
    edition_id: str,
    *,
    by: str,
    why: str,
    now: datetime,
    stands_for: Fingerprints,
    record_head: Mapping[str, Any] | None = None,
) -> Edition:
    """Publish anew what an edition said, and make it current.

    `stands_for`: what a run would read now. As long as that stays, a run leaves the new edition in place; what comes
    later counts again, and everything that was received with it. Raises `EditionError` where the old edition is not
    there, is damaged or is the current one, and `RunInProgress`.
    """
    if not why.strip() or not by.strip():
        raise EditionError("回到以前的版本要写明由谁办理、为什么。请写明后再办。")
    with run_lock(folder):
        old = find_edition(folder, edition_id)
        newest = current(folder)
        if newest is not None and newest.edition_id == old.edition_id:
            raise EditionError(f"版本 {edition_id} 就是当前版本，不用再发布。")
        if newest is not None and newest.manifest.get("restores", {}).get("edition_id") == edition_id:
            raise EditionError(f"当前版本 {newest.edition_id} 已经与 {edition_id} 相同，不用再发布。")
        damage = [
            item
            for item in seal.check_in_place(old.path, trusted_keys(folder))
            if item.kind not in ("unsigned", "foreign_key")
        ]
        if damage:
            raise EditionError(
                f"版本 {edition_id} 有损坏（{damage[0].message_zh.rstrip('。')}），不能再发布。"
            )
        return _publish(folder, old, by.strip(), " ".join(why.split()), now, stands_for, record_head)


def _publish(
    folder: DataFolder,
    old: Edition,
    by: str,
    why: str,
    now: datetime,
    stands_for: Fingerprints,
    record_head: Mapping[str, Any] | None,
) -> Edition:
    newest = current(folder)
    clear_leftovers(folder)
    identity = new_identity(folder, old.made_from, now)
    draft = folder.marts / ".incoming" / identity.edition_id
    shutil.copytree(old.path, draft)
    for name in (MANIFEST, seal.SIGNATURE):
        (draft / name).unlink(missing_ok=True)
    _rename(draft / WAREHOUSE, draft / "parquet" / "edition.parquet", identity.edition_id, now)
    seen = read_back(draft / WAREHOUSE)
    before = old.manifest["tables"]
    wrong = sorted(
        name
        for name in seen["tables"].keys() | before.keys()
        if name != _OWN and seen["tables"].get(name) != before.get(name)
    )
    if wrong and old.manifest["engine"]["duckdb"] == seen["duckdb"]:
        clear_leftovers(folder)
        raise EditionError(
            f"重新发布的内容与版本 {old.edition_id} 不同（{wrong[0]}），未发布。请用 oversight verify 核对。"
        )
    key = signing_key(folder)
    seal.write_key(draft, key)
    content: dict[str, Any] = {
        **{name: value for name, value in old.manifest.items() if name not in ("files", "signed_by")},
        "edition_id": identity.edition_id,
        "built_at": now.isoformat(timespec="seconds"),
        "engine": old.manifest["engine"] | {"duckdb": seen["duckdb"]},
        "tables": seen["tables"],
        "row_parts": seen["parts"],
        "row_sums": old.manifest.get("row_sums", {}) | seen["sums"],
        "merkle_root": root(seen["parts"]),
        "restores": {
            "edition_id": old.edition_id,
            "instead_of": newest.edition_id if newest is not None else None,
            "by": by,
            "why": why,
            "stands_for": vars(stands_for),
        },
        "record": {"head": dict(record_head)} if record_head else {"head": None, "reason": "no accounts"},
        "signed_by": key_id(key.public_key()),
        "files": seal.files_of(draft),
    }
    seal.sign(draft, content, key)
    place = editions_folder(folder) / identity.edition_id
    durable.put_folder(draft, place)
    point(folder, identity.edition_id)
    retire(folder, folder_settings(folder).editions_kept)
    shutil.rmtree(folder.marts / ".incoming", ignore_errors=True)
    return Edition(place)


def _rename(warehouse: Path, parquet: Path, edition_id: str, now: datetime) -> None:
    """Let the copy say which edition it is: the one row that is about the edition itself."""
    import duckdb

    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "update main.edition set edition_id = ?, built_at = ?",
            [edition_id, now.replace(tzinfo=None, microsecond=0)],
        )
        connection.execute("checkpoint")
        target = str(parquet).replace("'", "''")
        connection.execute(f"copy main.edition to '{target}' (format parquet, compression zstd)")
