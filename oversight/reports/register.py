"""The register of numbers (发文登记): one paper a number, by issuer and year, taken under the reports' lock.

A number is entered before the paper is written, under the paper's own key: an attempt that is cut off finds the
same number again. The register can be made anew from the papers, which carry their numbers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from oversight import presentation
from oversight.archive.sums import vouched
from oversight.reports import store
from oversight.reports.errors import ReportError
from oversight.settings import DataFolder

REGISTER = "register.sqlite"
_SCHEMA = """
create table if not exists numbers (
    issuer text not null, year integer not null, number integer not null,
    month text not null, scope_code text not null, version integer not null,
    primary key (issuer, year, number), unique (month, scope_code, version)
)
"""


@dataclass(frozen=True)
class Entry:
    """A number taken: by whom, in which year, for which paper."""

    issuer: str
    year: int
    number: int
    month: str
    scope_code: str
    version: int


def take(
    folder: DataFolder,
    issuer: str,
    year: int,
    paper: tuple[date, str, int],
    *,
    first: int = 1,
    wanted: int | None = None,
) -> int:
    """A number for the paper (month, division, version): the one it has, the one wanted, or the next.

    Raises `ReportError` when the number wanted is another paper's. Call it under the reports' lock.
    """
    month, scope_code, version = presentation.month_code(paper[0]), paper[1], paper[2]
    with _writing(folder), _opened(folder) as register:
        held = register.execute(
            "select issuer, year, number from numbers where month = ? and scope_code = ? and version = ?",
            (month, scope_code, version),
        ).fetchone()
        if held and held[:2] == (issuer, year) and wanted in (None, held[2]):
            return int(held[2])
        if wanted is None:
            (last,) = register.execute(
                "select max(number) from numbers where issuer = ? and year = ? and (month, scope_code, version) "
                "is not (?, ?, ?)",
                (issuer, year, month, scope_code, version),
            ).fetchone()
            wanted = max(first, (last or 0) + 1)
        taken = register.execute(
            "select month, scope_code from numbers where issuer = ? and year = ? and number = ? "
            "and (month, scope_code, version) is not (?, ?, ?)",
            (issuer, year, wanted, month, scope_code, version),
        ).fetchone()
        if taken:
            raise ReportError(
                f"{issuer}{year}年{wanted}号已由 {taken[0]} {taken[1]} 的通报使用。请换一个号，或不写 --number。"
            )
        register.execute(
            "insert into numbers values (?, ?, ?, ?, ?, ?) on conflict (month, scope_code, version) "
            "do update set issuer = excluded.issuer, year = excluded.year, number = excluded.number",
            (issuer, year, wanted, month, scope_code, version),
        )
        return wanted


def rebuild(folder: DataFolder) -> None:
    """Make the register anew from the papers, which carry their numbers. Call it under the reports' lock."""
    path = store.reports_folder(folder) / REGISTER
    for old in (path, path.with_name(f"{path.name}.sha256")):
        old.unlink(missing_ok=True)
    with vouched(path), _opened(folder):
        pass


@contextmanager
def _writing(folder: DataFolder) -> Iterator[None]:
    path = store.reports_folder(folder) / REGISTER
    if not path.is_file():
        # Made anew from the papers.
        path.with_name(f"{path.name}.sha256").unlink(missing_ok=True)
    with vouched(path):
        yield


def entries(folder: DataFolder) -> list[Entry]:
    """Every number taken, by issuer, year and number."""
    with _opened(folder) as register:
        return [
            Entry(*row) for row in register.execute("select * from numbers order by issuer, year, number")
        ]


@contextmanager
def _opened(folder: DataFolder) -> Iterator[sqlite3.Connection]:
    path = store.reports_folder(folder) / REGISTER
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.is_file()
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        connection.execute("pragma synchronous = full")
        connection.execute(_SCHEMA)
        if is_new:
            connection.executemany(
                "insert or ignore into numbers values (?, ?, ?, ?, ?, ?)",
                [
                    (
                        told["issuer"],
                        int(told["issued_on"][:4]),
                        told["number"],
                        told["month"],
                        told["scope_code"],
                        told["version"],
                    )
                    for version in store.archive(folder)
                    for told in [version.manifest]
                ],
            )
        yield connection
    finally:
        connection.close()
