"""`oversight sql`, `tables`, `describe`: what they print, and what they refuse."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import openpyxl

from oversight.dictionary import problems, read_dictionary, relations
from oversight.editions import open_edition
from oversight.settings import DataFolder
from tests.conftest import run_oversight


def ask(folder: DataFolder, *arguments: str) -> str:
    done = run_oversight(*arguments, "--data", str(folder.root))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_table_with_chinese_names(sample_folder: DataFolder) -> None:
    shown = ask(sample_folder, "sql", "select 乡镇名称, 缺口_万元 from 经费缺口_月 where 缺口_元 > 0 limit 3")
    assert "乡镇名称" in shown
    assert "（共 3 行）" in shown


def test_formulas_stay_text(sample_folder: DataFolder, tmp_path: Path) -> None:
    sql = "select '=1+1' as a, '+2' as b, '-3' as c, '@x' as d, -5 as e, cast(1.50 as decimal(9, 2)) as f"
    header, row = csv.reader(io.StringIO(ask(sample_folder, "sql", sql, "--format", "csv").lstrip("\ufeff")))
    assert header == ["a", "b", "c", "d", "e", "f"]
    assert row == ["'=1+1", "'+2", "'-3", "'@x", "-5", "1.50"]
    path = tmp_path / "a.xlsx"
    query = tmp_path / "q.sql"
    query.write_text(sql, "utf-8")
    ask(sample_folder, "sql", "-f", str(query), "--format", "xlsx", "-o", str(path))
    cells = next(openpyxl.load_workbook(path).active.iter_rows(min_row=2))
    assert [cell.value for cell in cells] == ["=1+1", "+2", "-3", "@x", -5, 1.5]
    assert [cell.data_type for cell in cells] == ["s", "s", "s", "s", "n", "n"]


def test_json_and_parameters(sample_folder: DataFolder) -> None:
    sql = "select count(*) as n, max(统计月份) as m from 经费缺口_月 where 统计月份 = $month and starts_with(区划代码, $unit)"
    found = json.loads(
        ask(sample_folder, "sql", sql, "--month", "2025-06", "--unit", "360300", "--format", "json")
    )
    assert found[0]["n"] > 0
    assert found[0]["m"] == "2025-06-01"


def test_errors_mark_the_place(sample_folder: DataFolder) -> None:
    done = run_oversight("sql", "select 缺囗 from 经费缺口_月", "--data", str(sample_folder.root))
    assert done.returncode == 1
    assert "没有名为“缺囗”的列" in done.stderr
    assert done.stderr.rstrip().endswith("^")
    for refused in ("copy townships to 'x.csv'", "select 1; select 2", "select * from '/etc/passwd'"):
        assert run_oversight("sql", refused, "--data", str(sample_folder.root)).returncode == 1


def test_tables_and_describe(sample_folder: DataFolder) -> None:
    listed = ask(sample_folder, "tables")
    assert "funding_gap_monthly" in listed
    assert "经费缺口_月" in listed
    described = ask(sample_folder, "describe", "funding_gap_monthly")
    assert "应保障" in described
    assert "元" in described
    assert "缺口_万元" in ask(sample_folder, "describe", "经费缺口_月")
    wrong = run_oversight("describe", "townshps", "--data", str(sample_folder.root))
    assert wrong.returncode == 1
    assert "townships" in wrong.stderr


def test_every_column_has_name_unit_and_description(sample_folder: DataFolder) -> None:
    with open_edition(sample_folder) as connection:
        assert problems(read_dictionary(connection)) == []


def test_chinese_relations_survive_another_name(sample_folder: DataFolder) -> None:
    import duckdb

    from oversight.editions import find_edition

    connection = duckdb.connect()
    # A table of the same name beside it must not be taken for the file's own.
    connection.execute("create table funding_gap_monthly as select 1 as other")
    connection.execute(f"attach '{find_edition(sample_folder).warehouse}' as 换个名字 (read_only)")
    entries = relations(read_dictionary(connection, "换个名字"))
    for name, entry in entries.items():
        [[shown]] = connection.execute(f'select count(*) from 换个名字.中文."{name}"').fetchall()
        [[held]] = connection.execute(f"select count(*) from 换个名字.{entry.schema}.{entry.name}").fetchall()
        assert shown == held, name
    cny, wan = connection.execute(
        "select sum(缺口_元), sum(缺口_万元) from 换个名字.中文.经费缺口_月"
    ).fetchall()[0]
    assert cny == wan * 10_000
    schemas = connection.execute(
        "select distinct schema_name from duckdb_views() where database_name = '换个名字' and not internal"
    ).fetchall()
    # Evidence is read from operands that judgements keep, instead of being kept twice.
    assert set(schemas) == {("中文",), ("detail",)}
