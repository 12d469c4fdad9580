"""Frames between the server and a sandbox process: a letter, a length, bytes. Never a pickle: the other side is hostile."""

from __future__ import annotations

import socket
import struct

HEAD = struct.Struct("!cI")
# Results go out in pieces of about this size, so that the server never holds more than one of them unasked.
PIECE = 1 << 20
# R ready · Q question · A Arrow bytes · E end · X error
READY, QUESTION, ARROW, END, ERROR = b"R", b"Q", b"A", b"E", b"X"


def send(channel: socket.socket, kind: bytes, body: bytes) -> None:
    """One frame."""
    channel.sendall(HEAD.pack(kind, len(body)) + body)


def receive(channel: socket.socket, most: int) -> tuple[bytes, bytes]:
    """One frame; raises EOFError when the other side has gone or sends more than `most` bytes."""
    kind, length = HEAD.unpack(_exactly(channel, HEAD.size))
    if length > most:
        raise EOFError("frame too long")
    return kind, _exactly(channel, length)


def _exactly(channel: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = channel.recv(min(length - len(parts), 1 << 20))
        if not part:
            raise EOFError("closed")
        parts += part
    return bytes(parts)
