"""The two values that a spec has beside plain data: a node, not yet built, and a choice, not yet made.

Both are plain data themselves: frozen, comparable, and one to one with what stands in a YAML file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from pydantic import BaseModel

from tsunagu.errors import ChoiceError, Path

__all__ = ["Choice", "Node", "Value", "choice", "node", "to_data", "walk"]

Value = Any
"""None, bool, int, float, str, Node, Choice, or lists and string-keyed mappings of these."""


@final
@dataclass(frozen=True)
class Node:
    """A layer, a model or an optimiser that is not yet built.

    Args:
        key: its registered name, or ``package.module:Class``.
        args: keyword arguments as a mapping, or positional ones as a list.

    >>> node("Linear", 2, 3)
    node('Linear', 2, 3)
    >>> node("MLP", hidden=[32, 32]) == Node("MLP", {"hidden": [32, 32]})
    True
    """

    key: str
    args: Mapping[str, Value] | Sequence[Value] = field(default_factory=dict)

    def __repr__(self) -> str:
        if isinstance(self.args, Mapping):
            parts = [f"{name}={part!r}" for name, part in self.args.items()]
        else:
            parts = [repr(part) for part in self.args]
        return f"node({', '.join([repr(self.key), *parts])})"


@final
@dataclass(frozen=True)
class Choice:
    """A value that is still to be chosen; it may stand anywhere in a spec.

    Args:
        options: value by label.
        name: choices of the same name are one decision; without a name a choice is labelled by its path.

    >>> choice(16, 32, name="width").options
    {'16': 16, '32': 32}
    """

    options: Mapping[str, Value]
    name: str | None = None

    def __post_init__(self) -> None:
        if not self.options:
            msg = f"choice {self.name or ''}: has no options; give at least one"
            raise ChoiceError(msg)

    def __repr__(self) -> str:
        named = [] if self.name is None else [f"name={self.name!r}"]
        plain = all(label == str(part) for label, part in self.options.items())
        spelled = [repr(o) if plain else f"{label}={o!r}" for label, o in self.options.items()]
        return f"choice({', '.join(spelled + named)})"


def node(key: str, *positional: Value, **named: Value) -> Node:
    """A node with positional or keyword arguments.

    Raises:
        TypeError: both kinds at once, which a spec file could not say.
    """
    if positional and named:
        msg = f"node('{key}'): arguments are all positional or all named, found both"
        raise TypeError(msg)
    return Node(key, list(positional) if positional else dict(named))


def choice(*values: Value, name: str | None = None, **options: Value) -> Choice:
    """A choice between labelled options, or between plain values that label themselves.

    >>> choice(cnn=node("TauCNN"), mlp=node("TauMLP"))
    choice(cnn=node('TauCNN'), mlp=node('TauMLP'))
    """
    labelled = {_label(value): value for value in values} | options
    if len(labelled) < len(values) + len(options):
        msg = (
            f"choice {name or ''}: two options have the same label; found {list(values)} and {list(options)}"
        )
        raise ChoiceError(msg)
    return Choice(labelled, name)


def to_data(value: Value) -> Value:
    """The plain data of a value, as it would stand in a YAML file.

    >>> to_data(choice(cnn=node("TauCNN", kernel=3)))
    {'choice': {'cnn': {'key': 'TauCNN', 'args': {'kernel': 3}}}}
    """
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        return {name: to_data(part) for name, part in fields.items()}
    if isinstance(value, Node):
        return {"key": value.key, "args": to_data(value.args)} if value.args else {"key": value.key}
    if isinstance(value, Choice):
        options = {"choice": {label: to_data(part) for label, part in value.options.items()}}
        return options if value.name is None else options | {"name": value.name}
    if isinstance(value, Mapping):
        return {str(name): to_data(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [to_data(part) for part in value]
    return value


def children(value: Value) -> Iterator[tuple[str | int, Value]]:
    """The parts of a value with the step of the path that leads to each."""
    if isinstance(value, BaseModel):
        yield from ((name, getattr(value, name)) for name in type(value).model_fields)
    elif isinstance(value, Node):
        yield "args", value.args
    elif isinstance(value, Choice):
        yield "choice", dict(value.options)
    elif isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)


def walk(value: Value, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Every part of a value, itself included, with its path in the data.

    >>> [path for path, part in walk(node("MLP", hidden=[8])) if part == 8]
    [('args', 'hidden', 0)]
    """
    yield path, value
    for step, part in children(value):
        yield from walk(part, (*path, step))


def _label(value: Value) -> str:
    return value.key if isinstance(value, Node) else str(value)
