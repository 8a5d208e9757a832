"""Files of models beside study files: named sections, each a node or a list of nodes, for ``{ref: file.yaml#section}``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, final

from tsunagu.errors import Mistake, SpecError
from tsunagu.spec.models import Study
from tsunagu.spec.nodes import Value
from tsunagu.spec.places import Places
from tsunagu.spec.spots import Spot, compose_text
from tsunagu.spec.values import parse_value
from tsunagu.spec.yaml_nodes import Reading, read_node, read_yaml

__all__ = ["Sections", "load_sections", "ref"]


@final
@dataclass(frozen=True)
class Sections:
    """The sections of a file that is no study.

    Args:
        values: by name, nodes or lists of nodes.
        path: the file.
        places: line and column by path.
    """

    values: Mapping[str, Value]
    path: FilePath
    places: Places

    def annotate(self, mistakes: Iterable[Mistake]) -> list[Mistake]:
        """The same mistakes with their places."""
        return [self.places.place(mistake) for mistake in mistakes]


def load_sections(path: FilePath | str) -> Sections | None:
    """The sections of a file, or None where it is not one of sections: a study, or nothing that is known here.

    Raises:
        SpecError: the file cannot be read, or a section holds what is no node.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = FilePath(folder, "nets.yaml")
    ...     _ = file.write_text("small:\\n- {key: Linear, args: [2, 1]}\\n", encoding="utf-8")
    ...     load_sections(file).values
    {'small': [node('Linear', 2, 1)]}
    """
    reading = read_yaml(FilePath(path))
    if not _is_sections(reading.data):
        return None
    return Sections(_parsed(reading), FilePath(path), reading.places)


def ref(target: str, *, base: FilePath | str = ".") -> Value:
    """The section of another file, as ``{ref: file.yaml#section}`` says it in YAML; it is read at once.

    Args:
        target: ``file.yaml#section``, or a whole file; a dot leads further inside.
        base: the folder that the name is relative to.

    Raises:
        SpecError: no such file or section, with the nearest name.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = FilePath(folder, "nets.yaml")
    ...     _ = file.write_text("small:\\n- {key: Linear, args: [2, 1]}\\n", encoding="utf-8")
    ...     ref("nets.yaml#small", base=folder)
    [node('Linear', 2, 1)]
    """
    root = compose_text(f"{{ref: {json.dumps(target)}}}")
    assert root is not None
    return _parsed(read_node(Spot(root, FilePath(base) / "ref")))


def _parsed(reading: Reading) -> Value:
    value, mistakes = parse_value(reading.data)
    if found := [*reading.mistakes, *mistakes]:
        raise SpecError([reading.places.place(mistake) for mistake in found])
    return value


def _is_sections(data: Any) -> bool:
    """Whether all that stands in a file are lists of nodes, and nothing has the name of a setting of a study."""
    if not isinstance(data, Mapping) or not data or data.keys() & Study.model_fields.keys():
        return False
    return all(any(map(_is_node, part if isinstance(part, list) else [part])) for part in data.values())


def _is_node(data: Any) -> bool:
    return isinstance(data, Mapping) and ("key" in data or "choice" in data)
