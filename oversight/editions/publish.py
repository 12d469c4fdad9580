"""Write, audit, publish: from the build file to an edition that readers use.

Everything is prepared in a folder readers do not look into, read back by a fresh process, forced to disk,
and only then renamed into place; the last act is to replace the pointer. Whatever dies before that leaves
the last edition as it was, and the next run clears the leftovers away.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oversight import durable
from oversight.archive import store as archive
from oversight.dictionary import create_relations
from oversight.editions.build import STORAGE_VERSION, build_file, descriptions, manifest_path
from oversight.editions.edition import (
    MANIFEST,
    POINTER,
    STABLE,
    WAREHOUSE,
    Edition,
    EditionError,
    Fingerprints,
    Identity,
    current,
    editions_folder,
    list_editions,
)
from oversight.editions.keys import key_id, signing_key
from oversight.editions.places import write_places
from oversight.editions.published import (
    DETAIL,
    MAIN,
    PUBLIC_TABLES,
    QUALITY,
    REPORTED,
    TableFacts,
    facts,
    quoted,
    tables_of,
)
from oversight.editions.rows import root, sums
from oversight.editions.seal import files_of, sign, write_key
from oversight.editions.verify import read_back
from oversight.editions.years import Before, Sums, files_by_year
from oversight.settings import TIME_ZONE, DataFolder, folder_settings

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger(__name__)

_MONTHLY = "funding_gap_monthly"
# Where the papers made from editions say from which.
_PAPERS = "reports/*/*/*/manifest.json"
# By place, as every long table lies; sorting by the whole row would be dear for this one.
_AUDIT_ORDER = {"suite_flags": "subject_code, month, suite, expectation, standard_id"}
# Different in every row: DuckDB's own choice takes twice the time and twice the room of this.
_SENTENCES = {"message_zh"}

# (schema, table) → comment on the table and comments on its columns.
Comments = Mapping[tuple[str, str], tuple[str, dict[str, str]]]

# Steps of a publication, in order, as announced to `on_step` before each is taken.
STEPS = (
    "copy",
    "comment",
    "parquet",
    "places",
    "checkpoint",
    "verify",
    "manifest",
    "seal",
    "sync",
    "rename",
    "point",
    "retire",
)


def new_identity(folder: DataFolder, made_from: Fingerprints, now: datetime) -> Identity:
    """A name for the edition about to be made: local time and the start of the fingerprint of its input."""
    base = f"{now:%Y%m%d-%H%M%S}-{made_from.input_fingerprint[:8]}"
    name, number = base, 2
    while (editions_folder(folder) / name).exists():
        name, number = f"{base}-{number}", number + 1
    return Identity(name, now, made_from)


def write_identity(folder: DataFolder, identity: Identity) -> None:
    """The one row of build input `edition`."""
    import polars as pl

    folder.inputs.mkdir(parents=True, exist_ok=True)
    row = {
        "edition_id": identity.edition_id,
        # Wall-clock time of the bureau, without a zone: that is what people compare with the file's date.
        "built_at": identity.built_at.replace(tzinfo=None, microsecond=0),
        **vars(identity.made_from),
    }
    pl.DataFrame([row]).write_parquet(folder.inputs / "edition.parquet")


def read_identity(folder: DataFolder) -> Identity:
    """The edition that the build inputs name."""
    import polars as pl

    row = pl.read_parquet(folder.inputs / "edition.parquet").row(0, named=True)
    made_from = Fingerprints(**{name: row[name] for name in Fingerprints.__annotations__})
    return Identity(row["edition_id"], row["built_at"].replace(tzinfo=TIME_ZONE), made_from)


def clear_leftovers(folder: DataFolder) -> None:
    """Remove what an interrupted run left behind. Call it under the run's lock."""
    shutil.rmtree(_incoming(folder), ignore_errors=True)
    for name in (POINTER, STABLE):
        for part in folder.marts.glob(f".{name}.*"):
            part.unlink(missing_ok=True)


