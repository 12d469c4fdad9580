"""The monthly supervision report (督查通报): figures by SQL, wording by templates, four formats, a life, delivery."""

from __future__ import annotations

from oversight.reports.errors import NotReady, ReportError
from oversight.reports.life import review, withdraw
from oversight.reports.make import Issuing, Made, make, make_all, month_before, supervise
from oversight.reports.owed import Owed, owe, owed, settle
from oversight.reports.snapshot import differences
from oversight.reports.store import FORMATS, Version, archive, draft, versions

__all__ = [
    "FORMATS",
    "Issuing",
    "Made",
    "NotReady",
    "Owed",
    "ReportError",
    "Version",
    "archive",
    "differences",
    "draft",
    "make",
    "make_all",
    "month_before",
    "owe",
    "owed",
    "review",
    "settle",
    "supervise",
    "versions",
    "withdraw",
]
