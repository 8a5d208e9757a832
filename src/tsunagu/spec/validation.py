"""From plain data to a study, and small changes of plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from tsunagu.errors import Mistake, Path, did_you_mean
from tsunagu.spec.messages import MISSING, mistakes_of
from tsunagu.spec.models import Study

__all__ = ["is_above", "misspelt", "no_step", "respelt", "set_value", "valid_part", "validate_study"]


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


def misspelt(mistakes: Sequence[Mistake]) -> dict[Path, Path]:
    """Unknown settings that stand where a missing one of a similar name belongs: what is meant by what is written.

    >>> _, mistakes = validate_study({"data": {"file": "a.npz"}, "tasks": {}, "metrc": "auc(y, t)"})
    >>> misspelt(mistakes)
    {('data', 'file'): ('data', 'files'), ('metrc',): ('metric',)}
    """
    missing = [mistake.path for mistake in mistakes if mistake.message == MISSING]
    found: dict[Path, Path] = {}
    for written in (mistake.path for mistake in mistakes if mistake.path not in missing):
        for meant in missing:
            near = did_you_mean(str(written[-1]), [str(meant[-1])]) if written[:-1] == meant[:-1] else ""
            if near.startswith(" (did you mean") and meant not in found.values():
                found[written] = meant
    return found


def respelt(data: Any, slips: Mapping[Path, Path]) -> Any:
    """The data with the misspelt settings under the names that are meant.

    >>> respelt({"data": {"file": "a.npz"}}, {("data", "file"): ("data", "files")})
    {'data': {'files': 'a.npz'}}
    """
    for written, meant in slips.items():
        above = data
        for step in written[:-1]:
            above = above[step]
        data = set_value(_without(data, written), meant, above[written[-1]])
    return data


def valid_part(data: Any) -> Study | None:
    """The study without the settings that are wrong, or None where one of them has no default.

    >>> task = {"inputs": ["x"], "output": "y", "model": {"key": "ReLU"}, "loss": {"key": "mse", "target": "t"}}
    >>> data = {"data": {"files": "a"}, "tasks": {"fit": task}, "metric": "mse(y, t)", "train": {"epochs": "five"}}
    >>> valid_part(data).train.epochs
    20
    """
    study, mistakes = validate_study(data)
    while study is None:
        rest = data
        for mistake in mistakes:
            rest = _without(rest, mistake.path)
        if rest == data:
            return None
        data = rest
        study, mistakes = validate_study(data)
    return study


def is_above(path: Path, other: Path) -> bool:
    """Whether a path leads to another, or to what that one is in.

    >>> is_above(("train",), ("train", "epochs")), is_above(("train", "epochs"), ("train",))
    (True, False)
    """
    return other[: len(path)] == path


def no_step(step: str, data: Any) -> str:
    """The sentence on a path that leads nowhere: what stands at its end, and what is valid there.

    >>> no_step("epohcs", {"epochs": 5})
    "there is no 'epohcs' in it (did you mean 'epochs'?)"
    """
    valid = f" (valid: 0 to {len(data) - 1})" if isinstance(data, list) and data else ""
    near = did_you_mean(step, map(str, data)) if isinstance(data, Mapping) else valid
    return f"there is no '{step}' in it{near}"


def set_value(data: Any, path: Path, value: Any) -> Any:
    """The data with one value replaced; mappings on the way are made where they are missing.

    >>> set_value({"train": {"epochs": 3}}, ("train", "epochs"), 5)
    {'train': {'epochs': 5}}
    """
    if not path:
        return value
    step, *rest = path
    if isinstance(data, list) and str(step).isdecimal() and int(step) < len(data):
        changed = list(data)
        changed[int(step)] = set_value(data[int(step)], tuple(rest), value)
        return changed
    base = data if isinstance(data, Mapping) else {}
    return {**base, str(step): set_value(base.get(str(step)), tuple(rest), value)}


def _without(data: Any, path: Path) -> Any:
    """Without the last part of a path that stands in a mapping; a list loses nothing, it would count anew."""
    for end in range(len(path), 0, -1):
        above = data
        for step in path[: end - 1]:
            above = above[step] if _leads_on(above, step) else None
        if isinstance(above, Mapping) and path[end - 1] in above:
            rest = {name: part for name, part in above.items() if name != path[end - 1]}
            return set_value(data, path[: end - 1], rest)
    return data


def _leads_on(data: Any, step: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(step, int) and step < len(data)
    return isinstance(data, Mapping) and step in data
