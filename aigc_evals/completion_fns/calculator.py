"""The built-in tool ``calculator``: arithmetic without ever running code."""

from __future__ import annotations

import ast
import math
import operator
import unicodedata
from collections.abc import Callable
from typing import Any

_LONGEST = 1000
_BITS = 10_000
_FACTORIAL = 1000
_SIGNS = str.maketrans({"×": "*", "÷": "/", "−": "-", "·": "*", "^": "**", "，": ","})
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(math, name) for name in ("sqrt", "exp", "log2", "log10", "sin", "cos", "tan", "floor", "ceil")},
    **{name: getattr(math, name) for name in ("asin", "acos", "atan", "gcd", "hypot", "degrees", "radians", "log")},
    "abs": abs,
    "max": max,
    "min": min,
    "round": round,
}
_CONSTANTS = {"pi": math.pi, "e": math.e, "π": math.pi}


def calculator(expression: str) -> str:
    """Evaluate an arithmetic expression exactly as written and return the number.

    Args:
        expression: for example "(3 + 4) * 2 ** 5 / sqrt(2)"; + - * / // % ** and the usual functions
    """
    text = unicodedata.normalize("NFKC", expression).translate(_SIGNS).strip()
    if len(text) > _LONGEST:
        raise ValueError(f"the expression is longer than {_LONGEST} characters")
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"not an arithmetic expression: {expression!r}") from None
    try:
        value = _value(tree.body)
    except RecursionError:
        raise ValueError("the expression is nested too deeply") from None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return _digits(value)


def _digits(value: Any) -> str:
    if not isinstance(value, int):
        return repr(value)
    _bounded(value)
    return str(value)


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return node.value
    if isinstance(node, ast.Name) and node.id in _CONSTANTS:
        return _CONSTANTS[node.id]
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        return _UNARY[type(node.op)](_value(node.operand))
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Pow):
            return _power(left, right)
        if type(node.op) in _BINARY:
            return _bounded(_BINARY[type(node.op)](left, right))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        arguments = [_value(argument) for argument in node.args]
        if node.func.id == "factorial" and len(arguments) == 1:
            return _factorial(arguments[0])
        if node.func.id in _FUNCTIONS:
            return _bounded(_FUNCTIONS[node.func.id](*arguments))
    raise ValueError(f"only numbers, + - * / // % ** and {', '.join(sorted(_FUNCTIONS))} are understood")


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise ValueError("the number is too large")
    return value


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and abs(base).bit_length() * exponent > _BITS:
        raise ValueError("the number is too large")
    value = base**exponent
    if isinstance(value, complex):
        raise ValueError("the result is not a real number")
    return _bounded(value)


def _factorial(n: Any) -> int:
    if not isinstance(n, int) or not 0 <= n <= _FACTORIAL:
        raise ValueError(f"factorial takes a whole number from 0 to {_FACTORIAL}")
    return int(_bounded(math.factorial(n)))
