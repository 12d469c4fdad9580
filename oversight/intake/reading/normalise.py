"""Cells as text → typed values, column by column for all new tables at once.

Plain values (digits, a decimal point) are read by vectorised expressions. Only what remains goes through the
scalar parsers of `values`, each distinct writing once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any

import polars as pl

from oversight.contracts import ALL_DATASETS, Column
from oversight.contracts.amounts import MONEY, VALUE
from oversight.intake.reading import nothing, values
from oversight.intake.reading.precision import precision
from oversight.intake.reading.text import fold, tidy
from oversight.intake.reading.values import Problem
from oversight.personal import masked_column, masked_others

ERROR_SCHEMA: dict[str, Any] = {
    "table_no": pl.Int32,
    "row_number": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "code": pl.String,
}
# More of anything than this is no count.
MAX_COUNT = 10**15 - 1
ROW_KEY = ("table_no", "row_number")


@dataclass(frozen=True)
class TableFacts:
    """What normalising needs to know of a table: its month and year, and the power of ten of its columns.

    `sheet`: a number for the sheet of the file it stands in; tables of one sheet share their columns. `formats`: for a
    column, what a number format fixes in its cells (decimals; None where it fixes nothing), in order of the rows;
    `formulas`: likewise whether a cell is a formula's result.
    """

    month: date | None
    year: int | None
    powers: Mapping[str, int]
    sheet: int = 0
    formats: Mapping[str, Sequence[int | None]] = field(default_factory=dict)
    formulas: Mapping[str, Sequence[bool]] = field(default_factory=dict)


def normalise(
    dataset: str, raw: pl.DataFrame, facts: Mapping[int, TableFacts]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Typed rows, and one error row for each cell that cannot be used.

    `raw` has table_no, row_number and, as text, a column for each of the contract's columns. The typed frame has
    every row, those with errors too: what becomes of them is decided by whoever holds the error frame.
    """
    contract = ALL_DATASETS[dataset]
    errors: list[pl.DataFrame] = []
    done = raw.select(*ROW_KEY)
    read_columns: list[pl.Series] = []
    for column in contract.columns.values():
        text = raw.select(*ROW_KEY, text=pl.col(column.name))
        if column.kind == "text":
            read_columns.append(_read_text(text).alias(column.name))
            continue
        read = _READERS[column.kind](text, column, facts)
        if column.kind == "value":
            read_columns.append(read.get_column("value_text").alias(column.name))
            read_columns.append(read.get_column("value").alias("indicator_value"))
        else:
            read_columns.append(read.get_column("value").alias(column.name))
        if column.has_precision:
            read_columns.append(_precision(read, column, facts).alias(column.precision_name))
        if "problem" in read.columns:
            errors.append(
                read.filter(pl.col("problem").is_not_null()).select(
                    *ROW_KEY, column=pl.lit(column.name), value="text", code="problem"
                )
            )
    done = done.with_columns(
        masked_column(read)
        if read.name in contract.columns and contract.columns[read.name].personal == "free_text"
        else read
        for read in read_columns
    )
    if contract.measures and "nil_figures" in contract.names:
        done, doubts = nothing.mark(dataset, raw, done)
        errors.extend(doubts)
    if "other_columns" in raw.columns:
        done = done.with_columns(masked_others(raw.get_column("other_columns")))
    errors.append(pl.DataFrame(schema=ERROR_SCHEMA))
    cells = pl.concat([e.cast(pl.Schema(ERROR_SCHEMA)) for e in errors])
    cells = cells.with_columns(masked_column(cells.get_column("value")))
    lacking = _row_problems(dataset, done).cast(pl.Schema(ERROR_SCHEMA))
    # A cell that could not be read is not blank besides, and its row not empty.
    lacking = lacking.join(cells, on=[*ROW_KEY, "column"], how="anti")
    empty = pl.col("code").is_in(["R07", "R40"])
    lacking = pl.concat([lacking.filter(~empty), lacking.filter(empty).join(cells, on=ROW_KEY, how="anti")])
    return done, pl.concat([cells, lacking])


