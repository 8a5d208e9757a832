"""The two values that a spec is made of beside plain data: a node, not yet built, and a choice, not yet made.

Both are plain data themselves: frozen, comparable, hashable, and one to one with what stands in a YAML file. They own
their arguments: a mapping or list that is passed in is copied, and nobody changes the copy. Two of them are equal when
their canonical JSON is, so a whole number is not equal to a float or to a truth value.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from pydantic import BaseModel

from tsunagu.errors import ChoiceError, Path
from tsunagu.spec.parameters import Condition, Schedule, parameter_data
from tsunagu.spec.plain import identity, own

__all__ = ["Choice", "Node", "Value", "choice", "node", "options", "to_data", "walk"]

Value = Any
"""None, bool, int, float, str, Node, Choice, Condition, Schedule, or lists and string-keyed mappings of these."""


@final
@dataclass(frozen=True, eq=False)
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "args", own(self.args) or {})

    def __eq__(self, other: object) -> bool:
        return identity(self) == identity(other) if isinstance(other, Node) else NotImplemented

    def __hash__(self) -> int:
        return hash(identity(self))

    def __repr__(self) -> str:
        parts = _keywords(self.args) if isinstance(self.args, Mapping) else [repr(part) for part in self.args]
        return f"node({', '.join([repr(self.key), *parts])})"


@final
@dataclass(frozen=True, eq=False)
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
        if self.name == "":
            msg = "a choice has an empty name; give it a name, or none to label it by its path"
            raise ChoiceError(msg)
        object.__setattr__(self, "options", own(self.options))

    def __eq__(self, other: object) -> bool:
        return identity(self) == identity(other) if isinstance(other, Choice) else NotImplemented

    def __hash__(self) -> int:
        return hash(identity(self))

    def __repr__(self) -> str:
        named = [] if self.name is None else [f"name={self.name!r}"]
        if "name" in self.options:  # as a keyword it would be the name of the choice
            return f"Choice({', '.join([repr(self.options), *named])})"
        plain = all(label == label_of(part) for label, part in self.options.items())
        spelled = [repr(part) for part in self.options.values()] if plain else _keywords(self.options)
        return f"choice({', '.join(spelled + named)})"


def node(key: str, /, *positional: Value, **named: Value) -> Node:
    """A node with positional or keyword arguments.

    Raises:
        TypeError: both kinds at once, which a spec file could not say.

    >>> node("TauCNN", channels=16)
    node('TauCNN', channels=16)
    """
    if positional and named:
        msg = f"node('{key}'): arguments are all positional or all named, found both"
        raise TypeError(msg)
    return Node(key, positional or named)


def choice(*values: Value, name: str | None = None, **options: Value) -> Choice:
    """A choice between labelled options, or between plain values that label themselves.

    Raises:
        ChoiceError: two options of the same label, or none at all.

    >>> choice(cnn=node("TauCNN"), mlp=node("TauMLP"))
    choice(cnn=node('TauCNN'), mlp=node('TauMLP'))
    """
    labels = [*(label_of(value) for value in values), *options]
    labelled = dict(zip(labels, [*values, *options.values()], strict=True))
    if len(labelled) < len(labels):
        msg = f"choice {name or ''}: two options have the same label; found {', '.join(labels)}"
        raise ChoiceError(msg)
    return Choice(labelled, name)


def to_data(value: Value) -> Value:
    """The plain data of a value, as it would stand in a YAML file.

    >>> to_data(choice(cnn=node("TauCNN", kernel=3)))
    {'choice': {'cnn': {'key': 'TauCNN', 'args': {'kernel': 3}}}}
    """
    if isinstance(value, BaseModel):
        # A newer setting that nobody uses is not said, so that what was stored before keeps its name.
        unsaid = getattr(type(value), "UNSAID", ())
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        fields = {name: part for name, part in fields.items() if part or name not in unsaid}
        return {name: to_data(part) for name, part in fields.items()}
    if isinstance(value, Node):
        return {"key": value.key, "args": to_data(value.args)} if value.args else {"key": value.key}
    if isinstance(value, Choice):
        options = {"choice": {label: to_data(part) for label, part in value.options.items()}}
        return options if value.name is None else options | {"name": value.name}
    if isinstance(value, Condition | Schedule):
        return parameter_data(value, to_data(value.args))
    if isinstance(value, Mapping):
        return {str(name): to_data(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [to_data(part) for part in value]
    return own(value)


def children(value: Value) -> Iterator[tuple[str | int, Value]]:
    """The parts of a value with the step of the path that leads to each."""
    if isinstance(value, BaseModel):
        yield from ((name, getattr(value, name)) for name in type(value).model_fields)
    elif isinstance(value, Node):
        yield "args", value.args
    elif isinstance(value, Choice):
        yield "choice", dict(value.options)
    elif isinstance(value, Condition | Schedule):
        yield value.key if isinstance(value, Condition) else "args", value.args
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


def options(value: Value, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Everything that a value may turn out to be, with its path: itself, or the options of a choice and of those in it.

    >>> list(options(choice(mse="mse", huber="huber"), ("loss", "key")))
    [(('loss', 'key', 'choice', 'mse'), 'mse'), (('loss', 'key', 'choice', 'huber'), 'huber')]
    """
    if isinstance(value, Choice):
        for label, part in value.options.items():
            yield from options(part, (*path, "choice", label))
    else:
        yield path, value


def label_of(value: Value) -> str:
    """The label of an option that was given none: a node's key, else the value as text."""
    return value.key if isinstance(value, Node) else str(value)


def _keywords(named: Mapping[str, Value]) -> list[str]:
    """Keyword arguments as one writes them in Python."""
    if all(name.isidentifier() and not keyword.iskeyword(name) for name in named):
        return [f"{name}={part!r}" for name, part in named.items()]
    return [f"**{named!r}"]
