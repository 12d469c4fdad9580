"""The sample, served once for all tests of the dashboard."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from oversight.dashboard.shelf import Shelf
from oversight.dashboard.warehouse import Warehouse
from oversight.editions import find_edition
from oversight.settings import DataFolder
from tests.dashboard.browsing import Served, Visit, serving, visiting


@pytest.fixture(scope="session")
def dashboard_folder(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """The sample's editions, apart, so that tests may publish beside them."""
    root = tmp_path_factory.mktemp("dashboard")
    shutil.copytree(sample_folder.marts, root / "marts", copy_function=os.link, symlinks=True)
    if sample_folder.returned.is_dir():
        shutil.copytree(sample_folder.returned, root / "returned", copy_function=os.link)
    return DataFolder.at(root)


@pytest.fixture(scope="session")
def served(dashboard_folder: DataFolder) -> Iterator[Served]:
    """The sample, served."""
    with serving(dashboard_folder) as running:
        yield running


@pytest.fixture(scope="session")
def warehouse(dashboard_folder: DataFolder) -> Warehouse:
    """The sample's edition as the query layer opens it."""
    shelf = Shelf(dashboard_folder)
    edition_id = shelf.current_id()
    assert edition_id is not None
    return shelf.warehouse(edition_id)


@pytest.fixture(scope="session")
def sql(dashboard_folder: DataFolder) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same edition as any DuckDB client opens it."""
    connection = duckdb.connect(str(find_edition(dashboard_folder).warehouse), read_only=True)
    yield connection
    connection.close()


@pytest.fixture
def visit(chromium: Any, served: Served) -> Iterator[Visit]:
    """A desktop browser on the served sample."""
    with visiting(chromium, served.base) as opened:
        yield opened
