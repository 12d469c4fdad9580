"""Every row read is accepted, held, rejected or ignored: the accounts of each file, and each row's reason."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from oversight.contracts import ALL_DATASETS
from oversight.errors import OversightError
from oversight.intake.judging.judged import REJECTED_SCHEMA, SUBMISSION_SCHEMA, Judged
from oversight.intake.judging.scale import in_senders_unit
from oversight.intake.judging.verdicts import KEY, VERDICT_SCHEMA, Verdicts, as_verdicts
from oversight.intake.landed import Landed
from oversight.intake_messages import CATALOGUE


class Unbalanced(OversightError):
    """Rows read do not equal rows accepted, held, rejected and ignored: an internal error, never published."""


def account(
    out: Judged,
    landed: Landed,
    ledger: pl.DataFrame,
    tables: pl.DataFrame,
    verdicts: Verdicts,
    unusable: pl.DataFrame,
) -> None:
    rejected = pl.concat([as_verdicts(()), *(v.cast(pl.Schema(VERDICT_SCHEMA)) for v in verdicts.rejected)])
    held = pl.concat([as_verdicts(()), *verdicts.held])
    repeated = pl.concat([pl.DataFrame(schema={k: VERDICT_SCHEMA[k] for k in KEY}), *verdicts.repeated])
    usable = tables.join(unusable, on="table_no", how="anti", maintain_order="left")
    counts = (
        usable.select("table_no", "submission_id", "dataset", "rows_data", "rows_ignored")
        .join(_count(rejected, "rejected"), on="table_no", how="left")
        .join(_count(repeated, "repeated"), on="table_no", how="left")
    )
    stated: list[pl.DataFrame] = []
    months: list[pl.DataFrame] = []
    for frame in out.rows.values():
        stated.append(frame.group_by("table_no").agg(pl.len().cast(pl.Int64).alias("used")))
        if "month" in frame.columns:
            months.append(
                frame.group_by("table_no").agg(
                    pl.col("month").min().alias("month_from"), pl.col("month").max().alias("month_to")
                )
            )
    counts = counts.join(pl.concat(stated), on="table_no", how="left")
    counts = counts.join(pl.concat(months), on="table_no", how="left")
    # A row with a figure that waits for confirmation counts as held, also where the rest of it is used.
    counts = counts.join(_count(held, "held"), on="table_no", how="left")
    counts = counts.with_columns(pl.col("rejected", "repeated", "used", "held").fill_null(0))
    counts = counts.with_columns(accepted=pl.col("used") - pl.col("held"))
    wrong = counts.filter(
        pl.col("rows_data") != pl.col("accepted") + pl.col("held") + pl.col("rejected") + pl.col("repeated")
    )
    if wrong.height:
        first = wrong.row(0, named=True)
        raise Unbalanced(
            f"内部错误：报送文件 {first['submission_id']} 的 {first['dataset']} 表读到 {first['rows_data']} 行，"
            f"但入库 {first['accepted']}、待确认 {first['held']}、退回 {first['rejected']}、忽略 {first['repeated']} 行，"
            "合计不等；请把该文件交给系统管理员。"
        )
    per_file = counts.group_by("submission_id").agg(
        pl.col("dataset").unique().sort().str.join(",").alias("dataset"),
        (pl.col("rows_data") + pl.col("rows_ignored")).sum().alias("rows_read"),
        pl.col("accepted", "held", "rejected").sum(),
        (pl.col("rows_ignored") + pl.col("repeated")).sum().alias("ignored"),
        pl.col("month_from").min(),
        pl.col("month_to").max(),
    )
    out.rejected = _rejected_rows(landed, tables, rejected, held, per_file)
    rows = [*(frame.select(KEY) for frame in out.rows.values()), rejected.select(KEY), repeated]
    several = _several_in_a_row(usable, rows)
    out.submissions = _submissions(landed, ledger, tables, per_file, unusable, out.rejected, several)
    out.rows = {d: f.drop("table_no") for d, f in out.rows.items()}


def _count(verdicts: pl.DataFrame, name: str) -> pl.DataFrame:
    return verdicts.select(KEY).unique().group_by("table_no").agg(pl.len().cast(pl.Int64).alias(name))


def _several_in_a_row(usable: pl.DataFrame, rows: list[pl.DataFrame]) -> dict[str, int]:
    """Submission → rows that its sender sees, where rows of its sheets are of several datasets or months at once."""
    sheet = pl.struct("submission_id", pl.col("sheet").fill_null(""))
    # Only of a sheet that several tables were made from can a row have been counted twice.
    several = usable.filter(sheet.is_duplicated()).select("submission_id").unique()
    if several.is_empty():
        return {}
    places = usable.join(several, on="submission_id", how="semi").select("table_no", "submission_id", "sheet")
    numbers = places.select("table_no")
    # A row of one table may have several verdicts; where it came from twice, two tables have it.
    seen = pl.concat([frame.join(numbers, on="table_no", how="semi") for frame in rows]).unique()
    per_file = (
        seen.join(places, on="table_no")
        .group_by("submission_id")
        .agg(
            pl.len().alias("counted"),
            pl.struct(pl.col("sheet").fill_null(""), "row_number").n_unique().alias("seen"),
        )
    )
    return dict(
        per_file.filter(pl.col("counted") > pl.col("seen")).select("submission_id", "seen").iter_rows()
    )


def _rejected_rows(
    landed: Landed, tables: pl.DataFrame, rejected: pl.DataFrame, held: pl.DataFrame, per_file: pl.DataFrame
) -> pl.DataFrame:
    where = {
        r[0]: r[1:]
        for r in tables.select("table_no", "submission_id", "sheet", "dataset", "powers").iter_rows()
    }
    rows: list[tuple[Any, ...]] = []
    for frame, disposition in ((rejected, "rejected"), (held, "held")):
        for number, row_number, column, value, code, found in frame.sort(
            *KEY, "column", nulls_last=True
        ).iter_rows():
            submission_id, sheet, dataset, powers = where[number]
            contract_column = ALL_DATASETS[dataset].columns.get(column) if column else None
            title = contract_column.title_zh if contract_column else None
            message = CATALOGUE[code]
            texts = {"column": title, "value": value, **(json.loads(found) if found else {})}
            power = json.loads(powers).get(column) if powers and disposition == "held" else None
            if power and contract_column and contract_column.unit:
                value, texts["value"] = in_senders_unit(value, power, contract_column.unit)
            rows.append(
                (
                    submission_id,
                    sheet,
                    row_number,
                    title,
                    value,
                    code,
                    message.fill(**texts),
                    message.remedy_zh,
                    disposition,
                )
            )
    counted = set(per_file["submission_id"])
    for submission_id, _, sheet, _, code, found, numbers, _ in landed.refusals.iter_rows():
        if submission_id not in counted:
            continue
        message = CATALOGUE[code]
        text = message.fill(**json.loads(found))
        rows.extend(
            (submission_id, sheet, n, None, None, code, text, message.remedy_zh, "rejected") for n in numbers
        )
    return pl.DataFrame(rows, schema=REJECTED_SCHEMA, orient="row")


def _submissions(
    landed: Landed,
    ledger: pl.DataFrame,
    tables: pl.DataFrame,
    per_file: pl.DataFrame,
    unusable: pl.DataFrame,
    rejected: pl.DataFrame,
    several: dict[str, int],
) -> pl.DataFrame:
    counts = {r["submission_id"]: r for r in per_file.iter_rows(named=True)}
    files = {r["submission_id"]: r for r in landed.files.iter_rows(named=True)}
    refusals: dict[str, list[dict[str, Any]]] = {}
    for refusal in landed.refusals.iter_rows(named=True):
        refusals.setdefault(refusal["submission_id"], []).append(refusal)
    said = {
        r[0]: r[1:]
        for r in tables.group_by("submission_id")
        .agg(
            pl.col("is_correction").any(),
            pl.col("filed_on").max(),
            pl.col("dataset").unique().sort().str.join(","),
        )
        .iter_rows()
    }
    waiting = set(tables.join(unusable, on="table_no", how="semi")["submission_id"])
    reasons: dict[str, str] = {}
    for submission_id, code in (
        rejected.group_by("submission_id", "error_code")
        .len()
        .sort("len", "error_code")
        .select("submission_id", "error_code")
        .iter_rows()
    ):
        reasons[submission_id] = CATALOGUE[code].title_zh
    totals: dict[str, list[str]] = {}
    for submission_id, sheet, problem in (
        tables.select("submission_id", "sheet", "total_problem").drop_nulls("total_problem").iter_rows()
    ):
        totals.setdefault(submission_id, []).append((f"“{sheet}”" if sheet else "") + problem)
    noticed: dict[str, str] = {}
    for submission_id, code, found in landed.notices.select("submission_id", "code", "found").iter_rows():
        text = CATALOGUE[code].fill(**json.loads(found))
        noticed[submission_id] = noticed.get(submission_id, "") + text
    others = dict(
        tables.drop_nulls("other_titles")
        .group_by("submission_id", maintain_order=True)
        .agg(pl.col("other_titles").unique(maintain_order=True).str.join("、"))
        .iter_rows()
    )
    rows: list[dict[str, Any]] = []
    copies: dict[str, int] = {}
    for entry in (
        ledger.sort("arrival_seq", "file_name")
        .sort("is_first", descending=True, maintain_order=True)
        .iter_rows(named=True)
    ):
        base = entry["sha256"][:16]
        correction, filed_on, dataset = said.get(base, (False, None, None))
        row: dict[str, Any] = dict.fromkeys(SUBMISSION_SCHEMA) | {
            "submission_id": base,
            "file_name": entry["file_name"],
            "sha256": entry["sha256"],
            "dataset": dataset,
            "received_at": entry["received_at"],
            "is_correction": bool(correction),
            "filed_on": filed_on,
            "arrival_seq": entry["arrival_seq"],
            **dict.fromkeys(("rows_read", "rows_accepted", "rows_held", "rows_rejected", "rows_ignored"), 0),
        }
        if not entry["is_first"]:
            copies[base] = copies.get(base, 1) + 1
            first = ledger.filter((pl.col("sha256") == entry["sha256"]) & pl.col("is_first"))[
                "file_name"
            ].item()
            row |= {
                "submission_id": f"{base}-{copies[base]}",
                "status": "duplicate",
                "message_zh": f"与“{first}”内容完全相同，不重复入库。",
                "what_to_do_zh": "无需处理。",
            }
        elif base in counts:
            row |= _outcome(counts[base], refusals.get(base, []), reasons.get(base, ""))
            if base in several:
                row["message_zh"] += (
                    f"表里是 {several[base]} 行：一行里有几种数据或几个月的，每种、每月各算一行。"
                )
            if base in totals:
                message = CATALOGUE["D11"]
                row["message_zh"] += f"{message.title_zh}：{'；'.join(totals[base][:3])}。"
                row["what_to_do_zh"] = row["what_to_do_zh"].replace("无需处理。", "") + message.remedy_zh
            row["message_zh"] += noticed.get(base, "")
            if base in others:
                row["message_zh"] += CATALOGUE["D42"].fill(columns=others[base])
        elif base in waiting:
            row |= {"status": "refused"} | _message("F11", {})
        else:
            row |= {"status": "refused"} | _refusal(files.get(base), refusals.get(base, []))
            if row["dataset"] is None and refusals.get(base):
                row["dataset"] = refusals[base][0]["dataset"]
        rows.append(row)
    return pl.DataFrame(rows, schema=SUBMISSION_SCHEMA, orient="row").sort("arrival_seq", "file_name")


def _message(code: str, found: dict[str, Any]) -> dict[str, str]:
    message = CATALOGUE[code]
    return {"error_code": code, "message_zh": message.fill(**found), "what_to_do_zh": message.remedy_zh}


def _refusal(file: dict[str, Any] | None, refusals: list[dict[str, Any]]) -> dict[str, str]:
    if file is not None and file["error_code"] is not None:
        return _message(file["error_code"], json.loads(file["error_found"]))
    if refusals:
        return _message(refusals[0]["code"], json.loads(refusals[0]["found"]))
    return _message("F05", {"detail": ""})


def _unread(refusals: list[dict[str, Any]]) -> str:
    """Sheets or members of an archive that hold no rows to list: named in the file's own line."""
    if not refusals:
        return ""
    first = refusals[0]
    where = f"“{first['sheet']}”" if first["sheet"] else "一张表"
    text = CATALOGUE[first["code"]].fill(**json.loads(first["found"]))
    more = f"；另有 {len(refusals) - 1} 处" if len(refusals) > 1 else ""
    return f"{where}未能读取：{text}{more}"


