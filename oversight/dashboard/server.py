"""The production server: waitress, compressed answers, assets that browsers keep."""

from __future__ import annotations

import contextlib
import ctypes
import gzip
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from oversight.errors import OversightError
from oversight.settings import DataFolder

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
THREADS = 6
# M_ARENA_MAX of mallopt(3).
_ARENA_MAX = -8
_COMPRESSED = ("text/", "application/json", "application/javascript", "image/svg+xml")
_LEAST_BYTES = 600

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Compressed:
    """WSGI middleware: gzip what shrinks; scripts and styles, which never change, once for all."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.kept: dict[str, bytes] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        if "gzip" not in environ.get("HTTP_ACCEPT_ENCODING", ""):
            return self.application(environ, start_response)
        told: list[Any] = []

        def hold(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], None]:
            told[:] = [status, headers, exc_info]
            return lambda _: None

        body = self.application(environ, hold)
        status, headers, _ = told
        names = {name.lower(): value for name, value in headers}
        kind = names.get("content-type", "")
        if (
            not status.startswith("200")
            or "content-encoding" in names
            # A file may be larger than memory.
            or "attachment" in names.get("content-disposition", "")
            or not kind.startswith(_COMPRESSED)
            or environ["REQUEST_METHOD"] == "HEAD"
        ):
            start_response(status, headers)
            return body
        path = environ["PATH_INFO"]
        is_fixed = path.startswith(("/_dash-component-suites/", "/assets/"))
        # A query says which version of a file is meant; its own size tells a changed one.
        key = f"{path}?{environ.get('QUERY_STRING', '')}#{names.get('content-length', '')}"
        packed = self.kept.get(key) if is_fixed else None
        if packed is None:
            data = b"".join(body)
            if len(data) < _LEAST_BYTES:
                start_response(status, headers)
                return [data]
            packed = gzip.compress(data, 9 if is_fixed else 4)
            if is_fixed:
                self.kept[key] = packed
        if hasattr(body, "close"):
            body.close()
        headers = [(n, v) for n, v in headers if n.lower() not in ("content-length", "etag")]
        headers += [
            ("Content-Encoding", "gzip"),
            ("Content-Length", str(len(packed))),
            ("Vary", "Accept-Encoding"),
        ]
        if path.startswith("/assets/"):
            headers = [(n, v) for n, v in headers if n.lower() != "cache-control"]
            headers.append(("Cache-Control", "public, max-age=31536000, immutable"))
        start_response(status, headers)
        return [packed]


def warnings(host: str) -> list[str]:
    """What whoever starts the server must know about the address chosen."""
    if host in LOOPBACK:
        return []
    return [
        f"注意：本服务将在 {host} 上对其他电脑开放，目前没有登录，能连到这台电脑的人都能看到全部数据。",
        "      请只在可信的内网使用，并用防火墙限制来源；不需要对外时去掉 --host。",
    ]


def _keep_memory_together() -> None:
    """Let threads share two heaps: one each would hold on to what a large page once needed."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def _leave_out_pandas() -> None:
    """DuckDB looks for pandas as soon as a query has parameters. No page uses it, and it costs 60 MB and a second;
    and while one thread imports it, another that writes JSON meets half a module."""
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]


def serve(folder: DataFolder, host: str, port: int, say: Callable[[str], None]) -> int:
    """Serve until stopped. Raises `OversightError` when the port is taken."""
    _hold(host, port)
    _keep_memory_together()
    _leave_out_pandas()
    from oversight.dashboard.app import create_app

    app = create_app(folder)
    client = app.server.test_client()
    # Dash sets itself up at the first request; without this one the first callbacks at once would fail.
    client.get("/_dash-dependencies")
    client.get("/_dash-layout")

    from waitress import create_server

    # Readers who wait a moment for each other are no fault, and its lines would be in English.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    try:
        server = create_server(
            Compressed(app.server),
            host=host,
            port=port,
            threads=THREADS,
            ident="oversight",
            connection_limit=400,
        )
    except OSError as error:
        raise OversightError(_taken(host, port, error)) from error
    for line in warnings(host):
        say(line)
    from oversight.editions import current

    if current(folder) is None:
        say(f"数据目录 {folder.root} 还没有已发布的版本，页面会提示如何生成。请先运行 oversight run。")
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    threading.Thread(target=app.prime, daemon=True, name="first pages").start()
    say(f"已启动：http://{shown}:{port}/ （按 Ctrl+C 停止）")
    sys.stdout.flush()
    try:
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()
    return 0


def _hold(host: str, port: int) -> None:
    """Say at once that a port is taken, before anything heavy is imported."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OversightError(_taken(host, port, error)) from error


def _taken(host: str, port: int, error: OSError) -> str:
    if error.errno == 13:
        return f"没有权限使用端口 {port}。请换一个大于 1024 的端口，如 oversight serve --port 8050。"
    if error.errno == 98 or "in use" in str(error):
        return f"端口 {port} 已被占用。可能已有一个服务在运行；或换一个端口，如 oversight serve --port {port + 1}。"
    return f"不能在 {host}:{port} 上启动服务（{error.strerror or error}）。请检查 --host 与 --port。"
