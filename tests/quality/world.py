"""A small world of build inputs and marts, made by hand: four townships, four months, everything in order.

Tests change single rows of it. The marts are worked out here in plain Python from the inputs, so that flags can
be compared with them, and rows of a mart can be changed alone, to play a pipeline that went wrong.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from oversight.contracts import DATASETS
from oversight.intake.judging.due import due_schema

MONTHS = [dt.date(2024, 12, 1), dt.date(2025, 1, 1), dt.date(2025, 2, 1), dt.date(2025, 3, 1)]
JIANGXI, NINGXIA, HEBEI, JILIN = "360313105", "640324100", "130321100", "222403100"
NAMES = {JIANGXI: "老关镇", NINGXIA: "豫海镇", HEBEI: "青龙镇", JILIN: "大石头镇"}
UPPER = {
    "360000": ("江西省", None),
    "360300": ("萍乡市", "360000"),
    "360313": ("湘东区", "360300"),
    "640000": ("宁夏回族自治区", None),
    "640300": ("吴忠市", "640000"),
    "640324": ("同心县", "640300"),
    "130000": ("河北省", None),
    "130300": ("秦皇岛市", "130000"),
    "130321": ("青龙满族自治县", "130300"),
    "220000": ("吉林省", None),
    "222400": ("延边朝鲜族自治州", "220000"),
    "222403": ("敦化市", "222400"),
}
GUARANTEE = {
    JIANGXI: ("A-10", "2万人以下", Decimal("67200.00")),
    NINGXIA: ("C-11", "3万人以下", Decimal("40000.00")),
}
STAFF_RULES = {
    JIANGXI: [("A-06", 2, None)],
    HEBEI: [("D-07", 2, None), ("D-08", 2, 3)],
    JILIN: [("B-07", 3, None)],
}
VILLAGE_RULES = {JIANGXI: "A-07", HEBEI: "D-09"}
ANSWERS = ("met", "short", "over", "not_reported", "unconfirmed", "not_applicable")
FILE = "0123456789abcdef"
MARCH_FILE = "2025年3月/报表.xlsx"

Row = dict[str, Any]


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")


def _yearly_share(annual: Decimal, month: int) -> Decimal:
    return _cents(annual * month / 12)


# Who reports, and of which fund.
_PLAIN = {"source": "township", "fund_code": "working_funds"}


class World:
    """Tables as lists of rows; `write` makes the files."""

    def __init__(self) -> None:
        self.tables: dict[str, list[Row]] = {name: [] for name in DATASETS}
        self._row = 1
        for code, (name, parent) in UPPER.items():
            self._division(code, name, "县级以上", parent)
        for code, name in NAMES.items():
            self._division(code, name, "镇", code[:6])
        for code in NAMES:
            for month in MONTHS:
                self._month(code, month)
        self.tables["indicators"].append(
            self._sourced(
                month=MONTHS[-1],
                subject_code=JIANGXI,
                subject_name="老关镇",
                indicator_code="meeting_count",
                indicator_name="会议次数",
                indicator_text="1",
                indicator_value=Decimal(1),
                remark=None,
            )
        )
        self.tables["submissions"] = [self._submission(FILE, MARCH_FILE)]
        self.marts: dict[str, list[Row]] | None = None
        # What the build file has of the reports, where it is not what landed.
        self.reported: dict[str, list[Row]] = {}
        self.overlays: dict[str, pl.DataFrame] = {}

    def _sourced(self, **row: Any) -> Row:
        self._row += 1
        return {
            **row,
            "submission_id": FILE,
            "sheet": "Sheet1",
            "row_number": self._row,
            "row_status": "accepted",
            "doubts": None,
            "precedence": 1,
        }

    def _division(self, code: str, name: str, kind: str, parent: str | None) -> None:
        self.tables["divisions"].append(
            self._sourced(
                division_code=code,
                division_name=name,
                division_type=kind,
                parent_code=parent,
                valid_from=None,
                valid_to=None,
                successor_code=None,
            )
        )

    def _month(self, code: str, month: dt.date) -> None:
        who = {"month": month, "township_code": code, "reported_code": code, "reported_name": NAMES[code]}
        annual = GUARANTEE.get(code, ("", "", Decimal("48000.00")))[2]
        paid = _yearly_share(annual, month.month)
        before = _yearly_share(annual, month.month - 1)
        self.tables["population"].append(
            self._sourced(
                **who,
                households_count=6_000,
                population_persons=20_000,
                births_persons=10,
                deaths_persons=12,
                moved_in_persons=5,
                moved_out_persons=3,
                resident_population_persons=18_000,
            )
        )
        self.tables["budget"].append(
            self._sourced(
                **who,
                initial_budget_cny=annual,
                adjusted_budget_cny=None,
                disbursed_month_cny=paid - before,
                disbursed_cumulative_cny=paid,
                spent_month_cny=paid - before,
                spent_cumulative_cny=paid,
                is_listed_separately=True,
            )
        )
        self.tables["staffing"].append(
            self._sourced(
                **who,
                administrative_posts=2,
                institution_posts=3,
                dedicated_staff_persons=3,
                welfare_posts_persons=0,
                purchased_service_persons=0,
                part_time_persons=0,
                villages_count=10,
                villages_with_assistant_count=10,
            )
        )

    def _submission(self, submission_id: str, name: str) -> Row:
        accepted = sum(len(rows) for dataset, rows in self.tables.items() if dataset in DATASETS)
        return {
            "submission_id": submission_id,
            "file_name": name,
            "sha256": submission_id * 4,
            "dataset": "population",
            "received_at": dt.datetime(2025, 4, 1, 9),  # noqa: DTZ001
            "month_from": MONTHS[0],
            "month_to": MONTHS[-1],
            "rows_read": accepted + 2,
            "rows_accepted": accepted,
            "rows_held": 0,
            "rows_rejected": 0,
            "rows_ignored": 2,
            "status": "accepted",
            "is_correction": False,
            "filed_on": None,
            "arrival_seq": 1,
            "error_code": None,
            "message_zh": None,
            "what_to_do_zh": None,
        }

    def row(self, table: str, code: str, month: dt.date | None = None) -> Row:
        """The (first) row of a township and month in an input."""
        rows = self.tables[table]
        if table == "divisions":
            return next(r for r in rows if r["division_code"] == code)
        key = "subject_code" if table == "indicators" else "township_code"
        return next(r for r in rows if r[key] == code and r["month"] == (month or MONTHS[-1]))

    def drop(self, table: str, code: str, month: dt.date) -> None:
        """Take a report away, as if it had never come."""
        self.tables[table].remove(self.row(table, code, month))
        self.tables["submissions"][0]["rows_read"] -= 1
        self.tables["submissions"][0]["rows_accepted"] -= 1

    def build(self) -> dict[str, list[Row]]:
        """The marts that follow from the inputs; worked out once, then free to be changed."""
        if self.marts is None:
            self.marts = _marts(self)
        return self.marts

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the inputs and the warehouse; gives their paths."""
        inputs, warehouse = folder / "inputs", folder / "build.duckdb"
        inputs.mkdir(parents=True)
        for name, contract in DATASETS.items():
            schema = contract.polars_schema()
            plain = {c: v for c, v in _PLAIN.items() if c in schema}
            pl.DataFrame([plain | row for row in self.tables[name]], schema=schema).write_parquet(
                inputs / f"{name}.parquet"
            )
        pl.DataFrame(self.tables["submissions"], schema_overrides=_SUBMISSION_TYPES).write_parquet(
            inputs / "submissions.parquet"
        )
        pl.DataFrame(schema=due_schema()).write_parquet(inputs / "due_dates.parquet")
        for name, frame in self.overlays.items():
            frame.write_parquet(inputs / f"overlay_{name}.parquet")
        with duckdb.connect(str(warehouse)) as connection:
            for name, rows in self.build().items():
                frame = pl.DataFrame(rows, schema=_MARTS[name], orient="row").to_arrow()
                schema = "detail" if name in _DETAIL else "main"
                connection.execute(f"create schema if not exists {schema}")
                connection.execute(f"create table {schema}.{name} as select * from frame")
            connection.execute("create schema reported")
            for name, contract in DATASETS.items():
                schema = contract.polars_schema()
                plain = {c: v for c, v in _PLAIN.items() if c in schema}
                rows = [plain | row for row in self.reported.get(name, self.tables[name])]
                frame = pl.DataFrame(rows, schema=schema, orient="row").to_arrow()
                connection.execute(
                    f"create table reported.{name} as select *, row_status = 'accepted' as is_current from frame"
                )
            pl.DataFrame(schema=_REJECTED).write_parquet(inputs / "rejected_rows.parquet")
            pl.DataFrame(schema=_PAYMENTS).write_parquet(inputs / "payments.parquet")
            for name in ("main.submissions", "main.rejected_rows", "reported.payments"):
                file = inputs / f"{name.partition('.')[2]}.parquet"
                connection.execute(f"create table {name} as from read_parquet('{file}')")
            for statement in _derived():
                connection.execute(statement)
        return inputs, warehouse


