"""`make notebooks` opens JupyterLab on this computer alone, with a working kernel and no wish for the internet."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from oversight.settings import PROJECT_ROOT, DataFolder


def asked(base: str, path: str, token: str, body: bytes | None = None) -> Any:
    request = urllib.request.Request(base + path, data=body)
    request.add_header("Authorization", f"token {token}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


@pytest.fixture(scope="module")
def lab(sample_folder: DataFolder) -> Iterator[tuple[str, str]]:
    """Started by the very line of the Makefile, only without opening a browser; its address and token."""
    told = subprocess.run(
        ["make", "--dry-run", "notebooks", f"DATA={sample_folder.root}"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    line = next(line for line in told.splitlines() if "jupyter lab" in line)
    process = subprocess.Popen(
        f"exec env {line} --no-browser --ServerApp.port=0",
        shell=True,
        cwd=PROJECT_ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    found = None
    for text in process.stderr:
        found = re.search(r"(http://127\.0\.0\.1:\d+)/lab\?token=(\w+)", text)
        if found:
            break
    assert found, "JupyterLab did not come up"
    # The address is told before it answers.
    for _ in range(100):
        try:
            urllib.request.urlopen(found[1] + "/api", timeout=60)
            break
        except urllib.error.HTTPError:
            break
        except urllib.error.URLError:
            time.sleep(0.2)
    yield found[1], found[2]
    process.terminate()
    process.communicate(timeout=30)


def test_only_with_its_token(lab: tuple[str, str]) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(lab[0] + "/api/kernels", timeout=60)
    assert asked(lab[0], "/api/kernels", lab[1]) == []


def test_it_lists_the_notebooks_and_starts_a_kernel(lab: tuple[str, str]) -> None:
    names = {item["name"] for item in asked(lab[0], "/api/contents", lab[1])["content"]}
    assert {path.name for path in (PROJECT_ROOT / "notebooks").glob("*.ipynb")} <= names
    assert asked(lab[0], "/api/kernels", lab[1], b"{}")["name"] == "python3"


def test_it_asks_nothing_outside(lab: tuple[str, str]) -> None:
    # The addresses that would fetch news and look for updates on the server's behalf lead only to the page itself.
    for path in ("/lab/api/news", "/lab/api/update"):
        answer = urllib.request.urlopen(f"{lab[0]}{path}?token={lab[1]}", timeout=60).read().decode()
        assert answer.lstrip().lower().startswith("<!doctype html>")
    request = urllib.request.Request(lab[0] + f"/lab?token={lab[1]}")
    page = urllib.request.urlopen(request, timeout=60).read().decode()
    assert not re.findall(r'(?:src|href)="https?://(?!127\.0\.0\.1)', page)
