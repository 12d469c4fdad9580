"""No attack reads or writes outside, each is ended by its limit, and others are answered meanwhile."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from oversight.editions import Edition
from oversight.sandbox import Limits, QueryError, Sandbox
from tests.sandbox.attacks import ALL
from tests.sandbox.ending import ended

SECONDS = 0.5
TOKEN = "canary-7f3a91"


@dataclass
class Ground:
    """Where attacks are tried: what must not be read, where nothing may be written, who must not be called."""

    sandbox: Sandbox
    warehouse: Path
    secret: Path
    place: Path
    port: int
    calls: list[str]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, sample_edition: Edition) -> Iterator[Ground]:
    root = tmp_path_factory.mktemp("attacks")
    secret, place = root / "secret.txt", root / "place"
    secret.write_text(f"name,value\n{TOKEN},1\n", "utf-8")
    place.mkdir()
    calls: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(TOKEN.encode())

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["OVERSIGHT_SECRET"] = TOKEN
    with Sandbox(Limits(seconds=SECONDS, memory_mb=256)) as sandbox:
        sandbox.warm("attacker", sample_edition.warehouse)
        yield Ground(sandbox, sample_edition.warehouse, secret, place, server.server_port, calls)
    del os.environ["OVERSIGHT_SECRET"]
    server.shutdown()


def test_there_are_enough_attacks() -> None:
    assert len({attack for _, _, attack in ALL}) > 350


@pytest.mark.parametrize(
    ("kind", "attack"),
    [(kind, attack) for kind, _, attack in ALL],
    ids=[f"{kind}-{number}" for kind, number, _ in ALL],
)
def test_attack(ground: Ground, kind: str, attack: str) -> None:
    before = ground.warehouse.stat().st_mtime_ns
    for name, value in (("secret", ground.secret), ("place", ground.place), ("port", ground.port)):
        attack = attack.replace(f"{{{name}}}", str(value))
    attack = attack.replace("{{", "{").replace("}}", "}")
    told = ""
    try:
        # That it ends is the matter: how soon after its limit says how busy the machine is.
        answer = ended(lambda: ground.sandbox.run("attacker", ground.warehouse, attack))
        told = str(answer.table.to_pydict())[:1_000_000]
        assert kind not in ("statements", "network", "around", "variables"), told[:300]
    except QueryError as error:
        told = str(error)
        assert any("\u4e00" <= character <= "\u9fff" for character in told)
    assert TOKEN not in told
    assert "root:x:0" not in told
    assert str(ground.warehouse.parent) not in told
    assert not list(ground.place.iterdir())
    assert not ground.calls
    assert ground.warehouse.stat().st_mtime_ns == before


def test_the_server_answers_others_while_one_drops_bombs(ground: Ground) -> None:
    stop = threading.Event()

    def bomb() -> None:
        while not stop.is_set():
            with pytest.raises(QueryError, match=f"超过 {SECONDS:g} 秒"):
                ground.sandbox.run("bomber", ground.warehouse, "select sum(range) from range(1000000000000)")

    thread = threading.Thread(target=bomb)
    thread.start()
    try:
        for _ in range(10):
            answer = ground.sandbox.run("other", ground.warehouse, "select count(*) as n from townships")
            assert answer.table.to_pydict()["n"][0] > 0
    finally:
        stop.set()
        thread.join()


def test_the_kernel_refuses_by_itself(ground: Ground) -> None:
    """Even code that runs inside the process, past DuckDB, opens nothing, calls nobody and starts nothing."""
    import subprocess
    import sys

    code = """
import os, socket, sys
from oversight.sandbox import jail
jail.die_with_parent()
jail.limit(8 << 30, 5)
assert jail.filter_system_calls()
def refused(act):
    try:
        act()
    except OSError:
        return True
    return False
print(all([
    refused(lambda: open(sys.argv[1])),
    refused(lambda: open(sys.argv[1] + '.new', 'w')),
    refused(lambda: os.unlink(sys.argv[1])),
    refused(lambda: socket.socket()),
    refused(lambda: os.fork()),
    refused(lambda: os.execv('/bin/true', ['true'])),
    refused(lambda: os.kill(os.getppid(), 0)),
    refused(lambda: os.rename(sys.argv[1], sys.argv[1] + '.new')),
]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(ground.secret)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == "True", done.stderr
