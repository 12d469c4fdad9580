"""Dagster's history, written without opening it anew for every event.

Dagster's SQLite storage makes an engine, opens a connection, commits and closes for each of the several hundred
events of a run, each time compiling its statements again and folding the write-ahead log back: 3 to 4 of a
run's CPU seconds. Within one process, holding one engine a file open writes the same rows into the same files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from dagster import DagsterInstance
from dagster._core.storage.event_log import SqliteEventLogStorage


@contextmanager
def kept_open(instance: DagsterInstance) -> Iterator[DagsterInstance]:
    """Hold the files of the instance's event log open for as long as the block lasts."""
    storage: Any = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage):
        yield instance
        return
    opening = storage._connect
    engines: dict[str, sqlalchemy.Engine] = {}

    @contextmanager
    def connect(shard: str) -> Iterator[sqlalchemy.Connection]:
        if shard not in engines:
            # Dagster's own way once: it makes the file and its tables.
            with opening(shard):
                pass
        with storage._db_lock:
            if shard not in engines:
                engines[shard] = _engine(storage.conn_string_for_shard(shard))
            with engines[shard].begin() as connection:
                yield connection

    storage._connect = connect
    try:
        yield instance
    finally:
        del storage._connect
        for engine in engines.values():
            engine.dispose()


def _engine(address: str) -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(address, connect_args={"timeout": 60, "check_same_thread": False})

    @sqlalchemy.event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _: Any) -> None:
        # With a write-ahead log this never harms the file; a power cut may cost the last events of a run.
        connection.execute("pragma synchronous = normal")

    return engine
