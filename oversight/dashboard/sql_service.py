"""Routes of the SQL page: run, look again, cancel, take away, save.

A query longer than a moment does not hold a thread of the server: the browser asks again until it is done. A user is
an account; where nobody signs in a browser, told by the mark this server gave it, and all requests of an address that
bear no such mark are one user.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import flask

from oversight import durable
from oversight.accounts import record
from oversight.accounts.identity import current, needs
from oversight.archive.sums import as_json
from oversight.dashboard.access import significant
from oversight.dashboard.gate import changes, gate, refusal
from oversight.dashboard.inputs import FileQuestion, Named, OfEdition, Question, SavedQuery, given, takes
from oversight.dashboard.shelf import Shelf, Unavailable
from oversight.dashboard.warehouse import Outdated, Warehouse
from oversight.dictionary import read_dictionary, relation_columns, relations
from oversight.sandbox import Answer, QueryError, Sandbox
from oversight.sandbox.messages import unshowable
from oversight.sandbox.output import plain, unique
from oversight.settings import TIME_ZONE

MOMENT = 0.4
JOBS_KEPT = 200
# An answer nobody has come for, whose page was closed.
UNCLAIMED_SECONDS = 600
CELL_CHARACTERS = 2000
SAVED_MOST = 2000
_NAME = re.compile(r"^[0-9a-f]{12}$")
AT_ONCE_EACH = 2
# Of all users who come from one address: marks are given to whoever asks for one.
AT_ONCE_FROM = 8
KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
# What is asked for most comes first in the list of tables.
_FIRST = (
    "main.funding_gap_monthly",
    "main.staffing_gap_monthly",
    "main.findings",
    "main.judgements",
    "main.townships",
    "main.submissions",
    "main.rejected_rows",
    "main.standards",
    "main.standard_tiers",
    "main.policy_documents",
    "main.edition",
)
_UNITS = """
select province_code as code, province_name as name from townships
union select city_code, province_name || ' ' || city_name from townships
union select county_code, city_name || ' ' || county_name from townships
order by code
"""


@dataclass
class _Job:
    user: str
    address: str
    sql: str
    future: Future[Answer] | Future[IO[bytes]]
    # Of a download, the format of the file.
    kind: str | None = None
    started: float = field(default_factory=time.monotonic)


class Desk:
    """Questions being answered, by the id the browser was given."""

    def __init__(self, shelf: Shelf, sandbox: Sandbox | None = None) -> None:
        self.shelf = shelf
        self.sandbox = sandbox or Sandbox()
        self._pool = ThreadPoolExecutor(32, thread_name_prefix="sql")
        self._jobs: OrderedDict[str, _Job] = OrderedDict()
        self._lock = threading.Lock()

    def database(self, edition_id: str) -> Path:
        """The file to ask: the edition, cut to what the one who asks may see."""
        return self.shelf.warehouse(edition_id).file

    def ask(
        self,
        user: str,
        database: Path,
        sql: str,
        parameters: dict[str, Any],
        *,
        address: str = "",
        kind: str | None = None,
        notes: Sequence[str] = (),
    ) -> str:
        """Start a question, or with `kind` a file; its id. Raises `QueryError` when the user asks too many at once."""
        with self._lock:
            self.check(user, address)
            self._tidy()
            name = secrets.token_hex(8)
            future: Future[Answer] | Future[IO[bytes]]
            if kind is None:
                future = self._pool.submit(self.sandbox.run, user, database, sql, parameters, query_id=name)
            else:
                future = self._pool.submit(
                    self.sandbox.download,
                    user,
                    database,
                    sql,
                    parameters,
                    kind=kind,
                    notes=notes,
                    query_id=name,
                )
            self._jobs[name] = _Job(user, address, sql, future, kind)
        return name

    def check(self, user: str, address: str) -> None:
        """Whether another question may begin. Raises `QueryError` when the user, or all from the address, ask too many.

        Asked before a question is noted, too: a flood of those that are refused must not fill the record, nor keep the
        disk busy for everybody else.
        """
        running = [job for job in list(self._jobs.values()) if not job.future.done()]
        if sum(job.user == user for job in running) >= AT_ONCE_EACH:
            raise QueryError("您已有查询在运行，请等它结束，或先取消。", code="busy")
        if address and sum(job.address == address for job in running) >= AT_ONCE_FROM:
            raise QueryError("这台电脑上已有许多查询在运行，请等它们结束后再试。", code="busy")

    def _tidy(self) -> None:
        """Let go of what was not fetched, the oldest first. A temporary file goes with the last who holds it."""
        now = time.monotonic()
        for name, job in list(self._jobs.items()):
            if len(self._jobs) >= JOBS_KEPT or (job.future.done() and now - job.started > UNCLAIMED_SECONDS):
                del self._jobs[name]
                job.future.cancel()

    def job(self, name: str, user: str) -> _Job | None:
        """A question of this user."""
        job = self._jobs.get(name)
        return job if job is not None and job.user == user else None

    def cancel(self, name: str, user: str) -> bool:
        """Stop it."""
        job = self.job(name, user)
        return job is not None and (self.sandbox.cancel(name) or job.future.cancel())

    def forget(self, name: str) -> None:
        """Give back its memory."""
        with self._lock:
            self._jobs.pop(name, None)


def register(server: flask.Flask, shelf: Shelf, sandbox: Sandbox | None = None) -> Desk:
    """Add the routes."""
    desk = Desk(shelf, sandbox)
    routes = flask.Blueprint("sql", __name__)

    @routes.get("/sql/dictionary")
    @needs("query")
    @takes(query=OfEdition)
    def dictionary() -> flask.Response:
        """Tables and columns with both names and their meaning; makes a process ready for the first question."""
        edition_id = given(OfEdition).edition
        try:
            warehouse = shelf.warehouse(edition_id)
            database = desk.database(edition_id)
        except (Unavailable, Outdated):
            return _gone()
        user = gate().asker()
        threading.Thread(target=_warm, args=(desk.sandbox, user, database), daemon=True).start()
        content = warehouse.remember(("sql dictionary",), lambda: _dictionary(warehouse))
        return flask.jsonify(content)

    @routes.post("/sql/run")
    @needs("query")
    @takes(body=Question)
    def run() -> flask.Response:
        """Start a question. The answer, or an id to ask again with."""
        asked = given(Question)
        try:
            database = desk.database(asked.edition)
            parameters = _parameters(asked)
            desk.check(gate().asker(), gate().address())
            _note(shelf, asked)
            name = desk.ask(gate().asker(), database, asked.sql, parameters, address=gate().address())
        except (Unavailable, Outdated):
            return _gone()
        except QueryError as error:
            return _error(error, asked.sql)
        return _told(desk, name)

    @routes.get("/sql/result/<name>")
    @needs("query")
    @takes(path=Named)
    def result(name: str) -> flask.Response:
        """The answer of a question, when there is one."""
        return _told(desk, name)

    @routes.post("/sql/cancel/<name>")
    @needs("query")
    @takes(path=Named)
    def cancel(name: str) -> flask.Response:
        """Stop a question."""
        return flask.jsonify({"cancelled": desk.cancel(name, gate().asker())})

    @routes.post("/sql/download")
    @needs("query")
    @takes(body=FileQuestion)
    def download() -> flask.Response:
        """Start a file of the whole result. An id to ask with until it is ready."""
        asked = given(FileQuestion)
        try:
            database = desk.database(asked.edition)
            notes = _notes(shelf.warehouse(asked.edition), asked)
            parameters = _parameters(asked)
            desk.check(gate().asker(), gate().address())
            _note(shelf, asked, 格式=asked.format)
            name = desk.ask(
                gate().asker(),
                database,
                asked.sql,
                parameters,
                address=gate().address(),
                kind=asked.format,
                notes=notes,
            )
        except (Unavailable, Outdated):
            return _gone()
        except QueryError as error:
            return _error(error, asked.sql)
        return _told(desk, name)

    @routes.get("/sql/file/<name>")
    @needs("query")
    @takes(path=Named)
    def file(name: str) -> flask.Response:
        """The file, once."""
        job = desk.job(name, gate().asker())
        if job is None or job.kind is None or not job.future.done() or job.future.exception():
            return refusal("没有这个文件，或已经取走。请重新下载。", 404)
        desk.forget(name)
        made = job.future.result()
        assert not isinstance(made, Answer)
        return flask.send_file(
            made,
            mimetype=KINDS[job.kind],
            as_attachment=True,
            download_name=f"查询结果_{datetime.now(TIME_ZONE):%Y%m%d-%H%M%S}.{job.kind}",
        )

    @routes.get("/sql/saved")
    @needs("query")
    @takes()
    def saved() -> flask.Response:
        """Saved queries, newest first."""
        found = [item for item in _saved(shelf) if _is_in_sight(item)]
        return flask.jsonify(sorted(found, key=lambda item: str(item["saved_at"]), reverse=True))

    @routes.post("/sql/save")
    @needs("keep_queries")
    @takes(body=SavedQuery)
    @changes
    def save() -> flask.Response:
        """Keep a query under a title. Its id stands in the link."""
        asked = given(SavedQuery)
        title, sql = asked.title[:100], asked.sql
        who = current()
        # Nobody takes the place of what somebody else saved.
        own = f"{who.name}\n" if who.name else ""
        name = hashlib.sha256(f"{own}{title}\n{sql}".encode()).hexdigest()[:12]
        folder = _saved_folder(shelf)
        folder.mkdir(parents=True, exist_ok=True)
        if sum(1 for _ in folder.glob("*.json")) >= SAVED_MOST:
            return refusal(f"已存的查询太多（最多 {SAVED_MOST:,} 个）。请先删除不用的。", 409)
        item: dict[str, Any] = {
            "id": name,
            "title": title,
            "sql": sql,
            "saved_at": f"{datetime.now(TIME_ZONE):%Y-%m-%d %H:%M:%S}",
        }
        if who.name:
            item |= {"by": who.name, "divisions": list(who.divisions)}
        durable.write_bytes(folder / f"{name}.json", as_json(item))
        return flask.jsonify(item)

    @routes.delete("/sql/saved/<name>")
    @needs("keep_queries")
    @takes(path=Named)
    @changes
    def remove(name: str) -> flask.Response:
        """Forget a saved query."""
        found = next((item for item in _saved(shelf) if item["id"] == name and _is_in_sight(item)), None)
        if found is not None and not _is_own(found):
            return refusal("只有保存的人或管理员可以删除这条查询。", 403)
        if found is not None:
            (_saved_folder(shelf) / f"{name}.json").unlink(missing_ok=True)
        return flask.jsonify({"removed": name})

    server.register_blueprint(routes)
    return desk


def _saved_folder(shelf: Shelf) -> Path:
    """Beside the data: saved queries are the bureau's own and outlive every edition."""
    return shelf.folder.root / "queries"


