"""Lists that intake and the models both read: the funds (资金项目) and the sources that reports come from.

The project's own rows are the dbt seeds `funds.csv` and `report_sources.csv`; a data folder's `standards/` adds rows
of the same columns or replaces those of the same code. They stand outside both rooms, because intake puts the codes on
the rows that the models then count by.
"""

from __future__ import annotations

import csv
import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from oversight.errors import OversightError
from oversight.settings import DBT_DIR, DataFolder

WORKING_FUNDS = "working_funds"
TOWNSHIP = "township"
# A fund that no list names keeps its own name behind this, so that two of them never become one.
UNLISTED = "unlisted:"
# Where pulled files are put, under raw/.
PULLED = "拉取"
FILES = ("funds", "report_sources")
_SEEDS = DBT_DIR / "seeds"
# What offices add to a fund's name without meaning another one.
_FUND_ENDINGS = re.compile(r"(?:专项)?(?:补助)?(?:资金|经费|款|项目)$")


@dataclass(frozen=True)
class Fund:
    """A fund: what it is called, and the matter that standards are compared with it by."""

    code: str
    name: str
    other_names: tuple[str, ...]
    matter: str
    budget_includes_carryover: bool


@dataclass(frozen=True)
class ReportSource:
    """Who may report: `reporter` and `folder` are patterns of the office's and of the folder's name."""

    code: str
    name: str
    reporter: re.Pattern[str] | None
    folder: re.Pattern[str] | None
    is_own: bool


