"""What an input column is: one description, kept in the metadata of its dataframely column.

Header recognition, the landed Parquet schema, templates and the dictionary are all read from here;
nothing about an input column is written down a second time.

Most who ask want titles and words. dataframely and Polars, 50 MB, are loaded for those alone who hold rows to a schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from types import new_class
from typing import TYPE_CHECKING, Any, Literal

from oversight.personal import is_of_persons

if TYPE_CHECKING:
    import dataframely as dy
    import polars as pl

Kind = Literal["month", "code", "text", "count", "money", "bool", "date", "value", "year"]
Scale = Literal["stock", "flow", "part"]
# none: figures, codes, names of units and funds. free_text: what somebody may write a person's number into; numbers of
# persons are masked when it is read. person: who somebody is; such a column cannot be made (`contract`).
Personal = Literal["none", "free_text", "person"]

# Columns of every build input that say where a row came from (datasets.Provenance); they stand last.
PROVENANCE = (
    "source",
    "nil_figures",
    "dashed_figures",
    "other_columns",
    "submission_id",
    "sheet",
    "row_number",
    "row_status",
    "doubts",
    "precedence",
)


class Typed:
    """A column of a schema: the name of its dataframely class, and what that is made with."""

    def __init__(self, type_name: str, *arguments: Any, **options: Any) -> None:
        self.metadata: Mapping[str, Any] = options.get("metadata") or {}
        self._type_name, self._arguments, self._options = type_name, arguments, options

    def made(self) -> dy.Column:
        """The dataframely column."""
        import dataframely as dy

        made: dy.Column = getattr(dy, self._type_name)(*self._arguments, **self._options)
        return made


class Schema:
    """A dataset's columns are the attributes of a class below this one, those of its bases first."""

    @classmethod
    def typed(cls) -> dict[str, Typed]:
        """The columns in their order."""
        of_classes = (vars(kind).items() for kind in reversed(cls.__mro__))
        return {name: value for items in of_classes for name, value in items if isinstance(value, Typed)}


@dataclass(frozen=True)
class Column:
    """One input column as a sender sees it and as we keep it.

    `scale` says how a factor of 1,000 or 10,000 shows: a `stock` moves slowly from month to month, a `flow`
    may be nothing one month and a year's amount the next, a `part` is small against the dataset's main stock;
    None is not judged by its history.
    `repeats_when_merged`: a cell merged over several others holds for each of them.
    `has_precision`: how exactly the figure was written is kept beside it, since a guarantee is compared with it.
    `may_be_negative`: money taken back is a figure of the month; a figure of the year so far cannot fall below zero.
    """

    name: str
    label_zh: str
    kind: Kind
    unit: str | None
    required: bool
    synonyms: tuple[str, ...]
    description_zh: str
    plausible_max: Decimal | None
    scale: Scale | None
    repeats_when_merged: bool = False
    has_precision: bool = False
    may_be_negative: bool = False
    # Stays as it is for months: a template carries it over from the last report.
    rarely_changes: bool = False
    personal: Personal = "none"

    @property
    def is_of_the_month(self) -> bool:
        """Whether it counts what happened in the month: nothing happened is then a figure, 0."""
        return self.may_be_negative or self.scale == "part"

    @property
    def nil(self) -> Literal["zero", "no", "unknown"]:
        """What 无 says in this column: of staff, posts, things and what happened in the month none, of a question no;
        nobody has no inhabitants, no budget or nothing paid so far by leaving a word in the cell."""
        if self.kind == "bool":
            return "no"
        if self.kind == "count":
            # What is judged by its history or against the population is people, of whom 无 says nothing.
            return "unknown" if self.scale else "zero"
        return "zero" if self.is_of_the_month else "unknown"

    @property
    def precision_name(self) -> str:
        """The companion column with one unit of the last place that the figure was written with."""
        return f"{self.name}_precision"

    @property
    def title_zh(self) -> str:
        """The canonical Chinese header, with the unit in brackets where there is one."""
        return f"{self.label_zh}({self.unit})" if self.unit else self.label_zh

    @property
    def is_measure(self) -> bool:
        """Whether the column carries a reported figure (and not the key, a name or a remark)."""
        return self.kind in ("count", "money", "bool", "value")


