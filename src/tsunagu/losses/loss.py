"""What a loss is: one number per event. One place reduces them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Protocol, Self, TypeVar, runtime_checkable

import torch
from torch import Tensor

from tsunagu.registry import Registry

__all__ = [
    "BatchLoss",
    "ChangesWithTime",
    "ClassLoss",
    "FitsEvents",
    "HasProbability",
    "Loss",
    "align",
    "event_mean",
    "find_loss",
    "known_losses",
    "register_loss",
    "weighted_mean",
]


class Loss(ABC):
    """A per-event function of prediction and target; subclasses are final, frozen and without state."""

    probabilities: ClassVar[str] = ""
    """Whether a target may be a probability in place of a class: ``event`` for one number ``[E]``, ``class`` for
    ``[E, C]``; empty for no."""
    parameters: ClassVar[tuple[str, ...]] = ()
    """The settings that may be one number for each event, ``[E]``, see :func:`tsunagu.losses.given`: those that a condition
    can stand for."""

    @abstractmethod
    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss of each event.

        Args:
            prediction: ``[E, ...]``, float32 or float64.
            target: ``[E, ...]``, any dtype; cast to the prediction's where it is a number to be met.

        Returns:
            ``[E]``, in the prediction's dtype, not reduced and not weighted.

        Raises:
            ValueError: the shapes do not belong together.
        """

    @abstractmethod
    def check(self, target: Tensor) -> str | None:
        """A sentence on what makes a whole column ``[E, ...]`` unfit as a target, or None where it fits."""


