"""Dagster's history, in its own SQLite files, which stay open between two events.

Dagster's SQLite storage makes an engine, opens a connection, commits and closes for each of the several hundred
events of a run, each time compiling its statements again and folding the write-ahead log back: 3 to 4 of a
run's CPU seconds. Holding one engine a file open writes the same rows into the same files. `dagster.yaml` names this class,
so that whoever opens the history, the page and the daemon too, does so by it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy
from dagster import StringSource

# The one thing of Dagster's own rooms: it takes only what descends from its storage, and offers that nowhere else
# (docs/decisions/0059).
from dagster._core.storage.event_log import SqliteEventLogStorage  # noqa: TID251

# A page of the history looks into one run after the other; each file held takes a connection.
_HELD_AT_MOST = 8

_Opening = Callable[[], AbstractContextManager[sqlalchemy.Connection]]


class HeldOpenEventLog(SqliteEventLogStorage):
    """Dagster's event log, a SQLite file a run and an index, of which the last few used are held open."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        # Before Dagster's own, which already asks for a connection.
        self._held: OrderedDict[str, sqlalchemy.Engine] = OrderedDict()
        self._one_at_a_time = threading.Lock()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """The folder of Dagster's configuration: a data folder may be moved, and the file in it says no place."""
        return {"dagster_home": StringSource}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> HeldOpenEventLog:
        """Where Dagster itself keeps it, so that either class goes on with what the other wrote."""
        return cls(str(Path(config_value["dagster_home"]) / "history" / "runs"), inst_data)

    def run_connection(self, run_id: str | None = None) -> AbstractContextManager[sqlalchemy.Connection]:
        """A connection to the events of one run, within a transaction."""
        return self._connection_to(f"run {run_id}", partial(super().run_connection, run_id))

    def index_connection(self) -> AbstractContextManager[sqlalchemy.Connection]:
        """A connection to what is looked up across runs, within a transaction."""
        return self._connection_to("index", super().index_connection)

    def wipe(self) -> None:
        """Take away every run."""
        self._let_go()
        super().wipe()

    def dispose(self) -> None:
        """Close the files."""
        self._let_go()
        super().dispose()

    @contextmanager
    def _connection_to(self, name: str, opening: _Opening) -> Iterator[sqlalchemy.Connection]:
        with self._one_at_a_time:
            engine = self._held.get(name)
            if engine is not None and not Path(str(engine.url.database)).exists():
                # Taken away by somebody: what is written into it would be lost. Dagster's own way says so.
                self._held.pop(name).dispose()
                engine = None
            if engine is None:
                # Dagster's own way once: it makes the file and its tables, and says where they lie.
                with opening() as first:
                    engine = self._held[name] = _engine(first.engine.url)
                while len(self._held) > _HELD_AT_MOST:
                    self._held.popitem(last=False)[1].dispose()
            self._held.move_to_end(name)
            with engine.begin() as connection:
                yield connection

    def _let_go(self) -> None:
        with self._one_at_a_time:
            while self._held:
                self._held.popitem()[1].dispose()


def _engine(address: sqlalchemy.URL) -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(address, connect_args={"timeout": 60, "check_same_thread": False})

    @sqlalchemy.event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _: Any) -> None:
        # With a write-ahead log this never harms the file; a power cut may cost the last events of a run.
        connection.execute("pragma synchronous = normal")

    return engine
