"""Accounts: made, changed, signed in to, locked out and ended. Every change stands in the record with who made it."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from oversight.accounts import passwords, record
from oversight.accounts.actor import Actor
from oversight.accounts.roles import ROLES
from oversight.accounts.scope import WHOLE, Scope, significant
from oversight.accounts.store import (
    Account,
    Division,
    Failure,
    Secret,
    SignedIn,
    moment,
    now,
    reading,
    writing,
)
from oversight.errors import OversightError
from oversight.settings import TIME_ZONE, DataFolder, folder_settings

# So many wrong passwords for one name, and it is locked for so long; the same for names that nobody has.
TRIES = 5
LOCKED_MINUTES = 15
# From one address, whatever the names.
TRIES_OF_ADDRESS = 200
_SEEN_EVERY_SECONDS = 60
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
WRONG = "账号或密码不对。"
LOCKED = f"密码错误次数过多，已锁定。请 {LOCKED_MINUTES} 分钟后再试，或请管理员重设密码。"


class AccountError(OversightError):
    """An account that cannot be made, changed or signed in to as asked."""


@dataclass(frozen=True)
class Grant:
    """A division of an account, who granted it and when."""

    code: str
    by: str
    at: str


@dataclass(frozen=True)
class Person:
    """An account as it stands."""

    id: int
    name: str
    full_name: str
    role: str
    role_granted_by: str
    role_granted_at: str
    grants: tuple[Grant, ...]
    has_password: bool
    must_change: bool
    is_disabled: bool
    last_sign_in_at: str | None

    @property
    def divisions(self) -> tuple[str, ...]:
        """The codes of its divisions."""
        return tuple(grant.code for grant in self.grants)

    @property
    def scope(self) -> Scope:
        """What it may see."""
        return Scope.of(self.divisions)


def everyone(folder: DataFolder) -> list[Person]:
    """Every account, by name."""
    with reading(folder) as session:
        return [_person(item) for item in session.scalars(sa.select(Account).order_by(Account.name))]


def person(folder: DataFolder, name: str) -> Person | None:
    """The account of this name."""
    with reading(folder) as session:
        found = _find(session, name)
        return _person(found) if found else None


def scopes(folder: DataFolder) -> list[Scope]:
    """What those who see a part may see, each once; whoever signed in last first."""
    active = [item for item in everyone(folder) if not item.is_disabled and not item.scope.is_whole]
    active.sort(key=lambda item: item.last_sign_in_at or "", reverse=True)
    return list(dict.fromkeys(item.scope for item in active))


def add(
    folder: DataFolder,
    actor: Actor,
    name: str,
    role: str,
    divisions: Sequence[str],
    *,
    full_name: str = "",
    password: str | None = None,
    must_change: bool = True,
    is_by_proxy: bool = False,
) -> str | None:
    """Make an account; the password that was made up for it, when none was given. Raises `AccountError`."""
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise AccountError(
            f"账号名“{name[:40]}”不能用：应为 2 到 32 个小写字母、数字、点、减号或下划线，以字母或数字开头。"
        )
    _check_role(role)
    codes = _checked(divisions)
    _within(actor, codes)
    made_up = None
    if not is_by_proxy:
        made_up = passwords.made() if password is None else None
        if password is not None:
            passwords.check_rules(password, name)
    kept = None if is_by_proxy else passwords.digest(password or made_up or "")
    with writing(folder) as session:
        if _find(session, name) is not None:
            # Who bears a name elsewhere is nothing for the administrator of a part.
            why = "已有人用" if actor.scope.is_whole else "不能用"
            raise AccountError(f"账号名“{name}”{why}。请换一个。")
        at = now()
        session.add(
            Account(
                name=name,
                full_name=full_name.strip()[:100],
                role=role,
                role_granted_by=actor.name,
                role_granted_at=at,
                password=kept,
                password_set_at=at if kept else None,
                must_change=kept is not None and (must_change or made_up is not None),
                is_disabled=False,
                divisions=[Division(code=code, granted_by=actor.name, granted_at=at) for code in codes],
            )
        )
        session.flush()
        _note(session, actor, "account", 操作="新建", 账号=name, 角色=ROLES[role], 区划=codes)  # type: ignore[index]
    return made_up


def change(
    folder: DataFolder,
    actor: Actor,
    name: str,
    *,
    role: str | None = None,
    divisions: Sequence[str] | None = None,
    is_disabled: bool | None = None,
) -> None:
    """Give an account another role, other divisions, or shut or open it. Raises `AccountError`."""
    if role is not None:
        _check_role(role)
    codes = _checked(divisions) if divisions is not None else None
    with writing(folder) as session:
        found = _existing(session, actor, name)
        at = now()
        told: dict[str, object] = {}
        if role is not None and role != found.role:
            told["角色"] = f"{ROLES.get(found.role, found.role)}改为{ROLES[role]}"  # type: ignore[call-overload, index]
            found.role, found.role_granted_by, found.role_granted_at = role, actor.name, at
        if codes is not None and codes != [item.code for item in found.divisions]:
            _within(actor, codes)
            told["原区划"], told["区划"] = [item.code for item in found.divisions], codes
            kept = {item.code: item for item in found.divisions}
            found.divisions = [
                kept.get(code) or Division(code=code, granted_by=actor.name, granted_at=at) for code in codes
            ]
        if is_disabled is not None and is_disabled != found.is_disabled:
            told["停用"] = "是" if is_disabled else "否"
            found.is_disabled = is_disabled
            if is_disabled:
                _end(session, found.id)
        if not told:
            return
        session.flush()
        _keep_an_administrator(session)
        _note(session, actor, "account", 操作="修改", 账号=found.name, **told)


def set_password(
    folder: DataFolder, actor: Actor, name: str, password: str | None = None, *, must_change: bool = True
) -> str | None:
    """Give an account a password (made up when none is given, and then returned), unlock it and end its sessions."""
    made_up = passwords.made() if password is None else None
    if password is not None:
        passwords.check_rules(password, name)
    kept = passwords.digest(password or made_up or "")
    with writing(folder) as session:
        found = _existing(session, actor, name)
        found.password, found.password_set_at = kept, now()
        found.must_change = must_change or made_up is not None
        session.execute(sa.delete(Failure).where(Failure.name == found.name))
        _end(session, found.id)
        _note(session, actor, "password", 操作="管理员重设", 账号=found.name)
    return made_up


def change_own_password(
    folder: DataFolder, actor: Actor, old: str, new: str, *, kept_session: str = ""
) -> None:
    """Take another password; every other session of the account ends. Raises `AccountError`, `PasswordError`."""
    _not_locked(folder, actor.name, actor.address)
    with reading(folder) as session:
        found = _find(session, actor.name)
        kept = found.password if found else None
    if not passwords.is_right(kept, old):
        _failed(folder, actor.name, actor.address, "修改密码时原密码不对")
        raise AccountError("原密码不对。")
    passwords.check_rules(new, actor.name)
    if passwords.is_right(kept, new):
        raise AccountError("新密码与原密码相同。请换一个。")
    digest = passwords.digest(new)
    with writing(folder) as session:
        found = _find(session, actor.name)
        if found is None:
            raise AccountError(WRONG)
        found.password, found.password_set_at, found.must_change = digest, now(), False
        _end(session, found.id, but=_digest(kept_session))
        _note(session, actor, "password", 操作="本人修改", 账号=found.name)


def revoke(folder: DataFolder, actor: Actor, name: str) -> int:
    """End every session of an account; how many there were."""
    with writing(folder) as session:
        found = _existing(session, actor, name)
        ended = _end(session, found.id)
        _note(session, actor, "account", 操作="结束会话", 账号=found.name, 会话数=ended)
    return ended


def sign_in(folder: DataFolder, name: str, password: str, address: str) -> str:
    """A new session's name, to be kept by the browser. Raises `AccountError`: nothing in it says what was wrong."""
    name = record.masked(name.strip().lower())[:64]
    _not_locked(folder, name, address)
    with reading(folder) as session:
        found = _find(session, name)
        kept = found.password if found and not found.is_disabled else None
    if not passwords.is_right(kept, password):
        _failed(folder, name, address, "账号或密码不对")
        raise AccountError(WRONG)
    with writing(folder) as session:
        found = _find(session, name)
        if found is None or found.is_disabled:
            raise AccountError(WRONG)
        session.execute(sa.delete(Failure).where(Failure.name == name))
        return _begin(folder, session, found, address, "密码")


