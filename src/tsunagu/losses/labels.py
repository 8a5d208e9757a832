"""Losses for labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor
from torch.nn import functional

from tsunagu.losses.loss import ClassLoss, align, event_mean, register_loss
from tsunagu.losses.regression import check_finite

__all__ = ["Binary", "CrossEntropy", "check_logits", "check_whole"]


@register_loss("binary")
@final
@dataclass(frozen=True, kw_only=True)
class Binary(ClassLoss):
    """The binary cross entropy of a logit z and a label y, ``-y log s(z) - (1 - y) log(1 - s(z))``, s the sigmoid.

    Computed as ``max(z, 0) - z y + log(1 + exp(-|z|))``, which is finite for every finite logit.
    The prediction is ``[E]`` (or ``[E, 1]``), the target ``[E]`` of 0 and 1 in any dtype.

    >>> Binary()(torch.tensor([0.0, 1e4]), torch.tensor([1, 1])).tolist()
    [0.6931471824645996, 0.0]
    """

    probabilities: ClassVar[str] = "event"

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        label = target.to(prediction.dtype)
        logit = align(prediction, label)
        return event_mean(functional.binary_cross_entropy_with_logits(logit, label, reduction="none"))

    def check(self, target: Tensor) -> str | None:
        if target.is_floating_point() and (problem := check_finite(target)):
            return problem
        strange = target[(target != 0) & (target != 1)]
        return f"labels must be 0 or 1, found {_some(strange, target)}" if strange.numel() else None


@register_loss("cross_entropy")
@final
@dataclass(frozen=True, kw_only=True)
class CrossEntropy(ClassLoss):
    """The softmax cross entropy of logits z and a class y, ``log sum_c exp(z_c) - z_y``.

    The prediction is ``[E, C]``, the target ``[E]`` of whole numbers from 0 to C - 1 in any dtype, or in a training
    ``[E, C]`` probabilities p, ``- sum_c p_c log softmax(z)_c``.

    Args:
        classes: C, where :meth:`check` is to know it; labels beyond it are an error before the training.

    >>> CrossEntropy()(torch.zeros(1, 4), torch.tensor([2])).tolist()
    [1.3862943649291992]
    """

    classes: int | None = None
    probabilities: ClassVar[str] = "class"

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        if target.ndim == 2 and target.shape == prediction.shape and target.is_floating_point():
            return functional.cross_entropy(prediction, target.to(prediction.dtype), reduction="none")
        check_logits(prediction, target, self.classes)
        return functional.cross_entropy(prediction, target.long(), reduction="none")

    def check(self, target: Tensor) -> str | None:
        return check_whole(target, self.classes)


def check_logits(prediction: Tensor, target: Tensor, classes: int | None) -> None:
    """See that logits are ``[E, C]`` and labels ``[E]``.

    Raises:
        ValueError: they have other shapes.
    """
    wrong_classes = classes is not None and prediction.shape[-1] != classes
    if prediction.ndim != 2 or prediction.shape[:1] != target.shape or wrong_classes:
        wanted = f"[E, {classes or 'C'}] and [E]"
        msg = f"logits and labels {wanted} expected, found {list(prediction.shape)} and {list(target.shape)}"
        raise ValueError(msg)


def check_whole(target: Tensor, classes: int | None) -> str | None:
    """A sentence on labels that are not whole numbers from 0, below the number of classes; or None.

    >>> check_whole(torch.tensor([0, 2]), 2)
    'labels must be whole numbers from 0 to 1, found 2 in 1 of 2 events'
    """
    if target.is_floating_point() and (problem := check_finite(target)):
        return problem
    most = torch.iinfo(torch.int64).max if classes is None else classes - 1
    number = target.long()
    strange = target[(number != target) | (number < 0) | (number > most)]
    wanted = "whole numbers from 0" + ("" if classes is None else f" to {most}")
    return f"labels must be {wanted}, found {_some(strange, target)}" if strange.numel() else None


def _some(values: Tensor, target: Tensor, most: int = 3) -> str:
    found = torch.unique(values).tolist()
    names = ", ".join(f"{value:g}" for value in found[:most]) + (", ..." if len(found) > most else "")
    return f"{names} in {values.numel()} of {target.numel()} events"
