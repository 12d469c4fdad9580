"""What the SQL page costs over DuckDB itself, on the edition of a data folder, and twenty users at once.

    python -m benchmarks.sql --data DIR [--rounds 5]

The same query is asked through a running `oversight serve` (HTTP, sandbox, JSON) and in a bare process that has the
file open and asks it for the first time, as a sandbox does. The difference is the overhead.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from typing import Any

from oversight.editions import find_edition
from oversight.sandbox.examples import EXAMPLES
from oversight.settings import PROJECT_ROOT, DataFolder

BARE = """
import json, sys, time, datetime, duckdb
path, sql, month = sys.argv[1:]
connection = duckdb.connect(path, read_only=True, config={"threads": 2, "memory_limit": "512MB"})
place = connection.execute("select current_database()").fetchall()[0][0]
connection.execute(f"set search_path = '{place}.main,{place}.中文'")
connection.execute("select count(*) from range(300000)").fetchall()
connection.execute("set enable_progress_bar = false")
given = {"month": datetime.date.fromisoformat(month + "-01"), "unit": ""}
# DuckDB's first look at a parameter imports pandas; that is not the query's.
connection.execute("select $month, $unit", given).fetchall()
values = {name: value for name, value in given.items() if "$" + name in sql}
started = time.perf_counter()
connection.execute(sql, values) if values else connection.execute(sql)
connection.fetchmany(1000)
print(time.perf_counter() - started)
"""


class Browser:
    """One user: the mark that the page gives, and JSON to and fro."""

    def __init__(self, base: str, edition: str) -> None:
        self.base, self.edition = base, edition
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.opener.open(f"{base}/", timeout=120).read()
        self._get(f"/sql/dictionary?edition={edition}")

    def _get(self, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(self.base + path)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with self.opener.open(request, timeout=120) as answer:
            return json.loads(answer.read())

    def ask(self, sql: str, month: str) -> tuple[float, Any]:
        """Seconds until the rows are here, and what came."""
        started = time.perf_counter()
        question = {"edition": self.edition, "sql": sql, "month": month, "unit": ""}
        told = self._get("/sql/run", question)
        # All users here share one address, which without accounts has eight turns; waiting for one counts.
        while told.get("code") == "busy":
            time.sleep(0.02)
            told = self._get("/sql/run", question)
        while told.get("is_running"):
            time.sleep(0.02)
            told = self._get(f"/sql/result/{told['id']}")
        return time.perf_counter() - started, told


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=8199)
    args = parser.parse_args()
    edition = find_edition(DataFolder.at(args.data))
    month = f"{edition.months[1]:%Y-%m}" if edition.months else "2025-01"
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "oversight.cli",
            "serve",
            "--port",
            str(args.port),
            *(["--data", args.data] if args.data else []),
        ],
        cwd=PROJECT_ROOT,
        stdout=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{args.port}"
    try:
        _wait(base)
        browser = Browser(base, edition.edition_id)
        time.sleep(2)
        overheads = []
        print(f"{'页面':>8} {'裸库':>8} {'多用':>8}  毫秒（{args.rounds} 次中位数）")
        for example in EXAMPLES:
            page, bare = [], []
            for _ in range(args.rounds):
                seconds, told = browser.ask(example.sql, month)
                if "error" in told:
                    raise SystemExit(f"{example.title}: {told['error']}")
                page.append(seconds)
                # The next process is made ready now, as it is while a user reads; the bare one must not pay for it.
                time.sleep(0.8)
                done = subprocess.run(
                    [sys.executable, "-c", BARE, str(edition.warehouse), example.sql, month],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                bare.append(float(done.stdout))
                overheads.append(page[-1] - bare[-1])
            p, b = statistics.median(page), statistics.median(bare)
            print(f"{p * 1000:8.0f} {b * 1000:8.0f} {(p - b) * 1000:8.0f}  {example.title}")
        ninth = statistics.quantiles(overheads, n=10)[-1]
        print(
            f"多用时间中位数 {statistics.median(overheads) * 1000:.0f} 毫秒，九成以内 {ninth * 1000:.0f} 毫秒"
        )

        users = [Browser(base, edition.edition_id) for _ in range(20)]
        started = time.perf_counter()
        with ThreadPoolExecutor(20) as pool:
            found = list(pool.map(lambda user: user.ask(EXAMPLES[0].sql, month), users))
        wrong = [told["error"] for _, told in found if "error" in told]
        times = sorted(seconds for seconds, _ in found)
        print(
            f"二十人同时：共 {time.perf_counter() - started:.1f} 秒，最慢一人 {times[-1]:.1f} 秒，"
            f"中位数 {times[10]:.1f} 秒，出错 {len(wrong)} 次 {wrong[:1]}"
        )
    finally:
        server.terminate()
        server.wait()


def _wait(base: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(base + "/edition", timeout=5).read()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("服务没有启动")


if __name__ == "__main__":
    main()
