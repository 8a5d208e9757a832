"""The variations of a study: one value of each varied path at a time, all combinations."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from tsunagu.errors import Mistake, Path, SpecError
from tsunagu.spec.models import Study
from tsunagu.spec.nodes import Value, to_data
from tsunagu.spec.validation import no_step, set_value, validate_study

__all__ = ["apply_variation", "blame", "variations"]


def apply_variation(study: Study, values: Mapping[str, Value]) -> Study:
    """The study with some paths set to other values, and nothing left to vary.

    Args:
        study: to be varied.
        values: value by dotted path, such as ``{"train.intermediate": False}``.

    Raises:
        SpecError: a path that does not exist, or a value that does not fit there.
    """
    data = to_data(study) | {"vary": {}}
    mistakes = [mistake for path in values for mistake in _check_path(data, path)]
    for path, value in values.items():
        data = set_value(data, tuple(path.split(".")), to_data(value))
    varied, found = validate_study(data) if not mistakes else (None, [])
    mistakes += [Mistake(_blame(m.path, values), m.message) for m in found]
    if varied is None:
        raise SpecError(mistakes)
    return varied


def variations(study: Study) -> list[tuple[dict[str, str], Study]]:
    """All combinations of the varied values: the label of each axis, and the study with those values.

    Raises:
        SpecError: the mistakes of all variations.
    """
    axes = [
        [(path, label, value) for label, value in options.items()] for path, options in study.vary.items()
    ]
    found: list[tuple[dict[str, str], Study]] = []
    mistakes: list[Mistake] = []
    for combination in itertools.product(*axes):
        try:
            varied = apply_variation(study, {path: value for path, _, value in combination})
        except SpecError as error:
            labels = {path: label for path, label, _ in combination}
            mistakes += [_relabel(mistake, labels) for mistake in error.mistakes]
            continue
        found.append(({path: label for path, label, _ in combination}, varied))
    if mistakes:
        raise SpecError(list(dict.fromkeys(mistakes)))
    return found


def blame(mistakes: Iterable[Mistake], labels: Mapping[str, str]) -> list[Mistake]:
    """The mistakes of a varied study, where they stand in the study as it was declared.

    Args:
        mistakes: with paths in the varied study.
        labels: the label of each axis, from :func:`variations`.

    >>> print(*blame([Mistake(("train", "optimizer", "key"), "unknown")], {"train.optimizer": "fast"}))
    vary.train.optimizer.fast.key: unknown
    """
    return [_relabel(Mistake(_blame(m.path, labels), m.message, m.where), labels) for m in mistakes]


def _check_path(data: Value, path: str) -> list[Mistake]:
    above = ""
    for step in path.split("."):
        if isinstance(data, list) and step.isdecimal() and int(step) < len(data):
            data = data[int(step)]
        elif isinstance(data, Mapping) and step in data:
            data = data[step]
        elif above == "args" or (isinstance(data, Mapping) and "key" in data and step == "args"):
            return []  # an argument that has its default may be varied too
        else:
            return [Mistake(("vary", path), no_step(step, data))]
        above = step
    return []


def _blame(path: Path, values: Mapping[str, Value]) -> Path:
    words = tuple(str(step) for step in path)
    for name in values:
        target = tuple(name.split("."))
        if words[: len(target)] == target:
            return ("vary", name, *path[len(target) :])
    return path


def _relabel(mistake: Mistake, labels: Mapping[str, str]) -> Mistake:
    match mistake.path:
        case ("vary", str(name), *rest) if name in labels and not mistake.message.startswith("there is no '"):
            return Mistake(("vary", name, labels[name], *rest), mistake.message, mistake.where)
    return mistake
