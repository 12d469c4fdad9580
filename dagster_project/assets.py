"""The steps before and after dbt. Each asset: load → process → save, and what it did as metadata."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetKey,
    AssetSpec,
    MaterializeResult,
    ResourceParam,
    asset,
    multi_asset,
)

from dagster_project.checks import SUITE_RESULTS
from dagster_project.context import RunContext
from dagster_project.dbt_assets import PUBLIC_KEYS
from oversight import durable, editions
from oversight.archive.sums import listed
from oversight.comments import comments
from oversight.editions import receipts
from oversight.editions.build import audited_from, built_from, forget
from oversight.editions.changes import EVERYTHING, Inputs, since
from oversight.editions.published import PUBLIC_TABLES
from oversight.errors import OversightError
from oversight.intake import take_in
from oversight.settings import DataFolder
from oversight.sources import pull
from oversight.standards import check_standards, load_standards, standards_files, write_overlay_inputs
from oversight.standards.loading import fingerprint_of
from oversight.whole_run import check_ledger, fingerprints

INPUTS = "inputs"
REPORTED = {
    "divisions": "行政区划：接收并逐行判定后的行",
    "population": "户籍人口：接收并逐行判定后的行",
    "budget": "民政工作经费：接收并逐行判定后的行",
    "staffing": "民政工作人员：接收并逐行判定后的行",
    "indicators": "能力建设指标：接收并逐行判定后的行",
    "payments": "国库支付明细：接收并逐行判定后的行",
    "payment_coverage": "国库支付明细写明包括哪些月份、地区和资金项目",
    "submissions": "收到的每一份文件及其结果",
    "rejected_rows": "未采用的行，以及原因和处理办法",
    "deliveries": "各乡镇各月各报表收到的情况",
    "due_dates": "各月各报表的截止日",
}
OVERLAY = {
    "overlay_policy_documents": "本单位自有的政策文件",
    "overlay_standards": "本单位自有的标准",
    "overlay_standard_tiers": "本单位自有的标准分档",
    "overlay_standard_measures": "本单位自有的标准计量项",
    "overlay_materiality": "本单位自有的轻重尺度",
    "overlay_payment_pace": "本单位自有的拨付进度界限",
    "overlay_funds": "本单位自有的资金项目",
    "overlay_report_sources": "本单位自有的数据来源",
    "overlay_source_precedence": "本单位自定的来源先后",
    "finding_notes": "分析人员在问题上的记录：通知、答复、约定整改日期、豁免",
}
PULLED = AssetKey("pulled_files")
EDITION = AssetKey("published_edition")


def input_key(table: str) -> AssetKey:
    """The key under which dbt knows a build input."""
    return AssetKey([INPUTS, table])


@asset(
    key=PULLED,
    group_name="intake",
    description="从数据库和网址取来的文件，存入 raw/拉取/，与报来的文件同样对待",
)
def pulled_files(run: ResourceParam[RunContext]) -> MaterializeResult[None]:
    """Fetch the other sources, unless that has just been done."""
    written = pull(run.folder, say=run.say) if run.pull else []
    return MaterializeResult(metadata={"取来的文件": len(written)})


@multi_asset(
    name="intake",
    group_name="intake",
    description="读取 raw/ 下的全部文件：识别、归一、逐行判定",
    specs=[AssetSpec(input_key(name), description=text, deps=[PULLED]) for name, text in REPORTED.items()],
    check_specs=[
        AssetCheckSpec(
            "rows_conserved",
            asset=input_key("submissions"),
            description="每份文件：读到的行 = 采用 + 待确认 + 拒收 + 忽略",
        )
    ],
)
def intake(run: ResourceParam[RunContext]) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
    """Take in every file of raw/ and write the build inputs."""
    run.say("▶ 接收文件")
    check_ledger(run.folder)
    take_in(run.folder, say=run.say, now=run.now())
    for name in REPORTED:
        yield MaterializeResult(asset_key=input_key(name), metadata=_facts(run.folder, name))
    unequal = unequal_files(run.folder)
    yield AssetCheckResult(
        check_name="rows_conserved",
        asset_key=input_key("submissions"),
        passed=not unequal,
        metadata={"行数对不上的文件": unequal},
    )
    if unequal:
        raise OversightError(
            f"{len(unequal)} 份文件的行数对不上（如 {unequal[0]}），未发布新版本。"
            "这是程序的问题，请把该文件和本行提示交给维护人员。"
        )


def unequal_files(folder: DataFolder) -> list[str]:
    """Files of which rows read ≠ accepted + held + rejected + ignored: there must be none."""
    return (
        pl.scan_parquet(folder.inputs / "submissions.parquet")
        .filter(
            pl.col("rows_read")
            != pl.sum_horizontal("rows_accepted", "rows_held", "rows_rejected", "rows_ignored")
        )
        .select("file_name")
        .collect()["file_name"]
        .to_list()
    )


_PROBLEMS_SHOWN = 10


@multi_asset(
    name="standards",
    group_name="standards",
    description="本单位自有的标准，与项目自带的标准合并后检查",
    specs=[AssetSpec(input_key(name), description=text) for name, text in OVERLAY.items()],
    check_specs=[
        AssetCheckSpec(
            "standards_sound",
            asset=input_key("overlay_standards"),
            description="分档无空档、无重叠，单位认得，条款齐全",
        )
    ],
)
def standards(run: ResourceParam[RunContext]) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
    """Check the merged standards and write the bureau's own rows as build inputs."""
    run.say("▶ 检查标准")
    problems = [str(problem) for problem in check_standards(load_standards(run.folder))]
    write_overlay_inputs(run.folder, run.folder.inputs)
    for name in OVERLAY:
        yield MaterializeResult(asset_key=input_key(name), metadata=_facts(run.folder, name))
    yield AssetCheckResult(
        check_name="standards_sound",
        asset_key=input_key("overlay_standards"),
        passed=not problems,
        metadata={"问题": problems},
    )
    for problem in problems[1:_PROBLEMS_SHOWN]:
        run.say(f"  {problem}")
    if problems:
        raise OversightError(
            f"标准有 {len(problems)} 处问题，未发布新版本：{problems[0]}。"
            f"请修改 {run.folder.standards} 中的文件后重新运行。"
        )


