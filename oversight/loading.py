"""Large libraries loaded without looking through what they bring for garbage: it all stays."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
        # At the end all of it goes; DuckDB 2.0 would list what it cannot take down.
        atexit.register(gc.unfreeze)
        if was_on:
            gc.enable()
