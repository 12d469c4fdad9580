"""Every kind of place, in both units, both themes and three widths: numbers against SQL, boxes against each other.

    python -m tests.dashboard.matrix [--data DIR] [--quick] [--turns] [--only NAME] [--path PAGE] [--money wan]
                                     [--theme dark] [--width 390] [--part 2/6]

Without `DIR` the worlds are made and run in a temporary folder. Prints what is found wrong as it is found, after each
combination how many numbers were compared, and all of it at the end; exit code 1 where anything was wrong. The suite runs
the quick form: two pages a situation, in one unit, theme and width.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
import openpyxl

from oversight import presentation as show
from oversight.editions import find_edition
from oversight.editions.publish import point
from oversight.metrics import METRICS
from oversight.presentation import MoneyUnit
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.dashboard.browsing import CHROMIUM, FLAGS, Visit, fitted, serving, visiting

UNITS: tuple[MoneyUnit, ...] = ("wan", "yuan")
THEMES = ("light", "dark")
WIDTHS = (1440, 768, 390)
PATHS = ("/", "/funding", "/township")
# Of each situation and width in one unit and theme, in turn: what they show hangs less on either.
FURTHER = ("/staffing", "/findings", "/submissions", "/policy", "/compare", "/editions")

# --- a world of a large county, a small one and a silent one

# Names that a page may stumble over: markup, formulas, quotes, length.
_ODD = (
    "<b>甲</b>镇",
    "=1+1乡",
    "\"双引号\"'单引号'镇",
    "名字特别长" * 12 + "镇",
    "A&amp;B街道",
    "{{x}}镇",
)
LARGE, SMALL, SILENT = "360313", "360321", "360322"


def write_world(raw: Path) -> None:
    """A county of 200 townships, one of a single one, and one of three that never report; a month nobody reported."""
    raw.mkdir(parents=True)
    codes: list[tuple[str, str, str]] = []
    for number in range(200):
        name = _ODD[number] if number < len(_ODD) else f"第{number}号镇"
        codes.append((f"{LARGE}{101 + number:03d}", name, LARGE))
    codes.append((f"{SMALL}101", "独一镇", SMALL))
    codes += [(f"{SILENT}{101 + number}", f"静{number}镇", SILENT) for number in range(3)]
    divisions: list[tuple[str, ...]] = [
        ("360000", "江西省", "省", ""),
        ("360300", "萍乡市", "市", "360000"),
        (LARGE, "湘东区", "县", "360300"),
        (SMALL, "莲花县", "县", "360300"),
        (SILENT, "上栗县", "县", "360300"),
    ]
    divisions += [(code, name, "镇", county) for code, name, county in codes]
    _write(raw / "行政区划.csv", ("区划代码", "名称", "类型", "上级代码"), divisions)
    people, money, staff = [], [], []
    for year, month in ((2024, 12), (2025, 2), (2025, 4)):
        for number, (code, name, county) in enumerate(codes):
            if county == SILENT:
                continue
            population = 6000 + number * 377
            when = f"{year}-{month:02d}"
            people.append((when, code, name, population))
            budget = Decimal(population) * Decimal("2.52") * (Decimal(70 + number % 60) / 100)
            paid = budget / 12 * month
            money.append((when, code, name, f"{budget:.2f}", f"{paid:.2f}", f"{paid * Decimal('0.9'):.2f}"))
            staff.append((when, code, name, 1, 2, number % 4))
    _write(raw / "人口.csv", ("统计月份", "区划代码", "乡镇名称", "户籍人口(人)"), people)
    _write(
        raw / "经费.csv",
        ("统计月份", "区划代码", "乡镇名称", "年初预算(元)", "累计拨付(元)", "累计支出(元)"),
        money,
    )
    _write(
        raw / "人员.csv",
        ("统计月份", "区划代码", "乡镇名称", "行政编制数(名)", "事业编制数(名)", "在编在岗专职人数(人)"),
        staff,
    )


def _write(path: Path, head: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


def run_over(root: Path) -> DataFolder:
    """`oversight run` over a folder, as a user starts it."""
    done = subprocess.run(
        [sys.executable, "-m", "oversight.cli", "run", "--data", str(root)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return DataFolder.at(root)


def second_edition(folder: DataFolder) -> tuple[str, str]:
    """Another edition beside the sample's, and made current: names of the old and the new one."""
    old = find_edition(folder)
    new = old.path.parent / f"{old.edition_id}-2"
    shutil.copytree(old.path, new)
    connection = duckdb.connect(str(new / "warehouse.duckdb"))
    connection.execute("update edition set edition_id = ?, built_at = built_at + interval 1 day", [new.name])
    connection.execute(
        "update detail.unit_monthly set allocated_of_judged_cny = allocated_of_judged_cny + 12345.67 "
        "where allocated_of_judged_cny is not null"
    )
    connection.close()
    point(folder, new.name)
    return old.edition_id, new.name


