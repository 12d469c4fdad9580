"""Every code of the catalogue has a file that brings it about; `oversight check` prints its entry and its place."""

from __future__ import annotations

import re

import pytest

from oversight import cli
from oversight.intake.reading.files import read_path
from oversight.intake.reading.worker import Worker
from oversight.intake.sending_back import errors_page
from oversight.intake_messages import CATALOGUE
from tests.intake.broken import BROKEN, P
from tests.intake.world import World, csv_bytes, population_rows

# Not brought about by a file's content: no table of divisions, a fault of ours, links and rights, and what analysts and
# reviewers put into corrections/.
ELSEWHERE = {"F11", "F17", "F50", "F51", "C01", "C02", "C03", "C04", "D12", "D14", "R70"}


def test_every_code_has_its_broken_file() -> None:
    assert set(CATALOGUE) - ELSEWHERE == set(BROKEN)


@pytest.mark.parametrize("code", BROKEN)
def test_check_prints_exactly_the_entry_with_place_and_remedy(
    world: World, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = BROKEN[code]
    for name, content in broken.beside.items():
        world.put(name, content)
    path = world.folder.root / broken.name
    path.write_bytes(broken.make())
    status = cli.main(["check", str(path), "--data", str(world.folder.root)])
    printed = capsys.readouterr().out
    assert status == (0 if code.startswith("D") else 1)
    assert set(re.findall(r"\[([A-Z]\d\d) ", printed)) == {code, *broken.others}
    entry = CATALOGUE[code]
    lines = printed.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(f"  [{code} {entry.title_zh}]"))
    where = (f"工作表“{broken.sheet}”" if broken.sheet else "") + (
        f"单元格 {broken.cell}" if broken.cell else ""
    )
    if code == "F13":
        where = "整个文件"
    assert lines[at].startswith(f"  [{code} {entry.title_zh}] {where or '整个文件'}")
    pattern = re.sub(r"\\\{\w+\\\}", ".*", re.escape(entry.text_zh))
    assert re.match(pattern, lines[at + 1].strip())
    assert lines[at + 2].strip() == f"处理：{entry.remedy_zh}"


def test_without_divisions_a_run_asks_for_them(world: World) -> None:
    (world.folder.raw / "行政区划.csv").unlink()
    world.put("人口.csv", csv_bytes(population_rows("2025-06", {"360313101": 5})))
    world.take_in()
    assert world.submission("人口.csv")["error_code"] == "F11"
    assert not list(world.folder.returned.glob("*.xlsx"))


def test_a_fault_of_ours_is_told_as_one(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("除以零")

    monkeypatch.setattr("oversight.intake.reading.files._read", fail)
    # In this process, where the fault is.
    monkeypatch.setattr(Worker, "run", lambda _, kind, jobs: [read_path(*job) for job in jobs if kind])
    path = world.folder.root / "人口.csv"
    path.write_bytes(csv_bytes([P]))
    assert cli.main(["check", str(path)]) == 1
    printed = capsys.readouterr().out
    assert "[F17 读取时出错] 整个文件" in printed
    assert "ZeroDivisionError" in printed


def test_the_page_of_the_documentation_is_up_to_date() -> None:
    assert errors_page.PAGE.read_text("utf-8") == errors_page.page(), (
        "docs/errors.md 已过时：请运行 python -m oversight.intake.sending_back.errors_page"
    )
