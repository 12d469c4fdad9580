"""What lies beneath a failure: the disk, the rights, a lock, memory. Said in one sentence, whoever first ran into it.

A full disk comes as an OSError, as an error of SQLite, DuckDB, dbt or Arrow, or as the reason of another error: it is
known by its number, else by the words that each of them has for it.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from oversight.errors import OversightError


@dataclass(frozen=True)
class _Cause:
    numbers: frozenset[int]
    words: re.Pattern[str]
    message_zh: str


SAFE_ZH = "运行未完成，已发布的版本不受影响"
_CAUSES = (
    _Cause(
        frozenset((errno.ENOSPC,)),
        re.compile(
            r"no space left|disk is full|database or disk is full|not enough (disk )?space|空间不足", re.I
        ),
        f"磁盘空间不足，{SAFE_ZH}。请用 df -h 查看并清理数据目录所在的磁盘，再重新运行。",
    ),
    _Cause(
        frozenset((errno.EDQUOT,)),
        re.compile(r"quota exceeded", re.I),
        f"磁盘配额已用完，{SAFE_ZH}。请清理文件或请管理员增加配额，再重新运行。",
    ),
    _Cause(
        frozenset((errno.EROFS,)),
        re.compile(r"read-only file system|readonly database|read only database", re.I),
        f"数据目录{{where}}所在的磁盘是只读的，{SAFE_ZH}。请改为可写（检查磁盘故障或挂载方式），再重新运行。",
    ),
    # SQLite's words for a shared file that cannot grow (the disk is full) and for a broken disk are the same.
    _Cause(
        frozenset(),
        re.compile(r"disk i/o error", re.I),
        f"磁盘空间不足，或磁盘读写出错，{SAFE_ZH}。请先用 df -h 查看并清理数据目录所在的磁盘；空间充足的，请检查磁盘硬件"
        "并运行 oversight verify。然后重新运行。",
    ),
    _Cause(
        frozenset((errno.EIO,)),
        re.compile(r"input/output error|fsync failed", re.I),
        f"磁盘读写出错{{where}}（硬件或网络盘故障），{SAFE_ZH}。请检查磁盘，先运行 oversight verify，再重新运行。",
    ),
    _Cause(
        frozenset((errno.EACCES, errno.EPERM)),
        re.compile(r"permission denied|unable to open database file|operation not permitted", re.I),
        f"没有权限读写{{where}}，{SAFE_ZH}。请检查该文件或目录的所有者和权限，再重新运行。",
    ),
    _Cause(
        frozenset((errno.ETXTBSY,)),
        re.compile(r"could not set lock on file|database is locked|conflicting lock", re.I),
        f"文件{{where}}正被另一个程序占用，{SAFE_ZH}。请关闭打开它的程序（如 DuckDB 客户端），再重新运行。",
    ),
)
# Looked for only where nothing of the above lies beneath: of a full disk the engine says both.
_ENGINE = (
    _Cause(
        frozenset((errno.ENOMEM,)),
        re.compile(r"out of memory|bad_alloc|cannot allocate memory|(failed|unable) to allocate", re.I),
        f"内存不足，{SAFE_ZH}。请关闭其他程序，或换一台内存更大的机器，再重新运行；"
        "数据涉及几个省的，可加 --engine provinces 逐省计算，用的内存少。",
    ),
    _Cause(
        frozenset(),
        re.compile(r"internal error:|within duckdb|database has been invalidated|^fatal error:", re.I | re.M),
        f"数据库引擎内部出错，{SAFE_ZH}。请先运行 oversight verify，再重新运行；若仍失败，请把记录交给维护人员。",
    ),
)
_ENDED_ZH = f"程序被强行结束（被人结束，或内存不够而被系统结束），{SAFE_ZH}。请用 free -m 查看内存是否够用，再重新运行。"
_ABORTED_ZH = f"所用的程序库出错，程序中止，{SAFE_ZH}。请先运行 oversight verify，再重新运行；若仍失败，请把记录交给维护人员。"
_PATH = re.compile(r"(?:file|directory)? ?[\"']([^\"']*/[^\"']+)[\"']")


def cause_zh(error: BaseException) -> str | None:
    """The sentence for what lies beneath an error; None where it is none of these.

    Where we said ourselves that something may not be read, we said it better.
    """
    causes = [c for c in _CAUSES if not (isinstance(error, OversightError) and errno.EACCES in c.numbers)]
    return _first(_chain(error), causes) or _first(
        # Of what we say ourselves only what it quotes: a query that asks for too much is told so.
        [error] if isinstance(error, OversightError) else _chain(error),
        _ENGINE,
    )


def _first(errors: Iterable[BaseException], causes: Iterable[_Cause]) -> str | None:
    for each in errors:
        number = _number(each)
        for cause in causes:
            if number in cause.numbers or (number is None and cause.words.search(_said(each))):
                name = each.filename if isinstance(each, OSError) else None
                return cause.message_zh.format(where=_where(_said(each), name))
    return None


def _number(error: BaseException) -> int | None:
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    return error.errno if isinstance(error, OSError) else None


def told_zh(heard: str, *, is_short_of_memory: bool) -> str:
    """The sentence for a process that ended without one of its own, by what its libraries said last.

    `is_short_of_memory`: the system has killed a process meanwhile to get memory back.
    """
    for cause in (*_CAUSES, *_ENGINE):
        if cause.words.search(heard):
            return cause.message_zh.format(where=_where(heard))
    if is_short_of_memory:
        return _ENGINE[0].message_zh
    return _ABORTED_ZH if heard.strip() else _ENDED_ZH


def _said(error: BaseException) -> str:
    # Ours are whole sentences; what one quotes of others is what matters.
    return str(error)[:4000]


def _where(said: str, name: str | None = None) -> str:
    if name is None:
        found = _PATH.search(said)
        name = found[1] if found else None
    return f" {name} " if name is not None else ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came of, each once."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        each = todo.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        todo += [each.__cause__, each.__context__, getattr(each, "orig", None)]
