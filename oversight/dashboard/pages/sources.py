"""两方核对与资金台账: where two sources differ, and what became of every fund."""

from __future__ import annotations

from typing import Any

from oversight import presentation as show
from oversight.dashboard import queries
from oversight.dashboard.components import ROWS_SHOWN, table_card
from oversight.dashboard.grids import Column, Table, public
from oversight.dashboard.heads import page_head
from oversight.dashboard.pages import Page
from oversight.dashboard.view import View


def render(view: View) -> list[Any]:
    """The page."""
    where = view.unit_name if view.state.unit else ""
    return [
        page_head(view, f"{where}两方核对与资金 · {show.month(view.month)}"),
        table_card(
            view,
            differences_table(view, ROWS_SHOWN),
            note="同一单位同一月份，两个来源所报的数不同；双方的数都保留，采用哪一个由规定的先后决定",
        ),
        table_card(
            view,
            ledger_table(view, ROWS_SHOWN),
            note="每个资金项目各自的预算、拨付、支出和结余；各项目互不相加（合计按项目列），只有民政工作经费对照经费保障标准",
        ),
    ]


def differences_table(view: View, limit: int | None = None) -> Table:
    """Figures that two sources report differently."""
    w = view.warehouse
    rows, total = queries.differences(w, view.scope, view.state.prefix, view.month, limit, view.ask)

    def of(name: str, **changes: Any) -> Column:
        return public(w, f"reconciliation.{name}", **({"absent": show.NONE} | changes))

    def place(side: str) -> Column:
        return Column(f"place_{side}", f"{'甲' if side == 'a' else '乙'}方出处", "long", absent=show.NONE)

    return Table(
        name="differences",
        title="两方数据核对",
        columns=[
            Column("township_name", "乡镇", "link", width=120),
            of("figure_zh"),
            of("source_a_name"),
            of("value_a", kind="number", is_decisive=True),
            of("source_b_name"),
            of("value_b", kind="number", is_decisive=True),
            of("difference", kind="number", is_decisive=True),
            of("used_source_name"),
            of("rule", kind="long"),
            place("a"),
            place("b"),
        ],
        rows=rows,
        key=lambda row: (
            f"{row['township_code']}/{row['dataset']}/{row['fund_code']}/{row['figure']}/{row['source_b']}"
        ),
        href=lambda row: view.state.href("/township", unit=row["township_code"]),
        total=total,
        empty=f"{show.month(view.month)}没有两个来源所报不同的数。只有一个来源的数，这里不列。",
    )


def ledger_table(view: View, limit: int | None = None) -> Table:
    """Every fund of the townships."""
    w = view.warehouse
    rows, total = queries.fund_ledger(w, view.scope, view.state.prefix, view.month, limit, view.ask)

    def of(name: str, **changes: Any) -> Column:
        return public(w, f"fund_ledger_monthly.{name}", **({"absent": show.NONE} | changes))

    return Table(
        name="funds",
        title="资金台账",
        columns=[
            Column("township_name", "乡镇", "link", width=120),
            of("fund_name", width=140),
            of("carried_over_cny"),
            of("from_above_cny"),
            of("own_cny"),
            of("initial_cny", is_decisive=True),
            of("adjusted_cny"),
            of("disbursed_ytd_cny", is_decisive=True),
            of("spent_ytd_cny"),
            of("balance_cny", is_decisive=True),
            of("disbursed_source", is_hidden=True),
            of("disbursed_as_of_month", is_hidden=True),
        ],
        rows=rows,
        key=lambda row: f"{row['township_code']}/{row['fund_code']}",
        is_summed=True,
        sums_by="fund_name",
        href=lambda row: view.state.href("/township", unit=row["township_code"]),
        total=total,
        empty=f"{show.month(view.month)}还没有任何乡镇报过经费。",
    )


PAGE = Page(
    path="/sources",
    title="两方核对与资金",
    icon="ledger",
    order=55,
    render=render,
    tables={"differences": differences_table, "funds": ledger_table},
)