# --- what is visited


@dataclass(frozen=True)
class Situation:
    """A kind of place: which world, which unit and month, which edition (none: the current one)."""

    name: str
    world: str
    unit: str
    month: str = ""
    edition: str = ""
    township: str = ""


def situations(old_edition: str) -> list[Situation]:
    """Those of the issue, by name."""
    return [
        Situation("no standard", "sample", "130000", "2025-12", township="130321101"),
        Situation("one township", "large", SMALL, "2025-04", township=f"{SMALL}101"),
        Situation("200 townships", "large", LARGE, "2025-04", township=f"{LARGE}104"),
        Situation("two standards", "sample", "", "2025-12", township="640324100"),
        Situation("silent county", "large", SILENT, "2025-04", township=f"{SILENT}101"),
        Situation("first month", "sample", "360313", "2024-01", township="360313105"),
        Situation("merged unit", "sample", "130321", "2025-12", township="merged"),
        Situation("old edition", "sample", "360313", "2025-12", edition=old_edition, township="360313103"),
    ]


@dataclass
class Told:
    """What was looked at, and what was found wrong."""

    pages: int = 0
    numbers: int = 0
    files: int = 0
    wrong: list[str] = field(default_factory=list)
    # Whoever waits for a quarter of an hour reads at once what was found, and keeps it where the rest is not waited for.
    is_printed: bool = False

    def find(self, what: str) -> None:
        """Something that is wrong."""
        self.wrong.append(what)
        if self.is_printed:
            print(f"  WRONG {what}", flush=True)

    def hold(self, what: str, shown: str, expected: str) -> None:
        """One number."""
        self.numbers += 1
        if shown != expected:
            self.find(f"{what}: {shown!r} instead of {expected!r}")


# --- tables whose rows are those of a published table

_LATEST = (
    "from {table} as j inner join standards as s on j.rule_id = s.standard_id where j.month <= $month and {where} "
    "qualify row_number() over (partition by {by} order by j.month desc) = 1"
)
_ANSWERS = (
    "select j.rule_id || '/' || j.subject_level || '/' || j.subject_unit as id, "
    "j.value_checked, j.value_expected, j.shortfall, s.unit "
    + _LATEST.format(
        table="judgements",
        where="starts_with(j.subject_code, left($prefix, 6))",
        by="j.rule_id, j.subject_level, j.subject_unit",
    )
)
_REPORTED = (
    "select submission_id || '/' || coalesce(sheet, 'None') || '/' || row_number || '/' || month as id, * "
    "from reported.{} where starts_with(township_code, left($prefix, 6))"
)
# By the grid's name: the query that finds its rows by the grid's own keys, with the figures that it shows.
HELD = {
    "findings": (
        "select finding_id as id, value_checked, value_expected, shortfall, unit from findings "
        "where starts_with(subject_code, left($prefix, 6))"
    ),
    "rules": (
        "select j.rule_id as id, j.met_count, j.short_count, j.over_count, j.not_reported_count, "
        "case when s.unit <> '%' then j.shortfall end as shortfall, s.unit "
        + _LATEST.format(table="detail.unit_rules_monthly", where="j.unit_code = $unit", by="j.rule_id")
    ),
    "answers": _ANSWERS,
    "judged": _ANSWERS,
    "files": "select submission_id as id, rows_read, rows_accepted, rows_held, rows_rejected, rows_ignored from submissions",
    "suites": "select suite || '/' || expectation as id, evaluated_count, unexpected_count from quality.suite_results",
    "near": (
        "select township_code as id, population_persons, guaranteed_annual_cny from funding_gap_monthly "
        "where month = $month"
    ),
    "townships": "select township_code as id, * from funding_gap_monthly where month = $month",
    "units": "select unit_code as id, * from detail.unit_monthly where month = $month",
    **{name: _REPORTED.format(name) for name in ("population", "budget", "staffing")},
}
_OF_UNIT = ("value_checked", "value_expected", "shortfall")


