"""Rosters compared without keeping whose they are."""

from __future__ import annotations

from pathlib import Path

import openpyxl

from oversight.accounts import roster
from tests.conftest import run_oversight

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number(seventeen: str) -> str:
    """Seventeen digits with the check digit that the standard asks for."""
    return seventeen + "10X98765432"[sum(int(d) * w for d, w in zip(seventeen, WEIGHTS, strict=True)) % 11]


ONE, TWO = number("11010119900101001"), number("11010119850505222")
WRONG = ONE[:-1] + ("1" if ONE[-1] != "1" else "2")


def written(path: Path, rows: list[tuple[str, ...]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(("某区民政工作人员名册",))
    sheet.append(("序号", "乡镇（街道）", "姓名", "身份证号码", "岗位"))
    for at, row in enumerate(rows, 1):
        sheet.append((at, *row, "专职"))
    book.save(path)
    return path


def test_the_same_person_in_two_townships(tmp_path: Path) -> None:
    first = written(
        tmp_path / "甲.xlsx",
        [
            ("湘东镇", "王某甲", ONE),
            ("湘东镇", "李某乙", TWO),
            ("湘东镇", "赵某丙", WRONG),
            ("湘东镇", "钱某丁", ""),
        ],
    )
    second = tmp_path / "乙.csv"
    second.write_bytes(
        f"乡镇,姓名,身份证号\n荷尧镇,王 某甲,{ONE.lower()}\n荷尧镇,同名人,{TWO}\n".encode("gb18030")
    )
    found = roster.check([*roster.read(first), *roster.read(second)])
    assert (found.doubles, found.wrong_numbers, found.without_number, found.townships) == (1, 1, 1, 2)
    told = "\n".join(found.lines)
    assert "王某：同时在湘东镇、荷尧镇的名册上" in told
    for private in (ONE, TWO, WRONG, "王某甲", "李某乙"):
        assert private not in told
        assert private not in repr(roster.read(first)[0])


def test_the_command_keeps_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    rows = [("湘东镇", "王某甲", ONE), ("荷尧镇", "王某甲", ONE)]
    done = run_oversight("roster", str(written(tmp_path / "名册.xlsx", rows)), "--data", str(data))
    assert done.returncode == 1
    assert "同一人在两个乡镇的 1 人" in done.stdout
    assert ONE not in done.stdout + done.stderr
    assert list(data.rglob("*")) == []
    empty = run_oversight("roster", str(tmp_path / "没有.xlsx"), "--data", str(data))
    assert "找不到文件" in empty.stderr
