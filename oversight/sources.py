"""Sources beyond files: database tables and HTTP addresses, pulled into raw/ as files like any other.

`sources.toml` in the data folder names them. What a source gives is written as a CSV file under raw/拉取/ with
its headers untouched, and only when the content changed; from there on it is taken in, judged and kept by its
hash like any file a township sends. A source that fails is told in one line and does not stop the run.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oversight import durable
from oversight.errors import OversightError
from oversight.references import PULLED
from oversight.settings import DataFolder, from_environment

if TYPE_CHECKING:
    import polars as pl

DATASETS = ("divisions", "population", "budget", "staffing", "indicators", "payments")

TIMEOUT_SECONDS = 30
ATTEMPTS = 3
PAUSE_SECONDS = 1.0
MAX_BYTES = 200 * 1024 * 1024

EXAMPLE = """\
# 直接从数据库或网址取数。每个来源写一段；去掉行首的 # 即启用。
# 取来的内容存为 raw/拉取/<file>，列名须与报表模板一致，内容没有变化时不会重复保存。
# 密码不要写在这里：用 ${变量名} 引用环境变量。

# [[source]]
# name = "财政预算库"
# dataset = "budget"              # divisions、population、budget、staffing、indicators、payments 之一
# report_source = "treasury"      # 谁报的数：乡镇自己的不写；treasury 财政国库、police 公安，另见 standards/report_sources.csv
# file = "财政预算.csv"
# url = "postgresql+psycopg://reader:${BUDGET_PASSWORD}@10.0.0.5/finance"
# query = 'select "统计月份", "区划代码", "乡镇名称", "年初预算(元)", "本月拨付(元)" from budget'

