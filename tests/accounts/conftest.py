"""The sample with accounts of every role, in the application itself and as it is served."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from oversight.accounts import store
from oversight.dashboard.app import create_app
from oversight.settings import DataFolder
from tests.accounts.asking import ACCOUNTS, Browser, add_accounts


def with_accounts(sample: DataFolder, root: Any) -> DataFolder:
    """A folder with the sample's editions, its returned workbooks, and accounts."""
    shutil.copytree(sample.marts, root / "marts", copy_function=os.link, symlinks=True)
    if sample.returned.is_dir():
        shutil.copytree(sample.returned, root / "returned", copy_function=os.link)
    folder = DataFolder.at(root)
    add_accounts(folder)
    return folder


@pytest.fixture(scope="session")
def folder(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFolder]:
    """The sample with accounts."""
    made = with_accounts(sample_folder, tmp_path_factory.mktemp("accounts"))
    yield made
    store.forget(made)


@pytest.fixture(scope="session")
def app(folder: DataFolder) -> Any:
    """The application over it."""
    return create_app(folder)


@pytest.fixture
def anonymous(app: Any) -> Browser:
    """A browser nobody signed in with."""
    return Browser(app.server.test_client())


@pytest.fixture(scope="session")
def signed_in(app: Any) -> dict[str, Browser]:
    """A browser for each account."""
    found = {}
    for name in ACCOUNTS:
        found[name] = Browser(app.server.test_client())
        assert found[name].sign_in(name).status_code == 303
    return found
