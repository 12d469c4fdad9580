"""A change and its life: asked for, agreed to or sent back, written, undone by a new one."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from oversight import durable
from oversight.accounts import record
from oversight.accounts.actor import Actor
from oversight.accounts.roles import Action, apart
from oversight.archive import store as archive
from oversight.settings import TIME_ZONE, DataFolder
from oversight.workflow.following import locked
from oversight.workflow.rules.catalogue import Group, RuleError, Step, file_of, steps_of
from oversight.workflow.rules.checks import check, group_of, must_see
from oversight.workflow.rules.contents import contents_after

REASON_CHARACTERS = 500
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
# Who asks for a change and who agrees to it; '' where one person is enough.
ASKS: dict[Group, tuple[Action, Action | None]] = {
    "corrections": ("correct", "confirm"),
    "standards": ("write_standards", "approve_standards"),
    "headings": ("confirm", None),
}
STATES = {
    "waiting": "待批准",
    "taking": "写入中",
    "taken": "已生效",
    "returned": "已退回",
    "withdrawn": "已撤回",
}


def _home(folder: DataFolder) -> Path:
    return folder.root / "rules"


def changes(folder: DataFolder) -> list[dict[str, Any]]:
    """Every change, the newest first."""
    found = []
    for path in sorted(_home(folder).glob("*.json"), reverse=True):
        if _ID.fullmatch(path.stem):
            found.append(json.loads(path.read_text("utf-8")))
    return found


def change(folder: DataFolder, name: str) -> dict[str, Any]:
    """A change by its id. Raises `RuleError`."""
    path = _home(folder) / f"{name}.json"
    if not _ID.fullmatch(name) or not path.is_file():
        raise RuleError("没有这项改动。请刷新页面。")
    told: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return told


def _keep(folder: DataFolder, told: Mapping[str, Any]) -> None:
    durable.write_text(
        _home(folder) / f"{told['id']}.json", json.dumps(told, ensure_ascii=False, indent=1), lasting=True
    )


def _event(step: str, actor: Actor, note: str) -> dict[str, str]:
    return {
        "step": step,
        "by": actor.name,
        "at": f"{datetime.now(TIME_ZONE):%Y-%m-%dT%H:%M:%S}",
        "note": note,
    }


def _who(actor: Actor) -> None:
    if not actor.name:
        raise RuleError("改动要记下是谁办的，这里还没有账号。请先用 oversight user add 建立账号。")


def ask_for(
    folder: DataFolder, steps: Sequence[Step], why: str, actor: Actor, *, key: str, undoes: str = ""
) -> dict[str, Any]:
    """Ask for a change; where one person is enough it is made at once. The same `key` a second time is the same change.

    Raises `RuleError` with everything that is wrong with it.
    """
    _who(actor)
    reason = " ".join(why.split())[:REASON_CHARACTERS]
    if not reason:
        raise RuleError("改动要写明理由，没有提交。请写明理由后再提交。")
    steps = [signed(step, actor.name) for step in steps]
    with locked(folder, "rules"):
        _finish(folder)
        again = next((told for told in changes(folder) if told["key"] == key), None)
        if again is not None:
            return again
        wrong = check(folder, steps, actor.scope)
        if wrong:
            raise RuleError("\n".join(wrong))
        group = group_of(steps)
        told: dict[str, Any] = {
            "id": f"{datetime.now(TIME_ZONE):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
            "key": key,
            "group": group,
            "state": "waiting",
            "steps": [
                {"file": s.file, "place": s.place, "before": s.before, "after": s.after} for s in steps
            ],
            "why": reason,
            "undoes": undoes,
            "events": [_event("提出", actor, reason)],
        }
        _note(folder, told, "提出", actor, reason)
        _keep(folder, told)
        if ASKS[group][1] is None:
            _take(folder, told, actor, "")
        return told


def signed(step: Step, name: str) -> Step:
    """With the name and the day that the file asks for: who sits before the page, and today."""
    if step.after is None or step.before is not None:
        return step
    today = f"{datetime.now(TIME_ZONE):%Y-%m-%d}"
    own = {
        "corrections": {"提出人": name, "日期": today},
        "headings": {"确认日期": today},
    }.get(step.file, {})
    return Step(step.file, step.place, None, {**step.after, **own})


def decide(folder: DataFolder, name: str, verdict: str, note: str, actor: Actor) -> dict[str, Any]:
    """Agree to a change, send it back, or take back one's own. Raises `RuleError` and `Conflict`."""
    _who(actor)
    told_note = " ".join(note.split())[:REASON_CHARACTERS]
    with locked(folder, "rules"):
        _finish(folder)
        told = change(folder, name)
        asker = str(told["events"][0]["by"])
        asks, agrees = ASKS[told["group"]]
        wanted = {"agree": "taken", "return": "returned", "withdraw": "withdrawn"}[verdict]
        if told["state"] != "waiting":
            if told["state"] == wanted and told["events"][-1]["by"] == actor.name:
                # Pressed twice.
                return told
            raise RuleError(
                f"这项改动{STATES[told['state']]}（{told['events'][-1]['by']}），没有再处理。请刷新。"
            )
        if verdict == "withdraw":
            if actor.name != asker:
                raise RuleError("只有提出的人可以撤回。要否决请退回并写明原因。")
        else:
            must_see(folder, steps_of(told), actor.scope)
            if agrees is not None:
                apart(actor.name, agrees, [(asks, asker)])
        if verdict == "return" and not told_note:
            raise RuleError("退回要写明原因，没有处理。请写明原因后再提交。")
        if verdict == "agree":
            wrong = check(folder, steps_of(told), actor.scope)
            if wrong:
                raise RuleError("\n".join(wrong))
            _take(folder, told, actor, told_note)
            return told
        said = "退回" if verdict == "return" else "撤回"
        _note(folder, told, said, actor, told_note)
        told["state"] = wanted
        told["events"].append(_event(said, actor, told_note))
        _keep(folder, told)
        return told


