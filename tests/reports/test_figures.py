"""Every number of the four formats, read back from the files, is the number in SQL."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import plotly.graph_objects as go
import pytest

from oversight.reports.document import Heading, Paragraph, Table, text_of
from tests.reports import reading
from tests.reports.conftest import Written


def texts(table: Table, *, printed_only: bool) -> list[list[str]]:
    """A table as it should stand in a file, header and total included."""
    positions = table.printed if printed_only else range(len(table.columns))
    rows = [
        *(table.paper_rows if printed_only else table.rows),
        *([table.total_row()] if table.total else []),
    ]
    return [
        [table.columns[position].title for position in positions],
        *([text_of(row[position], table.columns[position].kind) for position in positions] for row in rows),
    ]


def told(report: Any) -> list[str]:
    """Headings and paragraphs."""
    return [block.text for block in report.blocks if isinstance(block, (Heading, Paragraph))]


def test_word_says_what_the_model_says(written: Written) -> None:
    content = written.files["docx"]
    expected = [texts(ref.table, printed_only=True) for ref in written.report.tables]
    assert reading.docx_tables(content) == expected
    paragraphs = reading.docx_paragraphs(content)
    for text in told(written.report):
        assert text in paragraphs


def test_html_says_what_the_model_says(written: Written) -> None:
    content = written.files["html"]
    tables = reading.html_tables(content)
    for ref in written.report.tables:
        assert tables[ref.table.key] == texts(ref.table, printed_only=False)
    paragraphs = reading.html_paragraphs(content)
    for text in told(written.report):
        assert text in paragraphs


def test_pdf_says_what_word_says(written: Written) -> None:
    document = reading.docx_text(written.files["docx"])
    printed = reading.pdf_text(written.files["pdf"])
    assert reading.numbers(printed) == reading.numbers(document)
    one_line = reading.squeezed(printed)
    for text in told(written.report):
        assert reading.squeezed(text) in one_line or _split_by_page(text, one_line)


def _split_by_page(text: str, one_line: str) -> bool:
    """A paragraph or float between the halves of a paragraph: both halves must be there."""
    short = reading.squeezed(text)
    return any(short[:cut] in one_line and short[cut:] in one_line for cut in range(5, len(short) - 5))


def test_workbook_holds_numbers(written: Written) -> None:
    book = reading.xlsx(written.files["xlsx"])
    formulas = reading.xlsx(written.files["xlsx"], values=False)
    unique: dict[str, Table] = {ref.table.key: ref.table for ref in written.report.tables}
    sheets = [name for name in book.sheetnames if name not in ("说明", "图")]
    assert len(sheets) == len(unique)
    for name, table in zip(sheets, unique.values(), strict=True):
        sheet = book[name]
        for offset, row in enumerate(table.rows):
            for position, value in enumerate(row):
                cell = sheet.cell(4 + offset, 1 + position)
                assert _same(cell.value, value), (name, cell.coordinate, cell.value, value)
        if table.total is None:
            continue
        last = 4 + len(table.rows)
        for position, value in enumerate(table.total_row() or ()):
            cell = sheet.cell(last, 1 + position)
            assert _same(cell.value, value), (name, cell.coordinate, cell.value, value)
            if table.columns[position].total and isinstance(value, (int, Decimal)):
                assert str(formulas[name].cell(last, 1 + position).value).startswith("=")
        assert sheet.freeze_panes == "B4"
        assert sheet.print_title_rows == "$3:$3"


def _same(found: Any, expected: Any) -> bool:
    if isinstance(expected, str) or expected is None:
        return (found or "") == (expected or "")
    if isinstance(expected, date):
        return isinstance(found, datetime) and found.date() == expected
    return isinstance(found, (int, float)) and Decimal(str(found)) == Decimal(expected)


def test_totals_are_the_sums_of_their_rows(written: Written) -> None:
    """What Excel will compute from the formulas is what is stored."""
    for ref in written.report.tables:
        table = ref.table
        if table.total is None:
            continue
        for position, column in enumerate(table.columns):
            stored = table.total.values.get(column.key)
            if column.total != "sum" or not isinstance(stored, (int, Decimal)):
                continue
            counted = [
                row[position]
                for row in table.rows
                if table.total.where is None or row[table.position(table.total.where)] in table.total.counted
            ]
            assert sum(value for value in counted if isinstance(value, (int, Decimal))) == stored


def test_charts_are_the_same_everywhere(written: Written) -> None:
    script = reading.html_root(written.files["html"]).xpath("//script[last()]")[0].text
    figures = json.loads(re.match(r"const figures=(.*?);for\(const", script, re.S)[1])  # type: ignore[index]
    assert set(figures) == {ref.chart.key for ref in written.report.charts}
    for ref in written.report.charts:
        figure = go.Figure(figures[ref.chart.key])
        drawn = {trace.name: trace for trace in figure.data if trace.name}
        for series in ref.chart.series:
            trace = drawn[series.name]
            values = trace.y if ref.chart.form == "lines" else trace.x
            assert [None if v is None else Decimal(str(v)) for v in values] == [
                None if v is None else Decimal(v) for v in series.values
            ]


def test_nothing_is_asked_of_a_network(written: Written) -> None:
    root = reading.html_root(written.files["html"])
    assert not root.xpath("//@src|//link/@href")
    assert all(link.startswith("#") for link in root.xpath("//a/@href"))


# The model against SQL written for the purpose -------------------------------------------------------------


def _rows(written: Written, query: str) -> list[tuple[Any, ...]]:
    scope = written.facts.scope
    query = query.replace("$scope", f"{scope.level}_code = '{scope.code}'")
    return written.connection.execute(query.replace("$month", f"date '{written.facts.month}'")).fetchall()


_IN_SCOPE = "township_code in (select township_code from main.townships where $scope)"


def _half_up(value: Any) -> Decimal:
    return Decimal(value).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


# Paid totals take only units with a guarantee whose payments are known, without a hole, to the month's end.
_PAID_TO_DATE = (
    "guaranteed_ytd_cny is not null and disbursed_as_of_month = month and not disbursed_is_partial"
)


def test_totals_equal_sql(written: Written) -> None:
    (found,) = _rows(
        written,
        "select count(*), count(*) filter (status = 'short'), sum(guaranteed_annual_cny) filter (status in ('met', 'short')),"
        " sum(allocated_annual_cny) filter (status in ('met', 'short')), sum(allocation_shortfall_cny),"
        f" sum(disbursed_ytd_cny) filter ({_PAID_TO_DATE}), sum(guaranteed_ytd_cny) filter ({_PAID_TO_DATE}),"
        " sum(disbursement_shortfall_ytd_cny)"
        f" from main.funding_gap_monthly where month = $month and {_IN_SCOPE}",
    )
    totals = written.facts.totals
    units, short, guaranteed, allocated, gap, paid, paid_guaranteed, paid_gap = found
    assert (totals.units, totals.short) == (units, short)
    # A total over nothing known is unknown, never 0.00.
    assert (totals.guaranteed, totals.allocated, totals.gap) == (guaranteed, allocated, gap)
    assert (totals.paid, totals.paid_guaranteed, totals.paid_gap) == (paid, paid_guaranteed, paid_gap)
    if not guaranteed:
        return
    text = "\n".join(told(written.report))
    assert totals.adequacy == _half_up(allocated * 100 / guaranteed)
    assert f"保障率{totals.adequacy}%" in text
    assert f"应保障{_half_up(guaranteed / 10000):,}万元" in text
    assert f"年度安排{_half_up(allocated / 10000):,}万元" in text
    assert f"累计拨付{_half_up(paid / 10000):,}万元" in text


def test_units_equal_sql(written: Written) -> None:
    rows = _rows(
        written,
        "select township_code, guaranteed_annual_cny, allocated_annual_cny, allocation_shortfall_cny, adequacy_pct,"
        f" disbursed_ytd_cny from main.funding_gap_monthly where month = $month and {_IN_SCOPE} order by 1",
    )
    table = next(ref.table for ref in written.report.tables if ref.table.key == "annex_funding")
    keys = ("code", "guaranteed", "allocated", "gap", "adequacy", "paid")
    places = [table.position(key) for key in keys]
    shown = sorted(tuple(row[place] for place in places) for row in table.rows)
    assert len(shown) == len(rows)
    for was, now in zip(rows, shown, strict=True):
        for sql, cell in zip(was, now, strict=True):
            assert cell == sql or (sql is None and cell in ("未报", "—"))


def test_ranking_equals_sql(written: Written) -> None:
    by = "township_code" if written.facts.rank_by == "township" else "county_code"
    rows = _rows(
        written,
        f"with rates as (select {by} as code, round(sum(allocated_annual_cny) * 100.0 / sum(guaranteed_annual_cny), 2) as rate"
        " from main.funding_gap_monthly where month = $month and status in ('met', 'short')"
        f" and {_IN_SCOPE} group by 1)"
        " select code, rank() over (order by rate desc), rate from rates",
    )
    expected = {code: (place, _half_up(str(rate))) for code, place, rate in rows}
    shown = {item["code"]: (item["rank"], item["adequacy"]) for item in written.facts.ranking if item["rank"]}
    assert shown == expected
    assert all(item["adequacy"] is None for item in written.facts.ranking if not item["rank"])


def test_staffing_equals_sql(written: Written) -> None:
    rows = _rows(
        written,
        "select standard_id, count(*) filter (status = 'met'), count(*) filter (status = 'short'),"
        " count(*) filter (status = 'not_reported'), coalesce(sum(shortfall_persons) filter (status = 'short'), 0)"
        f" from main.staffing_gap_monthly where month = $month and {_IN_SCOPE} group by 1 order by 1",
    )
    shown = [
        (row["standard_id"], row["met"], row["short"], row["not_reported"], row["shortfall"])
        for row in written.facts.staffing
    ]
    assert shown == [row for row in rows if any(row[1:4])]


def test_people_are_added_up_once(written: Written) -> None:
    """Of several standards on the people of a township the total counts what the strictest finds."""
    rows = _rows(
        written,
        "select max(shortfall_persons), max(excess_persons) from main.staffing_gap_monthly"
        f" where month = $month and {_IN_SCOPE} group by township_code",
    )
    table = next((ref.table for ref in written.report.tables if ref.table.key == "annex_staffing"), None)
    if table is None:
        assert not rows
        return
    assert table.total is not None
    for place, key in enumerate(("shortfall", "excess")):
        known = [row[place] for row in rows if row[place] is not None]
        assert table.total.values[key] == (sum(known) if known else "—")
    counted = [row for row in table.rows if row[table.position("counts")] == "是"]
    known = [value for row in counted if isinstance(value := row[table.position("shortfall")], int)]
    assert (sum(known) if known else "—") == table.total.values["shortfall"]


def test_findings_equal_judgements(written: Written) -> None:
    """Open findings that are short at the month's end are the month's judgements that are short."""
    rows = _rows(
        written,
        "select rule_id, subject_code from main.judgements j where month = $month and status = 'short'"
        " and subject_level in ('township', 'village') and substr(subject_code, 1, 9) in"
        " (select township_code from main.townships where $scope)"
        " and rule_id in (select standard_id from main.standards where period = 'month')",
    )
    monthly = {row["standard_id"] for row in written.facts.standards if row["period"] == "month"}
    shown = {
        (row["rule_id"], row["subject_code"])
        for row in written.facts.findings
        if row["status"] == "short"
        and row["kind"] != "cleared"
        and row["subject_level"] in ("township", "village")
        and row["rule_id"] in monthly
    }
    assert shown == set(rows)


def test_change_is_what_it_consists_of(written: Written) -> None:
    for change in (written.facts.against_month, written.facts.against_year):
        if change is None:
            continue
        for name in ("guaranteed", "allocated", "gap"):
            # Where nothing is known in either month there is no change to take apart.
            change_of = getattr(change, name)
            assert sum((getattr(step, name) for step in change.by_unit), Decimal(0)) == (change_of or 0)
        assert sum((step.gap for step in change.by_gap), Decimal(0)) == (change.gap or 0)


def test_missing_units_equal_sql(written: Written) -> None:
    rows = _rows(
        written,
        "select f.township_code from main.funding_gap_monthly f join main.townships t using (township_code)"
        f" where f.month = $month and t.is_township and f.{_IN_SCOPE} and not ("
        + " and ".join(
            f"exists (select 1 from reported.{name} r where r.month = f.month"
            " and r.township_code = f.township_code and (r.is_current or r.row_status = 'held'))"
            for name in ("population", "budget", "staffing")
        )
        + ")",
    )
    shown = {
        row["township_code"]
        for row in written.facts.reporting
        if "missing" in (row["population"], row["budget"], row["staffing"])
    }
    assert shown == {code for (code,) in rows}


def _yuan(value: Any) -> str:
    return f"{_half_up(value):,}元"


def _table(written: Written, key: str) -> Table | None:
    return next((ref.table for ref in written.report.tables if ref.table.key == key), None)


def test_what_two_sources_tell_differently_equals_sql(written: Written) -> None:
    rows = _rows(
        written,
        "select month, township_code, township_name, figure, source_a_name, value_a, source_b_name, value_b, difference,"
        " used_source_name, row_number_a, row_number_b from main.reconciliation"
        f" where month between date_trunc('year', $month) and $month and {_IN_SCOPE} order by month desc, township_code",
    )
    text = "\n".join(told(written.report))
    table = _table(written, "annex_differences")
    if not rows:
        assert table is None
        assert "两个来源" not in text
        return
    assert table is not None
    keys = ("month", "code", "name", "source_a", "value_a", "source_b", "value_b", "difference", "used")
    places = [table.position(key) for key in keys]
    shown = [tuple(row[place] for place in places) for row in table.rows]
    assert sorted(shown) == sorted((*row[:3], *row[4:10]) for row in rows)
    assert all(
        f"第{row[10]}行" in str(line[table.position("place_a")])
        for row, line in zip(rows, table.rows, strict=True)
    )
    now = [row for row in rows if row[0] == written.facts.month]
    assert f"不同的数据{len(rows)}处，涉及{len({row[1] for row in rows})}个单位，其中本月{len(now)}处" in text
    for row in now[:1]:
        said = f"{row[4]}{_yuan(row[5])}，{row[6]}{_yuan(row[7])}，相差{_yuan(abs(row[8]))}，采用{row[9]}的数"
        assert said in text


def test_every_fund_equals_sql(written: Written) -> None:
    rows = _rows(
        written,
        "select township_code, fund_name, carried_over_cny, initial_cny, disbursed_ytd_cny, spent_ytd_cny, balance_cny,"
        f" fund_code from main.fund_ledger_monthly where month = $month and {_IN_SCOPE}",
    )
    table = _table(written, "annex_funds")
    assert (table is None) is (not rows)
    if table is None:
        return
    keys = (
        *("code", "fund", "carried_over_cny", "initial_cny", "disbursed_ytd_cny", "spent_ytd_cny"),
        "balance_cny",
    )
    shown = {
        (line[table.position("code")], line[table.position("fund")]): [
            None if (value := line[table.position(key)]) in ("未报", "—") else value for key in keys
        ]
        for line in table.rows
    }
    assert shown == {(row[0], row[1]): list(row[:7]) for row in rows}
    others = [row for row in rows if row[7] != "working_funds"]
    text = "\n".join(told(written.report))
    assert ("民政工作经费以外" in text) is bool(others)
    if others:
        funds, units = ({row[at] for row in others} for at in (7, 0))
        assert f"民政工作经费以外另有{len(funds)}个资金项目、{len(units)}个单位报送收支" in text


@pytest.mark.parametrize("form", ["docx", "pdf", "html"])
def test_nothing_is_left_untranslated(written: Written, form: str) -> None:
    read = {"docx": reading.docx_text, "pdf": reading.pdf_text}.get(form)
    text = read(written.files[form]) if read else "\n".join(reading.html_paragraphs(written.files[form]))
    text = text.replace(written.report.edition_id, "").replace("docx", "")
    words = set(re.findall(r"[A-Za-z]{3,}", text))
    # Kinds of file, and the folder an analyst puts confirmations into.
    allowed = {"xlsx", "csv", "xls", "Excel", "CSV", "corrections"}
    assert not {word for word in words if not re.fullmatch(r"[0-9a-f]+", word)} - allowed
    assert "None" not in text
    assert "\ufffd" not in text


def test_five_pillars_equal_sql(written: Written) -> None:
    rows = _rows(
        written,
        "select pillar_zh, count(*) filter (status = 'met'), count(*) filter (status = 'short'),"
        " count(*) filter (status = 'not_reported') from detail.scorecard"
        f" where month = $month and {_IN_SCOPE} and status in ('met', 'short', 'not_reported')"
        " group by pillar_no, pillar_zh order by pillar_no",
    )
    five = written.facts.five
    assert [(row["pillar_zh"], row["met"], row["short"], row["not_reported"]) for row in five] == rows


def test_what_was_moved_equals_sql(written: Written) -> None:
    """The sentence's amount is the sum over closed money findings of the year, of each township the larger measure."""
    rows = _rows(
        written,
        "select township_code, measure, count(*), count(moved_cny), sum(moved_cny),"
        " count(*) filter (begins_with = 'opened') from detail.moved_amounts"
        f" where is_counted_in_totals and {_IN_SCOPE} and month between date_trunc('year', $month) and $month"
        " group by all",
    )
    text = "\n".join(told(written.report))
    if not rows:
        assert "促进资金到位" not in text
        return
    most: dict[str, Decimal] = {}
    for code, _, _, _, amount, _ in rows:
        if amount is not None:
            most[code] = max(most.get(code, Decimal(0)), amount)
    assert f"已整改资金问题{sum(row[2] for row in rows)}项" in text
    if most:
        total = sum(most.values())
        said = f"{_half_up(total / 10000):,}万元" if total >= 10_000 else _yuan(total)
        assert f"促进资金到位{said}" in text
    opened = sum(row[5] for row in rows)
    assert (f"没有通知记录的{opened}项从问题出现的月份算起" in text) is bool(opened)
