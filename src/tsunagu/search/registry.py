"""Searchers by key, so that a study file can name one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from tsunagu.errors import Mistake, Path, SpecError
from tsunagu.layers import check_args
from tsunagu.registry import Registry
from tsunagu.search.searcher import Searcher
from tsunagu.spec import Node

__all__ = ["check_searcher", "find_searcher", "known_searchers", "make_searcher", "register_searcher"]

ClassT = TypeVar("ClassT", bound=type[Searcher[Any, Any, Any]])

_searchers = Registry[Searcher[Any, Any, Any]]("searcher", Searcher)


def register_searcher(cls: ClassT) -> ClassT:
    """Make a searcher known by its class name; a class decorator.

    Raises:
        ValueError: another searcher has this name.

    >>> register_searcher(find_searcher("Asng")).__name__
    'Asng'
    """
    return _searchers.register(cls.__name__)(cls)


def find_searcher(key: str) -> type[Searcher[Any, Any, Any]]:
    """The searcher that a key names, or that stands at an import path; its settings are the arguments of the class.

    Raises:
        LookupError: there is no such searcher; the message names the nearest one.

    >>> find_searcher("Asgn")
    Traceback (most recent call last):
    LookupError: unknown searcher 'Asgn' (did you mean 'Asng'?)
    """
    return _searchers.find(key)


def known_searchers() -> list[str]:
    """All keys.

    >>> known_searchers()
    ['Asng', 'Darts', 'Enas', 'Evolution', 'Gdas', 'Grid', 'Halving', 'Optuna', 'Random', 'Spos']
    """
    return _searchers.known()


def check_searcher(spec: Node, path: Path = ("search",)) -> list[Mistake]:
    """An unknown searcher, or settings that it does not take or that are out of range, each with its place.

    >>> from tsunagu.spec import node
    >>> print(*check_searcher(node("Asng", delta=0.3)))
    search.args: unknown argument 'delta' (did you mean 'delta0'?)
    """
    try:
        cls = find_searcher(spec.key)
    except LookupError as error:
        return [Mistake((*path, "key"), str(error))]
    problem = check_args(cls, spec.args) or _unfit(cls, spec.args)
    return [Mistake((*path, "args"), problem)] if problem else []


def make_searcher(spec: Node) -> Searcher[Any, Any, Any]:
    """The searcher that a node declares.

    Raises:
        SpecError: there is none, or its settings are wrong.

    >>> from tsunagu.spec import node
    >>> make_searcher(node("Random", evaluations=8))
    Random(evaluations=8)
    """
    if mistakes := check_searcher(spec):
        raise SpecError(mistakes)
    cls: Any = find_searcher(spec.key)
    made: Searcher[Any, Any, Any] = cls(**_named(spec.args))
    return made


def _unfit(cls: Any, args: Any) -> str | None:
    try:
        cls(**_named(args))
    except (TypeError, ValueError) as error:
        return str(error)
    return None


def _named(args: Any) -> Mapping[str, Any]:
    return args if isinstance(args, Mapping) else {}
