"""The files that were received, opened at the place a figure stands, and as they came.

Whoever may see everything may see every file; others see those that speak of their own units and of nothing else, as
everywhere. What holds columns about persons is kept encrypted and not shown here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import flask

from oversight.accounts import record
from oversight.archive import store
from oversight.archive.store import ArchiveError
from oversight.dashboard.gate import refusal
from oversight.dashboard.inputs import SourceFile, SourceQuery, given, takes
from oversight.dashboard.shelf import Shelf, Unavailable
from oversight.dashboard.warehouse import Row
from oversight.settings import PROJECT_ROOT

SECONDS = 60
MOST_COLUMNS = 40
_GONE = "没有这份文件，或您无权查看。请从乡镇档案或报送与质量页重新打开。"
_PERSONAL = "这份文件含有个人信息，已加密保存，不在页面上显示。"
_opening = threading.Lock()


def address(submission: str, sheet: str | None, row: int | None, edition: str) -> str:
    """Where a row of a file can be seen."""
    asked = {"sheet": sheet or "", "row": str(row or 1), "edition": edition}
    return f"/source/{submission}?{urlencode({name: value for name, value in asked.items() if value})}"


def register(server: flask.Flask, shelf: Shelf, page: Callable[..., flask.Response]) -> None:
    """Add the routes. `page` renders one of our plain pages."""

    def file_of(name: str) -> Row | None:
        edition = given(SourceQuery).edition or shelf.current_id() or ""
        try:
            w = shelf.warehouse(edition)
        except Unavailable:
            return None
        found = w.rows("select * from e.submissions where submission_id = ?", [name])
        return found[0] if found else None

    @server.get("/source/<name>")
    @takes(path=SourceFile, query=SourceQuery)
    def source(name: str) -> flask.Response:
        """The rows around a place in a file."""
        file, asked = file_of(name), given(SourceQuery)
        if file is None:
            return refusal(_GONE, 404)
        if store.sealed_place(shelf.folder, file["sha256"]).is_file():
            return refusal(_PERSONAL, 403)
        with _opening:
            told = _excerpt(shelf, file, asked)
        record.note(shelf.folder, "download", 查看文件=file["file_name"], 工作表=asked.sheet, 行=asked.row)
        return page(
            "source",
            "原始文件",
            file=file,
            sheet=asked.sheet,
            row=asked.row,
            told=None,
            excerpt=told,
            width=min(MOST_COLUMNS, max((len(line) for line in told["rows"]), default=0)) if told else 0,
            whole=f"/source/{name}/whole?{urlencode({'edition': asked.edition})}",
        )

    @server.get("/source/<name>/whole")
    @takes(path=SourceFile, query=SourceQuery)
    def whole(name: str) -> flask.Response:
        """The file as it came, byte by byte."""
        file = file_of(name)
        if file is None:
            return refusal(_GONE, 404)
        if store.sealed_place(shelf.folder, file["sha256"]).is_file():
            return refusal(_PERSONAL, 403)
        try:
            content = store.read(shelf.folder, file["sha256"])
        except ArchiveError as error:
            return refusal(str(error), 410)
        record.note(shelf.folder, "download", 原始文件=file["file_name"])
        answer = flask.Response(content, content_type="application/octet-stream")
        own = quote(file["file_name"].rpartition("/")[2])
        answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{own}"
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _excerpt(shelf: Shelf, file: Row, asked: SourceQuery) -> dict[str, Any] | None:
    command = [sys.executable, "-m", "oversight.workflow.showing", str(shelf.folder.root)]
    try:
        done = subprocess.run(
            [*command, file["sha256"], file["file_name"], asked.sheet, str(asked.row)],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        return None
    found: dict[str, Any] = json.loads(done.stdout)
    return found
