"""The Dash application: one shell, one callback that draws a page from its address, and a few plain routes.

The address is the whole state of a page, the edition apart, which is fixed when the browser opens the
application. So one callback with four inputs draws everything, its answer depends on nothing else, and may be
kept as it went over the wire.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import flask
import plotly
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, no_update
from dash.fingerprint import build_fingerprint

from oversight import presentation as show
from oversight.accounts import identity
from oversight.accounts.exist import exist
from oversight.accounts.identity import current
from oversight.accounts.roles import ROLES
from oversight.dashboard import (
    archive,
    downloads,
    following,
    handing_in,
    health,
    inputs,
    letters,
    notices,
    originals,
    papers,
    reviewing,
    rules,
    running,
    signing_in,
    sources,
)
from oversight.dashboard import sql_service as sql
from oversight.dashboard.access import EVERYTHING, scope_of_request
from oversight.dashboard.components import empty, icon
from oversight.dashboard.elements import dag, dcc, dmc, html, plain
from oversight.dashboard.first_sight import first_sight, parts_of
from oversight.dashboard.gate import Doors, Gate, refusal
from oversight.dashboard.heads import not_offered, notice
from oversight.dashboard.kept import Ahead, Kept
from oversight.dashboard.pages import Page, pages
from oversight.dashboard.queries import unit_name
from oversight.dashboard.shelf import SCOPES_OPEN, Damaged, Shelf, Unavailable
from oversight.dashboard.state import read_state
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Outdated
from oversight.editions.seal import is_signed
from oversight.presentation import Theme
from oversight.settings import DataFolder

TITLE = "乡镇保障督查平台"
SUBTITLE = "民政经费与人员保障监督"
OUTDATED = "这一版数据由旧版程序生成，缺少看板要用的表或列。请在服务器上运行 oversight run"
THEME_COOKIE = "oversight_theme"
PLOTLY_FILE = "package_data/plotly.min.js"
# Of our scripts, the one that runs before all others and not after them.
EARLY = "early.js"
# Parts that Dash would fetch when first needed, under names without a fingerprint, again on every reload.
FETCHED_AT_ONCE = ("async-community.js", "async-graph.js")

log = logging.getLogger(__name__)


def create_app(folder: DataFolder, gate: Gate | None = None, *, draws_ahead: bool = False) -> Any:
    """The application over one data folder; `app.server` is the WSGI application.

    Without a gate of its own it answers as on this machine: to the loopback names. One that `draws_ahead` does so for
    each edition after its first pages.
    """
    here = Path(__file__).resolve().parent
    app: Any = _Application(
        __name__,
        title=TITLE,
        update_title="",
        assets_folder=str(here / "assets"),
        serve_locally=True,
        include_assets_files=True,
        assets_ignore=EARLY.replace(".", r"\."),
        suppress_callback_exceptions=True,
        add_log_handler=False,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.server.json.ensure_ascii = False
    gate = gate or Gate(Doors(is_open=lambda: not exist(folder)))
    # Before every other hook of ours: nobody is answered before it is known who asks.
    gate.enter(app)
    identity.install(app.server, folder)
    gate.examine(app)
    app.enable_dev_tools(debug=False)
    for library in (dag, dcc):
        for part in library._js_dist:
            if str(part.get("relative_package_path")).endswith(FETCHED_AT_ONCE):
                part.pop("async", None)
    shelf = Shelf(folder)
    app.layout = lambda: _shell(shelf)
    _callbacks(app, shelf)
    kept = Kept(folder)
    kept.install(app.server)
    app.first_sight = lambda: _first_sight(app.server, shelf, kept)
    downloads.register(app.server, shelf)
    sql.register(app.server, shelf)
    archive.register(app.server, folder)
    plain_page = signing_in.register(
        app.server, shelf, lambda name: str(app.get_asset_url(name)), {"site": TITLE, "subtitle": SUBTITLE}
    )
    health.register(app.server, shelf)
    sources.register(app.server, shelf, plain_page)
    originals.register(app.server, shelf, plain_page)
    handing_in.register(app.server, shelf, plain_page)
    following.register(app.server, shelf)
    letters.register(app.server, shelf)
    reviewing.register(app.server, shelf)
    running.register(app.server, shelf)
    papers.register(app.server, shelf)
    rules.register(app.server, shelf)
    notices.register(app.server, shelf)

    server: flask.Flask = app.server
    server.register_error_handler(Outdated, lambda _: refusal(f"{OUTDATED}。", 410))

    primed: list[str | None] = []
    ahead = Ahead(server, shelf, kept)

    def prime() -> None:
        primed.append(shelf.current_id())
        _prime(shelf)
        if draws_ahead:
            ahead.draw()

    app.prime = prime

    @server.get("/edition")
    @identity.polled
    @inputs.takes()
    def edition() -> flask.Response:
        """Which edition a page opened now would show; asked by open pages."""
        edition_id = shelf.current_id()
        if primed and primed[-1] != edition_id:
            # Those who now read that there is a newer one need not wait for it either.
            primed.append(edition_id)
            primed.append(edition_id)
            threading.Thread(target=prime, daemon=True, name="first pages").start()
        answer = flask.jsonify({"edition_id": edition_id})
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return app


class _Application(Dash):
    """Dash with the page's language and theme in its first tag, so that nothing flashes, and the page itself within it."""

    first_sight: Callable[[], str]

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]
        """The index page."""
        theme = _theme()
        parts["config"] = self._with_plotly(parts["config"])
        return f"""<!DOCTYPE html>
<html lang="zh-CN" data-theme="{theme}" data-mantine-color-scheme="{theme}">
<head>
{parts["metas"]}
<title>{parts["title"]}</title>
{parts["favicon"]}
{parts["css"]}
<script async src="{self._early_address()}" data-plotly="{self._plotly_address()}"></script>
</head>
<body>
{self.first_sight()}
{parts["app_entry"]}
<footer>
{parts["config"]}
{parts["scripts"]}
{parts["renderer"]}
</footer>
</body>
</html>"""

    def get_layout(self) -> Any:
        """The frame, as plain as a page: where orjson meets an object, it loads numpy to see whether it is of that."""
        return plain(super().get_layout())

    def _with_plotly(self, config: str) -> str:
        """Where a chart finds Plotly: Dash names it without a fingerprint, ours has one, as `early.js` is told."""
        start, end = config.index("{"), config.rindex("}") + 1
        own = json.loads(config[start:end])
        own |= {"serve_locally": False, "plotlyjs_url": self._plotly_address()}
        # Nobody who asks needs to know what runs here, and no page looks for a newer version elsewhere.
        own |= {"python_version": "", "dash_version_url": "", "disable_version_check": True}
        text = json.dumps(own)
        # Within a script tag, as Dash writes it.
        for character in "<>/":
            text = text.replace(character, f"\\u{ord(character):04x}")
        return config[:start] + text + config[end:]

    def _early_address(self) -> str:
        # As Dash names the scripts that it includes itself.
        changed = (Path(self.config.assets_folder) / EARLY).stat().st_mtime
        return f"{self.get_asset_url(EARLY)}?m={changed}"

    def _plotly_address(self) -> str:
        module = Path(str(plotly.__file__)).parent / PLOTLY_FILE
        name = build_fingerprint(PLOTLY_FILE, plotly.__version__, int(module.stat().st_mtime))  # type: ignore[no-untyped-call]
        return f"{self.config.requests_pathname_prefix}_dash-component-suites/plotly/{name}"


