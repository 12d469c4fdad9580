"""What was asked, taken and refused stands in the record, and the exports say what is there."""

from __future__ import annotations

import io
from typing import Any

import openpyxl

from oversight.accounts import people, record
from oversight.accounts.actor import at_the_machine
from oversight.editions import find_edition
from oversight.settings import DataFolder
from tests.accounts.asking import ACCOUNTS, COUNTY, Browser


def newest(folder: DataFolder, what: str) -> record.Line:
    return next(record.lines(folder, newest_first=True, what=what, limit=1))


def sheet(data: bytes) -> list[dict[str, Any]]:
    rows = list(openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(min_row=2, values_only=True))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_queries_downloads_and_refusals_are_noted(signed_in: dict[str, Browser], folder: DataFolder) -> None:
    edition = find_edition(folder).edition_id
    sql = "select 1 as 甲 -- 36031319900307123X"
    assert signed_in["analyst"].post("/sql/run", json={"edition": edition, "sql": sql}).status_code == 200
    line = newest(folder, "query")
    assert (line.who, line.role, line.divisions, line.address) == ("analyst", "analyst", COUNTY, "127.0.0.1")
    assert line.told["语句"] == "select 1 as 甲 -- 〔身份证号已隐去〕"
    form = {"path": "/funding", "table": "townships", "edition": edition, "format": "csv"}
    assert signed_in["reader"].post("/download", data=form).status_code == 200
    line = newest(folder, "download")
    assert (line.who, line.told["格式"], line.told["版本"]) == ("reader", "csv", edition)
    assert signed_in["reader"].get("/accounts").status_code == 403
    line = newest(folder, "refused")
    assert (line.who, line.told["地址"]) == ("reader", "/accounts")
    assert record.check(folder) == []


def test_exports_say_what_is_there(signed_in: dict[str, Browser], folder: DataFolder) -> None:
    told = sheet(signed_in["chief"].get("/record/export").data)
    kept = list(record.lines(folder))
    assert [row["本条摘要"] for row in told] == [line.digest for line in kept][: len(told)]
    assert len(told) >= len(kept) - 1
    own = sheet(signed_in["county-chief"].get("/record/export").data)
    assert own
    assert all(code.startswith(COUNTY) for row in own for code in row["区划"].split(","))
    accounts = sheet(signed_in["chief"].get("/accounts/export").data)
    enforced = {(item.name, code) for item in people.everyone(folder) for code in item.divisions}
    assert {(row["账号"], row["区划代码"].removesuffix("（全部）")) for row in accounts} == enforced
    assert {row["账号"] for row in accounts} >= set(ACCOUNTS)


def test_runs_and_changed_files_are_noted(folder: DataFolder) -> None:
    folder.corrections.mkdir(exist_ok=True)
    (folder.corrections / "confirmations.csv").write_text("a\n", "utf-8")
    assert record.note_files(folder, "corrections", [folder.corrections])
    assert not record.note_files(folder, "corrections", [folder.corrections])
    (folder.corrections / "confirmations.csv").write_text("b\n", "utf-8")
    assert record.note_files(folder, "corrections", [folder.corrections])
    line = newest(folder, "corrections")
    assert line.told["变动"] == ["corrections/confirmations.csv"]
    assert line.who == at_the_machine().name


def test_questions_that_are_refused_for_their_number_do_not_fill_the_record(
    signed_in: dict[str, Browser], folder: DataFolder
) -> None:
    browser, edition = signed_in["analyst"], find_edition(folder).edition_id
    bomb = {"edition": edition, "sql": "select sum(range) from range(1000000000000)"}
    before = sum(1 for _ in record.lines(folder, what="query"))
    told = [browser.post("/sql/run", json=bomb).get_json() for _ in range(12)]
    started = [item["id"] for item in told if "id" in item]
    try:
        assert {item.get("code") for item in told if "id" not in item} == {"busy"}
        assert sum(1 for _ in record.lines(folder, what="query")) - before == len(started) < 12
    finally:
        for name in started:
            browser.post(f"/sql/cancel/{name}", json={})
