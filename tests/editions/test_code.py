"""The code fingerprint follows what the steps of a run import, and nothing that only reads editions."""

from __future__ import annotations

import ast
from pathlib import Path

from oversight.editions import code
from oversight.settings import PROJECT_ROOT


def names_imported(path: Path) -> set[str]:
    """What Python's own parser says that a file imports of ours."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.split(".")[0] in ("oversight", "dagster_project")}


def test_every_import_of_a_followed_module_is_followed() -> None:
    followed = {path.relative_to(PROJECT_ROOT).as_posix() for path in code.modules_of_a_run()}
    for path in followed:
        for name in names_imported(PROJECT_ROOT / path):
            place = name.replace(".", "/")
            for file in (f"{place}.py", f"{place}/__init__.py"):
                assert file in followed or not (PROJECT_ROOT / file).is_file(), f"{path} imports {name}"


def test_labels_and_rules_take_part_and_readers_do_not() -> None:
    followed = {path.relative_to(PROJECT_ROOT).as_posix() for path in code.modules_of_a_run()}
    assert {
        "oversight/presentation.py",
        "oversight/dictionary.py",
        "oversight/intake/judging/judge.py",
    } <= followed
    readers = ("oversight/dashboard/", "oversight/reports/", "oversight/accounts/", "oversight/workflow/")
    assert not [path for path in followed if path.startswith(readers)]


def test_a_new_module_counts_as_soon_as_a_step_imports_it(tmp_path: Path) -> None:
    for name, text in {
        "dagster_project/__init__.py": "",
        "dagster_project/assets.py": "def step():\n    from oversight.steps import (\n        first,\n    )\n",
        "oversight/__init__.py": "",
        "oversight/steps/__init__.py": "",
        "oversight/steps/first.py": "import oversight.second as other\n",
        "oversight/second.py": "",
        "oversight/third.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = {path.relative_to(tmp_path).as_posix() for path in code.modules_of_a_run(tmp_path)}
    assert {"oversight/steps/first.py", "oversight/second.py"} <= found
    assert "oversight/third.py" not in found


def test_what_lies_beside_the_code_takes_part() -> None:
    beside = {path.relative_to(PROJECT_ROOT).as_posix() for path in code._beside(code.modules_of_a_run())}
    assert "oversight/intake/judging/defaults/due_dates.csv" in beside
    assert not [path for path in beside if "__pycache__" in path]
