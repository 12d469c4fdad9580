"""Reading of workbooks that could exhaust this process: in another one, with bounds on memory and time.

Small .xlsx files whose parts were looked at first are read in place, because starting a process costs more than
reading a thousand of them. Everything else (old binary formats, .ods, large or odd workbooks) comes here.
One process reads many files; it is replaced when a file has killed it.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from oversight.intake.reading.grid import Refusal

# What one file may cost. A workbook of 100,000 rows takes two seconds and 200 MB.
SECONDS = 10.0
BYTES = 512 * 2**20
_LENGTH = struct.Struct("!Q")


class Worker:
    """A process that reads workbooks on request. Use as a context manager."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def read(self, path: Path, name: str) -> object:
        """What `reading.read` finds in the file, or a Refusal F14 if it took too much time or memory."""
        process = self._start()
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            _send(stdin, pickle.dumps((str(path), name)))
            answer = _receive_within(stdout, self._seconds)
        except (OSError, EOFError):
            answer = None
        if answer is None:
            was_alive = process.poll() is None
            self._stop()
            detail = f"超过 {self._seconds:.0f} 秒" if was_alive else f"内存超过 {BYTES // 2**20} MB"
            return Refusal("F14", {"detail": detail})
        return pickle.loads(answer)

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "oversight.intake.reading.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=Path(__file__).resolve().parents[3],
            )
            stdout = self._process.stdout
            assert stdout is not None
            # Start-up is not counted against the file.
            _receive_within(stdout, 60.0)
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            self._process = None


def _send(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(_LENGTH.pack(len(message)) + message)
    pipe.flush()


def _receive_within(pipe: IO[bytes], seconds: float) -> bytes | None:
    """One message, or None if it did not come whole in time."""
    deadline = time.monotonic() + seconds
    wanted, got = _LENGTH.size, b""
    length: int | None = None
    raw = pipe.fileno()
    chunks: list[bytes] = []
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([raw], [], [], left)[0]:
            return None
        chunk = os.read(raw, min(1 << 20, wanted - (len(got) if length is None else size)))
        if not chunk:
            raise EOFError
        if length is None:
            got += chunk
            if len(got) == _LENGTH.size:
                (length,) = _LENGTH.unpack(got)
                wanted = length
        else:
            chunks.append(chunk)
            size += len(chunk)
        if length is not None and size == length:
            return b"".join(chunks)


def _limit_memory() -> None:
    import resource

    with Path("/proc/self/statm").open() as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + BYTES, now + BYTES))


def main() -> None:
    """Read what the parent asks for, until it closes the pipe."""
    from oversight.intake.reading.files import read_path

    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    if sys.platform == "linux":
        _limit_memory()
    _send(stdout, b"ready")
    while True:
        head = stdin.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return
        path, name = pickle.loads(stdin.read(_LENGTH.unpack(head)[0]))
        _send(stdout, pickle.dumps(read_path(Path(path), name, in_worker=True)))


if __name__ == "__main__":
    main()
