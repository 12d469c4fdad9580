"""The figures that were worked out by hand, held against the oracle and against the product: one run serves all."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from oversight.explain import explain
from tests.oracle.by_hand import DH, JX, QHD, by_hand
from tests.oracle.figures import Oracle, half_up
from tests.oracle.printed import printed_lines
from tests.oracle.reading import read
from tests.oracle.running import run

FOLDER = by_hand()
CASES = sorted({case for case, *_ in FOLDER.expected})
Found = dict[tuple[str, str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hand")
    FOLDER.write(made)
    return made


@pytest.fixture(scope="module")
def oracle(place: Path) -> Oracle:
    return Oracle(read(place))


@pytest.fixture(scope="module")
def warehouse(place: Path) -> Path:
    return run(place)


def rows(warehouse: Path, query: str, *values: Any) -> list[dict[str, Any]]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        cursor = connection.execute(query, list(values))
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _differences(case: str, found: Found, without: str = "") -> list[str]:
    wrong = []
    for name, table, code, month, values in FOLDER.expected:
        if name != case:
            continue
        row = found.get((table, code, f"{month}-01"))
        for column, value in values.items():
            if column == without:
                continue
            wanted = Decimal(value) if isinstance(value, str) and column.endswith(("_cny", "_pct")) else value
            got = None if row is None else row.get(column, "no such column")
            if got != wanted:
                wrong.append(f"{table} {code} {month} {column}: {got} where {value} was worked out by hand")
    return wrong


def _found(funding: Iterable[Mapping[str, Any]], answers: Iterable[Mapping[str, Any]]) -> Found:
    found: Found = {}
    for row in funding:
        found["funding_gap_monthly", row["township_code"], str(row["month"])] = dict(row)
    for row in answers:
        told = found.setdefault(("judgements", row["subject_code"], str(row["month"])), {})
        told[row["rule_id"]] = row["status"]
    return found


@pytest.fixture(scope="module")
def worked_out(oracle: Oracle) -> Found:
    return _found(oracle.funding_gap_monthly(), oracle.judgements())


@pytest.fixture(scope="module")
def published(warehouse: Path) -> Found:
    return _found(
        rows(warehouse, "select * from funding_gap_monthly"),
        rows(warehouse, "select subject_code, month, rule_id, status from judgements"),
    )


@pytest.mark.parametrize("case", CASES)
def test_the_oracle_gives_what_was_worked_out_by_hand(worked_out: Found, case: str) -> None:
    wrong = _differences(case, worked_out, without="also_standard_id")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("case", CASES)
def test_the_product_gives_what_was_worked_out_by_hand(published: Found, case: str) -> None:
    wrong = _differences(case, published)
    assert not wrong, "\n".join(wrong)


def test_units_have_rows_while_they_stand(warehouse: Path) -> None:
    found = rows(
        warehouse,
        "select township_code, min(month) as first, max(month) as last, count(*) as months "
        "from funding_gap_monthly group by 1",
    )
    span = {row["township_code"]: (row["first"], row["last"], row["months"]) for row in found}
    assert span[f"{JX}101"] == (date(2024, 10, 1), date(2026, 3, 1), 18)
    assert span[f"{JX}201"] == (date(2024, 10, 1), date(2025, 3, 1), 6)
    assert span[f"{JX}160"] == (date(2025, 4, 1), date(2026, 3, 1), 12)
    assert span[f"{JX}207"] == (date(2024, 10, 1), date(2025, 6, 1), 9)


STAFF = (
    "counted_persons", "required_min_persons", "advised_max_persons", "shortfall_persons", "excess_persons", "status",
)  # fmt: skip


@pytest.mark.parametrize(
    ("month", "number", "seven", "eight"),
    [
        # 2 + 1 + (not told): the part that is known reaches the minimum.
        ("2025-02", 1, (3, 2, None, 0, 0, "met"), (3, 2, 3, 0, 0, "met")),
        ("2025-02", 2, (3, 2, None, 0, 0, "met"), (3, 3, 3, 0, 0, "met")),
        ("2025-02", 3, (3, 2, None, 0, 0, "met"), (3, 3, 5, 0, 0, "met")),
        ("2025-03", 1, (1, 2, None, 1, 0, "short"), (1, 2, 3, 1, 0, "short")),
        ("2025-03", 2, (1, 2, None, 1, 0, "short"), (1, 3, 3, 2, 0, "short")),
        ("2025-04", 1, (6, 2, None, 0, 0, "met"), (6, 2, 3, 0, 3, "over")),
        ("2025-04", 2, (6, 2, None, 0, 0, "met"), (6, 3, 3, 0, 3, "over")),
        ("2025-04", 3, (6, 2, None, 0, 0, "met"), (6, 3, 5, 0, 1, "over")),
        # (not told) + 5 + 5
        ("2025-05", 1, (10, 2, None, 0, 0, "met"), (10, 2, 3, 0, 7, "over")),
        ("2025-06", 1, (None, 2, None, None, None, "not_reported"), (None, 2, 3, None, None, "not_reported")),
        # 1 + 0 + (not told): whether it reaches the minimum nobody can say.
        ("2025-07", 1, (1, 2, None, None, None, "not_reported"), (1, 2, 3, None, None, "not_reported")),
    ],
)
def test_staff_of_qinhuangdao(
    warehouse: Path, oracle: Oracle, month: str, number: int, seven: tuple[Any, ...], eight: tuple[Any, ...]
) -> None:
    code, day = f"{QHD}10{number}", date.fromisoformat(f"{month}-01")
    told = oracle.staffing_gap_monthly()
    found = rows(
        warehouse, "select * from staffing_gap_monthly where township_code = ? and month = ?", code, day
    )
    for table in (told, found):
        answers = {
            row["standard_id"]: tuple(row[name] for name in STAFF)
            for row in table
            if (row["township_code"], row["month"]) == (code, day)
        }
        assert answers == {"D-07": seven, "D-08": eight}


def test_nobody_is_missing_whom_a_count_in_tens_of_thousands_may_not_require(
    warehouse: Path, oracle: Oracle
) -> None:
    """Written 3.0 万人: who has two is not convicted, who has four has not too many; one is one too few all the same."""
    asked = (*STAFF, "required_least_persons", "advised_most_persons", "is_tier_uncertain")
    for table in (rows(warehouse, "select * from staffing_gap_monthly"), oracle.staffing_gap_monthly()):
        found = {
            row["month"].month: tuple(row[name] for name in asked)
            for row in table
            if (row["township_code"], row["standard_id"]) == (f"{QHD}104", "D-08")
            and row["month"].year == 2025
            and 2 <= row["month"].month <= 5
        }
        assert found == {
            2: (1, 3, 3, 1, 0, "short", 2, 5, True),
            3: (2, 3, 3, 0, 0, "met", 2, 5, True),
            4: (4, 3, 3, 0, 0, "met", 2, 5, True),
            5: (6, 3, 3, 0, 1, "over", 2, 5, True),
        }
    answers = rows(
        warehouse,
        "select month, reason from judgements where subject_code = ? and rule_id = 'D-08' and month between ? and ?",
        f"{QHD}104", date(2025, 2, 1), date(2025, 5, 1),
    )  # fmt: skip
    assert {row["month"].month: row["reason"] for row in answers} == {
        2: None, 3: "within_precision", 4: "within_precision", 5: None,
    }  # fmt: skip
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        told = explain(connection, f"{QHD}104", date(2025, 2, 1), "D-08").text()
    assert "至少要求 2 人" in told
    assert [(name, value, result) for name, value, result, _ in printed_lines(told) if name == "缺员"] == [
        ("缺员", 1, 1)
    ]


def test_posts_are_counted_apart_and_a_rule_of_the_same_id_replaces_ours(
    warehouse: Path, oracle: Oracle
) -> None:
    for table in (rows(warehouse, "select * from staffing_gap_monthly"), oracle.staffing_gap_monthly()):
        answers = {
            (row["township_code"], row["month"].month, row["standard_id"]): tuple(row[name] for name in STAFF)
            for row in table
            if row["month"].year == 2025
        }
        # Four of one kind do not make up for none of the other.
        assert answers[f"{DH}101", 2, "B-07"] == (4, 3, None, 1, 0, "short")
        assert answers[f"{DH}101", 3, "B-07"][-1] == "met"
        assert answers[f"{JX}101", 2, "A-06"] == (2, 3, None, 1, 0, "short")


def test_our_csv_was_taken_whole(warehouse: Path) -> None:
    """Nothing above holds if rows were refused for reasons of their own."""
    refused = rows(
        warehouse,
        "select file_name, r.error_code from rejected_rows r join submissions using (submission_id)",
    )
    # On purpose: December 2024 without any people; an adjusted budget of 0 and a cumulative figure back at 0.
    assert {(row["file_name"], row["error_code"]) for row in refused} == {
        ("人口.csv", "R07"),
        ("经费.csv", "H11"),
        ("经费.csv", "H12"),
    }, refused


def test_the_csv_reader_agrees(place: Path) -> None:
    """The folder is what the csv module reads: no row with a cell too many."""
    for path in (place / "raw").iterdir():
        with path.open(encoding="utf-8", newline="") as file:
            widths = {len(row) for row in csv.reader(file)}
        assert len(widths) == 1, path


PRINTED = {
    "全年应保障": "guaranteed_annual_cny",
    "年度安排": "allocated_annual_cny",
    "累计拨付": "disbursed_ytd_cny",
    "累计支出": "spent_ytd_cny",
    "安排缺口": "allocation_shortfall_cny",
    "拨付缺口（累计）": "disbursement_shortfall_ytd_cny",
    "保障率": "adequacy_pct",
}


def test_what_is_printed_comes_to_the_figures_when_somebody_else_adds_it_up(
    warehouse: Path, published: Found
) -> None:
    wrong, seen = [], Counter[str]()
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for _, table, code, month, _ in FOLDER.expected:
            row = published.get((table, code, f"{month}-01"), {})
            if table != "funding_gap_monthly" or row.get("standard_id") is None:
                continue
            text = explain(connection, code, row["month"], row["standard_id"]).text()
            # Nobody here has lists of payments or several funds: each amount is told by its pieces.
            if "见表 fund_ledger_monthly" in text:
                wrong.append(f"{code} {month} is told as a whole")
            for name, value, result, line in printed_lines(text):
                seen[name] += 1
                if half_up(value) != result and not (value < 0 and not result and "不足零按零" in line):
                    wrong.append(f"{code} {month} {line.strip()}")
                figure = PRINTED.get(name)
                if f"截至{row['month'].month}月应保障" == name:
                    figure = "guaranteed_ytd_cny"
                if figure and row[figure] != result:
                    wrong.append(f"{code} {month} {line.strip()}: published is {row[figure]}")
    assert not wrong, "\n".join(wrong[:20])
    assert set(PRINTED) <= set(seen)
