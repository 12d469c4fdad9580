"""Where reports lie: `reports/<month>/<division>/draft/`, and `v<N>/` for each paper issued, complete and frozen.

What became of a paper (drafted, reviewed, issued, withdrawn) stands in its manifest as events, each with who and
when; its files never change. A paper is prepared in a folder nobody reads, forced to disk and renamed into place; a
format asked for later is added the same way, the manifest last. One lock for a data folder's reports: of two
schedulers that make the same report at once, the second waits and finds it made.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, cast

from oversight import durable, presentation
from oversight.archive.sums import as_json, digest_of, is_as_written, not_vouched
from oversight.reports.errors import ReportError
from oversight.settings import DataFolder

FORMATS = ("docx", "pdf", "xlsx", "html")
MANIFEST, SNAPSHOT, DRAFT = "manifest.json", "snapshot.json", "draft"
_INCOMING = ".incoming"
WAIT_SECONDS = 900.0
_NUMBERED = re.compile(r"v[0-9]+")


State = Literal["drafted", "submitted", "reviewed", "returned", "issued", "withdrawn"]
STATE_ZH: dict[State, str] = {
    "drafted": "草稿",
    "submitted": "已送审",
    "returned": "已退回",
    "reviewed": "已审核",
    "issued": "已印发",
    "withdrawn": "已撤回",
}


@dataclass(frozen=True)
class Version:
    """A paper that was issued, or the draft of one (number 0)."""

    path: Path
    manifest: dict[str, Any]

    @property
    def number(self) -> int:
        """1, 2, …; 0 for a draft."""
        return int(self.manifest["version"])

    @property
    def is_draft(self) -> bool:
        """Drafts are never delivered."""
        return self.number == 0

    @property
    def state(self) -> State:
        """What became of it last."""
        return cast("State", self.events[-1]["step"])

    @property
    def events(self) -> list[dict[str, str]]:
        """Its life: `step`, `by`, `at` and `note` of each step, the first first."""
        return list(self.manifest["events"])

    @property
    def content(self) -> str:
        """The fingerprint of what the report says of its division, whatever edition or date it has."""
        return str(self.manifest["content"])

    @property
    def is_correction(self) -> bool:
        """Whether it corrects a paper issued before."""
        return bool(self.manifest["corrects"])

    @property
    def document_no(self) -> str:
        """Its number as printed; a draft has none."""
        return str(self.manifest["document_no"])

    @property
    def issued_on(self) -> date | None:
        """The day it was issued."""
        told = self.manifest["issued_on"]
        return date.fromisoformat(told) if told else None

    @property
    def name_zh(self) -> str:
        """What a list calls it: 草稿, 第2版（更正）."""
        if self.is_draft:
            state = f"（{STATE_ZH[self.state]}）" if self.state != "drafted" else ""
            return f"{'更正稿' if self.is_correction else '草稿'}{state}"
        kind = "（更正）" if self.is_correction else ""
        return f"第{presentation.count(self.number)}版{kind}{'，已撤回' if self.state == 'withdrawn' else ''}"

    @property
    def edition_id(self) -> str:
        """The edition whose figures it holds."""
        return str(self.manifest["edition_id"])

    @property
    def month(self) -> date:
        """The first day of the month it is about."""
        return date.fromisoformat(f"{self.manifest['month']}-01")

    @property
    def scope_code(self) -> str:
        """The province, city or county it is about, by its code of six digits."""
        return str(self.manifest["scope_code"])

    @property
    def scope_name(self) -> str:
        """That division's name when the report was made."""
        return str(self.manifest["scope_name"])

    @property
    def title(self) -> str:
        """Its title as printed."""
        return str(self.manifest["title"])

    @property
    def draft_reason(self) -> str:
        """What a draft says of itself on every page; empty for a version."""
        return str(self.manifest["draft"])

    @property
    def built_at(self) -> datetime:
        """When its edition was made."""
        return datetime.fromisoformat(self.manifest["built_at"])

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats it was made in; `file` says where one lies, `verified` reads it."""
        return tuple(form for form in FORMATS if form in self.manifest["files"])

    def file(self, form: str) -> Path:
        """Where a format lies."""
        return self.path / str(self.manifest["files"][form]["name"])

    def verified(self, form: str) -> bytes:
        """A format's bytes, if they are still those that were written."""
        told = self.manifest["files"].get(form)
        path = self.path / str(told["name"]) if told else None
        if path is None or not path.is_file():
            raise ReportError(f"通报 {self.path} 缺少 {form}，未发送。请重新运行 oversight report。")
        content: bytes = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != told["sha256"]:
            raise ReportError(f"通报文件 {path} 被改动过，未发送。请删除该文件后重新运行 oversight report。")
        return content


