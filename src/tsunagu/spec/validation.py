"""From plain data to a study, and small changes of plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from tsunagu.errors import Mistake, Path
from tsunagu.spec.messages import mistakes_of
from tsunagu.spec.models import Study

__all__ = ["set_value", "validate_study"]


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
    if isinstance(data, list) and str(step).isdecimal() and int(step) < len(data):
        changed = list(data)
        changed[int(step)] = set_value(data[int(step)], tuple(rest), value)
        return changed
    base = data if isinstance(data, Mapping) else {}
    return {**base, str(step): set_value(base.get(str(step)), tuple(rest), value)}
