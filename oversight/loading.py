"""What large libraries cost a process: loading, garbage, taking them apart; and which it can do without."""

from __future__ import annotations

import atexit
import gc
import importlib
import importlib.util
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from types import ModuleType
from typing import Any, NoReturn, cast

from oversight import last_word


def without_pandas() -> None:
    """For a process in which nothing uses pandas.

    DuckDB looks for it as soon as a query has parameters. It costs 60 MB and most of a second; and while one thread
    imports it, another that writes JSON meets half a module.
    """
    sys.modules.setdefault("pandas", cast(Any, None))


def without_notebooks() -> None:
    """For the server: where notebooks are installed too, Dash would load IPython and requests, 12 MB, to show a page in one."""
    sys.modules.setdefault("IPython", cast(Any, None))


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
        # what it finds still standing. `as_process` spares it.
        if int(version("duckdb").split(".")[0]) >= 2:
            atexit.register(gc.unfreeze)
        if was_on:
            gc.enable()


def on_first_use(name: str) -> None:
    """Have a module that others import loaded only when something in it is asked for.

    (importlib's LazyLoader does not last: in Python 3.11 the next `import` of the name already looks into the module.)
    """
    spec = importlib.util.find_spec(name) if name not in sys.modules else None
    if spec is None:
        return
    stand_in = ModuleType(name)
    stand_in.__spec__, stand_in.__file__ = spec, spec.origin

    def load(attribute: str) -> Any:
        if attribute.startswith("__") and attribute not in ("__path__", "__version__"):
            raise AttributeError(attribute)
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
        return getattr(importlib.import_module(name), attribute)

    vars(stand_in)["__getattr__"] = load
    sys.modules[name] = stand_in


def as_process(main: Callable[[], int], *, has_last_word: bool = True) -> NoReturn:
    """Run this as all that a process does, and end it without taking the interpreter apart.

    `has_last_word`: should it be ended before it can say anything, what ended it is said all the same.

    Everything that must happen at an end does, in Python's own order: threads are waited for, and whatever registered
    itself with `atexit` from here on is called; then this, registered first, comes last. Files and connections are
    closed by who opened them.
    """
    code = 1
    ended = last_word.kept() if has_last_word else None

    def leave() -> None:
        logging.shutdown()
        if ended:
            ended()
        try:
            for stream in (sys.stdout, sys.stderr):
                if stream:
                    stream.flush()
        except (OSError, ValueError):
            # Nobody reads on, or the disk is full: Python has its own word and code for it.
            return
        os._exit(code)

    atexit.register(leave)
    try:
        code = main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
        raise
    sys.exit(code)
