"""The sample with accounts, in folders of their own that reports may be handed in to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oversight.accounts import store
from oversight.dashboard.app import create_app
from oversight.settings import DataFolder
from tests.accounts.asking import add_accounts


def own_copy(sample: DataFolder, root: Path, *, with_accounts: bool = True) -> DataFolder:
    """A copy of the sample after its run, that may be changed."""
    shutil.copytree(sample.marts, root / "marts", copy_function=os.link, symlinks=True)
    for name in ("raw", "landed", "archive", "returned"):
        if (sample.root / name).is_dir():
            shutil.copytree(sample.root / name, root / name)
    folder = DataFolder.at(root)
    if with_accounts:
        add_accounts(folder)
    return folder


@pytest.fixture(scope="module")
def folder(sample_folder: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFolder]:
    """The sample with accounts."""
    made = own_copy(sample_folder, tmp_path_factory.mktemp("handing in"))
    yield made
    store.forget(made)


@pytest.fixture(scope="module")
def app(folder: DataFolder) -> Any:
    """The application over it."""
    return create_app(folder)
