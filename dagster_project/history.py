"""Dagster's history, written without opening it anew for every event.

Dagster's SQLite storage makes an engine, opens a connection, commits and closes for each of the several hundred
events of a run, each time compiling its statements again and folding the write-ahead log back: 3 to 4 of a
run's CPU seconds. Within one process, holding one engine a file open writes the same rows into the same files.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import sqlalchemy
from dagster import DagsterInstance

Opening = Callable[[], AbstractContextManager[sqlalchemy.Connection]]


@contextmanager
def kept_open(instance: DagsterInstance) -> Iterator[DagsterInstance]:
    """Hold the files of the instance's event log open for as long as the block lasts.

    Only where it is kept as Dagster does by itself, a SQLite file a run; a database named in `dagster.yaml` stays as it is.
    """
    storage: Any = instance.event_log_storage
    if not storage.is_run_sharded:
        yield instance
        return
    of_run, of_index = storage.run_connection, storage.index_connection
    engines: dict[str, sqlalchemy.Engine] = {}
    one_at_a_time = threading.Lock()

    @contextmanager
    def connection_to(name: str, opening: Opening) -> Iterator[sqlalchemy.Connection]:
        with one_at_a_time:
            if name not in engines:
                # Dagster's own way once: it makes the file and its tables, and says where they lie.
                with opening() as first:
                    engines[name] = _engine(first.engine.url)
            with engines[name].begin() as connection:
                yield connection

    def run_connection(run_id: str | None = None) -> AbstractContextManager[sqlalchemy.Connection]:
        return connection_to(f"run {run_id}", partial(of_run, run_id))

    def index_connection() -> AbstractContextManager[sqlalchemy.Connection]:
        return connection_to("index", of_index)

    storage.run_connection, storage.index_connection = run_connection, index_connection
    try:
        yield instance
    finally:
        del storage.run_connection, storage.index_connection
        for engine in engines.values():
            engine.dispose()


def _engine(address: sqlalchemy.URL) -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(address, connect_args={"timeout": 60, "check_same_thread": False})

    @sqlalchemy.event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _: Any) -> None:
        # With a write-ahead log this never harms the file; a power cut may cost the last events of a run.
        connection.execute("pragma synchronous = normal")

    return engine
