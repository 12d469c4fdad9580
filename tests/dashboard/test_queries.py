"""Every call takes a scope, and the sums kept beside an edition say what its tables say."""

from __future__ import annotations

import inspect
import json
import shutil
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from oversight import presentation as show
from oversight.cli import main
from oversight.dashboard import queries
from oversight.dashboard.access import EVERYTHING, Scope, significant
from oversight.dashboard.app import create_app
from oversight.dashboard.asking import ask_of
from oversight.dashboard.grids import Column
from oversight.dashboard.pages.township import have_read
from oversight.dashboard.queries import Ask
from oversight.dashboard.state import State, read_state
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import AT_ONCE, Warehouse, _weight
from oversight.editions import find_edition
from oversight.explain import ExplainError, explain
from oversight.metrics import METRICS, columns_of
from oversight.settings import DataFolder
from tests.accounts.asking import drawing

XIANGDONG = Scope(("360313",))
ONE_TOWN = Scope(("360313101",))


def test_every_query_takes_a_scope() -> None:
    readers = [
        function
        for name, function in inspect.getmembers(queries, inspect.isfunction)
        if function.__module__ == queries.__name__
        and not name.startswith("_")
        and next(iter(inspect.signature(function).parameters), "") == "w"
    ]
    assert len(readers) > 20
    for function in readers:
        assert list(inspect.signature(function).parameters)[1] == "scope", function.__name__


@pytest.mark.parametrize(
    ("code", "digits"),
    [("360000", "36"), ("360300", "3603"), ("360313", "360313"), ("360313101", "360313101"), ("000000", "")],
)
def test_significant_digits(code: str, digits: str) -> None:
    assert significant(code) == digits


def test_scope_says_what_lies_inside_and_what_is_on_the_way() -> None:
    assert XIANGDONG.covers("360313101")
    assert not XIANGDONG.covers("360300")
    assert XIANGDONG.touches("360300")
    assert not XIANGDONG.touches("640324")
    assert EVERYTHING.covers("640324")


@pytest.mark.parametrize("prefix", ["", "36", "3603", "360313", "64", "13"])
def test_roll_ups_say_what_the_townships_say(
    warehouse: Warehouse, sql: duckdb.DuckDBPyConnection, prefix: str
) -> None:
    """All months, every level: a sum runs over the units its name tells, and a rate's two sums over the same."""
    judged = "filter (status in ('met', 'short'))"
    complete = "filter (guaranteed_ytd_cny is not null and disbursed_as_of_month = month and not disbursed_is_partial)"
    money = sql.execute(
        f"select month, count(*), count(*) {judged}, sum(guaranteed_annual_cny), sum(guaranteed_annual_cny) {judged}, "
        f"sum(allocated_annual_cny) {judged}, sum(allocation_shortfall_cny), sum(guaranteed_ytd_cny) {complete}, "
        f"sum(disbursed_ytd_cny) {complete}, sum(disbursement_shortfall_ytd_cny) "
        "from funding_gap_monthly where starts_with(township_code, ?) group by 1 order by 1",
        [prefix],
    ).fetchall()
    names = (
        "month",
        "units_count",
        "judged_count",
        "guaranteed_of_covered_cny",
        "guaranteed_of_judged_cny",
        "allocated_of_judged_cny",
        "allocation_shortfall_of_judged_cny",
        "guaranteed_ytd_of_complete_cny",
        "disbursed_of_complete_cny",
        "disbursement_shortfall_of_compared_cny",
    )
    found = queries.units(warehouse, EVERYTHING, prefix)
    assert money == [tuple(row[name] for name in names) for row in found]
    for row in found:
        for metric in METRICS.values():
            if metric.part:
                expected = show.ratio_pct(row[metric.part], row[metric.whole])
                assert row[metric.key] == expected, (metric.key, row["month"])
    sent = sql.execute(
        "select f.month, count(*), count(*) - count(b.township_code) from funding_gap_monthly as f "
        "inner join townships as t on f.township_code = t.township_code and t.is_township "
        "left join (select distinct township_code, month from reported.budget where is_current) as b "
        "on f.township_code = b.township_code and f.month = b.month "
        "where starts_with(f.township_code, ?) group by 1 order by 1",
        [prefix],
    ).fetchall()
    assert sent == [(row["month"], row["expected_count"], row["budget_missing_count"]) for row in found]
    answers = sql.execute(
        "select rule_id, month, count(*), sum(shortfall) from judgements "
        "where starts_with(subject_code, ?) group by 1, 2",
        [prefix],
    ).fetchall()
    told = {(rule, month): (count, short) for rule, month, count, short in answers}
    summary = queries.rules_summary(warehouse, EVERYTHING, prefix, warehouse.months[-1])
    assert summary
    for row in summary:
        assert told[row["rule_id"], row["month"]] == (row["answers_count"], row["shortfall"]), row["rule_id"]


