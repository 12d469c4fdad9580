"""Who sent the request being answered. Decided once, in one hook before everything else; a route is closed unless it
says that it is open to everybody.

Flask-Login holds a session's name in a signed cookie; whether that session still runs, whose it is and what they may
do is read from the database on every request, so that a change of role or a revocation holds at once.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote

import flask

from oversight.accounts.actor import Actor, at_the_machine
from oversight.accounts.exist import StoreError, exist
from oversight.accounts.roles import ROLES, Action, may
from oversight.accounts.scope import WHOLE, Scope
from oversight.settings import DataFolder, folder_settings

SIGN_IN = "/sign-in"
CHANGE_PASSWORD = "/account"  # nosec B105 - an address
COOKIE = "oversight_session"
# Scripts and styles: the same for everybody, and the sign-in page needs them.
_PUBLIC_PATHS = ("/assets/", "/_dash-component-suites/", "/_favicon.ico", "/favicon.ico")

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Identity:
    """Who asks: account, role, division codes. `is_open`: nobody has to sign in here."""

    name: str = ""
    role: str = ""
    divisions: tuple[str, ...] = ()
    is_open: bool = False
    full_name: str = ""
    must_change: bool = False
    # The browser's session; empty for whoever comes through the portal.
    session: str = field(default="", repr=False)

    @cached_property
    def scope(self) -> Scope:
        """What they may see."""
        return Scope.of(self.divisions)

    @property
    def is_known(self) -> bool:
        """Whether they may see anything at all."""
        return self.is_open or bool(self.name)

    def may(self, action: Action) -> bool:
        """Whether they may do this. Where nobody signs in, everything but what accounts are for."""
        return action != "manage" if self.is_open else may(self.role, action)


OPEN = Identity(divisions=(WHOLE,), is_open=True)
NOBODY = Identity()


def current() -> Identity:
    """Who sent the request being answered. Outside of a request it is the server itself, which sees everything; in a
    request that went past the hook it is nobody."""
    if not flask.has_request_context():
        return OPEN
    found: Identity = flask.g.get("identity", NOBODY)
    return found


def acting() -> Actor:
    """Whoever sent the request, or sits at the command line."""
    if flask.has_request_context():
        identity = current()
        return Actor(identity.name, identity.role, identity.divisions, flask.request.remote_addr or "")
    return at_the_machine()


def public(view: View) -> View:
    """Mark a route that answers everybody, signed in or not."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def needs(action: Action) -> Callable[[View], View]:
    """Mark a route that only roles with this action may use; others only have to be signed in."""

    def mark(view: View) -> View:
        view.needs = action  # type: ignore[attr-defined]
        return view

    return mark


def polled(view: View) -> View:
    """Mark a route that pages ask by themselves: it does not keep a session going."""
    view.is_polled = True  # type: ignore[attr-defined]
    return view


def install(server: flask.Flask, folder: DataFolder) -> None:
    """Decide before each request who sent it, and refuse whoever may not ask this."""
    from flask_login import LoginManager

    # Before the first account there is no cookie of ours; a key of the moment signs none that lasts.
    server.secret_key = secrets.token_hex(32)
    server.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
    )
    manager = LoginManager()
    manager.session_protection = "strong"
    manager.init_app(server)
    key = _Key(server, folder)
    if exist(folder):
        key.take()

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(token: str) -> Any:
        from oversight.accounts import people

        found = people.session_of(folder, token, is_seen=not getattr(_view(server), "is_polled", False))
        return _User(token, found) if found else None

    @server.before_request
    def who() -> flask.typing.ResponseReturnValue | None:
        if flask.request.path.startswith(_PUBLIC_PATHS):
            # The same for everybody: it does not matter who asks.
            return None
        view = _view(server)
        identity = _identity(folder, key)
        flask.g.identity = identity
        if getattr(view, "is_public", False):
            return None
        if not identity.is_known:
            return _ask_to_sign_in()
        if identity.must_change and not getattr(view, "is_own_account", False):
            return _redirect(CHANGE_PASSWORD)
        wanted: Action = getattr(view, "needs", "look")
        if not identity.may(wanted):
            from oversight.accounts import record

            if identity.is_open:
                return _refused("这里还没有账号。请先在服务器上用 oversight user add 建立第一个管理员。", 403)
            record.note(folder, "refused", 地址=flask.request.path[:200], 原因="角色不允许")
            role = ROLES.get(identity.role, identity.role)  # type: ignore[call-overload]
            return _refused(f"您的角色（{role}）不能使用这项功能。需要时请联系管理员。", 403)
        return None

    @server.errorhandler(StoreError)
    def unavailable(error: StoreError) -> flask.typing.ResponseReturnValue:
        """What cannot be decided or recorded does not happen."""
        server.logger.error("%s", error)
        return _refused("账号数据库暂时不能读写，请稍后再试；若仍不行，请联系管理员。", 503)


