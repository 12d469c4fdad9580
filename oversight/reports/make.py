"""Write a report: ready or refused, as a draft or as the paper that is issued, in every format asked for.

A report is known by its content: what it says of its division, whatever edition its figures come from and whatever
day it is. The same content again is the same draft or the same paper, and nothing is sent.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from oversight import presentation
from oversight.accounts.roles import Action, Conflict, apart
from oversight.calendar import Calendar, load_calendar
from oversight.editions import find_edition, open_edition
from oversight.reports import config, register, store
from oversight.reports.config import Wording
from oversight.reports.content import build, marked
from oversight.reports.document import Report
from oversight.reports.errors import NotReady, ReportError, Unfinished
from oversight.reports.facts import (
    Facts,
    built_at,
    default_scopes,
    earlier,
    gather,
    month_end,
    readiness_counts,
)
from oversight.reports.paper import Cited, Paper, dates
from oversight.reports.snapshot import compare, snapshot
from oversight.reports.store import FORMATS, Version
from oversight.settings import TIME_ZONE, DataFolder

if TYPE_CHECKING:
    import duckdb

DRAFT_ZH = "草稿，仅供核对，不得外发"
AUTOMATIC = "自动印发（report.toml 的 auto_issue）"


@dataclasses.dataclass(frozen=True)
class Made:
    """A draft or a paper that stands, and whether this call made it."""

    version: Version
    is_new: bool


@dataclasses.dataclass(frozen=True)
class Issuing:
    """Someone's word that papers be issued: who, when, under which number (none: the next).

    `signed_on`: the day on which the head signed, where that was put down later; none: today.
    """

    by: str
    at: datetime
    number: int | None = None
    is_automatic: bool = False
    signed_on: date | None = None

    @property
    def day(self) -> date:
        """The date of the paper: 成文日期, the day of the signature."""
        return self.signed_on or self.at.astimezone(TIME_ZONE).date()


def _nothing(_: str) -> None:
    """No one needs to know which step is being taken."""


def _now() -> datetime:
    return datetime.now(TIME_ZONE)


def month_before(day: date) -> date:
    """The month a report made on `day` is about: the one before."""
    return earlier(day.replace(day=1), 1)


def make_all(
    folder: DataFolder,
    month: date,
    scopes: Sequence[str] | None = None,
    formats: Sequence[str] = FORMATS,
    *,
    provisional: bool = False,
    issuing: Issuing | None = None,
    now: datetime | None = None,
    on_step: Callable[[str], None] = _nothing,
    by: str = "",
) -> list[Made]:
    """The reports on `scopes` for `month`, from the current edition; the settings' own scopes when none are named.

    Drafts, or with `issuing` papers. All of one edition, even if a newer one comes meanwhile. Raises `NotReady`
    where one is not ready, before anything of that report is written.
    """
    with opened(folder) as connection:
        chosen = list(scopes) if scopes else chosen_scopes(folder, connection)
        return [
            make(
                folder,
                month,
                code,
                formats,
                connection=connection,
                provisional=provisional,
                issuing=issuing,
                now=now,
                on_step=on_step,
                by=by,
            )
            for code in chosen
        ]


def supervise(
    folder: DataFolder,
    month: date,
    scopes: Sequence[str] | None = None,
    formats: Sequence[str] = FORMATS,
    *,
    provisional: bool = False,
    issuing: Issuing | None = None,
    send: bool = False,
    again: str | None = None,
    only_missing: bool = False,
    now: datetime | None = None,
    say: Callable[[str], None] = _nothing,
) -> list[Made]:
    """Make each report, tell of it and, with `send` or `again`, deliver it; one that fails keeps none of the others back.

    A report is a draft until a person issues it: with `issuing`, or where the settings say `auto_issue`. With
    `only_missing` a paper that stands is told of and sent as it is, whatever edition it was made from. Raises
    `Unfinished` at the end, with every reason, when some could not be made or sent.
    """
    made: list[Made] = []
    problems: dict[str, ReportError] = {}
    at = now or _now()
    with opened(folder) as connection:
        check_months(connection, month)
        for code in list(scopes) if scopes else chosen_scopes(folder, connection):
            try:
                stands = store.standing(store.versions(folder, month, code)) if only_missing else None
                is_automatic = not provisional and config.load(folder, code).settings["life"]["auto_issue"]
                item = (
                    Made(stands, False)
                    if stands
                    else make(
                        folder,
                        month,
                        code,
                        formats,
                        connection=connection,
                        provisional=provisional,
                        issuing=issuing or (Issuing(AUTOMATIC, at, None, True) if is_automatic else None),
                        now=at,
                    )
                )
                made.append(item)
                for line in told(item):
                    say(line)
                if item.version.is_draft and send:
                    say("  草稿不发送，印发后才发送")
                elif send or again:
                    from oversight.reports.delivery import deliver

                    for line in deliver(folder, item.version, again=again):
                        say(f"  {line}")
            except ReportError as error:
                problems[code] = error
    if problems:
        raise Unfinished(
            " ".join(map(str, problems.values())),
            tuple(problems),
            all(isinstance(error, NotReady) for error in problems.values()),
        )
    return made


def told(made: Made) -> list[str]:
    """A paper in lines for a terminal: what it is and what comes next, then its files."""
    version = made.version
    told = version.manifest
    state = "" if made.is_new else "（内容没有变化，沿用）"
    number = f" {version.document_no}" if version.document_no else ""
    lines = [f"{told['scope_name']} {told['month']} 督查通报 {version.name_zh}{number}{state}"]
    lines += [f"  {version.file(form)}" for form in version.formats]
    if made.is_new and version.is_draft and not version.manifest["problems"]:
        where = f"--month {told['month']} --scope {version.scope_code} --by 姓名"
        lines.append(f"  审核：oversight report review {where}；签发：oversight report issue {where}")
    return lines


@contextmanager
def opened(folder: DataFolder) -> Iterator[duckdb.DuckDBPyConnection]:
    """The edition that is current now."""
    connection = open_edition(folder, find_edition(folder).edition_id)
    try:
        yield connection
    finally:
        connection.close()


def chosen_scopes(folder: DataFolder, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The divisions that the settings want reports on."""
    chosen = config.load(folder).settings["scopes"]
    if chosen == "auto":
        return [scope.code for scope in default_scopes(connection)]
    if chosen == "all":
        rows = connection.execute(
            "select distinct c from (select county_code as c from townships union select city_code from townships "
            "union select province_code from townships) order by c"
        ).fetchall()
        return [code for (code,) in rows]
    if isinstance(chosen, list):
        return [str(code) for code in chosen]
    raise ReportError(f"通报设置 scopes 应当是 auto、all 或代码清单，现在是 {chosen}。请改正 report.toml。")