class BatchLoss(Loss):
    """A loss of a whole batch with its training weights, such as a significance: no sum over events.

    Each event carries the loss of its batch, so that one reduction serves all losses. What is judged in parts is the mean over
    them: the validation loss is that over chunks of events, and with several processes each has the loss of its part of a batch.
    """

    @abstractmethod
    def of_batch(self, prediction: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """The loss of each batch.

        Args:
            prediction: ``[R, B, ...]``, of R members.
            target: ``[R, B, ...]``.
            weight: ``[R, B]``, the training weight, signed.

        Returns:
            ``[R]``, in the prediction's dtype.

        Raises:
            ValueError: the shapes do not belong together.
        """

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        """That of one batch of equal weights, for each event ``[E]``."""
        return self.shared(prediction, target, prediction.new_ones(len(target)))

    def shared(self, prediction: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """What each event carries, such that :func:`weighted_mean` gives the loss of its batch.

        Args:
            prediction: ``[E, ...]``.
            target: ``[E, ...]``.
            weight: ``[E]``, or ``[R, B]`` for R batches of E in all.

        Returns:
            ``[E]``.
        """
        sizes = weight if weight.ndim == 2 else weight.unsqueeze(0)
        if len(prediction) != len(target):
            msg = f"the prediction {list(prediction.shape)} does not match the target {list(target.shape)}"
            raise ValueError(msg)
        one, other = (x.reshape(*sizes.shape, *x.shape[1:]) for x in (prediction, target))
        each = self.of_batch(one, other, sizes.to(prediction.dtype))
        return (each.unsqueeze(1) * torch.where(sizes < 0, -1.0, 1.0).to(each.dtype)).flatten()


class ClassLoss(Loss):
    """A loss of class labels; its prediction is a score: one logit ``[E]`` of two classes, or ``[E, C]``."""


@runtime_checkable
class FitsEvents(Protocol):
    """A loss that must know something of the training events, such as how many of each class there are."""

    def fitted(self, target: Tensor, weight: Tensor) -> Self:
        """The loss with what it learns from the targets ``[E, ...]`` and training weights ``[E]`` of all training events.

        Raises:
            ValueError: they are unfit; a sentence that says why.
        """


@runtime_checkable
class ChangesWithTime(Protocol):
    """A loss that is another one later in a training."""

    def at(self, epoch: int, epochs: int) -> Loss:
        """The loss in an epoch, from 0, of a stage of at most ``epochs``: a function of the place and nothing else.

        That of ``epoch = epochs`` is its final form, by which validation events are judged all along, so that epochs can be
        compared.
        """


@runtime_checkable
class HasProbability(Protocol):
    """A loss whose best prediction is no probability, but tells it."""

    def probability(self, prediction: Tensor) -> Tensor:
        """The probability ``[E]`` of class 1, or of each class ``[E, C]``, that a prediction of the same shape stands for."""


LossT = TypeVar("LossT", bound=Loss)

_losses = Registry[Loss]("loss")


def register_loss(key: str) -> Callable[[type[LossT]], type[LossT]]:
    """Make a loss known by a key; a class decorator.

    Raises:
        ValueError: another loss has this key.

    >>> register_loss("mse")(find_loss("mse")).__name__
    'MeanSquared'
    """

    def keep(cls: type[LossT]) -> type[LossT]:
        _losses.keep(key, cls)
        return cls

    return keep


def find_loss(key: str) -> type[Loss]:
    """The loss that a key names; its settings are the arguments of the class.

    Raises:
        LookupError: there is no such loss; the message names the nearest one.

    >>> find_loss("huber")(delta=0.5)
    Huber(delta=0.5)
    >>> find_loss("binray")
    Traceback (most recent call last):
    LookupError: unknown loss 'binray' (did you mean 'binary'?)
    """
    return _losses.find(key)


def known_losses() -> list[str]:
    """All keys.

    >>> known_losses()[:3]
    ['affinity', 'balanced_softmax', 'binary']
    """
    return _losses.known()


def weighted_mean(loss: Tensor, weight: Tensor, size: Tensor | None = None) -> Tensor:
    """The one reduction: ``sum_e(w_e l_e) / sum_e |w_e|``, and 0 where all weights are 0.

    With weights that are not negative it is the mean. Negative weights keep their sign in the sum, but the *size*
    divides: the plain sum over a small batch may be near 0, which would blow the gradient up, or below 0, which would
    turn it around. A training on signed weights can still run away where a region has a negative net weight.

    Args:
        loss: ``[E]``, or ``[R, E]`` for R members of a population.
        weight: of the same shape, any dtype.
        size: what divides in place of ``sum_e |w_e|`` where these are only some of the events: a scalar, or ``[R]``. The
            results of all parts then add up to that of the whole.

    Returns:
        A scalar in the loss's dtype, or ``[R]``, each member's own.

    Raises:
        ValueError: unlike or other shapes, which would broadcast events against each other.

    >>> weighted_mean(torch.tensor([1.0, 3.0]), torch.tensor([3.0, 1.0])).item()
    1.5
    >>> weighted_mean(torch.tensor([1.0, 3.0]), torch.tensor([3.0, -1.0])).item()
    0.0
    """
    if loss.ndim not in (1, 2) or loss.shape != weight.shape:
        msg = f"one loss and one weight per event expected, found {list(loss.shape)} and {list(weight.shape)}"
        raise ValueError(msg)
    weight = weight.to(loss.dtype)
    # The share of each event comes first, so that only one product is differentiated.
    sizes = weight.abs().sum(-1, keepdim=True) if size is None else size.to(loss.dtype).unsqueeze(-1)
    share = weight / sizes.clamp(min=torch.finfo(loss.dtype).tiny)
    return (loss * share).sum(-1)


def align(prediction: Tensor, target: Tensor) -> Tensor:
    """The prediction in the target's shape, where both have as many numbers per event.

    So ``[E, 1]`` meets ``[E]`` and ``[E, 6]`` meets ``[E, 2, 3]``, but nothing is ever broadcast.

    Raises:
        ValueError: the shapes do not belong together.

    >>> align(torch.zeros(4, 1), torch.zeros(4)).shape
    torch.Size([4])
    """
    if prediction.shape == target.shape:
        return prediction
    if prediction.shape[:1] != target.shape[:1] or prediction.numel() != target.numel():
        msg = f"the prediction {list(prediction.shape)} does not match the target {list(target.shape)}"
        raise ValueError(msg)
    return prediction.reshape(target.shape)


def event_mean(value: Tensor) -> Tensor:
    """The mean of ``[E, ...]`` over everything but the events: ``[E]``.

    >>> event_mean(torch.tensor([[1.0, 3.0], [0.0, 0.0]])).tolist()
    [2.0, 0.0]
    """
    return value if value.ndim == 1 else value.flatten(1).mean(1)
