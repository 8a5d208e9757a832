"""How many training events of each class there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from tsunagu.losses.parameters import constant

__all__ = ["Counts", "class_balanced_weights", "class_sizes", "effective_number", "event_weights"]

Counts = Literal["events", "weights", "effective"]
Sizes = tuple[float, ...]


def class_sizes(
    target: Tensor, weight: Tensor, *, counts: Counts = "events", classes: int | None = None
) -> tuple[Sizes, Sizes]:
    """The number of events of each class, and its share in the size of the weights.

    Args:
        target: ``[E]`` whole numbers from 0.
        weight: ``[E]``, of any sign.
        counts: ``events``: how many; ``weights``: ``sum w``; ``effective``: ``(sum w)^2 / sum w^2``, as many events of equal
            weights as have the same relative error.
        classes: how many there are; by default one more than the largest label, and at least 2.

    Returns:
        ``[C]`` numbers, and ``[C]`` shares ``sum_c |w| / sum |w|``.

    Raises:
        ValueError: a class without events, or without a positive sum of weights.

    >>> class_sizes(torch.tensor([0, 0, 0, 1]), torch.tensor([1.0, 1.0, 2.0, 4.0]), counts="effective")
    ((2.6666666666666665, 1.0), (0.5, 0.5))
    """
    label, size = target.reshape(-1).long().cpu(), weight.double().cpu()
    number = classes or max(2, int(label.max()) + 1 if len(label) else 2)
    events, sums, squares, sizes = (
        torch.bincount(label, values, minlength=number).double().tolist()
        for values in (None, size, size.square(), size.abs())
    )
    _check(events, sums, counts)
    total = sum(sizes) or 1.0
    found = {"events": events, "weights": sums}.get(counts) or [
        s * s / q for s, q in zip(sums, squares, strict=True)
    ]
    return tuple(found), tuple(value / total for value in sizes)


def effective_number(sizes: ArrayLike, one_minus_beta: float) -> NDArray[np.float64]:
    """``E_n = (1 - beta^n) / (1 - beta)``, the effective number of n samples.

    Of ``1 - beta`` and not of beta, which float32 could not tell from 1 where it matters: ``-expm1(n log1p(-x)) / x`` in
    float64. ``one_minus_beta`` 1 gives 1 for every n, and 0 gives n.

    Args:
        sizes: n, any shape.
        one_minus_beta: 0 to 1.

    Source: Cui et al., CVPR 2019, arXiv:1901.05555.

    >>> effective_number([9000, 1000], 1e-4).round(2).tolist()
    [5934.49, 951.67]
    """
    n = np.asarray(sizes, dtype=np.float64)
    if one_minus_beta == 0.0:
        return n
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(n * np.log1p(-one_minus_beta)) / one_minus_beta)


def class_balanced_weights(sizes: Sequence[float], one_minus_beta: float) -> tuple[float, ...]:
    """``w_c`` in proportion to ``1 / E_n``, with ``sum_c w_c = C``.

    >>> [round(weight, 4) for weight in class_balanced_weights([9000, 1000], 1e-4)]
    [0.2764, 1.7236]
    """
    inverse = 1.0 / effective_number(sizes, one_minus_beta)
    weights: list[float] = (len(inverse) * inverse / inverse.sum()).tolist()
    return tuple(weights)


def event_weights(sizes: Sequence[float], one_minus_beta: Tensor) -> Tensor:
    """:func:`class_balanced_weights` for events that each have their own ``1 - beta``.

    Args:
        sizes: ``[C]``.
        one_minus_beta: ``[E]``, 0 to 1.

    Returns:
        ``[E, C]`` float64.

    >>> event_weights([9000, 1000], torch.tensor([1e-4])).round(decimals=4).tolist()
    [[0.2764, 1.7236]]
    """
    # So small a number gives 1 / n, as 0 does, but nothing is divided by 0.
    rest = one_minus_beta.double().clamp(min=1e-300).unsqueeze(-1)
    n = constant(tuple(sizes), rest)
    inverse = rest / torch.expm1(n * torch.log1p(-rest))
    return inverse / inverse.mean(-1, keepdim=True)


def _check(events: list[float], sums: list[float], counts: Counts) -> None:
    found = ", ".join(f"{label}: {number:,.0f}" for label, number in enumerate(events))
    if absent := [str(label) for label, number in enumerate(events) if not number]:
        msg = f"no training event of class {' and '.join(absent)} (events by class: {found}); take more events or other folds"
        raise ValueError(msg)
    if counts != "events" and (bad := [label for label, total in enumerate(sums) if total <= 0.0]):
        values = ", ".join(f"{label}: {total:g}" for label, total in enumerate(sums))
        msg = f"the training weights of class {bad[0]} have no positive sum (sums by class: {values}); take counts: events"
        raise ValueError(msg)
