"""The drill: a backup while things change, a restore on an empty folder, and the same fingerprints there."""

from __future__ import annotations

import shutil
import threading
from datetime import date
from pathlib import Path

import pytest

from oversight import cli
from oversight.archive import backup as backups
from oversight.archive.sums import sealed, unsealed
from oversight.archive.verify import verify
from oversight.editions import current, list_editions
from oversight.intake import input_fingerprint
from oversight.reports import register
from oversight.settings import DataFolder
from tests.archive.conftest import publish_number
from tests.archive.test_truth import flip
from tests.intake.world import NOW, World, csv_bytes, population_rows


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
        and path.suffix != ".key"
        # It says when and where the folder was backed up last: each backup changes it.
        and path.name != "last_backup.json"
        and path.relative_to(root).parts[0] not in (".work", "returned", ".dagster")
    }


def test_what_is_restored_is_what_was_there(
    bureau: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, root = tmp_path / "backup", bureau.folder.root
    assert cli.main(["backup", str(place), "--data", str(root)]) == 0
    before, fingerprint = contents(root), input_fingerprint(bureau.folder)
    bureau.put("人口2.csv", csv_bytes(population_rows("2025-07", {"360313101": 20_001})))
    bureau.take_in()
    publish_number(bureau.folder, 3)
    capsys.readouterr()
    assert cli.main(["backup", str(place), "--data", str(root)]) == 0
    assert len(backups.snapshots(place)) == 2

    restored = DataFolder.at(tmp_path / "again")
    assert cli.main(["restore", str(place), "--data", str(restored.root)]) == 0
    assert contents(restored.root) == contents(root)
    assert input_fingerprint(restored) == input_fingerprint(bureau.folder)
    assert current(restored).manifest == current(bureau.folder).manifest  # type: ignore[union-attr]
    assert len(list_editions(restored)) == 3

    first = DataFolder.at(tmp_path / "first")
    name = backups.snapshots(place)[0]
    assert cli.main(["restore", str(place), "--snapshot", name, "--data", str(first.root)]) == 0
    assert contents(first.root) == before
    assert input_fingerprint(first) == fingerprint
    # What was restored goes on where it was.
    World.over(first.root).take_in()
    assert input_fingerprint(first) == fingerprint


def test_a_second_backup_takes_only_what_changed(bureau: World, tmp_path: Path) -> None:
    one = backups.backup(bureau.folder, tmp_path / "backup", now=NOW)
    two = backups.backup(bureau.folder, tmp_path / "backup", now=NOW)
    assert (one.files, two.files, two.new_files) == (one.new_files, one.files, 0)


def test_backups_while_runs_go_on_can_be_restored_and_are_whole(bureau: World, tmp_path: Path) -> None:
    done = threading.Event()

    def go_on() -> None:
        for number in range(3, 6):
            bureau.put(f"{number}.csv", csv_bytes(population_rows("2025-06", {"360313102": number})))
            bureau.take_in()
            publish_number(bureau.folder, number)
        done.set()

    runs = threading.Thread(target=go_on)
    runs.start()
    taken = []
    while not done.is_set():
        taken.append(backups.backup(bureau.folder, tmp_path / "backup", now=NOW).name)
    runs.join()
    for name in taken:
        restored = DataFolder.at(tmp_path / name)
        backups.restore(tmp_path / "backup", restored, name=name)
        assert [fault for _, _, found in verify(restored) for fault in found] == []
        assert current(restored) is not None
        shutil.rmtree(restored.root)


def test_a_database_and_its_digest_are_taken_of_one_moment(
    bureau: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, june, taken = bureau.folder, date(2025, 6, 1), []
    register.take(folder, "湘东区民政局", 2025, (june, "360313", 1))
    real = backups._take

    def then_written(place: Path, path: Path) -> tuple[str, int]:
        made = real(place, path)
        if path.name == "register.sqlite" and len(taken) < 2:
            taken.append(register.take(folder, "湘东区民政局", 2025, (june, "360313", 2 + len(taken))))
        return made

    monkeypatch.setattr(backups, "_take", then_written)
    backups.backup(folder, tmp_path / "backup", now=NOW)
    restored = DataFolder.at(tmp_path / "restored")
    backups.restore(tmp_path / "backup", restored)
    assert taken == [2, 3]
    assert not [fault for _, _, faults in verify(restored) for fault in faults]


def test_a_damaged_content_never_takes_the_place_of_the_whole_one(bureau: World, tmp_path: Path) -> None:
    backups.backup(bureau.folder, tmp_path / "backup", now=NOW)
    path = next(p for p in sorted(bureau.folder.archive.iterdir()) if len(p.name) == 64)
    whole = path.read_bytes()
    flip(path)
    assert backups.backup(bureau.folder, tmp_path / "backup", now=NOW).damaged == (f"archive/{path.name}",)
    backups.restore(tmp_path / "backup", DataFolder.at(tmp_path / "again"))
    assert (tmp_path / "again" / "archive" / path.name).read_bytes() == whole


def test_what_was_moved_to_another_disk_is_in_the_backup(bureau: World, tmp_path: Path) -> None:
    """A bureau moves a full folder to another disk and leaves a link: that is no reason to lose it."""
    root, elsewhere = bureau.folder.root, tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / "letters").mkdir()
    (root / "letters" / "a.docx").write_bytes(b"a letter")
    before = contents(root)
    moved = ["marts/editions", "letters", "archive", "landed/ledger.parquet"]
    moved.append(f"archive/{sorted(path.name for path in bureau.folder.archive.iterdir())[0]}")
    for number, name in enumerate(moved):
        shutil.move((root / name).resolve(), elsewhere / str(number))
        (root / name).symlink_to(elsewhere / str(number))
    backups.backup(bureau.folder, tmp_path / "backup", now=NOW)
    backups.restore(tmp_path / "backup", DataFolder.at(tmp_path / "again"))
    assert contents(tmp_path / "again") == before
    (root / "letters").unlink()
    (root / "letters").symlink_to(tmp_path / "nowhere")
    with pytest.raises(backups.BackupError, match=r"letters 是链接，.*不在了"):
        backups.backup(bureau.folder, tmp_path / "backup", now=NOW)
    (root / "letters").unlink()
    (root / "letters").symlink_to(root)
    with pytest.raises(backups.BackupError, match="letters 是链接，"):
        backups.backup(bureau.folder, tmp_path / "backup", now=NOW)
    # What was moved has a link of its own, to the folder it lies in or to one above.
    for number, round_about in enumerate((elsewhere / "more", elsewhere)):
        (root / "letters").unlink()
        (root / "letters").symlink_to(elsewhere / "more")
        (elsewhere / "more").mkdir(exist_ok=True)
        (elsewhere / "more" / f"round{number}").symlink_to(round_about)
        with pytest.raises(backups.BackupError, match=rf"round{number} 是链接，指回它上面的文件夹"):
            backups.backup(bureau.folder, tmp_path / "backup", now=NOW)
        (elsewhere / "more" / f"round{number}").unlink()


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "a/../../escaped", "keys/../../escaped"])
def test_a_backup_writes_nowhere_but_into_its_folder(bureau: World, tmp_path: Path, name: str) -> None:
    place = tmp_path / "backup"
    backups.backup(bureau.folder, place, now=NOW)
    (listed,) = place.glob("snapshots/*.txt")
    told = unsealed(listed)
    line = " ".join([*told.splitlines()[0].split(" ", 4)[:4], name])
    listed.write_text(sealed(f"{told}{line}\n"), "utf-8")
    with pytest.raises(backups.BackupError, match=r"备份清单.*没有恢复"):
        backups.restore(place, DataFolder.at(tmp_path / "into" / "again"))
    assert not list(tmp_path.rglob("escaped"))


def test_a_backup_that_is_damaged_is_not_restored(bureau: World, tmp_path: Path) -> None:
    place, target = tmp_path / "backup", DataFolder.at(tmp_path / "again")
    backups.backup(bureau.folder, place, now=NOW)
    content = next(path for path in sorted(place.glob("objects/*/*")) if path.stat().st_size)
    flip(content)
    with pytest.raises(backups.BackupError, match="已损坏，没有恢复"):
        backups.restore(place, target)
    flip(content)
    listed = next(place.glob("snapshots/*.txt"))
    flip(listed)
    with pytest.raises(backups.BackupError, match=r"备份清单.*已损坏"):
        backups.restore(place, target)
    flip(listed)
    # What an attempt left behind is no hindrance; what somebody else put there is.
    backups.restore(place, target)
    with pytest.raises(backups.BackupError, match="不是空文件夹"):
        backups.restore(place, target)


@pytest.mark.parametrize("where", ["data/inside", "other"])
def test_no_backup_goes_where_it_would_be_lost_or_do_harm(bureau: World, tmp_path: Path, where: str) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(backups.BackupError):
        backups.backup(bureau.folder, tmp_path / where, now=NOW)