def reports_folder(folder: DataFolder) -> Path:
    """Where all reports of a data folder lie."""
    return folder.root / "reports"


def scope_folder(folder: DataFolder, month: date, scope_code: str) -> Path:
    """Where the versions of one report lie."""
    return reports_folder(folder) / presentation.month_code(month) / scope_code


def versions(folder: DataFolder, month: date, scope_code: str) -> list[Version]:
    """All versions of a report, the oldest first."""
    found = [
        _read(path)
        for path in scope_folder(folder, month, scope_code).glob(f"v*/{MANIFEST}")
        if _NUMBERED.fullmatch(path.parent.name)
    ]
    return sorted(found, key=lambda version: version.number)


def draft(folder: DataFolder, month: date, scope_code: str) -> Version | None:
    """The draft of a report, if there is one."""
    path = scope_folder(folder, month, scope_code) / DRAFT / MANIFEST
    return _read(path) if path.is_file() else None


def standing(found: list[Version]) -> Version | None:
    """The last paper of a report that was not withdrawn."""
    return next((version for version in reversed(found) if version.state == "issued"), None)


def discard_draft(folder: DataFolder, month: date, scope_code: str) -> None:
    """Remove a draft that has been issued or has nothing new to say. Call it under the lock."""
    shutil.rmtree(scope_folder(folder, month, scope_code) / DRAFT, ignore_errors=True)


def note(version: Version, step: State, by: str, at: datetime, why: str = "") -> Version:
    """Put down what became of a paper. Call it under the lock."""
    events = [*version.events, event(step, by, at, why)]
    told = {**version.manifest, "events": events}
    durable.write_bytes(version.path / MANIFEST, as_json(told))
    return Version(version.path, told)


def event(step: State, by: str, at: datetime, why: str = "") -> dict[str, str]:
    """One step of a paper's life, as its manifest has it."""
    return {"step": step, "by": by, "at": at.isoformat(timespec="seconds"), "note": why}


def archive(folder: DataFolder, *, drafts: bool = False) -> list[Version]:
    """Every version that stands, for whoever lists or offers them; `drafts` adds the drafts.

    The newest month first; within a month by division, the newest version first, a draft last. Reads manifests
    only, takes no lock, writes nothing: a version is complete as soon as it can be seen. An empty list where no
    report was ever made.
    """
    found = [
        version
        for path in reports_folder(folder).glob(f"*/*/*/{MANIFEST}")
        if (drafts and path.parent.name == DRAFT) or _NUMBERED.fullmatch(path.parent.name)
        for version in [_read(path)]
    ]
    return sorted(found, key=lambda item: (-item.month.toordinal(), item.scope_code, -item.number))


def file_name(scope_name: str, month: date, form: str, *, is_correction: bool = False) -> str:
    """督查通报_湘东区_2025-06.docx."""
    safe = re.sub(r'[\\/:*?"<>|\s]+', "", scope_name).lstrip(".") or "report"
    return f"督查通报{'更正' if is_correction else ''}_{safe}_{presentation.month_code(month)}.{form}"


