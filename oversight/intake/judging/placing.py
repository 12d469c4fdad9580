"""Which unit each row speaks of: by its code, by its name, by what Excel left of a code."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

from oversight.intake.judging.identity import LEVELS, Resolved, Units
from oversight.intake.judging.scale import unit_month
from oversight.intake.judging.slots import Slots, lay_out
from oversight.intake.judging.verdicts import KEY, Verdicts
from oversight.intake.reading import values


def identify(
    dataset: str, rows: pl.DataFrame, tables: pl.DataFrame, units: Units, verdicts: Verdicts
) -> tuple[pl.DataFrame, Slots | None]:
    """Add `unit_code`, the code in force in the row's month, and `doubts`; reject what cannot be placed."""
    code_column = "subject_code" if dataset == "indicators" else "reported_code"
    name_column = "subject_name" if dataset == "indicators" else "reported_name"
    if rows.height == 0:
        return rows.with_columns(
            unit_code=pl.lit(None, pl.String),
            doubts=pl.lit(None, pl.String),
            unit_month=pl.lit(None, pl.Int64),
            slot=pl.lit(None, pl.UInt32),
        ), None
    lanes = int(rows.get_column("lane").max() or 0) + 1  # type: ignore[arg-type]
    numbers = _unit_numbers(units)
    number = rows.select(number=pl.col(code_column).cast(pl.Int64, strict=False))
    known = number.join(numbers, on="number", how="left", maintain_order="left")
    known = known.with_columns(rows.select(pl.col(code_column, name_column), "month"))
    in_force = pl.col("unit_name").is_not_null()
    if numbers.select((pl.col("unit_from").is_not_null() | pl.col("unit_to").is_not_null()).any()).item():
        end = pl.col("month").dt.month_end()
        in_force &= pl.col("unit_from").is_null() | (pl.col("unit_from") <= end)
        in_force &= pl.col("unit_to").is_null() | (pl.col("unit_to") > end)
    if dataset != "indicators":
        in_force &= pl.col(code_column).str.len_bytes() == 9
    fits = pl.col(name_column).is_null() | (pl.col(name_column) == pl.col("unit_name"))
    checked = known.select(in_force=in_force, fits=fits.fill_null(value=False), unit_no="unit_no")
    plain = checked.get_column("in_force") & checked.get_column("fits")
    # Nearly every row gives a code in force and its name; only the others are looked at one by one.
    code = rows.get_column(code_column)
    if plain.all():
        good = rows.with_columns(unit_code=code, doubts=pl.lit(None, pl.String))
        unit_no = checked.get_column("unit_no")
    else:
        at = (~plain).arg_true()
        rest = rows[at].with_columns(
            unit_code=pl.when(checked.get_column("in_force").gather(at)).then(code_column),
            name_fits=checked.get_column("fits").gather(at),
            at=at,
        )
        rest = _look_up(dataset, rest, code_column, name_column, tables, units)
        bad = rest.filter(pl.col("error").is_not_null())
        verdicts.rejected.append(
            bad.select(
                *KEY,
                column=pl.lit(code_column),
                value=pl.coalesce(pl.col(code_column).str.strip_prefix(values.HINT), name_column),
                code="error",
                found="found",
            )
        )
        doubts = pl.concat_str("code_doubt", "name_doubt", separator=";", ignore_nulls=True)
        rest = rest.filter(pl.col("error").is_null()).select(
            "at",
            # What Excel left of a code is no code; the name beside it told the unit.
            pl.when(~pl.col(code_column).str.starts_with(values.HINT)).then(code_column).alias("code"),
            "unit_code",
            doubts=pl.when(doubts != "").then(doubts),
            number=pl.col("unit_code").cast(pl.Int64, strict=False),
        )
        rest = rest.join(numbers.select("number", "unit_no"), on="number", how="left", maintain_order="left")
        place = pl.repeat(None, rows.height, dtype=pl.UInt32, eager=True).scatter(
            rest.get_column("at"), pl.int_range(rest.height, dtype=pl.UInt32, eager=True)
        )
        unit_no = checked.get_column("unit_no")
        if rest.height:
            found = rest[place]
            good = rows.with_columns(
                pl.when(plain).then(code).otherwise(found.get_column("code")).alias(code_column),
                unit_code=pl.when(plain).then(code).otherwise(found.get_column("unit_code")),
                doubts=found.get_column("doubts"),
            )
            unit_no = pl.select(
                pl.when(plain).then(unit_no).otherwise(found.get_column("unit_no"))
            ).to_series()
        else:
            good = rows.with_columns(unit_code=code, doubts=pl.lit(None, pl.String))
        if bad.height:
            kept = plain | place.is_not_null()
            unit_no = unit_no.filter(kept)
            # A column at a time, each let go once it is copied, as far as nobody else holds it.
            columns = good.get_columns()
            del good, rows, code, known
            for at_column in range(len(columns)):
                columns[at_column] = columns[at_column].filter(kept)
            good = pl.DataFrame(columns)
    if good.height == 0:
        return good.with_columns(unit_month=pl.lit(None, pl.Int64), slot=pl.lit(None, pl.UInt32)), None
    if lanes > 1:
        unit_no = unit_no.cast(pl.Int64) * lanes + good.get_column("lane")
    slots, slot = lay_out(unit_no, good.get_column("month"))
    # Unit and month as one whole number, and as a place in a grid: no later step groups by text and date.
    return good.with_columns(unit_month=unit_month("unit_code"), slot=slot), slots