def test_whoever_sees_a_part_of_a_unit_gets_no_sum_of_it(warehouse: Warehouse) -> None:
    month = warehouse.months[-1]
    assert queries.units(warehouse, XIANGDONG, "360313", 0, [month])
    assert queries.units(warehouse, XIANGDONG, "3603", 0, [month]) == []
    assert [row["unit_code"] for row in queries.units(warehouse, XIANGDONG, "36", 6, [month])] == ["360313"]
    assert queries.units(warehouse, ONE_TOWN, "360313", 0, [month]) == []
    assert [row["code"] for row in queries.townships(warehouse, ONE_TOWN, "360313", [month])] == ["360313101"]


def test_missing_people_are_counted_once_a_township(
    warehouse: Warehouse, sql: duckdb.DuckDBPyConnection
) -> None:
    month = warehouse.months[-1]
    expected = sql.execute(
        "select sum(most) from (select max(shortfall_persons) as most from staffing_gap_monthly "
        "where month = ? group by township_code)",
        [month],
    ).fetchone()
    assert expected is not None
    row = queries.units(warehouse, EVERYTHING, "", 0, [month])[0]
    assert row["staff_shortfall_of_judged_persons"] == expected[0]


@pytest.mark.parametrize("scope", [XIANGDONG, ONE_TOWN])
def test_nothing_outside_the_scope_comes_out(warehouse: Warehouse, scope: Scope) -> None:
    month: date = warehouse.months[-1]
    prefix = scope.prefixes[0]
    everything = [
        queries.funding_rows(warehouse, scope, "", month)[0],
        queries.townships(warehouse, scope, "", warehouse.months),
        queries.units(warehouse, scope, "", 6),
        queries.judgement_rows(warehouse, scope, "", month)[0],
        queries.findings(warehouse, scope, "", month)[0],
        queries.report_rows(warehouse, scope, "", warehouse.months[0], None)[0],
        queries.suite_flags(warehouse, scope, "")[0],
        queries.township_list(warehouse, scope, "", "", month, None)[0],
    ]
    for rows in everything:
        for row in rows:
            code = row.get("township_code") or row.get("unit_code") or row.get("subject_code")
            assert str(code).startswith(prefix)
    assert queries.township(warehouse, scope, "640324100") is None
    assert queries.unit_name(warehouse, scope, "640324") is None
    assert queries.explanation(warehouse, scope, "640324100", month) is None
    assert queries.reported(warehouse, scope, "budget", ["640324100"], month) == []


def test_files_of_others_are_out_of_sight(warehouse: Warehouse) -> None:
    names = {row["file_name"] for row in queries.submissions(warehouse, XIANGDONG, "")[0]}
    assert names
    assert all("湘东区" in name or "副本" in name for name in names)
    rejected, _ = queries.rejected(warehouse, XIANGDONG, "")
    assert all("湘东区" in row["file_name"] for row in rejected)


