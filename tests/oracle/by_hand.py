"""A data folder written by hand as plain CSV, and beside each case the figures that anyone can work out with a pencil.

Every expectation is a literal, so that an official can check it. The worked figures of FIGURES.md and of the policy
documents stand here; the oracle and the product are both held to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

UNIT = "统计月份,区划代码,乡镇名称,"
MONEY = "年初预算({0}),调整后预算({0}),本月拨付({0}),累计拨付({0}),本月支出({0}),累计支出({0}),是否单独列支"
HEADERS = {
    "行政区划": "区划代码,名称,类型,上级代码,启用日期,停用日期,变更后代码",
    "人口": UNIT + "户籍人口(人)",
    "人口（万人）": UNIT + "户籍人口(万人)",
    "经费": UNIT + MONEY.format("元"),
    "经费（万元）": UNIT + MONEY.format("万元"),
    "经费（万元，一位小数）": UNIT + MONEY.format("万元"),
    "经费（万元，有公式）": UNIT + MONEY.format("万元"),
    "人员": UNIT
    + "行政编制数(名),事业编制数(名),在编在岗专职人数(人),公益性岗位人数(人),政府购买服务人数(人)",
    "指标": "统计月份,区划代码,名称,指标代码,指标值",
}
# Jiangxi outside 湘东区, Ningxia, Qinhuangdao, Dunhua, places without our rules, and counties with rules of their own.
JX, NX, QHD, DH, NONE = "360321", "640324", "130321", "222403", "440103"
FAVOUR, HALF, ROUND, TWO, LATER, PARTS, RISE, WHOLE, ENDS, BESIDE = (
    "410102", "410103", "410104", "360322", "410105", "410106", "360302", "410107", "410108", "410109",
)  # fmt: skip
# Ningxia counties for the county's rule C-12.
PAID, UNPAID, UNLISTED = "640181", "640121", "640122"


@dataclass
class Folder:
    """Rows by hand, and what must come of them."""

    rows: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in HEADERS})
    expected: list[tuple[str, str, str, str, dict[str, Any]]] = field(default_factory=list)

    def unit(self, code: str, begins: str = "", ends: str = "", successor: str = "") -> str:
        parent = code[:6] if len(code) > 6 else ""
        kind = "镇" if len(code) == 9 else "县"
        self.rows["行政区划"].append(f"{code},手写{code},{kind},{parent},{begins},{ends},{successor}")
        return code

    def people(self, code: str, told: dict[str, int | str], file: str = "人口") -> None:
        self.rows[file] += [f"{month},{code},手写{code},{n}" for month, n in told.items()]

    def money(self, code: str, months: str | Iterable[str], cells: str, file: str = "经费") -> None:
        """Initial, adjusted, paid in the month, paid so far, spent in the month, spent so far, listed separately."""
        for month in [months] if isinstance(months, str) else months:
            self.rows[file].append(f"{month},{code},手写{code},{cells}")

    def staff(self, code: str, month: str, cells: str) -> None:
        self.rows["人员"].append(f"{month},{code},手写{code},{cells}")

    def expect(self, case: str, code: str, month: str = "2025-12", **values: Any) -> None:
        """A row of funding_gap_monthly."""
        self.expected.append((case, "funding_gap_monthly", code, month, values))

    def judge(self, case: str, code: str, month: str = "2025-12", **statuses: str) -> None:
        """Answers of rules: A_10 is A-10, A_10_1 is A-10.1."""
        told = {name.replace("_", "-", 1).replace("_", "."): status for name, status in statuses.items()}
        self.expected.append((case, "judgements", code, month, told))

    def write(self, place: Path) -> None:
        raw = place / "raw"
        raw.mkdir(parents=True)
        for name, rows in self.rows.items():
            (raw / f"{name}.csv").write_text("\n".join([HEADERS[name], *rows]) + "\n", "utf-8")
        own_rules(place / "standards")


def months(first: int, last: int, year: int = 2025) -> list[str]:
    return [f"{year}-{n:02}" for n in range(first, last + 1)]


def by_hand() -> Folder:
    """The whole folder."""
    folder = Folder()
    for county in (
        JX, NX, QHD, DH, NONE, FAVOUR, HALF, ROUND, TWO, LATER, PARTS, RISE, WHOLE, BESIDE, ENDS, PAID, UNPAID, UNLISTED,
    ):  # fmt: skip
        folder.unit(county)
    for write in (
        _edges, _precision, _accrual, _population, _money, _units, _payment, _rules, _staff,
    ):  # fmt: skip
        write(folder)
    # An indicator alone makes the months reach to March 2026.
    folder.rows["指标"].append(f"2026-03,{JX}101,手写{JX}101,A-12,2")
    return folder


def _edges(folder: Folder) -> None:
    """Below, on and above each edge of the tiers, as the policy documents work it out."""
    jiangxi = (19_999, 20_000, 20_001, 49_999, 50_000, 50_001)
    ningxia = (29_999, 30_000, 30_001, 49_999, 50_000, 50_001)
    for county, sizes, amounts in (
        (JX, jiangxi, ("67196.64", "67200.00", "52802.64", "131997.36", "108000.00", "108002.16")),
        (NX, ningxia, ("40000.00", "40000.00", "70000.00", "70000.00", "100000.00", "100000.00")),
        (FAVOUR, jiangxi, ("67196.64", "67200.00", "52802.64", "131997.36", "132000.00", "108002.16")),
        (HALF, jiangxi, ("67196.64", "52800.00", "52802.64", "131997.36", "108000.00", "108002.16")),
    ):
        for number, (people, amount) in enumerate(zip(sizes, amounts, strict=True), 1):
            code = folder.unit(f"{county}10{number}")
            folder.people(code, {"2024-12": people})
            folder.money(code, "2025-01", "50000,,,,,,")
            folder.expect(
                "edges of the tiers",
                code,
                guaranteed_annual_cny=amount,
                guaranteed_ytd_cny=amount,
                is_on_tier_edge=number in (2, 5),
                status="short" if amount > "50000.00" or len(amount) > 8 else "met",
            )


def _precision(folder: Folder) -> None:
    """20,001 people are guaranteed 52,802.64; what a budget written in this or that way says about it."""
    case = "precision"
    for number, (file, told, values) in enumerate(
        [
            ("经费（万元）", "5.28", {"status": "met", "is_within_precision": True, "shortfall": "0.00"}),
            (
                "经费（万元）",
                "5.27",
                {"status": "short", "is_within_precision": False, "shortfall": "102.64"},
            ),
            ("经费", "52800.00", {"status": "short", "is_within_precision": False, "shortfall": "2.64"}),
            ("经费（万元，一位小数）", "5.3", {"status": "not_reported", "shortfall": None}),
            ("经费（万元，一位小数）", "4.9", {"status": "short", "shortfall": "3802.64"}),
            # A formula's 5.280264 has a precision of its own and changes no other cell's.
            (
                "经费（万元，有公式）",
                "5.280264",
                {"status": "met", "is_within_precision": False, "p": "0.01"},
            ),
            ("经费（万元，有公式）", "5.28", {"status": "met", "is_within_precision": True, "p": "100.00"}),
            # Seven twelfths of 10,000 is rounded to the 分.
            ("经费（万元，有公式）", "0.583333333333333", {"allocated": "5833.33", "p": "0.01"}),
        ],
        1,
    ):
        code = folder.unit(f"{JX}12{number}")
        folder.people(code, {"2024-12": 20_001})
        folder.money(code, months(1, 12) if len(told) < 5 else "2025-12", f"{told},,,,,,", file)
        names = {
            "shortfall": "allocation_shortfall_cny",
            "p": "allocated_precision_cny",
            "allocated": "allocated_annual_cny",
        }
        folder.expect(case, code, **{names.get(name, name): value for name, value in values.items()})
    folder.expect(case, f"{JX}124", status_reason="too_coarse", adequacy_pct=None)
    # Cells enough that fewer than a tenth are formulas' results.
    folder.money(folder.unit(f"{JX}129"), months(1, 12), "5.28,,,,,,", "经费（万元，有公式）")
    # 20,001 people written 2.0 万人 may be 19,500 to 20,499: the least is guaranteed just above the edge, to 20,001.
    for number, (budget, status, shortfall) in enumerate(
        [("52802.00", "short", "0.64"), ("52802.64", "met", "0.00"), ("67200.00", "met", "0.00")], 1
    ):
        code = folder.unit(f"{JX}13{number}")
        folder.people(code, dict.fromkeys(["2024-12", *months(1, 12)], "2.0"), "人口（万人）")
        folder.money(code, "2025-01", f"{budget},,,,,,")
        folder.expect(
            "people in 万人",
            code,
            population_persons=20_000,
            guaranteed_annual_cny="67200.00",
            is_tier_uncertain=True,
            status=status,
            allocation_shortfall_cny=shortfall,
        )
    code = folder.unit(f"{JX}134")
    folder.people(code, dict.fromkeys(["2024-12", *months(1, 12)], "3.2"), "人口（万人）")
    folder.money(code, "2025-01", "83160.00,,,,,,")
    # 31,500 × 2.64 = 83,160.00 is what 3.2 万人 guarantees at least.
    folder.expect(
        "people in 万人",
        code,
        guaranteed_annual_cny="84480.00",
        is_tier_uncertain=False,
        status="met",
        allocation_shortfall_cny="0.00",
    )


def _accrual(folder: Folder) -> None:
    """15,000 people at 0.28, and 0.50 from 1 July."""
    code = folder.unit(f"{RISE}101")
    folder.people(code, {"2024-12": 15_000})
    folder.money(code, "2025-01", "60000,,,,,,")
    case = "a rate from the middle of the year"
    folder.expect(
        case,
        code,
        "2025-07",
        guaranteed_ytd_cny="32700.00",
        guaranteed_annual_cny="70200.00",
        standard_id="R-1",
        status="short",
    )
    folder.expect(
        case,
        code,
        "2025-06",
        guaranteed_ytd_cny="25200.00",
        guaranteed_annual_cny="70200.00",
        standard_id="R-1",
    )
    # Issued on 20 May: what the rows of January to April could not know yet.
    folder.expect(
        case,
        code,
        "2025-04",
        guaranteed_ytd_cny="16800.00",
        guaranteed_annual_cny="50400.00",
        standard_id="A-10",
        status="met",
    )
    folder.expect(case, code, guaranteed_ytd_cny="70200.00", guaranteed_annual_cny="70200.00")
    folder.judge(case, code, R_1="short", A_10="met")

    # Founded in November: two twelfths of the monthly 112,570.56 are less than the 80,000 that are owed whole.
    case = "a whole amount beside another issuer's monthly one"
    code = folder.unit(f"{BESIDE}101", begins="2025-11-01")
    folder.people(code, {"2025-11": 15_000})
    folder.money(code, "2025-11", "18761.76,,0,0,,,")
    folder.money(code, "2025-12", "18761.76,,0,0,,,")
    told = {
        "guaranteed_annual_cny": "80000.00",
        "standard_id": "W-2",
        "also_standard_id": "B-1",
        "status": "short",
    }
    folder.expect(case, code, "2025-11", guaranteed_ytd_cny="40000.00", **told)
    folder.expect(case, code, guaranteed_ytd_cny="80000.00", allocation_shortfall_cny="61238.24", **told)
    folder.judge(case, code, W_2="short", B_1="met", W_2_1="short", B_1_1="short")
    # There all year the monthly one is more, and it is counted by its months.
    code = folder.unit(f"{BESIDE}102")
    folder.people(code, {"2024-12": 15_000})
    folder.money(code, "2025-01", "100000,,0,0,,,")
    folder.expect(
        case,
        code,
        "2025-06",
        guaranteed_annual_cny="112570.56",
        guaranteed_ytd_cny="56285.28",
        standard_id="B-1",
    )
    folder.judge(case, code, W_2="met", B_1="short")

    case = "a whole amount goes with the unit as far as it had accrued"
    # Founded in June: seven months of 9,380.88 are less than 80,000; by the end of August three sevenths had accrued.
    heir = folder.unit(f"{BESIDE}104")
    gone = folder.unit(f"{BESIDE}103", begins="2025-06-01", ends="2025-09-01", successor=heir)
    folder.people(heir, {"2024-12": 15_000})
    folder.people(gone, {"2025-06": 15_000})
    folder.expect(
        case,
        gone,
        "2025-08",
        guaranteed_ytd_cny="34285.71",
        guaranteed_annual_cny="80000.00",
        standard_id="W-2",
    )
    folder.expect(
        case,
        heir,
        "2025-09",
        guaranteed_ytd_cny="118713.63",
        guaranteed_annual_cny="146856.27",
        standard_id="B-1",
    )

    case = "founded"
    code = folder.unit(f"{JX}141", begins="2025-07-01")
    folder.people(code, {"2025-07": 15_000})
    folder.money(code, "2025-07", "25200,,4200,4200,,,")
    folder.expect(
        case,
        code,
        "2025-07",
        guaranteed_ytd_cny="4200.00",
        guaranteed_annual_cny="25200.00",
        population_is_fallback=True,
        status="met",
    )
    folder.expect(case, code, guaranteed_ytd_cny="25200.00", guaranteed_annual_cny="25200.00")

    case = "no rule before May"
    code = folder.unit(f"{NONE}101")
    folder.people(code, {"2024-12": 10_000})
    folder.money(code, "2025-01", "5000,,100,100,,,")
    nothing = {"standard_id": None, "guaranteed_annual_cny": None, "guaranteed_ytd_cny": None}
    folder.expect(case, code, "2025-04", status="no_standard", allocated_annual_cny="5000.00", **nothing)
    folder.expect(
        case,
        code,
        "2025-05",
        standard_id="N-1",
        guaranteed_ytd_cny="500.00",
        guaranteed_annual_cny="4000.00",
        status="met",
    )

    case = "a rule that ends in June"
    code = folder.unit(f"{ENDS}101")
    folder.people(code, {"2024-12": 10_000})
    folder.money(code, "2025-01", "5000,,,,,,")
    folder.expect(case, code, guaranteed_ytd_cny="6000.00", guaranteed_annual_cny="6000.00", status="short")

    case = "half a 分 is rounded up once"
    # 100.06 × 3 ÷ 12 = 25.015
    for month, amount in (("2025-03", "25.02"), ("2025-01", "8.34"), ("2025-12", "100.06")):
        folder.expect(case, f"{ROUND}101", month, guaranteed_ytd_cny=amount, guaranteed_annual_cny="100.06")
    for number, people in enumerate((500, 1_500, 2_500), 1):
        code = folder.unit(f"{ROUND}10{number}")
        folder.people(code, {"2024-12": people})
        folder.money(code, "2025-01", "6667.00,,,,,,")
    # 6,667 ÷ 20,000 = 33.335 %; a guarantee of nothing has no percentage.
    folder.expect(case, f"{ROUND}102", adequacy_pct="33.34", allocation_shortfall_cny="13333.00")
    folder.expect(
        case,
        f"{ROUND}103",
        guaranteed_annual_cny="0.00",
        adequacy_pct=None,
        allocation_shortfall_cny="0.00",
        allocation_surplus_cny="6667.00",
        status="met",
    )

    case = "each part of the people at its own rate"
    for number, (people, amount) in enumerate(
        [
            (9_999, "33596.64"),
            (10_000, "33600.00"),
            (10_001, "33602.64"),
            (30_000, "86400.00"),
            (30_001, "86402.16"),
        ],
        1,
    ):
        code = folder.unit(f"{PARTS}10{number}")
        folder.people(code, {"2024-12": people})
        folder.money(code, "2025-01", "33600.00,,,,,,")
        folder.expect(case, code, guaranteed_annual_cny=amount, status="met" if number < 3 else "short")


def _population(folder: Folder) -> None:
    case = "the people of the year before"
    code = folder.unit(f"{JX}110")
    folder.people(code, {"2025-03": 10_000, "2025-05": 30_000})
    folder.money(code, "2025-01", "30000.00,,,,,,")
    for month in ("2025-01", "2025-05"):
        folder.expect(
            case,
            code,
            month,
            population_persons=10_000,
            population_month=date(2025, 3, 1),
            population_is_fallback=True,
            population_is_stale=False,
            guaranteed_annual_cny="33600.00",
            status="short",
        )
    # Nothing of 2025 tells what 2024 was entitled to.
    folder.expect(
        case, code, "2024-12", population_persons=None, guaranteed_annual_cny=None, status="not_reported"
    )
    code = folder.unit(f"{JX}116")
    folder.people(code, {"2024-10": 19_000, "2024-11": 20_001, "2024-12": "", "2025-01": 19_500})
    folder.money(code, "2025-01", "50000.00,,,,,,")
    folder.expect(
        case,
        code,
        "2025-01",
        population_persons=20_001,
        population_month=date(2024, 11, 1),
        population_is_fallback=False,
        guaranteed_annual_cny="52802.64",
        guaranteed_ytd_cny="4400.22",
    )
    code = folder.unit(f"{JX}117")
    folder.people(code, {"2024-10": 20_000})
    folder.money(code, ["2025-01", "2026-01"], "60000.00,,,,,,")
    folder.expect(case, code, population_is_stale=False, status="short", allocation_shortfall_cny="7200.00")
    folder.expect(
        case,
        code,
        "2026-03",
        population_is_stale=True,
        population_month=date(2024, 10, 1),
        guaranteed_annual_cny="67200.00",
        allocated_annual_cny="60000.00",
        status="not_reported",
        status_reason="stale_population",
        allocation_shortfall_cny=None,
        allocation_surplus_cny=None,
        adequacy_pct=None,
    )
    folder.judge(case, code, "2026-03", A_10="not_reported")

    case = "what is not known"
    code = folder.unit(f"{JX}113")
    folder.people(code, {"2024-12": 10_000})
    folder.expect(
        case,
        code,
        guaranteed_annual_cny="33600.00",
        allocated_annual_cny=None,
        disbursed_ytd_cny=None,
        allocation_shortfall_cny=None,
        allocation_surplus_cny=None,
        disbursement_shortfall_ytd_cny=None,
        adequacy_pct=None,
        status="not_reported",
        status_reason="missing",
    )
    # Nobody lives there, as it was reported: 0 people never meets anything.
    code = folder.unit(f"{JX}118")
    folder.people(code, {"2024-12": 0})
    folder.money(code, "2025-01", "30000.00,,,,,,")
    folder.expect(case, code, status="not_reported", allocation_shortfall_cny=None)
    code = folder.unit(f"{JX}114")
    folder.money(code, "2025-01", "30000.00,,,,,,")
    folder.expect(
        case,
        code,
        standard_id="A-10",
        tier_label=None,
        guaranteed_annual_cny=None,
        guaranteed_ytd_cny=None,
        allocated_annual_cny="30000.00",
        allocation_shortfall_cny=None,
        status="not_reported",
    )
    code = folder.unit(f"{JX}115")
    folder.people(code, {"2024-12": 10_000})
    folder.money(code, "2024-12", "40000.00,,,,,,")
    folder.expect(case, code, "2025-01", allocated_annual_cny=None, status="not_reported")


def _money(folder: Folder) -> None:
    """4,200 a month for 15,000 people: guaranteed 50,400."""

    def township(number: int) -> str:
        code = folder.unit(f"{JX}15{number}")
        folder.people(code, {"2024-12": 15_000})
        return code

    case = "payments of the year"
    code = township(1)
    for n, month in enumerate(months(1, 3), 1):
        folder.money(code, month, f"50400,,4200,{4200 * n},,,")
    folder.money(code, months(4, 12), ",,4200,,,,")
    folder.expect(
        case,
        code,
        disbursed_ytd_cny="50400.00",
        disbursed_is_partial=False,
        disbursed_as_of_month=date(2025, 12, 1),
        disbursement_shortfall_ytd_cny="0.00",
        allocated_as_of_month=date(2025, 3, 1),
    )
    folder.judge(case, code, A_10="met", A_10_1="met")
    code = township(2)
    folder.money(code, months(1, 3), "50400,,4200,,,,")
    folder.money(code, "2025-04", "50400,,,,,,")
    folder.money(code, months(5, 12), "50400,,4200,,,,")
    folder.expect(
        case,
        code,
        disbursed_ytd_cny="46200.00",
        disbursed_is_partial=True,
        disbursement_shortfall_ytd_cny=None,
        status="met",
    )
    folder.judge(case, code, A_10="met", A_10_1="not_reported")
    code = township(3)
    folder.money(code, "2025-01", "50400,,4200,4200,,,")
    folder.expect(
        case,
        code,
        disbursed_ytd_cny="4200.00",
        disbursed_as_of_month=date(2025, 1, 1),
        disbursed_is_partial=False,
        disbursement_shortfall_ytd_cny=None,
        allocated_annual_cny="50400.00",
        status="met",
    )
    folder.judge(case, code, A_10="met", A_10_1="not_reported")
    code = township(4)
    for month, paid, so_far in [("2025-05", 4200, 21000), ("2025-06", -5000, 16000)]:
        folder.money(code, month, f"50400,,{paid},{so_far},,,")
    folder.expect(
        case, code, "2025-06", disbursed_ytd_cny="16000.00", disbursement_shortfall_ytd_cny="9200.00"
    )
    # The known part reaches what was guaranteed, whatever the months that are missing held.
    code = township(5)
    folder.money(code, ["2025-01", "2025-06"], "50400,,30000,,,,")
    folder.expect(
        case,
        code,
        disbursed_ytd_cny="60000.00",
        disbursed_is_partial=True,
        disbursement_shortfall_ytd_cny="0.00",
    )
    folder.judge(case, code, A_10_1="met")
    # 无 for a month's payment is a declared nil; twelve of them are nothing paid.
    code = township(6)
    folder.money(code, months(1, 12), "50400,,无,无,无,,")
    folder.expect(
        case,
        code,
        disbursed_ytd_cny="0.00",
        disbursed_is_partial=False,
        spent_ytd_cny="0.00",
        disbursement_shortfall_ytd_cny="50400.00",
        status="met",
    )
    folder.judge(case, code, A_10="met", A_10_1="short")
    # A cumulative 0 after a positive one and an adjusted budget of 0 are not used.
    code = township(7)
    for n, month in enumerate(months(1, 12), 1):
        folder.money(code, month, f"50400,{0 if n > 6 else ''},4200,{0 if n == 12 else 4200 * n},,,")
    folder.expect(
        case,
        code,
        allocated_annual_cny="50400.00",
        allocated_as_of_month=date(2025, 12, 1),
        disbursed_ytd_cny="50400.00",
        status="met",
    )

    case = "a budget adjusted within the year"
    code = folder.unit(f"{JX}111")
    folder.people(code, {"2024-12": 10_000})
    folder.money(code, "2025-01", "30000.00,,1000.00,1000.00,,,")
    folder.money(code, "2025-05", "30000.00,33600.01,1000.00,2500.00,,,")
    folder.money(code, "2025-06", ",,700.00,,,,")
    folder.expect(
        case,
        code,
        "2025-04",
        allocated_annual_cny="30000.00",
        disbursed_ytd_cny="1000.00",
        allocation_shortfall_cny="3600.00",
        allocation_surplus_cny="0.00",
        adequacy_pct="89.29",
        guaranteed_ytd_cny="11200.00",
        disbursement_shortfall_ytd_cny=None,
        spent_ytd_cny=None,
        status="short",
    )
    folder.expect(
        case, code, "2025-05", disbursed_ytd_cny="2500.00", disbursement_shortfall_ytd_cny="11500.00"
    )
    folder.expect(
        case,
        code,
        "2025-12",
        allocated_annual_cny="33600.01",
        allocated_as_of_month=date(2025, 5, 1),
        disbursed_ytd_cny="3200.00",
        disbursed_as_of_month=date(2025, 6, 1),
        allocation_shortfall_cny="0.00",
        allocation_surplus_cny="0.01",
        adequacy_pct="100.00",
        status="met",
    )
    code = folder.unit(f"{JX}112")
    folder.people(code, {"2024-11": 10_000, "2024-12": 10_000})
    folder.money(code, "2025-01", "33599.99,,100.10,,50.00,,")
    folder.money(code, "2025-03", ",,0.00,,0.05,,")
    folder.money(code, "2025-12", ",,200.20,,,,")
    folder.expect(case, code, "2025-01", disbursed_ytd_cny="100.10", spent_ytd_cny="50.00")
    folder.expect(
        case,
        code,
        disbursed_ytd_cny="300.30",
        disbursed_is_partial=True,
        spent_ytd_cny="50.05",
        spent_as_of_month=date(2025, 3, 1),
        allocation_shortfall_cny="0.01",
        adequacy_pct="100.00",
        status="short",
    )


def _units(folder: Folder) -> None:
    """Units that are renamed, end, merge and split."""
    case = "renamed"
    folder.unit(f"{JX}201", ends="2025-04-10", successor=f"{JX}160")
    code = folder.unit(f"{JX}160", begins="2025-04-10")
    folder.people(f"{JX}201", {"2024-12": 50_000})
    folder.money(f"{JX}201", months(1, 3), "100000,,500,,,,")
    folder.money(code, "2025-04", ",,250,,,,")
    folder.expect(
        case,
        code,
        "2025-04",
        population_persons=50_000,
        population_is_fallback=False,
        includes_predecessors=False,
        guaranteed_annual_cny="108000.00",
        guaranteed_ytd_cny="36000.00",
        allocated_annual_cny="100000.00",
        disbursed_ytd_cny="1750.00",
        disbursed_is_partial=False,
        allocation_shortfall_cny="8000.00",
    )

    case = "merged into a standing unit"
    # 15,000 and 15,000 people, merged on 1 July; the heir's figures are the area's from then on.
    old, heir = folder.unit(f"{JX}202", ends="2025-07-01", successor=f"{JX}161"), folder.unit(f"{JX}161")
    for code in (old, heir):
        folder.people(code, {"2024-12": 15_000})
        for n, month in enumerate(months(1, 6), 1):
            folder.money(code, month, f"50400,,4200,{4200 * n},,,")
    folder.money(heir, "2025-07", "50400,90000,6600,57000,,,")
    folder.expect(
        case,
        heir,
        "2025-06",
        includes_predecessors=False,
        guaranteed_annual_cny="50400.00",
        population_persons=15_000,
    )
    folder.expect(case, old, "2025-06", guaranteed_annual_cny="50400.00", disbursed_ytd_cny="25200.00")
    folder.expect(
        case,
        heir,
        "2025-07",
        includes_predecessors=True,
        population_persons=30_000,
        guaranteed_ytd_cny="57000.00",
        guaranteed_annual_cny="90000.00",
        allocated_annual_cny="90000.00",
        disbursed_ytd_cny="57000.00",
        disbursement_shortfall_ytd_cny="0.00",
        status="met",
    )
    # The same, but the heir goes on telling its own figures only.
    old, heir = folder.unit(f"{JX}203", ends="2025-07-01", successor=f"{JX}162"), folder.unit(f"{JX}162")
    for code in (old, heir):
        folder.people(code, {"2024-12": 15_000})
        for n, month in enumerate(months(1, 6), 1):
            folder.money(code, month, f"50400,,4200,{4200 * n},,,")
    folder.money(heir, "2025-07", "50400,,4200,29400,,,")
    folder.expect(
        case,
        heir,
        "2025-07",
        guaranteed_annual_cny="90000.00",
        allocated_annual_cny="100800.00",
        disbursed_ytd_cny="54600.00",
        disbursement_shortfall_ytd_cny="2400.00",
    )
    # Next year the base of December rests on a month after the takeover; where it does not, it is still the sum.
    folder.expect(case, heir, "2026-01", population_persons=30_000, guaranteed_annual_cny="79200.00")

    case = "merged into a new unit"
    first, second = (folder.unit(f"{JX}{n}", ends="2025-07-01", successor=f"{JX}163") for n in (204, 205))
    heir = folder.unit(f"{JX}163", begins="2025-07-01")
    for code in (first, second):
        folder.people(code, {"2024-12": 15_000})
        for n, month in enumerate(months(1, 6), 1):
            folder.money(code, month, f"50400,,4200,{4200 * n},,,")
    folder.money(heir, "2025-07", "90000,,6600,57000,,,")
    folder.expect(
        case,
        heir,
        "2025-07",
        includes_predecessors=True,
        population_persons=30_000,
        guaranteed_ytd_cny="57000.00",
        guaranteed_annual_cny="90000.00",
        allocated_annual_cny="90000.00",
        disbursed_ytd_cny="57000.00",
        status="met",
    )

    case = "one takeover after another"
    # 15,000 people each: the first goes into the second on 1 April, the second into the third on 1 July.
    third = folder.unit(f"{JX}166")
    second = folder.unit(f"{JX}211", ends="2025-07-01", successor=third)
    first = folder.unit(f"{JX}210", ends="2025-04-01", successor=second)
    for code in (first, second, third):
        folder.people(code, {"2024-12": 15_000})
    # Each 12,600 until then, and three months of the joined 30,000 people at 0.22: 19,800.
    folder.expect(
        case,
        second,
        "2025-06",
        guaranteed_ytd_cny="45000.00",
        guaranteed_annual_cny="84600.00",
        accrued_months_count=6,
    )
    # The third's own 25,200, the second's 45,000, and half a year of 45,000 people: 59,400.
    folder.expect(
        case,
        third,
        "2025-07",
        population_persons=45_000,
        guaranteed_ytd_cny="80100.00",
        guaranteed_annual_cny="129600.00",
        includes_predecessors=True,
        accrued_months_count=7,
    )

    case = "taken over within a month of which it still told"
    for number, ends in ((1, "2025-07-15"), (2, "2025-01-10")):
        heir = folder.unit(f"{JX}18{number}")
        gone = folder.unit(f"{JX}21{number + 4}", ends=ends, successor=heir)
        for code in (heir, gone):
            folder.people(code, {"2024-12": 15_000})
        until = int(ends[5:7])
        folder.money(heir, months(1, until), f"{50_400 if until == 7 else 79_200},,4200,,,,")
        folder.money(heir, months(until + 1, 12), ",,6600,,,,")
        folder.money(gone, months(1, until), "50400,,4200,,,," if until == 7 else ",,4200,,,,")
    # 29,400 of each until July; and 4,200 of each until January, to which eleven months of 6,600 come.
    folder.expect(
        case,
        f"{JX}181",
        "2025-07",
        guaranteed_ytd_cny="57000.00",
        allocated_annual_cny="100800.00",
        disbursed_ytd_cny="58800.00",
        disbursed_is_partial=False,
        disbursement_shortfall_ytd_cny="0.00",
    )
    folder.expect(
        case,
        f"{JX}182",
        guaranteed_annual_cny="79200.00",
        allocated_annual_cny="79200.00",
        disbursed_ytd_cny="81000.00",
        disbursed_is_partial=False,
        disbursement_shortfall_ytd_cny="0.00",
    )
    folder.judge(case, f"{JX}182", A_10="met", A_10_1="met")

    case = "renamed, and then another goes into it"
    new = folder.unit(f"{JX}167", begins="2025-04-01")
    old = folder.unit(f"{JX}212", ends="2025-04-01", successor=new)
    gone = folder.unit(f"{JX}213", ends="2025-07-01", successor=new)
    for code in (old, gone):
        folder.people(code, {"2024-12": 15_000})
    folder.money(old, months(1, 3), "50400,,4200,,,,")
    folder.money(new, "2025-04", ",,4200,,,,")
    folder.expect(
        case,
        new,
        "2025-04",
        population_persons=15_000,
        includes_predecessors=False,
        guaranteed_ytd_cny="16800.00",
        guaranteed_annual_cny="50400.00",
        allocated_annual_cny="50400.00",
        disbursed_ytd_cny="16800.00",
    )
    folder.expect(
        case,
        new,
        "2025-07",
        population_persons=30_000,
        includes_predecessors=True,
        guaranteed_ytd_cny="57000.00",
        guaranteed_annual_cny="90000.00",
    )

    case = "founded, and then an older one goes into it"
    new = folder.unit(f"{JX}168", begins="2025-04-01")
    gone = folder.unit(f"{JX}214", ends="2025-07-01", successor=new)
    folder.people(new, {"2025-04": 15_000})
    folder.people(gone, {"2024-12": 15_000})
    # 25,200 of the older one, 12,600 of the new one, and from July 6,600 a month. January to July are seven months.
    folder.expect(
        case,
        new,
        "2025-07",
        population_persons=30_000,
        guaranteed_ytd_cny="44400.00",
        guaranteed_annual_cny="77400.00",
        accrued_months_count=7,
    )

    case = "split"
    old = folder.unit(f"{JX}206", ends="2025-07-01", successor=f"{JX}164、{JX}165")
    folder.people(old, {"2024-12": 30_000})
    for n, month in enumerate(months(1, 6), 1):
        folder.money(old, month, f"79200,,6600,{6600 * n},,,")
    for code in (f"{JX}164", f"{JX}165"):
        folder.unit(code, begins="2025-07-01")
        folder.people(code, {"2025-07": 15_000})
        folder.money(code, "2025-07", "25200,,4200,4200,,,")
        folder.expect(
            case,
            code,
            "2025-07",
            includes_predecessors=False,
            guaranteed_ytd_cny="4200.00",
            guaranteed_annual_cny="25200.00",
            disbursed_ytd_cny="4200.00",
        )
    folder.expect(case, old, "2025-06", guaranteed_ytd_cny="39600.00", disbursement_shortfall_ytd_cny="0.00")
    folder.judge(case, old, "2025-06", A_10="met", A_10_1="met")

    case = "ends without an heir"
    code = folder.unit(f"{JX}207", ends="2025-07-01")
    folder.people(code, {"2024-12": 15_000})
    for n, month in enumerate(months(1, 6), 1):
        folder.money(code, month, f"50400,,4000,{4000 * n},,,")
    folder.expect(
        case, code, "2025-06", guaranteed_ytd_cny="25200.00", disbursement_shortfall_ytd_cny="1200.00"
    )
    folder.judge(case, code, "2025-06", A_10="met", A_10_1="short")


def _payment(folder: Folder) -> None:
    """Budgeted is not provided: what December says about payment."""
    case = "paid in full"
    for code_of, rule, people, whole in ((JX, "A", 15_000, 50_400), (NX, "C", 20_000, 40_000)):
        for n, paid in enumerate((whole, whole - 1, 0)):
            code = folder.unit(f"{code_of}17{n}")
            folder.people(code, {"2024-12": people})
            folder.money(code, months(1, 11), f"{whole}.00,,,,,,")
            folder.money(code, "2025-12", f"{whole}.00,,,{paid}.00,,,")
            folder.expect(
                case,
                code,
                status="met",
                disbursement_shortfall_ytd_cny=f"{whole - paid}.00",
                disbursed_ytd_cny=f"{paid}.00",
            )
            status = "short" if n else "met"
            if rule == "A":
                folder.judge(case, code, A_10="met", A_10_1=status)
            else:
                folder.judge(case, code, C_11="met", C_11_1=status)
    # The county's rule: listed separately, budgeted and, from December on, paid.
    case = "listed separately and paid in full"
    for county, listed, paid, december, after in (
        (PAID, "是", 40_000, "met", "met"),
        (UNPAID, "是", 39_000, "short", "short"),
        (UNLISTED, "否", 40_000, "short", "short"),
    ):
        for number in (1, 2):
            code = folder.unit(f"{county}10{number}")
            folder.people(code, {"2024-12": 20_000, "2025-12": 20_000})
            folder.money(code, "2025-11", f"40000.00,,,36000.00,,,{listed if number == 1 else '是'}")
            so_far = paid if number == 1 else 40_000
            folder.money(code, "2025-12", f"40000.00,,,{so_far}.00,,,{listed if number == 1 else '是'}")
            folder.money(code, "2026-01", f"40000.00,,,3000.00,,,{listed if number == 1 else '是'}")
        if listed == "否":
            folder.judge(case, county, "2025-11", C_12="short")
        folder.judge(case, county, "2025-12", C_12=december)
        folder.judge(case, county, "2026-01", C_12=after)


def _rules(folder: Folder) -> None:
    case = "two levels of rules"
    for number, people in enumerate((20_000, 10_000), 1):
        code = folder.unit(f"{TWO}10{number}")
        folder.people(code, {"2024-12": people})
        folder.money(code, "2025-01", "60000.00,,,,,,")
    folder.expect(
        case,
        f"{TWO}101",
        standard_id="A-10",
        also_standard_id="F-4",
        guaranteed_annual_cny="67200.00",
        status="short",
    )
    folder.judge(case, f"{TWO}101", A_10="short", F_4="met")
    folder.expect(
        case,
        f"{TWO}102",
        standard_id="F-4",
        also_standard_id="A-10",
        guaranteed_annual_cny="60000.00",
        status="met",
    )
    case = "a rule that replaces another"
    # 10,000 a year until February and 8,000 from 15 March: 2 × 833.33 + 10 × 666.67.
    code = folder.unit(f"{LATER}101")
    folder.people(code, {"2024-12": 10})
    folder.money(code, "2025-01", "9000.00,,,,,,")
    folder.expect(
        case,
        code,
        "2025-02",
        standard_id="F-6",
        guaranteed_ytd_cny="1666.67",
        guaranteed_annual_cny="8333.33",
    )
    folder.judge(case, code, "2025-02", F_5="met", F_6="met")
    folder.expect(case, code, "2025-03", standard_id="F-6", guaranteed_ytd_cny="2333.33", status="met")
    case = "whole however short the time"
    code = folder.unit(f"{WHOLE}101", begins="2025-07-01")
    folder.people(code, {"2025-07": 10_000})
    folder.money(code, "2025-07", "9000.00,,,,,,")
    folder.expect(
        case, code, "2025-07", guaranteed_annual_cny="12000.00", guaranteed_ytd_cny="2000.00", status="short"
    )

    case = "what accrued to a unit taken over rests on its own people"
    # 30,000 people told since the takeover, for the whole year: 79,200.00; of 10,000 of two years ago a month: 2,800.00.
    heir = folder.unit(f"{JX}191")
    gone = folder.unit(f"{JX}192", ends="2026-02-01", successor=heir)
    folder.people(gone, {"2024-12": 10_000})
    folder.people(heir, {"2026-02": 30_000})
    folder.money(heir, "2026-01", "60000,,,,,,")
    folder.money(heir, "2026-03", "60000,70000,,20000,,,")
    folder.expect(
        case,
        heir,
        "2026-03",
        guaranteed_annual_cny="82000.00",
        guaranteed_ytd_cny="22600.00",
        includes_predecessors=True,
        population_is_stale=False,
        status="not_reported",
        status_reason="stale_population",
        allocation_shortfall_cny=None,
        disbursement_shortfall_ytd_cny=None,
    )
    folder.judge(case, heir, "2026-03", A_10="not_reported")


def _staff(folder: Folder) -> None:
    for number, people in enumerate((29_999, 30_000, 30_001), 1):
        code = folder.unit(f"{QHD}10{number}")
        folder.people(code, {"2024-12": people})
        folder.staff(code, "2025-02", "1,1,2,1,")
        folder.staff(code, "2025-03", "1,1,1,0,0")
        folder.staff(code, "2025-04", "1,1,2,2,2")
        folder.staff(code, "2025-05", "1,1,,5,5")
        folder.staff(code, "2025-07", "1,1,1,0,")
    # 3.0 万人 are 29,500 to 30,499 people: 2 or 3 are required, 3 or 5 advised at most.
    code = folder.unit(f"{QHD}104")
    folder.people(code, dict.fromkeys(["2024-12", *months(1, 12)], "3.0"), "人口（万人）")
    for number, persons in enumerate((1, 2, 4, 6), 2):
        folder.staff(code, f"2025-0{number}", f"1,1,{persons},0,0")
    code = folder.unit(f"{DH}101")
    folder.staff(code, "2025-02", "0,4,1,,")
    folder.staff(code, "2025-03", "1,2,0,,")
    folder.staff(f"{JX}101", "2025-02", "1,1,2,9,9")


def own_rules(place: Path) -> None:
    """What a bureau would keep in standards/: whole files, in the columns of the seeds."""
    place.mkdir(parents=True)
    documents = [
        ("H1", "410000"), ("H2", "360322"), ("H3", "410105"), ("H4", "410105"), ("A6", "360000"), ("R1", "360302"),
        ("N1", "440103"), ("W1", "410107"), ("E1", "410108"), ("B1", "410100"), ("B2", "410109"),
    ]  # fmt: skip
    _write(
        place / "policy_documents.csv",
        "document_id,document_title,document_no,issuer_name,issuer_code,issuer_level,force,issued_on,"
        "issued_on_note,recorded_on,basis_documents,note",
        [f"{name},手写文件{name},,某机关,{issuer},county,binding,2020-01-01,,2020-01-01,," for name, issuer in documents],
    )  # fmt: skip
    money = "township,经费,年度安排数,{formula},>=,元,month,registered,prior_year_end,{edge},must,high,Y,"
    staff = "township,人员,在编在岗专职,staff_floor,>=,人,month,,,,must,high,Y,"
    per_head, flat = "per_capita_by_tier", "flat_by_tier"
    old = "2020-01-01"
    kinds = [
        ("F-1", "H1", FAVOUR, money.format(formula=per_head, edge="favour_township"), old, "", old, ""),
        ("F-2", "H1", HALF, money.format(formula=per_head, edge="half_open"), old, "", old, ""),
        ("F-3", "H1", ROUND, money.format(formula=flat, edge="legal_default"), old, "", old, ""),
        ("F-4", "H2", TWO, money.format(formula=flat, edge="legal_default"), old, "", old, ""),
        ("F-5", "H3", LATER, money.format(formula=flat, edge="legal_default"), old, "", old, ""),
        ("F-6", "H4", LATER, money.format(formula=flat, edge="legal_default"), "2025-03-15", "", old, ""),
        ("F-7", "H1", PARTS, money.format(formula="per_capita_marginal", edge="legal_default"), old, "", old, ""),
        ("R-1", "R1", RISE, money.format(formula=per_head, edge="legal_default"), "2025-07-01", "", "2025-05-20", ""),
        ("N-1", "N1", NONE, money.format(formula=flat, edge="legal_default"), "2025-05-01", "", old, ""),
        ("W-1", "W1", WHOLE, money.format(formula=flat, edge="legal_default"), old, "", old, "annual"),
        ("B-1", "B1", BESIDE, money.format(formula=flat, edge="legal_default"), old, "", old, ""),
        ("W-2", "B2", BESIDE, money.format(formula=flat, edge="legal_default"), old, "", old, "annual"),
        ("E-1", "E1", ENDS, money.format(formula=flat, edge="legal_default"), old, "2025-06-30", old, ""),
        ("A-06", "A6", JX, staff, old, "", old, ""),
    ]  # fmt: skip
    _write(
        place / "standards.csv",
        "standard_id,document_id,clause,quotation,title_zh,matter,scope_code,subject_level,topic_zh,metric_zh,"
        "formula,comparator,unit,period,population_basis,population_date_rule,edge_rule,strength,severity,gradeable,"
        "not_judged_reason,effective_from,effective_to,deadline,issued_on,recorded_on,last_confirmed_on,"
        "confirm_within_months,ambiguity_zh,example_zh,accrual",
        [
            f"{name},{document},一,条文,标准{name},{'staff' if name == 'A-06' else 'working_funds'},{scope},{rest},"
            f"{begins},{ends},,{issued},2020-01-01,2025-06-01,24,,,{accrual}"
            for name, document, scope, rest, begins, ends, issued, accrual in kinds
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
        "R-1,1,不分档,0,true,,,0.50,,元/人·月,条文",
        "N-1,1,不分档,0,true,,,6000,,元/年,条文",
        "W-1,1,不分档,0,true,,,12000,,元/年,条文",
        "E-1,1,不分档,0,true,,,12000,,元/年,条文",
        "B-1,1,不分档,0,true,,,112570.56,,元/年,条文",
        "W-2,1,不分档,0,true,,,80000,,元/年,条文",
        "A-06,1,不分档,,,,,3,,人,条文",
    ]
    columns = "standard_id,tier_no,tier_label,lower_bound,lower_included,upper_bound,upper_included,value,value_max,"
    _write(place / "standard_tiers.csv", columns + "unit,quotation", tiers)
    names = [kind[0] for kind in kinds if kind[0] != "A-06"]
    measures = [f"{name},value,1,allocated_annual_cny,true,,年度安排数" for name in names]
    measures.append("A-06,value,1,dedicated_staff_persons,true,,在编在岗专职")
    _write(
        place / "standard_measures.csv",
        "standard_id,role,part_no,measure_code,required,threshold,label_zh",
        measures,
    )


def _write(path: Path, header: str, rows: Iterable[str]) -> None:
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
