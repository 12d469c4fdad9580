"""The suites that Great Expectations judges a month by, made from contracts and standards, in its own JSON.

They stand in gx/expectations/, one file a table, on the columns of the published tables; whoever knows Great Expectations
reads and changes them there. `oversight quality suites` writes what contracts and standards say anew and leaves alone
what people added. Operands are compared, amounts, counts and bounds; never a status column, which is what is to be proved.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from oversight.contracts import DATASETS
from oversight.quality.rules import DIRECT_FORMULAS, STAFF_FORMULAS, Rules
from oversight.quality.suites import REPORT_FAULT, Kind, Severity
from oversight.settings import PROJECT_ROOT

GX_ROOT = PROJECT_ROOT / "gx"
SUPERVISE = "列入督查清单，按依据条款督促整改，并在下月核对。"
ASK_SENDER = "请报送单位核对原表；有误的报更正件，无误的在备注中说明原因。"

# Table → title, and the columns that tell its rows apart.
TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "funding_gap_monthly": ("经费缺口", ("township_code", "month")),
    "staffing_gap_monthly": ("人员缺口", ("township_code", "month", "standard_id")),
    "judgements": ("标准判断", ("rule_id", "subject_code", "month")),
}
FUNDING_FORMULAS = ("per_capita_by_tier", "per_capita_marginal", "flat_by_tier")
# Never below zero, whatever was reported: they are made so.
_NOT_NEGATIVE = {
    "funding_gap_monthly": (
        "population_persons",
        "guaranteed_annual_cny",
        "guaranteed_ytd_cny",
        "guaranteed_least_annual_cny",
        "allocation_shortfall_cny",
        "allocation_surplus_cny",
        "disbursement_shortfall_ytd_cny",
    ),
    "staffing_gap_monthly": (
        "counted_persons",
        "required_min_persons",
        "shortfall_persons",
        "excess_persons",
    ),
    "judgements": ("shortfall",),
}
# Column of a table → dataset and column of the contract whose bounds it keeps.
_REPORTED = {
    "population_persons": ("population", "population_persons"),
    "allocated_annual_cny": ("budget", "adjusted_budget_cny"),
    "disbursed_ytd_cny": ("budget", "disbursed_cumulative_cny"),
    "spent_ytd_cny": ("budget", "spent_cumulative_cny"),
}
# GX knows critical, warning and info; the seriousness of a standard is said in the same words.
_SEVERITY: dict[str, Severity] = {"high": "critical", "medium": "warning", "low": "info"}

Suite = dict[str, Any]
Expectation = dict[str, Any]


def made(rules: Rules) -> dict[str, Suite]:
    """The suites of these standards, by table."""
    return {table: _suite(table, [*_sound(table), *_short(table, rules)]) for table in TABLES}


def stored(root: Path = GX_ROOT) -> dict[str, Suite]:
    """The suites as they stand in the context's folder, by name."""
    return {
        path.stem: json.loads(path.read_text("utf-8"))
        for path in sorted((root / "expectations").glob("*.json"))
    }


def write(suites: Mapping[str, Suite], root: Path = GX_ROOT) -> None:
    """Write suites into a context's folder."""
    (root / "expectations").mkdir(parents=True, exist_ok=True)
    for name, suite in suites.items():
        text = json.dumps(suite, ensure_ascii=False, indent=2, sort_keys=True)
        (root / "expectations" / f"{name}.json").write_text(text + "\n", "utf-8")


def renewed(of_files: Mapping[str, Suite], rules: Rules) -> dict[str, Suite]:
    """The suites of the files with what contracts and standards say made anew; what people added stays."""
    fresh = made(rules)
    return {
        **of_files,
        **{
            table: {**suite, "expectations": [*suite["expectations"], *_added(of_files.get(table))]}
            for table, suite in fresh.items()
        },
    }


def of_run(of_files: Mapping[str, Suite], rules: Rules) -> dict[str, Suite]:
    """The suites of the files with the bureau's own standards of this run in place of the project's.

    What the run's standards say as the project's do stays as the file has it, changed or taken out by whom it may be. A
    file that was made from other contracts and standards than the project's of today is made anew."""
    project, run = made(Rules.of_project()), made(rules)
    suites = dict(of_files)
    for table in TABLES:
        file = of_files.get(table)
        if file is None or (file.get("meta") or {}).get("made_from") != project[table]["meta"]["made_from"]:
            suites[table] = {**run[table], "expectations": [*run[table]["expectations"], *_added(file)]}
            continue
        base, own = _by_id(project[table]), _by_id(run[table])
        changed = {key for key in base.keys() | own.keys() if base.get(key) != own.get(key)}
        kept = [each for each in file["expectations"] if each.get("id") not in changed]
        suites[table] = {**file, "expectations": kept + [each for key, each in own.items() if key in changed]}
    return suites


