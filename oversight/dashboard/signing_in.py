"""Pages of signing in and of accounts: plain forms, rendered here, that work without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import flask
from pydantic import StringConstraints

from oversight import presentation as show
from oversight.accounts.exist import StoreError, exist
from oversight.accounts.identity import OPEN, acting, begin, current, needs, public
from oversight.accounts.roles import ROLES
from oversight.accounts.scope import EVERYTHING, WHOLE
from oversight.dashboard.downloads import XLSX
from oversight.dashboard.gate import changes, gate
from oversight.dashboard.inputs import Input, Line, Text, takes
from oversight.dashboard.queries import unit_name
from oversight.dashboard.shelf import Shelf, Unavailable
from oversight.dashboard.warehouse import Outdated
from oversight.errors import OversightError

LINES_SHOWN = 200
_Field = Annotated[Line, StringConstraints(max_length=2000)]
# What is typed into a box of several lines.
_Lines = Annotated[Text, StringConstraints(max_length=20_000)]


class Wanted(Input):
    """Where whoever signs in wants to go."""

    # Whatever stands in an address; where it may lead is decided by `_own_place`.
    next: Annotated[Text, StringConstraints(max_length=4000)] = ""


class SignIn(Wanted):
    """The form of signing in."""

    name: _Field = ""
    password: _Field = ""


class Passwords(Input):
    """A password, and the one that takes its place."""

    old: _Field = ""
    new: _Field = ""
    again: _Field = ""


class NewAccount(Input):
    """An account to be made."""

    name: _Field = ""
    full_name: _Field = ""
    role: _Field = ""
    divisions: _Lines = ""
    proxy: _Field = ""


class ChangedAccount(Input):
    """What is to be done with an account."""

    name: _Field = ""
    do: _Field = ""
    role: _Field = ""
    divisions: _Lines = ""


class Chosen(Input):
    """Which lines of the record."""

    what: _Field = ""
    who: _Field = ""
    since: _Field = ""
    until: _Field = ""


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def register(
    server: flask.Flask, shelf: Shelf, asset: Callable[[str], str], texts: dict[str, str]
) -> Callable[..., flask.Response]:
    """Add the routes and return what renders our plain pages. `asset` gives the address of one of our style sheets;
    `texts` are `site` and `subtitle`."""
    folder = shelf.folder
    routes = flask.Blueprint(
        "accounts", __name__, template_folder=str(Path(__file__).resolve().parent / "templates")
    )

    def page(template: str, title: str, status: int = 200, **values: Any) -> flask.Response:
        answer = flask.make_response(
            flask.render_template(
                f"{template}.html",
                title=title,
                theme="dark" if flask.request.cookies.get("oversight_theme") == "dark" else "light",
                style=asset("style.css"),
                own_style=asset("accounts.css"),
                identity=current(),
                here=flask.request.path,
                roles=ROLES,
                token=gate().token(),
                **texts,
                **values,
            ),
            status,
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def name_of(code: str) -> str:
        if code == WHOLE:
            return "全部"
        edition_id = shelf.current_id()
        try:
            name = unit_name(shelf.warehouse(edition_id), EVERYTHING, code) if edition_id else None
        except (Outdated, Unavailable):
            name = None
        return f"{name}（{code}）" if name else code

    @routes.get("/sign-in")
    @public
    @takes(query=Wanted)
    def sign_in_page() -> flask.Response:
        """The form; whoever is signed in goes on to where they wanted."""
        wanted = _own_place(flask.request.args.get("next", ""))
        if current().is_known:
            return _go(wanted)
        return page("sign_in", "登录", next=wanted, name="", has_accounts=exist(folder))

    @routes.post("/sign-in")
    @public
    @takes(form=SignIn)
    def sign_in() -> flask.Response:
        """Begin a session. Form: name, password, next."""
        from oversight.accounts import people

        form = flask.request.form
        wanted, name = _own_place(form.get("next", "")), form.get("name", "")[:64]
        if not exist(folder):
            return _go("/sign-in")
        try:
            token = people.sign_in(
                folder, name, form.get("password", "")[:400], flask.request.remote_addr or ""
            )
        except people.AccountError as error:
            code = 429 if str(error) == people.LOCKED else 403
            return page(
                "sign_in", "登录", status=code, wrong=str(error), next=wanted, name=name, has_accounts=True
            )
        begin(token)
        return _go(wanted)

    @routes.post("/sign-out")
    @takes()
    @changes
    def sign_out() -> flask.Response:
        """End the session."""
        from flask_login import logout_user

        from oversight.accounts import people

        if current().session:
            people.sign_out(folder, current().session, acting())
        logout_user()
        flask.session.clear()
        return _go("/sign-in" if exist(folder) else "/")

    @routes.get("/account")
    @takes()
    def account() -> flask.Response:
        """Who one is, and one's password."""
        if current() is OPEN:
            return _go("/")
        return _account()

    def _account(**told: Any) -> flask.Response:
        divisions = "、".join(name_of(code) for code in current().divisions)
        return page("account", "我的账号", divisions=divisions, **told)

    @routes.post("/account/password")
    @takes(form=Passwords)
    @changes
    def change_password() -> flask.Response:
        """Take another password. Form: old, new, again."""
        from oversight.accounts import people

        form = flask.request.form
        if not current().session:
            return _go("/account")
        if form.get("new", "") != form.get("again", ""):
            return _account(wrong="两次输入的新密码不同，请重新填写。", status=400)
        try:
            people.change_own_password(
                folder,
                acting(),
                form.get("old", "")[:400],
                form.get("new", "")[:400],
                kept_session=current().session,
            )
        except OversightError as error:
            if isinstance(error, StoreError):
                raise
            return _account(wrong=str(error), status=400)
        flask.g.identity = _refreshed()
        return _account(told="密码已修改，其他电脑上的登录已结束。")

    @routes.get("/accounts")
    @needs("manage")
    @takes()
    def accounts() -> flask.Response:
        """Every account in the administrator's own divisions."""
        return _accounts()

    def _accounts(**told: Any) -> flask.Response:
        from oversight.accounts import people
        from oversight.settings import folder_settings

        actor = acting()
        found = [item for item in people.everyone(folder) if people.may_manage(actor, item)]

        def granted(item: people.Person) -> list[tuple[str, str]]:
            pairs = {(item.role_granted_by, item.role_granted_at)} | {(g.by, g.at) for g in item.grants}
            return sorted(pairs, key=lambda pair: pair[1])

        return page(
            "accounts",
            "账号管理",
            people=found,
            division_name=name_of,
            granted=granted,
            has_portal=bool(folder_settings(folder).accounts.proxy_header),
            **told,
        )

    @routes.post("/accounts/add")
    @needs("manage")
    @takes(form=NewAccount)
    @changes
    def add() -> flask.Response:
        """Make an account. Form: name, full_name, role, divisions, proxy."""
        from oversight.accounts import people

        form = flask.request.form
        name = form.get("name", "").strip().lower()
        try:
            made = people.add(
                folder,
                acting(),
                name,
                form.get("role", ""),
                _codes(form.get("divisions", "")),
                full_name=form.get("full_name", ""),
                is_by_proxy=form.get("proxy") == "1",
            )
        except OversightError as error:
            if isinstance(error, StoreError):
                raise
            return _accounts(wrong=str(error), status=400)
        return _accounts(told=f"已建立账号 {name}。", made=(name, made) if made else None)

    @routes.post("/accounts/change")
    @needs("manage")
    @takes(form=ChangedAccount)
    @changes
    def change() -> flask.Response:
        """Change an account. Form: name, do, and for `change` role and divisions."""
        from oversight.accounts import people

        form = flask.request.form
        name, actor, made = form.get("name", "").strip().lower(), acting(), None
        try:
            match form.get("do"):
                case "change":
                    people.change(
                        folder,
                        actor,
                        name,
                        role=form.get("role", ""),
                        divisions=_codes(form.get("divisions", "")),
                    )
                    told = f"已修改账号 {name}，立即生效。"
                case "password":
                    made = (name, people.set_password(folder, actor, name))
                    told = f"已重设账号 {name} 的密码，原有登录已结束。"
                case "revoke":
                    told = f"已结束账号 {name} 的 {people.revoke(folder, actor, name)} 个登录。"
                case "disable" | "enable" as step:
                    people.change(folder, actor, name, is_disabled=step == "disable")
                    told = f"已{'停用' if step == 'disable' else '恢复'}账号 {name}。"
                case _:
                    return _accounts(wrong="请求有误，请刷新页面后重试。", status=400)
        except OversightError as error:
            if isinstance(error, StoreError):
                raise
            return _accounts(wrong=str(error), status=400)
        return _accounts(told=told, made=made)

    @routes.get("/accounts/export")
    @needs("manage")
    @takes()
    def export_accounts() -> flask.Response:
        """Accounts × roles × divisions, as a workbook."""
        from oversight.accounts import lists, record

        record.note(folder, "export", 内容="账号清单")
        return _file(lists.access(folder, current().scope), "账号清单.xlsx")

    @routes.get("/record")
    @needs("manage")
    @takes(query=Chosen)
    def record_page() -> flask.Response:
        """What was done, the newest first."""
        from itertools import islice

        from oversight.accounts import lists, record

        chosen = _chosen()
        lines = list(
            islice(lists.record_in(folder, current().scope, newest_first=True, **_asked(chosen)), LINES_SHOWN)
        )
        head = record.head(folder)
        state = f"共 {show.count(head['number'])} 条。" if head and current().scope.is_whole else ""
        return page(
            "record",
            "留痕",
            200,
            lines=lines,
            kinds=record.WHAT,
            state=state,
            query=urlencode(chosen),
            **chosen,
        )

    @routes.get("/record/export")
    @needs("manage")
    @takes(query=Chosen)
    def export_record() -> flask.Response:
        """The record as chosen, whole, as a workbook."""
        from oversight.accounts import lists, record

        chosen = _chosen()
        record.note(folder, "export", 内容="留痕", **{k: v for k, v in chosen.items() if v})
        return _file(lists.record_workbook(folder, current().scope, **_asked(chosen)), "留痕.xlsx")

    def _refreshed() -> Any:
        from dataclasses import replace

        return replace(current(), must_change=False)

    for view in (account, change_password, sign_out):
        view.is_own_account = True  # type: ignore[attr-defined]
    server.register_blueprint(routes)
    return page


