"""The layers of a model one by one: what each makes of the one before, and how many weights it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from tsunagu.errors import Mistake, Path, SpecError
from tsunagu.spec import Value
from tsunagu.tasks.build import build, check_model, reason

__all__ = ["Layer", "input_shape", "layout"]

PIXELS = 16
"""Rows and columns of an image where only its channels are known."""
_EVENTS = 2


@final
@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of a model.

    Args:
        key: as it is written.
        shape: of its output for one event.
        parameters: that are trained.
    """

    key: str
    shape: tuple[int, ...]
    parameters: int


def layout(value: Value, shape: tuple[int, ...], path: Path = ()) -> list[Layer]:
    """The layers of a model without choices, tried in evaluation mode on events of zeros.

    Args:
        value: a node, or a list of nodes in sequence.
        shape: of one event, without the axis of events.
        path: where the value stands.

    Raises:
        SpecError: what :func:`tsunagu.tasks.build` raises, or a layer that does not fit the one before.

    >>> from tsunagu.spec import node
    >>> for layer in layout([node("LinearFirst", 4, 8), node("ReLU")], (4,)):
    ...     print(layer)
    Layer(key='LinearFirst', shape=(8,), parameters=40)
    Layer(key='ReLU', shape=(8,), parameters=0)
    """
    if mistakes := check_model(value, path):
        raise SpecError(mistakes)
    x, found = torch.zeros(_EVENTS, *shape), []
    for place, node in _nodes(value, path):
        module = build(node, seed=0, path=place).eval()
        x = _made(module, x, place)
        size = sum(p.numel() for p in module.parameters() if p.requires_grad)
        found.append(Layer(key=getattr(node, "key", ""), shape=tuple(x.shape[1:]), parameters=size))
    return found


def input_shape(value: Value) -> tuple[int, ...] | None:
    """The shape of an event that the arguments of a model's first layer tell, or None; images are 16 x 16 pixels.

    >>> from tsunagu.spec import node
    >>> input_shape([node("ConvResBlock", in_plane=3, out_plane=8)]), input_shape(node("Linear", 4, 8))
    ((3, 16, 16), (4,))
    """
    _, first = next(_nodes(value, ()), ((), None))
    args = getattr(first, "args", {})
    if isinstance(args, list) and args and isinstance(args[0], Mapping):
        args = args[0]
    if isinstance(args, list) and args and getattr(first, "key", "").startswith("Linear"):
        args = {"in_features": args[0]}
    return _shape_of(args) if isinstance(args, Mapping) else None


def _shape_of(args: Mapping[str, Any]) -> tuple[int, ...] | None:
    planes, features = (
        next((args[name] for name in names if isinstance(args.get(name), int)), None)
        for names in (("in_plane", "in_channels"), ("n_input", "in_features"))
    )
    if planes is not None:
        return planes, PIXELS, PIXELS
    return None if features is None else (features,)


def _nodes(value: Value, path: Path) -> Iterator[tuple[Path, Value]]:
    if isinstance(value, list | tuple):
        for i, part in enumerate(value):
            yield from _nodes(part, (*path, i))
    else:
        yield path, value


def _made(module: torch.nn.Module, x: Tensor, path: Path) -> Tensor:
    try:
        with torch.no_grad():
            made: Any = module(x)
    except Exception as error:
        found = f"fails on events of shape {list(x.shape[1:])}: {reason(error)}"
        raise SpecError([Mistake(path, found)]) from error
    if not isinstance(made, Tensor):
        raise SpecError([Mistake(path, f"expected a tensor, found a {type(made).__name__}")])
    return made
