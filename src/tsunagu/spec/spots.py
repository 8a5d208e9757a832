"""YAML files as PyYAML's nodes, each knowing the file that it stands in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath

import yaml

from tsunagu.errors import Mistake, SpecError, did_you_mean
from tsunagu.spec.scalars import SpecLoader
from tsunagu.spec.yaml_errors import decoding_mistake, yaml_mistake

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
        root = yaml.compose(file.read_bytes().decode("utf-8"), Loader=SpecLoader)
    except OSError as error:
        raise SpecError(
            [Mistake((), f"cannot be read ({error.strerror}){_near(file)}", str(file))]
        ) from error
    except UnicodeDecodeError as error:
        raise SpecError([decoding_mistake(error, file)]) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise SpecError([yaml_mistake(error, file)]) from error
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
        found = yaml_mistake(error, "").message
        raise SpecError([Mistake((), f"'{text}' is {found}")]) from error


def _near(file: FilePath) -> str:
    beside = [other.name for other in file.parent.glob("*.y*ml")] if file.parent.is_dir() else []
    return "" if file.exists() else did_you_mean(file.name, beside, most=0)
