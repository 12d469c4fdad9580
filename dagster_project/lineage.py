"""Column lineage of the models, as dagster-dbt reads it from their SQL.

Reading it takes 3.5 CPU seconds, more than building the sample, and depends on the dbt project alone: it is
kept beside dbt's manifest and read again only when the project changed.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
from dagster import AssetKey, TableColumnDep, TableColumnLineage, get_dagster_logger
from dagster_dbt import DagsterDbtTranslator

from oversight import durable
from oversight.editions.build import SCRATCH, TARGET, build_file, scratch_file
from oversight.editions.code import dbt_hash
from oversight.settings import DataFolder

Lineage = dict[str, dict[str, list[tuple[list[str], str]]]]
_FILE = TARGET / "column_lineage.json"
# sqlglot follows each column along every path through a statement: of a long one that takes seconds, of all of them a
# minute, and lineage is for looking at. Models beyond this many characters are shown without.
_LONGEST_SQL = 8_000


def column_lineage(
    folder: DataFolder, manifest: Mapping[str, Any], translator: DagsterDbtTranslator
) -> Lineage:
    """Model → column → the columns it comes from. Call it after a build: column names come from its file."""
    expected = dbt_hash()
    try:
        kept = json.loads(_FILE.read_text("utf-8"))
        if kept["dbt_hash"] == expected:
            return dict(kept["lineage"])
    except (FileNotFoundError, ValueError, KeyError):
        pass
    lineage = _read(folder, manifest, translator)
    durable.write_text(_FILE, json.dumps({"dbt_hash": expected, "lineage": lineage}), lasting=False)
    return lineage


def as_metadata(columns: Mapping[str, list[tuple[list[str], str]]]) -> dict[str, Any]:
    """A model's lineage as Dagster shows it."""
    deps = {
        column: [TableColumnDep(AssetKey(list(key)), name) for key, name in parents]
        for column, parents in columns.items()
    }
    return {"dagster/column_lineage": TableColumnLineage(deps)} if deps else {}


def _read(folder: DataFolder, manifest: Mapping[str, Any], translator: DagsterDbtTranslator) -> Lineage:
    from dagster_dbt.core.dbt_cli_event import EventHistoryMetadata, _build_column_lineage_metadata

    named, target = _name_sources(folder, manifest)
    columns = _columns(folder, named)
    lineage: Lineage = {}
    for unique_id, node in named["nodes"].items():
        if node["resource_type"] != "model" or _length(target, node) > _LONGEST_SQL:
            continue
        parents = [named["nodes"].get(each) or named["sources"][each] for each in node["depends_on"]["nodes"]]
        try:
            found = _build_column_lineage_metadata(
                EventHistoryMetadata(
                    columns[node["relation_name"]],
                    {parent["relation_name"]: columns[parent["relation_name"]] for parent in parents},
                ),
                node,
                named,
                translator,
                target,
                None,
            )
        except Exception as error:
            # Lineage is for looking at: a model whose SQL sqlglot cannot follow is shown without.
            get_dagster_logger().warning("no column lineage for %s: %s", unique_id, error)
            continue
        deps = found["dagster/column_lineage"].deps_by_column
        lineage[unique_id] = {
            column: sorted((list(dep.asset_key.path), dep.column_name) for dep in parents_of)
            for column, parents_of in deps.items()
        }
    shutil.rmtree(target, ignore_errors=True)
    return lineage


def _length(target: Path, node: Mapping[str, Any]) -> int:
    """Characters of a model's compiled SQL."""
    path = target / "compiled" / node["package_name"] / node["original_file_path"]
    return path.stat().st_size if path.is_file() else 0


def _name_sources(folder: DataFolder, manifest: Mapping[str, Any]) -> tuple[dict[str, Any], Path]:
    """Manifest and compiled SQL in which a source is a table with a name, not a function over a file."""
    sources = {
        unique_id: source | {"relation_name": f'"build"."{source["source_name"]}"."{source["name"]}"'}
        for unique_id, source in manifest["sources"].items()
    }
    compiled, target = folder.work / "dbt" / "compiled", folder.work / "lineage"
    shutil.rmtree(target, ignore_errors=True)
    for path in compiled.rglob("*.sql"):
        if path.is_file():
            copy = target / "compiled" / path.relative_to(compiled)
            copy.parent.mkdir(parents=True, exist_ok=True)
            sql = re.sub(
                r"read_parquet\('(\w+)\.parquet'\)", r'"build"."inputs"."\1"', path.read_text("utf-8")
            )
            copy.write_text(sql, "utf-8")
    return {**manifest, "sources": sources}, target


def _columns(folder: DataFolder, manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Columns of every relation: of models from what dbt built, of sources from their Parquet files."""
    columns: dict[str, dict[str, Any]] = {}
    with duckdb.connect(str(build_file(folder)), read_only=True) as connection:
        # Views of staging name their files without a folder.
        connection.execute("set file_search_path = ?", [str(folder.inputs)])
        scratch = str(scratch_file(folder)).replace("'", "''")
        connection.execute(f"attach '{scratch}' as {SCRATCH} (read_only)")
        for database, schema, table, column, kind in connection.execute(
            "select table_catalog, table_schema, table_name, column_name, data_type "
            "from information_schema.columns"
        ).fetchall():
            columns.setdefault(f'"{database}"."{schema}"."{table}"', {})[column] = {"data_type": kind}
        for source in manifest["sources"].values():
            described = connection.execute(
                f"describe from read_parquet('{source['name']}.parquet')"
            ).fetchall()
            columns[source["relation_name"]] = {row[0]: {"data_type": row[1]} for row in described}
    return columns
