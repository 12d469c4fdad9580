"""Great Expectations in its own form: suites in files, a context that its own users open, a month judged by its figures."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import socket
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from oversight.errors import OversightError
from oversight.quality import expectations, months
from oversight.quality.rules import Rules
from oversight.quality.suites import SuiteResult
from oversight.standards import load_standards
from tests.quality.test_marts import funding, short, troubled
from tests.quality.world import HEBEI, JIANGXI, MONTHS, NINGXIA, World


def add(root: Path, suite: str, **expectation: Any) -> None:
    """What somebody writes into a suite file, by hand."""
    path = root / "expectations" / f"{suite}.json"
    content = json.loads(path.read_text("utf-8"))
    content["expectations"].append(expectation)
    path.write_text(json.dumps(content), "utf-8")


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the context, which the audit takes for the project's."""
    root = tmp_path / "project" / "gx"
    shutil.copytree(expectations.GX_ROOT, root, ignore=shutil.ignore_patterns("uncommitted"))
    for module in (expectations, months):
        monkeypatch.setattr(module, "GX_ROOT", root)
    monkeypatch.setattr(months, "stored", lambda: expectations.stored(root))
    return root


def judged(world: World, tmp_path: Path) -> dict[str, SuiteResult]:
    inputs, warehouse = world.write(tmp_path / "run")
    results = months.judge(warehouse, Rules.of_run(inputs), tmp_path / "out")
    return {result.suite: result for result in results}


def test_the_files_say_what_contracts_and_standards_say() -> None:
    """`oversight quality suites` would change nothing; every standard that can be missed is asked once."""
    files = expectations.stored()
    rules = Rules.of_project()
    assert expectations.renewed(files, rules) == files
    named = [
        rule
        for each in files["judgements"]["expectations"]
        for rule in each["meta"]["oversight"].get("rules", ())
    ]
    assert sorted(named) == sorted(each["standard_id"] for each in rules.judged())
    assert not any(
        "status" in json.dumps(each["kwargs"]) for suite in files.values() for each in suite["expectations"]
    )


def test_somebody_who_knows_great_expectations_adds_one_and_sees_it(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its own API alone, from the project's folder, without network."""
    import great_expectations as gx

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    _, warehouse = World().write(tmp_path / "world")
    month = months._months_rows(warehouse, context.parent / "data" / "marts" / "current" / "audited")
    assert month == MONTHS[-1]
    for table in expectations.TABLES:
        (file,) = (context.parent / "data" / "marts" / "current" / "audited").glob(f"{table}_*.parquet")
        # Nothing that pandas would keep as an object a row but texts and truth.
        assert {kind.base_type() for kind in pl.read_parquet_schema(file).values()} <= {
            *(pl.String, pl.Boolean, pl.Int64, pl.Float64, pl.Datetime)
        }
    monkeypatch.chdir(context.parent)
    add(
        context,
        "funding_gap_monthly",
        type="expect_column_values_to_be_between",
        kwargs={"column": "population_persons", "min_value": 30_000},
        description="每个乡镇不少于三万人",
    )

    opened = gx.get_context(mode="file", project_root_dir=context.parent)
    done = opened.checkpoints.get("funding_gap_monthly").run(batch_parameters={"year": "2025", "month": "03"})
    (validation,) = done.run_results.values()
    (failed,) = (each for each in validation.results if not each.success)
    assert failed.expectation_config.description == "每个乡镇不少于三万人"
    assert failed.result["unexpected_count"] == 4
    site = context / "uncommitted" / "data_docs" / "local_site"
    (page,) = (site / "validations" / "funding_gap_monthly").rglob("*.html")
    text = page.read_text("utf-8")
    assert "每个乡镇不少于三万人" in text
    of_suite = (site / "expectations" / "funding_gap_monthly.html").read_text("utf-8")
    assert "每个乡镇不少于三万人" in of_suite
    assert "查什么" in of_suite

    # The next run judges it too: what somebody added is a doubt and stops nothing, and the command leaves it alone.
    results = judged(troubled(), tmp_path)
    funding_gap = results["month_funding_gap_monthly"]
    (mine,) = (each for each in funding_gap.expectations if each.title_zh == "每个乡镇不少于三万人")
    assert (mine.kind, mine.unexpected_count) == ("doubt", 4)
    assert funding_gap.flags.get_column("subject_code").to_list() == sorted(
        [HEBEI, JIANGXI, NINGXIA, "222403100"]
    )
    assert (tmp_path / "out" / "data_docs" / str(funding_gap.page)).is_file()
    assert [result.blocking_failures for result in results.values()] == [(), (), ()]
    kept = expectations.renewed(expectations.stored(context), Rules.of_project())
    assert kept["funding_gap_monthly"]["expectations"][-1]["description"] == "每个乡镇不少于三万人"


def test_the_figures_flag_those_that_are_short_and_the_build_may_not_differ(tmp_path: Path) -> None:
    world = troubled()
    world.row("budget", NINGXIA).update(initial_budget_cny=Decimal("39000.00"))
    for row in world.build()["judgements"]:
        if row["month"] == MONTHS[-1] and row["subject_code"] == JIANGXI and row["rule_id"] == "A-07":
            row.update(value_checked=Decimal(9), shortfall=Decimal(1))
    funding(HEBEI, population_persons=-1)(world.build())
    funding(NINGXIA, population_persons=9_999_999)(world.build())
    own = load_standards().standards.filter(pl.col("standard_id") == "A-06")
    # The bureau has to confirm this one again: nobody falls short of it any more.
    world.overlays["standards"] = own.with_columns(
        last_confirmed_on=pl.lit(dt.date(2020, 1, 1)),
        confirm_within_months=pl.lit(12, own["confirm_within_months"].dtype),
    )
    for row in world.build()["judgements"]:
        if row["rule_id"] == "A-06" and row["status"] == "short":
            row["status"] = "unconfirmed"
    results = judged(world, tmp_path)

    (wrong,) = results["month_judgements"].blocking_failures
    assert wrong.name == "short_is_what_falls_short"
    assert [(row["standard_id"], row["subject_code"]) for row in wrong.flagged] == [("A-07", JIANGXI)]
    found = {key for each in results["month_judgements"].expectations for key in each.keys}
    assert found - {("A-07", JIANGXI, MONTHS[-1])} == short(world.build()["judgements"], MONTHS[-1])
    assert {rule for rule, *_ in found} == {"A-07", "C-11", "C-12"}
    failed = {e.name: e.kind for e in results["month_funding_gap_monthly"].expectations if not e.success}
    assert failed == {
        "population_persons_plausible": "doubt",
        "population_persons_not_negative": "blocking",
        "nothing_missing-C-11-before_2028-11-01": "short",
    }


def test_an_expectation_that_cannot_be_evaluated_is_named_with_its_file(
    context: Path, tmp_path: Path
) -> None:
    """Great Expectations answers success=False with exception_info; it must not become a flag."""
    add(
        context,
        "judgements",
        type="expect_column_values_to_not_be_null",
        kwargs={"column": "no_such_column"},
        description="没有这一列",
    )
    with pytest.raises(OversightError, match=r"judgements\.json 中的“没有这一列”未能执行"):
        judged(World(), tmp_path)
    (context / "expectations" / "judgements.json").write_text("{", "utf-8")
    with pytest.raises(OversightError, match="不是 JSON"):
        judged(World(), tmp_path / "again")
