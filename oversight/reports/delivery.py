"""Sending a version to those named in the settings: exactly once for each month, division, version and recipient.

The ledger `reports/deliveries.sqlite` is written through to the disk before and after each step.

A folder: the files are staged beside their place and renamed into it, so doing it again after a crash changes
nothing. E-mail: a message counts as `sending` from just before its last line goes out until the server's answer
is in the ledger. A crash before that point leaves nothing behind at the server, and the next run sends. A crash
after it cannot tell whether the server took the message: it is not sent again on its own but reported, and
`--send-again` sends it once someone has looked. The Message-ID is made from the key, so that a mailbox that
already has the message can recognise it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import smtplib
import socket
import sqlite3
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from oversight import durable
from oversight.archive.sums import vouched
from oversight.reports import config, store
from oversight.reports.errors import ReportError
from oversight.reports.store import FORMATS, Version
from oversight.settings import TIME_ZONE, DataFolder

LEDGER = "deliveries.sqlite"
_MIME = {
    "docx": ("application", "vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "pdf": ("application", "pdf"),
    "xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "html": ("text", "html"),
}
_SCHEMA = """
create table if not exists deliveries (
    month text not null, scope_code text not null, version integer not null,
    recipient text not null, address text not null, state text not null check (state in ('sending', 'sent')),
    at text not null, formats text not null, edition_id text not null, message_id text not null,
    primary key (month, scope_code, version, recipient)
)
"""


def _nothing(_: str) -> None:
    """No one needs to know which step is being taken."""


@dataclass(frozen=True)
class Parcel:
    """A paper as it is delivered: what it is in the ledger (month, division, version), what it is called, its files."""

    month: str
    scope_code: str
    number: int
    title: str
    document_no: str
    edition_id: str
    folder_name: str
    # form → (file name, content)
    files: Mapping[str, tuple[str, bytes]]
    # What a mail says; without it, what is enclosed.
    text: str = ""

    def key(self, recipient: str) -> tuple[str, str, int, str]:
        """What is delivered once."""
        return self.month, self.scope_code, self.number, recipient


def deliver(
    folder: DataFolder,
    version: Version,
    *,
    again: str | None = None,
    on_step: Callable[[str], None] = _nothing,
) -> list[str]:
    """Send a version to everyone it is meant for who has not had it; what was done, a line a recipient.

    Nothing goes out unless every part for every recipient is there and unchanged. `again` names a recipient
    whose last attempt was cut off. Raises `ReportError`, naming the recipients, when some could not be served;
    the others are.
    """
    if version.is_draft:
        raise ReportError("草稿不能发送。请审核并印发（oversight report review、issue）后再发送。")
    if version.state == "withdrawn":
        raise ReportError(f"{version.document_no or version.title}已经撤回，不能发送。")
    settings = config.load(folder, str(version.manifest["scope_code"])).settings
    wanted = [item for item in settings.get("delivery", []) if _is_for(item, version)]
    names = [str(item["name"]) for item in wanted]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise ReportError(
            f"[[delivery]] 里有重名的接收方：{'、'.join(sorted(doubled))}。请改正 report.toml。"
        )
    if again is not None and again not in names:
        raise ReportError(f"没有名为“{again}”的接收方，可用的有：{'、'.join(names) or '无'}。")
    with store.lock(folder):
        forms = sorted({form for item in wanted for form in _formats(item)})
        told = version.manifest
        parcel = Parcel(
            str(told["month"]),
            str(told["scope_code"]),
            version.number,
            str(told["title"]),
            version.document_no,
            version.edition_id,
            f"{told['month']}_{told['scope_code']}_v{version.number}",
            {form: (version.file(form).name, version.verified(form)) for form in forms},
        )
        done = send(folder, settings, parcel, wanted, again=again, on_step=on_step)
    return done or ["没有设置接收方，未发送（见 report/report.toml 的 [[delivery]]）。"]


def send(
    folder: DataFolder,
    settings: Mapping[str, Any],
    parcel: Parcel,
    wanted: Sequence[Mapping[str, Any]],
    *,
    again: str | None = None,
    on_step: Callable[[str], None] = _nothing,
) -> list[str]:
    """Deliver a parcel to each recipient who has not had it. Call it under the reports' lock. Raises as `deliver`."""
    with opened(folder) as post:
        on_step("verified")
        return post.send(settings, parcel, wanted, again=again, on_step=on_step)


