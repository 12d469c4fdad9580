"""What every request passes before any route sees it, and what every answer carries.

The order, one step after the other: a host name that is ours, an address of bounded size, a page that is ours, a
fixed file (it holds no data and goes no further); then who it is and what he may see, which is decided by
`oversight.accounts.identity` between `enter` and `examine`; then the page's token where something is changed, and
inputs of the declared kind. The first step that refuses answers with one sentence. Connections, slow clients, large
bodies and turns are dealt with before all this, in `oversight.dashboard.listening`.
"""

from __future__ import annotations

import http.cookies
import ipaddress
import logging
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import flask
from dash.fingerprint import check_fingerprint
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature, Signer
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from oversight.accounts import identity
from oversight.dashboard import inputs
from oversight.dashboard.answers import Answers, is_fixed
from oversight.dashboard.listening import BODY_BYTES
from oversight.logs import tell

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# A browser's own mark, given out by this server and signed by it: one who is not signed in is told by it.
COOKIE = "oversight_browser"
# Dash's scripts read this cookie and send it back as this header field; so do ours.
TOKEN_COOKIE = "_csrf_token"  # nosec B105 - names, no secrets
TOKEN_HEADER = "X-CSRFToken"  # nosec B105
TOKEN_FIELD = "csrf_token"  # nosec B105
_YEAR = 31_536_000
_SESSIONS_KNOWN = 2000
_SAFE = ("GET", "HEAD", "OPTIONS")
# Asked by every open page and by whoever watches, all the time.
_POLLED = ("/edition", "/health")
_ENDPOINT_OF_DASH = "/_dash-update-component"
_HOST = re.compile(r"^(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+)(?::\d{1,5})?$")

