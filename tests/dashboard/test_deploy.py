"""The examples for whoever puts the dashboard on an intranet: nginx in front of it, systemd below it."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from oversight.dashboard.app import create_app
from oversight.dashboard.gate import Doors, Gate
from oversight.dashboard.listening import listen
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.dashboard.browsing import free_port

DEPLOY = PROJECT_ROOT / "docs" / "deploy"
NAME = "oversight.example.gov.cn"
NGINX = os.environ.get("NGINX") or shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


@pytest.fixture(scope="module")
def behind(dashboard_folder: DataFolder) -> Iterator[int]:
    """The dashboard as it listens behind a proxy, where people have accounts; its port."""
    port = free_port()
    gate = Gate(Doors(frozenset({NAME}), frozenset({"127.0.0.1"}), is_open=lambda: False))
    app = create_app(dashboard_folder, gate)
    server = listen(gate.behind_proxies(app.server), "127.0.0.1", port, 2, gate.party)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield port
    server.close()


@pytest.mark.skipif(NGINX is None, reason="没有 nginx：请安装 nginx，或用环境变量 NGINX 指明位置")
def test_the_example_for_nginx_serves_over_tls(behind: int, tmp_path: Path) -> None:
    plain, secure = free_port(), free_port()
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                f"/CN={NAME}",
            ),
            *("-addext", f"subjectAltName=DNS:{NAME}", "-keyout", "oversight.key", "-out", "oversight.pem"),
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    example = (DEPLOY / "nginx.conf").read_text("utf-8")
    for old, new in (
        ("/etc/nginx/tls/", f"{tmp_path}/"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ", f"listen 127.0.0.1:{secure} "),
        ("127.0.0.1:8050", f"127.0.0.1:{behind}"),
    ):
        assert old in example
        example = example.replace(old, new)
    kept = "\n".join(
        f"  {kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\n"
        f"http {{\n  access_log off;\n{kept}\n{example}\n}}\n",
        "utf-8",
    )
    command = [str(NGINX), "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-g", "daemon off;"]
    checked = subprocess.run([*command[:-2], "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        trusted = ssl.create_default_context(cafile=str(tmp_path / "oversight.pem"))
        answer = _ask(
            trusted,
            secure,
            "/health",
            {"X-Forwarded-For": "10.9.9.9", "X-Forwarded-Host": "evil.example.com"},
        )
        assert answer.status == 200
        assert "max-age" in answer.headers["Strict-Transport-Security"]
        page = _ask(trusted, secure, "/sign-in", {})
        cookies = page.headers.get_all("Set-Cookie")
        assert cookies
        assert all("Secure" in cookie for cookie in cookies)
        with pytest.raises(OSError, match=r"(?i)handshake|alert|unrecognized|ssl|eof"):
            _ask(trusted, secure, "/edition", {}, name="evil.example.com")
        with pytest.raises(urllib.error.HTTPError) as refused:
            _ask(trusted, secure, "/rows", {}, body=b"x" * 3_000_000)
        assert refused.value.code == 413
    finally:
        process.terminate()
        process.wait(10)


def _ask(
    trusted: ssl.SSLContext,
    port: int,
    path: str,
    headers: dict[str, str],
    *,
    name: str = NAME,
    body: bytes | None = None,
) -> http.client.HTTPResponse:
    """A request to this machine under a name of the outside."""

    class Here(http.client.HTTPSConnection):
        def connect(self) -> None:
            plain = socket.create_connection(("127.0.0.1", port), 90)
            self.sock = trusted.wrap_socket(plain, server_hostname=name)

    deadline = time.monotonic() + 10
    while True:
        connection = Here(name, 443, timeout=90, context=trusted)
        try:
            connection.request("POST" if body else "GET", path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        finally:
            connection.close()
    if answer.status >= 400:
        raise urllib.error.HTTPError(
            path, answer.status, data.decode("utf-8", "replace"), answer.headers, None
        )
    return answer


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="没有 systemd-analyze")
@pytest.mark.parametrize("name", ["oversight-serve.service", "oversight-run.service", "oversight-run.timer"])
def test_systemd_takes_the_units(name: str, tmp_path: Path) -> None:
    for path in DEPLOY.glob("oversight-*"):
        text = path.read_text("utf-8").replace("/opt/township-oversight/.venv/bin/oversight", "/bin/true")
        (tmp_path / path.name).write_text(text, "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line for line in (done.stdout + done.stderr).splitlines() if name.partition(".")[0] in line]
    assert done.returncode == 0, told
    assert not told
