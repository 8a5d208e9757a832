"""A soft-binned Asimov significance as a loss of a whole batch.

A loss here is one number for each event, which :func:`~tsunagu.losses.weighted_mean` reduces with the event weights, and no event
sees another. A significance is no such sum: a bin has to know all events in it, with their weights. So this is a function of a
batch for a training loop of one's own; the seam for the engine would be :meth:`tsunagu.tasks.Stage.loss`, the one place that knows
predictions, targets and weights together, and there only for one process that trains a batch as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["soft_significance"]


def soft_significance(
    prediction: Tensor,
    target: Tensor,
    weight: Tensor,
    *,
    edges: Sequence[float] = (0.2, 0.4, 0.6, 0.8),
    width: float = 0.05,
    uncertainty: float = 0.1,
    signal: float | None = None,
    background: float | None = None,
) -> Tensor:
    r"""Minus the combined significance of soft bins of the score, to be minimised.

    An event is in bin b by :math:`\kappa_b = \sigma((p - e_b)/h) - \sigma((p - e_{b+1})/h)`, which becomes the histogram for
    :math:`h \to 0`, and :math:`Z^2 = \sum_b 2[(s_b + b_b) \ln(1 + x_b) - \dots]` is that of
    :func:`~tsunagu.metrics.asimov_significance` with :math:`\sigma_b` = ``uncertainty`` times :math:`b_b`.

    Args:
        prediction: ``[E]`` or ``[E, 1]`` logits; p is their sigmoid.
        target: ``[E]``: 1 for signal, 0 for background.
        weight: ``[E]``; of each batch, physics weights, which are not negative.
        edges: inner edges in p, rising.
        width: h.
        uncertainty: of the background, relative; above 0.
        signal: expected events, to which the batch is scaled; the sum of its weights by default.
        background: the same.

    Returns:
        A scalar.

    Raises:
        ValueError: unlike shapes, edges that do not rise, a width or an uncertainty that is not positive.

    Source: Elwood & Kruecker, arXiv:1806.00322, with bins as in neos, arXiv:2203.05570.

    >>> logits, target = torch.tensor([-3.0, -2.0, 2.0, 3.0]), torch.tensor([0, 0, 1, 1])
    >>> apart, mixed = (soft_significance(logits, y, torch.ones(4)).item() for y in (target, target[[0, 2, 1, 3]]))
    >>> apart < mixed < 0
    True
    """
    logits = prediction.reshape(len(prediction)) if prediction.numel() == len(prediction) else prediction
    if not logits.shape == target.shape == weight.shape:
        msg = f"prediction, target and weight [E] expected, found {list(prediction.shape)}, {list(target.shape)}, {list(weight.shape)}"
        raise ValueError(msg)
    if list(edges) != sorted(set(edges)) or width <= 0 or uncertainty <= 0:
        msg = f"rising edges, a positive width and uncertainty expected, found {list(edges)}, {width}, {uncertainty}"
        raise ValueError(msg)
    score = torch.sigmoid(logits)
    inside = [torch.sigmoid((score - edge) / width) for edge in edges]
    steps = torch.stack([torch.ones_like(score), *inside, torch.zeros_like(score)])
    member = steps[:-1] - steps[1:]
    own = (target == 1).to(score.dtype)
    s, b = (_scaled(member, weight * part, size) for part, size in ((own, signal), (1 - own, background)))
    return -torch.sqrt(_squared(s, b, uncertainty).sum() + torch.finfo(score.dtype).tiny)


def _scaled(member: Tensor, weight: Tensor, size: float | None) -> Tensor:
    sums = (member * weight).sum(1)
    total = weight.sum().clamp(min=torch.finfo(weight.dtype).tiny)
    return (sums if size is None else sums * (size / total)).clamp(min=0.0)


def _squared(s: Tensor, b: Tensor, uncertainty: float) -> Tensor:
    # A background of 1e-6 of all keeps an empty bin from an infinite gradient.
    b = b + 1e-6 * b.sum().detach() + torch.finfo(b.dtype).tiny
    variance = (uncertainty * b) ** 2
    first = (s + b) * torch.log1p(s * b / (b**2 + (s + b) * variance))
    second = torch.log1p(variance * s / (b * (b + variance))) / uncertainty**2
    return (2 * (first - second)).clamp(min=0.0)