def _saved(shelf: Shelf) -> list[dict[str, Any]]:
    return [
        json.loads(path.read_text("utf-8"))
        for path in _saved_folder(shelf).glob("*.json")
        if _NAME.match(path.stem)
    ]


def _is_in_sight(item: dict[str, Any]) -> bool:
    """A query may name units: it is shown to whoever may see all that its author may, and to its author."""
    who = current()
    return (
        who.scope.is_whole
        or item.get("by") == who.name
        or (bool(item.get("divisions")) and who.scope.covers_all(item["divisions"]))
    )


def _is_own(item: dict[str, Any]) -> bool:
    who = current()
    return who.is_open or item.get("by") == who.name or who.may("manage")


def _note(shelf: Shelf, asked: Question, **more: Any) -> None:
    record.note(
        shelf.folder,
        "download" if more else "query",
        语句=asked.sql[:20_000],
        月份=asked.month or "",
        地区=(asked.unit or "")[:50],
        版本=asked.edition[:60],
        **more,
    )


def _warm(sandbox: Sandbox, user: str, database: Path) -> None:
    with contextlib.suppress(QueryError, OSError):
        sandbox.warm(user, database)


def _parameters(asked: Question) -> dict[str, Any]:
    month, unit = asked.month or "", asked.unit or ""
    if unit and not (unit.isascii() and unit.isdigit()):
        raise QueryError(f"没有地区“{unit[:50]}”。请从列表里选一个，或写区划代码；不写为全部。", code="unit")
    found: dict[str, Any] = {"unit": significant(unit)}
    if re.fullmatch(r"[12]\d{3}-(0[1-9]|1[0-2])", month):
        found["month"] = f"{month}-01"
    return found


