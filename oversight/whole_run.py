"""A whole run over a data folder: is anything new, and if so, hand it to the orchestrator.

The domain knows no orchestrator (import-linter holds that), so `oversight run` finds it by name. The check for
changes stands before it on purpose: importing Dagster, dbt and Great Expectations costs several times what the
check does.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from oversight import durable
from oversight.archive.store import JOURNAL
from oversight.editions.build import DUCKDB, check_engine, forget
from oversight.editions.code import code_version
from oversight.editions.edition import Edition, EditionError, Fingerprints, current, list_editions
from oversight.editions.lock import run_lock
from oversight.editions.publish import lead, point
from oversight.errors import OversightError
from oversight.loading import lasting_imports
from oversight.settings import DataFolder

# `execute(folder, say, now, engine, at_once)` of this module runs every asset and returns the edition that then stands.
ORCHESTRATOR = "dagster_project.run_job"


@dataclass(frozen=True)
class Outcome:
    """The edition that stands after a run, and whether the run made it.

    `differing`: after a run from nothing, the tables that say something else than those of the edition before it
    that was made from the same files, standards and program; None where there is no such edition.
    """

    edition: Edition
    is_new: bool
    before: Edition | None = None
    differing: tuple[str, ...] | None = None


def fingerprints(folder: DataFolder) -> Fingerprints:
    """What an edition made now would be made from."""
    from oversight.intake import input_fingerprint
    from oversight.standards import standards_fingerprint

    return Fingerprints(input_fingerprint(folder), standards_fingerprint(folder), code_version())


def unchanged(folder: DataFolder) -> Edition | None:
    """The current edition, if one made now would say the same."""
    edition = current(folder)
    try:
        if edition is None:
            return None
        now = fingerprints(folder)
        # One that was gone back to stands as long as nothing comes after.
        return edition if now in (edition.made_from, edition.stands_for) else None
    except EditionError:
        # Its manifest is damaged: it is not known what it was made from.
        return None


def check_ledger(folder: DataFolder) -> None:
    """Raise where the ledger does not know any more what the current edition was made of.

    What came stays in force; an edition made without it would say, signed, that it never came.
    """
    from oversight.archive.store import DIGEST
    from oversight.intake import ledger

    edition = current(folder)
    try:
        used = [item["sha256"] for item in edition.manifest.get("inputs", [])] if edition else []
    except EditionError:
        # Its manifest is damaged: it is not known what it was made from, and a new one is made.
        return
    known = set(ledger.read(folder)["sha256"])
    count = sum(bool(DIGEST.fullmatch(sha256)) and sha256 not in known for sha256 in used)
    if edition and count:
        raise OversightError(
            f"收文台账 {ledger.ledger_path(folder)} 里没有当前版本 {edition.edition_id} 用过的 {count} 份文件，未发布新版本。"
            f"请从备份恢复该文件和流水 {ledger.journal_path(folder)}，再重新运行；要重新开始，请用 oversight init 另建数据目录。"
        )


def check_folder(folder: DataFolder) -> None:
    """Raise, saying what to do, when there is nothing to make an edition from."""
    if not folder.root.is_dir():
        raise OversightError(
            f"没有数据目录 {folder.root}。请用 oversight init {folder.root} 新建，或检查 --data 的路径。"
        )
    if not folder.raw.is_dir():
        raise OversightError(
            f"{folder.root} 不是数据目录：缺少 raw 文件夹。"
            f"请用 oversight init {folder.root} 补齐，再把各乡镇报来的文件放进 raw。"
        )
    has_files = any(path.is_file() and path.name != ".gitkeep" for path in folder.raw.rglob("*"))
    # What was once received stays in force even when the files have been moved away.
    received = (folder.landed / "batches").is_dir() or (folder.archive / JOURNAL).is_file()
    if not has_files and not received and not (folder.sources_toml.is_file() and _has_sources(folder)):
        raise OversightError(
            f"{folder.raw} 里没有文件。请先放入行政区划表，再放各乡镇报来的 Excel 或 CSV 文件，然后运行。"
        )


def _has_sources(folder: DataFolder) -> bool:
    """Whether the folder pulls from anywhere: the example that `init` writes does not."""
    from oversight.sources import read_sources

    return bool(read_sources(folder))


def run(
    folder: DataFolder,
    *,
    say: Callable[[str], None],
    now: datetime,
    even_if_unchanged: bool = False,
    pulling: bool = True,
    engine: str = DUCKDB,
    at_once: int = 1,
) -> Outcome:
    """Pull, compare, and unless nothing is new, take in, build, audit and publish.

    `even_if_unchanged` does so in any case, and from nothing: every content is read again from the archive, and no
    figure is taken over from the last run. `pulling` fetches from the sources first. `engine` computes the models, and
    where that is done by province `at_once` of them at a time.
    """
    check_engine(engine)
    check_folder(folder)
    with run_lock(folder):
        if pulling and folder.sources_toml.is_file():
            from oversight.sources import pull

            pull(folder, say=say)
        _restore_pointer(folder, say)
        edition = unchanged(folder)
        damage = _damage(folder)
        if damage:
            say(f"当前版本有损坏（{damage}），重新发布一版")
            edition = None
        if edition and not even_if_unchanged:
            return Outcome(edition, is_new=False)
        if even_if_unchanged:
            from oversight.intake.landing import read_again

            forget(folder)
            durable.write_text(read_again(folder), "", lasting=False)
        with lasting_imports():
            orchestrator = importlib.import_module(ORCHESTRATOR)
        made: Edition = orchestrator.execute(folder, say=say, now=now, engine=engine, at_once=at_once)
        return Outcome(made, is_new=True, before=edition, differing=_differing(edition, made))


def _restore_pointer(folder: DataFolder, say: Callable[[str], None]) -> None:
    """Where the pointer is lost or names nothing, the newest edition that is whole is the current one."""
    found = current(folder)
    if found is not None:
        # A folder that was copied or restored has the pointer and perhaps no link.
        lead(folder, found.edition_id)
        return
    for edition in list_editions(folder):
        if not _damage_of(folder, edition):
            point(folder, edition.edition_id)
            say(f"当前版本的指针缺失或有误，已指向最近一个完好的版本 {edition.edition_id}")
            return


def _damage(folder: DataFolder) -> str:
    """The first thing that is wrong with the current edition, if anything is."""
    edition = current(folder)
    return _damage_of(folder, edition) if edition else ""


def _damage_of(folder: DataFolder, edition: Edition) -> str:
    from oversight.editions import seal
    from oversight.editions.keys import trusted_keys

    seen = seal.check_in_place(edition.path, trusted_keys(folder), by_sha256_alone=True)
    found = [damage for damage in seen if damage.kind not in _NO_DAMAGE]
    return found[0].message_zh.rstrip("。") if found else ""


# Of an edition that was made before there were signatures, or by another key, every byte may be what it was.
_NO_DAMAGE = ("unsigned", "foreign_key")


def _differing(before: Edition | None, now: Edition) -> tuple[str, ...] | None:
    # Fingerprints of two engines cannot be compared.
    if before is None or before.manifest["engine"] != now.manifest["engine"]:
        return None
    tables = [edition.manifest["tables"] for edition in (before, now)]
    return tuple(
        sorted(
            name for name in tables[0].keys() | tables[1].keys() if tables[0].get(name) != tables[1].get(name)
        )
    )