def _first_sight(server: flask.Flask, shelf: Shelf, kept: Kept) -> str:
    """The page asked for as plain HTML; of one that is drawn anew each time it is asked for, the frame alone."""
    request, edition_id = flask.request, shelf.current_id()
    page = pages().get(request.path.rstrip("/") or "/")
    query = request.query_string.decode("ascii", "replace")
    search = f"?{query}" if query else ""
    content = plain(html.P("正在读取…", className="note"))
    navigation = plain(_navigation(page, read_state(request.path, search).href))
    if page is not None and page.is_of_edition and edition_id is not None:
        # As the browser will ask for it, so that it is drawn once.
        values = (request.path, search, _theme(), edition_id)
        found = kept.find(kept.name_of(current(), values))
        with contextlib.suppress(inputs.BadInput):
            packed = found[0] if found else kept.draw(server, current(), values)
            if packed is not None:
                content, navigation = parts_of(gzip.decompress(packed))
    return first_sight(plain(_shell(shelf)), content, navigation)


def _theme() -> Theme:
    return (
        "dark"
        if flask.has_request_context() and flask.request.cookies.get(THEME_COOKIE) == "dark"
        else "light"
    )


def _shell(shelf: Shelf) -> Any:
    """What stays when the page changes: header, navigation, the place for the page."""
    edition_id = shelf.current_id()
    until = made = ""
    w = None
    # The frame stands even where the edition does not open; the page in it says why.
    with contextlib.suppress(Outdated, Unavailable):
        w = shelf.warehouse(edition_id) if edition_id else None
    if w is not None:
        until, made = (show.month(w.months[-1]) if w.months else show.NONE), show.moment(w.built_at)
    signed = "，已签名" if w is not None and is_signed(w.edition.path) else "，未签名"
    theme = _theme()
    mark = (
        html.Div(
            [
                html.Span([html.Span("数据截至 "), html.Span(until)], className="until"),
                html.Span(f"版本 {edition_id}", className="edition-id"),
            ],
            id="edition-mark",
            className="edition-mark",
            title=f"数据版本 {edition_id}，生成于 {made}{signed}",
            **{"data-edition": edition_id},
        )
        if edition_id
        else html.Div("暂无数据", id="edition-mark", className="edition-mark", **{"data-edition": ""})
    )
    return dmc.MantineProvider(
        id="mantine",
        forceColorScheme=theme,
        theme={"primaryColor": "blue", "fontFamily": "var(--font)", "defaultRadius": "md"},
        children=html.Div(
            [
                dcc.Location(id="url", refresh=False),
                dcc.Store(id="edition", data=edition_id),
                dcc.Store(id="theme", data=theme),
                dcc.Store(id="meta"),
                dcc.Store(id="sink"),
                html.A("跳到正文", href="#main", className="skip"),
                html.Header(
                    [
                        html.Button(
                            icon("menu"),
                            id="nav-toggle",
                            className="icon-button only-narrow",
                            type="button",
                            **{"aria-label": "打开导航", "aria-expanded": "false", "aria-controls": "nav"},
                        ),
                        html.A(
                            [
                                icon("house", className="logo"),
                                html.Span(
                                    [html.Strong(TITLE), html.Span(SUBTITLE, className="subtitle")],
                                    className="brand-text",
                                ),
                            ],
                            href="/",
                            className="brand",
                            # On a telephone there is room for the drawing alone.
                            **{"aria-label": f"{TITLE}，回到总览"},
                        ),
                        html.Form(
                            [
                                icon("search"),
                                html.Label("搜索", htmlFor="search", className="visually-hidden"),
                                dcc.Input(
                                    id="search",
                                    name="q",
                                    type="search",
                                    placeholder="搜单位、拼音、条文、问题、文件",
                                    maxLength=60,
                                    className="search-box",
                                ),
                            ],
                            action="/search",
                            role="search",
                            className="search no-print",
                        ),
                        mark,
                        _account_mark(),
                        html.Button(
                            icon("link"),
                            className="icon-button",
                            type="button",
                            title="复制本页链接（版本、月份、筛选都在其中）",
                            **{"data-action": "share", "aria-label": "复制本页链接"},
                        ),
                        html.Button(
                            icon("print"),
                            className="icon-button",
                            type="button",
                            title="打印本页",
                            **{"data-action": "print", "aria-label": "打印本页"},
                        ),
                        html.Button(
                            [icon("bell"), html.Span(className="bell-count", **{"aria-hidden": "true"})],
                            id="bell",
                            className="icon-button bell",
                            type="button",
                            title="提醒",
                            **{"aria-label": "提醒", "aria-haspopup": "dialog", "aria-expanded": "false"},
                        ),
                        html.Button(
                            icon("theme"),
                            className="icon-button",
                            type="button",
                            title="切换深色、浅色",
                            **{"data-action": "theme", "aria-label": "切换深色、浅色"},
                        ),
                    ],
                    className="header",
                ),
                html.Div(
                    [
                        icon("info"),
                        html.Span("已有新的数据版本。本页仍显示打开时的版本，前后一致；更新后查看新数据。"),
                        html.Button(
                            "更新到新版本", className="button", type="button", **{"data-action": "reload"}
                        ),
                    ],
                    id="newer",
                    className="newer no-print",
                    role="status",
                    hidden=True,
                ),
                html.Div(
                    [
                        html.Nav(
                            html.Div(id="nav", className="nav-links"),
                            className="nav",
                            **{"aria-label": "主导航"},
                        ),
                        html.Main(
                            dcc.Loading(
                                html.Div(id="content", className="content"),
                                delay_show=350,
                                overlay_style={"visibility": "visible", "opacity": 0.55},
                                custom_spinner=html.Div(
                                    [html.Span(className="spinner"), "正在读取数据…"],
                                    className="loading",
                                    role="status",
                                ),
                            ),
                            id="main",
                            tabIndex="-1",
                        ),
                    ],
                    className="body",
                ),
                html.Div(id="live", className="visually-hidden", role="status", **{"aria-live": "polite"}),
            ],
            className="shell",
        ),
    )