@dataclass(frozen=True)
class Post:
    """The open ledger of deliveries."""

    ledger: sqlite3.Connection

    def has_sent(self, key: tuple[str, str, int, str]) -> bool:
        """Whether what is delivered once has gone out."""
        return _state(self.ledger, key) == "sent"

    def send(
        self,
        settings: Mapping[str, Any],
        parcel: Parcel,
        wanted: Sequence[Mapping[str, Any]],
        *,
        again: str | None = None,
        on_step: Callable[[str], None] = _nothing,
    ) -> list[str]:
        """As `send`, one parcel after the other."""
        done, failed = [], []
        for item in wanted:
            try:
                done.append(_one(self.ledger, settings, parcel, item, again == item["name"], on_step))
            except (ReportError, OSError, smtplib.SMTPException) as error:
                failed.append(f"{item['name']}：{_told(error)}")
        if failed:
            finished = f"已完成：{'；'.join(done)}。" if done else ""
            raise ReportError(
                f"没有全部发出。{finished}未发出：{'；'.join(failed)}。排除原因后重新运行即可，不会重复发送。"
            )
        return done


@contextmanager
def opened(folder: DataFolder) -> Iterator[Post]:
    """The ledger, held against its digest once for all that is sent with it. Call it under the reports' lock."""
    with vouched(store.reports_folder(folder) / LEDGER), _ledger(folder) as ledger:
        yield Post(ledger)


def had(folder: DataFolder, version: Version) -> list[str]:
    """Who was sent the paper."""
    if not (store.reports_folder(folder) / LEDGER).is_file():
        return []
    with _ledger(folder) as ledger:
        found = ledger.execute(
            "select recipient from deliveries where month = ? and scope_code = ? and version = ? order by 1",
            (str(version.manifest["month"]), version.scope_code, version.number),
        ).fetchall()
    return [str(name) for (name,) in found]


def state_of(folder: DataFolder, parcel: Parcel, recipient: str) -> str | None:
    """How far a parcel is on its way to somebody: `sending` (nobody knows), `sent`, or not yet."""
    if not (store.reports_folder(folder) / LEDGER).is_file():
        return None
    with _ledger(folder) as ledger:
        return _state(ledger, parcel.key(recipient))


def _is_for(item: Mapping[str, Any], version: Version) -> bool:
    return not item.get("scopes") or str(version.manifest["scope_code"]) in map(str, item["scopes"])


def _formats(item: Mapping[str, Any]) -> list[str]:
    chosen = list(item.get("formats", FORMATS))
    unknown = [form for form in chosen if form not in FORMATS]
    if unknown or not chosen:
        raise ReportError(
            f"接收方“{item['name']}”的 formats 不对：{'、'.join(unknown) or '空'}。请改正 report.toml。"
        )
    return chosen


def _chosen(parcel: Parcel, item: Mapping[str, Any]) -> list[str]:
    """The forms of a parcel that a recipient is to have: all of them unless the settings name some."""
    return _formats(item) if "formats" in item else list(parcel.files)


def _told(error: Exception) -> str:
    if isinstance(error, ReportError):
        return str(error).rstrip("。")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "邮件服务器不接受这个地址"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "邮件服务器不接受用户名或口令"
    if isinstance(error, smtplib.SMTPException):
        return f"邮件服务器出错（{' '.join(str(error).split())[:120]}）"
    if isinstance(error, (ConnectionError, socket.gaierror, TimeoutError)):
        return "连不上邮件服务器"
    return f"{error.strerror or error}" if isinstance(error, OSError) else str(error)