@dataclass(frozen=True)
class Contract:
    """One dataset: its Chinese name, its schema, its columns, and what a header above it may be called.

    `any_of`: of these columns at least one has to be there, whichever.
    """

    name: str
    title_zh: str
    description_zh: str
    declared: type[Schema]
    key: tuple[str, ...]
    group_labels: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)

    @cached_property
    def schema(self) -> type[dy.Schema]:
        """What rows are held to."""
        import dataframely as dy

        columns = {name: column.made() for name, column in self.declared.typed().items()}
        return new_class(self.declared.__name__, (dy.Schema,), exec_body=lambda body: body.update(columns))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names of the build input: what the sender reports first, then where it came from."""
        columns = self.declared.typed()
        told: list[str] = []
        for name in columns:
            if name in PROVENANCE:
                continue
            told.append(name)
            if name in self.columns and self.columns[name].has_precision:
                told.append(self.columns[name].precision_name)
        return (*told, *(name for name in columns if name in PROVENANCE))

    @property
    def required(self) -> tuple[Column, ...]:
        """Columns without which a table is refused."""
        return tuple(c for c in self.columns.values() if c.required)

    @property
    def measures(self) -> tuple[Column, ...]:
        """Columns that carry reported figures."""
        return tuple(c for c in self.columns.values() if c.is_measure)

    def by_title(self, title_zh: str) -> Column | None:
        """The column with this canonical title, if the dataset has it."""
        return next((c for c in self.columns.values() if c.title_zh == title_zh), None)

    def polars_schema(self) -> dict[str, pl.DataType]:
        """The build input's columns (`names`) and their types; what says how exact a figure is, is an amount."""
        from oversight.contracts.amounts import MONEY

        types = {name: column.dtype for name, column in self.schema.columns().items()}
        return {name: types.get(name, MONEY) for name in self.names}


def contract(
    name: str,
    title_zh: str,
    schema: type[Schema],
    *,
    description_zh: str,
    key: tuple[str, ...],
    group_labels: tuple[str, ...] = (),
    any_of: tuple[str, ...] = (),
) -> Contract:
    """Read a contract off a schema: every column with an `input` in its metadata is an input column."""
    columns = {
        column_name: Column(name=column_name, **column.metadata["input"])
        for column_name, column in schema.typed().items()
        if "input" in column.metadata
    }
    for column in columns.values():
        words = (column.label_zh, *column.synonyms)
        if column.personal == "person" or any(map(is_of_persons, words)):
            raise ValueError(f"{name}.{column.name}: what says who somebody is is not collected")
    return Contract(name, title_zh, description_zh, schema, key, (title_zh, *group_labels), any_of, columns)


def _metadata(
    label_zh: str,
    kind: Kind,
    description_zh: str,
    *,
    unit: str | None = None,
    required: bool = False,
    synonyms: tuple[str, ...] = (),
    plausible_max: int | None = None,
    scale: Scale | None = None,
    personal: Personal = "none",
    rarely_changes: bool = False,
) -> dict[str, Any]:
    return {
        "input": {
            "label_zh": label_zh,
            "kind": kind,
            "unit": unit,
            "required": required,
            "synonyms": synonyms,
            "description_zh": description_zh,
            "plausible_max": None if plausible_max is None else Decimal(plausible_max),
            "scale": scale,
            "personal": personal,
            "rarely_changes": rarely_changes,
        }
    }


def text(
    label_zh: str,
    description_zh: str,
    *,
    synonyms: tuple[str, ...] = (),
    required: bool = False,
    nullable: bool = True,
    repeats_when_merged: bool = False,
    personal: Personal = "none",
) -> Typed:
    """A name, or with `personal="free_text"` whatever somebody writes."""
    metadata = _metadata(
        label_zh, "text", description_zh, required=required, synonyms=synonyms, personal=personal
    )
    metadata["input"]["repeats_when_merged"] = repeats_when_merged
    return Typed("String", nullable=nullable, metadata=metadata, description=description_zh)


