"""What `dagster dev`, the daemon and `dagster definitions validate` load."""

from __future__ import annotations

from dagster_project.context import from_environment
from dagster_project.pipeline import build_definitions
from oversight.accounts import record

defs = build_definitions(from_environment(record.head))