def _account_mark() -> Any:
    """Who is signed in; where nobody has to, that it is so."""
    who = current()
    if who.is_open:
        return html.Span(
            ["未设账号", html.Span("，仅限本机", className="wide")],
            className="open-mark",
            title="这里没有账号，不用登录，只能在本机打开。要给别人用，请先用 oversight user add 建立账号。",
        )
    return html.A(
        [icon("people"), html.Span(f"{who.full_name or who.name} · {ROLES.get(who.role, '')}")],
        href="/account",
        className="account-link",
        title="我的账号：身份、密码、退出",
        target="_self",
        **{"aria-label": f"我的账号：{who.full_name or who.name}"},
    )


def _navigation(page: Page | None, href: Any) -> list[Any]:
    links = []
    for item in pages().values():
        if item.in_navigation and current().may(item.needs):
            is_here = page is not None and item.path == page.path
            links.append(
                html.A(
                    [icon(item.icon), html.Span(item.title)],
                    href=href(item.path),
                    className="nav-link" + (" is-here" if is_here else ""),
                    **({"aria-current": "page"} if is_here else {}),
                )
            )
    return links


def _callbacks(app: Any, shelf: Shelf) -> None:
    def draw(
        path: inputs.Search | None,
        search: inputs.Search | None,
        theme: Theme | None,
        edition_id: inputs.EditionId | None,
    ) -> tuple[Any, Any, Any]:
        """The page an address asks for, of the edition the browser has open."""
        if path is None:
            return no_update, no_update, no_update
        page = pages().get(path.rstrip("/") or "/")
        if page is not None and not page.is_of_edition:
            flask.g.answer_name = None
        content, navigation, meta = _draw(
            shelf, path, search or "", "dark" if theme == "dark" else "light", edition_id
        )
        return plain(content), plain(navigation), meta

    app.callback(
        Output("content", "children"),
        Output("nav", "children"),
        Output("meta", "data"),
        Input("url", "pathname"),
        Input("url", "search"),
        Input("theme", "data"),
        State("edition", "data"),
    )(draw)

    for name, output, watched in (
        ("filter", "sink", [Input({"type": "filter", "name": ALL, "initial": ALL}, "value")]),
        ("click", "sink", [Input({"type": "chart", "name": ALL}, "clickData")]),
        ("arrived", "sink", [Input("meta", "data")]),
        ("theme", "sink", [Input("theme", "data")]),
    ):
        app.clientside_callback(
            ClientsideFunction("oversight", name),
            Output(output, "data", allow_duplicate=True),
            *watched,
            prevent_initial_call=True,
        )
    app.clientside_callback(
        ClientsideFunction("oversight", "scheme"),
        Output("mantine", "forceColorScheme"),
        Input("theme", "data"),
    )