def publish(
    folder: DataFolder,
    identity: Identity,
    *,
    audit: Path | None = None,
    manifest: Path | None = None,
    comments: Comments | None = None,
    standards: Mapping[str, bytes] | None = None,
    record_head: Mapping[str, Any] | None = None,
    keep: int | None = None,
    unless_like: Edition | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> Edition:
    """Publish the build file as an edition and make it current.

    `audit` is what the quality suites left: `*.parquet` in it become tables of schema `quality`, everything
    else goes into the edition's folder as it is. Comments come from dbt's `manifest`, and from `comments` where
    dbt has none. `standards` are the files that the standards were read from; the archive keeps them.
    `record_head` is the last line of the record of what users did, so that its end cannot be cut off unseen; None where
    there are no accounts. Where the finished file would say just what the edition `unless_like` says, from the same
    inputs, nothing is published and that edition is returned.

    Raises `EditionError` when a public table is missing or the finished file does not say what
    the build file says.
    """
    clear_leftovers(folder)
    draft = _incoming(folder) / identity.edition_id
    (draft / "parquet").mkdir(parents=True)
    build = build_file(folder)
    if not build.is_file():
        raise EditionError(f"找不到构建文件 {build}。请重新运行 oversight run。")

    described = _merged(comments or {}, descriptions(manifest or manifest_path()))
    key = signing_key(folder)
    before = Before.of(current(folder), key.public_key())
    written, of_years, of_places = _write(draft, build, audit, described, folder.inputs, before, on_step)
    if audit is not None:
        for item in sorted(audit.iterdir()):
            if item.suffix != ".parquet":
                (shutil.copytree if item.is_dir() else shutil.copy2)(item, draft / item.name)

    on_step("verify")
    seen = read_back(draft / WAREHOUSE, before.manifest)
    _compare(written, of_years, seen)

    on_step("manifest")
    content = _manifest(identity, draft / WAREHOUSE, seen)
    if unless_like is not None and _says_the_same(content, unless_like):
        clear_leftovers(folder)
        return unless_like

    on_step("seal")
    write_key(draft, key)
    sealed: dict[str, Any] = {
        "standards_files": _kept(folder, standards or {}),
        "row_parts": seen["parts"],
        "row_sums": seen["sums"] | of_places,
        "merkle_root": root(seen["parts"]),
        "record": {"head": record_head} if record_head else {"head": None, "reason": "no accounts"},
        "signed_by": key_id(key.public_key()),
        "files": files_of(draft),
    }
    sign(draft, content | sealed, key)

    on_step("sync")
    place = editions_folder(folder) / identity.edition_id
    place.parent.mkdir(parents=True, exist_ok=True)

    on_step("rename")
    durable.put_folder(draft, place)

    on_step("point")
    point(folder, identity.edition_id)

    on_step("retire")
    retire(folder, keep or folder_settings(folder).editions_kept)
    shutil.rmtree(_incoming(folder), ignore_errors=True)
    return Edition(place)


def point(folder: DataFolder, edition_id: str) -> None:
    """Make an edition the current one, at once for every reader."""
    durable.write_text(folder.marts / POINTER, f"{edition_id}\n")
    lead(folder, edition_id)


def lead(folder: DataFolder, edition_id: str) -> bool:
    """Let the path that never changes lead to an edition, for programs that keep an address; whether it could be made.

    The pointer says which edition is current, and this only follows it: a place that knows no links (a memory stick, some
    shares) has none, and no old one either, which would lead to figures of another day.
    """
    place = folder.marts / STABLE
    target = editions_folder(folder).relative_to(folder.marts) / edition_id
    if place.is_symlink() and place.readlink() == target:
        return True
    aside = place.with_name(f".{STABLE}.{edition_id}")
    try:
        aside.unlink(missing_ok=True)
        aside.symlink_to(target, target_is_directory=True)
        if place.is_dir() and not place.is_symlink() and (place / MANIFEST).is_file():
            # Copied by something that follows links: an edition twice, and of another day before long.
            shutil.rmtree(place)
        aside.replace(place)
    except OSError:
        for path in (aside, place):
            if path.is_symlink():
                path.unlink()
        log.warning("%s cannot hold a link: there is no %s", folder.marts, place)
        return False
    return True


def retire(folder: DataFolder, keep: int) -> list[str]:
    """Remove all but the newest `keep` editions; returns the names of those removed.

    Never the current one, nor one that a paper was made from: its figures are to be shown as long as it stands.

    An edition is renamed before it is deleted, so that no listing ever shows half of one.
    """
    kept = current(folder)
    removed: list[str] = []
    old = list_editions(folder)[max(keep, 1) :]
    cited = _cited(folder) if old else set()
    for edition in old:
        if edition.edition_id not in cited and (kept is None or edition.edition_id != kept.edition_id):
            grave = _incoming(folder) / f"{edition.edition_id}.retired"
            grave.parent.mkdir(parents=True, exist_ok=True)
            edition.path.rename(grave)
            shutil.rmtree(grave, ignore_errors=True)
            removed.append(edition.edition_id)
    return removed


def _cited(folder: DataFolder) -> set[str]:
    """The editions that papers were made from, as the papers say."""
    found = set()
    for path in folder.root.glob(_PAPERS):
        try:
            found.add(str(json.loads(path.read_text("utf-8"))["edition_id"]))
        except (OSError, ValueError, KeyError, TypeError):
            # What a damaged paper was made from nobody knows: nothing goes until it is put right.
            return {edition.edition_id for edition in list_editions(folder)}
    return found


def _incoming(folder: DataFolder) -> Path:
    return folder.marts / ".incoming"


def _kept(folder: DataFolder, standards: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Keep the standards as they were used: name, digest and length of each file."""
    return [
        {"name": name, "sha256": archive.keep(folder, content), "bytes": len(content)}
        for name, content in sorted(standards.items())
    ]


def _says_the_same(content: Mapping[str, Any], edition: Edition) -> bool:
    """Whether a finished file differs from an edition in nothing but its name and time."""
    names = (*Fingerprints.__annotations__, "engine")
    tables = [
        {name: told for name, told in side["tables"].items() if name != f"{MAIN}.edition"}
        for side in (content, edition.manifest)
    ]
    return tables[0] == tables[1] and all(content[name] == edition.manifest[name] for name in names)


def _merged(first: Comments, second: Comments) -> Comments:
    """Comments of both; where both describe a table or a column, the second's, unless it is empty."""
    merged = dict(first)
    for key, (text, columns) in second.items():
        before, columns_before = merged.get(key, ("", {}))
        merged[key] = (
            text or before,
            {**columns_before, **{name: each for name, each in columns.items() if each}},
        )
    return merged


def _write(
    draft: Path,
    build: Path,
    audit: Path | None,
    comments: Comments,
    inputs: Path,
    before: Before,
    on_step: Callable[[str], None],
) -> tuple[dict[str, TableFacts], dict[str, Sums], dict[str, Sums]]:
    """Tables, comments, Parquet and places into the draft.

    What the build file said of each table, and what tells the rows of each year, of tables and of places.
    """
    import duckdb

    on_step("copy")
    written = _facts_of(build)
    # The tables lie in the build file as readers are to find them: copying the file copies them all.
    shutil.copyfile(build, draft / WAREHOUSE)
    connection = duckdb.connect()
    try:
        connection.execute(f"attach {_text(draft / WAREHOUSE)} as warehouse")
        # One transaction: each statement by itself would wait for the disk.
        connection.execute("begin")
        _drop_private(connection)
        if audit is not None:
            written |= _copy_audit(connection, audit)
        on_step("comment")
        _comment(connection, written, comments)
        connection.execute("commit")
        create_relations(connection, "warehouse")
        on_step("parquet")
        of_years = sums(connection, "warehouse")
        for (_, table), columns in tables_of(connection, "warehouse", (MAIN,)).items():

            def write(path: Path, where: str, table: str = table) -> None:
                connection.execute(
                    f"copy (from warehouse.main.{quoted(table)} where {where}) to {_text(path)} "
                    "(format parquet, compression zstd)"
                )

            if columns.get("month") == "DATE":
                name = f"{MAIN}.{table}"
                files_by_year(before, name, of_years[name], draft, f"parquet/{table}/{{}}.parquet", write)
            else:
                write(draft / "parquet" / f"{table}.parquet", "true")
        on_step("places")
        of_places = write_places(connection, inputs, draft, before)
        on_step("checkpoint")
        connection.execute("checkpoint warehouse")
        connection.execute("detach warehouse")
    finally:
        connection.close()
    return written, of_years, of_places


def _facts_of(build: Path) -> dict[str, TableFacts]:
    """Rows and totals of every table to be published; refuses a build file without one of the public tables."""
    import duckdb

    # Opened for writing: whatever dbt left in the write-ahead log goes into the file, which is copied next.
    with duckdb.connect(str(build)) as connection:
        connection.execute("checkpoint")
        database = build.stem
        found = tables_of(connection, database, (MAIN, REPORTED, DETAIL))
        missing = set(PUBLIC_TABLES) - {table for schema, table in found if schema == MAIN}
        if missing:
            raise EditionError(
                f"构建结果缺少公开表：{'、'.join(sorted(missing))}。请检查 dbt 模型后重新运行。"
            )
        return {
            f"{schema}.{table}": facts(connection, database, schema, table, columns)
            for (schema, table), columns in found.items()
        }


def _drop_private(connection: duckdb.DuckDBPyConnection) -> None:
    """Schemas of the build file that are for dbt alone: its seeds and its views of the inputs."""
    schemas = connection.execute(
        "select schema_name from duckdb_schemas() where database_name = 'warehouse' and not internal"
    ).fetchall()
    for (schema,) in schemas:
        if schema not in (MAIN, REPORTED, DETAIL):
            connection.execute(f"drop schema warehouse.{quoted(schema)} cascade")


def _copy_audit(connection: duckdb.DuckDBPyConnection, audit: Path) -> dict[str, TableFacts]:
    connection.execute(f"create schema if not exists warehouse.{QUALITY}")
    for path in sorted(audit.glob("*.parquet")):
        content = f"from read_parquet({_text(path)})"
        columns = ", ".join(
            quoted(name) + f" {kind}" + (" using compression zstd" if name in _SENTENCES else "")
            for name, kind, *_ in connection.execute(f"describe {content}").fetchall()
        )
        place = f"warehouse.{QUALITY}.{quoted(path.stem)}"
        connection.execute(f"create table {place} ({columns})")
        connection.execute(f"insert into {place} {content} order by {_AUDIT_ORDER.get(path.stem, 'all')}")
    return {
        f"{schema}.{table}": facts(connection, "warehouse", schema, table, columns)
        for (schema, table), columns in tables_of(connection, "warehouse", (QUALITY,)).items()
    }


def _comment(
    connection: duckdb.DuckDBPyConnection,
    written: Mapping[str, TableFacts],
    comments: Comments,
) -> None:
    tables = tables_of(connection, "warehouse", {name.partition(".")[0] for name in written})
    for (schema, table), columns in tables.items():
        table_comment, of_columns = comments.get((schema, table), ("", {}))
        place = f"warehouse.{quoted(schema)}.{quoted(table)}"
        if table_comment:
            connection.execute(f"comment on table {place} is {_text(' '.join(table_comment.split()))}")
        for column in columns:
            if comment := of_columns.get(column):
                connection.execute(
                    f"comment on column {place}.{quoted(column)} is {_text(' '.join(comment.split()))}"
                )


def _compare(
    written: Mapping[str, TableFacts], of_years: Mapping[str, Sums], read: Mapping[str, Any]
) -> None:
    seen = read["tables"]
    wrong = [
        name
        for name, expected in written.items()
        if name not in seen
        or seen[name]["rows"] != expected.rows
        or seen[name]["totals"] != expected.totals
        or of_years.get(name) != read["sums"].get(name)
    ]
    if wrong or len(seen) != len(written):
        names = "、".join(sorted(wrong or set(seen) ^ set(written)))
        raise EditionError(
            f"新版本与构建结果的行数或金额合计不一致（{names}），未发布。请检查磁盘空间后重新运行。"
        )


def _manifest(identity: Identity, warehouse: Path, seen: Mapping[str, Any]) -> dict[str, Any]:
    import duckdb

    connection = duckdb.connect(str(warehouse), read_only=True)
    try:
        first, last = connection.execute(f"select min(month), max(month) from main.{_MONTHLY}").fetchall()[0]
        files = connection.execute(
            "select file_name, sha256, status from main.submissions order by all"
        ).fetchall()
    finally:
        connection.close()
    return {
        "edition_id": identity.edition_id,
        "built_at": identity.built_at.isoformat(timespec="seconds"),
        **vars(identity.made_from),
        "engine": {"duckdb": seen["duckdb"], "storage_version": STORAGE_VERSION},
        "months": {"first": str(first) if first else None, "last": str(last) if last else None},
        "inputs": [dict(zip(("file_name", "sha256", "status"), row, strict=True)) for row in files],
        "tables": seen["tables"],
    }


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
