"""Paths, time zone and limits: the one place that knows where things lie."""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import quote_plus
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
    def policy(self) -> Path:
        """A bureau's own copies of the policy documents, so that a clause can be opened at its place."""
        return self.root / "policy"

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

    @cached_property
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
    def handed_in(self) -> Path:
        """Receipts of the files that were handed in through the dashboard."""
        return self.root / "handed_in"

    @property
    def reviews(self) -> Path:
        """What was handed in and waits for a reviewer, and what reviewers decided; the contents lie in the archive."""
        return self.root / "reviews"

    @property
    def marts(self) -> Path:
        """Published editions and the pointer to the current one."""
        return self.root / "marts"

    @property
    def logs(self) -> Path:
        """What the service and the runs did, a line of JSON each; may be deleted at any time."""
        return self.root / "logs"

    @property
    def work(self) -> Path:
        """Private build files; may be deleted at any time between runs."""
        return self.root / ".work"

    @property
    def inputs(self) -> Path:
        """Build inputs of the run in progress, read by dbt."""
        return self.work / "inputs"

    @property
    def receipts(self) -> Path:
        """A signed receipt for each file that was taken in."""
        return self.root / "receipts"

    @property
    def keys(self) -> Path:
        """The key that editions and receipts are signed with, and the public ones they are checked by."""
        return self.root / "keys"

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

# 单个文件超过这么多 MB 的不读取、不存档，按“文件过大”退回。
# archive_file_mb = 1024
# 含身份证号、银行账号等个人信息列的文件加密存档，存满这么多天后删除（校验值和收文记录保留）。
# personal_days = 365
# 从未算数的存档（审核退回的、报送人在审核前撤回的）这么多天后删除；不写则一直保留。收文台账里的一律保留。
# archive_days = 730
# 已发布的版本保留多少个（当前版和通报所依据的版本总是保留）。
# editions_kept = 24
# 退回件写出这么多天后删除；不写则保留到问题解决。
# returned_days = 180

# 登录（不写时账号放在本目录的 accounts.sqlite；第一个账号用 oversight user add 建立）：
# [accounts]
# database = "postgresql+psycopg://oversight:${ACCOUNTS_PASSWORD}@10.0.0.5/oversight"
# idle_minutes = 60          # 多久不用就要重新登录
# session_hours = 12         # 最长多久要重新登录
# proxy_header = "X-Remote-User"        # 由本单位门户登录：门户写账号名的请求头
# proxy_addresses = ["10.0.0.8"]        # 只有来自这些地址的请求头才作数

# 审核：这些地区报送的文件先由审核员采用，才进入下一次运行（["000000"] 为全部）。
# [review]
# divisions = ["130324"]
"""


@dataclass(frozen=True)
class AccountsSettings:
    """How people sign in."""

    database: str = ""
    idle_minutes: int = 60
    session_hours: int = 12
    proxy_header: str = ""
    proxy_addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReviewSettings:
    """Of which divisions a reviewer accepts what is handed in before it enters a run."""

    divisions: tuple[str, ...] = ()


@dataclass(frozen=True)
class FolderSettings:
    """What a data folder's `settings.toml` says; without one the tables end with the last month reported."""

    rows_until: RowsUntil = "last_reported"
    accounts: AccountsSettings = AccountsSettings()
    review: ReviewSettings = ReviewSettings()
    # A larger file is neither read nor kept.
    archive_file_mb: int = 1024
    # Contents with personal columns are deleted after so many days.
    personal_days: int = 365
    # Contents that never counted are deleted after so many days; None: never.
    archive_days: int | None = None
    editions_kept: int = EDITIONS_KEPT
    # Returned workbooks go after so many days; None: when nothing is left to be said.
    returned_days: int | None = None