def test_findings_are_told_as_of_the_month(warehouse: Warehouse, sql: duckdb.DuckDBPyConnection) -> None:
    for month in (warehouse.months[5], warehouse.months[-1]):
        rows, total = queries.findings(warehouse, EVERYTHING, "", month, status="open")
        expected = sql.execute(
            "select finding_id from findings where opened_month <= ? and not coalesce(cleared_month <= ?, false) "
            "and not (status in ('not_applicable', 'unit_ended', 'superseded') and last_month < ?)",
            [month, month, month],
        ).fetchall()
        assert {row["finding_id"] for row in rows} == {row[0] for row in expected}
        assert total == len(rows)
        counts = queries.finding_counts(warehouse, EVERYTHING, "", month)
        assert counts["open_count"] == len(rows)
        assert queries.findings(warehouse, EVERYTHING, "", month, status="open", limit=7)[1] == len(rows)


def test_an_address_says_all_and_nonsense_is_left_out() -> None:
    state = read_state("/funding", "?unit=360313&month=2025-06&money=yuan&rule=A-10")
    assert (state.unit, state.month, state.money, state.get("rule")) == (
        "360313",
        date(2025, 6, 1),
        "yuan",
        "A-10",
    )
    assert read_state("/funding", "?" + state.query()) == state
    assert state.href(unit="360300") == "/funding?unit=360300&month=2025-06&money=yuan&rule=A-10"
    assert state.href("/") == "/?unit=360313&month=2025-06&money=yuan"
    odd = read_state("/", "?unit=36' or 1=1&month=2025-13&money=dollars")
    assert (odd.unit, odd.month, odd.money) == ("", None, "wan")


def test_a_filter_is_meant_as_the_value_is_read(warehouse: Warehouse, sql: duckdb.DuckDBPyConnection) -> None:
    month = warehouse.months[-1]
    columns = [
        Column("allocation_shortfall_cny", "缺口", "number", "元"),
        Column("status", "状态", "status", looks=show.STATUS),
        Column("population_month", "人口月份"),
        Column("county_name", "县"),
        Column("shown_only", "只在页面上", in_sql=False),
    ]

    def found(filters: Any, sorting: Any = None, money: Any = "wan") -> list[str]:
        ask = ask_of(columns, filters, sorting, money)
        rows, total = queries.funding_rows(warehouse, EVERYTHING, "", month, ask=ask)
        assert total == len(rows)
        assert queries.funding_rows(warehouse, EVERYTHING, "", month, limit=1, ask=ask)[1] == len(rows)
        return [row["township_code"] for row in rows]

    def told(
        condition: str, order: str = "allocation_shortfall_cny desc nulls last, township_code"
    ) -> list[str]:
        return [
            row[0]
            for row in sql.execute(
                f"select township_code from funding_gap_monthly where month = ? and {condition} order by {order}",
                [month],
            ).fetchall()
        ]

    more = {"filterType": "number", "type": "greaterThan", "filter": 1}
    assert 0 < len(found({"allocation_shortfall_cny": more})) < len(told("true"))
    assert found({"allocation_shortfall_cny": more}) == told("allocation_shortfall_cny > 10000")
    assert found({"allocation_shortfall_cny": more}, money="yuan") == told("allocation_shortfall_cny > 1")
    word = {"filterType": "text", "type": "equals", "filter": "不达标"}
    either = {"operator": "OR", "conditions": [word, word | {"filter": "未报送"}]}
    assert found({"status": either}) == told("status in ('short', 'not_reported')")
    read = {"filterType": "text", "type": "contains", "filter": "2024年12"}
    assert found({"population_month": read}) == told("population_month = date '2024-12-01'")
    assert found({}, [{"colId": "county_name", "sort": "desc"}]) == told(
        "true", "county_name desc nulls last, allocation_shortfall_cny desc nulls last, township_code"
    )
    odd = {
        "shown_only": word,
        "1=1; drop table x": word,
        "county_name": {"type": "contains", "filter": "' or 1=1"},
    }
    assert found(odd) == []
    assert found(
        {"county_name": "nonsense", "allocation_shortfall_cny": {"type": "equals", "filter": "x"}}
    ) == told("true")