def make(
    folder: DataFolder,
    month: date,
    scope_code: str,
    formats: Sequence[str] = FORMATS,
    *,
    connection: duckdb.DuckDBPyConnection,
    provisional: bool = False,
    issuing: Issuing | None = None,
    now: datetime | None = None,
    on_step: Callable[[str], None] = _nothing,
    by: str = "",
) -> Made:
    """One report: its draft, or with `issuing` the paper. The same content again gives what stands, with formats added.

    Once a paper was issued, another content is a correction of it. `by`: who makes the draft, and will not review it.
    Raises `ReportError` where a draft has not been
    reviewed, or says something else by now, and is to be issued by a person.
    """
    wording = config.load(folder, scope_code)
    on_step("gather")
    check_months(connection, month)
    facts = gather(connection, month, scope_code, wording.settings["content"]["rank_by"])
    problems = not_ready(facts, wording)
    if problems and not provisional:
        raise NotReady(_refusal(facts, problems))
    work = _Work(folder, facts, wording, load_calendar(folder), tuple(formats), tuple(problems), on_step)
    with store.lock(folder):
        on_step("lock")
        store.clear_leftovers(folder, month, scope_code)
        return work.issue(issuing) if issuing else work.draft(now or _now(), by)


@dataclasses.dataclass(frozen=True)
class _Work:
    """One report in the making, under the lock."""

    folder: DataFolder
    facts: Facts
    wording: Wording
    calendar: Calendar
    formats: Sequence[str]
    problems: tuple[str, ...]
    on_step: Callable[[str], None]

    @property
    def key(self) -> tuple[DataFolder, date, str]:
        return self.folder, self.facts.month, self.facts.scope.code

    def draft(self, at: datetime, by: str = "") -> Made:
        """The draft of what is new; the paper that stands where nothing is."""
        content = self._content()
        standing = store.versions(*self.key)
        last = store.standing(standing)
        if last and last.content == content and not self.problems:
            store.discard_draft(*self.key)
            return Made(self._completed(last), False)
        paper = self._paper(0, standing)
        held, style = store.draft(*self.key), config.fingerprint(*self.key[::2])
        before = paper.corrects.version if paper.corrects else 0
        is_same = held and (
            held.content,
            held.draft_reason,
            held.manifest["corrects"],
            held.manifest["style"],
        ) == (content, paper.notice, before, style)
        if held and is_same:
            return Made(self._completed(held), False)
        return Made(self._published(paper, content, store.event("drafted", by, at)), True)

    def issue(self, issuing: Issuing) -> Made:
        """The paper: numbered, dated the day it is signed."""
        content = self._content()
        standing = store.versions(*self.key)
        last = store.standing(standing)
        if last and last.content == content:
            store.discard_draft(*self.key)
            return Made(self._completed(last), False)
        events = self._reviewed(content, issuing)
        self._check_day(issuing, events, last)
        number = standing[-1].number + 1 if standing else 1
        paper = self._paper(number, standing, issuing)
        event = store.event("issued", issuing.by, issuing.at)
        version = self._published(paper, content, *events, event)
        store.discard_draft(*self.key)
        return Made(version, True)

    def _reviewed(self, content: str, issuing: Issuing) -> list[dict[str, str]]:
        """The life of the draft so far, if it may be issued."""
        held = store.draft(*self.key)
        if issuing.is_automatic or not self.wording.settings["life"]["needs_review"]:
            return held.events if held and held.content == content else []
        where = f"--month {presentation.month_code(self.facts.month)} --scope {self.facts.scope.code}"
        name = f"{self.facts.scope.name}{presentation.month(self.facts.month)}通报"
        if held is None:
            raise ReportError(
                f"{name}还没有草稿，不能印发。请先运行 oversight report {where}，审核后再印发。"
            )
        if held.content != content:
            raise ReportError(
                f"{name}的草稿生成以后数据或文字又有变化，不能按旧稿印发。请运行 oversight report {where} 更新草稿，重新审核。"
            )
        if held.state != "reviewed":
            raise ReportError(
                f"{name}的草稿还没有审核，不能印发。审核后请运行 oversight report review {where} --by 审核人。"
            )
        try:
            taken: list[tuple[Action, str]] = [
                ("review_report", event["by"]) for event in held.events if event["step"] == "reviewed"
            ]
            apart(issuing.by, "issue_report", taken)
        except Conflict as error:
            raise ReportError(str(error)) from error
        return held.events

    def _check_day(self, issuing: Issuing, events: list[dict[str, str]], last: Version | None) -> None:
        """A day that was given for the signature: a working day on which there was something to sign, and from which
        the deadlines are still to come."""
        day, today = issuing.signed_on, issuing.at.astimezone(TIME_ZONE).date()
        if day is None or day == today:
            return
        if day > today:
            raise ReportError(f"签发日期 {day} 还没有到，不能印发。请写今天或以前的日期。")
        if not self.calendar.is_workday(day):
            raise ReportError(f"签发日期 {day} 是休息日，不能印发。请写实际签发的工作日。")
        known = self.facts.edition["built_at"].date()
        steps = [(known, "所依据的数据版本生成")]
        steps += [
            (datetime.fromisoformat(event["at"]).astimezone(TIME_ZONE).date(), said)
            for event in events
            for step, said in (("drafted", "草稿生成"), ("reviewed", "草稿审核"))
            if event["step"] == step
        ]
        if last and last.issued_on:
            steps.append((last.issued_on, "所更正的通报印发"))
        after, said = max(steps)
        if day < after:
            raise ReportError(
                f"签发日期 {day} 早于{said}的日期 {after}，不能印发。请写 {after} 或以后的日期。"
            )
        first = self._first_deadline(day)
        if first <= today:
            raise ReportError(
                f"按签发日期 {day} 算，最早的办理期限是 {first}，已经到了，不能印发。请写较近的日期，或不写（署今天）。"
            )

    def _first_deadline(self, day: date) -> date:
        settings = self.wording.settings["deadlines"]
        found = dates(self.facts.month, day, settings, self.calendar)
        return min(
            item.on for item in (found.confirm, found.supplement, found.plan, found.rectify) if item.on
        )

    def _paper(self, version: int, standing: list[Version], issuing: Issuing | None = None) -> Paper:
        last = store.standing(standing)
        # Whoever holds a paper that was withdrawn after the one that stands is told so as well.
        withdrawn = standing[-1] if standing and standing[-1] is not last else None
        changes = None
        if last:
            changes = compare(store.read_snapshot(last), snapshot(self.facts), last.number)
        paper = Paper(
            version=version,
            issued_on=issuing.day if issuing else None,
            notice="" if issuing else DRAFT_ZH + (f"：{'；'.join(self.problems)}" if self.problems else ""),
            corrects=_cited(last),
            changes=changes,
            replaces=_cited(withdrawn),
        )
        if issuing is None:
            return paper
        day = issuing.day
        texts = self.wording.settings["document"]
        number = register.take(
            self.folder,
            self.plain.issuer,
            day.year,
            (self.facts.month, self.facts.scope.code, version),
            first=texts["first_number"],
            wanted=issuing.number,
        )
        self.on_step("numbered")
        return dataclasses.replace(paper, number=number)

    @cached_property
    def plain(self) -> Report:
        """The report as it would be without a date, a number or a paper before it."""
        return build(self.facts, self.wording, Paper(), self.calendar)

    def _content(self) -> str:
        """Of what the report says of its division: not when, from which edition, or after which paper."""
        report = self.plain
        said = repr((report.title, report.recipients, report.opening, report.body, report.annexes))
        said = said.replace(str(self.facts.edition["edition_id"]), "")
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def _published(self, paper: Paper, content: str, *events: dict[str, str]) -> Version:
        # What is only marked as a draft says what the plain report says, and that was built already.
        is_plain = dataclasses.replace(paper, version=0, notice="") == Paper()
        report = (
            marked(self.plain, self.facts, paper)
            if is_plain
            else build(self.facts, self.wording, paper, self.calendar)
        )
        files = render(report, self.wording, self.formats, self.on_step)
        manifest = {
            "month": presentation.month_code(self.facts.month),
            "scope_code": self.facts.scope.code,
            "scope_name": self.facts.scope.name,
            "title": report.title,
            "issuer": report.issuer,
            "version": paper.version,
            "draft": paper.notice,
            "problems": list(self.problems),
            "number": paper.number,
            "document_no": report.document_no,
            "issued_on": paper.issued_on.isoformat() if paper.issued_on else None,
            "corrects": paper.corrects.version if paper.corrects else 0,
            "replaces": paper.replaces.version if paper.replaces else 0,
            "edition_id": report.edition_id,
            "built_at": report.built_at.isoformat(timespec="seconds"),
            "content": content,
            "style": config.fingerprint(*self.key[::2]),
            "events": list(events),
        }
        return store.publish(*self.key, manifest, files, snapshot(self.facts), self.on_step)

    def _completed(self, version: Version) -> Version:
        """The paper with the formats asked for that it lacks, as they would have been when it was made."""
        wanted = [
            form
            for form in self.formats
            if form not in version.manifest["files"] or not version.file(form).is_file()
        ]
        if not wanted:
            return version
        cited = {item.number: item for item in store.versions(*self.key)}
        told = version.manifest
        before = cited.get(told["corrects"])
        paper = Paper(
            version=version.number,
            issued_on=version.issued_on,
            number=told["number"],
            notice=told["draft"],
            corrects=_cited(before),
            changes=compare(store.read_snapshot(before), store.read_snapshot(version), before.number)
            if before
            else None,
            replaces=_cited(cited.get(told["replaces"])),
        )
        # The same words about the division, so what is added says what the other formats say.
        facts = dataclasses.replace(
            self.facts,
            edition={
                **self.facts.edition,
                "edition_id": told["edition_id"],
                "built_at": version.built_at.replace(tzinfo=None),
            },
        )
        report = build(facts, self.wording, paper, self.calendar)
        return store.add_formats(version, render(report, self.wording, wanted, self.on_step), self.on_step)


