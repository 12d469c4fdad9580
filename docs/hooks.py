"""Pages of the site that are made when it is built, from contracts, dbt and standards; nothing is written by hand twice."""

from __future__ import annotations

from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from oversight import handbook


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages; stop the build where a table or column is not described."""
    wrong = handbook.problems()
    if wrong:
        raise PluginError("数据字典不完整：\n" + "\n".join(wrong))
    for path, text in handbook.pages().items():
        files.append(File.generated(config, f"generated/{path}", content=text))
    return files