@asset(
    key=input_key("edition"),
    group_name="intake",
    description="本版数据的标识：名称、时间、由哪些输入和哪版程序得出",
    deps=[input_key("submissions"), input_key("overlay_standards")],
)
def edition_identity(run: ResourceParam[RunContext]) -> MaterializeResult[None]:
    """Name the edition about to be made."""
    made = editions.new_identity(run.folder, fingerprints(run.folder), run.now())
    editions.write_identity(run.folder, made)
    return MaterializeResult(metadata={"edition_id": made.edition_id, **vars(made.made_from)})


@asset(
    key=SUITE_RESULTS,
    group_name="quality",
    deps=[*PUBLIC_KEYS, *map(input_key, REPORTED)],
    description="按数据约定和标准做的核对：每条规则的结果、被标出的行，以及可浏览的说明页",
)
def suite_results(run: ResourceParam[RunContext]) -> MaterializeResult[None]:
    """Run the suites over the inputs and over what was built, from the year on that differs from the last audit."""
    from oversight.quality import run_suites

    run.say("▶ 核对数据")
    audited, now = audited_from(run.folder), Inputs.read(built_from(run.folder))
    first_day = since(Inputs.read(audited), now) if now else EVERYTHING
    if first_day > EVERYTHING and not _is_as_audited(run.folder, run.audit):
        run.say("  上次核对的结果有损坏，全部重新核对")
        first_day = EVERYTHING
    if first_day > EVERYTHING:
        run.say(f"  {first_day.year} 年以前各月与上次核对时相同，沿用上次的核对结果")
    # From here on what is in the folder goes with neither the one nor the other, until the audit has come to its end.
    audited.unlink(missing_ok=True)
    last = run.audit.with_name("audit.last")
    shutil.rmtree(last, ignore_errors=True)
    if run.audit.is_dir():
        run.audit.rename(last)
    results = run_suites(
        run.folder.inputs,
        editions.build_file(run.folder),
        run.audit,
        since=first_day if first_day > EVERYTHING else None,
        before=last,
    )
    if now:
        durable.write_text(_audit_sums(run.folder), listed(run.audit), lasting=False)
        now.write(audited)
    shutil.rmtree(last, ignore_errors=True)
    broken = [failure for result in results for failure in result.blocking_failures]
    if broken:
        # Whatever is wrong may lie in what was kept: the next run makes everything anew.
        forget(run.folder)
        raise OversightError(
            f"核对发现处理结果有误，未发布新版本：{broken[0].title_zh}（{broken[0].unexpected_count} 行）。"
            f"这是程序的问题，请把 {run.audit} 交给维护人员。"
        )
    counts = {kind: sum(result.count(kind) for result in results) for kind in ("blocking", "doubt", "short")}
    kinds = {"blocking": "流程有误", "doubt": "数据存疑", "short": "未达标准"}
    told = {kinds[kind]: count for kind, count in counts.items()}
    return MaterializeResult(metadata={"核对的表": len(results), **told})


