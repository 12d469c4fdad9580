"""The whole of intake through its one entry: every row accounted for, nothing lost, order without effect."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oversight.contracts import DATASETS
from oversight.intake import input_fingerprint
from oversight.intake_messages import CATALOGUE
from oversight.settings import TIME_ZONE
from tests.intake.world import (
    DIVISIONS,
    POPULATION_HEADER,
    TOWNSHIPS,
    World,
    csv_bytes,
    population_rows,
    xlsx_bytes,
)

GOOD = {"360313101": 20_000, "360313102": 30_000}


def test_build_inputs_have_the_contract_columns(world: World) -> None:
    world.put("人口.csv", csv_bytes(population_rows("2025-06", GOOD)))
    world.take_in()
    for name, contract in DATASETS.items():
        frame = world.read(name)
        assert dict(frame.schema) == contract.polars_schema()
        contract.schema.validate(frame)


def test_the_same_content_again_changes_nothing(world: World) -> None:
    content = csv_bytes(population_rows("2025-06", GOOD))
    world.put("人口.csv", content)
    world.take_in()
    before, fingerprint = world.population(), input_fingerprint(world.folder)
    world.put("副本.csv", content)
    assert input_fingerprint(world.folder) == fingerprint
    result = world.take_in()
    assert (world.population(), result.duplicates) == (before, 1)
    copy = world.submission("副本.csv")
    assert copy["status"] == "duplicate"
    assert copy["submission_id"] == world.submission("人口.csv")["submission_id"] + "-2"
    assert copy["rows_read"] == 0


def test_what_was_received_stays_when_the_file_goes(world: World) -> None:
    world.put("人口.csv", csv_bytes(population_rows("2025-06", GOOD)))
    world.take_in()
    before = world.population()
    (world.folder.raw / "人口.csv").unlink()
    world.take_in()
    assert world.population() == before


def test_deleting_what_was_landed_rebuilds_it(world: World) -> None:
    world.put("人口.csv", csv_bytes(population_rows("2025-06", GOOD)))
    world.put("更正.xlsx", xlsx_bytes(population_rows("2025-06", {"360313101": 20_001})))
    world.take_in()
    before = world.population()
    shutil.rmtree(world.folder.landed)
    shutil.rmtree(world.folder.work)
    world.take_in()
    assert world.population() == before


@pytest.mark.parametrize("step", ["landed/ledger.parquet", "landed/batches", ".work/hashes.json"])
def test_a_run_killed_at_any_step_is_made_up_for(world: World, step: str) -> None:
    world.put("人口.csv", csv_bytes(population_rows("2025-06", GOOD)))
    world.take_in()
    before = world.population()
    path = world.folder.root / step
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    world.take_in()
    assert world.population() == before
    assert world.balanced()


def test_other_reading_code_reads_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put("人口.csv", csv_bytes(population_rows("2025-06", GOOD)))
    world.put("走了.csv", csv_bytes(population_rows("2025-05", GOOD)))
    world.take_in()
    before = world.population()
    (world.folder.raw / "走了.csv").unlink()
    monkeypatch.setattr("oversight.intake.landed.code_version", lambda: "other")
    world.take_in()
    assert world.population() == before
    assert len(list((world.folder.landed / "batches").iterdir())) == 1


# --- precedence -----------------------------------------------------------------------------------------


def report(figure: int, filed: str | None = None, title: str = "湘东区2025年6月户籍人口") -> bytes:
    first = [(title, f"填表日期：{filed}" if filed else "")]
    return xlsx_bytes([*first, ("区划代码", "乡镇名称", "户籍人口"), ("360313101", "湘东镇", figure)])


def last(world: World) -> int | None:
    return world.population()["360313101", "2025-06"][-1]


def test_a_later_arrival_replaces_and_both_stay(world: World) -> None:
    world.put("b.xlsx", report(20_000))
    world.take_in()
    world.put("a.xlsx", report(20_001))
    world.take_in(datetime(2026, 2, 1, tzinfo=TIME_ZONE))
    assert world.population()["360313101", "2025-06"] == [20_000, 20_001]


def test_the_filing_date_beats_arrival(world: World) -> None:
    world.put("later.xlsx", report(20_001, "2025-07-20"))
    world.take_in()
    world.put("earlier.xlsx", report(20_000, "2025-07-03"))
    world.take_in(datetime(2026, 2, 1, tzinfo=TIME_ZONE))
    assert last(world) == 20_001


def test_a_correction_beats_a_later_filing_date(world: World) -> None:
    world.put("更正.xlsx", report(20_001, "2025-07-03", "湘东区2025年6月户籍人口（更正）"))
    world.put("重报.xlsx", report(20_000, "2025-07-20"))
    world.take_in()
    assert last(world) == 20_001
    assert world.submission("更正.xlsx")["is_correction"]


def test_an_undated_later_file_beats_a_dated_earlier_one(world: World) -> None:
    world.put("dated.xlsx", report(20_000, "2025-07-20"))
    world.take_in()
    world.put("undated.xlsx", report(20_001))
    world.take_in(datetime(2026, 2, 1, tzinfo=TIME_ZONE))
    assert last(world) == 20_001
    world.put("dated again.xlsx", report(20_002, "2025-08-01"))
    world.take_in(datetime(2026, 3, 1, tzinfo=TIME_ZONE))
    assert last(world) == 20_002


def test_names_decide_between_files_that_arrive_together(world: World) -> None:
    world.put("b.xlsx", report(20_001))
    world.put("a.xlsx", report(20_000))
    world.take_in()
    assert last(world) == 20_001


# --- identity -------------------------------------------------------------------------------------------


def one(world: World, month: str, code: str, name: str, title: str = "") -> list[str]:
    """Take in one row; its error codes, or [] if it was accepted."""
    rows: list[Any] = [(title,)] if title else []
    world.put("报表.csv", csv_bytes([*rows, POPULATION_HEADER, (month, code, name, 20_000)]))
    world.take_in()
    assert world.balanced()
    return [r["error_code"] for r in world.rejected("报表.csv")]


def test_a_renamed_unit_is_followed_both_ways(world: World) -> None:
    assert one(world, "2025-08", "360313201", "白竺乡") == []
    assert world.population() == {("360313109", "2025-08"): [20_000]}
    row = world.read("population").row(0, named=True)
    assert (row["reported_code"], row["doubts"]) == ("360313201", "D01")
    assert one(world, "2025-05", "360313109", "白竺镇") == []
    assert ("360313201", "2025-05") in world.population()


def test_an_end_on_the_eve_of_the_successor_is_the_last_day_in_force(world: World) -> None:
    units = [
        DIVISIONS[0],
        ("360313206", "东源乡", "乡", "360313", "", "2025-06-30", "360313112"),
        ("360313112", "东源镇", "镇", "360313", "2025-07-01", "", ""),
    ]
    world.put("行政区划2.csv", csv_bytes(units))
    assert one(world, "2025-06", "360313206", "东源乡") == []
    assert ("360313206", "2025-06") in world.population()


@pytest.mark.parametrize(
    ("code", "name", "expected", "word"),
    [
        ("360313202", "青山乡", "R09", "并入湘东镇"),
        ("360313203", "大源乡", "R09", "拆分为"),
        ("360313204", "小坑乡", "R09", "没有变更后代码"),
        ("360313999", "不知道", "R08", "360313999"),
        ("360313", "湘东区", "R15", "县级"),
        ("36031310", "湘东镇", "R03", "36031310"),
        ("", "", "R13", "没有代码"),
    ],
)
def test_rows_that_cannot_be_placed_say_why(
    world: World, code: str, name: str, expected: str, word: str
) -> None:
    assert one(world, "2025-08", code, name) in ([expected], [])
    rejected = world.rejected("报表.csv")
    assert rejected[0]["error_code"] == expected
    assert word in rejected[0]["message_zh"] + "没有代码"
    assert rejected[0]["what_to_do_zh"]


def test_a_split_unit_reports_until_its_last_month(world: World) -> None:
    assert one(world, "2025-03", "360313203", "大源乡") == []


def test_a_unit_not_yet_set_up_cannot_report(world: World) -> None:
    assert one(world, "2025-01", "360313110", "上源镇") == ["R10"]


def test_a_name_that_is_another_unit_is_rejected(world: World) -> None:
    assert one(world, "2025-06", "360313101", "荷尧镇") == ["R11"]


@pytest.mark.parametrize("name", ["湘东镇人民政府", " 湘东镇 ", "湘东区湘东镇", "湘东镇民政办"])
def test_the_same_name_in_other_words_is_no_doubt(world: World, name: str) -> None:
    assert one(world, "2025-06", "360313101", name) == []
    assert world.read("population")["doubts"].to_list() == [None]


def test_an_unknown_name_is_a_doubt(world: World) -> None:
    assert one(world, "2025-06", "360313101", "湘冬镇") == []
    assert world.read("population")["doubts"].to_list() == ["D02"]


def test_a_name_alone_joins_only_within_the_named_county(world: World) -> None:
    assert one(world, "2025-06", "", "老关镇", "湘东区2025年6月户籍人口") == []
    assert world.population() == {("360313103", "2025-06"): [20_000]}
    assert one(world, "2025-07", "", "老关镇", "卢龙县户籍人口") == []
    assert ("130324101", "2025-07") in world.population()
    assert one(world, "2025-08", "", "老关镇") == ["R12"]


def test_without_divisions_nothing_is_accepted_and_later_everything(tmp_path: Path) -> None:
    world = World(tmp_path / "data", divisions=False)
    world.put("人口.csv", csv_bytes(population_rows("2025-06", GOOD)))
    world.take_in()
    submission = world.submission("人口.csv")
    assert (submission["status"], submission["error_code"]) == ("refused", "F11")
    assert world.read("population").height == 0
    from tests.intake.world import DIVISIONS

    world.put("区划.csv", csv_bytes(DIVISIONS))
    world.take_in()
    assert len(world.population()) == 2


# --- rows -----------------------------------------------------------------------------------------------


def test_blank_is_not_zero_and_an_empty_row_is_rejected(world: World) -> None:
    header = (*POPULATION_HEADER, "出生人口")
    rows = [
        header,
        ("2025-06", "360313101", "湘东镇", 20_000, ""),
        ("2025-06", "360313102", "荷尧镇", "—", 0),
        ("2025-06", "360313103", "老关镇", "", "/"),
    ]
    world.put("报表.csv", csv_bytes(rows))
    world.take_in()
    frame = world.read("population").sort("township_code")
    assert frame["births_persons"].to_list() == [None, 0]
    assert frame["population_persons"].to_list() == [20_000, None]
    assert [(r["row_number"], r["error_code"]) for r in world.rejected("报表.csv")] == [(4, "R40")]


def test_a_row_twice_is_read_once_a_contradiction_never(world: World) -> None:
    row = ("2025-06", "360313101", "湘东镇", 20_000)
    other = ("2025-06", "360313102", "荷尧镇", 1)
    world.put("报表.csv", csv_bytes([POPULATION_HEADER, row, row, other, (*other[:3], 2)]))
    world.take_in()
    assert world.population() == {("360313101", "2025-06"): [20_000]}
    submission = world.submission("报表.csv")
    assert (submission["rows_ignored"], submission["rows_rejected"]) == (1, 2)
    assert {r["error_code"] for r in world.rejected("报表.csv")} == {"R14"}


def test_rejected_rows_say_where_what_and_what_to_do(world: World) -> None:
    world.put(
        "报表.xlsx", xlsx_bytes({"六月": [POPULATION_HEADER, ("2025-06", "360313101", "湘东镇", "约两万")]})
    )
    world.take_in()
    (row,) = world.rejected("报表.xlsx")
    assert (row["sheet"], row["row_number"], row["column_title"], row["value"]) == (
        "六月",
        2,
        "户籍人口(人)",
        "约两万",
    )
    assert row["error_code"] == "R04"
    assert "约两万" in row["message_zh"]
    assert row["what_to_do_zh"] == CATALOGUE["R04"].remedy_zh


# --- files ----------------------------------------------------------------------------------------------


def encrypted() -> bytes:
    import io

    import msoffcrypto.format.ooxml as ooxml

    memory = io.BytesIO()
    ooxml.OOXMLFile(io.BytesIO(xlsx_bytes(population_rows("2025-06", GOOD)))).encrypt("secret", memory)
    return memory.getvalue()


def word() -> bytes:
    import io
    import zipfile

    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<w/>")
    return memory.getvalue()


BAD_FILES: dict[str, tuple[Any, str]] = {
    "图片.xlsx": (lambda: b"\xff\xd8\xff\xe0" + bytes(100), "F01"),
    "文件.xls": (lambda: b"%PDF-1.4 abc", "F01"),
    "文档.xlsx": (word, "F01"),
    "空.csv": (lambda: b"", "F02"),
    "空表.xlsx": (lambda: xlsx_bytes([]), "F02"),
    "加密.xlsx": (encrypted, "F03"),
    "半截.xlsx": (lambda: xlsx_bytes(population_rows("2025-06", GOOD))[:3000], "F04"),
    "说明.xlsx": (lambda: xlsx_bytes([("关于报送情况的说明",), ("各乡镇：", "请按时报送")]), "F05"),
    "缺列.csv": (
        lambda: csv_bytes(
            [("统计月份", "区划代码", "乡镇名称", "出生人口"), ("2025-06", "360313101", "湘东镇", 1)]
        ),
        "F06",
    ),
    "乱码.csv": (
        lambda: "统计月份,区划代码".encode() + b"\xff\xff\x80" + "乡镇".encode("gbk") + b"\xff\n",
        "F07",
    ),
    "空白.csv": (lambda: csv_bytes([POPULATION_HEADER]), "F08"),
    "美元.csv": (
        lambda: csv_bytes(
            [
                ("统计月份", "区划代码", "乡镇名称", "年初预算(美元)", "本月拨付"),
                ("2025-06", "360313101", "湘东镇", 1, 1),
            ]
        ),
        "F10",
    ),
    "全错.csv": (lambda: csv_bytes(population_rows("2025-06", {"360313999": 1})), "F13"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_named_and_the_run_goes_on(world: World, name: str) -> None:
    make, code = BAD_FILES[name]
    world.put(name, make())
    world.put("好的.csv", csv_bytes(population_rows("2025-05", GOOD)))
    world.take_in()
    submission = world.submission(name)
    assert (submission["status"], submission["error_code"]) == ("refused", code), submission["message_zh"]
    assert submission["message_zh"]
    assert submission["what_to_do_zh"]
    assert len(world.population()) == 2
    assert world.balanced()


def test_files_that_are_none_of_ours_are_passed_over(world: World) -> None:
    for name in ("README.md", ".DS_Store", "~$报表.xlsx", "Thumbs.db", ".git/config"):
        world.put(name, b"x")
    assert world.take_in().files == 1


# --- order ----------------------------------------------------------------------------------------------

FIGURE = st.one_of(st.integers(0, 99_999), st.sampled_from(["", "—", "1.2万", "约三千", -5, "２００００"]))
TABLE = st.lists(
    st.tuples(
        st.sampled_from(["2025-05", "2025年6月", "202507", "2025-13"]),
        st.sampled_from([*TOWNSHIPS, ("360313202", "青山乡"), ("1", "x"), ("", "湘东镇")]),
        FIGURE,
    ),
    min_size=1,
    max_size=8,
)


def _put_all(world: World, tables: list[Any], order: list[int], together: bool) -> None:
    for step, at in enumerate(order):
        rows = [
            POPULATION_HEADER,
            *((month, code, name, figure) for month, (code, name), figure in tables[at]),
        ]
        world.put(f"{at}.csv", csv_bytes(rows))
        if not together:
            world.take_in(datetime(2026, 1, 1 + step, tzinfo=TIME_ZONE))
    world.take_in(datetime(2026, 2, 1, tzinfo=TIME_ZONE))


def test_what_contradicts_a_nought_is_named_alike_whatever_came_first(tmp_path: Path) -> None:
    """Two reports of a month tell different figures: which of them counts is one thing, which is named another."""
    unit = ("360313101", "湘东镇")
    tables = [[("2025-05", unit, 0)], [("2025-07", unit, 5)], [("2025-07", unit, 621)]]
    named = []
    for order in ([0, 1, 2], [0, 2, 1]):
        world = World(tmp_path / f"{order[1]}")
        _put_all(world, tables, order, together=False)
        rejected = world.read("rejected_rows")
        named.append([text for text in rejected["message_zh"] if "填的是 0" in text])
    assert named[0] == named[1]
    assert "621" in named[0][0]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TABLE, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_rows_are_conserved_and_the_order_of_arrival_has_no_effect(tables: list[Any], random: Any) -> None:
    results = []
    for together in (True, False):
        order = list(range(len(tables)))
        random.shuffle(order)
        with tempfile.TemporaryDirectory() as root:
            world = World(Path(root) / "data")
            _put_all(world, tables, order, together)
            assert world.balanced()
            frame = world.read("population").drop("precedence")
            rejected = world.read("rejected_rows")
            results.append((frame.sort(frame.columns), rejected.sort(rejected.columns)))
    for one, other in zip(*results, strict=True):
        assert one.equals(other)


CARRIED = {
    "户籍人口": (
        "统计月份",
        "区划代码",
        "乡镇名称",
        "户籍人口",
        "出生人口",
        "死亡人口",
        "迁入人口",
        "迁出人口",
    ),
    "民政工作经费": (
        "统计月份",
        "区划代码",
        "乡镇名称",
        "年初预算(元)",
        "本月拨付(元)",
        "累计拨付(元)",
        "本月支出(元)",
        "累计支出(元)",
    ),
}
# Few months, units and figures, so that files speak of the same and sometimes fit the month before.
SHORT = st.tuples(
    st.sampled_from(["2025-01", "2025-02", "2025-03"]),
    # A township under the code of a later time, one merged into another in April, and one that never was.
    st.sampled_from(
        [*TOWNSHIPS[:2], ("360313109", "白竺镇"), ("360313202", "青山乡"), ("360313999", "某镇")]
    ),
    st.tuples(st.sampled_from([100, 101, 1_000_000]), *[st.sampled_from([0, 0, 1, ""])] * 4),
)
FILE = st.tuples(st.sampled_from(list(CARRIED)), st.lists(SHORT, min_size=3, max_size=10))
TABLES = ("population", "budget", "rejected_rows", "deliveries", "due_dates")


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(FILE, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_one_file_after_another_gives_what_all_at_once_give(files: list[Any], random: Any) -> None:
    """Also where the table of units comes among them, and where files that say when they were filled in replace
    one another: history, the month before and repeats are judged as if all had been there from the start."""
    contents = {"区划.csv": csv_bytes(DIVISIONS)}
    for day, (title, rows) in enumerate(files, start=1):
        lines = [(title,), (f"填表日期：2026-01-{day:02}",), CARRIED[title]]
        lines += [(month, *unit, *figures) for month, unit, figures in rows]
        contents[f"{day}.csv"] = csv_bytes(lines)
    results = []
    for together in (True, False):
        names = list(contents)
        random.shuffle(names)
        with tempfile.TemporaryDirectory() as root:
            world = World(Path(root) / "data", divisions=False)
            for name in names:
                world.put(name, contents[name])
                if not together:
                    world.take_in()
            world.take_in()
            assert world.balanced()
            frames = [world.read(table) for table in TABLES]
            results.append([f.drop("precedence", strict=False) for f in frames])
    for table, one, other in zip(TABLES, *results, strict=True):
        assert one.sort(one.columns).equals(other.sort(one.columns)), table


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_the_month_before_is_the_figure_that_counts(world: World, order: tuple[int, ...]) -> None:
    """The file of the 2nd replaces January's figure of the 1st, whichever came first, and February fits it."""
    months = {1: ("2025-01", 100), 2: ("2025-01", 101), 3: ("2025-02", 101)}
    for day in order:
        month, people = months[day]
        row = (month, *TOWNSHIPS[0], people, 0, 0, 0, 0)
        lines = [("户籍人口",), (f"填表日期：2026-01-{day:02}",), CARRIED["户籍人口"], row]
        world.put(f"{day}.csv", csv_bytes(lines))
        world.take_in()
    assert world.read("population")["doubts"].to_list() == [None] * 3


