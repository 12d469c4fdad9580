"""Province by province and joined, every published table has the rows that one process gives it."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
import subprocess
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from oversight.editions import provinces
from oversight.editions.build import (
    PROVINCES,
    BuildError,
    build,
    build_file,
    manifest_path,
    parts_folder,
    scratch_file,
)
from oversight.editions.edition import find_edition
from oversight.editions.provinces import TAG, Share, plan, shares_of
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.conftest import run_oversight
from tests.dbt.test_going_on import (
    TOWNSHIPS,
    a_figure_held,
    a_month_more,
    made_up,
    the_last_month_withdrawn,
)
from tests.dbt.world import World, month, months, rows_of
from tests.spark.comparing import differences

# Of files from which one counts, the number moves when another comes; of years that stay it is the old one.
RANK = ("precedence",)
SILENT, LEFT, ENTERED = "440103", "320102", "340103"
NOTES = """问题编号,类别,记录日期,内容,约定日期,豁免至,批准人,记录人
A-06/{}/2023-01,通知,2023-02-02,请补报,,,,张三
A-06/340103200/2020-01,答复,2025-02-01,早已没有的问题,,,,张三
"""


@dataclasses.dataclass
class Both:
    """One world in two folders: built by one process, and by province."""

    world: World
    chance: random.Random
    one: DataFolder
    other: DataFolder

    def write(self) -> None:
        for folder in (self.one, self.other):
            folder.root.joinpath("findings").mkdir(parents=True, exist_ok=True)
            (folder.root / "findings" / "2023.csv").write_text(NOTES.format(TOWNSHIPS[0]), "utf-8")
            self.world.write(folder.inputs, folder)

    def build(self) -> list[str]:
        """What the build by province said."""
        self.write()
        build(self.one)
        said: list[str] = []
        build(self.other, engine=PROVINCES, at_once=2, say=said.append)
        return said

    def differences(self) -> dict[str, str]:
        return differences(build_file(self.one), build_file(self.other), but=RANK)


def seven_provinces() -> tuple[World, random.Random]:
    """Made up as for builds that go on, with a province that reports nothing and one from which units go to the next."""
    chance = random.Random(11)
    world = made_up(chance)
    world.unit("360000", "省", name="江西省")
    world.unit(SILENT, "区")
    world.unit(f"{SILENT}100")
    for county in (LEFT, ENTERED):
        world.unit(county, "区")
    # One goes on under a code of the other province, one is taken over by a unit of it.
    world.unit(f"{LEFT}100", valid_to=date(2024, 7, 1), successor_code=f"{ENTERED}200")
    world.unit(f"{ENTERED}200", valid_from=date(2024, 7, 1))
    world.unit(f"{LEFT}101", valid_to=date(2025, 3, 1), successor_code=f"{ENTERED}201")
    world.unit(f"{ENTERED}201")
    lives = {
        f"{LEFT}100": ("2023-01", "2024-06"), f"{ENTERED}200": ("2024-07", "2025-10"),
        f"{LEFT}101": ("2023-01", "2025-02"), f"{ENTERED}201": ("2023-01", "2025-10"),
    }  # fmt: skip
    for number, (code, (first, last)) in enumerate(lives.items()):
        for when in months(first, last):
            world.report("population", code, when, population_persons=18_000 + 7_000 * number)
            world.report(
                "budget", code, when, initial_budget_cny=Decimal(50_000 + 9_000 * number),
                disbursed_cumulative_cny=Decimal(2_000 * int(when[5:])),
            )  # fmt: skip
            world.report("staffing", code, when, dedicated_staff_persons=number, institution_posts=2)
    # Another source says otherwise, of which a list has everything of its month.
    world.report(
        "population", TOWNSHIPS[4], "2024-06", population_persons=31_234, source="police",
        submission_id="s3", precedence=3,
    )  # fmt: skip
    for number, code in enumerate(TOWNSHIPS[:2]):
        world.report(
            "payments", code, "2025-01", source="treasury", amount_cny=Decimal(1_500 * number + 300),
            voucher_no=str(number), paid_on=date(2025, 1, 9), submission_id="s4", precedence=4,
        )  # fmt: skip
    world.covered.append(
        {"submission_id": "s4", "source": "treasury", "fund_code": "working_funds", "month": month("2025-01"),
         "division_code": TOWNSHIPS[0][:6], "precedence": 4}
    )  # fmt: skip
    # Rows of nobody: without a code, and of a code that no register knows.
    world.report("population", "360313999", "2024-02", population_persons=9_000)
    world.rows["population"].append({"month": month("2024-02"), "row_status": "rejected"})
    world.indicator("990000", "2024-02", "A-12", 2)
    return world, chance


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Built once in both ways."""
    place = tmp_path_factory.mktemp("by province")
    made = Both(*seven_provinces(), DataFolder(place / "one"), DataFolder(place / "other"))
    made.build()
    return made