class _Key:
    """What signs the cookies: read once there are accounts."""

    def __init__(self, server: flask.Flask, folder: DataFolder) -> None:
        self.server, self.folder, self.is_taken = server, folder, False

    def take(self) -> None:
        """Sign with the folder's own from now on."""
        if not self.is_taken:
            from oversight.accounts import people

            self.server.secret_key = people.cookie_key(self.folder)
            self.is_taken = True


class _User:
    """As much of a user as Flask-Login asks for."""

    is_authenticated = is_active = True
    is_anonymous = False

    def __init__(self, token: str, person: Any) -> None:
        self.token, self.person = token, person

    def get_id(self) -> str:
        """What the cookie holds: the session's name, never the account's."""
        return self.token


def begin(token: str) -> None:
    """Give the browser its session."""
    from flask_login import login_user

    flask.session.clear()
    login_user(_User(token, None))


def _view(server: flask.Flask) -> Any:
    return server.view_functions.get(flask.request.endpoint or "")


def _identity(folder: DataFolder, key: _Key) -> Identity:
    if not exist(folder):
        # Whoever is not on this very machine sees nothing until there are accounts.
        return OPEN if _is_from_here() else NOBODY
    key.take()
    found, token = _through_the_portal(folder), ""
    if found is None:
        from flask_login import current_user

        user = current_user
        if not user.is_authenticated:
            return NOBODY
        found, token = user.person, user.token
    return Identity(
        found.name,
        found.role,
        found.divisions,
        full_name=found.full_name,
        must_change=found.must_change and bool(token),
        session=token,
    )


def _through_the_portal(folder: DataFolder) -> Any:
    settings = folder_settings(folder).accounts
    name = flask.request.headers.get(settings.proxy_header) if settings.proxy_header else None
    if not name or not _is_among(_peer(), settings.proxy_addresses):
        return None
    from oversight.accounts import people

    return people.by_proxy(folder, name, flask.request.remote_addr or "")


def _is_among(address: str, networks: tuple[str, ...]) -> bool:
    try:
        own = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(own in ipaddress.ip_network(network) for network in networks)


def _is_from_here() -> bool:
    """Whether a browser on this machine asks, and no proxy for somebody else."""
    is_passed_on = any(
        name in flask.request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip")
    )
    return not is_passed_on and _is_among(_peer(), ("127.0.0.0/8", "::1/128"))


def _peer() -> str:
    """The other end of the connection, whatever a proxy's headers say about who is behind it."""
    peer: str | None = flask.request.environ.get("oversight.peer")
    return peer or flask.request.remote_addr or ""


def _ask_to_sign_in() -> flask.typing.ResponseReturnValue:
    """The same for everything that is closed, whether it exists or not."""
    if flask.request.method == "GET" and "text/html" in flask.request.headers.get("Accept", ""):
        wanted = flask.request.full_path.rstrip("?")
        return _redirect(SIGN_IN + (f"?next={quote(wanted, safe='')}" if wanted != "/" else ""))
    return _refused("请先登录。", 401)


def _redirect(where: str) -> flask.Response:
    answer = flask.Response(status=303)
    answer.headers["Location"] = where
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _refused(message: str, code: int) -> flask.Response:
    answer = flask.Response(message, status=code, content_type="text/plain; charset=utf-8")
    answer.headers["Cache-Control"] = "no-store"
    return answer