def _cited(version: Version | None) -> Cited | None:
    if version is None or version.issued_on is None:
        return None
    return Cited(version.number, version.title, version.document_no, version.issued_on)


def render(
    report: Report, wording: Wording, formats: Sequence[str], on_step: Callable[[str], None] = _nothing
) -> dict[str, bytes]:
    """The report in the formats asked for. The same report gives the same bytes."""
    from oversight.reports import charts, write_docx, write_html, write_pdf, write_xlsx, zipped

    found: dict[str, bytes] = {}

    def paged() -> bytes:
        return write_pdf.write(report, wording.pdf_families, wording.fonts)

    # Typst sets the pages on another processor while the other formats are written.
    with ThreadPoolExecutor(1) as beside:
        pages = beside.submit(paged) if "pdf" in formats else None
        charted = report.charts if {"docx", "xlsx"} & set(formats) else []
        png = charts.draw((ref.chart for ref in charted), "png")
        for form in formats:
            on_step(f"write {form}")
            if form == "docx":
                found[form] = zipped.settled(write_docx.write(report, png), report.built_at)
            elif form == "xlsx":
                found[form] = zipped.settled(write_xlsx.write(report, png), report.built_at)
            elif form == "html":
                found[form] = write_html.write(report)
            elif form != "pdf":
                raise ReportError(f"没有“{form}”这种格式，可用的有：{'、'.join(FORMATS)}。")
        if pages is not None:
            found["pdf"] = pages.result()
    return {form: found[form] for form in formats}


