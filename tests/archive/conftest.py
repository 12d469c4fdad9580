"""A bureau with files taken in and an edition made of a build file without dbt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from oversight.editions import publish
from oversight.settings import DataFolder
from tests.editions.standin import identity, write_build, write_manifest
from tests.intake.world import World, csv_bytes, population_rows


def publish_number(folder: DataFolder, number: int, made_of: str = "00ff") -> str:
    """An edition that says a number; its name."""
    write_build(folder, number=number, made_of=made_of)
    manifest = write_manifest(folder.root.parent / "dbt-manifest.json")
    return publish(folder, identity(folder, number), manifest=manifest).edition_id


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of a county, taken in, and two editions."""
    world = World(tmp_path_factory.mktemp("made") / "data")
    world.put("人口.csv", csv_bytes(population_rows("2025-06", {"360313101": 20_000})))
    world.put("图片.xlsx", b"\xff\xd8\xff\xe0" + bytes(100))
    world.take_in()
    for number in (1, 2):
        publish_number(world.folder, number)
    return world.folder.root


@pytest.fixture
def bureau(made: Path, tmp_path: Path) -> World:
    """A copy of it."""
    shutil.copytree(made, tmp_path / "data", symlinks=True)
    return World.over(tmp_path / "data")
