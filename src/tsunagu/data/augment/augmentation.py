"""What an augmentation is, and how a key names it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from torch import Tensor

from tsunagu.data.augment.draws import EventDraws
from tsunagu.registry import Registry

__all__ = [
    "Augmentation",
    "find_augmentation",
    "image_problem",
    "known_augmentations",
    "names_of",
    "probability_problem",
    "register_augmentation",
]


class Augmentation(ABC):
    """A random change of the events of a batch, each by itself; subclasses are final, frozen and without state."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns that it changes."""

    @abstractmethod
    def __call__(self, batch: Mapping[str, Tensor], draws: EventDraws) -> dict[str, Tensor]:
        """The changed columns of a batch.

        Args:
            batch: ``[N, ...]`` by name; a column that the training does not read is not there. Not changed in place.
            draws: the random numbers of the events.

        Returns:
            The new columns ``[N, ...]``, of those of :attr:`columns` that are in the batch.
        """

    @abstractmethod
    def check(self, columns: Mapping[str, Tensor]) -> str | None:
        """A sentence on what makes the columns ``[E, ...]`` of a table unfit, or None where they fit."""


ClassT = TypeVar("ClassT", bound=type)

_augmentations = Registry[Any]("augmentation", object)


def register_augmentation(key: str) -> Callable[[ClassT], ClassT]:
    """Make an augmentation known by a key; a class decorator.

    Raises:
        ValueError: another augmentation has this key.

    >>> register_augmentation("flip_eta")(find_augmentation("flip_eta")).__name__
    'FlipEta'
    """
    return _augmentations.register(key)


def find_augmentation(key: str) -> type[Any]:
    """The augmentation that a key names, or that stands at an import path; its settings are the arguments of the class.

    Raises:
        LookupError: there is no such augmentation; the message names the nearest one.

    >>> find_augmentation("shift")(pixels=2)
    Shift(image='jet_image', pixels=2)
    >>> find_augmentation("flip_fi")
    Traceback (most recent call last):
    LookupError: unknown augmentation 'flip_fi' (did you mean 'flip_phi'?)
    """
    return _augmentations.find(key)


def known_augmentations() -> list[str]:
    """All keys.

    >>> known_augmentations()
    ['drop_tracks', 'flip_eta', 'flip_phi', 'mixup', 'rotate', 'shift', 'smear_energy', 'systematic']
    """
    return _augmentations.known()


def names_of(words: str | Sequence[str] | None) -> tuple[str, ...]:
    """One name, several or none as a tuple.

    >>> names_of("jet_p4"), names_of(None)
    (('jet_p4',), ())
    """
    if words is None:
        return ()
    return (words,) if isinstance(words, str) else tuple(words)


def image_problem(columns: Mapping[str, Tensor], name: str, *, square: bool = False) -> str | None:
    """Why a column is no image ``[E, C, rows, columns]`` or ``[E, J, C, rows, columns]``, or None where it is one."""
    shape = columns[name].shape
    text = f"column '{name}' is [{', '.join(['E', *map(str, shape[1:])])}]"
    if len(shape) not in (4, 5) or not columns[name].is_floating_point():
        return f"{text}, but an image [E, channels, rows, columns], or one for each jet, is expected"
    return (
        f"{text}, but a quarter turn needs as many rows as columns"
        if square and shape[-1] != shape[-2]
        else None
    )


def probability_problem(value: float) -> None:
    """Refuse what is no probability.

    Raises:
        ValueError: below 0 or above 1.
    """
    if not 0.0 <= value <= 1.0:
        msg = f"a probability is from 0 to 1, found {value}"
        raise ValueError(msg)
