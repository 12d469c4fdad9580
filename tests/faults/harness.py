"""What the scripts of faults share: a tiny bureau, runs in forked children, and faults put into the writing of files.

Everything is imported once, in the parent; each run is a fork of it, so that a run costs what it does and not what it
loads. Faults are put in from outside, in the child, by standing before the few functions that write what must last.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import hashlib
import io
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from oversight.settings import TIME_ZONE, DataFolder  # noqa: E402
from tests.intake.world import DIVISIONS, POPULATION_HEADER, TOWNSHIPS, csv_bytes, xlsx_bytes  # noqa: E402

NOW = datetime(2026, 1, 5, 9, tzinfo=TIME_ZONE)
BUDGET = ("统计月份", "区划代码", "乡镇名称", "年初预算(元)", "累计拨付(元)")
STAFFING = ("统计月份", "区划代码", "乡镇名称", "行政编制数", "事业编制数", "在编在岗专职人数(人)")
# All that are in force in the first months.
UNITS = (
    *TOWNSHIPS,
    *(("360313201", "白竺乡"), ("360313202", "青山乡"), ("360313203", "大源乡"), ("360313204", "小坑乡")),
)


def load(*, whole: bool = True) -> None:
    """Import what a run imports, and nothing that starts threads; less where no whole run is to be made."""
    import importlib

    # A child ends without tidying, as a killed one does; what Python says of that belongs to no message of ours.
    os.environ["PYTHONWARNINGS"] = "ignore:resource_tracker:UserWarning"
    for name in (
        "duckdb",
        "polars",
        "pyarrow.parquet",
        "oversight.intake.intake_run",
        "oversight.archive.verify",
    ):
        importlib.import_module(name)
    _read_in_forks()
    if whole:
        for name in (
            "great_expectations",
            "dbt.cli.main",
            "oversight.whole_run",
            "oversight.quality",
            "dagster_project.run_job",
        ):
            importlib.import_module(name)
    # No fork looks through, and so copies, what was loaded before it.
    gc.collect()
    gc.freeze()


def _read_in_forks() -> None:
    """Let the processes that files are parsed in, and editions read back, be forks too, of one that has loaded what they
    need and nothing else has been done in: starting each costs five times what an intake does."""
    from oversight.editions import seal
    from oversight.editions import verify as reading_back
    from oversight.intake.reading import files, worker

    del files
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        # Nobody waits for them.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while True:
            asked, fds, _, _ = socket.recv_fds(theirs, 4096, 3)
            if not asked:
                os._exit(0)
            kind, _, argument = asked.decode().partition(" ")
            child = os.fork()
            if child == 0:
                try:
                    theirs.close()
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    os.dup2(fds[0], 0)
                    os.dup2(fds[1], 1)
                    for fd in fds:
                        os.close(fd)
                    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
                    sys.argv = ["-c", argument]
                    if kind == "read":
                        worker.main()
                    else:
                        reading_back.main(argument.split("\n"))
                    sys.stdout.flush()
                finally:
                    os._exit(0)
            # Who asked may have been killed meanwhile.
            with contextlib.suppress(OSError):
                os.write(fds[2], str(child).encode())
            for fd in fds:
                os.close(fd)
    theirs.close()

    class Forked:
        """As much of `subprocess.Popen` as the worker's owner asks of it."""

        def __init__(self, arguments: list[str], kind: str = "read", **_: Any) -> None:
            taken, given = os.pipe()
            answered, answering = os.pipe()
            told, telling = os.pipe()
            socket.send_fds(ours, [f"{kind} {arguments[-1]}".encode()], [taken, answering, telling])
            for fd in (taken, answering, telling):
                os.close(fd)
            self.stdin, self.stdout = os.fdopen(given, "wb"), os.fdopen(answered, "rb")
            self.pid = int(os.read(told, 20))
            os.close(told)
            self._ended = os.pidfd_open(self.pid)

        def poll(self) -> int | None:
            return 1 if select.select([self._ended], [], [], 0)[0] else None

        def wait(self, timeout: float | None = None) -> int:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("worker", timeout or 0)
            return 1

        def kill(self) -> None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._ended, signal.SIGKILL)

    class Standing:
        """`subprocess` as the worker's module sees it."""

        Popen = Forked
        PIPE, DEVNULL, TimeoutExpired = subprocess.PIPE, subprocess.DEVNULL, subprocess.TimeoutExpired

        @staticmethod
        def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
            # What follows `-m oversight.editions.verify`.
            process = Forked(["\n".join(command[3:])], "verify")
            process.stdin.close()
            said = process.stdout.read().decode()
            return subprocess.CompletedProcess(command, 0 if said else 1, said, "")

    for module in (worker, reading_back, seal):
        module.subprocess = Standing  # type: ignore[attr-defined]


