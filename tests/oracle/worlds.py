"""Made-up worlds: thousands of townships with every case that has ever gone wrong, and their files.

A world knows what was sent (files, rows, who said it when) and turns into two things: the records that the
oracle reads, and a data folder with raw/ (and standards/) that `oversight run` reads.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.oracle.model import POLICY, Division, Report, Standard, last_day, month_after

Values = dict[str, int | Decimal | bool | None]

# (column, title, required). The titles are DESIGN's canonical headers, written down a second time on purpose.
COLUMNS: dict[str, list[tuple[str, str, bool]]] = {
    "population": [
        ("households_count", "户籍户数(户)", False),
        ("population_persons", "户籍人口(人)", True),
        ("births_persons", "出生人口(人)", False),
        ("deaths_persons", "死亡人口(人)", False),
        ("moved_in_persons", "迁入人口(人)", False),
        ("moved_out_persons", "迁出人口(人)", False),
        ("resident_population_persons", "常住人口(人)", False),
    ],
    "budget": [
        ("initial_budget_cny", "年初预算(元)", True),
        ("adjusted_budget_cny", "调整后预算(元)", False),
        ("disbursed_month_cny", "本月拨付(元)", True),
        ("disbursed_cumulative_cny", "累计拨付(元)", False),
        ("spent_month_cny", "本月支出(元)", False),
        ("spent_cumulative_cny", "累计支出(元)", False),
        ("is_listed_separately", "是否单独列支", False),
    ],
    "staffing": [
        ("administrative_posts", "行政编制数(名)", True),
        ("institution_posts", "事业编制数(名)", True),
        ("dedicated_staff_persons", "在编在岗专职人数(人)", True),
        ("welfare_posts_persons", "公益性岗位人数(人)", False),
        ("purchased_service_persons", "政府购买服务人数(人)", False),
        ("part_time_persons", "兼职人数(人)", False),
        ("villages_count", "村(社区)数(个)", False),
        ("villages_with_assistant_count", "已配备协理员村(社区)数(个)", False),
    ],
}
TITLES = {"population": "户籍人口", "budget": "民政工作经费", "staffing": "民政工作人员"}
# County and the tier edges that apply in it.
COUNTIES = [
    ("360313", (20_000, 50_000)),
    # Elsewhere in Jiangxi: the rates are the province's, the staff rule is the district's.
    ("360321", (20_000, 50_000)),
    ("640324", (30_000, 50_000)),
    ("640323", (30_000, 50_000)),
    ("640181", (30_000, 50_000)),
    ("130321", (30_000,)),
    ("130324", (30_000,)),
    ("130306", (30_000,)),
    ("222403", ()),
    ("330881", ()),
]
BLANKS = ("", "", "", "—", "/")


@dataclass
class Sent:
    """One file: a dataset's rows, and what decides which of two files holds."""

    name: str
    dataset: str
    rows: list[tuple[date, str, str, Values]] = field(default_factory=list)
    correction: bool = False
    filed_on: date | None = None
    batch: int = 0

    @property
    def precedence(self) -> tuple[bool, date, int, str]:
        return (self.correction, self.filed_on or date.min, self.batch, self.name)


@dataclass
class World:
    divisions: list[Division]
    files: list[Sent]
    standards: tuple[Standard, ...] = POLICY

    def reports(self) -> Iterator[Report]:
        for file in self.files:
            for month, code, _, values in file.rows:
                yield Report(file.dataset, month, code, values, file.precedence)

    @property
    def batches(self) -> int:
        return 1 + max(file.batch for file in self.files)

    def write(self, directory: Path, batch: int | None = None) -> None:
        """Write raw/ (all files, or those of one batch) below a data folder."""
        raw = directory / "raw"
        raw.mkdir(parents=True, exist_ok=True)
        if not batch:
            with (raw / "行政区划.csv").open("w", encoding="utf-8", newline="") as handle:
                writer = csv.writer(handle)
                writer.writerow(
                    ["区划代码", "名称", "类型", "上级代码", "启用日期", "停用日期", "变更后代码"]
                )
                for d in self.divisions:
                    writer.writerow(
                        [
                            d.code,
                            d.name,
                            d.kind,
                            parent_of(d.code),
                            d.begins or "",
                            d.ends or "",
                            "、".join(d.successors),
                        ]
                    )
        for file in self.files:
            if batch is None or file.batch == batch:
                write = write_form if file.filed_on else write_csv
                write(file, raw / file.name)
        own = [s for s in self.standards if s not in POLICY]
        if own:
            write_standards(own, directory / "standards")


