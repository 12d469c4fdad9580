"""How answers go over the wire: compressed, and files that never change kept by the browser.

Dash's scripts and our own styles are read, compressed and fingerprinted once; after that a request for one costs no
work. Everything else is compressed as it comes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import threading
from dataclasses import dataclass
from typing import Any

import flask
from dash.fingerprint import check_fingerprint

FIXED = ("/_dash-component-suites/", "/assets/", "/_favicon.ico")
_FOR_GOOD = "public, max-age=31536000, immutable"
# The browser asks again, and is told with a few bytes that nothing has changed.
_ASK_AGAIN = "no-cache"
_COMPRESSED = ("text/", "application/json", "application/javascript", "image/svg+xml", "image/x-icon")
_LEAST_BYTES = 600
# A browser compiles most of a script only as it runs, with everything else waiting for it. Of one this large it is told to
# compile all while it arrives, beside the page: half a second that nobody waits for.
_LARGE_SCRIPT = 2_000_000
_COMPILE_WHILE_IT_COMES = b"//# allFunctionsCalledOnLoad\n"


@dataclass(frozen=True)
class _File:
    kind: str
    tag: str
    # As it goes over the wire to nearly everybody; unpacked again for the others.
    content: bytes
    is_packed: bool


def is_fixed(path: str) -> bool:
    """Whether an address is of a file that stays the same as long as the server runs, and holds no data."""
    return path.startswith(FIXED)


class Answers:
    """Compresses what the routes of a server answer, and keeps the fixed files."""

    def __init__(self) -> None:
        self._kept: dict[str, _File] = {}
        self._lock = threading.Lock()

    def known(self) -> flask.Response | None:
        """A fixed file asked for again."""
        path = flask.request.path
        if not is_fixed(path) or flask.request.method not in ("GET", "HEAD"):
            return None
        found = self._kept.get(_canonical(path)[0])
        return None if found is None else self._file(found)

    def finish(self, response: flask.Response) -> flask.Response:
        """Compress an answer, and keep it when it is a fixed file."""
        request = flask.request
        is_whole = response.status_code == 200 and "Content-Encoding" not in response.headers
        if not is_whole or request.method == "HEAD" or flask.g.get("is_kept_file"):
            return response
        if is_fixed(request.path):
            return self._file(self._keep(_canonical(request.path)[0], response))
        if (
            "gzip" not in request.headers.get("Accept-Encoding", "")
            # A file may be larger than memory.
            or "attachment" in response.headers.get("Content-Disposition", "")
            or not (response.content_type or "").startswith(_COMPRESSED)
        ):
            return response
        response.direct_passthrough = False
        data = response.get_data()
        if len(data) >= _LEAST_BYTES:
            response.set_data(gzip.compress(data, 4))
            response.headers["Content-Encoding"] = "gzip"
            response.headers.pop("ETag", None)
        response.vary.add("Accept-Encoding")
        return response

    def _keep(self, name: str, response: flask.Response) -> _File:
        """There are as many of these as files: a name that is none has not been answered with 200."""
        response.direct_passthrough = False
        data = response.get_data()
        kind = response.content_type or "application/octet-stream"
        if "javascript" in kind and len(data) >= _LARGE_SCRIPT:
            data = _COMPILE_WHILE_IT_COMES + data
        is_packed = kind.startswith(_COMPRESSED) and len(data) >= _LEAST_BYTES
        content = gzip.compress(data, 9) if is_packed else data
        found = _File(kind, hashlib.sha256(data).hexdigest()[:20], content, is_packed)
        with self._lock:
            return self._kept.setdefault(name, found)

    def _file(self, found: _File) -> flask.Response:
        flask.g.is_kept_file = True
        request = flask.request
        is_packed = found.is_packed and "gzip" in request.headers.get("Accept-Encoding", "")
        headers = {
            # Each encoding is a representation of its own.
            "ETag": f'"{found.tag}{"-gz" if is_packed else ""}"',
            "Cache-Control": _FOR_GOOD if _canonical(request.path)[1] or _has_version() else _ASK_AGAIN,
            "Vary": "Accept-Encoding",
        }
        if headers["ETag"] in request.headers.get("If-None-Match", ""):
            return flask.Response(status=304, headers=headers)
        data = found.content
        if is_packed:
            headers["Content-Encoding"] = "gzip"
        elif found.is_packed:
            data = gzip.decompress(data)
        headers["Content-Length"] = str(len(data))
        # The server sends from the bytes kept here; a slow reader costs no copy of them.
        wrap: Any = request.environ.get("wsgi.file_wrapper")
        body = data if wrap is None or request.method == "HEAD" else wrap(io.BytesIO(data))
        return flask.Response(body, headers=headers, content_type=found.kind, direct_passthrough=True)


def _canonical(path: str) -> tuple[str, bool]:
    """An address without its fingerprint, and whether it had one: any fingerprint names the same file."""
    return check_fingerprint(path)  # type: ignore[no-untyped-call, no-any-return]


def _has_version() -> bool:
    """Our own files and the icon carry their version in the query."""
    return any(name in flask.request.args for name in ("m", "v"))
