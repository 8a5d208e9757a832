"""The soft-binned Asimov significance: the loss of a whole batch, since a bin has to know all events in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from tsunagu.losses.labels import Binary
from tsunagu.losses.loss import BatchLoss, register_loss

__all__ = ["SoftSignificance"]


@register_loss("significance")
@final
@dataclass(frozen=True, kw_only=True)
class SoftSignificance(BatchLoss):
    r"""Minus the combined significance of soft bins of the score.

    An event is in bin b by :math:`\kappa_b = \sigma((p - e_b)/h) - \sigma((p - e_{b+1})/h)`, which becomes the histogram for
    :math:`h \to 0`, and :math:`Z^2 = \sum_b Z_A^2(s_b, b_b, \sigma_b)` is that of :func:`~tsunagu.metrics.asimov_significance` with
    :math:`\sigma_b` = ``uncertainty`` times :math:`b_b`. The prediction is ``[E]``, ``[E, 1]`` or ``[E, 2]`` logits, p their
    probability of class 1, the target ``[E]`` of 0 and 1. A batch stands for all events, so it must be large: hundreds of
    each class. A bin whose weights sum to less than 0 counts as 0.

    Args:
        signal: expected events, to which the signal of a batch is scaled.
        background: the same.
        edges: inner edges in p, rising.
        width: h.
        uncertainty: of the background, relative; above 0.

    Source: Elwood & Kruecker, arXiv:1806.00322, with bins as in neos, arXiv:2203.05570.

    >>> logits, target = torch.tensor([-3.0, -2.0, 2.0, 3.0]), torch.tensor([0, 0, 1, 1])
    >>> loss = SoftSignificance(signal=10.0, background=100.0)
    >>> apart, mixed = (loss(logits, y)[0].item() for y in (target, target[[0, 2, 1, 3]]))
    >>> apart < mixed < 0
    True
    """

    signal: float = 1.0
    background: float = 100.0
    edges: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)
    width: float = 0.05
    uncertainty: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", tuple(self.edges))  # a list in a study file
        if not self.edges or list(self.edges) != sorted(set(self.edges)):
            msg = f"edges must be one or more rising numbers, found {list(self.edges)}"
            raise ValueError(msg)
        for name in ("signal", "background", "width", "uncertainty"):
            if not 0.0 < getattr(self, name) < float("inf"):
                msg = f"{name} must be above 0, found {getattr(self, name)}"
                raise ValueError(msg)

    def of_batch(self, prediction: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        score = torch.sigmoid(_logit(prediction, target))
        inside = [torch.sigmoid((score - edge) / self.width) for edge in self.edges]
        steps = torch.stack([torch.ones_like(score), *inside, torch.zeros_like(score)])
        member = steps[:-1] - steps[1:]  # [bins, R, B]
        own = (target == 1).to(score.dtype)
        s, b = (
            _scaled(member, weight * part, size)
            for part, size in ((own, self.signal), (1 - own, self.background))
        )
        return -torch.sqrt(_squared(s, b, self.uncertainty).sum(0) + torch.finfo(score.dtype).tiny)

    def check(self, target: Tensor) -> str | None:
        return Binary().check(target)


def _logit(prediction: Tensor, target: Tensor) -> Tensor:
    """``[R, B]``."""
    if prediction.shape == target.shape:
        return prediction
    if prediction.shape == (*target.shape, 1):
        return prediction.squeeze(-1)
    if prediction.shape == (*target.shape, 2):
        return prediction[..., 1] - prediction[..., 0]
    found = f"{list(prediction.shape[1:])} for a target {list(target.shape[1:])}"
    msg = f"logits [E], [E, 1] or [E, 2] of a target [E] expected, found {found}"
    raise ValueError(msg)


def _scaled(member: Tensor, weight: Tensor, size: float) -> Tensor:
    """``[bins, R]``, each member's sum scaled to the expected events."""
    total = weight.sum(-1)
    factor = torch.where(total > 0, size / total.clamp(min=torch.finfo(weight.dtype).tiny), 0.0)
    return ((member * weight).sum(-1) * factor).clamp(min=0.0)


def _squared(s: Tensor, b: Tensor, uncertainty: float) -> Tensor:
    # A background of 1e-6 of all keeps an empty bin from an infinite gradient.
    b = b + 1e-6 * b.sum(0).detach() + 1e-12
    variance = (uncertainty * b) ** 2
    first = (s + b) * torch.log1p(s * b / (b**2 + (s + b) * variance))
    second = torch.log1p(variance * s / (b * (b + variance))) / uncertainty**2
    return (2 * (first - second)).clamp(min=0.0)
