"""The reports that were made: which there are, and their files. Reports are read here, never made."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from urllib.parse import quote

import flask

from oversight.accounts import record
from oversight.dashboard.access import Scope, scope_of_request
from oversight.dashboard.gate import refusal
from oversight.dashboard.inputs import ReportFile, ReportQuery, given, takes
from oversight.dashboard.warehouse import Warehouse
from oversight.reports import ReportError, Version, archive
from oversight.settings import DataFolder

INDEX = ".index.json"
KINDS = {
    "html": ("网页", "text/html; charset=utf-8"),
    "docx": ("Word", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "pdf": ("PDF", "application/pdf"),
    "xlsx": ("Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
# A report is a document: it fetches nothing, and its script, told by its digest, has no part in the application.
POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
)
_SCRIPT = re.compile(rb"<script[^>]*>(.*?)</script>", re.DOTALL)


def reports_in_sight(folder: DataFolder, scope: Scope) -> list[Version]:
    """Every paper, withdrawn ones too, of units wholly in the scope, drafts too; the newest month first."""
    return [item for item in archive(folder, drafts=True) if scope.covers(item.scope_code)]


def returned_in_sight(warehouse: Warehouse) -> list[str]:
    """Returned workbooks of files in sight: whoever sees a part sees those that speak of it and of nothing else."""
    root = warehouse.folder.returned
    if warehouse.scope.is_whole:
        if not root.is_dir():
            return []
        return sorted(
            str(path.relative_to(root)) for path in root.rglob("*") if path.suffix in (".xlsx", ".csv")
        )
    return sorted(returned_of(warehouse).values())


def state_of_returned(folder: DataFolder) -> list[int]:
    """What is another one once a returned workbook is added, or taken away after its days."""
    places = (folder.returned, folder.returned / INDEX)
    return [place.stat().st_mtime_ns if place.exists() else 0 for place in places]


def returned_of(warehouse: Warehouse) -> dict[str, str]:
    """The returned workbook of each file in sight that has one, by submission."""
    try:
        names = json.loads((warehouse.folder.returned / INDEX).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    own = {row["submission_id"] for row in warehouse.rows("select submission_id from e.submissions")}
    return {
        submission: entry[0]
        for submission, entry in names.items()
        if submission in own and (warehouse.folder.returned / entry[0]).is_file()
    }


def key_of(version: Version) -> str:
    """What an address calls a version: 2025-06/360313/2, a draft by 0."""
    return f"{version.manifest['month']}/{version.scope_code}/{version.number}"


def address(version: Version, form: str, *, to_read: bool = False) -> str:
    """Where a file of a report can be had."""
    return f"/report/{key_of(version)}/{form}" + ("?read=1" if to_read else "")


def register(server: flask.Flask, folder: DataFolder) -> None:
    """Add the route."""

    @server.get("/report/<path:key>/<form>")
    @takes(path=ReportFile, query=ReportQuery)
    def report(key: str, form: str) -> flask.Response:
        """A file of a report, to be kept; with `read`, as a page."""
        found = next(
            (item for item in reports_in_sight(folder, scope_of_request()) if key_of(item) == key), None
        )
        if found is None or form not in found.formats:
            return refusal("没有这份通报，或没有这种格式。请刷新“月报”页后再试。", 404)
        try:
            content = found.verified(form)
        except ReportError as error:
            return refusal(str(error), 410)
        record.note(folder, "download", 通报=key, 名称=found.title, 格式=form)
        answer = flask.Response(content, content_type=KINDS[form][1])
        answer.headers["Cache-Control"] = "no-store"
        if form == "html" and given(ReportQuery).read:
            answer.headers["Content-Security-Policy"] = policy_of(content)
            answer.headers["X-Frame-Options"] = "SAMEORIGIN"
        else:
            name = found.file(form).name
            if found.number:
                stem, _, ending = name.rpartition(".")
                name = f"{stem}_第{found.number}版.{ending}"
            answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
        return answer


def policy_of(content: bytes) -> str:
    """What a report may do when it is read as a page: run its own scripts and nothing else."""
    digests = (base64.b64encode(hashlib.sha256(text).digest()).decode() for text in _SCRIPT.findall(content))
    return POLICY.format(scripts=" ".join(f"'sha256-{digest}'" for digest in digests) or "'none'")