# Ledger ---------------------------------------------------------------------------------------------------


@contextmanager
def _ledger(folder: DataFolder) -> Iterator[sqlite3.Connection]:
    path = store.reports_folder(folder) / LEDGER
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        connection.execute("pragma synchronous = full")
        connection.execute(_SCHEMA)
        yield connection
    finally:
        connection.close()


def _state(ledger: sqlite3.Connection, key: tuple[str, str, int, str]) -> str | None:
    row = ledger.execute(
        "select state from deliveries where month = ? and scope_code = ? and version = ? and recipient = ?",
        key,
    ).fetchone()
    return str(row[0]) if row else None


def _note(
    ledger: sqlite3.Connection, parcel: Parcel, item: Mapping[str, Any], state: str, message_id: str
) -> None:
    address = str(item.get("email") or item["folder"])
    now = datetime.now(TIME_ZONE).isoformat(timespec="seconds")
    ledger.execute(
        "insert or replace into deliveries values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *parcel.key(str(item["name"])),
            address,
            state,
            now,
            ",".join(_chosen(parcel, item)),
            parcel.edition_id,
            message_id,
        ),
    )


def _forget(ledger: sqlite3.Connection, key: tuple[str, str, int, str]) -> None:
    ledger.execute(
        "delete from deliveries where month = ? and scope_code = ? and version = ? and recipient = ?", key
    )


# One recipient --------------------------------------------------------------------------------------------


def _one(
    ledger: sqlite3.Connection,
    settings: Mapping[str, Any],
    parcel: Parcel,
    item: Mapping[str, Any],
    is_again: bool,
    on_step: Callable[[str], None],
) -> str:
    state = _state(ledger, parcel.key(str(item["name"])))
    if state == "sent":
        return f"{item['name']}：此前已发送，不再重发"
    if state == "sending" and not is_again:
        raise ReportError(
            f"上次发送在服务器应答之前中断，不知道对方是否收到。请先查看；确实没有收到的，"
            f"加 --send-again {item['name']} 重发"
        )
    if "folder" in item:
        _to_folder(Path(str(item["folder"])), parcel, _chosen(parcel, item), on_step)
        on_step("placed")
        _note(ledger, parcel, item, "sent", "")
        on_step("noted")
        return f"{item['name']}：已放入 {item['folder']}"
    message = _message(settings, parcel, item)
    _to_mail(ledger, settings, parcel, item, message, on_step)
    return f"{item['name']}：已发邮件到 {item['email']}"


def _to_folder(place: Path, parcel: Parcel, forms: Sequence[str], on_step: Callable[[str], None]) -> None:
    """All files of a paper appear at once, in a folder of their own."""
    if not place.is_dir():
        raise ReportError(f"接收文件夹 {place} 不存在或未连接")
    home = place / parcel.folder_name
    if home.is_dir():
        return
    staged = place / f".{home.name}.part"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    for form in forms:
        on_step(f"place {form}")
        name, content = parcel.files[form]
        (staged / name).write_bytes(content)
    on_step("staged")
    durable.put_folder(staged, home)


def _message(settings: Mapping[str, Any], parcel: Parcel, item: Mapping[str, Any]) -> EmailMessage:
    sender = str(settings.get("smtp", {}).get("sender", ""))
    if not sender:
        raise ReportError("没有设置发件人（[smtp] 的 sender）")
    message = EmailMessage(policy=SMTP.clone(max_line_length=900))
    address = str(item["email"])
    for text in (sender, address, parcel.title):
        if any(character in text for character in "\r\n"):
            raise ReportError("地址或标题里有换行")
    message["From"], message["To"] = sender, address
    message["Subject"] = parcel.title
    message["Date"] = format_datetime(datetime.now(TIME_ZONE))
    text = "/".join(map(str, (*parcel.key(str(item["name"])), address)))
    message["Message-ID"] = (
        f"<{hashlib.sha256(text.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2] or 'oversight'}>"
    )
    chosen = [(form, *parcel.files[form]) for form in _chosen(parcel, item)]
    names = "、".join(name for _, name, _ in chosen)
    number = f"（{parcel.document_no}）" if parcel.document_no else ""
    message.set_content(
        parcel.text
        or f"附上《{parcel.title}》{number}，数据版次{parcel.edition_id}。\n附件：{names}\n\n本邮件由系统自动发送。\n"
    )
    for form, name, content in chosen:
        main, sub = _MIME[form.partition(" ")[0]]
        message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return message


