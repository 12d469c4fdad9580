"""What `explain` prints is followed with a calculator that knows nothing of the product, and gives what is published."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

import duckdb
import pytest

from oversight.editions import Edition
from oversight.explain import ExplainError, Explanation, explain
from tests.conftest import run_oversight

LINE = re.compile(
    r"^(?P<name>[^：]+)：(?P<sum>[-−+×÷(). ,\d]+) = (?P<result>[−\d,.]+)(?: (?P<unit>[^（]*))?(?P<tail>（.*）)?$"
)


def calculate(text: str) -> Decimal:
    """Sums with + − × ÷ and brackets, in exact decimals; written for this test alone."""
    tokens = re.findall(r"[\d,]+(?:\.\d+)?|[+−×÷()]", text.replace("-", "−"))

    def expression() -> Decimal:
        value = term()
        while tokens and tokens[0] in "+−":
            value = value + term() if tokens.pop(0) == "+" else value - term()
        return value

    def term() -> Decimal:
        value = factor()
        while tokens and tokens[0] in "×÷":
            value = value * factor() if tokens.pop(0) == "×" else value / factor()
        return value

    def factor() -> Decimal:
        token = tokens.pop(0)
        if token == "−":
            return -factor()
        if token == "(":
            value = expression()
            assert tokens.pop(0) == ")"
            return value
        return Decimal(token.replace(",", ""))

    found = expression()
    assert not tokens, text
    return found


def follow(line: str) -> tuple[str, Decimal]:
    """The name and the result of a printed line, after working it out again."""
    parts = LINE.match(line)
    assert parts, line
    worked, tail = calculate(parts["sum"]), parts["tail"] or ""
    result = Decimal(parts["result"].replace(",", "").replace("−", "-"))
    if "不足零按零" in tail:
        worked = max(worked, Decimal(0))
    if "到分" in tail or "两位小数" in tail:
        worked = worked.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if "四位小数" in tail:
        worked = worked.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    if "进一" in tail:
        worked = worked.to_integral_value(ROUND_CEILING)
    assert worked == result, line
    return parts["name"], result


def followed(told: Explanation, rule_id: str) -> dict[str, Decimal]:
    """Every line of a rule's arithmetic, as it stands in the printed text."""
    lines, inside, section = [], False, ""
    for line in told.text().splitlines():
        if line.startswith("【"):
            inside = line.startswith(f"【{rule_id}】")
        elif re.match(r"^  \S", line):
            section = line.strip()
        elif inside and section == "计算" and line.startswith("    "):
            lines.append(line.strip())
    return dict(follow(line) for line in lines)


@pytest.fixture(scope="module")
def connection(sample_edition: Edition) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(sample_edition.warehouse), read_only=True) as opened:
        yield opened


