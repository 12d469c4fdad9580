"""Hostile and broken files: refused or read within bounds, and the run goes on with the next file."""

from __future__ import annotations

import io
import os
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oversight.intake.reading import worker as worker_of
from oversight.intake.reading.files import Reading, read
from oversight.intake.reading.worker import Worker
from tests.intake.formats import xlsb_bytes
from tests.intake.world import World, csv_bytes, population_rows, xlsx_bytes

GOOD = population_rows("2025-06", {"360313101": 20_000})


def archive(members: dict[str, bytes], level: int = 9) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as out:
        for name, content in members.items():
            out.writestr(name, content)
    return memory.getvalue()


def with_sheet(xml: bytes) -> bytes:
    """A good workbook whose one sheet is replaced."""
    members = {}
    with zipfile.ZipFile(io.BytesIO(xlsx_bytes(GOOD))) as old:
        for name in old.namelist():
            members[name] = xml if name == "xl/worksheets/sheet1.xml" else old.read(name)
    return archive(members, level=1)


HEAD = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"


def far_corners() -> bytes:
    return with_sheet(
        HEAD
        + b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
        + TAIL
    )


def blank_formatted_rows() -> bytes:
    rows = b"".join(
        b'<row r="%d"><c r="A%d" s="1"/><c r="B%d" s="1"/></row>' % (i, i, i) for i in range(1, 1_000_001)
    )
    return with_sheet(HEAD + rows + TAIL)


def all_columns() -> bytes:
    return xlsx_bytes([[f"c{i}" for i in range(16_384)], [1] * 16_384])


def xml_bomb() -> bytes:
    entities = b"".join(
        b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10 if i else b"lol") for i in range(10)
    )
    return with_sheet(
        b'<?xml version="1.0"?><!DOCTYPE x ['
        + entities
        + b"]>"
        + HEAD[21:]
        + b"<row><c><v>&a9;</v></c></row>"
        + TAIL
    )


def zip_bomb() -> bytes:
    return archive({"xl/workbook.xml": b"<workbook/>", "xl/worksheets/sheet1.xml": bytes(500 * 2**20)})


HOSTILE: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "炸弹.xlsx": (zip_bomb, {"F12"}),
    "实体.xlsx": (xml_bomb, {"F16"}),
    # Nothing is laid out between near and far cells any more: the sheet is read, and is no report.
    "天涯海角.xlsx": (far_corners, {"F05"}),
    "百万空行.xlsx": (blank_formatted_rows, {"F02", "F05", "F14"}),
    "一万六千列.xlsx": (all_columns, {"F05"}),
    "截断.xlsx": (lambda: xlsx_bytes(GOOD)[:-200], {"F04"}),
    "改名.csv": (lambda: xlsx_bytes([("x", "y")]), {"F05"}),
    "穿越.zip": (lambda: archive({"../../etc/人口.csv": csv_bytes(GOOD)}), {"F15"}),
    "套娃.zip": (lambda: archive({"a.zip": archive({"b.zip": b"PK"})}), {"F15"}),
    "空字节.csv": (lambda: csv_bytes(GOOD).replace(b"2025", b"20\x0025"), {"F01"}),
    "超长行.csv": (lambda: b"a," * 2_000_000, {"F05"}),
    "表头.xls": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5_000), {"F01", "F04"}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_time_and_the_next_is_read(world: World, name: str) -> None:
    make, codes = HOSTILE[name]
    world.put(name, make())
    world.put("然后.csv", csv_bytes(GOOD))
    start = time.process_time()
    world.take_in()
    assert time.process_time() - start < 10
    submission = world.submission(name)
    assert submission["status"] == "refused"
    assert submission["error_code"] in codes, submission["message_zh"]
    assert world.population() == {("360313101", "2025-06"): [20_000]}


def test_the_worker_is_replaced_after_a_file_killed_it(tmp_path: Path) -> None:
    """The one that it was at is set apart; those before and after it in the same batch are read all the same."""
    good, bad = tmp_path / "good.xlsx", tmp_path / "bad.xlsb"
    good.write_bytes(xlsx_bytes(GOOD))
    bad.write_bytes(xlsb_bytes(GOOD, far=True))
    with Worker() as worker:
        readings = list(
            worker.read(
                [
                    (good, "1.xlsx", None),
                    (bad, "bad.xlsb", None),
                    (good, "2.xlsx", None),
                    (good, "3.xlsx", None),
                ]
            )
        )
    assert [len(r.tables) for r in readings] == [1, 0, 1, 1]
    assert readings[1].error is not None
    assert readings[1].error.code == "F14"


def test_a_process_that_stays_at_one_file_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that goes on from file to file is, however long all of them take."""
    monkeypatch.setattr(worker_of, "_LOOK_SECONDS", 0.01)
    place = worker_of._shared(tmp_path, new=True)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as pipe, os.fdopen(writing, "wb", buffering=0) as answers:
        assert not worker_of._wait_for(pipe, place, [0.05, 0.05])

        def work() -> None:
            for at in range(20):
                worker_of._AT.pack_into(place, 0, at)
                time.sleep(0.15)
            answers.write(b"done")

        thread = threading.Thread(target=work)
        thread.start()
        assert worker_of._wait_for(pipe, place, [2.0] * 20)
        thread.join()


def test_a_zip_of_reports_is_read_member_by_member(world: World) -> None:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as out:
        out.writestr("湘东/人口.csv", csv_bytes(GOOD))
        out.writestr("报表.xlsx", xlsx_bytes({"六月": population_rows("2025-06", {"360313102": 30_000})}))
        out.writestr("照片.jpg", b"\xff\xd8\xff" + bytes(10))
    world.put("打包.zip", memory.getvalue())
    world.take_in()
    assert world.population() == {("360313101", "2025-06"): [20_000], ("360313102", "2025-06"): [30_000]}
    assert set(world.read("population")["sheet"]) == {"湘东/人口.csv", "报表.xlsx/六月"}
    submission = world.submission("打包.zip")
    assert submission["status"] == "partial"
    assert "照片.jpg" in submission["message_zh"]
    assert world.balanced()


SEEDS = [
    xlsx_bytes(GOOD),
    csv_bytes(GOOD),
    csv_bytes(GOOD, "gb18030"),
    csv_bytes(GOOD, "utf-16"),
    archive({"a.csv": csv_bytes(GOOD)}),
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SEEDS), st.data())
def test_no_exception_escapes_for_any_bytes(seed: bytes, data: st.DataObject) -> None:
    content = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        how = data.draw(st.integers(0, 2))
        if how == 0:
            content[at] = data.draw(st.integers(0, 255))
        elif how == 1:
            del content[at : at + data.draw(st.integers(1, 50))]
        else:
            content[at:at] = data.draw(st.binary(max_size=20))
        if not content:
            break
    assert isinstance(read(bytes(content), "x"), Reading)


@given(st.binary(max_size=200))
def test_no_exception_escapes_for_random_bytes(content: bytes) -> None:
    assert isinstance(read(content, "x"), Reading)


def test_a_member_without_a_name_makes_the_archive_damaged() -> None:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("甲.csv", "x")
    data = memory.getvalue().replace("甲.csv".encode(), b"\0" * len("甲.csv".encode()))
    reading = read(data, "报表.zip")
    assert reading.error is not None
    assert reading.error.code == "F04"