def _unit_numbers(units: Units) -> pl.DataFrame:
    """Every code as a whole number with a small number of its own, and what the vectorised check needs of it.

    A code of several periods has no `unit_name` here: its rows go one by one.
    """
    single = ~pl.col("division_code").is_duplicated()
    return (
        units.divisions.select(
            number=pl.col("division_code").cast(pl.Int64, strict=False),
            unit_name=pl.when(single).then("division_name"),
            unit_from=pl.when(single).then("valid_from"),
            unit_to=pl.when(single).then("valid_to"),
        )
        .drop_nulls("number")
        .unique("number", keep="first", maintain_order=True)
        .with_row_index("unit_no")
    )


def _look_up(
    dataset: str, rest: pl.DataFrame, code_column: str, name_column: str, tables: pl.DataFrame, units: Units
) -> pl.DataFrame:
    """Add the unit, a doubt or the error of rows that do not simply give a code in force and its name."""
    rest = _recover_codes(rest, code_column, name_column, units)
    rest = _resolve_codes(dataset, rest, code_column, units)
    rest = _resolve_names(rest, code_column, name_column, tables, units)
    return _check_names(rest, code_column, name_column, units)


_RESOLVED = {"to": pl.String, "doubt": pl.String, "error": pl.String, "found": pl.String}


def _resolution_rows(keys: Iterable[tuple[Any, ...]], resolved: Iterable[Resolved]) -> list[tuple[Any, ...]]:
    return [
        (*key, r.code, r.doubt, r.error, json.dumps(r.found, ensure_ascii=False) if r.error else None)
        for key, r in zip(keys, resolved, strict=True)
    ]


def _recover_codes(frame: pl.DataFrame, code_column: str, name_column: str, units: Units) -> pl.DataFrame:
    """Codes that Excel cut short: made good by the name beside them where only one unit can be meant."""
    is_hint = pl.col(code_column).str.starts_with(values.HINT)
    keys = frame.filter(is_hint).select(code_column, name_column, "month").unique().rows()
    if not keys:
        blank = ("doubt_0", "error_0", "found_0")
        return frame.with_columns(pl.lit(None, pl.String).alias(n) for n in blank)
    table = pl.DataFrame(
        _resolution_rows(keys, (units.by_hint(hint, name, month) for hint, name, month in keys)),
        schema={
            code_column: pl.String,
            name_column: pl.String,
            "month": pl.Date,
            **{k + "_0": t for k, t in _RESOLVED.items()},
        },
        orient="row",
    )
    on = [code_column, name_column, "month"]
    joined = frame.join(table, on=on, how="left", maintain_order="left", nulls_equal=True)
    return joined.with_columns(unit_code=pl.coalesce("unit_code", "to_0")).drop("to_0")


