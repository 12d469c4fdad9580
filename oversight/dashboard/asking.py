"""What a reader's filters and sorting of a table mean in SQL, so that they hold for every row and not those sent.

A filter is meant as the reader sees the values: a code by its word, a month as 2025年12月, an amount in the unit
chosen. What cannot be understood is left out, never an error; values are always parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from oversight import presentation as show
from oversight.dashboard.grids import Column
from oversight.dashboard.queries import Ask
from oversight.presentation import MoneyUnit

_COMPARED = {
    "equals": "=",
    "notEqual": "<>",
    "lessThan": "<",
    "lessThanOrEqual": "<=",
    "greaterThan": ">",
    "greaterThanOrEqual": ">=",
}
_TEXT = {
    "contains": "contains(lower({0}), lower(?))",
    "notContains": "not contains(lower({0}), lower(?))",
    "equals": "lower({0}) = lower(?)",
    "notEqual": "lower({0}) <> lower(?)",
    "startsWith": "starts_with(lower({0}), lower(?))",
    "endsWith": "ends_with(lower({0}), lower(?))",
}


def ask_of(columns: Sequence[Column], filters: Any, sorting: Any, money: MoneyUnit) -> Ask:
    """The condition and the order that the grid's own models stand for. Unknown columns are passed over."""
    by_field = {column.field: column for column in columns if column.in_sql}
    conditions: list[str] = []
    values: list[Any] = []
    for name, model in filters.items() if isinstance(filters, Mapping) else ():
        if name in by_field and isinstance(model, Mapping):
            told = _condition(by_field[name], model, money)
            if told is not None:
                conditions.append(told[0])
                values += told[1]
    order = []
    for item in sorting if isinstance(sorting, list) else ():
        if isinstance(item, Mapping) and item.get("colId") in by_field:
            way = "desc" if item.get("sort") == "desc" else "asc"
            order.append(f'q."{by_field[item["colId"]].field}" {way} nulls last')
    return Ask(" and ".join(conditions) or "true", tuple(values), ", ".join(order))


_SAID = {
    "equals": "等于",
    "notEqual": "不等于",
    "lessThan": "小于",
    "lessThanOrEqual": "小于等于",
    "greaterThan": "大于",
    "greaterThanOrEqual": "大于等于",
    "contains": "包含",
    "notContains": "不包含",
    "startsWith": "开头是",
    "endsWith": "结尾是",
}


def told_filters(columns: Sequence[Column], filters: Any, money: MoneyUnit) -> list[str]:
    """What a table's own filters choose, in words."""
    by_field = {column.field: column for column in columns}
    return [
        by_field[name].heading(money) + said
        for name, model in (filters.items() if isinstance(filters, Mapping) else ())
        if name in by_field and isinstance(model, Mapping) and (said := _said(model))
    ]


def _said(model: Mapping[str, Any]) -> str:
    parts = model.get("conditions")
    if isinstance(parts, list):
        word = "或" if model.get("operator") == "OR" else "且"
        return word.join(filter(None, (_said(part) for part in parts if isinstance(part, Mapping))))
    kind = model.get("type")
    if kind in ("blank", "notBlank"):
        return "为空" if kind == "blank" else "不为空"
    if kind == "inRange":
        return f"介于{model.get('filter')}和{model.get('filterTo')}"
    return f"{_SAID[str(kind)]}{model.get('filter')}" if kind in _SAID else ""


def _condition(column: Column, model: Mapping[str, Any], money: MoneyUnit) -> tuple[str, list[Any]] | None:
    parts = model.get("conditions")
    if isinstance(parts, list):
        told = [_condition(column, part, money) for part in parts if isinstance(part, Mapping)]
        known = [item for item in told if item is not None]
        if not known:
            return None
        word = " or " if model.get("operator") == "OR" else " and "
        return f"({word.join(item[0] for item in known)})", [value for item in known for value in item[1]]
    kind = model.get("type")
    if kind in ("blank", "notBlank"):
        return f'q."{column.field}" is {"not " if kind == "notBlank" else ""}null', []
    if column.kind == "number":
        return _number(column, model, money)
    if kind not in _TEXT or model.get("filter") is None:
        return None
    text, own = _as_text(column)
    return _TEXT[str(kind)].format(text), [*own, str(model["filter"])]


def _number(column: Column, model: Mapping[str, Any], money: MoneyUnit) -> tuple[str, list[Any]] | None:
    times = 10_000 if column.unit == "元" and money == "wan" else 1
    try:
        first = Decimal(str(model["filter"])) * times
        second = Decimal(str(model["filterTo"])) * times if model.get("filterTo") is not None else None
    except (KeyError, InvalidOperation):
        return None
    field = f'q."{column.field}"'
    if model.get("type") == "inRange":
        return (f"({field} > ? and {field} < ?)", [first, second]) if second is not None else None
    sign = _COMPARED.get(str(model.get("type")))
    return (f"{field} {sign} ?", [first]) if sign else None


def _as_text(column: Column) -> tuple[str, list[Any]]:
    """A column's value as the reader sees it."""
    field, own = f'q."{column.field}"', []
    words: Mapping[str, Any] = column.looks or show.words_of(column.field) or {}
    absent = column.absent or show.NONE
    if words:
        pairs = [(code, look.label if isinstance(look, show.Look) else look) for code, look in words.items()]
        own = [item for pair in pairs for item in pair]
        text = f"case {field} {'when ? then ? ' * len(pairs)}else cast({field} as varchar) end"
    elif column.field == "dataset":
        text, own = f"cast({field} as varchar)", []
        for code, word in show.DATASET.items():
            text, own = f"replace({text}, ?, ?)", [*own, code, word]
    elif column.field == "month" or "month" in column.field.split("_"):
        text = f"strftime({field}, '%Y年%-m月')"
    elif column.field.endswith(("_on", "_until")):
        text = f"strftime({field}, '%Y年%-m月%-d日')"
    elif column.field.startswith("is_"):
        text = f"case when {field} then '是' when not {field} then '否' end"
    else:
        text = f"cast({field} as varchar)"
    return f"coalesce({text}, ?)", [*own, absent]
