"""Ten thousand generated questions in the scope of one county and of one township: what names another unit.

Run as `python -m tests.accounts.many_addresses --data FOLDER [--number 10000]` on a folder with an edition; it works in
a copy, in which the other county has handed in reports, drafted letters and a paper, and answered findings. Half of the
questions are page addresses; the others are rows and downloads of tables, queries of the SQL page, and every address that
answers with data, with names of findings, files, letters, receipts and papers of anybody. The oracle is the edition
itself, read without the application.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb

from oversight.dashboard.app import create_app
from oversight.dashboard.pages import pages
from oversight.editions import find_edition
from oversight.settings import DataFolder
from tests.accounts.asking import COUNTY, OTHER_COUNTY, TOWN, Browser, Others
from tests.accounts.test_access import addresses, unit_codes
from tests.workflow.conftest import own_copy
from tests.workflow.handing import good, posted, sent, uploaded

OTHER_TOWN = "640324100"
TABLES = (
    *("townships", "funding_gap_monthly", "staffing_gap_monthly", "judgements", "findings", "submissions"),
    *("rejected_rows", "fund_ledger_monthly", "reconciliation", "reported.population", "reported.budget"),
    *("reported.staffing", "detail.unit_monthly", "detail.submission_status", "经费缺口_月"),
)


def lived_in(app: Any, edition: Any) -> dict[str, list[str]]:
    """Let both counties work, and tell by which names things may be asked for."""
    found: dict[str, list[str]] = {"receipt": [], "letter": [], "finding": [], "paper": [], "tray": []}
    for name, county, town in (("other-analyst", OTHER_COUNTY, OTHER_TOWN), ("analyst", COUNTY, TOWN)):
        me = Browser(app.server.test_client())
        me.sign_in(name)
        tray = uploaded(me, ("人口.csv", good(unit=town)), unit=county)
        found["tray"].append(tray["id"])
        found["receipt"] += [item["id"] for item in sent(me, tray).get_json()["receipts"]]
        due = me.get("/letters/all").get_json()["due"][:5]
        items = [{key: item[key] for key in ("kind", "unit", "colour", "about")} for item in due]
        posted(me, "/letters/draft", {"items": items})
        found["letter"] += [row["id"] for row in me.get("/letters/all").get_json()["letters"]]
        rows = me.get("/follow/list?state=all").get_json()["rows"]
        seen = [{"id": row["id"], "version": row["version"]} for row in rows[:10]]
        act = {"key": f"{town:0>16}", "kind": "remark", "findings": seen, "text": f"{town} 的办理情况"}
        assert posted(me, "/follow/act", act).status_code == 200
        job = posted(me, "/papers/step", {"scope": county, "month": "2025-12", "step": "draft"}).get_json()
        while job.get("job") and not job.get("is_done"):
            time.sleep(0.3)
            job = me.get(f"/papers/job/{job['job']}").get_json() | {"job": job["job"]}
        found["paper"].append(f"2025-12/{county}/0")
    with duckdb.connect(str(edition.warehouse), read_only=True) as connection:
        for key, sql in (
            ("finding", "select finding_id from findings using sample 400"),
            ("submission", "select submission_id from submissions"),
            ("file", "select file_name from submissions"),
        ):
            found[key] = [row[0] for row in connection.execute(sql).fetchall()]
    return found


def question(
    rng: random.Random, codes: list[str], names: dict[str, list[str]], edition: str
) -> tuple[str, dict[str, Any]]:
    """An address with what is sent there: data by GET, rows and downloads of tables, queries."""
    unit, month = rng.choice(codes), f"2025-{rng.randint(1, 12):02d}"

    def name(kind: str) -> str:
        return quote(str(rng.choice(names[kind])))

    kind = rng.random()
    if kind < 0.4:
        path = rng.choice([path for path, page in pages().items() if page.tables])
        column = rng.choice(("township_code", "township_name", "message_zh", "month", "file_name", "status"))
        told = rng.choice(
            ({}, {column: {"filterType": "text", "type": "contains", "filter": rng.choice((unit, "镇"))}})
        )
        form = {
            "path": path,
            "table": rng.choice(list(pages()[path].tables)),
            "search": f"?unit={unit}&month={month}",
            "edition": edition,
            "filter": json.dumps(told),
            "sort": json.dumps([{"colId": column, "sort": rng.choice(("asc", "desc"))}]),
        }
        return rng.choice(("/rows", "/download")), {"data": form | {"format": rng.choice(("csv", "xlsx"))}}
    if kind < 0.55:
        table = rng.choice(TABLES)
        sql = rng.choice(
            (
                f"select * from {table} using sample 200",
                f"select count(*) as n, min(t) as least, max(t) as most from (select t::text as t from {table} as t)",
                f"from {table} where columns(*)::text like '%{unit}%'",
                f"select distinct left(t::text, 400) from {table} as t where t::text like '%镇%'",
                f"with a as (from {table}) select * from a, (select township_name from townships) limit 100",
                f"select * from {table} where exists (select 1 from townships where township_code = '{unit}')",
            )
        )
        return "/sql/run", {"json": {"edition": edition, "sql": sql, "unit": unit, "month": month}}
    return rng.choice(
        (
            f"/follow/list?state={rng.choice(('all', 'open', 'new'))}&unit={unit if len(unit) in (6, 9) else ''}",
            f"/follow/list?state=all&words={name('finding')}",
            f"/follow/one?id={name('finding')}",
            *("/follow/people", "/letters/all", "/review/files", "/papers/list", "/hand-in/mine", "/sql/saved"),
            f"/letters/file?id={name('letter')}&form={rng.choice(('pdf', 'docx'))}",
            f"/review/file/{name('receipt')}",
            f"/review/original/{name('receipt')}",
            f"/review/questions?unit={unit if len(unit) in (6, 9) else ''}",
            f"/hand-in/due?unit={unit}&month={month}",
            f"/hand-in/template?unit={unit}&month={month}&dataset=population",
            f"/hand-in/receipt/{name('receipt')}?form=json",
            f"/hand-in/tray/{name('tray')}",
            f"/hand-in/cells/{name('tray')}/0",
            f"/brief?unit={unit[:6]}&month={month}",
            f"/source/{name('submission')}?row={rng.randint(1, 30)}",
            f"/source/{name('submission')}/whole",
            f"/returned/{name('file')}",
            f"/report/{name('paper')}/{rng.choice(('html', 'docx', 'xlsx', 'pdf'))}",
            f"/sql/dictionary?edition={edition}",
            f"/{rng.choice(('run/state', 'run/waiting', 'run/editions', 'record', 'accounts', 'papers/texts'))}",
        )
    ), {}  # fmt: skip


def texts(browser: Browser, address: str, sends: dict[str, Any], statuses: Counter[str]) -> Iterator[str]:
    """What is answered, taken out of a workbook or a document; raises `AssertionError` for an error of the server."""
    answer = browser.post(address, **sends) if sends else browser.get(address)
    while answer.is_json and address == "/sql/run" and (answer.get_json() or {}).get("is_running"):
        answer = browser.get(f"/sql/result/{answer.get_json()['id']}")
    # What a quota held back says nothing of leaks.
    assert answer.status_code in (200, 303, 400, 403, 404, 409), (address, sends, answer.status_code)
    statuses[f"answered {answer.status_code}"] += 1
    if answer.data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            for item in archive.namelist():
                yield archive.read(item).decode("utf-8", "replace")
    elif answer.is_json:
        yield json.dumps(answer.get_json(), ensure_ascii=False)
    else:
        yield answer.data.decode("utf-8", "replace")


def leaks(
    browser: Browser, edition: Any, others: Others, number: int, seed: int, names: dict[str, list[str]]
) -> tuple[Counter[str], list[Any]]:
    """How many of each kind were asked, and what was told of others that had not been asked for by that very name."""
    rng = random.Random(seed)
    codes = [*unit_codes(edition), "999999", "360399", "640324999"]
    asked: Counter[str] = Counter()
    found: list[Any] = []
    for path, search in addresses(edition, number // 2, seed):
        answer = browser.draw(path, search, edition.edition_id)
        assert answer.status_code == 200, (path, search)
        text = json.dumps(answer.get_json(), ensure_ascii=False)
        assert "没能显示" not in text, (path, search)
        asked["page address"] += 1
        found += [(path, search, word) for word in others.found_in(text) if word not in search]
    for _ in range(number - number // 2):
        address, sends = question(rng, codes, names, edition.edition_id)
        asked["query" if address == "/sql/run" else "table" if sends else "other address"] += 1
        said = f"{address} {json.dumps(sends, ensure_ascii=False)}"
        for text in texts(browser, address, sends, asked):
            found += [
                (said, word) for word in others.found_in(text) if word not in said and quote(word) not in said
            ]
    return asked, found


def main() -> int:
    """Print how many were tried and how many leaked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    source = DataFolder.at(args.data)
    # Beside the source, so that files can be linked.
    with tempfile.TemporaryDirectory(dir=source.root.parent) as place:
        folder = own_copy(source, Path(place))
        edition = find_edition(folder)
        app = create_app(folder)
        names = lived_in(app, edition)
        wrong = 0
        for name, scope, number in (
            ("analyst", COUNTY, args.number * 7 // 10),
            ("reviewer", COUNTY, args.number // 10),
            ("reporter", TOWN, args.number // 5),
        ):
            browser = Browser(app.server.test_client())
            browser.sign_in(name)
            start = time.monotonic()
            asked, found = leaks(browser, edition, Others(edition.warehouse, scope), number, args.seed, names)
            wrong += len(found)
            told = ", ".join(f"{count} × {kind}" for kind, count in sorted(asked.items()))
            print(
                f"{name} in {scope}: {told}; {len(found)} leaks, {time.monotonic() - start:.0f} s", flush=True
            )
            for leak in found[:20]:
                print("  ", *leak)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