def test_every_table_is_the_same_row_by_row(both: Both) -> None:
    assert differences(build_file(both.one), build_file(both.other)) == {}
    # A world in which there is something to tell of each.
    for table in (
        "main.findings",
        "main.reconciliation",
        "detail.takeovers",
        "detail.finding_notes",
        "reported.payments",
    ):
        assert rows_of(build_file(both.other), f"select count(*) as n from {table}")[0]["n"] > 0, table


def test_the_edition_of_the_sample_is_the_same(sample_folder: DataFolder, tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "by province")
    shutil.copytree(PROJECT_ROOT / "data" / "raw", folder.raw)
    words = ("run", "--engine", "provinces", "--at-once", "2", "--data", str(folder.root))
    done = run_oversight(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  按省分开计算，共 4 份，同时算 2 份" in done.stdout
    assert "江西省：已算完" in done.stdout
    assert done.stderr == ""
    first = find_edition(folder)
    assert differences(find_edition(sample_folder).warehouse, first.warehouse) == {}
    again = run_oversight(*words)
    assert "没有新内容" in again.stdout
    assert find_edition(folder).edition_id == first.edition_id


def test_a_unit_that_passed_to_another_province_is_computed_with_both(both: Both) -> None:
    shares = shares_of(both.other.inputs)
    assert [share.codes for share in shares] == [("13",), ("32", "34"), ("36",), ("44",), ("64",)]
    assert [share.name for share in shares][2:4] == ["江西省", "440000"]
    years = rows_of(
        build_file(both.other),
        "select distinct unit_id from townships where township_code in (?, ?)",
        f"{LEFT}100", f"{ENTERED}200",
    )  # fmt: skip
    assert years == [{"unit_id": f"{LEFT}100"}]


def test_the_country_is_the_sum_of_all_provinces(both: Both) -> None:
    found = rows_of(
        build_file(both.other),
        "select unit_level, count(distinct unit_code) as units, sum(units_count) as townships, "
        "sum(staff_asked_count) as asked from detail.unit_monthly where month = date '2025-02-01' group by 1",
    )
    told = {row["unit_level"]: (row["units"], row["townships"], row["asked"]) for row in found}
    assert told["province"][0] == 6
    assert told["country"] == (1, *told["province"][1:])
    assert told["country"][1] == len(TOWNSHIPS) + 4


def test_a_province_that_reports_nothing_owes_every_month(both: Both) -> None:
    silent = "select count(*) as n, count(allocated_annual_cny) as known from funding_gap_monthly where township_code = ?"
    assert rows_of(build_file(both.other), silent, f"{SILENT}100") == [
        {"n": len(months("2023-01", "2025-10")), "known": 0}
    ]


def test_what_changes_in_one_province_is_computed_there_alone(both: Both) -> None:
    before = {
        path.name: (path / ".work" / "build.duckdb").stat().st_mtime_ns
        for path in parts_folder(both.other).iterdir()
    }
    a_figure_held(both.world, both.chance)
    said = both.build()
    assert both.differences() == {}
    kept = [line for line in said if "沿用上次的结果" in line]
    assert len(kept) == 4
    after = {
        path.name: (path / ".work" / "build.duckdb").stat().st_mtime_ns
        for path in parts_folder(both.other).iterdir()
    }
    assert len([name for name in before if before[name] != after[name]]) == 1


def test_a_month_more_and_the_last_month_withdrawn(both: Both) -> None:
    # The country's months are everybody's: a province in which nothing came owes the new month too.
    a_month_more(both.world, both.chance)
    both.build()
    assert both.differences() == {}
    the_last_month_withdrawn(both.world, both.chance)
    both.build()
    assert both.differences() == {}


def test_a_planted_difference_is_found(both: Both, tmp_path: Path) -> None:
    other = DataFolder(tmp_path / "other")
    shutil.copytree(both.other.root, other.root)
    with duckdb.connect(str(build_file(DataFolder(parts_folder(other) / "44")))) as connection:
        connection.execute(
            "update funding_gap_monthly set population_persons = 1 where month = date '2025-01-01'"
        )
    said: list[str] = []
    build(other, engine=PROVINCES, say=said.append)
    assert len([line for line in said if "沿用" in line]) == 5
    assert differences(build_file(both.one), build_file(other), but=RANK) == {
        "main.funding_gap_monthly": "rows (1,) and (1,)"
    }


def test_a_province_that_fails_names_itself_and_the_others_are_kept(both: Both, tmp_path: Path) -> None:
    other = DataFolder(tmp_path / "other")
    shutil.copytree(both.other.root, other.root)
    place = parts_folder(other) / "36" / ".work"
    (place / provinces._DONE).unlink()
    shutil.rmtree(place / "dbt")
    (place / "dbt").touch()
    said: list[str] = []
    with pytest.raises(
        BuildError, match=r"^江西省没有算完：.*已发布的版本不受影响；已算完的省下次沿用.*process\.log"
    ):
        build(other, engine=PROVINCES, say=said.append)
    assert "  江西省：没有算完" in said
    (place / "dbt").unlink()
    said.clear()
    build(other, engine=PROVINCES, at_once=2, say=said.append)
    assert len([line for line in said if "沿用" in line]) == 4
    assert differences(build_file(both.one), build_file(other), but=RANK) == {}


def test_a_process_that_was_killed_is_told_of(tmp_path: Path) -> None:
    folder, share = DataFolder(tmp_path), Share(("36",), "江西省")
    process = subprocess.Popen(["sh", "-c", "kill -9 $$"], stdin=subprocess.PIPE)
    process.wait()
    with pytest.raises(BuildError, match=r"^江西省没有算完：进程意外结束（-9），可能是内存不足"):
        provinces._answer(folder, share, process)


def test_months_that_are_not_the_countrys_are_refused(both: Both, tmp_path: Path) -> None:
    one = DataFolder(tmp_path / "13")
    one.work.mkdir(parents=True)
    shutil.copyfile(scratch_file(both.other), scratch_file(one))
    with duckdb.connect(str(scratch_file(one))) as connection:
        connection.execute(
            "delete from intermediate.int_months where month = (select max(month) from intermediate.int_months)"
        )
    provinces._check_months(both.other, [both.other])
    with pytest.raises(BuildError, match="各省计算的月份与全国的月份不一致"):
        provinces._check_months(both.other, [one])


# --- who computes what ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(manifest_path().read_text("utf-8"))
    return found


def test_what_adds_up_over_provinces_is_computed_over_all(manifest: dict[str, Any]) -> None:
    planned = plan(manifest)
    adding = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and ("at_every_level" in node["raw_code"] or "'country' as unit_level" in node["raw_code"])
    }
    assert len(adding) == 8
    assert adding <= set(planned.nationwide)
    assert adding.isdisjoint(planned.of_provinces)
    assert {"judgements", "int_findings", "funding_gap_monthly"} <= set(planned.of_provinces)
    assert {"submissions", "rejected_rows", "edition", "published_standards"} <= set(planned.nationwide)


