"""Pages of the site that are made when it is built; nothing is written by hand twice.

The dictionary comes from contracts, dbt and standards; the report and the way standards are written are told in pages
beside the guide, which developers read too; the report's settings are their own file.
"""

from __future__ import annotations

from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from oversight import handbook
from oversight.settings import PROJECT_ROOT

# Pages of `docs/` that belong to the guide as well.
_SHARED = ("report.md", "standards.md")


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages; stop the build where a table or column is not described."""
    wrong = handbook.problems()
    if wrong:
        raise PluginError("数据字典不完整：\n" + "\n".join(wrong))
    for path, text in handbook.pages().items():
        files.append(File.generated(config, f"generated/{path}", content=text))
    for name in _SHARED:
        files.append(File.generated(config, name, content=(PROJECT_ROOT / "docs" / name).read_text("utf-8")))
    return files
