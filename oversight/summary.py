"""What a finished run tells the analyst: a few lines in Chinese about the edition that now stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oversight.editions.edition import Edition, open_edition
from oversight.editions.keys import is_guarded
from oversight.editions.seal import is_signed
from oversight.metrics import METRICS
from oversight.settings import DataFolder

if TYPE_CHECKING:
    import duckdb

_NAMES_SHOWN = 5
_RULES_SHOWN = 8
_SOON_MONTHS = 3
_SAID = ("short_count", "allocation_shortfall_of_judged_cny", "disbursement_shortfall_of_compared_cny")


def summary(folder: DataFolder, edition: Edition) -> list[str]:
    """Edition, townships and months, not reported, short by rule, the sum of the gaps, refused files, where next."""
    lines = [f"新版本 {edition.edition_id}"]
    with open_edition(folder, edition.edition_id) as connection:
        lines.append(f"  乡镇    {edition.row_count('main.townships')} 个，{_months(edition)}")
        if edition.months:
            last = edition.months[1]
            lines += _not_reported(connection, last)
            lines += _short(connection, last)
            lines += to_be_confirmed(connection, last)
        lines += _files(connection)
    lines += ["", f"数据库    {edition.warehouse}"]
    lines.append(signature_line(folder, edition))
    docs = edition.path / "data_docs" / "index.html"
    if docs.is_file():
        lines.append(f"核对详情  {docs}")
    lines.append(
        f"判定明细  表 findings、funding_gap_monthly、staffing_gap_monthly；运行记录在 {folder.dagster_home}"
    )
    return lines


def signature_line(folder: DataFolder, edition: Edition) -> str:
    """By which key the edition is signed, and whether that key is guarded."""
    if not is_signed(edition.path):
        return "签名      未签名"
    open_to_all = "" if is_guarded(folder) else f"；私钥 {folder.keys} 可被他人读取，请执行 chmod 600"
    return f"签名      已签名，密钥 {edition.manifest['signed_by']}{open_to_all}"


def _months(edition: Edition) -> str:
    if edition.months is None:
        return "还没有任何月份的数据"
    first, last = edition.months
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return f"{first:%Y-%m} 至 {last:%Y-%m}，共 {count} 个月"


def _not_reported(connection: duckdb.DuckDBPyConnection, last: Any) -> list[str]:
    names = [
        row[0]
        for row in connection.execute(
            "select township_name from funding_gap_monthly "
            "where month = ? and status = 'not_reported' order by township_code",
            [last],
        ).fetchall()
    ]
    shown = "、".join(names[:_NAMES_SHOWN]) + ("等" if len(names) > _NAMES_SHOWN else "")
    return [f"  未报送  {len(names)} 个乡镇人口或预算不全（{last:%Y-%m}）" + (f"：{shown}" if names else "")]


def _short(connection: duckdb.DuckDBPyConnection, last: Any) -> list[str]:
    country = _dictionary(
        connection, "select * from detail.unit_monthly where unit_level = 'country' and month = ?", last
    )
    told = {key: METRICS[key].text(country, named=True) for key in _SAID}
    rules = connection.execute(
        "select r.rule_id, coalesce(s.title_zh, ''), r.short_count from detail.unit_rules_monthly as r "
        "left join standards as s on s.standard_id = r.rule_id "
        "where r.unit_level = 'country' and r.short_count > 0 "
        "and r.month = (select max(month) from detail.unit_rules_monthly where month <= ?) order by 3 desc, 1",
        [last],
    ).fetchall()
    lines = [
        f"  经费缺口 {METRICS[_SAID[0]].title} {told[_SAID[0]]}，{METRICS[_SAID[1]].title} {told[_SAID[1]]}；"
        f"{METRICS[_SAID[2]].title} {told[_SAID[2]]}（{last:%Y}年度，截至 {last:%Y-%m}）"
    ]
    lines += [f"  不达标  {rule} {title}：{count} 个" for rule, title, count in rules[:_RULES_SHOWN]]
    if len(rules) > _RULES_SHOWN:
        lines.append(f"          另有 {len(rules) - _RULES_SHOWN} 项规则有单位不达标，见表 findings")
    return lines


def to_be_confirmed(connection: duckdb.DuckDBPyConnection, last: Any) -> list[str]:
    """Standards that nobody has confirmed for too long, or soon: what to do, before findings turn unconfirmed."""
    rows = connection.execute(
        "with until as (select standard_id, cast(coalesce(last_confirmed_on, recorded_on) "
        "+ to_months(confirm_within_months) as date) as day from standards "
        "where gradeable <> 'N' and confirm_within_months is not null "
        "and (effective_to is null or effective_to >= ?)) "
        "select day < last_day(cast(? as date)) as is_stale, standard_id from until "
        "where day < last_day(cast(? as date) + to_months(?)) order by 2",
        [last, last, last, _SOON_MONTHS],
    ).fetchall()
    lines = []
    for is_stale, said in (
        (True, "已超过确认期限，其不达标改记“依据待确认”"),
        (False, f"将在 {_SOON_MONTHS} 个月内到确认期限"),
    ):
        names = [name for stale, name in rows if stale == is_stale]
        if names:
            shown = "、".join(names[:_NAMES_SHOWN]) + ("等" if len(names) > _NAMES_SHOWN else "")
            lines.append(f"  依据    {len(names)} 项标准{said}：{shown}")
    if lines:
        lines.append(
            "          核实仍有效的，写入数据目录 standards/confirmations.csv（标准编号、确认日期、确认人），再运行"
        )
    return lines


def _files(connection: duckdb.DuckDBPyConnection) -> list[str]:
    total, refused = _row(
        connection, "select count(*), count(*) filter (where status = 'refused') from submissions"
    )
    held, rejected = _row(
        connection, "select coalesce(sum(rows_held), 0), coalesce(sum(rows_rejected), 0) from submissions"
    )
    lines = [f"  文件    {total} 份，其中拒收 {refused} 份；待确认 {held} 行，拒收 {rejected} 行"]
    found = connection.execute(
        "select file_name, message_zh, what_to_do_zh from submissions where status = 'refused' order by 1"
    ).fetchall()
    lines += [f"          拒收 {name}：{why}{what_to_do}" for name, why, what_to_do in found[:_NAMES_SHOWN]]
    if len(found) > _NAMES_SHOWN:
        lines.append(f"          另有 {len(found) - _NAMES_SHOWN} 份拒收，原因和处理办法见表 submissions")
    return lines


def _dictionary(connection: duckdb.DuckDBPyConnection, query: str, *parameters: Any) -> dict[str, Any] | None:
    cursor = connection.execute(query, list(parameters))
    names = [item[0] for item in cursor.description or ()]
    row = cursor.fetchone()
    return dict(zip(names, row, strict=True)) if row else None


def _row(connection: duckdb.DuckDBPyConnection, query: str, *parameters: Any) -> tuple[Any, ...]:
    row = connection.execute(query, list(parameters)).fetchone()
    assert row is not None
    return tuple(row)
