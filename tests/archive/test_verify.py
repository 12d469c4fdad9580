"""`verify` names what changed and what rests on it; `repair` puts right what it can and says what it cannot."""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from oversight import cli, whole_run
from oversight.archive import store
from oversight.editions import current, find_edition
from oversight.editions.edition import POINTER, STABLE
from oversight.intake import ledger
from tests.archive.conftest import publish_number
from tests.archive.test_truth import flip
from tests.intake.world import NOW, World


def told(world: World, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    code = cli.main([*words, "--data", str(world.folder.root)])
    return code, capsys.readouterr().out


def kept(world: World) -> list[Path]:
    folder = world.folder
    found = [*folder.archive.iterdir(), *folder.landed.rglob("*"), *folder.marts.rglob("*")]
    found = [path for path in found if folder.marts / STABLE not in path.parents]
    return sorted(path for path in found if path.is_file() and path.stat().st_size)


def test_every_kept_file_is_named_when_a_bit_of_it_changes(
    bureau: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(bureau, capsys, "verify")[0] == 0
    chance = random.Random(1)
    for path in kept(bureau):
        at = chance.randrange(path.stat().st_size)
        flip(path, at)
        code, out = told(bureau, capsys, "verify")
        named = path.relative_to(bureau.folder.root).as_posix()
        assert code == 1, named
        # The signature and what it signs are held against each other.
        assert named.replace("manifest.sig", "manifest.json") in out, (named, at, out)
        flip(path, at)
    assert told(bureau, capsys, "verify")[0] == 0


def test_the_path_for_other_programs_leads_to_the_current_edition_or_is_named(
    bureau: World, capsys: pytest.CaptureFixture[str]
) -> None:
    stable = bureau.folder.marts / STABLE
    newest = current(bureau.folder)
    assert newest is not None
    wrong = {
        "复制件": lambda: shutil.copytree(newest.path, stable),
        "链接": lambda: stable.symlink_to("elsewhere"),
    }
    for said, mistake in wrong.items():
        stable.unlink()
        mistake()
        code, out = told(bureau, capsys, "verify")
        assert code == 1
        assert f"marts/{STABLE}" in out
        assert said in out
        assert told(bureau, capsys, "repair")[0] == 0
        assert stable.resolve() == newest.path.resolve()
        assert told(bureau, capsys, "verify")[0] == 0


def test_what_is_missing_or_strange_is_named(bureau: World, capsys: pytest.CaptureFixture[str]) -> None:
    folder = bureau.folder
    gone = [
        next(path for path in folder.archive.iterdir() if store.DIGEST.fullmatch(path.name)),
        next(folder.landed.rglob("population.parquet")),
        current(folder).path / "parquet" / "townships.parquet",  # type: ignore[union-attr]
        folder.marts / POINTER,
    ]
    strange = [folder.archive / "extra", current(folder).path / "extra"]  # type: ignore[union-attr]
    for path in gone:
        path.unlink()
    for path in strange:
        path.write_text("x")
    code, out = told(bureau, capsys, "verify")
    assert code == 1
    for path in (*gone, *strange):
        assert path.relative_to(folder.root).as_posix() in out


def test_a_fault_says_what_rests_on_the_file(bureau: World, capsys: pytest.CaptureFixture[str]) -> None:
    sha256 = bureau.submission("人口.csv")["sha256"]
    flip(store.place(bureau.folder, sha256))
    assert "收文“人口.csv”" in told(bureau, capsys, "verify")[1]


def test_repair_makes_again_what_can_be_made(bureau: World, capsys: pytest.CaptureFixture[str]) -> None:
    folder = bureau.folder
    newest = current(folder).edition_id  # type: ignore[union-attr]
    flip(store.place(folder, bureau.submission("人口.csv")["sha256"]))
    flip(next(folder.landed.rglob("population.parquet")))
    ledger.ledger_path(folder).write_bytes(b"")
    (folder.marts / POINTER).write_text("没有这一版\n")
    code, out = told(bureau, capsys, "repair")
    assert code == 0, out
    assert current(folder).edition_id == newest  # type: ignore[union-attr]
    assert told(bureau, capsys, "verify")[0] == 0
    bureau.take_in()
    assert bureau.population() == {("360313101", "2025-06"): [20_000]}


def test_repair_points_to_the_newest_whole_edition_and_says_what_is_lost(
    bureau: World, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bureau.folder
    newest = current(folder)
    assert newest is not None
    flip(newest.warehouse)
    code, out = told(bureau, capsys, "repair")
    assert code == 1
    assert newest.edition_id in out
    assert current(folder) != newest
    (folder.raw / "人口.csv").unlink()
    lost = store.place(folder, bureau.submission("人口.csv")["sha256"])
    flip(lost)
    code, out = told(bureau, capsys, "repair")
    assert (code, lost.name in out) == (1, True)


@pytest.mark.parametrize("pointer", [None, "", "没有这一版\n", "../x\n", "\x00\xff"])
def test_a_lost_pointer_is_told_from_no_edition(
    bureau: World, capsys: pytest.CaptureFixture[str], pointer: str | None
) -> None:
    path = bureau.folder.marts / POINTER
    path.unlink()
    if pointer is not None:
        path.write_bytes(pointer.encode("latin-1", "replace"))
    assert cli.main(["path", "--data", str(bureau.folder.root)]) == 1
    said = capsys.readouterr().err
    assert "2 个已发布的版本" in said
    assert "oversight repair" in said


def test_a_damaged_manifest_is_told(bureau: World, capsys: pytest.CaptureFixture[str]) -> None:
    edition = current(bureau.folder)
    assert edition is not None
    (edition.path / "manifest.json").write_text("{")
    assert cli.main(["editions", "--data", str(bureau.folder.root)]) == 0
    assert cli.main(["sql", "select 1", "--data", str(bureau.folder.root)]) in (0, 1)
    assert "Traceback" not in capsys.readouterr().err
    assert told(bureau, capsys, "repair")[0] == 1
    assert cli.main(["path", "--data", str(bureau.folder.root)]) == 0


# --- what a run does by itself --------------------------------------------------------------------------


@pytest.fixture
def unchanged(bureau: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A bureau with nothing new, and a stand-in for the steps of a run that publishes number 3."""
    edition = current(bureau.folder)
    assert edition is not None
    made_from = edition.made_from
    monkeypatch.setattr(whole_run, "fingerprints", lambda _: made_from)
    stand_in = ModuleType("stand_in")
    vars(stand_in)["execute"] = lambda folder, **_: find_edition(folder, publish_number(folder, 3))
    monkeypatch.setitem(sys.modules, "stand_in", stand_in)
    monkeypatch.setattr(whole_run, "ORCHESTRATOR", "stand_in")
    return bureau


def test_a_run_with_nothing_new_publishes_nothing(unchanged: World) -> None:
    assert not whole_run.run(unchanged.folder, say=print, now=NOW).is_new


@pytest.mark.parametrize(
    "name", ["warehouse.duckdb", "parquet/townships.parquet", "manifest.json", "manifest.sig"]
)
def test_a_run_notices_that_the_current_edition_is_damaged(unchanged: World, name: str) -> None:
    before = current(unchanged.folder)
    assert before is not None
    flip(before.path / name)
    said: list[str] = []
    outcome = whole_run.run(unchanged.folder, say=said.append, now=NOW)
    assert outcome.is_new
    assert "有损坏" in said[0]
    assert current(unchanged.folder) == outcome.edition != before


def test_a_run_finds_a_lost_pointer_again(unchanged: World) -> None:
    before = current(unchanged.folder)
    (unchanged.folder.marts / POINTER).write_text("没有这一版\n")
    said: list[str] = []
    outcome = whole_run.run(unchanged.folder, say=said.append, now=NOW)
    assert not outcome.is_new
    assert current(unchanged.folder) == before
    assert "指针" in said[0]
