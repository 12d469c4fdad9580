"""The seal of an edition: a digest of every file, a root over the published rows, and one signature over all of it.

`manifest.json` says what the edition holds, `manifest.sig` is the Ed25519 signature over the bytes of that file (64
bytes, as `openssl pkeyutl -verify -rawin` wants it), `signing.pub` the key to check it by. Whoever doubts the key asks
the publisher for it, or compares its number. docs/editions.md describes all of it for somebody with other tools.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from oversight.archive.sums import digest_of
from oversight.editions.edition import MANIFEST, WAREHOUSE, EditionError
from oversight.editions.keys import PUBLIC, key_id, pem, read_public_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNATURE = "manifest.sig"
# What the manifest cannot name, since it is made of the manifest.
_OF_ITSELF = frozenset((MANIFEST, SIGNATURE))
_CHUNK = 1 << 20

Kind = Literal["missing", "changed", "unknown", "unsigned", "foreign_key", "forged", "unreadable", "rows"]


@dataclass(frozen=True)
class Damage:
    """What is wrong with one file of an edition. `file` is its name in the edition's folder."""

    file: str
    kind: Kind
    message_zh: str


def sm3(content: bytes) -> str:
    """SM3 (GB/T 32905) of a content, which not every Python's own library has."""
    from cryptography.hazmat.primitives import hashes

    digest = hashes.Hash(hashes.SM3())
    digest.update(content)
    return digest.finalize().hex()


def digests(path: Path) -> dict[str, Any]:
    """SHA-256, SM3 and length of a file, read once."""
    from cryptography.hazmat.primitives import hashes

    sha256, national, length = hashlib.sha256(), hashes.Hash(hashes.SM3()), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
            national.update(chunk)
            length += len(chunk)
    return {"sha256": sha256.hexdigest(), "sm3": national.finalize().hex(), "bytes": length}


