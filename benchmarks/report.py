"""How long a report takes, what memory, and where the time goes: a county, and a province of 2,000 townships.

`python benchmarks/report.py [county|province]`: each in a process of its own, as `oversight report` runs; all
four formats. Limits: county 3 s, province 6 s, under 1 GB.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

MONTH = date(2025, 12, 1)
# Townships in each county, the division, seconds, megabytes.
CASES = {"county": ([20], "990101", 3.0, 1000), "province": ([20] * 100, "990000", 6.0, 1000)}


def measure(folder: str, scope: str) -> dict[str, float]:
    """In this process: seconds a step, whole time without Python's start, peak memory in MB."""
    import resource

    began = time.perf_counter()
    from oversight.loading import without_pandas

    without_pandas()
    from oversight.reports import make_all
    from oversight.settings import DataFolder

    steps: dict[str, float] = {"import": time.perf_counter() - began}
    last = ["open", time.perf_counter()]

    def on_step(name: str) -> None:
        now = time.perf_counter()
        steps[str(last[0])] = steps.get(str(last[0]), 0.0) + now - float(last[1])
        last[:] = [name.split(" ")[0] if name.startswith("stage") else name, now]

    make_all(DataFolder.at(folder), MONTH, [scope], on_step=on_step)
    on_step("end")
    return {
        **steps,
        "total": time.perf_counter() - began,
        "cpu": time.process_time(),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def slowness() -> float:
    """How busy others keep this machine: how many times their own time two processes take that only add."""
    import resource

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before, began = spent(), time.perf_counter()
    adding = [subprocess.Popen([sys.executable, "-c", "sum(range(40_000_000))"]) for _ in range(2)]
    for process in adding:
        process.wait()
    return (time.perf_counter() - began) * 2 / (spent() - before)


def main(chosen: list[str]) -> int:
    """Print a table a case; exit code 1 when a limit is passed."""
    if chosen[:1] == ["--measure"]:
        print(json.dumps(measure(chosen[1], chosen[2])))
        return 0
    from benchmarks.report_edition import write
    from oversight.settings import DataFolder

    passed = True
    for name in chosen or list(CASES):
        sizes, scope, seconds, megabytes = CASES[name]
        with tempfile.TemporaryDirectory() as place:
            write(DataFolder(Path(place)), sizes, months=36)
            slow = slowness()
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, __file__, "--measure", place, scope],
                check=True,
                capture_output=True,
                text=True,
            )
            whole = time.perf_counter() - began
            slow = (slow + slowness()) / 2
            found = json.loads(done.stdout)
            files = sorted(Path(place).glob(f"reports/*/{scope}/v1/督查通报*"))
            print(f"\n{name}: {sum(sizes)} townships, {whole:.1f} s (limit {seconds:.0f}), ", end="")
            # On a machine that others use too, the time this process was given says more.
            print(f"of them {found['cpu']:.1f} s of one processor, ", end="")
            print(f"peak {found['peak_mb']:.0f} MB (limit {megabytes})")
            print(
                f"  others made this machine {slow:.1f} times slower meanwhile: {whole / slow:.1f} s by that reckoning"
            )
            for step, took in found.items():
                if step not in ("total", "cpu", "peak_mb"):
                    print(f"  {step:<12}{took:7.2f} s")
            for path in files:
                print(f"  {path.suffix[1:]:<12}{path.stat().st_size / 1e6:7.2f} MB")
            passed &= whole <= seconds and found["peak_mb"] <= megabytes
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