class _LastLine(smtplib.SMTP):
    """Tells just before the line goes out after which the server may take the message."""

    before_last_line: Callable[[], None] = staticmethod(lambda: None)

    def data(self, msg: Any) -> tuple[int, bytes]:
        """As smtplib does, but with the body and the closing line apart."""
        self.putcmd("data")
        code, reply = self.getreply()
        if code != 354:
            raise smtplib.SMTPDataError(code, reply)
        text = smtplib._fix_eols(msg).encode("ascii") if isinstance(msg, str) else msg  # type: ignore[attr-defined]
        body = smtplib._quote_periods(text)  # type: ignore[attr-defined]
        if body[-2:] != b"\r\n":
            body += b"\r\n"
        self.send(body)
        self.before_last_line()
        self.send(b".\r\n")
        return self.getreply()


class _LastLineTls(_LastLine, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


def _to_mail(
    ledger: sqlite3.Connection,
    settings: Mapping[str, Any],
    parcel: Parcel,
    item: Mapping[str, Any],
    message: EmailMessage,
    on_step: Callable[[str], None],
) -> None:
    key, message_id = parcel.key(str(item["name"])), str(message["Message-ID"])
    server = _connect(settings.get("smtp", {}))
    try:
        on_step("connected")

        def about_to_commit() -> None:
            on_step("body sent")
            _note(ledger, parcel, item, "sending", message_id)

        server.before_last_line = about_to_commit
        try:
            server.send_message(message)
        except smtplib.SMTPResponseException:
            # The server answered and did not take it: known not to be sent.
            _forget(ledger, key)
            raise
        except smtplib.SMTPRecipientsRefused:
            _forget(ledger, key)
            raise
        on_step("accepted")
        _note(ledger, parcel, item, "sent", message_id)
        on_step("noted")
    finally:
        # The message is the server's by now; a server that drops the line instead of saying goodbye is no failure.
        try:
            server.quit()
        except (smtplib.SMTPException, OSError):
            server.close()


def _connect(smtp: Mapping[str, Any]) -> _LastLine:
    host = str(smtp.get("host", ""))
    if not host:
        raise ReportError("没有设置邮件服务器（[smtp] 的 host）")
    security = str(smtp.get("security", "tls"))
    if security not in ("tls", "starttls", "none"):
        raise ReportError(f"[smtp] 的 security 应当是 tls、starttls 或 none，现在是 {security}")
    port = int(smtp.get("port", {"tls": 465, "starttls": 587, "none": 25}[security]))
    wait = float(smtp.get("timeout_seconds", 60))
    context = ssl.create_default_context(cafile=smtp.get("ca_file"))
    server = (
        _LastLineTls(host, port, timeout=wait, context=context)
        if security == "tls"
        else _LastLine(host, port, timeout=wait)
    )
    try:
        if security == "starttls":
            server.starttls(context=context)
        if smtp.get("user"):
            variable = str(smtp.get("password_env", "OVERSIGHT_SMTP_PASSWORD"))
            password = os.environ.get(variable)
            if password is None:
                raise ReportError(f"环境变量 {variable} 里没有邮箱口令")
            server.login(str(smtp["user"]), password)
    except BaseException:
        server.close()
        raise
    return server
