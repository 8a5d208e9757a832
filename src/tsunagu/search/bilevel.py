"""The gradient of a validation loss by architecture parameters, when the weights follow the training loss.

``min_a Lval(w*(a), a)`` with ``w*(a) = argmin_w Ltrain(w, a)`` (DARTS, arXiv:1806.09055). The weights are taken one
step further, ``w' = w - xi d_w Ltrain(w, a)``, and the gradient through that step is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

__all__ = [
    "Objective",
    "Tensors",
    "first_order",
    "gradients",
    "leaves_of",
    "mixed_product",
    "mixed_product_by_differences",
    "second_order",
]

Tensors = Mapping[str, Tensor]
Objective = Callable[[Tensors, Tensors], Tensor]
"""A scalar loss of (weights, alpha); a function of the two that changes neither."""


def first_order(valid_loss: Objective, weights: Tensors, alpha: Tensors) -> dict[str, Tensor]:
    """``d_a Lval(w, a)``, as if the weights did not follow.

    Args:
        valid_loss: on validation events.
        weights: any shapes.
        alpha: any shapes: architecture parameters, or the mixture weights themselves.

    >>> def loss(w, a):
    ...     return a["a"] * w["w"]
    >>> first_order(loss, {"w": torch.tensor(3.0)}, {"a": torch.tensor(2.0)})
    {'a': tensor(3.)}
    """
    along = leaves_of(alpha)
    return gradients(valid_loss(_detached(weights), along), along)


def second_order(
    train_loss: Objective,
    valid_loss: Objective,
    weights: Tensors,
    alpha: Tensors,
    *,
    rate: float,
    momentum: float = 0.0,
    buffers: Tensors | None = None,
    decay: float = 0.0,
) -> dict[str, Tensor]:
    """``d_a Lval(w', a) - xi d2_aw Ltrain(w, a) . d_w' Lval(w', a)``, by two calls of autograd.

    Args:
        train_loss: on training events.
        valid_loss: on validation events.
        weights: any shapes.
        alpha: any shapes.
        rate: xi, the learning rate of the weights; 0 gives the first order bit for bit.
        momentum: of the weights' optimiser.
        buffers: its momentum, by weight.
        decay: its weight decay.

    >>> def valid(w, a):
    ...     return a["a"] * w["w"] - 2 * a["a"] + 1
    >>> def train(w, a):
    ...     return (w["w"] - a["a"]) ** 2
    >>> second_order(train, valid, {"w": torch.tensor(-2.0)}, {"a": torch.tensor(2.0)}, rate=0.1)
    {'a': tensor(-2.8000)}
    """
    if rate == 0.0:
        return first_order(valid_loss, weights, alpha)
    start, along = leaves_of(weights), leaves_of(alpha)
    slopes = gradients(train_loss(start, along), start, create_graph=True)
    ahead = {
        name: value.detach()
        - rate * (slopes[name].detach() + _pull(name, value.detach(), momentum, buffers, decay))
        for name, value in start.items()
    }
    there = leaves_of({**{f"w/{n}": v for n, v in ahead.items()}, **{f"a/{n}": v for n, v in alpha.items()}})
    reached = gradients(valid_loss(_part(there, "w/"), _part(there, "a/")), there)
    direct, push = _part(reached, "a/"), _part(reached, "w/")
    indirect = _product(slopes, along, push)
    return {name: direct[name] - rate * indirect[name] for name in direct}


def mixed_product(
    train_loss: Objective, weights: Tensors, alpha: Tensors, vector: Tensors
) -> dict[str, Tensor]:
    """``d2_aw Ltrain(w, a) . v``, exact."""
    start, along = leaves_of(weights), leaves_of(alpha)
    return _product(gradients(train_loss(start, along), start, create_graph=True), along, vector)


def mixed_product_by_differences(
    train_loss: Objective, weights: Tensors, alpha: Tensors, vector: Tensors, size: float = 0.01
) -> dict[str, Tensor]:
    """The same by central differences ``(d_a Ltrain(w+) - d_a Ltrain(w-)) / (2 eps)``, ``w+- = w +- eps v``.

    As in the authors' code, with ``eps = size / |v|``; a check on :func:`mixed_product`, not for use.
    """
    length = torch.stack([part.norm() for part in vector.values()]).norm().item()
    shift = size / length
    moved = [{n: value + sign * shift * vector[n] for n, value in weights.items()} for sign in (1.0, -1.0)]
    above, below = (first_order(train_loss, there, alpha) for there in moved)
    return {name: (above[name] - below[name]) / (2.0 * shift) for name in alpha}


def _pull(name: str, value: Tensor, momentum: float, buffers: Tensors | None, decay: float) -> Tensor:
    kept = momentum * buffers[name] if buffers is not None else torch.zeros_like(value)
    return kept + decay * value


def _product(slopes: Tensors, along: Tensors, vector: Tensors) -> dict[str, Tensor]:
    pairs = [(slopes[name], vector[name]) for name in slopes if slopes[name].requires_grad]
    if not pairs:
        return {name: torch.zeros_like(value) for name, value in along.items()}
    return gradients(sum((slope * push).sum() for slope, push in pairs), along)  # type: ignore[arg-type]


def gradients(loss: Tensor, along: Tensors, *, create_graph: bool = False) -> dict[str, Tensor]:
    """The gradient of a loss by each tensor; 0 where it does not depend on it."""
    if not loss.requires_grad:
        return {name: torch.zeros_like(value) for name, value in along.items()}
    found = torch.autograd.grad(loss, list(along.values()), allow_unused=True, create_graph=create_graph)
    pairs = zip(along.items(), found, strict=True)
    return {name: _or_zero(g, value) for (name, value), g in pairs}


def _or_zero(gradient: Tensor | None, value: Tensor) -> Tensor:
    return torch.zeros_like(value) if gradient is None else gradient


def _detached(values: Tensors) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in values.items()}


def leaves_of(values: Tensors) -> dict[str, Tensor]:
    """The same numbers, as something to differentiate by."""
    return {name: value.detach().requires_grad_() for name, value in values.items()}


def _part(values: Tensors, prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