def bureau(root: Path, months: int = 2) -> DataFolder:
    """One county, a few months, one refused file and one that corrects another."""
    folder = DataFolder.at(root)
    folder.raw.mkdir(parents=True)
    put = {"行政区划.csv": csv_bytes(DIVISIONS), "照片.xlsx": b"\xff\xd8\xff\xe0" + bytes(300)}
    for month in range(1, months + 1):
        told = f"2025-{month:02}"
        people = [(told, *unit, 20_000 + at) for at, unit in enumerate(UNITS)]
        put[f"人口{month}月.csv"] = csv_bytes([POPULATION_HEADER, *people])
        put[f"经费{month}月.xlsx"] = xlsx_bytes(
            [BUDGET, *((told, *unit, 65_200, 5_000 * month) for unit in UNITS)]
        )
        put[f"人员{month}月.csv"] = csv_bytes([STAFFING, *((told, *unit, 2, 1, 3) for unit in UNITS)])
    for name, content in put.items():
        (folder.raw / name).write_bytes(content)
    return folder


def fill(folder: DataFolder) -> None:
    """Put in whatever else may lie in a folder that has been worked in, by what writes it: letters of every state, what
    was done about findings, accounts with their record, a review, a receipt, a saved query, a paper, keys."""
    from oversight.archive.sums import as_json
    from oversight.editions import publish
    from oversight.reports import register
    from oversight.reports import store as papers
    from oversight.workflow import following, handing_in, review
    from tests.editions.standin import identity, write_build, write_manifest
    from tests.faults import year_of_letters

    year_of_letters.run(folder.root.parent, 3, days=50)
    # An edition that carries the head of the record.
    write_build(folder, number=3)
    manifest = write_manifest(folder.root.parent / "dbt-manifest.json")
    edition = publish(folder, identity(folder, 3), manifest=manifest)
    receipt: dict[str, Any] = {
        **{
            "id": "0" * 18,
            "file_name": "人口.csv",
            "sha256": hashlib.sha256(b"x").hexdigest(),
            "bytes": 1,
            "by": "甲",
        },
        **{"handed_in_at": "2026-01-05T09:00:00+08:00", "is_nil": False, "dataset": "population"},
        **{"months": ["2025-06"], "units": ["360313101"], "counts": {}, "county_code": "360313"},
    }
    first = folder.handed_in / "2026-01" / f"{receipt['id']}.json"
    first.parent.mkdir(parents=True)
    first.write_bytes(as_json(receipt))
    handing_in.note_review(folder, receipt["id"], {"review": "waiting"})
    found = {"lines": [{"row": 2}], "file_remarks": [], "unusable": []}
    review.begin(folder, receipt, found, b"x", "湘东区")
    following.keep_attachment(folder, b"attached")
    (folder.root / "queries").mkdir()
    (folder.root / "queries" / "0123456789ab.json").write_bytes(
        as_json({"id": "0123456789ab", "sql": "select 1"})
    )
    paper = {
        **{
            "month": "2025-06",
            "scope_code": "360313",
            "scope_name": "湘东区",
            "version": 1,
            "corrects": None,
        },
        **{"events": [papers.event("issued", "乙", NOW)], "edition_id": edition.edition_id},
        **{"issuer": "湘东区民政局", "issued_on": "2025-07-01", "number": 1},
    }
    june = date(2025, 6, 1)
    papers.publish(folder, june, "360313", paper, {"html": b"<p>"}, {"a": 1}, lambda _: None)
    register.take(folder, "湘东区民政局", 2025, (june, "360313", 1))
    papers.put(papers.reports_folder(folder) / "owed" / "a.json", {"a": 1})


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code (negative: the signal), what it said, and how long it took."""

    code: int
    said: str
    seconds: float


def forked(job: Callable[[], int | None], *, kill_after: float | None = None, where: Path) -> Ended:
    """Run a job in a child of this process; `kill_after` seconds it is killed, as a power cut would."""
    told = where / f"said-{os.getpid()}-{time.monotonic_ns()}"
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        _child(job, told)
    if kill_after is not None:
        until = start + kill_after
        while time.monotonic() < until:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return _ended(status, told, start)
            time.sleep(0.002)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return _ended(status, told, start)


def asked(job: Callable[[], Any], where: Path) -> Any:
    """What a job returns, worked out in a child: this process must not start the engines' threads, or forks hang."""
    answer = where / f"answer-{time.monotonic_ns()}"

    def tell() -> None:
        answer.write_bytes(pickle.dumps(job()))

    ended = forked(tell, where=where)
    if ended.code:
        raise RuntimeError(ended.said[-2000:])
    told = pickle.loads(answer.read_bytes())
    answer.unlink()
    return told