def session_of(folder: DataFolder, token: str, *, is_seen: bool = True) -> Person | None:
    """Whose session this is, if it still runs. `is_seen`: somebody did something, so it goes on."""
    settings = folder_settings(folder).accounts
    at = datetime.now(TIME_ZONE)
    with reading(folder) as session:
        row = session.execute(
            sa.select(SignedIn, Account)
            .join(Account, Account.id == SignedIn.account_id)
            .where(SignedIn.digest == _digest(token))
        ).first()
        if row is None:
            return None
        own, account = row
        if own.ended_at is not None or account.is_disabled or own.ends_at <= moment(at):
            return None
        if own.seen_at <= moment(at - timedelta(minutes=settings.idle_minutes)):
            return None
        found, seen_at = _person(account), own.seen_at
    if is_seen and seen_at <= moment(at - timedelta(seconds=_SEEN_EVERY_SECONDS)):
        with writing(folder) as session:
            session.execute(
                sa.update(SignedIn).where(SignedIn.digest == _digest(token)).values(seen_at=moment(at))
            )
    return found


def sign_out(folder: DataFolder, token: str, actor: Actor) -> None:
    """End a session."""
    with writing(folder) as session:
        session.execute(sa.update(SignedIn).where(SignedIn.digest == _digest(token)).values(ended_at=now()))
        _note(session, actor, "sign_out")


