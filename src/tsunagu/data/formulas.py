"""Formulas of columns, computed on arrays of events."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from tsunagu.data.source import Array
from tsunagu.errors import DataError
from tsunagu.spec.formulas import parse_formula

__all__ = ["evaluate"]

Operation = Callable[..., Any]

_BINARY: dict[type[ast.AST], Operation] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.true_divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
}
_BITS: dict[type[ast.AST], Operation] = {
    ast.BitAnd: np.bitwise_and,
    ast.BitOr: np.bitwise_or,
    ast.BitXor: np.bitwise_xor,
    ast.LShift: np.left_shift,
    ast.RShift: np.right_shift,
}
_COMPARED: dict[type[ast.AST], Operation] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_ELEMENTWISE: dict[str, Operation] = {
    "abs": np.abs, "sqrt": np.sqrt, "exp": np.exp, "log": np.log, "log10": np.log10, "sin": np.sin, "cos": np.cos,
    "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh,
    "tanh": np.tanh, "asinh": np.arcsinh, "floor": np.floor, "ceil": np.ceil, "round": np.round, "sign": np.sign,
    "isnan": np.isnan, "isfinite": np.isfinite, "atan2": np.arctan2, "hypot": np.hypot, "clip": np.clip,
}  # fmt: skip
_OVER_OBJECTS: dict[str, Operation] = {
    "sum": np.sum, "any": np.any, "all": np.all, "min": np.min, "max": np.max
}  # fmt: skip


def evaluate(text: str, columns: Mapping[str, Array]) -> Array:
    """The value of a formula for each event, ``[E, ...]``: float64, int64 or bool.

    Columns of numbers for each event ``[E]`` meet columns of objects ``[E, n]`` object by object. ``sum``, ``any``,
    ``all``, and ``min`` and ``max`` of one argument are taken over the objects of an event; padding is 0 there. Floats are
    computed in double precision. What is not defined, such as the logarithm of 0, is infinite or NaN.

    Args:
        text: of the formula.
        columns: those that it names, ``[E, ...]``.

    Raises:
        DataError: shapes or types that do not fit each other.

    >>> pt = np.array([[30.0, 20.0], [50.0, 0.0]])
    >>> evaluate("sum(pt) + met", {"pt": pt, "met": np.array([1.0, 2.0])})
    array([51., 52.])
    >>> evaluate("any(pt > 40) or met < 2", {"pt": pt, "met": np.array([1.0, 2.0])})
    array([ True,  True])
    """
    tree = parse_formula(text).tree
    with np.errstate(all="ignore"):
        try:
            made: Array = np.asarray(_value(tree, columns))
        except (TypeError, ValueError, IndexError, OverflowError, DataError) as error:
            message = f"'{text}': {error}"
            raise DataError(message) from error
    return np.ascontiguousarray(made, dtype=np.int64 if made.dtype.kind in "iu" else None)


def _value(node: ast.expr, columns: Mapping[str, Array]) -> Any:
    match node:
        case ast.Name():
            return _leaf(columns[node.id])
        case ast.Constant():
            return np.asarray(node.value)[()]
        case ast.UnaryOp():
            return _unary(node.op, _value(node.operand, columns))
        case ast.BinOp():
            return _binary(node.op, _value(node.left, columns), _value(node.right, columns))
        case ast.BoolOp():
            parts = [_condition(_value(part, columns)) for part in node.values]
            how = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return reduce(lambda a, b: how(*_aligned(a, b)), parts)
        case ast.Compare():
            return _compared(node, columns)
        case ast.Subscript():
            return _entry(_value(node.value, columns), node)
        case ast.Call():
            return _called(node, [_value(part, columns) for part in node.args])
    raise AssertionError(ast.dump(node))


def _leaf(array: Array) -> Array:
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _unary(how: ast.unaryop, value: Any) -> Any:
    if isinstance(how, ast.Not):
        return np.logical_not(_condition(value))
    if isinstance(how, ast.Invert):
        return np.invert(_whole(value))
    return -_number(value) if isinstance(how, ast.USub) else _number(value)


def _binary(how: ast.operator, left: Any, right: Any) -> Any:
    left, right = _aligned(left, right)
    if type(how) in _BITS:
        if (left.dtype.kind == "b") != (right.dtype.kind == "b"):
            found = "&, | and ^ bind tighter than comparisons; conditions are joined by and, or"
            raise DataError(found)
        return _BITS[type(how)](_whole(left), _whole(right))
    left, right = _number(left), _number(right)
    if isinstance(how, ast.Pow):
        # Never in whole numbers, which would overflow without a word.
        return np.float_power(left, right)
    if isinstance(how, ast.FloorDiv | ast.Mod) and right.dtype.kind in "iu" and (right == 0).any():
        found = "a whole number is divided by 0"
        raise DataError(found)
    return _BINARY[type(how)](left, right)


def _compared(node: ast.Compare, columns: Mapping[str, Array]) -> Any:
    values = [_value(part, columns) for part in (node.left, *node.comparators)]
    parts = [
        _COMPARED[type(how)](*_aligned(a, b))
        for how, a, b in zip(node.ops, values[:-1], values[1:], strict=True)
    ]
    return reduce(lambda a, b: np.logical_and(*_aligned(a, b)), parts)


def _called(node: ast.Call, values: list[Any]) -> Any:
    assert isinstance(node.func, ast.Name)
    name = node.func.id
    if name in _OVER_OBJECTS and len(values) == 1:
        return _over_objects(name, values[0])
    values = _aligned(*values)
    if name in ("min", "max"):
        return reduce(np.minimum if name == "min" else np.maximum, values)
    if name == "where":
        return np.where(_condition(values[0]), values[1], values[2])
    if name == "delta_phi":
        return np.mod(values[0] - values[1] + np.pi, 2.0 * np.pi) - np.pi
    return _ELEMENTWISE[name](*map(_number, values))


def _over_objects(name: str, value: Any) -> Any:
    if np.ndim(value) < 2:
        message = f"{name}(...) is taken over the objects of an event [E, n], found one value for each event"
        raise DataError(message)
    value = _condition(value) if name in ("any", "all") else value
    value = _number(value) if name == "sum" else value
    return _OVER_OBJECTS[name](value, axis=-1)


def _entry(value: Any, node: ast.Subscript) -> Any:
    assert isinstance(node.slice, ast.Constant)
    number = node.slice.value
    assert isinstance(number, int)
    if np.ndim(value) < 2 or number >= value.shape[1]:
        found = f"{ast.unparse(node)}: there is no entry {number} in {_shape(value)}"
        raise DataError(found)
    return value[:, number]


def _aligned(*values: Any) -> list[Any]:
    """Values with a number for each event become those with one for each object, by a new last axis."""
    most = max(np.ndim(value) for value in values)
    shapes = dict.fromkeys(np.shape(value)[1:] for value in values if np.ndim(value))
    longest = max(shapes, key=len, default=())
    if wrong := next((shape for shape in shapes if shape != longest[: len(shape)]), None):
        found = f"shapes do not fit: {_spelled(longest)} and {_spelled(wrong)}"
        raise DataError(found)
    return [v.reshape(*v.shape, *[1] * (most - v.ndim)) if 0 < np.ndim(v) < most else v for v in values]


def _condition(value: Any) -> Any:
    if value.dtype.kind == "f":
        msg = "a condition such as pt > 20 is needed beside and, or, not, any, all, and first in where; found numbers"
        raise DataError(msg)
    return value if value.dtype.kind == "b" else value != 0


def _whole(value: Any) -> Any:
    if value.dtype.kind == "f":
        msg = "&, |, ^ and ~ are for whole numbers and conditions, found other numbers; conditions are joined by and, or"
        raise DataError(msg)
    return value


def _number(value: Any) -> Any:
    return value.astype(np.int64) if value.dtype.kind == "b" else value


def _shape(value: Any) -> str:
    return _spelled(np.shape(value)[1:])


def _spelled(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(['E', *map(str, shape)])}]"