def damaged(folder: DataFolder, where: Path, *groups: str) -> list[str]:
    """What `verify` names."""

    def look() -> list[str]:
        from oversight.archive.verify import verify

        return [f"{fault.path}: {fault.why}" for _, _, found in verify(folder, groups) for fault in found]

    found: list[str] = asked(look, where)
    return found


def start(job: Callable[[], int | None], told: Path) -> int:
    """Start a job in a child and go on; `wait` for it."""
    child = os.fork()
    if child == 0:
        _child(job, told)
    return child


def wait(child: int, told: Path) -> Ended:
    """The end of a child."""
    _, status = os.waitpid(child, 0)
    return _ended(status, told, time.monotonic())


def stopped(
    job: Callable[[], int | None],
    look: Callable[[bool, str], None],
    pause: Callable[[], float],
    *,
    where: Path,
) -> Ended:
    """Run a job in a child that stands still again and again, all its threads, while `look` is called: whether it stopped
    by itself (`standing_still`), and what it has said.

    Else it is stopped so many seconds after it last went on. What lies on disk then is what kill -9 at that moment would
    have left: the system's cache outlives a process.
    """
    told = where / f"said-{os.getpid()}-{time.monotonic_ns()}"
    began = time.monotonic()
    told.touch()
    child = start(job, told)
    until = began + pause()
    is_by_itself = True
    while True:
        done, status = os.waitpid(child, os.WUNTRACED | os.WNOHANG)
        if not done:
            if is_by_itself and time.monotonic() >= until:
                is_by_itself = False
                os.kill(child, signal.SIGSTOP)
            time.sleep(0.002)
            continue
        if not os.WIFSTOPPED(status):
            return _ended(status, told, began)
        stood = time.monotonic()
        look(is_by_itself, told.read_text("utf-8", "replace"))
        # Only what the job itself takes counts.
        until += time.monotonic() - stood
        if not is_by_itself:
            is_by_itself, until = True, time.monotonic() + pause()
        os.kill(child, signal.SIGCONT)


def standing_still(_: str = "") -> None:
    """Stop this process until it is told to go on."""
    os.kill(os.getpid(), signal.SIGSTOP)


def _child(job: Callable[[], int | None], told: Path) -> None:
    code = 70
    try:
        with told.open("w", encoding="utf-8", buffering=1) as file:
            # Held by whoever may still write there: a process that says what ended this one comes after it.
            fcntl.flock(file, fcntl.LOCK_EX)
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            sys.stdout = sys.stderr = io.TextIOWrapper(
                os.fdopen(1, "wb", closefd=False), "utf-8", line_buffering=True
            )
            try:
                code = job() or 0
            except BaseException:
                import traceback

                traceback.print_exc()
            sys.stdout.flush()
    finally:
        os._exit(code)


def _ended(status: int, told: Path, start_at: float) -> Ended:
    said = ""
    if told.is_file():
        with told.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            said = file.read().decode("utf-8", "replace")
        told.unlink()
    return Ended(os.waitstatus_to_exitcode(status), said, time.monotonic() - start_at)


