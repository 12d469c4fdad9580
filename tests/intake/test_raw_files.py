"""What lies in raw/: names in any encoding, links that lead away, files that may not be read. None stops a run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from oversight import cli
from oversight.intake.raw_files import readable
from tests.intake.world import World, csv_bytes, population_rows

GOOD = csv_bytes(population_rows("2025-06", {"360313101": 20_000}))
OTHER = csv_bytes(population_rows("2025-06", {"360313102": 30_000}))


def _write(path: bytes, content: bytes) -> None:
    Path(os.fsdecode(path)).write_bytes(content)


def test_a_name_in_another_encoding_is_read_and_shown(world: World) -> None:
    """What unzip makes of a name that Chinese Windows wrote; bytes that are no text at all; a folder likewise."""
    raw = os.fsencode(world.folder.raw)
    _write(raw + b"/" + "六月人口.csv".encode("gbk"), GOOD)
    Path(os.fsdecode(raw + b"/" + "湘东区".encode("gbk"))).mkdir()
    _write(raw + b"/" + "湘东区".encode("gbk") + b"/\xff\xfe.csv", OTHER)
    for _ in range(2):
        world.take_in()
        assert world.population() == {("360313101", "2025-06"): [20_000], ("360313102", "2025-06"): [30_000]}
        assert world.submission("六月人口.csv")["status"] == "accepted"
        assert world.submission("湘东区/\\xff\\xfe.csv")["status"] == "accepted"
    assert world.balanced()


def test_check_and_a_returned_workbook_survive_such_a_name(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = os.fsencode(world.folder.raw)
    bad = csv_bytes(population_rows("2025-06", {"360313101": "约三千", "360313102": 30_000}))
    name = "人口.csv".encode("gbk")
    _write(raw + b"/" + name, bad)
    world.take_in()
    assert next(p.name for p in world.folder.returned.glob("*.xlsx")).startswith("人口_退回_")
    path = os.fsdecode(raw + b"/" + name)
    assert cli.main(["check", path, "--data", str(world.folder.root), "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["name"] == "人口.csv"
    assert cli.main(["check", path, "--data", str(world.folder.root)]) == 1
    assert "人口.csv" in capsys.readouterr().out


def test_a_readable_name_stays_as_it_is() -> None:
    assert readable("湘东区 人口(1).xlsx") == "湘东区 人口(1).xlsx"


def test_a_link_that_leads_away_is_named_and_not_followed(world: World, tmp_path: Path) -> None:
    secret = tmp_path / "别处.csv"
    secret.write_bytes(OTHER)
    (tmp_path / "别的文件夹").mkdir()
    (tmp_path / "别的文件夹" / "人口.csv").write_bytes(OTHER)
    world.put("人口.csv", GOOD)
    (world.folder.raw / "链接.csv").symlink_to(secret)
    (world.folder.raw / "文件夹").symlink_to(tmp_path / "别的文件夹")
    (world.folder.raw / "断了.csv").symlink_to(tmp_path / "没有.csv")
    (world.folder.raw / "里面.csv").symlink_to(world.folder.raw / "人口.csv")
    for _ in range(2):
        world.take_in()
        assert world.population() == {("360313101", "2025-06"): [20_000]}
        for name in ("链接.csv", "文件夹", "断了.csv"):
            submission = world.submission(name)
            assert (submission["status"], submission["error_code"]) == ("refused", "F50"), name
        # A link to a file in raw/ itself is a second name for it.
        assert world.submission("里面.csv")["status"] == "duplicate"
    assert not list(world.folder.returned.glob("*.xlsx"))


@pytest.mark.skipif(os.geteuid() == 0, reason="everything may be read by root")
def test_a_file_without_the_right_to_read_is_named(world: World) -> None:
    world.put("人口.csv", GOOD)
    world.put("锁着.csv", OTHER)
    (world.folder.raw / "锁着.csv").chmod(0)
    world.take_in()
    assert world.submission("锁着.csv")["error_code"] == "F51"
    assert world.population() == {("360313101", "2025-06"): [20_000]}
    (world.folder.raw / "锁着.csv").chmod(0o600)
    world.take_in()
    assert ("360313102", "2025-06") in world.population()
