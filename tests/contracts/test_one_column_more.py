"""A column added to a contract needs no other place: it is landed, reported, described, asked for and offered."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
import openpyxl
import pytest

from tests.house_copy import HouseCopy

COUNTY = "360313"
UNITS = {"360313101": "湘东镇", "360313102": "荷尧镇"}
# dataset → the column before which it is put, its name, its title, its declaration.
ADDED = {
    "population": (
        "    households_count = count(",
        "students_persons",
        "在校学生",
        'count("在校学生", "人", "说明甲。", plausible_max=9_000)',
    ),
    "budget": (
        "    initial_budget_cny = money(",
        "donated_month_cny",
        "社会捐赠",
        'money("社会捐赠", "说明乙。", plausible_max=90_000, scale="flow")',
    ),
    "staffing": (
        "    administrative_posts = count(",
        "volunteers_persons",
        "登记志愿者",
        'count("登记志愿者", "人", "说明丙。", plausible_max=9_000)',
    ),
    "indicators": (
        "    indicator_name = text(",
        "checked_by",
        "核实人",
        'text("核实人", "说明丁。")',
    ),
}
REQUIRED = {
    "population": {"户籍人口(人)": "12000"},
    "budget": {"年初预算(元)": "40320.00", "本月拨付(元)": "3360.00"},
    "staffing": {"行政编制数(名)": "2", "事业编制数(名)": "1", "在编在岗专职人数(人)": "2"},
    "indicators": {"指标代码": "coordination_group", "指标值": "是"},
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> HouseCopy:
    house = HouseCopy(tmp_path_factory.mktemp("house") / "copy")
    raw = house.data / "raw"
    raw.mkdir(parents=True)
    lines = [
        "区划代码,名称,类型,上级代码",
        "360000,江西省,省,",
        "360300,萍乡市,市,360000",
        "360313,湘东区,区,360300",
    ]
    lines += [f"{code},{name},镇,360313" for code, name in UNITS.items()]
    (raw / "行政区划.csv").write_text("\n".join(lines) + "\n", "utf-8")
    for dataset, (before, column, title, declared) in ADDED.items():
        house.insert("oversight/contracts/datasets.py", f"    {column} = {declared}\n", before=before)
        unit = {"budget": "(元)", "indicators": ""}.get(dataset, "(人)")
        name = "名称" if dataset == "indicators" else "乡镇名称"
        header = ["统计月份", "区划代码", name, *REQUIRED[dataset], f"{title}{unit}"]
        value = "张三" if dataset == "indicators" else "37"
        rows = [
            ["2025-06", code, called, *REQUIRED[dataset].values(), value] for code, called in UNITS.items()
        ]
        text = "\n".join(",".join(row) for row in (header, *rows)) + "\n"
        (raw / f"{dataset}.csv").write_text(text, "utf-8")
    house.oversight("run", "--data", str(house.data))
    return house


def asked(house: HouseCopy, query: str) -> list[tuple[object, ...]]:
    path = house.oversight("path", "--data", str(house.data)).strip()
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("dataset", ADDED)
def test_it_is_landed_and_reported(house: HouseCopy, dataset: str) -> None:
    column = ADDED[dataset][1]
    wanted = "张三" if dataset == "indicators" else "37"
    rows = asked(house, f"select cast({column} as varchar) from reported.{dataset} where is_current")
    assert [str(row[0]).removesuffix(".00") for row in rows] == [wanted] * len(UNITS)


@pytest.mark.parametrize("dataset", ADDED)
def test_it_is_described_in_the_file_on_the_terminal_and_under_its_chinese_name(
    house: HouseCopy, dataset: str
) -> None:
    _, column, title, _ = ADDED[dataset]
    comment = asked(
        house,
        "select comment from duckdb_columns() where schema_name = 'reported' "
        f"and table_name = '{dataset}' and column_name = '{column}'",
    )
    assert str(comment[0][0]).startswith(title)
    assert title in house.oversight("describe", f"reported.{dataset}", "--data", str(house.data))
    names = asked(house, "select column_name from duckdb_columns() where schema_name = '中文'")
    assert any(str(name[0]).startswith(title) for name in names)


@pytest.mark.parametrize("dataset", ["population", "budget", "staffing"])
def test_the_template_asks_for_it(house: HouseCopy, dataset: str, tmp_path: Path) -> None:
    target = tmp_path / "模板.xlsx"
    house.oversight(
        "template",
        dataset,
        "--county",
        COUNTY,
        "--month",
        "2025-07",
        "--data",
        str(house.data),
        "-o",
        str(target),
    )
    book = openpyxl.load_workbook(target)
    cells = {str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value}
    assert any(text.startswith(ADDED[dataset][2]) for text in cells)


@pytest.mark.parametrize("dataset", ["population", "budget", "staffing"])
def test_a_rule_may_count_it(house: HouseCopy, dataset: str) -> None:
    kept = house.run(
        sys.executable,
        "-c",
        "import json; from oversight.standards.shapes.columns import COLUMNS; print(json.dumps(sorted(COLUMNS)))",
    )
    assert ADDED[dataset][1] in json.loads(kept)


def test_pages_offer_it_for_download_and_for_queries(house: HouseCopy) -> None:
    edition = Path(house.oversight("path", "--data", str(house.data)).strip()).parent.name
    script = f"""
import json
from oversight.dashboard.app import create_app
from oversight.settings import DataFolder
client = create_app(DataFolder.at({str(house.data)!r})).server.test_client()
seen = []
for dataset in ("population", "budget", "staffing"):
    form = {{
        "path": "/township", "search": "?unit=360313101&month=2025-06",
        "table": dataset, "format": "csv", "edition": {edition!r},
    }}
    seen.append(client.post("/download", data=form).get_data(as_text=True))
seen.append(client.get("/sql/dictionary?edition={edition}").get_data(as_text=True))
print(json.dumps(seen))
"""
    population, budget, staffing, words = json.loads(
        house.run(sys.executable, "-c", script).strip().splitlines()[-1]
    )
    for dataset, text in (("population", population), ("budget", budget), ("staffing", staffing)):
        assert ADDED[dataset][2] in text.splitlines()[0] or ADDED[dataset][2] in text, text[:400]
    for dataset in ADDED:
        assert ADDED[dataset][1] in words