def _draw(
    shelf: Shelf, path: str, search: str, theme: Theme, edition_id: str | None
) -> tuple[list[Any], list[Any], dict[str, Any]]:
    state = read_state(path, search)
    page = pages().get(path.rstrip("/") or "/")
    told = list(state.unread)
    if state.edition and state.edition != edition_id and not shelf.has(state.edition):
        told.append(f"没有版本 {state.edition}（可能已经清理），以下为当前版本")
        state = replace(state, edition="")
    navigation = _navigation(page, lambda target: state.href(target))

    def answer(
        content: list[Any], title: str, address: str = ""
    ) -> tuple[list[Any], list[Any], dict[str, Any]]:
        meta = {"title": f"{title} · {TITLE}", "path": path, "search": search, "address": address}
        return content, navigation, meta | {"edition": state.edition or edition_id or ""}

    if page is None or not current().may(page.needs):
        # A page one's role may not use is as unknown as one that does not exist.
        home = html.A("回到总览", href="/", className="button")
        return answer([empty(f"没有“{path}”这个页面。", action=home)], "页面不存在")
    if not edition_id:
        return answer([_no_edition()], page.title)
    try:
        warehouse = shelf.warehouse(state.edition or edition_id)
    except Outdated:
        return answer(_outdated(), page.title)
    except Damaged:
        return answer(
            [
                empty(
                    "这一版数据的文件打不开。请在服务器上运行 oversight run --again 重新生成；若仍不行，请联系系统管理员。"
                )
            ],
            page.title,
        )
    except Unavailable:
        again = html.Button("更新到新版本", className="button", type="button", **{"data-action": "reload"})
        return answer([empty("本页所用的数据版本已经清理。请更新到当前版本。", action=again)], page.title)
    try:
        if not warehouse.months:
            return answer(
                [empty("这一版数据里没有任何月份。请检查 raw/ 下是否有各月报表，再运行 oversight run。")],
                page.title,
            )
        scope = scope_of_request()
        first, last = warehouse.months[0], warehouse.months[-1]
        if state.month is not None and state.month not in warehouse.months:
            told.append(f"没有{show.month(state.month)}的数据（现有{show.month(first)}至{show.month(last)}）")
        if told and (state.month not in warehouse.months):
            told[-1] += f"，以下为{show.month(last)}"
        state = replace(state, month=state.month if state.month in warehouse.months else last, unread=())
        if state.unit and (not scope.touches(state.unit) or unit_name(warehouse, scope, state.unit) is None):
            home = html.A("查看全部地区", href=state.href(unit=""), className="button")
            return answer(
                [empty(f"没有区划代码为 {state.unit} 的单位，或您无权查看。", action=home)], page.title
            )
        view = View(warehouse, scope, state, theme, shelf=shelf)
        older = [_older(view)] if state.edition and state.edition != edition_id else []
        content = page.render(view)
        told += not_offered(view, content)
        return answer(
            [*older, *([notice("；".join(told) + "。")] if told else []), *content],
            page.title if not state.unit else f"{page.title} · {view.unit_name}",
            state.href(),
        )
    except Outdated:
        return answer(_outdated(), page.title)
    except Exception as error:
        log.exception("page %s of edition %s", path, edition_id)
        # The explanation asks for whole rows and then for what it needs of them.
        if isinstance(error, (KeyError, duckdb.BinderException, duckdb.CatalogException)) and (
            warehouse.is_of_other_program
        ):
            return answer(_outdated(), page.title)
        retry = html.Button("重试", className="button", type="button", **{"data-action": "reload"})
        return answer(
            [
                empty(
                    "这一页没能显示出来。请重试；若仍不行，把本页地址发给系统管理员，运行日志里有详细记录。",
                    action=retry,
                )
            ],
            page.title,
        )


