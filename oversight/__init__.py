"""Oversight of township funding and staffing: intake, standards, editions, quality, reports, dashboard."""