def _row_problems(dataset: str, done: pl.DataFrame) -> pl.DataFrame:
    """Rows that lack a month, a unit, a key or any figure."""
    contract = ALL_DATASETS[dataset]
    checks: list[tuple[pl.Expr, str, str]] = []
    columns = contract.columns
    if "month" in columns:
        checks.append((pl.col("month").is_null(), "month", "R02"))
    if "reported_code" in columns:
        checks.append(
            (pl.col("reported_code").is_null() & pl.col("reported_name").is_null(), "reported_code", "R13")
        )
    for name in (
        "subject_code",
        "indicator_code",
        "division_code",
        "division_name",
        "change_year",
        "paid_on",
    ):
        if name in columns:
            checks.append((pl.col(name).is_null(), name, "R21"))
    measures = [c.name for c in contract.measures]
    if measures:
        empty = pl.all_horizontal(pl.col(m).is_null() for m in measures)
        if "nil_figures" in done.columns:
            empty &= pl.col("nil_figures").is_null()
            dashes = pl.col("dashed_figures").is_not_null()
            checks.append((empty & dashes, measures[0], "R40"))
            empty &= ~dashes
        checks.append((empty, measures[0], "R07"))
    if "old_code" in columns:
        named = ("old_code", "old_name", "new_code", "new_name")
        checks.append((pl.all_horizontal(pl.col(n).is_null() for n in named), "old_code", "R07"))
    return pl.concat(
        [
            done.lazy()
            .filter(condition)
            .select(*ROW_KEY, column=pl.lit(name), value=pl.lit(None, pl.String), code=pl.lit(code))
            for condition, name, code in checks
        ]
    ).collect()


def _read_text(text: pl.DataFrame) -> pl.Series:
    """Trimmed text; inner runs of odd white space folded only where there are any."""
    column = text.get_column("text")
    odd_cell = r"[\s\u3000\u00a0\u200b\ufeff]|^$"
    # Names come back month after month: each is looked at once.
    if not column.unique().str.contains(odd_cell).any():
        return column
    odd = column.str.contains(odd_cell).fill_null(value=False)
    return _mapped(text, odd, lambda t: tidy(t) or None, pl.String)


def _mapped(text: pl.DataFrame, where: pl.Series, parse: Callable[[str], Any], dtype: Any) -> pl.Series:
    """The column with `parse` applied to each distinct text where `where` holds."""
    unique = text.filter(where).get_column("text").unique()
    table = pl.DataFrame(
        {"text": unique, "parsed": pl.Series([parse(t) for t in unique], dtype=dtype)},
        schema={"text": pl.String, "parsed": dtype},
    )
    joined = text.with_columns(where.alias("where")).join(table, on="text", how="left", maintain_order="left")
    return joined.select(pl.when("where").then("parsed").otherwise("text").alias("text")).get_column("text")


def _with_rest(
    frame: pl.DataFrame,
    keys: Sequence[str],
    dtype: Any,
    parse: Callable[..., Any],
) -> pl.DataFrame:
    """Fill `value` and `problem` for rows whose text the fast path did not read."""
    value, text = frame.get_column("value"), frame.get_column("text")
    if value.null_count() == text.null_count():
        return frame
    rest = frame.select(keys)
    is_all = value.null_count() == value.len() and not text.null_count()
    if not is_all:
        rest = rest.filter(value.is_null() & text.is_not_null())
    varying = [k for k in keys if k == "text" or not _is_constant(rest.get_column(k))]
    # One writing often stands in many rows in a run and is looked up once.
    run = _runs(text) if varying == ["text"] else None
    heads = frame.select(varying) if run is None else frame.select(varying).filter(run[0])
    if is_all and run is not None:
        rest = rest.filter(run[0])
    rest = rest.unique(varying)
    parsed: list[Any] = []
    problems: list[str | None] = []
    for row in rest.iter_rows():
        result = parse(*row)
        parsed.append(result.value if isinstance(result, Problem) else result)
        problems.append(result.code if isinstance(result, Problem) else None)
    table = rest.select(varying).with_columns(
        pl.Series("rest", parsed, dtype=dtype, strict=True), pl.Series("problem", problems, dtype=pl.String)
    )
    found = heads.join(table, on=varying, how="left", maintain_order="left", nulls_equal=len(varying) > 1)
    found = found.select("rest", "problem")
    if run is not None:
        found = found[run[1]]
    read = found.get_column("rest")
    return frame.with_columns(
        value=pl.coalesce(value, read) if value.null_count() < value.len() else read,
        problem=found.get_column("problem"),
    )


def _runs(text: pl.Series) -> tuple[pl.Series, pl.Series] | None:
    """Where a run of one writing begins, and of which run each row is; None if there are nearly as many as rows."""
    starts = text.ne_missing(text.shift(1))
    starts[0] = True
    if int(starts.sum()) * 4 > text.len():
        return None
    return starts, starts.cum_sum() - 1


def _is_constant(column: pl.Series) -> bool:
    if column.null_count():
        return column.null_count() == column.len()
    return bool(column.min() == column.max())


