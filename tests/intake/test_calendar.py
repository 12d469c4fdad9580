"""Working days and due dates, by hand from the published notices for 2024 to 2026."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from oversight.calendar import RULES, load_calendar, notice_zh
from oversight.errors import OversightError
from oversight.intake import input_fingerprint
from oversight.intake.judging.due import last_due_month
from oversight.settings import SETTINGS_EXAMPLE, TIME_ZONE, DataFolder
from tests.intake.world import World, csv_bytes, population_rows


# (day, by next_workday, by statutory)
@pytest.mark.parametrize(
    ("day", "next_workday", "statutory"),
    [
        ("2024-06-05", "2024-06-05", "2024-06-05"),  # a Wednesday
        ("2025-01-05", "2025-01-06", "2025-01-05"),  # a Sunday
        ("2025-07-05", "2025-07-07", "2025-07-05"),  # a Saturday
        ("2025-04-05", "2025-04-07", "2025-04-07"),  # Tomb-sweeping, 4 to 6 April
        ("2025-10-05", "2025-10-09", "2025-10-09"),  # National Day and Mid-autumn, 1 to 8 October
        ("2024-10-05", "2024-10-08", "2024-10-08"),  # National Day 2024, 1 to 7 October
        ("2025-05-05", "2025-05-06", "2025-05-06"),  # Labour Day, a Monday off
        ("2025-02-04", "2025-02-05", "2025-02-05"),  # the last day of the Spring Festival
        ("2024-02-10", "2024-02-18", "2024-02-18"),  # Spring Festival; Sunday the 18th is worked
        ("2025-02-08", "2025-02-08", "2025-02-08"),  # a worked Saturday
        ("2026-01-04", "2026-01-04", "2026-01-04"),  # a worked Sunday
        ("2025-09-28", "2025-09-28", "2025-09-28"),  # a worked Sunday
        ("2026-02-15", "2026-02-24", "2026-02-24"),  # Spring Festival 2026, 15 to 23 February
        ("2026-10-05", "2026-10-08", "2026-10-08"),  # National Day 2026
    ],
)
def test_a_day_off_moves_as_the_rule_says(day: str, next_workday: str, statutory: str) -> None:
    calendar = load_calendar()
    moved = {rule: calendar.moved(date.fromisoformat(day), rule).isoformat() for rule in RULES}
    assert moved == {"none": day, "next_workday": next_workday, "statutory": statutory}


def test_working_days_are_counted_over_holidays() -> None:
    calendar = load_calendar()
    # The worked Sunday of 28 September, then 29 and 30, then nothing until the 9th.
    assert calendar.add_workdays(date(2025, 9, 27), 4) == date(2025, 10, 9)


def test_a_year_without_a_calendar_knows_weekends_and_says_so(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    calendar = load_calendar(folder)
    day = date(2031, 10, 4)
    assert calendar.next_workday(day) == date(2031, 10, 6)
    assert calendar.unknown_years([day, date(2025, 1, 1)]) == [2031]
    assert "2031" in (notice_zh([2031]) or "")
    folder.standards.mkdir()
    own = folder.standards / "calendar.csv"
    own.write_text("date,kind,note\n2031-10-06,holiday,国庆节\n2031/10/4,上班,调休\n", "utf-8-sig")
    calendar = load_calendar(folder)
    assert calendar.next_workday(day) == day
    assert calendar.moved(date(2031, 10, 6), "statutory") == date(2031, 10, 7)
    assert calendar.unknown_years([day]) == []
    own.write_text("date,kind,note\n2031-10-06,maybe,\n", "utf-8")
    with pytest.raises(OversightError, match="第 2 行"):
        load_calendar(folder)


def test_due_dates_know_days_off_and_the_bureau_may_choose(world: World) -> None:
    world.put("a.csv", csv_bytes(population_rows("2025-09", {"360313101": 20_000})))
    world.put("b.csv", csv_bytes(population_rows("2025-12", {"360313101": 20_000})))
    world.folder.standards.mkdir()
    (world.folder.standards / "due_dates.csv").write_text(
        "dataset,months_after,day,effective_from,on_day_off,note\n"
        "budget,1,5,,none,\nstaffing,1,4,,statutory,\n",
        "utf-8",
    )
    world.take_in()
    due = {(d, f"{m:%Y-%m}"): (on, nominal) for d, m, on, nominal, _ in world.read("due_dates").iter_rows()}
    assert due["population", "2025-09"] == (date(2025, 10, 9), date(2025, 10, 5))
    assert due["budget", "2025-09"][0] == date(2025, 10, 5)
    assert due["staffing", "2025-09"][0] == date(2025, 10, 9)
    # The fourth is a worked Sunday, so even the weekend rule leaves it.
    assert due["staffing", "2025-12"][0] == date(2026, 1, 4)


def test_the_run_names_years_without_a_calendar(world: World) -> None:
    world.put("a.csv", csv_bytes(population_rows("2030-06", {"360313101": 20_000})))
    said: list[str] = []
    from oversight.intake import take_in

    take_in(world.folder, say=said.append, now=datetime(2031, 1, 5, tzinfo=TIME_ZONE))
    assert any("2030" in line and "放假安排" in line for line in said)


def test_the_tables_go_to_the_last_month_due_where_the_folder_says_so(world: World) -> None:
    world.put("a.csv", csv_bytes(population_rows("2025-06", {"360313101": 20_000})))
    assert last_due_month(world.folder, date(2026, 1, 5)) is None
    world.folder.settings_toml.write_text(SETTINGS_EXAMPLE, "utf-8")
    # December's reports are due on the 5th itself, a Monday: not passed yet on that day.
    assert last_due_month(world.folder, date(2026, 1, 5)) == date(2025, 11, 1)
    assert last_due_month(world.folder, date(2026, 1, 6)) == date(2025, 12, 1)
    world.take_in()
    made = world.read("due_dates").filter("makes_rows")
    assert (made["month"].min(), made["month"].max()) == (date(2025, 6, 1), date(2025, 11, 1))


def test_the_passing_of_a_due_date_is_something_new(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from oversight.intake import intake_run

    class Clock:
        day = datetime(2026, 1, 5, tzinfo=TIME_ZONE)

        @classmethod
        def now(cls, _zone: object) -> datetime:
            return cls.day

    monkeypatch.setattr(intake_run, "datetime", Clock)
    before = input_fingerprint(world.folder)
    world.folder.settings_toml.write_text('rows_until = "last_due"\n', "utf-8")
    due = input_fingerprint(world.folder)
    Clock.day = datetime(2026, 1, 6, tzinfo=TIME_ZONE)
    assert len({before, due, input_fingerprint(world.folder)}) == 3
    world.folder.settings_toml.write_text('rows_until = "whenever"\n', "utf-8")
    with pytest.raises(OversightError, match="last_due"):
        input_fingerprint(world.folder)
