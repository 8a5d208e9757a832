"""YAML files as PyYAML's nodes, each knowing the file that it stands in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath

import yaml

from tsunagu.errors import Mistake, SpecError
from tsunagu.spec.scalars import SpecLoader

__all__ = ["Spot", "compose_file", "compose_text"]


@dataclass(frozen=True)
class Spot:
    """A node of YAML, the file it stands in, and the references that led there."""

    node: yaml.Node
    file: FilePath
    behind: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """``file:line:column``, both counted from 1."""
        return f"{self.file}:{self.node.start_mark.line + 1}:{self.node.start_mark.column + 1}"

    def at(self, node: yaml.Node) -> Spot:
        """Another node of the same file."""
        return Spot(node, self.file, self.behind)


def compose_file(file: FilePath) -> yaml.Node:
    """The root of a YAML file.

    Raises:
        SpecError: it cannot be read, is empty, or is not YAML.
    """
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=SpecLoader)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise SpecError([Mistake((), f"cannot be read ({why})", str(file))]) from error
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        raise SpecError([Mistake((), f"not YAML: {_reason(error)}", where)]) from error
    if root is None:
        raise SpecError([Mistake((), "is empty; a study needs data, tasks and metric", str(file))])
    return root


def compose_text(text: str) -> yaml.Node | None:
    """The root of a piece of YAML, None where nothing stands in it.

    Raises:
        SpecError: it is not YAML.
    """
    try:
        return yaml.compose(text, Loader=SpecLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise SpecError([Mistake((), f"'{text}' is not YAML: {_reason(error)}")]) from error


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return " ".join(str(getattr(error, "problem", None) or error).split())
