"""Corrections are data: they name what they replace, keep it in the history, and stop when it has changed."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from oversight.intake import input_fingerprint
from oversight.intake.own_files import CORRECTION_TITLES, PLACE_TITLES
from tests.intake.world import World, csv_bytes, population_rows

FIGURES = {"360313101": 20_000, "360313102": 30_000, "360313103": 25_000, "360313104": 28_000}


def correct(world: World, *rows: tuple[Any, ...], name: str = "2025.csv") -> None:
    world.folder.corrections.mkdir(exist_ok=True)
    (world.folder.corrections / name).write_bytes(csv_bytes([CORRECTION_TITLES, *rows]))


def row(kind: str, code: str, old: Any, new: Any, month: str = "2025-06", **other: str) -> tuple[Any, ...]:
    column = other.get("column", "户籍人口(人)")
    return (
        kind,
        "户籍人口",
        month,
        code,
        column,
        old,
        new,
        other.get("reason", "公安局核对"),
        "张三",
        "2025-08-01",
    )


@pytest.fixture
def history(world: World) -> World:
    for month in ("2025-03", "2025-04", "2025-05"):
        world.put(f"{month}.csv", csv_bytes(population_rows(month, FIGURES)))
    world.put("2025-06.csv", csv_bytes(population_rows("2025-06", {**FIGURES, "360313103": 2})))
    return world


def test_a_correction_counts_and_the_reported_figure_stays(history: World) -> None:
    correct(history, row("更正", "360313101", 20_000, 20_010))
    history.take_in()
    assert history.population()["360313101", "2025-06"] == [20_000, 20_010]
    rows = history.read("population").filter(pl.col("population_persons") == 20_010)
    assert rows["doubts"].to_list() == ["D12"]
    submission = history.submission("corrections/2025.csv")
    assert rows["submission_id"].item() == submission["submission_id"]
    assert (submission["status"], submission["rows_accepted"], submission["is_correction"]) == (
        "accepted",
        1,
        True,
    )
    assert history.balanced()


def test_a_correction_stops_when_the_source_has_changed_under_it(history: World) -> None:
    correct(history, row("更正", "360313101", 19_999, 20_010))
    history.take_in()
    assert history.population()["360313101", "2025-06"] == [20_000]
    (refused,) = history.rejected("corrections/2025.csv")
    assert refused["error_code"] == "C01"
    assert "19999" in refused["message_zh"]
    assert "20000" in refused["message_zh"]
    assert history.submission("corrections/2025.csv")["status"] == "refused"


def test_a_correction_stops_when_the_township_sends_another_figure(history: World) -> None:
    correct(history, row("更正", "360313101", 20_000, 20_010))
    history.take_in()
    history.put("重报.csv", csv_bytes(population_rows("2025-06", {"360313101": 20_500})))
    history.take_in()
    assert history.population()["360313101", "2025-06"] == [20_000, 20_500]
    (refused,) = history.rejected("corrections/2025.csv")
    assert refused["error_code"] == "C01"
    assert "20500" in refused["message_zh"]


def test_a_held_figure_is_used_once_confirmed(history: World) -> None:
    history.take_in()
    assert ("360313103", "2025-06") not in history.population()
    correct(history, row("确认", "360313103", 2, ""))
    history.take_in()
    assert history.population()["360313103", "2025-06"] == [2]
    assert history.balanced()


def test_a_held_figure_can_be_put_right(history: World) -> None:
    correct(history, row("更正", "360313103", 2, "2.5万"))
    history.take_in()
    assert history.population()["360313103", "2025-06"] == [25_000]


def test_two_corrections_of_one_row_add_up(history: World) -> None:
    correct(
        history,
        row("更正", "360313101", 20_000, 20_010),
        row("更正", "360313101", "", 7, column="出生人口"),
    )
    history.take_in()
    rows = history.read("population").filter(pl.col("doubts") == "D12")
    assert rows.select("population_persons", "births_persons").rows() == [(20_010, 7)]
    assert history.balanced()


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (row("修改", "360313101", 20_000, 1), "C03"),
        (row("更正", "360313101", "很多", 1), "C03"),
        (row("更正", "360313101", 20_000, 1, reason=""), "C03"),
        (row("更正", "360313105", 20_000, 1), "C02"),
        (row("确认", "360313101", 20_000, ""), "C02"),
    ],
)
def test_what_cannot_be_applied_says_why(history: World, bad: tuple[Any, ...], code: str) -> None:
    correct(history, bad)
    history.take_in()
    assert [r["error_code"] for r in history.rejected("corrections/2025.csv")] == [code]
    assert history.population()["360313101", "2025-06"] == [20_000]
    assert history.balanced()


def test_taking_a_correction_back_undoes_it(history: World) -> None:
    history.take_in()
    before, fingerprint = history.population(), input_fingerprint(history.folder)
    correct(history, row("更正", "360313101", 20_000, 20_010))
    assert input_fingerprint(history.folder) != fingerprint
    history.take_in()
    assert history.population() != before
    (history.folder.corrections / "2025.csv").unlink()
    history.take_in()
    assert history.population() == before
    assert input_fingerprint(history.folder) == fingerprint


def review(kind: str, world: World, name: str, line: int, **other: str) -> tuple[Any, ...]:
    sha256 = world.submission(name)["sha256"]
    place = (other.get("sha256", sha256), other.get("sheet", ""), line)
    return (
        *(kind, "户籍人口", "2025-06", "360313101", "", "", "", other.get("reason", "与底册不符")),
        *("李四", "2025-08-01"),
        *place,
    )


def reviewed(world: World, *rows: tuple[Any, ...]) -> None:
    world.folder.corrections.mkdir(exist_ok=True)
    (world.folder.corrections / "审核.csv").write_bytes(
        csv_bytes([(*CORRECTION_TITLES, *PLACE_TITLES), *rows])
    )


def test_a_row_that_a_reviewer_sent_back_is_not_used_and_says_why(history: World) -> None:
    history.take_in()
    used = history.population()
    assert used["360313101", "2025-06"] == [20_000]
    reviewed(history, review("退回", history, "2025-06.csv", 2))
    history.take_in()
    assert ("360313101", "2025-06") not in history.population()
    (told,) = [r for r in history.rejected("2025-06.csv") if r["error_code"] == "R70"]
    assert (told["row_number"], told["disposition"]) == (2, "rejected")
    assert "李四" in told["message_zh"]
    assert "与底册不符" in told["message_zh"]
    # The other rows of the file are what they were, and what was not used before is no more used now.
    assert history.population() == {
        key: value for key, value in used.items() if key != ("360313101", "2025-06")
    }
    assert history.balanced()
    (history.folder.corrections / "审核.csv").unlink()
    history.take_in()
    assert history.population() == used


def test_a_held_row_can_be_sent_back(history: World) -> None:
    history.take_in()
    reviewed(history, review("退回", history, "2025-06.csv", 4))
    history.take_in()
    assert [r["error_code"] for r in history.rejected("2025-06.csv")] == ["R70"]
    assert history.balanced()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"line": 99}, "C04"),
        ({"sheet": "别的表"}, "C04"),
        ({"sha256": "0" * 64}, "C04"),
        ({"sha256": "这份文件"}, "C03"),
        ({"reason": " "}, "C03"),
    ],
)
def test_a_row_sent_back_that_is_not_there_is_told(
    history: World, changes: dict[str, Any], code: str
) -> None:
    history.take_in()
    line = changes.pop("line", 2)
    reviewed(history, review("退回", history, "2025-06.csv", line, **changes))
    history.take_in()
    assert [r["error_code"] for r in history.rejected("corrections/审核.csv")] == [code]
    assert history.population()["360313101", "2025-06"] == [20_000]
    assert history.balanced()


def test_a_doubt_that_was_looked_into_says_so(history: World) -> None:
    history.take_in()
    doubted = population_rows("2025-07", {"360313101": 20_000})
    doubted[0] = (*doubted[0], "出生人口(人)", "死亡人口(人)", "迁入人口(人)", "迁出人口(人)")
    doubted[1] = (*doubted[1], 9, 0, 0, 0)
    history.put("2025-07.csv", csv_bytes(doubted))
    history.take_in()
    month = pl.col("month") == pl.date(2025, 7, 1)
    assert history.read("population").filter(month)["doubts"].to_list() == ["D05"]
    told = list(review("核实", history, "2025-07.csv", 2))
    told[2] = "2025-07"
    reviewed(history, tuple(told))
    history.take_in()
    assert history.read("population").filter(month)["doubts"].to_list() == ["D14"]
    assert history.population()["360313101", "2025-07"] == [20_000]
    assert history.balanced()
