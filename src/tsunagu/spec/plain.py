"""What all values of a spec have in common: they own their arguments, and are equal where their data are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

__all__ = ["identity", "own"]


def own(value: Any) -> Any:
    """A copy that shares no mapping or list with the original; tuples become lists, a float of numpy a float."""
    if isinstance(value, Mapping):
        return {str(name): own(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [own(part) for part in value]
    kinds = (kind for kind in (bool, int, float, str) if isinstance(value, kind))
    return next((kind(value) for kind in kinds), value)


def identity(value: Any) -> object:
    """What two equal values share, hashable; the type is part of it, because 1, 1.0 and true are not the same."""
    if is_dataclass(value):
        return type(value), *(identity(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, Mapping):
        return Mapping, frozenset((name, identity(part)) for name, part in value.items())
    if isinstance(value, list):
        return list, tuple(identity(part) for part in value)
    return type(value), repr(value)