def test_every_table_is_there_and_every_test_is_made_once(manifest: dict[str, Any]) -> None:
    planned = plan(manifest)
    nodes = manifest["nodes"]
    there = set(planned.nationwide) | {node["name"] for node in planned.joined}
    assert all(node["config"]["materialized"] != "view" for node in planned.joined)
    for node in nodes.values():
        if node["resource_type"] == "model" and node["schema"] in ("main", "reported", "detail"):
            assert node["name"] in there, node["name"]
        if node["resource_type"] == "model" and node["name"] in planned.nationwide:
            assert {nodes[each]["name"] for each in node["depends_on"]["nodes"] if each in nodes} <= there
        if node["resource_type"] == "test":
            asked = {nodes[each]["name"] for each in node["depends_on"]["nodes"] if each in nodes}
            of_a_province = asked <= set(planned.of_provinces)
            of_all = not asked.isdisjoint(planned.nationwide) and asked <= there
            assert of_a_province or of_all, node["name"]


@pytest.mark.parametrize("tagged", ["detail_unit_monthly", "int_months"])
def test_a_model_that_says_nothing_of_it_is_a_provinces(manifest: dict[str, Any], tagged: str) -> None:
    node = next(node for node in manifest["nodes"].values() if node["name"] == tagged)
    assert node["tags"] == [TAG]
    bare = manifest | {"nodes": manifest["nodes"] | {node["unique_id"]: node | {"tags": []}}}
    assert tagged not in plan(bare).nationwide
