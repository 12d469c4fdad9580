"""A standalone Spark on this machine, of a master and two workers, as a bureau's would be of several machines."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

# For data this small whole-stage code costs more to compile than it saves.
_DEFAULTS = """\
spark.sql.shuffle.partitions 4
spark.sql.codegen.wholeStage false
spark.executor.memory 1g
spark.driver.memory 1500m
spark.ui.enabled false
"""
_TASK = re.compile(r"Finished task \S+ in stage")


@dataclass
class Cluster:
    """Where it is reached, and its processes."""

    place: Path
    master: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What a run is told to use it."""
        return {
            "OVERSIGHT_SPARK_MASTER": self.master,
            "OVERSIGHT_SPARK_DIR": str(self.place / "shared"),
            "SPARK_CONF_DIR": str(self.place / "conf"),
            "SPARK_LOCAL_IP": "127.0.0.1",
        }

    def tasks(self) -> list[int]:
        """How many pieces of work each worker's own log says that it finished."""
        return [
            sum(
                len(_TASK.findall(log.read_text("utf-8", "replace")))
                for log in (self.place / f"worker{number}").rglob("stderr")
            )
            for number in range(len(self.workers))
        ]

    def kill(self, number: int) -> None:
        """End a worker and all that it runs, as a machine that loses its power."""
        os.killpg(self.workers[number].pid, signal.SIGKILL)
        self.workers[number].wait()


@contextmanager
def cluster(place: Path) -> Iterator[Cluster]:
    """A master and two workers of one processor each, until the end of the block."""
    import pyspark

    for name in ("conf", "shared"):
        (place / name).mkdir(parents=True)
    (place / "conf" / "spark-defaults.conf").write_text(_DEFAULTS, "utf-8")
    start = [str(Path(pyspark.__file__).parent / "bin" / "spark-class")]
    environment = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_CONF_DIR": str(place / "conf")}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def process(name: str, *words: str) -> subprocess.Popen[bytes]:
        with (place / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [*start, f"org.apache.spark.deploy.{words[0]}", "--host", "127.0.0.1", *words[1:]],
                env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    made = Cluster(place, f"spark://127.0.0.1:{port}")
    master = process("master", "master.Master", "--port", str(port), "--webui-port", "0")
    try:
        _until_it_says(place / "master.log", "I have been elected leader", master)
        for number in range(2):
            worker = process(
                f"worker{number}", "worker.Worker", "--cores", "1", "--memory", "1g", "--webui-port", "0",
                "--work-dir", str(place / f"worker{number}"), made.master,
            )  # fmt: skip
            made.workers.append(worker)
            _until_it_says(place / f"worker{number}.log", "Successfully registered with master", worker)
        yield made
    finally:
        for each in (*made.workers, master):
            with suppress(ProcessLookupError):
                os.killpg(each.pid, signal.SIGKILL)
            each.wait()


def _until_it_says(log: Path, words: str, process: subprocess.Popen[bytes]) -> None:
    while words not in log.read_text("utf-8", "replace"):
        assert process.poll() is None, log.read_text("utf-8", "replace")[-2000:]
        time.sleep(0.2)
