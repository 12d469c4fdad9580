"""The dashboard under load: the production server in one process, the clicks from another, over HTTP.

    python benchmarks/dashboard.py [--data DIR] [--clicks 150] [--users 50] [--seconds 60] [--ahead 3600]
        [--browsers 20] [--json FILE]

`DIR` is a data folder with an edition of the whole country (`benchmarks/generate.py national DIR`, then
`oversight run --data DIR`); without it, both are done in a temporary folder, which takes some minutes.

Goals on two cores: one user's p95 of the callback that draws a page at most 100 ms, and 50 ms of CPU a click; 50 users
who click every 4 s p95 at most 250 ms without an error; in a fresh browser the first figures within 0.8 s, the page with its
charts within 1.5 s and 4 MB over the wire, 150 KB when it is loaded again; at most 400 MB of memory.
Beside the clicks stands what the same queries take in DuckDB by themselves.

A server draws the likeliest pages while nobody asks. All is measured twice: once it has ended (or `--ahead` seconds have
passed), told with its cost and how many of the clicks had been drawn ahead; and of a server that draws on demand alone,
where the names begin with `on_demand_`.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import http.client
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from browser import Browser, program
from measure import PROJECT_ROOT, load

from oversight.dashboard.access import EVERYTHING
from oversight.dashboard.kept import HEADER
from oversight.dashboard.pages import pages
from oversight.dashboard.queries import children
from oversight.dashboard.shelf import Shelf
from oversight.dashboard.state import read_state
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Warehouse
from oversight.settings import DataFolder

THINK_SECONDS = 4.0
SETTLE_SECONDS = 12.0
Click = tuple[str, str]


def body(click: Click, edition_id: str) -> bytes:
    """What the browser sends to have a page drawn."""
    path, search = click
    return json.dumps(
        {
            "output": "..content.children...nav.children...meta.data..",
            "outputs": [
                {"id": "content", "property": "children"},
                {"id": "nav", "property": "children"},
                {"id": "meta", "property": "data"},
            ],
            "inputs": [
                {"id": "url", "property": "pathname", "value": path},
                {"id": "url", "property": "search", "value": search},
                {"id": "theme", "property": "data", "value": "light"},
            ],
            "changedPropIds": [],
            "state": [{"id": "edition", "property": "data", "value": edition_id}],
        }
    ).encode()


class User:
    """A connection that clicks."""

    def __init__(self, port: int, edition_id: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.edition_id = edition_id

    def click(self, click: Click) -> tuple[float, str]:
        """Seconds, and whether the page was drawn `ahead`, `kept` from before or drawn `now`; raises when it could not
        be drawn."""
        start = time.perf_counter()
        self.connection.request(
            "POST",
            "/_dash-update-component",
            body(click, self.edition_id),
            {"Content-Type": "application/json", "Accept-Encoding": "gzip"},
        )
        answer = self.connection.getresponse()
        data = answer.read()
        seconds = time.perf_counter() - start
        text = gzip.decompress(data) if answer.headers.get("Content-Encoding") == "gzip" else data
        if answer.status != 200 or "没能显示" in json.dumps(json.loads(text), ensure_ascii=False):
            raise RuntimeError(f"{answer.status} {click}")
        return seconds, answer.headers.get(HEADER, "now")


def clicks(warehouse: Warehouse, number: int, seed: int) -> list[Click]:
    """What analysts click, all over the country: every page, mostly of a county, mostly of the last month."""
    rng = random.Random(seed)
    counties = [code for code in warehouse.names if not code.endswith("00")]
    cities = [code for code in warehouse.names if code.endswith("00") and not code.endswith("0000")]
    provinces = [code for code in warehouse.names if code.endswith("0000")]
    towns = [row["township_code"] for row in warehouse.rows("select township_code from e.townships")]
    weights = {
        "/": 6,
        "/funding": 5,
        "/staffing": 3,
        "/findings": 4,
        "/township": 4,
        "/submissions": 2,
        "/policy": 1,
    }
    found = []
    for _ in range(number):
        path = rng.choices(list(weights), list(weights.values()))[0]
        level = rng.choices(["county", "city", "province", "country"], [6, 3, 2, 1])[0]
        unit = {"county": counties, "city": cities, "province": provinces, "country": [""]}[level]
        code = rng.choice(towns) if path == "/township" else rng.choice(unit)
        month = warehouse.months[-1] if rng.random() < 0.6 else rng.choice(warehouse.months[-24:])
        items = [f"unit={code}"] if code else []
        items += [f"month={month:%Y-%m}"] + (["money=yuan"] if rng.random() < 0.2 else [])
        found.append((path, "?" + "&".join(items)))
    return found


def bare_seconds(warehouse: Warehouse, chosen: list[Click]) -> list[float]:
    """What each click's queries take in DuckDB by themselves: executed and fetched, nothing remembered."""
    asked: list[tuple[str, Any]] = []
    original = warehouse._rows

    def note(sql: str, parameters: Any) -> Any:
        asked.append((sql, parameters))
        return original(sql, parameters)

    warehouse._rows = note  # type: ignore[method-assign]
    seconds = []
    for path, search in chosen:
        asked.clear()
        warehouse._results.clear()
        state = read_state(path, search)
        view = View(warehouse, EVERYTHING, replace(state, month=state.month or warehouse.months[-1]), "light")
        pages()[path].render(view)
        start = time.perf_counter()
        for sql, parameters in list(asked):
            warehouse._connection.cursor().execute(sql, list(parameters)).fetchall()
        seconds.append(time.perf_counter() - start)
    return seconds


