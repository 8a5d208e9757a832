"""From a spec to an ordinary ``nn.Module``.

Every leaf draws its initial weights from a generator that is derived from the seed, its path and its arguments, so the
same spec and seed give the same weights bit for bit, whatever else is built around it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tsunagu.errors import ChoiceError, Mistake, Path, SpecError
from tsunagu.layers import adopt, check_args, find, reseed
from tsunagu.random import derive_seed
from tsunagu.spec import Choice, Node, Value, canonical

__all__ = ["build", "check_model"]


def build(value: Value, *, seed: int, path: Path = ()) -> nn.Module:
    """Build a node, or a list of nodes in sequence, into a module.

    Args:
        value: a :class:`~tsunagu.spec.Node` or a list of nodes, without choices.
        seed: the trial's seed; initial weights derive from (seed, path, arguments).
        path: where the value stands in the spec; part of the seed and of every error.

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
        return nn.Sequential(*(build(part, seed=seed, path=(*path, i)) for i, part in enumerate(value)))
    if isinstance(value, Choice):
        label = value.name or ".".join(map(str, path))
        msg = f"{label}: a choice between {', '.join(value.options)} is left; resolve it before building"
        raise ChoiceError(msg)
    if not isinstance(value, Node):
        raise SpecError([Mistake(path, f"expected a node {{key, args}}, found {value!r}")])
    built = _leaf(value, seed, path)
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
        return [Mistake(path, f"expected a node {{key, args}} or a list of them, found {value!r}")]
    return _check_node(value, path)


def _check_node(value: Node, path: Path) -> list[Mistake]:
    try:
        cls = find(value.key)
    except LookupError as error:
        return [Mistake((*path, "key"), str(error.args[0]))]
    problem = check_args(cls, value.args)
    mistakes = [Mistake((*path, "args"), problem)] if problem else []
    for name, part in _items(value.args):
        if isinstance(part, Node):
            mistakes += _check_node(part, (*path, "args", name))
    return mistakes


def _leaf(value: Node, seed: int, path: Path) -> nn.Module:
    mistakes = _check_node(value, path)
    if mistakes:
        raise SpecError(mistakes)
    cls = find(value.key)
    arguments: dict[str | int, Any] = {
        name: build(part, seed=seed, path=(*path, "args", name)) if isinstance(part, Node) else part
        for name, part in _items(value.args)
    }
    # Modules draw their first weights from torch's global generator; the fork gives it back untouched.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive_seed(seed, "weights", *path, canonical(value)))
        try:
            if isinstance(value.args, list | tuple):
                return cls(*arguments.values())
            return cls(**{str(name): part for name, part in arguments.items()})
        except (TypeError, ValueError, AttributeError, RuntimeError) as error:
            found = f"{value.key} cannot be built from {canonical(value.args)}: {error}"
            raise SpecError([Mistake((*path, "args"), found)]) from error


def _items(args: Any) -> list[tuple[str | int, Any]]:
    return list(enumerate(args)) if isinstance(args, list | tuple) else list(args.items())