def _outcome(counts: dict[str, Any], refusals: list[dict[str, Any]], reason: str) -> dict[str, Any]:
    refused_rows = sum(len(r["rows"]) for r in refusals)
    refused_ignored = sum(r["rows_ignored"] for r in refusals)
    read = counts["rows_read"] + refused_rows + refused_ignored
    accepted, held = counts["accepted"], counts["held"]
    rejected, ignored = counts["rejected"] + refused_rows, counts["ignored"] + refused_ignored
    if read != accepted + held + rejected + ignored:
        raise Unbalanced(f"内部错误：报送文件 {counts['submission_id']} 行数不平，请把该文件交给系统管理员。")
    row: dict[str, Any] = {
        "rows_read": read,
        "rows_accepted": accepted,
        "rows_held": held,
        "rows_rejected": rejected,
        "rows_ignored": ignored,
        "dataset": counts["dataset"],
        "month_from": counts["month_from"],
        "month_to": counts["month_to"],
    }
    data_rows = accepted + held + rejected
    unread = _unread([r for r in refusals if not r["rows"]])
    if data_rows == 0:
        return row | {"status": "refused"} | _message("F08", {})
    if accepted + held == 0:
        return row | {"status": "refused"} | _message("F13", {"rows": data_rows, "detail": reason})
    if rejected or held:
        parts = [f"读到 {data_rows} 行，入库 {accepted} 行"]
        parts += [f"待确认 {held} 行"] if held else []
        parts += [f"退回 {rejected} 行"] if rejected else []
        return row | {
            "status": "partial",
            "message_zh": "，".join(parts) + f"（最多的是：{reason}）。" + unread,
            "what_to_do_zh": "请按逐行的说明核对、更正后重新报送这些行。",
        }
    if unread:
        return row | {
            "status": "partial",
            "message_zh": f"{accepted} 行入库。{unread}",
            "what_to_do_zh": "请按说明更正未能读取的部分后重新报送。",
        }
    return row | {
        "status": "accepted",
        "message_zh": f"{accepted} 行全部入库。",
        "what_to_do_zh": "无需处理。",
    }
