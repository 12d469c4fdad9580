"""What a heading most likely means that the grammar leaves without a meaning: proposed, never used unasked.

What other headings like it were heard to mean (`heard`) is too little to use a column, and enough to ask: where a
single heading claims the meaning and nothing else of the table does, no word of known meaning makes it another figure,
and no figure contradicts it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from oversight.contracts import ALL_DATASETS
from oversight.intake.reading.evidence import are_answers, are_names_of_funds, is_refuted, is_told
from oversight.intake.reading.grammar import Certainty, Said, meaning_of, names_several
from oversight.intake.reading.grid import Grid
from oversight.intake.reading.headings import Match, meaning
from oversight.intake.reading.heard import FOREIGN, heard
from oversight.intake.reading.text import COUNT_UNITS, MONEY_UNITS, fold, header_key
from oversight.intake.reading.words import Word, spelled_out, words_of

# What a column of names of funds may be called: 下达资金名称, 项目库名称（一体化）.
_OF_FUNDS = re.compile(
    "(?:资金|项目|经费|专项|款|补助|指标).*(?:名|项目|科目|类|项|目)|(?:名|科目|类|项目).*(?:资金|项目|经费|专项)"
)


def _with_fund(
    match: Match, stacked: Sequence[tuple[str, ...]], kinds: Sequence[str], grid: Grid, first: int
) -> Match:
    """The match with the one column as its fund whose heading names something and whose cells are names of funds."""
    if match.dataset != "budget" or "fund_name" in match.columns:
        return match
    taken = set(match.columns.values())
    likely_ones = [
        at
        for at, parts in enumerate(stacked)
        if at not in taken
        and parts
        and kinds[at] == "text"
        and _OF_FUNDS.search(spelled_out(parts[-1]))
        and are_names_of_funds(grid, first, at)
    ]
    if len(likely_ones) != 1:
        return match
    columns = {**match.columns, "fund_name": likely_ones[0]}
    return replace(match, columns=columns, sure={**match.sure, "fund_name": Certainty.INFERRED})


# Kinds of columns that hold figures, and what kinds may hold cells of a kind.
_FIGURES = ("money", "count")
_STANDS_IN = {"number": _FIGURES, "text": ("bool", "text"), "month": ("month",)}
# How likely a meaning must be to be asked about: where figures might contradict it and do not, where they speak for it,
# and where it is a text or a month, which nothing contradicts. See docs/decisions/0067.
LIKELY, _IF_TOLD, _IF_TEXT = 0.7, 0.4, 0.9
# Words that say where money comes from or what it is for, and do not make it another amount.
_SAME = frozenset(("of_which", "subsidy", "above", "one_above", "matter"))
# What is said of which time: a month's figure, or one of all months so far.
_OF_MONTH = re.compile("(?:births|deaths|moved_in|moved_out)_persons|.*_month_cny")
_BUDGETS = ("initial_budget_cny", "adjusted_budget_cny")
_PARTS_OF_BUDGET = frozenset(("from_above_cny", "own_cny", "personnel_cny", "office_cny"))
# A group heading that is a figure itself is parted below it into these only.
_BELOW = {
    **dict.fromkeys(_BUDGETS, _PARTS_OF_BUDGET),
    "villages_count": frozenset(("villages_with_assistant_count",)),
}
_OF_OTHERS = {
    "budget": frozenset(("villages", "some_villages", "assistants", "households")),
    "staffing": frozenset(("budget", "households", "births", "deaths", "moved_in", "moved_out")),
    "population": frozenset(("budget", "villages", "some_villages", "staff", "some_staff")),
}
# A note on who is left out, or on how many there should be, says nothing of what is counted: （未抽调）, （每村至少1名）.
_ASIDE = re.compile(r"\((?:未|不(?!含|包[含括]|计)|每|以|按|即)[^()]*\)")
_EVENTS = frozenset(("births", "deaths", "moved_in", "moved_out"))
_POSTS = ("administrative_posts", "institution_posts")


def likely(dataset: str, parts: tuple[str, ...], said: Said) -> tuple[str, float] | None:
    """The column that a heading was mostly heard for and how likely it is, unless a known word makes it another."""
    if names_several(parts[-1]):
        return None
    chances = heard(dataset, parts, said)
    name = max(chances, key=lambda n: chances[n])
    # Of a year's budget without a word on when it was set either may be meant, and either is right.
    chance = sum(chances[n] for n in _BUDGETS) if name in _BUDGETS else chances[name]
    if name == FOREIGN or chance < _IF_TOLD:
        return None
    is_figure = ALL_DATASETS[dataset].columns[name].kind in _FIGURES
    return None if is_figure and _is_another(dataset, name, parts, said) else (name, chance)


def _is_another(dataset: str, name: str, parts: tuple[str, ...], said: Said) -> bool:
    """Whether a word of known meaning makes a heading another figure than the one it resembles."""
    cells = [words_of(_ASIDE.sub("", fold(part))) for part in parts]
    words = [w for cell in cells for w in cell]
    # 计划安排资金 is a budget; 计划拨款 is not paid.
    others = [w for w in words if w.kind == "prior" and not (w.text == "计划" and name in _BUDGETS)]
    if name != "carried_over_cny" and (
        others or any(w.year and w.year != (said.year or w.year) for w in words)
    ):
        return True
    if any(w.kind == "change" and w.value not in _SAME for w in cells[-1]):
        return True
    if not cells[-1] or cells[-1][-1].kind in ("manner", "naming"):
        # 本月拨付名单: the last word says what a column is.
        return True
    if name != "carried_over_cny" and any(w.value == "carried" for w in cells[-1]):
        # 结转及年初预算.
        return True
    things = {w.value for w in words if w.kind == "thing"}
    if name == "own_cny" and any(w.value == "one_above" for w in words):
        # 市级配套 is from above, where it is given at all.
        return True
    if name == "villages_count" and "some_villages" in things and "villages" not in things:
        # 行政村 alone stands beside 社区 more often than for both.
        return True
    if "movement" in things and not things & _EVENTS:
        # 本月增加 over 合计: of births or of people who moved in, nobody says.
        return True
    if things & _OF_OTHERS[dataset]:
        return True
    if name in _POSTS and (any(w.kind == "real" for w in words) or things & {"some_staff", "staff"}):
        return True
    times = {w.value for w in words if w.kind in ("period", "time")} - {"year_end", "month_end"}
    if _OF_MONTH.fullmatch(name) and times and "month" not in times:
        return True
    if name.endswith("_cumulative_cny") and times == {"month"}:
        return True
    if name in ("personnel_cny", "office_cny") and times & {"month", "to_date", "until"}:
        # 人员经费支出（累计）: of what was spent, and not of the budget.
        return True
    first = next((w.text for w in cells[-1] if w.value != "of_which"), "")
    if name == "own_cny" and first.startswith(("乡", "镇", "街道")):
        # 乡镇自筹: of the township's own, and not the county's.
        return True
    unit = header_key(parts[-1])[1]
    if unit in (COUNT_UNITS if name.endswith("_cny") else MONEY_UNITS):
        return True
    return any(_is_of(dataset, name, parts[:depth], cells[-1], said) for depth in range(1, len(parts)))


def _is_of(dataset: str, name: str, group: tuple[str, ...], leaf: Sequence[Word], said: Said) -> bool:
    """Whether a group heading is a figure of its own, of which `name` is no part."""
    over = meaning(dataset, group)[0]
    if over is None:
        found = meaning_of(dataset, group, said)
        over = found.column if found is not None and found.certainty > Certainty.QUESTION else None
    if (
        over is None
        or ALL_DATASETS[dataset].columns[over].kind not in _FIGURES
        or name in _BELOW.get(over, ())
    ):
        return False
    return over != name or any(w.value == "of_which" for w in leaf)


def propose(
    match: Match,
    stacked: Sequence[tuple[str, ...]],
    kinds: Sequence[str],
    said: Said,
    grid: Grid,
    first: int,
    units: tuple[str | None, str | None],
) -> Match:
    """The match with a question for each column that nothing means and a single free heading most likely does."""
    match = _with_fund(match, stacked, kinds, grid, first)
    columns = ALL_DATASETS[match.dataset].columns
    taken = set(match.columns.values())
    claims: dict[str, list[tuple[float, int]]] = {}
    for at, parts in enumerate(stacked):
        found = likely(match.dataset, parts, said) if at not in taken and parts else None
        if found is None or columns[found[0]].kind not in _STANDS_IN.get(kinds[at], ()):
            continue
        if found[0] == "month" and said.month is not None:
            # The title says it.
            continue
        claims.setdefault(found[0], []).append((found[1], at))
    for name, places in claims.items():
        chance, at = max(places)
        if name in match.columns or name in match.repeated or len(places) > 1:
            continue
        asked = _asking(match, name, at, stacked)
        if columns[name].kind in _FIGURES:
            is_so = chance >= LIKELY or is_told(asked, grid, first, units, name, said)
            is_so = is_so and not is_refuted(asked, grid, first, units, name)
        elif name == "fund_name":
            is_so = are_names_of_funds(grid, first, at)
        else:
            is_so = chance >= _IF_TEXT and (columns[name].kind != "bool" or are_answers(grid, first, at))
        match = asked if is_so else match
    return match


def _asking(match: Match, name: str, at: int, stacked: Sequence[tuple[str, ...]]) -> Match:
    """The match with a question whether the column `at` is `name`."""
    unit = next((u for p in stacked[at] if (u := header_key(p)[1])), None)
    return replace(
        match,
        columns={**match.columns, name: at},
        units={**match.units, name: unit} if unit else match.units,
        sure={**match.sure, name: Certainty.QUESTION},
        # A figure that is of another size beside a sure one is refuted.
        doubts={**match.doubts, name: "size"},
    )
