"""The pages: Chinese, offline, leading from a flag to the sender's file."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import polars as pl
import pytest

from oversight.quality import SuiteResult, run_suites
from oversight.quality.suites import FLAG_SCHEMA
from tests.quality.test_marts import short, troubled
from tests.quality.world import HEBEI, JIANGXI, MARCH_FILE, MONTHS, World


@pytest.fixture(scope="module")
def troubles(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path, list[SuiteResult]]:
    folder = tmp_path_factory.mktemp("docs")
    world = troubled()
    world.row("population", HEBEI)["reported_name"] = "<b>豫海</b>镇"
    world.row("staffing", JIANGXI)["dedicated_staff_persons"] = 1
    inputs, warehouse = world.write(folder)
    return world, folder / "out", run_suites(inputs, warehouse, folder / "out")


class Links(HTMLParser):
    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.targets.append(unquote(value))
            if name == "id" and value:
                self.ids.add(value)


def test_every_link_leads_somewhere_and_nothing_is_fetched(
    troubles: tuple[World, Path, list[SuiteResult]],
) -> None:
    docs = troubles[1] / "data_docs"
    pages = {page.name: Links(page) for page in docs.glob("*.html")}
    assert set(pages) == {"index.html", *(f"{r.suite}.html" for r in troubles[2])}
    for name, page in pages.items():
        for target in page.targets:
            if target.startswith("gx/"):
                assert (docs / target).is_file()
                continue
            if target.startswith("../"):
                assert target == f"../../../../raw/{MARCH_FILE}"
                continue
            file, _, anchor = target.partition("#")
            assert not anchor or anchor in pages[file or name].ids, (name, target)
    assert not any("http" in page.read_text(encoding="utf-8") for page in docs.glob("*.html"))
    fetched = re.compile(r"<(?:script|link|img)[^>]+https?:")
    own = list((docs / "gx").rglob("*.html"))
    assert len(own) == 7
    assert [page for page in own if fetched.search(page.read_text(encoding="utf-8"))] == []


def test_what_a_sender_wrote_is_shown_as_text(troubles: tuple[World, Path, list[SuiteResult]]) -> None:
    page = (troubles[1] / "data_docs" / "population.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;豫海&lt;/b&gt;镇" in page
    assert "<b>豫海" not in page


def test_pages_speak_chinese(troubles: tuple[World, Path, list[SuiteResult]]) -> None:
    page = (troubles[1] / "data_docs" / "budget.html").read_text(encoding="utf-8")
    text = re.sub(r"<(style|script)>.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    assert set(re.findall(r"[A-Za-z]{4,}", text)) <= {"inputs", "budget", "Sheet", "xlsx"}


def test_all_flags_are_in_the_file(troubles: tuple[World, Path, list[SuiteResult]]) -> None:
    """But those that fall short, which the marts say; Great Expectations finds them from the figures of the month."""
    world, out, results = troubles
    flags = pl.read_parquet(out / "suite_flags.parquet")
    assert dict(flags.schema) == FLAG_SCHEMA
    kinds = ("blocking", "doubt")
    assert flags.height == sum(e.unexpected_count for r in results for e in r.expectations if e.kind in kinds)
    assert not flags.get_column("message_zh").has_nulls()
    assert set(flags.get_column("kind")) == {"doubt"}
    month = next(r for r in results if r.suite == "month_judgements")
    found = {key for e in month.expectations for key in e.keys}
    assert found == short(world.build()["judgements"], MONTHS[-1])
    assert found
