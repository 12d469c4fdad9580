"""`oversight serve`: where it listens, what it says, how soon it is there, what it survives."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from oversight.dashboard.grids import Column, Table, to_csv, to_xlsx
from oversight.dashboard.server import serve
from oversight.editions import find_edition
from oversight.editions.publish import point
from oversight.errors import OversightError
from oversight.settings import PROJECT_ROOT, DataFolder
from tests.dashboard.browsing import Served, serving


def draw(base: str, path: str, search: str, edition_id: str, theme: str = "light") -> dict[str, Any]:
    """Ask for a page as the browser does."""
    body = {
        "output": "..content.children...nav.children...meta.data..",
        "outputs": [
            {"id": "content", "property": "children"},
            {"id": "nav", "property": "children"},
            {"id": "meta", "property": "data"},
        ],
        "inputs": [
            {"id": "url", "property": "pathname", "value": path},
            {"id": "url", "property": "search", "value": search},
            {"id": "theme", "property": "data", "value": theme},
        ],
        "changedPropIds": [],
        "state": [{"id": "edition", "property": "data", "value": edition_id}],
    }
    request = urllib.request.Request(
        base + "/_dash-update-component", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    answer: dict[str, Any] = json.load(urllib.request.urlopen(request, timeout=60))
    return answer


def test_it_is_there_within_five_seconds(served: Served) -> None:
    # Twice the time allowed when nothing else runs: tests share their cores.
    assert served.started_in < 10


def test_it_listens_on_loopback_only(served: Served) -> None:
    port = int(served.base.rsplit(":", 1)[1])
    own = socket.gethostbyname(socket.gethostname())
    if own.startswith("127."):
        pytest.skip("这台机器没有回环以外的地址")
    with socket.socket() as probe:
        probe.settimeout(2)
        assert probe.connect_ex((own, port)) != 0


# The server, up to where it would listen: once its first pages are drawn, and it was asked what every open page asks for,
# it tells what was imported.
FIRST_PAGES = """
import json, sys, threading
from pathlib import Path
from werkzeug.test import Client
from oversight.dashboard import listening, server
from oversight.settings import DataFolder

class Listening:
    def __init__(self, app):
        self.app = app

    def run(self):
        for thread in threading.enumerate():
            if thread.name == "first pages":
                thread.join()
        for address in ("/notices", "/letters/all", "/hand-in/mine", "/follow/list"):
            here = {"base_url": "http://127.0.0.1", "environ_base": {"REMOTE_ADDR": "127.0.0.1"}}
            assert Client(self.app).get(address, **here).status_code == 200, address
        print(json.dumps([name for name, module in sys.modules.items() if module is not None]))

    def close(self):
        pass

