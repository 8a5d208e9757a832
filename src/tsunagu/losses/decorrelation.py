"""Losses that make an output independent of a column, such as a mass or the size of a systematic shift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from tsunagu.losses.loss import BatchLoss, register_loss
from tsunagu.losses.regression import check_finite

__all__ = ["DistanceCorrelation", "distance_correlation"]


@register_loss("disco")
@final
@dataclass(frozen=True, kw_only=True)
class DistanceCorrelation(BatchLoss):
    """The squared distance correlation of an output and a column, over the events of a batch: 0 to 1.

    It is 0 for independent variables only (of infinitely many events; in a batch of B some 1 / B remains), 1 for a linear function.
    A step takes ``B^2`` operations for each member of a population, and memory for one member at a time.

    Args:
        probability: whether the prediction is a logit ``[E]`` or logits ``[E, C]``, whose probabilities are compared; false for the
            prediction itself.

    Source: Kasieczka & Shih, Phys. Rev. Lett. 125 (2020) 122001, arXiv:2001.05310, with the ratio that their code has for
    ``power=1``; Szekely, Rizzo & Bakirov, Ann. Statist. 35 (2007) 2769.

    >>> score, mass = torch.linspace(-1.0, 1.0, 5), torch.linspace(80.0, 100.0, 5)
    >>> round(DistanceCorrelation(probability=False).of_batch(score, mass, torch.ones(5)).item(), 6)
    1.0
    """

    probability: bool = True

    def of_batch(self, prediction: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        def value(of: Tensor) -> Tensor:
            return distance_correlation(_probability(of) if self.probability else of, target, weight)

        return _differentiated(value, prediction)

    def check(self, target: Tensor) -> str | None:
        return check_finite(target)


def distance_correlation(first: Tensor, second: Tensor, weight: Tensor) -> Tensor:
    r"""``dCov^2(x, y) / sqrt(dCov^2(x, x) dCov^2(y, y))``.

    With the shares :math:`p_i = w_i / \\sum w` and distances :math:`a_{ij} = |x_i - x_j|`,
    :math:`A_{ij} = a_{ij} - \\sum_k p_k a_{ik} - \\sum_k p_k a_{kj} + \\sum_{kl} p_k p_l a_{kl}`, and
    :math:`dCov^2 = \\sum_{ij} p_i p_j A_{ij} B_{ij}`.

    Args:
        first: ``[E, ...]``, floating point.
        second: ``[E, ...]``, any dtype.
        weight: ``[E]``, 0 or more.

    Returns:
        A scalar in the first one's dtype; 0 where one of them is constant.

    Raises:
        ValueError: other numbers of events.

    >>> x, w = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1.0, 2.0, 1.0])
    >>> repeated = torch.tensor([1.0, 2.0, 2.0, 4.0])
    >>> torch.allclose(distance_correlation(x, x**2, w), distance_correlation(repeated, repeated**2, torch.ones(4)))
    True
    """
    if not len(first) == len(second) == len(weight):
        msg = f"as many predictions, targets and weights expected, found {len(first)}, {len(second)} and {len(weight)}"
        raise ValueError(msg)
    weight = weight.to(first.dtype)
    share = weight / weight.sum().clamp(min=torch.finfo(first.dtype).tiny)
    a, b = (_centred(values.to(first.dtype), share) for values in (first, second))
    both, own, other = (share @ (left * right) @ share for left, right in ((a, b), (a, a), (b, b)))
    scale = (own * other).clamp(min=torch.finfo(first.dtype).tiny).sqrt()
    return both / scale


def _centred(values: Tensor, share: Tensor) -> Tensor:
    distance = _distances(values.flatten(1) if values.ndim > 1 else values.unsqueeze(1))
    mean = distance @ share
    return distance - mean.unsqueeze(0) - mean.unsqueeze(1) + share @ mean


def _distances(values: Tensor) -> Tensor:
    """``[E, E]`` of ``[E, D]``."""
    difference = values.unsqueeze(0) - values.unsqueeze(1)
    if values.shape[1] == 1:
        return difference.squeeze(2).abs()
    # The root has no slope at 0, where an event meets itself.
    return difference.square().sum(2).clamp(min=torch.finfo(values.dtype).tiny).sqrt()


def _probability(prediction: Tensor) -> Tensor:
    if prediction.ndim == 2 and prediction.shape[1] == 2:  # one number tells both
        return torch.sigmoid(prediction[:, 1] - prediction[:, 0])
    one = prediction.ndim == 1 or prediction.shape[1:].numel() == 1
    return torch.sigmoid(prediction) if one else prediction.softmax(1)


def _differentiated(value: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``value(x)`` with its gradient made at once, so that no matrix of all pairs waits for the backward pass."""
    if not (torch.is_grad_enabled() and x.requires_grad):
        return value(x)
    leaf = x.detach().requires_grad_()
    found = value(leaf)
    (slope,) = torch.autograd.grad(found, leaf)
    return found.detach() + (slope * (x - x.detach())).sum()
