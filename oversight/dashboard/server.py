"""The production server: where it may listen, and that it is ready before the first reader comes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence

from oversight.accounts.exist import database_path, exist
from oversight.errors import OversightError
from oversight.loading import without_notebooks, without_pandas
from oversight.settings import DataFolder

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
EVERYWHERE = {"0.0.0.0", "::", ""}  # nosec B104 - named in order to be refused without accounts
THREADS = 6
# M_ARENA_MAX of mallopt(3).
_ARENA_MAX = -8


def check_doors(host: str, names: Sequence[str], proxies: Sequence[str], *, is_open: bool) -> None:
    """Refuse to be reached by others before anybody has to sign in, and to listen without a name to be asked by."""
    others = [name for name in names if name not in LOOPBACK]
    if is_open and (host not in LOOPBACK or others or proxies):
        what = f"在 {host} 上监听" if host not in LOOPBACK else f"用 {(others or list(proxies))[0]} 提供服务"
        raise OversightError(
            f"没有启动：还没有任何账号，{what}会让连得到这台电脑的人看到全部数据。"
            "请先用 oversight user add 建立管理员账号再启动；只在本机使用时去掉 --host、--name、--proxy。"
        )
    if host in EVERYWHERE and not names:
        raise OversightError(
            f"没有启动：监听 {host} 时要用 --name 写明浏览器里用的名称或地址，如 --name 10.1.2.3（可写多次）。"
        )


def check_accounts_are_there(folder: DataFolder) -> None:
    """Refuse to serve everybody a folder whose editions say that it had accounts."""
    if exist(folder):
        return
    from oversight.editions import list_editions

    for edition in list_editions(folder):
        if (edition.manifest.get("record") or {}).get("head"):
            raise OversightError(
                f"没有启动：版本 {edition.edition_id} 发布时已有账号和留痕，而账号库 {database_path(folder)} 不见了，"
                "不登录就会让打开页面的人看到全部数据。请把备份中的 accounts.sqlite 放回原处（oversight restore 的结果里有）；"
                "确实要从头建立时，先用 oversight user add 建立管理员账号。"
            )


def _keep_memory_together() -> None:
    """Let threads share two heaps: one each would hold on to what a large page once needed."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def serve(
    folder: DataFolder,
    host: str,
    port: int,
    say: Callable[[str], None],
    *,
    names: Sequence[str] = (),
    proxies: Sequence[str] = (),
    draws_ahead: bool = True,
) -> int:
    """Serve until stopped. Raises `OversightError` when it may not listen there, or the port is taken."""
    names = [name.strip("[]").rstrip(".").lower() for name in names]
    check_doors(host, names, proxies, is_open=not exist(folder))
    check_accounts_are_there(folder)
    _hold(host, port)
    _keep_memory_together()
    without_pandas()
    without_notebooks()
    from oversight import logs
    from oversight.dashboard.app import create_app
    from oversight.dashboard.gate import Doors, Gate
    from oversight.dashboard.listening import listen

    own = set() if host in EVERYWHERE | LOOPBACK else {host.strip("[]").lower()}
    gate = Gate(Doors(frozenset(own | set(names)), frozenset(proxies), lambda: not exist(folder)))
    app = create_app(folder, gate, draws_ahead=draws_ahead)
    client = app.server.test_client()
    # Dash sets itself up at the first request; without this one the first callbacks at once would fail.
    client.get("/_dash-dependencies")
    client.get("/_dash-layout")
    try:
        server = listen(gate.behind_proxies(app.server), host, port, THREADS, gate.party)
    except OSError as error:
        raise OversightError(_taken(host, port, error)) from error
    from oversight.editions import current

    if current(folder) is None:
        say(f"数据目录 {folder.root} 还没有已发布的版本，页面会提示如何生成。请先运行 oversight run。")
    shown = names[0] if host in EVERYWHERE else host
    threading.Thread(target=app.prime, daemon=True, name="first pages").start()
    say(f"已启动：http://{shown}:{port}/ （按 Ctrl+C 停止）")
    sys.stdout.flush()
    with logs.written(folder.logs, "serve"):
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
