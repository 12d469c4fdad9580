"""Orchestration of the oversight pipeline with Dagster: it says what runs when, and does none of the work."""

from oversight import telemetry

# Before Dagster, dbt or Great Expectations are imported: some of them look at import.
telemetry.switch_off()
