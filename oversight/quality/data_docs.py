"""Browsable pages of what the suites found: static, offline, in Chinese.

They lead from a flagged row to the sender's file, sheet and row, and to Great Expectations' own Data Docs of what it judged,
whose index needs scripts from outside.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl

from oversight.quality.suites import (
    KEYS_SHOWN,
    KIND_EXPLAINED_ZH,
    KIND_ZH,
    KINDS,
    SEVERITY_ZH,
    ExpectationResult,
    SuiteResult,
)

# From DATA/marts/editions/<edition>/data_docs/ to DATA/raw/, which is where the pages end up.
RAW_FROM_PAGES = "../../../../raw/"

_STYLE = """
:root{--bg:#f5f6f8;--card:#fff;--ink:#1d2530;--soft:#5c6776;--line:#e2e6ec;--head:#f0f3f7;--link:#1c5fb8;
--ok:#1a7f4b;--ok-bg:#e5f4eb;--blocking:#b3261e;--blocking-bg:#fbe9e7;--doubt:#8a5a00;--doubt-bg:#fdf1d8;
--short:#7a2e8e;--short-bg:#f5e8f8}
@media (prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2028;--ink:#e4e9f0;--soft:#9aa6b5;--line:#2c3541;
--head:#212934;--link:#7db4ff;--ok:#6fd39b;--ok-bg:#17352a;--blocking:#ff9c93;--blocking-bg:#45211f;--doubt:#f1c163;
--doubt-bg:#3d3018;--short:#dca2ee;--short-bg:#382340}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);line-height:1.65;font-size:15px;
font-family:"Noto Sans SC","Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei","PingFang SC",sans-serif}
main{max-width:1180px;margin:0 auto;padding:28px 24px 64px}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
h1{font-size:26px;margin:4px 0 6px}h2{font-size:19px;margin:34px 0 12px}h3{font-size:16px;margin:0}
.lead,.note,.path{color:var(--soft)}.lead{margin:0 0 22px}.path{font-size:14px}.note{font-size:13px;margin:8px 0 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(215px,1fr));gap:14px}
.tile{background:var(--card);border:1px solid var(--line);border-top:4px solid var(--line);border-radius:10px;
padding:14px 18px}.tile b{display:block;font-size:32px;line-height:1.25;font-variant-numeric:tabular-nums}
.tile span{font-weight:600}.tile p{margin:6px 0 0;color:var(--soft);font-size:13px}
.tile.blocking{border-top-color:var(--blocking)}.tile.doubt{border-top-color:var(--doubt)}
.tile.short{border-top-color:var(--short)}.tile.ok{border-top-color:var(--ok)}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}
.card+.card{margin-top:14px}.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:14px}
th{background:var(--head);text-align:left;font-weight:600;color:var(--soft);white-space:nowrap}
th,td{padding:9px 14px;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.w{white-space:nowrap}td.zero{color:var(--soft)}
.chip{display:inline-block;padding:1px 10px;border-radius:999px;font-size:13px;font-weight:600;white-space:nowrap}
.chip.ok{color:var(--ok);background:var(--ok-bg)}.chip.blocking{color:var(--blocking);background:var(--blocking-bg)}
.chip.doubt{color:var(--doubt);background:var(--doubt-bg)}.chip.short{color:var(--short);background:var(--short-bg)}
.chip.none{color:var(--soft);background:var(--head)}
.about{padding:14px 18px}.top{display:flex;gap:12px;align-items:baseline;flex-wrap:wrap}
.top .counts{margin-left:auto;color:var(--soft);font-size:14px;font-variant-numeric:tabular-nums}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:10px 0 0;font-size:14px}
dt{color:var(--soft)}dd{margin:0}
details>summary{cursor:pointer;padding:10px 18px;border-top:1px solid var(--line);color:var(--link);font-size:14px}
@media (max-width:640px){main{padding:18px 12px 48px}th,td{padding:8px 10px}.top .counts{margin-left:0;width:100%}}
@media print{:root{--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--head:#eee}body{font-size:11pt}
main{max-width:none;padding:0}.tile,.about{break-inside:avoid}h2{break-after:avoid}details .scroll{overflow:visible}
a{color:inherit}tr{break-inside:avoid}thead{display:table-header-group}}
"""

# A closed list of flagged rows would be missing from the printed page.
_OPEN_FOR_PRINT = (
    "addEventListener('beforeprint',()=>document.querySelectorAll('details').forEach(d=>d.open=true))"
)


def write_data_docs(results: list[SuiteResult], inputs_dir: Path, out_dir: Path) -> None:
    """Write index.html and a page for each suite; pages of an earlier run are replaced."""
    out_dir.mkdir(parents=True, exist_ok=True)
    files = _files(inputs_dir)
    edition = _edition(inputs_dir)
    (out_dir / "index.html").write_text(_index(results, edition), encoding="utf-8")
    for result in results:
        (out_dir / f"{result.suite}.html").write_text(_suite(result, files, edition), encoding="utf-8")


def _files(inputs_dir: Path) -> dict[str, str]:
    rows = pl.read_parquet(inputs_dir / "submissions.parquet", columns=["submission_id", "file_name"])
    return dict(rows.iter_rows())


def _edition(inputs_dir: Path) -> str:
    path = inputs_dir / "edition.parquet"
    if not path.exists():
        return ""
    rows = pl.read_parquet(path, columns=["edition_id"])
    return f"数据版本 {rows.item(0, 0)}" if rows.height else ""


def _page(title: str, body: Iterable[str]) -> str:
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        + "\n".join(body)
        + f"</main><script>{_OPEN_FOR_PRINT}</script></body></html>\n"
    )


def _index(results: list[SuiteResult], edition: str) -> str:
    expectations = [e for r in results for e in r.expectations]
    passed = sum(e.success and e.evaluated_count > 0 for e in expectations)
    tiles = [
        _tile(
            "ok", f"{passed:,}", "项检查全部符合", f"共 {len(expectations):,} 项检查，{len(results)} 个套件"
        ),
        *(
            _tile(
                kind if count else "ok",
                f"{count:,}",
                KIND_ZH[kind],
                KIND_EXPLAINED_ZH[kind],
            )
            for kind in KIND_ZH
            for count in [sum(e.unexpected_count for e in expectations if e.kind == kind)]
        ),
    ]
    body = [
        "<h1>数据质量检查</h1>",
        f'<p class="lead">{escape(edition)}{"。" if edition else ""}每次运行都对接收的数据和算出的结果逐行检查，'
        "三种情形分开列示，互不混淆。</p>",
        f'<div class="tiles">{"".join(tiles)}</div>',
    ]
    for heading, chosen in (
        ("接收的数据", [r for r in results if r.target.startswith("inputs.")]),
        ("算出的结果", [r for r in results if not r.target.startswith("inputs.")]),
    ):
        if not chosen:
            continue
        rows = "".join(
            f'<tr><td><a href="{quote(r.suite)}.html">{escape(r.title_zh)}</a></td><td>{_suite_chip(r)}</td>'
            f'<td class="n">{len(r.expectations)}</td>'
            + "".join(_count_cell(r.count(kind)) for kind in KINDS)
            + "</tr>"
            for r in chosen
        )
        body.append(
            f'<h2>{heading}</h2><div class="card scroll"><table><thead><tr><th>检查对象</th><th>结果</th>'
            '<th class="n">检查项</th><th class="n">流程有误</th><th class="n">数据存疑</th>'
            f'<th class="n">未达标准</th></tr></thead><tbody>{rows}</tbody></table></div>'
        )
    worst = sorted(
        ((r, e) for r in results for e in r.expectations if not e.success),
        key=lambda pair: (list(KIND_ZH).index(pair[1].kind), -pair[1].unexpected_count),
    )
    if worst:
        rows = "".join(
            f'<tr><td>{_chip(e)}</td><td><a href="{quote(r.suite)}.html#{quote(e.name)}">{escape(e.title_zh)}</a></td>'
            f'<td class="w">{escape(r.title_zh)}</td><td class="n">{e.unexpected_count:,}</td>'
            f'<td class="n">{e.unexpected_pct:.2f}%</td></tr>'
            for r, e in worst
        )
        body.append(
            '<h2>不符的检查项</h2><div class="card scroll"><table><thead><tr><th>情形</th><th>检查项</th>'
            '<th>检查对象</th><th class="n">不符</th><th class="n">占比</th></tr></thead>'
            f"<tbody>{rows}</tbody></table></div>"
        )
    body.append(
        '<p class="note">全部被标出的行在数据仓库的 quality.suite_flags 表中，检查项在 quality.suite_results 表中，'
        "可用 SQL 查询；未达标准的逐条见 judgements、findings。当月的套件由 Great Expectations 核对，"
        "它自己的页面从各套件页进入。</p>"
    )
    return _page("数据质量检查", body)


def _suite(result: SuiteResult, files: dict[str, str], edition: str) -> str:
    body = [
        f'<div class="path"><a href="index.html">数据质量检查</a> › {escape(result.title_zh)}</div>',
        f"<h1>{escape(result.title_zh)} {_suite_chip(result)}</h1>",
        f'<p class="lead">{escape(edition)}{"；" if edition else ""}检查对象 {escape(result.target)}，'
        f"共 {len(result.expectations)} 项。{_own_page(result)}</p>",
        '<div class="card scroll"><table><thead><tr><th>结果</th><th>检查项</th><th class="n">检查</th>'
        '<th class="n">不符</th><th class="n">占比</th></tr></thead><tbody>',
        *(
            f'<tr><td>{_chip(e)}</td><td><a href="#{quote(e.name)}">{escape(e.title_zh)}</a></td>'
            f'<td class="n">{e.evaluated_count:,}</td>{_count_cell(e.unexpected_count)}'
            f'<td class="n">{e.unexpected_pct:.2f}%</td></tr>'
            for e in result.expectations
        ),
        "</tbody></table></div>",
        "<h2>逐项说明</h2>",
        *(_section(e, files) for e in sorted(result.expectations, key=lambda e: e.success)),
    ]
    return _page(f"{result.title_zh} · 数据质量检查", body)


def _own_page(result: SuiteResult) -> str:
    if result.page is None:
        return ""
    return f'<a href="{quote(result.page)}">Great Expectations 的页面</a>'


def _section(e: ExpectationResult, files: dict[str, str]) -> str:
    parts = [
        f'<section class="card" id="{escape(e.name)}"><div class="about"><div class="top"><h3>{escape(e.title_zh)}</h3>'
        f'{_chip(e)}<span class="counts">{escape(e.message_zh)}</span></div><dl>'
        f"<dt>查什么</dt><dd>{escape(e.what_zh)}</dd><dt>为什么</dt><dd>{escape(e.why_zh)}</dd>"
        f"<dt>怎么办</dt><dd>{escape(e.what_to_do_zh)}</dd>"
        f"<dt>性质</dt><dd>{KIND_ZH[e.kind]}，{SEVERITY_ZH[e.severity]}。{KIND_EXPLAINED_ZH[e.kind]}</dd></dl></div>"
    ]
    if e.flagged:
        rows = "".join(_flag_row(flag, files) for flag in e.flagged)
        shown = len(e.flagged)
        more = (
            ""
            if shown == e.unexpected_count
            else f"（共 {e.unexpected_count:,} 行，此处列前 {KEYS_SHOWN} 行）"
        )
        parts.append(
            f"<details{' open' if shown <= 10 else ''}><summary>被标出的 {shown:,} 行{more}</summary>"
            '<div class="scroll"><table><thead><tr><th>月份</th><th>说明</th><th class="n">实际</th>'
            f'<th class="n">应为</th><th>来源</th></tr></thead><tbody>{rows}</tbody></table></div></details>'
        )
    parts.append("</section>")
    return "".join(parts)


def _flag_row(flag: dict[str, Any], files: dict[str, str]) -> str:
    month = flag["month"].strftime("%Y-%m") if flag["month"] else "—"
    return (
        f'<tr><td class="w">{month}</td><td>{escape(flag["message_zh"] or "")}</td>'
        f'<td class="n">{escape(flag["value"] or "—")}</td><td class="n">{escape(flag["expected"] or "—")}</td>'
        f"<td>{_source(flag, files)}</td></tr>"
    )


def _source(flag: dict[str, Any], files: dict[str, str]) -> str:
    name = files.get(flag["submission_id"] or "")
    if name is None:
        return '<span class="path">—</span>'
    place = "，".join(
        text
        for text in (
            f"工作表“{flag['sheet']}”" if flag["sheet"] else "",
            f"第 {flag['row_number']} 行" if flag["row_number"] is not None else "",
        )
        if text
    )
    return f'<a href="{RAW_FROM_PAGES}{quote(name)}">{escape(name)}</a> <span class="path">{escape(place)}</span>'


def _tile(kind: str, figure: str, label: str, text: str) -> str:
    return f'<div class="tile {kind}"><b>{figure}</b><span>{label}</span><p>{escape(text)}</p></div>'


def _count_cell(count: int) -> str:
    return f'<td class="n{"" if count else " zero"}">{count:,}</td>'


def _chip(e: ExpectationResult) -> str:
    if not e.success:
        return f'<span class="chip {e.kind}">{KIND_ZH[e.kind]}</span>'
    if not e.evaluated_count:
        return '<span class="chip none">无数据</span>'
    return '<span class="chip ok">符合</span>'


def _suite_chip(result: SuiteResult) -> str:
    for kind in KINDS:
        if result.count(kind):
            return f'<span class="chip {kind}">{KIND_ZH[kind]}</span>'
    return '<span class="chip ok">符合</span>'
