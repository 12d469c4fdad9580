"""Made-up data for trying, testing and measuring the product. Every figure in it is invented (模拟数据).

    python benchmarks/generate.py sample [DIR]
    python benchmarks/generate.py national DIR [--months 36] [--start 2023-01] [--units N] [--one-more-month]

`sample` writes the five counties that are committed under data/raw/: the units' names and codes are real, the
figures are not, and the mistakes townships really make are in it on purpose (see `planted`). The same seed gives
the same bytes. `national` writes every township of the country over some years, as plain CSV, for benchmarks.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

SEED = 20250703
PROJECT_ROOT = Path(__file__).resolve().parent.parent
MARK = "（模拟数据）"

# ---------------------------------------------------------------------------------------------------------------
# Facts: units of the sample. Names and codes as published (GB/T 2260, GB/T 10114); everything else is invented.
# ---------------------------------------------------------------------------------------------------------------

UPPER_UNITS = [
    ("130000", "河北省", "省", ""),
    ("220000", "吉林省", "省", ""),
    ("360000", "江西省", "省", ""),
    ("640000", "宁夏回族自治区", "自治区", ""),
    ("130300", "秦皇岛市", "地级市", "130000"),
    ("222400", "延边朝鲜族自治州", "自治州", "220000"),
    ("360300", "萍乡市", "地级市", "360000"),
    ("640300", "吴忠市", "地级市", "640000"),
    ("130321", "青龙满族自治县", "自治县", "130300"),
    ("130324", "卢龙县", "县", "130300"),
    ("222403", "敦化市", "县级市", "222400"),
    ("360313", "湘东区", "市辖区", "360300"),
    ("640324", "同心县", "县", "640300"),
]

VILLAGES = [
    ("360313101200", "新垅村", "村"),
    ("360313101201", "江口村", "村"),
    ("360313106200", "排上村", "村"),
    ("360313106201", "陂田村", "村"),
    ("640324100200", "园艺村", "村"),
    ("640324100201", "城北村", "村"),
    ("640324105200", "张家湾村", "村"),
    ("640324105201", "虎家湾村", "村"),
    ("130324100201", "范庄村", "村"),
    ("130324100202", "虎头石村", "村"),
    ("130321105201", "肖营子村", "村"),
    ("130321105202", "王子店村", "村"),
    ("222403001001", "红旗社区", "社区"),
    ("222403001002", "北苑社区", "社区"),
    ("222403100200", "太平川村", "村"),
    ("222403100201", "大榆树川村", "村"),
]

OLD_LONGWANGMIAO, NEW_LONGWANGMIAO = "130321201", "130321111"
QIDAOHE, XIAOYINGZI = "130321214", "130321105"
# Made up: the real change of 龙王庙 is older than the sample (冀民函〔2022〕77号), that of 七道河 is not dated
# in the published lists, and the unit that took it in is our choice.
RENAMED_ON = date(2025, 7, 1)
MERGED_ON = date(2025, 4, 1)


@dataclass(frozen=True)
class Unit:
    """A township-level unit: real name and code, invented size.

    `january` and `december` are the 户籍人口 at the end of 2024-01 and 2024-12: the two figures that decide the
    tiers of 2024 (no earlier year, so the earliest month counts) and of 2025. `budget` and `payment` name a plan.
    `staff` is 行政编制, 事业编制, 在编在岗专职, 公益性岗位, 政府购买服务, 兼职 (None: the cell is left blank).
    """

    code: str
    name: str
    kind: str
    villages: int
    january: int
    december: int
    staff: tuple[int | None, int | None, int | None, int | None, int | None, int | None]
    villages_without: int = 0
    budget: str = "surplus"
    payment: str = "even"
    begins: date | None = None
    ends: date | None = None
    becomes: str = ""

    @property
    def county(self) -> str:
        return self.code[:6]


XIANGDONG = [
    Unit("360313001", "峡山口街道", "街道", 21, 50_000, 50_001, (1, 3, 3, 2, 1, 1), 0, "exact", "even"),
    Unit("360313101", "湘东镇", "镇", 25, 72_418, 72_631, (1, 4, 4, 2, 2, 0), 0, "surplus", "quarterly"),
    Unit("360313102", "荷尧镇", "镇", 10, 50_001, 49_999, (1, 2, 2, 1, 0, 1), 1, "exact", "even"),
    Unit("360313103", "老关镇", "镇", 11, 31_790, 31_866, (1, 2, 1, 1, 1, 2), 0, "short", "behind"),
    Unit("360313104", "腊市镇", "镇", 8, 20_000, 20_001, (1, 2, 2, 1, 0, 0), 0, "rounded_down", "even"),
    Unit("360313105", "下埠镇", "镇", 13, 49_999, 50_000, (1, 2, 3, 1, 1, 0), 2, "exact", "late"),
    Unit("360313106", "排上镇", "镇", 16, 36_502, 36_441, (1, 2, 2, 1, 0, 1), 0, "adjusted", "quarterly"),
    Unit("360313107", "东桥镇", "镇", 18, 19_999, 20_000, (1, 1, 2, 0, 0, 1), 0, "exact", "behind"),
    Unit("360313108", "麻山镇", "镇", 14, 31_905, 31_932, (1, 1, 1, 1, 0, 1), 3, "surplus", "even"),
    Unit("360313200", "广寒寨乡", "乡", 7, 20_001, 19_999, (1, 1, 1, 0, 0, 2), 0, "rounded_up", "front"),
    Unit("360313201", "白竺乡", "乡", 13, 6_480, 6_441, (1, 0, 0, 1, 0, 1), 4, "short", "late"),
]

TONGXIN = [
    Unit("640324100", "豫海镇", "镇", 20, 50_000, 50_001, (2, 4, 5, 3, 4, 0), 0, "surplus", "even"),
    Unit("640324101", "河西镇", "镇", 19, 50_001, 50_000, (1, 3, 3, 2, 1, 0), 0, "exact", "quarterly"),
    Unit("640324102", "韦州镇", "镇", 11, 30_000, 29_999, (1, 2, 2, 1, 1, 1), 0, "exact", "even"),
    Unit("640324103", "下马关镇", "镇", 21, 29_999, 30_001, (1, 2, 2, 1, 0, 0), 2, "short", "even"),
    Unit("640324104", "预旺镇", "镇", 15, 11_262, 11_240, (1, 1, 2, 1, 0, 1), 0, "exact", "late"),
    Unit("640324105", "王团镇", "镇", 25, 30_001, 30_000, (1, 2, 2, 2, 0, 0), 1, "rounded_down", "behind"),
    Unit("640324106", "丁塘镇", "镇", 19, 49_998, 49_999, (1, 2, 3, 1, 1, 0), 0, "adjusted", "quarterly"),
    Unit("640324201", "田老庄乡", "乡", 7, 1_941, 1_934, (1, 1, 1, 1, 0, 1), 0, "surplus", "front"),
    Unit("640324202", "马高庄乡", "乡", 7, 5_071, 5_055, (1, 1, 1, 0, 0, 1), 0, "exact", "even"),
    # Never reports: in no file of any dataset.
    Unit("640324203", "张家塬乡", "乡", 8, 2_690, 2_672, (1, 1, 1, 0, 0, 1), 0),
    Unit("640324204", "兴隆乡", "乡", 6, 11_034, 11_010, (1, 1, 2, 0, 0, 0), 0, "short", "behind"),
]
NEVER_REPORTS = "640324203"

LULONG = [
    Unit("130324100", "卢龙镇", "镇", 75, 62_140, 62_305, (2, 3, 4, 1, 1, 0)),
    Unit("130324101", "潘庄镇", "镇", 27, 30_001, 30_000, (1, 2, 2, 1, 0, 0)),
    Unit("130324102", "燕河营镇", "镇", 35, 30_000, 30_001, (1, 2, 2, 0, 0, 1)),
    Unit("130324103", "双望镇", "镇", 45, 29_998, 29_999, (1, 2, 2, 0, 0, 0)),
    Unit("130324104", "刘田各庄镇", "镇", 76, 54_870, 54_712, (1, 3, 4, 1, 1, 1), 6),
    Unit("130324105", "石门镇", "镇", 49, 43_226, 43_180, (1, 2, 2, 1, None, 1)),
    Unit("130324106", "木井镇", "镇", 55, 38_415, 38_377, (1, 2, 1, 1, 0, 2), 3),
    Unit("130324107", "陈官屯镇", "镇", 34, 25_508, 25_466, (1, 1, 1, 0, 0, 1)),
    Unit("130324108", "蛤泊镇", "镇", 51, 36_930, 36_894, (1, 2, 3, 2, 0, 0)),
    Unit("130324109", "印庄镇", "镇", 44, 27_345, 27_310, (1, 2, 2, 1, 1, 0)),
    Unit("130324200", "下寨乡", "乡", 32, 20_212, 20_190, (1, 1, 1, 1, 0, 1)),
    Unit("130324201", "刘家营乡", "乡", 15, 11_618, 11_590, (1, 1, 1, None, None, 1), 2),
]

QINGLONG = [
    Unit("130321001", "都阳路街道", "街道", 9, 41_870, 42_015, (1, 3, 4, 1, 1, 0)),
    Unit("130321100", "青龙镇", "镇", 32, 47_320, 47_298, (1, 3, 3, 2, 1, 0)),
    Unit("130321101", "祖山镇", "镇", 16, 29_999, 30_000, (1, 2, 3, 1, 0, 0)),
    Unit("130321102", "木头凳镇", "镇", 22, 30_002, 30_001, (1, 2, 2, 1, 0, 0)),
    Unit("130321103", "双山子镇", "镇", 17, 22_410, 22_386, (1, 2, 2, 0, 0, 1)),
    Unit("130321104", "马圈子镇", "镇", 17, 18_904, 18_880, (1, 1, 1, 1, 0, 1)),
    Unit("130321105", "肖营子镇", "镇", 24, 30_000, 29_999, (1, 2, 2, 1, 0, 0)),
    Unit("130321106", "大巫岚镇", "镇", 29, 27_650, 27_602, (1, 2, 2, 1, 1, 0)),
    Unit("130321107", "土门子镇", "镇", 16, 20_318, 20_295, (1, 1, 1, 0, 0, 2)),
    Unit("130321108", "八道河镇", "镇", 19, 21_740, 21_712, (1, 2, 2, 0, 0, 0)),
    Unit("130321109", "隔河头镇", "镇", 20, 19_866, 19_841, (1, 1, 2, 0, 0, 0)),
    Unit("130321110", "娄杖子镇", "镇", 15, 16_402, 16_377, (1, 1, 1, 1, 1, 1)),
    Unit(
        OLD_LONGWANGMIAO,
        "龙王庙乡",
        "乡",
        14,
        14_120,
        14_096,
        (1, 1, 1, 0, 0, 1),
        ends=RENAMED_ON,
        becomes=NEW_LONGWANGMIAO,
    ),
    Unit(NEW_LONGWANGMIAO, "龙王庙镇", "镇", 14, 14_120, 14_096, (1, 1, 1, 0, 0, 1), begins=RENAMED_ON),
    Unit("130321112", "茨榆山镇", "镇", 17, 17_530, 17_498, (1, 1, 2, 1, 0, 0)),
    Unit("130321200", "凤凰山乡", "乡", 10, 11_240, 11_211, (1, 1, 1, 0, 0, 1)),
    Unit("130321202", "三星口乡", "乡", 11, 10_366, 10_342, (1, 1, 1, 1, 0, 0)),
    Unit("130321203", "干沟乡", "乡", 9, 8_702, 8_688, (1, 1, 1, 0, 0, 1)),
    Unit("130321206", "大石岭乡", "乡", 10, 9_418, 9_397, (1, 0, 0, 1, 0, 1)),
    Unit("130321208", "官场乡", "乡", 10, 9_950, 9_921, (1, 1, 2, 0, 0, 0)),
    Unit("130321210", "平方子乡", "乡", 10, 10_127, 10_101, (1, 1, 2, 1, 0, 0)),
    Unit("130321211", "安子岭乡", "乡", 14, 13_680, 13_655, (1, 1, 1, 1, 0, 0)),
    Unit("130321212", "朱杖子乡", "乡", 9, 9_033, 9_010, (1, 1, 2, 2, 2, 0)),
    Unit("130321213", "草碾乡", "乡", 15, 12_280, 12_255, (1, 1, 2, 0, 0, 0)),
    Unit(QIDAOHE, "七道河乡", "乡", 11, 8_930, 8_904, (1, 1, 2, 0, 0, 0), ends=MERGED_ON, becomes=XIAOYINGZI),
    Unit("130321217", "三拨子乡", "乡", 11, 8_215, 8_201, (1, 1, 1, 0, 0, 0)),
    Unit("130321218", "凉水河乡", "乡", 22, 15_420, 15_388, (1, 1, 2, 1, 0, 1), 2),
]

DUNHUA = [
    Unit("222403001", "渤海街道", "街道", 6, 54_310, 54_102, (1, 3, 3, 4, 0, 0)),
    Unit("222403002", "胜利街道", "街道", 5, 46_880, 46_731, (1, 2, 3, 3, 0, 0)),
    Unit("222403003", "民主街道", "街道", 4, 35_120, 35_006, (1, 2, 2, 3, 0, 0)),
    Unit("222403004", "丹江街道", "街道", 5, 51_022, 50_871, (2, 3, 4, 3, 0, 0)),
    Unit("222403100", "大石头镇", "镇", 28, 58_140, 57_920, (1, 2, 3, 3, 0, 0)),
    Unit("222403101", "黄泥河镇", "镇", 22, 48_777, 48_502, (1, 2, 2, 2, 0, 1)),
    Unit("222403102", "官地镇", "镇", 47, 36_990, 36_804, (1, 2, 3, 2, 0, 0), 5),
    Unit("222403103", "沙河沿镇", "镇", 23, 16_540, 16_466, (1, 1, 2, 1, 0, 1)),
    Unit("222403104", "秋梨沟镇", "镇", 10, 9_210, 9_155, (1, 2, 2, 1, 0, 0)),
    Unit("222403105", "额穆镇", "镇", 15, 14_036, 13_970, (0, 2, 2, 1, 0, 1)),
    Unit("222403106", "贤儒镇", "镇", 12, 12_301, 12_244, (1, 2, 2, 1, 0, 0)),
    Unit("222403107", "大蒲柴河镇", "镇", 9, 10_870, 10_799, (1, 2, 2, 1, 0, 0)),
    Unit("222403108", "雁鸣湖镇", "镇", 13, 11_434, 11_370, (0, 1, 1, 1, 0, 1)),
    Unit("222403109", "江源镇", "镇", 15, 13_022, 12_960, (1, 2, 2, 1, 0, 0)),
    Unit("222403110", "江南镇", "镇", 53, 33_870, 33_690, (1, 3, 3, 2, 0, 0), 1),
    Unit("222403200", "大桥乡", "乡", 15, 13_510, 13_442, (1, 2, 2, 1, 0, 0)),
    Unit("222403201", "黑石乡", "乡", 20, 15_208, 15_120, (1, 2, 2, 1, 0, 0)),
    Unit("222403202", "青沟子乡", "乡", 12, 7_350, 7_302, (1, 1, 1, 1, 0, 1)),
    Unit("222403203", "翰章乡", "乡", 18, 11_980, 11_914, (1, 2, 2, 1, 0, 0)),
    Unit("222403204", "红石乡", "乡", 13, 8_466, 8_401, (1, None, 1, 1, 0, 0)),
    # No township in law: it stands in the list of divisions and reports, but no township rule covers it.
    Unit("222403404", "敖东鹿场", "农场", 1, 1_320, 1_302, (0, 1, 1, 0, 0, 0)),
]

COUNTIES: dict[str, tuple[str, list[Unit]]] = {
    "360313": ("湘东区", XIANGDONG),
    "640324": ("同心县", TONGXIN),
    "130324": ("卢龙县", LULONG),
    "130321": ("青龙满族自治县", QINGLONG),
    "222403": ("敦化市", DUNHUA),
}
UNITS = {unit.code: unit for _, units in COUNTIES.values() for unit in units}

MONTHS = [date(year, month, 1) for year in (2024, 2025) for month in range(1, 13)]

# ---------------------------------------------------------------------------------------------------------------
# What is true in the made-up world. Money in 分 (int), so that nothing is ever a float before it is written.
# ---------------------------------------------------------------------------------------------------------------

Row = dict[str, Any]
Key = tuple[str, str, date]  # dataset, code, month


def _random(*what: object) -> random.Random:
    return random.Random("/".join([str(SEED), *map(str, what)]))


@cache
def population_of(code: str) -> dict[date, Row]:
    """One unit's 户籍人口 month by month; 月末 = 上月末 + 出生 − 死亡 + 迁入 − 迁出 always holds but for the merger."""
    unit = UNITS[code]
    origin = OLD_LONGWANGMIAO if code == NEW_LONGWANGMIAO else code  # one unit, one history
    chance = _random("population", origin)
    household = chance.uniform(2.6, 3.3)
    staying = chance.uniform(0.72, 0.97)
    rows: dict[date, Row] = {}
    for month in MONTHS:
        size = unit.january
        rows[month] = {
            "births": round(size * chance.uniform(0.0003, 0.0008)),
            "deaths": round(size * chance.uniform(0.0004, 0.0009)),
            "moved_in": round(size * chance.uniform(0.0005, 0.0016)),
            "moved_out": round(size * chance.uniform(0.0005, 0.0018)),
        }

    def net(month: date) -> int:
        row = rows[month]
        return int(row["births"] - row["deaths"] + row["moved_in"] - row["moved_out"])

    until_december = [m for m in MONTHS if date(2024, 1, 1) < m <= date(2024, 12, 1)]
    gap = unit.december - unit.january - sum(map(net, until_december))
    for place, month in enumerate(until_december):
        part = abs(gap) // len(until_december) + (place < abs(gap) % len(until_december))
        rows[month]["moved_in" if gap > 0 else "moved_out"] += part

    persons = unit.january
    for month in MONTHS:
        if month > MONTHS[0]:
            persons += net(month)
        if code == XIAOYINGZI and month == MERGED_ON:
            persons += population_of(QIDAOHE)[date(2025, 3, 1)]["population"]
        rows[month] |= {
            "population": persons,
            "households": round(persons / household),
            "resident": round(persons * staying),
        }
    return rows


