"""`verify` names what changed and what rests on it; `repair` puts right what it can and says what it cannot."""

from __future__ import annotations

import json
import random
import shutil
import sys
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from oversight import cli, whole_run
from oversight.archive import store
from oversight.archive.sums import as_json, is_as_written
from oversight.archive.verify import NOT_LOOKED_AT, verify
from oversight.editions import current, find_edition
from oversight.editions.edition import POINTER, STABLE
from oversight.editions.keys import signing_key
from oversight.errors import OversightError
from oversight.intake import ledger
from oversight.reports import store as papers
from oversight.settings import DataFolder
from oversight.workflow import letters
from oversight.workflow.following import FollowError
from tests.archive.conftest import publish_number
from tests.archive.test_truth import flip
from tests.faults import harness
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
        current(folder).path / "parquet" / "townships" / "2025.parquet",  # type: ignore[union-attr]
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


def test_an_edition_in_the_place_of_another_is_named(
    unchanged: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every byte of it is signed; only the name it lies under is another one's."""
    base = unchanged.folder.marts / "editions"
    older, newest = sorted(base.iterdir())
    shutil.copytree(older, base / "20990101-000000-aaaaaaaa")
    code, out = told(unchanged, capsys, "verify")
    assert code == 1
    assert "20990101-000000-aaaaaaaa/manifest.json" in out
    assert older.name in out
    shutil.rmtree(base / "20990101-000000-aaaaaaaa")
    shutil.rmtree(newest)
    shutil.copytree(older, newest)
    assert told(unchanged, capsys, "verify")[0] == 1
    said: list[str] = []
    assert whole_run.run(unchanged.folder, say=said.append, now=NOW).is_new
    assert "有损坏" in said[0]


def test_a_run_does_not_go_on_from_a_ledger_that_forgot_what_an_edition_used(
    unchanged: World, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = unchanged.folder
    kept = {path: path.read_bytes() for path in (ledger.ledger_path(folder), ledger.journal_path(folder))}
    unchanged.put("更正.csv", b"x")
    unchanged.take_in()
    edition = publish_number(folder, 4, made_of=unchanged.submission("更正.csv")["sha256"])
    (folder.raw / "更正.csv").unlink()
    for path, content in kept.items():
        path.write_bytes(content)
    shutil.rmtree(folder.landed / "batches")
    code, out = told(unchanged, capsys, "verify")
    assert code == 1
    assert "ledger.parquet" in out
    with pytest.raises(OversightError, match=rf"{edition}.*请从备份恢复"):
        whole_run.check_ledger(folder)


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
    "name", ["warehouse.duckdb", "parquet/townships/2025.parquet", "manifest.json", "manifest.sig"]
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


@pytest.fixture(scope="module")
def full(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which everything lies that a bureau's folder may hold."""
    root = tmp_path_factory.mktemp("full") / "data"
    shutil.copytree(made, root, symlinks=True)
    harness.fill(DataFolder.at(root))
    for name in ("headings.csv", "settings.toml", "standards/funds.csv", "logs/serve.log", "returned/a.xlsx"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).touch()
    return root


def test_what_was_written_before_there_were_digests_is_taken_at_its_word(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"id": "收", "a": 1}, ensure_ascii=False, indent=1) + "\n", "utf-8")
    assert is_as_written(path)


def test_a_bit_that_makes_half_a_character_is_told_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for escaped in (b"\\udc40", b"\\ud83d"):
        path.write_bytes(as_json({"id": "T" + escaped[1:].decode()}).replace(b"T" + escaped[1:], escaped))
        assert not is_as_written(path)


def faults_of(folder: DataFolder, *groups: str) -> set[str]:
    return {
        fault.path.relative_to(folder.root).as_posix()
        for _, _, faults in verify(folder, groups)
        for fault in faults
    }


def test_every_file_of_a_full_folder_is_looked_at_or_said_not_to_be(full: Path) -> None:
    folder, chance = DataFolder.at(full), random.Random(2)
    assert faults_of(folder) == set()
    own = {"archive", "landed", "marts"}  # tried file by file above
    groups = {"reports": "reports", "keys": "keys"}
    seen = set()
    for path in sorted(p for p in full.rglob("*") if p.is_file() and not p.name.startswith(".")):
        name = path.relative_to(full).as_posix()
        top = name.partition("/")[0]
        if top in own or any(fnmatch(name, pattern) for pattern, _ in NOT_LOOKED_AT):
            continue
        seen.add(top)
        at = chance.randrange(path.stat().st_size)
        flip(path, at)
        found = faults_of(folder, groups.get(top, "desk"))
        flip(path, at)
        # A digest or a signature is one with what it vouches for, and the ledger of findings is named as a whole.
        alike = {
            name,
            name.removesuffix(".sha256"),
            name.removesuffix(".sig"),
            *({top} if top == "findings" else ()),
        }
        assert found & alike or (found and top == "keys"), (name, at, found)
    # Receipts are tried one by one in tests/editions/test_receipts.py.
    assert seen == {"reports", "keys", "reviews", "handed_in", "queries", "letters", "findings"}
    assert faults_of(folder) == set()


def test_the_name_of_a_digest_is_vouched_for_too(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(as_json({"id": "a", "sha256": "0" * 64}))
    for at in range(path.stat().st_size):
        flip(path, at)
        assert not is_as_written(path), at
        flip(path, at)
    assert is_as_written(path)


def test_a_paper_that_is_gone_is_named(full: Path) -> None:
    folder = DataFolder.at(full)
    place = papers.scope_folder(folder, date(2025, 6, 1), "360313")
    aside = full / "aside.json"
    (place / "v1" / "manifest.json").rename(aside)
    assert faults_of(folder, "reports") == {"reports/2025-06/360313/v1/manifest.json"}
    aside.rename(place / "v1" / "manifest.json")
    (place / "v1").rename(place / "v2")
    assert "reports/2025-06/360313/v1" in faults_of(folder, "reports")
    (place / "v2").rename(place / "v1")


def test_letters_are_not_written_upon_a_damaged_ledger(full: Path) -> None:
    folder = DataFolder.at(full)
    ledger_of_letters = letters.home(folder) / "letters.sqlite"
    flip(ledger_of_letters, 5000)
    with pytest.raises(OversightError, match=r"letters\.sqlite 已损坏"):
        letters.discard(folder, ["x"], by="甲", why="重复")
    flip(ledger_of_letters, 5000)
    with pytest.raises(FollowError, match="没有这件文书"):
        letters.discard(folder, ["x"], by="甲", why="重复")
    assert faults_of(folder, "desk") == set()


def test_every_bit_of_a_key_is_held(full: Path) -> None:
    folder = DataFolder.at(full)
    for path in (folder.keys / "signing.key", folder.keys / "signing.pub"):
        before = path.read_bytes()
        # Where the text says what kind of key it is, too: that is told by an error of its own.
        for at in range(28, len(before)):
            path.write_bytes(before[:at] + bytes([before[at] ^ 4]) + before[at + 1 :])
            assert faults_of(folder, "keys"), (path.name, at)
        path.write_bytes(before)
    assert faults_of(folder, "keys") == set()


def test_a_key_that_changed_does_not_make_good_editions_look_forged(full: Path) -> None:
    folder = DataFolder.at(full)
    private, public = folder.keys / "signing.key", folder.keys / "signing.pub"
    before = private.read_bytes(), public.read_bytes()
    private.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    assert faults_of(folder, "keys") == {"keys/signing.key"}
    signing_key(folder)
    assert faults_of(folder, "editions", "keys") == set()
    for path, content in zip((private, public), before, strict=True):
        path.write_bytes(content)