def _resolve_codes(dataset: str, frame: pl.DataFrame, code_column: str, units: Units) -> pl.DataFrame:
    """Codes that are not simply in force: renamed, merged, of another level, unknown."""
    open_ = frame.filter(
        pl.col("unit_code").is_null() & pl.col("error_0").is_null() & pl.col(code_column).is_not_null()
    )
    keys = open_.select(code_column, "month").unique().rows()
    if not keys:
        return frame.rename({"doubt_0": "code_doubt", "error_0": "error", "found_0": "found"})

    def one(code: str, month: date) -> Resolved:
        if dataset != "indicators" and len(code) != 9:
            return Resolved(None, error="R15", found={"value": code, "level": LEVELS.get(len(code), "其他")})
        return units.resolve(code, month)

    table = pl.DataFrame(
        _resolution_rows(keys, (one(*k) for k in keys)),
        schema={code_column: pl.String, "month": pl.Date, **_RESOLVED},
        orient="row",
    )
    joined = frame.join(table, on=[code_column, "month"], how="left", maintain_order="left")
    return joined.with_columns(
        unit_code=pl.coalesce("unit_code", "to"),
        code_doubt=pl.coalesce("doubt_0", "doubt"),
        error=pl.coalesce("error_0", "error"),
        found=pl.coalesce("found_0", "found"),
    )


def _resolve_names(
    frame: pl.DataFrame, code_column: str, name_column: str, tables: pl.DataFrame, units: Units
) -> pl.DataFrame:
    """Rows without a code: by name within the county that the table names."""
    open_ = frame.filter(pl.col(code_column).is_null())
    if open_.height == 0:
        return frame
    words = dict(tables.select("table_no", "words").iter_rows())
    counties: dict[int, str | None] = {}
    keys = open_.select("table_no", name_column, "month").unique().rows()
    files = dict(tables.select("table_no", "submission_id").iter_rows())
    named: dict[str, set[str]] = {}
    for number, name, _ in keys:
        if name is not None:
            named.setdefault(files[number], set()).add(name)
    for number, _, _ in keys:
        if number not in counties:
            counties[number] = units.county_in(words.get(number) or "") or units.county_of_all(
                named.get(files[number], ())
            )
    table = pl.DataFrame(
        _resolution_rows(
            keys, (units.by_name(name, counties[number], month) for number, name, month in keys)
        ),
        schema={
            "table_no": pl.Int32,
            name_column: pl.String,
            "month": pl.Date,
            **{k + "_2": t for k, t in _RESOLVED.items()},
        },
        orient="row",
    ).with_columns(pl.lit(None, pl.String).alias(code_column))
    joined = frame.join(
        table,
        on=["table_no", name_column, "month", code_column],
        how="left",
        maintain_order="left",
        nulls_equal=True,
    )
    return joined.with_columns(
        unit_code=pl.coalesce("unit_code", "to_2"),
        code_doubt=pl.coalesce("code_doubt", "doubt_2"),
        error=pl.coalesce("error", "error_2"),
        found=pl.coalesce("found", "found_2"),
    )


def _check_names(frame: pl.DataFrame, code_column: str, name_column: str, units: Units) -> pl.DataFrame:
    open_ = frame.filter(
        ~pl.col("name_fits")
        & pl.col("error").is_null()
        & pl.col(code_column).is_not_null()
        & ~pl.col(code_column).str.starts_with(values.HINT)
        & pl.col(name_column).is_not_null()
    )
    keys = open_.select(code_column, name_column).unique().rows()
    if not keys:
        return frame.with_columns(name_doubt=pl.lit(None, pl.String))
    table = pl.DataFrame(
        _resolution_rows(keys, (units.check_name(code, name) for code, name in keys)),
        schema={
            code_column: pl.String,
            name_column: pl.String,
            **{k + "_3": t for k, t in _RESOLVED.items()},
        },
        orient="row",
    )
    joined = frame.join(table, on=[code_column, name_column], how="left", maintain_order="left")
    return joined.with_columns(
        name_doubt="doubt_3", error=pl.coalesce("error", "error_3"), found=pl.coalesce("found", "found_3")
    )
