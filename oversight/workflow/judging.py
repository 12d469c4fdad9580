"""Judging uploads and filling in a template, in a process of their own.

    python -m oversight.workflow.judging stay FOLDER
    python -m oversight.workflow.judging template FOLDER DATASET COUNTY MONTH TARGET PREFIXES

The history that an upload is judged against may be large, and a server that answers others must not grow with it. With
`stay` each line of the input is the place of a tray, and its answer a line of the output; the process ends with its input,
when nobody has asked for a while, and when it has grown.
"""

from __future__ import annotations

import hashlib
import json
import select
import shutil
import sys
import traceback
from datetime import date, datetime
from pathlib import Path
from typing import Any

from oversight import durable
from oversight.accounts.scope import Scope
from oversight.contracts import ALL_DATASETS
from oversight.errors import OversightError
from oversight.intake.reading.mending import Change
from oversight.intake.reading.worker import own_memory, worker
from oversight.intake.sending_back.checking import Checked, RowUnit, check
from oversight.intake.sending_back.instructions import SHOWN, Instruction, instructions
from oversight.intake.sending_back.marked_workbook import NOT_OPENED
from oversight.intake.sending_back.remarks import KIND_ZH, Remark
from oversight.intake.sending_back.returning import return_workbook, returned_name
from oversight.intake_messages import HARMLESS
from oversight.settings import TIME_ZONE, DataFolder
from oversight.workflow import headings, review
from oversight.workflow.handing_in import MONTHLY, Tray, changes_told, taken_in, waiting
from oversight.workflow.templates import fill_in

# More kinds of mistakes than anybody corrects in a page; the marked workbook has them all.
INSTRUCTIONS_SHOWN = 300
# A process that stays, but for nobody, ends after so long; one that has grown to this after its answer.
IDLE_SECONDS = 300
GROWN_BYTES = 768 * 2**20
# Cells of which a page says what is wrong with them, beside the cell.
MARKS_SHOWN = 500
NOT_MENDED = "改动没有完成，文件没有变。请再试一次，或改好后重新上传。"
OUTSIDE = "这一行不是由您报送的单位。"
OUTSIDE_TO_DO = "请删去这一行后重新上传，或由该单位自己报送。"


def judge(folder: DataFolder, tray: Tray) -> None:
    """Judge every file of an upload as if it were put into raw/ now; what was found goes into the tray."""
    tray = _mended(tray)
    scope = Scope(tuple(tray.meta["prefixes"]))
    names = [f"{tray.meta['county_name']}/{item['name']}" for item in tray.files]
    paths = [tray.file(number) for number in range(len(tray.files))]
    checked = check(paths, folder, now=datetime.now(TIME_ZONE), names=names)
    known, open_ones = taken_in(folder), waiting(folder)
    seen: set[str] = set()
    found = []
    for number, file in enumerate(checked):
        sha256 = tray.files[number]["sha256"]
        again = "此前已经采用" if sha256 in known else "此前已经报送，待运行" if sha256 in open_ones else ""
        if sha256 in seen:
            again = "与这次上传的另一个文件"
        seen.add(sha256)
        found.append(_told(folder, tray, number, file, scope, again))
    durable.write_text(tray.place / "found.json", json.dumps(found, ensure_ascii=False))


def _mended(tray: Tray) -> Tray:
    """The upload with the cells changed that somebody changed in the page; with the reason where that cannot be done."""
    waiting_ones: dict[str, Any] = tray.meta.get("changes", {})
    if not waiting_ones:
        return tray
    files, refused = [dict(item) for item in tray.files], {}
    done = list(tray.meta.get("mended", ()))
    for asked in waiting_ones.values():
        number = asked["number"]
        cells = [Change(**cell) for cell in asked["cells"]]
        (made,) = worker().run("mended", [(tray.file(number), files[number]["name"], cells)])
        if isinstance(made, bytes):
            # Cut off after this it is done again: of the changed file the same comes out.
            durable.write_bytes(tray.file(number), made)
            files[number] |= {"sha256": hashlib.sha256(made).hexdigest(), "size": len(made)}
            done.append(asked)
        else:
            refused[str(number)] = made if isinstance(made, str) else NOT_MENDED
    return tray.save(files=files, mended=done, refused=refused, changes={})