def _told(desk: Desk, name: str) -> flask.Response:
    job = desk.job(name, gate().asker())
    if job is None:
        return refusal("没有这个查询，或结果已经清理。请重新运行。", 404)
    try:
        answer = job.future.result(timeout=MOMENT)
    except NotYet:
        return flask.jsonify(
            {"id": name, "is_running": True, "seconds": round(time.monotonic() - job.started, 1)}
        )
    except QueryError as error:
        desk.forget(name)
        return _error(error, job.sql)
    except BaseException:
        desk.forget(name)
        return _error(QueryError("查询没能执行，请重试。"), job.sql)
    if not isinstance(answer, Answer):
        return flask.jsonify({"id": name, "is_ready": True})
    desk.forget(name)
    try:
        content = _content(answer)
    except (OverflowError, ValueError):
        # A date beyond the year 9999.
        return _error(unshowable(), job.sql)
    response = flask.Response(json.dumps(content, ensure_ascii=False), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _content(answer: Answer) -> dict[str, Any]:
    table = answer.table
    columns = []
    for name, kind in zip(unique(table.column_names), table.schema.types, strict=True):
        text = str(kind)
        columns.append(
            {"name": name, "is_number": text.startswith(("int", "uint", "double", "float", "decimal"))}
        )
    values = [column.to_pylist() for column in table.columns]
    rows = [
        [None if v is None else plain(v)[:CELL_CHARACTERS] for v in row] for row in zip(*values, strict=True)
    ]
    return {
        "columns": columns,
        "rows": rows,
        "total": answer.rows,
        "is_complete": answer.is_complete,
        "seconds": round(answer.seconds, 3),
    }


def _notes(warehouse: Warehouse, asked: Question) -> list[str]:
    return [
        warehouse.source_line,
        f"参数：月份 {asked.month or '未用'}，地区 {asked.unit or '全部'}",
        "",
        *asked.sql.splitlines(),
    ]


def _dictionary(warehouse: Warehouse) -> dict[str, Any]:
    cursor = warehouse.plain_connection().cursor()
    try:
        found = relations(read_dictionary(cursor, "e"))
        units = [[code, name] for code, name in cursor.execute(_UNITS).fetchall() if code and name]
    finally:
        cursor.close()
    place = {name: number for number, name in enumerate(_FIRST)}
    tables = [
        {
            "relation": name,
            "table": entry.full_name,
            "title": entry.title,
            "hint": entry.hint,
            "columns": [{"name": c.name, "hint": c.comment} for c in relation_columns(entry)],
            "english": [
                {"name": c.name, "title": c.title, "unit": c.unit, "type": c.type.lower(), "hint": c.hint}
                for c in entry.columns
            ],
        }
        for name, entry in sorted(
            found.items(),
            key=lambda item: place.get(f"{item[1].schema}.{item[1].name}", len(place)),
        )
    ]
    return {"tables": tables, "units": units}


def _error(error: QueryError, sql: str) -> flask.Response:
    place = error.place
    answer = flask.jsonify(
        {
            "error": error.message_zh,
            "code": error.code,
            "place": None
            if place is None
            else {"offset": place.offset, "line": place.line, "column": place.column},
            "line_text": sql.splitlines()[place.line - 1]
            if place and len(sql.splitlines()) >= place.line
            else "",
            "original": error.original[:1000],
        }
    )
    # A flood of these is known by its status where turns are given.
    answer.status_code = 429 if error.code == "busy" else 200
    return answer


def _gone() -> flask.Response:
    return refusal("本页所用的数据版本已经清理，请刷新页面。", 410)
