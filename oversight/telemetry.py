"""Telemetry and notices of the tools the pipeline stands on, off by default: an intranet has nobody to report to.

Each of them waits for a network timeout, or prints a notice, when it cannot reach its maker.
"""

from __future__ import annotations

import os
import warnings

_OFF = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "SCARF_NO_ANALYTICS": "true",
}


def switch_off() -> None:
    """Set the off switches for this process and its children; what the user has set himself stays."""
    for name, value in _OFF.items():
        os.environ.setdefault(name, value)
    # Great Expectations imports pyspark where it is installed, which then warns of pandas 3 in every run.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
