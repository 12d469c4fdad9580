"""Reading printed arithmetic again: `名称：算式 = 结果 单位（说明）`, with × ÷ + − and brackets, in exact fractions."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

LINE = re.compile(
    r"^\s*(?P<name>[^：=]+)：(?P<sum>[-0-9 ,.×÷+−()（）]*[0-9)]) = (?P<result>[−-]?[0-9,]+(?:\.[0-9]+)?) (?P<unit>元|%|人)"
)
SIGNS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def worked_out(expression: str) -> Fraction:
    """The value of what was printed."""
    plain = re.sub(r"(?<=\d),(?=\d)", "", expression)
    for printed, sign in (("×", "*"), ("÷", "/"), ("−", "-"), ("（", "("), ("）", ")")):
        plain = plain.replace(printed, sign)
    return _value(ast.parse(plain.strip(), mode="eval").body, plain)


def _value(node: ast.expr, text: str) -> Fraction:
    if isinstance(node, ast.Constant):
        # The digits as they stand, not the nearest binary number.
        return Fraction(ast.get_source_segment(text.strip(), node) or "")
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, text)
    if isinstance(node, ast.BinOp):
        return SIGNS[type(node.op)](_value(node.left, text), _value(node.right, text))
    raise ValueError(text)


def printed_lines(text: str) -> list[tuple[str, Fraction, Fraction, str]]:
    """Name, what the printed sum comes to, the printed result, and the line, for each line of arithmetic."""
    found = []
    for line in text.splitlines():
        match = LINE.match(line)
        if match:
            result = Fraction(match["result"].replace(",", "").replace("−", "-"))
            found.append((match["name"].strip(), worked_out(match["sum"]), result, line))
    return found