def test_received_time_is_the_bureaus_clock(world: World) -> None:
    from zoneinfo import ZoneInfo

    world.put("人口.csv", csv_bytes(population_rows("2025-06", GOOD)))
    world.take_in(datetime(2026, 1, 5, 1, tzinfo=ZoneInfo("UTC")))
    assert world.submission("人口.csv")["received_at"].isoformat() == "2026-01-05T09:00:00"
    assert world.submission("人口.csv")["month_from"] == date(2025, 6, 1)


@pytest.mark.parametrize(
    ("code", "name", "township"),
    [
        ("3.60313E+11", "湘东镇", "360313101"),
        ("3.60313E+08", "荷尧镇人民政府", "360313102"),
        ("3.60313101E+11", "湘东镇", "360313101"),
        ("3.60313E+11", "老关镇", "360313103"),
        ("1.30324E+11", "老关镇", "130324101"),
        ("1303241", "卢龙镇", "130324100"),
        ("3.60313E+11", "卢龙镇", None),
        ("3.60313E+11", "不知道镇", None),
        ("3.60313E+11", "", None),
        ("13032410", "老关镇", None),
    ],
)
def test_a_code_cut_short_by_excel_is_recovered_only_where_certain(
    world: World, code: str, name: str, township: str | None
) -> None:
    errors = one(world, "2025-06", code, name)
    assert set(world.population()) == ({(township, "2025-06")} if township else set())
    assert errors == ([] if township else ["R03"])
    if township:
        row = world.read("population").row(0, named=True)
        assert (row["doubts"], row["reported_code"]) == ("D09", None)


def test_a_years_payments_back_at_0_wait_for_confirmation_under_a_new_code_too(world: World) -> None:
    """白竺乡 became 白竺镇 on 1 July: one unit, whose cumulative payments cannot fall back to nothing unasked."""
    header = ("统计月份", "区划代码", "乡镇名称", "年初预算(元)", "本月拨付(元)", "累计拨付(元)")
    rows = [
        header,
        ("2025-06", "360313201", "白竺乡", "60000", "5000", "30000"),
        ("2025-07", "360313109", "白竺镇", "60000", "0", "0"),
    ]
    world.put("经费.csv", csv_bytes(rows))
    world.take_in()
    found = (
        world.read("budget").sort("month").select("disbursed_month_cny", "disbursed_cumulative_cny", "doubts")
    )
    assert found.row(0)[:2] == (5000, 30000)
    assert found.row(1)[:2] == (0, None)
    assert "H12" in found.row(1)[2]
