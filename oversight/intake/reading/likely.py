"""What a heading means or most likely means that the grammar leaves without a meaning.

What everybody meant who wrote the same heading, it means, where no figure contradicts it. What other headings like it
were heard to mean is too little to use a column, and enough to ask: where a single heading claims the meaning and
nothing else of the table does, no word of known meaning makes it another figure, and no figure contradicts it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from oversight.contracts import ALL_DATASETS
from oversight.intake.reading.evidence import (
    are_answers,
    are_names_of_funds,
    has_other_half,
    is_refuted,
    is_told,
)
from oversight.intake.reading.grammar import Certainty, Said, meaning_of, names_several
from oversight.intake.reading.grid import Grid
from oversight.intake.reading.headings import Match, is_below_another, is_label, meaning
from oversight.intake.reading.heard import ASK, FOREIGN, heard, written
from oversight.intake.reading.text import COUNT_UNITS, MONEY_UNITS, fold, header_key, plain
from oversight.intake.reading.words import Word, spelled_out, words_of

# What a column of names of funds may be called: 下达资金名称, 项目库名称（一体化）.
_OF_FUNDS = re.compile(
    "(?:资金|项目|经费|专项|款|补助|指标).*(?:名|项目|科目|类|项|目)|(?:名|科目|类|项目).*(?:资金|项目|经费|专项)"
)


@dataclass(frozen=True)
class _Seen:
    """What is seen of a table: its header's cells, what they stand over, what is said around it, and its units of money
    and counts."""

    stacked: Sequence[tuple[str, ...]]
    kinds: Sequence[str]
    said: Said
    grid: Grid
    first: int
    units: tuple[str | None, str | None]

    def names_funds(self, at: int) -> bool:
        """Whether the cells of a grid column are names of funds."""
        return are_names_of_funds(self.grid, self.first, at)

    def refutes(self, match: Match, name: str) -> bool:
        """Whether the figures of a column that is asked about contradict it."""
        return is_refuted(match, self.grid, self.first, self.units, name)


def _with_fund(match: Match, seen: _Seen) -> Match:
    """The match with the one column as its fund whose heading names something and whose cells are names of funds."""
    if match.dataset != "budget" or "fund_name" in match.columns:
        return match
    taken = set(match.columns.values())
    likely_ones = [
        at
        for at, parts in enumerate(seen.stacked)
        if at not in taken
        and parts
        and seen.kinds[at] == "text"
        and _OF_FUNDS.search(spelled_out(parts[-1]))
        and seen.names_funds(at)
    ]
    if len(likely_ones) != 1:
        return match
    columns = {**match.columns, "fund_name": likely_ones[0]}
    return replace(match, columns=columns, sure={**match.sure, "fund_name": Certainty.INFERRED})


# Doubts of the grammar about words that it does not know. The others are about words that mean two things (拨付金额: of
# the month or so far?), whoever wrote them.
_OF_WORDS = frozenset(("", "note", "part", "within", "fund"))
# 行政村 may be all villages, or those that are no 社区, whoever wrote it.
_ONLY_ASKED = frozenset(("villages_count",))
# Only below a title that speaks of registered people does 总人口 mean them.
_OF_REGISTERED = frozenset(("households_count", "population_persons"))


def _as_written(match: Match, seen: _Seen) -> Match:
    """The match with the columns whose headings others wrote before, and without questions about what meant none."""
    asked = {at: n for n, at in match.columns.items() if match.sure.get(n) is Certainty.QUESTION}
    taken = {at for at in match.columns.values() if at not in asked}
    claims: dict[str, list[int]] = {}
    for at, parts in enumerate(seen.stacked):
        name = _meant(match.dataset, parts, seen.said) if at not in taken and parts else None
        if name == FOREIGN and at in asked and match.doubts.get(asked[at], "") in _OF_WORDS:
            match = _without(match, asked[at])
        elif name and name != ASK and _may_be(match.dataset, name, at, seen):
            claims.setdefault(name, []).append(at)
    for name, places in claims.items():
        at = places[0]
        is_asked = asked.get(at) == name and match.doubts.get(name, "") in _OF_WORDS
        is_free = at not in asked and name not in match.columns and name not in match.repeated
        if len(places) > 1 or not (is_asked or is_free):
            continue
        trial = _asking(match, name, at, seen)
        if not (has_other_half(trial, name) or seen.refutes(trial, name)):
            match = replace(trial, sure={**trial.sure, name: Certainty.INFERRED})
    return match


# Months, names and codes are known by what stands below them.
_LEARNED = frozenset(c.name for d in ("population", "budget", "staffing") for c in ALL_DATASETS[d].measures)
# From this chance on the second reader is as sure as one who knows the words; below the other it is sure of another.
_AGREED, _DENIED = 0.95, 0.05


def _as_both_read(match: Match, seen: _Seen) -> Match:
    """The match as the grammar and the second reader together read it: a column that the grammar asks about because of a
    word it does not know is read where the second is sure of the same, and none is that the second is sure is not it."""
    for name in [n for n in match.sure if n in match.columns]:
        doubt, parts = match.doubts.get(name, ""), seen.stacked[match.columns[name]]
        is_asked = match.sure[name] is Certainty.QUESTION
        if name not in _LEARNED:
            continue
        if _meant(match.dataset, parts, seen.said) == ASK:
            if match.sure[name] is Certainty.CERTAIN:
                # Of 工资福利支出 some said that it is a part of the budget and some that it was spent.
                match = replace(match, sure={**match.sure, name: Certainty.QUESTION})
            continue
        chance = heard(match.dataset, parts, seen.said)[name]
        if chance < _DENIED and (
            doubt in _OF_WORDS if is_asked else _is_of_heading(match, name, parts, seen.said)
        ):
            match = _without(match, name)
        elif is_asked and chance >= _AGREED and doubt in _OF_WORDS and name not in _ONLY_ASKED:
            trial = _asking(match, name, match.columns[name], seen)
            if not (has_other_half(trial, name) or seen.refutes(trial, name)):
                match = replace(match, sure={**match.sure, name: Certainty.INFERRED})
    return match


def _is_of_heading(match: Match, name: str, parts: tuple[str, ...], said: Said) -> bool:
    """Whether the grammar reads a heading so by its own words; what a title adds the second reader does not hear."""
    alone = Said(said.year, said.month, is_registered=match.dataset == "population")
    found = meaning_of(match.dataset, parts, alone)
    return found is not None and found.column == name


def _meant(dataset: str, parts: tuple[str, ...], said: Said) -> str | None:
    """What everybody meant who wrote a heading, here too; a group heading that says nothing may stand above it."""
    whole = parts
    while (name := written(dataset, parts, said)) is None and len(parts) > 1 and is_label(dataset, parts[0]):
        parts = parts[1:]
    if parts != whole and is_below_another(name, whole):
        return None
    if name in _OF_REGISTERED and not (said.is_registered or re.search("户籍|户口", "".join(parts))):
        return None
    return name


def _may_be(dataset: str, name: str, at: int, seen: _Seen) -> bool:
    """Whether what stands below a heading may stand in a column: also whether it names funds, or answers yes or no."""
    if name == "fund_name":
        return seen.names_funds(at)
    if ALL_DATASETS[dataset].columns[name].kind == "bool":
        return are_answers(seen.grid, seen.first, at)
    return seen.kinds[at] == "blank" or _may_stand(dataset, name, seen.kinds[at])


def _may_stand(dataset: str, name: str, kind_below: str) -> bool:
    """Whether cells of a kind may stand in a column."""
    kind = ALL_DATASETS[dataset].columns[name].kind
    return kind in _STANDS_IN.get(kind_below, ())


def _without(match: Match, name: str) -> Match:
    """The match without a column that was asked about."""
    columns = {n: at for n, at in match.columns.items() if n != name}
    return replace(match, columns=columns, sure={n: c for n, c in match.sure.items() if n != name})


# Kinds of columns that hold figures, and what kinds may hold cells of a kind.
_FIGURES = ("money", "count")
_STANDS_IN = {"number": _FIGURES, "text": ("bool", "text"), "month": ("month",)}
# How likely a meaning must be to be asked about: where figures might contradict it and do not, where they speak for it,
# and where it is a text or a month, which nothing contradicts. See docs/decisions/0067.
LIKELY, _IF_TOLD, _IF_TEXT = 0.7, 0.4, 0.9
# And from when on it stands against a word that often changes a meaning: 非专职（兼职）民政人员, 办公费（公用）.
_SURE = 0.97
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
_ASIDE = re.compile(
    r"\((?:未|不(?!含|包[含括]|计)|每|以|按|即)[^()]*\)|[,、;]?不(?:含|包[含括]|计)(?:公益?岗|政?府?购买|兼职|临聘|聘用|编外|外聘|借)[^()]*"
)
_OF_VILLAGES = ("villages_count", "villages_with_assistant_count")
_OF_PEOPLE = (
    "population_persons",
    "births_persons",
    "deaths_persons",
    "moved_in_persons",
    "moved_out_persons",
)
# What resembles a column and is another figure: a part of it, what it is to become, what was done with a part of it.
_NEAR_MISSES = {
    "villages_count": re.compile("^[^村]*$"),
    "carried_over_cny": re.compile("(?<!上)年末|(?<!上)年底|期末|下年|次年|已使用|已支|收回"),
    "adjusted_budget_cny": re.compile("未含|不含|未调|调整[额前]|追加额"),
    "dedicated_staff_persons": re.compile("总数|总人数|合计|行政|事业"),
    "welfare_posts_persons": re.compile("指标|岗位数"),
    "disbursed_month_cny": re.compile("下达指标"),
    "disbursed_cumulative_cny": re.compile("下达指标"),
    "spent_month_cny": re.compile("(?:人员|公用)[经支]|人头|办公"),
    "spent_cumulative_cny": re.compile("(?:人员|公用)[经支]|人头|办公"),
    "from_above_cny": re.compile("到账|到位|拨付|下拨"),
    "own_cny": re.compile("到账|到位|拨付|下拨"),
}
_EVENTS = frozenset(("births", "deaths", "moved_in", "moved_out"))
_POSTS = ("administrative_posts", "institution_posts")


def likely(dataset: str, parts: tuple[str, ...], said: Said) -> tuple[str, float] | None:
    """The column that a heading was mostly heard for and how likely it is, unless a known word makes it another."""
    if names_several(parts[-1]):
        return None
    chances = dict(heard(dataset, parts, said))
    # Which column it is that has to be asked about, the others say.
    chance = chances.pop(ASK)
    name = max(chances, key=lambda n: chances[n])
    # Of a year's budget without a word on when it was set either may be meant, and either is right.
    chance += sum(chances[n] for n in _BUDGETS) if name in _BUDGETS else chances[name]
    if name == FOREIGN or chance < _IF_TOLD:
        return None
    is_figure = ALL_DATASETS[dataset].columns[name].kind in _FIGURES
    is_sure = chance >= _SURE
    return None if is_figure and _is_another(dataset, name, parts, said, is_sure) else (name, chance)


def _is_another(dataset: str, name: str, parts: tuple[str, ...], said: Said, is_sure: bool) -> bool:
    """Whether a word of known meaning makes a heading another figure than the one it resembles.

    `is_sure`: the second reader has heard such a word in such a heading often enough to know what becomes of it.
    """
    cells = [words_of(_ASIDE.sub("", fold(part))) for part in parts]
    words = [w for cell in cells for w in cell]
    # 计划安排资金 is a budget; 计划拨款 is not paid.
    others = [w for w in words if w.kind == "prior" and not (w.text == "计划" and name in _BUDGETS)]
    if name != "carried_over_cny" and (
        others or any(w.year and w.year != (said.year or w.year) for w in words)
    ):
        return True
    same = _SAME if dataset == "budget" else _SAME - {"subsidy"}
    if not is_sure and any(w.kind == "change" and w.value not in same for w in cells[-1]):
        return True
    if not cells[-1] or cells[-1][-1].kind in ("manner", "naming"):
        # 本月拨付名单: the last word says what a column is.
        return True
    if name != "carried_over_cny" and any(w.value == "carried" for w in cells[-1]):
        # 结转及年初预算.
        return True
    things = {w.value for w in words if w.kind == "thing"}
    if not is_sure and name == "own_cny" and any(w.value == "one_above" for w in words):
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
    if _OF_MONTH.fullmatch(name) and times and ("month" not in times or "span" in times):
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
    if is_below_another(name, parts):
        return True
    if any(w.kind == "change" and w.value == "state" for cell in cells[:-1] for w in cell):
        # 累计 below 未支出数.
        return True
    if (miss := _NEAR_MISSES.get(name)) is not None and miss.search(plain("".join(parts))):
        return True
    if unit in (
        ("人", "名") if name in _OF_VILLAGES else ("户", "户数", "户次") if name in _OF_PEOPLE else ()
    ):
        # 民政协理员（人） are people, not villages; 迁出（户） are households.
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
    """The match with the columns that the second reader reads, and a question for each that nothing means and a single free
    heading most likely does."""
    seen = _Seen(stacked, kinds, said, grid, first, units)
    match = _with_fund(_as_both_read(_as_written(match, seen), seen), seen)
    columns = ALL_DATASETS[match.dataset].columns
    taken = set(match.columns.values())
    claims: dict[str, list[tuple[float, int]]] = {}
    for at, parts in enumerate(stacked):
        if at in taken or not parts or _meant(match.dataset, parts, said) == FOREIGN:
            continue
        found = likely(match.dataset, parts, said)
        if found is None or not _may_stand(match.dataset, found[0], kinds[at]):
            continue
        if found[0] == "month" and said.month is not None:
            # The title says it.
            continue
        claims.setdefault(found[0], []).append((found[1], at))
    for name, places in claims.items():
        chance, at = max(places)
        if name in match.columns or name in match.repeated or len(places) > 1:
            continue
        asked = _asking(match, name, at, seen)
        if columns[name].kind in _FIGURES:
            is_so = chance >= LIKELY or is_told(asked, grid, first, units, name, said)
            is_so = is_so and not seen.refutes(asked, name)
        elif name == "fund_name":
            is_so = seen.names_funds(at)
        else:
            is_so = chance >= _IF_TEXT and (columns[name].kind != "bool" or are_answers(grid, first, at))
        match = asked if is_so else match
    return match


def _asking(match: Match, name: str, at: int, seen: _Seen) -> Match:
    """The match with a question whether the column `at` is `name`."""
    unit = next((u for p in seen.stacked[at] if (u := header_key(p)[1])), None)
    return replace(
        match,
        columns={**match.columns, name: at},
        units={**match.units, name: unit} if unit else match.units,
        sure={**match.sure, name: Certainty.QUESTION},
        # A figure that is of another size beside a sure one is refuted.
        doubts={**match.doubts, name: "size"},
    )