def not_ready(facts: Facts, wording: Wording) -> list[str]:
    """Why no report may be made of these data; empty when it may."""
    rules = wording.settings["readiness"]
    problems = []
    if rules["after_month_end"] and built_at(facts).date() <= month_end(facts.month):
        problems.append(
            f"数据版次{facts.edition['edition_id']}生成于{presentation.moment(built_at(facts))}，"
            f"{presentation.month(facts.month)}当时还没有结束"
        )
    complete, due = readiness_counts(facts)
    share = presentation.ratio_pct(complete, due)
    if due == 0:
        problems.append("没有应报送的乡镇")
    elif share is None or share < rules["min_reported_pct"]:
        problems.append(
            f"应报送{presentation.count(due)}个乡镇，三项报齐的只有{presentation.count(complete)}个"
            f"（{presentation.percent(share, 2)}，要求不低于{rules['min_reported_pct']}%）"
        )
    if facts.audit is None:
        problems.append("本版数据没有核对结果")
    elif facts.audit:
        problems.append("本版数据核对未通过：" + "、".join(str(row["title_zh"]) for row in facts.audit[:3]))
    return problems


def _refusal(facts: Facts, problems: list[str]) -> str:
    return (
        f"{facts.scope.name}{presentation.month(facts.month)}通报不能生成：{'；'.join(problems)}。"
        "请补齐数据并运行 oversight run 后再试；要先看样子，可加 --provisional 生成草稿。"
    )


def check_months(connection: duckdb.DuckDBPyConnection, month: date) -> None:
    row = connection.execute("select first_month, last_month from edition").fetchone()
    first, last = row if row else (None, None)
    if first is None or last is None:
        raise NotReady("本版数据里还没有任何月份的报表。请把各乡镇报表放进 raw，运行 oversight run 后再试。")
    if not first <= month <= last:
        raise NotReady(
            f"没有{presentation.month(month)}的数据，不能生成通报：本版数据自{presentation.month(first)}"
            f"至{presentation.month(last)}。请等当月数据报齐并运行 oversight run，或改用 --month "
            f"{presentation.month_code(last)}。"
        )
