"""What the sandbox answers, how it stops, and what it says."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.compute
import pyarrow.ipc
import pyarrow.parquet
import pytest

from oversight.editions import Edition
from oversight.sandbox import Limits, QueryError, Sandbox
from oversight.sandbox.examples import EXAMPLES
from tests.sandbox.ending import PATIENCE_SECONDS, ended


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(seconds=10, memory_mb=256, screen_rows=100, screen_bytes=1 << 20)) as made:
        yield made


@pytest.fixture(scope="module")
def warehouse(sample_edition: Edition) -> Path:
    return sample_edition.warehouse


def test_every_example_gives_an_answer(sandbox: Sandbox, warehouse: Path) -> None:
    assert len(EXAMPLES) >= 20
    assert len({example.title for example in EXAMPLES}) == len(EXAMPLES)
    with_rows = 0
    for example in EXAMPLES:
        answer = sandbox.run("u", warehouse, example.sql, {"month": "2025-06-01", "unit": ""})
        with_rows += answer.rows > 0
    assert with_rows >= 15


def test_rows_are_limited_on_screen_and_counted(sandbox: Sandbox, warehouse: Path) -> None:
    answer = sandbox.run("u", warehouse, "select range as n from range(5000)")
    assert (answer.table.num_rows, answer.rows, answer.is_complete) == (100, 5000, True)
    answer = sandbox.run("u", warehouse, "select range as n from range(10000000)")
    assert answer.table.num_rows == 100
    assert not answer.is_complete


def test_a_download_is_complete(sandbox: Sandbox, warehouse: Path) -> None:
    with sandbox.run_to_file("u", warehouse, "select range as n from range(54321)") as file:
        assert pyarrow.ipc.open_stream(file).read_all()["n"].to_pylist() == list(range(54321))


def test_ten_million_rows_are_downloaded_whole(sandbox: Sandbox, warehouse: Path) -> None:
    sql = "select range as n from range(10000000)"
    with sandbox.download("u", warehouse, sql, kind="parquet", query_id="big") as file:
        found = pyarrow.parquet.read_table(file)["n"]
    assert pyarrow.compute.sum(found).as_py() == 10_000_000 * 9_999_999 // 2


@pytest.mark.parametrize(
    "sql",
    [
        "select sum(range) from range(1000000000000)",
        # The query is over in a moment; it is the workbook that takes long.
        "select range as a, range as b from range(3000000)",
    ],
)
def test_a_download_can_be_cancelled(sandbox: Sandbox, warehouse: Path, sql: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(sandbox.download, "u", warehouse, sql, kind="xlsx", query_id="file")
        time.sleep(3)
        assert not asked.done()
        # Between the query and the file it is found nowhere for a moment.
        while not asked.done() and not sandbox.cancel("file"):
            time.sleep(0.01)
        with pytest.raises(QueryError, match="已取消"):
            asked.result(timeout=10)


def test_a_file_that_takes_too_long_is_given_up(warehouse: Path) -> None:
    sql = "select range as a, range as b from range(3000000)"
    with (
        Sandbox(Limits(seconds=PATIENCE_SECONDS, download_seconds=0.5)) as made,
        pytest.raises(QueryError, match="没能在"),
    ):
        made.download("u", warehouse, sql, kind="xlsx", query_id="file")


def test_values_of_every_kind_come_out(sandbox: Sandbox, warehouse: Path) -> None:
    sql = (
        "select timestamp '2025-06-01 08:00:00' as a, interval 14 month as b, [1, null] as c, true as d, null as e, "
        "cast('0.10' as decimal(18, 2)) as f, map {'甲': 1} as g, '2025-06-01'::date as h"
    )
    with sandbox.download("u", warehouse, sql, kind="csv", query_id="v") as file:
        header, row = file.read().decode("utf-8-sig").splitlines()
    assert header == "a,b,c,d,e,f,g,h"
    assert row.startswith('2025-06-01 08:00:00,14 个月 0 天 0:00:00,"[1, null]",是,,0.10,')
    # What Python or Arrow does not have is refused with a reason, never shown as nothing.
    with pytest.raises(QueryError, match="写不成文件"):
        sandbox.download("u", warehouse, "select date '290000-01-01'", kind="csv", query_id="w")
    for wrong in ("select time '24:00:00'", "select 1::variant"):
        with pytest.raises(QueryError, match="不能显示"):
            sandbox.run("u", warehouse, wrong)


@pytest.mark.parametrize(
    ("sql", "line", "column", "words"),
    [
        ("selec 1", 1, 1, "语法有误"),
        ("select 乡镇名称,\n  缺囗\nfrom 经费缺口_月", 2, 3, "没有名为“缺囗”的列"),
        ("select '中文' as 甲 乙 丙", 1, 18, "语法有误"),
        ("select * from 经费缺口", 1, 15, "没有名为“经费缺口”的表"),
        ("select foo(1)", 1, 8, "没有名为“foo”的函数"),
        ("select 县级名称, sum(缺口_元) from 经费缺口_月", 1, 8, "GROUP BY"),
        ("select '没有结束", 1, 8, "单引号没有成对"),
        ("select 1 where '一月' = 1", 1, None, "不能转换"),
        ("select $money", 1, 8, "没有名为 $money 的参数"),
        ("select 1; select 2", 1, None, "只能执行一条"),
        ("drop table townships", None, None, "只能查询"),
        ("select * from 'a.csv'", None, None, "不能读写文件"),
        ("", None, None, "没有可以执行的语句"),
    ],
)
def test_errors_are_chinese_and_say_where(
    sandbox: Sandbox, warehouse: Path, sql: str, line: int | None, column: int | None, words: str
) -> None:
    with pytest.raises(QueryError) as caught:
        sandbox.run("u", warehouse, sql)
    error = caught.value
    assert words in str(error)
    if line is not None:
        assert error.place is not None
        assert error.place.line == line
        assert column is None or error.place.column == column
        assert "^" in error.marked(sql)


def test_a_query_can_be_cancelled(warehouse: Path) -> None:
    endless = "select sum(range) from range(1000000000000)"
    with Sandbox(Limits(seconds=2 * PATIENCE_SECONDS, memory_mb=256)) as sandbox:
        threading.Timer(0.5, lambda: sandbox.cancel("mine")).start()
        with pytest.raises(QueryError, match="已取消"):
            ended(lambda: sandbox.run("u", warehouse, endless, query_id="mine"))
        assert not sandbox.cancel("mine")


def test_twenty_users_at_once(sandbox: Sandbox, warehouse: Path) -> None:
    sql = "select count(*) as n from 逐项判定"

    def ask(user: int) -> int:
        return int(sandbox.run(f"user-{user}", warehouse, sql).table["n"][0].as_py())

    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(ask, range(20)))) == 1


def test_a_process_answers_one_question_only(sandbox: Sandbox, warehouse: Path) -> None:
    sandbox.warm("u", warehouse)
    first = sandbox._take("u", warehouse)
    second = sandbox._take("u", warehouse)
    assert first.pid != second.pid
    first.close()
    second.close()
