"""The committed sample is what the generator writes, and the list of what was planted is true of it."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest

from tests.sample.support import RAW, generate


def content(data: bytes) -> object:
    """A workbook's parts (how they are compressed depends on the machine's zlib), else the bytes themselves."""
    if not data.startswith(b"PK"):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_committed_sample_is_what_the_generator_writes(tmp_path):
    generate.write_sample(tmp_path)
    made = {p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file()}
    kept = {p.relative_to(RAW) for p in RAW.rglob("*") if p.is_file() and not p.name.startswith(".")}
    assert made == kept
    for path in made:
        assert content((tmp_path / path).read_bytes()) == content((RAW / path).read_bytes()), path


def test_every_file_says_that_it_is_made_up():
    for path in RAW.rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            assert "模拟数据" in path.name or path.name == "README.md"


def test_it_stays_small():
    files = [p for p in RAW.rglob("*") if p.is_file()]
    assert len(files) < 150
    assert sum(p.stat().st_size for p in files) < 3_000_000


@pytest.mark.parametrize("item", generate.planted(), ids=lambda item: f"{item['id']} {item['kind']}")
def test_what_was_planted_stands_where_the_list_says(item):
    if item["file"] is None:
        return
    path = RAW / item["file"]
    assert path.exists()
    assert item["id"] in (RAW / "README.md").read_text(encoding="utf-8")
    if item["row"] is None:
        return
    if item["sheet"] is None:
        data = path.read_bytes()
        text = data.decode("gb18030" if item["file"].startswith("同心县") else "utf-8-sig")
        row = text.splitlines()[item["row"] - 1]
    else:
        sheet = openpyxl.load_workbook(path, data_only=True)[item["sheet"]]
        row = ",".join(str(cell.value) for cell in sheet[item["row"]])
    code = "130321201" if item["kind"] == "old_code_used" else item["township_code"]
    assert code in row


def test_the_country_is_the_same_each_time_and_a_month_more_only_adds(tmp_path):
    start = generate.date(2024, 11, 1)
    for place in ("one", "two"):
        generate.write_national(tmp_path / place, months=3, start=start, units=40, one_more_month=False)
    generate.write_national(tmp_path / "two", months=3, start=start, units=40, one_more_month=True)
    generate.write_national(tmp_path / "four", months=4, start=start, units=40, one_more_month=False)
    one, two, four = (
        {p.name: p.read_bytes() for p in (tmp_path / d / "raw").iterdir()} for d in ("one", "two", "four")
    )
    assert one.items() <= two.items()
    assert len(two) == len(one) + 3
    for dataset in ("户籍人口", "民政工作经费", "民政工作人员"):
        header, *more = two[f"{dataset}2025-02（模拟数据）.csv"].splitlines()
        assert four[f"{dataset}2025年（模拟数据）.csv"].splitlines() == [
            *one[f"{dataset}2025年（模拟数据）.csv"].splitlines(),
            *more,
        ]
        assert header.startswith("统计月份".encode())
