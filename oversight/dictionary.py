"""What tables and columns are called in Chinese, and the relations that bear those names.

Everything is read from the comments in the warehouse, which are made from the contracts and dbt's descriptions: a
text stands in one place and is a comment, a hint, a line of the dictionary and a column's Chinese name alike.

The relations are views in a schema of their own. A view usually breaks when its file is attached under another
name, because it names the database; these name schema and table only (`main.townships`), which DuckDB 1.4 to 2.0
look up in the view's own file first. They cost no space and nothing at publication.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from oversight import presentation

if TYPE_CHECKING:
    import duckdb

CHINESE_SCHEMA = "中文"

_TITLE = re.compile(r"^(?P<title>[^：:，。；]+?)(?:[：:，。；](?P<hint>.*))?$", re.S)
# 标题（单位）：说明
_COLUMN = re.compile(
    r"^(?P<title>[^：，；（(]+)(?:[（(](?P<unit>[^（()）]*)[)）])?[：，；]?(?P<hint>.*)$", re.S
)
_UNIT_OF_SUFFIX = {"_cny": "元", "_persons": "人", "_posts": "名", "_pct": "%"}
# Ends of English names whose numbers count things that the title names: 文件数, 行数, 序号.
_COUNTS = ("_count", "_no", "number", "_months", "months_open")
_NUMBERS = ("BIGINT", "INTEGER", "HUGEINT", "DECIMAL", "DOUBLE", "SMALLINT", "TINYINT", "FLOAT", "UBIGINT")

# The column an analyst means by "the gap", beside its full name.
_SHORT_NAMES = {("funding_gap_monthly", "allocation_shortfall_cny"): "缺口"}
# Names of the relations of the tables that have a shorter one in the field's own words.
_SCHEMA_WORDS = {"reported": "报送", "quality": "核对", "detail": "明细"}


_OF_UNITS = ("township_name", "county_name")


@dataclass(frozen=True)
class ColumnEntry:
    """A column of the dictionary."""

    name: str
    type: str
    comment: str

    @cached_property
    def _parts(self) -> tuple[str, str, str]:
        found = _COLUMN.match(self.comment)
        if found is None:
            return self.name, "", ""
        return found["title"].strip(), (found["unit"] or "").strip(), (found["hint"] or "").strip()

    @property
    def title(self) -> str:
        """Chinese name without the unit."""
        return self._parts[0]

    @property
    def unit(self) -> str:
        """元, 人, 名, %, or '' where there is none."""
        by_name = next((unit for end, unit in _UNIT_OF_SUFFIX.items() if self.name.endswith(end)), "")
        return (self._parts[1] or by_name) if self.is_number else ""

    @property
    def hint(self) -> str:
        """What it means; the title itself where that says all."""
        return self._parts[2] or self.title

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.type.startswith(_NUMBERS)

    @property
    def is_money(self) -> bool:
        """Whether its values are amounts in 元."""
        return self.name.endswith("_cny")


@dataclass(frozen=True)
class TableEntry:
    """A table of the dictionary."""

    schema: str
    name: str
    comment: str
    columns: tuple[ColumnEntry, ...]

    @property
    def full_name(self) -> str:
        """`townships`, `reported.budget`."""
        return self.name if self.schema == "main" else f"{self.schema}.{self.name}"

    @property
    def title(self) -> str:
        """Chinese name."""
        found = _TITLE.match(self.comment)
        return found["title"].strip() if found else self.name

    @property
    def hint(self) -> str:
        """What a row is."""
        found = _TITLE.match(self.comment)
        return (found["hint"] or "").strip() if found else ""

    @property
    def relation(self) -> str:
        """Name of the relation with Chinese names: 经费缺口_月."""
        word = re.sub(r"[（(](月|年)[)）]", r"_\1", self.title)
        word = re.sub(r"[（(].*?[)）]", "", word)
        word = re.sub(r"[^\w]+", "_", word).strip("_")
        prefix = _SCHEMA_WORDS.get(self.schema)
        return f"{prefix}_{word}" if prefix else word


def read_dictionary(connection: duckdb.DuckDBPyConnection, database: str | None = None) -> list[TableEntry]:
    """Every published table with its columns and their meaning, the relations with Chinese names left out."""
    place = f"'{database}'" if database else "current_database()"
    columns: dict[tuple[str, str], list[ColumnEntry]] = {}
    for schema, table, name, kind, comment in connection.execute(
        "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() "
        f"where database_name = {place} and not internal order by schema_name, table_name, column_index"
    ).fetchall():
        columns.setdefault((schema, table), []).append(ColumnEntry(name, kind, comment or ""))
    tables = connection.execute(
        f"select schema_name, table_name, comment from duckdb_tables() where database_name = {place} "
        "order by schema_name <> 'main', schema_name, table_name"
    ).fetchall()
    return [TableEntry(s, t, comment or "", tuple(columns[s, t])) for s, t, comment in tables]


@dataclass(frozen=True)
class RelationColumn:
    """A column of a relation with Chinese names: how it is made, and where its meaning comes from."""

    name: str
    expression: str
    comment: str


def relation_columns(entry: TableEntry, of_units: Collection[str] = _OF_UNITS) -> list[RelationColumn]:
    """Columns of the relation of a table: amounts in 元 and 万元, codes as words, yes and no as 是 and 否.

    `of_units` are the columns that table townships has to give names from.
    """
    names = {column.name for column in entry.columns}
    made: dict[str, RelationColumn] = {}

    def add(name: str, expression: str, comment: str) -> None:
        # Two columns of one title are told apart by their English names.
        made.setdefault(name, RelationColumn(name, expression, comment))

    for column in entry.columns:
        source = f't."{column.name}"'
        title = re.sub(r"[^\w]+", "_", column.title).strip("_") or column.name
        if title in made:
            title = f"{title}_{column.name}"
        words = presentation.words_of(column.name, entry.name)
        if column.is_money:
            for short in filter(None, (title, _SHORT_NAMES.get((entry.name, column.name)))):
                add(f"{short}_元", source, column.comment)
                # A product of decimals is exact, a quotient would be a float.
                add(f"{short}_万元", f"{source} * cast(0.0001 as decimal(5, 4))", column.comment)
        elif column.type == "BOOLEAN":
            add(title, f"case when {source} then '是' when not {source} then '否' end", column.comment)
        elif words and column.type == "VARCHAR":
            cases = " ".join(f"when '{code}' then '{word}'" for code, word in words.items())
            add(title, f"case {source} {cases} else {source} end", column.comment)
        else:
            add(_with_unit(title, column.unit), source, column.comment)
        is_key = column.name in ("township_code", "subject_code")
        if is_key and entry.name != "townships" and not names & {"reported_name", "subject_name"}:
            for name, title_zh in (("township_name", "乡镇名称"), ("county_name", "县级名称")):
                if name not in names and name in of_units:
                    add(title_zh, f"u.{name}", f"{title_zh}：按区划代码取自表 townships")
    return list(made.values())


def _with_unit(title: str, unit: str) -> str:
    """定档人口_人, 保障率_百分比; 读取行数 says its unit itself, and a unit that varies stands in a column beside."""
    if not unit or unit.startswith("随") or title.endswith((unit, f"{unit}数")):
        return title
    return f"{title}_{'百分比' if unit == '%' else unit}"


def relation_sql(entry: TableEntry, of_units: Collection[str] = _OF_UNITS) -> str:
    """The SELECT of a relation. Names schema and table, never the database: see the head of this module."""
    columns = relation_columns(entry, of_units)
    listed = ", ".join(f'{column.expression} as "{column.name}"' for column in columns)
    source = f'"{entry.schema}"."{entry.name}" as t'
    if any(column.expression.startswith("u.") for column in columns):
        key = "township_code" if any(c.name == "township_code" for c in entry.columns) else "subject_code"
        source += f' left join "main"."townships" as u on t."{key}" = u.township_code'
    return f"select {listed} from {source}"


def relations(entries: list[TableEntry]) -> Mapping[str, TableEntry]:
    """Relation name → the table it shows; a second table of the same title adds its English name."""
    found: dict[str, TableEntry] = {}
    for entry in entries:
        name = entry.relation
        found[name if name not in found else f"{name}_{entry.name}"] = entry
    return found


def create_relations(connection: duckdb.DuckDBPyConnection, database: str) -> int:
    """Write the relations with Chinese names into a database that is open for writing; how many there are."""
    found = relations(read_dictionary(connection, database))
    units = next((entry for entry in found.values() if entry.full_name == "townships"), None)
    of_units = {column.name for column in units.columns} if units else set()
    # One transaction: each statement by itself would wait for the disk.
    connection.execute("begin")
    connection.execute(f'create schema if not exists {database}."{CHINESE_SCHEMA}"')
    for name, entry in found.items():
        view = f'{database}."{CHINESE_SCHEMA}"."{name}"'
        connection.execute(f"create or replace view {view} as {relation_sql(entry, of_units)}")
        connection.execute(f"comment on view {view} is '{_quoted(entry.comment)}'")
        for column in relation_columns(entry, of_units):
            connection.execute(f"""comment on column {view}."{column.name}" is '{_quoted(column.comment)}'""")
    connection.execute("commit")
    return len(found)


def problems(entries: list[TableEntry]) -> list[str]:
    """Tables and columns without Chinese name, description, or, where numeric, unit."""
    found = []
    for entry in entries:
        if not _has_chinese(entry.title) or not entry.hint:
            found.append(f"表 {entry.full_name} 没有中文名称或说明")
        for column in entry.columns:
            place = f"列 {entry.full_name}.{column.name}"
            if not _has_chinese(column.title):
                found.append(f"{place} 没有中文名称")
            elif column.is_number and not has_unit(column):
                found.append(f"{place} 是数字，没有单位")
    return found


def has_unit(column: ColumnEntry) -> bool:
    """Whether a number says what it counts: by its unit, by a unit column beside it, or by being a mere number."""
    return bool(
        column.unit
        or column.name.endswith(_COUNTS)
        or column.name in _UNIT_BESIDE
        or column.name.endswith("_year")
    )


# Numbers whose unit stands in the column `unit` of the same row, or that are keys and order only.
_UNIT_BESIDE = {
    "value_a",
    "value_b",
    "difference",
    "row_number_a",
    "row_number_b",
    "tier_value",
    "value",
    "value_max",
    "value_checked",
    "value_expected",
    "shortfall",
    "threshold",
    "indicator_value",
    "precedence",
    "decimals",
    "years_back",
    "lower_bound",
    "upper_bound",
    "expected",
}


def _has_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def _quoted(text: str) -> str:
    return text.replace("'", "''")
