"""The generated part of the documentation site, as Markdown by file name.

Read from the contracts, the dbt manifest, the standards and the catalogue of messages, never from an edition: the
site can be built before the first run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from oversight import dictionary, presentation
from oversight.comments import comments
from oversight.contracts import ALL_DATASETS
from oversight.dictionary import ColumnEntry, TableEntry
from oversight.editions.build import manifest_path
from oversight.intake_messages import CATALOGUE
from oversight.settings import PROJECT_ROOT, DataFolder
from oversight.standards import load_standards

_SCHEMAS = {
    "main": ("public.md", "公开的表"),
    "reported": ("reported.md", "报送明细"),
    "detail": ("detail.md", "其他明细"),
    "quality": ("quality.md", "核对结果"),
}
_TYPES = {
    "varchar": "文字",
    "date": "日期",
    "boolean": "是否",
    "bigint": "整数",
    "timestamp": "时间",
    "integer": "整数",
}
_KINDS = {
    "F": "整份文件退回",
    "R": "一行退回，请改正后重报",
    "H": "一行待确认，确认前不采用",
    "D": "存疑，数据照用并标注",
}
_KIND_ZH = {
    "month": "月份",
    "code": "代码",
    "text": "文字",
    "count": "整数",
    "money": "金额（元）",
    "bool": "是否",
    "date": "日期",
    "value": "数值",
    "year": "年份",
}


def tables() -> list[TableEntry]:
    """Every published table as contracts and dbt describe it, in the order of the dictionary."""
    nodes = _models()
    made = {}
    for node in nodes.values():
        if node["schema"] in _SCHEMAS:
            columns = tuple(
                ColumnEntry(c["name"], (c.get("data_type") or "").upper(), c["description"] or "")
                for c in node["columns"].values()
            )
            made[node["schema"], node["alias"]] = (node["description"], columns)
    for key, (text, described) in comments().items():
        before, columns = made.get(key, ("", ()))
        known = {column.name: column for column in columns}
        types = _input_types(key)
        for name, comment in described.items():
            found = known.get(name)
            kind = found.type if found and found.type else types.get(name, "")
            known[name] = ColumnEntry(name, kind, (found.comment if found else "") or comment)
        order = [name for name in (*types, *known) if name in known] if types else list(known)
        made[key] = (before or text, tuple(known[name] for name in dict.fromkeys(order)))
    order_of = {schema: number for number, schema in enumerate(_SCHEMAS)}
    return [
        TableEntry(schema, name, text, columns)
        for (schema, name), (text, columns) in sorted(
            made.items(), key=lambda i: (order_of[i[0][0]], i[0][1])
        )
    ]


def problems() -> list[str]:
    """Tables and columns without Chinese name, description or, where numeric, unit."""
    found = dictionary.problems(tables())
    for contract in ALL_DATASETS.values():
        for column in contract.columns.values():
            place = f"报表 {contract.title_zh} 的列 {column.name}"
            if not column.title_zh or not column.description_zh:
                found.append(f"{place} 没有中文名称或说明")
            if column.kind in ("count", "money") and not column.unit:
                found.append(f"{place} 是数字，没有单位")
    return found


def pages() -> dict[str, str]:
    """File name → Markdown."""
    made = {file: _tables_page(schema, title) for schema, (file, title) in _SCHEMAS.items()}
    made |= {
        "inputs.md": _inputs(),
        "lineage.md": _lineage(),
        "standards.md": _standards(),
        "errors.md": _errors(),
        "report_settings.md": _report_settings(),
    }
    return made


def _report_settings() -> str:
    """Every setting of the report with its default, as the file itself says it."""
    text = (PROJECT_ROOT / "oversight" / "reports" / "defaults" / "report.toml").read_text("utf-8")
    return (
        "# 通报设置一览\n\n"
        "这是自带的 `report.toml`，每一项的意思写在它上面。要改哪一项，在数据目录下的 `report/report.toml` 里只写那一项；"
        "怎样改、怎样预览见[督查通报](../report.md)和[在浏览器里办月报](../papers.md)。\n\n"
        f"```toml\n{text}```\n"
    )


def _models() -> dict[str, dict[str, Any]]:
    content = json.loads(manifest_path().read_text("utf-8"))
    return {key: node for key, node in content["nodes"].items() if node["resource_type"] in ("model", "seed")}


def _input_types(key: tuple[str, str]) -> dict[str, str]:
    contract = ALL_DATASETS.get(key[1]) if key[0] == "reported" else None
    if contract is None:
        return {}
    names = {"Int64": "BIGINT", "Int32": "BIGINT", "Date": "DATE", "Boolean": "BOOLEAN", "String": "VARCHAR"}
    return {
        name: names.get(str(dtype), str(dtype).upper()) for name, dtype in contract.polars_schema().items()
    }


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;").replace("[", "\\[")


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _tables_page(schema: str, title: str) -> str:
    own = [entry for entry in tables() if entry.schema == schema]
    names = {entry.full_name: name for name, entry in dictionary.relations(tables()).items()}
    parts = [
        f"# {title}\n",
        "本页由数据契约与 dbt 模型生成，与数据库文件里的注释、看板上的提示是同一份文字。"
        "每张表有英文名和中文名：英文表保留代码与元，中文表（模式 `中文`）把代码写成文字、金额同时给出元和万元。\n",
        _table(
            ("表", "中文名", "一行是什么"),
            ((f"`{e.full_name}`", f"`{names[e.full_name]}`", e.hint) for e in own),
        ),
    ]
    for entry in own:
        parts.append(
            f"\n## {entry.title} `{entry.full_name}`\n\n{entry.hint}。中文名 `{names[entry.full_name]}`。\n"
        )
        parts.append(
            _table(
                ("列", "中文名", "单位", "类型", "含义"),
                ((f"`{c.name}`", c.title, c.unit, _type(c), c.hint) for c in entry.columns),
            )
        )
        words = {c.name: presentation.words_of(c.name, entry.name) for c in entry.columns}
        for name, coded in words.items():
            if coded:
                listed = "；".join(f"`{code}` {word}" for code, word in coded.items())
                parts.append(f"\n`{name}` 的取值：{listed}。\n")
    return "\n".join(parts)


def _type(column: ColumnEntry) -> str:
    kind = column.type.lower()
    return "小数" if kind.startswith("decimal") else _TYPES.get(kind, kind)


def _inputs() -> str:
    parts = ["# 报表格式\n", "系统按表头认表，文件放在 raw/ 的哪一层都可以。列名写成下面任何一种都能认出。\n"]
    for contract in ALL_DATASETS.values():
        parts.append(f"\n## {contract.title_zh}\n\n{contract.description_zh}\n")
        parts.append(
            _table(
                ("列", "必填", "类型", "说明", "也可以写作"),
                (
                    (
                        c.title_zh,
                        "是" if c.required else "",
                        _KIND_ZH.get(c.kind, c.kind),
                        c.description_zh,
                        "、".join(c.synonyms),
                    )
                    for c in contract.columns.values()
                ),
            )
        )
    return "\n".join(parts)


def _lineage() -> str:
    """What each published table is made from, up to the files."""
    content = json.loads(manifest_path().read_text("utf-8"))
    nodes, parents = content["nodes"] | content["sources"], content["parent_map"]
    parts = [
        "# 从文件到数字\n",
        "收到的文件 → 读取、认表、逐行核对（采用、待确认、退回、忽略）→ dbt 在 DuckDB 里计算 → 核对 → 发布为一个版本。\n",
        "下面是每张公开的表直接和间接取自哪里。要看一个数字的来历，用看板“乡镇”页的说明，或 `oversight explain 区划代码`。\n",
    ]
    for key, node in sorted(nodes.items(), key=lambda item: str(item[1].get("alias", ""))):
        if node["resource_type"] != "model" or node["schema"] != "main":
            continue
        found: dict[str, None] = {}
        _ancestors(key, parents, nodes, found)
        near = [_node(nodes[name]) for name in sorted(parents.get(key, [])) if name in nodes]
        roots = [
            _node(nodes[name]) for name in sorted(found) if nodes[name]["resource_type"] in ("source", "seed")
        ]
        parts.append(f"\n## `{node['alias']}`\n\n{node['description']}\n")
        parts.append(f"\n- 直接取自：{'、'.join(near) or '无'}\n- 最终来自：{'、'.join(roots) or '无'}\n")
    return "\n".join(parts)


def _ancestors(
    key: str, parents: Mapping[str, list[str]], nodes: Mapping[str, Any], found: dict[str, None]
) -> None:
    for parent in parents.get(key, []):
        if parent in nodes and parent not in found:
            found[parent] = None
            _ancestors(parent, parents, nodes, found)


def _node(node: Mapping[str, Any]) -> str:
    kind = {"source": "收到的数据", "seed": "政策标准"}.get(node["resource_type"], "")
    return f"`{node.get('alias') or node['name']}`" + (f"（{kind}）" if kind else "")


def _standards() -> str:
    rules = load_standards(DataFolder.at(None))
    parts = [
        "# 政策与标准\n",
        "本页列出项目自带的政策文件和标准；本单位数据目录 standards/ 中增加的，在看板“政策标准”页查看。\n",
    ]
    parts.append("\n## 政策文件\n")
    parts.append(
        _table(
            ("编号", "文件", "文号", "发文机关", "效力"),
            (
                (
                    row["document_id"],
                    row["document_title"],
                    row["document_no"] or "未载",
                    row["issuer_name"] or "",
                    presentation.label(presentation.FORCE, row["force"]),
                )
                for row in rules.documents.iter_rows(named=True)
            ),
        )
    )
    for document in rules.documents.iter_rows(named=True):
        own = rules.standards.filter(pl.col("document_id") == document["document_id"])
        parts.append(f"\n## {document['document_title']}（{document['document_id']}）\n")
        parts.append(
            _table(
                ("编号", "标准", "条款", "原文", "能否判定"),
                (
                    (
                        row["standard_id"],
                        row["title_zh"],
                        row["clause"] or "",
                        row["quotation"] or "",
                        presentation.label(presentation.GRADEABLE, row["gradeable"]),
                    )
                    for row in own.iter_rows(named=True)
                ),
            )
        )
    return "\n".join(parts)


def _errors() -> str:
    parts = [
        "# 错误代码\n",
        "每一处退回、待确认或存疑都带有下面的代码。在报送前可用 `oversight check 文件` 核对。\n",
    ]
    messages = list(CATALOGUE.values()) if isinstance(CATALOGUE, Mapping) else list(CATALOGUE)
    for letter, meaning in _KINDS.items():
        parts.append(f"\n## {letter}：{meaning}\n")
        parts.append(
            _table(
                ("代码", "名称", "提示", "例如", "怎么改"),
                (
                    (m.code, m.title_zh, m.text_zh, m.example_zh, m.remedy_zh)
                    for m in messages
                    if m.code.startswith(letter)
                ),
            )
        )
    return "\n".join(parts)