def by_proxy(folder: DataFolder, name: str, address: str) -> Person | None:
    """The account whose name the bureau's own portal passes on; noted as a sign-in once an idle time."""
    name = name.strip().lower()
    settings = folder_settings(folder).accounts
    with reading(folder) as session:
        account = _find(session, name)
        if account is None or account.is_disabled:
            return None
        found = _person(account)
    since = moment(datetime.now(TIME_ZONE) - timedelta(minutes=settings.idle_minutes))
    if (found.last_sign_in_at or "") <= since:
        with writing(folder) as session:
            account = _find(session, name)
            if account is not None:
                account.last_sign_in_at = now()
                actor = Actor(account.name, account.role, found.divisions, address)
                _note(session, actor, "sign_in", 方式="门户")
    return found


def cookie_key(folder: DataFolder) -> str:
    """What signs the cookies of this folder's server; made once."""
    with reading(folder) as session:
        found = session.get(Secret, "cookies")
        if found is not None:
            return found.value
    with writing(folder) as session:
        found = session.get(Secret, "cookies")
        if found is None:
            found = Secret(name="cookies", value=secrets.token_hex(32))
            session.add(found)
        return found.value


def may_manage(actor: Actor, who: Person) -> bool:
    """Whether an account lies wholly in what the actor may see."""
    return actor.scope.covers_all(who.divisions)


def _person(account: Account) -> Person:
    return Person(
        account.id,
        account.name,
        account.full_name,
        account.role,
        account.role_granted_by,
        account.role_granted_at,
        tuple(Grant(item.code, item.granted_by, item.granted_at) for item in account.divisions),
        account.password is not None,
        account.must_change,
        account.is_disabled,
        account.last_sign_in_at,
    )


def _find(session: Session, name: str) -> Account | None:
    return session.scalars(sa.select(Account).where(Account.name == name.strip().lower())).first()


def _existing(session: Session, actor: Actor, name: str) -> Account:
    found = _find(session, name)
    # An account outside the administrator's own divisions is as unknown as one that does not exist.
    if found is None or not may_manage(actor, _person(found)):
        raise AccountError(f"没有账号“{name[:40]}”。用 oversight user list 查看已有的账号。")
    return found


def _check_role(role: str) -> None:
    if role not in ROLES:
        told = "、".join(f"{name}（{title}）" for name, title in ROLES.items())
        raise AccountError(f"没有角色“{role[:40]}”，可用的是 {told}。")


