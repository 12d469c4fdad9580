"""A figure's own file, opened at the row: as it came, only for whoever may see it, and never run."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote

import duckdb
import pytest

from oversight.dashboard.access import EVERYTHING
from oversight.dashboard.elements import plain
from oversight.dashboard.pages import pages
from oversight.dashboard.pages.township import render, reported_table
from oversight.dashboard.shelf import Shelf
from oversight.dashboard.sources import address
from oversight.dashboard.state import read_state
from oversight.dashboard.view import View
from oversight.dashboard.warehouse import Warehouse
from oversight.editions import find_edition
from oversight.settings import DataFolder
from tests.dashboard.browsing import Served, serving


@pytest.fixture(scope="module")
def with_archive(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The sample with the bytes it was made from."""
    folder = DataFolder.at(tmp_path_factory.mktemp("archive"))
    shutil.copytree(sample_folder.marts, folder.marts, symlinks=True)
    shutil.copytree(sample_folder.archive, folder.archive)
    with serving(folder) as running:
        yield running


def _get(served: Served, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(served.base + path) as answer:
            return int(answer.status), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize("ending", [".xlsx", ".csv"])
def test_a_reported_row_is_shown_as_it_stands_in_its_file(with_archive: Served, ending: str) -> None:
    with duckdb.connect(str(find_edition(with_archive.folder).warehouse), read_only=True) as sql:
        row = sql.execute(
            "select r.submission_id, r.sheet, r.row_number, r.population_persons, s.file_name, s.sha256 "
            "from reported.population r join submissions s using (submission_id) "
            "where r.is_current and ends_with(s.file_name, ?) and r.population_persons > 1000 order by all limit 1",
            [ending],
        ).fetchall()[0]
    submission, sheet, number, people, name, sha256 = row
    status, body = _get(with_archive, address(submission, sheet, number, ""))
    text = body.decode()
    assert status == 200, text
    meant = re.search(r'<tr class="is-meant".*?</tr>', text, re.S)
    assert meant is not None
    assert f'scope="row">{number}<' in meant.group(0)
    assert str(people) in meant.group(0).replace(",", "")
    assert name in text
    status, body = _get(with_archive, f"/source/{submission}/whole")
    assert status == 200
    assert hashlib.sha256(body).hexdigest() == sha256


def test_what_is_not_there_is_refused_in_words(with_archive: Served) -> None:
    for path in (
        "/source/none-such?row=1",
        "/source/none-such/whole",
        "/source/a?row=1",
        "/source/none-such?row=0",
    ):
        status, body = _get(with_archive, path)
        assert status in (400, 404), path
        assert re.search("[\u4e00-\u9fff]", body.decode()), path


def test_the_file_of_a_figure_is_linked_from_its_township(with_archive: Served) -> None:
    shelf = Shelf(with_archive.folder)
    w = shelf.warehouse(shelf.current_id() or "", EVERYTHING)
    state = replace(read_state("/township", "?unit=360313105"), month=w.months[-1])
    view = View(w, EVERYTHING, state, "light", shelf=shelf)
    links = [row["_href"] for row in reported_table(view, "budget").grid_rows("wan")]
    assert links
    assert all(link.startswith("/source/") for link in links)
    drawn = str([part.to_plotly_json() for part in render(view)])
    assert drawn.count("/source/") > 5
    status, _ = _get(with_archive, links[0])
    assert status == 200


def test_the_page_of_a_county_lists_the_workbooks_returned_to_it(warehouse: Warehouse) -> None:
    def listed(search: str) -> list[str]:
        view = View(warehouse, EVERYTHING, read_state("/submissions", f"?month=2025-12{search}"), "light")
        cards = json.dumps(plain(pages()["/submissions"].render(view)), ensure_ascii=False, default=str)
        return [unquote(name) for name in re.findall(r'"href": "/returned/([^"]+)"', cards)]

    every, own = listed(""), listed("&unit=360313")
    assert 0 < len(own) < len(every)
    assert set(own) <= set(every)
    assert all("湘东区" in name for name in own)


def test_of_a_unit_nothing_is_called_none_that_nobody_could_count(warehouse: Warehouse) -> None:
    def drawn(search: str) -> str:
        view = View(warehouse, EVERYTHING, read_state("/submissions", f"?month=2025-12{search}"), "light")
        return json.dumps(plain(pages()["/submissions"].render(view)), ensure_ascii=False, default=str)

    # Two of its files were refused whole: nothing in them says whose they are.
    every, own = drawn(""), drawn("&unit=222403")
    assert "整份退回 2 份" in every
    assert "整份退回 0 份" not in own
    assert "整份退回的认不出属于哪里，只列在“全部地区”" in own
    assert "只列整份都属于这里的文件的行" in own
    # The checks look at everybody's rows.
    assert "数据检查（全部地区）" in own
    assert "数据检查（全部地区）" not in every
