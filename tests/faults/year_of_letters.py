"""A year of findings, replies and letters over many units, held against what the script itself knows.

    python -m tests.faults.year_of_letters --units 400
    python -m tests.faults.year_of_letters --units 41352 --without-files --place /dev/shm --build    # the country

Every unit has a script: when its budget rises and by how much, whether and after how many days it answers, whether it is
exempted. The product sees the editions, drafts, approves, issues and delivers what it finds due, every day of 2026. Checked
against the script, never against the product's own states: no letter to a unit that was met, exempt or had answered, none
twice, none on a day off, every change of state on record, and, with `--build`, the moved amounts to the 分 from a build of
the whole project over the same year.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import chinese_calendar

from oversight.accounts import people, store
from oversight.accounts.actor import at_the_machine
from oversight.calendar import load_calendar
from oversight.settings import TIME_ZONE, DataFolder
from oversight.workflow import following, letters
from oversight.workflow.following import Act, FollowError, Said
from oversight.workflow.letters import Ground, Unit

YEAR, OWED, RULE = 2026, Decimal("10000.00"), "T-10"


@dataclass
class Story:
    """What one unit does in the year."""

    code: str
    # Budget in force by month, 1 to 12.
    budget: dict[int, Decimal]
    answers_after: int | None
    is_exempted: bool
    answered: bool = False
    exempt: bool = False
    notified: date | None = None
    asked_on: date | None = None
    agreed: date | None = None
    states: list[tuple[date, str]] = field(default_factory=list)

    @property
    def finding_id(self) -> str:
        return f"{RULE}/{self.code}/{YEAR}-01"

    @cached_property
    def met_in(self) -> int | None:
        """The first month in which the budget is enough."""
        return next((month for month, amount in sorted(self.budget.items()) if amount >= OWED), None)

    def row(self, known: int) -> dict[str, Any] | None:
        """The finding as an edition has it that knows the months up to `known`."""
        met = self.met_in
        if met == 1:
            return None
        is_met = met is not None and met <= known
        last = (met or 13) - 1 if is_met else known
        row: dict[str, Any] = {name.strip(): None for name in following.COLUMNS.split(",")}
        return row | {
            "finding_id": self.finding_id,
            "rule_id": RULE,
            "subject_code": self.code,
            "opened_month": date(YEAR, 1, 1),
            "last_month": date(YEAR, last, 1),
            "months_open": last,
            "status": "cleared" if is_met else "short",
            "shortfall": OWED - self.budget[last],
            "unit": "元",
            "severity": "high",
            "is_minor": False,
            "message_zh": f"{self.code}镇：工作经费不足",
        }


def stories(count: int, seed: int) -> list[Story]:
    """Units with a budget that may rise once or twice, and manners of answering."""
    dice, made = random.Random(seed), []  # nosec B311 - a script, no secret
    for number in range(count):
        amount = Decimal(dice.randrange(200_000, 999_900)).scaleb(-2)
        budget = {1: amount}
        for month in range(2, 13):
            if dice.random() < 0.12:
                amount += Decimal(dice.randrange(1, 900_000)).scaleb(-2)
            budget[month] = amount
        answers = dice.choice([None, None, 0, 1, 3, 9, 15, 40])
        code = f"41{number // 900 % 99 + 1:02}{number // 90 % 10 + 1:02}{number % 90 + 100}"
        made.append(Story(code, budget, answers, dice.random() < 0.05))
    return made


def run(
    place: Path, count: int, *, seed: int = 1, days: int = 365, formats: Sequence[str] = ("docx",)
) -> dict[str, Any]:
    """Live through the year; what was found, figures first. Raises `AssertionError` for what must not be."""
    folder, units = DataFolder.at(place / "data"), {}
    (place / "outbox").mkdir(parents=True)
    (folder.root / "report").mkdir(parents=True)
    people.add(folder, at_the_machine(), "chief", "administrator", ["000000"], password="Ganlan-Shu-2031")
    told = stories(count, seed)
    lines = ["区划代码,接收方,文件夹,邮箱"]
    for story in told:
        units[story.code] = Unit(story.code, f"{story.code}镇", story.code[:6], story.code[:6], "某县")
        lines.append(f"{story.code},{story.code}镇,{place / 'outbox'},")
    (folder.root / "report" / "recipients.csv").write_text("\n".join(lines), "utf-8")
    by_id = {story.finding_id: story for story in told}
    figures: Counter[str] = Counter()
    calendar, known = load_calendar(), 0
    before: dict[str, str] = {}
    ground = Ground(folder, [], units, [], "none", calendar=calendar)
    dice = random.Random(seed + 1)  # nosec B311
    for day in (date(YEAR, 1, 1) + timedelta(days=n) for n in range(days)):
        now = datetime(day.year, day.month, day.day, 9, tzinfo=TIME_ZONE)
        if day.day == 10 and day.month > 1:
            known = day.month - 1
            print(f"{day}: {figures['letters']} letters, {time.process_time():.0f} CPU s", file=sys.stderr)
            rows = [row for story in told if (row := story.row(known))]
            ground = Ground(folder, rows, units, [], f"e{known}", calendar=calendar)
        if not known:
            continue
        _townships(ground, told, day, now, known, figures, dice)
        _letters(ground, by_id, day, now, known, figures, formats)
        for name, case in ground.cases(day).items():
            if before.get(name, "new") != case.state:
                by_id[name].states.append((day, case.state))
                figures["state changes"] += 1
            before[name] = case.state
    _check(folder, place, told, figures)
    store.forget(folder)
    return dict(figures) | {"stories": told, "folder": folder}


def _townships(
    ground: Ground,
    told: list[Story],
    day: date,
    now: datetime,
    known: int,
    figures: Counter[str],
    dice: random.Random,
) -> None:
    by_whom: dict[str, list[Act]] = {}
    for story in told:
        if not _is_open(story, known) or story.exempt:
            continue
        name = story.finding_id

        def act(kind: str, by: str, name: str = name, **said: Any) -> None:
            own = by_whom.setdefault(by, [])
            own.append(Act(name, kind, Said("脚本", **said), f"{day:%j}-{kind}-{name}", group=name))

        if story.is_exempted and day.month == 4 and day.day == 15:
            act("exemption", "审核员", on=date(YEAR, 12, 31), approver="局长")
            story.exempt = True
            figures["exempted"] += 1
        elif story.answered:
            # The county looks at an answer after some days, and agrees on a day.
            if dice.random() < 0.2:
                story.agreed = day + timedelta(days=dice.randrange(5, 60))
                act("agreed", "分析员", on=story.agreed)
                story.answered, story.asked_on = False, None
                figures["agreed"] += 1
        elif (
            story.asked_on is not None
            and story.answers_after is not None
            and (day - story.asked_on).days >= story.answers_after
        ):
            act("reply", "乡镇")
            story.answered = True
            figures["replies"] += 1
    for by, acts in by_whom.items():
        rows = [ground.by_id[item.finding_id] for item in acts]
        outcome = following.act_each(ground.folder, rows, acts, by=by, now=now)
        assert not outcome.refused, outcome.refused


def _is_open(story: Story, known: int) -> bool:
    return story.met_in is None or story.met_in > known


def _letters(
    ground: Ground,
    by_id: dict[str, Story],
    day: date,
    now: datetime,
    known: int,
    figures: Counter[str],
    formats: Sequence[str],
) -> None:
    drafted = letters.draft(ground, letters.wanted(ground, now), by="分析员", now=now)
    if drafted:
        letters.approve(ground.folder, drafted, by="审核员", now=now)
    waiting = [row["id"] for row in letters.letters(ground.folder, ("approved", "issuing"))]
    if not chinese_calendar.is_workday(day):
        figures["days off"] += 1
        for step in (letters.issue, letters.deliver):
            try:
                step(ground, waiting, by="分析员", now=now)
            except FollowError:
                figures["refused on a day off"] += 1
            else:
                raise AssertionError(f"{day} is a day off")
        return
    # A few townships answer in the middle of it, between issuing and delivering.
    done, void = letters.issue(ground, waiting, by="分析员", now=now, formats=formats)
    figures["void"] += len(void)
    rows = {row["id"]: row for row in letters.letters(ground.folder, ("issued",), done)}
    at_once: list[Act] = []
    for number, name in enumerate(done):
        for finding_id in rows[name]["findings"]:
            story = by_id[finding_id]
            story.notified = story.notified or day
            story.asked_on = story.asked_on or day
            if number % 17 == 3:
                at_once.append(Act(finding_id, "reply", Said("当即答复"), f"{day:%j}-at-once-{finding_id}"))
                story.answered = True
                figures["replies"] += 1
    if at_once:
        named = [ground.by_id[item.finding_id] for item in at_once]
        told = following.act_each(ground.folder, named, at_once, by="乡镇", now=now + timedelta(hours=1))
        assert not told.refused, told.refused
    delivered, withheld = letters.deliver(ground, done, by="分析员", now=now)
    # Again at once: nothing more goes out.
    assert letters.deliver(ground, done, by="分析员", now=now) == ([], [])
    figures["withheld"] += len(withheld)
    for name in delivered:
        row = rows[name]
        figures["letters"] += 1
        figures[row["title"]] += 1
        for finding_id in row["findings"]:
            story = by_id[finding_id]
            assert story.code == row["unit_code"], "a letter to a wrong unit"
            assert _is_open(story, known), "a letter to a unit that is met"
            assert not story.exempt, "a letter to a unit that is exempt"
            assert not story.answered, "a letter to a unit that has answered"


def _check(folder: DataFolder, place: Path, told: list[Story], figures: Counter[str]) -> None:
    rows = letters.letters(folder, ("delivered",))
    assert len(rows) == figures["letters"]
    for row in rows:
        for at in (row["issued_at"], row["delivered_at"]):
            assert chinese_calendar.is_workday(date.fromisoformat(at[:10])), "a letter on a day off"
    there = sorted(path.name for path in (place / "outbox").iterdir())
    assert there == sorted(f"{row['document_no']}_{row['unit_code']}" for row in rows), "in the boxes"
    numbers = Counter((row["year"], row["issuer"], row["number"]) for row in letters.letters(folder))
    assert not [key for key, times in numbers.items() if times > 1 and key[2]], "a number twice"
    once = Counter(
        (name, row["kind"], row["colour"], row["issued_at"][:10]) for row in rows for name in row["findings"]
    )
    assert max(once.values(), default=1) == 1, "a letter twice"
    found = following.reconcile(folder)
    assert found.wrong == (), found.wrong
    figures["actions on record"] = found.matched
    noted: dict[str, set[date]] = {}
    for path in following.files.note_files(folder):
        for note in following.files.read_notes(path):
            noted.setdefault(note["finding_id"], set()).add(note["recorded_on"])
    for story in told:
        for day, state in story.states:
            is_edition = day.day == 10 and state == "closed"
            assert is_edition or day in noted[story.finding_id], (
                f"{day} {story.code}: {state} without a record"
            )


def replayed(told: list[Story]) -> dict[str, Decimal]:
    """What each closed finding moved, from the script alone."""
    moved = {}
    for story in told:
        met = story.met_in
        if met is None or met == 1:
            continue
        begin = 1
        if story.notified is not None:
            ended = story.notified.month - 1 if story.notified.year == YEAR else 12
            begin = min(max(ended, 1), met)
        start, end = story.budget[begin], story.budget[met]
        moved[story.finding_id] = min(max(end - start, Decimal(0)), max(OWED - start, Decimal(0)))
    return moved


def build(place: Path, told: list[Story], folder: DataFolder) -> dict[str, Decimal]:
    """What the whole project makes of the same year."""
    from tests.dbt.world import World, document, rows_of, rule

    world = World()
    world.own("policy_documents", [document("Z")])
    world.own("standards", [rule(
        RULE, formula="flat_by_tier", matter="working_funds", scope_code="410000", population_basis="registered",
        edge_rule="legal_default", population_date_rule="prior_year_end", report_valid_months=12,
    )])  # fmt: skip
    world.own("standard_tiers", [{"standard_id": RULE, "tier_no": 1, "tier_label": "全部", "lower_bound": 0,
                                  "lower_included": True, "value": 10000, "unit": "元/年"}])  # fmt: skip
    world.own("standard_measures", [{"standard_id": RULE, "role": "value", "part_no": 1, "required": True,
                                     "measure_code": "allocated_annual_cny", "label_zh": "年度安排数"}])  # fmt: skip
    for story in told:
        world.unit(story.code)
        world.report("population", story.code, f"{YEAR}-01", population_persons=1000)
        for month, amount in story.budget.items():
            world.report(
                "budget", story.code, f"{YEAR}-{month:02}",
                initial_budget_cny=story.budget[1], adjusted_budget_cny=amount,
            )  # fmt: skip
    home = place / "world"
    (home / "data").mkdir(parents=True)
    (home / "data" / "findings").symlink_to(folder.root / "findings")
    made = world.build(home)
    return {
        row["finding_id"]: row["moved_cny"]
        for row in rows_of(
            made, "select finding_id, moved_cny from detail.moved_amounts where rule_id = ?", RULE
        )
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--build", action="store_true", help="build the project over the year, compare what moved"
    )
    parser.add_argument(
        "--without-files", action="store_true", help="number and deliver letters, write no Word files"
    )
    parser.add_argument(
        "--place", type=Path, help="where the folder lies meanwhile, such as a disk in memory"
    )
    parser.add_argument("--days", type=int, default=365)
    asked = parser.parse_args()
    began, formats = time.monotonic(), () if asked.without_files else ("docx",)
    with tempfile.TemporaryDirectory(prefix="oversight-year-", dir=asked.place) as aside:
        found = run(Path(aside), asked.units, seed=asked.seed, days=asked.days, formats=formats)
        told, folder = found.pop("stories"), found.pop("folder")
        cpu = time.process_time()
        print(
            f"{asked.units} units, {YEAR}, seed {asked.seed}: {time.monotonic() - began:.0f} s, {cpu:.0f} CPU s"
        )
        for name, value in sorted(found.items()):
            print(f"  {name}: {value}")
        if asked.build:
            own, made = replayed(told), build(Path(aside), told, folder)
            wrong = {
                name: (own.get(name), made.get(name))
                for name in own.keys() | made.keys()
                if own.get(name) != made.get(name)
            }
            assert not wrong, list(wrong.items())[:5]
            print(
                f"  moved, replayed: {sum(own.values())} 元 of {len(own)} closed findings, equal to the build to the 分"
            )
    print("no letter to a wrong unit, none twice, none on a day off, every change of state on record")


if __name__ == "__main__":
    main()
