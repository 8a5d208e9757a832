"""YAML with places: plain data, and for every path the line and column where it stands. Only safe loading.

Nothing in a file is ever run or constructed but mappings, lists, text, numbers, truth values and nothing; every other
tag is a mistake. A key that stands twice is a mistake instead of a silent overwrite, ``<<`` merges mappings, and
``{ref: file.yaml#section}`` stands for that section of the other file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml

from tsunagu.errors import Mistake, Path, SpecError, did_you_mean
from tsunagu.spec.nodes import label_of
from tsunagu.spec.places import Places
from tsunagu.spec.scalars import TAG, scalar, short_tag
from tsunagu.spec.spots import Spot, compose_file, compose_text
from tsunagu.spec.values import parse_value

__all__ = ["Reading", "parse_scalar", "read_node", "read_yaml"]

MOST_VALUES = 200_000
DEEPEST = 60
"""Aliases let a short file describe an endless one; a study file is nowhere near either limit."""


@dataclass
class Reading:
    """What came of reading a file.

    Args:
        data: mappings, lists, text, numbers, truth values and None.
        places: of every path in it.
        mistakes: what is wrong with it as YAML.
        unread: the paths that have no value, because it could not be read.
    """

    data: Any = None
    places: Places = field(default_factory=Places)
    mistakes: list[Mistake] = field(default_factory=list)
    unread: set[Path] = field(default_factory=set)


def read_yaml(file: FilePath) -> Reading:
    """The data of a YAML file, its places, and what is wrong with it as YAML.

    Raises:
        SpecError: the file cannot be read, or is not YAML at all.
    """
    return read_node(Spot(compose_file(file), file))


def read_node(root: Spot) -> Reading:
    """The same of a piece of YAML that stands in a file, or as if it did."""
    return _Reader().read(root)


def parse_scalar(text: str) -> Any:
    """The value of a piece of YAML on the command line.

    Raises:
        SpecError: it is not YAML.

    >>> parse_scalar("1e-3"), parse_scalar("[1, two]"), parse_scalar("{key: MLP}")
    (0.001, [1, 'two'], {'key': 'MLP'})
    """
    root = compose_text(text)
    reading = Reading() if root is None else _Reader().read(Spot(root, FilePath("--set")))
    if reading.mistakes:
        raise SpecError(reading.mistakes)
    return reading.data


class _Stop(Exception):
    """Not an error: the mistake has been noted, and its value is left out."""


class _Reader:
    def __init__(self) -> None:
        self._found = Reading()
        self._open: set[int] = set()
        self._files: dict[FilePath, yaml.Node] = {}
        self._values = 0

    def read(self, root: Spot) -> Reading:
        self._found.data = self._value(root, ())
        return self._found

    def _value(self, spot: Spot, path: Path) -> Any:
        try:
            self._count(spot, path)
            spot = self._behind(spot, path)
            self._found.places.values[path] = spot.place
            with self._inside(spot, path):
                return self._read(spot, path)
        except _Stop:
            self._found.places.values.setdefault(path, spot.place)
            self._found.unread.add(path)
            return None

    def _read(self, spot: Spot, path: Path) -> Any:
        node = spot.node
        if isinstance(node, yaml.ScalarNode):
            try:
                return scalar(node)
            except ValueError as error:
                raise self._stop(spot, path, str(error)) from error
        if node.tag not in (TAG + "map", TAG + "seq"):
            raise self._stop(spot, path, f"the tag {short_tag(node.tag)} has no meaning in a spec")
        self._check_commas(spot, path)
        if isinstance(node, yaml.SequenceNode):
            return self._list(spot, path)
        entries = self._entries(spot, path)
        self._found.places.keys.update({(*path, name): place for name, (place, _) in entries.items()})
        return {name: self._value(part, (*path, name)) for name, (_, part) in entries.items()}

    def _check_commas(self, spot: Spot, path: Path) -> None:
        """Inside brackets a comma ends a text: ``[auc(score, label)]`` is a list of two halves."""
        parts = [(part, part.value.count("(") - part.value.count(")")) for part in _bracketed(spot.node)]
        cut = [part for i, (part, left) in enumerate(parts) if left > 0 > min(rest for _, rest in parts[i:])]
        for part in cut:
            found = f"the comma ends the text '{part.value}'; put all of it in quotes"
            self._note(spot.at(part), path, found)
        if cut:
            raise _Stop

    def _list(self, spot: Spot, path: Path) -> list[Any]:
        parts = [self._value(spot.at(part), (*path, i)) for i, part in enumerate(spot.node.value)]
        if path and path[-1] == "choice":
            self._found.places.labels[path] = tuple(label_of(parse_value(part)[0]) for part in parts)
        return parts

    def _entries(self, spot: Spot, path: Path) -> dict[str, tuple[str, Spot]]:
        """By name the place of the key, and the value; what ``<<`` brings in gives way to what stands there."""
        found: dict[str, tuple[str, Spot]] = {}
        merged: list[yaml.Node] = []
        for key, part in spot.node.value:
            if key.tag == TAG + "merge":
                merged += part.value if isinstance(part, yaml.SequenceNode) else [part]
            elif not isinstance(key, yaml.ScalarNode):
                self._note(spot.at(key), path, "a key is a word or a number, found a list or a mapping")
            elif key.value in found:
                first, _ = found[key.value]
                self._note(spot.at(key), (*path, key.value), f"stands twice, first at {first}")
            else:
                found[key.value] = spot.at(key).place, spot.at(part)
        for part in merged:
            found = self._merged(spot.at(part), path) | found
        return found

    def _merged(self, spot: Spot, path: Path) -> dict[str, tuple[str, Spot]]:
        self._count(spot, path)
        spot = self._behind(spot, path)
        if not isinstance(spot.node, yaml.MappingNode):
            self._note(spot, path, "'<<' merges mappings, found something else")
            return {}
        with self._inside(spot, path):
            return self._entries(spot, path)

    def _behind(self, spot: Spot, path: Path) -> Spot:
        """The node that a ``{ref: file.yaml#section}`` stands for; any other node is itself."""
        while (target := _reference(spot.node)) is not None:
            spot = self._follow(spot.at(target), path)
        return spot

    def _follow(self, spot: Spot, path: Path) -> Spot:
        if not isinstance(spot.node, yaml.ScalarNode) or not spot.node.value:
            raise self._stop(spot, path, "expected {ref: file.yaml#section}, found no file and no section")
        name, _, section = spot.node.value.partition("#")
        file = spot.file.parent / name if name else spot.file
        visited = f"{file.resolve()}#{section}"
        if visited in spot.behind:
            raise self._stop(spot, path, f"'{spot.node.value}' refers back to itself")
        root = Spot(self._root(spot, file, path), file, (*spot.behind, visited))
        for step in section.split(".") if section else []:
            root = self._step(self._behind(root, path), step, spot, path)
        return root

    def _root(self, spot: Spot, file: FilePath, path: Path) -> yaml.Node:
        try:
            if file not in self._files:
                self._files[file] = compose_file(file)
            return self._files[file]
        except SpecError as error:
            raise self._stop(spot, path, f"'{spot.node.value}': {error}") from error

    def _step(self, above: Spot, step: str, asked: Spot, path: Path) -> Spot:
        parts = above.node.value
        entries: dict[str, yaml.Node] = {}
        if isinstance(above.node, yaml.MappingNode):
            entries = {key.value: part for key, part in parts if isinstance(key, yaml.ScalarNode)}
        elif isinstance(above.node, yaml.SequenceNode):
            entries = {str(number): part for number, part in enumerate(parts)}
        if step not in entries:
            found = f"{above.file} has no section '{step}'{did_you_mean(step, entries)}"
            raise self._stop(asked, path, found)
        return above.at(entries[step])

    @contextmanager
    def _inside(self, spot: Spot, path: Path) -> Iterator[None]:
        if id(spot.node) in self._open:
            raise self._stop(spot, path, "contains itself")
        self._open.add(id(spot.node))
        try:
            yield
        finally:
            self._open.discard(id(spot.node))

    def _count(self, spot: Spot, path: Path) -> None:
        self._values += 1
        if self._values > MOST_VALUES:
            found = (
                f"the file describes more than {MOST_VALUES:,} values; are there aliases of aliases in it?"
            )
            raise SpecError([Mistake(path, found, spot.place)])
        if len(path) > DEEPEST:
            raise self._stop(spot, path, f"nested more than {DEEPEST} levels deep")

    def _note(self, spot: Spot, path: Path, found: str) -> None:
        self._found.mistakes.append(Mistake(path, found, spot.place))

    def _stop(self, spot: Spot, path: Path, found: str) -> _Stop:
        self._note(spot, path, found)
        return _Stop(found)


def _bracketed(node: yaml.Node) -> list[yaml.ScalarNode]:
    """The texts without quotes between the brackets of a list or mapping."""
    if not (isinstance(node, yaml.CollectionNode) and node.flow_style):
        return []
    inside = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
    return [part for part in inside if isinstance(part, yaml.ScalarNode) and part.style is None]


def _reference(node: yaml.Node) -> yaml.Node | None:
    """The target of ``{ref: target}``."""
    if not isinstance(node, yaml.MappingNode) or len(node.value) != 1:
        return None
    key, target = node.value[0]
    return target if key.value == "ref" else None
