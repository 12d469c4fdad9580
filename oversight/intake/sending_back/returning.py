"""What goes back to the senders: for each refused or doubtful file its annotated workbook, once for each thing said."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

from oversight import durable
from oversight.archive import store as archive
from oversight.intake.judging.judged import Judged
from oversight.intake.landed import Landed
from oversight.intake.raw_files import RawFile
from oversight.intake.reading.worker import Stopped, worker
from oversight.intake.sending_back.marked_workbook import write_returned
from oversight.intake.sending_back.overtaken import RETURNED, letters, overtaken
from oversight.intake.sending_back.remarks import Remark, remarks
from oversight.intake_messages import HARMLESS
from oversight.settings import TIME_ZONE, DataFolder, folder_settings

# A first run over years of files must not wait for all their returned workbooks; the next run goes on.
MAX_SECONDS = 20.0
# A file that waits for the table of divisions is judged again by itself; nothing is for the sender to do.
_NOT_RETURNED = frozenset({"F11", "F50", "F51"})


def returned_name(name: str, submission_id: str) -> str:
    """The name of the returned workbook; the id tells apart files of one name and is spelt without digits, which
    could be taken for a month."""
    stem = Path(name.replace("/", "_").replace("\\", "_")).stem[:60]
    return f"{stem}{RETURNED}{letters(submission_id)}.xlsx"


def return_workbook(source: Path | None, name: str, found: Sequence[Remark], target: Path) -> None:
    """Write the annotated workbook of the file at `source`, which is opened where memory and time are bounded.

    If that is not enough, or there is no source to open, the list of what is wrong is written alone.
    """
    if source is None:
        write_returned(target, name, found, target, with_copy=False)
        return
    (answer,) = worker().run("return", [(source, name, found, target)])
    if isinstance(answer, Stopped):
        write_returned(source, name, found, target, with_copy=False)


def _source(folder: DataFolder, file: RawFile) -> Path | None:
    """What was received: the raw file may be another by now. None of a file with personal columns: no second copy."""
    if file.refusal is not None or archive.sealed_place(folder, file.sha256).is_file():
        return None
    place = archive.place(folder, file.sha256)
    return place if place.is_file() else None


def _age(entry: Sequence[str], today: date) -> int:
    """Days since a workbook was written; of one of before this was noted none."""
    return (today - date.fromisoformat(entry[2])).days if len(entry) > 2 else 0


def return_files(
    folder: DataFolder,
    files: Sequence[RawFile],
    landed: Landed,
    judged: Judged,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Write the annotated workbook of each refused or doubtful file that lies in raw/, and how many were written.

    A file of which nothing new is to be said is left alone; one of which nothing is left to be said, or that a later
    one took the place of, loses its returned workbook.
    """
    index_path = folder.returned / ".index.json"
    try:
        before: dict[str, list[str]] = json.loads(index_path.read_text("utf-8"))
    except (OSError, ValueError):
        before = {}
    today = datetime.now(TIME_ZONE).date()
    days = folder_settings(folder).returned_days
    found = remarks(landed, judged)
    past = overtaken(judged, found)
    index: dict[str, list[str]] = {}
    written = left = 0
    deadline = time.monotonic() + MAX_SECONDS
    seen: set[str] = set()
    for file in files:
        identifier = file.submission_id
        mine = found.get(identifier, [])
        codes = {r.error_code for r in mine}
        if identifier in seen or identifier in past or not codes - HARMLESS or codes & _NOT_RETURNED:
            continue
        seen.add(identifier)
        name = returned_name(file.name, identifier)
        entry = [name, hashlib.sha256(repr(mine).encode()).hexdigest()[:16]]
        last = before.get(identifier, [])
        if last[:2] == entry and days and _age(last, today) > days:
            # Told long enough: what is wrong stands in the tables all the same.
            (folder.returned / name).unlink(missing_ok=True)
            index[identifier] = last
            continue
        if last[:2] == entry and (folder.returned / name).is_file():
            index[identifier] = last
            continue
        if time.monotonic() > deadline:
            left += 1
            continue
        index[identifier] = [*entry, today.isoformat()]
        folder.returned.mkdir(parents=True, exist_ok=True)
        try:
            return_workbook(_source(folder, file), file.name, mine, folder.returned / name)
        except Exception as failure:
            # What is wrong stands in rejected_rows all the same; no sender's file may stop the run.
            say(f"退回件“{name}”未能写出：{type(failure).__name__}")
            del index[identifier]
            continue
        written += 1
    for name in {entry[0] for entry in before.values()} - {entry[0] for entry in index.values()}:
        (folder.returned / name).unlink(missing_ok=True)
    if index != before:
        durable.write_text(index_path, json.dumps(index, ensure_ascii=False, indent=0))
    if written:
        say(f"写出退回件 {written} 份：{folder.returned}")
    if left:
        say(
            f"另有 {left} 份有问题的文件，退回件留待下次运行；急用可用 oversight check 文件 --format workbook"
        )
    return written
