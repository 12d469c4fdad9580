"""`python -m oversight.editions`: have dbt's manifest ready, so that the first run need not wait for it."""

from __future__ import annotations

from oversight import telemetry
from oversight.editions.build import prepare

telemetry.switch_off()
prepare()