def _audit_sums(folder: DataFolder) -> Path:
    return folder.work / "audit.sums"


def _is_as_audited(folder: DataFolder, audit: Path) -> bool:
    """Whether what was found in earlier years is still what was found: nothing else would tell that it is not."""
    path = _audit_sums(folder)
    return audit.is_dir() and path.is_file() and path.read_text("utf-8") == listed(audit)


@asset(
    key=EDITION,
    group_name="editions",
    deps=[SUITE_RESULTS, input_key("edition")],
    description="已发布的版本：只读的数据库文件、Parquet、清单；发布后指针一次切换",
)
def published_edition(run: ResourceParam[RunContext]) -> MaterializeResult[None]:
    """Publish what was built and audited, and make it current; a job that found nothing new publishes nothing."""
    run.say("▶ 发布版本")
    identity = editions.read_identity(run.folder)
    used = standards_files(run.folder)
    if fingerprint_of(used, run.folder) != identity.made_from.standards_fingerprint:
        raise OversightError(
            f"运行期间 {run.folder.standards} 中的标准有改动，未发布新版本。请等文件改完后重新运行。"
        )
    edition = editions.publish(
        run.folder,
        identity,
        audit=run.audit,
        comments=comments(),
        standards=used,
        record_head=run.record_head(run.folder),
        unless_like=None if run.even_if_unchanged else editions.current(run.folder),
    )
    written = receipts.issue(run.folder, edition)
    if written:
        run.say(f"开出回执 {len(written)} 份：{run.folder.receipts}")
    return MaterializeResult(
        metadata={
            "回执": len(written),
            "版本": edition.edition_id,
            "是否新版本": edition.edition_id == identity.edition_id,
            "数据库文件": str(edition.warehouse),
            "月份": " – ".join(f"{month:%Y-%m}" for month in edition.months or ()),
            **{table: edition.row_count(f"main.{table}") for table in PUBLIC_TABLES},
        }
    )


def _facts(folder: DataFolder, table: str) -> dict[str, Any]:
    """Rows, and the months they speak of."""
    rows = pl.scan_parquet(folder.inputs / f"{table}.parquet")
    wanted = [pl.len().alias("dagster/row_count")]
    if "month" in rows.collect_schema():
        wanted += [pl.col("month").min().alias("first_month"), pl.col("month").max().alias("last_month")]
    found = rows.select(wanted).collect().row(0, named=True)
    return {name: value if isinstance(value, int) else str(value) for name, value in found.items()}
