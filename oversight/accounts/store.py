"""Where accounts, sessions and the record are kept: SQLite beside the data, or the database that settings.toml names.

Every time is text in the bureau's own zone (2025-06-30T09:00:00+08:00), so that it sorts as it reads and means the
same in both databases.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from oversight.accounts.exist import StoreError, database_path
from oversight.settings import TIME_ZONE, DataFolder, folder_settings, from_environment

# The newest migration: a database that bears it needs no look at the others.
NEWEST = "0001"
MIGRATIONS = Path(__file__).parent / "migrations"
# Any number, the same for every writer: PostgreSQL's writers of the record wait for each other by it.
RECORD_LOCK = 7_110_321


class Base(DeclarativeBase):
    """The tables."""


class Account(Base):
    """Somebody who may sign in. Never deleted: the record speaks of it."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(64), unique=True)
    full_name: Mapped[str] = mapped_column(sa.String(100), default="")
    role: Mapped[str] = mapped_column(sa.String(32))
    role_granted_by: Mapped[str] = mapped_column(sa.String(100))
    role_granted_at: Mapped[str] = mapped_column(sa.String(32))
    # None: signs in by the proxy only.
    password: Mapped[str | None] = mapped_column(sa.String(200))
    password_set_at: Mapped[str | None] = mapped_column(sa.String(32))
    must_change: Mapped[bool] = mapped_column(default=True)
    is_disabled: Mapped[bool] = mapped_column(default=False)
    last_sign_in_at: Mapped[str | None] = mapped_column(sa.String(32))
    divisions: Mapped[list[Division]] = relationship(
        cascade="all, delete-orphan", order_by="Division.code", lazy="selectin"
    )


class Division(Base):
    """A division an account may see, and who granted it when."""

    __tablename__ = "account_divisions"
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(12), primary_key=True)
    granted_by: Mapped[str] = mapped_column(sa.String(100))
    granted_at: Mapped[str] = mapped_column(sa.String(32))


class SignedIn(Base):
    """A session: the browser holds its name, here stands only the digest of it."""

    __tablename__ = "sessions"
    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    began_at: Mapped[str] = mapped_column(sa.String(32))
    seen_at: Mapped[str] = mapped_column(sa.String(32))
    ends_at: Mapped[str] = mapped_column(sa.String(32))
    ended_at: Mapped[str | None] = mapped_column(sa.String(32))
    address: Mapped[str] = mapped_column(sa.String(64))


class Failure(Base):
    """A sign-in that failed, whether the account exists or not; what lock-outs are counted from."""

    __tablename__ = "failures"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(64), index=True)
    at: Mapped[str] = mapped_column(sa.String(32))
    address: Mapped[str] = mapped_column(sa.String(64), index=True)


class Entry(Base):
    """A line of the record; see `oversight.accounts.record`."""

    __tablename__ = "record"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(sa.String(32))
    who: Mapped[str] = mapped_column(sa.String(100))
    role: Mapped[str] = mapped_column(sa.String(32))
    divisions: Mapped[str] = mapped_column(sa.Text)
    address: Mapped[str] = mapped_column(sa.String(64))
    what: Mapped[str] = mapped_column(sa.String(32))
    detail: Mapped[str] = mapped_column(sa.Text)
    previous: Mapped[str] = mapped_column(sa.String(64))
    digest: Mapped[str] = mapped_column(sa.String(64))


class Secret(Base):
    """What only this bureau's server knows: the key that signs its cookies."""

    __tablename__ = "secrets"
    name: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    value: Mapped[str] = mapped_column(sa.String(128))


_engines: dict[tuple[Path, int], sa.Engine] = {}
_lock = threading.Lock()


def now() -> str:
    """The time as it is kept."""
    return moment(datetime.now(TIME_ZONE))


def moment(at: datetime) -> str:
    """A time as it is kept."""
    return at.astimezone(TIME_ZONE).isoformat(timespec="seconds")


def address(folder: DataFolder) -> str:
    """The database's URL."""
    told = folder_settings(folder).accounts.database
    return from_environment(told, quote=True) if told else f"sqlite:///{database_path(folder)}"


def engine(folder: DataFolder) -> sa.Engine:
    """The database, with every table as this program knows it; made on the first call. Raises `StoreError`."""
    key = (folder.root, os.getpid())
    with _lock:
        found = _engines.get(key)
        if found is not None:
            return found
        try:
            made = _connect(address(folder))
            _migrate(made)
        except sa.exc.SQLAlchemyError as error:
            raise _said(error) from error
        if made.dialect.name == "sqlite":
            _keep_private(database_path(folder))
        _engines[key] = made
        return made


def forget(folder: DataFolder) -> None:
    """Close the connections to a folder's database: before it is replaced, or when its server stops."""
    with _lock:
        found = _engines.pop((folder.root, os.getpid()), None)
    if found is not None:
        found.dispose()


@contextmanager
def reading(folder: DataFolder) -> Iterator[Session]:
    """A session that only reads. Raises `StoreError`."""
    try:
        with Session(engine(folder)) as session:
            yield session
    except sa.exc.SQLAlchemyError as error:
        raise _said(error) from error


@contextmanager
def writing(folder: DataFolder) -> Iterator[Session]:
    """A session whose changes stand when the block ends, all or none. Raises `StoreError`."""
    try:
        with Session(engine(folder).execution_options(is_writing=True)) as session, session.begin():
            yield session
    except sa.exc.SQLAlchemyError as error:
        raise _said(error) from error


def has_accounts(folder: DataFolder) -> bool:
    """Whether there is an account, in a database that may have no tables yet; makes nothing."""
    with _lock:
        made = _engines.get((folder.root, os.getpid()))
    try:
        own = made or _connect(address(folder))
    except sa.exc.SQLAlchemyError as error:
        raise _said(error) from error
    try:
        with own.connect() as connection:
            if not sa.inspect(connection).has_table(Account.__tablename__):
                return False
            return connection.execute(sa.select(Account.id).limit(1)).first() is not None
    except sa.exc.SQLAlchemyError as error:
        raise _said(error) from error
    finally:
        if own is not made:
            own.dispose()


def _connect(url: str) -> sa.Engine:
    made = sa.create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if made.dialect.name != "sqlite":
        return made

    @sa.event.listens_for(made, "connect")
    def prepare(connection: Any, _: Any) -> None:
        # SQLite's own driver would begin late and so let two writers read the same last line of the record.
        connection.isolation_level = None
        for setting in (
            "journal_mode = wal",
            "synchronous = full",
            "foreign_keys = on",
            "busy_timeout = 10000",
        ):
            connection.execute(f"pragma {setting}")

    @sa.event.listens_for(made, "begin")
    def begin(connection: sa.Connection) -> None:
        is_writing = connection.get_execution_options().get("is_writing")
        connection.exec_driver_sql("begin immediate" if is_writing else "begin")

    return made


def _migrate(made: sa.Engine) -> None:
    with made.connect() as connection:
        if sa.inspect(connection).has_table("alembic_version"):
            row = connection.execute(sa.text("select version_num from alembic_version")).first()
            if row is not None and row[0] == NEWEST:
                return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with made.execution_options(is_writing=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _keep_private(path: Path) -> None:
    for name in (path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm"))):
        if name.exists():
            name.chmod(0o600)


def _said(error: Exception) -> StoreError:
    reason = " ".join(str(getattr(error, "orig", None) or error).split())[:200]
    return StoreError(
        f"账号数据库不能读写（{reason}）。请检查磁盘空间、权限，或 settings.toml 里 [accounts] 的 database。"
    )
