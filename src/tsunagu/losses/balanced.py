"""The class-balanced loss and its relatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from tsunagu.losses.classes import PerClass, entropy, label_of, signed_logits
from tsunagu.losses.counts import class_balanced_weights
from tsunagu.losses.focal import check_gamma, focal_term
from tsunagu.losses.loss import register_loss
from tsunagu.losses.parameters import Number
from tsunagu.losses.weighted import ClassWeighted, balanced, check_share

__all__ = ["ClassBalanced", "ClassBalancedBinary", "ClassBalancedFocal", "InverseFrequency"]


@register_loss("inverse_frequency")
@final
@dataclass(frozen=True, kw_only=True)
class InverseFrequency(ClassWeighted):
    """The cross entropy with weights in proportion to ``1 / n_c``, the number of training events of each class.

    ``w_y (log sum_c exp(z_c) - z_y)``, ``sum_c w_c = C``. The prediction is a logit ``[E]`` of two classes or ``[E, C]``,
    the target ``[E]``.

    >>> import torch
    >>> loss = InverseFrequency(sizes=(9000, 1000))
    >>> [round(weight, 2) for weight in loss.weights]
    [0.2, 1.8]
    """

    def weigh(self, sizes: tuple[float, ...]) -> PerClass:
        return class_balanced_weights(sizes, 0.0)

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        return entropy(prediction, target, self.weights)


@register_loss("class_balanced")
@final
@dataclass(frozen=True, kw_only=True)
class ClassBalanced(ClassWeighted):
    """The cross entropy with weights in proportion to ``1 / E_n``, ``E_n = (1 - beta^n) / (1 - beta)``.

    The prediction is a logit ``[E]`` of two classes or ``[E, C]``, the target ``[E]``. ``sum_c w_c = C``, over classes.

    Args:
        one_minus_beta: 1 is the plain cross entropy, 0 the inverse frequency; something happens between ``1 / n`` of the
            largest and ``1 / n`` of the smallest class, and a decade around.

    Source: Cui et al., CVPR 2019, arXiv:1901.05555. The authors' code divides by the number of events (``reduction: events``).

    >>> import torch
    >>> loss = ClassBalanced(sizes=(9000, 1000), one_minus_beta=1e-4)
    >>> [round(value, 4) for value in loss(torch.zeros(2, 2), torch.tensor([0, 1])).tolist()]
    [0.1916, 1.1947]
    """

    parameters: ClassVar[tuple[str, ...]] = ("one_minus_beta",)
    one_minus_beta: Number = 1e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share("one_minus_beta", self.one_minus_beta)

    def weigh(self, sizes: tuple[float, ...]) -> PerClass:
        return balanced(sizes, self.one_minus_beta)

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        return entropy(prediction, target, self.weights)


@register_loss("class_balanced_binary")
@final
@dataclass(frozen=True, kw_only=True)
class ClassBalancedBinary(ClassWeighted):
    """The same with one sigmoid for each class: ``w_y sum_c BCE(z_c, [c = y])``.

    The prediction is ``[E, C]``, or a logit ``[E]`` of two classes, for which it is ``class_balanced``. With many classes
    the last layer's bias begins best at ``-log(C - 1)``.

    Args:
        one_minus_beta: as for ``class_balanced``.

    Source: Cui et al., CVPR 2019, arXiv:1901.05555.

    >>> import torch
    >>> loss = ClassBalancedBinary(sizes=(10, 10, 10))
    >>> round(loss(torch.zeros(1, 3), torch.tensor([2])).item(), 4)
    2.0794
    """

    parameters: ClassVar[tuple[str, ...]] = ("one_minus_beta",)
    one_minus_beta: Number = 1e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share("one_minus_beta", self.one_minus_beta)

    def weigh(self, sizes: tuple[float, ...]) -> PerClass:
        return balanced(sizes, self.one_minus_beta)

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        return _of_sigmoids(prediction, target, 0.0, self.weights)


@register_loss("class_balanced_focal")
@final
@dataclass(frozen=True, kw_only=True)
class ClassBalancedFocal(ClassWeighted):
    """The focal loss of one sigmoid for each class, ``-w_y sum_c (1 - p_ct)^gamma log p_ct``, ``p_ct = s(+-z_c)``.

    The prediction is ``[E, C]`` or a logit ``[E]`` of two classes. The weight is outside the modulator.

    Args:
        one_minus_beta: as for ``class_balanced``.
        gamma: 0 gives ``class_balanced_binary``.

    Source: Cui et al., CVPR 2019, arXiv:1901.05555.

    >>> import torch
    >>> loss = ClassBalancedFocal(sizes=(10, 10, 10), gamma=2.0)
    >>> round(loss(torch.zeros(1, 3), torch.tensor([2])).item(), 4)
    0.5199
    """

    parameters: ClassVar[tuple[str, ...]] = ("one_minus_beta", "gamma")
    one_minus_beta: Number = 1e-4
    gamma: Number = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share("one_minus_beta", self.one_minus_beta)
        check_gamma(self.gamma)

    def weigh(self, sizes: tuple[float, ...]) -> PerClass:
        return balanced(sizes, self.one_minus_beta)

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        return _of_sigmoids(prediction, target, self.gamma, self.weights)


def _of_sigmoids(prediction: Tensor, target: Tensor, gamma: Number, weights: PerClass) -> Tensor:
    classes = weights.shape[-1] if isinstance(weights, Tensor) else len(weights)
    signed = signed_logits(prediction, target, classes)
    value = focal_term(signed, gamma)
    return label_of(target, weights, prediction) * (value if value.ndim == 1 else value.sum(1))