def command(*words: str) -> Callable[[], int]:
    """`oversight` with these words."""

    def job() -> int:
        from oversight import cli

        return cli.main(words)

    return job


def run(folder: DataFolder) -> Callable[[], int]:
    """`oversight run` over a folder."""
    return command("run", "--data", str(folder.root))


# A whole run's parts, in order; each begins from what the one before left in the folder.
PARTS = ("intake", "build", "audit", "publish")


def run_part(folder: DataFolder, part: str) -> Callable[[], int]:
    """`oversight run`, of whose assets only those of one part are made."""

    def job() -> int:
        from dagster import AssetKey, JobDefinition

        from dagster_project.assets import EDITION, INPUTS, PULLED
        from dagster_project.checks import SUITE_RESULTS

        real = JobDefinition.execute_in_process

        def part_of(key: AssetKey) -> str:
            ends = {SUITE_RESULTS: "audit", EDITION: "publish"}
            return ends.get(key, "intake" if key == PULLED or key.path[0] == INPUTS else "build")

        def of_part(self: JobDefinition, **named: Any) -> Any:
            assets = {key for key in self.asset_layer.executable_asset_keys if part_of(key) == part}
            checks = {
                check
                for check in self.asset_layer.asset_graph.asset_check_keys
                if ("audit" if check.name.startswith("suite_") else part_of(check.asset_key)) == part
            }
            return real(self.get_subset(asset_selection=assets, asset_check_selection=checks), **named)

        JobDefinition.execute_in_process = of_part  # type: ignore[method-assign, assignment]
        return run(folder)()

    return job


def take_in(folder: DataFolder) -> Callable[[], None]:
    """Intake alone, under the run's lock."""

    def job() -> None:
        from oversight.editions.lock import run_lock
        from oversight.intake import take_in

        with run_lock(folder):
            take_in(folder, now=NOW)

    return job


def fingerprints(folder: DataFolder) -> dict[str, Any]:
    """What the current edition's tables say."""
    from oversight.editions import find_edition

    tables = find_edition(folder).manifest["tables"]
    return {name: told["fingerprint"] for name, told in tables.items()}


# --- faults in writing ----------------------------------------------------------------------------------

# Each is a step after which something is on disk that was not before.
_STEPS: tuple[tuple[Any, str], ...] = (
    (os, "fsync"),
    (os, "replace"),
    (os, "rename"),
    (Path, "replace"),
    (Path, "rename"),
    (Path, "write_bytes"),
    (Path, "write_text"),
    (Path, "unlink"),
)


@contextlib.contextmanager
def at_step(number: int, act: Callable[[str], None], only: str = "") -> Iterator[list[str]]:
    """Do something just before the nth step of writing (-n: before every nth); the list tells the steps taken."""
    taken: list[str] = []
    before = [(owner, name, getattr(owner, name)) for owner, name in _STEPS]

    def standing_before(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def stand_in(*arguments: Any, **named: Any) -> Any:
            if not only or name == only:
                taken.append(f"{name} {arguments[0] if arguments else ''}")
                if len(taken) == number or (number < 0 and len(taken) % -number == 0):
                    act(taken[-1])
            return real(*arguments, **named)

        return stand_in

    for owner, name, real in before:
        setattr(owner, name, standing_before(name, real))
    try:
        yield taken
    finally:
        for owner, name, real in before:
            setattr(owner, name, real)


def killed(_: str) -> None:
    """As `kill -9`, or a power cut for what was not forced to disk."""
    os.kill(os.getpid(), signal.SIGKILL)


def failing(number: int) -> Callable[[str], None]:
    """As the operating system fails, with this error number."""

    def act(step: str) -> None:
        raise OSError(number, os.strerror(number), step.partition(" ")[2])

    return act


def is_clear(said: str) -> bool:
    """Whether a message is one Chinese sentence without the words of a library or an address."""
    last = said.strip().splitlines()[-1] if said.strip() else ""
    foreign = ("Error", "http://", "https://", "sqlite", "SQL", "Traceback", "errno", "Errno")
    return any("\u4e00" <= letter <= "\u9fff" for letter in last) and not any(
        word in last for word in foreign
    )
