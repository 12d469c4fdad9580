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
    # Under each chart stands what it shows, in words and with numbers; axes are called in Chinese.
    findings = ["".join(o["data"].get("text/markdown", "") for o in c.outputs if "data" in o) for c in shown]
    for number, cell in enumerate(shown):
        text = "".join(o["data"].get("text/html", "") for o in cell.outputs if "data" in o)
        if "Plotly.newPlot" in text:
            assert re.search(r"[\u4e00-\u9fff].*\d", findings[number + 1], re.S), cell.source
            assert "Noto Sans" in text, "not as the house draws"
            titles = re.findall(
                r'"[xy]axis":\{.*?"title":\{"text":"(.*?)"', text.encode().decode("unicode_escape", "ignore")
            )
            assert not [title for title in titles if re.search("[A-Za-z_]{3}", title)], titles
    told_zh = "".join(findings)
    if "数据质量" in path.stem:
        # H01 stands at ten cells of two rows.
        assert "待确认 **2** 行" in told_zh
    if "断崖" in path.stem:
        assert "A-10：人口过 **20,000** 人，全年应保障由 6.72 万元变为 5.28 万元" in told_zh
        assert "A-10 标准" in told.encode().decode("unicode_escape", "ignore")