def parent_of(code: str) -> str:
    if len(code) > 6:
        return code[:6]
    if code.endswith("0000"):
        return ""
    return code[:2] + "0000" if code.endswith("00") else code[:4] + "00"


FORMULAS = {
    "per_head_and_month": ("per_capita_by_tier", "元/人·月", "元"),
    "flat": ("flat_by_tier", "元/年", "元"),
    "staff_floor": ("staff_floor", "人", "人"),
    "staff_range": ("staff_range_by_tier", "人", "人"),
    "posts": ("posts_parts", "名", "名"),
}


def write_standards(standards: Sequence[Standard], directory: Path) -> None:
    """A bureau's own rules, beside its data, in the columns of the project's seeds."""
    directory.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[dict[str, object]]] = {
        "policy_documents": [],
        "standards": [],
        "standard_tiers": [],
        "standard_measures": [],
    }
    for s in standards:
        formula, tier_unit, unit = FORMULAS[s.formula]
        known = {p.document for p in POLICY} | {d["document_id"] for d in tables["policy_documents"]}
        if s.document not in known:
            tables["policy_documents"].append(
                {
                    "document_id": s.document,
                    "document_title": f"模拟文件{s.document}",
                    "document_no": "",
                    "issuer_name": "模拟机关",
                    "issuer_code": s.issuer,
                    "issuer_level": "province",
                    "force": "binding",
                    "issued_on": s.effective_from,
                    "issued_on_note": "",
                    "recorded_on": s.effective_from,
                    "basis_documents": "",
                    "note": "",
                }
            )
        tables["standards"].append(
            {
                "standard_id": s.standard_id,
                "document_id": s.document,
                "clause": "一",
                "quotation": "模拟条文",
                "title_zh": "模拟标准",
                "matter": s.matter,
                "scope_code": s.scope,
                "subject_level": "township",
                "topic_zh": "模拟",
                "metric_zh": "模拟",
                "formula": formula,
                "comparator": ">=",
                "unit": unit,
                "period": "month",
                "population_basis": s.basis if s.edges else "",
                "population_date_rule": "prior_year_end" if s.edges else "",
                "edge_rule": s.edge_rule if s.edges else "",
                "strength": "must",
                "severity": "high",
                "gradeable": "Y",
                "not_judged_reason": "",
                "effective_from": s.effective_from,
                "effective_to": s.effective_to or "",
                "deadline": "",
                "issued_on": s.effective_from,
                "recorded_on": s.effective_from,
                "last_confirmed_on": s.effective_from,
                "confirm_within_months": 24,
                "ambiguity_zh": "",
                "example_zh": "",
            }
        )
        values = (sum(s.values),) if s.formula == "posts" else s.values
        last = len(s.edges)
        for tier, value in enumerate(values):
            tables["standard_tiers"].append(
                {
                    "standard_id": s.standard_id,
                    "tier_no": tier + 1,
                    "tier_label": s.labels[tier],
                    "lower_bound": "" if not last else s.edges[tier - 1] if tier else 0,
                    "lower_included": "" if not last else str(tier in (0, last)).lower(),
                    "upper_bound": s.edges[tier] if tier < last else "",
                    "upper_included": "" if tier == last else str(tier == 0).lower(),
                    "value": value,
                    "value_max": s.maxima[tier] if s.maxima else "",
                    "unit": tier_unit,
                    "quotation": "模拟",
                }
            )
        if s.formula == "posts":
            parts = [
                ("part", c, True, v)
                for c, v in zip(("administrative_posts", "institution_posts"), s.values, strict=True)
            ]
        elif s.counts:
            parts = [("value", c, k == 0, "") for k, c in enumerate(s.counts)]
        else:
            parts = [("value", "allocated_annual_cny", True, "")]
        for number, (role, column, required, threshold) in enumerate(parts, 1):
            tables["standard_measures"].append(
                {
                    "standard_id": s.standard_id,
                    "role": role,
                    "part_no": number,
                    "measure_code": column,
                    "required": str(required).lower(),
                    "threshold": threshold,
                    "label_zh": "模拟",
                }
            )
    for table, rows in tables.items():
        if rows:
            with (directory / f"{table}.csv").open("w", encoding="utf-8", newline="") as handle:
                writer = csv.DictWriter(handle, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)


