"""A data folder written by hand as plain CSV, and the figures that anyone can work out from DESIGN with a pencil.

The oracle beside this file tries thousands of townships; here every expectation is a literal, so that an official
can check the test itself. One run serves all cases: each has a township, or a county with rules, of its own.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.oracle.running import run

UNIT = "统计月份,区划代码,乡镇名称,"
HEADERS = {
    "行政区划": "区划代码,名称,类型,上级代码,启用日期,停用日期,变更后代码",
    "人口": UNIT + "户籍人口(人)",
    "经费": UNIT + "年初预算(元),调整后预算(元),本月拨付(元),累计拨付(元),本月支出(元),累计支出(元)",
    "人员": UNIT
    + "行政编制数(名),事业编制数(名),在编在岗专职人数(人),公益性岗位人数(人),政府购买服务人数(人)",
    "指标": "统计月份,区划代码,名称,指标代码,指标值",
}
# Jiangxi outside 湘东区, Ningxia, Qinhuangdao, Dunhua, a place without rules, and three with rules of their own.
JX, NX, QHD, DH, NONE = "360321", "640324", "130321", "222403", "440103"
FAVOUR, HALF, ROUND, TWO, LATER, PARTS = "410102", "410103", "410104", "360322", "410105", "410106"


class Folder:
    """Rows by hand."""

    def __init__(self) -> None:
        self.rows: dict[str, list[str]] = {name: [] for name in HEADERS}

    def unit(self, code: str, begins: str = "", ends: str = "", successor: str = "") -> None:
        parent = code[:6] if len(code) > 6 else ""
        kind = "镇" if len(code) == 9 else "县"
        self.rows["行政区划"].append(f"{code},手写{code},{kind},{parent},{begins},{ends},{successor}")

    def people(self, code: str, **months: int) -> None:
        self.rows["人口"] += [f"{_month(m)},{code},手写{code},{n}" for m, n in months.items()]

    def money(self, code: str, month: str, cells: str) -> None:
        """Initial, adjusted, paid in the month, paid so far, spent in the month, spent so far."""
        self.rows["经费"].append(f"{month},{code},手写{code},{cells}")

    def staff(self, code: str, month: str, cells: str) -> None:
        self.rows["人员"].append(f"{month},{code},手写{code},{cells}")

    def write(self, raw: Path) -> None:
        raw.mkdir(parents=True)
        for name, rows in self.rows.items():
            (raw / f"{name}.csv").write_text("\n".join([HEADERS[name], *rows]) + "\n", "utf-8")


def _month(name: str) -> str:
    """m2024_12 as 2024-12."""
    return name[1:].replace("_", "-")


def _own_rules(place: Path) -> None:
    """What a bureau would keep in standards/: whole files, in the columns of the seeds."""
    place.mkdir(parents=True)
    documents = [("H1", "410000"), ("H2", "360322"), ("H3", "410105"), ("H4", "410105"), ("A6", "360000")]
    _write(
        place / "policy_documents.csv",
        "document_id,document_title,document_no,issuer_name,issuer_code,issuer_level,force,issued_on,"
        "issued_on_note,recorded_on,basis_documents,note",
        [f"{name},手写文件{name},,某机关,{issuer},county,binding,2020-01-01,,2020-01-01,," for name, issuer in documents],
    )  # fmt: skip
    money = "township,经费,年度安排数,{formula},>=,元,month,registered,prior_year_end,{edge},must,high,Y,"
    staff = "township,人员,在编在岗专职,staff_floor,>=,人,month,,,,must,high,Y,"
    kinds = [
        ("F-1", "H1", FAVOUR, money.format(formula="per_capita_by_tier", edge="favour_township"), "2020-01-01"),
        ("F-2", "H1", HALF, money.format(formula="per_capita_by_tier", edge="half_open"), "2020-01-01"),
        ("F-3", "H1", ROUND, money.format(formula="flat_by_tier", edge="legal_default"), "2020-01-01"),
        ("F-4", "H2", TWO, money.format(formula="flat_by_tier", edge="legal_default"), "2020-01-01"),
        ("F-5", "H3", LATER, money.format(formula="flat_by_tier", edge="legal_default"), "2020-01-01"),
        ("F-6", "H4", LATER, money.format(formula="flat_by_tier", edge="legal_default"), "2025-03-15"),
        ("F-7", "H1", PARTS, money.format(formula="per_capita_marginal", edge="legal_default"), "2020-01-01"),
        ("A-06", "A6", JX, staff, "2020-01-01"),
    ]  # fmt: skip
    _write(
        place / "standards.csv",
        "standard_id,document_id,clause,quotation,title_zh,matter,scope_code,subject_level,topic_zh,metric_zh,"
        "formula,comparator,unit,period,population_basis,population_date_rule,edge_rule,strength,severity,gradeable,"
        "not_judged_reason,effective_from,effective_to,deadline,issued_on,recorded_on,last_confirmed_on,"
        "confirm_within_months,ambiguity_zh,example_zh",
        [
            f"{name},{document},一,条文,标准{name},{'staff' if name == 'A-06' else 'working_funds'},{scope},{rest},"
            f"{begins},,,2020-01-01,2020-01-01,2025-06-01,24,,"
            for name, document, scope, rest, begins in kinds
        ],
    )
    tiers = [
        *[
            f"{name},{number},{label},{bounds},{rate},,元/人·月,条文"
            for name in ("F-1", "F-2")
            for number, label, bounds, rate in (
                (1, "低", "0,true,20000,true", "0.28"),
                (2, "中", "20000,false,50000,false", "0.22"),
                (3, "高", "50000,true,,", "0.18"),
            )
        ],
        "F-3,1,小,0,true,1000,true,100.06,,元/年,条文",
        "F-3,2,中,1000,false,2000,false,20000,,元/年,条文",
        "F-3,3,零,2000,true,,,0,,元/年,条文",
        "F-7,1,首段,0,true,10000,true,0.28,,元/人·月,条文",
        "F-7,2,中段,10000,false,30000,false,0.22,,元/人·月,条文",
        "F-7,3,末段,30000,true,,,0.18,,元/人·月,条文",
        "F-4,1,全部,0,true,,,60000,,元/年,条文",
        "F-5,1,旧,0,true,,,10000,,元/年,条文",
        "F-6,1,新,0,true,,,8000,,元/年,条文",
        "A-06,1,不分档,,,,,3,,人,条文",
    ]
    columns = "standard_id,tier_no,tier_label,lower_bound,lower_included,upper_bound,upper_included,value,value_max,"
    _write(place / "standard_tiers.csv", columns + "unit,quotation", tiers)
    measures = [f"F-{n},value,1,allocated_annual_cny,true,,年度安排数" for n in range(1, 8)]
    measures.append("A-06,value,1,dedicated_staff_persons,true,,在编在岗专职")
    _write(
        place / "standard_measures.csv",
        "standard_id,role,part_no,measure_code,required,threshold,label_zh",
        measures,
    )


def _write(path: Path, header: str, rows: Iterable[str]) -> None:
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")


EDGES = {
    JX: (19_999, 20_000, 20_001, 49_999, 50_000, 50_001),
    NX: (29_999, 30_000, 30_001, 49_999, 50_000, 50_001),
    FAVOUR: (19_999, 20_000, 20_001, 49_999, 50_000, 50_001),
    HALF: (19_999, 20_000, 20_001, 49_999, 50_000, 50_001),
}


def _fill(folder: Folder) -> None:
    for county in (JX, NX, QHD, DH, NONE, FAVOUR, HALF, ROUND, TWO, LATER, PARTS):
        folder.unit(county)
    for county, populations in EDGES.items():
        for number, persons in enumerate(populations, 1):
            folder.unit(f"{county}10{number}")
            folder.people(f"{county}10{number}", m2024_12=persons)
            folder.money(f"{county}10{number}", "2025-01", "50000,,,,,")

    for number in range(10, 19):
        folder.unit(f"{JX}1{number}")
    # 110: no earlier year; the year's first report stands in, for January too.
    folder.people(f"{JX}110", m2025_03=10_000, m2025_05=30_000)
    folder.money(f"{JX}110", "2025-01", "30000,,,,,")
    # 111: the budget is adjusted in May; paid so far is not told in June; a month's figure then changes nothing.
    folder.people(f"{JX}111", m2024_12=10_000)
    folder.money(f"{JX}111", "2025-01", "30000,,1000,1000,,")
    folder.money(f"{JX}111", "2025-05", "30000,33600.01,1000,2500,,")
    folder.money(f"{JX}111", "2025-06", ",,700,,,")
    # 112: never a figure so far: the months are added up.
    folder.people(f"{JX}112", m2024_11=10_000, m2024_12=10_000)
    folder.money(f"{JX}112", "2025-01", "33599.99,,100.10,,50,")
    folder.money(f"{JX}112", "2025-03", ",,0,,0.05,")
    folder.money(f"{JX}112", "2025-12", ",,200.20,,,")
    # 113: people but no budget; 114: a budget but no people; 115: a budget of the year before only.
    folder.people(f"{JX}113", m2024_12=10_000)
    folder.money(f"{JX}114", "2025-01", "30000,,,,,")
    folder.people(f"{JX}115", m2024_12=10_000)
    folder.money(f"{JX}115", "2024-12", "40000,,,,,")
    # 116: November decides, since December leaves people blank.
    folder.people(f"{JX}116", m2024_10=19_000, m2024_11=20_001, m2025_01=19_500)
    folder.rows["人口"].append(f"2024-12,{JX}116,手写{JX}116,")
    folder.money(f"{JX}116", "2025-01", "50000,,,,,")

    # Renamed on 2025-04-10, abolished on 2025-05-15, founded on 2025-04-10.
    folder.unit(f"{JX}201", ends="2025-04-10", successor=f"{JX}120")
    folder.unit(f"{JX}120", begins="2025-04-10")
    folder.people(f"{JX}201", m2024_12=50_000)
    folder.money(f"{JX}201", "2025-01", "100000,,500,,,")
    folder.money(f"{JX}120", "2025-04", ",,250,,,")
    folder.unit(f"{JX}202", ends="2025-05-15")
    folder.unit(f"{JX}203", begins="2025-04-10")

    folder.unit(f"{NONE}101")
    folder.people(f"{NONE}101", m2024_12=10_000)
    folder.money(f"{NONE}101", "2025-01", "5000,,100,100,,")

    for number, persons in enumerate((500, 1_500, 2_500), 1):
        folder.unit(f"{ROUND}10{number}")
        folder.people(f"{ROUND}10{number}", m2024_12=persons)
        folder.money(f"{ROUND}10{number}", "2025-01", "6667,,,,,")

    # The province's rate or the county's amount, whichever is more.
    for number, persons in enumerate((20_000, 10_000), 1):
        folder.unit(f"{TWO}10{number}")
        folder.people(f"{TWO}10{number}", m2024_12=persons)
        folder.money(f"{TWO}10{number}", "2025-01", "60000,,,,,")

    for number, persons in enumerate((9_999, 10_000, 10_001, 30_000, 30_001), 1):
        folder.unit(f"{PARTS}10{number}")
        folder.people(f"{PARTS}10{number}", m2024_12=persons)
        folder.money(f"{PARTS}10{number}", "2025-01", "33600,,,,,")

    folder.unit(f"{LATER}101")
    folder.people(f"{LATER}101", m2024_12=10)
    folder.money(f"{LATER}101", "2025-01", "9000,,,,,")

    for number, persons in enumerate((29_999, 30_000, 30_001), 1):
        folder.unit(f"{QHD}10{number}")
        folder.people(f"{QHD}10{number}", m2024_12=persons)
        folder.staff(f"{QHD}10{number}", "2025-02", "1,1,2,1,")
        folder.staff(f"{QHD}10{number}", "2025-03", "1,1,1,0,0")
        folder.staff(f"{QHD}10{number}", "2025-04", "1,1,2,2,2")
        folder.staff(f"{QHD}10{number}", "2025-05", "1,1,,5,5")
    folder.unit(f"{DH}101")
    folder.staff(f"{DH}101", "2025-02", "0,4,1,,")
    folder.staff(f"{DH}101", "2025-03", "1,2,0,,")
    folder.staff(f"{JX}101", "2025-02", "1,1,2,9,9")
    # An indicator alone makes the months reach to December.
    folder.rows["指标"].append(f"2025-12,{JX}101,手写{JX}101,A-12,2")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("hand")
    folder = Folder()
    _fill(folder)
    folder.write(place / "raw")
    _own_rules(place / "standards")
    return run(place)


def _rows(warehouse: Path, table: str, code: str, **where: Any) -> list[dict[str, Any]]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        cursor = connection.execute(f"select * from {table} where township_code = ? order by month", [code])
        names = [column[0] for column in cursor.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [row for row in rows if all(row[name] == value for name, value in where.items())]


def funding(warehouse: Path, code: str, month: str = "2025-12") -> dict[str, Any]:
    (row,) = _rows(warehouse, "funding_gap_monthly", code, month=date.fromisoformat(f"{month}-01"))
    return row


def _same(row: Mapping[str, Any], **expected: Any) -> None:
    told = {
        name: Decimal(value) if isinstance(value, str) and name.endswith(("_cny", "_pct")) else value
        for name, value in expected.items()
    }
    assert {name: row[name] for name in told} == told


@pytest.mark.parametrize(
    ("county", "amounts", "on_edge"),
    [
        (JX, ("67196.64", "67200.00", "52802.64", "131997.36", "108000.00", "108002.16"), (2, 5)),
        (NX, ("40000.00", "40000.00", "70000.00", "70000.00", "100000.00", "100000.00"), (2, 5)),
        (FAVOUR, ("67196.64", "67200.00", "52802.64", "131997.36", "132000.00", "108002.16"), (2, 5)),
        (HALF, ("67196.64", "52800.00", "52802.64", "131997.36", "108000.00", "108002.16"), (2, 5)),
    ],
)
def test_below_on_and_above_each_edge(
    warehouse: Path, county: str, amounts: tuple[str, ...], on_edge: tuple[int, ...]
) -> None:
    for number, amount in enumerate(amounts, 1):
        row = funding(warehouse, f"{county}10{number}")
        gap = max(Decimal(amount) - 50_000, Decimal(0))
        _same(
            row,
            guaranteed_annual_cny=amount,
            guaranteed_ytd_cny=amount,
            is_on_tier_edge=number in on_edge,
            allocation_shortfall_cny=str(gap),
            status="short" if gap else "met",
        )


def test_the_first_report_of_the_year_stands_in_where_there_is_no_earlier_one(warehouse: Path) -> None:
    march = date(2025, 3, 1)
    for month in ("2025-01", "2025-05"):
        _same(
            funding(warehouse, f"{JX}110", month),
            population_persons=10_000,
            population_month=march,
            population_is_fallback=True,
            guaranteed_annual_cny="33600.00",
            status="short",
        )
    # Nothing of 2025 tells what 2024 was entitled to.
    _same(
        funding(warehouse, f"{JX}110", "2024-12"),
        population_persons=None,
        guaranteed_annual_cny=None,
        allocated_annual_cny=None,
        allocation_shortfall_cny=None,
        adequacy_pct=None,
        status="not_reported",
    )


def test_the_last_december_decides_and_a_blank_is_no_report(warehouse: Path) -> None:
    _same(
        funding(warehouse, f"{JX}116", "2025-01"),
        population_persons=20_001,
        population_month=date(2024, 11, 1),
        population_is_fallback=False,
        guaranteed_annual_cny="52802.64",
        guaranteed_ytd_cny="4400.22",
    )


def test_a_budget_adjusted_later_counts_from_its_month(warehouse: Path) -> None:
    _same(
        funding(warehouse, f"{JX}111", "2025-04"),
        allocated_annual_cny="30000.00",
        disbursed_ytd_cny="1000.00",
        allocation_shortfall_cny="3600.00",
        allocation_surplus_cny="0.00",
        adequacy_pct="89.29",
        guaranteed_ytd_cny="11200.00",
        disbursement_shortfall_ytd_cny="10200.00",
        spent_ytd_cny=None,
        status="short",
    )
    # The latest figure so far stands, also where a later month tells only its own payment.
    for month in ("2025-05", "2025-06", "2025-12"):
        _same(
            funding(warehouse, f"{JX}111", month),
            allocated_annual_cny="33600.01",
            disbursed_ytd_cny="2500.00",
            allocation_shortfall_cny="0.00",
            allocation_surplus_cny="0.01",
            adequacy_pct="100.00",
            status="met",
        )


def test_without_a_figure_so_far_the_months_are_added_up(warehouse: Path) -> None:
    told = {"2025-01": ("100.10", "50.00"), "2025-03": ("100.10", "50.05"), "2025-12": ("300.30", "50.05")}
    for month, (paid, spent) in told.items():
        _same(funding(warehouse, f"{JX}112", month), disbursed_ytd_cny=paid, spent_ytd_cny=spent)
    _same(
        funding(warehouse, f"{JX}112"), allocation_shortfall_cny="0.01", adequacy_pct="100.00", status="short"
    )


def test_what_is_not_known_is_null(warehouse: Path) -> None:
    _same(
        funding(warehouse, f"{JX}113"),
        guaranteed_annual_cny="33600.00",
        allocated_annual_cny=None,
        disbursed_ytd_cny=None,
        allocation_shortfall_cny=None,
        allocation_surplus_cny=None,
        disbursement_shortfall_ytd_cny=None,
        adequacy_pct=None,
        status="not_reported",
    )
    _same(
        funding(warehouse, f"{JX}114"),
        standard_id="A-10",
        tier_label=None,
        guaranteed_annual_cny=None,
        guaranteed_ytd_cny=None,
        allocated_annual_cny="30000.00",
        allocation_shortfall_cny=None,
        status="not_reported",
    )
    _same(funding(warehouse, f"{JX}115", "2025-01"), allocated_annual_cny=None, status="not_reported")
    _same(
        funding(warehouse, f"{NONE}101"),
        standard_id=None,
        population_persons=10_000,
        guaranteed_annual_cny=None,
        allocated_annual_cny="5000.00",
        disbursed_ytd_cny="100.00",
        allocation_shortfall_cny=None,
        adequacy_pct=None,
        status="no_standard",
    )


def test_units_have_rows_while_they_stand(warehouse: Path) -> None:
    def months(code: str) -> tuple[date, date]:
        rows = _rows(warehouse, "funding_gap_monthly", code)
        return rows[0]["month"], rows[-1]["month"]

    assert months(f"{JX}101") == (date(2024, 10, 1), date(2025, 12, 1))
    assert months(f"{JX}201") == (date(2024, 10, 1), date(2025, 3, 1))
    assert months(f"{JX}120") == (date(2025, 4, 1), date(2025, 12, 1))
    assert months(f"{JX}202") == (date(2024, 10, 1), date(2025, 4, 1))
    assert months(f"{JX}203") == (date(2025, 4, 1), date(2025, 12, 1))
    assert len(_rows(warehouse, "funding_gap_monthly", f"{JX}101")) == 15


def test_a_renamed_unit_keeps_its_people_budget_and_payments(warehouse: Path) -> None:
    _same(
        funding(warehouse, f"{JX}120", "2025-04"),
        population_persons=50_000,
        population_is_fallback=False,
        guaranteed_annual_cny="108000.00",
        allocated_annual_cny="100000.00",
        disbursed_ytd_cny="750.00",
        allocation_shortfall_cny="8000.00",
        guaranteed_ytd_cny="36000.00",
    )


def test_half_a_fen_is_rounded_up_and_december_is_exact(warehouse: Path) -> None:
    # 100.06 × 3 ÷ 12 = 25.015
    for month, amount in (("2025-03", "25.02"), ("2025-01", "8.34"), ("2025-12", "100.06")):
        _same(funding(warehouse, f"{ROUND}101", month), guaranteed_ytd_cny=amount)
    # 6,667 ÷ 20,000 = 33.335 %
    _same(funding(warehouse, f"{ROUND}102"), adequacy_pct="33.34", allocation_shortfall_cny="13333.00")


@pytest.mark.parametrize(
    ("number", "amount"),
    [(1, "33596.64"), (2, "33600.00"), (3, "33602.64"), (4, "86400.00"), (5, "86402.16")],
)
def test_each_part_at_its_own_rate(warehouse: Path, number: int, amount: str) -> None:
    _same(
        funding(warehouse, f"{PARTS}10{number}"),
        guaranteed_annual_cny=amount,
        status="met" if number < 3 else "short",
    )


def test_a_guarantee_of_nothing_has_no_percentage(warehouse: Path) -> None:
    _same(
        funding(warehouse, f"{ROUND}103"),
        guaranteed_annual_cny="0.00",
        adequacy_pct=None,
        allocation_shortfall_cny="0.00",
        allocation_surplus_cny="6667.00",
        status="met",
    )


def test_of_two_levels_the_higher_guarantee_binds_and_both_are_named(warehouse: Path) -> None:
    _same(
        funding(warehouse, f"{TWO}101"),
        standard_id="A-10",
        also_standard_id="F-4",
        guaranteed_annual_cny="67200.00",
        status="short",
    )
    _same(
        funding(warehouse, f"{TWO}102"),
        standard_id="F-4",
        also_standard_id="A-10",
        guaranteed_annual_cny="60000.00",
        status="met",
    )


def test_a_later_rule_of_the_same_office_replaces_the_earlier_from_its_month(warehouse: Path) -> None:
    _same(
        funding(warehouse, f"{LATER}101", "2025-02"),
        standard_id="F-5",
        guaranteed_annual_cny="10000.00",
        status="short",
    )
    _same(
        funding(warehouse, f"{LATER}101", "2025-03"),
        standard_id="F-6",
        guaranteed_annual_cny="8000.00",
        status="met",
    )


def _staff(warehouse: Path, code: str, month: str) -> dict[str, dict[str, Any]]:
    rows = _rows(warehouse, "staffing_gap_monthly", code, month=date.fromisoformat(f"{month}-01"))
    return {row["standard_id"]: row for row in rows}


STAFF = ("counted_persons", "required_min_persons", "advised_max_persons", "shortfall_persons", "excess_persons")  # fmt: skip


@pytest.mark.parametrize(
    ("month", "number", "seven", "eight"),
    [
        # 2 + 1 + (not told)
        ("2025-02", 1, (3, 2, None, 0, 0, "met"), (3, 2, 3, 0, 0, "met")),
        ("2025-02", 2, (3, 2, None, 0, 0, "met"), (3, 3, 3, 0, 0, "met")),
        ("2025-02", 3, (3, 2, None, 0, 0, "met"), (3, 3, 5, 0, 0, "met")),
        ("2025-03", 1, (1, 2, None, 1, 0, "short"), (1, 2, 3, 1, 0, "short")),
        ("2025-03", 2, (1, 2, None, 1, 0, "short"), (1, 3, 3, 2, 0, "short")),
        ("2025-04", 1, (6, 2, None, 0, 0, "met"), (6, 2, 3, 0, 3, "over")),
        ("2025-04", 2, (6, 2, None, 0, 0, "met"), (6, 3, 3, 0, 3, "over")),
        ("2025-04", 3, (6, 2, None, 0, 0, "met"), (6, 3, 5, 0, 1, "over")),
        # The first part is required: without it nothing is known.
        ("2025-05", 1, (None, 2, None, None, None, "not_reported"), (None, 2, 3, None, None, "not_reported")),
        ("2025-06", 1, (None, 2, None, None, None, "not_reported"), (None, 2, 3, None, None, "not_reported")),
    ],
)
def test_staff_of_qinhuangdao(
    warehouse: Path, month: str, number: int, seven: tuple[Any, ...], eight: tuple[Any, ...]
) -> None:
    rows = _staff(warehouse, f"{QHD}10{number}", month)
    assert set(rows) == {"D-07", "D-08"}
    assert tuple(rows["D-07"][name] for name in (*STAFF, "status")) == seven
    assert tuple(rows["D-08"][name] for name in (*STAFF, "status")) == eight


def test_posts_are_counted_apart_and_a_rule_of_the_same_id_replaces_ours(warehouse: Path) -> None:
    # Four of one kind do not make up for none of the other.
    row = _staff(warehouse, f"{DH}101", "2025-02")["B-07"]
    assert tuple(row[name] for name in (*STAFF, "status")) == (4, 3, None, 1, 0, "short")
    assert _staff(warehouse, f"{DH}101", "2025-03")["B-07"]["status"] == "met"
    row = _staff(warehouse, f"{JX}101", "2025-02")["A-06"]
    assert tuple(row[name] for name in (*STAFF, "status")) == (2, 3, None, 1, 0, "short")


def test_our_csv_was_taken_whole(warehouse: Path) -> None:
    """Nothing above holds if rows were refused for reasons of their own."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        refused = connection.execute(
            "select file_name, r.message_zh from rejected_rows r join submissions using (submission_id)"
        ).fetchall()
    # The one row on purpose: December 2024 without any people.
    assert [name for name, _ in refused] == ["人口.csv"], refused


def test_the_csv_reader_agrees(tmp_path: Path) -> None:
    """The folder is what the csv module reads: no row with a cell too many."""
    folder = Folder()
    _fill(folder)
    folder.write(tmp_path / "raw")
    for path in (tmp_path / "raw").iterdir():
        with path.open(encoding="utf-8", newline="") as file:
            widths = {len(row) for row in csv.reader(file)}
        assert len(widths) == 1, path
