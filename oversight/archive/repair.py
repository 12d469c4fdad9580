"""Putting right what can be made again from what is still whole, and saying what cannot.

In the order in which one rests on the other: contents from the files in raw/, the ledger from its journal or the journal
from the ledger, landed rows from the contents, the pointer from the newest whole edition. Call it under the run's lock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from oversight.archive import store
from oversight.archive.sums import not_vouched
from oversight.archive.verify import Fault, edition_faults, verify
from oversight.editions.edition import STABLE, current, list_editions
from oversight.editions.publish import lead, point
from oversight.errors import OversightError
from oversight.intake import landed, landing, ledger
from oversight.intake.raw_files import scan
from oversight.reports import register
from oversight.reports import store as papers
from oversight.settings import DataFolder


def repair(folder: DataFolder, *, say: Callable[[str], None], now: datetime) -> list[Fault]:
    """Put right what can be; returns what is still wrong afterwards."""
    store.clear_leftovers(folder)
    _contents(folder, say)
    try:
        before = {path for path, _ in ledger.differing(folder)}
        told = ledger.read(folder)
        if before:
            ledger.write(folder, told)
            say(f"  ✓ 收文台账与流水已互相补齐：{'、'.join(sorted(path.name for path in before))}")
    except OversightError as error:
        say(f"  ✗ {error}")
    else:
        damaged = landed.load_sound(folder).damaged
        if damaged:
            try:
                files = scan(folder)
                landing.land(folder, files, ledger.enter(told, files, now), lambda line: say(f"  {line}"))
                say(f"  ✓ 落库数据已从存档重新读取（{len(damaged)} 个文件损坏）")
            except OversightError as error:
                say(f"  ✗ {error}")
    _pointer(folder, say)
    _register(folder, say)
    _actions(folder, say)
    return [fault for _, _, faults in verify(folder) for fault in faults]


def _contents(folder: DataFolder, say: Callable[[str], None]) -> None:
    """Contents that are damaged or missing, from the same contents in raw/."""
    wrong = {
        fault.path.stem
        for _, _, faults in verify(folder, ["archive"])
        for fault in faults
        if store.DIGEST.fullmatch(fault.path.stem)
    }
    if not wrong:
        return
    for file in scan(folder, keeping=False):
        if file.sha256 in wrong and file.refusal is None:
            sealed = store.sealed_place(folder, file.sha256)
            known = {item.sha256: item for item in store.personal(folder)}
            # Written beside it first: what is there of a damaged content may still be of use.
            if sealed.is_file():
                sealed.replace(sealed.with_name(f".{sealed.name}.damaged"))
            if store.keep_file(folder, file.path)[0] != file.sha256:
                continue
            if file.sha256 in known:
                store.encrypt(folder, file.sha256, known[file.sha256].delete_on)
            sealed.with_name(f".{sealed.name}.damaged").unlink(missing_ok=True)
            store.settle(folder)
            say(f"  ✓ 存档 {file.sha256} 已用 raw 中的“{file.name}”补上")


def _pointer(folder: DataFolder, say: Callable[[str], None]) -> None:
    """The pointer to the newest edition that is whole, where it names none or one that is not."""
    now = current(folder)
    if now is not None and not edition_faults(folder, now.path):
        stable = folder.marts / STABLE
        if stable.resolve() != now.path.resolve() and lead(folder, now.edition_id):
            say(f"  ✓ 固定路径 {stable} 已通向当前版本 {now.edition_id}")
        return
    for edition in list_editions(folder):
        if not edition_faults(folder, edition.path):
            point(folder, edition.edition_id)
            say(f"  ✓ 当前版本已指向最近一个完好的版本 {edition.edition_id}")
            return
    if list_editions(folder):
        say("  ✗ 没有一个完好的版本可以指向。请运行 oversight run --again 重新算出一版，或从备份恢复。")


def _register(folder: DataFolder, say: Callable[[str], None]) -> None:
    """The register of numbers from the papers, which carry them."""
    path = papers.reports_folder(folder) / register.REGISTER
    if not_vouched(path):
        with papers.lock(folder):
            register.rebuild(folder)
        say("  ✓ 发文登记已由各份通报重新登记")


def _actions(folder: DataFolder, say: Callable[[str], None]) -> None:
    """What was done about findings, in the bytes in which it was written."""
    from oversight.workflow import following

    for path in following.respell(folder):
        say(f"  ✓ {path.relative_to(folder.root)} 已按系统写下的样子写回，意思没有变")