def asked(suites: Mapping[str, Suite], rules: Rules) -> frozenset[str]:
    """The standards that the suite over judgements asks just as contracts and standards have it: those for which what it
    flags is to be what the build calls short."""
    fresh = _by_id(made(rules)["judgements"])
    return frozenset(
        rule
        for each in suites["judgements"]["expectations"]
        if is_made(each) and each == fresh.get(each["id"])
        for rule in each["meta"]["oversight"].get("rules", ())
    )


def is_made(expectation: Expectation) -> bool:
    """Whether an expectation was made from contracts and standards, and not added by somebody."""
    return "oversight" in (expectation.get("meta") or {})


def _by_id(suite: Suite) -> dict[str, Expectation]:
    return {each["id"]: each for each in suite["expectations"]}


def _added(suite: Suite | None) -> list[Expectation]:
    return [each for each in (suite or {"expectations": []})["expectations"] if not is_made(each)]


def _suite(table: str, expectations: list[Expectation]) -> Suite:
    title, _ = TABLES[table]
    content = json.dumps(expectations, ensure_ascii=False, sort_keys=True).encode()
    return {
        "name": table,
        "id": _id(table),
        "expectations": expectations,
        "meta": {"title_zh": f"{title}（当月）", "made_from": hashlib.sha256(content).hexdigest()[:16]},
        "notes": f"{title}表当月各行。由数据约定和标准生成（oversight quality suites）；可以增添，增添的不会被覆盖。",
    }


def _id(*names: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "oversight:" + "/".join(names)))


def _expectation(
    table: str,
    name: str,
    kind: Kind,
    severity: Severity,
    texts: tuple[str, str, str, str],
    type_: str,
    kwargs: dict[str, Any],
) -> Expectation:
    title, what, why, to_do = texts
    return {
        "id": _id(table, name),
        "type": type_,
        "kwargs": kwargs,
        "severity": severity,
        "description": title,
        "notes": [f"查什么：{what}", f"为什么：{why}", f"怎么办：{to_do}"],
        "meta": {
            "oversight": {
                "name": name,
                "kind": kind,
                "title_zh": title,
                "what_zh": what,
                "why_zh": why,
                "what_to_do_zh": to_do,
            }
        },
    }


def _fault(table: str, name: str, title: str, what: str, why: str, type_: str, **kwargs: Any) -> Expectation:
    return _expectation(table, name, "blocking", "critical", (title, what, why, REPORT_FAULT), type_, kwargs)


def _sound(table: str) -> list[Expectation]:
    """What no build may contradict, and what a report may be asked about."""
    title, key = TABLES[table]
    made_of = [
        _fault(
            table,
            "one_row_each",
            f"{title}：每行只有一次",
            f"{'、'.join(key)} 相同的行只有一行。",
            "重复的行会使合计翻倍。",
            "expect_compound_columns_to_be_unique",
            column_list=list(key),
        )
    ]
    made_of += [
        _fault(
            table,
            f"{column}_given",
            f"{column}：每行都有",
            f"每一行的 {column} 都不为空。",
            "没有它就不知道这一行说的是谁、哪一个月。",
            "expect_column_values_to_not_be_null",
            column=column,
        )
        for column in key
        if column != "standard_id"
    ]
    made_of += [
        _fault(
            table,
            f"{column}_not_negative",
            f"{column}：不小于 0",
            f"{column} 有数的，都不小于 0。",
            "这一列的算法不会得出负数。",
            "expect_column_values_to_be_between",
            column=column,
            min_value=0,
        )
        for column in _NOT_NEGATIVE[table]
    ]
    if table == "funding_gap_monthly":
        for high, low in (
            ("guaranteed_annual_cny", "guaranteed_ytd_cny"),
            ("guaranteed_annual_cny", "guaranteed_least_annual_cny"),
        ):
            made_of.append(
                _fault(
                    table,
                    f"{high}_covers_{low}",
                    f"{high} 不小于 {low}",
                    f"两列都有数的，{high} 不小于 {low}。",
                    "序时数、最低数都不会超过全年数。",
                    "expect_column_pair_values_a_to_be_greater_than_b",
                    column_A=high,
                    column_B=low,
                    or_equal=True,
                    ignore_row_if="either_value_is_missing",
                )
            )
        made_of += [_plausible(table, column) for column in _REPORTED]
    return made_of


