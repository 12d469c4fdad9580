"""The record: who did what, when, from where. Lines are added and never changed, each carrying the digest of the one
before, so that a line changed, cut out or slipped in shows; each signed edition carries the head of its time, so that
cutting off the end shows too.

A line's digest is SHA-256 over its canonical form: the JSON object of all its columns but `digest`, keys sorted, no
spaces, UTF-8 as it is. The first line's `previous` is 64 zeros. The record is kept from a folder's first account on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oversight import personal
from oversight.accounts.exist import StoreError, exist
from oversight.settings import DataFolder

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

START = "0" * 64
WHAT = {
    "sign_in": "登录",
    "sign_in_failed": "登录失败",
    "locked": "账号锁定",
    "sign_out": "退出",
    "refused": "拒绝访问",
    "query": "查询",
    "download": "下载",
    "hand_in": "报送",
    "run": "运行",
    "report": "通报",
    "finding": "问题整改",
    "letter": "文书",
    "standards": "标准变更",
    "corrections": "更正与确认",
    "account": "账号变更",
    "password": "密码变更",  # nosec B105 - a word for the record
    "export": "导出",
}
_FIELDS = ("number", "at", "who", "role", "divisions", "address", "what", "detail", "previous")


@dataclass(frozen=True)
class Line:
    """A line as it is kept."""

    number: int
    at: str
    who: str
    role: str
    divisions: str
    address: str
    what: str
    detail: str
    previous: str
    digest: str

    @property
    def told(self) -> dict[str, Any]:
        """What was done, as it was noted."""
        found: dict[str, Any] = json.loads(self.detail)
        return found

    @property
    def text(self) -> str:
        """What was done, for people."""
        return "；".join(
            f"{name}：{'、'.join(map(str, value)) if isinstance(value, list) else value}"
            for name, value in self.told.items()
            if value not in ("", None, []) and not isinstance(value, dict)
        )


def note(folder: DataFolder, what: str, **detail: Any) -> None:
    """Add a line about what whoever sent this request, or sits at this command line, does. Raises `StoreError`."""
    if not exist(folder):
        return
    from oversight.accounts.identity import acting

    actor = acting()
    add(folder, actor.name, actor.role, actor.divisions, actor.address, what, detail)


def note_all(folder: DataFolder, what: str, details: Iterable[Mapping[str, Any]]) -> None:
    """Add a line each, all or none, as `note` does. Raises `StoreError`."""
    if not exist(folder):
        return
    from oversight.accounts.identity import acting
    from oversight.accounts.store import writing

    actor = acting()
    with writing(folder) as session:
        _add_all(session, actor.name, actor.role, actor.divisions, actor.address, what, details)


def add(
    folder: DataFolder,
    who: str,
    role: str,
    divisions: Sequence[str],
    address: str,
    what: str,
    detail: Mapping[str, Any],
) -> Line:
    """Add a line. Raises `StoreError`."""
    from oversight.accounts.store import writing

    with writing(folder) as session:
        return add_to(session, who, role, divisions, address, what, detail)


def add_to(
    session: Session,
    who: str,
    role: str,
    divisions: Sequence[str],
    address: str,
    what: str,
    detail: Mapping[str, Any],
) -> Line:
    """Add a line with the change it tells of: both stand, or neither."""
    (line,) = _add_all(session, who, role, divisions, address, what, [detail])
    return line


def _add_all(
    session: Session,
    who: str,
    role: str,
    divisions: Sequence[str],
    address: str,
    what: str,
    details: Iterable[Mapping[str, Any]],
) -> list[Line]:
    import sqlalchemy as sa

    from oversight.accounts.store import RECORD_LOCK, Entry, now

    if what not in WHAT:
        raise ValueError(what)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"select pg_advisory_xact_lock({RECORD_LOCK})"))
    last = session.execute(
        sa.select(Entry.number, Entry.digest).order_by(Entry.number.desc()).limit(1)
    ).first()
    number, previous = (last.number, last.digest) if last else (0, START)
    lines = []
    for detail in details:
        number += 1
        fields: dict[str, Any] = {
            "number": number,
            "at": now(),
            "who": masked(who)[:100],
            "role": role,
            "divisions": ",".join(divisions),
            "address": address[:64],
            "what": what,
            "detail": canonical({name: _masked(value) for name, value in detail.items()}),
            "previous": previous,
        }
        previous = digest_of(fields)
        lines.append(Line(**fields, digest=previous))
    if lines:
        # As rows of the table, not as objects of the session: a bureau's day may note thousands.
        session.connection().execute(sa.insert(Entry), [vars(line) for line in lines])
    return lines


def canonical(value: Any) -> str:
    """The one way a value is written."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(fields: Mapping[str, Any]) -> str:
    """A line's digest."""
    return hashlib.sha256(canonical({name: fields[name] for name in _FIELDS}).encode()).hexdigest()


