"""The recipes of CONTRIBUTING.md, carried out on a copy of the project exactly as they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from oversight.settings import PROJECT_ROOT
from tests.house_copy import HouseCopy

_STEP = re.compile(
    r"^(?:In `(?P<edited>[^`]+)`, before `(?P<anchor>[^`]+)`|New file `(?P<new>[^`]+)`:)?\n*"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Step:
    """One block: put in front of a place in a file, written as a new file, or run."""

    edited: str | None
    anchor: str | None
    new: str | None
    language: str
    text: str


def steps() -> list[Step]:
    page = (PROJECT_ROOT / "CONTRIBUTING.md").read_text("utf-8")
    return [Step(**match.groupdict()) for match in _STEP.finditer(page)]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each command printed, after every step before it."""
    house = HouseCopy(tmp_path_factory.mktemp("recipes") / "copy")
    raw = house.data / "raw"
    raw.mkdir()
    divisions = (
        "区划代码,名称,类型,上级代码\n360000,江西省,省,\n360300,萍乡市,市,360000\n360313,湘东区,区,360300\n"
    )
    (raw / "行政区划.csv").write_text(divisions + "360313101,湘东镇,镇,360313\n", "utf-8")
    rows = [("Z-01.1", 1), ("Z-02.1", 3)]
    lines = [f"2025-06,360313101,湘东镇,{code},{value}" for code, value in rows]
    (raw / "指标.csv").write_text(
        "\n".join(["统计月份,区划代码,名称,指标代码,指标值", *lines]) + "\n", "utf-8"
    )
    said = {}
    for step in steps():
        if step.edited and step.anchor:
            house.insert(step.edited, step.text, before=step.anchor)
        elif step.new:
            path = house.root / step.new
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, "utf-8")
        else:
            assert step.language == "sh", step
            for line in step.text.splitlines():
                said[line] = house.run("sh", "-c", line.replace("oversight ", "python -m oversight.cli ", 1))
    return said


def test_every_block_of_a_recipe_is_one_of_the_three_kinds() -> None:
    found = steps()
    assert len(found) == (PROJECT_ROOT / "CONTRIBUTING.md").read_text("utf-8").count("```") / 2
    assert {step.language for step in found} <= {"python", "sql", "csv", "txt", "toml", "md", "sh"}


def test_recipes_do_what_they_say(printed: dict[str, str]) -> None:
    said = {command.split()[1]: text for command, text in printed.items()}
    judged = said["sql"]
    assert re.search(r"Z-01.*short.*1", judged), judged
    assert re.search(r"Z-02.*short.*2", judged), judged
    assert "Z-02" in said["explain"]
    assert "示例" in next(text for command, text in printed.items() if "/example" in command)
    (section,) = [
        text for command, text in printed.items() if command.startswith("grep") and "data/reports" in command
    ]
    assert "户籍人口未知的有1个" in section
    # Its broken file brings it about, each code has one, and the page says what the catalogue does.
    assert "3 passed" in next(text for command, text in printed.items() if "test_catalogue" in command)
    assert "1 passed" in next(text for command, text in printed.items() if "test_shapes" in command)
    assert "户数与人口相同" in next(
        text for command, text in printed.items() if command.startswith("grep -A")
    )


def test_nothing_of_the_project_itself_was_changed(printed: dict[str, str]) -> None:
    assert printed
    assert not (PROJECT_ROOT / "oversight" / "dashboard" / "pages" / "example.py").exists()
    assert not Path("template.xlsx").exists()