def cpu_seconds(process: psutil.Process) -> float:
    """What the server has used of the processors: unlike the clock, other work on the machine does not change it."""
    times = process.cpu_times()
    return float(times.user + times.system)


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


# Of a page: when its figures are painted, two frames after they stand in the document; when the page itself, with what can be
# clicked, stands where its first sight was; when all of its charts are drawn; and when the last task ended that kept the
# browser busy for more than a twentieth of a second.
WATCHING = """
window.measured = { painted: null, stands: null, drawn: null, busy: 0 };
new PerformanceObserver((list) => list.getEntries().forEach((task) => {
  measured.busy = Math.max(measured.busy, task.startTime + task.duration);
})).observe({ type: "longtask", buffered: true });
new MutationObserver(() => {
  if (!measured.seen && document.querySelector(".kpi-value")) {
    measured.seen = true;
    requestAnimationFrame(() => requestAnimationFrame(() => { measured.painted = performance.now(); }));
  }
  if (!measured.there && document.querySelector("#content .kpi-value, #content .ag-root")) {
    measured.there = true;
    requestAnimationFrame(() => requestAnimationFrame(() => { measured.stands = performance.now(); }));
  }
  const charts = document.querySelectorAll("#content .chart").length;
  if (!measured.drawn && charts && document.querySelectorAll("#content .chart .main-svg").length >= charts) {
    measured.drawn = performance.now();
  }
}).observe(document, { subtree: true, childList: true });
"""
RECEIVED = """performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
  .reduce((sum, item) => sum + item.transferSize, 0)"""
# A page is looked at once nothing of it can be on its way any more.
LOOK_AFTER_SECONDS = 5.0


def first_page(port: int, browsers: int) -> dict[str, float]:
    """Of the first page in so many fresh browsers, the median: seconds until its figures are painted, until the page itself
    stands and can be clicked, until all its charts are drawn and the browser is free; and bytes over the wire, the first
    time and again. Nothing without Chromium."""
    chromium = program()
    if chromium is None:
        return {}
    found: dict[str, list[float]] = {}
    for _ in range(browsers):
        with Browser(chromium, WATCHING) as browser:
            browser.tell("Page.navigate", url=f"http://127.0.0.1:{port}/")
            seen = None
            while seen is None or seen["drawn"] is None:
                # On a machine that others use too it may take longer.
                time.sleep(LOOK_AFTER_SECONDS)
                seen = browser.value("measured")
            received = browser.value(RECEIVED)
            browser.tell("Page.reload")
            time.sleep(LOOK_AFTER_SECONDS)
            values = {
                "first_figures_seconds": seen["painted"] / 1000,
                "first_stands_seconds": seen["stands"] / 1000,
                "first_page_seconds": max(seen["drawn"], seen["busy"]) / 1000,
                "first_page_mb": received / 1e6,
                "reload_kb": browser.value(RECEIVED) / 1000,
            }
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    return {name: round(statistics.median(values), 2) for name, values in found.items()}


