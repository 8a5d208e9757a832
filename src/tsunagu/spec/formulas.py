"""Formulas of columns, such as ``jet_pt > 20 and abs(jet_eta) < 2.5``: read, and never run as code.

A formula is parsed into a syntax tree, and everything in the tree that is not on the lists here is refused: operators,
functions by name, numbers, and names of columns. A name with other letters than those of a Python name stands in
backticks.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple, NoReturn

from tsunagu.errors import DataError, did_you_mean

__all__ = ["CONSTANTS", "FUNCTIONS", "Parsed", "is_formula", "parse_formula"]

FUNCTIONS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(
        ("abs", "sqrt", "exp", "log", "log10", "sin", "cos", "tan", "asin", "acos", "atan"), (1, 1)
    ),
    **dict.fromkeys(("sinh", "cosh", "tanh", "asinh", "floor", "ceil", "round", "sign"), (1, 1)),
    **dict.fromkeys(("isnan", "isfinite", "sum", "any", "all"), (1, 1)),
    **dict.fromkeys(("atan2", "hypot", "delta_phi"), (2, 2)),
    **dict.fromkeys(("where", "clip"), (3, 3)),
    **dict.fromkeys(("min", "max"), (1, 9)),
}
"""The functions, each with the smallest and the largest number of its arguments."""

CONSTANTS = {"pi": 3.141592653589793}

_MOST = 2000
_QUOTED = re.compile(r"`([^`]*)`")
_ALLOWED: tuple[type[ast.AST], ...] = (
    ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.Invert, ast.BinOp, ast.Add, ast.Sub,
    ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr, ast.BitXor, ast.LShift, ast.RShift,
    ast.Compare, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.Name, ast.Load, ast.Constant, ast.Call,
    ast.Subscript, ast.Attribute,
)  # fmt: skip


class Parsed(NamedTuple):
    """A formula that holds nothing but what is allowed.

    Args:
        tree: its syntax tree; the names in it are those of the columns, whatever their letters.
        names: the columns, each with its position, which begins at 1.
    """

    tree: ast.expr
    names: dict[str, int]


@lru_cache(maxsize=512)
def parse_formula(text: str) -> Parsed:
    """Read a formula.

    Raises:
        DataError: what is not allowed in it and where, with the nearest valid name.

    >>> parse_formula("sqrt(met_x**2 + met_y**2)").names
    {'met_x': 6, 'met_y': 17}
    >>> parse_formula("sqr(met) > 20")
    Traceback (most recent call last):
    tsunagu.errors.DataError: at position 1 of 'sqr(met) > 20': unknown function 'sqr' (did you mean 'sqrt'?)
    >>> parse_formula("__import__('os')")
    Traceback (most recent call last):
    tsunagu.errors.DataError: at position 1 of '__import__('os')': unknown function '__import__' ...
    """
    line = " ".join(text.splitlines())
    reader = _Reader(line)
    tree = reader.expression(_tree(reader.plain, line))
    if not reader.names:
        _refuse(line, 1, "a formula needs at least one column")
    return Parsed(tree, reader.names)


def is_formula(text: str, known: Collection[str] = ()) -> bool:
    """Whether a text is more than the name of a column.

    Args:
        text: as it is written.
        known: names of columns; one of them is a name, even with an operator in it.

    >>> is_formula("jet_pt"), is_formula("Jet.pt"), is_formula("jet-pt"), is_formula("jet-pt", ["jet-pt"])
    (False, False, True, False)
    """
    return text not in known and re.fullmatch(r"[^\W\d]\w*(\.\w+)*", text.strip()) is None


class _Reader:
    """Walks over a tree, refuses what is not allowed, and collects the names of columns."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.names: dict[str, int] = {}
        self._quoted: dict[str, str] = {}
        self.plain = _QUOTED.sub(self._placeholder, line)

    def _placeholder(self, found: re.Match[str]) -> str:
        # As long as what it stands for, so that positions stay.
        name = f"_{len(self._quoted)}_".ljust(len(found[0]), "q")
        self._quoted[name] = found[1]
        return name

    def expression(self, node: ast.expr) -> ast.expr:
        """The same tree with columns in place of Python's names."""
        if not isinstance(node, _ALLOWED):
            self._refuse(node, f"{_word(node)} cannot stand in a formula")
        for part in ast.iter_child_nodes(node):
            if not isinstance(part, (*_ALLOWED, ast.expr, ast.keyword)):
                self._refuse(node, f"{_word(part)} cannot stand in a formula")
        if isinstance(node, ast.Name | ast.Attribute):
            return self._column(node)
        if isinstance(node, ast.Constant):
            return self._number(node)
        if isinstance(node, ast.Subscript):
            return self._entry(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                setattr(node, name, self.expression(value))
            elif isinstance(value, list):
                setattr(node, name, [self.expression(v) if isinstance(v, ast.expr) else v for v in value])
        return node

    def _column(self, node: ast.Name | ast.Attribute) -> ast.expr:
        name = _dotted(node)
        if name is None:
            self._refuse(node, "a '.' can stand only in the name of a column")
        if name in CONSTANTS:
            return ast.copy_location(ast.Constant(CONSTANTS[name]), node)
        column = self._quoted.get(name, name)
        if column in FUNCTIONS:
            self._refuse(
                node, f"'{column}' is a function and needs arguments; a column is written `{column}`"
            )
        self.names.setdefault(column, self._position(node))
        return ast.copy_location(ast.Name(column, ast.Load()), node)

    def _number(self, node: ast.Constant) -> ast.expr:
        value = node.value
        if not isinstance(value, int | float):
            self._refuse(node, f"{value!r} is no number")
        if isinstance(value, int) and abs(value) > 2**63 - 1:
            self._refuse(node, "a whole number beyond 64 bits")
        return node

    def _entry(self, node: ast.Subscript) -> ast.expr:
        place = node.slice
        if not (isinstance(place, ast.Constant) and type(place.value) is int):
            self._refuse(node, "an entry is a whole number from 0, as in jet_pt[0]")
        node.value = self.expression(node.value)
        return node

    def _call(self, node: ast.Call) -> ast.expr:
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name not in FUNCTIONS:
            self._refuse(
                node,
                f"unknown function '{name or ast.unparse(node.func)}'{did_you_mean(name or '', FUNCTIONS)}",
            )
        least, most = FUNCTIONS[name]
        if node.keywords or not least <= len(node.args) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            self._refuse(node, f"{name} takes {wanted} argument{'s'[: most > 1]}, found {ast.unparse(node)}")
        node.args = [self.expression(part) for part in node.args]
        return node

    def _position(self, node: ast.expr) -> int:
        return len(self.plain.encode()[: node.col_offset].decode(errors="replace")) + 1

    def _refuse(self, node: ast.expr, message: str) -> NoReturn:
        _refuse(self.line, self._position(node), message)


def _tree(plain: str, line: str) -> ast.expr:
    if len(plain) > _MOST:
        _refuse(line, _MOST, f"a formula has at most {_MOST} letters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # A blank before a formula would be an indent.
            start = len(plain) - len(plain.lstrip())
            tree = ast.parse(plain.strip(), mode="eval").body
    except SyntaxError as error:
        _refuse(line, (error.offset or 1) + start, f"cannot be read ({error.msg})")
    except (ValueError, RecursionError, MemoryError) as error:
        _refuse(line, 1, f"cannot be read ({error})")
    _check_depth(tree, line)
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            node.col_offset += start
    return tree


def _check_depth(tree: ast.expr, line: str) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(100):
        level = [part for node in level for part in ast.iter_child_nodes(node)]
        if not level:
            return
    _refuse(line, 1, "is nested too deeply")


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return None if inner is None else f"{inner}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else None


def _word(node: ast.AST) -> str:
    words = {"IfExp": "if ... else (write where(condition, a, b))", "Is": "'is' (write ==)", "In": "'in'"}
    name = type(node).__name__
    return words.get(name, f"a Python {name}")


def _refuse(line: str, position: int, message: str) -> NoReturn:
    short = line if len(line) <= 80 else f"{line[:77]}..."
    text = f"at position {position} of '{short}': {message}"
    raise DataError(text)
