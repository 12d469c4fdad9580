"""Passwords, lock-outs, sessions and grants, in SQLite and in a real PostgreSQL server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from oversight.accounts import lists, passwords, people, record, store
from oversight.accounts.actor import Actor, at_the_machine
from oversight.accounts.exist import exist
from oversight.accounts.roles import Conflict, apart
from oversight.accounts.scope import Scope
from oversight.errors import OversightError
from oversight.settings import DataFolder, folder_settings
from tests.accounts.asking import PASSWORD
from tests.conftest import run_oversight
from tests.sources.test_sources import postgres  # noqa: F401

HERE = "10.1.2.3"


@pytest.fixture(params=["sqlite", "postgresql"])
def folder(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DataFolder]:
    """An empty data folder, its accounts in one database and then in the other."""
    made = DataFolder.at(tmp_path)
    if request.param == "postgresql":
        port = request.getfixturevalue("postgres")
        import psycopg

        monkeypatch.setenv("ACCOUNTS_PASSWORD", "机密/1@x")
        name = f"accounts_{os.getpid()}_{tmp_path.name.replace('-', '_').lower()}"[:60]
        with psycopg.connect(
            host="127.0.0.1",
            port=port,
            user="reader",
            password="机密/1@x",
            dbname="postgres",
            autocommit=True,
        ) as connection:
            connection.execute(f'create database "{name}"')
        made.settings_toml.write_text(
            f'[accounts]\ndatabase = "postgresql+psycopg://reader:${{ACCOUNTS_PASSWORD}}@127.0.0.1:{port}/{name}"\n',
            "utf-8",
        )
    assert not exist(made)
    assert record.head(made) is None
    people.add(
        made, at_the_machine(), "chief", "administrator", ["000000"], password=PASSWORD, must_change=False
    )
    yield made
    store.forget(made)


def token(folder: DataFolder, name: str = "chief") -> str:
    return people.sign_in(folder, name, PASSWORD, HERE)


def test_the_first_account_closes_the_door(folder: DataFolder) -> None:
    assert exist(folder)
    found = people.session_of(folder, token(folder))
    assert found is not None
    assert (found.name, found.role, found.divisions) == ("chief", "administrator", ("000000",))
    assert people.session_of(folder, "nonsense") is None
    assert people.session_of(folder, "\udcff\x00") is None


def test_lock_out_tells_nobody_who_exists(folder: DataFolder) -> None:
    said: dict[str, list[str]] = {}
    for name in ("chief", "nobody-at-all"):
        for _ in range(people.TRIES + 1):
            with pytest.raises(people.AccountError) as refused:
                people.sign_in(folder, name, "wrong", HERE)
            said.setdefault(name, []).append(str(refused.value))
    assert said["chief"] == said["nobody-at-all"] == [people.WRONG] * people.TRIES + [people.LOCKED]
    with pytest.raises(people.AccountError, match="锁定"):
        people.sign_in(folder, "chief", PASSWORD, HERE)
    people.set_password(folder, at_the_machine(), "chief", PASSWORD + "x")
    assert people.sign_in(folder, "chief", PASSWORD + "x", HERE)
    kinds = [line.what for line in record.lines(folder)]
    assert kinds.count("locked") == 2
    assert kinds.count("sign_in_failed") == 2 * people.TRIES


def test_sessions_end(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    own = token(folder)
    settings = folder_settings(folder).accounts

    class Later(datetime):
        after = timedelta()

        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + cls.after

    monkeypatch.setattr(people, "datetime", Later)
    Later.after = timedelta(minutes=settings.idle_minutes - 1)
    assert people.session_of(folder, own, is_seen=False) is not None
    Later.after = timedelta(minutes=settings.idle_minutes + 1)
    assert people.session_of(folder, own) is None
    # Kept going, it still ends with the working day.
    other = None
    Later.after = timedelta()
    other = token(folder)
    for minutes in range(30, settings.session_hours * 60, 30):
        Later.after = timedelta(minutes=minutes)
        assert people.session_of(folder, other) is not None, minutes
    Later.after = timedelta(hours=settings.session_hours, minutes=1)
    assert people.session_of(folder, other) is None


def test_revoking_disabling_and_a_new_password_end_sessions(folder: DataFolder) -> None:
    actor = at_the_machine()
    people.add(folder, actor, "li", "analyst", ["360313"], password=PASSWORD, must_change=False)
    one, two = token(folder, "li"), token(folder, "li")
    assert people.revoke(folder, actor, "li") == 2
    assert people.session_of(folder, one) is None
    one, two = token(folder, "li"), token(folder, "li")
    li = Actor("li", "analyst", ("360313",), HERE)
    with pytest.raises(people.AccountError, match="原密码不对"):
        people.change_own_password(folder, li, "wrong", "Other-Words-77", kept_session=one)
    people.change_own_password(folder, li, PASSWORD, "Other-Words-77", kept_session=one)
    assert people.session_of(folder, one) is not None
    assert people.session_of(folder, two) is None
    people.change(folder, actor, "li", is_disabled=True)
    assert people.session_of(folder, one) is None
    with pytest.raises(people.AccountError, match=people.WRONG):
        people.sign_in(folder, "li", "Other-Words-77", HERE)


def test_the_last_administrator_stays(folder: DataFolder) -> None:
    actor = at_the_machine()
    for change in ({"is_disabled": True}, {"role": "reader"}, {"divisions": ["360313"]}):
        with pytest.raises(people.AccountError, match="最后一个"):
            people.change(folder, actor, "chief", **change)  # type: ignore[arg-type]
    found = people.person(folder, "chief")
    assert found is not None
    assert (found.role, found.divisions, found.is_disabled) == ("administrator", ("000000",), False)


def test_nobody_grants_more_than_they_have(folder: DataFolder) -> None:
    county = Actor("county", "administrator", ("360313",), HERE)
    with pytest.raises(people.AccountError, match="辖区"):
        people.add(folder, county, "x1", "reader", ["360000"])
    with pytest.raises(people.AccountError, match="没有账号"):
        people.set_password(folder, county, "chief")
    people.add(folder, county, "x2", "reader", ["360313101"])
    with pytest.raises(people.AccountError, match="辖区"):
        people.change(folder, county, "x2", divisions=["360313101", "640324"])


def test_the_list_equals_what_is_enforced(folder: DataFolder) -> None:
    people.add(folder, at_the_machine(), "li", "analyst", ["360313", "640324"], full_name="=1+1")
    book = openpyxl.load_workbook(__import__("io").BytesIO(lists.access(folder)))
    sheet = list(book.active.iter_rows(min_row=2, values_only=True))
    rows = [dict(zip(sheet[0], row, strict=True)) for row in sheet[1:]]
    told: dict[str, set[str]] = {}
    for row in rows:
        told.setdefault(row["账号"], set()).add(row["区划代码"][:6])
    for item in people.everyone(folder):
        assert Scope.of(told[item.name]) == item.scope
    assert [row["姓名或岗位"] for row in rows if row["账号"] == "li"] == ["=1+1"] * 2
    assert all(row["区划授予人"] and row["区划授予时间"] and row["角色授予人"] for row in rows)


def test_the_record_shows_every_tampering(folder: DataFolder) -> None:
    import sqlalchemy as sa

    for number in range(5):
        record.add(folder, "li", "analyst", ("360313",), HERE, "query", {"语句": f"select {number} -- 甲"})
    assert record.check(folder) == []
    head = record.head(folder)
    assert head is not None
    assert record.check(folder, [head]) == []
    engine = store.engine(folder)
    with pytest.raises(sa.exc.DBAPIError), engine.execution_options(is_writing=True).begin() as connection:
        connection.execute(sa.text("update record set detail = '{}' where number = 3"))
    with pytest.raises(sa.exc.DBAPIError), engine.execution_options(is_writing=True).begin() as connection:
        connection.execute(sa.text("delete from record where number = 3"))

    def forced(*statements: str) -> list[str]:
        """What is found after somebody with the database's own rights wrote to it, which is then undone."""
        with engine.execution_options(is_writing=True).begin() as connection:
            if engine.dialect.name == "sqlite":
                for change in ("update", "delete"):
                    connection.execute(sa.text(f"drop trigger if exists record_no_{change}"))
            else:
                connection.execute(sa.text("alter table record disable trigger user"))
            kept = connection.execute(sa.select(store.Entry.__table__)).mappings().all()
            for statement in statements:
                connection.execute(sa.text(statement))
        found = record.check(folder, [head])
        with engine.execution_options(is_writing=True).begin() as connection:
            connection.execute(sa.delete(store.Entry))
            connection.execute(sa.insert(store.Entry), [dict(row) for row in kept])
        assert record.check(folder, [head]) == []
        return found

    assert "被改动" in forced("update record set who = 'wang' where number = 3")[0]
    assert "缺少第 3 条" in forced("delete from record where number = 3")[0]
    assert "截去" in forced("delete from record where number >= 4")[0]
    assert "截去" in forced("delete from record")[0]

    # An edition's own head says the same without being named.
    manifest = folder.marts / "editions" / "e1" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"record": {"head": head}}), "utf-8")
    assert record.check(folder) == []
    manifest.write_text(json.dumps({"record": {"head": head | {"number": 99}}}), "utf-8")
    assert "截去" in record.check(folder)[0]
    manifest.unlink()

    # Rewritten from somewhere on, every digest made anew: only the head kept elsewhere tells.
    def rewritten() -> list[str]:
        lines = list(record.lines(folder))
        statements, before = [], lines[2].previous
        for line in lines[2:]:
            fields = {name: getattr(line, name) for name in record._FIELDS} | {
                "previous": before,
                "who": "wang",
            }
            before = record.digest_of(fields)
            statements.append(
                f"update record set who = 'wang', previous = '{fields['previous']}', digest = '{before}' "
                f"where number = {line.number}"
            )
        return forced(*statements)

    assert "改写" in rewritten()[0]


