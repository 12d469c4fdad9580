"""The desk under load: reporters who upload and analysts who click at the same time, and hostile files among them.

    python benchmarks/desk.py [--data DIR] [--users 50] [--seconds 60] [--think 10] [--hostile] [--json FILE]

`DIR` is a data folder with an edition (without it, the sample is run over in a temporary folder). Half of the users hand
in: they ask what is due, upload a file, look at its judgement, and throw it away; the others click through pages, the
bell, findings, letters and the rules. Between two clicks, and between two uploads, each thinks for `--think` seconds on
average (whoever reads a page of figures needs longer; a reporter has one file a month). Before that each has seen one page:
all at once, right after the server began, the worst that a publication can bring; told apart as `first`. `--hostile`
goes on for as long again and uploads every file of the intake tests' hostile ones meanwhile, one after the other; told are
the pages beside them and without, and how they compare. Goal on two cores: p95 of every page and route at most 300 ms
besides the judging itself, no error, and the pages no slower for the hostile files.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import requests

PROJECT_ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT_ROOT))

from benchmarks.dashboard import body  # noqa: E402
from oversight.accounts import people  # noqa: E402
from oversight.accounts.actor import at_the_machine  # noqa: E402
from oversight.editions import current, open_edition  # noqa: E402
from oversight.settings import DataFolder  # noqa: E402
from tests.conftest import run_oversight  # noqa: E402
from tests.dashboard.browsing import serving  # noqa: E402
from tests.workflow.handing import good  # noqa: E402

PASSWORD, PATIENCE = "Ganlan-Shu-2031", 300
PAGES = (
    "/",
    "/funding",
    "/staffing",
    "/findings",
    "/follow",
    "/submissions",
    "/policy",
    "/reports",
    "/rules",
)


class User:
    """Somebody who signed in, and how long each thing took."""

    def __init__(self, base: str, name: str, took: dict[str, list[float]]) -> None:
        self.base, self.took, self.session = base, took, requests.Session()
        self.wrong: list[str] = []
        self.session.get(base + "/sign-in", timeout=60)
        answer = self.session.post(
            base + "/sign-in", data={"name": name, "password": PASSWORD}, timeout=60, allow_redirects=True
        )
        answer.raise_for_status()

    def ask(self, what: str, method: str, path: str, **options: Any) -> requests.Response:
        """Ask, and put down how long it took."""
        token = self.session.cookies.get("_csrf_token", "")
        begun = time.perf_counter()
        answer = self.session.request(
            method,
            self.base + path,
            headers={"X-CSRFToken": token, **options.pop("headers", {})},
            timeout=120,
            **options,
        )
        self.took[what].append(time.perf_counter() - begun)
        # What is refused is quick: it is no page that was drawn. Of uploads hostile ones may be.
        if answer.status_code >= (500 if what.startswith("upload") else 300):
            self.wrong.append(f"{what} {answer.status_code} {answer.text[:200]}")
        return answer

    def draw(self, what: str, path: str, unit: str, edition_id: str) -> None:
        """Open a page as the browser does."""
        self.ask(
            what,
            "POST",
            "/_dash-update-component",
            data=body((path, f"?unit={unit[:6]}"), edition_id),
            headers={"Content-Type": "application/json"},
        )

    def upload(self, name: str, content: bytes, unit: str) -> tuple[float, dict[str, Any]]:
        """Upload a file as the page does and wait for its judgement: seconds, and what was judged."""
        begun = time.perf_counter()
        told = {"unit": unit, "files": [{"name": name, "size": len(content)}]}
        answer = self.ask("upload: begin", "POST", "/hand-in/new", json=told)
        if answer.status_code != 200:
            return time.perf_counter() - begun, {"state": "refused", "why": answer.text[:120]}
        tray = answer.json()
        for at in range(0, len(content), 1 << 20):
            self.ask(
                "upload: part",
                "POST",
                f"/hand-in/part/{tray['id']}/0/{at}",
                data=content[at : at + (1 << 20)],
                headers={"Content-Type": "application/octet-stream"},
            )
        tray = self.ask("upload: judge", "POST", f"/hand-in/check/{tray['id']}", json={}).json()
        while tray["state"] == "waiting" and time.perf_counter() - begun < PATIENCE:
            time.sleep(0.5)
            tray = self.ask("upload: look", "GET", f"/hand-in/tray/{tray['id']}").json()
        took = time.perf_counter() - begun
        self.ask("upload: discard", "POST", f"/hand-in/discard/{tray['id']}", json={})
        return took, tray


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--think", type=float, default=10, help="seconds between two clicks, on average")
    parser.add_argument("--hostile", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="oversight-desk-") as aside:
        folder = DataFolder.at(Path(aside) / "data")
        if asked.data:
            shutil.copytree(asked.data, folder.root, symlinks=True)
        else:
            shutil.copytree(PROJECT_ROOT / "data" / "raw", folder.raw)
            run_oversight("run", "--data", str(folder.root))
        found = measure(folder, asked.users, asked.seconds, asked.think, is_hostile=asked.hostile)
    if asked.json:
        asked.json.write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")


def measure(
    folder: DataFolder, users: int, seconds: float, think: float, *, is_hostile: bool
) -> dict[str, Any]:
    """Let them all loose on a server of its own."""
    edition = current(folder)
    assert edition is not None
    with open_edition(folder) as connection:
        units = [
            row[0] for row in connection.execute("select township_code from townships order by 1").fetchall()
        ]
    actor, names = at_the_machine(), []
    people.add(folder, actor, "chief", "administrator", ["000000"], password=PASSWORD, must_change=False)
    for number in range(users):
        is_reporter = number % 2 == 0
        unit = units[number % len(units)]
        name = f"user{number}"
        role, place = ("reporter", unit) if is_reporter else ("analyst", unit[:6])
        people.add(folder, actor, name, role, [place], password=PASSWORD, must_change=False)
        names.append((name, is_reporter, unit))
    took: dict[str, list[float]] = defaultdict(list)
    judging: list[float] = []
    wrong: list[str] = []
    hostile: list[dict[str, Any]] = []
    with serving(folder) as served:
        everybody = [(User(served.base, name, took), is_reporter, unit) for name, is_reporter, unit in names]

        def arrive(user: User, is_reporter: bool, unit: str) -> None:
            # Whoever comes first after a publication waits until the own part of the edition is cut.
            if is_reporter:
                user.ask("first: due", "GET", f"/hand-in/due?unit={unit[:6]}&month=2026-01")
            else:
                user.draw("first: page", "/", unit, edition.edition_id)

        _all_at_once([threading.Thread(target=arrive, args=each) for each in everybody])

        def live(user: User, is_reporter: bool, unit: str, seed: int, until: float) -> None:
            dice = random.Random(seed)  # nosec B311 - clicks, no secret
            time.sleep(dice.random() * think)
            while time.monotonic() < until:
                try:
                    if is_reporter:
                        user.ask("due", "GET", f"/hand-in/due?unit={unit[:6]}&month=2026-01")
                        judging.append(user.upload("人口.csv", good(41_000, unit), unit[:6])[0])
                    else:
                        path = dice.choice(PAGES)
                        user.draw(f"page {path}", path, unit, edition.edition_id)
                        what = {"/follow": "/follow/list", "/rules": "/rules/changes"}.get(path, "/notices")
                        user.ask(what, "GET", what)
                except requests.RequestException as error:
                    wrong.append(repr(error)[:200])
                time.sleep(min(dice.expovariate(1 / think), 4 * think))

        def all_live(seed: int) -> list[threading.Thread]:
            until = time.monotonic() + seconds
            threads = [
                threading.Thread(target=live, args=(*each, seed + number, until))
                for number, each in enumerate(everybody)
            ]
            for thread in threads:
                thread.start()
            return threads

        before = _cpu_seconds(served.process.pid)
        for thread in all_live(0):
            thread.join()
        own, of_others = (
            after - was for after, was in zip(_cpu_seconds(served.process.pid), before, strict=True)
        )
        busy = f"  the server's own CPU {own:.0f} s, judging's and others' that have ended {of_others:.0f} s"
        alone = {what: list(values) for what, values in took.items()}
        if is_hostile:
            for values in took.values():
                values.clear()
            threads = all_live(users)
            hostile = _hostile(User(served.base, names[0][0], defaultdict(list)), names[0][2])
            for thread in threads:
                thread.join()
        beside = {what: list(values) for what, values in took.items()} if is_hostile else {}
        wrong += [text for user, _, _ in everybody for text in user.wrong]
    found = _told(alone, beside, judging, wrong, hostile)
    found["lines"].append(busy)
    print(f"{users} users, {seconds:.0f} s, think {think:.0f} s; load {os.getloadavg()[0]:.0f}")
    for line in found["lines"]:
        print(line)
    return found


def _all_at_once(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _hostile(user: User, unit: str) -> list[dict[str, Any]]:
    from tests.intake.test_hostile import HOSTILE

    found = []
    for name, (make, _) in HOSTILE.items():
        took, tray = user.upload(name, make(), unit[:6])
        found.append({"name": name, "seconds": round(took, 1), "state": tray["state"]})
    return found


def _cpu_seconds(process: int) -> tuple[float, float]:
    """CPU seconds of a process, and of those it started that have ended."""
    told = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    each = [int(ticks) / os.sysconf("SC_CLK_TCK") for ticks in told[11:15]]
    return each[0] + each[1], each[2] + each[3]


def _told(
    took: dict[str, list[float]],
    beside: dict[str, list[float]],
    judging: list[float],
    wrong: list[str],
    hostile: list[dict[str, Any]],
) -> dict[str, Any]:
    def p95(values: list[float]) -> float:
        return sorted(values)[min(len(values) - 1, int(len(values) * 0.95))]

    def line(name: str, values: list[float]) -> str:
        return (
            f"  {name:26} {len(values):6}  median {statistics.median(values) * 1000:6.0f} ms  "
            f"p95 {p95(values) * 1000:6.0f} ms  worst {max(values) * 1000:6.0f} ms"
        )

    def of(found: dict[str, list[float]], *begins: str) -> list[float]:
        return [value for name, values in found.items() if name.startswith(begins) for value in values]

    clicks = ("page", "/", "due")
    lines = [line(name, values) for name, values in sorted(took.items()) if values]
    every = of(took, *clicks, "upload")
    lines.append(line("all after the first", every))
    lines.append(line("pages and what they ask", of(took, *clicks)))
    lines.append(line("requests of uploads", of(took, "upload")))
    if beside:
        lines.append(line("pages beside hostile files", of(beside, *clicks)))
        for what, measured in (("median", statistics.median), ("p95", p95)):
            ratio = measured(of(beside, *clicks)) / measured(of(took, *clicks))
            lines.append(f"  pages beside hostile files / pages without, {what}: {ratio:.2f}")
    if judging:
        lines.append(line("upload until judged", judging))
    lines += [f"  hostile {item['name']:30} {item['state']:10} {item['seconds']} s" for item in hostile]
    lines.append(f"  errors {len(wrong)} {wrong[:3]}")
    return {"lines": lines, "errors": wrong, "hostile": hostile, "p95": p95(every)}


if __name__ == "__main__":
    main()
