"""Classes that a study file names by a key."""

from __future__ import annotations

import importlib
from typing import Any, Generic, TypeVar, final

from tsunagu.errors import did_you_mean

__all__ = ["Registry", "imported"]

T = TypeVar("T")


@final
class Registry(Generic[T]):
    """Classes of one kind by their keys.

    Args:
        kind: what they are, as messages name it.

    >>> numbers = Registry[type]("number")
    >>> numbers.keep("whole", int) is int, numbers.find("whole"), numbers.known()
    (True, <class 'int'>, ['whole'])
    >>> numbers.find("whloe")
    Traceback (most recent call last):
    LookupError: unknown number 'whloe' (did you mean 'whole'?)
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._kept: dict[str, type[T]] = {}

    def keep(self, key: str, cls: type[T]) -> type[T]:
        """Make a class known by a key.

        Raises:
            ValueError: another class has this key.
        """
        # The same class may come again: a notebook's cell is run more than once.
        if key in self._kept and _origin(self._kept[key]) != _origin(cls):
            msg = f"the {self._kind} key '{key}' is taken by {_origin(self._kept[key])}"
            raise ValueError(msg)
        self._kept[key] = cls
        return cls

    def find(self, key: str) -> type[T]:
        """The class that a key names.

        Raises:
            LookupError: there is none; the message names the nearest key.
        """
        if key not in self._kept:
            msg = f"unknown {self._kind} '{key}'{did_you_mean(key, self._kept)}"
            raise LookupError(msg)
        return self._kept[key]

    def known(self) -> list[str]:
        """All keys."""
        return sorted(self._kept)


def imported(key: str, base: type[Any]) -> type[Any]:
    """The class at an import path ``my_package.my_module:MyClass``.

    Raises:
        LookupError: the module cannot be imported, or has no such class; the message names both.

    >>> imported("collections:OrderedDict", dict)
    <class 'collections.OrderedDict'>
    """
    module, _, name = key.partition(":")
    try:
        found: Any = getattr(importlib.import_module(module), name, None)
    except (ImportError, SyntaxError, ValueError, TypeError) as error:
        msg = f"'{key}': the module '{module}' cannot be imported: {error}"
        raise LookupError(msg) from error
    if isinstance(found, type) and issubclass(found, base):
        return found
    msg = f"'{key}': there is no {base.__name__} of this name in the module '{module}'"
    raise LookupError(msg)


def _origin(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
