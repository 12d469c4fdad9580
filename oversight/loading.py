"""Large libraries loaded without looking through what they bring for garbage: it all stays."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version


@contextmanager
def lasting_imports() -> Iterator[None]:
    """Import in here: no search for garbage meanwhile, nor ever again among what was there by the end.

    Python searches all that was made so far again and again: a quarter of the time of importing Dagster and dbt.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        # Taking all of it down at the end costs 2.5 CPU seconds and is of use only to DuckDB 2, which would list
        # what it finds still standing.
        if int(version("duckdb").split(".")[0]) >= 2:
            atexit.register(gc.unfreeze)
        if was_on:
            gc.enable()
