"""The bureau's own files that intake reads: their columns, and what may be written into them.

Apart from what reads them, which loads Polars: the dashboard, where they are written too, does without.
"""

from __future__ import annotations

from pathlib import Path

from oversight.contracts import DATASETS

CORRECTION_TITLES = (
    "类型",
    "数据集",
    "统计月份",
    "区划代码",
    "数据列",
    "原值",
    "新值",
    "原因",
    "提出人",
    "日期",
)
# Which row of which file a reviewer speaks of.
PLACE_TITLES = ("文件", "工作表", "行")

HEADING_TITLES = ("报送单位", "版式", "报表", "表头", "对应列", "确认日期")
NOT_USED = "不使用"

# Which reports are due every month, and when, where the bureau says nothing.
REPORTS = tuple(name for name, dataset in DATASETS.items() if "township_code" in dataset.names)
DUE_DATES = Path(__file__).parent / "judging" / "defaults" / "due_dates.csv"
