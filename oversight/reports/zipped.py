"""Zip containers (docx, xlsx) whose bytes do not depend on when or where they were written."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import datetime

_EARLIEST = 1980


def settled(content: bytes, made: datetime) -> bytes:
    """The same container with every member dated `made`, in its own order, by one compressor."""
    held = io.BytesIO()
    stamp = (max(made.year, _EARLIEST), made.month, made.day, made.hour, made.minute, made.second // 2 * 2)
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target,
    ):
        for name in source.namelist():
            member = zipfile.ZipInfo(name, stamp)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o600 << 16
            # The same on every system.
            member.create_system = 3
            target.writestr(member, source.read(name))
    return held.getvalue()


def replaced(content: bytes, members: Mapping[str, bytes]) -> bytes:
    """The same container with some members' content replaced."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(held, "w") as target:
        for name in source.namelist():
            target.writestr(name, members[name] if name in members else source.read(name))
    return held.getvalue()