def _derived() -> Iterator[str]:
    """The tables that say, row by row or summed up, what others say; made of these, whatever was changed in them."""
    answers = ", ".join(
        f"count(*) filter (where status = '{each}') as {each}_count" for each in ANSWERS if each != "met"
    )
    yield """create table detail.township_monthly as
        select distinct f.township_code, f.month
        from main.funding_gap_monthly as f inner join main.townships using (township_code)"""
    yield """create table detail.payment_pace as
        select distinct township_code, month from detail.township_monthly
        inner join main.funding_gap_monthly using (township_code, month) where standard_id is not null"""
    yield """create table detail.submission_status as
        select * from detail.township_monthly, (select unnest(['population', 'budget', 'staffing']) as dataset)"""
    yield """create table detail.scorecard as
        select *, 'no_standard' as status, 0 as rules_count, 0 as met_count, 0 as short_count, 0 as not_reported_count
        from detail.township_monthly, (select unnest(range(1, 6)) as pillar_no)
        where month > (select max(month) from detail.township_monthly) - interval 12 month"""
    yield """create table main.fund_ledger_monthly as
        select distinct t.township_code, t.month, b.fund_code
        from detail.township_monthly as t
        inner join reported.budget as b
            on t.township_code = b.township_code and year(t.month) = year(b.month) and b.month <= t.month
        where coalesce(b.initial_budget_cny, b.adjusted_budget_cny, b.disbursed_cumulative_cny, b.spent_cumulative_cny)
            is not null"""
    yield from _at_every_level(
        "vacancies_monthly",
        "detail.township_monthly",
        "township_code",
        "month",
        "count(*) as units_count, 0 as known_count, null as established_posts, null as in_post_persons, "
        "null as vacant_posts, null as unposted_persons, 0 as units_with_vacancies_count",
        "township",
    )
    yield from _at_every_level(
        "unit_staffing_monthly",
        "main.staffing_gap_monthly",
        "township_code",
        "month, standard_id",
        f"count(*) as due_count, count(*) filter (where status = 'met') as met_count, {answers}, "
        "count(*) filter (where counted_is_partial) as partial_count, "
        "coalesce(sum(shortfall_persons) filter (where status = 'short'), 0) as shortfall_persons",
    )
    yield from _at_every_level(
        "unit_scorecard_monthly",
        "detail.scorecard",
        "township_code",
        "month, pillar_no",
        "0 as asked_units_count, 0 as met_units_count, 0 as short_units_count, 0 as silent_units_count, "
        "0 as rules_count, 0 as met_count, 0 as short_count, 0 as not_reported_count",
    )
    yield from _at_every_level(
        "rule_coverage",
        "main.judgements where subject_level in ('county', 'township', 'village', 'community', 'institution')",
        "subject_code",
        "subject_level, month, rule_id",
        f"count(*) as owed_count, count(*) filter (where status in ('met', 'over')) as met_count, {answers}",
    )
    yield "delete from detail.rule_coverage where unit_level = 'country' or unit_level = subject_level"
    for old, new in (
        ("unit_level", "parent_level"),
        ("unit_code", "parent_code"),
        ("subject_level", "unit_level"),
    ):
        yield f"alter table detail.rule_coverage rename {old} to {new}"
    yield from _at_every_level(
        "unit_findings_monthly",
        "main.findings as f, (select distinct month from main.funding_gap_monthly) as m",
        "subject_code",
        "m.month",
        "count(*) filter (where opened_month = m.month) as opened_count, "
        "count(*) filter (where cleared_month = m.month) as cleared_count",
    )