def other_rules() -> tuple[Standard, ...]:
    """The policy changed where it can be: scope, reading of the edges, dates, population, a rule that replaces."""
    rules = {s.standard_id: s for s in POLICY}
    rules["A-10"] = replace(rules["A-10"], scope="000000", edge_rule="favour_township")
    rules["A-06"] = replace(rules["A-06"], scope="000000")
    rules["C-11"] = replace(rules["C-11"], edge_rule="half_open", effective_to=date(2024, 11, 30))
    rules["D-07"] = replace(rules["D-07"], effective_from=date(2024, 2, 15))
    rules["D-08"] = replace(rules["D-08"], edge_rule="half_open", basis="resident")
    rules["Z-01"] = replace(
        rules["A-06"],
        standard_id="Z-01",
        document="Z1",
        values=(3,),
        effective_from=date(2024, 7, 15),
        scope="360313",
    )
    rules["Z-02"] = replace(
        rules["C-11"],
        standard_id="Z-02",
        document="Z2",
        issuer="130300",
        scope="130300",
        values=(45_000, 65_000, 110_000),
        edge_rule="legal_default",
        basis="resident",
        effective_to=None,
        effective_from=date(2024, 1, 1),
    )
    return tuple(rules.values())


def _text(value: object, blank: str) -> object:
    if value is None:
        return blank
    if isinstance(value, bool):
        return "是" if value else "否"
    return value


def _cells(file: Sent) -> Iterator[list[object]]:
    """The rows as cells; what stands in an empty one depends on nothing but its place."""
    for number, (month, code, name, values) in enumerate(file.rows):
        cells = [
            _text(values[c], BLANKS[(number + k) % len(BLANKS)])
            for k, (c, _, _) in enumerate(COLUMNS[file.dataset])
        ]
        yield [f"{month:%Y-%m}", code, name, *cells]