def _rows(connection: duckdb.DuckDBPyConnection, query: str, *values: Any) -> list[dict[str, Any]]:
    cursor = connection.cursor().execute(query, list(values))
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_the_arithmetic_of_every_township_and_month_gives_the_published_figures(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    published = {
        "全年应保障": "guaranteed_annual_cny",
        "年度安排": "allocated_annual_cny",
        "累计拨付": "disbursed_ytd_cny",
        "累计支出": "spent_ytd_cny",
        "安排缺口": "allocation_shortfall_cny",
        "安排结余": "allocation_surplus_cny",
        "保障率": "adequacy_pct",
        "拨付缺口（累计）": "disbursement_shortfall_ytd_cny",
    }
    rows = _rows(connection, "select * from funding_gap_monthly where standard_id is not null")
    assert len(rows) > 500
    for row in rows:
        told = explain(connection, row["township_code"], row["month"], row["standard_id"])
        lines = followed(told, row["standard_id"])
        known = {name: column for name, column in published.items() if row[column] is not None}
        assert {name: lines.get(name) for name in known} == {name: row[c] for name, c in known.items()}, row
        if row["guaranteed_ytd_cny"] is not None:
            assert lines[f"截至{row['month'].month}月应保障"] == row["guaranteed_ytd_cny"]
        assert not (set(lines) & set(published)) - set(known), row
        assert told.rules[0].tier == (row["tier_label"] or "")


@pytest.mark.parametrize(
    "line",
    [
        "安排缺口：5.00 − 3.00 = 2.01 元",
        "安排缺口：3.00 − 5.00 = 0.00 元",
        "截至1月应保障：100.00 × 1 ÷ 12 = 8.34 元（四舍五入到分）",
        "应配：10 ÷ 3 = 3 人（不足一个的进一）",
        "累计拨付：1.00 + 1.00 = 1.00 元",
    ],
)
def test_the_calculator_refuses_a_wrong_line(line: str) -> None:
    with pytest.raises(AssertionError):
        follow(line)


def test_the_arithmetic_of_every_townships_staff_gives_the_published_figures(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    # What stays as it was for years is followed in its first month and in its last.
    gaps = _rows(connection, "select * from staffing_gap_monthly order by township_code, month, standard_id")
    spans: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for gap in gaps:
        spans.setdefault(tuple(value for name, value in gap.items() if name != "month"), []).append(gap)
    rows = [row for span in spans.values() for row in (span[:1] if len(span) == 1 else (span[0], span[-1]))]
    assert len(rows) > 200
    for row in rows:
        told = explain(connection, row["township_code"], row["month"], row["standard_id"])
        lines = followed(told, row["standard_id"])
        if row["counted_persons"] is None:
            assert not lines, row
            continue
        assert lines["计入数"] == row["counted_persons"], row
        if row["shortfall_persons"] is None:
            # Known in part and below the minimum: what is missing is not known, and nothing pretends to know it.
            assert row["counted_is_partial"], row
            assert row["status"] == "not_reported", row
            assert set(lines) == {"计入数"}, row
            assert any("差多少未知" in text for text in told.rules[0].assumptions), row
            continue
        missing = lines.get("缺员")
        if missing is None:
            missing = sum((value for name, value in lines.items() if name.endswith("缺额")), Decimal(0))
        assert missing == row["shortfall_persons"], row
        assert lines.get("超过建议上限", 0) == row["excess_persons"], row


def test_the_arithmetic_of_every_answer_of_a_month_gives_what_was_judged(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    last = date(2025, 12, 1)
    judged = _rows(connection, "select * from judgements where month = ? and value_checked is not null", last)
    names = ("实际值", "达到的项数", "达标项数", "计入数", "年度安排", "累计拨付")
    gaps = ("差额", "不达标项数", "缺员", "未配备的村（社区）", "安排缺口", "拨付缺口（累计）")
    assert len({row["rule_id"] for row in judged}) > 40
    explained = {code: explain(connection, code, last) for code in {row["subject_code"] for row in judged}}
    for row in judged:
        told = explained[row["subject_code"]]
        lines = followed(told, row["rule_id"])
        formula = _rows(connection, "select formula from standards where standard_id = ?", row["rule_id"])[0][
            "formula"
        ]
        if formula == "county_listed_separately":
            assert lines["未单独列支或不足额的乡镇"] == row["shortfall"], row
            continue
        if formula == "village_coverage":
            assert lines["未配备的村（社区）"] == row["shortfall"], row
            continue
        if formula == "posts_parts":
            assert lines["计入数"] == row["value_checked"], row
            lacking = [value for name, value in lines.items() if name.endswith("缺额")]
            # Known in part: what is missing is not known, and no line says otherwise.
            assert (sum(lacking) if lacking else None) == row["shortfall"], row
            continue
        assert next(lines[name] for name in names if name in lines) == row["value_checked"], row
        if row["shortfall"] is not None:
            assert next((lines[name] for name in gaps if name in lines), None) == row["shortfall"], row


def test_cells_lead_to_the_file_sheet_and_row(connection: duckdb.DuckDBPyConnection) -> None:
    told = explain(connection, "360313102", date(2025, 6, 1), "A-10")
    population = next(cell for cell in told.rules[0].cells if cell.what.startswith("户籍人口"))
    assert (population.value, population.month) == ("49,999", date(2024, 12, 1))
    assert population.file == "湘东区/更正/湘东区2024年12月户籍人口更正（模拟数据）.xlsx"
    assert (population.sheet, population.row) == ("户籍人口", 5)


def test_at_an_edge_the_other_reading_is_told(connection: duckdb.DuckDBPyConnection) -> None:
    told = explain(connection, "360313105", date(2025, 12, 1), "A-10").rules[0]
    assert any("108,000" in line.text() for line in told.arithmetic)
    assert any("132,000.00" in text for text in told.other_readings)
    assert any("分档线" in text for text in told.assumptions)


def test_fallback_and_old_code_are_told(connection: duckdb.DuckDBPyConnection) -> None:
    told = explain(connection, "360313102", date(2024, 6, 1), "A-10").rules[0]
    assert any("代以2024年最早一次报送数" in text for text in told.assumptions)
    renamed = explain(connection, "130321111", date(2025, 8, 1), "D-08").rules[0]
    assert any("130321201" in cell.note for cell in renamed.cells)


def test_silence_is_told_as_silence(connection: duckdb.DuckDBPyConnection) -> None:
    told = explain(connection, "640324203")
    assert {rule.status for rule in told.rules} <= {"not_reported"}
    assert all(cell.value is None for rule in told.rules for cell in rule.cells)
    assert "未报送" in told.text()


def test_another_months_people_are_worked_out_where_they_change_the_tier(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    told = explain(connection, "360313102", date(2024, 6, 1), "A-10").rules[0]
    assert told.tier == "5万人以上"
    (reading,) = [text for text in told.other_readings if "若按当月报送的人口" in text]
    assert "49,974 人定档，归“2-5万人”：49,974 × 0.22 × 12 = 131,931.36 元" in reading


def test_a_rule_that_is_passed_on_names_where_it_comes_from(connection: duckdb.DuckDBPyConnection) -> None:
    assert "赣财社〔2013〕35号" in explain(connection, "360313102", date(2025, 6, 1), "A-10").text()


def test_doubts_are_said_as_intake_calls_them(connection: duckdb.DuckDBPyConnection) -> None:
    assert (
        "数据存疑：用旧代码或新代码报送" in explain(connection, "130321111", date(2025, 8, 1), "D-07").text()
    )


def test_without_a_standard_nothing_is_made_up(connection: duckdb.DuckDBPyConnection) -> None:
    told = explain(connection, "130321111", date(2025, 8, 1))
    assert told.text().splitlines()[3] == "【经费】民政工作经费：无适用标准"
    assert "《" not in told.text().split("【D-01.2】")[0]


def test_a_share_of_units_lists_what_they_report(connection: duckdb.DuckDBPyConnection) -> None:
    told = explain(connection, "220000", date(2025, 12, 1), "B-13").rules[0]
    # The register lists two villages of a province: told, and not judged by.
    assert [cell.value for cell in told.cells if cell.value] == ["186.5", "200"]
    assert all(cell.file and cell.row for cell in told.cells if cell.value)


def test_json_and_html_say_the_same(connection: duckdb.DuckDBPyConnection) -> None:
    told = explain(connection, "360313106", date(2025, 12, 1))
    content = json.loads(told.json())
    assert [rule["rule_id"] for rule in content["rules"]] == [rule.rule_id for rule in told.rules]
    page = told.html()
    for rule in told.rules:
        assert f'data-rule="{rule.rule_id}"' in page
        assert all(line.text() in page for line in rule.arithmetic)
    assert "<script" not in page


@pytest.mark.parametrize(
    ("code", "month", "rule", "said"),
    [
        ("999999999", None, None, "没有代码为 999999999 的单位"),
        ("360313106", date(2030, 1, 1), None, "没有 2030-01"),
        ("360313106", None, "Z-99", "没有编号为 Z-99 的规则"),
        ("360313106", None, "C-11", "不适用于"),
        ("360313106", None, "A-08", "不作判定"),
        ("360313106", date(2025, 5, 1), "A-02", "最近有判定的月份"),
        ("360313106", None, "Z-99", "当月判定的有：A-01"),
        ("龙王庙", None, None, "是不是：130321111 青龙满族自治县龙王庙镇"),
        ("360313999", None, None, "是不是：360313001"),
        ("130321201", date(2025, 12, 1), None, "130321111 龙王庙镇"),
        ("130321111", date(2025, 1, 1), None, "130321201 龙王庙乡"),
    ],
)
def test_what_cannot_be_explained_says_why(
    connection: duckdb.DuckDBPyConnection, code: str, month: date | None, rule: str | None, said: str
) -> None:
    with pytest.raises(ExplainError, match=said):
        explain(connection, code, month, rule)


def test_the_command_prints_it(sample_edition: Edition) -> None:
    data = str(sample_edition.path.parents[2])
    done = run_oversight("explain", "360313106000", "--month", "2025-06", "--rule", "A-10", "--data", data)
    assert done.returncode == 0, done.stderr
    assert "【A-10】" in done.stdout
    assert run_oversight("explain", "1", "--data", data).returncode == 1
