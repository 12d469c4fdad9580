"""The server's side: a process made ready for each user before it is needed, a clock, and a way to stop it.

`Sandbox.run` may be called by many threads. A user's questions beyond what the machine should do at once wait their
turn; each question's time starts when it does.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from oversight.sandbox import wire
from oversight.sandbox.messages import QueryError, explain, unshowable
from oversight.sandbox.statement import QUERY_BYTES, Refused

if TYPE_CHECKING:
    import pyarrow

_READY_SECONDS = 20.0
_FRAME_BYTES = 4 * wire.PIECE
SPARES_KEPT = 24


@dataclass(frozen=True)
class Limits:
    """What one question may cost."""

    seconds: float = 30.0
    memory_mb: int = 512
    threads: int = field(default_factory=lambda: min(2, os.cpu_count() or 1))
    screen_rows: int = 1000
    screen_bytes: int = 16 * 2**20
    download_bytes: int = 2 * 2**30
    # A file's rows are there by then; writing a workbook takes longer than the query.
    download_seconds: float = 300.0

    @property
    def address_bytes(self) -> int:
        """Libraries and thread stacks take about a gigabyte of addresses before the first row."""
        return (self.memory_mb + 1536) * 2**20


@dataclass(frozen=True)
class Answer:
    """A result. `table` holds the rows asked for; `rows` counts all of them, at most to the limit when not complete."""

    table: pyarrow.Table
    rows: int
    is_complete: bool
    seconds: float


class _Stopped(Exception):
    """Why a process was ended: 'time', 'cancel', 'size' or 'gone'."""


class _Process:
    """A child that waits for one question."""

    def __init__(self, channel: socket.socket, pid: int, told: Mapping[str, Any]) -> None:
        self.channel, self.pid, self.told = channel, pid, told
        self.is_cancelled = False
        # A handle to this very process, whatever its number is given to later.
        self._handle = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
        self._lock = threading.Lock()

    def kill(self) -> None:
        """End it now."""
        with self._lock, contextlib.suppress(OSError):
            if self._handle is not None:
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def cancel(self) -> None:
        """End it because the user said so."""
        self.is_cancelled = True
        self.kill()

    def is_alive(self) -> bool:
        """Whether it still waits; one that died says so by closing its end."""
        return not select.select([self.channel], [], [], 0)[0]

    def close(self) -> None:
        """Give back what the server holds of it."""
        self.kill()
        with self._lock:
            self.channel.close()
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None

    def receive(self, until: float, most: int) -> tuple[bytes, bytes]:
        """The next frame, before the time is over."""
        remaining = until - time.monotonic()
        if remaining <= 0:
            raise _Stopped("time")
        self.channel.settimeout(remaining)
        try:
            return wire.receive(self.channel, most)
        except TimeoutError as error:
            raise _Stopped("time") from error
        except (EOFError, OSError) as error:
            raise _Stopped("gone") from error


class _Writer:
    """A process that writes a result as a file."""

    def __init__(self, kind: str, source: IO[bytes], target: IO[bytes]) -> None:
        self.is_cancelled = False
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "oversight.sandbox.write", kind, str(source.fileno())],
            pass_fds=[source.fileno()],
            stdin=subprocess.PIPE,
            stdout=target.fileno(),
            stderr=subprocess.DEVNULL,
            env={"LANG": "C.UTF-8", "TMPDIR": tempfile.gettempdir()},
            cwd="/",
        )

    def write(self, notes: Sequence[str], seconds: float) -> None:
        """Until the file is whole."""
        try:
            self._process.communicate(json.dumps(list(notes)).encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            raise _Stopped("writing") from None
        finally:
            self._process.kill()
            self._process.wait()
        if self._process.returncode:
            raise _Stopped("cancel" if self.is_cancelled else "unwritable")

    def kill(self) -> None:
        """End it now."""
        self._process.kill()

    def cancel(self) -> None:
        """End it because the user said so."""
        self.is_cancelled = True
        self.kill()


class Sandbox:
    """Questions of many users, each answered in a process of its own. Close it, or use it as a context manager."""

    def __init__(self, limits: Limits | None = None, at_once: int | None = None) -> None:
        self.limits = limits or Limits()
        self._turns = threading.BoundedSemaphore(at_once or max(4, os.cpu_count() or 1))
        self._spares: OrderedDict[tuple[str, str], _Process] = OrderedDict()
        # A workbook of a million rows takes minutes; queries do not wait for it, other files do.
        self._writing = threading.BoundedSemaphore(2)
        self._running: dict[str, _Process | _Writer] = {}
        self._waiting: set[str] = set()
        self._cancelled: set[str] = set()
        self._lock = threading.Lock()
        self._template: tuple[subprocess.Popen[bytes], socket.socket] | None = None
        self._template_lock = threading.Lock()
        self._is_closed = False

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def warm(self, user: str, database: Path) -> None:
        """Make a process ready for a user's next question."""
        key = (user, str(database))
        with self._lock:
            found = self._spares.get(key)
            if self._is_closed or (found is not None and found.is_alive()):
                return
        made = self._start(database)
        with self._lock:
            old = self._spares.pop(key, None)
            gone = [old] if old else []
            self._spares[key] = made
            while len(self._spares) > (0 if self._is_closed else SPARES_KEPT):
                gone.append(self._spares.popitem(last=False)[1])
        for process in gone:
            process.close()

    def run(
        self,
        user: str,
        database: Path,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        query_id: str = "",
    ) -> Answer:
        """The first rows of a result, for the screen. Raises `QueryError`."""
        import pyarrow.ipc

        buffer = io.BytesIO()
        ended = self._ask(
            user,
            database,
            sql,
            parameters,
            query_id,
            buffer,
            self.limits.screen_rows,
            self.limits.screen_bytes,
        )
        table = _table(pyarrow.ipc, buffer)
        return Answer(table, ended["rows"], ended["is_complete"], ended["seconds"])

    def run_to_file(
        self,
        user: str,
        database: Path,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        query_id: str = "",
    ) -> IO[bytes]:
        """The whole result as an Arrow stream in a temporary file that is gone once closed. Raises `QueryError`."""
        file = tempfile.TemporaryFile(prefix="oversight-sql-")  # noqa: SIM115
        try:
            self._ask(user, database, sql, parameters, query_id, file, None, self.limits.download_bytes)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    def download(
        self,
        user: str,
        database: Path,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        kind: str,
        notes: Sequence[str] = (),
        query_id: str,
    ) -> IO[bytes]:
        """The whole result as csv, xlsx or parquet, in a temporary file that is gone once closed. Raises `QueryError`.

        The file is written in a process of its own too: however large it is, the server has time for others.
        """
        target = tempfile.TemporaryFile(prefix="oversight-sql-")  # noqa: SIM115
        try:
            with (
                self.run_to_file(user, database, sql, parameters, query_id=query_id) as source,
                self._waiting_for(self._writing, query_id),
            ):
                writer = _Writer(kind, source, target)
                with self._lock:
                    self._waiting.discard(query_id)
                    self._running[query_id] = writer
                    if query_id in self._cancelled or self._is_closed:
                        writer.cancel()
                writer.write(notes, self.limits.download_seconds)
        except _Stopped as stopped:
            target.close()
            raise _not_written(str(stopped), self.limits.download_seconds) from None
        except BaseException:
            target.close()
            raise
        target.seek(0)
        return target

    def cancel(self, query_id: str) -> bool:
        """Stop a question, whether it runs or waits. False when it is over already."""
        with self._lock:
            process = self._running.get(query_id)
            if process is None and query_id in self._waiting:
                self._cancelled.add(query_id)
                return True
        if process is not None:
            process.cancel()
        return process is not None

    def close(self) -> None:
        """End every process."""
        with self._lock:
            self._is_closed = True
            processes = [*self._spares.values(), *self._running.values()]
            self._spares.clear()
        for process in processes:
            process.kill()
        with self._template_lock:
            if self._template is not None:
                self._template[1].close()
                self._template[0].kill()
                self._template[0].wait()
                self._template = None

    def _ask(
        self,
        user: str,
        database: Path,
        sql: str,
        parameters: Mapping[str, Any] | None,
        query_id: str,
        out: IO[bytes],
        rows: int | None,
        most_bytes: int,
    ) -> dict[str, Any]:
        # Half a character, as some programs paste it, has no place in UTF-8.
        sql = sql.encode("utf-8", "replace").decode("utf-8")
        query_id = query_id or f"{user}/{threading.get_ident()}/{time.monotonic_ns()}"
        if len(sql.encode()) > QUERY_BYTES:
            raise explain(sql, Refused("long").told())
        with self._waiting_for(self._turns, query_id):
            try:
                process = self._take(user, database)
                with self._lock:
                    self._waiting.discard(query_id)
                    self._running[query_id] = process
                    if query_id in self._cancelled:
                        process.is_cancelled = True
                question = {"sql": sql, "parameters": dict(parameters or {}), "rows": rows}
                try:
                    if process.is_cancelled:
                        raise _Stopped("cancel")
                    return self._talk(process, question, out, most_bytes, sql)
                except _Stopped as stopped:
                    raise self._why(process, str(stopped), rows is not None) from None
                finally:
                    process.close()
            finally:
                threading.Thread(target=self._warm_quietly, args=(user, database), daemon=True).start()

    @contextlib.contextmanager
    def _waiting_for(self, turns: threading.BoundedSemaphore, query_id: str) -> Iterator[None]:
        """A turn, during which `cancel` finds the question; forgotten at the end."""
        with self._lock:
            self._waiting.add(query_id)
        try:
            with turns:
                yield
        finally:
            with self._lock:
                self._running.pop(query_id, None)
                self._waiting.discard(query_id)
                self._cancelled.discard(query_id)

    def _talk(
        self, process: _Process, question: dict[str, Any], out: IO[bytes], most_bytes: int, sql: str
    ) -> dict[str, Any]:
        until = time.monotonic() + self.limits.seconds
        process.channel.settimeout(self.limits.seconds)
        try:
            wire.send(process.channel, wire.QUESTION, json.dumps(question, ensure_ascii=False).encode())
        except OSError as error:
            raise _Stopped("gone") from error
        received = 0
        while True:
            kind, body = process.receive(until, _FRAME_BYTES)
            if kind == wire.ARROW:
                received += len(body)
                if received > most_bytes:
                    raise _Stopped("size")
                out.write(body)
            elif kind == wire.END:
                ended: dict[str, Any] = json.loads(body)
                return ended
            elif kind == wire.ERROR:
                raise explain(sql, json.loads(body))
            else:
                raise _Stopped("gone")

    def _why(self, process: _Process, reason: str, is_screen: bool) -> QueryError:
        if process.is_cancelled or reason == "cancel":
            return QueryError("查询已取消。", code="cancelled")
        if reason == "time":
            return QueryError(
                f"查询超过 {self.limits.seconds:g} 秒，已停止。请加条件缩小范围（如指定月份、地区），或先汇总。",
                code="time",
            )
        if reason == "size":
            what = (
                "屏幕上放不下，请减少列或行，或直接下载"
                if is_screen
                else "太大，不能下载，请分月份或地区下载"
            )
            return QueryError(f"查询结果{what}。", code="size")
        return QueryError(
            "查询用的内存或运算时间超过了限制，已停止。请加条件缩小范围，或先汇总再排序。", code="memory"
        )

    def _take(self, user: str, database: Path) -> _Process:
        with self._lock:
            found = self._spares.pop((user, str(database)), None)
        if found is not None:
            if found.is_alive():
                return found
            found.close()
        return self._start(database)

    def _warm_quietly(self, user: str, database: Path) -> None:
        with contextlib.suppress(QueryError, OSError):
            self.warm(user, database)

    def _start(self, database: Path) -> _Process:
        order = {
            "database": str(database),
            "threads": self.limits.threads,
            "memory_mb": self.limits.memory_mb,
            "address_bytes": self.limits.address_bytes,
            "cpu_seconds": int(self.limits.seconds * self.limits.threads) + 2,
        }
        for attempt in range(2):
            ours, theirs = socket.socketpair()
            try:
                with self._template_lock:
                    if self._is_closed:
                        raise QueryError("服务正在停止，请稍后再试。", code="gone")
                    socket.send_fds(self._live_template(), [json.dumps(order).encode()], [theirs.fileno()])
                theirs.close()
                ours.settimeout(_READY_SECONDS)
                kind, body = wire.receive(ours, 1 << 16)
                told = json.loads(body)
                if kind == wire.READY:
                    return _Process(ours, int(told["pid"]), told)
            except (OSError, EOFError, ValueError):
                self._drop_template()
            finally:
                theirs.close()
            ours.close()
            if attempt:
                break
        raise QueryError("查询服务没能启动，请稍后再试；若仍不行，请联系系统管理员。", code="gone")

    def _live_template(self) -> socket.socket:
        if self._template is None or self._template[0].poll() is not None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            process = subprocess.Popen(
                [sys.executable, "-I", "-m", "oversight.sandbox.child", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Nothing of the server's surroundings is handed on, neither its variables nor its folder.
                env={"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"},
                cwd="/",
            )
            theirs.close()
            self._template = (process, ours)
        return self._template[1]

    def _drop_template(self) -> None:
        with self._template_lock:
            if self._template is not None and self._template[0].poll() is not None:
                self._template[1].close()
                self._template = None


def _not_written(reason: str, seconds: float) -> QueryError:
    if reason == "cancel":
        return QueryError("查询已取消。", code="cancelled")
    if reason == "writing":
        return QueryError(
            f"文件没能在 {seconds:g} 秒内写完，已停止。请分月份或地区下载；行数很多时用 CSV 或 Parquet 更快。",
            code="time",
        )
    return QueryError(
        "结果写不成文件：可能有文件里放不下的值，或服务器的临时空间不够。请用 cast(… as varchar) 转成文字，或缩小范围。",
        code="unwritable",
    )


def _table(ipc: Any, buffer: io.BytesIO) -> pyarrow.Table:
    """The rows that arrived; a stream that was cut after enough rows has no end mark, which is no fault."""
    import pyarrow

    buffer.seek(0)
    batches = []
    with ipc.open_stream(buffer) as reader:
        with contextlib.suppress(pyarrow.ArrowInvalid, EOFError, OSError, StopIteration):
            while True:
                batches.append(reader.read_next_batch())
        schema = reader.schema
    try:
        for batch in batches:
            batch.validate(full=True)
    except pyarrow.ArrowInvalid:
        raise unshowable() from None
    return pyarrow.Table.from_batches(batches, schema=schema)
