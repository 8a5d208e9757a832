"""Classes that a study file names by a key."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Generic, TypeVar, final

from tsunagu.errors import did_you_mean

__all__ = ["Registry"]

T = TypeVar("T")
ClassT = TypeVar("ClassT", bound=type)


@final
class Registry(Generic[T]):
    """Classes of one kind by their keys, or by where they stand: ``my_package.my_module:MyClass``.

    Args:
        kind: what they are, as messages name it.
        base: of all of them.

    >>> numbers = Registry[int]("number", int)
    >>> numbers.register("yes or no")(bool)
    <class 'bool'>
    >>> numbers.find("yes or no"), numbers.find("enum:IntEnum"), numbers.known()
    (<class 'bool'>, <enum 'IntEnum'>, ['yes or no'])
    >>> numbers.find("yes or on")
    Traceback (most recent call last):
    LookupError: unknown number 'yes or on' (did you mean 'yes or no'?)
    """

    def __init__(self, kind: str, base: type[Any]) -> None:
        self._kind, self._base = kind, base
        self._kept: dict[str, type[T]] = {}

    def register(self, key: str) -> Callable[[ClassT], ClassT]:
        """Make a class known by a key; a class decorator.

        Raises:
            ValueError: another class has this key.
        """

        def keep(cls: ClassT) -> ClassT:
            # The same class may come again: a notebook's cell is run more than once.
            if key in self._kept and _origin(self._kept[key]) != _origin(cls):
                msg = f"the {self._kind} key '{key}' is taken by {_origin(self._kept[key])}"
                raise ValueError(msg)
            self._kept[key] = cls
            return cls

        return keep

    def find(self, key: str) -> type[T]:
        """The class that a key names.

        Raises:
            LookupError: there is none, and the message names the nearest key; or the module cannot be imported, or has no such class.
        """
        if ":" in key:
            return _imported(key, self._base)
        if key not in self._kept:
            msg = f"unknown {self._kind} '{key}'{did_you_mean(key, self._kept)}"
            raise LookupError(msg)
        return self._kept[key]

    def known(self) -> list[str]:
        """All keys."""
        return sorted(self._kept)


def _imported(key: str, base: type[Any]) -> type[T]:
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