def test_nothing_personal_reaches_the_record(folder: DataFolder) -> None:
    number, phone = "36031319800101123X", "13812345678"
    record.add(
        folder,
        f"x{number}",
        "",
        (),
        HERE,
        "query",
        {"语句": f"where id = '{number}' or tel = '{phone}'", "表": [number]},
    )
    with pytest.raises(people.AccountError):
        people.sign_in(folder, number, "wrong", HERE)
    for line in record.lines(folder):
        assert number.lower() not in f"{line.who} {line.detail}".lower()
        assert phone not in line.detail
    assert "360313101" in record.masked("360313101 2025-06 123456.78")


def test_writers_at_once_make_one_chain(folder: DataFolder) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda number: record.add(folder, "li", "", (), HERE, "query", {"语句": str(number)}),
                range(60),
            )
        )
    assert record.check(folder) == []
    assert [line.number for line in record.lines(folder)] == list(range(1, 62))


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("Ab1-", "10 到"),
        ("abcdefghij", "至少 3 种"),
        ("Password123", "常见的词"),
        ("chief-Chief-1", "账号名"),
        ("Aa1-Aa1-Aa1-", "不同的字符太少"),
        ("x" * 201, "10 到"),
    ],
)
def test_passwords_that_will_not_do(password: str, said: str) -> None:
    with pytest.raises(passwords.PasswordError, match=said):
        passwords.check_rules(password, "chief")
    for good in (PASSWORD, "山高月小-水落石出-2031", "correct horse battery staple", passwords.made()):
        passwords.check_rules(good, "chief")