def held_rows(
    sql: duckdb.DuckDBPyConnection, grid: str, prefix: str, unit: str, month: date
) -> dict[str, dict[str, Any]]:
    """What SQL says of the rows of a grid, by the grid's keys."""
    query = HELD[grid]
    given = {"prefix": prefix, "unit": unit, "month": month}
    cursor = sql.execute(query, {name: value for name, value in given.items() if f"${name}" in query})
    names = [item[0] for item in cursor.description or ()]
    return {str(row[0]): dict(zip(names, row, strict=True)) for row in cursor.fetchall()}


def held_text(grid: str, name: str, row: dict[str, Any], money: MoneyUnit) -> str | None:
    """How a figure of SQL is read on the page; None for what is none."""
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    if name == "shortfall":
        return show.shortfall(value, row["unit"], money, is_sum=grid == "rules")
    if name in _OF_UNIT:
        return show.quantity(value, row["unit"], money)
    # Amounts, and the last place that they were written to.
    return show.money(value, money) if "_cny" in name else show.cell(name, value, money)


def held_number(name: str, row: dict[str, Any], money: MoneyUnit) -> Decimal | None:
    """The same figure as a file has it, exact; None where a file has a word."""
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    if name in _OF_UNIT and row["unit"] == "是/否":
        return None
    if name.endswith("_pct"):
        # A rate of which the part is not the whole never reads 100.
        value = show.figure("funding_gap_monthly", name, row).value
    is_money = "_cny" in name or (name in _OF_UNIT and row["unit"] in ("元", "元/年"))
    return Decimal(value) / (10_000 if is_money and money == "wan" else 1)


def _row(sql: duckdb.DuckDBPyConnection, query: str, *values: Any) -> dict[str, Any] | None:
    found = _rows(sql, query, *values)
    return found[0] if found else None