def _powers(
    text: pl.DataFrame, column: Column, facts: Mapping[int, TableFacts]
) -> tuple[pl.DataFrame, list[int]]:
    """The power of ten of each row, and those that occur."""
    by_table = {no: f.powers[column.name] for no, f in facts.items() if f.powers.get(column.name)}
    if not by_table:
        return text.with_columns(power=pl.lit(0, pl.Int8)), [0]
    frame = text.with_columns(
        power=pl.col("table_no").replace_strict(by_table, default=0, return_dtype=pl.Int8)
    )
    return frame, frame.get_column("power").unique().to_list()


def _read_money(text: pl.DataFrame, column: Column, facts: Mapping[int, TableFacts]) -> pl.DataFrame:
    frame, powers = _powers(text, column, facts)
    value: pl.Expr | None = None
    for power in powers:
        # With this many decimals the amount in 元 has two at most, so the product is exact.
        places = 2 + power
        plain = pl.col("text").str.contains(rf"^\d{{1,12}}(?:\.\d{{1,{places}}})?$")
        if len(powers) > 1:
            plain &= pl.col("power") == power
        if power:
            exact = pl.when(plain).then("text").cast(pl.Decimal(38, places), strict=False) * pl.lit(10**power)
            exact = exact.cast(MONEY, strict=False)
        else:
            exact = pl.when(plain).then(pl.col("text").cast(MONEY, strict=False))
        value = exact if value is None else pl.coalesce(value, exact)
    frame = frame.with_columns(value=pl.lit(None, MONEY) if value is None else value)
    parse = partial(values.money, may_be_negative=column.may_be_negative)
    return _with_rest(frame, ("text", "power"), MONEY, parse)


def _precision(read: pl.DataFrame, column: Column, facts: Mapping[int, TableFacts]) -> pl.Series:
    """One unit of the last place of each figure read, in base units."""
    told = read.get_column("value").is_not_null()
    in_persons = column.kind == "count" and not read.select((pl.col("power") != 0).any()).item()
    # Whole numbers of people, unless a cell says otherwise itself (2.0万): where nothing was left to the parser, none does.
    text = read.get_column("text")
    if in_persons and (
        "problem" not in read.columns or text.cast(pl.Int64, strict=False).null_count() == text.null_count()
    ):
        return read.select(pl.when(told).then(pl.lit(1).cast(MONEY))).to_series()
    cells = read.select(
        "text",
        "power",
        table_no="table_no",
        sheet=pl.col("table_no").replace_strict(
            {no: f.sheet for no, f in facts.items()}, default=0, return_dtype=pl.Int32
        ),
        fixed=_facts_of_cells(read, column, facts, "formats", pl.Int8),
        is_formula=_facts_of_cells(read, column, facts, "formulas", pl.Boolean).fill_null(value=False),
    )
    return precision(cells.filter(told), column.kind, told)


def _facts_of_cells(
    read: pl.DataFrame, column: Column, facts: Mapping[int, TableFacts], name: str, dtype: Any
) -> pl.Series:
    """What the tables' facts say of each cell of a column; null for tables that say nothing."""
    told = {no: given for no, f in facts.items() if (given := getattr(f, name).get(column.name))}
    if not told:
        return pl.repeat(None, read.height, dtype=dtype, eager=True)
    tables = read.get_column("table_no")
    parts = [
        pl.Series(told[no], dtype=dtype, strict=False)
        if no in told
        else pl.repeat(None, n, dtype=dtype, eager=True)
        for no, n in zip(*(tables.rle().struct.field(f).to_list() for f in ("value", "len")), strict=True)
    ]
    return pl.concat(parts)


def _read_count(text: pl.DataFrame, column: Column, facts: Mapping[int, TableFacts]) -> pl.DataFrame:
    frame, powers = _powers(text, column, facts)
    # What is read as a whole number means that number, however it is written; a sign or a unit is for the parser.
    value = pl.col("text").cast(pl.Int64, strict=False)
    frame = frame.with_columns(value=value)
    fits = pl.col("value").is_between(0, MAX_COUNT)
    if powers != [0]:
        fits &= pl.col("power") == 0
    if powers != [0] or not frame.select(fits.all()).item():
        frame = frame.with_columns(value=pl.when(fits).then("value"))
    return _with_rest(frame, ("text", "power"), pl.Int64, values.count)


