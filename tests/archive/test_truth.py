"""What was received is what is read and published, whatever happens to the files in between."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from oversight.archive import store
from oversight.archive.verify import verify
from oversight.errors import OversightError
from oversight.intake import intake_run, ledger
from oversight.settings import TIME_ZONE
from tests.intake.world import NOW, World, csv_bytes, population_rows, xlsx_bytes

GOOD = csv_bytes(population_rows("2025-06", {"360313101": 20_000, "360313102": 30_000}))
OTHER = csv_bytes(population_rows("2025-06", {"360313101": 99_999}))
FIGURES = {("360313101", "2025-06"): [20_000], ("360313102", "2025-06"): [30_000]}
NEXT_YEAR = datetime(2027, 1, 6, 9, tzinfo=TIME_ZONE)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "data")


def flip(path: Path, at: int | None = None) -> None:
    """One bit of a file, the middle one when none is named."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_every_content_is_kept_also_of_refused_files_and_of_those_overwritten(world: World) -> None:
    world.put("人口.csv", GOOD)
    world.put("图片.xlsx", b"\xff\xd8\xff\xe0" + bytes(100))
    world.take_in()
    world.put("人口.csv", OTHER)
    world.take_in()
    for content in (GOOD, OTHER, b"\xff\xd8\xff\xe0" + bytes(100)):
        assert store.read(world.folder, digest(content)) == content


def test_a_file_replaced_while_it_is_read_lands_under_no_other_digest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put("人口.csv", GOOD)
    keep_files = store.keep_files

    def then_replaced(folder: Any, paths: Sequence[Path]) -> Any:
        kept = list(keep_files(folder, paths))
        for path in paths:
            if path.name == "人口.csv":
                path.write_bytes(OTHER)
        return kept

    monkeypatch.setattr(store, "keep_files", then_replaced)
    world.take_in()
    assert world.submission("人口.csv")["sha256"] == digest(GOOD)
    assert world.population() == FIGURES
    monkeypatch.undo()
    world.take_in()
    assert world.population()["360313101", "2025-06"] == [20_000, 99_999]


def test_a_raw_file_is_opened_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put("人口.csv", GOOD)
    opened: list[str] = []
    before = Path.open

    def counted(self: Path, *arguments: Any, **named: Any) -> Any:
        if self.is_relative_to(world.folder.raw):
            opened.append(self.name)
        return before(self, *arguments, **named)

    monkeypatch.setattr(Path, "open", counted)
    intake_run.input_fingerprint(world.folder)
    world.take_in()
    world.take_in()
    assert sorted(opened) == ["人口.csv", "行政区划.csv"]


@pytest.mark.parametrize(
    "name", ["population", "divisions", "files", "tables", "errors", "version", "SHA256SUMS"]
)
def test_damaged_rows_are_never_used_but_read_again_from_the_archive(world: World, name: str) -> None:
    world.put("人口.csv", GOOD)
    world.take_in()
    (world.folder.raw / "人口.csv").unlink()
    (path,) = world.folder.landed.glob(f"batches/*/{name}*")
    flip(path)
    told: list[str] = []
    intake_run.take_in(world.folder, say=told.append, now=NEXT_YEAR)
    assert world.population() == FIGURES
    assert any("已从" in line or "从存档重新读取" in line for line in told)


def test_a_correction_of_the_same_day_is_as_late_as_before_when_the_first_file_is_read_again(
    world: World,
) -> None:
    world.put("人口.csv", GOOD)
    world.take_in()
    world.put("更正.csv", GOOD.replace(b"20000", b"20001"))
    world.take_in(NOW + timedelta(hours=1))

    def dated() -> list[tuple[Any, ...]]:
        return sorted(world.read("deliveries").select("township_code", "is_dated").rows())

    before = dated()
    flip(world.folder.landed / "batches" / "000001" / "population.parquet")
    world.take_in()
    assert dated() == before


