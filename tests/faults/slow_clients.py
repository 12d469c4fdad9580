"""One client against all others: `python tests/faults/slow_clients.py [ROUNDS]`.

Starts `oversight serve` over a copy of the data folder given by OVERSIGHT_FUZZ_DATA (default: data) with two accounts and
measures how long pages take for the one: at rest, beside 500 slow clients, beside bodies of 300 MB, beside 100 SQL bombs
of the other account, and beside all of them. Ends with 1 when pages took more than twice their time at rest, or memory grew
by more than 150 MB.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import shutil
import socket
import statistics
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Event
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from oversight.accounts import people, store
from oversight.accounts.actor import at_the_machine
from oversight.editions import find_edition
from oversight.settings import DataFolder
from tests.dashboard.browsing import serving
from tests.dashboard.test_gate import JSON, ask, call
from tests.faults.fuzz_requests import MOST_GROWN, PASSWORD, sign_in

SLOW = 500
BOMBS = 100
BODY = 300 * 2**20
BOMB = "select count(*) from range(1000000000) a, range(1000000000) b where a.range * b.range % 7 = 3"
# A page takes some 30 ms; below this a difference is the machine's.
NOISE_SECONDS = 0.02


def times(base: str, edition: str, rounds: int, reader: dict[str, str]) -> list[float]:
    """How long pages take that nobody has asked for before, for whoever sends these header fields."""
    own = {**JSON, **reader, "Accept-Encoding": "gzip"}
    found = []
    for number in range(rounds):
        # Another word each time: an answer that is kept says nothing.
        body = call(
            inputs=[
                {
                    "id": "url",
                    "property": "pathname",
                    "value": ("/findings", "/funding", "/staffing")[number % 3],
                },
                {"id": "url", "property": "search", "value": f"?unit=360313&q={time.monotonic_ns()}"},
                {"id": "theme", "property": "data", "value": "light"},
            ],
            state=[{"id": "edition", "property": "data", "value": edition}],
        )
        start = time.perf_counter()
        answer = ask(base, "/_dash-update-component", json.dumps(body).encode(), own)
        found.append(time.perf_counter() - start)
        assert answer.status == 200, answer.text[:200]
        time.sleep(0.05)
    return found


@contextlib.contextmanager
def working(work: Callable[[Event], None]) -> Iterator[None]:
    """Something that goes on meanwhile, in a process of its own: who attacks must not hold up who measures."""
    forks = multiprocessing.get_context("fork")
    done = forks.Event()
    process = forks.Process(target=work, args=(done,), daemon=True)
    process.start()
    time.sleep(1.5)
    try:
        yield
    finally:
        done.set()
        process.join(60)


def slow_clients(base: str, count: int = SLOW) -> Callable[[Event], None]:
    """Clients that send a byte of their request now and then."""
    place = urllib.parse.urlsplit(base)

    def work(done: Event) -> None:
        held: list[socket.socket] = []
        text = b"POST /rows HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\nX-A: " + b"a" * 10_000
        sent = 20
        while not done.is_set():
            while len(held) < count and not done.is_set():
                with contextlib.suppress(OSError):
                    client = socket.create_connection((place.hostname, place.port), timeout=2)
                    client.settimeout(0.2)
                    client.sendall(text[:20])
                    held.append(client)
            for client in list(held):
                try:
                    client.sendall(text[sent : sent + 1])
                except OSError:
                    client.close()
                    held.remove(client)
            sent += 1
            done.wait(0.5)
        for client in held:
            client.close()

    return work


def large_bodies(base: str) -> Callable[[Event], None]:
    """Bodies of 300 MB, one after the other."""
    place = urllib.parse.urlsplit(base)

    def work(done: Event) -> None:
        piece = b"x" * 2**20
        while not done.is_set():
            with contextlib.suppress(OSError):
                client = socket.create_connection((place.hostname, place.port), timeout=5)
                client.sendall(
                    f"POST /rows HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BODY}\r\n\r\n".encode()
                )
                for _ in range(BODY // len(piece)):
                    client.sendall(piece)
                    if done.is_set():
                        break
                client.close()
            done.wait(0.2)

    return work


def bombs(base: str, edition: str, bomber: dict[str, str], count: int = BOMBS) -> Callable[[Event], None]:
    """Queries of one account that never end by themselves."""
    own = {**JSON, **bomber}
    body = json.dumps({"edition": edition, "sql": BOMB}).encode()

    def work(done: Event) -> None:
        started: list[str] = []
        while not done.is_set():
            for _ in range(count):
                told = json.loads(ask(base, "/sql/run", body, own).text)
                started += [told["id"]] if "id" in told else []
                if done.is_set():
                    break
            done.wait(1)
        for name in started:
            ask(base, f"/sql/cancel/{name}", b"{}", own)

    return work


def main() -> int:
    """Measure and tell."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    source = DataFolder.at(os.environ.get("OVERSIGHT_FUZZ_DATA", "data"))
    edition = find_edition(source).edition_id
    is_worse = False
    with contextlib.ExitStack() as whole:
        folder = DataFolder.at(whole.enter_context(tempfile.TemporaryDirectory(prefix="oversight-slow-")))
        shutil.copytree(source.marts, folder.marts, symlinks=True)
        for name in ("reader", "bomber"):
            people.add(
                *(folder, at_the_machine(), name, "analyst", ["000000"]), password=PASSWORD, must_change=False
            )
        store.forget(folder)
        running = whole.enter_context(serving(folder))
        reader, bomber = (sign_in(running.base, name) for name in ("reader", "bomber"))
        process = psutil.Process(running.process.pid)
        time.sleep(3)
        times(running.base, edition, 9, reader)
        rest = statistics.median(times(running.base, edition, rounds, reader))
        before = process.memory_info().rss
        print(f"{'at rest':36} {rest * 1000:7.0f} ms   {before / 2**20:.0f} MB", flush=True)
        beside = {
            f"{SLOW} slow clients": [slow_clients(running.base)],
            "bodies of 300 MB": [large_bodies(running.base)],
            f"{BOMBS} SQL bombs of another account": [bombs(running.base, edition, bomber)],
        }
        beside["all of them"] = [work for works in beside.values() for work in works]
        for name, works in beside.items():
            with contextlib.ExitStack() as stack:
                for work in works:
                    stack.enter_context(working(work))
                found = statistics.median(times(running.base, edition, rounds, reader))
                memory = process.memory_info().rss
            told = f"{found * 1000:7.0f} ms   {memory / 2**20:.0f} MB   {found / rest:.1f} times"
            print(f"{name:36} {told}", flush=True)
            is_worse |= found > 2 * rest + NOISE_SECONDS or memory - before > MOST_GROWN
    return int(is_worse)


if __name__ == "__main__":
    raise SystemExit(main())
