"""Losses of class labels: what they share, and how many training events of each class there are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self, get_args

import torch
from torch import Tensor
from torch.nn import functional

from tsunagu.losses.counts import Counts, class_sizes
from tsunagu.losses.labels import check_logits, check_whole
from tsunagu.losses.loss import ClassLoss, align
from tsunagu.losses.parameters import Number, constant

__all__ = [
    "CountedLoss",
    "PerClass",
    "constant",
    "entropy",
    "is_logit",
    "label_of",
    "of_label",
    "signed_logits",
    "weighted_entropy",
]


PerClass = tuple[float, ...] | Tensor
"""Numbers ``[C]`` of the classes, or ``[E, C]``, those of each event."""


@dataclass(frozen=True, kw_only=True)
class CountedLoss(ClassLoss):
    """A loss that depends on how many training events of each class there are.

    It is made without them; :meth:`fitted` gives the same loss with the numbers in it, and only that one can be called. A
    training fits its losses to its training fold before it begins.

    Args:
        classes: C, where it is to be checked; by default the largest label of the training events, plus 1.
        counts: what is a number of events: ``events``, the sum of training ``weights``, or the ``effective`` number
            ``(sum w)^2 / sum w^2``.
        sizes: ``[C]``: those numbers, by hand; then nothing is counted.
        shares: ``[C]``: the share of each class in the training weight; by default as the sizes have it.
    """

    classes: int | None = None
    counts: Counts = "events"
    sizes: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.counts not in get_args(Counts):
            msg = f"counts must be one of {', '.join(get_args(Counts))}, found {self.counts!r}"
            raise ValueError(msg)
        for name in ("sizes", "shares"):
            # A list in a study file; equal losses must be equal and have one hash.
            object.__setattr__(self, name, tuple(float(value) for value in getattr(self, name)))
        if self.sizes and (len(self.sizes) < 2 or min(self.sizes) <= 0.0):
            msg = f"sizes must be positive numbers, one for each of at least 2 classes, found {list(self.sizes)}"
            raise ValueError(msg)
        if self.sizes and self.classes not in (None, len(self.sizes)):
            msg = f"sizes of {len(self.sizes)} classes, but classes is {self.classes}"
            raise ValueError(msg)

    def fitted(self, target: Tensor, weight: Tensor) -> Self:
        """This loss with the numbers of these events; itself where the sizes are known.

        Args:
            target: ``[E]`` labels of the training events.
            weight: ``[E]`` their training weights.

        Raises:
            ValueError: a class without events, or whose weights have no positive sum; the message has all counts.
        """
        if self.sizes:
            return self
        sizes, shares = class_sizes(target, weight, counts=self.counts, classes=self.classes)
        return replace(self, sizes=sizes, shares=shares)

    def check(self, target: Tensor) -> str | None:
        return check_whole(target, len(self.sizes) or self.classes)

    @property
    @abstractmethod
    def per_class(self) -> Mapping[str, PerClass]:
        """What follows from the numbers, such as ``{"weight": [C]}``, for whoever reads a plan."""

    @property
    def known_sizes(self) -> tuple[float, ...]:
        """The sizes.

        Raises:
            ValueError: the loss is not fitted.
        """
        if not self.sizes:
            msg = f"{type(self).__name__} does not know the classes: call fitted(target, weight) with the training events first"
            raise ValueError(msg)
        return self.sizes

    @property
    def known_shares(self) -> tuple[float, ...]:
        """The shares of the classes in the training weight; their sum is 1."""
        values = self.shares or self.known_sizes
        return tuple(value / sum(values) for value in values)


def is_logit(prediction: Tensor, target: Tensor) -> bool:
    """Whether a prediction is one logit ``[E]`` or ``[E, 1]`` of two classes, and not ``[E, C]``.

    >>> is_logit(torch.zeros(3, 1), torch.zeros(3)), is_logit(torch.zeros(3, 2), torch.zeros(3))
    (True, False)
    """
    return prediction.shape in (target.shape, (*target.shape, 1))


def entropy(prediction: Tensor, target: Tensor, weights: PerClass = (), shift: PerClass = ()) -> Tensor:
    """The cross entropy ``w_y (log sum_c exp(z_c + s_c) - z_y - s_y)`` of a logit of two classes or of logits.

    Args:
        prediction: ``[E]``, ``[E, 1]`` (the logit of class 1 against 0) or ``[E, C]``.
        target: ``[E]``.
        weights: ``[C]`` or ``[E, C]``; 1 by default.
        shift: ``[C]`` or ``[E, C]``; 0 by default.

    >>> entropy(torch.zeros(2), torch.tensor([0, 1]), (1.0, 3.0)).tolist()
    [0.6931471824645996, 2.079441547393799]
    """
    classes = _classes(weights) or _classes(shift)
    if is_logit(prediction, target):
        _check_two(classes)
        label = target.to(prediction.dtype)
        logit = align(prediction, label) + (_rise(shift, label) if _classes(shift) else 0.0)
        value = functional.binary_cross_entropy_with_logits(logit, label, reduction="none")
        return of_label(weights, label) * value if _classes(weights) else value
    check_logits(prediction, target, classes or None)
    logits = prediction + constant(shift, prediction) if _classes(shift) else prediction
    return weighted_entropy(logits, target.long(), weights)


def weighted_entropy(logits: Tensor, label: Tensor, weights: PerClass = ()) -> Tensor:
    """``w_y (log sum_c exp(z_c) - z_y)`` of logits ``[E, C]`` and whole labels ``[E]``."""
    if isinstance(weights, Tensor):
        return label_of(label, weights, logits) * functional.cross_entropy(logits, label, reduction="none")
    factor = constant(weights, logits) if weights else None
    return functional.cross_entropy(logits, label, weight=factor, reduction="none")


def signed_logits(prediction: Tensor, target: Tensor, classes: int | None = None) -> Tensor:
    """``z_c`` for the class of the event and ``-z_c`` for the others: ``[E, C]``, or ``[E]`` of one logit.

    >>> signed_logits(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([1])).tolist()
    [[-1.0, 2.0, -3.0]]
    """
    if is_logit(prediction, target):
        label = target.to(prediction.dtype)
        return align(prediction, label) * (2.0 * label - 1.0)
    check_logits(prediction, target, classes)
    own = functional.one_hot(target.long(), prediction.shape[1]).to(prediction.dtype)
    return prediction * (2.0 * own - 1.0)


def label_of(target: Tensor, values: PerClass, like: Tensor) -> Tensor:
    """The value of each event's class, ``[E]`` in the dtype of ``like``."""
    if isinstance(values, Tensor):
        return values.gather(1, target.long().unsqueeze(1)).squeeze(1).to(like.dtype)
    return constant(values, like).index_select(0, target.long())


def of_label(values: PerClass, label: Tensor) -> Tensor:
    """The same of two classes, for labels ``[E]`` that are floating-point numbers.

    >>> of_label((2.0, 5.0), torch.tensor([0.0, 1.0])).tolist()
    [2.0, 5.0]
    """
    _check_two(_classes(values))
    if isinstance(values, Tensor):
        return label_of(label, values, label)
    return torch.lerp(torch.full_like(label, values[0]), torch.full_like(label, values[1]), label)


def _classes(values: PerClass) -> int:
    return values.shape[-1] if isinstance(values, Tensor) else len(values)


def _rise(shift: PerClass, like: Tensor) -> Number:
    if isinstance(shift, Tensor):
        return (shift[:, 1] - shift[:, 0]).to(like.dtype)
    return shift[1] - shift[0]


def _check_two(classes: int) -> None:
    if classes not in (0, 2):
        msg = f"one logit for an event tells 2 classes apart, found {classes} classes; give [E, {classes}] logits"
        raise ValueError(msg)
