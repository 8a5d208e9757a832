"""A study file that was read: the study, and where each part of it stands."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any, final

from pydantic import ValidationError

from tsunagu.errors import Mistake, Path, SpecError
from tsunagu.spec.messages import mistakes_of
from tsunagu.spec.models import Study
from tsunagu.spec.yaml_nodes import Places, parse_scalar, read_yaml

__all__ = ["Document", "load_study", "validate_study"]

VARIABLE = re.compile(r"\$\{(\w+)\}")


@final
@dataclass(frozen=True)
class Document:
    """A study and the file it came from.

    Args:
        study: as declared.
        path: the file.
        places: line and column by path.
        overrides: the paths that ``--set`` gave.
    """

    study: Study
    path: FilePath
    places: Places
    overrides: tuple[Path, ...] = ()

    def locate(self, path: Path) -> str:
        """``file:line:column`` of a path, or ``--set`` where it was given on the command line."""
        return _locate(self.places, self.overrides, path, key=False)

    def annotate(self, mistakes: Iterable[Mistake]) -> list[Mistake]:
        """The same mistakes with their places."""
        return [m if m.where else replace(m, where=self.locate(m.path)) for m in mistakes]


def load_study(path: FilePath, overrides: Sequence[str] = ()) -> Document:
    """Read a study file.

    Args:
        path: a YAML file.
        overrides: changes such as ``train.epochs=5``, checked like the file.

    Raises:
        SpecError: every mistake of the file and of the overrides, each with its place.
    """
    data, places, mistakes = read_yaml(FilePath(path))
    given = [_override(text) for text in overrides]
    for target, value in given:
        data = set_value(data, target, value)
    data, more = _expand(data)
    study, found = validate_study(data)
    targets = tuple(target for target, _ in given)
    placed = [
        m if m.where else replace(m, where=_locate(places, targets, m.path, key=_is_about_key(m)))
        for m in [*mistakes, *more, *found]
    ]
    if placed or study is None:
        raise SpecError(placed)
    return Document(study, FilePath(path), places, targets)


def validate_study(data: Any) -> tuple[Study | None, list[Mistake]]:
    """A study from plain data, or all its mistakes.

    >>> study, mistakes = validate_study({"data": {"files": "a.npz"}, "tasks": {}})
    >>> print(*mistakes, sep="\\n")
    tasks: must not be empty, found {}
    metric: is missing
    """
    try:
        return Study.model_validate(data), []
    except ValidationError as error:
        return None, mistakes_of(error, Study)


def set_value(data: Any, path: Path, value: Any) -> Any:
    """The data with one value replaced; mappings on the way are made where they are missing.

    >>> set_value({"train": {"epochs": 3}}, ("train", "epochs"), 5)
    {'train': {'epochs': 5}}
    """
    if not path:
        return value
    step, *rest = path
    if isinstance(data, list) and str(step).isdigit() and int(step) < len(data):
        return [
            set_value(part, tuple(rest), value) if i == int(step) else part for i, part in enumerate(data)
        ]
    base = data if isinstance(data, dict) else {}
    return base | {step: set_value(base.get(str(step)), tuple(rest), value)}


def _override(text: str) -> tuple[Path, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise SpecError([Mistake((), f"expected PATH=VALUE such as train.epochs=5, found '{text}'", "--set")])
    try:
        return tuple(name.strip().split(".")), parse_scalar(value)
    except SpecError as error:
        raise SpecError([Mistake((name.strip(),), m.message, "--set") for m in error.mistakes]) from error


def _expand(data: Any) -> tuple[Any, list[Mistake]]:
    """``${VAR}`` in file names, and nowhere else."""
    files = (
        data.get("data", {}).get("files")
        if isinstance(data, dict) and isinstance(data.get("data"), dict)
        else None
    )
    names = [files] if isinstance(files, str) else files if isinstance(files, list) else []
    missing = [v for n in names if isinstance(n, str) for v in VARIABLE.findall(n) if v not in os.environ]
    if not names or missing or not all(isinstance(name, str) for name in names):
        path = ("data", "files")
        return data, [Mistake(path, f"the environment has no variable {name}") for name in missing]
    expanded = [VARIABLE.sub(lambda match: os.environ[match[1]], name) for name in names]
    return set_value(data, ("data", "files"), expanded[0] if isinstance(files, str) else expanded), []


def _is_about_key(mistake: Mistake) -> bool:
    return mistake.message.startswith(("there is no such setting", "a node has", "a choice has"))


def _locate(places: Places, overrides: Sequence[Path], path: Path, *, key: bool) -> str:
    words = tuple(str(step) for step in path)
    if any(words[: len(target)] == tuple(map(str, target)) for target in overrides):
        return "--set"
    return places.locate(path, key=key)