def test_damaged_rows_of_a_content_that_is_nowhere_stop_the_run(world: World) -> None:
    world.put("人口.csv", GOOD)
    world.take_in()
    for path in (world.folder.raw / "人口.csv", store.place(world.folder, digest(GOOD))):
        path.unlink()
    (path,) = world.folder.landed.glob("batches/*/population.parquet")
    flip(path)
    with pytest.raises(Exception, match=r"人口\.csv.*请从备份恢复"):
        world.take_in()


def test_a_batch_that_is_another_ones_or_stands_twice_is_read_again(world: World) -> None:
    world.put("人口.csv", GOOD)
    world.take_in()
    world.put("更正.csv", OTHER)
    world.take_in()
    right, tables = world.population(), world.read("report_tables").height
    # The second in the place of the first, the first in that of the second, and a copy beside both.
    for source, target in (("000002", "000001"), ("000001", "000002"), ("000001", "000003")):
        other = World.over(world.folder.root.parent / f"{source}-{target}")
        shutil.copytree(world.folder.root, other.folder.root)
        base = other.folder.landed / "batches"
        shutil.rmtree(base / target, ignore_errors=True)
        shutil.copytree(base / source, base / target)
        named = [fault.path for _, _, found in verify(other.folder, ["landed"]) for fault in found]
        assert named == [max(base / source, base / target)]
        other.take_in()
        assert (other.population(), other.read("report_tables").height) == (right, tables)


def test_what_is_nowhere_any_more_stops_the_run(world: World) -> None:
    """Neither rows nor content are left of what the ledger names: nothing is published without it."""
    world.put("人口.csv", GOOD)
    world.take_in()
    shutil.rmtree(world.folder.landed / "batches")
    for path in (world.folder.raw / "人口.csv", store.place(world.folder, digest(GOOD))):
        path.unlink()
    assert digest(GOOD) in {f.path.name for _, _, found in verify(world.folder, ["archive"]) for f in found}
    with pytest.raises(OversightError, match=r"人口\.csv.*请从备份恢复"):
        world.take_in()


def test_a_ledger_of_before_is_known_by_what_was_landed_since(world: World) -> None:
    folder = world.folder
    world.put("人口.csv", GOOD)
    world.take_in()
    kept = {path: path.read_bytes() for path in (ledger.ledger_path(folder), ledger.journal_path(folder))}
    world.put("更正.csv", OTHER)
    world.take_in()
    (folder.raw / "更正.csv").unlink()
    for path, content in kept.items():
        path.write_bytes(content)
    assert ledger.ledger_path(folder) in [f.path for _, _, found in verify(folder, ["ledger"]) for f in found]
    with pytest.raises(OversightError, match=r"收文台账.*1 份.*请从备份恢复"):
        world.take_in()


def test_a_damaged_content_is_not_read_but_put_right_from_raw(world: World) -> None:
    world.put("人口.csv", GOOD)
    world.take_in()
    flip(store.place(world.folder, digest(GOOD)))
    shutil.rmtree(world.folder.landed)
    world.take_in()
    assert world.population() == FIGURES
    assert store.read(world.folder, digest(GOOD)) == GOOD
    flip(store.place(world.folder, digest(GOOD)))
    shutil.rmtree(world.folder.landed)
    (world.folder.raw / "人口.csv").unlink()
    with pytest.raises(store.ArchiveError, match=f"{digest(GOOD)} 已损坏"):
        world.take_in()


def test_deleting_what_was_landed_loses_neither_rows_nor_times(world: World) -> None:
    world.put("人口.csv", GOOD)
    world.take_in()
    shutil.rmtree(world.folder.landed)
    (world.folder.raw / "人口.csv").unlink()
    world.take_in(NEXT_YEAR)
    assert world.population() == FIGURES
    assert world.submission("人口.csv")["received_at"].year == 2026


