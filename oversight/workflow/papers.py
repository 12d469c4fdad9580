"""月报 in the browser: drafts, their way to an issued paper, and the bureau's own wording. The life itself is
`oversight.reports`; here stands who may take which step after whom, and what takes long is done in a process of its own.

    python -m oversight.workflow.papers FOLDER    one request as JSON on standard input, its answer as JSON

    report/report.toml, report/templates/*.txt     what may be changed
    report/history/<time>-<name>                   what stood there before each change
"""

from __future__ import annotations

import json
import os
import re
import resource
import secrets
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from oversight import durable, presentation, scratch
from oversight.accounts import record
from oversight.accounts.actor import Actor
from oversight.errors import OversightError
from oversight.settings import PROJECT_ROOT, TIME_ZONE, DataFolder

SECONDS = 300
# A text that somebody is just writing may make more of itself than any report is.
PREVIEW_SECONDS, PREVIEW_BYTES = 90, 6 * 2**30
SETTINGS = "report.toml"
TEXT_CHARACTERS = 100_000
# Where files are sent to and by which server is for whoever runs the machine.
_NOT_HERE = ("delivery", "smtp")
_NAME = re.compile(r"[a-z_]{1,40}")


class PaperError(OversightError):
    """A step of a report cannot be taken; the sentence says why and what to do."""


def who(actor: Actor) -> str:
    """The name that a step is put down under. Raises `PaperError` where nobody signs in."""
    if not actor.name:
        raise PaperError("办理通报要记下是谁办的，这里还没有账号。请先用 oversight user add 建立账号。")
    return actor.name


def stamp(version: Any) -> str:
    """What changes with every change of a draft: whoever takes a step says by it what he has read."""
    first = version.events[0]
    return f"{version.content}-{version.manifest['style']}-{first['at']}"


def submit(folder: DataFolder, month: date, scope: str, read: str, actor: Actor) -> Any:
    """Hand a draft on to the reviewer."""
    from oversight.reports import life

    name = who(actor)
    _note(folder, "送审", month, scope, name)
    return life.submit(
        folder, month, scope, by=name, at=datetime.now(TIME_ZONE), expected=lambda v: stamp(v) == read
    )


def review(
    folder: DataFolder, month: date, scope: str, read: str, verdict: str, note: str, actor: Actor
) -> Any:
    """Agree to a draft that was handed on, or send it back with a reason."""
    from oversight.reports import life

    name, now = who(actor), datetime.now(TIME_ZONE)
    told = " ".join(note.split())[:500]
    if verdict == "return" and not told:
        raise PaperError("退回草稿要写明原因，没有处理。请写明原因后再提交。")
    _note(folder, "审核" if verdict == "accept" else "退回草稿", month, scope, name, 意见=told)
    is_as_read = lambda version: stamp(version) == read  # noqa: E731
    if verdict == "return":
        return life.send_back(folder, month, scope, by=name, at=now, why=told, expected=is_as_read)
    return life.review(
        folder, month, scope, by=name, at=now, note=told, expected=is_as_read, is_submitted=True
    )


def withdraw(folder: DataFolder, month: date, scope: str, number: int, why: str, actor: Actor) -> Any:
    """Take back the paper that stands; asked again for the same one, it stays as it is."""
    from oversight.reports import life, versions

    name, told = who(actor), " ".join(why.split())[:500]
    if not told:
        raise PaperError("撤回通报要写明原因，没有处理。请写明原因后再提交。")
    chosen = next((item for item in versions(folder, month, scope) if item.number == number), None)
    if chosen is None:
        raise PaperError("没有这一版通报。请刷新页面。")
    if chosen.state == "withdrawn":
        if chosen.events[-1]["by"] == name:
            return chosen
        raise PaperError(f"这一版已由{chosen.events[-1]['by']}撤回，没有再处理。请刷新页面。")
    standing = [item for item in versions(folder, month, scope) if item.state == "issued"]
    if standing[-1].number != number:
        raise PaperError("这一版已被后来的更正取代，只能撤回最近印发的一版。请刷新页面。")
    _note(folder, "撤回", month, scope, name, 意见=told)
    return life.withdraw(folder, month, scope, by=name, at=datetime.now(TIME_ZONE), why=told)