def _older(view: View) -> Any:
    """Says that a page is of another edition than the newest, and leads to what has changed since."""
    w, state = view.warehouse, view.state
    return html.Div(
        [
            icon("info"),
            html.Span(
                f"正在看以前的版本 {w.edition_id}（生成于 {show.moment(w.built_at)}，"
                f"数据截至 {show.month(w.months[-1])}），不是当前版本。"
            ),
            html.A("此后有何变化", href=state.href("/editions", edition="", older=w.edition_id)),
            html.A("回到当前版本", href=state.href(edition="")),
        ],
        className="notice notice-edition",
        role="alert",
    )


def _prime(shelf: Shelf) -> None:
    """Ask every page's questions of the current edition once, so that the first reader does not wait for them."""
    edition_id = shelf.current_id()
    for path in pages():
        _draw(shelf, path, "", "light", edition_id)
    if edition_id and exist(shelf.folder):
        # A part of the edition is cut the first time it is asked for; those who came last need not wait for it.
        from oversight.accounts import people

        for scope in people.scopes(shelf.folder)[:SCOPES_OPEN]:
            with contextlib.suppress(Outdated, Unavailable):
                shelf.warehouse(edition_id, scope)
    with contextlib.suppress(Outdated, Unavailable):
        if edition_id:
            # Each may take a minute of another process: nobody waits for that.
            w = shelf.warehouse(edition_id, EVERYTHING)
            threading.Thread(target=originals.read_all, args=(w,), daemon=True, name="policy texts").start()


def _outdated() -> list[Any]:
    again = html.Button("刷新", className="button", type="button", **{"data-action": "reload"})
    return [empty(f"{OUTDATED}，成功后刷新本页。", action=again)]


def _no_edition() -> Any:
    return html.Div(
        [
            icon("empty"),
            html.H1("还没有可看的数据版本"),
            html.P("把各乡镇报来的文件放进数据目录的 raw/ 文件夹，然后在服务器上运行："),
            html.Pre("oversight run"),
            html.P("运行成功后刷新本页即可。"),
            html.Button("刷新", className="button", type="button", **{"data-action": "reload"}),
        ],
        className="empty empty-page",
    )
