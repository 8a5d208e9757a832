"""YAML with places: plain data, and for every path the line and column where it stands. Only safe loading.

YAML 1.1 surprises are taken out: ``1e-3`` is a number, ``on`` and ``no`` are words, dates stay text, and a key that
stands twice is a mistake instead of a silent overwrite.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml

from tsunagu.errors import Mistake, Path, SpecError, did_you_mean

__all__ = ["Places", "parse_scalar", "read_yaml"]

FLOAT = re.compile(
    r"^[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][-+]?\d+)?$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$"
)
INT = re.compile(r"^[-+]?(0|[1-9][\d_]*)$|^0x[\da-fA-F_]+$")
BOOL = re.compile(r"^(true|True|TRUE|false|False|FALSE)$")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with YAML 1.2's idea of scalars."""


_KEPT = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag in _KEPT]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", BOOL, list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", INT, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, list("-+0123456789."))


@dataclass
class Places:
    """Where things stand: ``file:line:column`` of every key and every value, by path."""

    keys: dict[Path, str] = field(default_factory=dict)
    values: dict[Path, str] = field(default_factory=dict)

    def locate(self, path: Path, *, key: bool = False) -> str:
        """The place of a path, or of the nearest one above it that stands in the file."""
        first, second = (self.keys, self.values) if key else (self.values, self.keys)
        for end in range(len(path), -1, -1):
            if path[:end] in first:
                return first[path[:end]]
            if path[:end] in second:
                return second[path[:end]]
        return ""


def read_yaml(file: FilePath) -> tuple[Any, Places, list[Mistake]]:
    """The data of a YAML file, its places, and what is wrong with it as YAML.

    Raises:
        SpecError: the file cannot be read, or is not YAML at all.
    """
    reader = _Reader(Places(), [])
    return reader.value(_compose(file), (), file, (file,)), reader.places, reader.mistakes


def parse_scalar(text: str) -> Any:
    """The value of a piece of YAML on the command line.

    >>> parse_scalar("1e-3"), parse_scalar("[1, two]"), parse_scalar("{key: MLP}")
    (0.001, [1, 'two'], {'key': 'MLP'})
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise SpecError([Mistake((), f"'{text}' is not YAML: {_reason(error)}")]) from error
    reader = _Reader(Places(), [])
    found = None if root is None else reader.value(root, (), FilePath("--set"), ())
    if reader.mistakes:
        raise SpecError(reader.mistakes)
    return found


def _compose(file: FilePath) -> yaml.Node:
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise SpecError([Mistake((), f"cannot be read ({why})", str(file))]) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        raise SpecError([Mistake((), f"not YAML: {_reason(error)}", where)]) from error
    if root is None:
        raise SpecError([Mistake((), "is empty; a study needs data, tasks and metric", str(file))])
    return root


def _reason(error: yaml.YAMLError) -> str:
    return " ".join(str(getattr(error, "problem", None) or error).split())


@dataclass
class _Reader:
    places: Places
    mistakes: list[Mistake]

    def value(self, node: yaml.Node, path: Path, file: FilePath, inside: tuple[FilePath, ...]) -> Any:
        self.places.values.setdefault(path, _place(node, file))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, file, inside)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(part, (*path, i), file, inside) for i, part in enumerate(node.value)]
        return self._scalar(node, path, file)

    def _scalar(self, node: yaml.Node, path: Path, file: FilePath) -> Any:
        loader = _Loader("")
        try:
            return loader.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            what = (
                f"cannot be read: {_reason(error)}"
                if isinstance(error, yaml.YAMLError)
                else f"cannot be read: {error}"
            )
            self.mistakes.append(Mistake(path, what, _place(node, file)))
            return None
        finally:
            loader.dispose()

    def _mapping(
        self, node: yaml.MappingNode, path: Path, file: FilePath, inside: tuple[FilePath, ...]
    ) -> Any:
        if [key.value for key, _ in node.value] == ["ref"]:
            return self._reference(node.value[0][1], path, file, inside)
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, part in node.value:
            name = str(key.value)
            if key.tag == "tag:yaml.org,2002:merge":
                merged |= self._merged(part, path, file, inside)
                continue
            if name in found:
                first = self.places.keys[(*path, name)]
                self.mistakes.append(
                    Mistake((*path, name), f"stands twice, first at {first}", _place(key, file))
                )
                continue
            self.places.keys[(*path, name)] = _place(key, file)
            self.places.values.pop((*path, name), None)
            found[name] = self.value(part, (*path, name), file, inside)
        return merged | found

    def _merged(
        self, node: yaml.Node, path: Path, file: FilePath, inside: tuple[FilePath, ...]
    ) -> dict[str, Any]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        values = [self.value(part, path, file, inside) for part in parts]
        return {
            name: part
            for value in reversed(values)
            if isinstance(value, Mapping)
            for name, part in value.items()
        }

    def _reference(self, node: yaml.Node, path: Path, file: FilePath, inside: tuple[FilePath, ...]) -> Any:
        name, _, section = str(node.value).partition("#")
        other = (file.parent / name) if name else file
        if other.resolve() in {seen.resolve() for seen in inside} and name:
            self.mistakes.append(Mistake(path, f"'{node.value}' refers back to itself", _place(node, file)))
            return None
        try:
            root: yaml.Node = _compose(other)
        except SpecError as error:
            found = f"'{node.value}': {error}"
            self.mistakes.append(Mistake(path, found, _place(node, file)))
            return None
        for step in section.split(".") if section else []:
            entries = (
                {key.value: part for key, part in root.value} if isinstance(root, yaml.MappingNode) else {}
            )
            if step not in entries:
                found = f"{other} has no section '{step}'{did_you_mean(step, entries)}"
                self.mistakes.append(Mistake(path, found, _place(node, file)))
                return None
            root = entries[step]
        self.places.values.pop(path, None)
        return self.value(root, path, other, (*inside, other))


def _place(node: yaml.Node, file: FilePath) -> str:
    return f"{file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
