"""Make a report: ready or refused, written in every format asked for, and put in place as one version."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from oversight import presentation
from oversight.editions import find_edition, open_edition
from oversight.reports import config, store
from oversight.reports.config import Wording
from oversight.reports.content import Changes, build
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
from oversight.reports.snapshot import compare, snapshot
from oversight.reports.store import FORMATS, Version
from oversight.settings import DataFolder

if TYPE_CHECKING:
    import duckdb

DRAFT_ZH = "草稿，仅供核对，不得外发"


@dataclasses.dataclass(frozen=True)
class Made:
    """A version that stands, and whether this call made it."""

    version: Version
    is_new: bool


def _nothing(_: str) -> None:
    """No one needs to know which step is being taken."""


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
    on_step: Callable[[str], None] = _nothing,
) -> list[Made]:
    """The reports on `scopes` for `month`, from the current edition; the settings' own scopes when none are named.

    All of one edition, even if a newer one comes meanwhile. Raises `NotReady` where one is not ready, before
    anything of that report is written.
    """
    with _opened(folder) as connection:
        chosen = list(scopes) if scopes else chosen_scopes(folder, connection)
        return [
            make(
                folder, month, code, formats, connection=connection, provisional=provisional, on_step=on_step
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
    send: bool = False,
    again: str | None = None,
    only_missing: bool = False,
    say: Callable[[str], None] = _nothing,
) -> list[Made]:
    """Make each report, tell of it and, with `send` or `again`, deliver it; one that fails keeps none of the others back.

    With `only_missing` a report that stands is told of and sent as it is, whatever edition it was made from.
    Raises `Unfinished` at the end, with every reason, when some could not be made or sent.
    """
    made: list[Made] = []
    problems: dict[str, ReportError] = {}
    with _opened(folder) as connection:
        _check_months(connection, month)
        ((edition_id,),) = connection.execute("select edition_id from edition").fetchall()
        for code in list(scopes) if scopes else chosen_scopes(folder, connection):
            try:
                standing = store.versions(folder, month, code) if only_missing else []
                item = (
                    Made(standing[-1], False)
                    if standing
                    else make(folder, month, code, formats, connection=connection, provisional=provisional)
                )
                made.append(item)
                for line in _lines(item, edition_id):
                    say(line)
                if send or again:
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


def _lines(made: Made, edition_id: str) -> list[str]:
    version = made.version
    told = version.manifest
    name = "草稿" if version.is_draft else f"第{presentation.count(version.number)}版"
    same = "数据和文字都没有变化" if version.edition_id == edition_id else "已有"
    state = "" if made.is_new else f"（{same}，沿用）"
    first = f"{told['scope_name']} {told['month']} 督查通报 {name}{state}，数据版次 {version.edition_id}"
    return [first, *(f"  {version.file(form)}" for form in version.formats)]


@contextmanager
def _opened(folder: DataFolder) -> Iterator[duckdb.DuckDBPyConnection]:
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
    on_step: Callable[[str], None] = _nothing,
) -> Made:
    """One report. The same edition and wording again give the version that stands, with formats added."""
    wording = config.load(folder, scope_code)
    words = config.fingerprint(folder, scope_code)
    on_step("gather")
    _check_months(connection, month)
    facts = gather(connection, month, scope_code, wording.settings["content"]["rank_by"])
    problems = not_ready(facts, wording)
    if problems and not provisional:
        raise NotReady(_refusal(facts, problems))
    with store.lock(folder):
        on_step("lock")
        store.clear_leftovers(folder, month, scope_code)
        before = store.versions(folder, month, scope_code)
        now = snapshot(facts, words)
        if provisional:
            return Made(_draft(folder, facts, wording, problems, now, formats, on_step), True)
        same = next(
            (item for item in reversed(before) if _made_from(item) == (now["edition_id"], words)), None
        )
        if same is not None:
            return _completed(same, before, facts, wording, now, formats, on_step)
        number = before[-1].number + 1 if before else 1
        changes = compare(store.read_snapshot(before[-1]), now, number) if before else None
        report = build(facts, wording, version=number, changes=changes)
        files = render(report, wording, formats, on_step)
        manifest = _manifest(facts, report, words)
        return Made(store.publish(folder, month, scope_code, manifest, files, now, on_step), True)


def render(
    report: Report, wording: Wording, formats: Sequence[str], on_step: Callable[[str], None] = _nothing
) -> dict[str, bytes]:
    """The report in the formats asked for. The same report gives the same bytes."""
    from oversight.reports import charts, write_docx, write_html, write_pdf, write_xlsx, zipped

    found: dict[str, bytes] = {}
    used = {ref.chart.key: ref.chart for ref in report.charts}
    pictures = (
        {key: charts.draw(chart, "png") for key, chart in used.items()}
        if {"docx", "xlsx"} & set(formats)
        else {}
    )
    for form in formats:
        on_step(f"write {form}")
        if form == "docx":
            found[form] = zipped.settled(write_docx.write(report, pictures), report.built_at)
        elif form == "xlsx":
            found[form] = zipped.settled(write_xlsx.write(report, pictures), report.built_at)
        elif form == "pdf":
            drawn = {key: charts.draw(chart, "svg") for key, chart in used.items()}
            style = wording.settings["style"]
            families = {name: style[f"pdf_{name}"] for name in ("title", "body", "heading1", "heading2")}
            found[form] = write_pdf.write(report, drawn, families, wording.fonts)
        elif form == "html":
            found[form] = write_html.write(report)
        else:
            raise ReportError(f"没有“{form}”这种格式，可用的有：{'、'.join(FORMATS)}。")
    return found


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


def _check_months(connection: duckdb.DuckDBPyConnection, month: date) -> None:
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


def _made_from(version: Version) -> tuple[str, str]:
    return version.edition_id, str(version.manifest["wording"])


def _draft(
    folder: DataFolder,
    facts: Facts,
    wording: Wording,
    problems: list[str],
    now: dict[str, Any],
    formats: Sequence[str],
    on_step: Callable[[str], None],
) -> Version:
    told = DRAFT_ZH + (f"：{'；'.join(problems)}" if problems else "")
    report = build(facts, wording, version=0, draft=told)
    files = render(report, wording, formats, on_step)
    manifest = _manifest(facts, report, str(now["wording"]))
    return store.publish(folder, facts.month, facts.scope.code, manifest, files, now, on_step)


def _completed(
    same: Version,
    before: list[Version],
    facts: Facts,
    wording: Wording,
    now: dict[str, Any],
    formats: Sequence[str],
    on_step: Callable[[str], None],
) -> Made:
    wanted = [form for form in formats if form not in same.manifest["files"] or not same.file(form).is_file()]
    if not wanted:
        return Made(same, False)
    earlier_one = next((item for item in before if item.number == same.number - 1), None)
    changes: Changes | None = None
    if earlier_one is not None:
        changes = compare(store.read_snapshot(earlier_one), now, same.number)
    report = build(facts, wording, version=same.number, changes=changes)
    return Made(store.add_formats(same, render(report, wording, wanted, on_step), on_step), False)


def _manifest(facts: Facts, report: Report, words: str) -> dict[str, Any]:
    return {
        "month": presentation.month_code(facts.month),
        "scope_code": facts.scope.code,
        "scope_name": facts.scope.name,
        "title": report.title,
        "version": report.version,
        "draft": report.draft,
        "edition_id": report.edition_id,
        "built_at": report.built_at.isoformat(timespec="seconds"),
        "wording": words,
    }
