"""The variations of a study: one value of each varied path at a time, all combinations."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from tsunagu.errors import Mistake, Path, SpecError
from tsunagu.spec.models import Study, Train
from tsunagu.spec.nodes import Value, to_data
from tsunagu.spec.validation import no_step, set_value, validate_study

__all__ = ["blame", "variations", "weight_scan"]


METHODS = "methods"
"""The axis whose options set several paths at once."""
FOLDS = "data.folds"
"""The axis of a rotation."""


@final
@dataclass(frozen=True, kw_only=True)
class _Option:
    """One label of an axis.

    Args:
        axis: a varied path, :data:`METHODS`, or :data:`FOLDS` for a rotation.
        label: of the option.
        values: what it sets, by dotted path.
        turn: whether it is a turn of a rotation, which is declared where the folds are.
    """

    axis: str
    label: str
    values: Mapping[str, Value]
    turn: bool = False

    def place(self, path: str) -> Path:
        """Where its value of a path stands in the study."""
        if self.turn:
            return tuple(FOLDS.split("."))
        return (METHODS, self.label, path) if self.axis == METHODS else ("vary", self.axis, self.label)


def variations(study: Study) -> list[tuple[dict[str, str], Study]]:
    """All combinations of the varied values: the label of each axis, and the study with those values.

    A rotation of the folds is one more axis, ``data.folds``, whose labels are the numbers of the test folds.

    Raises:
        SpecError: the mistakes of all variations.
    """
    found: list[tuple[dict[str, str], Study]] = []
    mistakes = _twice(study)
    for combination in itertools.product(*_axes(study)):
        varied, wrong = _apply(study, combination)
        mistakes += wrong
        if varied is not None:
            found.append(({option.axis: option.label for option in combination}, varied))
    if mistakes:
        raise SpecError(list(dict.fromkeys(mistakes)))
    return found


def blame(mistakes: Iterable[Mistake], study: Study, labels: Mapping[str, str]) -> list[Mistake]:
    """The mistakes of a varied study, where they stand in the study as it was declared.

    Args:
        mistakes: with paths in the varied study.
        study: as it was declared.
        labels: the label of each axis, from :func:`variations`.
    """
    chosen = [option for axis in _axes(study) for option in axis if labels.get(option.axis) == option.label]
    return [Mistake(_blame(m.path, chosen), m.message, m.where) for m in mistakes]


def weight_scan(first: str, second: str, steps: int = 11) -> dict[str, dict[str, float]]:
    """Methods that share a weight of 1 out between two losses, from all for the second to all for the first.

    Args:
        first: the path of a loss' weight, such as ``tasks.calibrate.loss.weight``.
        second: that of the other one.
        steps: how many, 2 or more.

    Raises:
        ValueError: fewer.

    >>> weight_scan("tasks.a.loss.weight", "tasks.b.loss.weight", steps=3)["0.50"]
    {'tasks.a.loss.weight': 0.5, 'tasks.b.loss.weight': 0.5}
    """
    if steps < 2:
        msg = f"a scan has two steps or more; found {steps}"
        raise ValueError(msg)
    shares = [(step / (steps - 1), (steps - 1 - step) / (steps - 1)) for step in range(steps)]
    digits = max(2, len(str(steps - 1)))
    return {f"{one:.{digits}f}": {first: one, second: other} for one, other in shares}


def _axes(study: Study) -> list[list[_Option]]:
    methods = [_Option(axis=METHODS, label=label, values=values) for label, values in study.methods.items()]
    varied = [
        [_Option(axis=path, label=label, values={path: value}) for label, value in options.items()]
        for path, options in study.vary.items()
    ]
    return [axis for axis in (methods, *varied, _rotation(study)) if axis]


def _rotation(study: Study) -> list[_Option]:
    turns = study.data.folds.turns() if study.data.folds.rotate else []
    return [
        _Option(axis=FOLDS, label=str(folds.test), values={FOLDS: to_data(folds)}, turn=True)
        for folds in turns
    ]


def _twice(study: Study) -> list[Mistake]:
    """The folds are either rotated or varied by hand."""
    if not study.data.folds.rotate:
        return []
    paths: list[Path] = [("vary", path) for path in study.vary if _is_of_folds(path)]
    paths += [
        (METHODS, label, path)
        for label, values in study.methods.items()
        for path in values
        if _is_of_folds(path)
    ]
    found = "data.folds.rotate varies the folds already; leave out one of the two"
    return [Mistake(path, found) for path in paths]


def _is_of_folds(path: str) -> bool:
    return path == "data" or f"{path}.".startswith(f"{FOLDS}.")


def _apply(study: Study, options: Sequence[_Option]) -> tuple[Study | None, list[Mistake]]:
    # What is not said while nobody uses it may be varied all the same.
    train = dict.fromkeys(Train.UNSAID) | to_data(study.train)
    data = to_data(study) | {"vary": {}, METHODS: {}, "train": train}
    # An axis of one path is wrong as a whole where its path is; of a method, one of its paths.
    mistakes = [
        Mistake(option.place(path) if option.axis == METHODS else ("vary", path), problem)
        for option in options
        for path in option.values
        if (problem := _no_such_path(data, path))
    ]
    if mistakes:
        return None, mistakes
    for option in options:
        for path, value in option.values.items():
            data = set_value(data, tuple(path.split(".")), to_data(value))
    varied, found = validate_study(data)
    return varied, [Mistake(_blame(m.path, options), m.message) for m in found]


def _no_such_path(data: Value, path: str) -> str | None:
    above = ""
    for step in path.split("."):
        if isinstance(data, list) and step.isdecimal() and int(step) < len(data):
            data = data[int(step)]
        elif isinstance(data, Mapping) and step in data:
            data = data[step]
        elif above == "args" or (isinstance(data, Mapping) and "key" in data and step == "args"):
            return None  # an argument that has its default may be varied too
        else:
            return no_step(step, data)
        above = step
    return None


def _blame(path: Path, options: Iterable[_Option]) -> Path:
    words = tuple(str(step) for step in path)
    for option in options:
        for name in option.values:
            target = tuple(name.split("."))
            if words[: len(target)] == target:
                return (*option.place(name), *path[len(target) :])
    return path