_SENTENCES = {
    400: "请求不符合规定的写法，没有处理。请刷新页面后重试。",
    404: "没有这个网址。请从导航重新打开页面。",
    405: "这个网址不接受这种请求。请从导航重新打开页面。",
    413: "请求太大，没有处理。请缩小内容后重试。",
    414: "网址太长。请从导航重新打开页面。",
    415: "请求的内容不是规定的格式。请刷新页面后重试。",
    500: "服务出错，没能回答。请重试；若仍不行，请把时间和本页地址告诉系统管理员，运行日志里有记录。",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Doors:
    """Under which names the server may be asked, and which proxies are believed about whom they ask for."""

    names: frozenset[str] = field(default_factory=frozenset)
    proxies: frozenset[str] = field(default_factory=frozenset)
    # Whether whoever reaches the server sees everything, because nobody has an account yet.
    is_open: Callable[[], bool] = lambda: True


class Gate:
    """The steps before a request and after an answer, in their order."""

    def __init__(self, doors: Doors | None = None) -> None:
        self.doors = doors or Doors()
        self.answers = Answers()
        self.policy = ""
        self.callbacks = inputs.Callbacks({})
        # Marks need not outlive the server: a browser gets a new one, and nothing is kept under the old.
        self._signer = Signer(secrets.token_bytes(32), salt="browser", key_derivation="hmac")
        self._accounts: dict[str, str] = {}
        self._tokens = Signer(secrets.token_bytes(32), salt="token", key_derivation="hmac")

    def enter(self, app: Any) -> None:
        """The steps before it is known who asks. To be called before any other hook of a Dash app is registered."""
        server: flask.Flask = app.server
        self.app = app
        self.callbacks = inputs.Callbacks(app.callback_map)
        server.session_interface = _Sessions()
        server.config.update(MAX_FORM_MEMORY_SIZE=BODY_BYTES, MAX_FORM_PARTS=50)
        for step in (self.host, self.size, self.origin, self.answers.known):
            server.before_request(step)
        server.after_request(self.note)
        server.after_request(self.headers)
        server.after_request(self.answers.finish)
        server.register_error_handler(inputs.BadInput, lambda error: refusal(error.message_zh, error.code))
        server.register_error_handler(HTTPException, _http_error)
        server.register_error_handler(Exception, _own_error)
        server.extensions["gate"] = self

    def examine(self, app: Any) -> None:
        """The steps after it is known who asks."""
        app.server.before_request(self.proven)
        app.server.before_request(self.typed)

    # --- before ------------------------------------------------------------------------------------------------------

    def host(self) -> flask.Response | None:
        """Only names that are ours: a foreign name that leads here is another site reading through a browser."""
        request = flask.request
        flask.g.began = time.perf_counter()
        name = _host_name(request.headers.get("Host", ""))
        peer = request.environ.get("oversight.peer") or request.remote_addr or ""
        is_near = name in LOOPBACK and (is_loopback(peer) or not peer)
        if not is_near and name not in self.doors.names:
            return refusal("本服务不用这个名称。请使用管理员给出的网址。", 421)
        is_passed_on = any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-Ip"))
        if is_passed_on and self.doors.is_open():
            return refusal(
                "本服务没有启用登录，只供本机使用，不能放在代理后面。请先用 oversight user add 建立账号，再按手册配置代理。",
                403,
            )
        return None

    def origin(self) -> flask.Response | None:
        """What is sent comes from a page of ours, as every browser says."""
        request = flask.request
        if request.method in _SAFE:
            return None
        foreign = refusal("这个请求不是从本服务的页面发出的，没有处理。请在本服务的页面上操作。", 403)
        fetched = request.headers.get("Sec-Fetch-Site")
        if fetched not in (None, "same-origin", "none"):
            return foreign
        told = request.headers.get("Origin") or request.headers.get("Referer")
        if told is not None and not self._is_own(told):
            return foreign
        return None

    def proven(self) -> flask.Response | None:
        """What changes something bears the token that only a page of ours, in this browser, can know."""
        request = flask.request
        if request.method in _SAFE or not self._changes():
            return None
        sent = request.headers.get(TOKEN_HEADER) or request.form.get(TOKEN_FIELD, "")
        if not self.token_holds(sent):
            return refusal("页面已经过期，没有处理。请刷新页面后重试。", 403)
        return None

    def size(self) -> flask.Response | None:
        """No address beyond what a page has; how large a body may be has been seen to where it was read."""
        request = flask.request
        inputs.check_address(request.path, request.query_string)
        if request.method in _SAFE and request.content_length:
            raise inputs.BadInput("这种请求不带内容。请刷新页面后重试。")
        return None

    def typed(self) -> flask.Response | None:
        """Everything sent is of the kind that the route, or Dash's callback, declares."""
        request = flask.request
        session = request.cookies.get(identity.COOKIE)
        if session and identity.current().name:
            self._remember(session, f"account {identity.current().name}")
        if request.routing_exception is not None:
            return None
        if request.path == _ENDPOINT_OF_DASH and request.method == "POST":
            if not request.is_json:
                raise inputs.BadInput("请求的内容不是 JSON。请刷新页面后重试。", 415)
            flask.g.call = self.callbacks.check(request.get_data(cache=True))
            return None
        if request.path.startswith("/_dash-component-suites/"):
            told = request.view_args or {}
            if not self._has_file(str(told.get("package_name")), str(told.get("fingerprinted_path"))):
                return refusal(_SENTENCES[404], 404)
            return None
        view = flask.current_app.view_functions.get(request.endpoint or "")
        inputs.read(view, request.view_args)
        return None

    # --- after -------------------------------------------------------------------------------------------------------

    def headers(self, response: flask.Response) -> flask.Response:
        """What every answer carries, whichever route it comes from."""
        found = response.headers
        found.setdefault("Content-Security-Policy", self._policy())
        found["X-Content-Type-Options"] = "nosniff"
        found.setdefault("X-Frame-Options", "DENY")
        found["Referrer-Policy"] = "same-origin"
        found["Permissions-Policy"] = (
            "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), "
            "payment=(), usb=()"
        )
        found["Cross-Origin-Opener-Policy"] = "same-origin"
        found["Cross-Origin-Resource-Policy"] = "same-origin"
        if flask.request.is_secure:
            found["Strict-Transport-Security"] = f"max-age={_YEAR}"
        if not is_fixed(flask.request.path):
            # What a page shows is not to be found in a browser after its reader has left.
            found.setdefault("Cache-Control", "no-store")
            if (response.content_type or "").startswith("text/html") and response.status_code < 400:
                self._mark(response)
        return response

    def note(self, response: flask.Response) -> flask.Response:
        """A line in the log: what was asked by whom and how it went; the query of an address may name people."""
        request = flask.request
        if not is_fixed(request.path) and request.path not in _POLLED:
            took = time.perf_counter() - flask.g.get("began", time.perf_counter())
            tell(
                log,
                "request",
                method=request.method,
                path=request.path[:200],
                status=response.status_code,
                milliseconds=round(took * 1000),
                address=request.remote_addr,
                user=identity.current().name,
            )
        return response

    def _policy(self) -> str:
        if not self.policy:
            scripts = " ".join(["'self'", *self.app.csp_hashes()])
            self.policy = "; ".join(
                (
                    "default-src 'none'",
                    f"script-src {scripts}",
                    # Mantine, the grid and Plotly write styles into the page; a style cannot send anything anywhere.
                    "style-src 'self' 'unsafe-inline'",
                    "img-src 'self' data: blob:",
                    "font-src 'self' data:",
                    "connect-src 'self'",
                    # A report is read within its page.
                    "frame-src 'self'",
                    "form-action 'self'",
                    "base-uri 'none'",
                    "frame-ancestors 'none'",
                )
            )
        return self.policy

    def _mark(self, response: flask.Response) -> None:
        """Give a browser its mark and the token that belongs to it."""
        name = self._name()
        secure = flask.request.is_secure
        mark = self._signer.sign(name).decode()
        if flask.request.cookies.get(COOKIE) != mark:
            response.set_cookie(COOKIE, mark, max_age=_YEAR, httponly=True, samesite="Lax", secure=secure)
        token = self._token(name)
        if flask.request.cookies.get(TOKEN_COOKIE) != token:
            response.set_cookie(TOKEN_COOKIE, token, max_age=_YEAR, samesite="Strict", secure=secure)

    # --- who is meant ------------------------------------------------------------------------------------------------

    def browser(self) -> str:
        """The browser that sent the request, '' when it bears no mark of ours."""
        return self._unsigned(flask.request.cookies.get(COOKIE, ""))

    def _name(self) -> str:
        """The browser's name; one without gets its own with the answer."""
        if "browser" not in flask.g:
            flask.g.browser = self.browser() or secrets.token_hex(16)
        return str(flask.g.browser)

    def token(self) -> str:
        """The token of this browser, for a form's field `csrf_token`."""
        return self._token(self._name())

    def token_holds(self, sent: str) -> bool:
        """Whether a token is the one of the browser that sends it."""
        name = self.browser()
        return bool(name) and secrets.compare_digest(sent.encode(), self._token(name).encode())

    def party(self, headers: dict[str, str], address: str) -> str:
        """Whose turn a request takes: the account's, the browser's with our mark, else of the address it comes from.

        Asked for every request before it is answered, so nothing is looked up: an account is known by the session's
        cookie once a request of it has been let in.
        """
        try:
            cookies = http.cookies.SimpleCookie(headers.get("COOKIE", ""))
        except http.cookies.CookieError:
            cookies = http.cookies.SimpleCookie()
        session, mark = cookies.get(identity.COOKIE), cookies.get(COOKIE)
        account = self._accounts.get(session.value) if session is not None else None
        if account is not None:
            return account
        name = self._unsigned(mark.value) if mark is not None else ""
        if name:
            return f"browser {name}"
        if address in self.doors.proxies:
            address = headers.get("X_FORWARDED_FOR", address).rpartition(",")[2].strip()[:45]
        return f"address {address}"

    def asker(self) -> str:
        """Whose queries these are: the account's, where nobody signs in the browser's, or those of an address that bear
        no mark."""
        account, name = identity.current().name, self.browser()
        if account:
            return f"account {account}"
        return f"browser {name}" if name else f"address {flask.request.remote_addr}"

    def address(self) -> str:
        """Where whoever has no account asks from, '' for an account: it has limits of its own."""
        return "" if identity.current().name else flask.request.remote_addr or ""

    def behind_proxies(self, application: Any) -> Any:
        """A WSGI application that learns from the proxies named who is asking, and from nobody else."""
        fixed = ProxyFix(application, x_for=1, x_proto=1)

        def answer(environ: dict[str, Any], start_response: Any) -> Any:
            peer = environ.get("REMOTE_ADDR", "")
            environ["oversight.peer"] = peer
            return (fixed if peer in self.doors.proxies else application)(environ, start_response)

        return answer

    def _remember(self, session: str, account: str) -> None:
        self._accounts[session] = account
        while len(self._accounts) > _SESSIONS_KNOWN:
            self._accounts.pop(next(iter(self._accounts)), None)

    def _token(self, name: str) -> str:
        return self._tokens.get_signature(name).decode()

    def _unsigned(self, mark: str) -> str:
        try:
            return self._signer.unsign(mark).decode()
        except (BadSignature, UnicodeError):
            return ""

    def _is_own(self, told: str) -> bool:
        try:
            parts = urlsplit(told)
        except ValueError:
            return False
        own = flask.request.headers.get("Host", "").lower()
        return parts.netloc.lower() == own and parts.scheme in ("http", "https")

    def _has_file(self, package: str, name: str) -> bool:
        path: str = check_fingerprint(name)[0]  # type: ignore[no-untyped-call]
        return path in self.app.registered_paths.get(package, ())

    def _changes(self) -> bool:
        view = flask.current_app.view_functions.get(flask.request.endpoint or "")
        return bool(getattr(view, "changes", False))


class _Sessions(SecureCookieSessionInterface):
    """The session's cookie goes over TLS alone where the page came over TLS."""

    def get_cookie_secure(self, app: flask.Flask) -> bool:
        """Asked for every answer that sets it."""
        del app
        return flask.request.is_secure


def gate() -> Gate:
    """The gate of the server that answers the current request."""
    found: Gate = flask.current_app.extensions["gate"]
    return found


def changes(view: inputs.View) -> inputs.View:
    """Marks a route that changes something: it asks for the page's token."""
    view.changes = True  # type: ignore[attr-defined]
    return view


def refusal(message: str, code: int) -> flask.Response:
    """A refusal in one sentence, as whoever asks can show it."""
    if flask.request.path.startswith(("/sql/", "/_dash")):
        answer = flask.jsonify(
            {"error": message, "code": "refused", "place": None, "line_text": "", "original": ""}
        )
    else:
        answer = flask.Response(message, content_type="text/plain; charset=utf-8")
    answer.status_code = code
    answer.headers["Cache-Control"] = "no-store"
    return answer


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"


def _host_name(text: str) -> str:
    """The name in a Host field, without port, brackets and the root's dot; '' for what is none."""
    found = _HOST.match(text.strip())
    return found.group(1).strip("[]").rstrip(".").lower() if found else ""


def _http_error(error: HTTPException) -> flask.Response:
    code = error.code or 500
    if code < 400:
        return error.get_response()  # type: ignore[return-value]
    return refusal(_SENTENCES.get(code, _SENTENCES[400 if code < 500 else 500]), code)


def _own_error(error: Exception) -> flask.Response:
    """A fault of ours: the log gets all of it, whoever asked nothing of it."""
    log.error("%s %s could not be answered", flask.request.method, flask.request.path, exc_info=error)
    return refusal(_SENTENCES[500], 500)
