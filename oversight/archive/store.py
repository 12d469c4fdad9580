"""The bytes that were received, each content once, under its own digest.

    archive/<sha256>    the content as it came; nobody writes to it again

A name says what the content must be, so that whoever reads can tell whether it still is.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from oversight import durable
from oversight.errors import OversightError
from oversight.settings import DataFolder

_REMEDY = "请从备份恢复该文件，或请报送单位重新提供后放入 raw，再重新运行。"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class ArchiveError(OversightError):
    """A content is not in the archive, or is no longer what it was."""


def keep(folder: DataFolder, content: bytes) -> str:
    """Keep this content and return its SHA-256; what is there already, and whole, is left as it is."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = place(folder, sha256)
    if not (path.is_file() and path.read_bytes() == content):
        with durable.written(path) as aside:
            aside.write_bytes(content)
            aside.chmod(0o444)
    return sha256


def read(folder: DataFolder, sha256: str) -> bytes:
    """The content of that digest; raises `ArchiveError` where it is missing or has changed."""
    path = place(folder, sha256)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ArchiveError(f"存档里没有收到的原始文件 {path}。{_REMEDY}") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ArchiveError(f"存档文件 {path} 已损坏，内容与它的校验值不符。{_REMEDY}")
    return content


def has(folder: DataFolder, sha256: str) -> bool:
    """Whether a content of that digest was kept; only `read` looks at what it says."""
    return place(folder, sha256).is_file()


def place(folder: DataFolder, sha256: str) -> Path:
    """Where the content of that digest lies, or would lie."""
    if not _DIGEST.fullmatch(sha256):
        raise ValueError(f"not a SHA-256: {sha256!r}")
    return folder.archive / sha256