def test_an_edition_of_an_older_program_says_so_where_a_column_is_lacking(
    sample_folder: DataFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edition = find_edition(sample_folder)
    place = tmp_path / "marts" / "editions" / edition.edition_id
    place.mkdir(parents=True)
    shutil.copyfile(edition.warehouse, place / "warehouse.duckdb")
    (tmp_path / "marts" / "CURRENT").write_text(edition.edition_id)
    with duckdb.connect(str(place / "warehouse.duckdb")) as connection:
        connection.execute("alter table staffing_gap_monthly drop column tier_label")
    for version, told in ((edition.made_from.code_version, "没能显示出来"), ("older", "由旧版程序生成")):
        manifest = edition.manifest | {"code_version": version}
        (place / "manifest.json").write_text(json.dumps(manifest, default=str), "utf-8")
        app = create_app(DataFolder.at(tmp_path))
        # The rule whose explanation reads the column; the page explains one at a time.
        asked = drawing("/township", "?unit=360313102&month=2025-12&why=A-06", edition.edition_id)
        answer = app.server.test_client().post("/_dash-update-component", json=asked)
        assert told in json.dumps(answer.get_json(), ensure_ascii=False)
    assert main(["explain", "360313102", "--data", str(tmp_path)]) == 1
    assert "由旧版程序生成" in capsys.readouterr().err


def test_townships_put_together_here_are_those_of_the_statement(warehouse: Warehouse) -> None:
    month = warehouse.months[-1]
    statement = f"select * from {queries.statement('townships')} as f"
    for prefix in ("", "360313", "640324"):
        asked = warehouse.rows(
            f"{statement} where f.month = ? and starts_with(f.township_code, ?) order by f.township_code",
            [month, prefix],
        )
        assert asked == queries.townships(warehouse, EVERYTHING, prefix, [month])
    code = asked[0]["code"]
    whole = warehouse.rows(f"{statement} where f.township_code = ? order by f.month", [code])
    assert len(whole) > 12
    months = queries.township_months(warehouse, EVERYTHING, [code])
    assert len(months) == len(whole)
    for row, own in zip(whole, months, strict=True):
        assert {name: row[name] for name in own} == own
    assert queries.township_months(warehouse, Scope(("13",)), [code]) == []


def test_a_figure_is_told_by_its_own_columns(warehouse: Warehouse) -> None:
    whole = warehouse.rows("select * from e.detail.unit_monthly order by unit_level, unit_code, month")
    assert len(whole) > 100
    # No unit has every kind of lack: one made of nothing, and one of which nothing is known.
    nothing = dict.fromkeys(whole[0])
    counts = {name: 0 for name in nothing if name.endswith("_count")}
    for row in (*whole, nothing | counts, nothing | counts | {"units_count": 3, "covered_count": 2}):
        for key, metric in METRICS.items():
            own = {name: row[name] for name in columns_of([key])}
            assert metric.of(own) == metric.of(row)
            assert metric.count_text(own) == metric.count_text(row)
    for scope, prefix, digits in ((EVERYTHING, "", 2), (XIANGDONG, "36", 6)):
        months = [warehouse.months[-1], warehouse.months[-4]]
        asked = queries.units(warehouse, scope, prefix, digits, months, ["short_count"])
        assert asked == [
            {name: row[name] for name in ("code", "unit_code", "month", *columns_of(["short_count"]))}
            for row in queries.units(warehouse, scope, prefix, digits)
            if row["month"] in months
        ]


def test_units_that_changed_are_those_of_the_register(warehouse: Warehouse) -> None:
    changed = 0
    for row in warehouse.rows("select * from e.townships"):
        every = warehouse.rows(
            "select * from e.townships where unit_id = ? or successor_code = ? "
            "order by valid_from nulls first, township_code",
            [row["unit_id"], row["township_code"]],
        )
        assert queries.lineage(warehouse, EVERYTHING, row) == every
        changed += len(every) > 1
    assert changed >= 3


def test_what_a_page_has_read_explains_as_the_edition_itself_does(
    warehouse: Warehouse, sql: duckdb.DuckDBPyConnection
) -> None:
    explained = 0
    for code in [row["township_code"] for row in warehouse.rows("select township_code from e.townships")]:
        for month in (warehouse.months[0], *warehouse.months[-14::3], warehouse.months[-1]):
            view = View(warehouse, EVERYTHING, State("/township", code, month), "light")
            try:
                told = explain(sql, code, month)
            except ExplainError:
                assert queries.explanation(warehouse, EVERYTHING, code, month, read=have_read(view)) is None
                continue
            for rule in told.rules:
                # The one without a number stands for the lack of a standard: it comes first without being asked for.
                asked = rule.rule_id or None
                found = explain(sql, code, month, asked, is_first_only=True, read=have_read(view))
                assert found == replace(told, rules=[rule])
                explained += 1
    assert explained > 2000


def test_a_query_that_others_left_no_memory_is_asked_again_alone(warehouse: Warehouse) -> None:
    """On the country six readers at once were shown “没能显示” in place of one page in twelve."""
    asked: list[int] = []

    def ask() -> str:
        asked.append(1)
        if len(asked) == 1:
            raise duckdb.OutOfMemoryException("failed to allocate")
        # Nobody else has a turn now.
        assert not warehouse._turns.acquire(blocking=False)
        return "found"

    assert warehouse.in_turn(ask) == "found"
    assert len(asked) == 2
    # And the turns are given back, also where it does not do alone either.
    with pytest.raises(duckdb.OutOfMemoryException):
        warehouse.in_turn(_too_large)
    assert [warehouse._turns.acquire(blocking=False) for _ in range(AT_ONCE + 1)] == [True] * AT_ONCE + [
        False
    ]
    warehouse._turns.release(AT_ONCE)


def _too_large() -> None:
    raise duckdb.OutOfMemoryException("failed to allocate")


def test_what_is_remembered_is_counted_by_values() -> None:
    row = {"a": 1, "b": 2, "c": 3}
    assert _weight([row] * 10) == 31
    assert _weight(([row], 7)) == 1 + 4 + 1
    assert _weight([]) == 1


@pytest.mark.parametrize("limit", [None, 4])
@pytest.mark.parametrize("prefix", ["", "13", "360313", "360313105"])
def test_a_table_as_it_stands_is_what_its_statement_gives(
    warehouse: Warehouse, prefix: str, limit: int | None
) -> None:
    # A reader's condition is put to the whole statement; without one the rows are chosen from one table, and the rest
    # is put beside them.
    every = Ask("1 = 1")
    topics = sorted({row["topic_zh"] for row in queries.standards(warehouse, EVERYTHING)})
    of_money = queries.standards_of(warehouse, EVERYTHING, "", warehouse.months[-1])
    bounds = [(row["standard_id"], bound) for row in of_money for bound in (10_000, 20_000, 50_000)]
    for month in (warehouse.months[0], warehouse.months[-7], warehouse.months[-1]):
        for scope in (EVERYTHING, XIANGDONG, ONE_TOWN):
            asked: list[tuple[Any, ...]] = [
                (queries.funding_rows, {}),
                (queries.funding_rows, {"status": "short"}),
                (queries.findings, {}),
                (queries.findings, {"status": "open"}),
                (queries.findings, {"change": "new", "severity": "high"}),
                (queries.judgement_rows, {}),
                *((queries.judgement_rows, {"status": "short", "topic": topic}) for topic in topics),
            ]
            for query, which in asked:
                told, total = query(warehouse, scope, prefix, month, limit=limit, **which)
                expected = query(warehouse, scope, prefix, month, limit=limit, ask=every, **which)
                assert (told, total) == expected, (query.__name__, which)
            assert queries.report_rows(warehouse, scope, prefix, month, limit) == queries.report_rows(
                warehouse, scope, prefix, month, limit, every
            )
            near, count = queries.near_edges(warehouse, scope, prefix, month, bounds, Decimal("0.2"), limit)
            expected = queries.near_edges(
                warehouse, scope, prefix, month, bounds, Decimal("0.2"), limit, every
            )
            assert count == expected[1]
            assert [
                {name: row[name] for name in other} for row, other in zip(near, expected[0], strict=True)
            ] == expected[0]
