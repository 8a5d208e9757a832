"""The focal loss, and the way back from its score to a probability."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor
from torch.nn import functional

from tsunagu.losses.classes import is_logit, of_label, signed_logits
from tsunagu.losses.labels import check_logits, check_whole
from tsunagu.losses.loss import ClassLoss, register_loss
from tsunagu.losses.parameters import Number, wide

__all__ = ["BinaryFocal", "Focal", "check_gamma", "focal_logits", "focal_probability", "focal_term"]


@register_loss("focal")
@final
@dataclass(frozen=True, kw_only=True)
class Focal(ClassLoss):
    """The focal loss of the softmax, ``-(1 - p_y)^gamma log p_y``.

    The prediction is ``[E, C]`` or a logit ``[E]`` of two classes, the target ``[E]``. Not a proper score: what minimises it
    is no probability but :func:`focal_probability` of it is.

    Args:
        gamma: 0 is the cross entropy; 2 in the paper.
        classes: C, where it is to be checked.

    Source: Lin et al., ICCV 2017, arXiv:1708.02002.

    >>> [round(value, 6) for value in Focal()(torch.zeros(1, 2), torch.tensor([1])).tolist()]
    [0.173287]
    """

    parameters: ClassVar[tuple[str, ...]] = ("gamma",)
    gamma: Number = 2.0
    classes: int | None = None

    def __post_init__(self) -> None:
        check_gamma(self.gamma)

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        if is_logit(prediction, target):
            return focal_term(signed_logits(prediction, target), self.gamma)
        check_logits(prediction, target, self.classes)
        label = target.long()
        if not isinstance(self.gamma, Tensor) and (self.gamma == 1.0 or self.gamma >= 2.0):
            # Fewer steps; for other gammas a derivative of the power is infinite where p is 1.
            value = functional.cross_entropy(prediction, label, reduction="none")
            return value * value.neg().expm1().neg().pow(self.gamma)
        return focal_term(_odds_of(prediction, label[:, None]), self.gamma)

    def check(self, target: Tensor) -> str | None:
        return check_whole(target, self.classes)

    def probability(self, prediction: Tensor) -> Tensor:
        """The probability that a prediction means, see :func:`focal_probability`."""
        return focal_probability(prediction, self.gamma)


@register_loss("binary_focal")
@final
@dataclass(frozen=True, kw_only=True)
class BinaryFocal(ClassLoss):
    """The focal loss of a logit, ``-alpha_t (1 - p_t)^gamma log p_t``.

    The prediction is ``[E]`` or ``[E, 1]``, the target ``[E]`` of 0 and 1. ``p_t`` is the sigmoid for class 1 and one minus
    it for class 0. The weight is outside the modulator. The paper divides by the number of class 1 events.

    Args:
        gamma: 0 is the binary cross entropy; 2 in the paper.
        alpha: ``alpha_t`` is this for class 1 and ``1 - alpha`` for class 0; 0.25 in the paper; None for 1.

    Source: Lin et al., ICCV 2017, arXiv:1708.02002.

    >>> [round(value, 6) for value in BinaryFocal()(torch.zeros(2), torch.tensor([0, 1])).tolist()]
    [0.173287, 0.173287]
    """

    parameters: ClassVar[tuple[str, ...]] = ("gamma", "alpha")
    gamma: Number = 2.0
    alpha: Number | None = None

    def __post_init__(self) -> None:
        check_gamma(self.gamma)
        if self.alpha is not None and not 0.0 < self.alpha < 1.0:
            msg = f"alpha must be between 0 and 1, found {self.alpha}"
            raise ValueError(msg)

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        if not is_logit(prediction, target):
            msg = f"a logit [E] and labels [E] expected, found {list(prediction.shape)} and {list(target.shape)}"
            raise ValueError(msg)
        value = focal_term(signed_logits(prediction, target), self.gamma)
        if self.alpha is None:
            return value
        label = target.to(value.dtype)
        if isinstance(self.alpha, Tensor):
            return of_label(torch.stack([1.0 - self.alpha, self.alpha], dim=1), label) * value
        return of_label((1.0 - self.alpha, self.alpha), label) * value

    def check(self, target: Tensor) -> str | None:
        return check_whole(target, 2)

    def probability(self, prediction: Tensor) -> Tensor:
        """The probability that a prediction means, see :func:`focal_probability`."""
        return focal_probability(prediction, self.gamma, self.alpha)


def focal_term(u: Tensor, gamma: Number) -> Tensor:
    """``-(1 - p)^gamma log p`` of ``p = s(u)``, finite with its gradient for every finite u.

    Args:
        u: ``[E, ...]``.
        gamma: a number, or ``[E]``.

    >>> u = torch.logit(torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64))
    >>> [round(value, 6) for value in focal_term(u, 2.0).tolist()]
    [1.865094, 0.173287, 0.001054]
    """
    # softplus turns linear at 20 in torch, logsigmoid does not.
    log_p = functional.logsigmoid(u)
    # log(1 - p) = log p - u, so one of the two logarithms is enough.
    if not isinstance(gamma, Tensor) and gamma == 0.0:
        return -log_p
    return -torch.exp(wide(gamma, u) * (log_p - u)) * log_p


def focal_probability(logits: Tensor, gamma: Number, alpha: Number | None = None) -> Tensor:
    """The probability of each class that a score trained with the focal loss stands for.

    ``eta_c = h(q_c) / sum_k h(q_k)``, ``h(v) = v / ((1 - v)^gamma - gamma (1 - v)^(gamma - 1) v log v)``, where q is the
    softmax (or sigmoid) of the logits: the q that minimises the expected loss at probability eta.

    Args:
        logits: ``[E]`` or ``[E, 1]`` of two classes, or ``[E, C]``.
        gamma: of the loss.
        alpha: of ``binary_focal``.

    Returns:
        ``[E]`` of class 1, or ``[E, C]``.

    Source: Charoenphakdee et al., CVPR 2021, arXiv:2011.09172.

    >>> score = torch.logit(torch.tensor([0.1616, 0.8384], dtype=torch.float64))
    >>> [round(value, 3) for value in focal_probability(score, 1.0).tolist()]
    [0.05, 0.95]
    """
    if logits.ndim == 1 or logits.shape[-1] == 1:
        return torch.sigmoid(focal_logits(logits.reshape(len(logits)), gamma, alpha))
    return torch.softmax(focal_logits(logits, gamma), dim=-1)


def focal_logits(logits: Tensor, gamma: Number, alpha: Number | None = None) -> Tensor:
    """The logarithms of odds whose sigmoid or softmax is :func:`focal_probability`.

    Of one logit u: ``(1 + gamma) u - log(1 + gamma r(u)) + log(1 + gamma r(-u))``, ``r(u) = exp(u) log(1 + exp(-u))``.

    Args:
        logits: ``[E]`` or ``[E, C]``.
        gamma: of the loss.
        alpha: of ``binary_focal``, for ``[E]``.
    """
    if logits.ndim == 1:
        shift = 0.0 if alpha is None else math.log(float(alpha) / (1.0 - float(alpha)))
        return _log_h(logits, gamma) - _log_h(-logits, gamma) - shift
    classes = torch.arange(logits.shape[1], device=logits.device)
    odds = [_odds_of(logits, c.expand(len(logits), 1)) for c in classes]
    return _log_h(torch.stack(odds, dim=1), gamma)


def check_gamma(gamma: Number) -> None:
    """Raise a ValueError for a gamma below 0."""
    if not gamma >= 0.0:
        msg = f"gamma must be 0 or more, found {gamma}"
        raise ValueError(msg)


def _log_h(u: Tensor, gamma: Number) -> Tensor:
    low = u.clamp(max=20.0)
    # Beyond 20, exp(u) log(1 + exp(-u)) = 1 - exp(-u) / 2 + ... is 1 to 1e-9.
    r = torch.where(u > 20.0, torch.ones_like(u), -low.exp() * functional.logsigmoid(low))
    return functional.logsigmoid(u) - gamma * functional.logsigmoid(-u) - torch.log1p(gamma * r)


def _odds_of(logits: Tensor, label: Tensor) -> Tensor:
    """``z_y - log sum_{c != y} exp(z_c)``, the logarithm of the odds of the class ``[E, 1]``: ``[E]``."""
    own = logits.gather(1, label).squeeze(1)
    return own - logits.scatter(1, label, -torch.inf).logsumexp(1)
