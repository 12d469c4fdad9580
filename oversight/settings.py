"""Paths, time zone and limits: the one place that knows where things lie."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast
from zoneinfo import ZoneInfo

from oversight.errors import OversightError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DBT_DIR = PROJECT_ROOT / "dbt"
TIME_ZONE = ZoneInfo("Asia/Shanghai")

# An open reader keeps its own file on Linux; this many keep every reader's edition listed and comparable.
EDITIONS_KEPT = 24


@dataclass(frozen=True)
class DataFolder:
    """A bureau's data folder: what it puts in (raw, standards, corrections, sources) and what is made from it."""

    root: Path

    @classmethod
    def at(cls, path: str | Path | None) -> DataFolder:
        """The folder at `path`, or the project's own `data/` when none is named."""
        return cls(Path(path).expanduser().resolve() if path else PROJECT_ROOT / "data")

    @property
    def raw(self) -> Path:
        """Files as they were received, in any subfolder."""
        return self.root / "raw"

    @property
    def standards(self) -> Path:
        """A bureau's own standards: CSV files with the columns of the project's seeds."""
        return self.root / "standards"

    @property
    def corrections(self) -> Path:
        """Corrections and confirmations by the analyst, as CSV files."""
        return self.root / "corrections"

    @property
    def headings(self) -> Path:
        """Answers to what a heading means, by sender and layout."""
        return self.root / "headings.csv"

    @property
    def sources_toml(self) -> Path:
        """Databases and HTTP addresses to pull from."""
        return self.root / "sources.toml"

    @property
    def settings_toml(self) -> Path:
        """How the tables of this folder are made; see `folder_settings`."""
        return self.root / "settings.toml"

    @property
    def archive(self) -> Path:
        """Every content ever received, byte for byte, by its SHA-256."""
        return self.root / "archive"

    @property
    def landed(self) -> Path:
        """The ledger and the parsed rows, by content hash."""
        return self.root / "landed"

    @property
    def returned(self) -> Path:
        """Senders' own workbooks with their mistakes marked."""
        return self.root / "returned"

    @property
    def marts(self) -> Path:
        """Published editions and the pointer to the current one."""
        return self.root / "marts"

    @property
    def work(self) -> Path:
        """Private build files; may be deleted at any time between runs."""
        return self.root / ".work"

    @property
    def inputs(self) -> Path:
        """Build inputs of the run in progress, read by dbt."""
        return self.work / "inputs"

    @property
    def dagster_home(self) -> Path:
        """Run history."""
        return self.root / ".dagster"


RowsUntil = Literal["last_reported", "last_due"]
_ROWS_UNTIL: tuple[RowsUntil, ...] = ("last_reported", "last_due")
SETTINGS_EXAMPLE = """\
# 各表的最后一个月：last_due 为截止日已过的最后一个月（没有人报也有行、有通报、有催报）；
# last_reported 为有人报过的最后一个月。
rows_until = "last_due"
"""


@dataclass(frozen=True)
class FolderSettings:
    """What a data folder's `settings.toml` says; without one the tables end with the last month reported."""

    rows_until: RowsUntil = "last_reported"


def folder_settings(folder: DataFolder) -> FolderSettings:
    """The settings of a data folder; raises, saying what may be written, for anything else in the file."""
    if not folder.settings_toml.is_file():
        return FolderSettings()
    try:
        told = tomllib.loads(folder.settings_toml.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OversightError(f"{folder.settings_toml} 格式有误（{error}）。请改正后重新运行。") from error
    unknown = sorted(set(told) - {"rows_until"})
    if unknown:
        raise OversightError(
            f"{folder.settings_toml} 里没有“{'、'.join(unknown)}”这一项，可用的是 rows_until。请删去或改正。"
        )
    rows_until = told.get("rows_until", "last_reported")
    if rows_until not in _ROWS_UNTIL:
        raise OversightError(
            f"{folder.settings_toml} 的 rows_until 是“{rows_until}”，应为 {' 或 '.join(_ROWS_UNTIL)}。请改正。"
        )
    return FolderSettings(cast(RowsUntil, rows_until))
