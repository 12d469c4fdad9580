"""The models run on DuckDB and on Spark: what only one of them knows, or what makes money inexact, is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from oversight.settings import DBT_DIR

MODELS = sorted((DBT_DIR / "models").rglob("*.sql"))
PUBLISHED = [path for path in MODELS if path.parent.name in ("marts", "reported", "detail")]
TESTS = sorted((DBT_DIR / "tests").rglob("*.sql"))
MACROS = sorted((DBT_DIR / "macros").rglob("*.sql"))

# DuckDB's own or inexact; the macros dispatch where the two engines differ.
BANNED = {
    "QUALIFY": r"\bqualify\b",
    ":: casts": r"::",
    "//": r"//",
    "list literals": r"(?<![\w\)\]])\[\s*['\w]",
    "DISTINCT ON": r"\bdistinct\s+on\b",
    "EXCLUDE": r"\bexclude\b",
    "arg_max": r"\b(arg_max|arg_min|argmax|max_by|min_by)\b",
    "unnest": r"\bunnest\b",
    "strftime": r"\b(strftime|strptime)\b",
    "ASOF": r"\basof\b",
    "FILTER": r"\bfilter\s*\(\s*where\b",
    "division": r"(?<!')/(?!')",
    "float": r"\b(float|double|real)\b",
    "group by all": r"\b(group|order)\s+by\s+all\b",
    "merge": r"\bmerge\s+into\b",
    # Spark knows it only with a length.
    "varchar": r"\bvarchar\b(?!\s*\()",
    "generate_series": r"\b(generate_series|range)\s*\(",
}


def _sql(path: Path) -> str:
    text = path.read_text("utf-8")
    text = re.sub(r"\{#.*?#\}", "", text, flags=re.S)
    text = re.sub(r"\{%.*?%\}", "", text, flags=re.S)
    text = re.sub(r"\{\{.*?\}\}", "x", text, flags=re.S)
    text = re.sub(r"--[^\n]*", "", text)
    return re.sub(r"'[^'\n]*'", "''", text).lower()


@pytest.mark.parametrize("path", [*MODELS, *TESTS], ids=lambda p: p.stem)
def test_no_banned_word(path: Path) -> None:
    text = _sql(path)
    assert [name for name, pattern in BANNED.items() if re.search(pattern, text)] == []


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_windows_say_where_nulls_go(path: Path) -> None:
    for clause in re.findall(r"over\s*\(((?:[^()]|\([^()]*\))*)\)", _sql(path)):
        ordered = re.search(r"order\s+by(.*?)(rows\s+between|$)", clause, flags=re.S)
        if ordered:
            keys = [key for key in re.split(r",(?![^()]*\))", ordered.group(1)) if key.strip()]
            assert all(re.search(r"nulls\s+(first|last)", key) for key in keys), clause


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_models_have_their_header_and_end_in_final(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert lines[0].startswith("-- A row is ")
    assert lines[1].startswith("-- Must hold: ")
    if "merge_overlay" not in "".join(lines):
        ending = "\n".join(lines[-2:]) if lines[-1].startswith("order by ") else lines[-1]
        assert re.fullmatch(r"select \* from final(\norder by .+)?", ending)


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda p: p.stem)
def test_published_models_say_in_which_order_their_rows_lie(path: Path) -> None:
    # They are published as they were built: readers of one month then read one stretch of the file.
    if "materialized='view'" in path.read_text("utf-8"):
        return
    assert path.read_text("utf-8").splitlines()[-1].startswith("order by ")


def test_no_policy_number_stands_in_a_model() -> None:
    # 12 months, 100 per cent, shares of a 分 and the tenths of bisection are arithmetic, not policy.
    figures = re.compile(r"(?<![\w.])(0\.28|0\.22|0\.18|20000|30000|50000|40000|70000|100000|200)(?![\w.])")
    assert [path.stem for path in [*MODELS, *MACROS] if figures.search(_sql(path))] == []


def test_every_public_column_has_a_chinese_comment() -> None:
    import yaml

    for path in (DBT_DIR / "models").rglob("*.yml"):
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", []):
            assert re.search(r"[一-鿿]", model.get("description", "")), model["name"]
            for column in model.get("columns", []):
                assert re.search(r"[一-鿿]", column.get("description", "")), (model["name"], column)