def _chosen() -> dict[str, str]:
    """The filters of the record, of which only those that mean something are left."""
    from oversight.accounts.record import WHAT

    args = flask.request.args
    found = {name: args.get(name, "").replace("\x00", "")[:100] for name in ("what", "who", "since", "until")}
    for name in ("since", "until"):
        if not _DAY.fullmatch(found[name]):
            found[name] = ""
    if found["what"] not in WHAT:
        found["what"] = ""
    return found


def _asked(chosen: dict[str, str]) -> dict[str, str]:
    # The last day is meant whole: every time of it sorts before a tilde.
    return chosen | {"until": chosen["until"] + "~" if chosen["until"] else ""}


def _codes(text: str) -> list[str]:
    return re.split(r"[\s,，、;；]+", text.strip()) if text.strip() else []


def _own_place(wanted: str) -> str:
    """An address of this site and no other; anything else is the first page."""
    # A browser takes a backslash for a slash and leaves out tabs and line breaks.
    is_own = (
        wanted.startswith("/") and not wanted.startswith("//") and not re.search(r"[\\\x00-\x20]", wanted)
    )
    return wanted if is_own and not wanted.startswith("/sign-") and len(wanted) < 2000 else "/"


def _go(where: str) -> flask.Response:
    answer = flask.Response(status=303)
    answer.headers["Location"] = quote(where, safe="/?&=%+:,;@~-_.!$'()*")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _file(data: bytes, name: str) -> flask.Response:
    answer = flask.Response(data, content_type=XLSX)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    answer.headers["Cache-Control"] = "no-store"
    return answer
