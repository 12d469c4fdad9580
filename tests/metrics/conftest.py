"""A small world with a township that is silent, one abolished, one that no standard covers, one that stopped reporting."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from oversight.editions import find_edition
from oversight.settings import DataFolder
from tests.conftest import run_oversight

TONGXIN, LULONG = "640324", "130324"
MONTHS = [f"2025-{number:02}" for number in range(1, 7)]
DIVISIONS = [
    ("640000", "宁夏回族自治区", "自治区", "", ""),
    ("640300", "吴忠市", "市", "640000", ""),
    (TONGXIN, "同心县", "县", "640300", ""),
    ("130000", "河北省", "省", "", ""),
    ("130300", "秦皇岛市", "市", "130000", ""),
    (LULONG, "卢龙县", "县", "130300", ""),
    ("640324100", "足额镇", "镇", TONGXIN, ""),
    ("640324101", "无预算镇", "镇", TONGXIN, ""),
    ("640324102", "无人口镇", "镇", TONGXIN, ""),
    ("640324103", "撤销乡", "乡", TONGXIN, "2025-04-01"),
    ("640324104", "停报镇", "镇", TONGXIN, ""),
    ("640324105", "欠拨镇", "镇", TONGXIN, ""),
    ("130324100", "无标准镇", "镇", LULONG, ""),
]
# Population, the year's budget, what is paid a month, until which month that is reported.
TOWNS: dict[str, tuple[int | None, int | None, int, int]] = {
    "640324100": (15_000, 40_000, 3_400, 6),
    "640324101": (60_000, None, 0, 0),
    "640324102": (None, 8_000, 600, 6),
    "640324103": (31_000, 50_000, 2_000, 3),
    "640324104": (12_000, 36_000, 3_000, 2),
    "640324105": (45_000, 70_000, 1_000, 6),
    "130324100": (20_000, 30_000, 2_500, 6),
}
NAMES = {code: name for code, name, *_ in DIVISIONS}


def _write(path: Path, head: list[str], rows: list[tuple[Any, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def write_world(raw: Path) -> None:
    """The reports of the world, as townships send them."""
    _write(
        raw / "行政区划.csv",
        ["区划代码", "名称", "类型", "上级代码", "停用日期"],
        DIVISIONS,
    )
    people, money = [], []
    for code, (population, budget, monthly, until) in TOWNS.items():
        if population is not None:
            people += [
                (month, code, NAMES[code], population) for month in ["2024-12", *MONTHS][: until + 1 or 1]
            ]
        for number, month in enumerate(MONTHS[:until], 1):
            if budget is not None:
                money.append(
                    (month, code, NAMES[code], f"{budget}.00", f"{monthly * number}.00", f"{900 * number}.00")
                )
    _write(raw / "户籍人口.csv", ["统计月份", "区划代码", "乡镇名称", "户籍人口(人)"], people)
    _write(
        raw / "民政工作经费.csv",
        ["统计月份", "区划代码", "乡镇名称", "年初预算(元)", "累计拨付(元)", "累计支出(元)"],
        money,
    )


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """The world, run once; what the run said lies in run.txt."""
    folder = DataFolder.at(tmp_path_factory.mktemp("metrics"))
    write_world(folder.raw)
    done = run_oversight("run", "--data", str(folder.root))
    assert done.returncode == 0, done.stdout + done.stderr
    (folder.root / "run.txt").write_text(done.stdout, "utf-8")
    return folder


@pytest.fixture(scope="session")
def sql(world: DataFolder) -> Iterator[duckdb.DuckDBPyConnection]:
    """The world's edition, as any client opens it."""
    connection = duckdb.connect(str(find_edition(world).warehouse), read_only=True)
    yield connection
    connection.close()
