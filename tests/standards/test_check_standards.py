"""Standards data that would make wrong figures is refused, in Chinese and by name."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from oversight import cli
from oversight.errors import OversightError
from oversight.settings import DBT_DIR, DataFolder
from oversight.standards import (
    StandardFileError,
    Standards,
    check_standards,
    load_standards,
    standards_fingerprint,
    write_overlay_inputs,
)
from oversight.standards import loading as loader


def _changed(table: str, standard_id: str, tier: int | None = None, **columns: object) -> Standards:
    standards = load_standards()
    frames = {
        name: getattr(standards, name)
        for name in ("documents", "standards", "tiers", "measures", "materiality")
    }
    frame = frames[table]
    chosen = pl.col("standard_id") == standard_id
    if tier is not None:
        chosen = chosen & (pl.col("tier_no") == tier)
    frames[table] = frame.with_columns(
        pl.when(chosen).then(pl.lit(value, dtype=frame.schema[name])).otherwise(pl.col(name)).alias(name)
        for name, value in columns.items()
    )
    return Standards(**frames)


def _messages(standards: Standards, standard_id: str) -> str:
    return "；".join(p.message_zh for p in check_standards(standards) if p.standard_id == standard_id)


def test_the_projects_own_standards_have_no_mistake() -> None:
    assert check_standards(load_standards()) == []


@pytest.mark.parametrize(
    ("table", "standard_id", "tier", "columns", "said"),
    [
        ("tiers", "A-10", 2, {"lower_bound": 20001}, "没有标准"),
        ("tiers", "A-10", 2, {"lower_bound": 19999}, "重叠"),
        ("tiers", "A-10", 2, {"lower_included": True}, "保障额有两个"),
        ("tiers", "A-10", 1, {"upper_included": False}, "都不含 20000 人"),
        ("tiers", "C-11", 1, {"lower_bound": 100}, "最低一档从 100 人起"),
        ("tiers", "C-11", 3, {"upper_bound": 90000}, "请将上限留空"),
        ("tiers", "A-10", 1, {"unit": "元/人"}, "单位“元/人”未知"),
        ("tiers", "A-10", 1, {"value": None}, "缺少标准值"),
        ("tiers", "A-10", 1, {"value": Decimal("-1")}, "缺少标准值"),
        ("tiers", "D-08", 1, {"value_max": Decimal("1")}, "上限值小于标准值"),
        ("tiers", "D-08", 1, {"tier_label": None}, "缺少档次名称"),
        ("standards", "A-06", None, {"clause": None}, "缺少条款"),
        ("standards", "A-06", None, {"quotation": None}, "缺少原文"),
        ("standards", "A-06", None, {"effective_from": None}, "缺少生效日期"),
        ("standards", "A-06", None, {"recorded_on": None}, "缺少录入日期"),
        ("standards", "A-06", None, {"document_id": "Q"}, "所属文件 Q 不存在"),
        ("standards", "A-06", None, {"scope_code": "36031"}, "不是 6 位或 9 位"),
        ("standards", "A-06", None, {"formula": "guess"}, "计算方式“guess”未知"),
        ("standards", "A-10", None, {"edge_rule": "whatever"}, "分档线归属“whatever”未知"),
        ("standards", "A-10", None, {"population_basis": None}, "人口口径"),
        ("standards", "A-06", None, {"gradeable": "N"}, "没有写原因"),
        ("measures", "A-10", None, {"measure_code": "alocated_cny"}, "计量项“alocated_cny”不是可计的数据列"),
        ("measures", "A-10", None, {"role": "valu"}, "角色“valu”未知"),
        ("measures", "A-01", None, {"measure_code": "people"}, "指标请写指标代码"),
    ],
)
def test_a_mistake_is_refused(
    table: str, standard_id: str, tier: int | None, columns: dict[str, object], said: str
) -> None:
    assert said in _messages(_changed(table, standard_id, tier, **columns), standard_id)


def test_a_mistake_is_told_by_the_rules_id() -> None:
    (problem,) = check_standards(_changed("standards", "A-06", clause=None))
    assert str(problem) == "A-06：缺少条款（clause），请补填"


def test_a_rule_that_ends_before_it_starts_is_refused() -> None:
    wrong = _changed("standards", "A-06", effective_to=date(2000, 1, 1))
    assert "失效日期早于生效日期" in _messages(wrong, "A-06")


def test_an_own_rule_says_only_what_it_must(tmp_path: Path) -> None:
    """每人每年 7 元、使用率不低于 90%: four small files, no column that says nothing."""
    _own(
        tmp_path,
        "policy_documents",
        "document_id,document_title,issuer_code,recorded_on\nX,某文件,510101,2026-01-01\n",
    )
    _own(
        tmp_path, "standards",
        "standard_id,document_id,clause,quotation,title_zh,matter,scope_code,subject_level,formula,unit,period,strength,"
        "effective_from,recorded_on\nX-01,X,三,原话,使用率,relief_use,510101,township,coverage,%,year,must,2025-01-01,"
        "2026-01-01\n",
    )  # fmt: skip
    _own(tmp_path, "standard_tiers", "standard_id,value,unit\nX-01,90,%\n")
    folder = _own(
        tmp_path, "standard_measures",
        "standard_id,role,measure_code,factor\nX-01,numerator,spent_ytd_cny,\nX-01,denominator,population_persons,7\n",
    )  # fmt: skip
    standards = load_standards(folder)
    assert check_standards(standards) == []
    rule = standards.standards.filter(pl.col("standard_id") == "X-01").to_dicts()[0]
    assert (rule["gradeable"], rule["severity"]) == ("Y", "medium")
    tier = standards.tiers.filter(pl.col("standard_id") == "X-01").to_dicts()[0]
    assert (tier["tier_no"], tier["tier_label"]) == (1, "不分档")
    measures = standards.measures.filter(pl.col("standard_id") == "X-01").to_dicts()
    assert [(m["role"], m["part_no"], m["required"], m["factor"]) for m in measures] == [
        ("numerator", 1, True, None), ("denominator", 1, True, Decimal(7)),
    ]  # fmt: skip


def test_the_same_id_twice_is_refused() -> None:
    good = load_standards()
    twice = Standards(
        good.documents,
        pl.concat([good.standards, good.standards[:1]]),
        good.tiers,
        good.measures,
        good.materiality,
    )
    assert "重复" in _messages(twice, good.standards["standard_id"][0])


def test_rows_without_their_standard_are_refused() -> None:
    good = load_standards()
    orphan = good.tiers[:1].with_columns(standard_id=pl.lit("X-99"))
    wrong = Standards(
        good.documents, good.standards, pl.concat([good.tiers, orphan]), good.measures, good.materiality
    )
    assert "所属的标准不存在" in _messages(wrong, "X-99")


def test_a_rule_without_tiers_or_measures_is_refused() -> None:
    good = load_standards()
    bare = Standards(
        good.documents,
        good.standards,
        good.tiers.filter(pl.col("standard_id") != "A-06"),
        good.measures.filter(pl.col("standard_id") != "A-06"),
        good.materiality,
    )
    assert "没有分档" in _messages(bare, "A-06")
    assert "没有计量项" in _messages(bare, "A-06")


def test_a_scale_of_what_is_minor_says_how_small_and_how_grave() -> None:
    good = load_standards()
    wrong = good.materiality.with_columns(
        severity=pl.lit("tiny"), below_amount=pl.lit(None, pl.Decimal(18, 4)), below_pct=pl.lit(Decimal("-1"))
    )
    told = "；".join(
        problem.message_zh
        for problem in check_standards(
            Standards(good.documents, good.standards, good.tiers, good.measures, wrong)
        )
    )
    assert "程度“tiny”未知" in told
    assert "不能为负数" in told


# --- the data folder's own rows


def _own(tmp_path: Path, name: str, text: str, encoding: str = "utf-8") -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.standards.mkdir(parents=True, exist_ok=True)
    (folder.standards / f"{name}.csv").write_bytes(text.encode(encoding))
    return folder


def _header(name: str) -> str:
    return (DBT_DIR / "seeds" / f"{name}.csv").read_text("utf-8").splitlines()[0]


def test_an_own_row_replaces_all_rows_of_its_id_and_others_stay(tmp_path: Path) -> None:
    header = _header("standard_tiers")
    columns = header.split(",")
    given = {"standard_id": "A-10", "tier_no": "1", "tier_label": "不分", "value": "0.5", "unit": "元/人·月"}
    row = ",".join(given.get(column, "") for column in columns)
    folder = _own(tmp_path, "standard_tiers", f"{header}\n{row}\n", "gb18030")
    tiers = load_standards(folder).tiers
    own = tiers.filter(pl.col("standard_id") == "A-10")
    assert own["value"].to_list() == [Decimal("0.5000")]
    assert tiers.filter(pl.col("standard_id") == "C-11").height == 3
    assert own["lower_included"].to_list() == [None]


@pytest.mark.parametrize(
    ("name", "column", "value", "said"),
    [
        ("standards", "effective_from", "2019年6月", "不是日期"),
        ("standards", "effective_from", "2019-02-30", "不是日期"),
        ("standard_tiers", "value", "0,28", "不是数值"),
        ("standard_tiers", "lower_included", "也许", "不是true 或 false"),
        ("standard_tiers", "upper_bound", "2万", "不是整数"),
    ],
)
def test_a_value_of_the_wrong_kind_says_file_row_and_column(
    tmp_path: Path, name: str, column: str, value: str, said: str
) -> None:
    header = _header(name)
    row = ",".join(
        f'"{value}"' if c == column else "x" if c == "standard_id" else "" for c in header.split(",")
    )
    with pytest.raises(StandardFileError) as error:
        load_standards(_own(tmp_path, name, f"{header}\n{row}\n"))
    assert f"{name}.csv 第 2 行“{column}”列" in str(error.value)
    assert said in str(error.value)


def test_a_missing_column_and_an_empty_file_say_so(tmp_path: Path) -> None:
    with pytest.raises(StandardFileError, match="缺少列"):
        load_standards(_own(tmp_path, "standards", "standard_id\nA-06\n"))
    with pytest.raises(StandardFileError, match="文件是空的"):
        load_standards(_own(tmp_path, "standards", ""))


def test_what_excel_makes_of_a_csv_is_read(tmp_path: Path) -> None:
    header = _header("standards")
    given = {"standard_id": "A-06", "effective_from": "2019/6/10"}
    row = ",".join(given.get(column, "") for column in header.split(","))
    blank = "," * header.count(",")
    own = load_standards(_own(tmp_path, "standards", f"{header}\n{blank}\n{row}\n{blank}\n", "gb18030"))
    kept = own.standards.filter(pl.col("standard_id") == "A-06")
    assert kept["effective_from"].to_list() == [date(2019, 6, 10)]
    header = _header("standard_tiers")
    wrong = ",".join({"standard_id": "A-06", "value": "二"}.get(column, "") for column in header.split(","))
    with pytest.raises(StandardFileError, match="第 4 行“value”列"):
        load_standards(_own(tmp_path, "standard_tiers", f"{header}\n{blank}\n\n{wrong}\n"))


@pytest.mark.parametrize("name", ["standards.xlsx", "standard.csv", "标准.csv"])
def test_a_file_that_would_not_be_read_is_refused(tmp_path: Path, name: str) -> None:
    folder = DataFolder(tmp_path)
    folder.standards.mkdir()
    (folder.standards / "due_dates.csv").touch()
    (folder.standards / "说明.md").touch()
    load_standards(folder)
    (folder.standards / name).touch()
    with pytest.raises(StandardFileError, match=f"standards/{name} 不会被读取"):
        load_standards(folder)


def test_what_is_wrong_with_a_file_is_said_in_its_own_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "办理.csv").write_text("问题编号,类别\nA-06/360313101/2025-01,通知\n", "utf-8")
    words = ["finding", "import", str(tmp_path / "办理.csv"), "--by", "甲", "--data", str(tmp_path / "data")]
    assert cli.main(words) == 1
    assert capsys.readouterr().err == "findings/办理.csv 第 1 行：缺少列 记录日期、内容。请补齐后重新运行。\n"
    # A run stops with the sentence itself too, and not with the name of a class of ours.
    assert issubclass(StandardFileError, OversightError)


def test_a_confirmation_moves_the_day_and_nothing_else(tmp_path: Path) -> None:
    before = load_standards()
    text = "标准编号,确认日期,确认人,说明\nA-10,2028/3/1,李四,仍有效\nA-10,2027-01-01,李四,\n"
    folder = _own(tmp_path, "confirmations", text, "gb18030")
    after = load_standards(folder)
    changed = after.standards.filter(pl.col("standard_id") == "A-10")
    assert changed["last_confirmed_on"].to_list() == [date(2028, 3, 1)]
    same = pl.col("standard_id") != "A-10"
    assert after.standards.filter(same).equals(before.standards.filter(same))
    assert after.tiers.equals(before.tiers)
    assert standards_fingerprint(folder) != standards_fingerprint(None)
    write_overlay_inputs(folder, tmp_path / "inputs")
    own = pl.read_parquet(tmp_path / "inputs" / "overlay_standards.parquet")
    assert own["standard_id"].to_list() == ["A-10"]
    everything = load_standards(_own(tmp_path, "confirmations", "标准编号,确认日期\n全部,2029-01-01\n"))
    assert set(everything.standards["last_confirmed_on"]) == {date(2029, 1, 1)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "应有列 标准编号、确认日期"),
        ("编号,日期\nA-10,2028-03-01\n", "应有列 标准编号、确认日期"),
        ("标准编号,确认日期\nZ-99,2028-03-01\n", "第 2 行：没有编号为 Z-99 的标准"),
        ("标准编号,确认日期\nA-10,去年\n", "第 2 行：须写明标准编号和确认日期"),
        ("标准编号,确认日期\n,2028-03-01\n", "第 2 行：须写明标准编号和确认日期"),
    ],
)
def test_a_confirmation_that_cannot_be_kept_says_why(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(StandardFileError, match=said):
        load_standards(_own(tmp_path, "confirmations", text))


def test_build_inputs_are_typed_even_when_there_are_no_own_rows(tmp_path: Path) -> None:
    write_overlay_inputs(DataFolder(tmp_path), tmp_path / "inputs")
    seeds = load_standards()
    frame = pl.read_parquet(tmp_path / "inputs" / "overlay_standards.parquet")
    assert frame.is_empty()
    assert frame.schema == seeds.standards.schema


def test_the_fingerprint_follows_the_rows_and_nothing_else(tmp_path: Path) -> None:
    bare = standards_fingerprint(DataFolder(tmp_path))
    assert bare == standards_fingerprint(None)
    header = _header("standards")
    folder = _own(tmp_path, "standards", header + "\n")
    assert standards_fingerprint(folder) != bare


def test_column_types_of_dbt_and_of_the_loader_agree() -> None:
    import yaml

    project = yaml.safe_load((DBT_DIR / "dbt_project.yml").read_text("utf-8"))
    words = {
        "varchar": pl.String(),
        "date": pl.Date(),
        "bigint": pl.Int64(),
        "boolean": pl.Boolean(),
        "decimal(18,4)": pl.Decimal(18, 4),
    }
    own = {"scorecard_topics", "table_changes"}  # no tables of standards: read by dbt alone
    for name, settings in project["seeds"]["oversight"].items():
        if name.startswith("+") or name in own:
            continue
        types = settings["+column_types"]
        assert list(types) == _header(name).split(","), name
        assert {column: words[kind] for column, kind in types.items()} == {
            column: loader._dtype(name, column) for column in types
        }, name
    assert {p.stem for p in (DBT_DIR / "seeds").glob("*.csv")} == set(loader.KINDS) | own
