"""The rows of the files as they stand, and the contents that a change gives them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from oversight.settings import DataFolder
from oversight.workflow.rules.catalogue import Cells, File, Row, RuleError, Step, file_of, rows_in, table_in


def _aliases(file: File) -> dict[str, str]:
    """Other spellings of a file's heads."""
    # A bureau may have written the standard's id as the program calls it.
    return (
        {"standard_id": "标准编号", "last_confirmed_on": "确认日期"} if file.name == "confirmations" else {}
    )


def rows(folder: DataFolder, file: File) -> list[Row]:
    """The bureau's own rows of a file as they stand now."""
    return [row for path in file.places(folder) for row in rows_in(path, _aliases(file))]


def _is_same(file: File, one: Cells, other: Cells) -> bool:
    return all(one.get(column.name, "") == other.get(column.name, "") for column in file.columns)


def contents_after(folder: DataFolder, steps: Sequence[Step]) -> dict[Path, bytes]:
    """The contents that the files have after the steps. Raises `RuleError` for a row that is not there any more."""
    texts: dict[Path, tuple[list[str], list[list[str]]]] = {}
    for step in steps:
        file = file_of(step.file)
        path = file.target(folder)
        if step.before is not None:
            places = {place.name: place for place in file.places(folder)}
            if step.place not in places:
                raise RuleError(f"{file.title}里没有 {step.place} 这个文件了。请刷新后重试。")
            path = places[step.place]
        if path not in texts:
            titles, lines = table_in(path) if path.is_file() else ([], [])
            texts[path] = (titles or [column.name for column in file.columns], [row for _, row in lines])
        heads, body = texts[path]
        aliases = _aliases(file)
        at = None
        if step.before is not None:
            told = [
                {aliases.get(head, head): cell.strip() for head, cell in zip(heads, row, strict=False)}
                for row in body
            ]
            at = next((n for n, row in enumerate(told) if _is_same(file, row, step.before)), None)
            if at is None:
                raise RuleError(
                    f"{file.title}里的这一行在您打开之后有了变化，没有处理。请刷新后按现在的内容办理。"
                )
        if step.after is None:
            if at is not None:
                del body[at]
            continue
        own = {aliases.get(head, head) for head in heads}
        for name in [name for name, cell in step.after.items() if cell and name not in own]:
            heads.append(name)
        kept = body[at] + [""] * len(heads) if at is not None else [""] * len(heads)
        names = [aliases.get(head, head) for head in heads]
        made = [step.after.get(name, kept[n]) for n, name in enumerate(names)]
        if at is None:
            body.append(made)
        else:
            body[at] = made
    return {path: _written(*text) for path, text in texts.items()}


def _written(heads: Sequence[str], body: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows(body)
    return b"\xef\xbb\xbf" + text.getvalue().encode()