# [[source]]
# name = "人口接口"
# dataset = "population"
# file = "户籍人口.csv"
# url = "http://10.0.0.8/population.json"   # 给出 CSV 或 JSON（对象的列表）
# headers = { Authorization = "Bearer ${POPULATION_TOKEN}" }
"""


class SourceError(OversightError):
    """One source could not be pulled, or sources.toml cannot be understood."""


@dataclass(frozen=True)
class Source:
    """A table or address to pull: `query` for a database, none for an HTTP address.

    `report_source`: whose report it is where it is not the townships' own (treasury, police, …).
    """

    name: str
    dataset: str
    file: str
    url: str
    query: str | None = None
    report_source: str | None = None
    headers: Mapping[str, str] | None = None

    @property
    def is_http(self) -> bool:
        """Whether it is an address rather than a database."""
        return self.url.startswith(("http://", "https://"))


def read_sources(folder: DataFolder) -> list[Source]:
    """The sources of a data folder; raises `SourceError` when the file cannot be understood."""
    if not folder.sources_toml.is_file():
        return []
    try:
        content = tomllib.loads(folder.sources_toml.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{folder.sources_toml} 格式有误（{error}）。请对照 oversight init 给出的样例修改。"
        ) from error
    entries = content.get("source", [])
    if not isinstance(entries, list) or set(content) - {"source"}:
        raise SourceError(
            f"{folder.sources_toml} 只能有 [[source]] 段。请对照 oversight init 给出的样例修改。"
        )
    return [_source(folder, number, entry) for number, entry in enumerate(entries, 1)]


def pull(folder: DataFolder, *, say: Callable[[str], None]) -> list[Path]:
    """Pull every source; returns the files whose content is new. What fails is said and skipped."""
    try:
        sources = read_sources(folder)
    except SourceError as error:
        say(f"  ✗ {error}")
        return []
    written = []
    for source in sources:
        try:
            path = _keep(folder, source, _csv(source))
        except SourceError as error:
            say(f"  ✗ 来源“{source.name}”未取到：{error}")
        else:
            say(
                f"  ✓ 来源“{source.name}”："
                + (f"已存为 {path.relative_to(folder.raw)}" if path else "没有变化")
            )
            written += [path] if path else []
    return written


def _source(folder: DataFolder, number: int, entry: Mapping[str, Any]) -> Source:
    where = f"{folder.sources_toml} 第 {number} 个来源"
    missing = [name for name in ("name", "dataset", "file", "url") if not isinstance(entry.get(name), str)]
    if missing:
        raise SourceError(f"{where}缺少 {'、'.join(missing)}。请补上。")
    unknown = sorted(set(entry) - set(Source.__annotations__))
    if unknown:
        raise SourceError(f"{where}有不认识的设置 {'、'.join(unknown)}。请删去或改正。")
    source = Source(**entry)
    if source.dataset not in DATASETS:
        raise SourceError(f"{where}的 dataset 是“{source.dataset}”，应为 {'、'.join(DATASETS)} 之一。")
    if Path(source.file).name != source.file or not source.file.endswith(".csv"):
        raise SourceError(f"{where}的 file 是“{source.file}”，应为不带目录、以 .csv 结尾的文件名。")
    if not source.is_http and not source.query:
        raise SourceError(f"{where}是数据库，须写明 query（取哪些列）。")
    if re.search(r"://[^/@:]*:(?!\$\{)[^@/]+@", source.url):
        raise SourceError(f"{where}的 url 里写着密码。请改为 ${{变量名}}，把密码放到环境变量里。")
    return source


def _filled(text: str, *, quote: bool = False) -> str:
    try:
        return from_environment(text, quote=quote)
    except OversightError as error:
        raise SourceError(str(error)) from error


def _csv(source: Source) -> bytes:
    frame = _from_http(source) if source.is_http else _from_database(source)
    if frame.is_empty():
        raise SourceError("没有取到任何一行。请检查来源是否有数据。")
    return frame.write_csv().encode("utf-8")


def _from_database(source: Source) -> pl.DataFrame:
    import polars as pl
    import sqlalchemy

    url = sqlalchemy.make_url(_filled(source.url, quote=True))
    limits = {"connect_timeout": TIMEOUT_SECONDS} if url.get_backend_name() in ("postgresql", "mysql") else {}
    engine = sqlalchemy.create_engine(url, connect_args=limits)
    try:
        with engine.connect() as connection:
            # Everything as text: what the file says is for intake to judge, not for type inference.
            frame = pl.read_database(
                sqlalchemy.text(source.query or ""), connection, infer_schema_length=None
            )
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())[:200]
        raise SourceError(f"数据库连接或查询失败（{reason}）。请检查地址、账号和 query。") from error
    finally:
        engine.dispose()
    return frame


def _from_http(source: Source) -> pl.DataFrame:
    content, kind = _fetch(source)
    if "json" in kind or content.lstrip()[:1] in (b"[", b"{"):
        return _from_json(content)
    return _from_csv(content)


def _fetch(source: Source) -> tuple[bytes, str]:
    """Body and content type; tried again after what may pass: a timeout, a refused connection, a 5xx."""
    import time
    import urllib.error
    import urllib.request

    headers = {name: _filled(text) for name, text in (source.headers or {}).items()}
    request = urllib.request.Request(_filled(source.url, quote=True), headers=headers)
    reason = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS * attempt)
        try:
            # http and https only (`is_http`), at an address that the bureau itself wrote down.
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # nosec B310
                content = response.read(MAX_BYTES + 1)
                if len(content) > MAX_BYTES:
                    raise SourceError(f"内容超过 {MAX_BYTES // 1024 // 1024} MB。请分月提供。")
                return content, str(response.headers.get("Content-Type", ""))
        except urllib.error.HTTPError as error:
            reason = f"HTTP {error.code}"
            if error.code < 500:
                break
        except (OSError, EOFError) as error:
            reason = str(getattr(error, "reason", None) or error or type(error).__name__)
    raise SourceError(f"网址没有正常应答（{reason}）。请检查地址和网络。")


def _from_json(content: bytes) -> pl.DataFrame:
    """A list of objects, or an object in which exactly one value is such a list."""
    import polars as pl

    try:
        # Numbers stay as they are written: a float would turn 0.10 into 0.1 and lose what is long.
        data = json.loads(content, parse_float=str, parse_int=str)
    except ValueError as error:
        raise SourceError(f"内容不是有效的 JSON（{error}）。请检查接口。") from error
    if isinstance(data, dict):
        lists = [value for value in data.values() if isinstance(value, list)]
        data = lists[0] if len(lists) == 1 else None
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise SourceError("JSON 应是对象的列表，每个对象是一行。请检查接口。")
    names = list(dict.fromkeys(name for row in data for name in row))
    columns = {name: [_as_text(row.get(name)) for row in data] for name in names}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))


def _from_csv(content: bytes) -> pl.DataFrame:
    import polars as pl

    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise SourceError("内容既不是 UTF-8 也不是 GB18030 编码。请检查接口。")
    if text.lstrip()[:1] == "<":
        raise SourceError("得到的是网页，不是 CSV 或 JSON。请检查地址，或是否需要登录。")
    try:
        return pl.read_csv(text.encode("utf-8"), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise SourceError(
            f"内容不是有效的 CSV（{' '.join(str(error).split())[:120]}）。请检查接口。"
        ) from error


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return ("是" if value else "否") if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)


def _keep(folder: DataFolder, source: Source, content: bytes) -> Path | None:
    """Write what was pulled, whole or not at all, when it differs from what is there."""
    path = folder.raw / PULLED / source.file
    if path.is_file() and path.read_bytes() == content:
        return None
    durable.write_bytes(path, content)
    return path
