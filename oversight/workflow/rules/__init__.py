"""核算依据: what a bureau itself lays down, changed in the browser: corrections, confirmations, own standards, funds,
calendar, due dates, headings. The files are the ones that the command line reads; nothing else is a source.

    rules/<id>.json   a change: its rows, why, who asked for it, who agreed, how it ended

A change names each row as it was seen and as it is to be, so that one that meanwhile says something else is not
overwritten. It is held against the same readers that a run uses, on a copy. Whoever writes a rule or a correction does
not agree to it; an answer to what a heading means needs no second person. Nothing is ever taken back but by a new change.
"""

from oversight.workflow.rules.catalogue import (
    Cells,
    Column,
    File,
    Form,
    Group,
    Row,
    RuleError,
    Step,
    file_of,
    files,
    steps_of,
)
from oversight.workflow.rules.checks import (
    CELL_CHARACTERS,
    ROWS_EACH,
    check,
    figures,
    group_of,
    has_all,
    in_sight,
    measure_of,
    sees,
    staged,
)
from oversight.workflow.rules.contents import rows
from oversight.workflow.rules.effects import touched
from oversight.workflow.rules.life import (
    ASKS,
    REASON_CHARACTERS,
    STATES,
    ask_for,
    change,
    changes,
    decide,
    signed,
    undone,
)

__all__ = [
    "ASKS",
    "CELL_CHARACTERS",
    "REASON_CHARACTERS",
    "ROWS_EACH",
    "STATES",
    "Cells",
    "Column",
    "File",
    "Form",
    "Group",
    "Row",
    "RuleError",
    "Step",
    "ask_for",
    "change",
    "changes",
    "check",
    "decide",
    "figures",
    "file_of",
    "files",
    "group_of",
    "has_all",
    "in_sight",
    "measure_of",
    "rows",
    "sees",
    "signed",
    "staged",
    "steps_of",
    "touched",
    "undone",
]