def test_ledger_and_journal_make_up_for_each_other_at_every_byte(world: World) -> None:
    world.put("人口.csv", GOOD)
    world.take_in()
    world.put("更正.csv", OTHER)
    world.take_in()
    folder, right = world.folder, ledger.read(world.folder)
    for path in (ledger.ledger_path(folder), ledger.journal_path(folder)):
        content = path.read_bytes()
        for at in range(0, len(content), max(1, len(content) // 300)):
            flip(path, at)
            assert path in [named for named, _ in ledger.differing(folder)], at
            assert ledger.read(folder).equals(right), at
            path.write_bytes(content)
    assert not list(ledger.differing(folder))
    for path in (ledger.ledger_path(folder), ledger.journal_path(folder)):
        flip(path, 30)
    with pytest.raises(ledger.LedgerError, match="都有损坏"):
        ledger.read(folder)


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_journal_cut_off_while_it_was_written_is_completed(world: World, cut: int) -> None:
    world.take_in()
    before = ledger.ledger_path(world.folder).read_bytes()
    world.put("人口.csv", GOOD)
    world.take_in()
    # Killed before the ledger followed.
    ledger.ledger_path(world.folder).write_bytes(before)
    path = ledger.journal_path(world.folder)
    path.write_bytes(path.read_bytes()[:-cut])
    world.take_in()
    assert world.population() == FIGURES
    assert not list(ledger.differing(world.folder))


ROSTER = [("姓名", "身份证号码", "开户账号"), ("张三", "11010519491231002X", "62220000")]


@pytest.mark.parametrize("content", [csv_bytes(ROSTER), xlsx_bytes(ROSTER), csv_bytes(ROSTER, "gb18030")])
def test_personal_columns_are_kept_encrypted_until_their_day(world: World, content: bytes) -> None:
    world.put("名册.xlsx", content)
    world.take_in()
    folder, sha256 = world.folder, digest(content)
    assert not store.place(folder, sha256).is_file()
    assert b"62220000" not in store.sealed_place(folder, sha256).read_bytes()
    assert store.read(folder, sha256) == content
    assert (folder.root / store.KEY).stat().st_mode & 0o777 == 0o600
    (item,) = store.personal(folder)
    assert item.delete_on > date.today()  # noqa: DTZ011
    flip(store.sealed_place(folder, sha256))
    with pytest.raises(store.ArchiveError, match="已损坏"):
        store.read(folder, sha256)
    world.take_in(datetime(2040, 1, 1, tzinfo=TIME_ZONE))
    assert not store.has(folder, sha256)
    assert store.personal(folder)[0].deleted_on == date(2040, 1, 1)
    world.take_in(datetime(2040, 1, 2, tzinfo=TIME_ZONE))
    assert not store.has(folder, sha256)
    assert world.submission("名册.xlsx")["sha256"] == sha256


def test_accounts_of_a_report_are_not_taken_for_persons(world: World) -> None:
    world.put("人口.csv", GOOD)
    world.take_in()
    assert not store.personal(world.folder)


def test_returned_workbooks_go_after_the_days_that_are_set(world: World) -> None:
    world.put("人口.csv", csv_bytes(population_rows("2025-06", {"360313101": "约两万"})))
    world.take_in()
    (path,) = world.folder.returned.glob("*.xlsx")
    world.folder.settings_toml.write_text("returned_days = 30\n")
    world.take_in()
    assert path.is_file()
    index = world.folder.returned / ".index.json"
    today = datetime.now(TIME_ZONE).date()
    index.write_text(index.read_text().replace(str(today), str(today - timedelta(days=31))))
    for _ in range(2):
        world.take_in()
        assert not path.is_file()


def test_a_file_above_the_limit_is_refused_and_not_kept(world: World) -> None:
    (world.folder.settings_toml).write_text("archive_file_mb = 1\n")
    world.put("大.csv", bytes(2 * 2**20))
    world.take_in()
    assert world.submission("大.csv")["error_code"] == "F12"
    assert digest(bytes(2 * 2**20)) not in store.contents(world.folder)
