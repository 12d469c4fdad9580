"""`oversight licences`: under which licence each package stands that the project installs."""

from __future__ import annotations

import argparse
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from oversight.errors import OversightError
from oversight.sandbox.output import format_table
from oversight.settings import PROJECT_ROOT

UNKNOWN = "未写明"
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)
_FILE = re.compile(r"\.dist-info/(?:licenses/)?(?:LICEN[SC]E|COPYING)[^/]*$", re.IGNORECASE)
_CLASSIFIER = "License :: OSI Approved :: "


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--dev`."""
    parser.add_argument("--dev", action="store_true", help="连同开发和测试所需的包")


def run(args: argparse.Namespace) -> int:
    """Print a line a package; exit code 1 when one says nothing."""
    lock = PROJECT_ROOT / ("requirements-dev.lock" if args.dev else "requirements.lock")
    if not lock.is_file():
        raise OversightError(f"没有 {lock.name}：请在项目目录里运行。")
    rows = [_row(name, version) for name, version in _LOCKED.findall(lock.read_text("utf-8"))]
    print(format_table(["包", "版本", "许可证"], rows))
    silent = [row[0] for row in rows if row[2] == UNKNOWN]
    print(f"\n共 {len(rows)} 个包。" + (f"没有写明许可证：{'、'.join(silent)}。" if silent else ""))
    return 1 if silent else 0


def _row(name: str, locked: str) -> tuple[str, str, str]:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return name, locked, "本机未安装"
    return name, found.version, licence_of(found)


def licence_of(found: Distribution) -> str:
    """What a package says of its licence: the expression, else the classifiers, else how the text begins."""

    def told(name: str) -> str:
        return str(found.metadata[name] or "") if name in found.metadata else ""

    if told("License-Expression"):
        return told("License-Expression")
    classifiers = found.metadata.get_all("Classifier") or ()
    named = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith(_CLASSIFIER)]
    if named:
        return " / ".join(sorted(named))
    texts = [told("License")]
    texts += [file.read_text("utf-8") for file in found.files or () if _FILE.search(str(file))]
    first = next((line.strip() for text in texts for line in text.splitlines() if line.strip()), "")
    return first[:60] or UNKNOWN