def test_who_does_one_step_does_not_do_the_other() -> None:
    with pytest.raises(Conflict, match="报送的人不能确认"):
        apart("Li ", "confirm", [("hand_in", "li")])
    with pytest.raises(Conflict, match="起草标准的人不能审批"):
        apart("li", "approve_standards", [("write_standards", "li")])
    with pytest.raises(Conflict, match="审核通报的人不能签发"):
        apart("li", "issue_report", [("review_report", "wang"), ("review_report", "li")])
    apart("wang", "confirm", [("hand_in", "li")])
    apart("li", "confirm", [("confirm", "li")])


def test_settings_that_will_not_do(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    for text, said in (
        ('database = "postgresql+psycopg://u:secret@h/d"', "密码"),
        ("idle_minutes = 0", "1 到 1440"),
        ('proxy_header = "X-User"', "同时写"),
        ('proxy_header = "X-User"\nproxy_addresses = ["everywhere"]', "不是地址"),
        ("colour = 1", "没有“colour”"),
        ("idle_minutes = true", "应为整数"),
    ):
        folder.settings_toml.write_text(f"[accounts]\n{text}\n", "utf-8")
        with pytest.raises(OversightError, match=said):
            folder_settings(folder)


def test_the_command_line(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    assert "还没有账号" in run_oversight("user", *data).stdout
    refused = run_oversight("user", "add", "li", "--role", "reader", "--division", "360313", *data)
    assert "第一个账号必须是管全部的管理员" in refused.stderr
    made = run_oversight(
        "user", "add", "chief", "--role", "administrator", "--division", "000000", "--generate", *data
    )
    assert made.returncode == 0, made.stderr
    assert "只显示这一次" in made.stdout
    assert (tmp_path / "accounts.sqlite").stat().st_mode & 0o077 == 0
    assert "chief" in run_oversight("user", "list", *data).stdout
    checked = run_oversight("user", "check", *data)
    assert (checked.returncode, checked.stdout) == (0, "留痕完整，共 1 条。\n")
