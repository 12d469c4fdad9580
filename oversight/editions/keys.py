"""The data folder's signing key: what an edition or a receipt is signed with, and what it is checked by.

`keys/signing.key` (Ed25519, PKCS #8, readable by its owner only) signs; `keys/signing.pub` lies beside it and is handed
to whoever checks. After a change of keys the old public key stays as another `*.pub` of the folder: what was signed
before is checked by it. How to guard and to change the key: docs/guide/seal.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from oversight import durable
from oversight.editions.edition import EditionError
from oversight.settings import DataFolder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PRIVATE = "signing.key"
PUBLIC = "signing.pub"
_KEY_ID = re.compile(r"[0-9a-f]{16}")


def signing_key(folder: DataFolder) -> Ed25519PrivateKey:
    """The folder's key; made if there is none. Raises `EditionError` where there is one that cannot be read."""
    if not (folder.keys / PRIVATE).is_file():
        return _made(folder)
    key = _private(folder.keys / PRIVATE)
    # The public half follows from the private one: a copy that differs would make good editions look forged.
    public = folder.keys / PUBLIC
    if not public.is_file() or public.read_bytes() != pem(key.public_key()):
        _put_aside(public)
        durable.write_bytes(public, pem(key.public_key()))
    return key


def _private(path: Path) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise EditionError(
            f"签名密钥 {path} 损坏或不是本系统的密钥，无法签名。请从备份恢复该文件；"
            "确实找不回的，把它移出该文件夹，再运行时会另建一把。"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise EditionError(
            f"签名密钥 {path} 不是 Ed25519 密钥，无法签名。请恢复原来的文件，或移走它以另建一把。"
        )
    return key


def _put_aside(public: Path) -> None:
    """What the key before signed is still to be checked, also where the private key is the one that is damaged."""
    with contextlib.suppress(EditionError, FileNotFoundError):
        public.replace(public.with_name(f"{key_id(read_public_key(public))}.pub"))


def trusted_keys(folder: DataFolder) -> list[Ed25519PublicKey]:
    """Every public key that lies in the folder's `keys/`: the present one and those from before it was changed."""
    return [read_public_key(path) for path in sorted(folder.keys.glob("*.pub"))]


def readable_keys(folder: DataFolder) -> list[Ed25519PublicKey]:
    """The same without those that are damaged, which `faults` names."""
    found = []
    for path in sorted(folder.keys.glob("*.pub")):
        with contextlib.suppress(EditionError):
            found.append(read_public_key(path))
    return found


def faults(folder: DataFolder) -> list[tuple[Path, str]]:
    """Each key file that is not what it was, and why: a public one is told by its name, or by the private one."""
    found: list[tuple[Path, str]] = []
    public, private = folder.keys / PUBLIC, folder.keys / PRIVATE
    for path in sorted(folder.keys.glob("*.pub")):
        try:
            key = read_public_key(path)
        except EditionError:
            found.append((path, "公钥读不出来"))
            continue
        if path != public and not _KEY_ID.fullmatch(path.stem):
            continue
        if path.read_bytes() != pem(key) or path.stem not in (public.stem, key_id(key)):
            found.append((path, "内容被改动过，或与名称里的密钥编号不符"))
    if private.is_file() and public.is_file() and not found:
        try:
            own = _private(private)
        except EditionError:
            found.append((private, "私钥读不出来"))
        else:
            if pem(own.public_key()) != public.read_bytes():
                found.append((private, "私钥与公钥 signing.pub 不是一对"))
            elif private.read_bytes() != _private_pem(own):
                found.append((private, "内容被改动过"))
    return found


def read_public_key(path: Path) -> Ed25519PublicKey:
    """A public key file; raises `EditionError`, saying so, for anything else."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise EditionError(f"公钥 {path} 读不出来。请换成发布单位给的 {PUBLIC}。") from error
    if not isinstance(key, Ed25519PublicKey):
        raise EditionError(f"公钥 {path} 不是 Ed25519 公钥。请换成发布单位给的 {PUBLIC}。")
    return key


def pem(key: Ed25519PublicKey) -> bytes:
    """A public key as the text that `openssl` reads."""
    from cryptography.hazmat.primitives import serialization

    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_id(key: Ed25519PublicKey) -> str:
    """By which a key is told from another: SHA-256 of its 32 bytes, the first 16 digits."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def is_guarded(folder: DataFolder) -> bool:
    """Whether nobody but its owner may read the private key."""
    path = folder.keys / PRIVATE
    return not path.is_file() or not path.stat().st_mode & 0o077


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _made(folder: DataFolder) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    folder.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    with durable.written(folder.keys / PRIVATE) as aside:
        # Made with these rights: a moment in which others could read it is enough.
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_private_pem(key))
    _put_aside(folder.keys / PUBLIC)
    durable.write_bytes(folder.keys / PUBLIC, pem(key.public_key()))
    return key