def _page(tray: Tray, number: int, file: Checked) -> bool:
    """Put down the cells of a file as a page shows them to be changed; whether they can be."""
    place = tray.page(number)
    place.unlink(missing_ok=True)
    if file.is_personal or tray.meta.get("is_nil") or any(r.error_code in NOT_OPENED for r in file.remarks):
        return False
    marked: dict[str, list[int]] = {}
    marks = []
    for remark in file.remarks:
        if remark.row_number is not None:
            marked.setdefault(remark.sheet or "", []).append(remark.row_number)
        if remark.cell is not None and remark.error_code not in HARMLESS:
            marks.append(_remark(remark) | {"sheet": remark.sheet or ""})
    (found,) = worker().run("shown", [(tray.file(number), tray.files[number]["name"], marked)])
    if not isinstance(found, list):
        return False
    told = {"sha256": tray.files[number]["sha256"], "sheets": found, "marks": marks[:MARKS_SHOWN]}
    durable.write_text(place, json.dumps(told, ensure_ascii=False))
    return True


def _told(
    folder: DataFolder, tray: Tray, number: int, file: Checked, scope: Scope, again: str
) -> dict[str, Any]:
    # A unit that was not made out is told by the judgement itself: its row is refused there.
    outside = [unit for unit in file.units if unit.code is not None and not scope.covers(unit.code)]
    theirs = {(unit.sheet, unit.row_number) for unit in outside}
    # What is said of somebody else's row may speak of somebody else's figures.
    remarks = [r for r in file.remarks if (r.sheet, r.row_number) not in theirs]
    remarks = sorted([*map(_outside, outside), *remarks], key=lambda r: (r.sheet or "", r.row_number or 0))
    told = instructions(remarks)
    others = sorted({unit.dataset for unit in file.units} - set(MONTHLY))
    reason = ""
    if file.status == "refused":
        reason = "整份文件不能用，不能报送。请按说明改正后重新上传。"
    elif outside:
        reason = f"文件里有 {len(outside)} 行不是由您报送的单位，不能报送。请删去这些行后重新上传。"
    elif others and tray.meta["role"] == "reporter":
        reason = "报送员只能报送户籍人口、民政工作经费、民政工作人员和能力建设指标。这份文件请交县级分析员。"
    elif again:
        reason = (
            f"内容{again}相同，不用重复报送。"
            if again.startswith("与")
            else f"同样内容的文件{again}，不用重复报送。"
        )
    elif not any(file.counts[kind] for kind in ("accepted", "held", "rejected")):
        reason = "文件里没有可用的行，不能报送。请检查是否传错了文件。"
    elif tray.meta.get("is_nil") and not all(unit.is_nil for unit in file.units):
        reason = "零报告没有写成，未报送。请改用模板填写“零报告”。"
    marked = False
    if remarks:
        try:
            # Read as what it is by its ending; the tray has it under a number.
            source = tray.place / f"{number}" / file.name.rpartition("/")[2]
            source.parent.mkdir(exist_ok=True)
            shutil.copyfile(tray.file(number), source)
            return_workbook(source, file.name, remarks, tray.marked(number))
            shutil.rmtree(source.parent)
            marked = True
        except Exception as failure:
            # What is wrong stands in the page all the same.
            print(f"marked workbook of {file.submission_id}: {type(failure).__name__}", file=sys.stderr)
    own = [unit for unit in file.units if (unit.sheet, unit.row_number) not in theirs]
    months = sorted({f"{unit.month:%Y-%m}" for unit in own if unit.month})
    return {
        "name": tray.files[number]["name"],
        "sha256": tray.files[number]["sha256"],
        "status": file.status,
        "message_zh": file.message_zh if not outside else reason,
        "dataset": file.dataset,
        "dataset_zh": MONTHLY.get(file.dataset or "", file.dataset),
        "months": months,
        "units": sorted({unit.code for unit in own if unit.code}),
        "cells": sorted({_cell(unit) for unit in own if unit.code and unit.month}),
        "counts": file.counts,
        "remarks": [_instruction(item) for item in told[:INSTRUCTIONS_SHOWN]],
        "asked": headings.told(file.proposals),
        "said": tray.meta.get("said", {}).get(str(number), ""),
        "instructions_count": len(told),
        "notes": list(file.notes),
        "is_personal": file.is_personal,
        **(_for_review(file) if _is_reviewed(folder, tray, own) else {}),
        "marked": returned_name(tray.files[number]["name"], file.submission_id) if marked else "",
        "may_hand_in": not reason,
        "reason": reason,
        "may_mend": _page(tray, number, file),
        "refused": tray.meta.get("refused", {}).get(str(number), ""),
        "mended": [
            line
            for done in tray.meta.get("mended", ())
            if done["number"] == number
            for line in changes_told(done["cells"])
        ],
    }