@dataclass(frozen=True)
class References:
    """Funds and sources as they hold for a data folder. `files`: name under raw/ → source, as sources.toml says."""

    funds: Sequence[Fund]
    sources: Sequence[ReportSource]
    files: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _fund_names(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for fund in self.funds:
            for name in (fund.name, *fund.other_names):
                names.setdefault(_folded(name), fund.code)
                names.setdefault(_FUND_ENDINGS.sub("", _folded(name)), fund.code)
        return names

    @cached_property
    def own(self) -> frozenset[str]:
        """The sources whose reports fulfil a township's duty to report."""
        return frozenset(source.code for source in self.sources if source.is_own)

    def fund_of(self, written: str | None) -> str:
        """The code of the fund that a cell names; blank is the working funds, an unknown name stays what it is."""
        folded = _folded(written or "")
        if not folded:
            return WORKING_FUNDS
        known = self._fund_names.get(folded) or self._fund_names.get(_FUND_ENDINGS.sub("", folded))
        return known or UNLISTED + folded

    def _office(self, name: str) -> str | None:
        """The source that an office is; None where it is none that the list knows."""
        said = [s for s in self.sources if s.reporter and s.reporter.search(name)]
        return next((s.code for s in said if not s.is_own), said[0].code if said else None)

    def source_of(self, reporter: str | None, file_name: str) -> str:
        """Who reported: what sources.toml says of the file, else the office that fills it in, else the folder.

        A county office that reports for its townships speaks for them, so everything that names nobody else is theirs;
        a township's own report stays its own in whatever folder it lies.
        """
        if file_name in self.files:
            return self.files[file_name]
        # Where several offices sign together (公安分局、民政局), it is the townships' own side that reports.
        offices = [part for part in re.split(r"[、,，;；/和与]", reporter or "") if part]
        said = [self._office(part) for part in offices]
        if said and any(said):
            return said[0] if all(one not in (None, *self.own) for one in said) and said[0] else TOWNSHIP
        for folder in reversed(file_name.replace("\\", "/").split("/")[:-1]):
            for source in self.sources:
                if source.folder and source.folder.search(folder):
                    return source.code
        return TOWNSHIP


def load_references(folder: DataFolder | None = None) -> References:
    """The seeds with the data folder's own rows; raises, saying where, for a row that cannot be used."""
    funds: dict[str, Fund] = {}
    sources: dict[str, ReportSource] = {}
    for path in _paths("funds", folder):
        for number, row in _rows(path, ("fund_code", "fund_name", "matter")):
            funds[row["fund_code"]] = _fund(path, number, row)
    for path in _paths("report_sources", folder):
        for number, row in _rows(path, ("source", "source_name")):
            sources[row["source"]] = _source(path, number, row)
    return References(tuple(funds.values()), tuple(sources.values()), _pulled(folder, frozenset(sources)))


def _paths(name: str, folder: DataFolder | None) -> list[Path]:
    own = [folder.standards / f"{name}.csv"] if folder else []
    return [_SEEDS / f"{name}.csv", *(path for path in own if path.is_file())]


def _rows(path: Path, required: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_bytes().decode("gb18030", "replace")
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in required if name not in (reader.fieldnames or ())]
    if missing:
        raise OversightError(
            f"{path.name} 第 1 行：缺少列 {'、'.join(missing)}。请照 dbt/seeds/{path.name} 的表头补齐。"
        )
    rows = []
    for number, row in enumerate(reader, 2):
        told = {name: (value or "").strip() for name, value in row.items() if isinstance(name, str)}
        if not any(told.values()):
            continue
        blank = [name for name in required if not told[name]]
        if blank:
            raise OversightError(
                f"{path.name} 第 {number} 行：{'、'.join(blank)} 不能为空。请补填后重新运行。"
            )
        rows.append((number, told))
    return rows


_FLAGS = {"true": True, "false": False, "是": True, "否": False, "1": True, "0": False, "": False}


def _flag(path: Path, number: int, row: Mapping[str, str], name: str) -> bool:
    written = row.get(name, "").lower()
    if written not in _FLAGS:
        raise OversightError(
            f"{path.name} 第 {number} 行“{name}”列：“{written}”应为 true 或 false。请改正后重新运行。"
        )
    return _FLAGS[written]


def _fund(path: Path, number: int, row: Mapping[str, str]) -> Fund:
    names = [name.strip() for name in re.split(r"[;；、]", row.get("other_names", "")) if name.strip()]
    carried = _flag(path, number, row, "budget_includes_carryover")
    return Fund(row["fund_code"], row["fund_name"], tuple(names), row["matter"], carried)


def _source(path: Path, number: int, row: Mapping[str, str]) -> ReportSource:
    patterns: list[re.Pattern[str] | None] = []
    for name in ("reporter_pattern", "folder_pattern"):
        try:
            patterns.append(re.compile(row[name]) if row.get(name) else None)
        except re.error as error:
            raise OversightError(
                f"{path.name} 第 {number} 行“{name}”列：“{row[name]}”不是有效的写法（{error}）。"
                "几个名称用 | 隔开即可。请改正后重新运行。"
            ) from error
    reporter, place = patterns
    return ReportSource(
        row["source"], row["source_name"], reporter, place, _flag(path, number, row, "is_own")
    )


def _pulled(folder: DataFolder | None, known: frozenset[str]) -> dict[str, str]:
    """Files that are pulled, and whose reports they are (`report_source` in sources.toml)."""
    if folder is None or not folder.sources_toml.is_file():
        return {}
    try:
        entries = tomllib.loads(folder.sources_toml.read_text("utf-8")).get("source", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # Said by whoever pulls; what was pulled before is judged without it.
        return {}
    found = {}
    for entry in entries if isinstance(entries, list) else ():
        source, file = entry.get("report_source"), entry.get("file")
        if source is None or not isinstance(file, str):
            continue
        if source not in known:
            raise OversightError(
                f"{folder.sources_toml} 的 report_source 是“{source}”，应为 {'、'.join(sorted(known))} 之一。"
                "另有来源请先写入 standards/report_sources.csv。"
            )
        found[f"{PULLED}/{file}"] = str(source)
    return found


def _folded(text: str) -> str:
    """A name without spaces, brackets and quotation marks, so that 村(社区) and 村（社区） meet."""
    return re.sub(r"[\s()\[\]〔〕“”\"'·、,，：:—-]", "", unicodedata.normalize("NFKC", text))
