"""The dbt models as Dagster assets, their tests as asset checks.

Assets come from the manifest through dagster-dbt. The build itself is `oversight.editions.build`, which runs
dbt in this process: dagster-dbt's own resource starts another one, and importing dbt there once more costs as
much as the build (measured: 6.2 against 3.4 CPU seconds).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    MaterializeResult,
    ResourceParam,
)
from dagster_dbt import DagsterDbtTranslator, dbt_assets
from dagster_dbt.asset_utils import get_asset_check_key_for_test

from dagster_project.context import RunContext
from dagster_project.lineage import as_metadata, column_lineage
from oversight import editions
from oversight.editions.published import MAIN, PUBLIC_TABLES

PUBLIC_KEYS = [AssetKey([MAIN, table]) for table in PUBLIC_TABLES]

_LAYERS = {
    "staging": "整理：统一名称和类型，不改变内容",
    "intermediate": "中间计算：供公开表使用，不发布",
    "reported": "报来的每一版数据，现行与被取代的都在",
    "detail": "说明公开表数字来历的明细",
    "seeds": "项目自带的政策文件与标准",
}


# What a dbt test holds: by its kind, one of its own by its name.
_CHECKS = {
    "unique_key": "键不重复：每一行只有一份",
    "one_current_row": "每个单位、月份只有一行计入",
    "assert_december_guarantee_is_the_annual_one": "十二个月的应保障等于全年额，到分",
    "assert_every_answer_owed_is_judged": "每项应答都有判定，无一遗漏",
    "assert_every_township_in_force_has_a_row_each_month": "在册乡镇每月都有一行，报没报都有",
    "assert_rows_read_are_all_accounted_for": "读到的行都有去处：采用、待确认、拒收或忽略",
    "assert_unknown_amounts_stay_unknown": "不知道的金额是空白并写明原因，不是零",
}


class Translator(DagsterDbtTranslator):
    """Keys as the tables are called, Chinese descriptions as they are, without the SQL; one group a layer."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
        """Schema and table; a source by its name and its table."""
        if dbt_resource_props["resource_type"] == "source":
            return AssetKey([dbt_resource_props["source_name"], dbt_resource_props["name"]])
        return AssetKey([dbt_resource_props["schema"], dbt_resource_props["alias"]])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The model's own description; what is not published may do with its layer's."""
        return dbt_resource_props["description"] or _LAYERS.get(dbt_resource_props["schema"], "")

    def get_asset_check_spec(
        self, asset_spec: AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> AssetCheckSpec | None:
        """A test's check, with what it holds in Chinese."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        node = manifest["nodes"][unique_id]
        kind = (node.get("test_metadata") or {}).get("name") or node["name"]
        told = _CHECKS.get(kind)
        return spec._replace(description=told) if spec and told else spec

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The schema: staging, intermediate, reported, main, seeds."""
        return str(dbt_resource_props["schema"]) if dbt_resource_props["resource_type"] != "source" else None


def build_dbt_assets() -> AssetsDefinition:
    """All models and seeds as one step."""
    manifest = json.loads(editions.manifest_path().read_text("utf-8"))
    translator = Translator()

    @dbt_assets(manifest=manifest, dagster_dbt_translator=translator, name="dbt_build")
    def dbt_build(run: ResourceParam[RunContext]) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
        run.say("▶ 计算保障标准与缺口")
        results = editions.build(run.folder, engine=run.engine, at_once=run.at_once, say=run.say)
        lineage = column_lineage(run.folder, manifest, translator) if run.traces_columns else {}
        for result in results:
            node = manifest["nodes"][result.unique_id]
            if node["resource_type"] in ("model", "seed"):
                yield MaterializeResult(
                    asset_key=translator.get_asset_key(node),
                    metadata={"seconds": result.seconds} | as_metadata(lineage.get(result.unique_id, {})),
                )
            elif key := get_asset_check_key_for_test(manifest, translator, result.unique_id, None):
                yield AssetCheckResult(
                    asset_key=key.asset_key,
                    check_name=key.name,
                    passed=result.ok,
                    severity=AssetCheckSeverity.ERROR,
                    metadata={"failures": result.failures or 0, "seconds": result.seconds},
                )

    return dbt_build