def masked(text: str) -> str:
    """A text as it may stand in the record: without ID and telephone numbers, and without what no database keeps."""
    return personal.masked(text.replace("\x00", "").encode("utf-8", "replace").decode())


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {str(name): _masked(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(item) for item in value]
    return value


def head(folder: DataFolder) -> dict[str, Any] | None:
    """The last line's number, digest and time, to be kept where the record's keeper cannot change it; None before the
    first line."""
    if not exist(folder):
        return None
    import sqlalchemy as sa

    from oversight.accounts.store import Entry, reading

    with reading(folder) as session:
        last = session.execute(
            sa.select(Entry.number, Entry.digest, Entry.at).order_by(Entry.number.desc()).limit(1)
        ).first()
    return {"number": last.number, "digest": last.digest, "at": last.at} if last else None


def _anchored(folder: DataFolder) -> Iterator[Mapping[str, Any]]:
    """The heads that the editions kept here carry. Whether an edition is as it was signed is verified elsewhere."""
    for path in sorted(folder.marts.glob("editions/*/manifest.json")):
        try:
            told = json.loads(path.read_text("utf-8")).get("record") or {}
        except (OSError, ValueError):
            continue
        if told.get("head"):
            yield told["head"]


def check(folder: DataFolder, anchors: Iterable[Mapping[str, Any]] = ()) -> list[str]:
    """What is wrong with the record, one sentence each; nothing when it is whole.

    The heads that editions carry must still stand as they were, and so must `anchors`: heads kept anywhere else, as
    `head` gave them.
    """
    wanted: dict[int, set[str]] = {}
    for item in (*_anchored(folder), *anchors):
        wanted.setdefault(int(item["number"]), set()).add(str(item["digest"]))
    if not exist(folder):
        return _lost(wanted)
    try:
        return _check(folder, wanted)
    except StoreError as error:
        return [f"留痕不能核对：{error}"]


def _check(folder: DataFolder, wanted: dict[int, set[str]]) -> list[str]:
    wrong = []
    before, number = START, 0
    for line in lines(folder):
        if line.number != number + 1:
            wrong.append(f"留痕缺少第 {number + 1} 条至第 {line.number - 1} 条：有记录被删除。请从备份核对。")
        elif line.previous != before:
            wrong.append(f"留痕第 {line.number} 条与上一条接不上：有记录被改动或替换。请从备份核对。")
        if line.digest != digest_of({name: getattr(line, name) for name in _FIELDS}):
            wrong.append(f"留痕第 {line.number} 条（{line.at}）的内容被改动过。请从备份核对。")
        if wanted.pop(line.number, {line.digest}) != {line.digest}:
            wrong.append(f"留痕第 {line.number} 条与签名版本中所记的不同：留痕被改写。请从备份核对。")
        before, number = line.digest, line.number
        if len(wrong) >= 20:
            wrong.append("其余未再列出。")
            break
    return wrong + _lost(wanted)


def _lost(wanted: dict[int, set[str]]) -> list[str]:
    if not wanted:
        return []
    return [f"签名版本记有留痕第 {max(wanted)} 条，现在没有：留痕的末尾被截去。请从备份恢复。"]


def lines(
    folder: DataFolder,
    *,
    newest_first: bool = False,
    what: str = "",
    who: str = "",
    since: str = "",
    until: str = "",
    limit: int | None = None,
) -> Iterator[Line]:
    """Lines, read little by little: the record may be long. Raises `StoreError`."""
    import sqlalchemy as sa

    from oversight.accounts.store import Entry, reading

    order = Entry.number.desc() if newest_first else Entry.number
    query = sa.select(Entry).order_by(order)
    if what:
        query = query.where(Entry.what == what)
    if who:
        query = query.where(Entry.who == who)
    if since:
        query = query.where(Entry.at >= since)
    if until:
        query = query.where(Entry.at < until)
    if limit is not None:
        query = query.limit(limit)
    with reading(folder) as session:
        for entry in session.execute(query.execution_options(yield_per=1000)).scalars():
            yield Line(**{name: getattr(entry, name) for name in (*_FIELDS, "digest")})


def note_files(folder: DataFolder, what: str, places: Iterable[Path]) -> bool:
    """Add a line when files that people change by hand are no longer as the last such line tells; whether it was."""
    if not exist(folder):
        return False
    found = {
        str(path.relative_to(folder.root)): hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for place in places
        for path in (sorted(place.rglob("*")) if place.is_dir() else [place])
        if path.is_file() and not path.name.startswith(".")
    }
    # Lines of the same kind also tell what somebody decided; those of the files name them all, with their digests.
    told = (line.told.get("文件") for line in lines(folder, newest_first=True, what=what))
    before: dict[str, str] = next((files for files in told if isinstance(files, dict)), {})
    # Names are masked in the record; so are those compared with them.
    found = {masked(name): digest for name, digest in found.items()}
    if found == before:
        return False
    changed = sorted(name for name in found.keys() | before.keys() if found.get(name) != before.get(name))
    note(folder, what, 变动=changed, 文件=found)
    return True
