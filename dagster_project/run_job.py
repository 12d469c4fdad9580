"""The job in one process, for `oversight run`; it leaves its run in the same history as any other."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from dagster import DagsterInstance

from dagster_project.automation import JOB
from dagster_project.context import RunContext
from dagster_project.pipeline import build_definitions
from oversight import durable
from oversight.accounts import record
from oversight.editions import Edition, find_edition
from oversight.settings import DataFolder

_CONFIGURATION = """\
# Written once by `oversight run`; may be changed.
telemetry:
  enabled: false
# Nobody is invited to a community outside.
nux:
  enabled: false
# What a step prints belongs on the terminal of whoever started it.
compute_logs:
  module: dagster.core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
concurrency:
  runs:
    max_concurrent_runs: 1
"""
_HISTORY = """\
# The files of the history stay open between two events, which spares seconds of every run.
event_log_storage:
  module: dagster_project.history
  class: HeldOpenEventLog
  config:
    dagster_home: {env: DAGSTER_HOME}
"""
# Keys by which a configuration names a storage of its own.
_NAMES_STORAGE = re.compile(
    r"(?m)^(?:storage|(?:run|event_log|schedule)_storage|instance|instance_class)\s*:"
)

# The terminal is for the analyst; every event is in the history all the same.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def prepare_home(folder: DataFolder) -> Path:
    """The folder of Dagster's history, with its configuration; made known to Dagster.

    A configuration that names no storage, as those did that were written before there was one of ours, is told of it."""
    home = folder.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "dagster.yaml"
    text = configuration.read_text("utf-8") if configuration.exists() else _CONFIGURATION
    if not _NAMES_STORAGE.search(text):
        durable.write_text(configuration, f"{text.rstrip()}\n{_HISTORY}", lasting=False)
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def execute(
    folder: DataFolder, *, say: Callable[[str], None], now: datetime, engine: str, at_once: int
) -> Edition:
    """Run every asset once and return the edition that then stands. The first error goes to the caller."""
    run = RunContext(
        folder,
        record.head,
        say=say,
        now=lambda: now,
        pull=False,
        even_if_unchanged=True,
        traces_columns=False,
        engine=engine,
        at_once=at_once,
    )
    home = str(prepare_home(folder))
    with DagsterInstance.from_config(home) as instance:
        job = build_definitions(run).resolve_job_def(JOB)
        job.execute_in_process(instance=instance, run_config=_QUIET, raise_on_error=True)
    return find_edition(folder)
