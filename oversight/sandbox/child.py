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

# Rows are counted this far beyond those shown; after that "more than".
COUNT_UP_TO = 100_000
_CHUNK = 1 << 20
_HIDDEN = {
    "duckdb_databases",
    "duckdb_settings",
    "duckdb_logs",
    "duckdb_log_contexts",
    "duckdb_extensions",
    "duckdb_secrets",
    "duckdb_temporary_files",
    "duckdb_external_file_cache",
    "pragma_database_list",
    "pragma_database_size",
    "database_list",
    "current_setting",
    "query",
    "query_table",
}
_QUERY_BYTES = 1 << 20

# Preloaded for conversions: nothing can be read from disk once the door is shut.
_ = datetime.date.today


class _Frames(io.RawIOBase):
    """A file whose bytes go out as frames."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self.held += view
        if len(self.held) >= _CHUNK:
            self.flush()
        return len(view)

    def flush(self) -> None:
        if self.held:
            wire.send(self.channel, wire.ARROW, bytes(self.held))
            self.held.clear()


class _Refused(Exception):
    """A statement that is not run: the reason's name and where it stands."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.position = reason, position


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
    os.nice(5)
    has_own_network = jail.leave_network()
    file = os.open(order["database"], os.O_RDONLY)
    keep = sorted((channel.fileno(), file))
    os.closerange(3, keep[0])
    os.closerange(keep[0] + 1, keep[1])
    os.closerange(keep[1] + 1, 1024)
    connection = _open(file, order)
    jail.limit(order["address_bytes"], order["cpu_seconds"])
    is_filtered = jail.filter_system_calls()
    told = {"pid": os.getpid(), "own_network": has_own_network, "system_calls": is_filtered}
    wire.send(channel, wire.READY, json.dumps(told).encode())
    try:
        kind, body = wire.receive(channel, _QUERY_BYTES * 8)
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
        values = _check(connection, question["sql"], question["parameters"])
        result = (
            connection.execute(question["sql"], values) if values else connection.execute(question["sql"])
        )
        reader = (
            result.to_arrow_reader(10_000)
            if hasattr(result, "to_arrow_reader")
            else result.fetch_record_batch(10_000)
        )
        rows, is_complete = _stream(reader, channel, question["rows"])
    except _Refused as refused:
        told = {
            "exception_type": "Refused",
            "exception_message": refused.reason,
            "position": refused.position,
        }
        wire.send(channel, wire.ERROR, json.dumps(told).encode())
        return
    except MemoryError:
        wire.send(channel, wire.ERROR, json.dumps({"exception_type": "Out of Memory"}).encode())
        return
    except Exception as error:
        wire.send(channel, wire.ERROR, json.dumps(_told(error)).encode())
        return
    ended = {"rows": rows, "is_complete": is_complete, "seconds": time.perf_counter() - started}
    wire.send(channel, wire.END, json.dumps(ended).encode())


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


def _check(connection: duckdb.DuckDBPyConnection, sql: str, given: dict[str, Any]) -> dict[str, Any]:
    """Exactly one SELECT, by DuckDB's own parser; the parameters it asks for, of those given."""
    if not sql.strip().strip(";").strip():
        raise _Refused("empty")
    if len(sql.encode()) > _QUERY_BYTES:
        raise _Refused("long")
    row = connection.execute("select json_serialize_sql(cast(? as varchar))", [sql]).fetchone()
    assert row is not None
    tree = json.loads(row[0])
    if tree["error"] and tree.get("error_type") == "parser":
        raise duckdb.ParserException(
            "Parser Error: "
            + json.dumps(
                {
                    "exception_type": "Parser",
                    "exception_message": tree["error_message"],
                    "position": tree.get("position"),
                }
            )
        )
    _look_for_hidden(tree)
    statements = duckdb.extract_statements(sql)
    if not statements:
        raise _Refused("empty")
    if len(statements) > 1:
        raise _Refused("several", len(statements[0].query.encode()))
    # A PRAGMA counts as a SELECT there, but is none here.
    if statements[0].type != duckdb.StatementType.SELECT or tree["error"]:
        raise _Refused("not_select")
    asked = statements[0].named_parameters
    unknown = sorted(name for name in asked if name not in given)
    if unknown:
        raise _Refused(f"parameter {unknown[0]}", sql.encode().find(f"${unknown[0]}".encode()))
    return {name: given[name] for name in asked}


def _look_for_hidden(tree: Any) -> None:
    """Refuse what shows where files lie, and what reads a table's name from a text and so could show it."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            name = node.get("function_name") or node.get("table_name")
            if isinstance(name, str) and name.lower() in _HIDDEN:
                raise _Refused(f"hidden {name}")
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)


def _told(error: Exception) -> dict[str, Any]:
    text = str(error)
    start = text.find("{")
    try:
        told: dict[str, Any] = json.loads(text[start:]) if start >= 0 else {}
    except ValueError:
        told = {}
    if "exception_type" in told:
        return told
    return {
        "exception_type": type(error).__name__.removesuffix("Exception"),
        "exception_message": text[:2000],
    }


if __name__ == "__main__":
    main(int(sys.argv[1]))