def files_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Every file of an edition by its name there, with its digests."""
    names = sorted(_names(folder) - _OF_ITSELF)
    with ThreadPoolExecutor(os.cpu_count()) as readers:
        return dict(zip(names, readers.map(lambda name: digests(folder / name), names), strict=True))


def write_key(folder: Path, key: Ed25519PrivateKey) -> None:
    """The public key into an edition; a file like the others, which the manifest names."""
    (folder / PUBLIC).write_bytes(pem(key.public_key()))


def sign(folder: Path, content: Mapping[str, Any], key: Ed25519PrivateKey) -> None:
    """Write the manifest and the signature over it."""
    written = (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
    (folder / MANIFEST).write_bytes(written)
    (folder / SIGNATURE).write_bytes(key.sign(written))


def is_signed_by(folder: Path, written: bytes, key: Ed25519PublicKey) -> bool:
    """Whether this key signed a manifest with these bytes."""
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify((folder / SIGNATURE).read_bytes(), written)
    except (OSError, InvalidSignature):
        return False
    return True


def is_signed(folder: Path) -> bool:
    """Whether an edition has a signature at all; `check` says whether it is a good one."""
    return (folder / SIGNATURE).is_file()


def check(
    folder: Path,
    public_keys: Iterable[Ed25519PublicKey],
    *,
    with_rows: bool = False,
    by_sha256_alone: bool = False,
) -> list[Damage]:
    """What is wrong with an edition; nothing where every byte is what one of `public_keys` signed.

    `by_sha256_alone` leaves out SM3, which costs several times as much and tells nothing else of a damaged file.
    `with_rows` computes the root over the published rows again, too: that says nothing new of a whole file, but who
    made the edition is then shown to have described it rightly.
    """
    try:
        written = (folder / MANIFEST).read_bytes()
    except OSError:
        return [Damage(MANIFEST, "missing", f"版本 {folder.name} 没有清单 {MANIFEST}，无从核对。")]
    found = _check_signature(folder, written, list(public_keys))
    try:
        content = json.loads(written)
        files: dict[str, dict[str, Any]] = content.get("files", {})
    except (ValueError, AttributeError):
        return [*found, Damage(MANIFEST, "unreadable", f"清单 {MANIFEST} 不是能读的 JSON，已损坏。")]
    if not files:
        return [*found, Damage(MANIFEST, "unsigned", "清单没有登记各文件的校验值：该版本发布于有签名之前。")]
    there = _names(folder) - _OF_ITSELF
    found += [Damage(name, "missing", f"缺少文件 {name}。") for name in sorted(files.keys() - there)]
    found += [
        Damage(name, "unknown", f"文件 {name} 不在清单中，是发布以后放进来的。")
        for name in sorted(there - files.keys())
    ]
    names = sorted(files.keys() & there)
    with ThreadPoolExecutor(os.cpu_count()) as readers:
        found += [
            damage
            for damage in readers.map(lambda n: _check_file(folder, n, files[n], by_sha256_alone), names)
            if damage
        ]
    if with_rows and not any(damage.file == WAREHOUSE for damage in found):
        found += _check_rows(folder, content)
    return found


def check_in_place(
    folder: Path,
    public_keys: Iterable[Ed25519PublicKey],
    *,
    with_rows: bool = False,
    by_sha256_alone: bool = False,
) -> list[Damage]:
    """What is wrong with an edition where it was published: it may also be another one than its folder is called."""
    found = check(folder, public_keys, with_rows=with_rows, by_sha256_alone=by_sha256_alone)
    try:
        told = json.loads((folder / MANIFEST).read_bytes())["edition_id"]
    except (OSError, ValueError, KeyError, TypeError):
        # Said already.
        return found
    if told != folder.name:
        found.append(
            Damage(MANIFEST, "changed", f"清单是版本 {told} 的，不是 {folder.name} 的：整版被换成了另一版。")
        )
    return found


def _check_signature(folder: Path, written: bytes, keys: list[Ed25519PublicKey]) -> list[Damage]:
    from cryptography.exceptions import InvalidSignature

    try:
        signature = (folder / SIGNATURE).read_bytes()
    except OSError:
        return [Damage(SIGNATURE, "unsigned", f"版本 {folder.name} 没有签名（缺少 {SIGNATURE}）。")]
    for key in keys:
        try:
            key.verify(signature, written)
        except InvalidSignature:
            continue
        return []
    try:
        own = read_public_key(folder / PUBLIC)
        own.verify(signature, written)
    except (EditionError, InvalidSignature):
        return [Damage(MANIFEST, "forged", f"清单与签名不符：{MANIFEST} 或 {SIGNATURE} 在发布以后改动过。")]
    return [
        Damage(
            PUBLIC,
            "foreign_key",
            f"签名用的密钥 {key_id(own)} 不是所信任的（{'、'.join(map(key_id, keys)) or '没有给出公钥'}）："
            "不是本单位发布的，或公钥不全。",
        )
    ]


def _check_file(folder: Path, name: str, told: Mapping[str, Any], by_sha256_alone: bool) -> Damage | None:
    try:
        if by_sha256_alone:
            seen = {**told, "sha256": digest_of(folder / name), "bytes": (folder / name).stat().st_size}
        else:
            seen = digests(folder / name)
    except OSError as error:
        return Damage(name, "unreadable", f"文件 {name} 读不出来（{error.strerror}）。")
    if seen == told:
        return None
    length = "" if seen["bytes"] == told.get("bytes") else f"，长度 {told.get('bytes')} 变为 {seen['bytes']}"
    return Damage(name, "changed", f"文件 {name} 的内容与清单登记的校验值不符{length}。")


def _check_rows(folder: Path, content: Mapping[str, Any]) -> list[Damage]:
    command = [sys.executable, "-m", "oversight.editions.verify", str(folder / WAREHOUSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return [Damage(WAREHOUSE, "unreadable", f"{WAREHOUSE} 打不开，无法核对各表的行。")]
    seen, told = json.loads(done.stdout)["parts"], content.get("row_parts", {})
    return [
        Damage(WAREHOUSE, "rows", f"表 {name} 的行与清单登记的不符。")
        for name in sorted(seen.keys() | told.keys())
        if seen.get(name) != told.get(name)
    ]


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