def _checked(codes: Iterable[str]) -> list[str]:
    found = []
    for code in codes:
        code = code.strip()
        if code in ("全国", "全部"):
            code = WHOLE
        if not (code.isascii() and code.isdigit() and len(code) in (6, 9, 12)):
            raise AccountError(
                f"区划代码“{code[:20]}”不对：应为 6 位（省、市、县）或 9 位（乡镇）；{WHOLE} 为全部。"
            )
        found.append(code[:9] if len(code) == 12 else code)
    if not found:
        raise AccountError(f"每个账号至少要有一个区划代码；{WHOLE} 为全部。")
    return sorted(set(found), key=lambda code: (significant(code), code))


def _within(actor: Actor, codes: Sequence[str]) -> None:
    if not actor.scope.covers_all(codes):
        raise AccountError("只能授予您自己辖区内的区划。")


def _keep_an_administrator(session: Session) -> None:
    left = session.scalars(
        sa.select(Account.id)
        .join(Division, Division.account_id == Account.id)
        .where(Account.role == "administrator", sa.not_(Account.is_disabled), Division.code == WHOLE)
    ).first()
    if left is None:
        raise AccountError("这是最后一个管全部的管理员，不能停用、改角色或改区划。请先另设一个。")


def _end(session: Session, account_id: int, but: str = "") -> int:
    ended = session.execute(
        sa.update(SignedIn)
        .where(SignedIn.account_id == account_id, SignedIn.ended_at.is_(None), SignedIn.digest != but)
        .values(ended_at=now())
    )
    return int(ended.rowcount)  # type: ignore[attr-defined]


def _begin(folder: DataFolder, session: Session, account: Account, address: str, how: str) -> str:
    token = secrets.token_urlsafe(32)
    at = datetime.now(TIME_ZONE)
    settings = folder_settings(folder).accounts
    session.execute(sa.delete(SignedIn).where(SignedIn.ends_at < moment(at - timedelta(days=30))))
    session.add(
        SignedIn(
            digest=_digest(token),
            account_id=account.id,
            began_at=moment(at),
            seen_at=moment(at),
            ends_at=moment(at + timedelta(hours=settings.session_hours)),
            address=address[:64],
        )
    )
    account.last_sign_in_at = moment(at)
    session.flush()
    codes = tuple(item.code for item in account.divisions)
    _note(session, Actor(account.name, account.role, codes, address), "sign_in", 方式=how)
    return token


def _not_locked(folder: DataFolder, name: str, address: str) -> None:
    since = moment(datetime.now(TIME_ZONE) - timedelta(minutes=LOCKED_MINUTES))
    with reading(folder) as session:
        tries = sa.select(sa.func.count()).select_from(Failure).where(Failure.at > since)
        of_name = session.scalar(tries.where(Failure.name == name)) or 0
        of_address = session.scalar(tries.where(Failure.address == address[:64])) or 0
    if of_name >= TRIES or of_address >= TRIES_OF_ADDRESS:
        raise AccountError(LOCKED)


def _failed(folder: DataFolder, name: str, address: str, why: str) -> None:
    at = datetime.now(TIME_ZONE)
    with writing(folder) as session:
        session.execute(sa.delete(Failure).where(Failure.at < moment(at - timedelta(days=1))))
        session.add(Failure(name=name, at=moment(at), address=address[:64]))
        session.flush()
        since = moment(at - timedelta(minutes=LOCKED_MINUTES))
        tries = session.scalar(
            sa.select(sa.func.count()).select_from(Failure).where(Failure.name == name, Failure.at > since)
        )
        nobody = Actor("", "", (), address)
        # What cannot be a name may be a password in the wrong field.
        _note(
            session,
            nobody,
            "sign_in_failed",
            账号=name if _NAME.fullmatch(name) else "（不是账号名）",
            原因=why,
        )
        if tries == TRIES:
            _note(session, nobody, "locked", 账号=name if _NAME.fullmatch(name) else "", 分钟=LOCKED_MINUTES)


def _note(session: Session, actor: Actor, what: str, **detail: object) -> None:
    record.add_to(session, actor.name, actor.role, actor.divisions, actor.address, what, detail)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
