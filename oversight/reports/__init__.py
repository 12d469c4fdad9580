"""The monthly supervision report (督查通报): figures by SQL, wording by templates, four formats, versions, delivery."""

from __future__ import annotations

from oversight.reports.errors import NotReady, ReportError
from oversight.reports.make import Made, make, make_all, month_before, supervise
from oversight.reports.owed import Owed, owe, owed, settle
from oversight.reports.snapshot import differences
from oversight.reports.store import FORMATS, Version, archive, versions

__all__ = [
    "FORMATS",
    "Made",
    "NotReady",
    "Owed",
    "ReportError",
    "Version",
    "archive",
    "differences",
    "make",
    "make_all",
    "month_before",
    "owe",
    "owed",
    "settle",
    "supervise",
    "versions",
]
