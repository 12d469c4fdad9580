"""The other side of the sandbox: a process that forks one child a question. Run as `python -I -m oversight.sandbox.child FD`.

It imports what a child needs and then only forks, so that a child is ready in a few hundredths of a second. It
never opens a database itself: a database has threads, and threads do not survive a fork.
"""

from __future__ import annotations

import datetime
import io
import json
import os
import signal
import socket
import sys
import time
from typing import Any

import duckdb
import pyarrow
import pyarrow.ipc

from oversight.sandbox import jail, wire
from oversight.sandbox.statement import QUERY_BYTES, Refused, check, told

# Rows are counted this far beyond those shown; after that "more than".
COUNT_UP_TO = 100_000


class _Frames(io.RawIOBase):
    """A file whose bytes go out as frames."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        for start in range(0, len(view), wire.PIECE):
            self.held += view[start : start + wire.PIECE]
            if len(self.held) >= wire.PIECE:
                self.flush()
        return len(view)

    def flush(self) -> None:
        if self.held:
            wire.send(self.channel, wire.ARROW, bytes(self.held))
            self.held.clear()


def main(descriptor: int) -> None:
    """Fork a child for every socket received; end when the server does."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control = socket.socket(fileno=descriptor)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 65536, 1)
        if not message:
            return
        if os.fork() == 0:
            control.close()
            code = 1
            try:
                _child(socket.socket(fileno=descriptors[0]), json.loads(message))
                code = 0
            finally:
                os._exit(code)
        for item in descriptors:
            os.close(item)


def _child(channel: socket.socket, order: dict[str, Any]) -> None:
    jail.die_with_parent()
    os.setsid()
    # Whoever looks at a page goes before whoever reckons for half a minute.
    os.nice(15)
    has_own_network = jail.leave_network()
    file = os.open(order["database"], os.O_RDONLY)
    keep = sorted((channel.fileno(), file))
    os.closerange(3, keep[0])
    os.closerange(keep[0] + 1, keep[1])
    os.closerange(keep[1] + 1, 1024)
    connection = _open(file, order)
    jail.limit(order["address_bytes"], order["cpu_seconds"])
    is_filtered = jail.filter_system_calls()
    ready = {"pid": os.getpid(), "own_network": has_own_network, "system_calls": is_filtered}
    wire.send(channel, wire.READY, json.dumps(ready).encode())
    try:
        kind, body = wire.receive(channel, QUERY_BYTES * 8)
    except EOFError:
        return
    if kind == wire.QUESTION:
        _answer(connection, channel, json.loads(body))


def _open(file: int, order: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """The file, read-only, under a name that tells nothing of where it lies; then everything is locked."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": order["threads"],
            "memory_limit": f"{order['memory_mb']}MB",
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "errors_as_json": True,
            "arrow_lossless_conversion": False,
            # No name in a query ever means a variable of this program.
            "python_enable_replacements": False,
        },
    )
    connection.execute(f"attach '/proc/self/fd/{file}' as edition (read_only)")
    connection.execute("use edition")
    schemas = connection.execute(
        "select schema_name from information_schema.schemata where catalog_name = 'edition' and schema_name = '中文'"
    ).fetchall()
    path = "edition.main,edition.中文" if schemas else "edition.main"
    connection.execute(f"set search_path = '{path}'")
    # Threads, collations and time zones are made ready while files may still be opened.
    connection.execute("select count(*), current_date from range(300000)").fetchall()
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def _answer(connection: duckdb.DuckDBPyConnection, channel: socket.socket, question: dict[str, Any]) -> None:
    started = time.perf_counter()
    try:
        values = check(connection, question["sql"], question["parameters"])
        if "month" in values:
            values["month"] = datetime.date.fromisoformat(values["month"])
        result = (
            connection.execute(question["sql"], values) if values else connection.execute(question["sql"])
        )
        reader: pyarrow.RecordBatchReader = result.to_arrow_reader(10_000)
        _refuse_what_arrow_cannot_show(reader.schema)
        rows, is_complete = _stream(reader, channel, question["rows"])
    except Refused as refused:
        wire.send(channel, wire.ERROR, json.dumps(refused.told()).encode())
        return
    except MemoryError:
        wire.send(channel, wire.ERROR, json.dumps({"exception_type": "Out of Memory"}).encode())
        return
    except Exception as error:
        wire.send(channel, wire.ERROR, json.dumps(told(error)).encode())
        return
    ended = {"rows": rows, "is_complete": is_complete, "seconds": time.perf_counter() - started}
    wire.send(channel, wire.END, json.dumps(ended).encode())


def _refuse_what_arrow_cannot_show(schema: pyarrow.Schema) -> None:
    """DuckDB 2.0 hands a VARIANT over as the bytes it is kept in, where 1.5 refuses it: say what 1.5 says."""
    for field in schema:
        if (field.metadata or {}).get(b"ARROW:extension:name") == b"arrow.parquet.variant":
            raise duckdb.NotImplementedException("Unsupported Arrow type VARIANT")


def _stream(reader: pyarrow.RecordBatchReader, channel: socket.socket, most: int | None) -> tuple[int, bool]:
    """Send the rows, or the first `most`; how many there are, and whether that is all of them."""
    out = _Frames(channel)
    total = 0
    with pyarrow.ipc.new_stream(pyarrow.PythonFile(out, mode="w"), reader.schema) as writer:
        for batch in reader:
            if most is None:
                writer.write_batch(batch)
            elif total < most:
                writer.write_batch(batch.slice(0, most - total))
            total += batch.num_rows
            if most is not None and total > max(COUNT_UP_TO, most):
                break
        else:
            writer.close()
            out.flush()
            return total, True
    out.flush()
    return COUNT_UP_TO if most is not None else total, False


if __name__ == "__main__":
    main(int(sys.argv[1]))
