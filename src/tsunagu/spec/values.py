"""From plain data to nodes and choices, with every mistake and its place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from tsunagu.errors import Mistake, Path, did_you_mean
from tsunagu.spec.nodes import Choice, Node, Value, choice

__all__ = ["parse_node", "parse_value", "validate_node", "validate_value"]


def parse_value(data: Any, path: Path = ()) -> tuple[Value, list[Mistake]]:
    """Turn ``{key, args}`` mappings into nodes and ``{choice, name}`` mappings into choices, recursively.

    >>> parse_value({"key": "MLP", "args": {"hidden": {"choice": [[8], [16]]}}})[0]
    node('MLP', hidden=choice([8], [16]))
    >>> print(parse_value({"key": "MLP", "arg": {}})[1][0])
    arg: a node has key and args, found 'arg' (did you mean 'args'?)
    """
    mistakes: list[Mistake] = []
    return _parse(data, path, mistakes), mistakes


def validate_value(data: Any) -> Value:
    """As a pydantic validator: the mistakes travel inside the error."""
    value, mistakes = parse_value(data)
    if mistakes:
        raise PydanticCustomError("value", "not a value of a spec", {"mistakes": mistakes})
    return value


def validate_node(data: Any) -> Node | Choice:
    """A node, or a choice between nodes; a bare key is a node without arguments."""
    return parse_node(validate_value(data))


def parse_node(value: Value) -> Node | Choice:
    """The value as a node; for places such as the optimiser, where nothing else makes sense."""
    if isinstance(value, str):
        return Node(value)
    if isinstance(value, Node | Choice):
        return value
    raise PydanticCustomError("value", "expected a node {key, args}, found {found}", {"found": repr(value)})


def _parse(data: Any, path: Path, mistakes: list[Mistake]) -> Value:
    if isinstance(data, Mapping) and "key" in data:
        return _node(data, path, mistakes)
    if isinstance(data, Mapping) and "choice" in data:
        return _choice(data, path, mistakes)
    if isinstance(data, Mapping):
        return {str(name): _parse(part, (*path, str(name)), mistakes) for name, part in data.items()}
    if isinstance(data, list | tuple):
        return [_parse(part, (*path, i), mistakes) for i, part in enumerate(data)]
    if isinstance(data, float) and not math.isfinite(data):
        mistakes.append(Mistake(path, f"expected a finite number, found {data}"))
    elif not isinstance(data, None | bool | int | float | str | Node | Choice | BaseModel):
        mistakes.append(Mistake(path, f"{type(data).__name__} is not a value of a spec, found {data!r}"))
    return data


def _node(data: Mapping[str, Any], path: Path, mistakes: list[Mistake]) -> Node | None:
    mistakes += _strangers(data, ("key", "args"), "a node has key and args", path)
    key, args = data["key"], data.get("args")
    if not isinstance(key, str):
        mistakes.append(Mistake((*path, "key"), f"expected the name of a layer, found {key!r}"))
        return None
    if not isinstance(args, None | Mapping | list | tuple):
        mistakes.append(
            Mistake((*path, "args"), f"expected a mapping or a list of arguments, found {args!r}")
        )
        return None
    # The arguments are a plain mapping even where one of them is called 'key' or 'choice'.
    if isinstance(args, Mapping):
        return Node(
            key, {str(n): _parse(part, (*path, "args", str(n)), mistakes) for n, part in args.items()}
        )
    return Node(key, _parse(args or [], (*path, "args"), mistakes) or {})


def _choice(data: Mapping[str, Any], path: Path, mistakes: list[Mistake]) -> Choice | None:
    mistakes += _strangers(data, ("choice", "name"), "a choice has choice and name", path)
    options, name = data["choice"], data.get("name")
    if not isinstance(options, Mapping | list | tuple) or not options:
        mistakes.append(
            Mistake((*path, "choice"), f"expected options as a mapping or a list, found {options!r}")
        )
        return None
    if not isinstance(name, None | str):
        mistakes.append(Mistake((*path, "name"), f"expected a name, found {name!r}"))
        return None
    if isinstance(options, Mapping):
        labelled = {str(n): _parse(part, (*path, "choice", str(n)), mistakes) for n, part in options.items()}
        return Choice(labelled, name)
    values = [_parse(part, (*path, "choice", i), mistakes) for i, part in enumerate(options)]
    if len({_label(value) for value in values}) < len(values):
        mistakes.append(
            Mistake((*path, "choice"), "two options have the same label; write a mapping {label: option}")
        )
        return None
    return choice(*values, name=name)


def _label(value: Value) -> str:
    return value.key if isinstance(value, Node) else str(value)


def _strangers(data: Mapping[str, Any], valid: tuple[str, ...], rule: str, path: Path) -> list[Mistake]:
    strange = [name for name in data if name not in valid]
    return [
        Mistake((*path, name), f"{rule}, found '{name}'{did_you_mean(str(name), valid)}") for name in strange
    ]
