"""The reference that budgets are measured by writes what an edition holds: a model that changes must be changed there too."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from oversight.editions import find_edition
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.conftest import run_oversight
from tests.sample.support import generate


def _reference(*words: str | Path) -> subprocess.CompletedProcess[str]:
    script = str(PROJECT_ROOT / "benchmarks" / "reference.py")
    return subprocess.run(
        [sys.executable, script, *map(str, words)], capture_output=True, text=True, check=False
    )


def test_every_table_of_the_reference_is_the_editions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Everywhere the same units, whether or not the published list of them lies beside the project.
    monkeypatch.setattr(generate, "REFERENCE", tmp_path / "nowhere")
    data, out = tmp_path / "data", tmp_path / "out"
    generate.write_national(data, months=14, start=generate.date(2023, 1, 1), units=40, one_more_month=False)
    ran = run_oversight("run", "--data", str(data))
    assert ran.returncode == 0, ran.stderr
    edition = find_edition(DataFolder(data)).path
    made = _reference("make", data, out)
    assert made.returncode == 0, made.stderr
    compared = _reference("compare", edition, out)
    assert compared.returncode == 0, compared.stdout + compared.stderr
    for table in ("funding_gap_monthly", "judgements", "staffing_gap_monthly", "findings"):
        assert f"equal     main.{table}: " in compared.stdout
        assert f"equal     main.{table}: 0 rows" not in compared.stdout

    # That it finds a difference at all: a word, and an order.
    for change, table in (
        (
            "update main.judgements set unit = '人次' where rule_id = 'A-06' and month = '2023-05-01'",
            "judgements",
        ),
        (
            "create or replace table main.townships as from main.townships order by township_code desc",
            "townships",
        ),
    ):
        wrong = tmp_path / table
        shutil.copytree(out, wrong)
        with duckdb.connect(str(wrong / "warehouse.duckdb")) as connection:
            connection.execute(change)
        compared = _reference("compare", edition, wrong)
        assert compared.returncode == 1
        assert f"DIFFERENT main.{table}: " in compared.stdout
