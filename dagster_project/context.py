"""What every step of a run needs to know, as one Dagster resource."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from dagster import InitResourceContext, ResourceDefinition, resource

from oversight.editions import run_lock
from oversight.editions.build import DUCKDB
from oversight.settings import TIME_ZONE, DataFolder

DATA_VARIABLE = "OVERSIGHT_DATA"


def _now() -> datetime:
    return datetime.now(TIME_ZONE)


def _silent(_: str) -> None:
    """Runs that Dagster starts itself have no terminal."""


@dataclass(frozen=True)
class RunContext:
    """The data folder of a run, whom to tell of its progress, and the time it is.

    `record_head` gives the head of the record of what users did; it is handed in, so that no change to the accounts
    counts as a change to how figures are made (`oversight.editions.code`). `pull` is False when whoever started the run has just
    fetched the other sources. `even_if_unchanged` is for whoever has looked for changes before, and wants an edition in
    any case. `traces_columns`: whether to work out which columns come from which, which Dagster's page shows and which
    costs more than the build of a county. `engine`: what computes the models, and `at_once`: how many provinces at a time
    where that is done by province.
    """

    folder: DataFolder
    record_head: Callable[[DataFolder], Mapping[str, Any] | None]
    say: Callable[[str], None] = _silent
    now: Callable[[], datetime] = field(default=_now)
    pull: bool = True
    even_if_unchanged: bool = False
    traces_columns: bool = True
    engine: str = DUCKDB
    at_once: int = 1

    @property
    def audit(self) -> Path:
        """Where the suites leave their results until they are published."""
        return self.folder.work / "audit"


def from_environment(record_head: Callable[[DataFolder], Mapping[str, Any] | None]) -> RunContext:
    """For `make dev` and the daemon: the data folder named by OVERSIGHT_DATA, or the project's own."""
    return RunContext(DataFolder.at(os.environ.get(DATA_VARIABLE)), record_head)


def locked(run: RunContext) -> ResourceDefinition:
    """The context as a resource that holds the data folder's lock for as long as a run lasts."""

    @resource(description="数据目录、当前时间和进度提示；一次运行期间锁定数据目录")
    @contextmanager
    def held(_: InitResourceContext) -> Iterator[RunContext]:
        with run_lock(run.folder):
            yield run

    return held