def code(
    label_zh: str,
    description_zh: str,
    *,
    synonyms: tuple[str, ...] = (),
    required: bool = False,
    nullable: bool = True,
) -> Typed:
    """A division code: text of digits, 6, 9 or 12 of them once canonical."""
    metadata = _metadata(label_zh, "code", description_zh, required=required, synonyms=synonyms)
    return Typed("String", nullable=nullable, metadata=metadata, description=description_zh)


def month() -> Typed:
    """The month a row speaks of, kept as its first day."""
    description = "所报数据所属的月份，写作 2025-06、2025年6月、202506、2025.6 均可；入库后为当月 1 日。"
    synonyms = (
        "月份",
        "所属月份",
        "报表月份",
        "数据月份",
        "统计时间",
        "统计期",
        "报告期",
        "所属期",
        "年月",
        "月度",
        "期间",
    )
    metadata = _metadata("统计月份", "month", description, required=True, synonyms=synonyms)
    return Typed(
        "Date", nullable=False, check=lambda e: e.dt.day() == 1, metadata=metadata, description=description
    )


def year(label_zh: str, description_zh: str, *, synonyms: tuple[str, ...] = ()) -> Typed:
    """A calendar year; where there is no such column, the one that the title or the sheet's name states."""
    metadata = _metadata(label_zh, "year", description_zh, synonyms=synonyms)
    return Typed("Int32", nullable=False, min=1949, max=2100, metadata=metadata, description=description_zh)


def date(
    label_zh: str, description_zh: str, *, synonyms: tuple[str, ...] = (), required: bool = False
) -> Typed:
    """A calendar day."""
    metadata = _metadata(label_zh, "date", description_zh, synonyms=synonyms, required=required)
    return Typed("Date", nullable=True, metadata=metadata, description=description_zh)


def count(
    label_zh: str,
    unit: str,
    description_zh: str,
    *,
    synonyms: tuple[str, ...] = (),
    required: bool = False,
    plausible_max: int,
    scale: Scale | None = None,
    has_precision: bool = False,
    rarely_changes: bool = False,
) -> Typed:
    """A whole number of people, households, posts or villages; null where it was not reported."""
    metadata = _metadata(
        label_zh,
        "count",
        description_zh,
        unit=unit,
        required=required,
        synonyms=synonyms,
        plausible_max=plausible_max,
        scale=scale,
        rarely_changes=rarely_changes,
    )
    metadata["input"]["has_precision"] = has_precision
    return Typed("Int64", nullable=True, min=0, metadata=metadata, description=description_zh)


def money(
    label_zh: str,
    description_zh: str,
    *,
    synonyms: tuple[str, ...] = (),
    required: bool = False,
    plausible_max: int,
    scale: Scale | None = None,
    may_be_negative: bool = False,
    rarely_changes: bool = False,
) -> Typed:
    """An amount in 元 with two decimals, never a float; null where it was not reported."""
    metadata = _metadata(
        label_zh,
        "money",
        description_zh,
        unit="元",
        required=required,
        synonyms=synonyms,
        plausible_max=plausible_max,
        scale=scale,
        rarely_changes=rarely_changes,
    )
    metadata["input"] |= {"has_precision": True, "may_be_negative": may_be_negative}
    return Typed("Decimal", 18, 2, nullable=True, metadata=metadata, description=description_zh)


def yes_no(
    label_zh: str, description_zh: str, *, synonyms: tuple[str, ...] = (), rarely_changes: bool = False
) -> Typed:
    """是 or 否; null where it was not reported."""
    metadata = _metadata(label_zh, "bool", description_zh, synonyms=synonyms, rarely_changes=rarely_changes)
    return Typed("Bool", nullable=True, metadata=metadata, description=description_zh)
