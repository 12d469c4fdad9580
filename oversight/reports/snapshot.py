"""What a paper said, kept beside it as plain data, and how what is said now differs from it and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oversight import presentation
from oversight.reports import store
from oversight.reports.document import Value
from oversight.reports.facts import Facts, Row
from oversight.reports.paper import Changes
from oversight.reports.report_tables import KIND_ZH
from oversight.reports.store import Version
from oversight.settings import DataFolder

_TOTALS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "judged": ("可判定单位（个）", presentation.count),
    "met": ("达标单位（个）", presentation.count),
    "not_reported": ("未报送单位（个）", presentation.count),
    "guaranteed": ("应保障（元）", lambda value: presentation.money(value, "yuan")),
    "allocated": ("年度安排（元）", lambda value: presentation.money(value, "yuan")),
    "gap": ("安排缺口（元）", lambda value: presentation.money(value, "yuan")),
    "paid": ("累计拨付（元）", lambda value: presentation.money(value, "yuan")),
    "spent": ("累计支出（元）", lambda value: presentation.money(value, "yuan")),
}
_UNIT = {
    "population_persons": "定档人口（人）",
    "tier_label": "档次",
    "guaranteed_annual_cny": "应保障（元）",
    "allocated_annual_cny": "年度安排（元）",
    "disbursed_ytd_cny": "累计拨付（元）",
    "spent_ytd_cny": "累计支出（元）",
    "status": "经费状态",
}
_STAFF = {"counted_persons": "计入人数", "required_min_persons": "最低人数", "status": "状态"}


def snapshot(facts: Facts) -> Row:
    """The paper's figures as text, by subject and item, with the files they come from."""
    figures: dict[str, Row] = {}

    def put(subject: str, name: str, item: str, title: str, text: str, code: str = "") -> None:
        figures[f"{subject}/{item}"] = {"name": name, "title": title, "text": text, "code": code}

    for item, (title, told) in _TOTALS.items():
        put("", facts.scope.whole + "合计", item, title, told(getattr(facts.totals, item)))
    for row in facts.units:
        for item, title in _UNIT.items():
            text = _text(item, row[item])
            put(row["township_code"], row["township_name"], item, title, text, row["township_code"])
    for row in facts.staffing_rows:
        for item, title in _STAFF.items():
            told_title = f"{row['standard_id']} {title}"
            text = _text(item, row[item])
            key = f"{row['standard_id']}/{item}"
            put(row["township_code"], row["township_name"], key, told_title, text, row["township_code"])
    for row in facts.findings:
        title = f"问题：{row['rule_id']} {row['title_zh']}"
        text = KIND_ZH[row["kind"]]
        if row["kind"] != "cleared":
            text += "，" + presentation.status_label(row["status"])
        put(row["finding_id"], row["subject_name"], "finding", title, text, row["subject_code"])
    edition = facts.edition
    return {
        "edition_id": str(edition["edition_id"]),
        "standards_fingerprint": str(edition["standards_fingerprint"]),
        "code_version": str(edition["code_version"]),
        "figures": figures,
        "sources": facts.sources,
    }


def _text(item: str, value: Any) -> str:
    if item.endswith("_cny"):
        return presentation.money(value, "yuan")
    return presentation.cell(item, value)


def compare(before: Row, after: Row, number: int) -> Changes:
    """How what is said now differs from version `number`, figure by figure, each with its reason."""
    general = _general(before, after)
    rows: list[tuple[Value, ...]] = []
    old, new = before["figures"], after["figures"]
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was and now and was["text"] == now["text"]:
            continue
        told = now or was
        absent = presentation.NONE
        why = _why(told["code"], before, after) or "；".join(general) or "行政区划或其他月份的数据有变化"
        if not told["code"]:
            why = "各单位变化之和"
        rows.append(
            (told["name"], told["title"], was["text"] if was else absent, now["text"] if now else absent, why)
        )
    return Changes(number, (*_files(before, after), *general), tuple(rows))


def differences(folder: DataFolder, version: Version) -> Changes | None:
    """How a correction, or its draft, differs from the paper it corrects and why; None for any other paper.

    `reasons` are sentences; each of `rows` is 单位, 项目, 原为, 更正为, 原因, all text.
    """
    standing = store.versions(folder, version.month, version.scope_code)
    earlier = next((item for item in standing if item.number == version.manifest["corrects"]), None)
    if earlier is None:
        return None
    return compare(store.read_snapshot(earlier), store.read_snapshot(version), earlier.number)


def _general(before: Row, after: Row) -> list[str]:
    words = {
        "standards_fingerprint": "标准有更新",
        "code_version": "程序版本有更新",
    }
    return [text for name, text in words.items() if before[name] != after[name]]


def _files(before: Row, after: Row) -> list[str]:
    def all_of(side: Row) -> dict[str, str]:
        return {sha: name for files in side["sources"].values() for sha, name in files.items()}

    was, now = all_of(before), all_of(after)
    return [f"新采用文件“{now[sha]}”" for sha in sorted(now.keys() - was.keys(), key=now.__getitem__)] + [
        f"不再采用文件“{was[sha]}”" for sha in sorted(was.keys() - now.keys(), key=was.__getitem__)
    ]


def _why(code: str, before: Row, after: Row) -> str:
    was, now = before["sources"].get(code, {}), after["sources"].get(code, {})
    added = [name for sha, name in sorted(now.items()) if sha not in was]
    gone = [name for sha, name in sorted(was.items()) if sha not in now]
    parts = []
    if added:
        parts.append("新采用文件“" + "”“".join(added) + "”")
    if gone:
        parts.append("不再采用文件“" + "”“".join(gone) + "”")
    return "；".join(parts)
