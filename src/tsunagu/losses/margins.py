"""Losses that shift logits by class: logit adjustment, balanced softmax, LDAM."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, final

import torch
from torch import Tensor
from torch.nn import functional

from tsunagu.losses.classes import CountedLoss, PerClass, entropy, label_of, weighted_entropy
from tsunagu.losses.labels import check_logits
from tsunagu.losses.loss import Loss, register_loss
from tsunagu.losses.parameters import Number, constant, wide
from tsunagu.losses.weighted import ClassWeighted, Reduction, balanced, check_share

__all__ = ["BalancedSoftmax", "Ldam", "LogitAdjusted"]


@register_loss("logit_adjusted")
@final
@dataclass(frozen=True, kw_only=True)
class LogitAdjusted(CountedLoss):
    """The cross entropy of ``z_c + tau log pi_c``, pi the shares of the classes in the training events.

    What the network learns is then z for classes of equal size. The prediction is a logit ``[E]`` of two classes or
    ``[E, C]``, the target ``[E]``.

    Args:
        tau: 1 gives the balanced error its optimum, 0 is the cross entropy.

    Source: Menon et al., ICLR 2021, arXiv:2007.07314.

    >>> import torch
    >>> loss = LogitAdjusted(sizes=(900, 100))
    >>> [round(value, 4) for value in loss(torch.zeros(2), torch.tensor([0, 1])).tolist()]
    [0.1054, 2.3026]
    """

    parameters: ClassVar[tuple[str, ...]] = ("tau",)
    tau: Number = 1.0

    @cached_property
    def shift(self) -> PerClass:
        """What is added to the logits, ``[C]`` or ``[E, C]``."""
        total = sum(self.known_sizes)
        logs = tuple(math.log(size / total) for size in self.known_sizes)
        if isinstance(self.tau, Tensor):
            return self.tau.double().unsqueeze(1) * constant(logs, self.tau.double())
        return tuple(self.tau * value for value in logs)

    @property
    def per_class(self) -> Mapping[str, PerClass]:
        return {"shift": self.shift}

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        return entropy(prediction, target, shift=self.shift)


@register_loss("balanced_softmax")
@final
@dataclass(frozen=True, kw_only=True)
class BalancedSoftmax(CountedLoss):
    """The cross entropy of ``z_c + log n_c``: ``-log(n_y exp(z_y) / sum_c n_c exp(z_c))``.

    The same as ``logit_adjusted`` with tau 1. The prediction is a logit ``[E]`` of two classes or ``[E, C]``, the target
    ``[E]``.

    Source: Ren et al., NeurIPS 2020, arXiv:2007.10740.

    >>> import torch
    >>> loss = BalancedSoftmax(sizes=(900, 100))
    >>> [round(value, 4) for value in loss(torch.zeros(2), torch.tensor([0, 1])).tolist()]
    [0.1054, 2.3026]
    """

    @cached_property
    def shift(self) -> tuple[float, ...]:
        """What is added to the logits, ``[C]``; over the mean, so that no large number meets a small one."""
        mean = sum(self.known_sizes) / len(self.known_sizes)
        return tuple(math.log(size / mean) for size in self.known_sizes)

    @property
    def per_class(self) -> Mapping[str, PerClass]:
        return {"shift": self.shift}

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        return entropy(prediction, target, shift=self.shift)


@register_loss("ldam")
@final
@dataclass(frozen=True, kw_only=True)
class Ldam(ClassWeighted):
    """Label-distribution-aware margins: the cross entropy of ``s (z_c - m_c [c = y])``, ``m_c ~ n_c^(-1/4)``.

    The prediction is ``[E, C]`` cosines, as the layer ``Cosine`` gives them; the target ``[E]``. The class weights are those of
    ``class_balanced`` and come late (deferred re-weighting): see :meth:`at`.

    Args:
        margin: of the smallest class.
        scale: s, what makes logits of cosines.
        one_minus_beta: of the class weights.
        deferred: the share of a stage's epochs after which the class weights are on; 0 for always, 1 for never.
        reweighted: whether they are on; a training sets it by the epoch.
        reduction: as for every loss with class weights; the authors' code divides by the weights.

    Source: Cao et al., NeurIPS 2019, arXiv:1906.07413; scale, margin and the epoch 160 of 200 are those of its code.

    >>> import torch
    >>> loss = Ldam(sizes=(5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50))
    >>> [round(margin, 4) for margin in loss.margins[-3:]]
    [0.3872, 0.4405, 0.5]
    """

    parameters: ClassVar[tuple[str, ...]] = ("margin", "scale", "one_minus_beta")
    margin: Number = 0.5
    scale: Number = 30.0
    one_minus_beta: Number = 1e-4
    deferred: float = 0.8
    reweighted: bool = True
    reduction: Reduction = "weights"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share("one_minus_beta", self.one_minus_beta)
        check_share("deferred", self.deferred)

    def at(self, epoch: int, epochs: int) -> Loss:
        """This loss in an epoch of a stage of so many, from 0."""
        return replace(self, reweighted=epoch >= self.deferred * epochs - 1e-9)

    def weigh(self, sizes: tuple[float, ...]) -> PerClass:
        return balanced(sizes, self.one_minus_beta)

    @cached_property
    def margins(self) -> tuple[float, ...]:
        """``[C]``, the largest being ``margin``, where that is one number."""
        return tuple(float(self.margin) * share for share in self._shares)

    @cached_property
    def _shares(self) -> tuple[float, ...]:
        """The margins ``[C]`` over the largest one."""
        quarters = [size**-0.25 for size in self.known_sizes]
        return tuple(value / max(quarters) for value in quarters)

    @property
    def per_class(self) -> Mapping[str, PerClass]:
        return {"margin": self.margins, "weight": self.weights}

    @cached_property
    def _shifts(self) -> tuple[tuple[float, ...], ...]:
        """What is added to the scaled cosines of an event of each class, ``[C, C]``."""
        place = range(len(self.margins))
        return tuple(
            tuple(-float(self.scale) * m if a == b else 0.0 for b in place)
            for a, m in enumerate(self.margins)
        )

    def probability(self, prediction: Tensor) -> Tensor:
        """The softmax of the scaled cosines ``[E, C]``."""
        return functional.softmax(self.scale * prediction, dim=-1)

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        check_logits(prediction, target, len(self.known_sizes))
        label = target.long()
        return weighted_entropy(
            self._logits(prediction, label), label, self.weights if self.reweighted else ()
        )

    def _logits(self, prediction: Tensor, label: Tensor) -> Tensor:
        if not isinstance(self.scale, Tensor) and not isinstance(self.margin, Tensor):
            shift = constant(self._shifts, prediction).index_select(0, label)
            return torch.add(shift, prediction, alpha=self.scale)
        lower = wide(self.margin, prediction[:, 0]) * label_of(label, self._shares, prediction)
        own = functional.one_hot(label, prediction.shape[1]).to(prediction.dtype)
        return wide(self.scale, prediction) * (prediction - own * wide(lower, prediction))
