"""Every notebook runs from top to bottom on the sample, and none is committed with outputs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbclient
import nbformat
import pytest

from oversight.settings import PROJECT_ROOT, DataFolder

NOTEBOOKS = sorted((PROJECT_ROOT / "notebooks").glob("*.ipynb"))


def test_there_are_five() -> None:
    names = "".join(path.stem for path in NOTEBOOKS)
    assert all(word in names for word in ("入门", "缺口分析", "分档断崖与临界", "数据质量", "跨地区比较"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_outputs_are_committed(path: Path) -> None:
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_on_the_sample(path: Path, sample_folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERSIGHT_DATA", str(sample_folder.root))
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs]
    assert len(shown) >= 5
    told = "".join(json.dumps(output) for cell in shown for output in cell.outputs)
    assert not re.findall(r'src=\\?[\'"]https?:|import \\?[\'"]https?:', told), "a chart asks the internet"
    assert any("plotly" in json.dumps(output) for cell in shown for output in cell.outputs)