def main() -> None:
    """Serve, click, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--clicks", type=int, default=150)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--ahead", type=float, default=3600)
    parser.add_argument("--browsers", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = options.data
        if root is None:
            root = Path(temporary)
            generate = [
                sys.executable,
                str(PROJECT_ROOT / "benchmarks" / "generate.py"),
                "national",
                str(root),
            ]
            subprocess.run(generate, check=True)
            subprocess.run([sys.executable, "-m", "oversight.cli", "run", "--data", str(root)], check=True)
        result = measure_all(
            DataFolder.at(root),
            options.clicks,
            options.users,
            options.seconds,
            options.ahead,
            options.browsers,
        )
    if options.json:
        options.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", "utf-8")


@contextlib.contextmanager
def serving(folder: DataFolder, *options: str) -> Iterator[tuple[int, psutil.Process, float]]:
    """The production server: its port, its process, and in how many seconds it was up."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    start = time.perf_counter()
    command = ["-m", "oversight.cli", "serve", "--data", str(folder.root), "--port", str(port), *options]
    server = subprocess.Popen([sys.executable, *command], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        while "已启动" not in (line := server.stdout.readline()):
            if not line:
                raise SystemExit("the server did not start")
        yield port, psutil.Process(server.pid), time.perf_counter() - start
    finally:
        server.terminate()
        server.wait(20)


@contextlib.contextmanager
def watched(process: psutil.Process) -> Iterator[list[int]]:
    """The most memory that a process was seen with."""
    peak, stop = [0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.2):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        stop.set()
        watcher.join()


def at_rest(process: psutil.Process, most: float) -> None:
    """Wait until a server has done nothing for five seconds, so many seconds at most."""
    end = time.perf_counter() + most
    while time.perf_counter() < end:
        before = cpu_seconds(process)
        time.sleep(5)
        if cpu_seconds(process) - before < 0.1:
            return


def clicking(port: int, process: psutil.Process, edition_id: str, chosen: list[Click]) -> dict[str, Any]:
    """One user who clicks without a pause."""
    user, spent = User(port, edition_id), cpu_seconds(process)
    answers = [user.click(click) for click in chosen]
    took = [seconds for seconds, _ in answers]
    now = [seconds for seconds, how in answers if how == "now"]
    return {
        "one_user_cpu_ms": round((cpu_seconds(process) - spent) * 1000 / len(took), 1),
        "one_user_p50_ms": round(statistics.median(took) * 1000),
        "one_user_p95_ms": round(p95(took) * 1000),
        "one_user_answers": dict(Counter(how for _, how in answers)),
        "one_user_drawn_now_p95_ms": round(p95(now) * 1000) if now else None,
        "slowest": [
            [round(value * 1000), *click]
            for value, click in sorted(zip(took, chosen, strict=True), reverse=True)[:5]
        ],
    }


def crowding(
    port: int, process: psutil.Process, edition_id: str, pool: list[list[Click]], seconds: float
) -> dict[str, Any]:
    """Many users who each click every few seconds."""
    answers: list[tuple[float, str]] = []
    wrong: list[str] = []
    end = time.perf_counter() + seconds

    def click_away(number: int) -> None:
        rng = random.Random(number)
        own = User(port, edition_id)
        time.sleep(rng.random() * THINK_SECONDS)
        while time.perf_counter() < end:
            begun = time.perf_counter()
            try:
                answers.append(own.click(rng.choice(pool[number])))
            except Exception as error:
                wrong.append(repr(error))
                own = User(port, edition_id)
            time.sleep(max(0.0, THINK_SECONDS - (time.perf_counter() - begun)))

    spent = cpu_seconds(process)
    threads = [threading.Thread(target=click_away, args=(number,)) for number in range(len(pool))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = [seconds for seconds, _ in answers]
    return {
        "users": len(pool),
        "users_cpu_ms": round((cpu_seconds(process) - spent) * 1000 / max(len(took), 1), 1),
        "clicks": len(took),
        "users_answers": dict(Counter(how for _, how in answers)),
        "users_p50_ms": round(statistics.median(took) * 1000),
        "users_p95_ms": round(p95(took) * 1000),
        "errors": len(wrong),
    }


def measure_all(
    folder: DataFolder, number: int, users: int, seconds: float, most_ahead: float, browsers: int
) -> dict[str, Any]:
    """Every figure, printed as it comes."""
    shelf = Shelf(folder)
    edition_id = shelf.current_id()
    assert edition_id is not None
    warehouse = shelf.warehouse(edition_id)
    chosen, pool = clicks(warehouse, number, 1), of_users(warehouse, users)
    result: dict[str, Any] = {
        "load_before": load(),
        "townships": warehouse.row("select count(*) as n from e.townships")["n"],
        "months": len(warehouse.months),
    }
    bare = bare_seconds(warehouse, chosen)
    result |= {"bare_p50_ms": round(statistics.median(bare) * 1000), "bare_p95_ms": round(p95(bare) * 1000)}
    del warehouse, shelf
    for prefix, options in (("on_demand_", ("--on-demand",)), ("", ())):
        with serving(folder, *options) as (port, process, started), watched(process) as peak:
            found: dict[str, Any] = {"start_seconds": round(started, 2)}
            # The server asks itself for every page once it is up; a reader who comes later is what is measured.
            time.sleep(SETTLE_SECONDS)
            if prefix:
                # Every reader's first page is there from the start, whether or not more is drawn ahead.
                result |= first_page(port, browsers)
            else:
                at_rest(process, most_ahead)
                found["ahead_seconds"] = round(time.time() - process.create_time())
                found["ahead_cpu_seconds"] = round(cpu_seconds(process))
            found |= clicking(port, process, edition_id, chosen)
            found |= crowding(port, process, edition_id, pool, seconds)
            found["peak_mb"] = round(peak[0] / 1e6)
        result |= {prefix + name: value for name, value in found.items()}
    result["load_after"] = load()
    for name, value in result.items():
        print(f"{name:35} {value}")
    goals = {
        "one_user_p95_ms": 100,
        "one_user_cpu_ms": 50,
        "users_p95_ms": 250,
        "first_figures_seconds": 0.8,
        "first_page_seconds": 1.5,
        "first_page_mb": 4,
        "reload_kb": 150,
        "peak_mb": 400,
    }
    for name, goal in goals.items():
        if name in result:
            print(f"{'met   ' if result[name] <= goal else 'MISSED'} {name}: {result[name]} (goal {goal})")
    return result


def of_users(warehouse: Warehouse, users: int) -> list[list[Click]]:
    """Each user looks after a county, its city and its townships: forty views, come back to again and again."""
    found = []
    for number in range(users):
        rng = random.Random(1000 + number)
        county = rng.choice([code for code in warehouse.names if not code.endswith("00")])
        towns = [code for code, _ in children(warehouse, EVERYTHING, county)] or [county]
        views = []
        for path, search in clicks(warehouse, 40, number + 2):
            unit = (
                rng.choice(towns) if path == "/township" else rng.choice([county, county, county[:4] + "00"])
            )
            month = search.partition("month=")[2]
            views.append((path, f"?unit={unit}&month={month}"))
        found.append(views)
    return found


if __name__ == "__main__":
    main()
