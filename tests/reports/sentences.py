"""Every number of a report's text against a second computation from the edition's tables, and nothing left over.

`wrong_in` reads the first page and the body sentence by sentence. What a sentence says is computed here anew, from the
published tables and without any code or statement of the report; a number that no line here knows is wrong as well.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any

import duckdb

from oversight.calendar import Calendar
from oversight.reports.document import Heading, Paragraph, Report

Row = dict[str, Any]
AMOUNT = r"-?[\d,]+(?:\.\d+)?(?:万元|元)"
SPAN = {"month": 1, "quarter": 3, "half_year": 6, "year": 12, "two_years": 12}
SPELL = {"month": "个月", "quarter": "个季度", "half_year": "个半年", "year": "个年度"}


def half_up(value: Any) -> Decimal:
    """To the hundredth, as amounts and rates are written."""
    return Decimal(value).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def amount(value: Any) -> str:
    """万元 from ten thousand on and for nothing at all, 元 between."""
    value = Decimal(value)
    return (
        f"{half_up(value / 10_000):,}万元" if not value or abs(value) >= 10_000 else f"{half_up(value):,}元"
    )


def pct(part: Any, whole: Any) -> str:
    """A rate of two sums."""
    return f"{half_up(Decimal(part) * 100 / Decimal(whole)):,}%"


def before(month: date, months: int) -> date:
    """The first of the month so many months earlier."""
    years, index = divmod(month.year * 12 + month.month - 1 - months, 12)
    return date(years, index + 1, 1)


class Edition:
    """The tables of an edition, read once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.standards = {
            row["standard_id"]: row
            for row in self.rows(
                "select s.*, d.force from standards s join policy_documents d using (document_id)"
            )
        }
        self.funding = defaultdict(list)
        for row in self.rows("select * from funding_gap_monthly"):
            self.funding[row["month"]].append(row)
        self.staffing = defaultdict(list)
        for row in self.rows("select * from staffing_gap_monthly"):
            self.staffing[row["month"]].append(row)
        self.pace = {
            (row["township_code"], row["month"]): row
            for row in self.rows("select * from detail.payment_pace")
        }
        self.townships = {row["township_code"]: row for row in self.rows("select * from townships")}
        self.divisions = {
            row[f"{level}_code"]: row[f"{level}_name"]
            for row in self.townships.values()
            for level in ("county", "city", "province")
        }
        self.villages = {
            row["division_code"]: row["division_name"]
            for row in self.rows(
                "select division_code, division_name from reported.divisions where is_current and length(division_code) = 12"
            )
        }
        # month → what came without a figure: (township, nil or dash or blank).
        self.without_figure: dict[date, list[tuple[str, str]]] = defaultdict(list)
        for row in self.rows(
            "select distinct month, township_code, told from detail.submission_status"
            " where told in ('nil', 'dash', 'blank') and dataset in ('population', 'budget', 'staffing')"
        ):
            self.without_figure[row["month"]].append((row["township_code"], row["told"]))
        self.answers: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for row in self.rows("select * from judgements order by month"):
            unit = self.townships.get(row["subject_code"])
            key = unit["unit_id"] if unit else row["subject_code"]
            self.answers[row["rule_id"], row["subject_level"], key].append(row)

    @cached_property
    def ended(self) -> list[tuple[Row, date | None]]:
        """The last row of each unit that ended, and the month from which on a single heir carries its year on."""
        ends: dict[str, date | None] = {}
        heirs: dict[str, Row | None] = {}
        for unit in sorted(self.townships.values(), key=lambda unit: unit["valid_from"] or date.min):
            ends[unit["unit_id"]] = unit["valid_to"]
            heirs[unit["unit_id"]] = self.townships.get(unit["successor_code"])
        last: dict[str, Row] = {}
        for month in sorted(self.funding):
            for row in self.funding[month]:
                last[self.townships[row["township_code"]]["unit_id"]] = row
        found: list[tuple[Row, date | None]] = []
        for unit_id, row in last.items():
            day, heir = ends[unit_id], heirs[unit_id]
            if day is None:
                continue
            since = None
            if heir and heir["unit_id"] != unit_id:
                its_end = ends[heir["unit_id"]]
                if its_end is None or its_end > day:
                    since = max(day, heir["valid_from"] or day).replace(day=1)
            found.append((row, since))
        return found

    def rows(self, statement: str, *values: Any) -> list[Row]:
        """The rows of a query, by column name."""
        cursor = self.connection.execute(statement, list(values))
        names = [item[0] for item in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _first_of_alike(row: Row) -> tuple[Any, ...]:
    """Of rules on the same people or payments the one that most lacks by speaks; of equals the gravest and longest."""
    graves = ("high", "medium", "low")
    return -row["shortfall"], graves.index(row["severity"]), -row["shortfall"] * row["months"], row["rule_id"]


def _at_its_end(row: Row) -> Row:
    """A unit's last row, judged by what had accrued for it and no longer by a whole year: what was budgeted for months
    in which it did not stand is nobody's surplus."""
    wanted, least, given = (
        row[name] for name in ("guaranteed_ytd_cny", "guaranteed_least_ytd_cny", "allocated_annual_cny")
    )
    status, gap, more = row["status"], None, None
    if status != "no_standard":
        half = (row["allocated_precision_cny"] or 0) / 2
        silent = row["status_reason"] in ("missing", "stale_population") or None in (least, given)
        too_coarse = not silent and abs(given - least) < half and half > max(Decimal(100), least / 1000)
        status = "not_reported" if silent or too_coarse else "short" if given + half <= least else "met"
        if status in ("met", "short"):
            gap = least - given if status == "short" else Decimal(0)
            more = Decimal(0)
    return {
        **row,
        "guaranteed_annual_cny": wanted,
        "allocated_annual_cny": given if given is None or wanted is None else min(given, wanted),
        "status": status,
        "allocation_shortfall_cny": gap,
        "allocation_surplus_cny": more,
    }


@dataclass
class Second:
    """What is true of a division in a month."""

    edition: Edition
    scope: str
    month: date
    wrong: list[str] = field(default_factory=list)

    @cached_property
    def level(self) -> str:
        """Of the division."""
        return (
            "province" if self.scope.endswith("0000") else "city" if self.scope.endswith("00") else "county"
        )

    @cached_property
    def prefix(self) -> str:
        """What the codes of all its units begin with."""
        return re.sub(r"(00)+$", "", self.scope)

    def inside(self, code: str) -> bool:
        """Whether a unit lies in the division."""
        return code.startswith(self.prefix)

    def funding_of(self, month: date) -> list[Row]:
        """The division's rows of a month."""
        return [row for row in self.edition.funding.get(month, ()) if self.inside(row["township_code"])]

    @cached_property
    def funding(self) -> list[Row]:
        return self.funding_of(self.month)

    @cached_property
    def gone(self) -> list[Row]:
        """Of units that ended earlier in the year, and whose year no single heir carries on, the last row: what had
        accrued by then is what they were guaranteed for the year, and by that they are judged."""
        return [
            _at_its_end(row)
            for row, since in self.edition.ended
            if self.inside(row["township_code"])
            and row["month"].year == self.month.year
            and row["month"] < self.month
            and (since is None or self.month < since)
        ]

    @cached_property
    def added(self) -> list[Row]:
        """What the year's sums run over."""
        return self.funding + self.gone

    @cached_property
    def judged(self) -> list[Row]:
        return [row for row in self.added if row["status"] in ("met", "short")]

    @cached_property
    def paid(self) -> list[Row]:
        """Whose payments are known, without a hole, to the end of the month, or of the unit's last one."""
        return [
            row
            for row in self.added
            if row["guaranteed_ytd_cny"] is not None
            and row["disbursed_as_of_month"] == row["month"]
            and not row["disbursed_is_partial"]
        ]

    def at(self, months_before: int) -> Second:
        """The same division so many months earlier."""
        return Second(self.edition, self.scope, before(self.month, months_before))

    def demanded(self, rule: str) -> bool:
        """Whether a rule is a duty in force."""
        row = self.edition.standards[rule]
        return (
            row["force"] == "binding" and row["gradeable"] == "Y" and row["strength"] in ("must", "principle")
        )

    def places(self, code: str, name: str = "") -> set[str]:
        """How a unit may be called here: alone, or behind its county's name."""
        if len(code) == 6:
            return {self.edition.divisions.get(code, code)}
        unit = self.edition.townships.get(code[:9])
        name = name or (self.edition.villages.get(code) or (unit["township_name"] if unit else code))
        if len(code) == 12 and unit:
            return {name, unit["township_name"] + name, unit["county_name"] + name}
        return {name, (unit["county_name"] if unit else "") + name}

    @cached_property
    def open(self) -> list[Row]:
        """Duties of units below the division that are not met, each with its kind and how long; people once a unit."""
        alive = {self.edition.townships[row["township_code"]]["unit_id"] for row in self.funding}
        staffing_rules = {row["standard_id"] for rows in self.edition.staffing.values() for row in rows}
        found: list[Row] = []
        people: dict[tuple[str, str], Row] = {}
        unpaid: dict[str, Row] = {}
        for (rule, level, _), answers in self.edition.answers.items():
            known = [row for row in answers if row["month"] <= self.month]
            if not known or level == self.level or not self.demanded(rule):
                continue
            last, standard = known[-1], self.edition.standards[rule]
            code = last["subject_code"]
            if not self.inside(code) or last["status"] != "short":
                continue
            age = (self.month.year - last["month"].year) * 12 + self.month.month - last["month"].month
            town = self.edition.townships.get(code[:9])
            if age >= SPAN[standard["period"]] or (town is not None and town["unit_id"] not in alive):
                continue
            months = 0
            for row in reversed(known):
                if row["status"] not in ("short", "not_reported"):
                    break
                months += 1
            item = {**last, "months": months, "severity": standard["severity"], "title": standard["title_zh"]}
            if rule in staffing_rules:
                item["sort"] = "people"
                key = code, str(standard["matter"] or rule)
                if key not in people or _first_of_alike(item) < _first_of_alike(people[key]):
                    people[key] = item
                continue
            if standard["formula"] == "paid_in_full":
                # Whatever standards ask for it, what was not paid was not paid once.
                item["sort"] = "payment" if last["month"] == self.month else "arrears"
                if code not in unpaid or _first_of_alike(item) < _first_of_alike(unpaid[code]):
                    unpaid[code] = item
                continue
            item["sort"] = "money" if last["unit"] in ("元", "元/年") else "other"
            found.append(item)
        return [*found, *people.values(), *unpaid.values()]

    @cached_property
    def late(self) -> list[Row]:
        """Who is behind the calendar within the year and not answered for by the rule of payment itself."""
        answered = {row["subject_code"] for row in self.open if row["sort"] == "payment"}
        found = []
        for row in self.funding:
            pace = self.edition.pace.get((row["township_code"], self.month))
            gap = row["disbursement_shortfall_ytd_cny"]
            if pace is None or pace["pace"] not in ("behind", "far_behind") or not gap:
                continue
            rule = self.payment_rule(row["standard_id"])
            if row["township_code"] in answered or not rule or not self.demanded(rule):
                continue
            if gap < max(Decimal(100), row["guaranteed_ytd_cny"] / 1000):
                continue
            months = 0
            while True:
                earlier = before(self.month, months)
                if earlier.year != self.month.year:
                    break
                held = [r for r in self.funding_of(earlier) if r["township_code"] == row["township_code"]]
                if not held or not held[0]["disbursement_shortfall_ytd_cny"]:
                    break
                months += 1
            found.append(
                {
                    **row,
                    "subject_code": row["township_code"],
                    "shortfall": gap,
                    "months": months,
                    "pace": pace["pace"],
                    "silent": pace["silent_months_count"],
                    "value_checked": row["disbursed_ytd_cny"],
                    "value_expected": row["guaranteed_ytd_cny"],
                    "sort": "payment",
                }
            )
        return found

    def payment_rule(self, standard: str | None) -> str | None:
        """A late payment breaks the money standard it is for."""
        return standard

    def is_minor(self, row: Row) -> bool:
        """Too little to name anybody for."""
        return row["unit"] in ("元", "元/年") and row["shortfall"] < max(
            Decimal(100), row["value_expected"] / 1000
        )

    @cached_property
    def named(self) -> list[tuple[set[str], str]]:
        """Everything that deserves to be named by the thresholds: possible names of the unit, and what for."""
        found = [
            (self.places(row["subject_code"], row["township_name"]), "本年拨付进度")
            for row in self.late
            if row["pace"] == "far_behind" or row["shortfall"] >= 20_000
        ]
        for row in self.open:
            if self.is_minor(row):
                continue
            missing, months, is_grave = row["shortfall"], row["months"], row["severity"] == "high"
            deserves = is_grave and months >= 6
            if missing is not None and row["unit"] != "是/否":
                rate = row["value_expected"] and half_up(row["value_checked"] * 100 / row["value_expected"])
                if row["value_expected"] and rate <= 60:
                    deserves = True
                elif row["unit"] == "元":
                    deserves = missing >= 20_000 or (is_grave and months >= 6 and missing * months >= 20_000)
                elif row["sort"] == "people" and missing * months >= 6:
                    deserves = True
            if deserves:
                found.append((self.places(row["subject_code"]), row["title"]))
        return found

    @cached_property
    def leading(self) -> dict[str, list[Row]]:
        """What may lead the first page, by kind."""
        kinds: dict[str, list[Row]] = defaultdict(list)
        for row in self.open:
            if not self.is_minor(row):
                kinds[row["sort"]].append(row)
        kinds["payment"] += self.late
        return kinds

    @cached_property
    def silent(self) -> dict[str, list[str]]:
        """Townships of which a report of the month is missing, and which reports."""
        reported = {
            name: {
                row["township_code"]
                for row in self.edition.rows(
                    f"select distinct township_code from reported.{name} where month = ?"
                    " and (is_current or row_status = 'held')",
                    self.month,
                )
            }
            for name in ("population", "budget", "staffing")
        }
        return {
            row["township_code"]: missing
            for row in self.due
            if (missing := [name for name, codes in reported.items() if row["township_code"] not in codes])
        }

    @cached_property
    def due(self) -> list[Row]:
        """Townships that owe reports."""
        return [row for row in self.funding if self.edition.townships[row["township_code"]]["is_township"]]

    # --- reading

    def hold(self, what: str, said: Any, expected: Any) -> None:
        """One figure."""
        if str(said) != str(expected):
            self.wrong.append(f"{self.scope} {self.month:%Y-%m} {what}: {said!r}, and not {expected!r}")

    def hold_names(self, what: str, said: str, codes: Iterable[str]) -> None:
        """A list of units, perhaps cut short with 等 and their number."""
        codes = list(codes)
        allowed = [self.places(code) for code in codes]
        told = re.match(r"(.*?)(?:等([\d,]+)个单位)?$", said)
        assert told
        if told[2]:
            self.hold(f"{what}, how many", told[2], len(codes))
        listed = told[1].split("、")
        if not told[2]:
            self.hold(f"{what}, how many are listed", len(listed), len(codes))
        for name in listed:
            if not any(name in names for names in allowed):
                self.wrong.append(f"{self.scope} {self.month:%Y-%m} {what}: {name} is not one of them")

    def one(self, rows: Sequence[Row], name: str) -> Row | None:
        """The row of a unit, by what it is called; of two that are called alike the worst."""
        found = [
            row for row in rows if name in self.places(row["subject_code"], row.get("township_name", ""))
        ]
        return max(found, key=self.weight, default=None)

    def weight(self, row: Row) -> Decimal:
        """What is missing times the months it has been missing."""
        standard = self.edition.standards.get(row.get("rule_id", ""))
        return Decimal(row["shortfall"] or 0) * row["months"] * (SPAN[standard["period"]] if standard else 1)


Check = Callable[[Second, "re.Match[str]"], None]
CHECKS: list[tuple[re.Pattern[str], Check]] = []


def says(pattern: str) -> Callable[[Check], Check]:
    """What is to hold of a sentence of that form; `@` is an amount."""

    def keep(check: Check) -> Check:
        CHECKS.append((re.compile(pattern.replace("@", f"({AMOUNT})")), check))
        return check

    return keep


def _lead(it: Second, kind: str, units: str, total: str) -> list[Row]:
    rows = it.leading[kind]
    it.hold(f"{kind}, units", units, len({row["subject_code"] for row in rows}))
    summed = sum((Decimal(row["shortfall"] or 0) for row in rows), Decimal(0))
    it.hold(f"{kind}, missing", total, f"{summed:.0f}" if kind == "people" else amount(summed))
    return rows


def _worst(it: Second, kind: str, rows: list[Row], name: str, missing: str, spell: str = "") -> None:
    row = it.one(rows, name)
    if row is None:
        it.wrong.append(f"{it.scope} {it.month:%Y-%m} {kind}: {name} is not among them")
        return
    it.hold(f"{kind}, the worst", it.weight(row), max(map(it.weight, rows)))
    if missing:
        it.hold(
            f"{kind}, the worst's",
            missing,
            str(int(row["shortfall"])) if kind == "people" else amount(row["shortfall"]),
        )
    if spell:
        it.hold(f"{kind}, how long", spell, row["months"])


def _nothing(it: Second, kind: str, rows: list[Row], names: str) -> None:
    it.hold_names(
        f"{kind}, nothing at all", names, [row["subject_code"] for row in rows if row["value_checked"] == 0]
    )


@says(
    r"\d\.资金拨付：(\d+)个单位(全年拨付不足|拨付明显滞后)，差@(?:，其中(.+?)本年分文未拨|，(.+?)最突出（@）|（(.+?)）)。"
)
def _(it: Second, m: re.Match[str]) -> None:
    rows = _lead(it, "payment", m[1], m[3])
    it.hold("payment, the time", m[2], "全年拨付不足" if it.month.month == 12 else "拨付明显滞后")
    if m[4]:
        _nothing(it, "payment", rows, m[4])
    else:
        _worst(it, "payment", rows, m[5] or m[7], m[6])


@says(r"\d\.经费安排：(\d+)个单位低于标准，差@，(?:(.+?)最突出（@，(\d+)个月）|为(.+?)（(\d+)个月）)。")
def _(it: Second, m: re.Match[str]) -> None:
    rows = _lead(it, "money", m[1], m[2])
    _worst(it, "money", rows, m[3] or m[6], m[4], m[5] or m[7])


@says(r"\d\.上年欠拨：(\d+)个单位(\d{4})年没有足额拨付，差@(?:，(.+?)最突出（@）|（(.+?)）)。")
def _(it: Second, m: re.Match[str]) -> None:
    rows = _lead(it, "arrears", m[1], m[3])
    it.hold("arrears, year", m[2], it.month.year - 1)
    _worst(it, "arrears", rows, m[4] or m[6], m[5])


@says(
    r"\d\.人员配备：(\d+)个单位缺(\d+)人(?:，其中(.+?)一人未配|，(.+?)最突出（缺(\d+)人，(\d+)个月）|（(.+?)）)。"
)
def _(it: Second, m: re.Match[str]) -> None:
    rows = _lead(it, "people", m[1], m[2])
    if m[3]:
        _nothing(it, "people", rows, m[3])
    else:
        _worst(it, "people", rows, m[4] or m[7], m[5], m[6])


@says(r"\d\.能力建设：(\d+)项要求有(\d+)个单位（村）未做到。")
def _(it: Second, m: re.Match[str]) -> None:
    rows = it.leading["other"]
    it.hold("other, rules", m[1], len({row["rule_id"] for row in rows}))
    it.hold("other, units", m[2], len({row["subject_code"] for row in rows}))


@says(r"\d\.数据报送：(\d+)个乡镇（街道）未报或未报全：(.+?)。")
def _(it: Second, m: re.Match[str]) -> None:
    it.hold("missing", m[1], len(it.silent))
    it.hold_names("missing", m[2], it.silent)


@says(r"\d\.数据报送：应报送的(\d+)个乡镇（街道）均已报送。")
def _(it: Second, m: re.Match[str]) -> None:
    it.hold("all reported", (m[1], len(it.silent)), (str(len(it.due)), 0))


@says(r"\d\.数据疑点：(\d+)处待核实，核实以前不作为达标依据。|数据疑点(\d+)处（附件\d+）：(.+?)。")
def _(it: Second, m: re.Match[str]) -> None:
    it.hold("doubts", m[1] or m[2], it.doubts)  # type: ignore[attr-defined]
    if m[3]:
        kinds = re.findall(r"(?:退回|存疑|待确认)(\d+)处", m[3])
        it.hold("doubts by kind", sum(map(int, kinds)), m[2])


@says(r"\d\.经费安排：可判定的(\d+)个单位没有需要追补的缺口，保障率([\d,.]+%)。")
def _(it: Second, m: re.Match[str]) -> None:
    it.hold("well funded", (m[1], it.leading["money"]), (str(len(it.judged)), []))
    _adequacy(it, m[2])


@says(r"\d\.经费安排：(没有适用的经费保障标准|没有单位能够判定)，本期不作结论。")
def _(it: Second, m: re.Match[str]) -> None:
    statuses = {row["status"] for row in it.funding}
    it.hold("none judged", len(it.judged), 0)
    it.hold("no standard for any", m[1].startswith("没有适用"), statuses == {"no_standard"})


@says(r"\d\.资金拨付：已报拨付数的(\d+)个单位没有明显滞后，拨付率([\d,.]+%)。")
def _(it: Second, m: re.Match[str]) -> None:
    it.hold("well paid", (m[1], it.leading["payment"]), (str(len(it.paid)), []))
    it.hold("paid rate", m[2], pct(_sum(it.paid, "disbursed_ytd_cny"), _sum(it.paid, "guaranteed_ytd_cny")))


def _sum(rows: Iterable[Row], column: str) -> Decimal:
    return sum((row[column] for row in rows if row[column] is not None), Decimal(0))


def _adequacy(it: Second, said: str) -> None:
    expected = pct(_sum(it.judged, "allocated_annual_cny"), _sum(it.judged, "guaranteed_annual_cny"))
    it.hold("adequacy", said, expected)


@says(r"保障率(?:排名)?（年度安排占应保障的比例(?:，其中(\d+)个单位按此前月份报送的数)?）：(.+)$")
def _(it: Second, m: re.Match[str]) -> None:
    it.hold(
        "ranked by an earlier report",
        m[1] or "0",
        sum(
            row["allocated_as_of_month"] < it.month for row in it.funding if row["status"] in ("met", "short")
        ),
    )
    by = "township" if it.level == "county" else "county"
    groups: dict[str, list[Row]] = defaultdict(list)
    # A township is ranked by its own row, a county by its sums.
    for row in it.funding if by == "township" else it.added:
        key = (
            row["township_code"]
            if by == "township"
            else it.edition.townships[row["township_code"]]["county_code"]
        )
        groups[key].append(row)
    rates: dict[str, list[Decimal]] = defaultdict(list)
    unknown, nothing = set(), set()
    for key, rows in groups.items():
        town = it.edition.townships[rows[0]["township_code"]]
        name = rows[0]["township_name"] if by == "township" else town["county_name"]
        judged = [row for row in rows if row["status"] in ("met", "short")]
        if judged:
            part, whole = _sum(judged, "allocated_annual_cny"), _sum(judged, "guaranteed_annual_cny")
            # Of a guarantee of nothing there is no rate, and yet it is judged.
            if whole:
                rates[name].append(half_up(part * 100 / whole))
            else:
                nothing.add(name)
        else:
            unknown.add(name)
        assert key
    every = sorted((rate for each in rates.values() for rate in each), reverse=True)
    alike = re.match(r"可排名的(\d+)个单位均为([\d,]+\.\d\d)%。", m[2])
    if alike:
        it.hold(
            "ranked alike",
            (alike[1], [half_up(alike[2].replace(",", ""))]),
            (str(len(every)), sorted(set(every))),
        )
    for part in re.split(r"[、；。]|[前后]\d+位：", m[2][alike.end() :] if alike else m[2]):
        told = re.match(r"(?:(\d+)\.)?(.*?)([\d,]+\.\d\d)%(?:，|$)", part)
        if told is None:
            continue
        place, name, rate = told.groups()
        # A name may end in digits.
        name = name.replace(" ", "")
        known = [each for each in rates if (name + rate).startswith(each)]
        if known:
            name = max(known, key=len)
            rate = (told[2].replace(" ", "") + told[3])[len(name) :]
        value = Decimal(rate.replace(",", ""))
        if value not in rates.get(name, ()):
            it.wrong.append(f"{it.scope} {it.month:%Y-%m} ranking: {name} {rate}, and not {rates.get(name)}")
        elif place:
            it.hold(f"place of {name}", place, 1 + sum(each > value for each in every))
    for words, those in (("没有可判定的数据", unknown), ("按最近报送的数应保障为零", nothing)):
        listed = re.search(rf"(?:。|^)([^。]*?){words}", m[2])
        if bool(listed) != bool(those):
            it.wrong.append(f"{it.scope} {it.month:%Y-%m} ranking: {words} of {sorted(those)}")
        for name in listed[1].split("、") if listed else ():
            plain = re.sub(r"等\d+个单位$", "", name)
            if plain not in those:
                it.wrong.append(f"{it.scope} {it.month:%Y-%m} ranking: {plain} is not of those: {words}")


@says(
    r"截至\d+年\d+月\d+日，拨付数完整的(\d+)个单位按进度应保障@，累计拨付@，拨付率([\d,.]+%)"
    r"(?:，低于进度的(\d+)个，共差@|，均不低于进度)。"
)
def _(it: Second, m: re.Match[str]) -> None:
    owed, paid = _sum(it.paid, "guaranteed_ytd_cny"), _sum(it.paid, "disbursed_ytd_cny")
    it.hold("paid", m.groups()[:4], (str(len(it.paid)), amount(owed), amount(paid), pct(paid, owed)))
    short = [row for row in it.added if row["disbursement_shortfall_ytd_cny"]]
    it.hold("below", m[5] or "0", len(short))
    if short:
        it.hold("missing", m[6], amount(_sum(short, "disbursement_shortfall_ytd_cny")))


@says(r"(严重滞后|滞后)的(\d+)个：(.+?)。")
def _(it: Second, m: re.Match[str]) -> None:
    rows = [row for row in it.late if row["pace"] == ("far_behind" if m[1] == "严重滞后" else "behind")]
    it.hold(m[1], m[2], len(rows))
    if m[1] == "滞后":
        it.hold_names("behind", m[3], [row["subject_code"] for row in rows])
        return
    for part in m[3].split("；"):
        told = re.fullmatch(
            rf"(.+?)按进度应拨({AMOUNT})，(?:实拨({AMOUNT})(?:，连续(\d+)个月未拨付)?|分文未拨)", part
        )
        if told is None:
            it.hold("the rest", bool(re.fullmatch(r"其余见附件\d+", part)), True)
            continue
        row = it.one(rows, told[1])
        assert row is not None, (told[1], it.scope, it.month)
        it.hold("owed", told[2], amount(row["guaranteed_ytd_cny"]))
        it.hold("paid", told[3] or "", amount(row["disbursed_ytd_cny"]) if row["disbursed_ytd_cny"] else "")
        if told[4]:
            it.hold("silent months", told[4], row["silent"])


@says(r"应当全年足额拨付（.+?）而点名的(\d+)个：(.+?)。")
def _(it: Second, m: re.Match[str]) -> None:
    rows = [row for row in it.open if row["sort"] == "payment" and not it.is_minor(row)]
    names = [names for names, what in it.named if any(what == row["title"] for row in rows)]
    it.hold("named for payment", m[1], len(names))
    for part in m[2].split("；"):
        told = re.match(rf"(.+?)应拨({AMOUNT})，(?:实拨({AMOUNT})|分文未拨)", part)
        row = it.one(rows, told[1]) if told else None
        if told and row:
            it.hold("owed", told[2], amount(row["value_expected"]))
            it.hold("paid", told[3] or "", amount(row["value_checked"]) if row["value_checked"] else "")
        else:
            it.hold("the rest", bool(re.fullmatch(r"其余见附件\d+", part)), True)


@says(
    r"(\d{4})年没有足额拨付、至今列为问题而点名的(\d+)个（.+?）：((?:[^、。]+?差[\d,.]+(?:万元|元)、?)+)(?:等，见附件\d+)?。"
)
def _(it: Second, m: re.Match[str]) -> None:
    rows = [row for row in it.open if row["sort"] == "arrears"]
    it.hold("arrears, year", m[1], it.month.year - 1)
    titles = {row["title"] for row in rows}
    it.hold("named for arrears", m[2], sum(what in titles for _, what in it.named))
    for part in m[3].split("、"):
        told = re.fullmatch(rf"(.+?)差({AMOUNT})", part)
        row = it.one(rows, told[1]) if told else None
        it.hold("arrears of one", told and told[2], row and amount(row["shortfall"]))


@says(r"另有(\d+)个单位没有报送完整的拨付数，不作判断：(.+?)。")
def _(it: Second, m: re.Match[str]) -> None:
    rows = [
        row
        for row in it.funding
        if row["status"] in ("met", "short") and row["disbursement_shortfall_ytd_cny"] is None
    ]
    it.hold("payments unknown", m[1], len(rows))
    it.hold_names("payments unknown", m[2], [row["township_code"] for row in rows])


@says(
    r"在册乡镇（街道）等单位(\d+)个(?:，年内撤销、没有承接单位而仍计入合计的(\d+)个)?，可判定(\d+)个"
    r"(?:，未报送(\d+)个)?(?:，无适用标准(\d+)个)?。可判定单位(\d{4})年应保障@，年度安排@，保障率([\d,.]+%)；(.+?)。"
    r"(?:高出标准的@不抵减其他单位的缺口。)?"
)
def _(it: Second, m: re.Match[str]) -> None:
    owed, given = _sum(it.judged, "guaranteed_annual_cny"), _sum(it.judged, "allocated_annual_cny")
    gap = _sum(it.judged, "allocation_shortfall_cny")
    by = {
        status: sum(row["status"] == status for row in it.added)
        for status in ("not_reported", "no_standard", "short", "met")
    }
    it.hold("units", m[1], len(it.funding))
    it.hold("ended", m[2] or "0", sum(row["standard_id"] is not None for row in it.gone))
    it.hold("judged", m[3], len(it.judged))
    it.hold(
        "not reported, no standard", (int(m[4] or 0), int(m[5] or 0)), (by["not_reported"], by["no_standard"])
    )
    it.hold("sums", (m[6], m[7], m[8]), (str(it.month.year), amount(owed), amount(given)))
    _adequacy(it, m[9])
    said = re.findall(rf"(?:达到标准的|未达标准的)(\d+)个|缺口(?:合计)?({AMOUNT})", m[10])
    if gap:
        it.hold("gap", said[-1][1], amount(gap))
    else:
        it.hold("no gap", "没有缺口" in m[10], True)
    if len(said) == 3:
        it.hold("met and short", (said[0][0], said[1][0]), (str(by["met"]), str(by["short"])))
    if m[11]:
        it.hold("surplus", m[11], amount(_sum(it.judged, "allocation_surplus_cny")))


@says(
    r"在册乡镇（街道）等单位(\d+)个，(?:均无适用的经费保障标准，本期不作经费保障判定|其中(\d+)个没有报送可用的人口或预算，本期没有单位能够判定经费保障情况)。"
)
def _(it: Second, m: re.Match[str]) -> None:
    it.hold("units, none judged", (m[1], len(it.judged)), (str(len(it.funding)), 0))
    if m[2]:
        it.hold("not reported", m[2], sum(row["status"] == "not_reported" for row in it.funding))
    else:
        it.hold("none has a standard", {row["status"] for row in it.funding}, {"no_standard"})


@says(r"^(.+?)（[^（）]*?(?:（[^）]*）[^（）]*?)*）点名(\d+)个单位：(.+?)。$")
def _(it: Second, m: re.Match[str]) -> None:
    rows = [row for row in it.open if row["sort"] == "money" and m[1].startswith(row["title"])]
    it.hold("named for money", m[2], sum(m[1].startswith(what) for _, what in it.named))
    for part in m[3].split("；"):
        told = re.match(rf"(.+?)应有({AMOUNT})、安排({AMOUNT})，差({AMOUNT})，已(\d+)个月", part)
        row = it.one(rows, told[1]) if told else None
        if told and row:
            expected = (
                amount(row["value_expected"]),
                amount(row["value_checked"]),
                amount(row["shortfall"]),
                str(row["months"]),
            )
            it.hold(f"money of {told[1]}", told.groups()[1:], expected)
        else:
            it.hold("the rest", bool(re.fullmatch(r"其余\d+个见附件\d+", part)), True)


@says(r"^(.+?)（.+?）：应判定(\d+)个单位，(.+)。$")
def _(it: Second, m: re.Match[str]) -> None:
    rules = [
        rule
        for rule, row in it.edition.standards.items()
        if m[1].removesuffix("（原则上）").removesuffix("（参照）").startswith(row["title_zh"])
    ]
    rows = [
        row
        for row in it.edition.staffing.get(it.month, ())
        if row["standard_id"] in rules and it.inside(row["township_code"])
    ]
    count = {
        status: [row for row in rows if row["status"] == status]
        for status in ("met", "short", "over", "not_reported", "unconfirmed")
    }
    it.hold(f"{m[1]}, due", m[2], sum(map(len, count.values())))
    said = dict(re.findall(r"(达标|不达标|高于建议上限|依据待确认|没有报送可用数据|共缺)(\d+)[个人]", m[3]))
    words = {
        "达标": "met",
        "不达标": "short",
        "高于建议上限": "over",
        "依据待确认": "unconfirmed",
        "没有报送可用数据": "not_reported",
    }
    for word, status in words.items():
        it.hold(f"{m[1]}, {word}", said.get(word, "0"), len(count[status]))
    if count["short"]:
        it.hold(f"{m[1]}, missing", said.get("共缺"), sum(row["shortfall_persons"] for row in count["short"]))
        names = re.search(r"不达标\d+个（(.+?)）", m[3])
        it.hold_names(m[1], names[1] if names else "", [row["township_code"] for row in count["short"]])


@says(r"缺员只计一次，合计(\d+)人。")
def _(it: Second, m: re.Match[str]) -> None:
    most: dict[tuple[str, str], int] = defaultdict(int)
    for row in it.edition.staffing.get(it.month, ()):
        rule = row["standard_id"]
        if it.inside(row["township_code"]) and row["status"] == "short" and it.demanded(rule):
            key = row["township_code"], str(it.edition.standards[rule]["matter"] or rule)
            most[key] = max(most[key], row["shortfall_persons"])
    it.hold("people, once", m[1], sum(most.values()))


@says(r"^(\d+)项要求有单位未做到：(.+)。$")
def _(it: Second, m: re.Match[str]) -> None:
    rows = [row for row in it.open if row["sort"] == "other"]
    rules = {row["rule_id"] for row in rows}
    it.hold("other rules", m[1], len(rules))
    parts = m[2].split("；")
    for part in parts:
        more = re.fullmatch(r"其余(\d+)项及各单位情况见附件\d+", part)
        if more:
            it.hold("other rules not listed", more[1], len(rules) - len(parts) + 1)
            continue
        title = max((row["title"] for row in rows if part.startswith(row["title"])), key=len, default="")
        names = re.sub(r"^(（[^）]*）)?，", "", part[len(title) :])
        it.hold_names(title or part, names, [row["subject_code"] for row in rows if row["title"] == title])


@says(r"应报送的(\d+)个乡镇（街道）中，(?:三项齐全(\d+)个，)?未报或未报全(\d+)个（附件\d+）。")
def _(it: Second, m: re.Match[str]) -> None:
    whole = len(it.due) - len(it.silent)
    it.hold("reports", (m[1], m[2] or "0", m[3]), (str(len(it.due)), str(whole), str(len(it.silent))))


@says(r"应报送的(\d+)个乡镇（街道）(?:均)?已报送\d+年\d+月人口、经费和人员数据。")
def _(it: Second, m: re.Match[str]) -> None:
    it.hold("all reported", (m[1], len(it.silent)), (str(len(it.due)), 0))


@says(r"从未报送的(\d+)个：(.+?)。")
def _(it: Second, m: re.Match[str]) -> None:
    ever = {
        row["unit_id"]
        for name in ("population", "budget", "staffing")
        for row in it.edition.rows(
            f"select distinct t.unit_id from reported.{name} r join townships t using (township_code)"
            " where r.month <= ? and r.is_current",
            it.month,
        )
    }
    codes = [code for code in it.silent if it.edition.townships[code]["unit_id"] not in ever]
    it.hold("never", m[1], len(codes))
    it.hold_names("never", m[2], codes)


@says(r"本月未报或未报全的(?:另有)?(\d+)个：(.+?)。")
def _(it: Second, m: re.Match[str]) -> None:
    listed = re.sub(r"等$", "", m[2])
    zh = {"population": "人口", "budget": "经费", "staffing": "人员"}
    for part in re.findall(r"([^（）、]+)（(.+?)）", listed):
        codes = [code for code in it.silent if part[0] in it.places(code)]
        if not codes:
            it.wrong.append(f"{it.scope} {it.month:%Y-%m} missing: {part[0]} has reported")
            continue
        what = part[1].split("，")[0]
        missing = [it.silent[code] for code in codes]
        fits = any(
            what == "三项均未报" if len(each) == 3 else all(zh[name] in what for name in each)
            for each in missing
        )
        it.hold(f"missing of {part[0]}", fits, True)
        told = re.search(r"最多已连续(\d+)个月未报", part[1])
        if told:
            it.hold(f"months of {part[0]}", told[1], max(_months_silent(it, code) for code in codes))


def _months_silent(it: Second, code: str) -> int:
    """For how many months the report that has been missing longest has not come."""
    unit, longest = it.edition.townships[code]["unit_id"], 0
    for name in it.silent[code]:
        ((last,),) = it.edition.connection.execute(
            f"select max(month) from reported.{name} r join townships t using (township_code)"
            " where t.unit_id = ? and r.month <= ? and r.is_current",
            [unit, it.month],
        ).fetchall()
        if last:
            longest = max(longest, (it.month.year - last.year) * 12 + it.month.month - last.month)
    return longest


@says(r"能力建设(\d+)项尚有单位未报送，不作判断，也不视为达标（附件\d+）。")
def _(it: Second, m: re.Match[str]) -> None:
    others = {row["standard_id"] for rows in it.edition.staffing.values() for row in rows}
    others |= {row["standard_id"] for rows in it.edition.funding.values() for row in rows}
    others |= {rule for rule, row in it.edition.standards.items() if row["formula"] == "paid_in_full"}
    rules = set()
    for (rule, level, _), answers in it.edition.answers.items():
        known = [row for row in answers if row["month"] <= it.month]
        if not known or rule in others or not _seen_from(it, level, known[-1]["subject_code"]):
            continue
        age = (it.month.year - known[-1]["month"].year) * 12 + it.month.month - known[-1]["month"].month
        if age < SPAN[it.edition.standards[rule]["period"]] and known[-1]["status"] == "not_reported":
            rules.add(rule)
    it.hold("rules not reported", m[1], len(rules))


def _seen_from(it: Second, level: str, code: str) -> bool:
    above = ("country", "province", "city", "county")
    return it.inside(code) and level not in above[: above.index(it.level)]


@says(r"另有(\d+)份文件无法识别，已整份退回。")
def _(it: Second, m: re.Match[str]) -> None:
    ((refused,),) = it.edition.connection.execute(
        "select count(*) from submissions where status = 'refused'"
    ).fetchall()
    if int(m[1]) > refused:
        it.wrong.append(f"{it.scope} {it.month:%Y-%m} refused files: {m[1]} of {refused}")


@says(r"安排缺口、保障率与上月持平。")
def _(it: Second, m: re.Match[str]) -> None:
    then = it.at(1).judged
    of = [
        [_sum(rows, f"{name}_cny") for rows in (it.judged, then)]
        for name in ("allocation_shortfall", "allocated_annual")
    ]
    it.hold(m[0], of[0][0], of[0][1])


@says(
    r"安排缺口[比与]上月(增加@|减少@|持平)(?:（(.+?)）)?(?:，保障率(?:(上升|下降)([\d.]+)个百分点|持平))?。"
)
def _(it: Second, m: re.Match[str]) -> None:
    then = it.at(1).judged
    change = _sum(it.judged, "allocation_shortfall_cny") - _sum(then, "allocation_shortfall_cny")
    it.hold("gap against the month before", m[1], _moved(change))
    parts = m[4]
    if parts:
        total = Decimal(0)
        for sign, value, unit in re.findall(r"(增加|减少)([\d,.]+)(万元|元)", parts):
            total += (
                Decimal(value.replace(",", ""))
                * (10_000 if unit == "万元" else 1)
                * (1 if sign == "增加" else -1)
            )
        if abs(total - change) > 100 * (parts.count("；") + 2):
            it.wrong.append(f"{it.scope} {it.month:%Y-%m} parts of the change: {total} and not {change}")
    if m[6] and then:
        rates = [
            half_up(_sum(rows, "allocated_annual_cny") * 100 / _sum(rows, "guaranteed_annual_cny"))
            for rows in (it.judged, then)
        ]
        it.hold(
            "points",
            (m[5], Decimal(m[6])),
            ("上升" if rates[0] > rates[1] else "下降", abs(rates[0] - rates[1])),
        )


def _moved(value: Decimal) -> str:
    return f"增加{amount(value)}" if value > 0 else f"减少{amount(-value)}" if value < 0 else "持平"


@says(r"累计拨付[比与]上月(增加@|减少@|持平)。")
def _(it: Second, m: re.Match[str]) -> None:
    last = it.at(1)
    it.hold(
        "paid since", m[1], _moved(_sum(it.paid, "disbursed_ytd_cny") - _sum(last.paid, "disbursed_ytd_cny"))
    )
    it.hold("paid units", len(it.paid), len(last.paid))


@says(r"与上年同月相比，安排缺口(增加@|减少@|持平)。")
def _(it: Second, m: re.Match[str]) -> None:
    then = it.at(12).judged
    change = _sum(it.judged, "allocation_shortfall_cny") - _sum(then, "allocation_shortfall_cny")
    it.hold("gap against the year before", m[1], _moved(change))


@says(
    r"应当整改的问题，(?:本月新增(\d+)项、整改销号(\d+)项、持续(\d+)项|本月没有新增和销号，持续(\d+)项)。(?:新增的是.+?。)?(?:销号的是.+?。)?(?:逐项见附件\d+。)?"
)
def _(it: Second, m: re.Match[str]) -> None:
    spells = it.edition.rows(
        "select f.*, s.gradeable, s.strength, d.force from findings f join standards s on s.standard_id = f.rule_id"
        " join policy_documents d using (document_id) where opened_month <= ? and (cleared_month is null or cleared_month >= ?)",
        it.month,
        it.month,
    )
    counts = [0, 0, 0]
    for row in spells:
        if (
            row["subject_level"] == it.level
            or not it.inside(row["subject_code"])
            or not it.demanded(row["rule_id"])
        ):
            continue
        if row["status"] in ("unit_ended", "superseded", "not_applicable") and row["last_month"] < it.month:
            continue
        if not _was_short(it, row):
            continue
        counts[1 if row["cleared_month"] == it.month else 0 if row["opened_month"] == it.month else 2] += 1
    said = (m[1] or "0", m[2] or "0", m[3] or m[4])
    it.hold("new, cleared, going on", said, tuple(map(str, counts)))


def _was_short(it: Second, finding: Row) -> bool:
    """Whether the spell's last answer up to the month was that the rule is not met, and not silence."""
    unit = it.edition.townships.get(finding["subject_code"])
    key = finding["rule_id"], finding["subject_level"], unit["unit_id"] if unit else finding["subject_code"]
    last = min(finding["last_month"], it.month)
    known = [row for row in it.edition.answers[key] if finding["opened_month"] <= row["month"] <= last]
    return bool(known) and known[-1]["status"] == "short"


# What is held against SQL of its own in test_figures.py, in every scope and month as well.
@says(
    r"\d{4}年截至本月，同一单位同一月份两个来源所报不同的数据(\d+)处，涉及(\d+)个单位，其中本月(\d+)处（附件\d+）。(.*)$"
)
def _(it: Second, m: re.Match[str]) -> None:
    rows = it.edition.rows(
        "select township_code, month from reconciliation where month between date_trunc('year', ?) and ?",
        it.month,
        it.month,
    )
    rows = [row for row in rows if it.inside(row["township_code"])]
    expected = (
        len(rows),
        len({row["township_code"] for row in rows}),
        sum(row["month"] == it.month for row in rows),
    )
    it.hold("differences", m.groups()[:3], tuple(map(str, expected)))


@says(r"民政工作经费以外另有(\d+)个资金项目、(\d+)个单位报送收支，不计入保障率（附件\d+）。")
def _(it: Second, m: re.Match[str]) -> None:
    rows = [
        row
        for row in it.edition.rows(
            "select * from fund_ledger_monthly where month = ? and fund_code <> 'working_funds'", it.month
        )
        if it.inside(row["township_code"])
    ]
    it.hold(
        "funds",
        (m[1], m[2]),
        (str(len({r["fund_code"] for r in rows})), str(len({r["township_code"] for r in rows}))),
    )


@says(r"\d{4}年截至本月，已整改资金问题(\d+)项，(.+)$")
def _(it: Second, m: re.Match[str]) -> None:
    rows = [
        row
        for row in it.edition.rows(
            "select * from detail.moved_amounts where is_counted_in_totals and month between date_trunc('year', ?) and ?",
            it.month,
            it.month,
        )
        if it.inside(row["township_code"])
    ]
    it.hold("moved, findings", m[1], len(rows))
    by: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows:
        if row["moved_cny"] is not None:
            by[row["township_code"]][row["measure"]] += row["moved_cny"]
    told = re.match(rf"促进资金到位({AMOUNT})", m[2])
    if told:
        it.hold("moved", told[1], amount(sum((max(each.values()) for each in by.values()), Decimal(0))))


def _came_without(it: Second, *how: str) -> set[str]:
    return {code for code, told in it.edition.without_figure[it.month] if told in how and it.inside(code)}


@says(r"零报告(\d+)个：(.+?)。")
def _(it: Second, m: re.Match[str]) -> None:
    codes = _came_without(it, "nil")
    it.hold("nil reports", m[1], len(codes))
    it.hold_names("nil reports", m[2], codes)


@says(r"已报送而没有填数(\d+)个，不按零处理：(.+?)(等)?。")
def _(it: Second, m: re.Match[str]) -> None:
    codes = _came_without(it, "dash", "blank")
    it.hold("reports without a figure", m[1], len(codes))
    names = [re.sub(r"（[^（）]+）$", "", told) for told in m[2].split("、")]
    it.hold("reports without a figure, listed", len(names), min(len(codes), 5))
    it.hold("reports without a figure, cut short", bool(m[3]), len(codes) > 5)
    for name in names:
        if not any(name in it.places(code) for code in codes):
            it.wrong.append(
                f"{it.scope} {it.month:%Y-%m} reports without a figure: {name} is not one of them"
            )


@says(r"共更正(\d+)处数字，逐项列")
def _(it: Second, m: re.Match[str]) -> None:
    it.hold("figures corrected", m[1], it.changes)  # type: ignore[attr-defined]


# --- the whole


_DATE = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日")
# Numbers that are no figures: of annexes, papers, periods and what a rule's own title counts.
_PLAIN = re.compile(r"附件\d+|〔\d+〕\d+号|\d{4}年(?:\d{1,2}月(?:\d{1,2}日)?)?|^\d\.|\d+个工作日")


def wrong_in(
    report: Report, edition: Edition, scope: str, month: date, issued: date, calendar: Calendar
) -> list[str]:
    """What the report says that is not so; empty where all of it holds."""
    it = Second(edition, scope, month)
    it.doubts = _doubts(report)  # type: ignore[attr-defined]
    # What the body had no room for stands at the head of an annex, and so does the report that was corrected.
    of_text = ("总体情况和变化", "更正后的通报正文")
    more = (block for annex in report.annexes if annex.title in of_text for block in annex.blocks)
    it.changes = len(_table(report, "changes"))  # type: ignore[attr-defined]
    told = [
        block.text
        for block in (*report.opening, *report.body, *more)
        if isinstance(block, (Heading, Paragraph))
    ]
    names = _names(it)
    for text in told:
        left = text
        for pattern, check in CHECKS:
            for match in list(pattern.finditer(left)):
                check(it, match)
            left = pattern.sub("", left)
        for name in names:
            left = left.replace(name, "")
        left = _PLAIN.sub("", left)
        if re.search(r"\d", left):
            it.wrong.append(f"{scope} {month:%Y-%m}: a number that nobody checks: {left}")
    _hold_named(it, report)
    _hold_leads(it, told)
    _hold_days(it, report, told, issued, calendar)
    _hold_silence(it, told)
    return it.wrong


def _names(it: Second) -> list[str]:
    """Titles and names that may hold a digit, the longest first."""
    texts = {row["title_zh"] for row in it.edition.standards.values()}
    texts |= {row["origin_zh"] for row in it.edition.standards.values() if row["origin_zh"]}
    texts |= {row["township_name"] for row in it.edition.townships.values()}
    texts |= {row["county_name"] for row in it.edition.townships.values()}
    return sorted((text for text in texts if re.search(r"\d", text)), key=len, reverse=True)


def _doubts(report: Report) -> int:
    """How many the annex lists: the text must not say another number."""
    tables = [ref.table for ref in report.tables if ref.table.key == "annex_doubts"]
    return len(tables[0].rows) if tables else 0


def _table(report: Report, key: str) -> list[tuple[Any, ...]]:
    return [row for ref in report.tables if ref.table.key == key for row in ref.table.rows]


def _hold_named(it: Second, report: Report) -> None:
    """Each named unit deserves it, and none that does is missing."""
    expected = list(it.named)
    for row in _table(report, "annex_named"):
        name, title = str(row[0]), str(row[1])
        fits = [each for each in expected if name in each[0] and title.startswith(each[1])]
        if fits:
            # The rule of payment is called after its standard.
            expected.remove(max(fits, key=lambda each: len(each[1])))
        else:
            it.wrong.append(
                f"{it.scope} {it.month:%Y-%m}: {name} is named for {title} and does not deserve it"
            )
    it.wrong += [f"{it.scope} {it.month:%Y-%m}: {names} is not named for {what}" for names, what in expected]


def _hold_leads(it: Second, told: list[str]) -> None:
    """Whatever is wrong with money or people leads the first page."""
    words = {"payment": "资金拨付：", "money": "经费安排：", "arrears": "上年欠拨：", "people": "人员配备："}
    of_money = [kind for text in told for kind in list(words)[:3] if re.match(rf"\d\.{words[kind]}", text)]
    of_money = [kind for kind in of_money if it.leading[kind]]
    heaviest = sorted(of_money, key=lambda kind: -sum(map(it.weight, it.leading[kind])))
    it.hold("order of the headlines", of_money, heaviest)
    for kind, word in words.items():
        if it.leading[kind] and not any(re.match(rf"\d\.{word}", text) for text in told):
            it.wrong.append(f"{it.scope} {it.month:%Y-%m}: {kind} does not lead")


def _hold_days(it: Second, report: Report, told: list[str], issued: date, calendar: Calendar) -> None:
    """Every deadline is a working day after the day of issue; no other day lies before what it speaks of."""
    end = before(it.month, -1) - timedelta(days=1)
    texts = [
        *told,
        *(str(cell) for row in _table(report, "named") + _table(report, "annex_named") for cell in row),
    ]
    for text in texts:
        for match in _DATE.finditer(text):
            day = date(*map(int, match.groups()))
            if day == end or text[: match.start()].endswith(("通报应于", "现于", "本通知于")):
                continue
            # A paper that is named with the day on which it was issued.
            if text[match.end() :].startswith("印发的《"):
                continue
            if day <= issued or not calendar.is_workday(day):
                it.wrong.append(f"{it.scope} {it.month:%Y-%m}: {day} is before {issued} or a day off: {text}")


_OF_SILENCE = (
    "此前月份报送",
    "最近报送",
    "未报",
    "没有报送",
    "没有可判定",
    "从未",
    "零报告",
    "没有填数",
    "无法判定",
)


def _hold_silence(it: Second, told: list[str]) -> None:
    """Nothing is claimed of who never reported."""
    for code, missing in it.silent.items():
        if len(missing) < 3 or any(row["subject_code"] == code for row in it.open):
            continue
        name = it.edition.townships[code]["township_name"]
        alike = [unit for unit in it.due if unit["township_name"] == name]
        for sentence in (part for text in told for part in text.split("。")):
            if name in sentence and len(alike) == 1 and not any(word in sentence for word in _OF_SILENCE):
                it.wrong.append(f"{it.scope} {it.month:%Y-%m}: {name} did not report: {sentence}")
