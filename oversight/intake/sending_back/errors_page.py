"""docs/errors.md, made from the catalogue: `python -m oversight.intake.sending_back.errors_page` writes it."""

from __future__ import annotations

import re

from oversight.intake_messages import CATALOGUE
from oversight.settings import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "errors.md"
_HEAD = """# 报送问题一览

本页由程序生成（`python -m oversight.intake.sending_back.errors_page`），与程序给出的提示逐字一致，请勿手工修改。

`oversight check 文件 --data 目录` 可在报送前核对；每次 `oversight run` 之后，有问题的文件会在数据目录的
`returned/` 中生成标注好的退回件：第一页列出每一处问题，点单元格可跳到该处，改好后整份重新报送即可。
"""
_GROUPS = {
    "F": ("整份拒收", "整份文件（或其中一张表）不能使用。"),
    "R": ("退回的行", "这一行不能使用，其余各行照常入库。"),
    "H": ("待确认的行", "数字疑似差了 1,000 倍或 10,000 倍，确认之前不使用，也不自动换算。"),
    "C": ("未执行的更正", "分析人员的更正或确认没有执行。"),
    "D": ("存疑或提示", "照常入库，同时告知报送单位。"),
}


def page() -> str:
    """The page's text."""
    parts = [_HEAD]
    for letter, (title, text) in _GROUPS.items():
        parts.append(f"\n## {title}（{letter}）\n\n{text}\n")
        for message in CATALOGUE.values():
            if message.code.startswith(letter):
                shown = re.sub(r"\{(\w+)\}", "…", message.text_zh)
                parts.append(
                    f"\n### {message.code} {message.title_zh}\n\n"
                    f"- 提示：{shown}\n- 例如：{message.example_zh}\n- 怎么改：{message.remedy_zh}\n"
                )
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
