"""Where the fonts lie that come with the installation: Noto Serif and Noto Sans CJK SC of `mplfonts` (OFL)."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from oversight.reports.errors import ReportError

SANS, SERIF = "NotoSansCJKsc-Regular.otf", "NotoSerifCJKsc-Regular.otf"


@cache
def folder() -> Path:
    """The folder with the font files, found without importing the package (that would import matplotlib)."""
    spec = find_spec("mplfonts")
    found = Path(spec.origin).parent / "fonts" if spec and spec.origin else None
    if found is None or not (found / SANS).is_file() or not (found / SERIF).is_file():
        raise ReportError("缺少中文字体（Python 包 mplfonts）。请重新执行 make setup。")
    return found
