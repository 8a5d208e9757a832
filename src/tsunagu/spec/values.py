"""From plain data to nodes and choices, with every mistake and its place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from tsunagu.errors import Mistake, Path, did_you_mean
from tsunagu.spec.nodes import Choice, Node, Value, label_of, to_data
from tsunagu.spec.parameters import Condition, Schedule
from tsunagu.spec.parsing import Reading, read_condition, read_schedule
from tsunagu.spec.plain import own

__all__ = ["parse_value", "validate_args", "validate_node", "validate_schedule", "validate_value"]


def parse_value(data: Any, path: Path = ()) -> tuple[Value, list[Mistake]]:
    """Turn ``{key, args}`` mappings into nodes and ``{choice, name}`` mappings into choices, recursively.

    ``{condition: ...}`` and ``{schedule: ...}`` become these.

    Nodes and choices that are already made are checked just the same, so Python and YAML cannot differ.

    >>> parse_value({"key": "MLP", "args": {"hidden": {"choice": [[8], [16]]}}})[0]
    node('MLP', hidden=choice([8], [16]))
    >>> print(parse_value({"key": "MLP", "arg": {}})[1][0])
    arg: a node has key and args, found 'arg' (did you mean 'args'?)
    """
    mistakes: list[Mistake] = []
    return _parse(data, path, mistakes), mistakes


def validate_value(data: Any) -> Value:
    """As a pydantic validator: the mistakes travel inside the error."""
    return _without(*parse_value(data))


def validate_args(data: Any) -> Value:
    """Keyword arguments: a mapping, even where one of them is called ``key`` or ``choice``."""
    if not isinstance(data, None | Mapping):
        raise _not("a mapping of arguments", data)
    mistakes: list[Mistake] = []
    return _without(_entries(data or {}, (), mistakes), mistakes)


def validate_node(data: Any) -> Node | Choice:
    """A node, or a choice between nodes; a bare key is a node without arguments."""
    found: Node | Choice = _as_node(validate_value(data), optional=False)
    return found


def validate_schedule(data: Any) -> Node | Choice | None:
    """The same, or nothing."""
    found: Node | Choice | None = _as_node(validate_value(data), optional=True)
    return found


def _as_node(value: Value, *, optional: bool) -> Any:
    if isinstance(value, str):
        return Node(value)
    if isinstance(value, Choice):
        return Choice({n: _as_node(part, optional=optional) for n, part in value.options.items()}, value.name)
    if isinstance(value, Node) and isinstance(value.args, Mapping):
        return value
    if isinstance(value, Node):
        expected = f"the arguments of {value.key} by name"
        raise _not(expected, value.args)
    if optional and value is None:
        return value
    raise _not("a node {key, args}", value)


def _not(expected: str, found: Any) -> PydanticCustomError:
    context = {"expected": expected, "found": "nothing" if found is None else repr(found)}
    return PydanticCustomError("value", "expected {expected}, found {found}", context)


def _without(value: Value, mistakes: list[Mistake]) -> Value:
    if mistakes:
        raise PydanticCustomError("value", "not a value of a spec", {"mistakes": mistakes})
    return value


def _parse(data: Any, path: Path, mistakes: list[Mistake]) -> Value:
    if isinstance(data, Node):
        return _node({"key": data.key, "args": data.args}, path, mistakes)
    if isinstance(data, Choice):
        return Choice(_entries(data.options, (*path, "choice"), mistakes), data.name)
    if isinstance(data, Condition | Schedule):
        return _parse(to_data(data), path, mistakes)
    if isinstance(data, Mapping) and "condition" in data:
        return _parameter(read_condition(data), path, mistakes)
    if isinstance(data, Mapping) and "schedule" in data:
        return _parameter(read_schedule(data), path, mistakes)
    if isinstance(data, Mapping) and "key" in data:
        return _node(data, path, mistakes)
    if isinstance(data, Mapping) and "choice" in data:
        return _choice(data, path, mistakes)
    if isinstance(data, Mapping):
        return _entries(data, path, mistakes)
    if isinstance(data, list | tuple):
        return [_parse(part, (*path, i), mistakes) for i, part in enumerate(data)]
    if isinstance(data, float) and not math.isfinite(data):
        mistakes.append(Mistake(path, f"expected a finite number, found {data}"))
    elif not isinstance(data, None | bool | int | float | str):
        mistakes.append(Mistake(path, f"{type(data).__name__} is not a value of a spec, found {data!r}"))
    return own(data)


def _entries(data: Mapping[Any, Any], path: Path, mistakes: list[Mistake]) -> dict[str, Value]:
    return {str(name): _parse(part, (*path, str(name)), mistakes) for name, part in data.items()}


def _node(data: Mapping[str, Any], path: Path, mistakes: list[Mistake]) -> Node | None:
    mistakes += _strangers(data, ("key", "args"), "a node has key and args", path)
    key, args = data["key"], data.get("args")
    if not isinstance(key, str) or not key:
        mistakes.append(Mistake((*path, "key"), f"expected the name of a layer, found {key!r}"))
        return None
    if not isinstance(args, None | Mapping | list | tuple):
        found = f"expected a mapping or a list of arguments, found {args!r}"
        mistakes.append(Mistake((*path, "args"), found))
        return None
    # The arguments are a plain mapping even where one of them is called 'key' or 'choice'.
    if isinstance(args, Mapping):
        return Node(key, _entries(args, (*path, "args"), mistakes))
    return Node(key, _parse(args or [], (*path, "args"), mistakes))


def _parameter(found: Reading, path: Path, mistakes: list[Mistake]) -> Condition | Schedule | None:
    if found.mistakes:
        mistakes += [Mistake((*path, *mistake.path), mistake.message) for mistake in found.mistakes]
        return None
    inside = (*path, *found.step)
    if isinstance(found.args, Mapping):
        return found.make(_entries(found.args, inside, mistakes))
    return found.make(_parse(found.args or [], inside, mistakes))


def _choice(data: Mapping[str, Any], path: Path, mistakes: list[Mistake]) -> Choice | None:
    mistakes += _strangers(data, ("choice", "name"), "a choice has choice and name", path)
    options, name, inside = data["choice"], data.get("name"), (*path, "choice")
    if not isinstance(options, Mapping | list | tuple) or not options:
        mistakes.append(Mistake(inside, f"expected options as a mapping or a list, found {options!r}"))
        return None
    if not isinstance(name, None | str) or name == "":
        mistakes.append(Mistake((*path, "name"), f"expected a name, found {name!r}"))
        return None
    if isinstance(options, Mapping):
        return Choice(_entries(options, inside, mistakes), name)
    before = len(mistakes)
    values = [_parse(part, (*inside, i), mistakes) for i, part in enumerate(options)]
    labelled = {label_of(value): value for value in values}
    if len(labelled) < len(values) and len(mistakes) == before:
        mistakes.append(Mistake(inside, "two options have the same label; write a mapping {label: option}"))
    return Choice(labelled, name)


def _strangers(data: Mapping[str, Any], valid: tuple[str, ...], rule: str, path: Path) -> list[Mistake]:
    strange = [str(name) for name in data if name not in valid]
    return [Mistake((*path, name), f"{rule}, found '{name}'{did_you_mean(name, valid)}") for name in strange]
