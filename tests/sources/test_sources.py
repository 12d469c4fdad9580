"""Sources beyond files: a real PostgreSQL server, a local HTTP server, and everything that can go wrong."""

from __future__ import annotations

import http.server
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oversight import sources
from oversight.settings import DataFolder
from oversight.sources import pull, read_sources

HEADER = "统计月份,区划代码,乡镇名称,年初预算(元),本月拨付(元)"


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    (tmp_path / "raw").mkdir()
    return DataFolder.at(tmp_path)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(sources, "TIMEOUT_SECONDS", 2)


def configure(folder: DataFolder, url: str, more: str = "", file: str = "经费.csv") -> None:
    text = f'[[source]]\nname = "经费库"\ndataset = "budget"\nfile = "{file}"\nurl = "{url}"\n{more}\n'
    folder.sources_toml.write_text(text, "utf-8")


def pulled(folder: DataFolder) -> tuple[list[Path], str]:
    said: list[str] = []
    return pull(folder, say=said.append), "\n".join(said)


# ---------------------------------------------------------------- PostgreSQL


def server_program(name: str) -> str | None:
    """The program of a PostgreSQL server; Debian keeps them out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A PostgreSQL server of our own, with a password; its port."""
    initdb, server = server_program("initdb"), server_program("postgres")
    if not initdb or not server:
        pytest.skip("no PostgreSQL server is installed (initdb, postgres)")
    base = tmp_path_factory.mktemp("postgres")
    # The server refuses to run as root.
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:
        import pwd

        user = next((u for u in ("postgres", "nobody") if any(p.pw_name == u for p in pwd.getpwall())), None)
        if user is None:
            pytest.skip("running as root and no other user to run PostgreSQL as")
        as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
        temporary = Path(tempfile.gettempdir())
        for parent in (base, *base.parents):
            if parent != temporary and parent.is_relative_to(temporary):
                parent.chmod(parent.stat().st_mode | 0o055)
        os.chown(base, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    (base / "password").write_text("机密/1@x", "utf-8")
    (base / "password").chmod(0o644)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(base)}
    subprocess.run(
        [
            *(initdb, "-D", str(base / "data"), "-U", "reader", "--pwfile", str(base / "password")),
            *("--auth-host=scram-sha-256", "--auth-local=scram-sha-256", "-E", "UTF8", "-N"),
        ],
        check=True,
        capture_output=True,
        env=environment,
        cwd=base,
        **as_user,
    )
    port = free_port()
    process = subprocess.Popen(
        [server, "-D", str(base / "data"), "-p", str(port), "-h", "127.0.0.1", "-k", str(base), "-F"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=base,
        **as_user,
    )
    try:
        import psycopg

        for _ in range(100):
            try:
                with psycopg.connect(
                    host="127.0.0.1", port=port, user="reader", password="机密/1@x", dbname="postgres"
                ) as connection:
                    connection.execute(
                        'create table budget ("统计月份" date, "区划代码" text, "乡镇名称" text, '
                        '"年初预算(元)" numeric(18, 2), "本月拨付(元)" numeric(18, 2))'
                    )
                    connection.execute(
                        "insert into budget values ('2025-01-01', '360313100', '湘东镇', 123456.70, null)"
                    )
                break
            except psycopg.OperationalError:
                time.sleep(0.1)
        else:
            pytest.fail("PostgreSQL did not start")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_a_database_table_becomes_a_raw_file_and_only_when_it_changed(
    folder: DataFolder, postgres: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUDGET_PASSWORD", "机密/1@x")
    url = f"postgresql+psycopg://reader:${{BUDGET_PASSWORD}}@127.0.0.1:{postgres}/postgres"
    configure(folder, url, 'query = "select * from budget"')

    written, said = pulled(folder)
    assert written == [folder.raw / "拉取" / "经费.csv"]
    assert written[0].read_text("utf-8") == f"{HEADER}\n2025-01-01,360313100,湘东镇,123456.70,\n"
    assert "已存为" in said

    assert pulled(folder) == ([], "  ✓ 来源“经费库”：没有变化")
    assert "机密" not in folder.sources_toml.read_text("utf-8")


@pytest.mark.parametrize(
    ("password", "query", "said"),
    [
        ("wrong", "select 1", "数据库连接或查询失败"),
        ("机密/1@x", "select * from nothing", "nothing"),
        ("机密/1@x", "select * from budget where false", "没有取到任何一行"),
    ],
)
def test_a_database_that_fails_is_told_and_keeps_what_was_there(
    folder: DataFolder, postgres: int, monkeypatch: pytest.MonkeyPatch, password: str, query: str, said: str
) -> None:
    kept = folder.raw / "拉取" / "经费.csv"
    kept.parent.mkdir()
    kept.write_text("before", "utf-8")
    monkeypatch.setenv("BUDGET_PASSWORD", password)
    url = f"postgresql+psycopg://reader:${{BUDGET_PASSWORD}}@127.0.0.1:{postgres}/postgres"
    configure(folder, url, f'query = "{query}"')
    written, told = pulled(folder)
    assert written == []
    assert said in told
    assert "✗ 来源“经费库”未取到" in told
    assert len(told.splitlines()) == 1
    assert "机密" not in told
    assert kept.read_text("utf-8") == "before"


def test_sqlite_by_the_same_way(folder: DataFolder, tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "b.db") as connection:
        connection.execute('create table t ("区划代码" text, "户籍人口(人)" integer)')
        connection.execute("insert into t values ('360313100', 20001)")
    configure(folder, f"sqlite:///{tmp_path}/b.db", 'query = "select * from t"')
    (path,), _ = pulled(folder)
    assert path.read_text("utf-8") == "区划代码,户籍人口(人)\n360313100,20001\n"


# ---------------------------------------------------------------- HTTP


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers by path; counts the calls."""

    pages: dict[str, tuple[int, str, bytes]] = {}  # noqa: RUF012
    calls: list[str] = []  # noqa: RUF012
    authorization: list[str | None] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.calls.append(self.path)
        self.authorization.append(self.headers.get("Authorization"))
        if self.path == "/flaky" and self.calls.count("/flaky") < 3:
            self.send_error(503)
            return
        if self.path == "/slow":
            time.sleep(3)
        status, kind, body = self.pages.get(self.path, (404, "text/plain", b""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def web() -> Iterator[str]:
    Answers.calls.clear()
    Answers.authorization.clear()
    csv = f"{HEADER}\n2025-01,360313100,湘东镇,100.00,\n"
    rows = '[{"区划代码": "360313100", "本月拨付(元)": 0.10, "是否单独列支": true, "备注": null}]'
    Answers.pages = {
        "/utf8": (200, "text/csv", csv.encode("utf-8-sig")),
        "/gbk": (200, "text/csv", csv.encode("gb18030")),
        "/flaky": (200, "text/csv", csv.encode()),
        "/json": (200, "application/json", rows.encode()),
        "/wrapped": (200, "application/json", f'{{"code": 0, "data": {rows}}}'.encode()),
        "/bad": (200, "application/json", b"[{]"),
        "/number": (200, "application/json", b"[1, 2]"),
        "/page": (200, "text/html", b"<html>login</html>"),
        "/empty": (200, "application/json", b"[]"),
        "/big": (200, "text/csv", b"a\n" + b"1\n" * 1000),
        "/slow": (200, "text/csv", csv.encode()),
    }
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("page", ["utf8", "gbk", "flaky"])
def test_an_address_giving_csv(folder: DataFolder, web: str, page: str) -> None:
    configure(folder, f"{web}/{page}")
    (path,), _ = pulled(folder)
    assert path.read_text("utf-8") == f"{HEADER}\n2025-01,360313100,湘东镇,100.00,\n"
    assert pulled(folder)[0] == []


@pytest.mark.parametrize("page", ["json", "wrapped"])
def test_an_address_giving_json_keeps_numbers_as_written(folder: DataFolder, web: str, page: str) -> None:
    configure(folder, f"{web}/{page}")
    (path,), _ = pulled(folder)
    assert path.read_text("utf-8") == "区划代码,本月拨付(元),是否单独列支,备注\n360313100,0.10,是,\n"


def test_a_secret_comes_from_the_environment(
    folder: DataFolder, web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    configure(folder, f"{web}/utf8", 'headers = { Authorization = "Bearer ${TOKEN}" }')
    assert len(pulled(folder)[0]) == 1
    assert Answers.authorization == ["Bearer s3cret"]

    monkeypatch.delenv("TOKEN")
    assert "环境变量 TOKEN 没有设置" in pulled(folder)[1]


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("nothing", "HTTP 404"),
        ("bad", "不是有效的 JSON"),
        ("number", "对象的列表"),
        ("page", "得到的是网页"),
        ("empty", "没有取到任何一行"),
        ("slow", "没有正常应答"),
    ],
)
def test_an_address_that_fails_is_told_in_one_line(
    folder: DataFolder, web: str, page: str, said: str
) -> None:
    configure(folder, f"{web}/{page}")
    written, told = pulled(folder)
    assert written == []
    assert said in told
    assert len(told.splitlines()) == 1


def test_too_much_is_refused(folder: DataFolder, web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_BYTES", 1000)
    configure(folder, f"{web}/big")
    assert "内容超过" in pulled(folder)[1]


def test_nobody_there(folder: DataFolder) -> None:
    configure(folder, f"http://127.0.0.1:{free_port()}/x")
    assert "没有正常应答" in pulled(folder)[1]


def test_one_failing_source_does_not_stop_the_others(folder: DataFolder, web: str) -> None:
    configure(folder, f"{web}/nothing")
    text = folder.sources_toml.read_text("utf-8")
    second = text.replace("nothing", "utf8").replace("经费.csv", "第二.csv")
    folder.sources_toml.write_text(text + second, "utf-8")
    written, told = pulled(folder)
    assert [path.name for path in written] == ["第二.csv"]
    assert len(told.splitlines()) == 2


# ---------------------------------------------------------------- the settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[source", "格式有误"),
        ("source = 1", "[[source]]"),
        ("[other]\nx = 1", "[[source]]"),
        ('[[source]]\nname = "a"', "缺少 dataset、file、url"),
        ('[[source]]\nname="a"\ndataset="x"\nfile="a.csv"\nurl="http://x"', "dataset 是“x”"),
        ('[[source]]\nname="a"\ndataset="budget"\nfile="../a.csv"\nurl="http://x"', "不带目录"),
        ('[[source]]\nname="a"\ndataset="budget"\nfile="a.csv"\nurl="sqlite://"', "须写明 query"),
        ('[[source]]\nname="a"\ndataset="budget"\nfile="a.csv"\nurl="http://u:p@x"', "写着密码"),
        ('[[source]]\nname="a"\ndataset="budget"\nfile="a.csv"\nurl="http://x"\nfoo=1', "不认识的设置 foo"),
    ],
)
def test_settings_that_cannot_be_understood_are_told_and_stop_nothing(
    folder: DataFolder, text: str, said: str
) -> None:
    folder.sources_toml.write_text(text, "utf-8")
    written, told = pulled(folder)
    assert written == []
    assert said in told
    assert len(told.splitlines()) == 1


def test_the_example_is_sound_with_and_without_its_comments(folder: DataFolder) -> None:
    folder.sources_toml.write_text(sources.EXAMPLE, "utf-8")
    assert read_sources(folder) == []
    head, _, body = sources.EXAMPLE.partition("\n\n")
    assert head
    folder.sources_toml.write_text(body.replace("\n# ", "\n").removeprefix("# "), "utf-8")
    assert [source.dataset for source in read_sources(folder)] == ["budget", "population"]
