"""数据版本: every edition that is kept, to open; and what changed from one to another, with the cause."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

from oversight import presentation as show
from oversight.dashboard.access import EVERYTHING
from oversight.dashboard.components import card, empty, facts, select, table_card
from oversight.dashboard.elements import html
from oversight.dashboard.grids import Column, Table
from oversight.dashboard.heads import page_head
from oversight.dashboard.pages import Page
from oversight.dashboard.shelf import Unavailable
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Outdated, Row, Warehouse
from oversight.editions import Edition, list_editions
from oversight.editions.compare import CAUSES, FINDING_CAUSES, MEASURES, Difference, compare
from oversight.editions.edition import EditionError
from oversight.settings import TIME_ZONE

_FINDINGS = (("opened", "新出现"), ("cleared", "已整改"), ("gone", "不再列出"), ("changed", "状态有变"))


def render(view: View) -> list[Any]:
    """The page."""
    older = view.state.get("older")
    kept = list_editions(view.warehouse.folder)
    names = [(edition.edition_id, _name(edition)) for edition in kept]
    choice = select(
        "older", "与哪一版比较", names, older, placeholder="选择以前的版本", clearable=True, is_long=True
    )
    head = page_head(view, "数据版本", filters=[choice], has_units=False)
    parts = [head]
    shown = next((edition for edition in kept if edition.edition_id == view.warehouse.edition_id), None)
    earlier = [edition for edition in kept if shown is not None and _order(edition) < _order(shown)]
    if older:
        parts += _changes(view, older)
    elif earlier:
        last = max(earlier, key=_order).edition_id
        since = html.A("上一版以来有何变化", href=view.state.href(older=last), className="button")
        parts.append(html.Div(since, className="button-row button-row-left"))
    parts.append(
        table_card(
            view,
            _editions_table(view, kept),
            note="每次有新报送并运行成功，就发布一个新版本，旧版本不变。点版本号按那一版查看各页",
        )
    )
    return parts


def _order(edition: Edition) -> tuple[Any, ...]:
    return edition.built_at, edition.edition_id


def _name(edition: Edition) -> str:
    return f"{edition.edition_id}（{_made(edition)}）"


def _made(edition: Edition) -> str:
    return show.moment(edition.built_at.astimezone(TIME_ZONE))


def _editions_table(view: View, kept: list[Edition]) -> Table:
    rows: list[Row] = []
    for edition in kept:
        months = edition.months
        rows.append(
            {
                "edition_id": edition.edition_id,
                "built_at": _made(edition),
                "month_from": show.month(months[0]) if months else show.NONE,
                "month_to": show.month(months[1]) if months else show.NONE,
                "files_count": len(edition.manifest["inputs"]),
                "townships_count": edition.row_count("main.townships"),
                "shown": "本页所用" if edition.edition_id == view.warehouse.edition_id else "",
            }
        )
    return Table(
        name="editions",
        title="保留的版本",
        columns=[
            Column("edition_id", "版本", "link", width=240),
            Column("built_at", "生成时间", width=150),
            Column("month_from", "数据起于"),
            Column("month_to", "数据截至"),
            # How many there are in all is for those who may see all.
            *(
                (
                    Column("files_count", "报送文件", "number", "份"),
                    Column("townships_count", "乡镇", "number", "个"),
                )
                if view.scope == EVERYTHING
                else ()
            ),
            Column("shown", "备注"),
        ],
        rows=rows,
        key=lambda row: str(row["edition_id"]),
        href=lambda row: view.state.href("/", edition=row["edition_id"], unit="", month=None),
    )


def other_edition(view: View, edition_id: str) -> Warehouse | None:
    """Another edition as the reader may see it; None when it is gone, or too old to be read."""
    try:
        return view.shelf.warehouse(edition_id) if view.shelf is not None else None
    except (Unavailable, Outdated):
        return None


def _asked_once(warehouse: Warehouse) -> Any:
    """A connection for questions that are not asked again: their many rows are not remembered."""
    return SimpleNamespace(cursor=warehouse.plain_cursor)


def difference(view: View, older: str) -> Difference | str:
    """What changed from that edition to the one shown, or the sentence that says why it cannot be told."""
    if older == view.warehouse.edition_id:
        return "选的就是本页所用的版本，没有什么可比。请选另一个版本。"
    other = other_edition(view, older)
    if other is None:
        return f"版本 {older} 已经清理，或由旧版程序生成，不能比较。请选另一个版本。"
    earlier, later = sorted((other, view.warehouse), key=lambda w: (str(w.built_at), w.edition_id))

    def made() -> Difference | str:
        try:
            return compare(_asked_once(earlier), _asked_once(later), view.month)
        except EditionError as error:
            return str(error)

    return view.warehouse.remember(("difference", older, view.month), made)


def _changes(view: View, older: str) -> list[Any]:
    found = difference(view, older)
    if isinstance(found, str):
        return [card("两个版本之间的变化", empty(found))]
    money = view.state.money
    unit = show.MONEY_UNITS[money]
    totals = []
    for total in found.totals:
        why = "，".join(
            f"{CAUSES[cause]} {show.signed(show.money(amount, money))}"
            for cause, amount in total.parts.items()
            if amount
        )
        told = " → ".join(show.money(amount, money, absent="未知") for amount in (total.before, total.after))
        if total.before is not None and total.after is not None:
            told += f"，变动 {show.signed(show.money(total.after - total.before, money))}"
        totals.append((f"{MEASURES[total.measure]}（{unit}）", told + (f"；其中 {why}" if why else "")))
    problems = [("未了的问题", f"{show.count(found.open_before)} 个 → {show.count(found.open_after)} 个")]
    for name, word in _FINDINGS:
        findings = getattr(found, name)
        counts = Counter(finding.cause for finding in findings)
        why = "，".join(
            f"{FINDING_CAUSES[cause]} {counts[cause]} 个" for cause in FINDING_CAUSES if counts[cause]
        )
        problems.append((f"{word}的问题", f"{len(findings)} 个" + (f"（{why}）" if why else "")))
    title = f"{found.older} → {found.newer}，{show.month(found.month)}"
    note = "已知数相加，未知的不计；每项变动按原因拆开，各原因之和等于总变动"
    parts: list[Any] = [card(title, [facts(totals), facts(problems)], note=note, wide=True)]
    for table in (_units_table(view, older), _findings_table(view, older)):
        if table.rows:
            parts.append(table_card(view, table, page_size=10))
    return parts


def _units_table(view: View, older: str) -> Table:
    found = difference(view, older)
    rows: list[Row] = []
    if isinstance(found, Difference):
        for change in found.changes:
            moved = (change.after or 0) - (change.before or 0)
            rows.append(
                {
                    **{name: value for name, value in asdict(change).items() if name != "parts"},
                    "measure": MEASURES[change.measure],
                    "before_cny": change.before,
                    "after_cny": change.after,
                    "moved_cny": moved,
                    "causes": "、".join(CAUSES[cause] for cause, amount in change.parts.items() if amount)
                    or "由未报变为零，或反之",
                }
            )
        rows.sort(key=lambda row: (-abs(row["moved_cny"]), row["township_code"], row["measure"]))
    return Table(
        name="changed_units",
        title="有变动的乡镇",
        columns=[
            Column("township_name", "乡镇", "link", width=130),
            Column("measure", "项目", width=120),
            Column("before_cny", "原来", "number", "元", absent="未知"),
            Column("after_cny", "现在", "number", "元", absent="未知"),
            Column("moved_cny", "变动", "number", "元", is_decisive=True),
            Column("causes", "原因"),
        ],
        rows=rows,
        key=lambda row: f"{row['unit_id']}/{row['measure']}",
        href=lambda row: view.state.href("/township", unit=row["township_code"]),
        empty="没有乡镇的金额有变动。",
    )


def _findings_table(view: View, older: str) -> Table:
    found = difference(view, older)
    rows: list[Row] = []
    if isinstance(found, Difference):
        for name, word in _FINDINGS:
            for finding in getattr(found, name):
                rows.append(
                    {
                        "finding_id": finding.finding_id,
                        "kind": word,
                        "message": finding.message,
                        "status_before": finding.status_before,
                        "status_after": finding.status_after,
                        "cause": FINDING_CAUSES[finding.cause],
                    }
                )
    return Table(
        name="changed_findings",
        title="有变动的问题",
        columns=[
            Column("kind", "变化", width=100),
            Column("message", "问题", "long", is_decisive=True),
            Column("status_before", "原来", "status", looks=show.STATUS, absent="没有", width=110),
            Column(
                "status_after",
                "现在",
                "status",
                looks=show.STATUS,
                absent="没有",
                width=110,
                is_decisive=True,
            ),
            Column("cause", "原因"),
        ],
        rows=rows,
        key=lambda row: str(row["finding_id"]),
        empty="没有问题有变动。",
    )


def _of_address(table: Any) -> Any:
    def made(view: View, _limit: int | None) -> Table:
        found: Table = table(view, view.state.get("older"))
        return found

    return made


PAGE = Page(
    "/editions",
    "数据版本",
    "history",
    95,
    render,
    {
        "editions": lambda view, _limit: _editions_table(view, list_editions(view.warehouse.folder)),
        "changed_units": _of_address(_units_table),
        "changed_findings": _of_address(_findings_table),
    },
    is_of_edition=False,
)