def _rows(sql: duckdb.DuckDBPyConnection, query: str, *values: Any) -> list[dict[str, Any]]:
    cursor = sql.execute(query, list(values))
    names = [item[0] for item in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


TITLES = """async name => {
    const api = await dash_ag_grid.getApiAsync({name, type: 'grid'});
    return Object.fromEntries(api.getColumns().map(c => [c.getColDef().headerName, c.getColId()]));
}"""

GRID = """async name => {
    const api = await dash_ag_grid.getApiAsync({name, type: 'grid'});
    const rows = [];
    api.forEachNode(node => rows.push(node.data));
    return rows;
}"""

# Elements that hang out of their box or over the edge of the screen, texts that are cut with no way to read them,
# and labels of a chart that lie upon one another.
BOXES = r"""() => {
    const wrong = [], content = document.querySelector('#content');
    const scrolls = element => {
        for (let e = element; e && e !== content; e = e.parentElement) {
            const o = getComputedStyle(e);
            if (/(auto|scroll)/.test(o.overflowX) || e.classList.contains('ag-root-wrapper')) return true;
        }
        return false;
    };
    const looked = '.kpi, .kpi *, .card-head *, .note, .list *, .part *, .facts *, .button, .notice *, h1, h2, h3';
    for (const element of content.querySelectorAll(looked)) {
        const box = element.getBoundingClientRect();
        if (!box.width || !box.height || element.closest('.visually-hidden')) continue;
        const name = element.className + ' “' + (element.innerText || '').trim().slice(0, 24) + '”';
        if (box.right > innerWidth + 1 && !scrolls(element)) wrong.push('over the edge: ' + name);
        const card = element.closest('.kpi, .card');
        if (card && card !== element && !scrolls(element)) {
            const own = card.getBoundingClientRect();
            if (box.right > own.right + 1 || box.left < own.left - 1) wrong.push('out of its card: ' + name);
        }
        const style = getComputedStyle(element);
        if (style.overflowX !== 'visible' && style.textOverflow !== 'clip' && element.scrollWidth > element.clientWidth + 1 &&
            !element.title) wrong.push('cut: ' + name);
    }
    for (const plot of content.querySelectorAll('.js-plotly-plot')) {
        const labels = [...plot.querySelectorAll('.textpoint text, .annotation-text, .xtick text, .ytick text, .bartext')]
            .filter(e => e.textContent.trim()).map(e => [e.textContent, e.getBoundingClientRect()]);
        for (let i = 0; i < labels.length; i++) for (let j = i + 1; j < labels.length; j++) {
            const [a, b] = [labels[i][1], labels[j][1]];
            const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
            const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            const least = Math.min(a.width * a.height, b.width * b.height);
            if (width > 1 && height > 1 && width * height > 0.2 * least)
                wrong.push('labels overlap: “' + labels[i][0] + '” and “' + labels[j][0] + '”');
        }
    }
    for (const frame of content.querySelectorAll('.grid-frame')) {
        const seen = frame.querySelector('.ag-center-cols-viewport');
        if (seen && seen.scrollWidth > seen.clientWidth + 1) wrong.push('the table scrolls sideways: ' + frame.dataset.grid);
    }
    if (document.documentElement.scrollWidth > innerWidth) wrong.push('the page is wider than the screen');
    return wrong;
}"""


class Looker:
    """Visits situations in a browser and holds what it reads against the edition."""

    def __init__(self, chromium: Any, told: Told, scratch: Path) -> None:
        self.chromium, self.told, self.scratch = chromium, told, scratch

    def visit(
        self,
        base: str,
        sql: duckdb.DuckDBPyConnection,
        place: Situation,
        money: MoneyUnit,
        theme: str,
        width: int,
        *,
        with_files: bool,
        paths: Collection[str] = PATHS,
    ) -> None:
        """Pages of a situation in one unit, theme and width."""
        where = f"{place.name}, {money}, {theme}, {width}"
        with visiting(self.chromium, base, viewport={"width": width, "height": 900}, theme=theme) as visit:
            own = {"edition": place.edition, "month": place.month, "money": "yuan" if money == "yuan" else ""}
            for path in [path for path in ("/", "/funding") if path in paths]:
                query = {name: value for name, value in {**own, "unit": place.unit}.items() if value}
                page = visit.go(f"{path}?{urlencode(query)}")
                self._page(page, sql, place, money, f"{where}, {path}")
                self._grids(visit, sql, place.unit, place, money, f"{where}, {path}", with_files=with_files)
            for path in [path for path in FURTHER if path in paths]:
                query = {name: value for name, value in {**own, "unit": place.unit}.items() if value}
                if path == "/compare":
                    other = LARGE if place.world == "large" else "360313"
                    query["units"] = f"{place.unit or '640324'},{other if place.unit != other else '360300'}"
                    query.pop("unit", None)
                page = visit.go(f"{path}?{urlencode(query)}")
                self._boxes(page, f"{where}, {path}")
                self._grids(visit, sql, place.unit, place, money, f"{where}, {path}", with_files=with_files)
                if path == "/findings":
                    self._counts(page, sql, place, f"{where}, {path}")
            township = place.township if "/township" in paths else ""
            if township == "merged":
                township = sql.execute(
                    "select successor_code from townships where successor_code is not null limit 1"
                ).fetchall()[0][0]
            if township:
                query = {name: value for name, value in {**own, "unit": township}.items() if value}
                page = visit.go(f"/township?{urlencode(query)}")
                self._township(page, sql, township, place, money, f"{where}, /township")
                self._grids(visit, sql, township, place, money, f"{where}, /township", with_files=with_files)
            visit.page.goto("about:blank")

    def _boxes(self, page: Any, where: str) -> None:
        fitted(page)
        self.told.pages += 1
        for found in sorted(set(page.evaluate(BOXES))):
            self.told.find(f"{where}: {found}")
        if re.search("没能显示|旧版程序", page.inner_text("#content")):
            self.told.find(f"{where}: the page failed, or reads an edition of another program")

    def _page(
        self, page: Any, sql: duckdb.DuckDBPyConnection, place: Situation, money: MoneyUnit, where: str
    ) -> None:
        self._boxes(page, where)
        unit, month = place.unit or "000000", date.fromisoformat(f"{place.month}-01")
        row = _row(sql, "select * from detail.unit_monthly where unit_code = ? and month = ?", unit, month)
        for card in page.locator(".kpi[data-name]").all():
            name = card.get_attribute("data-name")
            if name in METRICS:
                shown = card.locator(".kpi-value").inner_text().strip()
                self.told.hold(f"{where}, card {name}", shown, METRICS[name].text(row, money))
        if page.locator("[data-name='units']").count():
            self._units(page, sql, place, money, month, where)
        if page.locator("[data-grid='townships']").count():
            self._townships(page, sql, place, money, month, where)

    def _units(
        self,
        page: Any,
        sql: duckdb.DuckDBPyConnection,
        place: Situation,
        money: MoneyUnit,
        month: date,
        where: str,
    ) -> None:
        if len(place.unit) == 6 and not place.unit.endswith("00"):
            return
        expected = {
            row["unit_code"]: row
            for row in _rows(sql, "select * from detail.unit_monthly where month = ?", month)
        }
        for shown in page.evaluate(GRID, "units"):
            row = expected[shown["_id"]]
            for name, value in shown.items():
                if name in METRICS:
                    text = METRICS[name].text(row, money)
                    if METRICS[name].unit == "%" and text[:1].isdigit():
                        text += "%"
                    self.told.hold(f"{where}, {shown['name']} {name}", value, text)

    def _townships(
        self,
        page: Any,
        sql: duckdb.DuckDBPyConnection,
        place: Situation,
        money: MoneyUnit,
        month: date,
        where: str,
    ) -> None:
        prefix = re.sub(r"(00)+$", "", place.unit)
        expected = {
            row["township_code"]: row
            for row in _rows(
                sql,
                "select * from funding_gap_monthly where month = ? and starts_with(township_code, ?)",
                month,
                prefix,
            )
        }
        rows = page.evaluate(GRID, "townships")
        self.told.hold(f"{where}, rows", str(min(len(rows), 300)), str(min(len(expected), 300)))
        for shown in rows:
            row = expected[shown["_id"]]
            self.told.hold(f"{where}, name", shown["township_name"], row["township_name"])
            for name in (
                "guaranteed_annual_cny",
                "allocated_annual_cny",
                "allocation_shortfall_cny",
                "disbursed_ytd_cny",
                "disbursement_shortfall_ytd_cny",
                "spent_ytd_cny",
            ):
                if row[name] is not None:
                    # What is known in part says so behind the number.
                    number = re.sub(r"（.*）$", "", shown[name])
                    self.told.hold(
                        f"{where}, {row['township_name']} {name}", number, show.money(row[name], money)
                    )
                elif re.search(r"\d", shown[name]):
                    self.told.find(
                        f"{where}, {row['township_name']} {name}: {shown[name]} where nothing is known"
                    )
            if row["population_persons"] is not None:
                self.told.hold(
                    f"{where}, {row['township_name']} people",
                    shown["population_persons"],
                    show.count(row["population_persons"]),
                )

    def _township(
        self,
        page: Any,
        sql: duckdb.DuckDBPyConnection,
        code: str,
        place: Situation,
        money: MoneyUnit,
        where: str,
    ) -> None:
        self._boxes(page, where)
        row = _row(
            sql,
            "select * from funding_gap_monthly where township_code = ? and month = ?",
            code,
            date.fromisoformat(f"{place.month}-01"),
        )
        if row is None:
            return
        for key, column in (
            ("guaranteed_of_judged_cny", "guaranteed_annual_cny"),
            ("allocated_of_judged_cny", "allocated_annual_cny"),
            ("allocation_shortfall_of_judged_cny", "allocation_shortfall_cny"),
            ("disbursed_of_complete_cny", "disbursed_ytd_cny"),
        ):
            shown = page.locator(f"[data-name='{key}'] .kpi-value").inner_text().strip()
            if row[column] is not None:
                self.told.hold(f"{where}, card {key}", shown, show.money(row[column], money))
            elif re.search(r"\d", shown):
                self.told.find(f"{where}, card {key}: {shown} where nothing is known")

    def _counts(self, page: Any, sql: duckdb.DuckDBPyConnection, place: Situation, where: str) -> None:
        """The four figures above the findings."""
        row = _row(
            sql,
            "select * from detail.unit_findings_monthly where unit_code = ? and month = ?",
            place.unit or "000000",
            date.fromisoformat(f"{place.month}-01"),
        )
        shown = [
            card.inner_text().strip() for card in page.locator("[data-name^='findings_'] .kpi-value").all()
        ]
        names = ("open_count", "open_high_count", "opened_count", "cleared_count")
        expected = [show.count((row or {}).get(name, 0)) for name in names]
        self.told.hold(f"{where}, counts", " ".join(shown), " ".join(expected))

    def _grids(
        self,
        visit: Visit,
        sql: duckdb.DuckDBPyConnection,
        unit: str,
        place: Situation,
        money: MoneyUnit,
        where: str,
        *,
        with_files: bool,
    ) -> None:
        """Every figure of every table that is a published one, on the page and in the files it is taken away as."""
        page, month = visit.page, date.fromisoformat(f"{place.month}-01")
        prefix = re.sub(r"(00)+$", "", unit) if len(unit) == 6 else unit
        grids = [grid.get_attribute("data-grid") for grid in page.locator("[data-grid]").all()]
        is_policy, is_list = "/policy" in where, "/township" in where and len(unit) < 9
        for name in grids:
            if name not in HELD or (name == "rules" and is_policy) or is_list:
                continue
            if name == "units" and len(prefix) == 6:
                # Townships under another name: held as such.
                continue
            rows = page.evaluate(GRID, name)
            expected = held_rows(sql, name, prefix, unit or "000000", month)
            own = [row for row in rows if self._known(expected, name, row, where)]
            for shown in own:
                row = expected[_key(name, shown)]
                for column in set(shown) & set(row):
                    text = held_text(name, column, row, money)
                    if text is not None and name not in ("units", "townships"):
                        number = re.sub(r"（.*）$", "", shown[column])
                        self.told.hold(f"{where}, {name} {shown['_id']} {column}", number, text)
            if with_files:
                self._files(visit, name, own, expected, place, money, where)

    def _known(self, expected: dict[str, Any], name: str, shown: dict[str, str], where: str) -> bool:
        if _key(name, shown) in expected:
            return True
        self.told.find(f"{where}, {name}: {shown['_id']} is no row of SQL")
        return False

    def _files(
        self,
        visit: Visit,
        name: str,
        shown: list[dict[str, str]],
        expected: dict[str, dict[str, Any]],
        place: Situation,
        money: MoneyUnit,
        where: str,
    ) -> None:
        """The table as Excel and as CSV: exact figures, not those rounded for the screen, row by row."""
        page = visit.page
        if not page.locator(f"[data-download='{name}']").count():
            return
        fields = page.evaluate(TITLES, name)
        for form in ("xlsx", "csv"):
            with page.expect_download() as started:
                page.locator(f"[data-download='{name}'][data-format='{form}']").click()
            path = self.scratch / f"file.{form}"
            started.value.save_as(path)
            self.told.files += 1
            if place.month not in started.value.suggested_filename:
                self.told.find(f"{where}: the name of the file has no month")
            cells = list(_cells(path))
            titles = next((row for row in cells if row and row[0] in fields), None)
            if titles is None:
                self.told.find(f"{where}, {name}.{form}: no line of titles")
                continue
            rows = cells[cells.index(titles) + 1 :]
            self.told.hold(f"{where}, {name}.{form} rows", str(len(rows[: len(shown)])), str(len(shown)))
            for line, of_page in zip(rows, shown, strict=False):
                row = expected[_key(name, of_page)]
                for title, cell in zip(titles, line, strict=False):
                    column = fields.get(str(title))
                    number = held_number(column, row, money) if column in row else None
                    if number is None:
                        continue
                    what = f"{where}, {name}.{form} {of_page['_id']} {column}"
                    try:
                        found = f"{Decimal(str(cell)):.6f}"
                    except ArithmeticError:
                        found = str(cell)
                    self.told.hold(what, found, f"{number:.6f}")


def _key(name: str, shown: dict[str, str]) -> str:
    # A township near two bounds stands there twice.
    return shown["_id"].partition("/")[0] if name == "near" else shown["_id"]


def _cells(path: Path) -> Iterator[list[Any]]:
    if path.suffix == ".csv":
        yield from (row or [""] for row in csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
        return
    for row in openpyxl.load_workbook(path, data_only=True).active.iter_rows(values_only=True):
        yield list(row)


# Files hang neither on the theme nor on the width.
FILES = (("wan", "light", 1440), ("yuan", "dark", 768))
# The page beside the money of each that the suite looks at.
SHORT = {
    "one township": "/township",
    "200 townships": "/",
    "silent county": "/submissions",
    "no standard": "/",
    "two standards": "/staffing",
    "first month": "/findings",
    "merged unit": "/township",
    "old edition": "/",
}


def paths_of(place: Situation, money: MoneyUnit, theme: str, width: int) -> tuple[str, ...]:
    """The pages of a combination."""
    return PATHS + FURTHER if is_turn(place, money, theme, width) or (money, theme, width) in FILES else PATHS


def has_files(place: Situation, money: MoneyUnit, theme: str, width: int) -> bool:
    """Whether the tables of a combination are taken away and opened."""
    return (money, theme, width) in FILES or (width == WIDTHS[0] and is_turn(place, money, theme, width))


def is_turn(place: Situation, money: MoneyUnit, theme: str, width: int) -> bool:
    """Whether this unit and theme are the ones of a situation and width."""
    own = UNITS.index(money) * 2 + THEMES.index(theme)
    return own == (list(SHORT).index(place.name) + WIDTHS.index(width)) % 4


def look(
    chromium: Any,
    worlds: dict[str, DataFolder],
    places: Iterable[tuple[Situation, MoneyUnit, str, int]],
    scratch: Path,
    *,
    in_short: bool = False,
    only: str = "",
) -> Told:
    """Visit them all; each world is served once. In short: the money of each, and one page more.

    `only` is the one page that is looked at of each.
    """
    told = Told(is_printed=not in_short)
    looker = Looker(chromium, told, scratch)
    chosen = sorted(places, key=lambda item: item[0].world)
    for world, items in itertools.groupby(chosen, key=lambda item: item[0].world):
        with serving(worlds[world]) as running:
            for number, (place, money, theme, width) in enumerate(items):
                edition = find_edition(worlds[world], place.edition or None)
                with duckdb.connect(str(edition.warehouse), read_only=True) as sql:
                    try:
                        if only:
                            paths: tuple[str, ...] = (only,)
                        elif in_short:
                            paths = ("/funding", SHORT[place.name])
                        else:
                            paths = paths_of(place, money, theme, width)
                        looker.visit(
                            running.base,
                            sql,
                            place,
                            money,
                            theme,
                            width,
                            with_files=number % 3 == 0 if in_short else has_files(place, money, theme, width),
                            paths=paths,
                        )
                    except Exception as error:
                        # A page that breaks the reading of it is one thing wrong; the others are looked at all the same.
                        told.find(f"{place.name}, {money}, {theme}, {width}: {type(error).__name__}: {error}")
                if told.is_printed:
                    print(
                        f"{place.name}, {money}, {theme}, {width}: {told.pages} pages, {told.numbers} numbers, "
                        f"{len(told.wrong)} wrong so far",
                        flush=True,
                    )
    return told


def quick(places: list[Situation]) -> list[tuple[Situation, MoneyUnit, str, int]]:
    """Each situation once, in turn in another unit, theme and width."""
    return [(place, UNITS[n % 2], THEMES[n // 2 % 2], WIDTHS[n % 3]) for n, place in enumerate(places)]


def _part(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError("a part is written 2/6: the second of six")
    return int(part), int(parts)


def main() -> int:
    """The whole matrix."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="where the worlds lie or are made")
    parser.add_argument(
        "--quick", action="store_true", help="two pages a situation, in one unit, theme and width"
    )
    parser.add_argument(
        "--turns",
        action="store_true",
        help="every page of each situation and width, in one unit and theme in turn",
    )
    parser.add_argument("--only", default="", help="situations whose name holds this")
    parser.add_argument("--path", default="", choices=PATHS + FURTHER, help="this page alone")
    parser.add_argument("--money", choices=UNITS, help="amounts in this unit alone")
    parser.add_argument("--theme", choices=THEMES, help="this theme alone")
    parser.add_argument("--width", type=int, choices=WIDTHS, help="this width alone")
    parser.add_argument(
        "--part", type=_part, default=(1, 1), help="2/6: the second of six parts of what is left"
    )
    args = parser.parse_args()
    root = args.data or Path(tempfile.mkdtemp(prefix="views-"))
    worlds = {}
    for name in ("sample", "large"):
        place = root / name
        if not (place / "marts").is_dir():
            if name == "sample":
                shutil.copytree(PROJECT_ROOT / "data" / "raw", place / "raw")
            else:
                write_world(place / "raw")
            run_over(place)
        worlds[name] = DataFolder.at(place)
    editions = sorted(path.name for path in (worlds["sample"].marts / "editions").iterdir())
    old = editions[0] if len(editions) > 1 else second_edition(worlds["sample"])[0]
    places = [place for place in situations(old) if args.only in place.name]
    combined = quick(places) if args.quick else list(itertools.product(places, UNITS, THEMES, WIDTHS))
    asked = (args.money, args.theme, args.width)
    combined = [
        item
        for item in combined
        if all(want in (None, own) for want, own in zip(asked, item[1:], strict=True))
        and (is_turn(*item) or not args.turns)
    ]
    part, parts = args.part
    combined = combined[len(combined) * (part - 1) // parts : len(combined) * part // parts]
    # Two parts may run at once over the same worlds, each with its own files.
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        told = look(browser, worlds, combined, Path(scratch), in_short=args.quick, only=args.path)
        browser.close()
    for line in told.wrong:
        print(line)
    print(
        f"{len(combined)} combinations, {told.pages} pages, {told.numbers} numbers compared with SQL, "
        f"{told.files} files opened, {len(told.wrong)} found wrong"
    )
    if args.data is None:
        shutil.rmtree(root)
    return 1 if told.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