def decisive_population(code: str, year: int) -> int:
    """The 户籍人口 by which the tier of a year is decided."""
    return population_of(code)[date(2024, 1, 1) if year == 2024 else date(2024, 12, 1)]["population"]


def guaranteed_fen(code: str, year: int) -> int | None:
    """The year's guarantee by A-10 or C-11 in 分, by the reading of 民法典 art. 1259; None where there is no rule."""
    persons = decisive_population(code, year)
    if code.startswith("360313"):
        return persons * 12 * (28 if persons <= 20_000 else 22 if persons < 50_000 else 18)
    if code.startswith("64"):
        return 4_000_000 if persons <= 30_000 else 7_000_000 if persons < 50_000 else 10_000_000
    return None


YUAN = 100
HUNDRED_YUAN = 10_000  # 万元 with two decimals is a step of 100 元


def _down(fen: int, step: int) -> int:
    return fen // step * step


def _up(fen: int, step: int) -> int:
    return -(-fen // step) * step


def budget_plan(code: str, year: int, step: int) -> tuple[int, int | None]:
    """年初预算 and, where the year was adjusted in July, 调整后预算, in 分 and in whole steps of `step` 分."""
    unit = UNITS[code]
    floor = guaranteed_fen(code, year)
    if floor is None:
        base = _random("budget", unit.county, unit.name[:2], year).uniform(1.6, 2.9) * 100
        return _up(int(decisive_population(code, year) * base), 100 * YUAN), None
    fine = 1 if step <= YUAN else step
    plans: dict[str, tuple[int, int | None]] = {
        "exact": (_up(floor, fine), None),
        "rounded_down": (_down(floor, 100 * YUAN) - (100 * YUAN if floor % (100 * YUAN) == 0 else 0), None),
        "rounded_up": (_up(floor, 100 * YUAN), None),
        "surplus": (_up(floor * 108 // 100, 1000 * YUAN), None),
        "short": (_down(floor * 78 // 100, 100 * YUAN), None),
        "adjusted": (_down(floor * 85 // 100, 100 * YUAN), _up(floor, 100 * YUAN)),
    }
    return plans[unit.budget]


def _share(payment: str, month: int) -> tuple[int, int]:
    """How much of the year's budget has been paid by the end of a month, as numerator and denominator."""
    if payment == "quarterly":
        return month // 3, 4
    if payment == "behind":
        return month * 7, 120
    if payment == "late":
        return (0, 1) if month < 7 else (month - 6, 10)
    if payment == "front":
        return (0, 1) if month < 3 else (1, 1)
    return month, 12


@cache
def budget_of(code: str, year: int, step: int) -> dict[date, Row]:
    """One unit's money of one year in 分: budget, payments, spending, cumulated and by month."""
    unit = UNITS[code]
    initial, adjusted = budget_plan(code, year, step)
    paid = spent = 0
    rows: dict[date, Row] = {}
    for month in (m for m in MONTHS if m.year == year):
        in_force = adjusted if adjusted is not None and month.month >= 7 else initial
        numerator, denominator = _share(unit.payment, month.month)
        due = in_force * numerator // denominator
        now_paid = due if numerator == denominator else max(_down(due, step), paid)
        now_spent = max(_down(now_paid * 92 // 100, step), spent)
        rows[month] = {
            "initial": initial,
            "adjusted": adjusted if month.month >= 7 else None,
            "disbursed": now_paid - paid,
            "disbursed_cumulative": now_paid,
            "spent": now_spent - spent,
            "spent_cumulative": now_spent,
            "listed": "否" if code in ("640324204", "640324103") else "是",
        }
        paid, spent = now_paid, now_spent
    return rows


def staffing_of(code: str, month: date) -> Row:
    """One unit's people of one month, with the few changes that the sample makes on purpose."""
    unit = UNITS[code]
    titles = ("admin", "inst", "dedicated", "welfare", "purchased", "part_time")
    row: Row = dict(zip(titles, unit.staff, strict=True))
    without = unit.villages_without
    if code == "360313103" and month >= date(2025, 3, 1):
        row["dedicated"] = 2  # the missing second person came in March 2025
    if code == "130321102" and month >= date(2025, 10, 1):
        row["dedicated"] = 1  # one left: the range's lower bound of 3 is no longer reached
    if code == "222403105" and month >= date(2025, 1, 1):
        row["admin"] = 1
    if code == "360313108" and month >= date(2025, 1, 1):
        without = 1
    if code == XIAOYINGZI and month >= MERGED_ON:
        return row | {"villages": 35, "assisted": 35}
    return row | {"villages": unit.villages, "assisted": unit.villages - without}


def in_force(unit: Unit, month: date) -> bool:
    last_day = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return (unit.begins is None or unit.begins <= last_day) and (unit.ends is None or unit.ends > last_day)


def reporting_units(county: str, month: date) -> list[Unit]:
    """The units of a county that send a report for a month."""
    return [u for u in COUNTIES[county][1] if in_force(u, month) and u.code != NEVER_REPORTS]


# ---------------------------------------------------------------------------------------------------------------
# What was written down wrong, late or not at all
# ---------------------------------------------------------------------------------------------------------------

HEYAO, LAOGUAN, LASHI, XIABU, PAISHANG, DONGQIAO, MASHAN = (
    "360313102",
    "360313103",
    "360313104",
    "360313105",
    "360313106",
    "360313107",
    "360313108",
)
WANGTUAN, XIAZHAI, LIUJIAYING, XIANGDONG_TOWN = "640324105", "130324200", "130324201", "360313101"

# Left out of every file of the month.
NOT_SENT = {(MASHAN, date(2025, 4, 1))}

# Written instead of the truth. Text stays text; money in 分.
WRITTEN: dict[Key, Row] = {
    # First told wrong, corrected in February 2025: 50,012 would be another tier than 49,999.
    ("population", HEYAO, date(2024, 12, 1)): {"population": 50_012},
    ("population", LIUJIAYING, date(2024, 5, 1)): {"population": -5},
    ("population", XIAZHAI, date(2024, 8, 1)): {"population": "约两万"},
    ("population", LAOGUAN, date(2024, 9, 1)): {"births": None, "deaths": None, "resident": "—"},
    ("staffing", LAOGUAN, date(2024, 9, 1)): {"dedicated": None, "welfare": "—"},
    ("budget", PAISHANG, date(2025, 2, 1)): {"spent": "—"},
    # Half a 万元 too much paid out, corrected in September 2025.
    ("budget", PAISHANG, date(2025, 3, 1)): {"disbursed": 2_540_000, "disbursed_cumulative": 2_540_000},
    # Spending told too low, sent again a fortnight later without the word 更正.
    ("budget", XIANGDONG_TOWN, date(2025, 9, 1)): {"spent": 1_000_000, "spent_cumulative": 9_000_000},
    ("budget", DONGQIAO, date(2025, 10, 1)): {
        "disbursed": "/",
        "disbursed_cumulative": None,
        "spent": None,
        "spent_cumulative": None,
    },
}

MONEY = ("initial", "adjusted", "disbursed", "disbursed_cumulative", "spent", "spent_cumulative")
# The same money in the wrong unit: 元 in a sheet of 万元 (times 10,000), and 万元 in a file of 元.
FACTOR: dict[Key, tuple[int, int]] = {
    ("budget", LASHI, date(2025, 5, 1)): (10_000, 1),
    ("budget", WANGTUAN, date(2024, 8, 1)): (1, 10_000),
}
# Still reported under the code that is no longer in force.
OLD_CODE_USED = {("staffing", NEW_LONGWANGMIAO, date(2025, m, 1)) for m in (7, 8, 9)}


def step_of(county: str, year: int) -> int:
    """The smallest amount a county's form can show: 元 in most, 百元 (万元 with two decimals) in some."""
    return HUNDRED_YUAN if (county == "360313" and year == 2025) or county == "130324" else YUAN


def record(dataset: str, unit: Unit, month: date, *, truth: bool = False) -> Row:
    """A row as it was sent; with `truth`, as it should have been."""
    code, name = unit.code, unit.name
    row: Row = {"month": month, "code": code, "name": name}
    if dataset == "population":
        row |= population_of(code)[month]
    elif dataset == "budget":
        row |= budget_of(code, month.year, step_of(unit.county, month.year))[month]
    else:
        row |= staffing_of(code, month)
    if truth:
        return row
    key = (dataset, code, month)
    row |= WRITTEN.get(key, {})
    if key in FACTOR:
        times, over = FACTOR[key]
        row |= {k: Decimal(row[k]) * times / over for k in MONEY if row[k] is not None}
    if key in OLD_CODE_USED:
        row |= {"code": OLD_LONGWANGMIAO, "name": "龙王庙乡"}
    return row


def records(dataset: str, county: str, months: Sequence[date]) -> list[Row]:
    return [
        record(dataset, unit, month)
        for month in months
        for unit in reporting_units(county, month)
        if (unit.code, month) not in NOT_SENT
    ]


# ---------------------------------------------------------------------------------------------------------------
# 能力建设指标: code = the rule's id in the catalogue
# ---------------------------------------------------------------------------------------------------------------

INDICATOR_NAMES = {
    "A-01": "协调小组已成立且组长为党委/政府主要负责人",
    "A-02": "本季度协调小组会议次数",
    "A-03": "民政机构已设立",
    "A-04": "民政机构名称",
    "A-09.1": "护理员数",
    "A-09.2": "生活不能自理特困供养对象数",
    "A-11": "区级民政工作经费纳入预算且足额",
    "A-12": "民政所办公和功能用房间数（不含服务窗口）",
    "A-13": "民政标识牌悬挂",
    "A-16": "挂牌上岗率",
    "A-18.1": "七有·档案资料室",
    "A-18.2": "七有·电话",
    "A-18.3": "七有·电脑",
    "A-18.4": "七有·打印机",
    "A-18.5": "七有·办公桌椅",
    "A-18.6": "七有·数字民政网络",
    "A-18.7": "七有·高拍仪",
    "A-21": "本年专业技能培训批次",
    "A-27": "纳入目标管理考评",
    "B-12": "农村社区用房面积",
    "B-19": "网络报灾系统开通",
    "B-26": "村（社区）民政协理员补助",
    "C-01": "授权乡镇审核办理事项数",
    "C-05": "协理员有办公场所",
    "C-07": "本年乡镇民政工作人员培训次数",
    "C-08": "本年村级民政协理员培训次数",
    "C-10": "培训进修经费纳入年度预算",
    "C-14": "纳入效能考核与年度督查",
    "D-01.2": "乡有办事机构和统计台账",
    "D-02": "本年社会救助联席会议次数",
    "D-03": "信息共享机制",
    "D-05": "受理流程上墙",
    "D-06": "统计台账与电子档案",
    "D-11.1": "本年岗前培训次数",
    "D-11.2": "本年业务培训次数",
    "D-13": "专管员每月工作补助",
    "D-19": "窗口建设运转专项资金已安排",
}


def _indicator(month: date, code: str, name: str, rule: str, value: object, remark: str | None = None) -> Row:
    return {
        "month": month,
        "code": code,
        "name": name,
        "indicator": rule,
        "indicator_name": INDICATOR_NAMES[rule],
        "value": value,
        "remark": remark,
    }


def _yes(chance: random.Random, likelihood: float) -> str:
    return "是" if chance.random() < likelihood else "否"


def indicators_xiangdong(month: date) -> list[Row]:
    """A quarter's last month in 湘东区."""
    rows: list[Row] = []
    quarter = (month.month - 1) // 3 + 1
    for unit in reporting_units("360313", month):
        chance = _random("indicators", unit.code)
        meetings: object = _random("meetings", unit.code, month).choice([1, 1, 1, 2, 0])
        if unit.code == PAISHANG and month.year == 2025:
            meetings = 4 if quarter == 1 else 0  # four in one quarter do not make up for three without
        if unit.code == MASHAN and month == date(2025, 6, 1):
            meetings = "—"
        rows.append(_indicator(month, unit.code, unit.name, "A-02", meetings))
        if quarter in (2, 4):
            rooms: object = chance.choice([2, 2, 3, 4, 1])
            if unit.code == LASHI:
                rooms = 2  # exactly the floor
            if unit.code == "360313201":
                rooms = 1 if month < date(2025, 6, 1) else 2
            rows.append(_indicator(month, unit.code, unit.name, "A-01", _yes(chance, 0.9)))
            rows.append(_indicator(month, unit.code, unit.name, "A-03", "是"))
            station = f"{unit.name}民政所" if unit.code != "360313200" else "广寒寨乡民政办公室"
            rows.append(_indicator(month, unit.code, unit.name, "A-04", station))
            rows.append(_indicator(month, unit.code, unit.name, "A-12", rooms, "不含服务窗口"))
            rows.append(_indicator(month, unit.code, unit.name, "A-13", _yes(chance, 0.85)))
            rows.append(
                _indicator(month, unit.code, unit.name, "A-16", chance.choice([100, 100, 100, 75, "66.67"]))
            )
            for item in range(1, 8):
                rows.append(_indicator(month, unit.code, unit.name, f"A-18.{item}", _yes(chance, 0.93)))
    if quarter in (2, 4):
        rows.append(_indicator(month, "360313101", "湘东区中心敬老院", "A-09.1", 3))
        rows.append(_indicator(month, "360313101", "湘东区中心敬老院", "A-09.2", 9))
        rows.append(_indicator(month, "360313106", "排上镇敬老院", "A-09.1", 3, "10人应配4人"))
        rows.append(_indicator(month, "360313106", "排上镇敬老院", "A-09.2", 10))
    if quarter == 4:
        rows.append(_indicator(month, "360313", "湘东区", "A-11", "是"))
        rows.append(_indicator(month, "360313", "湘东区", "A-21", 2 if month.year == 2024 else 1))
        rows.append(_indicator(month, "360313", "湘东区", "A-27", "是" if month.year == 2024 else "否"))
    return rows


def indicators_tongxin(month: date) -> list[Row]:
    """Half-years in 同心县; the trainings of the year are told in December."""
    rows: list[Row] = []
    for unit in reporting_units("640324", month):
        chance = _random("indicators", unit.code, month.year)
        rows.append(_indicator(month, unit.code, unit.name, "C-01", chance.choice([11, 11, 11, 9])))
        if month.month == 12:
            rows.append(_indicator(month, unit.code, unit.name, "C-07", chance.choice([2, 3, 3, 4])))
    if month.month == 12:
        for code, name, _ in VILLAGES[4:8]:
            chance = _random("indicators", code, month.year)
            rows.append(_indicator(month, code, name, "C-05", _yes(chance, 0.7)))
            rows.append(_indicator(month, code, name, "C-08", chance.choice([1, 2, 3])))
        rows.append(_indicator(month, "640324", "同心县", "C-10", "是"))
        rows.append(_indicator(month, "640324", "同心县", "C-14", "是" if month.year == 2025 else "否"))
    return rows


def indicators_qinhuangdao(county: str, month: date) -> list[Row]:
    """Half-years in 卢龙县 and 青龙满族自治县."""
    rows: list[Row] = []
    for unit in reporting_units(county, month):
        chance = _random("indicators", unit.name[:2], unit.county)
        rows.append(_indicator(month, unit.code, unit.name, "D-01.2", _yes(chance, 0.95)))
        rows.append(_indicator(month, unit.code, unit.name, "D-05", _yes(chance, 0.85)))
        rows.append(_indicator(month, unit.code, unit.name, "D-06", _yes(chance, 0.8)))
    name = COUNTIES[county][0]
    rows.append(_indicator(month, county, name, "D-03", "是"))
    # Who pays sets the allowance: the county, not the villages in which it is paid.
    rows.append(_indicator(month, county, name, "D-13", 150 if county == "130324" else 80))
    if month.month == 12:
        rows.append(_indicator(month, county, name, "D-02", 2 if county == "130324" else month.year - 2024))
        rows.append(_indicator(month, county, name, "D-11.1", 1))
        rows.append(_indicator(month, county, name, "D-11.2", 2))
        rows.append(_indicator(month, county, name, "D-19", "是" if county == "130324" else "否"))
    return rows


def indicators_dunhua(month: date) -> list[Row]:
    """Half-years in 敦化市."""
    rows: list[Row] = []
    for unit in reporting_units("222403", month):
        if unit.kind != "农场":
            chance = _random("indicators", unit.code)
            rows.append(_indicator(month, unit.code, unit.name, "B-19", _yes(chance, 0.95)))
    for place, (code, name, kind) in enumerate(VILLAGES[12:]):
        if kind == "村":
            rows.append(_indicator(month, code, name, "B-12", (200, 186.5)[place % 2], "平方米"))
    rows.append(_indicator(month, "222403", COUNTIES["222403"][0], "B-26", 100, "元/月"))
    return rows


# ---------------------------------------------------------------------------------------------------------------
# The files
# ---------------------------------------------------------------------------------------------------------------


@dataclass
class Column:
    """A column of a form: its title, the group above it, and how a record's value is written."""

    title: str
    value: Callable[[Row], Any]
    group: str | None = None
    width: float = 11
    total: bool = False
    number_format: str | None = None


@dataclass
class Sheet:
    name: str
    columns: list[Column]
    rows: list[Row]
    title: str | None = None
    notes: tuple[str, ...] = ()  # 填报单位, 单位, 填表日期
    total: str | None = None  # "first" or "last"
    footer: tuple[str, ...] = ()
    prose: tuple[str, ...] = ()  # a sheet that is no table
    first_row: int = 1  # filled in when it is laid out: the sheet row of the first record


@dataclass
class File:
    path: str  # below raw/
    sheets: list[Sheet] = field(default_factory=list)
    encoding: str | None = None  # of a CSV file
    content: bytes | None = None  # written as it is
    copy_of: str | None = None


MONTH_STYLES: dict[str, Callable[[date], Any]] = {
    "2024-01": lambda m: f"{m:%Y-%m}",
    "2024年1月": lambda m: f"{m.year}年{m.month}月",
    "202401": lambda m: f"{m:%Y%m}",
    "2024.1": lambda m: f"{m.year}.{m.month}",
    "date": lambda m: m,
}


def _plain(key: str) -> Callable[[Row], Any]:
    return lambda row: row[key]


def _money(key: str, unit: str) -> Callable[[Row], Any]:
    places = 2 if unit == "元" else 6

    def write(row: Row) -> Any:
        value = row[key]
        if value is None or isinstance(value, str):
            return value
        return (Decimal(value).scaleb(-places)).normalize() if unit == "万元" else Decimal(value).scaleb(-2)

    return write


def _code(style: str) -> Callable[[Row], Any]:
    if style == "12":
        return lambda row: row["code"].ljust(12, "0")
    if style == "number":
        return lambda row: int(row["code"])
    return lambda row: row["code"]


def columns_of(
    dataset: str,
    *,
    month: str | None = "2024-01",
    code: str = "9",
    money: str = "元",
    money_in_title: bool = True,
    brackets: str = "()",
    without: Sequence[str] = (),
    groups: bool = False,
    code_title: str = "区划代码",
    name_title: str = "乡镇名称",
) -> list[Column]:
    """The columns of a dataset as one county writes them."""
    left, right = brackets

    def unit(title: str, of: str) -> str:
        return f"{title}{left}{of}{right}"

    def amount(title: str) -> str:
        return unit(title, money) if money_in_title else title

    money_format = "#,##0.00" if money == "元" else "0.00##"
    columns: list[Column] = []
    if groups:
        columns.append(Column("序号", _plain("number"), width=6))
    if month is not None:
        date_format = 'yyyy"年"m"月"' if month == "date" else None
        style = MONTH_STYLES[month]
        columns.append(Column("统计月份", lambda row: style(row["month"]), number_format=date_format))
    columns.append(Column(code_title, _code(code), width=14, number_format="0" if code == "number" else "@"))
    columns.append(Column("名称" if dataset == "indicators" else name_title, _plain("name"), width=16))

    def add(title: str, key: str, group: str | None = None) -> None:
        if key not in without:
            columns.append(Column(title, _plain(key), group if groups else None, total=True))

    def add_money(title: str, key: str, group: str) -> None:
        if key not in without:
            columns.append(
                Column(
                    amount(title),
                    _money(key, money),
                    group if groups else None,
                    width=13,
                    total=True,
                    number_format=money_format,
                )
            )

    if dataset == "population":
        add(unit("户籍户数", "户"), "households", "户籍人口情况")
        add(unit("户籍人口", "人"), "population", "户籍人口情况")
        add(unit("出生人口", "人"), "births", "本月变动")
        add(unit("死亡人口", "人"), "deaths", "本月变动")
        add(unit("迁入人口", "人"), "moved_in", "本月变动")
        add(unit("迁出人口", "人"), "moved_out", "本月变动")
        add(unit("常住人口", "人"), "resident")
    elif dataset == "budget":
        add_money("年初预算", "initial", "预算安排")
        add_money("调整后预算", "adjusted", "预算安排")
        add_money("本月拨付", "disbursed", "拨付情况")
        add_money("累计拨付", "disbursed_cumulative", "拨付情况")
        add_money("本月支出", "spent", "支出情况")
        add_money("累计支出", "spent_cumulative", "支出情况")
        if "listed" not in without:
            columns.append(Column("是否单独列支", _plain("listed")))
    elif dataset == "staffing":
        add(unit("行政编制数", "名"), "admin", "编制")
        add(unit("事业编制数", "名"), "inst", "编制")
        add(unit("在编在岗专职人数", "人"), "dedicated", "实有人员")
        add(unit("公益性岗位人数", "人"), "welfare", "实有人员")
        add(unit("政府购买服务人数", "人"), "purchased", "实有人员")
        add(unit("兼职人数", "人"), "part_time", "实有人员")
        add(unit("村(社区)数" if brackets == "()" else "村（社区）数", "个"), "villages", "村级协理员")
        add(
            unit("已配备协理员村(社区)数" if brackets == "()" else "已配备协理员村（社区）数", "个"),
            "assisted",
            "村级协理员",
        )
    elif dataset == "indicators":
        columns.append(Column("指标代码", _plain("indicator")))
        columns.append(Column("指标名称", _plain("indicator_name"), width=40))
        columns.append(Column("指标值", _plain("value"), width=18))
        columns.append(Column("备注", _plain("remark"), width=16))
    return columns


TITLES = {
    "population": "户籍人口情况表",
    "budget": "民政工作经费情况表",
    "staffing": "民政工作人员情况表",
    "indicators": "基层民政能力建设指标情况表",
}
SHORT_TITLES = {
    "population": "户籍人口",
    "budget": "民政工作经费",
    "staffing": "民政工作人员",
    "indicators": "能力建设指标",
}
CLERKS = {"360313": ("刘建平", "黄小燕")}


def _chinese(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _filled_in(month: date) -> date:
    """The day a monthly form was filled in: early in the month after."""
    after = (month + timedelta(days=32)).replace(day=1)
    return after.replace(day=_random("filled", month).randint(3, 8))


def form(
    dataset: str,
    rows: list[Row],
    *,
    period: str,
    filled_in: date,
    money: str = "万元",
    month_column: str | None = None,
    groups: bool = True,
    total: str | None = "last",
    correction: str = "",
    remark: tuple[str, ...] = (),
) -> Sheet:
    """A sheet as 湘东区 sends it: title, unit line, one or two header rows, 合计, details, footer."""
    unit = {"population": "户、人", "budget": money, "staffing": "名、人、个", "indicators": "见指标名称"}[
        dataset
    ]
    office = "湘东区公安分局、民政局" if dataset == "population" else "湘东区民政局"
    checker, writer = CLERKS["360313"]
    return Sheet(
        name=SHORT_TITLES[dataset],
        title=f"湘东区{period}{TITLES[dataset]}{correction}{MARK}",
        notes=(f"填报单位：{office}", f"单位：{unit}", f"填表日期：{_chinese(filled_in)}"),
        columns=columns_of(
            dataset,
            month=month_column,
            money=money,
            money_in_title=False,
            brackets="（）",
            groups=groups,
            code_title="行政区划代码",
            name_title="乡镇（街道）名称",
        ),
        rows=[row | {"number": number} for number, row in enumerate(rows, 1)],
        total=None if dataset == "indicators" else total,
        footer=(
            f"审核人：{checker}",
            f"填表人：{writer}",
            *remark,
            "注：本表为模拟数据，不反映任何单位的真实情况。",
        ),
    )


def plain(dataset: str, rows: list[Row], **style: Any) -> Sheet:
    """A sheet with its header in the first row and nothing else."""
    return Sheet(SHORT_TITLES[dataset], columns_of(dataset, **style), rows)


MONTHLY = ("population", "budget", "staffing")


def files_xiangdong() -> Iterator[File]:
    folder = "湘东区"
    for month in MONTHS:
        period = f"{month.year}年{month.month}月"
        filled_in = _filled_in(month)
        if month < date(2024, 7, 1):  # one workbook a dataset, months in a column
            for dataset in MONTHLY:
                sheet = form(
                    dataset,
                    records(dataset, "360313", [month]),
                    period=period,
                    filled_in=filled_in,
                    money="元",
                    month_column="2024-01",
                    groups=False,
                    total="first",
                )
                yield File(f"{folder}/2024年上半年/湘东区{period}{SHORT_TITLES[dataset]}{MARK}.xlsx", [sheet])
        else:  # one workbook a month, two header rows, the month only in the title
            money = "元" if month.year == 2024 else "万元"
            sheets = [
                form(
                    dataset,
                    records(dataset, "360313", [month]),
                    period=period,
                    filled_in=filled_in,
                    money=money,
                )
                for dataset in MONTHLY
            ]
            yield File(f"{folder}/{month.year}年/湘东区{period}民政工作月报{MARK}.xlsx", sheets)
        if month.month % 3 == 0:
            quarter = f"{month.year}年第{'一二三四'[month.month // 3 - 1]}季度"
            sheet = form(
                "indicators",
                indicators_xiangdong(month),
                period=quarter,
                filled_in=filled_in,
                month_column="2024年1月",
                groups=False,
            )
            yield File(f"{folder}/能力建设/湘东区{quarter}能力建设指标{MARK}.xlsx", [sheet])

    heyao = [record("population", UNITS[HEYAO], date(2024, 12, 1), truth=True)]
    yield File(
        f"{folder}/更正/湘东区2024年12月户籍人口更正{MARK}.xlsx",
        [
            form(
                "population",
                heyao,
                period="2024年12月",
                filled_in=date(2025, 2, 20),
                correction="（更正）",
                total=None,
                remark=("注：荷尧镇原报数重复计入13人，现予更正。",),
            )
        ],
    )

    paishang = record("budget", UNITS[PAISHANG], date(2025, 3, 1), truth=True)
    yield File(
        f"{folder}/更正/湘东区2025年3月民政工作经费更正{MARK}.xlsx",
        [
            form(
                "budget",
                [paishang],
                period="2025年3月",
                filled_in=date(2025, 9, 15),
                correction="（更正）",
                total=None,
                remark=("注：排上镇3月拨付原多报0.50万元，现予更正。",),
            )
        ],
    )

    again = record("budget", UNITS[XIANGDONG_TOWN], date(2025, 9, 1), truth=True)
    yield File(
        f"{folder}/2025年/湘东区2025年9月民政工作经费重报{MARK}.xlsx",
        [form("budget", [again], period="2025年9月", filled_in=date(2025, 10, 20), total=None)],
    )

    yield File(
        f"{folder}/2025年/副本-湘东区2025年6月民政工作月报{MARK}.xlsx",
        copy_of=f"{folder}/2025年/湘东区2025年6月民政工作月报{MARK}.xlsx",
    )


def _quarters() -> Iterator[tuple[int, int, list[date]]]:
    for year in (2024, 2025):
        for quarter in range(1, 5):
            yield year, quarter, [date(year, 3 * quarter - 2 + k, 1) for k in range(3)]


def files_tongxin() -> Iterator[File]:
    folder = "同心县"
    for year, quarter, months in _quarters():
        for dataset in MONTHLY:
            rows = records(dataset, "640324", months)
            if dataset == "population" and (year, quarter) == (2024, 3):
                # A unit nobody knows: 红岗乡 has no such code.
                rows.append(rows[-1] | {"code": "640324299", "name": "红岗乡"})
            sheet = plain(dataset, rows, month="2024年1月")
            if dataset == "staffing" and (year, quarter) == (2024, 4):
                # A month that no calendar has.
                extra = rows[-1] | {"month": None}
                sheet.rows = [*rows, extra]
                written = sheet.columns[0].value
                sheet.columns[0] = Column(
                    "统计月份", lambda row, w=written: w(row) if row["month"] else "2024年13月"
                )
            yield File(
                f"{folder}/同心县{year}年第{quarter}季度{SHORT_TITLES[dataset]}{MARK}.csv", [sheet], "gb18030"
            )
    for year in (2024, 2025):
        for month in (6, 12):
            half = "上半年" if month == 6 else "下半年"
            sheet = plain("indicators", indicators_tongxin(date(year, month, 1)), month="2024年1月")
            yield File(f"{folder}/同心县{year}年{half}能力建设指标{MARK}.csv", [sheet], "gb18030")


def files_lulong() -> Iterator[File]:
    folder = "卢龙县"
    for year, quarter, months in _quarters():
        style: dict[str, Any] = {"month": "2024.1", "money": "万元"}
        if (year, quarter) == (2025, 3):
            style["code"] = "number"  # Excel has turned the codes into numbers
        sheets = [plain(dataset, records(dataset, "130324", months), **style) for dataset in MONTHLY]
        if quarter in (2, 4):
            sheets.append(plain("indicators", indicators_qinhuangdao("130324", months[-1]), month="2024.1"))
        yield File(f"{folder}/卢龙县{year}年{quarter}季度报表{MARK}.xlsx", sheets)


def files_qinglong() -> Iterator[File]:
    folder = "青龙满族自治县"
    for year in (2024, 2025):
        for half, months in (("上半年", range(1, 7)), ("下半年", range(7, 13))):
            span = [date(year, m, 1) for m in months]
            encoding = "utf-8-sig" if year == 2024 else "utf-8"
            for dataset in MONTHLY:
                without = ("adjusted", "disbursed_cumulative", "spent_cumulative", "listed", "resident")
                sheet = plain(dataset, records(dataset, "130321", span), month="202401", without=without)
                yield File(
                    f"{folder}/青龙满族自治县{year}年{half}{SHORT_TITLES[dataset]}{MARK}.csv",
                    [sheet],
                    encoding,
                )
            sheet = plain("indicators", indicators_qinhuangdao("130321", span[-1]), month="202401")
            yield File(f"{folder}/青龙满族自治县{year}年{half}能力建设指标{MARK}.csv", [sheet], encoding)


def files_dunhua() -> Iterator[File]:
    folder = "敦化市"
    for year in (2024, 2025):
        months = [m for m in MONTHS if m.year == year]
        sheets = [
            plain(dataset, records(dataset, "222403", months), month="date", code="12") for dataset in MONTHLY
        ]
        rows = [row for m in (6, 12) for row in indicators_dunhua(date(year, m, 1))]
        sheets.append(plain("indicators", rows, month="date", code="12"))
        yield File(f"{folder}/敦化市{year}年度报表{MARK}.xlsx", sheets)
    yield File(
        f"{folder}/敦化市民政局关于报送情况的说明{MARK}.xlsx",
        [
            Sheet(
                "Sheet1",
                [],
                [],
                prose=(
                    "敦化市民政局关于2025年报表报送情况的说明（模拟数据）",
                    "省厅各处室：",
                    "我市2025年度各乡镇（街道）报表已按要求汇总完毕，随文报送，请查收。",
                    "敦化市民政局",
                    "2026年1月8日",
                ),
            )
        ],
    )
    yield File(f"{folder}/敦化市经费拨付凭证扫描件{MARK}.xls", content=_scan())


def _scan() -> bytes:
    """A picture saved under a workbook's extension: the head of a JPEG and noise."""
    return bytes.fromhex("ffd8ffe000104a46494600010101004800480000") + _random("scan").randbytes(2000)


def files_divisions() -> Iterator[File]:
    rows: list[Row] = [{"code": c, "name": n, "kind": k, "parent": p} for c, n, k, p in UPPER_UNITS]
    for county in sorted(COUNTIES):
        rows += [
            {
                "code": u.code,
                "name": u.name,
                "kind": u.kind,
                "parent": county,
                "begins": u.begins,
                "ends": u.ends,
                "becomes": u.becomes,
            }
            for u in sorted(COUNTIES[county][1], key=lambda u: u.code)
        ]
    rows += [{"code": c, "name": n, "kind": k, "parent": c[:9]} for c, n, k in VILLAGES]
    titles = {
        "区划代码": "code",
        "名称": "name",
        "类型": "kind",
        "上级代码": "parent",
        "启用日期": "begins",
        "停用日期": "ends",
        "变更后代码": "becomes",
    }
    columns = [Column(title, lambda row, key=key: row.get(key)) for title, key in titles.items()]
    yield File(f"行政区划/行政区划{MARK}.csv", [Sheet("行政区划", columns, rows)], "utf-8")


PAID_LESS = "130324100"  # 卢龙镇: the treasury paid it 1,000 元 less than it reports
PAYMENTS_MONTH, NIL_MONTH, RELIEF_MONTH = date(2025, 12, 1), date(2025, 4, 1), date(2025, 6, 1)


def files_beside() -> Iterator[File]:
    """What comes beside the monthly reports: a list of payments, a nil report, and a report on another fund."""
    month = PAYMENTS_MONTH
    paid = []
    for row in records("budget", "130324", [month]):
        amount = row["disbursed"]
        if not amount or isinstance(amount, str):
            continue
        amount = Decimal(amount) - (100_000 if row["code"] == PAID_LESS else 0)
        paid.append(
            row | {"day": date(2025, 12, 18), "amount": amount, "voucher": f"2025-12-{len(paid) + 1:03}"}
        )
    texts = {"支付日期": "day", "收款单位代码": "code", "收款单位": "name"}
    yield File(
        f"卢龙县/国库支付/卢龙县2025年12月国库支付明细{MARK}.xlsx",
        [
            Sheet(
                "支付明细",
                [
                    *(Column(title, _plain(key)) for title, key in texts.items()),
                    Column("资金项目", lambda _: "民政工作经费", width=14),
                    Column("金额（元）", _money("amount", "元")),
                    Column("凭证号", _plain("voucher")),
                ],
                paid,
                title=f"卢龙县2025年12月国库支付明细{MARK}",
                notes=("填报单位：卢龙县财政局国库股", "单位：元", "填表日期：2026年1月4日"),
            )
        ],
    )
    yield File(
        f"湘东区/2025年/湘东区麻山镇2025年4月民政工作经费零报告{MARK}.xlsx",
        [
            Sheet(
                "零报告",
                [],
                [],
                prose=(
                    f"湘东区2025年4月民政工作经费情况表{MARK}",
                    "填报单位：麻山镇　填表日期：2025年5月6日",
                    "本月无此项内容，零报告",
                ),
            )
        ],
    )
    relief = {
        "month": RELIEF_MONTH, "code": DONGQIAO, "name": "东桥镇", "fund": "临时救助", "initial": 12_000_000,
        "carried": 1_500_000, "above": 9_000_000, "own": 3_000_000, "paid": 1_000_000, "paid_ytd": 6_000_000,
        "spent_ytd": 5_280_000,
    }  # fmt: skip
    amounts = {
        "年初预算（元）": "initial", "上年结转（元）": "carried", "其中：上级补助（元）": "above",
        "其中：本级安排（元）": "own", "本月拨付（元）": "paid", "累计拨付（元）": "paid_ytd", "累计支出（元）": "spent_ytd",
    }  # fmt: skip
    yield File(
        f"湘东区/2025年/湘东区东桥镇2025年6月临时救助资金{MARK}.xlsx",
        [
            Sheet(
                "临时救助",
                [
                    Column("统计月份", lambda row: f"{row['month']:%Y-%m}"),
                    Column("区划代码", _plain("code")),
                    Column("乡镇名称", _plain("name")),
                    Column("资金项目", _plain("fund")),
                    *(Column(title, _money(key, "元")) for title, key in amounts.items()),
                ],
                [relief],
            )
        ],
    )


@cache
def sample_files() -> tuple[File, ...]:
    """Every file of the sample, laid out but not yet written."""
    files = [
        *files_divisions(),
        *files_xiangdong(),
        *files_tongxin(),
        *files_lulong(),
        *files_qinglong(),
        *files_dunhua(),
        *files_beside(),
    ]
    for file in files:
        for sheet in file.sheets:
            header = 2 if any(c.group for c in sheet.columns) else 1
            sheet.first_row = 1 + header
            if sheet.title is not None:
                sheet.first_row += 2 + (sheet.total == "first")
    return tuple(files)


# ---------------------------------------------------------------------------------------------------------------
# Writing
# ---------------------------------------------------------------------------------------------------------------


def csv_bytes(file: File) -> bytes:
    sheet = file.sheets[0]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.title for column in sheet.columns])
    for row in sheet.rows:
        writer.writerow(["" if (v := column.value(row)) is None else v for column in sheet.columns])
    return text.getvalue().encode(file.encoding or "utf-8")


def xlsx_bytes(file: File) -> bytes:
    import xlsxwriter

    target = io.BytesIO()
    # A fixed creation date: the same seed must give the same bytes.
    book = xlsxwriter.Workbook(target, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    book.set_properties({"author": "模拟数据", "created": datetime(2026, 1, 1)})  # noqa: DTZ001
    font = {"font_name": "宋体", "font_size": 10, "valign": "vcenter"}
    formats: dict[Any, Any] = {}

    def styled(**more: Any) -> Any:
        key = tuple(sorted(more.items()))
        if key not in formats:
            formats[key] = book.add_format(font | more)
        return formats[key]

    for sheet in file.sheets:
        page = book.add_worksheet(sheet.name)
        if sheet.prose:
            page.set_column(0, 0, 90)
            for line, sentence in enumerate(sheet.prose):
                page.write_string(line, 0, sentence, styled())
            continue
        width = len(sheet.columns)
        for place, column in enumerate(sheet.columns):
            page.set_column(place, place, column.width)
        is_form = sheet.title is not None
        line = 0
        if is_form:
            page.merge_range(
                0, 0, 0, width - 1, sheet.title, styled(font_name="黑体", font_size=16, align="center")
            )
            page.set_row(0, 30)
            page.write_string(1, 0, sheet.notes[0], styled())
            page.write_string(1, width // 2, sheet.notes[1], styled())
            page.write_string(1, width - 2, sheet.notes[2], styled())
            line = 2
        head = styled(bold=True, align="center", text_wrap=True, **({"border": 1} if is_form else {}))
        if any(column.group for column in sheet.columns):
            place = 0
            while place < width:
                group = sheet.columns[place].group
                last = place
                while group and last + 1 < width and sheet.columns[last + 1].group == group:
                    last += 1
                if group is None:
                    page.merge_range(line, place, line + 1, place, sheet.columns[place].title, head)
                else:
                    page.merge_range(line, place, line, last, group, head)
                    for k in range(place, last + 1):
                        page.write_string(line + 1, k, sheet.columns[k].title, head)
                place = last + 1
            line += 2
        else:
            for place, column in enumerate(sheet.columns):
                page.write_string(line, place, column.title, head)
            line += 1

        border = {"border": 1} if is_form else {}

        def put(
            at: int, place: int, column: Column, value: Any, border: dict[str, int] = border, page: Any = page
        ) -> None:
            style = dict(border)
            if column.number_format:
                style["num_format"] = column.number_format
            if value is None or value == "":
                if border:
                    page.write_blank(at, place, None, styled(**style))
            elif isinstance(value, date):
                page.write_datetime(at, place, value, styled(**style))
            elif isinstance(value, str):
                page.write_string(at, place, value, styled(**style))
            else:
                page.write_number(at, place, float(value), styled(**style))

        def put_total(
            at: int, sheet: Sheet = sheet, page: Any = page, border: dict[str, int] = border
        ) -> None:
            named = (
                0
                if sheet.total == "first"
                else next(k for k, c in enumerate(sheet.columns) if "名称" in c.title)
            )
            first, last = sheet.first_row, sheet.first_row + len(sheet.rows) - 1
            for place, column in enumerate(sheet.columns):
                style: dict[str, Any] = {**border, "bold": True}
                if column.number_format:
                    style["num_format"] = column.number_format
                if place == named:
                    page.write_string(at, place, "合计", styled(**style))
                elif column.total:
                    numbers = [
                        v for row in sheet.rows if isinstance(v := column.value(row), int | float | Decimal)
                    ]
                    letter = chr(ord("A") + place)
                    page.write_formula(
                        at,
                        place,
                        f"=SUM({letter}{first}:{letter}{last})",
                        styled(**style),
                        float(sum(numbers)),
                    )
                else:
                    page.write_blank(at, place, None, styled(**style))

        if sheet.total == "first":
            put_total(line)
            line += 1
        assert line + 1 == sheet.first_row, file.path
        for row in sheet.rows:
            for place, column in enumerate(sheet.columns):
                put(line, place, column, column.value(row))
            line += 1
        if sheet.total == "last":
            put_total(line)
            line += 1
        if sheet.footer:
            page.write_string(line, 0, sheet.footer[0], styled())
            page.write_string(line, width - 2, sheet.footer[1], styled())
            for k, sentence in enumerate(sheet.footer[2:]):
                page.write_string(line + 1 + k, 0, sentence, styled())
    book.close()
    return target.getvalue()


def file_bytes(file: File) -> bytes:
    if file.copy_of is not None:
        return file_bytes(next(f for f in sample_files() if f.path == file.copy_of))
    if file.content is not None:
        return file.content
    return csv_bytes(file) if file.encoding else xlsx_bytes(file)


def write_sample(raw: Path) -> int:
    """Write the sample below `raw` with its README; returns the number of files."""
    for file in sample_files():
        target = raw / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file_bytes(file))
    (raw / "README.md").write_text(readme(), encoding="utf-8")
    return len(sample_files())


# ---------------------------------------------------------------------------------------------------------------
# What was put in on purpose
# ---------------------------------------------------------------------------------------------------------------


def where(dataset: str, code: str, month: date | None, containing: str = "") -> dict[str, Any]:
    """File, sheet and row number (as Excel counts) of a record."""
    for file in sample_files():
        for sheet in file.sheets:
            if sheet.name != SHORT_TITLES[dataset] or containing not in file.path:
                continue
            for place, row in enumerate(sheet.rows):
                if row["code"] == code and row["month"] == month:
                    return {
                        "file": file.path,
                        "sheet": None if file.encoding else sheet.name,
                        "row": sheet.first_row + place,
                    }
    raise LookupError(f"{dataset} {code} {month} {containing}")


def yuan(fen: int | Decimal | None) -> str | None:
    return None if fen is None else f"{Decimal(fen).scaleb(-2):.2f}"


def _funding(code: str, month: date, **columns: Any) -> dict[str, Any]:
    return {
        "table": "funding_gap_monthly",
        "key": {"township_code": code, "month": month},
        "columns": columns,
    }


def _staffing(code: str, month: date, standard: str, **columns: Any) -> dict[str, Any]:
    return {
        "table": "staffing_gap_monthly",
        "key": {"township_code": code, "month": month, "standard_id": standard},
        "columns": columns,
    }


def _edge(code: str, edge: int) -> dict[str, Any]:
    """A township at or beside a tier edge of a funding rule: both years' guarantees, as of their Decembers."""
    unit = UNITS[code]
    expect = []
    for year in (2024, 2025):
        month, persons = date(year, 12, 1), decisive_population(code, year)
        floor = guaranteed_fen(code, year)
        row = budget_of(code, year, step_of(unit.county, year))[month]
        allocated = row["adjusted"] or row["initial"]
        expect.append(
            _funding(
                code,
                month,
                population_persons=persons,
                population_month=date(2024, 1, 1) if year == 2024 else date(2024, 12, 1),
                population_is_fallback=year == 2024,
                is_on_tier_edge=persons
                in ((20_000, 50_000) if unit.county == "360313" else (30_000, 50_000)),
                guaranteed_annual_cny=yuan(floor),
                allocated_annual_cny=yuan(allocated),
                status="short" if allocated < floor else "met",
            )
        )
    told = [
        f"{e['key']['month'].year}年按{e['columns']['population_persons']:,}人，保障"
        f"{Decimal(e['columns']['guaranteed_annual_cny']):,}元"
        for e in expect
    ]
    return {
        "kind": "tier_edge",
        "township_code": code,
        "month": date(2024, 12, 1),
        "what_zh": f"户籍人口在{edge:,}人这条线上或旁边：2024年1月末{unit.january:,}人，12月末{unit.december:,}人",
        "outcome_zh": "；".join(told) + "；2024年无上年数，取当年最早一月并标明；正好在线上的标明在线上",
        **where("population", code, date(2024, 12, 1), "更正" if code == HEYAO else ""),
        "expect": expect,
    }


def _staff_edge(code: str, lower: int, upper: int, counted: int, status: str) -> dict[str, Any]:
    unit = UNITS[code]
    outcome = {"met": "达标", "short": "不达标", "over": "超配提示"}[status]
    return {
        "kind": "tier_edge",
        "township_code": code,
        "month": date(2024, 12, 1),
        "what_zh": f"30,000人这条线上或旁边（2024年12月末{unit.december:,}人），2025年6月专职人员{counted}名",
        "outcome_zh": f"D-08应配{lower}—{upper}名，{outcome}",
        **where("population", code, date(2024, 12, 1)),
        "expect": [
            _staffing(
                code,
                date(2025, 6, 1),
                "D-08",
                counted_persons=counted,
                required_min_persons=lower,
                advised_max_persons=upper,
                status=status,
            )
        ],
    }


def planted() -> list[dict[str, Any]]:
    """Everything the sample contains on purpose.

    Each entry: `id`, `kind`, `what_zh`, `outcome_zh`; where it stands (`file` below raw/, `sheet` or None in a CSV
    file, `row` as Excel counts, or None for a whole file); `township_code` and `month` (None where it has none);
    `disposition` (accepted, held, rejected, refused, duplicate; only where it is the point) and `expect`: rows of
    public tables, each `table`, `key` and the `columns` that must come out (money as text with two decimals).
    """
    items: list[dict[str, Any]] = []
    for code, edge in (
        ("360313200", 20_000),
        (DONGQIAO, 20_000),
        (LASHI, 20_000),
        (HEYAO, 50_000),
        (XIABU, 50_000),
        ("360313001", 50_000),
        ("640324102", 30_000),
        (WANGTUAN, 30_000),
        ("640324103", 30_000),
        ("640324106", 50_000),
        ("640324101", 50_000),
        ("640324100", 50_000),
    ):
        items.append(_edge(code, edge))
    items += [
        _staff_edge("130324103", 2, 3, 2, "met"),
        _staff_edge("130324101", 3, 3, 3, "met"),
        _staff_edge("130324102", 3, 5, 2, "short"),
        _staff_edge(XIAOYINGZI, 3, 5, 3, "met"),
        _staff_edge("130321101", 3, 3, 4, "over"),
        _staff_edge("130321102", 3, 5, 3, "met"),
    ]
    items.append(
        {
            "kind": "never_reports",
            "township_code": NEVER_REPORTS,
            "month": None,
            "file": None,
            "sheet": None,
            "row": None,
            "what_zh": "张家塬乡从不报送，任何文件里都没有它",
            "outcome_zh": "每月都有一行，状态为未报送；绝不当作0或达标",
            "expect": [
                _funding(
                    NEVER_REPORTS,
                    m,
                    status="not_reported",
                    population_persons=None,
                    guaranteed_annual_cny=None,
                    allocated_annual_cny=None,
                    allocation_shortfall_cny=None,
                )
                for m in (MONTHS[0], MONTHS[-1])
            ],
        }
    )
    april, money = date(2025, 4, 1), budget_of(MASHAN, 2025, HUNDRED_YUAN)
    items.append(
        {
            "kind": "missing_month",
            "township_code": MASHAN,
            "month": april,
            "sheet": None,
            "row": None,
            "file": next(f.path for f in sample_files() if "2025年4月" in f.path),
            "what_zh": "麻山镇2025年4月的月报里三张表都没有它",
            "outcome_zh": "该月人口、人员未报送；经费另有零报告（见该项），预算沿用，累计数不变",
            "expect": [
                _staffing(MASHAN, april, "A-06", counted_persons=None, status="not_reported"),
                _funding(
                    MASHAN,
                    april,
                    allocated_annual_cny=yuan(money[april]["initial"]),
                    disbursed_ytd_cny=yuan(money[date(2025, 3, 1)]["disbursed_cumulative"]),
                ),
            ],
        }
    )
    items.append(
        {
            "kind": "renamed",
            "township_code": NEW_LONGWANGMIAO,
            "month": RENAMED_ON,
            **where("population", NEW_LONGWANGMIAO, RENAMED_ON),
            "what_zh": "龙王庙乡（130321201）2025-07-01撤乡设镇为龙王庙镇（130321111）；日期为模拟，真实的更早",
            "outcome_zh": "6月以前的月份记在乡的代码下，7月起记在镇的代码下；镇的档次按乡2024年12月末的人口定",
            "expect": [
                _funding(OLD_LONGWANGMIAO, date(2025, 6, 1), population_persons=14_096, status="no_standard"),
                _funding(
                    NEW_LONGWANGMIAO,
                    RENAMED_ON,
                    population_persons=14_096,
                    population_month=date(2024, 12, 1),
                    population_is_fallback=False,
                    status="no_standard",
                ),
            ],
        }
    )
    items.append(
        {
            "kind": "old_code_used",
            "township_code": NEW_LONGWANGMIAO,
            "month": RENAMED_ON,
            **where("staffing", OLD_LONGWANGMIAO, RENAMED_ON),
            "disposition": "accepted",
            "what_zh": "2025年7至9月的人员表仍用旧代码130321201、旧名龙王庙乡",
            "outcome_zh": "记到龙王庙镇（130321111）名下，历史里保留所报的代码和名称",
            "expect": [_staffing(NEW_LONGWANGMIAO, RENAMED_ON, "D-07", counted_persons=1, status="short")],
        }
    )
    items.append(
        {
            "kind": "merged",
            "township_code": QIDAOHE,
            "month": MERGED_ON,
            "file": f"行政区划/行政区划{MARK}.csv",
            "sheet": None,
            "row": 2
            + next(k for k, r in enumerate(sample_files()[0].sheets[0].rows) if r["code"] == QIDAOHE),
            "what_zh": "七道河乡（130321214）2025-04-01并入肖营子镇（130321105）；日期与并入何处均为模拟。"
            "肖营子镇在此之前就存在，所以是合并，不是更名，虽然变更后代码只有一个来源",
            "outcome_zh": "七道河乡3月以前有自己的行，4月起没有；"
            "4月起肖营子镇的基数是两地2024年12月末人口之和38,903人，档次随之；"
            "4月人口突增可作疑点",
            "expect": [
                _funding(QIDAOHE, date(2025, 3, 1), population_persons=8_904),
                _funding(XIAOYINGZI, MERGED_ON, population_persons=38_903),
                _staffing(XIAOYINGZI, date(2025, 6, 1), "D-08", required_min_persons=3),
            ],
        }
    )
    items.append(
        {
            "kind": "correction",
            "township_code": HEYAO,
            "month": date(2024, 12, 1),
            **where("population", HEYAO, date(2024, 12, 1), "更正"),
            "disposition": "accepted",
            "what_zh": "荷尧镇2024年12月户籍人口原报50,012人，2025-02-20更正为49,999人（文件名与标题有“更正”）",
            "outcome_zh": "2025年按49,999人保障131,997.36元，而不是按50,012人的108,025.92元；两次所报都留在历史里",
            "expect": [
                _funding(
                    HEYAO, date(2025, 1, 1), population_persons=49_999, guaranteed_annual_cny="131997.36"
                )
            ],
        }
    )
    items.append(
        {
            "kind": "correction",
            "township_code": PAISHANG,
            "month": date(2025, 3, 1),
            **where("budget", PAISHANG, date(2025, 3, 1), "更正"),
            "disposition": "accepted",
            "what_zh": "排上镇2025年3月累计拨付原报2.54万元，2025-09-15更正为2.04万元",
            "outcome_zh": "2025年3月累计拨付为20,400.00元",
            "expect": [_funding(PAISHANG, date(2025, 3, 1), disbursed_ytd_cny="20400.00")],
        }
    )
    items.append(
        {
            "kind": "resent",
            "township_code": XIANGDONG_TOWN,
            "month": date(2025, 9, 1),
            **where("budget", XIANGDONG_TOWN, date(2025, 9, 1), "重报"),
            "disposition": "accepted",
            "what_zh": "湘东镇2025年9月经费2025-10-20重报，没有“更正”字样，填表日期较晚；累计支出由9.00万元改为11.73万元",
            "outcome_zh": "以填表日期较晚的为准，累计支出117,300.00元",
            "expect": [_funding(XIANGDONG_TOWN, date(2025, 9, 1), spent_ytd_cny="117300.00")],
        }
    )
    lashi, wangtuan = budget_of(LASHI, 2025, HUNDRED_YUAN), budget_of(WANGTUAN, 2024, YUAN)
    items.append(
        {
            "kind": "factor_10000",
            "township_code": LASHI,
            "month": date(2025, 5, 1),
            **where("budget", LASHI, date(2025, 5, 1)),
            "disposition": "held",
            "what_zh": "表头写单位：万元，腊市镇一行却按元填：年初预算52800",
            "outcome_zh": "该行暂不采用，待确认；5月沿用4月的预算与累计拨付",
            "expect": [
                _funding(
                    LASHI,
                    date(2025, 5, 1),
                    allocated_annual_cny=yuan(lashi[date(2025, 4, 1)]["initial"]),
                    disbursed_ytd_cny=yuan(lashi[date(2025, 4, 1)]["disbursed_cumulative"]),
                )
            ],
        }
    )
    items.append(
        {
            "kind": "factor_10000",
            "township_code": WANGTUAN,
            "month": date(2024, 8, 1),
            **where("budget", WANGTUAN, date(2024, 8, 1)),
            "disposition": "held",
            "what_zh": "列名为元，王团镇2024年8月一行却按万元填：年初预算6.99",
            "outcome_zh": "该行暂不采用，待确认；8月沿用7月的预算与累计拨付",
            "expect": [
                _funding(
                    WANGTUAN,
                    date(2024, 8, 1),
                    allocated_annual_cny=yuan(wangtuan[date(2024, 7, 1)]["initial"]),
                    disbursed_ytd_cny=yuan(wangtuan[date(2024, 7, 1)]["disbursed_cumulative"]),
                )
            ],
        }
    )
    items.append(
        {
            "kind": "duplicate_file",
            "township_code": None,
            "month": date(2025, 6, 1),
            "sheet": None,
            "row": None,
            "file": next(f.path for f in sample_files() if f.copy_of),
            "disposition": "duplicate",
            "what_zh": "2025年6月月报的副本：内容逐字节相同，只有文件名不同",
            "outcome_zh": "登记为重复文件，不采用任何行，结果不变",
            "expect": [],
        }
    )
    impossible = [
        ("population", LIUJIAYING, date(2024, 5, 1), "刘家营乡2024年5月户籍人口-5"),
        ("population", XIAZHAI, date(2024, 8, 1), "下寨乡2024年8月户籍人口写成“约两万”"),
        ("population", "640324299", date(2024, 9, 1), "区划代码640324299（红岗乡）查无此单位"),
        ("staffing", "640324204", None, "兴隆乡多出一行，统计月份为2024年13月"),
    ]
    for dataset, code, month, what in impossible:
        items.append(
            {
                "kind": "impossible_row",
                "township_code": code,
                "month": month,
                **where(dataset, code, month),
                "disposition": "rejected",
                "what_zh": what,
                "outcome_zh": "该行退回，说明原因；同一文件的其他行照常采用",
                "expect": [],
            }
        )
    for containing, what in (
        ("说明", "一份说明文字，存成了工作簿，里面没有表格"),
        ("扫描件", "一张图片，扩展名却是.xls"),
    ):
        items.append(
            {
                "kind": "no_table",
                "township_code": None,
                "month": None,
                "sheet": None,
                "row": None,
                "file": next(f.path for f in sample_files() if containing in f.path),
                "disposition": "refused",
                "what_zh": what,
                "outcome_zh": "整份退回，用一句中文说明；其他文件照常处理",
                "expect": [],
            }
        )
    september = date(2024, 9, 1)
    items.append(
        {
            "kind": "blank_cells",
            "township_code": LAOGUAN,
            "month": september,
            **where("staffing", LAOGUAN, september),
            "what_zh": "老关镇2024年9月在编在岗专职人数空白，公益性岗位“—”（人口表的出生、死亡人口也空白，常住人口“—”）",
            "outcome_zh": "A-06为未报送，不当作0；空白不是0",
            "expect": [_staffing(LAOGUAN, september, "A-06", counted_persons=None, status="not_reported")],
        }
    )
    october = date(2025, 10, 1)
    items.append(
        {
            "kind": "blank_cells",
            "township_code": DONGQIAO,
            "month": october,
            **where("budget", DONGQIAO, october),
            "what_zh": "东桥镇2025年10月本月拨付“/”，累计拨付和支出空白",
            "outcome_zh": "累计拨付沿用9月的数",
            "expect": [
                _funding(
                    DONGQIAO,
                    october,
                    disbursed_ytd_cny=yuan(
                        budget_of(DONGQIAO, 2025, HUNDRED_YUAN)[date(2025, 9, 1)]["disbursed_cumulative"]
                    ),
                )
            ],
        }
    )
    february = date(2025, 2, 1)
    items.append(
        {
            "kind": "blank_cells",
            "township_code": PAISHANG,
            "month": february,
            **where("budget", PAISHANG, february),
            "what_zh": "排上镇2025年2月本月支出“—”，本月拨付0",
            "outcome_zh": "0就是0，“—”是未报",
            "expect": [_funding(PAISHANG, february, disbursed_ytd_cny="0.00")],
        }
    )
    december = date(2025, 12, 1)
    for code, standard, month, counted, lower, status, what in (
        ("360313201", "A-06", december, 0, 2, "short", "白竺乡没有在编在岗专职人员（0名，应有2名）"),
        (MASHAN, "A-06", december, 1, 2, "short", "麻山镇在编在岗专职1名"),
        (HEYAO, "A-06", december, 2, 2, "met", "荷尧镇在编在岗专职正好2名"),
        (LAOGUAN, "A-06", date(2025, 2, 1), 1, 2, "short", "老关镇2025年2月在编在岗专职1名"),
        (LAOGUAN, "A-06", date(2025, 3, 1), 2, 2, "met", "老关镇2025年3月补足到2名，问题自此整改"),
        ("130324100", "D-08", december, 6, 3, "over", "卢龙镇专职6名，超过3—5名的上限"),
        ("130324108", "D-08", december, 5, 3, "met", "蛤泊镇专职5名，正好在上限"),
        ("130321212", "D-08", december, 6, 2, "over", "朱杖子乡（3万以下）专职6名，应配2—3名"),
        (
            "130324201",
            "D-08",
            december,
            1,
            2,
            "not_reported",
            "刘家营乡专职1名，公益性岗位和政府购买服务空白",
        ),
        ("130321102", "D-08", december, 2, 3, "short", "木头凳镇2025年10月起少一人，降到2名"),
        ("222403104", "B-07", december, 3, 3, "met", "秋梨沟镇1名行政编制、2名事业编制，正好达标"),
        ("222403103", "B-07", december, 2, 3, "short", "沙河沿镇事业编制只有1名"),
        ("222403108", "B-07", december, 1, 3, "short", "雁鸣湖镇行政编制0名、事业编制1名，共缺2名"),
        ("222403105", "B-07", date(2024, 12, 1), 2, 3, "short", "额穆镇2024年无行政编制（2025年起有）"),
        ("222403204", "B-07", december, 1, 3, "not_reported", "红石乡事业编制空白，只知行政编制1名"),
    ):
        items.append(
            {
                "kind": "staffing",
                "township_code": code,
                "month": month,
                **where("staffing", code, month),
                "what_zh": what,
                "outcome_zh": {
                    "short": f"{standard}不达标",
                    "met": f"{standard}达标",
                    "over": f"{standard}超配提示",
                    "not_reported": f"{standard}未报送",
                }[status],
                "expect": [
                    _staffing(
                        code,
                        month,
                        standard,
                        counted_persons=counted,
                        required_min_persons=lower,
                        status=status,
                    )
                ],
            }
        )
    items.append(
        {
            "kind": "villages_without_assistant",
            "township_code": "360313201",
            "month": december,
            **where("staffing", "360313201", december),
            "what_zh": "白竺乡13个村中4个没有民政协理员",
            "outcome_zh": "A-07不达标，缺4个村",
            "expect": [],
        }
    )
    items.append(
        {
            "kind": "no_township",
            "township_code": "222403404",
            "month": december,
            **where("population", "222403404", december),
            "what_zh": "敖东鹿场不是乡镇街道，也报送",
            "outcome_zh": "经费为无适用标准，人员表没有它的行",
            "expect": [_funding("222403404", december, standard_id=None, status="no_standard")],
        }
    )
    items += _beside()
    for number, item in enumerate(items, 1):
        item["id"] = f"P{number:02}"
        item.setdefault("disposition", None)
    return items


def _beside() -> list[dict[str, Any]]:
    """What stands in the files beside the monthly reports."""
    paid, nil, relief = (file.path for file in files_beside())
    lists = next(file for file in sample_files() if file.path == paid).sheets[0]
    place = next(at for at, row in enumerate(lists.rows) if row["code"] == PAID_LESS)
    return [
        {
            "kind": "treasury_differs",
            "township_code": PAID_LESS,
            "month": PAYMENTS_MONTH,
            "file": paid,
            "sheet": lists.name,
            "row": lists.first_row + place,
            "what_zh": "卢龙县2025年12月的国库支付明细：卢龙镇比乡镇自报的本月拨付少1,000元，其余各镇相同",
            "outcome_zh": "两方核对表有一行，差额1,000元，双方的文件和行都在；国库只给了一个月，全年累计仍用乡镇自报的数",
            "expect": [
                {
                    "table": "reconciliation",
                    "key": {"township_code": PAID_LESS, "month": PAYMENTS_MONTH},
                    "columns": {
                        "figure": "disbursed_month_cny",
                        "source_b": "treasury",
                        "used_source": "township",
                    },
                },
                _funding(PAID_LESS, PAYMENTS_MONTH, disbursed_source="township"),
            ],
        },
        {
            "kind": "nil_report",
            "township_code": MASHAN,
            "month": NIL_MONTH,
            "file": nil,
            "sheet": None,
            "row": None,
            "what_zh": "麻山镇2025年4月民政工作经费零报告：没有表格，只写“本月无此项内容，零报告”",
            "outcome_zh": "是报送，不是未报：当月拨付、支出为0.00并标明申报为零；人口、人员仍是未报送",
            "expect": [_funding(MASHAN, NIL_MONTH, disbursed_told="nil")],
        },
        {
            "kind": "second_fund",
            "township_code": DONGQIAO,
            "month": RELIEF_MONTH,
            "file": relief,
            "sheet": "临时救助",
            "row": 2,
            "what_zh": "东桥镇2025年6月另报临时救助资金：预算120,000元，上年结转15,000元",
            "outcome_zh": "资金台账另有一行，结余82,200.00元；民政工作经费的各项数字不变",
            "expect": [
                {
                    "table": "fund_ledger_monthly",
                    "key": {
                        "township_code": DONGQIAO,
                        "month": RELIEF_MONTH,
                        "fund_code": "temporary_relief",
                    },
                    "columns": {"initial_cny": "120000.00", "balance_cny": "82200.00", "own_cny": "30000.00"},
                }
            ],
        },
    ]


README_HEAD = """# 模拟数据（sample data, made up）

本文件夹下的全部报表都是**模拟数据**：单位的名称和代码是真实的，数字、日期和人名都是编造的，不反映任何单位的真实情况。
由 `python benchmarks/generate.py sample` 生成，同一随机种子逐字节相同；本说明也由它生成，要改请改生成器。
机器可读的清单见 `benchmarks/generate.py` 的 `planted()`。自己的报表请放到另外的文件夹（`oversight init 文件夹`），不要混进来。

Everything below is invented; only the units' names and codes are real. The list says what was put in on purpose,
where it stands and what should come out.

## 文件

| 文件夹 | 形式 |
|---|---|
| 行政区划/ | 省、市、县、乡镇、部分村（社区），CSV（UTF-8） |
| 湘东区/2024年上半年/ | 每月每表一份工作簿：标题行（合并）、填报单位/单位：元/填表日期、一行表头、合计在前、表尾 |
| 湘东区/2024年/ | 7月起每月一份工作簿三张表：两行表头（合并）、序号、合计在后；**统计月份只在标题里**；单位：元 |
| 湘东区/2025年/ | 同上，单位：万元（两位小数）；含一份重报、一份副本、一份零报告、一份另一资金项目（临时救助）的报表 |
| 湘东区/更正/ | 两份更正 |
| 湘东区/能力建设/ | 每季一份指标表 |
| 同心县/ | 每季每表一份CSV（GB18030），元；指标每半年一份 |
| 卢龙县/ | 每季一份普通工作簿（首行即表头），列名带（万元）；2025年3季度的代码是数字 |
| 青龙满族自治县/ | 每半年每表一份CSV（UTF-8，2024年带BOM）；没有累计、调整后预算、是否单独列支、常住人口各列 |
| 卢龙县/国库支付/ | 财政国库给的一个月支付明细，一行一笔，有凭证号 |
| 敦化市/ | 每年一份普通工作簿；统计月份为Excel日期，代码12位；另有两份不是表的文件 |

统计月份的写法各不相同：2024-01、2024年1月、202401、2024.1、Excel日期、只在标题里。
“指标代码”用规则编号；A-09.1为护理员数，A-09.2为生活不能自理特困供养对象数。

## 故意放进去的情况

档次按上年12月末户籍人口；2024年没有上年数，用当年最早一月（1月）并标明。

| 编号 | 单位 | 月份 | 文件（工作表，行） | 情况 | 应有的结果 |
|---|---|---|---|---|---|
"""


def readme() -> str:
    """The README of the sample: what the files are and what stands in them on purpose."""
    lines = []
    for item in planted():
        unit = UNITS.get(item["township_code"] or "")
        name = f"{unit.name} {unit.code}" if unit else item["township_code"] or ""
        place = item["file"] or "—"
        if item["sheet"]:
            place += f"（{item['sheet']}，第{item['row']}行）"
        elif item["row"]:
            place += f"（第{item['row']}行）"
        month = f"{item['month']:%Y-%m}" if item["month"] else "—"
        lines.append(
            f"| {item['id']} | {name} | {month} | {place} | {item['what_zh']} | {item['outcome_zh']} |"
        )
    return README_HEAD + "\n".join(lines) + "\n"


# ---------------------------------------------------------------------------------------------------------------
# The whole country, for benchmarks
# ---------------------------------------------------------------------------------------------------------------

REFERENCE = PROJECT_ROOT.parent / "shared" / "data" / "divisions"
OVERLAY_RULES = ("A-06", "A-10")
MISSING = 0.01  # share of the reports that never come


def national_divisions(number: int | None) -> pl.DataFrame:
    """Codes, names and types: the published list where it lies beside the project, else made-up names.

    `number` takes that many townships, spread evenly over the list.
    """
    import polars as pl

    text = {"code": pl.String, "name": pl.String}
    streets = REFERENCE / "modood_streets_2023.csv.gz"
    if streets.exists():
        towns = pl.read_csv(streets, schema_overrides=text).select("code", "name")
        upper = pl.concat(
            [
                pl.read_csv(REFERENCE / f"modood_{level}_2023.csv", schema_overrides=text).select(
                    "code", "name"
                )
                for level in ("provinces", "cities", "areas")
            ]
        ).with_columns(pl.col("code").str.pad_end(6, "0"))
    else:
        towns = pl.DataFrame(
            {
                "code": [
                    f"{11 + county // 99:02}01{1 + county % 99:02}{kind}{place:02}"
                    for county in range(2_900)
                    for kind, places in ((0, 3), (1, 7), (2, 4))
                    for place in range(1, places + 1)
                ]
            }
        ).with_columns(
            name="模拟"
            + pl.col("code").str.slice(2)
            + pl.col("code").str.slice(6, 1).replace_strict({"0": "街道", "1": "镇", "2": "乡"})
        )
        upper = pl.DataFrame({"code": [], "name": []}, schema=text)
    towns = towns.unique("code", keep="first").sort("code")
    if number is not None and number < towns.height:
        towns = towns.gather([place * towns.height // number for place in range(number)])
    # A city without districts has no county row of its own; every township must have what stands above it.
    needed = pl.concat(
        [towns.select(code=pl.col("code").str.slice(0, digits).str.pad_end(6, "0")) for digits in (2, 4, 6)]
    ).unique()
    upper = (
        needed.join(upper.unique("code", keep="first"), on="code", how="left")
        .with_columns(pl.col("name").fill_null("模拟" + pl.col("code")))
        .with_columns(
            kind=pl.when(pl.col("code").str.ends_with("0000"))
            .then(pl.lit("省"))
            .when(pl.col("code").str.ends_with("00"))
            .then(pl.lit("地级市"))
            .otherwise(pl.lit("县")),
            parent=pl.when(pl.col("code").str.ends_with("0000"))
            .then(pl.lit(""))
            .when(pl.col("code").str.ends_with("00"))
            .then(pl.col("code").str.slice(0, 2) + "0000")
            .otherwise(pl.col("code").str.slice(0, 4) + "00"),
        )
    )
    sign, name = pl.col("code").str.slice(6, 1), pl.col("name")
    towns = towns.with_columns(
        kind=pl.when(sign == "0")
        .then(pl.lit("街道"))
        .when(sign == "1")
        .then(pl.lit("镇"))
        .when(sign.is_in(["2", "3"]) & name.str.ends_with("苏木"))
        .then(pl.lit("苏木"))
        .when(sign.is_in(["2", "3"]) & name.str.ends_with("族乡"))
        .then(pl.lit("民族乡"))
        .when(sign.is_in(["2", "3"]))
        .then(pl.lit("乡"))
        .when(name.str.ends_with("场"))
        .then(pl.lit("农场"))
        .otherwise(pl.lit("开发区")),
        parent=pl.col("code").str.slice(0, 6),
    )
    return pl.concat([upper, towns]).sort("code")


def _month_after(start: date, number: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + number, 12)
    return date(year, month + 1, 1)


@dataclass
class Country:
    """The made-up figures of every township and month; arrays are months × townships, money in 分."""

    towns: pl.DataFrame
    months: list[date]
    figures: dict[str, np.ndarray]
    sent: dict[str, np.ndarray]

    @classmethod
    def simulate(cls, towns: pl.DataFrame, start: date, number: int) -> Country:
        """Draw month by month with one seed a month, so that a longer run only adds months."""
        import numpy as np

        months = [_month_after(start, k) for k in range(number)]
        size = towns.height
        once = np.random.default_rng([SEED, size])
        first = np.clip(np.exp(once.normal(9.8, 0.95, size)), 500, 200_000).astype(np.int64)
        staying, household = once.uniform(0.6, 1.1, size), once.uniform(2.4, 3.4, size)
        generosity = once.choice([0.78, 0.95, 1.0, 1.0, 1.0, 1.04, 1.2], size)
        pace = once.choice([1.0, 1.0, 1.0, 0.9, 0.6], size)
        dedicated = once.choice(7, size, p=[0.03, 0.15, 0.42, 0.2, 0.1, 0.06, 0.04])
        villages = once.integers(3, 40, size)
        assisted = np.where(
            once.random(size) < 0.85, villages, np.maximum(villages - once.integers(1, 4, size), 0)
        )
        names = (
            "births",
            "deaths",
            "moved_in",
            "moved_out",
            "population",
            "households",
            "resident",
            "initial",
            "disbursed",
            "disbursed_cumulative",
            "spent",
            "spent_cumulative",
            "admin",
            "inst",
            "dedicated",
            "welfare",
            "purchased",
            "part_time",
            "villages",
            "assisted",
        )
        figures = {name: np.zeros((number, size), dtype=np.int64) for name in names}
        sent = {dataset: np.ones((number, size), dtype=bool) for dataset in MONTHLY}
        persons, budget = first, np.zeros(size, dtype=np.int64)
        paid, spent = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        for place, month in enumerate(months):
            chance = np.random.default_rng([SEED, size, month.year, month.month])
            now = {name: row[place] for name, row in figures.items()}
            decisive = persons
            for name, rate in (
                ("births", 0.0005),
                ("deaths", 0.0006),
                ("moved_in", 0.001),
                ("moved_out", 0.001),
            ):
                now[name][:] = chance.poisson(persons * rate)
            if place:
                persons = persons + now["births"] - now["deaths"] + now["moved_in"] - now["moved_out"]
            now["population"][:] = persons
            now["households"][:] = persons / household
            now["resident"][:] = persons * staying
            if place == 0 or month.month == 1:
                rate = np.select([decisive <= 20_000, decisive < 50_000], [28, 22], 18)
                floor = decisive * rate * 12
                budget = np.where(
                    generosity == 1.0, floor, (floor * generosity).astype(np.int64) // 10_000 * 10_000
                )
                paid, spent = np.zeros_like(paid), np.zeros_like(spent)
            share = month.month * pace / 12
            due = np.where(share == 1.0, budget, (budget * share).astype(np.int64) // 100 * 100)
            used = due * 92 // 100
            now["initial"][:] = budget
            now["disbursed"][:], now["disbursed_cumulative"][:] = due - paid, due
            now["spent"][:], now["spent_cumulative"][:] = used - spent, used
            paid, spent = due, used
            now["dedicated"][:] = np.where(chance.random(size) < 0.01, chance.integers(0, 7, size), dedicated)
            now["admin"][:], now["inst"][:] = 1, np.maximum(dedicated - 1, 0)
            now["welfare"][:], now["purchased"][:] = dedicated % 3, dedicated % 2
            now["part_time"][:] = 1
            now["villages"][:], now["assisted"][:] = villages, assisted
            for dataset in MONTHLY:
                sent[dataset][place] = chance.random(size) >= MISSING
        return cls(towns, months, figures, sent)

    def frame(self, dataset: str, places: Sequence[int]) -> pl.DataFrame:
        """The rows of a dataset for some months, under the canonical headers."""
        import polars as pl

        titles = {
            "population": {
                "户籍户数(户)": "households",
                "户籍人口(人)": "population",
                "出生人口(人)": "births",
                "死亡人口(人)": "deaths",
                "迁入人口(人)": "moved_in",
                "迁出人口(人)": "moved_out",
                "常住人口(人)": "resident",
            },
            "budget": {
                "年初预算(元)": "initial",
                "本月拨付(元)": "disbursed",
                "累计拨付(元)": "disbursed_cumulative",
                "本月支出(元)": "spent",
                "累计支出(元)": "spent_cumulative",
            },
            "staffing": {
                "行政编制数(名)": "admin",
                "事业编制数(名)": "inst",
                "在编在岗专职人数(人)": "dedicated",
                "公益性岗位人数(人)": "welfare",
                "政府购买服务人数(人)": "purchased",
                "兼职人数(人)": "part_time",
                "村(社区)数(个)": "villages",
                "已配备协理员村(社区)数(个)": "assisted",
            },
        }[dataset]
        parts = [
            self.towns.select(
                pl.lit(f"{self.months[place]:%Y-%m}").alias("统计月份"),
                pl.col("code").alias("区划代码"),
                pl.col("name").alias("乡镇名称"),
            )
            .with_columns(pl.Series(title, self.figures[key][place]) for title, key in titles.items())
            .filter(pl.Series(self.sent[dataset][place]))
            for place in places
        ]
        frame = pl.concat(parts)
        if dataset == "budget":
            frame = frame.with_columns(pl.col(title) / 100 for title in titles)
            return frame.with_columns(pl.lit("是").alias("是否单独列支"))
        return frame


def write_national(
    directory: Path, *, months: int, start: date, units: int | None, one_more_month: bool
) -> list[Path]:
    """Write the country below `directory`; with `one_more_month` only the files of the month after."""
    import polars as pl

    divisions = national_divisions(units)
    towns = divisions.filter(pl.col("code").str.len_chars() == 9)
    raw = directory / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    country = Country.simulate(towns, start, months + one_more_month)
    written: list[Path] = []

    def save(frame: pl.DataFrame, path: Path) -> None:
        frame.write_csv(path, float_precision=2)
        written.append(path)

    if one_more_month:
        for dataset in MONTHLY:
            name = f"{SHORT_TITLES[dataset]}{country.months[-1]:%Y-%m}{MARK}.csv"
            save(country.frame(dataset, [months]), raw / name)
        return written
    save(
        divisions.select(
            区划代码="code",
            名称="name",
            类型="kind",
            上级代码="parent",
            启用日期=pl.lit(None, pl.String),
            停用日期=pl.lit(None, pl.String),
            变更后代码=pl.lit(None, pl.String),
        ),
        raw / f"行政区划{MARK}.csv",
    )
    for year in sorted({m.year for m in country.months}):
        places = [k for k, m in enumerate(country.months) if m.year == year]
        for dataset in MONTHLY:
            save(country.frame(dataset, places), raw / f"{SHORT_TITLES[dataset]}{year}年{MARK}.csv")
    overlay = directory / "standards"
    overlay.mkdir(exist_ok=True)
    for table in ("standards", "standard_tiers", "standard_measures"):
        seed = pl.read_csv(PROJECT_ROOT / "dbt" / "seeds" / f"{table}.csv", infer_schema=False)
        rows = seed.filter(pl.col("standard_id").is_in(OVERLAY_RULES))
        if table == "standards":
            rows = rows.with_columns(scope_code=pl.lit("000000"))
        save(rows, overlay / f"{table}.csv")
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="generate.py", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    sample = commands.add_parser("sample", help="the five counties of data/raw")
    sample.add_argument("directory", nargs="?", type=Path, default=PROJECT_ROOT / "data" / "raw")
    national = commands.add_parser("national", help="every township of the country, for benchmarks")
    national.add_argument("directory", type=Path)
    national.add_argument("--months", type=int, default=36)
    national.add_argument(
        "--start", type=lambda text: date.fromisoformat(f"{text}-01"), default=date(2023, 1, 1)
    )
    national.add_argument("--units", type=int, help="that many townships, spread evenly (default: all)")
    national.add_argument(
        "--one-more-month", action="store_true", help="only the three files of the month after"
    )
    chosen = parser.parse_args(arguments)
    if chosen.command == "sample":
        number = write_sample(chosen.directory)
    else:
        number = len(
            write_national(
                chosen.directory,
                months=chosen.months,
                start=chosen.start,
                units=chosen.units,
                one_more_month=chosen.one_more_month,
            )
        )
    sys.stdout.write(f"{chosen.directory}: {number} files\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
