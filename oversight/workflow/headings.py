"""表头确认: what is asked about the headings of a file, answered once in the page.

An answer is a row of `headings.csv`, put there as a change of 核算依据: it holds for every later file of the same sender and
layout, stands in the history and is taken back there. Who may confirm for the whole folder may give any; whoever hands in
may give it for a sender that is one of their own units. Where that cannot be told it is written into the heading of the
uploaded file, as into a returned workbook, and holds for that file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from oversight.accounts.actor import Actor
from oversight.accounts.roles import may
from oversight.accounts.scope import WHOLE
from oversight.contracts import ALL_DATASETS
from oversight.editions import current, open_edition
from oversight.intake.own_files import NOT_USED
from oversight.settings import DataFolder
from oversight.workflow import handing_in, rules
from oversight.workflow.handing_in import HandInError, Tray
from oversight.workflow.rules import Step

HELD = (
    "表头的答复已记下：以后同一报送单位的同一版式不再问。选错了，请县级分析员在“核算依据”的“表头含义”里改正。"
)
OF_FILE = "已写进这份文件的表头，只对这份文件有效。要以后不再问，请县级分析员在“核算依据”的“表头含义”里确认。"
NOT_MENDED = (
    "这份文件不能在页面里改表头。请在标注好的工作簿里选定后重新上传，或请县级分析员在“核算依据”里确认。"
)


def told(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Open questions as a page shows them: where, what is written, what it may be, what else can be chosen."""
    return [
        {
            "sheet": item["sheet"] or "",
            "cell": f"{item['letters']}{item['row_number']}",
            "heading": item["heading"],
            "dataset": item["dataset"],
            "dataset_zh": ALL_DATASETS[item["dataset"]].title_zh,
            "sender": item["sender"],
            "layout": item["layout"],
            "proposed": ALL_DATASETS[item["dataset"]].columns[item["column"]].title_zh,
            "likeness": item.get("likeness_zh") or "",
            "choices": [
                *(column.title_zh for column in ALL_DATASETS[item["dataset"]].columns.values()),
                NOT_USED,
            ],
        }
        for item in found
    ]


def open_ones(folder: DataFolder) -> list[dict[str, Any]]:
    """What is asked about files of the current edition and not answered since, each sender and layout once."""
    if current(folder) is None:
        return []
    # What reads reports, Polars and all, is in the server only once somebody has asked about headings.
    from oversight.intake import landed
    from oversight.intake.questions import proposals, read_answers

    with open_edition(folder) as connection:
        names = dict(connection.execute("select submission_id, file_name from submissions").fetchall())
    known = read_answers(folder)
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for item in proposals(landed.load_headings(folder), list(names)):
        where = (item["sender"], item["layout"], item["dataset"])
        if known.given(*where, item["heading"]) is None:
            # The latest file's, which is what somebody would look at.
            found[(*where, item["heading"])] = item
    shown = told(list(found.values()))
    return [
        one | {"file": names[item["submission_id"]]} for one, item in zip(shown, found.values(), strict=True)
    ]


def answer(
    folder: DataFolder,
    tray: Tray,
    number: int,
    sha256: str,
    chosen: Sequence[tuple[int, str]],
    actor: Actor,
    units: Mapping[str, str],
) -> Tray:
    """Answer questions about a judged file, by their place in `asked`, and have it judged again.

    `units`: names of the units of its county by code. Raises `HandInError`, `RuleError`. A second press changes nothing.
    """
    tray = tray.as_it_is()
    key = hashlib.sha256(json.dumps([tray.id, number, sha256, *chosen]).encode()).hexdigest()[:24]
    if key in tray.meta.get("answered", ()):
        return tray
    if tray.state != "judged" or not 0 <= number < len(tray.files):
        raise HandInError("正在核对。请等核对完成后再确认。")
    if tray.files[number]["sha256"] != sha256:
        raise HandInError("这份文件已经在别处改过。请刷新页面后再确认。")
    asked = tray.found()[number].get("asked", [])
    if any(not 0 <= n < len(asked) or title not in asked[n]["choices"] for n, title in chosen):
        raise HandInError("没有这个表头，或不是可选的列。请刷新页面。")
    items = [(asked[n], title) for n, title in chosen]
    answered = [*tray.meta.get("answered", ()), key]
    if all(_is_own(folder, item["sender"], actor, units) for item, _ in items):
        from oversight.intake.questions import read_answers

        known = read_answers(folder)
        steps = [
            Step(
                "headings",
                "",
                None,
                {
                    "报送单位": item["sender"],
                    "版式": item["layout"],
                    "报表": item["dataset_zh"],
                    "表头": item["heading"],
                    "对应列": title,
                },
            )
            for item, title in items
            # What somebody else has answered meanwhile stands.
            if known.given(item["sender"], item["layout"], item["dataset"], item["heading"]) is None
        ]
        if steps:
            # Whose it is was asked above: a row of this file names no unit by its code.
            whole = Actor(actor.name, actor.role, (WHOLE,), actor.address)
            why = f"报送时确认：{tray.files[number]['name']}"
            rules.ask_for(folder, steps, why, whole, key=key)
        return tray.as_it_is().save(state="waiting", answered=answered, said={str(number): HELD})
    made = handing_in.change(folder, tray, number, sha256, _cells(tray, number, items))
    return made.save(answered=answered, said={str(number): OF_FILE})


def _is_own(folder: DataFolder, sender: str, actor: Actor, units: Mapping[str, str]) -> bool:
    """Whether an answer for a sender is somebody's to give: the longest name of a unit in it is the sender."""
    if not actor.name:
        return False
    if may(actor.role, "confirm") and rules.has_all(folder, actor.scope):
        return True
    named = [(len(name), code) for code, name in units.items() if name and name in sender]
    return bool(named) and actor.scope.covers(max(named)[1])


def _cells(tray: Tray, number: int, items: Sequence[tuple[Mapping[str, Any], str]]) -> list[dict[str, Any]]:
    """The changes that write answers into a file's headings, as the drop-down of a returned workbook does."""
    try:
        page = json.loads(tray.page(number).read_text("utf-8"))
    except (OSError, ValueError):
        raise HandInError(NOT_MENDED) from None
    sheets = {sheet["name"]: sheet for sheet in page["sheets"]}
    found = []
    for item, title in items:
        letters = item["cell"].rstrip("0123456789")
        row_number = int(item["cell"].removeprefix(letters))
        sheet = sheets.get(item["sheet"], {"rows": [], "columns": []})
        cells: list[str | None] = next(
            (row["cells"] for row in sheet["rows"] if row["row"] == row_number), []
        )
        column = sheet["columns"].index(letters) if letters in sheet["columns"] else len(cells)
        if column >= len(cells) or not cells[column]:
            raise HandInError(NOT_MENDED)
        before = str(cells[column])
        place = {"sheet": item["sheet"], "row": row_number, "column": column + 1}
        found.append(place | {"before": before, "value": f"{before} → {title}"})
    return found