def _take(folder: DataFolder, told: dict[str, Any], actor: Actor, note: str) -> None:
    """Write the files. What they said before and say after lies in the archive; a crash in between is made good."""
    contents = contents_after(folder, steps_of(told))
    said = "批准" if ASKS[told["group"]][1] is not None else "生效"
    _note(folder, told, said, actor, note)
    written = []
    for path, content in contents.items():
        before = archive.keep(folder, path.read_bytes()) if path.is_file() else ""
        written.append([path.relative_to(folder.root).as_posix(), before, archive.keep(folder, content)])
    told["written"] = written
    told["state"] = "taking"
    told["events"].append(_event(said, actor, note))
    _keep(folder, told)
    _write(folder, told)


def _write(folder: DataFolder, told: dict[str, Any]) -> None:
    for name, _, after in told["written"]:
        durable.write_bytes(folder.root / name, archive.read(folder, after))
    told["state"] = "taken"
    _keep(folder, told)


def _finish(folder: DataFolder) -> None:
    """A change that was cut off while its files were written is written to its end."""
    for told in changes(folder):
        if told["state"] == "taking":
            _write(folder, told)


def undone(folder: DataFolder, name: str) -> list[Step]:
    """The rows of a new change that takes back one that was made. Raises `RuleError`."""
    told = change(folder, name)
    if told["state"] != "taken":
        raise RuleError("只有已生效的改动可以恢复。")
    found = []
    for step in reversed(steps_of(told)):
        file = file_of(step.file)
        if step.file == "corrections" and step.before is None and step.after and step.after["类型"] == "更正":
            # The figure that counts goes back by a correction of its own: what was is not wiped out.
            cells = {**step.after, "原值": step.after.get("新值", ""), "新值": step.after.get("原值", "")}
            found.append(Step(step.file, "", None, {**cells, "原因": f"恢复：{step.after['原因']}"}))
            continue
        place = step.place or next(
            (Path(n).name for n, _, _ in told["written"] if (folder.root / n) in file.places(folder)), ""
        )
        found.append(Step(step.file, place if step.after is not None else "", step.after, step.before))
    return found


def _note(folder: DataFolder, told: Mapping[str, Any], said: str, actor: Actor, why: str) -> None:
    # What cannot be recorded does not happen.
    record.note(
        folder,
        "corrections" if told["group"] != "standards" else "standards",
        动作=said,
        编号=told["id"],
        文件=sorted({file_of(step["file"]).title for step in told["steps"]}),
        行数=len(told["steps"]),
        理由=why,
        办理人=actor.name,
    )