def _at_every_level(table: str, rows: str, code: str, keys: str, counts: str, *also: str) -> Iterator[str]:
    levels = {
        **dict.fromkeys(also, code),
        "county": f"left({code}, 6)",
        "city": f"left({code}, 4) || '00'",
        "province": f"left({code}, 2) || '0000'",
        "country": "'000000'",
    }
    yield f"create table detail.{table} as " + " union all ".join(
        f"select '{level}' as unit_level, {unit} as unit_code, {keys}, {counts} from {rows} group by {unit}, {keys}"
        for level, unit in levels.items()
    )


_DETAIL = ("funding_pieces", "unit_monthly", "unit_rules_monthly")
_PAYMENTS: dict[str, Any] = {
    **dict.fromkeys(("township_code", "submission_id", "sheet", "row_status", "doubts"), pl.String),
    "row_number": pl.Int64,
    "month": pl.Date,
    "amount_cny": pl.Decimal(18, 2),
}
_REJECTED: dict[str, Any] = {
    "submission_id": pl.String,
    "sheet": pl.String,
    "row_number": pl.Int64,
    "message_zh": pl.String,
}
_COUNT = pl.Int64
_MONEY = pl.Decimal(18, 2)
_VALUE = pl.Decimal(18, 4)
_SUBMISSION_TYPES: dict[str, Any] = {
    "dataset": pl.String,
    "filed_on": pl.Date,
    "error_code": pl.String,
    "message_zh": pl.String,
    "what_to_do_zh": pl.String,
}
_MARTS: dict[str, dict[str, Any]] = {
    "townships": {
        "township_code": pl.String,
        "township_name": pl.String,
        "valid_from": pl.Date,
        "valid_to": pl.Date,
        "is_township": pl.Boolean,
    },
    "funding_gap_monthly": {
        "township_code": pl.String,
        "county_code": pl.String,
        "month": pl.Date,
        "standard_id": pl.String,
        "tier_label": pl.String,
        "population_township_code": pl.String,
        "population_month": pl.Date,
        "population_persons": _COUNT,
        "includes_predecessors": pl.Boolean,
        "adequacy_pct": _MONEY,
        "spent_ytd_cny": _MONEY,
        "guaranteed_annual_cny": _MONEY,
        "guaranteed_ytd_cny": _MONEY,
        "guaranteed_least_annual_cny": _MONEY,
        "guaranteed_least_ytd_cny": _MONEY,
        "allocated_annual_cny": _MONEY,
        "allocated_precision_cny": _MONEY,
        "disbursed_ytd_cny": _MONEY,
        "disbursed_precision_cny": _MONEY,
        "allocation_shortfall_cny": _MONEY,
        "allocation_surplus_cny": _MONEY,
        "disbursement_shortfall_ytd_cny": _MONEY,
        "status": pl.String,
    },
    "funding_pieces": {
        "township_code": pl.String,
        "fiscal_year": _COUNT,
        "first_number": _COUNT,
        "standard_id": pl.String,
        "tier_label": pl.String,
        "population_persons": _COUNT,
        "annual_units": _COUNT,
    },
    "staffing_gap_monthly": {
        "township_code": pl.String,
        "month": pl.Date,
        "standard_id": pl.String,
        "counted_persons": _COUNT,
        "counted_is_partial": pl.Boolean,
        "required_min_persons": _COUNT,
        "required_least_persons": _COUNT,
        "advised_max_persons": _COUNT,
        "advised_most_persons": _COUNT,
        "shortfall_persons": _COUNT,
        "excess_persons": _COUNT,
        "status": pl.String,
    },
    "judgements": {
        "rule_id": pl.String,
        "subject_level": pl.String,
        "subject_code": pl.String,
        "month": pl.Date,
        "status": pl.String,
        "value_checked": _VALUE,
        "value_expected": _VALUE,
        "shortfall": _VALUE,
        "unit": pl.String,
        "reason": pl.String,
        "denominator": _VALUE,
    },
    "unit_rules_monthly": {
        "unit_level": pl.String,
        "unit_code": pl.String,
        "month": pl.Date,
        "rule_id": pl.String,
        "answers_count": _COUNT,
        **{f"{answer}_count": _COUNT for answer in ANSWERS},
        "shortfall": _VALUE,
    },
    "unit_monthly": {
        "unit_level": pl.String,
        "unit_code": pl.String,
        "month": pl.Date,
        "ended_count": _COUNT,
        "short_count": _COUNT,
        "met_count": _COUNT,
        "allocation_shortfall_of_judged_cny": _MONEY,
        "allocated_of_covered_cny": _MONEY,
        "guaranteed_of_covered_cny": _MONEY,
    },
    "findings": {
        "finding_id": pl.String,
        "rule_id": pl.String,
        "subject_code": pl.String,
        "opened_month": pl.Date,
        "last_month": pl.Date,
        "cleared_month": pl.Date,
        "months_open": _COUNT,
    },
}


