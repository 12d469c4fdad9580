"""Orchestration of the oversight pipeline with Dagster: it says what runs when, and does none of the work."""

import sys

from oversight import telemetry

# Before Dagster, dbt or Great Expectations are imported: some of them look at import.
telemetry.switch_off()

# jsonschema, which dbt imports, would compile the grammar of international web addresses for a second at every start
# where Jupyter has brought it along; nothing here checks one.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
