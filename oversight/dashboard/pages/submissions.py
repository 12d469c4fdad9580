"""报送与质量: who has reported, what was refused and why, what the checks said."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from oversight import presentation as show
from oversight.dashboard import figures, queries
from oversight.dashboard.archive import returned_in_sight, returned_of, state_of_returned
from oversight.dashboard.components import (
    ROWS_SHOWN,
    card,
    chart,
    empty,
    kpi,
    rows_height,
    select,
    table_card,
)
from oversight.dashboard.elements import html
from oversight.dashboard.grids import Column, Table, public, row_number
from oversight.dashboard.heads import page_head
from oversight.dashboard.pages import Page
from oversight.dashboard.pages.overview import blank_keys
from oversight.dashboard.view import View
from oversight.metrics import METRICS
from oversight.presentation import Figure

SUITE_LOOKS = {"ok": show.Look("通过", "●", "#0f766e", "#5eead4"), **show.QUALITY_KIND}


def render(view: View) -> list[Any]:
    """The page."""
    state = view.state
    filters = [
        select(
            "status",
            "文件状态",
            [(code, look.label) for code, look in show.SUBMISSION_STATUS.items()],
            state.get("status"),
            placeholder="全部",
            clearable=True,
        ),
        select(
            "disposition",
            "行的处置",
            [(code, look.label) for code, look in show.DISPOSITION.items()],
            state.get("disposition"),
            placeholder="全部",
            clearable=True,
        ),
    ]
    return [
        page_head(
            view,
            f"{view.unit_name if state.unit else ''}报送与质量 · {show.month(view.month)}",
            filters=filters,
        ),
        _figures(view),
        _grid(view),
        table_card(
            view,
            missing_table(view, ROWS_SHOWN),
            note="当月三张表没有报齐，或有一张过了截止日才报，或人口、拨付、专职人数申报为零、"
            "写横线、空白的乡镇（街道）；填 0 是有数，不列",
            page_size=10,
        ),
        table_card(
            view,
            files_table(view, ROWS_SHOWN),
            note="收到的每一份文件；同样内容的第二份登记为重复，不重复采用。收下的都有签名的回执，在数据目录的 receipts/",
        ),
        table_card(
            view,
            rejected_table(view, ROWS_SHOWN),
            note="每一行说明错在哪里、怎样改"
            + ("" if _sees_all(view) else "；只列整份都属于这里的文件的行，其余的只列在“全部地区”"),
        ),
        _returned(view),
        *_suites(view),
    ]


def _sees_all(view: View) -> bool:
    """Whether what is shown is of everybody: then whatever came in is there, whoever it speaks of."""
    return not view.state.prefix and "" in view.scope.prefixes


def _figures(view: View) -> Any:
    w, scope, state = view.warehouse, view.scope, view.state
    asked = (
        "expected_count",
        "missing_count",
        "late_count",
        *(f"{dataset}_missing_count" for dataset in ("population", "budget", "staffing")),
    )
    now = view.roll_ups(asked, [view.month]).get(view.month)
    files = queries.submission_counts(w, scope, state.prefix)
    faults = queries.count_rejected(w, scope, state.prefix)
    late = METRICS["late_count"]
    turned, held = faults["rejected_count"], faults["held_count"]
    drawings = {
        "missing_count": "inbox",
        "population_missing_count": "people",
        "budget_missing_count": "money",
        "staffing_missing_count": "people",
    }
    reports = [
        kpi(
            METRICS[key].title,
            METRICS[key].text(now),
            f"/ {METRICS['expected_count'].text(now)} 个" if key == "missing_count" else METRICS[key].unit,
            f"{late.title} {late.text(now, named=True)}"
            if key == "missing_count"
            else "当月未报，或报了未能入库",
            icon_name=icon_name,
            name=key,
            hint=METRICS[key].hint,
        )
        for key, icon_name in drawings.items()
    ]
    items = [
        (
            "收到文件",
            files["files_count"],
            "份",
            f"整份退回 {files['refused_count']} 份"
            if _sees_all(view)
            # No row of theirs is known to be of a unit: of a unit none would be counted.
            else "整份退回的认不出属于哪里，只列在“全部地区”",
            "ledger",
            "files_count",
        ),
        ("退回的行", turned, "行", f"另有待确认 {held} 行", "warning", "rejected_count"),
    ]
    return html.Div(
        [
            *reports,
            *(
                kpi(label, show.count(value), unit, second, icon_name=icon_name, name=name)
                for label, value, unit, second, icon_name, name in items
            ),
        ],
        className="kpis",
    )


def _grid(view: View) -> Any:
    w, scope, state = view.warehouse, view.scope, view.state
    months = view.last_months(24)
    digits = queries.BELOW.get(len(state.prefix), 9)
    cells: dict[tuple[str, date], figures.Cell] = {}
    units: dict[str, str] = {}
    if digits == 9:
        names = queries.township_names(w, scope, state.prefix)
        for code, month, sent in queries.tables_sent(w, scope, state.prefix, months):
            units[code] = names.get(code, code)
            text = f"{units[code]}<br>{show.month(month)}<br>三张表报了 {sent} 张"
            cells[code, month] = figures.Cell(Figure(sent * 100 // 3), text, state.href(month=month))
    else:
        rate = METRICS["complete_reports_pct"]
        asked = [rate.key, "missing_count", "expected_count"]
        for row in queries.units(w, scope, state.prefix, digits, months, asked):
            code = queries.padded(row["code"])
            units[code] = w.names.get(code, code)
            text = (
                f"{units[code]}<br>{show.month(row['month'])}<br>{rate.title} {rate.text(row, named=True)}<br>"
                f"{METRICS['missing_count'].title} {METRICS['missing_count'].text(row)} / "
                f"{METRICS['expected_count'].text(row)} 个"
            )
            link = state.href(month=row["month"], unit=code)
            cells[code, row["month"]] = figures.Cell(rate.of(row), text, link)
    shown = list(units.items())[:45]
    if not shown:
        return card("报送情况", empty("这里没有应报送的乡镇。"))
    what = "乡镇 × 月，三张表报了几张" if digits == 9 else "单位 × 月，报齐的乡镇占比"
    more = f"；共 {len(units)} 个单位，此处为前 {len(shown)} 个" if len(units) > len(shown) else ""
    return card(
        "报送情况",
        chart(
            "reports",
            figures.heat_map(
                shown, months, cells, view.theme, low=0, high=100, ticks={0: "0%", 50: "50%", 100: "100%"}
            ),
            rows_height(len(shown), row=26, least=180),
            f"{len(shown)} 个单位近 {len(months)} 个月的报送情况",
        ),
        note=[what + more, blank_keys({cell.figure.state for cell in cells.values()})],
        wide=True,
    )


def missing_table(view: View, limit: int | None = None) -> Table:
    """Townships that have not sent all three tables in time, or sent one without its main figure."""
    w, scope, state = view.warehouse, view.scope, view.state
    rows, total = queries.report_rows(w, scope, state.prefix, view.month, limit, view.ask)

    def sent(name: str) -> Column:
        return Column(f"{name}_came", show.DATASET[name], "status", looks=show.REPORT_TOLD, width=170)

    return Table(
        name="missing",
        title="未报齐、逾期或没有填数的乡镇",
        columns=[
            Column("township_name", "乡镇", "link", width=140),
            Column("county_name", "县（区）"),
            Column("township_code", "区划代码"),
            sent("population"),
            sent("budget"),
            sent("staffing"),
        ],
        rows=rows,
        key=lambda row: str(row["township_code"]),
        href=lambda row: state.href("/township", unit=row["township_code"]),
        total=total,
        empty=f"{show.month(view.month)}的三张表，应报的乡镇都按时报齐了。",
    )


def files_table(view: View, limit: int | None = None) -> Table:
    """Files received."""
    w, state = view.warehouse, view.state
    rows, total = queries.submissions(
        w, view.scope, state.prefix, status=state.get("status"), limit=limit, ask=view.ask
    )

    def of(name: str, **changes: Any) -> Column:
        return public(w, f"submissions.{name}", **changes)

    def rows_of(name: str) -> Column:
        return of(name, kind="number")

    return Table(
        name="files",
        title="收到的文件",
        columns=[
            of("file_name", kind="long"),
            of("status", kind="status", looks=show.SUBMISSION_STATUS, width=112, is_decisive=True),
            of("dataset", wraps=True, width=150),
            of("month_from", absent=show.NONE),
            of("month_to", absent=show.NONE),
            rows_of("rows_read"),
            rows_of("rows_accepted"),
            rows_of("rows_held"),
            rows_of("rows_rejected"),
            rows_of("rows_ignored"),
            of("is_correction", is_hidden=True),
            of("filed_on", absent=show.NONE, is_hidden=True),
            of("received_at", absent=show.NONE, is_hidden=True),
            of("message_zh", kind="long", absent=show.NONE),
            of("what_to_do_zh", kind="long", absent=show.NONE, is_hidden=True),
        ],
        rows=rows,
        key=lambda row: str(row["submission_id"]),
        total=total,
        empty="没有收到过这里的文件。可在“报送”页交报表，或把文件放进数据目录的 raw/ 文件夹再运行。",
    )


def rejected_table(view: View, limit: int | None = None) -> Table:
    """Rows refused or held."""
    w, state = view.warehouse, view.state
    disposition = state.get("disposition")
    rows, total = queries.rejected(
        w, view.scope, state.prefix, disposition=disposition, limit=limit, ask=view.ask
    )

    def of(name: str, **changes: Any) -> Column:
        return public(w, f"rejected_rows.{name}", **changes)

    return Table(
        name="rejected",
        title="退回与待确认的行",
        columns=[
            # What is shown first has room beside each other on a small tablet.
            Column("file_name", "文件", "long", absent=show.NONE, width=170),
            of("sheet", absent=show.NONE),
            row_number(),
            of("column_title", absent=show.NONE),
            of("value", absent="空白"),
            of("message_zh", kind="long", is_decisive=True, width=215),
            of("what_to_do_zh", kind="long", is_decisive=True, width=215),
            of("error_code", is_hidden=True),
            of("disposition", kind="status", looks=show.DISPOSITION, width=100),
        ],
        rows=rows,
        key=lambda row: "/".join(
            str(row[name]) for name in ("submission_id", "sheet", "row_number", "column_title", "error_code")
        ),
        total=total,
        empty="没有退回或待确认的行。" if _sees_all(view) else "整份都属于这里的文件，没有退回或待确认的行。",
    )


def _returned(view: View) -> Any:
    w, prefix = view.warehouse, view.state.prefix
    if prefix:
        own = {row["submission_id"] for row in queries.submissions(w, view.scope, prefix)[0]}
        files = sorted(path for submission, path in returned_of(w).items() if submission in own)
    else:
        files = returned_in_sight(w)
    if not files:
        told = "没有需要退回的工作簿。" if _sees_all(view) else "认得出属于这里的文件，没有需要退回的工作簿。"
        return card("退给报送单位的工作簿", empty(told))
    return card(
        "退给报送单位的工作簿",
        html.Ul(
            [html.Li(html.A(name, href=f"/returned/{quote(name)}", download=True)) for name in files],
            className="list",
        ),
        note="报送单位自己的工作簿，错处已标出并写明怎样改；点击下载后退回即可",
    )


def _suites(view: View) -> list[Any]:
    results = queries.suite_results(view.warehouse, view.scope)
    if not results:
        return [card("数据检查", empty("这一版没有检查结果。重新运行 oversight run 后会有。"))]
    return [
        table_card(
            view,
            suites_table(view),
            note="流程有误则不发布；数据存疑照常使用并请核实；未达标准是监督发现，不是出错",
        ),
        table_card(view, flags_table(view, ROWS_SHOWN), note="照常使用、但请报送单位核实的行", page_size=10),
    ]


def suites_table(view: View, limit: int | None = None) -> Table:
    """What every check said."""
    del limit
    rows = [
        {**row, "outcome": "ok" if row["success"] else row["kind"]}
        for row in queries.suite_results(view.warehouse, view.scope)
    ]
    return Table(
        name="suites",
        # Each looks at all that came in, whichever unit is shown.
        title="数据检查" + ("（全部地区）" if view.state.prefix else ""),
        columns=[
            Column("suite_title_zh", "检查组", width=130, wraps=True),
            Column("title_zh", "检查内容", "long", is_decisive=True),
            Column("outcome", "结果", "status", looks=SUITE_LOOKS, width=110, is_decisive=True),
            Column("evaluated_count", "检查", "number", "行"),
            Column("unexpected_count", "有疑问", "number", "行"),
            Column("message_zh", "说明", "long", absent=show.NONE),
            Column("what_to_do_zh", "处理办法", "long", absent=show.NONE, is_hidden=True),
            Column("kind", "类别", text=lambda row, _: show.label(dict(show.QUALITY_KIND), row["kind"])),
        ],
        rows=rows,
        key=lambda row: f"{row['suite']}/{row['expectation']}",
    )


def _as_number(text: str | None) -> Decimal | str | None:
    """What a check wrote as text, where it is a number."""
    return Decimal(text) if text and re.fullmatch(r"-?\d+(\.\d+)?", text) else text


def flags_table(view: View, limit: int | None = None) -> Table:
    """Rows that a check doubts."""
    rows, total = queries.suite_flags(view.warehouse, view.scope, view.state.prefix, limit, view.ask)
    return Table(
        name="flags",
        title="存疑的数据",
        columns=[
            Column("subject_name", "单位", width=120),
            Column("month", "月份", absent=show.NONE),
            Column("message_zh", "说明", "long", absent=show.NONE, is_decisive=True),
            Column("value", "报的数", "number", absent=show.NONE, in_sql=False),
            Column("expected", "应为", "number", absent=show.NONE, in_sql=False),
            Column("file_name", "文件", "long", absent=show.NONE),
            Column("sheet", "工作表", absent=show.NONE),
            row_number(),
        ],
        rows=[
            {**row, "_n": number, **{name: _as_number(row[name]) for name in ("value", "expected")}}
            for number, row in enumerate(rows)
        ],
        key=lambda row: str(row["_n"]),
        total=total,
        empty="没有存疑的数据。",
    )


PAGE = Page(
    "/submissions",
    "报送与质量",
    "inbox",
    60,
    render,
    {
        "missing": missing_table,
        "files": files_table,
        "rejected": rejected_table,
        "suites": suites_table,
        "flags": flags_table,
    },
    beside=state_of_returned,
)