def _read_month(text: pl.DataFrame, _column: Column, facts: Mapping[int, TableFacts]) -> pl.DataFrame:
    months = {no: f.month for no, f in facts.items() if f.month}
    years = {no: f.year for no, f in facts.items() if f.year}
    no = pl.col("table_no")
    frame = text.with_columns(
        value=pl.lit(None, pl.Date),
        stated=no.replace_strict(months, default=None, return_dtype=pl.Date)
        if months
        else pl.lit(None, pl.Date),
        year=no.replace_strict(years, default=None, return_dtype=pl.Int32)
        if years
        else pl.lit(None, pl.Int32),
    )
    frame = _with_rest(frame, ("text", "stated", "year"), pl.Date, _month)
    if not text.get_column("text").null_count():
        return frame
    # A blank cell means the month of the title, if the title names one.
    return frame.with_columns(value=pl.when(pl.col("text").is_null()).then("stated").otherwise("value"))


def _month(text: str, stated: date | None, year: int | None) -> date | Problem | None:
    if text.endswith("?"):
        if stated is not None and stated.month in (1, 10) and text.startswith(str(stated.year)):
            return stated
        return Problem("R24")
    found = values.month(text, year)
    return stated if found is None else found


def _read_code(text: pl.DataFrame, column: Column, _facts: Mapping[int, TableFacts]) -> pl.DataFrame:
    digits = pl.col("text")
    number = digits.cast(pl.Int64, strict=False)
    in_range = number.is_between(100_000_000, 999_999_999) & (number % 1000 != 0)
    township = text.select(in_range & (digits.str.len_bytes() == 9)).to_series()
    if township.all() and not text.get_column("text").null_count():
        return text.with_columns(value=digits)
    at = (~township.fill_null(value=False)).arg_true()
    longer = text[at].select(
        value=pl.when(digits.str.contains(r"^[1-9]\d{11}$") & digits.str.ends_with("000")).then(
            pl.when(digits.str.slice(6, 3) == "000")
            .then(digits.str.slice(0, 6))
            .otherwise(digits.str.slice(0, 9))
        )
    )
    value = text.get_column("text").clone().scatter(at, longer.get_column("value"))
    # Only a report has a name beside the code that can make good what a code has lost.
    parse = values.code_or_hint if column.name == "reported_code" else values.code
    return _with_rest(text.with_columns(value.alias("value")), ("text",), pl.String, parse)


def _read_date(text: pl.DataFrame, _column: Column, _facts: Mapping[int, TableFacts]) -> pl.DataFrame:
    frame = text.with_columns(value=pl.lit(None, pl.Date))
    return _with_rest(frame, ("text",), pl.Date, values.day)


def _read_year(text: pl.DataFrame, _column: Column, facts: Mapping[int, TableFacts]) -> pl.DataFrame:
    frame = _with_rest(text.with_columns(value=pl.lit(None, pl.Int32)), ("text",), pl.Int32, values.year)
    stated = {no: f.year for no, f in facts.items() if f.year}
    if not stated:
        return frame
    from_title = pl.col("table_no").replace_strict(stated, default=None, return_dtype=pl.Int32)
    return frame.with_columns(value=pl.when(pl.col("text").is_null()).then(from_title).otherwise("value"))


def _read_bool(text: pl.DataFrame, _column: Column, _facts: Mapping[int, TableFacts]) -> pl.DataFrame:
    frame = text.with_columns(value=pl.lit(None, pl.Boolean))
    return _with_rest(frame, ("text",), pl.Boolean, values.yes_no)


def _read_value(text: pl.DataFrame, _column: Column, _facts: Mapping[int, TableFacts]) -> pl.DataFrame:
    frame = _with_rest(text.with_columns(value=pl.lit(None, VALUE)), ("text",), VALUE, _indicator)
    return frame.with_columns(value_text=_read_text(text))


def _indicator(text: str) -> Decimal | Problem | None:
    """是 1, 否 0, a number (85% is 85) to four places; any other text has no number and is not an error."""
    folded = fold(text)
    if folded in values.ERROR_CELLS or folded == values.NO_RESULT:
        return Problem("R22")
    if folded in ("是", "√", "✓", "有"):
        return Decimal(1)
    if folded in ("否", "×", "没有"):
        return Decimal(0)
    found = values.number(folded.removesuffix("%"))
    if found is None or isinstance(found, Problem):
        return None
    if abs(found) >= 10**13:
        return Problem("R19")
    return found.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)


_READERS: dict[str, Callable[[pl.DataFrame, Column, Mapping[int, TableFacts]], pl.DataFrame]] = {
    "month": _read_month,
    "code": _read_code,
    "date": _read_date,
    "year": _read_year,
    "count": _read_count,
    "money": _read_money,
    "bool": _read_bool,
    "value": _read_value,
}
