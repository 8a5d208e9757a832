"""From a spec to an ordinary ``nn.Module``.

Every leaf draws its initial weights from a generator that is derived from the seed, its path and its arguments, so the
same spec and seed give the same weights bit for bit, whatever else is built around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn

from tsunagu.errors import ChoiceError, Mistake, Path, SpecError
from tsunagu.layers import adopt, check_args, find, reseed
from tsunagu.layers.registry import signature_of
from tsunagu.random import derive_seed
from tsunagu.spec import Choice, Node, Value, canonical, options

__all__ = ["build", "check_arguments", "check_model", "reason"]


def build(value: Value, *, seed: int, path: Path = (), film: bool = False) -> nn.Module:
    """Build a node, or a list of nodes in sequence, into a module.

    Args:
        value: a :class:`~tsunagu.spec.Node` or a list of nodes, without choices.
        seed: the trial's seed; initial weights derive from (seed, path, arguments).
        path: where the value stands in the spec; part of the seed and of every error.
        film: whether layers that have an argument ``film`` get sites for a condition, unless they say ``film: false``.
            First weights are the same in either case.

    Raises:
        SpecError: an unknown key, or arguments that the class does not take.
        ChoiceError: a choice is left in the spec.

    >>> from tsunagu.spec import node
    >>> net = build([node("Linear", 2, 3), node("ReLU")], seed=1)
    >>> net
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    >>> torch.equal(net[0].weight, build([node("Linear", 2, 3), node("ReLU")], seed=1)[0].weight)
    True
    """
    if isinstance(value, list | tuple):
        parts = (build(part, seed=seed, path=(*path, i), film=film) for i, part in enumerate(value))
        return nn.Sequential(*parts)
    if isinstance(value, Choice):
        label = value.name or ".".join(map(str, path))
        msg = f"{label}: a choice between {', '.join(value.options)} is left; resolve it before building"
        raise ChoiceError(msg)
    if not isinstance(value, Node):
        raise SpecError([Mistake(path, f"expected a node {{key, args}}, found {value!r}")])
    built = _leaf(value, seed, path, film)
    try:
        built = adopt(built)
    except ValueError as error:
        raise SpecError([Mistake((*path, "key"), str(error))]) from error
    reseed(built, derive_seed(seed, "noise", *path))
    return built


def check_model(value: Value, path: Path) -> list[Mistake]:
    """All unknown keys and unfit arguments of a model, options of choices included, before anything is built.

    >>> from tsunagu.spec import node
    >>> for mistake in check_model([node("Linera", 2, 3)], ("model",)):
    ...     print(mistake)
    model.0.key: unknown layer 'Linera' (did you mean 'Linear'?)
    """
    if isinstance(value, list | tuple):
        return [mistake for i, part in enumerate(value) for mistake in check_model(part, (*path, i))]
    if isinstance(value, Choice):
        options = value.options.items()
        return [mistake for label, part in options for mistake in check_model(part, (*path, "choice", label))]
    if not isinstance(value, Node):
        remedy = f"; write {{key: {value}}}" if isinstance(value, str) else ""
        found = "nothing" if value is None else repr(value)
        return [Mistake(path, f"expected a node {{key, args}} or a list of them, found {found}{remedy}")]
    return _check_node(value, path)


def check_arguments(cls: Callable[..., Any], args: Any, path: Path) -> list[Mistake]:
    """The arguments that a constructor misses or does not take; each of the latter at its own place.

    >>> print(*check_arguments(nn.Linear, {"in_feature": 2, "out_features": 3}, ("model",)), sep="\\n")
    model.args.in_feature: unknown argument 'in_feature' (did you mean 'in_features'?)
    model.args: missing argument 'in_features'
    """
    mistakes: list[Mistake] = []
    for sentence in filter(None, (check_args(cls, args) or "").split("; ")):
        names = args if isinstance(args, Mapping) else ()
        own = [name for name in names if sentence.startswith(f"unknown argument '{name}'")]
        mistakes.append(Mistake((*path, "args", *own), sentence))
    return mistakes


def reason(error: Exception) -> str:
    """What an error says, with its kind where the words alone would be a riddle.

    >>> reason(KeyError("pt")), reason(ValueError("too many"))
    ("KeyError: 'pt'", 'too many')
    """
    plain = isinstance(error, RuntimeError | ValueError | TypeError) and str(error)
    return str(error) if plain else f"{type(error).__name__}: {error}"


def _check_node(value: Node, path: Path) -> list[Mistake]:
    try:
        cls = find(value.key)
    except LookupError as error:
        return [Mistake((*path, "key"), str(error.args[0]))]
    mistakes = check_arguments(cls, value.args, path)
    for place, part in _nodes(value.args, (*path, "args")):
        mistakes += _check_node(part, place)
    return mistakes


def _nodes(value: Value, path: Path) -> Iterator[tuple[Path, Node]]:
    """The nodes in a node's arguments, also those in mappings and lists, but not those in their arguments."""
    for place, option in options(value, path):
        if isinstance(option, Node):
            yield place, option
        elif isinstance(option, list | tuple | Mapping):
            for step, part in _items(option):
                yield from _nodes(part, (*place, step))


def _leaf(value: Node, seed: int, path: Path, film: bool) -> nn.Module:
    mistakes = _check_node(value, path)
    if mistakes:
        raise SpecError(mistakes)
    cls = find(value.key)
    arguments: dict[str | int, Any] = {
        name: _argument(part, seed, (*path, "args", name), film) for name, part in _items(value.args)
    }
    sites = {"film": True} if film and "film" not in arguments and _has_sites(cls) else {}
    # Modules draw their first weights from torch's global generator; the fork gives it back untouched.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive_seed(seed, "weights", *path, canonical(value)))
        try:
            if isinstance(value.args, list | tuple):
                return cls(*arguments.values(), **sites)
            return cls(**{str(name): part for name, part in arguments.items()}, **sites)
        except Exception as error:
            found = f"{value.key} cannot be built from {canonical(value.args)}: {reason(error)}"
            raise SpecError([Mistake((*path, "args"), found)]) from error


def _has_sites(cls: Callable[..., Any]) -> bool:
    try:
        return any(parameter.name == "film" for parameter in signature_of(cls))
    except (TypeError, ValueError):  # a class written in C
        return False


def _argument(value: Value, seed: int, path: Path, film: bool) -> Any:
    """An argument with its nodes built, wherever in it they stand."""
    if isinstance(value, Node):
        return build(value, seed=seed, path=path, film=film)
    if isinstance(value, list | tuple):
        return [_argument(part, seed, (*path, i), film) for i, part in enumerate(value)]
    if isinstance(value, Mapping):
        return {name: _argument(part, seed, (*path, name), film) for name, part in value.items()}
    return value


def _items(args: Any) -> list[tuple[str | int, Any]]:
    return list(enumerate(args)) if isinstance(args, list | tuple) else list(args.items())
