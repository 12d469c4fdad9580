"""试算: what a change of the rules would do, by a whole run on a copy of the data folder that is thrown away.

    python -m oversight.workflow.trial FOLDER    the steps as JSON on standard input, what came of them as JSON

The copy goes on from the last build, and takes in nothing that waits in raw/: the change is all that is new. Contents
that nobody writes to again (archive, landed tables, the edition) are linked, the rest is copied.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from oversight import scratch
from oversight.editions.edition import current, open_edition
from oversight.editions.lock import holder
from oversight.errors import OversightError
from oversight.settings import PROJECT_ROOT, TIME_ZONE, DataFolder
from oversight.workflow.rules import RuleError, Step, staged

# So much longer than the last run a trial may take.
PATIENCE, LEAST_SECONDS = 5, 300
SHOWN = 20
_COPIED = ("archive", "landed", "standards", "corrections", "findings", "keys", "report")
_FILES = ("headings.csv", "settings.toml", "sources.toml")
_LEFT = re.compile(r"\.(lock|part|tmp)$|-(wal|shm|journal)$")


def seconds(folder: DataFolder) -> float | None:
    """About how long a trial takes: as long as the steps of the last run; None before the first."""
    try:
        told = json.loads((folder.logs / "steps.json").read_text("utf-8"))
        return float(sum(told.values()))
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def apart(folder: DataFolder, steps: Sequence[Step]) -> dict[str, Any]:
    """Try a change out in a process of its own. Raises `RuleError`."""
    if current(folder) is None:
        raise RuleError("还没有数据版本，无从比较。请先运行一次。")
    if holder(folder) is not None:
        raise RuleError("正在运行，现在不能试算。请等运行结束。")
    limit = max(LEAST_SECONDS, PATIENCE * (seconds(folder) or 0))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "oversight.workflow.trial", str(folder.root)],
            cwd=PROJECT_ROOT,
            input=json.dumps([asdict(step) for step in steps], ensure_ascii=True),
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RuleError(f"试算超过 {limit:.0f} 秒，已停止。改动可以照常提交，运行后再看变动。") from error
    try:
        told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        last = done.stderr.strip().splitlines()[-1:] or ["没有说明原因"]
        raise RuleError(f"试算没有完成：{last[0]}") from error
    if "error" in told:
        raise RuleError(told["error"])
    return told


def try_out(folder: DataFolder, steps: Sequence[Step]) -> dict[str, Any]:
    """Run over a copy with the change made, and compare with the current edition."""
    from oversight.editions.compare import CAUSES, FINDING_CAUSES, MEASURES, compare
    from oversight.whole_run import run

    before = current(folder)
    if before is None:
        raise RuleError("还没有数据版本，无从比较。请先运行一次。")
    folder.work.mkdir(exist_ok=True)
    with scratch.folder(folder.work) as home:
        copy = DataFolder.at(home)
        _copy(folder, copy, before.edition_id)
        if holder(folder) is not None:
            raise RuleError("试算刚开始就有运行启动，没有继续。请等运行结束后再试。")
        with staged(folder, steps) as changed:
            for name in ("standards", "corrections"):
                shutil.rmtree(copy.root / name, ignore_errors=True)
                if (changed.root / name).is_dir():
                    shutil.copytree(changed.root / name, copy.root / name)
            if changed.headings.is_file():
                shutil.copyfile(changed.headings, copy.headings)
        made = run(copy, say=lambda _: None, now=datetime.now(TIME_ZONE), pulling=False).edition
        with open_edition(folder, before.edition_id) as older, open_edition(copy, made.edition_id) as newer:
            found = compare(older, newer)
            judged = _judgements(older, newer)

    def amount(value: Decimal | None) -> str:
        return "未知" if value is None else f"{value:,.2f}"

    def parts(told: Any, names: Any) -> list[str]:
        return [f"{names[cause]} {value:+,.2f}" for cause, value in told.items() if value]

    findings = [
        (title, items, Counter(FINDING_CAUSES[item.cause] for item in items))
        for title, items in (
            ("新出现", found.opened),
            ("已整改", found.cleared),
            ("不再列出", found.gone),
            ("状态有变", found.changed),
        )
    ]
    return {
        "month": f"{found.month:%Y-%m}",
        "units": len({change.unit_id for change in found.changes}),
        "figures": len(found.changes),
        "totals": [
            {
                "name": MEASURES[total.measure],
                "before": amount(total.before),
                "after": amount(total.after),
                "parts": parts(total.parts, CAUSES),
            }
            for total in found.totals
            if total.before != total.after
        ],
        "changes": [
            {
                "unit": change.township_name,
                "name": MEASURES[change.measure],
                "before": amount(change.before),
                "after": amount(change.after),
            }
            for change in sorted(
                found.changes, key=lambda c: -abs((c.after or Decimal(0)) - (c.before or Decimal(0)))
            )[:SHOWN]
        ],
        "findings": [
            {
                "title": title,
                "count": len(items),
                "why": [f"{name} {number}" for name, number in causes.items()],
                "first": [item.message for item in items[:5]],
            }
            for title, items, causes in findings
            if items
        ],
        "open": [found.open_before, found.open_after],
        "judged": judged,
    }


def _judgements(older: Any, newer: Any) -> dict[str, int]:
    """How many answers of all months differ, of how many subjects."""
    query = (
        "select rule_id, subject_level, subject_code, month, status, value_checked, value_expected, shortfall "
        "from judgements"
    )
    sides = [set(connection.execute(query).fetchall()) for connection in (older, newer)]
    different = sides[0] ^ sides[1]
    return {
        "answers": len({row[:4] for row in different}),
        "subjects": len({row[1:3] for row in different}),
    }


def _copy(folder: DataFolder, copy: DataFolder, edition_id: str) -> None:
    def put(source: str, target: str) -> str:
        path = Path(source)
        is_for_good = re.fullmatch(r"[0-9a-f]{64}", path.name) or path.suffix in (".parquet", ".zst")
        if is_for_good:
            os.link(source, target)
        else:
            shutil.copy2(source, target)
        return target

    def ignored(_: str, names: list[str]) -> list[str]:
        return [name for name in names if _LEFT.search(name) or name.startswith(scratch.PREFIX)]

    for name in _COPIED:
        if (folder.root / name).is_dir():
            shutil.copytree(folder.root / name, copy.root / name, copy_function=put, ignore=ignored)
    for name in _FILES:
        if (folder.root / name).is_file():
            shutil.copyfile(folder.root / name, copy.root / name)
    if copy.settings_toml.is_file():
        # Accounts and their record are of the folder itself; a trial is nobody's deed.
        text = copy.settings_toml.read_text("utf-8-sig")
        copy.settings_toml.write_text(re.sub(r"(?ms)^\[accounts\].*?(?=^\[|\Z)", "", text), "utf-8")
    copy.raw.mkdir()
    edition = Path("marts") / "editions" / edition_id
    shutil.copytree(folder.root / edition, copy.root / edition, copy_function=os.link)
    shutil.copyfile(folder.marts / "CURRENT", copy.marts / "CURRENT")
    if folder.work.is_dir():
        shutil.copytree(folder.work, copy.work, ignore=ignored)


def main(arguments: list[str]) -> int:
    """Try one change out."""
    try:
        steps = [Step(**step) for step in json.load(sys.stdin)]
        told = try_out(DataFolder.at(arguments[0]), steps)
    except OversightError as error:
        told = {"error": str(error)}
    print(json.dumps(told, ensure_ascii=True), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
