"""Large libraries loaded without looking through what they bring for garbage: it all stays."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, cast


@contextmanager
def lasting_imports() -> Iterator[None]:
    """Import in here: no search for garbage meanwhile, nor ever again among what was there by the end.

    Python searches all that was made so far again and again: a quarter of the time of importing Dagster and dbt.
    """
    # Where notebooks or tests are installed too, jsonschema would spend 1.5 CPU seconds on learning to check addresses
    # with letters beyond ASCII, which none of these libraries asks of it.
    sys.modules.setdefault("rfc3987_syntax", cast(Any, None))
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
