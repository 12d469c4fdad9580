"""The SQL page in a real browser: completion, run, the place of an error, cancel, download, saved queries."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl

from tests.dashboard.browsing import Visit, needs_chromium, until

pytestmark = needs_chromium


def opened(visit: Visit, path: str = "/sql") -> Any:
    page = visit.go(path)
    page.wait_for_selector("#sql-page[data-ready=true]")
    return page


def write(page: Any, sql: str) -> None:
    page.fill("#sql-text", sql)


def ran(page: Any) -> str:
    page.evaluate("document.getElementById('sql-status').textContent = ''")
    page.press("#sql-text", "Control+Enter")
    until(page, "() => /行|没有结果|已取消/.test(document.getElementById('sql-status').textContent)")
    return str(page.inner_text("#sql-status"))


def test_a_query_is_run_and_shown(visit: Visit) -> None:
    page = opened(visit)
    write(page, "select 乡镇名称, 缺口_万元 from 经费缺口_月 where 缺口_元 > 0 limit 7")
    assert "共 7 行" in ran(page)
    assert page.locator(".sql-table tbody tr").count() == 7
    page.click('[data-sql="view-chart"]')
    assert page.locator(".sql-chart .sql-bar").count() == 7


def test_completion_offers_columns_with_their_meaning(visit: Visit) -> None:
    page = opened(visit)
    write(page, "select  from 经费缺口_月")
    page.evaluate("document.getElementById('sql-text').setSelectionRange(7, 7)")
    page.press("#sql-text", "Control+Space")
    page.type("#sql-text", "缺口_")
    page.wait_for_selector("#sql-list li")
    first = page.inner_text("#sql-list li >> nth=0")
    assert "缺口_" in first
    page.press("#sql-text", "Enter")
    assert re.match(r"select 缺口_(元|万元) from", page.input_value("#sql-text"))


def test_an_error_is_explained_and_marked(visit: Visit) -> None:
    page = opened(visit)
    write(page, "select 乡镇名称,\n  缺囗_元\nfrom 经费缺口_月")
    assert "没有结果" in ran(page)
    told = page.inner_text("#sql-error")
    assert "第 2 行第 3 个字" in told
    assert "没有名为“缺囗_元”的列" in told
    assert page.inner_text("#sql-error mark") == "缺囗_元"
    assert page.inner_text(".sql-wrong") == "缺囗_元"


def test_a_long_query_is_cancelled(visit: Visit) -> None:
    page = opened(visit)
    write(page, "select sum(range) from range(1000000000000)")
    page.press("#sql-text", "Control+Enter")
    until(page, "() => document.getElementById('sql-status').textContent.includes('已用')")
    page.click('[data-sql="cancel"]')
    until(page, "() => document.getElementById('sql-status').textContent === '已取消'")
    write(page, "select 1 as 一")
    assert "共 1 行" in ran(page)


def test_downloads_are_complete(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit)
    write(page, "select range as 序号, '=1+1' as 文字 from range(2500)")
    assert "此处显示前 1,000 行" in ran(page)
    files = {}
    for kind in ("csv", "xlsx", "parquet"):
        with page.expect_download() as waiting:
            page.click(f'[data-sql="{kind}"]')
        files[kind] = tmp_path / f"a.{kind}"
        waiting.value.save_as(files[kind])
    rows = list(csv.reader(io.StringIO(files["csv"].read_text("utf-8-sig"))))
    assert len(rows) == 2501
    assert rows[1] == ["0", "'=1+1"]
    sheet = openpyxl.load_workbook(files["xlsx"])["查询结果"]
    assert sheet.max_row == 2501
    assert sheet.cell(2, 2).data_type == "s"
    assert pl.read_parquet(files["parquet"])["序号"].sum() == sum(range(2500))


def test_a_unit_is_chosen_by_name_and_never_ignored(visit: Visit) -> None:
    page = opened(visit)
    write(page, "select distinct 县级名称 from 乡镇 where starts_with(区划代码, $unit)")
    page.fill("#sql-unit", "湘东区")
    assert "共 1 行" in ran(page)
    assert "湘东区" in page.inner_text(".sql-table tbody")
    page.fill("#sql-unit", "没有这个区")
    assert "没有结果" in ran(page)
    assert "没有地区“没有这个区”" in page.inner_text("#sql-error")


def test_every_example_runs_on_the_page(visit: Visit) -> None:
    page = opened(visit)
    page.click('[data-sql="tab-examples"]')
    entries = page.locator(".sql-entry-title")
    for number in range(entries.count()):
        entries.nth(number).click()
        assert "行；用时" in ran(page), page.inner_text("#sql-error")


def test_a_download_is_cancelled(visit: Visit) -> None:
    page = opened(visit)
    write(page, "select range as a, range as b from range(3000000)")
    assert "超过 100,000 行" in ran(page)
    page.click('[data-sql="xlsx"]')
    until(page, "() => document.getElementById('sql-status').textContent.includes('正在准备文件…已用')")
    page.click('[data-sql="cancel"]')
    until(page, "() => document.getElementById('sql-status').textContent === '已取消'")
    write(page, "select 1 as 一")
    assert "共 1 行" in ran(page)


def test_saved_queries_have_a_link_and_history_is_kept(visit: Visit) -> None:
    page = opened(visit)
    write(page, "select 42 as 答案")
    ran(page)
    page.once("dialog", lambda dialog: dialog.accept("终极答案"))
    page.click('[data-sql="save"]')
    until(page, "() => location.search.includes('q=')")
    link = page.evaluate("location.pathname + location.search")
    page.click('[data-sql="tab-history"]')
    assert "select 42" in page.inner_text("#sql-side")
    page.evaluate("sessionStorage.clear()")
    page = opened(visit, link)
    assert page.input_value("#sql-text") == "select 42 as 答案"


def test_examples_fill_the_editor_and_the_tree_is_searched(visit: Visit) -> None:
    page = opened(visit)
    page.click('[data-sql="tab-examples"]')
    assert page.locator(".sql-entry-title").count() >= 20
    page.click("text=缺口最大的 20 个乡镇")
    assert "limit 20" in page.input_value("#sql-text")
    assert "行" in ran(page)
    page.click('[data-sql="tab-tables"]')
    page.fill(".sql-search", "保障率")
    assert "经费缺口_月" in page.inner_text("#sql-tree")