listening.listen = lambda app, *_: Listening(app)
server.serve(DataFolder.at(Path(sys.argv[1])), "127.0.0.1", 0, lambda _: None, draws_ahead=False)
"""


def test_the_first_pages_need_nothing_that_is_large(dashboard_folder: DataFolder) -> None:
    """Half of the server's memory was libraries that no page needs, drawn in by some constant."""
    told = subprocess.run(
        [sys.executable, "-c", FIRST_PAGES, str(dashboard_folder.root)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    loaded = set(json.loads(told.stdout))
    # Every page was drawn, the one of the rules too.
    assert {"oversight.dashboard.pages.rules", "oversight.workflow.rules.catalogue", "duckdb"} <= loaded
    large = {"polars", "numpy", "pandas", "pyarrow", "dataframely", "sqlalchemy", "openpyxl", "docx", "typst"}
    large |= {"dagster", "dbt", "great_expectations", "matplotlib", "requests", "IPython"}
    assert not large & loaded
    # One that is used and one that is not.
    assert {"dash_mantine_components.Select", "dash_mantine_components.Accordion"} & loaded == {
        "dash_mantine_components.Select"
    }


def test_a_taken_port_is_told_in_one_line(dashboard_folder: DataFolder) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "oversight.cli",
                "serve",
                "--data",
                str(dashboard_folder.root),
                "--port",
                str(port),
            ],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert f"端口 {port} 已被占用" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_answers_are_compressed_and_assets_are_kept(served: Served) -> None:
    page = urllib.request.urlopen(served.base + "/").read().decode()
    style = next(part.split('"')[0] for part in page.split('href="') if part.startswith("/assets/style.css"))
    request = urllib.request.Request(served.base + style, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        assert b"--header" in gzip.decompress(answer.read())
    assert 'lang="zh-CN"' in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_the_same_question_has_the_same_answer(served: Served) -> None:
    edition_id = find_edition(served.folder).edition_id
    assert draw(served.base, "/", "", edition_id) == draw(served.base, "/", "", edition_id)


def test_it_survives_twenty_publications_under_load(dashboard_folder: DataFolder, tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path)
    shutil.copytree(dashboard_folder.marts, folder.marts, symlinks=True)
    first = find_edition(folder)
    wrong: list[str] = []
    done = threading.Event()
    with serving(folder) as running:

        def read(number: int) -> None:
            while not done.is_set():
                try:
                    now = json.load(urllib.request.urlopen(running.base + "/edition", timeout=30))[
                        "edition_id"
                    ]
                    path = ("/", "/funding", "/findings")[number % 3]
                    answer = json.dumps(draw(running.base, path, "?unit=360313", now), ensure_ascii=False)
                    if "没能显示" in answer or "已经清理" in answer:
                        wrong.append(answer[:300])
                except Exception as error:
                    wrong.append(repr(error))

        readers = [threading.Thread(target=read, args=(number,)) for number in range(3)]
        for reader in readers:
            reader.start()
        for number in range(20):
            new = first.path.parent / f"{first.edition_id}-{number + 2}"
            draft = folder.marts / ".incoming" / new.name
            shutil.copytree(first.path, draft)
            draft.rename(new)
            point(folder, new.name)
        done.set()
        for reader in readers:
            reader.join(60)
        assert json.load(urllib.request.urlopen(running.base + "/edition"))["edition_id"] == new.name
    assert not wrong, wrong[:3]


def test_an_edition_taken_away_is_told_and_nothing_breaks(dashboard_folder: DataFolder) -> None:
    with serving(dashboard_folder) as running:
        answer = json.dumps(draw(running.base, "/", "", "20200101-000000-gone"), ensure_ascii=False)
        assert "已经清理" in answer


@pytest.mark.parametrize("edition_id", [None, "", ".", "..", "../marts", "20200101-000000-gone"])
def test_a_request_that_names_no_edition_is_refused_in_words(served: Served, edition_id: str | None) -> None:
    """A page opened before the first edition asks for tables of none."""
    own = {} if edition_id is None else {"edition": edition_id}
    form = urllib.parse.urlencode({"path": "/funding", "table": "townships", "format": "csv", **own})
    for address, data in (
        ("/download", form.encode()),
        ("/rows", form.encode()),
        ("/sql/dictionary?" + urllib.parse.urlencode(own), None),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(served.base + address, data)
        assert refused.value.code == 410, address
        body = refused.value.read().decode()
        said = json.loads(body)["error"] if address.startswith("/sql") else body
        assert "已经清理" in said, address


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    import openpyxl

    bad = ["=1+1", "+86", "-5", "@x", "\t=1"]
    table = Table(
        "t",
        "=标题",
        [Column("a", "列"), Column("n", "数", "number")],
        [{"a": a, "n": 3} for a in bad],
        lambda r: r["a"],
    )
    context = ["=标题", "地区：全部", "来源：x"]
    (tmp_path / "t.xlsx").write_bytes(to_xlsx(table, "yuan", context))
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    cells = [cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert [cell.value for cell in cells if cell.value in bad] == bad
    assert all(cell.data_type == "s" for cell in cells)
    lines = to_csv(table, "yuan", context[1:]).decode("utf-8-sig").splitlines()
    for value in bad:
        assert any(line.startswith(("'" + value, "\"'" + value)) for line in lines), value


def test_returned_workbooks_do_not_lead_out_of_their_folder(served: Served) -> None:
    pointer = find_edition(served.folder).edition_id.encode()
    for name in ("../marts/CURRENT", "%2e%2e/marts/CURRENT", "..%2fmarts%2fCURRENT", "/etc/passwd"):
        try:
            answer = urllib.request.urlopen(f"{served.base}/returned/{name}").read()
        except urllib.error.HTTPError:
            continue
        # An address without the folder is a page of the application, which says that there is no such page.
        assert answer.strip() != pointer
        assert answer.startswith(b"<!DOCTYPE html>")


def test_a_question_right_after_the_start_is_answered(dashboard_folder: DataFolder) -> None:
    """While the first pages are still being read, what others import is not there in half."""
    edition_id = find_edition(dashboard_folder).edition_id
    with serving(dashboard_folder) as running:
        for path in ("/reports", "/findings"):
            assert "没能显示" not in json.dumps(draw(running.base, path, "", edition_id), ensure_ascii=False)


def test_a_folder_that_lost_its_accounts_is_not_opened_to_everybody(
    sample_folder: DataFolder, tmp_path: Path
) -> None:
    newest = find_edition(sample_folder)
    kept = tmp_path / newest.path.relative_to(sample_folder.root) / "manifest.json"
    kept.parent.mkdir(parents=True)
    manifest = newest.manifest | {"record": {"head": {"number": 7, "digest": "0" * 64}}}
    kept.write_text(json.dumps(manifest, ensure_ascii=False), "utf-8")
    with pytest.raises(OversightError) as refused:
        serve(DataFolder.at(tmp_path), "127.0.0.1", 0, print)
    assert newest.edition_id in str(refused.value)
    assert str(tmp_path / "accounts.sqlite") in str(refused.value)
    assert "oversight restore" in str(refused.value)