_FEN = Decimal("0.01")


def _less(have: Any, need: Any) -> Any:
    return None if have is None or need is None else max(need - have, 0)


def _marts(world: World) -> dict[str, list[Row]]:
    marts: dict[str, list[Row]] = {name: [] for name in _MARTS}
    marts["townships"] = [
        {"township_code": c, "township_name": n, "valid_from": None, "valid_to": None, "is_township": True}
        for c, n in NAMES.items()
    ]
    staffing = {(r["township_code"], r["month"]): r for r in world.tables["staffing"]}
    budget = {(r["township_code"], r["month"]): r for r in world.tables["budget"]}
    for code in NAMES:
        for month in MONTHS:
            marts["funding_gap_monthly"].append(_funding(code, month, budget))
            report = staffing.get((code, month), {})
            marts["staffing_gap_monthly"] += [
                _staffing(code, month, rule, report) for rule in STAFF_RULES.get(code, [])
            ]
            if code in VILLAGE_RULES:
                marts["judgements"].append(_villages(code, month, report))
    marts["funding_pieces"] = [
        {
            "township_code": r["township_code"],
            "fiscal_year": r["month"].year,
            "first_number": r["month"].month,
            "standard_id": r["standard_id"],
            "tier_label": r["tier_label"],
            "population_persons": r["population_persons"],
            "annual_units": int(r["guaranteed_annual_cny"] * 10_000),
        }
        for r in marts["funding_gap_monthly"]
        if r["standard_id"]
    ]
    marts["judgements"] += [
        _judgement(
            r["standard_id"],
            r,
            "allocated_annual_cny",
            "guaranteed_annual_cny",
            "allocation_shortfall_cny",
            "元",
        )
        for r in marts["funding_gap_monthly"]
        if r["standard_id"]
    ] + [
        _judgement(r["standard_id"], r, "counted_persons", "required_min_persons", "shortfall_persons", "人")
        for r in marts["staffing_gap_monthly"]
    ]
    for month in MONTHS:
        row = next(
            r for r in marts["funding_gap_monthly"] if r["township_code"] == NINGXIA and r["month"] == month
        )
        listed = budget.get((NINGXIA, month), {}).get("is_listed_separately")
        broken = int(listed is False or row["status"] == "short")
        kept = int(bool(listed) and row["status"] == "met")
        marts["judgements"].append(
            {
                "rule_id": "C-12",
                "subject_level": "county",
                "subject_code": "640324",
                "month": month,
                "status": "short" if broken else "met" if kept else "not_reported",
                "value_checked": Decimal(kept),
                "value_expected": Decimal(1),
                "shortfall": Decimal(broken),
                "unit": "个",
            }
        )
    for judgement in marts["judgements"]:
        if judgement["status"] == "short":
            marts["findings"].append(
                {
                    "finding_id": f"{judgement['rule_id']}/{judgement['subject_code']}/{judgement['month']:%Y-%m}",
                    "rule_id": judgement["rule_id"],
                    "subject_code": judgement["subject_code"],
                    "opened_month": judgement["month"],
                    "last_month": judgement["month"],
                    "cleared_month": None,
                    "months_open": 1,
                }
            )
    marts["unit_rules_monthly"] = _rolled_up(
        marts["judgements"],
        ("rule_id",),
        lambda rows: {
            "answers_count": len(rows),
            **{f"{answer}_count": sum(r["status"] == answer for r in rows) for answer in ANSWERS},
            "shortfall": sum(r["shortfall"] or 0 for r in rows),
        },
    )
    marts["unit_monthly"] = _rolled_up(
        [{**r, "subject_code": r["township_code"]} for r in marts["funding_gap_monthly"]],
        (),
        lambda rows: {
            "ended_count": 0,
            "short_count": sum(r["status"] == "short" for r in rows),
            "met_count": sum(r["status"] == "met" for r in rows),
            "allocation_shortfall_of_judged_cny": sum(r["allocation_shortfall_cny"] or 0 for r in rows),
            "allocated_of_covered_cny": sum(r["allocated_annual_cny"] or 0 for r in rows if r["standard_id"]),
            "guaranteed_of_covered_cny": sum(r["guaranteed_annual_cny"] or 0 for r in rows),
        },
    )
    return marts