def _plausible(table: str, column: str) -> Expectation:
    dataset, of_contract = _REPORTED[column]
    contract = DATASETS[dataset].columns[of_contract]
    top = contract.plausible_max
    assert top is not None
    texts = (
        f"{column}：在合理范围内",
        f"“{contract.title_zh}”不大于 {int(top):,}{contract.unit or ''}。",
        "界限取自报表约定，上限在全国乡镇实际数值之上留足余地；超过的多半是单位弄错或串了列。",
        ASK_SENDER,
    )
    kwargs: dict[str, Any] = {"column": column, "max_value": int(top)}
    return _expectation(
        table, f"{column}_plausible", "doubt", "warning", texts, "expect_column_values_to_be_between", kwargs
    )


def _short(table: str, rules: Rules) -> list[Expectation]:
    """Who falls short, by the figures: for judgements an expectation for the standards of a document that ask the same
    months, for the other tables one a standard. Each costs Great Expectations 50 ms, whatever it looks at."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for standard in rules.judged():
        formula, is_pair = standard["formula"], standard["formula"] in DIRECT_FORMULAS
        if table == "judgements":
            groups.setdefault((standard["document_id"], is_pair, *_months(standard)), []).append(standard)
        elif (table == "staffing_gap_monthly" and formula in STAFF_FORMULAS) or (
            table == "funding_gap_monthly" and formula in FUNDING_FORMULAS
        ):
            groups[standard["standard_id"], is_pair, *_months(standard)] = [standard]
    return [
        _reached(table, name, is_pair, first, end, standards)
        for (name, is_pair, first, end), standards in groups.items()
    ]


# Table → column of the standard, of what is missing, and the two that are compared where that decides.
_COMPARED = {
    "funding_gap_monthly": ("standard_id", "allocation_shortfall_cny", ("", "")),
    "staffing_gap_monthly": (
        "standard_id",
        "shortfall_persons",
        ("counted_persons", "required_min_persons"),
    ),
    "judgements": ("rule_id", "shortfall", ("value_checked", "value_expected")),
}


def _reached(
    table: str,
    name: str,
    is_pair: bool,
    first: date | None,
    end: date | None,
    standards: list[dict[str, Any]],
) -> Expectation:
    rule, missing, pair = _COMPARED[table]
    ids = [standard["standard_id"] for standard in standards]
    # From the deadline on, and until the standard has to be confirmed again; of two figures only where the gap is known.
    conditions = [f"{rule} in {json.dumps(ids)}"]
    if is_pair:
        conditions.append(f"{missing}.notnull()")
    if first is not None:
        conditions.append(f'month >= "{first}"')
    if end is not None:
        conditions.append(f'month < "{end}"')
    where = {"row_condition": " and ".join(conditions), "condition_parser": "pandas"}
    title = (
        f"《{standards[0]['document_title']}》{len(ids)} 项标准"
        if table == "judgements"
        else f"{ids[0]} {standards[0]['title_zh']}"
    )
    texts = (
        f"{title}：{'实际数不低于应有数' if is_pair else '没有缺口'}",
        f"{pair[0]} 不小于 {pair[1]}。" if is_pair else f"{missing} 为 0。",
        "；".join(
            f"{each['standard_id']} {each['title_zh']}（《{each['document_title']}》{each['clause'] or ''}）"
            for each in standards
        ),
        SUPERVISE,
    )
    levels = {_SEVERITY.get(str(each["severity"]), "warning") for each in standards}
    severity: Severity = next(level for level in _SEVERITY.values() if level in levels)
    called = "-".join(
        str(part)
        for part in (
            "reached" if is_pair else "nothing_missing",
            name,
            first and f"from_{first}",
            end and f"before_{end}",
        )
        if part
    )
    if is_pair:
        kwargs: dict[str, Any] = {
            "column_A": pair[0],
            "column_B": pair[1],
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
        }
        type_ = "expect_column_pair_values_a_to_be_greater_than_b"
    else:
        kwargs = {"column": missing, "max_value": 0}
        type_ = "expect_column_values_to_be_between"
    expectation = _expectation(table, called, "short", severity, texts, type_, {**kwargs, **where})
    expectation["meta"]["oversight"]["rules"] = ids
    return expectation


def _months(standard: Mapping[str, Any]) -> tuple[date | None, date | None]:
    """The first month that a standard asks, and the first that it asks no more until it is confirmed again."""
    deadline, until = standard["deadline"], standard["confirmed_until"]
    # Asked in a month whose last day is not before the deadline.
    return (_first(deadline) if deadline else None, _first_not_confirmed(until) if until else None)


def _first(day: date) -> date:
    return day.replace(day=1)


def _first_not_confirmed(until: date) -> date:
    """The first month whose last day lies after the day until which a standard is confirmed."""
    following = date(until.year + until.month // 12, until.month % 12 + 1, 1)
    is_last_day = (following - until).days == 1
    return following if is_last_day else _first(until)