def write_csv(file: Sent, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(
            ["统计月份", "区划代码", "乡镇名称", *(title for _, title, _ in COLUMNS[file.dataset])]
        )
        writer.writerows(_cells(file))


def write_form(file: Sent, path: Path) -> None:
    """A workbook with a title and the day it was filled in: what decides between two files stands in the file."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(TITLES[file.dataset])
    day = file.filed_on
    assert day is not None
    sheet.append([f"{TITLES[file.dataset]}情况表{'（更正）' if file.correction else ''}"])
    sheet.append(
        [
            "填报单位：民政局",
            None,
            None,
            "单位：元" if file.dataset == "budget" else None,
            None,
            f"填表日期：{day.year}年{day.month}月{day.day}日",
        ]
    )
    sheet.append(["统计月份", "区划代码", "乡镇名称", *(title for _, title, _ in COLUMNS[file.dataset])])
    for row in _cells(file):
        sheet.append([float(c) if isinstance(c, Decimal) else None if c == "" else c for c in row])
    book.save(path)


@dataclass
class _Unit:
    """A township's whole story: under which codes it stands, and what is true of it month by month."""

    codes: list[Division]
    county: str
    rows: dict[tuple[str, date], Values]


def _sizes(
    chance: random.Random, edges: Sequence[int], months: Sequence[date], place: int
) -> dict[date, int]:
    """Populations; the months that decide a tier often stand at n−1, n, n+1 of an edge."""
    pool = [edge + step for edge in edges for step in (-1, 0, 1)]
    base = round(min(max(chance.lognormvariate(10.0, 0.7), 1_500), 110_000))
    if pool and place % 3:
        base = pool[place % len(pool)]
    sizes = {}
    for month in months:
        size = max(round(base * chance.uniform(0.97, 1.03)), 1_000)
        if pool and place % 3 and (month.month == 12 or month == months[0]):
            size = pool[(place + month.year) % len(pool)]
        sizes[month] = size
    return sizes


def _true_rows(
    chance: random.Random, edges: Sequence[int], months: Sequence[date], place: int
) -> dict[tuple[str, date], Values]:
    rows: dict[tuple[str, date], Values] = {}
    sizes = _sizes(chance, edges, months, place)
    amounts = [
        Decimal(67_200),
        Decimal("52802.64"),
        Decimal("131997.36"),
        Decimal(108_000),
        Decimal(40_000),
        Decimal(70_000),
        Decimal(100_000),
    ]
    year, initial, adjusted_from, adjusted, paid, spent = (
        0,
        Decimal(0),
        13,
        Decimal(0),
        Decimal(0),
        Decimal(0),
    )
    tells_cumulative = chance.random() < 0.7
    posts = (chance.choice([0, 1, 1, 2]), chance.choice([0, 1, 2, 2, 3]))
    staff = [chance.randint(0, 4), chance.randint(0, 2), chance.randint(0, 2)]
    villages = chance.randint(3, 30)
    for month in months:
        if month.year != year:
            year, paid, spent = month.year, Decimal(0), Decimal(0)
            initial = chance.choice(amounts)
            if chance.random() < 0.6:
                initial = Decimal(chance.randint(3_000_000, 15_000_000)).scaleb(-2)
            elif chance.random() < 0.3:
                initial += chance.choice([Decimal("0.01"), Decimal("-0.01")])
            adjusted_from = chance.choice([3, 7, 10, 13, 13])
            adjusted = (initial * Decimal(chance.choice(["0.9", "1.1", "1.25"]))).quantize(Decimal("0.01"))
        due = (initial * Decimal(chance.randint(3, 9)) / 100).quantize(Decimal("0.01"))
        due = chance.choice([due, due, Decimal(0)])
        used = (due * Decimal("0.9")).quantize(Decimal("0.01"))
        paid, spent = paid + due, spent + used
        size = sizes[month]
        rows["population", month] = {
            "households_count": size // 3,
            "population_persons": size,
            "births_persons": size // 900,
            "deaths_persons": size // 800,
            "moved_in_persons": size // 500,
            "moved_out_persons": size // 450,
            "resident_population_persons": size * 4 // 5,
        }
        rows["budget", month] = {
            "initial_budget_cny": initial,
            "adjusted_budget_cny": adjusted if month.month >= adjusted_from else None,
            "disbursed_month_cny": due,
            "disbursed_cumulative_cny": paid if tells_cumulative else None,
            "spent_month_cny": used,
            "spent_cumulative_cny": spent if tells_cumulative else None,
            "is_listed_separately": chance.random() < 0.9,
        }
        if chance.random() < 0.1:
            staff[chance.randrange(3)] = chance.randint(0, 4)
        rows["staffing", month] = {
            "administrative_posts": posts[0],
            "institution_posts": posts[1],
            "dedicated_staff_persons": staff[0],
            "welfare_posts_persons": staff[1],
            "purchased_service_persons": staff[2],
            "part_time_persons": 1,
            "villages_count": villages,
            "villages_with_assistant_count": villages - chance.choice([0, 0, 0, 1]),
        }
    return rows


def _blanked(chance: random.Random, dataset: str, values: Values, required: float, optional: float) -> Values:
    """The row with some cells left empty."""
    return {
        column: None if chance.random() < (required if is_required else optional) else values[column]
        for column, _, is_required in COLUMNS[dataset]
    }


def _corrected(chance: random.Random, dataset: str, values: Values) -> Values:
    """What a correction says instead: near the first figure, sometimes over an edge."""
    changed = dict(values)
    if dataset == "population":
        changed["population_persons"] = int(changed["population_persons"] or 0) + chance.choice(
            [-2, -1, 1, 2, 50]
        )
    elif dataset == "budget":
        factor = Decimal(chance.choice(["0.95", "1.05", "1.00"]))
        for column in ("initial_budget_cny", "adjusted_budget_cny", "disbursed_cumulative_cny"):
            if changed[column] is not None:
                changed[column] = (Decimal(changed[column]) * factor).quantize(Decimal("0.01"))
    else:
        changed["dedicated_staff_persons"] = chance.randint(0, 5)
    return changed


def world(
    seed: int,
    *,
    per_county: int = 300,
    first: date = date(2023, 11, 1),
    months: int = 17,
    dated: bool = False,
    standards: tuple[Standard, ...] = POLICY,
) -> World:
    """A world of `per_county` townships in each of ten counties.

    With `dated`, every file is a workbook that says when it was filled in, half of the files come in a second
    batch, and their names say nothing; otherwise CSV files in one batch, the corrections known by their names.
    """
    chance = random.Random(seed)
    span = [first]
    while len(span) < months:
        span.append(month_after(span[-1]))
    divisions, units, stray = _settle(chance, span, per_county)
    names = {d.code: d.name for d in divisions}

    files: list[Sent] = []
    if dated:
        for dataset in COLUMNS:
            for day in range(6):
                # Both kinds in both batches: arrival must decide nothing where the files themselves say it.
                files.append(
                    Sent(
                        "",
                        dataset,
                        [],
                        correction=day >= 4,
                        filed_on=date(2025, 5, 1) + timedelta(days=(7 * day) % 40),
                        batch=day % 2,
                    )
                )
        chance.shuffle(files)
        for number, file in enumerate(files):
            file.name = f"{number:02}.xlsx"
    else:
        for dataset, title in TITLES.items():
            files += [Sent(f"{title}{year}年.csv", dataset) for year in sorted({m.year for m in span})]
            files.append(Sent(f"重报{title}.csv", dataset))
            files += [Sent(f"更正{n}{title}.csv", dataset, correction=True) for n in (2, 1)]

    def originals(dataset: str, month: date) -> list[Sent]:
        if dated:
            return [f for f in files if f.dataset == dataset and not f.correction]
        return [f for f in files if f.name == f"{TITLES[dataset]}{month.year}年.csv"]

    def afterwards(dataset: str) -> list[Sent]:
        return [
            f for f in files if f.dataset == dataset and (dated or not f.name.startswith(TITLES[dataset]))
        ]

    for unit in units:
        silent = chance.random() < 0.02
        no_december = chance.random() < 0.1
        first_month = chance.choice([span[0]] * 8 + [span[2], date(2025, 1, 1) if dated else span[5]])
        for (dataset, month), values in unit.rows.items():
            standing = next((d for d in unit.codes if d.stands_on(last_day(month))), None)
            if silent or standing is None or month < first_month or chance.random() < 0.06:
                continue
            if dataset == "population" and month.month == 12 and no_december:
                continue
            told = standing
            if len(unit.codes) > 1 and chance.random() < 0.15:
                told = chance.choice(
                    unit.codes
                )  # the old code after the change, or the new one for old months
            row = _blanked(chance, dataset, values, 0.03, 0.08)
            if all(v is None for v in row.values()):
                continue
            home = chance.choice(originals(dataset, month))
            home.rows.append((month, told.code, names[told.code], row))
            later = [f for f in afterwards(dataset) if f is not home]
            for file in chance.sample(later, k=chance.choice([0] * 17 + [1, 1, 2])):
                changed = _blanked(chance, dataset, _corrected(chance, dataset, values), 0.0, 0.08)
                file.rows.append((month, told.code, names[told.code], changed))
    for dataset, month, code, values in stray:
        chance.choice(originals(dataset, month)).rows.append((month, code, names[code], values))
    for file in files:
        chance.shuffle(file.rows)
    return World(divisions, [f for f in files if f.rows], standards)


def _settle(
    chance: random.Random, span: Sequence[date], per_county: int
) -> tuple[list[Division], list[_Unit], list[tuple[str, date, str, Values]]]:
    """The map: units that stay, are renamed (once or twice), merged into another or into a new one, or split."""
    divisions: list[Division] = []
    units: list[_Unit] = []
    stray: list[tuple[str, date, str, Values]] = []
    for county, _ in COUNTIES:
        for code in (county[:2] + "0000", county[:4] + "00", county):
            if all(d.code != code for d in divisions):
                divisions.append(Division(code, f"模拟{code}", "县" if code == county else "省"))

    for county, edges in COUNTIES:
        free = iter(range(1, 400))

        def code_of(number: int, county: str = county) -> str:
            return f"{county}{number:03}"

        def kind_of(number: int) -> str:
            return (
                "街道"
                if number < 100
                else "镇"
                if number < 200
                else chance.choice(["乡", "乡", "民族乡", "苏木"])
            )

        def new(
            free: Iterator[int] = free,
            code_of: Callable[[int], str] = code_of,
            kind_of: Callable[[int], str] = kind_of,
            **more: Any,
        ) -> Division:
            number = next(free)
            kind = kind_of(number)
            return Division(code_of(number), f"模拟{code_of(number)[2:]}{kind}", kind, **more)

        for place in range(per_county):
            rows = _true_rows(chance, edges, span, place)
            fate = chance.random()
            # A change on the first of a month or within one, never in the first or last month.
            month = chance.choice(span[1:-1])
            day = month + timedelta(days=chance.choice([0, 0, 9, 14]))
            if fate < 0.04:
                young = new(begins=day)
                old = new(ends=day, successors=(young.code,))
                codes = [old, young]
                if chance.random() < 0.3 and day < span[-3]:
                    again = day + timedelta(days=40)
                    newest = new(begins=again)
                    codes[1] = Division(young.code, young.name, young.kind, day, again, (newest.code,))
                    codes.append(newest)
                divisions += codes
                units.append(_Unit(codes, county, rows))
            elif fate < 0.06 and units and units[-1].county == county and len(units[-1].codes) == 1:
                # Into a unit that stood there before: that unit keeps its own history only.
                absorbing = units[-1].codes[0]
                if absorbing.begins is not None or absorbing.ends is not None:
                    continue
                gone = new(ends=day, successors=(absorbing.code,))
                divisions.append(gone)
                units.append(_Unit([gone], county, rows))
                if last_day(month_after(month)) <= last_day(span[-1]):
                    late = month_after(month)
                    stray.append(("population", late, gone.code, rows["population", late]))
            elif fate < 0.075:
                # Two become a new one: it has no history of its own.
                young = new(begins=day)
                for _ in range(2):
                    old = new(ends=day, successors=(young.code,))
                    divisions.append(old)
                    units.append(_Unit([old], county, _true_rows(chance, edges, span, place)))
                divisions.append(young)
                units.append(_Unit([young], county, rows))
                stray.append(("population", span[0], young.code, rows["population", span[0]]))
            elif fate < 0.085:
                halves = [new(begins=day) for _ in range(2)]
                old = new(ends=day, successors=tuple(h.code for h in halves))
                divisions += [old, *halves]
                units.append(_Unit([old], county, rows))
                units += [_Unit([h], county, _true_rows(chance, edges, span, place)) for h in halves]
            elif fate < 0.12:
                number = 400 + place % 600
                other = Division(
                    code_of(number), f"模拟{code_of(number)[2:]}农场", chance.choice(["农场", "开发区"])
                )
                if all(d.code != other.code for d in divisions):
                    divisions.append(other)
                    units.append(_Unit([other], county, rows))
            else:
                plain = new()
                divisions.append(plain)
                units.append(_Unit([plain], county, rows))
    return divisions, units, stray
