"""A study file that was read: the study, and where each part of it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, final

from tsunagu.errors import Mistake, Path, SpecError
from tsunagu.spec.messages import MISSING
from tsunagu.spec.models import Study
from tsunagu.spec.overrides import apply_overrides, parse_overrides
from tsunagu.spec.places import Places
from tsunagu.spec.validation import is_above, misspelt, respelt, valid_part, validate_study
from tsunagu.spec.variables import expand_files
from tsunagu.spec.vary import variations
from tsunagu.spec.yaml_nodes import read_yaml

__all__ = ["Document", "load_study"]


Further = Callable[[Study, bool], Iterable[Mistake]]


def _nothing(_study: Study, _whole: bool) -> Iterable[Mistake]:
    return ()


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
        """The same mistakes with their places, in the order of the file."""
        return _sorted([self.places.place(mistake) for mistake in mistakes], self.path)


def load_study(
    path: FilePath | str,
    overrides: Sequence[str] = (),
    further: Further = _nothing,
) -> Document:
    """Read a study file.

    Args:
        path: a YAML file; ``{ref: other.yaml#section}`` in it is relative to the file that says it.
        overrides: changes such as ``train.epochs=5``, checked like the file.
        further: finds the mistakes that only other packages can see, such as unknown layers. It is asked about the
            rest of a study with mistakes, and told whether the section ``data`` has none of them, so that those of
            all kinds are reported at once; a study without any is left to the caller.

    Raises:
        SpecError: every mistake of the file and of the overrides, each with its place, in the order of the file.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = FilePath(folder, "study.yaml")
    ...     _ = file.write_text("data: {files: a.npz}\\ntasks: {}\\nmetrc: auc(y, t)\\n", encoding="utf-8")
    ...     try:
    ...         load_study(file)
    ...     except SpecError as error:
    ...         print(str(error).replace(folder, ""))
    /study.yaml:2:8: tasks: must not be empty, found {}
    /study.yaml:3:1: metrc: there is no such setting (did you mean 'metric'?)
    """
    reading = read_yaml(FilePath(path))
    given, mistakes = parse_overrides(overrides)
    data, unknown = apply_overrides(reading.data, given)
    data, variables = expand_files(data)
    study, wrong = validate_study(data)
    slips = misspelt(wrong)
    if slips:  # what stands under a misspelt name is checked as if it were spelt right
        unknown += [mistake for mistake in wrong if mistake.path in slips]
        data = respelt(data, slips)
        _, wrong = validate_study(data)
    # What could not be read has been reported; that it now seems to be null is not a second mistake.
    wrong = [m for m in wrong if not any(is_above(path, m.path) for path in reading.unread)]
    wrong += _vary_mistakes(study) if study else []
    found = [*reading.mistakes, *unknown, *variables, *wrong]
    if study is None or mistakes or found:
        found = _written(found + _further(data, found, further), slips)
        reading.places.overrides = tuple(given)
        mistakes += [reading.places.place(mistake) for mistake in found]
        raise SpecError(_sorted(mistakes, path))
    reading.places.overrides = tuple(given)
    return Document(study, FilePath(path), reading.places)


def _written(mistakes: Iterable[Mistake], slips: Mapping[Path, Path]) -> list[Mistake]:
    """The mistakes of what is meant, at the paths that are written in the file."""
    back = {meant: written for written, meant in slips.items()}
    found = []
    for mistake in mistakes:
        above = next((meant for meant in back if is_above(meant, mistake.path)), None)
        path = mistake.path if above is None else back[above] + mistake.path[len(above) :]
        found.append(Mistake(path, mistake.message, mistake.where))
    return found


def _further(data: Any, found: Sequence[Mistake], further: Further) -> list[Mistake]:
    """What else is wrong, as far as it does not only follow from what was found."""
    rest = valid_part(data)
    if rest is None:
        return []
    if _vary_mistakes(rest):
        rest = rest.model_copy(update={"vary": {}, "methods": {}})
    paths = [mistake.path for mistake in found if mistake.path]
    # What follows from a wrong data section would be reported as names that are no columns.
    more = further(rest, not any(path[0] == "data" for path in paths))
    return [m for m in more if not any(is_above(p, m.path) or is_above(m.path, p) for p in paths)]


def _vary_mistakes(study: Study) -> list[Mistake]:
    try:
        variations(study)
    except SpecError as error:
        return list(error.mistakes)
    return []


def _sorted(mistakes: Iterable[Mistake], path: FilePath | str) -> list[Mistake]:
    return sorted(dict.fromkeys(mistakes), key=lambda mistake: _rank(mistake, path))


def _rank(mistake: Mistake, path: FilePath | str) -> tuple[bool, bool, str, int, int]:
    """By place: the file itself, the files it refers to, the command line; what is missing has no place: last."""
    file, *numbers = mistake.where.rsplit(":", 2)
    missing = mistake.message == MISSING
    if len(numbers) < 2 or not all(number.isdecimal() for number in numbers):
        return missing, True, mistake.where, 0, 0
    return missing, file != str(path), file, int(numbers[0]), int(numbers[1])
