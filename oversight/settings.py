"""Paths, time zone and limits: the one place that knows where things lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

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
    def sources_toml(self) -> Path:
        """Databases and HTTP addresses to pull from."""
        return self.root / "sources.toml"

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