def _rolled_up(rows: list[Row], keys: tuple[str, ...], told: Callable[[list[Row]], Row]) -> list[Row]:
    """A row for each county, city, province and the country, month and key: what is told of the rows in it."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        county = row["subject_code"][:6]
        for level, code in (
            ("county", county),
            ("city", f"{county[:4]}00"),
            ("province", f"{county[:2]}0000"),
            ("country", "000000"),
        ):
            groups.setdefault((level, code, row["month"], *(row[key] for key in keys)), []).append(row)
    names = ("unit_level", "unit_code", "month", *keys)
    return [{**dict(zip(names, group, strict=True)), **told(found)} for group, found in groups.items()]


def _funding(code: str, month: dt.date, budget: dict[Any, Row]) -> Row:
    standard, tier, annual = GUARANTEE.get(code, (None, None, None))
    reports = [budget[code, m] for m in MONTHS if m.year == month.year and m <= month and (code, m) in budget]
    allocated = next(
        (
            r[c]
            for c in ("adjusted_budget_cny", "initial_budget_cny")
            for r in reversed(reports)
            if r[c] is not None
        ),
        None,
    )
    disbursed = next(
        (
            r["disbursed_cumulative_cny"]
            for r in reversed(reports)
            if r["disbursed_cumulative_cny"] is not None
        ),
        None,
    )
    ytd = _yearly_share(annual, month.month) if annual is not None else None
    missing = _less(allocated, annual)
    status = (
        "no_standard"
        if standard is None
        else "not_reported"
        if missing is None
        else "short"
        if missing
        else "met"
    )
    return {
        "township_code": code,
        "county_code": code[:6],
        "month": month,
        "standard_id": standard,
        "tier_label": tier,
        "population_township_code": code,
        "population_month": month,
        "population_persons": 20_000,
        "includes_predecessors": False,
        "adequacy_pct": _cents(100 * allocated / annual) if annual and allocated is not None else None,
        "spent_ytd_cny": disbursed,
        "guaranteed_annual_cny": annual,
        "guaranteed_ytd_cny": ytd,
        "guaranteed_least_annual_cny": annual,
        "guaranteed_least_ytd_cny": ytd,
        "allocated_annual_cny": allocated,
        "allocated_precision_cny": _FEN if allocated is not None else None,
        "disbursed_ytd_cny": disbursed,
        "disbursed_precision_cny": _FEN if disbursed is not None else None,
        "allocation_shortfall_cny": missing,
        "allocation_surplus_cny": _less(annual, allocated),
        "disbursement_shortfall_ytd_cny": _less(disbursed, ytd),
        "status": status,
    }


def _staffing(code: str, month: dt.date, rule: tuple[str, int, int | None], report: Row) -> Row:
    standard, least, most = rule
    parts = {
        "A-06": ["dedicated_staff_persons"],
        "B-07": ["administrative_posts", "institution_posts"],
    }.get(standard, ["dedicated_staff_persons", "welfare_posts_persons", "purchased_service_persons"])
    # What is known of the people may reach the minimum; what is missing of it is not known.
    known = [report[p] for p in parts if report.get(p) is not None]
    counted, is_partial = sum(known) if known else None, 0 < len(known) < len(parts)
    missing = _less(counted, least)
    if standard == "B-07" and known and not is_partial:
        missing = max(1 - report["administrative_posts"], 0) + max(2 - report["institution_posts"], 0)
    if is_partial and (missing or standard == "B-07"):
        missing = None
    excess = None if missing is None else (_less(most, counted) or 0)
    status = "not_reported" if missing is None else "short" if missing else "over" if excess else "met"
    return {
        "township_code": code,
        "month": month,
        "standard_id": standard,
        "counted_persons": counted,
        "counted_is_partial": is_partial,
        "required_min_persons": least,
        "required_least_persons": least,
        "advised_max_persons": most,
        "advised_most_persons": most,
        "shortfall_persons": missing,
        "excess_persons": excess,
        "status": status,
    }


def _villages(code: str, month: dt.date, report: Row) -> Row:
    have, all_of_them = report.get("villages_with_assistant_count"), report.get("villages_count")
    missing = _less(have, all_of_them)
    return {
        "rule_id": VILLAGE_RULES[code],
        "subject_level": "township",
        "subject_code": code,
        "month": month,
        "status": "not_reported" if missing is None else "short" if missing else "met",
        "value_checked": have if have is None else Decimal(have),
        "value_expected": all_of_them if all_of_them is None else Decimal(all_of_them),
        # As the warehouse has it: nothing is known to be missing.
        "shortfall": Decimal(missing or 0),
        "unit": "个",
    }


def _judgement(rule: str, row: Row, found: str, expected: str, missing: str, unit: str) -> Row:
    def number(value: Any) -> Any:
        return value if value is None else Decimal(value)

    return {
        "rule_id": rule,
        "subject_level": "township",
        "subject_code": row["township_code"],
        "month": row["month"],
        "status": row["status"],
        "value_checked": number(row[found]),
        "value_expected": number(row[expected]),
        "shortfall": number(row[missing]),
        "unit": unit,
    }