def folder_settings(folder: DataFolder) -> FolderSettings:
    """The settings of a data folder; raises, saying what may be written, for anything else in the file."""
    if not folder.settings_toml.is_file():
        return FolderSettings()
    try:
        told = tomllib.loads(folder.settings_toml.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OversightError(f"{folder.settings_toml} 格式有误（{error}）。请改正后重新运行。") from error
    known = FolderSettings.__annotations__
    unknown = sorted(set(told) - set(known))
    if unknown:
        raise OversightError(
            f"{folder.settings_toml} 里没有“{'、'.join(unknown)}”这一项，可用的是 {'、'.join(known)}。请删去或改正。"
        )
    rows_until = told.get("rows_until", "last_reported")
    if rows_until not in _ROWS_UNTIL:
        raise OversightError(
            f"{folder.settings_toml} 的 rows_until 是“{rows_until}”，应为 {' 或 '.join(_ROWS_UNTIL)}。请改正。"
        )
    parts = ("rows_until", "accounts", "review")
    numbers = {name: told[name] for name in known if name not in parts and name in told}
    for name, number in numbers.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise OversightError(
                f"{folder.settings_toml} 的 {name} 是“{number}”，应为大于 0 的整数。请改正。"
            )
    accounts = _accounts(folder, told.get("accounts", {}))
    return FolderSettings(
        cast(RowsUntil, rows_until), accounts, _review(folder, told.get("review", {})), **numbers
    )


def _review(folder: DataFolder, told: Any) -> ReviewSettings:
    where = f"{folder.settings_toml} 的 [review]"
    if not isinstance(told, Mapping) or set(told) - {"divisions"}:
        raise OversightError(f'{where} 只有 divisions 一项，写成 divisions = ["130324"]。请改正。')
    codes = told.get("divisions", [])
    if not isinstance(codes, list) or not all(
        isinstance(code, str) and re.fullmatch(r"\d{6}|\d{9}", code) for code in codes
    ):
        raise OversightError(
            f'{where} 的 divisions 应为 6 位或 9 位区划代码的列表，如 ["130324"]；全部写 ["000000"]。请改正。'
        )
    return ReviewSettings(tuple(codes))


def _accounts(folder: DataFolder, told: Any) -> AccountsSettings:
    where = f"{folder.settings_toml} 的 [accounts]"
    kinds = {
        "database": str,
        "idle_minutes": int,
        "session_hours": int,
        "proxy_header": str,
        "proxy_addresses": list,
    }
    if not isinstance(told, Mapping):
        raise OversightError(f"{where} 应为一节，写成 [accounts] 单独一行。请改正。")
    for name, value in told.items():
        kind = kinds.get(name)
        if kind is None:
            raise OversightError(f"{where} 里没有“{name}”这一项，可用的是 {'、'.join(kinds)}。请删去或改正。")
        if type(value) is not kind:
            said = {str: "文字", int: "整数", list: "列表"}[kind]
            raise OversightError(f"{where} 的 {name} 应为{said}。请改正。")
    addresses = tuple(told.get("proxy_addresses", ()))
    for address in addresses:
        try:
            ipaddress.ip_network(address)
        except ValueError as error:
            raise OversightError(
                f"{where} 的 proxy_addresses 里“{address}”不是地址或网段。请改正。"
            ) from error
    if bool(told.get("proxy_header")) != bool(addresses):
        raise OversightError(f"{where} 的 proxy_header 与 proxy_addresses 要同时写：只信任所列地址的请求头。")
    if not 1 <= told.get("idle_minutes", 60) <= 24 * 60 or not 1 <= told.get("session_hours", 12) <= 24 * 7:
        raise OversightError(f"{where} 的 idle_minutes 应为 1 到 1440，session_hours 应为 1 到 168。请改正。")
    if re.search(r"://[^/@:]*:(?!\$\{)[^@/]+@", told.get("database", "")):
        raise OversightError(f"{where} 的 database 里写着密码。请改为 ${{变量名}}，把密码放到环境变量里。")
    return AccountsSettings(**{**told, "proxy_addresses": addresses})


def from_environment(text: str, *, quote: bool = False) -> str:
    """Replace `${NAME}` by the environment variable, escaped where it stands inside an address."""

    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if found is None:
            raise OversightError(f"环境变量 {match[1]} 没有设置。请设置后重新运行。")
        return quote_plus(found) if quote else found

    return re.sub(r"\$\{(\w+)\}", value, text)