def note(folder: DataFolder, step: str, month: date, scope: str, actor: Actor) -> None:
    """Put on the record that something is about to be done that takes long."""
    _note(folder, {"draft": "生成草稿", "issue": "印发", "deliver": "发送"}[step], month, scope, who(actor))


def apart(
    folder: DataFolder, actor: Actor, step: str, month: date, scope: str, **more: Any
) -> dict[str, Any]:
    """Make a draft, issue a paper, deliver it or show a preview, in a process of its own. Raises `PaperError`."""
    name, seconds = who(actor), PREVIEW_SECONDS if step == "preview" else SECONDS
    asked = {"step": step, "month": f"{month:%Y-%m-%d}", "scope": scope, "by": name, **more}
    command = [sys.executable, "-m", "oversight.workflow.papers", str(folder.root)]
    try:
        done = subprocess.run(
            command,
            cwd=PROJECT_ROOT,
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PaperError(
            f"超过 {seconds} 秒没有完成，已停止。请稍后再试；若仍不行，请告诉系统管理员。"
        ) from None
    lines = done.stdout.strip().splitlines()
    try:
        told: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    except ValueError:
        told = {}
    if "error" in told:
        raise PaperError(str(told["error"]))
    if done.returncode != 0 or not told:
        raise PaperError("没有完成。请重试；若仍不行，请告诉系统管理员。")
    return told


def _note(folder: DataFolder, step: str, month: date, scope: str, name: str, **more: Any) -> None:
    # What cannot be recorded does not happen.
    record.note(
        folder, "report", 步骤=step, 月份=presentation.month_code(month), 地区=[scope], 办理人=name, **more
    )


# --- in a process of its own --------------------------------------------------------------------------------


def _do(folder: DataFolder, asked: Mapping[str, Any]) -> dict[str, Any]:
    from oversight.reports import Issuing, make_all, versions
    from oversight.reports.delivery import deliver

    month, scope, now = date.fromisoformat(asked["month"]), str(asked["scope"]), datetime.now(TIME_ZONE)
    if asked["step"] == "deliver":
        found = [item for item in versions(folder, month, scope) if item.number == asked["number"]]
        if not found:
            raise PaperError("没有这一版通报。请刷新页面。")
        return {"lines": deliver(folder, found[0])}
    if asked["step"] == "preview":
        resource.setrlimit(resource.RLIMIT_AS, (PREVIEW_BYTES, PREVIEW_BYTES))
        return {"html": _preview(folder, month, scope, asked["name"], asked["text"])}
    issuing = None
    if asked["step"] == "issue":
        signed_on = date.fromisoformat(asked["signed_on"]) if asked.get("signed_on") else None
        issuing = Issuing(str(asked["by"]), now, asked.get("number"), signed_on=signed_on)
    (made,) = make_all(
        folder,
        month,
        [scope],
        provisional=bool(asked.get("provisional")),
        issuing=issuing,
        now=now,
        by=str(asked["by"]),
    )
    return {"number": made.version.number, "is_new": made.is_new, "document_no": made.version.document_no}


def _preview(folder: DataFolder, month: date, scope: str, name: str, text: str) -> str:
    """The draft of a report as it would read with one text changed, as a page."""
    from oversight.calendar import load_calendar
    from oversight.reports import config
    from oversight.reports.content import build
    from oversight.reports.facts import gather
    from oversight.reports.make import DRAFT_ZH, opened, render
    from oversight.reports.paper import Paper

    with scratch.folder() as place:
        aside = DataFolder.at(place)
        own = config.report_folder(folder)
        if own.is_dir():
            shutil.copytree(own, config.report_folder(aside), ignore=shutil.ignore_patterns("history"))
        target = config.report_folder(aside) / _path_of(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
        wording = config.load(aside, scope)
        with opened(folder) as connection:
            facts = gather(connection, month, scope, wording.settings["content"]["rank_by"])
            report = build(facts, wording, Paper(notice=f"预览，{DRAFT_ZH}"), load_calendar(folder))
            return render(report, wording, ["html"], lambda _: None)["html"].decode()


def main(arguments: list[str]) -> int:
    """Answer one request."""
    try:
        told = _do(DataFolder.at(arguments[0]), json.load(sys.stdin))
    except OversightError as error:
        told = {"error": str(error)}
    except MemoryError:
        told = {"error": "这样的文字会生成太大的通报，没有预览。请检查文字里的重复和循环。"}
    print(json.dumps(told, ensure_ascii=True), flush=True)
    return 0


# --- wording ------------------------------------------------------------------------------------------------


def _path_of(name: str) -> Path:
    if name == SETTINGS:
        return Path(SETTINGS)
    if not _NAME.fullmatch(name):
        raise PaperError("没有这份文字。请刷新页面。")
    return Path("templates") / f"{name}.txt"


def texts(folder: DataFolder) -> list[dict[str, Any]]:
    """What may be changed: the settings and each template, with what stands there now and by default."""
    from oversight.reports.config import DEFAULTS, report_folder

    own = report_folder(folder)
    names = sorted(
        {
            path.stem
            for root in (DEFAULTS, own)
            for path in root.glob("templates/*.txt")
            if _NAME.fullmatch(path.stem)
        }
    )
    found = []
    for name in (SETTINGS, *names):
        mine, default = own / _path_of(name), DEFAULTS / _path_of(name)
        text = mine.read_text("utf-8") if mine.is_file() else None
        given = default.read_text("utf-8") if default.is_file() else ""
        found.append(
            {
                "name": name,
                "is_own": text is not None,
                # The settings are laid over the defaults: an empty file changes nothing.
                "text": text if text is not None else "" if name == SETTINGS else given,
                "default": given,
            }
        )
    return found


def check_text(folder: DataFolder, name: str, text: str) -> None:
    """Raise `PaperError` for what may not be changed here, or cannot be read."""
    _path_of(name)
    if name not in {item["name"] for item in texts(folder)}:
        raise PaperError("没有这份文字。请刷新页面。")
    if len(text) > TEXT_CHARACTERS:
        raise PaperError(f"文字超过 {TEXT_CHARACTERS:,} 字，没有保存。请缩短。")
    if name != SETTINGS:
        return
    before = next(item["text"] for item in texts(folder) if item["name"] == SETTINGS)
    told = []
    for content in (before, text):
        try:
            told.append(tomllib.loads(content))
        except tomllib.TOMLDecodeError as error:
            if content is text:
                raise PaperError(f"设置读不懂：{error}。请按 名称 = 值 的写法改正。") from error
            told.append({})
    if any(told[0].get(part) != told[1].get(part) for part in _NOT_HERE):
        raise PaperError("发送到哪里（[[delivery]]、[smtp]）只能由管理员在服务器上改。请还原这几行后再保存。")


def save_text(folder: DataFolder, name: str, text: str, read: str, actor: Actor) -> None:
    """Put a text in the place of what stands there; what stood there is kept. An empty one goes back to the default.

    `read` is what the writer had before him: where somebody else has saved since, nothing is changed.
    """
    from oversight.reports.config import report_folder

    check_text(folder, name, text)
    now_there = next(item["text"] for item in texts(folder) if item["name"] == name)
    text = text.replace("\r\n", "\n")
    if now_there == text:
        return
    if now_there != read.replace("\r\n", "\n"):
        raise PaperError("在您打开以后，别人保存过这份文字，没有覆盖。请复制您的改动，刷新页面后再改。")
    path = report_folder(folder) / _path_of(name)
    at = datetime.now(TIME_ZONE)
    record.note(folder, "report", 步骤="修改文字与设置", 文件=str(_path_of(name)), 办理人=who(actor))
    if path.is_file():
        kept = report_folder(folder) / "history" / f"{at:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}-{path.name}"
        durable.write_bytes(kept, path.read_bytes())
    if text.strip():
        durable.write_text(path, text)
    elif path.is_file():
        path.unlink()
        durable.sync(path.parent)


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "agg")
    sys.exit(main(sys.argv[1:]))
