"""A study file that was read: the study, and where each part of it stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, final

from tsunagu.errors import Mistake, Path, SpecError
from tsunagu.spec.messages import MISSING
from tsunagu.spec.models import Study
from tsunagu.spec.places import Places
from tsunagu.spec.validation import set_value, validate_study
from tsunagu.spec.variables import expand_files
from tsunagu.spec.vary import variations
from tsunagu.spec.yaml_nodes import Reading, parse_scalar, read_yaml

__all__ = ["Document", "load_study"]


@final
@dataclass(frozen=True)
class Document:
    """A study and the file it came from.

    Args:
        study: as declared, overrides included.
        path: the file.
        places: line and column by path.
    """

    study: Study
    path: FilePath
    places: Places

    def locate(self, path: Path, *, key: bool = False) -> str:
        """``file:line:column`` of a path in the data form, or ``--set`` where the command line gave it.

        Args:
            path: such as ``("tasks", "calibrate", "model", "args", "lr")``; where it does not stand in the file, the
                nearest one above it does.
            key: the place of the key, in place of that of the value.
        """
        return self.places.locate(path, key=key)

    def annotate(self, mistakes: Iterable[Mistake]) -> list[Mistake]:
        """The same mistakes with their places."""
        return [self.places.place(mistake) for mistake in mistakes]


def load_study(path: FilePath | str, overrides: Sequence[str] = ()) -> Document:
    """Read a study file.

    Args:
        path: a YAML file; ``{ref: other.yaml#section}`` in it is relative to the file that says it.
        overrides: changes such as ``train.epochs=5``, checked like the file.

    Raises:
        SpecError: every mistake of the file and of the overrides, each with its place, in the order of the file.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = FilePath(folder, "study.yaml")
    ...     _ = file.write_text("data: {files: a.npz}\\ntasks: {}\\nmetrc: auc(y, t)\\n")
    ...     try:
    ...         load_study(file)
    ...     except SpecError as error:
    ...         print(str(error).replace(folder, ""))
    /study.yaml:2:8: tasks: must not be empty, found {}
    /study.yaml:3:1: metrc: there is no such setting (did you mean 'metric'?)
    /study.yaml:1:1: metric: is missing
    """
    reading = read_yaml(FilePath(path))
    given, mistakes = _overrides(overrides)
    study, found = _study(reading, given)
    reading.places.overrides = tuple(given)
    mistakes += [reading.places.place(m) for m in [*reading.mistakes, *found]]
    if study is None or mistakes:
        raise SpecError(sorted(dict.fromkeys(mistakes), key=lambda mistake: _rank(mistake, path)))
    return Document(study, FilePath(path), reading.places)


def _study(reading: Reading, given: dict[Path, Any]) -> tuple[Study | None, list[Mistake]]:
    data = reading.data
    for target, value in given.items():
        data = set_value(data, target, value)
    data, mistakes = expand_files(data)
    study, found = validate_study(data)
    # What could not be read has been reported; that it now seems to be null is not a second mistake.
    mistakes += [m for m in found if not any(m.path[: len(path)] == path for path in reading.unread)]
    return study, mistakes if study is None else mistakes + _vary_mistakes(study)


def _vary_mistakes(study: Study) -> list[Mistake]:
    try:
        variations(study)
    except SpecError as error:
        return list(error.mistakes)
    return []


def _overrides(texts: Sequence[str]) -> tuple[dict[Path, Any], list[Mistake]]:
    given: dict[Path, Any] = {}
    mistakes: list[Mistake] = []
    for text in texts:
        name, equals, value = text.partition("=")
        path = tuple(name.strip().split("."))
        if not equals or not all(path):
            found = f"expected PATH=VALUE such as train.epochs=5, found '{text}'"
            mistakes.append(Mistake((), found, "--set"))
            continue
        try:
            given[path] = parse_scalar(value)
        except SpecError as error:
            mistakes += [Mistake((*path, *m.path), m.message, "--set") for m in error.mistakes]
    return given, mistakes


def _rank(mistake: Mistake, path: FilePath | str) -> tuple[bool, bool, str, int, int]:
    """By place: the file itself, the files it refers to, the command line; what is missing has no place: last."""
    file, *numbers = mistake.where.rsplit(":", 2)
    missing = mistake.message == MISSING
    if len(numbers) < 2 or not all(number.isdecimal() for number in numbers):
        return missing, True, mistake.where, 0, 0
    return missing, file != str(path), file, int(numbers[0]), int(numbers[1])
