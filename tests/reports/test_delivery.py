"""Delivery against a real SMTP server on loopback and a real folder: exactly once, whatever crashes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import date
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from oversight.reports import FORMATS, Issuing, Version, make_all, supervise
from oversight.reports.config import report_folder
from oversight.reports.delivery import deliver
from oversight.reports.errors import ReportError
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.reports.conftest import AT, Standin, issue_all
from tests.reports.test_versions import later_edition

DECEMBER = date(2025, 12, 1)


class Mailbox:
    """Keeps what the server took; can refuse, or take a message and say nothing."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.refuse = ""
        self.hang_up = False

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address == self.refuse:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:
        if self.refuse == "everything":
            return "451 try again later"
        self.taken.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        if self.hang_up:
            server.transport.abort()
        return "250 taken"


class Server(Controller):
    """On a free port."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    held = Mailbox()
    server = Server(held, hostname="127.0.0.1", port=0, data_size_limit=200_000_000)
    server.start()
    yield held, server.port
    server.stop()


def prepared(
    standin: Standin, tmp_path: Path, port: int, *, people: int = 1, share: bool = True
) -> tuple[DataFolder, Version]:
    folder = standin(2)
    settings = (
        f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nsender = "督查@example.invalid"\n'
    )
    settings = settings.replace("督查", "supervision")
    if share:
        (tmp_path / "share").mkdir()
        settings = f'[[delivery]]\nname = "共享目录"\nfolder = "{tmp_path / "share"}"\n' + settings
    for number in range(people):
        settings = (
            f'[[delivery]]\nname = "领导{number + 1}"\nemail = "leader{number + 1}@example.invalid"\n'
            'formats = ["pdf", "docx", "xlsx"]\n'
        ) + settings
    report_folder(folder).mkdir()
    (report_folder(folder) / "report.toml").write_text(settings, "utf-8")
    return folder, issue_all(folder, DECEMBER)[0].version


def test_a_folder_and_a_mailbox_each_get_it_once(
    standin: Standin, tmp_path: Path, mailbox: tuple[Mailbox, int]
) -> None:
    held, port = mailbox
    folder, version = prepared(standin, tmp_path, port, people=2)
    assert len(deliver(folder, version)) == 3
    assert all("不再重发" in line for line in deliver(folder, version))
    (place,) = (tmp_path / "share").iterdir()
    assert place.name == "2025-12_990101_v1"
    assert {path.read_bytes() for path in place.iterdir()} == {version.verified(form) for form in FORMATS}
    assert sorted(message["To"] for message in held.taken) == [
        "leader1@example.invalid",
        "leader2@example.invalid",
    ]
    message = held.taken[0]
    assert message["Subject"] == version.manifest["title"]
    attached = {part.get_filename(): part.get_content() for part in message.iter_attachments()}
    assert attached == {version.file(form).name: version.verified(form) for form in ("pdf", "docx", "xlsx")}
    assert "数据版次" in message.get_body().get_content()  # type: ignore[union-attr]
    assert len({message["Message-ID"] for message in held.taken}) == 2
    # A later edition that says the same of the county is the same paper: nothing goes out.
    later_edition(folder, "select 1", 2)
    issuing = Issuing("测试", AT, is_automatic=True)
    (again,) = supervise(folder, DECEMBER, ["990101"], send=True, issuing=issuing, now=AT)
    assert (again.is_new, again.version.number, len(held.taken)) == (False, 1, 2)


def test_html_goes_through_the_mail_unchanged(
    standin: Standin, tmp_path: Path, mailbox: tuple[Mailbox, int]
) -> None:
    held, port = mailbox
    folder, version = prepared(standin, tmp_path, port, share=False)
    path = report_folder(folder) / "report.toml"
    path.write_text(path.read_text("utf-8").replace('"pdf", "docx", "xlsx"', '"html"'), "utf-8")
    deliver(folder, version)
    (part,) = held.taken[0].iter_attachments()
    assert part.get_payload(decode=True) == version.verified("html")


_PROGRAM = textwrap.dedent(
    """
    import os, sys
    from datetime import date
    from oversight.reports import versions
    from oversight.reports.delivery import deliver
    from oversight.settings import DataFolder
    folder = DataFolder.at(sys.argv[1])
    deliver(folder, versions(folder, date(2025, 12, 1), "990101")[-1],
            on_step=lambda name: os.kill(os.getpid(), 9) if name == sys.argv[2] else None)
    """
)


def killed_at(folder: DataFolder, step: str) -> None:
    command = [sys.executable, "-c", _PROGRAM, str(folder.root), step]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr


@pytest.mark.parametrize("step", ["verified", "connected", "body sent"])
def test_killed_before_the_server_can_have_it_the_next_run_sends(
    standin: Standin, tmp_path: Path, mailbox: tuple[Mailbox, int], step: str
) -> None:
    held, port = mailbox
    folder, version = prepared(standin, tmp_path, port, share=False)
    killed_at(folder, step)
    assert held.taken == []
    deliver(folder, version)
    deliver(folder, version)
    assert len(held.taken) == 1


def test_killed_after_the_server_has_it_nothing_is_sent_twice(
    standin: Standin, tmp_path: Path, mailbox: tuple[Mailbox, int]
) -> None:
    held, port = mailbox
    folder, version = prepared(standin, tmp_path, port, share=False)
    killed_at(folder, "accepted")
    for _ in range(2):
        with pytest.raises(ReportError, match="不知道对方是否收到"):
            deliver(folder, version)
    assert len(held.taken) == 1


def test_killed_after_the_ledger_has_it_nothing_is_sent_twice(
    standin: Standin, tmp_path: Path, mailbox: tuple[Mailbox, int]
) -> None:
    held, port = mailbox
    folder, version = prepared(standin, tmp_path, port, share=False)
    killed_at(folder, "noted")
    assert "不再重发" in deliver(folder, version)[0]
    assert len(held.taken) == 1


@pytest.mark.parametrize("step", ["place docx", "place html", "staged", "placed", "noted"])
def test_killed_while_filling_a_folder(
    standin: Standin, tmp_path: Path, mailbox: tuple[Mailbox, int], step: str
) -> None:
    folder, version = prepared(standin, tmp_path, mailbox[1], people=0)
    killed_at(folder, step)
    visible = [path for path in (tmp_path / "share").iterdir() if not path.name.startswith(".")]
    assert all(len(list(path.iterdir())) == 4 for path in visible)
    deliver(folder, version)
    (place,) = (tmp_path / "share").iterdir()
    assert {path.read_bytes() for path in place.iterdir()} == {version.verified(form) for form in FORMATS}


def test_a_lost_answer_is_reported_and_sent_again_only_on_demand(
    standin: Standin, tmp_path: Path, mailbox: tuple[Mailbox, int]
) -> None:
    held, port = mailbox
    folder, version = prepared(standin, tmp_path, port, share=False)
    held.hang_up = True
    with pytest.raises(ReportError, match="领导1"):
        deliver(folder, version)
    held.hang_up = False
    with pytest.raises(ReportError, match="--send-again 领导1"):
        deliver(folder, version)
    deliver(folder, version, again="领导1")
    assert "不再重发" in deliver(folder, version, again="领导1")[0]
    first, second = (message["Message-ID"] for message in held.taken)
    assert first == second


@pytest.mark.parametrize("refuse", ["everything", "leader1@example.invalid"])
def test_a_refusal_is_no_delivery_and_others_get_theirs(
    standin: Standin, tmp_path: Path, mailbox: tuple[Mailbox, int], refuse: str
) -> None:
    held, port = mailbox
    folder, version = prepared(standin, tmp_path, port)
    held.refuse = refuse
    with pytest.raises(ReportError, match="领导1"):
        deliver(folder, version)
    assert (tmp_path / "share" / "2025-12_990101_v1").is_dir()
    held.refuse = ""
    deliver(folder, version)
    assert len(held.taken) == 1


def test_no_server_there(standin: Standin, tmp_path: Path) -> None:
    folder, version = prepared(standin, tmp_path, 1, share=False)
    with pytest.raises(ReportError, match="连不上邮件服务器"):
        deliver(folder, version)


def test_nothing_goes_out_when_a_part_is_missing_or_changed(
    standin: Standin, tmp_path: Path, mailbox: tuple[Mailbox, int]
) -> None:
    held, port = mailbox
    folder, version = prepared(standin, tmp_path, port)
    path = version.file("xlsx")
    whole = path.read_bytes()
    path.write_bytes(whole + b"x")
    with pytest.raises(ReportError, match="被改动过"):
        deliver(folder, version)
    path.unlink()
    with pytest.raises(ReportError, match="缺少 xlsx"):
        deliver(folder, version)
    assert held.taken == []
    assert list((tmp_path / "share").iterdir()) == []
    # Made again from the same edition it is the same file, and goes out.
    (made,) = issue_all(folder, DECEMBER)
    assert path.read_bytes() == whole
    deliver(folder, made.version)
    assert len(held.taken) == 1


def test_a_draft_never_goes_out(standin: Standin, tmp_path: Path, mailbox: tuple[Mailbox, int]) -> None:
    folder, _ = prepared(standin, tmp_path, mailbox[1])
    (draft,) = make_all(folder, date(2025, 11, 1))
    with pytest.raises(ReportError, match="草稿不能发送"):
        deliver(folder, draft.version)


def test_two_schedulers_at_once_deliver_once(
    standin: Standin, tmp_path: Path, mailbox: tuple[Mailbox, int]
) -> None:
    held, port = mailbox
    folder, _ = prepared(standin, tmp_path, port)
    command = [
        sys.executable,
        "-m",
        "oversight.cli",
        "report",
        "--month",
        "2025-12",
        "--send",
        "--data",
        str(folder.root),
    ]
    running = [
        subprocess.Popen(
            command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0], told
    assert len(held.taken) == 1
    ledger = sqlite3.connect(folder.root / "reports" / "deliveries.sqlite")
    assert ledger.execute("select count(*), min(state) from deliveries").fetchone() == (2, "sent")
    ledger.close()


def test_only_for_the_divisions_named(standin: Standin, tmp_path: Path) -> None:
    folder, version = prepared(standin, tmp_path, 1, people=0)
    path = report_folder(folder) / "report.toml"
    path.write_text(path.read_text("utf-8").replace("[smtp]", 'scopes = ["990199"]\n[smtp]'), "utf-8")
    assert "没有设置接收方" in deliver(folder, version)[0]