@contextmanager
def lock(folder: DataFolder, *, wait: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the reports of a data folder; waits for whoever holds them. The kernel frees it with the process."""
    path = reports_folder(folder) / ".lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise ReportError(
                        "另一个进程正在生成或发送通报，等候超时。请等它结束后再运行。"
                    ) from None
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


def clear_leftovers(folder: DataFolder, month: date, scope_code: str) -> None:
    """Remove what a crash left behind. Call it under the lock."""
    home = scope_folder(folder, month, scope_code)
    shutil.rmtree(home / _INCOMING, ignore_errors=True)
    for part in home.glob("v*/.*.part"):
        part.unlink(missing_ok=True)


def publish(
    folder: DataFolder,
    month: date,
    scope_code: str,
    manifest: dict[str, Any],
    files: Mapping[str, bytes],
    snapshot: dict[str, Any],
    on_step: Callable[[str], None],
) -> Version:
    """Put a new version, or the draft in place of the last draft, where readers find it."""
    home = scope_folder(folder, month, scope_code)
    incoming = home / _INCOMING
    incoming.mkdir(parents=True)
    told = {**manifest, "files": {}}
    for form, content in files.items():
        on_step(f"stage {form}")
        name = file_name(manifest["scope_name"], month, form, is_correction=bool(manifest["corrects"]))
        (incoming / name).write_bytes(content)
        told["files"][form] = _entry(name, content)
    on_step("snapshot")
    (incoming / SNAPSHOT).write_bytes(as_json(snapshot))
    on_step("manifest")
    (incoming / MANIFEST).write_bytes(as_json(told))
    on_step("rename")
    if manifest["version"]:
        place = home / f"v{manifest['version']}"
    else:
        place = home / DRAFT
        shutil.rmtree(place, ignore_errors=True)
    durable.put_folder(incoming, place)
    on_step("renamed")
    return Version(place, told)


def add_formats(version: Version, files: Mapping[str, bytes], on_step: Callable[[str], None]) -> Version:
    """Add formats to a version that was made without them; the manifest comes last."""
    told = {**version.manifest, "files": dict(version.manifest["files"])}
    month = version.month
    for form, content in files.items():
        on_step(f"add {form}")
        name = file_name(told["scope_name"], month, form, is_correction=version.is_correction)
        durable.write_bytes(version.path / name, content)
        told["files"][form] = _entry(name, content)
    on_step("manifest")
    durable.write_bytes(version.path / MANIFEST, as_json(told))
    return Version(version.path, told)


def read_snapshot(version: Version) -> dict[str, Any]:
    """What the version said."""
    content: dict[str, Any] = json.loads((version.path / SNAPSHOT).read_text("utf-8"))
    return content


def put(path: Path, content: dict[str, Any]) -> None:
    """A small file of the reports folder, in place as a whole or not at all."""
    durable.write_bytes(path, as_json(content))


def _read(path: Path) -> Version:
    try:
        return Version(path.parent, json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise ReportError(
            f"通报的清单 {path} 读不出来：{error}。请从备份恢复该文件，或把所在文件夹移走后重新生成。"
        ) from error


def _entry(name: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def examine(folder: DataFolder) -> Iterator[tuple[Path, list[tuple[Path, str]]]]:
    """Each folder of a paper, and the other files beside them: what there is not what was written, and why."""
    home = reports_folder(folder)
    if not home.is_dir():
        return
    places = [path for path in home.glob("*/*/*") if path.name == DRAFT or _NUMBERED.fullmatch(path.name)]
    for place in sorted(places):
        yield place, _examined(place)
    for scope in sorted({place.parent for place in places}):
        numbers = {int(place.name[1:]) for place in places if place.parent == scope and place.name != DRAFT}
        for number in sorted(set(range(1, max(numbers, default=0))) - numbers):
            yield scope / f"v{number}", [(scope / f"v{number}", "这一版不在了")]
    for path in sorted(home.glob("owed/*.json")):
        yield path, [] if is_as_written(path) else [(path, "内容与它的校验值不符")]
    for path in sorted(home.glob("*.sqlite.sha256")):
        database = path.with_name(path.name.removesuffix(".sha256"))
        damage = not_vouched(database)
        yield database, [(damage.path, damage.why)] if damage else []


def _examined(place: Path) -> list[tuple[Path, str]]:
    changed = "内容与它的校验值不符"
    if not (place / MANIFEST).is_file():
        return [(place / MANIFEST, "文件不在了")]
    if not is_as_written(place / MANIFEST):
        return [(place / MANIFEST, changed)]
    told = json.loads((place / MANIFEST).read_text("utf-8"))
    found = []
    files = {item["name"]: item["sha256"] for item in told["files"].values()}
    for name, sha256 in files.items():
        if not (place / name).is_file():
            found.append((place / name, "文件不在了"))
        elif digest_of(place / name) != sha256:
            found.append((place / name, changed))
    if not (place / SNAPSHOT).is_file():
        found.append((place / SNAPSHOT, "文件不在了"))
    elif not is_as_written(place / SNAPSHOT):
        found.append((place / SNAPSHOT, changed))
    strange = {path.name for path in place.iterdir()} - files.keys() - {MANIFEST, SNAPSHOT}
    return found + [(place / name, "清单里没有它") for name in sorted(strange) if not name.startswith(".")]
