"""Reading in another process, with bounds on memory, time and output: whatever a stranger wrote is parsed there.

One process reads many files, a batch at a time, because starting one costs more than reading a thousand small files.
It is started when first needed and kept until this process ends. When a file has killed it, it is replaced, the file
is set apart with the reason, and the others of its batch are read again.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import mmap
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from oversight.intake.reading.found import BulkTable, Reading
from oversight.intake.reading.grid import Refusal
from oversight.scratch import Scratch

# What one file may cost. A workbook of 100,000 rows takes two seconds and 200 MB.
SECONDS = 10
BYTES = 512 * 2**20
# A large text, the table of a whole country say, is read as a whole: at some ten times its size.
LARGE_TEXT_BYTES = 16 * 2**20
_LARGE_TEXT_FACTOR = 16
_LARGE_TEXT_BYTES_A_SECOND = 5 * 2**20
# So much of a file's content may come back; of a large text as much as it may cost.
ANSWER_BYTES = 256 * 2**20
BATCH_FILES, BATCH_BYTES = 64, 4 * 2**20
# A process that has grown to this is replaced before the next batch.
_LARGE_BYTES = 1 << 20
_GROWN_BYTES = 768 * 2**20
# Without a library that another one loads only if it is there: that is half of the time to start.
_PROGRAM = (
    "import sys; sys.modules['sqlalchemy'] = None; from oversight.intake.reading.worker import main; main()"
)
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_LENGTH = struct.Struct("!Q")
# At which file of its batch the process is stands in memory that both see, so that nobody has to be woken to be told; how
# often that is looked at while nothing comes.
_AT = struct.Struct("!q")
_LOOK_SECONDS = 1.0


# Where a file lies, what it is called, and the digest of what was received, if that is known.
Job = tuple[Path, str, str | None]


@dataclass(frozen=True)
class Stopped:
    """A job that was not finished: it took too much time or memory, or failed; the text says which."""

    detail: str


@dataclass(frozen=True)
class _Limits:
    seconds: int
    bytes: int
    answer_bytes: int


def _limits(path: Path) -> _Limits:
    """What a file may cost: more only for a large text, which grows with its size and no further."""
    try:
        size = path.stat().st_size
        if size > LARGE_TEXT_BYTES:
            with path.open("rb") as file:
                is_text = not file.read(4).startswith((b"PK", b"\xd0\xcf\x11\xe0"))
            if is_text:
                more = _LARGE_TEXT_FACTOR * size
                return _Limits(
                    SECONDS + size // _LARGE_TEXT_BYTES_A_SECOND, BYTES + more, ANSWER_BYTES + more
                )
    except OSError:
        pass
    return _Limits(SECONDS, BYTES, ANSWER_BYTES)


class Worker:
    """A process that does such jobs on request, one batch after the other."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        # Where large tables lie between the two processes, and which file of a batch the other one is at.
        self._spool: Scratch | None = None
        self._at: mmap.mmap | None = None
        self._owner = os.getpid()
        self._lock = threading.Lock()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def read(self, files: Iterable[Job]) -> Iterator[Reading]:
        """What `files.read_path` finds in each file; a Refusal F14 of one that took too much time or memory."""
        for batch in _batches(files):
            for answer in self.run("read", batch):
                if isinstance(answer, Stopped):
                    answer = Reading(error=Refusal("F14", {"detail": answer.detail}))
                yield answer

    def run(self, kind: str, jobs: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The answer to each job of a batch, the first argument of each being the file that it is about."""
        # The process works in a folder of its own: 经费.xlsx is where the command was given.
        jobs = [tuple(a.absolute() if isinstance(a, Path) else a for a in job) for job in jobs]
        with self._lock:
            answers: dict[int, Any] = {}
            todo = list(range(len(jobs)))
            while todo:
                done, given = self._attempt(kind, [jobs[n] for n in todo])
                if given is not None:
                    answers.update(zip(todo, given, strict=True))
                    break
                # The one that it was at is the one to blame; those before it are read again without it.
                at, detail = done
                answers[todo[at]] = Stopped(detail)
                before, after = todo[:at], todo[at + 1 :]
                if before:
                    _, given = self._attempt(kind, [jobs[n] for n in before])
                    for n, answer in zip(before, given or [None] * len(before), strict=True):
                        answers[n] = Stopped("重读时中断") if given is None else answer
                todo = after
            return [answers[n] for n in range(len(jobs))]

    def _attempt(
        self, kind: str, jobs: Sequence[tuple[Any, ...]]
    ) -> tuple[tuple[int, str], list[Any] | None]:
        """Answers to all jobs; or at which job the process came to its end, and why."""
        process = self._start()
        stdin, stdout, place = process.stdin, process.stdout, self._at
        assert stdin is not None
        assert stdout is not None
        assert place is not None
        _AT.pack_into(place, 0, 0)
        limits = [_limits(Path(job[0])) for job in jobs]
        most = max(limit.answer_bytes for limit in limits)
        try:
            _send(stdin, pickle.dumps((kind, list(zip(jobs, limits, strict=True)))))
            is_patient = _wait_for(stdout, place, [3.0 * limit.seconds for limit in limits])
            message = _receive_within(stdout, 3.0 * limits[-1].seconds, most) if is_patient else None
            (at,) = _AT.unpack_from(place)
            if message is None:
                self.stop()
                return (at, f"超过 {SECONDS} 秒"), None
            # The worker opens no connection and writes nothing but this; what it read it hands over as plain data.
            resident, answers = pickle.loads(message)  # nosec B301
            for answer in answers:
                _fetch(answer)
            if resident > _GROWN_BYTES:
                self.stop()
            return (0, ""), answers
        except _TooMuch:
            self.stop()
            return (len(jobs) - 1, f"读出的内容超过 {most // 2**20} MB"), None
        except (OSError, EOFError):
            (at,) = _AT.unpack_from(place)
            code = process.wait() if process.poll() is None and not _alive(process) else process.poll()
            self.stop()
            is_time = code == -getattr(signal, "SIGXCPU", 0)
            detail = f"超过 {SECONDS} 秒" if is_time else f"内存超过 {BYTES // 2**20} MB"
            return (at, detail), None

    def _start(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():
            # Inherited by a forked process: the pipes are its parent's.
            self._process, self._owner = None, os.getpid()
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._spool = Scratch()
            self._at = _shared(self._spool.path, new=True)
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(self._spool.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=Path(__file__).resolve().parents[3],
                env=os.environ | {"MALLOC_ARENA_MAX": "2", "PYTHONUTF8": "1"},
            )
            stdout = self._process.stdout
            assert stdout is not None
            # Start-up is not counted against the file.
            _receive_within(stdout, 60.0, BYTES)
        return self._process

    def stop(self) -> None:
        """End the process, if there is one; the next job starts another."""
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            if self._spool is not None:
                self._spool.end()
        self._process = None


def _shared(spool: Path, *, new: bool = False) -> mmap.mmap:
    """Where the process that reads tells which file it is at."""
    path = spool / "at"
    if new:
        path.write_bytes(_AT.pack(0))
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), _AT.size)


def _wait_for(pipe: IO[bytes], place: mmap.mmap, patience: Sequence[float]) -> bool:
    """Whether something comes before the process has been at one file for longer than it may be.

    Looks are counted and not the clock: a machine that stood still let neither of the two go on.
    """
    at = looks = 0
    while not select.select([pipe.fileno()], [], [], _LOOK_SECONDS)[0]:
        (now,) = _AT.unpack_from(place)
        at, looks = now, looks + 1 if now == at else 0
        if looks * _LOOK_SECONDS > patience[at]:
            return False
    return True


def _alive(process: subprocess.Popen[bytes]) -> bool:
    """Whether it still runs a second after its pipe broke."""
    try:
        process.wait(1.0)
    except subprocess.TimeoutExpired:
        return True
    return False


_kept = Worker()
atexit.register(_kept.stop)


def worker() -> Worker:
    """The one of this process."""
    return _kept


def _fetch(answer: object) -> None:
    """Large tables from the files they were put into; their bytes are used where they lie, not copied."""
    for table in answer.tables if isinstance(answer, Reading) else ():
        if isinstance(table, BulkTable) and table.spooled is not None:
            import polars as pl
            import pyarrow

            path = Path(table.spooled)
            frame = pl.from_arrow(pyarrow.ipc.open_file(pyarrow.memory_map(str(path))).read_all())
            path.unlink()
            assert isinstance(frame, pl.DataFrame)
            table.frame = frame


def _batches(files: Iterable[Job]) -> Iterator[list[Job]]:
    """Small files together, large ones alone."""
    batch: list[Job] = []
    size = 0
    for job in files:
        try:
            more = job[0].stat().st_size
        except OSError:
            more = 0
        if batch and (len(batch) >= BATCH_FILES or size + more > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(job)
        size += more
    if batch:
        yield batch


class _TooMuch(Exception):
    """The answer is larger than it may be."""


def _send(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(_LENGTH.pack(len(message)))
    pipe.write(message)
    pipe.flush()


def _receive_within(pipe: IO[bytes], seconds: float, most: int) -> bytes | None:
    """One message, or None if nothing more of it came for so long."""
    (length,) = _LENGTH.unpack(head) if (head := _bytes_within(pipe, _LENGTH.size, seconds)) else (None,)
    if length is None:
        return None
    if length > most:
        raise _TooMuch
    return _bytes_within(pipe, length, seconds)


def _bytes_within(pipe: IO[bytes], wanted: int, seconds: float) -> bytes | None:
    deadline = time.monotonic() + seconds
    raw = pipe.fileno()
    chunks: list[bytes] = []
    left = wanted
    while left:
        patience = deadline - time.monotonic()
        if patience <= 0 or not select.select([raw], [], [], patience)[0]:
            return None
        chunk = os.read(raw, min(1 << 20, left))
        if not chunk:
            raise EOFError
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)


# --- in the other process -------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _memory_file(process: int) -> int:
    """The open file in which the kernel says how much memory this process has: asked before every file."""
    return os.open(f"/proc/{process}/statm", os.O_RDONLY | os.O_CLOEXEC)


def own_memory() -> tuple[int, int]:
    """Bytes of address space and of memory that this process has."""
    pages, resident = os.pread(_memory_file(os.getpid()), 128, 0).split()[:2]
    return int(pages) * _PAGE_BYTES, int(resident) * _PAGE_BYTES


def _bound(limits: _Limits) -> None:
    """Let the next job use so much memory and time, and no more."""
    import resource

    space = own_memory()[0] + limits.bytes
    resource.setrlimit(resource.RLIMIT_AS, (space, resource.RLIM_INFINITY))
    seconds = int(time.process_time()) + limits.seconds
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.answer_bytes, resource.RLIM_INFINITY))


def _jobs(spool: Path) -> dict[str, Callable[..., Any]]:
    from oversight.intake.reading.files import excerpt, read_path
    from oversight.intake.reading.mending import mended, shown

    def write_returned(*arguments: Any) -> None:
        # Its library is loaded only when something is to be returned.
        from oversight.intake.sending_back.marked_workbook import write_returned

        write_returned(*arguments)

    def read(path: Path, name: str, sha256: str | None) -> Reading:
        reading = read_path(path, name, sha256)
        for number, table in enumerate(reading.tables):
            if isinstance(table, BulkTable):
                file = spool / f"{time.monotonic_ns()}-{number}.arrow"
                table.frame.write_ipc(file)
                table.spooled, table.frame = str(file), table.frame.clear()
        return reading

    return {"read": read, "return": write_returned, "excerpt": excerpt, "shown": shown, "mended": mended}


def main() -> None:
    """Do what the parent asks for, until it closes the pipe."""
    spool = Path(sys.argv[1])
    jobs, place = _jobs(spool), _shared(spool)
    # Collected after a batch, or after a large file: what was loaded to begin with never.
    gc.disable()
    gc.freeze()
    requests = sys.stdin.buffer
    # Whatever else writes to standard output must not come between our messages.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    is_bounded = sys.platform == "linux"
    _send(answers, b"ready")
    while True:
        head = requests.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return
        kind, todo = pickle.loads(requests.read(_LENGTH.unpack(head)[0]))  # nosec B301 - from our own parent
        given: list[Any] = []
        for at, (arguments, limits) in enumerate(todo):
            _AT.pack_into(place, 0, at)
            if is_bounded:
                _bound(limits)
            try:
                given.append(jobs[kind](*arguments))
            except Exception as failure:
                given.append(Stopped(f"{type(failure).__name__}: {failure}"[:200]))
            if at + 1 == len(todo) or Path(arguments[0]).stat().st_size > _LARGE_BYTES:
                gc.collect()
        if is_bounded:
            most = max(limits.answer_bytes for _, limits in todo)
            _bound(_Limits(SECONDS, 2 * most, most))
        _send(answers, pickle.dumps((own_memory()[1] if is_bounded else 0, given), protocol=5))