def _is_reviewed(folder: DataFolder, tray: Tray, units: list[RowUnit]) -> bool:
    return review.is_on(
        folder, [tray.meta["county_code"], *sorted({unit.code for unit in units if unit.code})]
    )


def _for_review(file: Checked) -> dict[str, Any]:
    """What a reviewer reads: every row that can be used with what was found in it, what can not, and what is said of
    the file or of a sheet."""
    titles: dict[tuple[str | None, int | None], list[Remark]] = {}
    for remark in file.remarks:
        titles.setdefault((remark.sheet, remark.row_number), []).append(remark)
    lines, used = [], set()
    for line in file.lines:
        own = [r for r in titles.get((line.sheet, line.row_number), []) if r.kind in ("held", "doubt")]
        used |= {id(r) for r in own}
        lines.append(
            {
                "dataset": line.dataset,
                "dataset_zh": ALL_DATASETS[line.dataset].title_zh,
                "sheet": line.sheet,
                "row": line.row_number,
                "code": line.code,
                "name": line.name or "",
                "month": f"{line.month:%Y-%m}" if line.month else "",
                "is_nil": line.is_nil,
                "figures": {title: str(value) for title, value in line.figures.items()},
                "remarks": [
                    # A figure that is held for itself was left out of its row: it is nought.
                    _remark(r) | {"base": str(line.figures.get(r.column_title or "", "0"))}
                    for r in own
                    if r.error_code not in HARMLESS
                ],
            }
        )
    rest = [r for r in file.remarks if id(r) not in used and r.error_code not in HARMLESS]
    return {
        "lines": lines,
        "unusable": [_remark(r) for r in rest if r.kind == "rejected"],
        "file_remarks": [_remark(r) for r in rest if r.kind != "rejected"],
    }


def _cell(unit: RowUnit) -> str:
    return f"{unit.dataset} {unit.month:%Y-%m} {unit.code}"


class _Outside(Remark):
    """A row of somebody else: told like a unit that does not exist, so that it does not show which do."""

    @property
    def title_zh(self) -> str:
        """The short name."""
        return "不是本单位"


def _outside(unit: RowUnit) -> Remark:
    return _Outside(
        "rejected",
        "R08",
        unit.sheet,
        unit.row_number,
        "区划代码",
        None,
        unit.written,
        OUTSIDE,
        OUTSIDE_TO_DO,
    )


def _instruction(item: Instruction) -> dict[str, Any]:
    """Equal remarks as the one thing that there is to do, with the cells that it is about."""
    first = _remark(item.first)
    if item.count == 1:
        return first | {"count": 1}
    return first | {
        "row": None,
        "cell": item.cells()
        or "、".join(f"第 {r.row_number} 行" for r in item.remarks[:SHOWN] if r.row_number),
        "value": item.values_zh or None,
        "what": item.message_zh,
        "count": item.count,
    }


def _remark(remark: Remark) -> dict[str, Any]:
    return {
        "kind": remark.kind,
        "kind_zh": KIND_ZH[remark.kind],
        "sheet": remark.sheet,
        "row": remark.row_number,
        "column": remark.column_title,
        "cell": remark.cell,
        "value": remark.value,
        "what": remark.message_zh,
        "to_do": remark.what_to_do_zh,
    }


def stay(folder: DataFolder) -> None:
    """Judge what is asked, one after the other."""
    answers, sys.stdout = sys.stdout, sys.stderr
    while select.select([sys.stdin], [], [], IDLE_SECONDS)[0] and (line := sys.stdin.readline()):
        place = Path(json.loads(line))
        told = {"sentence": "", "failure": ""}
        try:
            judge(folder, Tray(place.name, place, json.loads((place / "tray.json").read_text("utf-8"))))
        except OversightError as error:
            told["sentence"] = str(error)
        except Exception as failure:
            # One upload that cannot be judged is no reason not to judge the next.
            told["failure"] = "".join(traceback.format_exception(failure))
        print(json.dumps(told), file=answers, flush=True)
        # What it has now: the most it ever had begins with the most that the server had which started it.
        if own_memory()[1] > GROWN_BYTES:
            return


def main(arguments: list[str]) -> int:
    """0 when it is done; otherwise one sentence on the error stream."""
    kind, root, *rest = arguments
    folder = DataFolder.at(root)
    try:
        if kind == "stay":
            stay(folder)
        else:
            dataset, county, month, target, prefixes = rest
            fill_in(
                folder,
                dataset,
                county,
                date.fromisoformat(f"{month}-01"),
                Path(target),
                now=datetime.now(TIME_ZONE),
                scope=Scope(tuple(prefixes.split(","))),
            )
    except OversightError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
